/* SPDX-License-Identifier: Apache-2.0 */
/* Field, scalars and group, each against something independent: bit-by-bit long division, the defining equations, libsodium. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "gpu/kinds/ed25519_ge.h"
#include "tests/random.h"

static const uint32_t modulus_p[8] = {0xffffffed, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x7fffffff};
static const uint32_t modulus_l[8] = {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000};

/* The schoolbook remainder, one bit at a time: nothing to get wrong. */
static void reference_mod(uint32_t ret_remainder[8], const uint32_t number[16], const uint32_t modulus[8]) {
  uint32_t r[9] = {0};
  for (int bit = 511; bit >= 0; bit--) {
    for (int i = 8; i > 0; i--)
      r[i] = r[i] << 1 | r[i - 1] >> 31;
    r[0] = r[0] << 1 | (number[bit / 32] >> bit % 32 & 1);
    uint32_t less[9];
    int64_t t = 0;
    for (int i = 0; i < 9; i++) {
      t += (int64_t)r[i] - (i < 8 ? modulus[i] : 0);
      less[i] = (uint32_t)t;
      t >>= 32;
    }
    if (t == 0)
      memcpy(r, less, sizeof r);
  }
  memcpy(ret_remainder, r, 8 * sizeof r[0]);
}

static void reference_product(uint32_t ret_product[16], const uint32_t a[8], const uint32_t b[8]) {
  memset(ret_product, 0, 16 * sizeof ret_product[0]);
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 8; j++) {
      uint64_t t = (uint64_t)a[i] * b[j];
      for (int k = i + j; t != 0; k++) {
        t += ret_product[k];
        ret_product[k] = (uint32_t)t;
        t >>= 32;
      }
    }
}

static void assert_fe_is(struct asz_fe actual, const uint32_t number[16], const char *what, int i, int j) {
  uint32_t expected[8];
  reference_mod(expected, number, modulus_p);
  actual = asz_fe_canonical(actual);
  cr_assert_arr_eq(actual.v, expected, 32, "%s of edge values %d and %d", what, i, j);
}

/* Values around every border: 0, p, 2p, 2^255, 2^256, each with the 45 neighbours on both sides that fit. */
enum { NEIGHBOURS = 45, EDGES = 5 * (2 * NEIGHBOURS + 1) };
static struct asz_fe edge(int index) {
  static const uint32_t border[5][8] = {{0},
                                        {0xffffffed, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x7fffffff},
                                        {0xffffffda, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u},
                                        {0, 0, 0, 0, 0, 0, 0, 0x80000000},
                                        {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u}};
  struct asz_fe r;
  int64_t t = index % (2 * NEIGHBOURS + 1) - NEIGHBOURS;
  for (int i = 0; i < 8; i++) { /* wraps around 0 and 2^256: those are edges as well */
    t += border[index / (2 * NEIGHBOURS + 1)][i];
    r.v[i] = (uint32_t)t;
    t >>= 32;
  }
  return r;
}

Test(ed25519, field_operations_are_right_at_every_border)
{
  for (int i = 0; i < EDGES; i++)
    for (int j = 0; j < EDGES; j += 7) {
      struct asz_fe a = edge(i), b = edge(j);
      uint32_t sum[16] = {0}, difference[16] = {0}, product[16];
      uint64_t t = 0;
      for (int k = 0; k < 8; k++, t >>= 32)
        sum[k] = (uint32_t)(t += (uint64_t)a.v[k] + b.v[k]);
      sum[8] = (uint32_t)t;
      int64_t s = 0;
      for (int k = 0; k < 8; k++, s >>= 32) /* a - b + 4p, which is not negative */
        difference[k] = (uint32_t)(s += (int64_t)a.v[k] - b.v[k] + 4 * (int64_t)modulus_p[k]);
      difference[8] = (uint32_t)s;
      reference_product(product, a.v, b.v);
      assert_fe_is(asz_fe_add(a, b), sum, "sum", i, j);
      assert_fe_is(asz_fe_sub(a, b), difference, "difference", i, j);
      assert_fe_is(asz_fe_mul(a, b), product, "product", i, j);
    }
}

Test(ed25519, field_products_of_random_values)
{
  struct asz_test_random random = asz_test_random_start(255);
  for (int i = 0; i < 2000; i++) {
    struct asz_fe a, b;
    uint32_t product[16];
    asz_test_random_bytes(&random, &a, sizeof a);
    asz_test_random_bytes(&random, &b, sizeof b);
    reference_product(product, a.v, b.v);
    assert_fe_is(asz_fe_mul(a, b), product, "product", i, (int)random.seed);
  }
}

Test(ed25519, inverse_times_value_is_one)
{
  for (int i = 0; i < EDGES; i++) {
    struct asz_fe a = edge(i), product = asz_fe_mul(a, asz_fe_invert(a));
    cr_assert(asz_fe_is_zero(asz_fe_sub(product, asz_fe_small(asz_fe_is_zero(a) ? 0 : 1))), "edge value %d", i);
  }
}

