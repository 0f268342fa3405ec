/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider's answers cost, a kind and backend at a time, through what assize-responder calls: sig and seq as whole
 * datagrams, gemm, the build of an arena of mem, and its fold.
 *
 * Answers are made again and again, each on a seed of its own, and the best counts. A fold and a plain read of as many bytes
 * alternate, since on a shared machine both are as slow as their minute; not so on a device, whose memory is its own. Openings of
 * gemm and build are made and judged once: an answer that would not pass ends the run, and so does a device that fails. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "dataplane/base/clock.h"
#include "gpu/prove/mem.h"
#include "gpu/prove/prove.h"

enum what { SIG, SEQ, GEMM, BUILD, FOLD, WHATS };
enum { OPENINGS = 8, READ_PARTS = 64, EXIT_SKIPPED = 77 /* what meson takes for "cannot run here" */ };
static const char *const what_names[WHATS] = {"sig", "seq", "gemm", "build", "fold"};

struct bench {
  enum what what;
  unsigned log2_steps, preset, threads;
  const struct asz_gemm_backend *backend; /* gemm, build, fold */
  bool is_cuda;                           /* which then judges and opens alone */
  struct asz_prove_device device;
  uint64_t end_ns; /* no round begins after it */
  uint64_t best_ns, rounds;
  double open_us, read_s;
  uint64_t hash; /* of the first answer */
};

static void keep_best(struct bench *bench, uint64_t start_ns) {
  uint64_t took_ns = asz_clock_monotonic_ns() - start_ns;
  if (bench->rounds++ == 0 || took_ns < bench->best_ns)
    bench->best_ns = took_ns;
}

static bool goes_on(const struct bench *bench) {
  return bench->rounds == 0 || asz_clock_monotonic_ns() < bench->end_ns;
}

static void take_hash(struct bench *bench, const void *bytes, size_t size_bytes) {
  if (bench->rounds == 1)
    bench->hash = asz_bench_hash(ASZ_BENCH_HASH_START, bytes, size_bytes);
}

static int measure_single(struct bench *bench) {
  static const uint8_t reply_key[16] = {7};
  struct asz_identity validator, provider;
  struct asz_challenge challenge = {.kind = bench->what == SIG ? ASZ_KIND_SIG : ASZ_KIND_SEQ,
                                    .param = bench->what == SIG ? 0 : (uint8_t)bench->log2_steps};
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES];
  asz_identity_from_seed(&validator, (const uint8_t[32]){1});
  asz_identity_from_seed(&provider, (const uint8_t[32]){2});
  while (goes_on(bench)) {
    memcpy(challenge.nonce, &bench->rounds, sizeof bench->rounds);
    uint64_t start_ns = asz_clock_monotonic_ns();
    size_t bytes = asz_prove_answer(datagram, &challenge, &provider, validator.public_key, reply_key, ASZ_PROVE_HONEST);
    keep_best(bench, start_ns);
    take_hash(bench, datagram, bytes);
  }
  return 0;
}

/* A prover's: on the CPU touched; with a device nothing of it is used but what openings need. */
static void *prover_memory(const struct bench *bench, size_t bytes) {
  if (!bench->is_cuda)
    return asz_bench_memory(bytes);
  void *memory =
      aligned_alloc(ASZ_GEMM_ALIGN_BYTES, (bytes + ASZ_GEMM_ALIGN_BYTES - 1) / ASZ_GEMM_ALIGN_BYTES * ASZ_GEMM_ALIGN_BYTES);
  if (memory == NULL) {
    fprintf(stderr, "bench_prove: out of memory (%zu bytes)\n", bytes);
    exit(1);
  }
  return memory;
}

static void attach(struct bench *bench, struct asz_prove_gemm *gemm) {
  if (bench->is_cuda)
    asz_prove_gemm_attach(gemm, &bench->device);
}

/* The end of a prover and its memory. -1 when its device failed. */
static int finish(struct asz_prove_gemm *gemm, void *memory) {
  const char *failure = asz_prove_gemm_failure(gemm);
  const bool failed = failure[0] != '\0';
  if (failed)
    fprintf(stderr, "bench_prove: the CPU was measured: %s\n", failure);
  asz_prove_gemm_detach(gemm);
  free(memory);
  return failed ? -1 : 0;
}

/* What gemm and build have in common once their work is done. */
struct work {
  struct asz_prove_gemm *gemm; /* one of the two */
  struct asz_prove_mem *mem;
  uint8_t beacon[32], seed[32], root[32];
};

