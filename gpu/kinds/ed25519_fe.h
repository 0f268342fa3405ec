/* SPDX-License-Identifier: Apache-2.0 */
/* asz_fe: arithmetic modulo p = 2^255 - 19.
 *
 * An element is eight 32-bit words, little-endian, holding any value below 2^256 that is right modulo p; only asz_fe_store brings
 * it into 0..p-1. Since 2^256 = 38 (mod p), whatever leaves the top of a sum or a product comes back at the bottom, times 38: no
 * operation needs a comparison or a bound on its inputs, so there is no lazy-reduction bookkeeping to get wrong. Both gcc and
 * nvcc turn the 32 x 32 -> 64 bit products into single instructions; the five 51-bit limbs that are usual on a CPU would need
 * 128-bit products, which a GPU builds out of four of these.
 *
 * Nothing here is constant time: verification handles public data only. Never use it with a secret. */
#ifndef ASZ_GPU_KINDS_ED25519_FE_H
#define ASZ_GPU_KINDS_ED25519_FE_H

#include "gpu/kinds/hd.h"

struct asz_fe {
  uint32_t v[8];
};

ASZ_HD struct asz_fe asz_fe_small(uint32_t value) {
  struct asz_fe r = {{value, 0, 0, 0, 0, 0, 0, 0}};
  return r;
}

/* The curve's d = -121665/121666, 2d, and a square root of -1. tests/gpu/kinds/test_ed25519.c checks each by its defining
 * equation. */
ASZ_HD struct asz_fe asz_fe_d(void) {
  struct asz_fe r = {{0x135978a3, 0x75eb4dca, 0x4141d8ab, 0x00700a4d, 0x7779e898, 0x8cc74079, 0x2b6ffe73, 0x52036cee}};
  return r;
}
ASZ_HD struct asz_fe asz_fe_2d(void) {
  struct asz_fe r = {{0x26b2f159, 0xebd69b94, 0x8283b156, 0x00e0149a, 0xeef3d130, 0x198e80f2, 0x56dffce7, 0x2406d9dc}};
  return r;
}
ASZ_HD struct asz_fe asz_fe_sqrt_minus_1(void) {
  struct asz_fe r = {{0x4a0ea0b0, 0xc4ee1b27, 0xad2fe478, 0x2f431806, 0x3dfbd7a7, 0x2b4d0099, 0x4fc1df0b, 0x2b832480}};
  return r;
}

/* r + carry * 2^256, for a carry up to 38. The first pass can itself carry, but then leaves less than 38 * 38 behind, so that the
 * last addition cannot. */
ASZ_HD struct asz_fe asz_fe_fold(struct asz_fe r, uint32_t carry) {
  const uint32_t folded[8] = {carry * 38, 0, 0, 0, 0, 0, 0, 0};
  r.v[0] += asz_hd_add8(r.v, folded) * 38;
  return r;
}

ASZ_HD struct asz_fe asz_fe_add(struct asz_fe a, struct asz_fe b) {
  uint32_t carry = asz_hd_add8(a.v, b.v);
  return asz_fe_fold(a, carry);
}

ASZ_HD struct asz_fe asz_fe_sub(struct asz_fe a, struct asz_fe b) {
  uint32_t borrowed = asz_hd_sub8(a.v, b.v);
  /* A borrow added 2^256, which is 38 too much. Taking 38 away can borrow again, but then leaves at least 2^256 - 38. */
  const uint32_t too_much[8] = {borrowed & 38, 0, 0, 0, 0, 0, 0, 0};
  a.v[0] -= asz_hd_sub8(a.v, too_much) & 38;
  return a;
}

ASZ_HD struct asz_fe asz_fe_neg(struct asz_fe a) {
  return asz_fe_sub(asz_fe_small(0), a);
}

/* Schoolbook product into 16 words, then the upper eight come down times 38. Products of two words overlap each other by one;
 * those that begin at even words do not among themselves, nor do those at odd ones, so that each sort is added up by itself, four
 * products and one carry at a time, and the two sums once at the end. A carry goes into a word that has held carries only: it
 * cannot carry itself. */
ASZ_HD_CALL struct asz_fe asz_fe_mul(struct asz_fe a, struct asz_fe b) {
  uint32_t even[17] = {0}, odd[17] = {0}; /* odd[i] counts as word i + 1 */
  ASZ_HD_UNROLL
  for (int j = 0; j < 8; j += 2) {
    asz_hd_mad4(even + j, a.v, b.v[j]);
    asz_hd_mad4(odd + j, a.v + 1, b.v[j]);
    asz_hd_mad4(odd + j, a.v, b.v[j + 1]);
    asz_hd_mad4(even + j + 2, a.v + 1, b.v[j + 1]);
  }
  const uint32_t carry[8] = {asz_hd_add8(even + 1, odd), 0, 0, 0, 0, 0, 0, 0};
  (void)asz_hd_add8(even + 9, odd + 8); /* up to even[16]: all 512 bits of a product, and zeros */
  (void)asz_hd_add8(even + 9, carry);

  uint32_t low[9] = {0}, shifted[9] = {0}; /* shifted[i] counts as word i + 1 */
  struct asz_fe r;
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++)
    low[i] = even[i];
  asz_hd_mad4(low, even + 8, 38);
  asz_hd_mad4(shifted, even + 9, 38);
  (void)asz_hd_add8(low + 1, shifted);
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++)
    r.v[i] = low[i];
  return asz_fe_fold(r, low[8]);
}

