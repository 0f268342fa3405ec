/* SPDX-License-Identifier: Apache-2.0 */
/* How many challenge answers a backend judges a second, and how long a batch takes, through the verifier's own interface; for
 * signatures and chains next to what libsodium does on one core with the same items.
 *
 * All batches of the pool are filled once. A round submits them all and polls until the last is done: the rate. Then it submits
 * one alone, from which on to its verdicts is the batch's latency. Then it judges a part of the same items with plain libsodium
 * calls. Rounds of all three alternate and the best of each counts, of latencies the 50th and 99th percentile: on a shared
 * machine a slow minute then slows all. One item in 16 is wrong; a verdict that differs from what is known ends the run.
 *
 * A device judges batches of any size here, also those that a run would leave to the CPU. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/verify_items.h"
#include "dataplane/base/clock.h"
#include "gpu/device.h"
#include "gpu/simd/sig.h"

enum {
  BATCHES = 4,         /* as many as the pool of a real run has */
  LATENCIES = 1 << 16, /* rounds of which the latency is kept */
  EXIT_SKIPPED = 77,   /* what meson takes for "cannot run here" */
};

struct bench {
  struct asz_bench_items what;
  enum asz_backend backend;
  uint32_t libsodium_items; /* a round; fewer, so that a device's rounds do not wait for it; 0: libsodium has no such thing */
  struct asz_verifier *verifier;
  struct asz_batch *batch[BATCHES];
  uint8_t *expected; /* verdicts of the items of one batch; all batches hold the same */
  uint64_t best_ns, libsodium_best_ns;
  uint64_t latency_ns[LATENCIES];
  unsigned latencies;
};

/* Items a batch by default: about a second of rounds. */
static uint32_t default_items(const struct bench *bench, bool smoke) {
  bool device = bench->backend == ASZ_BACKEND_CUDA;
  switch (bench->what.kind) {
  case ASZ_KIND_SIG:
    return smoke ? 64 : device ? 16384 : bench->backend == ASZ_BACKEND_REFERENCE ? 512 : 4096;
  case ASZ_KIND_SEQ:
    return smoke ? 16 : device ? 4096 : 16;
  default:
    return smoke ? 16 : device ? 1024 : 64;
  }
}

/* Opens the verifier that is asked for; also a device that would leave few signatures to the CPU. */
static int open_verifier(struct bench *bench, struct asz_diag *diag) {
  const struct asz_bench_items *what = &bench->what;
  struct asz_verify_config config;
  asz_verify_config_default(&config);
  config.backend = bench->backend;
  config.batch_capacity = config.openings = what->items;
  config.batch_count = BATCHES;
  config.key_capacity = what->keys;
  config.preset_max = what->kind == ASZ_KIND_GEMM || what->kind == ASZ_KIND_MEM ? what->preset : 0;
  if (bench->backend != ASZ_BACKEND_CUDA)
    return asz_verify_new(&bench->verifier, &config, diag);
  struct asz_device device;
  int rc = asz_device_cuda_open(&device, diag);
  if (rc != 0)
    return rc;
  memset(device.items_min, 0, sizeof device.items_min);
  return asz_verify_new_on(&bench->verifier, &config, &device, diag);
}

static int fill(struct bench *bench) {
  for (int b = 0; b < BATCHES; b++) {
    bench->batch[b] = asz_verify_batch(bench->verifier, bench->what.kind);
    if (b > 0)
      asz_bench_items_copy(bench->batch[b], bench->batch[0]);
    else if (asz_bench_items_fill(bench->verifier, bench->batch[0], &bench->what) != 0)
      return -1;
  }
  for (uint32_t i = 0; i < bench->what.items; i++)
    bench->expected[i] = (uint8_t)asz_bench_items_expected(i);
  return 0;
}

/* Judges the first `count` batches and takes them again, filled as they are. */
static int judge(struct bench *bench, int count, uint64_t *ret_took_ns) {
  uint64_t start_ns = asz_clock_monotonic_ns();
  for (int b = 0; b < count; b++)
    asz_verify_submit(bench->verifier, bench->batch[b]);
  for (int done = 0; done < count;)
    done += asz_verify_poll(bench->verifier, 0) != NULL;
  *ret_took_ns = asz_clock_monotonic_ns() - start_ns;
  for (int b = 0; b < count; b++) {
    if (memcmp(bench->batch[b]->verdict, bench->expected, bench->what.items) != 0)
      return -1;
    asz_verify_release(bench->verifier, bench->batch[b]);
  }
  for (int b = 0; b < count; b++) {
    bench->batch[b] = asz_verify_batch(bench->verifier, bench->what.kind);
    bench->batch[b]->count = bench->what.items;
  }
  return 0;
}

