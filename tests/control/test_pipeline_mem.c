/* SPDX-License-Identifier: Apache-2.0 */
/* mem through the pipeline: arenas of the tiny preset that are built, kept, lost and folded, honestly or not, slot after slot. A
 * tick of the engine's clock is a millisecond here. */
#include "dataplane/base/head.h"
#include "gpu/prove/cheat.h"
#include "tests/control/pipeline_bed.h"

enum {
  OPENINGS = 8,
  DEADLINE_MS = 100,
  BUILD_DEADLINE_MS = 200,
  FOLD_DEADLINE_MS = 900,
  OPENING_DEADLINE_MS = 200,
  TARGET_MS = 20,
  BLOB_MAX = 64 << 10,
  PRESET = ASZ_GEMM_PRESET_TINY,
  CLAIMED = 163840, /* bytes a second: the arena of 16 KiB in 100 ms */
  DUE_MS = 162,     /* what a fold may take: 100 / 0.7 + TARGET_MS */
  COLUMNS = 128,
};

/* How the providers of this test behave. */
static struct {
  bool refuses, no_memory, no_claim, slow_claim, never_builds, never_opens, wrong_z, forges_signature, other_root, dirty_build;
  unsigned fold_ms;     /* what a fold takes */
  unsigned missing;     /* columns of the arena that are gone */
  unsigned lose_answer; /* the first so many answers are lost on the way */
} manner;

/* What a provider keeps. */
static struct {
  struct asz_cheat *arena;
  struct asz_challenge fold; /* the last one asked */
  uint8_t root[32], z_root[32];
  uint64_t due_ns; /* of an answer that is being made; 0: none */
  struct asz_engine_datagram answer;
} own[PROVIDERS];

static void begin_as(uint8_t gemm_preset, uint64_t duty_ns) {
  const struct asz_pipeline_config config = {
      .rate_ps = 1000000,
      .deadline_ns = DEADLINE_MS * (uint64_t)MS,
      .tries = 3,
      .seq_log2_steps = LOG2_STEPS,
      .gemm_preset = gemm_preset,
      .gemm_deadline_ns = DEADLINE_MS * (uint64_t)MS,
      .mem_preset = PRESET,
      .build_deadline_ns = BUILD_DEADLINE_MS * (uint64_t)MS,
      .fold_deadline_ns = FOLD_DEADLINE_MS * (uint64_t)MS,
      .targets.default_ns = TARGET_MS * (uint64_t)MS,
      .openings = OPENINGS,
      .opening_deadline_ns = OPENING_DEADLINE_MS * (uint64_t)MS,
      .duty_ns = duty_ns,
  };
  bed_begin(&config);
  fake.clock.ns_per_tick_q32 = (uint64_t)MS << 32;
  manner.fold_ms = 100;
}

static void begin_with(uint8_t gemm_preset) {
  begin_as(gemm_preset, UINT64_MAX / 2);
}

static void begin(void) {
  begin_with(0);
}

/* In place of the suite's own pipeline. */
static void begin_bound(unsigned duty_ms) {
  bed_end();
  begin_as(0, duty_ms * (uint64_t)MS);
}

static void begin_with_gemm(void) {
  begin_with(PRESET);
}

static void end(void) {
  for (unsigned i = 0; i < PROVIDERS; i++)
    asz_cheat_free(own[i].arena);
  bed_end();
}

TestSuite(pipeline_mem, .init = begin, .fini = end);
TestSuite(pipeline_mem_and_gemm, .init = begin_with_gemm, .fini = end);

static void welcome(const struct asz_engine_datagram *asked) {
  struct asz_declaration declaration = {
      .consent = 1u << ASZ_KIND_SIG | 1u << ASZ_KIND_GEMM, .devices = PROVIDERS, .gemm_preset_max = PRESET};
  if (!manner.refuses) {
    declaration.consent |= 1u << ASZ_KIND_MEM;
    declaration.mem_preset = PRESET;
    declaration.free_bytes = manner.no_memory ? asz_mem_arena_bytes(PRESET) - 1 : asz_mem_arena_bytes(PRESET);
    declaration.bandwidth_bytes_ps = manner.no_claim ? 0 : manner.slow_claim ? 1 : CLAIMED;
  }
  bed_welcome(asked, &declaration);
}

static void seed_of(uint8_t ret_seed[32], const struct asz_challenge *challenge, uint32_t provider) {
  asz_challenge_seed(ret_seed, challenge, validator.public_key, identity[provider].public_key);
}

