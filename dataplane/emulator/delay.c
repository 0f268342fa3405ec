/* SPDX-License-Identifier: Apache-2.0 */
/* A heap for what is near, a calendar for what is far.
 *
 * A heap alone releases in exact order, but at 1.5 M replies a second and delays up to 200 ms it holds some 50,000 entries, and
 * every pop walks through memory that no cache keeps: 900 cycles a reply in the whole emulator, against 690 so. What is due
 * beyond the current calendar slot (2^18 ticks, about 0.1 ms) is only put on the list of its slot; when time enters a slot, its
 * list moves into the heap, which then holds a few hundred entries and stays in the first-level cache. What is due more than a
 * lap of the calendar ahead waits on the same list for a later lap.
 *
 * Invariant: everything due at or before near_last_tsc, the last tick of the current slot, is in the heap. (The heap may hold
 * later things, too, when time was once read further ahead.)
 *
 * The heap has four children a node, so that the children lie in one cache line and the tree is half as deep as a binary one. */
#include "dataplane/emulator/delay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CHILDREN = 4, CAPACITY_MAX = 1u << 28, SLOT_SHIFT = 18, SLOTS = 1 << 14, NONE = -1 };
#define SLOT_MASK ((UINT64_C(1) << SLOT_SHIFT) - 1)

struct node {
  uint64_t due_tsc;
  uint32_t order; /* of arrival, wraps: equals are never 2^31 pushes apart, since no more than 2^28 are inside */
  int32_t next;   /* on the list of a slot, or of free nodes */
  struct asz_delayed delayed;
};

struct entry {
  uint64_t due_tsc;
  uint32_t order;
  int32_t node;
};
_Static_assert(sizeof(struct entry) == 16, "four children in one cache line");

/* The root is entry 3, so that the children of entry i, 4 i - 8 to 4 i - 5, begin at a multiple of four: on a line of their own.
 */
enum { ROOT = 3 };

struct asz_delay {
  uint32_t capacity, count, heap_count;
  uint32_t order;
  uint64_t near_last_tsc;
  int32_t free_node;
  struct entry *heap; /* ROOT + capacity, aligned to a cache line */
  struct node *node;  /* capacity */
  int32_t slot[SLOTS];
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
  delay->near_last_tsc = SLOT_MASK;
  delay->heap = aligned_alloc(64, (heap_bytes + 63) & ~(size_t)63);
  delay->node = malloc(capacity * sizeof *delay->node);
  if (!delay->heap || !delay->node) {
    asz_delay_free(delay);
    return ASZ_ENOMEM;
  }
  /* Written once here, so that no page is first touched in the packet loop. */
  memset(delay->heap, 0, heap_bytes);
  memset(delay->node, 0, capacity * sizeof *delay->node);
  for (uint32_t i = 0; i < capacity; i++)
    delay->node[i].next = i + 1 < capacity ? (int32_t)(i + 1) : NONE;
  for (uint32_t s = 0; s < SLOTS; s++)
    delay->slot[s] = NONE;
  *ret_delay = delay;
  return 0;
}

size_t asz_delay_footprint(uint32_t capacity) {
  return sizeof(struct asz_delay) + (ROOT + (size_t)capacity) * sizeof(struct entry) + capacity * sizeof(struct node);
}

void asz_delay_free(struct asz_delay *delay) {
  if (!delay)
    return;
  free(delay->heap);
  free(delay->node);
  free(delay);
}

static void heap_push(struct asz_delay *delay, int32_t node) {
  struct entry entry = {.due_tsc = delay->node[node].due_tsc, .order = delay->node[node].order, .node = node};
  uint32_t at = ROOT + delay->heap_count++;
  for (; at > ROOT && before(&entry, &delay->heap[parent_of(at)]); at = parent_of(at))
    delay->heap[at] = delay->heap[parent_of(at)];
  delay->heap[at] = entry;
}

/* Moves the hole at the root down to where `entry` belongs. */
static void sift_down(struct asz_delay *delay, struct entry entry) {
  uint32_t end = ROOT + delay->heap_count;
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

int asz_delay_push(struct asz_delay *delay, uint64_t due_tsc, const struct asz_delayed *delayed) {
  if (delay->count == delay->capacity)
    return ASZ_EAGAIN;
  int32_t at = delay->free_node;
  struct node *node = &delay->node[at];
  delay->free_node = node->next;
  delay->count++;
  node->due_tsc = due_tsc;
  node->order = delay->order++;
  node->delayed = *delayed;
  if (due_tsc <= delay->near_last_tsc) {
    heap_push(delay, at);
  } else {
    int32_t *slot = &delay->slot[(due_tsc >> SLOT_SHIFT) % SLOTS];
    node->next = *slot;
    *slot = at;
  }
  return 0;
}

/* Moves what is due up to `last_tsc` from one slot into the heap; the rest, of later laps, stays. */
static void sweep(struct asz_delay *delay, int32_t *slot, uint64_t last_tsc) {
  int32_t *link = slot;
  while (*link != NONE) {
    int32_t at = *link;
    struct node *node = &delay->node[at];
    if (node->due_tsc <= last_tsc) {
      *link = node->next;
      heap_push(delay, at);
    } else {
      link = &node->next;
    }
  }
}

/* Restores the invariant for the slot that now_tsc lies in. One lap visits every slot, so more than that is never needed. */
static void enter_slot(struct asz_delay *delay, uint64_t now_tsc) {
  uint64_t last_tsc = now_tsc | SLOT_MASK;
  uint64_t current = delay->near_last_tsc >> SLOT_SHIFT;
  uint64_t steps = (last_tsc >> SLOT_SHIFT) - current;
  if (steps > SLOTS)
    steps = SLOTS;
  for (uint64_t s = 1; s <= steps && delay->heap_count < delay->count; s++)
    sweep(delay, &delay->slot[(current + s) % SLOTS], last_tsc);
  delay->near_last_tsc = last_tsc;
}

int asz_delay_pop(struct asz_delay *delay, uint64_t now_tsc, struct asz_delayed *ret_delayed) {
  if (now_tsc > delay->near_last_tsc)
    enter_slot(delay, now_tsc);
  if (delay->heap_count == 0 || delay->heap[ROOT].due_tsc > now_tsc)
    return 0;
  int32_t at = delay->heap[ROOT].node;
  *ret_delayed = delay->node[at].delayed;
  delay->node[at].next = delay->free_node;
  delay->free_node = at;
  delay->count--;
  if (--delay->heap_count > 0)
    sift_down(delay, delay->heap[ROOT + delay->heap_count]);
  return 1;
}

uint32_t asz_delay_count(const struct asz_delay *delay) {
  return delay->count;
}
