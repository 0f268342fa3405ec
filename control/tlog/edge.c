/* SPDX-License-Identifier: Apache-2.0 */
/* See edge.h. A full tile's 256 hashes collapse into one hash of the level above, as a digit carries in base 256. */
#include <assert.h>
#include <string.h>

#include "control/tlog/edge.h"

int asz_edge_push(struct asz_edge *edge, const uint8_t leaf_hash[32], asz_edge_full *full, void *context) {
  uint8_t hash[32];
  memcpy(hash, leaf_hash, 32);
  for (unsigned level = 0;; level++) {
    assert(level < ASZ_TILE_LEVELS);
    unsigned at = asz_edge_width(edge->size, level);
    memcpy(edge->tile[level][at], hash, 32);
    if (at != ASZ_TILE_WIDTH - 1)
      break;
    const uint8_t(*tile)[32] = (const uint8_t(*)[32])edge->tile[level];
    int err = full(context, level, edge->size >> (8 * level) >> 8, tile);
    if (err)
      return err;
    asz_tlog_tree_hash(hash, tile, ASZ_TILE_WIDTH);
  }
  edge->size++;
  return 0;
}

void asz_edge_root(const struct asz_edge *edge, uint8_t ret_root[32]) {
  /* From the finest level up: what the lower levels hold is one unfinished node behind the complete ones of this level. */
  uint8_t node[ASZ_TILE_WIDTH][32];
  uint8_t below[32];
  unsigned have_below = 0;
  for (unsigned level = 0; level < ASZ_TILE_LEVELS; level++) {
    unsigned width = asz_edge_width(edge->size, level);
    if (width == 0)
      continue;
    memcpy(node, edge->tile[level], (size_t)width * 32);
    if (have_below)
      memcpy(node[width], below, 32);
    asz_tlog_tree_hash(below, (const uint8_t(*)[32])node, width + have_below);
    have_below = 1;
  }
  if (have_below)
    memcpy(ret_root, below, 32);
  else
    asz_tlog_tree_hash(ret_root, NULL, 0);
}
