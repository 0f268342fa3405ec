/* SPDX-License-Identifier: Apache-2.0 */
/* asz_gemm_backend: the inner loops of gemm and mem on the CPU, one const table per instruction set.
 *
 * Keystream, dot product, matrix product and fold: everything a verifier or a prover does a million times. Exact integers, so
 * that every backend gives the same bits as `plain`, which is the reference. A backend keeps u and A in a layout of its own
 * ("packed"), made once and read often; packed data of one backend means nothing to another. All functions are pure, any thread
 * may call them. */
#ifndef ASZ_GPU_SIMD_GEMM_H
#define ASZ_GPU_SIMD_GEMM_H

#include <stdbool.h>

#include "gpu/kinds/mem.h"

enum {
  ASZ_GEMM_ALIGN_BYTES = 64, /* of all packed data: a cache line, a register of AVX-512 */
  ASZ_GEMM_CHUNK = 1024,     /* the most bytes of keystream that a backend makes side by side */
};

struct asz_gemm_backend {
  const char *name; /* "plain", "avx2", "avx512" */
  bool (*is_here)(void);

  /* matrix: entries of `blocks` blocks of keystream from block `first` on, 64 each. */
  void (*matrix)(int8_t *ret_entries, const uint8_t key[32], uint64_t first, size_t blocks);

  /* verifier: u = s^T A mod p, k words, with A regenerated; its packed form, asz_gemm_u_packed_bytes(k); <u, b_j> mod p. */
  void (*u_make)(uint32_t *ret_u, const struct asz_gemm_shape *shape, const uint8_t a_key[32], const uint32_t *s);
  void (*u_pack)(void *ret_packed, const uint32_t *u, uint32_t k);
  uint32_t (*u_dot_b)(const void *packed, uint32_t k, const uint8_t b_key[32], uint32_t j);

  /* prover: one row of A into its packed form (n k bytes); c[j][i] = sum_k A[i][k] b[j][k] for `columns` columns. */
  void (*a_pack)(void *ret_packed, const int8_t *row_entries, uint32_t row, uint32_t n, uint32_t k);
  void (*multiply)(int32_t *ret_c, const void *a_packed, const int8_t *b, uint32_t n, uint32_t k, uint32_t columns);

  /* fold: z of `columns` columns of n 16-bit entries; weights: n low halves (30 bits), then n high ones. */
  void (*fold)(uint64_t *ret_z, const uint16_t *column, uint32_t columns, const uint64_t *weights, uint32_t n);
};

extern const struct asz_gemm_backend asz_gemm_plain, asz_gemm_avx2, asz_gemm_avx512; /* the last two on x86-64 alone */

/* asz_gemm_u_packed_bytes: packed u, with room for a whole chunk. */
static inline size_t asz_gemm_u_packed_bytes(uint32_t k) {
  return (size_t)4 * (k < ASZ_GEMM_CHUNK ? (uint32_t)ASZ_GEMM_CHUNK : k);
}

/* asz_gemm_backend_at: all that can run here, fastest first; NULL past the last, which is plain. */
const struct asz_gemm_backend *asz_gemm_backend_at(unsigned index);
/* asz_gemm_backend_named: NULL when there is none of this name, or it cannot run here. */
const struct asz_gemm_backend *asz_gemm_backend_named(const char *name);

#endif
