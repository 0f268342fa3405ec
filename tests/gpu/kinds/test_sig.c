/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's arithmetic, compiled by the host's compiler, against libsodium. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/identity.h"
#include "gpu/kinds/sig.h"
#include "tests/gpu/sig_cases.h"

static void judge_on_host(uint8_t *ret_verdict, const struct asz_sig_case *item, size_t count) {
  for (size_t i = 0; i < count; i++)
    ret_verdict[i] = asz_sig_judge(item[i].public_key, item[i].signature, item[i].message, item[i].message_bytes);
}

Test(sig, a_message_over_the_limit_is_malformed_and_never_read)
{
  uint8_t key[32] = {0}, signature[64] = {0};
  cr_assert_eq(asz_sig_judge(key, signature, NULL, ASZ_SIG_MESSAGE_MAX + 1), ASZ_VERDICT_MALFORMED);
  cr_assert_eq(asz_sig_judge(key, signature, NULL, UINT32_MAX), ASZ_VERDICT_MALFORMED);
}

Test(sig, small_order_points_are_refused_as_key_and_as_r)
{
  struct asz_sig_cases cases = asz_sig_cases_new(1);
  asz_sig_cases_add_small_order(&cases);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_on_host), 0);
  asz_sig_cases_free(&cases);
}

Test(sig, y_from_p_on_is_refused_as_key_and_as_r)
{
  struct asz_sig_cases cases = asz_sig_cases_new(2);
  asz_sig_cases_add_non_canonical(&cases);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_on_host), 0);
  asz_sig_cases_free(&cases);
}

Test(sig, s_from_l_on_is_refused)
{
  struct asz_sig_cases cases = asz_sig_cases_new(3);
  asz_sig_cases_add_large_s(&cases, 50);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_on_host), 0);
  asz_sig_cases_free(&cases);
}

Test(sig, every_flipped_bit_is_noticed)
{
  struct asz_sig_cases cases = asz_sig_cases_new(4);
  asz_sig_cases_add_flips(&cases, 3);
  cr_assert_eq(cases.count, 3 * (32 + 64) * 8 + (98 + 49) * 8);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_on_host), 0);
  asz_sig_cases_free(&cases);
}

Test(sig, noise_gets_the_verdict_of_libsodium)
{
  struct asz_sig_cases cases = asz_sig_cases_new(5);
  asz_sig_cases_add_noise(&cases, 2000);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_on_host), 250, "one in eight is left whole");
  asz_sig_cases_free(&cases);
}

Test(sig, mixed_order_keys_pass_only_when_the_equation_without_cofactor_holds)
{
  struct asz_sig_cases cases = asz_sig_cases_new(6);
  asz_sig_cases_add_mixed_order(&cases, 2048);
  size_t passed = asz_sig_cases_check(&cases, judge_on_host);
  cr_assert(passed > 2048 / 16 && passed < 2048 / 4, "%zu of 2048: about one in eight should", passed);
  asz_sig_cases_free(&cases);
}

Test(sig, valid_signatures_of_every_message_length_pass)
{
  struct asz_sig_cases cases = asz_sig_cases_new(7);
  asz_sig_cases_add_valid(&cases, 3000);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_on_host), 3000);
  asz_sig_cases_free(&cases);
}

Test(sig, cctv_vectors_get_the_verdict_of_libsodium)
{
  struct asz_sig_cases cases = asz_sig_cases_new(0);
  asz_sig_cases_add_cctv(&cases);
  cr_assert_eq(cases.count, 914);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_on_host), 43);
  asz_sig_cases_free(&cases);
}

Test(sig, speccheck_accepts_case_3_alone)
{
  struct asz_sig_cases cases = asz_sig_cases_new(0);
  asz_sig_cases_add_speccheck(&cases);
  cr_assert_eq(cases.count, 12);
  cr_assert_eq(asz_sig_cases_check(&cases, judge_on_host), 1);
  const struct asz_sig_case *third = &cases.item[3];
  cr_assert_eq(asz_sig_judge(third->public_key, third->signature, third->message, third->message_bytes), ASZ_VERDICT_PASS);
  asz_sig_cases_free(&cases);
}

Test(sig, known_answers_hold_here_and_in_libsodium)
{
  for (size_t i = 0; i < ASZ_SIG_KNOWN_COUNT; i++) {
    const struct asz_sig_known *known = &asz_sig_known_answers[i];
    uint8_t key[32], signature[64], message[ASZ_SIG_MESSAGE_MAX];
    size_t message_bytes = strlen(known->message) / 2;
    cr_assert_eq(asz_hex_decode(key, 32, known->public_key), ASZ_OK);
    cr_assert_eq(asz_hex_decode(signature, 64, known->signature), ASZ_OK);
    cr_assert_eq(asz_hex_decode(message, message_bytes, known->message), ASZ_OK);
    cr_assert_eq(asz_sig_judge(key, signature, message, (unsigned)message_bytes), known->verdict, "%s", known->name);
    cr_assert_eq(asz_verify_sig_one(key, signature, message, message_bytes), known->verdict, "%s", known->name);
  }
}

Test(sig, the_hash_is_sha512_modulo_l_at_every_length)
{
  struct asz_test_random random = asz_test_random_start(8);
  uint8_t input[64 + ASZ_SIG_MESSAGE_MAX];
  asz_test_random_bytes(&random, input, sizeof input);
  for (unsigned length = 0; length <= ASZ_SIG_MESSAGE_MAX; length++) {
    uint8_t digest[64], expected[32];
    crypto_hash_sha512(digest, input, 64 + length);
    crypto_core_ed25519_scalar_reduce(expected, digest);
    struct asz_sc actual = asz_sig_hash(input, input + 32, input + 64, length);
    cr_assert_arr_eq(actual.v, expected, 32, "length %u, seed %lu", length, random.seed);
  }
}
