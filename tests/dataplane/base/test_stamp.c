/* SPDX-License-Identifier: Apache-2.0 */
/* STAMP. Golden packets are written down row by row from the figures of RFC 8762 section 4 as RFC 8972 section 3 changes them. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/stamp.h"

enum { OURS = ASZ_STAMP_TLV_BYTES };

static const uint64_t t1 = 0xe000000080000000, t2 = 0xe000000080000800, t3 = 0xe000000080001000;
static const uint8_t validator_id[8] = "validate";
static const struct asz_session session = {.request_key = "request key 16 b", .reply_key = "reply key 16 by!"};

/* Session-Sender test packet, unauthenticated mode. */
static const uint8_t golden_request[ASZ_STAMP_BYTES] = {
    0,    0,    0,    7,                         /* Sequence Number */
    0xe0, 0,    0,    0,    0x80, 0, 0, 0,       /* Timestamp */
    0x08, 0x01, 0x12, 0x34,                      /* Error Estimate, SSID */
    0,    0,    0,    0,    0,    0, 0, 0, 0, 0, /* MBZ, 28 octets in all */
};
/* Session-Reflector test packet, unauthenticated mode. */
static const uint8_t golden_reply[ASZ_STAMP_BYTES] = {
    0,    0,    0,    7,                      /* Sequence Number */
    0xe0, 0,    0,    0,    0x80, 0, 0x10, 0, /* Timestamp (T3) */
    0x88, 0x02, 0x12, 0x34,                   /* Error Estimate, SSID */
    0xe0, 0,    0,    0,    0x80, 0, 0x08, 0, /* Receive Timestamp (T2) */
    0,    0,    0,    7,                      /* Session-Sender Sequence Number */
    0xe0, 0,    0,    0,    0x80, 0, 0,    0, /* Session-Sender Timestamp (T1) */
    0x08, 0x01, 0,    0,                      /* Session-Sender Error Estimate, MBZ */
    55,   0,    0,    0,                      /* Ses-Sender TTL, MBZ */
};
/* Our TLV up to its MAC: RFC 8972 section 4's header, then an enterprise number as its private-use types must have. */
static const uint8_t golden_tlv[36] = {
    0x80, 252,  0,    48,                           /* STAMP TLV Flags (U), Type, Length */
    0,    0,    0x7e, 0xd9,                         /* enterprise number 32473 */
    1,    0,    0,    0,                            /* version, role, zero */
    0,    0,    0,    5,                            /* epoch */
    0,    0,    0,    6,                            /* target */
    'v',  'a',  'l',  'i',  'd',  'a',  't',  'e',  /* validator short id */
    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, /* nonce */
};

static void write_ours(uint8_t payload[OURS]) {
  memset(payload, 0xee, OURS);
  asz_stamp_request_write(payload, 7, t1, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0x1234);
  asz_tlv_request_write(payload, 5, 6, validator_id, 0x1122334455667788, session.request_key);
}

static int reflect(uint8_t *payload, size_t size_bytes, const struct asz_session *with) {
  return asz_stamp_reflect(payload, size_bytes, t2, t3, 0x8802, 55, with);
}

/* Expects the TLV area behind a base packet to come back as `expected`. */
static void expect_tlvs(const uint8_t *sent, const uint8_t *expected, size_t size_bytes, const char *what) {
  uint8_t payload[512];
  memcpy(payload, golden_request, ASZ_STAMP_BYTES);
  memcpy(payload + ASZ_STAMP_BYTES, sent, size_bytes);
  cr_assert_eq(reflect(payload, ASZ_STAMP_BYTES + size_bytes, &session), (int)(ASZ_STAMP_BYTES + size_bytes), "%s", what);
  cr_assert_arr_eq(payload, golden_reply, ASZ_STAMP_BYTES, "%s", what);
  cr_assert_arr_eq(payload + ASZ_STAMP_BYTES, expected, size_bytes, "%s", what);
}

Test(stamp, a_payload_under_44_bytes_is_refused_untouched)
{
  for (size_t size = 0; size < ASZ_STAMP_BYTES; size++) {
    uint8_t *payload = malloc(size + 1); /* exact, for the sanitizers */
    memcpy(payload + 1, golden_request, size);
    cr_assert_eq(reflect(payload + 1, size, &session), ASZ_EFORMAT, "%zu bytes", size);
    cr_assert_arr_eq(payload + 1, golden_request, size, "%zu bytes", size);
    free(payload);
  }
}

Test(stamp, our_tlv_is_found_only_when_every_fixed_field_is_right)
{
  uint8_t payload[OURS + 1];
  write_ours(payload);
  cr_assert(asz_tlv_find(payload, OURS));
  for (size_t size = 0; size <= OURS + 1; size++)
    cr_assert_eq(asz_tlv_find(payload, size), size == OURS, "%zu bytes", size);
  for (size_t at = ASZ_TLV_AT; at < OURS; at++) {
    int fixed = (at > ASZ_TLV_AT && at < ASZ_TLV_AT_ROLE);
    payload[at] ^= 0x01;
    cr_assert_eq(asz_tlv_find(payload, OURS), !fixed, "byte %zu", at);
    payload[at] ^= 0x01;
  }
}

