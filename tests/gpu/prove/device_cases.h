/* SPDX-License-Identifier: Apache-2.0 */
/* A prover with a device beside one without: the same answers, whatever the device. */
#ifndef ASZ_TESTS_GPU_PROVE_DEVICE_CASES_H
#define ASZ_TESTS_GPU_PROVE_DEVICE_CASES_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/prove/mem.h"

struct asz_device_case {
  void *memory[2];
  struct asz_prove_mem *mem[2]; /* with the device, without */
  struct asz_gemm_shape shape;
};

static inline struct asz_device_case asz_device_case_new(uint32_t preset, const struct asz_prove_device *device) {
  struct asz_device_case both = {.shape = asz_gemm_shape_of(preset)};
  const size_t bytes = (asz_prove_mem_footprint(preset, 2) + 63) / 64 * 64;
  for (int i = 0; i < 2; i++) {
    both.memory[i] = aligned_alloc(ASZ_GEMM_ALIGN_BYTES, bytes);
    cr_assert_not_null(both.memory[i]);
    both.mem[i] = asz_prove_mem_new(both.memory[i], preset, 2, asz_gemm_backend_at(0));
  }
  asz_prove_gemm_attach(asz_prove_mem_gemm(both.mem[0]), device);
  return both;
}

static inline void asz_device_case_free(struct asz_device_case *both) {
  asz_prove_gemm_detach(asz_prove_mem_gemm(both->mem[0]));
  free(both->memory[0]);
  free(both->memory[1]);
}

static inline const char *asz_device_case_failure(const struct asz_device_case *both) {
  return asz_prove_gemm_failure(asz_prove_mem_gemm(both->mem[0]));
}

static inline void asz_device_case_build(struct asz_device_case *both, uint8_t beacon, uint8_t seed) {
  const uint8_t beacon_bytes[32] = {beacon}, seed_bytes[32] = {seed};
  uint8_t root[2][32];
  for (int i = 0; i < 2; i++)
    asz_prove_mem_build(both->mem[i], beacon_bytes, seed_bytes, root[i]);
  cr_assert_arr_eq(root[0], root[1], 32, "root, beacon %u, seed %u", beacon, seed);
}

static inline void asz_device_case_fold(struct asz_device_case *both, uint8_t seed) {
  const uint8_t seed_bytes[32] = {seed};
  uint8_t root[2][32];
  for (int i = 0; i < 2; i++)
    asz_prove_mem_fold(both->mem[i], seed_bytes, root[i]);
  cr_assert_arr_eq(root[0], root[1], 32, "z root, seed %u", seed);
}

/* asz_device_case_open: columns here and there, of the build and of the fold. */
static inline void asz_device_case_open(struct asz_device_case *both) {
  const size_t bytes = asz_mem_opening_bytes(&both->shape);
  uint8_t *opening[2] = {calloc(1, bytes), calloc(1, bytes)};
  for (uint32_t i = 0; i < 4; i++) {
    struct asz_gemm_pick pick = {.t = i * 7 % both->shape.t, .j = (i * 1021 + 63) % both->shape.m};
    for (int is_fold = 0; is_fold < 2; is_fold++) {
      for (int k = 0; k < 2; k++)
        (is_fold ? asz_prove_mem_open : asz_prove_mem_open_build)(both->mem[k], pick, opening[k]);
      cr_assert_arr_eq(opening[0], opening[1], bytes, "opening %u, fold %d", i, is_fold);
    }
  }
  free(opening[0]);
  free(opening[1]);
}

#endif
