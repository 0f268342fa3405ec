/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/cookie.h"
#include "dataplane/base/identity.h"
#include "tests/random.h"

static uint64_t reference(const struct asz_cookie_key *key, uint32_t target, uint32_t seq, uint64_t tx_time) {
  uint8_t input[16], key_bytes[16];
  uint64_t cookie;
  memcpy(input, &target, 4);
  memcpy(input + 4, &seq, 4);
  memcpy(input + 8, &tx_time, 8);
  memcpy(key_bytes, &key->k0, 8);
  memcpy(key_bytes + 8, &key->k1, 8);
  crypto_shorthash_siphash24((uint8_t *)&cookie, input, sizeof input, key_bytes);
  return cookie;
}

Test(cookie, any_flipped_bit_of_the_input_changes_it)
{
  const struct asz_cookie_key key = {1, 2};
  uint64_t cookie = asz_cookie_one(&key, 3, 4, 5);
  for (int bit = 0; bit < 64; bit++) {
    if (bit < 32) {
      cr_assert_neq(asz_cookie_one(&key, 3 ^ (UINT32_C(1) << bit), 4, 5), cookie, "target bit %d", bit);
      cr_assert_neq(asz_cookie_one(&key, 3, 4 ^ (UINT32_C(1) << bit), 5), cookie, "seq bit %d", bit);
    }
    cr_assert_neq(asz_cookie_one(&key, 3, 4, 5 ^ (UINT64_C(1) << bit)), cookie, "time bit %d", bit);
    cr_assert_neq(asz_cookie_one(&(struct asz_cookie_key){1 ^ (UINT64_C(1) << bit), 2}, 3, 4, 5), cookie, "key bit %d", bit);
    cr_assert_neq(asz_cookie_one(&(struct asz_cookie_key){1, 2 ^ (UINT64_C(1) << bit)}, 3, 4, 5), cookie, "key bit %d", 64 + bit);
  }
}

Test(cookie, equals_libsodium_for_one_and_for_bursts_of_every_size)
{
  struct asz_test_random random = asz_test_random_start(24);
  for (size_t count = 0; count <= ASZ_COOKIE_BURST_MAX; count++) {
    struct asz_cookie_key key = {asz_test_random_next(&random), asz_test_random_next(&random)};
    uint32_t target[ASZ_COOKIE_BURST_MAX], seq[ASZ_COOKIE_BURST_MAX];
    uint64_t tx_time[ASZ_COOKIE_BURST_MAX], cookie[ASZ_COOKIE_BURST_MAX];
    asz_test_random_bytes(&random, target, sizeof target);
    asz_test_random_bytes(&random, seq, sizeof seq);
    asz_test_random_bytes(&random, tx_time, sizeof tx_time);
    memset(cookie, 0x5a, sizeof cookie);
    asz_cookie_many(&key, target, seq, tx_time, cookie, count);
    for (size_t i = 0; i < ASZ_COOKIE_BURST_MAX; i++) {
      uint64_t expected = reference(&key, target[i], seq[i], tx_time[i]);
      cr_assert_eq(asz_cookie_one(&key, target[i], seq[i], tx_time[i]), expected, "seed %lu, one", random.seed);
      cr_assert_eq(cookie[i], i < count ? expected : 0x5a5a5a5a5a5a5a5a, "seed %lu, %zu of %zu", random.seed, i, count);
    }
  }
}

Test(cookie, key_of_a_fixed_secret_and_epoch)
{
  uint8_t secret[32], expected[32];
  struct asz_cookie_key key, next;
  for (unsigned i = 0; i < 32; i++)
    secret[i] = (uint8_t)i;
  /* hashlib.blake2b(b"assize/1/cookie" + epoch, key=secret, digest_size=32) */
  cr_assert_eq(asz_hex_decode(expected, 32, "0f6d385f8626fd18c985b7b1f0c3a9b6fb83fbab15cfcb1d078ee5528e7c4f63"), ASZ_OK);
  asz_cookie_key_derive(&key, secret, 0x01020304);
  cr_assert_arr_eq((uint8_t *)&key, expected, 16);
  asz_cookie_key_derive(&next, secret, 0x01020305);
  cr_assert_neq(memcmp(&key, &next, sizeof key), 0, "another epoch, another key");
}
