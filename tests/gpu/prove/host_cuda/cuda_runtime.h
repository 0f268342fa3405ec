/* SPDX-License-Identifier: Apache-2.0 */
/* As much of CUDA as gpu/prove/cuda.cu uses, on the host: memory that holds garbage at first, one stream that does everything at
 * once, and blocks whose threads take turns. A thread runs up to its next barrier (__syncthreads, a shuffle, a product of its
 * warp); when all threads of the block are there, they go on. So kernels must pass the same barriers in all threads, which is
 * checked, and a copy into shared memory is there when it was waited for and not before. */
#ifndef ASZ_TESTS_HOST_CUDA_RUNTIME_H
#define ASZ_TESTS_HOST_CUDA_RUNTIME_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define _Static_assert static_assert /* C's, in headers that nvcc's build leaves out */
#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__      static /* one block at a time */
#define __launch_bounds__(...)

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

namespace host_cuda {

enum { THREADS_MAX = 256, STACK_BYTES = 65536, WARP = 32 };
enum barrier { NONE, BLOCK, SHUFFLE, PRODUCT };

struct thread {
  ucontext_t context;
  bool done;
  barrier at;
  unsigned turn; /* of the warp's two rooms */
  alignas(16) char stack[STACK_BYTES];
};

inline thread threads[THREADS_MAX];
inline ucontext_t scheduler;
inline unsigned now; /* the thread that runs */
inline void (*body)(const void *);
inline const void *body_argument;

} /* namespace host_cuda */

inline dim3 threadIdx, blockIdx, blockDim;
alignas(16) inline uint8_t stages[100 << 10]; /* dynamic shared memory */

namespace host_cuda {

inline void wait_at(barrier barrier) {
  threads[now].at = barrier;
  swapcontext(&threads[now].context, &scheduler);
}

inline void enter() {
  body(body_argument);
  threads[now].done = true;
  wait_at(NONE);
}

inline void run_block(unsigned count) {
  assert(count <= THREADS_MAX);
  for (unsigned i = 0; i < count; i++) {
    threads[i].done = false;
    getcontext(&threads[i].context);
    threads[i].context.uc_stack.ss_sp = threads[i].stack;
    threads[i].context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&threads[i].context, enter, 0);
  }
  do {
    for (now = 0; now < count; now++) {
      threadIdx.x = now;
      swapcontext(&scheduler, &threads[now].context);
      assert(threads[now].at == threads[0].at && threads[now].done == threads[0].done);
    }
  } while (!threads[0].done);
}

struct config {
  dim3 grid, block;
  config(dim3 grid_, dim3 block_, size_t shared_bytes, const void *) : grid(grid_), block(block_) {
    assert(shared_bytes <= sizeof stages);
    assert(grid.x >= 1 && grid.y >= 1);
  }
};

template <typename F> void launch(const config &config, const F &kernel) {
  body = [](const void *argument) { (*(const F *)argument)(); };
  body_argument = &kernel;
  blockDim = config.block;
  for (blockIdx.y = 0; blockIdx.y < config.grid.y; blockIdx.y++)
    for (blockIdx.x = 0; blockIdx.x < config.grid.x; blockIdx.x++) {
      memset(stages, 0xa5, sizeof stages);
      run_block(config.block.x);
    }
  body_argument = NULL;
}

/* What a lane shows to its warp, and what each of them showed. Two rooms in turns: nobody writes what another still reads. */
template <typename T> const T *exchange(barrier barrier, const T &mine) {
  static T room[2][THREADS_MAX];
  T *own = room[threads[now].turn++ % 2];
  own[now] = mine;
  wait_at(barrier);
  return own + now / WARP * WARP;
}

} /* namespace host_cuda */

inline void __syncthreads() {
  host_cuda::wait_at(host_cuda::BLOCK);
}

template <typename T> T __shfl_xor_sync(unsigned, T value, int apart) {
  return host_cuda::exchange(host_cuda::SHUFFLE, value)[host_cuda::now % host_cuda::WARP ^ apart];
}

enum cudaError_t {
  cudaSuccess,
  cudaErrorMemoryAllocation,
  cudaErrorNotReady,
  cudaErrorLaunchTimeout,
  cudaErrorNoDevice,
};
enum { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaStreamNonBlocking, cudaFuncAttributeMaxDynamicSharedMemorySize };
typedef struct host_cuda_stream *cudaStream_t;

inline const char *cudaGetErrorString(cudaError_t) {
  return "an error";
}
inline cudaError_t cudaGetLastError() {
  return cudaSuccess;
}
inline cudaError_t cudaDriverGetVersion(int *version) {
  *version = 1;
  return cudaSuccess;
}
inline cudaError_t cudaGetDeviceCount(int *count) {
  *count = 1;
  return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int) {
  return cudaSuccess;
}
template <typename F> cudaError_t cudaFuncSetAttribute(F, int, int bytes) {
  return bytes <= (int)sizeof stages ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, int) {
  *stream = (cudaStream_t)stages; /* not NULL */
  return cudaSuccess;
}
inline cudaError_t cudaStreamDestroy(cudaStream_t) {
  return cudaSuccess;
}
inline cudaError_t cudaStreamQuery(cudaStream_t) {
  return cudaSuccess;
}
inline cudaError_t cudaMallocAsync(void **memory, size_t bytes, cudaStream_t) {
  *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (*memory == NULL)
    return cudaErrorMemoryAllocation;
  memset(*memory, 0xa5, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaFreeAsync(void *memory, cudaStream_t) {
  free(memory);
  return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, int, cudaStream_t) {
  memcpy(to, from, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t) {
  memset(to, value, bytes);
  return cudaSuccess;
}

#endif
