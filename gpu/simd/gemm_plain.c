/* SPDX-License-Identifier: Apache-2.0 */
/* The reference: plain loops over what gpu/kinds/ defines. Nothing is packed: A is row by row, u its k words. */
#include <string.h>

#include "gpu/simd/gemm.h"

static bool is_here(void) {
  return true;
}

static void matrix(int8_t *ret_entries, const uint8_t key_bytes[32], uint64_t first, size_t blocks) {
  struct asz_chacha20_key key = asz_chacha20_key_load(key_bytes);
  for (size_t i = 0; i < blocks; i++) {
    struct asz_chacha20_block block = asz_chacha20(key, first + i);
    for (unsigned e = 0; e < 64; e++)
      ret_entries[64 * i + e] = (int8_t)asz_chacha20_int8_of(&block, e);
  }
}

static void u_make(uint32_t *ret_u, const struct asz_gemm_shape *shape, const uint8_t a_key[32], const uint32_t *s) {
  struct asz_chacha20_key key = asz_chacha20_key_load(a_key);
  for (uint32_t block = 0; block < shape->k / 64; block++)
    asz_gemm_u_block(ret_u + (size_t)64 * block, shape, key, s, block);
}

static void u_pack(void *ret_packed, const uint32_t *u, uint32_t k) {
  memcpy(ret_packed, u, (size_t)4 * k);
}

static uint32_t u_dot_b(const void *packed, uint32_t k, const uint8_t b_key[32], uint32_t j) {
  struct asz_gemm_shape shape = {.k = k};
  return asz_gemm_u_dot_b(&shape, (const uint32_t *)packed, asz_chacha20_key_load(b_key), j);
}

static void a_pack(void *ret_packed, const int8_t *row_entries, uint32_t row, uint32_t n, uint32_t k) {
  memcpy((int8_t *)ret_packed + (size_t)row * k, row_entries, k);
}

static void multiply(int32_t *ret_c, const void *a_packed, const int8_t *b, uint32_t n, uint32_t k, uint32_t columns) {
  for (uint32_t j = 0; j < columns; j++) {
    const int8_t *column = b + (size_t)j * k;
    for (uint32_t i = 0; i < n; i++) {
      const int8_t *row = (const int8_t *)a_packed + (size_t)i * k;
      int32_t sum = 0;
      for (uint32_t x = 0; x < k; x++)
        sum += row[x] * column[x];
      ret_c[(size_t)j * n + i] = sum;
    }
  }
}

static void fold(uint64_t *ret_z, const uint16_t *column, uint32_t columns, const uint64_t *weights, uint32_t n) {
  for (uint32_t j = 0; j < columns; j++, column += n) {
    uint64_t low = 0, high = 0;
    for (uint32_t i = 0; i < n; i++) {
      low += weights[i] * column[i];
      high += weights[n + i] * column[i];
    }
    ret_z[j] = asz_mem_join(low, high);
  }
}

const struct asz_gemm_backend asz_gemm_plain = {
    .name = "plain",
    .is_here = is_here,
    .matrix = matrix,
    .u_make = u_make,
    .u_pack = u_pack,
    .u_dot_b = u_dot_b,
    .a_pack = a_pack,
    .multiply = multiply,
    .fold = fold,
};
