/* SPDX-License-Identifier: Apache-2.0 */
/* Which slots may be judged: the rules that keep our own faults off a provider's account. */
#include <criterion/criterion.h>
#include <string.h>

#include "control/measure.h"

enum { COUNT = 8, RATE_PPS = 80, SLOT_S = 1, SLOTS = 10 }; /* ten probes a target and slot */

static struct asz_provider provider[COUNT];
static struct asz_target_stats target[COUNT];
static uint16_t cell[COUNT * ASZ_SKETCH_CELLS_MIN];
static struct asz_roster roster;
static struct asz_stats stats;
static struct asz_plan plan;

static void begin(void) {
  roster = (struct asz_roster){.count = COUNT, .provider = provider};
  stats = (struct asz_stats){.target_count = COUNT, .cell_count = ASZ_SKETCH_CELLS_MIN, .target = target, .cell = cell};
  plan = (struct asz_plan){.rate_pps = RATE_PPS,
                           .slot_ns = SLOT_S * UINT64_C(1000000000),
                           .duration_ns = SLOTS * UINT64_C(1000000000),
                           .target_count = COUNT};
}

TestSuite(measure, .init = begin);

static void make_control(unsigned index, uint64_t slots_up) {
  provider[index].control = true;
  roster.control_count++;
  target[index].slots_up = slots_up;
}

Test(measure, a_full_epoch_judges_every_slot)
{ cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), 0x3ff); }

Test(measure, a_slot_that_probing_did_not_finish_is_not_judged)
{
  stats.slots_unjudged = ~UINT64_C(0xf); /* cut in slot 4 */
  cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), 0xf);
}

Test(measure, a_slot_without_the_familys_gateway_is_not_judged_for_its_targets)
{
  static struct asz_target plan_target[COUNT] = {[1] = {.flags = ASZ_TARGET_IPV6}};
  plan.target = plan_target;
  stats.slots_no_gateway[ASZ_FAMILY_IPV6] = 0x3;
  uint64_t slots = asz_measure_slots(&plan, &stats, &roster);
  cr_assert_eq(slots, 0x3ff, "others may be judged");
  cr_assert_eq(asz_measure_slots_of(&plan, &stats, slots, 0), 0x3ff);
  cr_assert_eq(asz_measure_slots_of(&plan, &stats, slots, 1), 0x3fc);
}

Test(measure, half_a_slot_at_the_end_is_not_judged)
{
  plan.duration_ns -= plan.slot_ns / 2;
  cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), 0x1ff);
}

Test(measure, fewer_than_three_probes_a_slot_judge_nothing)
{
  plan.rate_pps = 2 * COUNT;
  cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), 0);
  plan.rate_pps = 3 * COUNT;
  cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), 0x3ff);
}

/* What takes one half of a pair takes the other: a slot's looks are its pairs. */
Test(measure, fewer_than_three_pairs_a_slot_judge_nothing)
{
  plan.pair_gap_ns = 5000000;
  plan.rate_pps = 5 * COUNT;
  cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), 0);
  plan.rate_pps = 6 * COUNT;
  cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), 0x3ff);
}

Test(measure, delay_variation_is_told_where_it_was_measured)
{
  struct asz_measure measure;
  const struct asz_answer_counts answers = {0};
  asz_measure_fill(&measure, &stats, 2, 100, 0x3ff, &answers);
  cr_assert_eq(measure.variation.pairs, 0, "no memory for it: not measured");
  static struct asz_ipdv ipdv[COUNT];
  stats.ipdv = ipdv;
  for (uint32_t seq = 0; seq < 6; seq++) /* forward by 1 ms, backward by 3 ms, in units of 2^-32 s */
    asz_ipdv_take(&ipdv[2], seq, seq % 2 * UINT64_C(4294967), seq % 2 * UINT64_C(12884902));
  asz_measure_fill(&measure, &stats, 2, 100, 0x3ff, &answers);
  cr_assert_eq(measure.variation.pairs, 3);
  cr_assert_eq((measure.variation.forward_mean_ns + 500) / 1000, 1000);
  cr_assert_eq((measure.variation.backward_mean_ns + 500) / 1000, 3000);
  cr_assert_geq(measure.variation.forward_max_ns, 999999);
  cr_assert_leq(measure.variation.forward_max_ns, 1250000);
  cr_assert_geq(measure.variation.backward_max_ns, 2999999);
  asz_measure_fill(&measure, &stats, 1, 100, 0x3ff, &answers);
  cr_assert_eq(measure.variation.pairs, 0);
}

Test(measure, a_slot_in_which_the_engine_was_the_bottleneck_is_not_judged)
{
  stats.slots_unjudged = 0x11;
  cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), 0x3ff & ~UINT64_C(0x11));
}

Test(measure, a_slot_without_half_of_the_control_targets_is_not_judged)
{
  make_control(0, 0x3ff);
  make_control(1, 0x3f0);
  make_control(2, 0x3f8);
  /* slots 0..2: one of three; slot 3: two of three */
  cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), 0x3f8);
}

Test(measure, our_own_outage_judges_nothing)
{
  make_control(0, 0);
  cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), 0);
}

Test(measure, sixty_four_slots_do_not_overflow)
{
  plan.duration_ns = 64 * UINT64_C(1000000000);
  cr_assert_eq(asz_measure_slots(&plan, &stats, &roster), UINT64_MAX);
}

Test(measure, an_up_slot_that_is_not_judged_does_not_count)
{
  target[3].slots_up = 0x3ff;
  target[3].answered = 90;
  const struct asz_answer_counts answers = {.pass = 4, .fail = 1, .malformed = 2, .missing = 3, .unjudged = 5};
  struct asz_measure measure;
  asz_measure_fill(&measure, &stats, 3, 100, 0x0f, &answers);
  cr_assert_eq(measure.slots_up, 0x0f);
  cr_assert_eq(measure.sent, 100);
  cr_assert_eq(measure.answered, 90);
  cr_assert_eq(measure.answers_pass, 4);
  cr_assert_eq(measure.answers_fail, 1);
  cr_assert_eq(measure.answers_malformed, 2);
  cr_assert_eq(measure.answers_missing, 3);
  cr_assert_eq(measure.answers_unjudged, 5);
  cr_assert_eq(measure.sketch.cell, cell + 3 * ASZ_SKETCH_CELLS_MIN);
}

Test(measure, a_target_that_was_denied_is_not_judged_in_that_epoch)
{
  struct asz_measure measure;
  const struct asz_answer_counts answers = {0};
  target[1].slots_up = 0x3f;
  asz_measure_fill(&measure, &stats, 1, 60, 0x3ff, &answers);
  cr_assert_eq(measure.slots_judged, 0x3ff);
  cr_assert_eq(measure.slots_up, 0x3f);
  target[1].denied = 1;
  asz_measure_fill(&measure, &stats, 1, 60, 0x3ff, &answers);
  cr_assert_eq(measure.slots_judged, 0);
  cr_assert_eq(measure.slots_up, 0);
}
