/* SPDX-License-Identifier: Apache-2.0 */
/* AVX2, as gemm_avx512.c with half the width and without VNNI.
 *
 * vpmaddubsw saturates, so the product takes |a| and b with a's sign: two products are at most 2 127 127 < 2^15. u is a signed
 * number of 31 bits here, cut into two signed halves of 16 bits for vpmaddwd, whose 32-bit sums are emptied before they can
 * overflow. */
#include <immintrin.h>
#include <string.h>

#include "gpu/simd/gemm.h"

enum {
  LANES = 8,    /* blocks side by side */
  ROWS = 16,    /* of a panel: two registers */
  TILE = 4,     /* columns of a tile */
  FOLD = 2,     /* columns folded together */
  AHEAD = 4,    /* times FOLD columns: what is asked of memory meanwhile */
  K_PART = 256, /* entries of a column in one pass of a tile */
  CHUNK = 64 * LANES
};

static bool is_here(void) {
  return __builtin_cpu_supports("avx2");
}

static inline __attribute__((always_inline)) __m256i rotate(__m256i x, int bits) {
  const __m256i by16 =
      _mm256_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2, 13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2);
  const __m256i by8 =
      _mm256_set_epi8(14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3, 14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3);
  if (bits == 16)
    return _mm256_shuffle_epi8(x, by16);
  if (bits == 8)
    return _mm256_shuffle_epi8(x, by8);
  return _mm256_or_si256(_mm256_slli_epi32(x, bits), _mm256_srli_epi32(x, 32 - bits));
}

#define QUARTER(a, b, c, d)                                                                                                      \
  a = _mm256_add_epi32(a, b);                                                                                                    \
  d = rotate(_mm256_xor_si256(d, a), 16);                                                                                        \
  c = _mm256_add_epi32(c, d);                                                                                                    \
  b = rotate(_mm256_xor_si256(b, c), 12);                                                                                        \
  a = _mm256_add_epi32(a, b);                                                                                                    \
  d = rotate(_mm256_xor_si256(d, a), 8);                                                                                         \
  c = _mm256_add_epi32(c, d);                                                                                                    \
  b = rotate(_mm256_xor_si256(b, c), 7)

