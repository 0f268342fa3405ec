/* SPDX-License-Identifier: Apache-2.0 */
/* Eight chains in the lanes of AVX2, for a CPU that has neither SHA instructions nor AVX-512.
 *
 * There is no rotation: one is two shifts and an exclusive or, and an exclusive or of three rotations takes 6 shifts and 5 more
 * operations. Per compression of a lane, with the constants of the block folded: 3,100 operations / 8 lanes = 390; a CPU that
 * does four a cycle, two of them shifts, needs at least 97 cycles; measured on Zen 4: 141. 24 values do not fit 16 registers. */
#include <immintrin.h>

#include "gpu/simd/sha256_private.h"

enum { LANES = 8 };
typedef __m256i vec;

#define SHR(x, n) _mm256_srli_epi32(x, n)
#define SHL(x, n) _mm256_slli_epi32(x, n)
#define XOR(x, y) _mm256_xor_si256(x, y)
/* The two halves of a rotation to the right. */
#define ROR(x, n) XOR(SHR(x, n), SHL(x, 32 - (n)))

ASZ_SHA256_INLINE vec vec_add(vec x, vec y) {
  return _mm256_add_epi32(x, y);
}

ASZ_SHA256_INLINE vec vec_broadcast(const uint32_t *word) {
  return _mm256_set1_epi32((int)*word);
}

ASZ_SHA256_INLINE vec vec_sum0(vec x) {
  return XOR(XOR(ROR(x, 2), ROR(x, 13)), ROR(x, 22));
}

ASZ_SHA256_INLINE vec vec_sum1(vec x) {
  return XOR(XOR(ROR(x, 6), ROR(x, 11)), ROR(x, 25));
}

ASZ_SHA256_INLINE vec vec_sigma0(vec x) {
  return XOR(XOR(ROR(x, 7), ROR(x, 18)), SHR(x, 3));
}

ASZ_SHA256_INLINE vec vec_sigma1(vec x) {
  return XOR(XOR(ROR(x, 17), ROR(x, 19)), SHR(x, 10));
}

ASZ_SHA256_INLINE vec vec_choose(vec x, vec y, vec z) {
  return XOR(z, _mm256_and_si256(x, XOR(y, z)));
}

/* Three operations instead of four: b ^ c was the a ^ b of the round before. */
ASZ_SHA256_INLINE vec vec_majority(vec a, vec b, vec c, vec *b_xor_c) {
  (void)c;
  vec a_xor_b = XOR(a, b), majority = XOR(b, _mm256_and_si256(a_xor_b, *b_xor_c));
  *b_xor_c = a_xor_b;
  return majority;
}

#include "gpu/simd/sha256_lanes.h"

static bool is_supported(void) {
  return __builtin_cpu_supports("avx2");
}

const struct asz_sha256_backend asz_sha256_avx2 = {"avx2", LANES, is_supported, lanes_advance};
