/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"

enum { BASE = ASZ_STAMP_AUTH_BYTES, CAPACITY = 512, T2 = 0x2222, T3 = 0x3333, TTL = 61, HMAC_TLV = 4 + 16 };

static struct asz_hmac_lanes *lanes;
static struct asz_hmac_key key, other_key;
static uint8_t packet[CAPACITY];

static void packet_make(void) {
  memset(packet, 0, sizeof packet);
  asz_stamp_auth_request_write(packet, 0x01020304, 0x1122334455667788, 0x0801, 0xbeef);
  asz_stamp_auth_seal(lanes, &key, packet);
}

static void setup(void) {
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  asz_hmac_key_set(&key, "shared", 6);
  asz_hmac_key_set(&other_key, "another", 7);
  packet_make();
}

static void teardown(void) {
  asz_hmac_lanes_free(lanes);
}

TestSuite(stamp_auth, .init = setup, .fini = teardown);

static int reflect(size_t size) {
  return asz_stamp_auth_reflect(lanes, &key, packet, size, T2, T3, 0x0a0b, TTL);
}

static void hmac_of(uint8_t tag[16], const void *data, size_t size) {
  const struct asz_hash_part part = {data, size};
  asz_hmac(tag, &key, &part, 1);
}

Test(stamp_auth, request_has_the_layout_of_rfc_8762_section_4_2_2)
{
  uint8_t expected[BASE] = {1, 2, 3, 4, [16] = 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x08, 0x01, 0xbe, 0xef};
  hmac_of(expected + 96, expected, 96);
  cr_assert_arr_eq(packet, expected, BASE);
}

Test(stamp_auth, reply_has_the_layout_of_rfc_8762_section_4_3_2)
{
  uint8_t expected[BASE] = {1, 2, 3,           4,    [22] = 0x33, 0x33, 0x0a, 0x0b, 0xbe, 0xef, [38] = 0x22, 0x22, [48] = 1,  2,
                            3, 4, [64] = 0x11, 0x22, 0x33,        0x44, 0x55, 0x66, 0x77, 0x88, [72] = 8,    1,    [80] = TTL};
  hmac_of(expected + 96, expected, 96);
  cr_assert_eq(reflect(BASE), BASE);
  cr_assert_arr_eq(packet, expected, BASE);
}

Test(stamp_auth, what_must_be_zero_comes_back_zero_whatever_came)
{
  memset(packet + 4, 0xff, 12);
  memset(packet + 28, 0xff, 68);
  asz_stamp_auth_seal(lanes, &key, packet);
  cr_assert_eq(reflect(BASE), BASE);
  static const uint8_t zero[16];
  cr_assert_arr_eq(packet + 4, zero, 12);
  cr_assert_arr_eq(packet + 28, zero, 4);
  cr_assert_arr_eq(packet + 40, zero, 8);
  cr_assert_arr_eq(packet + 52, zero, 12);
  cr_assert_arr_eq(packet + 74, zero, 6);
  cr_assert_arr_eq(packet + 81, zero, 15);
  cr_assert(asz_stamp_auth_verify(lanes, &key, packet));
}

Test(stamp_auth, shorter_than_the_base_packet_is_refused_untouched)
{
  uint8_t before[CAPACITY];
  memcpy(before, packet, sizeof before);
  for (size_t size = 0; size < BASE; size++)
    cr_assert_eq(reflect(size), ASZ_EFORMAT);
  cr_assert_arr_eq(packet, before, CAPACITY);
}

