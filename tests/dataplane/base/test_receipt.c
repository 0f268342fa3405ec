/* SPDX-License-Identifier: Apache-2.0 */
/* ASK and RECEIPT. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/receipt.h"
#include "dataplane/base/stamp.h"

static const uint8_t request_key[16] = "request key 16 b", reply_key[16] = "reply key 16 by!";

static const struct asz_ask ask = {.epoch = 0x01020304,
                                   .slot = 0x0506070809,
                                   .device = 0x0a0b0c0d,
                                   .validator_id = {'v', 'a', 'l', 'i', 'd', 'a', 't', 'e'},
                                   .nonce = {0xc0, 0xc1, [15] = 0xcf},
                                   .seq = 0x11223344,
                                   .t1 = 0x5566778899aabbcc};
static const struct asz_receipt receipt = {.epoch = 0x01020304,
                                           .slot = 0x0506070809,
                                           .device = 0x0a0b0c0d,
                                           .provider_id = {'p', 'r', 'o', 'v', 'i', 'd', 'e', 'r'},
                                           .nonce = {0xc0, 0xc1, [15] = 0xcf},
                                           .count = 3,
                                           .before = 0x20,
                                           .root = {0xa0, [31] = 0xaf},
                                           .signature = {0x51, [63] = 0x52},
                                           .index = 2,
                                           .path_count = 1,
                                           .t2 = 0x1112131415161718,
                                           .t3 = 0x2122232425262728,
                                           .path = {{0xb0, [31] = 0xbf}}};

/* Reads a heap copy of exactly this size. */
static int read_copy(const uint8_t *datagram, size_t size_bytes, bool is_ask) {
  struct asz_ask ret_ask;
  struct asz_receipt ret_receipt;
  uint8_t *copy = malloc(size_bytes + 1);
  memcpy(copy + 1, datagram, size_bytes);
  const int result = is_ask ? asz_ask_read(&ret_ask, copy + 1, size_bytes) : asz_receipt_read(&ret_receipt, copy + 1, size_bytes);
  free(copy);
  return result;
}

static void expect_hex(const uint8_t *bytes, size_t size_bytes, const char *hex) {
  char text[2 * ASZ_RECEIPT_BYTES + 1];
  asz_hex_encode(text, bytes, size_bytes);
  cr_assert_str_eq(text, hex);
}

Test(receipt, every_other_size_is_refused)
{
  uint8_t datagram[2 * ASZ_RECEIPT_BYTES] = {0};
  for (int is_ask = 0; is_ask < 2; is_ask++) {
    if (is_ask)
      asz_ask_write(datagram, &ask, request_key);
    else
      asz_receipt_write(datagram, &receipt, reply_key);
    for (size_t size = 0; size <= sizeof datagram; size++)
      cr_assert_eq(read_copy(datagram, size, is_ask), size == ASZ_RECEIPT_BYTES ? ASZ_OK : ASZ_EFORMAT, "%zu bytes", size);
  }
}

Test(receipt, a_byte_that_must_be_fixed_is_refused_otherwise)
{
  uint8_t datagram[ASZ_RECEIPT_BYTES];
  asz_ask_write(datagram, &ask, request_key);
  for (size_t at = 0; at < ASZ_RECEIPT_MAC_AT; at++) {
    const bool fixed = at < 8 || (at >= 52 && at < 56) || at >= 64;
    datagram[at] ^= 0x40;
    cr_assert_eq(read_copy(datagram, sizeof datagram, true), fixed ? ASZ_EFORMAT : ASZ_OK, "ASK, byte %zu", at);
    datagram[at] ^= 0x40;
  }
  asz_receipt_write(datagram, &receipt, reply_key);
  for (size_t at = 0; at < ASZ_RECEIPT_MAC_AT; at++) {
    const bool leaves = (at >= 48 && at < 51) || (at >= 152 && at < 160), fixed = at < 8 || leaves || at >= 176 + 32;
    datagram[at] ^= 0x40;
    cr_assert_eq(read_copy(datagram, sizeof datagram, false), fixed ? ASZ_EFORMAT : ASZ_OK, "RECEIPT, byte %zu", at);
    datagram[at] ^= 0x40;
  }
}

