/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/addrmap.h"

#include <assert.h>
#include <string.h>

#include "dataplane/bigmem.h"

/* At least half as many again as entries (10 million then share 128 MiB, not 256), and never a shift of 32. */
static uint32_t slots_for(uint32_t count) {
  uint32_t slots = 2;
  while (slots < count + (count + 1) / 2)
    slots *= 2;
  return slots;
}

int asz_addrmap_new(struct asz_addrmap *ret_map, uint32_t count_max, int node) {
  assert(count_max >= 1 && count_max <= 1u << 24);
  struct asz_addrmap map = {.slots_max = slots_for(count_max)};
  void *memory = NULL;
  int err = asz_bigmem_new(&memory, asz_addrmap_bytes(&map), node);
  if (err != 0)
    return err;
  map.slot = memory;
  asz_addrmap_reset(&map, 1);
  *ret_map = map;
  return 0;
}

void asz_addrmap_free(struct asz_addrmap *map) {
  asz_bigmem_free(map->slot, asz_addrmap_bytes(map));
  map->slot = NULL;
}

size_t asz_addrmap_bytes(const struct asz_addrmap *map) {
  return (size_t)map->slots_max * sizeof(struct asz_addrmap_slot);
}

void asz_addrmap_reset(struct asz_addrmap *map, uint32_t count) {
  uint32_t slots = slots_for(count);
  assert(slots <= map->slots_max);
  map->mask = slots - 1;
  map->shift = 32 - (uint32_t)__builtin_ctz(slots);
  memset(map->slot, 0, (size_t)slots * sizeof *map->slot);
}

int asz_addrmap_put(struct asz_addrmap *map, uint32_t ipv4, uint32_t index) {
  uint32_t steps = 0;
  uint32_t i = asz_addrmap_home(map, ipv4);
  while (map->slot[i].index_plus_one != 0) {
    if (map->slot[i].ipv4 == ipv4)
      return ASZ_EEXIST;
    assert(++steps <= map->mask);
    i = (i + 1) & map->mask;
  }
  map->slot[i] = (struct asz_addrmap_slot){.ipv4 = ipv4, .index_plus_one = index + 1};
  return 0;
}
