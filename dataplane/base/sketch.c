/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the sketch and its folding.
 *
 * bound[0] = 1 us and bound[i+1] = bound[i] * 101 / 99, carried with 64 bits of fraction: 33 + 64 bits times 101 stay within
 * 128, and the error of 767 truncated divisions stays far below the last kept integer bit. The estimate of a cell that spans
 * (low, high] is 2 low high / (low + high), the value with the same relative distance to both ends, (high - low) / (high + low):
 * 1 % for one bin. Rounding it to whole ns adds at most half a ns, which shows only near 1 us.
 *
 * Finding a bin needs no logarithm: leading-zero count and six mantissa bits cut the values into buckets no wider than
 * 1/64 = 1.6 % < 2 %, so a bucket holds at most one bound. A table names the bin of a bucket's first value; one comparison
 * with that bin's bound decides. */
#include "dataplane/base/sketch.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

typedef unsigned __int128 u128; /* the compiler's own type under a readable name */

enum {
  BOUND_FIRST_NS = 1000,
  EXPONENT_MIN = 9,  /* 2^9 <= 1000 */
  EXPONENT_MAX = 32, /* the last bound is below 2^33 */
  MANTISSA_BITS = 6,
  BUCKETS = (EXPONENT_MAX - EXPONENT_MIN + 1) << MANTISSA_BITS,
};

static uint64_t bound_ns[ASZ_SKETCH_BINS];
static uint64_t bound_q24[ASZ_SKETCH_BINS]; /* the same with 24 bits of fraction, for estimates */
static uint16_t bin_guess[BUCKETS];
static bool ready;

/* Order-preserving bucket of a value in [BOUND_FIRST_NS, bound_ns[last]]. */
static inline unsigned bucket_of(uint64_t value_ns) {
  unsigned exponent = 63 - (unsigned)__builtin_clzll(value_ns);
  unsigned mantissa = (unsigned)(value_ns >> (exponent - MANTISSA_BITS)) & ((1u << MANTISSA_BITS) - 1);
  return (exponent - EXPONENT_MIN) << MANTISSA_BITS | mantissa;
}

static uint64_t bucket_first_ns(unsigned bucket) {
  unsigned exponent = EXPONENT_MIN + (bucket >> MANTISSA_BITS);
  uint64_t mantissa = 1u << MANTISSA_BITS | (bucket & ((1u << MANTISSA_BITS) - 1));
  return mantissa << (exponent - MANTISSA_BITS);
}

void asz_sketch_init(void) {
  if (ready)
    return;
  u128 bound_q64 = (u128)BOUND_FIRST_NS << 64;
  for (unsigned bin = 0; bin < ASZ_SKETCH_BINS; bin++) {
    bound_ns[bin] = (uint64_t)(bound_q64 >> 64);
    bound_q24[bin] = (uint64_t)(bound_q64 >> 40);
    bound_q64 = bound_q64 * 101 / 99;
  }
  assert(bound_ns[ASZ_SKETCH_BINS - 1] < (uint64_t)1 << (EXPONENT_MAX + 1));
  for (unsigned bucket = 0, bin = 0; bucket < BUCKETS; bucket++) {
    while (bin < ASZ_SKETCH_BINS - 1 && bucket_first_ns(bucket) > bound_ns[bin])
      bin++;
    bin_guess[bucket] = (uint16_t)bin;
  }
  ready = true;
}

unsigned asz_sketch_bin(uint64_t value_ns) {
  if (value_ns <= BOUND_FIRST_NS)
    return 0;
  if (value_ns >= bound_ns[ASZ_SKETCH_BINS - 1])
    return ASZ_SKETCH_BINS - 1;
  unsigned bin = bin_guess[bucket_of(value_ns)];
  return bin + (value_ns > bound_ns[bin]);
}

bool asz_sketch_cells_ok(uint64_t cell_count) {
  return cell_count >= ASZ_SKETCH_CELLS_MIN && cell_count <= ASZ_SKETCH_CELLS_MAX && (cell_count & (cell_count - 1)) == 0;
}

static inline uint16_t add_saturated(uint16_t a, uint32_t b) {
  return (uint16_t)(a + b > UINT16_MAX ? UINT16_MAX : a + b);
}

/* Joins cells up to a level at which bin_min..bin_max fit. */
static void raise_to(struct asz_sketch *sketch, unsigned level) {
  uint16_t old[ASZ_SKETCH_CELLS_MAX];
  memcpy(old, sketch->cell, sketch->cell_count * sizeof *old);
  memset(sketch->cell, 0, sketch->cell_count * sizeof *old);
  for (unsigned place = sketch->bin_min >> sketch->level; place <= (unsigned)sketch->bin_max >> sketch->level; place++) {
    uint16_t *into = &sketch->cell[asz_sketch_at(place, level - sketch->level, sketch->cell_count)];
    *into = add_saturated(*into, old[asz_sketch_at(place, 0, sketch->cell_count)]);
  }
  sketch->level = (uint8_t)level;
}

