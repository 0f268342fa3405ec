/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/challenge_path.h"

#include <assert.h>
#include <string.h>

#include "control/responder/open_path.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/head.h"

/* What was asked, of whatever type. */
struct question {
  enum asz_message type;
  struct asz_challenge challenge;
  struct asz_hello hello;
  struct asz_open open;
  struct asz_ask ask;
  uint32_t epoch;
  const uint8_t *validator_id; /* in one of them */
  size_t mac_at;
};

static int read_question(struct question *ret_question, const uint8_t *payload, size_t size_bytes) {
  struct question *q = ret_question;
  int err = ASZ_EFORMAT;
  q->type = asz_head_type(payload, size_bytes);
  if (q->type == ASZ_MESSAGE_CHALLENGE && !(err = asz_challenge_read(&q->challenge, payload, size_bytes)))
    q->epoch = q->challenge.epoch, q->validator_id = q->challenge.validator_id, q->mac_at = ASZ_CHALLENGE_MAC_AT;
  if (q->type == ASZ_MESSAGE_HELLO && !(err = asz_hello_read(&q->hello, payload, size_bytes)))
    q->epoch = q->hello.epoch, q->validator_id = q->hello.validator_id, q->mac_at = ASZ_ENROL_MAC_AT;
  if (q->type == ASZ_MESSAGE_OPEN && !(err = asz_open_read(&q->open, payload, size_bytes)))
    q->epoch = q->open.epoch, q->validator_id = q->open.validator_id, q->mac_at = ASZ_OPEN_MAC_AT;
  if (q->type == ASZ_MESSAGE_ASK && !(err = asz_ask_read(&q->ask, payload, size_bytes)))
    q->epoch = q->ask.epoch, q->validator_id = q->ask.validator_id, q->mac_at = ASZ_RECEIPT_MAC_AT;
  return err;
}

static enum asz_resp_counter check_form(const struct asz_datagram *datagram, struct question *ret_question) {
  if (datagram->size_bytes < ASZ_CHALLENGE_HEAD_BYTES)
    return ASZ_RESP_DROPPED_SHORT;
  if (datagram->size_bytes > ASZ_DATAGRAM_MAX_BYTES)
    return ASZ_RESP_DROPPED_LONG;
  if (asz_head_other_version(datagram->payload, datagram->size_bytes))
    return ASZ_RESP_DROPPED_VERSION;
  if (read_question(ret_question, datagram->payload, datagram->size_bytes) != 0)
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

static enum asz_resp_counter check_consent(const struct asz_declaration *declaration, const struct asz_challenge *challenge) {
  if (!(declaration->consent >> challenge->kind & 1))
    return ASZ_RESP_DROPPED_CONSENT;
  if (challenge->kind == ASZ_KIND_SEQ && challenge->param > declaration->seq_log2_max)
    return ASZ_RESP_DROPPED_STEPS;
  if (challenge->kind > ASZ_KIND_SINGLE_MAX && challenge->device >= declaration->devices)
    return ASZ_RESP_DROPPED_CONSENT;
  if (challenge->kind == ASZ_KIND_GEMM && challenge->param > declaration->gemm_preset_max)
    return ASZ_RESP_DROPPED_CONSENT;
  if (challenge->kind == ASZ_KIND_MEM && !asz_mem_covers(declaration->mem_preset, asz_param_preset(challenge->param)))
    return ASZ_RESP_DROPPED_CONSENT;
  return ASZ_RESP_ANSWERED_CHALLENGES;
}

/* Time and memory for a new challenge of gemm or mem. */
static enum asz_resp_counter begin_work(struct asz_challenge_path *path, struct asz_job *job, uint64_t now_ns) {
  if (!asz_duty_take(&path->duty, now_ns, &job->aside_ns))
    return ASZ_RESP_DROPPED_DUTY;
  const int err = asz_works_begin(path->works, &job->challenge, now_ns, &job->work);
  if (!err)
    return ASZ_RESP_ANSWERED_CHALLENGES;
  asz_duty_spend(&path->duty, now_ns, job->aside_ns, 0);
  return err == ASZ_EAGAIN   ? ASZ_RESP_DROPPED_IN_PROGRESS
         : err == ASZ_ENOENT ? ASZ_RESP_DROPPED_NO_ARENA
                             : ASZ_RESP_DROPPED_MEMORY;
}

static enum asz_resp_counter admit_challenge(struct asz_challenge_path *path, const struct asz_challenge *challenge,
                                             struct asz_datagram *datagram, uint64_t now_ns, struct asz_job *job) {
  enum asz_resp_counter outcome = check_consent(&path->declaration, challenge);
  if (outcome != ASZ_RESP_ANSWERED_CHALLENGES)
    return outcome;
  struct asz_replay_entry *entry = NULL;
  switch (asz_replay_look(path->replay, challenge, &entry)) {
  case 0:
    break;
  case ASZ_EEXIST:
    if (entry->state != ASZ_REPLAY_ANSWERED)
      return ASZ_RESP_DROPPED_IN_PROGRESS;
    set_payload(datagram, entry->answer, entry->answer_bytes);
    return ASZ_RESP_ANSWERED_AGAIN;
  case ASZ_ERANGE:
    return ASZ_RESP_DROPPED_NONCES;
  default:
    return ASZ_RESP_DROPPED_QUEUE_FULL;
  }
  job->type = ASZ_JOB_ANSWER;
  job->challenge = *challenge;
  job->entry = entry;
  if (challenge->kind > ASZ_KIND_SINGLE_MAX)
    outcome = begin_work(path, job, now_ns);
  if (outcome != ASZ_RESP_ANSWERED_CHALLENGES)
    asz_replay_forget(entry);
  return outcome;
}

static enum asz_resp_counter admit_ask(const struct asz_challenge_path *path, const struct asz_ask *ask, size_t validator,
                                       struct asz_job *job) {
  job->window = asz_receipts_window(path->receipts, validator);
  if (!job->window)
    return ASZ_RESP_DROPPED_CONSENT;
  job->type = ASZ_JOB_RECEIPT;
  job->ask = *ask;
  return ASZ_RESP_ANSWERED_CHALLENGES;
}

enum asz_resp_counter asz_challenge_path_admit(struct asz_challenge_path *path, struct asz_datagram *datagram, uint64_t now_ns,
                                               struct asz_job *ret_job) {
  struct question question;
  enum asz_resp_counter outcome = check_form(datagram, &question);
  if (outcome != ASZ_RESP_ANSWERED_CHALLENGES)
    return outcome;
  if (!asz_limiter_take(path->limiter, &datagram->ends.peer, now_ns))
    return ASZ_RESP_DROPPED_RATE;
  struct asz_validator *validator = asz_authority_find(path->authority, question.validator_id);
  if (!validator)
    return ASZ_RESP_DROPPED_UNAUTHORISED;
  struct asz_session session;
  const int err = asz_authority_check(path->authority, validator, question.epoch, datagram->payload + question.mac_at,
                                      datagram->payload, question.mac_at, now_ns, &session);
  if (err)
    return asz_resp_counter_of_auth(err);
  if (question.type == ASZ_MESSAGE_OPEN && !asz_open_path_token_right(path, &question.open, &datagram->ends))
    return ASZ_RESP_DROPPED_TOKEN;
  if (!asz_rate_take(&path->challenge_rate, &validator->challenge_next_ns, now_ns))
    return ASZ_RESP_DROPPED_CHALLENGE_RATE;

