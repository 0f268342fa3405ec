/* SPDX-License-Identifier: Apache-2.0 */
/* asz_fe25x4: arithmetic modulo p = 2^255 - 19 four times, a lane of AVX2 each. For files that are compiled for it.
 *
 * AVX2 multiplies 32 x 32 bits, so a value has ten limbs of 26 and 25 bits in turn, limb i at 2^ceil(25.5 i), each in 64 bits of
 * its lane. The product of two limbs at odd places weighs 2 more than its place, and what passes 2^255 comes back times 19.
 *   tight: limbs < 2^26 + 2^14 at even places, < 2^25 + 2^14 at odd ones. What multiplication gives.
 *   A factor may be a sum of tight values: the first of five, the second of three, since 19 times a limb of it must fit 32 bits.
 */
#ifndef ASZ_GPU_SIMD_FE25X4_H
#define ASZ_GPU_SIMD_FE25X4_H

#include <immintrin.h>
#include <stdint.h>

struct asz_fe25x4 {
  __m256i v[10];
};

static inline __m256i asz_fe25x4_all(uint64_t value) {
  return _mm256_set1_epi64x((long long)value);
}

/* Bits of limb i, and a mask of them. */
static inline int asz_fe25x4_bits(int i) {
  return 26 - i % 2;
}
static inline __m256i asz_fe25x4_mask(int i) {
  return asz_fe25x4_all((UINT64_C(1) << asz_fe25x4_bits(i)) - 1);
}

static inline struct asz_fe25x4 asz_fe25x4_small(uint32_t value) {
  struct asz_fe25x4 r = {{asz_fe25x4_all(value)}};
  for (int i = 1; i < 10; i++)
    r.v[i] = _mm256_setzero_si256();
  return r;
}

static inline struct asz_fe25x4 asz_fe25x4_add(struct asz_fe25x4 a, struct asz_fe25x4 b) {
  for (int i = 0; i < 10; i++)
    a.v[i] = _mm256_add_epi64(a.v[i], b.v[i]);
  return a;
}

/* a - b + 2p, b tight: as a sum of two more. */
static inline struct asz_fe25x4 asz_fe25x4_sub(struct asz_fe25x4 a, struct asz_fe25x4 b) {
  for (int i = 0; i < 10; i++) {
    uint64_t p2 = (UINT64_C(2) << asz_fe25x4_bits(i)) - (i == 0 ? 38 : 2);
    a.v[i] = _mm256_add_epi64(a.v[i], _mm256_sub_epi64(asz_fe25x4_all(p2), b.v[i]));
  }
  return a;
}

/* 19 x, of any x below 2^59. */
static inline __m256i asz_fe25x4_times_19(__m256i x) {
  return _mm256_add_epi64(_mm256_add_epi64(x, _mm256_slli_epi64(x, 1)), _mm256_slli_epi64(x, 4));
}

/* The carry of limb i to the next. */
static inline void asz_fe25x4_carry_one(__m256i column[10], int i) {
  __m256i carry = _mm256_srli_epi64(column[i], asz_fe25x4_bits(i));
  column[i] = _mm256_and_si256(column[i], asz_fe25x4_mask(i));
  column[(i + 1) % 10] = _mm256_add_epi64(column[(i + 1) % 10], i == 9 ? asz_fe25x4_times_19(carry) : carry);
}

/* Columns below 2^63 to tight, by two chains at once that start from 0 and from 5: the second carries of 5 and 0 have few bits
 * left. */
static inline struct asz_fe25x4 asz_fe25x4_carry(__m256i column[10]) {
  struct asz_fe25x4 r;
#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
    asz_fe25x4_carry_one(column, i);
    asz_fe25x4_carry_one(column, i + 5);
  }
  asz_fe25x4_carry_one(column, 5);
  asz_fe25x4_carry_one(column, 0);
  for (int i = 0; i < 10; i++)
    r.v[i] = column[i];
  return r;
}

/* A row of a product: a, limb i of a factor, times b[first .. 9]; b19 is 19 b. The rows are written out below, not looped over: a
 * compiler keeps columns in registers only when it knows each index before it looks for what to keep there, and it unrolls but
 * the innermost loop after that (gcc 12). Forced in line, as is the product: passed in memory, values of 320 bytes made it half
 * as fast. */
__attribute__((always_inline)) static inline void asz_fe25x4_row(__m256i column[10], __m256i a, const __m256i b[10],
                                                                 const __m256i b19[10], int i, int first) {
  __m256i at_odd = i % 2 ? _mm256_add_epi64(a, a) : a;
#pragma GCC unroll 10
  for (int j = first; j < 10; j++) {
    __m256i product = _mm256_mul_epu32(j % 2 ? at_odd : a, i + j < 10 ? b[j] : b19[j]);
    column[(i + j) % 10] = _mm256_add_epi64(column[(i + j) % 10], product);
  }
}

