/* SPDX-License-Identifier: Apache-2.0 */
/* The clock. Conversions are checked exactly; what is measured is checked only against another clock of the same machine, with
 * bounds that a stolen time slice does not break. */
#include <criterion/criterion.h>
#include <time.h>

#include "dataplane/base/clock.h"
#include "tests/random.h"

static const uint64_t s_ns = 1000000000;

static uint64_t raw_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
  return (uint64_t)ts.tv_sec * s_ns + (uint64_t)ts.tv_nsec;
}

Test(clock, a_measuring_time_out_of_range_is_refused)
{
  struct asz_clock clock = {.tsc_hz = 42};
  cr_assert_eq(asz_clock_calibrate(&clock, 0), ASZ_EINVAL);
  cr_assert_eq(asz_clock_calibrate(&clock, 10001), ASZ_EINVAL);
  cr_assert_eq(clock.tsc_hz, 42, "outputs stay untouched on failure");
}

Test(clock, a_counter_that_stands_still_is_a_device_error)
{
  struct asz_clock clock = {.first_tsc = UINT64_MAX, .first_raw_ns = 0, .tsc_hz = 42};
  cr_assert_eq(asz_clock_resample(&clock), ASZ_EDEVICE);
  cr_assert_eq(clock.tsc_hz, 42, "outputs stay untouched on failure");
}

/* How far, in ppm, the TSC and the raw clock disagree over 5 ms of waiting. */
static uint64_t disagreement_ppm(const struct asz_clock *clock) {
  uint64_t tsc = asz_tsc(), raw = raw_ns();
  while (raw_ns() - raw < 5000000)
    ;
  uint64_t elapsed = asz_clock_ns(clock, asz_tsc() - tsc), expected = raw_ns() - raw;
  return (elapsed > expected ? elapsed - expected : expected - elapsed) * 1000000 / expected;
}

Test(clock, calibrated_rate_agrees_with_the_raw_clock)
{
  struct asz_clock clock;
  uint64_t best_ppm = UINT64_MAX;
  cr_assert_eq(asz_clock_calibrate(&clock, 50), ASZ_OK);
  for (int i = 0; i < 20 && best_ppm > 1000; i++) { /* being preempted between two readings spoils one attempt, not all */
    uint64_t ppm = disagreement_ppm(&clock);
    best_ppm = ppm < best_ppm ? ppm : best_ppm;
  }
  cr_assert_leq(best_ppm, 1000, "%lu ppm at %lu Hz", best_ppm, clock.tsc_hz);
}

Test(clock, wall_time_lies_between_two_readings_of_the_kernel)
{
  struct asz_clock clock;
  cr_assert_eq(asz_clock_calibrate(&clock, 20), ASZ_OK);
  cr_assert_gt(clock.error_ns, 0);
  cr_assert_lt(clock.error_ns, 1000000, "half a bracket of a system call");
  uint64_t before = asz_clock_now_ns();
  uint64_t ours = asz_clock_realtime_ns(&clock, asz_tsc());
  uint64_t after = asz_clock_now_ns();
  uint64_t slack = clock.error_ns + 100000; /* drift between the clocks since the sample */
  cr_assert(before <= ours + slack && ours <= after + slack, "%lu <= %lu <= %lu, +- %lu", before, ours, after, slack);
}

Test(clock, resampling_measures_over_all_the_time_since_calibration)
{
  struct asz_clock clock, first;
  cr_assert_eq(asz_clock_calibrate(&clock, 20), ASZ_OK);
  first = clock;
  cr_assert_eq(asz_clock_resample(&clock), ASZ_OK);
  cr_assert_eq(clock.first_tsc, first.first_tsc);
  cr_assert_eq(clock.first_raw_ns, first.first_raw_ns);
  cr_assert_gt(clock.base_tsc, first.base_tsc);
  uint64_t off = clock.tsc_hz > first.tsc_hz ? clock.tsc_hz - first.tsc_hz : first.tsc_hz - clock.tsc_hz;
  cr_assert_lt(off, first.tsc_hz / 10, "%lu Hz, then %lu Hz", first.tsc_hz, clock.tsc_hz);
}

Test(clock, conversions_are_exact_for_a_known_rate)
{
  const struct asz_clock two_ghz = {.ns_per_tick_q32 = UINT64_C(1) << 31, .ticks_per_ns_q32 = UINT64_C(2) << 32};
  cr_assert_eq(asz_clock_ns(&two_ghz, 0), 0);
  cr_assert_eq(asz_clock_ns(&two_ghz, 1), 0, "rounded down");
  cr_assert_eq(asz_clock_ns(&two_ghz, 2), 1);
  cr_assert_eq(asz_clock_ns(&two_ghz, UINT64_MAX), UINT64_MAX / 2);
  cr_assert_eq(asz_clock_ticks(&two_ghz, 3600 * s_ns), 7200 * s_ns);
}

Test(clock, wall_time_runs_both_ways_from_its_base)
{
  const struct asz_clock c = {.ns_per_tick_q32 = UINT64_C(1) << 31, .base_tsc = 1000, .base_realtime_ns = 5000};
  cr_assert_eq(asz_clock_realtime_ns(&c, 1000), 5000);
  cr_assert_eq(asz_clock_realtime_ns(&c, 1200), 5100);
  cr_assert_eq(asz_clock_realtime_ns(&c, 800), 4900);
}

Test(clock, ntp_times_of_known_moments)
{
  cr_assert_eq(asz_clock_ntp64(0), UINT64_C(2208988800) << 32, "1970-01-01");
  cr_assert_eq(asz_clock_ntp64(s_ns / 2), (UINT64_C(2208988800) << 32) | 0x80000000, "half a second later");
  cr_assert_eq(asz_clock_ntp64(UINT64_C(2085978496) * s_ns), 0, "2036-02-07 06:28:16, era 1 begins");
  cr_assert_eq(asz_clock_ntp64_to_ns(0), UINT64_C(2085978496) * s_ns);
  cr_assert_eq(asz_clock_ntp64_to_ns(UINT64_MAX), UINT64_C(2085978496) * s_ns, "the last fraction rounds up to the era's end");
  cr_assert_eq(asz_clock_ntp64_to_ns(UINT64_C(0x80000000) << 32), 0, "1968 is before our time");
  cr_assert_eq(asz_clock_ntp64_to_ns(UINT64_C(0x7fffffff) << 32), UINT64_C(4233462143) * s_ns, "2104, the last of era 1");
}

Test(clock, ntp_times_are_undone_exactly)
{
  struct asz_test_random random = asz_test_random_start(1900);
  for (int i = 0; i < 200000; i++) {
    uint64_t ns = asz_test_random_next(&random) % (UINT64_C(4233462143) * s_ns);
    cr_assert_eq(asz_clock_ntp64_to_ns(asz_clock_ntp64(ns)), ns, "seed %lu, %lu ns", random.seed, ns);
  }
  for (uint64_t ns = 0; ns < 2000; ns++) {
    cr_assert_eq(asz_clock_ntp64_to_ns(asz_clock_ntp64(ns)), ns);
    cr_assert_eq(asz_clock_ntp64_to_ns(asz_clock_ntp64(2 * s_ns - 1 - ns)), 2 * s_ns - 1 - ns);
  }
}

Test(clock, the_monotonic_clock_never_goes_back)
{
  uint64_t last = asz_clock_monotonic_ns();
  for (int i = 0; i < 10000; i++) {
    uint64_t now = asz_clock_monotonic_ns();
    cr_assert_geq(now, last);
    last = now;
  }
}
