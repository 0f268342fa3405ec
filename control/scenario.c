/* SPDX-License-Identifier: Apache-2.0 */
/* Everything is made with integers alone, so that a seed names the same network on every machine. A log-uniform delay is an
 * octave above 100 us, uniformly chosen, and a place in it; within the octave the place grows linearly instead of by powers of
 * two: at most 6 % off the curve, and nobody needs a libm that rounds alike. A distribution that a file gives by its quantiles
 * is drawn the same way: a stretch between two of them, each as likely as the others, and a place in it. */
#include "control/scenario.h"

#include <assert.h>
#include <inttypes.h>

#include "control/scenario_private.h"
#include "dataplane/base/draw.h"

/* What is drawn once for a provider; DRAW_KEY + the key of a file. */
enum purpose { DRAW_DELAY, DRAW_LOSS, DRAW_KEY = 1000 };

enum {
  DELAY_NS_MIN = 100000,
  LOSS_PPM_MAX = 5000,
  LOSSY_PPM = 200000,
  SLOW_NS = 250000000,
  FLOOR_NS = 250000000, /* over all delays that are drawn */
  JITTER_DIVISOR = 50,  /* 2 % */
  PPM = 1000000,
  NS_PER_US = 1000,
  PLACE_BITS = 20, /* of a place between two quantiles */
};

/* 200 ms = 100 us * 2^10 * 1.953125: ten octaves and 0.953125 of the eleventh. Q32. */
static const uint64_t octaves_q32 = (UINT64_C(10) << 32) + (UINT64_C(0xf4) << 24);

static uint64_t draw_delay_ns(uint64_t seed, uint32_t provider) {
  uint64_t at_q32 = asz_draw_below(asz_draw(seed, provider, 0, DRAW_DELAY), octaves_q32);
  unsigned octave = (unsigned)(at_q32 >> 32);
  uint64_t base_ns = (uint64_t)DELAY_NS_MIN << octave;
  return base_ns + (base_ns * (at_q32 & UINT32_MAX) >> 32);
}

static void draw_truth(struct asz_truth *ret_truth, uint32_t provider, uint64_t seed, enum asz_cheat cheat) {
  uint64_t delay_ns = draw_delay_ns(seed, provider);
  *ret_truth = (struct asz_truth){
      .delay_ns = delay_ns,
      .jitter_ns = (uint32_t)(delay_ns / JITTER_DIVISOR),
      .loss_ppm = (uint32_t)asz_draw_below(asz_draw(seed, provider, 0, DRAW_LOSS), LOSS_PPM_MAX + 1),
      .cheat = (uint8_t)cheat,
  };
  if (cheat == ASZ_CHEAT_LOSSY)
    ret_truth->loss_ppm = LOSSY_PPM;
  if (cheat == ASZ_CHEAT_SLOW)
    ret_truth->delay_ns += SLOW_NS;
  if (cheat == ASZ_CHEAT_FLOOR)
    ret_truth->floor_ns = FLOOR_NS;
}

void asz_scenario_default(struct asz_truth *ret_truth, uint32_t count, uint64_t seed) {
  for (uint32_t i = 0; i < count; i++)
    draw_truth(&ret_truth[i], i, seed, i < ASZ_CHEAT_COUNT ? (enum asz_cheat)i : ASZ_CHEAT_NONE);
}

/* One provider's value of a key that is given, times `scale`. */
static uint32_t draw_value(const struct asz_scenario_group *g, enum asz_scenario_key key, uint32_t provider, uint64_t seed,
                           uint32_t scale) {
  const struct asz_scenario_range *range = &g->range[key];
  uint64_t stretches = range->count - 1;
  if (stretches == 0)
    return range->quantile[0] * scale;
  uint64_t at = asz_draw_below(asz_draw(seed, provider, 0, DRAW_KEY + key), stretches << PLACE_BITS);
  const uint32_t *q = &range->quantile[at >> PLACE_BITS];
  uint64_t place = at & ((1u << PLACE_BITS) - 1), step = (uint64_t)(q[1] - q[0]) * scale;
  return q[0] * scale + (uint32_t)(step * place >> PLACE_BITS);
}

