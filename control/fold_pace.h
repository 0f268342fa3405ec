/* SPDX-License-Identifier: Apache-2.0 */
/* asz_fold_pace: was a fold of mem as fast as the memory that its provider claims?
 *
 *   TOO_SLOW   took > arena bytes / (0.7 x claimed bytes a second) + the provider's latency target
 *   TOO_FAST   took < arena bytes / (2 x claimed bytes a second)
 *   IN_BOUNDS  else
 *
 * 0.7: room for what else the machine does. What should be claimed is what folds reach, not what a maker prints: on CPUs that was
 * a third of a plain read (docs/benchmarks.md). The latency target is the provider's own or the configured one: a round trip that
 * a provider draws out to gain time for a fold would have to be drawn out in every probe, where it costs score. 2: memory that is
 * twice as fast as claimed is other memory than claimed, or a claim made to be met by less; what the way takes only ever makes a
 * fold look slower, so no allowance is due.
 *
 * It is reported. It never costs stake: nobody but this validator saw the time. Integers, pure, any thread. */
#ifndef ASZ_CONTROL_FOLD_PACE_H
#define ASZ_CONTROL_FOLD_PACE_H

#include <stdint.h>

enum asz_fold_pace {
  ASZ_FOLD_PACE_NONE = 0, /* not a right fold, no claim, asked more than once, or spoiled by us: nothing can be said */
  ASZ_FOLD_PACE_IN_BOUNDS,
  ASZ_FOLD_PACE_TOO_SLOW,
  ASZ_FOLD_PACE_TOO_FAST,
};
const char *asz_fold_pace_name(enum asz_fold_pace pace);

/* The bounds; claimed_bytes_ps 1.. (asserted). Saturating; asz_fold_pace_due_ns rounds up, asz_fold_pace_least_ns down: for the
 * provider.
 */
uint64_t asz_fold_pace_due_ns(uint64_t arena_bytes, uint64_t claimed_bytes_ps, uint64_t allowance_ns);
uint64_t asz_fold_pace_least_ns(uint64_t arena_bytes, uint64_t claimed_bytes_ps);

/* asz_fold_pace_of: NONE without a claim (0). */
enum asz_fold_pace asz_fold_pace_of(uint64_t took_ns, uint64_t arena_bytes, uint64_t claimed_bytes_ps, uint64_t allowance_ns);

#endif
