/* SPDX-License-Identifier: Apache-2.0 */
/* What a compression of a seq chain costs each backend of gpu/simd/sha256.h, next to libsodium's chain on the same core.
 *
 * One JSON line a backend that is supported here: first many chains side by side, as a verifier has them, then one alone, as a
 * prover has. In each round every backend and libsodium take a turn of a millisecond or so, and the best of each counts: on a
 * shared machine a slow minute then slows all. Cycles are of the core's own clock, timed by a chain of additions in the same
 * rounds. All backends advance the same chains by as many steps; chains that differ from libsodium's end the run. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "dataplane/base/clock.h"
#include "gpu/chain.h"

enum {
  CHAINS = 32, /* the segments of one answer */
  BACKENDS_MAX = 8,
  ADDITIONS = 65536,
};

struct turn {
  uint64_t many_ns, one_ns; /* best of the rounds so far */
};

struct bench {
  uint32_t steps;
  struct asz_sha256_x chains[CHAINS]; /* after `steps`, by libsodium */
  struct turn backend[BACKENDS_MAX];
  uint64_t libsodium_ns; /* one chain */
  uint64_t additions_ns;
};

static void keep_best(uint64_t *best_ns, uint64_t start_ns) {
  uint64_t took_ns = asz_clock_monotonic_ns() - start_ns;
  if (took_ns < *best_ns)
    *best_ns = took_ns;
}

/* Chain c starts from 32 bytes of c. */
static void start_chains(struct asz_sha256_x *ret_chain, size_t count) {
  for (size_t c = 0; c < count; c++) {
    uint8_t bytes[32];
    memset(bytes, (int)c, sizeof bytes);
    ret_chain[c] = asz_sha256_x_load(bytes);
  }
}

/* One addition a cycle, each waiting for the one before: no compiler may join them. */
static void add(void) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < ADDITIONS / 16; i++) {
#define ADD4                                                                                                                     \
  sum += i;                                                                                                                      \
  __asm__ volatile("" : "+r"(sum));                                                                                              \
  sum += i;                                                                                                                      \
  __asm__ volatile("" : "+r"(sum));                                                                                              \
  sum += i;                                                                                                                      \
  __asm__ volatile("" : "+r"(sum));                                                                                              \
  sum += i;                                                                                                                      \
  __asm__ volatile("" : "+r"(sum));
    ADD4 ADD4 ADD4 ADD4
  }
}

static int one_round(struct bench *bench) {
  size_t count;
  const struct asz_sha256_backend *const *backend = asz_sha256_backends(&count);
  for (size_t i = 0; i < count; i++) {
    if (!backend[i]->is_supported())
      continue;
    struct asz_sha256_x chain[CHAINS];
    start_chains(chain, CHAINS);
    uint64_t start_ns = asz_clock_monotonic_ns();
    backend[i]->advance(chain, CHAINS, bench->steps);
    keep_best(&bench->backend[i].many_ns, start_ns);
    if (memcmp(chain, bench->chains, sizeof chain) != 0)
      return -1;
    start_chains(chain, 1);
    start_ns = asz_clock_monotonic_ns();
    backend[i]->advance(chain, 1, bench->steps);
    keep_best(&bench->backend[i].one_ns, start_ns);
    if (memcmp(chain, bench->chains, sizeof chain[0]) != 0)
      return -1;
  }
  uint8_t x[32] = {0};
  uint64_t start_ns = asz_clock_monotonic_ns();
  asz_chain_advance(x, bench->steps);
  keep_best(&bench->libsodium_ns, start_ns);
  start_ns = asz_clock_monotonic_ns();
  add();
  keep_best(&bench->additions_ns, start_ns);
  return 0;
}

