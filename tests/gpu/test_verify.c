/* SPDX-License-Identifier: Apache-2.0 */
/* The pool on the CPU: states, order, budget, limits, and the reference's verdicts through it. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "gpu/device.h"
#include "tests/gpu/agree.h"
#include "tests/gpu/batches.h"

static struct asz_verifier *new_on_cpu(uint32_t capacity, uint32_t count) {
  struct asz_verify_config config = {.backend = ASZ_BACKEND_CPU, .batch_capacity = capacity, .batch_count = count};
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_verify_new(&verifier, &config, &diag), 0, "%s", diag.text);
  return verifier;
}

Test(verify, sizes_out_of_range_are_refused_with_the_range)
{
  static const uint32_t bad[][2] = {{0, 4}, {65537, 4}, {UINT32_MAX, 4}, {16, 0}, {16, 17}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    for (int backend = ASZ_BACKEND_AUTO; backend <= ASZ_BACKEND_CUDA; backend++) {
      struct asz_verify_config config = {
          .backend = (enum asz_backend)backend, .batch_capacity = bad[i][0], .batch_count = bad[i][1]};
      struct asz_verifier *verifier = NULL;
      struct asz_diag diag = {""};
      cr_assert_eq(asz_verify_new(&verifier, &config, &diag), ASZ_ERANGE);
      cr_assert_null(verifier);
      cr_assert_not_null(strstr(diag.text, "expected 1.."), "%s", diag.text);
    }
}

Test(verify, batches_lie_in_the_memory_that_the_caller_lends)
{
  struct asz_verify_config config = {.backend = ASZ_BACKEND_CPU, .batch_capacity = 0, .batch_count = 4};
  cr_assert_eq(asz_verify_footprint(&config), 0, "a configuration that is refused has no footprint");
  config.batch_capacity = 5;
  size_t bytes = asz_verify_footprint(&config);
  uint8_t *memory = aligned_alloc(4096, bytes);
  cr_assert_not_null(memory);
  config.memory = memory;
  config.memory_bytes = bytes;
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_verify_new(&verifier, &config, &diag), 0, "%s", diag.text);
  const struct asz_batch *batch;
  for (unsigned kind = ASZ_KIND_SIG; kind <= ASZ_KIND_SEQ; kind++)
    while ((batch = asz_verify_batch(verifier, kind)) != NULL)
      cr_assert((uint8_t *)batch->verdict >= memory && (uint8_t *)(batch->tag + 5) <= memory + bytes,
                "it lies where it was told");
  cr_assert_eq(asz_verify_unpinned(verifier), 0, "there is no device to pin anything for");
  asz_verify_free(verifier);
  free(memory); /* still the caller's */
}

Test(verify, a_batch_is_due_when_it_is_full_or_its_first_item_has_waited)
{
  enum { US = 1000 };
  struct asz_verify_config config = {.backend = ASZ_BACKEND_CPU, .batch_capacity = 3, .batch_count = 1, .deadline_us = 500};
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_verify_new(&verifier, &config, &diag), 0, "%s", diag.text);
  for (int round = 0; round < 2; round++) { /* a batch that comes back waits anew */
    struct asz_batch *batch = asz_verify_batch(verifier, ASZ_KIND_SEQ);
    cr_assert_not(asz_verify_due(verifier, batch, 0));
    cr_assert_not(asz_verify_due(verifier, batch, 9000 * US), "an empty one is never due");
    batch->count = 1;
    cr_assert_not(asz_verify_due(verifier, batch, 10000 * US));
    batch->count = 2;
    cr_assert_not(asz_verify_due(verifier, batch, 10500 * US - 1), "counted from the first item");
    cr_assert(asz_verify_due(verifier, batch, 10500 * US));
    asz_verify_submit(verifier, batch);
    cr_assert_eq(asz_batches_wait(verifier, 0), batch);
    asz_verify_release(verifier, batch);
  }
  struct asz_batch *batch = asz_verify_batch(verifier, ASZ_KIND_SEQ);
  batch->count = 3;
  cr_assert(asz_verify_due(verifier, batch, 20000 * US), "a full one at once");
  asz_verify_free(verifier);
}

Test(verify, cuda_asked_for_and_not_there_says_why)
{
  struct asz_device device;
  struct asz_diag diag = {""};
  if (asz_device_cuda_open(&device, NULL) == 0) {
    device.ops->free(device.state);
    cr_skip_test("this machine has a CUDA device");
  }
  struct asz_verify_config config;
  asz_verify_config_default(&config);
  config.backend = ASZ_BACKEND_CUDA;
  struct asz_verifier *verifier = NULL;
  cr_assert_eq(asz_verify_new(&verifier, &config, &diag), ASZ_ENOTSUP);
  cr_assert_null(verifier);
  cr_assert_not_null(strstr(diag.text, "CUDA"), "%s", diag.text);

  config.backend = ASZ_BACKEND_AUTO;
  cr_assert_eq(asz_verify_new(&verifier, &config, &diag), 0);
  cr_assert_eq(strncmp(asz_verify_backend_name(verifier), "cpu: ", 5), 0);
  asz_verify_free(verifier);
}

