/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on a port that sends by time. The port is played (nic_bed.h): no real one has been seen. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/bound.h"
#include "tests/dataplane/nic_bed.h"

enum { RATE_PPS = 20000, GAP_NS = 50000, NEAR_NS = 12500 };

static struct {
  unsigned timed, untimed;
  uint64_t last_ticks; /* of the last timed one, when nothing came in between; 0 */
  unsigned neighbours; /* timed ones one gap apart */
  uint64_t rtt_sum_ns[NIC_TARGETS];
  uint32_t count[NIC_TARGETS];
} seen;

static uint64_t distance(int64_t ns) {
  return (uint64_t)(ns < 0 ? -ns : ns);
}

/* Times are whole gaps apart, and those that probes carry. */
static void note(const struct nic_probe *probe) {
  seen.timed += probe->timed;
  seen.untimed += !probe->timed;
  if (!probe->timed)
    return;
  uint64_t gap = probe->due_ticks - seen.last_ticks;
  if (seen.last_ticks != 0) {
    cr_assert(lt(u64, gap, UINT64_C(30000000000)), "in order");
    uint64_t intervals = (gap + GAP_NS / 2) / GAP_NS, whole = intervals * GAP_NS + intervals * GAP_NS / 10000;
    cr_assert(le(u64, distance((int64_t)(gap - whole)), NEAR_NS), "%lu ns", gap);
    seen.neighbours += intervals == 1;
  }
  seen.last_ticks = probe->due_ticks;
  int64_t off_ns = nic_off_ns(probe);
  cr_assert(le(u64, distance(off_ns), NEAR_NS), "%ld ns", off_ns);
}

static bool notes(const struct nic_probe *probe, uint64_t *ret_ticks) {
  note(probe);
  return true;
}

static bool sums(const struct nic_probe *probe, uint64_t *ret_ticks) {
  seen.timed += probe->timed;
  seen.rtt_sum_ns[probe->target] += nic_since_t1_ns(probe, probe->now_tsc);
  seen.count[probe->target]++;
  return true;
}

static bool notes_nothing(const struct nic_probe *probe, uint64_t *ret_ticks) {
  seen.timed += probe->timed;
  seen.untimed += !probe->timed;
  return true;
}

static void setup(void) {
  nic_bed_default();
  nic.tx_times = true;
  nic.holds = true;
}

static void open_with(bool (*arrival)(const struct nic_probe *, uint64_t *)) {
  nic.arrival = arrival;
  nic_bed_open();
  nic.plan.rate_pps = RATE_PPS;
  nic.plan.duration_ns = 250000000;
  nic.plan.slot_ns = 50000000;
  nic.plan.timeout_ns = 10000000; /* 25 rounds */
  nic.plan.late_bound_ns = 2000000;
}

static const struct asz_target_stats *stats_of(uint32_t target) {
  return &nic.plan.stats->target[target];
}

TestSuite(nic_send, .init = setup, .fini = nic_bed_close, .timeout = 60);

Test(nic_send, probes_leave_a_gap_of_the_pace_apart_at_the_time_that_they_carry)
{
  open_with(notes);
  nic_learned();
  nic_begin();
  NIC_WAIT_FOR(nic_sealed());
  cr_assert(gt(uint, seen.neighbours, 100), "of %u with a time", seen.timed);
  cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_FORGED), 0));
  NIC_WAIT_FOR(nic_counter(ASZ_CTR_TX_PROBES) == seen.timed + seen.untimed);
}

Test(nic_send, rtt_begins_when_the_port_sent_it)
{
  open_with(sums);
  nic.plan.rate_pps = 400;
  nic.plan.duration_ns = 800000000;
  nic.plan.slot_ns = 200000000;
  nic.plan.timeout_ns = 700000000; /* long, so that a busy machine makes nobody late */
  nic_learned();
  nic_begin();
  NIC_WAIT_FOR(nic_sealed());
  cr_assert(gt(uint, seen.timed, 0));
  cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_EARLY) + nic_counter(ASZ_CTR_RX_FORGED), 0));
  for (uint32_t i = 0; i < NIC_TARGETS; i++) {
    const struct asz_target_stats *stats = stats_of(i);
    uint64_t error_ns = (asz_bound_ns(stats->waited) + 2) * stats->answered;
    if (nic.slow[i] == 0 && stats->answered == seen.count[i] && nic_counter(ASZ_CTR_RX_DOUBTFUL) == 0) /* not too busy to tell */
      cr_assert(le(u64, distance((int64_t)(stats->rtt_sum_ns - seen.rtt_sum_ns[i])), error_ns), "target %u", i);
  }
}

Test(nic_send, probes_of_several_kinds_leave_in_order)
{
  nic.odd_kind = ASZ_PROBE_ICMP_ECHO;
  open_with(notes);
  nic_learned();
  nic_begin();
  NIC_WAIT_FOR(nic_sealed());
  cr_assert(gt(uint, seen.neighbours, 100), "of %u with a time", seen.timed);
  for (uint32_t i = 0; i < NIC_TARGETS; i++)
    cr_assert(gt(u16, stats_of(i)->answered, 0));
}

/* A port that takes the time and does not heed it. */
Test(nic_send, reply_to_a_probe_that_left_too_early_is_ours_and_no_forgery)
{
  nic.holds = false;
  open_with(notes_nothing);
  nic.plan.fault_bound_ppm = 0;
  nic_learned();
  nic_begin();
  NIC_WAIT_FOR(nic_sealed());
  cr_assert(gt(u64, nic_counter(ASZ_CTR_RX_EARLY), 0));
  cr_assert(gt(u64, nic.plan.stats->faults.count[ASZ_FAULT_PORT_CLOCK], 0));
  cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_FORGED), 0));
  for (uint32_t i = 0; i < NIC_TARGETS; i++)
    cr_assert(gt(u16, stats_of(i)->answered, 0), "it lives");
}

Test(nic_send, without_a_clock_probes_leave_at_once)
{
  nic_clock_break(true);
  open_with(notes_nothing);
  nic_begin();
  NIC_WAIT_FOR(nic_sealed());
  cr_assert(eq(uint, seen.timed, 0));
  cr_assert(gt(uint, seen.untimed, 1000));
}

Test(nic_send, switched_off_probes_leave_at_once)
{
  nic.config.nic_times = false;
  open_with(notes_nothing);
  nic_begin();
  NIC_WAIT_FOR(nic_sealed());
  cr_assert(eq(uint, seen.timed, 0));
}

Test(nic_send, what_left_by_a_clock_that_jumped_is_a_fault_of_ours)
{
  open_with(notes_nothing);
  nic.plan.duration_ns = 2000000000;
  nic.plan.slot_ns = 500000000;
  nic.plan.fault_bound_ppm = 1000;
  nic_learned();
  nic_begin();
  NIC_WAIT_FOR(seen.timed > 200);
  nic_clock_set(3000000); /* every time is past now */
  NIC_WAIT_FOR(nic_counter(ASZ_CTR_PORT_CLOCK_LOST) >= 1);
  NIC_WAIT_FOR(nic_sealed());
  cr_assert(gt(u64, nic.plan.stats->faults.count[ASZ_FAULT_PORT_CLOCK], 10));
  cr_assert(ne(u64, nic.plan.stats->slots_unjudged, 0));
  cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_FORGED), 0));
}
