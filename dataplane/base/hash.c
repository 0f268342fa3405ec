/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/hash.h"

#include <assert.h>
#include <sodium.h>

void asz_hash(uint8_t ret_hash[32], const void *key, size_t key_bytes, const struct asz_hash_part *parts, size_t part_count) {
  assert(key_bytes <= crypto_generichash_KEYBYTES_MAX);
  crypto_generichash_state state;
  crypto_generichash_init(&state, key, key_bytes, 32);
  for (size_t i = 0; i < part_count; i++)
    crypto_generichash_update(&state, parts[i].data, parts[i].size_bytes);
  crypto_generichash_final(&state, ret_hash, 32);
  sodium_memzero(&state, sizeof state); /* the key may be a secret */
}
