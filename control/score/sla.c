/* SPDX-License-Identifier: Apache-2.0 */
/* The service-level account: what a user of a cloud would ask. How much of the downtime that was promised for a month is spent,
 * how fast it is being spent, and what a cloud would pay back. It is shown and enters no score; nobody is paid by it.
 *
 * A burn rate is the share of down slots over the share that the promise allows: at 1 the month's budget lasts exactly the month.
 * That of thirty days says how much of it is spent; those of the day and of the epoch say whether it goes on. Shares, not counts,
 * are compared: a slot that was not judged is in neither. */
#include "control/score/score_private.h"

/* 1,000 (down / judged) / (1 - target), rounded down; 0 without a judged slot. */
static uint32_t burn_milli(uint64_t down, uint64_t judged, uint32_t target_ppm) {
  if (down == 0)
    return 0;
  if (target_ppm >= ASZ_PPM)
    return UINT32_MAX;
  unsigned __int128 burn = (unsigned __int128)down * 1000 * ASZ_PPM / ((unsigned __int128)judged * (ASZ_PPM - target_ppm));
  return burn < UINT32_MAX ? (uint32_t)burn : UINT32_MAX;
}

/* Below each uptime the credit beside it: Amazon Compute Service Level Agreement, region level. */
static uint32_t credit_ppm(uint64_t up, uint64_t judged) {
  static const struct { uint32_t below_ppm, credit_ppm; } step[] = {{950000, 1000000}, {990000, 300000}, {999900, 100000}};
  for (unsigned i = 0; i < sizeof step / sizeof *step; i++) {
    if (up * ASZ_PPM < judged * step[i].below_ppm)
      return step[i].credit_ppm;
  }
  return 0;
}

void asz_sla_account(const struct asz_day *window, const struct asz_day *day, uint64_t slots_judged, uint64_t slots_up,
                     uint32_t target_ppm, struct asz_sla *ret_sla) {
  uint32_t judged = (uint32_t)__builtin_popcountll(slots_judged);
  uint32_t down = judged - (uint32_t)__builtin_popcountll(slots_judged & slots_up);
  *ret_sla = (struct asz_sla){
      .target_ppm = target_ppm,
      .down_slots = window->judged - window->up,
      .budget_slots = (uint32_t)((uint64_t)window->judged * (ASZ_PPM - target_ppm) / ASZ_PPM),
      .burn_month_milli = burn_milli(window->judged - window->up, window->judged, target_ppm),
      .burn_day_milli = burn_milli(day->judged - day->up, day->judged, target_ppm),
      .burn_epoch_milli = burn_milli(down, judged, target_ppm),
      .credit_ppm = credit_ppm(window->up, window->judged),
  };
}
