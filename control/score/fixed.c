/* SPDX-License-Identifier: Apache-2.0 */
/* Square root, logarithm and power of two in integers.
 *
 * libm would do it in a line each, but its last bits differ between machines and versions, and a score that cannot be recomputed
 * bit for bit is no evidence. So: digit-by-digit methods whose every intermediate is an integer with a bound that can be stated.
 *
 *   isqrt   one result bit a round, from the top: exact.
 *   log2    the classic: square the mantissa; when it passes 2, the next bit of the logarithm is 1. Mantissas have 63 fraction
 *           bits; squaring rounds down, and the error of round k weighs 2^-k: in sum under 1.45 * 2^-63, so that the result is
 *           floor(true) or, when the true value lies within 2^-30 units above an integer, one less. Never above.
 *   exp2    the product of 2^(2^-k) over the set bits of the fraction. 32 constants with 63 fraction bits, rounded down, and 32
 *           products, rounded down: relative error under 64 * 2^-63, so again floor(true) or one less, never above. */
#include "control/score/fixed.h"

#include <assert.h>

uint64_t asz_isqrt_u128(unsigned __int128 x) {
  unsigned __int128 root = 0;
  unsigned high_bit =
      x >> 64 ? 127 - (unsigned)__builtin_clzll((uint64_t)(x >> 64)) : 63 - (unsigned)__builtin_clzll((uint64_t)x | 1);
  for (unsigned __int128 bit = (unsigned __int128)1 << (high_bit & ~1u); bit; bit >>= 2) {
    if (x >= root + bit) {
      x -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
  }
  return (uint64_t)root;
}

int64_t asz_log2_q32(uint64_t x_q32) {
  assert(x_q32);
  int zeros = __builtin_clzll(x_q32);
  uint64_t mantissa = x_q32 << zeros; /* Q63, in [1, 2) */
  int64_t result = 31 - zeros;
  for (unsigned k = 0; k < 32; k++) {
    unsigned __int128 square = (unsigned __int128)mantissa * mantissa; /* Q126, in [1, 4) */
    unsigned bit = (unsigned)(square >> 127);
    mantissa = (uint64_t)(square >> (63 + bit));
    result = result * 2 + bit;
  }
  return result;
}

/* floor(2^(2^-k) * 2^63) for k = 1..32: reference.py recomputes them. */
static const uint64_t exp2_root_q63[32] = {
    UINT64_C(0xb504f333f9de6484), UINT64_C(0x9837f0518db8a96f), UINT64_C(0x8b95c1e3ea8bd6e6), UINT64_C(0x85aac367cc487b14),
    UINT64_C(0x82cd8698ac2ba1d7), UINT64_C(0x8164d1f3bc030773), UINT64_C(0x80b1ed4fd999ab6c), UINT64_C(0x8058d7d2d5e5f6b0),
    UINT64_C(0x802c6436d0e04f50), UINT64_C(0x8016302f17467628), UINT64_C(0x800b179c82028fd0), UINT64_C(0x80058baf7fee3b5d),
    UINT64_C(0x8002c5d00fdcfcb6), UINT64_C(0x800162e61bed4a48), UINT64_C(0x8000b17292f702a3), UINT64_C(0x800058b92abbae02),
    UINT64_C(0x80002c5c8dade4d7), UINT64_C(0x8000162e44eaf636), UINT64_C(0x80000b1721fa7c18), UINT64_C(0x8000058b90de7e4c),
    UINT64_C(0x800002c5c8678f36), UINT64_C(0x80000162e431db9f), UINT64_C(0x800000b1721872d0), UINT64_C(0x80000058b90c1aa8),
    UINT64_C(0x8000002c5c8605a4), UINT64_C(0x800000162e4300e6), UINT64_C(0x8000000b17217ff8), UINT64_C(0x800000058b90bfdd),
    UINT64_C(0x80000002c5c85fe6), UINT64_C(0x8000000162e42ff1), UINT64_C(0x80000000b17217f8), UINT64_C(0x8000000058b90bfc),
};

uint64_t asz_exp2_neg_q32(int64_t y_q32) {
  assert(y_q32 <= 0);
  uint64_t down = (uint64_t) - (y_q32 >> 32); /* y = -down + fraction, 0 <= fraction < 1 */
  if (down > 32)
    return 0;
  uint32_t fraction = (uint32_t)y_q32;
  uint64_t power = UINT64_C(1) << 63; /* Q63, stays in [1, 2) */
  for (unsigned k = 0; k < 32; k++) {
    if (fraction >> (31 - k) & 1)
      power = (uint64_t)((unsigned __int128)power * exp2_root_q63[k] >> 63);
  }
  return power >> (31 + down);
}
