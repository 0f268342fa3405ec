/* SPDX-License-Identifier: Apache-2.0 */
/* asz_seqlock: words that one thread publishes and any other reads whole, without the writer ever waiting: a count around them
 * is odd while they are being written, so a reader sees that it read in the middle of a writing (H. Boehm, "Can seqlocks get
 * along with programming language memory models?", 2012). */
#ifndef ASZ_DATAPLANE_SEQLOCK_H
#define ASZ_DATAPLANE_SEQLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* asz_seqlock_write: the one writer. `value` has words * 8 bytes. */
static inline void asz_seqlock_write(_Atomic uint64_t *turn, _Atomic uint64_t *word, const void *value, unsigned words) {
  uint64_t now = atomic_load_explicit(turn, memory_order_relaxed), copy;
  atomic_store_explicit(turn, now + 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  for (unsigned i = 0; i < words; i++) {
    memcpy(&copy, (const uint8_t *)value + i * sizeof copy, sizeof copy);
    atomic_store_explicit(&word[i], copy, memory_order_relaxed);
  }
  atomic_store_explicit(turn, now + 2, memory_order_release);
}

/* asz_seqlock_read: one attempt; false: it was being written, and what is in ret_value means nothing. Any thread. */
static inline bool asz_seqlock_read(const _Atomic uint64_t *turn, const _Atomic uint64_t *word, void *ret_value, unsigned words) {
  uint64_t before = atomic_load_explicit(turn, memory_order_acquire);
  for (unsigned i = 0; i < words; i++) {
    uint64_t copy = atomic_load_explicit(&word[i], memory_order_relaxed);
    memcpy((uint8_t *)ret_value + i * sizeof copy, &copy, sizeof copy);
  }
  atomic_thread_fence(memory_order_acquire);
  return (before & 1) == 0 && atomic_load_explicit(turn, memory_order_relaxed) == before;
}

#endif