Test(verify, a_pool_of_any_size_passes_its_known_answers)
{
  asz_verify_free(new_on_cpu(1, 1));
  asz_verify_free(new_on_cpu(7, 2));
  asz_verify_free(new_on_cpu(65536, 1));
  asz_verify_free(NULL);
}

Test(verify, batches_run_out_and_come_back)
{
  struct asz_verifier *verifier = new_on_cpu(4, 2);
  struct asz_batch *first = asz_verify_batch(verifier, ASZ_KIND_SEQ), *second = asz_verify_batch(verifier, ASZ_KIND_SEQ);
  cr_assert(first && second && first != second);
  cr_assert_eq(first->state, ASZ_BATCH_FILLING);
  cr_assert_eq(first->capacity, 4);
  cr_assert_null(asz_verify_batch(verifier, ASZ_KIND_SEQ), "two of two are in use");
  cr_assert_not_null(asz_verify_batch(verifier, ASZ_KIND_SIG), "another kind has its own");
  cr_assert_null(asz_verify_batch(verifier, 0), "no such kind");
  cr_assert_null(asz_verify_batch(verifier, ASZ_KIND_MAX + 1), "no such kind");
  cr_assert_null(asz_verify_poll(verifier, 0), "nothing was submitted");
  first->count = 1;
  first->log2_steps[0] = 0;
  asz_verify_submit(verifier, first);
  cr_assert_eq(first->state, ASZ_BATCH_READY);
  cr_assert_eq(asz_verify_poll(verifier, 0), first);
  cr_assert_eq(first->state, ASZ_BATCH_DONE);
  cr_assert_null(asz_verify_batch(verifier, ASZ_KIND_SEQ), "done is not free");
  asz_verify_release(verifier, first);
  cr_assert_eq(asz_verify_batch(verifier, ASZ_KIND_SEQ), first);
  cr_assert_eq(first->count, 0);
  asz_verify_free(verifier);
}

Test(verify, batches_come_back_in_the_order_of_submission)
{
  struct asz_verifier *verifier = new_on_cpu(8, 3);
  struct asz_test_random random = asz_test_random_start(11);
  struct asz_batch *order[4];
  uint8_t expected[8];
  for (int i = 0; i < 4; i++) {
    order[i] = i % 2 ? asz_verify_batch(verifier, ASZ_KIND_SIG) : asz_batches_fill_seq(verifier, expected, 8, &random);
    order[i]->count = 8;
    if (i % 2)
      memset(order[i]->message_bytes, 0xff, 8);
  }
  int submission[4] = {2, 0, 3, 1};
  for (int i = 0; i < 4; i++)
    asz_verify_submit(verifier, order[submission[i]]);
  for (int i = 0; i < 4; i++)
    cr_assert_eq(asz_batches_wait(verifier, 3), order[submission[i]], "%d", i);
  asz_verify_free(verifier);
}

Test(verify, poll_judges_no_more_items_than_its_budget)
{
  struct asz_verifier *verifier = new_on_cpu(10, 1);
  struct asz_sig_cases cases = asz_sig_cases_new(12);
  asz_sig_cases_add_valid(&cases, 10);
  struct asz_batch *batch = asz_batches_fill_sig(verifier, cases.item, 0, cases.count);
  asz_verify_submit(verifier, batch);
  for (uint32_t judged = 3; judged < 10; judged += 3) {
    cr_assert_null(asz_verify_poll(verifier, 3));
    for (uint32_t i = 0; i < 10; i++)
      cr_assert_eq(batch->verdict[i], i < judged ? ASZ_VERDICT_PASS : ASZ_VERDICT_NONE, "item %u after %u", i, judged);
  }
  cr_assert_eq(asz_verify_poll(verifier, 3), batch);
  asz_sig_cases_free(&cases);
  asz_verify_free(verifier);
}

Test(verify, poll_stops_in_the_middle_of_a_long_chain)
{
  enum { LOG2_STEPS = 18 };
  struct asz_verifier *verifier = new_on_cpu(2, 1);
  struct asz_batch *batch = asz_verify_batch(verifier, ASZ_KIND_SEQ);
  batch->count = 2;
  for (uint32_t i = 0; i < 2; i++) {
    batch->log2_steps[i] = LOG2_STEPS;
    asz_prove_seq(batch->checkpoint[i], batch->seed[i], LOG2_STEPS);
  }
  batch->checkpoint[1][0][0] ^= 1;
  asz_verify_submit(verifier, batch);
  unsigned polls = 1;
  while (!asz_verify_poll(verifier, 4))
    polls++;
  cr_assert_eq(polls, (2 << LOG2_STEPS) / (4 * 8192), "%u", polls);
  cr_assert_eq(batch->verdict[0], ASZ_VERDICT_PASS);
  cr_assert_eq(batch->verdict[1], ASZ_VERDICT_FAIL);
  asz_verify_free(verifier);
}