/* The entries of blocks first..first+7: lane l of x[w] has those of word w of block first + l. */
static inline __attribute__((always_inline)) void entries_make(__m256i x[16], const struct asz_chacha20_key *key,
                                                               uint64_t first) {
  uint32_t low[LANES], high[LANES];
  for (uint32_t l = 0; l < LANES; l++) {
    low[l] = (uint32_t)(first + l);
    high[l] = (uint32_t)((first + l) >> 32);
  }
  const uint32_t constant[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (int i = 0; i < 4; i++)
    x[i] = _mm256_set1_epi32((int)constant[i]);
  for (int i = 0; i < 8; i++)
    x[4 + i] = _mm256_set1_epi32((int)key->word[i]);
  x[12] = _mm256_loadu_si256((const __m256i *)low);
  x[13] = _mm256_loadu_si256((const __m256i *)high);
  x[14] = x[15] = _mm256_setzero_si256();
  for (int i = 0; i < 10; i++) {
    QUARTER(x[0], x[4], x[8], x[12]);
    QUARTER(x[1], x[5], x[9], x[13]);
    QUARTER(x[2], x[6], x[10], x[14]);
    QUARTER(x[3], x[7], x[11], x[15]);
    QUARTER(x[0], x[5], x[10], x[15]);
    QUARTER(x[1], x[6], x[11], x[12]);
    QUARTER(x[2], x[7], x[8], x[13]);
    QUARTER(x[3], x[4], x[9], x[14]);
  }
  for (int i = 0; i < 4; i++)
    x[i] = _mm256_add_epi32(x[i], _mm256_set1_epi32((int)constant[i]));
  for (int i = 0; i < 8; i++)
    x[4 + i] = _mm256_add_epi32(x[4 + i], _mm256_set1_epi32((int)key->word[i]));
  x[12] = _mm256_add_epi32(x[12], _mm256_loadu_si256((const __m256i *)low));
  x[13] = _mm256_add_epi32(x[13], _mm256_loadu_si256((const __m256i *)high));
  for (int i = 0; i < 16; i++) /* b - 127, and 255 - 127 = -128 becomes -127 */
    x[i] = _mm256_max_epi8(_mm256_sub_epi8(x[i], _mm256_set1_epi8(127)), _mm256_set1_epi8(-127));
}

/* Eight registers, words w.. of eight blocks, to 32 bytes of each block. */
static inline __attribute__((always_inline)) void transpose(__m256i x[8]) {
  __m256i y[8], z[8];
  for (int i = 0; i < 8; i += 2) {
    y[i] = _mm256_unpacklo_epi32(x[i], x[i + 1]);
    y[i + 1] = _mm256_unpackhi_epi32(x[i], x[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    z[i] = _mm256_unpacklo_epi64(y[i], y[i + 2]);
    z[i + 1] = _mm256_unpackhi_epi64(y[i], y[i + 2]);
    z[i + 2] = _mm256_unpacklo_epi64(y[i + 1], y[i + 3]);
    z[i + 3] = _mm256_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    x[i] = _mm256_permute2x128_si256(z[i], z[4 + i], 0x20);
    x[4 + i] = _mm256_permute2x128_si256(z[i], z[4 + i], 0x31);
  }
}

static void matrix(int8_t *ret_entries, const uint8_t key_bytes[32], uint64_t first, size_t blocks) {
  struct asz_chacha20_key key = asz_chacha20_key_load(key_bytes);
  for (size_t done = 0; done < blocks; done += LANES) {
    size_t now = blocks - done < LANES ? blocks - done : LANES;
    __m256i x[16];
    entries_make(x, &key, first + done);
    transpose(x);
    transpose(x + 8);
    for (size_t i = 0; i < now; i++) {
      _mm256_storeu_si256((__m256i *)(ret_entries + 64 * (done + i)), x[i]);
      _mm256_storeu_si256((__m256i *)(ret_entries + 64 * (done + i) + 32), x[8 + i]);
    }
  }
}

/* s times the entries of a row, 512 k's at a time: s in two parts, 15 bits and 16, whose sums fit 32 bits for 256 rows. */
static void u_make(uint32_t *ret_u, const struct asz_gemm_shape *shape, const uint8_t a_key[32], const uint32_t *s) {
  int8_t entries[CHUNK];
  uint32_t blocks = shape->k / 64;
  if (blocks < LANES) { /* only preset tiny has rows that short */
    asz_gemm_plain.u_make(ret_u, shape, a_key, s);
    return;
  }
  for (uint32_t first = 0; first < blocks; first += LANES) {
    int32_t low[CHUNK] = {0}, high[CHUNK] = {0};
    int64_t sum[CHUNK] = {0};
    for (uint32_t row = 0; row < shape->n; row++) {
      matrix(entries, a_key, (uint64_t)row * blocks + first, LANES);
      const __m256i s_low = _mm256_set1_epi32((int)(s[row] & 0x7fff)), s_high = _mm256_set1_epi32((int)(s[row] >> 15));
      for (int i = 0; i < CHUNK; i += 8) {
        __m256i e = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(entries + i)));
        __m256i *l = (__m256i *)(low + i), *h = (__m256i *)(high + i);
        _mm256_storeu_si256(l, _mm256_add_epi32(_mm256_loadu_si256(l), _mm256_mullo_epi32(e, s_low)));
        _mm256_storeu_si256(h, _mm256_add_epi32(_mm256_loadu_si256(h), _mm256_mullo_epi32(e, s_high)));
      }
      if (row % 256 == 255 || row + 1 == shape->n) /* 256 * 2^16 * 127 < 2^31 */
        for (int i = 0; i < CHUNK; i++) {
          sum[i] += low[i] + (int64_t)high[i] * 0x8000;
          low[i] = high[i] = 0;
        }
    }
    for (int i = 0; i < CHUNK; i++)
      ret_u[(size_t)64 * first + (size_t)i] = asz_gemm_residue_signed(sum[i]);
  }
}

/* Per 512 k's and word w: the low halves of u, then the high ones. u as a signed number v of 31 bits is 2^16 high + low, both
 * signed 16 bits. Two k's share a 32-bit lane: of a word's four, 0 and 2 (its even bytes) in one register, 1 and 3 in the next.
 */
static void u_pack(void *ret_packed, const uint32_t *u, uint32_t k) {
  int16_t *packed = ret_packed;
  memset(packed, 0, asz_gemm_u_packed_bytes(k));
  for (uint32_t i = 0; i < k; i++) {
    uint32_t chunk = i / CHUNK, lane = i / 64 % LANES, w = i / 4 % 16, byte = i % 4;
    int32_t v = u[i] > ASZ_GEMM_PRIME / 2 ? (int32_t)(u[i] - ASZ_GEMM_PRIME) : (int32_t)u[i];
    int16_t low = (int16_t)(v & 0xffff);
    int16_t *at = packed + (size_t)chunk * 1024 + 64 * w + 16 * (byte % 2) + 2 * lane + byte / 2;
    at[0] = low;
    at[32] = (int16_t)((v - low) >> 16);
  }
}

static int64_t sum_of_lanes(__m256i x) {
  int32_t lane[8];
  int64_t sum = 0;
  _mm256_storeu_si256((__m256i *)lane, x);
  for (int i = 0; i < 8; i++)
    sum += lane[i];
  return sum;
}

static uint32_t u_dot_b(const void *packed, uint32_t k, const uint8_t b_key[32], uint32_t j) {
  struct asz_chacha20_key key = asz_chacha20_key_load(b_key);
  const __m256i *u = packed;
  uint32_t blocks = k / 64;
  int64_t low_total = 0, high_total = 0;
  for (uint32_t first = 0; first < blocks; first += LANES, u += 64) {
    __m256i x[16], low = _mm256_setzero_si256(), high = low;
    entries_make(x, &key, (uint64_t)j * blocks + first); /* past the column's end u is 0 */
    for (int w = 0; w < 16; w++) {                       /* 32 additions of at most 2^15 127 2 in a lane */
      __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(x[w], 8), 8), odd = _mm256_srai_epi16(x[w], 8);
      const __m256i *at = u + 4 * w;
      low = _mm256_add_epi32(low, _mm256_add_epi32(_mm256_madd_epi16(even, at[0]), _mm256_madd_epi16(odd, at[1])));
      high = _mm256_add_epi32(high, _mm256_add_epi32(_mm256_madd_epi16(even, at[2]), _mm256_madd_epi16(odd, at[3])));
    }
    low_total += sum_of_lanes(low);
    high_total += sum_of_lanes(high);
  }
  return asz_gemm_residue_signed(low_total + high_total * 0x10000);
}

