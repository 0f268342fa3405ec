/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/gpu/simd/sig_set.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/base/identity.h"

void *asz_sig_set_take(size_t count, size_t size) {
  void *memory = calloc(count + 1, size);
  cr_assert_not_null(memory);
  return memory;
}

/* The entry that has the key; count when none of the first count has. */
static uint32_t find(const struct asz_sig_keys *keys, uint32_t count, const uint8_t public_key[32]) {
  uint32_t key = 0;
  while (key < count && memcmp(asz_sig_keys_get(keys, key), public_key, 32) != 0)
    key++;
  return key;
}

struct asz_sig_set asz_sig_set_new(const struct asz_sig_cases *cases, size_t table_bytes) {
  uint32_t count = (uint32_t)cases->count, keys = 0;
  struct asz_sig_set set = {.items.count = count, .expected = asz_sig_set_take(count, 1)};
  uint32_t *key = asz_sig_set_take(count, sizeof *key);
  uint8_t(*signature)[64] = asz_sig_set_take(count, 64),
  (*message)[ASZ_SIG_MESSAGE_MAX + 1] = asz_sig_set_take(count, sizeof *message);
  uint8_t *message_bytes = asz_sig_set_take(count, 1);
  cr_assert_eq(asz_sig_keys_new(&set.keys, count, table_bytes), ASZ_OK);
  for (uint32_t i = 0; i < count; i++) {
    const struct asz_sig_case *item = &cases->item[i];
    key[i] = i && memcmp(item->public_key, item[-1].public_key, 32) == 0 ? key[i - 1] : find(set.keys, keys, item->public_key);
    if (key[i] == keys)
      cr_assert_eq(asz_sig_keys_set(set.keys, keys++, item->public_key), ASZ_OK);
    memcpy(signature[i], item->signature, 64);
    memcpy(message[i], item->message, sizeof *message);
    message_bytes[i] = item->message_bytes;
    set.expected[i] = item->message_bytes > ASZ_SIG_MESSAGE_MAX ? ASZ_VERDICT_MALFORMED
                      : crypto_sign_verify_detached(item->signature, item->message, item->message_bytes, item->public_key) == 0
                          ? ASZ_VERDICT_PASS
                          : ASZ_VERDICT_FAIL;
  }
  set.items.key = key;
  set.items.signature = (const uint8_t(*)[64])signature;
  set.items.message = (const uint8_t(*)[ASZ_SIG_MESSAGE_MAX + 1]) message;
  set.items.message_bytes = message_bytes;
  set.items.verdict = asz_sig_set_take(count, 1);
  return set;
}

void asz_sig_set_free(struct asz_sig_set *set) {
  asz_sig_keys_free(set->keys);
  free((void *)set->items.key);
  free((void *)set->items.signature);
  free((void *)set->items.message);
  free((void *)set->items.message_bytes);
  free(set->items.verdict);
  free(set->expected);
}

struct asz_sig_items asz_sig_set_part(const struct asz_sig_set *set, uint32_t first, uint32_t count) {
  struct asz_sig_items items = set->items;
  items.count = count;
  items.key += first;
  items.signature += first;
  items.message += first;
  items.message_bytes += first;
  items.verdict += first;
  return items;
}

const struct asz_sig_backend *asz_sig_set_backend(unsigned *at) {
  while (*at < asz_sig_backend_count) {
    const struct asz_sig_backend *backend = asz_sig_backends[(*at)++];
    if (backend->supported())
      return backend;
    cr_log_warn("skipped: this machine cannot run the backend %s", backend->name);
  }
  return NULL;
}

size_t asz_sig_set_check(struct asz_sig_cases *cases, size_t table_bytes) {
  struct asz_sig_set set = asz_sig_set_new(cases, table_bytes);
  unsigned at = 0;
  for (const struct asz_sig_backend *backend; (backend = asz_sig_set_backend(&at));) {
    memset(set.items.verdict, 0, cases->count);
    backend->judge(set.keys, &set.items);
    for (size_t i = 0; i < cases->count; i++)
      cr_assert_eq(set.items.verdict[i], set.expected[i], "%s, case %zu (%s) of seed %lu: '%s', but libsodium says '%s'",
                   backend->name, i, cases->item[i].name, cases->random.seed, asz_verdict_name(set.items.verdict[i]),
                   asz_verdict_name(set.expected[i]));
  }
  size_t passed = 0;
  for (size_t i = 0; i < cases->count; i++)
    passed += set.expected[i] == ASZ_VERDICT_PASS;
  asz_sig_set_free(&set);
  asz_sig_cases_free(cases);
  return passed;
}

/* L */
static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

/* What is no good key as it stands, and as an R. x = 0 with its parity bit: the first two; small order: up to "c7..". */
static const char *const odd[] = {
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p, p + 1, p + 3: a point of large order */
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 2^255 - 1 */
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0200000000000000000000000000000000000000000000000000000000000000", /* no point */
};
enum { ODDS = sizeof odd / sizeof odd[0], SMALL_ORDER_FIRST = 2, SMALL_ORDERS = 8, SIGNERS = 256 };

