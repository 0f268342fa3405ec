/* SPDX-License-Identifier: Apache-2.0 */
/* The true RTTs are drawn again: everything about a probe follows from seed, provider and number, so the emulator need not keep
 * them. Quantiles have the rank that the prober's sketch gives them. */
#include "control/lab_each.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "control/table.h"

enum { P50_PPM = 500000, P99_PPM = 990000 };

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static uint64_t quantile(const uint64_t *sorted, uint32_t count, uint32_t q_ppm) {
  return count == 0 ? 0 : sorted[(uint64_t)(count - 1) * q_ppm / ASZ_PPM];
}

static void true_rtts(struct asz_lab_facts *facts, const struct asz_lab_run *run, uint32_t provider, uint64_t *rtt_ns) {
  const struct asz_deed *deed = &run->deed[provider];
  uint32_t all = asz_truth_rtts(&run->truth[provider], run->seed, provider, deed->requests, rtt_ns), count = 0;
  if (deed->replies == 0) /* to nobody who asked as we did */
    return;
  for (uint32_t i = 0; i < all; i++)
    if (rtt_ns[i] <= run->timeout_ns)
      rtt_ns[count++] = rtt_ns[i];
  qsort(rtt_ns, count, sizeof *rtt_ns, by_value);
  facts->rtt_p50_ns = quantile(rtt_ns, count, P50_PPM);
  facts->rtt_p99_ns = quantile(rtt_ns, count, P99_PPM);
}

static void say(char *text, size_t capacity, const char *what, uint64_t count) {
  size_t used = strlen(text);
  if (count > 0)
    snprintf(text + used, capacity - used, "%s%s %" PRIu64, used > 0 ? ", " : "", what, count);
}

static void say_all(struct asz_lab_each *each, const struct asz_lab_seen *seen) {
  const struct {
    const char *what;
    uint64_t count;
  } said[] = {{"late", seen->late},
              {"replayed", seen->replayed},
              {"forged", seen->forged},
              {"bad MAC", seen->bad_mac},
              {"wrong path", seen->wrong_path},
              {"malformed", seen->malformed},
              {"unjudged", seen->unjudged},
              {"challenges wrong", seen->answers_fail},
              {"missing", seen->answers_missing},
              {"S1", seen->slashed_s1}};
  for (size_t i = 0; i < sizeof said / sizeof *said; i++)
    say(each->says, sizeof each->says, said[i].what, said[i].count);
}

void asz_lab_each_make(struct asz_lab_each *ret_each, const struct asz_lab_run *run, uint32_t provider, uint64_t *rtt_ns) {
  const struct asz_deed *deed = &run->deed[provider];
  const struct asz_lab_seen *seen = &run->seen[provider];
  uint64_t came = seen->answered + seen->late;
  bool copies = run->truth[provider].cheat == ASZ_CHEAT_DUPLICATE;
  *ret_each = (struct asz_lab_each){
      .truth = {.probes = deed->requests,
                .lost = (uint64_t)deed->lost + deed->withheld + deed->faults + deed->broken + deed->altered,
                .duplicates = (uint64_t)deed->duplicates + (copies ? deed->extra : 0),
                .reordered = deed->reordered},
      .measured = {.probes = seen->sent,
                   .lost = seen->sent > came ? seen->sent - came : 0,
                   .duplicates = seen->duplicate,
                   .reordered = seen->reordered},
  };
  true_rtts(&ret_each->truth, run, provider, rtt_ns);
  if (seen->sketch.cell != NULL) {
    ret_each->measured.rtt_p50_ns = asz_sketch_quantile(&seen->sketch, P50_PPM);
    ret_each->measured.rtt_p99_ns = asz_sketch_quantile(&seen->sketch, P99_PPM);
  }
  say_all(ret_each, seen);
}

uint32_t asz_lab_each_probes(const struct asz_lab_run *run) {
  uint32_t most = 0;
  for (uint32_t i = 0; i < run->provider_count; i++)
    most = run->deed[i].requests > most ? run->deed[i].requests : most;
  return most;
}

static uint64_t *new_rtts(const struct asz_lab_run *run) {
  return calloc((size_t)asz_lab_each_probes(run) + 1, sizeof(uint64_t));
}

static const char *group_of(const struct asz_lab_run *run, const struct asz_scenario *scenario, uint32_t provider) {
  return scenario ? asz_scenario_group(scenario, run->truth[provider].region) : "-";
}

/* Its cheat, or what it does to challenges: nobody has both. */
static const char *cheat_of(const struct asz_lab_run *run, uint32_t provider) {
  const bool attacks = run->trait && run->trait[provider].attack != ASZ_LAB_ATTACK_NONE;
  return attacks ? asz_lab_attack_name(run->trait[provider].attack) : asz_cheat_name(run->truth[provider].cheat);
}

