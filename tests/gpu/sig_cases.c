/* SPDX-License-Identifier: Apache-2.0 */
/* Random input alone never reaches the places where Ed25519 implementations differ, so most generators here build such places on
 * purpose: with the secret scalar known, S can be chosen so that some equation holds although another rule forbids it. */
#include "tests/gpu/sig_cases.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/base/identity.h"

/* The eight points of small order, and the spellings of three of them that decode to the same point: p, p + 1 and parity bits
 * that mean nothing where x = 0. */
static const char *const small_order[] = {
    "0100000000000000000000000000000000000000000000000000000000000000", /* order 1 */
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
    "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};
enum { SMALL_ORDER_POINTS = 8, SMALL_ORDER_SPELLINGS = sizeof small_order / sizeof small_order[0] };

static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

struct asz_sig_cases asz_sig_cases_new(uint64_t seed) {
  cr_assert_geq(sodium_init(), 0);
  return (struct asz_sig_cases){.random = asz_test_random_start(seed)};
}

void asz_sig_cases_free(struct asz_sig_cases *cases) {
  free(cases->item);
}

/* Appends one case, all zeros but its name. The pointer is good until the next one. */
__attribute__((format(printf, 2, 3))) static struct asz_sig_case *append(struct asz_sig_cases *cases, const char *format, ...) {
  if (cases->count == cases->capacity) {
    cases->capacity = cases->capacity ? 2 * cases->capacity : 1024;
    cases->item = realloc(cases->item, cases->capacity * sizeof *cases->item);
    cr_assert_not_null(cases->item);
  }
  struct asz_sig_case *item = &cases->item[cases->count++];
  memset(item, 0, sizeof *item);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(item->name, sizeof item->name, format, arguments);
  va_end(arguments);
  return item;
}

static void hex(uint8_t *ret_bytes, size_t count, const char *text) {
  cr_assert_eq(asz_hex_decode(ret_bytes, count, text), ASZ_OK, "%s", text);
}

static struct asz_sig_case valid_case(struct asz_sig_cases *cases, uint8_t message_bytes) {
  struct asz_sig_case item = {.message_bytes = message_bytes};
  uint8_t seed[32], secret_key[64];
  asz_test_random_bytes(&cases->random, seed, sizeof seed);
  asz_test_random_bytes(&cases->random, item.message, message_bytes);
  crypto_sign_seed_keypair(item.public_key, secret_key, seed);
  crypto_sign_detached(item.signature, NULL, item.message, message_bytes, secret_key);
  return item;
}

static void append_copy(struct asz_sig_cases *cases, const struct asz_sig_case *original, const char *what, unsigned number) {
  struct asz_sig_case copy = *original; /* append may move what original points to */
  struct asz_sig_case *item = append(cases, "%s %u", what, number);
  memcpy(copy.name, item->name, sizeof copy.name);
  *item = copy;
}

void asz_sig_cases_add_valid(struct asz_sig_cases *cases, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    struct asz_sig_case item = valid_case(cases, (uint8_t)(i % (ASZ_SIG_MESSAGE_MAX + 1)));
    append_copy(cases, &item, "valid", i);
  }
}

/* bytes: the part of item to flip. */
static void append_flips(struct asz_sig_cases *cases, const struct asz_sig_case *item, uint8_t *bytes, unsigned count,
                         const char *what) {
  for (unsigned bit = 0; bit < 8 * count; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    append_copy(cases, item, what, bit);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
}

void asz_sig_cases_add_flips(struct asz_sig_cases *cases, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    struct asz_sig_case item = valid_case(cases, (uint8_t)(98 - 49 * (i % 3))); /* 98 as answers have, 49 and 0 */
    append_flips(cases, &item, item.public_key, 32, "key bit");
    append_flips(cases, &item, item.signature, 64, "signature bit");
    append_flips(cases, &item, item.message, item.message_bytes, "message bit");
  }
}

void asz_sig_cases_add_noise(struct asz_sig_cases *cases, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    struct asz_sig_case item = valid_case(cases, (uint8_t)(asz_test_random_next(&cases->random) % (ASZ_SIG_MESSAGE_MAX + 1)));
    unsigned parts = i % 8; /* bit 0: the key, bit 1: R, bit 2: S (cut below L half of the time) */
    if (parts & 1)
      asz_test_random_bytes(&cases->random, item.public_key, 32);
    if (parts & 2)
      asz_test_random_bytes(&cases->random, item.signature, 32);
    if (parts & 4) {
      asz_test_random_bytes(&cases->random, item.signature + 32, 32);
      item.signature[63] &= i & 8 ? 0x0f : 0xff;
    }
    append_copy(cases, &item, "noise", i);
  }
}

