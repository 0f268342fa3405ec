/* SPDX-License-Identifier: Apache-2.0 */
/* asz_rig: one epoch of the real engine, for the benchmarks of the dataplane: the same providers, plan and report. */
#ifndef ASZ_BENCH_RIG_H
#define ASZ_BENCH_RIG_H

#include <stdint.h>

#include "bench/bench.h"
#include "dataplane/engine.h"
#include "dataplane/loopback.h"

struct asz_rig {
  const char *name;
  enum asz_probe kind;      /* --kind */
  enum asz_counter counter; /* what is counted as done */
  const char *device;       /* --device; where the caller sets no default there is no such option */
  uint32_t providers, lcores, cells;
  uint64_t duration_ns, pair_gap_ns;
  struct asz_loopback *loopback; /* the providers; asz_rig_providers makes them */
};

struct asz_rig_result {
  struct asz_counters counters;
  uint64_t wall_ns; /* of the probing phase */
  uint64_t cpu_ns;  /* the prober's CPU time in it: on a shared machine less than wall_ns */
  uint64_t tsc_hz;
  uint64_t rtt_error_ns;
  size_t engine_bytes;
};

/* asz_rig_parse reads the options into args and rig; -1 to go on, else the exit status. */
ASZ_MUST_CHECK int asz_rig_parse(struct asz_bench_args *ret_args, struct asz_rig *rig, int argc, char **argv);
/* asz_rig_start starts EAL: huge pages when there are, none for a smoke run. Messages go to stderr, here and below. */
ASZ_MUST_CHECK int asz_rig_start(const struct asz_rig *rig, const struct asz_bench_args *args, const char *lcores,
                                 const char *eal_args);
/* asz_rig_providers makes the rig's providers; asz_loopback_free is the caller's. */
ASZ_MUST_CHECK int asz_rig_providers(struct asz_rig *rig);
/* asz_rig_run: one epoch of the rig's kind on port_id from the first worker lcore to the rig's providers, at more
 * than any core can do. */
ASZ_MUST_CHECK int asz_rig_run(struct asz_rig_result *ret_result, const struct asz_rig *rig, uint16_t port_id);
void asz_rig_print(const struct asz_bench_args *args, const struct asz_rig *rig, const struct asz_rig_result *result,
                   const char *not_measured);

#endif
