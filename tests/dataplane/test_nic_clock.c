/* SPDX-License-Identifier: Apache-2.0 */
/* A device's clock is simulated: its rate may be skewed and wander, reading it takes time, and the moment of the reading lies
 * anywhere in the bracket. What is asked: is every time that is converted right within the error that is stated? */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/nic_clock.h"
#include "tests/random.h"

static const uint64_t hz = 2596141817; /* of the TSC */

static struct asz_test_random rng;

struct device {
  double hz;       /* ticks a second, on average */
  double wave_ppm; /* its rate is this much above it for half of a period, then below */
  double wave_s;   /* the period; 0: its rate stays */
  uint64_t offset;
};

static struct device device;
static struct asz_nic_clock clock_;
static uint64_t now_tsc;
static uint64_t bracket_ns = 800, bracket_spread_ns = 1200; /* of a reading: the least, and what may come on top */

static uint64_t device_ticks(uint64_t tsc) {
  double s = (double)tsc / (double)hz, swing = 0;
  if (device.wave_s > 0) {
    double phase_s = s - device.wave_s * (double)(uint64_t)(s / device.wave_s);
    swing = device.wave_ppm * 1e-6 * (phase_s < device.wave_s / 2 ? phase_s : device.wave_s - phase_s);
  }
  return device.offset + (uint64_t)(device.hz * (s + swing));
}

static uint64_t ticks_of_ns(uint64_t ns) {
  return (uint64_t)((double)ns * (double)hz / 1e9);
}

static uint64_t below(uint64_t limit) {
  return limit == 0 ? 0 : asz_test_random_next(&rng) % limit;
}

static enum asz_nic_heard hear(void) {
  uint64_t length = ticks_of_ns(bracket_ns + below(bracket_spread_ns + 1));
  uint64_t before = now_tsc, at = before + below(length + 1);
  now_tsc = before + length;
  enum asz_nic_heard heard = asz_nic_clock_hear(&clock_, before, device_ticks(at), now_tsc);
  now_tsc += hz / ASZ_NIC_READ_HZ + below(hz / 500);
  return heard;
}

static void start(double device_hz) {
  rng = asz_test_random_start(19);
  device = (struct device){.hz = device_hz, .offset = UINT64_C(1700000000000000000)};
  now_tsc = 1000 * hz + 12345;
  asz_nic_clock_init(&clock_, hz);
}

/* Until it is known, which takes a whole window. */
static void learn(void) {
  for (unsigned i = 1; i < ASZ_NIC_READINGS; i++) {
    cr_assert(eq(int, hear(), ASZ_NIC_LEARNING), "reading %u, seed %lu", i, rng.seed);
    cr_assert(not(asz_nic_known(&clock_.relation, now_tsc)));
  }
  cr_assert(eq(int, hear(), ASZ_NIC_FOLLOWED), "seed %lu", rng.seed);
}

/* Frames that came within the last 5 ms. Returns the largest error that was stated. */
static uint64_t assert_right(void) {
  const struct asz_nic_relation *relation = &clock_.relation;
  uint64_t stated = 0;
  cr_assert(asz_nic_known(relation, now_tsc));
  for (unsigned i = 0; i < 20; i++) {
    uint64_t at = now_tsc - below(hz / 200), tsc, error = asz_nic_error_tsc(relation, at);
    cr_assert(asz_nic_tsc(relation, device_ticks(at), &tsc));
    uint64_t off = tsc > at ? tsc - at : at - tsc;
    cr_assert(le(u64, off, error), "seed %lu", rng.seed);
    stated = error > stated ? error : stated;
  }
  return stated;
}

static uint64_t follow(unsigned readings) {
  uint64_t stated = 0;
  for (unsigned i = 0; i < readings; i++) {
    cr_assert(eq(int, hear(), ASZ_NIC_FOLLOWED), "reading %u, seed %lu", i, rng.seed);
    uint64_t error = assert_right();
    stated = error > stated ? error : stated;
  }
  return stated;
}

Test(nic_clock, clock_that_runs_backwards_or_stands_is_never_known)
{
  start(1e9);
  for (unsigned i = 0; i < 10 * ASZ_NIC_READINGS; i++) {
    cr_assert(ne(int, asz_nic_clock_hear(&clock_, now_tsc, i < 300 ? 7 : 1000000 - i, now_tsc + 2000), ASZ_NIC_FOLLOWED));
    cr_assert(not(asz_nic_known(&clock_.relation, now_tsc)));
    now_tsc += hz / 100;
  }
}

