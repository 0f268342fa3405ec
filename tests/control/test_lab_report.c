/* SPDX-License-Identifier: Apache-2.0 */
/* A run by hand in which every claim holds, one provider of each cheat; then one thing at a time goes wrong, and the claim that
 * is about it, by name, must be the one that says so. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/lab_report.h"

enum {
  COUNT = ASZ_CHEAT_COUNT + 1,
  PROBES = 100,
  HONEST = ASZ_CHEAT_COUNT,
  DELAY_NS = 20000000,
  JITTER_NS = 400000,
  FLOOR_NS = 50000000
};

static struct asz_truth truth[COUNT];
static struct asz_deed deed[COUNT];
static struct asz_lab_seen seen[COUNT];
static struct asz_score score[COUNT];
static struct asz_lab_run run;
static struct asz_lab_report report;

/* Provider i answers `answered` probes at `rtt_ns`. */
static void answer(uint32_t i, uint32_t answered, uint64_t rtt_ns) {
  memset(seen[i].cell, 0, sizeof seen[i].cell);
  seen[i].sketch = (struct asz_sketch){.cell = seen[i].cell, .cell_count = ASZ_SKETCH_CELLS_DEFAULT};
  for (uint32_t n = 0; n < answered; n++)
    asz_sketch_add(&seen[i].sketch, rtt_ns);
  seen[i].answered = answered;
  seen[i].pairs = answered / 2;
  seen[i].forward_sum = seen[i].backward_sum = seen[i].pairs * ((uint64_t)JITTER_NS / 6 << 30) / 1000000000;
  seen[i].rtt_min_ns = answered ? rtt_ns : 0;
  seen[i].slots_up = answered ? 2 : 0;
}

static void make_run(void) {
  asz_sketch_init();
  for (uint32_t i = 0; i < COUNT; i++) {
    truth[i] = (struct asz_truth){.delay_ns = DELAY_NS, .jitter_ns = JITTER_NS, .cheat = i < ASZ_CHEAT_COUNT ? (uint8_t)i : 0};
    deed[i] = (struct asz_deed){.requests = PROBES, .lost = 2, .replies = PROBES - 2};
    seen[i].sent = PROBES;
    seen[i].slots_judged = 2;
    seen[i].answers_pass = 3;
    score[i].slots_judged = 2;
    score[i].uptime_ppm = ASZ_PPM;
    answer(i, PROBES - 2, DELAY_NS + JITTER_NS / 2);
  }
  answer(ASZ_CHEAT_DEAD, 0, 0);
  deed[ASZ_CHEAT_DEAD] = (struct asz_deed){.requests = PROBES, .lost = 3, .withheld = PROBES - 3};
  score[ASZ_CHEAT_DEAD].uptime_ppm = 0;
  answer(ASZ_CHEAT_BAD_MAC, 0, 0);
  seen[ASZ_CHEAT_BAD_MAC].bad_mac = PROBES - 2;
  seen[ASZ_CHEAT_WRONG_ANSWER].slashed_s1 = true;
  seen[ASZ_CHEAT_MUTE].answers_pass = 0;
  seen[ASZ_CHEAT_MUTE].answers_missing = 3;
  deed[ASZ_CHEAT_FORGE].extra = deed[ASZ_CHEAT_REPLAY].extra = deed[ASZ_CHEAT_DUPLICATE].extra = PROBES - 2;
  seen[ASZ_CHEAT_FORGE].forged = seen[ASZ_CHEAT_DUPLICATE].duplicate = PROBES - 2;
  seen[ASZ_CHEAT_REPLAY].replayed = PROBES - 7; /* the last ones came when nobody listened */
  deed[ASZ_CHEAT_EARLY].extra = deed[ASZ_CHEAT_SPOOF].extra = PROBES - 2;
  seen[ASZ_CHEAT_EARLY].forged = PROBES - 2;
  answer(ASZ_CHEAT_KNOWN_ONLY, 0, 0); /* and the spoofer's victim */
  deed[ASZ_CHEAT_KNOWN_ONLY] = (struct asz_deed){.requests = PROBES, .lost = 2, .withheld = PROBES - 2, .named = 50};
  seen[ASZ_CHEAT_KNOWN_ONLY].forged = 20;
  seen[ASZ_CHEAT_KNOWN_ONLY].malformed = 30;
  answer(ASZ_CHEAT_RELAY, 0, 0);
  seen[ASZ_CHEAT_RELAY].wrong_path = PROBES - 2;
  truth[ASZ_CHEAT_FLOOR].floor_ns = FLOOR_NS;
  answer(ASZ_CHEAT_FLOOR, PROBES - 2, FLOOR_NS);
  deed[ASZ_CHEAT_PRECOMPUTED].challenges = 3;
  seen[ASZ_CHEAT_PRECOMPUTED].answers_pass = 0;
  seen[ASZ_CHEAT_PRECOMPUTED].answers_missing = 3;
  run = (struct asz_lab_run){.provider_count = COUNT,
                             .truth = truth,
                             .deed = deed,
                             .seen = seen,
                             .score = score,
                             .timeout_ns = 500000000,
                             .latency_bound_ns = ASZ_LAB_LATENCY_BOUND_NS,
                             .prober_unsolicited = 48, /* all that the spoofer sent in nobody's name */
                             .answers_foreign = 3,
                             .tlv = true,
                             .challenged = true,
                             .answers_counted = true};
}

