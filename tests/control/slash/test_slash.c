/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "control/slash/slash.h"

#define HOUR_NS   (UINT64_C(3600) * 1000000000)
#define TARGET_NS (UINT64_C(100) * 1000000)
#define NOW_NS    (UINT64_C(1700000000) * 1000000000)

static const struct asz_slash_params params = {
    .s1_stake_bps_first = 100,
    .s1_stake_bps_max = 1000,
    .s3_uptime_ppm_min = 900000,
    .s3_latency_factor = 8,
    .s3_slots_min = 3,
    .jail_first_ns = HOUR_NS,
    .jail_last_ns = 24 * HOUR_NS,
};

static struct asz_score_state state_after(unsigned wrong, unsigned right) {
  struct asz_score_state state;
  asz_score_state_init(&state);
  for (unsigned i = 0; i < wrong; i++)
    asz_eprocess_step(&state.eprocess, true);
  for (unsigned i = 0; i < right; i++)
    asz_eprocess_step(&state.eprocess, false);
  return state;
}

static struct asz_score score_of(uint32_t up, uint32_t judged, uint64_t rtt_q95_ns) {
  return (struct asz_score){.uptime_ppm = judged ? (uint32_t)((uint64_t)up * ASZ_PPM / judged) : ASZ_PPM,
                            .slots_judged = judged,
                            .rtt_q95_ns = rtt_q95_ns};
}

static struct asz_slash_decision decide(const struct asz_score *score, const struct asz_score_state *state,
                                        const struct asz_slash_history *history) {
  struct asz_slash_decision decision;
  memset(&decision, 0xff, sizeof decision);
  asz_slash_decide(score, state, history, &params, TARGET_NS, NOW_NS, &decision);
  return decision;
}

static const struct asz_slash_history clean = {0};

Test(slash, nothing_is_due_without_data)
{
  struct asz_score_state state = state_after(0, 0);
  struct asz_score score = score_of(0, 0, 0);
  score.uptime_ppm = 0; /* whatever the share says: no slot was judged */
  cr_assert_not(decide(&score, &state, &clean).due);
}

Test(slash, nothing_is_due_from_too_few_slots)
{
  struct asz_score_state state = state_after(0, 0);
  struct asz_score score = score_of(0, 2, 0);
  cr_assert_not(decide(&score, &state, &clean).due);
  score = score_of(2, 2, 100 * TARGET_NS);
  cr_assert_not(decide(&score, &state, &clean).due);
}

Test(slash, nothing_is_due_at_exactly_the_limits)
{
  struct asz_score_state state = state_after(3, 0);
  struct asz_score score = score_of(9, 10, 8 * TARGET_NS);
  struct asz_slash_decision decision = decide(&score, &state, &clean);
  cr_assert_not(decision.due, "%s", decision.reason);
}

Test(slash, four_wrong_answers_are_an_s1_with_one_percent_of_stake)
{
  struct asz_score_state state = state_after(4, 0);
  struct asz_score score = score_of(0, 10, 0); /* and silent too: S1 goes before S3 */
  struct asz_slash_decision decision = decide(&score, &state, &clean);
  cr_assert(decision.due);
  cr_assert_eq(decision.offence, ASZ_OFFENCE_S1);
  cr_assert_eq(decision.stake_bps, 100);
  cr_assert_eq(decision.jail_ns, 0);
  cr_assert_str_eq(decision.reason, "4 wrong signed answers, E = 1.9e6 >= 1.0e6");
}

Test(slash, an_s1_is_due_though_e_fell_again_within_the_epoch)
{
  struct asz_score_state state = state_after(4, 20);
  struct asz_score score = score_of(10, 10, TARGET_NS);
  struct asz_slash_decision decision = decide(&score, &state, &clean);
  cr_assert(decision.due && decision.offence == ASZ_OFFENCE_S1);
  cr_assert_eq(strncmp(decision.reason, "4 wrong signed answers, E reached 1.0e6 (now ", 45), 0, "%s", decision.reason);
}

Test(slash, an_open_s1_is_not_recommended_twice)
{
  struct asz_score_state state = state_after(5, 0);
  struct asz_score score = score_of(10, 10, TARGET_NS);
  struct asz_slash_history history = {.s1_count = 1, .s1_open = true};
  cr_assert_not(decide(&score, &state, &history).due);
}

Test(slash, an_s1_is_due_also_in_an_epoch_without_liveness_data_and_in_jail)
{
  struct asz_score_state state = state_after(4, 0);
  struct asz_score score = score_of(0, 0, 0);
  struct asz_slash_history history = {.jailed_until_ns = UINT64_MAX};
  cr_assert_eq(decide(&score, &state, &history).offence, ASZ_OFFENCE_S1);
}

Test(slash, stake_doubles_with_each_s1_up_to_the_maximum)
{
  static const uint32_t expected_bps[] = {100, 200, 400, 800, 1000, 1000};
  struct asz_score_state state = state_after(4, 0);
  struct asz_score score = score_of(10, 10, TARGET_NS);
  for (uint32_t earlier = 0; earlier < 6; earlier++) {
    struct asz_slash_history history = {.s1_count = earlier};
    cr_assert_eq(decide(&score, &state, &history).stake_bps, expected_bps[earlier], "%u earlier", earlier);
  }
  struct asz_slash_history history = {.s1_count = UINT32_MAX};
  cr_assert_eq(decide(&score, &state, &history).stake_bps, 1000);
}

