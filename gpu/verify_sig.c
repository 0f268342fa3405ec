/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's kind sig: one Ed25519 signature an item. The reference is libsodium, which also judges for keys without a table.
 */
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

static bool has_table(const struct asz_verify_cpu *cpu, const struct asz_batch *batch, uint32_t i) {
  const uint8_t *known = cpu->reference || !cpu->keys ? NULL : asz_sig_keys_get(cpu->keys, batch->key[i]);
  return known && memcmp(known, batch->public_key[i], 32) == 0;
}

/* In runs: of keys with a table, side by side, of others, one by one. */
static void judge(const struct asz_verify_cpu *cpu, struct asz_batch *batch, uint32_t first, uint32_t count) {
  for (uint32_t end = first + count, next; first < end; first = next) {
    for (next = first; next < end && has_table(cpu, batch, next);)
      next++;
    if (next > first) {
      const struct asz_sig_items items = {
          .count = next - first,
          .key = batch->key + first,
          .signature = (const uint8_t(*)[64])batch->signature + first,
          .message = (const uint8_t(*)[ASZ_SIG_MESSAGE_MAX + 1]) batch->message + first,
          .message_bytes = batch->message_bytes + first,
          .verdict = batch->verdict + first,
      };
      cpu->sig->judge(cpu->keys, &items);
    }
    for (; next < end && !has_table(cpu, batch, next); next++)
      batch->verdict[next] =
          asz_verify_sig_one(batch->public_key[next], batch->signature[next], batch->message[next], batch->message_bytes[next]);
  }
}

static enum asz_verdict known_fill(struct asz_batch *batch, uint32_t item, unsigned number) {
  bool too_long = number == ASZ_SIG_KNOWN_COUNT;
  const struct asz_sig_known *known = &asz_sig_known_answers[too_long ? 0 : number];
  size_t message_bytes = strlen(known->message) / 2;
  batch->key[item] = number;
  asz_known_decode(batch->public_key[item], 32, known->public_key);
  asz_known_decode(batch->signature[item], 64, known->signature);
  asz_known_decode(batch->message[item], message_bytes, known->message);
  batch->message_bytes[item] = (uint8_t)(too_long ? ASZ_SIG_MESSAGE_MAX + 1 : message_bytes);
  return too_long ? ASZ_VERDICT_MALFORMED : (enum asz_verdict)known->verdict;
}

const struct asz_verify_kind asz_verify_kind_sig = {
    .kind = ASZ_KIND_SIG,
    .column_count = 5,
    .column = {ASZ_COLUMN(key), ASZ_COLUMN(public_key), ASZ_COLUMN(signature), ASZ_COLUMN(message), ASZ_COLUMN(message_bytes)},
    .judge = judge,
    .known_count = CASES,
    .known_fill = known_fill,
};