TestSuite(lab_report, .init = make_run);

static const struct asz_lab_claim *find(const char *name) {
  for (uint32_t c = 0; c < report.claim_count; c++)
    if (!strcmp(report.claim[c].name, name))
      return &report.claim[c];
  return NULL;
}

static void make(void) {
  cr_assert(eq(int, asz_lab_report_make(&report, &run), 0));
}

Test(lab_report, a_true_run_passes_with_every_claim_made)
{
  make();
  for (uint32_t c = 0; c < report.claim_count; c++)
    cr_expect(report.claim[c].ok, "%s: expected %s, measured %s", report.claim[c].name, report.claim[c].expected,
              report.claim[c].measured);
  cr_expect(report.ok);
  cr_expect(eq(u32, report.claim_count, 29));
  cr_expect(eq(u64, report.sent, COUNT * PROBES));
  cr_expect(eq(u64, report.arrived, COUNT * PROBES));
  cr_expect(eq(u64, report.lost, (COUNT - 4) * 2 + 2 * PROBES), "without the two whose replies are refused");
  cr_expect(eq(u64, report.unanswered, report.lost));
  cr_expect(eq(u32, report.latency_providers, COUNT - 4));
  cr_expect(lt(u64, report.error_ppm.max, 10100), "the sketch's 1 %%");
}

/* What the network did to the honest one, beside loss: three replies broken and two altered, four copied, five overtaken. */
static void make_faults(void) {
  deed[HONEST].broken = 3;
  deed[HONEST].altered = 2;
  deed[HONEST].duplicates = 4;
  deed[HONEST].reordered = 5;
  answer(HONEST, PROBES - 2 - 5, DELAY_NS + JITTER_NS / 2);
  seen[HONEST].forged = 2;
  seen[HONEST].duplicate = 4;
  seen[HONEST].reordered = 5;
  run.prober_bad_checksums = 3;
}

Test(lab_report, network_faults_are_counted_exactly)
{
  make_faults();
  make();
  cr_expect(report.ok);
  cr_expect(eq(u32, report.claim_count, 29 + 4));
  const char *const about[] = {"reordered is exactly what left out of order", "duplicates are exactly the network's copies",
                               "an altered reply is taken for forged", "every broken checksum is counted"};
  for (size_t i = 0; i < sizeof about / sizeof *about; i++)
    cr_expect(ne(ptr, (void *)(uintptr_t)find(about[i]), NULL), "%s", about[i]);
  deed[HONEST].duplicates++;
  make();
  cr_expect(not(report.ok));
  deed[HONEST].faults = 1;
  deed[HONEST].lost--;
  make();
  cr_expect(report.ok, "the lab's own fault leaves room");
}

