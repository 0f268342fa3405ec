/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "control/prefix.h"
#include "tests/random.h"

static struct asz_diag diag;
static struct asz_prefixes table;

static struct asz_prefix of(const char *text) {
  struct asz_prefix prefix;
  cr_assert_eq(asz_prefix_parse(&prefix, text), 0, "%s", text);
  return prefix;
}

static int read_text(const char *text, size_t size, enum asz_prefixes_form form) {
  FILE *in = fmemopen((void *)(uintptr_t)text, size, "r");
  cr_assert_not_null(in);
  asz_prefixes_free(&table);
  int err = asz_prefixes_read(&table, in, "t", form, &diag);
  fclose(in);
  return err;
}

static int read_as(const char *text, enum asz_prefixes_form form) {
  return read_text(text, strlen(text), form);
}

static void drop(void) {
  asz_prefixes_free(&table);
}

TestSuite(prefix, .fini = drop);

Test(prefix, wrong_text_is_refused)
{
  static const char *const wrong[] = {
      "",
      " ",
      "1",
      "1.2.3",
      "1.2.3.4.5",
      "256.0.0.1",
      "01.2.3.4",
      "1.2.3.4/",
      "1.2.3.4/33",
      "1.2.3.4/-1",
      "1.2.3.4/+8",
      "1.2.3.4 /32",
      "10.0.0.1/8",
      "0.0.0.1/0",
      "10.128.0.0/8",
      "/8",
      "10.0.0.0/08x",
      "::1/127",
      "2001:db8::/129",
      "2001:db8::1/32",
      ":::",
      "g::",
      "::ffff:192.0.2.1",
      "fe80::1%eth0",
      "192.0.2.0/24/24",
      "2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/32",
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    struct asz_prefix prefix = {.bits = 7};
    cr_assert_neq(asz_prefix_parse(&prefix, wrong[i]), 0, "\"%s\"", wrong[i]);
    cr_assert_eq(prefix.bits, 7, "untouched");
  }
}

Test(prefix, text_comes_back)
{
  static const char *const right[] = {"0.0.0.0/0", "10.0.0.0/8",    "192.0.2.128/25", "192.0.2.7", "255.255.255.255",
                                      "::/0",      "2001:db8::/32", "2001:db8::1",    "fe80::/10"};
  for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
    char text[ASZ_PREFIX_TEXT];
    struct asz_prefix prefix = of(right[i]);
    cr_assert_str_eq(asz_prefix_format(text, &prefix), right[i]);
  }
  struct asz_prefix whole = of("192.0.2.7/32"), alone = of("192.0.2.7");
  cr_assert_eq(asz_prefix_compare(&whole, &alone), 0);
}

Test(prefix, families_never_meet)
{
  struct asz_prefix all6 = of("::/0"), all4 = of("0.0.0.0/0"), four = of("192.0.2.1"), six = of("2001:db8::1");
  cr_assert_not(asz_prefix_has(&all6, &four));
  cr_assert_not(asz_prefix_has(&all4, &six));
  cr_assert(asz_prefix_has(&all6, &six));
  cr_assert(asz_prefix_has(&all4, &four));
  cr_assert_eq(read_as("::/0\n", ASZ_PREFIXES_LIST), 0, "%s", diag.text);
  cr_assert_null(asz_prefixes_find(&table, &four));
  cr_assert_not_null(asz_prefixes_find(&table, &six));
}

