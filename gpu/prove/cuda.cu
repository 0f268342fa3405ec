/* SPDX-License-Identifier: Apache-2.0 */
/* Provers of gemm and mem on CUDA device 0: what gpu/kernels_prove.cuh needs laid out in memory of the device, and the order in
 * which it is launched.
 *
 * Steps are launched one after the other in one stream, keys and trees made there too, so that the host has nothing to do between
 * two steps but to see every so often that they are done. It waits turning: an answer is timed. Whoever waits too long gives up
 * (WAIT_NS_MAX), so a device that hangs costs an answer and not the program; what such a device holds is not given back. */
#include <cuda_runtime.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

extern "C" {
#include "dataplane/base/clock.h"
#include "gpu/prove/device.h"
}
#include "gpu/kernels_prove.cuh"

namespace {

static_assert(ASZ_TILE_ROWS % ASZ_PROVE_THREADS == 0 && ASZ_TILE_COLUMNS % ASZ_PROVE_THREADS == 0, "no lane is left over");

enum { COLUMNS_MAX = 4096 /* of B and C at a time: 128 tiles of preset gpu, 132 multiprocessors of an H100 */, KEYS = 3 };
enum { STEPS_AHEAD = 16 }; /* launched before the host waits: some 150 kernels, of 1,024 that a stream takes without blocking */
const uint64_t WAIT_NS_MAX =
    UINT64_C(20) * 1000000000; /* a thousand times what 16 steps of a large preset are reckoned to take */

/* Pieces of the one allocation. */
struct memory {
  uint8_t *a, *b;
  int32_t *c;
  uint64_t (*leaf)[4], (*step_root)[4], (*node)[2][4]; /* node: room for a tree's inner levels, twice */
  uint8_t *seed, *zeros;
  struct asz_chacha20_key *key; /* of A, of B, of a fold */
  uint16_t *arena;              /* NULL without one */
  uint64_t *z, (*group_hash)[4];
  struct asz_tile_weight *weight;
};

struct cuda_prover {
  struct asz_gemm_shape shape;
  uint32_t columns, groups; /* columns: at a time */
  cudaStream_t stream;
  uint8_t *base;
  struct memory memory;
  bool a_made, hangs;
  uint8_t a_key[32];
};

int fail(struct asz_diag *diag, const char *what, cudaError_t error) {
  return asz_diag_set(diag, error == cudaErrorMemoryAllocation ? ASZ_ENOMEM : ASZ_EDEVICE, "CUDA, %s: %s", what,
                      cudaGetErrorString(error));
}

unsigned blocks_of(uint64_t threads, unsigned block_threads) {
  return (unsigned)((threads + block_threads - 1) / block_threads);
}

template <typename T> void take(T **ret_piece, uint8_t *base, size_t *used, size_t bytes) {
  *ret_piece = base ? (T *)(base + *used) : NULL;
  *used += (bytes + 255) / 256 * 256;
}

/* Bytes of all pieces; with base their places. */
size_t lay_out(struct cuda_prover *prover, bool with_arena, uint8_t *base) {
  const struct asz_gemm_shape *shape = &prover->shape;
  struct memory *memory = &prover->memory;
  size_t used = 0, all = (size_t)shape->t * shape->m;
  prover->columns = shape->m < COLUMNS_MAX ? shape->m : (uint32_t)COLUMNS_MAX;
  prover->groups = with_arena ? (uint32_t)(all / ASZ_GEMM_FOLD_COLUMNS) : 0;
  uint32_t widest = shape->m > prover->groups ? shape->m : prover->groups;
  take(&memory->a, base, &used, asz_tile_bytes(shape->n, ASZ_TILE_ROWS, shape->k));
  take(&memory->b, base, &used, asz_tile_bytes(prover->columns, ASZ_TILE_COLUMNS, shape->k));
  take(&memory->c, base, &used, sizeof *memory->c * prover->columns * shape->n);
  take(&memory->leaf, base, &used, sizeof *memory->leaf * all);
  take(&memory->step_root, base, &used, sizeof *memory->step_root * shape->t);
  take(&memory->node, base, &used, sizeof *memory->node * blocks_of(widest, ASZ_TILE_TREE));
  take(&memory->seed, base, &used, 32);
  take(&memory->zeros, base, &used, 32);
  take(&memory->key, base, &used, sizeof *memory->key * KEYS);
  memory->arena = NULL;
  if (with_arena) {
    take(&memory->arena, base, &used, sizeof *memory->arena * all * shape->n);
    take(&memory->z, base, &used, sizeof *memory->z * all);
    take(&memory->group_hash, base, &used, sizeof *memory->group_hash * prover->groups);
    take(&memory->weight, base, &used, sizeof *memory->weight * shape->n);
  }
  return used;
}

/* Waits for all that was launched. */
cudaError_t wait(struct cuda_prover *prover) {
  const uint64_t start_ns = asz_clock_monotonic_ns();
  cudaError_t error;
  while ((error = cudaStreamQuery(prover->stream)) == cudaErrorNotReady) {
    if (asz_clock_monotonic_ns() - start_ns > WAIT_NS_MAX) {
      prover->hangs = true;
      return cudaErrorLaunchTimeout;
    }
    sched_yield();
  }
  return error;
}

cudaError_t send(struct cuda_prover *prover, void *to, const void *from, size_t bytes) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, prover->stream);
}

