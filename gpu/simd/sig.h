/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sig_keys, asz_sig_backend: Ed25519 verification against keys that are known in advance, many signatures a call.
 *
 * The verdict on every byte string is that of gpu/kinds/sig.h, which is libsodium 1.0.18's (docs/decisions/0008); each item is
 * judged by its own equation, never many by a sum. What is saved against libsodium:
 *   - A key is decoded and checked once, when it is set; each then has a table of multiples of -A, so that [h](-A) is a sum of
 *     table entries with few doublings or none. B has one such table for all.
 *   - R is never decoded; what is compared is the encoding of [S]B - [h]A, and the inversions that encoding costs are shared by a
 *     group of items (Montgomery's trick). A sum of points by complete formulas has Z != 0, so no item can spoil another's.
 *   - With AVX2 or AVX-512 IFMA, 4 or 8 items go side by side, a lane each.
 * Items that are refused by their bytes alone (S, the key, the length) never enter a lane.
 *
 * Nothing here is secret, and nothing is constant in time. */
#ifndef ASZ_GPU_SIMD_SIG_H
#define ASZ_GPU_SIMD_SIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpu/verify.h"

/* Sizes of a key's table that a caller would name; any other number of bytes is good too (asz_sig_keys_table_bytes). */
enum {
  ASZ_SIG_TABLE_SMALL = 20 << 10,   /* 44,000 keys: 0.9 GB */
  ASZ_SIG_TABLE_DEFAULT = 40 << 10, /* 44,000 keys: 1.8 GB */
  ASZ_SIG_TABLE_LARGE = 400 << 10,  /* no doublings at all, half the additions; 1,000 keys: 0.4 GB */
};

/* One of asz_sig_keys may be read by any number of threads while none sets a key. */
struct asz_sig_keys;

/* asz_sig_keys_table_bytes: what the largest table takes that fits table_bytes_max a key; 0 when none does (below 12 KiB). */
size_t asz_sig_keys_table_bytes(size_t table_bytes_max);

/* asz_sig_keys_footprint: bytes that asz_sig_keys_new takes for capacity keys: the tables, 33 bytes a key beside them, and 2.5
 * MB. Of address space: the memory of a table is used when its key is set. 0 where asz_sig_keys_new would fail with ASZ_EINVAL.
 */
size_t asz_sig_keys_footprint(uint32_t capacity, size_t table_bytes_max);

/* asz_sig_keys_new: room for capacity keys (1..2^24), none set; milliseconds, for B's table. ASZ_EINVAL: capacity out of range or
 * table_bytes_max below the smallest table; ASZ_ENOMEM. Free with asz_sig_keys_free. */
ASZ_MUST_CHECK int asz_sig_keys_new(struct asz_sig_keys **ret_keys, uint32_t capacity, size_t table_bytes_max);
void asz_sig_keys_free(struct asz_sig_keys *keys);

/* asz_sig_keys_set: the key of index `key`, new or in the place of another. Every 32 bytes are taken: with a key that
 * libsodium would refuse (not canonical, of small order, no point) every item FAILs. ASZ_ERANGE: key >= capacity. Takes about 0.1
 * ms for a small table, 0.2 ms for a default one, 1.8 ms for a large one. */
ASZ_MUST_CHECK int asz_sig_keys_set(struct asz_sig_keys *keys, uint32_t key, const uint8_t public_key[32]);

/* asz_sig_keys_get: the bytes that were set; NULL when nothing was, or key >= capacity. */
const uint8_t *asz_sig_keys_get(const struct asz_sig_keys *keys, uint32_t key);

/* Items as a structure of arrays, all of the caller. */
struct asz_sig_items {
  uint32_t count; /* any, also 0 */
  const uint32_t *key;
  const uint8_t (*signature)[64];
  const uint8_t (*message)[ASZ_SIG_MESSAGE_MAX + 1]; /* never read past message_bytes */
  const uint8_t *message_bytes;
  uint8_t *verdict; /* enum asz_verdict, of every item: MALFORMED when its message_bytes > ASZ_SIG_MESSAGE_MAX (nothing else is
                       read then), UNJUDGED when its key is not set, else PASS or FAIL */
};

struct asz_sig_backend {
  const char *name;
  bool (*supported)(void); /* has this machine its instructions? judge must not be called where not */
  /* At most 128 KiB of stack, no other memory. Any number of items is right; 256 share inversions, so that fewer cost more each.
   */
  void (*judge)(const struct asz_sig_keys *keys, const struct asz_sig_items *items);
};

/* All that were built, slowest first; plain C is always there and always supported. */
extern const struct asz_sig_backend *const asz_sig_backends[];
extern const unsigned asz_sig_backend_count;

/* asz_sig_backend_best: the fastest that this machine supports; never NULL. */
const struct asz_sig_backend *asz_sig_backend_best(void);

#endif
