/* SPDX-License-Identifier: Apache-2.0 */
/* Deterministic CBOR: one encoding for everything. Expected bytes are those of RFC 8949, appendix A. */
#include <criterion/criterion.h>
#include <string.h>

#include "control/evidence/strict_cbor.h"

static struct asz_cbor_reader over(const char *bytes, size_t size, struct asz_diag *diag) {
  struct asz_cbor_reader reader;
  asz_cbor_start(&reader, (const uint8_t *)bytes, size, "test", diag);
  return reader;
}
#define OVER(literal, diag) over(literal, sizeof(literal) - 1, diag)

Test(strict_cbor, integers_in_longer_forms_than_needed_and_other_types_are_refused)
{
  static const struct {
    const char *bytes;
    size_t size;
  } bad[] = {
      {"\x18\x17", 2},
      {"\x18\x00", 2},
      {"\x19\x00\xff", 3},
      {"\x1a\x00\x00\xff\xff", 5},
      {"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", 9},
      {"\x1c", 1},
      {"\x1f", 1},
      {"\x20", 1},                                 /* -1 */
      {"\x38\x63", 2},                             /* -100 */
      {"\x40", 1},                                 /* h'' */
      {"\x60", 1},                                 /* "" */
      {"\x80", 1},                                 /* [] */
      {"\xa0", 1},                                 /* {} */
      {"\xc0\x00", 2},                             /* a tag */
      {"\xf4", 1},                                 /* false */
      {"\xf6", 1},                                 /* null */
      {"\xf9\x00\x00", 3},                         /* 0.0 */
      {"\xfa\x00\x00\x00\x00", 5},                 /* 0.0 */
      {"\xfb\x00\x00\x00\x00\x00\x00\x00\x00", 9}, /* 0.0 */
      {"\xff", 1},                                 /* break */
      {"\x19\x01", 2},                             /* cut short */
      {"", 0},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct asz_diag diag = {""};
    struct asz_cbor_reader reader = over(bad[i].bytes, bad[i].size, &diag);
    cr_assert_eq(asz_cbor_uint(&reader, UINT64_MAX), 0);
    cr_assert_eq(asz_cbor_end(&reader), ASZ_EFORMAT, "input %zu", i);
    cr_assert_neq(diag.text[0], 0);
  }
}

Test(strict_cbor, strings_of_indefinite_excessive_or_cut_length_are_refused)
{
  static const struct {
    const char *bytes;
    size_t size;
  } bad[] = {
      {"\x5f\x41\x61\xff", 4},                          /* indefinite */
      {"\x58\x01\x61", 3},                              /* long form */
      {"\x42\x61", 2},                                  /* cut */
      {"\x5a\xff\xff\xff\xff\x61", 6},                  /* 4 GiB */
      {"\x5b\xff\xff\xff\xff\xff\xff\xff\xff\x61", 10}, /* 2^64 - 1 */
      {"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff\x61", 10}, /* 2^63 - 1 */
      {"\x49\x61\x61\x61\x61\x61\x61\x61\x61\x61", 10}, /* 9 bytes, 8 allowed */
      {"\x61\x61", 2},                                  /* text */
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct asz_cbor_reader reader = over(bad[i].bytes, bad[i].size, NULL);
    size_t size = 1;
    cr_assert_null(asz_cbor_bytes(&reader, 8, &size));
    cr_assert_eq(size, 0);
    cr_assert_eq(asz_cbor_end(&reader), ASZ_EFORMAT, "input %zu", i);
  }
}

Test(strict_cbor, text_that_is_no_utf8_or_holds_control_characters_is_refused)
{
  static const struct {
    const char *bytes;
    size_t size;
  } bad[] = {{"\x61\xff", 2}, {"\x61\x00", 2}, {"\x61\x0a", 2}, {"\x61\x1b", 2}, {"\x61\x7f", 2}, {"\x64\x61\x61\x61\x61", 5}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct asz_cbor_reader reader = over(bad[i].bytes, bad[i].size, NULL);
    char text[4] = "x";
    asz_cbor_text(&reader, text, sizeof text, 0);
    cr_assert_str_eq(text, "");
    cr_assert_eq(asz_cbor_end(&reader), ASZ_EFORMAT, "input %zu", i);
  }
  struct asz_cbor_reader reader = OVER("\x62\x61\x0a", NULL);
  char text[4];
  asz_cbor_text(&reader, text, sizeof text, 1);
  cr_assert_str_eq(text, "a\n");
  cr_assert_eq(asz_cbor_end(&reader), 0);
}

