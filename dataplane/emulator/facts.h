/* SPDX-License-Identifier: Apache-2.0 */
/* asz_provider_facts: all that a decision about one provider may depend on beside the number of the probe, and what each decision
 * draws for. Everything in the lab that is left to chance is drawn here. Pure. */
#ifndef ASZ_DATAPLANE_EMULATOR_FACTS_H
#define ASZ_DATAPLANE_EMULATOR_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/draw.h"
#include "dataplane/emulator/emulator.h"

struct asz_provider_facts {
  const struct asz_truth *truth;
  uint64_t seed;
  uint64_t timeout_ns;
  uint64_t interval_ns; /* of the provider's probes */
  uint32_t provider;
};

/* One draw each: a new purpose, at the end, changes none of the others. */
enum asz_draw_purpose {
  ASZ_DRAW_LOSS,
  ASZ_DRAW_JITTER,
  ASZ_DRAW_DWELL,
  ASZ_DRAW_EXTRA,
  ASZ_DRAW_CHALLENGE_LOSS,
  ASZ_DRAW_ANSWER_JITTER,
  ASZ_DRAW_SYN,
  ASZ_DRAW_WEATHER,
  ASZ_DRAW_OUTAGE,
  ASZ_DRAW_CORRUPTION,
  ASZ_DRAW_CORRUPT_BIT,
  ASZ_DRAW_DUPLICATE,
  ASZ_DRAW_DUPLICATE_LAG,
  ASZ_DRAW_DETOUR,
  ASZ_DRAW_REGION_OUTAGE, /* of a region, not of a provider */
};

enum { ASZ_EMULATOR_PPM = 1000000 };

static inline uint64_t asz_facts_draw(const struct asz_provider_facts *facts, uint64_t number, enum asz_draw_purpose purpose) {
  return asz_draw(facts->seed, facts->provider, number, purpose);
}

/* asz_facts_chance: true for a share of `ppm` of all numbers; nothing is drawn for what never happens. */
static inline bool asz_facts_chance(const struct asz_provider_facts *facts, uint64_t number, enum asz_draw_purpose purpose,
                                    uint32_t ppm) {
  return ppm != 0 && asz_draw_below(asz_facts_draw(facts, number, purpose), ASZ_EMULATOR_PPM) < ppm;
}

#endif
