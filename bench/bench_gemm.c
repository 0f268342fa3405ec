/* SPDX-License-Identifier: Apache-2.0 */
/* gemm and mem on the CPU as a verifier has them, a backend and preset at a time: what an opening costs to judge, what a slot
 * costs before that, and how fast keystream comes. The provider's side is bench_prove's.
 *
 * Everything is what a run calls. The openings are of one column that is right among siblings that nobody computed, so that a
 * card's presets are judged where no card is; they must pass. Best round of several. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "gpu/gemm.h"
#include "gpu/tree.h"

enum { OPENINGS = 8, KEYSTREAM_BYTES = 1 << 16 };

struct bench {
  uint32_t preset;
  const struct asz_gemm_backend *backend;
  struct asz_gemm_shape shape;
  uint64_t rounds;
  uint8_t beacon[32], rho[32], seed[32], root[32];
  struct asz_gemm_slot *slot;
  struct asz_gemm_openings openings;
  double u_ms, opening_us, keystream_gbps;
};

static double seconds_since(uint64_t start_ns) {
  return (double)(asz_clock_monotonic_ns() - start_ns) / 1e9;
}

static void measure_keystream(struct bench *bench) {
  int8_t *entries = asz_bench_memory(KEYSTREAM_BYTES);
  double best = 1e9;
  for (uint64_t round = 0; round < 20 * bench->rounds; round++) {
    uint64_t start_ns = asz_clock_monotonic_ns();
    bench->backend->matrix(entries, bench->seed, round * (KEYSTREAM_BYTES / 64), KEYSTREAM_BYTES / 64);
    double took = seconds_since(start_ns);
    best = took < best ? took : best;
  }
  bench->keystream_gbps = KEYSTREAM_BYTES / best / 1e9;
  free(entries);
}

static void measure_slot(struct bench *bench) {
  void *memory = asz_bench_memory(asz_gemm_slot_footprint(bench->preset));
  bench->u_ms = 1e9;
  for (uint64_t round = 0; round < (bench->rounds + 9) / 10; round++) {
    uint64_t start_ns = asz_clock_monotonic_ns();
    bench->slot = asz_gemm_slot_new(memory, bench->preset, bench->backend, bench->beacon, bench->rho);
    double took = 1e3 * seconds_since(start_ns);
    bench->u_ms = took < bench->u_ms ? took : bench->u_ms;
  }
}

/* Judges the same openings again and again: b is regenerated each time. */
static int measure_openings(struct bench *bench) {
  double best = 1e9;
  for (uint64_t round = 0; round < bench->rounds; round++) {
    uint64_t start_ns = asz_clock_monotonic_ns();
    asz_gemm_judge(bench->slot, &bench->openings, 0, bench->openings.count);
    double took = seconds_since(start_ns);
    best = took < best ? took : best;
    for (uint32_t i = 0; i < bench->openings.count; i++)
      if (bench->openings.verdict[i] != ASZ_VERDICT_PASS) {
        fprintf(stderr, "bench_gemm: an honest opening: %s\n", asz_gemm_reason_name(bench->openings.reason[i]));
        return -1;
      }
  }
  bench->opening_us = 1e6 * best / bench->openings.count;
  return 0;
}

static void openings_new(struct bench *bench, size_t opening_bytes) {
  struct asz_gemm_openings *openings = &bench->openings;
  uint8_t(*seed)[32] = asz_bench_memory(OPENINGS * 32), (*root)[32] = asz_bench_memory(OPENINGS * 32);
  *openings = (struct asz_gemm_openings){.count = OPENINGS, .opening_bytes = opening_bytes};
  for (int i = 0; i < OPENINGS; i++) {
    memcpy(seed[i], bench->seed, 32);
    memcpy(root[i], bench->root, 32);
  }
  openings->seed = (const uint8_t(*)[32])seed;
  openings->root = (const uint8_t(*)[32])root;
  openings->opening = asz_bench_memory(OPENINGS * opening_bytes);
  openings->pick = asz_bench_memory(OPENINGS * sizeof(struct asz_gemm_pick));
  openings->verdict = asz_bench_memory(OPENINGS);
  openings->reason = asz_bench_memory(OPENINGS);
}

static void openings_free(struct bench *bench) {
  free((void *)bench->openings.seed);
  free((void *)bench->openings.root);
  free((void *)bench->openings.opening);
  free((void *)bench->openings.pick);
  free(bench->openings.verdict);
  free(bench->openings.reason);
}

