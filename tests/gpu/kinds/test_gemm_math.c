/* SPDX-License-Identifier: Apache-2.0 */
/* The hashes and streams that gemm and mem are made of, as devices compute them, against libsodium and RFC 8439. */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/identity.h"
#include "gpu/gemm.h"
#include "gpu/tree.h"
#include "tests/random.h"

Test(tree, a_flipped_sibling_or_another_index_leads_elsewhere)
{
  struct asz_test_random random = asz_test_random_start(1);
  uint8_t leaf[8][32], hash[8][32], root[32], path[3 * 32], climbed[32];
  asz_test_random_bytes(&random, leaf, sizeof leaf);
  for (uint32_t index = 0; index < 8; index++) {
    memcpy(hash, leaf, sizeof hash);
    asz_tree_host_root(root, path, hash, 8, index);
    for (uint32_t other = 0; other < 8; other++) {
      memcpy(climbed, leaf[index], 32);
      asz_tree_climb(climbed, other, path, 3);
      cr_assert_eq(asz_tree_equal(climbed, root, 32), other == index, "leaf %u as %u, seed %lu", index, other, random.seed);
    }
    path[asz_test_random_next(&random) % sizeof path] ^= 1;
    memcpy(climbed, leaf[index], 32);
    asz_tree_climb(climbed, index, path, 3);
    cr_assert(!asz_tree_equal(climbed, root, 32));
  }
}

Test(tree, both_ways_of_climbing_meet)
{
  struct asz_test_random random = asz_test_random_start(2);
  uint8_t path[20 * 32], here[32], there[32];
  asz_test_random_bytes(&random, path, sizeof path);
  for (uint32_t levels = 0; levels <= 20; levels++) {
    uint32_t index = (uint32_t)asz_test_random_next(&random) & ((1u << levels) - 1);
    asz_test_random_bytes(&random, here, 32);
    memcpy(there, here, 32);
    asz_tree_climb(here, index, path, levels);
    asz_tree_host_climb(there, index, path, levels);
    cr_assert_arr_eq(here, there, 32, "%u levels, seed %lu", levels, random.seed);
  }
}

Test(tree, the_hash_is_libsodiums_at_every_length_with_and_without_a_key)
{
  struct asz_test_random random = asz_test_random_start(3);
  uint8_t message[520], key[64], here[32], there[32];
  asz_test_random_bytes(&random, message, sizeof message);
  asz_test_random_bytes(&random, key, sizeof key);
  for (size_t length = 0; length <= sizeof message; length++) {
    uint32_t key_bytes = length % 3 == 0 ? 0 : (uint32_t)(16 + length % 49);
    size_t first = length / 3;
    struct asz_blake2b hash;
    asz_blake2b_start(&hash, key, key_bytes);
    asz_blake2b_add(&hash, message, first);
    asz_blake2b_add(&hash, message + first, length - first);
    asz_blake2b_end(&hash, here);
    crypto_generichash(there, 32, message, length, key_bytes == 0 ? NULL : key, key_bytes);
    cr_assert_arr_eq(here, there, 32, "length %zu, key %u, seed %lu", length, key_bytes, random.seed);
  }
}

Test(tree, leaves_are_libsodiums)
{
  uint8_t head[ASZ_TREE_HEAD_BYTES], column[256], here[32], there[32];
  memset(column, 7, sizeof column);
  asz_tree_head(head, ASZ_TREE_COLUMN, 1, 2, 64);
  asz_tree_leaf(here, head, column, sizeof column);
  asz_tree_host_leaf(there, head, column, sizeof column);
  cr_assert_arr_eq(here, there, 32);
}

Test(chacha20, blocks_are_those_of_rfc_8439)
{
  struct asz_chacha20_key key = {{0}};
  for (unsigned b = 0; b < 2; b++) {
    struct asz_chacha20_block block = asz_chacha20(key, b);
    uint8_t expected[64];
    cr_assert_eq(asz_hex_decode(expected, 64, asz_chacha20_known_block[b]), ASZ_OK);
    cr_assert_arr_eq(block.word, expected, 64, "block %u", b);
  }
}

Test(chacha20, blocks_are_libsodiums_beyond_32_bits_of_the_counter)
{
  struct asz_test_random random = asz_test_random_start(4);
  const uint64_t counters[] = {0, 1, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_C(0x123456789abcdef0)};
  for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
    uint8_t key[32], nonce[8] = {0}, expected[64] = {0};
    asz_test_random_bytes(&random, key, sizeof key);
    crypto_stream_chacha20_xor_ic(expected, expected, 64, nonce, counters[i], key);
    struct asz_chacha20_block block = asz_chacha20(asz_chacha20_key_load(key), counters[i]);
    cr_assert_arr_eq(block.word, expected, 64, "counter %lu, seed %lu", counters[i], random.seed);
  }
}

Test(chacha20, every_byte_maps_into_127_and_255_to_the_lowest)
{
  for (uint32_t byte = 0; byte < 255; byte++)
    cr_assert_eq(asz_chacha20_int8(byte), (int)byte - 127);
  cr_assert_eq(asz_chacha20_int8(255), -127);
}

Test(gemm_arithmetic, residues_are_canonical_at_the_edges)
{
  const uint64_t p = ASZ_GEMM_PRIME;
  const uint64_t edges[] = {0, 1, p - 1, p, p + 1, 2 * p, p * p, (UINT64_C(1) << 62) - 1};
  for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
    cr_assert_eq(asz_gemm_residue(edges[i]), edges[i] % p);
    cr_assert_eq(asz_gemm_residue_signed(-(int64_t)edges[i]), (p - edges[i] % p) % p);
  }
}

Test(gemm_arithmetic, folds_are_canonical_at_the_edges)
{
  const uint64_t p = ASZ_MEM_PRIME;
  const uint64_t edges[] = {0, 1, (UINT64_C(1) << 30) - 1, UINT64_C(1) << 31, p - 1, p};
  for (size_t i = 0; i < 6; i++)
    for (size_t j = 0; j < 6; j++) {
      unsigned __int128 sum = edges[i] + ((unsigned __int128)edges[j] << 30);
      cr_assert_eq(asz_mem_join(edges[i], edges[j]), (uint64_t)(sum % p), "%lu %lu", edges[i], edges[j]);
    }
}
