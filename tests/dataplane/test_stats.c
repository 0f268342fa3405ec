/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <string.h>

#include "dataplane/engine.h"
#include "dataplane/record.h"
#include "dataplane/sched.h"

Test(stats, impossible_counts_are_refused)
{
  struct asz_stats *stats = NULL;
  cr_assert(eq(int, asz_stats_new(&stats, 0, 64), ASZ_EINVAL));
  cr_assert(eq(int, asz_stats_new(&stats, (1u << 24) + 1, 64), ASZ_EINVAL));
  cr_assert(eq(int, asz_stats_new(&stats, 1, 0), ASZ_EINVAL));
  cr_assert(eq(int, asz_stats_new(&stats, 1, 65), ASZ_EINVAL), "no power of two");
  cr_assert(eq(int, asz_stats_new(&stats, 1, 2048), ASZ_EINVAL));
  cr_assert(eq(ptr, stats, NULL));
  cr_assert(eq(sz, asz_stats_footprint(0, 64, true), 0));
  cr_assert(eq(sz, asz_stats_footprint((1u << 24) + 1, 64, true), 0));
  asz_stats_free(NULL);
}

Test(stats, new_and_cleared_ones_are_zero)
{
  enum { COUNT = 3000, CELLS = 64 };
  struct asz_stats *stats = NULL;
  cr_assert(eq(int, asz_stats_new(&stats, COUNT, CELLS), 0));
  cr_assert(ge(sz, asz_stats_footprint(COUNT, CELLS, false), COUNT * (64 + 128)));
  cr_assert(eq(uint, (uintptr_t)stats->target % 64, 0));
  memset(stats->target, 0xff, COUNT * sizeof *stats->target);
  memset(stats->cell, 0xff, (size_t)COUNT * CELLS * sizeof *stats->cell);
  cr_assert(eq(int, asz_stats_pairs(stats), 0));
  cr_assert(eq(u16, stats->ipdv[COUNT - 1].pairs, 0));
  memset(stats->ipdv, 0xff, COUNT * sizeof *stats->ipdv);
  stats->rate_pps = 5;
  asz_stats_clear(stats);
  cr_assert(eq(u64, stats->rate_pps, 0));
  cr_assert(eq(u32, stats->target_count, COUNT));
  cr_assert(eq(u32, stats->cell_count, CELLS));
  for (uint32_t i = 0; i < COUNT; i++) {
    cr_assert(eq(u64, stats->target[i].seen, 0));
    struct asz_sketch sketch = asz_stats_sketch(stats, i);
    cr_assert(eq(u64, asz_sketch_total(&sketch), 0));
    cr_assert(not(sketch.some));
    cr_assert(eq(u64, stats->ipdv[i].forward_sum + stats->ipdv[i].held + stats->ipdv[i].pairs, 0));
  }
  asz_stats_free(stats);
}

/* Counted one by one through the schedules of the shards: whole rounds, a partial one, a count of one, more shards than targets.
 */
Test(stats, sent_equals_a_walk_of_the_schedule)
{
  static const uint32_t counts[] = {1, 7, 100};
  static const uint64_t scheduled[] = {0, 1, 99, 100, 1234};
  for (unsigned way = 0; way < 3 * 2; way++)
    for (unsigned s = 0; s < 5; s++)
      for (uint32_t shards = 1; shards <= 4; shards++) {
        unsigned c = way / 2;
        struct asz_stats *stats = NULL;
        cr_assert(eq(int, asz_stats_new(&stats, counts[c], 32), 0));
        struct asz_plan plan = {.secret = {1, 2, 3}, .target_count = counts[c], .stats = stats, .rate_pps = 10000};
        plan.pair_gap_ns = way % 2 * 2000000; /* 20 probes of all lcores together */
        uint32_t sent[100], walked[100] = {0};
        stats->shard_count = shards;
        for (uint32_t number = 0; number < shards; number++) {
          struct asz_shard shard = asz_shard_of(number, shards, counts[c]);
          stats->shard_scheduled[number] = shard.count > 0 ? scheduled[s] + number : 0;
          uint32_t span = asz_sched_span(&shard, plan.rate_pps, plan.target_count, plan.pair_gap_ns);
          for (uint64_t i = 0; i < stats->shard_scheduled[number]; i++)
            walked[asz_sched_target(&shard, span, plan.secret, i, NULL)]++;
        }
        if (walked[0] > 0) {
          stats->target[0].unjudged = 1;
          walked[0]--;
        }
        asz_engine_sent(&plan, stats, sent);
        for (uint32_t i = 0; i < counts[c]; i++)
          cr_assert(eq(u32, sent[i], walked[i]), "count %u, scheduled %lu, shards %u, gap %lu, target %u", counts[c],
                    (unsigned long)scheduled[s], shards, (unsigned long)plan.pair_gap_ns, i);
        asz_stats_free(stats);
      }
}

