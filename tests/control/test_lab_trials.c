/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/lab_trials.h"

enum { PROVIDERS = 4, MS = 1000000, FOLD = ASZ_LAB_PRESET | ASZ_MEM_FOLD };

static const struct asz_lab_terms terms = {.openings = 4, .deadline_ns = 600 * UINT64_C(1000000), .allowance_ns = 10 * MS};
static struct asz_lab_trait trait[PROVIDERS];
static struct asz_lab_tally tally[PROVIDERS];
static struct asz_lab_trials trials;

static void outcome(uint32_t provider, unsigned kind, unsigned param, enum asz_verdict verdict, bool is_shut) {
  asz_lab_tally_add(
      &tally[provider], &trait[provider],
      &(struct asz_lab_outcome){.kind = kind, .param = param, .verdict = verdict, .is_shut = is_shut, .at_once = true});
}

static void outcomes(uint32_t provider, enum asz_verdict verdict, unsigned count) {
  const unsigned kind = asz_lab_attack_kind(trait[provider].attack);
  for (unsigned i = 0; i < count; i++)
    outcome(provider, kind ? kind : ASZ_KIND_SIG, 0, verdict, false);
}

/* Right folds of that pace. */
static void folds(uint32_t provider, enum asz_fold_pace pace, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    asz_lab_tally_add(&tally[provider], &trait[provider],
                      &(struct asz_lab_outcome){ASZ_KIND_MEM, FOLD, ASZ_VERDICT_PASS, pace, false, true});
}

static const struct asz_lab_trial *made(uint32_t row) {
  cr_assert(eq(int, asz_lab_trials_make(&trials, trait, tally, PROVIDERS, &terms), 0));
  cr_assert(row < trials.count, "%u rows", trials.count);
  return &trials.trial[row];
}

/* Provider 0 and 1 spoil an eighth of all columns, the others are honest. */
static void begin(void) {
  trait[0] = trait[1] = (struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_LAZY, .columns = 16};
}
TestSuite(lab_trials, .init = begin);

Test(lab_trials, a_row_without_a_trial_does_not_hold)
{
  outcomes(2, ASZ_VERDICT_PASS, 5);
  cr_expect(not(made(0)->ok));
  cr_expect(eq(u64, made(0)->trials, 0));
  cr_expect(not(trials.ok));
}

Test(lab_trials, a_claim_outside_of_the_interval_does_not_hold)
{
  outcomes(0, ASZ_VERDICT_FAIL, 40);
  outcomes(1, ASZ_VERDICT_PASS, 160);
  cr_expect(not(made(0)->ok), "41.4 %% claimed, 20 %% of 200 measured: %u to %u", made(0)->low_ppb, made(0)->high_ppb);
  outcomes(0, ASZ_VERDICT_FAIL, 90);
  cr_expect(made(0)->ok, "45 %% of 290: %u to %u", made(0)->low_ppb, made(0)->high_ppb);
  outcomes(0, ASZ_VERDICT_FAIL, 600);
  cr_expect(not(made(0)->ok), "82 %% of 890");
}

Test(lab_trials, of_what_is_certain_one_that_ends_otherwise_is_enough)
{
  trait[1] = (struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_BROKEN_CHAIN};
  outcomes(1, ASZ_VERDICT_FAIL, 100000);
  cr_expect(made(1)->ok);
  outcomes(1, ASZ_VERDICT_PASS, 1);
  cr_expect(not(made(1)->ok));
  outcomes(2, ASZ_VERDICT_PASS, 100000);
  outcomes(2, ASZ_VERDICT_NONE, 7); /* a lost datagram is no false alarm */
  cr_expect(made(2)->ok);
  outcomes(2, ASZ_VERDICT_MALFORMED, 1);
  cr_expect(not(made(2)->ok), "an honest answer was taken for a wrong one");
}

Test(lab_trials, an_outcome_that_no_claim_foresees_fails_the_row)
{
  outcomes(0, ASZ_VERDICT_FAIL, 41);
  outcomes(0, ASZ_VERDICT_PASS, 59);
  cr_expect(made(0)->ok);
  outcomes(0, ASZ_VERDICT_MALFORMED, 1);
  cr_expect(not(made(0)->ok));
  cr_expect(eq(u64, made(0)->odd, 1));
}

Test(lab_trials, what_the_machine_kept_from_being_judged_is_no_trial)
{
  outcomes(0, ASZ_VERDICT_FAIL, 41);
  outcomes(1, ASZ_VERDICT_PASS, 59);
  outcomes(0, ASZ_VERDICT_NONE, 900);
  outcomes(0, ASZ_VERDICT_UNJUDGED, 90);
  cr_expect(eq(u64, made(0)->trials, 100));
  cr_expect(eq(u64, made(0)->unjudged, 990));
  cr_expect(made(0)->ok);
}

