/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "dataplane/sched.h"

static const uint8_t secret[32] = {9, 8, 7};
static const uint8_t other_secret[32] = {9, 8, 6};

Test(sched, every_target_is_reached_once_a_round)
{
  enum { COUNT = 1000, ROUNDS = 5 };
  struct asz_sched sched;
  asz_sched_init(&sched, COUNT, secret);
  for (uint32_t round = 0; round < ROUNDS; round++) {
    uint8_t reached[COUNT] = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
      uint32_t target, seq;
      asz_sched_next(&sched, &target, &seq, 1);
      cr_assert(lt(u32, target, COUNT));
      cr_assert(eq(u32, seq, round));
      cr_assert(eq(u8, reached[target]++, 0), "target %u twice in round %u", target, round);
    }
  }
}

/* Bursts that straddle rounds, rounds shorter than a burst, one target alone. */
Test(sched, bursts_equal_random_access)
{
  static const uint32_t counts[] = {1, 2, 3, 63, 64, 65, 1000};
  for (unsigned c = 0; c < sizeof counts / sizeof *counts; c++) {
    struct asz_sched sched;
    asz_sched_init(&sched, counts[c], secret);
    uint64_t index = 0;
    for (uint32_t size = 1; size <= 64; size++) {
      uint32_t target[64], seq[64];
      asz_sched_next(&sched, target, seq, size);
      for (uint32_t i = 0; i < size; i++, index++) {
        uint32_t expected_seq;
        cr_assert(eq(u32, target[i], asz_sched_target(counts[c], secret, index, &expected_seq)), "count %u, probe %lu", counts[c],
                  (unsigned long)index);
        cr_assert(eq(u32, seq[i], expected_seq));
      }
    }
  }
}

Test(sched, order_changes_with_round_and_secret)
{
  enum { COUNT = 1000 };
  unsigned same_round = 0, same_secret = 0;
  for (uint32_t i = 0; i < COUNT; i++) {
    uint32_t target = asz_sched_target(COUNT, secret, i, NULL);
    same_round += target == asz_sched_target(COUNT, secret, COUNT + i, NULL);
    same_secret += target == asz_sched_target(COUNT, other_secret, i, NULL);
  }
  cr_assert(lt(uint, same_round, 20)); /* one is expected by chance */
  cr_assert(lt(uint, same_secret, 20));
}
