/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/scenario.h"

enum { COUNT = 20, CROWD = 100, SEED = 5 };

/* Loads `text` from a file of its own; the file is gone on return. */
static int load(const char *text, uint32_t count, struct asz_truth *truth, struct asz_diag *diag) {
  char path[] = "scenario-test-XXXXXX";
  int fd = mkstemp(path);
  cr_assert(fd >= 0, "cannot make a file in the working directory");
  cr_assert(eq(sz, (size_t)write(fd, text, strlen(text)), strlen(text)));
  close(fd);
  struct asz_scenario *scenario = NULL;
  int err = asz_scenario_load(&scenario, path, diag);
  if (!err)
    err = asz_scenario_truth(scenario, count, SEED, truth, diag);
  asz_scenario_free(scenario);
  unlink(path);
  return err;
}

struct bad {
  const char *text;
  int err;
  const char *says; /* must be in the line */
};

static const struct bad bads[] = {
    {"", ASZ_EFORMAT, "expected a [group NAME], got none"},
    {"[lab]\nproviders = 20\n", ASZ_EFORMAT, "expected a [group NAME], got none"},
    {"[group a]\ncount = 19\n", ASZ_EFORMAT, "got 19"},
    {"count = 20\n", ASZ_EFORMAT, ":1:"},
    {"[network]\ncount = 20\n", ASZ_EFORMAT, "expected [lab] or [group NAME], got [network]"},
    {"[group ]\ncount = 20\n", ASZ_EFORMAT, "expected [lab] or [group NAME]"},
    {"[group a]\ndelay_us = 5\n[group b]\ncount = rest\n", ASZ_EFORMAT, ":1: count: expected how many"},
    {"[group a]\n", ASZ_EFORMAT, ":1: count"},
    {"[group a]\ncount = 21\n", ASZ_ERANGE, ":2: count: expected a group within the 20 providers of 20"},
    {"[group a]\ncount = 15\n[group b]\ncheat = dead\ncount = 6\n", ASZ_ERANGE, ":5: count: expected a group within the 5"},
    {"[group a]\ncount = 20\n[group b]\ncount = rest\n", ASZ_ERANGE, ":4: count: expected a group within the 0"},
    {"[group a]\ncount = rest\n[group b]\ncount = 1\n", ASZ_EFORMAT, ":3: expected no group behind"},
    {"[group a]\ncount = 0\n", ASZ_ERANGE, ":2: count: expected 1 to"},
    {"[group a]\ncount = -1\n", ASZ_EFORMAT, "\"-1\""},
    {"[group a]\ncount = Rest\n", ASZ_EFORMAT, "or rest"},
    {"[group a]\ncount = 99999999999999999999999\n", ASZ_ERANGE, "count"},
    {"[group a]\ncount = 20\ncount = 20\n", ASZ_EFORMAT, ":3: count: expected count or share_ppm once"},
    {"[group a]\ncount = rest\ndelay_us = 0\n", ASZ_ERANGE, ":3: delay_us: expected 1 to 2000000"},
    {"[group a]\ncount = rest\ndelay_us = 2000001\n", ASZ_ERANGE, "\"2000001\""},
    {"[group a]\ncount = rest\ndelay_us = 1e3\n", ASZ_EFORMAT, "delay_us"},
    {"[group a]\ncount = rest\ndelay_us =\n", ASZ_EFORMAT, "delay_us"},
    {"[group a]\ncount = rest\ndelay_us = 7\ndelay_us = 7\n", ASZ_EFORMAT, ":4: delay_us: expected once"},
    {"[group a]\ncount = rest\njitter_us = 2000001\n", ASZ_ERANGE, "jitter_us: expected 0 to 2000000"},
    {"[group a]\ncount = rest\nloss_ppm = 1000001\n", ASZ_ERANGE, "loss_ppm: expected 0 to 1000000"},
    {"[group a]\ncount = rest\nbad_loss_ppm = 1000001\n", ASZ_ERANGE, "bad_loss_ppm: expected 0 to 1000000"},
    {"[group a]\ncount = rest\noutage_log2_probes = 17\n", ASZ_ERANGE, "outage_log2_probes: expected 0 to 16"},
    {"[group a]\ncount = rest\ndetour_us = 2000001\n", ASZ_ERANGE, "detour_us: expected 0 to 2000000"},
    {"[group a]\ncount = rest\nto_bad_ppm = 600000\nto_good_ppm = 400001\n", ASZ_ERANGE,
     ":1: to_bad_ppm and to_good_ppm: expected at most 1000000 together, got 600000 and 400001"},
    {"[group a]\ncount = rest\nbroken_ppm = 1000000\naltered_ppm = 1\n", ASZ_ERANGE, ":1: broken_ppm and altered_ppm"},
    {"[group a]\ncount = rest\nshare_ppm = 5\n", ASZ_EFORMAT, ":3: share_ppm: expected count or share_ppm once"},
    {"[group a]\nshare_ppm = 0\n", ASZ_ERANGE, ":2: share_ppm: expected 1 to 1000000"},
    {"[group a]\nshare_ppm = rest\n", ASZ_EFORMAT, ":2: share_ppm: expected 1 to 1000000, got"},
    {"[group a]\nshare_ppm = 1000000\n[group b]\nshare_ppm = 1\n", ASZ_ERANGE, ":4: share_ppm: expected a group within the 0"},
    {"[group a]\ncount = rest\ndelay_us = 5 4\n", ASZ_EFORMAT,
     ":3: delay_us: expected quantiles that do not fall, got 4 behind 5"},
    {"[group a]\ncount = rest\ndelay_us = 1 2 3 4 5 6 7 8 9 10 11 12\n", ASZ_EFORMAT, ":3: delay_us: expected at most 11"},
    {"[group a]\ncount = rest\ndelay_us = 5, 6\n", ASZ_EFORMAT, ":3: delay_us: expected 1 to 2000000, got \"5,\""},
    {"[group a]\ncount = rest\nloss_ppm = 0 5 1000001\n", ASZ_ERANGE, ":3: loss_ppm"},
    {"[group a]\ncount = rest\nto_bad_ppm = 1 600000\nto_good_ppm = 1 400001\n", ASZ_ERANGE, "got 600000 and 400001"},
    {"[group a]\ncount = rest\nregion_outage_ppm = 1000001\n", ASZ_ERANGE, "region_outage_ppm: expected 0 to 1000000"},
    {"[group a]\ncount = rest\nfloor_us = 5\n", ASZ_EFORMAT, ":1: floor_us: expected only with cheat = floor, got cheat = none"},
    {"[lab]\n[lab]\n", ASZ_EFORMAT, ":2: expected [lab] once"},
    {"[group a]\ncount = rest\n[lab]\n", ASZ_EFORMAT, ":3: expected [lab] once, before the groups"},
    {"[lab]\ncount = 3\n", ASZ_EFORMAT, ":2: count: expected one of the keys providers seconds seed ipv6_ppm"},
    {"[lab]\nseed = 1\nseed = 1\n", ASZ_EFORMAT, ":3: seed: expected once"},
    {"[lab]\nseconds = 2\n", ASZ_ERANGE, ":2: seconds: expected 3 to 86400"},
    {"[lab]\nproviders = 1000000\n", ASZ_ERANGE, ":2: providers: expected 1 to 262144"},
    {"[lab]\nseed = -1\n", ASZ_EFORMAT, ":2: seed"},
    {"[group a]\ncount = rest\ncheat = nice\n", ASZ_EFORMAT, "expected one of none dead lossy"},
    {"[group a]\ncount = rest\ncheat = none\ncheat = none\n", ASZ_EFORMAT, ":4: cheat: expected once"},
    {"[group a]\ncount = rest\nattack = lazzy\n", ASZ_EFORMAT, ":3: attack: expected one of other-key other-nonce"},
    {"[group a]\ncount = rest\nattack = none\n", ASZ_EFORMAT, ":3: attack: expected one of"},
    {"[group a]\ncount = rest\nclaim_us = 5\n", ASZ_EFORMAT, ":3: claim_us: expected only beside piece_us"},
    {"[group a]\ncount = rest\npiece_us = 5\npath_us = 5\n", ASZ_EFORMAT,
     ":4: path_us: expected only with an attack on time, got attack = none"},
    {"[group a]\ncount = rest\nattack = shared-fold\npiece_us = 5\n", ASZ_EFORMAT,
     ":3: attack: expected piece_us and identities beside attack = shared-fold"},
    {"[group a]\ncount = rest\nattack = relayed-product\npiece_us = 5\n", ASZ_EFORMAT,
     ":3: attack: expected piece_us and path_us beside attack = relayed-product"},
    {"[group a]\ncount = rest\npiece_us = 0\n", ASZ_ERANGE, ":3: piece_us: expected 1 to 1000000"},
    {"[group a]\ncount = rest\npiece_us = 5\npiece_us = 5\n", ASZ_EFORMAT, ":4: piece_us: expected once"},
    {"[group a]\ncount = rest\nidentities = 65\n", ASZ_ERANGE, ":3: identities: expected 2 to 64"},
    {"[group a]\ncount = rest\nattack = int4\nattack = int4\n", ASZ_EFORMAT, ":4: attack: expected once"},
    {"[group a]\ncount = rest\nattack = int4\ncheat = slow\n", ASZ_EFORMAT,
     ":3: attack: expected only with cheat = none, got cheat = slow"},
    {"[group a]\ncount = rest\ncolumns = 5\n", ASZ_EFORMAT,
     ":3: columns: expected only with an attack on columns, got attack = none"},
    {"[group a]\nattack = int4\ncolumns = 5\ncount = rest\n", ASZ_EFORMAT,
     ":3: columns: expected only with an attack on columns, got attack = int4"},
    {"[group a]\ncount = rest\nattack = lazy\n", ASZ_EFORMAT,
     ":3: attack: expected columns from 1 to 128 beside attack = lazy, got none"},
    {"[group a]\ncount = rest\nattack = lazy\ncolumns = 0\n", ASZ_ERANGE, ":4: columns: expected 1 to 128"},
    {"[group a]\ncount = rest\nattack = lazy\ncolumns = 129\n", ASZ_ERANGE, ":4: columns: expected 1 to 128"},
    {"[group a]\ncount = rest\nattack = lazy\ncolumns = 5\ncolumns = 5\n", ASZ_EFORMAT, ":5: columns: expected once"},
    {"[group a]\ncount = rest\ncolumns = 64\nattack = low-rank\n", ASZ_ERANGE,
     ":3: columns: expected 1 to 63 with attack = low-rank, got 64"},
    {"[lab]\nopenings = 33\n", ASZ_ERANGE, ":2: openings: expected 0 to 32"},
    {"[group a]\ncount = rest\ndelay_ms = 5\n", ASZ_EFORMAT, ":3: delay_ms: expected one of the keys count share_ppm delay_us"},
};

