/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/prove/parallel.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

struct loop {
  asz_parallel_fn *fn;
  void *context;
  uint32_t parts;
  atomic_uint next_part, next_thread;
};

static void *work(void *argument) {
  struct loop *loop = argument;
  unsigned thread = atomic_fetch_add(&loop->next_thread, 1);
  for (uint32_t part; (part = atomic_fetch_add(&loop->next_part, 1)) < loop->parts;)
    loop->fn(loop->context, part, thread);
  return NULL;
}

void asz_parallel_for(unsigned threads, uint32_t parts, asz_parallel_fn *fn, void *context) {
  assert(threads >= 1 && threads <= ASZ_PARALLEL_MAX && parts <= UINT32_MAX - ASZ_PARALLEL_MAX);
  struct loop loop = {.fn = fn, .context = context, .parts = parts};
  pthread_t started[ASZ_PARALLEL_MAX];
  unsigned count = 0;
  while (count + 1 < threads && count + 1 < parts && pthread_create(&started[count], NULL, work, &loop) == 0)
    count++;
  work(&loop);
  for (unsigned i = 0; i < count; i++)
    pthread_join(started[i], NULL);
}
