/* SPDX-License-Identifier: Apache-2.0 */
/* asz_tile: how a device makes C_t = A B_t and folds what is left of it: where every byte lies and which lane takes it.
 *
 * Rows of A and columns of B are both lines of K bytes, all pieces of a keystream, and a block of keystream is 64 entries of one
 * line: a slab is what one block brings to a tile of lines, 64 bytes a line. A lane makes one block; slabs are copied as they
 * stand.
 *
 * A tensor core (mma.m16n8k32, signed bytes) wants of each line two words from each of four lanes. A sum does not care which
 * entry stands where as long as A and B agree, so lane q of four takes the words 4 q to 4 q + 3 of a block, for two products. Of
 * B these are 16 bytes as they come. A's words are put down in the order of the registers that they will be in, two lines in
 * turns: left as they come, every product needed two moves. Each load is 16 bytes a lane, 512 in one piece for a warp.
 *
 * Lines that fill up the last tile are zero, and what comes of them is not stored. All sums fit: K 127^2 < 2^30. */
#ifndef ASZ_GPU_KINDS_GEMM_TILES_H
#define ASZ_GPU_KINDS_GEMM_TILES_H

#include "gpu/kinds/gemm_lanes.h"

enum {
  ASZ_TILE_ROWS = 128,    /* of C, that a block makes */
  ASZ_TILE_COLUMNS = 256, /* with 128 rows: three quarters of what 128 x 128 reads for each product */
  ASZ_TILE_SLAB = 64,     /* entries of a line */
  ASZ_TILE_WARP = 64,     /* rows and columns of a warp: 128 sums a lane */
  ASZ_TILE_WARPS = ASZ_TILE_ROWS / ASZ_TILE_WARP * (ASZ_TILE_COLUMNS / ASZ_TILE_WARP),
  ASZ_TILE_LANES = 32,
  ASZ_TILE_DOWN = ASZ_TILE_WARP / 16,  /* products of a warp, 16 rows each */
  ASZ_TILE_ACROSS = ASZ_TILE_WARP / 8, /* 8 columns each */
  ASZ_TILE_SUMS = 4,                   /* of a product in one lane */
  ASZ_TILE_FOLD_ROWS = 8,              /* entries of a column that a lane folds at a time */
  ASZ_TILE_FOLD_COLUMNS = 8,           /* columns that a warp folds side by side: weights are loaded once */
  ASZ_TILE_TREE = 256,                 /* nodes that a block folds up */
};

/* asz_tile_bytes: of `lines` lines of k entries, in tiles of `tile`. */
ASZ_HD_HOST size_t asz_tile_bytes(uint32_t lines, uint32_t tile, uint32_t k) {
  return (size_t)(lines + tile - 1) / tile * tile * k;
}

/* asz_tile_at: where slab `block` of a line begins; blocks: of a line. */
ASZ_HD size_t asz_tile_at(uint32_t line, uint32_t tile, uint32_t block, uint32_t blocks) {
  return (((size_t)(line / tile) * blocks + block) * tile + line % tile) * ASZ_TILE_SLAB;
}

/* asz_tile_place: bytes from there to word `word` (0..15) of the line's block. Of B as it comes; of A, from the beginning of the
 * 16 rows that a product has, by half, lane and register of the lane (asz_tile_operands). */
ASZ_HD uint32_t asz_tile_place_b(uint32_t word) {
  return 4 * word;
}
ASZ_HD uint32_t asz_tile_place_a(uint32_t row, uint32_t word) {
  uint32_t half = word % 4 / 2, lane = row % 8 * 4 + word / 4, place = row % 16 / 8 + 2 * (word % 2);
  return (half * ASZ_TILE_LANES + lane) * 16 + 4 * place;
}

/* asz_tile_fill_a: block `block` of row `row` of A, into packed (multiple of 16). is_zero: the row only fills up a tile. */
ASZ_HD void asz_tile_fill_a(uint8_t *packed, struct asz_chacha20_key key, uint32_t row, uint32_t block, uint32_t blocks,
                            int is_zero) {
  uint8_t *to = packed + asz_tile_at(row - row % 16, ASZ_TILE_ROWS, block, blocks);
  struct asz_chacha20_block stream = asz_chacha20(key, (uint64_t)row * blocks + block);
  ASZ_HD_UNROLL
  for (uint32_t i = 0; i < 16; i++)
    *(uint32_t *)(to + asz_tile_place_a(row, i)) = is_zero ? 0 : asz_chacha20_int8x4(stream.word[i]);
}

/* asz_tile_fill_b: the same for a column of those packed, the first of which is column `first` of B. */
ASZ_HD void asz_tile_fill_b(uint8_t *packed, struct asz_chacha20_key key, uint32_t first, uint32_t column, uint32_t block,
                            uint32_t blocks, int is_zero) {
  uint8_t *to = packed + asz_tile_at(column, ASZ_TILE_COLUMNS, block, blocks);
  struct asz_chacha20_block stream = asz_chacha20(key, (uint64_t)(first + column) * blocks + block);
  ASZ_HD_UNROLL
  for (uint32_t i = 0; i < 16; i++)
    *(uint32_t *)(to + asz_tile_place_b(i)) = is_zero ? 0 : asz_chacha20_int8x4(stream.word[i]);
}

