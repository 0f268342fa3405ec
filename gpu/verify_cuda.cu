/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA device behind the verifier: two kernels around the mathematics of gpu/kinds, and the plainest way to feed them.
 *
 * Every slot has its own stream, its own arrays on the device and a page of verdicts of its own in host memory: copies and
 * kernels of several batches overlap without an event or a lock. sig gives an item a thread; seq gives it a warp, one lane for
 * each of its 32 segments. Verdicts arrive in the slot's own page and reach the batch only when all went well, so that a device
 * that fails half-way cannot write into a batch that the CPU is judging by then.
 *
 * The CUDA runtime is linked statically and looks for the driver when first called: a program with this in it starts, and says
 * "no device", where there is none. Any error of the runtime is reported upwards once and never handled here (gpu/device.h). */
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern "C" {
#include "gpu/device.h"
#include "gpu/kind.h"
}
#include "gpu/kinds/seq.h"
#include "gpu/kinds/sig.h"

namespace {

enum {
  SLOT_MAX = 64,       /* more than any pool has */
  BLOCK_THREADS = 128, /* four warps; a multiple of the warp that seq relies on */
  WARP = 32,
};
static_assert(int(ASZ_SEQ_CHECKPOINTS) == int(WARP), "a warp judges one seq item, a lane one segment");

/* One array of a batch: where it is here and there, and the bytes of an item. */
struct column {
  const void *host;
  uint8_t *device;
  size_t item_bytes;
};

struct slot {
  cudaStream_t stream;
  struct column column[ASZ_COLUMN_MAX];
  unsigned columns;
  uint8_t *verdict;        /* on the device */
  uint8_t *verdict_landed; /* where verdicts arrive in host memory, pinned */
  void *pinned_slab;       /* NULL when pinning was refused: copies are then slower, nothing else */
};

struct cuda_state {
  struct slot slot[SLOT_MAX];
};

__global__ void __launch_bounds__(BLOCK_THREADS)
    sig_kernel(uint8_t *ret_verdict, const uint8_t *public_key, const uint8_t *signature, const uint8_t *message,
               const uint8_t *message_bytes, uint32_t count) {
  uint32_t i = blockIdx.x * BLOCK_THREADS + threadIdx.x;
  if (i < count)
    ret_verdict[i] = asz_sig_judge(public_key + (size_t)i * 32, signature + (size_t)i * 64,
                                   message + (size_t)i * (ASZ_SIG_MESSAGE_MAX + 1), message_bytes[i]);
}

__global__ void __launch_bounds__(BLOCK_THREADS)
    seq_kernel(uint8_t *ret_verdict, const uint8_t *seed, const uint8_t (*checkpoint)[ASZ_SEQ_CHECKPOINTS][32],
               const uint8_t *log2_steps, uint32_t count) {
  uint32_t i = blockIdx.x * (BLOCK_THREADS / WARP) + threadIdx.x / WARP, lane = threadIdx.x % WARP;
  if (i >= count) /* the whole warp leaves */
    return;
  unsigned steps = log2_steps[i];
  bool well_formed = asz_seq_is_well_formed(steps);
  bool holds = well_formed && asz_seq_segment_holds(seed + (size_t)i * 32, checkpoint[i], lane, steps);
  bool all_hold = __all_sync(0xffffffff, holds);
  if (lane == 0)
    ret_verdict[i] = !well_formed ? ASZ_VERDICT_MALFORMED : all_hold ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL;
}

int fail(struct asz_diag *diag, const char *what, cudaError_t error) {
  return asz_diag_set(diag, ASZ_EDEVICE, "%s: %s", what, cudaGetErrorString(error));
}

int attach(void *opaque, unsigned index, const struct asz_batch *batch, void *slab, size_t slab_bytes, struct asz_diag *diag) {
  if (index >= SLOT_MAX)
    return asz_diag_set(diag, ASZ_ERANGE, "a device has %d slots", SLOT_MAX);
  struct slot *slot = &((struct cuda_state *)opaque)->slot[index];
  const struct asz_verify_kind *kind = asz_verify_kind_of(batch->kind);
  for (slot->columns = 0; slot->columns < kind->column_count; slot->columns++) {
    const struct asz_column *column = &kind->column[slot->columns];
    slot->column[slot->columns].host = *asz_column_data(column, (struct asz_batch *)batch);
    slot->column[slot->columns].item_bytes = column->item_bytes;
  }

  cudaError_t error = cudaStreamCreateWithFlags(&slot->stream, cudaStreamNonBlocking);
  for (unsigned c = 0; error == cudaSuccess && c < slot->columns; c++)
    error = cudaMalloc((void **)&slot->column[c].device, slot->column[c].item_bytes * batch->capacity);
  if (error == cudaSuccess)
    error = cudaMalloc((void **)&slot->verdict, batch->capacity);
  if (error == cudaSuccess)
    error = cudaHostAlloc((void **)&slot->verdict_landed, batch->capacity, cudaHostAllocDefault);
  if (error != cudaSuccess)
    return fail(diag, "no room for a batch", error);

  if (cudaHostRegister(slab, slab_bytes, cudaHostRegisterDefault) == cudaSuccess)
    slot->pinned_slab = slab;
  else
    (void)cudaGetLastError(); /* a limit on locked memory: not an error of the device */
  return 0;
}

void launch(const struct slot *slot, const struct asz_batch *batch) {
  const struct column *in = slot->column;
  if (batch->kind == ASZ_KIND_SIG) {
    unsigned blocks = (batch->count + BLOCK_THREADS - 1) / BLOCK_THREADS;
    sig_kernel<<<blocks, BLOCK_THREADS, 0, slot->stream>>>(slot->verdict, in[0].device, in[1].device, in[2].device, in[3].device,
                                                           batch->count);
  } else {
    unsigned items = BLOCK_THREADS / WARP, blocks = (batch->count + items - 1) / items;
    seq_kernel<<<blocks, BLOCK_THREADS, 0, slot->stream>>>(
        slot->verdict, in[0].device, (const uint8_t(*)[ASZ_SEQ_CHECKPOINTS][32])in[1].device, in[2].device, batch->count);
  }
}

int start(void *opaque, unsigned index, const struct asz_batch *batch, struct asz_diag *diag) {
  struct slot *slot = &((struct cuda_state *)opaque)->slot[index];
  /* Zero is no verdict: an item that a kernel leaves out is noticed. */
  cudaError_t error = cudaMemsetAsync(slot->verdict, ASZ_VERDICT_NONE, batch->count, slot->stream);
  for (unsigned c = 0; error == cudaSuccess && c < slot->columns; c++)
    error = cudaMemcpyAsync(slot->column[c].device, slot->column[c].host, slot->column[c].item_bytes * batch->count,
                            cudaMemcpyHostToDevice, slot->stream);
  if (error == cudaSuccess) {
    launch(slot, batch);
    error = cudaGetLastError();
  }
  if (error == cudaSuccess)
    error = cudaMemcpyAsync(slot->verdict_landed, slot->verdict, batch->count, cudaMemcpyDeviceToHost, slot->stream);
  return error == cudaSuccess ? 0 : fail(diag, "starting a batch", error);
}

int poll(void *opaque, unsigned index, struct asz_batch *batch, struct asz_diag *diag) {
  struct slot *slot = &((struct cuda_state *)opaque)->slot[index];
  cudaError_t error = cudaStreamQuery(slot->stream);
  if (error == cudaErrorNotReady)
    return 0;
  if (error != cudaSuccess)
    return fail(diag, "judging a batch", error);
  memcpy(batch->verdict, slot->verdict_landed, batch->count);
  return 1;
}

/* After an error each of these calls may fail as well; there is nobody left to tell. */
void release(void *opaque) {
  struct cuda_state *state = (struct cuda_state *)opaque;
  for (struct slot *slot = state->slot; slot < state->slot + SLOT_MAX; slot++) {
    if (slot->stream) {
      (void)cudaStreamSynchronize(slot->stream);
      (void)cudaStreamDestroy(slot->stream);
    }
    for (unsigned c = 0; c < slot->columns; c++)
      (void)cudaFree(slot->column[c].device);
    (void)cudaFree(slot->verdict);
    (void)cudaFreeHost(slot->verdict_landed);
    if (slot->pinned_slab)
      (void)cudaHostUnregister(slot->pinned_slab);
  }
  free(state);
}

const struct asz_device_ops cuda_ops = {attach, start, poll, release};

} /* namespace */

