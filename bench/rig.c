/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/eal.h"

enum { POLL_US = 10000 }; /* the main thread shares the CPU time that is measured */
static const uint64_t ns_per_s = 1000000000;

int asz_rig_parse(struct asz_bench_args *ret_args, struct asz_rig *rig, int argc, char **argv) {
  const char *providers_text = NULL, *lcores_text = NULL, *cells_text = NULL, *pair_text = NULL, *kind_text = "stamp";
  const struct asz_bench_option options[] = {
      {"providers", "number of targets, 4096 to 10000000", &providers_text},
      {"lcores", "prober lcores, a power of two up to 16", &lcores_text},
      {"kind", "of probes", &kind_text},
      {"cells", "of a sketch, a power of two from 32 to 1024", &cells_text},
      {"pair-gap-us", "probes in pairs, at most so far apart, up to 10000; 0: singly", &pair_text},
      {"device", "EAL's, as net_null0 with its arguments", &rig->device}, /* last: not every benchmark has a choice */
  };
  unsigned option_count = sizeof options / sizeof *options - (rig->device == NULL);
  int status;
  if (asz_bench_parse(ret_args, &status, argc, argv, options, option_count) != 0)
    return status;
  uint64_t providers = ret_args->smoke ? 4096 : 1000000;
  if (providers_text != NULL && asz_bench_number(&providers, "providers", providers_text, 4096, 10000000) != 0)
    return 2;
  uint64_t lcores = 1, cells = ASZ_SKETCH_CELLS_DEFAULT, pair_gap_us = 0;
  if ((lcores_text != NULL && asz_bench_number(&lcores, "lcores", lcores_text, 1, ASZ_ENGINE_LCORES_MAX) != 0) ||
      (cells_text != NULL && asz_bench_number(&cells, "cells", cells_text, ASZ_SKETCH_CELLS_MIN, ASZ_SKETCH_CELLS_MAX) != 0) ||
      (pair_text != NULL && asz_bench_number(&pair_gap_us, "pair-gap-us", pair_text, 0, 10000) != 0))
    return 2;
  rig->kind = asz_probe_from_name(kind_text);
  if (rig->kind == ASZ_PROBE_COUNT) {
    fprintf(stderr, "--kind is \"%s\", expected a kind of probe, such as stamp\n", kind_text);
    return 2;
  }
  rig->lcores = (uint32_t)lcores;
  rig->cells = (uint32_t)cells;
  rig->pair_gap_ns = pair_gap_us * 1000;
  rig->providers = (uint32_t)providers;
  rig->duration_ns = ret_args->smoke ? ns_per_s / 10 : ns_per_s * (ret_args->seconds > 0 ? ret_args->seconds : 5);
  return -1;
}

int asz_rig_start(const struct asz_rig *rig, const struct asz_bench_args *args, const char *lcores, const char *eal_args) {
  struct asz_diag diag = {0};
  int err =
      asz_eal_start(lcores, eal_args, ASZ_EAL_MEMORY_MIB * rig->lcores, args->smoke ? ASZ_EAL_HUGE_NO : ASZ_EAL_HUGE_AUTO, &diag);
  if (err != 0)
    fprintf(stderr, "bench_%s: %s\n", rig->name, diag.text);
  return err;
}

int asz_rig_providers(struct asz_rig *rig) {
  int err = asz_loopback_new(&rig->loopback, rig->kind, rig->providers);
  if (err != 0)
    fprintf(stderr, "bench_%s: no memory for %u providers\n", rig->name, rig->providers);
  return err;
}

static uint64_t prober_cpu_ns(const struct asz_rig *rig) {
  return asz_clock_process_cpu_ns() - asz_loopback_cpu_ns(rig->loopback); /* the main thread sleeps */
}

static void phase_wait(const struct asz_engine *engine, enum asz_engine_phase phase) {
  while (asz_engine_phase(engine) < phase)
    usleep(POLL_US);
}

static int epoch_run(struct asz_rig_result *ret_result, const struct asz_rig *rig, struct asz_engine *engine,
                     const struct asz_plan *plan) {
  struct asz_diag diag = {0};
  int err = asz_engine_launch(engine);
  if (err == 0)
    err = asz_engine_epoch_begin(engine, plan, &diag);
  if (err != 0) {
    fprintf(stderr, "bench: %s: %s\n", asz_err_str(err), diag.text);
    return err;
  }
  uint64_t start_ns = asz_clock_monotonic_ns(), start_cpu_ns = prober_cpu_ns(rig);
  phase_wait(engine, ASZ_PHASE_COOLDOWN);
  ret_result->wall_ns = asz_clock_monotonic_ns() - start_ns;
  ret_result->cpu_ns = prober_cpu_ns(rig) - start_cpu_ns;
  phase_wait(engine, ASZ_PHASE_SEALED);
  asz_engine_counters(engine, &ret_result->counters);
  ret_result->tsc_hz = asz_engine_clock(engine)->tsc_hz;
  ret_result->rtt_error_ns = plan->stats->rtt_error_ns;
  ret_result->engine_bytes = asz_engine_memory_bytes(engine);
  return 0;
}

