/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <string.h>

#include "dataplane/report.h"

enum { TURNS = 300000 };

/* All words of a report say the same. */
static void *publish(void *argument) {
  struct asz_report_live *live = argument;
  for (uint64_t turn = 1; turn <= TURNS; turn++) {
    uint64_t word[ASZ_REPORT_WORDS];
    struct asz_shard_report report;
    for (unsigned i = 0; i < ASZ_REPORT_WORDS; i++)
      word[i] = turn;
    memcpy(&report, word, sizeof report);
    asz_report_publish(live, &report);
  }
  return NULL;
}

Test(report, reader_never_sees_half_of_one)
{
  static struct asz_report_live live;
  pthread_t thread;
  uint64_t before = 0;
  cr_assert(eq(int, pthread_create(&thread, NULL, publish, &live), 0));
  while (before < TURNS) {
    struct asz_shard_report report;
    uint64_t word[ASZ_REPORT_WORDS];
    asz_report_look(&live, &report);
    memcpy(word, &report, sizeof word);
    for (unsigned i = 1; i < ASZ_REPORT_WORDS; i++)
      cr_assert(eq(u64, word[i], word[0]));
    cr_assert(ge(u64, word[0], before));
    before = word[0];
  }
  pthread_join(thread, NULL);
}

Test(report, slot_that_one_lcore_spoiled_is_spoiled)
{
  struct asz_stats stats = {0};
  const struct asz_shard_report a = {
      .start_realtime_ns = 5, .scheduled = 10, .slots_unjudged = 1, .late_ns_max = 7, .rate_pps = 3};
  const struct asz_shard_report b = {
      .start_realtime_ns = 6, .scheduled = 20, .slots_unjudged = 4, .late_ns_max = 6, .rate_pps = 4};
  asz_report_join(&stats, 0, &a);
  asz_report_join(&stats, 1, &b);
  cr_assert(eq(u64, stats.slots_unjudged, 5));
  cr_assert(eq(u64, stats.probes_scheduled, 30));
  cr_assert(eq(u64, stats.shard_scheduled[1], 20));
  cr_assert(eq(u64, stats.start_realtime_ns, 5));
  cr_assert(eq(u64, stats.late_ns_max, 7));
  cr_assert(eq(u64, stats.rate_pps, 7));
}
