/* SPDX-License-Identifier: Apache-2.0 */
/* asz_mem: the verifier's half of the mem challenge: a fold over an arena that the provider built before and must have kept.
 *
 * The arena is the low 16 bits of every column of a gemm answer: contents that can be checked one column at a time and that cost
 * K/2 multiplications a byte to make again. A fold asks for z = sum w_i x_i mod 2^61-1 of every column under weights that were
 * not known before, so that each byte must be read. x_i is taken as an unsigned number, which the product is not: no combination
 * of the rows of A gives the fold without the column.
 *
 * w is cut into halves of 30 bits, so that a column's two sums stay under 2^(30+16) n and need no reduction on the way. */
#ifndef ASZ_GPU_KINDS_MEM_H
#define ASZ_GPU_KINDS_MEM_H

#include "gpu/kinds/gemm.h"

#define ASZ_MEM_PRIME UINT64_C(0x1fffffffffffffff) /* 2^61 - 1 */

enum { ASZ_MEM_HALF_BITS = 30, ASZ_MEM_GROUP_BYTES = 8 * ASZ_GEMM_FOLD_COLUMNS };

/* What a fold's opening has after the gemm opening: the group's z, and its path. */
ASZ_HD_HOST uint32_t asz_mem_log2_groups(const struct asz_gemm_shape *shape) {
  return shape->log2_t + shape->log2_m - 6;
}
ASZ_HD_HOST size_t asz_mem_at_z(const struct asz_gemm_shape *shape) {
  return asz_gemm_opening_bytes(shape);
}
ASZ_HD_HOST size_t asz_mem_at_z_path(const struct asz_gemm_shape *shape) {
  return asz_mem_at_z(shape) + ASZ_MEM_GROUP_BYTES;
}
ASZ_HD_HOST size_t asz_mem_opening_bytes(const struct asz_gemm_shape *shape) {
  return asz_mem_at_z_path(shape) + (size_t)asz_mem_log2_groups(shape) * ASZ_TREE_HASH_BYTES;
}

/* asz_mem_weight: w_i, 60 bits, from the block i / 8 of the fold seed's stream. */
ASZ_HD uint64_t asz_mem_weight(const struct asz_chacha20_block *block, unsigned i) {
  return ((uint64_t)block->word[2 * i + 1] << 32 | block->word[2 * i]) >> 4;
}

/* asz_mem_join: low + 2^30 high mod 2^61-1, canonical; both under 2^61. */
ASZ_HD uint64_t asz_mem_join(uint64_t low, uint64_t high) {
  uint64_t x = low + (high << 30 & ASZ_MEM_PRIME) + (high >> 31); /* 2^61 is 1, so bit 31 of high counts as bit 0 */
  x = (x & ASZ_MEM_PRIME) + (x >> 61);
  return x >= ASZ_MEM_PRIME ? x - ASZ_MEM_PRIME : x;
}

/* asz_mem_fold: z of a column as it stands in an opening. */
ASZ_HD uint64_t asz_mem_fold(const struct asz_gemm_shape *shape, struct asz_chacha20_key fold_key, const uint8_t *column) {
  const uint32_t half_mask = (1u << ASZ_MEM_HALF_BITS) - 1;
  uint64_t low = 0, high = 0;
  for (uint32_t block = 0; block < shape->n / 8; block++) {
    struct asz_chacha20_block w = asz_chacha20(fold_key, block);
    for (unsigned i = 0; i < 8; i++) {
      uint32_t x = asz_hd_le32_load(column + (size_t)4 * (8 * block + i)) & 0xffff;
      uint64_t weight = asz_mem_weight(&w, i);
      low += asz_hd_mul_wide((uint32_t)weight & half_mask, x);
      high += asz_hd_mul_wide((uint32_t)(weight >> ASZ_MEM_HALF_BITS), x);
    }
  }
  return asz_mem_join(low, high);
}

ASZ_HD uint64_t asz_mem_z_load(const uint8_t *bytes) {
  return asz_hd_le32_load(bytes) | (uint64_t)asz_hd_le32_load(bytes + 4) << 32;
}

/* asz_mem_reason_of: the judgement of a fold's opening (asz_mem_opening_bytes bytes): of the column as in gemm, with the arena's
 * seed and root, then of its fold. */
ASZ_HD enum asz_gemm_reason asz_mem_reason_of(const struct asz_gemm_shape *shape, const uint32_t *s, const uint32_t *u,
                                              const uint8_t seed[32], const uint8_t root[32], const uint8_t fold_seed[32],
                                              const uint8_t z_root[32], uint32_t t, uint32_t j, const uint8_t *opening) {
  enum asz_gemm_reason reason = asz_gemm_reason_of(shape, s, u, seed, root, t, j, opening);
  if (reason != ASZ_GEMM_REASON_NONE)
    return reason;
  const uint8_t *z = opening + asz_mem_at_z(shape);
  uint32_t group = j / ASZ_GEMM_FOLD_COLUMNS;
  uint64_t expected = asz_mem_fold(shape, asz_chacha20_key_load(fold_seed), opening + ASZ_GEMM_AT_COLUMN);
  if (asz_mem_z_load(z + (size_t)8 * (j % ASZ_GEMM_FOLD_COLUMNS)) != expected)
    return ASZ_GEMM_REASON_WRONG_FOLD;
  uint8_t head[ASZ_TREE_HEAD_BYTES], hash[32];
  asz_tree_head(head, ASZ_TREE_FOLD, t, group, ASZ_GEMM_FOLD_COLUMNS);
  asz_tree_leaf(hash, head, z, ASZ_MEM_GROUP_BYTES);
  asz_tree_climb(hash, t * (shape->m / ASZ_GEMM_FOLD_COLUMNS) + group, opening + asz_mem_at_z_path(shape),
                 asz_mem_log2_groups(shape));
  return asz_tree_equal(hash, z_root, 32) ? ASZ_GEMM_REASON_NONE : ASZ_GEMM_REASON_WRONG_FOLD_PATH;
}

#endif