Test(verify, a_message_over_the_limit_is_malformed)
{
  struct asz_verifier *verifier = new_on_cpu(2, 1);
  struct asz_sig_cases cases = asz_sig_cases_new(13);
  asz_sig_cases_add_valid(&cases, ASZ_SIG_MESSAGE_MAX + 1); /* the last has the longest message */
  struct asz_batch *batch = asz_batches_fill_sig(verifier, cases.item, ASZ_SIG_MESSAGE_MAX, cases.count);
  cr_assert_eq(batch->message_bytes[0], ASZ_SIG_MESSAGE_MAX);
  batch->message_bytes[1] = ASZ_SIG_MESSAGE_MAX + 1;
  batch->count = 2;
  asz_verify_submit(verifier, batch);
  cr_assert_eq(asz_verify_poll(verifier, 0), batch);
  cr_assert_eq(batch->verdict[0], ASZ_VERDICT_PASS);
  cr_assert_eq(batch->verdict[1], ASZ_VERDICT_MALFORMED);
  cr_assert_eq(batch->tag[0], ASZ_SIG_MESSAGE_MAX, "the caller's tag stays");
  asz_sig_cases_free(&cases);
  asz_verify_free(verifier);
}

Test(verify, verdicts_of_an_earlier_use_of_a_batch_are_gone)
{
  struct asz_verifier *verifier = new_on_cpu(3, 1);
  struct asz_batch *batch = asz_verify_batch(verifier, ASZ_KIND_SEQ);
  memset(batch->verdict, ASZ_VERDICT_PASS, 3);
  batch->count = 3;
  asz_verify_submit(verifier, batch);
  cr_assert_eq(batch->verdict[2], ASZ_VERDICT_NONE);
  asz_verify_free(verifier);
}

static struct asz_verifier *judging;
static void judge(uint8_t *ret_verdict, const struct asz_sig_case *item, size_t count) {
  asz_batches_judge_sig(judging, ret_verdict, item, count);
}

Test(verify, signatures_of_all_sorts_get_the_verdict_of_libsodium)
{
  judging = new_on_cpu(500, 2);
  struct asz_sig_cases cases = asz_sig_cases_new(14);
  asz_sig_cases_add_all(&cases);
  cr_assert_gt(asz_sig_cases_check(&cases, judge), 2000);
  asz_sig_cases_free(&cases);
  asz_verify_free(judging);
}

Test(verify, public_vectors_get_the_verdict_of_libsodium)
{
  judging = new_on_cpu(500, 2);
  struct asz_sig_cases cases = asz_sig_cases_new(0);
  asz_sig_cases_add_cctv(&cases);
  asz_sig_cases_add_speccheck(&cases);
  cr_assert_eq(asz_sig_cases_check(&cases, judge), 43 + 1);
  asz_sig_cases_free(&cases);
  asz_verify_free(judging);
}

Test(verify, chains_of_all_sorts_are_judged)
{
  struct asz_verifier *verifier = new_on_cpu(1000, 1);
  struct asz_test_random random = asz_test_random_start(15);
  uint8_t expected[1000];
  struct asz_batch *batch = asz_batches_fill_seq(verifier, expected, 1000, &random);
  asz_verify_submit(verifier, batch);
  cr_assert_eq(asz_verify_poll(verifier, 0), batch);
  cr_assert_arr_eq(batch->verdict, expected, 1000, "seed %lu", random.seed);
  cr_assert_eq(asz_verify_fallbacks(verifier), 0);
  asz_verify_free(verifier);
}

Test(verify, items_of_all_kinds_are_judged_as_the_reference_judges_them)
{
  struct asz_verify_config config;
  struct asz_verifier *verifier[2] = {NULL, NULL};
  struct asz_diag diag = {""};
  asz_agree_config(&config);
  for (int v = 0; v < 2; v++) {
    config.backend = v == 0 ? ASZ_BACKEND_CPU : ASZ_BACKEND_REFERENCE;
    cr_assert_eq(asz_verify_new(&verifier[v], &config, &diag), 0, "%s", diag.text);
  }
  uint64_t passed = asz_agree_check(verifier[0], verifier[1], 8000, 16);
  cr_assert(passed > 3200 && passed < 6400, "%lu passed", passed);
  asz_verify_free(verifier[0]);
  asz_verify_free(verifier[1]);
}

Test(verify, every_verdict_has_a_name)
{
  cr_assert_str_eq(asz_verdict_name(ASZ_VERDICT_NONE), "none");
  cr_assert_str_eq(asz_verdict_name(ASZ_VERDICT_PASS), "pass");
  cr_assert_str_eq(asz_verdict_name(ASZ_VERDICT_FAIL), "fail");
  cr_assert_str_eq(asz_verdict_name(ASZ_VERDICT_MALFORMED), "malformed");
  cr_assert_str_eq(asz_verdict_name(ASZ_VERDICT_UNJUDGED), "unjudged");
  cr_assert_str_eq(asz_verdict_name((enum asz_verdict)99), "unknown");
}
