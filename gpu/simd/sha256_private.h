/* SPDX-License-Identifier: Apache-2.0 */
/* What the backends of gpu/simd/sha256.h share: the constants of a block whose upper half never changes.
 *
 * Words 8..15 of every block are 0x80000000, six zeros and 256, and every block starts from the initial state. So the round
 * constants of rounds 8..15 already hold their word, the first round is two additions, the next three know h and d, and of the
 * first 16 new schedule words those terms are left out or constants that come from the upper half. The table lies in a unit of
 * its own (sha256.c), so that vector code reads it from memory, one broadcast operand each: a compiler that sees the values
 * moves every one of them through a general register instead (2 of 60 cycles a compression in 16 lanes). */
#ifndef ASZ_GPU_SIMD_SHA256_PRIVATE_H
#define ASZ_GPU_SIMD_SHA256_PRIVATE_H

#include "gpu/simd/sha256.h"

struct asz_sha256_constants {
  uint32_t k[64];              /* of the round; in 8..15 the word is already added */
  uint32_t initial[8];         /* a..h */
  uint32_t initial_abef[4];    /* as the SHA instructions want them: f, e, b, a */
  uint32_t initial_cdgh[4];    /* h, g, d, c */
  uint32_t round0_a, round0_e; /* round 0: a = round0_a + w[0], e = round0_e + w[0] */
  uint32_t round123_t[3];      /* rounds 1..3: h + k */
  uint32_t round123_e[3];      /* d + h + k */
  uint32_t word8, word15;      /* 0x80000000, 256 */
  uint32_t sigma0_word8, sigma0_word15, sigma1_word15;
} __attribute__((aligned(64)));

/* Hidden: addressed directly, without a register that holds its address (4 cycles a compression in sha256_shani_avx512.c). */
extern const struct asz_sha256_constants asz_sha256_constants __attribute__((visibility("hidden")));

extern const struct asz_sha256_backend asz_sha256_avx2, asz_sha256_avx512, asz_sha256_shani, asz_sha256_shani_avx512;

/* Vector code unrolls its rounds completely: every index into the schedule is then a register's name. */
#if defined(__clang__)
#define ASZ_SHA256_UNROLL _Pragma("unroll")
#else
#define ASZ_SHA256_UNROLL _Pragma("GCC unroll 64")
#endif
#define ASZ_SHA256_INLINE static inline __attribute__((always_inline))

#endif
