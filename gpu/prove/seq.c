/* SPDX-License-Identifier: Apache-2.0 */
/* The provider's half of seq: walk the chain and note every 32nd part of the way. It cannot be done in parallel; that is the
 * point of it. */
#include <assert.h>
#include <string.h>

#include "gpu/chain.h"
#include "gpu/prove/prove.h"

void asz_prove_seq(uint8_t ret_checkpoint[ASZ_SEQ_CHECKPOINTS][32], const uint8_t seed[32], unsigned log2_steps) {
  assert(log2_steps >= ASZ_SEQ_LOG2_MIN && log2_steps <= ASZ_SEQ_LOG2_MAX);
  const struct asz_sha256_backend *fast = asz_sha256_backend_single();
  uint8_t x[32];
  memcpy(x, seed, sizeof x);
  for (unsigned j = 0; j < ASZ_SEQ_CHECKPOINTS; j++) {
    asz_chain_walk(x, (UINT32_C(1) << log2_steps) / ASZ_SEQ_CHECKPOINTS, fast);
    memcpy(ret_checkpoint[j], x, sizeof x);
  }
}
