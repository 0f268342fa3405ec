/* SPDX-License-Identifier: Apache-2.0 */
/* asz_device: an accelerator behind the verifier (gpu/verify.c); internal to gpu/ and its tests.
 *
 * A device only ever helps: it is used after it passed the known answers of every kind, and the first error it reports, or
 * verdict it gives that is none, ends its use and sends its batches to the CPU. So no function here needs to recover from
 * anything; failing cleanly is enough. Slots are the batches of the pool, numbered from 0; a device may have several in flight.
 * One control thread. */
#ifndef ASZ_GPU_DEVICE_H
#define ASZ_GPU_DEVICE_H

#include <stdbool.h>

#include "gpu/verify.h"

struct asz_gemm_slot;

/* A device that lacks key_set judges signatures without tables. One that lacks slot_set must not have gemm and mem among its
 * kinds. */
struct asz_device_ops {
  /* attach: called once for every slot before its first start. Takes what the device needs for a batch of that kind and
   * capacity. The batch's arrays lie in slab[0..slab_bytes), which stays at its place until free: a device should pin it. 0, or 1
   * when it could not, which is no error. */
  int (*attach)(void *state, unsigned slot, const struct asz_batch *batch, void *slab, size_t slab_bytes, struct asz_diag *diag);
  /* key_set: as asz_verify_key_set, for `key` under 2^24, new or in the place of another; no batch is in flight. 0 also when
   * there is no room for a table: items of that key are then judged without one. NULL: the device knows no keys. */
  int (*key_set)(void *state, uint32_t key, const uint8_t public_key[32], struct asz_diag *diag);
  /* slot_set: what openings of batches with this slot number (under ASZ_VERIFY_SLOTS) are judged by from now on; copied. Never
   * while a batch of that slot is in flight. NULL: the device judges no openings. */
  int (*slot_set)(void *state, unsigned slot, const struct asz_gemm_slot *values, struct asz_diag *diag);
  /* start: begins to judge batch->count items and returns. It may read the batch until poll says 1 or the device is freed. Of
   * openings there are count * batch->opening_bytes bytes, at most what the batch had room for at attach. */
  int (*start)(void *state, unsigned slot, const struct asz_batch *batch, struct asz_diag *diag);
  /* poll: 0 while still at work; 1 when done, batch->verdict[0..count) now written, and batch->reason of openings; a negative
   * error when the device failed. They are written at no other time: after an error they are the CPU's. */
  int (*poll)(void *state, unsigned slot, struct asz_batch *batch, struct asz_diag *diag);
  /* free: stops what is in flight, unpins, frees. Never fails. */
  void (*free)(void *state);
};

struct asz_device {
  const struct asz_device_ops *ops;
  void *state;
  uint32_t kinds;                       /* bit (1 << kind): what it judges; the CPU does the rest */
  uint32_t items_min[ASZ_KIND_MAX + 1]; /* batches of fewer items of a kind go to the CPU, but for the known answers */
  char name[80];                        /* "cuda: <device name>" */
};

/* asz_verify_new_on: a verifier on a given device, or on the CPU alone when device is NULL; config->backend is ignored. Takes the
 * device over, also on failure. ASZ_ENOTSUP when the backend gives a wrong verdict on a known answer, or fails on one. */
ASZ_MUST_CHECK int asz_verify_new_on(struct asz_verifier **ret_verifier, const struct asz_verify_config *config,
                                     const struct asz_device *device, struct asz_diag *diag);

/* asz_verify_kind_serves: has the pool batches of this kind? */
bool asz_verify_kind_serves(const struct asz_verifier *verifier, unsigned kind);

/* asz_verify_self_test: every known answer of every kind through a new verifier. 0, or ASZ_ENOTSUP with the first difference. */
ASZ_MUST_CHECK int asz_verify_self_test(struct asz_verifier *verifier, struct asz_diag *diag);

/* asz_device_cuda_open: the first CUDA device. ASZ_ENOTSUP without one, or when built without CUDA. */
ASZ_MUST_CHECK int asz_device_cuda_open(struct asz_device *ret_device, struct asz_diag *diag);

#endif