Test(scenario, every_mistake_is_named_with_its_line_and_what_was_expected)
{
  for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
    struct asz_truth truth[COUNT];
    struct asz_diag diag = {0};
    cr_expect(eq(int, load(bads[i].text, COUNT, truth, &diag), bads[i].err), "case %zu: %s", i, diag.text);
    cr_expect(strstr(diag.text, bads[i].says) != NULL, "case %zu: expected \"%s\" in \"%s\"", i, bads[i].says, diag.text);
    cr_expect(strstr(diag.text, "scenario-test-") != NULL, "case %zu names no file: %s", i, diag.text);
  }
}

Test(scenario, a_file_that_is_not_there_is_named)
{
  struct asz_scenario *scenario;
  struct asz_diag diag = {0};
  cr_expect(eq(int, asz_scenario_load(&scenario, "no/such/scenario.ini", &diag), ASZ_ENOENT));
  cr_expect(strstr(diag.text, "no/such/scenario.ini") != NULL);
}

Test(scenario, groups_take_providers_in_order_and_rest_takes_what_is_left)
{
  struct asz_truth truth[COUNT];
  struct asz_diag diag = {0};
  const char *text = "# a lab\n[group near] ; comment\n  delay_us = 200\n  jitter_us=0\n\tloss_ppm = 7 ; few\ncount = 3\n"
                     "[group liars]\ncount = 2\ncheat = clock-liar\ndelay_us = 80000\n[group far]\ncount = rest\nloss_ppm = 0\n";
  cr_assert(eq(int, load(text, COUNT, truth, &diag), 0), "%s", diag.text);
  for (uint32_t i = 0; i < 3; i++) {
    cr_expect(eq(u64, truth[i].delay_ns, 200000));
    cr_expect(eq(u64, truth[i].jitter_ns, 0));
    cr_expect(eq(u32, truth[i].loss_ppm, 7));
    cr_expect(eq(int, truth[i].cheat, ASZ_CHEAT_NONE));
  }
  for (uint32_t i = 3; i < 5; i++) {
    cr_expect(eq(int, truth[i].cheat, ASZ_CHEAT_CLOCK_LIAR));
    cr_expect(eq(u64, truth[i].delay_ns, 80000000));
    cr_expect(eq(u64, truth[i].jitter_ns, 1600000), "2 %% of the delay that was given");
  }
  struct asz_truth drawn[COUNT];
  asz_scenario_default(drawn, COUNT, SEED);
  for (uint32_t i = ASZ_CHEAT_COUNT; i < COUNT; i++) {
    cr_expect(eq(u64, truth[i].delay_ns, drawn[i].delay_ns), "a key left out is drawn from the seed");
    cr_expect(eq(u32, truth[i].loss_ppm, 0));
  }
}

