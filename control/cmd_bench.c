/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/bench.h"
#include "control/cmd.h"
#include "control/table.h"
#include "dataplane/loopback.h"

enum { PROVIDERS_DEFAULT = 100000, SECONDS_DEFAULT = 10, LOSS_PPM_DEFAULT = 1000, FAULT_PPM_DEFAULT = 20000, PPM = 1000000 };

static const char *const rtt_names[4] = {"p50", "p99", "p999", "max"};

static double cycles(const struct asz_bench_result *r, enum asz_stage stage) {
  return r->staged.sent > 0 ? (double)r->stage_ticks[stage] / (double)r->staged.sent : 0;
}

static uint64_t busy_ppm(const struct asz_bench_result *r) {
  uint64_t ticks = 0;
  for (enum asz_stage stage = 0; stage < ASZ_STAGE_COUNT; stage++)
    ticks += r->stage_ticks[stage];
  return r->span_ticks > 0 ? (uint64_t)((unsigned __int128)ticks * PPM / r->span_ticks) : 0;
}

/* ---- JSON ---- */

static json_t *rung_json(const struct asz_rung *g) {
  json_t *rung =
      json_pack("{s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "asked_pps", (json_int_t)g->asked_pps,
                "rate_pps", (json_int_t)g->rate_pps, "verdict", asz_rung_name(g->verdict), "sent", (json_int_t)g->sent,
                "answered", (json_int_t)g->answered, "lost", (json_int_t)g->lost, "not_sent", (json_int_t)g->not_sent, "refused",
                (json_int_t)g->refused, "late", (json_int_t)g->late, "missed", (json_int_t)g->missed, "wrong",
                (json_int_t)g->wrong, "late_ns_max", (json_int_t)g->late_ns_max, "rtt_error_ns", (json_int_t)g->rtt_error_ns);
  for (unsigned i = 0; rung && i < 4; i++) {
    char key[16];
    snprintf(key, sizeof key, "rtt_%s_ns", rtt_names[i]);
    json_object_set_new(rung, key, json_integer((json_int_t)g->rtt_ns[i]));
  }
  return rung;
}

static json_t *rungs_json(const struct asz_bench_result *r) {
  json_t *list = json_array();
  for (uint32_t i = 0; list && i < r->rung_count; i++)
    json_array_append_new(list, rung_json(&r->rung[i]));
  return list;
}

static json_t *stages_json(const struct asz_bench_result *r) {
  if (r->staged.asked_pps == 0)
    return json_null();
  json_t *stages = json_object();
  for (enum asz_stage stage = 0; stages && stage < ASZ_STAGE_COUNT; stage++)
    json_object_set_new(stages, asz_stage_name(stage), json_real(cycles(r, stage)));
  return json_pack("{s:I, s:I, s:I, s:o}", "rate_pps", (json_int_t)r->staged.rate_pps, "sent", (json_int_t)r->staged.sent,
                   "busy_ppm", (json_int_t)busy_ppm(r), "cycles_per_probe", stages);
}

static int print_json(const struct asz_bench_options *o, const struct asz_bench_result *r) {
  json_t *rungs = rungs_json(r), *stages = stages_json(r);
  json_t *clean = r->clean.asked_pps ? rung_json(&r->clean) : json_null();
  return asz_cmd_json(json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:o, s:o, s:o}", "against",
                                o->responder ? o->responder : "loopback", "kind", asz_probe_name(r->kind), "targets",
                                (json_int_t)r->targets, "prober_lcores", (json_int_t)r->lcores, "tsc_hz", (json_int_t)r->tsc_hz,
                                "huge_pages", r->huge_pages, "memory_bytes", (json_int_t)r->memory_bytes, "loss_bound_ppm",
                                (json_int_t)o->bounds.loss_ppm, "fault_bound_ppm", (json_int_t)o->bounds.fault_ppm, "clean_pps",
                                (json_int_t)r->clean.asked_pps, "bad_pps", (json_int_t)r->bad_pps, "settled", r->settled,
                                "interrupted", r->interrupted, "clean", clean, "stages", stages, "rungs", rungs));
}

/* ---- text ---- */

static void print_head(const struct asz_bench_options *o, const struct asz_bench_result *r) {
  if (o->responder)
    printf("bench: %s, probed by %s from %u source ports", o->responder, asz_probe_name(r->kind), r->targets);
  else
    printf("bench: the loopback of this process, %s made-up providers, probed by %s", asz_text_count(ASZ_TEXT, r->targets),
           asz_probe_name(r->kind));
  printf("; %u prober lcore%s\n", r->lcores, r->lcores == 1 ? "" : "s");
  printf("counter %.3f GHz, memory %s, huge pages %s; clean: at most %u in a million lost, %u failed by this machine\n\n",
         (double)r->tsc_hz * 1e-9, asz_text_bytes(ASZ_TEXT, r->memory_bytes), r->huge_pages ? "yes" : "no", o->bounds.loss_ppm,
         o->bounds.fault_ppm);
}

