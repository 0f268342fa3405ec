/* SPDX-License-Identifier: Apache-2.0 */
/* Every backend that this machine supports, with every shape of table, against libsodium. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/base/identity.h"
#include "gpu/kinds/sig.h"
#include "gpu/simd/sig.h"
#include "tests/gpu/simd/sig_set.h"

Test(sig_simd, small_order_points_are_refused_as_key_and_as_r)
{
  struct asz_sig_cases cases = asz_sig_cases_new(1);
  asz_sig_cases_add_small_order(&cases);
  cr_assert_eq(asz_sig_set_check(&cases, ASZ_SIG_TABLE_SMALL), 0);
}

Test(sig_simd, y_from_p_on_is_refused_as_key_and_as_r)
{
  struct asz_sig_cases cases = asz_sig_cases_new(2);
  asz_sig_cases_add_non_canonical(&cases);
  cr_assert_eq(asz_sig_set_check(&cases, ASZ_SIG_TABLE_SMALL), 0);
}

Test(sig_simd, s_from_l_on_is_refused)
{
  struct asz_sig_cases cases = asz_sig_cases_new(3);
  asz_sig_cases_add_large_s(&cases, 50);
  asz_sig_set_check(&cases, ASZ_SIG_TABLE_SMALL);
}

Test(sig_simd, every_flipped_bit_is_noticed)
{
  struct asz_sig_cases cases = asz_sig_cases_new(4);
  asz_sig_cases_add_flips(&cases, 3);
  cr_assert_eq(asz_sig_set_check(&cases, ASZ_SIG_TABLE_DEFAULT), 0);
}

Test(sig_simd, noise_gets_the_verdict_of_libsodium)
{
  struct asz_sig_cases cases = asz_sig_cases_new(5);
  asz_sig_cases_add_noise(&cases, 2000);
  cr_assert_eq(asz_sig_set_check(&cases, ASZ_SIG_TABLE_DEFAULT), 250, "one in eight is left whole");
}

Test(sig_simd, mixed_order_keys_pass_only_when_the_equation_without_cofactor_holds)
{
  struct asz_sig_cases cases = asz_sig_cases_new(6);
  asz_sig_cases_add_mixed_order(&cases, 1024);
  size_t passed = asz_sig_set_check(&cases, ASZ_SIG_TABLE_DEFAULT);
  cr_assert(passed > 1024 / 16 && passed < 1024 / 4, "%zu of 1024: about one in eight should", passed);
}

/* Every message length, and each shape of table that there is: their sizes are found by asking for a little less each time. */
Test(sig_simd, valid_signatures_pass_with_every_shape_of_table)
{
  unsigned shapes = 0;
  for (size_t bytes = asz_sig_keys_table_bytes(SIZE_MAX); bytes; bytes = asz_sig_keys_table_bytes(bytes - 1), shapes++) {
    struct asz_sig_cases cases = asz_sig_cases_new(7 + shapes);
    asz_sig_cases_add_valid(&cases, 176);
    asz_sig_cases_add_noise(&cases, 16);
    cr_assert_eq(asz_sig_set_check(&cases, bytes), 178);
  }
  cr_assert_eq(shapes, 8);
}

Test(sig_simd, cctv_vectors_get_the_verdict_of_libsodium)
{
  struct asz_sig_cases cases = asz_sig_cases_new(0);
  asz_sig_cases_add_cctv(&cases);
  cr_assert_eq(cases.count, 914);
  cr_assert_eq(asz_sig_set_check(&cases, ASZ_SIG_TABLE_DEFAULT), 43);
}

Test(sig_simd, speccheck_accepts_case_3_alone)
{
  struct asz_sig_cases cases = asz_sig_cases_new(0);
  asz_sig_cases_add_speccheck(&cases);
  cr_assert_eq(cases.count, 12);
  cr_assert_eq(asz_sig_set_check(&cases, ASZ_SIG_TABLE_DEFAULT), 1);
}

Test(sig_simd, known_answers_hold)
{
  struct asz_sig_cases cases = asz_sig_cases_new(0);
  asz_sig_cases_add_valid(&cases, ASZ_SIG_KNOWN_COUNT); /* overwritten */
  size_t passes = 0;
  for (size_t i = 0; i < ASZ_SIG_KNOWN_COUNT; i++) {
    const struct asz_sig_known *known = &asz_sig_known_answers[i];
    struct asz_sig_case *item = &cases.item[i];
    snprintf(item->name, sizeof item->name, "%s", known->name);
    item->message_bytes = (uint8_t)(strlen(known->message) / 2);
    cr_assert_eq(asz_hex_decode(item->public_key, 32, known->public_key), ASZ_OK);
    cr_assert_eq(asz_hex_decode(item->signature, 64, known->signature), ASZ_OK);
    cr_assert_eq(asz_hex_decode(item->message, item->message_bytes, known->message), ASZ_OK);
    passes += known->verdict == ASZ_VERDICT_PASS;
  }
  cr_assert_eq(asz_sig_set_check(&cases, ASZ_SIG_TABLE_LARGE), passes);
}

