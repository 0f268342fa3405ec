/* SPDX-License-Identifier: Apache-2.0 */
/* asz_pace: when is how many due.
 *
 * Time is cut into equal intervals of 1/rate, counted from an origin; the pacer says how many of them have begun and are not yet
 * taken. Both ways (ticks to intervals, intervals to ticks) go through 64.64 fixed point, so that after hours the count is still
 * right to one interval, with one multiplication and no division in the loop.
 *
 * A stalled sender does not catch up with a burst: what is further behind than the debt cap is skipped and counted. The
 * schedule's intervals pass; the sequence of probes does not, so a stall costs everybody's last rounds, not one target's sample.
 */
#ifndef ASZ_DATAPLANE_PACE_H
#define ASZ_DATAPLANE_PACE_H

#include <stdint.h>

/* A non-negative ratio in 64.64 fixed point. */
struct asz_ratio {
  uint64_t whole, fraction;
};

/* asz_ratio_make: numerator / denominator, rounded up in the last bit, so that a product that should be whole is not one below.
 * denominator not 0. Divides: not for the loop. */
static inline struct asz_ratio asz_ratio_make(uint64_t numerator, uint64_t denominator) {
  unsigned __int128 rest = (unsigned __int128)(numerator % denominator) << 64;
  return (struct asz_ratio){numerator / denominator, (uint64_t)((rest + denominator - 1) / denominator)};
}

/* asz_ratio_apply: floor(value * ratio). Exact for value < 2^64 / denominator (2.7 s of ticks against a second's rate); beyond,
 * the ratio's last bit adds up to value / 2^64, half a millionth of an interval in an hour. */
static inline uint64_t asz_ratio_apply(struct asz_ratio ratio, uint64_t value) {
  return value * ratio.whole + (uint64_t)(((unsigned __int128)value * ratio.fraction) >> 64);
}

struct asz_pace {
  uint64_t origin_tsc; /* when interval 0 begins */
  uint64_t end_tsc;    /* intervals that begin at or after it are never due */
  struct asz_ratio intervals_per_tick;
  struct asz_ratio ticks_per_interval;
  uint64_t debt_max; /* intervals that may be made up for */
  uint64_t taken;    /* intervals used or skipped */
  uint64_t skipped;  /* of these */
};

/* asz_pace_init: rate * share / whole intervals a second, all of them >= 1, rate * share and tsc_hz * whole under 2^63; tsc_hz >=
 * 1; debt_max >= 1. */
void asz_pace_init(struct asz_pace *ret_pace, uint64_t rate_pps, uint64_t share, uint64_t whole, uint64_t tsc_hz,
                   uint64_t origin_tsc, uint64_t end_tsc, uint64_t debt_max);

/* asz_pace_begun: intervals that have begun at tsc and are not taken, however many. */
uint64_t asz_pace_begun(const struct asz_pace *pace, uint64_t tsc);
/* asz_pace_tsc: when the i-th interval that is not taken begins. */
static inline uint64_t asz_pace_tsc(const struct asz_pace *pace, uint64_t i) {
  return pace->origin_tsc + asz_ratio_apply(pace->ticks_per_interval, pace->taken + i);
}

/* asz_pace_due: intervals due at tsc and not taken, after skipping what exceeds the debt cap. */
uint64_t asz_pace_due(struct asz_pace *pace, uint64_t tsc);

/* asz_pace_take: `count` of the due ones are being sent. */
static inline void asz_pace_take(struct asz_pace *pace, uint64_t count) {
  pace->taken += count;
}

/* asz_pace_late_ticks: how long ago the oldest interval that is not taken began; 0 when it has not. Ask before asz_pace_due to
 * see a stall in full, after it to see how late the next one sent will be. */
static inline uint64_t asz_pace_late_ticks(const struct asz_pace *pace, uint64_t tsc) {
  uint64_t due_tsc = asz_pace_tsc(pace, 0);
  return tsc > due_tsc && due_tsc < pace->end_tsc ? tsc - due_tsc : 0;
}

#endif
