/* SPDX-License-Identifier: Apache-2.0 */
/* asz_test_field of gpu/simd/fe25x4.h. */
#include "gpu/simd/fe25x4.h"

#include "tests/gpu/simd/field.h"

enum { LANES = 4, LIMBS = 10 };

static struct asz_fe25x4 get(asz_test_limbs limbs) {
  struct asz_fe25x4 r;
  for (int i = 0; i < LIMBS; i++)
    r.v[i] = _mm256_loadu_si256((const __m256i *)limbs[i]);
  return r;
}

static void put(asz_test_words ret_words, struct asz_fe25x4 a) {
  __m256i words[4];
  asz_fe25x4_pack(words, a);
  for (int i = 0; i < 4; i++)
    _mm256_storeu_si256((__m256i *)ret_words[i], words[i]);
}

static void mul(asz_test_words ret_words, asz_test_limbs a, asz_test_limbs b) {
  put(ret_words, asz_fe25x4_mul(get(a), get(b)));
}

static void square(asz_test_words ret_words, asz_test_limbs a) {
  put(ret_words, asz_fe25x4_square(get(a)));
}

static void invert(asz_test_words ret_words, asz_test_limbs a) {
  put(ret_words, asz_fe25x4_invert(get(a)));
}

static void pack(asz_test_words ret_words, asz_test_limbs a) {
  put(ret_words, get(a));
}

static void sub(asz_test_words ret_words, asz_test_limbs a, asz_test_limbs b) {
  put(ret_words, asz_fe25x4_mul(asz_fe25x4_sub(get(a), get(b)), asz_fe25x4_small(1))); /* packing takes tight values only */
}

static void unpack(asz_test_words ret_words, asz_test_words words) {
  __m256i of_lanes[4];
  for (int i = 0; i < 4; i++)
    of_lanes[i] = _mm256_loadu_si256((const __m256i *)words[i]);
  put(ret_words, asz_fe25x4_unpack(of_lanes));
}

static void mul_limbs(asz_test_limbs ret_limbs, asz_test_limbs a, asz_test_limbs b) {
  struct asz_fe25x4 r = asz_fe25x4_mul(get(a), get(b));
  for (int i = 0; i < LIMBS; i++)
    _mm256_storeu_si256((__m256i *)ret_limbs[i], r.v[i]);
}

static bool supported(void) {
  return __builtin_cpu_supports("avx2");
}

const struct asz_test_field asz_test_field_avx2 = {
    .name = "avx2",
    .supported = supported,
    .lanes = LANES,
    .limbs = LIMBS,
    .limb_at = {0, 26, 51, 77, 102, 128, 153, 179, 204, 230},
    .first_max = {5 * ((1 << 26) + (1 << 14) - 1), 5 * ((1 << 25) + (1 << 14) - 1)},
    .second_max = {3 * ((1 << 26) + (1 << 14) - 1), 3 * ((1 << 25) + (1 << 14) - 1)},
    .square_max = {2 * ((1 << 26) + (1 << 14) - 1), 2 * ((1 << 25) + (1 << 14) - 1)},
    .tight_max = {(1 << 26) + (1 << 14) - 1, (1 << 25) + (1 << 14) - 1},
    .mul = mul,
    .square = square,
    .invert = invert,
    .pack = pack,
    .sub = sub,
    .unpack = unpack,
    .mul_limbs = mul_limbs,
};
