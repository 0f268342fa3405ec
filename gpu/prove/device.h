/* SPDX-License-Identifier: Apache-2.0 */
/* asz_prove_device: an accelerator behind the provers of gemm and mem.
 *
 * It does what is wide: A, all steps, their columns' hashes and trees, the arena, the fold. A prover takes the roots at once,
 * hashes and z only when something is opened, and opens as it does without a device: bit for bit the same answers. A device only
 * ever helps: it serves after it gave the known answers, and the first error ends its use. The prover then does the work in hand
 * on the CPU, and everything after it. So no function here recovers from anything.
 *
 * Functions return 0, or a negative error with a line. One thread at a time; free from any, and never waits for work under way.
 */
#ifndef ASZ_GPU_PROVE_DEVICE_H
#define ASZ_GPU_PROVE_DEVICE_H

#include <stdbool.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"
#include "gpu/gemm.h"

struct asz_prove_device_ops {
  /* run: all steps of an answer; their roots, t of them. Keeps hashes, and the arena of a device for mem. A is made when a_key is
   * another than before. */
  int (*run)(void *state, const uint8_t a_key[32], const uint8_t seed[32], uint8_t (*ret_step_root)[32], struct asz_diag *diag);
  int (*leaves)(void *state, uint8_t (*ret_leaf)[32], struct asz_diag *diag); /* of the last run, t m */
  /* fold: of the arena of the last run. */
  int (*fold)(void *state, const uint8_t fold_seed[32], uint8_t ret_z_root[32], struct asz_diag *diag);
  /* sums: of the last fold: z of t m columns, hashes of t m / 64 groups. */
  int (*sums)(void *state, uint64_t *ret_z, uint8_t (*ret_group_hash)[32], struct asz_diag *diag);
  void (*free)(void *state);
};

struct asz_prove_device {
  const struct asz_prove_device_ops *ops; /* NULL: none */
  void *state;
};

/* asz_prove_device_open_fn: a device for provers of one preset, with an arena for mem or without; takes all of its memory.
 * ASZ_ENOTSUP: there is none; ASZ_ENOMEM: it has too little memory. */
typedef int asz_prove_device_open_fn(struct asz_prove_device *ret_device, uint32_t preset, bool with_arena,
                                     struct asz_diag *diag);

/* asz_prove_device_check: opens a device for preset tiny and compares roots, hashes, z and openings with the CPU's plain prover.
 * ASZ_ENOTSUP with a line: it cannot be opened or used, or it gives another answer. */
ASZ_MUST_CHECK int asz_prove_device_check(asz_prove_device_open_fn *open, struct asz_diag *diag);

/* asz_prove_cuda_open: on CUDA device 0. */
asz_prove_device_open_fn asz_prove_cuda_open;
/* asz_prove_cuda_bytes: memory that it takes there: A, B and C of up to 4,096 columns, 32 bytes a column for its hash; for mem
 * the arena and 8.5 bytes a column more. Preset gpu: 400 MiB, 4.5 GiB with its arena; mem-64g: 66 GiB. */
size_t asz_prove_cuda_bytes(uint32_t preset, bool with_arena);

#endif
