/* SPDX-License-Identifier: Apache-2.0 */
#include "control/bench.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/cmd.h"
#include "control/paths.h"
#include "dataplane/eal.h"
#include "dataplane/loopback.h"

enum {
  RUNGS_A_RUN = 20, /* doubling to the limit takes about ten, its two more tries and the halving about as many */
  RUNG_NS_MIN = 50000000,
  LOOPBACK_FIRST_PPS = 100000,
  LOOPBACK_RING_FRAMES = 256,     /* 8.0 M probes/s were clean with them, 6.4 M with 128, 4.8 M with 1,024 */
  LOOPBACK_TIMEOUT_NS = 50000000, /* a thousand times what a burst takes to and fro */
  LOOPBACK_LATE_NS = 2000000,     /* the default of probe.late_bound_us */
  RESPONDER_FIRST_PPS = 1000,
  RESPONDER_TIMEOUT_NS = 200000000, /* a reflector of one's own that is further away is no good measure of this machine */
  RATE_MAX_PPS = 200000000,         /* a plan's */
  ROUNDS_MAX = 65535,               /* of a plan: a rung at a high rate is the shorter for it */
  LIVE_NS = 200000000,
};

struct bench {
  const struct asz_bench_options *options;
  struct asz_bench_result *result;
  struct asz_loopback *loopback;
  struct asz_validator validator;
  struct asz_paths paths; /* its plan is the one that is run, on the loopback too */
  struct asz_engine *engine;
  struct asz_ladder ladder;
  uint64_t first_pps, max_pps;
  uint64_t rung_ns, end_ns, live_ns;
  struct asz_counters before;
};

/* ---- the live line ---- */

static void live(void *context) {
  struct bench *b = context;
  uint64_t now_ns = asz_clock_monotonic_ns();
  if (now_ns < b->live_ns || !isatty(STDERR_FILENO))
    return;
  b->live_ns = now_ns + LIVE_NS;
  struct asz_counters c;
  asz_engine_counters(b->engine, &c);
  fprintf(stderr,
          "\rbench: at %" PRIu64 " probes/s: sent %" PRIu64 ", answered %" PRIu64 "; clean so far: %" PRIu64
          " probes/s; at most %" PRIu64 " s left \033[K",
          b->paths.plan.rate_pps, c.value[ASZ_CTR_TX_PROBES] - b->before.value[ASZ_CTR_TX_PROBES],
          c.value[ASZ_CTR_RX_ANSWERED] - b->before.value[ASZ_CTR_RX_ANSWERED], b->result->clean.asked_pps,
          b->end_ns > now_ns ? (b->end_ns - now_ns) / 1000000000 + 1 : 0);
}

static void live_clear(void) {
  if (isatty(STDERR_FILENO))
    fputs("\r\033[K", stderr);
}

/* ---- one rung ---- */

static uint64_t delta(const struct bench *b, const struct asz_counters *after, enum asz_counter counter) {
  return after->value[counter] - b->before.value[counter];
}

static void rung_rtt(struct asz_rung *rung, const struct asz_stats *stats) {
  static const uint32_t q_ppm[] = {500000, 990000, 999000};
  struct asz_sketch_sum sum = {{0}};
  for (uint32_t i = 0; i < stats->target_count; i++) {
    struct asz_sketch sketch = asz_stats_sketch(stats, i);
    asz_sketch_sum_add(&sum, &sketch);
    if (stats->target[i].rtt_max_ns > rung->rtt_ns[3])
      rung->rtt_ns[3] = stats->target[i].rtt_max_ns;
  }
  for (unsigned q = 0; q < 3; q++)
    rung->rtt_ns[q] = asz_sketch_sum_quantile(&sum, q_ppm[q]);
}

static void rung_read(struct asz_rung *rung, const struct bench *b, const struct asz_counters *c) {
  const struct asz_stats *stats = b->paths.plan.stats;
  *rung = (struct asz_rung){
      .asked_pps = b->paths.plan.rate_pps,
      .rate_pps = stats->rate_pps,
      .sent = delta(b, c, ASZ_CTR_TX_PROBES),
      .answered = delta(b, c, ASZ_CTR_RX_ANSWERED) + delta(b, c, ASZ_CTR_RX_DOUBTFUL),
      .not_sent = delta(b, c, ASZ_CTR_TX_NOT_SENT) + delta(b, c, ASZ_CTR_TX_NO_GATEWAY),
      .refused = delta(b, c, ASZ_CTR_TX_DROPPED) + delta(b, c, ASZ_CTR_TX_NO_MBUF),
      .late = delta(b, c, ASZ_CTR_TX_LATE) + delta(b, c, ASZ_CTR_RX_DOUBTFUL),
      .missed = delta(b, c, ASZ_CTR_RX_PORT_MISSED) + delta(b, c, ASZ_CTR_RX_STEER_DROPPED),
      .wrong = delta(b, c, ASZ_CTR_RX_FORGED) + delta(b, c, ASZ_CTR_RX_BAD_MAC) + delta(b, c, ASZ_CTR_RX_MALFORMED) +
               delta(b, c, ASZ_CTR_RX_BAD_CHECKSUM) + delta(b, c, ASZ_CTR_RX_WRONG_PATH),
      .late_ns_max = stats->late_ns_max,
      .rtt_error_ns = stats->rtt_error_ns,
  };
  rung->lost = rung->sent > rung->answered ? rung->sent - rung->answered : 0;
  rung_rtt(rung, stats);
  asz_rung_judge(rung, &b->options->bounds);
}

