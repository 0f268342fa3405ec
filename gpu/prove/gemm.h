/* SPDX-License-Identifier: Apache-2.0 */
/* asz_prove_gemm: the provider's half of gemm: all steps, the root, and openings afterwards. On the CPU, or with a device that
 * does the steps (gpu/prove/device.h).
 *
 * What is kept between a run and its openings is A, the roots of the steps and the hashes of all columns, 32 bytes each; a column
 * that is picked is made again (K bytes of keystream, n K products: microseconds to milliseconds), and so are the m - 1 nodes
 * over its step. C itself is never held: a thread has 64 columns of it at a time. So preset gpu takes 160 MiB instead of 8 GiB.
 *
 * The answer depends on nothing but beacon and seed: not on backend, device, threads or their order. One caller at a time. */
#ifndef ASZ_GPU_PROVE_GEMM_H
#define ASZ_GPU_PROVE_GEMM_H

#include "gpu/gemm.h"
#include "gpu/prove/device.h"
#include "gpu/prove/parallel.h"

struct asz_prove_gemm;

/* asz_prove_gemm_footprint: bytes of memory for a prover; 0 when there is no such preset, or threads is not 1..ASZ_PARALLEL_MAX.
 */
size_t asz_prove_gemm_footprint(uint32_t preset, unsigned threads);
/* asz_prove_gemm_new: in memory of that size, aligned to ASZ_GEMM_ALIGN_BYTES, the caller's, to be given back whenever the prover
 * is no longer used. */
struct asz_prove_gemm *asz_prove_gemm_new(void *memory, uint32_t preset, unsigned threads,
                                          const struct asz_gemm_backend *backend);

/* asz_prove_gemm_attach: hands a device over, open for the prover's preset, which does the next runs. The footprint stays what it
 * is: should the device fail, the work is done again on the CPU. asz_prove_gemm_detach: frees it; without one nothing. Not while
 * another function is at work, and before the memory is given back. */
void asz_prove_gemm_attach(struct asz_prove_gemm *prove, const struct asz_prove_device *device);
void asz_prove_gemm_detach(struct asz_prove_gemm *prove);
/* asz_prove_gemm_failure: why the device was given up; "" when it was not. */
const char *asz_prove_gemm_failure(const struct asz_prove_gemm *prove);

/* asz_prove_gemm_epoch: makes A, once for all runs of an epoch. */
void asz_prove_gemm_epoch(struct asz_prove_gemm *prove, const uint8_t beacon[32]);
/* asz_prove_gemm_run: the whole work, after an epoch. Replaces the run before. */
void asz_prove_gemm_run(struct asz_prove_gemm *prove, const uint8_t seed[32], uint8_t ret_root[32]);
/* asz_prove_gemm_open: asz_gemm_opening_bytes bytes for a pick (asserted in range) of the last run. */
void asz_prove_gemm_open(struct asz_prove_gemm *prove, struct asz_gemm_pick pick, uint8_t *ret_opening);

#endif
