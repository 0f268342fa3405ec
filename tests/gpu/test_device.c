/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that fail and devices that lie, in the place of a real one. The fake judges with the host's build of the kernels'
 * arithmetic, so that an honest one differs from CUDA only in where it runs. */
#include <criterion/criterion.h>
#include <stdbool.h>

#include "gpu/device.h"
#include "gpu/kinds/seq.h"
#include "gpu/kinds/sig.h"
#include "tests/gpu/batches.h"

enum { NEVER = 1000000, FAKE_KINDS = 1 << ASZ_KIND_SIG | 1 << ASZ_KIND_SEQ };

struct fake {
  /* What it does wrong, and from which call on (counted from 0, known answers included). */
  unsigned attach_fails_at, start_fails_at, poll_fails_at, garbage_at;
  unsigned polls_before_done; /* a slow device */
  bool passes_everything, follows_cofactor_rule, ignores_last_lane;
  /* What happened. */
  unsigned attached, started, polled, freed, calls_after_failure, waited;
  bool failed;
};

static int fake_fail(struct fake *fake, struct asz_diag *diag) {
  fake->failed = true;
  return asz_diag_set(diag, ASZ_EDEVICE, "unplugged");
}

static int fake_attach(void *state, unsigned slot, const struct asz_batch *batch, void *slab, size_t slab_bytes,
                       struct asz_diag *diag) {
  struct fake *fake = state;
  cr_assert_eq(slot, fake->attached);
  cr_assert((const uint8_t *)batch->verdict >= (uint8_t *)slab);
  cr_assert((const uint8_t *)(batch->tag + batch->capacity) <= (uint8_t *)slab + slab_bytes);
  return fake->attached++ >= fake->attach_fails_at ? fake_fail(fake, diag) : 0;
}

static int fake_start(void *state, unsigned slot, const struct asz_batch *batch, struct asz_diag *diag) {
  struct fake *fake = state;
  (void)slot;
  (void)batch;
  fake->calls_after_failure += fake->failed;
  return fake->started++ >= fake->start_fails_at ? fake_fail(fake, diag) : 0;
}

static uint8_t fake_judge_seq(const struct fake *fake, const struct asz_batch *batch, uint32_t i) {
  if (!asz_seq_is_well_formed(batch->log2_steps[i]))
    return ASZ_VERDICT_MALFORMED;
  unsigned lanes = fake->ignores_last_lane ? ASZ_SEQ_CHECKPOINTS - 1 : ASZ_SEQ_CHECKPOINTS;
  for (unsigned lane = 0; lane < lanes; lane++)
    if (!asz_seq_segment_holds(batch->seed[i], (const uint8_t(*)[32])batch->checkpoint[i], lane, batch->log2_steps[i]))
      return ASZ_VERDICT_FAIL;
  return ASZ_VERDICT_PASS;
}

static uint8_t fake_judge(const struct fake *fake, const struct asz_batch *batch, uint32_t i) {
  if (fake->passes_everything)
    return ASZ_VERDICT_PASS;
  if (batch->kind == ASZ_KIND_SEQ)
    return fake_judge_seq(fake, batch, i);
  uint8_t verdict = asz_sig_judge(batch->public_key[i], batch->signature[i], batch->message[i], batch->message_bytes[i]);
  /* speccheck 4 is the one known answer that the rule with the cofactor accepts and ours does not */
  bool is_speccheck_4 = batch->signature[i][0] == 0x16 && batch->signature[i][1] == 0x0a;
  return fake->follows_cofactor_rule && is_speccheck_4 ? ASZ_VERDICT_PASS : verdict;
}

static int fake_poll(void *state, unsigned slot, struct asz_batch *batch, struct asz_diag *diag) {
  struct fake *fake = state;
  (void)slot;
  fake->calls_after_failure += fake->failed;
  if (fake->waited++ < fake->polls_before_done)
    return 0;
  fake->waited = 0;
  unsigned call = fake->polled++;
  if (call >= fake->poll_fails_at)
    return fake_fail(fake, diag);
  for (uint32_t i = 0; i < batch->count; i++)
    batch->verdict[i] = fake_judge(fake, batch, i);
  if (call >= fake->garbage_at) {
    fake->failed = true;
    batch->verdict[batch->count - 1] = ASZ_VERDICT_NONE;
  }
  return 1;
}

static void fake_free(void *state) {
  ((struct fake *)state)->freed++;
}

static const struct asz_device_ops fake_ops = {fake_attach, fake_start, fake_poll, fake_free};

static struct fake honest(void) {
  return (struct fake){.attach_fails_at = NEVER, .start_fails_at = NEVER, .poll_fails_at = NEVER, .garbage_at = NEVER};
}

enum { CAPACITY = 64, SELF_TEST_BATCHES = 2 };

static int new_on(struct asz_verifier **ret_verifier, struct fake *fake, struct asz_diag *diag) {
  struct asz_verify_config config = {.batch_capacity = CAPACITY, .batch_count = 4};
  struct asz_device device = {.ops = &fake_ops, .state = fake, .kinds = FAKE_KINDS, .name = "fake"};
  return asz_verify_new_on(ret_verifier, &config, &device, diag);
}

static void assert_refused(struct fake fake, const char *reason) {
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(new_on(&verifier, &fake, &diag), ASZ_ENOTSUP, "%s", reason);
  cr_assert_null(verifier);
  cr_assert_not_null(strstr(diag.text, reason), "'%s' does not say '%s'", diag.text, reason);
  cr_assert_eq(fake.freed, 1);
}

