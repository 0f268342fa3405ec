/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "control/parse.h"
#include "control/suggest.h"

Test(parse, numbers_are_digits_and_nothing_else)
{
  static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1e3", "1.0", "1,000", "one", "\n"};
  uint64_t value = 77;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    cr_assert_eq(asz_parse_u64(bad[i], 0, UINT64_MAX, &value), ASZ_EFORMAT, "\"%s\"", bad[i]);
  cr_assert_eq(value, 77);
}

Test(parse, numbers_stay_within_their_range)
{
  uint64_t value = 77;
  cr_assert_eq(asz_parse_u64("18446744073709551616", 0, UINT64_MAX, &value), ASZ_ERANGE);
  cr_assert_eq(asz_parse_u64("4", 5, 9, &value), ASZ_ERANGE);
  cr_assert_eq(asz_parse_u64("10", 5, 9, &value), ASZ_ERANGE);
  cr_assert_eq(value, 77);
  cr_assert_eq(asz_parse_u64("18446744073709551615", 0, UINT64_MAX, &value), 0);
  cr_assert_eq(value, UINT64_MAX);
  cr_assert_eq(asz_parse_u64("0009", 5, 9, &value), 0);
  cr_assert_eq(value, 9);
}

Test(parse, addresses_are_whole_dotted_quads)
{
  static const char *const bad[] = {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4 ", "01.2.3.4", "0x1.2.3.4", "::1", "host"};
  uint32_t ipv4 = 77;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    cr_assert_eq(asz_parse_ipv4(bad[i], &ipv4), ASZ_EFORMAT, "\"%s\"", bad[i]);
  cr_assert_eq(ipv4, 77);
  cr_assert_eq(asz_parse_ipv4("192.0.2.1", &ipv4), 0);
  cr_assert_eq(ipv4, 0xc0000201);
}

Test(suggest, far_words_have_no_neighbour)
{
  static const char *const names[] = {"init", "provider", "status"};
  cr_assert_null(asz_suggest("", names, 3));
  cr_assert_null(asz_suggest("xyzzy", names, 3));
  cr_assert_null(asz_suggest("sta", names, 3));
  cr_assert_null(asz_suggest("status", names, 0));
  char longest[200];
  for (size_t i = 0; i < sizeof longest; i++)
    longest[i] = 's';
  longest[sizeof longest - 1] = '\0';
  cr_assert_null(asz_suggest(longest, names, 3));
}

Test(suggest, slips_find_the_word_that_was_meant)
{
  static const char *const names[] = {"init", "provider", "status", "--rtt-target-ms"};
  cr_assert_str_eq(asz_suggest("statsu", names, 4), "status");
  cr_assert_str_eq(asz_suggest("statu", names, 4), "status");
  cr_assert_str_eq(asz_suggest("inti", names, 4), "init");
  cr_assert_str_eq(asz_suggest("providers", names, 4), "provider");
  cr_assert_str_eq(asz_suggest("--rtt-target", names, 4), "--rtt-target-ms");
}
