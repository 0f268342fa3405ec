/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on a port that stamps what arrives. The port is played (nic_bed.h): no real one has been seen. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/bound.h"
#include "tests/dataplane/nic_bed.h"

enum { STALL_MS = 20 };

/* What the peer knows of the replies to each target. */
static struct {
  uint64_t rtt_sum_ns;
  uint32_t count;
} truth[NIC_TARGETS];
static unsigned refused; /* times that cannot be true */

static bool stamps_all(const struct nic_probe *probe, uint64_t *ret_ticks) {
  truth[probe->target].rtt_sum_ns += nic_since_t1_ns(probe, probe->now_tsc);
  truth[probe->target].count++;
  return true;
}

static bool stamps_even_targets(const struct nic_probe *probe, uint64_t *ret_ticks) {
  return stamps_all(probe, ret_ticks) && probe->target % 2 == 0;
}

/* Targets 0 to 3: after it is taken, long before it, at no time, at the end of all times. */
static bool stamps_nonsense(const struct nic_probe *probe, uint64_t *ret_ticks) {
  stamps_all(probe, ret_ticks);
  if (probe->target < 4) {
    const uint64_t nonsense[] = {*ret_ticks + 2000000000, *ret_ticks - 2000000000, 0, UINT64_MAX};
    *ret_ticks = nonsense[probe->target];
    refused++;
  }
  return true;
}

static void open_with(bool (*arrival)(const struct nic_probe *, uint64_t *)) {
  nic.arrival = arrival;
  nic_bed_open();
}

static const struct asz_target_stats *stats_of(uint32_t target) {
  return &nic.plan.stats->target[target];
}

/* Every reply has an RTT, and it is the time from the probe's own to that of the reply's arrival, within what is stated. */
static void assert_true_rtt(uint32_t target) {
  const struct asz_target_stats *stats = stats_of(target);
  uint64_t measured = stats->rtt_sum_ns, real = truth[target].rtt_sum_ns;
  uint64_t error = (asz_bound_ns(stats->waited) + 2) * stats->answered;
  cr_assert(gt(u16, stats->answered, 0));
  cr_assert(le(u32, stats->answered, truth[target].count), "target %u", target);
  if (nic.slow[target] > 0 || stats->answered < truth[target].count || nic_counter(ASZ_CTR_RX_DOUBTFUL) > 0)
    return; /* a machine too busy to tell: what is doubtful is answered and has no RTT; assert_none_doubtful has its own say */
  cr_assert(le(u64, measured > real ? measured - real : real - measured, error), "target %u: %lu ns, not %lu", target, measured,
            real);
  cr_assert(le(u64, asz_bound_ns(stats->waited), 12500), "target %u: the clock's error, whatever we did", target);
}

/* Unless the machine was so busy that the NIC was slow, or its clock could not be read. */
static void assert_none_doubtful(void) {
  if (nic_counter(ASZ_CTR_RX_STAMP_REFUSED) + nic_counter(ASZ_CTR_PORT_CLOCK_LOST) == 0)
    cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_DOUBTFUL), 0));
}

/* By when we looked: never too short. */
static void assert_rtt_from_looking(uint32_t target) {
  const struct asz_target_stats *stats = stats_of(target);
  cr_assert(gt(u16, stats->answered, 0));
  if (stats->answered == truth[target].count)
    cr_assert(ge(u64, stats->rtt_sum_ns + stats->answered, truth[target].rtt_sum_ns), "target %u", target);
}

/* Until the epoch is over the prober is away for half of the time. */
static void stall_until_sealed(void) {
  while (!nic_sealed()) {
    nic_stall(STALL_MS);
    uint64_t start_ns = asz_clock_monotonic_ns();
    while (asz_clock_monotonic_ns() - start_ns < 2 * STALL_MS * UINT64_C(1000000) && !nic_sealed())
      nic_turn();
  }
}

TestSuite(nic_times, .init = nic_bed_default, .fini = nic_bed_close, .timeout = 60);

static void all_rtts_are_right_though_the_prober_looks_late(void) {
  open_with(stamps_all);
  nic_learned();
  nic_begin();
  stall_until_sealed();
  for (uint32_t i = 0; i < NIC_TARGETS; i++)
    assert_true_rtt(i);
  assert_none_doubtful();
}

Test(nic_times, rtt_is_right_though_the_prober_looks_late)
{ all_rtts_are_right_though_the_prober_looks_late(); }

Test(nic_times, without_times_the_same_replies_are_doubtful)
{
  nic.config.nic_times = false;
  open_with(stamps_all);
  nic_begin();
  NIC_WAIT_FOR(nic_counter(ASZ_CTR_RX_ANSWERED) + nic_counter(ASZ_CTR_RX_DOUBTFUL) > 100);
  NIC_WAIT_FOR(nic_sealed());
  for (uint32_t i = 0; i < NIC_TARGETS; i++)
    cr_assert(ge(u64, stats_of(i)->rtt_sum_ns + stats_of(i)->answered, stats_of(i)->rtt_min_ns));
  cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_STAMPED), 0));
  cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_STAMP_REFUSED), 0), "they are not even looked at");
}

Test(nic_times, frames_with_and_without_a_time_are_each_timed_as_they_can_be)
{
  open_with(stamps_even_targets);
  nic_learned();
  nic_begin();
  nic_stall(STALL_MS);
  NIC_WAIT_FOR(nic_sealed());
  for (uint32_t i = 0; i < NIC_TARGETS; i += 2)
    assert_true_rtt(i);
  uint64_t doubtful = nic_counter(ASZ_CTR_RX_DOUBTFUL), answered = 0;
  for (uint32_t i = 1; i < NIC_TARGETS; i += 2)
    answered += stats_of(i)->answered;
  cr_assert(gt(u64, doubtful, 0), "those that waited through the stall");
  cr_assert(lt(u64, doubtful, answered));
}

