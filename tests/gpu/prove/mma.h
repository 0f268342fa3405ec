/* SPDX-License-Identifier: Apache-2.0 */
/* A tensor core's product on the host (PTX ISA, "Matrix fragments for mma.m16n8k32", .s8): each lane from the registers of all.
 */
#ifndef ASZ_TESTS_GPU_PROVE_MMA_H
#define ASZ_TESTS_GPU_PROVE_MMA_H

#include "gpu/kinds/gemm_tiles.h"

/* asz_test_mma_lane: adds to lane's four sums. Entry 4 q + byte of 16 words' lower half is in lane 4 g + q, register 0 (of A 0,
 * of the rows below 1), the upper half in the register after those. */
static inline void asz_test_mma_lane(int32_t sum[ASZ_TILE_SUMS], const struct asz_tile_operands in[ASZ_TILE_LANES],
                                     unsigned lane) {
  for (unsigned i = 0; i < ASZ_TILE_SUMS; i++) {
    unsigned row = lane / 4 + 8 * (i / 2), column = lane % 4 * 2 + i % 2;
    for (unsigned k = 0; k < 32; k++) {
      unsigned q = k % 16 / 4, shift = 8 * (k % 4);
      int8_t a = (int8_t)(in[row % 8 * 4 + q].a[row / 8 + 2 * (k / 16)] >> shift);
      int8_t b = (int8_t)(in[column * 4 + q].b[k / 16] >> shift);
      sum[i] += a * b;
    }
  }
}

#endif