cudaError_t fetch(struct cuda_prover *prover, void *to, const void *from, size_t bytes) {
  cudaError_t error = wait(prover); /* so that the copy itself has nothing to wait for */
  if (error == cudaSuccess)
    error = cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, prover->stream);
  return error == cudaSuccess ? wait(prover) : error;
}

/* Blocks of a grid that makes all of a packed matrix, whose tiles are multiples of ASZ_PROVE_THREADS lines. */
unsigned fill_blocks(size_t packed_bytes) {
  return blocks_of(packed_bytes / ASZ_TILE_SLAB, ASZ_PROVE_THREADS);
}

cudaError_t make_a(struct cuda_prover *prover, const uint8_t a_key[32]) {
  if (prover->a_made && memcmp(prover->a_key, a_key, 32) == 0)
    return cudaSuccess;
  cudaError_t error = send(prover, &prover->memory.key[0], a_key, 32);
  if (error != cudaSuccess)
    return error;
  const struct asz_gemm_shape *shape = &prover->shape;
  unsigned grid = fill_blocks(asz_tile_bytes(shape->n, ASZ_TILE_ROWS, shape->k));
  asz_prove_a_kernel<<<grid, ASZ_PROVE_THREADS, 0, prover->stream>>>(prover->memory.a, &prover->memory.key[0], shape->n,
                                                                     shape->k / ASZ_TILE_SLAB);
  memcpy(prover->a_key, a_key, 32);
  prover->a_made = true;
  return cudaGetLastError();
}

/* The root over count hashes, a power of two. */
void fold_up(struct cuda_prover *prover, uint64_t (*ret_root)[4], uint64_t (*hash)[4], uint32_t count) {
  const uint32_t half = blocks_of(prover->shape.m > prover->groups ? prover->shape.m : prover->groups, ASZ_TILE_TREE);
  uint64_t(*room)[4] = (uint64_t(*)[4])prover->memory.node;
  for (unsigned level = 0; count > ASZ_TILE_TREE; level++) {
    uint64_t(*above)[4] = room + level % 2 * half;
    asz_prove_tree_kernel<<<count / ASZ_TILE_TREE, ASZ_TILE_TREE / 2, 0, prover->stream>>>(above, hash, count);
    hash = above;
    count /= ASZ_TILE_TREE;
  }
  asz_prove_tree_kernel<<<1, ASZ_TILE_TREE / 2, 0, prover->stream>>>(ret_root, hash, count);
}

