/* SPDX-License-Identifier: Apache-2.0 */
/* gemm, mem, HELLO and OPEN on the challenge port, without sockets and threads. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "control/responder/challenge_path.h"
#include "tests/control/responder/open_fixture.h"

enum { FOLD = ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD };

static struct fixture fixture;
static struct asz_challenge_path path;
static struct asz_datagram datagram, answer;
static struct asz_job job;
static uint64_t now_ns;
static enum asz_resp_counter answered_as;

static void setup(void) {
  fixture_make(&fixture, 1000000);
  path = (struct asz_challenge_path){
      .authority = fixture.authority,
      .limiter = fixture.limiter,
      .challenge_rate = asz_rate_make(1000000, 1000000),
      .declaration = {.consent = (2u << ASZ_KIND_MAX) - 2,
                      .devices = FIXTURE_DEVICE + 1,
                      .seq_log2_max = 10,
                      .gemm_preset_max = ASZ_GEMM_PRESET_TINY,
                      .mem_preset = ASZ_GEMM_PRESET_TINY},
      .duty = asz_duty_make(ASZ_DUTY_PPM_MAX),
      .token_secret = "a secret of ours",
  };
  asz_identity_short(path.provider_id, fixture.provider.public_key);
  cr_assert_eq(asz_replay_new(&path.replay, (const uint8_t[16]){5}), 0);
  cr_assert_eq(asz_works_new(&path.works, 16 << 20, 1), 0);
  now_ns = 0;
}

static void teardown(void) {
  asz_replay_free(path.replay);
  asz_works_free(path.works);
  fixture_free(&fixture);
}

TestSuite(open_path, .init = setup, .fini = teardown);

static enum asz_resp_counter admit(void) {
  return asz_challenge_path_admit(&path, &datagram, now_ns, &job);
}

#define assert_outcome(expected, ...)                                                                                            \
  do {                                                                                                                           \
    const enum asz_resp_counter outcome_ = admit();                                                                              \
    cr_assert_eq(outcome_, expected, "got %s. " __VA_ARGS__, asz_resp_counter_name(outcome_));                                   \
  } while (0)

/* The worker's part, and what comes after it; false for an OPEN. */
static bool finish(void) {
  if (job.type == ASZ_JOB_OPEN)
    asz_work_open(job.work, &job.open, &fixture.provider, ASZ_PROVE_HONEST);
  else
    job.answer_bytes = asz_work_answer(job.work, job.answer, &job.challenge, &fixture.provider, job.validator_pk, job.reply_key,
                                       ASZ_PROVE_HONEST);
  job.spent_ns = 1000000;
  return asz_challenge_path_answered(&path, &job, now_ns, &answer, &answered_as);
}

static struct asz_challenge ask(unsigned kind, unsigned param, uint8_t nonce) {
  const struct asz_challenge challenge = open_fixture_challenge(&fixture, kind, param, nonce);
  fixture_seal(&fixture, &fixture.validator, &challenge, &datagram);
  return challenge;
}

static struct asz_challenge commit(unsigned kind, unsigned param, uint8_t nonce) {
  const struct asz_challenge challenge = ask(kind, param, nonce);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  cr_assert(finish());
  cr_assert_eq(answered_as, ASZ_RESP_ANSWERED_CHALLENGES);
  fixture_verify_answer(&fixture, &challenge, answer.payload, answer.size_bytes, FIXTURE_CHAIN_RIGHT);
  return challenge;
}

