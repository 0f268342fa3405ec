/* SPDX-License-Identifier: Apache-2.0 */
/* Delay variation out of replies: only of pairs, only of what counts as answered, only where the reflector says its times. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dataplane/base/stamp.h"
#include "tests/dataplane/bed.h"

static struct bed bed;
static const uint64_t tx = BED_START + 600 * BED_MS;
/* What the reflector's clock is ahead of ours, by years. */
static const uint64_t ahead = UINT64_C(0x0765432100000000);

static void fini(void) {
  if (bed.stats != NULL)
    bed_close(&bed);
}
TestSuite(rx_ipdv, .fini = fini);

static void open_pairs(enum asz_probe kind) {
  bed_open(&bed, kind);
  cr_assert(eq(int, asz_stats_pairs(bed.stats), 0));
  bed.rx.run.pairs = true;
}

/* Probe seq, sent at tx_ntp64, is there after forward_ms, leaves at once, is back after backward_ms. */
static struct bed_frame reply_of(uint32_t seq, uint64_t tx_ntp64, uint64_t forward_ms) {
  bed.t2_ntp64 = bed.t3_ntp64 = tx_ntp64 + forward_ms * BED_MS + ahead;
  return bed_exchange(&bed, 1, seq, tx_ntp64);
}
static void answer(uint32_t seq, uint64_t tx_ntp64, uint64_t forward_ms, uint64_t backward_ms) {
  struct bed_frame reply = reply_of(seq, tx_ntp64, forward_ms);
  bed_receive(&bed, &reply, tx_ntp64 + (forward_ms + backward_ms) * BED_MS);
}

static void check_ms(uint64_t sum, uint64_t ms) {
  uint64_t ns = asz_ipdv_ns(sum), expected = ms * 1000000;
  cr_assert(le(u64, ns, expected + 1000), "%lu ns", (unsigned long)ns);
  cr_assert(ge(u64, ns + 1000, expected), "%lu ns", (unsigned long)ns);
}

Test(rx_ipdv, kinds_with_a_reflectors_times_tell_each_way_by_itself)
{
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++) {
    open_pairs(kind);
    answer(4, tx, 10, 5);
    answer(5, tx + 5 * BED_MS, 13, 7);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 2), "%s", bed.module->name);
    bool says = kind != ASZ_PROBE_ICMP_ECHO && kind != ASZ_PROBE_TCP_SYN;
    cr_assert(eq(u16, bed.stats->ipdv[1].pairs, says), "%s", bed.module->name);
    check_ms(bed.stats->ipdv[1].forward_sum, says ? 3 : 0);
    check_ms(bed.stats->ipdv[1].backward_sum, says ? 2 : 0);
    cr_assert(eq(u32, bed.stats->ipdv[0].held, 0), "nothing on another's account");
    bed_close(&bed);
  }
  bed.stats = NULL;
}

Test(rx_ipdv, without_pairs_nothing_is_taken)
{
  open_pairs(ASZ_PROBE_STAMP);
  bed.rx.run.pairs = false;
  answer(4, tx, 10, 5);
  answer(5, tx + 5 * BED_MS, 13, 7);
  cr_assert(eq(u16, bed.stats->ipdv[1].pairs, 0));
}

Test(rx_ipdv, a_late_half_and_a_second_copy_make_no_pair)
{
  open_pairs(ASZ_PROBE_STAMP);
  answer(4, tx, 10, 5);
  answer(5, tx + 5 * BED_MS, 60, 60);
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_LATE], 1));
  cr_assert(eq(u16, bed.stats->ipdv[1].pairs, 0));
  struct bed_frame reply = reply_of(6, tx + 9 * BED_MS, 10);
  bed_receive(&bed, &reply, tx + 30 * BED_MS);
  bed_receive(&bed, &reply, tx + 31 * BED_MS);
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_DUPLICATE], 1));
  cr_assert(eq(u16, bed.stats->ipdv[1].pairs, 0));
}

/* The prober stalled: T4 is only an upper bound. */
Test(rx_ipdv, a_doubtful_half_makes_no_pair)
{
  open_pairs(ASZ_PROBE_STAMP);
  answer(4, tx, 10, 5);
  bed.burst.taken.doubtful = true;
  answer(5, tx + 5 * BED_MS, 10, 5);
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_DOUBTFUL], 1));
  cr_assert(eq(u16, bed.stats->ipdv[1].pairs, 0));
}

Test(rx_ipdv, a_reflector_without_a_clock_says_nothing)
{
  open_pairs(ASZ_PROBE_STAMP);
  for (uint32_t seq = 0; seq < 6; seq++) {
    bed.t2_ntp64 = seq % 4 < 2 ? 0 : 5;
    bed.t3_ntp64 = seq % 4 < 2 ? 5 : 0;
    struct bed_frame reply = bed_exchange(&bed, 1, seq, tx + seq * BED_MS);
    bed_receive(&bed, &reply, tx + (seq + 10) * BED_MS);
  }
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 6));
  cr_assert(eq(u16, bed.stats->ipdv[1].pairs, 0));
}

/* Half a second in PTP's format is a lower half of 500,000,000. */
Test(rx_ipdv, a_reflector_may_keep_time_in_ptp_format)
{
  open_pairs(ASZ_PROBE_STAMP);
  for (uint32_t seq = 0; seq < 2; seq++) {
    struct bed_frame reply = bed_exchange(&bed, 1, seq, tx);
    uint8_t *payload = bed_payload(&reply);
    uint64_t forward_ns = 500000000 + seq * 20000000;
    asz_be64_store(payload + ASZ_STAMP_RX_TIME, (tx >> 32 << 32) + forward_ns);
    asz_be64_store(payload + ASZ_STAMP_TIME, (tx >> 32 << 32) + forward_ns);
    asz_be16_store(payload + ASZ_STAMP_ERROR, 0x4801);
    bed_finish(&reply);
    bed_receive(&bed, &reply, tx + 50 * BED_MS);
  }
  cr_assert(eq(u16, bed.stats->ipdv[1].pairs, 1));
  check_ms(bed.stats->ipdv[1].forward_sum, 20);
}

/* What only has low bits of its sequence on the wire is completed although the other half was the last to leave. */
Test(rx_ipdv, either_half_is_recognised_whichever_was_sent_last)
{
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++) {
    open_pairs(kind);
    bed.rx.run.epoch.seq_last = 131; /* the lcore is at the second halves of round 65, and back at the first ones of a block */
    answer(130, tx, 10, 5);
    answer(131, tx + BED_MS, 10, 5);
    answer(68, tx + 2 * BED_MS, 10, 5);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 3), "%s", bed.module->name);
    bed_close(&bed);
  }
  bed.stats = NULL;
}