Test(ed25519, constants_satisfy_their_equations)
{
  struct asz_fe d = asz_fe_d(), root = asz_fe_sqrt_minus_1();
  cr_assert(asz_fe_is_zero(asz_fe_add(asz_fe_mul(d, asz_fe_small(121666)), asz_fe_small(121665))));
  cr_assert(asz_fe_is_zero(asz_fe_sub(asz_fe_add(d, d), asz_fe_2d())));
  cr_assert(asz_fe_is_zero(asz_fe_add(asz_fe_square(root), asz_fe_small(1))));
  cr_assert_arr_eq(asz_sc_order, modulus_l, 32);
}

static struct asz_ge base_point(void) {
  uint8_t encoded[32]; /* y = 4/5, x even */
  struct asz_ge b;
  asz_fe_store(encoded, asz_fe_mul(asz_fe_small(4), asz_fe_invert(asz_fe_small(5))));
  cr_assert_eq(asz_ge_decode(&b, encoded), 1);
  return b;
}

Test(ed25519, base_table_holds_the_multiples_of_b)
{
  struct asz_ge multiple = asz_ge_neutral();
  struct asz_ge_prepared b = asz_ge_prepare(base_point());
  for (int i = 0; i < 9; i++) {
    struct asz_fe inverse = asz_fe_invert(multiple.z);
    struct asz_fe x = asz_fe_mul(multiple.x, inverse), y = asz_fe_mul(multiple.y, inverse);
    const struct asz_ge_affine *entry = &asz_ge_base_table[i];
    cr_assert(asz_fe_is_zero(asz_fe_sub(entry->y_plus_x, asz_fe_add(y, x))), "%d", i);
    cr_assert(asz_fe_is_zero(asz_fe_sub(entry->y_minus_x, asz_fe_sub(y, x))), "%d", i);
    cr_assert(asz_fe_is_zero(asz_fe_sub(entry->t2d, asz_fe_mul(asz_fe_2d(), asz_fe_mul(x, y)))), "%d", i);
    multiple = asz_ge_add_prepared(multiple, b);
  }
}

static void assert_sc_reduces(const uint32_t number[16], const char *what, int i) {
  uint32_t expected[8];
  reference_mod(expected, number, modulus_l);
  struct asz_sc actual = asz_sc_reduce(number);
  cr_assert_arr_eq(actual.v, expected, 32, "%s %d", what, i);
}

/* L - 1 followed by ones is where the guessed quotient would need 33 bits. */
Test(ed25519, scalars_reduce_where_the_quotient_is_hardest_to_guess)
{
  for (int shift = 0; shift <= 8; shift++)
    for (uint32_t below = 0; below < 4; below++) {
      uint32_t number[16];
      memset(number, below & 1 ? 0xff : 0, sizeof number);
      memset(number + shift + 8, 0, sizeof number - 4 * (size_t)(shift + 8));
      memcpy(number + shift, modulus_l, sizeof modulus_l);
      number[shift] -= below >> 1;
      assert_sc_reduces(number, "L or L - 1 at word", shift);
      memset(number + shift, 0, 28); /* 2^252 */
      assert_sc_reduces(number, "2^252 at word", shift);
    }
  uint32_t ones[16];
  memset(ones, 0xff, sizeof ones);
  assert_sc_reduces(ones, "2^512 - 1", 0);
}

Test(ed25519, scalars_reduce_like_libsodium)
{
  struct asz_test_random random = asz_test_random_start(252);
  for (int i = 0; i < 5000; i++) {
    uint32_t number[16];
    uint8_t expected[32];
    asz_test_random_bytes(&random, number, sizeof number);
    crypto_core_ed25519_scalar_reduce(expected, (const uint8_t *)number);
    struct asz_sc actual = asz_sc_reduce(number);
    cr_assert_arr_eq(actual.v, expected, 32, "number %d, seed %lu", i, random.seed);
  }
}

Test(ed25519, only_scalars_below_l_are_canonical)
{
  struct asz_sc s;
  memcpy(s.v, modulus_l, sizeof s.v);
  cr_assert_not(asz_sc_is_canonical(s), "L");
  s.v[0]++;
  cr_assert_not(asz_sc_is_canonical(s), "L + 1");
  s.v[0] -= 2;
  cr_assert(asz_sc_is_canonical(s), "L - 1");
  s.v[7] |= 0x80000000;
  cr_assert_not(asz_sc_is_canonical(s), "a high bit");
  memset(&s, 0, sizeof s);
  cr_assert(asz_sc_is_canonical(s), "0");
}

Test(ed25519, signed_digits_add_up_to_the_scalar)
{
  struct asz_test_random random = asz_test_random_start(16);
  for (int i = 0; i < 500; i++) {
    uint32_t number[16];
    asz_test_random_bytes(&random, number, sizeof number);
    struct asz_sc s = asz_sc_reduce(number), recoded = asz_sc_recode(s);
    int carry = 0; /* digits to nibbles again, from the lowest */
    for (int k = 0; k < 64; k++) {
      int digit = asz_sc_digit(&recoded, k);
      cr_assert(digit >= -8 && digit <= 7);
      digit += carry;
      cr_assert_eq(digit & 15, (int)(s.v[k / 8] >> 4 * (k % 8) & 15), "digit %d of number %d, seed %lu", k, i, random.seed);
      carry = digit < 0 ? -1 : 0;
    }
    cr_assert_eq(carry, 0);
  }
}

