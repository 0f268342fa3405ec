/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/challenge_path.h"

#include <assert.h>
#include <string.h>

#include "dataplane/base/challenge.h"

/* Byte 4 of magic(4) | version(1); read before the whole is, so that an unknown version has a counter of its own. */
enum { VERSION_AT = 4, VERSION = 1 };

static const uint8_t magic[4] = {'A', 'S', 'Z', 'C'};

static enum asz_resp_counter check_form(const struct asz_datagram *datagram, struct asz_challenge *ret_challenge) {
  const uint8_t *payload = datagram->payload;
  if (datagram->size_bytes < ASZ_CHALLENGE_HEAD_BYTES)
    return ASZ_RESP_DROPPED_SHORT;
  if (datagram->size_bytes > ASZ_DATAGRAM_MAX_BYTES)
    return ASZ_RESP_DROPPED_LONG;
  if (memcmp(payload, magic, sizeof magic) == 0 && payload[VERSION_AT] != VERSION)
    return ASZ_RESP_DROPPED_VERSION;
  if (asz_challenge_read(ret_challenge, payload, datagram->size_bytes) != 0)
    return ASZ_RESP_DROPPED_FORMAT;
  if (datagram->ends.peer_port < ASZ_SENDER_PORT_MIN)
    return ASZ_RESP_DROPPED_LOOP;
  return ASZ_RESP_ANSWERED_CHALLENGES;
}

static void set_payload(struct asz_datagram *datagram, const uint8_t *payload, size_t size_bytes) {
  assert(size_bytes <= sizeof datagram->payload);
  memcpy(datagram->payload, payload, size_bytes);
  datagram->size_bytes = (uint32_t)size_bytes;
}

/* What a genuine challenge still has to pass; *ret_entry is set for new work and for what was answered before. */
static enum asz_resp_counter admit_genuine(struct asz_challenge_path *path, struct asz_validator *validator,
                                           const struct asz_challenge *challenge, uint64_t now_ns,
                                           struct asz_replay_entry **ret_entry) {
  if (!asz_rate_take(&path->challenge_rate, &validator->challenge_next_ns, now_ns))
    return ASZ_RESP_DROPPED_CHALLENGE_RATE;
  if (challenge->kind > ASZ_KIND_SINGLE_MAX)
    return ASZ_RESP_DROPPED_CONSENT;
  if (challenge->kind == ASZ_KIND_SEQ && challenge->param > path->seq_log2_max)
    return ASZ_RESP_DROPPED_STEPS;
  switch (asz_replay_look(path->replay, challenge, ret_entry)) {
  case 0:
    return ASZ_RESP_ANSWERED_CHALLENGES;
  case ASZ_EEXIST:
    return (*ret_entry)->state == ASZ_REPLAY_ANSWERED ? ASZ_RESP_ANSWERED_AGAIN : ASZ_RESP_DROPPED_IN_PROGRESS;
  case ASZ_ERANGE:
    return ASZ_RESP_DROPPED_NONCES;
  default:
    return ASZ_RESP_DROPPED_QUEUE_FULL;
  }
}

enum asz_resp_counter asz_challenge_path_admit(struct asz_challenge_path *path, struct asz_datagram *datagram, uint64_t now_ns,
                                               struct asz_job *ret_job) {
  struct asz_challenge challenge;
  enum asz_resp_counter outcome = check_form(datagram, &challenge);
  if (outcome != ASZ_RESP_ANSWERED_CHALLENGES)
    return outcome;
  if (!asz_limiter_take(path->limiter, &datagram->ends.peer, now_ns))
    return ASZ_RESP_DROPPED_RATE;
  struct asz_validator *validator = asz_authority_find(path->authority, challenge.validator_id);
  if (!validator)
    return ASZ_RESP_DROPPED_UNAUTHORISED;
  struct asz_session session;
  const int err = asz_authority_check(path->authority, validator, challenge.epoch, datagram->payload + ASZ_CHALLENGE_MAC_AT,
                                      datagram->payload, ASZ_CHALLENGE_MAC_AT, now_ns, &session);
  if (err)
    return asz_resp_counter_of_auth(err);

  struct asz_replay_entry *entry = NULL;
  outcome = admit_genuine(path, validator, &challenge, now_ns, &entry);
  if (outcome == ASZ_RESP_ANSWERED_AGAIN)
    set_payload(datagram, entry->answer, entry->answer_bytes);
  if (outcome == ASZ_RESP_ANSWERED_CHALLENGES) {
    ret_job->challenge = challenge;
    memcpy(ret_job->validator_pk, validator->public_key, sizeof ret_job->validator_pk);
    memcpy(ret_job->reply_key, session.reply_key, sizeof ret_job->reply_key);
    ret_job->entry = entry;
    ret_job->ends = datagram->ends;
    ret_job->answer_bytes = 0;
  }
  return outcome;
}

void asz_challenge_path_answered(const struct asz_job *job, struct asz_datagram *ret_datagram) {
  asz_replay_answer(job->entry, job->answer, job->answer_bytes);
  ret_datagram->ends = job->ends;
  ret_datagram->ttl = 0;
  ret_datagram->rx_ns = 0;
  set_payload(ret_datagram, job->answer, job->answer_bytes);
}

void asz_challenge_path_refused(const struct asz_job *job) {
  asz_replay_forget(job->entry);
}
