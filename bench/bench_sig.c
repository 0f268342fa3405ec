/* SPDX-License-Identifier: Apache-2.0 */
/* How many signatures of known keys a core judges a second, by each backend that this machine supports and with each size of
 * table, next to libsodium on the same core with the same items. One JSON line for every backend and size.
 *
 * Rounds of all backends and of libsodium alternate and the best of each counts: on a shared machine a slow minute then slows
 * all. Items take their keys at random, so that with many keys the tables come from memory, not from a cache. One item in 16 is
 * wrong; a verdict that differs from libsodium's ends the run. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/draw.h"
#include "gpu/simd/sig.h"

enum {
  WRONG_EVERY = 16, /* items */
  BACKENDS_MAX = 8,
  SEED = 1,
};

struct bench {
  uint32_t keys, items, libsodium_items;
  struct asz_sig_keys *table;
  struct asz_sig_items batch;
  uint8_t (*public_key)[32]; /* keys */
  uint32_t *key;             /* items */
  uint8_t (*signature)[64], (*message)[ASZ_SIG_MESSAGE_MAX + 1], *message_bytes, *expected;
  double set_us; /* a key */
  uint64_t best_ns[BACKENDS_MAX], libsodium_best_ns;
};

static void *take(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) {
    fprintf(stderr, "bench_sig: out of memory\n");
    exit(1);
  }
  return memory;
}

static void key_pair(uint8_t ret_public_key[32], uint8_t ret_secret_key[64], uint32_t key) {
  uint8_t seed[32] = {0};
  memcpy(seed, &key, sizeof key);
  crypto_sign_seed_keypair(ret_public_key, ret_secret_key, seed);
}

static void fill(struct bench *bench) {
  uint8_t secret_key[64];
  bench->public_key = take(bench->keys, 32);
  bench->key = take(bench->items, sizeof *bench->key);
  bench->signature = take(bench->items, 64);
  bench->message = take(bench->items, sizeof *bench->message);
  bench->message_bytes = take(bench->items, 1);
  bench->expected = take(bench->items, 1);
  for (uint32_t i = 0; i < bench->keys; i++)
    key_pair(bench->public_key[i], secret_key, i);
  for (uint32_t i = 0; i < bench->items; i++) {
    uint8_t public_key[32];
    bench->key[i] = (uint32_t)(asz_draw(SEED, 0, i, 0) % bench->keys);
    key_pair(public_key, secret_key, bench->key[i]);
    memset(bench->message[i], (int)i, ASZ_SIGNED_BYTES); /* as long as the answers of a real run */
    bench->message_bytes[i] = ASZ_SIGNED_BYTES;
    crypto_sign_detached(bench->signature[i], NULL, bench->message[i], ASZ_SIGNED_BYTES, secret_key);
    bool wrong = i % WRONG_EVERY == WRONG_EVERY - 1;
    bench->signature[i][i % 63] ^= wrong; /* never S's top byte: an S from L on costs nothing */
    bench->expected[i] = wrong ? ASZ_VERDICT_FAIL : ASZ_VERDICT_PASS;
  }
  bench->batch = (struct asz_sig_items){.count = bench->items,
                                        .key = bench->key,
                                        .signature = (const uint8_t(*)[64])bench->signature,
                                        .message = (const uint8_t(*)[ASZ_SIG_MESSAGE_MAX + 1]) bench->message,
                                        .message_bytes = bench->message_bytes,
                                        .verdict = take(bench->items, 1)};
}

static void empty(struct bench *bench) {
  free(bench->public_key);
  free(bench->key);
  free(bench->signature);
  free(bench->message);
  free(bench->message_bytes);
  free(bench->expected);
  free(bench->batch.verdict);
}

static int set_keys(struct bench *bench, size_t table_bytes) {
  int rc = asz_sig_keys_new(&bench->table, bench->keys, table_bytes);
  uint64_t start_ns = asz_clock_monotonic_ns();
  for (uint32_t i = 0; rc == 0 && i < bench->keys; i++)
    rc = asz_sig_keys_set(bench->table, i, bench->public_key[i]);
  bench->set_us = (double)(asz_clock_monotonic_ns() - start_ns) / 1e3 / bench->keys;
  return rc;
}

static void keep_best(uint64_t *best_ns, uint64_t start_ns) {
  uint64_t took_ns = asz_clock_monotonic_ns() - start_ns;
  if (took_ns < *best_ns)
    *best_ns = took_ns;
}

static int round_of_backend(struct bench *bench, unsigned at) {
  memset(bench->batch.verdict, 0, bench->items);
  uint64_t start_ns = asz_clock_monotonic_ns();
  asz_sig_backends[at]->judge(bench->table, &bench->batch);
  keep_best(&bench->best_ns[at], start_ns);
  return memcmp(bench->batch.verdict, bench->expected, bench->items);
}

static int round_of_libsodium(struct bench *bench) {
  uint64_t start_ns = asz_clock_monotonic_ns();
  for (uint32_t n = 0; n < bench->libsodium_items; n++) {
    uint32_t i = n % bench->items;
    int rc = crypto_sign_verify_detached(bench->signature[i], bench->message[i], bench->message_bytes[i],
                                         bench->public_key[bench->key[i]]);
    if ((rc == 0) != (bench->expected[i] == ASZ_VERDICT_PASS))
      return -1;
  }
  keep_best(&bench->libsodium_best_ns, start_ns);
  return 0;
}