Test(lab_report, a_broken_reply_beyond_the_timeout_may_go_unheard)
{
  make_faults();
  truth[HONEST].detour_ppm = 1;
  truth[HONEST].detour_ns = 500000000;
  seen[HONEST].duplicate = deed[HONEST].duplicates = 0;
  seen[HONEST].forged = deed[HONEST].altered = 0;
  for (run.prober_bad_checksums = 0; run.prober_bad_checksums <= 4; run.prober_bad_checksums++) {
    make();
    cr_expect(eq(int, find("every broken checksum is counted")->ok, run.prober_bad_checksums <= 3));
  }
}

/* --- one mistake each --- */

static void reorder_unseen(void) {
  make_faults();
  seen[HONEST].reordered--;
}
static void reorder_invented(void) {
  seen[HONEST].reordered++;
}
static void copy_unseen(void) {
  make_faults();
  seen[HONEST].duplicate--;
}
static void altered_believed(void) {
  make_faults();
  seen[HONEST].forged--;
}
static void altered_counted_twice(void) {
  make_faults();
  seen[HONEST].forged++;
}
static void broken_unseen(void) {
  make_faults();
  run.prober_bad_checksums--;
}
static void checksum_invented(void) {
  run.prober_bad_checksums++;
}

static void one_frame_missing(void) {
  deed[HONEST].requests--;
}
static void one_frame_from_nowhere(void) {
  deed[HONEST].requests++;
  deed[HONEST].lost++;
}
static void more_frames_than_are_unjudged(void) {
  seen[HONEST].unjudged = 3;
  deed[HONEST].requests += 4;
}
static void one_reply_too_few(void) {
  seen[HONEST].answered--;
}
static void one_reply_too_many(void) {
  seen[HONEST].answered++;
}
static void more_answers_than_probes(void) {
  deed[HONEST].lost = 0;
  seen[HONEST].answered = PROBES + 1;
}
static void median_too_high(void) {
  answer(HONEST, PROBES - 2, DELAY_NS + JITTER_NS / 2 + 1500000);
}
static void median_too_low(void) {
  answer(HONEST, PROBES - 2, DELAY_NS + JITTER_NS / 2 - 700000);
  seen[HONEST].rtt_min_ns = DELAY_NS;
}
static void never_varies_forward(void) {
  seen[HONEST].forward_sum = 0;
}
static void varies_backward_too_much(void) {
  seen[HONEST].backward_sum *= 20;
}
static void fastest_too_slow(void) {
  deed[HONEST].held = deed[HONEST].replies / 2; /* a busy machine excuses the median alone */
  answer(HONEST, PROBES - 2, DELAY_NS + JITTER_NS + 1500000);
}
static void one_rtt_too_short(void) {
  seen[ASZ_CHEAT_FORGE].rtt_min_ns = DELAY_NS - 5000;
}
static void innocent_forger(void) {
  seen[HONEST].forged = 1;
}
static void innocent_replayer(void) {
  seen[ASZ_CHEAT_DUPLICATE].replayed = 1;
}
static void innocent_duplicator(void) {
  seen[ASZ_CHEAT_REPLAY].duplicate = 1;
}
static void innocent_mac(void) {
  seen[HONEST].bad_mac = 1;
}
static void innocent_path(void) {
  seen[HONEST].wrong_path = 1;
}
static void innocent_malformed(void) {
  seen[ASZ_CHEAT_FORGE].malformed = 1;
}
static void dead_one_answers(void) {
  deed[ASZ_CHEAT_DEAD].withheld--;
  seen[ASZ_CHEAT_DEAD].answered = 1;
  seen[ASZ_CHEAT_DEAD].rtt_min_ns = DELAY_NS;
}
static void dead_one_is_up(void) {
  score[ASZ_CHEAT_DEAD].uptime_ppm = 1;
}
static void lossy_loses_nothing(void) {
  deed[ASZ_CHEAT_LOSSY].lost = 0;
  answer(ASZ_CHEAT_LOSSY, PROBES, DELAY_NS + JITTER_NS / 2);
}
static void slow_is_measured_fast(void) {
  truth[ASZ_CHEAT_SLOW].delay_ns *= 2;
}
static void wrong_one_goes_free(void) {
  seen[ASZ_CHEAT_WRONG_ANSWER].slashed_s1 = false;
}
static void mute_is_slashed(void) {
  seen[ASZ_CHEAT_MUTE].slashed_s1 = true;
}
static void mute_passes(void) {
  seen[ASZ_CHEAT_MUTE].answers_pass = 1;
}
static void mute_is_not_missed(void) {
  seen[ASZ_CHEAT_MUTE].answers_missing = 0;
}
static void forgery_unseen(void) {
  seen[ASZ_CHEAT_FORGE].forged = 0;
}
static void guess_unseen(void) {
  seen[ASZ_CHEAT_EARLY].forged = 0;
}
static void guess_seen_too_often(void) {
  seen[ASZ_CHEAT_EARLY].forged++;
}
static void spoof_unseen(void) {
  seen[ASZ_CHEAT_KNOWN_ONLY].forged = seen[ASZ_CHEAT_KNOWN_ONLY].malformed = 0;
}
static void spoof_seen_too_often(void) {
  seen[ASZ_CHEAT_KNOWN_ONLY].forged++;
}
static void stranger_unseen(void) {
  run.prober_unsolicited = 0;
}
static void stranger_seen_too_often(void) {
  run.prober_unsolicited++;
}
static void known_only_answers_anybody(void) {
  seen[ASZ_CHEAT_KNOWN_ONLY].answered = 1;
  seen[ASZ_CHEAT_KNOWN_ONLY].rtt_min_ns = DELAY_NS;
}
static void known_only_is_just_dead(void) {
  seen[ASZ_CHEAT_KNOWN_ONLY].answers_pass = 0;
}
static void relay_is_answered(void) {
  seen[ASZ_CHEAT_RELAY].answered = 1;
  seen[ASZ_CHEAT_RELAY].rtt_min_ns = DELAY_NS;
}
static void relay_unseen(void) {
  seen[ASZ_CHEAT_RELAY].wrong_path = 0;
}
static void floor_is_uneven(void) {
  answer(ASZ_CHEAT_FLOOR, PROBES - 2, FLOOR_NS + 4000000);
}
static void floor_is_broken(void) {
  answer(ASZ_CHEAT_FLOOR, PROBES - 2, FLOOR_NS - 1000000);
}
static void precomputed_passes(void) {
  seen[ASZ_CHEAT_PRECOMPUTED].answers_pass = 1;
}
static void precomputed_unseen(void) {
  run.answers_foreign = 0;
}
static void precomputed_seen_too_often(void) {
  run.answers_foreign = 4;
}
static void replay_unseen(void) {
  seen[ASZ_CHEAT_REPLAY].replayed = 0;
}
static void duplicate_unseen(void) {
  seen[ASZ_CHEAT_DUPLICATE].duplicate = 0;
}
static void duplicate_seen_too_often(void) {
  seen[ASZ_CHEAT_DUPLICATE].duplicate = deed[ASZ_CHEAT_DUPLICATE].extra + 1;
}
static void liar_believed(void) {
  answer(ASZ_CHEAT_CLOCK_LIAR, PROBES - 2, DELAY_NS / 10);
}
static void bad_mac_answered(void) {
  seen[ASZ_CHEAT_BAD_MAC].answered = 1;
  seen[ASZ_CHEAT_BAD_MAC].rtt_min_ns = DELAY_NS;
}
static void bad_mac_unseen(void) {
  seen[ASZ_CHEAT_BAD_MAC].bad_mac = 0;
}
static void stray_frame(void) {
  run.emulator_strays = 1;
}

