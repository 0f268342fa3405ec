/* SPDX-License-Identifier: Apache-2.0 */
/* asz_slash: from scores to recommendations. Policy only: it looks at a provider's state and says what is due; making evidence
 * and logging it is the caller's. Implemented here: S1 (wrong signed answers: the e-process fired) and S3 (silence or slowness:
 * reward cut, tier drop, jail, never stake). The list names S0 and S2 because evidence and tables print them. Shadow mode
 * (recommend, never submit) is the only mode there is so far. */
#ifndef ASZ_CONTROL_SLASH_SLASH_H
#define ASZ_CONTROL_SLASH_SLASH_H

#include <stdbool.h>
#include <stdint.h>

#include "control/score/score.h"

#define ASZ_OFFENCE_LIST(X)                                                                                                      \
  X(S0, "S0", "equivocation or forged transcript")                                                                               \
  X(S1, "S1", "wrong signed answers")                                                                                            \
  X(S2, "S2", "misdeclared class or region")                                                                                     \
  X(S3, "S3", "silence or slowness")
enum asz_offence {
#define ASZ_OFFENCE_ENUM(symbol, name, help) ASZ_OFFENCE_##symbol,
  ASZ_OFFENCE_LIST(ASZ_OFFENCE_ENUM)
#undef ASZ_OFFENCE_ENUM
      ASZ_OFFENCE_COUNT
};
const char *asz_offence_name(enum asz_offence offence);
const char *asz_offence_help(enum asz_offence offence);

struct asz_slash_params {
  uint32_t s1_stake_bps_first;          /* 100 = 1 %: first S1 */
  uint32_t s1_stake_bps_max;            /* 1,000 = 10 %: doubled on each later one, up to this */
  uint32_t s3_uptime_ppm_min;           /* below this share of judged slots up in an epoch: S3; default 900,000 */
  uint32_t s3_latency_factor;           /* q95 over this multiple of the target: S3; default 8 (s_lat = 0) */
  uint32_t s3_slots_min;                /* fewer judged slots than this in the epoch: no S3 from it; default 3 */
  uint64_t jail_first_ns, jail_last_ns; /* 1 h, 1 h, then 24 h */
};

/* A provider's record of offences, kept by the store. */
struct asz_slash_history {
  uint32_t s1_count, s3_count;
  bool s1_open; /* an S1 recommendation of the running e-process year exists: not recommended twice */
  uint64_t jailed_until_ns;
};

struct asz_slash_decision {
  bool due;
  uint8_t offence;    /* enum asz_offence */
  uint32_t stake_bps; /* of the stake; 0 for S3 */
  uint64_t jail_ns;   /* S3 */
  char reason[160];   /* one line for the operator */
};

/* asz_slash_decide looks at one provider after an epoch; S1 before S3; at most one decision. Never due for a control target
 * (caller's) or without data. While jailed no second S3. Pure. */
void asz_slash_decide(const struct asz_score *score, const struct asz_score_state *state, const struct asz_slash_history *history,
                      const struct asz_slash_params *params, uint64_t rtt_target_ns, uint64_t now_ns,
                      struct asz_slash_decision *ret_decision);

#endif
