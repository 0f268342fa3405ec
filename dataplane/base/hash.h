/* SPDX-License-Identifier: Apache-2.0 */
/* asz_hash: BLAKE2b-256 over a list of parts, the way in which every derived key, name and commitment of the protocol is made:
 * a domain string first, then fixed-length fields, so that no two lists of parts of one domain give the same bytes. */
#ifndef ASZ_DATAPLANE_BASE_HASH_H
#define ASZ_DATAPLANE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct asz_hash_part {
  const void *data;
  size_t size_bytes;
};

/* ASZ_HASH_TEXT: the part for a string literal, without its NUL. */
#define ASZ_HASH_TEXT(literal) ((struct asz_hash_part){"" literal, sizeof(literal) - 1})

/* asz_hash: BLAKE2b-256 of the concatenated parts; key of 0..64 bytes (asserted), NULL for none. Pure; any thread. */
void asz_hash(uint8_t ret_hash[32], const void *key, size_t key_bytes, const struct asz_hash_part *parts, size_t part_count);

#endif
