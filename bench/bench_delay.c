/* SPDX-License-Identifier: Apache-2.0 */
/* What the emulator's delay line costs a reply: one push and one pop, with as many replies inside as a rate and its delays make.
 *
 * Time is simulated: every burst of replies moves it on by what that burst takes at --rate, so the figure does not depend on how
 * fast this machine is. Delays are spread evenly up to twice --delay-us, so rate times delay are inside. The line's own promise
 * is checked meanwhile: nothing early, nothing lost, and how late the latest was. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "bench/bench.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/draw.h"
#include "dataplane/emulator/delay.h"

enum { BURST = 64, TSC_MHZ = 2500 };

struct load {
  uint64_t rate, delay_ticks, replies;
};

struct result {
  uint64_t cycles, late_max, early, inside_max, hash;
};

static uint64_t step(struct asz_delay *delay, const struct load *load, uint64_t now, uint64_t first, struct result *result) {
  struct asz_delayed out;
  uint64_t popped = 0;
  for (; asz_delay_pop(delay, now, &out); popped++) {
    uint64_t due = (uint64_t)(uintptr_t)out.what;
    result->early += due > now;
    result->late_max = now - due > result->late_max ? now - due : result->late_max;
    result->hash ^= asz_draw_mix(due + out.provider);
  }
  for (uint64_t i = 0; i < BURST && first + i < load->replies; i++) {
    uint64_t due = now + asz_draw_below(asz_draw_mix(first + i), 2 * load->delay_ticks);
    struct asz_delayed in = {.what = (void *)(uintptr_t)due, .arrival_tsc = now, .provider = (uint32_t)(first + i)};
    if (asz_delay_push(delay, due, &in) != 0)
      return UINT64_MAX;
  }
  return popped;
}

/* Every reply goes in and comes out; the cycles are this thread's, filling and emptying included. */
static int measure(struct result *ret_result, const struct load *load, struct asz_delay *delay) {
  const uint64_t burst_ticks = (uint64_t)BURST * TSC_MHZ * 1000000 / load->rate;
  uint64_t now = UINT64_C(1) << 40, popped = 0, start = asz_tsc();
  for (uint64_t first = 0; popped < load->replies; first += BURST, now += burst_ticks) {
    uint64_t count = step(delay, load, now, first, ret_result);
    if (count == UINT64_MAX)
      return ASZ_EAGAIN;
    popped += count;
    uint32_t inside = asz_delay_count(delay);
    ret_result->inside_max = inside > ret_result->inside_max ? inside : ret_result->inside_max;
  }
  ret_result->cycles = asz_tsc() - start;
  return 0;
}

static void print(const struct asz_bench_args *args, const struct load *load, const struct result *r, size_t line_bytes,
                  uint64_t tsc_hz) {
  char hash[17];
  snprintf(hash, sizeof hash, "%016" PRIx64, r->hash);
  double cycles = (double)r->cycles / (double)load->replies;
  json_t *report = json_object();
  json_object_set_new(report, "bench", json_string("delay"));
  json_object_set_new(report, "rate_rps", json_integer((json_int_t)((double)tsc_hz / cycles)));
  json_object_set_new(report, "cycles_per_reply", json_real(cycles));
  json_object_set_new(report, "replies", json_integer((json_int_t)load->replies));
  json_object_set_new(report, "inside_max", json_integer((json_int_t)r->inside_max));
  json_object_set_new(report, "early", json_integer((json_int_t)r->early));
  json_object_set_new(report, "late_max_ticks", json_integer((json_int_t)r->late_max));
  json_object_set_new(report, "line_bytes", json_integer((json_int_t)line_bytes));
  json_object_set_new(report, "hash", json_string(hash));
  json_object_set_new(report, "not_measured",
                      json_string("the frames; late_max_ticks holds one burst's time, which is not the line's"));
  asz_bench_print(args, report);
}

int main(int argc, char **argv) {
  const char *rate_text = NULL, *delay_text = NULL;
  const struct asz_bench_option options[] = {{"rate", "replies per second of simulated time (5000000)", &rate_text},
                                             {"delay-us", "mean delay (50000)", &delay_text}};
  struct asz_bench_args args;
  int status;
  uint64_t rate = 5000000, delay_us = 50000;
  if (asz_bench_parse(&args, &status, argc, argv, options, 2) != 0)
    return status;
  if ((rate_text && asz_bench_number(&rate, "rate", rate_text, 1000, 100000000) != 0) ||
      (delay_text && asz_bench_number(&delay_us, "delay-us", delay_text, 1, 1000000) != 0))
    return 2;
  if (args.smoke)
    rate = 100000;
  struct load load = {.rate = rate,
                      .delay_ticks = delay_us * TSC_MHZ,
                      .replies = rate * (args.smoke     ? 1
                                         : args.seconds ? args.seconds
                                                        : 5)};
  uint32_t capacity = (uint32_t)(rate * 2 * delay_us / 1000000 + 2 * BURST);
  struct asz_delay *delay;
  struct asz_clock clock;
  struct result result = {0};
  int err = asz_delay_new(&delay, capacity);
  if (err != 0 || (err = asz_clock_calibrate(&clock, 20)) != 0) {
    fprintf(stderr, "bench_delay: %s\n", asz_err_str(err));
    return 3;
  }
  err = measure(&result, &load, delay);
  if (err == 0)
    print(&args, &load, &result, asz_delay_footprint(capacity), clock.tsc_hz);
  asz_delay_free(delay);
  return err == 0 && result.early == 0 ? 0 : 1;
}
