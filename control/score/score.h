/* SPDX-License-Identifier: Apache-2.0 */
/* asz_score: from what an epoch measured to the numbers that are published, per provider, integers only. The exact definitions:
 * docs/scoring.md. */
#ifndef ASZ_CONTROL_SCORE_SCORE_H
#define ASZ_CONTROL_SCORE_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/score/eprocess.h"
#include "dataplane/base/sketch.h"

enum { ASZ_PPM = 1000000 };

/* Delay variation of each way (asz_ipdv), by the provider's own clock: shown, never scored. */
struct asz_variation {
  uint32_t pairs; /* 0: not measured */
  uint64_t forward_mean_ns, backward_mean_ns;
  uint64_t forward_max_ns, backward_max_ns; /* at most; values that asz_bound can say */
};

/* What one epoch says about one provider. */
struct asz_measure {
  uint32_t sent, answered, late, duplicate, reordered, replayed, forged, bad_mac, wrong_path, malformed, unjudged;
  uint64_t slots_judged; /* bit s: at least 3 probes due, control targets up, engine healthy */
  uint64_t slots_up;     /* bit s, only where judged counts */
  uint64_t rtt_min_ns, rtt_max_ns, rtt_sum_ns;
  uint64_t rtt_error_ns; /* our own share of any of these RTTs, at most */
  struct asz_variation variation;
  struct asz_sketch sketch;                                                                  /* of the answered */
  uint32_t answers_pass, answers_fail, answers_malformed, answers_missing, answers_unjudged; /* challenges of this epoch */
};

/* What is kept about a provider between epochs; starts with asz_score_state_init. Availability counts forget as days fall out of
 * the 30-day window: one bucket a day. */
enum { ASZ_WINDOW_DAYS = 30 };
struct asz_day {
  uint32_t day;                    /* days since 1970 */
  uint32_t up, judged;             /* slots */
  uint32_t pairs, pairs_both_down; /* adjacent judged slots, and those where both were down: lag-1 autocorrelation */
};
struct asz_score_state {
  struct asz_day day[ASZ_WINDOW_DAYS]; /* ring by day % ASZ_WINDOW_DAYS */
  uint64_t alpha_q32, beta_q32;        /* Beta posterior of correctness with forgetting 0.999, display only */
  struct asz_eprocess eprocess;
  struct asz_eprocess pace; /* x = 1: a fold of mem was surely too slow for the memory that was claimed */
  uint64_t slots_total;     /* judged liveness slots ever: vetting */
  uint64_t first_ns;        /* wall time of the first judged epoch */
  uint8_t last_slot_down;   /* of the previous epoch, for pairs across the border; 2: none */
};
void asz_score_state_init(struct asz_score_state *ret_state);
enum { ASZ_SCORE_STATE_BYTES = 768 };
void asz_score_state_save(uint8_t *ret_bytes,
                          const struct asz_score_state *state); /* fixed big-endian form, version byte first */
/* asz_score_state_load: of this version, or of version 1, which knew nothing of paces: their process begins. */
ASZ_MUST_CHECK int asz_score_state_load(struct asz_score_state *ret_state, const uint8_t *bytes, size_t size_bytes);

struct asz_score_params {
  uint64_t rtt_target_ns;  /* default q95 target */
  uint32_t vetting_days;   /* 21 */
  uint32_t vetting_slots;  /* 5,000 */
  uint32_t sla_uptime_ppm; /* what the service-level account measures against, 0..ASZ_PPM */
};

/* X(symbol, name): what bound the composite, worst first decides */
#define ASZ_BINDING_LIST(X)                                                                                                      \
  X(NONE, "none") X(GATE, "correctness") X(AVAILABILITY, "availability") X(LATENCY, "latency") X(NO_DATA, "no data")
enum asz_binding {
#define ASZ_BINDING_ENUM(symbol, name) ASZ_BINDING_##symbol,
  ASZ_BINDING_LIST(ASZ_BINDING_ENUM)
#undef ASZ_BINDING_ENUM
      ASZ_BINDING_COUNT
};
const char *asz_binding_name(enum asz_binding binding);

/* The service-level account (sla.c): shown, never scored. Slots are judged ones of the 30 days. A burn rate is the share of down
 * slots over the share that the target allows, in thousandths, rounded down: 1,000 spends a month's budget in a month;
 * UINT32_MAX: as much or more, or any at a target of ASZ_PPM. */
struct asz_sla {
  uint32_t target_ppm;
  uint32_t down_slots;
  uint32_t budget_slots;     /* that may be down at the target, rounded down */
  uint32_t burn_month_milli; /* the 30 days: of the budget, this much is spent */
  uint32_t burn_day_milli;   /* the day in which the epoch ended, so far */
  uint32_t burn_epoch_milli;
  uint32_t credit_ppm; /* of a month's price, as a cloud would pay it back at this uptime: 0, 10, 30 or 100 % */
};