static const struct mistake {
  void (*make)(void);
  const char *claim;
} mistakes[] = {
    {one_frame_missing, "every probe that was sent arrived"},
    {one_frame_from_nowhere, "every probe that was sent arrived"},
    {more_frames_than_are_unjudged, "every probe that was sent arrived"},
    {one_reply_too_few, "unanswered is exactly what was lost"},
    {one_reply_too_many, "unanswered is exactly what was lost"},
    {more_answers_than_probes, "unanswered is exactly what was lost"},
    {median_too_high, "the median RTT is the true one"},
    {median_too_low, "the median RTT is the true one"},
    {never_varies_forward, "the delay varies forward as it truly does"},
    {varies_backward_too_much, "the delay varies backward as it truly does"},
    {fastest_too_slow, "the fastest tenth shows the way"},
    {one_rtt_too_short, "no RTT is shorter than the way"},
    {innocent_forger, "no counter blames the innocent"},
    {innocent_replayer, "no counter blames the innocent"},
    {innocent_duplicator, "no counter blames the innocent"},
    {innocent_mac, "no counter blames the innocent"},
    {innocent_path, "no counter blames the innocent"},
    {innocent_malformed, "no counter blames the innocent"},
    {dead_one_answers, "dead: never answers"},
    {dead_one_is_up, "dead: uptime 0"},
    {lossy_loses_nothing, "lossy: loses what was drawn"},
    {slow_is_measured_fast, "slow: is measured slow"},
    {wrong_one_goes_free, "wrong-answer: earns an S1"},
    {mute_is_slashed, "nobody else earns an S1"},
    {mute_passes, "mute: passes no challenge"},
    {mute_is_not_missed, "mute: passes no challenge"},
    {forgery_unseen, "forge: counted as forged"},
    {guess_unseen, "early: counted as forged"},
    {guess_seen_too_often, "early: counted as forged"},
    {spoof_unseen, "spoof: in a provider's name, forged or malformed"},
    {spoof_seen_too_often, "spoof: in a provider's name, forged or malformed"},
    {stranger_unseen, "spoof: in nobody's name, unsolicited"},
    {stranger_seen_too_often, "spoof: in nobody's name, unsolicited"},
    {known_only_answers_anybody, "known-only: silent to who gives no name"},
    {known_only_is_just_dead, "known-only: silent to who gives no name"},
    {relay_is_answered, "relay: a wrong path, not an answer"},
    {relay_unseen, "relay: a wrong path, not an answer"},
    {floor_is_uneven, "floor: is measured at the floor, all alike"},
    {floor_is_broken, "floor: is measured at the floor, all alike"},
    {precomputed_passes, "precomputed: passes no challenge"},
    {precomputed_unseen, "precomputed: counted as foreign"},
    {precomputed_seen_too_often, "precomputed: counted as foreign"},
    {replay_unseen, "replay: counted as replayed"},
    {duplicate_unseen, "duplicate: counted as duplicate"},
    {duplicate_seen_too_often, "duplicate: counted as duplicate"},
    {liar_believed, "clock-liar: gains nothing"},
    {bad_mac_answered, "bad-mac: refused, not answered"},
    {bad_mac_unseen, "bad-mac: refused, not answered"},
    {stray_frame, "the prober sent no stray frame"},
    {reorder_unseen, "reordered is exactly what left out of order"},
    {reorder_invented, "reordered is exactly what left out of order"},
    {copy_unseen, "duplicates are exactly the network's copies"},
    {altered_believed, "an altered reply is taken for forged"},
    {altered_counted_twice, "an altered reply is taken for forged"},
    {broken_unseen, "every broken checksum is counted"},
    {checksum_invented, "every broken checksum is counted"},
};