Test(lab_trials, silence_shows_who_keeps_a_commitment_shut_and_not_who_made_none)
{
  trait[0] = trait[1] = (struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_SELECTIVE, .columns = 16};
  outcomes(0, ASZ_VERDICT_PASS, 59);
  for (unsigned i = 0; i < 41; i++)
    outcome(0, ASZ_KIND_GEMM, ASZ_LAB_PRESET, ASZ_VERDICT_NONE, true);
  outcomes(0, ASZ_VERDICT_NONE, 500);
  cr_expect(eq(u64, made(0)->caught, 41));
  cr_expect(eq(u64, made(0)->trials, 100));
  cr_expect(eq(u64, made(0)->unjudged, 500));
  trait[0] = (struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_REPLAYED_ANSWER};
  memset(tally, 0, sizeof tally);
  outcomes(0, ASZ_VERDICT_NONE, 3);
  cr_expect(eq(u64, made(0)->caught, 3), "an answer to another question is none");
}

/* Half of the folds of two identities on one device are too slow. */
static void share(uint32_t provider, uint32_t claim_us) {
  trait[provider] = (struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_SHARED_FOLD,
                                           .device = {.piece_us = 100000, .claim_us = claim_us, .identities = 2}};
}

Test(lab_trials, of_a_shared_device_late_answers_and_folds_out_of_pace_are_caught_and_untimed_ones_no_trials)
{
  share(0, 100000);
  folds(0, ASZ_FOLD_PACE_IN_BOUNDS, 50);
  folds(0, ASZ_FOLD_PACE_TOO_SLOW, 30);
  folds(0, ASZ_FOLD_PACE_TOO_FAST, 1);
  folds(0, ASZ_FOLD_PACE_NONE, 700);
  outcomes(0, ASZ_VERDICT_NONE, 1); /* no fold: builds are not tried */
  outcome(0, ASZ_KIND_MEM, FOLD, ASZ_VERDICT_NONE, false);
  outcome(0, ASZ_KIND_MEM, FOLD, ASZ_VERDICT_UNJUDGED, true);
  cr_expect(eq(u64, made(0)->caught, 32));
  cr_expect(eq(u64, made(0)->trials, 82));
  cr_expect(eq(u64, made(0)->unjudged, 701));
  cr_expect(eq(u32, made(0)->claim_ppb, 500000000));
  outcome(0, ASZ_KIND_MEM, FOLD, ASZ_VERDICT_FAIL, true);
  cr_expect(eq(u64, made(0)->odd, 1), "its work is right");
  asz_lab_tally_add(&tally[0], &trait[0],
                    &(struct asz_lab_outcome){ASZ_KIND_MEM, FOLD, ASZ_VERDICT_PASS, ASZ_FOLD_PACE_IN_BOUNDS, false, false});
  cr_expect(eq(u64, made(0)->trials, 82), "of who is asked alone nothing is claimed");
  cr_expect(eq(u64, made(0)->unjudged, 702));
}

Test(lab_trials, an_honest_fold_out_of_pace_is_a_false_alarm)
{
  trait[2].device = (struct asz_lab_device){.piece_us = 100000, .claim_us = 100000, .identities = 1};
  folds(2, ASZ_FOLD_PACE_IN_BOUNDS, 50);
  folds(2, ASZ_FOLD_PACE_NONE, 5);
  folds(3, ASZ_FOLD_PACE_NONE, 5);
  cr_expect(made(1)->ok);
  cr_expect(eq(u64, made(1)->trials, 60));
  folds(2, ASZ_FOLD_PACE_TOO_SLOW, 1);
  cr_expect(not(made(1)->ok));
}

Test(lab_trials, devices_that_differ_are_rows_of_their_own)
{
  share(0, 100000);
  share(1, 180000);
  share(2, 100000);
  trait[2].device_number = 2;
  (void)made(0);
  cr_assert(eq(u32, trials.count, 3));
  cr_expect(eq(u32, trials.trial[0].providers, 2));
}