void asz_sig_cases_add_large_s(struct asz_sig_cases *cases, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    struct asz_sig_case item = valid_case(cases, 98);
    for (unsigned multiple = 1; multiple <= 14; multiple++) { /* 15 L < 2^256, and S < L */
      sodium_add(item.signature + 32, order, 32);
      append_copy(cases, &item, "S + multiple of L", multiple);
    }
  }
  struct asz_sig_case border = valid_case(cases, 98);
  memcpy(border.signature + 32, order, 32);
  border.signature[32] -= 2;
  for (unsigned step = 0; step < 5; step++) { /* L - 2 .. L + 2 */
    append_copy(cases, &border, "S = L - 2 +", step);
    border.signature[32]++;
  }
  memset(border.signature + 32, 0xff, 32);
  append_copy(cases, &border, "S = 2^256 - 1,", 0);
  memset(border.signature + 32, 0, 32);
  append_copy(cases, &border, "S =", 0);
}

void asz_sig_cases_add_non_canonical(struct asz_sig_cases *cases) {
  struct asz_sig_case item = valid_case(cases, 98);
  uint8_t encoded[32];
  memset(encoded, 0xff, sizeof encoded);
  for (unsigned value = 0; value < 38; value++) { /* the 19 y from p on, each without and with its parity bit */
    encoded[0] = (uint8_t)(0xed + value / 2);
    encoded[31] = value % 2 ? 0xff : 0x7f;
    struct asz_sig_case as_key = item, as_r = item;
    memcpy(as_key.public_key, encoded, 32);
    append_copy(cases, &as_key, "A = p +", value / 2);
    memcpy(as_r.signature, encoded, 32);
    append_copy(cases, &as_r, "R = p +", value / 2);
    memcpy(as_key.signature, encoded, 32);
    append_copy(cases, &as_key, "A = R = p +", value / 2);
  }
}

/* h = SHA-512(R || A || M) mod L */
static void challenge_scalar(uint8_t ret_h[32], const struct asz_sig_case *item) {
  crypto_hash_sha512_state state;
  uint8_t digest[64];
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, item->signature, 32);
  crypto_hash_sha512_update(&state, item->public_key, 32);
  crypto_hash_sha512_update(&state, item->message, item->message_bytes);
  crypto_hash_sha512_final(&state, digest);
  crypto_core_ed25519_scalar_reduce(ret_h, digest);
}

static void random_scalar(struct asz_sig_cases *cases, uint8_t ret_scalar[32]) {
  uint8_t wide[64];
  asz_test_random_bytes(&cases->random, wide, sizeof wide);
  crypto_core_ed25519_scalar_reduce(ret_scalar, wide);
}

/* Sets S = r + h a for A = aB + .. and R = rB + .. that are already in their places. */
static void complete_with(struct asz_sig_case *item, const uint8_t r[32], const uint8_t a[32]) {
  uint8_t h[32], product[32];
  challenge_scalar(h, item);
  crypto_core_ed25519_scalar_mul(product, h, a);
  crypto_core_ed25519_scalar_add(item->signature + 32, r, product);
}

void asz_sig_cases_add_small_order(struct asz_sig_cases *cases) {
  static const uint8_t zero[32];
  for (unsigned i = 0; i < SMALL_ORDER_SPELLINGS; i++) {
    /* A small, R and S any pair: what a forger sends who has no key. Several messages, as h must be a multiple of the order. */
    for (unsigned attempt = 0; attempt < 16; attempt++) {
      struct asz_sig_case forged = {.message_bytes = 4};
      uint8_t r[32];
      asz_test_random_bytes(&cases->random, forged.message, 4);
      hex(forged.public_key, 32, small_order[i]);
      random_scalar(cases, r);
      cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(forged.signature, r), 0);
      complete_with(&forged, r, zero);
      append_copy(cases, &forged, "small A", i);
      hex(forged.signature, 32, small_order[attempt % SMALL_ORDER_SPELLINGS]);
      memset(forged.signature + 32, 0, 32);
      append_copy(cases, &forged, "small A and R, S = 0,", i);
    }
    /* R small, S = h a: made by the owner of a good key. */
    struct asz_sig_case owned = {.message_bytes = 98};
    uint8_t a[32];
    random_scalar(cases, a);
    cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(owned.public_key, a), 0);
    hex(owned.signature, 32, small_order[i]);
    complete_with(&owned, zero, a);
    append_copy(cases, &owned, "small R", i);
  }
}