ASZ_HD struct asz_fe asz_fe_square(struct asz_fe a) {
  return asz_fe_mul(a, a);
}

/* a^(2^n) */
ASZ_HD struct asz_fe asz_fe_square_times(struct asz_fe a, int n) {
  ASZ_HD_ROLLED
  for (int i = 0; i < n; i++)
    a = asz_fe_square(a);
  return a;
}

/* a^(2^250 - 1), the long common part of both powers below; *ret_a11 gets a^11. The names say which ones are set: x5 is
 * a^(2^5 - 1). */
ASZ_HD struct asz_fe asz_fe_pow_ones(struct asz_fe a, struct asz_fe *ret_a11) {
  struct asz_fe a2 = asz_fe_square(a);
  struct asz_fe a9 = asz_fe_mul(a, asz_fe_square_times(a2, 2));
  struct asz_fe a11 = asz_fe_mul(a9, a2);
  struct asz_fe x5 = asz_fe_mul(asz_fe_square(a11), a9); /* 22 + 9 = 31 */
  struct asz_fe x10 = asz_fe_mul(asz_fe_square_times(x5, 5), x5);
  struct asz_fe x20 = asz_fe_mul(asz_fe_square_times(x10, 10), x10);
  struct asz_fe x40 = asz_fe_mul(asz_fe_square_times(x20, 20), x20);
  struct asz_fe x50 = asz_fe_mul(asz_fe_square_times(x40, 10), x10);
  struct asz_fe x100 = asz_fe_mul(asz_fe_square_times(x50, 50), x50);
  struct asz_fe x200 = asz_fe_mul(asz_fe_square_times(x100, 100), x100);
  *ret_a11 = a11;
  return asz_fe_mul(asz_fe_square_times(x200, 50), x50);
}

/* 1/a = a^(p - 2) = a^(2^255 - 21); 0 for 0. */
ASZ_HD struct asz_fe asz_fe_invert(struct asz_fe a) {
  struct asz_fe a11;
  struct asz_fe x250 = asz_fe_pow_ones(a, &a11);
  return asz_fe_mul(asz_fe_square_times(x250, 5), a11);
}

/* a^((p - 5) / 8) = a^(2^252 - 3), the heart of a square root. */
ASZ_HD struct asz_fe asz_fe_pow_p58(struct asz_fe a) {
  struct asz_fe a11;
  struct asz_fe x250 = asz_fe_pow_ones(a, &a11);
  return asz_fe_mul(asz_fe_square_times(x250, 2), a);
}

/* The lower 255 bits, little-endian; bit 255 is somebody else's. Values p..2^255-1 are taken modulo p. */
ASZ_HD struct asz_fe asz_fe_load(const uint8_t bytes[32]) {
  struct asz_fe r;
  ASZ_HD_UNROLL
  for (size_t i = 0; i < 8; i++)
    r.v[i] = asz_hd_le32_load(bytes + 4 * i);
  r.v[7] &= 0x7fffffff;
  return r;
}

/* asz_fe_canonical: the same value in 0..p-1. Bit 255 is folded first (2^255 = 19); what is left is below 2^255 + 19 < 2p, so
 * that at most one p is too much, and it is when adding 19 reaches bit 255. */
ASZ_HD struct asz_fe asz_fe_canonical(struct asz_fe a) {
  uint64_t t = (uint64_t)(a.v[7] >> 31) * 19;
  a.v[7] &= 0x7fffffff;
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++) {
    t += a.v[i];
    a.v[i] = (uint32_t)t;
    t >>= 32;
  }
  struct asz_fe less_p;
  t = 19;
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++) {
    t += a.v[i];
    less_p.v[i] = (uint32_t)t;
    t >>= 32;
  }
  if (less_p.v[7] >> 31 == 0)
    return a;
  less_p.v[7] &= 0x7fffffff;
  return less_p;
}

ASZ_HD void asz_fe_store(uint8_t *ret_bytes /* 32 */, struct asz_fe a) {
  a = asz_fe_canonical(a);
  ASZ_HD_UNROLL
  for (size_t i = 0; i < 8; i++)
    asz_hd_le32_store(ret_bytes + 4 * i, a.v[i]);
}

ASZ_HD int asz_fe_is_zero(struct asz_fe a) {
  a = asz_fe_canonical(a);
  uint32_t any = 0;
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++)
    any |= a.v[i];
  return any == 0;
}

/* asz_fe_parity: the lowest bit of the canonical value, which is what Ed25519 calls the sign of x. */
ASZ_HD uint32_t asz_fe_parity(struct asz_fe a) {
  return asz_fe_canonical(a).v[0] & 1;
}

#endif