/* By hand: places 1..n take n pieces and the path; a fold is out of bounds under half of its claim, over 10/7 of it and 10 ms. */
Test(lab_trials, what_a_queue_gives_away_is_counted)
{
  static const struct {
    uint8_t attack;
    struct asz_lab_device device;
    uint32_t claim_ppb;
    bool is_clear;
  } known[] = {
      {ASZ_LAB_ATTACK_SHARED_FOLD, {100000, 100000, 0, 4}, 750000000, true},
      {ASZ_LAB_ATTACK_SHARED_FOLD, {100000, 180000, 0, 2}, 0, true},
      {ASZ_LAB_ATTACK_SHARED_FOLD, {100000, 300000, 0, 3}, 333333333, true},      /* the first is too fast */
      {ASZ_LAB_ATTACK_SHARED_FOLD, {100000, 100000, 20000, 2}, 500000000, false}, /* 120 of 152 ms */
      {ASZ_LAB_ATTACK_SHARED_FOLD, {240000, 400000, 0, 3}, 333333333, true}, /* the third is late, and in pace if it were not */
      {ASZ_LAB_ATTACK_SHARED_PRODUCT, {250000, 250000, 0, 4}, 500000000, true},
      {ASZ_LAB_ATTACK_SHARED_PRODUCT, {100000, 100000, 0, 4}, 0, true},
      {ASZ_LAB_ATTACK_RELAYED_FOLD, {100000, 100000, 10000, 1}, 0, true},
      {ASZ_LAB_ATTACK_RELAYED_FOLD, {100000, 100000, 110000, 1}, 1000000000, true},
      {ASZ_LAB_ATTACK_RELAYED_PRODUCT, {100000, 100000, 110000, 1}, 0, true},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    const struct asz_lab_trait t = {.attack = known[i].attack, .device = known[i].device};
    cr_expect(eq(u32, asz_lab_attack_claim_ppb(&t, &terms), known[i].claim_ppb), "case %zu", i);
    cr_expect(eq(int, asz_lab_attack_is_clear(&t, &terms, 40 * MS), known[i].is_clear), "case %zu", i);
  }
}

Test(lab_trials, a_device_makes_one_piece_at_a_time)
{
  const struct asz_lab_device device = {.piece_us = 100, .claim_us = 100, .path_us = 40, .identities = 2};
  uint64_t busy_ns = 0;
  cr_expect(eq(u64, asz_lab_device_serve(&device, &busy_ns, 1000000), 1140000));
  cr_expect(eq(u64, asz_lab_device_serve(&device, &busy_ns, 1000000), 1240000), "behind the first");
  cr_expect(eq(u64, asz_lab_device_serve(&device, &busy_ns, 1150000), 1340000), "behind both");
  cr_expect(eq(u64, asz_lab_device_serve(&device, &busy_ns, 2000000), 2140000), "it was idle");
  cr_expect(eq(u64, asz_lab_device_serve(&(struct asz_lab_device){0}, &busy_ns, 5), 5), "no device is emulated");
  cr_expect(eq(u64, asz_lab_device_claim(&device, 16384), 163840000));
  cr_expect(eq(u64, asz_lab_device_claim(&(struct asz_lab_device){0}, 16384), 0));
}

Test(lab_trials, only_the_kind_that_an_attack_is_about_counts)
{
  outcome(0, ASZ_KIND_SIG, 0, ASZ_VERDICT_PASS, true);
  outcome(2, ASZ_KIND_SEQ, 8, ASZ_VERDICT_PASS, true);
  outcome(2, ASZ_KIND_GEMM, ASZ_LAB_PRESET, ASZ_VERDICT_PASS, true);
  cr_expect(eq(u64, made(0)->trials, 0));
  cr_expect(eq(u64, made(1)->trials, 2), "of the honest all kinds do");
}

Test(lab_trials, who_loses_an_arena_that_it_built_is_tried_by_folds_alone)
{
  trait[0] = (struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_MISSING_ARENA, .columns = 9};
  trait[1] = (struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_LAZY_ARENA, .columns = 9};
  for (uint32_t i = 0; i < 2; i++) {
    outcome(i, ASZ_KIND_MEM, ASZ_LAB_PRESET, ASZ_VERDICT_PASS, true);
    outcome(i, ASZ_KIND_MEM, FOLD, ASZ_VERDICT_FAIL, true);
  }
  cr_expect(eq(u64, made(0)->trials, 1));
  cr_expect(eq(u64, made(1)->trials, 2), "who never had it, by the build, too");
}

Test(lab_trials, traits_are_rows_in_order_and_the_honest_come_last)
{
  trait[0] = (struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_NONE};
  trait[3] = (struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_LAZY, .columns = 17};
  for (uint32_t i = 0; i < PROVIDERS; i++)
    outcomes(i, ASZ_VERDICT_PASS, 1);
  (void)made(0);
  cr_assert(eq(u32, trials.count, 3));
  cr_expect(eq(u32, trials.trial[0].trait.columns, 16));
  cr_expect(eq(u32, trials.trial[1].trait.columns, 17));
  cr_expect(eq(u32, trials.trial[2].providers, 2));
  memset(trait, 0, sizeof trait);
  cr_assert(eq(int, asz_lab_trials_make(&trials, trait, tally, PROVIDERS, &terms), 0));
  cr_expect(eq(u32, trials.count, 0), "nobody attacks: there is nothing to claim");
}

