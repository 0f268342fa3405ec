/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/open_path.h"

#include <assert.h>
#include <string.h>

#include "control/responder/token.h"

enum asz_resp_counter asz_open_path_hello(struct asz_challenge_path *path, const struct asz_hello *hello, struct asz_job *job) {
  struct asz_welcome *welcome = &job->welcome;
  if (hello->device >= path->declaration.devices)
    return ASZ_RESP_DROPPED_CONSENT;
  job->type = ASZ_JOB_WELCOME;
  welcome->epoch = hello->epoch;
  welcome->device = hello->device;
  welcome->declaration = path->declaration;
  welcome->declaration.free_bytes = path->works ? asz_works_free_bytes(path->works, hello->validator_id, hello->device) : 0;
  memcpy(welcome->provider_id, path->provider_id, sizeof welcome->provider_id);
  memcpy(welcome->nonce, hello->nonce, sizeof welcome->nonce);
  asz_token_make(welcome->token, path->token_secret, &job->ends.peer, hello->validator_id, hello->epoch);
  return ASZ_RESP_ANSWERED_CHALLENGES;
}

bool asz_open_path_token_right(const struct asz_challenge_path *path, const struct asz_open *open, const struct asz_ends *ends) {
  return asz_token_check(open->token, path->token_secret, &ends->peer, open->validator_id, open->epoch);
}

static bool send_chunks(struct asz_challenge_path *path, const struct asz_job *job) {
  struct asz_chunks_request request = {.work = job->work, .open = job->open, .ends = job->ends};
  memcpy(request.reply_key, job->reply_key, sizeof request.reply_key);
  return asz_chunks_push(&path->chunks, &request);
}

static struct asz_work_answer *answer_of(const struct asz_job *job) {
  return &job->work->answer[asz_work_part_of(job->open.kind, job->open.param)];
}

enum asz_resp_counter asz_open_path_open(struct asz_challenge_path *path, const struct asz_open *open, uint64_t now_ns,
                                         struct asz_job *job) {
  struct asz_work_answer *answer = path->works ? asz_works_find(path->works, open, now_ns, &job->work) : NULL;
  if (!answer)
    return ASZ_RESP_DROPPED_NO_COMMIT;
  if (answer->opened != ASZ_OPENED_NOT &&
      (answer->openings != open->openings || memcmp(answer->rho, open->rho, sizeof answer->rho) != 0))
    return ASZ_RESP_DROPPED_REOPEN;
  job->type = ASZ_JOB_OPEN;
  job->open = *open;
  if (answer->opened == ASZ_OPENED_READY)
    return send_chunks(path, job) ? ASZ_RESP_ANSWERED_OPENINGS : ASZ_RESP_DROPPED_QUEUE_FULL;
  if (job->work->pins > 0)
    return ASZ_RESP_DROPPED_IN_PROGRESS;
  answer->opened = ASZ_OPENED_WORKING;
  answer->openings = open->openings;
  memcpy(answer->rho, open->rho, sizeof answer->rho);
  job->work->pins++;
  return ASZ_RESP_ANSWERED_CHALLENGES;
}

void asz_open_path_opened(struct asz_challenge_path *path, const struct asz_job *job) {
  assert(job->work->pins >= 1);
  job->work->pins--;
  answer_of(job)->opened = ASZ_OPENED_READY;
  (void)send_chunks(path, job); /* with the queue full it is as if the request had been lost */
}

void asz_open_path_refused(const struct asz_job *job) {
  assert(job->work->pins >= 1);
  job->work->pins--;
  answer_of(job)->opened = ASZ_OPENED_NOT;
}
