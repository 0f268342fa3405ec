/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dataplane/slots.h"

/* 1 GHz, so that ticks are ns; wall time starts at 2026. */
static const struct asz_clock ghz = {.tsc_hz = 1000000000,
                                     .ns_per_tick_q32 = UINT64_C(1) << 32,
                                     .ticks_per_ns_q32 = UINT64_C(1) << 32,
                                     .base_realtime_ns = UINT64_C(1767225600) * 1000000000};
enum { SLOT_NS = 1000000, ORIGIN = 5000 };

static struct asz_slots three_slots(uint32_t bound_ppm) {
  struct asz_slots slots;
  asz_slots_init(&slots, &ghz, ORIGIN, 3 * SLOT_NS - 1, SLOT_NS, bound_ppm);
  return slots;
}

Test(slots, partial_last_slot_counts_as_one)
{
  struct asz_slots slots = three_slots(0);
  cr_assert(eq(u32, slots.count, 3));
}

Test(slots, bound_is_exact)
{
  struct asz_slots slots = three_slots(10000); /* 1 % */
  cr_assert(not(asz_slots_close(&slots, 1000, 10)), "exactly 1 %%: not more");
  cr_assert(asz_slots_close(&slots, 2000, 21), "11 of 1,000");
  cr_assert(eq(u64, slots.unjudged, 2));
  cr_assert(eq(u32, slots.now, 2));
}

Test(slots, faults_with_nothing_due_are_over_any_bound)
{
  struct asz_slots slots = three_slots(1000000);
  asz_slots_close(&slots, 0, 1);
  cr_assert(eq(u64, slots.unjudged, 1));
}

Test(slots, abandoned_slots_are_unjudged_to_the_end)
{
  struct asz_slots slots = three_slots(0);
  asz_slots_close(&slots, 10, 0);
  asz_slots_abandon(&slots);
  cr_assert(eq(u64, slots.unjudged, 6));
}

Test(slots, last_slot_stays_open)
{
  struct asz_slots slots = three_slots(0);
  slots.now = 2;
  cr_assert(eq(int, asz_slots_ended(&slots, ORIGIN + 100 * SLOT_NS), 0));
}

Test(slots, time_on_the_wire_finds_its_slot)
{
  struct asz_slots slots = three_slots(0);
  slots.now = 2;
  uint64_t origin_ns = asz_clock_realtime_ns(&ghz, ORIGIN);
  for (uint32_t s = 0; s < 3; s++) {
    uint64_t start = asz_clock_ntp64(origin_ns + s * SLOT_NS);
    cr_assert(eq(u32, asz_slots_of(&slots, start), s));
    cr_assert(eq(u32, asz_slots_of(&slots, start - 1), s > 0 ? s - 1 : 0));
  }
  slots.now = 1; /* a probe is never in a slot that has not begun */
  cr_assert(eq(u32, asz_slots_of(&slots, asz_clock_ntp64(origin_ns + 2 * SLOT_NS)), 1));
}
