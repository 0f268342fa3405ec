/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sha256: the one form of SHA-256 (FIPS 180-4) that the seq challenge needs: x <- SHA-256(x) for 32-byte x.
 *
 * A 32-byte message and its padding fill exactly one block, so a step is one compression whose upper eight words are constants
 * (0x80000000, zeros, the length 256). The chain stays in eight words: the digest's big-endian words are the next message's
 * words, so bytes are touched only at its two ends. The message schedule is a ring of 16 words, each replaced in the round after
 * its use: 64 words would not fit a GPU's registers. */
#ifndef ASZ_GPU_KINDS_SHA256_H
#define ASZ_GPU_KINDS_SHA256_H

#include "gpu/kinds/hd.h"

/* FIPS 180-4 section 4.2.2: fractional parts of the cube roots of the first 64 primes. */
ASZ_HD_TABLE uint32_t asz_sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

struct asz_sha256_x {
  uint32_t word[8]; /* a digest as FIPS 180-4 has it: word 0 holds bytes 0..3, big-endian */
};

ASZ_HD struct asz_sha256_x asz_sha256_x_load(const uint8_t bytes[32]) {
  struct asz_sha256_x x;
  for (size_t i = 0; i < 8; i++)
    x.word[i] = asz_hd_be32_load(bytes + 4 * i);
  return x;
}

ASZ_HD void asz_sha256_x_store(uint8_t *ret_bytes /* 32 */, struct asz_sha256_x x) {
  for (size_t i = 0; i < 8; i++)
    asz_hd_be32_store(ret_bytes + 4 * i, x.word[i]);
}

/* a + b, by multiplication: a * one + b. A GPU's ALU does rotations, logic and sums while its multipliers stand idle beside it;
 * this moves the sums to them, as long as no compiler can see that one is 1. On sm_90 it takes 241 of 1,227 operations a
 * compression from the ALU (counted by scripts/sass-count, not timed): what is left is rotations and logic. On the host: a sum.
 */
ASZ_HD uint32_t asz_sha256_sum(uint32_t a, uint32_t b, uint32_t one) {
#if defined(__CUDACC__)
  uint32_t sum;
  asm("mad.lo.u32 %0, %1, %2, %3;" : "=r"(sum) : "r"(a), "r"(one), "r"(b));
  return sum;
#else
  (void)one;
  return a + b;
#endif
}

/* One round on s[0..7] = a..h, with the round's constant already added to its schedule word. */
ASZ_HD void asz_sha256_round(uint32_t s[8], uint32_t k_plus_w, uint32_t one) {
  uint32_t a = s[0], e = s[4];
  uint32_t sigma1 = asz_hd_ror32(e, 6) ^ asz_hd_ror32(e, 11) ^ asz_hd_ror32(e, 25);
  uint32_t choose = s[6] ^ (e & (s[5] ^ s[6]));
  uint32_t t1 = asz_sha256_sum(asz_sha256_sum(asz_sha256_sum(s[7], k_plus_w, one), choose, one), sigma1, one);
  uint32_t sigma0 = asz_hd_ror32(a, 2) ^ asz_hd_ror32(a, 13) ^ asz_hd_ror32(a, 22);
  uint32_t majority = (a & s[1]) | (s[2] & (a | s[1]));
  s[7] = s[6];
  s[6] = s[5];
  s[5] = e;
  s[4] = asz_sha256_sum(s[3], t1, one);
  s[3] = s[2];
  s[2] = s[1];
  s[1] = a;
  s[0] = asz_sha256_sum(t1, asz_sha256_sum(sigma0, majority, one), one);
}

/* SHA-256 of the 32 bytes x; one: 1. */
ASZ_HD struct asz_sha256_x asz_sha256_step_with(struct asz_sha256_x x, uint32_t one) {
  /* FIPS 180-4 section 5.3.3: fractional parts of the square roots of the first 8 primes. */
  const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint32_t s[8], w[16];
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++) {
    s[i] = initial[i];
    w[i] = x.word[i];
    w[i + 8] = 0;
  }
  w[8] = 0x80000000; /* the bit that ends the message */
  w[15] = 256;       /* its length in bits */
  ASZ_HD_UNROLL
  for (int i = 0; i < 16; i++)
    asz_sha256_round(s, asz_sha256_k[i] + w[i], one);
  ASZ_HD_UNROLL
  for (int i = 16; i < 64; i++) {
    uint32_t w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];
    uint32_t sigma0 = asz_hd_ror32(w15, 7) ^ asz_hd_ror32(w15, 18) ^ w15 >> 3;
    uint32_t sigma1 = asz_hd_ror32(w2, 17) ^ asz_hd_ror32(w2, 19) ^ w2 >> 10;
    uint32_t old = asz_sha256_sum(w[i & 15], w[(i + 9) & 15], one);
    w[i & 15] = asz_sha256_sum(old, asz_sha256_sum(sigma0, sigma1, one), one);
    asz_sha256_round(s, asz_sha256_sum(w[i & 15], asz_sha256_k[i], one), one);
  }
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++)
    x.word[i] = asz_sha256_sum(s[i], initial[i], one);
  return x;
}

/* asz_sha256_step: SHA-256 of the 32 bytes x. Pure. */
ASZ_HD struct asz_sha256_x asz_sha256_step(struct asz_sha256_x x) {
  return asz_sha256_step_with(x, 1);
}

/* asz_sha256_chain: x after `steps` steps. */
ASZ_HD struct asz_sha256_x asz_sha256_chain(struct asz_sha256_x x, uint32_t steps) {
#if defined(__CUDACC__)
  uint32_t one; /* wherever it is used, and no compiler knows */
  asm("min.u32 %0, %1, 1;" : "=r"(one) : "r"(steps));
#else
  const uint32_t one = 1;
#endif
  ASZ_HD_ROLLED
  for (uint32_t i = 0; i < steps; i++)
    x = asz_sha256_step_with(x, one);
  return x;
}

#endif
