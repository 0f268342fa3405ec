/* SPDX-License-Identifier: Apache-2.0 */
/* asz_clock: the one place that asks for the time.
 *
 * The packet loop reads only the time-stamp counter (TSC). A tick becomes nanoseconds by a multiplication and a shift,
 * calibrated against CLOCK_MONOTONIC_RAW over a measured interval: DPDK's own figure is rounded to 10 MHz where the kernel
 * does not export it, up to 0.25 % at 2 GHz. Wall time is CLOCK_REALTIME sampled between two TSC reads; half their distance
 * is the stated error. */
#ifndef ASZ_DATAPLANE_BASE_CLOCK_H
#define ASZ_DATAPLANE_BASE_CLOCK_H

#include <stdint.h>

#include "dataplane/base/err.h"

#if defined(__x86_64__)
#include <x86intrin.h>
static inline uint64_t asz_tsc(void) {
  return __rdtsc();
}
#elif defined(__aarch64__)
static inline uint64_t asz_tsc(void) {
  uint64_t v;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
  return v;
}
#else
#error "no cycle counter known for this machine"
#endif

struct asz_clock {
  uint64_t tsc_hz;          /* measured ticks per second */
  uint64_t ns_per_tick_q32; /* nanoseconds per tick, 32.32 fixed point */
  uint64_t ticks_per_ns_q32;
  uint64_t base_tsc;         /* TSC at the wall-clock sample */
  uint64_t base_realtime_ns; /* ns since 1970 (CLOCK_REALTIME) at base_tsc */
  uint64_t error_ns;         /* half the bracket around the wall-clock sample */
  uint64_t first_tsc;        /* the first raw sample, from which asz_clock_resample refines the rate */
  uint64_t first_raw_ns;     /* CLOCK_MONOTONIC_RAW at first_tsc */
};

/* asz_clock_calibrate measures for measure_ms (1..10000; 100 gives about 1 ppm here) and fills *ret_clock.
 * Fails with ASZ_EDEVICE where the counter does not advance. Blocks for measure_ms. */
ASZ_MUST_CHECK int asz_clock_calibrate(struct asz_clock *ret_clock, uint32_t measure_ms);
/* asz_clock_resample takes a new wall-clock sample and refines the rate over all the time since calibration began. Fails like
 * calibrate, with *clock untouched. */
ASZ_MUST_CHECK int asz_clock_resample(struct asz_clock *clock);

/* Ticks to nanoseconds and back, rounded down. 32 bits of fraction cost under 1 ns for intervals up to 2 s and under 1 us an hour
 * (2 GHz): far below the error of the calibration itself. Pure. */
static inline uint64_t asz_clock_ns(const struct asz_clock *clock, uint64_t ticks) {
  return (uint64_t)(((unsigned __int128)ticks * clock->ns_per_tick_q32) >> 32);
}
static inline uint64_t asz_clock_ticks(const struct asz_clock *clock, uint64_t ns) {
  return (uint64_t)(((unsigned __int128)ns * clock->ticks_per_ns_q32) >> 32);
}
/* asz_clock_realtime_ns: wall time (ns since 1970) at a TSC value, before or after base_tsc. Pure. */
static inline uint64_t asz_clock_realtime_ns(const struct asz_clock *clock, uint64_t tsc) {
  return tsc >= clock->base_tsc ? clock->base_realtime_ns + asz_clock_ns(clock, tsc - clock->base_tsc)
                                : clock->base_realtime_ns - asz_clock_ns(clock, clock->base_tsc - tsc);
}

/* asz_clock_now_ns: CLOCK_REALTIME, ns since 1970. asz_clock_monotonic_ns: CLOCK_MONOTONIC. For control code, not the packet
 * loop. */
uint64_t asz_clock_now_ns(void);
uint64_t asz_clock_monotonic_ns(void);
/* CPU time that this process or this thread has had, ns. For benchmarks. */
uint64_t asz_clock_process_cpu_ns(void);
uint64_t asz_clock_thread_cpu_ns(void);

/* NTP 64-bit format (RFC 5905 section 6): 32 bits of seconds since 1900, 32 bits of fraction (233 ps). */
uint64_t asz_clock_ntp64(uint64_t realtime_ns);
/* The inverse, rounded to the nearest ns; exact for what asz_clock_ntp64 made. Era 0 (until 2036) and era 1 by the top bit;
 * 0 for the years before 1970. */
uint64_t asz_clock_ntp64_to_ns(uint64_t ntp64);

#endif
