/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sha256_lanes: one chain in each 32-bit lane of a vector; the source that AVX2 and AVX-512 share.
 *
 * Who includes it defines first: LANES; vec, its type; vec_add, vec_broadcast (of a word in memory), vec_sum0, vec_sum1 (the
 * capital sigmas of FIPS 180-4), vec_sigma0, vec_sigma1, vec_choose, vec_majority.
 *
 * A step is unrolled completely: 64 rounds on eight names that move by one, and 48 schedule words in a ring of 16. */
#ifndef ASZ_GPU_SIMD_SHA256_LANES_H
#define ASZ_GPU_SIMD_SHA256_LANES_H

#include <string.h>

#include "gpu/simd/sha256_private.h"
#include "gpu/simd/sha256_schedule.h"

/* A round's second half: the names move, given what the first half found. s[4] before: d; s[0] after: t1 + t2. */
ASZ_SHA256_INLINE void lanes_turn(vec s[8], vec new_a, vec new_e) {
  for (int i = 7; i > 0; i--)
    s[i] = s[i - 1];
  s[4] = new_e;
  s[0] = new_a;
}

/* A round with k_plus_w = k + w already added. b_xor_c goes from round to round: vec_majority says how. */
ASZ_SHA256_INLINE void lanes_round(vec s[8], vec k_plus_w, vec *b_xor_c) {
  vec t1 = vec_add(vec_add(s[7], k_plus_w), vec_add(vec_choose(s[4], s[5], s[6]), vec_sum1(s[4])));
  vec t2 = vec_add(vec_majority(s[0], s[1], s[2], b_xor_c), vec_sum0(s[0]));
  lanes_turn(s, vec_add(t1, t2), vec_add(s[3], t1));
}

/* Rounds 0..3, which know part of the state. */
ASZ_SHA256_INLINE void lanes_first_rounds(vec s[8], const vec w[16], vec *b_xor_c) {
  const struct asz_sha256_constants *c = &asz_sha256_constants;
  for (int i = 0; i < 8; i++)
    s[i] = vec_broadcast(&c->initial[i]);
  vec_majority(s[0], s[1], s[2], b_xor_c);
  lanes_turn(s, vec_add(w[0], vec_broadcast(&c->round0_a)), vec_add(w[0], vec_broadcast(&c->round0_e)));
  ASZ_SHA256_UNROLL
  for (int i = 1; i < 4; i++) {
    vec t = vec_add(w[i], vec_add(vec_choose(s[4], s[5], s[6]), vec_sum1(s[4])));
    vec t2 = vec_add(vec_majority(s[0], s[1], s[2], b_xor_c), vec_sum0(s[0]));
    vec new_a = vec_add(vec_add(t, vec_broadcast(&c->round123_t[i - 1])), t2);
    lanes_turn(s, new_a, vec_add(t, vec_broadcast(&c->round123_e[i - 1])));
  }
}

ASZ_SHA256_INLINE vec lanes_word(const vec w[16], int i) {
  if (!schedule_has_high(i))
    return schedule_low(w, i);
  if (!schedule_has_low(i))
    return schedule_high(w, i);
  return vec_add(schedule_low(w, i), schedule_high(w, i));
}

/* x[0..7] <- SHA-256 of the block that they are, `steps` times. */
ASZ_SHA256_INLINE void lanes_chain(vec x[8], uint32_t steps) {
  const struct asz_sha256_constants *c = &asz_sha256_constants;
  for (uint32_t step = 0; step < steps; step++) {
    vec s[8], w[16], b_xor_c;
    ASZ_SHA256_UNROLL
    for (int i = 0; i < 8; i++)
      w[i] = x[i];
    lanes_first_rounds(s, w, &b_xor_c);
    ASZ_SHA256_UNROLL
    for (int i = 4; i < 8; i++)
      lanes_round(s, vec_add(w[i], vec_broadcast(&c->k[i])), &b_xor_c);
    ASZ_SHA256_UNROLL
    for (int i = 8; i < 16; i++)
      lanes_round(s, vec_broadcast(&c->k[i]), &b_xor_c);
    ASZ_SHA256_UNROLL
    for (int i = 16; i < 64; i++) {
      w[i & 15] = lanes_word(w, i);
      lanes_round(s, vec_add(w[i & 15], vec_broadcast(&c->k[i])), &b_xor_c);
    }
    ASZ_SHA256_UNROLL
    for (int i = 0; i < 8; i++)
      x[i] = vec_add(s[i], vec_broadcast(&c->initial[i]));
  }
}

/* LANES chains at a time; the lanes that count leaves empty work on zeros. */
static inline void lanes_advance(struct asz_sha256_x *x, size_t count, uint32_t steps) {
  for (size_t first = 0; first < count; first += LANES) {
    size_t used = count - first < LANES ? count - first : LANES;
    uint32_t word[8][LANES] __attribute__((aligned(64))) = {{0}};
    for (size_t lane = 0; lane < used; lane++)
      for (int i = 0; i < 8; i++)
        word[i][lane] = x[first + lane].word[i];
    vec state[8];
    memcpy(state, word, sizeof state);
    lanes_chain(state, steps);
    memcpy(word, state, sizeof state);
    for (size_t lane = 0; lane < used; lane++)
      for (int i = 0; i < 8; i++)
        x[first + lane].word[i] = word[i][lane];
  }
}

#endif
