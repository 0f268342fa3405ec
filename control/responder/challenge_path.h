/* SPDX-License-Identifier: Apache-2.0 */
/* asz_challenge_path: what happens to one datagram on the challenge port, without sockets, threads or a clock.
 *
 * `admit` decides in this order: size, version, contents, rate of the source; then validator, MAC and epoch as for STAMP; only
 * then, for genuine challenges, the rate of the validator (before the MAC anybody could use up a validator's share by writing its
 * name), the length of the chain and the replay cache. What is to be worked on leaves as a job, which the caller hands to a
 * worker and brings back by `answered`, or takes back by `refused` when there is no worker for it. */
#ifndef ASZ_CONTROL_RESPONDER_CHALLENGE_PATH_H
#define ASZ_CONTROL_RESPONDER_CHALLENGE_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "control/responder/authority.h"
#include "control/responder/counters.h"
#include "control/responder/datagram.h"
#include "control/responder/limiter.h"
#include "control/responder/replay.h"
#include "control/responder/workers.h"

struct asz_challenge_path {
  struct asz_authority *authority;
  struct asz_limiter *limiter;    /* of sources; shared with asz_stamp_path */
  struct asz_rate challenge_rate; /* of each validator */
  struct asz_replay *replay;
  unsigned seq_log2_max; /* ASZ_SEQ_LOG2_MIN..ASZ_SEQ_LOG2_MAX */
};

/* asz_challenge_path_admit returns
 *   ASZ_RESP_ANSWERED_CHALLENGES  new work: *ret_job is complete but for its answer
 *   ASZ_RESP_ANSWERED_AGAIN       the datagram now holds the answer that was given before
 *   else                          the counter of its drop */
enum asz_resp_counter asz_challenge_path_admit(struct asz_challenge_path *path, struct asz_datagram *datagram, uint64_t now_ns,
                                               struct asz_job *ret_job);
/* asz_challenge_path_answered keeps the answer of a finished job and makes the datagram that carries it. */
void asz_challenge_path_answered(const struct asz_job *job, struct asz_datagram *ret_datagram);
/* asz_challenge_path_refused: the job was not taken; the same challenge may come again. */
void asz_challenge_path_refused(const struct asz_job *job);

#endif
