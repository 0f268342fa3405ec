/* SPDX-License-Identifier: Apache-2.0 */
/* The backend for AVX2: four items side by side, a lane each; sig_ifma.c with the older instructions.
 *
 * What it costs, on a core that starts two 32 x 32 bit vector products a cycle and four vector instructions: a product of the
 * field is 109 of them among 245 instructions: at least 61 cycles for four lanes, twice what IFMA needs for eight. 40 KB a key,
 * about 560 products, are at least 8,500 cycles an item.
 *
 * A limb of 25 bits leaves room for sums, so points are kept as X, Y, Z, T and what is multiplied is added up as in asz_ge51_add.
 */
#include "gpu/simd/fe25x4.h"
#include "gpu/simd/sha512x4.h"
#include "gpu/simd/sig_private.h"

enum {
  LANES = 4,
  VECTORS = ASZ_SIG_GROUP / LANES,
  PREFETCH_AHEAD = 2, /* additions of four lanes: a third of a microsecond */
};

struct point {
  struct asz_fe25x4 x, y, z, t; /* tight */
};

/* Rows of table entries to add, one a lane; after those of a vector the first of the next vector, to be prefetched. */
struct walk {
  asz_sig_step step[ASZ_SIG_STEPS + PREFETCH_AHEAD][LANES];
};

/* A vector's sum on its way to its encoding. */
struct sum {
  struct asz_fe25x4 x, y, z, product; /* product: of the z so far */
};

static void hash_of(uint64_t ret_hash[8][LANES], const struct asz_sig_keys *keys, const struct asz_sig_items *items,
                    const uint32_t item[LANES]) {
  uint8_t block[LANES][256];
  int64_t two_blocks[LANES];
  for (int lane = 0; lane < LANES; lane++)
    two_blocks[lane] = asz_sig_pad(block[lane], keys, items, item[lane]) == 2 ? -1 : 0;
  __m256i state[8], mask = _mm256_loadu_si256((const __m256i *)two_blocks);
  asz_sha512x4_init(state);
  asz_sha512x4_block(state, block[0], sizeof block[0], asz_fe25x4_all(UINT64_MAX));
  if (!_mm256_testz_si256(mask, mask))
    asz_sha512x4_block(state, block[0] + 128, sizeof block[0], mask);
  /* A digest is big-endian words, the number that it stands for is little-endian. */
  const __m256i swap = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607));
  for (int i = 0; i < 8; i++)
    _mm256_storeu_si256((__m256i *)ret_hash[i], _mm256_shuffle_epi8(state[i], swap));
}

static void walk_of(struct walk *ret_walk, const struct asz_sig_keys *keys, const struct asz_sig_items *items,
                    const uint32_t item[LANES]) {
  uint64_t hash[8][LANES];
  hash_of(hash, keys, items, item);
  for (int lane = 0; lane < LANES; lane++) {
    uint64_t of_lane[8];
    for (int i = 0; i < 8; i++)
      of_lane[i] = hash[i][lane];
    asz_sig_steps(&ret_walk->step[0][lane], LANES, keys, items, item[lane], of_lane);
  }
}

/* The field of each lane's table entry that begins `at` bytes into it. */
static inline struct asz_fe25x4 load(const uint8_t *const entry[LANES], const size_t at[LANES]) {
  __m256i word[4];
  const uint8_t *const row[LANES] = {entry[0] + at[0], entry[1] + at[1], entry[2] + at[2], entry[3] + at[3]};
  asz_sha512x4_columns(word, row);
  return asz_fe25x4_unpack(word);
}

__attribute__((always_inline)) static inline struct point complete(struct asz_fe25x4 e, struct asz_fe25x4 f, struct asz_fe25x4 g,
                                                                   struct asz_fe25x4 h) {
  return (struct point){asz_fe25x4_mul(f, e), asz_fe25x4_mul(g, h), asz_fe25x4_mul(f, g), asz_fe25x4_mul(e, h)};
}

