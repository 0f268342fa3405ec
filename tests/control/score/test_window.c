/* SPDX-License-Identifier: Apache-2.0 */
/* The 30-day window and the interval over it. The formulas themselves are compared with the rational reference in
 * test_reference.c. */
#include <criterion/criterion.h>
#include <string.h>

#include "control/score/score_private.h"

enum { DAY = 20780 };

static struct asz_score_state fresh(void) {
  struct asz_score_state state;
  asz_score_state_init(&state);
  return state;
}

Test(window, nothing_judged_changes_nothing)
{
  struct asz_score_state state = fresh(), before;
  asz_window_add(&state, DAY, 0x3ff, 0x3f0);
  before = state;
  asz_window_add(&state, DAY + 1, 0, UINT64_MAX);
  cr_assert_eq(memcmp(&state, &before, sizeof state), 0);
}

Test(window, slots_that_were_not_judged_never_count)
{
  struct asz_score_state state = fresh();
  asz_window_add(&state, DAY, 0x0f, 0xf5); /* judged 0..3; of them 0 and 2 up */
  struct asz_day sum = asz_window_sum(&state, DAY);
  cr_assert_eq(sum.judged, 4);
  cr_assert_eq(sum.up, 2);
}

Test(window, pairs_are_adjacent_judged_slots)
{
  struct asz_score_state state = fresh();
  asz_window_add(&state, DAY, 0xb7, 0x80); /* judged 0 1 2, 4 5, 7; up: 7 alone */
  struct asz_day sum = asz_window_sum(&state, DAY);
  cr_assert_eq(sum.pairs, 3);
  cr_assert_eq(sum.pairs_both_down, 3);
  cr_assert_eq(state.last_slot_down, ASZ_LAST_SLOT_UP);
}

Test(window, a_pair_crosses_the_border_between_epochs)
{
  struct asz_score_state state = fresh();
  asz_window_add(&state, DAY, 1, 0); /* down; nothing before it */
  cr_assert_eq(asz_window_sum(&state, DAY).pairs, 0);
  asz_window_add(&state, DAY, 1, 0); /* down again */
  asz_window_add(&state, DAY, 1, 1); /* up */
  asz_window_add(&state, DAY, 2, 0); /* down, but slot 0 was not judged: not adjacent */
  struct asz_day sum = asz_window_sum(&state, DAY);
  cr_assert_eq(sum.pairs, 2);
  cr_assert_eq(sum.pairs_both_down, 1);
}

Test(window, the_64th_slot_counts)
{
  struct asz_score_state state = fresh();
  asz_window_add(&state, DAY, UINT64_MAX, UINT64_MAX >> 1);
  struct asz_day sum = asz_window_sum(&state, DAY);
  cr_assert_eq(sum.judged, 64);
  cr_assert_eq(sum.up, 63);
  cr_assert_eq(sum.pairs, 63);
  cr_assert_eq(state.last_slot_down, ASZ_LAST_SLOT_DOWN);
}

Test(window, a_day_falls_out_after_thirty)
{
  struct asz_score_state state = fresh();
  asz_window_add(&state, DAY, 0xff, 0);
  cr_assert_eq(asz_window_sum(&state, DAY + 29).judged, 8);
  cr_assert_eq(asz_window_sum(&state, DAY + 30).judged, 0);
  asz_window_add(&state, DAY + 30, 0xf, 0xf); /* the same bucket */
  struct asz_day sum = asz_window_sum(&state, DAY + 30);
  cr_assert_eq(sum.judged, 4);
  cr_assert_eq(sum.up, 4);
}

Test(window, a_clock_set_back_does_not_count_the_future)
{
  struct asz_score_state state = fresh();
  asz_window_add(&state, DAY + 10, 0xff, 0);
  cr_assert_eq(asz_window_sum(&state, DAY).judged, 0);
}

