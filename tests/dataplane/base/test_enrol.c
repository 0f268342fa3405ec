/* SPDX-License-Identifier: Apache-2.0 */
/* HELLO and WELCOME. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/enrol.h"

static const uint8_t request_key[16] = "request key 16 b", reply_key[16] = "reply key 16 by!";

static const struct asz_hello hello = {.epoch = 0x01020304,
                                       .device = 0x0a0b0c0d,
                                       .validator_id = {'v', 'a', 'l', 'i', 'd', 'a', 't', 'e'},
                                       .nonce = {0xc0, 0xc1, [15] = 0xcf}};
static const struct asz_welcome welcome = {
    .epoch = 0x01020304,
    .device = 0x0a0b0c0d,
    .provider_id = {'p', 'r', 'o', 'v', 'i', 'd', 'e', 'r'},
    .nonce = {0xc0, 0xc1, [15] = 0xcf},
    .token = {0xd0, [15] = 0xdf},
    .declaration = {.consent = 1u << ASZ_KIND_SIG | 1u << ASZ_KIND_SEQ | 1u << ASZ_KIND_GEMM | 1u << ASZ_KIND_MEM,
                    .devices = 0x10203,
                    .seq_log2_max = 20,
                    .gemm_preset_max = ASZ_GEMM_PRESET_CPU,
                    .mem_preset = ASZ_GEMM_PRESET_TINY,
                    .free_bytes = 0x1122334455667788,
                    .bandwidth_bytes_ps = 0x99aabbccddeeff00},
    .signature = {0x51, [63] = 0x52},
};

/* Reads a heap copy of exactly this size. */
static int read_copy(const uint8_t *datagram, size_t size_bytes, bool is_hello) {
  struct asz_hello ret_hello;
  struct asz_welcome ret_welcome;
  uint8_t *copy = malloc(size_bytes + 1);
  memcpy(copy + 1, datagram, size_bytes);
  const int result =
      is_hello ? asz_hello_read(&ret_hello, copy + 1, size_bytes) : asz_welcome_read(&ret_welcome, copy + 1, size_bytes);
  free(copy);
  return result;
}

static void expect_hex(const uint8_t *bytes, size_t size_bytes, const char *hex) {
  char text[2 * ASZ_ENROL_BYTES + 1];
  asz_hex_encode(text, bytes, size_bytes);
  cr_assert_str_eq(text, hex);
}

Test(enrol, every_other_size_is_refused)
{
  uint8_t datagram[2 * ASZ_ENROL_BYTES] = {0};
  for (int is_hello = 0; is_hello < 2; is_hello++) {
    if (is_hello)
      asz_hello_write(datagram, &hello, request_key);
    else
      asz_welcome_write(datagram, &welcome, reply_key);
    for (size_t size = 0; size <= sizeof datagram; size++)
      cr_assert_eq(read_copy(datagram, size, is_hello), size == ASZ_ENROL_BYTES ? ASZ_OK : ASZ_EFORMAT, "%zu bytes", size);
  }
}

Test(enrol, a_byte_that_must_be_fixed_is_refused_otherwise)
{
  uint8_t datagram[ASZ_ENROL_BYTES];
  asz_hello_write(datagram, &hello, request_key);
  for (size_t at = 0; at < ASZ_ENROL_MAC_AT; at++) {
    const bool fixed = at < 8 || (at >= 12 && at < 20) || at >= 48;
    datagram[at] ^= 0x40;
    cr_assert_eq(read_copy(datagram, sizeof datagram, true), fixed ? ASZ_EFORMAT : ASZ_OK, "HELLO, byte %zu", at);
    datagram[at] ^= 0x40;
  }
  asz_welcome_write(datagram, &welcome, reply_key);
  for (size_t at = 0; at < ASZ_ENROL_MAC_AT; at++) {
    const bool fixed = at < 8 || (at >= 12 && at < 20) || (at >= 64 && at < 68) || (at >= 72 && at < 80);
    datagram[at] ^= 0x40;
    cr_assert_eq(read_copy(datagram, sizeof datagram, false), fixed ? ASZ_EFORMAT : ASZ_OK, "WELCOME, byte %zu", at);
    datagram[at] ^= 0x40;
  }
}

