/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pace.h"

#include <assert.h>

static uint64_t common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

void asz_pace_init(struct asz_pace *ret_pace, uint64_t rate_pps, uint64_t share, uint64_t whole, uint64_t tsc_hz,
                   uint64_t origin_tsc, uint64_t end_tsc, uint64_t debt_max) {
  assert(rate_pps >= 1 && share >= 1 && whole >= 1 && tsc_hz >= 1 && debt_max >= 1 && end_tsc >= origin_tsc);
  uint64_t divisor = common_divisor(share, whole);
  share /= divisor;
  whole /= divisor;
  *ret_pace = (struct asz_pace){
      .origin_tsc = origin_tsc,
      .end_tsc = end_tsc,
      .intervals_per_tick = asz_ratio_make(rate_pps * share, tsc_hz * whole),
      .ticks_per_interval = asz_ratio_make(tsc_hz * whole, rate_pps * share),
      .debt_max = debt_max,
  };
}

uint64_t asz_pace_begun(const struct asz_pace *pace, uint64_t tsc) {
  if (tsc >= pace->end_tsc)
    tsc = pace->end_tsc - 1;
  if (tsc < pace->origin_tsc)
    return 0;
  uint64_t begun = asz_ratio_apply(pace->intervals_per_tick, tsc - pace->origin_tsc) + 1;
  return begun > pace->taken ? begun - pace->taken : 0;
}

uint64_t asz_pace_due(struct asz_pace *pace, uint64_t tsc) {
  uint64_t due = asz_pace_begun(pace, tsc);
  if (due > pace->debt_max) {
    pace->skipped += due - pace->debt_max;
    pace->taken += due - pace->debt_max;
    due = pace->debt_max;
  }
  return due;
}
