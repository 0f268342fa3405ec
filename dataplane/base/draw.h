/* SPDX-License-Identifier: Apache-2.0 */
/* asz_draw: random numbers of the lab that depend on nothing but what they are for: (seed, subject, number, purpose).
 *
 * Counter-based instead of a running state: the loss of provider 7's third probe is the same whether it came early or late, on
 * one core or two, so that two runs of one seed share their truth. The mixer is the finaliser of SplitMix64 (Steele, Lea and
 * Flood, 2014), applied once per input word. Never for keys, cookies or anything that an adversary should not guess. */
#ifndef ASZ_DATAPLANE_BASE_DRAW_H
#define ASZ_DATAPLANE_BASE_DRAW_H

#include <stdint.h>

static inline uint64_t asz_draw_mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/* asz_draw: 64 uniform bits. Pure. */
static inline uint64_t asz_draw(uint64_t seed, uint32_t subject, uint64_t number, uint32_t purpose) {
  return asz_draw_mix(asz_draw_mix(asz_draw_mix(seed) ^ ((uint64_t)purpose << 32 | subject)) ^ number);
}

/* asz_draw_below: 64 uniform bits scaled to [0, limit); 0 for limit 0. The bias is under limit / 2^64. */
static inline uint64_t asz_draw_below(uint64_t bits, uint64_t limit) {
  return (uint64_t)(((unsigned __int128)bits * limit) >> 64);
}

#endif