Test(lab_report, every_mistake_fails_the_claim_that_is_about_it)
{
  for (size_t m = 0; m < sizeof mistakes / sizeof *mistakes; m++) {
    memset(seen, 0, sizeof seen);
    make_run();
    mistakes[m].make();
    make();
    const struct asz_lab_claim *claim = find(mistakes[m].claim);
    cr_assert(claim != NULL, "mistake %zu: no claim \"%s\"", m, mistakes[m].claim);
    cr_expect(not(claim->ok), "mistake %zu: \"%s\" still holds", m, mistakes[m].claim);
    cr_expect(not(report.ok), "mistake %zu: the report is still ok", m);
  }
}

Test(lab_report, every_claim_of_a_full_run_has_a_mistake_that_fails_it)
{
  make_faults();
  make();
  for (uint32_t c = 0; c < report.claim_count; c++) {
    size_t m = 0, count = sizeof mistakes / sizeof *mistakes;
    while (m < count && strcmp(mistakes[m].claim, report.claim[c].name) != 0)
      m++;
    cr_expect(m < count, "nothing fails \"%s\"", report.claim[c].name);
  }
}

Test(lab_report, a_failed_claim_names_the_first_provider_and_its_numbers)
{
  deed[3].requests = 90;
  deed[5].requests = 80;
  make();
  const struct asz_lab_claim *claim = find("every probe that was sent arrived");
  cr_expect(eq(int, strcmp(claim->expected, "all 18"), 0));
  cr_expect(eq(int, strcmp(claim->measured, "16 of 18; provider 3: sent 100, arrived 90, unjudged 0"), 0), "%s", claim->measured);
}

