/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-256-128 over 96 bytes, 64 messages under 64 different keys at a time, as a burst of `stamp-auth` needs it: libsodium
 * one after the other, OpenSSL (SHA extensions) one after the other where the build has it, and asz_hmac_many, message by message
 * and burst by burst. All start from saved key states. They take turns, so that a change of the machine's speed meets them alike,
 * and the best turn of each counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/hmac.h"

#ifdef ASZ_BENCH_OPENSSL
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#endif

enum { BURST = ASZ_HMAC_BURST_MAX, KEYS = 4096, BURSTS_A_TURN = KEYS / BURST };

struct bench {
  struct asz_hmac_key key[KEYS];
  uint8_t message[BURST][ASZ_HMAC_MESSAGE_BYTES];
  uint8_t tag[BURST][ASZ_HMAC_TAG_BYTES];
  struct asz_hmac_lanes *lanes;
};

static void by_libsodium(struct bench *b, const struct asz_hmac_key *key) {
  for (int i = 0; i < BURST; i++) {
    const struct asz_hash_part part = {b->message[i], sizeof b->message[i]};
    asz_hmac(b->tag[i], &key[i], &part, 1);
  }
}

/* As a receiver would that checks one reply after the other. */
static void by_one_lane(struct bench *b, const struct asz_hmac_key *key) {
  for (int i = 0; i < BURST; i++) {
    const struct asz_hmac_key *one_key = &key[i];
    const uint8_t *one_message = b->message[i];
    asz_hmac_many(b->lanes, &one_key, &one_message, &b->tag[i], 1);
  }
}

static void by_lanes(struct bench *b, const struct asz_hmac_key *key) {
  const struct asz_hmac_key *keys[BURST];
  const uint8_t *messages[BURST];
  for (int i = 0; i < BURST; i++) {
    keys[i] = &key[i];
    messages[i] = b->message[i];
  }
  asz_hmac_many(b->lanes, keys, messages, b->tag, BURST);
}

#ifdef ASZ_BENCH_OPENSSL
static void resume(SHA256_CTX *ret_context, const uint32_t saved[8]) {
  SHA256_Init(ret_context);
  memcpy(ret_context->h, saved, 32);
  ret_context->Nl = 512;
}

static void by_openssl(struct bench *b, const struct asz_hmac_key *key) {
  for (int i = 0; i < BURST; i++) {
    uint8_t digest[32];
    SHA256_CTX context;
    resume(&context, key[i].inner);
    SHA256_Update(&context, b->message[i], sizeof b->message[i]);
    SHA256_Final(digest, &context);
    resume(&context, key[i].outer);
    SHA256_Update(&context, digest, sizeof digest);
    SHA256_Final(digest, &context);
    memcpy(b->tag[i], digest, ASZ_HMAC_TAG_BYTES);
  }
}
#endif

static const struct way {
  const char *name;
  void (*run)(struct bench *b, const struct asz_hmac_key *key);
} ways[] = {
    {"libsodium", by_libsodium},
#ifdef ASZ_BENCH_OPENSSL
    {"openssl", by_openssl},
#endif
    {"single", by_one_lane},
    {"many", by_lanes},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* One turn: every key once. The hash of all tags, so that a fast but wrong way shows. */
static uint64_t turn(struct bench *b, const struct way *way, uint64_t *best_ticks) {
  uint64_t hash = ASZ_BENCH_HASH_START, start = asz_tsc(), ticks;
  for (int burst = 0; burst < BURSTS_A_TURN; burst++)
    way->run(b, &b->key[burst * BURST]);
  ticks = asz_tsc() - start;
  if (ticks < *best_ticks)
    *best_ticks = ticks;
  return asz_bench_hash(hash, b->tag, sizeof b->tag);
}

static int measure(struct bench *b, uint64_t duration_ns, uint64_t *ret_best_ticks, uint64_t *ret_hash) {
  uint64_t start_ns = asz_clock_monotonic_ns(), hash[WAYS];
  for (int w = 0; w < WAYS; w++)
    ret_best_ticks[w] = UINT64_MAX;
  do {
    for (int w = 0; w < WAYS; w++)
      hash[w] = turn(b, &ways[w], &ret_best_ticks[w]);
    for (int w = 1; w < WAYS; w++)
      if (hash[w] != hash[0]) {
        fprintf(stderr, "bench_hmac: %s gives other tags than %s\n", ways[w].name, ways[0].name);
        return ASZ_EAUTH;
      }
  } while (asz_clock_monotonic_ns() - start_ns < duration_ns);
  *ret_hash = hash[0];
  return 0;
}

static void print(const struct asz_bench_args *args, const struct bench *b, const uint64_t *best_ticks, uint64_t hash) {
  struct asz_clock clock;
  char key[40], text[17];
  json_t *report = json_object();
  uint64_t tsc_hz = asz_clock_calibrate(&clock, 20) == 0 ? clock.tsc_hz : 0;
  snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
  json_object_set_new(report, "bench", json_string("hmac"));
  json_object_set_new(report, "multi_buffer", json_boolean(asz_hmac_lanes_wide(b->lanes)));
  for (int w = 0; w < WAYS; w++) {
    snprintf(key, sizeof key, "%s_ticks", ways[w].name);
    json_object_set_new(report, key, json_real((double)best_ticks[w] / KEYS));
    snprintf(key, sizeof key, "%s_rate_ps", ways[w].name);
    json_object_set_new(report, key, json_integer((json_int_t)((double)tsc_hz * KEYS / (double)best_ticks[w])));
  }
  json_object_set_new(report, "ratio_libsodium", json_real((double)best_ticks[0] / (double)best_ticks[WAYS - 1]));
  json_object_set_new(report, "tsc_hz", json_integer((json_int_t)tsc_hz));
  json_object_set_new(report, "result_hash", json_string(text));
  json_object_set_new(report, "not_measured", json_string("keys out of cache: 4,096 of them are in the second level"));
  asz_bench_print(args, report);
}

int main(int argc, char **argv) {
  struct asz_bench_args args;
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, NULL, 0) != 0)
    return status;
  static struct bench b;
  uint64_t best_ticks[WAYS], hash;
  if (asz_hmac_lanes_new(&b.lanes) != 0)
    return 1;
  for (uint32_t i = 0; i < KEYS; i++)
    asz_hmac_key_set(&b.key[i], &i, sizeof i);
  for (size_t i = 0; i < sizeof b.message; i++)
    ((uint8_t *)b.message)[i] = (uint8_t)(i * 31);
  uint64_t seconds = args.seconds > 0 ? args.seconds : 3;
  int err = measure(&b, args.smoke ? 20000000 : seconds * 1000000000, best_ticks, &hash);
  if (err == 0)
    print(&args, &b, best_ticks, hash);
  asz_hmac_lanes_free(b.lanes);
  return err == 0 ? 0 : 1;
}
