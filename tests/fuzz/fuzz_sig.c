/* SPDX-License-Identifier: Apache-2.0 */
/* Key, signature and message from the input: the kernels' arithmetic, every backend for known keys that this machine supports and
 * libsodium must agree on every byte string.
 *
 * Random bytes stop at the first check nearly always, so each input is also tried as what an attacker would make of it: with S
 * brought below L, and signed properly under a key made of it (whose verdict must then be a pass). */
#include <sodium.h>
#include <string.h>

#include "gpu/kinds/sig.h"
#include "gpu/simd/sig.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD_BYTES = 32 + 64 };

static void judge_with_table(const uint8_t key[32], const uint8_t signature[64], const uint8_t *message, uint8_t message_bytes,
                             uint8_t expected) {
  static struct asz_sig_keys *keys; /* until the process ends: B's table costs more than the rest */
  static const uint32_t first = 0;
  if (!keys)
    FUZZ_CHECK(asz_sig_keys_new(&keys, 1, ASZ_SIG_TABLE_SMALL) == ASZ_OK);
  const uint8_t *set = asz_sig_keys_get(keys, 0);
  if (!set || memcmp(set, key, 32) != 0)
    FUZZ_CHECK(asz_sig_keys_set(keys, 0, key) == ASZ_OK);
  uint8_t padded[1][ASZ_SIG_MESSAGE_MAX + 1] = {{0}}, verdict;
  memcpy(padded[0], message, message_bytes <= ASZ_SIG_MESSAGE_MAX ? message_bytes : 0);
  const struct asz_sig_items items = {
      .count = 1,
      .key = &first,
      .signature = (const uint8_t(*)[64])signature,
      .message = (const uint8_t(*)[ASZ_SIG_MESSAGE_MAX + 1]) padded,
      .message_bytes = &message_bytes,
      .verdict = &verdict,
  };
  for (unsigned i = 0; i < asz_sig_backend_count; i++) {
    verdict = ASZ_VERDICT_NONE;
    if (asz_sig_backends[i]->supported()) {
      asz_sig_backends[i]->judge(keys, &items);
      FUZZ_CHECK(verdict == expected);
    }
  }
}

static uint8_t judge(const uint8_t key[32], const uint8_t signature[64], const uint8_t *message, size_t message_bytes) {
  uint8_t verdict = asz_sig_judge(key, signature, message, (unsigned)message_bytes);
  int accepted = crypto_sign_verify_detached(signature, message, message_bytes, key) == 0;
  FUZZ_CHECK(verdict == (accepted ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL));
  judge_with_table(key, signature, message, (uint8_t)message_bytes, verdict);
  return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  if (size_bytes < HEAD_BYTES)
    return 0;
  const uint8_t *message = data + HEAD_BYTES;
  size_t message_bytes = size_bytes - HEAD_BYTES;
  if (message_bytes > ASZ_SIG_MESSAGE_MAX) {
    FUZZ_CHECK(asz_sig_judge(data, data + 32, message, (unsigned)message_bytes) == ASZ_VERDICT_MALFORMED);
    if (message_bytes <= UINT8_MAX)
      judge_with_table(data, data + 32, message, (uint8_t)message_bytes, ASZ_VERDICT_MALFORMED);
    message_bytes = ASZ_SIG_MESSAGE_MAX;
  }
  judge(data, data + 32, message, message_bytes);

  uint8_t signature[64], wide[64] = {0}, key[32], secret_key[64];
  memcpy(signature, data + 32, 64);
  memcpy(wide, signature + 32, 32);
  crypto_core_ed25519_scalar_reduce(signature + 32, wide);
  judge(data, signature, message, message_bytes);

  crypto_sign_seed_keypair(key, secret_key, data);
  crypto_sign_detached(signature, NULL, message, message_bytes, secret_key);
  FUZZ_CHECK(judge(key, signature, message, message_bytes) == ASZ_VERDICT_PASS);
  memcpy(signature, data + 32, 32); /* another R under a good key and S */
  judge(key, signature, message, message_bytes);
  return 0;
}
