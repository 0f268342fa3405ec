/* SPDX-License-Identifier: Apache-2.0 */
/* How right a measured RTT is. The real engine probes the emulator's network, whose delays are known to the nanosecond: each of
 * --providers is asked once, so that its statistics hold one sample, exact. Three figures of it, distributed over all samples:
 *
 *   error  measured RTT less the delay that the provider was given: what a user sees
 *   line   the delay that the emulator in fact took (its own two clock readings) less the one it was given: the emulator's fault
 *   own    measured RTT less what the emulator took: the engine's stamps, its polling, and the rings to and fro
 *
 * Samples that one side calls doubtful itself, since its core was away from the loop, are counted apart (doubtful, held) and are
 * in none of the three.
 *
 * The gate of a test run: a quarter of the samples within GATE_NS of the truth. Two cores that others keep busy meet it: most of
 * what waited for an absent core is held or doubtful, and the rest is no three quarters. A stamp in the wrong place, a clock
 * calibrated wrongly by a few percent or a unit mixed up do not, since they shift every sample. On a machine so busy that fewer
 * than SAMPLES_MIN are left, the run says so and counts as skipped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "dataplane/base/draw.h"
#include "dataplane/eal.h"
#include "dataplane/emulator/emulator.h"
#include "dataplane/engine.h"

enum {
  PROVIDERS_MAX = 1 << 20, /* the emulator's */
  IN_FLIGHT_MAX = 1 << 17, /* 1 M/s for 100 ms, and some */
  POLL_US = 2000,
  CLOCK_LEARNT_US = 1500000, /* the prober knows a port's clock after 0.7 s */
  GATE_NS = 50000,           /* 250 times the target: on a quiet machine the engine's error is below 1 us */
  GATE_PPM = 250000, /* with eight other processes on two cores a median of 180 us was seen once, a quartile over 2 us never */
  SAMPLES_MIN = 100, /* of 4,096: a quartile of fewer says little */
  EXIT_SKIPPED = 77,
};
static const uint64_t ns_per_s = 1000000000;

struct options {
  const char *rate, *providers, *delay_min, *delay_max, *probe, *nic_times;
};

struct job {
  uint64_t rate_pps, providers, delay_min_ns, delay_max_ns;
  enum asz_probe probe;
  bool nic_times;
  bool gate;
};

struct lab {
  struct asz_truth *truth;   /* providers */
  struct asz_target *target; /* providers */
  struct asz_stats *stats;
  struct asz_emulator_config network;
  struct asz_emulator *emulator;
  struct asz_engine *engine;
  struct asz_counters counters;
};

/* One figure of every sample, by absolute value. */
struct errors {
  uint64_t *ns; /* count, ascending once sorted */
  uint64_t count, early;
};

struct result {
  struct errors error, line, own;
  uint64_t held, twice, lost, beyond;
};

static const char *value_of(const char *given, const struct asz_bench_args *args, const char *smoke, const char *real) {
  if (given != NULL)
    return given;
  return args->smoke ? smoke : real;
}

static int job_read(struct job *ret_job, const struct asz_bench_args *args, const struct options *o) {
  struct job job = {.probe = asz_probe_from_name(o->probe), .gate = args->smoke};
  const char *rate = value_of(o->rate, args, "8192", "1000000"), *providers = value_of(o->providers, args, "4096", "1000000");
  const char *delay_min = value_of(o->delay_min, args, "50", "1000"), *delay_max = value_of(o->delay_max, args, "1000", "20000");
  uint64_t min_us, max_us;
  if (asz_bench_number(&job.rate_pps, "rate", rate, 1000, 10000000) != 0 ||
      asz_bench_number(&job.providers, "providers", providers, 1, PROVIDERS_MAX) != 0 ||
      asz_bench_number(&min_us, "delay-min-us", delay_min, 1, 1000000) != 0 ||
      asz_bench_number(&max_us, "delay-max-us", delay_max, min_us, 1000000) != 0)
    return ASZ_EINVAL;
  if (job.probe == ASZ_PROBE_COUNT || job.probe == ASZ_PROBE_STAMP_TLV || job.probe == ASZ_PROBE_STAMP_AUTH) {
    fprintf(stderr, "--probe is \"%s\", expected a kind that needs no key, as stamp\n", o->probe);
    return ASZ_EINVAL;
  }
  if (strcmp(o->nic_times, "yes") != 0 && strcmp(o->nic_times, "no") != 0) {
    fprintf(stderr, "--nic-times is \"%s\", expected yes or no\n", o->nic_times);
    return ASZ_EINVAL;
  }
  job.nic_times = strcmp(o->nic_times, "yes") == 0;
  job.delay_min_ns = min_us * 1000;
  job.delay_max_ns = max_us * 1000;
  *ret_job = job;
  return 0;
}

