/* SPDX-License-Identifier: Apache-2.0 */
/* asz_report: what one lcore has to say of an epoch, at its end and while it runs.
 *
 * While it runs the report is published in housekeeping, every 2 ms, so that the control thread can tell how far an epoch is
 * without asking (asz_seqlock). */
#ifndef ASZ_DATAPLANE_REPORT_H
#define ASZ_DATAPLANE_REPORT_H

#include <stdatomic.h>

#include "dataplane/engine.h"

/* Whole words only: it is published word by word. */
struct asz_shard_report {
  uint64_t epoch, tsc; /* of which epoch, and when this was so */
  uint64_t start_realtime_ns, scheduled, slots_unjudged, rtt_error_ns, send_error_ns, late_ns_max;
  uint64_t rate_pps, span_ticks; /* at the end; 0 while it runs */
  uint64_t sent;                 /* taken by the port */
  uint64_t slots_closed;         /* the first slots, so many, are over and judged */
  uint64_t slots_no_gateway[ASZ_FAMILY_COUNT];
  struct asz_faults faults; /* in the slots that they spoiled */
};

enum { ASZ_REPORT_WORDS = sizeof(struct asz_shard_report) / sizeof(uint64_t) };

struct asz_report_live {
  _Atomic uint64_t turn; /* asz_seqlock */
  _Atomic uint64_t word[ASZ_REPORT_WORDS];
};

/* asz_report_publish: the lcore that owns it. asz_report_look: any thread; retries while it is written. */
void asz_report_publish(struct asz_report_live *live, const struct asz_shard_report *report);
void asz_report_look(const struct asz_report_live *live, struct asz_shard_report *ret_report);

/* asz_report_join adds one shard's report to what all have said. A slot that one of them spoiled is spoiled. */
void asz_report_join(struct asz_stats *stats, uint32_t shard, const struct asz_shard_report *report);

#endif