Test(scenario, a_cheat_brings_its_own_defaults_and_yields_to_what_is_given)
{
  struct asz_truth truth[6];
  struct asz_diag diag = {0};
  const char *text = "[group a]\ncount = 1\ncheat = lossy\n[group b]\ncount = 1\ncheat = slow\n"
                     "[group c]\ncount = 1\ncheat = lossy\nloss_ppm = 900000\n[group d]\ncount = 1\ncheat = slow\ndelay_us = 9\n"
                     "[group e]\ncount = 1\ncheat = floor\n[group f]\ncount = rest\nfloor_us = 7\ncheat = floor\n";
  cr_assert(eq(int, load(text, 6, truth, &diag), 0), "%s", diag.text);
  cr_expect(eq(u32, truth[0].loss_ppm, 200000));
  cr_expect(truth[1].delay_ns >= 250000000);
  cr_expect(eq(u32, truth[2].loss_ppm, 900000));
  cr_expect(eq(u64, truth[3].delay_ns, 9000));
  cr_expect(eq(u32, truth[4].floor_ns, 250000000));
  cr_expect(eq(u32, truth[5].floor_ns, 7000));
}

Test(scenario, the_largest_values_fit)
{
  struct asz_truth truth[1];
  struct asz_diag diag = {0};
  cr_assert(eq(int, load("[group a]\ncount=1\ndelay_us=2000000\njitter_us=2000000\nloss_ppm=1000000\n", 1, truth, &diag), 0),
            "%s", diag.text);
  cr_expect(eq(u64, truth[0].delay_ns, 2000000000));
  cr_expect(eq(u64, truth[0].jitter_ns, 2000000000));
  cr_expect(eq(u32, truth[0].loss_ppm, 1000000));
}

