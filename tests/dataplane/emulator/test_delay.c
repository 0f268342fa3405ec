/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "dataplane/base/draw.h"
#include "dataplane/emulator/delay.h"

enum { SLOT = ASZ_DELAY_SLOT_TICKS };

static struct asz_delay *new_delay(uint32_t capacity) {
  struct asz_delay *delay = NULL;
  cr_assert(eq(int, asz_delay_new(&delay, capacity), 0));
  return delay;
}

static int push(struct asz_delay *delay, uint64_t due, uint32_t kind) {
  struct asz_delayed delayed = {.what = delay, .arrival_tsc = due / 2, .number = due + 1, .provider = 7, .kind = kind};
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
    cr_assert(eq(int, push(delay, SLOT * (10 - i), i), 0));
  cr_expect(eq(int, push(delay, 1, 99), ASZ_EAGAIN));
  cr_expect(eq(u32, asz_delay_count(delay), 3));
  for (uint32_t i = 0; i < 3; i++) {
    cr_assert(eq(int, asz_delay_pop(delay, UINT64_MAX, &out), 1));
    cr_expect(eq(u32, out.kind, 2 - i));
  }
  cr_expect(eq(int, asz_delay_pop(delay, UINT64_MAX, &out), 0));
  asz_delay_free(delay);
}

Test(delay, releases_nothing_early_and_everything_within_a_slot)
{
  struct asz_delay *delay = new_delay(4);
  struct asz_delayed out;
  uint64_t due = UINT64_C(1) << 33;
  for (uint32_t i = 0; i <= SLOT; i++, due += 2 * SLOT + 1) {
    cr_assert(eq(int, push(delay, due, 1), 0));
    cr_assert(eq(int, asz_delay_pop(delay, due - 1, &out), 0), "due %lu: one tick early", due);
    cr_assert(eq(int, asz_delay_pop(delay, due + SLOT - 1, &out), 1), "due %lu: a slot late", due);
    cr_assert(eq(ptr, out.what, (void *)delay));
    cr_assert(eq(u64, out.arrival_tsc, due / 2));
    cr_assert(eq(u64, out.number, due + 1));
    cr_assert(eq(u32, out.provider, 7));
  }
  asz_delay_free(delay);
}

Test(delay, releases_what_is_due_at_the_start_of_a_slot_at_once)
{
  struct asz_delay *delay = new_delay(4);
  struct asz_delayed out;
  cr_assert(eq(int, push(delay, 10 * SLOT, 1), 0));
  cr_expect(eq(int, asz_delay_pop(delay, 10 * SLOT, &out), 1));
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
    cr_assert(eq(int, asz_delay_pop(delay, SLOT, &out), 1));
    cr_assert(eq(u32, out.kind, i));
  }
  asz_delay_free(delay);
}

/* The reference: a plain array in order of arrival, searched through at every step. An entry's slot is the first that begins when
 * it is due, or for a push into the past the last one seen; the earliest slot leaves first, of equals the one that came first. */
struct held {
  uint64_t slot;
  uint32_t kind;
};

struct reference {
  struct held held[150];
  uint32_t count;
  uint64_t seen_slot; /* of the latest pop */
};

static uint32_t reference_earliest(const struct reference *r) {
  uint32_t best = 0;
  for (uint32_t i = 1; i < r->count; i++)
    if (r->held[i].slot < r->held[best].slot)
      best = i;
  return best;
}

static void reference_push(struct reference *r, uint64_t due, uint32_t kind) {
  uint64_t slot = (due + SLOT - 1) / SLOT;
  r->held[r->count++] = (struct held){slot < r->seen_slot ? r->seen_slot : slot, kind};
}

static void reference_remove(struct reference *r, uint32_t at) {
  r->count--;
  for (uint32_t i = at; i < r->count; i++)
    r->held[i] = r->held[i + 1];
}

/* A step of the clock, then pushes, some into the past, then everything that is due. `spread` shifts time and delays: within one
 * slot, over many, or up to a lap of the ring a step. */
