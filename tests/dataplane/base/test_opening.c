/* SPDX-License-Identifier: Apache-2.0 */
/* OPEN, OPENING and the reassembly of chunks. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/opening.h"
#include "tests/random.h"

static const uint8_t request_key[16] = "request key 16 b", reply_key[16] = "reply key 16 by!";
static const uint8_t provider_id[8] = "provider";

static struct asz_open open_of(unsigned kind, unsigned param, unsigned openings) {
  struct asz_open open = {.kind = (uint8_t)kind,
                          .param = (uint8_t)param,
                          .openings = (uint8_t)openings,
                          .first_chunk = 0,
                          .chunk_count = 2,
                          .epoch = 0x01020304,
                          .device = 0x0a0b0c0d,
                          .slot = 0x1122334455667788,
                          .validator_id = {'v', 'a', 'l', 'i', 'd', 'a', 't', 'e'}};
  for (unsigned i = 0; i < 32; i++)
    open.rho[i] = (uint8_t)(0x80 + i);
  for (unsigned i = 0; i < 16; i++)
    open.nonce[i] = (uint8_t)(0xc0 + i), open.token[i] = (uint8_t)(0xd0 + i);
  return open;
}

/* Reads a heap copy of exactly this size. */
static int read_open(const uint8_t *datagram, size_t size_bytes) {
  struct asz_open open;
  uint8_t *copy = malloc(size_bytes + 1);
  memcpy(copy + 1, datagram, size_bytes);
  const int result = asz_open_read(&open, copy + 1, size_bytes);
  free(copy);
  return result;
}

static int read_opening(const uint8_t *datagram, size_t size_bytes) {
  struct asz_opening_chunk chunk;
  uint8_t *copy = malloc(size_bytes + 1);
  memcpy(copy + 1, datagram, size_bytes);
  const int result = asz_opening_read(&chunk, copy + 1, size_bytes);
  free(copy);
  return result;
}

static void expect_hex(const uint8_t *bytes, size_t size_bytes, const char *hex) {
  char text[2 * ASZ_OPEN_BYTES + 1];
  asz_hex_encode(text, bytes, size_bytes);
  cr_assert_str_eq(text, hex);
}

Test(opening, sizes)
{
  cr_assert_eq(asz_opening_bytes(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY), 72 + 4 * 64 + 32 * (6 + 1 + 1));
  cr_assert_eq(asz_opening_bytes(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY), asz_opening_bytes(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY));
  cr_assert_eq(asz_opening_bytes(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD), 72 + 256 + 256 + 512 + 32);
  cr_assert_eq(asz_opening_bytes(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_GPU), 72 + 4096 + 32 * (13 + 8 + 8));
  cr_assert_eq(asz_opening_bytes(ASZ_KIND_MEM, ASZ_GEMM_PRESET_GPU | ASZ_MEM_FOLD), 72 + 4096 + 32 * 29 + 512 + 32 * 15);
  cr_assert_eq(asz_opening_bytes(ASZ_KIND_SEQ, 20), 0);
  cr_assert_eq(asz_opening_bytes(ASZ_KIND_GEMM, 0), 0);
  cr_assert_eq(asz_opening_bytes(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD), 0);
  cr_assert_eq(asz_opening_total_bytes(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 0), 0);
  cr_assert_eq(asz_opening_total_bytes(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 33), 0);
  cr_assert_eq(asz_opening_total_bytes(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 2), 2 * 584 + 64);
  cr_assert_eq(asz_opening_chunks(1), 1);
  cr_assert_eq(asz_opening_chunks(ASZ_CHUNK_BYTES), 1);
  cr_assert_eq(asz_opening_chunks(ASZ_CHUNK_BYTES + 1), 2);
}

Test(opening, every_other_size_of_an_open_is_refused)
{
  uint8_t datagram[2 * ASZ_OPEN_BYTES] = {0};
  const struct asz_open open = open_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 4);
  asz_open_write(datagram, &open, request_key);
  for (size_t size = 0; size <= sizeof datagram; size++)
    cr_assert_eq(read_open(datagram, size), size == ASZ_OPEN_BYTES ? ASZ_OK : ASZ_EFORMAT, "%zu bytes", size);
}