Test(prefix, broken_file_is_named_by_file_and_line)
{
  static const struct {
    const char *text, *says;
    enum asz_prefixes_form form;
  } cases[] = {
      {"10.0.0.0/8\n\n10.0.0.1/8 # x\n", "t:3: expected an address or a prefix with zeros behind it", ASZ_PREFIXES_LIST},
      {"10.0.0.0/8 10.1.0.0/16\n", "t:1: expected an address", ASZ_PREFIXES_LIST},
      {"10.0.0.0/8,64500\n", "t:1: expected an address", ASZ_PREFIXES_LIST},
      {"provider\n", "got \"provider\"", ASZ_PREFIXES_LIST},
      {"10.0.0.0/8\n\x01\n", "t:2: expected text", ASZ_PREFIXES_LIST},
      {"10.0.0.0/8\n", "t:1: expected prefix,asn", ASZ_PREFIXES_MAP},
      {"10.0.0.0/8,\n", "t:1: expected an AS number", ASZ_PREFIXES_MAP},
      {"10.0.0.0/8,0\n", "t:1: expected an AS number", ASZ_PREFIXES_MAP},
      {"10.0.0.0/8,AS1\n", "t:1: expected an AS number", ASZ_PREFIXES_MAP},
      {"10.0.0.0/8,4294967296\n", "t:1: expected an AS number", ASZ_PREFIXES_MAP},
      {"10.0.0.0/8,1,2\n", "t:1: expected an AS number", ASZ_PREFIXES_MAP},
      {"10.0.0.0/8,1\n# same\n10.0.0.0/8,2\n", "t:3: 10.0.0.0/8: expected one AS, line 1 says AS1", ASZ_PREFIXES_MAP},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    cr_assert_neq(read_as(cases[i].text, cases[i].form), 0, "%s", cases[i].text);
    cr_assert_not_null(strstr(diag.text, cases[i].says), "%s", diag.text);
    cr_assert_eq(table.count, 0);
  }
  cr_assert_neq(read_text("10.0.0.0/8\0 1\n", 13, ASZ_PREFIXES_LIST), 0, "NUL");
  char longer[ASZ_PREFIXES_LINE_MAX + 3];
  memset(longer, '#', sizeof longer);
  cr_assert_neq(read_text(longer, sizeof longer, ASZ_PREFIXES_LIST), 0);
  cr_assert_not_null(strstr(diag.text, "t:1: expected at most 1024 characters"), "%s", diag.text);
}

Test(prefix, comments_blanks_and_line_ends_mean_nothing)
{
  cr_assert_eq(read_as("# who asked us to stay away\r\n\n  192.0.2.1\t# alpha\r\n10.0.0.0/8#\n10.0.0.0/8\n198.51.100.0/24",
                       ASZ_PREFIXES_LIST),
               0, "%s", diag.text);
  cr_assert_eq(table.count, 3);
  cr_assert_eq(read_as(" 192.0.2.0/24 , 64500 # doc\n192.0.2.0/24,64500\n", ASZ_PREFIXES_MAP), 0, "%s", diag.text);
  cr_assert_eq(table.count, 1);
  cr_assert_eq(table.entry[0].asn, 64500);
  cr_assert_eq(read_as("#\n", ASZ_PREFIXES_LIST), 0, "an empty list denies nobody");
  cr_assert_eq(table.count, 0);
  struct asz_prefix any = of("192.0.2.1");
  cr_assert_null(asz_prefixes_find(&table, &any));
}

Test(prefix, file_that_is_none_is_an_error)
{
  cr_assert_eq(asz_prefixes_load(&table, "/nonexistent/deny", ASZ_PREFIXES_LIST, &diag), ASZ_ENOENT);
  cr_assert_eq(asz_prefixes_load(&table, "/", ASZ_PREFIXES_LIST, &diag), ASZ_EFORMAT);
}

/* Against the plain way: look at all of them. */
Test(prefix, longest_match_is_what_a_search_of_all_finds)
{
  enum { PREFIXES = 300, LOOKUPS = 5000 };
  struct asz_test_random random = asz_test_random_start(42);
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  for (unsigned i = 0; i < PREFIXES; i++) {
    char one[ASZ_PREFIX_TEXT];
    struct asz_prefix prefix; /* few bits set, so that many lie within others */
    asz_prefix_of_ipv4(&prefix, (uint32_t)asz_test_random_next(&random) & 0xc0c0c0c0,
                       (unsigned)(asz_test_random_next(&random) % 33));
    fprintf(out, "%s,%u\n", asz_prefix_format(one, &prefix), prefix.bits + 1u);
  }
  fclose(out);
  cr_assert_eq(read_text(text, size, ASZ_PREFIXES_MAP), 0, "%s", diag.text);
  free(text);
  for (unsigned i = 0; i < LOOKUPS; i++) {
    struct asz_prefix what;
    asz_prefix_of_ipv4(&what, (uint32_t)asz_test_random_next(&random) & 0xc0c0c0c1, 32);
    const struct asz_prefix_entry *best = NULL;
    for (size_t n = 0; n < table.count; n++)
      if (asz_prefix_has(&table.entry[n].prefix, &what) && (!best || table.entry[n].prefix.bits > best->prefix.bits))
        best = &table.entry[n];
    cr_assert_eq(asz_prefixes_find(&table, &what), best, "seed %lu", (unsigned long)random.seed);
  }
}
