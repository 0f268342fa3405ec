/* SPDX-License-Identifier: Apache-2.0 */
/* asz_proofs: the whole challenge side of the responder behind one datagram interface: who may ask, what was asked before, and
 * the workers. A socket and a DPDK port feed it alike. One thread owns it; workers only make proofs. */
#ifndef ASZ_CONTROL_RESPONDER_PROOFS_H
#define ASZ_CONTROL_RESPONDER_PROOFS_H

#include <stdbool.h>
#include <stdint.h>

#include "control/responder/challenge_path.h"
#include "control/responder/options.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"
#include "dataplane/base/identity.h"

struct asz_proofs {
  struct asz_replay *replay;
  struct asz_works *works; /* NULL without consent to gemm and mem */
  struct asz_workers *workers;
  struct asz_receipts *receipts; /* the STAMP path notes replies there */
  struct asz_challenge_path path;
  struct asz_job job; /* of the challenge in hand; too large for the stack of a loop */
};

/* asz_proofs_open starts the workers; options went through asz_options_check and asz_prover_check; authority, limiter and
 * identity are the caller's and outlive it. hash_key: 16 random bytes. ASZ_ENOMEM, ASZ_EIO, or ASZ_EDEVICE with a line. A zeroed
 * struct may be closed. */
ASZ_MUST_CHECK int asz_proofs_open(struct asz_proofs *ret_proofs, const struct asz_options *options,
                                   const struct asz_identity *identity, struct asz_authority *authority,
                                   struct asz_limiter *limiter, const uint8_t hash_key[16], struct asz_diag *diag);
void asz_proofs_close(struct asz_proofs *proofs);
int asz_proofs_fd(const struct asz_proofs *proofs); /* readable when asz_proofs_next has something */

/* asz_proofs_admit decides on a question: ASZ_RESP_ANSWERED_CHALLENGES: a worker has it; ASZ_RESP_ANSWERED_AGAIN: the datagram
 * now holds its answer; ASZ_RESP_ANSWERED_OPENINGS: asz_proofs_next has its chunks; else the counter of its drop. */
enum asz_resp_counter asz_proofs_admit(struct asz_proofs *proofs, struct asz_datagram *datagram, uint64_t now_ns);
/* asz_proofs_next: true and the oldest finished answer or the next chunk of an opening, with what it is counted as when it is
 * sent; or ASZ_RESP_DROPPED_RATE and no datagram: chunks that their source may not have. False when there is nothing. */
bool asz_proofs_next(struct asz_proofs *proofs, uint64_t now_ns, struct asz_datagram *ret_datagram,
                     enum asz_resp_counter *ret_outcome);
/* asz_proofs_waiting: asz_proofs_next has something, though no descriptor says so. */
bool asz_proofs_waiting(const struct asz_proofs *proofs);

#endif