/* The house's promise: ten million targets, both buffers of statistics, targets and address tables in 4 GiB, with pairs and small
 * sketches or without and larger ones. */
Test(stats, ten_million_targets_fit_into_four_gib)
{
  enum { COUNT = 10000000, ADDRESS_SLOTS = 1 << 24 };
  size_t rest = COUNT * sizeof(struct asz_target) + 2 * ADDRESS_SLOTS * sizeof(uint64_t);
  cr_assert(le(sz, 2 * asz_stats_footprint(COUNT, 32, true) + rest, UINT64_C(4) << 30));
  cr_assert(le(sz, 2 * asz_stats_footprint(COUNT, 64, false) + rest, UINT64_C(4) << 30));
}

enum { PEEK_CELLS = 32, PEEK_REPLIES = 1000000 };

/* Replies of ever wider RTTs, so that the sketch is stretched again and again; then all over with the next target. */
static void *record_replies(void *argument) {
  struct asz_stats *stats = argument;
  for (uint32_t i = 0; i < PEEK_REPLIES; i++) {
    uint32_t index = i / 4096 % stats->target_count, seq = i % 4096;
    int reordered;
    if (seq == 0) {
      stats->target[index].stretches++;
      __atomic_thread_fence(__ATOMIC_SEQ_CST);
      memset(stats->cell + (size_t)index * stats->cell_count, 0, stats->cell_count * sizeof *stats->cell);
      stats->target[index] = (struct asz_target_stats){.stretches = stats->target[index].stretches};
      __atomic_thread_fence(__ATOMIC_SEQ_CST);
      stats->target[index].stretches++;
    }
    uint64_t rtt_ns = 1000000 + (seq % 2 ? (uint64_t)seq * 200000 : 0) - (seq % 2 ? 0 : (uint64_t)seq * 200);
    const struct asz_reply reply = {.seq = seq, .rtt_ns = rtt_ns, .bin = asz_sketch_bin(rtt_ns)};
    (void)asz_record_reply(stats, index, &reply, 2000000000, &reordered);
  }
  return NULL;
}

/* Every cell lies where one of the bins between the shortest and the longest RTT has its place, at that level. */
static bool is_of_one_shape(const struct asz_target_stats *target, const uint16_t *cell) {
  if (target->rtt_max_ns == 0)
    return true;
  struct asz_sketch shape = {.cell_count = PEEK_CELLS};
  unsigned low = asz_sketch_bin(target->rtt_min_ns), high = asz_sketch_bin(target->rtt_max_ns);
  asz_sketch_stretch(&shape, low, high);
  if (shape.level != target->sketch_level)
    return false;
  for (uint32_t i = 0; i < PEEK_CELLS; i++)
    if (cell[i] != 0 && ((i - (low >> shape.level)) & (PEEK_CELLS - 1)) > (high >> shape.level) - (low >> shape.level))
      return false;
  return true;
}

Test(stats, peek_sees_line_and_cells_of_one_shape)
{
  struct asz_stats *stats = NULL;
  struct asz_target_stats target;
  uint16_t cell[PEEK_CELLS];
  pthread_t thread;
  cr_assert(eq(int, asz_stats_new(&stats, 3, PEEK_CELLS), 0));
  cr_assert(eq(int, pthread_create(&thread, NULL, record_replies, stats), 0));
  for (uint32_t i = 0; i < PEEK_REPLIES; i++) {
    asz_stats_peek(stats, i % 3, &target, cell);
    cr_assert(is_of_one_shape(&target, cell), "peek %u", i);
  }
  pthread_join(thread, NULL);
  for (uint32_t i = 0; i < 3; i++) {
    asz_stats_peek(stats, i, &target, cell);
    cr_assert(eq(int, memcmp(&target, &stats->target[i], sizeof target), 0));
    cr_assert(eq(int, memcmp(cell, stats->cell + (size_t)i * PEEK_CELLS, sizeof cell), 0));
  }
  asz_stats_free(stats);
}
