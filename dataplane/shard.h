/* SPDX-License-Identifier: Apache-2.0 */
/* asz_shard: which targets of a plan belong to which prober lcore: a run of neighbours each, as even as can be. It depends on the
 * two counts alone, so whoever checks a run afterwards finds the same. Pure. */
#ifndef ASZ_DATAPLANE_SHARD_H
#define ASZ_DATAPLANE_SHARD_H

#include <stdint.h>

struct asz_shard {
  uint32_t number;
  uint32_t first; /* target index */
  uint32_t count; /* 0 when there are more shards than targets */
};

/* asz_shard_of: number < shard_count. */
static inline struct asz_shard asz_shard_of(uint32_t number, uint32_t shard_count, uint32_t target_count) {
  uint32_t first = (uint32_t)((uint64_t)target_count * number / shard_count);
  uint32_t end = (uint32_t)((uint64_t)target_count * (number + 1) / shard_count);
  return (struct asz_shard){.number = number, .first = first, .count = end - first};
}

/* asz_shard_has: does target `index` belong to it? */
static inline int asz_shard_has(const struct asz_shard *shard, uint32_t index) {
  return index - shard->first < shard->count;
}

/* asz_shard_owner: number of the shard that target `index` < target_count belongs to. Divides: not for every packet. */
static inline uint32_t asz_shard_owner(uint32_t index, uint32_t shard_count, uint32_t target_count) {
  return (uint32_t)((((uint64_t)index + 1) * shard_count - 1) / target_count);
}

#endif
