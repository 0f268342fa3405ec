/* SPDX-License-Identifier: Apache-2.0 */
/* asz_ladder: at which rates to measure, and whether what came of it is clean. The search for the highest clean rate: doubled
 * from the first one until a rung is not clean, then halved between the last clean rate and the first that is not, until they are
 * a sixteenth apart. A rung that is not clean is tried twice more before it counts: a machine that looks away for a moment is not
 * what is searched for. So no rate is ever tried that is over twice a rate that was clean. Integers only; pure. */
#ifndef ASZ_CONTROL_LADDER_H
#define ASZ_CONTROL_LADDER_H

#include <stdbool.h>
#include <stdint.h>

struct asz_ladder {
  uint64_t next_pps;  /* to be tried now; 0: the search is over */
  uint64_t clean_pps; /* highest rate that was clean; 0: none yet */
  uint64_t bad_pps;   /* lowest that was not; 0: none yet */
  uint64_t max_pps;
  uint32_t failed; /* times that next_pps was not clean */
};

/* asz_ladder_init: 1 <= first <= max (asserted). */
void asz_ladder_init(struct asz_ladder *ladder, uint64_t first_pps, uint64_t max_pps);
/* asz_ladder_note: next_pps was tried. Sets the next one. */
void asz_ladder_note(struct asz_ladder *ladder, bool clean);

/* X(symbol, name, what it means): the verdicts on a rung. */
#define ASZ_RUNG_LIST(X)                                                                                                         \
  X(CLEAN, "clean", "at the rate that was asked, and no more lost or failed than the bounds allow")                              \
  X(LOST, "lost", "probes without an answer in time")                                                                            \
  X(NOT_SENT, "not sent", "the prober was too far behind, and skipped probes rather than sending a burst")                       \
  X(REFUSED, "refused", "the port did not take what it was given, or there was no buffer")                                       \
  X(LATE, "late", "probes sent too late, or replies looked at too late")                                                         \
  X(MISSED, "missed", "the port dropped replies before they were looked at")                                                     \
  X(WRONG, "wrong", "replies that were forged, malformed or had a wrong checksum or MAC")                                        \
  X(SLOW, "slow", "fewer probes were sent than the rate says, for another reason")

enum asz_rung_verdict {
#define ASZ_RUNG_ENUM(symbol, name, help) ASZ_RUNG_##symbol,
  ASZ_RUNG_LIST(ASZ_RUNG_ENUM)
#undef ASZ_RUNG_ENUM
      ASZ_RUNG_COUNT
};
const char *asz_rung_name(enum asz_rung_verdict verdict);

/* What was counted at one rate. */
struct asz_rung {
  uint64_t asked_pps, rate_pps;
  uint64_t sent, answered, lost;
  uint64_t not_sent, refused, late, missed, wrong;
  uint64_t late_ns_max, rtt_error_ns; /* worst lateness; bound on the engine's own share of an RTT */
  uint64_t rtt_ns[4];                 /* p50, p99, p999, largest; 0: none */
  enum asz_rung_verdict verdict;
};
/* Shares of what was due, sent or not, that a clean rung may have: of probes lost, and of those that our side failed (not sent,
 * refused, late, missed) or took for wrong. */
struct asz_rung_bounds {
  uint32_t loss_ppm, fault_ppm;
};
/* asz_rung_judge sets the verdict: of the causes of a bound that was exceeded the one with the most probes. */
void asz_rung_judge(struct asz_rung *rung, const struct asz_rung_bounds *bounds);

#endif
