/* SPDX-License-Identifier: Apache-2.0 */
/* The backend for AVX-512 IFMA: eight items side by side, a lane each, from the hash to the encoded sum. Only the reduction
 * modulo L is done item by item.
 *
 * What it costs, on a core that starts one IFMA instruction a cycle: a product of the field is 50 of them and about 50 other
 * vector instructions, which have their own units: at least 50 cycles for eight lanes. An addition is seven products, so
 * 40 KB a key (51 + 23 additions, 5 doublings) are about 550 products, 3,450 cycles an item; hash, table entries (loaded row by
 * row and transposed: eight entries of eight keys, a gather is slower) and the rest are on top.
 *
 * A point is kept as Y + X, Y - X, Z, T, since that is what an addition multiplies: the four are then sums of wide products. */
#include "gpu/simd/fe51x8.h"
#include "gpu/simd/sha512x8.h"
#include "gpu/simd/sig_private.h"

enum {
  LANES = 8,
  VECTORS = ASZ_SIG_GROUP / LANES,
  PREFETCH_AHEAD = 2, /* additions of eight lanes: a third of a microsecond */
};

struct point {
  struct asz_fe51x8 sum, difference, z, t; /* Y + X, Y - X, Z, T; tight */
};

/* Rows of table entries to add, one a lane; after those of a vector the first of the next vector, to be prefetched. */
_Static_assert(sizeof(struct asz_sig_point) == 64 + 32, "what comb_rows multiplies by");
struct walk {
  asz_sig_step step[ASZ_SIG_STEPS + PREFETCH_AHEAD][LANES];
};

/* A vector's sum on its way to its encoding. */
struct sum {
  struct asz_fe51x8 x2, y2, z2, product; /* 2X, 2Y, 2Z; product: of the 2Z so far */
};

static void hash_of(uint64_t ret_hash[8][LANES], const struct asz_sig_keys *keys, const struct asz_sig_items *items,
                    const uint32_t item[LANES]) {
  _Alignas(64) uint8_t block[LANES][256];
  __mmask8 two_blocks = 0;
  for (int lane = 0; lane < LANES; lane++)
    two_blocks |= (__mmask8)((asz_sig_pad(block[lane], keys, items, item[lane]) == 2) << lane);
  __m512i state[8];
  asz_sha512x8_init(state);
  asz_sha512x8_block(state, block[0], sizeof block[0], 0xff);
  if (two_blocks)
    asz_sha512x8_block(state, block[0] + 128, sizeof block[0], two_blocks);
  /* A digest is big-endian words, the number that it stands for is little-endian. */
  const __m512i swap = _mm512_broadcast_i32x4(_mm_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607));
  for (int i = 0; i < 8; i++)
    _mm512_storeu_si512(ret_hash[i], _mm512_shuffle_epi8(state[i], swap));
}

/* A scalar of every lane, recoded: word i of all lanes in w[i], and a word of zeros. */
struct scalars {
  _Alignas(64) uint64_t w[5][LANES];
};

static inline void recode(struct scalars *ret_scalars, int lane, const struct asz_sig_comb *comb, uint64_t scalar[4]) {
  asz_sig_scalar_add(scalar, comb->bias[0], comb->bias[1], comb->bias[2], comb->bias[3]);
  for (int i = 0; i < 4; i++)
    ret_scalars->w[i][lane] = scalar[i];
  ret_scalars->w[4][lane] = 0;
}

