/* SPDX-License-Identifier: Apache-2.0 */
/* asz_tree: the hash tree over the answers of gemm and mem, as a verifier meets it: a leaf, and its path up to a root.
 *
 * Leaves and nodes have first bytes of their own (0x01 is a node), so that no node passes for a leaf. Trees are full: their
 * number of leaves is a power of two, and the bits of a leaf's index say on which side it stands on each level. */
#ifndef ASZ_GPU_KINDS_TREE_H
#define ASZ_GPU_KINDS_TREE_H

#include "gpu/kinds/blake2b.h"

enum { ASZ_TREE_HASH_BYTES = 32, ASZ_TREE_HEAD_BYTES = 16 };

/* First byte of everything that is hashed in a tree. */
enum asz_tree_tag { ASZ_TREE_COLUMN = 0, ASZ_TREE_NODE = 1, ASZ_TREE_STEP = 2, ASZ_TREE_FOLD = 3 };

/* asz_tree_head: the 16 bytes that open a leaf: tag, three zeros, three numbers. */
ASZ_HD void asz_tree_head(uint8_t *ret_head /* 16 */, enum asz_tree_tag tag, uint32_t a, uint32_t b, uint32_t c) {
  asz_hd_be32_store(ret_head, (uint32_t)tag << 24);
  asz_hd_be32_store(ret_head + 4, a);
  asz_hd_be32_store(ret_head + 8, b);
  asz_hd_be32_store(ret_head + 12, c);
}

/* asz_tree_leaf: the hash of a head and size_bytes bytes. */
ASZ_HD void asz_tree_leaf(uint8_t *ret_hash /* 32 */, const uint8_t head[ASZ_TREE_HEAD_BYTES], const uint8_t *bytes,
                          size_t size_bytes) {
  struct asz_blake2b hash;
  asz_blake2b_start(&hash, 0, 0);
  asz_blake2b_add(&hash, head, ASZ_TREE_HEAD_BYTES);
  asz_blake2b_add(&hash, bytes, size_bytes);
  asz_blake2b_end(&hash, ret_hash);
}

/* asz_tree_climb: hash, the node with this index on the leaves' level, becomes the root that `levels` siblings lead to. */
ASZ_HD void asz_tree_climb(uint8_t hash[ASZ_TREE_HASH_BYTES], uint32_t index, const uint8_t *path, uint32_t levels) {
  uint8_t head[ASZ_TREE_HEAD_BYTES];
  asz_tree_head(head, ASZ_TREE_NODE, 0, 0, 0);
  ASZ_HD_ROLLED
  for (uint32_t level = 0; level < levels; level++) {
    const uint8_t *sibling = path + (size_t)level * ASZ_TREE_HASH_BYTES;
    int is_right = (int)(index >> level & 1);
    struct asz_blake2b node;
    asz_blake2b_start(&node, 0, 0);
    asz_blake2b_add(&node, head, sizeof head);
    asz_blake2b_add(&node, is_right ? sibling : hash, ASZ_TREE_HASH_BYTES);
    asz_blake2b_add(&node, is_right ? hash : sibling, ASZ_TREE_HASH_BYTES);
    asz_blake2b_end(&node, hash);
  }
}

ASZ_HD int asz_tree_equal(const uint8_t *a, const uint8_t *b, size_t size_bytes) {
  uint32_t difference = 0;
  for (size_t i = 0; i < size_bytes; i++)
    difference |= (uint32_t)(a[i] ^ b[i]);
  return difference == 0;
}

#endif