static void draw_member(struct asz_truth *ret_truth, const struct asz_scenario_group *g, uint32_t provider, uint64_t seed) {
  draw_truth(ret_truth, provider, seed, g->cheat);
  if (g->range[ASZ_SCENARIO_delay_us].count > 0) {
    ret_truth->delay_ns = draw_value(g, ASZ_SCENARIO_delay_us, provider, seed, NS_PER_US);
    ret_truth->jitter_ns = (uint32_t)(ret_truth->delay_ns / JITTER_DIVISOR);
  }
  if (g->range[ASZ_SCENARIO_jitter_us].count > 0)
    ret_truth->jitter_ns = draw_value(g, ASZ_SCENARIO_jitter_us, provider, seed, NS_PER_US);
  if (g->range[ASZ_SCENARIO_detour_us].count > 0)
    ret_truth->detour_ns = draw_value(g, ASZ_SCENARIO_detour_us, provider, seed, NS_PER_US);
  if (g->range[ASZ_SCENARIO_floor_us].count > 0)
    ret_truth->floor_ns = draw_value(g, ASZ_SCENARIO_floor_us, provider, seed, NS_PER_US);
#define FAULT_SET(key, min, max)                                                                                                 \
  if (g->range[ASZ_SCENARIO_##key].count > 0)                                                                                    \
    ret_truth->key = (__typeof__(ret_truth->key))draw_value(g, ASZ_SCENARIO_##key, provider, seed, 1);
  ASZ_SCENARIO_FAULT_LIST(FAULT_SET)
#undef FAULT_SET
}

/* How many of `left` a group takes: a share is rounded up, so that no group is empty in a small lab. */
static uint32_t takes(const struct asz_scenario_group *g, uint32_t count, uint32_t left) {
  if (g->takes_rest)
    return left;
  return g->count > 0 ? g->count : (uint32_t)(((uint64_t)g->share_ppm * count + PPM - 1) / PPM);
}

int asz_scenario_truth(const struct asz_scenario *s, uint32_t count, uint64_t seed, struct asz_truth *ret_truth,
                       struct asz_diag *diag) {
  uint32_t taken = 0;
  for (uint32_t i = 0; i < s->group_count; i++) {
    const struct asz_scenario_group *g = &s->group[i];
    uint32_t left = count - taken, end = taken + takes(g, count, left);
    if (end == taken || end - taken > left)
      return asz_diag_set(diag, ASZ_ERANGE, "%s:%u: %s: expected a group within the %u providers of %u that are left", s->path,
                          g->size_line, g->share_ppm > 0 ? "share_ppm" : "count", left, count);
    for (; taken < end; taken++) {
      draw_member(&ret_truth[taken], g, taken, seed);
      ret_truth[taken].region = (uint16_t)i;
    }
  }
  if (taken < count)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: expected groups for all %u providers (count = rest takes what is left), got %u",
                        s->path, count, taken);
  return 0;
}

static bool shares(const struct asz_scenario_group *g) {
  return g->trait.device.identities > 1;
}

/* Those who share devices are asked in one group where the agenda goes by network or operator, since the lab gives them one of
 * their own of each, if they are no more than a group is. */
static int check_sharing(const struct asz_scenario *s, uint32_t group, uint32_t first, uint32_t end,
                         const struct asz_lab_terms *terms, struct asz_diag *diag) {
  const struct asz_scenario_group *g = &s->group[group];
  const unsigned line = g->device_line[ASZ_SCENARIO_DEVICE_identities], identities = g->trait.device.identities;
  if (!shares(g))
    return 0;
  if (terms->ipv6_ppm > 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: identities: expected ipv6_ppm 0 where devices are shared, got %u", s->path,
                        line, terms->ipv6_ppm);
  if (group > 0 && !shares(g - 1))
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: identities: expected groups that share devices before all others", s->path,
                        line);
  if ((end - first) % identities != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: identities: expected a divisor of the group's %u providers, got %u", s->path,
                        line, end - first, identities);
  if (end > ASZ_AGENDA_GROUP_MAX)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: identities: expected at most %d providers that share devices, got %u", s->path,
                        line, ASZ_AGENDA_GROUP_MAX, end);
  return 0;
}