static void open_one(const struct work *work, struct asz_gemm_pick pick, uint8_t *ret_opening) {
  if (work->gemm != NULL)
    asz_prove_gemm_open(work->gemm, pick, ret_opening);
  else
    asz_prove_mem_open_build(work->mem, pick, ret_opening);
}

/* Opens columns of the last answer and judges them. */
static int measure_openings(struct bench *bench, const struct work *work) {
  static const uint8_t rho[32] = {3};
  const struct asz_gemm_shape shape = asz_gemm_shape_of(bench->preset);
  const size_t bytes = asz_gemm_opening_bytes(&shape);
  uint8_t *opening = asz_bench_memory(OPENINGS * bytes), verdict[OPENINGS], reason[OPENINGS];
  uint8_t seed[OPENINGS][32], root[OPENINGS][32];
  struct asz_gemm_pick pick[OPENINGS];
  asz_gemm_picks(pick, OPENINGS, &shape, rho, ASZ_KIND_GEMM, work->seed, 0, work->root);
  uint64_t start_ns = asz_clock_monotonic_ns();
  for (unsigned i = 0; i < OPENINGS; i++)
    open_one(work, pick[i], opening + i * bytes);
  bench->open_us = (double)(asz_clock_monotonic_ns() - start_ns) / 1e3 / OPENINGS;
  for (unsigned i = 0; i < OPENINGS; i++) {
    memcpy(seed[i], work->seed, 32);
    memcpy(root[i], work->root, 32);
  }
  void *memory = asz_bench_memory(asz_gemm_slot_footprint(bench->preset));
  const struct asz_gemm_slot *slot = asz_gemm_slot_new(memory, bench->preset, bench->backend, work->beacon, rho);
  const struct asz_gemm_openings openings = {.count = OPENINGS,
                                             .opening_bytes = bytes,
                                             .opening = opening,
                                             .pick = pick,
                                             .seed = (const uint8_t(*)[32])seed,
                                             .root = (const uint8_t(*)[32])root,
                                             .verdict = verdict,
                                             .reason = reason};
  asz_gemm_judge(slot, &openings, 0, OPENINGS);
  int wrong = 0;
  for (unsigned i = 0; i < OPENINGS; i++)
    wrong += verdict[i] != ASZ_VERDICT_PASS;
  if (wrong)
    fprintf(stderr, "bench_prove: %d of %d honest openings do not pass, the first: %s\n", wrong, OPENINGS,
            asz_gemm_reason_name(reason[0]));
  free(memory);
  free(opening);
  return wrong ? -1 : 0;
}

static void next_seed(const struct bench *bench, uint8_t seed[32]) {
  memcpy(seed, &bench->rounds, sizeof bench->rounds);
}

static int measure_gemm(struct bench *bench) {
  void *memory = prover_memory(bench, asz_prove_gemm_footprint(bench->preset, bench->threads));
  struct work work = {.gemm = asz_prove_gemm_new(memory, bench->preset, bench->threads, bench->backend), .beacon = {1}};
  attach(bench, work.gemm);
  while (goes_on(bench)) {
    next_seed(bench, work.seed);
    uint64_t start_ns = asz_clock_monotonic_ns();
    asz_prove_gemm_epoch(work.gemm, work.beacon);
    asz_prove_gemm_run(work.gemm, work.seed, work.root);
    keep_best(bench, start_ns);
    take_hash(bench, work.root, 32);
  }
  int err = measure_openings(bench, &work);
  return finish(work.gemm, memory) != 0 ? -1 : err;
}

static int measure_build(struct bench *bench) {
  void *memory = prover_memory(bench, asz_prove_mem_footprint(bench->preset, bench->threads));
  struct work work = {.mem = asz_prove_mem_new(memory, bench->preset, bench->threads, bench->backend), .beacon = {1}};
  attach(bench, asz_prove_mem_gemm(work.mem));
  while (goes_on(bench)) {
    next_seed(bench, work.seed);
    uint64_t start_ns = asz_clock_monotonic_ns();
    asz_prove_mem_build(work.mem, work.beacon, work.seed, work.root);
    keep_best(bench, start_ns);
    take_hash(bench, work.root, 32);
  }
  int err = measure_openings(bench, &work);
  return finish(asz_prove_mem_gemm(work.mem), memory) != 0 ? -1 : err;
}

/* A read of memory as plain as it gets: eight sums of words, which the compiler may take wide. */
static uint64_t read_all(const uint64_t *words, size_t count) {
  uint64_t sum[8] = {0};
  for (size_t i = 0; i + 8 <= count; i += 8)
    for (size_t w = 0; w < 8; w++)
      sum[w] += words[i + w];
  return sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ sum[4] ^ sum[5] ^ sum[6] ^ sum[7];
}