void asz_sig_cases_add_mixed_order(struct asz_sig_cases *cases, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    struct asz_sig_case item = {.message_bytes = 98};
    uint8_t a[32], r[32], component[32];
    asz_test_random_bytes(&cases->random, item.message, 98);
    random_scalar(cases, a);
    random_scalar(cases, r);
    cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(item.public_key, a), 0);
    cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(item.signature, r), 0);
    hex(component, 32, small_order[i % SMALL_ORDER_POINTS]);
    cr_assert_eq(crypto_core_ed25519_add(item.public_key, item.public_key, component), 0);
    hex(component, 32, small_order[i / SMALL_ORDER_POINTS % SMALL_ORDER_POINTS]);
    cr_assert_eq(crypto_core_ed25519_add(item.signature, item.signature, component), 0);
    complete_with(&item, r, a);
    append_copy(cases, &item, "mixed order", i);
  }
}

void asz_sig_cases_add_all(struct asz_sig_cases *cases) {
  asz_sig_cases_add_valid(cases, 2000);
  asz_sig_cases_add_flips(cases, 3);
  asz_sig_cases_add_noise(cases, 1000);
  asz_sig_cases_add_large_s(cases, 10);
  asz_sig_cases_add_non_canonical(cases);
  asz_sig_cases_add_small_order(cases);
  asz_sig_cases_add_mixed_order(cases, 512);
}

static json_t *load_vectors(const char *file) {
  const char *directory = getenv("ASSIZE_VECTORS");
  if (directory == NULL)
    cr_skip_test("ASSIZE_VECTORS is not set: the public vectors are not here");
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, file);
  json_t *root = json_load_file(path, 0, NULL);
  cr_assert_not_null(root, "%s", path);
  return root;
}

static const char *text(const json_t *vector, const char *key) {
  const char *value = json_string_value(json_object_get(vector, key));
  cr_assert_not_null(value, "%s", key);
  return value;
}

void asz_sig_cases_add_cctv(struct asz_sig_cases *cases) {
  json_t *root = load_vectors("ed25519_cctv.json"), *vector;
  size_t index;
  json_array_foreach(root, index, vector) {
    struct asz_sig_case *item = append(cases, "CCTV %zu", index);
    hex(item->public_key, 32, text(vector, "key"));
    hex(item->signature, 64, text(vector, "sig"));
    const char *message = text(vector, "msg"); /* plain text, not hexadecimal */
    item->message_bytes = (uint8_t)strlen(message);
    memcpy(item->message, message, item->message_bytes);
  }
  json_decref(root);
}

void asz_sig_cases_add_speccheck(struct asz_sig_cases *cases) {
  json_t *root = load_vectors("ed25519_speccheck.json"), *vector;
  size_t index;
  json_array_foreach(root, index, vector) {
    struct asz_sig_case *item = append(cases, "speccheck %zu", index);
    hex(item->public_key, 32, text(vector, "pub_key"));
    hex(item->signature, 64, text(vector, "signature"));
    item->message_bytes = (uint8_t)(strlen(text(vector, "message")) / 2);
    hex(item->message, item->message_bytes, text(vector, "message"));
  }
  json_decref(root);
}

size_t asz_sig_cases_check(const struct asz_sig_cases *cases, asz_sig_judge_all *judge) {
  uint8_t *verdict = calloc(cases->count, 1);
  cr_assert_not_null(verdict);
  judge(verdict, cases->item, cases->count);
  size_t passed = 0;
  for (size_t i = 0; i < cases->count; i++) {
    const struct asz_sig_case *item = &cases->item[i];
    int expected = crypto_sign_verify_detached(item->signature, item->message, item->message_bytes, item->public_key) == 0
                       ? ASZ_VERDICT_PASS
                       : ASZ_VERDICT_FAIL;
    cr_assert_eq(verdict[i], expected, "case %zu (%s) of seed %lu: '%s', but libsodium says '%s'", i, item->name,
                 cases->random.seed, asz_verdict_name(verdict[i]), asz_verdict_name(expected));
    passed += expected == ASZ_VERDICT_PASS;
  }
  free(verdict);
  return passed;
}
