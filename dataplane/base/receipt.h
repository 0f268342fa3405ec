/* SPDX-License-Identifier: Apache-2.0 */
/* asz_receipt: ASK and RECEIPT: a provider signs which probes of a validator it answered. A MAC proves nothing to others, since
 * both ends hold its key; with a receipt a validator can show that a probe it reports was really sent and answered, and when.
 *
 * The receipt is a Merkle root (RFC 6962 section 2.1, SHA-256) over the last replies to the validator in the epoch, at most 1,024
 * of them, oldest first. ASK names one reply that the validator has, which no provider could know beforehand; the RECEIPT shows
 * it in the tree. Leaf of a reply, 28 bytes: sequence(4) | T1(8) | T2(8) | T3(8), as the reply carried them.
 *
 * ASK (validator -> provider), 512 bytes, big-endian:
 *   head: type 7, kind 0, param 0 | 32 nonce(16) | 48 sequence(4) | 52 zeros(4) | 56 T1(8) | 64 zeros(432) | 496 MAC(16) over
 *   bytes 0..496 under the session's request key
 *
 * RECEIPT (provider -> validator), 512 bytes:
 *   head: type 8, the provider's id, else as asked | 32 nonce(16) as asked | 48 leaves(4) | 52 replies of the epoch before them,
 *   that are not kept any more(4, saturating) | 56 root(32) | 88 signature(64) | 152 index of the leaf(4; all ones: not among
 *   them) | 156 hashes of the path(4) | 160 T2(8) | 168 T3(8) | 176 path(10 x 32), leaf upwards, then zeros | 496 MAC(16) over
 *   bytes 0..496 under the reply key
 *   signed = "assize/1/receipt" || bytes 4..56 || root || validator pk(32) = 132 bytes
 */
#ifndef ASZ_DATAPLANE_BASE_RECEIPT_H
#define ASZ_DATAPLANE_BASE_RECEIPT_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/challenge.h"
#include "dataplane/base/err.h"

enum {
  ASZ_RECEIPT_BYTES = 512, /* of both messages */
  ASZ_RECEIPT_MAC_AT = 496,
  ASZ_RECEIPT_LEAVES_MAX = 1024,
  ASZ_RECEIPT_PATH_MAX = 10, /* hashes */
  ASZ_RECEIPT_LEAF_BYTES = 28,
  ASZ_RECEIPT_SIGNED_BYTES = 132,
  ASZ_RECEIPT_NONCE_KIND = 255, /* in the place of a challenge's kind, for asz_challenge_nonce */
};
#define ASZ_RECEIPT_NOT_THERE UINT32_MAX

/* A reply to a probe: what identifies it (seq, t1), and the provider's own times, in the NTP format. */
struct asz_reply_times {
  uint32_t seq;
  uint64_t t1, t2, t3;
};

struct asz_ask {
  uint32_t epoch, device;
  uint64_t slot; /* correctness slot */
  uint8_t validator_id[8];
  uint8_t nonce[ASZ_NONCE_BYTES];
  uint32_t seq;
  uint64_t t1;
};

struct asz_receipt {
  uint32_t epoch, device;
  uint64_t slot;
  uint8_t provider_id[8];
  uint8_t nonce[ASZ_NONCE_BYTES];
  uint32_t count, before; /* leaves; replies before them */
  uint8_t root[32], signature[64];
  uint32_t path_count; /* 0..ASZ_RECEIPT_PATH_MAX */
  uint32_t index;      /* < count, or ASZ_RECEIPT_NOT_THERE: then the rest is zero */
  uint64_t t2, t3;
  uint8_t path[ASZ_RECEIPT_PATH_MAX][32];
};

/* asz_reply_times_of: of a STAMP reply (44 bytes at least) in unauthenticated mode. */
void asz_reply_times_of(struct asz_reply_times *ret_times, const uint8_t *payload);
void asz_receipt_leaf(uint8_t ret_leaf[ASZ_RECEIPT_LEAF_BYTES], const struct asz_reply_times *times);

void asz_ask_write(uint8_t ret_datagram[ASZ_RECEIPT_BYTES], const struct asz_ask *ask, const uint8_t request_key[16]);
/* asz_ask_read, asz_receipt_read: form and ranges, neither MAC nor signature nor tree. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_ask_read(struct asz_ask *ret_ask, const uint8_t *datagram, size_t size_bytes);
void asz_receipt_signed_bytes(uint8_t ret_signed[ASZ_RECEIPT_SIGNED_BYTES], const struct asz_receipt *receipt,
                              const uint8_t validator_pk[32]);
void asz_receipt_write(uint8_t ret_datagram[ASZ_RECEIPT_BYTES], const struct asz_receipt *receipt, const uint8_t reply_key[16]);
ASZ_MUST_CHECK int asz_receipt_read(struct asz_receipt *ret_receipt, const uint8_t *datagram, size_t size_bytes);

#endif
