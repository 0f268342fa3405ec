/* SPDX-License-Identifier: Apache-2.0 */
/* asz_permute: a keyed permutation of [0, count) with random access: position -> target. A Feistel network on a grid,
 * cycle-walked (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002); state is one index, so pause, resume and
 * sharding are free. It hides the order from casual prediction; it is no cipher, and nothing but spreading load depends on it:
 * cookies carry the security. */
#ifndef ASZ_DATAPLANE_PERMUTE_H
#define ASZ_DATAPLANE_PERMUTE_H

#include <stdint.h>

enum { ASZ_PERMUTE_ROUNDS = 4 };

struct asz_permute {
  uint32_t count;
  uint32_t rows, columns; /* of the grid: rows * columns >= count, by less than a row */
  uint32_t inverse;       /* 2^shift / columns, rounded up */
  uint8_t shift;
  uint32_t key[ASZ_PERMUTE_ROUNDS];
};

/* asz_permute_init: count 1..2^30 (asserted); the keys are the first 16 bytes of BLAKE2b-256(key = secret, "assize/1/permute" ||
 * shard BE32 || round BE32) as little-endian words. */
void asz_permute_init(struct asz_permute *ret_permute, uint32_t count, const uint8_t secret[32], uint32_t shard, uint32_t round);
/* asz_permute_at: position < count -> value < count, one to one. Pure. */
uint32_t asz_permute_at(const struct asz_permute *permute, uint32_t position);
/* asz_permute_many: the same of positions position..position + size - 1, all < count; size may be 0 while position < count. */
void asz_permute_many(const struct asz_permute *permute, uint32_t position, uint32_t *ret_value, uint32_t size);

#endif
