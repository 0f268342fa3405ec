/* SPDX-License-Identifier: Apache-2.0 */
/* Which backends of gemm and mem this machine can run. */
#include "gpu/simd/gemm.h"

#include <string.h>

static const struct asz_gemm_backend *const fastest_first[] = {
#if defined(__x86_64__)
    &asz_gemm_avx512,
    &asz_gemm_avx2,
#endif
    &asz_gemm_plain,
};

const struct asz_gemm_backend *asz_gemm_backend_at(unsigned index) {
  for (size_t i = 0; i < sizeof fastest_first / sizeof fastest_first[0]; i++)
    if (fastest_first[i]->is_here() && index-- == 0)
      return fastest_first[i];
  return NULL;
}

const struct asz_gemm_backend *asz_gemm_backend_named(const char *name) {
  const struct asz_gemm_backend *backend;
  for (unsigned i = 0; (backend = asz_gemm_backend_at(i)) != NULL; i++)
    if (strcmp(backend->name, name) == 0)
      return backend;
  return NULL;
}