static uint64_t failed(const struct asz_rung *g) {
  return g->not_sent + g->refused + g->late + g->missed + g->wrong;
}

static int print_rungs(const struct asz_bench_result *r) {
  static const char *const heading[] = {"probes/s", "sent", "lost", "failed", "RTT p50", "p99", "worst lateness", "verdict"};
  struct asz_table *table = asz_table_new("rrrrrrrl");
  for (size_t i = 0; i < sizeof heading / sizeof heading[0]; i++)
    asz_table_cell(table, heading[i]);
  for (uint32_t i = 0; i < r->rung_count; i++) {
    const struct asz_rung *g = &r->rung[i];
    asz_table_cell(table, asz_text_count(ASZ_TEXT, g->asked_pps));
    asz_table_cell(table, asz_text_count(ASZ_TEXT, g->sent));
    asz_table_cell(table, asz_text_count(ASZ_TEXT, g->lost));
    asz_table_cell(table, asz_text_count(ASZ_TEXT, failed(g)));
    asz_table_cell(table, g->rtt_ns[0] ? asz_text_ns(ASZ_TEXT, g->rtt_ns[0]) : "-");
    asz_table_cell(table, g->rtt_ns[1] ? asz_text_ns(ASZ_TEXT, g->rtt_ns[1]) : "-");
    asz_table_cell(table, asz_text_ns(ASZ_TEXT, g->late_ns_max));
    asz_table_cell(table, asz_rung_name(g->verdict));
  }
  return asz_table_print(table, stdout);
}

static void print_clean(const struct asz_bench_options *o, const struct asz_bench_result *r) {
  const struct asz_rung *g = &r->clean;
  printf("\nhighest clean rate   %s probes/s", asz_text_count(ASZ_TEXT, g->asked_pps));
  if (r->bad_pps)
    printf("; not clean: %s", asz_text_count(ASZ_TEXT, r->bad_pps));
  printf("%s\n", r->settled ? "" : r->interrupted ? "; interrupted" : "; time was up, more --seconds narrow it further");
  printf("%s   p50 %s, p99 %s, p99.9 %s, largest %s\n", o->responder ? "RTT at that rate  " : "added latency     ",
         asz_text_ns(ASZ_TEXT, g->rtt_ns[0]), asz_text_ns(ASZ_TEXT, g->rtt_ns[1]), asz_text_ns(ASZ_TEXT, g->rtt_ns[2]),
         asz_text_ns(ASZ_TEXT, g->rtt_ns[3]));
}

static int print_stages(const struct asz_bench_result *r) {
  double sum = 0;
  struct asz_table *table = asz_table_new("lrl");
  asz_table_cell(table, "stage");
  asz_table_cell(table, "cycles a probe");
  asz_table_cell(table, "what");
  for (enum asz_stage stage = 0; stage < ASZ_STAGE_COUNT; stage++) {
    char text[32];
    snprintf(text, sizeof text, "%.1f", cycles(r, stage));
    asz_table_cell(table, asz_stage_name(stage));
    asz_table_cell(table, text);
    asz_table_cell(table, asz_stage_help(stage));
    sum += cycles(r, stage);
  }
  printf("\n");
  int err = asz_table_print(table, stdout);
  printf("\nat %s probes/s the lcore%s %s busy %" PRIu64 " %% of the time: %.0f cycles a probe and its reply\n",
         asz_text_count(ASZ_TEXT, r->staged.rate_pps), r->lcores == 1 ? "" : "s", r->lcores == 1 ? "was" : "were",
         busy_ppm(r) / 10000, sum);
  return err;
}

static int print_text(const struct asz_bench_options *o, const struct asz_bench_result *r) {
  print_head(o, r);
  int err = print_rungs(r);
  if (r->clean.asked_pps)
    print_clean(o, r);
  else if (r->rung_count > 0)
    printf("\nno rate was clean\n");
  if (!err && r->staged.asked_pps)
    err = print_stages(r);
  return err ? asz_cmd_fail(ASZ_ENOMEM, NULL) : ASZ_EXIT_OK;
}

/* ---- the command ---- */

static int bench(const struct asz_cmd_context *context, const struct asz_bench_options *options) {
  struct asz_diag diag = {""};
  struct asz_bench_result *result = calloc(1, sizeof *result);
  if (!result)
    return asz_cmd_fail(ASZ_ENOMEM, NULL);
  asz_cmd_catch_signals();
  int err = asz_bench_run(result, options, &context->home, &diag);
  int code = err ? asz_cmd_fail(err, &diag) : context->json ? print_json(options, result) : print_text(options, result);
  if (code == ASZ_EXIT_OK)
    code = result->interrupted ? ASZ_EXIT_INTERRUPTED : result->clean.asked_pps ? ASZ_EXIT_OK : ASZ_EXIT_NO;
  free(result);
  return code;
}

