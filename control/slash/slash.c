/* SPDX-License-Identifier: Apache-2.0 */
/* The policy: what a provider's state makes due. At most one decision an epoch, the graver first.
 *
 * The two differ in what they can prove. Wrong signed answers convict by themselves and cost stake. Silence can't be pinned on
 * one side from outside, so it never does: it costs time. And nothing follows from slots that were not judged. */
#include <stdio.h>
#include <string.h>

#include "control/slash/slash.h"

static const struct {
  const char *name, *help;
} offences[] = {
#define ASZ_OFFENCE_ROW(symbol, name, help) {name, help},
    ASZ_OFFENCE_LIST(ASZ_OFFENCE_ROW)
#undef ASZ_OFFENCE_ROW
};

const char *asz_offence_name(enum asz_offence offence) {
  return (unsigned)offence < ASZ_OFFENCE_COUNT ? offences[offence].name : "unknown";
}

const char *asz_offence_help(enum asz_offence offence) {
  return (unsigned)offence < ASZ_OFFENCE_COUNT ? offences[offence].help : "unknown";
}

/* first, 2 first, 4 first ... up to max */
static uint32_t s1_stake_bps(const struct asz_slash_params *params, uint32_t earlier) {
  uint64_t bps = params->s1_stake_bps_first;
  for (uint32_t i = 0; i < earlier && bps && bps < params->s1_stake_bps_max; i++)
    bps *= 2;
  return bps < params->s1_stake_bps_max ? (uint32_t)bps : params->s1_stake_bps_max;
}

/* E in two digits, rounded down: 1.9e6. */
static void format_e(char ret_text[16], uint64_t e_q32) {
  uint64_t value = e_q32 >> 32;
  unsigned exponent = 0;
  uint64_t tenths = value * 10;
  while (tenths >= 100) {
    tenths /= 10;
    exponent++;
  }
  snprintf(ret_text, 16, "%u.%ue%u", (unsigned)(tenths / 10), (unsigned)(tenths % 10), exponent);
}

static void decide_s1(const struct asz_eprocess *process, const struct asz_slash_history *history,
                      const struct asz_slash_params *params, struct asz_slash_decision *ret_decision) {
  ret_decision->due = true;
  ret_decision->offence = ASZ_OFFENCE_S1;
  ret_decision->stake_bps = s1_stake_bps(params, history->s1_count);
  char now[16], threshold[16];
  uint64_t e_q32 = asz_eprocess_value_q32(process);
  uint64_t threshold_q32 = (uint64_t)ASZ_EPROCESS_THRESHOLD << 32;
  format_e(now, e_q32);
  format_e(threshold, threshold_q32);
  if (e_q32 >= threshold_q32)
    snprintf(ret_decision->reason, sizeof ret_decision->reason, "%u wrong signed answers, E = %s >= %s", process->wrong, now,
             threshold);
  else /* right answers since the crossing */
    snprintf(ret_decision->reason, sizeof ret_decision->reason, "%u wrong signed answers, E reached %s (now %s)", process->wrong,
             threshold, now);
}

/* The line that says why an epoch is an S3, or false. */
static bool s3_reason(const struct asz_score *score, const struct asz_slash_params *params, uint64_t rtt_target_ns,
                      char ret_reason[160]) {
  if (score->slots_judged == 0 || score->slots_judged < params->s3_slots_min)
    return false;
  if (score->uptime_ppm < params->s3_uptime_ppm_min) {
    /* uptime_ppm was rounded down from up / judged with judged <= 64: rounding up gives `up` back exactly */
    uint64_t up = ((uint64_t)score->uptime_ppm * score->slots_judged + ASZ_PPM - 1) / ASZ_PPM;
    snprintf(ret_reason, 160, "%u of %u judged slots answered", (unsigned)up, score->slots_judged);
    return true;
  }
  uint64_t theirs_ns = score->rtt_q95_ns - (score->rtt_error_ns < score->rtt_q95_ns ? score->rtt_error_ns : score->rtt_q95_ns);
  if (rtt_target_ns && theirs_ns > (unsigned __int128)rtt_target_ns * params->s3_latency_factor) {
    snprintf(ret_reason, 160, "q95 of %llu us, less %llu us that may be ours, is over %u times the target of %llu us",
             (unsigned long long)score->rtt_q95_ns / 1000, (unsigned long long)score->rtt_error_ns / 1000,
             params->s3_latency_factor, (unsigned long long)rtt_target_ns / 1000);
    return true;
  }
  return false;
}

void asz_slash_decide(const struct asz_score *score, const struct asz_score_state *state, const struct asz_slash_history *history,
                      const struct asz_slash_params *params, uint64_t rtt_target_ns, uint64_t now_ns,
                      struct asz_slash_decision *ret_decision) {
  memset(ret_decision, 0, sizeof *ret_decision);
  if (asz_eprocess_fired(&state->eprocess) && !history->s1_open) {
    decide_s1(&state->eprocess, history, params, ret_decision);
    return;
  }
  if (now_ns < history->jailed_until_ns || !s3_reason(score, params, rtt_target_ns, ret_decision->reason))
    return;
  ret_decision->due = true;
  ret_decision->offence = ASZ_OFFENCE_S3;
  ret_decision->jail_ns = history->s3_count < 2 ? params->jail_first_ns : params->jail_last_ns;
}
