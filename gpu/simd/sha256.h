/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sha256_backend: many chains x <- SHA-256(x) on 32-byte x, side by side, by whatever this CPU does best.
 *
 * The chains of seq are independent of each other, so that a CPU with vectors holds one chain in each lane of a register, and one
 * with SHA instructions keeps their long latency busy with several chains at a time. Each backend is one file ending in one const
 * table entry; `plain` is gpu/kinds/sha256.h compiled for the host, there everywhere, and what the others are tested against. A
 * backend may be called only where it is supported; the binary itself runs on any x86-64 (only `plain` exists elsewhere).
 *
 * Everything here is pure: no state, no allocation, any thread. What is hashed is public, so nothing is wiped. */
#ifndef ASZ_GPU_SIMD_SHA256_H
#define ASZ_GPU_SIMD_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpu/kinds/sha256.h"

struct asz_sha256_backend {
  const char *name; /* "plain", "avx2", "avx512", "sha-ni", "sha-ni+avx512" */
  unsigned width;   /* chains side by side: a count that is a multiple of it wastes nothing. At most 16, a power of two */
  bool (*is_supported)(void);
  /* advance: x[i] <- SHA-256^steps(x[i]) for i in 0..count-1. Any count, any steps, zero included. Cost: count rounded up to a
   * multiple of width, times steps, compressions. */
  void (*advance)(struct asz_sha256_x *x, size_t count, uint32_t steps);
};

/* asz_sha256_backends: all that were built, `plain` last; *ret_count how many. Some may not be supported here. */
const struct asz_sha256_backend *const *asz_sha256_backends(size_t *ret_count);

/* asz_sha256_backend_best: the fastest one here for many chains. Never NULL. Always the same on one machine. */
const struct asz_sha256_backend *asz_sha256_backend_best(void);

/* asz_sha256_backend_single: the one for a single long chain, which no lanes can help: `sha-ni`, or NULL where libsodium is as
 * good as anything here. */
const struct asz_sha256_backend *asz_sha256_backend_single(void);

#endif
