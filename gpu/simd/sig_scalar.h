/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sig_scalar: scalars modulo L = 2^252 + c, c = 27742317777372353535851937790883648493, as four 64-bit words. The same three
 * questions as gpu/kinds/ed25519_sc.h answers, with 64-bit products: is S below L, what is a hash modulo L, and which digits has
 * it. Variable time; public data only. */
#ifndef ASZ_GPU_SIMD_SIG_SCALAR_H
#define ASZ_GPU_SIMD_SIG_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

#define ASZ_SIG_ORDER_C0 UINT64_C(0x5812631a5cf5d3ed) /* c, lower and upper word */
#define ASZ_SIG_ORDER_C1 UINT64_C(0x14def9dea2f79cd6)
#define ASZ_SIG_ORDER_3  UINT64_C(0x1000000000000000) /* 2^252 */

/* asz_sig_scalar_is_canonical: s < L */
static inline bool asz_sig_scalar_is_canonical(const uint64_t s[4]) {
  if (s[3] != ASZ_SIG_ORDER_3 || s[2] != 0)
    return s[3] < ASZ_SIG_ORDER_3;
  return s[1] != ASZ_SIG_ORDER_C1 ? s[1] < ASZ_SIG_ORDER_C1 : s[0] < ASZ_SIG_ORDER_C0;
}

/* r[0 .. n+1] = x[0 .. n-1] * c; n is a constant at every call. */
static inline void asz_sig_scalar_times_c(uint64_t *r, const uint64_t *x, int n) {
  unsigned __int128 t = 0;
  for (int i = 0; i < n; i++) {
    t += (unsigned __int128)x[i] * ASZ_SIG_ORDER_C0;
    r[i] = (uint64_t)t;
    t >>= 64;
  }
  r[n] = (uint64_t)t;
  t = 0;
  for (int i = 0; i < n; i++) {
    t += (unsigned __int128)x[i] * ASZ_SIG_ORDER_C1 + r[i + 1];
    r[i + 1] = (uint64_t)t;
    t >>= 64;
  }
  r[n + 1] = (uint64_t)t;
}

/* Cuts x at bit 252: the upper part, n - 3 words, to ret_upper; x keeps the lower four. */
static inline void asz_sig_scalar_cut(uint64_t *ret_upper, uint64_t *x, int n) {
  for (int i = 3; i < n; i++)
    ret_upper[i - 3] = x[i] >> 60 | (i + 1 < n ? x[i + 1] << 4 : 0);
  x[3] &= ASZ_SIG_ORDER_3 - 1;
}

/* a += b or a -= b over four words; the last carry or borrow is lost. */
static inline void asz_sig_scalar_add(uint64_t a[4], uint64_t b0, uint64_t b1, uint64_t b2, uint64_t b3) {
  unsigned __int128 t = (unsigned __int128)a[0] + b0;
  a[0] = (uint64_t)t;
  t = (t >> 64) + a[1] + b1;
  a[1] = (uint64_t)t;
  t = (t >> 64) + a[2] + b2;
  a[2] = (uint64_t)t;
  a[3] += (uint64_t)(t >> 64) + b3;
}
static inline void asz_sig_scalar_sub(uint64_t a[4], const uint64_t b[4]) {
  asz_sig_scalar_add(a, ~b[0], ~b[1], ~b[2], ~b[3]);
  asz_sig_scalar_add(a, 1, 0, 0, 0);
}

/* asz_sig_scalar_reduce: the 512-bit little-endian number x modulo L; x is spent.
 *
 * 2^252 = -c, so x = x0 + 2^252 x1 = x0 - c x1; c x1 has 385 bits and is cut again into y0 + 2^252 y1, and c y1, 258 bits, into
 * z0 + 2^252 z1: x = x0 - y0 + z0 - c z1. Of these x0, y0, z0 are below 2^252 and c z1 below 2^131, so that 2 L on top makes the
 * sum positive and below 2^254: at most three L too much. */
static inline void asz_sig_scalar_reduce(uint64_t ret_r[4], uint64_t x[8]) {
  uint64_t x1[5], y[7], y1[4], z[6], z1[3], w[3];
  asz_sig_scalar_cut(x1, x, 8);
  asz_sig_scalar_times_c(y, x1, 5);
  asz_sig_scalar_cut(y1, y, 7);
  asz_sig_scalar_times_c(z, y1, 3); /* y1 has 385 - 252 = 133 bits */
  asz_sig_scalar_cut(z1, z, 5);
  asz_sig_scalar_times_c(w, z1, 1);
  const uint64_t w4[4] = {w[0], w[1], w[2], 0};
  asz_sig_scalar_add(x, 2 * ASZ_SIG_ORDER_C0, 2 * ASZ_SIG_ORDER_C1 + (ASZ_SIG_ORDER_C0 >> 63), 0, 2 * ASZ_SIG_ORDER_3);
  asz_sig_scalar_add(x, z[0], z[1], z[2], z[3]);
  asz_sig_scalar_sub(x, y);
  asz_sig_scalar_sub(x, w4);
  const uint64_t order[4] = {ASZ_SIG_ORDER_C0, ASZ_SIG_ORDER_C1, 0, ASZ_SIG_ORDER_3};
  while (!asz_sig_scalar_is_canonical(x))
    asz_sig_scalar_sub(x, order);
  for (int i = 0; i < 4; i++)
    ret_r[i] = x[i];
}

#endif
