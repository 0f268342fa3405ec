/* SPDX-License-Identifier: Apache-2.0 */
/* asz_lab_report: the lab's known truth against what the engine measured, as a list of claims.
 *
 * A claim is about some of the providers ("the dead never answer") and holds when it holds of each of them; one about nobody is
 * left out. The report is ok when every claim holds and there was something to claim. Use:
 *
 *   struct asz_lab_seen *seen = calloc(count, sizeof *seen);
 *   when an epoch is sealed: asz_engine_sent(plan, stats, sent); for each i
 *     asz_lab_seen_add(&seen[i], stats, i, sent[i], slots_judged);
 *   with every verdict on provider i (optional, see answers_counted): seen[i].answers_pass++ and so on
 *   at the end: seen[i].slashed_s1 = ...; stop engine and emulator; asz_lab_report_make; asz_lab_report_print or _json.
 *
 * Pure but for memory; one thread. */
#ifndef ASZ_CONTROL_LAB_REPORT_H
#define ASZ_CONTROL_LAB_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "control/lab_trials.h"
#include "control/score/score.h"
#include "dataplane/emulator/emulator.h"
#include "dataplane/engine.h"

struct json_t;

/* What was measured of one provider, over all epochs of a run. Zeroed at first. */
struct asz_lab_seen {
  uint64_t sent; /* due and sent: without the unjudged */
  uint64_t answered, late, duplicate, reordered, replayed, forged, bad_mac, wrong_path, malformed, unjudged;
  uint64_t rtt_min_ns; /* 0: none */
  uint8_t probe;       /* enum asz_probe, that it was asked by */
  uint32_t slots_judged, slots_up;
  uint32_t answers_pass, answers_fail, answers_missing; /* challenges; the caller's */
  bool slashed_s1;                                      /* the caller's */
  uint64_t pairs, forward_sum, backward_sum;            /* of struct asz_ipdv */
  struct asz_sketch sketch;                             /* of the cells below, once there is something to add */
  uint16_t cell[ASZ_SKETCH_CELLS_DEFAULT];
};

/* asz_lab_seen_add adds one sealed epoch. slots_judged: bit s, as of asz_measure_slots; 0: no RTT of this epoch is compared but
 * the smallest. The sketches have ASZ_SKETCH_CELLS_DEFAULT cells; seen stays where it is. */
void asz_lab_seen_add(struct asz_lab_seen *seen, const struct asz_stats *stats, uint32_t index, uint32_t sent,
                      uint64_t slots_judged);

enum {
  ASZ_LAB_LATENCY_BOUND_NS = 500000, /* a scheduler tick's part: both lcores may share their CPUs with others */
  ASZ_LAB_ANSWERS_MIN = 20,          /* a median of fewer answers, or a mean of fewer pairs, is not compared */
  ASZ_LAB_CLAIMS_MAX = 40,
};

/* asz_lab_farthest_ns: the longest way of a reply without a detour: delay and jitter, or the floor of one that has it. Pure. */
uint64_t asz_lab_farthest_ns(const struct asz_truth *truth);

/* Arrays have provider_count entries and are borrowed for the call. */
struct asz_lab_run {
  uint32_t provider_count;
  const struct asz_truth *truth;
  const struct asz_deed *deed; /* of the whole run, read after the emulator's stop */
  const struct asz_lab_seen *seen;
  const struct asz_score *score; /* of the last epoch; NULL: not compared */
  uint64_t seed;                 /* of the truth's draws */
  uint64_t timeout_ns;
  uint64_t latency_bound_ns; /* what the machine itself may add to a median; ASZ_LAB_LATENCY_BOUND_NS unless known better */
  uint64_t emulator_faults, emulator_strays;
  uint64_t prober_bad_checksums;       /* frames that the prober dropped for their checksum */
  uint64_t prober_unsolicited;         /* frames from addresses that are no provider's */
  uint64_t answers_foreign;            /* answers to another challenge than was asked */
  bool tlv;                            /* probes carried our TLV, so `bad-mac` can show */
  bool challenged;                     /* enough challenge slots for the e-process to fire on a provider that is always wrong */
  bool answers_counted;                /* seen[].answers_* are filled */
  const struct asz_lab_trait *trait;   /* provider_count; NULL: nobody attacks */
  const struct asz_lab_trials *trials; /* of them; NULL: none */
};

struct asz_lab_claim {
  const char *name;
  char expected[32];  /* "all 12" */
  char measured[128]; /* "all 12"; "11 of 12; provider 7: sent 10, arrived 9" */
  bool ok;
};

struct asz_lab_spread {
  uint64_t p50, p99, max;
};

struct asz_lab_report {
  uint32_t providers;
  uint32_t latency_providers;     /* whose median was compared */
  uint32_t busy_providers;        /* whose median was not: the machine kept the emulator away too often */
  struct asz_lab_spread error_ns; /* |measured q50 - the true median| over those providers */
  struct asz_lab_spread error_ppm;
  uint64_t sent, arrived;    /* by the prober; at the emulator */
  uint64_t unanswered, lost; /* where countable: neither answered nor late; lost by draw, withheld, or the lab's fault */
  uint64_t answered, late, unjudged;
  uint64_t emulator_faults, emulator_strays;
  uint32_t claim_count;
  struct asz_lab_claim claim[ASZ_LAB_CLAIMS_MAX];
  struct asz_lab_trials trials; /* count 0: none */
  bool ok;                      /* all claims hold, those of trials, too; false when there is none */
};

/* asz_lab_report_make: ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_lab_report_make(struct asz_lab_report *ret_report, const struct asz_lab_run *run);
/* asz_lab_report_print: figures, then the claims as a table, then the verdict. ASZ_ENOMEM or 0. */
ASZ_MUST_CHECK int asz_lab_report_print(const struct asz_lab_report *report, FILE *out);
/* asz_lab_report_json: a new object for asz_cmd_json; NULL when out of memory. */
struct json_t *asz_lab_report_json(const struct asz_lab_report *report);

#endif
