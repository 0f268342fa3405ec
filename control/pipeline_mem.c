/* SPDX-License-Identifier: Apache-2.0 */
/* mem: in its first slot of an epoch a provider builds its arena, in all others it folds what it built. What was built is known
 * by the root that it signed, in time. It stays known unless its build was not opened, or opened wrong: then a build is asked for
 * again. A fold of another arena than that is a wrong signed answer: FAIL. Everything here is lost with the process, and then a
 * build is asked for again. */
#include <sodium.h>
#include <string.h>

#include "control/pipeline_internal.h"

static const uint8_t *root_of(const uint8_t *answer) {
  return answer + ASZ_ANSWER_HEAD_BYTES;
}

static bool is_fold(const struct asz_item *item) {
  return asz_param_is_fold(ASZ_KIND_MEM, item->param);
}

static struct asz_arena *arena_of(const struct asz_pipeline *p, uint32_t index) {
  return &p->arena[asz_pipeline_provider(p, index)];
}

uint8_t asz_pipeline_mem_param(const struct asz_pipeline *p, uint32_t provider) {
  bool built = p->arena[provider].known && p->arena[provider].epoch == p->epoch;
  return (uint8_t)(p->config.mem_preset | (built ? ASZ_MEM_FOLD : 0));
}

int asz_pipeline_mem_consent(const struct asz_pipeline *p, uint32_t index) {
  const struct asz_declaration *declared = &p->enrolled[asz_pipeline_provider(p, index)].declaration;
  if (!(declared->consent >> ASZ_KIND_MEM & 1) || !asz_mem_covers(declared->mem_preset, p->config.mem_preset))
    return 0;
  return is_fold(&p->item[index]) || declared->free_bytes >= asz_mem_arena_bytes(p->config.mem_preset);
}

enum asz_verdict asz_pipeline_mem_signed(struct asz_pipeline *p, uint32_t index, const uint8_t seed[32]) {
  struct asz_arena *arena = arena_of(p, index);
  const uint8_t *answer = p->answer[index], *root = root_of(answer);
  if (is_fold(&p->item[index]))
    return memcmp(root, root_of(arena->answer), 32) == 0 ? ASZ_VERDICT_NONE : ASZ_VERDICT_FAIL;
  if (!sodium_is_zero(root + 32, 32))
    return ASZ_VERDICT_MALFORMED;
  *arena = (struct asz_arena){.known = true, .epoch = p->epoch};
  memcpy(arena->seed, seed, 32);
  memcpy(arena->answer, answer, sizeof arena->answer);
  return ASZ_VERDICT_NONE;
}

static uint64_t claim_of(const struct asz_pipeline *p, uint32_t provider) {
  return p->enrolled[provider].declaration.bandwidth_bytes_ps;
}

static uint64_t allowance_ns_of(const struct asz_pipeline *p, uint32_t provider) {
  return asz_rtt_target_of(&p->config.targets, &p->roster->provider[provider]);
}

uint64_t asz_pipeline_mem_due_ns(const struct asz_pipeline *p, uint32_t index) {
  uint32_t provider = asz_pipeline_provider(p, index);
  uint64_t claim = claim_of(p, provider);
  if (!is_fold(&p->item[index]) || claim == 0)
    return 0;
  return asz_fold_pace_due_ns(asz_mem_arena_bytes(p->config.mem_preset), claim, allowance_ns_of(p, provider));
}

void asz_pipeline_mem_ended(struct asz_pipeline *p, uint32_t index, struct asz_outcome *outcome) {
  static const enum asz_pipeline_counter counter_of[] = {
      [ASZ_FOLD_PACE_NONE] = ASZ_PCTR_FOLDS_UNTIMED,
      [ASZ_FOLD_PACE_IN_BOUNDS] = ASZ_PCTR_FOLDS_IN_BOUNDS,
      [ASZ_FOLD_PACE_TOO_SLOW] = ASZ_PCTR_FOLDS_TOO_SLOW,
      [ASZ_FOLD_PACE_TOO_FAST] = ASZ_PCTR_FOLDS_TOO_FAST,
  };
  struct asz_arena *arena = arena_of(p, index);
  if (!is_fold(&p->item[index])) {
    arena->known &= outcome->verdict == ASZ_VERDICT_PASS || outcome->verdict == ASZ_VERDICT_UNJUDGED;
    return;
  }
  outcome->exchange.piece[ASZ_PIECE_BUILD] = (struct asz_span){arena->answer, sizeof arena->answer};
  if (outcome->verdict != ASZ_VERDICT_PASS)
    return;
  uint32_t provider = asz_pipeline_provider(p, index);
  outcome->claimed_bytes_ps = claim_of(p, provider);
  if (outcome->is_timed)
    outcome->pace = (uint8_t)asz_fold_pace_of(outcome->took_ns, asz_mem_arena_bytes(p->config.mem_preset),
                                              outcome->claimed_bytes_ps, allowance_ns_of(p, provider));
  p->counter[counter_of[outcome->pace]]++;
}