Test(lab_report, what_a_busy_machine_does_is_no_contradiction)
{
  seen[HONEST].unjudged = 3; /* looked at too late, though two of them were there */
  deed[HONEST].requests += 2;
  deed[ASZ_CHEAT_DUPLICATE].held = 1;
  seen[ASZ_CHEAT_DUPLICATE].replayed = 1;
  deed[HONEST].challenges = 5; /* three of them counted */
  run.answers_foreign = 3 + 2;
  make();
  for (uint32_t c = 0; c < report.claim_count; c++)
    cr_expect(report.claim[c].ok, "%s: measured %s", report.claim[c].name, report.claim[c].measured);
}

Test(lab_report, an_empty_run_is_no_pass)
{
  run.provider_count = 0;
  make();
  cr_expect(not(report.ok));
  memset(seen, 0, sizeof seen);
  memset(deed, 0, sizeof deed);
  run.provider_count = COUNT;
  run.challenged = false;
  make();
  cr_expect(not(report.ok), "nothing was sent");
}

Test(lab_report, what_could_not_show_is_not_claimed)
{
  run.tlv = false;
  run.challenged = false;
  run.score = NULL;
  deed[ASZ_CHEAT_FORGE].extra = 0;
  seen[ASZ_CHEAT_FORGE].forged = 0;
  /* Without our TLV a wrong MAC does not exist: the provider is as any other. */
  answer(ASZ_CHEAT_BAD_MAC, PROBES - 2, DELAY_NS + JITTER_NS / 2);
  seen[ASZ_CHEAT_BAD_MAC].bad_mac = 0;
  make();
  cr_expect(report.ok);
  const char *const gone[] = {"bad-mac: refused, not answered", "wrong-answer: earns an S1", "mute: passes no challenge",
                              "dead: uptime 0", "forge: counted as forged"};
  for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
    cr_expect(zero(ptr, (void *)(uintptr_t)find(gone[i])), "%s", gone[i]);
}