/* The last secret's cookies are no good any more: what still comes of the last rung is not taken for this one's. */
static int rung_run(struct bench *b, uint64_t rate_pps, bool stages, struct asz_rung *ret_rung, struct asz_diag *diag) {
  struct asz_plan *plan = &b->paths.plan;
  uint64_t rounds_ns = (uint64_t)((unsigned __int128)plan->target_count * ROUNDS_MAX * 1000000000 / rate_pps);
  plan->rate_pps = rate_pps;
  plan->duration_ns = b->rung_ns < rounds_ns ? b->rung_ns : rounds_ns;
  plan->slot_ns = plan->duration_ns;
  plan->stages = stages;
  randombytes_buf(plan->secret, sizeof plan->secret);
  asz_stats_clear(plan->stats);
  asz_engine_counters(b->engine, &b->before);
  int err = asz_paths_epoch(b->engine, plan, live, b, diag);
  if (err)
    return err;
  struct asz_counters after;
  asz_engine_counters(b->engine, &after);
  rung_read(ret_rung, b, &after);
  b->result->interrupted = asz_cmd_interrupted();
  return 0;
}

/* ---- the ladder ---- */

static bool time_left(const struct bench *b, unsigned rungs) {
  return asz_clock_monotonic_ns() + rungs * (b->rung_ns + b->paths.plan.timeout_ns) <= b->end_ns;
}

/* One rung's time is kept for the stages. The first rung is always run. */
static int climb(struct bench *b, struct asz_diag *diag) {
  struct asz_bench_result *r = b->result;
  while (b->ladder.next_pps != 0 && r->rung_count < ASZ_BENCH_RUNGS_MAX && (r->rung_count == 0 || time_left(b, 2))) {
    struct asz_rung *rung = &r->rung[r->rung_count];
    int err = rung_run(b, b->ladder.next_pps, false, rung, diag);
    if (err)
      return err;
    if (r->interrupted)
      return 0; /* cut short, it says nothing about its rate */
    r->rung_count++;
    if (rung->verdict == ASZ_RUNG_CLEAN)
      r->clean = *rung;
    asz_ladder_note(&b->ladder, rung->verdict == ASZ_RUNG_CLEAN);
    r->bad_pps = b->ladder.bad_pps;
  }
  r->settled = b->ladder.next_pps == 0;
  return 0;
}

static int look_at_stages(struct bench *b, struct asz_diag *diag) {
  struct asz_bench_result *r = b->result;
  struct asz_rung rung;
  if (r->clean.asked_pps == 0 || r->interrupted)
    return 0;
  int err = rung_run(b, r->clean.asked_pps, true, &rung, diag);
  if (err || r->interrupted)
    return err;
  r->staged = rung;
  memcpy(r->stage_ticks, b->paths.plan.stats->stage_ticks, sizeof r->stage_ticks);
  r->span_ticks = b->paths.plan.stats->span_ticks;
  return 0;
}

static int measure(struct bench *b, struct asz_diag *diag) {
  const struct asz_plan *plan = &b->paths.plan;
  struct asz_bench_result *r = b->result;
  uint64_t total_ns = b->options->seconds * 1000000000;
  b->rung_ns = total_ns / RUNGS_A_RUN > RUNG_NS_MIN ? total_ns / RUNGS_A_RUN : RUNG_NS_MIN;
  b->end_ns = asz_clock_monotonic_ns() + total_ns;
  r->targets = plan->target_count;
  r->kind = (enum asz_probe)plan->target[0].probe;
  r->tsc_hz = asz_engine_clock(b->engine)->tsc_hz;
  r->huge_pages = asz_eal_huge_used() != 0;
  r->memory_bytes = asz_engine_memory_bytes(b->engine) + asz_stats_footprint(plan->target_count, plan->stats->cell_count, false);
  asz_ladder_init(&b->ladder, b->first_pps < b->max_pps ? b->first_pps : b->max_pps, b->max_pps);
  int err = climb(b, diag);
  if (!err)
    err = look_at_stages(b, diag);
  live_clear();
  return err;
}

/* ---- on the loopback ---- */

