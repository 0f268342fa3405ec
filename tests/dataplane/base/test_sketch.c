/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/err.h"
#include "dataplane/base/sketch.h"
#include "tests/random.h"

enum { LAST = ASZ_SKETCH_BINS - 1 };
static const uint64_t value_max = UINT64_MAX;

/* The largest value in a bin, by bisection: bins are in the order of their values, which bins_are_in_order checks. */
static uint64_t bound_of(unsigned bin) {
  uint64_t low = 0, high = UINT64_C(1) << 34;
  while (low < high) {
    uint64_t middle = low + (high - low + 1) / 2;
    if (asz_sketch_bin(middle) <= bin)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

/* Within 1 %, and the half ns by which any estimate in whole ns may be off. */
static void expect_close(uint64_t value, uint64_t seed) {
  uint64_t estimate = asz_sketch_value(asz_sketch_bin(value));
  uint64_t off = estimate > value ? estimate - value : value - estimate;
  cr_assert_leq(100 * off, value + 50, "seed %lu: %lu ns estimated as %lu", seed, value, estimate);
}

TestSuite(sketch, .init = asz_sketch_init);

Test(sketch, extreme_values_fall_into_the_outer_bins)
{
  cr_assert_eq(asz_sketch_bin(0), 0);
  cr_assert_eq(asz_sketch_bin(1), 0);
  cr_assert_eq(asz_sketch_bin(1000), 0);
  cr_assert_eq(asz_sketch_bin(1001), 1);
  cr_assert_eq(asz_sketch_bin(UINT32_MAX), 764);
  cr_assert_eq(asz_sketch_bin(value_max), LAST);
  cr_assert_eq(asz_sketch_bin(UINT64_C(1) << 63), LAST);
}

Test(sketch, bounds_equal_the_exact_rationals)
{
  /* floor(1000 * (101/99)^i) by exact fractions */
  static const struct {
    unsigned bin;
    uint64_t bound;
  } exact[] = {{0, 1000},   {1, 1020},      {2, 1040},       {3, 1061},         {34, 1973},       {35, 2013},
               {100, 7389}, {383, 2122299}, {500, 22033809}, {700, 1203165664}, {766, 4504154257}};
  for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++)
    cr_assert_eq(bound_of(exact[i].bin), exact[i].bound, "bin %u", exact[i].bin);
}

Test(sketch, every_bound_ends_its_bin_and_is_within_one_percent)
{
  uint64_t before = 0;
  for (unsigned bin = 0; bin < LAST; bin++) {
    uint64_t bound = bound_of(bin);
    cr_assert_eq(asz_sketch_bin(bound), bin);
    cr_assert_eq(asz_sketch_bin(bound + 1), bin + 1, "one bin further, %lu", bound + 1);
    cr_assert_gt(bound, before);
    expect_close(bound, 0);
    expect_close(bound + 1, 0);
    before = bound;
  }
  expect_close(4595147273, 0); /* the last bound: beyond it, no promise */
}

Test(sketch, bins_are_in_order)
{
  unsigned bin = 0;
  for (uint64_t value = 0; value < 3000000; value++) {
    unsigned next = asz_sketch_bin(value);
    cr_assert(next == bin || next == bin + 1, "at %lu", value);
    bin = next;
  }
  for (uint64_t value = 3000000; value < 4595147273; value += value / 9999) {
    unsigned next = asz_sketch_bin(value);
    cr_assert(next == bin || next == bin + 1, "at %lu", value);
    bin = next;
  }
}

Test(sketch, random_values_are_estimated_within_one_percent)
{
  struct asz_test_random random = asz_test_random_start(2019);
  for (int i = 0; i < 1000000; i++) {
    uint64_t bits = asz_test_random_next(&random);
    uint64_t value = 1000 + (bits >> 6) % ((UINT64_C(1) << (10 + bits % 23)) - 1); /* every magnitude alike */
    expect_close(value, random.seed);
  }
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

Test(sketch, quantiles_are_within_one_percent_of_the_sorted_ones)
{
  struct asz_test_random random = asz_test_random_start(7);
  static uint64_t value[10007];
  struct asz_sketch sketch = {0};
  size_t n = sizeof value / sizeof value[0];
  for (size_t i = 0; i < n; i++) {
    uint64_t bits = asz_test_random_next(&random);
    value[i] = 20000 + (bits >> 8) % (bits % 10 == 0 ? 50000000 : 800000);
    asz_sketch_add(&sketch, value[i]);
  }
  qsort(value, n, sizeof value[0], compare);
  cr_assert_eq(asz_sketch_total(&sketch), n);
  for (uint32_t q_ppm = 0; q_ppm <= 1000000; q_ppm += 500) {
    uint64_t exact = value[(uint64_t)q_ppm * (n - 1) / 1000000];
    cr_assert_eq(asz_sketch_quantile(&sketch, q_ppm), asz_sketch_value(asz_sketch_bin(exact)), "seed %lu, q %u ppm", random.seed,
                 q_ppm);
  }
}

Test(sketch, an_empty_sketch_has_quantile_zero)
{
  struct asz_sketch sketch = {0};
  cr_assert_eq(asz_sketch_quantile(&sketch, 0), 0);
  cr_assert_eq(asz_sketch_quantile(&sketch, 1000000), 0);
}

Test(sketch, one_sample_is_every_quantile)
{
  struct asz_sketch sketch = {0};
  asz_sketch_add(&sketch, 123456);
  for (uint32_t q_ppm = 0; q_ppm <= 1000000; q_ppm += 250000)
    cr_assert_eq(asz_sketch_quantile(&sketch, q_ppm), asz_sketch_value(asz_sketch_bin(123456)));
}

Test(sketch, counts_saturate_rather_than_wrap)
{
  struct asz_sketch sketch = {0}, other = {0};
  for (int i = 0; i < 70000; i++)
    asz_sketch_add(&sketch, 5000);
  cr_assert_eq(asz_sketch_total(&sketch), UINT16_MAX);
  other.count[asz_sketch_bin(5000)] = 1;
  other.count[3] = 40000;
  asz_sketch_merge(&sketch, &other);
  asz_sketch_merge(&sketch, &other);
  cr_assert_eq(sketch.count[asz_sketch_bin(5000)], UINT16_MAX);
  cr_assert_eq(sketch.count[3], UINT16_MAX);
}

Test(sketch, a_full_sketch_has_its_largest_quantile_in_the_last_bin)
{
  struct asz_sketch sketch;
  memset(&sketch, 0xff, sizeof sketch);
  cr_assert_eq(asz_sketch_quantile(&sketch, 1000000), asz_sketch_value(LAST));
  cr_assert_eq(asz_sketch_quantile(&sketch, 0), asz_sketch_value(0));
}

Test(sketch, merging_equals_adding_to_one)
{
  struct asz_test_random random = asz_test_random_start(3);
  struct asz_sketch a = {0}, b = {0}, both = {0};
  for (int i = 0; i < 5000; i++) {
    uint64_t value = asz_test_random_next(&random) % 100000000;
    asz_sketch_add(i % 3 == 0 ? &a : &b, value);
    asz_sketch_add(&both, value);
  }
  asz_sketch_merge(&a, &b);
  cr_assert_eq(memcmp(&a, &both, sizeof a), 0, "seed %lu", random.seed);
}

Test(sketch, unpack_refuses_what_pack_never_makes)
{
  static const struct {
    const char *what;
    uint8_t bytes[8];
    size_t size_bytes;
  } bad[] = {
      {"a skip without a count", {5}, 1},
      {"a second skip without a count", {5, 1, 0}, 3},
      {"an unfinished varint", {0x80}, 1},
      {"an unfinished count", {0, 0x80}, 2},
      {"a count of zero", {0, 0}, 2},
      {"zero spelt in two bytes", {0x80, 0x00, 1}, 3},
      {"one spelt in three bytes", {0, 0x81, 0x80, 0x00}, 4},
      {"a count of 65536", {0, 0x80, 0x80, 0x04}, 4},
      {"a varint of four bytes", {0, 0xff, 0xff, 0xff, 0x01}, 5},
      {"bin 768", {0x80, 0x06, 1}, 3},
      {"a bin behind the last one", {0xff, 0x05, 1, 0, 1}, 5},
      {"a skip of 2^21 - 1", {0xff, 0xff, 0x7f, 1}, 4},
  };
  struct asz_sketch sketch, untouched;
  memset(&sketch, 0x5a, sizeof sketch);
  untouched = sketch;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    uint8_t *exact = malloc(bad[i].size_bytes);
    memcpy(exact, bad[i].bytes, bad[i].size_bytes);
    cr_assert_eq(asz_sketch_unpack(&sketch, exact, bad[i].size_bytes), ASZ_EFORMAT, "%s", bad[i].what);
    free(exact);
  }
  cr_assert_eq(memcmp(&sketch, &untouched, sizeof sketch), 0, "outputs stay untouched on failure");
}

Test(sketch, packing_is_undone_by_unpacking)
{
  struct asz_test_random random = asz_test_random_start(11);
  for (int round = 0; round < 300; round++) {
    struct asz_sketch sketch = {0}, again;
    uint8_t packed[ASZ_SKETCH_PACKED_MAX];
    unsigned filled = round % 5 == 0 ? ASZ_SKETCH_BINS : (unsigned)(asz_test_random_next(&random) % 40);
    for (unsigned i = 0; i < filled; i++) {
      uint64_t bits = asz_test_random_next(&random);
      sketch.count[round % 5 == 0 ? i : bits % ASZ_SKETCH_BINS] = (uint16_t)(bits >> 40 >> bits % 16);
    }
    size_t size = asz_sketch_pack(packed, &sketch);
    cr_assert_eq(asz_sketch_unpack(&again, packed, size), ASZ_OK, "seed %lu, round %d", random.seed, round);
    cr_assert_eq(memcmp(&sketch, &again, sizeof sketch), 0, "seed %lu, round %d", random.seed, round);
    for (size_t shorter = 0; shorter < size; shorter++) /* a prefix is either refused or a sketch of its own */
      if (asz_sketch_unpack(&again, packed, shorter) == ASZ_OK)
        cr_assert_neq(memcmp(&sketch, &again, sizeof sketch), 0, "seed %lu, round %d, %zu bytes", random.seed, round, shorter);
  }
}

Test(sketch, the_fullest_sketch_fits_the_packed_limit)
{
  struct asz_sketch sketch;
  uint8_t packed[ASZ_SKETCH_PACKED_MAX];
  memset(&sketch, 0xff, sizeof sketch);
  cr_assert_eq(asz_sketch_pack(packed, &sketch), ASZ_SKETCH_BINS * 4);
}