Test(lab_report, a_provider_beyond_the_timeout_is_left_out_of_exact_counts_only)
{
  truth[HONEST].delay_ns = 600000000;
  answer(HONEST, 0, 0);
  seen[HONEST].late = 40;
  seen[HONEST].replayed = 58; /* late ones that came in the next epoch */
  make();
  cr_expect(report.ok);
  seen[HONEST].sent++;
  make();
  cr_expect(not(find("every probe that was sent arrived")->ok));
}

Test(lab_report, a_wide_jitter_widens_what_a_median_may_miss_by)
{
  for (uint32_t answers = ASZ_LAB_ANSWERS_MIN; answers <= 2000; answers *= 10) {
    truth[HONEST].jitter_ns = 100000000;
    uint64_t middle = DELAY_NS + 50000000, off = 15000000;
    deed[HONEST] = (struct asz_deed){.requests = answers};
    seen[HONEST].sent = answers;
    answer(HONEST, answers, middle + off);
    make();
    /* Five sigma: 56 ms for 20 answers, 5.6 ms for 2,000. */
    cr_expect(eq(int, find("the median RTT is the true one")->ok, answers < 2000), "%u answers", answers);
  }
}

Test(lab_report, replies_held_by_a_busy_machine_excuse_a_median_and_nothing_else)
{
  enum { HELD = 70 };
  answer(HONEST, PROBES - 2 - HELD, DELAY_NS + JITTER_NS / 2);
  for (uint32_t n = 0; n < HELD; n++) /* came 4 ms later */
    asz_sketch_add(&seen[HONEST].sketch, DELAY_NS + JITTER_NS / 2 + 4000000);
  seen[HONEST].answered = PROBES - 2;
  make();
  cr_expect(not(report.ok), "no reply was held");
  deed[HONEST].held = (PROBES - 2) / 10;
  make();
  cr_expect(not(report.ok), "a tenth is too few for that");
  deed[HONEST].held = HELD;
  make();
  cr_expect(report.ok);
  cr_expect(eq(u32, report.busy_providers, 1));
  answer(HONEST, PROBES - 2, DELAY_NS + 4000000);
  make();
  cr_expect(not(report.ok), "the fastest tenth was not held");
  deed[HONEST].held = PROBES - 2;
  make();
  cr_expect(report.ok, "nothing can be said");
  cr_expect(eq(u32, report.latency_providers, COUNT - 5));
}

Test(lab_report, the_labs_own_faults_are_neither_loss_nor_a_failed_claim)
{
  deed[HONEST].faults = 5;
  deed[HONEST].replies -= 5;
  run.emulator_faults = 5;
  answer(HONEST, PROBES - 7, DELAY_NS + JITTER_NS / 2);
  make();
  cr_expect(report.ok);
  cr_expect(eq(u64, report.emulator_faults, 5));
}

Test(lab_report, epochs_add_up)
{
  struct asz_target_stats stats = {.answered = 5,
                                   .late = 1,
                                   .duplicate = 2,
                                   .reordered = 10,
                                   .replayed = 3,
                                   .forged = 4,
                                   .bad_mac = 6,
                                   .wrong_path = 7,
                                   .malformed = 8,
                                   .unjudged = 9,
                                   .rtt_min_ns = 500,
                                   .rtt_max_ns = 700,
                                   .slots_up = 5};
  struct asz_lab_seen total = {0};
  uint16_t cell[ASZ_SKETCH_CELLS_DEFAULT] = {0};
  cell[asz_sketch_at(asz_sketch_bin(500), 0, ASZ_SKETCH_CELLS_DEFAULT)] = 1;
  struct asz_stats all = {.target_count = 1, .cell_count = ASZ_SKETCH_CELLS_DEFAULT, .target = &stats, .cell = cell};
  asz_lab_seen_add(&total, &all, 0, 10, 7);
  stats.rtt_min_ns = 700;
  asz_lab_seen_add(&total, &all, 0, 11, 1);
  stats.rtt_min_ns = 0;
  stats.answered = 0; /* an epoch without a reply has no smallest RTT */
  asz_lab_seen_add(&total, &all, 0, 12, 0);
  cr_expect(eq(u64, total.sent, 33));
  cr_expect(eq(u64, total.answered, 10));
  cr_expect(eq(u64, total.late, 3));
  cr_expect(eq(u64, total.duplicate, 6));
  cr_expect(eq(u64, total.reordered, 30));
  cr_expect(eq(u64, total.replayed, 9));
  cr_expect(eq(u64, total.forged, 12));
  cr_expect(eq(u64, total.bad_mac, 18));
  cr_expect(eq(u64, total.wrong_path, 21));
  cr_expect(eq(u64, total.malformed, 24));
  cr_expect(eq(u64, total.unjudged, 27));
  cr_expect(eq(u64, total.rtt_min_ns, 500));
  cr_expect(eq(u32, total.slots_judged, 4));
  cr_expect(eq(u32, total.slots_up, 3));
  cr_expect(eq(u64, asz_sketch_total(&total.sketch), 2), "an epoch without a judged slot says nothing about latency");
}

