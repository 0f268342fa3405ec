/* SPDX-License-Identifier: Apache-2.0 */
/* How long a verifier takes over one correctness slot of many providers: every provider answers a sig, a seq and a gemm
 * challenge, so there are three signatures by known keys, a chain and some openings of each.
 *
 * The verifier is the one that a run has: its pool of batches, its choice between device and CPU. Batches are filled once and
 * taken again, so that the time is of judging and of copies to a device alone, from the first submission to the last verdict. The
 * best of three rounds counts, of one where a round takes over a minute. One item in 16 is wrong; a verdict that differs from
 * what is known ends the run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/verify_items.h"
#include "dataplane/base/clock.h"

enum {
  BATCHES = 4, /* of each kind, as in a run */
  BATCH_ITEMS = 65536,
  BATCH_OPENINGS = 16384,
  ROUNDS = 3,
  KINDS = 3,
  EXIT_SKIPPED = 77, /* what meson takes for "cannot run here" */
};

/* The answers of one kind. */
struct answers {
  struct asz_bench_items what;     /* items: of a full batch */
  uint64_t total, left;            /* of a slot; not yet submitted */
  struct asz_batch *held[BATCHES]; /* filled, and not in flight */
  unsigned held_count;
};

struct bench {
  struct answers answers[KINDS];
  enum asz_backend backend;
  uint64_t providers, log2_steps, openings;
  struct asz_verifier *verifier;
  uint8_t expected[BATCH_ITEMS]; /* verdicts, as of any batch's items */
  uint64_t best_ns;
};

static const uint64_t ROUND_LONG_NS = UINT64_C(60) * 1000000000;
static const uint8_t kinds[KINDS] = {ASZ_KIND_SEQ, ASZ_KIND_SIG, ASZ_KIND_GEMM}; /* the longest first */

static uint32_t at_most(uint64_t value, uint32_t limit) {
  return value < limit ? (uint32_t)value : limit;
}

static int open_verifier(struct bench *bench, struct asz_diag *diag) {
  struct asz_verify_config config;
  asz_verify_config_default(&config);
  config.backend = bench->backend;
  config.batch_capacity = BATCH_ITEMS;
  config.openings = BATCH_OPENINGS;
  config.batch_count = BATCHES;
  config.key_capacity = (uint32_t)bench->providers;
  config.preset_max = bench->answers[0].what.preset;
  return asz_verify_new(&bench->verifier, &config, diag);
}

/* Takes every batch of a kind and fills it. */
static int fill(struct bench *bench, struct answers *answers) {
  for (; answers->held_count < BATCHES; answers->held_count++) {
    struct asz_batch *batch = answers->held[answers->held_count] = asz_verify_batch(bench->verifier, answers->what.kind);
    if (answers->held_count > 0)
      asz_bench_items_copy(batch, answers->held[0]);
    else if (asz_bench_items_fill(bench->verifier, batch, &answers->what) != 0)
      return -1;
  }
  return 0;
}

/* Submits a batch of each kind that is left and has one; how many. */
static unsigned submit(struct bench *bench) {
  unsigned submitted = 0;
  for (struct answers *a = bench->answers; a < bench->answers + KINDS; a++) {
    if (a->left == 0 || a->held_count == 0)
      continue;
    struct asz_batch *batch = a->held[--a->held_count];
    batch->count = at_most(a->left, a->what.items);
    a->left -= batch->count;
    asz_verify_submit(bench->verifier, batch);
    submitted++;
  }
  return submitted;
}

/* Gives a judged batch back and takes it again: of its kind no other is free. */
static void hold_again(struct bench *bench, struct asz_batch *batch) {
  struct answers *a = bench->answers;
  while (a->what.kind != batch->kind)
    a++;
  asz_verify_release(bench->verifier, batch);
  a->held[a->held_count++] = asz_verify_batch(bench->verifier, a->what.kind);
}

static int judge_slot(struct bench *bench) {
  unsigned in_flight = 0, added;
  for (int k = 0; k < KINDS; k++)
    bench->answers[k].left = bench->answers[k].total;
  uint64_t start_ns = asz_clock_monotonic_ns();
  do {
    while ((added = submit(bench)) > 0)
      in_flight += added;
    struct asz_batch *batch = asz_verify_poll(bench->verifier, 0);
    if (!batch)
      continue;
    if (memcmp(batch->verdict, bench->expected, batch->count) != 0)
      return -1;
    hold_again(bench, batch);
    in_flight--;
  } while (in_flight > 0);
  uint64_t took_ns = asz_clock_monotonic_ns() - start_ns;
  if (took_ns < bench->best_ns)
    bench->best_ns = took_ns;
  return 0;
}

