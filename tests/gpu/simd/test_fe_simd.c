/* SPDX-License-Identifier: Apache-2.0 */
/* The field and the scalars of the backends in gpu/simd/ against the 32-bit arithmetic of gpu/kinds/, which is tested against its
 * equations, and against libsodium: at the ends of all ranges, each in another lane. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "gpu/kinds/ed25519_fe.h"
#include "gpu/kinds/ed25519_sc.h"
#include "gpu/simd/sig_scalar.h"
#include "tests/gpu/simd/field.h"
#include "tests/random.h"

static const struct asz_test_field *const fields[] = {
    &asz_test_field_plain,
#if defined(__x86_64__)
    &asz_test_field_avx2,
    &asz_test_field_ifma,
#endif
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* The next one after *at that this machine supports, NULL at the end. */
static const struct asz_test_field *next_field(unsigned *at) {
  while (*at < FIELDS) {
    const struct asz_test_field *field = fields[(*at)++];
    if (field->supported())
      return field;
    cr_log_warn("skipped: this machine cannot run the field of the backend %s", field->name);
  }
  return NULL;
}

/* 2^n x */
static struct asz_fe times_power(struct asz_fe x, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    x = asz_fe_add(x, x);
  return x;
}

/* What a lane's limbs stand for. */
static struct asz_fe value_of(const struct asz_test_field *field, asz_test_limbs limbs, unsigned lane) {
  struct asz_fe sum = asz_fe_small(0);
  for (unsigned i = 0; i < field->limbs; i++) {
    struct asz_fe limb = {{(uint32_t)limbs[i][lane], (uint32_t)(limbs[i][lane] >> 32), 0, 0, 0, 0, 0, 0}};
    sum = asz_fe_add(sum, times_power(limb, field->limb_at[i]));
  }
  return asz_fe_canonical(sum);
}

static void check_lane(const struct asz_test_field *field, asz_test_words words, unsigned lane, struct asz_fe expected,
                       const char *what, uint64_t seed) {
  expected = asz_fe_canonical(expected);
  uint64_t actual[4] = {words[0][lane], words[1][lane], words[2][lane], words[3][lane]};
  cr_assert_arr_eq(actual, expected.v, 32, "%s of %s, lane %u, seed %lu", what, field->name, lane, seed);
}

/* A limb from 0 to max, the ends more often than not; when all: every limb the same end. */
static uint64_t limb_of(struct asz_test_random *random, uint64_t max, unsigned pattern) {
  uint64_t draw = asz_test_random_next(random);
  switch (pattern % 4) {
  case 0:
    return max;
  case 1:
    return draw % 2 ? max : 0;
  case 2:
    return draw >> 32 & 1 ? max - draw % 20 : draw % 20;
  default:
    return draw % (max + 1);
  }
}

static void fill(const struct asz_test_field *field, asz_test_limbs limbs, const uint64_t max[2], struct asz_test_random *random,
                 unsigned round) {
  for (unsigned lane = 0; lane < field->lanes; lane++)
    for (unsigned i = 0; i < field->limbs; i++)
      limbs[i][lane] = limb_of(random, max[i % 2], (round + lane) % 7);
}

Test(fe_simd, products_are_right_up_to_the_largest_limbs_that_are_allowed)
{
  struct asz_test_random random = asz_test_random_start(1);
  unsigned at = 0;
  for (const struct asz_test_field *field; (field = next_field(&at));)
    for (unsigned round = 0; round < 2000; round++) {
      asz_test_limbs a, b, product;
      asz_test_words words;
      fill(field, a, field->first_max, &random, round);
      fill(field, b, field->second_max, &random, round / 7);
      field->mul(words, a, b);
      field->mul_limbs(product, a, b);
      for (unsigned lane = 0; lane < field->lanes; lane++) {
        check_lane(field, words, lane, asz_fe_mul(value_of(field, a, lane), value_of(field, b, lane)), "product", random.seed);
        for (unsigned i = 0; i < field->limbs; i++)
          cr_assert_leq(product[i][lane], field->tight_max[i % 2], "%s, limb %u", field->name, i);
      }
    }
}

Test(fe_simd, squares_and_differences_are_right_up_to_the_largest_limbs_that_are_allowed)
{
  struct asz_test_random random = asz_test_random_start(2);
  unsigned at = 0;
  for (const struct asz_test_field *field; (field = next_field(&at));)
    for (unsigned round = 0; round < 2000; round++) {
      asz_test_limbs a, b, c;
      asz_test_words square, difference;
      fill(field, a, field->square_max, &random, round);
      fill(field, b, field->tight_max, &random, round);
      fill(field, c, field->tight_max, &random, round / 7);
      field->square(square, a);
      field->sub(difference, b, c);
      for (unsigned lane = 0; lane < field->lanes; lane++) {
        check_lane(field, square, lane, asz_fe_square(value_of(field, a, lane)), "square", random.seed);
        check_lane(field, difference, lane, asz_fe_sub(value_of(field, b, lane), value_of(field, c, lane)), "difference",
                   random.seed);
      }
    }
}

