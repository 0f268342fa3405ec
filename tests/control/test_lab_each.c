/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/lab_each.h"

enum { COUNT = 3, PROBES = 1000, SEED = 9, NS = 20000000, JITTER_NS = 1000000, TIMEOUT_NS = 500000000 };
enum { HONEST, DETOURED, DEAD };

static struct asz_truth truth[COUNT];
static struct asz_deed deed[COUNT];
static struct asz_lab_seen seen[COUNT];
static struct asz_lab_run run;
static uint64_t rtt_ns[PROBES];
static struct asz_lab_each each;

static void make_run(void) {
  asz_sketch_init();
  for (uint32_t i = 0; i < COUNT; i++) {
    truth[i] = (struct asz_truth){.delay_ns = NS, .jitter_ns = JITTER_NS};
    deed[i] = (struct asz_deed){.requests = PROBES, .replies = PROBES};
    seen[i] = (struct asz_lab_seen){.sent = PROBES, .answered = PROBES};
    seen[i].sketch = (struct asz_sketch){.cell = seen[i].cell, .cell_count = ASZ_SKETCH_CELLS_DEFAULT};
  }
  truth[DEAD].cheat = ASZ_CHEAT_DEAD;
  deed[DEAD] = (struct asz_deed){.requests = PROBES, .withheld = PROBES};
  seen[DEAD] = (struct asz_lab_seen){.sent = PROBES};
  run = (struct asz_lab_run){
      .provider_count = COUNT, .truth = truth, .deed = deed, .seen = seen, .seed = SEED, .timeout_ns = TIMEOUT_NS};
}

TestSuite(lab_each, .init = make_run);

Test(lab_each, who_never_answers_has_no_rtt_on_either_side)
{
  asz_lab_each_make(&each, &run, DEAD, rtt_ns);
  cr_expect(eq(u64, each.truth.rtt_p50_ns, 0));
  cr_expect(eq(u64, each.measured.rtt_p50_ns, 0));
  cr_expect(eq(u64, each.truth.lost, PROBES));
  cr_expect(eq(u64, each.measured.lost, PROBES));
}

Test(lab_each, true_quantiles_are_those_of_the_draws)
{
  asz_lab_each_make(&each, &run, HONEST, rtt_ns);
  /* Uniform over the jitter; sigma of the middle of 1,000 draws is 15.8 us, of its 99th percentile 3.1 us. Five of them. */
  cr_expect(llabs((long long)each.truth.rtt_p50_ns - (NS + JITTER_NS / 2)) < 79000, "%lu", each.truth.rtt_p50_ns);
  cr_expect(llabs((long long)each.truth.rtt_p99_ns - (NS + JITTER_NS / 100 * 99)) < 16000, "%lu", each.truth.rtt_p99_ns);
  truth[DETOURED].detour_ppm = 20000;
  truth[DETOURED].detour_ns = 60000000;
  asz_lab_each_make(&each, &run, DETOURED, rtt_ns);
  cr_expect(each.truth.rtt_p99_ns >= NS + 60000000, "two in a hundred go round: %lu", each.truth.rtt_p99_ns);
  cr_expect(each.truth.rtt_p50_ns < NS + JITTER_NS);
}

Test(lab_each, a_reply_beyond_the_timeout_is_in_no_quantile)
{
  truth[DETOURED].detour_ppm = 500000;
  truth[DETOURED].detour_ns = TIMEOUT_NS;
  asz_lab_each_make(&each, &run, DETOURED, rtt_ns);
  cr_expect(each.truth.rtt_p99_ns < NS + JITTER_NS);
}

Test(lab_each, losses_copies_and_order_are_counted_on_both_sides)
{
  deed[HONEST] = (struct asz_deed){.requests = PROBES,
                                   .lost = 1,
                                   .withheld = 2,
                                   .faults = 3,
                                   .broken = 4,
                                   .altered = 5,
                                   .duplicates = 6,
                                   .reordered = 7,
                                   .extra = 8,
                                   .replies = PROBES - 6};
  seen[HONEST].answered = PROBES - 20;
  seen[HONEST].late = 5;
  seen[HONEST].duplicate = 9;
  seen[HONEST].reordered = 10;
  asz_lab_each_make(&each, &run, HONEST, rtt_ns);
  cr_expect(eq(u64, each.truth.lost, 15));
  cr_expect(eq(u64, each.measured.lost, 15));
  cr_expect(eq(u64, each.truth.duplicates, 6));
  cr_expect(eq(u64, each.measured.duplicates, 9));
  cr_expect(eq(u64, each.truth.reordered, 7));
  cr_expect(eq(u64, each.measured.reordered, 10));
  truth[HONEST].cheat = ASZ_CHEAT_DUPLICATE;
  asz_lab_each_make(&each, &run, HONEST, rtt_ns);
  cr_expect(eq(u64, each.truth.duplicates, 14), "the cheat's own copies, too");
}

Test(lab_each, what_the_engine_counted_is_said_and_nothing_else)
{
  asz_lab_each_make(&each, &run, HONEST, rtt_ns);
  cr_expect(eq(int, strcmp(each.says, ""), 0));
  seen[HONEST].forged = 98;
  seen[HONEST].slashed_s1 = true;
  asz_lab_each_make(&each, &run, HONEST, rtt_ns);
  cr_expect(eq(int, strcmp(each.says, "forged 98, S1 1"), 0), "%s", each.says);
  seen[HONEST].replayed = seen[HONEST].bad_mac = seen[HONEST].wrong_path = seen[HONEST].malformed = UINT64_MAX;
  seen[HONEST].forged = seen[HONEST].unjudged = seen[HONEST].late = UINT64_MAX;
  seen[HONEST].answers_fail = seen[HONEST].answers_missing = UINT32_MAX;
  asz_lab_each_make(&each, &run, HONEST, rtt_ns);
  cr_expect(strlen(each.says) < sizeof each.says, "cut off, not run over");
}

Test(lab_each, table_and_json_have_every_provider)
{
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  cr_assert(eq(int, asz_lab_each_print(&run, NULL, out), 0));
  fclose(out);
  cr_expect(strstr(text, "p0 ") != NULL && strstr(text, "p2 ") != NULL && strstr(text, "dead") != NULL, "%s", text);
  free(text);
  json_t *array = asz_lab_each_json(&run, NULL);
  cr_assert(eq(sz, json_array_size(array), COUNT));
  json_t *dead = json_array_get(array, DEAD);
  cr_expect(eq(int, strcmp(json_string_value(json_object_get(dead, "cheat")), "dead"), 0));
  cr_expect(eq(i64, json_integer_value(json_object_get(json_object_get(dead, "truth"), "lost")), PROBES));
  cr_expect(eq(i64, json_integer_value(json_object_get(json_object_get(dead, "counted"), "answered")), 0));
  json_decref(array);
}
