/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/arrival.h"

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "dataplane/base/bound.h"

/* The times that can be true, of one burst. */
struct window {
  uint64_t first_tsc, last_tsc;
  uint64_t error_tsc;
};

static struct window window_of(const struct asz_rx_arrival *taken, const struct asz_nic_relation *relation,
                               const struct asz_clock *clock) {
  uint64_t error_tsc = asz_nic_error_tsc(relation, taken->tsc);
  uint64_t before_ns = asz_bound_ns(taken->waited) + ASZ_ARRIVAL_HANDOVER_US * UINT64_C(1000);
  return (struct window){.first_tsc = taken->tsc - asz_clock_ticks(clock, before_ns) - error_tsc,
                         .last_tsc = taken->tsc + error_tsc,
                         .error_tsc = error_tsc};
}

uint32_t asz_arrivals_read(struct asz_rx_burst *burst, struct rte_mbuf *const *mbuf, uint32_t count,
                           const struct asz_port_times *times, const struct asz_nic_relation *relation,
                           const struct asz_clock *clock, bool doubtful, struct asz_counters *counters) {
  const struct asz_rx_arrival *taken = &burst->taken;
  const struct window window = window_of(taken, relation, clock);
  const uint8_t waited = asz_bound_code(asz_clock_ns(clock, window.error_tsc));
  uint32_t stamps = 0, used = 0;
  burst->timed = true;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t tsc;
    burst->own[i] = *taken;
    if ((mbuf[i]->ol_flags & times->rx_flag) == 0)
      continue;
    stamps++;
    uint64_t ticks = *RTE_MBUF_DYNFIELD(mbuf[i], times->offset, const rte_mbuf_timestamp_t *);
    if (!asz_nic_tsc(relation, ticks, &tsc) || tsc - window.first_tsc > window.last_tsc - window.first_tsc)
      continue;
    used++;
    tsc = tsc < taken->tsc ? tsc : taken->tsc;
    burst->own[i] = (struct asz_rx_arrival){.ntp64 = asz_clock_ntp64(asz_clock_realtime_ns(clock, tsc)),
                                            .tsc = tsc,
                                            .waited = waited,
                                            .doubtful = doubtful,
                                            .stamped = true};
  }
  counters->value[ASZ_CTR_RX_STAMPED] += used;
  counters->value[ASZ_CTR_RX_STAMP_REFUSED] += stamps - used;
  return used;
}
