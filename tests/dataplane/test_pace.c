/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dataplane/base/draw.h"
#include "dataplane/pace.h"

static const uint64_t hz = 2596141817; /* a real, odd one */

static uint64_t take_all(struct asz_pace *pace, uint64_t tsc) {
  uint64_t due = asz_pace_due(pace, tsc);
  asz_pace_take(pace, due);
  return due;
}

Test(pace, nothing_is_due_before_the_origin)
{
  struct asz_pace pace;
  asz_pace_init(&pace, 1000, 1, 1, hz, 5 * hz, 6 * hz, 10);
  cr_assert(eq(u64, asz_pace_due(&pace, 5 * hz - 1), 0));
  cr_assert(eq(u64, asz_pace_due(&pace, 5 * hz), 1));
}

Test(pace, nothing_is_due_after_the_end)
{
  struct asz_pace pace;
  asz_pace_init(&pace, 1000, 1, 1, hz, 0, hz, 1000000);
  cr_assert(eq(u64, take_all(&pace, 100 * hz), 1000));
  cr_assert(eq(u64, asz_pace_due(&pace, 200 * hz), 0));
  cr_assert(eq(u64, asz_pace_late_ticks(&pace, 200 * hz), 0));
}

Test(pace, stall_is_not_caught_up)
{
  struct asz_pace pace;
  asz_pace_init(&pace, 1000000, 1, 1, hz, 0, 100 * hz, 64);
  take_all(&pace, 0);
  /* a stall of half a second owes 500,000 */
  cr_assert(eq(u64, asz_pace_due(&pace, hz / 2), 64));
  cr_assert(eq(u64, pace.skipped, 499935)); /* due: 0..499,999; one taken before, 64 left */
  asz_pace_take(&pace, 64);
  cr_assert(eq(u64, asz_pace_due(&pace, hz / 2), 0));
  /* and then the pace is as before */
  cr_assert(eq(u64, asz_pace_due(&pace, hz / 2 + hz / 100000), 10));
}

Test(pace, lateness_is_that_of_the_oldest_untaken)
{
  struct asz_pace pace;
  asz_pace_init(&pace, 1000, 1, 1, 1000000, 0, 10000000, 5);
  cr_assert(eq(u64, asz_pace_late_ticks(&pace, 7000), 7000));
  cr_assert(eq(u64, asz_pace_due(&pace, 7000), 5)); /* 8 due, 3 skipped: the oldest is now interval 3, due at 3,000 */
  cr_assert(eq(u64, asz_pace_late_ticks(&pace, 7000), 4000));
}

/* Over an hour at odd rates: never more than one interval off the exact product, whatever the size of the steps. */
Test(pace, rate_is_exact_over_an_hour)
{
  const uint64_t seed = 20261123;
  const uint64_t rates[] = {1, 3, 999, 333333, 7777777, 200000000};
  for (unsigned r = 0; r < sizeof rates / sizeof *rates; r++) {
    struct asz_pace pace;
    uint64_t end = 3600 * hz, tsc = 0, taken = 0;
    asz_pace_init(&pace, rates[r], 1, 1, hz, 0, end, UINT64_MAX);
    for (unsigned step = 0; tsc < end; step++) {
      taken += take_all(&pace, tsc);
      uint64_t exact = (uint64_t)((unsigned __int128)tsc * rates[r] / hz) + 1;
      cr_assert(taken + 1 >= exact && taken <= exact + 1, "seed %lu, rate %lu, tsc %lu: %lu of %lu", (unsigned long)seed,
                (unsigned long)rates[r], (unsigned long)tsc, (unsigned long)taken, (unsigned long)exact);
      tsc += asz_draw(seed, r, step, 0) % (hz * 10);
    }
    cr_assert(eq(u64, pace.skipped, 0));
    taken += take_all(&pace, end);
    cr_assert(taken + 1 >= rates[r] * 3600 && taken <= rates[r] * 3600 + 1, "rate %lu: %lu", (unsigned long)rates[r],
              (unsigned long)taken);
  }
}

Test(pace, whole_products_stay_whole)
{
  struct asz_ratio third = asz_ratio_make(10, 3);
  cr_assert(eq(u64, asz_ratio_apply(third, 3), 10));
  cr_assert(eq(u64, asz_ratio_apply(third, 2), 6));
  cr_assert(eq(u64, asz_ratio_apply(third, 3000000), 10000000));
  cr_assert(eq(u64, asz_ratio_apply(third, 2999999), 9999996));
  cr_assert(eq(u64, asz_ratio_apply(asz_ratio_make(7, 1), 6), 42));
}

Test(pace, intervals_ahead_begin_when_it_says_and_are_never_skipped)
{
  struct asz_pace pace;
  asz_pace_init(&pace, 1000003, 1, 1, hz, 77, 77 + hz, 64);
  asz_pace_take(&pace, 5);
  for (uint64_t i = 0; i < 10000; i += 7) {
    uint64_t begins_tsc = asz_pace_tsc(&pace, i);
    cr_assert(le(u64, asz_pace_begun(&pace, begins_tsc - 1), i + 1), "the conversion rounds down by a tick");
    cr_assert(eq(u64, asz_pace_begun(&pace, begins_tsc + 1), i + 1));
  }
  cr_assert(eq(u64, asz_pace_begun(&pace, 77 + 10 * hz), 1000003 - 5), "no end is passed");
  cr_assert(eq(u64, pace.skipped, 0));
  cr_assert(eq(u64, asz_pace_begun(&pace, 76), 0));
}
