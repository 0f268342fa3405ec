/* SPDX-License-Identifier: Apache-2.0 */
/* The 32 bytes that open every message of the challenge port. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/head.h"

static const struct asz_head head = {.type = ASZ_MESSAGE_OPEN,
                                     .kind = 3,
                                     .param = 2,
                                     .epoch = 0x01020304,
                                     .slot = 0x1122334455667788,
                                     .device = 0x0a0b0c0d,
                                     .sender_id = {'v', 'a', 'l', 'i', 'd', 'a', 't', 'e'}};
static const uint8_t bytes[ASZ_HEAD_BYTES] = {'A',  'S',  'Z',  'C',  1,    5,    3,    2,    0x01, 0x02, 0x03,
                                              0x04, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x0a, 0x0b,
                                              0x0c, 0x0d, 'v',  'a',  'l',  'i',  'd',  'a',  't',  'e'};

Test(head, what_is_shorter_is_none_of_ours)
{
  for (size_t size = 0; size < ASZ_HEAD_BYTES; size++) {
    uint8_t *copy = malloc(size + 1);
    struct asz_head ret_head;
    memcpy(copy + 1, bytes, size);
    cr_assert_eq(asz_head_read(&ret_head, copy + 1, size), ASZ_EFORMAT, "%zu bytes", size);
    cr_assert_eq(asz_head_type(copy + 1, size), ASZ_MESSAGE_NONE);
    cr_assert(!asz_head_other_version(copy + 1, size));
    free(copy);
  }
}

Test(head, another_magic_version_or_type_is_refused)
{
  uint8_t copy[ASZ_HEAD_BYTES];
  memcpy(copy, bytes, sizeof copy);
  for (size_t at = 0; at < 6; at++)
    for (unsigned value = 0; value < 256; value++) {
      struct asz_head ret_head;
      const bool fine = value == bytes[at] || (at == 5 && value >= 1 && value <= 8);
      copy[at] = (uint8_t)value;
      cr_assert_eq(asz_head_read(&ret_head, copy, sizeof copy), fine ? ASZ_OK : ASZ_EFORMAT, "byte %zu = %u", at, value);
      cr_assert_eq(asz_head_other_version(copy, sizeof copy), at == 4 && value != 1, "byte %zu = %u", at, value);
      copy[at] = bytes[at];
    }
}

Test(head, what_was_written_is_read)
{
  uint8_t written[ASZ_HEAD_BYTES];
  struct asz_head again;
  asz_head_write(written, &head);
  cr_assert_arr_eq(written, bytes, sizeof bytes);
  cr_assert_eq(asz_head_read(&again, written, sizeof written), ASZ_OK);
  cr_assert(again.type == head.type && again.kind == head.kind && again.param == head.param && again.epoch == head.epoch &&
            again.slot == head.slot && again.device == head.device);
  cr_assert_arr_eq(again.sender_id, head.sender_id, 8);
  cr_assert_eq(asz_head_type(written, sizeof written), ASZ_MESSAGE_OPEN);
}
