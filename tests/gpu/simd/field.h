/* SPDX-License-Identifier: Apache-2.0 */
/* asz_test_field: a backend's field arithmetic as the test sees it: limbs in, canonical words out, lanes side by side. Each is a
 * file of its own, compiled for its instructions. */
#ifndef ASZ_TESTS_GPU_SIMD_FIELD_H
#define ASZ_TESTS_GPU_SIMD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ASZ_TEST_LANES_MAX = 8, ASZ_TEST_LIMBS_MAX = 10 };

/* A value of every lane: limbs, or four words of 64 bits. */
typedef uint64_t asz_test_limbs[ASZ_TEST_LIMBS_MAX][ASZ_TEST_LANES_MAX];
typedef uint64_t asz_test_words[4][ASZ_TEST_LANES_MAX];

struct asz_test_field {
  const char *name;
  bool (*supported)(void);
  unsigned lanes, limbs;
  uint8_t limb_at[ASZ_TEST_LIMBS_MAX]; /* limb i weighs 2^limb_at[i] */
  /* The largest limbs that are allowed, at even and at odd places: of the factors of mul, of what is squared, inverted or packed,
   * and of a tight value. */
  uint64_t first_max[2], second_max[2], square_max[2], tight_max[2];
  void (*mul)(asz_test_words ret_words, asz_test_limbs a, asz_test_limbs b);
  void (*square)(asz_test_words ret_words, asz_test_limbs a);
  void (*invert)(asz_test_words ret_words, asz_test_limbs a);
  void (*pack)(asz_test_words ret_words, asz_test_limbs a);
  void (*sub)(asz_test_words ret_words, asz_test_limbs a, asz_test_limbs b);       /* of tight values */
  void (*unpack)(asz_test_words ret_words, asz_test_words words);                  /* and packed again */
  void (*mul_limbs)(asz_test_limbs ret_limbs, asz_test_limbs a, asz_test_limbs b); /* the limbs of a product: tight? */
};

extern const struct asz_test_field asz_test_field_plain, asz_test_field_avx2, asz_test_field_ifma;

#endif
