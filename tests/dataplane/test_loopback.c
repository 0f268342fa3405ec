/* SPDX-License-Identifier: Apache-2.0 */
/* The engine over the loopback: what comes back is what the prober takes for a reply, and the stages are measured when asked for.
 * Nothing here depends on how fast. Needs EAL, neither huge pages nor root. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/dataplane/loopback_bed.h"

enum { TARGETS = 5000, RATE_PPS = 50000, EPOCH_NS = 200000000, TIMEOUT_NS = 1000000000 /* a busy machine is no loss */ };

static struct loopback_bed bed;

static void start(enum asz_probe kind) {
  loopback_bed_open(&bed, kind, TARGETS);
  loopback_bed_times(&bed, RATE_PPS, EPOCH_NS, TIMEOUT_NS);
  bed.plan.late_bound_ns = 1000000;
}

static void epoch(void) {
  asz_stats_clear(bed.plan.stats);
  loopback_bed_seal(&bed);
}

static void finish(void) {
  loopback_bed_close(&bed);
}

static void every_probe_comes_back(enum asz_probe kind) {
  struct asz_counters c;
  start(kind);
  epoch();
  asz_engine_counters(bed.engine, &c);
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
  bed.plan.pair_gap_ns = GAP_NS;
  cr_assert(eq(int, asz_engine_epoch_begin(bed.engine, &bed.plan, &diag), ASZ_EINVAL), "without memory for it");
  cr_assert(eq(int, asz_stats_pairs(bed.plan.stats), 0));
  epoch();
  for (uint32_t i = 0; i < TARGETS; i++) {
    cr_assert(le(u16, bed.plan.stats->ipdv[i].pairs, 1), "of ten thousand probes to five thousand targets");
    answered += bed.plan.stats->target[i].answered;
    pairs += bed.plan.stats->ipdv[i].pairs;
    sum += bed.plan.stats->ipdv[i].forward_sum;
  }
  uint64_t apart_ns = asz_ipdv_ns(pairs > 0 ? sum / pairs : 0);
  cr_assert(gt(u64, pairs, 0));
  cr_assert(le(u64, 2 * pairs, answered));
  cr_assert(ge(u64, apart_ns + 2 * bed.plan.stats->late_ns_max, GAP_NS * 99 / 100));
  cr_assert(le(u64, apart_ns, GAP_NS + 2 * bed.plan.stats->late_ns_max));
  finish();
}

Test(loopback, it_says_which_kinds_it_does_not_speak)
{ cr_assert(not(any(asz_loopback_speaks(ASZ_PROBE_ICMP_ECHO), asz_loopback_speaks(ASZ_PROBE_TCP_SYN)))); }

Test(loopback, tables_need_no_port)
{
  struct asz_loopback *loopback = NULL;
  struct asz_plan plan = {0};
  cr_assert(eq(int, asz_loopback_new(&loopback, ASZ_PROBE_ICMP_ECHO, 3), 0));
  asz_loopback_plan(loopback, &plan);
  cr_assert(plan.target_count == 3 && plan.target[2].ipv4 == plan.target[0].ipv4 + 2 && !plan.session && !plan.hmac);
  asz_loopback_free(loopback);
}

Test(loopback, stages_are_measured_when_asked_for_and_only_then)
{
  start(ASZ_PROBE_STAMP);
  epoch();
  cr_assert(gt(u64, bed.plan.stats->span_ticks, 0));
  for (enum asz_stage stage = 0; stage < ASZ_STAGE_COUNT; stage++)
    cr_assert(eq(u64, bed.plan.stats->stage_ticks[stage], 0), "%s", asz_stage_name(stage));
  bed.plan.stages = true;
  epoch();
  uint64_t ticks = 0;
  for (enum asz_stage stage = 0; stage < ASZ_STAGE_COUNT; stage++) {
    cr_assert(gt(u64, bed.plan.stats->stage_ticks[stage], 0), "%s", asz_stage_name(stage));
    ticks += bed.plan.stats->stage_ticks[stage];
  }
  uint64_t cooldown_ticks = bed.plan.stats->span_ticks / EPOCH_NS * bed.plan.timeout_ns + bed.plan.stats->span_ticks;
  cr_assert(lt(u64, ticks, bed.plan.stats->span_ticks + cooldown_ticks), "no more than there was");
  finish();
}