void asz_sketch_stretch(struct asz_sketch *sketch, unsigned bin_min, unsigned bin_max) {
  assert(bin_min <= bin_max && bin_max < ASZ_SKETCH_BINS);
  unsigned level = sketch->some ? sketch->level : 0;
  unsigned low = sketch->some && sketch->bin_min < bin_min ? sketch->bin_min : bin_min;
  unsigned high = sketch->some && sketch->bin_max > bin_max ? sketch->bin_max : bin_max;
  while ((high >> level) - (low >> level) >= sketch->cell_count)
    level++;
  if (sketch->some && level > sketch->level)
    raise_to(sketch, level);
  sketch->level = (uint8_t)level;
  sketch->bin_min = (uint16_t)low;
  sketch->bin_max = (uint16_t)high;
  sketch->some = true;
}

void asz_sketch_add(struct asz_sketch *sketch, uint64_t value_ns) {
  unsigned bin = asz_sketch_bin(value_ns);
  asz_sketch_stretch(sketch, bin, bin);
  uint16_t *cell = &sketch->cell[asz_sketch_at(bin, sketch->level, sketch->cell_count)];
  *cell = add_saturated(*cell, 1);
}

void asz_sketch_merge(struct asz_sketch *into, const struct asz_sketch *from) {
  assert(into->cell_count == from->cell_count);
  if (!from->some)
    return;
  asz_sketch_stretch(into, from->bin_min, from->bin_max);
  if (from->level > into->level)
    raise_to(into, from->level);
  for (unsigned place = from->bin_min >> from->level; place <= (unsigned)from->bin_max >> from->level; place++) {
    uint16_t *cell = &into->cell[asz_sketch_at(place, into->level - from->level, into->cell_count)];
    *cell = add_saturated(*cell, from->cell[asz_sketch_at(place, 0, from->cell_count)]);
  }
}

uint64_t asz_sketch_total(const struct asz_sketch *sketch) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < sketch->cell_count; i++)
    total += sketch->cell[i];
  return total;
}

/* Bin 0 has no lower bound; its estimate is that of a bin like the others. */
static uint64_t estimate_ns(unsigned level, unsigned place) {
  unsigned first = place << level, last = first + (1u << level) - 1;
  u128 low = first == 0 ? bound_q24[0] * 99 / 101 : bound_q24[first - 1];
  u128 high = bound_q24[last < ASZ_SKETCH_BINS ? last : ASZ_SKETCH_BINS - 1];
  return (uint64_t)((2 * low * high / (low + high) + (1 << 23)) >> 24);
}

uint64_t asz_sketch_quantile(const struct asz_sketch *sketch, uint32_t q_ppm) {
  assert(q_ppm <= 1000000);
  uint64_t total = asz_sketch_total(sketch);
  if (total == 0)
    return 0;
  uint64_t rank = q_ppm * (total - 1) / 1000000; /* at most 10^6 * 1,024 * 65,535: no overflow */
  unsigned place = sketch->bin_min >> sketch->level;
  for (uint64_t seen = 0;; place++) {
    seen += sketch->cell[asz_sketch_at(place, 0, sketch->cell_count)];
    if (seen > rank)
      return estimate_ns(sketch->level, place);
  }
}

void asz_sketch_sum_add(struct asz_sketch_sum *sum, const struct asz_sketch *sketch) {
  if (!sketch->some)
    return;
  for (unsigned place = sketch->bin_min >> sketch->level; place <= (unsigned)sketch->bin_max >> sketch->level; place++) {
    unsigned bin = (place << sketch->level) + (1u << sketch->level) / 2;
    sum->bin[bin < ASZ_SKETCH_BINS ? bin : ASZ_SKETCH_BINS - 1] += sketch->cell[asz_sketch_at(place, 0, sketch->cell_count)];
  }
}

uint64_t asz_sketch_sum_quantile(const struct asz_sketch_sum *sum, uint32_t q_ppm) {
  assert(q_ppm <= 1000000);
  uint64_t total = 0;
  for (unsigned bin = 0; bin < ASZ_SKETCH_BINS; bin++)
    total += sum->bin[bin];
  if (total == 0)
    return 0;
  uint64_t rank = (uint64_t)((u128)q_ppm * (total - 1) / 1000000), seen = 0;
  for (unsigned bin = 0;; bin++) {
    seen += sum->bin[bin];
    if (seen > rank)
      return estimate_ns(0, bin);
  }
}

/* 2^level bins span gamma^(2^level) = high / low. */
uint32_t asz_sketch_error_ppm(const struct asz_sketch *sketch) {
  u128 low_q32 = (u128)1 << 32, high_q32 = low_q32;
  for (unsigned i = 0; i < 1u << sketch->level; i++)
    high_q32 = high_q32 * 101 / 99 + 1;
  return (uint32_t)(((high_q32 - low_q32) * 1000000 + high_q32 + low_q32 - 1) / (high_q32 + low_q32));
}
