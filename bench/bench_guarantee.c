/* SPDX-License-Identifier: Apache-2.0 */
/* What the e-process of wrong answers (control/score/eprocess.h, the code that scores) promises, by simulation: how often it
 * accuses a provider who errs as rarely as the hypothesis says, and how soon one who errs more.
 *
 *   alarms    --years provider-years at exactly p0 = 1/1000: in how many did E ever reach a level. Ville: at most 1 / level of
 *             them
 *   weighted  the same shares where they are too rare to be counted. E is the likelihood ratio of a mixture (a grid point drawn
 *             evenly, a first slot drawn evenly from the year; p0 before it, p1 from it on) to p0. So --weighted years are drawn
 *             from the mixture, where E does rise, and one whose E first reached the level at E = e counts 1/e: the mean of
 *             that is the share under p0 itself (importance sampling; the weight is the true ratio's, to the rounding of E)
 *   bursts    a tenth of --years, as rarely wrong as p0 on the whole, but in runs of some slots: the hypothesis broken on purpose
 *   delays    --runs providers, honest for half a year, then wrong in each slot with a given chance: slots until it fired
 *
 * Every number drawn depends on --seed alone. Exit code 1 when a share is over its bound by more than three standard deviations.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "control/score/eprocess.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/draw.h"

enum {
  P0_INVERSE = 1000,
  PPM = 1000000,
  YEARS_MAX = 10000000,
  RUNS_MAX = 1000000,
  DRAW_ALARMS = 1, /* purposes of draws */
  DRAW_WEIGHTED,
  DRAW_DELAYS,
  DRAW_BURSTS,
};

/* What E reached, from 2 to the level at which it fires. */
static const uint32_t level[] = {2,    5,    10,    20,    50,    100,    200,    500,    1000,
                                 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, ASZ_EPROCESS_THRESHOLD};
enum { LEVELS = sizeof level / sizeof level[0] };

static const uint32_t wrong_ppm[] = {1000000, 500000, 200000, 100000, 50000, 20000, 10000};
enum { DELAYS = sizeof wrong_ppm / sizeof wrong_ppm[0] };

/* Mean length of a run of wrong slots. */
static const uint32_t burst_slots[] = {2, 3, 4};
enum { BURSTS = sizeof burst_slots / sizeof burst_slots[0], BURST_YEARS_SHARE = 10 };

struct job {
  uint64_t seed, years, weighted, runs;
};

struct delay {
  uint32_t median, p95; /* slots */
  uint32_t missed;      /* runs that had not fired when the year ended: longer than any */
};

struct result {
  uint32_t alarms[LEVELS];
  double weight[LEVELS], weight_squared[LEVELS]; /* sums over the weighted years */
  uint32_t fired[BURSTS];                        /* years, of a tenth of all */
  struct delay delay[DELAYS];
  uint64_t steps, took_ns;
};

/* True with chance parts / whole, by the slot's own draw. */
static bool is_wrong(uint64_t stream, uint32_t slot, uint32_t parts, uint32_t whole) {
  return asz_draw_below(asz_draw_mix(stream + slot), whole) < parts;
}

static unsigned levels_reached(uint64_t e_q32, unsigned reached) {
  while (reached < LEVELS && e_q32 >= (uint64_t)level[reached] << 32)
    reached++;
  return reached;
}

static void alarms(const struct job *job, struct result *result) {
  for (uint64_t year = 0; year < job->years; year++) {
    uint64_t stream = asz_draw(job->seed, (uint32_t)year, 0, DRAW_ALARMS);
    struct asz_eprocess process;
    unsigned reached = 0;
    asz_eprocess_init(&process);
    for (uint32_t slot = 0; slot < ASZ_EPROCESS_SLOTS; slot++) {
      asz_eprocess_step(&process, is_wrong(stream, slot, 1, P0_INVERSE));
      reached = levels_reached(asz_eprocess_value_q32(&process), reached);
    }
    for (unsigned i = 0; i < reached; i++)
      result->alarms[i]++;
    result->steps += ASZ_EPROCESS_SLOTS;
  }
}

static uint64_t burst_years(const struct job *job) {
  return (job->years + BURST_YEARS_SHARE - 1) / BURST_YEARS_SHARE;
}

/* A run of mean length L begins with chance p0 / L in a slot and goes on with chance 1 - 1/L: wrong in a share of p0 of all
 * slots, to first order. */