  struct asz_job job;
  memset(&job, 0, offsetof(struct asz_job, answer));
  memcpy(job.validator_pk, validator->public_key, sizeof job.validator_pk);
  memcpy(job.reply_key, session.reply_key, sizeof job.reply_key);
  job.ends = datagram->ends;
  if (question.type == ASZ_MESSAGE_HELLO)
    outcome = asz_open_path_hello(path, &question.hello, &job);
  else if (question.type == ASZ_MESSAGE_OPEN)
    outcome = asz_open_path_open(path, &question.open, now_ns, &job);
  else if (question.type == ASZ_MESSAGE_ASK)
    outcome = admit_ask(path, &question.ask, asz_authority_number(path->authority, validator), &job);
  else
    outcome = admit_challenge(path, &question.challenge, datagram, now_ns, &job);
  if (outcome == ASZ_RESP_ANSWERED_CHALLENGES)
    memcpy(ret_job, &job, offsetof(struct asz_job, answer));
  return outcome;
}

bool asz_challenge_path_answered(struct asz_challenge_path *path, const struct asz_job *job, uint64_t now_ns,
                                 struct asz_datagram *ret_datagram, enum asz_resp_counter *ret_answered_as) {
  if (job->work)
    asz_duty_spend(&path->duty, now_ns, job->aside_ns, job->spent_ns);
  if (job->type == ASZ_JOB_OPEN) {
    asz_open_path_opened(path, job);
    return false;
  }
  if (job->work)
    asz_works_answered(job->work, &job->challenge);
  if (job->type == ASZ_JOB_ANSWER)
    asz_replay_answer(job->entry, job->answer, job->answer_bytes);
  ret_datagram->ends = job->ends;
  ret_datagram->ttl = 0;
  ret_datagram->rx_ns = 0;
  set_payload(ret_datagram, job->answer, job->answer_bytes);
  *ret_answered_as = job->type == ASZ_JOB_WELCOME   ? ASZ_RESP_ANSWERED_WELCOMES
                     : job->type == ASZ_JOB_RECEIPT ? ASZ_RESP_ANSWERED_RECEIPTS
                                                    : ASZ_RESP_ANSWERED_CHALLENGES;
  return true;
}

void asz_challenge_path_refused(struct asz_challenge_path *path, const struct asz_job *job, uint64_t now_ns) {
  if (job->work)
    asz_duty_spend(&path->duty, now_ns, job->aside_ns, 0);
  if (job->type == ASZ_JOB_OPEN)
    asz_open_path_refused(job);
  if (job->type == ASZ_JOB_ANSWER && job->work)
    asz_works_refused(path->works, job->work);
  if (job->type == ASZ_JOB_ANSWER)
    asz_replay_forget(job->entry);
}
