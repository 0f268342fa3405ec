/* SPDX-License-Identifier: Apache-2.0 */
/* asz_challenge_path: what happens to one datagram on the challenge port, without sockets, threads or a clock.
 *
 * `admit` decides in this order: size, version, contents, rate of the source; then validator, MAC and epoch as for STAMP; only
 * then, for genuine questions, an OPEN's token, the rate of the validator (before the MAC anybody could use up a validator's
 * share by writing its name), what the provider consents to, and whether it was asked before; last what new work costs, in time
 * and in memory. What is to be worked on leaves as a job, which the caller hands to a worker and brings back by `answered`, or
 * takes back by `refused` when there is no worker for it. */
#ifndef ASZ_CONTROL_RESPONDER_CHALLENGE_PATH_H
#define ASZ_CONTROL_RESPONDER_CHALLENGE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/responder/authority.h"
#include "control/responder/chunks.h"
#include "control/responder/counters.h"
#include "control/responder/datagram.h"
#include "control/responder/duty.h"
#include "control/responder/limiter.h"
#include "control/responder/replay.h"
#include "control/responder/workers.h"
#include "control/responder/works.h"
#include "dataplane/base/enrol.h"

struct asz_challenge_path {
  struct asz_authority *authority;
  struct asz_limiter *limiter;    /* of sources; shared with asz_stamp_path */
  struct asz_rate challenge_rate; /* of each validator */
  struct asz_replay *replay;
  struct asz_declaration declaration; /* what is consented to; free_bytes is filled in for each WELCOME */
  struct asz_works *works;            /* NULL without consent to gemm and mem */
  struct asz_duty duty;               /* of works */
  struct asz_chunks chunks;
  struct asz_receipts *receipts; /* shared with asz_stamp_path */
  uint8_t provider_id[8], token_secret[16];
};

/* asz_challenge_path_admit returns
 *   ASZ_RESP_ANSWERED_CHALLENGES  new work: *ret_job is complete but for its answer
 *   ASZ_RESP_ANSWERED_AGAIN       the datagram now holds the answer that was given before
 *   ASZ_RESP_ANSWERED_OPENINGS    chunks wait in path->chunks
 *   else                          the counter of its drop */
enum asz_resp_counter asz_challenge_path_admit(struct asz_challenge_path *path, struct asz_datagram *datagram, uint64_t now_ns,
                                               struct asz_job *ret_job);
/* asz_challenge_path_answered keeps what a finished job made, and makes the datagram that carries it: true, and what it is
 * counted as; false for an OPEN: its chunks wait. */
bool asz_challenge_path_answered(struct asz_challenge_path *path, const struct asz_job *job, uint64_t now_ns,
                                 struct asz_datagram *ret_datagram, enum asz_resp_counter *ret_answered_as);
/* asz_challenge_path_refused: the job was not taken; the same question may come again. */
void asz_challenge_path_refused(struct asz_challenge_path *path, const struct asz_job *job, uint64_t now_ns);

#endif
