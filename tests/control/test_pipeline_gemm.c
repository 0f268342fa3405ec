/* SPDX-License-Identifier: Apache-2.0 */
/* gemm through the pipeline: consent, commitments, the reveal, chunks. Providers prove for the tiny preset, honestly or not. */
#include "dataplane/base/head.h"
#include "gpu/prove/gemm.h"
#include "tests/control/pipeline_bed.h"

enum { OPENINGS = 8, DEADLINE_MS = 300, GEMM_DEADLINE_MS = 500, OPENING_DEADLINE_MS = 900, BLOB_MAX = 16 << 10 };

/* How the providers of this test behave. */
static struct {
  bool silent_to_hello, refuses, never_commits, never_opens, forges_signature;
  unsigned wrong_byte; /* of the first column, 0: none */
} manner;

static void begin_at(uint64_t rate_ps) {
  const struct asz_pipeline_config config = {
      .rate_ps = rate_ps,
      .deadline_ns = DEADLINE_MS * (uint64_t)MS,
      .tries = 3,
      .seq_log2_steps = LOG2_STEPS,
      .gemm_preset = ASZ_GEMM_PRESET_TINY,
      .openings = OPENINGS,
      .gemm_deadline_ns = GEMM_DEADLINE_MS * (uint64_t)MS,
      .opening_deadline_ns = OPENING_DEADLINE_MS * (uint64_t)MS,
      .duty_ns = UINT64_MAX / 2,
  };
  bed_begin(&config);
}

static void begin(void) {
  begin_at(1000000);
}
static void begin_slowly(void) {
  begin_at(100); /* one in 10 ms */
}

TestSuite(pipeline_gemm, .init = begin, .fini = bed_end);
TestSuite(pipeline_slow, .init = begin_slowly, .fini = bed_end);

Test(pipeline_slow, what_a_full_ring_refuses_takes_nothing_of_the_rate)
{
  fake.full = true;
  run_for(25); /* not a multiple of 10 */
  fake.full = false;
  asz_pipeline_step(pipeline, now_ns);
  cr_assert_gt(counter(ASZ_PCTR_HELLOS), 0);
}

/* The product that a provider was asked for; its prover is the caller's to free. */
static struct asz_prove_gemm *product(const uint8_t seed[32], uint8_t ret_root[32], void **ret_memory) {
  size_t footprint = asz_prove_gemm_footprint(ASZ_GEMM_PRESET_TINY, 1);
  *ret_memory = aligned_alloc(4096, (footprint + 4095) / 4096 * 4096);
  cr_assert_not_null(*ret_memory);
  struct asz_prove_gemm *prove = asz_prove_gemm_new(*ret_memory, ASZ_GEMM_PRESET_TINY, 1, asz_gemm_backend_at(0));
  asz_prove_gemm_epoch(prove, bed_beacon);
  asz_prove_gemm_run(prove, seed, ret_root);
  return prove;
}

static void welcome(const struct asz_engine_datagram *asked) {
  struct asz_declaration declaration = {.consent = 1u << ASZ_KIND_SIG, .devices = PROVIDERS};
  if (!manner.refuses) {
    declaration.consent |= 1u << ASZ_KIND_GEMM;
    declaration.gemm_preset_max = ASZ_GEMM_PRESET_TINY;
  }
  bed_welcome(asked, &declaration);
}

static void answer(const struct asz_engine_datagram *asked) {
  struct asz_challenge challenge;
  cr_assert_eq(asz_challenge_read(&challenge, asked->payload, asked->size_bytes), 0);
  struct asz_engine_datagram answer = {.target = asked->target, .tsc = 5000};
  const struct asz_identity *own = &identity[asked->target];
  const uint8_t *reply_key = session[asked->target].reply_key;
  if (challenge.kind <= ASZ_KIND_SINGLE_MAX) {
    answer.size_bytes =
        (uint16_t)asz_prove_answer(answer.payload, &challenge, own, validator.public_key, reply_key, ASZ_PROVE_HONEST);
  } else {
    uint8_t seed[32], root[32];
    void *memory;
    asz_challenge_seed(seed, &challenge, validator.public_key, own->public_key);
    product(seed, root, &memory);
    free(memory);
    answer.size_bytes =
        (uint16_t)asz_prove_seal(answer.payload, &challenge, own, seed, root, sizeof root, reply_key, ASZ_PROVE_HONEST);
  }
  deliver(&answer);
}

