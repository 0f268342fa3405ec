/* SPDX-License-Identifier: Apache-2.0 */
/* AVX-512 with VNNI and IFMA.
 *
 * Keystream: 16 blocks side by side, register w holding word w of all of them. That is not the order of bytes in memory, and the
 * dot product does not care: u is laid out as the registers come (u_pack), so a verifier never transposes. vpdpbusd multiplies
 * unsigned by signed bytes, four at a time into 32 bits: u is cut into its four unsigned bytes, and each sum stays under 2^16 255
 * 127 < 2^31.
 *
 * Product: A, as unsigned bytes A + 128, in panels of 64 rows, four k's of a row in one lane; a tile is 64 rows by 4 columns, 16
 * sums in registers. 128 times the column's sum is taken off again. 256 k's at a time: the panel's part and 64 columns' are then
 * in the first-level cache.
 *
 * Fold: vpmadd52luq adds the product of a 16-bit entry and 30 bits of weight at once, eight entries at a time. */
#include <immintrin.h>
#include <string.h>

#include "gpu/simd/gemm.h"

enum {
  LANES = 16,  /* blocks side by side */
  ROWS = 64,   /* of a panel */
  TILE = 4,    /* columns of a tile */
  FOLD = 2,    /* columns folded together */
  AHEAD = 4,   /* times FOLD columns: what is asked of memory meanwhile */
  K_PART = 256 /* entries of a column in one pass of a tile */
};

static bool is_here(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512ifma");
}

#define QUARTER(a, b, c, d)                                                                                                      \
  a = _mm512_add_epi32(a, b);                                                                                                    \
  d = _mm512_rol_epi32(_mm512_xor_si512(d, a), 16);                                                                              \
  c = _mm512_add_epi32(c, d);                                                                                                    \
  b = _mm512_rol_epi32(_mm512_xor_si512(b, c), 12);                                                                              \
  a = _mm512_add_epi32(a, b);                                                                                                    \
  d = _mm512_rol_epi32(_mm512_xor_si512(d, a), 8);                                                                               \
  c = _mm512_add_epi32(c, d);                                                                                                    \
  b = _mm512_rol_epi32(_mm512_xor_si512(b, c), 7)