static void answer_later(uint32_t provider, const struct asz_challenge *challenge, const uint8_t body[64], unsigned ms) {
  uint8_t seed[32];
  seed_of(seed, challenge, provider);
  own[provider].answer = (struct asz_engine_datagram){.target = provider};
  own[provider].answer.size_bytes =
      (uint16_t)asz_prove_seal(own[provider].answer.payload, challenge, &identity[provider], seed, body, 64,
                               session[provider].reply_key, manner.forges_signature ? ASZ_PROVE_BAD_SIGNATURE : ASZ_PROVE_HONEST);
  own[provider].due_ns = now_ns - MS + ms * (uint64_t)MS; /* it left a millisecond ago */
}

static void build(uint32_t provider, const struct asz_challenge *challenge) {
  uint8_t seed[32], body[64] = {0};
  seed_of(seed, challenge, provider);
  if (!own[provider].arena)
    cr_assert_eq(asz_cheat_new(&own[provider].arena, PRESET, asz_gemm_backend_at(0)), 0);
  asz_cheat_run(own[provider].arena, manner.missing ? ASZ_GEMM_CHEAT_MISSING_ARENA : ASZ_GEMM_CHEAT_NONE, manner.missing, 1,
                bed_beacon, seed, body);
  memcpy(own[provider].root, body, 32);
  body[40] = manner.dirty_build;
  answer_later(provider, challenge, body, 0);
}

static void fold(uint32_t provider, const struct asz_challenge *challenge) {
  uint8_t seed[32], body[64];
  seed_of(seed, challenge, provider);
  memcpy(body, own[provider].root, 32);
  asz_cheat_fold(own[provider].arena, seed, body + 32);
  body[0] ^= manner.other_root;
  body[33] ^= manner.wrong_z;
  own[provider].fold = *challenge;
  memcpy(own[provider].z_root, body + 32, 32);
  answer_later(provider, challenge, body, manner.fold_ms);
}

/* A question about mem; while an answer is under way the same one is not begun again. */
static void answer_mem(const struct asz_engine_datagram *asked) {
  struct asz_challenge challenge;
  cr_assert_eq(asz_challenge_read(&challenge, asked->payload, asked->size_bytes), 0);
  bool folds = challenge.param & ASZ_MEM_FOLD;
  if (own[asked->target].due_ns != 0 || (folds ? !own[asked->target].arena : manner.never_builds))
    return;
  if (folds)
    fold(asked->target, &challenge);
  else
    build(asked->target, &challenge);
}

static void open_mem(const struct asz_engine_datagram *asked) {
  static uint8_t blob[BLOB_MAX];
  struct asz_open open;
  cr_assert_eq(asz_open_read(&open, asked->payload, asked->size_bytes), 0);
  if (open.kind != ASZ_KIND_MEM)
    return;
  bool folds = open.param & ASZ_MEM_FOLD;
  const struct asz_identity *who = &identity[asked->target];
  struct asz_challenge challenge = {
      .kind = open.kind, .param = open.param, .epoch = open.epoch, .slot = open.slot, .device = open.device};
  uint8_t seed[32], body[64] = {0}, signed_bytes[ASZ_SIGNED_BYTES];
  uint32_t pick[ASZ_OPENINGS_MAX][2];
  memcpy(challenge.beacon, bed_beacon, 32);
  memcpy(challenge.nonce, open.nonce, sizeof challenge.nonce);
  seed_of(seed, &challenge, asked->target);
  memcpy(body, own[asked->target].root, 32);
  if (folds)
    memcpy(body + 32, own[asked->target].z_root, 32);
  asz_verify_picks(pick, open.openings, PRESET, open.rho, open.kind, who->public_key, open.device, body + (folds ? 32 : 0));
  size_t one = asz_opening_bytes(open.kind, open.param), all = open.openings * one;
  for (unsigned i = 0; i < open.openings; i++)
    asz_cheat_open(own[asked->target].arena, (struct asz_gemm_pick){pick[i][0], pick[i][1]}, folds, blob + i * one);
  asz_opening_signed_bytes(signed_bytes, &open, seed, body, sizeof body, blob, all);
  crypto_sign_detached(blob + all, NULL, signed_bytes, sizeof signed_bytes, who->secret_key);
  bed_send_chunks(asked->target, &open, blob);
}