Test(nic_clock, noise_instead_of_a_clock_is_never_known)
{
  start(1e9);
  for (unsigned i = 0; i < 10 * ASZ_NIC_READINGS; i++) {
    cr_assert(ne(int, asz_nic_clock_hear(&clock_, now_tsc, asz_test_random_next(&rng), now_tsc + 2000), ASZ_NIC_FOLLOWED));
    now_tsc += hz / 100;
  }
}

Test(nic_clock, same_reading_again_and_again_teaches_nothing)
{
  start(1e9);
  for (unsigned i = 0; i < 3 * ASZ_NIC_READINGS; i++)
    cr_assert(ne(int, asz_nic_clock_hear(&clock_, now_tsc, 77 + i, now_tsc), ASZ_NIC_FOLLOWED));
}

Test(nic_clock, readings_that_were_interrupted_teach_nothing)
{
  start(1e9);
  bracket_ns = 30000;
  for (unsigned i = 0; i < 2 * ASZ_NIC_READINGS; i++)
    cr_assert(eq(int, hear(), ASZ_NIC_WIDE));
  cr_assert(eq(int, asz_nic_clock_hear(&clock_, now_tsc, 1, now_tsc - 1), ASZ_NIC_WIDE));
  cr_assert(not(asz_nic_known(&clock_.relation, now_tsc)));
  bracket_ns = 800;
  learn();
  for (unsigned i = 0; i < 50; i++) { /* one in two */
    bracket_ns = 900000;
    cr_assert(eq(int, hear(), ASZ_NIC_WIDE));
    bracket_ns = 800;
    follow(1);
  }
}

Test(nic_clock, times_are_right_within_the_stated_error)
{
  static const double rate[] = {1e9, 78.125e6, 10e6, 2.5e9, 312.5e6};
  for (unsigned i = 0; i < sizeof rate / sizeof rate[0]; i++) {
    start(rate[i] * (1 + 100e-6)); /* 100 ppm off what it is called: nobody knows what it is called */
    learn();
    uint64_t stated = follow(500);
    cr_assert(lt(u64, stated, ticks_of_ns(1600) + (uint64_t)(2 * (double)hz / rate[i])), "useful, too: %lu ns at %g Hz",
              stated * 1000000000 / hz, rate[i]);
  }
}

Test(nic_clock, times_are_right_while_the_rate_wanders)
{
  start(1e9);
  device.wave_ppm = 2;
  device.wave_s = 3;
  learn();
  follow(2000);
  start(1e9);
  device.wave_ppm = 5; /* what a servo does that was far off: all of the 10 ppm at once */
  device.wave_s = 20;
  learn();
  follow(4000);
}

Test(nic_clock, jitter_of_the_reading_is_in_the_stated_error)
{
  start(1e9);
  bracket_ns = 200;
  bracket_spread_ns = 18000;
  learn();
  cr_assert(lt(u64, follow(1000), ticks_of_ns(6000)));
}

Test(nic_clock, clock_read_no_closer_than_looking_is_not_used)
{
  start(50e3); /* a tick is 20 us */
  for (unsigned i = 1; i < ASZ_NIC_READINGS; i++)
    cr_assert(eq(int, hear(), ASZ_NIC_LEARNING));
  for (unsigned i = 0; i < ASZ_NIC_READINGS; i++) {
    cr_assert(eq(int, hear(), ASZ_NIC_COARSE));
    cr_assert(not(asz_nic_known(&clock_.relation, now_tsc)));
  }
}

static void jump(uint64_t offset) {
  device.offset += offset;
  cr_assert(eq(int, hear(), ASZ_NIC_JUMPED), "seed %lu", rng.seed);
  cr_assert(not(asz_nic_known(&clock_.relation, now_tsc)));
  for (unsigned i = 2; i < ASZ_NIC_READINGS; i++)
    cr_assert(eq(int, hear(), ASZ_NIC_LEARNING));
  cr_assert(eq(int, hear(), ASZ_NIC_FOLLOWED));
  follow(100);
}

Test(nic_clock, jump_is_noticed_at_the_next_reading_and_learned_anew)
{
  static const int64_t by_ns[] = {1000000000, -1000000000, 10000, -10000, 5000000, -5000000, INT64_MAX};
  start(1e9);
  learn();
  for (unsigned i = 0; i < sizeof by_ns / sizeof by_ns[0]; i++)
    jump((uint64_t)by_ns[i]);
}

