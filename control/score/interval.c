/* SPDX-License-Identifier: Apache-2.0 */
/* Wilson's lower bound and the count it may use, in exact integers up to one rounded square root.
 *
 * With z = 2326/1000 the bound (up + z^2/2 - z sqrt(up (n - up)/n + z^2/4)) / (n + z^2), times 2 * 10^6 above and below, is
 *
 *   (2*10^6 up + Z^2 - Z sqrt(4*10^6 up (n - up)/n + Z^2)) / (2*10^6 n + 2 Z^2),   Z = 2326
 *
 * The root is taken with 20 more fraction bits and rounded up, the quotient down: the bound never comes out too high.
 *
 * Why not the plain share: ten of ten proves 65 %, and an operator who is promised 99.99 % should see how far the proof is. Why
 * not n itself: outages come in runs, and a run of sixty down minutes is nearer to one observation than to sixty. For a chain
 * with lag-1 autocorrelation r the mean of n slots varies like that of n (1 - r)/(1 + r) independent ones. */
#include <assert.h>

#include "control/score/fixed.h"
#include "control/score/score_private.h"

enum { Z_MILLI = 2326, ROOT_BITS = 20 };

#define N_LIMIT (UINT64_C(1) << 30)

static uint64_t isqrt_up(unsigned __int128 x) {
  uint64_t root = asz_isqrt_u128(x);
  return root + ((unsigned __int128)root * root < x);
}

uint32_t asz_wilson_low_ppm(uint64_t up, uint64_t n) {
  assert(up <= n && n < N_LIMIT);
  if (n == 0)
    return 0;
  const uint64_t z2 = (uint64_t)Z_MILLI * Z_MILLI;
  unsigned __int128 spread =
      (((unsigned __int128)up * (n - up) * 4000000) << (2 * ROOT_BITS)) / n;                  /* < 2^120 before, 2^92 after */
  unsigned __int128 root = isqrt_up(spread + 1 + ((unsigned __int128)z2 << (2 * ROOT_BITS))); /* + 1: the division */
  unsigned __int128 above = (unsigned __int128)(2000000 * up + z2) << ROOT_BITS;
  unsigned __int128 below = (unsigned __int128)(2000000 * n + 2 * z2) << ROOT_BITS;
  if (above <= Z_MILLI * root)
    return 0;
  return (uint32_t)((above - Z_MILLI * root) * ASZ_PPM / below);
}

/* r = (A / (pairs n^2)) / (B / (pairs n^2)), A = both_down n^2 - down^2 pairs, B = down (n - down) pairs: no division until the
 * end, n (B - A)/(B + A). */
uint64_t asz_effective_n(uint64_t up, uint64_t n, uint64_t pairs, uint64_t pairs_both_down) {
  assert(up <= n && n < N_LIMIT && pairs <= n && pairs_both_down <= pairs);
  uint64_t down = n - up;
  if (n == 0 || pairs == 0 || down == 0 || up == 0)
    return n; /* all alike: no spread to correct */
  __int128 a = (__int128)pairs_both_down * n * n - (__int128)down * down * pairs;
  __int128 b = (__int128)down * up * pairs;
  if (a <= 0)
    return n; /* alternating faster than chance would: no credit for it */
  if (a >= b)
    return 1;
  uint64_t effective = (uint64_t)((b - a) * n / (b + a));
  return effective ? effective : 1;
}