struct reading {
  const uint64_t *words;
  size_t part_words;
  uint64_t sum[ASZ_PARALLEL_MAX * 8]; /* a cache line a thread */
};

static void read_part(void *context, uint32_t part, unsigned thread) {
  struct reading *reading = context;
  reading->sum[8 * thread] ^= read_all(reading->words + part * reading->part_words, reading->part_words);
}

/* Reads as much memory as a fold has to. */
static void measure_read(struct bench *bench, const uint64_t *words, size_t bytes) {
  static struct reading reading;
  reading = (struct reading){.words = words, .part_words = bytes / 8 / READ_PARTS};
  uint64_t start_ns = asz_clock_monotonic_ns();
  asz_parallel_for(bench->threads, READ_PARTS, read_part, &reading);
  double took_s = (double)(asz_clock_monotonic_ns() - start_ns) / 1e9;
  bench->read_s = bench->rounds == 1 || took_s < bench->read_s ? took_s : bench->read_s;
}

static int measure_fold(struct bench *bench) {
  const uint8_t beacon[32] = {1}, build_seed[32] = {2};
  uint8_t fold_seed[32] = {0}, root[32];
  size_t arena_bytes = asz_mem_arena_bytes(bench->preset);
  void *memory = prover_memory(bench, asz_prove_mem_footprint(bench->preset, bench->threads));
  uint64_t *other = bench->is_cuda ? NULL : asz_bench_memory(arena_bytes);
  struct asz_prove_mem *mem = asz_prove_mem_new(memory, bench->preset, bench->threads, bench->backend);
  attach(bench, asz_prove_mem_gemm(mem));
  asz_prove_mem_build(mem, beacon, build_seed, root);
  bench->end_ns += asz_clock_monotonic_ns(); /* of the folds alone */
  while (goes_on(bench)) {
    next_seed(bench, fold_seed);
    uint64_t start_ns = asz_clock_monotonic_ns();
    asz_prove_mem_fold(mem, fold_seed, root);
    keep_best(bench, start_ns);
    take_hash(bench, root, 32);
    if (other != NULL)
      measure_read(bench, other, arena_bytes);
  }
  free(other);
  return finish(asz_prove_mem_gemm(mem), memory);
}

static void report_gemm(json_t *json, const struct bench *bench, double answer_s) {
  const struct asz_gemm_shape shape = asz_gemm_shape_of(bench->preset);
  double arena_bytes = (double)asz_mem_arena_bytes(bench->preset);
  json_object_set_new(json, "preset", json_string(asz_preset_of(bench->preset)->name));
  json_object_set_new(json, "threads", json_integer(bench->threads));
  if (bench->what == FOLD) {
    json_object_set_new(json, "fold_gbps", json_real(arena_bytes / answer_s / 1e9));
    if (!bench->is_cuda)
      json_object_set_new(json, "read_gbps", json_real(arena_bytes / bench->read_s / 1e9));
    json_object_set_new(json, "arena_bytes", json_integer((json_int_t)arena_bytes));
  } else {
    double products = (double)shape.n * shape.k * shape.m * shape.t;
    json_object_set_new(json, "products_gps", json_real(products / answer_s / 1e9));
    json_object_set_new(json, "open_us", json_real(bench->open_us));
  }
}

static json_t *report(const struct bench *bench) {
  double answer_s = (double)bench->best_ns / 1e9;
  char hash[17];
  snprintf(hash, sizeof hash, "%016llx", (unsigned long long)bench->hash);
  json_t *json = json_object();
  json_object_set_new(json, "bench", json_string("prove"));
  json_object_set_new(json, "kind", json_string(what_names[bench->what]));
  json_object_set_new(json, "backend", json_string(bench->what <= SEQ ? "cpu" : bench->is_cuda ? "cuda" : bench->backend->name));
  json_object_set_new(json, "answer_ms", json_real(1e3 * answer_s));
  json_object_set_new(json, "rate_ps", json_real(1 / answer_s));
  json_object_set_new(json, "answers_timed", json_integer((json_int_t)bench->rounds));
  if (bench->what == SEQ) {
    json_object_set_new(json, "log2_steps", json_integer(bench->log2_steps));
    json_object_set_new(json, "step_rate_ps", json_real((double)(UINT64_C(1) << bench->log2_steps) / answer_s));
  } else if (bench->what > SEQ) {
    report_gemm(json, bench, answer_s);
    if (bench->is_cuda)
      json_object_set_new(json, "memory_device_bytes",
                          json_integer((json_int_t)asz_prove_cuda_bytes(bench->preset, bench->what != GEMM)));
  }
  json_object_set_new(json, "memory_peak_bytes", json_integer((json_int_t)asz_bench_memory_peak_bytes()));
  json_object_set_new(json, "answer_hash", json_string(hash));
  json_object_set_new(json, "not_measured",
                      json_string(bench->what <= SEQ ? "MAC checks, queues, sockets; best answer of all"
                                                     : "datagrams, signatures; page faults; best answer of all"));
  return json;
}