/* All openings, signed. */
static void make_blob(uint8_t *ret_blob, const struct asz_open *open, const struct asz_identity *own) {
  struct asz_challenge challenge = {
      .kind = open->kind, .param = open->param, .epoch = open->epoch, .slot = open->slot, .device = open->device};
  uint8_t seed[32], root[32], signed_bytes[ASZ_SIGNED_BYTES];
  uint32_t pick[ASZ_OPENINGS_MAX][2];
  void *memory;
  memcpy(challenge.beacon, bed_beacon, 32);
  memcpy(challenge.nonce, open->nonce, sizeof challenge.nonce);
  asz_challenge_seed(seed, &challenge, validator.public_key, own->public_key);
  struct asz_prove_gemm *prove = product(seed, root, &memory);
  size_t one = asz_opening_bytes(open->kind, open->param);
  asz_verify_picks(pick, open->openings, open->param, open->rho, open->kind, own->public_key, open->device, root);
  for (unsigned i = 0; i < open->openings; i++)
    asz_prove_gemm_open(prove, (struct asz_gemm_pick){pick[i][0], pick[i][1]}, ret_blob + i * one);
  free(memory);
  if (manner.wrong_byte)
    ret_blob[manner.wrong_byte] ^= 1;
  asz_opening_signed_bytes(signed_bytes, open, seed, root, sizeof root, ret_blob, open->openings * one);
  crypto_sign_detached(ret_blob + open->openings * one, NULL, signed_bytes, sizeof signed_bytes, own->secret_key);
  if (manner.forges_signature)
    ret_blob[open->openings * one] ^= 1;
}

static void open_chunks(const struct asz_engine_datagram *asked) {
  static uint8_t blob[BLOB_MAX];
  struct asz_open open;
  cr_assert_eq(asz_open_read(&open, asked->payload, asked->size_bytes), 0);
  const struct asz_identity *own = &identity[asked->target];
  cr_assert_eq(open.token[0], asked->target);
  make_blob(blob, &open, own);
  bed_send_chunks(asked->target, &open, blob);
}

/* One look of all providers at what came. */
static void serve(void) {
  unsigned count = fake.out_count;
  for (unsigned i = 0; i < count; i++) {
    const struct asz_engine_datagram *asked = &fake.out[i].datagram;
    switch (asz_head_type(asked->payload, asked->size_bytes)) {
    case ASZ_MESSAGE_HELLO:
      if (!manner.silent_to_hello)
        welcome(asked);
      break;
    case ASZ_MESSAGE_OPEN:
      if (!manner.never_opens)
        open_chunks(asked);
      break;
    case ASZ_MESSAGE_CHALLENGE:
      if (asked->payload[6] != ASZ_KIND_GEMM || !manner.never_commits)
        answer(asked);
      break;
    default:
      cr_assert(false, "an odd message");
    }
  }
  fake.out_count = 0;
}

/* The whole round; its length in ms. */
static unsigned whole_round(void) {
  unsigned ms = 0;
  for (; !asz_pipeline_idle(pipeline) && ms < 5000; ms++) {
    run_for(1);
    serve();
  }
  cr_assert(asz_pipeline_idle(pipeline));
  return ms;
}

static void expect_gemm(unsigned outcomes, enum asz_verdict verdict) {
  for (unsigned i = 0; i < PROVIDERS; i++) {
    cr_assert_eq(got.count[i][ASZ_KIND_GEMM], outcomes, "provider %u has %u outcomes", i, got.count[i][ASZ_KIND_GEMM]);
    cr_assert(outcomes == 0 || got.verdict[i][ASZ_KIND_GEMM] == verdict, "%s", asz_verdict_name(got.verdict[i][ASZ_KIND_GEMM]));
    cr_assert_eq(got.verdict[i][ASZ_KIND_SIG], ASZ_VERDICT_PASS);
    cr_assert_eq(got.verdict[i][ASZ_KIND_SEQ], ASZ_VERDICT_PASS);
  }
}

Test(pipeline_gemm, honest_products_pass)
{
  whole_round();
  expect_gemm(1, ASZ_VERDICT_PASS);
  cr_assert_eq(counter(ASZ_PCTR_WELCOMES), PROVIDERS);
  cr_assert_eq(counter(ASZ_PCTR_OPENED), PROVIDERS);
  cr_assert_eq(got.opening_bytes[0][ASZ_KIND_GEMM], asz_opening_total_bytes(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, OPENINGS));
}

