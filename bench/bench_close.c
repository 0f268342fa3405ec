/* SPDX-License-Identifier: Apache-2.0 */
/* How long an epoch takes to close, and what a validator's control plane weighs, with --providers of them: the real store, log
 * and scores in a scratch home under --dir; only the statistics are made here instead of probed. Every provider answered all its
 * probes, with RTTs that differ, but the last --silent of them, which answered none and are accused of it.
 *
 *   register  providers into the store, one transaction
 *   roster    what `assize run` does at its start: list, session secrets (none here: no provider has a key), registration tree
 *   open      number, secret, opening in the log
 *   close     scores, report tree, close in the log, one store transaction
 *
 * Epochs are closed one after another (--epochs), since the first one inserts what later ones overwrite; `close_ms` is the last
 * one's. Providers have no keys, so no challenge state is written: that of a validator with challenges costs more. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/bench.h"
#include "control/home.h"
#include "control/run.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/draw.h"

enum {
  PROVIDERS_MAX = 10000000,
  SAMPLES = 16,
  RTT_MIN_NS = 5000000,
  RTT_SPREAD_NS = 20000000,

  OPEN_FILES = 16
};
static const uint32_t first_ipv4 = 0x0a000001;

struct job {
  uint64_t providers, cells, epochs, silent;
  char dir[ASZ_PATH_MAX];
};

struct house {
  struct asz_home home;
  struct asz_config config;
  struct asz_identity key;
  struct asz_store *store;
  struct asz_tlog *log;
  struct asz_roster *roster;
  struct asz_epochs *epochs;
  struct asz_stats *stats;
};

struct result {
  uint64_t register_ns, roster_ns, open_ns, close_ns, close_first_ns;
  uint64_t hash;
  uint32_t judged, up, recommendations;
};

static int job_read(struct job *ret_job, const struct asz_bench_args *args, const char *providers, const char *cells,
                    const char *epochs, const char *silent, const char *dir) {
  if (asz_bench_number(&ret_job->providers, "providers",
                       providers != NULL ? providers
                       : args->smoke     ? "256"
                                         : "100000",
                       1, PROVIDERS_MAX) != 0 ||
      asz_bench_number(&ret_job->cells, "cells", cells, ASZ_SKETCH_CELLS_MIN, ASZ_SKETCH_CELLS_MAX) != 0 ||
      asz_bench_number(&ret_job->epochs, "epochs", epochs, 1, 100) != 0 ||
      asz_bench_number(&ret_job->silent, "silent", silent, 0, ret_job->providers) != 0)
    return ASZ_EINVAL;
  if (!asz_sketch_cells_ok(ret_job->cells)) {
    fprintf(stderr, "--cells is %s, expected a power of two\n", cells);
    return ASZ_EINVAL;
  }
  int size = snprintf(ret_job->dir, sizeof ret_job->dir, "%s/assize-bench-close.XXXXXX", dir);
  if (size < 0 || (size_t)size >= sizeof ret_job->dir || mkdtemp(ret_job->dir) == NULL) {
    fprintf(stderr, "--dir is \"%s\", expected a directory that can be written\n", dir);
    return ASZ_EINVAL;
  }
  return 0;
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *ftw) {
  return remove(path);
}

static int house_register(struct house *h, const struct job *job, struct asz_diag *diag) {
  int err = asz_store_begin(h->store, diag);
  for (uint32_t i = 0; err == 0 && i < job->providers; i++) {
    struct asz_provider provider;
    asz_provider_init(&provider);
    snprintf(provider.name, sizeof provider.name, "provider-%08u", i);
    provider.ipv4 = first_ipv4 + i;
    provider.port = 862;
    provider.probe = ASZ_PROBE_STAMP;
    provider.registered_ns = asz_clock_now_ns();
    err = asz_store_provider_add(h->store, &provider, diag);
  }
  return err == 0 ? asz_store_commit(h->store, diag) : err;
}

static int house_roster(struct house *h, struct asz_diag *diag) {
  struct asz_provider *provider;
  size_t count;
  int err = asz_store_provider_list(h->store, &provider, &count, diag);
  if (err == 0)
    err = asz_roster_new(&h->roster, provider, count, &h->key, diag);
  if (err == 0)
    err = asz_epochs_new(&h->epochs, &h->config, &h->key, h->store, h->log, h->home.log_path, h->roster, diag);
  return err;
}

static int house_open(struct house *h, const struct job *job, struct result *result, struct asz_diag *diag) {
  char home[ASZ_PATH_MAX + 8];
  asz_config_default(&h->config);
  snprintf(home, sizeof home, "%s/home", job->dir);
  int err = asz_config_set(&h->config, "validator.origin=bench.example/close", "bench_close", diag);
  if (err == 0)
    err = asz_home_locate(&h->home, home, diag);
  if (err == 0)
    err = asz_home_create(&h->home, &h->config, &h->key, diag);
  if (err == 0)
    err = asz_home_open(&h->home, false, &h->config, &h->key, &h->store, diag);
  if (err == 0)
    err = asz_tlog_open(&h->log, h->home.log_path, &h->key, diag);
  uint64_t start_ns = asz_clock_monotonic_ns();
  if (err == 0)
    err = house_register(h, job, diag);
  uint64_t registered_ns = asz_clock_monotonic_ns();
  if (err == 0)
    err = house_roster(h, diag);
  result->register_ns = registered_ns - start_ns;
  result->roster_ns = asz_clock_monotonic_ns() - registered_ns;
  if (err == 0 && asz_stats_new(&h->stats, (uint32_t)job->providers, (uint32_t)job->cells) != 0)
    err = asz_diag_set(diag, ASZ_ENOMEM, "no memory for the statistics of %u providers", (unsigned)job->providers);
  return err;
}

static void house_close(struct house *h) {
  asz_epochs_free(h->epochs);
  asz_roster_free(h->roster);
  asz_stats_free(h->stats);
  if (h->log != NULL)
    asz_tlog_close(h->log);
  asz_store_close(h->store);
  asz_identity_wipe(&h->key);
}

/* As if the epoch had been probed: every round drawn, all slots covered. */
static void stats_fill(struct asz_stats *stats, const struct asz_plan *plan, uint64_t silent) {
  uint64_t rounds = plan->rate_pps / plan->target_count * (plan->duration_ns / 1000000000);
  stats->shard_count = 1;
  stats->probes_scheduled = stats->shard_scheduled[0] = rounds * plan->target_count;
  stats->rate_pps = plan->rate_pps;
  for (uint32_t i = 0; i < plan->target_count - silent; i++) {
    struct asz_target_stats *target = &stats->target[i];
    struct asz_sketch sketch = asz_stats_sketch(stats, i);
    target->answered = (uint16_t)(rounds < UINT16_MAX ? rounds : UINT16_MAX);
    target->slots_up = UINT64_MAX;
    for (uint32_t n = 0; n < SAMPLES; n++) {
      uint32_t rtt_ns = RTT_MIN_NS + (uint32_t)asz_draw_below(asz_draw(1, i, n, 0), RTT_SPREAD_NS);
      target->rtt_min_ns = target->rtt_min_ns == 0 || rtt_ns < target->rtt_min_ns ? rtt_ns : target->rtt_min_ns;
      target->rtt_max_ns = rtt_ns > target->rtt_max_ns ? rtt_ns : target->rtt_max_ns;
      target->rtt_sum_ns += rtt_ns * (uint64_t)target->answered / SAMPLES;
      asz_sketch_add(&sketch, rtt_ns);
    }
  }
}

