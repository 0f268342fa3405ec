/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of the kernels for known keys, compiled by the host's compiler, against libsodium: tables made lane by lane,
 * sums item by item, inversions shared. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "gpu/kinds/sig_known.h"
#include "tests/gpu/sig_cases.h"

enum { LANES = 32 };
/* Under the sanitizers fewer items: the same code, and minutes less. Of noise every eighth is valid. */
#if defined(__SANITIZE_ADDRESS__)
enum { ITEMS_A_KEY = 80, MIXED = 128, NOISE = 96 };
#else
enum { ITEMS_A_KEY = 1280, MIXED = 512, NOISE = 400 };
#endif

static void *memory_of(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  cr_assert_not_null(memory);
  return memory;
}

static struct asz_comb_point *table_of(const struct asz_comb *comb, struct asz_ge p, unsigned lanes) {
  struct asz_comb_point *table = memory_of(asz_comb_points(comb) * sizeof *table);
  for (unsigned lane = 0; lane < lanes; lane++)
    asz_comb_fill(table, comb, p, lane, lanes);
  return table;
}

/* Judges items that come in runs of the same key. */
static void judge_with(uint8_t *ret_verdict, const struct asz_sig_case *item, size_t count, unsigned key_bits,
                       unsigned base_bits) {
  struct asz_sig_known_tables tables = {.key_comb = asz_comb_of(key_bits), .base_comb = asz_comb_of(base_bits)};
  struct asz_comb_point *base = table_of(&tables.base_comb, asz_sig_known_base(), 5);
  struct asz_comb_point *key = memory_of(asz_comb_points(&tables.key_comb) * sizeof *key);
  uint32_t items = (uint32_t)count + 3, lanes = (items + ASZ_SIG_KNOWN_SHARE - 1) / ASZ_SIG_KNOWN_SHARE;
  uint32_t *sums = memory_of(sizeof *sums * ASZ_SIG_KNOWN_SUM_WORDS * items);
  uint8_t(*signature)[64] = memory_of(64 * count);
  tables.base = base;
  for (uint32_t i = 0; i < count; i++) {
    struct asz_ge minus_a, sum;
    if (i == 0 || memcmp(item[i].public_key, item[i - 1].public_key, 32) != 0) {
      tables.key = asz_sig_known_key(&minus_a, item[i].public_key) ? key : NULL;
      for (unsigned lane = 0; tables.key && lane < LANES; lane++)
        asz_comb_fill(key, &tables.key_comb, minus_a, lane, LANES);
    }
    memcpy(signature[i], item[i].signature, 64);
    ret_verdict[i] =
        asz_sig_known_sum(&sum, &tables, item[i].public_key, item[i].signature, item[i].message, item[i].message_bytes);
    if (ret_verdict[i] == ASZ_VERDICT_NONE)
      ret_verdict[i] = asz_sig_known_keep(sums, items, i, sum);
  }
  for (uint32_t lane = 0; lane < lanes; lane++)
    asz_sig_known_finish(ret_verdict, sums, (const uint8_t(*)[64])signature, (uint32_t)count, items, lane, lanes);
  free(signature);
  free(sums);
  free(key);
  free(base);
}

static void judge_small(uint8_t *ret_verdict, const struct asz_sig_case *item, size_t count) {
  judge_with(ret_verdict, item, count, ASZ_SIG_KNOWN_BITS_SMALL, 5);
}
static void judge_default(uint8_t *ret_verdict, const struct asz_sig_case *item, size_t count) {
  judge_with(ret_verdict, item, count, ASZ_SIG_KNOWN_BITS, 8);
}
static void judge_with_large_base(uint8_t *ret_verdict, const struct asz_sig_case *item, size_t count) {
  judge_with(ret_verdict, item, count, ASZ_SIG_KNOWN_BITS_SMALL, ASZ_SIG_KNOWN_BASE_BITS);
}

/* `count` items by few keys; every other one spoilt in one bit of R, S or the message, every 16th in its length too. */
static struct asz_sig_cases many(uint64_t seed, unsigned keys, unsigned items) {
  struct asz_sig_cases cases = asz_sig_cases_new(seed);
  cases.capacity = cases.count = (size_t)keys * items;
  cases.item = calloc(cases.count, sizeof *cases.item);
  cr_assert_not_null(cases.item);
  for (unsigned k = 0; k < keys; k++) {
    uint8_t key_seed[32], public_key[32], secret_key[64];
    asz_test_random_bytes(&cases.random, key_seed, sizeof key_seed);
    crypto_sign_seed_keypair(public_key, secret_key, key_seed);
    for (unsigned i = 0; i < items; i++) {
      struct asz_sig_case *item = &cases.item[(size_t)k * items + i];
      snprintf(item->name, sizeof item->name, "key %u item %u", k, i);
      memcpy(item->public_key, public_key, 32);
      item->message_bytes = (uint8_t)(asz_test_random_next(&cases.random) % (ASZ_SIG_MESSAGE_MAX + 1));
      asz_test_random_bytes(&cases.random, item->message, sizeof item->message); /* also what is behind its end */
      crypto_sign_detached(item->signature, NULL, item->message, item->message_bytes, secret_key);
      uint64_t draw = asz_test_random_next(&cases.random);
      if (i % 2 == 0)
        continue;
      if (draw & 1 && item->message_bytes > 0)
        item->message[draw / 16 % item->message_bytes] ^= (uint8_t)(1 << (draw >> 1 & 7));
      else
        item->signature[draw / 16 % 64] ^= (uint8_t)(1 << (draw >> 1 & 7));
      if (i % 16 == 1)
        item->message_bytes = (uint8_t)(draw >> 40) % (ASZ_SIG_MESSAGE_MAX + 1);
    }
  }
  return cases;
}

