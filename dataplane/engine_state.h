/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's insides, shared by its two halves: engine.c (the control thread's calls) and prober.c (the lcores' loop).
 *
 * Each prober lcore is a worker with a queue pair, a shard of the targets, templates, counters and rings of its own; in the loop
 * it writes to nothing that another one reads, but for the ring of frames that arrived on the wrong queue. Worker 0 also speaks
 * ARP and answers for what the port loses. The workers move through an epoch side by side: `probing`, `uncooled` and `unsealed`
 * count those that have not finished a phase, and the last one moves the engine on.
 *
 * `next` belongs to the control thread until a worker's `command` hands it over, and again when all have taken it. */
#ifndef ASZ_DATAPLANE_ENGINE_STATE_H
#define ASZ_DATAPLANE_ENGINE_STATE_H

#include <stdatomic.h>

#include <rte_ring_elem.h>

#include "dataplane/addrmap.h"
#include "dataplane/engine.h"
#include "dataplane/flows.h"
#include "dataplane/nd.h"
#include "dataplane/neigh.h"
#include "dataplane/nic_clock.h"
#include "dataplane/port.h"
#include "dataplane/rx.h"
#include "dataplane/tx.h"

enum asz_command { ASZ_COMMAND_NONE = 0, ASZ_COMMAND_BEGIN };

/* The link in one word: how often it was looked at, times two, and whether it was down then. */
#define ASZ_LINK_DOWN UINT64_C(1)
#define ASZ_LINK_LOOK UINT64_C(2)

/* One element of the outgoing ring. */
struct asz_outgoing {
  struct asz_engine_datagram datagram;
  volatile uint64_t *tsc_slot; /* NULL: nobody asks */
};
/* asz_outgoing_tell: the first that is told of a slot stays. */
static inline void asz_outgoing_tell(const struct asz_outgoing *message, uint64_t tsc) {
  if (message->tsc_slot != NULL && *message->tsc_slot == 0)
    __atomic_store_n(message->tsc_slot, tsc, __ATOMIC_RELEASE);
}
_Static_assert(sizeof(struct asz_outgoing) % 4 == 0 && sizeof(struct asz_engine_datagram) % 4 == 0, "rte_ring copies words");

/* A frame on its way to the worker that owns its target, with the time at which its burst was taken from the port. */
struct asz_steered {
  struct rte_mbuf *mbuf;
  uint64_t tsc;
  uint32_t doubtful, waited; /* of struct asz_rx_arrival: the burst's. Its own time, if the port gave it one, is in the mbuf */
};
_Static_assert(sizeof(struct asz_steered) % 4 == 0, "rte_ring copies words");

/* What asz_engine_epoch_begin prepared. */
struct asz_epoch_order {
  struct asz_plan plan;
  struct asz_clock clock;
  uint32_t map; /* which of the two pairs of address maps */
};

struct asz_engine;

struct asz_worker {
  struct asz_engine *engine;
  uint32_t number; /* of its shard and its queue pair */
  unsigned lcore_id;

  /* shared */
  struct rte_ring *outgoing, *incoming; /* with the control thread: single producer, single consumer each */
  struct rte_ring *steered;             /* from the other workers; NULL when there are none */
  _Atomic uint32_t command;
  _Atomic uint64_t published[ASZ_CTR_COUNT];
  struct asz_shard_report report; /* these two are written before it counts as sealed */
  struct asz_stages stages;
  struct asz_report_live live; /* of the running epoch */

  /* lcore */
  struct asz_hmac_lanes *lanes;
  struct asz_steer steer[ASZ_FAMILY_COUNT]; /* where the port spreads */
  struct asz_counters counters __attribute__((aligned(64)));
  struct asz_rx rx;
  struct asz_rx_burst rx_burst;
  struct asz_tx tx;
  enum asz_engine_phase phase;
  bool cooled;                        /* its last probe has timed out; waits for the others */
  uint64_t gateway[ASZ_FAMILY_COUNT]; /* engine->gateway when last looked */
  uint64_t link;                      /* engine->link when last looked */
  struct asz_nic_relation nic;        /* the port's clock, as last looked; unknown where it has no times */
  uint64_t doubt_until_tsc;           /* what comes in may be the answer to what had lain in the port ... */
  enum asz_fault doubt_fault;         /* ... for this reason */
  uint64_t housekeeping_tsc;          /* when next */
  uint64_t polled_tsc;                /* last look at the receive queue */
  uint64_t drained_tsc;               /* last time that the receive queue was known to be empty */
  uint64_t poll_ticks_max;            /* worst gap between two looks, this epoch */
  uint64_t wait_ticks_max;            /* the same, but where all frames had a time of the port's: that time's error */
  bool backlog;                       /* frames of a late look may still wait in the port */
} __attribute__((aligned(64)));

struct asz_engine {
  struct asz_engine_config config;
  struct asz_port port;
  struct asz_flows flows;                         /* what the port has of them: */
  bool rules_ports[ASZ_FAMILY_COUNT], rules_echo; /* UDP and TCP of a family; echo replies over IPv4 */
  struct asz_addrmap map[2];                      /* running and previous epoch */
  struct asz_addrmap6 map6[2];
  struct asz_clock clock;         /* control thread */
  uint32_t map_next;              /* control thread: the map that the lcores do not use */
  uint32_t launched;              /* workers that run */
  struct asz_neigh neigh;         /* worker 0's while it runs */
  struct asz_nd nd;               /* and this */
  struct asz_nic_clock nic_clock; /* and this */
  bool nic_known;                 /* was it, when last read */
  struct asz_nic_live nic_live;   /* what it knows, for all workers */

  _Atomic uint32_t phase;
  _Atomic uint32_t probing, uncooled, unsealed; /* workers that have not finished that phase */
  _Atomic bool end_asked, stop_asked, gateway_known[ASZ_FAMILY_COUNT];
  _Atomic uint64_t gateway[ASZ_FAMILY_COUNT]; /* asz_resolve_word, from worker 0 */
  _Atomic uint64_t link;                      /* ASZ_LINK_*, from worker 0 */
  uint64_t link_tsc;                          /* when worker 0 looks at it next */
  struct asz_epoch_order next;

  struct asz_worker worker[]; /* config.lcore_count */
};

/* asz_prober_main: a lcore's function; argument is its worker. Returns 0 once stopped. */
int asz_prober_main(void *worker);

#endif
