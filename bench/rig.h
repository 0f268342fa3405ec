/* SPDX-License-Identifier: Apache-2.0 */
/* asz_rig: one epoch of the real engine, for the benchmarks of the dataplane: the same providers, plan and report. */
#ifndef ASZ_BENCH_RIG_H
#define ASZ_BENCH_RIG_H

#include <stdint.h>

#include "bench/bench.h"
#include "dataplane/engine.h"

struct asz_rig {
  uint32_t providers;
  uint64_t rate_pps; /* asked of the pacer; over what the core can do: as fast as it goes */
  uint64_t duration_ns;
};

struct asz_rig_result {
  struct asz_counters counters;
  uint64_t wall_ns; /* of the probing phase */
  uint64_t cpu_ns;  /* CPU time of the process in it: the main thread sleeps, so it is the lcores' */
  uint64_t tsc_hz;
  uint64_t rtt_error_ns;
  size_t engine_bytes;
};

/* asz_rig_run makes an engine on port_id, runs one epoch of `stamp` against the fixed gateway 02:00:00:00:00:01, frees it.
 * Messages go to stderr. */
ASZ_MUST_CHECK int asz_rig_run(struct asz_rig_result *ret_result, const struct asz_rig *rig, uint16_t port_id, unsigned lcore_id);

#endif
