/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the place of cuda.cu in a build without nvcc. */
#include "gpu/prove/device.h"

int asz_prove_cuda_open(struct asz_prove_device *ret_device, uint32_t preset, bool with_arena, struct asz_diag *diag) {
  (void)ret_device;
  (void)preset;
  (void)with_arena;
  return asz_diag_set(diag, ASZ_ENOTSUP, "built without CUDA (no nvcc was found, or -Dcuda=disabled)");
}

size_t asz_prove_cuda_bytes(uint32_t preset, bool with_arena) {
  (void)preset;
  (void)with_arena;
  return 0;
}