/* The entries (signed bytes) of blocks first..first+15: lane l of x[w] has those of word w of block first + l. */
static inline __attribute__((always_inline)) void entries_make(__m512i x[16], const struct asz_chacha20_key *key,
                                                               uint64_t first) {
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  __m512i counter_low = _mm512_add_epi32(_mm512_set1_epi32((int)(uint32_t)first), lane);
  __mmask16 carry = _mm512_cmplt_epu32_mask(counter_low, lane);
  __m512i counter_high = _mm512_set1_epi32((int)(uint32_t)(first >> 32));
  counter_high = _mm512_mask_add_epi32(counter_high, carry, counter_high, _mm512_set1_epi32(1));
  const uint32_t constant[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (int i = 0; i < 4; i++)
    x[i] = _mm512_set1_epi32((int)constant[i]);
  for (int i = 0; i < 8; i++)
    x[4 + i] = _mm512_set1_epi32((int)key->word[i]);
  x[12] = counter_low;
  x[13] = counter_high;
  x[14] = x[15] = _mm512_setzero_si512();
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
    x[i] = _mm512_add_epi32(x[i], _mm512_set1_epi32((int)constant[i]));
  for (int i = 0; i < 8; i++)
    x[4 + i] = _mm512_add_epi32(x[4 + i], _mm512_set1_epi32((int)key->word[i]));
  x[12] = _mm512_add_epi32(x[12], counter_low);
  x[13] = _mm512_add_epi32(x[13], counter_high);
  for (int i = 0; i < 16; i++) /* b - 127, and 255 - 127 = -128 becomes -127 */
    x[i] = _mm512_max_epi8(_mm512_sub_epi8(x[i], _mm512_set1_epi8(127)), _mm512_set1_epi8(-127));
}

/* Lane l of register w to register l, word w: blocks one after another. */
static inline __attribute__((always_inline)) void transpose(__m512i x[16]) {
  __m512i y[16];
  for (int i = 0; i < 16; i += 2) {
    y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
    y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
    x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
    x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
  for (int i = 0; i < 4; i++) { /* x[4 q + i]: words 4 q.. of blocks i, 4 + i, 8 + i, 12 + i */
    __m512i a = _mm512_shuffle_i32x4(x[i], x[4 + i], 0x44), b = _mm512_shuffle_i32x4(x[i], x[4 + i], 0xee);
    __m512i c = _mm512_shuffle_i32x4(x[8 + i], x[12 + i], 0x44), d = _mm512_shuffle_i32x4(x[8 + i], x[12 + i], 0xee);
    y[i] = _mm512_shuffle_i32x4(a, c, 0x88);
    y[4 + i] = _mm512_shuffle_i32x4(a, c, 0xdd);
    y[8 + i] = _mm512_shuffle_i32x4(b, d, 0x88);
    y[12 + i] = _mm512_shuffle_i32x4(b, d, 0xdd);
  }
  for (int i = 0; i < 16; i++)
    x[i] = y[i];
}

static void matrix(int8_t *ret_entries, const uint8_t key_bytes[32], uint64_t first, size_t blocks) {
  struct asz_chacha20_key key = asz_chacha20_key_load(key_bytes);
  for (size_t done = 0; done < blocks; done += LANES) {
    size_t now = blocks - done < LANES ? blocks - done : LANES;
    __m512i x[16];
    entries_make(x, &key, first + done);
    transpose(x);
    for (size_t i = 0; i < now; i++)
      _mm512_storeu_si512(ret_entries + 64 * (done + i), x[i]);
  }
}

/* The sums over a slot's rows for 1,024 k's: s's four bytes times the entries, four rows at a time. sum[w][q][limb]: register w,
 * and of its lanes' four bytes byte q. */
struct u_sums {
  __m512i of[16][4][4];
};

static inline __attribute__((always_inline)) void u_add(struct u_sums *sums, __m512i rows[4][16], const uint32_t *s) {
  __m512i limb[4];
  for (int l = 0; l < 4; l++) {
    uint32_t bytes = 0;
    for (int r = 0; r < 4; r++)
      bytes |= (s[r] >> 8 * l & 0xff) << 8 * r;
    limb[l] = _mm512_set1_epi32((int)bytes);
  }
  for (int w = 0; w < 16; w++) {
    __m512i low01 = _mm512_unpacklo_epi8(rows[0][w], rows[1][w]), high01 = _mm512_unpackhi_epi8(rows[0][w], rows[1][w]);
    __m512i low23 = _mm512_unpacklo_epi8(rows[2][w], rows[3][w]), high23 = _mm512_unpackhi_epi8(rows[2][w], rows[3][w]);
    __m512i quad[4] = {_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
                       _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)};
    for (int q = 0; q < 4; q++)
      for (int l = 0; l < 4; l++)
        sums->of[w][q][l] = _mm512_dpbusd_epi32(sums->of[w][q][l], limb[l], quad[q]);
  }
}

/* Within 128 bits, byte 4 d + e of a register went to word e of quad[d]; register w, lane l is word w of block l. */
static void u_store(uint32_t *ret_u, const struct u_sums *sums) {
  for (int w = 0; w < 16; w++)
    for (int q = 0; q < 4; q++) {
      int32_t limb[4][16];
      for (int l = 0; l < 4; l++)
        _mm512_storeu_si512(limb[l], sums->of[w][q][l]);
      for (int i = 0; i < 16; i++) {
        int lane = i / 4 * 4 + q, byte = i % 4;
        int64_t sum = limb[0][i] + (int64_t)limb[1][i] * 0x100 + (int64_t)limb[2][i] * 0x10000 + (int64_t)limb[3][i] * 0x1000000;
        ret_u[64 * lane + 4 * w + byte] = asz_gemm_residue_signed(sum);
      }
    }
}

static void u_make(uint32_t *ret_u, const struct asz_gemm_shape *shape, const uint8_t a_key[32], const uint32_t *s) {
  struct asz_chacha20_key key = asz_chacha20_key_load(a_key);
  uint32_t blocks = shape->k / 64;
  if (blocks < LANES) { /* only preset tiny has rows that short */
    asz_gemm_plain.u_make(ret_u, shape, a_key, s);
    return;
  }
  for (uint32_t first = 0; first < blocks; first += LANES) {
    struct u_sums sums;
    memset(&sums, 0, sizeof sums);
    for (uint32_t row = 0; row < shape->n; row += 4) {
      __m512i rows[4][16];
      for (uint32_t r = 0; r < 4; r++)
        entries_make(rows[r], &key, (uint64_t)(row + r) * blocks + first);
      u_add(&sums, rows, s + row);
    }
    u_store(ret_u + (size_t)64 * first, &sums);
  }
}

/* Per 1,024 k's: for each word w four registers, one a byte of u; lane and byte in it as the keystream comes. */
static void u_pack(void *ret_packed, const uint32_t *u, uint32_t k) {
  uint8_t *packed = ret_packed;
  memset(packed, 0, asz_gemm_u_packed_bytes(k));
  for (uint32_t i = 0; i < k; i++) {
    uint32_t chunk = i / ASZ_GEMM_CHUNK, lane = i / 64 % LANES, w = i / 4 % 16;
    for (uint32_t l = 0; l < 4; l++)
      packed[(size_t)chunk * 4096 + 256 * w + 64 * l + 4 * lane + i % 4] = (uint8_t)(u[i] >> 8 * l);
  }
}

static uint32_t u_dot_b(const void *packed, uint32_t k, const uint8_t b_key[32], uint32_t j) {
  struct asz_chacha20_key key = asz_chacha20_key_load(b_key);
  const uint8_t *u = packed;
  uint32_t blocks = k / 64;
  __m512i sum[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  for (uint32_t first = 0; first < blocks; first += LANES, u += 4096) {
    __m512i x[16];
    entries_make(x, &key, (uint64_t)j * blocks + first); /* past the column's end u is 0 */
    for (int w = 0; w < 16; w++)
      for (int l = 0; l < 4; l++)
        sum[l] = _mm512_dpbusd_epi32(sum[l], _mm512_load_si512(u + 256 * w + 64 * l), x[w]);
  }
  int64_t total = 0;
  for (int l = 0; l < 4; l++)
    total += (int64_t)_mm512_reduce_add_epi32(sum[l]) * (1 << 8 * l);
  return asz_gemm_residue_signed(total);
}

/* Panel of row r: at r / 64 * 64 k; in it 256 bytes for four k's: row by row, four entries each. */
static void a_pack(void *ret_packed, const int8_t *row_entries, uint32_t row, uint32_t n, uint32_t k) {
  uint8_t *panel = (uint8_t *)ret_packed + (size_t)(row / ROWS) * ROWS * k + row % ROWS * 4;
  for (uint32_t i = 0; i < k; i += 4) {
    uint32_t four;
    memcpy(&four, row_entries + i, 4);
    four ^= 0x80808080; /* + 128 */
    memcpy(panel + (size_t)i * ROWS, &four, 4);
  }
}

/* A panel times `columns` (a constant where it is inlined) columns over one part of k, added to c. */
static inline __attribute__((always_inline)) void tile(int32_t *c, const uint8_t *panel, const int8_t *b, uint32_t n, uint32_t k,
                                                       uint32_t part, int columns) {
  __m512i sum[TILE][4];
  for (int j = 0; j < columns; j++)
    for (int r = 0; r < 4; r++)
      sum[j][r] = _mm512_loadu_si512(c + (size_t)j * n + 16 * r);
  for (uint32_t i = 0; i < part; i += 4) {
    __m512i a[4];
    for (int r = 0; r < 4; r++)
      a[r] = _mm512_loadu_si512(panel + (size_t)i * ROWS + 64 * r);
    for (int j = 0; j < columns; j++) {
      int four;
      memcpy(&four, b + (size_t)j * k + i, 4);
      __m512i entries = _mm512_set1_epi32(four);
      for (int r = 0; r < 4; r++)
        sum[j][r] = _mm512_dpbusd_epi32(sum[j][r], a[r], entries);
    }
  }
  for (int j = 0; j < columns; j++)
    for (int r = 0; r < 4; r++)
      _mm512_storeu_si512(c + (size_t)j * n + 16 * r, sum[j][r]);
}

static int32_t sum_of(const int8_t *entries, uint32_t k) {
  __m512i sum = _mm512_setzero_si512();
  for (uint32_t i = 0; i < k; i += 64)
    sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), _mm512_loadu_si512(entries + i));
  return _mm512_reduce_add_epi32(sum);
}