Test(opening, an_open_for_what_there_is_not_is_refused)
{
  uint8_t datagram[ASZ_OPEN_BYTES];
  const struct asz_open open = open_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 4); /* 2,400 bytes: 3 chunks */
  asz_open_write(datagram, &open, request_key);
  for (unsigned value = 0; value < 256; value++) {
    datagram[6] = (uint8_t)value;
    cr_assert_eq(read_open(datagram, sizeof datagram), value == ASZ_KIND_GEMM || value == ASZ_KIND_MEM ? ASZ_OK : ASZ_EFORMAT);
    datagram[6] = ASZ_KIND_GEMM;
    datagram[97] = (uint8_t)value;
    cr_assert_eq(read_open(datagram, sizeof datagram), value < 3 ? ASZ_OK : ASZ_EFORMAT, "first chunk %u", value);
    datagram[97] = 0;
    datagram[99] = (uint8_t)value;
    cr_assert_eq(read_open(datagram, sizeof datagram), value >= 1 && value <= 32 ? ASZ_OK : ASZ_EFORMAT, "%u chunks", value);
    datagram[99] = 2;
    datagram[100] = (uint8_t)value;
    cr_assert_eq(read_open(datagram, sizeof datagram), value >= 1 && value <= 32 ? ASZ_OK : ASZ_EFORMAT, "%u openings", value);
    datagram[100] = 4;
  }
  datagram[96] = 1;
  cr_assert_eq(read_open(datagram, sizeof datagram), ASZ_EFORMAT, "chunk 256");
  datagram[96] = 0;
  for (size_t at = 101; at < 112; at++) {
    datagram[at] = 1;
    cr_assert_eq(read_open(datagram, sizeof datagram), ASZ_EFORMAT, "byte %zu", at);
    datagram[at] = 0;
  }
  cr_assert_eq(read_open(datagram, sizeof datagram), ASZ_OK);
}

Test(opening, bytes_of_an_open)
{
  uint8_t datagram[ASZ_OPEN_BYTES], mac[16];
  struct asz_open open = open_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD, 32), again;
  open.first_chunk = 0x1e;
  memset(datagram, 0xee, sizeof datagram);
  asz_open_write(datagram, &open, request_key);
  expect_hex(datagram, 112,
             "41535a4301050481"
             "01020304"
             "1122334455667788"
             "0a0b0c0d"
             "76616c6964617465"
             "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
             "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
             "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
             "001e0002"
             "200000000000000000000000");
  crypto_shorthash_siphashx24(mac, datagram, 112, request_key);
  cr_assert_arr_eq(datagram + 112, mac, 16);
  cr_assert_eq(asz_open_read(&again, datagram, sizeof datagram), ASZ_OK);
  uint8_t other[ASZ_OPEN_BYTES];
  asz_open_write(other, &again, request_key);
  cr_assert_arr_eq(other, datagram, sizeof other);
}

Test(opening, bytes_of_the_last_chunk)
{
  uint8_t blob[2 * 584 + 64], datagram[ASZ_DATAGRAM_MAX_BYTES], mac[16];
  for (size_t i = 0; i < sizeof blob; i++)
    blob[i] = (uint8_t)(i % 251);
  const struct asz_open open = open_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 2);
  cr_assert_eq(asz_opening_write(datagram, &open, provider_id, blob, 1, reply_key), 56 + 128 + 16);
  expect_hex(datagram, 60,
             "41535a4301060301"
             "01020304"
             "1122334455667788"
             "0a0b0c0d"
             "70726f7669646572"
             "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
             "00010002"
             "000004d0"
             "64656667");
  crypto_shorthash_siphashx24(mac, datagram, 184, reply_key);
  cr_assert_arr_eq(datagram + 184, mac, 16);
  cr_assert_eq(asz_opening_write(datagram, &open, provider_id, blob, 0, reply_key), 1176);
  struct asz_opening_chunk chunk;
  cr_assert_eq(asz_opening_read(&chunk, datagram, 1176), ASZ_OK);
  cr_assert(asz_opening_answers(&chunk, &open));
  cr_assert_arr_eq(chunk.data, blob, ASZ_CHUNK_BYTES);
  cr_assert_eq(chunk.mac, datagram + 1160);
  for (unsigned field = 0; field < 5; field++) {
    struct asz_open other = open;
    other.kind ^= field == 0 ? ASZ_KIND_GEMM ^ ASZ_KIND_MEM : 0;
    other.epoch ^= field == 1;
    other.slot ^= field == 2;
    other.nonce[15] ^= field == 3;
    other.openings = field == 4 ? 3 : other.openings;
    cr_assert(!asz_opening_answers(&chunk, &other), "field %u", field);
  }
}

Test(opening, a_chunk_of_another_size_or_with_other_numbers_is_refused)
{
  uint8_t blob[2 * 584 + 64] = {0}, datagram[ASZ_DATAGRAM_MAX_BYTES] = {0};
  const struct asz_open open = open_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 2);
  for (unsigned chunk = 0; chunk < 2; chunk++) {
    const size_t whole = asz_opening_write(datagram, &open, provider_id, blob, chunk, reply_key);
    for (size_t size = 0; size <= sizeof datagram; size++)
      cr_assert_eq(read_opening(datagram, size), size == whole ? ASZ_OK : ASZ_EFORMAT, "chunk %u, %zu bytes", chunk, size);
    for (size_t at = 48; at < 56; at++)
      for (unsigned bit = 0; bit < 8; bit++) {
        datagram[at] ^= (uint8_t)(1u << bit);
        cr_assert_eq(read_opening(datagram, whole), ASZ_EFORMAT, "chunk %u, byte %zu bit %u", chunk, at, bit);
        datagram[at] ^= (uint8_t)(1u << bit);
      }
  }
}

