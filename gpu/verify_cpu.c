/* SPDX-License-Identifier: Apache-2.0 */
/* The reference: what every other backend must agree with, on every byte string. libsodium does the work, so that there is no
 * mathematics of our own in it to be wrong. */
#include "gpu/verify.h"

#include <sodium.h>
#include <string.h>

#include "gpu/chain.h"
#include "gpu/device.h"

const char *asz_verdict_name(enum asz_verdict verdict) {
  switch (verdict) {
  case ASZ_VERDICT_NONE:
    return "none";
  case ASZ_VERDICT_PASS:
    return "pass";
  case ASZ_VERDICT_FAIL:
    return "fail";
  case ASZ_VERDICT_MALFORMED:
    return "malformed";
  case ASZ_VERDICT_UNJUDGED:
    return "unjudged";
  }
  return "unknown";
}

enum asz_verdict asz_verify_sig_one(const uint8_t public_key[32], const uint8_t signature[64], const uint8_t *message,
                                    size_t size_bytes) {
  if (size_bytes > ASZ_SIG_MESSAGE_MAX)
    return ASZ_VERDICT_MALFORMED;
  return crypto_sign_verify_detached(signature, message, size_bytes, public_key) == 0 ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL;
}

enum asz_verdict asz_verify_seq_one(const uint8_t seed[32], const uint8_t checkpoint[ASZ_SEQ_CHECKPOINTS][32],
                                    unsigned log2_steps) {
  if (log2_steps < ASZ_SEQ_LOG2_MIN || log2_steps > ASZ_SEQ_LOG2_MAX)
    return ASZ_VERDICT_MALFORMED;
  uint8_t x[32];
  memcpy(x, seed, sizeof x);
  for (unsigned j = 0; j < ASZ_SEQ_CHECKPOINTS; j++) {
    asz_chain_advance(x, (UINT32_C(1) << log2_steps) / ASZ_SEQ_CHECKPOINTS);
    if (memcmp(x, checkpoint[j], sizeof x) != 0)
      return ASZ_VERDICT_FAIL;
  }
  return ASZ_VERDICT_PASS;
}

void asz_verify_cpu_items(struct asz_batch *batch, uint32_t first, uint32_t count) {
  for (uint32_t i = first; i < first + count; i++) {
    if (batch->kind == ASZ_KIND_SIG)
      batch->verdict[i] =
          asz_verify_sig_one(batch->public_key[i], batch->signature[i], batch->message[i], batch->message_bytes[i]);
    else
      batch->verdict[i] = asz_verify_seq_one(batch->seed[i], batch->checkpoint[i], batch->log2_steps[i]);
  }
}