static void multiply(int32_t *ret_c, const void *a_packed, const int8_t *b, uint32_t n, uint32_t k, uint32_t columns) {
  for (uint32_t j = 0; j < columns; j++) {
    __m512i start = _mm512_set1_epi32(-128 * sum_of(b + (size_t)j * k, k));
    for (uint32_t i = 0; i < n; i += 16)
      _mm512_storeu_si512(ret_c + (size_t)j * n + i, start);
  }
  for (uint32_t at = 0; at < k; at += K_PART)
    for (uint32_t row = 0; row < n; row += ROWS) {
      const uint8_t *panel = (const uint8_t *)a_packed + (size_t)row * k + (size_t)at * ROWS;
      uint32_t j = 0;
      for (; j + TILE <= columns; j += TILE)
        tile(ret_c + (size_t)j * n + row, panel, b + (size_t)j * k + at, n, k, K_PART, TILE);
      for (; j < columns; j++)
        tile(ret_c + (size_t)j * n + row, panel, b + (size_t)j * k + at, n, k, K_PART, 1);
    }
}

/* `together` columns at once, a constant where it is inlined: a weight is loaded once for all of them. Memory is asked for in the
 * order of addresses, from 4 KiB ahead for 256 rows: the columns side by side would look to it like as many streams. */
