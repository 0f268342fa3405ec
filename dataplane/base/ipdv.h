/* SPDX-License-Identifier: Apache-2.0 */
/* asz_ipdv: by how much the delay of one packet differs from that of the next (RFC 3393), each way by itself.
 *
 * Of the probes of a target, 2k and 2k + 1 are a pair (the selection function of RFC 3393 section 2.3): sent a few milliseconds
 * apart. Forward it is (T2' - T2) - (T1' - T1), backward (T4' - T4) - (T3' - T3), with T1 and T4 by our clock, T2 and T3 by the
 * reflector's: what the clocks differ by cancels, and what they drift apart in those milliseconds remains (50 ppm of 5 ms: 250
 * ns). Only of pairs of which both were answered in time. What the reflector writes is its own word: advice, never scored.
 *
 * Each one-way delay is kept as a multiple of 2^-30 s, modulo 4 s, so a variation is right up to 2 s. Pure; one writer. */
#ifndef ASZ_DATAPLANE_BASE_IPDV_H
#define ASZ_DATAPLANE_BASE_IPDV_H

#include <stdint.h>

#include "dataplane/base/bound.h"

struct asz_ipdv {
  uint32_t forward, backward;         /* one-way delays of the answer that waits for its other half */
  uint32_t held;                      /* its sequence + 1; 0: none waits */
  uint16_t pairs;                     /* stays at its end, as do the sums then */
  uint8_t forward_max, backward_max;  /* asz_bound of the largest absolute variation; 0: none */
  uint64_t forward_sum, backward_sum; /* of absolute variations, 2^-30 s */
};
_Static_assert(sizeof(struct asz_ipdv) == 32, "two to a cache line");

static inline uint64_t asz_ipdv_ns(uint64_t value) {
  return (uint64_t)(((unsigned __int128)value * 1000000000 + (1 << 29)) >> 30);
}

/* The absolute variation between two delays. */
static inline uint32_t asz_ipdv_between(uint32_t a, uint32_t b) {
  int32_t difference = (int32_t)(a - b);
  return difference < 0 ? -(uint32_t)difference : (uint32_t)difference;
}

static inline uint8_t asz_ipdv_max(uint8_t most, uint32_t value) {
  uint8_t code = asz_bound_code(asz_ipdv_ns(value));
  return code > most ? code : most;
}

/* asz_ipdv_take: an answer to probe `seq` < 2^32 - 1, each answered one once, in any order; delays are differences of NTP64
 * times: T2 - T1 and T4 - T3, whatever the clocks differ by. */
static inline void asz_ipdv_take(struct asz_ipdv *ipdv, uint32_t seq, uint64_t forward_ntp64, uint64_t backward_ntp64) {
  uint32_t forward = (uint32_t)(forward_ntp64 >> 2), backward = (uint32_t)(backward_ntp64 >> 2);
  if (ipdv->held != (seq ^ 1) + 1) {
    ipdv->held = seq + 1;
    ipdv->forward = forward;
    ipdv->backward = backward;
    return;
  }
  ipdv->held = 0;
  if (ipdv->pairs == UINT16_MAX)
    return;
  uint32_t forward_varied = asz_ipdv_between(forward, ipdv->forward);
  uint32_t backward_varied = asz_ipdv_between(backward, ipdv->backward);
  ipdv->pairs++;
  ipdv->forward_sum += forward_varied;
  ipdv->backward_sum += backward_varied;
  ipdv->forward_max = asz_ipdv_max(ipdv->forward_max, forward_varied);
  ipdv->backward_max = asz_ipdv_max(ipdv->backward_max, backward_varied);
}

/* asz_ipdv_mean_ns: of a sum over `pairs`; 0 for none. */
static inline uint64_t asz_ipdv_mean_ns(uint64_t sum, uint16_t pairs) {
  return pairs == 0 ? 0 : asz_ipdv_ns((sum + pairs / 2) / pairs);
}

#endif
