/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sha512x8: SHA-512 of eight messages at once, a lane of AVX-512 each; gpu/kinds/sha512.h eight times. For files that are
 * compiled for it. */
#ifndef ASZ_GPU_SIMD_SHA512X8_H
#define ASZ_GPU_SIMD_SHA512X8_H

#include <immintrin.h>

#include "gpu/kinds/sha512.h"

/* Truth tables of _mm512_ternarylogic_epi64. */
enum { ASZ_SHA512X8_XOR = 0x96, ASZ_SHA512X8_CHOOSE = 0xca, ASZ_SHA512X8_MAJORITY = 0xe8 };

/* Eight rows of eight words to eight columns. */
static inline void asz_sha512x8_transpose(__m512i r[8]) {
  __m512i t[8], u[8];
  for (int i = 0; i < 4; i++) { /* pairs of words */
    t[2 * i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) /* i: words 0, 2, 4, 6 or 1, 3, 5, 7 */
    for (int half = 0; half < 2; half++) {
      u[4 * i + 2 * half] = _mm512_shuffle_i64x2(t[4 * half + i], t[4 * half + 2 + i], 0x88);     /* words 0 and 4 of 4 rows */
      u[4 * i + 2 * half + 1] = _mm512_shuffle_i64x2(t[4 * half + i], t[4 * half + 2 + i], 0xdd); /* words 2 and 6 */
    }
  for (int i = 0; i < 2; i++) {
    r[i] = _mm512_shuffle_i64x2(u[4 * i], u[4 * i + 2], 0x88);
    r[i + 4] = _mm512_shuffle_i64x2(u[4 * i], u[4 * i + 2], 0xdd);
    r[i + 2] = _mm512_shuffle_i64x2(u[4 * i + 1], u[4 * i + 3], 0x88);
    r[i + 6] = _mm512_shuffle_i64x2(u[4 * i + 1], u[4 * i + 3], 0xdd);
  }
}

static inline void asz_sha512x8_round(__m512i s[8], __m512i k_plus_w) {
  __m512i a = s[0], e = s[4];
  __m512i sigma1 =
      _mm512_ternarylogic_epi64(_mm512_ror_epi64(e, 14), _mm512_ror_epi64(e, 18), _mm512_ror_epi64(e, 41), ASZ_SHA512X8_XOR);
  __m512i choose = _mm512_ternarylogic_epi64(e, s[5], s[6], ASZ_SHA512X8_CHOOSE);
  __m512i t1 = _mm512_add_epi64(_mm512_add_epi64(s[7], k_plus_w), _mm512_add_epi64(sigma1, choose));
  __m512i sigma0 =
      _mm512_ternarylogic_epi64(_mm512_ror_epi64(a, 28), _mm512_ror_epi64(a, 34), _mm512_ror_epi64(a, 39), ASZ_SHA512X8_XOR);
  __m512i majority = _mm512_ternarylogic_epi64(a, s[1], s[2], ASZ_SHA512X8_MAJORITY);
  s[7] = s[6];
  s[6] = s[5];
  s[5] = e;
  s[4] = _mm512_add_epi64(s[3], t1);
  s[3] = s[2];
  s[2] = s[1];
  s[1] = a;
  s[0] = _mm512_add_epi64(t1, _mm512_add_epi64(sigma0, majority));
}

static inline void asz_sha512x8_init(__m512i ret_state[8]) {
  uint64_t initial[8];
  asz_sha512_init(initial);
  for (int i = 0; i < 8; i++)
    ret_state[i] = _mm512_set1_epi64((long long)initial[i]);
}

/* asz_sha512x8_block compresses a block of each lane into its state: lane l's is at block + l * stride. Lanes that are not in the
 * mask keep their state. */
static inline void asz_sha512x8_block(__m512i state[8], const uint8_t *block, size_t stride, __mmask8 lanes) {
  const __m512i swap = _mm512_broadcast_i32x4(_mm_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607));
  __m512i s[8], w[16];
  for (int half = 0; half < 2; half++) {
    for (int lane = 0; lane < 8; lane++)
      w[8 * half + lane] = _mm512_loadu_si512(block + stride * lane + 64 * half);
    asz_sha512x8_transpose(w + 8 * half);
  }
  for (int i = 0; i < 8; i++)
    s[i] = state[i];
  for (int i = 0; i < 16; i++) {
    w[i] = _mm512_shuffle_epi8(w[i], swap);
    asz_sha512x8_round(s, _mm512_add_epi64(w[i], _mm512_set1_epi64((long long)asz_sha512_k[i])));
  }
#pragma GCC unroll 1
  for (int base = 16; base < 80; base += 16)
    for (int i = 0; i < 16; i++) {
      __m512i w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];
      __m512i sigma0 = _mm512_ternarylogic_epi64(_mm512_ror_epi64(w15, 1), _mm512_ror_epi64(w15, 8), _mm512_srli_epi64(w15, 7),
                                                 ASZ_SHA512X8_XOR);
      __m512i sigma1 = _mm512_ternarylogic_epi64(_mm512_ror_epi64(w2, 19), _mm512_ror_epi64(w2, 61), _mm512_srli_epi64(w2, 6),
                                                 ASZ_SHA512X8_XOR);
      w[i] = _mm512_add_epi64(_mm512_add_epi64(w[i], sigma0), _mm512_add_epi64(w[(i + 9) & 15], sigma1));
      asz_sha512x8_round(s, _mm512_add_epi64(w[i], _mm512_set1_epi64((long long)asz_sha512_k[base + i])));
    }
  for (int i = 0; i < 8; i++)
    state[i] = _mm512_mask_add_epi64(state[i], lanes, state[i], s[i]);
}

#endif