Test(enrol, what_is_not_consented_to_has_no_size)
{
  struct asz_declaration d = welcome.declaration;
  cr_assert(asz_declaration_valid(&d));
  for (unsigned kind = ASZ_KIND_SEQ; kind <= ASZ_KIND_MAX; kind++) {
    d = welcome.declaration;
    d.consent &= ~(1u << kind);
    cr_assert(!asz_declaration_valid(&d), "kind %u", kind);
  }
  d = (struct asz_declaration){.devices = 1};
  cr_assert(asz_declaration_valid(&d), "consent to nothing");
  d.devices = 0;
  cr_assert(!asz_declaration_valid(&d));
  for (unsigned kind = ASZ_KIND_SEQ; kind <= ASZ_KIND_MAX; kind++) {
    d = (struct asz_declaration){.devices = 1, .consent = 1u << kind};
    cr_assert(!asz_declaration_valid(&d), "kind %u without a size", kind);
  }
  d = (struct asz_declaration){.devices = 1, .consent = 1u << (ASZ_KIND_MAX + 1)};
  cr_assert(!asz_declaration_valid(&d), "a kind that there is not");
  d = (struct asz_declaration){.devices = 1, .consent = 1};
  cr_assert(!asz_declaration_valid(&d), "nor kind 0");
  d = welcome.declaration;
  d.mem_preset |= ASZ_MEM_FOLD;
  cr_assert(!asz_declaration_valid(&d));
}

Test(enrol, bytes_of_a_hello)
{
  uint8_t datagram[ASZ_ENROL_BYTES], mac[16];
  memset(datagram, 0xee, sizeof datagram);
  asz_hello_write(datagram, &hello, request_key);
  expect_hex(datagram, 48,
             "41535a4301030000010203040000000000000000"
             "0a0b0c0d76616c6964617465"
             "c0c100000000000000000000000000cf");
  cr_assert(sodium_is_zero(datagram + 48, 112));
  crypto_shorthash_siphashx24(mac, datagram, 160, request_key);
  cr_assert_arr_eq(datagram + 160, mac, 16);
}

Test(enrol, bytes_of_a_welcome)
{
  uint8_t datagram[ASZ_ENROL_BYTES], mac[16];
  memset(datagram, 0xee, sizeof datagram);
  asz_welcome_write(datagram, &welcome, reply_key);
  expect_hex(datagram, 97,
             "41535a4301040000010203040000000000000000"
             "0a0b0c0d70726f7669646572"
             "c0c100000000000000000000000000cf"
             "d00000000000000000000000000000df"
             "0000001e"
             "00010203"
             "1402010000000000"
             "1122334455667788"
             "99aabbccddeeff00"
             "51");
  cr_assert_eq(datagram[159], 0x52);
  crypto_shorthash_siphashx24(mac, datagram, 160, reply_key);
  cr_assert_arr_eq(datagram + 160, mac, 16);
}

Test(enrol, what_was_written_is_read)
{
  uint8_t datagram[ASZ_ENROL_BYTES], again[ASZ_ENROL_BYTES];
  struct asz_hello ret_hello;
  struct asz_welcome ret_welcome;
  asz_hello_write(datagram, &hello, request_key);
  cr_assert_eq(asz_hello_read(&ret_hello, datagram, sizeof datagram), ASZ_OK);
  asz_hello_write(again, &ret_hello, request_key);
  cr_assert_arr_eq(again, datagram, sizeof again);
  asz_welcome_write(datagram, &welcome, reply_key);
  cr_assert_eq(asz_welcome_read(&ret_welcome, datagram, sizeof datagram), ASZ_OK);
  asz_welcome_write(again, &ret_welcome, reply_key);
  cr_assert_arr_eq(again, datagram, sizeof again);
}

Test(enrol, the_signature_covers_the_declaration_and_not_the_token)
{
  uint8_t validator_pk[32], bytes[ASZ_ENROL_SIGNED_BYTES], other[ASZ_ENROL_SIGNED_BYTES];
  memset(validator_pk, 0x77, sizeof validator_pk);
  asz_welcome_signed_bytes(bytes, &welcome, validator_pk);
  expect_hex(bytes, sizeof bytes,
             "617373697a652f312f656e726f6c6d74"
             "01040000010203040000000000000000"
             "0a0b0c0d70726f7669646572"
             "c0c100000000000000000000000000cf"
             "0000001e"
             "00010203"
             "1402010000000000"
             "1122334455667788"
             "99aabbccddeeff00"
             "7777777777777777777777777777777777777777777777777777777777777777");
  struct asz_welcome changed = welcome;
  changed.token[3] ^= 1;
  changed.signature[3] ^= 1;
  asz_welcome_signed_bytes(other, &changed, validator_pk);
  cr_assert_arr_eq(other, bytes, sizeof bytes);
  changed = welcome;
  changed.declaration.free_bytes ^= 1;
  asz_welcome_signed_bytes(other, &changed, validator_pk);
  cr_assert_neq(memcmp(other, bytes, sizeof bytes), 0);
}
