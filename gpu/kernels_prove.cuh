/* SPDX-License-Identifier: Apache-2.0 */
/* CUDA's kernels for the provers of gemm and mem around gpu/kinds/gemm_tiles.h. Included by gpu/prove/cuda.cu alone.
 *
 * A step is: B's key, B of some thousand columns, their C, leaves, the tree; all in one stream, so each kernel has what those
 * before it wrote. Only the product is more than a lane's function around an index: its block copies slabs of A and B into shared
 * memory, three ahead of the one that its eight warps multiply. */
#ifndef ASZ_GPU_KERNELS_PROVE_CUH
#define ASZ_GPU_KERNELS_PROVE_CUH

#include <cuda_pipeline.h>

#include "gpu/kinds/gemm_tiles.h"

enum {
  ASZ_PROVE_THREADS = 128, /* of kernels with a job a lane */
  ASZ_PRODUCT_THREADS = ASZ_TILE_WARPS * ASZ_TILE_LANES,
  ASZ_PRODUCT_STAGES = 4,
  ASZ_PRODUCT_A_BYTES = ASZ_TILE_ROWS * ASZ_TILE_SLAB,
  ASZ_PRODUCT_B_BYTES = ASZ_TILE_COLUMNS * ASZ_TILE_SLAB,
  ASZ_PRODUCT_STAGE_BYTES = ASZ_PRODUCT_A_BYTES + ASZ_PRODUCT_B_BYTES,
  ASZ_FOLD_WARPS = ASZ_GEMM_FOLD_COLUMNS / ASZ_TILE_FOLD_COLUMNS, /* a block folds a group */
};

/* key: 8 words. previous_root: 32 zeros before the first step. */
static __global__ void asz_prove_b_key_kernel(struct asz_chacha20_key *key, const uint8_t *seed, uint32_t t,
                                              const uint8_t *previous_root) {
  uint8_t bytes[32];
  asz_gemm_b_key(bytes, seed, t, previous_root);
  *key = asz_chacha20_key_load(bytes);
}

/* A lane a block; neighbours have neighbouring lines of a tile. */
static __device__ __forceinline__ uint32_t asz_prove_line(uint32_t *ret_block, uint32_t tile, uint32_t blocks) {
  uint64_t i = (uint64_t)blockIdx.x * ASZ_PROVE_THREADS + threadIdx.x;
  *ret_block = (uint32_t)(i / tile % blocks);
  return (uint32_t)(i % tile + i / tile / blocks * tile);
}

/* A, n rows. */
static __global__ void __launch_bounds__(ASZ_PROVE_THREADS)
    asz_prove_a_kernel(uint8_t *packed, const struct asz_chacha20_key *key, uint32_t n, uint32_t blocks) {
  uint32_t block, row = asz_prove_line(&block, ASZ_TILE_ROWS, blocks);
  asz_tile_fill_a(packed, *key, row, block, blocks, row >= n);
}

/* Columns first..first+count-1 of B. */
static __global__ void __launch_bounds__(ASZ_PROVE_THREADS)
    asz_prove_b_kernel(uint8_t *packed, const struct asz_chacha20_key *key, uint32_t first, uint32_t count, uint32_t blocks) {
  uint32_t block, column = asz_prove_line(&block, ASZ_TILE_COLUMNS, blocks);
  asz_tile_fill_b(packed, *key, first, column, block, blocks, column >= count);
}

static __device__ __forceinline__ void asz_prove_mma(int32_t sum[ASZ_TILE_SUMS], const struct asz_tile_operands &in) {
  asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3])
      : "r"(in.a[0]), "r"(in.a[1]), "r"(in.a[2]), "r"(in.a[3]), "r"(in.b[0]), "r"(in.b[1]));
}

/* A slab of both tiles, all threads together. */
static __device__ __forceinline__ void asz_prove_copy(uint8_t *stage, const uint8_t *a, const uint8_t *b, uint32_t block) {
  const uint8_t *from_a = a + (size_t)block * ASZ_PRODUCT_A_BYTES, *from_b = b + (size_t)block * ASZ_PRODUCT_B_BYTES;
  ASZ_HD_UNROLL
  for (uint32_t i = 0; i < ASZ_PRODUCT_A_BYTES / 16 / ASZ_PRODUCT_THREADS; i++) {
    uint32_t at = 16 * (i * ASZ_PRODUCT_THREADS + threadIdx.x);
    __pipeline_memcpy_async(stage + at, from_a + at, 16);
  }
  ASZ_HD_UNROLL
  for (uint32_t i = 0; i < ASZ_PRODUCT_B_BYTES / 16 / ASZ_PRODUCT_THREADS; i++) {
    uint32_t at = 16 * (i * ASZ_PRODUCT_THREADS + threadIdx.x);
    __pipeline_memcpy_async(stage + ASZ_PRODUCT_A_BYTES + at, from_b + at, 16);
  }
}