static void bursts(const struct job *job, struct result *result) {
  for (unsigned n = 0; n < BURSTS; n++) {
    uint32_t length = burst_slots[n];
    for (uint64_t year = 0; year < burst_years(job); year++) {
      uint64_t stream = asz_draw(job->seed, (uint32_t)year, length, DRAW_BURSTS);
      struct asz_eprocess process;
      bool wrong = false;
      asz_eprocess_init(&process);
      for (uint32_t slot = 0; slot < ASZ_EPROCESS_SLOTS; slot++) {
        wrong = wrong ? is_wrong(stream, slot, length - 1, length) : is_wrong(stream, slot, 1, P0_INVERSE * length);
        asz_eprocess_step(&process, wrong);
      }
      result->fired[n] += asz_eprocess_fired(&process);
      result->steps += ASZ_EPROCESS_SLOTS;
    }
  }
}

static void weighted(const struct job *job, struct result *result) {
  static const uint32_t grid_p1[ASZ_EPROCESS_GRID] = {2, 5, 20, 50, 200, 500, 900}; /* docs/scoring.md, in units of p0 */
  for (uint64_t year = 0; year < job->weighted; year++) {
    uint64_t stream = asz_draw(job->seed, (uint32_t)year, 0, DRAW_WEIGHTED);
    uint32_t p1 = grid_p1[asz_draw_below(asz_draw(job->seed, (uint32_t)year, 1, DRAW_WEIGHTED), ASZ_EPROCESS_GRID)];
    uint32_t first = (uint32_t)asz_draw_below(asz_draw(job->seed, (uint32_t)year, 2, DRAW_WEIGHTED), ASZ_EPROCESS_SLOTS);
    struct asz_eprocess process;
    unsigned reached = 0;
    asz_eprocess_init(&process);
    for (uint32_t slot = 0; slot < ASZ_EPROCESS_SLOTS && reached < LEVELS; slot++, result->steps++) {
      asz_eprocess_step(&process, is_wrong(stream, slot, slot < first ? 1 : p1, P0_INVERSE));
      uint64_t e_q32 = asz_eprocess_value_q32(&process);
      double weight = 4294967296.0 / (double)e_q32;
      for (unsigned now = levels_reached(e_q32, reached); reached < now; reached++) {
        result->weight[reached] += weight;
        result->weight_squared[reached] += weight * weight;
      }
    }
  }
}

