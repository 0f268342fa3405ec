/* SPDX-License-Identifier: Apache-2.0 */
/* asz_fe51: arithmetic modulo p = 2^255 - 19 for a 64-bit CPU: five limbs of 51 bits, value = sum of v[i] * 2^(51 i).
 *
 * Why not gpu/kinds/ed25519_fe.h: eight 32-bit words cost 64 products and a serial chain of carries, five limbs 25 products of 64
 * x 64 bits whose carries wait in the upper halves. The price is bookkeeping, which is this: loose: limbs < 2^54. What
 * multiplication takes. tight: limbs < 2^51 + 2^13. What multiplication and packed values give. A sum of up to four tight values
 * is loose; a difference is loose when what is taken away has limbs < 2^53 - 76 (three tight values added, say) and what it is
 * taken from limbs < 2^53. Not constant time; public data only. */
#ifndef ASZ_GPU_SIMD_FE51_H
#define ASZ_GPU_SIMD_FE51_H

#include <stdint.h>

struct asz_fe51 {
  uint64_t v[5];
};

#define ASZ_FE51_MASK ((UINT64_C(1) << 51) - 1)

static inline struct asz_fe51 asz_fe51_small(uint32_t value) {
  return (struct asz_fe51){{value, 0, 0, 0, 0}};
}

/* From 256 bits, little-endian words: bit 255 must be 0; values from p on are taken modulo p. */
static inline struct asz_fe51 asz_fe51_unpack(const uint64_t w[4]) {
  return (struct asz_fe51){{w[0] & ASZ_FE51_MASK, (w[0] >> 51 | w[1] << 13) & ASZ_FE51_MASK,
                            (w[1] >> 38 | w[2] << 26) & ASZ_FE51_MASK, (w[2] >> 25 | w[3] << 39) & ASZ_FE51_MASK, w[3] >> 12}};
}

static inline struct asz_fe51 asz_fe51_add(struct asz_fe51 a, struct asz_fe51 b) {
  for (int i = 0; i < 5; i++)
    a.v[i] += b.v[i];
  return a;
}

/* a - b + 4p */
static inline struct asz_fe51 asz_fe51_sub(struct asz_fe51 a, struct asz_fe51 b) {
  a.v[0] += (UINT64_C(1) << 53) - 76 - b.v[0];
  for (int i = 1; i < 5; i++)
    a.v[i] += (UINT64_C(1) << 53) - 4 - b.v[i];
  return a;
}

/* Columns of a product of loose values to tight limbs. All are below 2^115; the last has no term times 19, so it is below 2^111
 * and its carry, times 19 (2^255 = 19), fits 64 bits. That comes back at the bottom, which is carried a second time. */
static inline struct asz_fe51 asz_fe51_carry(unsigned __int128 c[5]) {
  struct asz_fe51 r;
  for (int i = 0; i < 4; i++) {
    c[i + 1] += (uint64_t)(c[i] >> 51);
    r.v[i] = (uint64_t)c[i] & ASZ_FE51_MASK;
  }
  r.v[4] = (uint64_t)c[4] & ASZ_FE51_MASK;
  r.v[0] += (uint64_t)(c[4] >> 51) * 19;
  r.v[1] += r.v[0] >> 51;
  r.v[0] &= ASZ_FE51_MASK;
  return r;
}

/* loose x loose -> tight */
static inline struct asz_fe51 asz_fe51_mul(struct asz_fe51 a, struct asz_fe51 b) {
  typedef unsigned __int128 wide;
  uint64_t b1 = 19 * b.v[1], b2 = 19 * b.v[2], b3 = 19 * b.v[3], b4 = 19 * b.v[4];
  wide c[5] = {
      (wide)a.v[0] * b.v[0] + (wide)a.v[1] * b4 + (wide)a.v[2] * b3 + (wide)a.v[3] * b2 + (wide)a.v[4] * b1,
      (wide)a.v[0] * b.v[1] + (wide)a.v[1] * b.v[0] + (wide)a.v[2] * b4 + (wide)a.v[3] * b3 + (wide)a.v[4] * b2,
      (wide)a.v[0] * b.v[2] + (wide)a.v[1] * b.v[1] + (wide)a.v[2] * b.v[0] + (wide)a.v[3] * b4 + (wide)a.v[4] * b3,
      (wide)a.v[0] * b.v[3] + (wide)a.v[1] * b.v[2] + (wide)a.v[2] * b.v[1] + (wide)a.v[3] * b.v[0] + (wide)a.v[4] * b4,
      (wide)a.v[0] * b.v[4] + (wide)a.v[1] * b.v[3] + (wide)a.v[2] * b.v[2] + (wide)a.v[3] * b.v[1] + (wide)a.v[4] * b.v[0],
  };
  return asz_fe51_carry(c);
}

