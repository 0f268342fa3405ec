/* SPDX-License-Identifier: Apache-2.0 */
/* The body of add-checkpoint: what is refused, the example of the specification, and that it survives the way there and back. */
#include <criterion/criterion.h>
#include <string.h>

#include "control/tlog/add_checkpoint.h"

#define HASH "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"

Test(add_checkpoint, malformed_requests_are_refused)
{
  static const char *const bad[] = {"",           "\n",          "old\n\n",       "old \n\n",     "old 01\n\n",
                                    "old -1\n\n", "old 1",       "old 1\n",       "new 1\n\n",    "old 9223372036854775808\n\n",
                                    "OLD 1\n\n",  "old 1 2\n\n", "old 1\r\n\r\n", "old 1\n" HASH, "old 1\nAAAA\n\n"};
  struct asz_add_checkpoint request;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    cr_assert_eq(asz_add_checkpoint_parse(&request, bad[i], strlen(bad[i]), NULL), ASZ_EFORMAT, "%s", bad[i]);
  static char body[ASZ_ADD_CHECKPOINT_MAX_BYTES + 1] = "old 1\n";
  for (int i = 0; i < 63; i++)
    strcat(body, HASH);
  size_t size = strlen(body);
  strcpy(body + size, "\n");
  cr_assert_eq(asz_add_checkpoint_parse(&request, body, size + 1, NULL), 0);
  cr_assert_eq(request.path_count, 63);
  strcpy(body + size, HASH "\n");
  cr_assert_eq(asz_add_checkpoint_parse(&request, body, strlen(body), NULL), ASZ_EFORMAT);
  cr_assert_eq(asz_add_checkpoint_parse(&request, body, sizeof body, NULL), ASZ_EFORMAT);
}

Test(add_checkpoint, the_size_of_a_conflict_has_one_spelling)
{
  static const char *const bad[] = {"", "\n", "5", "05\n", " 5\n", "5\n\n", "-5\n", "5 \n", "9223372036854775808\n"};
  uint64_t size = 77;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    cr_assert_eq(asz_add_checkpoint_size(&size, bad[i], strlen(bad[i])), ASZ_EFORMAT, "%s", bad[i]);
  cr_assert_eq(size, 77);
  cr_assert_eq(asz_add_checkpoint_size(&size, "20852163\n", 9), 0);
  cr_assert_eq(size, 20852163);
}

Test(add_checkpoint, the_example_of_the_specification_is_read_and_written_byte_for_byte)
{
  static const char body[] = "old 20852014\n" HASH "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
                             "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
                             "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
                             "\n"
                             "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
                             "\n"
                             "\xe2\x80\x94 example.com/behind-the-sofa "
                             "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
  struct asz_add_checkpoint request;
  struct asz_checkpoint checkpoint;
  struct asz_note note;
  char *again;
  size_t size;
  cr_assert_eq(asz_add_checkpoint_parse(&request, body, sizeof body - 1, NULL), 0);
  cr_assert_eq(request.old_size, 20852014);
  cr_assert_eq(request.path_count, 4);
  cr_assert_eq(asz_note_split(&note, request.note, request.note_bytes, NULL), 0);
  cr_assert_eq(asz_checkpoint_parse(&checkpoint, request.note, note.text_bytes, NULL), 0);
  cr_assert_eq(checkpoint.tree_size, 20852163);
  cr_assert_eq(asz_add_checkpoint_format(&again, &size, &request), 0);
  cr_assert_eq(size, sizeof body - 1);
  cr_assert_arr_eq(again, body, size);
  free(again);
}
