/* SPDX-License-Identifier: Apache-2.0 */
/* asz_stamp: the STAMP test packet, unauthenticated mode (RFC 8762 sections 4.2.1 and 4.3.1, with the SSID of RFC 8972
 * section 3), and our TLV (RFC 8972 section 4, private-use type, which must open with an enterprise number).
 *
 * Request (sender), 44 bytes:   0 sequence(4) | 4 timestamp(8) | 12 error estimate(2) | 14 SSID(2) | 16 zero(28)
 * Reply (reflector), 44 bytes:  0 sequence(4) | 4 timestamp T3(8) | 12 error estimate(2) | 14 SSID(2) | 16 receive timestamp
 * T2(8) | 24 sender sequence(4) | 28 sender timestamp(8) | 36 sender error estimate(2) | 38 zero(2) | 40 sender TTL(1) | 41
 * zero(3)
 *
 * Our TLV follows at 44:  0 flags(1) | 1 type 252(1) | 2 length 48(2) | then the value:
 *   4 enterprise number(4) | 8 version 1(1) | 9 role(1): 0 request, 1 reply | 10 zero(2) | 12 epoch(4) | 16 target(4)
 *   | 20 validator short id(8) | 28 nonce(8) | 36 MAC(16)
 * A request with it has 96 bytes, and so has the reply: never an amplifier. Flags: the sender sets U (0x80), a reflector that
 * understands the type clears it. The MAC is asz_mac over bytes 0..80 of the UDP payload, under the session's request or reply
 * key; since the reply repeats nonce, epoch and the sender's time, its MAC binds it to the request.
 *
 * Unknown TLVs of others are tolerated: copied back with U set, a truncated one with M (0x40) set. */
#ifndef ASZ_DATAPLANE_BASE_STAMP_H
#define ASZ_DATAPLANE_BASE_STAMP_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"
#include "dataplane/base/session.h"

enum {
  ASZ_STAMP_PORT = 862,
  ASZ_STAMP_BYTES = 44,
  ASZ_STAMP_SEQ = 0,
  ASZ_STAMP_TIME = 4,
  ASZ_STAMP_ERROR = 12,
  ASZ_STAMP_SSID = 14,
  ASZ_STAMP_RX_TIME = 16,     /* reply only */
  ASZ_STAMP_SENDER_SEQ = 24,  /* reply only */
  ASZ_STAMP_SENDER_TIME = 28, /* reply only */
  ASZ_STAMP_SENDER_ERROR = 36,
  ASZ_STAMP_SENDER_TTL = 40,

  ASZ_TLV_FLAG_UNRECOGNISED = 0x80,
  ASZ_TLV_FLAG_MALFORMED = 0x40,
  ASZ_TLV_FLAG_INTEGRITY = 0x20,
  ASZ_TLV_HEADER_BYTES = 4,
  ASZ_TLV_TYPE = 252,
  ASZ_TLV_ENTERPRISE = 32473, /* RFC 5612's example number, until one is assigned: docs/decisions */
  ASZ_TLV_VALUE_BYTES = 48,
  ASZ_TLV_BYTES = ASZ_TLV_HEADER_BYTES + ASZ_TLV_VALUE_BYTES,
  ASZ_STAMP_TLV_BYTES = ASZ_STAMP_BYTES + ASZ_TLV_BYTES, /* 96 */
  ASZ_TLV_VERSION = 1,
  ASZ_TLV_ROLE_REQUEST = 0,
  ASZ_TLV_ROLE_REPLY = 1,
  /* offsets in the UDP payload */
  ASZ_TLV_AT = 44,
  ASZ_TLV_AT_ENTERPRISE = 48,
  ASZ_TLV_AT_VERSION = 52,
  ASZ_TLV_AT_ROLE = 53,
  ASZ_TLV_AT_EPOCH = 56,
  ASZ_TLV_AT_TARGET = 60,
  ASZ_TLV_AT_VALIDATOR = 64,
  ASZ_TLV_AT_NONCE = 72,
  ASZ_TLV_AT_MAC = 80,
};

/* S (synchronised) 0, Z 0 (NTP format), scale 8, multiplier 1: 2^(8-32) s = 60 ns. What a sender without PTP may honestly say of
 * its own stamp is set by the caller; this is the value of an unsynchronised host clock's resolution (RFC 4656 section 4.1.2). */
enum { ASZ_STAMP_ERROR_UNSYNCHRONISED = 0x0801 };

/* asz_stamp_time: a reflector's time, as an NTP64 time but for a constant: with Z set in its error estimate (RFC 8762 section
 * 4.2.1) it is in PTP's truncated format, whose lower half counts nanoseconds, on another scale. */
enum { ASZ_STAMP_ERROR_PTP = 0x4000 };
static inline uint64_t asz_stamp_time(uint64_t time, uint16_t error_estimate) {
  if ((error_estimate & ASZ_STAMP_ERROR_PTP) == 0)
    return time;
  return (time >> 32 << 32) + ((time & UINT32_MAX) << 32) / 1000000000;
}

/* asz_stamp_request_write: 44 bytes, zeros where the RFC says so. */
void asz_stamp_request_write(uint8_t *payload, uint32_t seq, uint64_t tx_ntp64, uint16_t error_estimate, uint16_t ssid);

/* asz_tlv_request_write: the 52 bytes behind a written request, sealed with the request key. payload has 96 bytes. */
void asz_tlv_request_write(uint8_t *payload, uint32_t epoch, uint32_t target, const uint8_t validator_id[8], uint64_t nonce,
                           const uint8_t request_key[16]);

/* asz_tlv_find: 1 when payload[0..size) is 96 bytes with our TLV (flags ignored) directly behind the base packet and right
 * enterprise number, length and version; else 0. Does not check the MAC. */
ASZ_MUST_CHECK int asz_tlv_find(const uint8_t *payload, size_t size_bytes);

/* asz_stamp_reflect turns a request into the reply in place (sizes are equal), stateless: the reflector's sequence is the
 * sender's. T2 and T3 are the reflector's receive and transmit times (NTP64), ttl is the TTL that the request arrived with.
 * Unknown TLVs are kept with U set. With session != NULL and our TLV present it is answered (role, flags, reply MAC). Returns the
 * reply's size, or ASZ_EFORMAT for a payload under 44 bytes. Shared by assize-responder and the lab's emulator. */
ASZ_MUST_CHECK int asz_stamp_reflect(uint8_t *payload, size_t size_bytes, uint64_t t2_ntp64, uint64_t t3_ntp64,
                                     uint16_t error_estimate, uint8_t ttl, const struct asz_session *session);

#endif
