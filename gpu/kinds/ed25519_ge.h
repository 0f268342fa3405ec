/* SPDX-License-Identifier: Apache-2.0 */
/* asz_ge: the group of Ed25519, -x^2 + y^2 = 1 + d x^2 y^2 over p = 2^255 - 19.
 *
 * Points are in extended coordinates, x = X/Z, y = Y/Z, T = XY/Z (Hisil, Wong, Carter, Dawson 2008). Because -1 is a square and
 * d is not, the addition below is complete: it is right for every pair of points of the curve, equal, opposite, neutral or of
 * small order, so there is no special case for an attacker to find. What is added comes "prepared" (y + x, y - x, 2z, 2dxy),
 * which saves a multiplication and makes negation a swap.
 *
 * [S]B - [h]A walks both scalars together by signed 4-bit digits: 64 times four doublings, one addition out of a table of nine
 * multiples of -A and one out of a constant table of B. Sliding windows would save a fifth of the additions, but lanes of a warp
 * would then wait for each other's. Variable time; public data only. */
#ifndef ASZ_GPU_KINDS_ED25519_GE_H
#define ASZ_GPU_KINDS_ED25519_GE_H

#include "gpu/kinds/ed25519_fe.h"
#include "gpu/kinds/ed25519_sc.h"

struct asz_ge {
  struct asz_fe x, y, z, t;
};

/* A point with z = 1, made ready to be added: y + x, y - x, 2dxy. */
struct asz_ge_affine {
  struct asz_fe y_plus_x, y_minus_x, t2d;
};

/* Any point, made ready to be added: the same three times z, and 2z. */
struct asz_ge_prepared {
  struct asz_ge_affine q;
  struct asz_fe z2;
};

/* 0 B, 1 B, ... 8 B; tests/gpu/kinds/test_ed25519.c recomputes the table from y(B) = 4/5. */
ASZ_HD_TABLE struct asz_ge_affine asz_ge_base_table[9] = {
    {{{0x00000001, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000}},
     {{0x00000001, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000}},
     {{0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000}}},
    {{{0xf58c3b85, 0x2fbc93c6, 0xfb8c0e19, 0xcf932dc6, 0x643d42c2, 0x270b4898, 0x33d4ba65, 0x07cf9d3a}},
     {{0xd740913e, 0x9d103905, 0xd140beb3, 0xfd399f05, 0x688f8a09, 0xa5c18434, 0x98f81267, 0x44fd2f92}},
     {{0x877aaa68, 0xabc91205, 0xccaac49e, 0x26d9e823, 0xdd43598c, 0x5a1b7dcb, 0x9f0c65a8, 0x6f117b68}}},
    {{{0x933c71d7, 0x9224e7fc, 0x7a0ff5b5, 0x9f469d96, 0xe1d60702, 0x5aa69a65, 0xa87d2e2e, 0x590c063f}},
     {{0x42b4d5a8, 0x8a99a560, 0x4e60acf6, 0x8f2b810c, 0xb16e37aa, 0xe09e236b, 0x69c92555, 0x6bb595a6}},
     {{0xa59b7a5f, 0x43faa8b3, 0x5d9acf78, 0x36c16bdd, 0x0b3d6a31, 0x500fa084, 0x3ea50b73, 0x701af5b1}}},
    {{{0x4cee9730, 0xaf25b0a8, 0xe8864b8a, 0x025a8430, 0x9f016732, 0xc11b5002, 0x9a80f8f4, 0x7a164e1b}},
     {{0xa4fcd265, 0x56611fe8, 0xe5c1ba7d, 0x3bd353fd, 0x214bd6bd, 0x8131f31a, 0x555bda62, 0x2ab91587}},
     {{0x0dd0d889, 0x14ae933f, 0x1c35da62, 0x58942322, 0x8cf2db4c, 0xd170e545, 0x12b9b4c6, 0x5a2826af}}},
    {{{0x8efc099f, 0x287351b9, 0x7dfd2538, 0x6765c6f4, 0xfb0a9265, 0xca348d3d, 0x21e58727, 0x680e9103}},
     {{0x056818bf, 0x95fe050a, 0x5660faa9, 0x327e8971, 0x06a05073, 0xc3e8e3cd, 0x7445a49a, 0x27933f4c}},
     {{0xc476ff09, 0x5a13fbe9, 0x7b5cc172, 0x6e9e3945, 0x102b4494, 0x5ddbdcf9, 0x63553e2b, 0x7f9d0cbf}}},
    {{{0x08a5bb33, 0xa212bc44, 0xc75eed02, 0x8d5048c3, 0x5abfec44, 0xdd1beb0c, 0x46e206eb, 0x2945ccf1}},
     {{0xa447d6ba, 0x7f9182c3, 0x4b2729b7, 0xd50014d1, 0xb864a087, 0xe33cf11c, 0xeb1b55f3, 0x154a7e73}},
     {{0x812a8285, 0xbcbbdbf1, 0xd0bdd1fc, 0x270e0807, 0x1bbda72d, 0xb41b670b, 0x6b3bb69a, 0x43aabe69}}},
    {{{0x77157131, 0x3a0ceeeb, 0x00c8af88, 0x9b271589, 0xda59a736, 0x8065b668, 0xa2cc38bd, 0x51e57bb6}},
     {{0x7b7d8ca4, 0x499806b6, 0x27d22739, 0x575be284, 0x204553b9, 0xbb085ce7, 0xae417884, 0x38b64c41}},
     {{0x02ea4b71, 0x85ac3267, 0x41a1bb01, 0xbe70e003, 0x083bc144, 0x53e4a24b, 0x9f0d61e3, 0x10b8e91a}}},
    {{{0x944ea3bf, 0x6b1a5cd0, 0xb39dc0d2, 0x7470353a, 0x28542e49, 0x71b25282, 0x283c927e, 0x461bea69}},
     {{0xaa3221b1, 0xba6f2c9a, 0x3bba23a7, 0x6ca02153, 0x92192c3a, 0x9dea764f, 0x2e5317e0, 0x1d6edd5d}},
     {{0x01b8b3a2, 0xf1836dc8, 0x053ea49a, 0xb3035f47, 0x5877adf3, 0x529c41ba, 0x6a0f90a7, 0x7a9fbb1c}}},
    {{{0x04dd3e8f, 0x59b75966, 0xe288702c, 0x6cb30377, 0x5ed9c323, 0xb1339c66, 0x61bce52f, 0x0915e760}},
     {{0xf39234d9, 0xe2a75ded, 0xe1b558f9, 0x963d7680, 0x6e3c23fb, 0x2c2741ac, 0x320e01c3, 0x3a9024a1}},
     {{0xc9a2911a, 0xe7c1f5d9, 0x8bcca7d7, 0xb8a37178, 0x0eb62a32, 0x63641219, 0x2ecc4e95, 0x26907c5c}}},
};

