/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration.
 *
 * A kernel clock is read between two reads of the TSC; the reading belongs to some moment in that bracket, and its middle is
 * wrong by at most half of it. Interrupts and a hypervisor widen single brackets by microseconds, so several are taken and the
 * narrowest is kept. The rate comes from two such samples of CLOCK_MONOTONIC_RAW, which NTP neither steps nor slews: a rate
 * taken from CLOCK_REALTIME would carry the correction of the moment into every RTT. */
#include "dataplane/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

enum {
  SAMPLES = 32, /* narrowest of 32: repeatable to tens of ns on a busy virtual machine, in about 10 us */
  MEASURE_MS_MAX = 10000,
};
static const uint64_t ns_per_s = 1000000000;
static const uint64_t ntp_unix_offset_s = 2208988800; /* 1900 to 1970: 70 years with 17 leap days */

typedef unsigned __int128 u128; /* the compiler's own type under a readable name */

static uint64_t clock_ns(clockid_t id) {
  struct timespec ts;
  int failed = clock_gettime(id, &ts);
  assert(failed == 0); /* only an unknown clock id fails */
  return (uint64_t)ts.tv_sec * ns_per_s + (uint64_t)ts.tv_nsec;
}

uint64_t asz_clock_now_ns(void) {
  return clock_ns(CLOCK_REALTIME);
}

uint64_t asz_clock_monotonic_ns(void) {
  return clock_ns(CLOCK_MONOTONIC);
}

uint64_t asz_clock_process_cpu_ns(void) {
  return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t asz_clock_thread_cpu_ns(void) {
  return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

struct sample {
  uint64_t tsc; /* middle of the bracket */
  uint64_t ns;
  uint64_t bracket_ticks;
};

static struct sample sample_take(clockid_t id) {
  struct sample best = {.bracket_ticks = UINT64_MAX};
  for (int i = 0; i < SAMPLES; i++) {
    uint64_t before = asz_tsc();
    uint64_t ns = clock_ns(id);
    uint64_t bracket_ticks = asz_tsc() - before;
    if (bracket_ticks < best.bracket_ticks)
      best = (struct sample){before + bracket_ticks / 2, ns, bracket_ticks};
  }
  return best;
}

/* Rate from two samples of the raw clock; 0 where either clock stood still. */
static uint64_t rate_hz(const struct sample *first, uint64_t now_tsc, uint64_t now_ns) {
  if (now_tsc <= first->tsc || now_ns <= first->ns)
    return 0;
  uint64_t elapsed_ns = now_ns - first->ns;
  return (uint64_t)(((u128)(now_tsc - first->tsc) * ns_per_s + elapsed_ns / 2) / elapsed_ns);
}

/* Sets rate and wall-clock base; the two conversion factors come from the measured interval itself, not from the rounded hz. */
static int clock_set(struct asz_clock *clock, const struct sample *raw) {
  struct sample first = {.tsc = clock->first_tsc, .ns = clock->first_raw_ns};
  uint64_t hz = rate_hz(&first, raw->tsc, raw->ns);
  if (hz == 0)
    return ASZ_EDEVICE;
  u128 ticks = raw->tsc - first.tsc, elapsed_ns = raw->ns - first.ns;
  clock->tsc_hz = hz;
  clock->ns_per_tick_q32 = (uint64_t)(((elapsed_ns << 32) + ticks / 2) / ticks);
  clock->ticks_per_ns_q32 = (uint64_t)(((ticks << 32) + elapsed_ns / 2) / elapsed_ns);
  struct sample wall = sample_take(CLOCK_REALTIME);
  clock->base_tsc = wall.tsc;
  clock->base_realtime_ns = wall.ns;
  clock->error_ns = asz_clock_ns(clock, wall.bracket_ticks) / 2 + 1;
  return ASZ_OK;
}

int asz_clock_calibrate(struct asz_clock *ret_clock, uint32_t measure_ms) {
  if (measure_ms < 1 || measure_ms > MEASURE_MS_MAX)
    return ASZ_EINVAL;
  struct sample first = sample_take(CLOCK_MONOTONIC_RAW);
  struct timespec rest = {.tv_sec = measure_ms / 1000, .tv_nsec = (long)(measure_ms % 1000) * 1000000};
  while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
    ;
  struct sample last = sample_take(CLOCK_MONOTONIC_RAW);
  struct asz_clock clock = {.first_tsc = first.tsc, .first_raw_ns = first.ns};
  int result = clock_set(&clock, &last);
  if (result == ASZ_OK)
    *ret_clock = clock;
  return result;
}

int asz_clock_resample(struct asz_clock *clock) {
  struct sample raw = sample_take(CLOCK_MONOTONIC_RAW);
  return clock_set(clock, &raw);
}

uint64_t asz_clock_ntp64(uint64_t realtime_ns) {
  uint64_t seconds = realtime_ns / ns_per_s + ntp_unix_offset_s; /* the top bits fall off: eras wrap */
  uint64_t fraction = ((realtime_ns % ns_per_s) << 32) / ns_per_s;
  return seconds << 32 | fraction;
}

uint64_t asz_clock_ntp64_to_ns(uint64_t ntp64) {
  uint64_t seconds = ntp64 >> 32;
  if ((seconds >> 31) == 0)
    seconds += (uint64_t)1 << 32; /* era 1, from 2036 on */
  if (seconds < ntp_unix_offset_s)
    return 0; /* 1968 to 1970 */
  uint64_t fraction_ns = ((ntp64 & 0xffffffff) * ns_per_s + ((uint64_t)1 << 31)) >> 32;
  return (seconds - ntp_unix_offset_s) * ns_per_s + fraction_ns;
}
