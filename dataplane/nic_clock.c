/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/nic_clock.h"

#include "dataplane/seqlock.h"

enum {
  QUARTER = ASZ_NIC_READINGS / 4,
  WIDE_SHARE = 50000,    /* of a second: 20 us; reading a register over PCIe takes 1 us */
  COARSE_SHARE = 100000, /* of a second: 10 us */
  REACH_S = 4,           /* over the longest timeout */
  DRIFT_Q32 = 42950,     /* 10 ppm: by so much the rate may change within a window. Far beyond what a crystal does in a second;
                            a clock that is disciplined may be slewed by some ppm */
};
_Static_assert(sizeof(struct asz_nic_relation) % sizeof(uint64_t) == 0, "it is published word by word");

void asz_nic_clock_init(struct asz_nic_clock *ret_clock, uint64_t tsc_hz) {
  *ret_clock = (struct asz_nic_clock){.tsc_hz = tsc_hz};
}

/* i-th of the window, 0: the oldest. */
static const struct asz_nic_reading *reading_at(const struct asz_nic_clock *clock, uint32_t i) {
  return &clock->reading[(clock->next + i) % ASZ_NIC_READINGS];
}

static const struct asz_nic_reading *closest(const struct asz_nic_clock *clock, uint32_t from, uint32_t to) {
  const struct asz_nic_reading *best = reading_at(clock, from);
  for (uint32_t i = from + 1; i < to; i++)
    if (reading_at(clock, i)->half < best->half)
      best = reading_at(clock, i);
  return best;
}

/* The newest reading but for those before it that leave a smaller error at its time. */
static const struct asz_nic_reading *base_choose(const struct asz_nic_clock *clock, uint64_t growth_q32) {
  const struct asz_nic_reading *newest = reading_at(clock, ASZ_NIC_READINGS - 1), *best = newest;
  uint64_t best_error = newest->half;
  for (uint32_t i = ASZ_NIC_READINGS - QUARTER; i < ASZ_NIC_READINGS - 1; i++) {
    const struct asz_nic_reading *reading = reading_at(clock, i);
    uint64_t error = reading->half + (uint64_t)(((unsigned __int128)(newest->tsc - reading->tsc) * growth_q32) >> 32);
    if (error < best_error) {
      best = reading;
      best_error = error;
    }
  }
  return best;
}

/* The line through a full window; false when a clock did not go forward in it. */
static bool line_lay(const struct asz_nic_clock *clock, struct asz_nic_relation *ret_relation) {
  const struct asz_nic_reading *from = closest(clock, 0, QUARTER);
  const struct asz_nic_reading *to = closest(clock, ASZ_NIC_READINGS - QUARTER, ASZ_NIC_READINGS);
  uint64_t tsc = to->tsc - from->tsc, ticks = to->ticks - from->ticks;
  if (to->tsc <= from->tsc || ticks == 0 || ticks > UINT64_MAX / 2)
    return false;
  struct asz_ratio tsc_per_tick = asz_ratio_make(tsc, ticks), ticks_per_tsc = asz_ratio_make(ticks, tsc);
  uint64_t tick_tsc = tsc_per_tick.whole + 1;
  uint64_t growth_q32 = (uint64_t)(((unsigned __int128)(from->half + to->half + tick_tsc) << 32) / tsc) + DRIFT_Q32;
  const struct asz_nic_reading *base = base_choose(clock, growth_q32);
  *ret_relation = (struct asz_nic_relation){
      .base_tsc = base->tsc,
      .base_ticks = base->ticks,
      .tsc_per_tick = tsc_per_tick,
      .ticks_per_tsc = ticks_per_tsc,
      .reach_ticks = asz_ratio_apply(ticks_per_tsc, REACH_S * clock->tsc_hz),
      .error_tsc = base->half + 2 * tick_tsc,
      .growth_q32 = growth_q32,
  };
  return true;
}

static bool agrees(const struct asz_nic_relation *relation, const struct asz_nic_reading *reading) {
  uint64_t tsc;
  if (!asz_nic_tsc(relation, reading->ticks, &tsc))
    return false;
  uint64_t off = tsc > reading->tsc ? tsc - reading->tsc : reading->tsc - tsc;
  return off <= reading->half + asz_nic_error_tsc(relation, reading->tsc);
}

static bool all_agree(const struct asz_nic_clock *clock, const struct asz_nic_relation *relation) {
  for (uint32_t i = 0; i < ASZ_NIC_READINGS; i++)
    if (!agrees(relation, &clock->reading[i]))
      return false;
  return true;
}

static enum asz_nic_heard start_anew(struct asz_nic_clock *clock, const struct asz_nic_reading *reading) {
  clock->relation = (struct asz_nic_relation){0};
  clock->reading[0] = *reading;
  clock->next = clock->count = 1;
  return ASZ_NIC_JUMPED;
}

enum asz_nic_heard asz_nic_clock_hear(struct asz_nic_clock *clock, uint64_t before_tsc, uint64_t ticks, uint64_t after_tsc) {
  clock->due_tsc = after_tsc + clock->tsc_hz / ASZ_NIC_READ_HZ;
  uint64_t bracket = after_tsc - before_tsc;
  if (after_tsc < before_tsc || bracket > clock->tsc_hz / WIDE_SHARE)
    return ASZ_NIC_WIDE;
  struct asz_nic_reading reading = {.tsc = before_tsc + bracket / 2, .half = bracket / 2 + 1, .ticks = ticks};
  struct asz_nic_relation line;
  if (asz_nic_known(&clock->relation, after_tsc) && !agrees(&clock->relation, &reading))
    return start_anew(clock, &reading);
  clock->reading[clock->next] = reading;
  clock->next = (clock->next + 1) % ASZ_NIC_READINGS;
  if (clock->count < ASZ_NIC_READINGS && ++clock->count < ASZ_NIC_READINGS)
    return ASZ_NIC_LEARNING;
  if (!line_lay(clock, &line) || !all_agree(clock, &line))
    return start_anew(clock, &reading);
  clock->relation = line;
  if (asz_nic_error_tsc(&line, after_tsc) > clock->tsc_hz / COARSE_SHARE)
    return ASZ_NIC_COARSE;
  clock->relation.until_tsc = after_tsc + clock->tsc_hz;
  return ASZ_NIC_FOLLOWED;
}

void asz_nic_publish(struct asz_nic_live *live, const struct asz_nic_relation *relation) {
  asz_seqlock_write(&live->turn, live->word, relation, ASZ_NIC_WORDS);
}

bool asz_nic_look(const struct asz_nic_live *live, struct asz_nic_relation *relation) {
  struct asz_nic_relation read;
  if (!asz_seqlock_read(&live->turn, live->word, &read, ASZ_NIC_WORDS))
    return false;
  *relation = read;
  return true;
}