Test(nic_times, times_that_cannot_be_true_are_counted_and_change_nothing)
{
  open_with(stamps_nonsense);
  nic.plan.late_bound_ns = 1000000000;
  nic_learned();
  uint64_t believed = nic_counter(ASZ_CTR_RX_STAMPED), not_believed = nic_counter(ASZ_CTR_RX_STAMP_REFUSED);
  nic_begin();
  NIC_WAIT_FOR(nic_sealed());
  believed = nic_counter(ASZ_CTR_RX_STAMPED) - believed;
  not_believed = nic_counter(ASZ_CTR_RX_STAMP_REFUSED) - not_believed;
  cr_assert(le(u64, believed + not_believed, nic.answers_stamped));
  if (nic_counter(ASZ_CTR_PORT_CLOCK_LOST) == 0) {
    cr_assert(eq(u64, believed + not_believed, nic.answers_stamped));
    cr_assert(ge(u64, not_believed, refused));
  }
  cr_assert(gt(u64, believed, 0));
  for (uint32_t i = 0; i < 4; i++) {
    cr_assert(le(u32, stats_of(i)->answered, truth[i].count), "target %u", i);
    assert_rtt_from_looking(i);
  }
  for (uint32_t i = 4; i < NIC_TARGETS; i++)
    assert_true_rtt(i);
}

Test(nic_times, clock_that_jumps_is_noticed_and_no_rtt_is_wrong)
{
  open_with(stamps_all);
  nic.plan.late_bound_ns = 1000000000;
  nic.plan.duration_ns = 2400000000;
  nic_learned();
  nic_begin();
  NIC_WAIT_FOR(nic.answers_stamped > 150);
  nic_clock_set(3000000); /* ahead: what it says until it is read again is in the future */
  NIC_WAIT_FOR(nic_counter(ASZ_CTR_PORT_CLOCK_LOST) >= 1);
  NIC_WAIT_FOR(nic_sealed());
  cr_assert(lt(u64, nic_counter(ASZ_CTR_RX_STAMPED), nic.answers_stamped), "some were not believed");
  for (uint32_t i = 0; i < NIC_TARGETS; i++) {
    cr_assert(le(u32, stats_of(i)->answered, truth[i].count), "target %u", i);
    if (stats_of(i)->answered == truth[i].count)
      cr_assert(ge(u64, stats_of(i)->rtt_sum_ns + 12502 * stats_of(i)->answered, truth[i].rtt_sum_ns), "target %u", i);
  }
}

Test(nic_times, clock_that_cannot_be_read_any_more_is_not_believed_for_long)
{
  open_with(NULL);
  nic_learned();
  nic_clock_break(true);
  NIC_WAIT_FOR(nic_counter(ASZ_CTR_PORT_CLOCK_LOST) == 1);
  nic_clock_break(false);
  nic_learned();
  cr_assert(eq(u64, nic_counter(ASZ_CTR_PORT_CLOCK_LOST), 1));
}

Test(nic_times, port_whose_clock_cannot_be_read_is_not_asked_again)
{
  nic_clock_break(true);
  open_with(stamps_all);
  nic_begin();
  NIC_WAIT_FOR(nic_sealed());
  cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_STAMPED) + nic_counter(ASZ_CTR_RX_STAMP_REFUSED), 0));
  for (uint32_t i = 0; i < NIC_TARGETS; i++)
    cr_assert(gt(u16, stats_of(i)->answered, 0));
}

Test(nic_times, port_that_offers_none_is_used_as_ever)
{
  nic.rx_times = false;
  open_with(stamps_all);
  nic_begin();
  NIC_WAIT_FOR(nic_sealed());
  cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_STAMPED) + nic_counter(ASZ_CTR_RX_STAMP_REFUSED), 0));
}

static void steered_frames_keep_their_time(enum asz_probe kind) {
  nic.queues = 2;
  nic.crosswise = true;
  nic.kind = nic.odd_kind = kind;
  all_rtts_are_right_though_the_prober_looks_late();
  cr_assert(gt(u64, nic_counter(ASZ_CTR_RX_STEERED), 0));
}

Test(nic_times, frame_that_changes_lcores_keeps_its_time)
{ steered_frames_keep_their_time(ASZ_PROBE_STAMP); }

Test(nic_times, echo_that_changes_lcores_keeps_its_time)
{ steered_frames_keep_their_time(ASZ_PROBE_ICMP_ECHO); }

static uint64_t answered_tsc;

static bool notes_the_answer(const struct nic_probe *probe, uint64_t *ret_ticks) {
  if (probe->mbuf->pool != NULL && probe->mbuf->data_len > 1000)
    answered_tsc = probe->now_tsc;
  return true;
}

Test(nic_times, answer_to_a_challenge_arrived_when_the_port_says)
{
  struct asz_engine_datagram datagram = {.target = 2, .size_bytes = 1200}, answer;
  open_with(notes_the_answer);
  nic_learned();
  nic_begin();
  cr_assert(eq(int, asz_engine_send(nic.engine, &datagram, NULL), 0));
  NIC_WAIT_FOR(asz_engine_recv(nic.engine, &answer) == 1);
  uint64_t off = answer.tsc > answered_tsc ? answer.tsc - answered_tsc : answered_tsc - answer.tsc;
  cr_assert(le(u64, asz_clock_ns(asz_engine_clock(nic.engine), off), 10000));
  NIC_WAIT_FOR(nic_sealed());
}