static bool libsodium_accepts(const struct bench *bench, uint32_t i) {
  const struct asz_batch *batch = bench->batch[0];
  if (bench->what.kind == ASZ_KIND_SIG)
    return crypto_sign_verify_detached(batch->signature[i], batch->message[i], batch->message_bytes[i], batch->public_key[i]) ==
           0;
  uint8_t x[32];
  memcpy(x, batch->seed[i], sizeof x);
  for (uint32_t step = 0; step < UINT32_C(1) << batch->log2_steps[i]; step++)
    crypto_hash_sha256(x, x, sizeof x);
  return memcmp(x, batch->checkpoint[i][ASZ_SEQ_CHECKPOINTS - 1], sizeof x) == 0;
}

static int round_of_libsodium(struct bench *bench) {
  uint64_t start_ns = asz_clock_monotonic_ns();
  for (uint32_t n = 0; n < bench->libsodium_items; n++) {
    uint32_t i = n % bench->what.items;
    if (libsodium_accepts(bench, i) != (bench->expected[i] == ASZ_VERDICT_PASS))
      return -1;
  }
  uint64_t took_ns = asz_clock_monotonic_ns() - start_ns;
  if (took_ns < bench->libsodium_best_ns)
    bench->libsodium_best_ns = took_ns;
  return 0;
}

/* At least three rounds of each, and for as long as was asked for. */
static int measure(struct bench *bench, uint64_t seconds) {
  uint64_t start_ns = asz_clock_monotonic_ns();
  bench->best_ns = bench->libsodium_best_ns = UINT64_MAX;
  for (unsigned round = 0; round < 3 || asz_clock_monotonic_ns() - start_ns < seconds * 1000000000u; round++) {
    uint64_t all_ns, alone_ns;
    if (judge(bench, BATCHES, &all_ns) != 0 || judge(bench, 1, &alone_ns) != 0 || round_of_libsodium(bench) != 0)
      return -1;
    if (all_ns < bench->best_ns)
      bench->best_ns = all_ns;
    if (bench->latencies < LATENCIES)
      bench->latency_ns[bench->latencies++] = alone_ns;
  }
  return 0;
}

