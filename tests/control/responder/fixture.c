/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/control/responder/fixture.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"

static void identity(struct asz_identity *ret_identity, uint8_t byte) {
  uint8_t seed[32];
  memset(seed, byte, sizeof seed);
  asz_identity_from_seed(ret_identity, seed);
}

void fixture_make(struct fixture *ret_fixture, uint64_t pps) {
  cr_assert_geq(sodium_init(), 0);
  identity(&ret_fixture->provider, 1);
  identity(&ret_fixture->validator, 2);
  identity(&ret_fixture->stranger, 3);
  cr_assert_eq(asz_authority_new(&ret_fixture->authority, &ret_fixture->provider), 0);
  cr_assert_eq(asz_authority_add(ret_fixture->authority, ret_fixture->validator.public_key, NULL), 0);
  const struct asz_rate rate = asz_rate_make(pps, pps);
  const uint8_t hash_key[16] = {7};
  cr_assert_eq(asz_limiter_new(&ret_fixture->limiter, &rate, hash_key), 0);
}

void fixture_free(struct fixture *fixture) {
  asz_authority_free(fixture->authority);
  asz_limiter_free(fixture->limiter);
}

struct asz_session fixture_session(const struct fixture *fixture, const struct asz_identity *validator, uint32_t epoch) {
  uint8_t shared[32];
  struct asz_session session;
  cr_assert_eq(asz_session_shared(shared, validator, fixture->provider.public_key), 0);
  asz_session_derive(&session, shared, epoch, validator->public_key, fixture->provider.public_key);
  return session;
}

static void address(struct asz_datagram *datagram, size_t size_bytes) {
  datagram->ends =
      (struct asz_ends){.peer = asz_address_ipv4(FIXTURE_PEER), .local = asz_address_ipv4(FIXTURE_LOCAL), .peer_port = 50000};
  datagram->ttl = 61;
  datagram->rx_ns = 1700000000000000000u;
  datagram->size_bytes = (uint32_t)size_bytes;
}

void fixture_plain(struct asz_datagram *ret_datagram, uint32_t seq) {
  memset(ret_datagram, 0, sizeof *ret_datagram);
  asz_stamp_request_write(ret_datagram->payload, seq, 0x1122334455667788u, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0xabcd);
  address(ret_datagram, ASZ_STAMP_BYTES);
}

void fixture_tlv(const struct fixture *fixture, const struct asz_identity *validator, uint32_t epoch,
                 struct asz_datagram *ret_datagram) {
  const struct asz_session session = fixture_session(fixture, validator, epoch);
  uint8_t id[ASZ_ID_BYTES];
  asz_identity_short(id, validator->public_key);
  fixture_plain(ret_datagram, 9);
  asz_tlv_request_write(ret_datagram->payload, epoch, 3, id, 0xfeedfacecafebeefu, session.request_key);
  address(ret_datagram, ASZ_STAMP_TLV_BYTES);
}

void fixture_auth(const struct fixture *fixture, const struct asz_identity *validator, struct asz_hmac_lanes *lanes,
                  struct asz_datagram *ret_datagram, struct asz_hmac_key *ret_key) {
  uint8_t shared[32];
  cr_assert_eq(asz_session_shared(shared, validator, fixture->provider.public_key), 0);
  asz_session_hmac_key(ret_key, shared, validator->public_key, fixture->provider.public_key);
  fixture_plain(ret_datagram, 1);
  asz_stamp_auth_request_write(ret_datagram->payload, 0x01020304, 0x1122334455667788u, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0xabcd);
  asz_stamp_auth_seal(lanes, ret_key, ret_datagram->payload);
  address(ret_datagram, ASZ_STAMP_AUTH_BYTES);
}

struct asz_challenge fixture_challenge(const struct fixture *fixture, unsigned kind, uint8_t nonce) {
  struct asz_challenge challenge = {.kind = (uint8_t)kind,
                                    .param = kind == ASZ_KIND_SEQ ? FIXTURE_LOG2 : 0,
                                    .epoch = FIXTURE_EPOCH,
                                    .slot = FIXTURE_SLOT,
                                    .device = 2};
  asz_identity_short(challenge.validator_id, fixture->validator.public_key);
  memset(challenge.beacon, 0xbe, sizeof challenge.beacon);
  memset(challenge.nonce, nonce, sizeof challenge.nonce);
  return challenge;
}

void fixture_seal(const struct fixture *fixture, const struct asz_identity *validator, const struct asz_challenge *challenge,
                  struct asz_datagram *ret_datagram) {
  const struct asz_session session = fixture_session(fixture, validator, challenge->epoch);
  struct asz_challenge named = *challenge;
  asz_identity_short(named.validator_id, validator->public_key);
  memset(ret_datagram, 0, sizeof *ret_datagram);
  address(ret_datagram, asz_challenge_write(ret_datagram->payload, &named, session.request_key));
}

/* The number of the 32 checkpoints that follow from the one before. */
static unsigned right_links(const uint8_t seed[32], const uint8_t *body, unsigned log2_steps) {
  unsigned right = 0;
  uint8_t x[32];
  memcpy(x, seed, sizeof x);
  for (unsigned checkpoint = 0; checkpoint < ASZ_SEQ_CHECKPOINTS; checkpoint++) {
    for (uint32_t step = 0; step < (1u << log2_steps) / ASZ_SEQ_CHECKPOINTS; step++)
      crypto_hash_sha256(x, x, sizeof x);
    right += memcmp(x, body + 32 * checkpoint, sizeof x) == 0;
    memcpy(x, body + 32 * checkpoint, sizeof x);
  }
  return right;
}

void fixture_verify_answer(const struct fixture *fixture, const struct asz_challenge *challenge, const uint8_t *datagram,
                           size_t size_bytes, enum fixture_chain expected) {
  struct asz_answer answer;
  cr_assert_eq(asz_answer_read(&answer, datagram, size_bytes), 0, "not an answer: %zu bytes", size_bytes);
  const struct asz_session session = fixture_session(fixture, &fixture->validator, challenge->epoch);
  cr_assert(asz_mac_check(answer.mac, session.reply_key, datagram, size_bytes - ASZ_MAC_BYTES), "MAC of the answer");
  cr_assert_eq(answer.kind, challenge->kind);
  cr_assert_eq(answer.slot, challenge->slot);
  cr_assert_eq(answer.device, challenge->device);
  cr_assert_arr_eq(answer.nonce, challenge->nonce, ASZ_NONCE_BYTES);

  uint8_t seed[32], signed_bytes[ASZ_SIGNED_BYTES];
  asz_challenge_seed(seed, challenge, fixture->validator.public_key, fixture->provider.public_key);
  asz_answer_signed_bytes(signed_bytes, answer.kind, answer.param, answer.epoch, answer.slot, answer.device, seed, answer.body,
                          answer.body_bytes);
  cr_assert_eq(crypto_sign_verify_detached(answer.signature, signed_bytes, sizeof signed_bytes, fixture->provider.public_key), 0,
               "signature of the answer");
  if (challenge->kind == ASZ_KIND_SEQ) {
    const unsigned right = right_links(seed, answer.body, challenge->param);
    if (expected == FIXTURE_CHAIN_RIGHT)
      cr_assert_eq(right, ASZ_SEQ_CHECKPOINTS, "%u of 32 links are right", right);
    else
      cr_assert_lt(right, ASZ_SEQ_CHECKPOINTS, "a wrong answer was asked for");
  }
}
