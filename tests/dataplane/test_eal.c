/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/eal.h"

enum { BYTES = 5 << 20 };

Test(eal, memory_is_given_of_huge_pages_only)
{
  struct asz_diag diag = {""};
  cr_assert_null(asz_eal_memory_new(BYTES), "not before it started");
  cr_assert_eq(asz_eal_start(NULL, NULL, ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_NO, &diag), 0, "%s", diag.text);
  cr_assert_null(asz_eal_memory_new(BYTES), "ordinary pages are found elsewhere");
  asz_eal_memory_free(NULL);
  asz_eal_stop();
}

Test(eal, memory_of_huge_pages_is_page_aligned_and_never_more_than_is_free)
{
  struct asz_diag diag = {""};
  cr_assert_eq(asz_eal_start(NULL, NULL, ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_AUTO, &diag), 0, "%s", diag.text);
  if (!asz_eal_huge_used())
    cr_skip_test("no huge pages are free on this machine");
  cr_assert_null(asz_eal_memory_new((size_t)1 << 50));
  uint8_t *memory = asz_eal_memory_new(BYTES);
  if (!memory)
    cr_skip_test("no more huge pages are free on this machine");
  cr_assert_eq((uintptr_t)memory % 4096, 0);
  memset(memory, 1, BYTES);
  asz_eal_memory_free(memory);
  asz_eal_stop();
}
