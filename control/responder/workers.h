/* SPDX-License-Identifier: Apache-2.0 */
/* asz_workers: threads that make proofs, so that no proof delays a STAMP reply.
 *
 * A worker does one thing: job -> its answer -> job. Everything else (who may ask, caches, counters, sockets) stays in the main
 * thread, so nothing but this queue is shared. Jobs live in a pool taken at start; each kind has its own first-in first-out list
 * and a worker takes the lowest kind first, so that a `sig` (microseconds) never waits behind the queue of `seq` (a second).
 *
 * Jobs with a work (gemm, mem: seconds) have one list and one thread of their own, in the order in which they were asked. It
 * shares the loops of each out among as many threads as there are workers, so two of them side by side would win nothing, and
 * `sig` and `seq` never wait for them. A finished job makes the descriptor of asz_workers_fd readable. */
#ifndef ASZ_CONTROL_RESPONDER_WORKERS_H
#define ASZ_CONTROL_RESPONDER_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/responder/receipts.h"
#include "control/responder/replay.h"
#include "control/responder/work.h"
#include "dataplane/base/address.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/enrol.h"
#include "dataplane/base/identity.h"
#include "dataplane/base/opening.h"
#include "gpu/prove/prove.h"

enum asz_job_type {
  ASZ_JOB_ANSWER,  /* of `challenge`, by `work` for gemm and mem */
  ASZ_JOB_WELCOME, /* all of `welcome` but its signature; challenge is all zero */
  ASZ_JOB_OPEN,    /* `open` of `work`, whose challenge is here again */
  ASZ_JOB_RECEIPT, /* to `ask`, of `window`; challenge is all zero */
};

struct asz_job {
  enum asz_job_type type;
  struct asz_challenge challenge;
  uint8_t validator_pk[32];
  uint8_t reply_key[16];
  struct asz_replay_entry *entry; /* the main thread's; a worker does not look at it */
  struct asz_ends ends;           /* as in asz_datagram */
  struct asz_work *work;          /* NULL: sig, seq, WELCOME and RECEIPT */
  struct asz_welcome welcome;
  struct asz_open open;
  struct asz_ask ask;
  const struct asz_window *window;
  uint64_t aside_ns, spent_ns; /* asz_duty's, of a job with a work: when it was taken, and after it */
  size_t answer_bytes;         /* 0 until proved, and of an OPEN */
  uint8_t answer[ASZ_ANSWER_MAX_BYTES];
};

struct asz_workers;

enum { ASZ_WORKERS_MAX = 256 };

/* asz_workers_new starts `count` threads (1..ASZ_WORKERS_MAX), and another one when there will be jobs with a work, and takes
 * room for `capacity` jobs, waiting and running. `provider` is kept by reference and outlives the workers. All signals are
 * blocked in the threads. ASZ_ENOMEM, ASZ_EIO. */
ASZ_MUST_CHECK int asz_workers_new(struct asz_workers **ret_workers, unsigned count, unsigned capacity,
                                   const struct asz_identity *provider, enum asz_prove_mode mode, bool with_works);
/* asz_workers_submit copies the job. ASZ_EAGAIN when the pool is used up. */
ASZ_MUST_CHECK int asz_workers_submit(struct asz_workers *workers, const struct asz_job *job);
/* asz_workers_poll: true and *ret_job = the oldest finished job; false when there is none (and the descriptor is quiet). */
bool asz_workers_poll(struct asz_workers *workers, struct asz_job *ret_job);
int asz_workers_fd(const struct asz_workers *workers);
/* asz_workers_free: waiting jobs are given up, running ones finish first (a chain of 2^20 steps: under a second;
 * gemm and mem: what their preset takes). */
void asz_workers_free(struct asz_workers *workers);

#endif