static int refuse(const char *what, const char *value) {
  fprintf(stderr, "bench_prove: %s: '%s'; see --help\n", what, value);
  return 2;
}

static enum what what_named(const char *name) {
  enum what what = SIG;
  while (what < WHATS && strcmp(name, what_names[what]) != 0)
    what++;
  return what;
}

/* -1 when the benchmark should run, else its exit status. */
static int parse(struct bench *ret_bench, struct asz_bench_args *ret_args, int argc, char **argv) {
  const char *kind = "sig", *backend = "cpu", *preset = NULL, *steps_text = NULL, *threads_text = "1";
  const struct asz_bench_option options[] = {
      {"kind", "sig, seq, gemm, build or fold (of mem; default sig)", &kind},
      {"backend", "cpu (default), for gemm, build and fold also plain, avx2, avx512 or cuda", &backend},
      {"preset", "gemm, build, fold: of docs/challenges.md (default cpu; with --smoke tiny)", &preset},
      {"threads", "gemm, build, fold (default 1)", &threads_text},
      {"log2-steps", "seq: length of a chain (default 20; with --smoke 8)", &steps_text},
  };
  uint64_t threads, log2_steps;
  int status;
  if (asz_bench_parse(ret_args, &status, argc, argv, options, sizeof options / sizeof options[0]) != 0)
    return status;
  log2_steps = ret_args->smoke ? 8 : 20;
  if (asz_bench_number(&threads, "threads", threads_text, 1, ASZ_PARALLEL_MAX) != 0 ||
      (steps_text && asz_bench_number(&log2_steps, "log2-steps", steps_text, ASZ_SEQ_LOG2_MIN, ASZ_SEQ_LOG2_MAX) != 0))
    return 2;
  bool is_cpu = strcmp(backend, "cpu") == 0;
  ret_bench->threads = (unsigned)threads;
  ret_bench->log2_steps = (unsigned)log2_steps;
  ret_bench->what = what_named(kind);
  if (ret_bench->what == WHATS)
    return refuse("no such kind", kind);
  ret_bench->is_cuda = ret_bench->what > SEQ && strcmp(backend, "cuda") == 0;
  ret_bench->backend = is_cpu || ret_bench->is_cuda ? asz_gemm_backend_at(0) : asz_gemm_backend_named(backend);
  if (ret_bench->backend == NULL || (ret_bench->what <= SEQ && !is_cpu))
    return refuse("no such backend here", backend);
  ret_bench->preset = asz_preset_from_name(preset ? preset : ret_args->smoke ? "tiny" : "cpu");
  if (ret_bench->preset == 0)
    return refuse("no such preset", preset);
  return -1;
}

/* -1 when it is open or not wanted, else the exit status. */
static int open_device(struct bench *bench) {
  struct asz_diag diag = {""};
  if (!bench->is_cuda)
    return -1;
  int err = asz_prove_cuda_open(&bench->device, bench->preset, bench->what != GEMM, &diag);
  if (err != 0)
    fprintf(stderr, "bench_prove: %s\n", diag.text);
  return err == 0 ? -1 : err == ASZ_ENOTSUP ? EXIT_SKIPPED : 1;
}

int main(int argc, char **argv) {
  static int (*const measure[WHATS])(struct bench *) = {measure_single, measure_single, measure_gemm, measure_build,
                                                        measure_fold};
  struct bench bench = {0};
  struct asz_bench_args args;
  int status = parse(&bench, &args, argc, argv);
  if (status >= 0)
    return status;
  if (sodium_init() < 0)
    return 1;
  status = open_device(&bench);
  if (status >= 0)
    return status;
  uint64_t length_ns = UINT64_C(1000000000) * (args.seconds ? args.seconds : args.smoke ? 0 : 5);
  bench.end_ns = length_ns + (bench.what == FOLD ? 0 : asz_clock_monotonic_ns());
  if (measure[bench.what](&bench) != 0)
    return 1;
  asz_bench_print(&args, report(&bench));
  return 0;
}
