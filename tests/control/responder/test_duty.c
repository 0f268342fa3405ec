/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "control/responder/duty.h"

static const uint64_t second = 1000000000, minute = 60 * second, hour = 3600 * second;

Test(duty, over_the_bound_nothing_begins_until_an_hour_has_passed)
{
  struct asz_duty duty = asz_duty_make(10000); /* 36 s an hour */
  uint64_t aside_ns;
  for (unsigned i = 0; i < 36; i++) {
    cr_assert(asz_duty_take(&duty, i * second, &aside_ns), "piece %u", i);
    asz_duty_spend(&duty, i * second, aside_ns, second);
  }
  cr_assert(!asz_duty_take(&duty, 40 * second, &aside_ns));
  cr_assert(!asz_duty_take(&duty, hour - second, &aside_ns));
  cr_assert(asz_duty_take(&duty, hour + second, &aside_ns));
}

Test(duty, work_that_waits_is_counted_as_the_longest_so_far)
{
  struct asz_duty duty = asz_duty_make(10000);
  uint64_t aside_ns, second_aside_ns;
  cr_assert(asz_duty_take(&duty, 0, &aside_ns));
  cr_assert_eq(aside_ns, 0, "nothing is known yet");
  asz_duty_spend(&duty, 0, aside_ns, 10 * second);
  cr_assert(asz_duty_take(&duty, 0, &aside_ns));
  cr_assert_eq(aside_ns, 10 * second);
  cr_assert(asz_duty_take(&duty, 0, &second_aside_ns), "10 spent, 10 wait, 10 more: 30");
  cr_assert(!asz_duty_take(&duty, 0, &(uint64_t){0}), "40 would be too many");
  asz_duty_spend(&duty, 0, second_aside_ns, 0);
  asz_duty_spend(&duty, 0, aside_ns, second);
  cr_assert(asz_duty_take(&duty, 0, &aside_ns), "it took less than was feared");
}

Test(duty, every_hour_that_begins_with_a_minute_is_under_the_bound)
{
  struct asz_duty duty = asz_duty_make(1000000 / 60); /* a minute an hour */
  uint64_t spent_ns[600] = {0};
  for (uint64_t now = 0; now < 600 * minute; now += 7 * second) {
    uint64_t aside_ns;
    if (asz_duty_take(&duty, now, &aside_ns)) {
      asz_duty_spend(&duty, now, aside_ns, 5 * second);
      spent_ns[now / minute] += 5 * second;
    }
  }
  for (unsigned first = 0; first + 60 <= 600; first++) {
    uint64_t sum_ns = 0;
    for (unsigned i = 0; i < 60; i++)
      sum_ns += spent_ns[first + i];
    cr_assert_leq(sum_ns, minute, "hour from minute %u", first);
    cr_assert_geq(sum_ns, 50 * second, "hour from minute %u: idle though it might work", first);
  }
}

Test(duty, long_silence_forgets_all)
{
  struct asz_duty duty = asz_duty_make(ASZ_DUTY_PPM_MAX);
  uint64_t aside_ns;
  cr_assert(asz_duty_take(&duty, 5, &aside_ns));
  asz_duty_spend(&duty, 5, aside_ns, 2 * hour);
  cr_assert(!asz_duty_take(&duty, minute, &aside_ns));
  cr_assert(!asz_duty_take(&duty, 1000 * hour, &aside_ns), "a piece longer than an hour fits in none");
}