static json_t *report(const struct bench *bench) {
  json_t *json = json_object();
  json_object_set_new(json, "bench", json_string("slot"));
  json_object_set_new(json, "backend", json_string(asz_verify_backend_name(bench->verifier)));
  json_object_set_new(json, "providers", json_integer((json_int_t)bench->providers));
  json_object_set_new(json, "slot_s", json_real((double)bench->best_ns / 1e9));
  for (int k = 0; k < KINDS; k++)
    json_object_set_new(json, asz_kind_name(bench->answers[k].what.kind), json_integer((json_int_t)bench->answers[k].total));
  json_object_set_new(json, "steps_per_chain", json_integer((json_int_t)1 << bench->log2_steps));
  json_object_set_new(json, "preset", json_string(asz_preset_of(bench->answers[0].what.preset)->name));
  json_object_set_new(json, "memory_peak_bytes", json_integer((json_int_t)asz_bench_memory_peak_bytes()));
  json_object_set_new(json, "not_measured", json_string("filling batches; MAC checks; deriving challenges"));
  return json;
}

static int refuse(const char *what, const char *value) {
  fprintf(stderr, "bench_slot: %s: '%s'; see --help\n", what, value);
  return 2;
}

/* -1 when the benchmark should run, else its exit status. */
static int parse(struct bench *ret_bench, struct asz_bench_args *ret_args, int argc, char **argv) {
  const char *backend = "cpu", *providers = NULL, *steps = NULL, *openings = NULL, *preset = NULL;
  const struct asz_bench_option options[] = {
      {"backend", "reference, cpu or cuda (default cpu)", &backend},
      {"providers", "that answer in the slot (default 44000)", &providers},
      {"log2-steps", "length of a chain (default 12)", &steps},
      {"openings", "of an answer of gemm (default 8)", &openings},
      {"preset", "gemm: of docs/challenges.md (default gpu; with --smoke tiny)", &preset},
  };
  int status;
  if (asz_bench_parse(ret_args, &status, argc, argv, options, sizeof options / sizeof options[0]) != 0)
    return status;
  ret_bench->backend = asz_bench_backend_named(backend);
  if (ret_bench->backend == ASZ_BACKEND_AUTO)
    return refuse("no such backend", backend);
  unsigned which = asz_preset_from_name(preset ? preset : ret_args->smoke ? "tiny" : "gpu");
  if (which == 0)
    return refuse("no such preset", preset);
  ret_bench->providers = ret_args->smoke ? 100 : 44000;
  ret_bench->log2_steps = ret_args->smoke ? 8 : 12;
  ret_bench->openings = 8;
  if ((providers && asz_bench_number(&ret_bench->providers, "providers", providers, 1, 1000000) != 0) ||
      (steps && asz_bench_number(&ret_bench->log2_steps, "log2-steps", steps, ASZ_SEQ_LOG2_MIN, ASZ_SEQ_LOG2_MAX) != 0) ||
      (openings && asz_bench_number(&ret_bench->openings, "openings", openings, 1, 32) != 0))
    return 2;
  for (int k = 0; k < KINDS; k++) {
    struct answers *a = &ret_bench->answers[k];
    uint64_t of_each = kinds[k] == ASZ_KIND_SIG ? KINDS : kinds[k] == ASZ_KIND_GEMM ? ret_bench->openings : 1;
    a->total = ret_bench->providers * of_each;
    a->what = (struct asz_bench_items){.kind = kinds[k],
                                       .items = at_most(a->total, kinds[k] == ASZ_KIND_GEMM ? BATCH_OPENINGS : BATCH_ITEMS),
                                       .log2_steps = (unsigned)ret_bench->log2_steps,
                                       .preset = (uint8_t)which};
    a->what.keys = kinds[k] == ASZ_KIND_SIG ? at_most(ret_bench->providers, a->what.items) : 0;
  }
  return -1;
}

/* The exit status. */
static int run(struct bench *bench, const struct asz_bench_args *args) {
  for (uint32_t i = 0; i < BATCH_ITEMS; i++)
    bench->expected[i] = (uint8_t)asz_bench_items_expected(i);
  for (int k = 0; k < KINDS; k++)
    if (fill(bench, &bench->answers[k]) != 0) {
      fprintf(stderr, "bench_slot: out of memory\n");
      return 1;
    }
  bench->best_ns = UINT64_MAX;
  for (int round = 0; round < (args->smoke ? 1 : ROUNDS) && (round == 0 || bench->best_ns < ROUND_LONG_NS); round++)
    if (judge_slot(bench) != 0) {
      fprintf(stderr, "bench_slot: a verdict differs from what is known\n");
      return 1;
    }
  if (asz_verify_fallbacks(bench->verifier) > 0) {
    fprintf(stderr, "bench_slot: the device failed, so the CPU was measured\n");
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
    fprintf(stderr, "bench_slot: %s\n", diag.text);
    return rc == ASZ_ENOTSUP ? EXIT_SKIPPED : 1;
  }
  status = run(&bench, &args);
  asz_verify_free(bench.verifier);
  return status;
}
