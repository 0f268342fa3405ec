/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's two packet paths. Input: byte 0 chooses (bit 0: challenge port instead of STAMP; bit 1: put the right MAC or
 * HMAC on it; bit 2: the source is a reflector's port; bit 3: over IPv6; bits 4..7: the epoch's offset), the rest is the
 * datagram.
 *
 * With the right MAC the fuzzer gets behind the check that it could never pass by itself. What must hold: an answer is as long as
 * its question; plain and sealed answers and new work only for what deserves them; one question leads to a bounded number of
 * proofs. */
#include <string.h>

#include "control/responder/challenge_path.h"
#include "control/responder/stamp_path.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "tests/fuzz/fuzz.h"

enum { CHALLENGE = 1, SEAL = 2, REFLECTOR = 4, IPV6 = 8, STEPS_MAX = 6 };

static struct asz_identity provider, validator;
static uint8_t shared[32];
static struct asz_authority *authority;
static struct asz_limiter *limiter;
static struct asz_hmac_lanes *lanes;
static struct asz_hmac_key hmac;

/* Once: what no input can change, and a limiter that never limits. */
static void prepare(void) {
  const uint8_t provider_seed[32] = {1}, validator_seed[32] = {2}, hash_key[16] = {3};
  const struct asz_rate rate = asz_rate_make(ASZ_RATE_PPS_MAX, UINT32_MAX);
  asz_identity_from_seed(&provider, provider_seed);
  asz_identity_from_seed(&validator, validator_seed);
  FUZZ_CHECK(asz_session_shared(shared, &validator, provider.public_key) == 0);
  asz_session_hmac_key(&hmac, shared, validator.public_key, provider.public_key);
  FUZZ_CHECK(asz_hmac_lanes_new(&lanes) == 0);
  FUZZ_CHECK(asz_limiter_new(&limiter, &rate, hash_key) == 0);
}

/* What remembers is fresh for every input, so that no input depends on another. */
static void begin(void) {
  if (!limiter)
    prepare();
  FUZZ_CHECK(asz_authority_new(&authority, &provider) == 0);
  FUZZ_CHECK(asz_authority_add(authority, validator.public_key, NULL) == 0);
}

static void finish(void) {
  asz_authority_free(authority);
}

/* Writes the validator's name, an epoch and the MAC where a genuine packet has them. */
static void seal(struct asz_datagram *datagram, size_t epoch_at, size_t id_at, size_t mac_at, uint32_t epoch) {
  if (datagram->size_bytes < mac_at + ASZ_MAC_BYTES)
    return;
  struct asz_session session;
  asz_session_derive(&session, shared, epoch, validator.public_key, provider.public_key);
  asz_be32_store(datagram->payload + epoch_at, epoch);
  asz_identity_short(datagram->payload + id_at, validator.public_key);
  asz_mac_make(datagram->payload + mac_at, session.request_key, datagram->payload, mac_at);
}

static void try_stamp(struct asz_datagram *datagram, uint8_t choice) {
  struct asz_stamp_path path = {.authority = authority, .limiter = limiter, .lanes = lanes, .plain_allowed = true};
  struct asz_stamp_grant grant;
  if (choice & SEAL)
    seal(datagram, ASZ_TLV_AT_EPOCH, ASZ_TLV_AT_VALIDATOR, ASZ_TLV_AT_MAC, 100u + (choice >> 4));
  if ((choice & SEAL) && asz_stamp_auth_find(datagram->payload, datagram->size_bytes))
    asz_stamp_auth_seal(lanes, &hmac, datagram->payload);
  const enum asz_resp_counter outcome = asz_stamp_path_admit(&path, datagram, 0, &grant);
  const bool tlv = outcome == ASZ_RESP_ANSWERED_TLV, auth = outcome == ASZ_RESP_ANSWERED_AUTH;
  if (!tlv && !auth && outcome != ASZ_RESP_ANSWERED_PLAIN)
    return;
  FUZZ_CHECK(!(choice & REFLECTOR));
  FUZZ_CHECK((!tlv && !auth) || (choice & SEAL));
  const uint32_t size_bytes = datagram->size_bytes;
  asz_stamp_path_finish(datagram, &grant, 2000);
  FUZZ_CHECK(datagram->size_bytes == size_bytes);
  FUZZ_CHECK(!auth || asz_stamp_auth_verify(lanes, &hmac, datagram->payload));
  /* a reply is no request */
  FUZZ_CHECK(!tlv || asz_stamp_path_admit(&path, datagram, 0, &grant) == ASZ_RESP_DROPPED_FORMAT);
  FUZZ_CHECK(!auth || asz_stamp_path_admit(&path, datagram, 0, &grant) == ASZ_RESP_DROPPED_LOOP);
}

static void try_challenge(struct asz_datagram *datagram, uint8_t choice, struct asz_replay *replay) {
  struct asz_challenge_path path = {.authority = authority,
                                    .limiter = limiter,
                                    .challenge_rate = asz_rate_make(1000, 1000),
                                    .replay = replay,
                                    .seq_log2_max = STEPS_MAX};
  static struct asz_job job;
  enum { EPOCH_AT = 8, VALIDATOR_AT = 24 };
  if (choice & SEAL)
    seal(datagram, EPOCH_AT, VALIDATOR_AT, ASZ_CHALLENGE_MAC_AT, 100u + (choice >> 4));
  const struct asz_datagram question = *datagram;
  if (asz_challenge_path_admit(&path, datagram, 0, &job) != ASZ_RESP_ANSWERED_CHALLENGES)
    return;
  FUZZ_CHECK((choice & SEAL) && !(choice & REFLECTOR));
  FUZZ_CHECK(job.challenge.param <= STEPS_MAX);
  job.answer_bytes = asz_prove_answer(job.answer, &job.challenge, &provider, job.validator_pk, job.reply_key, ASZ_PROVE_HONEST);
  struct asz_datagram answer;
  asz_challenge_path_answered(&job, &answer);
  FUZZ_CHECK(answer.size_bytes == question.size_bytes);
  FUZZ_CHECK(asz_challenge_path_admit(&path, datagram, 0, &job) == ASZ_RESP_ANSWERED_AGAIN);
  FUZZ_CHECK(memcmp(datagram->payload, answer.payload, answer.size_bytes) == 0);
  FUZZ_CHECK(asz_challenge_path_admit(&path, datagram, 0, &job) == ASZ_RESP_DROPPED_FORMAT); /* an answer is no challenge */
}

static void with_replay_cache(struct asz_datagram *datagram, uint8_t choice) {
  const uint8_t hash_key[16] = {4};
  struct asz_replay *replay;
  FUZZ_CHECK(asz_replay_new(&replay, hash_key) == 0);
  try_challenge(datagram, choice, replay);
  asz_replay_free(replay);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  if (size_bytes == 0 || size_bytes > 1u + ASZ_UDP_PAYLOAD_MAX)
    return 0;
  const uint8_t choice = data[0];
  struct asz_datagram datagram = {.ends = {.peer = asz_address_ipv4(0x0a000001), .peer_port = choice & REFLECTOR ? 862 : 50000},
                                  .rx_ns = 1000};
  if (choice & IPV6)
    datagram.ends.peer = asz_address_ipv6((const uint8_t[16]){0x20, 1, 0xd, 0xb8, [15] = 1});
  datagram.size_bytes = (uint32_t)(size_bytes - 1);
  memcpy(datagram.payload, data + 1, size_bytes - 1);
  begin();
  if (choice & CHALLENGE)
    with_replay_cache(&datagram, choice);
  else
    try_stamp(&datagram, choice);
  finish();
  return 0;
}
