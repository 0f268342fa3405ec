/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POLL_US = 500 };

static uint64_t cpu_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void phase_wait(const struct asz_engine *engine, enum asz_engine_phase phase) {
  while (asz_engine_phase(engine) < phase)
    usleep(POLL_US);
}

static int epoch_run(struct asz_rig_result *ret_result, struct asz_engine *engine, const struct asz_plan *plan) {
  struct asz_diag diag = {0};
  int err = asz_engine_launch(engine);
  if (err == 0)
    err = asz_engine_epoch_begin(engine, plan, &diag);
  if (err != 0) {
    fprintf(stderr, "bench: %s: %s\n", asz_err_str(err), diag.text);
    return err;
  }
  uint64_t start_ns = asz_clock_monotonic_ns(), start_cpu_ns = cpu_ns();
  phase_wait(engine, ASZ_PHASE_COOLDOWN);
  ret_result->wall_ns = asz_clock_monotonic_ns() - start_ns;
  ret_result->cpu_ns = cpu_ns() - start_cpu_ns;
  phase_wait(engine, ASZ_PHASE_SEALED);
  asz_engine_counters(engine, &ret_result->counters);
  ret_result->tsc_hz = asz_engine_clock(engine)->tsc_hz;
  ret_result->rtt_error_ns = plan->stats->rtt_error_ns;
  ret_result->engine_bytes = asz_engine_memory_bytes(engine);
  return 0;
}

static void targets_fill(struct asz_target *target, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    target[i] = (struct asz_target){.ipv4 = 0x0a400001u + i, .port = 862, .probe = ASZ_PROBE_STAMP};
}

static int engine_run(struct asz_rig_result *ret_result, const struct asz_rig *rig, uint16_t port_id, unsigned lcore_id,
                      const struct asz_plan *plan) {
  struct asz_engine_config config;
  struct asz_engine *engine = NULL;
  struct asz_diag diag = {0};
  asz_engine_config_default(&config);
  config.port_id = port_id;
  config.lcore_id = lcore_id;
  config.local_ipv4 = 0x0a3ffffdu;
  config.gateway_ipv4 = 0x0a3ffffeu;
  memcpy(config.gateway_mac, "\x02\0\0\0\0\x01", 6);
  config.target_count_max = rig->providers;
  int err = asz_engine_new(&engine, &config, &diag);
  if (err != 0) {
    fprintf(stderr, "bench: %s\n", diag.text);
    return err;
  }
  err = epoch_run(ret_result, engine, plan);
  asz_engine_free(engine);
  return err;
}

int asz_rig_run(struct asz_rig_result *ret_result, const struct asz_rig *rig, uint16_t port_id, unsigned lcore_id) {
  struct asz_plan plan = {
      .epoch = 1,
      .secret = "a benchmark has no secrets",
      .rate_pps = rig->rate_pps,
      .duration_ns = rig->duration_ns,
      .timeout_ns = 100000000,
      .slot_ns = rig->duration_ns,
      .late_bound_ns = 1000000,
      .fault_bound_ppm = 1000000,
      .target_count = rig->providers,
  };
  int err = asz_stats_new(&plan.stats, rig->providers);
  struct asz_target *target = calloc(rig->providers, sizeof *target);
  if (err != 0 || target == NULL) {
    fprintf(stderr, "bench: no memory for %u providers\n", rig->providers);
    free(target);
    asz_stats_free(plan.stats);
    return ASZ_ENOMEM;
  }
  targets_fill(target, rig->providers);
  plan.target = target;
  err = engine_run(ret_result, rig, port_id, lcore_id, &plan);
  free(target);
  asz_stats_free(plan.stats);
  return err;
}
