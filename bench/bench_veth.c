/* SPDX-License-Identifier: Apache-2.0 */
/* The real engine on a real port, against addresses that somebody else answers for: neighbours --first, --first + 1, ... behind
 * one gateway, each probed --rounds times at --rate probes a second. It is what bench/compare sets beside zmap, masscan, fping
 * and scamper; it makes no network of its own and is meant for a veth pair between two network namespaces.
 *
 * Loss is exact: what was due (by the permutation) less what was answered, with our own faults apart. The distribution printed is
 * that of the providers' medians, each provider one sample: a machine's short absence then spoils some of the replies of many
 * providers and not the figure. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "dataplane/eal.h"
#include "dataplane/engine.h"

enum { PROVIDERS_MAX = 1 << 20, POLL_US = 2000, TAIL_NS = 1000, EXIT_SKIPPED = 77 };
static const uint64_t ns_per_s = 1000000000;

struct options {
  const char *eal, *local, *gateway, *first, *count, *rate, *rounds, *probe, *port, *timeout, *lcores;
};

struct job {
  const char *eal, *lcores;
  uint32_t local_ipv4, gateway_ipv4, first_ipv4, count;
  uint64_t rate_pps, rounds, timeout_ms, port;
  enum asz_probe probe;
};

struct totals {
  uint64_t due, answered, late, duplicate, unjudged, with_rtt;
  uint64_t *median_ns; /* with_rtt, ascending */
};

static int address(uint32_t *ret_ipv4, const char *name, const char *text) {
  struct in_addr in;
  if (text == NULL || inet_pton(AF_INET, text, &in) != 1) {
    fprintf(stderr, "--%s is \"%s\", expected an IPv4 address\n", name, text != NULL ? text : "");
    return ASZ_EINVAL;
  }
  *ret_ipv4 = ntohl(in.s_addr);
  return 0;
}

static int job_read(struct job *ret_job, const struct options *o) {
  struct job job = {.eal = o->eal, .lcores = o->lcores, .probe = asz_probe_from_name(o->probe)};
  uint64_t count;
  if (job.eal == NULL) {
    fprintf(stderr, "bench_veth: --eal is missing: expected a device, as --vdev=net_af_packet0,iface=port0\n");
    return ASZ_EINVAL;
  }
  if (job.probe == ASZ_PROBE_COUNT || job.probe == ASZ_PROBE_STAMP_TLV || job.probe == ASZ_PROBE_STAMP_AUTH) {
    fprintf(stderr, "bench_veth: --probe is \"%s\", expected a kind that needs no key, as icmp-echo\n", o->probe);
    return ASZ_EINVAL;
  }
  if (address(&job.local_ipv4, "local", o->local) != 0 || address(&job.gateway_ipv4, "gateway", o->gateway) != 0 ||
      address(&job.first_ipv4, "first", o->first) != 0 || asz_bench_number(&count, "count", o->count, 1, PROVIDERS_MAX) != 0 ||
      asz_bench_number(&job.rate_pps, "rate", o->rate, 1, 200000000) != 0 ||
      asz_bench_number(&job.rounds, "rounds", o->rounds, 1, 10000) != 0 ||
      asz_bench_number(&job.port, "port", o->port, 1, 65535) != 0 ||
      asz_bench_number(&job.timeout_ms, "timeout-ms", o->timeout, 1, 4000) != 0)
    return ASZ_EINVAL;
  job.count = (uint32_t)count;
  *ret_job = job;
  return 0;
}

static int engine_open(struct asz_engine **ret_engine, const struct job *job, struct asz_diag *diag) {
  struct asz_engine_config config;
  asz_engine_config_default(&config);
  int port = asz_eal_port(NULL);
  if (port < 0)
    return asz_diag_set(diag, ASZ_ENOENT, "expected one port from \"%s\"", job->eal);
  config.port_id = (uint16_t)port;
  config.lcore_id[0] = (unsigned)asz_eal_worker(0);
  config.local_ipv4 = job->local_ipv4;
  config.gateway_ipv4 = job->gateway_ipv4;
  config.target_count_max = job->count;
  int err = asz_engine_new(ret_engine, &config, diag);
  if (err == 0)
    err = asz_engine_launch(*ret_engine);
  return err;
}