static void count_cells(struct asz_table *table, uint64_t measured, uint64_t truth) {
  asz_table_cell(table, asz_text_count(ASZ_TEXT, measured));
  asz_table_cell(table, asz_text_count(ASZ_TEXT, truth));
}

static void rtt_cells(struct asz_table *table, uint64_t measured_ns, uint64_t truth_ns) {
  asz_table_cell(table, measured_ns > 0 ? asz_text_ns(ASZ_TEXT, measured_ns) : "-");
  asz_table_cell(table, truth_ns > 0 ? asz_text_ns(ASZ_TEXT, truth_ns) : "-");
}

static void add_row(struct asz_table *table, const struct asz_lab_run *run, const struct asz_scenario *scenario,
                    uint32_t provider, uint64_t *rtt_ns) {
  struct asz_lab_each each;
  char name[16];
  asz_lab_each_make(&each, run, provider, rtt_ns);
  snprintf(name, sizeof name, "p%u", provider);
  asz_table_cell(table, name);
  asz_table_cell(table, group_of(run, scenario, provider));
  asz_table_cell(table, asz_probe_name(run->seen[provider].probe));
  asz_table_cell(table, cheat_of(run, provider));
  count_cells(table, each.measured.lost, each.truth.lost);
  rtt_cells(table, each.measured.rtt_p50_ns, each.truth.rtt_p50_ns);
  rtt_cells(table, each.measured.rtt_p99_ns, each.truth.rtt_p99_ns);
  count_cells(table, each.measured.duplicates, each.truth.duplicates);
  count_cells(table, each.measured.reordered, each.truth.reordered);
  asz_table_cell(table, each.says[0] ? each.says : "-");
}

int asz_lab_each_print(const struct asz_lab_run *run, const struct asz_scenario *scenario, FILE *out) {
  static const char *const heading[] = {"provider",   "group",    "asked by",  "cheat",    "lost",
                                        "in truth",   "p50",      "in truth",  "p99",      "in truth",
                                        "duplicates", "in truth", "reordered", "in truth", "counted"};
  uint64_t *rtt_ns = new_rtts(run);
  struct asz_table *table = rtt_ns ? asz_table_new("llllrrrrrrrrrrl") : NULL;
  if (!table) {
    free(rtt_ns);
    return ASZ_ENOMEM;
  }
  for (size_t i = 0; i < sizeof heading / sizeof *heading; i++)
    asz_table_cell(table, heading[i]);
  for (uint32_t i = 0; i < run->provider_count; i++)
    add_row(table, run, scenario, i, rtt_ns);
  free(rtt_ns);
  return asz_table_print(table, out) == 0 ? 0 : ASZ_ENOMEM;
}

static json_t *facts_json(const struct asz_lab_facts *f) {
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "probes", (json_int_t)f->probes, "lost", (json_int_t)f->lost, "rtt_p50_ns",
                   (json_int_t)f->rtt_p50_ns, "rtt_p99_ns", (json_int_t)f->rtt_p99_ns, "duplicates", (json_int_t)f->duplicates,
                   "reordered", (json_int_t)f->reordered);
}

static json_t *counted_json(const struct asz_lab_seen *m) {
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "answered", (json_int_t)m->answered, "late",
                   (json_int_t)m->late, "replayed", (json_int_t)m->replayed, "forged", (json_int_t)m->forged, "bad_mac",
                   (json_int_t)m->bad_mac, "wrong_path", (json_int_t)m->wrong_path, "malformed", (json_int_t)m->malformed,
                   "unjudged", (json_int_t)m->unjudged, "challenges_passed", (json_int_t)m->answers_pass, "challenges_failed",
                   (json_int_t)m->answers_fail, "challenges_missing", (json_int_t)m->answers_missing, "slashed_s1",
                   (int)m->slashed_s1);
}

json_t *asz_lab_each_json(const struct asz_lab_run *run, const struct asz_scenario *scenario) {
  uint64_t *rtt_ns = new_rtts(run);
  json_t *array = rtt_ns ? json_array() : NULL;
  for (uint32_t i = 0; array && i < run->provider_count; i++) {
    struct asz_lab_each each;
    asz_lab_each_make(&each, run, i, rtt_ns);
    json_t *item =
        json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:o}", "provider", (json_int_t)i, "group", group_of(run, scenario, i), "probe",
                  asz_probe_name(run->seen[i].probe), "cheat", cheat_of(run, i), "truth", facts_json(&each.truth), "measured",
                  facts_json(&each.measured), "counted", counted_json(&run->seen[i]));
    if (json_array_append_new(array, item) < 0) { /* also for item == NULL */
      json_decref(array);
      array = NULL;
    }
  }
  free(rtt_ns);
  return array;
}
