/* SPDX-License-Identifier: Apache-2.0 */
/* Challenge and answer datagrams, the seed and what is signed. Expected hashes were made with Python's hashlib. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/challenge.h"

static const uint8_t request_key[16] = "request key 16 b", reply_key[16] = "reply key 16 by!";
static const uint8_t provider_id[8] = "provider";

static const uint8_t param_of[ASZ_KIND_MAX + 1] = {
    [ASZ_KIND_SEQ] = 20, [ASZ_KIND_GEMM] = ASZ_GEMM_PRESET_CPU, [ASZ_KIND_MEM] = ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD};
static const size_t body_bytes_of[ASZ_KIND_MAX + 1] = {[ASZ_KIND_SEQ] = 1024, [ASZ_KIND_GEMM] = 32, [ASZ_KIND_MEM] = 64};

static void count_up(uint8_t *ret_bytes, size_t size_bytes, unsigned first) {
  for (size_t i = 0; i < size_bytes; i++)
    ret_bytes[i] = (uint8_t)(first + i);
}

static struct asz_challenge challenge_of(unsigned kind) {
  struct asz_challenge c = {.kind = (uint8_t)kind,
                            .param = param_of[kind],
                            .epoch = 0x01020304,
                            .slot = 0x1122334455667788,
                            .device = 0x0a0b0c0d,
                            .validator_id = {'v', 'a', 'l', 'i', 'd', 'a', 't', 'e'}};
  count_up(c.beacon, sizeof c.beacon, 0x80);
  count_up(c.nonce, sizeof c.nonce, 0xc0);
  return c;
}

static void expect_hex(const uint8_t *bytes, size_t size_bytes, const char *hex) {
  char text[2 * ASZ_SIGNED_BYTES + 1];
  asz_hex_encode(text, bytes, size_bytes);
  cr_assert_str_eq(text, hex);
}

/* Reads a heap copy of exactly this size. */
static int read_challenge(const uint8_t *datagram, size_t size_bytes) {
  struct asz_challenge challenge;
  uint8_t *copy = malloc(size_bytes + 1);
  memcpy(copy + 1, datagram, size_bytes);
  int result = asz_challenge_read(&challenge, copy + 1, size_bytes);
  free(copy);
  return result;
}

static int read_answer(const uint8_t *datagram, size_t size_bytes) {
  struct asz_answer answer;
  uint8_t *copy = malloc(size_bytes + 1);
  memcpy(copy + 1, datagram, size_bytes);
  int result = asz_answer_read(&answer, copy + 1, size_bytes);
  free(copy);
  return result;
}

static size_t write_answer(uint8_t *ret_datagram, unsigned kind) {
  uint8_t body[1024], signature[64];
  struct asz_challenge c = challenge_of(kind);
  count_up(body, sizeof body, 0);
  memset(signature, 'S', sizeof signature);
  return asz_answer_write(ret_datagram, &c, provider_id, body, signature, reply_key);
}

Test(challenge, every_other_size_is_refused)
{
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES + 1] = {0};
  for (unsigned kind = 1; kind <= ASZ_KIND_MAX; kind++) {
    struct asz_challenge c = challenge_of(kind);
    size_t whole = asz_challenge_write(datagram, &c, request_key);
    for (size_t size = 0; size <= sizeof datagram; size++)
      cr_assert_eq(read_challenge(datagram, size), size == whole ? ASZ_OK : ASZ_EFORMAT, "challenge %u of %zu bytes", kind, size);
    cr_assert_eq(write_answer(datagram, kind), whole, "a challenge is as long as its answer");
    for (size_t size = 0; size <= sizeof datagram; size++)
      cr_assert_eq(read_answer(datagram, size), size == whole ? ASZ_OK : ASZ_EFORMAT, "answer %u of %zu bytes", kind, size);
  }
}

Test(challenge, a_padding_byte_that_is_not_zero_is_refused)
{
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES];
  for (unsigned kind = 1; kind <= ASZ_KIND_MAX; kind++) {
    struct asz_challenge c = challenge_of(kind);
    size_t whole = asz_challenge_write(datagram, &c, request_key);
    for (size_t at = ASZ_CHALLENGE_HEAD_BYTES; at < whole; at++) {
      datagram[at] = 1;
      cr_assert_eq(read_challenge(datagram, whole), ASZ_EFORMAT, "kind %u, byte %zu", kind, at);
      datagram[at] = 0;
    }
    cr_assert_eq(read_challenge(datagram, whole), ASZ_OK);
  }
}

