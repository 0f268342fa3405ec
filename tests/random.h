/* SPDX-License-Identifier: Apache-2.0 */
/* asz_test_random: reproducible random input. $ASZ_TEST_SEED replaces the default seed; put the seed into every assertion that
 * depends on it, so that a failure can be run again. */
#ifndef ASZ_TESTS_RANDOM_H
#define ASZ_TESTS_RANDOM_H

#include <stdint.h>
#include <stdlib.h>

#include "dataplane/base/draw.h"

struct asz_test_random {
  uint64_t seed, drawn;
};

static inline struct asz_test_random asz_test_random_start(uint64_t seed) {
  const char *text = getenv("ASZ_TEST_SEED");
  return (struct asz_test_random){.seed = text == NULL ? seed : strtoull(text, NULL, 10)};
}

static inline uint64_t asz_test_random_next(struct asz_test_random *random) {
  return asz_draw(random->seed, 0, random->drawn++, 0);
}

static inline void asz_test_random_bytes(struct asz_test_random *random, void *ret_bytes, size_t size_bytes) {
  for (size_t i = 0; i < size_bytes; i++)
    ((uint8_t *)ret_bytes)[i] = (uint8_t)asz_test_random_next(random);
}

#endif
