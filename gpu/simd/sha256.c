/* SPDX-License-Identifier: Apache-2.0 */
/* The backends by name, the choice among them, and the plain one. */
#include "gpu/simd/sha256.h"

#include "gpu/simd/sha256_private.h"

#if defined(__x86_64__)
#define ROR(x, n)    ((x) >> (n) | (x) << (32 - (n)))
#define SIGMA0(x)    (ROR(x, 7) ^ ROR(x, 18) ^ (x) >> 3)
#define SIGMA1(x)    (ROR(x, 17) ^ ROR(x, 19) ^ (x) >> 10)
#define SUM0(x)      (ROR(x, 2) ^ ROR(x, 13) ^ ROR(x, 22))
#define SUM1(x)      (ROR(x, 6) ^ ROR(x, 11) ^ ROR(x, 25))
#define CH(x, y, z)  (((x) & (y)) ^ (~(x) & (z)))
#define MAJ(x, y, z) (((x) & (y)) ^ ((x) & (z)) ^ ((y) & (z)))
/* The initial state (FIPS 180-4 section 5.3.3) and the round constants that are folded into something. */
#define A0  UINT32_C(0x6a09e667)
#define B0  UINT32_C(0xbb67ae85)
#define C0  UINT32_C(0x3c6ef372)
#define D0  UINT32_C(0xa54ff53a)
#define E0  UINT32_C(0x510e527f)
#define F0  UINT32_C(0x9b05688c)
#define G0  UINT32_C(0x1f83d9ab)
#define H0  UINT32_C(0x5be0cd19)
#define K0  UINT32_C(0x428a2f98)
#define K1  UINT32_C(0x71374491)
#define K2  UINT32_C(0xb5c0fbcf)
#define K3  UINT32_C(0xe9b5dba5)
#define K8  UINT32_C(0xd807aa98)
#define K15 UINT32_C(0xc19bf174)
#define W8  UINT32_C(0x80000000)
#define W15 UINT32_C(256)
#define T0  (H0 + SUM1(E0) + CH(E0, F0, G0) + K0)

const struct asz_sha256_constants asz_sha256_constants = {
    .k = {K0,         K1,         K2,         K3,         0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, K8 + W8,    0x12835b01,
          0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, K15 + W15,  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
          0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
          0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
          0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
          0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
          0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2},
    .initial = {A0, B0, C0, D0, E0, F0, G0, H0},
    .initial_abef = {F0, E0, B0, A0},
    .initial_cdgh = {H0, G0, D0, C0},
    .round0_a = T0 + SUM0(A0) + MAJ(A0, B0, C0),
    .round0_e = T0 + D0,
    .round123_t = {G0 + K1, F0 + K2, E0 + K3},
    .round123_e = {C0 + G0 + K1, B0 + F0 + K2, A0 + E0 + K3},
    .word8 = W8,
    .word15 = W15,
    .sigma0_word8 = SIGMA0(W8),
    .sigma0_word15 = SIGMA0(W15),
    .sigma1_word15 = SIGMA1(W15),
};
#endif

static bool plain_is_supported(void) {
  return true;
}

static void plain_advance(struct asz_sha256_x *x, size_t count, uint32_t steps) {
  for (size_t i = 0; i < count; i++)
    x[i] = asz_sha256_chain(x[i], steps);
}

static const struct asz_sha256_backend plain = {"plain", 1, plain_is_supported, plain_advance};

/* The order is that of speed on AMD's Zen 4, where it was measured. */
static const struct asz_sha256_backend *const backends[] = {
#if defined(__x86_64__)
    &asz_sha256_shani_avx512,
    &asz_sha256_shani,
    &asz_sha256_avx512,
    &asz_sha256_avx2,
#endif
    &plain,
};

const struct asz_sha256_backend *const *asz_sha256_backends(size_t *ret_count) {
  *ret_count = sizeof backends / sizeof backends[0];
  return backends;
}

const struct asz_sha256_backend *asz_sha256_backend_best(void) {
#if defined(__x86_64__)
  /* AMD starts a sha256rnds2 each cycle (measured on Zen 4), Intel one in two (so its published timings), which 16 lanes beat. */
  if (!__builtin_cpu_is("amd") && asz_sha256_avx512.is_supported())
    return &asz_sha256_avx512;
#endif
  size_t i = 0;
  while (!backends[i]->is_supported()) /* plain always is */
    i++;
  return backends[i];
}

const struct asz_sha256_backend *asz_sha256_backend_single(void) {
#if defined(__x86_64__)
  if (asz_sha256_shani.is_supported())
    return &asz_sha256_shani;
#endif
  return NULL;
}
