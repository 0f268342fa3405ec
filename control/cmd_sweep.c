/* SPDX-License-Identifier: Apache-2.0 */
/* One provider, probed from several source ports side by side for some seconds: an epoch of the engine in which each port is a
 * target of its own. Nothing is scored, logged or stored. */
#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cmd.h"
#include "control/paths.h"
#include "control/sweep.h"
#include "control/table.h"
#include "dataplane/eal.h"

enum {
  PORTS_DEFAULT = 16,
  SECONDS_DEFAULT = 10,
  SECONDS_MAX = 600,
  RATE_DEFAULT = 10, /* 160 probes a second to one provider: under what a responder takes from one address */
  RATE_MAX = 100,
};

struct sweep {
  struct asz_validator validator;
  uint32_t provider; /* index in the roster */
  uint64_t ports, seconds, rate_ps;
  struct asz_paths paths;
  struct asz_path path[ASZ_SWEEP_PORTS_MAX];
  uint32_t bad;
};

static int make_plan(struct sweep *s, struct asz_diag *diag) {
  const struct asz_validator *v = &s->validator;
  struct asz_plan *plan = &s->paths.plan;
  int err = asz_paths_init(&s->paths, v, s->provider, (uint32_t)s->ports, diag);
  if (err)
    return err;
  plan->rate_pps = s->ports * s->rate_ps;
  plan->duration_ns = plan->slot_ns = s->seconds * UINT64_C(1000000000);
  plan->timeout_ns = v->config.probe_timeout_ms * UINT64_C(1000000);
  err = asz_plan_check(plan, diag);
  if (err)
    return err;
  const struct asz_caps_rate rate = {.probes = plan->rate_pps, .per_ms = 1000};
  return asz_caps_check(&v->caps, &v->roster->provider[s->provider], 1, rate, diag);
}

static int measure(struct sweep *s, struct asz_diag *diag) {
  const struct asz_stats *all = s->paths.plan.stats;
  int err = asz_paths_epoch(s->validator.engine, &s->paths.plan, NULL, NULL, diag);
  if (err)
    return err;
  uint32_t sent[ASZ_SWEEP_PORTS_MAX];
  asz_engine_sent(&s->paths.plan, all, sent);
  for (uint32_t i = 0; i < s->ports; i++) {
    const struct asz_target_stats *stats = &all->target[i];
    struct asz_sketch sketch = asz_stats_sketch(all, i);
    s->path[i] = (struct asz_path){.sent = sent[i],
                                   .answered = stats->answered,
                                   .rtt_min_ns = stats->rtt_min_ns,
                                   .rtt_median_ns = stats->answered > 0 ? asz_sketch_quantile(&sketch, 500000) : 0};
  }
  s->bad = asz_sweep_judge(s->path, (uint32_t)s->ports);
  return 0;
}

static const char *verdict(const struct asz_path *path) {
  return path->lossy && path->far ? "lossy, far" : path->lossy ? "lossy" : path->far ? "far" : "-";
}

static int print_json(const struct sweep *s) {
  json_t *list = json_array();
  for (uint32_t i = 0; list && i < s->ports; i++) {
    const struct asz_path *p = &s->path[i];
    json_array_append_new(list, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "source_port",
                                          (json_int_t)(s->validator.config.network_source_port_base + i), "sent",
                                          (json_int_t)p->sent, "answered", (json_int_t)p->answered, "loss_ppm",
                                          (json_int_t)p->loss_ppm, "rtt_min_ns", (json_int_t)p->rtt_min_ns, "rtt_median_ns",
                                          (json_int_t)p->rtt_median_ns, "lossy", p->lossy, "far", p->far));
  }
  if (!list)
    return asz_cmd_json(NULL);
  return asz_cmd_json(json_pack("{s:s, s:b, s:I, s:o}", "provider", s->validator.roster->provider[s->provider].name, "judged",
                                s->paths.plan.stats->slots_unjudged == 0, "bad_paths", (json_int_t)s->bad, "paths", list));
}

static int print_table(const struct sweep *s) {
  static const char *const heading[] = {"source port", "sent", "answered", "loss", "RTT min", "median", "path"};
  struct asz_table *table = asz_table_new("rrrrrrl");
  for (size_t i = 0; i < sizeof heading / sizeof heading[0]; i++)
    asz_table_cell(table, heading[i]);
  for (uint32_t i = 0; i < s->ports; i++) {
    const struct asz_path *p = &s->path[i];
    char port[24];
    snprintf(port, sizeof port, "%" PRIu64, s->validator.config.network_source_port_base + i);
    asz_table_cell(table, port);
    asz_table_cell(table, asz_text_count(ASZ_TEXT, p->sent));
    asz_table_cell(table, asz_text_count(ASZ_TEXT, p->answered));
    asz_table_cell(table, asz_text_ppm(ASZ_TEXT, p->loss_ppm));
    asz_table_cell(table, p->answered ? asz_text_ns(ASZ_TEXT, p->rtt_min_ns) : "-");
    asz_table_cell(table, p->answered ? asz_text_ns(ASZ_TEXT, p->rtt_median_ns) : "-");
    asz_table_cell(table, verdict(p));
  }
  if (asz_table_print(table, stdout) != 0)
    return asz_cmd_fail(ASZ_ENOMEM, NULL);
  if (s->bad)
    printf("%" PRIu32 " of %" PRIu64 " paths are worse than the others\n", s->bad, s->ports);
  else
    puts("all paths are alike");
  return ASZ_EXIT_OK;
}

