/* SPDX-License-Identifier: Apache-2.0 */
/* asz_fe51x8: asz_fe51 eight times, a lane each, with AVX-512 IFMA: its instructions give the lower or the upper 52 bits of eight
 * products of 52 x 52 bits, added to eight accumulators. For files that are compiled for it.
 *
 * Only the lower 52 bits of a factor count, so the room that asz_fe51 has for sums is not there:
 *   tight: limbs < 2^51 + 2^17; factors must be below 2^52, which a sum of two tight values may not be.
 *   wide: limbs below 2^60.1: a product whose limbs have not been carried (asz_fe51x8_mul_wide says where the bound comes from).
 * So sums are made of wide values, where there is room, and carried once: a point addition then has a carry for each of its
 * eight results that are multiplied again, and none in between. Bits 52 and up of a product weigh 2 in radix 2^51. */
#ifndef ASZ_GPU_SIMD_FE51X8_H
#define ASZ_GPU_SIMD_FE51X8_H

#include <immintrin.h>
#include <stdint.h>

struct asz_fe51x8 {
  __m512i v[5];
};

static inline __m512i asz_fe51x8_all(uint64_t value) {
  return _mm512_set1_epi64((long long)value);
}

static inline struct asz_fe51x8 asz_fe51x8_small(uint32_t value) {
  const __m512i zero = _mm512_setzero_si512();
  return (struct asz_fe51x8){{asz_fe51x8_all(value), zero, zero, zero, zero}};
}

/* wide + wide; or tight + tight, which is wide. */
static inline struct asz_fe51x8 asz_fe51x8_add(struct asz_fe51x8 a, struct asz_fe51x8 b) {
  for (int i = 0; i < 5; i++)
    a.v[i] = _mm512_add_epi64(a.v[i], b.v[i]);
  return a;
}

/* a - b + 2^11 p: limbs of b below 2^61.9. */
static inline struct asz_fe51x8 asz_fe51x8_sub(struct asz_fe51x8 a, struct asz_fe51x8 b) {
  const __m512i p0 = asz_fe51x8_all(((UINT64_C(1) << 51) - 19) << 11), p = asz_fe51x8_all(((UINT64_C(1) << 51) - 1) << 11);
  for (int i = 0; i < 5; i++)
    a.v[i] = _mm512_add_epi64(a.v[i], _mm512_sub_epi64(i ? p : p0, b.v[i]));
  return a;
}

/* To tight: any limbs below 2^63, whose carries are below 2^12, and 19 times that below 2^17. */
static inline struct asz_fe51x8 asz_fe51x8_carry(struct asz_fe51x8 a) {
  const __m512i mask = asz_fe51x8_all((UINT64_C(1) << 51) - 1);
  __m512i c[5];
  for (int i = 0; i < 5; i++) {
    c[i] = _mm512_srli_epi64(a.v[i], 51);
    a.v[i] = _mm512_and_si512(a.v[i], mask);
  }
  a.v[0] = _mm512_madd52lo_epu64(a.v[0], c[4], asz_fe51x8_all(19));
  for (int i = 1; i < 5; i++)
    a.v[i] = _mm512_add_epi64(a.v[i], c[i - 1]);
  return a;
}

/* 19 x, of any x below 2^59: shifts, since a 64-bit product is slow on some machines and these are as fast on the others. */
static inline __m512i asz_fe51x8_times_19(__m512i x) {
  return _mm512_add_epi64(_mm512_add_epi64(x, _mm512_slli_epi64(x, 1)), _mm512_slli_epi64(x, 4));
}

/* Ten columns to five: 2^255 = 19. */
static inline struct asz_fe51x8 asz_fe51x8_fold(const __m512i column[10]) {
  struct asz_fe51x8 r;
  for (int i = 0; i < 5; i++)
    r.v[i] = _mm512_add_epi64(column[i], asz_fe51x8_times_19(column[i + 5]));
  return r;
}

/* A row of a product: a[i] times b[first .. 4]. The rows are written out below, not looped over: a compiler keeps columns in
 * registers only when it knows each index before it looks for what to keep there, and it unrolls but the innermost loop after
 * that (gcc 12: three times slower). */