static int by_size(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static double latency_us(const struct bench *bench, unsigned percent) {
  return (double)bench->latency_ns[(uint64_t)(bench->latencies - 1) * percent / 100] / 1e3;
}

static void report_kind(json_t *json, const struct bench *bench, double rate) {
  const struct asz_bench_items *what = &bench->what;
  if (what->kind == ASZ_KIND_SIG) {
    json_object_set_new(json, "keys", json_integer(what->keys));
  } else if (what->kind == ASZ_KIND_SEQ) {
    json_object_set_new(json, "steps_per_item", json_integer((json_int_t)1 << what->log2_steps));
    json_object_set_new(json, "step_rate_ps", json_real(rate * (double)(UINT64_C(1) << what->log2_steps)));
  } else {
    json_object_set_new(json, "preset", json_string(asz_preset_of(what->preset)->name));
    json_object_set_new(json, "opening_bytes", json_integer((json_int_t)bench->batch[0]->opening_bytes));
  }
}

static json_t *report(struct bench *bench) {
  uint64_t items = (uint64_t)bench->what.items * BATCHES;
  double rate = 1e9 * (double)items / (double)bench->best_ns;
  char hash[17];
  qsort(bench->latency_ns, bench->latencies, sizeof bench->latency_ns[0], by_size);
  snprintf(hash, sizeof hash, "%016llx",
           (unsigned long long)asz_bench_hash(ASZ_BENCH_HASH_START, bench->expected, bench->what.items));
  json_t *json = json_object();
  json_object_set_new(json, "bench", json_string("verify"));
  json_object_set_new(json, "kind", json_string(asz_kind_name(bench->what.kind)));
  json_object_set_new(json, "backend", json_string(asz_verify_backend_name(bench->verifier)));
  json_object_set_new(json, "batch_items", json_integer(bench->what.items));
  json_object_set_new(json, "rate_ps", json_real(rate));
  if (bench->libsodium_items) {
    double libsodium_rate = 1e9 * (double)bench->libsodium_items / (double)bench->libsodium_best_ns;
    json_object_set_new(json, "ratio_libsodium", json_real(rate / libsodium_rate));
    json_object_set_new(json, "libsodium_rate_ps", json_real(libsodium_rate));
  }
  json_object_set_new(json, "batch_p50_us", json_real(latency_us(bench, 50)));
  json_object_set_new(json, "batch_p99_us", json_real(latency_us(bench, 99)));
  json_object_set_new(json, "batches_timed", json_integer(bench->latencies));
  json_object_set_new(json, "memory_peak_bytes", json_integer((json_int_t)asz_bench_memory_peak_bytes()));
  json_object_set_new(json, "items", json_integer((json_int_t)items));
  report_kind(json, bench, rate);
  json_object_set_new(json, "verdict_hash", json_string(hash));
  json_object_set_new(json, "not_measured",
                      json_string("filling batches; MAC checks; memory of the device; best round of each side, libsodium on one "
                                  "core; latency of one batch alone"));
  return json;
}

static int refuse(const char *what, const char *value) {
  fprintf(stderr, "bench_verify: %s: '%s'; see --help\n", what, value);
  return 2;
}

/* -1 when the benchmark should run, else its exit status. */
static int parse(struct bench *ret_bench, struct asz_bench_args *ret_args, int argc, char **argv) {
  const char *kind = "sig", *backend = "cpu", *items_text = NULL, *steps_text = NULL, *keys_text = NULL, *preset = NULL;
  const struct asz_bench_option options[] = {
      {"kind", "sig, seq, gemm or mem (default sig)", &kind},
      {"backend", "reference, cpu or cuda (default cpu)", &backend},
      {"items", "items a batch, of which there are 4", &items_text},
      {"keys", "sig: keys that are known in advance (default 64; 0: every item's key is unknown)", &keys_text},
      {"log2-steps", "seq: length of a chain", &steps_text},
      {"preset", "gemm, mem: of docs/challenges.md (default gpu; with --smoke tiny)", &preset},
  };
  struct asz_bench_items *what = &ret_bench->what;
  int status;
  if (asz_bench_parse(ret_args, &status, argc, argv, options, sizeof options / sizeof options[0]) != 0)
    return status;
  what->kind = asz_kind_from_name(kind);
  if (what->kind == 0)
    return refuse("no such kind", kind);
  ret_bench->backend = asz_bench_backend_named(backend);
  if (ret_bench->backend == ASZ_BACKEND_AUTO)
    return refuse("no such backend", backend);
  what->preset = (uint8_t)asz_preset_from_name(preset ? preset : ret_args->smoke ? "tiny" : "gpu");
  if (what->preset == 0)
    return refuse("no such preset", preset);
  uint64_t items = default_items(ret_bench, ret_args->smoke), keys = ret_args->smoke ? 16 : 64;
  uint64_t log2_steps = ret_args->smoke ? 8 : ret_bench->backend == ASZ_BACKEND_CUDA ? 20 : 14;
  if ((items_text && asz_bench_number(&items, "items", items_text, 1, 65536) != 0) ||
      (keys_text && asz_bench_number(&keys, "keys", keys_text, 0, 65536) != 0) ||
      (steps_text && asz_bench_number(&log2_steps, "log2-steps", steps_text, ASZ_SEQ_LOG2_MIN, ASZ_SEQ_LOG2_MAX) != 0))
    return 2;
  what->items = (uint32_t)items;
  what->keys = what->kind != ASZ_KIND_SIG ? 0 : keys < items ? (uint32_t)keys : (uint32_t)items;
  what->log2_steps = (unsigned)log2_steps;
  if (what->kind == ASZ_KIND_SIG)
    ret_bench->libsodium_items = ret_args->smoke ? 64 : 2000;
  else if (what->kind == ASZ_KIND_SEQ)
    ret_bench->libsodium_items = ret_args->smoke ? 16 : log2_steps > 16 ? 4 : 64;
  return -1;
}

/* The exit status. */
static int run(struct bench *bench, const struct asz_bench_args *args) {
  bench->expected = malloc(bench->what.items);
  if (!bench->expected || fill(bench) != 0) {
    fprintf(stderr, "bench_verify: out of memory\n");
    return 1;
  }
  if (measure(bench, args->seconds ? args->seconds : args->smoke ? 0 : 5) != 0) {
    fprintf(stderr, "bench_verify: a verdict differs from what is known\n");
    return 1;
  }
  if (asz_verify_fallbacks(bench->verifier) > 0) {
    fprintf(stderr, "bench_verify: the device failed, so the CPU was measured\n");
    return 1;
  }
  asz_bench_print(args, report(bench));
  return 0;
}

int main(int argc, char **argv) {
  static struct bench bench;
  struct asz_bench_args args;
  int status = parse(&bench, &args, argc, argv);
  if (status >= 0)
    return status;
  struct asz_diag diag = {""};
  int rc = open_verifier(&bench, &diag);
  if (rc != 0) {
    fprintf(stderr, "bench_verify: %s\n", diag.text);
    return rc == ASZ_ENOTSUP ? EXIT_SKIPPED : 1;
  }
  status = run(&bench, &args);
  free(bench.expected);
  asz_verify_free(bench.verifier);
  return status;
}
