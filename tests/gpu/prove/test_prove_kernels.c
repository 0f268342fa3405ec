/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of CUDA's provers and the order of their launches, run on the host: what a machine without a device can show of
 * gpu/prove/cuda.cu. */
#include "gpu/tree.h"
#include "tests/gpu/prove/device_cases.h"
#include "tests/gpu/prove/kernels_on_host.h"
#include "tests/random.h"

Test(prove_kernels, the_known_answers_are_given)
{
  struct asz_diag diag = {""};
  cr_assert_eq(asz_prove_device_check(asz_prove_cuda_open, &diag), 0, "%s", diag.text);
}

Test(prove_kernels, slabs_go_round_the_stages_and_tiles_are_filled_up)
{
  enum { N = 192, K = 64 * 6, FIRST = 1000, COLUMNS = 40 };
  static const uint8_t a_key[32] = {1}, b_key[32] = {2};
  static int8_t a[N * K], b[COLUMNS * K];
  static int32_t expected[COLUMNS * N], made[COLUMNS * N];
  static uint16_t arena[COLUMNS * N];
  asz_gemm_plain.matrix(a, a_key, 0, sizeof a / 64);
  asz_gemm_plain.matrix(b, b_key, FIRST * (K / 64), sizeof b / 64);
  asz_gemm_plain.multiply(expected, a, b, N, K, COLUMNS);
  asz_on_host_product(made, arena, a_key, b_key, N, K, FIRST, COLUMNS);
  cr_assert_arr_eq(made, expected, sizeof made);
  for (int i = 0; i < COLUMNS * N; i++)
    cr_assert_eq(arena[i], (uint16_t)expected[i]);
}

Test(prove_kernels, a_tree_of_several_levels_of_blocks_has_libsodiums_root)
{
  static const uint32_t counts[] = {1, 2, 64, 256, 512, 8192, 131072};
  struct asz_test_random random = asz_test_random_start(41);
  for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    uint8_t(*hash)[32] = malloc((size_t)32 * counts[i]), expected[32];
    uint64_t root[4];
    asz_test_random_bytes(&random, hash, (size_t)32 * counts[i]);
    asz_on_host_tree(root, (const uint64_t(*)[4])hash, counts[i]);
    asz_tree_host_root(expected, NULL, hash, counts[i], 0);
    cr_assert_arr_eq(root, expected, 32, "%u hashes", counts[i]);
    free(hash);
  }
}

Test(prove_kernels, folds_of_columns_shorter_and_longer_than_a_warp_are_the_plain_loops)
{
  static const uint32_t rows[] = {64, 256, 1024};
  static const uint8_t fold_seed[32] = {3};
  static uint16_t arena[2 * 64 * 1024];
  static uint64_t weights[2 * 1024], expected[2 * 64], made[2 * 64];
  for (size_t i = 0; i < sizeof arena / sizeof arena[0]; i++)
    arena[i] = (uint16_t)(0xffff - i * 977 % 1000);
  for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct asz_gemm_shape shape = {.n = rows[i]};
    asz_mem_host_weights(weights, &shape, fold_seed);
    asz_gemm_plain.fold(expected, arena, 2 * 64, weights, rows[i]);
    asz_on_host_fold(made, arena, fold_seed, rows[i], 2);
    cr_assert_arr_eq(made, expected, sizeof made, "%u rows", rows[i]);
  }
}
