/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "control/score/score_private.h"
#include "dataplane/base/bound.h"
#include "dataplane/base/bytes.h"

enum { DAY = 20780 };
#define TARGET_NS (UINT64_C(100) * 1000000)

static const struct asz_score_params params = {.rtt_target_ns = TARGET_NS, .vetting_days = 21, .vetting_slots = 5000};

static struct asz_sketch sketch_of(unsigned count, uint64_t rtt_ns) {
  static uint16_t cell[ASZ_SKETCH_CELLS_DEFAULT];
  struct asz_sketch sketch = {.cell = cell, .cell_count = ASZ_SKETCH_CELLS_DEFAULT};
  asz_sketch_init();
  for (unsigned i = 0; i < count; i++)
    asz_sketch_add(&sketch, rtt_ns);
  return sketch;
}

/* An epoch of ten slots with six probes each; `up` slots from the first on are answered. */
static struct asz_measure epoch_of_ten(unsigned up, const struct asz_sketch *sketch) {
  return (struct asz_measure){
      .sent = 60,
      .answered = up * 6,
      .slots_judged = 0x3ff,
      .slots_up = (1u << up) - 1,
      .rtt_min_ns = up ? 1000000 : 0,
      .sketch = sketch != NULL ? *sketch : (struct asz_sketch){0},
  };
}

static struct asz_score score_once(struct asz_score_state *state, const struct asz_measure *measure) {
  struct asz_score score;
  asz_score_epoch(state, measure, &params, 0, DAY * ASZ_DAY_NS, &score);
  return score;
}

Test(score, an_unjudged_epoch_leaves_the_state_unchanged_and_says_no_data)
{
  struct asz_score_state state, before;
  asz_score_state_init(&state);
  struct asz_sketch sketch = sketch_of(60, 1000000);
  struct asz_measure measure = epoch_of_ten(10, &sketch);
  score_once(&state, &measure);
  before = state;

  measure.slots_judged = 0; /* the engine was at fault in every slot */
  measure.unjudged = 60;
  struct asz_score score = score_once(&state, &measure);
  cr_assert_eq(memcmp(&state, &before, sizeof state), 0);
  cr_assert_eq(score.binding, ASZ_BINDING_NO_DATA);
  cr_assert_eq(score.slots_judged, 0);
  cr_assert_eq(score.composite_ppm, 0);
  cr_assert_eq(score.window_slots, 10, "what is known is still shown");
}

Test(score, a_dead_provider_is_bound_by_availability_and_not_by_latency)
{
  struct asz_score_state state;
  asz_score_state_init(&state);
  struct asz_measure measure = epoch_of_ten(0, NULL);
  struct asz_score score = score_once(&state, &measure);
  cr_assert_eq(score.uptime_ppm, 0);
  cr_assert_eq(score.loss_ppm, ASZ_PPM);
  cr_assert_eq(score.composite_ppm, 0);
  cr_assert_eq(score.binding, ASZ_BINDING_AVAILABILITY);
  cr_assert_eq(score.slots_judged, 10);
}

Test(score, a_dead_hour_after_a_perfect_month_scores_zero_in_that_hour_only)
{
  struct asz_score_state state;
  asz_score_state_init(&state);
  struct asz_sketch sketch = sketch_of(60, 1000000);
  struct asz_measure good = epoch_of_ten(10, &sketch), dead = epoch_of_ten(0, NULL);
  for (unsigned i = 0; i < 1000; i++)
    score_once(&state, &good);
  struct asz_score score = score_once(&state, &dead);
  cr_assert_eq(score.composite_ppm, 0);
  cr_assert_eq(score.binding, ASZ_BINDING_AVAILABILITY);
  score = score_once(&state, &good);
  cr_assert_gt(score.composite_ppm, 0);
  cr_assert_eq(score.window_uptime_ppm, 10010 * UINT64_C(1000000) / 10020);
}