static inline __attribute__((always_inline)) void fold_columns(uint64_t *ret_z, const uint16_t *column, const uint64_t *weights,
                                                               uint32_t n, int together) {
  __m512i low[FOLD], high[FOLD];
  for (int j = 0; j < together; j++)
    low[j] = high[j] = _mm512_setzero_si512();
  for (uint32_t i = 0; i < n; i += 8) {
    _mm_prefetch((const char *)(column + (size_t)AHEAD * together * n + (size_t)together * i), _MM_HINT_T0);
    __m512i w_low = _mm512_loadu_si512(weights + i), w_high = _mm512_loadu_si512(weights + n + i);
    for (int j = 0; j < together; j++) {
      __m512i x = _mm512_cvtepu16_epi64(_mm_loadu_si128((const __m128i *)(column + (size_t)j * n + i)));
      low[j] = _mm512_madd52lo_epu64(low[j], x, w_low);
      high[j] = _mm512_madd52lo_epu64(high[j], x, w_high);
    }
  }
  for (int j = 0; j < together; j++)
    ret_z[j] = asz_mem_join((uint64_t)_mm512_reduce_add_epi64(low[j]), (uint64_t)_mm512_reduce_add_epi64(high[j]));
}

static void fold(uint64_t *ret_z, const uint16_t *column, uint32_t columns, const uint64_t *weights, uint32_t n) {
  uint32_t j = 0;
  for (; j + FOLD <= columns; j += FOLD)
    fold_columns(ret_z + j, column + (size_t)j * n, weights, n, FOLD);
  for (; j < columns; j++)
    fold_columns(ret_z + j, column + (size_t)j * n, weights, n, 1);
}

const struct asz_gemm_backend asz_gemm_avx512 = {
    .name = "avx512",
    .is_here = is_here,
    .matrix = matrix,
    .u_make = u_make,
    .u_pack = u_pack,
    .u_dot_b = u_dot_b,
    .a_pack = a_pack,
    .multiply = multiply,
    .fold = fold,
};