ASZ_HD struct asz_ge asz_ge_neutral(void) {
  struct asz_ge r = {asz_fe_small(0), asz_fe_small(1), asz_fe_small(1), asz_fe_small(0)};
  return r;
}

ASZ_HD struct asz_ge_prepared asz_ge_prepare(struct asz_ge p) {
  struct asz_ge_prepared r = {{asz_fe_add(p.y, p.x), asz_fe_sub(p.y, p.x), asz_fe_mul(p.t, asz_fe_2d())}, asz_fe_add(p.z, p.z)};
  return r;
}

/* The four products that end a doubling and an addition alike. */
ASZ_HD struct asz_ge asz_ge_complete(struct asz_fe e, struct asz_fe f, struct asz_fe g, struct asz_fe h) {
  struct asz_ge r = {asz_fe_mul(e, f), asz_fe_mul(g, h), asz_fe_mul(f, g), asz_fe_mul(e, h)};
  return r;
}

ASZ_HD struct asz_ge asz_ge_double(struct asz_ge p) {
  struct asz_fe xx = asz_fe_square(p.x), yy = asz_fe_square(p.y), zz = asz_fe_square(p.z);
  struct asz_fe sum = asz_fe_add(xx, yy), difference = asz_fe_sub(yy, xx);
  struct asz_fe xy2 = asz_fe_sub(asz_fe_square(asz_fe_add(p.x, p.y)), sum);
  return asz_ge_complete(xy2, asz_fe_sub(difference, asz_fe_add(zz, zz)), difference, asz_fe_neg(sum));
}

/* p + q; z2 is 2 z(p) z(q). */
ASZ_HD struct asz_ge asz_ge_add(struct asz_ge p, struct asz_ge_affine q, struct asz_fe z2) {
  struct asz_fe a = asz_fe_mul(asz_fe_sub(p.y, p.x), q.y_minus_x);
  struct asz_fe b = asz_fe_mul(asz_fe_add(p.y, p.x), q.y_plus_x);
  struct asz_fe c = asz_fe_mul(p.t, q.t2d);
  return asz_ge_complete(asz_fe_sub(b, a), asz_fe_sub(z2, c), asz_fe_add(z2, c), asz_fe_add(b, a));
}
ASZ_HD struct asz_ge asz_ge_add_prepared(struct asz_ge p, struct asz_ge_prepared q) {
  return asz_ge_add(p, q.q, asz_fe_mul(p.z, q.z2));
}

