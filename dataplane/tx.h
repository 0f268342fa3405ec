/* SPDX-License-Identifier: Apache-2.0 */
/* asz_tx: the sending half of an epoch: from the schedule to the port.
 *
 * Probes are drawn a whole burst ahead, so that the targets they go to have a burst's time to come into cache: in random order
 * over a million of them, waiting for memory was a third of the work. A burst of one kind is laid out first, stamped last: clock,
 * cookies, checksums, port. A plan of several kinds or families makes one burst of each. What the port does not take is freed and
 * is ours: counted, and marked unjudged for its target.
 *
 * A port that sends by time, and whose clock is known, gets its probes a little ahead, each with the time at which its interval
 * of the pace begins: that is when it leaves, and the time that it carries. Such a queue is in the order of these times whatever
 * the kinds, since a port keeps frames in order and one that waits keeps up all behind it. What is due already goes at once, and
 * so does everything when the clock is not known. If the clock turns out to have jumped, what left by it since the reading before
 * the last is a fault of ours, and so is what is sent in the next timeout, for it may stand behind a frame that waits. */
#ifndef ASZ_DATAPLANE_TX_H
#define ASZ_DATAPLANE_TX_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/clock.h"
#include "dataplane/base/cookie.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/faults.h"
#include "dataplane/engine.h"
#include "dataplane/jitter.h"
#include "dataplane/nic_clock.h"
#include "dataplane/pace.h"
#include "dataplane/port.h"
#include "dataplane/probes/probe.h"
#include "dataplane/report.h"
#include "dataplane/sched.h"
#include "dataplane/slots.h"
#include "dataplane/stages.h"

/* How far ahead a probe is handed to a port that sends by time: several turns of the loop with full bursts both ways (20 to 30 us
 * each), and yet no more than a queue of 1,024 descriptors holds at 10 M probes/s. */
enum { ASZ_TX_LEAD_US = 100 };
/* asz_tx_lead_ntp64: a probe's time is never further ahead of its sending, with room for rounding. */
static inline uint64_t asz_tx_lead_ntp64(void) {
  return ((UINT64_C(2) * ASZ_TX_LEAD_US) << 32) / 1000000;
}

/* A burst's worth of the schedule. */
struct asz_drawn {
  uint32_t target[ASZ_BURST_MAX];
  uint32_t seq[ASZ_BURST_MAX];
};

struct asz_tx {
  const struct asz_port *port;
  uint16_t queue;
  struct asz_counters *counters; /* the lcore's */
  struct asz_stages *stages;     /* NULL: not measured */
  struct asz_plan plan;
  struct asz_shard shard;
  struct asz_clock clock; /* snapshot: a step of the wall clock does not move this epoch's times */
  struct asz_cookie_key key;
  struct asz_pace pace;
  struct asz_sched sched;
  struct asz_slots slots;
  struct asz_probe_setup setup;
  struct asz_template template[ASZ_PROBE_COUNT][ASZ_FAMILY_COUNT];
  struct asz_burst burst[ASZ_PROBE_COUNT][ASZ_FAMILY_COUNT];
  struct asz_drawn drawn[2];       /* the burst being sent, and the next */
  uint32_t drawn_now;              /* which is being sent */
  uint32_t drawn_next;             /* first of it that is not sent yet */
  uint32_t asked;                  /* of the next: so many have been asked for */
  uint64_t scheduled;              /* probes drawn and due so far, sent or not */
  uint32_t seq_last;               /* no sequence of them is above it */
  uint64_t sent;                   /* taken by the port */
  struct asz_faults faults;        /* of this epoch so far; the loop adds what it finds on the way in */
  struct asz_faults faults_closed; /* of these, up to the end of the last slot that was closed */
  struct asz_faults spoiling;      /* of these, in slots that are unjudged for them; and what a lost gateway kept here */
  uint64_t late_bound_ticks;
  uint64_t late_ticks_max;  /* worst lateness */
  struct asz_jitter jitter; /* of this epoch */
  uint32_t time_step_log2;  /* coarsest time that was sent, see asz_probe_module */
  uint64_t burst_ticks_max; /* worst time from stamp to the port's return */
  uint64_t missed_last;     /* port's missed frames at the last slot's end */
  bool missed_ours;         /* one lcore answers for what the port misses */
  uint64_t last_sent_tsc;
  const struct asz_nic_relation *nic; /* the port's clock as the loop last saw it; only asked where the port sends by time */
  bool nic_known;                     /* when the loop last looked */
  uint64_t nic_until_tsc;             /* of nic, when last looked: it changes with each reading */
  uint64_t lead_ticks;
  uint64_t timed;                              /* probes that left by the port's clock ... */
  uint64_t timed_read, timed_read_before;      /* ... by the last reading of it that we saw, and by the one before */
  uint64_t doubt_until_tsc;                    /* what is sent before it may stand behind frames that wait for a wrong time */
  bool gateway_lost[ASZ_FAMILY_COUNT];         /* set by the loop: what is due now to this family's targets is our fault */
  uint64_t slots_no_gateway[ASZ_FAMILY_COUNT]; /* bit s: something was due to them in slot s while it was lost */
  bool link_down;                              /* set by asz_tx_link: nothing is sent, and that is our fault */
  uint64_t link_sent;                          /* `sent` when the link was last seen up */
};

/* asz_tx_begin: the plan was checked; probing of a shard (one target at least) starts at origin_tsc. */
void asz_tx_begin(struct asz_tx *tx, const struct asz_plan *plan, const struct asz_shard *shard, const struct asz_clock *clock,
                  const struct asz_probe_setup *setup, uint64_t origin_tsc);
/* asz_tx_readdress: the MAC of a family's gateway has changed. */
void asz_tx_readdress(struct asz_tx *tx, enum asz_family family, const uint8_t gateway_mac[6]);
/* asz_tx_link: the port's link was looked at. What was sent since it was last seen up may have gone nowhere: faults of ours. */
void asz_tx_link(struct asz_tx *tx, bool down);
/* asz_tx_clock: the port's clock was looked at. */
void asz_tx_clock(struct asz_tx *tx, bool known, uint64_t tsc);
/* asz_tx_poll sends what is due at tsc, one burst at most, and closes slots that have ended. */
void asz_tx_poll(struct asz_tx *tx, uint64_t tsc);
/* asz_tx_done: nothing will be due any more. */
bool asz_tx_done(struct asz_tx *tx, uint64_t tsc);
/* asz_tx_cut: probing ends at tsc instead of at the plan's end. */
void asz_tx_cut(struct asz_tx *tx, uint64_t tsc);
/* asz_tx_report: of an epoch that runs; wait_ticks_max is the receiving half's share of an error. asz_tx_seal: at its end. */
void asz_tx_report(const struct asz_tx *tx, uint64_t tsc, uint64_t wait_ticks_max, struct asz_shard_report *ret_report);
void asz_tx_seal(struct asz_tx *tx, uint64_t wait_ticks_max, struct asz_shard_report *ret_report);

#endif
