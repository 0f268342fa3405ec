/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dataplane/base/draw.h"
#include "dataplane/emulator/delay.h"

static struct asz_delay *new_delay(uint32_t capacity) {
  struct asz_delay *delay = NULL;
  cr_assert(eq(int, asz_delay_new(&delay, capacity), 0));
  return delay;
}

static int push(struct asz_delay *delay, uint64_t due, uint32_t kind) {
  struct asz_delayed delayed = {.what = delay, .arrival_tsc = due / 2, .provider = 7, .kind = kind};
  return asz_delay_push(delay, due, &delayed);
}

Test(delay, refuses_a_capacity_of_none_or_too_many)
{
  struct asz_delay *delay = NULL;
  cr_expect(eq(int, asz_delay_new(&delay, 0), ASZ_EINVAL));
  cr_expect(eq(int, asz_delay_new(&delay, (1u << 28) + 1), ASZ_EINVAL));
  cr_expect(zero(ptr, delay));
  asz_delay_free(NULL);
}

Test(delay, refuses_one_more_than_its_capacity_and_loses_nothing)
{
  struct asz_delay *delay = new_delay(3);
  struct asz_delayed out;
  for (uint32_t i = 0; i < 3; i++)
    cr_assert(eq(int, push(delay, 10 - i, i), 0));
  cr_expect(eq(int, push(delay, 1, 99), ASZ_EAGAIN));
  cr_expect(eq(u32, asz_delay_count(delay), 3));
  for (uint32_t i = 0; i < 3; i++) {
    cr_assert(eq(int, asz_delay_pop(delay, UINT64_MAX, &out), 1));
    cr_expect(eq(u32, out.kind, 2 - i));
  }
  cr_expect(eq(int, asz_delay_pop(delay, UINT64_MAX, &out), 0));
  asz_delay_free(delay);
}

Test(delay, holds_back_what_is_not_due_by_one_tick)
{
  struct asz_delay *delay = new_delay(4);
  struct asz_delayed out;
  cr_assert(eq(int, push(delay, 1000, 1), 0));
  cr_expect(eq(int, asz_delay_pop(delay, 999, &out), 0));
  cr_expect(eq(int, asz_delay_pop(delay, 1000, &out), 1));
  cr_expect(eq(ptr, out.what, (void *)delay));
  cr_expect(eq(u64, out.arrival_tsc, 500));
  cr_expect(eq(u32, out.provider, 7));
  asz_delay_free(delay);
}

Test(delay, keeps_the_order_of_arrival_among_equals)
{
  enum { COUNT = 500 };
  struct asz_delay *delay = new_delay(COUNT);
  struct asz_delayed out;
  for (uint32_t i = 0; i < COUNT; i++)
    cr_assert(eq(int, push(delay, 42, i), 0));
  for (uint32_t i = 0; i < COUNT; i++) {
    cr_assert(eq(int, asz_delay_pop(delay, 42, &out), 1));
    cr_assert(eq(u32, out.kind, i));
  }
  asz_delay_free(delay);
}

/* The reference: a plain array, searched for the earliest. Few different due times, so that ties are common; `spread` shifts
 * them apart: over one slot of the calendar, many slots, or several laps. */
static void compare_with_linear_search(unsigned spread) {
  enum { CAPACITY = 150, STEPS = 30000 };
  const uint64_t seed = 20261123;
  struct asz_delay *delay = new_delay(CAPACITY);
  struct {
    uint64_t due;
    uint32_t kind;
  } reference[CAPACITY];
  uint32_t held = 0;
  for (uint32_t step = 0; step < STEPS; step++) {
    uint64_t bits = asz_draw(seed, spread, step, 0);
    uint64_t due = (UINT64_C(1) << 50) + ((step / 100 + bits % 64) << spread);
    /* Alternately a little more pushing and a little more popping, so that full and empty are both reached. */
    if (bits >> 32 & 7u ? (step / 1000 % 2 == 0) : (step / 1000 % 2 == 1)) {
      int err = push(delay, due, step);
      cr_assert(eq(int, err, held == CAPACITY ? ASZ_EAGAIN : 0), "spread %u step %u", spread, step);
      if (!err) {
        reference[held].due = due;
        reference[held++].kind = step;
      }
      continue;
    }
    uint32_t best = 0;
    for (uint32_t i = 1; i < held; i++)
      if (reference[i].due < reference[best].due)
        best = i; /* the array is in order of arrival: the first of equals wins */
    struct asz_delayed out;
    int got = asz_delay_pop(delay, due, &out);
    cr_assert(eq(int, got, held > 0 && reference[best].due <= due), "spread %u step %u", spread, step);
    if (!got)
      continue;
    cr_assert(eq(u32, out.kind, reference[best].kind), "spread %u step %u", spread, step);
    held--;
    for (uint32_t i = best; i < held; i++)
      reference[i] = reference[i + 1];
  }
  cr_expect(eq(u32, asz_delay_count(delay), held));
  struct asz_delayed out;
  while (held > 0 && asz_delay_pop(delay, UINT64_MAX, &out))
    held--;
  cr_expect(eq(u32, held, 0), "UINT64_MAX empties it");
  cr_expect(eq(u32, asz_delay_count(delay), 0));
  asz_delay_free(delay);
}

Test(delay, gives_what_a_linear_search_gives_within_a_slot_over_slots_and_over_laps)
{
  const unsigned spreads[] = {0, 12, 16, 18, 20, 26, 28, 32, 40};
  for (size_t i = 0; i < sizeof spreads / sizeof *spreads; i++)
    compare_with_linear_search(spreads[i]);
}

Test(delay, a_long_sleep_loses_nothing)
{
  struct asz_delay *delay = new_delay(8);
  struct asz_delayed out;
  cr_assert(eq(int, push(delay, UINT64_C(1) << 40, 1), 0));
  cr_assert(eq(int, push(delay, UINT64_C(1) << 60, 3), 0));
  cr_assert(eq(int, push(delay, UINT64_C(1) << 45, 2), 0));
  for (uint32_t i = 1; i <= 2; i++) {
    cr_assert(eq(int, asz_delay_pop(delay, UINT64_C(1) << 59, &out), 1));
    cr_expect(eq(u32, out.kind, i));
  }
  cr_expect(eq(int, asz_delay_pop(delay, UINT64_C(1) << 59, &out), 0));
  cr_expect(eq(int, asz_delay_pop(delay, UINT64_C(1) << 60, &out), 1));
  asz_delay_free(delay);
}

Test(delay, a_push_into_the_past_is_due_at_once)
{
  struct asz_delay *delay = new_delay(8);
  struct asz_delayed out;
  cr_expect(eq(int, asz_delay_pop(delay, UINT64_C(1) << 40, &out), 0));
  cr_assert(eq(int, push(delay, 5, 1), 0));
  cr_expect(eq(int, asz_delay_pop(delay, UINT64_C(1) << 40, &out), 1));
  asz_delay_free(delay);
}
