/* SPDX-License-Identifier: Apache-2.0 */
/* asz_tlog_tree: a Merkle tree (RFC 6962 section 2.1) over leaf hashes in memory that keeps its inner nodes, so that its root and
 * every inclusion path cost as many hashes as the path is long. asz_tlog_inclusion_make needs none of this memory, but hashes the
 * whole tree for each path: with a million leaves 0.3 s, which an outage of many providers would pay for each of them.
 *
 * Level 0 is the leaves; node i of level l is over the leaves i * 2^l up to (i + 1) * 2^l - 1. Only complete nodes are kept; what
 * the ragged right edge needs is made when it is asked for. */
#ifndef ASZ_CONTROL_TLOG_TREE_H
#define ASZ_CONTROL_TLOG_TREE_H

#include <stddef.h>
#include <stdint.h>

struct asz_tlog_tree {
  const uint8_t (*leaf)[32];
  uint8_t (*node)[32];
  uint64_t count; /* leaves */
};

/* asz_tlog_tree_nodes: inner nodes that a tree over count leaves keeps; fewer than count. */
uint64_t asz_tlog_tree_nodes(uint64_t count);
/* asz_tlog_tree_make hashes the tree. leaf (count) and node (asz_tlog_tree_nodes(count)) are borrowed for its life. */
void asz_tlog_tree_make(struct asz_tlog_tree *ret_tree, const uint8_t (*leaf)[32], uint8_t (*node)[32], uint64_t count);
/* asz_tlog_tree_root: as asz_tlog_tree_hash over the leaves. */
void asz_tlog_tree_root(const struct asz_tlog_tree *tree, uint8_t ret_root[32]);
/* asz_tlog_tree_path: as asz_tlog_inclusion_make: ret_path has ASZ_TLOG_PROOF_MAX hashes; returns their number. index < count
 * (asserted). */
size_t asz_tlog_tree_path(const struct asz_tlog_tree *tree, uint64_t index, uint8_t (*ret_path)[32]);

#endif