static void providers_fill(struct lab *lab, const struct job *job) {
  for (uint32_t i = 0; i < job->providers; i++) {
    uint64_t spread_ns = asz_draw_below(asz_draw(lab->network.seed, i, 0, 0), job->delay_max_ns - job->delay_min_ns + 1);
    lab->truth[i] = (struct asz_truth){.delay_ns = job->delay_min_ns + spread_ns};
    lab->target[i] = (struct asz_target){.ipv4 = lab->network.base_ipv4 + i, .port = 862, .probe = (uint8_t)job->probe};
  }
}

static int lab_open(struct lab *lab, const struct job *job, struct asz_diag *diag) {
  uint32_t providers = (uint32_t)job->providers;
  struct asz_engine_config config;
  asz_emulator_config_default(&lab->network);
  lab->truth = calloc(providers, sizeof *lab->truth);
  lab->target = calloc(providers, sizeof *lab->target);
  int err = lab->truth == NULL || lab->target == NULL ? ASZ_ENOMEM : 0;
  if (err == 0)
    err = asz_stats_new(&lab->stats, providers, ASZ_SKETCH_CELLS_MIN);
  if (err != 0)
    return asz_diag_set(diag, err, "no memory for %u providers", providers);
  providers_fill(lab, job);
  asz_engine_config_default(&config);
  config.lcore_id[0] = (unsigned)asz_eal_worker(0);
  config.target_count_max = providers;
  config.local_ipv4 = lab->network.gateway_ipv4 - 1;
  config.gateway_ipv4 = lab->network.gateway_ipv4;
  lab->network.lcore_id = (unsigned)asz_eal_worker(1);
  lab->network.provider_count = providers;
  lab->network.truth = lab->truth;
  lab->network.in_flight_max = IN_FLIGHT_MAX;
  lab->network.nic_times = job->nic_times;
  config.port_ops = job->nic_times ? &asz_emulator_port_ops : NULL;
  err = asz_emulator_new(&lab->emulator, &lab->network, &config.port_id, diag);
  if (err == 0)
    err = asz_engine_new(&lab->engine, &config, diag);
  if (err == 0)
    err = asz_emulator_launch(lab->emulator);
  if (err == 0)
    err = asz_engine_launch(lab->engine);
  return err;
}

static void lab_close(struct lab *lab) {
  if (lab->engine != NULL)
    asz_engine_stop(lab->engine);
  if (lab->emulator != NULL)
    asz_emulator_stop(lab->emulator);
  asz_engine_free(lab->engine);
  asz_emulator_free(lab->emulator);
  asz_stats_free(lab->stats);
  free(lab->target);
  free(lab->truth);
}

/* Everybody once, in one slot. Afterwards both sides stand still and what they counted may be read. */
static int lab_run(struct lab *lab, const struct job *job, struct asz_diag *diag) {
  uint64_t duration_ns = job->providers * ns_per_s / job->rate_pps;
  struct asz_plan plan = {
      .epoch = 1,
      .secret = "a benchmark has no secrets",
      .rate_pps = job->rate_pps,
      .duration_ns = duration_ns,
      .timeout_ns = job->delay_max_ns + 100000000,
      .slot_ns = duration_ns,
      .late_bound_ns = 1000000,
      .fault_bound_ppm = 1000000,
      .target_count = (uint32_t)job->providers,
      .target = lab->target,
      .stats = lab->stats,
  };
  int err = asz_engine_wait_gateway(lab->engine, 5 * ns_per_s);
  if (err != 0)
    return asz_diag_set(diag, err, "the emulator's gateway does not answer ARP");
  if (job->nic_times)
    usleep(CLOCK_LEARNT_US);
  if ((err = asz_engine_epoch_begin(lab->engine, &plan, diag)) != 0)
    return err;
  while (asz_engine_phase(lab->engine) < ASZ_PHASE_SEALED)
    usleep(POLL_US);
  asz_engine_stop(lab->engine);
  asz_emulator_stop(lab->emulator);
  asz_engine_counters(lab->engine, &lab->counters);
  return 0;
}