static int epoch_measure(struct house *h, const struct job *job, struct result *result, struct asz_diag *diag) {
  struct asz_epoch epoch;
  struct asz_epoch_summary summary;
  struct asz_plan plan;
  uint64_t start_ns = asz_clock_monotonic_ns();
  int err = asz_epochs_open(h->epochs, &epoch, diag);
  result->open_ns = asz_clock_monotonic_ns() - start_ns;
  asz_stats_clear(h->stats);
  if (err == 0)
    err = asz_run_plan(&h->config, h->roster, &epoch, h->stats, &plan, diag);
  if (err != 0)
    return err;
  stats_fill(h->stats, &plan, job->silent);
  start_ns = asz_clock_monotonic_ns();
  err = asz_epochs_close(h->epochs, &epoch, &plan, h->stats, true, &summary, diag);
  if (err != 0)
    return err;
  result->close_ns = asz_clock_monotonic_ns() - start_ns;
  if (result->close_first_ns == 0)
    result->close_first_ns = result->close_ns;
  result->judged = summary.judged;
  result->up = summary.up;
  result->recommendations += summary.recommendations;
  const struct asz_score *last = asz_epochs_score(h->epochs, plan.target_count - 1);
  result->hash = asz_bench_hash(result->hash, &last->composite_ppm, sizeof last->composite_ppm);
  return 0;
}

