/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sha256_schedule: a word of the message schedule in each lane of a vector, for every backend that has lanes.
 *
 * Who includes it defines first: vec, its type; vec_add, vec_broadcast (of a word in memory), vec_sigma0, vec_sigma1. */
#ifndef ASZ_GPU_SIMD_SHA256_SCHEDULE_H
#define ASZ_GPU_SIMD_SHA256_SCHEDULE_H

#include "gpu/simd/sha256_private.h"

/* Word i of the schedule, 16..63, is schedule_low + schedule_high, from the ring w of the 16 words before it. Words 8..15 of
 * the block are not in the ring: what comes of them is a constant or nothing. Only the high half waits for word i-2. */
ASZ_SHA256_INLINE bool schedule_has_low(int i) {
  return i < 25 || i > 29;
}

ASZ_SHA256_INLINE bool schedule_has_high(int i) {
  return i > 17;
}

/* sigma0(w[i-15]) + w[i-16], and the constants of sigma1(w[i-2]) + w[i-7]. */
ASZ_SHA256_INLINE vec schedule_low(const vec w[16], int i) {
  const struct asz_sha256_constants *c = &asz_sha256_constants;
  if (i == 24)
    return vec_broadcast(&c->word8);
  if (i == 30)
    return vec_broadcast(&c->sigma0_word15);
  if (i == 23)
    return vec_add(w[i & 15], vec_broadcast(&c->sigma0_word8));
  vec sigma0 = vec_sigma0(w[(i + 1) & 15]);
  if (i == 31)
    return vec_add(sigma0, vec_broadcast(&c->word15));
  vec low = vec_add(sigma0, w[i & 15]);
  return i == 17 ? vec_add(low, vec_broadcast(&c->sigma1_word15)) : i == 22 ? vec_add(low, vec_broadcast(&c->word15)) : low;
}

/* sigma1(w[i-2]) + w[i-7]. */
ASZ_SHA256_INLINE vec schedule_high(const vec w[16], int i) {
  vec sigma1 = vec_sigma1(w[(i + 14) & 15]);
  return i < 23 ? sigma1 : vec_add(sigma1, w[(i + 9) & 15]);
}

#endif