/* Does what is claimed of time hang on the attack alone? */
static int check_time(const struct asz_scenario *s, const struct asz_scenario_group *g, const struct asz_lab_terms *terms,
                      struct asz_diag *diag) {
  const uint64_t noise_ns = ASZ_LAB_NOISE_MS * UINT64_C(1000000);
  const struct asz_lab_device *device = &g->trait.device;
  if (!asz_lab_attack_is_timed(g->trait.attack))
    return 0;
  if (!asz_lab_attack_is_clear(&g->trait, terms, noise_ns))
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: attack: expected no answer less than %d ms before what decides about it",
                        s->path, g->attack_line, ASZ_LAB_NOISE_MS);
  if (asz_lab_attack_kind(g->trait.attack) == ASZ_KIND_MEM &&
      asz_lab_device_took_ns(device, device->identities) + noise_ns > terms->deadline_ns)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: attack: expected %u builds within the lab's deadline of %" PRIu64 " ms",
                        s->path, g->attack_line, device->identities, terms->deadline_ns / 1000000);
  return 0;
}

static int check_attack(const struct asz_scenario *s, const struct asz_scenario_group *g, uint32_t count,
                        const struct asz_lab_terms *terms, struct asz_diag *diag) {
  const char *name = asz_lab_attack_name(g->trait.attack);
  if (g->trait.attack == ASZ_LAB_ATTACK_NONE)
    return 0;
  if (count > ASZ_LAB_KEYED_MAX)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: attack: expected at most %d providers with attack = %s, got %u", s->path,
                        g->attack_line, ASZ_LAB_KEYED_MAX, name, count);
  if (asz_lab_attack_kind(g->trait.attack) > ASZ_KIND_SINGLE_MAX && terms->openings == 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: attack: expected openings of [lab] from 1 to %d with attack = %s, got 0",
                        s->path, g->attack_line, ASZ_OPENINGS_MAX, name);
  return check_time(s, g, terms, diag);
}

int asz_scenario_traits(const struct asz_scenario *s, const struct asz_truth *truth, uint32_t count,
                        const struct asz_lab_terms *terms, struct asz_lab_trait *ret_trait, struct asz_diag *diag) {
  uint32_t taken = 0;
  for (uint32_t i = 0; i < s->group_count; i++) {
    const struct asz_scenario_group *g = &s->group[i];
    const uint32_t first = taken;
    for (; taken < count && truth[taken].region == i; taken++) {
      ret_trait[taken] = g->trait;
      ret_trait[taken].device_number = taken - (taken - first) % g->trait.device.identities;
    }
    int err = check_attack(s, g, count, terms, diag);
    if (!err)
      err = check_sharing(s, i, first, taken, terms, diag);
    if (err)
      return err;
  }
  return 0;
}

uint32_t asz_scenario_sharing(const struct asz_lab_trait *trait, uint32_t count) {
  uint32_t sharing = 0;
  while (sharing < count && trait[sharing].device.identities > 1)
    sharing++;
  return sharing;
}

const char *asz_scenario_group(const struct asz_scenario *scenario, uint32_t region) {
  assert(region < scenario->group_count);
  return scenario->group[region].name;
}

struct asz_scenario_lab asz_scenario_lab(const struct asz_scenario *scenario) {
#define LAB_FALLBACK(key, fallback, min, max) .key = fallback,
  static const struct asz_scenario_lab fallback = {ASZ_SCENARIO_LAB_LIST(LAB_FALLBACK)};
#undef LAB_FALLBACK
  return scenario ? scenario->lab : fallback;
}