static int epoch_run(struct asz_engine *engine, const struct asz_plan *plan, struct asz_diag *diag) {
  int err = asz_engine_wait_gateway(engine, 5 * ns_per_s);
  if (err != 0)
    return asz_diag_set(diag, err, "the gateway does not answer ARP");
  if ((err = asz_engine_epoch_begin(engine, plan, diag)) != 0)
    return err;
  while (asz_engine_phase(engine) < ASZ_PHASE_SEALED)
    usleep(POLL_US);
  return 0;
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static int totals_make(struct totals *ret_totals, const struct asz_plan *plan) {
  struct totals totals = {.median_ns = calloc(plan->target_count, sizeof *totals.median_ns)};
  uint32_t *sent = calloc(plan->target_count, sizeof *sent);
  if (sent == NULL || totals.median_ns == NULL) {
    free(sent);
    free(totals.median_ns);
    return ASZ_ENOMEM;
  }
  asz_engine_sent(plan, plan->stats, sent);
  for (uint32_t i = 0; i < plan->target_count; i++) {
    const struct asz_target_stats *stats = &plan->stats->target[i];
    totals.due += sent[i];
    totals.answered += stats->answered;
    totals.late += stats->late;
    totals.duplicate += stats->duplicate;
    totals.unjudged += stats->unjudged;
    struct asz_sketch sketch = asz_stats_sketch(plan->stats, i);
    uint64_t samples = asz_sketch_total(&sketch); /* fewer than answered when we were late to look at some */
    if (samples == 1)
      totals.median_ns[totals.with_rtt++] = stats->rtt_sum_ns;
    else if (samples > 1)
      totals.median_ns[totals.with_rtt++] = asz_sketch_quantile(&sketch, 500000);
  }
  free(sent);
  qsort(totals.median_ns, totals.with_rtt, sizeof *totals.median_ns, ascending);
  *ret_totals = totals;
  return 0;
}

static json_int_t quantile(const struct totals *totals, uint64_t ppm) {
  return totals->with_rtt == 0 ? 0 : (json_int_t)totals->median_ns[ppm * (totals->with_rtt - 1) / 1000000];
}

static void print(const struct asz_bench_args *args, const struct job *job, const struct asz_plan *plan,
                  const struct totals *totals, const struct asz_counters *counters) {
  const uint64_t *counter = counters->value;
  json_t *report = json_object();
#define FIELD(key, number) json_object_set_new(report, key, json_integer((json_int_t)(number)))
  json_object_set_new(report, "bench", json_string("veth"));
  json_object_set_new(report, "probe", json_string(asz_probe_name(job->probe)));
  FIELD("providers", job->count);
  FIELD("rate_asked_pps", job->rate_pps);
  FIELD("rate_pps", plan->stats->rate_pps);
  FIELD("asked", (uint64_t)job->count * job->rounds);
  FIELD("sent", counter[ASZ_CTR_TX_PROBES]);
  FIELD("answered", totals->answered);
  FIELD("lost", totals->due - totals->answered);
  FIELD("late", totals->late);
  FIELD("duplicates", totals->duplicate);
  FIELD("providers_with_rtt", totals->with_rtt);
  FIELD("rtt_min_ns", quantile(totals, 0));
  FIELD("rtt_p50_ns", quantile(totals, 500000));
  FIELD("rtt_p90_ns", quantile(totals, 900000));
  FIELD("rtt_p99_ns", quantile(totals, 990000));
  FIELD("rtt_error_ns", plan->stats->rtt_error_ns);
  FIELD("late_ns_max", plan->stats->late_ns_max);
  FIELD("gap_jitter_p50_ns", plan->stats->gap_jitter_p50_ns);
  FIELD("gap_jitter_p99_ns", plan->stats->gap_jitter_p99_ns);
  FIELD("own_unsent", counter[ASZ_CTR_TX_NOT_SENT]);
  FIELD("own_dropped", counter[ASZ_CTR_TX_DROPPED] + counter[ASZ_CTR_TX_NO_MBUF]);
  FIELD("own_late", counter[ASZ_CTR_TX_LATE]);
  FIELD("own_missed", counter[ASZ_CTR_RX_PORT_MISSED]);
  FIELD("own_doubtful", counter[ASZ_CTR_RX_DOUBTFUL]);
  FIELD("forged", counter[ASZ_CTR_RX_FORGED]);
  FIELD("malformed", counter[ASZ_CTR_RX_MALFORMED] + counter[ASZ_CTR_RX_BAD_CHECKSUM]);
#undef FIELD
  json_object_set_new(report, "not_measured", json_string("a NIC; the answering kernel shares our cores"));
  asz_bench_print(args, report);
}

static void targets_fill(struct asz_target *target, const struct job *job) {
  for (uint32_t i = 0; i < job->count; i++)
    target[i] = (struct asz_target){.ipv4 = job->first_ipv4 + i, .port = (uint16_t)job->port, .probe = (uint8_t)job->probe};
}

/* A little longer than the rounds take, so that the pacer reaches the last probe; the few beyond it go to targets once more. */
static uint64_t duration_of(const struct job *job) {
  return job->count * job->rounds * ns_per_s / job->rate_pps + TAIL_NS;
}

static int measure(const struct asz_bench_args *args, const struct job *job, struct asz_diag *diag) {
  struct asz_plan plan = {
      .epoch = 1,
      .secret = "a benchmark has no secrets",
      .rate_pps = job->rate_pps,
      .duration_ns = duration_of(job),
      .timeout_ns = job->timeout_ms * 1000000,
      .slot_ns = duration_of(job),
      .late_bound_ns = 20000000,
      .fault_bound_ppm = 1000000,
      .target_count = job->count,
  };
  struct asz_target *target = calloc(job->count, sizeof *target);
  struct asz_engine *engine = NULL;
  struct totals totals = {0};
  struct asz_counters counters;
  int err = target == NULL ? ASZ_ENOMEM : asz_stats_new(&plan.stats, job->count, ASZ_SKETCH_CELLS_DEFAULT);
  if (err == 0) {
    targets_fill(target, job);
    plan.target = target;
    err = engine_open(&engine, job, diag);
  }
  if (err == 0)
    err = epoch_run(engine, &plan, diag);
  if (err == 0) {
    asz_engine_counters(engine, &counters);
    err = totals_make(&totals, &plan);
  }
  if (err == 0)
    print(args, job, &plan, &totals, &counters);
  free(totals.median_ns);
  asz_engine_free(engine);
  asz_stats_free(plan.stats);
  free(target);
  return err;
}

int main(int argc, char **argv) {
  struct options o = {.count = "65536", .rate = "100000", .rounds = "1", .probe = "icmp-echo", .port = "862", .timeout = "500"};
  const struct asz_bench_option options[] = {
      {"eal", "device, as --vdev=net_af_packet0,iface=veth0", &o.eal},
      {"lcores", "main and prober lcore, as 0@0,1@1", &o.lcores},
      {"local", "our IPv4 address; the kernel must not own it", &o.local},
      {"gateway", "next hop of all providers", &o.gateway},
      {"first", "first provider's address", &o.first},
      {"count", "number of providers", &o.count},
      {"rate", "probes a second over all", &o.rate},
      {"rounds", "probes to each provider", &o.rounds},
      {"probe", "kind: icmp-echo or stamp", &o.probe},
      {"port", "UDP port of the reflectors", &o.port},
      {"timeout-ms", "a reply later than this is late", &o.timeout},
  };
  struct asz_bench_args args;
  struct job job;
  struct asz_diag diag = {""};
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, sizeof options / sizeof options[0]) != 0)
    return status;
  if (job_read(&job, &o) != 0)
    return 2;
  if (geteuid() != 0) {
    fprintf(stderr, "bench_veth: skipped: a device of the kernel needs root\n");
    return EXIT_SKIPPED;
  }
  int err = asz_eal_start(job.lcores, job.eal, ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_AUTO, &diag);
  if (err == 0)
    err = measure(&args, &job, &diag);
  if (err != 0)
    fprintf(stderr, "bench_veth: %s\n", diag.text[0] != '\0' ? diag.text : asz_err_str(err));
  asz_eal_stop();
  return err == 0 ? 0 : 1;
}