/* What a slab adds to a warp's sums. */
static __device__ __forceinline__ void asz_prove_multiply(int32_t sum[ASZ_TILE_DOWN][ASZ_TILE_ACROSS][ASZ_TILE_SUMS],
                                                          const uint8_t *stage, uint32_t warp, uint32_t lane) {
  const uint8_t *a = stage, *b = stage + ASZ_PRODUCT_A_BYTES;
  struct asz_gemm_four columns[ASZ_TILE_ACROSS];
  ASZ_HD_UNROLL
  for (uint32_t c = 0; c < ASZ_TILE_ACROSS; c++)
    columns[c] = asz_tile_load_b(b, asz_tile_warp_column(warp) + 8 * c, lane);
  ASZ_HD_UNROLL
  for (uint32_t r = 0; r < ASZ_TILE_DOWN; r++)
    ASZ_HD_UNROLL
  for (uint32_t half = 0; half < 2; half++) {
    struct asz_gemm_four rows = asz_tile_load_a(a, asz_tile_warp_row(warp) + 16 * r, half, lane);
    ASZ_HD_UNROLL
    for (uint32_t c = 0; c < ASZ_TILE_ACROSS; c++)
      asz_prove_mma(sum[r][c], asz_tile_operands_of(rows, columns[c], half));
  }
}

/* A tile of C: blockIdx.x of its rows, y of its columns. */
static __global__ void __launch_bounds__(ASZ_PRODUCT_THREADS, 1)
    asz_prove_product_kernel(struct asz_tile_c to, const uint8_t *a, const uint8_t *b, uint32_t blocks) {
  extern __shared__ ASZ_HD_ALIGNED(16) uint8_t stages[];
  uint32_t warp = threadIdx.x / ASZ_TILE_LANES, lane = threadIdx.x % ASZ_TILE_LANES;
  int32_t sum[ASZ_TILE_DOWN][ASZ_TILE_ACROSS][ASZ_TILE_SUMS] = {};
  a += asz_tile_at(blockIdx.x * ASZ_TILE_ROWS, ASZ_TILE_ROWS, 0, blocks);
  b += asz_tile_at(blockIdx.y * ASZ_TILE_COLUMNS, ASZ_TILE_COLUMNS, 0, blocks);
  for (uint32_t block = 0; block < ASZ_PRODUCT_STAGES - 1; block++) {
    if (block < blocks)
      asz_prove_copy(stages + block * ASZ_PRODUCT_STAGE_BYTES, a, b, block);
    __pipeline_commit();
  }
  ASZ_HD_ROLLED
  for (uint32_t block = 0; block < blocks; block++) {
    uint32_t next = block + ASZ_PRODUCT_STAGES - 1;
    __pipeline_wait_prior(ASZ_PRODUCT_STAGES - 2);
    __syncthreads(); /* this slab is here for all, and the one before it is nobody's any more */
    if (next < blocks)
      asz_prove_copy(stages + next % ASZ_PRODUCT_STAGES * ASZ_PRODUCT_STAGE_BYTES, a, b, next);
    __pipeline_commit();
    asz_prove_multiply(sum, stages + block % ASZ_PRODUCT_STAGES * ASZ_PRODUCT_STAGE_BYTES, warp, lane);
  }
  uint32_t row = blockIdx.x * ASZ_TILE_ROWS + asz_tile_warp_row(warp);
  uint32_t column = blockIdx.y * ASZ_TILE_COLUMNS + asz_tile_warp_column(warp);
  ASZ_HD_UNROLL
  for (uint32_t r = 0; r < ASZ_TILE_DOWN; r++)
    ASZ_HD_UNROLL
  for (uint32_t c = 0; c < ASZ_TILE_ACROSS; c++)
    ASZ_HD_UNROLL
  for (uint32_t i = 0; i < ASZ_TILE_SUMS; i++)
    asz_tile_store(&to, row + 16 * r + asz_tile_sum_row(lane, i), column + 8 * c + asz_tile_sum_column(lane, i), sum[r][c][i]);
}

/* Leaves of columns first..first+count-1 of step t, a lane each. */
static __global__ void __launch_bounds__(ASZ_PROVE_THREADS)
    asz_prove_leaf_kernel(uint64_t (*hash)[4], const int32_t *c, uint32_t n, uint32_t t, uint32_t first, uint32_t count) {
  uint32_t i = blockIdx.x * ASZ_PROVE_THREADS + threadIdx.x;
  if (i < count)
    asz_tile_leaf(hash[i], c + (size_t)i * n, n, t, first + i);
}

