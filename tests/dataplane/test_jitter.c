/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dataplane/jitter.h"

Test(jitter, nothing_counted_is_zero)
{
  struct asz_jitter jitter = {0};
  cr_assert(eq(u64, asz_jitter_quantile_ns(&jitter, 500000), 0));
  cr_assert(eq(u64, asz_jitter_quantile_ns(&jitter, 1000000), 0));
}

Test(jitter, always_equally_late_is_no_jitter)
{
  struct asz_jitter jitter = {.last_late_ns = 700};
  for (int i = 0; i < 1000; i++)
    asz_jitter_add(&jitter, 700);
  cr_assert(eq(u64, asz_jitter_quantile_ns(&jitter, 1000000), 1), "the least that can be said");
}

Test(jitter, a_difference_counts_whichever_way_it_goes)
{
  struct asz_jitter jitter = {0};
  for (int i = 0; i < 100; i++)
    asz_jitter_add(&jitter, i % 2 == 0 ? 1024 : 0);
  cr_assert(eq(u64, asz_jitter_quantile_ns(&jitter, 1), 1024));
  cr_assert(eq(u64, asz_jitter_quantile_ns(&jitter, 1000000), 1024));
}

Test(jitter, quantiles_of_joined_lcores_are_those_of_all_their_differences)
{
  struct asz_jitter lcore[2] = {0}, sum = {0};
  for (int i = 0; i < 98; i++)
    asz_jitter_add(&lcore[0], i % 2 == 0 ? 64 : 0);
  asz_jitter_add(&lcore[1], 1 << 20);
  asz_jitter_add(&lcore[1], 0);
  asz_jitter_join(&sum, &lcore[0]);
  asz_jitter_join(&sum, &lcore[1]);
  cr_assert(eq(u64, asz_jitter_quantile_ns(&sum, 980000), 64));
  cr_assert(eq(u64, asz_jitter_quantile_ns(&sum, 980001), 1 << 20));
  cr_assert(eq(u64, asz_jitter_quantile_ns(&sum, 1000000), 1 << 20));
}
