/* SPDX-License-Identifier: Apache-2.0 */
/* asz_ge51: gpu/kinds/ed25519_ge.h, where the formulas are explained, over asz_fe51. All coordinates are tight. */
#ifndef ASZ_GPU_SIMD_GE51_H
#define ASZ_GPU_SIMD_GE51_H

#include "gpu/simd/fe51.h"

struct asz_ge51 {
  struct asz_fe51 x, y, z, t;
};

/* A point with z = 1, made ready to be added: y + x, y - x, 2dxy; loose. */
struct asz_ge51_affine {
  struct asz_fe51 y_plus_x, y_minus_x, t2d;
};

static inline struct asz_ge51 asz_ge51_neutral(void) {
  return (struct asz_ge51){asz_fe51_small(0), asz_fe51_small(1), asz_fe51_small(1), asz_fe51_small(0)};
}

static inline struct asz_ge51 asz_ge51_complete(struct asz_fe51 e, struct asz_fe51 f, struct asz_fe51 g, struct asz_fe51 h) {
  return (struct asz_ge51){asz_fe51_mul(e, f), asz_fe51_mul(g, h), asz_fe51_mul(f, g), asz_fe51_mul(e, h)};
}

/* 2 p. Two of the four factors have the opposite sign of asz_ge_double's, and so have all coordinates, which is the same point:
 * nothing is then taken away from a difference, and all stays loose. p.t is not read. */
static inline struct asz_ge51 asz_ge51_double(struct asz_ge51 p) {
  struct asz_fe51 xx = asz_fe51_square(p.x), yy = asz_fe51_square(p.y), zz = asz_fe51_square(p.z);
  struct asz_fe51 sum = asz_fe51_add(xx, yy);
  struct asz_fe51 xy2 = asz_fe51_sub(asz_fe51_square(asz_fe51_add(p.x, p.y)), sum);
  struct asz_fe51 f = asz_fe51_sub(asz_fe51_add(asz_fe51_add(zz, zz), xx), yy);
  return asz_ge51_complete(xy2, f, asz_fe51_sub(yy, xx), sum);
}

/* p + q; z2 is 2 z(p) z(q), at most two tight values added. */
static inline struct asz_ge51 asz_ge51_add(struct asz_ge51 p, struct asz_ge51_affine q, struct asz_fe51 z2) {
  struct asz_fe51 a = asz_fe51_mul(asz_fe51_sub(p.y, p.x), q.y_minus_x);
  struct asz_fe51 b = asz_fe51_mul(asz_fe51_add(p.y, p.x), q.y_plus_x);
  struct asz_fe51 c = asz_fe51_mul(p.t, q.t2d);
  return asz_ge51_complete(asz_fe51_sub(b, a), asz_fe51_sub(z2, c), asz_fe51_add(z2, c), asz_fe51_add(b, a));
}

#endif