Test(opening, signed_bytes_of_a_fixed_opening)
{
  uint8_t seed[32], body[32], openings[100], bytes[ASZ_SIGNED_BYTES];
  for (unsigned i = 0; i < sizeof openings; i++) {
    openings[i] = (uint8_t)(i + 3);
    if (i < 32)
      seed[i] = (uint8_t)(0xa0 + i), body[i] = (uint8_t)(0x40 + i);
  }
  const struct asz_open open = open_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_CPU, 5);
  asz_opening_signed_bytes(bytes, &open, seed, body, sizeof body, openings, sizeof openings);
  expect_hex(bytes, sizeof bytes,
             "617373697a652f312f6f70656e696e67"
             "0302010203041122334455667788"
             "0a0b0c0d"
             "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
             "25a1507a147c2ddaad7c6e9de5e0dd1529edd4378925a1e6ba2a94c6f13034c5");
}

Test(opening, chunks_in_any_order_any_number_of_times_become_the_blob)
{
  struct asz_test_random random = asz_test_random_start(7);
  for (unsigned round = 0; round < 20; round++) {
    const unsigned openings = 1 + (unsigned)(asz_test_random_next(&random) % ASZ_OPENINGS_MAX);
    const struct asz_open open = open_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_GPU | ASZ_MEM_FOLD, openings);
    const size_t total = asz_opening_total_bytes(open.kind, open.param, openings);
    uint8_t *blob = malloc(total), *got = malloc(total), datagram[ASZ_DATAGRAM_MAX_BYTES];
    asz_test_random_bytes(&random, blob, total);
    struct asz_reassembly reassembly;
    asz_reassembly_init(&reassembly, got, &open);
    const unsigned chunks = asz_opening_chunks(total);
    cr_assert_eq(reassembly.chunks, chunks);
    unsigned added = 0;
    while (!asz_reassembly_complete(&reassembly)) {
      struct asz_opening_chunk chunk;
      const unsigned number = (unsigned)(asz_test_random_next(&random) % chunks);
      const size_t size = asz_opening_write(datagram, &open, provider_id, blob, number, reply_key);
      cr_assert_eq(asz_opening_read(&chunk, datagram, size), ASZ_OK);
      const int result = asz_reassembly_add(&reassembly, &chunk);
      cr_assert(result == ASZ_OK || result == ASZ_EEXIST);
      added += result == ASZ_OK;
    }
    cr_assert_eq(added, chunks);
    cr_assert_eq(memcmp(got, blob, total), 0, "seed %llu", (unsigned long long)random.seed);
    free(blob);
    free(got);
  }
}

Test(opening, a_second_copy_and_a_chunk_of_another_blob_change_nothing)
{
  uint8_t blob[4 * 584 + 64] = {1}, other[4 * 584 + 64] = {2}, got[2 * 584 + 64], datagram[ASZ_DATAGRAM_MAX_BYTES];
  const struct asz_open two = open_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 2),
                        four = open_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 4);
  struct asz_reassembly reassembly;
  struct asz_opening_chunk chunk;
  asz_reassembly_init(&reassembly, got, &two);
  cr_assert_eq(asz_opening_read(&chunk, datagram, asz_opening_write(datagram, &four, provider_id, blob, 2, reply_key)), ASZ_OK);
  cr_assert_eq(asz_reassembly_add(&reassembly, &chunk), ASZ_EFORMAT, "past the end of what was asked");
  cr_assert_eq(asz_opening_read(&chunk, datagram, asz_opening_write(datagram, &two, provider_id, blob, 0, reply_key)), ASZ_OK);
  cr_assert_eq(asz_reassembly_add(&reassembly, &chunk), ASZ_OK);
  cr_assert_eq(asz_opening_read(&chunk, datagram, asz_opening_write(datagram, &two, provider_id, other, 0, reply_key)), ASZ_OK);
  cr_assert_eq(asz_reassembly_add(&reassembly, &chunk), ASZ_EEXIST);
  cr_assert_eq(got[0], 1, "the first copy stays");
  cr_assert(!asz_reassembly_complete(&reassembly));
}

Test(opening, what_is_missing_is_asked_for_in_runs)
{
  const struct asz_open open = open_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_GPU, 10); /* 51,024 bytes: 47 chunks */
  uint8_t *got = malloc(asz_opening_total_bytes(open.kind, open.param, open.openings));
  struct asz_reassembly reassembly;
  uint16_t first = 0;
  asz_reassembly_init(&reassembly, got, &open);
  cr_assert_eq(reassembly.chunks, 47);
  cr_assert_eq(asz_reassembly_missing(&reassembly, 0, &first), 32);
  cr_assert_eq(first, 0);
  cr_assert_eq(asz_reassembly_missing(&reassembly, 32, &first), 15);
  cr_assert_eq(first, 32);
  reassembly.have[0] = ~UINT64_C(0) & ~(UINT64_C(7) << 20);
  cr_assert_eq(asz_reassembly_missing(&reassembly, 0, &first), 3);
  cr_assert_eq(first, 20);
  cr_assert_eq(asz_reassembly_missing(&reassembly, 23, &first), 0);
  free(got);
}
