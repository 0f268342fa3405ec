/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree of RFC 6962 section 2.1, over leaf hashes in memory.
 *
 * Nothing here recurses. A tree hash keeps one pending root for each bit of the count, as adding one to a binary counter does:
 * whenever two complete subtrees of one size meet they become one of twice the size, so 64 slots are enough for any count. What
 * is left at the end are complete subtrees of falling sizes; folded from the right they give the same root as the recursive
 * definition, whose split at the largest power of two below the count is exactly the largest of them.
 *
 * The same holds when the last item of the list is not a leaf but the root of a smaller, unfinished subtree. asz_edge relies on
 * that. */
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "control/tlog/tlog.h"

static void hash_parts(uint8_t ret_hash[32], uint8_t domain, const void *a, size_t a_bytes, const void *b, size_t b_bytes) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, &domain, 1);
  crypto_hash_sha256_update(&state, a, a_bytes);
  if (b_bytes)
    crypto_hash_sha256_update(&state, b, b_bytes);
  crypto_hash_sha256_final(&state, ret_hash);
}

void asz_tlog_leaf_hash(uint8_t ret_hash[32], const void *entry, size_t size_bytes) {
  hash_parts(ret_hash, 0x00, entry, size_bytes, NULL, 0);
}

void asz_tlog_node_hash(uint8_t ret_hash[32], const uint8_t left[32], const uint8_t right[32]) {
  hash_parts(ret_hash, 0x01, left, 32, right, 32);
}

void asz_tlog_tree_hash(uint8_t ret_hash[32], const uint8_t (*leaf)[32], uint64_t count) {
  uint8_t pending[64][32]; /* roots of complete subtrees, largest first */
  unsigned depth = 0;
  if (count == 0) {
    crypto_hash_sha256(ret_hash, NULL, 0);
    return;
  }
  for (uint64_t i = 0; i < count; i++) {
    memcpy(pending[depth++], leaf[i], 32);
    for (uint64_t carry = i; carry & 1; carry >>= 1) {
      asz_tlog_node_hash(pending[depth - 2], pending[depth - 2], pending[depth - 1]);
      depth--;
    }
  }
  for (; depth > 1; depth--)
    asz_tlog_node_hash(pending[depth - 2], pending[depth - 2], pending[depth - 1]);
  memcpy(ret_hash, pending[0], 32);
}

size_t asz_tlog_inclusion_make(uint8_t (*ret_path)[32], const uint8_t (*leaf)[32], uint64_t count, uint64_t index) {
  assert(index < count);
  /* From the root down: the half without the leaf gives a hash, the other half is the next tree. A path reads from the leaf up,
   * so that the first one found lies last. */
  uint8_t down[ASZ_TLOG_PROOF_MAX][32];
  size_t depth = 0;
  while (count > 1) {
    uint64_t half = UINT64_C(1) << (63 - __builtin_clzll(count - 1));
    if (index < half) {
      asz_tlog_tree_hash(down[depth++], leaf + half, count - half);
      count = half;
    } else {
      asz_tlog_tree_hash(down[depth++], leaf, half);
      leaf += half;
      index -= half;
      count -= half;
    }
  }
  for (size_t i = 0; i < depth; i++)
    memcpy(ret_path[i], down[depth - 1 - i], 32);
  return depth;
}

int asz_tlog_inclusion_check(const uint8_t root[32], uint64_t tree_size, uint64_t index, const uint8_t leaf_hash[32],
                             const uint8_t (*path)[32], size_t path_count) {
  if (index >= tree_size)
    return ASZ_EAUTH;
  uint8_t hash[32];
  memcpy(hash, leaf_hash, 32);
  uint64_t node = index, last = tree_size - 1; /* on the current level: the node of our path, and the rightmost one */
  for (size_t i = 0; i < path_count; i++) {
    if (last == 0)
      return ASZ_EAUTH;
    if ((node & 1) || node == last) {
      asz_tlog_node_hash(hash, path[i], hash);
      while (!(node & 1) && node != 0) { /* levels on which the rightmost node has no sibling */
        node >>= 1;
        last >>= 1;
      }
    } else {
      asz_tlog_node_hash(hash, hash, path[i]);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && memcmp(hash, root, 32) == 0 ? 0 : ASZ_EAUTH;
}

size_t asz_tlog_consistency_make(uint8_t (*ret_path)[32], const uint8_t (*leaf)[32], uint64_t old_count, uint64_t count) {
  assert(old_count >= 1 && old_count <= count);
  uint8_t down[ASZ_TLOG_PROOF_MAX][32];
  size_t depth = 0;
  uint64_t first = 0, end = count;
  while (end != old_count) {
    uint64_t middle = first + (UINT64_C(1) << (63 - __builtin_clzll(end - first - 1)));
    if (old_count <= middle) {
      asz_tlog_tree_hash(down[depth++], leaf + middle, end - middle);
      end = middle;
    } else {
      asz_tlog_tree_hash(down[depth++], leaf + first, middle - first);
      first = middle;
    }
  }
  if (first != 0) /* else it is the old root itself, which the reader of the proof has */
    asz_tlog_tree_hash(down[depth++], leaf + first, end - first);
  for (size_t i = 0; i < depth; i++)
    memcpy(ret_path[i], down[depth - 1 - i], 32);
  return depth;
}

int asz_tlog_consistency_check(const uint8_t old_root[32], uint64_t old_size, const uint8_t root[32], uint64_t tree_size,
                               const uint8_t (*path)[32], size_t path_count) {
  if (old_size > tree_size)
    return ASZ_EAUTH;
  if (old_size == 0 || old_size == tree_size) {
    if (path_count == 0 && (old_size == 0 || memcmp(old_root, root, 32) == 0))
      return 0;
    return ASZ_EAUTH;
  }
  uint64_t node = old_size - 1, last = tree_size - 1; /* on the current level: the rightmost of the old and of the new tree */
  while (node & 1) {                                  /* up to the largest complete subtree that ends the old tree */
    node >>= 1;
    last >>= 1;
  }
  uint8_t old_hash[32], hash[32];
  size_t at = 0;
  if (node == 0) { /* the old tree is that subtree: its root is where both start */
    memcpy(hash, old_root, 32);
  } else {
    if (path_count == 0)
      return ASZ_EAUTH;
    memcpy(hash, path[at++], 32);
  }
  memcpy(old_hash, hash, 32);
  for (; at < path_count; at++) {
    if (last == 0)
      return ASZ_EAUTH;
    if ((node & 1) || node == last) {
      asz_tlog_node_hash(old_hash, path[at], old_hash);
      asz_tlog_node_hash(hash, path[at], hash);
      while (!(node & 1) && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      asz_tlog_node_hash(hash, hash, path[at]);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && memcmp(old_hash, old_root, 32) == 0 && memcmp(hash, root, 32) == 0 ? 0 : ASZ_EAUTH;
}
