/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/delay.h"

#include <assert.h>
#include <stdlib.h>

struct slot {
  uint64_t due_ns;
  struct asz_reply reply;
};

struct asz_delay {
  uint64_t delay_ns;
  uint32_t capacity, first, count;
  struct slot slot[];
};

int asz_delay_new(struct asz_delay **ret_delay, uint32_t capacity, uint64_t delay_ns) {
  assert(capacity >= 1 && capacity <= 1u << 20);
  struct asz_delay *delay = calloc(1, sizeof *delay + capacity * sizeof delay->slot[0]);
  if (!delay)
    return ASZ_ENOMEM;
  delay->capacity = capacity;
  delay->delay_ns = delay_ns;
  *ret_delay = delay;
  return 0;
}

void asz_delay_free(struct asz_delay *delay) {
  free(delay);
}

static struct slot *slot_at(struct asz_delay *delay, uint32_t index) {
  return &delay->slot[(delay->first + index) % delay->capacity];
}

bool asz_delay_push(struct asz_delay *delay, const struct asz_reply *reply, uint64_t now_ns) {
  if (delay->count == delay->capacity)
    return false;
  struct slot *slot = slot_at(delay, delay->count++);
  slot->due_ns = now_ns + delay->delay_ns;
  slot->reply = *reply;
  return true;
}

struct asz_reply *asz_delay_peek(struct asz_delay *delay, uint32_t skip, uint64_t now_ns) {
  if (skip >= delay->count)
    return NULL;
  struct slot *slot = slot_at(delay, skip);
  return slot->due_ns <= now_ns ? &slot->reply : NULL;
}

void asz_delay_pop(struct asz_delay *delay, uint32_t count) {
  assert(count <= delay->count);
  delay->first = (delay->first + count) % delay->capacity;
  delay->count -= count;
}

uint64_t asz_delay_next_ns(const struct asz_delay *delay) {
  return delay->count ? delay->slot[delay->first].due_ns : UINT64_MAX;
}
