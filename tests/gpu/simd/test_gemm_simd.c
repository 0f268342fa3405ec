/* SPDX-License-Identifier: Apache-2.0 */
/* Every backend of gemm and mem that runs here against the plain one: whole sizes, odd counts, and the largest values that can
 * occur. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/gemm.h"
#include "tests/random.h"

static void *memory_of(size_t bytes) {
  void *memory = aligned_alloc(ASZ_GEMM_ALIGN_BYTES, (bytes + 63) / 64 * 64);
  cr_assert_not_null(memory);
  memset(memory, 0, bytes);
  return memory;
}

#define EACH_OTHER_BACKEND(backend)                                                                                              \
  const struct asz_gemm_backend *backend;                                                                                        \
  for (unsigned backend_index = 0; (backend = asz_gemm_backend_at(backend_index)) != NULL; backend_index++)                      \
    if (backend != &asz_gemm_plain)

Test(gemm_simd, an_unknown_backend_is_none_and_plain_is_always_there)
{
  cr_assert_null(asz_gemm_backend_named("altivec"));
  cr_assert_eq(asz_gemm_backend_named("plain"), &asz_gemm_plain);
}

Test(gemm_simd, keystream_agrees_at_every_count_and_beyond_32_bits_of_the_counter)
{
  struct asz_test_random random = asz_test_random_start(1);
  const uint64_t firsts[] = {0, 5, UINT32_MAX - 3, UINT64_C(0xfffffffff8)};
  int8_t expected[40 * 64], actual[40 * 64];
  uint8_t key[32];
  asz_test_random_bytes(&random, key, sizeof key);
  EACH_OTHER_BACKEND(backend) {
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++)
      for (size_t blocks = 0; blocks <= 40; blocks++) {
        memset(actual, 99, sizeof actual);
        memset(expected, 99, sizeof expected); /* nothing past the last block is written either */
        asz_gemm_plain.matrix(expected, key, firsts[i], blocks);
        backend->matrix(actual, key, firsts[i], blocks);
        cr_assert_arr_eq(actual, expected, sizeof actual, "%s: %zu blocks from %lu", backend->name, blocks, firsts[i]);
      }
  }
}

/* One column in each k of the presets: u random, then all at an edge. */
static void check_dot(const struct asz_gemm_backend *backend, struct asz_test_random *random, uint32_t k, int edge) {
  uint32_t *u = memory_of((size_t)4 * k);
  void *packed = memory_of(asz_gemm_u_packed_bytes(k)), *expected_packed = memory_of(asz_gemm_u_packed_bytes(k));
  const uint32_t edges[] = {0, ASZ_GEMM_PRIME - 1, ASZ_GEMM_PRIME / 2, ASZ_GEMM_PRIME / 2 + 1, 0x00ff80ff, 0x7fff8000};
  uint8_t key[32];
  asz_test_random_bytes(random, key, sizeof key);
  for (uint32_t i = 0; i < k; i++)
    u[i] = edge < 0 ? asz_gemm_residue(asz_test_random_next(random) >> 2) : edges[edge];
  backend->u_pack(packed, u, k);
  asz_gemm_plain.u_pack(expected_packed, u, k);
  for (uint32_t j = 0; j < 3; j++)
    cr_assert_eq(backend->u_dot_b(packed, k, key, j * 4095), asz_gemm_plain.u_dot_b(expected_packed, k, key, j * 4095),
                 "%s, k %u, edge %d, seed %lu", backend->name, k, edge, random->seed);
  free(u);
  free(packed);
  free(expected_packed);
}

Test(gemm_simd, dot_products_agree_at_all_sizes_and_edges)
{
  struct asz_test_random random = asz_test_random_start(2);
  EACH_OTHER_BACKEND(backend) {
    for (uint32_t k = 256; k <= 65536; k *= 2)
      for (int edge = -1; edge < 6; edge++)
        check_dot(backend, &random, k, edge);
  }
}

