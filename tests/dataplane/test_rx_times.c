/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that each have a time of their own: what the port stamped. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/bound.h"
#include "tests/dataplane/bed.h"

static struct bed bed;
static struct bed_change mark;

static void fini(void) {
  bed_close(&bed);
}

TestSuite(rx_times, .fini = fini);

/* Taken 5 ms after it arrived, says the port. */
static void receive_stamped(const struct bed_frame *frame, uint64_t arrived_ntp64, bool doubtful) {
  bed.burst.timed = true;
  bed.burst.own[0] =
      (struct asz_rx_arrival){.ntp64 = arrived_ntp64, .waited = asz_bound_code(700), .doubtful = doubtful, .stamped = true};
  bed.burst.taken.doubtful = true; /* by a prober that was away */
  bed_receive(&bed, frame, arrived_ntp64 + 5 * BED_MS);
}

static const struct asz_target_stats *first(void) {
  return &bed.stats->target[0];
}

#define EACH_KIND(kind) for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++)

Test(rx_times, reply_before_its_probe_shows_life_and_no_rtt)
{
  EACH_KIND(kind) {
    bed_open(&bed, kind);
    uint64_t t1 = BED_START + 10 * BED_MS;
    struct bed_frame reply = bed_exchange(&bed, 0, 0, t1);
    receive_stamped(&reply, t1 - BED_MS, false);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_EARLY], 1), "%s", asz_probe_name(kind));
    cr_assert(eq(u16, first()->answered, 1));
    cr_assert(eq(u64, first()->slots_up, 1));
    cr_assert(eq(u32, first()->rtt_min_ns, 0));
    cr_assert(eq(u8, first()->waited, 0));
    receive_stamped(&reply, t1 - BED_MS, false);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_EARLY], 1));
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_DUPLICATE], 1));
    bed_close(&bed);
  }
  bed_open(&bed, ASZ_PROBE_STAMP);
}

Test(rx_times, rtt_ends_when_the_port_says)
{
  EACH_KIND(kind) {
    bed_open(&bed, kind);
    uint64_t t1 = asz_probe_time(asz_probe_module(kind), BED_START + 10 * BED_MS);
    struct bed_frame reply = bed_exchange(&bed, 0, 0, t1);
    receive_stamped(&reply, t1 + 2 * BED_MS, false);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 1), "%s", asz_probe_name(kind));
    cr_assert(eq(u32, first()->rtt_min_ns, 2000000));
    cr_assert(eq(u8, first()->waited, asz_bound_code(700)));
    bed_close(&bed);
  }
  bed_open(&bed, ASZ_PROBE_STAMP);
}

Test(rx_times, time_of_a_probe_after_its_reply_was_taken_is_forged)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  uint64_t t1 = BED_START + 10 * BED_MS;
  struct bed_frame reply = bed_exchange(&bed, 0, 0, t1);
  bed_mark(&bed, &mark);
  receive_stamped(&reply, t1 - 6 * BED_MS, false);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
}

Test(rx_times, doubt_about_the_sending_stays)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  uint64_t t1 = BED_START + 10 * BED_MS;
  struct bed_frame reply = bed_exchange(&bed, 0, 0, t1);
  receive_stamped(&reply, t1 + 2 * BED_MS, true);
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_DOUBTFUL], 1));
  cr_assert(eq(u32, first()->rtt_min_ns, 0));
}

Test(rx_times, frames_of_a_burst_keep_their_own_times)
{
  enum { REPLIES = 20 };
  struct bed_frame reply[REPLIES];
  uint64_t t1 = BED_START + 10 * BED_MS, sum_ns = 0;
  bed_open(&bed, ASZ_PROBE_STAMP);
  bed.burst.count = REPLIES;
  bed.burst.timed = true;
  bed.burst.taken = (struct asz_rx_arrival){.ntp64 = t1 + 50 * BED_MS, .waited = asz_bound_code(9000000)};
  for (uint32_t i = 0; i < REPLIES; i++) {
    reply[i] = bed_exchange(&bed, 0, i, t1);
    bed.burst.bytes[i] = reply[i].bytes;
    bed.burst.size_bytes[i] = (uint32_t)reply[i].size;
    bed.burst.own[i] = (struct asz_rx_arrival){.ntp64 = t1 + (REPLIES - i) * BED_MS, .waited = 1, .stamped = true};
    sum_ns += (uint64_t)(REPLIES - i) * 1000000;
  }
  bed.burst.own[7] = bed.burst.taken; /* this one has none */
  sum_ns += 50000000 - (REPLIES - 7) * UINT64_C(1000000);
  asz_rx_take(&bed.rx, &bed.burst);
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], REPLIES));
  cr_assert(le(u64, sum_ns - first()->rtt_sum_ns, REPLIES * 20), "%lu", first()->rtt_sum_ns);
  cr_assert(eq(u8, first()->waited, asz_bound_code(9000000)), "the worst of them");
}
