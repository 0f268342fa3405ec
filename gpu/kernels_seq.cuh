/* SPDX-License-Identifier: Apache-2.0 */
/* CUDA's kernel for chains around gpu/kinds/seq.h: a warp an item, one lane for each of its 32 segments. Included by
 * verify_cuda.cu alone. */
#ifndef ASZ_GPU_KERNELS_SEQ_CUH
#define ASZ_GPU_KERNELS_SEQ_CUH

#include "gpu/kinds/seq.h"

enum { ASZ_WARP = 32, ASZ_SEQ_THREADS = 128 };
static_assert(int(ASZ_SEQ_CHECKPOINTS) == int(ASZ_WARP), "a warp judges one item, a lane one segment");

static __global__ void __launch_bounds__(ASZ_SEQ_THREADS)
    asz_seq_kernel(uint8_t *ret_verdict, const uint8_t (*seed)[32], const uint8_t (*checkpoint)[ASZ_SEQ_CHECKPOINTS][32],
                   const uint8_t *log2_steps, uint32_t count) {
  uint32_t i = blockIdx.x * (ASZ_SEQ_THREADS / ASZ_WARP) + threadIdx.x / ASZ_WARP, lane = threadIdx.x % ASZ_WARP;
  if (i >= count) /* the whole warp leaves */
    return;
  unsigned steps = log2_steps[i];
  bool well_formed = asz_seq_is_well_formed(steps);
  bool holds = well_formed && asz_seq_segment_holds(seed[i], checkpoint[i], lane, steps);
  bool all_hold = __all_sync(0xffffffff, holds);
  if (lane == 0)
    ret_verdict[i] = !well_formed ? ASZ_VERDICT_MALFORMED : all_hold ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL;
}

#endif
