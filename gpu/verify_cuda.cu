/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA device behind the verifier: kernels around the mathematics of gpu/kinds (gpu/kernels_*.cuh), and the plainest way to
 * feed them.
 *
 * Every slot has its own stream, its own arrays on the device and a page of verdicts of its own in host memory: copies and
 * kernels of several batches overlap without a lock. Verdicts and reasons arrive in the slot's own page and reach the batch only
 * when all went well, so that a device that fails half-way cannot write into a batch that the CPU is judging by then.
 *
 * Keys are collected, and their tables made many at a time, on a stream of their own: one table is one warp's work of a
 * millisecond, and a thousand side by side take hardly longer. Batches wait for it on the device, the control thread never does
 * but when it sets more keys than KEYS_PENDING in a row.
 *
 * The CUDA runtime is linked statically and looks for the driver when first called: a program with this in it starts, and says
 * "no device", where there is none. Any error of the runtime is reported upwards once and never handled here (gpu/device.h); but
 * for memory that tables of keys find missing, without which signatures are judged as well. */
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern "C" {
#include "gpu/device.h"
#include "gpu/kind.h"
}
#include "gpu/kernels_gemm.cuh"
#include "gpu/kernels_seq.cuh"
#include "gpu/kernels_sig.cuh"

namespace {

enum {
  SLOT_MAX = 64, /* more than any pool has */
  KEYS_PENDING = 2048,
  N_MAX = 32768, /* rows of the largest preset: gpu/kinds/gemm.h */
  K_MAX = 65536, /* of more, sums would have an alias mod p */
};

#define PRESET_FITS(symbol, value, name, n, k, m, t) static_assert(n <= N_MAX && k <= K_MAX, name " fits");
ASZ_GEMM_PRESET_LIST(PRESET_FITS)
#undef PRESET_FITS

/* Fewer signatures than this leave a device nearly idle, whose full wave is some 67,000 threads, and are a matter of milliseconds
 * for one core: they go there, and leave the device to the large batches. So do a handful of openings, 22 us each on a core:
 * their hashes alone are 50 compressions one after the other, some 100 us. A chain is work enough. Reckoned, not yet measured on
 * a device. */
enum { SIG_ITEMS_MIN = 1000, OPENINGS_MIN = 8 };

/* From here on a table of 393 KB a key: 44,000 keys are 17.3 GB. */
const size_t LARGE_TABLES_MEMORY_MIN = (size_t)32 << 30;

/* One array of a batch: where it is here and there, and the bytes of an item. */
struct column {
  const void *host;
  uint8_t *device;
  size_t pointer_at; /* which one it is: gpu/kind.h */
  size_t item_bytes; /* of openings: of the largest */
};

struct slot {
  cudaStream_t stream;
  struct column column[ASZ_COLUMN_MAX];
  unsigned columns;
  uint32_t capacity;
  uint8_t *verdict;        /* on the device */
  uint8_t *landed;         /* where verdicts and then reasons arrive in host memory, pinned; capacity of each */
  uint32_t *sums, *others; /* sig */
  uint32_t *found, *b_key; /* gemm, mem */
  void *pinned_slab;       /* NULL when pinning was refused: copies are then slower, nothing else */
};

/* Keys and slots are sent, and tables made, on one stream, before the batches that need them. */
struct prepared {
  cudaStream_t stream;
  cudaEvent_t done; /* with all that was asked for */
};

struct keys {
  struct asz_comb comb, base_comb;
  struct asz_comb_point *base;
  struct asz_device_keys **chunk; /* on the device, and the same here */
  struct asz_device_keys *chunk_here[ASZ_KEY_CHUNKS_MAX];
  struct asz_device_new_key *pending, *pending_here; /* the latter pinned */
  uint32_t pending_count;
  bool pending_in_use; /* by a copy that may still be under way */
};

/* What openings of a slot are judged by. */
struct opened {
  struct asz_gemm_shape shape;
  uint32_t *s, *u; /* on the device, room for the largest preset; NULL: never set */
  uint32_t u_sum;
};

struct cuda_state {
  struct slot slot[SLOT_MAX];
  struct prepared prepared;
  struct keys keys;
  struct opened opened[ASZ_VERIFY_SLOTS];
};

int fail(struct asz_diag *diag, const char *what, cudaError_t error) {
  return asz_diag_set(diag, ASZ_EDEVICE, "%s: %s", what, cudaGetErrorString(error));
}

const struct column *column_of(const struct slot *slot, size_t pointer_at) {
  for (unsigned c = 0; c < slot->columns; c++)
    if (slot->column[c].pointer_at == pointer_at)
      return &slot->column[c];
  return NULL;
}
#define ON_DEVICE(slot, field) ((decltype(asz_batch::field))column_of(slot, offsetof(struct asz_batch, field))->device)

bool is_opened(unsigned kind) {
  return kind == ASZ_KIND_GEMM || kind == ASZ_KIND_MEM;
}

/* A batch's arrays on the device, and what its kernels need besides. */
cudaError_t take_memory(struct slot *slot, const struct asz_batch *batch) {
  cudaError_t error = cudaSuccess;
  for (unsigned c = 0; error == cudaSuccess && c < slot->columns; c++)
    error = cudaMalloc((void **)&slot->column[c].device, slot->column[c].item_bytes * batch->capacity);
  if (error == cudaSuccess)
    error = cudaMalloc((void **)&slot->verdict, batch->capacity);
  if (error == cudaSuccess)
    error = cudaHostAlloc((void **)&slot->landed, (size_t)2 * batch->capacity, cudaHostAllocDefault);
  if (error == cudaSuccess && batch->kind == ASZ_KIND_SIG)
    error = cudaMalloc((void **)&slot->sums, sizeof *slot->sums * ASZ_SIG_KNOWN_SUM_WORDS * batch->capacity);
  if (error == cudaSuccess && batch->kind == ASZ_KIND_SIG)
    error = cudaMalloc((void **)&slot->others, sizeof *slot->others * ((size_t)1 + batch->capacity));
  if (error == cudaSuccess && is_opened(batch->kind))
    error = cudaMalloc((void **)&slot->found, sizeof *slot->found * batch->capacity);
  if (error == cudaSuccess && is_opened(batch->kind))
    error = cudaMalloc((void **)&slot->b_key, sizeof *slot->b_key * ASZ_GEMM_B_WORDS * batch->capacity);
  return error;
}

int attach(void *opaque, unsigned index, const struct asz_batch *batch, void *slab, size_t slab_bytes, struct asz_diag *diag) {
  if (index >= SLOT_MAX)
    return asz_diag_set(diag, ASZ_ERANGE, "a device has %d slots", SLOT_MAX);
  struct slot *slot = &((struct cuda_state *)opaque)->slot[index];
  const struct asz_verify_kind *kind = asz_verify_kind_of(batch->kind);
  slot->capacity = batch->capacity;
  for (slot->columns = 0; slot->columns < kind->column_count; slot->columns++) {
    const struct asz_column *from = &kind->column[slot->columns];
    bool openings = from->pointer_at == offsetof(struct asz_batch, opening);
    struct column *column = &slot->column[slot->columns];
    column->host = *asz_column_data(from, (struct asz_batch *)batch);
    column->pointer_at = from->pointer_at;
    column->item_bytes = openings ? batch->opening_bytes : from->item_bytes;
  }
  cudaError_t error = cudaStreamCreateWithFlags(&slot->stream, cudaStreamNonBlocking);
  if (error == cudaSuccess)
    error = take_memory(slot, batch);
  if (error != cudaSuccess)
    return fail(diag, "no room for a batch", error);

  if (cudaHostRegister(slab, slab_bytes, cudaHostRegisterDefault) == cudaSuccess)
    slot->pinned_slab = slab;
  else
    (void)cudaGetLastError(); /* a limit on locked memory: not an error of the device */
  return slot->pinned_slab ? 0 : 1;
}

/* Starts to make the tables of the pending keys. */
cudaError_t make_tables(struct cuda_state *state) {
  struct keys *keys = &state->keys;
  if (keys->pending_count == 0)
    return cudaSuccess;
  cudaError_t error = cudaMemcpyAsync(keys->pending, keys->pending_here, sizeof *keys->pending * keys->pending_count,
                                      cudaMemcpyHostToDevice, state->prepared.stream);
  if (error != cudaSuccess)
    return error;
  asz_keys_kernel<<<keys->pending_count, ASZ_KEY_LANES, 0, state->prepared.stream>>>(keys->chunk, keys->comb, keys->pending);
  error = cudaGetLastError();
  if (error == cudaSuccess)
    error = cudaEventRecord(state->prepared.done, state->prepared.stream);
  keys->pending_count = 0;
  keys->pending_in_use = true;
  return error;
}

/* Takes memory for a chunk of keys, none set; leaves it NULL where there is no more. */
cudaError_t take_chunk(struct cuda_state *state, uint32_t chunk) {
  struct keys *keys = &state->keys;
  size_t bytes = sizeof(struct asz_device_keys) + sizeof(struct asz_comb_point) * asz_comb_points(&keys->comb) * ASZ_KEYS_A_CHUNK;
  void *memory = NULL;
  cudaError_t error = cudaMalloc(&memory, bytes);
  if (error == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    return cudaSuccess;
  }
  if (error == cudaSuccess)
    error = cudaMemsetAsync(memory, 0, sizeof(struct asz_device_keys), state->prepared.stream);
  keys->chunk_here[chunk] = (struct asz_device_keys *)memory;
  if (error == cudaSuccess)
    error = cudaMemcpyAsync(keys->chunk + chunk, keys->chunk_here + chunk, sizeof *keys->chunk, cudaMemcpyHostToDevice,
                            state->prepared.stream);
  return error;
}

int key_set(void *opaque, uint32_t key, const uint8_t public_key[32], struct asz_diag *diag) {
  struct cuda_state *state = (struct cuda_state *)opaque;
  struct keys *keys = &state->keys;
  cudaError_t error = cudaSuccess;
  if (!keys->chunk_here[key / ASZ_KEYS_A_CHUNK])
    error = take_chunk(state, key / ASZ_KEYS_A_CHUNK);
  if (error == cudaSuccess && !keys->chunk_here[key / ASZ_KEYS_A_CHUNK])
    return 0;
  if (error == cudaSuccess && keys->pending_in_use)
    error = cudaStreamSynchronize(state->prepared.stream);
  if (error != cudaSuccess)
    return fail(diag, "setting a key", error);
  keys->pending_in_use = false;
  struct asz_device_new_key *added = &keys->pending_here[keys->pending_count++];
  added->key = key;
  memcpy(added->public_key, public_key, sizeof added->public_key);
  if (keys->pending_count == KEYS_PENDING)
    error = make_tables(state);
  return error == cudaSuccess ? 0 : fail(diag, "making tables of keys", error);
}

/* The copies are from memory that may be moved by the runtime first: they are done with it when they return. */
int slot_set(void *opaque, unsigned slot, const struct asz_gemm_slot *values, struct asz_diag *diag) {
  struct cuda_state *state = (struct cuda_state *)opaque;
  struct opened *opened = &state->opened[slot];
  cudaError_t error = cudaSuccess;
  if (!opened->s)
    error = cudaMalloc((void **)&opened->s, sizeof *opened->s * N_MAX);
  if (error == cudaSuccess && !opened->u)
    error = cudaMalloc((void **)&opened->u, sizeof *opened->u * K_MAX);
  if (error == cudaSuccess)
    error = cudaMemcpyAsync(opened->s, values->s, sizeof *opened->s * values->shape.n, cudaMemcpyHostToDevice,
                            state->prepared.stream);
  if (error == cudaSuccess)
    error = cudaMemcpyAsync(opened->u, values->u, sizeof *opened->u * values->shape.k, cudaMemcpyHostToDevice,
                            state->prepared.stream);
  if (error == cudaSuccess)
    error = cudaEventRecord(state->prepared.done, state->prepared.stream);
  if (error != cudaSuccess)
    return fail(diag, "setting a slot", error);
  opened->shape = values->shape;
  opened->u_sum = asz_gemm_u_sum(values->u, values->shape.k);
  return 0;
}

unsigned blocks_of(uint32_t threads, uint32_t block_threads) {
  return (threads + block_threads - 1) / block_threads;
}

cudaError_t launch_sig(const struct cuda_state *state, const struct slot *slot, const struct asz_batch *batch) {
  uint32_t lanes = blocks_of(batch->count, ASZ_SIG_KNOWN_SHARE);
  struct asz_sig_launch in;
  in.key_comb = state->keys.comb;
  in.base_comb = state->keys.base_comb;
  in.base = state->keys.base;
  in.chunk = state->keys.chunk;
  in.count = batch->count;
  in.capacity = slot->capacity;
  in.key = ON_DEVICE(slot, key);
  in.public_key = ON_DEVICE(slot, public_key);
  in.signature = ON_DEVICE(slot, signature);
  in.message = ON_DEVICE(slot, message);
  in.message_bytes = ON_DEVICE(slot, message_bytes);
  in.sums = slot->sums;
  in.others = slot->others;
  in.verdict = slot->verdict;
  cudaError_t error = cudaMemsetAsync(slot->others, 0, sizeof *slot->others, slot->stream);
  if (error != cudaSuccess)
    return error;
  unsigned blocks = blocks_of(batch->count, ASZ_SIG_THREADS);
  asz_sig_known_kernel<<<blocks, ASZ_SIG_THREADS, 0, slot->stream>>>(in);
  asz_sig_other_kernel<<<blocks, ASZ_SIG_THREADS, 0, slot->stream>>>(in);
  asz_sig_finish_kernel<<<blocks_of(lanes, ASZ_SIG_THREADS), ASZ_SIG_THREADS, 0, slot->stream>>>(in, lanes);
  return cudaGetLastError();
}

cudaError_t launch_seq(const struct slot *slot, const struct asz_batch *batch) {
  unsigned blocks = blocks_of(batch->count, ASZ_SEQ_THREADS / ASZ_WARP);
  asz_seq_kernel<<<blocks, ASZ_SEQ_THREADS, 0, slot->stream>>>(slot->verdict, ON_DEVICE(slot, seed), ON_DEVICE(slot, checkpoint),
                                                               ON_DEVICE(slot, log2_steps), batch->count);
  return cudaGetLastError();
}

/* Of the size that the slot's preset has? If not, all are malformed, unread. */
bool size_is_right(const struct opened *opened, const struct asz_batch *batch) {
  return batch->opening_bytes ==
         (batch->kind == ASZ_KIND_MEM ? asz_mem_opening_bytes(&opened->shape) : asz_gemm_opening_bytes(&opened->shape));
}

cudaError_t launch_openings(const struct cuda_state *state, const struct slot *slot, const struct asz_batch *batch) {
  const struct opened *opened = &state->opened[batch->slot];
  bool is_fold = batch->kind == ASZ_KIND_MEM;
  struct asz_gemm_launch in;
  in.shape = opened->shape;
  in.s = opened->s;
  in.u = opened->u;
  in.u_sum = opened->u_sum;
  in.count = batch->count;
  in.size_is_right = size_is_right(opened, batch);
  in.opening = ON_DEVICE(slot, opening);
  in.opening_bytes = batch->opening_bytes;
  in.pick = ON_DEVICE(slot, pick);
  in.seed = ON_DEVICE(slot, seed);
  in.root = ON_DEVICE(slot, root);
  in.fold_seed = is_fold ? ON_DEVICE(slot, fold_seed) : NULL;
  in.z_root = is_fold ? ON_DEVICE(slot, z_root) : NULL;
  in.found = slot->found;
  in.b_key = slot->b_key;
  in.verdict = slot->verdict;
  in.reason = ON_DEVICE(slot, reason);
  cudaError_t error = cudaMemsetAsync(slot->found, 0, sizeof *slot->found * batch->count, slot->stream);
  if (error != cudaSuccess)
    return error;
  dim3 jobs(blocks_of(batch->count, ASZ_GEMM_JOB_THREADS), is_fold ? ASZ_GEMM_JOBS : ASZ_GEMM_JOB_FOLD);
  if (in.size_is_right)
    asz_gemm_jobs_kernel<<<jobs, ASZ_GEMM_JOB_THREADS, 0, slot->stream>>>(in);
  asz_gemm_product_kernel<<<blocks_of(batch->count, ASZ_GEMM_WARPS), ASZ_GEMM_WARPS * ASZ_GEMM_LANES, 0, slot->stream>>>(in);
  return cudaGetLastError();
}

/* Copies the batch's arrays to the device, of openings as many bytes as there are. */
cudaError_t send(const struct cuda_state *state, const struct slot *slot, const struct asz_batch *batch) {
  cudaError_t error = cudaSuccess;
  for (unsigned c = 0; error == cudaSuccess && c < slot->columns; c++) {
    const struct column *column = &slot->column[c];
    size_t item_bytes = column->item_bytes;
    if (column->pointer_at == offsetof(struct asz_batch, opening))
      item_bytes = size_is_right(&state->opened[batch->slot], batch) ? batch->opening_bytes : 0;
    if (column->pointer_at == offsetof(struct asz_batch, reason)) /* comes back */
      item_bytes = 0;
    if (item_bytes > 0)
      error = cudaMemcpyAsync(column->device, column->host, item_bytes * batch->count, cudaMemcpyHostToDevice, slot->stream);
  }
  return error;
}

cudaError_t launch(const struct cuda_state *state, const struct slot *slot, const struct asz_batch *batch) {
  if (batch->kind == ASZ_KIND_SIG)
    return launch_sig(state, slot, batch);
  return batch->kind == ASZ_KIND_SEQ ? launch_seq(slot, batch) : launch_openings(state, slot, batch);
}

/* Verdicts, and the reasons of openings behind them. */
cudaError_t fetch(const struct slot *slot, const struct asz_batch *batch) {
  cudaError_t error = cudaMemcpyAsync(slot->landed, slot->verdict, batch->count, cudaMemcpyDeviceToHost, slot->stream);
  if (error == cudaSuccess && is_opened(batch->kind))
    error = cudaMemcpyAsync(slot->landed + slot->capacity, ON_DEVICE(slot, reason), batch->count, cudaMemcpyDeviceToHost,
                            slot->stream);
  return error;
}

int start(void *opaque, unsigned index, const struct asz_batch *batch, struct asz_diag *diag) {
  struct cuda_state *state = (struct cuda_state *)opaque;
  struct slot *slot = &state->slot[index];
  cudaError_t error = make_tables(state);
  if (error == cudaSuccess)
    error = cudaStreamWaitEvent(slot->stream, state->prepared.done, 0);
  /* Zero is no verdict: an item that a kernel leaves out is noticed. */
  if (error == cudaSuccess)
    error = cudaMemsetAsync(slot->verdict, ASZ_VERDICT_NONE, batch->count, slot->stream);
  if (error == cudaSuccess)
    error = send(state, slot, batch);
  if (error == cudaSuccess)
    error = launch(state, slot, batch);
  if (error == cudaSuccess)
    error = fetch(slot, batch);
  return error == cudaSuccess ? 0 : fail(diag, "starting a batch", error);
}

int poll(void *opaque, unsigned index, struct asz_batch *batch, struct asz_diag *diag) {
  struct slot *slot = &((struct cuda_state *)opaque)->slot[index];
  cudaError_t error = cudaStreamQuery(slot->stream);
  if (error == cudaErrorNotReady)
    return 0;
  if (error != cudaSuccess)
    return fail(diag, "judging a batch", error);
  memcpy(batch->verdict, slot->landed, batch->count);
  if (is_opened(batch->kind))
    memcpy(batch->reason, slot->landed + slot->capacity, batch->count);
  return 1;
}

/* After an error each of these calls may fail as well; there is nobody left to tell. */
void release_stream(cudaStream_t stream) {
  if (!stream)
    return;
  (void)cudaStreamSynchronize(stream);
  (void)cudaStreamDestroy(stream);
}

void release_slot(struct slot *slot) {
  release_stream(slot->stream);
  for (unsigned c = 0; c < slot->columns; c++)
    (void)cudaFree(slot->column[c].device);
  (void)cudaFree(slot->verdict);
  (void)cudaFree(slot->sums);
  (void)cudaFree(slot->others);
  (void)cudaFree(slot->found);
  (void)cudaFree(slot->b_key);
  (void)cudaFreeHost(slot->landed);
  if (slot->pinned_slab)
    (void)cudaHostUnregister(slot->pinned_slab);
}

void release_keys(struct keys *keys) {
  for (unsigned c = 0; c < ASZ_KEY_CHUNKS_MAX; c++)
    if (keys->chunk_here[c])
      (void)cudaFree(keys->chunk_here[c]);
  (void)cudaFree(keys->chunk);
  (void)cudaFree(keys->base);
  (void)cudaFree(keys->pending);
  (void)cudaFreeHost(keys->pending_here);
}

void release(void *opaque) {
  struct cuda_state *state = (struct cuda_state *)opaque;
  for (struct slot *slot = state->slot; slot < state->slot + SLOT_MAX; slot++)
    release_slot(slot); /* before the keys: its kernels read them */
  release_stream(state->prepared.stream);
  if (state->prepared.done)
    (void)cudaEventDestroy(state->prepared.done);
  release_keys(&state->keys);
  for (unsigned i = 0; i < ASZ_VERIFY_SLOTS; i++) {
    (void)cudaFree(state->opened[i].s);
    (void)cudaFree(state->opened[i].u);
  }
  free(state);
}

/* Room for keys, and B's table under way. */
cudaError_t open_keys(struct cuda_state *state, size_t memory_bytes) {
  struct keys *keys = &state->keys;
  keys->comb = asz_comb_of(memory_bytes >= LARGE_TABLES_MEMORY_MIN ? ASZ_SIG_KNOWN_BITS : ASZ_SIG_KNOWN_BITS_SMALL);
  keys->base_comb = asz_comb_of(ASZ_SIG_KNOWN_BASE_BITS);
  cudaError_t error = cudaStreamCreateWithFlags(&state->prepared.stream, cudaStreamNonBlocking);
  if (error == cudaSuccess)
    error = cudaEventCreateWithFlags(&state->prepared.done, cudaEventDisableTiming);
  if (error == cudaSuccess)
    error = cudaMalloc((void **)&keys->base, sizeof *keys->base * asz_comb_points(&keys->base_comb));
  if (error == cudaSuccess)
    error = cudaMalloc((void **)&keys->chunk, sizeof keys->chunk_here);
  if (error == cudaSuccess)
    error = cudaMemsetAsync(keys->chunk, 0, sizeof keys->chunk_here, state->prepared.stream);
  if (error == cudaSuccess)
    error = cudaMalloc((void **)&keys->pending, sizeof *keys->pending * KEYS_PENDING);
  if (error == cudaSuccess)
    error = cudaHostAlloc((void **)&keys->pending_here, sizeof *keys->pending * KEYS_PENDING, cudaHostAllocDefault);
  if (error != cudaSuccess)
    return error;
  asz_base_kernel<<<1, ASZ_KEY_LANES, 0, state->prepared.stream>>>(keys->base, keys->base_comb);
  error = cudaGetLastError();
  return error == cudaSuccess ? cudaEventRecord(state->prepared.done, state->prepared.stream) : error;
}

const struct asz_device_ops cuda_ops = {attach, key_set, slot_set, start, poll, release};

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
  struct cuda_state *state = (struct cuda_state *)calloc(1, sizeof *state);
  if (!state)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the device's slots");
  error = open_keys(state, properties.totalGlobalMem);
  if (error != cudaSuccess) {
    release(state);
    return asz_diag_set(diag, ASZ_ENOTSUP, "CUDA device 0 cannot be used: %s", cudaGetErrorString(error));
  }
  ret_device->ops = &cuda_ops;
  ret_device->state = state;
  ret_device->kinds = 1u << ASZ_KIND_SIG | 1u << ASZ_KIND_SEQ | 1u << ASZ_KIND_GEMM | 1u << ASZ_KIND_MEM;
  memset(ret_device->items_min, 0, sizeof ret_device->items_min);
  ret_device->items_min[ASZ_KIND_SIG] = SIG_ITEMS_MIN;
  ret_device->items_min[ASZ_KIND_GEMM] = ret_device->items_min[ASZ_KIND_MEM] = OPENINGS_MIN;
  snprintf(ret_device->name, sizeof ret_device->name, "cuda: %.64s", properties.name);
  return 0;
}