static int loopback_engine(struct bench *b, struct asz_diag *diag) {
  struct asz_engine_config config;
  asz_engine_config_default(&config);
  int prober = asz_eal_worker(0), reflector = asz_eal_worker(1);
  int err = prober >= 0 && reflector >= 0
                ? asz_loopback_open(b->loopback, (unsigned)reflector, LOOPBACK_RING_FRAMES, &config.port_id)
                : ASZ_EDEVICE;
  if (err)
    return asz_diag_set(diag, err, "cannot make a port within this process, and an lcore behind it: %s", asz_err_str(err));
  config.lcore_id[0] = (unsigned)prober;
  asz_loopback_engine(b->loopback, &config);
  err = asz_engine_new(&b->engine, &config, diag);
  return err ? err : asz_engine_launch(b->engine);
}

static int loopback_open(struct bench *b, struct asz_diag *diag) {
  const struct asz_bench_options *o = b->options;
  char lcores[ASZ_EAL_LCORES_BYTES];
  b->first_pps = LOOPBACK_FIRST_PPS;
  b->max_pps = o->rate_max_pps ? o->rate_max_pps : RATE_MAX_PPS;
  b->result->lcores = 1;
  b->paths.plan = (struct asz_plan){
      .epoch = 1, .timeout_ns = LOOPBACK_TIMEOUT_NS, .late_bound_ns = LOOPBACK_LATE_NS, .fault_bound_ppm = 1000000};
  int err = asz_loopback_new(&b->loopback, o->kind, o->providers);
  if (!err)
    err = asz_stats_new(&b->paths.plan.stats, o->providers, ASZ_SKETCH_CELLS_DEFAULT);
  if (err)
    return asz_diag_set(diag, err, "no memory for %u providers", o->providers);
  asz_loopback_plan(b->loopback, &b->paths.plan);
  asz_eal_lcores(lcores, 2);
  err = asz_eal_start(lcores, NULL, ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_AUTO, diag);
  return err ? err : loopback_engine(b, diag);
}

/* ---- against a reflector of one's own ---- */

static int responder_plan(struct bench *b, struct asz_diag *diag) {
  const struct asz_validator *v = &b->validator;
  const char *name = b->options->responder;
  uint32_t provider;
  int err = asz_paths_find(v, name, &provider, diag);
  if (err)
    return err;
  if (!v->roster->provider[provider].control)
    return asz_diag_set(
        diag, ASZ_EPERM,
        "%s is not one of your own: expected a provider that was added with --control, since bench floods whom it asks", name);
  b->max_pps = b->options->rate_max_pps ? b->options->rate_max_pps : v->config.probe_rate_max_pps;
  const struct asz_caps_rate rate = {.probes = b->max_pps, .per_ms = 1000};
  err = asz_caps_check(&v->caps, &v->roster->provider[provider], 1, rate, diag);
  if (!err)
    err = asz_paths_init(&b->paths, v, provider, ASZ_SWEEP_PORTS_MAX, diag);
  if (err)
    return err;
  struct asz_plan *plan = &b->paths.plan;
  plan->timeout_ns = RESPONDER_TIMEOUT_NS;
  plan->fault_bound_ppm = 1000000; /* this command has a bound of its own */
  plan->rate_pps = RESPONDER_FIRST_PPS;
  plan->duration_ns = plan->slot_ns = RUNG_NS_MIN;
  return asz_plan_check(plan, diag); /* before a port is taken: is its kind one that can be asked from many ports? */
}

static int responder_open(struct bench *b, const struct asz_home *home, struct asz_diag *diag) {
  struct asz_validator *v = &b->validator;
  uint16_t port_id;
  int err = asz_validator_look(v, home, diag);
  if (!err)
    err = asz_validator_network(v, home, diag);
  if (!err)
    err = responder_plan(b, diag);
  if (!err)
    err = asz_validator_port(&v->config, &port_id, diag);
  if (!err)
    err = asz_validator_engine(v, port_id, 0, diag);
  b->engine = v->engine;
  v->engine = NULL;
  if (err)
    return err;
  b->first_pps = RESPONDER_FIRST_PPS;
  b->result->lcores = (uint32_t)v->config.network_prober_lcores;
  return 0;
}

static void close_all(struct bench *b) {
  if (b->engine)
    asz_engine_stop(b->engine);
  asz_loopback_stop(b->loopback);
  asz_engine_free(b->engine); /* before the memory that it writes to goes */
  asz_loopback_free(b->loopback);
  asz_paths_close(&b->paths);
  asz_validator_close(&b->validator);
  asz_eal_stop();
}

int asz_bench_run(struct asz_bench_result *ret_result, const struct asz_bench_options *options, const struct asz_home *home,
                  struct asz_diag *diag) {
  struct asz_bench_result *result = calloc(1, sizeof *result);
  struct bench *b = calloc(1, sizeof *b);
  int err = ASZ_ENOMEM;
  if (!b || !result)
    (void)asz_diag_set(diag, err, "no memory for a benchmark");
  if (b && result) {
    b->options = options;
    b->result = result;
    err = options->responder ? responder_open(b, home, diag) : loopback_open(b, diag);
    if (!err)
      err = measure(b, diag);
    close_all(b);
  }
  if (!err)
    *ret_result = *result;
  free(b);
  free(result);
  return err;
}