/* asz_sig_comb_steps in every lane; table: where each lane's is. */
static unsigned comb_rows(asz_sig_step (*ret_row)[LANES], const struct asz_sig_comb *comb, __m512i table,
                          const struct scalars *scalars) {
  const __m512i mask = asz_fe51x8_all((UINT64_C(1) << comb->bits) - 1), half = asz_fe51x8_all(comb->entries);
  const __m512i neutral = asz_fe51x8_all((uintptr_t)&asz_sig_neutral);
  const __m512i group_bytes = asz_fe51x8_all(comb->entries * sizeof(struct asz_sig_point));
  unsigned count = 0;
  for (unsigned j = comb->spacing; j-- > 0;) {
    __m512i group = _mm512_sub_epi64(table, asz_fe51x8_all(sizeof(struct asz_sig_point)));
    for (unsigned i = j; i < comb->digits; i += comb->spacing, group = _mm512_add_epi64(group, group_bytes)) {
      unsigned bit = i * comb->bits, word = bit / 64, shift = bit % 64; /* a shift by 64 gives 0 */
      __m512i low = _mm512_srl_epi64(_mm512_load_si512(scalars->w[word]), _mm_cvtsi32_si128((int)shift));
      __m512i high = _mm512_sll_epi64(_mm512_load_si512(scalars->w[word + 1]), _mm_cvtsi32_si128((int)(64 - shift)));
      __m512i digit = _mm512_and_si512(_mm512_or_si512(low, high), mask);
      if (i + 1 < comb->digits)
        digit = _mm512_sub_epi64(digit, half);
      __m512i size = _mm512_abs_epi64(digit), at = _mm512_add_epi64(_mm512_slli_epi64(size, 6), _mm512_slli_epi64(size, 5));
      __m512i step = _mm512_mask_add_epi64(neutral, _mm512_test_epi64_mask(size, size), group, at);
      step = _mm512_mask_or_epi64(step, _mm512_movepi64_mask(digit), step, asz_fe51x8_all(1));
      _mm512_storeu_si512(ret_row[count++], step);
    }
  }
  return count;
}

static void walk_of(struct walk *ret_walk, const struct asz_sig_keys *keys, const struct asz_sig_items *items,
                    const uint32_t item[LANES]) {
  _Alignas(64) uint64_t hash[8][LANES], table[LANES];
  struct scalars h, s;
  hash_of(hash, keys, items, item);
  for (int lane = 0; lane < LANES; lane++) {
    uint64_t wide[8], scalar[4];
    for (int i = 0; i < 8; i++)
      wide[i] = hash[i][lane];
    asz_sig_scalar_reduce(scalar, wide);
    recode(&h, lane, &keys->a, scalar);
    memcpy(scalar, items->signature[item[lane]] + 32, sizeof scalar);
    recode(&s, lane, &keys->b, scalar);
    table[lane] = (uintptr_t)(keys->table + keys->points * items->key[item[lane]]);
  }
  unsigned count = comb_rows(ret_walk->step, &keys->a, _mm512_load_si512(table), &h);
  comb_rows(ret_walk->step + count, &keys->b, asz_fe51x8_all((uintptr_t)keys->base), &s);
}

/* Four words each of eight table entries, lane by lane, to limbs. Which row has which lanes is what makes two rounds of shuffles
 * enough. */
static inline struct asz_fe51x8 load(const uint64_t *const word[LANES]) {
  __m512i r[4];
  static const int lane[4] = {0, 1, 4, 5}; /* lower halves; the upper ones are two further */
  for (int i = 0; i < 4; i++)
    r[i] = _mm512_mask_broadcast_i64x4(_mm512_castsi256_si512(_mm256_load_si256((const __m256i *)word[lane[i]])), 0xf0,
                                       _mm256_load_si256((const __m256i *)word[lane[i] + 2]));
  __m512i even0 = _mm512_unpacklo_epi64(r[0], r[1]), odd0 = _mm512_unpackhi_epi64(r[0], r[1]);
  __m512i even1 = _mm512_unpacklo_epi64(r[2], r[3]), odd1 = _mm512_unpackhi_epi64(r[2], r[3]);
  const __m512i w[4] = {_mm512_shuffle_i64x2(even0, even1, 0x88), _mm512_shuffle_i64x2(odd0, odd1, 0x88),
                        _mm512_shuffle_i64x2(even0, even1, 0xdd), _mm512_shuffle_i64x2(odd0, odd1, 0xdd)};
  return asz_fe51x8_unpack(w);
}