static int by_value(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static int delays(const struct job *job, struct result *result) {
  uint32_t *slots = calloc(job->runs, sizeof *slots);
  if (slots == NULL)
    return ASZ_ENOMEM;
  struct asz_eprocess honest;
  asz_eprocess_init(&honest);
  while (honest.slots < ASZ_EPROCESS_SLOTS / 2)
    asz_eprocess_step(&honest, false);
  for (unsigned n = 0; n < DELAYS; n++) {
    struct delay *delay = &result->delay[n];
    for (uint64_t run = 0; run < job->runs; run++) {
      uint64_t stream = asz_draw(job->seed, (uint32_t)run, wrong_ppm[n], DRAW_DELAYS);
      struct asz_eprocess process = honest;
      while (!asz_eprocess_fired(&process) && process.slots < ASZ_EPROCESS_SLOTS)
        asz_eprocess_step(&process, is_wrong(stream, process.slots, wrong_ppm[n], PPM));
      slots[run] = process.slots - honest.slots;
      result->steps += slots[run];
      delay->missed += !asz_eprocess_fired(&process);
    }
    qsort(slots, job->runs, sizeof *slots, by_value);
    delay->median = slots[job->runs / 2];
    delay->p95 = slots[job->runs * 95 / 100];
  }
  free(slots);
  return 0;
}

/* The share of years under p0 by the weighted ones, and its standard deviation. */
static double weighted_share(const struct job *job, const struct result *result, unsigned i, double *ret_deviation) {
  double n = (double)job->weighted, mean = result->weight[i] / n;
  *ret_deviation = sqrt(fmax(result->weight_squared[i] / n - mean * mean, 0) / n);
  return mean;
}

/* No share is over its bound by more than chance. */
static bool bounds_hold(const struct job *job, const struct result *result) {
  for (unsigned i = 0; i < LEVELS; i++) {
    double bound = 1.0 / level[i], deviation, expected = bound * (double)job->years;
    double share = weighted_share(job, result, i, &deviation);
    if (result->alarms[i] > expected + 3 * sqrt(expected) || share > bound + 3 * deviation)
      return false;
  }
  return true;
}

static json_t *levels_json(const struct job *job, const struct result *result) {
  json_t *list = json_array();
  for (unsigned i = 0; i < LEVELS; i++) {
    double deviation, share = weighted_share(job, result, i, &deviation);
    json_array_append_new(list,
                          json_pack("{s:I, s:I, s:f, s:f}", "e", (json_int_t)level[i], "alarms", (json_int_t)result->alarms[i],
                                    "weighted_share", share, "weighted_deviation", deviation));
  }
  return list;
}

static json_t *bursts_json(const struct job *job, const struct result *result) {
  json_t *list = json_array();
  for (unsigned n = 0; n < BURSTS; n++)
    json_array_append_new(list, json_pack("{s:I, s:I, s:I}", "mean_slots", (json_int_t)burst_slots[n], "years",
                                          (json_int_t)burst_years(job), "fired", (json_int_t)result->fired[n]));
  return list;
}

static json_t *delays_json(const struct result *result) {
  json_t *list = json_array();
  for (unsigned n = 0; n < DELAYS; n++) {
    const struct delay *delay = &result->delay[n];
    json_array_append_new(list, json_pack("{s:I, s:I, s:I, s:I}", "wrong_ppm", (json_int_t)wrong_ppm[n], "median_slots",
                                          (json_int_t)delay->median, "p95_slots", (json_int_t)delay->p95, "missed",
                                          (json_int_t)delay->missed));
  }
  return list;
}

static void print(const struct asz_bench_args *args, const struct job *job, const struct result *result, bool hold) {
  char hash[17];
  uint64_t sum = asz_bench_hash(ASZ_BENCH_HASH_START, result->alarms, sizeof result->alarms);
  sum = asz_bench_hash(sum, result->fired, sizeof result->fired);
  sum = asz_bench_hash(sum, result->delay, sizeof result->delay);
  snprintf(hash, sizeof hash, "%016" PRIx64, sum);
  json_t *report = json_object();
  json_object_set_new(report, "bench", json_string("guarantee"));
  json_object_set_new(report, "seed", json_integer((json_int_t)job->seed));
  json_object_set_new(report, "years", json_integer((json_int_t)job->years));
  json_object_set_new(report, "weighted_years", json_integer((json_int_t)job->weighted));
  json_object_set_new(report, "runs", json_integer((json_int_t)job->runs));
  json_object_set_new(report, "levels", levels_json(job, result));
  json_object_set_new(report, "bursts", bursts_json(job, result));
  json_object_set_new(report, "delays", delays_json(result));
  json_object_set_new(report, "bounds_hold", json_boolean(hold));
  json_object_set_new(report, "steps", json_integer((json_int_t)result->steps));
  json_object_set_new(report, "took_ms", json_integer((json_int_t)(result->took_ns / 1000000)));
  json_object_set_new(report, "hash", json_string(hash));
  json_object_set_new(report, "not_measured",
                      json_string("how often real hardware errs, and whether it does so independently of its past"));
  asz_bench_print(args, report);
}

static int job_read(struct job *ret_job, const char *seed, const char *years, const char *weighted_years, const char *runs) {
  if (asz_bench_number(&ret_job->seed, "seed", seed, 0, INT64_MAX) != 0 ||
      asz_bench_number(&ret_job->years, "years", years, 1, YEARS_MAX) != 0 ||
      asz_bench_number(&ret_job->weighted, "weighted", weighted_years, 1, YEARS_MAX) != 0 ||
      asz_bench_number(&ret_job->runs, "runs", runs, 1, RUNS_MAX) != 0)
    return ASZ_EINVAL;
  return 0;
}

int main(int argc, char **argv) {
  const char *seed = "1", *years = NULL, *weighted_years = NULL, *runs = NULL;
  const struct asz_bench_option options[] = {
      {"seed", "of everything drawn", &seed},
      {"years", "provider-years at p0; without it 20000", &years},
      {"weighted", "years drawn where E rises; without it 5000", &weighted_years},
      {"runs", "of each delay; without it 2001", &runs},
  };
  struct asz_bench_args args;
  struct job job;
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, sizeof options / sizeof *options) != 0)
    return status;
  if (job_read(&job, seed,
               years != NULL ? years
               : args.smoke  ? "20"
                             : "20000",
               weighted_years != NULL ? weighted_years
               : args.smoke           ? "20"
                                      : "5000",
               runs != NULL ? runs
               : args.smoke ? "51"
                            : "2001") != 0)
    return 2;
  struct result result = {0};
  uint64_t start_ns = asz_clock_monotonic_ns();
  alarms(&job, &result);
  weighted(&job, &result);
  bursts(&job, &result);
  int err = delays(&job, &result);
  result.took_ns = asz_clock_monotonic_ns() - start_ns;
  if (err != 0) {
    fprintf(stderr, "bench_guarantee: %s\n", asz_err_str(err));
    return 3;
  }
  bool hold = bounds_hold(&job, &result);
  print(&args, &job, &result, hold);
  return hold ? 0 : 1;
}
