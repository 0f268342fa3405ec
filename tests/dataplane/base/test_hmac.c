/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/draw.h"
#include "dataplane/base/hmac.h"
#include "dataplane/base/identity.h"

enum { KEYS = 97 };

static struct asz_hmac_lanes *lanes;

static void setup(void) {
  cr_assert_geq(sodium_init(), 0);
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
}

static void teardown(void) {
  asz_hmac_lanes_free(lanes);
}

TestSuite(hmac, .init = setup, .fini = teardown);

static void fill(uint8_t *bytes, size_t size_bytes, uint64_t seed) {
  for (size_t i = 0; i < size_bytes; i++)
    bytes[i] = (uint8_t)asz_draw(seed, 0, i, 0);
}

/* The reference: libsodium's own HMAC, which shares no code with ours but the hash. */
static void reference(uint8_t ret_tag[16], const void *secret, size_t secret_bytes, const void *data, size_t size_bytes) {
  crypto_auth_hmacsha256_state state;
  uint8_t digest[32];
  crypto_auth_hmacsha256_init(&state, secret, secret_bytes);
  crypto_auth_hmacsha256_update(&state, data, size_bytes);
  crypto_auth_hmacsha256_final(&state, digest);
  memcpy(ret_tag, digest, 16);
}

static void ours(uint8_t ret_tag[16], const void *secret, size_t secret_bytes, const void *data, size_t size_bytes) {
  struct asz_hmac_key key;
  const struct asz_hash_part part = {data, size_bytes};
  asz_hmac_key_set(&key, secret, secret_bytes);
  asz_hmac(ret_tag, &key, &part, 1);
}

