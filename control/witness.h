/* SPDX-License-Identifier: Apache-2.0 */
/* asz_witness: a witness of transparency logs (C2SP tlog-witness): it cosigns a checkpoint of a log that it knows when the log's
 * tree extends the one that it cosigned before, and never two trees that do not. HTTP is elsewhere (witness_http.h).
 *
 *   DIR/witness.key              its own Ed25519 key, 0600
 *   DIR/vkey                     its verifier key: the name, and what others put into their policies
 *   DIR/<hash>/state             of each log (SHA-256 of its origin, hex): the checkpoint that was cosigned last, by the log's
 * key DIR/<hash>/checkpoint        the same with the cosignature: what monitors ask for One process at a time (lock on
 * DIR/.lock), one thread. A copy of DIR that is older than what was cosigned must never be used again: a new key is the way out.
 */
#ifndef ASZ_CONTROL_WITNESS_H
#define ASZ_CONTROL_WITNESS_H

#include "control/tlog/add_checkpoint.h"
#include "control/tlog/policy.h"

struct asz_witness;

/* asz_witness_create makes DIR (0700) with a new key of this name. ASZ_EINVAL (the name), ASZ_EEXIST, ASZ_EIO. */
ASZ_MUST_CHECK int asz_witness_create(const char *dir, const char *name, struct asz_diag *diag);
/* asz_witness_open: logs (borrowed) are the policy's; its witnesses and quorum do not matter. ASZ_ENOENT when there is none in
 * DIR, ASZ_EAGAIN when another process has it, ASZ_EPERM, ASZ_EFORMAT, ASZ_EIO, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_witness_open(struct asz_witness **ret_witness, const char *dir, const struct asz_policy *logs,
                                    struct asz_diag *diag);
void asz_witness_close(struct asz_witness *witness);
const char *asz_witness_vkey(const struct asz_witness *witness);

/* What to answer over HTTP. */
struct asz_witness_answer {
  unsigned status;          /* 200, 400, 403, 404, 409, 422, 500 */
  const char *content_type; /* static */
  char *body;               /* heap, NULL: empty; to be freed with free */
  size_t body_bytes;
  struct asz_diag why; /* of a refusal: for the operator's log */
};

/* asz_witness_add_checkpoint judges one request. now_s: seconds since 1970, at least 1. When the status is 200 the checkpoint has
 * become the log's state, durably, before the cosignature was made. */
void asz_witness_add_checkpoint(struct asz_witness *witness, const char *body, size_t size_bytes, uint64_t now_s,
                                struct asz_witness_answer *ret_answer);
/* asz_witness_checkpoint: the cosigned checkpoint of the log whose origin hashes to `origin_hash` (64 lower-case hex digits), or
 * status 404. */
void asz_witness_checkpoint(struct asz_witness *witness, const char *origin_hash, struct asz_witness_answer *ret_answer);

#endif
