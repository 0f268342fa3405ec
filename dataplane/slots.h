/* SPDX-License-Identifier: Apache-2.0 */
/* asz_slots: the liveness slots of an epoch: which slot a time lies in, and which slots the engine itself spoiled.
 *
 * The bounds of all slots (64 at most) are tabled once, as TSC for the sender and as NTP64 for the times that travel in packets,
 * so that nothing divides later and both agree. A reply's slot is searched backwards from the running one: a step or two. */
#ifndef ASZ_DATAPLANE_SLOTS_H
#define ASZ_DATAPLANE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/clock.h"

enum { ASZ_SLOTS_MAX = 64 };

struct asz_slots {
  uint64_t end_tsc[ASZ_SLOTS_MAX];
  uint64_t start_ntp64[ASZ_SLOTS_MAX];
  uint32_t count;
  uint32_t now; /* running slot: 0..count - 1; stays at the last one */
  uint32_t fault_bound_ppm;
  uint64_t due_closed, faults_closed; /* totals when the last slot was closed */
  uint64_t unjudged;                  /* bit s: slot s had more faults than the bound */
};

/* asz_slots_init: 1..64 slots of slot_ns cover duration_ns from origin_tsc. */
void asz_slots_init(struct asz_slots *ret_slots, const struct asz_clock *clock, uint64_t origin_tsc, uint64_t duration_ns,
                    uint64_t slot_ns, uint32_t fault_bound_ppm);

/* asz_slots_ended: has the running slot passed, with another behind it? */
static inline int asz_slots_ended(const struct asz_slots *slots, uint64_t tsc) {
  return tsc >= slots->end_tsc[slots->now] && slots->now + 1 < slots->count;
}
/* asz_slots_close judges the running slot by what the epoch's totals, taken as of its end, grew since the last close, and steps
 * to the next. Totals never fall. True when the bound was exceeded. */
bool asz_slots_close(struct asz_slots *slots, uint64_t due_total, uint64_t faults_total);
/* asz_slots_abandon: probing ended early: the running slot and all behind it are unjudged. */
void asz_slots_abandon(struct asz_slots *slots);

/* asz_slots_of: slot of a transmission between the epoch's start and now. */
static inline uint32_t asz_slots_of(const struct asz_slots *slots, uint64_t tx_ntp64) {
  uint32_t slot = slots->now;
  while (slot > 0 && (int64_t)(tx_ntp64 - slots->start_ntp64[slot]) < 0)
    slot--;
  return slot;
}

#endif