Test(stamp, any_flipped_bit_breaks_the_request_mac)
{
  uint8_t payload[OURS];
  write_ours(payload);
  cr_assert(asz_mac_check(payload + ASZ_TLV_AT_MAC, session.request_key, payload, ASZ_TLV_AT_MAC));
  for (size_t bit = 0; bit < OURS * 8; bit++) {
    payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
    cr_assert_not(asz_mac_check(payload + ASZ_TLV_AT_MAC, session.request_key, payload, ASZ_TLV_AT_MAC), "bit %zu", bit);
    payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
}

Test(stamp, a_reply_sent_back_as_a_request_does_not_verify)
{
  uint8_t payload[OURS];
  write_ours(payload);
  cr_assert_eq(reflect(payload, OURS, &session), OURS);
  cr_assert_not(asz_mac_check(payload + ASZ_TLV_AT_MAC, session.request_key, payload, ASZ_TLV_AT_MAC));
}

Test(stamp, request_is_the_golden_packet)
{
  uint8_t payload[ASZ_STAMP_BYTES];
  memset(payload, 0xee, sizeof payload);
  asz_stamp_request_write(payload, 7, t1, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0x1234);
  cr_assert_arr_eq(payload, golden_request, sizeof payload);
}

Test(stamp, reply_is_the_golden_packet)
{
  uint8_t payload[ASZ_STAMP_BYTES];
  memcpy(payload, golden_request, sizeof payload);
  cr_assert_eq(reflect(payload, sizeof payload, NULL), ASZ_STAMP_BYTES);
  cr_assert_arr_eq(payload, golden_reply, sizeof payload);
}

Test(stamp, must_be_zero_is_ignored_on_receipt_and_zeroed_in_the_reply)
{
  uint8_t payload[ASZ_STAMP_BYTES];
  memcpy(payload, golden_request, sizeof payload);
  memset(payload + 16, 0xff, 28);
  cr_assert_eq(reflect(payload, sizeof payload, NULL), ASZ_STAMP_BYTES);
  cr_assert_arr_eq(payload, golden_reply, sizeof payload);
}

Test(stamp, request_with_our_tlv_is_the_golden_packet)
{
  uint8_t payload[OURS], mac[16];
  write_ours(payload);
  cr_assert_arr_eq(payload, golden_request, ASZ_STAMP_BYTES);
  cr_assert_arr_eq(payload + ASZ_STAMP_BYTES, golden_tlv, sizeof golden_tlv);
  crypto_shorthash_siphashx24(mac, payload, 80, session.request_key);
  cr_assert_arr_eq(payload + 80, mac, 16);
}

Test(stamp, reply_to_our_tlv_clears_flags_and_changes_role_and_mac_alone)
{
  uint8_t payload[OURS], expected[OURS];
  write_ours(payload);
  payload[ASZ_TLV_AT] = 0xff; /* whatever flags the sender set */
  cr_assert_eq(reflect(payload, OURS, &session), OURS);
  memcpy(expected, golden_reply, ASZ_STAMP_BYTES);
  memcpy(expected + ASZ_STAMP_BYTES, golden_tlv, sizeof golden_tlv);
  expected[44] = 0; /* flags */
  expected[53] = 1; /* role: reply */
  crypto_shorthash_siphashx24(expected + 80, expected, 80, session.reply_key);
  cr_assert_arr_eq(payload, expected, OURS);
}

Test(stamp, a_reflector_without_a_session_does_not_understand_our_tlv)
{
  uint8_t payload[OURS], sent[OURS];
  write_ours(sent);
  memcpy(payload, sent, OURS);
  cr_assert_eq(reflect(payload, OURS, NULL), OURS);
  cr_assert_arr_eq(payload + ASZ_TLV_AT, sent + ASZ_TLV_AT, ASZ_TLV_BYTES, "U stays, the rest too");
}

Test(stamp, unknown_tlvs_come_back_with_u_and_no_other_flag)
{
  static const uint8_t sent[] = {0x00, 1, 0, 4, 'p', 'a', 'd', '!', 0xff, 252, 0, 4, 0, 0, 0, 9, 0x60, 250, 0, 0};
  static const uint8_t back[] = {0x80, 1, 0, 4, 'p', 'a', 'd', '!', 0x80, 252, 0, 4, 0, 0, 0, 9, 0x80, 250, 0, 0};
  expect_tlvs(sent, back, sizeof sent, "three TLVs");
}

Test(stamp, a_truncated_tlv_comes_back_malformed_and_ends_the_walk)
{
  static const uint8_t sent[] = {0x80, 1, 0, 1, 'x', 0x80, 9, 0, 5, 0x20, 1, 0, 0};
  static const uint8_t back[] = {0x80, 1, 0, 1, 'x', 0xc0, 9, 0, 5, 0x20, 1, 0, 0};
  expect_tlvs(sent, back, sizeof sent, "one byte is missing");
  static const uint8_t huge[] = {0x80, 1, 0xff, 0xff}, huge_back[] = {0xc0, 1, 0xff, 0xff};
  expect_tlvs(huge, huge_back, sizeof huge, "length 65535");
}

Test(stamp, a_tail_shorter_than_a_tlv_header_is_malformed)
{
  static const uint8_t sent[3] = {0x00, 0x00, 0x07}, back[3] = {0xc0, 0x00, 0x07};
  for (size_t size = 1; size <= 3; size++)
    expect_tlvs(sent, back, size, "tail of one to three bytes");
}

Test(stamp, every_truncation_of_our_packet_is_answered_in_its_own_size)
{
  uint8_t sent[OURS];
  write_ours(sent);
  for (size_t size = ASZ_STAMP_BYTES; size < OURS; size++) {
    uint8_t *payload = malloc(size);
    memcpy(payload, sent, size);
    cr_assert_eq(reflect(payload, size, &session), (int)size);
    cr_assert_arr_eq(payload, golden_reply, ASZ_STAMP_BYTES, "%zu bytes", size);
    if (size > ASZ_STAMP_BYTES)
      cr_assert_eq(payload[ASZ_TLV_AT], ASZ_TLV_FLAG_UNRECOGNISED | ASZ_TLV_FLAG_MALFORMED, "%zu bytes", size);
    free(payload);
  }
}
