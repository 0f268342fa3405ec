/* SPDX-License-Identifier: Apache-2.0 */
/* The service-level account. Whole histories of it are compared with the reference in test_history.c. */
#include <criterion/criterion.h>

#include "control/score/score_private.h"

static struct asz_sla account(uint32_t up, uint32_t judged, uint32_t target_ppm) {
  const struct asz_day window = {.up = up, .judged = judged}, day = {0};
  struct asz_sla sla;
  asz_sla_account(&window, &day, 0, 0, target_ppm, &sla);
  return sla;
}

Test(sla, nothing_judged_owes_nothing)
{
  struct asz_sla sla = account(0, 0, 999900);
  cr_assert_eq(sla.target_ppm, 999900);
  cr_assert(sla.down_slots == 0 && sla.budget_slots == 0 && sla.credit_ppm == 0);
  cr_assert(sla.burn_month_milli == 0 && sla.burn_day_milli == 0 && sla.burn_epoch_milli == 0);
}

Test(sla, slots_that_were_not_judged_burn_nothing)
{
  const struct asz_day window = {.up = 10, .judged = 10};
  struct asz_sla sla;
  asz_sla_account(&window, &window, 0x3, 0, 990000, &sla);
  cr_assert_eq(sla.burn_epoch_milli, 100000, "both of two down: a hundred times what 99 %% allows");
  asz_sla_account(&window, &window, 0x3, ~UINT64_C(0x4), 990000, &sla);
  cr_assert_eq(sla.burn_epoch_milli, 0, "the down one is not among the judged");
}

Test(sla, a_month_of_minutes_at_four_nines_allows_four_of_them)
{
  struct asz_sla sla = account(43200 - 4, 43200, 999900);
  cr_assert_eq(sla.budget_slots, 4);
  cr_assert_eq(sla.down_slots, 4);
  cr_assert_eq(sla.burn_month_milli, 925); /* 4 of 4.32 */
  cr_assert_eq(account(43200 - 5, 43200, 999900).burn_month_milli, 1157);
}

Test(sla, the_day_and_the_epoch_burn_by_themselves)
{
  const struct asz_day window = {.up = 42900, .judged = 43200}, day = {.up = 1140, .judged = 1440};
  struct asz_sla sla;
  asz_sla_account(&window, &day, UINT64_MAX >> 4, UINT64_MAX, 990000, &sla);
  cr_assert_eq(sla.burn_month_milli, 694);
  cr_assert_eq(sla.burn_day_milli, 20833);
  cr_assert_eq(sla.burn_epoch_milli, 0);
}

Test(sla, a_target_without_a_budget_burns_without_end)
{
  cr_assert_eq(account(9, 10, ASZ_PPM).burn_month_milli, UINT32_MAX);
  cr_assert_eq(account(10, 10, ASZ_PPM).burn_month_milli, 0);
  cr_assert_eq(account(9, 10, ASZ_PPM).budget_slots, 0);
}

/* The share is compared exactly: one slot decides, where a rounded percentage would not. */
Test(sla, the_credit_starts_just_below_each_uptime)
{
  static const struct {
    uint32_t up, judged, credit_ppm;
  } cases[] = {
      {1000000, 1000000, 0}, {9999, 10000, 0},    {99989, 100000, 100000}, {999899999, 1000000000, 100000},
      {99, 100, 100000},     {989, 1000, 300000}, {95, 100, 300000},       {949, 1000, 1000000},
      {0, 1, 1000000},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
    cr_assert_eq(account(cases[i].up, cases[i].judged, 990000).credit_ppm, cases[i].credit_ppm, "%u of %u", cases[i].up,
                 cases[i].judged);
}