Test(receipt, numbers_out_of_range_are_refused)
{
  const struct {
    unsigned at;
    uint32_t value;
  } wrong[] = {
      {48, ASZ_RECEIPT_LEAVES_MAX + 1}, {48, 2}, {152, 3}, {152, ASZ_RECEIPT_NOT_THERE}, {156, ASZ_RECEIPT_PATH_MAX + 1}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    uint8_t datagram[ASZ_RECEIPT_BYTES];
    asz_receipt_write(datagram, &receipt, reply_key);
    asz_be32_store(datagram + wrong[i].at, wrong[i].value);
    cr_assert_eq(read_copy(datagram, sizeof datagram, false), ASZ_EFORMAT, "%zu", i);
  }
  struct asz_receipt none = receipt, again;
  uint8_t datagram[ASZ_RECEIPT_BYTES];
  none.index = ASZ_RECEIPT_NOT_THERE;
  none.path_count = 0;
  none.t2 = none.t3 = 0;
  asz_receipt_write(datagram, &none, reply_key);
  cr_assert_eq(asz_receipt_read(&again, datagram, sizeof datagram), ASZ_OK);
  cr_assert(again.index == ASZ_RECEIPT_NOT_THERE && again.count == 3);
}

Test(receipt, bytes_of_an_ask)
{
  uint8_t datagram[ASZ_RECEIPT_BYTES], mac[16];
  struct asz_ask again;
  memset(datagram, 0xee, sizeof datagram);
  asz_ask_write(datagram, &ask, request_key);
  expect_hex(datagram, 64,
             "41535a4301070000010203040000000506070809"
             "0a0b0c0d76616c6964617465"
             "c0c100000000000000000000000000cf"
             "11223344000000005566778899aabbcc");
  cr_assert(sodium_is_zero(datagram + 64, 432));
  crypto_shorthash_siphashx24(mac, datagram, 496, request_key);
  cr_assert_arr_eq(datagram + 496, mac, 16);
  cr_assert_eq(asz_ask_read(&again, datagram, sizeof datagram), ASZ_OK);
  cr_assert(again.seq == ask.seq && again.t1 == ask.t1 && again.slot == ask.slot && again.device == ask.device);
}

Test(receipt, bytes_of_a_receipt_and_what_is_signed_of_them)
{
  uint8_t datagram[ASZ_RECEIPT_BYTES], mac[16], signed_bytes[ASZ_RECEIPT_SIGNED_BYTES];
  const uint8_t validator_pk[32] = {0xf0, [31] = 0xff};
  memset(datagram, 0xee, sizeof datagram);
  asz_receipt_write(datagram, &receipt, reply_key);
  expect_hex(datagram, 57,
             "41535a4301080000010203040000000506070809"
             "0a0b0c0d70726f7669646572"
             "c0c100000000000000000000000000cf"
             "0000000300000020"
             "a0");
  cr_assert(datagram[87] == 0xaf && datagram[88] == 0x51 && datagram[151] == 0x52);
  expect_hex(datagram + 152, 25, "000000020000000111121314151617182122232425262728b0");
  cr_assert(datagram[207] == 0xbf && sodium_is_zero(datagram + 208, 288));
  crypto_shorthash_siphashx24(mac, datagram, 496, reply_key);
  cr_assert_arr_eq(datagram + 496, mac, 16);
  asz_receipt_signed_bytes(signed_bytes, &receipt, validator_pk);
  cr_assert_arr_eq(signed_bytes, "assize/1/receipt", 16);
  cr_assert_arr_eq(signed_bytes + 16, datagram + 4, 84);
  cr_assert_arr_eq(signed_bytes + 100, validator_pk, 32);
}

Test(receipt, times_are_those_that_a_reply_carries)
{
  uint8_t payload[ASZ_STAMP_BYTES], leaf[ASZ_RECEIPT_LEAF_BYTES];
  for (unsigned i = 0; i < sizeof payload; i++)
    payload[i] = (uint8_t)i;
  struct asz_reply_times times;
  asz_reply_times_of(&times, payload);
  asz_receipt_leaf(leaf, &times);
  expect_hex(leaf, sizeof leaf,
             "18191a1b"
             "1c1d1e1f20212223"
             "1011121314151617"
             "0405060708090a0b");
}
