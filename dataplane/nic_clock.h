/* SPDX-License-Identifier: Apache-2.0 */
/* asz_nic_clock: what a port's own clock says, in ticks of ours.
 *
 * A port that stamps frames does so by a free-running counter of its own: DPDK promises neither its unit nor its origin, only
 * that it can be read (rte_eth_read_clock). So it is read now and then between two readings of the TSC, and a straight line is
 * laid through what was read. A reading belongs to some moment in its bracket; wide brackets (the core was away) teach nothing.
 * The line goes from the closest reading of the window's oldest quarter to that of its newest, is hung on the one that leaves the
 * least error now, and must pass through the bracket of every reading in the window, within the error that it states itself. If
 * it does not, the clock has jumped (set by somebody, restarted, wrapped) or wandered more than is allowed for: the relation is
 * dropped at once, and learned anew from there.
 *
 * Error: half of a bracket, the slope's own error and DRIFT times the distance, and two ticks of the device's for what it counts
 * down. A counter is taken to have 64 bits, as DPDK has it; one that wraps earlier jumps when it wraps. Pure; the relation is a
 * plain value, which the lcore that reads the clock publishes and the others copy (asz_nic_live): nobody waits. */
#ifndef ASZ_DATAPLANE_NIC_CLOCK_H
#define ASZ_DATAPLANE_NIC_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/pace.h"

enum {
  ASZ_NIC_READINGS = 64, /* the window: 0.64 s of readings, after which the clock is known */
  ASZ_NIC_READ_HZ = 100, /* the error that is stated grows by 0.1 us between two of them, at the 10 ppm that a clock may wander */
};

/* Whole words only: it is published word by word. All zero: unknown. */
struct asz_nic_relation {
  uint64_t base_tsc, base_ticks;
  struct asz_ratio tsc_per_tick, ticks_per_tsc;
  uint64_t reach_ticks; /* a time further than this from base_ticks is none: 4 s */
  uint64_t error_tsc;   /* at base_tsc ... */
  uint64_t growth_q32;  /* ... and more by this share of the distance to it, 32.32 fixed point */
  uint64_t until_tsc;   /* not used from here on: 1 s after the last reading; 0: unknown */
};

struct asz_nic_reading {
  uint64_t tsc;   /* middle of the bracket */
  uint64_t half;  /* of it, rounded up */
  uint64_t ticks; /* the device's */
};

struct asz_nic_clock {
  uint64_t tsc_hz;
  uint64_t due_tsc; /* when it is to be read again */
  struct asz_nic_relation relation;
  struct asz_nic_reading reading[ASZ_NIC_READINGS]; /* a ring */
  uint32_t count, next;
};

enum asz_nic_heard {
  ASZ_NIC_WIDE = 0, /* the bracket says too little: over 20 us */
  ASZ_NIC_LEARNING,
  ASZ_NIC_FOLLOWED, /* known, and as was expected */
  ASZ_NIC_COARSE,   /* as was expected, but its error is over 10 us: no better than looking; not used */
  ASZ_NIC_JUMPED,   /* what was known is wrong: learned anew from this reading */
};

/* asz_nic_clock_init: tsc_hz >= 1,000,000. Unknown, and due to be read. */
void asz_nic_clock_init(struct asz_nic_clock *ret_clock, uint64_t tsc_hz);
/* asz_nic_clock_hear: the device's clock read `ticks` between two readings of the TSC. Sets due_tsc and the relation. Divides and
 * walks over the window, under 1 us: for housekeeping. */
enum asz_nic_heard asz_nic_clock_hear(struct asz_nic_clock *clock, uint64_t before_tsc, uint64_t ticks, uint64_t after_tsc);

/* asz_nic_known: may the relation be used at tsc? */
static inline bool asz_nic_known(const struct asz_nic_relation *relation, uint64_t tsc) {
  return tsc < relation->until_tsc;
}

/* asz_nic_error_tsc: by how much, in ticks of the TSC, a time that was converted may be wrong either way at tsc. Of a known one.
 */
static inline uint64_t asz_nic_error_tsc(const struct asz_nic_relation *relation, uint64_t tsc) {
  uint64_t away = tsc > relation->base_tsc ? tsc - relation->base_tsc : relation->base_tsc - tsc;
  return relation->error_tsc + (uint64_t)(((unsigned __int128)away * relation->growth_q32) >> 32);
}

/* asz_nic_tsc: the TSC at a time of the device's clock. False when that is out of reach. Of a known one. */
static inline bool asz_nic_tsc(const struct asz_nic_relation *relation, uint64_t ticks, uint64_t *ret_tsc) {
  uint64_t ahead = ticks - relation->base_ticks, behind = relation->base_ticks - ticks;
  uint64_t distance = ahead < behind ? ahead : behind;
  if (distance > relation->reach_ticks)
    return false;
  uint64_t tsc = asz_ratio_apply(relation->tsc_per_tick, distance);
  *ret_tsc = ahead < behind ? relation->base_tsc + tsc : relation->base_tsc - tsc;
  return true;
}

/* asz_nic_ticks: the device's clock at a TSC at most 4 s from base_tsc, which holds for all from now to until_tsc. */
static inline uint64_t asz_nic_ticks(const struct asz_nic_relation *relation, uint64_t tsc) {
  return tsc >= relation->base_tsc ? relation->base_ticks + asz_ratio_apply(relation->ticks_per_tsc, tsc - relation->base_tsc)
                                   : relation->base_ticks - asz_ratio_apply(relation->ticks_per_tsc, relation->base_tsc - tsc);
}

enum { ASZ_NIC_WORDS = sizeof(struct asz_nic_relation) / sizeof(uint64_t) };

struct asz_nic_live {
  _Atomic uint64_t turn; /* asz_seqlock */
  _Atomic uint64_t word[ASZ_NIC_WORDS];
};

/* asz_nic_publish: the lcore that reads the clock. asz_nic_look: any other; false, and *relation as it was, when it looked in the
 * middle of a writing: the next housekeeping will do. */
void asz_nic_publish(struct asz_nic_live *live, const struct asz_nic_relation *relation);
bool asz_nic_look(const struct asz_nic_live *live, struct asz_nic_relation *relation);

#endif
