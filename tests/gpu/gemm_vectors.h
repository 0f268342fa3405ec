/* SPDX-License-Identifier: Apache-2.0 */
/* tests/vectors/challenges.json, which tests/challenges_check.py made: preset tiny from end to end. */
#ifndef ASZ_TESTS_GPU_GEMM_VECTORS_H
#define ASZ_TESTS_GPU_GEMM_VECTORS_H

#include <sodium.h>

#include "gpu/gemm.h"
#include "tests/vectors.h"

static inline json_t *asz_challenge_vectors_open(void) {
  return asz_vectors_open("challenges.json");
}

static inline struct asz_gemm_pick asz_vectors_pick(json_t *picks, size_t index) {
  json_t *pick = json_array_get(picks, index);
  return (struct asz_gemm_pick){(uint32_t)asz_vectors_number(json_array_get(pick, 0)),
                                (uint32_t)asz_vectors_number(json_array_get(pick, 1))};
}

#endif