/* Every count around the tails of lanes and groups; what is next to the items must stay as it was. */
Test(sig_simd, any_number_of_items_is_judged_and_no_verdict_beside_them_is_written)
{
  struct asz_sig_cases cases = asz_sig_cases_new(20);
  asz_sig_cases_add_valid(&cases, 60);
  asz_sig_cases_add_noise(&cases, 500);
  struct asz_sig_set set = asz_sig_set_new(&cases, ASZ_SIG_TABLE_SMALL);
  unsigned at = 0;
  for (const struct asz_sig_backend *backend; (backend = asz_sig_set_backend(&at));)
    for (uint32_t count = 0; count <= 520; count += count < 40 || count >= 255 ? 1 : 5) {
      if (count == 260)
        count = 510;
      uint32_t first = count % 7;
      memset(set.items.verdict, 0xee, cases.count);
      struct asz_sig_items items = asz_sig_set_part(&set, first, count);
      backend->judge(set.keys, &items);
      for (uint32_t i = 0; i < cases.count; i++) {
        bool inside = i >= first && i < first + count;
        cr_assert_eq(set.items.verdict[i], inside ? set.expected[i] : 0xee, "%s, %u items from %u, item %u, seed %lu",
                     backend->name, count, first, i, cases.random.seed);
      }
    }
  asz_sig_set_free(&set);
  asz_sig_cases_free(&cases);
}

/* All patterns of good and bad over 8 lanes, the bad ones bad in each way in turn. */
Test(sig_simd, a_bad_item_does_not_touch_its_neighbours)
{
  struct asz_sig_cases cases = asz_sig_cases_new(21);
  asz_sig_cases_add_valid(&cases, 1);
  asz_sig_cases_add_valid(&cases, 7); /* one good key, six good and bad ones */
  for (unsigned i = 2; i < 8; i++)
    cases.item[i] = cases.item[1];
  memset(cases.item[2].public_key, 0xff, 32); /* not canonical */
  memset(cases.item[3].public_key, 0, 32);    /* small order */
  cases.item[4].signature[0] ^= 1;
  cases.item[5].signature[63] |= 0xf0;
  cases.item[6].message[0] ^= 1; /* of no bytes: still good */
  cases.item[7].message_bytes = 200;
  struct asz_sig_set set = asz_sig_set_new(&cases, ASZ_SIG_TABLE_SMALL);
  uint32_t *key = asz_sig_set_take(8 * 256, sizeof *key);
  struct asz_sig_items items = {.count = 8 * 256, .key = key};
  uint8_t(*signature)[64] = asz_sig_set_take(items.count, 64),
  (*message)[ASZ_SIG_MESSAGE_MAX + 1] = asz_sig_set_take(items.count, sizeof *message);
  uint8_t *message_bytes = asz_sig_set_take(items.count, 1), *expected = asz_sig_set_take(items.count, 1);
  for (uint32_t i = 0; i < items.count; i++) {
    uint32_t from = i / 8 >> i % 8 & 1 ? i % 3 == 0 ? 0 : 1 : 2 + (i / 8 + i) % 6;
    key[i] = set.items.key[from];
    memcpy(signature[i], set.items.signature[from], 64);
    memcpy(message[i], set.items.message[from], sizeof *message);
    message_bytes[i] = set.items.message_bytes[from];
    expected[i] = set.expected[from];
  }
  items.signature = (const uint8_t(*)[64])signature;
  items.message = (const uint8_t(*)[ASZ_SIG_MESSAGE_MAX + 1]) message;
  items.message_bytes = message_bytes;
  items.verdict = asz_sig_set_take(items.count, 1);
  unsigned at = 0;
  for (const struct asz_sig_backend *backend; (backend = asz_sig_set_backend(&at));) {
    memset(items.verdict, 0, items.count);
    backend->judge(set.keys, &items);
    cr_assert_arr_eq(items.verdict, expected, items.count, "%s", backend->name);
  }
  free(key);
  free(signature);
  free(message);
  free(message_bytes);
  free(expected);
  free(items.verdict);
  asz_sig_set_free(&set);
  asz_sig_cases_free(&cases);
}

