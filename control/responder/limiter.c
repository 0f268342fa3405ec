/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/limiter.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"

enum { SETS = ASZ_LIMITER_SOURCES / ASZ_LIMITER_WAYS };

struct source {
  uint64_t next_ns; /* 0: free */
  uint64_t network; /* network_of its address */
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
static struct source *find_or_replace(struct source set[ASZ_LIMITER_WAYS], uint64_t network) {
  struct source *victim = &set[0];
  for (unsigned way = 0; way < ASZ_LIMITER_WAYS; way++) {
    if (set[way].network == network)
      return &set[way];
    if (set[way].next_ns < victim->next_ns)
      victim = &set[way];
  }
  *victim = (struct source){.network = network};
  return victim;
}

/* A whole IPv4 address or the upper half of an IPv6 one, in one word: no IPv6 network that packets come from is ff00::/8. */
static uint64_t network_of(const struct asz_address *address) {
  return address->family == ASZ_FAMILY_IPV6 ? asz_be64_load(address->ipv6) : UINT64_C(0xff) << 56 | address->ipv4;
}

bool asz_limiter_take(struct asz_limiter *limiter, const struct asz_address *source, uint64_t now_ns) {
  uint64_t hash;
  const uint64_t network = network_of(source);
  /* four bytes of IPv4 are one block of SipHash less than eight */
  const uint8_t *hashed = source->family == ASZ_FAMILY_IPV6 ? source->ipv6 : (const uint8_t *)&source->ipv4;
  crypto_shorthash((uint8_t *)&hash, hashed, source->family == ASZ_FAMILY_IPV6 ? 8 : 4, limiter->hash_key);
  struct source *bucket = find_or_replace(limiter->set[hash % SETS], network);
  return asz_rate_take(&limiter->rate, &bucket->next_ns, now_ns);
}

void asz_limiter_free(struct asz_limiter *limiter) {
  free(limiter);
}