static void answer_single(const struct asz_engine_datagram *asked) {
  struct asz_challenge challenge;
  cr_assert_eq(asz_challenge_read(&challenge, asked->payload, asked->size_bytes), 0);
  struct asz_engine_datagram answer = {.target = asked->target, .tsc = now_ns / MS};
  answer.size_bytes = (uint16_t)asz_prove_answer(answer.payload, &challenge, &identity[asked->target], validator.public_key,
                                                 session[asked->target].reply_key, ASZ_PROVE_HONEST);
  deliver(&answer);
}

/* What was asked of mem, and when: of the last round. */
static unsigned builds_asked, folds_asked, opens_asked;
static uint64_t asked_ns[2], gemm_ns, seq_ns; /* the first build and fold; the last gemm; the first seq */

static void challenged(const struct asz_engine_datagram *asked) {
  uint8_t kind = asked->payload[6];
  bool folds = asked->payload[7] & ASZ_MEM_FOLD;
  if (kind == ASZ_KIND_GEMM)
    gemm_ns = now_ns;
  if (kind == ASZ_KIND_SEQ && seq_ns == 0)
    seq_ns = now_ns;
  if (kind <= ASZ_KIND_SINGLE_MAX)
    answer_single(asked);
  if (kind != ASZ_KIND_MEM)
    return;
  if (asked_ns[folds] == 0)
    asked_ns[folds] = now_ns;
  builds_asked += !folds;
  folds_asked += folds;
  answer_mem(asked);
}

/* One look of all providers at what came, and at what they have done. */
static void serve(void) {
  unsigned count = fake.out_count;
  for (unsigned i = 0; i < count; i++) {
    const struct asz_engine_datagram *asked = &fake.out[i].datagram;
    switch (asz_head_type(asked->payload, asked->size_bytes)) {
    case ASZ_MESSAGE_HELLO:
      welcome(asked);
      break;
    case ASZ_MESSAGE_OPEN:
      opens_asked++;
      if (!manner.never_opens)
        open_mem(asked);
      break;
    default:
      challenged(asked);
    }
  }
  fake.out_count = 0;
  for (unsigned i = 0; i < PROVIDERS; i++) {
    if (own[i].due_ns == 0 || now_ns < own[i].due_ns)
      continue;
    own[i].due_ns = 0;
    own[i].answer.tsc = now_ns / MS;
    if (manner.lose_answer > 0)
      manner.lose_answer--;
    else
      deliver(&own[i].answer);
  }
}

static void whole_round(void) {
  for (unsigned ms = 0; !asz_pipeline_idle(pipeline) && ms < 4000; ms++) {
    run_for(1);
    serve();
  }
  cr_assert(asz_pipeline_idle(pipeline));
}

static void begin_round(uint32_t epoch, uint64_t slot) {
  bed_epoch = epoch;
  bed_slot = slot;
  memset(&got, 0, sizeof got);
  builds_asked = folds_asked = opens_asked = 0;
  asked_ns[0] = asked_ns[1] = gemm_ns = seq_ns = 0;
  for (unsigned i = 0; i < PROVIDERS; i++)
    own[i].due_ns = 0;
  session = asz_roster_epoch(roster, epoch);
  asz_pipeline_begin(pipeline, epoch, slot, bed_secret, bed_beacon, session, now_ns, now_ns);
}

static void next_round(void) {
  begin_round(bed_epoch, bed_slot + 1);
  whole_round();
}

static void next_epoch(void) {
  begin_round(bed_epoch + 1, bed_slot + 1);
  whole_round();
}

static void expect(unsigned outcomes, enum asz_verdict verdict) {
  for (unsigned i = 0; i < PROVIDERS; i++) {
    cr_assert_eq(got.count[i][ASZ_KIND_MEM], outcomes, "provider %u has %u outcomes", i, got.count[i][ASZ_KIND_MEM]);
    cr_assert(outcomes == 0 || got.verdict[i][ASZ_KIND_MEM] == verdict, "provider %u: %s", i,
              asz_verdict_name(got.verdict[i][ASZ_KIND_MEM]));
  }
}

/* Of the last round: a fold brings the answer of the build that it is of. */
static void expect_build_of(uint64_t slot) {
  for (unsigned i = 0; i < PROVIDERS; i++) {
    struct asz_answer answer;
    cr_assert_eq(asz_answer_read(&answer, got.build[i], asz_answer_bytes(ASZ_KIND_MEM)), 0);
    cr_assert(answer.slot == slot && answer.epoch == bed_epoch && answer.param == PRESET);
    cr_assert_eq(memcmp(answer.body, own[i].root, 32), 0);
  }
}

