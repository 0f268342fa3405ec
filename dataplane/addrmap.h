/* SPDX-License-Identifier: Apache-2.0 */
/* asz_addrmap: IPv4 address -> target index, built once an epoch, then only read.
 *
 * Open addressing with linear probing at a load of at most two thirds; a slot holds address and index + 1 side by side in 8
 * bytes, so that a hit costs one cache line. The hash is multiplicative (Knuth 6.4): the addresses are our own registered list,
 * in which nobody can plant collisions at run time. */
#ifndef ASZ_DATAPLANE_ADDRMAP_H
#define ASZ_DATAPLANE_ADDRMAP_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"

enum { ASZ_ADDRMAP_NONE = UINT32_MAX };

struct asz_addrmap_slot {
  uint32_t ipv4;
  uint32_t index_plus_one; /* 0: empty */
};

struct asz_addrmap {
  struct asz_addrmap_slot *slot;
  uint32_t mask;  /* slots in use - 1 */
  uint32_t shift; /* 32 - log2(slots in use) */
  uint32_t slots_max;
};

/* asz_addrmap_new takes memory for up to count_max (1..2^24) addresses, on a NUMA node (-1: any). Empty. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_addrmap_new(struct asz_addrmap *ret_map, uint32_t count_max, int node);
void asz_addrmap_free(struct asz_addrmap *map);
size_t asz_addrmap_bytes(const struct asz_addrmap *map);

/* asz_addrmap_reset empties the map and sizes it for `count` <= count_max entries: a smaller table stays in a nearer cache. */
void asz_addrmap_reset(struct asz_addrmap *map, uint32_t count);
/* asz_addrmap_put: ASZ_EEXIST for an address that is there already. At most the `count` of reset (asserted). */
ASZ_MUST_CHECK int asz_addrmap_put(struct asz_addrmap *map, uint32_t ipv4, uint32_t index);

static inline uint32_t asz_addrmap_home(const struct asz_addrmap *map, uint32_t ipv4) {
  return (ipv4 * 0x9e3779b1u) >> map->shift; /* 2^32 / golden ratio, odd */
}
static inline void asz_addrmap_prefetch(const struct asz_addrmap *map, uint32_t ipv4) {
  __builtin_prefetch(&map->slot[asz_addrmap_home(map, ipv4)]);
}
/* asz_addrmap_get: the index, or ASZ_ADDRMAP_NONE. */
static inline uint32_t asz_addrmap_get(const struct asz_addrmap *map, uint32_t ipv4) {
  for (uint32_t i = asz_addrmap_home(map, ipv4);; i = (i + 1) & map->mask) {
    struct asz_addrmap_slot slot = map->slot[i];
    if (slot.index_plus_one == 0)
      return ASZ_ADDRMAP_NONE;
    if (slot.ipv4 == ipv4)
      return slot.index_plus_one - 1;
  }
}

#endif
