/* SPDX-License-Identifier: Apache-2.0 */
/* asz_stamp_auth: the STAMP test packet in authenticated mode (RFC 8762 sections 4.2.2, 4.3.2 and 4.4; SSID: RFC 8972 section 3).
 *
 * Request, 112 bytes:  0 sequence(4) | 4 zero(12) | 16 timestamp(8) | 24 error estimate(2) | 26 SSID(2) | 28 zero(68) | 96
 * HMAC(16) Reply, 112 bytes:    0 sequence(4) | 4 zero(12) | 16 timestamp T3(8) | 24 error estimate(2) | 26 SSID(2) | 28 zero(4)
 *   | 32 receive timestamp T2(8) | 40 zero(8) | 48 sender sequence(4) | 52 zero(12) | 64 sender timestamp(8)
 *   | 72 sender error estimate(2) | 74 zero(6) | 80 sender TTL(1) | 81 zero(15) | 96 HMAC(16)
 * The HMAC is asz_hmac over bytes 0..96. Two independent implementations were compared byte by byte: stamp-suite (packets.rs) and
 * the packet structures of another STAMP sender and reflector in C++ (AuthSenderPacket, AuthReflectorPacket).
 *
 * TLVs may follow at 112 (RFC 8972 section 4). In this mode an HMAC TLV (type 8, section 4.8) must protect them: over the
 * sequence and all TLVs before it, followed by nothing but Extra Padding (type 1). Only a single Extra Padding needs none. The
 * reflector answers when it is right: TLVs that it does not know go back with U set, under a new HMAC. When it is wrong, missing
 * or out of place, the base packet is answered all the same and every TLV goes back as it came, with I (0x20) set. */
#ifndef ASZ_DATAPLANE_BASE_STAMP_AUTH_H
#define ASZ_DATAPLANE_BASE_STAMP_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"
#include "dataplane/base/hmac.h"

enum {
  ASZ_STAMP_AUTH_BYTES = 112,
  ASZ_STAMP_AUTH_SEQ = 0,
  ASZ_STAMP_AUTH_TIME = 16,
  ASZ_STAMP_AUTH_ERROR = 24,
  ASZ_STAMP_AUTH_SSID = 26,
  ASZ_STAMP_AUTH_RX_TIME = 32, /* reply only, as are the next four */
  ASZ_STAMP_AUTH_SENDER_SEQ = 48,
  ASZ_STAMP_AUTH_SENDER_TIME = 64,
  ASZ_STAMP_AUTH_SENDER_ERROR = 72,
  ASZ_STAMP_AUTH_SENDER_TTL = 80,
  ASZ_STAMP_AUTH_HMAC = 96,
  ASZ_TLV_TYPE_PADDING = 1,
  ASZ_TLV_TYPE_HMAC = 8,
};

/* asz_stamp_auth_request_write: 112 bytes, the HMAC zero. */
void asz_stamp_auth_request_write(uint8_t *payload, uint32_t seq, uint64_t tx_ntp64, uint16_t error_estimate, uint16_t ssid);

/* asz_stamp_auth_find: has it the form of an authenticated request? The modes are told apart by what must be zero: bytes 4 to 15
 * in this one, 16 to 43 in the other, where each has its time stamp in the other's zeros. Says nothing of the HMAC. */
ASZ_MUST_CHECK bool asz_stamp_auth_find(const uint8_t *payload, size_t size_bytes);

/* asz_stamp_auth_is_reply: a packet of that form with a receive timestamp, which no request has. Both ways go under one key, so
 * nothing else tells a reply that was sent back from a request. */
ASZ_MUST_CHECK bool asz_stamp_auth_is_reply(const uint8_t *payload);

/* asz_stamp_auth_verify: whether the HMAC of the base packet (112 bytes at least) is right under the key. */
ASZ_MUST_CHECK bool asz_stamp_auth_verify(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *key, const uint8_t *payload);

/* asz_stamp_auth_verify_many: the same for count <= ASZ_HMAC_BURST_MAX packets, side by side, each under its key. */
void asz_stamp_auth_verify_many(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *const *key,
                                const uint8_t *const *payload, bool *ret_right, size_t count);

/* asz_stamp_auth_seal writes the HMAC of the base packet. */
void asz_stamp_auth_seal(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *key, uint8_t *payload);

/* asz_stamp_auth_reflect turns a verified request into the reply in place (sizes are equal), stateless, as asz_stamp_reflect. The
 * caller has verified the base packet's HMAC. Returns the reply's size, or ASZ_EFORMAT for a payload under 112 bytes. Shared by
 * assize-responder and the lab's emulator. */
ASZ_MUST_CHECK int asz_stamp_auth_reflect(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *key, uint8_t *payload,
                                          size_t size_bytes, uint64_t t2_ntp64, uint64_t t3_ntp64, uint16_t error_estimate,
                                          uint8_t ttl);

#endif