static inline void asz_fe51x8_row(__m512i lower[10], __m512i upper[10], __m512i a, struct asz_fe51x8 b, int i, int first) {
  for (int j = first; j < 5; j++) {
    lower[i + j] = _mm512_madd52lo_epu64(lower[i + j], a, b.v[j]);
    upper[i + j + 1] = _mm512_madd52hi_epu64(upper[i + j + 1], a, b.v[j]);
  }
}

/* factor x factor -> wide. Column k sums n(k) = min(k + 1, 9 - k) lower halves and twice n(k - 1) upper ones, each below 2^52:
 * limb 0 of the result, the largest, is below (1 + 19 * (4 + 2 * 5)) 2^52 = 2^60.1. */
static inline struct asz_fe51x8 asz_fe51x8_mul_wide(struct asz_fe51x8 a, struct asz_fe51x8 b) {
  __m512i lower[10], upper[10];
  for (int k = 0; k < 10; k++)
    lower[k] = upper[k] = _mm512_setzero_si512();
  asz_fe51x8_row(lower, upper, a.v[0], b, 0, 0);
  asz_fe51x8_row(lower, upper, a.v[1], b, 1, 0);
  asz_fe51x8_row(lower, upper, a.v[2], b, 2, 0);
  asz_fe51x8_row(lower, upper, a.v[3], b, 3, 0);
  asz_fe51x8_row(lower, upper, a.v[4], b, 4, 0);
  for (int k = 1; k < 10; k++)
    lower[k] = _mm512_add_epi64(lower[k], _mm512_add_epi64(upper[k], upper[k]));
  return asz_fe51x8_fold(lower);
}

/* The products of different limbs come twice: they are added first, and doubled together. */
static inline struct asz_fe51x8 asz_fe51x8_square_wide(struct asz_fe51x8 a) {
  __m512i lower[10], upper[10];
  for (int k = 0; k < 10; k++)
    lower[k] = upper[k] = _mm512_setzero_si512();
  asz_fe51x8_row(lower, upper, a.v[0], a, 0, 1);
  asz_fe51x8_row(lower, upper, a.v[1], a, 1, 2);
  asz_fe51x8_row(lower, upper, a.v[2], a, 2, 3);
  asz_fe51x8_row(lower, upper, a.v[3], a, 3, 4);
  for (int k = 0; k < 10; k++) {
    lower[k] = _mm512_add_epi64(lower[k], lower[k]);
    upper[k] = _mm512_add_epi64(upper[k], upper[k]);
  }
  for (int i = 0; i < 5; i++) {
    lower[2 * i] = _mm512_madd52lo_epu64(lower[2 * i], a.v[i], a.v[i]);
    upper[2 * i + 1] = _mm512_madd52hi_epu64(upper[2 * i + 1], a.v[i], a.v[i]);
  }
  for (int k = 1; k < 10; k++)
    lower[k] = _mm512_add_epi64(lower[k], _mm512_add_epi64(upper[k], upper[k]));
  return asz_fe51x8_fold(lower);
}

static inline struct asz_fe51x8 asz_fe51x8_mul(struct asz_fe51x8 a, struct asz_fe51x8 b) {
  return asz_fe51x8_carry(asz_fe51x8_mul_wide(a, b));
}

static inline struct asz_fe51x8 asz_fe51x8_square(struct asz_fe51x8 a) {
  return asz_fe51x8_carry(asz_fe51x8_square_wide(a));
}

/* a^(2^n) */
static inline struct asz_fe51x8 asz_fe51x8_square_times(struct asz_fe51x8 a, int n) {
#pragma GCC unroll 1
  for (int i = 0; i < n; i++)
    a = asz_fe51x8_square(a);
  return a;
}

