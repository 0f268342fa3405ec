/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA device itself, against libsodium. Skipped where there is none: then only the host's build of the same arithmetic
 * (kinds/test_sig.c, kinds/test_seq.c) and the handling of devices (test_device.c) have been tested. */
#include <criterion/criterion.h>

#include "gpu/device.h"
#include "tests/gpu/agree.h"
#include "tests/gpu/batches.h"

static struct asz_verifier *new_or_skip(uint32_t capacity) {
  struct asz_device device;
  struct asz_diag diag = {""};
  if (asz_device_cuda_open(&device, &diag) != 0)
    cr_skip_test("%s", diag.text);
  struct asz_verify_config config = {.batch_capacity = capacity, .batch_count = 4};
  struct asz_verifier *verifier = NULL;
  memset(device.items_min, 0, sizeof device.items_min); /* the device is what is tested */
  cr_assert_eq(asz_verify_new_on(&verifier, &config, &device, &diag), 0, "%s", diag.text);
  return verifier;
}

static struct asz_verifier *judging;
static void judge(uint8_t *ret_verdict, const struct asz_sig_case *item, size_t count) {
  asz_batches_judge_sig(judging, ret_verdict, item, count);
}

Test(verify_cuda, signatures_of_all_sorts_get_the_verdict_of_libsodium)
{
  judging = new_or_skip(16384);
  struct asz_sig_cases cases = asz_sig_cases_new(31);
  asz_sig_cases_add_all(&cases);
  cr_assert_gt(asz_sig_cases_check(&cases, judge), 2000);
  cr_assert_eq(asz_verify_fallbacks(judging), 0, "the device itself must have judged");
  asz_sig_cases_free(&cases);
  asz_verify_free(judging);
}

Test(verify_cuda, public_vectors_get_the_verdict_of_libsodium)
{
  judging = new_or_skip(100);
  struct asz_sig_cases cases = asz_sig_cases_new(0);
  asz_sig_cases_add_cctv(&cases);
  asz_sig_cases_add_speccheck(&cases);
  cr_assert_eq(asz_sig_cases_check(&cases, judge), 43 + 1);
  cr_assert_eq(asz_verify_fallbacks(judging), 0, "the device itself must have judged");
  asz_sig_cases_free(&cases);
  asz_verify_free(judging);
}

Test(verify_cuda, four_batches_of_chains_in_flight_are_judged)
{
  enum { ITEMS = 1001 }; /* the last block is not full */
  struct asz_verifier *verifier = new_or_skip(ITEMS);
  struct asz_test_random random = asz_test_random_start(32);
  static uint8_t expected[4][ITEMS];
  struct asz_batch *batch[4];
  for (int i = 0; i < 4; i++) {
    batch[i] = asz_batches_fill_seq(verifier, expected[i], ITEMS, &random);
    asz_verify_submit(verifier, batch[i]);
  }
  for (int i = 0; i < 4; i++) {
    cr_assert_eq(asz_batches_wait(verifier, 0), batch[i]);
    cr_assert_arr_eq(batch[i]->verdict, expected[i], ITEMS, "batch %d, seed %lu", i, random.seed);
  }
  cr_assert_eq(asz_verify_fallbacks(verifier), 0, "the device itself must have judged");
  asz_verify_free(verifier);
}

Test(verify_cuda, one_item_alone_is_judged)
{
  judging = new_or_skip(1);
  struct asz_sig_cases cases = asz_sig_cases_new(33);
  asz_sig_cases_add_valid(&cases, 3);
  asz_sig_cases_add_large_s(&cases, 1);
  cr_assert_eq(asz_sig_cases_check(&cases, judge), 3);
  asz_sig_cases_free(&cases);
  asz_verify_free(judging);
}

Test(verify_cuda, a_million_items_of_all_kinds_are_judged_as_the_cpu_judges_them, .timeout = 1800)
{
  struct asz_device device;
  struct asz_diag diag = {""};
  struct asz_verify_config config;
  struct asz_verifier *on_cuda = NULL, *on_cpu = NULL;
  if (asz_device_cuda_open(&device, &diag) != 0)
    cr_skip_test("%s", diag.text);
  memset(device.items_min, 0, sizeof device.items_min);
  asz_agree_config(&config);
  cr_assert_eq(asz_verify_new_on(&on_cuda, &config, &device, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_verify_new_on(&on_cpu, &config, NULL, &diag), 0, "%s", diag.text);
  uint64_t passed = asz_agree_check(on_cuda, on_cpu, 1000000, 34);
  cr_assert(passed > 400000 && passed < 800000, "%lu passed", passed);
  cr_assert_eq(asz_verify_fallbacks(on_cuda), 0, "the device itself must have judged");
  cr_assert_neq(strncmp(asz_verify_backend_name(on_cuda), "cpu", 3), 0);
  asz_verify_free(on_cpu);
  asz_verify_free(on_cuda);
}