/* An opening without the work: one column is right, its siblings are anybody's, and the roots follow from them. */
static int measure_judge(struct bench *bench) {
  const struct asz_gemm_shape *shape = &bench->shape;
  openings_new(bench, asz_gemm_opening_bytes(shape));
  int8_t *row = asz_bench_memory(shape->k), *b = asz_bench_memory(shape->k);
  uint8_t *packed = asz_bench_memory((size_t)shape->n * shape->k), key[32], head[ASZ_TREE_HEAD_BYTES], hash[32];
  uint8_t *first = (uint8_t *)bench->openings.opening;
  asz_gemm_host_a_key(key, bench->preset, bench->beacon);
  for (uint32_t i = 0; i < shape->n; i++) {
    bench->backend->matrix(row, key, (uint64_t)i * (shape->k / 64), shape->k / 64);
    bench->backend->a_pack(packed, row, i, shape->n, shape->k);
  }
  struct asz_gemm_pick pick = {.t = 1, .j = 17}; /* both paths at once: step 0 is its sibling */
  asz_be32_store(first, pick.t);
  asz_be32_store(first + ASZ_GEMM_AT_J, pick.j);
  asz_gemm_host_b_key(key, bench->seed, pick.t, first + ASZ_GEMM_AT_PREVIOUS_ROOT);
  bench->backend->matrix(b, key, (uint64_t)pick.j * (shape->k / 64), shape->k / 64);
  bench->backend->multiply((int32_t *)(first + ASZ_GEMM_AT_COLUMN), packed, b, shape->n, shape->k, 1);
  asz_tree_head(head, ASZ_TREE_COLUMN, pick.t, pick.j, shape->n);
  asz_tree_host_leaf(hash, head, first + ASZ_GEMM_AT_COLUMN, (size_t)4 * shape->n);
  asz_tree_host_climb(hash, pick.j, first + asz_gemm_at_path(shape), shape->log2_m);
  memcpy(first + ASZ_GEMM_AT_ROOT, hash, 32);
  asz_tree_head(head, ASZ_TREE_STEP, pick.t, shape->t, shape->m);
  asz_tree_host_leaf(first + asz_gemm_at_link_path(shape), head, hash, 32);
  memcpy(hash, first + asz_gemm_at_link_path(shape), 32);
  asz_tree_head(head, ASZ_TREE_STEP, pick.t - 1, shape->t, shape->m);
  asz_tree_host_leaf(first + asz_gemm_at_step_path(shape), head, first + ASZ_GEMM_AT_PREVIOUS_ROOT, 32);
  asz_tree_host_climb(hash, pick.t, first + asz_gemm_at_step_path(shape), shape->log2_t);
  for (uint32_t i = 0; i < OPENINGS; i++) {
    if (i > 0)
      memcpy(first + i * bench->openings.opening_bytes, first, bench->openings.opening_bytes);
    memcpy((uint8_t *)bench->openings.root[i], hash, 32);
    ((struct asz_gemm_pick *)bench->openings.pick)[i] = pick;
  }
  memcpy(bench->root, hash, 32);
  free(row);
  free(b);
  free(packed);
  return measure_openings(bench);
}

static json_t *report(const struct bench *bench) {
  json_t *json = json_object();
  json_object_set_new(json, "bench", json_string("gemm"));
  json_object_set_new(json, "preset", json_string(asz_preset_of(bench->preset)->name));
  json_object_set_new(json, "backend", json_string(bench->backend->name));
  json_object_set_new(json, "opening_us", json_real(bench->opening_us));
  json_object_set_new(json, "slot_ms", json_real(bench->u_ms));
  json_object_set_new(json, "keystream_gbps", json_real(bench->keystream_gbps));
  char hash[17];
  snprintf(hash, sizeof hash, "%016llx", (unsigned long long)asz_bench_hash(ASZ_BENCH_HASH_START, bench->root, 32));
  json_object_set_new(json, "root_hash", json_string(hash));
  json_object_set_new(json, "not_measured", json_string("datagrams, signatures; the work (bench_prove); best round of each"));
  return json;
}

static int refuse(const char *what, const char *value) {
  fprintf(stderr, "bench_gemm: %s: '%s'; see --help\n", what, value);
  return 2;
}

int main(int argc, char **argv) {
  const char *preset = NULL, *backend = asz_gemm_backend_at(0)->name;
  const struct asz_bench_option options[] = {
      {"preset", "of docs/challenges.md (default cpu, with --smoke tiny)", &preset},
      {"backend", "plain, avx2 or avx512", &backend},
  };
  struct asz_bench_args args;
  struct bench bench = {0};
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, sizeof options / sizeof options[0]) != 0)
    return status;
  bench.preset = asz_preset_from_name(preset != NULL ? preset : args.smoke ? "tiny" : "cpu");
  bench.backend = asz_gemm_backend_named(backend);
  if (bench.preset == 0)
    return refuse("no such preset", preset);
  if (bench.backend == NULL)
    return refuse("no such backend here", backend);
  if (sodium_init() < 0) /* else it hashes by its slowest code */
    return 1;
  bench.shape = asz_gemm_shape_of(bench.preset);
  bench.rounds = args.smoke ? 2 : 50 * (args.seconds ? args.seconds : 1);
  memset(bench.beacon, 1, 32);
  memset(bench.rho, 2, 32);
  memset(bench.seed, 3, 32);
  measure_keystream(&bench);
  measure_slot(&bench);
  status = measure_judge(&bench);
  if (status == 0)
    asz_bench_print(&args, report(&bench));
  openings_free(&bench);
  free(bench.slot);
  return status == 0 ? 0 : 1;
}