static inline struct asz_fe51 asz_fe51_square(struct asz_fe51 a) {
  typedef unsigned __int128 wide;
  uint64_t a0 = 2 * a.v[0], a1 = 2 * a.v[1], a2 = 2 * a.v[2], a3 = 19 * a.v[3], a4 = 19 * a.v[4];
  wide c[5] = {
      (wide)a.v[0] * a.v[0] + (wide)a1 * a4 + (wide)a2 * a3,
      (wide)a0 * a.v[1] + (wide)a2 * a4 + (wide)a.v[3] * a3,
      (wide)a0 * a.v[2] + (wide)a.v[1] * a.v[1] + (wide)(2 * a.v[3]) * a4,
      (wide)a0 * a.v[3] + (wide)a1 * a.v[2] + (wide)a.v[4] * a4,
      (wide)a0 * a.v[4] + (wide)a1 * a.v[3] + (wide)a.v[2] * a.v[2],
  };
  return asz_fe51_carry(c);
}

/* a^(2^n) */
static inline struct asz_fe51 asz_fe51_square_times(struct asz_fe51 a, int n) {
  for (int i = 0; i < n; i++)
    a = asz_fe51_square(a);
  return a;
}

/* 1/a = a^(p - 2) = a^(2^255 - 21); 0 for 0. x5 is a^(2^5 - 1) and so on. */
static inline struct asz_fe51 asz_fe51_invert(struct asz_fe51 a) {
  struct asz_fe51 a2 = asz_fe51_square(a);
  struct asz_fe51 a9 = asz_fe51_mul(a, asz_fe51_square_times(a2, 2));
  struct asz_fe51 a11 = asz_fe51_mul(a9, a2);
  struct asz_fe51 x5 = asz_fe51_mul(asz_fe51_square(a11), a9);
  struct asz_fe51 x10 = asz_fe51_mul(asz_fe51_square_times(x5, 5), x5);
  struct asz_fe51 x20 = asz_fe51_mul(asz_fe51_square_times(x10, 10), x10);
  struct asz_fe51 x40 = asz_fe51_mul(asz_fe51_square_times(x20, 20), x20);
  struct asz_fe51 x50 = asz_fe51_mul(asz_fe51_square_times(x40, 10), x10);
  struct asz_fe51 x100 = asz_fe51_mul(asz_fe51_square_times(x50, 50), x50);
  struct asz_fe51 x200 = asz_fe51_mul(asz_fe51_square_times(x100, 100), x100);
  return asz_fe51_mul(asz_fe51_square_times(asz_fe51_mul(asz_fe51_square_times(x200, 50), x50), 5), a11);
}

/* The value in 0..p-1 as little-endian words. Limbs of any size below 2^63. One carry leaves a value below 2^255 + 2^18; adding
 * 19 reaches bit 255 exactly when p or more was there, and 19 is then what p is too much. */
static inline void asz_fe51_pack(uint64_t ret_w[4], struct asz_fe51 a) {
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 4; i++) {
      a.v[i + 1] += a.v[i] >> 51;
      a.v[i] &= ASZ_FE51_MASK;
    }
    a.v[0] += 19 * (a.v[4] >> 51);
    a.v[4] &= ASZ_FE51_MASK;
  }
  uint64_t over = 19;
  for (int i = 0; i < 5; i++)
    over = (a.v[i] + over) >> 51;
  a.v[0] += 19 * over;
  for (int i = 0; i < 4; i++) {
    a.v[i + 1] += a.v[i] >> 51;
    a.v[i] &= ASZ_FE51_MASK;
  }
  a.v[4] &= ASZ_FE51_MASK;
  ret_w[0] = a.v[0] | a.v[1] << 51;
  ret_w[1] = a.v[1] >> 13 | a.v[2] << 38;
  ret_w[2] = a.v[2] >> 26 | a.v[3] << 25;
  ret_w[3] = a.v[3] >> 39 | a.v[4] << 12;
}

#endif
