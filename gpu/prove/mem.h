/* SPDX-License-Identifier: Apache-2.0 */
/* asz_prove_mem: the provider's half of mem: build an arena once, fold it on every fresh seed, open columns.
 *
 * The arena stays in the caller's memory, 2 t m n bytes, beside what gemm keeps and 8.5 bytes a column for the last fold. A build
 * costs as much as a gemm; a fold reads the arena once. Put it into huge pages (madvise) where there are any. One caller at a
 * time. */
#ifndef ASZ_GPU_PROVE_MEM_H
#define ASZ_GPU_PROVE_MEM_H

#include "gpu/prove/gemm.h"

struct asz_prove_mem;

/* asz_prove_mem_footprint: bytes of memory for a prover with its arena; 0 as in asz_prove_gemm_footprint. */
size_t asz_prove_mem_footprint(uint32_t preset, unsigned threads);
/* asz_prove_mem_new: as asz_prove_gemm_new. */
struct asz_prove_mem *asz_prove_mem_new(void *memory, uint32_t preset, unsigned threads, const struct asz_gemm_backend *backend);

/* asz_prove_mem_gemm: its builder, to attach a device to (open with an arena, which then is there: the one here stays untouched
 * until the device fails, and is built again then). */
struct asz_prove_gemm *asz_prove_mem_gemm(struct asz_prove_mem *prove);

/* asz_prove_mem_build: makes A and the arena. Replaces the arena before. */
void asz_prove_mem_build(struct asz_prove_mem *prove, const uint8_t beacon[32], const uint8_t seed[32], uint8_t ret_root[32]);
/* asz_prove_mem_fold: after a build. */
void asz_prove_mem_fold(struct asz_prove_mem *prove, const uint8_t fold_seed[32], uint8_t ret_z_root[32]);
/* asz_prove_mem_open_build: asz_gemm_opening_bytes bytes of the build; asz_prove_mem_open: asz_mem_opening_bytes bytes of the
 * last fold. */
void asz_prove_mem_open_build(struct asz_prove_mem *prove, struct asz_gemm_pick pick, uint8_t *ret_opening);
void asz_prove_mem_open(struct asz_prove_mem *prove, struct asz_gemm_pick pick, uint8_t *ret_opening);

#endif