Test(score, the_gate_closes_when_the_eprocess_fired_and_binds_before_missing_data)
{
  struct asz_score_state state;
  asz_score_state_init(&state);
  struct asz_sketch sketch = sketch_of(60, 1000000);
  struct asz_measure measure = epoch_of_ten(10, &sketch);
  for (unsigned i = 0; i < 4; i++)
    asz_eprocess_step(&state.eprocess, true);
  struct asz_score score = score_once(&state, &measure);
  cr_assert_not(score.gate_open);
  cr_assert_eq(score.composite_ppm, 0);
  cr_assert_eq(score.binding, ASZ_BINDING_GATE);
  cr_assert_eq(score.e_value_q32, asz_eprocess_value_q32(&state.eprocess));
  measure.slots_judged = 0;
  cr_assert_eq(score_once(&state, &measure).binding, ASZ_BINDING_GATE);
}

Test(score, latency_binds_a_slow_provider)
{
  struct asz_score_state state;
  asz_score_state_init(&state);
  struct asz_sketch slow = sketch_of(60, 790 * UINT64_C(1000000)); /* nearly three octaves over the target */
  struct asz_measure measure = epoch_of_ten(10, &slow);
  struct asz_score score;
  for (unsigned i = 0; i < 100; i++)
    score = score_once(&state, &measure);
  cr_assert_eq(score.binding, ASZ_BINDING_LATENCY);
  cr_assert_lt(score.s_latency_ppm, 30000);
  cr_assert_gt(score.composite_ppm, 0);
}

Test(score, the_providers_own_target_goes_before_the_default)
{
  struct asz_score_state state;
  asz_score_state_init(&state);
  struct asz_sketch sketch = sketch_of(60, 150 * UINT64_C(1000000));
  struct asz_measure measure = epoch_of_ten(10, &sketch);
  struct asz_score own, by_default;
  asz_score_epoch(&state, &measure, &params, 200 * UINT64_C(1000000), DAY * ASZ_DAY_NS, &own);
  asz_score_epoch(&state, &measure, &params, 0, DAY * ASZ_DAY_NS, &by_default);
  cr_assert_eq(own.s_latency_ppm, ASZ_PPM);
  cr_assert_lt(by_default.s_latency_ppm, ASZ_PPM);
}

Test(score, error_of_the_rtts_is_carried_rounded_up)
{
  struct asz_score_state state;
  asz_score_state_init(&state);
  struct asz_sketch sketch = sketch_of(10, 1000000);
  struct asz_measure measure = epoch_of_ten(10, &sketch);
  cr_assert_eq(score_once(&state, &measure).rtt_error_ns, 0, "not stated");
  measure.rtt_error_ns = 1025;
  cr_assert_eq(score_once(&state, &measure).rtt_error_ns, 1280);
}

Test(score, quantiles_come_from_the_sketch_and_are_zero_without_a_reply)
{
  struct asz_score_state state;
  asz_score_state_init(&state);
  struct asz_sketch sketch = sketch_of(94, 1000000);
  for (unsigned i = 0; i < 6; i++)
    asz_sketch_add(&sketch, 50000000);
  struct asz_measure measure = epoch_of_ten(10, &sketch);
  struct asz_score score = score_once(&state, &measure);
  cr_assert_eq(score.rtt_min_ns, 1000000);
  cr_assert(score.rtt_q50_ns > 989000 && score.rtt_q50_ns < 1011000, "%lu", score.rtt_q50_ns);
  cr_assert(score.rtt_q95_ns > 49400000 && score.rtt_q95_ns < 50600000, "%lu", score.rtt_q95_ns);
  measure.answered = 0;
  score = score_once(&state, &measure);
  cr_assert(score.rtt_min_ns == 0 && score.rtt_q50_ns == 0 && score.rtt_q95_ns == 0 && score.rtt_q99_ns == 0);
}

Test(score, vetting_takes_both_the_days_and_the_slots)
{
  struct asz_score_state state;
  asz_score_state_init(&state);
  struct asz_sketch sketch = sketch_of(60, 1000000);
  struct asz_measure measure = epoch_of_ten(10, &sketch);
  struct asz_score score;
  for (unsigned hour = 0; hour < 21 * 24; hour++) {
    asz_score_epoch(&state, &measure, &params, 0, DAY * ASZ_DAY_NS + hour * (ASZ_DAY_NS / 24), &score);
    cr_assert_eq(score.tier, ASZ_TIER_NONE, "hour %u", hour);
    cr_assert_lt(score.confidence_ppm, ASZ_PPM, "hour %u", hour);
  }
  cr_assert_eq(state.slots_total, 5040, "the slots are there, the last hour is not");
  asz_score_epoch(&state, &measure, &params, 0, (DAY + 21) * ASZ_DAY_NS, &score);
  cr_assert_eq(score.confidence_ppm, ASZ_PPM);
  cr_assert_eq(score.tier, ASZ_TIER_BEST);
}