static int print(const struct asz_cmd_context *context, const struct sweep *s) {
  int code = context->json ? print_json(s) : print_table(s);
  if (code != ASZ_EXIT_OK)
    return code;
  if (s->paths.plan.stats->slots_unjudged != 0 && !asz_cmd_interrupted()) {
    fprintf(stderr, "assize: sweep: this machine was the bottleneck: nothing is said about the paths (see: assize doctor)\n");
    return ASZ_EXIT_MACHINE;
  }
  if (asz_cmd_interrupted())
    return ASZ_EXIT_INTERRUPTED;
  return s->bad ? ASZ_EXIT_NO : ASZ_EXIT_OK;
}

static int sweep(const struct asz_cmd_context *context, struct sweep *s, const char *name) {
  struct asz_diag diag;
  uint16_t port_id;
  int err = asz_validator_look(&s->validator, &context->home, &diag);
  if (!err)
    err = asz_validator_network(&s->validator, &context->home, &diag);
  if (!err)
    err = asz_paths_find(&s->validator, name, &s->provider, &diag);
  if (!err)
    err = make_plan(s, &diag);
  if (!err)
    err = asz_validator_port(&s->validator.config, &port_id, &diag);
  if (!err)
    err = asz_validator_engine(&s->validator, port_id, 0, &diag);
  if (!err)
    err = measure(s, &diag);
  int code = err ? asz_cmd_fail(err, &diag) : print(context, s);
  asz_engine_free(s->validator.engine); /* before the memory that it writes to goes */
  s->validator.engine = NULL;
  asz_paths_close(&s->paths);
  asz_validator_close(&s->validator);
  asz_eal_stop();
  return code;
}

static int run(const struct asz_cmd_context *context, int argc, char **argv) {
  const char *ports = NULL, *seconds = NULL, *rate = NULL, *name = NULL;
  const struct asz_cmd_option options[] = {
      {"--ports", .value = &ports}, {"--seconds", .value = &seconds}, {"--rate", .value = &rate}};
  size_t count;
  if (asz_cmd_options("sweep", argc, argv, options, sizeof options / sizeof options[0], &name, 1, &count))
    return ASZ_EXIT_INPUT;
  if (count == 0)
    return asz_cmd_usage_error("sweep", "expected the name of a provider");
  struct sweep *s = calloc(1, sizeof *s);
  if (!s)
    return asz_cmd_fail(ASZ_ENOMEM, NULL);
  *s = (struct sweep){.ports = PORTS_DEFAULT, .seconds = SECONDS_DEFAULT, .rate_ps = RATE_DEFAULT};
  int code = ASZ_EXIT_INPUT;
  if ((!ports || !asz_cmd_parse_u64("sweep", "--ports", ports, 2, ASZ_SWEEP_PORTS_MAX, &s->ports)) &&
      (!seconds || !asz_cmd_parse_u64("sweep", "--seconds", seconds, 1, SECONDS_MAX, &s->seconds)) &&
      (!rate || !asz_cmd_parse_u64("sweep", "--rate", rate, 1, RATE_MAX, &s->rate_ps))) {
    asz_cmd_catch_signals();
    code = sweep(context, s, name);
  }
  sodium_memzero(s, sizeof *s);
  free(s);
  return code;
}

const struct asz_cmd asz_cmd_sweep = {
    .name = "sweep",
    .summary = "probe one provider over many source ports: is one of several ways bad?",
    .usage =
        "usage: assize sweep PROVIDER [--ports K] [--seconds S] [--rate N]\n"
        "\n"
        "  --ports K      2 to 64 source ports from network.source_port_base (16): each takes one way where routers hash ports\n"
        "  --seconds S    1 to 600 (10)\n"
        "  --rate N       probes a second from each port, 1 to 100 (10)\n"
        "\n"
        "For providers probed by stamp, stamp-tlv or stamp-auth. Nothing is scored, logged or stored. It needs the port that\n"
        "`run` uses, so not while that runs. lossy: surely loses over two points more than the median path; far: its shortest\n"
        "RTT is over a fifth and over 0.5 ms longer than the median path's.\n"
        "Exit codes: 0 all paths alike, 1 one is worse, 2 bad input, 3 the machine failed, 130 interrupted.\n",
    .run = run,
};
