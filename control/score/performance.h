/* SPDX-License-Identifier: Apache-2.0 */
/* asz_performance: how fast a provider's work on gemm and mem was in an epoch, by our own clock. Shown, not scored. Only right
 * answers count, and only times that are certain: from the one question that was sent to its answer, the way included, with
 * nothing of ours in between. Pure. */
#ifndef ASZ_CONTROL_SCORE_PERFORMANCE_H
#define ASZ_CONTROL_SCORE_PERFORMANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/err.h"

struct asz_work_times {
  uint32_t count;          /* 0: the others are 0, too */
  uint64_t min_ns, max_ns; /* 1 at least */
};

struct asz_performance {
  struct asz_work_times product, build, fold;
  uint32_t folds_in_bounds, folds_too_slow, folds_too_fast, folds_untimed; /* by their pace */
  uint64_t arena_bytes, claimed_bytes_ps;                                  /* of the last right fold; 0: none, and no claim */
};

/* asz_work_times_add: one more; took_ns 1 at least. */
void asz_work_times_add(struct asz_work_times *times, uint64_t took_ns);

bool asz_performance_any(const struct asz_performance *performance); /* was there a right answer? */

/* asz_s_performance_ppm: what the slowest fold reached of the speed that is claimed, 0..10^6, rounded down; the way is in its
 * time, so it is at least so much. False, and the output untouched, without a timed fold or without a claim. */
bool asz_s_performance_ppm(const struct asz_performance *performance, uint32_t *ret_ppm);

/* Fixed big-endian form: product, build and fold as count u32, min u64, max u64; then the fields behind them in their order.
 * asz_performance_read: ASZ_EFORMAT for times that nobody took. */
enum { ASZ_PERFORMANCE_BYTES = 92 };
void asz_performance_write(uint8_t ret_bytes[ASZ_PERFORMANCE_BYTES], const struct asz_performance *performance);
ASZ_MUST_CHECK int asz_performance_read(struct asz_performance *ret_performance, const uint8_t bytes[ASZ_PERFORMANCE_BYTES]);

#endif
