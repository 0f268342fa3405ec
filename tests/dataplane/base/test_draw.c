/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dataplane/base/draw.h"

Test(draw, mixes_like_the_published_generator)
{
  /* The first outputs of SplitMix64 seeded with 0, as its authors print them. */
  cr_expect(eq(u64, asz_draw_mix(0), 0xe220a8397b1dcdafu));
  cr_expect(eq(u64, asz_draw_mix(0x9e3779b97f4a7c15u), 0x6e789e6aa1b965f4u));
  cr_expect(eq(u64, asz_draw_mix(2 * 0x9e3779b97f4a7c15u), 0x06c45d188009454fu));
}

Test(draw, every_argument_matters_and_nothing_else_does)
{
  uint64_t base = asz_draw(1, 2, 3, 4);
  cr_expect(eq(u64, asz_draw(1, 2, 3, 4), base));
  cr_expect(ne(u64, asz_draw(2, 2, 3, 4), base));
  cr_expect(ne(u64, asz_draw(1, 3, 3, 4), base));
  cr_expect(ne(u64, asz_draw(1, 2, 4, 4), base));
  cr_expect(ne(u64, asz_draw(1, 2, 3, 5), base));
  cr_expect(ne(u64, asz_draw(1, 4, 3, 2), base), "subject and purpose are not interchangeable");
}

Test(draw, below_stays_below_and_reaches_both_ends)
{
  cr_expect(eq(u64, asz_draw_below(UINT64_MAX, 0), 0));
  cr_expect(eq(u64, asz_draw_below(UINT64_MAX, 1), 0));
  cr_expect(eq(u64, asz_draw_below(0, 10), 0));
  cr_expect(eq(u64, asz_draw_below(UINT64_MAX, 10), 9));
  cr_expect(eq(u64, asz_draw_below(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1));
}

Test(draw, counts_of_one_hundred_bins_are_as_even_as_chance_makes_them)
{
  enum { BINS = 100, DRAWS = 100000 };
  uint32_t count[BINS] = {0};
  for (uint32_t i = 0; i < DRAWS; i++)
    count[asz_draw_below(asz_draw(42, i % 7, i / 7, 1), BINS)]++;
  double chi2 = 0;
  for (int b = 0; b < BINS; b++)
    chi2 += ((double)count[b] - DRAWS / BINS) * ((double)count[b] - DRAWS / BINS) / (DRAWS / BINS);
  /* 99 degrees of freedom: mean 99, sigma 14.1; within five sigma on both sides (too even is as wrong). */
  cr_expect(chi2 > 28 && chi2 < 170, "chi squared %f", chi2);
}
