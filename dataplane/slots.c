/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/slots.h"

#include <assert.h>

void asz_slots_init(struct asz_slots *ret_slots, const struct asz_clock *clock, uint64_t origin_tsc, uint64_t duration_ns,
                    uint64_t slot_ns, uint32_t fault_bound_ppm) {
  uint64_t count = (duration_ns + slot_ns - 1) / slot_ns;
  assert(count >= 1 && count <= ASZ_SLOTS_MAX);
  *ret_slots = (struct asz_slots){.count = (uint32_t)count, .fault_bound_ppm = fault_bound_ppm};
  uint64_t origin_ns = asz_clock_realtime_ns(clock, origin_tsc);
  for (uint32_t s = 0; s < count; s++) {
    ret_slots->end_tsc[s] = origin_tsc + asz_clock_ticks(clock, (s + 1) * slot_ns);
    ret_slots->start_ntp64[s] = asz_clock_ntp64(origin_ns + s * slot_ns);
  }
}

bool asz_slots_close(struct asz_slots *slots, uint64_t due_total, uint64_t faults_total) {
  uint64_t due = due_total - slots->due_closed;
  uint64_t faults = faults_total - slots->faults_closed;
  bool spoiled = (unsigned __int128)faults * 1000000 > (unsigned __int128)due * slots->fault_bound_ppm;
  if (spoiled)
    slots->unjudged |= UINT64_C(1) << slots->now;
  slots->due_closed = due_total;
  slots->faults_closed = faults_total;
  if (slots->now + 1 < slots->count)
    slots->now++;
  return spoiled;
}

void asz_slots_abandon(struct asz_slots *slots) {
  for (uint32_t s = slots->now; s < slots->count; s++)
    slots->unjudged |= UINT64_C(1) << s;
}
