/* SPDX-License-Identifier: Apache-2.0 */
/* CUDA's kernels for signatures around gpu/kinds/sig_known.h, and where the device keeps keys. Included by verify_cuda.cu alone.
 *
 * Keys lie in chunks of ASZ_KEYS_A_CHUNK, taken as their keys come: a validator of a thousand providers does not pay for 2^24. An
 * item goes one of two ways to its sum. A thread that finds the item's key in a table adds it up at once; the others put their
 * items on a list, which a second kernel takes from, so that its warps are full however the two are mixed. A third kernel turns
 * all sums into verdicts. */
#ifndef ASZ_GPU_KERNELS_SIG_CUH
#define ASZ_GPU_KERNELS_SIG_CUH

#include "gpu/kinds/sig_known.h"

enum {
  ASZ_KEYS_A_CHUNK = 64, /* 25 MB with 8-bit digits */
  ASZ_KEY_CHUNKS_MAX = (1 << 24) / ASZ_KEYS_A_CHUNK,
  ASZ_SIG_THREADS = 128, /* a block of the kernels for signatures */
  ASZ_KEY_LANES = 32,    /* that fill a key's table: one warp */
};

enum asz_device_key_state { ASZ_DEVICE_KEY_NONE = 0, ASZ_DEVICE_KEY_GOOD, ASZ_DEVICE_KEY_BAD };

struct asz_device_keys {
  uint8_t public_key[ASZ_KEYS_A_CHUNK][32];
  uint8_t state[ASZ_KEYS_A_CHUNK]; /* enum asz_device_key_state */
  /* the tables of its keys follow */
};
static_assert(sizeof(struct asz_device_keys) % sizeof(uint4) == 0, "tables are read by 16 bytes");

struct asz_device_new_key {
  uint32_t key;
  uint8_t public_key[32];
};

/* What a batch is judged with and what it consists of; passed by value. */
struct asz_sig_launch {
  struct asz_comb key_comb, base_comb;
  const struct asz_comb_point *base;
  const struct asz_device_keys *const *chunk; /* ASZ_KEY_CHUNKS_MAX, NULL where none was taken */
  uint32_t count, capacity;
  const uint32_t *key;
  const uint8_t (*public_key)[32], (*signature)[64], (*message)[ASZ_SIG_MESSAGE_MAX + 1], *message_bytes;
  uint32_t *sums;   /* ASZ_SIG_KNOWN_SUM_WORDS * capacity */
  uint32_t *others; /* how many items have no table, then their numbers */
  uint8_t *verdict;
};

/* The table of one key of a chunk. */
static __device__ struct asz_comb_point *asz_device_table(const struct asz_device_keys *keys, const struct asz_comb *comb,
                                                          uint32_t index) {
  return (struct asz_comb_point *)(keys + 1) + asz_comb_points(comb) * index;
}

static __global__ void __launch_bounds__(ASZ_KEY_LANES) asz_base_kernel(struct asz_comb_point *ret_table, struct asz_comb comb) {
  asz_comb_fill(ret_table, &comb, asz_sig_known_base(), threadIdx.x, ASZ_KEY_LANES);
}

/* A block a key. */
static __global__ void __launch_bounds__(ASZ_KEY_LANES)
    asz_keys_kernel(struct asz_device_keys *const *chunk, struct asz_comb comb, const struct asz_device_new_key *added) {
  const struct asz_device_new_key *entry = &added[blockIdx.x];
  struct asz_device_keys *keys = chunk[entry->key / ASZ_KEYS_A_CHUNK];
  uint32_t index = entry->key % ASZ_KEYS_A_CHUNK;
  struct asz_ge minus_a;
  int is_good = asz_sig_known_key(&minus_a, entry->public_key);
  keys->public_key[index][threadIdx.x] = entry->public_key[threadIdx.x];
  if (threadIdx.x == 0)
    keys->state[index] = is_good ? ASZ_DEVICE_KEY_GOOD : ASZ_DEVICE_KEY_BAD;
  if (is_good)
    asz_comb_fill(asz_device_table(keys, &comb, index), &comb, minus_a, threadIdx.x, ASZ_KEY_LANES);
}

/* Is this the key that was set under that number? Then *ret_table is its table, NULL for a key that is refused. */
static __device__ bool asz_device_key_find(const struct asz_comb_point **ret_table, const struct asz_sig_launch *in, uint32_t key,
                                           const uint8_t public_key[32]) {
  const struct asz_device_keys *keys = key < ASZ_KEY_CHUNKS_MAX * ASZ_KEYS_A_CHUNK ? in->chunk[key / ASZ_KEYS_A_CHUNK] : NULL;
  uint32_t index = key % ASZ_KEYS_A_CHUNK, difference = 0;
  if (!keys || keys->state[index] == ASZ_DEVICE_KEY_NONE)
    return false;
  for (int i = 0; i < 32; i += 4)
    difference |= asz_hd_aligned_le32(keys->public_key[index] + i) ^ asz_hd_aligned_le32(public_key + i);
  *ret_table = keys->state[index] == ASZ_DEVICE_KEY_GOOD ? asz_device_table(keys, &in->key_comb, index) : NULL;
  return difference == 0;
}

static __global__ void __launch_bounds__(ASZ_SIG_THREADS) asz_sig_known_kernel(struct asz_sig_launch in) {
  uint32_t i = blockIdx.x * ASZ_SIG_THREADS + threadIdx.x;
  if (i >= in.count)
    return;
  struct asz_sig_known_tables tables;
  struct asz_ge sum;
  if (!asz_device_key_find(&tables.key, &in, in.key[i], in.public_key[i])) {
    in.others[1 + atomicAdd(&in.others[0], 1)] = i;
    return;
  }
  tables.key_comb = in.key_comb;
  tables.base_comb = in.base_comb;
  tables.base = in.base;
  uint8_t verdict = asz_sig_known_sum(&sum, &tables, in.public_key[i], in.signature[i], in.message[i], in.message_bytes[i]);
  in.verdict[i] = verdict == ASZ_VERDICT_NONE ? asz_sig_known_keep(in.sums, in.capacity, i, sum) : verdict;
}

static __global__ void __launch_bounds__(ASZ_SIG_THREADS) asz_sig_other_kernel(struct asz_sig_launch in) {
  uint32_t place = blockIdx.x * ASZ_SIG_THREADS + threadIdx.x;
  if (place >= in.others[0])
    return;
  uint32_t i = in.others[1 + place];
  struct asz_ge sum;
  uint8_t verdict = asz_sig_sum(&sum, in.public_key[i], in.signature[i], in.message[i], in.message_bytes[i]);
  in.verdict[i] = verdict == ASZ_VERDICT_NONE ? asz_sig_known_keep(in.sums, in.capacity, i, sum) : verdict;
}

static __global__ void __launch_bounds__(ASZ_SIG_THREADS) asz_sig_finish_kernel(struct asz_sig_launch in, uint32_t lanes) {
  uint32_t lane = blockIdx.x * ASZ_SIG_THREADS + threadIdx.x;
  if (lane < lanes)
    asz_sig_known_finish(in.verdict, in.sums, in.signature, in.count, in.capacity, lane, lanes);
}

#endif
