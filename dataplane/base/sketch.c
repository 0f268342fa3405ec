/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the sketch and its packed form.
 *
 * bound[0] = 1 us and bound[i+1] = bound[i] * 101 / 99, carried with 64 bits of fraction: 33 + 64 bits times 101 stay within
 * 128, and the error of 767 truncated divisions stays far below the last kept integer bit. The estimate of a bin is
 * bound * 99 / 100, the value with the same relative distance, 1 %, to both ends; rounding it to whole ns adds at most half a
 * ns, which shows only near 1 us.
 *
 * Finding a bin needs no logarithm: leading-zero count and six mantissa bits cut the values into buckets no wider than
 * 1/64 = 1.6 % < 2 %, so a bucket holds at most one bound. A table names the bin of a bucket's first value; one comparison
 * with that bin's bound decides. */
#include "dataplane/base/sketch.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "dataplane/base/err.h"

typedef unsigned __int128 u128; /* the compiler's own type under a readable name */

enum {
  BOUND_FIRST_NS = 1000,
  EXPONENT_MIN = 9,  /* 2^9 <= 1000 */
  EXPONENT_MAX = 32, /* the last bound is below 2^33 */
  MANTISSA_BITS = 6,
  BUCKETS = (EXPONENT_MAX - EXPONENT_MIN + 1) << MANTISSA_BITS,
};

static uint64_t bound_ns[ASZ_SKETCH_BINS];
static uint64_t estimate_ns[ASZ_SKETCH_BINS];
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
    estimate_ns[bin] = (uint64_t)((bound_q64 * 99 / 100 + ((u128)1 << 63)) >> 64);
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

uint64_t asz_sketch_value(unsigned bin) {
  assert(bin < ASZ_SKETCH_BINS);
  return estimate_ns[bin];
}

static inline uint16_t add_saturated(uint16_t a, uint16_t b) {
  unsigned sum = (unsigned)a + b;
  return sum > UINT16_MAX ? UINT16_MAX : (uint16_t)sum;
}

void asz_sketch_add(struct asz_sketch *sketch, uint64_t value_ns) {
  uint16_t *count = &sketch->count[asz_sketch_bin(value_ns)];
  *count = add_saturated(*count, 1);
}

void asz_sketch_merge(struct asz_sketch *into, const struct asz_sketch *from) {
  for (unsigned bin = 0; bin < ASZ_SKETCH_BINS; bin++)
    into->count[bin] = add_saturated(into->count[bin], from->count[bin]);
}

uint64_t asz_sketch_total(const struct asz_sketch *sketch) {
  uint64_t total = 0;
  for (unsigned bin = 0; bin < ASZ_SKETCH_BINS; bin++)
    total += sketch->count[bin];
  return total;
}

uint64_t asz_sketch_quantile(const struct asz_sketch *sketch, uint32_t q_ppm) {
  assert(q_ppm <= 1000000);
  uint64_t total = asz_sketch_total(sketch);
  if (total == 0)
    return 0;
  uint64_t rank = q_ppm * (total - 1) / 1000000; /* at most 10^6 * 768 * 65535: no overflow */
  unsigned bin = 0;
  for (uint64_t seen = sketch->count[0]; seen <= rank; seen += sketch->count[bin])
    bin++;
  return estimate_ns[bin];
}

static size_t varint_write(uint8_t *at, uint32_t value) {
  size_t size_bytes = 0;
  for (; value >= 0x80; value >>= 7)
    at[size_bytes++] = (uint8_t)(value | 0x80);
  at[size_bytes++] = (uint8_t)value;
  return size_bytes;
}

/* Reads one varint of at most three bytes (21 bits) in its only spelling; returns the bytes read, 0 when it is not one. */
static size_t varint_read(uint32_t *ret_value, const uint8_t *at, size_t size_bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < size_bytes && i < 3; i++) {
    value |= (uint32_t)(at[i] & 0x7f) << (7 * i);
    if ((at[i] & 0x80) != 0)
      continue;
    if (i > 0 && at[i] == 0) /* a last byte of zero adds nothing: a second spelling of a smaller value */
      return 0;
    *ret_value = value;
    return i + 1;
  }
  return 0;
}

size_t asz_sketch_pack(uint8_t *ret_bytes, const struct asz_sketch *sketch) {
  size_t size_bytes = 0;
  unsigned next_bin = 0; /* the bin that a skip of zero would name */
  for (unsigned bin = 0; bin < ASZ_SKETCH_BINS; bin++) {
    if (sketch->count[bin] == 0)
      continue;
    size_bytes += varint_write(ret_bytes + size_bytes, bin - next_bin);
    size_bytes += varint_write(ret_bytes + size_bytes, sketch->count[bin]);
    next_bin = bin + 1;
  }
  assert(size_bytes <= ASZ_SKETCH_PACKED_MAX);
  return size_bytes;
}

int asz_sketch_unpack(struct asz_sketch *ret_sketch, const uint8_t *bytes, size_t size_bytes) {
  struct asz_sketch sketch;
  memset(&sketch, 0, sizeof sketch);
  uint32_t next_bin = 0;
  for (size_t at = 0; at < size_bytes;) {
    uint32_t skip = 0, count = 0;
    size_t skip_bytes = varint_read(&skip, bytes + at, size_bytes - at);
    if (skip_bytes == 0)
      return ASZ_EFORMAT;
    at += skip_bytes;
    size_t count_bytes = varint_read(&count, bytes + at, size_bytes - at);
    if (count_bytes == 0 || count == 0 || count > UINT16_MAX || next_bin + skip >= ASZ_SKETCH_BINS)
      return ASZ_EFORMAT;
    at += count_bytes;
    sketch.count[next_bin + skip] = (uint16_t)count;
    next_bin += skip + 1;
  }
  *ret_sketch = sketch;
  return ASZ_OK;
}
