/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "control/score/performance.h"
#include "dataplane/base/bytes.h"

static const struct asz_performance some = {
    .product = {2, 5, 7},
    .build = {1, 900, 900},
    .fold = {3, 40, UINT64_MAX},
    .folds_in_bounds = 1,
    .folds_too_slow = 2,
    .folds_too_fast = 3,
    .folds_untimed = 4,
    .arena_bytes = 16384,
    .claimed_bytes_ps = UINT64_MAX,
};

Test(performance, times_that_nobody_took_are_refused)
{
  static const struct {
    size_t at;
    uint64_t value;
  } bad[] = {{4, 0}, {4, 8}, {12, 4}, {24, 901}, {44, 0}};
  struct asz_performance read = {.folds_untimed = 77};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    uint8_t bytes[ASZ_PERFORMANCE_BYTES];
    asz_performance_write(bytes, &some);
    asz_be64_store(bytes + bad[i].at, bad[i].value);
    cr_expect(eq(int, asz_performance_read(&read, bytes), ASZ_EFORMAT), "case %zu", i);
  }
  for (size_t at = 0; at < 3; at++) {
    uint8_t bytes[ASZ_PERFORMANCE_BYTES];
    asz_performance_write(bytes, &some);
    asz_be32_store(bytes + 20 * at, 0);
    cr_expect(eq(int, asz_performance_read(&read, bytes), ASZ_EFORMAT), "times without a count, %zu", at);
  }
  cr_expect(eq(u32, read.folds_untimed, 77), "untouched");
}

Test(performance, without_a_timed_fold_or_a_claim_there_is_no_share)
{
  uint32_t share_ppm = 77;
  struct asz_performance p = {.arena_bytes = 1 << 20, .claimed_bytes_ps = 1000};
  cr_expect(not(asz_s_performance_ppm(&p, &share_ppm)), "no fold was timed");
  asz_work_times_add(&p.fold, 5);
  p.claimed_bytes_ps = 0;
  cr_expect(not(asz_s_performance_ppm(&p, &share_ppm)), "nothing is claimed");
  cr_expect(eq(u32, share_ppm, 77), "untouched");
}

Test(performance, the_slowest_fold_decides_and_nobody_gets_more_than_all)
{
  uint32_t share_ppm;
  struct asz_performance p = {.arena_bytes = 3000, .claimed_bytes_ps = 1000};
  asz_work_times_add(&p.fold, 1000000000); /* three times the claim */
  cr_assert(asz_s_performance_ppm(&p, &share_ppm));
  cr_expect(eq(u32, share_ppm, 1000000));
  asz_work_times_add(&p.fold, 9000000000);
  cr_assert(asz_s_performance_ppm(&p, &share_ppm));
  cr_expect(eq(u32, share_ppm, 333333), "rounded down");
  cr_assert(asz_s_performance_ppm(&some, &share_ppm));
  cr_expect(eq(u32, share_ppm, 0), "the largest numbers there are");
}

Test(performance, the_same_comes_back)
{
  uint8_t bytes[ASZ_PERFORMANCE_BYTES], again[ASZ_PERFORMANCE_BYTES];
  struct asz_performance read;
  asz_performance_write(bytes, &some);
  cr_assert(eq(int, asz_performance_read(&read, bytes), 0));
  asz_performance_write(again, &read);
  cr_expect(eq(int, memcmp(bytes, again, sizeof bytes), 0));
  cr_expect(eq(u64, read.fold.max_ns, UINT64_MAX));
  cr_expect(eq(u32, read.folds_too_fast, 3));
}

Test(performance, the_fastest_and_the_slowest_are_kept)
{
  struct asz_performance p = {.arena_bytes = 0};
  cr_expect(not(asz_performance_any(&p)));
  asz_work_times_add(&p.build, 5);
  asz_work_times_add(&p.build, 3);
  asz_work_times_add(&p.build, 4);
  cr_expect(eq(u32, p.build.count, 3));
  cr_expect(eq(u64, p.build.min_ns, 3));
  cr_expect(eq(u64, p.build.max_ns, 5));
  cr_expect(asz_performance_any(&p));
}
