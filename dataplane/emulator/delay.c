/* SPDX-License-Identifier: Apache-2.0 */
/* A timing wheel: time is cut into slots, and what is due within a slot waits on the list of that slot's position in a ring. Push
 * and pop then cost the same whatever is inside.
 *
 * Something leaves when a slot begins: the first that begins when it is due or later. Never early, less than a slot late; within
 * a slot in order of arrival, which for two copies of one frame is the right one. The heap that stood here before kept the exact
 * order, but with half a million replies inside (5 M a second, 100 ms each) its walks through memory that no cache keeps took 504
 * cycles a reply in bench_delay, although what was far off waited outside; the wheel takes 265. With 5,000 inside it is 170
 * against 80.
 *
 * The ring has 2^20 slots, one lap is 2^29 ticks (0.2 s). What is due more than a lap ahead is passed over until its lap has
 * come. A bit for each position says whether anything waits there, so that 64 empty slots are one word. The lists are singly
 * linked, newest first, and turned round when their slot comes. Which nodes come next is known: they are prefetched some slots
 * ahead (without that: 365 cycles). */
#include "dataplane/emulator/delay.h"

#include <stdbool.h>
#include <string.h>

#include "dataplane/bigmem.h"

enum { CAPACITY_MAX = 1u << 28, SLOT_SHIFT = 9, SLOTS = 1 << 20, WORD_BITS = 64, WORDS = SLOTS / WORD_BITS, NONE = -1 };
enum { AHEAD_SLOTS = 64 }; /* prefetched so long before: 13 us; 16 and 256 made no difference beyond the noise */
_Static_assert(1 << SLOT_SHIFT == ASZ_DELAY_SLOT_TICKS, "what the header promises");

struct node {
  struct asz_delayed delayed;
  uint64_t due_slot;
  int32_t next; /* on the list of a slot, of what is ready, or of free nodes */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct node) == 64, "one cache line");

struct asz_delay {
  uint32_t capacity, count;
  uint64_t next_slot;  /* everything in earlier ones is ready or gone */
  uint64_t ahead_slot; /* nodes of earlier ones were prefetched */
  int32_t ready_first, ready_last;
  int32_t free_node;
  struct node *node; /* capacity */
  uint64_t some[WORDS];
  int32_t slot[SLOTS];
};

int asz_delay_new(struct asz_delay **ret_delay, uint32_t capacity) {
  if (capacity == 0 || capacity > CAPACITY_MAX)
    return ASZ_EINVAL;
  void *line, *nodes;
  int err = asz_bigmem_new(&line, sizeof(struct asz_delay), -1);
  if (err)
    return err;
  if ((err = asz_bigmem_new(&nodes, capacity * sizeof(struct node), -1))) {
    asz_bigmem_free(line, sizeof(struct asz_delay));
    return err;
  }
  struct asz_delay *delay = line;
  struct node *node = nodes;
  for (uint32_t i = 0; i < capacity; i++)
    node[i].next = i + 1 < capacity ? (int32_t)(i + 1) : NONE;
  memset(delay->slot, 0xff, sizeof delay->slot); /* NONE */
  delay->capacity = capacity;
  delay->ready_first = delay->ready_last = NONE;
  delay->node = node;
  *ret_delay = delay;
  return 0;
}

size_t asz_delay_footprint(uint32_t capacity) {
  return sizeof(struct asz_delay) + capacity * sizeof(struct node);
}

void asz_delay_free(struct asz_delay *delay) {
  if (!delay)
    return;
  asz_bigmem_free(delay->node, delay->capacity * sizeof *delay->node);
  asz_bigmem_free(delay, sizeof *delay);
}

static void make_ready(struct asz_delay *delay, int32_t at) {
  delay->node[at].next = NONE;
  if (delay->ready_first == NONE)
    delay->ready_first = at;
  else
    delay->node[delay->ready_last].next = at;
  delay->ready_last = at;
}

static void put(struct asz_delay *delay, int32_t at) {
  uint32_t position = (uint32_t)(delay->node[at].due_slot % SLOTS);
  delay->node[at].next = delay->slot[position];
  delay->slot[position] = at;
  delay->some[position / WORD_BITS] |= UINT64_C(1) << position % WORD_BITS;
}

