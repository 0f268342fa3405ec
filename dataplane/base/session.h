/* SPDX-License-Identifier: Apache-2.0 */
/* asz_session: the keys that one validator and one provider share for one epoch.
 *
 *   shared  = X25519 of the two Ed25519 identities, mapped to Curve25519 (all-zero results refused, as libsodium does)
 *   session = BLAKE2b-256(key = shared, "assize/1/session" || epoch BE32 || validator pk || provider pk)
 *   request MAC key = session[0..16), reply MAC key = session[16..32)
 *
 *   stamp-auth secret = BLAKE2b-256(key = shared, "assize/1/stamp-auth" || validator pk || provider pk): for all epochs, since a
 *                       packet of STAMP's authenticated mode names neither epoch nor validator
 *
 * Both ends derive the same keys from their own secret and the other's public key. MAC = SipHash-2-4-128 (libsodium
 * siphashx24): fast enough for every packet; it is no evidence, since either end could have made it. */
#ifndef ASZ_DATAPLANE_BASE_SESSION_H
#define ASZ_DATAPLANE_BASE_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"
#include "dataplane/base/hmac.h"
#include "dataplane/base/identity.h"

enum { ASZ_MAC_BYTES = 16 };

struct asz_session {
  uint8_t request_key[16]; /* MACs what the validator sends */
  uint8_t reply_key[16];   /* MACs what the provider sends */
};

/* asz_session_shared: the X25519 secret, computed once per peer and kept. ASZ_EAUTH for a peer key that is not a usable point. */
ASZ_MUST_CHECK int asz_session_shared(uint8_t ret_shared[32], const struct asz_identity *own, const uint8_t peer_pk[32]);
/* asz_session_derive: the keys of an epoch. Pure. */
void asz_session_derive(struct asz_session *ret_session, const uint8_t shared[32], uint32_t epoch, const uint8_t validator_pk[32],
                        const uint8_t provider_pk[32]);
/* asz_session_hmac_key: the key of STAMP's authenticated mode. Pure. */
void asz_session_hmac_key(struct asz_hmac_key *ret_key, const uint8_t shared[32], const uint8_t validator_pk[32],
                          const uint8_t provider_pk[32]);

void asz_mac_make(uint8_t ret_mac[16], const uint8_t key[16], const void *data, size_t size_bytes);
/* asz_mac_check: constant time; 1 when right, else 0. */
ASZ_MUST_CHECK int asz_mac_check(const uint8_t mac[16], const uint8_t key[16], const void *data, size_t size_bytes);

#endif
