/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/sketch.h"
#include "tests/random.h"

enum { LAST = ASZ_SKETCH_BINS - 1, CELLS = ASZ_SKETCH_CELLS_DEFAULT };
static const uint64_t value_max = UINT64_MAX;

/* A sketch with cells of its own. */
struct own {
  struct asz_sketch sketch;
  uint16_t cell[ASZ_SKETCH_CELLS_MAX];
};

static struct asz_sketch *own_open(struct own *own, uint32_t cell_count) {
  memset(own, 0, sizeof *own);
  own->sketch = (struct asz_sketch){.cell = own->cell, .cell_count = cell_count};
  return &own->sketch;
}

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
  struct own own;
  struct asz_sketch *sketch = own_open(&own, ASZ_SKETCH_CELLS_MIN);
  asz_sketch_add(sketch, value);
  uint64_t estimate = asz_sketch_quantile(sketch, 500000);
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
  for (int i = 0; i < 200000; i++) {
    uint64_t bits = asz_test_random_next(&random);
    uint64_t value = 1000 + (bits >> 6) % ((UINT64_C(1) << (10 + bits % 23)) - 1); /* every magnitude alike */
    expect_close(value, random.seed);
  }
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Values of every kind: close together, with a tail, over all magnitudes. */
static uint64_t value_draw(struct asz_test_random *random, unsigned kind) {
  uint64_t bits = asz_test_random_next(random);
  switch (kind) {
  case 0:
    return 20000000 + bits % 3000000;
  case 1:
    return 200000 + (bits >> 8) % (bits % 10 == 0 ? 50000000 : 800000);
  default:
    return 1000 + (bits >> 6) % ((UINT64_C(1) << (10 + bits % 23)) - 1);
  }
}

Test(sketch, quantiles_are_within_the_stated_error_of_the_sorted_ones)
{
  static const uint32_t cells[] = {32, 64, 128, 1024};
  enum { COUNT = 5003 };
  static uint64_t value[COUNT];
  struct asz_test_random random = asz_test_random_start(7);
  for (unsigned round = 0; round < 12; round++) {
    struct own own;
    struct asz_sketch *sketch = own_open(&own, cells[round % 4]);
    for (size_t i = 0; i < COUNT; i++) {
      value[i] = value_draw(&random, round % 3);
      asz_sketch_add(sketch, value[i]);
    }
    qsort(value, COUNT, sizeof value[0], compare);
    cr_assert_eq(asz_sketch_total(sketch), COUNT);
    uint64_t error_ppm = asz_sketch_error_ppm(sketch);
    for (uint32_t q_ppm = 0; q_ppm <= 1000000; q_ppm += 500) {
      uint64_t exact = value[(uint64_t)q_ppm * (COUNT - 1) / 1000000], estimate = asz_sketch_quantile(sketch, q_ppm);
      uint64_t off = estimate > exact ? estimate - exact : exact - estimate;
      cr_assert_leq(off * 1000000, exact * error_ppm + 500000, "seed %lu, round %u, q %u ppm: %lu estimated as %lu", random.seed,
                    round, q_ppm, exact, estimate);
    }
  }
}

Test(sketch, error_doubles_with_each_level_that_the_span_needs)
{
  static const struct {
    uint64_t factor;
    unsigned level;
    uint32_t error_ppm;
  } spans[] = {{1, 0, 10001}, {160, 0, 10001}, {180, 1, 19999}, {4000, 1, 19999}};
  for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
    struct own own;
    struct asz_sketch *sketch = own_open(&own, CELLS);
    asz_sketch_add(sketch, 1000000);
    asz_sketch_add(sketch, 1000000 * spans[i].factor);
    cr_assert_eq(sketch->level, spans[i].level, "a span of %lu", spans[i].factor);
    cr_assert_eq(asz_sketch_error_ppm(sketch), spans[i].error_ppm, "a span of %lu", spans[i].factor);
  }
}

Test(sketch, an_empty_sketch_has_quantile_zero)
{
  struct own own;
  cr_assert_eq(asz_sketch_quantile(own_open(&own, CELLS), 0), 0);
  cr_assert_eq(asz_sketch_quantile(&own.sketch, 1000000), 0);
}

Test(sketch, one_sample_is_every_quantile)
{
  struct own own;
  asz_sketch_add(own_open(&own, CELLS), 123456);
  uint64_t first = asz_sketch_quantile(&own.sketch, 0);
  cr_assert(first > 122000 && first < 125000);
  for (uint32_t q_ppm = 0; q_ppm <= 1000000; q_ppm += 250000)
    cr_assert_eq(asz_sketch_quantile(&own.sketch, q_ppm), first);
}

Test(sketch, counts_saturate_rather_than_wrap)
{
  struct own own, other;
  own_open(&own, CELLS);
  own_open(&other, CELLS);
  for (int i = 0; i < 70000; i++)
    asz_sketch_add(&own.sketch, 5000);
  cr_assert_eq(asz_sketch_total(&own.sketch), UINT16_MAX);
  for (int i = 0; i < 40000; i++)
    asz_sketch_add(&other.sketch, 5000);
  asz_sketch_merge(&own.sketch, &other.sketch);
  cr_assert_eq(asz_sketch_total(&own.sketch), UINT16_MAX);
  asz_sketch_add(&other.sketch, 5000000000); /* joins cells */
  asz_sketch_merge(&own.sketch, &other.sketch);
  cr_assert_eq(asz_sketch_total(&own.sketch), (uint64_t)UINT16_MAX + 1);
}