/* Written out again, not asked of the code. */
static bool param_may_be(unsigned kind, unsigned param) {
  switch (kind) {
  case ASZ_KIND_SIG:
    return param == 0;
  case ASZ_KIND_SEQ:
    return param >= 5 && param <= 24;
  case ASZ_KIND_GEMM:
    return param >= 1 && param <= 6;
  default:
    return (param >= 1 && param <= 6) || (param >= 0x81 && param <= 0x86);
  }
}

Test(challenge, wrong_magic_version_type_kind_or_param_are_refused)
{
  uint8_t challenge[ASZ_ANSWER_MAX_BYTES], answer[ASZ_ANSWER_MAX_BYTES];
  for (unsigned kind = 1; kind <= ASZ_KIND_MAX; kind++) {
    struct asz_challenge c = challenge_of(kind);
    size_t whole = asz_challenge_write(challenge, &c, request_key);
    cr_assert_eq(write_answer(answer, kind), whole);
    for (size_t at = 0; at < 8; at++)
      for (unsigned value = 0; value < 256; value++) {
        uint8_t before = challenge[at], answer_before = answer[at];
        bool fine = at == 7 && param_may_be(kind, value);
        challenge[at] = answer[at] = (uint8_t)value;
        cr_assert_eq(read_challenge(challenge, whole), value == before || fine ? ASZ_OK : ASZ_EFORMAT, "%u: byte %zu = %u", kind,
                     at, value);
        cr_assert_eq(read_answer(answer, whole), value == answer_before || fine ? ASZ_OK : ASZ_EFORMAT, "%u: byte %zu = %u", kind,
                     at, value);
        challenge[at] = before;
        answer[at] = answer_before;
      }
  }
}

Test(challenge, a_param_is_no_wider_than_a_byte)
{
  for (unsigned kind = 0; kind <= ASZ_KIND_MAX + 1; kind++)
    for (unsigned param = 256; param < 1024; param++)
      cr_assert(!asz_param_valid(kind, param));
  cr_assert(!asz_param_valid(0, 0));
  cr_assert(!asz_param_valid(ASZ_KIND_MAX + 1, 1));
}

Test(challenge, bytes_of_a_challenge)
{
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES], mac[16];
  struct asz_challenge c = challenge_of(ASZ_KIND_SIG);
  memset(datagram, 0xee, sizeof datagram);
  cr_assert_eq(asz_challenge_write(datagram, &c, request_key), 128);
  expect_hex(datagram, 80,
             "41535a43"
             "01010100"
             "01020304"
             "1122334455667788"
             "0a0b0c0d"
             "76616c6964617465"
             "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
             "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf");
  crypto_shorthash_siphashx24(mac, datagram, 80, request_key);
  cr_assert_arr_eq(datagram + 80, mac, 16);
  cr_assert(sodium_is_zero(datagram + 96, 32));
}

Test(challenge, bytes_of_a_challenge_to_fold)
{
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES];
  struct asz_challenge c = challenge_of(ASZ_KIND_MEM);
  memset(datagram, 0xee, sizeof datagram);
  cr_assert_eq(asz_challenge_write(datagram, &c, request_key), 192);
  expect_hex(datagram, 32,
             "41535a43"
             "01010481"
             "01020304"
             "1122334455667788"
             "0a0b0c0d"
             "76616c6964617465");
  cr_assert(sodium_is_zero(datagram + 96, 96));
}

Test(challenge, bytes_of_a_commit)
{
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES], mac[16];
  cr_assert_eq(write_answer(datagram, ASZ_KIND_GEMM), 160);
  expect_hex(datagram, 80,
             "41535a4301020302010203041122334455667788"
             "0a0b0c0d70726f7669646572"
             "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
             "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  crypto_shorthash_siphashx24(mac, datagram, 144, reply_key);
  cr_assert_arr_eq(datagram + 144, mac, 16);
}

Test(challenge, bytes_of_an_answer)
{
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES], mac[16];
  cr_assert_eq(write_answer(datagram, ASZ_KIND_SEQ), 1152);
  expect_hex(datagram, 52,
             "41535a4301020214010203041122334455667788"
             "0a0b0c0d70726f7669646572"
             "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
             "00010203");
  for (int i = 0; i < 64; i++)
    cr_assert_eq(datagram[48 + 1024 + i], 'S');
  crypto_shorthash_siphashx24(mac, datagram, 1136, reply_key);
  cr_assert_arr_eq(datagram + 1136, mac, 16);
}

