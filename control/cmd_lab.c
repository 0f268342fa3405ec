/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "control/cmd.h"
#include "control/lab.h"
#include "control/lab_each.h"

/* What is shown of a run: the report, and on demand each provider. */
struct shown {
  const struct asz_lab_options *options;
  const struct asz_lab_run *compared;
  const struct asz_lab_report *report;
  const struct asz_run_result *result;
  bool each;
};

static json_t *json_of(const struct shown *s) {
  json_t *root = asz_lab_report_json(s->report);
  int err = root == NULL;
  if (root)
    err = json_object_update_new(root, json_pack("{s:I, s:I, s:I, s:b}", "seed", (json_int_t)s->options->seed, "epochs",
                                                 (json_int_t)s->result->epochs, "recommendations",
                                                 (json_int_t)s->result->recommendations, "interrupted", s->result->interrupted));
  if (!err && s->each)
    err = json_object_set_new(root, "each", asz_lab_each_json(s->compared, s->options->scenario));
  if (!err)
    return root;
  json_decref(root);
  return NULL;
}

static int show(const struct asz_cmd_context *context, const struct shown *s) {
  const struct asz_lab_options *options = s->options;
  if (context->json) {
    int code = asz_cmd_json(json_of(s));
    return code == ASZ_EXIT_OK && !s->report->ok ? ASZ_EXIT_NO : code;
  }
  printf("lab: %u emulated providers, seed %" PRIu64 ", %u epochs, %u recommendations; the log verifies\n", options->providers,
         options->seed, s->result->epochs, s->result->recommendations);
  if (s->each) {
    printf("\n");
    if (asz_lab_each_print(s->compared, options->scenario, stdout))
      return ASZ_EXIT_MACHINE;
    printf("\n");
  }
  if (asz_lab_report_print(s->report, stdout))
    return ASZ_EXIT_MACHINE;
  if (options->keep)
    printf("the validator's home is in %s: `assize --home %s status`\n", options->keep, options->keep);
  return s->report->ok ? ASZ_EXIT_OK : ASZ_EXIT_NO;
}

/* What the scenario says of the lab, changed by the options that are given. */
static int parse_lab(const struct asz_scenario *scenario, const char *const *text, struct asz_lab_options *ret_options) {
  static const char *const name[] = {"--providers", "--seconds", "--seed", "--ipv6-share", "--openings"};
  struct asz_scenario_lab lab = asz_scenario_lab(scenario);
  const struct {
    uint64_t *value, min, max;
  } field[] = {
#define FIELD(key, fallback, min, max) {&lab.key, min, max},
      ASZ_SCENARIO_LAB_LIST(FIELD)
#undef FIELD
  };
  _Static_assert(sizeof field / sizeof *field == sizeof name / sizeof *name, "an option for each key of [lab], in its order");
  for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
    int err = text[i] ? asz_cmd_parse_u64("lab", name[i], text[i], field[i].min, field[i].max, field[i].value) : 0;
    if (err)
      return err;
  }
  ret_options->providers = (uint32_t)lab.providers;
  ret_options->seconds = (uint32_t)lab.seconds;
  ret_options->seed = lab.seed;
  ret_options->ipv6_ppm = (uint32_t)lab.ipv6_ppm;
  ret_options->openings = (uint32_t)lab.openings;
  ret_options->scenario = scenario;
  return 0;
}

static int run_options(const struct asz_cmd_context *context, const struct asz_lab_options *options, bool each) {
  asz_cmd_catch_signals();
  struct asz_lab *lab;
  struct asz_diag diag;
  int err = asz_lab_new(&lab, options, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  struct asz_lab_report report;
  struct asz_run_result result;
  err = asz_lab_run(lab, context->json, &report, &result, &diag);
  const struct shown shown = {options, asz_lab_compared(lab), &report, &result, each};
  int code = err ? asz_cmd_fail(err, &diag) : show(context, &shown);
  asz_lab_free(lab);
  return code == ASZ_EXIT_OK && result.interrupted ? ASZ_EXIT_INTERRUPTED : code;
}

static int run_lab(const struct asz_cmd_context *context, int argc, char **argv) {
  const char *text[5] = {NULL}, *file = NULL; /* as in parse_lab */
  struct asz_lab_options options = {0};
  bool each = false;
  const struct asz_cmd_option option[] = {
      {"--providers", .value = &text[0]},  {"--seconds", .value = &text[1]},  {"--seed", .value = &text[2]},
      {"--ipv6-share", .value = &text[3]}, {"--openings", .value = &text[4]}, {"--scenario", .value = &file},
      {"--keep", .value = &options.keep},  {"--each", .flag = &each},
  };
  struct asz_scenario *scenario = NULL;
  struct asz_diag diag;
  size_t count;
  if (asz_cmd_options("lab", argc, argv, option, sizeof option / sizeof option[0], NULL, 0, &count))
    return ASZ_EXIT_INPUT;
  int err = file ? asz_scenario_load(&scenario, file, &diag) : 0;
  if (err)
    return asz_cmd_fail(err, &diag);
  int code = parse_lab(scenario, text, &options) ? ASZ_EXIT_INPUT : run_options(context, &options, each);
  asz_scenario_free(scenario);
  return code;
}

const struct asz_cmd asz_cmd_lab = {
    .name = "lab",
    .summary = "the whole pipeline against emulated providers whose truth is known",
    .usage = "  assize lab\n"
             "  assize lab --providers 1000 --seconds 20 --seed 7\n"
             "  assize lab --providers 300 --scenario docs/scenarios/regions.ini --keep lab-home\n\n"
             "  --providers N      1 to 262,144 (256); up to 2,000 of them have keys, TLV probes and challenges\n"
             "  --seconds S        time to probe (10)\n"
             "  --seed X           delays, losses and cheats are drawn from it: same seed, same network (1)\n"
             "  --ipv6-share PPM   of a million providers, how many have an IPv6 address (250,000: every fourth)\n"
             "  --openings K       ask for gemm and mem, too, and have K columns of each answer opened, up to 32 (0)\n"
             "  --scenario FILE    regions of providers with their delays, losses, outages, faults, cheats and attacks; what it\n"
             "                     says of the lab itself yields to the options above\n"
             "  --each             every provider: truth against measurement, its cheat, and what the engine counted\n"
             "  --keep DIR         keep the validator's home: status, profile and slash work on it\n\n"
             "Needs no root, no huge pages and no network card. Exit code 1 when a claim about the truth does not hold.\n",
    .run = run_lab,
};
