/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/addrmap6.h"

#include <assert.h>

#include "dataplane/base/hash.h"
#include "dataplane/bigmem.h"

/* At least twice the entries. */
static uint32_t slots_for(uint32_t count) {
  uint32_t slots = 2;
  while (slots < 2 * count)
    slots *= 2;
  return slots;
}

static size_t slot_bytes(const struct asz_addrmap6 *map) {
  return (size_t)map->slots_max * sizeof *map->slot;
}
static size_t entry_bytes(const struct asz_addrmap6 *map) {
  return (size_t)map->count_max * sizeof *map->entry;
}

int asz_addrmap6_new(struct asz_addrmap6 *ret_map, uint32_t count_max, int node) {
  assert(count_max <= 1u << 24);
  struct asz_addrmap6 map = {.count_max = count_max};
  void *slot = NULL, *entry = NULL;
  int err = 0;
  if (count_max > 0) {
    map.slots_max = slots_for(count_max);
    err = asz_bigmem_new(&slot, slot_bytes(&map), node);
    if (err == 0)
      err = asz_bigmem_new(&entry, entry_bytes(&map), node);
  }
  if (err != 0) {
    asz_bigmem_free(slot, slot_bytes(&map));
    return err;
  }
  map.slot = slot;
  map.entry = entry;
  *ret_map = map;
  return 0;
}

void asz_addrmap6_free(struct asz_addrmap6 *map) {
  asz_bigmem_free(map->slot, slot_bytes(map));
  asz_bigmem_free(map->entry, entry_bytes(map));
  *map = (struct asz_addrmap6){0};
}

size_t asz_addrmap6_bytes(const struct asz_addrmap6 *map) {
  return slot_bytes(map) + entry_bytes(map);
}

void asz_addrmap6_reset(struct asz_addrmap6 *map, uint32_t count, const uint8_t secret[32]) {
  assert(count <= map->count_max);
  map->count = 0;
  if (map->slot == NULL)
    return;
  uint8_t hash[32];
  asz_hash(hash, secret, 32, &ASZ_HASH_TEXT("assize/1/addresses"), 1);
  memcpy(&map->key, hash, sizeof map->key);
  uint32_t slots = slots_for(count);
  map->mask = slots - 1;
  memset(map->slot, 0, (size_t)slots * sizeof *map->slot);
}

static uint32_t hash_of(const struct asz_addrmap6 *map, const uint8_t ipv6[16]) {
  uint64_t high, low;
  memcpy(&high, ipv6, 8);
  memcpy(&low, ipv6 + 8, 8);
  return (uint32_t)asz_cookie_one(&map->key, (uint32_t)high, (uint32_t)(high >> 32), low); /* SipHash of any 16 bytes */
}

/* The slot with this address, or the empty one where it would be. */
static uint32_t slot_find(const struct asz_addrmap6 *map, const uint8_t ipv6[16], uint32_t hash) {
  uint32_t i = hash & map->mask;
  for (;; i = (i + 1) & map->mask) {
    struct asz_addrmap6_slot slot = map->slot[i];
    if (slot.entry_plus_one == 0 || (slot.hash == hash && memcmp(map->entry[slot.entry_plus_one - 1].ipv6, ipv6, 16) == 0))
      return i;
  }
}

int asz_addrmap6_put(struct asz_addrmap6 *map, const uint8_t ipv6[16], uint32_t target) {
  assert(map->count < map->count_max && 2 * map->count <= map->mask);
  uint32_t hash = hash_of(map, ipv6);
  uint32_t at = slot_find(map, ipv6, hash);
  if (map->slot[at].entry_plus_one != 0)
    return ASZ_EEXIST;
  struct asz_addrmap6_entry *entry = &map->entry[map->count++];
  memcpy(entry->ipv6, ipv6, 16);
  entry->target = target;
  map->slot[at] = (struct asz_addrmap6_slot){.hash = hash, .entry_plus_one = map->count};
  return 0;
}

uint32_t asz_addrmap6_get(const struct asz_addrmap6 *map, const uint8_t ipv6[16]) {
  if (map->count == 0)
    return UINT32_MAX;
  const struct asz_addrmap6_slot *slot = &map->slot[slot_find(map, ipv6, hash_of(map, ipv6))];
  return slot->entry_plus_one == 0 ? UINT32_MAX : map->entry[slot->entry_plus_one - 1].target;
}

void asz_addrmap6_prefetch(const struct asz_addrmap6 *map, const uint8_t ipv6[16]) {
  if (map->count > 0)
    __builtin_prefetch(&map->slot[hash_of(map, ipv6) & map->mask]);
}