/* p + q for the affine points q of a row; where a step says so, - q: y + x and y - x change places, and 2dxy its sign. */
__attribute__((always_inline)) static inline struct point add(struct point p, const asz_sig_step step[LANES]) {
  const uint8_t *entry[LANES];
  size_t y_plus_x[LANES], y_minus_x[LANES];
  static const size_t t2d[LANES] = {64, 64, 64, 64};
  for (int lane = 0; lane < LANES; lane++) {
    entry[lane] = (const uint8_t *)asz_sig_step_point(step[lane]);
    y_plus_x[lane] = (step[lane] & 1) * 32;
    y_minus_x[lane] = 32 - y_plus_x[lane];
  }
  __m256i minus = _mm256_slli_epi64(_mm256_loadu_si256((const __m256i *)step), 63); /* the top bit: what blendv looks at */
  struct asz_fe25x4 q_t2d = load(entry, t2d), negative = asz_fe25x4_sub(asz_fe25x4_small(0), q_t2d);
  for (int i = 0; i < 10; i++)
    q_t2d.v[i] = _mm256_castpd_si256(
        _mm256_blendv_pd(_mm256_castsi256_pd(q_t2d.v[i]), _mm256_castsi256_pd(negative.v[i]), _mm256_castsi256_pd(minus)));
  struct asz_fe25x4 c = asz_fe25x4_mul(p.t, q_t2d);
  struct asz_fe25x4 a = asz_fe25x4_mul(asz_fe25x4_sub(p.y, p.x), load(entry, y_minus_x));
  struct asz_fe25x4 b = asz_fe25x4_mul(asz_fe25x4_add(p.y, p.x), load(entry, y_plus_x));
  struct asz_fe25x4 z2 = asz_fe25x4_add(p.z, p.z);
  return complete(asz_fe25x4_sub(b, a), asz_fe25x4_sub(z2, c), asz_fe25x4_add(z2, c), asz_fe25x4_add(b, a));
}

/* p and the points of rows 0..count-1. */
__attribute__((noinline)) static void add_rows(struct point *p, const asz_sig_step (*row)[LANES], unsigned count) {
  struct point sum = *p;
#pragma GCC unroll 1
  for (unsigned i = 0; i < count; i++) {
    for (int lane = 0; lane < LANES; lane++)
      asz_sig_step_prefetch(row[i + PREFETCH_AHEAD][lane]);
    sum = add(sum, row[i]);
  }
  *p = sum;
}

/* 2 p, count times, with the signs of asz_ge51_double. Factors add up at most 2, 5, 3 and 2 tight values: 2XY is a product here,
 * since (X + Y)^2 - XX - YY would be a sum of five. */
__attribute__((noinline)) static void double_times(struct point *p, unsigned count) {
  struct point r = *p;
#pragma GCC unroll 1
  for (unsigned i = 0; i < count; i++) {
    struct asz_fe25x4 xx = asz_fe25x4_square(r.x), yy = asz_fe25x4_square(r.y), zz = asz_fe25x4_square(r.z);
    struct asz_fe25x4 xy = asz_fe25x4_mul(r.x, r.y);
    struct asz_fe25x4 f = asz_fe25x4_sub(asz_fe25x4_add(asz_fe25x4_add(zz, zz), xx), yy);
    r = complete(asz_fe25x4_add(xy, xy), f, asz_fe25x4_sub(yy, xx), asz_fe25x4_add(xx, yy));
  }
  *p = r;
}

/* [S]B - [h]A of a vector. */
static struct point sum_of(const struct asz_sig_keys *keys, const struct walk *walk) {
  struct asz_fe25x4 zero = asz_fe25x4_small(0), one = asz_fe25x4_small(1);
  struct point p = {zero, one, one, zero};
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

/* The encodings of a vector, word by word; *inverse goes from the inverse of all products so far to that of those before. */
static void encode(uint64_t ret_word[4][LANES], const struct sum *sum, unsigned vector, struct asz_fe25x4 *inverse) {
  struct asz_fe25x4 z_inverse = vector ? asz_fe25x4_mul(*inverse, sum[vector - 1].product) : *inverse;
  *inverse = asz_fe25x4_mul(*inverse, sum[vector].z);
  __m256i x[4], y[4];
  asz_fe25x4_pack(x, asz_fe25x4_mul(sum[vector].x, z_inverse));
  asz_fe25x4_pack(y, asz_fe25x4_mul(sum[vector].y, z_inverse));
  y[3] = _mm256_or_si256(y[3], _mm256_slli_epi64(x[0], 63));
  for (int i = 0; i < 4; i++)
    _mm256_storeu_si256((__m256i *)ret_word[i], y[i]);
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
    struct point p = sum_of(keys, now);
    sum[vector] = (struct sum){p.x, p.y, p.z, vector ? asz_fe25x4_mul(sum[vector - 1].product, p.z) : p.z};
  }
  struct asz_fe25x4 inverse = asz_fe25x4_invert(sum[vectors - 1].product);
  for (unsigned vector = vectors; vector-- > 0;) {
    uint64_t word[4][LANES];
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
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

const struct asz_sig_backend asz_sig_avx2 = {.name = "avx2", .supported = supported, .judge = judge};