/* At least three rounds, and for as long as was asked for. */
static int measure(struct bench *bench, uint64_t seconds) {
  uint64_t start_ns = asz_clock_monotonic_ns();
  bench->libsodium_ns = bench->additions_ns = UINT64_MAX;
  for (size_t i = 0; i < BACKENDS_MAX; i++)
    bench->backend[i] = (struct turn){UINT64_MAX, UINT64_MAX};
  start_chains(bench->chains, CHAINS);
  for (size_t c = 0; c < CHAINS; c++) {
    uint8_t x[32];
    asz_sha256_x_store(x, bench->chains[c]);
    asz_chain_advance(x, bench->steps);
    bench->chains[c] = asz_sha256_x_load(x);
  }
  for (unsigned round = 0; round < 3 || asz_clock_monotonic_ns() - start_ns < seconds * 1000000000u; round++)
    if (one_round(bench) != 0)
      return -1;
  return 0;
}

static void report(const struct bench *bench, const struct asz_bench_args *args, const struct asz_sha256_backend *backend,
                   const struct turn *turn) {
  double clock_ghz = (double)ADDITIONS / (double)bench->additions_ns;
  double compression_ns = (double)turn->many_ns / CHAINS / bench->steps, one_ns = (double)turn->one_ns / bench->steps;
  double libsodium_ns = (double)bench->libsodium_ns / bench->steps;
  const struct asz_sha256_backend *single = asz_sha256_backend_single();
  bool proves = single == backend;
  json_t *json = json_object();
  json_object_set_new(json, "bench", json_string("seq"));
  json_object_set_new(json, "backend", json_string(backend->name));
  json_object_set_new(json, "width", json_integer(backend->width));
  json_object_set_new(json, "compression_ns", json_real(compression_ns));
  json_object_set_new(json, "compression_cycles", json_real(compression_ns * clock_ghz));
  json_object_set_new(json, "ratio_libsodium", json_real(libsodium_ns / compression_ns));
  json_object_set_new(json, "chains_2_20_ps", json_real(1e9 / compression_ns / (1 << 20)));
  json_object_set_new(json, "one_chain_step_ns", json_real(one_ns));
  json_object_set_new(json, "libsodium_step_ns", json_real(libsodium_ns));
  json_object_set_new(json, "clock_ghz", json_real(clock_ghz));
  json_object_set_new(json, "verifies_here", json_boolean(backend == asz_sha256_backend_best()));
  json_object_set_new(json, "proves_here", json_boolean(proves));
  json_object_set_new(json, "chains", json_integer(CHAINS));
  json_object_set_new(json, "steps", json_integer(bench->steps));
  char hash[17];
  snprintf(hash, sizeof hash, "%016llx",
           (unsigned long long)asz_bench_hash(ASZ_BENCH_HASH_START, bench->chains, sizeof bench->chains));
  json_object_set_new(json, "chain_hash", json_string(hash));
  json_object_set_new(json, "not_measured",
                      json_string("comparing checkpoints; cold caches; a second thread on the core; best round of each side"));
  asz_bench_print(args, json);
}

int main(int argc, char **argv) {
  struct asz_bench_args args;
  const char *steps_text = NULL;
  const struct asz_bench_option options[] = {{"steps", "steps of each chain a turn (default 1024)", &steps_text}};
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, sizeof options / sizeof options[0]) != 0)
    return status;
  struct bench bench = {0};
  uint64_t steps = args.smoke ? 16 : 1024;
  if (steps_text && asz_bench_number(&steps, "steps", steps_text, 1, 1 << 24) != 0)
    return 2;
  bench.steps = (uint32_t)steps;
  size_t count;
  const struct asz_sha256_backend *const *backend = asz_sha256_backends(&count);
  if (measure(&bench, args.seconds ? args.seconds : args.smoke ? 0 : 5) != 0) {
    fprintf(stderr, "bench_seq: a chain differs from libsodium's\n");
    return 1;
  }
  for (size_t i = 0; i < count; i++)
    if (backend[i]->is_supported())
      report(&bench, &args, backend[i], &bench.backend[i]);
  return 0;
}
