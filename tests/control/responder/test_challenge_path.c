/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "control/responder/challenge_path.h"
#include "gpu/prove/prove.h"
#include "tests/control/responder/fixture.h"

static struct fixture fixture;
static struct asz_challenge_path path;
static struct asz_datagram datagram;
static struct asz_job job;
static uint64_t now_ns;

static void setup(void) {
  fixture_make(&fixture, 1000000);
  path = (struct asz_challenge_path){
      .authority = fixture.authority,
      .limiter = fixture.limiter,
      .challenge_rate = asz_rate_make(1000000, 1000000),
      .declaration = {.consent = 1u << ASZ_KIND_SIG | 1u << ASZ_KIND_SEQ, .devices = 1, .seq_log2_max = 10},
  };
  cr_assert_eq(asz_replay_new(&path.replay, (const uint8_t[16]){5}), 0);
  now_ns = 0;
}

static void teardown(void) {
  asz_replay_free(path.replay);
  fixture_free(&fixture);
}

TestSuite(challenge_path, .init = setup, .fini = teardown);

static enum asz_resp_counter admit(void) {
  return asz_challenge_path_admit(&path, &datagram, now_ns, &job);
}

#define assert_outcome(expected, ...)                                                                                            \
  do {                                                                                                                           \
    const enum asz_resp_counter outcome_ = admit();                                                                              \
    cr_assert_eq(outcome_, expected, "got %s. " __VA_ARGS__, asz_resp_counter_name(outcome_));                                   \
  } while (0)

static struct asz_challenge seal(unsigned kind, uint8_t nonce) {
  const struct asz_challenge challenge = fixture_challenge(&fixture, kind, nonce);
  fixture_seal(&fixture, &fixture.validator, &challenge, &datagram);
  return challenge;
}

/* The worker's part. */
static void prove(void) {
  job.answer_bytes =
      asz_prove_answer(job.answer, &job.challenge, &fixture.provider, job.validator_pk, job.reply_key, ASZ_PROVE_HONEST);
}

Test(challenge_path, every_truncation_is_dropped)
{
  for (unsigned kind = 1; kind <= ASZ_KIND_SINGLE_MAX; kind++) {
    seal(kind, 0);
    for (uint32_t size = 0; size < asz_answer_bytes(kind); size++) {
      datagram.size_bytes = size;
      const enum asz_resp_counter outcome = admit();
      cr_assert_eq(outcome, size < ASZ_CHALLENGE_HEAD_BYTES ? ASZ_RESP_DROPPED_SHORT : ASZ_RESP_DROPPED_FORMAT, "%s size %u: %s",
                   asz_kind_name(kind), size, asz_resp_counter_name(outcome));
    }
  }
}

