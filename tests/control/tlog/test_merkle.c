/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree against the roots that the Certificate Transparency test suites use, and against a recursive definition written
 * down as RFC 6962 section 2.1 states it. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "control/tlog/edge.h"
#include "control/tlog/tlog.h"

/* The eight leaves of the Certificate Transparency reference data, and the root over the first n of them. */
static const struct {
  const char *data;
  size_t size;
} ct_leaf[8] = {{"", 0},
                {"\x00", 1},
                {"\x10", 1},
                {"\x20\x21", 2},
                {"\x30\x31", 2},
                {"\x40\x41\x42\x43", 4},
                {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
                {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16}};
static const char *const ct_root[9] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

enum { LEAVES = 70000 };
static uint8_t leaf[LEAVES][32];

static const uint8_t (*leaves(uint64_t count))[32] {
  for (uint64_t i = 0; i < count; i++)
    asz_tlog_leaf_hash(leaf[i], &i, sizeof i);
  return (const uint8_t(*)[32])leaf;
}

/* RFC 6962 section 2.1, word for word. */
static void definition(uint8_t ret_hash[32], const uint8_t (*d)[32], uint64_t n) {
  if (n == 1) {
    memcpy(ret_hash, d[0], 32);
    return;
  }
  uint64_t k = 1;
  while (k * 2 < n)
    k *= 2;
  uint8_t left[32], right[32];
  definition(left, d, k);
  definition(right, d + k, n - k);
  asz_tlog_node_hash(ret_hash, left, right);
}

static int ignore_tile(void *context, unsigned level, uint64_t index, const uint8_t (*hash)[32]) {
  (void)context, (void)level, (void)index, (void)hash;
  return 0;
}

Test(merkle, inclusion_check_rejects_every_flipped_bit_and_every_other_shape)
{
  const uint8_t(*d)[32] = leaves(13);
  uint8_t root[32], path[ASZ_TLOG_PROOF_MAX + 1][32];
  asz_tlog_tree_hash(root, d, 13);
  for (uint64_t index = 0; index < 13; index++) {
    size_t count = asz_tlog_inclusion_make(path, d, 13, index);
    const uint8_t(*p)[32] = (const uint8_t(*)[32])path;
    cr_assert_eq(asz_tlog_inclusion_check(root, 13, index, d[index], p, count), 0);
    for (size_t bit = 0; bit < count * 256; bit++) {
      path[bit / 256][bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
      cr_assert_eq(asz_tlog_inclusion_check(root, 13, index, d[index], p, count), ASZ_EAUTH, "bit %zu", bit);
      path[bit / 256][bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert_eq(asz_tlog_inclusion_check(root, 13, index, d[index], p, count - 1), ASZ_EAUTH);
    memset(path[count], 0, 32);
    cr_assert_eq(asz_tlog_inclusion_check(root, 13, index, d[index], p, count + 1), ASZ_EAUTH);
    cr_assert_eq(asz_tlog_inclusion_check(root, 13, 13, d[index], p, count), ASZ_EAUTH);
    cr_assert_eq(asz_tlog_inclusion_check(root, 0, index, d[index], p, count), ASZ_EAUTH);
    cr_assert_eq(asz_tlog_inclusion_check(root, 13, index, d[(index + 1) % 13], p, count), ASZ_EAUTH);
    for (uint64_t other = 0; other < 13; other++)
      cr_assert(other == index || asz_tlog_inclusion_check(root, 13, other, d[index], p, count) == ASZ_EAUTH);
  }
}

Test(merkle, consistency_check_rejects_every_flipped_bit_and_every_other_shape)
{
  const uint8_t(*d)[32] = leaves(21);
  uint8_t root[22][32], path[ASZ_TLOG_PROOF_MAX + 1][32];
  const uint8_t(*p)[32] = (const uint8_t(*)[32])path;
  for (uint64_t n = 0; n <= 21; n++)
    asz_tlog_tree_hash(root[n], d, n);
  for (uint64_t old = 1; old < 21; old++) {
    size_t count = asz_tlog_consistency_make(path, d, old, 21);
    cr_assert_eq(asz_tlog_consistency_check(root[old], old, root[21], 21, p, count), 0);
    for (size_t bit = 0; bit < count * 256; bit += 3) {
      path[bit / 256][bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
      cr_assert_eq(asz_tlog_consistency_check(root[old], old, root[21], 21, p, count), ASZ_EAUTH, "bit %zu", bit);
      path[bit / 256][bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert_eq(asz_tlog_consistency_check(root[old], old, root[21], 21, p, count - 1), ASZ_EAUTH);
    memset(path[count], 0, 32);
    cr_assert_eq(asz_tlog_consistency_check(root[old], old, root[21], 21, p, count + 1), ASZ_EAUTH);
    for (uint64_t other = 0; other <= 21; other++) /* roots and sizes of other trees */
      if (other != old) {
        cr_assert_eq(asz_tlog_consistency_check(root[other], old, root[21], 21, p, count), ASZ_EAUTH);
        cr_assert_eq(asz_tlog_consistency_check(root[other], other, root[21], 21, p, count), ASZ_EAUTH);
      }
  }
  cr_assert_eq(asz_tlog_consistency_check(root[21], 21, root[20], 20, p, 0), ASZ_EAUTH);
  cr_assert_eq(asz_tlog_consistency_check(root[20], 21, root[21], 21, p, 0), ASZ_EAUTH);
  cr_assert_eq(asz_tlog_consistency_check(root[21], 21, root[21], 21, p, 1), ASZ_EAUTH);
  cr_assert_eq(asz_tlog_consistency_check(root[0], 0, root[21], 21, p, 1), ASZ_EAUTH);
  cr_assert_eq(asz_tlog_consistency_check(root[21], 21, root[21], 21, p, 0), 0);
  cr_assert_eq(asz_tlog_consistency_check(root[0], 0, root[21], 21, p, 0), 0);
}

Test(merkle, consistency_proofs_are_those_of_the_certificate_transparency_vectors)
{
  static const struct {
    uint64_t old, size;
    const char *path[3];
  } vector[] = {{1, 1, {NULL}},
                {1,
                 8,
                 {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                  "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                  "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
                {6,
                 8,
                 {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                  "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
                {2,
                 5,
                 {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                  "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
  uint8_t d[8][32], path[ASZ_TLOG_PROOF_MAX][32], expected[32];
  for (int i = 0; i < 8; i++)
    asz_tlog_leaf_hash(d[i], ct_leaf[i].data, ct_leaf[i].size);
  for (size_t v = 0; v < sizeof vector / sizeof *vector; v++) {
    size_t count = asz_tlog_consistency_make(path, (const uint8_t(*)[32])d, vector[v].old, vector[v].size);
    for (size_t i = 0; i < count; i++) {
      cr_assert_not_null(vector[v].path[i]);
      cr_assert_eq(asz_hex_decode(expected, 32, vector[v].path[i]), 0);
      cr_assert_arr_eq(path[i], expected, 32, "vector %zu, hash %zu", v, i);
    }
    cr_assert(count == 3 || vector[v].path[count] == NULL);
  }
}

Test(merkle, every_consistency_proof_of_every_tree_up_to_70_verifies)
{
  const uint8_t(*d)[32] = leaves(70);
  uint8_t root[71][32], path[ASZ_TLOG_PROOF_MAX][32];
  for (uint64_t n = 1; n <= 70; n++) {
    asz_tlog_tree_hash(root[n], d, n);
    for (uint64_t old = 1; old <= n; old++) {
      size_t count = asz_tlog_consistency_make(path, d, old, n);
      cr_assert_eq(asz_tlog_consistency_check(root[old], old, root[n], n, (const uint8_t(*)[32])path, count), 0, "%lu in %lu",
                   old, n);
    }
  }
}

Test(merkle, roots_are_those_of_the_certificate_transparency_vectors)
{
  uint8_t d[8][32], root[32], expected[32];
  for (int i = 0; i < 8; i++)
    asz_tlog_leaf_hash(d[i], ct_leaf[i].data, ct_leaf[i].size);
  for (int n = 0; n <= 8; n++) {
    cr_assert_eq(asz_hex_decode(expected, 32, ct_root[n]), 0);
    asz_tlog_tree_hash(root, (const uint8_t(*)[32])d, (uint64_t)n);
    cr_assert_arr_eq(root, expected, 32, "%d leaves", n);
  }
}

Test(merkle, tree_hash_and_edge_are_the_recursive_definition_for_all_small_sizes)
{
  const uint8_t(*d)[32] = leaves(1100);
  static struct asz_edge edge;
  uint8_t root[32], by_edge[32], expected[32];
  for (uint64_t n = 1; n <= 1100; n++) {
    cr_assert_eq(asz_edge_push(&edge, d[n - 1], ignore_tile, NULL), 0);
    definition(expected, d, n);
    asz_tlog_tree_hash(root, d, n);
    asz_edge_root(&edge, by_edge);
    cr_assert_arr_eq(root, expected, 32, "%lu leaves", n);
    cr_assert_arr_eq(by_edge, expected, 32, "%lu leaves", n);
  }
}

Test(merkle, edge_is_the_definition_around_the_second_tile_level)
{
  const uint8_t(*d)[32] = leaves(LEAVES);
  static struct asz_edge edge;
  uint8_t by_edge[32], expected[32];
  for (uint64_t n = 1; n <= LEAVES; n++) {
    cr_assert_eq(asz_edge_push(&edge, d[n - 1], ignore_tile, NULL), 0);
    if ((n < 65535 || n > 65538) && n != 65536 - 256 && n != 65536 + 255 && n != 65536 + 256 && n != LEAVES)
      continue;
    definition(expected, d, n);
    asz_edge_root(&edge, by_edge);
    cr_assert_arr_eq(by_edge, expected, 32, "%lu leaves", n);
  }
}

Test(merkle, every_inclusion_path_of_every_tree_up_to_130_verifies)
{
  const uint8_t(*d)[32] = leaves(130);
  uint8_t root[32], path[ASZ_TLOG_PROOF_MAX][32];
  for (uint64_t n = 1; n <= 130; n++) {
    asz_tlog_tree_hash(root, d, n);
    for (uint64_t i = 0; i < n; i++) {
      size_t count = asz_tlog_inclusion_make(path, d, n, i);
      cr_assert_eq(asz_tlog_inclusion_check(root, n, i, d[i], (const uint8_t(*)[32])path, count), 0, "leaf %lu of %lu", i, n);
    }
  }
}

Test(merkle, inclusion_paths_of_random_large_trees_verify)
{
  const uint8_t(*d)[32] = leaves(LEAVES);
  uint8_t root[32], path[ASZ_TLOG_PROOF_MAX][32];
  uint64_t seed = 20261123, state = seed;
  for (int round = 0; round < 12; round++) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t n = 1 + (state >> 33) % LEAVES;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t i = (state >> 33) % n;
    asz_tlog_tree_hash(root, d, n);
    size_t count = asz_tlog_inclusion_make(path, d, n, i);
    cr_assert_eq(asz_tlog_inclusion_check(root, n, i, d[i], (const uint8_t(*)[32])path, count), 0,
                 "seed %lu round %d: leaf %lu of %lu", seed, round, i, n);
    cr_assert(n == 1 || asz_tlog_inclusion_check(root, n, (i + 1) % n, d[i], (const uint8_t(*)[32])path, count) == ASZ_EAUTH,
              "seed %lu round %d", seed, round);
  }
}