/* Panel of row r: at r / 16 * 16 k; in it 64 bytes for four k's: row by row, four entries each. */
static void a_pack(void *ret_packed, const int8_t *row_entries, uint32_t row, uint32_t n, uint32_t k) {
  int8_t *panel = (int8_t *)ret_packed + (size_t)(row / ROWS) * ROWS * k + row % ROWS * 4;
  for (uint32_t i = 0; i < k; i += 4)
    memcpy(panel + (size_t)i * ROWS, row_entries + i, 4);
}

static inline __attribute__((always_inline)) void tile(int32_t *c, const int8_t *panel, const int8_t *b, uint32_t n, uint32_t k,
                                                       uint32_t part, int columns) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sum[TILE][2];
  for (int j = 0; j < columns; j++)
    for (int r = 0; r < 2; r++)
      sum[j][r] = _mm256_loadu_si256((const __m256i *)(c + (size_t)j * n + 8 * r));
  for (uint32_t i = 0; i < part; i += 4) {
    __m256i a[2], size[2];
    for (int r = 0; r < 2; r++) {
      a[r] = _mm256_loadu_si256((const __m256i *)(panel + (size_t)i * ROWS + 32 * r));
      size[r] = _mm256_abs_epi8(a[r]);
    }
    for (int j = 0; j < columns; j++) {
      int four;
      memcpy(&four, b + (size_t)j * k + i, 4);
      __m256i entries = _mm256_set1_epi32(four);
      for (int r = 0; r < 2; r++)
        sum[j][r] =
            _mm256_add_epi32(sum[j][r], _mm256_madd_epi16(_mm256_maddubs_epi16(size[r], _mm256_sign_epi8(entries, a[r])), ones));
    }
  }
  for (int j = 0; j < columns; j++)
    for (int r = 0; r < 2; r++)
      _mm256_storeu_si256((__m256i *)(c + (size_t)j * n + 8 * r), sum[j][r]);
}

