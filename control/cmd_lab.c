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

static int parse(int argc, char **argv, struct asz_lab_options *ret_options) {
  const char *providers = NULL, *seconds = NULL, *seed = NULL, *ipv6_share = NULL;
  struct asz_lab_options options = {0};
  const struct asz_cmd_option option[] = {
      {"--providers", .value = &providers},       {"--seconds", .value = &seconds},   {"--seed", .value = &seed},
      {"--scenario", .value = &options.scenario}, {"--keep", .value = &options.keep}, {"--ipv6-share", .value = &ipv6_share},
  };
  uint64_t providers_n, seconds_n, ipv6_ppm;
  size_t count;
  int err = asz_cmd_options("lab", argc, argv, option, sizeof option / sizeof option[0], NULL, 0, &count);
  if (!err)
    err = asz_cmd_parse_u64("lab", "--providers", providers ? providers : "256", 1, ASZ_LAB_PROVIDERS_MAX, &providers_n);
  if (!err)
    err = asz_cmd_parse_u64("lab", "--seconds", seconds ? seconds : "10", ASZ_LAB_SECONDS_MIN, ASZ_LAB_SECONDS_MAX, &seconds_n);
  if (!err)
    err = asz_cmd_parse_u64("lab", "--seed", seed ? seed : "1", 0, UINT64_MAX, &options.seed);
  if (!err)
    err = asz_cmd_parse_u64("lab", "--ipv6-share", ipv6_share ? ipv6_share : "250000", 0, 1000000, &ipv6_ppm);
  if (err)
    return err;
  options.ipv6_ppm = (uint32_t)ipv6_ppm;
  options.providers = (uint32_t)providers_n;
  options.seconds = (uint32_t)seconds_n;
  *ret_options = options;
  return 0;
}

static int run_lab(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_lab_options options;
  if (parse(argc, argv, &options))
    return ASZ_EXIT_INPUT;
  asz_cmd_catch_signals();
  struct asz_lab *lab;
  struct asz_diag diag;
  int err = asz_lab_new(&lab, &options, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  struct asz_lab_report report;
  struct asz_run_result result;
  err = asz_lab_run(lab, context->json, &report, &result, &diag);
  int code = err ? asz_cmd_fail(err, &diag) : show(context, &options, &report, &result);
  asz_lab_free(lab);
  return code == ASZ_EXIT_OK && result.interrupted ? ASZ_EXIT_INTERRUPTED : code;
}

const struct asz_cmd asz_cmd_lab = {
    .name = "lab",
    .summary = "the whole pipeline against emulated providers whose truth is known",
    .usage = "  assize lab\n"
             "  assize lab --providers 1000 --seconds 20 --seed 7\n"
             "  assize lab --providers 300 --scenario far.ini --keep lab-home\n\n"
             "  --providers N      1 to 262,144 (256); up to 2,000 of them have keys, TLV probes and challenges\n"
             "  --seconds S        time to probe (10)\n"
             "  --seed X           delays, losses and cheats are drawn from it: same seed, same network (1)\n"
             "  --ipv6-share PPM   of a million providers, how many have an IPv6 address (250,000: every fourth)\n"
             "  --scenario FILE    groups of providers with given delay, jitter, loss and cheat\n"
             "  --keep DIR         keep the validator's home: status, profile and slash work on it\n\n"
             "Needs no root, no huge pages and no network card. Exit code 1 when a claim about the truth does not hold.\n",
    .run = run_lab,
};
