/* SPDX-License-Identifier: Apache-2.0 */
/* asz_rig: one epoch of the real engine, for the benchmarks of the dataplane: the same providers, plan and report. */
#ifndef ASZ_BENCH_RIG_H
#define ASZ_BENCH_RIG_H

#include <stdint.h>
#include <time.h>

#include "bench/bench.h"
#include "dataplane/engine.h"

enum {
  ASZ_RIG_FIRST = 0x0a400001, /* IPv4 address of the first provider */
  ASZ_RIG_KEYS = 4096,        /* different HMAC keys, so that a reflector has them in its cache; the prober has one a target */
};

struct asz_rig {
  const char *name;
  enum asz_probe kind;      /* --kind */
  enum asz_counter counter; /* what is counted as done */
  uint32_t providers, lcores, cells;
  uint64_t duration_ns;
  uint64_t (*other_cpu_ns)(void *other); /* CPU time of threads that are not the prober; NULL: none */
  void *other;
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
/* asz_rig_run: one epoch of the rig's kind on port_id from the first worker lcore, against the fixed gateway 02:00:00:00:00:01,
 * at more than any core can do. */
ASZ_MUST_CHECK int asz_rig_run(struct asz_rig_result *ret_result, const struct asz_rig *rig, uint16_t port_id);
void asz_rig_print(const struct asz_bench_args *args, const struct asz_rig *rig, const struct asz_rig_result *result,
                   const char *not_measured);
/* asz_rig_hmac_key: the key that a provider shares with the rig, for `stamp-auth`: that of provider modulo ASZ_RIG_KEYS. */
void asz_rig_hmac_key(struct asz_hmac_key *ret_key, uint32_t provider);
/* asz_rig_cpu_ns: CLOCK_PROCESS_CPUTIME_ID or CLOCK_THREAD_CPUTIME_ID. */
uint64_t asz_rig_cpu_ns(clockid_t clock);

#endif
