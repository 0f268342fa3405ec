/* SPDX-License-Identifier: Apache-2.0 */
/* An engine whose port swallows everything: how far its epoch is, and that it can be stopped and started again. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "dataplane/eal.h"
#include "dataplane/engine.h"

enum { TARGETS = 9, RATE_PPS = 900, DEADLINE_S = 30 };

static struct asz_engine *engine;
static struct asz_target target[TARGETS];
static struct asz_plan plan;
static struct asz_diag diag;

static void setup(void) {
  char lcores[ASZ_EAL_LCORES_BYTES];
  struct asz_engine_config config;
  asz_eal_lcores(lcores, 2);
  int err = asz_eal_start(lcores, "--vdev=net_null0,no-rx=1", ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_NO, &diag);
  cr_assert(eq(int, err, 0), "%s", diag.text);
  asz_engine_config_default(&config);
  config.port_id = (uint16_t)asz_eal_port(NULL);
  config.lcore_count = 1;
  config.lcore_id[0] = (unsigned)asz_eal_worker(0);
  config.local_ipv4 = 0x0a000001;
  config.gateway_ipv4 = 0x0a000002;
  config.gateway_mac[0] = 2;
  config.target_count_max = TARGETS;
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  for (uint32_t i = 0; i < TARGETS; i++)
    target[i] = (struct asz_target){.ipv4 = 0x0a000100 + i, .probe = ASZ_PROBE_ICMP_ECHO};
  plan = (struct asz_plan){
      .epoch = 3,
      .secret = {1, 2, 3},
      .rate_pps = RATE_PPS,
      .duration_ns = 600000000,
      .timeout_ns = 50000000,
      .slot_ns = 200000000,
      .late_bound_ns = 1000000000,
      .fault_bound_ppm = 20000,
      .target_count = TARGETS,
      .target = target,
      .validator_id = "validat",
  };
  cr_assert(eq(int, asz_stats_new(&plan.stats, TARGETS, ASZ_SKETCH_CELLS_DEFAULT), 0));
}

static void teardown(void) {
  asz_engine_free(engine);
  asz_stats_free(plan.stats);
  asz_eal_stop();
}

TestSuite(engine_life, .init = setup, .fini = teardown, .timeout = 120);

static void begin(void) {
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), 0), "%s", diag.text);
}

static void wait_sealed(void) {
  uint64_t start_ns = asz_clock_monotonic_ns();
  while (asz_engine_phase(engine) != ASZ_PHASE_SEALED) {
    cr_assert(lt(u64, asz_clock_monotonic_ns() - start_ns, DEADLINE_S * UINT64_C(1000000000)));
    usleep(1000);
  }
}

static uint64_t sent_total(void) {
  uint32_t sent[TARGETS];
  uint64_t total = 0;
  asz_engine_sent(&plan, plan.stats, sent);
  for (uint32_t i = 0; i < plan.target_count; i++)
    total += sent[i];
  return total;
}

Test(engine_life, stopped_engine_runs_again_with_other_targets_and_statistics)
{
  struct asz_counters counters;
  begin();
  wait_sealed();
  uint64_t first = sent_total();
  asz_engine_stop(engine);
  asz_stats_free(plan.stats); /* nobody looks at them any more */
  plan.target_count -= 1;
  plan.epoch++;
  plan.secret[0] ^= 1;
  cr_assert(eq(int, asz_stats_new(&plan.stats, plan.target_count, ASZ_SKETCH_CELLS_DEFAULT), 0));
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  cr_assert(eq(int, asz_engine_phase(engine), ASZ_PHASE_IDLE));
  cr_assert(eq(int, asz_engine_launch(engine), ASZ_ESTATE), "once");
  begin();
  wait_sealed();
  asz_engine_counters(engine, &counters);
  cr_assert(gt(u64, sent_total(), 0));
  cr_assert(eq(u64, counters.value[ASZ_CTR_TX_PROBES], first + sent_total()), "counts go on");
}

Test(engine_life, progress_is_of_the_running_epoch_and_never_ahead_of_its_end)
{
  struct asz_progress progress = {0};
  uint64_t scheduled = 0;
  uint32_t slots = 0;
  cr_assert(not(asz_engine_progress(engine, plan.epoch, &progress)), "nothing runs yet");
  begin();
  while (asz_engine_phase(engine) != ASZ_PHASE_SEALED) {
    if (!asz_engine_progress(engine, plan.epoch, &progress))
      continue;
    cr_assert(ge(u64, progress.joined.probes_scheduled, scheduled));
    cr_assert(ge(u32, progress.slots_closed, slots));
    cr_assert(le(u64, progress.first_tsc, progress.last_tsc));
    scheduled = progress.joined.probes_scheduled;
    slots = progress.slots_closed;
  }
  cr_assert(gt(u64, scheduled, 0));
  cr_assert(le(u64, scheduled, plan.stats->probes_scheduled));
  cr_assert(le(u32, slots, 2), "the last one is closed by the seal");
  cr_assert(eq(u32, progress.joined.shard_count, 1));
  cr_assert(not(asz_engine_progress(engine, plan.epoch + 1, &progress)));
}