/* Row by row: ten columns stay in registers, the other factor is read from memory. With limbs of a up to 5 tight ones and of b up
 * to 3, column 0 is the largest: (1 + 19 * 4) * 15 * 2^52 + 38 * 5 * 15 * 2^50 < 2^62.9. */
__attribute__((always_inline)) static inline struct asz_fe25x4 asz_fe25x4_mul(struct asz_fe25x4 a, struct asz_fe25x4 b) {
  const __m256i nineteen = asz_fe25x4_all(19);
  __m256i column[10], b19[10];
#pragma GCC unroll 10
  for (int j = 0; j < 10; j++) {
    column[j] = _mm256_setzero_si256();
    b19[j] = _mm256_mul_epu32(b.v[j], nineteen);
  }
  asz_fe25x4_row(column, a.v[0], b.v, b19, 0, 0);
  asz_fe25x4_row(column, a.v[1], b.v, b19, 1, 0);
  asz_fe25x4_row(column, a.v[2], b.v, b19, 2, 0);
  asz_fe25x4_row(column, a.v[3], b.v, b19, 3, 0);
  asz_fe25x4_row(column, a.v[4], b.v, b19, 4, 0);
  asz_fe25x4_row(column, a.v[5], b.v, b19, 5, 0);
  asz_fe25x4_row(column, a.v[6], b.v, b19, 6, 0);
  asz_fe25x4_row(column, a.v[7], b.v, b19, 7, 0);
  asz_fe25x4_row(column, a.v[8], b.v, b19, 8, 0);
  asz_fe25x4_row(column, a.v[9], b.v, b19, 9, 0);
  return asz_fe25x4_carry(column);
}

/* One limb's row of a square: its own square, and twice its products with the limbs after it. */
static inline void asz_fe25x4_square_row(__m256i column[10], struct asz_fe25x4 a, const __m256i a19[10], int i) {
  __m256i own = _mm256_mul_epu32(i % 2 ? _mm256_add_epi64(a.v[i], a.v[i]) : a.v[i], 2 * i < 10 ? a.v[i] : a19[i]);
  column[2 * i % 10] = _mm256_add_epi64(column[2 * i % 10], own);
  asz_fe25x4_row(column, _mm256_add_epi64(a.v[i], a.v[i]), a.v, a19, i, i + 1);
}

/* a up to a sum of two tight values. */
static inline struct asz_fe25x4 asz_fe25x4_square(struct asz_fe25x4 a) {
  const __m256i nineteen = asz_fe25x4_all(19);
  __m256i column[10], a19[10];
#pragma GCC unroll 10
  for (int j = 0; j < 10; j++) {
    column[j] = _mm256_setzero_si256();
    a19[j] = _mm256_mul_epu32(a.v[j], nineteen);
  }
  asz_fe25x4_square_row(column, a, a19, 0);
  asz_fe25x4_square_row(column, a, a19, 1);
  asz_fe25x4_square_row(column, a, a19, 2);
  asz_fe25x4_square_row(column, a, a19, 3);
  asz_fe25x4_square_row(column, a, a19, 4);
  asz_fe25x4_square_row(column, a, a19, 5);
  asz_fe25x4_square_row(column, a, a19, 6);
  asz_fe25x4_square_row(column, a, a19, 7);
  asz_fe25x4_square_row(column, a, a19, 8);
  asz_fe25x4_square_row(column, a, a19, 9);
  return asz_fe25x4_carry(column);
}

/* a^(2^n) */
static inline struct asz_fe25x4 asz_fe25x4_square_times(struct asz_fe25x4 a, int n) {
#pragma GCC unroll 1
  for (int i = 0; i < n; i++)
    a = asz_fe25x4_square(a);
  return a;
}

