/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/engine.h"
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
  cr_assert(eq(sz, asz_stats_footprint(0, 64), 0));
  cr_assert(eq(sz, asz_stats_footprint((1u << 24) + 1, 64), 0));
  asz_stats_free(NULL);
}

Test(stats, new_and_cleared_ones_are_zero)
{
  enum { COUNT = 3000, CELLS = 64 };
  struct asz_stats *stats = NULL;
  cr_assert(eq(int, asz_stats_new(&stats, COUNT, CELLS), 0));
  cr_assert(ge(sz, asz_stats_footprint(COUNT, CELLS), COUNT * (64 + 128)));
  cr_assert(eq(uint, (uintptr_t)stats->target % 64, 0));
  memset(stats->target, 0xff, COUNT * sizeof *stats->target);
  memset(stats->cell, 0xff, (size_t)COUNT * CELLS * sizeof *stats->cell);
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
  }
  asz_stats_free(stats);
}

/* Counted one by one through the schedules of the shards: whole rounds, a partial one, a count of one, more shards than targets.
 */
Test(stats, sent_equals_a_walk_of_the_schedule)
{
  static const uint32_t counts[] = {1, 7, 100};
  static const uint64_t scheduled[] = {0, 1, 99, 100, 1234};
  for (unsigned c = 0; c < 3; c++)
    for (unsigned s = 0; s < 5; s++)
      for (uint32_t shards = 1; shards <= 4; shards++) {
        struct asz_stats *stats = NULL;
        cr_assert(eq(int, asz_stats_new(&stats, counts[c], 32), 0));
        struct asz_plan plan = {.secret = {1, 2, 3}, .target_count = counts[c], .stats = stats};
        uint32_t sent[100], walked[100] = {0};
        stats->shard_count = shards;
        for (uint32_t number = 0; number < shards; number++) {
          struct asz_shard shard = asz_shard_of(number, shards, counts[c]);
          stats->shard_scheduled[number] = shard.count > 0 ? scheduled[s] + number : 0;
          for (uint64_t i = 0; i < stats->shard_scheduled[number]; i++)
            walked[asz_sched_target(&shard, plan.secret, i, NULL)]++;
        }
        if (walked[0] > 0) {
          stats->target[0].unjudged = 1;
          walked[0]--;
        }
        asz_engine_sent(&plan, stats, sent);
        for (uint32_t i = 0; i < counts[c]; i++)
          cr_assert(eq(u32, sent[i], walked[i]), "count %u, scheduled %lu, shards %u, target %u", counts[c],
                    (unsigned long)scheduled[s], shards, i);
        asz_stats_free(stats);
      }
}

/* The house's promise: ten million targets, both buffers of statistics, targets and address table in 4 GiB. */
Test(stats, ten_million_targets_fit_into_four_gib)
{
  enum { COUNT = 10000000, ADDRESS_SLOTS = 1 << 24 };
  size_t bytes = 2 * asz_stats_footprint(COUNT, 64) + COUNT * sizeof(struct asz_target);
  bytes += 2 * ADDRESS_SLOTS * sizeof(uint64_t);
  cr_assert(le(sz, bytes, UINT64_C(4) << 30));
}