Test(stamp_auth, every_flipped_bit_and_another_key_fail_to_verify)
{
  cr_assert(asz_stamp_auth_verify(lanes, &key, packet));
  cr_assert(!asz_stamp_auth_verify(lanes, &other_key, packet));
  for (unsigned bit = 0; bit < 8 * BASE; bit++) {
    packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
    cr_assert(!asz_stamp_auth_verify(lanes, &key, packet), "bit %u", bit);
    packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
}

Test(stamp_auth, modes_are_told_apart_by_form)
{
  uint8_t plain[ASZ_STAMP_AUTH_BYTES + 20] = {0};
  cr_assert(asz_stamp_auth_find(packet, BASE));
  cr_assert(asz_stamp_auth_find(packet, BASE + 20));
  cr_assert(!asz_stamp_auth_find(packet, BASE - 1));
  cr_assert(!asz_stamp_auth_is_reply(packet));
  asz_stamp_request_write(plain, 1, 0x1122334455667788, 0x0801, 0xbeef);
  cr_assert(!asz_stamp_auth_find(plain, sizeof plain));
  memset(plain, 0, sizeof plain);
  cr_assert(!asz_stamp_auth_find(plain, sizeof plain), "no time in either place");
  cr_assert_eq(reflect(BASE), BASE);
  cr_assert(asz_stamp_auth_is_reply(packet));
}

/* ---- TLVs, RFC 8972 section 4.8 ---- */

static size_t tlv_add(size_t at, uint8_t type, uint16_t length) {
  packet[at] = 0x80;
  packet[at + 1] = type;
  asz_be16_store(packet + at + 2, length);
  memset(packet + at + 4, type, length);
  return at + 4 + length;
}

static void tlv_hmac_write(uint8_t *tag, size_t at) {
  uint8_t text[CAPACITY];
  memcpy(text, packet, 4);
  memcpy(text + 4, packet + BASE, at - BASE);
  hmac_of(tag, text, 4 + at - BASE);
}

static size_t tlv_add_hmac(size_t at) {
  size_t end = tlv_add(at, ASZ_TLV_TYPE_HMAC, 16);
  tlv_hmac_write(packet + at + 4, at);
  return end;
}

Test(stamp_auth, right_hmac_tlv_protects_the_reply_as_well)
{
  size_t second = tlv_add(BASE, 2, 8), hmac = tlv_add(second, 200, 0), end = tlv_add_hmac(hmac);
  uint8_t expected[16];
  cr_assert_eq(reflect(end), (int)end);
  cr_assert_eq(packet[BASE], ASZ_TLV_FLAG_UNRECOGNISED);
  cr_assert_eq(packet[second], ASZ_TLV_FLAG_UNRECOGNISED);
  cr_assert_eq(packet[hmac], 0);
  tlv_hmac_write(expected, hmac);
  cr_assert_arr_eq(packet + hmac + 4, expected, 16, "made anew over the flags that go back");
  cr_assert(asz_stamp_auth_verify(lanes, &key, packet));
}

Test(stamp_auth, padding_may_follow_the_hmac_tlv_and_nothing_else_may)
{
  size_t hmac = tlv_add(BASE, 2, 8), behind = tlv_add_hmac(hmac), end = tlv_add(behind, ASZ_TLV_TYPE_PADDING, 30);
  cr_assert_eq(reflect(end), (int)end);
  cr_assert_eq(packet[hmac], 0);
  cr_assert_eq(packet[behind], 0);
  packet_make();
  hmac = tlv_add(BASE, 2, 8), behind = tlv_add_hmac(hmac), end = tlv_add(behind, 3, 4);
  cr_assert_eq(reflect(end), (int)end);
  cr_assert_eq(packet[BASE], ASZ_TLV_FLAG_INTEGRITY);
  cr_assert_eq(packet[hmac], ASZ_TLV_FLAG_INTEGRITY);
  cr_assert_eq(packet[behind], ASZ_TLV_FLAG_INTEGRITY);
}

Test(stamp_auth, lone_padding_needs_no_hmac_tlv)
{
  size_t end = tlv_add(BASE, ASZ_TLV_TYPE_PADDING, 100);
  cr_assert_eq(reflect(end), (int)end);
  cr_assert_eq(packet[BASE], 0);
}

static void expect_broken(size_t end, size_t count, const size_t *at) {
  uint8_t before[CAPACITY];
  memcpy(before, packet, sizeof before);
  cr_assert_eq(reflect(end), (int)end);
  for (size_t i = 0; i < count; i++) {
    cr_assert_eq(packet[at[i]], ASZ_TLV_FLAG_INTEGRITY, "TLV %zu", i);
    packet[at[i]] = before[at[i]];
  }
  cr_assert_arr_eq(packet + BASE, before + BASE, end - BASE, "values go back as they came");
  cr_assert(asz_stamp_auth_verify(lanes, &key, packet), "the base packet is answered all the same");
}

Test(stamp_auth, missing_hmac_tlv_sets_i_in_every_tlv)
{
  size_t second = tlv_add(BASE, 2, 8), end = tlv_add(second, 3, 4);
  expect_broken(end, 2, (const size_t[]){BASE, second});
}

Test(stamp_auth, every_flipped_bit_under_the_hmac_tlv_sets_i)
{
  size_t hmac = tlv_add(BASE, 2, 8), end = tlv_add_hmac(hmac);
  for (size_t bit = 8 * (BASE + 4); bit < 8 * end; bit++) {
    if (bit / 8 >= hmac && bit / 8 < hmac + 4)
      continue; /* its header: another TLV, or another size */
    packet_make();
    hmac = tlv_add(BASE, 2, 8), end = tlv_add_hmac(hmac);
    packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
    expect_broken(end, 2, (const size_t[]){BASE, hmac});
  }
}

Test(stamp_auth, tlv_that_the_packet_cuts_is_malformed_and_the_rest_goes_back_as_it_came)
{
  for (size_t cut = 1; cut < HMAC_TLV; cut++) {
    packet_make();
    size_t hmac = tlv_add(BASE, 2, 8), end = tlv_add_hmac(hmac) - cut;
    cr_assert_eq(reflect(end), (int)end);
    cr_assert_eq(packet[BASE], ASZ_TLV_FLAG_INTEGRITY, "cut %zu", cut);
    cr_assert_eq(packet[hmac], ASZ_TLV_FLAG_INTEGRITY | ASZ_TLV_FLAG_MALFORMED, "cut %zu", cut);
  }
}