static bool wanted(const char *only, unsigned at) {
  return asz_sig_backends[at]->supported() && (!only || strcmp(only, asz_sig_backends[at]->name) == 0);
}

/* At least three rounds of each, and for as long as was asked for. */
static int measure(struct bench *bench, const char *only, uint64_t seconds) {
  uint64_t start_ns = asz_clock_monotonic_ns();
  memset(bench->best_ns, 0xff, sizeof bench->best_ns);
  bench->libsodium_best_ns = UINT64_MAX;
  for (unsigned round = 0; round < 3 || asz_clock_monotonic_ns() - start_ns < seconds * 1000000000u; round++) {
    for (unsigned at = 0; at < asz_sig_backend_count; at++)
      if (wanted(only, at) && round_of_backend(bench, at) != 0)
        return -1;
    if (round_of_libsodium(bench) != 0)
      return -1;
  }
  return 0;
}

static void report(const struct bench *bench, const struct asz_bench_args *args, unsigned at, size_t table_bytes) {
  double rate = 1e9 * (double)bench->items / (double)bench->best_ns[at];
  double libsodium_rate = 1e9 * (double)bench->libsodium_items / (double)bench->libsodium_best_ns;
  json_t *json = json_object();
  json_object_set_new(json, "bench", json_string("sig"));
  json_object_set_new(json, "backend", json_string(asz_sig_backends[at]->name));
  json_object_set_new(json, "table_bytes_per_key", json_integer((json_int_t)asz_sig_keys_table_bytes(table_bytes)));
  json_object_set_new(json, "keys", json_integer(bench->keys));
  json_object_set_new(json, "items", json_integer(bench->items));
  json_object_set_new(json, "rate_ps", json_real(rate));
  json_object_set_new(json, "ratio_libsodium", json_real(rate / libsodium_rate));
  json_object_set_new(json, "libsodium_rate_ps", json_real(libsodium_rate));
  json_object_set_new(json, "item_us", json_real(1e6 / rate));
  json_object_set_new(json, "key_set_us", json_real(bench->set_us));
  json_object_set_new(json, "footprint_bytes", json_integer((json_int_t)asz_sig_keys_footprint(bench->keys, table_bytes)));
  char hash[17];
  snprintf(hash, sizeof hash, "%016llx", (unsigned long long)asz_bench_hash(ASZ_BENCH_HASH_START, bench->expected, bench->items));
  json_object_set_new(json, "verdict_hash", json_string(hash));
  json_object_set_new(json, "not_measured", json_string("filling batches; small batches; best round of each side, one core"));
  asz_bench_print(args, json);
}

/* The exit status. */
static int run_size(struct bench *bench, const struct asz_bench_args *args, const char *only, size_t table_bytes) {
  int rc = set_keys(bench, table_bytes), status = 1;
  if (rc != 0) {
    fprintf(stderr, "bench_sig: %u keys of %zu bytes: %s\n", bench->keys, table_bytes, asz_err_str(rc));
  } else if (measure(bench, only, args->seconds ? args->seconds : args->smoke ? 0 : 3) != 0) {
    fprintf(stderr, "bench_sig: a verdict differs from libsodium's\n");
  } else {
    for (unsigned at = 0; at < asz_sig_backend_count; at++)
      if (wanted(only, at))
        report(bench, args, at, table_bytes);
    status = 0;
  }
  asz_sig_keys_free(bench->table);
  bench->table = NULL;
  return status;
}

int main(int argc, char **argv) {
  const char *only = NULL, *keys_text = NULL, *items_text = NULL, *table_text = NULL;
  const struct asz_bench_option options[] = {
      {"backend", "plain, avx2 or ifma (default: all that this machine supports)", &only},
      {"keys", "known keys (default 1000)", &keys_text},
      {"items", "items a batch (default 4096)", &items_text},
      {"table-bytes", "of a key's table, at most (default: small, default and large in turn)", &table_text},
  };
  struct asz_bench_args args;
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, sizeof options / sizeof options[0]) != 0)
    return status;
  uint64_t keys = args.smoke ? 20 : 1000, items = args.smoke ? 100 : 4096, table_bytes = 0;
  if ((keys_text && asz_bench_number(&keys, "keys", keys_text, 1, 1 << 24) != 0) ||
      (items_text && asz_bench_number(&items, "items", items_text, 1, 1 << 20) != 0) ||
      (table_text && asz_bench_number(&table_bytes, "table-bytes", table_text, 1, UINT32_MAX) != 0))
    return 2;
  unsigned wanted_count = 0;
  for (unsigned at = 0; at < asz_sig_backend_count; at++)
    wanted_count += wanted(only, at);
  if (wanted_count == 0) {
    fprintf(stderr, "bench_sig: this machine has no backend '%s'; see --help\n", only);
    return 2;
  }
  if (sodium_init() < 0 || asz_sig_backend_count > BACKENDS_MAX)
    return 1;
  struct bench bench = {.keys = (uint32_t)keys, .items = (uint32_t)items, .libsodium_items = args.smoke ? 20 : 500};
  fill(&bench);
  const size_t sizes[] = {ASZ_SIG_TABLE_SMALL, ASZ_SIG_TABLE_DEFAULT, ASZ_SIG_TABLE_LARGE};
  status = table_bytes ? run_size(&bench, &args, only, table_bytes) : 0;
  for (unsigned i = 0; table_bytes == 0 && status == 0 && i < sizeof sizes / sizeof sizes[0]; i++)
    status = run_size(&bench, &args, only, sizes[i]);
  empty(&bench);
  return status;
}
