/* SPDX-License-Identifier: Apache-2.0 */
/* asz_arrival: when each frame of a burst arrived, where the port says so.
 *
 * A port's time is believed when its clock is known and when it can be true: not after the burst was taken, and not longer before
 * than the queue was last known to be empty, with room for the port to hand a frame over. A frame that says nothing, or nothing
 * that can be true, arrived when its burst was taken, as far as we know. So a wrong clock makes an RTT wrong by no more than that
 * room, and only until it is read again (nic_clock.h). */
#ifndef ASZ_DATAPLANE_ARRIVAL_H
#define ASZ_DATAPLANE_ARRIVAL_H

#include <stdbool.h>

#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/nic_clock.h"
#include "dataplane/port.h"
#include "dataplane/rx.h"

struct rte_mbuf;

/* A port frame is in our hands this long after it arrived at the latest, if we look: DMA and descriptor write-back, which some
 * ports gather for tens of microseconds. */
enum { ASZ_ARRIVAL_HANDOVER_US = 100 };

/* asz_arrivals_read sets burst->timed and own of `count` frames; burst->taken is set. doubtful: replies tell no RTT for another
 * reason than that we looked late. relation is known at taken.tsc. Returns how many came with a time that was used: RX_STAMPED;
 * others that had one count as RX_STAMP_REFUSED. No division, no call. */
uint32_t asz_arrivals_read(struct asz_rx_burst *burst, struct rte_mbuf *const *mbuf, uint32_t count,
                           const struct asz_port_times *times, const struct asz_nic_relation *relation,
                           const struct asz_clock *clock, bool doubtful, struct asz_counters *counters);

#endif
