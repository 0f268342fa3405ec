/* SPDX-License-Identifier: Apache-2.0 */
/* asz_backends: walks the backends that this CPU supports:
 *   const struct asz_sha256_backend *backend;
 *   for (size_t at = 0; (backend = asz_backends_next(&at));) ... */
#ifndef ASZ_TESTS_GPU_SIMD_BACKENDS_H
#define ASZ_TESTS_GPU_SIMD_BACKENDS_H

#include "gpu/simd/sha256.h"

/* asz_backends_next: the first supported backend from *at on, NULL when there is none; *at goes behind it. */
static inline const struct asz_sha256_backend *asz_backends_next(size_t *at) {
  size_t count;
  const struct asz_sha256_backend *const *backend = asz_sha256_backends(&count);
  while (*at < count && !backend[*at]->is_supported())
    (*at)++;
  return *at < count ? backend[(*at)++] : NULL;
}

#endif
