/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "control/ladder.h"
#include "tests/random.h"

/* Climbs against something that is clean up to limit_pps; returns how many rungs that took. */
static unsigned climb(struct asz_ladder *ladder, uint64_t limit_pps) {
  unsigned rungs = 0;
  while (ladder->next_pps != 0) {
    cr_assert(lt(u32, rungs++, 200), "it ends");
    cr_assert(ladder->clean_pps == 0 || ladder->next_pps <= 2 * ladder->clean_pps, "never over twice a clean rate");
    asz_ladder_note(ladder, ladder->next_pps <= limit_pps);
  }
  return rungs;
}

Test(ladder, nothing_clean_ends_at_once)
{
  struct asz_ladder ladder;
  asz_ladder_init(&ladder, 1000, 1000000);
  cr_assert(eq(u32, climb(&ladder, 999), 3), "three tries of the first rung");
  cr_assert(ladder.clean_pps == 0 && ladder.bad_pps == 1000);
}

Test(ladder, everything_clean_ends_at_the_highest_rate)
{
  struct asz_ladder ladder;
  asz_ladder_init(&ladder, 1000, 1000001);
  climb(&ladder, UINT64_MAX);
  cr_assert(ladder.clean_pps == 1000001 && ladder.bad_pps == 0);
  asz_ladder_init(&ladder, 7, 7);
  cr_assert(eq(u32, climb(&ladder, UINT64_MAX), 1));
  cr_assert(eq(u64, ladder.clean_pps, 7));
}

Test(ladder, limit_is_found_within_a_sixteenth)
{
  struct asz_test_random random = asz_test_random_start(20261125);
  for (unsigned i = 0; i < 1000; i++) {
    uint64_t limit_pps = 1000 + asz_test_random_next(&random) % 20000000;
    struct asz_ladder ladder;
    asz_ladder_init(&ladder, 1000, 200000000);
    climb(&ladder, limit_pps);
    cr_assert(ladder.clean_pps <= limit_pps && limit_pps < ladder.bad_pps, "seed %lu, limit %lu", random.seed, limit_pps);
    cr_assert(ladder.bad_pps - ladder.clean_pps <= ladder.bad_pps / 16, "seed %lu, limit %lu", random.seed, limit_pps);
  }
}

Test(ladder, bad_luck_twice_changes_nothing)
{
  struct asz_ladder ladder;
  asz_ladder_init(&ladder, 1000, 8000);
  asz_ladder_note(&ladder, false);
  asz_ladder_note(&ladder, false);
  cr_assert(ladder.next_pps == 1000 && ladder.bad_pps == 0);
  asz_ladder_note(&ladder, true);
  cr_assert(ladder.next_pps == 2000 && ladder.clean_pps == 1000);
  asz_ladder_note(&ladder, false);
  asz_ladder_note(&ladder, false);
  cr_assert(eq(u64, ladder.next_pps, 2000), "the tries are counted anew");
}

Test(ladder, note_after_the_end_is_heard_by_nobody)
{
  struct asz_ladder ladder;
  asz_ladder_init(&ladder, 5, 5);
  asz_ladder_note(&ladder, true);
  asz_ladder_note(&ladder, false);
  cr_assert(ladder.next_pps == 0 && ladder.clean_pps == 5 && ladder.bad_pps == 0);
}

static enum asz_rung_verdict verdict(struct asz_rung rung, uint32_t loss_ppm, uint32_t fault_ppm) {
  const struct asz_rung_bounds bounds = {loss_ppm, fault_ppm};
  asz_rung_judge(&rung, &bounds);
  return rung.verdict;
}

Test(ladder, loss_and_our_own_faults_have_bounds_of_their_own)
{
  const struct asz_rung clean = {.asked_pps = 1000, .rate_pps = 1000, .sent = 1000000, .answered = 1000000};
  struct asz_rung r = clean;
  cr_assert(eq(int, verdict(clean, 0, 0), ASZ_RUNG_CLEAN));
  r.lost = 1000;
  cr_assert(eq(int, verdict(r, 1000, 0), ASZ_RUNG_CLEAN), "just the bound");
  r.lost = 1001;
  cr_assert(eq(int, verdict(r, 1000, 999999), ASZ_RUNG_LOST));
  r.late = 1000;
  cr_assert(eq(int, verdict(r, 999999, 1000), ASZ_RUNG_CLEAN));
  cr_assert(eq(int, verdict(r, 999999, 999), ASZ_RUNG_LATE));
}

Test(ladder, rung_is_named_after_its_worst_cause)
{
  struct asz_rung r = {.asked_pps = 1000, .rate_pps = 1000, .sent = 1000000, .answered = 999000, .lost = 1000, .late = 999};
  cr_assert(eq(int, verdict(r, 0, 0), ASZ_RUNG_LOST));
  r.late = 1001;
  cr_assert(eq(int, verdict(r, 0, 0), ASZ_RUNG_LATE));
  r.missed = 1002;
  cr_assert(eq(int, verdict(r, 0, 0), ASZ_RUNG_MISSED));
  r.lost = 2000;
  cr_assert(eq(int, verdict(r, 0, 0), ASZ_RUNG_LOST));
  cr_assert(eq(int, verdict(r, 2000, 2002), ASZ_RUNG_MISSED), "they add up, and loss is within its bound");
  cr_assert(eq(int, verdict(r, 2000, 2003), ASZ_RUNG_CLEAN));
  r = (struct asz_rung){.asked_pps = 1000, .rate_pps = 1000, .sent = 1000000, .wrong = 1};
  cr_assert(eq(int, verdict(r, 0, 0), ASZ_RUNG_WRONG));
}

Test(ladder, what_was_not_sent_is_part_of_what_was_due)
{
  struct asz_rung r = {.asked_pps = 1000, .rate_pps = 500, .sent = 500000, .not_sent = 500000};
  cr_assert(eq(int, verdict(r, 0, 499999), ASZ_RUNG_NOT_SENT));
  cr_assert(eq(int, verdict(r, 0, 500000), ASZ_RUNG_CLEAN));
  r = (struct asz_rung){.asked_pps = 1000, .refused = 1};
  cr_assert(eq(int, verdict(r, 0, 1000), ASZ_RUNG_REFUSED));
}

Test(ladder, rung_that_did_not_reach_its_rate_is_not_clean)
{
  struct asz_rung r = {.asked_pps = 1000, .rate_pps = 990, .sent = 990, .answered = 990};
  cr_assert(eq(int, verdict(r, 0, 0), ASZ_RUNG_CLEAN));
  r.rate_pps = 989;
  cr_assert(eq(int, verdict(r, 0, 0), ASZ_RUNG_SLOW));
  r = (struct asz_rung){.asked_pps = 1000};
  cr_assert(eq(int, verdict(r, 999999, 999999), ASZ_RUNG_SLOW), "nothing was sent");
}

Test(ladder, every_verdict_has_a_name_of_its_own)
{
  for (enum asz_rung_verdict v = 0; v < ASZ_RUNG_COUNT; v++)
    for (enum asz_rung_verdict other = 0; other < v; other++)
      cr_assert(ne(str, (char *)asz_rung_name(v), (char *)asz_rung_name(other)));
}