Test(strict_cbor, maps_with_missing_unsorted_doubled_or_further_fields_are_refused_by_name)
{
  static const struct {
    const char *bytes;
    size_t size;
  } bad[] = {
      {"\xa1\x00\x07", 3},                 /* one field only */
      {"\xa2\x01\x07\x00\x08", 5},         /* unsorted */
      {"\xa2\x00\x07\x00\x08", 5},         /* doubled */
      {"\xa2\x00\x07\x02\x08", 5},         /* another key */
      {"\xa3\x00\x07\x01\x08\x02\x09", 7}, /* one too many */
      {"\xbf\x00\x07\x01\x08\xff", 6},     /* indefinite */
      {"\xb8\x02\x00\x07\x01\x08", 6},     /* long form */
      {"\xa2\x00\x07\x01\x08\x00", 6},     /* a byte behind it */
      {"\xa2\x00\x07\x61\x31\x08", 6},     /* text as key */
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct asz_diag diag = {""};
    struct asz_cbor_reader reader = over(bad[i].bytes, bad[i].size, &diag);
    asz_cbor_map(&reader, 2);
    asz_cbor_key(&reader, 0, "first");
    (void)asz_cbor_uint(&reader, 100);
    asz_cbor_key(&reader, 1, "second");
    (void)asz_cbor_uint(&reader, 100);
    cr_assert_eq(asz_cbor_end(&reader), ASZ_EFORMAT, "input %zu", i);
    if (i >= 1 && i <= 3)
      cr_assert_not_null(strstr(diag.text, i == 1 ? "first" : "second"), "%s", diag.text);
  }
}

Test(strict_cbor, an_array_longer_than_allowed_counts_as_none)
{
  struct asz_cbor_reader reader = OVER("\x9b\xff\xff\xff\xff\xff\xff\xff\xff", NULL);
  cr_assert_eq(asz_cbor_array(&reader, 64), 0);
  cr_assert_eq(asz_cbor_end(&reader), ASZ_EFORMAT);
}

Test(strict_cbor, a_full_buffer_is_an_error_that_stays)
{
  uint8_t buffer[4];
  struct asz_cbor_writer writer = {.data = buffer, .capacity = sizeof buffer};
  asz_cbor_put_bytes(&writer, "abcd", 4);
  cr_assert_eq(writer.err, ASZ_ETOOBIG);
  asz_cbor_put_uint(&writer, 0);
  cr_assert_eq(writer.err, ASZ_ETOOBIG);
  cr_assert_leq(writer.size, sizeof buffer);
}

Test(strict_cbor, the_writer_gives_the_bytes_of_the_specification_and_the_reader_reads_them)
{
  static const struct {
    uint64_t value;
    const char *bytes;
    size_t size;
  } known[] = {{0, "\x00", 1},
               {23, "\x17", 1},
               {24, "\x18\x18", 2},
               {255, "\x18\xff", 2},
               {256, "\x19\x01\x00", 3},
               {65536, "\x1a\x00\x01\x00\x00", 5},
               {1000000000000, "\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00", 9},
               {UINT64_MAX, "\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 9}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    uint8_t buffer[16];
    struct asz_cbor_writer writer = {.data = buffer, .capacity = sizeof buffer};
    asz_cbor_put_uint(&writer, known[i].value);
    cr_assert_eq(writer.size, known[i].size);
    cr_assert_arr_eq(buffer, known[i].bytes, known[i].size);
    struct asz_cbor_reader reader = over((const char *)buffer, writer.size, NULL);
    cr_assert_eq(asz_cbor_uint(&reader, UINT64_MAX), known[i].value);
    cr_assert_eq(asz_cbor_end(&reader), 0);
  }
  uint8_t buffer[64];
  struct asz_cbor_writer writer = {.data = buffer, .capacity = sizeof buffer};
  asz_cbor_put_map(&writer, 2);
  asz_cbor_pair_bytes(&writer, 0, "\1\2\3\4", 4);
  asz_cbor_pair_text(&writer, 1, "IETF");
  static const char expected[] = "\xa2\x00\x44\x01\x02\x03\x04\x01\x64IETF";
  cr_assert_eq(writer.size, sizeof expected - 1);
  cr_assert_arr_eq(buffer, expected, writer.size);
}