struct signer {
  uint8_t scalar[32], public_key[32];
};

static void scalar_draw(struct asz_sig_cases *cases, uint8_t ret_scalar[32]) {
  uint8_t wide[64];
  asz_test_random_bytes(&cases->random, wide, sizeof wide);
  crypto_core_ed25519_scalar_reduce(ret_scalar, wide);
}

/* point += the small-order point of a number 0..7; 0 is the neutral one. */
static void small_order_add(uint8_t point[32], unsigned number) {
  uint8_t component[32];
  cr_assert_eq(asz_hex_decode(component, 32, odd[SMALL_ORDER_FIRST + number]), ASZ_OK);
  cr_assert_eq(crypto_core_ed25519_add(point, point, component), 0);
}

/* Every fourth key has a small-order component. */
static void signers_draw(struct asz_sig_cases *cases, struct signer *signer) {
  for (unsigned i = 0; i < SIGNERS; i++) {
    scalar_draw(cases, signer[i].scalar);
    cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(signer[i].public_key, signer[i].scalar), 0);
    if (i % 4 == 3)
      small_order_add(signer[i].public_key, i / 4 % SMALL_ORDERS);
  }
}

/* S = r + h a, R = rB or, for a key with a small-order component, rB and a small-order point. */
static struct asz_sig_case signed_by(struct asz_sig_cases *cases, const struct signer *signer, bool mixed) {
  struct asz_sig_case item = {.message_bytes = (uint8_t)(asz_test_random_next(&cases->random) % (ASZ_SIG_MESSAGE_MAX + 1))};
  uint8_t r[32], h[32], digest[64];
  asz_test_random_bytes(&cases->random, item.message, item.message_bytes);
  memcpy(item.public_key, signer->public_key, 32);
  scalar_draw(cases, r);
  cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(item.signature, r), 0);
  if (mixed)
    small_order_add(item.signature, (unsigned)(asz_test_random_next(&cases->random) % SMALL_ORDERS));
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, item.signature, 32);
  crypto_hash_sha512_update(&state, item.public_key, 32);
  crypto_hash_sha512_update(&state, item.message, item.message_bytes);
  crypto_hash_sha512_final(&state, digest);
  crypto_core_ed25519_scalar_reduce(h, digest);
  crypto_core_ed25519_scalar_mul(h, h, signer->scalar);
  crypto_core_ed25519_scalar_add(item.signature + 32, r, h);
  return item;
}

static void spoil(struct asz_sig_case *item, unsigned way, uint64_t draw, const struct signer *signer) {
  const char *other = odd[(draw >> 32) % ODDS];
  switch (way) {
  case 0:
    item->signature[draw % 32] ^= (uint8_t)(1 << (draw >> 8) % 8);
    break;
  case 1:
    item->signature[32 + draw % 32] ^= (uint8_t)(1 << (draw >> 8) % 8);
    break;
  case 2:
    item->message[draw % (item->message_bytes + 1u)] ^= (uint8_t)(1 << (draw >> 8) % 8); /* one past the end: still good */
    break;
  case 3:
    item->message_bytes = (uint8_t)(item->message_bytes + (draw & 1 ? 1 : -1)); /* 176 and 255: too long */
    break;
  case 4:
    sodium_add(item->signature + 32, order, 32);
    break;
  case 5:
    memcpy(item->public_key, signer[draw % SIGNERS].public_key, 32);
    break;
  case 6:
    cr_assert_eq(asz_hex_decode(item->public_key, 32, other), ASZ_OK);
    break;
  case 7:
    cr_assert_eq(asz_hex_decode(item->signature, 32, other), ASZ_OK);
    break;
  case 8:
    small_order_add(item->signature, (unsigned)(draw % SMALL_ORDERS));
    break;
  case 9:
    memset(item->signature + 32, 0, 32);
    break;
  case 10:
    item->signature[31] ^= 0x80;
    break;
  default: /* as it is */
    break;
  }
}

void asz_sig_set_storm(struct asz_sig_cases *cases, unsigned count) {
  enum { WAYS = 12 };
  struct signer *signer = asz_sig_set_take(SIGNERS, sizeof *signer);
  signers_draw(cases, signer);
  size_t at = cases->count;
  cases->count = cases->capacity = at + count;
  cases->item = realloc(cases->item, cases->capacity * sizeof *cases->item);
  cr_assert_not_null(cases->item);
  for (unsigned i = 0; i < count / 4; i++) {
    unsigned of = (unsigned)(asz_test_random_next(&cases->random) % SIGNERS);
    struct asz_sig_case good = signed_by(cases, &signer[of], of % 4 == 3);
    for (unsigned j = 0; j < 4; j++) {
      struct asz_sig_case *item = &cases->item[at + i * 4 + j];
      uint64_t draw = asz_test_random_next(&cases->random);
      unsigned way = j == 0 ? WAYS : (unsigned)(draw >> 48) % WAYS;
      *item = good;
      spoil(item, way, draw, signer);
      snprintf(item->name, sizeof item->name, "storm %u, way %u", i * 4 + j, way);
    }
  }
  free(signer);
}
