/* SPDX-License-Identifier: Apache-2.0 */
/* asz_hmac: HMAC-SHA-256 cut to 128 bits (RFC 2104, RFC 4868 section 2.1.1), as STAMP's authenticated mode wants it.
 *
 * A key is kept as the two states that SHA-256 is in once it has read the padded key (RFC 2104 section 4): a MAC of 96 bytes then
 * costs three blocks instead of five. asz_hmac is libsodium's SHA-256 going on from there, for any length: 1,550 TSC ticks.
 * asz_hmac_many makes the MACs of many messages of 96 bytes side by side, each under its own key, by the multi-buffer library
 * where the build has it: 190 ticks each (bench_hmac; docs/decisions/0015-hmac-by-a-multi-buffer-library.md).
 * Same bits from both; libsodium's crypto_auth_hmacsha256 is the reference in the tests. */
#ifndef ASZ_DATAPLANE_BASE_HMAC_H
#define ASZ_DATAPLANE_BASE_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"
#include "dataplane/base/hash.h"

enum {
  ASZ_HMAC_TAG_BYTES = 16,
  ASZ_HMAC_MESSAGE_BYTES = 96, /* of asz_hmac_many: what STAMP covers */
  ASZ_HMAC_BURST_MAX = 64,
};

/* A key's saved states, one cache line. As secret as the key. */
struct asz_hmac_key {
  uint32_t inner[8], outer[8];
};

/* asz_hmac_key_set: from a secret of any size (over 64 bytes it is hashed first). Pure. */
void asz_hmac_key_set(struct asz_hmac_key *ret_key, const void *secret, size_t secret_bytes);

/* asz_hmac: the MAC of the parts, one after the other. Pure. */
void asz_hmac(uint8_t ret_tag[ASZ_HMAC_TAG_BYTES], const struct asz_hmac_key *key, const struct asz_hash_part *parts,
              size_t part_count);

/* Working memory of asz_hmac_many: one a thread. */
struct asz_hmac_lanes;
/* asz_hmac_lanes_new: ASZ_ENOMEM. asz_hmac_lanes_free(NULL) is fine. */
ASZ_MUST_CHECK int asz_hmac_lanes_new(struct asz_hmac_lanes **ret_lanes);
void asz_hmac_lanes_free(struct asz_hmac_lanes *lanes);
/* asz_hmac_lanes_wide: false where asz_hmac_many makes one MAC after the other: a build without the library, an old CPU. */
bool asz_hmac_lanes_wide(const struct asz_hmac_lanes *lanes);
/* asz_hmac_lanes_bytes: what each takes, about. */
size_t asz_hmac_lanes_bytes(void);

/* asz_hmac_many: ret_tag[i] of message[i] (ASZ_HMAC_MESSAGE_BYTES) under *key[i], i < count <=
 * ASZ_HMAC_BURST_MAX. The same key or message may come more than once. */
void asz_hmac_many(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *const *key, const uint8_t *const *message,
                   uint8_t (*ret_tag)[ASZ_HMAC_TAG_BYTES], size_t count);

/* asz_hmac_equal: in constant time. */
bool asz_hmac_equal(const uint8_t a[ASZ_HMAC_TAG_BYTES], const uint8_t b[ASZ_HMAC_TAG_BYTES]);

#endif