Test(slash, a_first_stake_of_zero_or_over_the_maximum_stays_in_bounds)
{
  struct asz_score_state state = state_after(4, 0);
  struct asz_score score = score_of(10, 10, TARGET_NS);
  struct asz_slash_history history = {.s1_count = UINT32_MAX};
  struct asz_slash_params odd = params;
  struct asz_slash_decision decision;
  odd.s1_stake_bps_first = 0;
  asz_slash_decide(&score, &state, &history, &odd, TARGET_NS, NOW_NS, &decision);
  cr_assert(decision.due && decision.stake_bps == 0);
  odd.s1_stake_bps_first = 5000;
  asz_slash_decide(&score, &state, &clean, &odd, TARGET_NS, NOW_NS, &decision);
  cr_assert_eq(decision.stake_bps, 1000);
}

Test(slash, silence_is_an_s3_that_never_costs_stake)
{
  struct asz_score_state state = state_after(0, 10);
  struct asz_score score = score_of(0, 10, 0);
  struct asz_slash_decision decision = decide(&score, &state, &clean);
  cr_assert(decision.due);
  cr_assert_eq(decision.offence, ASZ_OFFENCE_S3);
  cr_assert_eq(decision.stake_bps, 0);
  cr_assert_eq(decision.jail_ns, HOUR_NS);
  cr_assert_str_eq(decision.reason, "0 of 10 judged slots answered");
}

Test(slash, the_reason_counts_the_slots_exactly)
{
  struct asz_score_state state = state_after(0, 1);
  for (uint32_t judged = 3; judged <= 64; judged++) {
    for (uint32_t up = 0; up * 10 < judged * 9; up++) {
      struct asz_score score = score_of(up, judged, TARGET_NS);
      char expected[64];
      snprintf(expected, sizeof expected, "%u of %u judged slots answered", up, judged);
      cr_assert_str_eq(decide(&score, &state, &clean).reason, expected);
    }
  }
}

Test(slash, slowness_is_an_s3)
{
  struct asz_score_state state = state_after(0, 1);
  struct asz_score score = score_of(10, 10, 8 * TARGET_NS + 1000);
  struct asz_slash_decision decision = decide(&score, &state, &clean);
  cr_assert(decision.due && decision.offence == ASZ_OFFENCE_S3 && decision.stake_bps == 0);
  cr_assert_str_eq(decision.reason, "q95 of 800001 us, less 0 us that may be ours, is over 8 times the target of 100000 us");
}

Test(slash, what_may_be_the_probers_own_share_is_no_slowness)
{
  struct asz_score_state state = state_after(0, 1);
  struct asz_score score = score_of(10, 10, 8 * TARGET_NS + 5000);
  score.rtt_error_ns = 5000;
  cr_assert_not(decide(&score, &state, &clean).due);
  score.rtt_error_ns = 4999;
  struct asz_slash_decision decision = decide(&score, &state, &clean);
  cr_assert(decision.due);
  cr_assert_str_eq(decision.reason, "q95 of 800005 us, less 4 us that may be ours, is over 8 times the target of 100000 us");
  score.rtt_error_ns = UINT64_MAX;
  cr_assert_not(decide(&score, &state, &clean).due);
}

Test(slash, a_target_that_overflows_is_never_exceeded)
{
  struct asz_score_state state = state_after(0, 1);
  struct asz_score score = score_of(10, 10, UINT64_MAX);
  struct asz_slash_decision decision;
  asz_slash_decide(&score, &state, &clean, &params, UINT64_MAX / 4, NOW_NS, &decision);
  cr_assert_not(decision.due);
  asz_slash_decide(&score, &state, &clean, &params, 0, NOW_NS, &decision);
  cr_assert_not(decision.due, "no target, no slowness");
}

Test(slash, no_second_s3_while_jailed_and_one_again_afterwards)
{
  struct asz_score_state state = state_after(0, 1);
  struct asz_score score = score_of(0, 10, 0);
  struct asz_slash_history history = {.s3_count = 1, .jailed_until_ns = NOW_NS + 1};
  cr_assert_not(decide(&score, &state, &history).due);
  history.jailed_until_ns = NOW_NS;
  cr_assert(decide(&score, &state, &history).due);
}

Test(slash, jail_is_an_hour_twice_and_then_a_day)
{
  struct asz_score_state state = state_after(0, 1);
  struct asz_score score = score_of(0, 10, 0);
  static const uint64_t hours[] = {1, 1, 24, 24};
  for (uint32_t earlier = 0; earlier < 4; earlier++) {
    struct asz_slash_history history = {.s3_count = earlier};
    cr_assert_eq(decide(&score, &state, &history).jail_ns, hours[earlier] * HOUR_NS, "%u earlier", earlier);
  }
}

Test(offence, names_and_help_follow_the_list)
{
  cr_assert_str_eq(asz_offence_name(ASZ_OFFENCE_S0), "S0");
  cr_assert_str_eq(asz_offence_name(ASZ_OFFENCE_S3), "S3");
  cr_assert_str_eq(asz_offence_help(ASZ_OFFENCE_S1), "wrong signed answers");
  cr_assert_str_eq(asz_offence_name((enum asz_offence)200), "unknown");
  cr_assert_str_eq(asz_offence_help((enum asz_offence)200), "unknown");
}
