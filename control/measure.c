/* SPDX-License-Identifier: Apache-2.0 */
#include "control/measure.h"

#include <assert.h>

static uint64_t slots_controlled(const struct asz_stats *stats, const struct asz_roster *roster, uint32_t slots) {
  if (roster->control_count == 0)
    return UINT64_MAX;
  uint64_t up = 0;
  for (uint32_t s = 0; s < slots; s++) {
    uint32_t answered = 0;
    for (uint32_t i = 0; i < roster->count; i++)
      answered += roster->provider[i].control && (stats->target[i].slots_up >> s & 1);
    if (answered * 2 >= roster->control_count)
      up |= UINT64_C(1) << s;
  }
  return up;
}

uint64_t asz_measure_slots(const struct asz_plan *plan, const struct asz_stats *stats, const struct asz_roster *roster) {
  assert(plan->target_count == roster->count && stats->target_count == roster->count);
  if (roster->count == 0)
    return 0;
  uint64_t probes_per_slot = (uint64_t)((unsigned __int128)plan->rate_pps * plan->slot_ns / 1000000000u / roster->count);
  uint64_t looks = plan->pair_gap_ns > 0 ? probes_per_slot / 2 : probes_per_slot;
  if (looks < ASZ_SLOT_PROBES_MIN)
    return 0;
  uint32_t slots = (uint32_t)(plan->duration_ns / plan->slot_ns); /* at most 64: checked by the plan */
  uint64_t whole = slots >= 64 ? UINT64_MAX : (UINT64_C(1) << slots) - 1;
  return whole & ~stats->slots_unjudged & slots_controlled(stats, roster, slots);
}

uint64_t asz_measure_slots_of(const struct asz_plan *plan, const struct asz_stats *stats, uint64_t slots_judged, uint32_t i) {
  return slots_judged & ~stats->slots_no_gateway[asz_target_family(&plan->target[i])];
}

static struct asz_variation variation_of(const struct asz_stats *stats, uint32_t index) {
  if (stats->ipdv == NULL)
    return (struct asz_variation){0};
  const struct asz_ipdv *ipdv = &stats->ipdv[index];
  return (struct asz_variation){
      .pairs = ipdv->pairs,
      .forward_mean_ns = asz_ipdv_mean_ns(ipdv->forward_sum, ipdv->pairs),
      .forward_max_ns = asz_bound_ns(ipdv->forward_max),
      .backward_mean_ns = asz_ipdv_mean_ns(ipdv->backward_sum, ipdv->pairs),
      .backward_max_ns = asz_bound_ns(ipdv->backward_max),
  };
}

void asz_measure_fill(struct asz_measure *ret_measure, const struct asz_stats *stats, uint32_t index, uint32_t sent,
                      uint64_t slots_judged, const struct asz_answer_counts *answers) {
  const struct asz_target_stats *t = &stats->target[index];
  uint64_t judged = t->denied ? 0 : slots_judged; /* we chose to be silent */
  *ret_measure = (struct asz_measure){
      .sent = sent,
      .answered = t->answered,
      .late = t->late,
      .duplicate = t->duplicate,
      .reordered = t->reordered,
      .replayed = t->replayed,
      .forged = t->forged,
      .bad_mac = t->bad_mac,
      .wrong_path = t->wrong_path,
      .malformed = t->malformed,
      .unjudged = t->unjudged,
      .slots_judged = judged,
      .slots_up = t->slots_up & judged,
      .rtt_min_ns = t->rtt_min_ns,
      .rtt_max_ns = t->rtt_max_ns,
      .rtt_sum_ns = t->rtt_sum_ns,
      .rtt_error_ns = asz_stats_error_ns(stats, index),
      .variation = variation_of(stats, index),
      .sketch = asz_stats_sketch(stats, index),
      .answers_pass = answers->pass,
      .answers_fail = answers->fail,
      .answers_malformed = answers->malformed,
      .answers_missing = answers->missing,
      .answers_unjudged = answers->unjudged,
  };
}