static struct asz_ge point_of(const uint8_t encoded[32]) {
  struct asz_ge p;
  cr_assert_eq(asz_ge_decode(&p, encoded), 1);
  return p;
}

Test(ed25519, addition_is_complete_on_points_of_every_order)
{
  /* P + i T and P' + j T for a point T of order 8: equal, opposite, neutral and small-order operands all occur. */
  uint8_t torsion[32], start[2][32], scalar[32] = {5};
  cr_assert_eq(
      sodium_hex2bin(torsion, 32, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", 64, NULL, NULL, NULL), 0);
  crypto_scalarmult_ed25519_base_noclamp(start[1], scalar);
  memcpy(start[0], (uint8_t[32]){1}, 32); /* neutral */
  for (int which = 0; which < 4; which++) {
    uint8_t a[32];
    memcpy(a, start[which & 1], 32);
    for (int i = 0; i < 8; i++, crypto_core_ed25519_add(a, a, torsion)) {
      uint8_t b[32];
      memcpy(b, start[which >> 1], 32);
      for (int j = 0; j < 8; j++, crypto_core_ed25519_add(b, b, torsion)) {
        uint8_t expected[32], actual[32];
        cr_assert_eq(crypto_core_ed25519_add(expected, a, b), 0);
        asz_ge_encode(actual, asz_ge_add_prepared(point_of(a), asz_ge_prepare(point_of(b))));
        cr_assert_arr_eq(actual, expected, 32, "%d: %d + %d", which, i, j);
        cr_assert_eq(crypto_core_ed25519_sub(expected, a, b), 0);
        asz_ge_encode(actual, asz_ge_add_prepared(point_of(a), asz_ge_prepare(asz_ge_neg(point_of(b)))));
        cr_assert_arr_eq(actual, expected, 32, "%d: %d - %d", which, i, j);
      }
      uint8_t twice[32], doubled[32];
      cr_assert_eq(crypto_core_ed25519_add(twice, a, a), 0);
      asz_ge_encode(doubled, asz_ge_double(point_of(a)));
      cr_assert_arr_eq(doubled, twice, 32, "%d: twice %d", which, i);
    }
  }
}

Test(ed25519, double_scalar_multiplication_is_that_of_libsodium)
{
  struct asz_test_random random = asz_test_random_start(64);
  for (int i = 0; i < 300; i++) {
    uint8_t wide[64], s[32], h[32], k[32], point[32], left[32], right[32], expected[32], actual[32];
    asz_test_random_bytes(&random, wide, 64);
    crypto_core_ed25519_scalar_reduce(s, wide);
    asz_test_random_bytes(&random, wide, 64);
    crypto_core_ed25519_scalar_reduce(h, wide);
    asz_test_random_bytes(&random, wide, 64);
    crypto_core_ed25519_scalar_reduce(k, wide);
    if (i % 3 == 1) { /* small scalars: most digits 0 */
      memset(s + 1, 0, 31);
      s[0] |= 1;
    }
    cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(point, k), 0);
    cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(left, s), 0);
    cr_assert_eq(crypto_scalarmult_ed25519_noclamp(right, h, point), 0);
    cr_assert_eq(crypto_core_ed25519_add(expected, left, right), 0);
    asz_ge_encode(actual, asz_ge_double_scalar(asz_sc_load(s), asz_sc_load(h), point_of(point)));
    cr_assert_arr_eq(actual, expected, 32, "number %d, seed %lu", i, random.seed);
  }
}

Test(ed25519, scalars_at_the_ends_of_their_range)
{
  struct asz_ge b = base_point();
  struct asz_sc zero = {{0}}, minus_1;
  uint8_t actual[32], expected[32];
  memcpy(minus_1.v, modulus_l, sizeof minus_1.v);
  minus_1.v[0]--;
  asz_ge_encode(expected, asz_ge_neutral());
  asz_ge_encode(actual, asz_ge_double_scalar(zero, zero, b));
  cr_assert_arr_eq(actual, expected, 32, "0 B + 0 B");
  asz_ge_encode(expected, asz_ge_neg(asz_ge_double(b)));
  asz_ge_encode(actual, asz_ge_double_scalar(minus_1, minus_1, b));
  cr_assert_arr_eq(actual, expected, 32, "(L - 1) B + (L - 1) B");
}

Test(ed25519, half_of_all_y_decode_and_come_back_as_they_were)
{
  struct asz_test_random random = asz_test_random_start(127);
  int decoded = 0;
  for (int i = 0; i < 2000; i++) {
    uint8_t y[32], again[32];
    struct asz_ge p;
    asz_test_random_bytes(&random, y, 32);
    if (!asz_ge_decode(&p, y))
      continue;
    asz_ge_encode(again, p);
    cr_assert_arr_eq(again, y, 32, "number %d, seed %lu", i, random.seed);
    decoded++;
  }
  cr_assert(decoded > 850 && decoded < 1150, "%d of 2000, seed %lu", decoded, random.seed);
}
