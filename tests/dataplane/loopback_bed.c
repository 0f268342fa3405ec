/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/loopback_bed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "dataplane/eal.h"

enum { DEADLINE_S = 30, RING = 1024 };

void loopback_bed_open(struct loopback_bed *bed, enum asz_probe kind, uint32_t targets) {
  struct asz_diag diag = {0};
  struct asz_engine_config config;
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, 2);
  cr_assert(eq(int, asz_eal_start(lcores, NULL, ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_NO, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_loopback_new(&bed->loopback, kind, targets), 0));
  asz_engine_config_default(&config);
  cr_assert(eq(int, asz_loopback_open(bed->loopback, (unsigned)asz_eal_worker(1), RING, &config.port_id), 0));
  config.lcore_id[0] = (unsigned)asz_eal_worker(0);
  asz_loopback_engine(bed->loopback, &config);
  cr_assert(eq(int, asz_engine_new(&bed->engine, &config, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_engine_launch(bed->engine), 0));
  bed->plan = (struct asz_plan){.epoch = 1, .fault_bound_ppm = 1000000};
  asz_loopback_plan(bed->loopback, &bed->plan);
  cr_assert(eq(int, asz_stats_new(&bed->plan.stats, targets, ASZ_SKETCH_CELLS_DEFAULT), 0));
}

void loopback_bed_times(struct loopback_bed *bed, uint64_t rate_pps, uint64_t duration_ns, uint64_t timeout_ns) {
  bed->plan.rate_pps = rate_pps;
  bed->plan.duration_ns = bed->plan.slot_ns = duration_ns;
  bed->plan.timeout_ns = timeout_ns;
}

void loopback_bed_seal(struct loopback_bed *bed) {
  struct asz_diag diag = {0};
  uint64_t start_ns = asz_clock_monotonic_ns();
  cr_assert(eq(int, asz_engine_epoch_begin(bed->engine, &bed->plan, &diag), 0), "%s", diag.text);
  while (asz_engine_phase(bed->engine) != ASZ_PHASE_SEALED) {
    cr_assert(lt(u64, asz_clock_monotonic_ns() - start_ns, DEADLINE_S * UINT64_C(1000000000)), "it is never sealed");
    usleep(1000);
  }
}

void loopback_bed_close(struct loopback_bed *bed) {
  asz_engine_stop(bed->engine);
  asz_loopback_stop(bed->loopback);
  asz_engine_free(bed->engine);
  asz_loopback_free(bed->loopback);
  asz_stats_free(bed->plan.stats);
  asz_eal_stop();
}
