/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/limiter.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = ASZ_LIMITER_SOURCES / ASZ_LIMITER_WAYS };

struct source {
  uint64_t next_ns; /* 0: free */
  uint32_t ipv4;
  uint32_t zero;
};
_Static_assert(sizeof(struct source) * ASZ_LIMITER_WAYS == 64, "a set is one cache line");

struct asz_limiter {
  struct source set[SETS][ASZ_LIMITER_WAYS];
  struct asz_rate rate;
  uint8_t hash_key[crypto_shorthash_KEYBYTES];
};
_Static_assert(crypto_shorthash_KEYBYTES == 16, "hash_key in the header");

struct asz_rate asz_rate_make(uint64_t pps, uint64_t burst) {
  assert(pps >= 1 && pps <= ASZ_RATE_PPS_MAX && burst >= 1);
  const uint64_t interval_ns = 1000000000u / pps;
  return (struct asz_rate){.interval_ns = interval_ns, .burst_ns = (burst - 1) * interval_ns};
}

bool asz_rate_take(const struct asz_rate *rate, uint64_t *next_ns, uint64_t now_ns) {
  const uint64_t due_ns = *next_ns > now_ns ? *next_ns : now_ns;
  if (due_ns - now_ns > rate->burst_ns)
    return false;
  *next_ns = due_ns + rate->interval_ns;
  return true;
}

int asz_limiter_new(struct asz_limiter **ret_limiter, const struct asz_rate *rate, const uint8_t hash_key[16]) {
  struct asz_limiter *limiter = aligned_alloc(64, (sizeof *limiter + 63) / 64 * 64);
  if (!limiter)
    return ASZ_ENOMEM;
  memset(limiter, 0, sizeof *limiter);
  limiter->rate = *rate;
  memcpy(limiter->hash_key, hash_key, sizeof limiter->hash_key);
  *ret_limiter = limiter;
  return 0;
}

/* The source's own bucket, else that of the set which was due first: free ones, then the longest idle. */
static struct source *find_or_replace(struct source set[ASZ_LIMITER_WAYS], uint32_t ipv4) {
  struct source *victim = &set[0];
  for (unsigned way = 0; way < ASZ_LIMITER_WAYS; way++) {
    if (set[way].ipv4 == ipv4)
      return &set[way];
    if (set[way].next_ns < victim->next_ns)
      victim = &set[way];
  }
  *victim = (struct source){.ipv4 = ipv4};
  return victim;
}

bool asz_limiter_take(struct asz_limiter *limiter, uint32_t source_ipv4, uint64_t now_ns) {
  uint64_t hash;
  crypto_shorthash((uint8_t *)&hash, (const uint8_t *)&source_ipv4, sizeof source_ipv4, limiter->hash_key);
  struct source *source = find_or_replace(limiter->set[hash % SETS], source_ipv4);
  return asz_rate_take(&limiter->rate, &source->next_ns, now_ns);
}

void asz_limiter_free(struct asz_limiter *limiter) {
  free(limiter);
}