Test(score, answers_move_the_beta_and_only_judged_ones_do)
{
  struct asz_score_state state, before;
  asz_score_state_init(&state);
  before = state;
  struct asz_measure measure = {.answers_missing = 5, .answers_unjudged = 7};
  struct asz_score score = score_once(&state, &measure);
  cr_assert_eq(memcmp(&state, &before, sizeof state), 0);
  cr_assert_eq(score.s_correctness_ppm, 500000, "Beta(1, 1)");

  measure = (struct asz_measure){.answers_pass = 8};
  score = score_once(&state, &measure);
  cr_assert(score.s_correctness_ppm > 899000 && score.s_correctness_ppm < 901000, "(1 + 8) / (2 + 8), a little forgotten");
  measure = (struct asz_measure){.answers_fail = 9, .answers_malformed = 1};
  score = score_once(&state, &measure);
  cr_assert(score.s_correctness_ppm > 440000 && score.s_correctness_ppm < 455000, "%u", score.s_correctness_ppm);
  measure = (struct asz_measure){.answers_fail = UINT32_MAX, .answers_malformed = UINT32_MAX};
  score = score_once(&state, &measure);
  cr_assert_eq(score.s_correctness_ppm, 0);
}

Test(score, same_inputs_give_the_same_bytes)
{
  struct asz_score_state a, b;
  asz_score_state_init(&a);
  asz_score_state_init(&b);
  struct asz_sketch sketch = sketch_of(60, 1234567);
  for (unsigned epoch = 0; epoch < 500; epoch++) {
    struct asz_measure measure = epoch_of_ten(epoch * 7 % 11, &sketch);
    struct asz_score score_a, score_b;
    memset(&score_a, 0xff, sizeof score_a); /* padding and rest must not matter */
    memset(&score_b, 0x00, sizeof score_b);
    asz_score_epoch(&a, &measure, &params, 0, epoch * (ASZ_DAY_NS / 24), &score_a);
    asz_score_epoch(&b, &measure, &params, 0, epoch * (ASZ_DAY_NS / 24), &score_b);
    cr_assert_eq(memcmp(&score_a, &score_b, sizeof score_a), 0, "epoch %u", epoch);
  }
}

Test(tier, every_rung_needs_both_the_uptime_and_the_composite)
{
  static const struct {
    uint32_t uptime_ppm, composite_ppm;
  } rung[] = {{990000, 540000}, {980000, 480000}, {970000, 440000}, {950000, 390000},
              {900000, 320000}, {850000, 280000}, {750000, 220000}};
  for (uint8_t i = 0; i < 7; i++) {
    uint8_t below = i == 6 ? ASZ_TIER_NONE : i + 2;
    cr_assert_eq(asz_tier_of(rung[i].composite_ppm, rung[i].uptime_ppm), i + 1);
    cr_assert_eq(asz_tier_of(rung[i].composite_ppm - 1, rung[i].uptime_ppm), below);
    cr_assert_eq(asz_tier_of(rung[i].composite_ppm, rung[i].uptime_ppm - 1), below);
  }
  cr_assert_eq(asz_tier_of(ASZ_PPM, 749999), ASZ_TIER_NONE);
  cr_assert_eq(asz_tier_of(0, ASZ_PPM), ASZ_TIER_NONE);
}

Test(tier, the_composite_of_a_rung_is_that_of_its_uptime_at_twice_the_target)
{
  static const uint32_t uptime_ppm[] = {990000, 980000, 970000, 950000, 900000, 850000, 750000};
  for (uint8_t i = 0; i < 7; i++) {
    uint32_t composite_ppm = asz_composite_ppm(asz_s_availability_ppm(uptime_ppm[i]), asz_s_latency_ppm(200, 100));
    uint32_t rung_ppm = composite_ppm / 10000 * 10000;
    cr_assert_eq(asz_tier_of(rung_ppm, ASZ_PPM), i + 1, "%u", composite_ppm);
    cr_assert_neq(asz_tier_of(rung_ppm - 1, ASZ_PPM), i + 1, "%u", composite_ppm);
  }
}