cudaError_t launch_step(struct cuda_prover *prover, uint32_t t) {
  const struct asz_gemm_shape *shape = &prover->shape;
  struct memory *memory = &prover->memory;
  const uint8_t *previous_root = t == 0 ? memory->zeros : (const uint8_t *)memory->step_root[t - 1];
  uint64_t(*leaf)[4] = memory->leaf + (size_t)t * shape->m;
  asz_prove_b_key_kernel<<<1, 1, 0, prover->stream>>>(&memory->key[1], memory->seed, t, previous_root);
  for (uint32_t first = 0; first < shape->m; first += prover->columns) {
    size_t at = ((size_t)t * shape->m + first) * shape->n;
    struct asz_tile_c to;
    to.c = memory->c;
    to.arena = memory->arena ? memory->arena + at : NULL;
    to.n = shape->n;
    to.columns = prover->columns;
    asz_prove_b_kernel<<<fill_blocks(asz_tile_bytes(prover->columns, ASZ_TILE_COLUMNS, shape->k)), ASZ_PROVE_THREADS, 0,
                         prover->stream>>>(memory->b, &memory->key[1], first, prover->columns, shape->k / ASZ_TILE_SLAB);
    dim3 tiles(blocks_of(shape->n, ASZ_TILE_ROWS), blocks_of(prover->columns, ASZ_TILE_COLUMNS));
    asz_prove_product_kernel<<<tiles, ASZ_PRODUCT_THREADS, ASZ_PRODUCT_STAGES * ASZ_PRODUCT_STAGE_BYTES, prover->stream>>>(
        to, memory->a, memory->b, shape->k / ASZ_TILE_SLAB);
    asz_prove_leaf_kernel<<<blocks_of(prover->columns, ASZ_PROVE_THREADS), ASZ_PROVE_THREADS, 0, prover->stream>>>(
        leaf + first, memory->c, shape->n, t, first, prover->columns);
  }
  fold_up(prover, memory->step_root + t, leaf, shape->m);
  return cudaGetLastError();
}

int run(void *opaque, const uint8_t a_key[32], const uint8_t seed[32], uint8_t (*ret_step_root)[32], struct asz_diag *diag) {
  struct cuda_prover *prover = (struct cuda_prover *)opaque;
  cudaError_t error = make_a(prover, a_key);
  if (error == cudaSuccess)
    error = send(prover, prover->memory.seed, seed, 32);
  for (uint32_t t = 0; error == cudaSuccess && t < prover->shape.t; t++) {
    error = launch_step(prover, t);
    if (error == cudaSuccess && t % STEPS_AHEAD == STEPS_AHEAD - 1)
      error = wait(prover);
  }
  if (error == cudaSuccess)
    error = fetch(prover, ret_step_root, prover->memory.step_root, (size_t)32 * prover->shape.t);
  return error == cudaSuccess ? 0 : fail(diag, "making an answer", error);
}

int leaves(void *opaque, uint8_t (*ret_leaf)[32], struct asz_diag *diag) {
  struct cuda_prover *prover = (struct cuda_prover *)opaque;
  cudaError_t error = fetch(prover, ret_leaf, prover->memory.leaf, (size_t)32 * prover->shape.t * prover->shape.m);
  return error == cudaSuccess ? 0 : fail(diag, "fetching hashes", error);
}

int fold(void *opaque, const uint8_t fold_seed[32], uint8_t ret_z_root[32], struct asz_diag *diag) {
  struct cuda_prover *prover = (struct cuda_prover *)opaque;
  struct memory *memory = &prover->memory;
  uint32_t n = prover->shape.n, groups = prover->groups;
  uint64_t(*root)[4] = (uint64_t(*)[4])memory->seed; /* the run that needed it is over */
  cudaError_t error = send(prover, &memory->key[2], fold_seed, 32);
  if (error != cudaSuccess)
    return fail(diag, "sending a fold's seed", error);
  asz_prove_weights_kernel<<<blocks_of(n / 8, ASZ_PROVE_THREADS), ASZ_PROVE_THREADS, 0, prover->stream>>>(memory->weight,
                                                                                                          &memory->key[2], n);
  asz_prove_fold_kernel<<<groups, ASZ_FOLD_WARPS * ASZ_TILE_LANES, 0, prover->stream>>>(memory->z, memory->arena, memory->weight,
                                                                                        n);
  asz_prove_group_kernel<<<blocks_of(groups, ASZ_PROVE_THREADS), ASZ_PROVE_THREADS, 0, prover->stream>>>(
      memory->group_hash, memory->z, prover->shape, groups);
  fold_up(prover, root, memory->group_hash, groups);
  error = cudaGetLastError();
  if (error == cudaSuccess)
    error = fetch(prover, ret_z_root, root, 32);
  return error == cudaSuccess ? 0 : fail(diag, "folding an arena", error);
}

