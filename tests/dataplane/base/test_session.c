/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/base/session.h"
#include "tests/random.h"

static struct asz_identity identity(uint8_t fill) {
  struct asz_identity id;
  uint8_t seed[32];
  memset(seed, fill, sizeof seed);
  asz_identity_from_seed(&id, seed);
  return id;
}

static void count_up(uint8_t *ret_bytes, uint8_t first) {
  for (unsigned i = 0; i < 32; i++)
    ret_bytes[i] = (uint8_t)(first + i);
}

Test(session, small_order_and_broken_peer_keys_are_refused)
{
  static const char *const bad[] = {
      "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
      "0100000000000000000000000000000000000000000000000000000000000000", /* the identity */
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", /* order 8 */
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", /* order 8, other sign */
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", /* order 8, other sign */
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p: 0 spelt differently */
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 1 */
      "0200000000000000000000000000000000000000000000000000000000000000", /* not on the curve */
  };
  struct asz_identity own = identity(1);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    uint8_t peer[32], shared[32], untouched[32];
    cr_assert_eq(asz_hex_decode(peer, 32, bad[i]), ASZ_OK);
    memset(shared, 0x5a, sizeof shared);
    memset(untouched, 0x5a, sizeof untouched);
    cr_assert_eq(asz_session_shared(shared, &own, peer), ASZ_EAUTH, "%s", bad[i]);
    cr_assert_arr_eq(shared, untouched, 32, "%s: outputs stay untouched", bad[i]);
  }
}

Test(session, a_flipped_bit_in_data_key_or_mac_fails_the_check)
{
  uint8_t data[80], key[16] = "sixteen byte key", mac[16];
  memset(data, 7, sizeof data);
  asz_mac_make(mac, key, data, sizeof data);
  cr_assert(asz_mac_check(mac, key, data, sizeof data));
  for (size_t bit = 0; bit < 128; bit++) {
    mac[bit / 8] ^= (uint8_t)(1 << bit % 8);
    cr_assert_not(asz_mac_check(mac, key, data, sizeof data), "bit %zu of the MAC", bit);
    mac[bit / 8] ^= (uint8_t)(1 << bit % 8);
    key[bit / 8] ^= (uint8_t)(1 << bit % 8);
    cr_assert_not(asz_mac_check(mac, key, data, sizeof data), "bit %zu of the key", bit);
    key[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  for (size_t bit = 0; bit < sizeof data * 8; bit++) {
    data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    cr_assert_not(asz_mac_check(mac, key, data, sizeof data), "bit %zu of the data", bit);
    data[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  cr_assert_not(asz_mac_check(mac, key, data, sizeof data - 1));
}

Test(session, both_ends_derive_the_same_keys)
{
  struct asz_test_random random = asz_test_random_start(25519);
  for (int i = 0; i < 50; i++) {
    uint8_t seed[32], at_validator[32], at_provider[32];
    struct asz_identity validator, provider;
    asz_test_random_bytes(&random, seed, 32);
    asz_identity_from_seed(&validator, seed);
    asz_test_random_bytes(&random, seed, 32);
    asz_identity_from_seed(&provider, seed);
    cr_assert_eq(asz_session_shared(at_validator, &validator, provider.public_key), ASZ_OK, "seed %lu", random.seed);
    cr_assert_eq(asz_session_shared(at_provider, &provider, validator.public_key), ASZ_OK, "seed %lu", random.seed);
    cr_assert_arr_eq(at_validator, at_provider, 32, "seed %lu, pair %d", random.seed, i);
  }
}

Test(session, keys_of_a_fixed_input)
{
  uint8_t shared[32], validator_pk[32], provider_pk[32], expected[32];
  struct asz_session s;
  count_up(shared, 0);
  count_up(validator_pk, 0x20);
  count_up(provider_pk, 0x40);
  asz_session_derive(&s, shared, 0x01020304, validator_pk, provider_pk);
  /* hashlib.blake2b(b"assize/1/session" + epoch + validator + provider, key=shared, digest_size=32) */
  cr_assert_eq(asz_hex_decode(expected, 32, "823d196a9ed957292976e9e7bba390d7ec8633eba7b94ed8c9221501849a8548"), ASZ_OK);
  cr_assert_arr_eq(s.request_key, expected, 16);
  cr_assert_arr_eq(s.reply_key, expected + 16, 16);
}

Test(session, epoch_and_roles_change_the_keys)
{
  uint8_t shared[32] = {1}, a[32] = {2}, b[32] = {3};
  struct asz_session first, other;
  asz_session_derive(&first, shared, 1, a, b);
  asz_session_derive(&other, shared, 2, a, b);
  cr_assert_neq(memcmp(&first, &other, sizeof first), 0, "another epoch");
  asz_session_derive(&other, shared, 1, b, a);
  cr_assert_neq(memcmp(&first, &other, sizeof first), 0, "validator and provider swapped");
  cr_assert_neq(memcmp(first.request_key, first.reply_key, 16), 0, "one key a direction");
}

Test(session, mac_is_siphash_2_4_128)
{
  /* First and last vector of the SipHash authors' reference set for 128 bits: key 00..0f, input 00, 01, 02, ... */
  static const uint8_t empty[16] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                    0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
  uint8_t key[32], mac[16];
  count_up(key, 0);
  asz_mac_make(mac, key, "", 0);
  cr_assert_arr_eq(mac, empty, 16);
}

/* X25519 itself is libsodium's; what we rely on is that it gives the public vectors and refuses an all-zero result. */
Test(session, x25519_gives_the_wycheproof_vectors_and_refuses_zero)
{
  const char *directory = getenv("ASSIZE_VECTORS");
  if (directory == NULL)
    cr_skip_test("ASSIZE_VECTORS is not set: the public vectors are not here");
  char path[4096];
  snprintf(path, sizeof path, "%s/x25519_wycheproof.json", directory);
  json_t *root = json_load_file(path, 0, NULL);
  cr_assert_not_null(root, "%s", path);
  size_t group_index, run = 0, refused = 0;
  json_t *group;
  json_array_foreach(json_object_get(root, "testGroups"), group_index, group) {
    size_t index;
    json_t *vector;
    json_array_foreach(json_object_get(group, "tests"), index, vector) {
      uint8_t scalar[32], point[32], expected[32], shared[32];
      int id = (int)json_integer_value(json_object_get(vector, "tcId"));
      cr_assert_eq(asz_hex_decode(scalar, 32, json_string_value(json_object_get(vector, "private"))), ASZ_OK, "tcId %d", id);
      cr_assert_eq(asz_hex_decode(point, 32, json_string_value(json_object_get(vector, "public"))), ASZ_OK, "tcId %d", id);
      cr_assert_eq(asz_hex_decode(expected, 32, json_string_value(json_object_get(vector, "shared"))), ASZ_OK, "tcId %d", id);
      int result = crypto_scalarmult_curve25519(shared, scalar, point);
      if (sodium_is_zero(expected, 32)) {
        cr_assert_neq(result, 0, "tcId %d: an all-zero secret was accepted", id);
        refused++;
      } else {
        cr_assert_eq(result, 0, "tcId %d", id);
        cr_assert_arr_eq(shared, expected, 32, "tcId %d", id);
      }
      run++;
    }
  }
  json_decref(root);
  cr_assert_eq(run, 518, "the file has 518 vectors");
  cr_assert_eq(refused, 31, "31 of them give zero");
}