Test(components, are_exact_where_the_definition_is_round)
{
  cr_assert_eq(asz_s_availability_ppm(0), 0);
  cr_assert_eq(asz_s_availability_ppm(900000), 250000);
  cr_assert_eq(asz_s_availability_ppm(990000), 500000);
  cr_assert_eq(asz_s_availability_ppm(999000), 750000);
  cr_assert_eq(asz_s_availability_ppm(999900), ASZ_PPM);
  cr_assert_eq(asz_s_availability_ppm(ASZ_PPM), ASZ_PPM);
  cr_assert_eq(asz_s_latency_ppm(0, TARGET_NS), 0);
  cr_assert_eq(asz_s_latency_ppm(TARGET_NS, TARGET_NS), ASZ_PPM);
  cr_assert_eq(asz_s_latency_ppm(2 * TARGET_NS, TARGET_NS), 666667);
  cr_assert_eq(asz_s_latency_ppm(8 * TARGET_NS, TARGET_NS), 0);
  cr_assert_eq(asz_s_latency_ppm(UINT64_MAX, 1), 0);
  cr_assert_eq(asz_composite_ppm(ASZ_PPM, ASZ_PPM), ASZ_PPM);
  cr_assert_eq(asz_composite_ppm(0, ASZ_PPM), 0);
}

Test(record, has_the_bytes_of_the_documented_table)
{
  uint8_t record[ASZ_RECORD_BYTES], pk[32];
  memset(record, 0xee, sizeof record);
  for (unsigned i = 0; i < 32; i++)
    pk[i] = (uint8_t)(0x80 + i);
  struct asz_measure measure = {.sent = 60,
                                .answered = 70000,
                                .late = 3,
                                .unjudged = 4,
                                .slots_judged = 0x0f,
                                .slots_up = 0xf3,
                                .answers_pass = 5,
                                .answers_fail = 6};
  struct asz_score score = {.tier = 2,
                            .binding = ASZ_BINDING_LATENCY,
                            .gate_open = true,
                            .rtt_q50_ns = 0x01020304,
                            .rtt_error_ns = 1280,
                            .rtt_q95_ns = UINT64_C(0x100000000),
                            .e_value_q32 = UINT64_C(0x0a0b0c0dffffffff),
                            .availability_low_ppm = 990000,
                            .composite_ppm = 123456};
  asz_score_record_write(record, 77, pk, 3, &measure, &score);
  cr_assert_eq(record[0], 1);
  cr_assert_eq(record[1], 2);
  cr_assert_eq(record[2], ASZ_BINDING_LATENCY);
  cr_assert_eq(record[3], 1 | asz_bound_code(1280) << 1);
  cr_assert_eq(asz_be32_load(record + 4), 3);
  cr_assert_eq(asz_be64_load(record + 8), 77);
  cr_assert_eq(memcmp(record + 16, pk, 32), 0);
  cr_assert_eq(asz_be16_load(record + 48), 60);
  cr_assert_eq(asz_be16_load(record + 50), 0xffff, "does not fit: all ones");
  cr_assert_eq(asz_be16_load(record + 52), 3);
  cr_assert_eq(asz_be16_load(record + 54), 4);
  cr_assert_eq(asz_be64_load(record + 56), 0x0f);
  cr_assert_eq(asz_be64_load(record + 64), 0x03, "up only where judged");
  cr_assert_eq(asz_be32_load(record + 72), 0x01020304);
  cr_assert_eq(asz_be32_load(record + 76), UINT32_MAX);
  cr_assert_eq(asz_be32_load(record + 80), 0x0a0b0c0d);
  cr_assert_eq(asz_be16_load(record + 84), 5);
  cr_assert_eq(asz_be16_load(record + 86), 6);
  cr_assert_eq(asz_be32_load(record + 88), 990000);
  cr_assert_eq(asz_be32_load(record + 92), 123456);
}

Test(binding, every_name_is_there_and_an_unknown_one_is_no_crash)
{
  for (unsigned binding = 0; binding < ASZ_BINDING_COUNT; binding++)
    cr_assert(asz_binding_name((enum asz_binding)binding)[0] != 0);
  cr_assert_str_eq(asz_binding_name((enum asz_binding)99), "unknown");
}
