/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "dataplane/emulator/cheats.h"

enum { TIMEOUT_NS = 500000000, PROBES = 20000 };

static struct asz_truth truth_of(enum asz_cheat cheat) {
  return (struct asz_truth){.delay_ns = 20000000, .jitter_ns = 1000000, .loss_ppm = 50000, .cheat = (uint8_t)cheat};
}

static struct asz_provider_facts facts_of(const struct asz_truth *truth, uint32_t provider) {
  return (struct asz_provider_facts){.truth = truth, .seed = 11, .timeout_ns = TIMEOUT_NS, .provider = provider};
}

static struct asz_reply_plan plan_of(enum asz_cheat cheat, uint64_t number) {
  struct asz_truth truth = truth_of(cheat);
  struct asz_provider_facts facts = facts_of(&truth, 3);
  struct asz_reply_plan plan;
  asz_plan_probe(&plan, &facts, number);
  return plan;
}

Test(cheats, every_name_is_found_again_and_no_other)
{
  for (unsigned c = 0; c < ASZ_CHEAT_COUNT; c++)
    cr_expect(eq(int, asz_cheat_from_name(asz_cheat_name(c)), c));
  cr_expect(eq(int, asz_cheat_from_name("nonee"), ASZ_CHEAT_COUNT));
  cr_expect(eq(int, asz_cheat_from_name(""), ASZ_CHEAT_COUNT));
}

Test(cheats, an_honest_delay_stays_in_its_range_and_fills_it)
{
  uint64_t sum = 0, smallest = UINT64_MAX, largest = 0;
  for (uint64_t n = 0; n < PROBES; n++) {
    struct asz_reply_plan plan = plan_of(ASZ_CHEAT_NONE, n);
    cr_assert(plan.answers && plan.extra == ASZ_EXTRA_NONE && !plan.spoils_mac);
    cr_assert(plan.delay_ns >= 20000000 && plan.delay_ns < 21000000);
    cr_assert(plan.t2_ns < plan.t3_ns && plan.t3_ns < plan.delay_ns);
    cr_assert(plan.t3_ns - plan.t2_ns < 30000, "an honest dwell time is short");
    sum += plan.delay_ns;
    smallest = plan.delay_ns < smallest ? plan.delay_ns : smallest;
    largest = plan.delay_ns > largest ? plan.delay_ns : largest;
  }
  cr_expect(llabs((long long)(sum / PROBES) - 20500000) < 11000, "mean %lu", sum / PROBES); /* sigma 2,041 */
  cr_expect(smallest < 20001000 && largest > 20999000);
}

Test(cheats, the_same_seed_plans_the_same_in_any_order)
{
  for (uint64_t n = 100; n-- > 0;) {
    struct asz_reply_plan once = plan_of(ASZ_CHEAT_FORGE, n), again = plan_of(ASZ_CHEAT_FORGE, n);
    cr_assert(eq(u64, once.delay_ns, again.delay_ns));
    cr_assert(eq(u64, once.extra_bits, again.extra_bits));
    cr_assert(ne(u64, once.delay_ns, plan_of(ASZ_CHEAT_FORGE, n + 1).delay_ns));
  }
}

Test(cheats, no_jitter_and_a_delay_shorter_than_the_dwell_time_still_make_sense)
{
  struct asz_truth truth = {.delay_ns = 1000, .jitter_ns = 0};
  struct asz_provider_facts facts = facts_of(&truth, 0);
  struct asz_reply_plan plan;
  for (uint64_t n = 0; n < 100; n++) {
    asz_plan_probe(&plan, &facts, n);
    cr_assert(eq(u64, plan.delay_ns, 1000));
    cr_assert(plan.t2_ns <= plan.t3_ns && plan.t3_ns <= plan.delay_ns);
  }
}

Test(cheats, no_cheat_but_a_floor_lowers_or_raises_the_delay_of_its_true_reply)
{
  for (unsigned c = 0; c < ASZ_CHEAT_COUNT; c++)
    for (uint64_t n = 0; n < 100 && c != ASZ_CHEAT_FLOOR; n++)
      cr_assert(eq(u64, plan_of(c, n).delay_ns, plan_of(ASZ_CHEAT_NONE, n).delay_ns), "%s", asz_cheat_name(c));
}

Test(cheats, only_the_dead_are_silent_and_only_they_and_the_mute_take_no_challenge)
{
  for (unsigned c = 0; c < ASZ_CHEAT_COUNT; c++) {
    cr_expect(eq(int, plan_of(c, 0).answers, c != ASZ_CHEAT_DEAD), "%s", asz_cheat_name(c));
    cr_expect(eq(int, asz_cheat_takes_challenges(c), c != ASZ_CHEAT_DEAD && c != ASZ_CHEAT_MUTE), "%s", asz_cheat_name(c));
  }
}

