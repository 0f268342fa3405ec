/* SPDX-License-Identifier: Apache-2.0 */
/* asz_measure (control): from the engine's sealed statistics to what the scores take: which liveness slots may be judged at all,
 * and the figures of one provider. Pure. An auditor first suspects itself: a slot counts only when enough probes were due in it,
 * the engine kept its bounds, and our own control targets answered. */
#ifndef ASZ_CONTROL_MEASURE_H
#define ASZ_CONTROL_MEASURE_H

#include <stdint.h>

#include "control/roster.h"
#include "control/score/score.h"
#include "dataplane/engine.h"

enum { ASZ_SLOT_PROBES_MIN = 3 }; /* scoring.md: down only when every one of >= 3 probes went unanswered; a pair counts as one */

/* asz_measure_slots: bit s set when slot s of the sealed epoch may be judged. Whole slots only, each with >= 3 probes due to
 * every target; not in stats->slots_unjudged, where the engine puts what it spoiled and what an early end cut off; at least half
 * of the control targets up in it (no control target registered: this gate is open). */
uint64_t asz_measure_slots(const struct asz_plan *plan, const struct asz_stats *stats, const struct asz_roster *roster);

/* asz_measure_slots_of: of those, the ones in which plan index i may be judged: not where its family's gateway was silent. */
uint64_t asz_measure_slots_of(const struct asz_plan *plan, const struct asz_stats *stats, uint64_t slots_judged, uint32_t i);

/* Verdicts on one provider's answers in one epoch. */
struct asz_answer_counts {
  uint32_t pass, fail, malformed, missing, unjudged;
};

/* asz_measure_fill: everything about plan index i; a target that was denied at any time of the epoch has no judged slot; `sent`
 * from asz_engine_sent. The sketch is borrowed from stats. */
void asz_measure_fill(struct asz_measure *ret_measure, const struct asz_stats *stats, uint32_t index, uint32_t sent,
                      uint64_t slots_judged, const struct asz_answer_counts *answers);

#endif