static int engine_run(struct asz_rig_result *ret_result, const struct asz_rig *rig, uint16_t port_id,
                      const struct asz_plan *plan) {
  struct asz_engine_config config;
  struct asz_engine *engine = NULL;
  struct asz_diag diag = {0};
  asz_engine_config_default(&config);
  config.port_id = port_id;
  config.lcore_count = rig->lcores;
  for (uint32_t i = 0; i < rig->lcores; i++)
    config.lcore_id[i] = (unsigned)asz_eal_worker(i);
  asz_loopback_engine(rig->loopback, &config);
  int err = asz_engine_new(&engine, &config, &diag);
  if (err != 0) {
    fprintf(stderr, "bench: %s\n", diag.text);
    return err;
  }
  err = epoch_run(ret_result, rig, engine, plan);
  asz_engine_stop(engine);
  asz_loopback_stop(rig->loopback);
  asz_engine_free(engine);
  return err;
}

int asz_rig_run(struct asz_rig_result *ret_result, const struct asz_rig *rig, uint16_t port_id) {
  struct asz_plan plan = {
      .epoch = 1,
      .secret = "a benchmark has no secrets",
      .rate_pps = 200000000, /* the plan's highest */
      .duration_ns = rig->duration_ns,
      .timeout_ns = 100000000,
      .pair_gap_ns = rig->pair_gap_ns,
      .slot_ns = rig->duration_ns,
      .late_bound_ns = 1000000,
      .fault_bound_ppm = 1000000,
  };
  asz_loopback_plan(rig->loopback, &plan);
  int err = asz_stats_new(&plan.stats, rig->providers, rig->cells);
  if (err == 0 && rig->pair_gap_ns > 0)
    err = asz_stats_pairs(plan.stats);
  if (err != 0) {
    fprintf(stderr, "bench_%s: no memory for the statistics of %u providers\n", rig->name, rig->providers);
    asz_stats_free(plan.stats);
    return err;
  }
  err = engine_run(ret_result, rig, port_id, &plan);
  asz_stats_free(plan.stats);
  return err;
}

void asz_rig_print(const struct asz_bench_args *args, const struct asz_rig *rig, const struct asz_rig_result *result,
                   const char *not_measured) {
  const uint64_t *counter = result->counters.value;
  uint64_t probes = counter[rig->counter], bursts = counter[ASZ_CTR_TX_BURSTS], rx_bursts = counter[ASZ_CTR_RX_BURSTS];
  double seconds = (double)result->wall_ns * 1e-9, cycles = (double)result->cpu_ns * 1e-9 * (double)result->tsc_hz;
  uint64_t hash = asz_bench_hash(ASZ_BENCH_HASH_START, &result->counters, sizeof result->counters);
  char hash_text[17];
  snprintf(hash_text, sizeof hash_text, "%016llx", (unsigned long long)hash);
  json_t *report = json_object();
  json_object_set_new(report, "bench", json_string(rig->name));
  json_object_set_new(report, "kind", json_string(asz_probe_name(rig->kind)));
  json_object_set_new(report, "rate_pps", json_integer((json_int_t)((double)probes / seconds)));
  json_object_set_new(report, "cycles_per_probe", json_real(probes > 0 ? cycles / (double)probes : 0));
  json_object_set_new(report, "probes", json_integer((json_int_t)probes));
  json_object_set_new(report, "providers", json_integer(rig->providers));
  json_object_set_new(report, "lcores", json_integer(rig->lcores));
  json_object_set_new(report, "pair_gap_us", json_integer((json_int_t)(rig->pair_gap_ns / 1000)));
  json_object_set_new(report, "sketch_cells", json_integer(rig->cells));
  json_object_set_new(report, "burst", json_integer((json_int_t)(bursts > 0 ? counter[ASZ_CTR_TX_PROBES] / bursts : 0)));
  json_object_set_new(report, "rx_burst", json_integer((json_int_t)(rx_bursts > 0 ? counter[ASZ_CTR_RX_FRAMES] / rx_bursts : 0)));
  json_object_set_new(report, "tx_probes", json_integer((json_int_t)counter[ASZ_CTR_TX_PROBES]));
  json_object_set_new(report, "tx_dropped", json_integer((json_int_t)counter[ASZ_CTR_TX_DROPPED]));
  json_object_set_new(report, "rx_frames", json_integer((json_int_t)counter[ASZ_CTR_RX_FRAMES]));
  json_object_set_new(report, "tsc_hz", json_integer((json_int_t)result->tsc_hz));
  json_object_set_new(report, "cpu_share_ppm",
                      json_integer((json_int_t)(result->cpu_ns * 1000000 / result->wall_ns / rig->lcores)));
  json_object_set_new(report, "rtt_error_ns", json_integer((json_int_t)result->rtt_error_ns));
  json_object_set_new(report, "huge_pages", json_boolean(asz_eal_huge_used()));
  json_object_set_new(report, "engine_bytes", json_integer((json_int_t)result->engine_bytes));
  json_object_set_new(report, "counters_hash", json_string(hash_text));
  json_object_set_new(report, "not_measured", json_string(not_measured));
  asz_bench_print(args, report);
}