int asz_delay_push(struct asz_delay *delay, uint64_t due_tsc, const struct asz_delayed *delayed) {
  if (delay->count == delay->capacity)
    return ASZ_EAGAIN;
  int32_t at = delay->free_node;
  struct node *node = &delay->node[at];
  delay->free_node = node->next;
  delay->count++;
  node->delayed = *delayed;
  node->due_slot = (due_tsc >> SLOT_SHIFT) + ((due_tsc & (ASZ_DELAY_SLOT_TICKS - 1)) != 0);
  if (node->due_slot < delay->next_slot)
    make_ready(delay, at);
  else
    put(delay, at);
  return 0;
}

/* The first slot of [from, to] in whose position something waits; to + 1 when there is none. The two are less than a lap apart.
 */
static uint64_t find(const struct asz_delay *delay, uint64_t from, uint64_t to) {
  while (from <= to) {
    uint32_t position = (uint32_t)(from % SLOTS);
    uint64_t word = delay->some[position / WORD_BITS] >> position % WORD_BITS;
    if (word != 0) {
      from += (unsigned)__builtin_ctzll(word);
      return from <= to ? from : to + 1;
    }
    from += WORD_BITS - position % WORD_BITS;
  }
  return to + 1;
}

/* Moves what is due up to slot `last` from one position to the ready, oldest first; the rest, of later laps, stays. */
static void sweep(struct asz_delay *delay, uint64_t slot, uint64_t last) {
  uint32_t position = (uint32_t)(slot % SLOTS);
  int32_t oldest = NONE;
  for (int32_t at = delay->slot[position], next; at != NONE; at = next) {
    next = delay->node[at].next;
    delay->node[at].next = oldest;
    oldest = at;
  }
  delay->slot[position] = NONE;
  delay->some[position / WORD_BITS] &= ~(UINT64_C(1) << position % WORD_BITS);
  for (int32_t at = oldest, next; at != NONE; at = next) {
    next = delay->node[at].next;
    if (delay->node[at].due_slot <= last)
      make_ready(delay, at);
    else
      put(delay, at);
  }
}

static void look_ahead(struct asz_delay *delay, uint64_t last) {
  uint64_t slot = delay->ahead_slot > last ? delay->ahead_slot : last + 1;
  for (; (slot = find(delay, slot, last + AHEAD_SLOTS)) <= last + AHEAD_SLOTS; slot++)
    __builtin_prefetch(&delay->node[delay->slot[slot % SLOTS]], 1);
  delay->ahead_slot = slot;
}

/* Makes ready what the next slot with anything due holds. After a sleep of more than a lap all that is due is made ready at once,
 * lap mixed with lap: it is late by then, and each position is visited once. */
static void advance(struct asz_delay *delay, uint64_t last) {
  bool slept = last - delay->next_slot >= SLOTS;
  uint64_t end = slept ? delay->next_slot + SLOTS - 1 : last;
  while (delay->next_slot <= end && (slept || delay->ready_first == NONE)) {
    uint64_t slot = find(delay, delay->next_slot, end);
    delay->next_slot = slot;
    if (slot > end)
      break;
    sweep(delay, slot, slept ? last : slot);
    delay->next_slot++;
  }
  if (slept)
    delay->next_slot = last + 1;
}

int asz_delay_pop(struct asz_delay *delay, uint64_t now_tsc, struct asz_delayed *ret_delayed) {
  uint64_t last = now_tsc >> SLOT_SHIFT;
  if (delay->ready_first == NONE) {
    if (last < delay->next_slot)
      return 0;
    look_ahead(delay, last);
    advance(delay, last);
    if (delay->ready_first == NONE)
      return 0;
  }
  int32_t at = delay->ready_first;
  struct node *node = &delay->node[at];
  *ret_delayed = node->delayed;
  delay->ready_first = node->next;
  node->next = delay->free_node;
  delay->free_node = at;
  delay->count--;
  return 1;
}

uint32_t asz_delay_count(const struct asz_delay *delay) {
  return delay->count;
}
