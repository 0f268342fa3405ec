/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/stamp_auth.h"

#include <assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"

enum {
  MBZ_BYTES = 12, /* behind a sequence */
  SENDER_BLOCK_BYTES = ASZ_STAMP_AUTH_SSID,
  TLV_TYPE = 1, /* offsets in a TLV's header */
  TLV_LENGTH = 2,
};
_Static_assert((int)ASZ_STAMP_AUTH_HMAC == (int)ASZ_HMAC_MESSAGE_BYTES, "the HMAC covers what is before it");
_Static_assert(ASZ_STAMP_AUTH_HMAC + ASZ_HMAC_TAG_BYTES == ASZ_STAMP_AUTH_BYTES, "the HMAC ends the packet");
_Static_assert(ASZ_STAMP_AUTH_SENDER_TIME - ASZ_STAMP_AUTH_TIME == ASZ_STAMP_AUTH_SENDER_SEQ - ASZ_STAMP_AUTH_SEQ &&
                   ASZ_STAMP_AUTH_SENDER_ERROR - ASZ_STAMP_AUTH_ERROR == ASZ_STAMP_AUTH_SENDER_SEQ - ASZ_STAMP_AUTH_SEQ,
               "the sender's fields move as one block");

void asz_stamp_auth_request_write(uint8_t *payload, uint32_t seq, uint64_t tx_ntp64, uint16_t error_estimate, uint16_t ssid) {
  memset(payload, 0, ASZ_STAMP_AUTH_BYTES);
  asz_be32_store(payload + ASZ_STAMP_AUTH_SEQ, seq);
  asz_be64_store(payload + ASZ_STAMP_AUTH_TIME, tx_ntp64);
  asz_be16_store(payload + ASZ_STAMP_AUTH_ERROR, error_estimate);
  asz_be16_store(payload + ASZ_STAMP_AUTH_SSID, ssid);
}

bool asz_stamp_auth_find(const uint8_t *payload, size_t size_bytes) {
  static const uint8_t zero[MBZ_BYTES];
  return size_bytes >= ASZ_STAMP_AUTH_BYTES && memcmp(payload + 4, zero, sizeof zero) == 0 &&
         asz_be64_load(payload + ASZ_STAMP_AUTH_TIME) != 0;
}

bool asz_stamp_auth_is_reply(const uint8_t *payload) {
  return asz_be64_load(payload + ASZ_STAMP_AUTH_RX_TIME) != 0;
}

void asz_stamp_auth_verify_many(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *const *key,
                                const uint8_t *const *payload, bool *ret_right, size_t count) {
  uint8_t tag[ASZ_HMAC_BURST_MAX][ASZ_HMAC_TAG_BYTES];
  assert(count <= ASZ_HMAC_BURST_MAX);
  asz_hmac_many(lanes, key, payload, tag, count);
  for (size_t i = 0; i < count; i++)
    ret_right[i] = asz_hmac_equal(tag[i], payload[i] + ASZ_STAMP_AUTH_HMAC);
}

bool asz_stamp_auth_verify(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *key, const uint8_t *payload) {
  bool right;
  asz_stamp_auth_verify_many(lanes, &key, &payload, &right, 1);
  return right;
}

void asz_stamp_auth_seal(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *key, uint8_t *payload) {
  const uint8_t *message = payload;
  uint8_t tag[1][ASZ_HMAC_TAG_BYTES];
  asz_hmac_many(lanes, &key, &message, tag, 1);
  memcpy(payload + ASZ_STAMP_AUTH_HMAC, tag[0], sizeof tag[0]);
}

/* ---- TLVs behind the base packet ---- */

/* The TLV at `at`: its size with the header; 0 when the packet ends before it does. */
static size_t tlv_bytes(const uint8_t *payload, size_t size_bytes, size_t at) {
  if (size_bytes - at < ASZ_TLV_HEADER_BYTES)
    return 0;
  size_t bytes = ASZ_TLV_HEADER_BYTES + (size_t)asz_be16_load(payload + at + TLV_LENGTH);
  return bytes <= size_bytes - at ? bytes : 0;
}

static void tlv_hmac(uint8_t ret_tag[ASZ_HMAC_TAG_BYTES], const struct asz_hmac_key *key, const uint8_t *payload,
                     size_t hmac_at) {
  const struct asz_hash_part parts[] = {{payload + ASZ_STAMP_AUTH_SEQ, 4},
                                        {payload + ASZ_STAMP_AUTH_BYTES, hmac_at - ASZ_STAMP_AUTH_BYTES}};
  asz_hmac(ret_tag, key, parts, 2);
}

