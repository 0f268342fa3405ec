/* SPDX-License-Identifier: Apache-2.0 */
/* asz_tree on the host: the hash tree of gpu/kinds/tree.h made by libsodium, for provers and verifiers alike. Independent of the
 * device's mathematics, which is tested against it. */
#ifndef ASZ_GPU_TREE_H
#define ASZ_GPU_TREE_H

#include <sodium.h>
#include <string.h>

#include "gpu/kinds/tree.h"

/* asz_tree_host_leaf: the hash of a head (asz_tree_head) and size_bytes bytes. */
static inline void asz_tree_host_leaf(uint8_t ret_hash[32], const uint8_t head[ASZ_TREE_HEAD_BYTES], const uint8_t *bytes,
                                      size_t size_bytes) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, NULL, 0, 32);
  crypto_generichash_update(&state, head, ASZ_TREE_HEAD_BYTES);
  crypto_generichash_update(&state, bytes, size_bytes);
  crypto_generichash_final(&state, ret_hash, 32);
}

/* asz_tree_host_node: ret_hash may be left or right. */
static inline void asz_tree_host_node(uint8_t ret_hash[32], const uint8_t left[32], const uint8_t right[32]) {
  uint8_t message[ASZ_TREE_HEAD_BYTES + 64] = {ASZ_TREE_NODE};
  memcpy(message + ASZ_TREE_HEAD_BYTES, left, 32);
  memcpy(message + ASZ_TREE_HEAD_BYTES + 32, right, 32);
  crypto_generichash(ret_hash, 32, message, sizeof message, NULL, 0);
}

/* asz_tree_host_climb: as asz_tree_climb. */
static inline void asz_tree_host_climb(uint8_t hash[32], uint32_t index, const uint8_t *path, uint32_t levels) {
  for (uint32_t level = 0; level < levels; level++) {
    const uint8_t *sibling = path + (size_t)level * ASZ_TREE_HASH_BYTES;
    if (index >> level & 1)
      asz_tree_host_node(hash, sibling, hash);
    else
      asz_tree_host_node(hash, hash, sibling);
  }
}

/* asz_tree_host_root: the root over count leaves, a power of two, whose memory it uses up. With ret_path, which may be NULL, also
 * the siblings of leaf `index`, leaf upwards. */
static inline void asz_tree_host_root(uint8_t ret_root[32], uint8_t *ret_path, uint8_t (*hash)[32], uint32_t count,
                                      uint32_t index) {
  for (; count > 1; count /= 2, index /= 2) {
    if (ret_path != NULL) {
      memcpy(ret_path, hash[index ^ 1], 32);
      ret_path += 32;
    }
    for (uint32_t i = 0; i < count / 2; i++)
      asz_tree_host_node(hash[i], hash[2 * i], hash[2 * i + 1]);
  }
  memcpy(ret_root, hash[0], 32);
}

#endif