Test(sig_simd, an_item_whose_key_is_not_set_is_unjudged)
{
  struct asz_sig_cases cases = asz_sig_cases_new(22);
  asz_sig_cases_add_valid(&cases, 3);
  struct asz_sig_set set = asz_sig_set_new(&cases, ASZ_SIG_TABLE_SMALL);
  struct asz_sig_keys *keys;
  cr_assert_eq(asz_sig_keys_new(&keys, 3, ASZ_SIG_TABLE_SMALL), ASZ_OK);
  cr_assert_eq(asz_sig_keys_set(keys, 2, cases.item[2].public_key), ASZ_OK);
  cr_assert_eq(asz_sig_keys_set(keys, 3, cases.item[2].public_key), ASZ_ERANGE);
  cr_assert_null(asz_sig_keys_get(keys, 0));
  cr_assert_null(asz_sig_keys_get(keys, 3));
  cr_assert_arr_eq(asz_sig_keys_get(keys, 2), cases.item[2].public_key, 32);
  memcpy((void *)set.items.key, (uint32_t[]){0, 3, 2}, 3 * sizeof(uint32_t));
  const uint8_t expected[3] = {ASZ_VERDICT_UNJUDGED, ASZ_VERDICT_UNJUDGED, ASZ_VERDICT_PASS};
  unsigned at = 0;
  for (const struct asz_sig_backend *backend; (backend = asz_sig_set_backend(&at));) {
    memset(set.items.verdict, 0, 3);
    backend->judge(keys, &set.items);
    cr_assert_arr_eq(set.items.verdict, expected, 3, "%s", backend->name);
  }
  asz_sig_keys_free(keys);
  asz_sig_set_free(&set);
  asz_sig_cases_free(&cases);
}

Test(sig_simd, a_key_takes_the_place_of_another)
{
  struct asz_sig_cases cases = asz_sig_cases_new(23);
  asz_sig_cases_add_valid(&cases, 3);
  memset(cases.item[1].public_key, 0, 32);
  struct asz_sig_set set = asz_sig_set_new(&cases, ASZ_SIG_TABLE_SMALL);
  struct asz_sig_keys *keys;
  cr_assert_eq(asz_sig_keys_new(&keys, 1, ASZ_SIG_TABLE_SMALL), ASZ_OK);
  memset((void *)set.items.key, 0, 3 * sizeof(uint32_t));
  for (unsigned turn = 0; turn < 6; turn++) {
    cr_assert_eq(asz_sig_keys_set(keys, 0, cases.item[turn % 3].public_key), ASZ_OK);
    unsigned at = 0;
    for (const struct asz_sig_backend *backend; (backend = asz_sig_set_backend(&at));) {
      backend->judge(keys, &set.items);
      for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(set.items.verdict[i], i == turn % 3 && i != 1 ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL, "%s", backend->name);
    }
  }
  asz_sig_keys_free(keys);
  asz_sig_set_free(&set);
  asz_sig_cases_free(&cases);
}

Test(sig_simd, impossible_sizes_are_refused)
{
  struct asz_sig_keys *keys = NULL;
  size_t smallest = asz_sig_keys_table_bytes(ASZ_SIG_TABLE_SMALL);
  while (asz_sig_keys_table_bytes(smallest - 1))
    smallest = asz_sig_keys_table_bytes(smallest - 1);
  cr_assert_eq(asz_sig_keys_new(&keys, 1, smallest - 1), ASZ_EINVAL);
  cr_assert_eq(asz_sig_keys_new(&keys, 0, smallest), ASZ_EINVAL);
  cr_assert_eq(asz_sig_keys_new(&keys, (1 << 24) + 1, smallest), ASZ_EINVAL);
  cr_assert_null(keys);
  cr_assert_eq(asz_sig_keys_footprint(0, smallest), 0);
  cr_assert_eq(asz_sig_keys_footprint(1, smallest - 1), 0);
  cr_assert_geq(asz_sig_keys_footprint(1000, smallest), 1000 * smallest);
  asz_sig_keys_free(NULL);
}

Test(sig_simd, thousands_of_items_of_every_kind_get_the_verdict_of_libsodium)
{
  struct asz_sig_cases cases = asz_sig_cases_new(24);
  asz_sig_set_storm(&cases, 16000); /* test_sig_simd_many.c has more */
  size_t passed = asz_sig_set_check(&cases, ASZ_SIG_TABLE_SMALL);
  cr_assert(passed > 16000 / 4 && passed < 16000 / 2, "%zu of 16000", passed);
}

Test(sig_simd, the_best_backend_is_supported)
{
  cr_assert(asz_sig_backends[0]->supported());
  cr_assert(asz_sig_backend_best()->supported());
}