Test(hmac, gives_the_cases_of_rfc_4231)
{
  static const char nefe[] = "what do ya want for nothing?";
  static const char large_key[] = "Test Using Larger Than Block-Size Key - Hash Key First";
  static const char large_both[] = "This is a test using a larger than block-size key and a larger than block-size data. The key "
                                   "needs to be hashed before being used by the HMAC algorithm.";
  uint8_t b0[20], aa[131], dd[50], count[25], cd[50];
  memset(b0, 0x0b, sizeof b0);
  memset(aa, 0xaa, sizeof aa);
  memset(dd, 0xdd, sizeof dd);
  memset(cd, 0xcd, sizeof cd);
  for (uint8_t i = 0; i < sizeof count; i++)
    count[i] = (uint8_t)(i + 1);
  uint8_t c0[20];
  memset(c0, 0x0c, sizeof c0);
  const struct {
    const void *key, *data;
    size_t key_bytes, data_bytes;
    const char *tag; /* first 128 bits */
  } cases[] = {
      {b0, "Hi There", 20, 8, "b0344c61d8db38535ca8afceaf0bf12b"},
      {"Jefe", nefe, 4, 28, "5bdcc146bf60754e6a042426089575c7"},
      {aa, dd, 20, 50, "773ea91e36800e46854db8ebd09181a7"},
      {count, cd, 25, 50, "82558a389a443c0ea4cc819899f2083a"},
      {c0, "Test With Truncation", 20, 20, "a3b6167473100ee06e0c796c2955552b"},
      {aa, large_key, 131, 54, "60e431591ee0b67f0d8a26aacbf5b77f"},
      {aa, large_both, 131, 152, "9b09ffa71b942fcb27635fbcd5b0e944"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t tag[16], expected[16];
    cr_assert_eq(asz_hex_decode(expected, 16, cases[i].tag), 0);
    ours(tag, cases[i].key, cases[i].key_bytes, cases[i].data, cases[i].data_bytes);
    cr_assert_arr_eq(tag, expected, 16, "case %zu", i + 1);
  }
}

Test(hmac, every_key_size_agrees_with_the_reference)
{
  uint8_t secret[200], data[96], tag[16], expected[16];
  fill(secret, sizeof secret, 1);
  fill(data, sizeof data, 2);
  for (size_t size = 0; size <= sizeof secret; size++) {
    ours(tag, secret, size, data, sizeof data);
    reference(expected, secret, size, data, sizeof data);
    cr_assert_arr_eq(tag, expected, 16, "%zu bytes", size);
  }
}

Test(hmac, parts_are_one_message)
{
  uint8_t data[300], tag[16], expected[16];
  struct asz_hmac_key key;
  fill(data, sizeof data, 3);
  asz_hmac_key_set(&key, "key", 3);
  for (size_t cut = 0; cut <= sizeof data; cut++) {
    const struct asz_hash_part parts[] = {{data, cut}, {data + cut, sizeof data - cut}};
    asz_hmac(tag, &key, parts, 2);
    reference(expected, "key", 3, data, sizeof data);
    cr_assert_arr_eq(tag, expected, 16, "cut at %zu", cut);
  }
}

/* Every count of lanes, every message under its own key, at every alignment; what stood in the lanes before must not matter. */
Test(hmac, many_equals_one_by_one_for_every_count)
{
  static uint8_t message[ASZ_HMAC_BURST_MAX][ASZ_HMAC_MESSAGE_BYTES + 16];
  static uint8_t secret[KEYS][32];
  static struct asz_hmac_key key[KEYS];
  for (size_t i = 0; i < KEYS; i++) {
    fill(secret[i], sizeof secret[i], 100 + i);
    asz_hmac_key_set(&key[i], secret[i], sizeof secret[i]);
  }
  for (size_t count = 0; count <= ASZ_HMAC_BURST_MAX; count++) {
    const struct asz_hmac_key *keys[ASZ_HMAC_BURST_MAX];
    const uint8_t *messages[ASZ_HMAC_BURST_MAX];
    uint8_t tag[ASZ_HMAC_BURST_MAX + 1][ASZ_HMAC_TAG_BYTES], expected[16];
    memset(tag, 0x5a, sizeof tag);
    for (size_t i = 0; i < ASZ_HMAC_BURST_MAX; i++) {
      fill(message[i], sizeof message[i], 1000 * count + i);
      keys[i] = &key[(7 * count + i) % KEYS];
      messages[i] = message[i] + i % 16;
    }
    asz_hmac_many(lanes, keys, messages, tag, count);
    for (size_t i = 0; i < count; i++) {
      reference(expected, secret[(7 * count + i) % KEYS], 32, messages[i], ASZ_HMAC_MESSAGE_BYTES);
      cr_assert_arr_eq(tag[i], expected, 16, "message %zu of %zu", i, count);
    }
    for (size_t i = 0; i < 16; i++)
      cr_assert_eq(tag[count][i], 0x5a, "wrote behind the last of %zu tags", count);
  }
}

Test(hmac, same_key_and_message_in_every_lane)
{
  static uint8_t message[ASZ_HMAC_MESSAGE_BYTES];
  struct asz_hmac_key key;
  const struct asz_hmac_key *keys[ASZ_HMAC_BURST_MAX];
  const uint8_t *messages[ASZ_HMAC_BURST_MAX];
  uint8_t tag[ASZ_HMAC_BURST_MAX][ASZ_HMAC_TAG_BYTES], expected[16];
  asz_hmac_key_set(&key, "k", 1);
  for (size_t i = 0; i < ASZ_HMAC_BURST_MAX; i++) {
    keys[i] = &key;
    messages[i] = message;
  }
  asz_hmac_many(lanes, keys, messages, tag, ASZ_HMAC_BURST_MAX);
  reference(expected, "k", 1, message, sizeof message);
  for (size_t i = 0; i < ASZ_HMAC_BURST_MAX; i++)
    cr_assert_arr_eq(tag[i], expected, 16, "lane %zu", i);
}

Test(hmac, equal_sees_every_bit)
{
  uint8_t a[16], b[16];
  fill(a, sizeof a, 9);
  memcpy(b, a, sizeof b);
  cr_assert(asz_hmac_equal(a, b));
  for (unsigned bit = 0; bit < 128; bit++) {
    b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    cr_assert(!asz_hmac_equal(a, b), "bit %u", bit);
    b[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
}

static size_t decode(uint8_t *ret_bytes, size_t capacity, const json_t *vector, const char *field) {
  const char *text = json_string_value(json_object_get(vector, field));
  size_t size = strlen(text) / 2;
  cr_assert_leq(size, capacity);
  cr_assert(size == 0 || asz_hex_decode(ret_bytes, size, text) == 0);
  return size;
}

Test(hmac, gives_the_wycheproof_vectors)
{
  const char *directory = getenv("ASSIZE_VECTORS");
  if (directory == NULL)
    cr_skip_test("ASSIZE_VECTORS is not set: the public vectors are not here");
  char path[4096];
  snprintf(path, sizeof path, "%s/hmac_sha256_wycheproof.json", directory);
  json_t *root = json_load_file(path, 0, NULL), *group, *vector;
  cr_assert_not_null(root, "%s", path);
  size_t group_index, index, valid = 0, invalid = 0;
  json_array_foreach(json_object_get(root, "testGroups"), group_index, group) {
    json_array_foreach(json_object_get(group, "tests"), index, vector) {
      uint8_t key[256], message[1024], expected[32], tag[16];
      int id = (int)json_integer_value(json_object_get(vector, "tcId"));
      size_t key_bytes = decode(key, sizeof key, vector, "key");
      size_t message_bytes = decode(message, sizeof message, vector, "msg");
      size_t tag_bytes = decode(expected, sizeof expected, vector, "tag");
      bool right = strcmp(json_string_value(json_object_get(vector, "result")), "valid") == 0;
      ours(tag, key, key_bytes, message, message_bytes);
      if (right)
        cr_assert_arr_eq(tag, expected, 16, "tcId %d", id);
      else if (tag_bytes == 16) /* a whole tag of ours that was tampered with */
        cr_assert(!asz_hmac_equal(tag, expected), "tcId %d", id);
      valid += right;
      invalid += !right;
    }
  }
  json_decref(root);
  cr_assert_eq(valid + invalid, 174, "the file has 174 vectors");
  cr_assert_gt(invalid, 0);
}
