/* SPDX-License-Identifier: Apache-2.0 */
/* asz_chain: the hash chain of the seq challenge on the host, for prover and verifier alike. libsodium's SHA-256 (205 ns a step
 * where gpu/kinds/sha256.h took 238 ns) and so independent of the device's mathematics that it is the reference for. */
#ifndef ASZ_GPU_CHAIN_H
#define ASZ_GPU_CHAIN_H

#include <sodium.h>
#include <stdint.h>

/* asz_chain_advance: x <- SHA-256(x), `steps` times. */
static inline void asz_chain_advance(uint8_t x[32], uint32_t steps) {
  for (uint32_t i = 0; i < steps; i++)
    crypto_hash_sha256(x, x, 32);
}

#endif
