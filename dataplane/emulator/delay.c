/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/emulator/delay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CHILDREN = 4, CAPACITY_MAX = 1u << 28 };

struct entry {
  uint64_t due_tsc;
  uint32_t order; /* of arrival, wraps: equals are never 2^31 pushes apart, since no more than 2^28 are inside */
  uint32_t slot;
};
_Static_assert(sizeof(struct entry) == 16, "four children in one cache line");

/* The root is entry 3, so that the children of entry i, 4 i - 8 to 4 i - 5, begin at a multiple of four: on a line of their own.
 */
enum { ROOT = 3 };

struct asz_delay {
  uint32_t capacity, count;
  uint32_t order;
  struct entry *heap;       /* ROOT + capacity, aligned to a cache line */
  struct asz_delayed *slot; /* capacity */
  uint32_t *free_slot;      /* stack of the capacity - count slots that are free */
};

static bool before(const struct entry *a, const struct entry *b) {
  if (a->due_tsc != b->due_tsc)
    return a->due_tsc < b->due_tsc;
  return (int32_t)(a->order - b->order) < 0;
}

static uint32_t parent_of(uint32_t at) {
  return at / CHILDREN + 2;
}

static uint32_t first_child_of(uint32_t at) {
  return CHILDREN * at - 8;
}

int asz_delay_new(struct asz_delay **ret_delay, uint32_t capacity) {
  if (capacity == 0 || capacity > CAPACITY_MAX)
    return ASZ_EINVAL;
  struct asz_delay *delay = calloc(1, sizeof *delay);
  if (!delay)
    return ASZ_ENOMEM;
  size_t heap_bytes = (ROOT + (size_t)capacity) * sizeof(struct entry);
  delay->capacity = capacity;
  delay->heap = aligned_alloc(64, (heap_bytes + 63) & ~(size_t)63);
  delay->slot = malloc(capacity * sizeof *delay->slot);
  delay->free_slot = malloc(capacity * sizeof *delay->free_slot);
  if (!delay->heap || !delay->slot || !delay->free_slot) {
    asz_delay_free(delay);
    return ASZ_ENOMEM;
  }
  /* Written once here, so that no page is first touched in the packet loop. */
  memset(delay->heap, 0, heap_bytes);
  memset(delay->slot, 0, capacity * sizeof *delay->slot);
  for (uint32_t i = 0; i < capacity; i++)
    delay->free_slot[i] = capacity - 1 - i;
  *ret_delay = delay;
  return 0;
}

void asz_delay_free(struct asz_delay *delay) {
  if (!delay)
    return;
  free(delay->heap);
  free(delay->slot);
  free(delay->free_slot);
  free(delay);
}

size_t asz_delay_footprint(uint32_t capacity) {
  return sizeof(struct asz_delay) + (ROOT + (size_t)capacity) * sizeof(struct entry) +
         capacity * (sizeof(struct asz_delayed) + sizeof(uint32_t));
}

int asz_delay_push(struct asz_delay *delay, uint64_t due_tsc, const struct asz_delayed *delayed) {
  if (delay->count == delay->capacity)
    return ASZ_EAGAIN;
  uint32_t slot = delay->free_slot[delay->capacity - delay->count - 1];
  delay->slot[slot] = *delayed;
  struct entry entry = {.due_tsc = due_tsc, .order = delay->order++, .slot = slot};
  uint32_t at = ROOT + delay->count++;
  for (; at > ROOT && before(&entry, &delay->heap[parent_of(at)]); at = parent_of(at))
    delay->heap[at] = delay->heap[parent_of(at)];
  delay->heap[at] = entry;
  return 0;
}

/* Moves the hole at the root down to where `entry` belongs. */
static void sift_down(struct asz_delay *delay, struct entry entry) {
  uint32_t end = ROOT + delay->count;
  uint32_t at = ROOT;
  for (;;) {
    uint32_t child = first_child_of(at);
    if (child >= end)
      break;
    uint32_t last = child + CHILDREN < end ? child + CHILDREN : end;
    uint32_t best = child;
    for (child++; child < last; child++)
      if (before(&delay->heap[child], &delay->heap[best]))
        best = child;
    if (!before(&delay->heap[best], &entry))
      break;
    delay->heap[at] = delay->heap[best];
    at = best;
  }
  delay->heap[at] = entry;
}

int asz_delay_pop(struct asz_delay *delay, uint64_t now_tsc, struct asz_delayed *ret_delayed) {
  if (delay->count == 0 || delay->heap[ROOT].due_tsc > now_tsc)
    return 0;
  uint32_t slot = delay->heap[ROOT].slot;
  *ret_delayed = delay->slot[slot];
  delay->count--;
  delay->free_slot[delay->capacity - delay->count - 1] = slot;
  if (delay->count > 0)
    sift_down(delay, delay->heap[ROOT + delay->count]);
  return 1;
}

uint64_t asz_delay_due(const struct asz_delay *delay) {
  return delay->count == 0 ? UINT64_MAX : delay->heap[ROOT].due_tsc;
}

uint32_t asz_delay_count(const struct asz_delay *delay) {
  return delay->count;
}