/* A sum is a sketch without folding whose counts do not end at 65,535. */
Test(sketch, sum_of_many_has_their_quantiles_and_does_not_saturate)
{
  static struct asz_sketch_sum sum;
  struct asz_test_random random = asz_test_random_start(20261125);
  struct own all, part;
  struct asz_sketch *together = own_open(&all, ASZ_SKETCH_CELLS_MAX);
  cr_assert_eq(asz_sketch_sum_quantile(&sum, 500000), 0);
  for (unsigned i = 0; i < 200; i++) {
    struct asz_sketch *sketch = own_open(&part, CELLS);
    asz_sketch_sum_add(&sum, sketch); /* empty */
    for (unsigned k = 0; k < 50; k++) {
      uint64_t value = 20000 + asz_test_random_next(&random) % 2000000; /* a factor of 101: at level 0 */
      asz_sketch_add(sketch, value);
      asz_sketch_add(together, value);
    }
    asz_sketch_sum_add(&sum, sketch);
  }
  for (uint32_t q_ppm = 0; q_ppm <= 1000000; q_ppm += 50000)
    cr_assert_eq(asz_sketch_sum_quantile(&sum, q_ppm), asz_sketch_quantile(together, q_ppm), "seed %lu, %u ppm", random.seed,
                 q_ppm);
  struct asz_sketch *full = own_open(&part, CELLS);
  for (unsigned i = 0; i < UINT16_MAX; i++)
    asz_sketch_add(full, 5000000);
  asz_sketch_sum_add(&sum, full);
  asz_sketch_sum_add(&sum, full);
  cr_assert_eq(sum.bin[asz_sketch_bin(5000000)], 2 * UINT16_MAX);
  cr_assert_eq(asz_sketch_sum_quantile(&sum, 500000), asz_sketch_quantile(full, 500000));
}

Test(sketch, sum_of_a_folded_sketch_is_within_its_error)
{
  struct asz_sketch_sum sum = {{0}};
  struct own own;
  struct asz_sketch *sketch = own_open(&own, ASZ_SKETCH_CELLS_MIN);
  asz_sketch_add(sketch, 1500);
  asz_sketch_add(sketch, 900000);
  asz_sketch_add(sketch, value_max);
  asz_sketch_sum_add(&sum, sketch);
  uint64_t estimate = asz_sketch_sum_quantile(&sum, 500000),
           error = 900000 * (uint64_t)(asz_sketch_error_ppm(sketch) + 10001) / 1000000;
  cr_assert(estimate >= 900000 - error && estimate <= 900000 + error, "%lu", estimate);
}

Test(sketch, cell_counts_other_than_powers_of_two_in_range_are_refused)
{
  static const uint64_t bad[] = {0, 1, 16, 31, 33, 96, 1023, 2048, UINT64_MAX, UINT64_C(1) << 40};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    cr_assert_not(asz_sketch_cells_ok(bad[i]), "%lu", bad[i]);
  for (uint64_t good = 32; good <= 1024; good *= 2)
    cr_assert(asz_sketch_cells_ok(good));
}

static void expect_same(const struct own *a, const struct own *b, uint64_t seed) {
  cr_assert_eq(a->sketch.level, b->sketch.level, "seed %lu", seed);
  cr_assert_eq(a->sketch.bin_min, b->sketch.bin_min, "seed %lu", seed);
  cr_assert_eq(a->sketch.bin_max, b->sketch.bin_max, "seed %lu", seed);
  cr_assert_eq(memcmp(a->cell, b->cell, sizeof a->cell), 0, "seed %lu", seed);
}

/* Whatever the split, the order, and who is merged into whom. */
Test(sketch, merging_equals_adding_to_one_cell_by_cell)
{
  struct asz_test_random random = asz_test_random_start(3);
  for (unsigned round = 0; round < 60; round++) {
    struct own a, b, both;
    own_open(&a, 32u << round % 3);
    own_open(&b, 32u << round % 3);
    own_open(&both, 32u << round % 3);
    for (int i = 0; i < 300; i++) {
      uint64_t value = value_draw(&random, (unsigned)(round + (unsigned)(i % 7 == 0)) % 3);
      asz_sketch_add(round % 5 == 0 || i % 3 == 0 ? &a.sketch : &b.sketch, value);
      asz_sketch_add(&both.sketch, value);
    }
    struct own other_way = b;
    other_way.sketch.cell = other_way.cell;
    asz_sketch_merge(&other_way.sketch, &a.sketch);
    asz_sketch_merge(&a.sketch, &b.sketch);
    expect_same(&a, &both, random.seed);
    expect_same(&other_way, &both, random.seed);
  }
}

Test(sketch, order_of_arrival_does_not_matter)
{
  struct asz_test_random random = asz_test_random_start(5);
  enum { COUNT = 400 };
  uint64_t value[COUNT];
  struct own forth, back;
  own_open(&forth, 32);
  own_open(&back, 32);
  for (int i = 0; i < COUNT; i++)
    asz_sketch_add(&forth.sketch, value[i] = value_draw(&random, 2));
  for (int i = COUNT - 1; i >= 0; i--)
    asz_sketch_add(&back.sketch, value[i]);
  expect_same(&forth, &back, random.seed);
}