int sums(void *opaque, uint64_t *ret_z, uint8_t (*ret_group_hash)[32], struct asz_diag *diag) {
  struct cuda_prover *prover = (struct cuda_prover *)opaque;
  cudaError_t error = fetch(prover, ret_z, prover->memory.z, sizeof *ret_z * ASZ_GEMM_FOLD_COLUMNS * prover->groups);
  if (error == cudaSuccess)
    error = fetch(prover, ret_group_hash, prover->memory.group_hash, (size_t)32 * prover->groups);
  return error == cudaSuccess ? 0 : fail(diag, "fetching sums", error);
}

/* In the stream's order, so nobody waits. */
void release(void *opaque) {
  struct cuda_prover *prover = (struct cuda_prover *)opaque;
  if (!prover->hangs && prover->stream) {
    if (prover->base)
      (void)cudaFreeAsync(prover->base, prover->stream);
    (void)cudaStreamDestroy(prover->stream);
  }
  free(prover);
}

const struct asz_prove_device_ops cuda_ops = {run, leaves, fold, sums, release};

cudaError_t start(struct cuda_prover *prover, bool with_arena) {
  cudaError_t error = cudaSetDevice(0);
  if (error == cudaSuccess)
    error = cudaFuncSetAttribute(asz_prove_product_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 ASZ_PRODUCT_STAGES * ASZ_PRODUCT_STAGE_BYTES);
  if (error == cudaSuccess)
    error = cudaStreamCreateWithFlags(&prover->stream, cudaStreamNonBlocking);
  if (error == cudaSuccess)
    error = cudaMallocAsync((void **)&prover->base, lay_out(prover, with_arena, NULL), prover->stream);
  if (error != cudaSuccess)
    return error;
  lay_out(prover, with_arena, prover->base);
  return cudaMemsetAsync(prover->memory.zeros, 0, 32, prover->stream);
}

} /* namespace */

extern "C" size_t asz_prove_cuda_bytes(uint32_t preset, bool with_arena) {
  struct cuda_prover prover = {};
  prover.shape = asz_gemm_shape_of(preset);
  return prover.shape.preset == 0 ? 0 : lay_out(&prover, with_arena, NULL);
}

extern "C" int asz_prove_cuda_open(struct asz_prove_device *ret_device, uint32_t preset, bool with_arena, struct asz_diag *diag) {
  int driver_version = 0, devices = 0;
  /* 0 without a driver; the errors of the calls below would speak of a driver that is too old. */
  if (cudaDriverGetVersion(&driver_version) != cudaSuccess || driver_version == 0)
    return asz_diag_set(diag, ASZ_ENOTSUP, "no CUDA device: no NVIDIA driver on this machine");
  cudaError_t error = cudaGetDeviceCount(&devices);
  if (error != cudaSuccess || devices == 0)
    return asz_diag_set(diag, ASZ_ENOTSUP, "no CUDA device: %s",
                        cudaGetErrorString(error == cudaSuccess ? cudaErrorNoDevice : error));
  struct cuda_prover *prover = (struct cuda_prover *)calloc(1, sizeof *prover);
  if (!prover)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for a prover");
  prover->shape = asz_gemm_shape_of(preset);
  error = start(prover, with_arena);
  if (error != cudaSuccess) {
    (void)cudaGetLastError(); /* else the next call on this thread would report it again */
    release(prover);
    return fail(diag, "opening device 0 for a prover", error);
  }
  ret_device->ops = &cuda_ops;
  ret_device->state = prover;
  return 0;
}