/* Each block folds up to ASZ_TILE_TREE nodes, a power of two, into one. */
static __global__ void __launch_bounds__(ASZ_TILE_TREE / 2)
    asz_prove_tree_kernel(uint64_t (*ret_hash)[4], const uint64_t (*hash)[4], uint32_t count) {
  __shared__ uint64_t node[ASZ_TILE_TREE][4];
  hash += (size_t)blockIdx.x * ASZ_TILE_TREE;
  count = count < ASZ_TILE_TREE ? count : (uint32_t)ASZ_TILE_TREE;
  for (uint32_t w = threadIdx.x; w < 4 * count; w += blockDim.x)
    node[w / 4][w % 4] = hash[w / 4][w % 4];
  __syncthreads();
  ASZ_HD_ROLLED
  for (; count > 1; count /= 2) {
    uint64_t made[4] = {0, 0, 0, 0};
    if (threadIdx.x < count / 2)
      asz_gemm_hash_node(made, node[2 * threadIdx.x], node[2 * threadIdx.x + 1]);
    __syncthreads();
    for (int w = 0; w < 4 && threadIdx.x < count / 2; w++)
      node[threadIdx.x][w] = made[w];
    __syncthreads();
  }
  if (threadIdx.x < 4)
    ret_hash[blockIdx.x][threadIdx.x] = node[0][threadIdx.x];
}

static __global__ void __launch_bounds__(ASZ_PROVE_THREADS)
    asz_prove_weights_kernel(struct asz_tile_weight *weight, const struct asz_chacha20_key *key, uint32_t n) {
  uint32_t block = blockIdx.x * ASZ_PROVE_THREADS + threadIdx.x;
  if (block < n / 8)
    asz_tile_weights(weight, *key, block);
}

/* A group's z: a block a group, a warp eight columns, whose rows its lanes share out. */
static __global__ void __launch_bounds__(ASZ_FOLD_WARPS *ASZ_TILE_LANES)
    asz_prove_fold_kernel(uint64_t *z, const uint16_t *arena, const struct asz_tile_weight *weight, uint32_t n) {
  uint32_t lane = threadIdx.x % ASZ_TILE_LANES;
  size_t column = (size_t)blockIdx.x * ASZ_GEMM_FOLD_COLUMNS + threadIdx.x / ASZ_TILE_LANES * ASZ_TILE_FOLD_COLUMNS;
  struct asz_tile_fold fold[ASZ_TILE_FOLD_COLUMNS] = {};
  ASZ_HD_ROLLED
  for (uint32_t row = lane * ASZ_TILE_FOLD_ROWS; row < n; row += ASZ_TILE_LANES * ASZ_TILE_FOLD_ROWS) {
    struct asz_tile_weight own[ASZ_TILE_FOLD_ROWS];
    struct asz_gemm_four entries[ASZ_TILE_FOLD_COLUMNS];
    ASZ_HD_UNROLL
    for (int c = 0; c < ASZ_TILE_FOLD_COLUMNS; c++)
      entries[c] = asz_gemm_four_load((const uint32_t *)(arena + (column + c) * n + row));
    ASZ_HD_UNROLL
    for (int i = 0; i < ASZ_TILE_FOLD_ROWS; i++)
      own[i] = weight[row + i];
    ASZ_HD_UNROLL
    for (int c = 0; c < ASZ_TILE_FOLD_COLUMNS; c++)
      asz_tile_fold_rows(&fold[c], entries[c], own);
  }
  ASZ_HD_UNROLL
  for (int c = 0; c < ASZ_TILE_FOLD_COLUMNS; c++) {
    for (int apart = ASZ_TILE_LANES / 2; apart > 0; apart /= 2) {
      fold[c].low += __shfl_xor_sync(0xffffffff, fold[c].low, apart);
      fold[c].high += __shfl_xor_sync(0xffffffff, fold[c].high, apart);
    }
    if (lane == 0)
      z[column + c] = asz_mem_join(fold[c].low, fold[c].high);
  }
}

static __global__ void __launch_bounds__(ASZ_PROVE_THREADS)
    asz_prove_group_kernel(uint64_t (*hash)[4], const uint64_t *z, struct asz_gemm_shape shape, uint32_t groups) {
  uint32_t group = blockIdx.x * ASZ_PROVE_THREADS + threadIdx.x;
  if (group < groups)
    asz_tile_fold_leaf(hash[group], &shape, z, group);
}

#endif
