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

static void check_rounds(uint32_t span, uint32_t rounds) {
  enum { FIRST = 500, COUNT = 1000 };
  struct asz_sched sched;
  const struct asz_shard shard = shard_from(FIRST, COUNT);
  asz_sched_init(&sched, &shard, span, secret, 0);
  for (uint32_t round = 0; round < rounds; round++) {
    uint8_t reached[COUNT] = {0};
    for (uint32_t i = 0; i < asz_sched_round_probes(&shard, span); i++) {
      uint32_t target, seq;
      asz_sched_next(&sched, &target, &seq, 1);
      cr_assert(asz_shard_has(&shard, target));
      uint8_t before = reached[target - FIRST]++;
      cr_assert(lt(u8, before, span > 0 ? 2 : 1), "target %u in round %u, span %u", target, round, span);
      cr_assert(eq(u32, seq, span > 0 ? 2 * round + before : round));
    }
  }
}

Test(sched, every_target_of_the_shard_is_reached_once_a_round_and_no_other)
{ check_rounds(0, 5); }

Test(sched, in_pairs_every_target_is_reached_twice_a_round_with_sequences_of_its_own)
{
  static const uint32_t spans[] = {1, 2, 7, 64, 500, 501, 999, 1000};
  for (unsigned i = 0; i < sizeof spans / sizeof *spans; i++)
    check_rounds(spans[i], 3);
}

/* Bursts that straddle blocks and rounds, rounds shorter than a burst, one target alone. */
Test(sched, bursts_equal_random_access)
{
  static const uint32_t counts[] = {1, 2, 3, 63, 64, 65, 1000}, spans[] = {0, 1, 2, 30, 64, 65};
  for (unsigned c = 0; c < 2 * sizeof counts / sizeof *counts; c++)
    for (unsigned s = 0; s < sizeof spans / sizeof *spans; s++) {
      struct asz_sched sched;
      const struct asz_shard shard = shard_from(c % 2 * 77, counts[c / 2]);
      const uint32_t span = spans[s] < shard.count ? spans[s] : shard.count;
      asz_sched_init(&sched, &shard, span, secret, 0);
      uint64_t index = 0;
      for (uint32_t size = 1; size <= 64; size++) {
        uint32_t target[64], seq[64];
        asz_sched_next(&sched, target, seq, size);
        for (uint32_t i = 0; i < size; i++, index++) {
          uint32_t expected_seq;
          cr_assert(eq(u32, target[i], asz_sched_target(&shard, span, secret, index, &expected_seq)),
                    "count %u, span %u, probe %lu", shard.count, span, (unsigned long)index);
          cr_assert(eq(u32, seq[i], expected_seq));
        }
      }
    }
}

Test(sched, a_walk_may_begin_at_any_round)
{
  const struct asz_shard shard = shard_from(77, 100);
  for (uint32_t span = 0; span <= 100; span += 33)
    for (uint32_t round = 0; round < 4; round++) {
      struct asz_sched sched;
      asz_sched_init(&sched, &shard, span, secret, round);
      for (uint64_t i = round * asz_sched_round_probes(&shard, span), end = i + 250; i < end; i++) {
        uint32_t target, seq, expected_seq;
        asz_sched_next(&sched, &target, &seq, 1);
        cr_assert(eq(u32, target, asz_sched_target(&shard, span, secret, i, &expected_seq)));
        cr_assert(eq(u32, seq, expected_seq));
      }
    }
}

/* The halves of a pair: the span's probes apart, or as many as the last block has targets. */
Test(sched, halves_of_a_pair_are_a_span_apart_at_most)
{
  enum { COUNT = 250, SPAN = 100, ROUNDS = 3 };
  const struct asz_shard shard = {.count = COUNT};
  uint32_t apart[COUNT + 1] = {0}, first_at[COUNT];
  for (uint32_t i = 0; i < 2 * COUNT * ROUNDS; i++) {
    uint32_t seq, target = asz_sched_target(&shard, SPAN, secret, i, &seq);
    if (seq % 2 == 0)
      first_at[target] = i;
    else
      apart[i - first_at[target]]++;
  }
  cr_assert(eq(u32, apart[SPAN], ROUNDS * 2 * SPAN));
  cr_assert(eq(u32, apart[COUNT % SPAN], ROUNDS * (COUNT % SPAN)));
}

Test(sched, the_span_is_what_fits_into_the_gap)
{
  const struct asz_shard half = {.count = 500000};
  enum { ALL = 1000000 };
  cr_assert(eq(u32, asz_sched_span(&half, 1000000, ALL, 0), 0), "no pairs");
  cr_assert(eq(u32, asz_sched_span(&half, 1000000, ALL, 5000000), 2500), "half of the rate is this lcore's");
  cr_assert(eq(u32, asz_sched_span(&half, 1000000, ALL, 5000399), 2500), "rounded down");
  cr_assert(eq(u32, asz_sched_span(&half, 10, ALL, 5000000), 1), "probes are further apart than the gap");
  cr_assert(eq(u32, asz_sched_span(&half, 200000000, ALL, 10000000), 500000), "no more than there are targets");
}

Test(sched, order_changes_with_round_shard_and_secret)
{
  enum { COUNT = 1000 };
  const struct asz_shard shard = {.count = COUNT}, other = {.number = 1, .count = COUNT};
  unsigned same_round = 0, same_shard = 0, same_secret = 0;
  for (uint32_t i = 0; i < COUNT; i++) {
    uint32_t target = asz_sched_target(&shard, 0, secret, i, NULL);
    same_round += target == asz_sched_target(&shard, 0, secret, COUNT + i, NULL);
    same_shard += target == asz_sched_target(&other, 0, secret, i, NULL);
    same_secret += target == asz_sched_target(&shard, 0, other_secret, i, NULL);
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