Test(fe_simd, inverses_times_their_value_are_1)
{
  struct asz_test_random random = asz_test_random_start(3);
  unsigned at = 0;
  for (const struct asz_test_field *field; (field = next_field(&at));)
    for (unsigned round = 0; round < 50; round++) {
      asz_test_limbs a;
      asz_test_words inverse;
      fill(field, a, field->tight_max, &random, round);
      field->invert(inverse, a);
      for (unsigned lane = 0; lane < field->lanes; lane++)
        check_lane(field, inverse, lane, asz_fe_invert(value_of(field, a, lane)), "inverse", random.seed);
    }
}

/* 0, 1, 2, 18, 19, 20 and as far below p, from p on up to 2^255 - 1, and single bits: through unpacking and packing. */
Test(fe_simd, packing_is_canonical_around_0_and_p)
{
  static const uint64_t ends[][4] = {
      {0, 0, 0, 0},
      {UINT64_MAX - 37, UINT64_MAX, UINT64_MAX, UINT64_MAX >> 1},
  };
  unsigned at = 0;
  for (const struct asz_test_field *field; (field = next_field(&at));)
    for (unsigned end = 0; end < 2; end++)
      for (uint64_t step = 0; step < 38; step++) {
        asz_test_words words, packed;
        for (unsigned lane = 0; lane < field->lanes; lane++)
          for (unsigned i = 0; i < 4; i++)
            words[i][lane] = ends[(end + lane) % 2][i] + (i == 0 ? step : 0);
        field->unpack(packed, words);
        for (unsigned lane = 0; lane < field->lanes; lane++) {
          struct asz_fe value;
          for (unsigned i = 0; i < 4; i++) {
            value.v[2 * i] = (uint32_t)words[i][lane];
            value.v[2 * i + 1] = (uint32_t)(words[i][lane] >> 32);
          }
          check_lane(field, packed, lane, value, "packing", step);
        }
      }
}

Test(fe_simd, packing_takes_any_tight_limbs)
{
  struct asz_test_random random = asz_test_random_start(4);
  unsigned at = 0;
  for (const struct asz_test_field *field; (field = next_field(&at));)
    for (unsigned round = 0; round < 5000; round++) {
      asz_test_limbs a;
      asz_test_words packed;
      fill(field, a, field->tight_max, &random, round);
      field->pack(packed, a);
      for (unsigned lane = 0; lane < field->lanes; lane++)
        check_lane(field, packed, lane, value_of(field, a, lane), "packing", random.seed);
    }
}

Test(fe_simd, a_hash_modulo_l_is_libsodiums)
{
  struct asz_test_random random = asz_test_random_start(5);
  static const uint64_t order[4] = {ASZ_SIG_ORDER_C0, ASZ_SIG_ORDER_C1, 0, ASZ_SIG_ORDER_3};
  for (unsigned round = 0; round < 20000; round++) {
    uint64_t x[8], r[4], expected[4];
    for (unsigned i = 0; i < 8; i++)
      x[i] = limb_of(&random, UINT64_MAX - 1, round / 4) + (round & 1);
    if (round % 5 == 0) /* a multiple of L, and next to one */
      for (unsigned i = 0; i < 8; i++)
        x[i] = (i / 4 == round % 2 ? order[i % 4] : 0) - (i == 0 ? round % 3 : 0);
    crypto_core_ed25519_scalar_reduce((uint8_t *)expected, (const uint8_t *)x);
    asz_sig_scalar_reduce(r, x);
    cr_assert_arr_eq(r, expected, sizeof r, "round %u, seed %lu", round, random.seed);
    cr_assert(asz_sig_scalar_is_canonical(r));
  }
}

Test(fe_simd, only_scalars_below_l_are_canonical)
{
  uint64_t s[4] = {ASZ_SIG_ORDER_C0, ASZ_SIG_ORDER_C1, 0, ASZ_SIG_ORDER_3};
  cr_assert_not(asz_sig_scalar_is_canonical(s));
  for (unsigned i = 0; i < 4; i++) {
    uint64_t more[4] = {s[0], s[1], s[2], s[3]}, less[4] = {s[0], s[1], s[2], s[3]};
    more[i]++;
    cr_assert_not(asz_sig_scalar_is_canonical(more), "word %u", i);
    if (i == 2)
      continue; /* L's is 0 */
    less[i]--;
    less[2] = UINT64_MAX * (i == 3);
    cr_assert(asz_sig_scalar_is_canonical(less), "word %u", i);
  }
}
