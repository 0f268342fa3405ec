/* SPDX-License-Identifier: Apache-2.0 */
/* Copies into shared memory that are done as late as they may be: when somebody waits for them. */
#ifndef ASZ_TESTS_HOST_CUDA_PIPELINE_H
#define ASZ_TESTS_HOST_CUDA_PIPELINE_H

#include <cuda_runtime.h>

namespace host_cuda {

enum { COPIES_MAX = 16, BATCHES = 8 };

struct copies {
  struct {
    void *to;
    const void *from;
    size_t bytes;
  } copy[BATCHES][COPIES_MAX];
  unsigned count[BATCHES];
  unsigned committed, done;
};
inline copies pending[THREADS_MAX];

} /* namespace host_cuda */

inline void __pipeline_memcpy_async(void *to, const void *from, size_t bytes) {
  host_cuda::copies &own = host_cuda::pending[host_cuda::now];
  unsigned batch = own.committed % host_cuda::BATCHES;
  assert(own.count[batch] < host_cuda::COPIES_MAX && (uintptr_t)to % bytes == 0 && (uintptr_t)from % bytes == 0);
  auto &copy = own.copy[batch][own.count[batch]++];
  copy.to = to;
  copy.from = from;
  copy.bytes = bytes;
}

inline void __pipeline_commit() {
  host_cuda::copies &own = host_cuda::pending[host_cuda::now];
  own.committed++;
  assert(own.committed - own.done < host_cuda::BATCHES);
}

inline void __pipeline_wait_prior(unsigned left) {
  host_cuda::copies &own = host_cuda::pending[host_cuda::now];
  for (; own.committed - own.done > left; own.done++) {
    unsigned batch = own.done % host_cuda::BATCHES;
    for (unsigned i = 0; i < own.count[batch]; i++)
      memcpy(own.copy[batch][i].to, own.copy[batch][i].from, own.copy[batch][i].bytes);
    own.count[batch] = 0;
  }
}

#endif