Test(challenge, what_was_written_is_read)
{
  for (unsigned kind = 1; kind <= ASZ_KIND_MAX; kind++) {
    uint8_t datagram[ASZ_ANSWER_MAX_BYTES];
    struct asz_challenge c = challenge_of(kind), again;
    memset(&again, 0, sizeof again);
    size_t size = asz_challenge_write(datagram, &c, request_key);
    cr_assert_eq(asz_challenge_read(&again, datagram, size), ASZ_OK);
    cr_assert(again.kind == c.kind && again.param == c.param && again.epoch == c.epoch && again.slot == c.slot &&
              again.device == c.device);
    cr_assert_arr_eq(again.validator_id, c.validator_id, 8);
    cr_assert_arr_eq(again.beacon, c.beacon, 32);
    cr_assert_arr_eq(again.nonce, c.nonce, 16);

    struct asz_answer answer;
    size = write_answer(datagram, kind);
    cr_assert_eq(asz_answer_read(&answer, datagram, size), ASZ_OK);
    cr_assert(answer.kind == c.kind && answer.param == c.param && answer.epoch == c.epoch && answer.slot == c.slot &&
              answer.device == c.device);
    cr_assert_eq(answer.provider_id, datagram + 24);
    cr_assert_eq(answer.nonce, datagram + 32);
    cr_assert_eq(answer.body, datagram + 48);
    cr_assert_eq(answer.body_bytes, body_bytes_of[kind]);
    cr_assert_eq(answer.signature, datagram + size - 80);
    cr_assert_eq(answer.mac, datagram + size - 16);
  }
}

Test(challenge, names_and_sizes_of_kinds)
{
  cr_assert_null(asz_kind_name(0));
  cr_assert_null(asz_kind_name(ASZ_KIND_MAX + 1));
  cr_assert_null(asz_kind_name(256 + ASZ_KIND_SIG));
  cr_assert_eq(asz_kind_from_name("SIG"), 0);
  cr_assert_eq(asz_kind_from_name(""), 0);
  cr_assert_eq(asz_answer_bytes(0), 0);
  cr_assert_eq(asz_answer_bytes(ASZ_KIND_MAX + 1), 0);
  cr_assert_eq(asz_answer_bytes(ASZ_KIND_SIG), 128);
  cr_assert_eq(asz_answer_bytes(ASZ_KIND_SEQ), 1152);
  cr_assert_eq(asz_answer_bytes(ASZ_KIND_GEMM), 160);
  cr_assert_eq(asz_answer_bytes(ASZ_KIND_MEM), 192);
  for (unsigned kind = 1; kind <= ASZ_KIND_MAX; kind++) {
    cr_assert_eq(asz_kind_from_name(asz_kind_name(kind)), kind);
    cr_assert_leq(asz_answer_bytes(kind), ASZ_DATAGRAM_MAX_BYTES);
  }
}

Test(challenge, presets)
{
  cr_assert_null(asz_preset_of(0));
  cr_assert_null(asz_preset_of(ASZ_GEMM_PRESET_MAX + 1));
  cr_assert_null(asz_preset_of(ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD));
  cr_assert_null(asz_preset_of(256 + ASZ_GEMM_PRESET_TINY));
  cr_assert_eq(asz_preset_from_name("large"), 0);
  cr_assert_eq(asz_preset_from_name(""), 0);
  cr_assert_eq(asz_mem_arena_bytes(0), 0);
  for (unsigned preset = 1; preset <= ASZ_GEMM_PRESET_MAX; preset++)
    cr_assert_eq(asz_preset_from_name(asz_preset_of(preset)->name), preset);
  const struct asz_preset *tiny = asz_preset_of(ASZ_GEMM_PRESET_TINY);
  cr_assert(tiny->n == 64 && tiny->k == 256 && tiny->m == 64 && tiny->t == 2);
  cr_assert_eq(asz_mem_arena_bytes(ASZ_GEMM_PRESET_TINY), 16384);
  cr_assert_eq(asz_mem_arena_bytes(ASZ_GEMM_PRESET_GPU), UINT64_C(4) << 30);
  cr_assert_eq(asz_mem_arena_bytes(ASZ_GEMM_PRESET_MEM_1G), UINT64_C(1) << 30);
  cr_assert_eq(asz_mem_arena_bytes(ASZ_GEMM_PRESET_MEM_16G), UINT64_C(16) << 30);
  cr_assert_eq(asz_mem_arena_bytes(ASZ_GEMM_PRESET_MEM_64G), UINT64_C(64) << 30);
}