static int errors_new(struct errors *errors, uint64_t count) {
  *errors = (struct errors){.ns = calloc(count, sizeof *errors->ns)};
  return errors->ns != NULL ? 0 : ASZ_ENOMEM;
}

static void errors_add(struct errors *errors, uint64_t measured_ns, uint64_t true_ns) {
  errors->early += measured_ns < true_ns;
  errors->ns[errors->count++] = measured_ns < true_ns ? true_ns - measured_ns : measured_ns - true_ns;
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static uint64_t quantile(const struct errors *errors, uint64_t ppm) {
  return errors->count == 0 ? 0 : errors->ns[ppm * (errors->count - 1) / 1000000];
}

static int compare(struct result *result, const struct lab *lab, const struct job *job) {
  const struct asz_deed *deed = asz_emulator_deeds(lab->emulator);
  int err = errors_new(&result->error, job->providers);
  if (err == 0)
    err = errors_new(&result->line, job->providers);
  if (err == 0)
    err = errors_new(&result->own, job->providers);
  for (uint32_t i = 0; err == 0 && i < job->providers; i++) {
    const struct asz_target_stats *stats = &lab->stats->target[i];
    uint64_t rtt_ns = stats->rtt_sum_ns, took_ns = deed[i].delay_sum_ns;
    result->twice += deed[i].requests > 1;
    result->held += deed[i].held > 0;
    result->lost += deed[i].requests > 0 && stats->answered == 0;
    if (stats->answered != 1 || stats->rtt_min_ns == 0 || deed[i].requests != 1 || deed[i].replies != 1 || deed[i].held > 0)
      continue;
    errors_add(&result->error, rtt_ns, lab->truth[i].delay_ns);
    errors_add(&result->line, took_ns, lab->truth[i].delay_ns);
    errors_add(&result->own, rtt_ns, took_ns);
    result->beyond += result->own.ns[result->own.count - 1] > lab->stats->rtt_error_ns;
  }
  if (err != 0)
    return err;
  qsort(result->error.ns, result->error.count, sizeof *result->error.ns, ascending);
  qsort(result->line.ns, result->line.count, sizeof *result->line.ns, ascending);
  qsort(result->own.ns, result->own.count, sizeof *result->own.ns, ascending);
  return 0;
}

static void number_set(json_t *report, const char *key, uint64_t value) {
  json_object_set_new(report, key, json_integer((json_int_t)value));
}

static void errors_set(json_t *report, const char *name, const struct errors *errors) {
  static const struct {
    const char *name;
    uint32_t ppm;
  } quantiles[] = {{"p25", 250000}, {"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p999", 999000}, {"max", 1000000}};
  for (unsigned i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
    char key[32];
    snprintf(key, sizeof key, "%s_%s_ns", name, quantiles[i].name);
    number_set(report, key, quantile(errors, quantiles[i].ppm));
  }
}

static void print(const struct asz_bench_args *args, const struct lab *lab, const struct job *job, const struct result *result) {
  const uint64_t *counter = lab->counters.value;
  uint64_t hash = asz_bench_hash(ASZ_BENCH_HASH_START, result->error.ns, result->error.count * sizeof *result->error.ns);
  char hash_text[17];
  snprintf(hash_text, sizeof hash_text, "%016llx", (unsigned long long)hash);
  json_t *report = json_object();
  json_object_set_new(report, "bench", json_string("accuracy"));
  json_object_set_new(report, "probe", json_string(asz_probe_name(job->probe)));
  errors_set(report, "error", &result->error);
  errors_set(report, "line", &result->line);
  errors_set(report, "own", &result->own);
  number_set(report, "samples", result->error.count);
  number_set(report, "samples_early", result->error.early);
  number_set(report, "rtt_error_ns", lab->stats->rtt_error_ns);
  number_set(report, "own_beyond_rtt_error", result->beyond);
  number_set(report, "rate_asked_pps", job->rate_pps);
  number_set(report, "rate_pps", lab->stats->rate_pps);
  number_set(report, "providers", job->providers);
  number_set(report, "delay_min_ns", job->delay_min_ns);
  number_set(report, "delay_max_ns", job->delay_max_ns);
  number_set(report, "tx_probes", counter[ASZ_CTR_TX_PROBES]);
  number_set(report, "tx_not_sent", counter[ASZ_CTR_TX_NOT_SENT]);
  number_set(report, "tx_dropped", counter[ASZ_CTR_TX_DROPPED] + counter[ASZ_CTR_TX_NO_MBUF]);
  number_set(report, "rx_answered", counter[ASZ_CTR_RX_ANSWERED]);
  json_object_set_new(report, "nic_times", json_boolean(job->nic_times));
  number_set(report, "rx_stamped", counter[ASZ_CTR_RX_STAMPED]);
  number_set(report, "rx_early", counter[ASZ_CTR_RX_EARLY]);
  number_set(report, "rx_stamp_refused", counter[ASZ_CTR_RX_STAMP_REFUSED]);
  number_set(report, "doubtful", counter[ASZ_CTR_RX_DOUBTFUL]);
  number_set(report, "held", result->held);
  number_set(report, "asked_twice", result->twice);
  number_set(report, "unanswered", result->lost);
  number_set(report, "emulator_faults", asz_emulator_faults(lab->emulator));
  number_set(report, "emulator_strays", asz_emulator_strays(lab->emulator));
  json_object_set_new(report, "huge_pages", json_boolean(asz_eal_huge_used()));
  json_object_set_new(report, "errors_hash", json_string(hash_text));
  json_object_set_new(report, "not_measured",
                      json_string("a NIC and its queues; the sketch's rounding of quantiles; samples while a core was away"));
  asz_bench_print(args, report);
}

static int gate(const struct job *job, const struct result *result) {
  if (!job->gate)
    return 0;
  if (result->error.count < SAMPLES_MIN) {
    fprintf(stderr, "bench_accuracy: skipped: this machine is too busy: %llu samples are left, expected %d\n",
            (unsigned long long)result->error.count, SAMPLES_MIN);
    return EXIT_SKIPPED;
  }
  if (quantile(&result->error, GATE_PPM) <= GATE_NS)
    return 0;
  fprintf(stderr, "bench_accuracy: fewer than one sample in four has an error of at most %d ns\n", GATE_NS);
  return 1;
}

static int measure(const struct asz_bench_args *args, const struct job *job) {
  struct lab lab = {0};
  struct result result = {0};
  struct asz_diag diag = {""};
  int status = 1;
  int err = lab_open(&lab, job, &diag);
  if (err == 0)
    err = lab_run(&lab, job, &diag);
  if (err == 0)
    err = compare(&result, &lab, job);
  if (err == 0) {
    print(args, &lab, job, &result);
    status = gate(job, &result);
  } else {
    fprintf(stderr, "bench_accuracy: %s\n", diag.text[0] != '\0' ? diag.text : asz_err_str(err));
  }
  free(result.error.ns);
  free(result.line.ns);
  free(result.own.ns);
  lab_close(&lab);
  return status;
}

int main(int argc, char **argv) {
  struct options o = {.probe = "stamp", .nic_times = "no"};
  const struct asz_bench_option options[] = {
      {"rate", "probes a second; without it 1000000", &o.rate},
      {"providers", "number of targets, each asked once; without it 1000000", &o.providers},
      {"delay-min-us", "shortest delay of a provider; without it 1000", &o.delay_min},
      {"delay-max-us", "longest delay of a provider; without it 20000", &o.delay_max},
      {"probe", "kind", &o.probe},
      {"nic-times", "yes: the port sends probes when they are due and stamps replies, as a NIC would; no", &o.nic_times},
  };
  struct asz_bench_args args;
  struct job job;
  struct asz_diag diag = {""};
  char lcores[ASZ_EAL_LCORES_BYTES];
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, sizeof options / sizeof *options) != 0)
    return status;
  if (job_read(&job, &args, &o) != 0)
    return 2;
  asz_eal_lcores(lcores, 2);
  if (asz_eal_start(lcores, NULL, 3 * ASZ_EAL_MEMORY_MIB, args.smoke ? ASZ_EAL_HUGE_NO : ASZ_EAL_HUGE_AUTO, &diag) != 0) {
    fprintf(stderr, "bench_accuracy: %s\n", diag.text);
    return 1;
  }
  status = measure(&args, &job);
  asz_eal_stop();
  return status;
}
