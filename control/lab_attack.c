/* SPDX-License-Identifier: Apache-2.0 */
#include "control/lab_attack.h"

#include <assert.h>
#include <string.h>

#include "control/fold_pace.h"

enum chance { NEVER, COLUMNS, RANK, COLUMN, STEP, QUEUE };

static const struct {
  const char *name;
  uint8_t kind, verdict, chance;
} attacks[] = {[ASZ_LAB_ATTACK_NONE] = {.name = "none", .verdict = ASZ_VERDICT_FAIL},
#define ROW(symbol, name, kind, verdict, chance, help)                                                                           \
  [ASZ_LAB_ATTACK_##symbol] = {name, ASZ_KIND_##kind, ASZ_VERDICT_##verdict, chance},
               ASZ_LAB_ATTACK_LIST(ROW)
#undef ROW
};

const char *asz_lab_attack_name(enum asz_lab_attack attack) {
  assert(attack < ASZ_LAB_ATTACK_COUNT);
  return attacks[attack].name;
}

enum asz_lab_attack asz_lab_attack_from_name(const char *name) {
  unsigned attack = 0;
  while (attack < ASZ_LAB_ATTACK_COUNT && strcmp(attacks[attack].name, name) != 0)
    attack++;
  return attack;
}

unsigned asz_lab_attack_kind(enum asz_lab_attack attack) {
  assert(attack < ASZ_LAB_ATTACK_COUNT);
  return attacks[attack].kind;
}

bool asz_lab_attack_is_tried(enum asz_lab_attack attack, unsigned kind, unsigned param) {
  if (attack == ASZ_LAB_ATTACK_NONE)
    return true;
  return kind == asz_lab_attack_kind(attack) &&
         (kind != ASZ_KIND_MEM || attack == ASZ_LAB_ATTACK_LAZY_ARENA || asz_param_is_fold(kind, param));
}

enum asz_verdict asz_lab_attack_verdict(enum asz_lab_attack attack) {
  assert(attack < ASZ_LAB_ATTACK_COUNT);
  return attacks[attack].verdict;
}

bool asz_lab_attack_is_timed(enum asz_lab_attack attack) {
  assert(attack < ASZ_LAB_ATTACK_COUNT);
  return attack != ASZ_LAB_ATTACK_NONE && attacks[attack].chance == QUEUE;
}

uint32_t asz_lab_attack_columns_max(enum asz_lab_attack attack) {
  const struct asz_preset *preset = asz_preset_of(ASZ_LAB_PRESET);
  assert(attack < ASZ_LAB_ATTACK_COUNT);
  switch (attacks[attack].chance) {
  case COLUMNS:
    return preset->t * preset->m;
  case RANK:
    return preset->m - 1;
  default:
    return 0;
  }
}

/* The probability that an opening is right, as a fraction. */
struct fraction {
  uint32_t of, all;
};
static struct fraction chance_of(const struct asz_lab_trait *trait) {
  const struct asz_preset *preset = asz_preset_of(ASZ_LAB_PRESET);
  const uint32_t columns = preset->t * preset->m;
  switch (attacks[trait->attack].chance) {
  case COLUMNS:
    return (struct fraction){columns - trait->columns, columns};
  case RANK:
    return (struct fraction){trait->columns, preset->m};
  case COLUMN:
    return (struct fraction){1, preset->m};
  case STEP:
    return (struct fraction){1, preset->t};
  default:
    return (struct fraction){0, 1};
  }
}

/* Is an answer that takes so long, and the way, late or a fold out of bounds? */
static bool is_out_of_bounds(const struct asz_lab_trait *trait, const struct asz_lab_terms *terms, uint64_t took_ns) {
  const uint64_t arena_bytes = asz_mem_arena_bytes(ASZ_LAB_PRESET);
  if (took_ns > terms->deadline_ns)
    return true;
  if (asz_lab_attack_kind(trait->attack) != ASZ_KIND_MEM)
    return false;
  return asz_fold_pace_of(took_ns, arena_bytes, asz_lab_device_claim(&trait->device, arena_bytes), terms->allowance_ns) !=
         ASZ_FOLD_PACE_IN_BOUNDS;
}

static uint32_t queue_claim_ppb(const struct asz_lab_trait *trait, const struct asz_lab_terms *terms) {
  const uint64_t all = trait->device.identities;
  uint64_t out = 0;
  for (uint32_t place = 1; place <= all; place++)
    out += is_out_of_bounds(trait, terms, asz_lab_device_took_ns(&trait->device, place));
  return (uint32_t)((out * 1000000000 + all / 2) / all);
}

bool asz_lab_attack_is_clear(const struct asz_lab_trait *trait, const struct asz_lab_terms *terms, uint64_t noise_ns) {
  for (uint32_t place = 1; place <= trait->device.identities; place++) {
    const uint64_t took_ns = asz_lab_device_took_ns(&trait->device, place);
    if (is_out_of_bounds(trait, terms, took_ns) != is_out_of_bounds(trait, terms, took_ns + noise_ns))
      return false;
  }
  return true;
}

uint32_t asz_lab_attack_claim_ppb(const struct asz_lab_trait *trait, const struct asz_lab_terms *terms) {
  const uint64_t one_q62 = UINT64_C(1) << 62;
  if (trait->attack == ASZ_LAB_ATTACK_NONE)
    return 0;
  if (asz_lab_attack_is_timed(trait->attack))
    return queue_claim_ppb(trait, terms);
  const struct fraction chance = chance_of(trait);
  const uint64_t right_q62 = (uint64_t)(((unsigned __int128)chance.of << 62) / chance.all);
  const bool is_opened = asz_lab_attack_kind(trait->attack) > ASZ_KIND_SINGLE_MAX;
  uint64_t all_right_q62 = right_q62;
  for (unsigned i = 1; is_opened && i < terms->openings; i++)
    all_right_q62 = (uint64_t)((unsigned __int128)all_right_q62 * right_q62 >> 62);
  return (uint32_t)(((unsigned __int128)(one_q62 - all_right_q62) * 1000000000 + one_q62 / 2) >> 62);
}
