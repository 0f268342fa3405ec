/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cmd.h"
#include "control/table.h"

/* One line of the table. */
struct line {
  const struct asz_provider *provider;
  bool scored;
  struct asz_score_row row;
};

/* Trouble first: quarantine, then silence, then the lower composite; names decide between equals. */
static int by_trouble(const void *left, const void *right) {
  const struct line *a = left, *b = right;
  if (a->scored != b->scored)
    return a->scored ? -1 : 1;
  const struct asz_score *x = &a->row.score, *y = &b->row.score;
  if (x->gate_open != y->gate_open)
    return x->gate_open ? 1 : -1;
  if (x->uptime_ppm != y->uptime_ppm)
    return x->uptime_ppm < y->uptime_ppm ? -1 : 1;
  if (x->composite_ppm != y->composite_ppm)
    return x->composite_ppm < y->composite_ppm ? -1 : 1;
  return strcmp(a->provider->name, b->provider->name);
}

static const char *state_of(const struct line *line) {
  const struct asz_score *s = &line->row.score;
  if (!line->scored)
    return "never scored";
  if (!s->gate_open)
    return "quarantine";
  if (s->slots_judged == 0)
    return "not judged";
  if (s->uptime_ppm == 0)
    return "down";
  return s->uptime_ppm < ASZ_PPM ? "partly up" : "up";
}

static int print_table(const struct line *line, size_t count) {
  static const char *const heading[] = {"provider", "state", "tier", "composite", "held by", "uptime",
                                        "surely",   "loss",  "q50",  "q95",       "E"};
  struct asz_table *table = asz_table_new("llrrlrrrrrr");
  for (size_t i = 0; table && i < sizeof heading / sizeof heading[0]; i++)
    asz_table_cell(table, heading[i]);
  for (size_t i = 0; table && i < count; i++) {
    const struct asz_score *s = &line[i].row.score;
    char tier[8] = "-";
    if (s->tier)
      snprintf(tier, sizeof tier, "%u", s->tier);
    const char *cell[] = {line[i].provider->name,
                          state_of(&line[i]),
                          tier,
                          asz_text_ppm(ASZ_TEXT, s->composite_ppm),
                          asz_binding_name((enum asz_binding)s->binding),
                          asz_text_ppm(ASZ_TEXT, s->uptime_ppm),
                          asz_text_ppm(ASZ_TEXT, s->availability_low_ppm),
                          asz_text_ppm(ASZ_TEXT, s->loss_ppm),
                          s->rtt_q50_ns ? asz_text_ns(ASZ_TEXT, s->rtt_q50_ns) : "-",
                          s->rtt_q95_ns ? asz_text_ns(ASZ_TEXT, s->rtt_q95_ns) : "-",
                          asz_text_q32(ASZ_TEXT, s->e_value_q32)};
    for (size_t c = 0; c < sizeof cell / sizeof cell[0]; c++)
      asz_table_cell(table, line[i].scored || c < 2 ? cell[c] : "-");
  }
  return asz_table_print(table, stdout) ? ASZ_EXIT_MACHINE : ASZ_EXIT_OK;
}

static int print_json(const struct line *line, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; i++) {
    const struct asz_score *s = &line[i].row.score;
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "provider",
                                    line[i].provider->name, "state", state_of(&line[i]), "epoch", (json_int_t)line[i].row.epoch,
                                    "tier", (json_int_t)s->tier, "composite_ppm", (json_int_t)s->composite_ppm, "binding",
                                    asz_binding_name((enum asz_binding)s->binding), "uptime_ppm", (json_int_t)s->uptime_ppm,
                                    "availability_low_ppm", (json_int_t)s->availability_low_ppm, "loss_ppm",
                                    (json_int_t)s->loss_ppm, "slots_judged", (json_int_t)s->slots_judged, "rtt_q50_ns",
                                    (json_int_t)s->rtt_q50_ns, "rtt_q95_ns", (json_int_t)s->rtt_q95_ns, "rtt_error_ns",
                                    (json_int_t)s->rtt_error_ns, "e_value_q32", (json_int_t)s->e_value_q32));
  }
  return asz_cmd_json(json_pack("{s:o}", "scores", list));
}

/* load fills one line a provider that can have a score; control targets have none. */
static int load(struct asz_store *store, const struct asz_provider *provider, size_t provider_count, struct line *line,
                size_t *ret_count, struct asz_diag *diag) {
  size_t count = 0;
  for (size_t i = 0; i < provider_count; i++) {
    if (provider[i].control)
      continue;
    struct line *l = &line[count++];
    *l = (struct line){.provider = &provider[i], .scored = true};
    int err = asz_store_score_newest(store, provider[i].row, &l->row, diag);
    if (err && err != ASZ_ENOENT)
      return err;
    l->scored = !err;
  }
  *ret_count = count;
  return 0;
}

static int run_scores(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag;
  struct asz_store *store;
  struct asz_provider *provider;
  size_t count, provider_count;
  if (asz_cmd_options("scores", argc, argv, NULL, 0, NULL, 0, &count))
    return ASZ_EXIT_INPUT;
  int err = asz_home_open(&context->home, true, NULL, NULL, &store, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  err = asz_store_provider_list(store, &provider, &provider_count, &diag);
  if (err) {
    asz_store_close(store);
    return asz_cmd_fail(err, &diag);
  }
  struct line *line = calloc(provider_count + 1, sizeof *line);
  err = line ? load(store, provider, provider_count, line, &count, &diag)
             : asz_diag_set(&diag, ASZ_ENOMEM, "no memory for the table");
  asz_store_close(store);
  int code;
  if (err) {
    code = asz_cmd_fail(err, &diag);
  } else {
    qsort(line, count, sizeof *line, by_trouble);
    code = context->json ? print_json(line, count) : print_table(line, count);
  }
  free(line);
  free(provider);
  return code;
}

const struct asz_cmd asz_cmd_scores = {
    .name = "scores",
    .summary = "the newest score of every provider, those in trouble first",
    .usage = "  assize scores\n"
             "  assize scores --json\n\n"
             "uptime, loss, q50, q95: of the last epoch. surely: the uptime that 30 days prove with 99 % confidence.\n"
             "E: evidence of cheating; a slash needs 1,000,000. A page about one provider: `assize profile NAME`.\n",
    .run = run_scores,
};
