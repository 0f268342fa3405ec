/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that fail and devices that lie, in the place of a real one. The fake judges with the host's build of the kernels'
 * arithmetic, so that an honest one differs from CUDA only in where it runs. */
#include <criterion/criterion.h>
#include <stdbool.h>

#include "gpu/device.h"
#include "gpu/kind.h"
#include "gpu/kinds/mem.h"
#include "gpu/kinds/seq.h"
#include "gpu/kinds/sig.h"
#include "tests/gpu/batches.h"

enum {
  NEVER = 1000000,
  FAKE_KINDS = 1 << ASZ_KIND_SIG | 1 << ASZ_KIND_SEQ,
  FAKE_OPENED_KINDS = FAKE_KINDS | 1 << ASZ_KIND_GEMM | 1 << ASZ_KIND_MEM,
};

struct fake {
  /* What it does wrong, and from which call on (counted from 0, known answers included). */
  unsigned attach_fails_at, start_fails_at, poll_fails_at, garbage_at, key_set_fails_at, slot_set_fails_at;
  unsigned polls_before_done; /* a slow device */
  bool cannot_pin, passes_everything, follows_cofactor_rule, ignores_last_lane;
  /* What happened. */
  unsigned attached, started, polled, freed, calls_after_failure, waited, keys_set, slots_set;
  uint8_t last_key[32];
  const struct asz_gemm_slot *slot[ASZ_VERIFY_SLOTS];
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
  return fake->attached++ >= fake->attach_fails_at ? fake_fail(fake, diag) : fake->cannot_pin;
}

static int fake_key_set(void *state, uint32_t key, const uint8_t public_key[32], struct asz_diag *diag) {
  struct fake *fake = state;
  (void)key;
  fake->calls_after_failure += fake->failed;
  memcpy(fake->last_key, public_key, 32);
  return fake->keys_set++ >= fake->key_set_fails_at ? fake_fail(fake, diag) : 0;
}

