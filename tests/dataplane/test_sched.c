/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "dataplane/sched.h"

static const uint8_t secret[32] = {9, 8, 7};
static const uint8_t other_secret[32] = {9, 8, 6};

static struct asz_shard shard_from(uint32_t first, uint32_t count) {
  return (struct asz_shard){.number = first == 0 ? 0 : 3, .first = first, .count = count};
}

Test(sched, every_target_of_the_shard_is_reached_once_a_round_and_no_other)
{
  enum { FIRST = 500, COUNT = 1000, ROUNDS = 5 };
  struct asz_sched sched;
  const struct asz_shard shard = shard_from(FIRST, COUNT);
  asz_sched_init(&sched, &shard, secret);
  for (uint32_t round = 0; round < ROUNDS; round++) {
    uint8_t reached[COUNT] = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
      uint32_t target, seq;
      asz_sched_next(&sched, &target, &seq, 1);
      cr_assert(asz_shard_has(&shard, target));
      cr_assert(eq(u32, seq, round));
      cr_assert(eq(u8, reached[target - FIRST]++, 0), "target %u twice in round %u", target, round);
    }
  }
}

/* Bursts that straddle rounds, rounds shorter than a burst, one target alone. */
Test(sched, bursts_equal_random_access)
{
  static const uint32_t counts[] = {1, 2, 3, 63, 64, 65, 1000};
  for (unsigned c = 0; c < 2 * sizeof counts / sizeof *counts; c++) {
    struct asz_sched sched;
    const struct asz_shard shard = shard_from(c % 2 * 77, counts[c / 2]);
    asz_sched_init(&sched, &shard, secret);
    uint64_t index = 0;
    for (uint32_t size = 1; size <= 64; size++) {
      uint32_t target[64], seq[64];
      asz_sched_next(&sched, target, seq, size);
      for (uint32_t i = 0; i < size; i++, index++) {
        uint32_t expected_seq;
        cr_assert(eq(u32, target[i], asz_sched_target(&shard, secret, index, &expected_seq)), "count %u, probe %lu", shard.count,
                  (unsigned long)index);
        cr_assert(eq(u32, seq[i], expected_seq));
      }
    }
  }
}

Test(sched, order_changes_with_round_shard_and_secret)
{
  enum { COUNT = 1000 };
  const struct asz_shard shard = {.count = COUNT}, other = {.number = 1, .count = COUNT};
  unsigned same_round = 0, same_shard = 0, same_secret = 0;
  for (uint32_t i = 0; i < COUNT; i++) {
    uint32_t target = asz_sched_target(&shard, secret, i, NULL);
    same_round += target == asz_sched_target(&shard, secret, COUNT + i, NULL);
    same_shard += target == asz_sched_target(&other, secret, i, NULL);
    same_secret += target == asz_sched_target(&shard, other_secret, i, NULL);
  }
  cr_assert(lt(uint, same_round, 20)); /* one is expected by chance */
  cr_assert(lt(uint, same_shard, 20));
  cr_assert(lt(uint, same_secret, 20));
}

Test(sched, shards_are_even_and_cover_every_target_once)
{
  static const uint32_t counts[] = {1, 3, 15, 16, 17, 1000, 9999991, 1 << 24};
  for (unsigned c = 0; c < sizeof counts / sizeof *counts; c++)
    for (uint32_t shards = 1; shards <= 16; shards++) {
      uint32_t next = 0;
      for (uint32_t number = 0; number < shards; number++) {
        struct asz_shard shard = asz_shard_of(number, shards, counts[c]);
        cr_assert(eq(u32, shard.first, next));
        next += shard.count;
        cr_assert(shard.count == counts[c] / shards || shard.count == (counts[c] + shards - 1) / shards);
        if (shard.count > 0) {
          cr_assert(eq(u32, asz_shard_owner(shard.first, shards, counts[c]), number));
          cr_assert(eq(u32, asz_shard_owner(next - 1, shards, counts[c]), number));
        }
      }
      cr_assert(eq(u32, next, counts[c]));
    }
}
