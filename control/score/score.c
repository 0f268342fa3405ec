/* SPDX-License-Identifier: Apache-2.0 */
/* An epoch's score: window, components, composite, tier, in this order. docs/scoring.md defines each number; here is only who
 * feeds whom.
 *
 * What was not judged never counts: an epoch in which the engine or our network failed has no judged slots, leaves the window as
 * it is and says NO_DATA. */
#include <assert.h>
#include <string.h>

#include "control/score/score_private.h"
#include "dataplane/base/bound.h"

const char *asz_binding_name(enum asz_binding binding) {
  static const char *const names[] = {
#define ASZ_BINDING_NAME(symbol, name) name,
      ASZ_BINDING_LIST(ASZ_BINDING_NAME)
#undef ASZ_BINDING_NAME
  };
  return (unsigned)binding < ASZ_BINDING_COUNT ? names[binding] : "unknown";
}

/* Right answers first, then wrong ones: the order within an epoch is not kept. After 65,535 steps
 * nothing is left of what was before (.999^65535 < 2^-94), so that more of one kind change nothing. */
static void count_answers(struct asz_score_state *state, const struct asz_measure *measure) {
  enum { STEPS_MAX = 65535 };
  uint64_t wrong = (uint64_t)measure->answers_fail + measure->answers_malformed;
  for (uint32_t i = 0; i < measure->answers_pass && i < STEPS_MAX; i++)
    asz_beta_step(state, true);
  for (uint32_t i = 0; i < wrong && i < STEPS_MAX; i++)
    asz_beta_step(state, false);
}

static void score_probes(const struct asz_measure *measure, struct asz_score *score) {
  uint64_t up = measure->slots_up & measure->slots_judged;
  score->slots_judged = (uint32_t)__builtin_popcountll(measure->slots_judged);
  score->uptime_ppm =
      score->slots_judged ? asz_ratio_ppm((uint64_t)__builtin_popcountll(up), score->slots_judged) : (uint32_t)ASZ_PPM;
  if (measure->sent) {
    uint32_t answered = measure->answered < measure->sent ? measure->answered : measure->sent;
    score->loss_ppm = ASZ_PPM - asz_ratio_ppm(answered, measure->sent);
  }
  if (measure->answered) {
    score->rtt_min_ns = measure->rtt_min_ns;
    score->rtt_q50_ns = asz_sketch_quantile(&measure->sketch, 500000);
    score->rtt_q95_ns = asz_sketch_quantile(&measure->sketch, 950000);
    score->rtt_q99_ns = asz_sketch_quantile(&measure->sketch, 990000);
    score->variation = measure->variation;
    if (measure->rtt_error_ns > 0)
      score->rtt_error_ns = asz_bound_ns(asz_bound_code(measure->rtt_error_ns));
  }
}

static void score_window(const struct asz_score_state *state, const struct asz_measure *measure, uint32_t day,
                         uint32_t sla_uptime_ppm, struct asz_score *score) {
  static const struct asz_day nothing;
  const struct asz_day *bucket = &state->day[day % ASZ_WINDOW_DAYS];
  struct asz_day window = asz_window_sum(state, day);
  score->window_slots = window.judged;
  score->window_uptime_ppm = window.judged ? asz_ratio_ppm(window.up, window.judged) : (uint32_t)ASZ_PPM;
  score->availability_low_ppm = asz_window_low_ppm(&window);
  score->slots_missing = asz_window_missing(&window);
  asz_sla_account(&window, bucket->day == day ? bucket : &nothing, measure->slots_judged, measure->slots_up, sla_uptime_ppm,
                  &score->sla);
}

static uint32_t confidence_ppm(const struct asz_score_state *state, const struct asz_score_params *params, uint64_t end_ns) {
  uint64_t age_ns = state->slots_total && end_ns > state->first_ns ? end_ns - state->first_ns : 0;
  uint64_t age_due_ns = params->vetting_days * ASZ_DAY_NS;
  uint32_t by_days = age_ns < age_due_ns ? asz_ratio_ppm(age_ns, age_due_ns) : (uint32_t)ASZ_PPM;
  uint32_t by_slots =
      state->slots_total < params->vetting_slots ? asz_ratio_ppm(state->slots_total, params->vetting_slots) : (uint32_t)ASZ_PPM;
  return by_days < by_slots ? by_days : by_slots;
}

/* The composite and what bound it. Quarantine binds before the lack of data: it does not end with an epoch that we missed. */
static void compose(struct asz_score *score) {
  if (!score->gate_open) {
    score->binding = ASZ_BINDING_GATE;
  } else if (score->slots_judged == 0) {
    score->binding = ASZ_BINDING_NO_DATA;
  } else if (score->rtt_q95_ns == 0) {
    score->binding = ASZ_BINDING_AVAILABILITY; /* judged and silent: that is no slowness */
  } else {
    score->composite_ppm = asz_composite_ppm(score->s_availability_ppm, score->s_latency_ppm);
    uint32_t worst_ppm = score->s_availability_ppm <= score->s_latency_ppm ? score->s_availability_ppm : score->s_latency_ppm;
    if (worst_ppm == ASZ_PPM)
      score->binding = ASZ_BINDING_NONE;
    else
      score->binding = worst_ppm == score->s_availability_ppm ? ASZ_BINDING_AVAILABILITY : ASZ_BINDING_LATENCY;
  }
}

void asz_score_epoch(struct asz_score_state *state, const struct asz_measure *measure, const struct asz_score_params *params,
                     uint64_t rtt_target_ns, uint64_t end_ns, struct asz_score *ret_score) {
  assert(measure->answered == 0 || measure->sketch.cell);
  assert(params->sla_uptime_ppm <= ASZ_PPM);
  uint32_t day = (uint32_t)(end_ns / ASZ_DAY_NS);
  memset(ret_score, 0, sizeof *ret_score);

  if (measure->slots_judged) {
    if (state->slots_total == 0)
      state->first_ns = end_ns;
    state->slots_total += (unsigned)__builtin_popcountll(measure->slots_judged);
    asz_window_add(state, day, measure->slots_judged, measure->slots_up);
  }
  count_answers(state, measure);

  score_probes(measure, ret_score);
  score_window(state, measure, day, params->sla_uptime_ppm, ret_score);
  ret_score->s_availability_ppm = asz_s_availability_ppm(ret_score->availability_low_ppm);
  ret_score->s_latency_ppm = asz_s_latency_ppm(ret_score->rtt_q95_ns, rtt_target_ns ? rtt_target_ns : params->rtt_target_ns);
  ret_score->s_correctness_ppm = asz_ratio_ppm(state->alpha_q32, state->alpha_q32 + state->beta_q32);
  ret_score->e_value_q32 = asz_eprocess_value_q32(&state->eprocess);
  ret_score->gate_open = !asz_eprocess_fired(&state->eprocess);
  ret_score->confidence_ppm = confidence_ppm(state, params, end_ns);
  compose(ret_score);
  if (ret_score->gate_open && ret_score->confidence_ppm == ASZ_PPM)
    ret_score->tier = asz_tier_of(ret_score->composite_ppm, ret_score->window_uptime_ppm);
}