static void expect_pace(enum asz_fold_pace pace) {
  for (unsigned i = 0; i < PROVIDERS; i++)
    cr_assert_eq(got.pace[i][ASZ_KIND_MEM], pace, "provider %u took %lu ms: %s", i, got.took_ns[i][ASZ_KIND_MEM] / MS,
                 asz_fold_pace_name((enum asz_fold_pace)got.pace[i][ASZ_KIND_MEM]));
}

Test(pipeline_mem, an_arena_is_built_once_an_epoch_and_folded_in_every_later_slot)
{
  whole_round();
  expect(1, ASZ_VERDICT_PASS);
  cr_assert(builds_asked == PROVIDERS && folds_asked == 0);
  cr_assert_eq(got.opening_bytes[0][ASZ_KIND_MEM], asz_opening_total_bytes(ASZ_KIND_MEM, PRESET, OPENINGS));
  expect_pace(ASZ_FOLD_PACE_NONE);
  for (unsigned slot = 1; slot <= 2; slot++) {
    next_round();
    expect(1, ASZ_VERDICT_PASS);
    cr_assert(builds_asked == 0 && folds_asked == PROVIDERS);
    cr_assert_eq(got.opening_bytes[0][ASZ_KIND_MEM], asz_opening_total_bytes(ASZ_KIND_MEM, PRESET | ASZ_MEM_FOLD, OPENINGS));
    expect_pace(ASZ_FOLD_PACE_IN_BOUNDS);
    expect_build_of(SLOT);
  }
  next_epoch();
  cr_assert(builds_asked == PROVIDERS && folds_asked == 0, "the next epoch");
  expect(1, ASZ_VERDICT_PASS);
}

Test(pipeline_mem, a_build_that_was_missed_or_not_opened_or_malformed_is_asked_for_again)
{
  manner.never_builds = true;
  whole_round();
  expect(1, ASZ_VERDICT_NONE);
  manner.never_builds = false;
  manner.never_opens = true;
  next_round();
  cr_assert(builds_asked == PROVIDERS && folds_asked == 0);
  expect(1, ASZ_VERDICT_NONE);
  manner.never_opens = false;
  manner.dirty_build = true;
  next_round();
  cr_assert(builds_asked == PROVIDERS && opens_asked == 0, "under a valid signature more than a root");
  expect(1, ASZ_VERDICT_MALFORMED);
  manner.dirty_build = false;
  next_round();
  cr_assert_eq(builds_asked, PROVIDERS);
  expect(1, ASZ_VERDICT_PASS);
  next_round();
  cr_assert_eq(folds_asked, PROVIDERS);
  expect(1, ASZ_VERDICT_PASS);
}

Test(pipeline_mem, a_build_whose_answer_was_lost_is_answered_again)
{
  manner.lose_answer = PROVIDERS;
  whole_round();
  expect(1, ASZ_VERDICT_PASS);
  cr_assert_eq(builds_asked, 2 * PROVIDERS);
}

Test(pipeline_mem, a_build_that_we_could_not_judge_is_folded_all_the_same)
{
  manner.never_opens = true;
  while (opens_asked == 0) {
    run_for(1);
    serve();
  }
  asz_pipeline_abort(pipeline);
  expect(1, ASZ_VERDICT_UNJUDGED);
  manner.never_opens = false;
  next_round();
  cr_assert(builds_asked == 0 && folds_asked == PROVIDERS);
  expect(1, ASZ_VERDICT_PASS);
}

Test(pipeline_mem, a_forgotten_arena_is_missing_for_the_rest_of_the_epoch)
{
  whole_round();
  for (unsigned i = 0; i < PROVIDERS; i++) {
    asz_cheat_free(own[i].arena);
    own[i].arena = NULL;
  }
  next_round();
  expect(1, ASZ_VERDICT_NONE);
  next_round();
  expect(1, ASZ_VERDICT_NONE);
  cr_assert_eq(builds_asked, 0);
  next_epoch();
  expect(1, ASZ_VERDICT_PASS);
}

