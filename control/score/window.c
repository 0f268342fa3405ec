/* SPDX-License-Identifier: Apache-2.0 */
/* The 30-day window: one bucket a day, in a ring. An epoch counts for the day in which it ended. A bucket that holds another day
 * than the one that is due is overwritten, and sums take only the days that are in the window: so days without a validator leave
 * holes and not stale counts, and a clock that was set back loses what it had written into the future.
 *
 * Beside the counts go the pairs of adjacent judged slots and those of them that were both down: outages come in runs, and the
 * interval must know how long. */
#include <assert.h>

#include "control/score/score_private.h"

static unsigned popcount(uint64_t bits) {
  return (unsigned)__builtin_popcountll(bits);
}

void asz_window_add(struct asz_score_state *state, uint32_t day, uint64_t slots_judged, uint64_t slots_up) {
  if (!slots_judged)
    return;
  uint64_t down = slots_judged & ~slots_up;
  unsigned pairs = popcount(slots_judged & slots_judged >> 1);
  unsigned pairs_both_down = popcount(down & down >> 1);
  if ((slots_judged & 1) && state->last_slot_down != ASZ_LAST_SLOT_NONE) { /* the pair across the epochs' border */
    pairs++;
    pairs_both_down += state->last_slot_down == ASZ_LAST_SLOT_DOWN && (down & 1);
  }

  struct asz_day *bucket = &state->day[day % ASZ_WINDOW_DAYS];
  if (bucket->day != day)
    *bucket = (struct asz_day){.day = day};
  if (bucket->judged <= ASZ_DAY_SLOTS_MAX - 64) {
    bucket->judged += popcount(slots_judged);
    bucket->up += popcount(slots_judged & slots_up);
    bucket->pairs += pairs;
    bucket->pairs_both_down += pairs_both_down;
  }

  unsigned last = 63 - (unsigned)__builtin_clzll(slots_judged);
  state->last_slot_down = down >> last & 1 ? ASZ_LAST_SLOT_DOWN : ASZ_LAST_SLOT_UP;
}

struct asz_day asz_window_sum(const struct asz_score_state *state, uint32_t day) {
  struct asz_day sum = {.day = day};
  for (unsigned i = 0; i < ASZ_WINDOW_DAYS; i++) {
    const struct asz_day *bucket = &state->day[i];
    if (bucket->day > day || day - bucket->day >= ASZ_WINDOW_DAYS)
      continue;
    sum.up += bucket->up;
    sum.judged += bucket->judged;
    sum.pairs += bucket->pairs;
    sum.pairs_both_down += bucket->pairs_both_down;
  }
  return sum;
}

uint32_t asz_window_low_ppm(const struct asz_day *window) {
  uint64_t n = asz_effective_n(window->up, window->judged, window->pairs, window->pairs_both_down);
  if (n == 0)
    return 0;
  return asz_wilson_low_ppm(window->up * n / window->judged, n); /* the same share of fewer slots, rounded down */
}

static uint32_t low_after(const struct asz_day *window, uint32_t more) {
  struct asz_day after = *window;
  after.up += more;
  after.judged += more;
  after.pairs += more; /* each new slot is adjacent to the one before */
  return asz_window_low_ppm(&after);
}

uint32_t asz_window_missing(const struct asz_day *window) {
  static const uint32_t nines_ppm[] = {900000, 990000, 999000, 999900};
  enum { MORE_MAX = 1 << 26 };
  uint32_t low_ppm = asz_window_low_ppm(window);
  unsigned next = 0;
  while (next < 4 && low_ppm >= nines_ppm[next])
    next++;
  if (next == 4)
    return 0;

  uint32_t enough = 1;
  while (enough < MORE_MAX && low_after(window, enough) < nines_ppm[next])
    enough *= 2;
  if (low_after(window, enough) < nines_ppm[next])
    return UINT32_MAX;
  uint32_t too_few = enough / 2; /* bisect (too_few, enough] */
  while (enough - too_few > 1) {
    uint32_t middle = too_few + (enough - too_few) / 2;
    if (low_after(window, middle) < nines_ppm[next])
      too_few = middle;
    else
      enough = middle;
  }
  return enough;
}
