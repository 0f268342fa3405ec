/* SPDX-License-Identifier: Apache-2.0 */
/* gpu/prove/cuda.cu itself, built for the host around host_cuda/: asz_prove_cuda_open gives a device, and kernels can be launched
 * alone, with sizes that no preset has. */
#ifndef ASZ_TESTS_GPU_PROVE_KERNELS_ON_HOST_H
#define ASZ_TESTS_GPU_PROVE_KERNELS_ON_HOST_H

#include <stdint.h>

/* c (n entries a column) of columns first..first+columns-1, and their low halves. */
void asz_on_host_product(int32_t *ret_c, uint16_t *ret_arena, const uint8_t a_key[32], const uint8_t b_key[32], uint32_t n,
                         uint32_t k, uint32_t first, uint32_t columns);
/* The root over count hashes, a power of two up to 2^18. */
void asz_on_host_tree(uint64_t ret_root[4], const uint64_t (*hash)[4], uint32_t count);
/* z of `groups` groups of 64 columns of n. */
void asz_on_host_fold(uint64_t *ret_z, const uint16_t *arena, const uint8_t fold_seed[32], uint32_t n, uint32_t groups);

#endif
