/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's kind sig: one Ed25519 signature an item. The reference is libsodium. */
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "gpu/kind.h"
#include "gpu/kinds/sig.h"

enum { CASES = ASZ_SIG_KNOWN_COUNT + 1 }; /* the table in kinds/sig.h, and a message one byte too long */

enum asz_verdict asz_verify_sig_one(const uint8_t public_key[32], const uint8_t signature[64], const uint8_t *message,
                                    size_t size_bytes) {
  if (size_bytes > ASZ_SIG_MESSAGE_MAX)
    return ASZ_VERDICT_MALFORMED;
  return crypto_sign_verify_detached(signature, message, size_bytes, public_key) == 0 ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL;
}

static void judge(struct asz_batch *batch, uint32_t first, uint32_t count) {
  for (uint32_t i = first; i < first + count; i++)
    batch->verdict[i] = asz_verify_sig_one(batch->public_key[i], batch->signature[i], batch->message[i], batch->message_bytes[i]);
}

static enum asz_verdict known_fill(struct asz_batch *batch, uint32_t item, unsigned number) {
  bool too_long = number == ASZ_SIG_KNOWN_COUNT;
  const struct asz_sig_known *known = &asz_sig_known_answers[too_long ? 0 : number];
  size_t message_bytes = strlen(known->message) / 2;
  asz_known_decode(batch->public_key[item], 32, known->public_key);
  asz_known_decode(batch->signature[item], 64, known->signature);
  asz_known_decode(batch->message[item], message_bytes, known->message);
  batch->message_bytes[item] = (uint8_t)(too_long ? ASZ_SIG_MESSAGE_MAX + 1 : message_bytes);
  return too_long ? ASZ_VERDICT_MALFORMED : (enum asz_verdict)known->verdict;
}

const struct asz_verify_kind asz_verify_kind_sig = {
    .kind = ASZ_KIND_SIG,
    .column_count = 4,
    .column = {ASZ_COLUMN(public_key), ASZ_COLUMN(signature), ASZ_COLUMN(message), ASZ_COLUMN(message_bytes)},
    .judge = judge,
    .known_count = CASES,
    .known_fill = known_fill,
};
