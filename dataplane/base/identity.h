/* SPDX-License-Identifier: Apache-2.0 */
/* asz_identity: an Ed25519 identity and its key file; used by validators and providers alike.
 *
 * Key file: text, mode 0600, owned by the user who reads it. First line `assize-key-v1`, second line the 32-byte seed as 64
 * lower-case hex digits, then end of file. Wrong permissions, type, owner, length or character are each refused with their own
 * line. */
#ifndef ASZ_DATAPLANE_BASE_IDENTITY_H
#define ASZ_DATAPLANE_BASE_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

enum { ASZ_PK_BYTES = 32, ASZ_SIG_BYTES = 64, ASZ_ID_BYTES = 8, ASZ_HASH_BYTES = 32 };

struct asz_identity {
  uint8_t public_key[32];
  uint8_t secret_key[64]; /* libsodium's form: seed || public key. Wipe with asz_identity_wipe. */
};

/* asz_identity_from_seed: deterministic; lab identities are made this way. */
void asz_identity_from_seed(struct asz_identity *ret_id, const uint8_t seed[32]);
/* asz_identity_create makes a new random key file. Never overwrites: ASZ_EEXIST. Durable (fsync of file and directory) on return.
 */
ASZ_MUST_CHECK int asz_identity_create(const char *path, struct asz_identity *ret_id, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_identity_load(const char *path, struct asz_identity *ret_id, struct asz_diag *diag);
void asz_identity_wipe(struct asz_identity *id);

/* asz_identity_short: the 8-byte name a public key has on the wire: the first 8 bytes of BLAKE2b-256("assize/1/id" || pk). */
void asz_identity_short(uint8_t ret_id[8], const uint8_t public_key[32]);

/* Hex of fixed-length fields: lower case out; either case in; exactly 2*count digits and nothing else, else ASZ_EFORMAT. */
void asz_hex_encode(char *ret_text /* 2*count + 1 */, const uint8_t *bytes, size_t count);
ASZ_MUST_CHECK int asz_hex_decode(uint8_t *ret_bytes, size_t count, const char *text);

#endif