/* 1/a in every lane, 0 for 0, as asz_fe51_invert. */
static inline struct asz_fe25x4 asz_fe25x4_invert(struct asz_fe25x4 a) {
  struct asz_fe25x4 a2 = asz_fe25x4_square(a);
  struct asz_fe25x4 a9 = asz_fe25x4_mul(a, asz_fe25x4_square_times(a2, 2));
  struct asz_fe25x4 a11 = asz_fe25x4_mul(a9, a2);
  struct asz_fe25x4 x5 = asz_fe25x4_mul(asz_fe25x4_square(a11), a9);
  struct asz_fe25x4 x10 = asz_fe25x4_mul(asz_fe25x4_square_times(x5, 5), x5);
  struct asz_fe25x4 x20 = asz_fe25x4_mul(asz_fe25x4_square_times(x10, 10), x10);
  struct asz_fe25x4 x40 = asz_fe25x4_mul(asz_fe25x4_square_times(x20, 20), x20);
  struct asz_fe25x4 x50 = asz_fe25x4_mul(asz_fe25x4_square_times(x40, 10), x10);
  struct asz_fe25x4 x100 = asz_fe25x4_mul(asz_fe25x4_square_times(x50, 50), x50);
  struct asz_fe25x4 x200 = asz_fe25x4_mul(asz_fe25x4_square_times(x100, 100), x100);
  struct asz_fe25x4 x250 = asz_fe25x4_mul(asz_fe25x4_square_times(x200, 50), x50);
  return asz_fe25x4_mul(asz_fe25x4_square_times(x250, 5), a11);
}

/* From 256 bits a lane, word i of all lanes in w[i]: bit 255 must be 0. Limbs below 2^26 and 2^25. */
static inline struct asz_fe25x4 asz_fe25x4_unpack(const __m256i w[4]) {
  struct asz_fe25x4 r;
  r.v[0] = w[0];
  r.v[1] = _mm256_srli_epi64(w[0], 26);
  r.v[2] = _mm256_or_si256(_mm256_srli_epi64(w[0], 51), _mm256_slli_epi64(w[1], 13));
  r.v[3] = _mm256_srli_epi64(w[1], 13);
  r.v[4] = _mm256_srli_epi64(w[1], 38);
  r.v[5] = w[2];
  r.v[6] = _mm256_srli_epi64(w[2], 25);
  r.v[7] = _mm256_or_si256(_mm256_srli_epi64(w[2], 51), _mm256_slli_epi64(w[3], 13));
  r.v[8] = _mm256_srli_epi64(w[3], 12);
  r.v[9] = _mm256_srli_epi64(w[3], 38);
  for (int i = 0; i < 9; i++)
    if (i != 4) /* which has no more than its 26 bits, like 9 */
      r.v[i] = _mm256_and_si256(r.v[i], asz_fe25x4_mask(i));
  return r;
}

/* Carries from limb to limb; what leaves the top, 0 or more, is returned. */
static inline __m256i asz_fe25x4_ripple(struct asz_fe25x4 *a) {
  __m256i carry = _mm256_setzero_si256();
#pragma GCC unroll 10
  for (int i = 0; i < 10; i++) {
    a->v[i] = _mm256_add_epi64(a->v[i], carry);
    carry = _mm256_srli_epi64(a->v[i], asz_fe25x4_bits(i));
    a->v[i] = _mm256_and_si256(a->v[i], asz_fe25x4_mask(i));
  }
  return carry;
}

/* tight -> the value in 0..p-1 as words, as asz_fe51_pack: after the first ripple and what it brings back the value is below
 * 2^255; adding 19 reaches bit 255 exactly when p or more is there. */
static inline void asz_fe25x4_pack(__m256i ret_w[4], struct asz_fe25x4 a) {
  __m256i over = asz_fe25x4_ripple(&a);
  a.v[0] = _mm256_add_epi64(a.v[0], asz_fe25x4_times_19(over));
  struct asz_fe25x4 more = a;
  more.v[0] = _mm256_add_epi64(more.v[0], asz_fe25x4_all(19));
  over = asz_fe25x4_ripple(&more);
  a.v[0] = _mm256_add_epi64(a.v[0], asz_fe25x4_times_19(over));
  (void)asz_fe25x4_ripple(&a);
  ret_w[0] = _mm256_or_si256(_mm256_or_si256(a.v[0], _mm256_slli_epi64(a.v[1], 26)), _mm256_slli_epi64(a.v[2], 51));
  ret_w[1] = _mm256_or_si256(_mm256_or_si256(_mm256_srli_epi64(a.v[2], 13), _mm256_slli_epi64(a.v[3], 13)),
                             _mm256_slli_epi64(a.v[4], 38));
  ret_w[2] = _mm256_or_si256(_mm256_or_si256(a.v[5], _mm256_slli_epi64(a.v[6], 25)), _mm256_slli_epi64(a.v[7], 51));
  ret_w[3] = _mm256_or_si256(_mm256_or_si256(_mm256_srli_epi64(a.v[7], 13), _mm256_slli_epi64(a.v[8], 12)),
                             _mm256_slli_epi64(a.v[9], 38));
}

#endif
