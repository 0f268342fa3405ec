/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sched: which target probe i of a shard goes to, without a table.
 *
 * Probe i belongs to round i / count and goes to first + permute(key of shard and round, i % count) with sequence = round. The
 * walk below is incremental, so the loop never divides; asz_sched_target gives the same answer for any i, for whoever checks a
 * run afterwards. */
#ifndef ASZ_DATAPLANE_SCHED_H
#define ASZ_DATAPLANE_SCHED_H

#include <stdint.h>

#include "dataplane/permute.h"
#include "dataplane/shard.h"

struct asz_sched {
  struct asz_permute permute; /* of the current round */
  struct asz_shard shard;
  uint32_t round;
  uint32_t position; /* in the round: 0..count - 1 */
  uint8_t secret[32];
};

/* asz_sched_init: a shard of 1..2^24 targets; the epoch's secret is copied. */
void asz_sched_init(struct asz_sched *ret_sched, const struct asz_shard *shard, const uint8_t secret[32]);

/* asz_sched_next: the next `size` probes, in order. One keyed hash at each round's start, no division. */
void asz_sched_next(struct asz_sched *sched, uint32_t *ret_target, uint32_t *ret_seq, uint32_t size);

/* asz_sched_target: target of the shard's probe `index`; pure, slow (derives the round's key). *ret_seq may be NULL. */
uint32_t asz_sched_target(const struct asz_shard *shard, const uint8_t secret[32], uint64_t index, uint32_t *ret_seq);

#endif