static void multiply(int32_t *ret_c, const void *a_packed, const int8_t *b, uint32_t n, uint32_t k, uint32_t columns) {
  memset(ret_c, 0, (size_t)4 * n * columns);
  for (uint32_t at = 0; at < k; at += K_PART)
    for (uint32_t row = 0; row < n; row += ROWS) {
      const int8_t *panel = (const int8_t *)a_packed + (size_t)row * k + (size_t)at * ROWS;
      uint32_t j = 0;
      for (; j + TILE <= columns; j += TILE)
        tile(ret_c + (size_t)j * n + row, panel, b + (size_t)j * k + at, n, k, K_PART, TILE);
      for (; j < columns; j++)
        tile(ret_c + (size_t)j * n + row, panel, b + (size_t)j * k + at, n, k, K_PART, 1);
    }
}

static uint64_t sum_of_quads(__m256i x) {
  uint64_t lane[4];
  _mm256_storeu_si256((__m256i *)lane, x);
  return lane[0] + lane[1] + lane[2] + lane[3];
}

/* `together` columns at once, a constant where it is inlined: a weight is loaded once for all of them. Memory is asked for in the
 * order of addresses, from 4 KiB ahead for 256 rows: the columns side by side would look to it like as many streams. */
static inline __attribute__((always_inline)) void fold_columns(uint64_t *ret_z, const uint16_t *column, const uint64_t *weights,
                                                               uint32_t n, int together) {
  __m256i low[FOLD], high[FOLD];
  for (int j = 0; j < together; j++)
    low[j] = high[j] = _mm256_setzero_si256();
  for (uint32_t i = 0; i < n; i += 4) {
    _mm_prefetch((const char *)(column + (size_t)AHEAD * together * n + (size_t)together * i), _MM_HINT_T0);
    __m256i w_low = _mm256_loadu_si256((const __m256i *)(weights + i));
    __m256i w_high = _mm256_loadu_si256((const __m256i *)(weights + n + i));
    for (int j = 0; j < together; j++) {
      __m256i x = _mm256_cvtepu16_epi64(_mm_loadl_epi64((const __m128i *)(column + (size_t)j * n + i)));
      low[j] = _mm256_add_epi64(low[j], _mm256_mul_epu32(x, w_low));
      high[j] = _mm256_add_epi64(high[j], _mm256_mul_epu32(x, w_high));
    }
  }
  for (int j = 0; j < together; j++)
    ret_z[j] = asz_mem_join(sum_of_quads(low[j]), sum_of_quads(high[j]));
}

static void fold(uint64_t *ret_z, const uint16_t *column, uint32_t columns, const uint64_t *weights, uint32_t n) {
  uint32_t j = 0;
  for (; j + FOLD <= columns; j += FOLD)
    fold_columns(ret_z + j, column + (size_t)j * n, weights, n, FOLD);
  for (; j < columns; j++)
    fold_columns(ret_z + j, column + (size_t)j * n, weights, n, 1);
}

const struct asz_gemm_backend asz_gemm_avx2 = {
    .name = "avx2",
    .is_here = is_here,
    .matrix = matrix,
    .u_make = u_make,
    .u_pack = u_pack,
    .u_dot_b = u_dot_b,
    .a_pack = a_pack,
    .multiply = multiply,
    .fold = fold,
};
