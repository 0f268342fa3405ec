/* SPDX-License-Identifier: Apache-2.0 */
/* asz_parallel_for: one loop shared out among threads that live as long as the loop.
 *
 * A prover's steps take milliseconds, starting a thread some ten microseconds, so no pool is kept. Parts are taken in turn from
 * one counter; which thread takes which never shows in the result. When a thread cannot be started, the others do its share. */
#ifndef ASZ_GPU_PROVE_PARALLEL_H
#define ASZ_GPU_PROVE_PARALLEL_H

#include <stdint.h>

enum { ASZ_PARALLEL_MAX = 256 };

/* asz_parallel_fn: part 0..parts-1 of a loop; `thread` 0..threads-1 is that of the caller's memory it may use alone. */
typedef void asz_parallel_fn(void *context, uint32_t part, unsigned thread);

/* asz_parallel_for: calls fn for every part and returns when all are done. threads 1..ASZ_PARALLEL_MAX, the calling one included.
 */
void asz_parallel_for(unsigned threads, uint32_t parts, asz_parallel_fn *fn, void *context);

#endif
