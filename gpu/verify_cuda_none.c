/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the place of verify_cuda.cu in a build without nvcc. */
#include "gpu/device.h"

int asz_device_cuda_open(struct asz_device *ret_device, struct asz_diag *diag) {
  (void)ret_device;
  return asz_diag_set(diag, ASZ_ENOTSUP, "built without CUDA (no nvcc was found, or -Dcuda=disabled)");
}