static char *printed(void) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  cr_assert(eq(int, asz_lab_report_print(&report, out), 0));
  fclose(out);
  return text;
}

Test(lab_report, trials_that_do_not_hold_fail_the_report_and_attackers_may_be_slashed)
{
  struct asz_lab_trials trials = {.terms.openings = 4, .count = 1, .ok = true};
  struct asz_lab_trait trait[COUNT] = {[HONEST] = {.attack = ASZ_LAB_ATTACK_BROKEN_CHAIN}};
  trials.trial[0] = (struct asz_lab_trial){.trait = trait[HONEST], .trials = 7, .caught = 7, .ok = true};
  seen[HONEST].slashed_s1 = true;
  run.trait = trait;
  run.trials = &trials;
  make();
  cr_expect(report.ok);
  char *text = printed();
  cr_expect(strstr(text, "broken-chain") != NULL, "%s", text);
  free(text);
  trials.ok = false;
  make();
  cr_expect(not(report.ok));
}

Test(lab_report, prints_every_claim_and_the_verdict)
{
  make();
  char *text = printed();
  for (uint32_t c = 0; c < report.claim_count; c++)
    cr_expect(strstr(text, report.claim[c].name) != NULL, "%s", report.claim[c].name);
  cr_expect(strstr(text, "all claims hold") != NULL);
  cr_expect(strstr(text, "NO") == NULL);
  free(text);
  seen[HONEST].slashed_s1 = true;
  make();
  text = printed();
  cr_expect(strstr(text, "do NOT hold") != NULL);
  cr_expect(strstr(text, "16 of 17; provider 17: S1 yes") != NULL, "%s", text);
  cr_expect(strstr(text, "all claims hold") == NULL);
  free(text);
}

Test(lab_report, json_says_the_same)
{
  seen[HONEST].forged = 1;
  make();
  json_t *json = asz_lab_report_json(&report);
  cr_assert(json != NULL);
  bool ok = json_is_true(json_object_get(json, "ok"));
  cr_expect(not(ok));
  cr_expect(eq(i64, json_integer_value(json_object_get(json, "sent")), COUNT * PROBES));
  cr_expect(eq(u64, (uint64_t)json_integer_value(json_object_get(json_object_get(json, "median_error_ns"), "max")),
               report.error_ns.max));
  json_t *claims = json_object_get(json, "claims");
  cr_assert(eq(sz, json_array_size(claims), report.claim_count));
  for (uint32_t c = 0; c < report.claim_count; c++) {
    json_t *claim = json_array_get(claims, c);
    cr_expect(eq(int, strcmp(json_string_value(json_object_get(claim, "name")), report.claim[c].name), 0));
    cr_expect(eq(int, strcmp(json_string_value(json_object_get(claim, "measured")), report.claim[c].measured), 0));
    cr_expect(eq(int, json_is_true(json_object_get(claim, "ok")), report.claim[c].ok));
  }
  json_decref(json);
}
