/* SPDX-License-Identifier: Apache-2.0 */
/* The tree that keeps its nodes against the functions that hash all of it, which test_merkle.c holds to RFC 6962. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "control/tlog/tlog.h"
#include "control/tlog/tree.h"

enum { LEAVES = 70001 };
static uint8_t leaf[LEAVES][32];

static const uint8_t (*leaves(uint64_t count))[32] {
  for (uint64_t i = 0; i < count; i++)
    asz_tlog_leaf_hash(leaf[i], &i, sizeof i);
  return (const uint8_t(*)[32])leaf;
}

static void expect_path(const struct asz_tlog_tree *tree, uint64_t index) {
  uint8_t path[ASZ_TLOG_PROOF_MAX][32], expected[ASZ_TLOG_PROOF_MAX][32];
  size_t length = asz_tlog_tree_path(tree, index, path);
  cr_assert_eq(length, asz_tlog_inclusion_make(expected, tree->leaf, tree->count, index), "%lu of %lu", index, tree->count);
  cr_assert_eq(memcmp(path, expected, length * 32), 0, "%lu of %lu", index, tree->count);
}

Test(tree, an_empty_one_has_the_root_of_nothing_and_no_nodes)
{
  struct asz_tlog_tree tree;
  uint8_t root[32], expected[32];
  asz_tlog_tree_make(&tree, NULL, NULL, 0);
  asz_tlog_tree_root(&tree, root);
  asz_tlog_tree_hash(expected, NULL, 0);
  cr_assert_arr_eq(root, expected, 32);
  cr_assert_eq(asz_tlog_tree_nodes(0), 0);
  cr_assert_eq(asz_tlog_tree_nodes(1), 0);
}

Test(tree, keeps_fewer_nodes_than_leaves_and_writes_no_other)
{
  for (uint64_t count = 1; count <= 150; count++) {
    struct asz_tlog_tree tree;
    uint64_t nodes = asz_tlog_tree_nodes(count);
    uint8_t(*node)[32] = malloc((nodes + 1) * 32);
    cr_assert_lt(nodes, count);
    memset(node[nodes], 0xa5, 32);
    asz_tlog_tree_make(&tree, leaves(count), node, count);
    for (int i = 0; i < 32; i++)
      cr_assert_eq(node[nodes][i], 0xa5, "%lu leaves", count);
    free(node);
  }
}

Test(tree, root_and_every_path_are_those_of_the_whole_hashed_for_all_small_sizes)
{
  static uint8_t node[150][32];
  for (uint64_t count = 1; count <= 150; count++) {
    struct asz_tlog_tree tree;
    uint8_t root[32], expected[32];
    asz_tlog_tree_make(&tree, leaves(count), node, count);
    asz_tlog_tree_root(&tree, root);
    asz_tlog_tree_hash(expected, tree.leaf, count);
    cr_assert_arr_eq(root, expected, 32, "%lu leaves", count);
    for (uint64_t i = 0; i < count; i++)
      expect_path(&tree, i);
  }
}

Test(tree, paths_of_a_large_one_are_right_at_its_edges)
{
  static uint8_t node[LEAVES][32];
  static const uint64_t counts[] = {65535, 65536, 65537, LEAVES};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    struct asz_tlog_tree tree;
    asz_tlog_tree_make(&tree, leaves(counts[c]), node, counts[c]);
    const uint64_t indexes[] = {0, 1, 32767, 32768, 65534, counts[c] / 2, counts[c] - 1};
    for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++)
      expect_path(&tree, indexes[i]);
  }
}