Test(challenge_path, every_flipped_bit_is_dropped)
{
  seal(ASZ_KIND_SIG, 0);
  for (unsigned bit = 0; bit < 8 * 128; bit++) {
    datagram.payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
    const enum asz_resp_counter outcome = admit();
    cr_assert(outcome != ASZ_RESP_ANSWERED_CHALLENGES && outcome != ASZ_RESP_ANSWERED_AGAIN, "bit %u", bit);
    datagram.payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
}

Test(challenge_path, each_fault_has_its_counter)
{
  seal(ASZ_KIND_SIG, 0);
  datagram.payload[4] = 2;
  assert_outcome(ASZ_RESP_DROPPED_VERSION);
  seal(ASZ_KIND_SIG, 0);
  datagram.payload[0] = 'B';
  assert_outcome(ASZ_RESP_DROPPED_FORMAT, "magic");
  seal(ASZ_KIND_SIG, 0);
  datagram.size_bytes = ASZ_DATAGRAM_MAX_BYTES + 1;
  assert_outcome(ASZ_RESP_DROPPED_LONG);
  seal(ASZ_KIND_SIG, 0);
  datagram.ends.peer_port = 862;
  assert_outcome(ASZ_RESP_DROPPED_LOOP);
  seal(ASZ_KIND_SIG, 0);
  datagram.payload[ASZ_CHALLENGE_MAC_AT] ^= 1;
  assert_outcome(ASZ_RESP_DROPPED_BAD_MAC);
  const struct asz_challenge challenge = fixture_challenge(&fixture, ASZ_KIND_SIG, 0);
  fixture_seal(&fixture, &fixture.stranger, &challenge, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_UNAUTHORISED);
}

Test(challenge_path, old_epoch_is_stale)
{
  struct asz_challenge challenge = fixture_challenge(&fixture, ASZ_KIND_SIG, 0);
  for (unsigned i = 0; i < 3; i++) {
    challenge.epoch = FIXTURE_EPOCH + i;
    challenge.slot = FIXTURE_SLOT + i;
    fixture_seal(&fixture, &fixture.validator, &challenge, &datagram);
    assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  }
  seal(ASZ_KIND_SIG, 0);
  assert_outcome(ASZ_RESP_DROPPED_STALE_EPOCH);
}

Test(challenge_path, chain_longer_than_allowed_is_dropped)
{
  struct asz_challenge challenge = fixture_challenge(&fixture, ASZ_KIND_SEQ, 0);
  challenge.param = 11;
  fixture_seal(&fixture, &fixture.validator, &challenge, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_STEPS);
  challenge.param = 10;
  fixture_seal(&fixture, &fixture.validator, &challenge, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
}

Test(challenge_path, forged_challenges_do_not_use_up_the_rate_of_the_validator)
{
  path.challenge_rate = asz_rate_make(1, 1);
  for (unsigned i = 0; i < 100; i++) {
    seal(ASZ_KIND_SIG, 0);
    datagram.payload[ASZ_CHALLENGE_MAC_AT] ^= 1;
    assert_outcome(ASZ_RESP_DROPPED_BAD_MAC);
  }
  seal(ASZ_KIND_SIG, 0);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  seal(ASZ_KIND_SIG, 1);
  assert_outcome(ASZ_RESP_DROPPED_CHALLENGE_RATE);
  now_ns = 2000000000u;
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES, "a second later");
}

Test(challenge_path, source_over_its_rate_is_dropped)
{
  const struct asz_rate rate = asz_rate_make(1, 1);
  asz_limiter_free(fixture.limiter);
  cr_assert_eq(asz_limiter_new(&fixture.limiter, &rate, (const uint8_t[16]){0}), 0);
  path.limiter = fixture.limiter;
  seal(ASZ_KIND_SIG, 0);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  seal(ASZ_KIND_SIG, 1);
  assert_outcome(ASZ_RESP_DROPPED_RATE);
}

Test(challenge_path, too_many_nonces_for_a_slot_are_dropped)
{
  for (uint8_t nonce = 0; nonce < 20; nonce++) {
    seal(ASZ_KIND_SIG, nonce);
    assert_outcome(nonce < ASZ_REPLAY_NONCES_MAX ? ASZ_RESP_ANSWERED_CHALLENGES : ASZ_RESP_DROPPED_NONCES, "nonce %u", nonce);
  }
}

Test(challenge_path, refused_work_may_be_asked_again)
{
  seal(ASZ_KIND_SIG, 0);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  asz_challenge_path_refused(&path, &job, now_ns);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
}

Test(challenge_path, retransmission_gets_the_same_answer_without_new_work)
{
  for (unsigned kind = 1; kind <= ASZ_KIND_SINGLE_MAX; kind++) {
    const struct asz_challenge challenge = seal(kind, 0);
    assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
    seal(kind, 0);
    assert_outcome(ASZ_RESP_DROPPED_IN_PROGRESS);
    prove();
    struct asz_datagram answer;
    enum asz_resp_counter answered_as;
    cr_assert(asz_challenge_path_answered(&path, &job, now_ns, &answer, &answered_as));
    cr_assert_eq(answered_as, ASZ_RESP_ANSWERED_CHALLENGES);
    cr_assert_eq(answer.ends.peer.ipv4, FIXTURE_PEER);
    cr_assert_eq(answer.ends.peer_port, 50000);
    cr_assert_eq(answer.ends.local.ipv4, FIXTURE_LOCAL, "answered from the address that was asked");
    cr_assert_eq(answer.size_bytes, datagram.size_bytes, "never longer than the challenge");
    fixture_verify_answer(&fixture, &challenge, answer.payload, answer.size_bytes, FIXTURE_CHAIN_RIGHT);

    seal(kind, 0);
    assert_outcome(ASZ_RESP_ANSWERED_AGAIN);
    cr_assert_eq(datagram.size_bytes, answer.size_bytes);
    cr_assert_arr_eq(datagram.payload, answer.payload, answer.size_bytes);
  }
}

Test(challenge_path, answer_sent_back_to_us_is_no_challenge)
{
  seal(ASZ_KIND_SIG, 0);
  assert_outcome(ASZ_RESP_ANSWERED_CHALLENGES);
  prove();
  enum asz_resp_counter answered_as;
  cr_assert(asz_challenge_path_answered(&path, &job, now_ns, &datagram, &answered_as));
  assert_outcome(ASZ_RESP_DROPPED_FORMAT);
}