/* p + q for the affine points q of a row; where a step says so, - q: y + x and y - x change places, and 2dxy its sign. */
__attribute__((always_inline)) static inline struct point add(struct point p, const asz_sig_step step[LANES]) {
  const uint64_t *y_plus_x[LANES], *y_minus_x[LANES], *t2d[LANES];
  for (int lane = 0; lane < LANES; lane++) {
    const struct asz_sig_point *q = asz_sig_step_point(step[lane]);
    unsigned swapped = (step[lane] & 1) * 4;
    y_plus_x[lane] = (const uint64_t *)q + swapped;
    y_minus_x[lane] = (const uint64_t *)q + (4 - swapped);
    t2d[lane] = q->t2d;
  }
  __mmask8 minus = _mm512_test_epi64_mask(_mm512_loadu_si512(step), asz_fe51x8_all(1));
  struct asz_fe51x8 q_t2d = load(t2d);
  for (int i = 0; i < 5; i++) /* 2p - t2d */
    q_t2d.v[i] = _mm512_mask_sub_epi64(q_t2d.v[i], minus, asz_fe51x8_all((UINT64_C(1) << 52) - (i ? 2 : 38)), q_t2d.v[i]);
  struct asz_fe51x8 c = asz_fe51x8_mul_wide(p.t, q_t2d);
  struct asz_fe51x8 z2 = asz_fe51x8_add(p.z, p.z);
  struct asz_fe51x8 f = asz_fe51x8_carry(asz_fe51x8_sub(z2, c)), g = asz_fe51x8_carry(asz_fe51x8_add(z2, c));
  struct asz_fe51x8 a = asz_fe51x8_mul_wide(p.difference, load(y_minus_x)), b = asz_fe51x8_mul_wide(p.sum, load(y_plus_x));
  struct asz_fe51x8 e = asz_fe51x8_carry(asz_fe51x8_sub(b, a)), h = asz_fe51x8_carry(asz_fe51x8_add(b, a));
  struct asz_fe51x8 x = asz_fe51x8_mul_wide(e, f), y = asz_fe51x8_mul_wide(g, h);
  return (struct point){asz_fe51x8_carry(asz_fe51x8_add(y, x)), asz_fe51x8_carry(asz_fe51x8_sub(y, x)), asz_fe51x8_mul(f, g),
                        asz_fe51x8_mul(e, h)};
}

/* p and the points of rows 0..count-1. */
__attribute__((noinline)) static void add_rows(struct point *p, const asz_sig_step (*row)[LANES], unsigned count) {
  struct point sum = *p;
  for (unsigned i = 0; i < count; i++) {
    for (int lane = 0; lane < LANES; lane++)
      asz_sig_step_prefetch(row[i + PREFETCH_AHEAD][lane]);
    sum = add(sum, row[i]);
  }
  *p = sum;
}

/* 2 p, count times. With s = Y + X and d = Y - X: s^2 - d^2 = 4XY, s^2 + d^2 = 2 (XX + YY), 2sd = 2 (YY - XX): all factors of
 * asz_ge51_double, twice as large, which is the same point. */
__attribute__((noinline)) static void double_times(struct point *p, unsigned count) {
  struct point r = *p;
  for (unsigned i = 0; i < count; i++) {
    struct asz_fe51x8 ss = asz_fe51x8_square_wide(r.sum), dd = asz_fe51x8_square_wide(r.difference);
    struct asz_fe51x8 e = asz_fe51x8_carry(asz_fe51x8_sub(ss, dd)), h = asz_fe51x8_carry(asz_fe51x8_add(ss, dd));
    struct asz_fe51x8 sd2 = asz_fe51x8_mul_wide(r.sum, r.difference), zz2 = asz_fe51x8_square_wide(r.z);
    sd2 = asz_fe51x8_add(sd2, sd2);
    zz2 = asz_fe51x8_add(zz2, zz2);
    struct asz_fe51x8 g = asz_fe51x8_carry(sd2), f = asz_fe51x8_carry(asz_fe51x8_sub(asz_fe51x8_add(zz2, zz2), sd2));
    struct asz_fe51x8 x = asz_fe51x8_mul_wide(e, f), y = asz_fe51x8_mul_wide(g, h);
    r = (struct point){asz_fe51x8_carry(asz_fe51x8_add(y, x)), asz_fe51x8_carry(asz_fe51x8_sub(y, x)), asz_fe51x8_mul(f, g),
                       asz_fe51x8_mul(e, h)};
  }
  *p = r;
}

