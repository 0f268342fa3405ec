/* SPDX-License-Identifier: Apache-2.0 */
/* How many challenge answers a backend judges a second, through the verifier's own interface, next to what libsodium does on one
 * core with the same items.
 *
 * All batches of the pool are filled once; a round submits them all and polls until the last is done, then judges a part of the
 * same items with plain libsodium calls. Rounds of the two alternate and the best of each counts: on a shared machine a slow
 * minute then slows both. One item in 16 is wrong; a verdict that differs from libsodium's ends the run. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "dataplane/base/clock.h"
#include "gpu/prove/prove.h"
#include "gpu/verify.h"

enum {
  BATCHES = 4,       /* as many as the pool of a real run has */
  WRONG_EVERY = 16,  /* items */
  EXIT_SKIPPED = 77, /* what meson takes for "cannot run here" */
};

struct size {
  uint32_t items;           /* a batch */
  uint32_t libsodium_items; /* a round; fewer, so that a device's rounds do not wait for it */
  unsigned log2_steps;      /* seq */
};

struct bench {
  unsigned kind;
  struct size size;
  struct asz_verifier *verifier;
  struct asz_batch *batch[BATCHES];
  uint8_t *expected; /* verdicts of the items of one batch; all batches hold the same */
  uint64_t best_ns, libsodium_best_ns;
};

static struct size default_size(unsigned kind, enum asz_backend backend, bool smoke) {
  if (kind == ASZ_KIND_SIG && smoke)
    return (struct size){64, 64, 0};
  if (kind == ASZ_KIND_SIG)
    return backend == ASZ_BACKEND_CPU ? (struct size){500, 2000, 0} : (struct size){16384, 2000, 0};
  if (smoke)
    return (struct size){16, 16, 8};
  return backend == ASZ_BACKEND_CPU ? (struct size){16, 64, 14} : (struct size){4096, 4, 20};
}

static void fill_sig(struct asz_batch *batch, uint32_t i) {
  uint8_t seed[32] = {0}, secret_key[64];
  memcpy(seed, &i, sizeof i);
  crypto_sign_seed_keypair(batch->public_key[i], secret_key, seed);
  memset(batch->message[i], (int)i, ASZ_SIGNED_BYTES); /* as long as the answers of a real run */
  batch->message_bytes[i] = ASZ_SIGNED_BYTES;
  crypto_sign_detached(batch->signature[i], NULL, batch->message[i], ASZ_SIGNED_BYTES, secret_key);
  if (i % WRONG_EVERY == WRONG_EVERY - 1)
    batch->signature[i][i % 64] ^= 1;
}

/* One chain costs the prover as much as the verifier, so all items have the same; the wrong ones are wrong at the end, which
 * leaves the reference no short cut. */
static void fill_seq(struct asz_batch *batch, uint32_t i, unsigned log2_steps) {
  if (i == 0)
    asz_prove_seq(batch->checkpoint[0], batch->seed[0], log2_steps);
  else
    memcpy(batch->checkpoint[i], batch->checkpoint[0], sizeof batch->checkpoint[0]);
  memcpy(batch->seed[i], batch->seed[0], 32);
  batch->log2_steps[i] = (uint8_t)log2_steps;
  if (i % WRONG_EVERY == WRONG_EVERY - 1)
    batch->checkpoint[i][ASZ_SEQ_CHECKPOINTS - 1][i % 32] ^= 1;
}

static void fill(struct bench *bench) {
  for (int b = 0; b < BATCHES; b++) {
    struct asz_batch *batch = bench->batch[b] = asz_verify_batch(bench->verifier, bench->kind);
    batch->count = bench->size.items;
    for (uint32_t i = 0; i < batch->count; i++) {
      if (bench->kind == ASZ_KIND_SIG)
        fill_sig(batch, i);
      else
        fill_seq(batch, i, bench->size.log2_steps);
    }
  }
  for (uint32_t i = 0; i < bench->size.items; i++)
    bench->expected[i] = i % WRONG_EVERY == WRONG_EVERY - 1 ? ASZ_VERDICT_FAIL : ASZ_VERDICT_PASS;
}

/* Judges all batches once and takes them again, filled as they are. */
static int round_of_backend(struct bench *bench) {
  uint64_t start_ns = asz_clock_monotonic_ns();
  for (int b = 0; b < BATCHES; b++)
    asz_verify_submit(bench->verifier, bench->batch[b]);
  for (int done = 0; done < BATCHES;)
    done += asz_verify_poll(bench->verifier, 0) != NULL;
  uint64_t took_ns = asz_clock_monotonic_ns() - start_ns;
  if (took_ns < bench->best_ns)
    bench->best_ns = took_ns;
  for (int b = 0; b < BATCHES; b++) {
    if (memcmp(bench->batch[b]->verdict, bench->expected, bench->size.items) != 0)
      return -1;
    asz_verify_release(bench->verifier, bench->batch[b]);
  }
  for (int b = 0; b < BATCHES; b++) {
    bench->batch[b] = asz_verify_batch(bench->verifier, bench->kind);
    bench->batch[b]->count = bench->size.items;
  }
  return 0;
}

