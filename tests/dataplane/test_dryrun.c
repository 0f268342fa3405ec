/* SPDX-License-Identifier: Apache-2.0 */
/* A dry run shows what a run would send: the same schedule, the same times, frames that a receiver takes for its own. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/dryrun.h"
#include "dataplane/sched.h"
#include "tests/dataplane/bed.h"

enum { TARGETS = 11, RATE = 1000, DURATION_MS = 200 };
static struct asz_target target[TARGETS];
static struct asz_session session[TARGETS];
static struct asz_hmac_key hmac[TARGETS];
static struct asz_stats stats = {.target_count = TARGETS};
static struct asz_plan plan;
static struct asz_dryrun_config config;
static struct asz_dryrun *dryrun;

static void setup(void) {
  for (uint32_t i = 0; i < TARGETS; i++)
    target[i] = (struct asz_target){.ipv4 = BED_FIRST + i, .port = BED_PORT, .probe = (uint8_t)(i % ASZ_PROBE_COUNT)};
  plan = (struct asz_plan){
      .epoch = BED_EPOCH,
      .secret = {1, 2, 3},
      .rate_pps = RATE,
      .duration_ns = DURATION_MS * 1000000,
      .target_count = TARGETS,
      .target = target,
      .session = session,
      .hmac = hmac,
      .validator_id = "validat",
      .stats = &stats,
  };
  config = (struct asz_dryrun_config){.lcore_count = 1,
                                      .local_ipv4 = BED_LOCAL,
                                      .source_port_base = BED_PORT_BASE,
                                      .start_realtime_ns = UINT64_C(1700000000000000000)};
}

static void open(uint32_t lcores) {
  config.lcore_count = lcores;
  cr_assert(eq(int, asz_dryrun_new(&dryrun, &plan, &config), 0));
}
static void teardown(void) {
  asz_dryrun_free(dryrun);
  dryrun = NULL;
}
TestSuite(dryrun, .init = setup, .fini = teardown);

Test(dryrun, whole_epoch_is_the_schedule_at_its_pace)
{
  struct asz_dryrun_frame frame;
  const struct asz_shard all = asz_shard_of(0, 1, TARGETS);
  open(1);
  for (uint64_t i = 0; i < RATE * DURATION_MS / 1000; i++) {
    uint32_t seq;
    cr_assert(asz_dryrun_next(dryrun, &frame));
    cr_assert(eq(u64, frame.due_ns, i * 1000000000 / RATE));
    cr_assert(eq(u32, frame.target, asz_sched_target(&all, 0, plan.secret, i, &seq)));
    cr_assert(eq(u32, frame.seq, seq));
  }
  cr_assert(not(asz_dryrun_next(dryrun, &frame)));
  cr_assert(not(asz_dryrun_next(dryrun, &frame)), "and stays at its end");
}

/* 10 ms at 1,000 probes/s: ten of the eleven targets, then the last one twice in a row. */
Test(dryrun, pairs_are_shown_as_they_will_be_sent)
{
  struct asz_dryrun_frame frame;
  uint64_t first_ns[TARGETS];
  plan.pair_gap_ns = 10000000;
  open(1);
  for (uint32_t i = 0; i < 4 * TARGETS; i++) {
    cr_assert(asz_dryrun_next(dryrun, &frame));
    cr_assert(eq(u64, frame.due_ns, i * UINT64_C(1000000000) / RATE));
    if (frame.seq % 2 == 0)
      first_ns[frame.target] = frame.due_ns;
    else
      cr_assert(eq(u64, frame.due_ns - first_ns[frame.target], i % (2 * TARGETS) < 20 ? 10000000 : 1000000), "probe %u", i);
  }
}

Test(dryrun, every_frame_is_whole_and_goes_where_it_says)
{
  struct asz_dryrun_frame frame;
  open(1);
  while (asz_dryrun_next(dryrun, &frame)) {
    struct asz_frame parsed;
    asz_wire_parse(&parsed, frame.bytes, frame.size_bytes, ASZ_WIRE_CHECK_ALL);
    cr_assert(parsed.kind >= ASZ_FRAME_UDP && parsed.kind <= ASZ_FRAME_TCP, "target %u: %d", frame.target, parsed.kind);
    cr_assert(eq(u32, parsed.src_ipv4, BED_LOCAL));
    cr_assert(eq(u32, parsed.dst_ipv4, target[frame.target].ipv4));
    cr_assert(parsed.kind == ASZ_FRAME_ICMP || parsed.dst_port == BED_PORT);
  }
}

Test(dryrun, lcores_share_the_schedule_in_order_of_time)
{
  for (uint32_t lcores = 1; lcores <= ASZ_ENGINE_LCORES_MAX; lcores *= 2) {
    struct asz_dryrun_frame frame;
    uint64_t last_ns = 0, count[TARGETS] = {0};
    open(lcores);
    while (asz_dryrun_next(dryrun, &frame)) {
      const struct asz_shard shard = asz_shard_of(frame.lcore, lcores, TARGETS);
      cr_assert(frame.due_ns >= last_ns && asz_shard_has(&shard, frame.target));
      cr_assert(eq(u32, frame.seq, count[frame.target]++));
      last_ns = frame.due_ns;
    }
    for (uint32_t i = 0; i < TARGETS; i++)
      cr_assert(count[i] >= 17 && count[i] <= 20, "%u lcores, target %u: %u", lcores, i, (unsigned)count[i]);
    teardown();
  }
}

/* The prober's own receiver knows the reply to a dry frame, if it has the plan's secret. */
Test(dryrun, replies_to_its_frames_would_count)
{
  static struct bed bed;
  for (unsigned way = 0; way < 2 * ASZ_PROBE_COUNT; way++) {
    struct asz_dryrun_frame frame;
    bool ipv6 = way % 2 == 1;
    config.vlan = ipv6 ? BED_VLAN : 0;
    bed_open_on(&bed, (enum asz_probe)(way / 2), ipv6 ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4, config.vlan);
    plan.target = bed.target;
    plan.ipv6 = (const uint8_t(*)[16])bed.ipv6;
    plan.ipv6_count = ipv6 ? BED_TARGETS : 0;
    bed_address(config.local_ipv6, BED_LOCAL);
    plan.target_count = BED_TARGETS;
    plan.session = bed.session;
    plan.hmac = bed.hmac;
    memcpy(plan.secret, bed.secret, sizeof plan.secret);
    memcpy(plan.validator_id, bed.rx.run.setup.validator_id, sizeof plan.validator_id);
    open(1);
    bed.rx.run.start_ntp64 = asz_clock_ntp64(config.start_realtime_ns);
    for (uint32_t i = 0; i < 40; i++) {
      cr_assert(asz_dryrun_next(dryrun, &frame));
      struct bed_frame request = {.size = frame.size_bytes};
      memcpy(request.bytes, frame.bytes, frame.size_bytes);
      struct bed_frame reply = bed_reply(&bed, request);
      bed.rx.run.epoch.seq_last = frame.seq;
      bed_receive(&bed, &reply, asz_clock_ntp64(config.start_realtime_ns + frame.due_ns + 5000000));
    }
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 40), "%s", bed.module->name);
    bed_close(&bed);
    teardown();
  }
}
