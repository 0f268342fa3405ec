/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/table.h"

Test(table, durations_keep_three_digits)
{
  static const struct {
    uint64_t ns;
    const char *text;
  } cases[] = {{0, "0 ns"},
               {999, "999 ns"},
               {1000, "1.00 us"},
               {4074, "4.07 us"},
               {12345, "12.3 us"},
               {999499, "999 us"},
               {1000000, "1.00 ms"},
               {12345678, "12.3 ms"},
               {100000000, "100 ms"},
               {1500000000, "1.50 s"},
               {1000000000, "1.00 s"},
               {9995, "10.00 us"},
               {3600000000000, "3600 s"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    cr_expect_str_eq(asz_text_ns(ASZ_TEXT, cases[i].ns), cases[i].text);
}

Test(table, spans_have_two_units_at_most)
{
  cr_expect_str_eq(asz_text_span(ASZ_TEXT, 0), "0 s");
  cr_expect_str_eq(asz_text_span(ASZ_TEXT, 59), "59 s");
  cr_expect_str_eq(asz_text_span(ASZ_TEXT, 61), "1 min 1 s");
  cr_expect_str_eq(asz_text_span(ASZ_TEXT, 3599), "59 min");
  cr_expect_str_eq(asz_text_span(ASZ_TEXT, 3600), "1 h");
  cr_expect_str_eq(asz_text_span(ASZ_TEXT, 12000), "3 h 20 min");
  cr_expect_str_eq(asz_text_span(ASZ_TEXT, 86400 * 6 + 3600 * 4), "6 d 4 h");
}

Test(table, shares_never_round_up_to_all)
{
  cr_expect_str_eq(asz_text_ppm(ASZ_TEXT, 1000000), "100 %");
  cr_expect_str_eq(asz_text_ppm(ASZ_TEXT, 999999), "99.9999 %");
  cr_expect_str_eq(asz_text_ppm(ASZ_TEXT, 999980), "99.998 %");
  cr_expect_str_eq(asz_text_ppm(ASZ_TEXT, 500000), "50 %");
  cr_expect_str_eq(asz_text_ppm(ASZ_TEXT, 1), "0.0001 %");
  cr_expect_str_eq(asz_text_ppm(ASZ_TEXT, 0), "0 %");
}

Test(table, large_numbers_are_grouped)
{
  cr_expect_str_eq(asz_text_count(ASZ_TEXT, 0), "0");
  cr_expect_str_eq(asz_text_count(ASZ_TEXT, 999), "999");
  cr_expect_str_eq(asz_text_count(ASZ_TEXT, 1000), "1,000");
  cr_expect_str_eq(asz_text_count(ASZ_TEXT, UINT64_MAX), "18,446,744,073,709,551,615");
}

Test(table, sizes_and_e_values_fit_every_input)
{
  cr_expect_str_eq(asz_text_bytes(ASZ_TEXT, 1023), "1023 B");
  cr_expect_str_eq(asz_text_bytes(ASZ_TEXT, 1024), "1.0 KiB");
  cr_expect_str_eq(asz_text_bytes(ASZ_TEXT, 3 << 19), "1.5 MiB");
  cr_expect_str_eq(asz_text_bytes(ASZ_TEXT, UINT64_MAX), "15.9 EiB");
  cr_expect_str_eq(asz_text_q32(ASZ_TEXT, 0), "0.000");
  cr_expect_str_eq(asz_text_q32(ASZ_TEXT, UINT64_C(3) << 31), "1.500");
  cr_expect_str_eq(asz_text_q32(ASZ_TEXT, UINT64_C(12345) << 32), "12,345");
  cr_expect_str_eq(asz_text_q32(ASZ_TEXT, UINT64_C(1830000) << 32), "1.83e+06");
}

Test(table, times_are_utc_and_zero_is_never)
{
  cr_expect_str_eq(asz_text_time(ASZ_TEXT, 0), "never");
  cr_expect_str_eq(asz_text_time(ASZ_TEXT, UINT64_C(1000000000) * 1000000000), "2001-09-09 01:46:40Z");
  cr_expect_str_eq(asz_text_ipv4(ASZ_TEXT, 0xc0000201), "192.0.2.1");
}

Test(table, columns_follow_their_widest_cell)
{
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  struct asz_table *table = asz_table_new("lrl");
  static const char *const cells[] = {"name", "n", "why", "a", "1000", "short", "longer", "2", ""};
  for (size_t i = 0; i < 9; i++)
    asz_table_cell(table, cells[i]);
  cr_assert_eq(asz_table_print(table, out), 0);
  fclose(out);
  cr_expect_str_eq(text, "name       n  why\na       1000  short\nlonger     2  \n");
  free(text);
}
