/* SPDX-License-Identifier: Apache-2.0 */
/* asz_test_field of gpu/simd/fe51x8.h. */
#include "gpu/simd/fe51x8.h"

#include "tests/gpu/simd/field.h"

enum { LANES = 8, LIMBS = 5 };

static struct asz_fe51x8 get(asz_test_limbs limbs) {
  struct asz_fe51x8 r;
  for (int i = 0; i < LIMBS; i++)
    r.v[i] = _mm512_loadu_si512(limbs[i]);
  return r;
}

static void put(asz_test_words ret_words, struct asz_fe51x8 a) {
  __m512i words[4];
  asz_fe51x8_pack(words, a);
  for (int i = 0; i < 4; i++)
    _mm512_storeu_si512(ret_words[i], words[i]);
}

static void mul(asz_test_words ret_words, asz_test_limbs a, asz_test_limbs b) {
  put(ret_words, asz_fe51x8_mul(get(a), get(b)));
}

static void square(asz_test_words ret_words, asz_test_limbs a) {
  put(ret_words, asz_fe51x8_square(get(a)));
}

static void invert(asz_test_words ret_words, asz_test_limbs a) {
  put(ret_words, asz_fe51x8_invert(get(a)));
}

static void pack(asz_test_words ret_words, asz_test_limbs a) {
  put(ret_words, get(a));
}

static void sub(asz_test_words ret_words, asz_test_limbs a, asz_test_limbs b) {
  put(ret_words, asz_fe51x8_carry(asz_fe51x8_sub(get(a), get(b))));
}

static void unpack(asz_test_words ret_words, asz_test_words words) {
  __m512i of_lanes[4];
  for (int i = 0; i < 4; i++)
    of_lanes[i] = _mm512_loadu_si512(words[i]);
  put(ret_words, asz_fe51x8_unpack(of_lanes));
}

static void mul_limbs(asz_test_limbs ret_limbs, asz_test_limbs a, asz_test_limbs b) {
  struct asz_fe51x8 r = asz_fe51x8_mul(get(a), get(b));
  for (int i = 0; i < LIMBS; i++)
    _mm512_storeu_si512(ret_limbs[i], r.v[i]);
}

static bool supported(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

const struct asz_test_field asz_test_field_ifma = {
    .name = "ifma",
    .supported = supported,
    .lanes = LANES,
    .limbs = LIMBS,
    .limb_at = {0, 51, 102, 153, 204},
    .first_max = {(UINT64_C(1) << 52) - 1, (UINT64_C(1) << 52) - 1},
    .second_max = {(UINT64_C(1) << 52) - 1, (UINT64_C(1) << 52) - 1},
    .square_max = {(UINT64_C(1) << 52) - 1, (UINT64_C(1) << 52) - 1},
    .tight_max = {(UINT64_C(1) << 51) + (1 << 17) - 1, (UINT64_C(1) << 51) + (1 << 17) - 1},
    .mul = mul,
    .square = square,
    .invert = invert,
    .pack = pack,
    .sub = sub,
    .unpack = unpack,
    .mul_limbs = mul_limbs,
};