Test(pipeline_gemm, nobody_hears_the_reveal_before_the_last_commitment_is_late)
{
  for (unsigned ms = 0; ms < DEADLINE_MS + GEMM_DEADLINE_MS; ms++) {
    run_for(1);
    serve();
    cr_assert_eq(counter(ASZ_PCTR_OPENS), 0, "after %u ms", ms);
  }
  whole_round();
  cr_assert_eq(counter(ASZ_PCTR_OPENS), PROVIDERS);
}

Test(pipeline_gemm, who_refuses_or_says_nothing_is_not_asked_and_has_no_outcome)
{
  manner.refuses = true;
  whole_round();
  expect_gemm(0, ASZ_VERDICT_NONE);
  cr_assert_eq(counter(ASZ_PCTR_NOT_ASKED), PROVIDERS);
}
Test(pipeline_gemm, who_says_nothing_to_hello_is_asked_as_often_as_anything)
{
  manner.silent_to_hello = true;
  whole_round();
  expect_gemm(0, ASZ_VERDICT_NONE);
  cr_assert_eq(counter(ASZ_PCTR_HELLOS), 3 * PROVIDERS);
  cr_assert_eq(counter(ASZ_PCTR_NOT_ASKED), PROVIDERS);
}

Test(pipeline_gemm, consent_is_asked_once_an_epoch)
{
  whole_round();
  asz_pipeline_begin(pipeline, EPOCH, SLOT, bed_secret, bed_beacon, session, now_ns, now_ns);
  whole_round();
  cr_assert_eq(counter(ASZ_PCTR_HELLOS), PROVIDERS);
  cr_assert_eq(got.count[0][ASZ_KIND_GEMM], 2);
}

Test(pipeline_gemm, a_wrong_column_under_a_signature_fails)
{
  manner.wrong_byte = 72; /* its first entry */
  whole_round();
  expect_gemm(1, ASZ_VERDICT_FAIL);
}

Test(pipeline_gemm, a_column_that_was_not_picked_fails_under_a_signature)
{
  manner.wrong_byte = 7; /* its number */
  whole_round();
  expect_gemm(1, ASZ_VERDICT_FAIL);
}

Test(pipeline_gemm, openings_that_nobody_signed_are_malformed)
{
  manner.wrong_byte = 72;
  manner.forges_signature = true;
  whole_round();
  expect_gemm(1, ASZ_VERDICT_MALFORMED);
}

Test(pipeline_gemm, a_commitment_that_is_not_opened_is_missing)
{
  manner.never_opens = true;
  unsigned ms = whole_round();
  expect_gemm(1, ASZ_VERDICT_NONE);
  cr_assert_eq(counter(ASZ_PCTR_NOT_OPENED), PROVIDERS);
  cr_assert_eq(counter(ASZ_PCTR_OPENS), 5 * PROVIDERS, "every 200 of 900 ms: %lu", counter(ASZ_PCTR_OPENS));
  cr_assert_geq(ms, DEADLINE_MS + GEMM_DEADLINE_MS + OPENING_DEADLINE_MS);
}

Test(pipeline_gemm, silence_is_missing)
{
  manner.never_commits = true;
  whole_round();
  expect_gemm(1, ASZ_VERDICT_NONE);
}

/* Until every commitment is there and the first openings are asked for. */
static void until_opened(void) {
  while (counter(ASZ_PCTR_OPENS) == 0) {
    serve();
    run_for(1);
  }
}

Test(pipeline_gemm, frames_that_we_dropped_leave_it_unjudged)
{
  manner.never_opens = true;
  until_opened();
  fake.counters.value[ASZ_CTR_RX_PORT_MISSED]++;
  whole_round();
  expect_gemm(1, ASZ_VERDICT_UNJUDGED);
}

Test(pipeline_gemm, frames_that_we_dropped_before_it_was_to_be_opened_excuse_nothing)
{
  manner.never_opens = true;
  run_for(20);
  serve();
  run_for(20);
  fake.counters.value[ASZ_CTR_RX_PORT_MISSED]++;
  whole_round();
  expect_gemm(1, ASZ_VERDICT_NONE);
}

