/* SPDX-License-Identifier: Apache-2.0 */
/* asz_jitter: how evenly probes leave. The gap between two bursts differs from what the schedule meant by as much as the lateness
 * of the second differs from that of the first; these differences are counted by their size, in steps of a quarter octave. One
 * lcore writes; any may join and read what is no longer written. */
#ifndef ASZ_DATAPLANE_JITTER_H
#define ASZ_DATAPLANE_JITTER_H

#include "dataplane/base/bound.h"

struct asz_jitter {
  uint64_t last_late_ns;
  uint64_t count[ASZ_BOUND_CODE_MAX + 1]; /* by asz_bound_code of the difference, ns */
};

static inline void asz_jitter_add(struct asz_jitter *jitter, uint64_t late_ns) {
  uint64_t last = jitter->last_late_ns;
  jitter->last_late_ns = late_ns;
  jitter->count[asz_bound_code(late_ns > last ? late_ns - last : last - late_ns)]++;
}

static inline void asz_jitter_join(struct asz_jitter *sum, const struct asz_jitter *jitter) {
  for (unsigned i = 0; i <= ASZ_BOUND_CODE_MAX; i++)
    sum->count[i] += jitter->count[i];
}

/* asz_jitter_quantile_ns: what `ppm` millionths of the differences do not exceed; never less than the true
 * quantile and at most a quarter more. 0: none was counted. */
static inline uint64_t asz_jitter_quantile_ns(const struct asz_jitter *jitter, uint32_t ppm) {
  uint64_t total = 0, below = 0;
  for (unsigned i = 0; i <= ASZ_BOUND_CODE_MAX; i++)
    total += jitter->count[i];
  uint64_t wanted = (uint64_t)(((unsigned __int128)total * ppm + 999999) / 1000000);
  for (unsigned i = 0; i <= ASZ_BOUND_CODE_MAX && total > 0; i++) {
    below += jitter->count[i];
    if (below >= wanted && below > 0)
      return asz_bound_ns((uint8_t)i);
  }
  return 0;
}

#endif