Test(cheats, a_forger_is_always_early_and_never_forges_from_nothing)
{
  for (uint64_t n = 0; n < PROBES; n++) {
    struct asz_reply_plan plan = plan_of(ASZ_CHEAT_FORGE, n);
    cr_assert(plan.extra == ASZ_EXTRA_MADE_UP);
    cr_assert(plan.extra_ns < plan.delay_ns);
    cr_assert(ne(u64, plan.extra_bits, 0));
  }
}

Test(cheats, a_floor_raises_all_that_is_below_it_and_claims_the_wait_as_way)
{
  struct asz_truth truth = truth_of(ASZ_CHEAT_FLOOR);
  struct asz_provider_facts facts = facts_of(&truth, 3);
  for (truth.floor_ns = 0; truth.floor_ns <= 30000000; truth.floor_ns += 500000)
    for (uint64_t n = 0; n < 100; n++) {
      struct asz_reply_plan plan, honest = plan_of(ASZ_CHEAT_NONE, n);
      asz_plan_probe(&plan, &facts, n);
      cr_assert(eq(u64, plan.delay_ns, honest.delay_ns > truth.floor_ns ? honest.delay_ns : truth.floor_ns));
      cr_assert(eq(u64, plan.t3_ns - plan.t2_ns, honest.t3_ns - honest.t2_ns));
      cr_assert(plan.t3_ns <= plan.delay_ns);
    }
}

Test(cheats, a_guess_of_the_next_question_leaves_before_the_reply_to_this_one_and_spans_two_intervals)
{
  struct asz_truth truth = truth_of(ASZ_CHEAT_EARLY);
  struct asz_provider_facts facts = facts_of(&truth, 3);
  uint64_t smallest = UINT64_MAX, largest = 0;
  facts.interval_ns = 50000000;
  for (uint64_t n = 0; n < 2000; n++) {
    struct asz_reply_plan plan;
    asz_plan_probe(&plan, &facts, n);
    cr_assert(plan.extra == ASZ_EXTRA_GUESS && plan.extra_ns < plan.delay_ns);
    cr_assert(plan.extra_bits > 0 && plan.extra_bits <= 100000000);
    smallest = plan.extra_bits < smallest ? plan.extra_bits : smallest;
    largest = plan.extra_bits > largest ? plan.extra_bits : largest;
  }
  cr_expect(smallest < 1000000 && largest > 99000000);
}

Test(cheats, only_a_spoofer_spoofs_only_a_relay_relays_and_only_known_only_asks_for_names)
{
  for (unsigned c = 0; c < ASZ_CHEAT_COUNT; c++) {
    struct asz_reply_plan plan = plan_of(c, 0);
    cr_expect(eq(int, plan.extra == ASZ_EXTRA_SPOOF, c == ASZ_CHEAT_SPOOF), "%s", asz_cheat_name(c));
    cr_expect(plan.extra != ASZ_EXTRA_SPOOF || plan.extra_bits != 0);
    cr_expect(eq(int, plan.relayed, c == ASZ_CHEAT_RELAY), "%s", asz_cheat_name(c));
    cr_expect(eq(int, plan.known_only, c == ASZ_CHEAT_KNOWN_ONLY), "%s", asz_cheat_name(c));
  }
}

Test(cheats, a_replay_comes_a_whole_timeout_after_the_true_reply)
{
  struct asz_reply_plan plan = plan_of(ASZ_CHEAT_REPLAY, 5);
  cr_assert(plan.extra == ASZ_EXTRA_COPY);
  cr_expect(eq(u64, plan.extra_ns, plan.delay_ns + TIMEOUT_NS));
}

Test(cheats, a_duplicate_follows_at_once_and_is_a_copy)
{
  for (uint64_t n = 0; n < 100; n++) {
    struct asz_reply_plan plan = plan_of(ASZ_CHEAT_DUPLICATE, n);
    cr_assert(plan.extra == ASZ_EXTRA_COPY);
    cr_assert(plan.extra_ns >= plan.delay_ns && plan.extra_ns < plan.delay_ns + 50000);
  }
}

Test(cheats, a_clock_liar_claims_nearly_the_whole_way_as_dwell_time)
{
  struct asz_reply_plan plan = plan_of(ASZ_CHEAT_CLOCK_LIAR, 5);
  cr_expect(plan.t3_ns - plan.t2_ns >= plan.delay_ns * 9 / 10);
  cr_expect(plan.t3_ns <= plan.delay_ns);
}

Test(cheats, only_bad_mac_spoils_macs)
{
  for (unsigned c = 0; c < ASZ_CHEAT_COUNT; c++)
    cr_expect(eq(int, plan_of(c, 0).spoils_mac, c == ASZ_CHEAT_BAD_MAC), "%s", asz_cheat_name(c));
}