/* What a lane takes of a slab: of the 16 rows from `row` on, half 0 or 1; of the eight columns from `column` on, both. */
ASZ_HD struct asz_gemm_four asz_tile_load_a(const uint8_t *slab, uint32_t row, uint32_t half, uint32_t lane) {
  return asz_gemm_four_load((const uint32_t *)(slab + (size_t)row * ASZ_TILE_SLAB + 16 * (half * ASZ_TILE_LANES + lane)));
}
ASZ_HD struct asz_gemm_four asz_tile_load_b(const uint8_t *slab, uint32_t column, uint32_t lane) {
  return asz_gemm_four_load((const uint32_t *)(slab + (size_t)column * ASZ_TILE_SLAB + 16 * lane));
}

/* Where a warp stands in a tile of C. */
ASZ_HD uint32_t asz_tile_warp_row(uint32_t warp) {
  return warp % (ASZ_TILE_ROWS / ASZ_TILE_WARP) * ASZ_TILE_WARP;
}
ASZ_HD uint32_t asz_tile_warp_column(uint32_t warp) {
  return warp / (ASZ_TILE_ROWS / ASZ_TILE_WARP) * ASZ_TILE_WARP;
}

/* One lane's registers of a product, as PTX names them ("Matrix fragments for mma.m16n8k32"): of A for the rows lane / 4 and
 * 8 more, of B for the column lane / 4. */
struct asz_tile_operands {
  uint32_t a[4], b[2];
};

ASZ_HD struct asz_tile_operands asz_tile_operands_of(struct asz_gemm_four rows, struct asz_gemm_four columns, uint32_t half) {
  struct asz_tile_operands operands;
  ASZ_HD_UNROLL
  for (int i = 0; i < 4; i++)
    operands.a[i] = rows.word[i];
  operands.b[0] = columns.word[2 * half];
  operands.b[1] = columns.word[2 * half + 1];
  return operands;
}

/* Row and column of sum `i` of a lane in a product. */
ASZ_HD uint32_t asz_tile_sum_row(uint32_t lane, uint32_t i) {
  return lane / 4 + 8 * (i / 2);
}
ASZ_HD uint32_t asz_tile_sum_column(uint32_t lane, uint32_t i) {
  return lane % 4 * 2 + i % 2;
}

/* What a step writes: columns one after the other, and their low halves where there is an arena. */
struct asz_tile_c {
  int32_t *c;      /* columns of n */
  uint16_t *arena; /* as many, or NULL */
  uint32_t n, columns;
};

ASZ_HD void asz_tile_store(const struct asz_tile_c *to, uint32_t row, uint32_t column, int32_t sum) {
  size_t at = (size_t)column * to->n + row;
  if (row >= to->n || column >= to->columns)
    return;
  to->c[at] = sum;
  if (to->arena)
    to->arena[at] = (uint16_t)sum;
}

/* asz_tile_leaf: the hash of column j of step t. */
ASZ_HD void asz_tile_leaf(uint64_t *ret_hash /* 4 */, const int32_t *column, uint32_t n, uint32_t t, uint32_t j) {
  asz_gemm_hash_leaf(ret_hash, ASZ_TREE_COLUMN, t, j, n, (const uint8_t *)column, n / 2);
}

/* A weight's two halves of 30 bits. */
struct asz_tile_weight {
  uint32_t low, high;
};

/* asz_tile_weights: the eight weights of block `block`. */
ASZ_HD void asz_tile_weights(struct asz_tile_weight *ret_weight /* n */, struct asz_chacha20_key key, uint32_t block) {
  struct asz_chacha20_block stream = asz_chacha20(key, block);
  ASZ_HD_UNROLL
  for (unsigned i = 0; i < 8; i++) {
    uint64_t weight = asz_mem_weight(&stream, i);
    ret_weight[8 * block + i].low = (uint32_t)weight & ((1u << ASZ_MEM_HALF_BITS) - 1);
    ret_weight[8 * block + i].high = (uint32_t)(weight >> ASZ_MEM_HALF_BITS);
  }
}

struct asz_tile_fold {
  uint64_t low, high; /* under 2^46 n */
};

/* asz_tile_fold_rows: adds eight entries of a column, given as four words. */
ASZ_HD void asz_tile_fold_rows(struct asz_tile_fold *fold, struct asz_gemm_four x, const struct asz_tile_weight weight[8]) {
  ASZ_HD_UNROLL
  for (int i = 0; i < ASZ_TILE_FOLD_ROWS; i++) {
    uint32_t entry = x.word[i / 2] >> 16 * (i % 2) & 0xffff;
    fold->low += asz_hd_mul_wide(weight[i].low, entry);
    fold->high += asz_hd_mul_wide(weight[i].high, entry);
  }
}

/* asz_tile_fold_leaf: the hash of a group's 64 z; group: of all steps. */
ASZ_HD void asz_tile_fold_leaf(uint64_t *ret_hash /* 4 */, const struct asz_gemm_shape *shape, const uint64_t *z,
                               uint32_t group) {
  uint32_t groups_a_step = shape->m / ASZ_GEMM_FOLD_COLUMNS;
  asz_gemm_hash_leaf(ret_hash, ASZ_TREE_FOLD, group / groups_a_step, group % groups_a_step, ASZ_GEMM_FOLD_COLUMNS,
                     (const uint8_t *)(z + (size_t)group * ASZ_GEMM_FOLD_COLUMNS), ASZ_MEM_GROUP_BYTES / 8);
}

#endif
