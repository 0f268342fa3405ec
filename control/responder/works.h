/* SPDX-License-Identifier: Apache-2.0 */
/* asz_works: the gemm and mem work that is kept, within the memory that the operator gives.
 *
 * A gemm commit has a work of its own, kept until it is the one used longest ago and room is needed. An arena belongs to one
 * validator and device: its next build replaces it, nobody else's does. It gives way only once it was not used for
 * ASZ_WORKS_IDLE_NS: its validator is gone. What has a job in flight stays. The main thread's. */
#ifndef ASZ_CONTROL_RESPONDER_WORKS_H
#define ASZ_CONTROL_RESPONDER_WORKS_H

#include "control/responder/work.h"
#include "dataplane/base/err.h"

enum { ASZ_WORKS_MAX = 64 };
#define ASZ_WORKS_IDLE_NS (UINT64_C(7200) * 1000000000)

struct asz_works;

/* asz_works_bytes: memory of one work of a kind and preset, its openings included. */
size_t asz_works_bytes(unsigned kind, unsigned preset, unsigned threads);

/* asz_works_new: budget_bytes for all works, taken as they come; each is worked on by `threads` threads. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_works_new(struct asz_works **ret_works, uint64_t budget_bytes, unsigned threads);
void asz_works_free(struct asz_works *works);
/* asz_works_use: each work from now on has a device that `open` opens, beside its memory here. One that does not open (too little
 * memory there) leaves its work to the CPU; after one that failed at work none is opened any more. Each is logged once. */
void asz_works_use(struct asz_works *works, asz_prove_device_open_fn *open);
/* asz_works_free_bytes: of the budget, for an arena of this validator and device: what no other arena holds. */
uint64_t asz_works_free_bytes(const struct asz_works *works, const uint8_t validator_id[8], uint32_t device);

/* asz_works_begin: the work for a new challenge of kind gemm or mem, pinned; what it answered before in that part (a build: in
 * both) is forgotten. ASZ_ENOMEM: no room; ASZ_ENOENT: a fold without an arena of its validator, device, preset and epoch;
 * ASZ_EAGAIN: that arena has a job in flight. */
ASZ_MUST_CHECK int asz_works_begin(struct asz_works *works, const struct asz_challenge *challenge, uint64_t now_ns,
                                   struct asz_work **ret_work);
/* asz_works_answered: the job of asz_works_begin is done; asz_works_refused: it was not taken. The pin is gone. */
void asz_works_answered(struct asz_work *work, const struct asz_challenge *challenge);
void asz_works_refused(struct asz_works *works, struct asz_work *work);

/* asz_works_find: the answer that an OPEN asks about, and its work; NULL when there is none (any more). */
struct asz_work_answer *asz_works_find(struct asz_works *works, const struct asz_open *open, uint64_t now_ns,
                                       struct asz_work **ret_work);

#endif