static uint64_t file_bytes(const char *path) {
  struct stat stat_of;
  return stat(path, &stat_of) == 0 ? (uint64_t)stat_of.st_size : 0;
}

static void print(const struct asz_bench_args *args, const struct job *job, const struct house *h, const struct result *result) {
  struct rusage usage;
  char hash[17];
  getrusage(RUSAGE_SELF, &usage);
  snprintf(hash, sizeof hash, "%016llx", (unsigned long long)result->hash);
  json_t *report = json_object();
#define FIELD(key, number) json_object_set_new(report, key, json_integer((json_int_t)(number)))
  json_object_set_new(report, "bench", json_string("close"));
  FIELD("providers", job->providers);
  FIELD("sketch_cells", job->cells);
  FIELD("epochs", job->epochs);
  FIELD("silent", job->silent);
  FIELD("register_ms", result->register_ns / 1000000);
  FIELD("roster_ms", result->roster_ns / 1000000);
  FIELD("open_us", result->open_ns / 1000);
  FIELD("close_first_ms", result->close_first_ns / 1000000);
  FIELD("close_ms", result->close_ns / 1000000);
  FIELD("close_ns_per_provider", result->close_ns / job->providers);
  FIELD("store_bytes", file_bytes(h->home.store_path));
  FIELD("stats_bytes", asz_stats_footprint((uint32_t)job->providers, (uint32_t)job->cells, false));
  FIELD("rss_peak_bytes", (uint64_t)usage.ru_maxrss * 1024);
  FIELD("judged", result->judged);
  FIELD("up", result->up);
  FIELD("recommendations", result->recommendations);
#undef FIELD
  json_object_set_new(report, "scores_hash", json_string(hash));
  json_object_set_new(report, "not_measured",
                      json_string("challenges and their state; probing meanwhile; a disk slower than this one"));
  asz_bench_print(args, report);
}

static int measure(const struct asz_bench_args *args, const struct job *job) {
  struct house house = {0};
  struct result result = {.hash = ASZ_BENCH_HASH_START};
  struct asz_diag diag = {""};
  int err = house_open(&house, job, &result, &diag);
  for (uint64_t n = 0; err == 0 && n < job->epochs; n++)
    err = epoch_measure(&house, job, &result, &diag);
  if (err == 0)
    print(args, job, &house, &result);
  else
    fprintf(stderr, "bench_close: %s\n", diag.text[0] != '\0' ? diag.text : asz_err_str(err));
  house_close(&house);
  return err == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  const char *providers = NULL, *cells = "64", *epochs = "2", *silent = "0", *dir = getenv("TMPDIR");
  if (dir == NULL)
    dir = "/var/tmp";
  const struct asz_bench_option options[] = {
      {"providers", "number of them, 1 to 10000000; without it 100000", &providers},
      {"cells", "of a sketch, a power of two from 32 to 1024", &cells},
      {"epochs", "closed one after another", &epochs},
      {"silent", "providers that answered nothing", &silent},
      {"dir", "where the scratch home is made and removed", &dir},
  };
  struct asz_bench_args args;
  struct job job;
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, sizeof options / sizeof *options) != 0)
    return status;
  if (job_read(&job, &args, providers, cells, epochs, silent, dir) != 0)
    return 2;
  status = measure(&args, &job);
  (void)nftw(job.dir, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
  return status;
}