Test(nic_clock, jump_while_it_is_learned_is_noticed_too)
{
  start(1e9);
  for (unsigned i = 0; i < ASZ_NIC_READINGS / 2; i++)
    cr_assert(eq(int, hear(), ASZ_NIC_LEARNING));
  device.offset += 50000;
  for (unsigned i = ASZ_NIC_READINGS / 2 + 1; i < ASZ_NIC_READINGS; i++)
    cr_assert(eq(int, hear(), ASZ_NIC_LEARNING));
  cr_assert(eq(int, hear(), ASZ_NIC_JUMPED));
}

Test(nic_clock, counter_of_48_bits_jumps_when_it_wraps)
{
  const uint64_t mask = (UINT64_C(1) << 48) - 1;
  start(1e9);
  unsigned jumps = 0;
  uint64_t start_ticks = mask - 2000000000, first = device_ticks(now_tsc); /* wraps 2 s from now */
  for (unsigned i = 0; i < 400; i++, now_tsc += hz / 100) {
    uint64_t ticks = (device_ticks(now_tsc + 1000) - first + start_ticks) & mask;
    jumps += asz_nic_clock_hear(&clock_, now_tsc, ticks, now_tsc + 2000) == ASZ_NIC_JUMPED;
  }
  cr_assert(eq(uint, jumps, 1));
  cr_assert(asz_nic_known(&clock_.relation, now_tsc));
}

Test(nic_clock, relation_is_not_used_when_nobody_has_read_the_clock_for_a_second)
{
  start(1e9);
  learn();
  uint64_t last = clock_.due_tsc - hz / ASZ_NIC_READ_HZ;
  cr_assert(asz_nic_known(&clock_.relation, last + hz - 1));
  cr_assert(not(asz_nic_known(&clock_.relation, last + hz)));
  now_tsc += 2 * hz; /* it goes on from what it knew */
  cr_assert(eq(int, hear(), ASZ_NIC_FOLLOWED));
  assert_right();
  now_tsc += 100 * hz; /* too long ago */
  cr_assert(eq(int, hear(), ASZ_NIC_JUMPED));
}

Test(nic_clock, time_out_of_reach_is_none)
{
  start(1e9);
  learn();
  const struct asz_nic_relation *relation = &clock_.relation;
  uint64_t tsc = 7, ticks = relation->base_ticks;
  cr_assert(not(asz_nic_tsc(relation, 0, &tsc)));
  cr_assert(not(asz_nic_tsc(relation, UINT64_MAX, &tsc)));
  cr_assert(not(asz_nic_tsc(relation, ticks + 4100000000, &tsc)));
  cr_assert(not(asz_nic_tsc(relation, ticks - 4100000000, &tsc)));
  cr_assert(not(asz_nic_tsc(relation, ticks + (UINT64_C(1) << 63), &tsc)));
  cr_assert(eq(u64, tsc, 7));
  cr_assert(asz_nic_tsc(relation, ticks - 3900000000, &tsc));
  cr_assert(asz_nic_tsc(relation, ticks + 3900000000, &tsc));
}

Test(nic_clock, there_and_back_is_the_same_time)
{
  start(1e9);
  learn();
  for (unsigned i = 0; i < 1000; i++) {
    uint64_t tsc = clock_.relation.base_tsc - hz + below(2 * hz), back;
    cr_assert(asz_nic_tsc(&clock_.relation, asz_nic_ticks(&clock_.relation, tsc), &back));
    cr_assert(le(u64, back > tsc ? back - tsc : tsc - back, 4), "a tick of the device's and a rounding");
  }
}

Test(nic_clock, what_is_published_is_what_is_seen_and_never_half_of_it)
{
  struct asz_nic_live live = {0};
  struct asz_nic_relation seen = {0};
  start(1e9);
  cr_assert(asz_nic_look(&live, &seen));
  cr_assert(not(asz_nic_known(&seen, 0)), "nothing yet");
  learn();
  asz_nic_publish(&live, &clock_.relation);
  cr_assert(asz_nic_look(&live, &seen));
  cr_assert(eq(int, memcmp(&seen, &clock_.relation, sizeof seen), 0));
  live.turn |= 1; /* in the middle of a writing */
  seen = (struct asz_nic_relation){0};
  cr_assert(not(asz_nic_look(&live, &seen)));
  cr_assert(not(asz_nic_known(&seen, now_tsc)));
}
