/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "control/cmd.h"
#include "control/lab.h"

static int show(const struct asz_cmd_context *context, const struct asz_lab_options *options, const struct asz_lab_report *report,
                const struct asz_run_result *result) {
  if (context->json) {
    json_t *root = asz_lab_report_json(report);
    if (root)
      json_object_update_new(root, json_pack("{s:I, s:I, s:I, s:b}", "seed", (json_int_t)options->seed, "epochs",
                                             (json_int_t)result->epochs, "recommendations", (json_int_t)result->recommendations,
                                             "interrupted", result->interrupted));
    int code = asz_cmd_json(root);
    return code == ASZ_EXIT_OK && !report->ok ? ASZ_EXIT_NO : code;
  }
  printf("lab: %u emulated providers, seed %" PRIu64 ", %u epochs, %u recommendations; the log verifies\n", options->providers,
         options->seed, result->epochs, result->recommendations);
  if (asz_lab_report_print(report, stdout))
    return ASZ_EXIT_MACHINE;
  if (options->keep)
    printf("the validator's home is in %s: `assize --home %s status`\n", options->keep, options->keep);
  return report->ok ? ASZ_EXIT_OK : ASZ_EXIT_NO;
}

/* What the scenario says of the lab, changed by the options that are given. */
static int parse_lab(const struct asz_scenario *scenario, const char *const *text, struct asz_lab_options *ret_options) {
  static const char *const name[] = {"--providers", "--seconds", "--seed", "--ipv6-share"};
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
  ret_options->scenario = scenario;
  return 0;
}

static int run_options(const struct asz_cmd_context *context, const struct asz_lab_options *options) {
  asz_cmd_catch_signals();
  struct asz_lab *lab;
  struct asz_diag diag;
  int err = asz_lab_new(&lab, options, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  struct asz_lab_report report;
  struct asz_run_result result;
  err = asz_lab_run(lab, context->json, &report, &result, &diag);
  int code = err ? asz_cmd_fail(err, &diag) : show(context, options, &report, &result);
  asz_lab_free(lab);
  return code == ASZ_EXIT_OK && result.interrupted ? ASZ_EXIT_INTERRUPTED : code;
}

static int run_lab(const struct asz_cmd_context *context, int argc, char **argv) {
  const char *text[4] = {NULL}, *file = NULL; /* as in parse_lab */
  struct asz_lab_options options = {0};
  const struct asz_cmd_option option[] = {
      {"--providers", .value = &text[0]},  {"--seconds", .value = &text[1]}, {"--seed", .value = &text[2]},
      {"--ipv6-share", .value = &text[3]}, {"--scenario", .value = &file},   {"--keep", .value = &options.keep},
  };
  struct asz_scenario *scenario = NULL;
  struct asz_diag diag;
  size_t count;
  if (asz_cmd_options("lab", argc, argv, option, sizeof option / sizeof option[0], NULL, 0, &count))
    return ASZ_EXIT_INPUT;
  int err = file ? asz_scenario_load(&scenario, file, &diag) : 0;
  if (err)
    return asz_cmd_fail(err, &diag);
  int code = parse_lab(scenario, text, &options) ? ASZ_EXIT_INPUT : run_options(context, &options);
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
             "  --scenario FILE    regions of providers with their delays, losses, outages, faults and cheats; what it says\n"
             "                     of the lab itself yields to the options above\n"
             "  --keep DIR         keep the validator's home: status, profile and slash work on it\n\n"
             "Needs no root, no huge pages and no network card. Exit code 1 when a claim about the truth does not hold.\n",
    .run = run_lab,
};