/* What says something about the loopback only is refused with a responder, rather than not heard. */
static int parse(struct asz_bench_options *o, int argc, char **argv) {
  const char *kind = NULL, *providers = NULL, *seconds = NULL, *rate_max = NULL, *loss = NULL, *fault = NULL;
  const struct asz_cmd_option options[] = {
      {"--responder", .value = &o->responder}, {"--kind", .value = &kind},         {"--providers", .value = &providers},
      {"--seconds", .value = &seconds},        {"--rate-max", .value = &rate_max}, {"--loss-ppm", .value = &loss},
      {"--fault-ppm", .value = &fault},
  };
  uint64_t providers_n = PROVIDERS_DEFAULT, loss_n = LOSS_PPM_DEFAULT, fault_n = FAULT_PPM_DEFAULT;
  size_t count;
  int err = asz_cmd_options("bench", argc, argv, options, sizeof options / sizeof options[0], NULL, 0, &count);
  if (!err && providers)
    err = asz_cmd_parse_u64("bench", "--providers", providers, 1, ASZ_LOOPBACK_TARGETS_MAX, &providers_n);
  if (!err && seconds)
    err = asz_cmd_parse_u64("bench", "--seconds", seconds, 1, ASZ_BENCH_SECONDS_MAX, &o->seconds);
  if (!err && rate_max)
    err = asz_cmd_parse_u64("bench", "--rate-max", rate_max, 1, 200000000, &o->rate_max_pps);
  if (!err && loss)
    err = asz_cmd_parse_u64("bench", "--loss-ppm", loss, 0, PPM - 1, &loss_n);
  if (!err && fault)
    err = asz_cmd_parse_u64("bench", "--fault-ppm", fault, 0, PPM - 1, &fault_n);
  if (err)
    return err;
  o->providers = (uint32_t)providers_n;
  o->bounds = (struct asz_rung_bounds){.loss_ppm = (uint32_t)loss_n, .fault_ppm = (uint32_t)fault_n};
  o->kind = kind ? asz_probe_from_name(kind) : ASZ_PROBE_STAMP;
  if (o->responder && (kind || providers)) {
    asz_cmd_usage_error("bench", "%s: expected without --responder, whose kind is the registered one",
                        kind ? "--kind" : "--providers");
    return ASZ_EINVAL;
  }
  if (o->kind == ASZ_PROBE_COUNT || !asz_loopback_speaks(o->kind)) {
    asz_cmd_usage_error("bench", "--kind: expected stamp, stamp-tlv or stamp-auth, got \"%s\"", kind);
    return ASZ_EINVAL;
  }
  return 0;
}

static int run(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_bench_options options = {.seconds = SECONDS_DEFAULT};
  return parse(&options, argc, argv) ? ASZ_EXIT_INPUT : bench(context, &options);
}

const struct asz_cmd asz_cmd_bench = {
    .name = "bench",
    .summary = "what this machine, or a port and a reflector of one's own, can do",
    .usage =
        "usage: assize bench [--kind KIND] [--providers N] [--seconds S] [--rate-max R] [--loss-ppm L] [--fault-ppm F]\n"
        "       assize bench --responder NAME [--seconds S] [--rate-max R] [--loss-ppm L] [--fault-ppm F]\n"
        "\n"
        "  assize bench                       this machine alone: a port within this process; no root, no home, no network\n"
        "  assize bench --responder mirror-1  the configured port, and the registered provider mirror-1, which must be one of\n"
        "                                     your own (provider add --control): it is flooded, and all that is in between\n"
        "\n"
        "  --kind KIND      stamp (the default), stamp-tlv or stamp-auth\n"
        "  --providers N    1 to 10000000 made-up providers (100000)\n"
        "  --seconds S      1 to 600: measures no longer than that (10)\n"
        "  --rate-max R     probes a second, never more; with a responder at most probe.rate_max_pps, the default\n"
        "  --loss-ppm L     of a million probes due at a clean rate, this many may be lost (1000) ...\n"
        "  --fault-ppm F    ... and this many not sent, late, refused or missed by this machine (20000, as "
        "probe.fault_bound_ppm)\n"
        "\n"
        "The rate is doubled until it is not clean, then narrowed down to a sixteenth; at the highest clean rate the stages of "
        "a\n"
        "probe are measured. With a responder it needs the port that `run` uses, so not while that runs. Nothing is scored,\n"
        "logged or stored.\n"
        "Exit codes: 0 a clean rate was found, 1 none, 2 bad input, 3 the machine failed, 130 interrupted (what was measured is\n"
        "shown).\n",
    .run = run,
};
