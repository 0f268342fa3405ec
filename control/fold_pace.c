/* SPDX-License-Identifier: Apache-2.0 */
#include "control/fold_pace.h"

#include <assert.h>

static const uint64_t ns_per_s = 1000000000;

const char *asz_fold_pace_name(enum asz_fold_pace pace) {
  static const char *const name[] = {
      [ASZ_FOLD_PACE_NONE] = "none",
      [ASZ_FOLD_PACE_IN_BOUNDS] = "in bounds",
      [ASZ_FOLD_PACE_TOO_SLOW] = "too slow",
      [ASZ_FOLD_PACE_TOO_FAST] = "too fast",
  };
  return name[pace];
}

static uint64_t saturated(unsigned __int128 value) {
  return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value;
}

uint64_t asz_fold_pace_due_ns(uint64_t arena_bytes, uint64_t claimed_bytes_ps, uint64_t allowance_ns) {
  assert(claimed_bytes_ps > 0);
  unsigned __int128 tenths = (unsigned __int128)arena_bytes * ns_per_s * 10, claimed = (unsigned __int128)claimed_bytes_ps * 7;
  return saturated((tenths + claimed - 1) / claimed + allowance_ns);
}

uint64_t asz_fold_pace_least_ns(uint64_t arena_bytes, uint64_t claimed_bytes_ps) {
  assert(claimed_bytes_ps > 0);
  return saturated((unsigned __int128)arena_bytes * ns_per_s / ((unsigned __int128)claimed_bytes_ps * 2));
}

enum asz_fold_pace asz_fold_pace_of(uint64_t took_ns, uint64_t arena_bytes, uint64_t claimed_bytes_ps, uint64_t allowance_ns) {
  if (claimed_bytes_ps == 0)
    return ASZ_FOLD_PACE_NONE;
  if (took_ns > asz_fold_pace_due_ns(arena_bytes, claimed_bytes_ps, allowance_ns))
    return ASZ_FOLD_PACE_TOO_SLOW;
  return took_ns < asz_fold_pace_least_ns(arena_bytes, claimed_bytes_ps) ? ASZ_FOLD_PACE_TOO_FAST : ASZ_FOLD_PACE_IN_BOUNDS;
}