Test(gemm_simd, u_agrees_for_short_and_long_rows_and_the_largest_s)
{
  struct asz_test_random random = asz_test_random_start(3);
  const struct asz_gemm_shape shapes[] = {{.n = 64, .k = 256}, {.n = 64, .k = 512}, {.n = 1024, .k = 1024}, {.n = 64, .k = 8192}};
  EACH_OTHER_BACKEND(backend) {
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
      for (int largest = 0; largest < 2; largest++) {
        uint32_t *s = memory_of((size_t)4 * shapes[i].n), *expected = memory_of((size_t)4 * shapes[i].k);
        uint32_t *actual = memory_of((size_t)4 * shapes[i].k);
        uint8_t key[32];
        asz_test_random_bytes(&random, key, sizeof key);
        for (uint32_t row = 0; row < shapes[i].n; row++)
          s[row] = largest ? ASZ_GEMM_PRIME - 1 : asz_gemm_residue(asz_test_random_next(&random) >> 2);
        asz_gemm_plain.u_make(expected, &shapes[i], key, s);
        backend->u_make(actual, &shapes[i], key, s);
        cr_assert_arr_eq(actual, expected, (size_t)4 * shapes[i].k, "%s, shape %zu, seed %lu", backend->name, i, random.seed);
        free(s);
        free(expected);
        free(actual);
      }
  }
}

/* fill: 0 random, 1 the largest sums, 2 the smallest. */
static void check_product(const struct asz_gemm_backend *backend, struct asz_test_random *random, uint32_t n, uint32_t k,
                          uint32_t columns, int fill) {
  int8_t *row = memory_of(k), *b = memory_of((size_t)columns * k);
  void *packed = memory_of((size_t)n * k), *expected_packed = memory_of((size_t)n * k);
  int32_t *actual = memory_of((size_t)4 * n * columns), *expected = memory_of((size_t)4 * n * columns);
  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t x = 0; x < k; x++)
      row[x] = (int8_t)(fill == 0 ? (int)(asz_test_random_next(random) % 255) - 127 : fill == 1 ? -127 : 127);
    backend->a_pack(packed, row, i, n, k);
    asz_gemm_plain.a_pack(expected_packed, row, i, n, k);
  }
  for (size_t i = 0; i < (size_t)columns * k; i++)
    b[i] = (int8_t)(fill == 0 ? (int)(asz_test_random_next(random) % 255) - 127 : -127);
  backend->multiply(actual, packed, b, n, k, columns);
  asz_gemm_plain.multiply(expected, expected_packed, b, n, k, columns);
  cr_assert_arr_eq(actual, expected, (size_t)4 * n * columns, "%s, %u x %u x %u, fill %d, seed %lu", backend->name, n, k, columns,
                   fill, random->seed);
  free(row);
  free(b);
  free(packed);
  free(expected_packed);
  free(actual);
  free(expected);
}

Test(gemm_simd, products_agree_at_odd_counts_of_columns_and_the_largest_sums)
{
  struct asz_test_random random = asz_test_random_start(4);
  EACH_OTHER_BACKEND(backend) {
    for (uint32_t columns = 1; columns <= 9; columns++)
      check_product(backend, &random, 128, 512, columns, 0);
    check_product(backend, &random, 256, 4096, 5, 0);
    for (int fill = 1; fill <= 2; fill++)
      check_product(backend, &random, 64, 65536, 5, fill);
  }
}

Test(gemm_simd, folds_agree_with_each_other_and_the_header_up_to_the_largest_values)
{
  struct asz_test_random random = asz_test_random_start(5);
  EACH_OTHER_BACKEND(backend) {
    for (uint32_t n = 64; n <= 32768; n *= 2)
      for (int largest = 0; largest < 2; largest++) {
        uint64_t *weights = memory_of((size_t)16 * n), expected[6], actual[6];
        uint16_t *column = memory_of((size_t)2 * 6 * n);
        for (uint32_t i = 0; i < 2 * n; i++)
          weights[i] = largest ? (1u << 30) - 1 : asz_test_random_next(&random) >> 34;
        for (uint32_t i = 0; i < 6 * n; i++)
          column[i] = largest ? 65535 : (uint16_t)asz_test_random_next(&random);
        asz_gemm_plain.fold(expected, column, 6, weights, n);
        backend->fold(actual, column, 6, weights, n);
        cr_assert_arr_eq(actual, expected, sizeof actual, "%s, n %u, seed %lu", backend->name, n, random.seed);
        cr_assert_lt(actual[0], ASZ_MEM_PRIME);
        free(weights);
        free(column);
      }
  }
}
