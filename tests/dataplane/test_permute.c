/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/permute.h"
#include "tests/random.h"

static const uint8_t secret[32] = {1, 2, 3, 4, 5, 6, 7, 8};

static void expect_bijection(uint32_t count, uint32_t round) {
  struct asz_permute permute;
  uint8_t *seen = calloc(count, 1);
  asz_permute_init(&permute, count, secret, 0, round);
  for (uint32_t position = 0; position < count; position++) {
    uint32_t value = asz_permute_at(&permute, position);
    cr_assert_lt(value, count, "count %u, round %u, position %u", count, round, position);
    cr_assert_eq(seen[value]++, 0, "count %u, round %u: %u comes twice", count, round, value);
  }
  free(seen);
}

Test(permute, is_one_to_one_for_every_count_up_to_2000)
{
  for (uint32_t count = 1; count <= 2000; count++)
    expect_bijection(count, count % 7);
}

Test(permute, is_one_to_one_around_powers_of_two_and_for_a_million)
{
  static const uint32_t counts[] = {4095, 4096, 4097, 65535, 65536, 65537, 131071, 1000000, 1048576, 1048577};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
    expect_bijection(counts[i], 0);
}

Test(permute, the_largest_count_stays_in_range)
{
  struct asz_permute permute;
  struct asz_test_random random = asz_test_random_start(31);
  asz_permute_init(&permute, UINT32_C(1) << 30, secret, 0, 0);
  for (int i = 0; i < 100000; i++) {
    uint32_t position = (uint32_t)asz_test_random_next(&random) >> 2;
    cr_assert_lt(asz_permute_at(&permute, position), UINT32_C(1) << 30, "seed %lu, position %u", random.seed, position);
  }
}

Test(permute, neighbours_side_by_side_are_what_they_are_one_by_one)
{
  static const uint32_t counts[] = {1, 2, 3, 64, 65, 1000, 65537, 1000000, 1048577, UINT32_C(1) << 30};
  struct asz_test_random random = asz_test_random_start(32);
  for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
    for (uint32_t size = 0; size <= 67; size++) {
      struct asz_permute permute;
      uint32_t value[67];
      asz_permute_init(&permute, counts[c], secret, 3, size);
      if (size > counts[c])
        continue;
      uint32_t last = counts[c] - (size > 0 ? size : 1);
      uint32_t position = size % 3 == 0 ? last : (uint32_t)(asz_test_random_next(&random) % ((uint64_t)last + 1));
      asz_permute_many(&permute, position, value, size);
      for (uint32_t i = 0; i < size; i++)
        cr_assert_eq(value[i], asz_permute_at(&permute, position + i), "seed %lu, count %u, size %u, position %u", random.seed,
                     counts[c], size, position);
    }
}

static uint32_t places_shared(const struct asz_permute *a, const struct asz_permute *b) {
  uint32_t shared = 0;
  for (uint32_t position = 0; position < a->count; position++)
    shared += asz_permute_at(a, position) == asz_permute_at(b, position);
  return shared;
}

Test(permute, rounds_and_secrets_give_unrelated_orders)
{
  static const uint8_t other_secret[32] = {1, 2, 3, 4, 5, 6, 7, 9};
  struct asz_permute first, other;
  asz_permute_init(&first, 10007, secret, 0, 0);
  for (uint32_t round = 1; round < 50; round++) {
    asz_permute_init(&other, 10007, secret, 0, round);
    cr_assert_lt(places_shared(&first, &other), 20, "round %u: one place is expected by chance", round);
  }
  asz_permute_init(&other, 10007, other_secret, 0, 0);
  cr_assert_lt(places_shared(&first, &other), 20, "another secret");
}

Test(permute, neighbours_are_sent_far_apart)
{
  /* Two random places are count / 3 apart on average, and an eighth of the pairs within count / 16. */
  struct asz_permute permute;
  const uint32_t count = 100003;
  for (uint32_t round = 0; round < 10; round++) {
    uint64_t distance_sum = 0, near = 0;
    asz_permute_init(&permute, count, secret, 0, round);
    for (uint32_t position = 0; position + 1 < count; position++) {
      int64_t d = (int64_t)asz_permute_at(&permute, position + 1) - asz_permute_at(&permute, position);
      distance_sum += (uint64_t)llabs(d);
      near += llabs(d) < count / 16;
    }
    uint64_t mean = distance_sum / count;
    cr_assert(mean > count / 3 - count / 20 && mean < count / 3 + count / 20, "round %u: mean distance %lu of %u", round, mean,
              count);
    cr_assert(near > count / 16 && near < count / 5, "round %u: %lu near pairs", round, near);
  }
}

Test(permute, a_position_needs_no_history)
{
  struct asz_permute permute, again;
  asz_permute_init(&permute, 5000, secret, 0, 3);
  asz_permute_init(&again, 5000, secret, 0, 3);
  for (uint32_t position = 5000; position-- > 0;)
    cr_assert_eq(asz_permute_at(&permute, position), asz_permute_at(&again, position));
}

Test(permute, keys_of_a_fixed_secret_shard_and_round)
{
  /* hashlib.blake2b(b"assize/1/permute" + shard + round, key=bytes(range(32)), digest_size=32)[:16] */
  static const uint8_t expected[16] = {0x41, 0xbf, 0x8e, 0x92, 0x1d, 0x29, 0x9d, 0xf2,
                                       0x87, 0x44, 0x58, 0xbd, 0xc3, 0x8c, 0xaf, 0x5e};
  uint8_t counting[32];
  struct asz_permute permute;
  for (unsigned i = 0; i < 32; i++)
    counting[i] = (uint8_t)i;
  asz_permute_init(&permute, 1000, counting, 2, 5);
  cr_assert_arr_eq((const uint8_t *)permute.key, expected, 16);
}