Test(pipeline_mem, a_fold_that_names_another_arena_under_its_signature_fails_unopened)
{
  whole_round();
  manner.other_root = true;
  next_round();
  expect(1, ASZ_VERDICT_FAIL);
  cr_assert_eq(opens_asked, 0);
  manner.forges_signature = true;
  next_round();
  expect(1, ASZ_VERDICT_MALFORMED);
}

/* Half of the columns: 8 openings miss it once in 256. */
Test(pipeline_mem, wrong_folds_and_folds_of_half_an_arena_fail)
{
  whole_round();
  manner.wrong_z = true;
  next_round();
  expect(1, ASZ_VERDICT_FAIL);
  manner.wrong_z = false;
  manner.missing = COLUMNS / 2;
  next_epoch();
  expect(1, ASZ_VERDICT_PASS);
  next_round();
  expect(1, ASZ_VERDICT_FAIL);
}

Test(pipeline_mem, folds_are_measured_against_the_claim)
{
  const struct {
    unsigned ms;
    enum asz_fold_pace pace;
    enum asz_pipeline_counter counter;
  } cases[] = {
      {49, ASZ_FOLD_PACE_TOO_FAST, ASZ_PCTR_FOLDS_TOO_FAST},
      {51, ASZ_FOLD_PACE_IN_BOUNDS, ASZ_PCTR_FOLDS_IN_BOUNDS},
      {161, ASZ_FOLD_PACE_IN_BOUNDS, ASZ_PCTR_FOLDS_IN_BOUNDS},
      {164, ASZ_FOLD_PACE_TOO_SLOW, ASZ_PCTR_FOLDS_TOO_SLOW},
      {FOLD_DEADLINE_MS - DUE_MS - 2, ASZ_FOLD_PACE_TOO_SLOW, ASZ_PCTR_FOLDS_TOO_SLOW},
      {FOLD_DEADLINE_MS - DUE_MS + 2, ASZ_FOLD_PACE_NONE, ASZ_PCTR_FOLDS_UNTIMED}, /* asked for again */
  };
  whole_round();
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    manner.fold_ms = cases[i].ms;
    uint64_t before = counter(cases[i].counter);
    next_round();
    expect(1, ASZ_VERDICT_PASS);
    cr_assert_eq(got.took_ns[0][ASZ_KIND_MEM] / MS, cases[i].ms);
    expect_pace(cases[i].pace);
    cr_assert_eq(counter(cases[i].counter), before + PROVIDERS);
  }
  manner.fold_ms = FOLD_DEADLINE_MS + 10;
  next_round();
  expect(1, ASZ_VERDICT_NONE);
  cr_assert_eq(counter(ASZ_PCTR_LATE), PROVIDERS);
  manner.fold_ms = 1;
  manner.no_claim = true;
  next_epoch();
  next_round();
  expect(1, ASZ_VERDICT_PASS);
  expect_pace(ASZ_FOLD_PACE_NONE);
}

Test(pipeline_mem, a_fold_that_is_lost_on_the_way_is_asked_for_again_in_time)
{
  whole_round();
  manner.fold_ms = DUE_MS;
  manner.lose_answer = PROVIDERS;
  next_round();
  cr_assert_eq(folds_asked, 2 * PROVIDERS);
  expect(1, ASZ_VERDICT_PASS);
  expect_pace(ASZ_FOLD_PACE_NONE);
}

Test(pipeline_mem, whoever_claims_next_to_nothing_is_asked_once_and_late_at_the_same_deadline)
{
  manner.slow_claim = true;
  whole_round();
  manner.fold_ms = FOLD_DEADLINE_MS - 10;
  uint64_t repeated = counter(ASZ_PCTR_REPEATED);
  next_round();
  expect(1, ASZ_VERDICT_PASS);
  expect_pace(ASZ_FOLD_PACE_TOO_FAST);
  manner.fold_ms = FOLD_DEADLINE_MS + 10;
  next_round();
  expect(1, ASZ_VERDICT_NONE);
  cr_assert_eq(counter(ASZ_PCTR_REPEATED), repeated);
}

Test(pipeline_mem, who_has_done_its_share_of_an_epoch_is_asked_no_more_until_the_next)
{
  begin_bound(250);
  whole_round(); /* a build at once, then folds of 100 ms */
  for (unsigned fold = 1; fold <= 2; fold++) {
    next_round();
    expect(1, ASZ_VERDICT_PASS);
    cr_assert_eq(folds_asked, PROVIDERS, "fold %u", fold);
  }
  next_round();
  expect(0, ASZ_VERDICT_NONE);
  cr_assert(folds_asked == 0 && counter(ASZ_PCTR_OVER_DUTY) == PROVIDERS && counter(ASZ_PCTR_NOT_ASKED) == 0);
  next_epoch();
  expect(1, ASZ_VERDICT_PASS);
  cr_assert(builds_asked == PROVIDERS && counter(ASZ_PCTR_OVER_DUTY) == PROVIDERS);
}