Test(pipeline_gemm, openings_that_nobody_could_ask_for_are_unjudged)
{
  manner.never_opens = true;
  until_opened();
  while (!asz_pipeline_idle(pipeline)) {
    for (unsigned i = 0; i < fake.out_count; i++)
      if (asz_head_type(fake.out[i].datagram.payload, fake.out[i].datagram.size_bytes) == ASZ_MESSAGE_OPEN)
        *fake.out[i].tx_tsc = UINT64_MAX;
    serve();
    run_for(1);
  }
  expect_gemm(1, ASZ_VERDICT_UNJUDGED);
}

Test(pipeline_gemm, chunks_after_the_deadline_are_late)
{
  until_opened();
  manner.never_opens = true;
  static struct queued kept[QUEUE];
  unsigned count = fake.out_count;
  memcpy(kept, fake.out, sizeof kept);
  serve(); /* not these */
  for (unsigned ms = 0; ms <= OPENING_DEADLINE_MS; ms++) {
    run_for(1);
    serve();
  }
  for (unsigned i = 0; i < count; i++)
    if (asz_head_type(kept[i].datagram.payload, kept[i].datagram.size_bytes) == ASZ_MESSAGE_OPEN)
      open_chunks(&kept[i].datagram);
  whole_round();
  expect_gemm(1, ASZ_VERDICT_NONE);
  cr_assert_gt(counter(ASZ_PCTR_LATE), 0);
}

/* Up to the moment when chunks are under way: what a hostile neighbour sends instead changes nothing. */
Test(pipeline_gemm, chunks_that_are_forged_doubled_or_foreign_change_nothing)
{
  until_opened();
  cr_assert_eq(fake.in_count, 0);
  serve();
  static struct asz_engine_datagram kept[QUEUE];
  unsigned chunks = 0, others = 0;
  for (unsigned i = 0; i < fake.in_count; i++) {
    if (asz_head_type(fake.in[i].payload, fake.in[i].size_bytes) == ASZ_MESSAGE_OPENING)
      kept[chunks++] = fake.in[i];
    else
      fake.in[others++] = fake.in[i]; /* of seq */
  }
  fake.in_count = others;
  cr_assert_geq(chunks, 4);
  for (unsigned at = 0; at < kept[0].size_bytes; at++) {
    struct asz_engine_datagram forged = kept[0];
    forged.payload[at] ^= 0x04;
    deliver(&forged);
    asz_pipeline_step(pipeline, now_ns);
    forged = kept[0];
    forged.size_bytes = (uint16_t)at;
    deliver(&forged);
    asz_pipeline_step(pipeline, now_ns);
  }
  struct asz_engine_datagram foreign = kept[0];
  foreign.target = (kept[0].target + 1) % PROVIDERS;
  deliver(&foreign);
  asz_pipeline_step(pipeline, now_ns);
  cr_assert_eq(counter(ASZ_PCTR_CHUNKS), 0);
  for (unsigned i = 0; i < chunks; i++) {
    deliver(&kept[i]);
    deliver(&kept[i]);
    asz_pipeline_step(pipeline, now_ns);
  }
  cr_assert_eq(counter(ASZ_PCTR_CHUNKS), chunks, "%lu of %u, foreign %lu", counter(ASZ_PCTR_CHUNKS), chunks,
               counter(ASZ_PCTR_CHUNKS_FOREIGN));
  whole_round();
  expect_gemm(1, ASZ_VERDICT_PASS);
}

Test(pipeline_gemm, an_aborted_round_is_unjudged_wherever_it_is)
{
  for (unsigned ms = 0; ms < 1400; ms += 50) {
    memset(&got, 0, sizeof got);
    asz_pipeline_abort(pipeline);
    cr_assert(asz_pipeline_idle(pipeline));
    memset(&got, 0, sizeof got);
    asz_pipeline_begin(pipeline, EPOCH, SLOT, bed_secret, bed_beacon, session, now_ns, now_ns);
    for (unsigned i = 0; i < ms && !asz_pipeline_idle(pipeline); i++) {
      run_for(1);
      serve();
    }
    asz_pipeline_abort(pipeline);
    for (unsigned i = 0; i < PROVIDERS; i++) {
      cr_assert_eq(got.count[i][ASZ_KIND_GEMM], 1, "after %u ms", ms);
      cr_assert(got.verdict[i][ASZ_KIND_GEMM] == ASZ_VERDICT_UNJUDGED || got.verdict[i][ASZ_KIND_GEMM] == ASZ_VERDICT_PASS);
    }
  }
}