static int fake_slot_set(void *state, unsigned slot, const struct asz_gemm_slot *values, struct asz_diag *diag) {
  struct fake *fake = state;
  fake->calls_after_failure += fake->failed;
  cr_assert_lt(slot, ASZ_VERIFY_SLOTS);
  fake->slot[slot] = values;
  return fake->slots_set++ >= fake->slot_set_fails_at ? fake_fail(fake, diag) : 0;
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

static uint8_t fake_judge_opening(const struct fake *fake, const struct asz_batch *batch, uint32_t i) {
  const struct asz_gemm_slot *slot = fake->slot[batch->slot];
  const uint8_t *opening = batch->opening + i * batch->opening_bytes;
  uint32_t t = batch->pick[i][0], j = batch->pick[i][1];
  batch->reason[i] =
      (uint8_t)(batch->kind == ASZ_KIND_MEM
                    ? asz_mem_reason_of(&slot->shape, slot->s, slot->u, batch->seed[i], batch->root[i], batch->fold_seed[i],
                                        batch->z_root[i], t, j, opening)
                    : asz_gemm_reason_of(&slot->shape, slot->s, slot->u, batch->seed[i], batch->root[i], t, j, opening));
  return (uint8_t)asz_gemm_verdict_of((enum asz_gemm_reason)batch->reason[i]);
}

static uint8_t fake_judge(const struct fake *fake, const struct asz_batch *batch, uint32_t i) {
  if (fake->passes_everything)
    return ASZ_VERDICT_PASS;
  if (batch->kind == ASZ_KIND_GEMM || batch->kind == ASZ_KIND_MEM)
    return fake_judge_opening(fake, batch, i);
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

static const struct asz_device_ops fake_ops = {fake_attach, fake_key_set, fake_slot_set, fake_start, fake_poll, fake_free};

static struct fake honest(void) {
  return (struct fake){.attach_fails_at = NEVER,
                       .start_fails_at = NEVER,
                       .poll_fails_at = NEVER,
                       .garbage_at = NEVER,
                       .key_set_fails_at = NEVER,
                       .slot_set_fails_at = NEVER};
}

enum { CAPACITY = 64, SELF_TEST_BATCHES = 2 };

static int new_on(struct asz_verifier **ret_verifier, struct fake *fake, struct asz_diag *diag) {
  struct asz_verify_config config = {.batch_capacity = CAPACITY, .batch_count = 4};
  struct asz_device device = {.ops = &fake_ops, .state = fake, .kinds = FAKE_KINDS, .name = "fake"};
  return asz_verify_new_on(ret_verifier, &config, &device, diag);
}

/* With keys and openings; a pool of two batches a kind. */
enum { KEYS = ASZ_SIG_KNOWN_COUNT + 1, OPENED_SELF_TEST_BATCHES = 4 };

static int new_opened_on(struct asz_verifier **ret_verifier, struct fake *fake, uint32_t sig_items_min, struct asz_diag *diag) {
  struct asz_verify_config config = {.batch_capacity = CAPACITY,
                                     .batch_count = 2,
                                     .key_capacity = KEYS,
                                     .key_table_bytes = ASZ_SIG_TABLE_SMALL,
                                     .preset_max = ASZ_GEMM_PRESET_TINY,
                                     .openings = CAPACITY};
  struct asz_device device = {
      .ops = &fake_ops, .state = fake, .kinds = FAKE_OPENED_KINDS, .items_min = {[ASZ_KIND_SIG] = sig_items_min}, .name = "fake"};
  return asz_verify_new_on(ret_verifier, &config, &device, diag);
}

static void assert_refused_by(int (*make)(struct asz_verifier **, struct fake *, struct asz_diag *), struct fake fake,
                              const char *reason) {
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(make(&verifier, &fake, &diag), ASZ_ENOTSUP, "%s", reason);
  cr_assert_null(verifier);
  cr_assert_not_null(strstr(diag.text, reason), "'%s' does not say '%s'", diag.text, reason);
  cr_assert_eq(fake.freed, 1);
  cr_assert_eq(fake.calls_after_failure, 0);
}

static void assert_refused(struct fake fake, const char *reason) {
  assert_refused_by(new_on, fake, reason);
}

static int new_opened(struct asz_verifier **ret_verifier, struct fake *fake, struct asz_diag *diag) {
  return new_opened_on(ret_verifier, fake, 0, diag);
}

/* A batch of gemm or mem openings of all sorts, with the verdicts that they must get. */
static struct asz_batch *fill_openings(struct asz_verifier *verifier, const struct asz_verify_kind *kind, uint8_t *ret_expected) {
  struct asz_batch *batch = asz_verify_batch(verifier, kind->kind);
  cr_assert_not_null(batch);
  for (batch->count = 0; batch->count < CAPACITY; batch->count++)
    ret_expected[batch->count] = (uint8_t)kind->known_fill(batch, batch->count, batch->count % kind->known_count);
  memset(batch->reason, 0xff, CAPACITY);
  return batch;
}

static void assert_openings(const struct asz_batch *batch, const uint8_t *expected) {
  cr_assert_arr_eq(batch->verdict, expected, CAPACITY);
  for (uint32_t i = 0; i < CAPACITY; i++)
    cr_assert_eq(asz_gemm_verdict_of((enum asz_gemm_reason)batch->reason[i]), expected[i], "reason of item %u", i);
}

/* gemm and mem in flight when the device fails, or not; then one of each again. */
static void assert_openings_survive(struct fake fake, uint64_t fallbacks) {
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(new_opened_on(&verifier, &fake, 0, &diag), 0, "%s", diag.text);
  for (int round = 0; round < 2; round++) {
    uint8_t expected[2][CAPACITY];
    struct asz_batch *batch[2] = {fill_openings(verifier, &asz_verify_kind_gemm, expected[0]),
                                  fill_openings(verifier, &asz_verify_kind_mem, expected[1])};
    for (int i = 0; i < 2; i++)
      asz_verify_submit(verifier, batch[i]);
    for (int i = 0; i < 2; i++) {
      cr_assert_eq(asz_batches_wait(verifier, 7), batch[i]);
      assert_openings(batch[i], expected[i]);
      asz_verify_release(verifier, batch[i]);
    }
  }
  cr_assert_eq(asz_verify_fallbacks(verifier), fallbacks);
  asz_verify_free(verifier);
  cr_assert_eq(fake.calls_after_failure, 0);
  cr_assert_eq(fake.freed, 1);
}

Test(device, one_that_fails_to_take_keys_or_slots_of_the_known_answers_is_refused)
{
  struct fake fake = honest();
  fake.key_set_fails_at = 2;
  assert_refused_by(new_opened, fake, "fake failed: unplugged");
  fake = honest();
  fake.slot_set_fails_at = 0;
  assert_refused_by(new_opened, fake, "fake failed: unplugged");
}

Test(device, when_a_key_cannot_be_set_the_cpu_judges_from_there_on)
{
  struct fake fake = honest();
  fake.key_set_fails_at = ASZ_SIG_KNOWN_COUNT;
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(new_opened(&verifier, &fake, &diag), 0, "%s", diag.text);
  struct asz_sig_cases cases = asz_sig_cases_new(22);
  asz_sig_cases_add_valid(&cases, CAPACITY);
  cr_assert_eq(asz_verify_key_set(verifier, KEYS - 1, cases.item[0].public_key), 0, "the CPU has it");
  cr_assert_arr_eq(fake.last_key, cases.item[0].public_key, 32);
  cr_assert_eq(strncmp(asz_verify_backend_name(verifier), "cpu: ", 5), 0);
  struct asz_batch *batch = asz_batches_fill_sig(verifier, cases.item, 0, cases.count);
  memset(batch->key, 0xff, CAPACITY * sizeof *batch->key);
  batch->key[0] = KEYS - 1;
  asz_verify_submit(verifier, batch);
  cr_assert_eq(asz_batches_wait(verifier, 0), batch);
  for (uint32_t i = 0; i < CAPACITY; i++)
    cr_assert_eq(batch->verdict[i], ASZ_VERDICT_PASS);
  cr_assert_eq(asz_verify_fallbacks(verifier), 0, "nothing was in flight");
  asz_verify_free(verifier);
  cr_assert_eq(fake.calls_after_failure, 0);
  asz_sig_cases_free(&cases);
}

Test(device, when_a_slot_cannot_be_set_the_cpu_judges_from_there_on)
{
  struct fake fake = honest();
  fake.slot_set_fails_at = 1;
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  uint8_t preset, beacon[32], rho[32], expected[CAPACITY];
  cr_assert_eq(new_opened(&verifier, &fake, &diag), 0, "%s", diag.text);
  asz_verify_known_slot(&preset, beacon, rho);
  cr_assert_eq(asz_verify_slot_set(verifier, 1, preset, beacon, rho), 0, "the CPU has it");
  struct asz_batch *batch = fill_openings(verifier, &asz_verify_kind_gemm, expected);
  batch->slot = 1;
  asz_verify_submit(verifier, batch);
  cr_assert_eq(asz_batches_wait(verifier, 0), batch);
  assert_openings(batch, expected);
  asz_verify_free(verifier);
  cr_assert_eq(fake.calls_after_failure, 0);
}

Test(device, openings_in_flight_are_taken_over_with_their_reasons)
{
  struct fake fake = honest();
  assert_openings_survive(fake, 0);
  fake.start_fails_at = OPENED_SELF_TEST_BATCHES + 1;
  assert_openings_survive(fake, 2);
  fake = honest();
  fake.poll_fails_at = OPENED_SELF_TEST_BATCHES + 1;
  assert_openings_survive(fake, 1);
  fake = honest();
  fake.garbage_at = OPENED_SELF_TEST_BATCHES;
  fake.polls_before_done = 2;
  assert_openings_survive(fake, 2);
}

Test(device, it_is_told_keys_and_slots_as_the_verifier_is)
{
  struct fake fake = honest();
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  uint8_t preset, beacon[32], rho[32], key[32] = {7};
  cr_assert_eq(new_opened(&verifier, &fake, &diag), 0, "%s", diag.text);
  cr_assert_eq(fake.keys_set, ASZ_SIG_KNOWN_COUNT);
  cr_assert_eq(fake.slots_set, 1);
  asz_verify_known_slot(&preset, beacon, rho);
  rho[0] ^= 1;
  cr_assert_eq(asz_verify_slot_set(verifier, ASZ_VERIFY_SLOTS - 1, preset, beacon, rho), 0);
  cr_assert_not_null(fake.slot[ASZ_VERIFY_SLOTS - 1]);
  cr_assert_neq(fake.slot[ASZ_VERIFY_SLOTS - 1]->s[0], fake.slot[0]->s[0]);
  cr_assert_eq(asz_verify_key_set(verifier, KEYS, key), ASZ_ERANGE);
  cr_assert_eq(fake.keys_set, ASZ_SIG_KNOWN_COUNT, "a key without a place is nobody's");
  asz_verify_free(verifier);
}

Test(device, openings_of_a_slot_that_was_never_set_are_unjudged_and_it_serves_on)
{
  struct fake fake = honest();
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  uint8_t expected[CAPACITY];
  cr_assert_eq(new_opened(&verifier, &fake, &diag), 0, "%s", diag.text);
  static const uint32_t slots[] = {1, ASZ_VERIFY_SLOTS, UINT32_MAX};
  for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
    struct asz_batch *batch = fill_openings(verifier, &asz_verify_kind_gemm, expected);
    batch->slot = slots[i];
    asz_verify_submit(verifier, batch);
    cr_assert_eq(asz_batches_wait(verifier, 0), batch);
    for (uint32_t k = 0; k < CAPACITY; k++)
      cr_assert_eq(batch->verdict[k], ASZ_VERDICT_UNJUDGED);
    asz_verify_release(verifier, batch);
  }
  cr_assert_str_eq(asz_verify_backend_name(verifier), "fake");
  asz_verify_free(verifier);
}

Test(device, batches_of_few_signatures_go_to_the_cpu)
{
  enum { MIN = 10 };
  struct fake fake = honest();
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(new_opened_on(&verifier, &fake, MIN, &diag), 0, "%s", diag.text);
  unsigned started = fake.started;
  cr_assert_eq(started, OPENED_SELF_TEST_BATCHES, "known answers go to the device however few they are");
  struct asz_sig_cases cases = asz_sig_cases_new(23);
  asz_sig_cases_add_valid(&cases, MIN);
  for (unsigned count = MIN - 1; count <= MIN; count++) {
    struct asz_batch *batch = asz_batches_fill_sig(verifier, cases.item, 0, count);
    asz_verify_submit(verifier, batch);
    cr_assert_eq(asz_batches_wait(verifier, 0), batch);
    for (uint32_t i = 0; i < count; i++)
      cr_assert_eq(batch->verdict[i], ASZ_VERDICT_PASS);
    asz_verify_release(verifier, batch);
    cr_assert_eq(fake.started, started + (count == MIN));
  }
  uint8_t expected;
  struct asz_batch *chain = asz_batches_fill_seq(verifier, &expected, 1, &cases.random);
  asz_verify_submit(verifier, chain);
  cr_assert_eq(asz_batches_wait(verifier, 0), chain);
  cr_assert_eq(fake.started, started + 2, "a chain is work enough");
  cr_assert_eq(asz_verify_fallbacks(verifier), 0);
  asz_verify_free(verifier);
  asz_sig_cases_free(&cases);
}

Test(device, while_it_has_the_oldest_the_cpu_judges_what_is_behind)
{
  enum { MIN = 10, POLLS = 20 };
  struct fake fake = honest();
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(new_opened_on(&verifier, &fake, MIN, &diag), 0, "%s", diag.text);
  struct asz_sig_cases cases = asz_sig_cases_new(24);
  asz_sig_cases_add_valid(&cases, MIN);
  struct asz_batch *large = asz_batches_fill_sig(verifier, cases.item, 0, MIN);
  struct asz_batch *small = asz_batches_fill_sig(verifier, cases.item, 0, MIN - 1);
  fake.polls_before_done = POLLS;
  asz_verify_submit(verifier, large);
  asz_verify_submit(verifier, small);
  for (unsigned i = 0; i < POLLS; i++)
    cr_assert_null(asz_verify_poll(verifier, 1));
  cr_assert_eq(small->verdict[MIN - 2], ASZ_VERDICT_PASS, "judged, and waits for its turn");
  cr_assert_eq(asz_verify_poll(verifier, 1), large);
  cr_assert_eq(asz_verify_poll(verifier, 1), small);
  asz_verify_free(verifier);
  asz_sig_cases_free(&cases);
}

Test(device, one_that_cannot_pin_serves_and_is_counted)
{
  struct fake fake = honest();
  fake.cannot_pin = true;
  struct asz_verifier *verifier = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(new_on(&verifier, &fake, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_verify_unpinned(verifier), fake.attached);
  cr_assert_str_eq(asz_verify_backend_name(verifier), "fake");
  asz_verify_free(verifier);
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
