/* SPDX-License-Identifier: Apache-2.0 */
/* A NIC that is not there. An engine over net_ring whose port says, through the seam of its operations, that it has times of its
 * own: a clock of 1 GHz that is 100 ppm off and has an origin of its own; and that it takes flow rules. An mbuf passes through a
 * ring as it is, with its flags and fields, so the other end of the wire (this thread) can play the NIC's stamping as well as the
 * targets. Needs EAL. */
#ifndef ASZ_TESTS_DATAPLANE_NIC_BED_H
#define ASZ_TESTS_DATAPLANE_NIC_BED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "dataplane/engine.h"
#include "dataplane/port.h"

enum { NIC_TARGETS = 8, NIC_QUEUES_MAX = 2, NIC_DEADLINE_S = 30, NIC_WIRE_NS = 20000 };

/* A probe that the peer is about to answer. */
struct nic_probe {
  uint32_t target;
  unsigned queue;    /* that it came from */
  uint64_t now_tsc;  /* when the peer takes it */
  uint64_t t1_ntp64; /* the time that it carries */
  bool timed;        /* it is to leave at ... */
  uint64_t due_ticks;
  struct rte_mbuf *mbuf;
};

struct nic_bed {
  /* Set before nic_bed_open. */
  unsigned queues;                 /* and prober lcores */
  bool rx_times, tx_times;         /* offered */
  bool holds;                      /* the NIC keeps a frame until its time, and the wire is NIC_WIRE_NS long */
  unsigned rules_taken;            /* so many flow rules it has room for */
  bool crosswise;                  /* replies come to the next queue */
  enum asz_probe kind, odd_kind;   /* of targets 0, 2, 4, ... and 1, 3, 5, ... */
  struct asz_engine_config config; /* as nic_bed_default has it; the port is filled in */
  /* arrival: the peer answers; *ret_ticks: the time that the NIC gives the reply. False: it gives none. NULL: now. */
  bool (*arrival)(const struct nic_probe *probe, uint64_t *ret_ticks);

  struct asz_engine *engine;
  struct asz_plan plan;
  struct asz_target target[NIC_TARGETS];
  unsigned rules, rules_asked; /* that it has, and that it was ever asked for */
  unsigned answers_stamped;
  unsigned slow[NIC_TARGETS]; /* answers that a busy machine kept between their time and the prober's ring: the NIC was slow */
  int offset;
  uint64_t rx_flag, tx_flag;
};

extern struct nic_bed nic;

/* The NIC's clock at a TSC; nic_clock_set moves it by so many ns. */
uint64_t nic_ticks(uint64_t tsc);
void nic_clock_set(int64_t by_ns);
/* nic_clock_break: it cannot be read any more, or again. */
void nic_clock_break(bool broken);
/* nic_stall: the next reading of the clock keeps the first prober lcore for so long; returns when that has begun. */
void nic_stall(unsigned ms);

void nic_bed_default(void);
/* nic_bed_open makes the port and the engine, and launches it. nic_bed_close is fine after a failure. */
void nic_bed_open(void);
void nic_bed_close(void);
void nic_begin(void);
/* nic_turn: the peer does what there is to do. nic_sealed: the epoch is over. */
void nic_turn(void);
bool nic_sealed(void);
uint64_t nic_counter(enum asz_counter counter);
/* nic_learned: waits until the prober believes the NIC's times. */
void nic_learned(void);
/* nic_since_t1_ns: from the time that a probe carries to a TSC, by the engine's clock. */
uint64_t nic_since_t1_ns(const struct nic_probe *probe, uint64_t tsc);
/* nic_off_ns: by how much the time that a probe shall leave at is after the one that it carries. */
int64_t nic_off_ns(const struct nic_probe *probe);

#define NIC_WAIT_FOR(condition)                                                                                                  \
  do {                                                                                                                           \
    uint64_t start_ns = asz_clock_monotonic_ns();                                                                                \
    while (!(condition)) {                                                                                                       \
      nic_turn();                                                                                                                \
      cr_assert(lt(u64, asz_clock_monotonic_ns() - start_ns, NIC_DEADLINE_S * UINT64_C(1000000000)), #condition);                \
    }                                                                                                                            \
  } while (0)

#endif
