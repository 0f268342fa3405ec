/* SPDX-License-Identifier: Apache-2.0 */
/* Against long double (64-bit mantissa on x86-64), and the properties that do not need a reference. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

#include "control/score/fixed.h"

enum { SEED = 7, ROUNDS = 20000 };

static uint64_t next(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  uint64_t x = *seed ^ *seed >> 29;
  return (x * 0xbf58476d1ce4e5b9u) >> (*seed >> 58); /* every size */
}

Test(fixed, isqrt_is_exact_at_the_edges)
{
  unsigned __int128 max = ~(unsigned __int128)0;
  cr_assert_eq(asz_isqrt_u128(0), 0);
  cr_assert_eq(asz_isqrt_u128(1), 1);
  cr_assert_eq(asz_isqrt_u128(3), 1);
  cr_assert_eq(asz_isqrt_u128(4), 2);
  cr_assert_eq(asz_isqrt_u128(max), UINT64_MAX);
  unsigned __int128 square = (unsigned __int128)UINT64_MAX * UINT64_MAX;
  cr_assert_eq(asz_isqrt_u128(square), UINT64_MAX);
  cr_assert_eq(asz_isqrt_u128(square - 1), UINT64_MAX - 1);
}

Test(fixed, isqrt_brackets_its_argument)
{
  uint64_t seed = SEED;
  for (unsigned i = 0; i < ROUNDS; i++) {
    unsigned __int128 x = (unsigned __int128)next(&seed) << 64 | next(&seed);
    x >>= next(&seed) % 128;
    unsigned __int128 root = asz_isqrt_u128(x);
    cr_assert(root * root <= x, "seed %d, round %u", SEED, i);
    cr_assert(root == UINT64_MAX || (root + 1) * (root + 1) > x, "seed %d, round %u", SEED, i);
  }
}

Test(fixed, log2_of_a_power_of_two_is_exact)
{
  for (int bit = 0; bit < 64; bit++)
    cr_assert_eq(asz_log2_q32(UINT64_C(1) << bit), (bit - 32) * (int64_t)ASZ_Q32_ONE);
}

Test(fixed, log2_is_at_most_two_units_low_and_never_high)
{
  cr_assert_geq(LDBL_MANT_DIG, 64, "this machine's long double is no reference");
  uint64_t seed = SEED;
  for (unsigned i = 0; i < ROUNDS; i++) {
    uint64_t x = next(&seed) | 1;
    long double true_q32 = (log2l((long double)x) - 32) * 0x1p32L;
    long double low_by = true_q32 - (long double)asz_log2_q32(x);
    cr_assert(low_by > -1e-6L && low_by < 2.000001L, "seed %d, x %#llx: %Lg", SEED, (unsigned long long)x, low_by);
  }
}

Test(fixed, log2_never_falls_where_its_argument_rises)
{
  uint64_t seed = SEED;
  for (unsigned i = 0; i < ROUNDS; i++) {
    uint64_t x = next(&seed) / 2 + 1;
    cr_assert_leq(asz_log2_q32(x), asz_log2_q32(x + 1), "seed %d, x %#llx", SEED, (unsigned long long)x);
  }
}

Test(fixed, exp2_is_exact_at_whole_exponents_and_zero_below_the_last_bit)
{
  for (int down = 0; down <= 32; down++)
    cr_assert_eq(asz_exp2_neg_q32(-down * (int64_t)ASZ_Q32_ONE), ASZ_Q32_ONE >> down);
  cr_assert_eq(asz_exp2_neg_q32(-32 * (int64_t)ASZ_Q32_ONE - 1), 0);
  cr_assert_eq(asz_exp2_neg_q32(INT64_MIN), 0);
}

Test(fixed, exp2_is_at_most_two_units_low_and_never_high)
{
  uint64_t seed = SEED;
  for (unsigned i = 0; i < ROUNDS; i++) {
    int64_t y = -(int64_t)(next(&seed) >> 27);
    long double true_q32 = exp2l((long double)y / 0x1p32L) * 0x1p32L;
    long double low_by = true_q32 - (long double)asz_exp2_neg_q32(y);
    cr_assert(low_by > -1e-6L && low_by < 2.000001L, "seed %d, y %lld: %Lg", SEED, (long long)y, low_by);
  }
}

Test(fixed, exp2_undoes_log2)
{
  uint64_t seed = SEED;
  for (unsigned i = 0; i < ROUNDS; i++) {
    uint64_t x = (next(&seed) & (ASZ_Q32_ONE - 1)) | 1;
    uint64_t back = asz_exp2_neg_q32(asz_log2_q32(x));
    cr_assert(back <= x && x - back <= 4, "seed %d, x %llu, back %llu", SEED, (unsigned long long)x, (unsigned long long)back);
  }
}