Test(scenario, every_fault_goes_into_its_own_field_and_is_nothing_when_left_out)
{
  struct asz_truth truth[2];
  struct asz_diag diag = {0};
  const char *text = "[group storm]\ncount = 1\nloss_ppm = 1\nbad_loss_ppm = 2\nto_bad_ppm = 3\nto_good_ppm = 4\noutage_ppm = 5\n"
                     "outage_log2_probes = 6\nduplicate_ppm = 7\ndetour_ppm = 8\ndetour_us = 2000000\nbroken_ppm = 10\n"
                     "altered_ppm = 11\nregion_outage_ppm = 12\n[group calm]\ncount = 1\nloss_ppm = 0\n";
  cr_assert(eq(int, load(text, 2, truth, &diag), 0), "%s", diag.text);
  const uint32_t got[] = {truth[0].loss_ppm,   truth[0].bad_loss_ppm,       truth[0].to_bad_ppm,    truth[0].to_good_ppm,
                          truth[0].outage_ppm, truth[0].outage_log2_probes, truth[0].duplicate_ppm, truth[0].detour_ppm,
                          truth[0].detour_ns,  truth[0].broken_ppm,         truth[0].altered_ppm,   truth[0].region_outage_ppm};
  for (uint32_t i = 0; i < sizeof got / sizeof *got; i++)
    cr_expect(eq(u32, got[i], i == 8 ? 2000000000 : i + 1));
  const struct asz_truth *calm = &truth[1];
  cr_expect(zero(u32, calm->loss_ppm | calm->bad_loss_ppm | calm->to_bad_ppm | calm->to_good_ppm | calm->outage_ppm |
                          calm->duplicate_ppm | calm->detour_ppm | calm->detour_ns | calm->broken_ppm | calm->altered_ppm |
                          calm->region_outage_ppm));
  cr_expect(eq(u32, truth[0].region, 0));
  cr_expect(eq(u32, truth[1].region, 1));
}