Test(pipeline_mem, silence_counts_as_the_last_answer_did)
{
  begin_bound(250);
  whole_round();
  next_round();
  manner.fold_ms = FOLD_DEADLINE_MS + 10; /* late */
  next_round();
  expect(1, ASZ_VERDICT_NONE);
  next_round();
  expect(0, ASZ_VERDICT_NONE);
  cr_assert_eq(counter(ASZ_PCTR_OVER_DUTY), PROVIDERS);
}

Test(pipeline_mem, what_we_dropped_or_slept_through_leaves_a_fold_without_a_pace)
{
  static const enum asz_counter ours[] = {ASZ_CTR_RX_PORT_MISSED, ASZ_CTR_RX_DOUBTFUL};
  whole_round();
  manner.fold_ms = 200;
  for (unsigned i = 0; i < sizeof ours / sizeof *ours; i++) {
    begin_round(bed_epoch, bed_slot + 1);
    while (folds_asked < PROVIDERS) {
      run_for(1);
      serve();
    }
    fake.counters.value[ours[i]]++;
    whole_round();
    expect(1, ASZ_VERDICT_PASS);
    expect_pace(ASZ_FOLD_PACE_NONE);
  }
}

Test(pipeline_mem, what_we_drop_when_the_answer_has_long_come_takes_no_pace)
{
  whole_round();
  begin_round(bed_epoch, bed_slot + 1);
  for (unsigned ms = 0; ms < 500; ms++) {
    run_for(1);
    serve();
  }
  fake.counters.value[ASZ_CTR_RX_DOUBTFUL]++;
  whole_round();
  expect(1, ASZ_VERDICT_PASS);
  expect_pace(ASZ_FOLD_PACE_IN_BOUNDS);
}

Test(pipeline_mem, who_does_not_consent_or_has_no_memory_left_is_not_asked_to_build)
{
  manner.refuses = true;
  whole_round();
  expect(0, ASZ_VERDICT_NONE);
  cr_assert_eq(counter(ASZ_PCTR_NOT_ASKED), PROVIDERS);
  manner.refuses = false;
  manner.no_memory = true;
  next_epoch();
  expect(0, ASZ_VERDICT_NONE);
  cr_assert_eq(builds_asked, 0);
}

/* Who builds does so before anybody folds, and the reveal waits for both. */
Test(pipeline_mem_and_gemm, each_kind_has_the_machine_to_itself)
{
  whole_round();
  cr_assert_geq(asked_ns[0], gemm_ns + DEADLINE_MS / 3 * (uint64_t)MS, "builds after the last gemm is late");
  cr_assert_geq(seq_ns, asked_ns[0] + BUILD_DEADLINE_MS * (uint64_t)MS, "seq after the last build is late");
  next_round();
  cr_assert_geq(asked_ns[1], gemm_ns + DEADLINE_MS / 3 * (uint64_t)MS, "folds after the last gemm is late");
  cr_assert_geq(seq_ns, asked_ns[1] + FOLD_DEADLINE_MS * (uint64_t)MS, "seq after the last fold is late");
  expect(1, ASZ_VERDICT_PASS);
}

Test(pipeline_mem, an_aborted_round_is_unjudged_wherever_it_is)
{
  whole_round();
  for (unsigned ms = 0; ms < 1500; ms += 150) {
    begin_round(bed_epoch, bed_slot + 1);
    for (unsigned i = 0; i < ms && !asz_pipeline_idle(pipeline); i++) {
      run_for(1);
      serve();
    }
    asz_pipeline_abort(pipeline);
    for (unsigned i = 0; i < PROVIDERS; i++) {
      cr_assert_eq(got.count[i][ASZ_KIND_MEM], 1, "after %u ms", ms);
      cr_assert(got.verdict[i][ASZ_KIND_MEM] == ASZ_VERDICT_UNJUDGED || got.verdict[i][ASZ_KIND_MEM] == ASZ_VERDICT_PASS);
    }
  }
}
