/* SPDX-License-Identifier: Apache-2.0 */
/* Provers with a device: its arithmetic run on the host (emulated.h) beside the CPU's provers, and devices that fail. */
#include "gpu/tree.h"
#include "tests/gpu/prove/device_cases.h"
#include "tests/gpu/prove/emulated.h"

enum { TINY = ASZ_GEMM_PRESET_TINY };

static struct asz_device_case open_case(enum asz_emulated_fault fault) {
  struct asz_prove_device device;
  struct asz_diag diag;
  asz_emulated_fault = fault;
  cr_assert_eq(asz_emulated_open(&device, TINY, true, &diag), 0);
  return asz_device_case_new(TINY, &device);
}

/* Builds, folds and opens with a device that fails in one function, which must not show, and be the end of it. */
static void check_failure(enum asz_emulated_fault fault) {
  struct asz_device_case both = open_case(fault);
  char expected[32];
  snprintf(expected, sizeof expected, "function %d fails", fault);
  asz_device_case_build(&both, 1, 2);
  asz_device_case_fold(&both, 3);
  asz_device_case_open(&both);
  cr_assert_str_eq(asz_device_case_failure(&both), expected);
  cr_assert_eq(asz_emulated_open_devices, 0, "a device that failed is freed at once");
  asz_device_case_build(&both, 1, 4);
  asz_device_case_fold(&both, 5);
  asz_device_case_open(&both);
  asz_device_case_free(&both);
}

Test(prove_device, a_run_that_fails_is_done_on_the_cpu)
{ check_failure(ASZ_EMULATED_RUN); }
Test(prove_device, hashes_that_cannot_be_fetched_are_made_on_the_cpu)
{ check_failure(ASZ_EMULATED_LEAVES); }
Test(prove_device, an_arena_lost_at_its_fold_is_built_again_on_the_cpu)
{ check_failure(ASZ_EMULATED_FOLD); }
Test(prove_device, sums_that_cannot_be_fetched_are_folded_on_the_cpu)
{ check_failure(ASZ_EMULATED_SUMS); }

Test(prove_device, a_device_that_is_taken_away_before_the_openings_is_not_missed)
{
  struct asz_device_case both = open_case(ASZ_EMULATED_FINE);
  asz_device_case_build(&both, 1, 2);
  asz_device_case_fold(&both, 3);
  asz_prove_gemm_detach(asz_prove_mem_gemm(both.mem[0]));
  asz_device_case_open(&both);
  asz_device_case_free(&both);
}

Test(prove_device, the_known_answers_refuse_a_device_that_fails_or_errs)
{
  static const enum asz_emulated_fault faults[] = {ASZ_EMULATED_NO_MEMORY, ASZ_EMULATED_RUN,  ASZ_EMULATED_LEAVES,
                                                   ASZ_EMULATED_FOLD,      ASZ_EMULATED_SUMS, ASZ_EMULATED_WRONG_SUM};
  static const char *const expected[] = {"too little memory", "function 2", "function 3", "function 4", "function 5", "differs"};
  for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    struct asz_diag diag = {""};
    asz_emulated_fault = faults[i];
    cr_assert_eq(asz_prove_device_check(asz_emulated_open, &diag), ASZ_ENOTSUP);
    cr_assert_not_null(strstr(diag.text, expected[i]), "'%s'", diag.text);
    cr_assert_eq(asz_emulated_open_devices, 0);
  }
}

