/* SPDX-License-Identifier: Apache-2.0 */
/* The STAMP codec. Requests are written once into a template and patched by the engine; the reflector works in place, because
 * the reply has the request's size and keeps its sequence, SSID and everything behind the base packet where they are.
 *
 * The rule for TLVs (RFC 8972 section 4): a reflector derives all flags anew, whatever the sender set. A TLV that it does not
 * understand goes back with U; where the packet ends before the TLV does, it sets M, stops, and copies the rest as it came.
 * A type 252 that is not exactly ours is another enterprise's or another version's, so it is not understood either. */
#include "dataplane/base/stamp.h"

#include <string.h>

#include "dataplane/base/bytes.h"

enum {
  ASZ_STAMP_SENDER_MBZ = 38,
  ASZ_STAMP_TTL_MBZ = 41,
  TLV_TYPE = 1, /* offsets in a TLV's header */
  TLV_LENGTH = 2,
};
_Static_assert(ASZ_TLV_AT_MAC + ASZ_MAC_BYTES == ASZ_STAMP_TLV_BYTES, "the MAC ends the packet");
_Static_assert(ASZ_STAMP_SENDER_SEQ - ASZ_STAMP_SEQ == ASZ_STAMP_SENDER_TIME - ASZ_STAMP_TIME &&
                   ASZ_STAMP_SENDER_ERROR - ASZ_STAMP_ERROR == ASZ_STAMP_SENDER_SEQ - ASZ_STAMP_SEQ,
               "the sender's fields move as one block");

void asz_stamp_request_write(uint8_t *payload, uint32_t seq, uint64_t tx_ntp64, uint16_t error_estimate, uint16_t ssid) {
  memset(payload, 0, ASZ_STAMP_BYTES);
  asz_be32_store(payload + ASZ_STAMP_SEQ, seq);
  asz_be64_store(payload + ASZ_STAMP_TIME, tx_ntp64);
  asz_be16_store(payload + ASZ_STAMP_ERROR, error_estimate);
  asz_be16_store(payload + ASZ_STAMP_SSID, ssid);
}

void asz_tlv_request_write(uint8_t *payload, uint32_t epoch, uint32_t target, const uint8_t validator_id[8], uint64_t nonce,
                           const uint8_t request_key[16]) {
  memset(payload + ASZ_TLV_AT, 0, ASZ_TLV_BYTES);
  payload[ASZ_TLV_AT] = ASZ_TLV_FLAG_UNRECOGNISED;
  payload[ASZ_TLV_AT + TLV_TYPE] = ASZ_TLV_TYPE;
  asz_be16_store(payload + ASZ_TLV_AT + TLV_LENGTH, ASZ_TLV_VALUE_BYTES);
  asz_be32_store(payload + ASZ_TLV_AT_ENTERPRISE, ASZ_TLV_ENTERPRISE);
  payload[ASZ_TLV_AT_VERSION] = ASZ_TLV_VERSION;
  payload[ASZ_TLV_AT_ROLE] = ASZ_TLV_ROLE_REQUEST;
  asz_be32_store(payload + ASZ_TLV_AT_EPOCH, epoch);
  asz_be32_store(payload + ASZ_TLV_AT_TARGET, target);
  memcpy(payload + ASZ_TLV_AT_VALIDATOR, validator_id, ASZ_ID_BYTES);
  asz_be64_store(payload + ASZ_TLV_AT_NONCE, nonce);
  asz_mac_make(payload + ASZ_TLV_AT_MAC, request_key, payload, ASZ_TLV_AT_MAC);
}

int asz_tlv_find(const uint8_t *payload, size_t size_bytes) {
  return size_bytes == ASZ_STAMP_TLV_BYTES && payload[ASZ_TLV_AT + TLV_TYPE] == ASZ_TLV_TYPE &&
         asz_be16_load(payload + ASZ_TLV_AT + TLV_LENGTH) == ASZ_TLV_VALUE_BYTES &&
         asz_be32_load(payload + ASZ_TLV_AT_ENTERPRISE) == ASZ_TLV_ENTERPRISE && payload[ASZ_TLV_AT_VERSION] == ASZ_TLV_VERSION;
}

/* Walks the TLVs of others: flags anew, values untouched. */
static void tlvs_mark_unknown(uint8_t *tlv, size_t rest_bytes) {
  while (rest_bytes > 0) {
    size_t tlv_bytes = ASZ_TLV_HEADER_BYTES;
    if (rest_bytes >= ASZ_TLV_HEADER_BYTES)
      tlv_bytes += asz_be16_load(tlv + TLV_LENGTH);
    tlv[0] = ASZ_TLV_FLAG_UNRECOGNISED;
    if (tlv_bytes > rest_bytes) {
      tlv[0] |= ASZ_TLV_FLAG_MALFORMED;
      return;
    }
    tlv += tlv_bytes;
    rest_bytes -= tlv_bytes;
  }
}

int asz_stamp_reflect(uint8_t *payload, size_t size_bytes, uint64_t t2_ntp64, uint64_t t3_ntp64, uint16_t error_estimate,
                      uint8_t ttl, const struct asz_session *session) {
  if (size_bytes < ASZ_STAMP_BYTES)
    return ASZ_EFORMAT;
  /* The sender's sequence, time and error estimate (14 bytes) first: the reflector's own overwrite them. */
  memcpy(payload + ASZ_STAMP_SENDER_SEQ, payload + ASZ_STAMP_SEQ, ASZ_STAMP_SSID - ASZ_STAMP_SEQ);
  memset(payload + ASZ_STAMP_SENDER_MBZ, 0, ASZ_STAMP_SENDER_TTL - ASZ_STAMP_SENDER_MBZ);
  payload[ASZ_STAMP_SENDER_TTL] = ttl;
  memset(payload + ASZ_STAMP_TTL_MBZ, 0, ASZ_STAMP_BYTES - ASZ_STAMP_TTL_MBZ);
  asz_be64_store(payload + ASZ_STAMP_TIME, t3_ntp64);
  asz_be16_store(payload + ASZ_STAMP_ERROR, error_estimate);
  asz_be64_store(payload + ASZ_STAMP_RX_TIME, t2_ntp64);

  if (session != NULL && asz_tlv_find(payload, size_bytes)) {
    payload[ASZ_TLV_AT] = 0;
    payload[ASZ_TLV_AT_ROLE] = ASZ_TLV_ROLE_REPLY;
    asz_mac_make(payload + ASZ_TLV_AT_MAC, session->reply_key, payload, ASZ_TLV_AT_MAC);
  } else {
    tlvs_mark_unknown(payload + ASZ_STAMP_BYTES, size_bytes - ASZ_STAMP_BYTES);
  }
  return (int)size_bytes;
}
