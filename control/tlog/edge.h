/* SPDX-License-Identifier: Apache-2.0 */
/* asz_edge: the right edge of a growing tree: of each tile level the unfinished rightmost tile. All that is needed to append, and
 * to know the root, in 64 KiB whatever the size of the log. */
#ifndef ASZ_CONTROL_TLOG_EDGE_H
#define ASZ_CONTROL_TLOG_EDGE_H

#include <stdint.h>

#include "control/tlog/tiles.h"

struct asz_edge {
  uint64_t size;                                     /* leaves */
  uint8_t tile[ASZ_TILE_LEVELS][ASZ_TILE_WIDTH][32]; /* level L: asz_edge_width() hashes are valid */
};

/* asz_edge_width: hashes in the unfinished tile of a level for a tree of `size` leaves: 0..255. */
static inline unsigned asz_edge_width(uint64_t size, unsigned level) {
  return (size >> (8 * level)) & (ASZ_TILE_WIDTH - 1);
}

/* asz_edge_full is told each tile as it becomes full, lower levels first; non-zero stops the push. */
typedef int asz_edge_full(void *context, unsigned level, uint64_t index, const uint8_t (*hash)[32]);

/* asz_edge_push adds one leaf hash. Returns 0 or what full returned; after a failure the edge must be thrown away. */
ASZ_MUST_CHECK int asz_edge_push(struct asz_edge *edge, const uint8_t leaf_hash[32], asz_edge_full *full, void *context);
/* asz_edge_root: the Merkle tree hash over all leaves pushed. */
void asz_edge_root(const struct asz_edge *edge, uint8_t ret_root[32]);

#endif