/* [S]B - [h]A of a vector. */
static struct point sum_of(const struct asz_sig_keys *keys, const struct walk *walk) {
  struct asz_fe51x8 one = asz_fe51x8_small(1);
  struct point p = {one, one, one, asz_fe51x8_small(0)};
  const asz_sig_step(*row)[LANES] = walk->step;
  for (unsigned pass = keys->a.spacing; pass-- > 0;) {
    unsigned count = asz_sig_pass_steps(&keys->a, pass);
    add_rows(&p, row, count);
    row += count;
    if (pass > 0)
      double_times(&p, keys->a.bits);
  }
  add_rows(&p, row, keys->b.digits);
  return p;
}

static void sum_keep(struct sum *sum, unsigned vector, struct point p) {
  sum[vector].x2 = asz_fe51x8_carry(asz_fe51x8_sub(p.sum, p.difference));
  sum[vector].y2 = asz_fe51x8_carry(asz_fe51x8_add(p.sum, p.difference));
  sum[vector].z2 = asz_fe51x8_carry(asz_fe51x8_add(p.z, p.z));
  sum[vector].product = vector ? asz_fe51x8_mul(sum[vector - 1].product, sum[vector].z2) : sum[vector].z2;
}

/* The encodings of a vector, word by word; *inverse goes from the inverse of all products so far to that of those before. */
static void encode(uint64_t ret_word[4][LANES], const struct sum *sum, unsigned vector, struct asz_fe51x8 *inverse) {
  struct asz_fe51x8 z_inverse = vector ? asz_fe51x8_mul(*inverse, sum[vector - 1].product) : *inverse;
  *inverse = asz_fe51x8_mul(*inverse, sum[vector].z2);
  __m512i x[4], y[4];
  asz_fe51x8_pack(x, asz_fe51x8_mul(sum[vector].x2, z_inverse));
  asz_fe51x8_pack(y, asz_fe51x8_mul(sum[vector].y2, z_inverse));
  y[3] = _mm512_or_si512(y[3], _mm512_slli_epi64(x[0], 63));
  for (int i = 0; i < 4; i++)
    _mm512_storeu_si512(ret_word[i], y[i]);
}

static void judge_group(const struct asz_sig_keys *keys, const struct asz_sig_items *items, uint32_t first, uint32_t count) {
  uint32_t item[ASZ_SIG_GROUP];
  unsigned left = asz_sig_refuse(item, keys, items, first, count);
  if (left == 0)
    return;
  unsigned vectors = (left + LANES - 1) / LANES;
  for (unsigned i = left; i < vectors * LANES; i++)
    item[i] = item[0]; /* lanes that nobody needs */

  struct sum sum[VECTORS];
  struct walk walk[2]; /* this vector's and the next one's */
  walk_of(&walk[0], keys, items, item);
  unsigned rows = keys->a.digits + keys->b.digits;
  for (unsigned vector = 0; vector < vectors; vector++) {
    struct walk *now = &walk[vector % 2], *next = &walk[(vector + 1) % 2];
    if (vector + 1 < vectors)
      walk_of(next, keys, items, item + (size_t)(vector + 1) * LANES);
    memcpy(now->step[rows], vector + 1 < vectors ? next->step[0] : now->step[0], sizeof now->step[0] * PREFETCH_AHEAD);
    sum_keep(sum, vector, sum_of(keys, now));
  }
  struct asz_fe51x8 inverse = asz_fe51x8_invert(sum[vectors - 1].product);
  for (unsigned vector = vectors; vector-- > 0;) {
    _Alignas(64) uint64_t word[4][LANES];
    encode(word, sum, vector, &inverse);
    for (unsigned i = vector * LANES; i < left && i < (vector + 1) * LANES; i++) {
      unsigned lane = i % LANES;
      const uint64_t encoded[4] = {word[0][lane], word[1][lane], word[2][lane], word[3][lane]};
      items->verdict[item[i]] = asz_sig_compare(items->signature[item[i]], encoded);
    }
  }
}

static void judge(const struct asz_sig_keys *keys, const struct asz_sig_items *items) {
  asz_sig_judge_groups(keys, items, judge_group);
}

static bool supported(void) {
  return __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma");
}

const struct asz_sig_backend asz_sig_ifma = {.name = "ifma", .supported = supported, .judge = judge};