Test(lab_trials, more_traits_than_rows_are_refused)
{
  static struct asz_lab_trait many[ASZ_LAB_TRIALS_MAX + 1];
  static struct asz_lab_tally none[ASZ_LAB_TRIALS_MAX + 1];
  for (uint32_t i = 0; i <= ASZ_LAB_TRIALS_MAX; i++)
    many[i] = (struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_ALIAS, .columns = (uint16_t)(i + 1)};
  cr_expect(eq(int, asz_lab_trials_make(&trials, many, none, ASZ_LAB_TRIALS_MAX + 1, &terms), ASZ_ETOOBIG));
}

/* Made by another program, which adds up all terms. */
Test(lab_trials, intervals_are_those_of_the_definition)
{
  static const struct {
    uint64_t caught, trials;
    double low_ppb, high_ppb;
  } known[] = {
      {0, 1, 0, 999500000},
      {1, 1, 500000, 1000000000},
      {0, 10, 0, 532375776},
      {3, 10, 16566615, 816394377},
      {41, 100, 254945589, 578712779},
      {500, 1000, 447629420, 552370580},
      {999, 1000, 990046186, 999999500},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    uint32_t low_ppb, high_ppb;
    asz_lab_interval(known[i].caught, known[i].trials, &low_ppb, &high_ppb);
    cr_expect(fabs(low_ppb - known[i].low_ppb) <= 2, "%lu of %lu: from %u", known[i].caught, known[i].trials, low_ppb);
    cr_expect(fabs(high_ppb - known[i].high_ppb) <= 2, "%lu of %lu: to %u", known[i].caught, known[i].trials, high_ppb);
  }
}

Test(lab_trials, every_claim_is_its_formula)
{
  for (unsigned attack = 1; attack < ASZ_LAB_ATTACK_COUNT; attack++)
    for (unsigned k = 1; k <= 32 && !asz_lab_attack_is_timed(attack); k++) {
      const uint32_t most = asz_lab_attack_columns_max(attack);
      const struct asz_lab_trait t = {.attack = (uint8_t)attack, .columns = (uint16_t)(most / 3)};
      double right = 0; /* preset tiny: 2 steps of 64 columns */
      if (most == 128)
        right = 1 - t.columns / 128.;
      else if (most == 63)
        right = t.columns / 64.;
      else if (attack == ASZ_LAB_ATTACK_RECURRENCE)
        right = 1 / 64.;
      else if (attack == ASZ_LAB_ATTACK_FORGED_LINK)
        right = 1 / 2.;
      cr_expect(fabs(asz_lab_attack_claim_ppb(&t, &(struct asz_lab_terms){.openings = k}) - 1e9 * (1 - pow(right, k))) <= 1,
                "%s, k %u", asz_lab_attack_name(attack), k);
    }
  cr_expect(eq(u32, asz_lab_attack_claim_ppb(&(struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_NONE}, &terms), 0));
}

Test(lab_trials, names_go_both_ways)
{
  for (unsigned attack = 0; attack < ASZ_LAB_ATTACK_COUNT; attack++)
    cr_expect(eq(int, asz_lab_attack_from_name(asz_lab_attack_name(attack)), (int)attack));
  cr_expect(eq(int, asz_lab_attack_from_name("lazzy"), ASZ_LAB_ATTACK_COUNT));
}

Test(lab_trials, table_and_json_say_the_same)
{
  outcomes(0, ASZ_VERDICT_FAIL, 41);
  outcomes(0, ASZ_VERDICT_PASS, 59);
  share(1, 180000);
  outcomes(2, ASZ_VERDICT_PASS, 5);
  (void)made(0);
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  cr_assert(eq(int, asz_lab_trials_print(&trials, out), 0));
  fclose(out);
  cr_expect(strstr(text, "lazy") && strstr(text, "41.381") && strstr(text, "41.000") && strstr(text, "honest") &&
                strstr(text, "2 on 100 ms as 180"),
            "%s", text);
  free(text);
  json_t *array = asz_lab_trials_json(&trials), *row = json_array_get(array, 0);
  cr_expect(eq(sz, json_array_size(array), 3));
  cr_expect(strcmp(json_string_value(json_object_get(row, "attack")), "lazy") == 0);
  cr_expect(eq(u64, (uint64_t)json_integer_value(json_object_get(row, "trials")), 100));
  cr_expect(eq(u64, (uint64_t)json_integer_value(json_object_get(row, "claimed_ppb")), made(0)->claim_ppb));
  cr_expect(eq(int, json_is_true(json_object_get(row, "inside")), 1));
  const json_t *device = json_object_get(json_array_get(array, 1), "device");
  cr_expect(eq(u64, (uint64_t)json_integer_value(json_object_get(device, "claim_us")), 180000));
  json_decref(array);
}