static const uint8_t *token(void) {
  static struct asz_welcome welcome;
  open_fixture_hello(&fixture, FIXTURE_DEVICE, 1, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  cr_assert_eq(job.type, ASZ_JOB_WELCOME);
  welcome = job.welcome;
  return welcome.token;
}

/* All chunks that wait, into a blob; how many they were. */
static unsigned take_chunks(const struct asz_open *open, uint8_t *blob) {
  struct asz_reassembly reassembly;
  struct asz_datagram chunk;
  unsigned count = 0;
  asz_reassembly_init(&reassembly, blob, open);
  for (; asz_chunks_waiting(&path.chunks); count++) {
    cr_assert_eq(asz_chunks_next(&path.chunks, path.limiter, path.provider_id, now_ns, &chunk), ASZ_RESP_ANSWERED_OPENINGS);
    cr_assert_eq(open_fixture_chunk(&fixture, open, &reassembly, &chunk), 0);
    cr_assert_eq(chunk.ends.peer.ipv4, FIXTURE_PEER);
  }
  return count;
}

static void opened(const struct asz_challenge *base, const struct asz_challenge *asked, const struct asz_open *open) {
  const size_t total = asz_opening_total_bytes(open->kind, open->param, open->openings);
  uint8_t *blob = malloc(total), *again = malloc(total);
  const struct asz_datagram commitment = answer;
  open_fixture_seal(&fixture, open, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  open_fixture_seal(&fixture, open, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_IN_PROGRESS);
  cr_assert(!finish());
  cr_assert_eq(take_chunks(open, blob), asz_opening_chunks(total));
  cr_assert_eq(open_fixture_judge(&fixture, open, base, asked, &commitment, blob), open->openings);
  open_fixture_seal(&fixture, open, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_OPENINGS);
  cr_assert_eq(take_chunks(open, again), asz_opening_chunks(total));
  cr_assert_eq(memcmp(again, blob, total), 0, "the very same bytes");
  free(blob);
  free(again);
}

Test(open_path, every_truncation_of_a_hello_and_an_open_is_dropped)
{
  const struct asz_challenge challenge = open_fixture_challenge(&fixture, ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_open open = open_fixture_open(&challenge, (const uint8_t[16]){0});
  for (int hello = 0; hello < 2; hello++) {
    if (hello)
      open_fixture_hello(&fixture, FIXTURE_DEVICE, 1, &datagram);
    else
      open_fixture_seal(&fixture, &open, &datagram);
    const uint32_t whole = datagram.size_bytes;
    for (uint32_t size = 0; size < whole; size++) {
      datagram.size_bytes = size;
      assert_outcome(size < ASZ_CHALLENGE_HEAD_BYTES ? ASZ_RESP_DROPPED_SHORT : ASZ_RESP_DROPPED_FORMAT, "%u bytes", size);
    }
  }
}

Test(open_path, every_flipped_bit_of_a_hello_is_dropped)
{
  open_fixture_hello(&fixture, FIXTURE_DEVICE, 1, &datagram);
  for (unsigned bit = 0; bit < 8 * ASZ_ENROL_BYTES; bit++) {
    datagram.payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
    const enum asz_resp_counter outcome = admit();
    cr_assert(outcome > ASZ_RESP_ANSWERED_OPENINGS, "bit %u: %s", bit, asz_resp_counter_name(outcome));
    datagram.payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
}

Test(open_path, a_welcome_says_what_is_free_and_what_is_consented_to)
{
  open_fixture_hello(&fixture, FIXTURE_DEVICE + 1, 1, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_CONSENT, "there is no such device");
  token();
  cr_assert_eq(job.welcome.declaration.free_bytes, 16 << 20);
  cr_assert_eq(job.welcome.declaration.consent, 0x1e);
  commit(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1);
  token();
  cr_assert_eq(job.welcome.declaration.free_bytes, 16 << 20, "who holds the arena may build it again");
}

Test(open_path, gemm_is_committed_to_and_opened)
{
  const uint8_t *t = token();
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_open open = open_fixture_open(&challenge, t);
  opened(&challenge, &challenge, &open);
}

Test(open_path, an_arena_is_built_folded_and_opened)
{
  const uint8_t *t = token();
  const struct asz_challenge build = commit(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_open open_build = open_fixture_open(&build, t);
  opened(&build, &build, &open_build);
  for (uint8_t nonce = 2; nonce < 4; nonce++) {
    const struct asz_challenge fold = commit(ASZ_KIND_MEM, FOLD, nonce);
    const struct asz_open open = open_fixture_open(&fold, t);
    opened(&build, &fold, &open);
  }
}

Test(open_path, a_retransmitted_challenge_gets_the_same_commit_without_new_work)
{
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  fixture_seal(&fixture, &fixture.validator, &challenge, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_AGAIN);
  cr_assert_eq(datagram.size_bytes, answer.size_bytes);
  cr_assert_arr_eq(datagram.payload, answer.payload, answer.size_bytes);
}

Test(open_path, a_token_serves_its_address_alone)
{
  const uint8_t *t = token();
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  struct asz_open open = open_fixture_open(&challenge, t);
  open_fixture_seal(&fixture, &open, &datagram);
  datagram.ends.peer.ipv4++;
  assert_outcome(ASZ_RESP_DROPPED_TOKEN, "another address");
  open.token[0] ^= 1;
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_TOKEN, "another token");
  cr_assert(!asz_chunks_waiting(&path.chunks));
}

Test(open_path, a_challenge_is_opened_once)
{
  const uint8_t *t = token();
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  struct asz_open open = open_fixture_open(&challenge, t);
  opened(&challenge, &challenge, &open);
  open.rho[31] ^= 1;
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_REOPEN, "another rho");
  open.rho[31] ^= 1;
  open.openings++;
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_REOPEN, "another k");
}

Test(open_path, what_was_never_answered_is_not_opened)
{
  const uint8_t *t = token();
  struct asz_challenge challenge = ask(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_open open = open_fixture_open(&challenge, t);
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_NO_COMMIT);
  ask(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_NO_COMMIT, "rho before the commit is out");
}

Test(open_path, each_refusal_has_its_counter)
{
  ask(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_CPU, 1);
  assert_outcome(ASZ_RESP_DROPPED_CONSENT, "a larger preset");
  ask(ASZ_KIND_MEM, ASZ_GEMM_PRESET_CPU, 1);
  assert_outcome(ASZ_RESP_DROPPED_CONSENT, "a larger arena");
  ask(ASZ_KIND_MEM, FOLD, 1);
  assert_outcome(ASZ_RESP_DROPPED_NO_ARENA);
  path.declaration.devices = FIXTURE_DEVICE;
  ask(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  assert_outcome(ASZ_RESP_DROPPED_CONSENT, "no such device");
  path.declaration.devices = FIXTURE_DEVICE + 1;
  path.declaration.consent &= ~(1u << ASZ_KIND_GEMM);
  ask(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  assert_outcome(ASZ_RESP_DROPPED_CONSENT, "no consent");
  path.declaration.consent |= 1u << ASZ_KIND_GEMM;
  asz_works_free(path.works);
  cr_assert_eq(asz_works_new(&path.works, 1000, 1), 0);
  ask(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1);
  assert_outcome(ASZ_RESP_DROPPED_MEMORY);
  path.duty = asz_duty_make(1);
  path.duty.longest_ns = UINT64_C(4000000);
  ask(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  assert_outcome(ASZ_RESP_DROPPED_DUTY);
  cr_assert_eq(path.duty.set_aside_ns, 0, "what was refused is not set aside");
}

Test(open_path, an_arena_that_is_busy_takes_no_other_challenge)
{
  commit(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1);
  ask(ASZ_KIND_MEM, FOLD, 2);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  const struct asz_job first = job;
  ask(ASZ_KIND_MEM, FOLD, 3);
  assert_outcome(ASZ_RESP_DROPPED_IN_PROGRESS);
  ask(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 4);
  assert_outcome(ASZ_RESP_DROPPED_IN_PROGRESS);
  job = first;
  cr_assert(finish());
}

Test(open_path, refused_work_may_be_asked_again)
{
  ask(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  asz_challenge_path_refused(&path, &job, now_ns);
  const uint8_t *t = token();
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_open open = open_fixture_open(&challenge, t);
  const struct asz_datagram commitment = answer;
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  asz_challenge_path_refused(&path, &job, now_ns);
  answer = commitment;
  opened(&challenge, &challenge, &open);
}

Test(open_path, every_chunk_counts_against_the_rate_of_its_source)
{
  const uint8_t *t = token();
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_open open = open_fixture_open(&challenge, t);
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  finish();
  const struct asz_rate two = asz_rate_make(1, 2);
  struct asz_limiter *limiter;
  struct asz_datagram chunk;
  cr_assert_eq(asz_limiter_new(&limiter, &two, (const uint8_t[16]){0}), 0);
  for (unsigned i = 0; i < 2; i++)
    cr_assert_eq(asz_chunks_next(&path.chunks, limiter, path.provider_id, 0, &chunk), ASZ_RESP_ANSWERED_OPENINGS);
  cr_assert_eq(asz_chunks_next(&path.chunks, limiter, path.provider_id, 0, &chunk), ASZ_RESP_DROPPED_RATE);
  cr_assert(!asz_chunks_waiting(&path.chunks));
  asz_limiter_free(limiter);
}

Test(open_path, no_more_chunks_than_asked_for)
{
  const uint8_t *t = token();
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  struct asz_open open = open_fixture_open(&challenge, t);
  struct asz_datagram chunk;
  open.first_chunk = 1;
  open.chunk_count = 1;
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  finish();
  cr_assert_eq(asz_chunks_next(&path.chunks, path.limiter, path.provider_id, 0, &chunk), ASZ_RESP_ANSWERED_OPENINGS);
  struct asz_opening_chunk read;
  cr_assert_eq(asz_opening_read(&read, chunk.payload, chunk.size_bytes), 0);
  cr_assert_eq(read.chunk, 1);
  cr_assert(!asz_chunks_waiting(&path.chunks));
}

Test(open_path, a_full_queue_of_openings_drops_by_name)
{
  const uint8_t *t = token();
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_open open = open_fixture_open(&challenge, t);
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  finish();
  for (unsigned i = 1; i < ASZ_CHUNKS_QUEUE; i++) {
    open_fixture_seal(&fixture, &open, &datagram);
    assert_outcome(ASZ_RESP_ANSWERED_OPENINGS);
  }
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_QUEUE_FULL);
}

Test(open_path, a_column_that_was_not_committed_to_fails_and_is_signed)
{
  const uint8_t *t = token();
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_open open = open_fixture_open(&challenge, t);
  open_fixture_seal(&fixture, &open, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  asz_work_open(job.work, &job.open, &fixture.provider, ASZ_PROVE_WRONG);
  const uint8_t *blob = job.work->answer[ASZ_WORK_BASE].blob;
  cr_assert_eq(open_fixture_judge(&fixture, &open, &challenge, &challenge, &answer, blob), FIXTURE_OPENINGS - 1);
  asz_challenge_path_refused(&path, &job, now_ns);
}
