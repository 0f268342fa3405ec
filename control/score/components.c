/* SPDX-License-Identifier: Apache-2.0 */
/* The components of a score and the composite: each a number in 0..10^6 ppm. */
#include <assert.h>

#include "control/score/fixed.h"
#include "control/score/score_private.h"

enum { LATENCY_OCTAVES = 3, NINES_FOR_ONE = 4 };

uint32_t asz_ratio_ppm(uint64_t part, uint64_t whole) {
  assert(whole > 0 && part <= whole);
  return (uint32_t)((unsigned __int128)part * ASZ_PPM / whole);
}

/* part / whole in ppm, to the nearest; both >= 0. The logarithms are good to 2^-31: far under a ppm. */
static uint32_t nearest_ppm(int64_t part_q32, int64_t whole_q32) {
  if (part_q32 >= whole_q32)
    return ASZ_PPM;
  return (uint32_t)(((__int128)part_q32 * ASZ_PPM + whole_q32 / 2) / whole_q32);
}

uint32_t asz_s_availability_ppm(uint32_t low_ppm) {
  if (low_ppm >= ASZ_PPM)
    return ASZ_PPM;
  /* -log10(1 - L) / 4 = log2(10^6 / (10^6 - low)) / (4 log2(10)); the scale of a difference of logarithms is any */
  int64_t nines_log2 = asz_log2_q32(ASZ_PPM) - asz_log2_q32(ASZ_PPM - low_ppm);
  int64_t log2_of_10 = asz_log2_q32(10 * ASZ_Q32_ONE);
  return nearest_ppm(nines_log2, NINES_FOR_ONE * log2_of_10);
}

uint32_t asz_s_latency_ppm(uint64_t rtt_q95_ns, uint64_t rtt_target_ns) {
  assert(rtt_target_ns > 0);
  if (rtt_q95_ns == 0)
    return 0; /* no reply */
  int64_t octaves = asz_log2_q32(rtt_q95_ns) - asz_log2_q32(rtt_target_ns);
  if (octaves <= 0)
    return ASZ_PPM;
  return ASZ_PPM - nearest_ppm(octaves, LATENCY_OCTAVES * (int64_t)ASZ_Q32_ONE);
}

void asz_beta_step(struct asz_score_state *state, bool right) {
  state->alpha_q32 = (uint64_t)((unsigned __int128)state->alpha_q32 * 999 / 1000) + (right ? ASZ_Q32_ONE : 0);
  state->beta_q32 = (uint64_t)((unsigned __int128)state->beta_q32 * 999 / 1000) + (right ? 0 : ASZ_Q32_ONE);
}

/* log2(ppm / 10^6), <= 0 */
static int64_t log2_of_ppm(uint32_t ppm) {
  return asz_log2_q32(ppm) - asz_log2_q32(ASZ_PPM);
}

uint32_t asz_composite_ppm(uint32_t s_availability_ppm, uint32_t s_latency_ppm) {
  assert(s_availability_ppm <= ASZ_PPM && s_latency_ppm <= ASZ_PPM);
  if (s_availability_ppm == 0 || s_latency_ppm == 0)
    return 0;
  /* .40/.55 = 8/11 and .15/.55 = 3/11: the weights of what this version measures, scaled to sum to one. One sum of logarithms and
   * one power, where two powers would round each factor to Q32, too coarse for the 3/11th power of a few ppm. */
  int64_t log2_sum = 8 * log2_of_ppm(s_availability_ppm) + 3 * log2_of_ppm(s_latency_ppm);
  uint64_t product_q32 = asz_exp2_neg_q32(-((-log2_sum + 10) / 11)); /* away from zero: down */
  return (uint32_t)((unsigned __int128)product_q32 * ASZ_PPM >> 32);
}

uint8_t asz_tier_of(uint32_t composite_ppm, uint32_t window_uptime_ppm) {
  /* Uptimes: the seven tiers of Spheron's provider ladder. Composites: that of a provider whose certified uptime is the rung and
   * whose q95 is twice its target, rounded down to a hundredth. */
  static const struct {
    uint32_t uptime_ppm, composite_ppm;
  } rung[] = {{990000, 540000}, {980000, 480000}, {970000, 440000}, {950000, 390000},
              {900000, 320000}, {850000, 280000}, {750000, 220000}};
  _Static_assert(sizeof rung / sizeof rung[0] == ASZ_TIER_WORST, "a rung for every tier");
  for (uint8_t tier = ASZ_TIER_BEST; tier <= ASZ_TIER_WORST; tier++) {
    if (window_uptime_ppm >= rung[tier - 1].uptime_ppm && composite_ppm >= rung[tier - 1].composite_ppm)
      return tier;
  }
  return ASZ_TIER_NONE;
}
