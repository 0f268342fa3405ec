/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/report.h"

#include <string.h>

_Static_assert(sizeof(struct asz_shard_report) % sizeof(uint64_t) == 0, "it is published word by word");

void asz_report_publish(struct asz_report_live *live, const struct asz_shard_report *report) {
  uint64_t word[ASZ_REPORT_WORDS];
  uint64_t turn = atomic_load_explicit(&live->turn, memory_order_relaxed);
  memcpy(word, report, sizeof word);
  atomic_store_explicit(&live->turn, turn + 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  for (unsigned i = 0; i < ASZ_REPORT_WORDS; i++)
    atomic_store_explicit(&live->word[i], word[i], memory_order_relaxed);
  atomic_store_explicit(&live->turn, turn + 2, memory_order_release);
}

void asz_report_look(const struct asz_report_live *live, struct asz_shard_report *ret_report) {
  uint64_t word[ASZ_REPORT_WORDS], before, after;
  do {
    before = atomic_load_explicit(&live->turn, memory_order_acquire);
    for (unsigned i = 0; i < ASZ_REPORT_WORDS; i++)
      word[i] = atomic_load_explicit(&live->word[i], memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    after = atomic_load_explicit(&live->turn, memory_order_relaxed);
  } while (before != after || (before & 1) != 0);
  memcpy(ret_report, word, sizeof word);
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
