/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/report.h"

#include "dataplane/seqlock.h"

_Static_assert(sizeof(struct asz_shard_report) % sizeof(uint64_t) == 0, "it is published word by word");

void asz_report_publish(struct asz_report_live *live, const struct asz_shard_report *report) {
  asz_seqlock_write(&live->turn, live->word, report, ASZ_REPORT_WORDS);
}

void asz_report_look(const struct asz_report_live *live, struct asz_shard_report *ret_report) {
  while (!asz_seqlock_read(&live->turn, live->word, ret_report, ASZ_REPORT_WORDS))
    ;
}

static uint64_t larger(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

void asz_report_join(struct asz_stats *stats, uint32_t shard, const struct asz_shard_report *report) {
  if (shard == 0)
    stats->start_realtime_ns = report->start_realtime_ns;
  stats->shard_scheduled[shard] = report->scheduled;
  stats->probes_scheduled += report->scheduled;
  stats->slots_unjudged |= report->slots_unjudged;
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
    stats->slots_no_gateway[family] |= report->slots_no_gateway[family];
  asz_faults_add(&stats->faults, &report->faults);
  stats->rate_pps += report->rate_pps;
  stats->rtt_error_ns = larger(stats->rtt_error_ns, report->rtt_error_ns);
  stats->send_error_ns = larger(stats->send_error_ns, report->send_error_ns);
  stats->span_ticks += report->span_ticks;
  stats->late_ns_max = larger(stats->late_ns_max, report->late_ns_max);
}
