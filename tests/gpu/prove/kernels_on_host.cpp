/* SPDX-License-Identifier: Apache-2.0 */
#include <cuda_runtime.h>

extern "C" {
#include "gpu/kinds/gemm_tiles.h"
#include "tests/gpu/prove/kernels_on_host.h"
#include "tests/gpu/prove/mma.h"
}

static void host_cuda_mma(int32_t sum[ASZ_TILE_SUMS], const asz_tile_operands &in) {
  asz_test_mma_lane(sum, host_cuda::exchange(host_cuda::PRODUCT, in), host_cuda::now % host_cuda::WARP);
}

#include "prove_kernels.inc"

/* One piece of memory, never given back. */
template <typename T> static T *room(size_t bytes) {
  void *memory = NULL;
  (void)cudaMallocAsync(&memory, bytes, NULL);
  return (T *)memory;
}

extern "C" void asz_on_host_product(int32_t *ret_c, uint16_t *ret_arena, const uint8_t a_key[32], const uint8_t b_key[32],
                                    uint32_t n, uint32_t k, uint32_t first, uint32_t columns) {
  const asz_chacha20_key keys[2] = {asz_chacha20_key_load(a_key), asz_chacha20_key_load(b_key)};
  const size_t a_bytes = asz_tile_bytes(n, ASZ_TILE_ROWS, k), b_bytes = asz_tile_bytes(columns, ASZ_TILE_COLUMNS, k);
  uint8_t *a = room<uint8_t>(a_bytes), *b = room<uint8_t>(b_bytes);
  const asz_tile_c to = {ret_c, ret_arena, n, columns};
  const uint32_t blocks = k / ASZ_TILE_SLAB;
  host_cuda::launch(host_cuda::config(fill_blocks(a_bytes), ASZ_PROVE_THREADS, 0, NULL),
                    [&] { asz_prove_a_kernel(a, &keys[0], n, blocks); });
  host_cuda::launch(host_cuda::config(fill_blocks(b_bytes), ASZ_PROVE_THREADS, 0, NULL),
                    [&] { asz_prove_b_kernel(b, &keys[1], first, columns, blocks); });
  host_cuda::launch(host_cuda::config(dim3(blocks_of(n, ASZ_TILE_ROWS), blocks_of(columns, ASZ_TILE_COLUMNS)),
                                      ASZ_PRODUCT_THREADS, ASZ_PRODUCT_STAGES * ASZ_PRODUCT_STAGE_BYTES, NULL),
                    [&] { asz_prove_product_kernel(to, a, b, blocks); });
  free(a);
  free(b);
}

extern "C" void asz_on_host_tree(uint64_t ret_root[4], const uint64_t (*hash)[4], uint32_t count) {
  cuda_prover prover = {};
  prover.shape.m = count;
  prover.memory.node = room<uint64_t[2][4]>(sizeof *prover.memory.node * blocks_of(count, ASZ_TILE_TREE));
  fold_up(&prover, (uint64_t(*)[4])ret_root, (uint64_t(*)[4])hash, count);
  free(prover.memory.node);
}

extern "C" void asz_on_host_fold(uint64_t *ret_z, const uint16_t *arena, const uint8_t fold_seed[32], uint32_t n,
                                 uint32_t groups) {
  const asz_chacha20_key key = asz_chacha20_key_load(fold_seed);
  asz_tile_weight *weight = room<asz_tile_weight>(sizeof *weight * n);
  host_cuda::launch(host_cuda::config(blocks_of(n / 8, ASZ_PROVE_THREADS), ASZ_PROVE_THREADS, 0, NULL),
                    [&] { asz_prove_weights_kernel(weight, &key, n); });
  host_cuda::launch(host_cuda::config(groups, ASZ_FOLD_WARPS * ASZ_TILE_LANES, 0, NULL),
                    [&] { asz_prove_fold_kernel(ret_z, arena, weight, n); });
  free(weight);
}
