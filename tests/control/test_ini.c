/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "control/ini.h"

/* What was visited, as text: "LINE[section]" and "LINE key=value", each on a line of its own. */
static int write_down(void *context, const struct asz_ini_item *item, struct asz_diag *diag) {
  (void)diag;
  if (item->key)
    fprintf(context, "%u %s.%s=%s\n", item->line, item->section, item->key, item->value);
  else
    fprintf(context, "%u [%s]\n", item->line, item->section);
  return 0;
}

static int read_bytes(const char *text, size_t size, char *ret_seen, size_t capacity, struct asz_diag *diag) {
  FILE *in = fmemopen((void *)(uintptr_t)text, size, "r"), *out = fmemopen(ret_seen, capacity, "w");
  cr_assert(in && out);
  int err = asz_ini_read(in, "f.ini", write_down, out, diag);
  fclose(in);
  fclose(out);
  return err;
}

static void expect_error(const char *text, size_t size, int err, const char *line) {
  char seen[4096] = "";
  struct asz_diag diag = {""};
  cr_assert_eq(read_bytes(text, size, seen, sizeof seen, &diag), err, "%s: %s", text, diag.text);
  cr_assert(strstr(diag.text, line), "expected \"%s\" in \"%s\"", line, diag.text);
}

Test(ini, refuses_what_inih_would_silently_bend)
{
  static const struct {
    const char *text, *line;
  } bad[] = {
      {"[a]\nkey: value\n", "f.ini:2: expected key = value, got \"key: value\""},
      {"[a]\nkey\n", "f.ini:2: expected key = value"},
      {"[a]\n= value\n", "f.ini:2: expected key = value"},
      {"[a]\nkey ; = value\n", "f.ini:2: expected key = value"},
      {"key = value\n", "f.ini:1: expected a [section]"},
      {"\n\n[a\n", "f.ini:3: expected [section]"},
      {"[]\n", "f.ini:1: expected [section]"},
      {"[a;b]\n", "f.ini:1: expected [section]"},
      {"[a] key = value\n", "f.ini:1: expected [section]"},
      {"[abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz]\n", "f.ini:1: expected [section] with a name of 1 to 48"},
      {"[a]\nkey = \x01\n", "f.ini:2: expected text, got the byte 0x01"},
      {"[a]\nkey = \x1b[2J\n", "f.ini:2: expected text, got the byte 0x1b"},
      {"[a]\nkey = \x7f\n", "f.ini:2: expected text, got the byte 0x7f"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    expect_error(bad[i].text, strlen(bad[i].text), ASZ_EFORMAT, bad[i].line);
}

Test(ini, refuses_a_nul_byte)
{ expect_error("[a]\nk = 1\0 2\n", 13, ASZ_EFORMAT, "f.ini:2: expected text, got the byte 0x00"); }

Test(ini, refuses_a_line_that_inih_would_split)
{
  char text[512] = "[a]\nkey = ", seen[512] = "";
  memset(text + strlen(text), 'x', ASZ_INI_LINE_MAX - 6);
  cr_assert_eq(read_bytes(text, strlen(text), seen, sizeof seen, NULL), 0, "a line of the full length is read");
  cr_assert_eq(strlen(seen), strlen("1 [a]\n2 a.key=\n") + ASZ_INI_LINE_MAX - 6);
  strcat(text, "x");
  expect_error(text, strlen(text), ASZ_EFORMAT, "f.ini:2: expected a line of at most 198 characters");
}

static int refuse_the_second(void *context, const struct asz_ini_item *item, struct asz_diag *diag) {
  unsigned *visits = context;
  return ++*visits == 2 ? asz_diag_set(diag, ASZ_ERANGE, "line %u", item->line) : 0;
}

Test(ini, stops_when_its_visitor_refuses)
{
  char text[] = "[a]\nb = 1\nb = 2\n";
  struct asz_diag diag = {""};
  unsigned visits = 0;
  FILE *in = fmemopen(text, strlen(text), "r");
  cr_assert_not_null(in);
  cr_assert_eq(asz_ini_read(in, "f.ini", refuse_the_second, &visits, &diag), ASZ_ERANGE);
  cr_assert_eq(visits, 2);
  cr_assert_str_eq(diag.text, "line 2");
  fclose(in);
}

Test(ini, counts_lines_and_strips_what_means_nothing)
{
  static const char text[] =
      "\xef\xbb\xbf# a comment\r\n\n  [one] ; why\n\tk = v ; more\n   k2=a=b:c\r\n; k3 = 1\n[two]\nempty =\nlast = end";
  char seen[512] = "";
  struct asz_diag diag = {""};
  cr_assert_eq(read_bytes(text, sizeof text - 1, seen, sizeof seen, &diag), 0, "%s", diag.text);
  cr_assert_str_eq(seen, "3 [one]\n4 one.k=v\n5 one.k2=a=b:c\n7 [two]\n8 two.empty=\n9 two.last=end\n");
}

Test(ini, reports_a_stream_that_cannot_be_read)
{
  FILE *directory = fopen("/", "r");
  struct asz_diag diag = {""};
  unsigned none = 0;
  cr_assert_not_null(directory);
  cr_assert_eq(asz_ini_read(directory, "/", write_down, &none, &diag), ASZ_EIO);
  cr_assert(strstr(diag.text, "/: cannot read"), "%s", diag.text);
  fclose(directory);
}
