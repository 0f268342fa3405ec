/* SPDX-License-Identifier: Apache-2.0 */
/* The engine over the loopback: what comes back is what the prober takes for a reply, and the stages are measured when asked for.
 * Nothing here depends on how fast. Needs EAL, neither huge pages nor root. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "dataplane/eal.h"
#include "dataplane/loopback.h"

enum { TARGETS = 5000, RATE_PPS = 50000, EPOCH_NS = 200000000 };

static struct asz_loopback *loopback;
static struct asz_engine *engine;
static struct asz_plan plan;

static void start(enum asz_probe kind) {
  struct asz_diag diag = {0};
  struct asz_engine_config config;
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, 2);
  cr_assert(eq(int, asz_eal_start(lcores, NULL, ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_NO, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_loopback_new(&loopback, kind, TARGETS), 0));
  asz_engine_config_default(&config);
  cr_assert(eq(int, asz_loopback_open(loopback, (unsigned)asz_eal_worker(1), 1024, &config.port_id), 0));
  config.lcore_id[0] = (unsigned)asz_eal_worker(0);
  asz_loopback_engine(loopback, &config);
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  plan = (struct asz_plan){
      .epoch = 1,
      .rate_pps = RATE_PPS,
      .duration_ns = EPOCH_NS,
      .timeout_ns = 1000000000, /* a busy machine is no loss */
      .slot_ns = EPOCH_NS,
      .late_bound_ns = 1000000,
      .fault_bound_ppm = 1000000,
  };
  asz_loopback_plan(loopback, &plan);
  cr_assert(eq(int, asz_stats_new(&plan.stats, TARGETS, ASZ_SKETCH_CELLS_DEFAULT), 0));
}

static void epoch(void) {
  struct asz_diag diag = {0};
  asz_stats_clear(plan.stats);
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), 0), "%s", diag.text);
  while (asz_engine_phase(engine) != ASZ_PHASE_SEALED)
    usleep(1000);
}

static void finish(void) {
  asz_engine_free(engine);
  asz_loopback_free(loopback);
  asz_stats_free(plan.stats);
  asz_eal_stop();
}

static void every_probe_comes_back(enum asz_probe kind) {
  struct asz_counters c;
  start(kind);
  epoch();
  asz_engine_counters(engine, &c);
  uint64_t replies = c.value[ASZ_CTR_RX_ANSWERED] + c.value[ASZ_CTR_RX_DOUBTFUL];
  cr_assert(gt(u64, replies, 0));
  cr_assert(eq(u64, replies, c.value[ASZ_CTR_TX_PROBES]));
  cr_assert(eq(u64, c.value[ASZ_CTR_RX_FRAMES], c.value[ASZ_CTR_TX_PROBES]), "nothing else came");
  finish();
}

Test(loopback, every_probe_of_stamp_comes_back)
{ every_probe_comes_back(ASZ_PROBE_STAMP); }

Test(loopback, every_probe_of_stamp_tlv_comes_back)
{ every_probe_comes_back(ASZ_PROBE_STAMP_TLV); }

Test(loopback, every_probe_of_stamp_auth_comes_back)
{ every_probe_comes_back(ASZ_PROBE_STAMP_AUTH); }

/* The reflectors' clocks stand, so what varies forward is the time between the halves of a pair: what the plan asked for, but for
 * the last block, and for what a busy machine was late by. */
Test(loopback, pairs_are_as_far_apart_as_the_plan_says)
{
  enum { GAP_NS = 4000000 }; /* 200 of the plan's probes */
  struct asz_diag diag = {0};
  uint64_t pairs = 0, sum = 0, answered = 0;
  start(ASZ_PROBE_STAMP);
  plan.pair_gap_ns = GAP_NS;
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), ASZ_EINVAL), "without memory for it");
  cr_assert(eq(int, asz_stats_pairs(plan.stats), 0));
  epoch();
  for (uint32_t i = 0; i < TARGETS; i++) {
    cr_assert(le(u16, plan.stats->ipdv[i].pairs, 1), "of ten thousand probes to five thousand targets");
    answered += plan.stats->target[i].answered;
    pairs += plan.stats->ipdv[i].pairs;
    sum += plan.stats->ipdv[i].forward_sum;
  }
  cr_assert(gt(u64, pairs, 0));
  cr_assert(le(u64, 2 * pairs, answered));
  cr_assert(ge(u64, asz_ipdv_ns(sum / pairs) + 2 * plan.stats->late_ns_max, GAP_NS * 99 / 100));
  cr_assert(le(u64, asz_ipdv_ns(sum / pairs), GAP_NS + 2 * plan.stats->late_ns_max));
  finish();
}

Test(loopback, it_says_which_kinds_it_does_not_speak)
{ cr_assert(not(any(asz_loopback_speaks(ASZ_PROBE_ICMP_ECHO), asz_loopback_speaks(ASZ_PROBE_TCP_SYN)))); }

Test(loopback, tables_need_no_port)
{
  cr_assert(eq(int, asz_loopback_new(&loopback, ASZ_PROBE_ICMP_ECHO, 3), 0));
  asz_loopback_plan(loopback, &plan);
  cr_assert(plan.target_count == 3 && plan.target[2].ipv4 == plan.target[0].ipv4 + 2 && !plan.session && !plan.hmac);
  asz_loopback_free(loopback);
}

Test(loopback, stages_are_measured_when_asked_for_and_only_then)
{
  start(ASZ_PROBE_STAMP);
  epoch();
  cr_assert(gt(u64, plan.stats->span_ticks, 0));
  for (enum asz_stage stage = 0; stage < ASZ_STAGE_COUNT; stage++)
    cr_assert(eq(u64, plan.stats->stage_ticks[stage], 0), "%s", asz_stage_name(stage));
  plan.stages = true;
  epoch();
  uint64_t ticks = 0;
  for (enum asz_stage stage = 0; stage < ASZ_STAGE_COUNT; stage++) {
    cr_assert(gt(u64, plan.stats->stage_ticks[stage], 0), "%s", asz_stage_name(stage));
    ticks += plan.stats->stage_ticks[stage];
  }
  uint64_t cooldown_ticks = plan.stats->span_ticks / EPOCH_NS * plan.timeout_ns + plan.stats->span_ticks;
  cr_assert(lt(u64, ticks, plan.stats->span_ticks + cooldown_ticks), "no more than there was");
  finish();
}