Test(scenario, quantiles_give_each_stretch_its_share_and_every_provider_its_own_value)
{
  enum { MANY = 20000 };
  struct asz_truth *truth = calloc(MANY, sizeof *truth);
  struct asz_diag diag = {0};
  const char *text = "[group a]\ncount = rest\ndelay_us = 10 20 20 2000000\njitter_us = 0 1000\nloss_ppm = 7 7\n";
  cr_assert(eq(int, load(text, MANY, truth, &diag), 0), "%s", diag.text);
  uint32_t below = 0, exactly = 0, with_low_jitter = 0;
  for (uint32_t i = 0; i < MANY; i++) {
    cr_assert(truth[i].delay_ns >= 10000 && truth[i].delay_ns < 2000000000, "provider %u: %lu", i, truth[i].delay_ns);
    cr_assert(truth[i].jitter_ns < 1000000);
    cr_assert(eq(u32, truth[i].loss_ppm, 7));
    below += truth[i].delay_ns < 20000;
    exactly += truth[i].delay_ns == 20000;
    with_low_jitter += truth[i].delay_ns < 20000 && truth[i].jitter_ns < 500000;
  }
  /* A third each, and half of a third: sigma 67 and 53; five of them; the seed is fixed. */
  cr_expect(abs((int)below - MANY / 3) < 335, "%u", below);
  cr_expect(abs((int)exactly - MANY / 3) < 335, "%u", exactly);
  cr_expect(abs((int)with_low_jitter - MANY / 6) < 265, "%u: keys are drawn apart", with_low_jitter);
  free(truth);
}

Test(scenario, a_share_is_rounded_up_and_follows_the_size_of_the_lab)
{
  struct asz_diag diag = {0};
  const char *text = "[group a]\nshare_ppm = 100001\n[group b]\nshare_ppm = 1\n[group c]\ncount = rest\n";
  for (uint32_t count = 3; count <= COUNT; count++) {
    struct asz_truth truth[COUNT];
    cr_assert(eq(int, load(text, count, truth, &diag), 0), "%s", diag.text);
    uint32_t members[3] = {0};
    for (uint32_t i = 0; i < count; i++)
      members[truth[i].region]++;
    cr_expect(eq(u32, members[0], count <= 9 ? 1 : count <= 19 ? 2 : 3), "of %u", count);
    cr_expect(eq(u32, members[1], 1));
  }
}

Test(scenario, a_file_says_what_the_lab_is_and_else_the_defaults_hold)
{
  const char *text = "[lab]\nseed = 18446744073709551615\nseconds = 86400\n[group a]\ncount = rest\n";
  struct asz_scenario *scenario;
  struct asz_diag diag = {0};
  FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
  cr_assert(eq(int, asz_scenario_read(&scenario, in, "memory", &diag), 0), "%s", diag.text);
  fclose(in);
  cr_expect(eq(int, strcmp(asz_scenario_group(scenario, 0), "a"), 0));
  struct asz_scenario_lab lab = asz_scenario_lab(scenario), fallback = asz_scenario_lab(NULL);
  asz_scenario_free(scenario);
  cr_expect(eq(u64, lab.seed, UINT64_MAX));
  cr_expect(eq(u64, lab.seconds, 86400));
  cr_expect(eq(u64, lab.providers, fallback.providers));
  cr_expect(eq(u64, lab.ipv6_ppm, fallback.ipv6_ppm));
  cr_expect(eq(u64, fallback.providers, 256));
}