/* q or -q by the sign of digit: a choice of values, not of paths, so that the lanes of a warp stay together. */
ASZ_HD struct asz_ge_affine asz_ge_signed(struct asz_ge_affine q, int digit) {
  struct asz_fe minus_t2d = asz_fe_neg(q.t2d);
  struct asz_ge_affine r = {digit < 0 ? q.y_minus_x : q.y_plus_x, digit < 0 ? q.y_plus_x : q.y_minus_x,
                            digit < 0 ? minus_t2d : q.t2d};
  return r;
}

/* asz_ge_double_scalar: s B + h P for any point P and s, h < L. */
ASZ_HD struct asz_ge asz_ge_double_scalar(struct asz_sc s, struct asz_sc h, struct asz_ge p) {
  struct asz_ge_prepared table[9];
  struct asz_ge r = asz_ge_neutral();
  table[0] = asz_ge_prepare(r);
  table[1] = asz_ge_prepare(p);
  ASZ_HD_ROLLED
  for (int i = 2; i < 9; i++) {
    p = i == 2 ? asz_ge_double(p) : asz_ge_add_prepared(p, table[1]);
    table[i] = asz_ge_prepare(p);
  }
  s = asz_sc_recode(s);
  h = asz_sc_recode(h);
  ASZ_HD_ROLLED
  for (int i = 63; i >= 0; i--) {
    ASZ_HD_ROLLED
    for (int j = 0; j < 4; j++)
      r = asz_ge_double(r);
    int digit = asz_sc_digit(&h, i);
    const struct asz_ge_prepared *multiple = &table[digit < 0 ? -digit : digit];
    r = asz_ge_add(r, asz_ge_signed(multiple->q, digit), asz_fe_mul(r.z, multiple->z2));
    digit = asz_sc_digit(&s, i);
    r = asz_ge_add(r, asz_ge_signed(asz_ge_base_table[digit < 0 ? -digit : digit], digit), asz_fe_add(r.z, r.z));
  }
  return r;
}

/* asz_ge_decode: the point that 32 bytes encode (y, and the parity of x in bit 255); 0 when there is none. y >= p is taken modulo
 * p here, and x = 0 with its parity bit set is taken as x = 0: refusing those is the caller's rule. x^2 = u/v with u = y^2 - 1,
 * v = d y^2 + 1; the candidate u v^3 (u v^7)^((p-5)/8) is right up to a square root of -1 if a root exists (RFC 8032, 5.1.3). */
ASZ_HD int asz_ge_decode(struct asz_ge *ret_p, const uint8_t bytes[32]) {
  struct asz_fe y = asz_fe_load(bytes), yy = asz_fe_square(y);
  struct asz_fe u = asz_fe_sub(yy, asz_fe_small(1));
  struct asz_fe v = asz_fe_add(asz_fe_mul(yy, asz_fe_d()), asz_fe_small(1));
  struct asz_fe v3 = asz_fe_mul(asz_fe_square(v), v);
  struct asz_fe uv7 = asz_fe_mul(asz_fe_mul(asz_fe_square(v3), v), u);
  struct asz_fe x = asz_fe_mul(asz_fe_mul(u, v3), asz_fe_pow_p58(uv7));
  struct asz_fe vxx = asz_fe_mul(v, asz_fe_square(x));
  if (!asz_fe_is_zero(asz_fe_sub(vxx, u))) {
    if (!asz_fe_is_zero(asz_fe_add(vxx, u)))
      return 0;
    x = asz_fe_mul(x, asz_fe_sqrt_minus_1());
  }
  if (asz_fe_parity(x) != (uint32_t)(bytes[31] >> 7))
    x = asz_fe_neg(x);
  ret_p->x = x;
  ret_p->y = y;
  ret_p->z = asz_fe_small(1);
  ret_p->t = asz_fe_mul(x, y);
  return 1;
}

/* asz_ge_encode: the one canonical encoding. */
ASZ_HD void asz_ge_encode(uint8_t *ret_bytes /* 32 */, struct asz_ge p) {
  struct asz_fe z_inverse = asz_fe_invert(p.z);
  asz_fe_store(ret_bytes, asz_fe_mul(p.y, z_inverse));
  ret_bytes[31] |= (uint8_t)(asz_fe_parity(asz_fe_mul(p.x, z_inverse)) << 7);
}

ASZ_HD struct asz_ge asz_ge_neg(struct asz_ge p) {
  p.x = asz_fe_neg(p.x);
  p.t = asz_fe_neg(p.t);
  return p;
}

#endif
