/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/bound.h"
#include "dataplane/base/draw.h"
#include "dataplane/record.h"

enum { TIMEOUT_NS = 1000000 };
static struct asz_target_stats stats;
static uint16_t cell[ASZ_SKETCH_CELLS_MIN];
static struct asz_stats all = {.target_count = 1, .cell_count = ASZ_SKETCH_CELLS_MIN, .target = &stats, .cell = cell};
static int reordered;

static enum asz_counter reply(uint32_t seq, uint64_t rtt_ns) {
  struct asz_reply reply = {.seq = seq, .slot = 3, .rtt_ns = rtt_ns, .bin = asz_sketch_bin(rtt_ns)};
  return asz_record_reply(&all, 0, &reply, TIMEOUT_NS, &reordered);
}

static enum asz_counter doubtful_reply(uint32_t seq, uint64_t rtt_ns) {
  struct asz_reply reply = {.seq = seq, .slot = 3, .rtt_ns = rtt_ns, .bin = asz_sketch_bin(rtt_ns), .doubtful = true};
  return asz_record_reply(&all, 0, &reply, TIMEOUT_NS, &reordered);
}

static uint64_t total(void) {
  struct asz_sketch sketch = asz_stats_sketch(&all, 0);
  return asz_sketch_total(&sketch);
}

TestSuite(record, .init = asz_sketch_init);

Test(record, second_copy_in_time_is_a_duplicate)
{
  cr_assert(eq(int, reply(0, 500), ASZ_CTR_RX_ANSWERED));
  cr_assert(eq(int, reply(0, 700), ASZ_CTR_RX_DUPLICATE));
  cr_assert(eq(u16, stats.duplicate, 1));
  cr_assert(eq(u16, stats.answered, 1));
  cr_assert(eq(u64, stats.rtt_sum_ns, 500));
}

Test(record, second_copy_after_the_timeout_is_a_replay)
{
  cr_assert(eq(int, reply(0, 500), ASZ_CTR_RX_ANSWERED));
  cr_assert(eq(int, reply(0, TIMEOUT_NS + 1), ASZ_CTR_RX_REPLAYED));
  cr_assert(eq(u16, stats.replayed, 1));
  cr_assert(eq(u16, stats.late, 0));
}

Test(record, first_copy_after_the_timeout_is_late_and_never_up)
{
  cr_assert(eq(int, reply(4, TIMEOUT_NS + 1), ASZ_CTR_RX_LATE));
  cr_assert(eq(u64, stats.slots_up, 0));
  cr_assert(eq(u16, stats.answered, 0));
  cr_assert(eq(u64, total(), 0));
  cr_assert(eq(int, reply(4, 500), ASZ_CTR_RX_DUPLICATE), "and its second copy is not a first");
}

Test(record, reply_at_exactly_the_timeout_is_in_time)
{ cr_assert(eq(int, reply(0, TIMEOUT_NS), ASZ_CTR_RX_ANSWERED)); }

Test(record, older_than_the_window_is_a_replay)
{
  cr_assert(eq(int, reply(64, 500), ASZ_CTR_RX_ANSWERED));
  cr_assert(eq(int, reply(1, 500), ASZ_CTR_RX_ANSWERED));
  cr_assert(reordered);
  cr_assert(eq(int, reply(0, 500), ASZ_CTR_RX_REPLAYED));
}

Test(record, overtaken_reply_is_reordered_and_answered)
{
  cr_assert(eq(int, reply(1, 500), ASZ_CTR_RX_ANSWERED));
  cr_assert(not(reordered));
  cr_assert(eq(int, reply(0, 900), ASZ_CTR_RX_ANSWERED));
  cr_assert(reordered);
  cr_assert(eq(u16, stats.reordered, 1));
  cr_assert(eq(u16, stats.answered, 2));
  cr_assert(eq(u32, stats.rtt_min_ns, 500));
  cr_assert(eq(u32, stats.rtt_max_ns, 900));
  cr_assert(eq(u64, stats.slots_up, 8));
}

Test(record, counters_stay_at_their_end)
{
  stats.duplicate = UINT16_MAX - 1;
  reply(0, 500);
  for (int i = 0; i < 3; i++)
    cr_assert(eq(int, reply(0, 500), ASZ_CTR_RX_DUPLICATE));
  cr_assert(eq(u16, stats.duplicate, UINT16_MAX));
}

/* Against a memory of everything: the window may only be stricter where it has to be, 64 behind. */
Test(record, window_agrees_with_full_memory)
{
  enum { SPAN = 4096 };
  const uint64_t seed = 99;
  static uint8_t seen[SPAN];
  uint32_t highest = 0;
  bool any = false;
  for (uint32_t i = 0; i < 20000; i++) {
    uint32_t seq = (uint32_t)(i / 5 + asz_draw(seed, 0, i, 0) % 90);
    if (seq >= SPAN)
      break;
    bool old = any && highest - seq < SPAN && seq < highest && highest - seq >= 64;
    enum asz_counter expected = old ? ASZ_CTR_RX_REPLAYED : seen[seq] ? ASZ_CTR_RX_DUPLICATE : ASZ_CTR_RX_ANSWERED;
    cr_assert(eq(int, reply(seq, 500), expected), "seed %lu, step %u, sequence %u", (unsigned long)seed, i, seq);
    seen[seq] = 1;
    highest = any && highest > seq ? highest : seq;
    any = true;
  }
}

