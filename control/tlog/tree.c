/* SPDX-License-Identifier: Apache-2.0 */
#include "control/tlog/tree.h"

#include <assert.h>
#include <string.h>

#include "control/tlog/tlog.h"

uint64_t asz_tlog_tree_nodes(uint64_t count) {
  uint64_t nodes = 0;
  while ((count /= 2) > 0)
    nodes += count;
  return nodes;
}

void asz_tlog_tree_make(struct asz_tlog_tree *ret_tree, const uint8_t (*leaf)[32], uint8_t (*node)[32], uint64_t count) {
  const uint8_t(*below)[32] = leaf;
  uint8_t(*level)[32] = node;
  for (uint64_t width = count / 2; width > 0; width /= 2) {
    for (uint64_t i = 0; i < width; i++)
      asz_tlog_node_hash(level[i], below[2 * i], below[2 * i + 1]);
    below = (const uint8_t(*)[32])level;
    level += width;
  }
  *ret_tree = (struct asz_tlog_tree){.leaf = leaf, .node = node, .count = count};
}

/* A complete node: `first` is a multiple of 2^level. */
static const uint8_t *kept(const struct asz_tlog_tree *tree, uint64_t first, unsigned level) {
  if (level == 0)
    return tree->leaf[first];
  uint64_t before = asz_tlog_tree_nodes(tree->count) - asz_tlog_tree_nodes(tree->count >> (level - 1));
  return tree->node[before + (first >> level)];
}

/* Larger half of a tree of count > 1: the largest power of two below count. */
static unsigned half_level(uint64_t count) {
  return 63 - (unsigned)__builtin_clzll(count - 1);
}

/* The hash over count >= 1 leaves from `first`, as the halving of the whole tree cuts them: kept parts, joined from the right. */
static void hash_of(const struct asz_tlog_tree *tree, uint64_t first, uint64_t count, uint8_t ret_hash[32]) {
  const uint8_t *part[64];
  unsigned parts = 0;
  while ((count & (count - 1)) != 0) {
    unsigned level = half_level(count);
    part[parts++] = kept(tree, first, level);
    first += UINT64_C(1) << level;
    count -= UINT64_C(1) << level;
  }
  memcpy(ret_hash, kept(tree, first, (unsigned)__builtin_ctzll(count)), 32);
  while (parts > 0)
    asz_tlog_node_hash(ret_hash, part[--parts], ret_hash);
}

void asz_tlog_tree_root(const struct asz_tlog_tree *tree, uint8_t ret_root[32]) {
  if (tree->count == 0)
    asz_tlog_tree_hash(ret_root, NULL, 0);
  else
    hash_of(tree, 0, tree->count, ret_root);
}

size_t asz_tlog_tree_path(const struct asz_tlog_tree *tree, uint64_t index, uint8_t (*ret_path)[32]) {
  assert(index < tree->count);
  uint8_t down[ASZ_TLOG_PROOF_MAX][32]; /* from the root; a path reads from the leaf up */
  size_t depth = 0;
  uint64_t first = 0, count = tree->count;
  while (count > 1) {
    uint64_t half = UINT64_C(1) << half_level(count);
    if (index - first < half) {
      hash_of(tree, first + half, count - half, down[depth++]);
      count = half;
    } else {
      hash_of(tree, first, half, down[depth++]);
      first += half;
      count -= half;
    }
  }
  for (size_t i = 0; i < depth; i++)
    memcpy(ret_path[i], down[depth - 1 - i], 32);
  return depth;
}
