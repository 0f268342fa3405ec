/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's insides, shared by its two halves: engine.c (the control thread's calls) and prober.c (the lcore's loop).
 *
 * What crosses between the two is in struct asz_engine under "shared": atomics, two rings, and `next`, which belongs to the
 * control thread until `command` hands it over. Everything under "lcore" is the lcore's alone while it runs. */
#ifndef ASZ_DATAPLANE_ENGINE_STATE_H
#define ASZ_DATAPLANE_ENGINE_STATE_H

#include <stdatomic.h>

#include <rte_ring_elem.h>

#include "dataplane/addrmap.h"
#include "dataplane/engine.h"
#include "dataplane/neigh.h"
#include "dataplane/port.h"
#include "dataplane/rx.h"
#include "dataplane/tx.h"

enum asz_command { ASZ_COMMAND_NONE = 0, ASZ_COMMAND_BEGIN };

/* One element of the outgoing ring. */
struct asz_outgoing {
  struct asz_engine_datagram datagram;
  volatile uint64_t *tsc_slot; /* NULL: nobody asks */
};
_Static_assert(sizeof(struct asz_outgoing) % 4 == 0 && sizeof(struct asz_engine_datagram) % 4 == 0, "rte_ring copies words");

/* What asz_engine_epoch_begin prepared. */
struct asz_epoch_order {
  struct asz_plan plan;
  struct asz_clock clock;
  uint32_t map; /* which of the two address maps */
};

struct asz_engine {
  struct asz_engine_config config;
  struct asz_port port;
  struct asz_addrmap map[2]; /* running and previous epoch */
  struct asz_clock clock;    /* control thread */
  uint32_t map_next;         /* control thread: the map that the lcore does not use */
  bool launched;

  /* shared */
  struct rte_ring *outgoing, *incoming; /* single producer, single consumer each */
  _Atomic uint32_t command;
  _Atomic uint32_t phase;
  _Atomic bool end_asked, stop_asked, gateway_known;
  _Atomic uint64_t published[ASZ_CTR_COUNT];
  struct asz_epoch_order next;

  /* lcore */
  struct asz_counters counters __attribute__((aligned(64)));
  struct asz_neigh neigh;
  struct asz_rx rx;
  struct asz_rx_burst rx_burst;
  struct asz_tx tx;
  uint64_t housekeeping_tsc; /* when next */
  uint64_t polled_tsc;       /* last look at the receive queue */
  uint64_t poll_ticks_max;   /* worst gap between two looks, this epoch */
  bool backlog;              /* frames of a late look may still wait in the port */
};

/* asz_prober_main: the lcore's function; argument is the engine. Returns 0 once stopped. */
int asz_prober_main(void *engine);

#endif