static bool libsodium_accepts(const struct bench *bench, uint32_t i) {
  const struct asz_batch *batch = bench->batch[0];
  if (bench->kind == ASZ_KIND_SIG)
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
  for (uint32_t n = 0; n < bench->size.libsodium_items; n++) {
    uint32_t i = n % bench->size.items;
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
  for (unsigned round = 0; round < 3 || asz_clock_monotonic_ns() - start_ns < seconds * 1000000000u; round++)
    if (round_of_backend(bench) != 0 || round_of_libsodium(bench) != 0)
      return -1;
  return 0;
}

static json_t *report(const struct bench *bench) {
  uint64_t items = (uint64_t)bench->size.items * BATCHES;
  double rate = 1e9 * (double)items / (double)bench->best_ns;
  double libsodium_rate = 1e9 * (double)bench->size.libsodium_items / (double)bench->libsodium_best_ns;
  json_t *json = json_object();
  json_object_set_new(json, "bench", json_string("verify"));
  json_object_set_new(json, "kind", json_string(asz_kind_name(bench->kind)));
  json_object_set_new(json, "backend", json_string(asz_verify_backend_name(bench->verifier)));
  json_object_set_new(json, "rate_ps", json_real(rate));
  json_object_set_new(json, "ratio_libsodium", json_real(rate / libsodium_rate));
  json_object_set_new(json, "libsodium_rate_ps", json_real(libsodium_rate));
  json_object_set_new(json, "items", json_integer((json_int_t)items));
  if (bench->kind == ASZ_KIND_SEQ) {
    json_object_set_new(json, "steps_per_item", json_integer((json_int_t)1 << bench->size.log2_steps));
    json_object_set_new(json, "step_rate_ps", json_real(rate * (double)(UINT64_C(1) << bench->size.log2_steps)));
  }
  char hash[17];
  snprintf(hash, sizeof hash, "%016llx",
           (unsigned long long)asz_bench_hash(ASZ_BENCH_HASH_START, bench->expected, bench->size.items));
  json_object_set_new(json, "verdict_hash", json_string(hash));
  json_object_set_new(json, "not_measured",
                      json_string("filling batches; MAC checks; small batches; best round of each side, libsodium on one core"));
  return json;
}

static int refuse(const char *what, const char *value) {
  fprintf(stderr, "bench_verify: %s: '%s'; see --help\n", what, value);
  return 2;
}

/* -1 when the benchmark should run, else its exit status. */
static int parse(struct bench *ret_bench, enum asz_backend *ret_backend, struct asz_bench_args *ret_args, int argc, char **argv) {
  const char *kind = "sig", *backend = "cpu", *items_text = NULL, *steps_text = NULL;
  const struct asz_bench_option options[] = {
      {"kind", "sig or seq (default sig)", &kind},
      {"backend", "cpu or cuda (default cpu)", &backend},
      {"items", "items a batch, of which there are 4", &items_text},
      {"log2-steps", "length of a seq chain", &steps_text},
  };
  int status;
  if (asz_bench_parse(ret_args, &status, argc, argv, options, sizeof options / sizeof options[0]) != 0)
    return status;
  ret_bench->kind = asz_kind_from_name(kind);
  if (ret_bench->kind == 0)
    return refuse("no such kind", kind);
  if (strcmp(backend, "cpu") != 0 && strcmp(backend, "cuda") != 0)
    return refuse("no such backend", backend);
  *ret_backend = strcmp(backend, "cpu") == 0 ? ASZ_BACKEND_CPU : ASZ_BACKEND_CUDA;
  struct size *size = &ret_bench->size;
  *size = default_size(ret_bench->kind, *ret_backend, ret_args->smoke);
  uint64_t items = size->items, log2_steps = size->log2_steps;
  if ((items_text && asz_bench_number(&items, "items", items_text, 1, 65536) != 0) ||
      (steps_text && asz_bench_number(&log2_steps, "log2-steps", steps_text, ASZ_SEQ_LOG2_MIN, ASZ_SEQ_LOG2_MAX) != 0))
    return 2;
  size->items = (uint32_t)items;
  size->log2_steps = (unsigned)log2_steps;
  return -1;
}

/* The exit status. */
static int run(struct bench *bench, const struct asz_bench_args *args) {
  bench->expected = malloc(bench->size.items);
  if (!bench->expected)
    return 1;
  fill(bench);
  if (measure(bench, args->seconds ? args->seconds : args->smoke ? 0 : 5) != 0) {
    fprintf(stderr, "bench_verify: a verdict differs from libsodium's\n");
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
  struct bench bench = {0};
  struct asz_bench_args args;
  enum asz_backend backend = ASZ_BACKEND_CPU;
  int status = parse(&bench, &backend, &args, argc, argv);
  if (status >= 0)
    return status;
  struct asz_verify_config config = {.backend = backend, .batch_capacity = bench.size.items, .batch_count = BATCHES};
  struct asz_diag diag = {""};
  int rc = asz_verify_new(&bench.verifier, &config, &diag);
  if (rc != 0) {
    fprintf(stderr, "bench_verify: %s\n", diag.text);
    return rc == ASZ_ENOTSUP ? EXIT_SKIPPED : 1;
  }
  status = run(&bench, &args);
  free(bench.expected);
  asz_verify_free(bench.verifier);
  return status;
}