Test(sig_known, a_message_over_the_limit_is_malformed_and_never_read)
{
  struct asz_sig_known_tables tables = {0};
  uint8_t key[32] = {0}, signature[64] = {0};
  struct asz_ge sum;
  cr_assert_eq(asz_sig_known_sum(&sum, &tables, key, signature, NULL, ASZ_SIG_MESSAGE_MAX + 1), ASZ_VERDICT_MALFORMED);
  cr_assert_eq(asz_sig_known_sum(&sum, &tables, key, signature, NULL, UINT32_MAX), ASZ_VERDICT_MALFORMED);
}

Test(sig_known, odd_keys_and_signatures_get_the_verdict_of_libsodium)
{
  struct asz_sig_cases cases = asz_sig_cases_new(41);
  asz_sig_cases_add_non_canonical(&cases);
  asz_sig_cases_add_small_order(&cases);
  asz_sig_cases_add_large_s(&cases, 20);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_small), 0);
  asz_sig_cases_add_mixed_order(&cases, MIXED);
  asz_sig_cases_add_noise(&cases, NOISE);
  size_t passed = asz_sig_cases_check(&cases, judge_small);
  cr_assert(passed > MIXED / 16 + NOISE / 8 && passed < MIXED / 4 + NOISE / 8, "%zu: one in eight of either", passed);
  asz_sig_cases_free(&cases);
}

Test(sig_known, every_flipped_bit_is_noticed)
{
  struct asz_sig_cases cases = asz_sig_cases_new(42);
  asz_sig_cases_add_flips(&cases, 1);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_with_large_base), 0);
  asz_sig_cases_free(&cases);
}

Test(sig_known, torsion_is_judged_alike_with_the_tables_of_large_devices)
{
  struct asz_sig_cases cases = asz_sig_cases_new(43);
  asz_sig_cases_add_mixed_order(&cases, 64);
  asz_sig_cases_add_valid(&cases, 20);
  cr_assert_geq(asz_sig_cases_check(&cases, judge_default), 20);
  asz_sig_cases_free(&cases);
}

Test(sig_known, public_vectors_get_the_verdict_of_libsodium)
{
  struct asz_sig_cases cases = asz_sig_cases_new(0);
  asz_sig_cases_add_cctv(&cases);
  asz_sig_cases_add_speccheck(&cases);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_small), 43 + 1);
  asz_sig_cases_free(&cases);
}

Test(sig_known, twenty_thousand_honest_and_spoilt_items_get_the_verdict_of_libsodium)
{
  struct asz_sig_cases cases = many(44, 16, ITEMS_A_KEY);
  size_t passed = asz_sig_cases_check(&cases, judge_default), honest = cases.count / 2;
  cr_assert(passed >= honest && passed < honest + 60, "%zu", passed);
  asz_sig_cases_free(&cases);
}

Test(sig_known, every_size_of_digit_gives_the_scalar)
{
  struct asz_test_random random = asz_test_random_start(45);
  for (unsigned bits = 4; bits <= 13; bits++) {
    struct asz_comb comb = asz_comb_of(bits);
    struct asz_comb_point *table = table_of(&comb, asz_sig_known_base(), bits);
    for (unsigned i = 0; i < 24; i++) {
      uint8_t scalar[32] = {0}, wide[64], expected[32], actual[32];
      asz_test_random_bytes(&random, wide, sizeof wide);
      crypto_core_ed25519_scalar_reduce(scalar, wide);
      if (i < 6) { /* 0 .. 2, L - 1 .. L - 3 */
        memset(scalar, 0, sizeof scalar);
        scalar[0] = (uint8_t)(i < 3 ? i : i - 2);
        if (i >= 3)
          crypto_core_ed25519_scalar_negate(scalar, scalar);
      }
      if (i == 0)
        asz_ge_encode(expected, asz_ge_neutral());
      else
        cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(expected, scalar), 0);
      asz_ge_encode(actual, asz_comb_sum(asz_ge_neutral(), &comb, table, asz_sc_load(scalar)));
      cr_assert_arr_eq(actual, expected, 32, "%u bits, scalar %u, seed %lu", bits, i, random.seed);
    }
    free(table);
  }
}

Test(sig_known, the_hash_is_that_of_sig_at_every_length)
{
  struct asz_test_random random = asz_test_random_start(46);
  uint8_t input[64 + ASZ_SIG_MESSAGE_MAX + 1];
  asz_test_random_bytes(&random, input, sizeof input);
  for (unsigned length = 0; length <= ASZ_SIG_MESSAGE_MAX; length++) {
    struct asz_sc expected = asz_sig_hash(input, input + 32, input + 64, length);
    struct asz_sc actual = asz_sig_known_hash(input, input + 32, input + 64, length);
    cr_assert_arr_eq(actual.v, expected.v, 32, "length %u, seed %lu", length, random.seed);
  }
}