Test(scenario, an_attack_needs_a_lab_that_can_show_it)
{
  static struct asz_truth truth[ASZ_LAB_KEYED_MAX + 1];
  static struct asz_lab_trait trait[ASZ_LAB_KEYED_MAX + 1];
  const char *text = "[group a]\ncount = 2\nattack = other-key\n[group b]\ncount = 3\nattack = lazy\ncolumns = 7\n"
                     "[group c]\ncount = rest\n";
  struct asz_scenario *scenario;
  struct asz_diag diag = {0};
  FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
  cr_assert(eq(int, asz_scenario_read(&scenario, in, "memory", &diag), 0), "%s", diag.text);
  fclose(in);
  cr_assert(eq(int, asz_scenario_truth(scenario, ASZ_LAB_KEYED_MAX + 1, SEED, truth, &diag), 0));
  struct asz_lab_terms terms = {.openings = 0};
  cr_expect(eq(int, asz_scenario_traits(scenario, truth, COUNT, &terms, trait, &diag), ASZ_EFORMAT));
  cr_expect(strstr(diag.text, "memory:6: attack: expected openings of [lab]") != NULL, "%s", diag.text);
  terms.openings = 4;
  cr_expect(eq(int, asz_scenario_traits(scenario, truth, ASZ_LAB_KEYED_MAX + 1, &terms, trait, &diag), ASZ_EFORMAT));
  cr_expect(strstr(diag.text, "memory:3: attack: expected at most 2000 providers") != NULL, "%s", diag.text);
  cr_assert(eq(int, asz_scenario_traits(scenario, truth, COUNT, &terms, trait, &diag), 0), "%s", diag.text);
  for (uint32_t i = 0; i < COUNT; i++) {
    cr_expect(eq(int, trait[i].attack, i < 2 ? ASZ_LAB_ATTACK_OTHER_KEY : i < 5 ? ASZ_LAB_ATTACK_LAZY : ASZ_LAB_ATTACK_NONE));
    cr_expect(eq(int, trait[i].columns, i >= 2 && i < 5 ? 7 : 0));
  }
  asz_scenario_free(scenario);
}

/* What the traits of a text are, in a lab of CROWD providers with deadlines of 600 ms. */
static int traits_of(const char *text, uint32_t ipv6_ppm, struct asz_lab_trait *ret_trait, struct asz_diag *diag) {
  const struct asz_lab_terms terms = {
      .openings = 4, .deadline_ns = 600 * UINT64_C(1000000), .allowance_ns = 10000000, .ipv6_ppm = ipv6_ppm};
  struct asz_truth truth[CROWD];
  struct asz_scenario *scenario;
  FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
  cr_assert(eq(int, asz_scenario_read(&scenario, in, "memory", diag), 0), "%s", diag->text);
  fclose(in);
  cr_assert(eq(int, asz_scenario_truth(scenario, CROWD, SEED, truth, diag), 0), "%s", diag->text);
  int err = asz_scenario_traits(scenario, truth, CROWD, &terms, ret_trait, diag);
  asz_scenario_free(scenario);
  return err;
}

Test(scenario, a_claim_about_time_hangs_on_the_attack_alone_or_is_refused)
{
  static const struct {
    const char *text;
    uint32_t ipv6_ppm;
    const char *says;
  } refused[] = {
      {"[group a]\ncount = 4\nattack = shared-fold\npiece_us = 100000\nidentities = 2\n[group b]\ncount = rest\n", 1,
       "memory:5: identities: expected ipv6_ppm 0"},
      {"[group b]\ncount = 4\n[group a]\ncount = 4\nattack = shared-fold\npiece_us = 100000\nidentities = 2\n"
       "[group c]\ncount = rest\n",
       0, "memory:7: identities: expected groups that share devices before"},
      {"[group a]\ncount = 5\nattack = shared-fold\npiece_us = 100000\nidentities = 2\n[group b]\ncount = rest\n", 0,
       "memory:5: identities: expected a divisor of the group's 5 providers, got 2"},
      {"[group a]\ncount = 68\nattack = shared-product\npiece_us = 100000\nidentities = 2\n[group b]\ncount = rest\n", 0,
       "memory:5: identities: expected at most 64 providers"},
      {"[group a]\ncount = 4\nattack = shared-fold\npiece_us = 65000\nidentities = 2\n[group b]\ncount = rest\n", 0,
       "memory:3: attack: expected no answer less than 40 ms before"},
      {"[group a]\ncount = 6\nattack = shared-fold\npiece_us = 210000\nidentities = 3\n[group b]\ncount = rest\n", 0,
       "memory:3: attack: expected 3 builds within the lab's deadline of 600 ms"},
  };
  struct asz_lab_trait trait[CROWD];
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    struct asz_diag diag = {0};
    cr_expect(eq(int, traits_of(refused[i].text, refused[i].ipv6_ppm, trait, &diag), ASZ_EFORMAT), "case %zu", i);
    cr_expect(strstr(diag.text, refused[i].says) != NULL, "case %zu: %s", i, diag.text);
  }
}

