/* SPDX-License-Identifier: Apache-2.0 */
/* A prover's device that is none: what gpu/kernels_prove.cuh launches, lane for lane from gpu/kinds/gemm_tiles.h, and a tensor
 * core as PTX describes it. */
#ifndef ASZ_TESTS_GPU_PROVE_EMULATED_H
#define ASZ_TESTS_GPU_PROVE_EMULATED_H

#include "gpu/kinds/gemm_tiles.h"
#include "gpu/prove/device.h"

/* What devices that are opened from now on do wrong. */
enum asz_emulated_fault {
  ASZ_EMULATED_FINE,
  ASZ_EMULATED_NO_MEMORY, /* to open */
  ASZ_EMULATED_RUN,       /* this function fails */
  ASZ_EMULATED_LEAVES,
  ASZ_EMULATED_FOLD,
  ASZ_EMULATED_SUMS,
  ASZ_EMULATED_WRONG_SUM, /* an entry of C is one more */
};
extern enum asz_emulated_fault asz_emulated_fault;
extern int asz_emulated_open_devices; /* opened and not freed */

asz_prove_device_open_fn asz_emulated_open;

/* asz_emulated_a: A of n rows, asz_emulated_b: columns first..first+count-1 of B; packed; for free(). */
uint8_t *asz_emulated_a(const uint8_t key[32], uint32_t n, uint32_t k);
uint8_t *asz_emulated_b(const uint8_t key[32], uint32_t first, uint32_t count, uint32_t k);
/* asz_emulated_product: to = a b, both packed, by the emulated tensor core. */
void asz_emulated_product(const struct asz_tile_c *to, const uint8_t *a, const uint8_t *b, uint32_t k);

#endif