Test(prove_device, a_device_that_gives_the_known_answers_serves)
{
  struct asz_diag diag = {""};
  cr_assert_eq(asz_prove_device_check(asz_emulated_open, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_emulated_open_devices, 0);
}

Test(prove_device, answers_of_preset_tiny_are_the_cpus_run_after_run)
{
  struct asz_device_case both = open_case(ASZ_EMULATED_FINE);
  for (uint8_t seed = 1; seed <= 2; seed++) {
    asz_device_case_build(&both, seed, seed);
    asz_device_case_fold(&both, 7);
    asz_device_case_fold(&both, 8); /* the first one's sums are never asked for */
    asz_device_case_open(&both);
  }
  cr_assert_str_empty(asz_device_case_failure(&both));
  cr_assert_eq(asz_emulated_open_devices, 1, "the device must have done it");
  asz_device_case_free(&both);
  cr_assert_eq(asz_emulated_open_devices, 0);
}

/* `columns` columns from `first` on of an n x k product, by tiles and by the plain loop. */
static void check_product(uint32_t n, uint32_t k, uint32_t first, uint32_t columns) {
  static const uint8_t a_key[32] = {1}, b_key[32] = {2};
  int8_t *a = malloc((size_t)n * k), *b = malloc((size_t)columns * k);
  int32_t *expected = malloc((size_t)4 * n * columns);
  const struct asz_tile_c made = {malloc((size_t)4 * n * columns), malloc((size_t)2 * n * columns), n, columns};
  asz_gemm_plain.matrix(a, a_key, 0, (size_t)n * k / 64);
  asz_gemm_plain.matrix(b, b_key, (uint64_t)first * (k / 64), (size_t)columns * k / 64);
  asz_gemm_plain.multiply(expected, a, b, n, k, columns); /* plain packs nothing */
  uint8_t *a_tiles = asz_emulated_a(a_key, n, k);
  uint8_t *b_tiles = asz_emulated_b(b_key, first, columns, k);
  asz_emulated_product(&made, a_tiles, b_tiles, k);
  cr_assert_arr_eq(made.c, expected, (size_t)4 * n * columns, "%u x %u, columns %u..%u", n, k, first, first + columns - 1);
  for (size_t i = 0; i < (size_t)n * columns; i++)
    cr_assert_eq(made.arena[i], (uint16_t)expected[i]);
  free(a);
  free(b);
  free(expected);
  free(made.c);
  free(made.arena);
  free(a_tiles);
  free(b_tiles);
}

Test(prove_device, products_of_odd_shapes_are_the_plain_loops)
{
  static const uint32_t shapes[][4] = {{64, 256, 0, 64}, {192, 64, 5, 8}, {320, 128, 1000, 264}, {128, 512, 4096, 256}};
  for (unsigned i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    check_product(shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
}

Test(prove_device, columns_of_preset_cpu_are_the_plain_loops)
{
  const struct asz_gemm_shape shape = asz_gemm_shape_of(ASZ_GEMM_PRESET_CPU);
  check_product(shape.n, shape.k, shape.m - 8, 8);
}

Test(prove_device, four_bytes_at_once_stand_for_the_entries_of_each)
{
  for (uint32_t byte = 0; byte < 256; byte++)
    for (uint32_t other = 0; other < 256; other += byte % 16 == 15 ? 1 : 15) { /* neighbours must not carry into each other */
      uint32_t word = byte | other << 8 | byte << 16 | other << 24, made = asz_chacha20_int8x4(word);
      for (unsigned i = 0; i < 4; i++)
        cr_assert_eq((int8_t)(made >> 8 * i), asz_chacha20_int8(word >> 8 * i & 0xff), "%08x", word);
    }
}

Test(prove_device, a_leaf_of_full_columns_is_libsodiums)
{
  enum { N = 1024 };
  static int32_t column[N];
  uint8_t head[ASZ_TREE_HEAD_BYTES], expected[32];
  uint64_t made[4];
  for (int i = 0; i < N; i++)
    column[i] = i * 977 - 500000;
  asz_tree_head(head, ASZ_TREE_COLUMN, 255, 8191, N);
  asz_tree_host_leaf(expected, head, (const uint8_t *)column, sizeof column);
  asz_tile_leaf(made, column, N, 255, 8191);
  cr_assert_arr_eq(made, expected, 32);
}