static enum asz_counter waited_reply(uint32_t seq, uint64_t rtt_ns, uint64_t waited_ns, bool doubtful) {
  struct asz_reply reply = {.seq = seq,
                            .slot = 3,
                            .rtt_ns = rtt_ns,
                            .bin = asz_sketch_bin(rtt_ns),
                            .waited = asz_bound_code(waited_ns),
                            .doubtful = doubtful};
  return asz_record_reply(&all, 0, &reply, TIMEOUT_NS, &reordered);
}

Test(record, worst_wait_of_the_rtts_that_count_is_kept)
{
  all.send_error_ns = 100;
  cr_assert(eq(u64, asz_stats_error_ns(&all, 0), 0), "no RTT, no error");
  waited_reply(0, 50000, 640, false);
  cr_assert(eq(u64, asz_stats_error_ns(&all, 0), 740));
  waited_reply(1, 50000, 512, false);
  cr_assert(eq(u64, asz_stats_error_ns(&all, 0), 740), "a shorter one changes nothing");
  waited_reply(2, 1024, 60000, false);
  cr_assert(eq(u64, asz_stats_error_ns(&all, 0), 1124), "nobody waited longer than he was away");
  waited_reply(3, 50000, 40000, true);
  waited_reply(4, TIMEOUT_NS + 1, 40000, false);
  waited_reply(0, 50000, 40000, false);
  cr_assert(eq(u64, asz_stats_error_ns(&all, 0), 1124), "doubtful, late, duplicate: their RTTs do not count");
}

Test(record, stamped_reply_may_have_been_away_for_longer_than_its_rtt)
{
  struct asz_reply reply = {
      .slot = 1, .rtt_ns = 100, .bin = asz_sketch_bin(100), .waited = asz_bound_code(1000), .stamped = true};
  cr_assert(eq(int, asz_record_reply(&all, 0, &reply, TIMEOUT_NS, &reordered), ASZ_CTR_RX_ANSWERED));
  cr_assert(ge(u64, asz_bound_ns(all.target[0].waited), 1000));
}

Test(record, doubtful_reply_in_time_is_up_without_an_rtt)
{
  cr_assert(eq(int, doubtful_reply(0, 500), ASZ_CTR_RX_DOUBTFUL));
  cr_assert(eq(u16, stats.answered, 1));
  cr_assert(eq(u64, stats.slots_up, 1 << 3));
  cr_assert(eq(u64, total(), 0));
  cr_assert(eq(u32, stats.rtt_min_ns, 0));
  cr_assert(eq(u64, stats.rtt_sum_ns, 0));
}

Test(record, doubtful_reply_after_the_timeout_is_unjudged_and_not_late)
{
  cr_assert(eq(int, doubtful_reply(0, TIMEOUT_NS + 1), ASZ_CTR_RX_DOUBTFUL));
  cr_assert(eq(u16, stats.unjudged, 1));
  cr_assert(eq(u16, stats.late, 0));
  cr_assert(eq(u16, stats.answered, 0));
}

Test(record, doubtful_second_copy_is_a_duplicate_in_time_and_nothing_after)
{
  cr_assert(eq(int, reply(0, 500), ASZ_CTR_RX_ANSWERED));
  cr_assert(eq(int, doubtful_reply(0, TIMEOUT_NS + 1), ASZ_CTR_RX_DOUBTFUL), "a replay, or a copy that waited for us");
  cr_assert(eq(u16, stats.replayed, 0));
  cr_assert(eq(u16, stats.duplicate, 0));
  cr_assert(eq(int, doubtful_reply(0, 800), ASZ_CTR_RX_DUPLICATE));
  cr_assert(eq(u16, stats.duplicate, 1));
}

Test(record, best_rtt_is_that_of_the_vouched_replies)
{
  cr_assert(eq(int, doubtful_reply(0, 300), ASZ_CTR_RX_DOUBTFUL));
  cr_assert(eq(int, reply(1, 700), ASZ_CTR_RX_ANSWERED));
  cr_assert(eq(u32, stats.rtt_min_ns, 700));
  cr_assert(eq(u32, stats.rtt_max_ns, 700));
}

/* The record keeps the sketch's ends as its extreme RTTs; the plain sketch of the same values must come out cell by cell. */
Test(record, cells_equal_those_of_the_plain_sketch)
{
  uint16_t plain_cell[ASZ_SKETCH_CELLS_MIN] = {0};
  struct asz_sketch plain = {.cell = plain_cell, .cell_count = ASZ_SKETCH_CELLS_MIN};
  const uint64_t seed = 12;
  for (uint32_t i = 0; i < 3000; i++) {
    uint64_t bits = asz_draw(seed, 0, i, 0);
    uint64_t rtt_ns = i < 1000 ? 400000 + bits % 100000 : bits % (TIMEOUT_NS + 1); /* close together at first */
    cr_assert(eq(int, reply(i, rtt_ns), ASZ_CTR_RX_ANSWERED));
    asz_sketch_add(&plain, rtt_ns == 0 ? 1 : rtt_ns);
    struct asz_sketch kept = asz_stats_sketch(&all, 0);
    cr_assert(eq(u8, kept.level, plain.level), "seed %lu, step %u", (unsigned long)seed, i);
    cr_assert(eq(u16, kept.bin_min, plain.bin_min));
    cr_assert(eq(u16, kept.bin_max, plain.bin_max));
  }
  cr_assert(gt(u8, plain.level, 2));
  cr_assert(eq(int, memcmp(cell, plain_cell, sizeof cell), 0), "seed %lu", (unsigned long)seed);
}
