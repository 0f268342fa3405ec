/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's two packet paths. Input: byte 0 chooses (bit 0: challenge port instead of STAMP; bit 1: put the right MAC or
 * HMAC on it; bit 2: the source is a reflector's port; bit 3: over IPv6; bits 4..7: the epoch's offset), the rest is the
 * datagram.
 *
 * With the right MAC the fuzzer gets behind the check that it could never pass by itself. What must hold: an answer is as long as
 * its question, but for the chunks of an opening, and no more of those than were asked for; plain and sealed answers and new work
 * only for what deserves them; one question leads to a bounded number of proofs. */
#include <string.h>

#include "control/responder/challenge_path.h"
#include "control/responder/stamp_path.h"
#include "control/responder/token.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/head.h"
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

enum { TYPE_AT = 5, EPOCH_AT = 8, VALIDATOR_AT = 24, TOKEN_AT = 48 };

static size_t mac_at(const struct asz_datagram *datagram) {
  if (datagram->payload[TYPE_AT] == ASZ_MESSAGE_HELLO)
    return ASZ_ENROL_MAC_AT;
  return datagram->payload[TYPE_AT] == ASZ_MESSAGE_OPEN ? ASZ_OPEN_MAC_AT : ASZ_CHALLENGE_MAC_AT;
}

/* The worker's part. True when a datagram comes of it. */
static bool work(struct asz_challenge_path *path, struct asz_job *job, struct asz_datagram *ret_answer) {
  enum asz_resp_counter answered_as;
  job->answer_bytes = ASZ_ENROL_BYTES;
  if (job->type == ASZ_JOB_OPEN)
    asz_work_open(job->work, &job->open, &provider, ASZ_PROVE_HONEST);
  else if (job->type == ASZ_JOB_WELCOME)
    asz_welcome_write(job->answer, &job->welcome, job->reply_key);
  else if (job->work)
    job->answer_bytes =
        asz_work_answer(job->work, job->answer, &job->challenge, &provider, job->validator_pk, job->reply_key, ASZ_PROVE_HONEST);
  else
    job->answer_bytes =
        asz_prove_answer(job->answer, &job->challenge, &provider, job->validator_pk, job->reply_key, ASZ_PROVE_HONEST);
  return asz_challenge_path_answered(path, job, 0, ret_answer, &answered_as);
}

/* So that an OPEN finds what it asks about: the challenge that it names is asked and answered first. An even first byte of its
 * token becomes the right token. */
static void prepare_open(struct asz_challenge_path *path, struct asz_datagram *datagram, struct asz_job *job) {
  struct asz_open open;
  if (asz_open_read(&open, datagram->payload, datagram->size_bytes) != 0)
    return;
  if (open.token[0] % 2 == 0)
    asz_token_make(datagram->payload + TOKEN_AT, path->token_secret, &datagram->ends.peer, open.validator_id, open.epoch);
  struct asz_session session;
  asz_session_derive(&session, shared, open.epoch, validator.public_key, provider.public_key);
  asz_mac_make(datagram->payload + ASZ_OPEN_MAC_AT, session.request_key, datagram->payload, ASZ_OPEN_MAC_AT);
  struct asz_challenge challenge = {
      .kind = open.kind, .param = open.param, .epoch = open.epoch, .slot = open.slot, .device = open.device};
  memcpy(challenge.validator_id, open.validator_id, sizeof challenge.validator_id);
  memcpy(challenge.nonce, open.nonce, sizeof challenge.nonce);
  struct asz_datagram asked = {.ends = datagram->ends}, answer;
  asked.size_bytes = (uint32_t)asz_challenge_write(asked.payload, &challenge, session.request_key);
  if (asz_challenge_path_admit(path, &asked, 0, job) == ASZ_RESP_ANSWERED_CHALLENGES)
    FUZZ_CHECK(work(path, job, &answer));
}

/* At most as many as were asked for, each in form. */
static void check_chunks(struct asz_challenge_path *path, const struct asz_open *open) {
  unsigned count = 0;
  for (; asz_chunks_waiting(&path->chunks); count++) {
    struct asz_datagram chunk;
    struct asz_opening_chunk read;
    FUZZ_CHECK(asz_chunks_next(&path->chunks, path->limiter, path->provider_id, 0, &chunk) == ASZ_RESP_ANSWERED_OPENINGS);
    FUZZ_CHECK(asz_opening_read(&read, chunk.payload, chunk.size_bytes) == 0 && asz_opening_answers(&read, open));
  }
  FUZZ_CHECK(count >= 1 && count <= open->chunk_count);
}

static void try_challenge(struct asz_datagram *datagram, uint8_t choice, struct asz_challenge_path *path) {
  static struct asz_job job;
  const bool is_open = asz_head_type(datagram->payload, datagram->size_bytes) == ASZ_MESSAGE_OPEN;
  if (choice & SEAL)
    seal(datagram, EPOCH_AT, VALIDATOR_AT, mac_at(datagram), 100u + (choice >> 4));
  if ((choice & SEAL) && is_open)
    prepare_open(path, datagram, &job);
  const struct asz_datagram question = *datagram;
  if (asz_challenge_path_admit(path, datagram, 0, &job) != ASZ_RESP_ANSWERED_CHALLENGES)
    return;
  FUZZ_CHECK((choice & SEAL) && !(choice & REFLECTOR));
  FUZZ_CHECK(job.challenge.kind != ASZ_KIND_SEQ || job.challenge.param <= STEPS_MAX);
  struct asz_datagram answer;
  if (!work(path, &job, &answer)) {
    FUZZ_CHECK(job.type == ASZ_JOB_OPEN);
    check_chunks(path, &job.open);
    FUZZ_CHECK(asz_challenge_path_admit(path, datagram, 0, &job) == ASZ_RESP_ANSWERED_OPENINGS);
    return;
  }
  FUZZ_CHECK(answer.size_bytes == question.size_bytes);
  if (job.type == ASZ_JOB_WELCOME)
    return;
  FUZZ_CHECK(asz_challenge_path_admit(path, datagram, 0, &job) == ASZ_RESP_ANSWERED_AGAIN);
  FUZZ_CHECK(memcmp(datagram->payload, answer.payload, answer.size_bytes) == 0);
  FUZZ_CHECK(asz_challenge_path_admit(path, datagram, 0, &job) == ASZ_RESP_DROPPED_FORMAT); /* an answer is no challenge */
}

static void with_memory(struct asz_datagram *datagram, uint8_t choice) {
  static struct asz_challenge_path path; /* its queue is large */
  const uint8_t hash_key[16] = {4};
  memset(&path, 0, sizeof path);
  path.authority = authority;
  path.limiter = limiter;
  path.challenge_rate = asz_rate_make(1000, 1000);
  path.declaration = (struct asz_declaration){.consent = (2u << ASZ_KIND_MAX) - 2,
                                              .devices = 4,
                                              .seq_log2_max = STEPS_MAX,
                                              .gemm_preset_max = ASZ_GEMM_PRESET_TINY,
                                              .mem_preset = ASZ_GEMM_PRESET_TINY};
  path.duty = asz_duty_make(ASZ_DUTY_PPM_MAX);
  FUZZ_CHECK(asz_replay_new(&path.replay, hash_key) == 0);
  FUZZ_CHECK(asz_works_new(&path.works, 1 << 20, 1) == 0);
  try_challenge(datagram, choice, &path);
  asz_works_free(path.works);
  asz_replay_free(path.replay);
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
    with_memory(&datagram, choice);
  else
    try_stamp(&datagram, choice);
  finish();
  return 0;
}