extern "C" int asz_device_cuda_open(struct asz_device *ret_device, struct asz_diag *diag) {
  int driver_version = 0, devices = 0;
  cudaDeviceProp properties;
  /* 0 without a driver; the errors of the calls below would speak of a driver that is too old. */
  if (cudaDriverGetVersion(&driver_version) != cudaSuccess || driver_version == 0)
    return asz_diag_set(diag, ASZ_ENOTSUP, "no CUDA device: no NVIDIA driver on this machine");
  cudaError_t error = cudaGetDeviceCount(&devices);
  if (error == cudaSuccess && devices == 0)
    error = cudaErrorNoDevice;
  if (error != cudaSuccess)
    return asz_diag_set(diag, ASZ_ENOTSUP, "no CUDA device: %s", cudaGetErrorString(error));
  error = cudaGetDeviceProperties(&properties, 0);
  if (error == cudaSuccess)
    error = cudaSetDevice(0);
  if (error != cudaSuccess)
    return asz_diag_set(diag, ASZ_ENOTSUP, "CUDA device 0 cannot be used: %s", cudaGetErrorString(error));
  void *state = calloc(1, sizeof(struct cuda_state));
  if (!state)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the device's slots");
  ret_device->ops = &cuda_ops;
  ret_device->state = state;
  ret_device->kinds = 1u << ASZ_KIND_SIG | 1u << ASZ_KIND_SEQ;
  snprintf(ret_device->name, sizeof ret_device->name, "cuda: %.64s", properties.name);
  return 0;
}