Test(device, one_that_lies_about_known_answers_is_refused)
{
  struct fake fake = honest();
  fake.passes_everything = true;
  assert_refused(fake, "it says 'pass' to known answer 4 of kind sig, which is 'fail'");
  fake = honest();
  fake.follows_cofactor_rule = true;
  assert_refused(fake, "it says 'pass' to known answer 8 of kind sig, which is 'fail'");
  fake = honest();
  fake.ignores_last_lane = true;
  assert_refused(fake, "of kind seq, which is 'fail'");
}

Test(device, one_that_fails_on_known_answers_is_refused)
{
  struct fake fake = honest();
  fake.start_fails_at = 1;
  assert_refused(fake, "fake failed: unplugged");
  fake = honest();
  fake.poll_fails_at = 0;
  assert_refused(fake, "fake failed: unplugged");
  fake = honest();
  fake.garbage_at = 1;
  assert_refused(fake, "fake failed: it returned bytes that are no verdicts");
}

Test(device, one_without_room_for_the_pool_is_refused)
{
  struct fake fake = honest();
  fake.attach_fails_at = 3;
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(new_on(&verifier, &fake, &diag), ASZ_EDEVICE);
  cr_assert_null(verifier);
  cr_assert_str_eq(diag.text, "unplugged");
  cr_assert_eq(fake.freed, 1);
  cr_assert_eq(fake.started, 0);
}

Test(device, a_bad_configuration_frees_it)
{
  struct fake fake = honest();
  struct asz_verify_config config = {.batch_capacity = 0, .batch_count = 4};
  struct asz_device device = {.ops = &fake_ops, .state = &fake, .kinds = FAKE_KINDS, .name = "fake"};
  struct asz_verifier *verifier = NULL;
  cr_assert_eq(asz_verify_new_on(&verifier, &config, &device, NULL), ASZ_ERANGE);
  cr_assert_eq(fake.freed, 1);
}

/* Three batches in flight, two of sig and one of seq, when the device breaks in some way; then one more. Every verdict must be
 * the reference's, the batches counted that the device had taken, and the device left alone. */
/* A device that fails is left for the CPU. */
static void assert_survives(struct fake fake, uint64_t fallbacks) {
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(new_on(&verifier, &fake, &diag), 0, "%s", diag.text);
  cr_assert_str_eq(asz_verify_backend_name(verifier), "fake");

  struct asz_sig_cases cases = asz_sig_cases_new(21);
  asz_sig_cases_add_mixed_order(&cases, 3 * CAPACITY);
  uint8_t expected[CAPACITY];
  struct asz_batch *batch[4];
  batch[0] = asz_batches_fill_sig(verifier, cases.item, 0, cases.count);
  batch[1] = asz_batches_fill_seq(verifier, expected, CAPACITY, &cases.random);
  batch[2] = asz_batches_fill_sig(verifier, cases.item, CAPACITY, cases.count);
  batch[3] = asz_batches_fill_sig(verifier, cases.item, (size_t)2 * CAPACITY, cases.count);
  for (int i = 0; i < 3; i++)
    asz_verify_submit(verifier, batch[i]);
  for (int i = 0; i < 4; i++) {
    if (i == 3)
      asz_verify_submit(verifier, batch[3]);
    cr_assert_eq(asz_batches_wait(verifier, 5), batch[i], "batch %d", i);
    for (uint32_t k = 0; k < CAPACITY; k++) {
      const struct asz_sig_case *item = &cases.item[i == 1 ? 0 : batch[i]->tag[k]];
      enum asz_verdict right = i == 1 ? (enum asz_verdict)expected[k]
                                      : asz_verify_sig_one(item->public_key, item->signature, item->message, item->message_bytes);
      cr_assert_eq(batch[i]->verdict[k], right, "batch %d, item %u, seed %lu", i, k, cases.random.seed);
    }
  }
  cr_assert_eq(asz_verify_fallbacks(verifier), fallbacks);
  cr_assert_eq(strncmp(asz_verify_backend_name(verifier), fallbacks > 0 ? "cpu: " : "fake", 4), 0);
  asz_verify_free(verifier);
  cr_assert_eq(fake.calls_after_failure, 0);
  cr_assert_eq(fake.freed, 1);
  asz_sig_cases_free(&cases);
}

Test(device, when_starting_fails_the_cpu_takes_over_what_was_in_flight)
{
  struct fake fake = honest();
  fake.start_fails_at = SELF_TEST_BATCHES;
  assert_survives(fake, 1);
  fake.start_fails_at = SELF_TEST_BATCHES + 2;
  assert_survives(fake, 3);
}

Test(device, when_judging_fails_the_cpu_takes_over_what_was_in_flight)
{
  struct fake fake = honest();
  fake.poll_fails_at = SELF_TEST_BATCHES;
  assert_survives(fake, 3);
  fake.poll_fails_at = SELF_TEST_BATCHES + 1;
  fake.polls_before_done = 3;
  assert_survives(fake, 2);
}

Test(device, bytes_that_are_no_verdicts_count_as_a_failure)
{
  struct fake fake = honest();
  fake.garbage_at = SELF_TEST_BATCHES + 2;
  assert_survives(fake, 1);
}

Test(device, a_failure_after_the_last_batch_in_flight_counts_that_one)
{
  struct fake fake = honest();
  fake.poll_fails_at = SELF_TEST_BATCHES + 3;
  assert_survives(fake, 1);
}

Test(device, an_honest_one_serves_to_the_end)
{
  struct fake fake = honest();
  assert_survives(fake, 0);
  fake.polls_before_done = 50;
  assert_survives(fake, 0);
}
