/* SPDX-License-Identifier: Apache-2.0 */
/* asz_work: one piece of gemm or mem work and what must be kept of it until it was opened: a prover's memory, what was asked,
 * what was answered, and the blob of the opening, so that every OPEN for it gets the very same bytes.
 *
 * Pins count what still needs the work: a job in flight, chunks that wait to be sent. A job begins at 0 only, so there is one of
 * a work at a time; prover, and seed, body and blob of the job's part are its thread's meanwhile, and all else the main thread's.
 */
#ifndef ASZ_CONTROL_RESPONDER_WORK_H
#define ASZ_CONTROL_RESPONDER_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/challenge.h"
#include "dataplane/base/identity.h"
#include "dataplane/base/opening.h"
#include "gpu/prove/mem.h"
#include "gpu/prove/prove.h"

enum { ASZ_WORK_BODY_BYTES = 64 };

/* The two answers that a work can give: a gemm commit or the build of an arena; a fold of it. */
enum asz_work_part { ASZ_WORK_BASE, ASZ_WORK_FOLD, ASZ_WORK_PARTS };

enum asz_opened { ASZ_OPENED_NOT = 0, ASZ_OPENED_WORKING, ASZ_OPENED_READY };

struct asz_work_answer {
  bool given; /* all of this is valid */
  struct asz_challenge asked;
  uint8_t seed[32], body[ASZ_WORK_BODY_BYTES];
  enum asz_opened opened;
  uint8_t openings, rho[32]; /* that it was opened with, for good */
  uint8_t *blob;             /* room for ASZ_OPENINGS_MAX openings, in the work's memory */
};

struct asz_work {
  struct asz_work_answer answer[ASZ_WORK_PARTS];
  unsigned pins;
  uint64_t used_ns; /* monotonic */
  void *memory;
  size_t bytes;
  struct asz_prove_gemm *gemm; /* one of the two */
  struct asz_prove_mem *mem;
};

enum asz_work_part asz_work_part_of(unsigned kind, unsigned param);

/* asz_work_answer: makes the answer datagram of a challenge to this work and keeps seed and body in its part, which is `given`
 * only when the main thread says so. Returns its size. Cost: the whole gemm, or reading the arena once. */
size_t asz_work_answer(struct asz_work *work, uint8_t *ret_datagram, const struct asz_challenge *challenge,
                       const struct asz_identity *provider, const uint8_t validator_pk[32], const uint8_t reply_key[16],
                       enum asz_prove_mode mode);
/* asz_work_open: fills the blob of the part that was asked, signature included. ASZ_PROVE_WRONG: a column that was not what was
 * committed to. */
void asz_work_open(struct asz_work *work, const struct asz_open *open, const struct asz_identity *provider,
                   enum asz_prove_mode mode);

#endif
