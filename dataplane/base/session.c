/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/session.h"

#include <sodium.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/hash.h"

_Static_assert(crypto_shorthash_siphashx24_BYTES == ASZ_MAC_BYTES && crypto_shorthash_siphashx24_KEYBYTES == 16,
               "libsodium's SipHash-128 sizes");

int asz_session_shared(uint8_t ret_shared[32], const struct asz_identity *own, const uint8_t peer_pk[32]) {
  uint8_t own_x[32], peer_x[32], shared[32];
  /* Refuses encodings that are no point and points of small order: with those, "shared" would not be secret. */
  if (crypto_sign_ed25519_pk_to_curve25519(peer_x, peer_pk) != 0)
    return ASZ_EAUTH;
  crypto_sign_ed25519_sk_to_curve25519(own_x, own->secret_key);
  int failed = crypto_scalarmult_curve25519(shared, own_x, peer_x);
  if (failed == 0)
    memcpy(ret_shared, shared, sizeof shared);
  sodium_memzero(own_x, sizeof own_x);
  sodium_memzero(shared, sizeof shared);
  return failed == 0 ? ASZ_OK : ASZ_EAUTH;
}

void asz_session_derive(struct asz_session *ret_session, const uint8_t shared[32], uint32_t epoch, const uint8_t validator_pk[32],
                        const uint8_t provider_pk[32]) {
  uint8_t epoch_be[4], keys[32];
  asz_be32_store(epoch_be, epoch);
  const struct asz_hash_part parts[] = {
      ASZ_HASH_TEXT("assize/1/session"), {epoch_be, sizeof epoch_be}, {validator_pk, ASZ_PK_BYTES}, {provider_pk, ASZ_PK_BYTES}};
  asz_hash(keys, shared, 32, parts, 4);
  memcpy(ret_session->request_key, keys, 16);
  memcpy(ret_session->reply_key, keys + 16, 16);
  sodium_memzero(keys, sizeof keys);
}

void asz_session_hmac_key(struct asz_hmac_key *ret_key, const uint8_t shared[32], const uint8_t validator_pk[32],
                          const uint8_t provider_pk[32]) {
  uint8_t secret[32];
  const struct asz_hash_part parts[] = {
      ASZ_HASH_TEXT("assize/1/stamp-auth"), {validator_pk, ASZ_PK_BYTES}, {provider_pk, ASZ_PK_BYTES}};
  asz_hash(secret, shared, 32, parts, 3);
  asz_hmac_key_set(ret_key, secret, sizeof secret);
  sodium_memzero(secret, sizeof secret);
}

void asz_mac_make(uint8_t ret_mac[16], const uint8_t key[16], const void *data, size_t size_bytes) {
  crypto_shorthash_siphashx24(ret_mac, data, size_bytes, key);
}

int asz_mac_check(const uint8_t mac[16], const uint8_t key[16], const void *data, size_t size_bytes) {
  uint8_t expected[ASZ_MAC_BYTES];
  asz_mac_make(expected, key, data, size_bytes);
  return sodium_memcmp(mac, expected, sizeof expected) == 0;
}
