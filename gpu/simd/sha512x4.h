/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sha512x4: SHA-512 of four messages at once, a lane of AVX2 each; gpu/kinds/sha512.h four times. For files that are compiled
 * for it. */
#ifndef ASZ_GPU_SIMD_SHA512X4_H
#define ASZ_GPU_SIMD_SHA512X4_H

#include <immintrin.h>

#include "gpu/kinds/sha512.h"

static inline __m256i asz_sha512x4_ror(__m256i x, int n) {
  return _mm256_or_si256(_mm256_srli_epi64(x, n), _mm256_slli_epi64(x, 64 - n));
}
static inline __m256i asz_sha512x4_xor(__m256i a, __m256i b, __m256i c) {
  return _mm256_xor_si256(_mm256_xor_si256(a, b), c);
}

/* Four words of each lane, lane l's at row + l * stride, to a vector a word. Halves of rows are put side by side as they are
 * loaded, so that one round of shuffles is enough. */
static inline void asz_sha512x4_columns(__m256i ret_word[4], const uint8_t *const row[4]) {
  __m256i half[2][2];
  for (size_t i = 0; i < 2; i++) /* words 0 and 1, words 2 and 3 */
    for (size_t odd = 0; odd < 2; odd++) {
      __m128i first = _mm_loadu_si128((const __m128i *)(row[odd] + 16 * i));
      __m128i second = _mm_loadu_si128((const __m128i *)(row[odd + 2] + 16 * i));
      half[i][odd] = _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
    }
  for (int i = 0; i < 2; i++) {
    ret_word[2 * i] = _mm256_unpacklo_epi64(half[i][0], half[i][1]);
    ret_word[2 * i + 1] = _mm256_unpackhi_epi64(half[i][0], half[i][1]);
  }
}

static inline void asz_sha512x4_round(__m256i s[8], __m256i k_plus_w) {
  __m256i a = s[0], e = s[4];
  __m256i sigma1 = asz_sha512x4_xor(asz_sha512x4_ror(e, 14), asz_sha512x4_ror(e, 18), asz_sha512x4_ror(e, 41));
  __m256i choose = _mm256_xor_si256(s[6], _mm256_and_si256(e, _mm256_xor_si256(s[5], s[6])));
  __m256i t1 = _mm256_add_epi64(_mm256_add_epi64(s[7], k_plus_w), _mm256_add_epi64(sigma1, choose));
  __m256i sigma0 = asz_sha512x4_xor(asz_sha512x4_ror(a, 28), asz_sha512x4_ror(a, 34), asz_sha512x4_ror(a, 39));
  __m256i majority = _mm256_or_si256(_mm256_and_si256(a, s[1]), _mm256_and_si256(s[2], _mm256_or_si256(a, s[1])));
  s[7] = s[6];
  s[6] = s[5];
  s[5] = e;
  s[4] = _mm256_add_epi64(s[3], t1);
  s[3] = s[2];
  s[2] = s[1];
  s[1] = a;
  s[0] = _mm256_add_epi64(t1, _mm256_add_epi64(sigma0, majority));
}

static inline void asz_sha512x4_init(__m256i ret_state[8]) {
  uint64_t initial[8];
  asz_sha512_init(initial);
  for (int i = 0; i < 8; i++)
    ret_state[i] = _mm256_set1_epi64x((long long)initial[i]);
}

/* asz_sha512x4_block compresses a block of each lane into its state: lane l's is at block + l * stride. Lanes whose word of the
 * mask is 0 keep their state; all ones in the others. */
static inline void asz_sha512x4_block(__m256i state[8], const uint8_t *block, size_t stride, __m256i lanes) {
  const __m256i swap = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607));
  __m256i s[8], w[16];
  for (size_t i = 0; i < 4; i++) {
    const uint8_t *const row[4] = {block + 32 * i, block + stride + 32 * i, block + 2 * stride + 32 * i,
                                   block + 3 * stride + 32 * i};
    asz_sha512x4_columns(w + 4 * i, row);
  }
  for (int i = 0; i < 8; i++)
    s[i] = state[i];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) {
    w[i] = _mm256_shuffle_epi8(w[i], swap);
    asz_sha512x4_round(s, _mm256_add_epi64(w[i], _mm256_set1_epi64x((long long)asz_sha512_k[i])));
  }
#pragma GCC unroll 1
  for (int base = 16; base < 80; base += 16)
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      __m256i w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];
      __m256i sigma0 = asz_sha512x4_xor(asz_sha512x4_ror(w15, 1), asz_sha512x4_ror(w15, 8), _mm256_srli_epi64(w15, 7));
      __m256i sigma1 = asz_sha512x4_xor(asz_sha512x4_ror(w2, 19), asz_sha512x4_ror(w2, 61), _mm256_srli_epi64(w2, 6));
      w[i] = _mm256_add_epi64(_mm256_add_epi64(w[i], sigma0), _mm256_add_epi64(w[(i + 9) & 15], sigma1));
      asz_sha512x4_round(s, _mm256_add_epi64(w[i], _mm256_set1_epi64x((long long)asz_sha512_k[base + i])));
    }
  for (int i = 0; i < 8; i++)
    state[i] = _mm256_add_epi64(state[i], _mm256_and_si256(s[i], lanes));
}

#endif
