/* SPDX-License-Identifier: Apache-2.0 */
/* Which times of a port are believed. The mbufs are bare: nothing here needs EAL. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include <rte_mbuf.h>

#include "dataplane/arrival.h"
#include "dataplane/base/bound.h"

enum { WAITED_NS = 5000, ERROR = 400, FRAMES = 3 };
#define HZ    UINT64_C(1000000000)
#define TAKEN UINT64_C(2000000000)
#define AHEAD (7 * HZ)
#define FLAG  (UINT64_C(1) << 40)

/* A TSC of 1 GHz, a device of 1 GHz which is ahead of it by 7 s. */
static const struct asz_clock clock_ = {.tsc_hz = HZ,
                                        .ns_per_tick_q32 = UINT64_C(1) << 32,
                                        .ticks_per_ns_q32 = UINT64_C(1) << 32,
                                        .base_realtime_ns = UINT64_C(1700000000000000000)};
static const struct asz_nic_relation relation = {.base_tsc = TAKEN,
                                                 .base_ticks = TAKEN + AHEAD,
                                                 .tsc_per_tick = {1, 0},
                                                 .ticks_per_tsc = {1, 0},
                                                 .reach_ticks = 4 * HZ,
                                                 .error_tsc = ERROR,
                                                 .until_tsc = TAKEN + HZ};
static const struct asz_port_times times = {
    .rx = true, .offset = RTE_ALIGN(offsetof(struct rte_mbuf, dynfield1), 8), .rx_flag = FLAG};

static struct asz_rx_burst burst;
static struct asz_counters counters;
static struct rte_mbuf mbuf[FRAMES];
static struct rte_mbuf *const frames[FRAMES] = {&mbuf[0], &mbuf[1], &mbuf[2]};

static void stamp(unsigned i, uint64_t tsc) {
  uint64_t ticks = tsc + AHEAD;
  memcpy((char *)&mbuf[i] + times.offset, &ticks, sizeof ticks);
  mbuf[i].ol_flags |= FLAG;
}

static uint32_t take(bool stalled, bool doubtful) {
  burst.taken = (struct asz_rx_arrival){.tsc = TAKEN,
                                        .ntp64 = asz_clock_ntp64(asz_clock_realtime_ns(&clock_, TAKEN)),
                                        .doubtful = stalled,
                                        .waited = asz_bound_code(WAITED_NS)};
  memset(&counters, 0, sizeof counters);
  return asz_arrivals_read(&burst, frames, FRAMES, &times, &relation, &clock_, doubtful, &counters);
}

/* Of a burst whose first frame says tsc. */
static bool believed(uint64_t tsc) {
  memset(mbuf, 0, sizeof mbuf);
  stamp(0, tsc);
  uint32_t used = take(false, false);
  cr_assert(eq(u64, counters.value[ASZ_CTR_RX_STAMPED], used));
  cr_assert(eq(u64, counters.value[ASZ_CTR_RX_STAMP_REFUSED], 1 - used));
  cr_assert(eq(int, burst.own[0].stamped, used == 1));
  if (used == 0)
    cr_assert(eq(int, memcmp(&burst.own[0], &burst.taken, sizeof burst.taken), 0));
  return used == 1;
}

Test(arrival, time_that_cannot_be_true_is_refused)
{
  const uint64_t room = asz_bound_ns(asz_bound_code(WAITED_NS)) + ASZ_ARRIVAL_HANDOVER_US * 1000;
  cr_assert(believed(TAKEN));
  cr_assert(believed(TAKEN + ERROR), "the clock's error");
  cr_assert(not(believed(TAKEN + ERROR + 1)), "after we had it");
  cr_assert(believed(TAKEN - room - ERROR));
  cr_assert(not(believed(TAKEN - room - ERROR - 1)), "the queue was empty after it");
  cr_assert(not(believed(TAKEN - AHEAD)), "no time at all");
  cr_assert(not(believed(UINT64_MAX)));
  cr_assert(not(believed(TAKEN + (UINT64_C(1) << 63))));
}

Test(arrival, no_frame_arrives_after_its_burst_was_taken)
{
  cr_assert(believed(TAKEN + ERROR));
  cr_assert(eq(u64, burst.own[0].tsc, TAKEN));
  cr_assert(eq(u64, burst.own[0].ntp64, burst.taken.ntp64));
}

Test(arrival, frame_has_its_own_time_and_the_clocks_error)
{
  memset(mbuf, 0, sizeof mbuf);
  stamp(0, TAKEN - 3000);
  stamp(2, TAKEN - 1000);
  cr_assert(eq(u32, take(false, false), 2));
  cr_assert(burst.timed && burst.own[0].stamped && !burst.own[1].stamped && burst.own[2].stamped);
  cr_assert(eq(u64, burst.own[0].tsc, TAKEN - 3000));
  cr_assert(eq(u64, burst.own[2].tsc, TAKEN - 1000));
  cr_assert(eq(u64, burst.own[0].ntp64, asz_clock_ntp64(asz_clock_realtime_ns(&clock_, TAKEN - 3000))));
  cr_assert(eq(u8, burst.own[0].waited, asz_bound_code(ERROR)));
  cr_assert(eq(int, memcmp(&burst.own[1], &burst.taken, sizeof burst.taken), 0));
}

Test(arrival, stall_makes_no_frame_doubtful_that_has_a_time)
{
  memset(mbuf, 0, sizeof mbuf);
  stamp(0, TAKEN - 3000);
  take(true, false);
  cr_assert(not(burst.own[0].doubtful));
  cr_assert(burst.own[1].doubtful);
}

Test(arrival, time_helps_nothing_where_the_sending_is_in_doubt)
{
  memset(mbuf, 0, sizeof mbuf);
  stamp(0, TAKEN - 3000);
  take(true, true);
  cr_assert(burst.own[0].doubtful && burst.own[1].doubtful);
}
