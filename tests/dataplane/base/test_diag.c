/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

Test(diag, control_characters_of_hostile_input_become_question_marks)
{
  struct asz_diag diag;
  asz_diag_set(&diag, ASZ_EFORMAT, "name \"%s\"", "a\x1b[2Jb\r\n\tc\x7f");
  cr_assert_str_eq(diag.text, "name \"a?[2Jb???c?\"");
}

Test(diag, a_line_too_long_is_cut_and_says_so)
{
  struct asz_diag diag;
  char text[2 * ASZ_DIAG_BYTES];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  asz_diag_set(&diag, ASZ_EFORMAT, "%s", text);
  cr_assert_eq(strlen(diag.text), ASZ_DIAG_BYTES - 1);
  cr_assert_str_eq(diag.text + ASZ_DIAG_BYTES - 4, "...");
  text[ASZ_DIAG_BYTES - 1] = '\0';
  asz_diag_set(&diag, ASZ_EFORMAT, "%s", text);
  cr_assert_str_eq(diag.text, text, "the longest line that fits is whole");
}

Test(diag, returns_the_error_with_and_without_a_place_for_the_line)
{
  struct asz_diag diag;
  cr_assert_eq(asz_diag_set(NULL, ASZ_ERANGE, "unseen %d", 1), ASZ_ERANGE);
  cr_assert_eq(asz_diag_set(&diag, ASZ_ERANGE, "line %d: %s", 3, "rate_pps"), ASZ_ERANGE);
  cr_assert_str_eq(diag.text, "line 3: rate_pps");
}

Test(diag, every_error_has_its_own_words)
{
  static const int errors[] = {
#define VALUE(name, value, text) value,
      ASZ_ERR_LIST(VALUE)
#undef VALUE
  };
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    cr_assert_lt(errors[i], 0);
    cr_assert_str_neq(asz_err_str(errors[i]), "unknown error");
    for (size_t other = 0; other < i; other++)
      cr_assert_str_neq(asz_err_str(errors[i]), asz_err_str(errors[other]));
  }
  cr_assert_str_eq(asz_err_str(0), "ok");
  cr_assert_str_eq(asz_err_str(-9999), "unknown error");
}