/* 1/a in every lane, 0 for 0, as asz_fe51_invert. */
static inline struct asz_fe51x8 asz_fe51x8_invert(struct asz_fe51x8 a) {
  struct asz_fe51x8 a2 = asz_fe51x8_square(a);
  struct asz_fe51x8 a9 = asz_fe51x8_mul(a, asz_fe51x8_square_times(a2, 2));
  struct asz_fe51x8 a11 = asz_fe51x8_mul(a9, a2);
  struct asz_fe51x8 x5 = asz_fe51x8_mul(asz_fe51x8_square(a11), a9);
  struct asz_fe51x8 x10 = asz_fe51x8_mul(asz_fe51x8_square_times(x5, 5), x5);
  struct asz_fe51x8 x20 = asz_fe51x8_mul(asz_fe51x8_square_times(x10, 10), x10);
  struct asz_fe51x8 x40 = asz_fe51x8_mul(asz_fe51x8_square_times(x20, 20), x20);
  struct asz_fe51x8 x50 = asz_fe51x8_mul(asz_fe51x8_square_times(x40, 10), x10);
  struct asz_fe51x8 x100 = asz_fe51x8_mul(asz_fe51x8_square_times(x50, 50), x50);
  struct asz_fe51x8 x200 = asz_fe51x8_mul(asz_fe51x8_square_times(x100, 100), x100);
  struct asz_fe51x8 x250 = asz_fe51x8_mul(asz_fe51x8_square_times(x200, 50), x50);
  return asz_fe51x8_mul(asz_fe51x8_square_times(x250, 5), a11);
}

/* From 256 bits a lane, word i of all lanes in w[i]: bit 255 must be 0. Limbs below 2^51. */
static inline struct asz_fe51x8 asz_fe51x8_unpack(const __m512i w[4]) {
  enum { A_OR_B_AND_C = 0xa8 };
  const __m512i mask = asz_fe51x8_all((UINT64_C(1) << 51) - 1);
  struct asz_fe51x8 r;
  r.v[0] = _mm512_and_si512(w[0], mask);
  r.v[1] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(w[0], 51), _mm512_slli_epi64(w[1], 13), mask, A_OR_B_AND_C);
  r.v[2] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(w[1], 38), _mm512_slli_epi64(w[2], 26), mask, A_OR_B_AND_C);
  r.v[3] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(w[2], 25), _mm512_slli_epi64(w[3], 39), mask, A_OR_B_AND_C);
  r.v[4] = _mm512_srli_epi64(w[3], 12);
  return r;
}

/* Carries from limb to limb; what leaves the top, 0 or more, is returned. */
static inline __m512i asz_fe51x8_ripple(struct asz_fe51x8 *a) {
  const __m512i mask = asz_fe51x8_all((UINT64_C(1) << 51) - 1);
  __m512i carry = _mm512_setzero_si512();
  for (int i = 0; i < 5; i++) {
    a->v[i] = _mm512_add_epi64(a->v[i], carry);
    carry = _mm512_srli_epi64(a->v[i], 51);
    a->v[i] = _mm512_and_si512(a->v[i], mask);
  }
  return carry;
}

/* tight -> the value in 0..p-1 as words, as asz_fe51_pack: after the first ripple and what it brings back the value is below
 * 2^255; adding 19 reaches bit 255 exactly when p or more is there. */
static inline void asz_fe51x8_pack(__m512i ret_w[4], struct asz_fe51x8 a) {
  const __m512i nineteen = asz_fe51x8_all(19);
  __m512i over = asz_fe51x8_ripple(&a);
  a.v[0] = _mm512_madd52lo_epu64(a.v[0], over, nineteen);
  struct asz_fe51x8 more = a;
  more.v[0] = _mm512_add_epi64(more.v[0], nineteen);
  over = asz_fe51x8_ripple(&more);
  a.v[0] = _mm512_madd52lo_epu64(a.v[0], over, nineteen);
  (void)asz_fe51x8_ripple(&a);
  ret_w[0] = _mm512_or_si512(a.v[0], _mm512_slli_epi64(a.v[1], 51));
  ret_w[1] = _mm512_or_si512(_mm512_srli_epi64(a.v[1], 13), _mm512_slli_epi64(a.v[2], 38));
  ret_w[2] = _mm512_or_si512(_mm512_srli_epi64(a.v[2], 26), _mm512_slli_epi64(a.v[3], 25));
  ret_w[3] = _mm512_or_si512(_mm512_srli_epi64(a.v[3], 39), _mm512_slli_epi64(a.v[4], 12));
}

#endif
