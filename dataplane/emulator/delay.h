/* SPDX-License-Identifier: Apache-2.0 */
/* asz_delay: the delay line: things that leave when they are due. All memory is taken by asz_delay_new. One thread.
 *
 * Time goes in slots of ASZ_DELAY_SLOT_TICKS. Nothing leaves before it is due; what is asked for in time leaves less than a slot
 * after (how often pop is called is the caller's). What falls into one slot leaves in order of arrival, slots in order of time; a
 * push into the past is due at once. Only after a pause between two pops of more than 2^29 ticks is the order of what is overdue
 * by then not kept. */
#ifndef ASZ_DATAPLANE_EMULATOR_DELAY_H
#define ASZ_DATAPLANE_EMULATOR_DELAY_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"

enum { ASZ_DELAY_SLOT_TICKS = 512 }; /* 0.2 us at 2.5 GHz */

struct asz_delayed {
  void *what;           /* the caller's */
  uint64_t arrival_tsc; /* when its cause arrived */
  uint64_t number;      /* the caller's, as are provider and kind */
  uint32_t provider;
  uint32_t kind;
};

struct asz_delay;

/* asz_delay_new: capacity 1..2^28. ASZ_EINVAL, ASZ_ENOMEM. asz_delay_free does not touch what is still inside: pop it first. */
ASZ_MUST_CHECK int asz_delay_new(struct asz_delay **ret_delay, uint32_t capacity);
void asz_delay_free(struct asz_delay *delay);  /* NULL is fine */
size_t asz_delay_footprint(uint32_t capacity); /* bytes that asz_delay_new takes: 64 of each and 4.1 MiB */

/* asz_delay_push: ASZ_EAGAIN when full. due_tsc is at least a slot under 2^64. */
ASZ_MUST_CHECK int asz_delay_push(struct asz_delay *delay, uint64_t due_tsc, const struct asz_delayed *delayed);
/* asz_delay_pop takes the next that is due at now_tsc: 1 taken, 0 none. When now_tsc is less than at an earlier call, what was
 * due then may still come. UINT64_MAX empties the line. */
int asz_delay_pop(struct asz_delay *delay, uint64_t now_tsc, struct asz_delayed *ret_delayed);
uint32_t asz_delay_count(const struct asz_delay *delay);

#endif
