/* SPDX-License-Identifier: Apache-2.0 */
/* How fast one lcore makes probes: the real engine sends an epoch of `stamp` into net_null, in permuted order, each probe with
 * its own cookie and right checksums, paced. The rate asked for is more than a core can do, so the pacer is always behind and the
 * core's own speed shows. */
#include <stdio.h>

#include "bench/rig.h"
#include "dataplane/eal.h"

static json_t *report_make(const struct asz_rig *rig, const struct asz_rig_result *result) {
  const uint64_t *counter = result->counters.value;
  uint64_t probes = counter[ASZ_CTR_TX_PROBES];
  uint64_t hash = asz_bench_hash(ASZ_BENCH_HASH_START, &result->counters, sizeof result->counters);
  char hash_text[17];
  snprintf(hash_text, sizeof hash_text, "%016llx", (unsigned long long)hash);
  return json_pack("{s:s, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:i, s:b, s:I, s:s, s:s}", "bench", "make", "rate_pps",
                   (json_int_t)((double)probes * 1e9 / (double)result->wall_ns), "cycles_per_probe",
                   (double)result->cpu_ns * 1e-9 * (double)result->tsc_hz / (double)(probes > 0 ? probes : 1), "probes",
                   (json_int_t)probes, "tx_dropped", (json_int_t)counter[ASZ_CTR_TX_DROPPED], "providers",
                   (json_int_t)rig->providers, "burst_average",
                   (json_int_t)(probes / (counter[ASZ_CTR_TX_BURSTS] > 0 ? counter[ASZ_CTR_TX_BURSTS] : 1)), "tsc_hz",
                   (json_int_t)result->tsc_hz, "cpu_share_percent", (int)(result->cpu_ns * 100 / result->wall_ns), "huge_pages",
                   asz_eal_huge_used(), "engine_bytes", (json_int_t)result->engine_bytes, "counters_hash", hash_text,
                   "not_measured", "a real port's transmit cost; receiving; cycles are CPU time in TSC ticks");
}

int main(int argc, char **argv) {
  struct asz_bench_args args;
  const char *providers_text = NULL;
  const struct asz_bench_option options[] = {{"providers", "number of targets", &providers_text}};
  struct asz_diag diag = {0};
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, 1) != 0)
    return status;
  uint64_t providers = args.smoke ? 4096 : 1000000;
  if (providers_text != NULL && asz_bench_number(&providers, "providers", providers_text, 4096, 1000000) != 0)
    return 2;
  struct asz_rig rig = {.providers = (uint32_t)providers, .rate_pps = 200000000, .duration_ns = 100000000};
  if (!args.smoke)
    rig.duration_ns = 1000000000ull * (args.seconds > 0 ? args.seconds : 5);
  int huge = args.smoke ? ASZ_EAL_HUGE_NO : ASZ_EAL_HUGE_AUTO;
  if (asz_eal_start(NULL, "--vdev=net_null0,no-rx=1", ASZ_EAL_MEMORY_MIB, huge, &diag) != 0) {
    fprintf(stderr, "bench_make: %s\n", diag.text);
    return 1;
  }
  struct asz_rig_result result;
  int err = asz_rig_run(&result, &rig, (uint16_t)asz_eal_port("net_null0"), (unsigned)asz_eal_worker(0));
  if (err == 0)
    asz_bench_print(&args, report_make(&rig, &result));
  asz_eal_stop();
  return err == 0 ? 0 : 1;
}