Test(challenge, consent_to_an_arena_covers_smaller_ones_whatever_their_value)
{
  cr_assert(!asz_mem_covers(0, ASZ_GEMM_PRESET_TINY));
  cr_assert(!asz_mem_covers(ASZ_GEMM_PRESET_MEM_64G, 0));
  cr_assert(!asz_mem_covers(ASZ_GEMM_PRESET_MEM_64G, ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD));
  cr_assert(!asz_mem_covers(ASZ_GEMM_PRESET_MEM_1G, ASZ_GEMM_PRESET_GPU), "4 GiB");
  cr_assert(asz_mem_covers(ASZ_GEMM_PRESET_GPU, ASZ_GEMM_PRESET_MEM_1G));
  cr_assert(asz_mem_covers(ASZ_GEMM_PRESET_MEM_16G, ASZ_GEMM_PRESET_MEM_16G));
}

Test(challenge, seed_of_a_fixed_challenge)
{
  uint8_t validator_pk[32], provider_pk[32], seed[32];
  count_up(validator_pk, 32, 0x20);
  count_up(provider_pk, 32, 0x40);
  struct asz_challenge c = challenge_of(ASZ_KIND_SIG);
  asz_challenge_seed(seed, &c, validator_pk, provider_pk);
  expect_hex(seed, 32, "8b79ed6a6135da4e4badc9d09c3fd72b6305af2bcd4809c0f325184e16542ea4");
  c = challenge_of(ASZ_KIND_SEQ);
  asz_challenge_seed(seed, &c, validator_pk, provider_pk);
  expect_hex(seed, 32, "6efc924847cd3da749002d195b67b8db7bbc692202702ac209f595dac85271e4");
  c = challenge_of(ASZ_KIND_GEMM);
  asz_challenge_seed(seed, &c, validator_pk, provider_pk);
  expect_hex(seed, 32, "4461a5714177e01d0ddcab06a91774f9c01324ee819876559b5f77cf918eaa7c");
  c = challenge_of(ASZ_KIND_MEM);
  asz_challenge_seed(seed, &c, validator_pk, provider_pk);
  expect_hex(seed, 32, "04bbc62a3d4a66570967ec6d6773dd9df7a62246dc282f61945ab79d1b0dbf69");
}

Test(challenge, signed_bytes_of_a_fixed_answer)
{
  uint8_t body[64], seed[32], bytes[ASZ_SIGNED_BYTES];
  count_up(body, sizeof body, 0);
  count_up(seed, sizeof seed, 0xa0);
  asz_answer_signed_bytes(bytes, ASZ_KIND_SEQ, 20, 0x01020304, 0x1122334455667788, 0x0a0b0c0d, seed, body, sizeof body);
  expect_hex(bytes, sizeof bytes,
             "617373697a652f312f616e7377657200"
             "0214010203041122334455667788"
             "0a0b0c0d"
             "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
             "10d8e6d534b00939843fe9dcc4dae48cdf008f6b8b2b82b156f5404d874887f5");
  asz_answer_signed_bytes(bytes, ASZ_KIND_SIG, 0, 0x01020304, 0x1122334455667788, 0x0a0b0c0d, seed, NULL, 0);
  expect_hex(bytes + 66, 32, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

Test(challenge, commitment_and_nonce_of_a_fixed_secret)
{
  uint8_t secret[32], provider_pk[32], hash[32], nonce[16];
  count_up(secret, 32, 0);
  count_up(provider_pk, 32, 0x40);
  asz_epoch_commitment(hash, 0x01020304, secret);
  expect_hex(hash, 32, "f700a8803102c4a6c1f3cc416e4170448aa374961105b3b71e8fb89ca9bdf1a5");
  asz_challenge_nonce(nonce, secret, ASZ_KIND_SEQ, 0x1122334455667788, 0x0a0b0c0d, provider_pk);
  expect_hex(nonce, 16, "4e1b89576cdf3ba71d9391a2788ff608");
}

/* Made by python3: hashlib.blake2b(b"assize/1/reveal" + slot.to_bytes(8, "big"), key=bytes(range(1, 33)), digest_size=32). */
Test(challenge, reveal_of_a_fixed_secret)
{
  uint8_t secret[32], rho[32], expected[32];
  for (unsigned i = 0; i < sizeof secret; i++)
    secret[i] = (uint8_t)(i + 1);
  asz_slot_reveal(rho, secret, UINT64_C(0x0102030405060708));
  cr_assert_eq(asz_hex_decode(expected, sizeof expected, "61f14038a3f2c5336bd2e0c6aae587262497610a75b22b48ce6bc850f73472c1"), 0);
  cr_assert_arr_eq(rho, expected, sizeof rho);
}
