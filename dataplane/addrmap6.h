/* SPDX-License-Identifier: Apache-2.0 */
/* asz_addrmap6: IPv6 address -> target index, built once an epoch, then only read.
 *
 * As asz_addrmap, but a slot holds 32 bits of a hash instead of the address, so that it stays 8 bytes, and a hit is verified in
 * the entry behind it: two cache lines instead of one, 36 to 52 bytes a target. The addresses are the map's own copies, because
 * the previous epoch's map is asked when its plan is gone. The hash is SipHash under a key of the epoch: whoever chooses his
 * interface identifiers with care still cannot choose where they collide. */
#ifndef ASZ_DATAPLANE_ADDRMAP6_H
#define ASZ_DATAPLANE_ADDRMAP6_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/base/cookie.h"
#include "dataplane/base/err.h"

struct asz_addrmap6_slot {
  uint32_t hash;
  uint32_t entry_plus_one; /* 0: empty */
};

struct asz_addrmap6_entry {
  uint8_t ipv6[16];
  uint32_t target;
};

struct asz_addrmap6 {
  struct asz_addrmap6_slot *slot; /* NULL: a map without memory, in which nothing is found */
  struct asz_addrmap6_entry *entry;
  struct asz_cookie_key key;
  uint32_t mask; /* slots in use - 1 */
  uint32_t count, count_max;
  uint32_t slots_max;
};

/* asz_addrmap6_new takes memory for up to count_max (0..2^24; 0: none) addresses, on a NUMA node (-1: any). Empty. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_addrmap6_new(struct asz_addrmap6 *ret_map, uint32_t count_max, int node);
void asz_addrmap6_free(struct asz_addrmap6 *map);
size_t asz_addrmap6_bytes(const struct asz_addrmap6 *map);

/* asz_addrmap6_reset empties the map, sizes it for `count` <= count_max entries and takes its hash's key from an epoch's secret.
 */
void asz_addrmap6_reset(struct asz_addrmap6 *map, uint32_t count, const uint8_t secret[32]);
/* asz_addrmap6_put: ASZ_EEXIST for an address that is there already. At most the `count` of reset (asserted). */
ASZ_MUST_CHECK int asz_addrmap6_put(struct asz_addrmap6 *map, const uint8_t ipv6[16], uint32_t target);
/* asz_addrmap6_get: the target's index, or ASZ_ADDRMAP_NONE (UINT32_MAX). */
uint32_t asz_addrmap6_get(const struct asz_addrmap6 *map, const uint8_t ipv6[16]);
/* asz_addrmap6_prefetch asks for the slot where the search will begin. */
void asz_addrmap6_prefetch(const struct asz_addrmap6 *map, const uint8_t ipv6[16]);

#endif
