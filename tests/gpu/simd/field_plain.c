/* SPDX-License-Identifier: Apache-2.0 */
/* asz_test_field of gpu/simd/fe51.h. */
#include "gpu/simd/fe51.h"

#include "tests/gpu/simd/field.h"

enum { LANES = 1, LIMBS = 5 };

static struct asz_fe51 get(asz_test_limbs limbs) {
  struct asz_fe51 r;
  for (int i = 0; i < LIMBS; i++)
    r.v[i] = limbs[i][0];
  return r;
}

static void put(asz_test_words ret_words, struct asz_fe51 a) {
  uint64_t words[4];
  asz_fe51_pack(words, a);
  for (int i = 0; i < 4; i++)
    ret_words[i][0] = words[i];
}

static void mul(asz_test_words ret_words, asz_test_limbs a, asz_test_limbs b) {
  put(ret_words, asz_fe51_mul(get(a), get(b)));
}

static void square(asz_test_words ret_words, asz_test_limbs a) {
  put(ret_words, asz_fe51_square(get(a)));
}

static void invert(asz_test_words ret_words, asz_test_limbs a) {
  put(ret_words, asz_fe51_invert(get(a)));
}

static void pack(asz_test_words ret_words, asz_test_limbs a) {
  put(ret_words, get(a));
}

static void sub(asz_test_words ret_words, asz_test_limbs a, asz_test_limbs b) {
  put(ret_words, asz_fe51_sub(get(a), get(b)));
}

static void unpack(asz_test_words ret_words, asz_test_words words) {
  const uint64_t of_lane[4] = {words[0][0], words[1][0], words[2][0], words[3][0]};
  put(ret_words, asz_fe51_unpack(of_lane));
}

static void mul_limbs(asz_test_limbs ret_limbs, asz_test_limbs a, asz_test_limbs b) {
  struct asz_fe51 r = asz_fe51_mul(get(a), get(b));
  for (int i = 0; i < LIMBS; i++)
    ret_limbs[i][0] = r.v[i];
}

static bool supported(void) {
  return true;
}

const struct asz_test_field asz_test_field_plain = {
    .name = "plain",
    .supported = supported,
    .lanes = LANES,
    .limbs = LIMBS,
    .limb_at = {0, 51, 102, 153, 204},
    .first_max = {(UINT64_C(1) << 54) - 1, (UINT64_C(1) << 54) - 1},
    .second_max = {(UINT64_C(1) << 54) - 1, (UINT64_C(1) << 54) - 1},
    .square_max = {(UINT64_C(1) << 54) - 1, (UINT64_C(1) << 54) - 1},
    .tight_max = {(UINT64_C(1) << 51) + (1 << 13) - 1, (UINT64_C(1) << 51) + (1 << 13) - 1},
    .mul = mul,
    .square = square,
    .invert = invert,
    .pack = pack,
    .sub = sub,
    .unpack = unpack,
    .mul_limbs = mul_limbs,
};
