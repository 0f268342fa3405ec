/* SPDX-License-Identifier: Apache-2.0 */
/* asz_chain: one hash chain of the seq challenge on the host, which no lanes can help.
 *
 * Two ways with the same answer. The reference is libsodium's SHA-256, independent of the mathematics and the instructions that
 * it is the reference for. A prover takes the SHA instructions where the CPU has them: 35.5 ns a step, the latency of 32
 * sha256rnds2, where libsodium took 200 ns and gpu/kinds/sha256.h 230 ns. */
#ifndef ASZ_GPU_CHAIN_H
#define ASZ_GPU_CHAIN_H

#include <sodium.h>
#include <stdint.h>

#include "gpu/simd/sha256.h"

/* asz_chain_advance: x <- SHA-256(x), `steps` times, by libsodium. */
static inline void asz_chain_advance(uint8_t x[32], uint32_t steps) {
  for (uint32_t i = 0; i < steps; i++)
    crypto_hash_sha256(x, x, 32);
}

/* asz_chain_walk: the same, by `fast` (asz_sha256_backend_single), or by libsodium when that is NULL. */
static inline void asz_chain_walk(uint8_t x[32], uint32_t steps, const struct asz_sha256_backend *fast) {
  if (!fast) {
    asz_chain_advance(x, steps);
    return;
  }
  struct asz_sha256_x words = asz_sha256_x_load(x);
  fast->advance(&words, 1, steps);
  asz_sha256_x_store(x, words);
}

#endif