/* Where the one HMAC TLV stands, in form and followed by padding alone; 0 when there is none such. */
static size_t hmac_tlv_find(const uint8_t *payload, size_t size_bytes) {
  size_t hmac_at = 0;
  for (size_t at = ASZ_STAMP_AUTH_BYTES; at < size_bytes;) {
    size_t bytes = tlv_bytes(payload, size_bytes, at);
    uint8_t type = bytes > 0 ? payload[at + TLV_TYPE] : 0;
    if (bytes == 0 || (hmac_at != 0 && type != ASZ_TLV_TYPE_PADDING))
      return 0;
    if (type == ASZ_TLV_TYPE_HMAC) {
      if (bytes != ASZ_TLV_HEADER_BYTES + ASZ_HMAC_TAG_BYTES)
        return 0;
      hmac_at = at;
    }
    at += bytes;
  }
  return hmac_at;
}

static bool is_lone_padding(const uint8_t *payload, size_t size_bytes) {
  return tlv_bytes(payload, size_bytes, ASZ_STAMP_AUTH_BYTES) == size_bytes - ASZ_STAMP_AUTH_BYTES &&
         payload[ASZ_STAMP_AUTH_BYTES + TLV_TYPE] == ASZ_TLV_TYPE_PADDING;
}

static void tlvs_mark_broken(uint8_t *payload, size_t size_bytes) {
  for (size_t at = ASZ_STAMP_AUTH_BYTES; at < size_bytes;) {
    size_t bytes = tlv_bytes(payload, size_bytes, at);
    payload[at] = ASZ_TLV_FLAG_INTEGRITY;
    if (bytes == 0) {
      payload[at] |= ASZ_TLV_FLAG_MALFORMED;
      return;
    }
    at += bytes;
  }
}

/* The base packet is the request's still: its sequence is what the HMAC TLV covers, and a stateless reflector keeps it. */
static void tlvs_reflect(const struct asz_hmac_key *key, uint8_t *payload, size_t size_bytes) {
  uint8_t tag[ASZ_HMAC_TAG_BYTES];
  size_t hmac_at = hmac_tlv_find(payload, size_bytes);
  if (hmac_at == 0) {
    if (is_lone_padding(payload, size_bytes))
      payload[ASZ_STAMP_AUTH_BYTES] = 0;
    else
      tlvs_mark_broken(payload, size_bytes);
    return;
  }
  tlv_hmac(tag, key, payload, hmac_at);
  if (!asz_hmac_equal(tag, payload + hmac_at + ASZ_TLV_HEADER_BYTES)) {
    tlvs_mark_broken(payload, size_bytes);
    return;
  }
  for (size_t at = ASZ_STAMP_AUTH_BYTES; at < size_bytes; at += tlv_bytes(payload, size_bytes, at)) {
    uint8_t type = payload[at + TLV_TYPE];
    payload[at] = type == ASZ_TLV_TYPE_HMAC || type == ASZ_TLV_TYPE_PADDING ? 0 : ASZ_TLV_FLAG_UNRECOGNISED;
  }
  tlv_hmac(payload + hmac_at + ASZ_TLV_HEADER_BYTES, key, payload, hmac_at);
}

int asz_stamp_auth_reflect(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *key, uint8_t *payload, size_t size_bytes,
                           uint64_t t2_ntp64, uint64_t t3_ntp64, uint16_t error_estimate, uint8_t ttl) {
  if (size_bytes < ASZ_STAMP_AUTH_BYTES)
    return ASZ_EFORMAT;
  if (size_bytes > ASZ_STAMP_AUTH_BYTES)
    tlvs_reflect(key, payload, size_bytes);
  /* The sender's sequence, time and error estimate first: the reflector's own overwrite them. */
  memmove(payload + ASZ_STAMP_AUTH_SENDER_SEQ, payload + ASZ_STAMP_AUTH_SEQ, SENDER_BLOCK_BYTES);
  memset(payload + ASZ_STAMP_AUTH_SENDER_SEQ + 4, 0, MBZ_BYTES);
  memset(payload + ASZ_STAMP_AUTH_SENDER_ERROR + 2, 0, ASZ_STAMP_AUTH_HMAC - ASZ_STAMP_AUTH_SENDER_ERROR - 2);
  payload[ASZ_STAMP_AUTH_SENDER_TTL] = ttl;
  memset(payload + ASZ_STAMP_AUTH_SEQ + 4, 0, MBZ_BYTES);
  asz_be64_store(payload + ASZ_STAMP_AUTH_TIME, t3_ntp64);
  asz_be16_store(payload + ASZ_STAMP_AUTH_ERROR, error_estimate);
  memset(payload + ASZ_STAMP_AUTH_SSID + 2, 0, ASZ_STAMP_AUTH_SENDER_SEQ - ASZ_STAMP_AUTH_SSID - 2);
  asz_be64_store(payload + ASZ_STAMP_AUTH_RX_TIME, t2_ntp64);
  asz_stamp_auth_seal(lanes, key, payload);
  return (int)size_bytes;
}