Test(window, counting_stops_before_the_products_overflow)
{
  struct asz_score_state state = fresh();
  for (unsigned day = 0; day < ASZ_WINDOW_DAYS; day++) {
    uint32_t up = ASZ_DAY_SLOTS_MAX - ASZ_DAY_SLOTS_MAX / 4 * (day & 1);
    state.day[(DAY + day) % ASZ_WINDOW_DAYS] =
        (struct asz_day){.day = DAY + day, .up = up, .judged = ASZ_DAY_SLOTS_MAX, .pairs = ASZ_DAY_SLOTS_MAX};
  }
  asz_window_add(&state, DAY + 29, UINT64_MAX, UINT64_MAX);
  struct asz_day sum = asz_window_sum(&state, DAY + 29);
  cr_assert_eq(sum.judged, ASZ_WINDOW_DAYS * ASZ_DAY_SLOTS_MAX);
  uint32_t low_ppm = asz_window_low_ppm(&sum);
  cr_assert(low_ppm > 874000 && low_ppm < 875000, "%u", low_ppm);
  cr_assert_gt(asz_window_missing(&sum), 0);
}

Test(wilson, certifies_what_the_published_figures_say)
{
  cr_assert_eq(asz_wilson_low_ppm(0, 0), 0);
  cr_assert_eq(asz_wilson_low_ppm(0, 1000), 0);
  /* a perfect record of n: n / (n + 2.326^2) */
  cr_assert_eq(asz_wilson_low_ppm(144, 144), 963789);
  cr_assert_eq(asz_wilson_low_ppm(1000, 1000), 994618);
  cr_assert_eq(asz_wilson_low_ppm(54098, 54098), 999900); /* the first that certifies four nines */
  cr_assert_eq(asz_wilson_low_ppm(54097, 54097), 999899);
}

Test(wilson, is_never_over_the_share_itself_and_rises_with_it)
{
  for (uint64_t n = 1; n < 200; n++) {
    uint32_t before = 0;
    for (uint64_t up = 0; up <= n; up++) {
      uint32_t low_ppm = asz_wilson_low_ppm(up, n);
      cr_assert_leq(low_ppm, asz_ratio_ppm(up, n), "%lu of %lu", up, n);
      cr_assert_geq(low_ppm, before, "%lu of %lu", up, n);
      before = low_ppm;
    }
  }
}

Test(effective_n, a_run_of_down_slots_counts_for_less_than_scattered_ones)
{
  uint64_t scattered = asz_effective_n(990, 1000, 999, 0);
  uint64_t run = asz_effective_n(990, 1000, 999, 9);
  cr_assert_eq(scattered, 1000);
  cr_assert_eq(run, 52); /* r = .8999: 1000 * .1001 / 1.8999 */
}

Test(effective_n, is_within_one_and_n_whatever_the_counts)
{
  cr_assert_eq(asz_effective_n(0, 0, 0, 0), 0);
  cr_assert_eq(asz_effective_n(5, 10, 5, 5), 1); /* r over 1 */
  cr_assert_eq(asz_effective_n(10, 10, 9, 0), 10);
  cr_assert_eq(asz_effective_n(0, 10, 9, 9), 10);
}

Test(missing, is_the_smallest_number_that_certifies_the_next_nine)
{
  static const struct asz_day windows[] = {
      {.up = 0, .judged = 0},
      {.up = 10, .judged = 10, .pairs = 9},
      {.up = 0, .judged = 10, .pairs = 9, .pairs_both_down = 9},
      {.up = 999, .judged = 1000, .pairs = 999},
      {.up = 40000, .judged = 40060, .pairs = 40059, .pairs_both_down = 59},
  };
  for (unsigned i = 0; i < sizeof windows / sizeof windows[0]; i++) {
    uint32_t missing = asz_window_missing(&windows[i]);
    uint32_t low_ppm = asz_window_low_ppm(&windows[i]);
    uint32_t next_ppm = low_ppm < 900000 ? 900000 : low_ppm < 990000 ? 990000 : 999000;
    struct asz_day after = windows[i];
    after.up += missing;
    after.judged += missing;
    after.pairs += missing;
    cr_assert_geq(asz_window_low_ppm(&after), next_ppm, "window %u, %u more", i, missing);
    after.up--, after.judged--, after.pairs--;
    cr_assert_lt(asz_window_low_ppm(&after), next_ppm, "window %u, %u more", i, missing - 1);
  }
  cr_assert_eq(asz_window_missing(&windows[0]), 49); /* n / (n + 5.41) >= .9 */
}

Test(missing, is_none_above_four_nines)
{
  struct asz_day window = {.up = 60000, .judged = 60000, .pairs = 59999};
  cr_assert_eq(asz_window_missing(&window), 0);
}
