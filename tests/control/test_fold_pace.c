/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "control/fold_pace.h"

enum { GIB = 1 << 30, MS = 1000000 };

Test(fold_pace, nothing_is_said_without_a_claim)
{
  cr_assert_eq(asz_fold_pace_of(0, GIB, 0, 0), ASZ_FOLD_PACE_NONE);
  cr_assert_eq(asz_fold_pace_of(UINT64_MAX, GIB, 0, 0), ASZ_FOLD_PACE_NONE);
}

/* 1 GiB at 10 GB/s is 107.37 ms: seven tenths of that speed 153.39 ms, twice that speed 53.69 ms. */
Test(fold_pace, the_bounds_of_a_gibibyte_at_ten_gigabytes_a_second)
{
  const uint64_t claimed = UINT64_C(10000000000);
  cr_assert_eq(asz_fold_pace_due_ns(GIB, claimed, 0), 153391690);
  cr_assert_eq(asz_fold_pace_due_ns(GIB, claimed, 100 * MS), 253391690);
  cr_assert_eq(asz_fold_pace_least_ns(GIB, claimed), 53687091);
  cr_assert_eq(asz_fold_pace_of(53687090, GIB, claimed, 0), ASZ_FOLD_PACE_TOO_FAST);
  cr_assert_eq(asz_fold_pace_of(53687091, GIB, claimed, 0), ASZ_FOLD_PACE_IN_BOUNDS);
  cr_assert_eq(asz_fold_pace_of(153391690, GIB, claimed, 0), ASZ_FOLD_PACE_IN_BOUNDS);
  cr_assert_eq(asz_fold_pace_of(153391691, GIB, claimed, 0), ASZ_FOLD_PACE_TOO_SLOW);
  cr_assert_eq(asz_fold_pace_of(153391691, GIB, claimed, 1), ASZ_FOLD_PACE_IN_BOUNDS);
}

Test(fold_pace, the_smallest_and_largest_claims_overflow_nothing)
{
  const uint64_t arena = UINT64_C(64) << 30;
  cr_assert_eq(asz_fold_pace_due_ns(arena, 1, 0), UINT64_MAX, "3,111 years");
  cr_assert_eq(asz_fold_pace_due_ns(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_MAX);
  cr_assert_eq(asz_fold_pace_due_ns(arena, UINT64_MAX, 0), 6, "rounded up");
  cr_assert_eq(asz_fold_pace_least_ns(arena, UINT64_MAX), 1, "rounded down");
}

Test(fold_pace, every_pace_has_a_name)
{
  for (enum asz_fold_pace pace = ASZ_FOLD_PACE_NONE; pace <= ASZ_FOLD_PACE_TOO_FAST; pace++)
    cr_assert_not_null(asz_fold_pace_name(pace));
}
