/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sched: which target probe i of a shard goes to, without a table.
 *
 * Probe i belongs to round i / count and goes to first + permute(key of shard and round, i % count) with sequence = round.
 *
 * In pairs a round is twice as long: it goes through the same order in blocks of `span` targets, each block twice, so that the
 * two probes to a target are span probes apart (fewer in the last, shorter block), with sequences 2 * round and 2 * round + 1.
 *
 * The walk below is incremental, so the loop never divides; asz_sched_target gives the same answer for any i, for whoever checks
 * a run afterwards. */
#ifndef ASZ_DATAPLANE_SCHED_H
#define ASZ_DATAPLANE_SCHED_H

#include <stdint.h>

#include "dataplane/permute.h"
#include "dataplane/shard.h"

struct asz_sched {
  struct asz_permute permute; /* of the current round */
  struct asz_shard shard;
  uint32_t span; /* targets to a block of pairs; 0: no pairs */
  uint32_t round;
  uint32_t position;            /* in the order: 0..count */
  uint32_t block_at, block_end; /* positions of the running block; of the whole round without pairs */
  uint32_t seq;                 /* of the running pass through it */
  uint8_t secret[32];
};

/* asz_sched_span: the span with which a shard's pairs are gap_ns apart at most, at rate_pps over all target_count targets; 0 for
 * no gap. Where probes in a row are further apart than that: 1, as close as they can be. Divides. */
uint32_t asz_sched_span(const struct asz_shard *shard, uint64_t rate_pps, uint32_t target_count, uint64_t gap_ns);

/* asz_sched_init: a shard of 1..2^24 targets, from the start of a round on; span from asz_sched_span; the epoch's secret is
 * copied. */
void asz_sched_init(struct asz_sched *ret_sched, const struct asz_shard *shard, uint32_t span, const uint8_t secret[32],
                    uint32_t round);

/* asz_sched_round_probes: of a whole round. */
static inline uint64_t asz_sched_round_probes(const struct asz_shard *shard, uint32_t span) {
  return (uint64_t)shard->count << (span > 0);
}

/* asz_sched_next: the next `size` probes, in order. One keyed hash at each round's start, no division. */
void asz_sched_next(struct asz_sched *sched, uint32_t *ret_target, uint32_t *ret_seq, uint32_t size);

/* asz_sched_target: target of the shard's probe `index`; pure, slow (derives the round's key). *ret_seq may be NULL. */
uint32_t asz_sched_target(const struct asz_shard *shard, uint32_t span, const uint8_t secret[32], uint64_t index,
                          uint32_t *ret_seq);

#endif
