/* SPDX-License-Identifier: Apache-2.0 */
/* The known answers of a prover's device: an arena of preset tiny built, folded and opened, by it and by the plain CPU. */
#include "gpu/prove/device.h"

#include <stdlib.h>
#include <string.h>

#include "gpu/prove/mem.h"

enum { TINY = ASZ_GEMM_PRESET_TINY, OPENINGS = 8, OPENING_BYTES_MAX = 2048 };

struct answers {
  uint8_t root[32], z_root[32];
  uint8_t opening[2 * OPENINGS][OPENING_BYTES_MAX];
};

/* NULL as device: the CPU's. */
static int answer(struct answers *ret_answers, void *memory, const struct asz_prove_device *device, struct asz_diag *diag) {
  static const uint8_t beacon[32] = {1}, seed[32] = {2}, fold_seed[32] = {3};
  struct asz_prove_mem *mem = asz_prove_mem_new(memory, TINY, 1, asz_gemm_backend_named("plain"));
  struct asz_prove_gemm *gemm = asz_prove_mem_gemm(mem);
  const struct asz_gemm_shape shape = asz_gemm_shape_of(TINY);
  if (device != NULL)
    asz_prove_gemm_attach(gemm, device);
  asz_prove_mem_build(mem, beacon, seed, ret_answers->root);
  asz_prove_mem_fold(mem, fold_seed, ret_answers->z_root);
  for (uint32_t i = 0; i < OPENINGS; i++) {
    struct asz_gemm_pick pick = {.t = i % shape.t, .j = (19 * i) % shape.m};
    asz_prove_mem_open_build(mem, pick, ret_answers->opening[2 * i]);
    asz_prove_mem_open(mem, pick, ret_answers->opening[2 * i + 1]);
  }
  const char *failure = asz_prove_gemm_failure(gemm);
  int err = failure[0] == '\0' ? 0 : asz_diag_set(diag, ASZ_ENOTSUP, "%s", failure);
  asz_prove_gemm_detach(gemm);
  return err;
}

int asz_prove_device_check(asz_prove_device_open_fn *open, struct asz_diag *diag) {
  struct asz_prove_device device = {.ops = NULL};
  int err = open(&device, TINY, true, diag);
  if (err)
    return ASZ_ENOTSUP; /* with the line of why it does not open */
  const size_t bytes =
      (asz_prove_mem_footprint(TINY, 1) + ASZ_GEMM_ALIGN_BYTES - 1) / ASZ_GEMM_ALIGN_BYTES * ASZ_GEMM_ALIGN_BYTES;
  void *memory = aligned_alloc(ASZ_GEMM_ALIGN_BYTES, bytes);
  struct answers *both = calloc(2, sizeof *both);
  if (memory == NULL || both == NULL) {
    device.ops->free(device.state);
    err = asz_diag_set(diag, ASZ_ENOTSUP, "no memory for the known answers of a device");
  } else {
    err = answer(&both[0], memory, &device, diag);
    if (!err)
      err = answer(&both[1], memory, NULL, diag);
    if (!err && memcmp(&both[0], &both[1], sizeof *both) != 0)
      err = asz_diag_set(diag, ASZ_ENOTSUP, "the device is not used: its known answer differs from the CPU's");
  }
  free(both);
  free(memory);
  return err;
}
