/* SPDX-License-Identifier: Apache-2.0 */
/* Every backend against libsodium on many items, most of whose time is libsodium's. */
#include <criterion/criterion.h>

#include "tests/gpu/simd/sig_set.h"

Test(sig_simd_many, a_hundred_and_twenty_thousand_items_of_every_kind_get_the_verdict_of_libsodium)
{
  struct asz_sig_cases cases = asz_sig_cases_new(1);
  asz_sig_set_storm(&cases, 120000);
  size_t passed = asz_sig_set_check(&cases, ASZ_SIG_TABLE_DEFAULT);
  cr_assert(passed > 120000 / 4 && passed < 120000 / 2, "%zu of 120000", passed);
}
