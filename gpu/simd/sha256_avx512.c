/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen chains in the lanes of AVX-512.
 *
 * A sum of three rotations is 3 vprord and 1 vpternlogd, choose and majority are 1 vpternlogd each: 17 operations a round, 11 a
 * schedule word. With the constants of the block folded: 1,510 operations / 16 lanes = 94 a compression. Zen 4 does two of 512
 * bits a cycle: at least 47 cycles; measured: 58, since it does not send all additions around the two pipes that rotate. Shifts
 * in place of some rotations, to fill the other two, measured worse (62). State and schedule are 24 registers of 32. */
#include <immintrin.h>

#include "gpu/simd/sha256_private.h"

enum { LANES = 16 };
typedef __m512i vec;

#define ROR(x, n)             _mm512_ror_epi32(x, n)
#define SHR(x, n)             _mm512_srli_epi32(x, n)
#define TABLE(x, y, z, table) _mm512_ternarylogic_epi32(x, y, z, table) /* bit 4x + 2y + z of the table */

ASZ_SHA256_INLINE vec vec_add(vec x, vec y) {
  return _mm512_add_epi32(x, y);
}

ASZ_SHA256_INLINE vec vec_broadcast(const uint32_t *word) {
  return _mm512_set1_epi32((int)*word);
}

ASZ_SHA256_INLINE vec vec_sum0(vec x) {
  return TABLE(ROR(x, 2), ROR(x, 13), ROR(x, 22), 0x96);
}

ASZ_SHA256_INLINE vec vec_sum1(vec x) {
  return TABLE(ROR(x, 6), ROR(x, 11), ROR(x, 25), 0x96);
}

ASZ_SHA256_INLINE vec vec_sigma0(vec x) {
  return TABLE(ROR(x, 7), ROR(x, 18), SHR(x, 3), 0x96);
}

ASZ_SHA256_INLINE vec vec_sigma1(vec x) {
  return TABLE(ROR(x, 17), ROR(x, 19), SHR(x, 10), 0x96);
}

ASZ_SHA256_INLINE vec vec_choose(vec x, vec y, vec z) {
  return TABLE(x, y, z, 0xca);
}

ASZ_SHA256_INLINE vec vec_majority(vec a, vec b, vec c, vec *b_xor_c) {
  *b_xor_c = c; /* not needed: one operation does it from a, b and c */
  return TABLE(a, b, c, 0xe8);
}

#include "gpu/simd/sha256_lanes.h"

static bool is_supported(void) {
  return __builtin_cpu_supports("avx512f");
}

const struct asz_sha256_backend asz_sha256_avx512 = {"avx512", LANES, is_supported, lanes_advance};