/* Tiers, by composite and 30-day uptime: docs/scoring.md. 1 best .. 7; 0: none (not vetted yet: confidence_ppm below ASZ_PPM; in
 * quarantine; or below the last rung). */
enum { ASZ_TIER_NONE = 0, ASZ_TIER_BEST = 1, ASZ_TIER_WORST = 7 };
struct asz_score {
  uint32_t uptime_ppm;        /* up / judged slots, this epoch; ASZ_PPM when nothing was judged (see slots_judged) */
  uint32_t window_uptime_ppm; /* over the 30 days */
  uint32_t
      availability_low_ppm; /* Wilson 99 % lower bound (one-sided, z = 2.326) over the 30 days, n corrected for autocorrelation */
  uint32_t slots_judged;    /* this epoch */
  uint32_t window_slots;    /* 30 days */
  uint32_t slots_missing;   /* more perfect observations needed to certify the next nine; 0: none */
  uint32_t loss_ppm;        /* 1 - answered / sent, this epoch */
  uint64_t rtt_min_ns, rtt_q50_ns, rtt_q95_ns, rtt_q99_ns; /* 0: no reply */
  uint64_t rtt_error_ns;          /* of which the prober's own share is at most; a value that asz_bound can say; 0: not stated */
  struct asz_variation variation; /* this epoch */
  struct asz_sla sla;
  uint32_t s_availability_ppm, s_latency_ppm, s_correctness_ppm; /* components, 0..ASZ_PPM */
  uint64_t e_value_q32;                                          /* the e-process after this epoch */
  bool gate_open;                                                /* false: e-process fired, composite 0 */
  uint32_t composite_ppm;  /* gate * s_av^(.40/.55) * s_lat^(.15/.55): the weights of what is measured so far, renormalised */
  uint32_t confidence_ppm; /* min(days/21, slots/5000) */
  uint8_t tier;
  uint8_t binding; /* enum asz_binding */
};

/* asz_score_epoch advances state by one epoch and fills *ret_score. The e-process must have been stepped by the caller (once a
 * correctness slot) before. end_ns: wall time of the epoch's end. rtt_target_ns: the provider's own, or 0 for the default. Pure:
 * same inputs, same bytes. */
void asz_score_epoch(struct asz_score_state *state, const struct asz_measure *measure, const struct asz_score_params *params,
                     uint64_t rtt_target_ns, uint64_t end_ns, struct asz_score *ret_score);

/* The pieces, each testable alone. asz_wilson_low_ppm: one-sided 99 % lower bound of up/n; 0 for n = 0. */
uint32_t asz_wilson_low_ppm(uint64_t up, uint64_t n);
/* asz_effective_n: n corrected for lag-1 autocorrelation r of the down indicator: n (1 - r)/(1 + r), at least 1 for n >= 1, at
 * most n. */
uint64_t asz_effective_n(uint64_t up, uint64_t n, uint64_t pairs, uint64_t pairs_both_down);
uint32_t asz_s_availability_ppm(uint32_t low_ppm);                       /* min(1, -log10(1 - L) / 4) */
uint32_t asz_s_latency_ppm(uint64_t rtt_q95_ns, uint64_t rtt_target_ns); /* clamp(1 - log2(q95 / target) / 3) */

/* asz_score_record_rtt: the median RTT as a record has it: in 32 bits. */
uint32_t asz_score_record_rtt(const struct asz_score *score);
/* asz_score_gate_byte: bit 0 gate open, bits 1 to 7 the bound of the RTT's error (asz_bound); of the record and of the store. */
uint8_t asz_score_gate_byte(const struct asz_score *score);

/* The fixed 96-byte report record of a provider and epoch: what the report's Merkle tree and the log commit to. Byte table:
 * docs/scoring.md. */
enum { ASZ_RECORD_BYTES = 96 };
/* Where evidence looks: who the record is about, and the measures that an S3 states. */
enum {
  ASZ_RECORD_AT_FLAGS = 3, /* bits 1 to 7: bound of the RTT's error */
  ASZ_RECORD_AT_DEVICE = 4,
  ASZ_RECORD_AT_KEY = 16,
  ASZ_RECORD_AT_SLOTS_JUDGED = 56,
  ASZ_RECORD_AT_SLOTS_UP = 64,
  ASZ_RECORD_AT_RTT_Q95 = 76,
};
void asz_score_record_write(uint8_t ret_record[ASZ_RECORD_BYTES], int64_t provider_row, const uint8_t provider_pk[32],
                            uint32_t device, const struct asz_measure *measure, const struct asz_score *score);

#endif
