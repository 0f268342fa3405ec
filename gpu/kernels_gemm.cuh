/* SPDX-License-Identifier: Apache-2.0 */
/* CUDA's kernels for openings of gemm and mem around gpu/kinds/gemm_lanes.h. Included by verify_cuda.cu alone.
 *
 * First the jobs, a thread each: a block has one job of 128 openings. Then the products, a warp an opening, which end in
 * verdicts. All warps of a block walk u in step, a piece of it in shared memory: read by each opening for itself, u would be 256
 * KB of traffic an opening, 4 TB/s where the arithmetic is done with 16 M of them. */
#ifndef ASZ_GPU_KERNELS_GEMM_CUH
#define ASZ_GPU_KERNELS_GEMM_CUH

#include "gpu/kinds/gemm_lanes.h"

enum {
  ASZ_GEMM_JOB_THREADS = 128,
  ASZ_GEMM_WARPS = 8,                                      /* openings a block */
  ASZ_GEMM_LANES = 32,                                     /* of a warp, each with a block of keystream */
  ASZ_GEMM_PIECE = ASZ_GEMM_LANES * ASZ_GEMM_WORDS_A_LANE, /* words of u */
  ASZ_GEMM_PITCH = ASZ_GEMM_WORDS_A_LANE + 4,              /* so that eight lanes read 16 bytes each out of 32 different banks */
};

/* What a batch is judged with and what it consists of; passed by value. */
struct asz_gemm_launch {
  struct asz_gemm_shape shape;
  const uint32_t *s, *u;
  uint32_t u_sum, count;
  bool size_is_right; /* if not, openings are not there */
  const uint8_t *opening;
  size_t opening_bytes;
  const uint32_t (*pick)[2];
  const uint8_t (*seed)[32], (*root)[32], (*fold_seed)[32], (*z_root)[32]; /* the last two NULL: no folds */
  uint32_t *found, *b_key;                                                 /* of each opening 1 word, ASZ_GEMM_B_WORDS */
  uint8_t *verdict, *reason;
};

static __device__ struct asz_gemm_item asz_gemm_item_of(const struct asz_gemm_launch *in, uint32_t i) {
  struct asz_gemm_item item;
  item.opening = in->opening + i * in->opening_bytes;
  item.seed = in->seed[i];
  item.root = in->root[i];
  item.fold_seed = in->fold_seed ? in->fold_seed[i] : NULL;
  item.z_root = in->z_root ? in->z_root[i] : NULL;
  item.t = in->pick[i][0];
  item.j = in->pick[i][1];
  return item;
}

static __global__ void __launch_bounds__(ASZ_GEMM_JOB_THREADS) asz_gemm_jobs_kernel(struct asz_gemm_launch in) {
  uint32_t i = blockIdx.x * ASZ_GEMM_JOB_THREADS + threadIdx.x;
  if (i >= in.count)
    return;
  struct asz_gemm_item item = asz_gemm_item_of(&in, i);
  atomicOr(&in.found[i],
           asz_gemm_job_run((enum asz_gemm_job)blockIdx.y, in.b_key + (size_t)ASZ_GEMM_B_WORDS * i, &in.shape, &item));
}

/* The sum of all lanes' shares, in every lane. */
static __device__ struct asz_gemm_share asz_gemm_share_of_warp(struct asz_gemm_share share) {
  for (int apart = ASZ_GEMM_LANES / 2; apart > 0; apart /= 2) {
    struct asz_gemm_share other;
    other.u_dot_b = __shfl_xor_sync(0xffffffff, share.u_dot_b, apart);
    other.s_dot_c = __shfl_xor_sync(0xffffffff, share.s_dot_c, apart);
    other.low = __shfl_xor_sync(0xffffffff, share.low, apart);
    other.high = __shfl_xor_sync(0xffffffff, share.high, apart);
    other.outside = __shfl_xor_sync(0xffffffff, share.outside, apart);
    asz_gemm_share_add(&share, &other);
  }
  return share;
}

/* Threads of a block that has fewer openings than warps stay to the end: they carry u with the others. */
static __global__ void __launch_bounds__(ASZ_GEMM_WARPS *ASZ_GEMM_LANES) asz_gemm_product_kernel(struct asz_gemm_launch in) {
  __shared__ ASZ_HD_ALIGNED(16) uint32_t piece[ASZ_GEMM_LANES * ASZ_GEMM_PITCH];
  uint32_t i = blockIdx.x * ASZ_GEMM_WARPS + threadIdx.x / ASZ_GEMM_LANES, lane = threadIdx.x % ASZ_GEMM_LANES;
  if (!in.size_is_right) { /* the whole grid leaves */
    if (i < in.count && lane == 0) {
      in.reason[i] = ASZ_GEMM_REASON_WRONG_SIZE;
      in.verdict[i] = ASZ_VERDICT_MALFORMED;
    }
    return;
  }
  bool has_opening = i < in.count;
  uint32_t blocks = in.shape.k / ASZ_GEMM_WORDS_A_LANE;
  struct asz_gemm_item item = asz_gemm_item_of(&in, has_opening ? i : 0);
  struct asz_gemm_share share = asz_gemm_share_none();
  struct asz_chacha20_key key;
  for (int w = 0; w < ASZ_GEMM_B_WORDS; w++)
    key.word[w] = in.b_key[(size_t)ASZ_GEMM_B_WORDS * (has_opening ? i : 0) + w];
  ASZ_HD_ROLLED
  for (uint32_t first = 0; first < blocks; first += ASZ_GEMM_LANES) {
    __syncthreads();
    ASZ_HD_ROLLED
    for (uint32_t w = threadIdx.x; w < ASZ_GEMM_PIECE && first * ASZ_GEMM_WORDS_A_LANE + w < in.shape.k; w += blockDim.x)
      piece[w / ASZ_GEMM_WORDS_A_LANE * ASZ_GEMM_PITCH + w % ASZ_GEMM_WORDS_A_LANE] = in.u[first * ASZ_GEMM_WORDS_A_LANE + w];
    __syncthreads();
    if (has_opening && first + lane < blocks)
      asz_gemm_share_b(&share, piece + lane * ASZ_GEMM_PITCH, key, (uint64_t)item.j * blocks + first + lane);
  }
  if (!has_opening) /* the whole warp leaves */
    return;
  asz_gemm_share_c(&share, &in.shape, in.s, item.opening + ASZ_GEMM_AT_COLUMN, lane, ASZ_GEMM_LANES);
  if (item.fold_seed) {
    struct asz_chacha20_key fold_key = asz_chacha20_key_load(item.fold_seed);
    ASZ_HD_ROLLED
    for (uint32_t block = lane; block < in.shape.n / 8; block += ASZ_GEMM_LANES)
      asz_gemm_share_fold(&share, fold_key, item.opening + ASZ_GEMM_AT_COLUMN, block);
  }
  struct asz_gemm_share all = asz_gemm_share_of_warp(share);
  if (lane == 0) {
    uint32_t found = in.found[i] | asz_gemm_share_found(&all, &in.shape, in.u_sum, &item);
    in.reason[i] = (uint8_t)asz_gemm_found_reason(&in.verdict[i], found, item.fold_seed != NULL);
  }
}

#endif