Test(scenario, identities_of_a_device_are_neighbours_and_claim_what_they_have)
{
  struct asz_lab_trait trait[CROWD];
  struct asz_diag diag = {0};
  int err = traits_of("[group a]\ncount = 4\nattack = shared-fold\npiece_us = 100000\nidentities = 2\n"
                      "[group b]\ncount = 3\nattack = relayed-fold\npiece_us = 100000\nclaim_us = 300000\npath_us = 7\n"
                      "[group c]\ncount = rest\n",
                      0, trait, &diag);
  cr_assert(eq(int, err, 0), "%s", diag.text);
  for (uint32_t i = 0; i < CROWD; i++) {
    cr_expect(eq(u32, trait[i].device_number, i < 4 ? i & ~1u : i));
    cr_expect(eq(u32, trait[i].device.identities, i < 4 ? 2 : 1));
    cr_expect(eq(u32, trait[i].device.claim_us, i < 4 ? 100000 : i < 7 ? 300000 : 0));
  }
  cr_expect(eq(u32, asz_scenario_sharing(trait, CROWD), 4));
}

Test(scenario, groups_have_a_limit)
{
  char text[4096] = "";
  for (int i = 0; i < 65; i++)
    strcat(text, "[group a]\ncount = 1\n");
  struct asz_truth truth[COUNT];
  struct asz_diag diag = {0};
  cr_expect(eq(int, load(text, COUNT, truth, &diag), ASZ_ETOOBIG));
  cr_expect(strstr(diag.text, ":129: expected at most 64 groups") != NULL, "%s", diag.text);
}

Test(scenario, the_default_network_stays_in_its_ranges_and_is_log_uniform)
{
  enum { MANY = 20000 };
  struct asz_truth *truth = calloc(MANY, sizeof *truth);
  asz_scenario_default(truth, MANY, 99);
  uint32_t below[3] = {0}; /* 1.6 ms, 12.8 ms, 102.4 ms: 4, 7 and 10 octaves above 100 us of 10.953 */
  for (uint32_t i = ASZ_CHEAT_COUNT; i < MANY; i++) {
    cr_assert(truth[i].delay_ns >= 100000 && truth[i].delay_ns <= 200000000, "provider %u: %lu", i, truth[i].delay_ns);
    cr_assert(eq(u64, truth[i].jitter_ns, truth[i].delay_ns / 50));
    cr_assert(truth[i].loss_ppm <= 5000);
    cr_assert(eq(int, truth[i].cheat, ASZ_CHEAT_NONE));
    below[0] += truth[i].delay_ns < 1600000;
    below[1] += truth[i].delay_ns < 12800000;
    below[2] += truth[i].delay_ns < 102400000;
  }
  const uint32_t expected[3] = {7304, 12782, 18260};
  for (int k = 0; k < 3; k++) /* five sigma of a binomial draw; the seed is fixed */
    cr_expect(abs((int)below[k] - (int)expected[k]) < 350, "octave %d: %u, expected %u", k, below[k], expected[k]);
  free(truth);
}

Test(scenario, the_default_network_has_one_of_each_cheat_as_far_as_it_goes)
{
  struct asz_truth truth[COUNT];
  asz_scenario_default(truth, COUNT, 3);
  uint32_t seen[ASZ_CHEAT_COUNT] = {0};
  for (uint32_t i = 0; i < COUNT; i++)
    seen[truth[i].cheat]++;
  for (unsigned c = 1; c < ASZ_CHEAT_COUNT; c++)
    cr_expect(eq(u32, seen[c], 1), "%s", asz_cheat_name(c));
  asz_scenario_default(truth, 1, 3);
  cr_expect(eq(int, truth[0].cheat, ASZ_CHEAT_NONE), "a lab of one is honest");
}

Test(scenario, a_seed_names_one_network)
{
  struct asz_truth one[COUNT], again[COUNT], other[COUNT];
  memset(one, 0, sizeof one);
  memset(again, 0, sizeof again);
  memset(other, 0, sizeof other);
  asz_scenario_default(one, COUNT, 7);
  asz_scenario_default(again, COUNT, 7);
  asz_scenario_default(other, COUNT, 8);
  cr_expect(eq(int, memcmp(one, again, sizeof one), 0));
  uint32_t same = 0;
  for (uint32_t i = 0; i < COUNT; i++)
    same += one[i].delay_ns == other[i].delay_ns;
  cr_expect(eq(u32, same, 0));
}
