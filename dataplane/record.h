/* SPDX-License-Identifier: Apache-2.0 */
/* asz_record: a reply whose cookie and MAC are right: is it the first, and in time?
 *
 * Each target keeps a window of 64 sequence bits, as IPsec does against replays (RFC 4303 section 3.4.3): a second copy is told
 * apart from a first, and what is older than the window is a replay. Only a first reply in time changes what is scored. */
#ifndef ASZ_DATAPLANE_RECORD_H
#define ASZ_DATAPLANE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/counters.h"
#include "dataplane/engine.h"

struct asz_reply {
  uint32_t seq; /* under 2^32 - 1 */
  uint32_t slot;
  uint64_t rtt_ns;
  uint32_t bin;   /* asz_sketch_bin(rtt_ns) */
  uint8_t waited; /* asz_bound: in the port, at most; not 0 */
  bool doubtful;  /* rtt_ns is only an upper bound, because we were late to look */
  bool stamped;   /* rtt_ns may be too short as well, by what `waited` says */
};

/* asz_record_reply: a reply to target `index` that is genuine. Returns ASZ_CTR_RX_ANSWERED, _LATE, _DUPLICATE, _REPLAYED or
 * _DOUBTFUL; *ret_reordered: 1 when it is a first one behind a later probe's reply. A doubtful first reply in time shows that the
 * target is up, and no more; one after the timeout is unjudged, and a second copy after it is nothing. */
enum asz_counter asz_record_reply(struct asz_stats *stats, uint32_t index, const struct asz_reply *reply, uint64_t timeout_ns,
                                  int *ret_reordered);

/* A 16-bit counter that stays at its end: whoever floods us with forgeries must not count himself clean. */
static inline void asz_record_count(uint16_t *counter) {
  *counter = (uint16_t)(*counter + (*counter != UINT16_MAX));
}

#endif
