/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dataplane/base/bound.h"
#include "dataplane/base/draw.h"

static void assert_bound(uint64_t ns) {
  uint64_t read = asz_bound_ns(asz_bound_code(ns));
  cr_assert(read >= ns && read <= ns + ns / 4 + 1, "%lu reads as %lu", (unsigned long)ns, (unsigned long)read);
}

Test(bound, never_reads_as_less_and_at_most_as_a_quarter_more)
{
  const uint64_t seed = 3;
  for (uint64_t ns = 1; ns < 100000; ns++)
    assert_bound(ns);
  for (uint64_t i = 0; i < 1000000; i++)
    assert_bound(asz_draw(seed, i, 0, 0) >> (33 + i % 20) | 1);
}

Test(bound, codes_rise_with_what_they_stand_for_and_come_back)
{
  cr_assert(eq(u64, asz_bound_ns(0), 0));
  cr_assert(eq(int, asz_bound_code(0), 1), "0 means that nothing was stated");
  for (unsigned code = 8; code <= ASZ_BOUND_CODE_MAX; code++) {
    cr_assert(gt(u64, asz_bound_ns((uint8_t)code), asz_bound_ns((uint8_t)(code - 1))));
    cr_assert(eq(int, asz_bound_code(asz_bound_ns((uint8_t)code)), (int)code));
  }
}

Test(bound, what_is_too_long_is_the_longest)
{
  cr_assert(eq(int, asz_bound_code(UINT64_C(3758096385)), ASZ_BOUND_CODE_MAX));
  cr_assert(eq(int, asz_bound_code(UINT64_C(1) << 32), ASZ_BOUND_CODE_MAX));
  cr_assert(eq(int, asz_bound_code(UINT64_MAX), ASZ_BOUND_CODE_MAX));
}