static void compare_with_linear_search(unsigned spread) {
  enum { STEPS = 4000 };
  const uint64_t seed = 20261123;
  struct reference *r = calloc(1, sizeof *r);
  const uint32_t capacity = sizeof r->held / sizeof *r->held;
  struct asz_delay *delay = new_delay(capacity);
  uint64_t now = UINT64_C(1) << 50;
  struct asz_delayed out;
  cr_assert(eq(int, asz_delay_pop(delay, now, &out), 0));
  r->seen_slot = now / SLOT;
  for (uint32_t step = 0; step < STEPS; step++) {
    uint64_t bits = asz_draw(seed, spread, step, 0);
    now += (bits & 7) << spread;
    for (uint32_t i = 0; i < (bits >> 8 & 15); i++) {
      uint64_t more = asz_draw(seed, spread, step, 1 + i);
      uint64_t due = now + ((more & 63) << spread) - (more >> 32 & 3) * SLOT;
      int err = push(delay, due, step * 16 + i);
      cr_assert(eq(int, err, r->count == capacity ? ASZ_EAGAIN : 0), "spread %u step %u", spread, step);
      if (!err)
        reference_push(r, due, step * 16 + i);
    }
    for (uint32_t best; (best = reference_earliest(r)), r->count > 0 && r->held[best].slot <= now / SLOT;
         reference_remove(r, best)) {
      cr_assert(eq(int, asz_delay_pop(delay, now, &out), 1), "spread %u step %u", spread, step);
      cr_assert(eq(u32, out.kind, r->held[best].kind), "spread %u step %u", spread, step);
    }
    cr_assert(eq(int, asz_delay_pop(delay, now, &out), 0), "spread %u step %u", spread, step);
    r->seen_slot = now / SLOT;
    cr_assert(eq(u32, asz_delay_count(delay), r->count));
  }
  uint32_t rest = 0;
  while (asz_delay_pop(delay, UINT64_MAX, &out))
    rest++;
  cr_expect(eq(u32, rest, r->count), "UINT64_MAX empties it");
  cr_expect(eq(u32, asz_delay_count(delay), 0));
  asz_delay_free(delay);
  free(r);
}

Test(delay, gives_what_a_linear_search_gives_within_a_slot_over_slots_and_over_laps)
{
  const unsigned spreads[] = {0, 4, 7, 9, 12, 16, 20, 24, 26};
  for (size_t i = 0; i < sizeof spreads / sizeof *spreads; i++)
    compare_with_linear_search(spreads[i]);
}

Test(delay, after_a_sleep_of_many_laps_all_that_is_due_comes_and_nothing_else)
{
  enum { COUNT = 1000 };
  struct asz_delay *delay = new_delay(COUNT);
  struct asz_delayed out;
  const uint64_t start = UINT64_C(1) << 40, wake = start + (UINT64_C(1) << 32);
  uint32_t due_count = 0, got = 0;
  cr_expect(eq(int, asz_delay_pop(delay, start, &out), 0));
  for (uint32_t i = 0; i < COUNT; i++) {
    uint64_t due = start + asz_draw_below(asz_draw(7, 0, i, 0), UINT64_C(1) << 33);
    cr_assert(eq(int, push(delay, due, due <= wake - SLOT), 0));
    due_count += due <= wake - SLOT;
  }
  while (asz_delay_pop(delay, wake, &out)) {
    got++;
    cr_assert(le(u64, out.number - 1, wake));
  }
  cr_expect(ge(u32, got, due_count));
  cr_expect(gt(u32, due_count, COUNT / 3));
  while (asz_delay_pop(delay, start + (UINT64_C(1) << 33), &out)) {
    got++;
    cr_assert(zero(u32, out.kind));
  }
  cr_expect(eq(u32, got, COUNT));
  asz_delay_free(delay);
}

Test(delay, a_long_sleep_loses_nothing)
{
  struct asz_delay *delay = new_delay(8);
  struct asz_delayed out;
  cr_assert(eq(int, push(delay, UINT64_C(1) << 40, 1), 0));
  cr_assert(eq(int, push(delay, UINT64_C(1) << 60, 3), 0));
  cr_assert(eq(int, push(delay, UINT64_C(1) << 45, 2), 0));
  uint32_t kinds = 0;
  for (uint32_t i = 1; i <= 2; i++) {
    cr_assert(eq(int, asz_delay_pop(delay, UINT64_C(1) << 59, &out), 1));
    kinds += out.kind;
  }
  cr_expect(eq(u32, kinds, 3));
  cr_expect(eq(int, asz_delay_pop(delay, UINT64_C(1) << 59, &out), 0));
  cr_expect(eq(int, asz_delay_pop(delay, UINT64_C(1) << 60, &out), 1));
  cr_expect(eq(u32, out.kind, 3));
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
