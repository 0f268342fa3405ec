/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/identity.h"

static void expect_hash(const void *key, size_t key_bytes, const struct asz_hash_part *parts, size_t count, const char *hex) {
  uint8_t hash[32];
  char text[65];
  asz_hash(hash, key, key_bytes, parts, count);
  asz_hex_encode(text, hash, sizeof hash);
  cr_assert_str_eq(text, hex);
}

/* Expected values from Python's hashlib.blake2b(..., digest_size=32). */
Test(hash, parts_are_concatenated)
{
  const char *abc = "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";
  expect_hash(NULL, 0, (struct asz_hash_part[]){ASZ_HASH_TEXT("abc")}, 1, abc);
  expect_hash(NULL, 0, (struct asz_hash_part[]){ASZ_HASH_TEXT("a"), {"", 0}, {"bc", 2}}, 3, abc);
  expect_hash(NULL, 0, NULL, 0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

Test(hash, a_key_of_any_length_changes_the_hash)
{
  uint8_t key[64], hash[65][32];
  memset(key, 7, sizeof key);
  for (size_t size = 0; size <= sizeof key; size++) {
    asz_hash(hash[size], key, size, (struct asz_hash_part[]){ASZ_HASH_TEXT("abc")}, 1);
    for (size_t other = 0; other < size; other++)
      cr_assert_neq(memcmp(hash[size], hash[other], 32), 0, "keys of %zu and %zu bytes", size, other);
  }
}

Test(bytes, stores_are_big_endian_at_any_address)
{
  uint8_t at[16] = {0};
  asz_be16_store(at + 1, 0x0102);
  asz_be32_store(at + 3, 0x03040506);
  asz_be64_store(at + 7, 0x0708090a0b0c0d0e);
  for (unsigned i = 0; i < 15; i++)
    cr_assert_eq(at[i], i);
  cr_assert_eq(asz_be16_load(at + 1), 0x0102);
  cr_assert_eq(asz_be32_load(at + 3), 0x03040506);
  cr_assert_eq(asz_be64_load(at + 7), UINT64_C(0x0708090a0b0c0d0e));
}
