/* SPDX-License-Identifier: Apache-2.0 */
/* asz_verify_kind: what the verifier knows of a challenge kind: the arrays that its batches hold, how the reference judges an
 * item, and the known answers that a backend must give before it serves. Internal to gpu/ and its tests.
 *
 * A kind is one file, gpu/verify_<kind>.c, that ends in one of these, and one line in gpu/kind.c. Pool, devices and self-test
 * walk the table; none of them knows a kind by name but the CUDA launcher, which has a kernel for each. */
#ifndef ASZ_GPU_KIND_H
#define ASZ_GPU_KIND_H

#include <stddef.h>
#include <stdint.h>

#include "gpu/gemm.h"
#include "gpu/simd/seq.h"
#include "gpu/simd/sig.h"
#include "gpu/verify.h"

enum { ASZ_COLUMN_MAX = 8 };

/* One array of a batch. */
struct asz_column {
  size_t pointer_at; /* offset in struct asz_batch of the pointer to it */
  size_t item_bytes; /* of openings 1: there are batch->opening_bytes of them an item */
};

/* What the CPU judges with. */
struct asz_verify_cpu {
  bool reference; /* libsodium and plain C alone */
  const struct asz_sig_backend *sig;
  const struct asz_sha256_backend *sha256;
  struct asz_sig_keys *keys; /* NULL: none are known */
  const struct asz_gemm_backend *gemm;
  const struct asz_gemm_slot *slot[ASZ_VERIFY_SLOTS]; /* NULL: not set */
};
#define ASZ_COLUMN(field)                                                                                                        \
  { offsetof(struct asz_batch, field), sizeof *((struct asz_batch *)0)->field }

/* How far the CPU is with a batch. Zeroed before the first call of a kind's `work`. */
struct asz_verify_progress {
  uint32_t judged; /* items */
  bool begun;
  struct asz_seq_judge seq;
};

struct asz_verify_kind {
  uint8_t kind; /* enum asz_kind */
  unsigned column_count;
  struct asz_column column[ASZ_COLUMN_MAX];
  /* Sets verdict[first .. first+count-1]. */
  void (*judge)(const struct asz_verify_cpu *cpu, struct asz_batch *batch, uint32_t first, uint32_t count);
  /* Goes on for about `budget` items' worth of work (0: all of it); true when the batch is judged. NULL: whole items, by judge.
   */
  bool (*work)(const struct asz_verify_cpu *cpu, struct asz_batch *batch, struct asz_verify_progress *progress, uint32_t budget);
  /* Fills item `item` with known answer `number` (0..known_count-1), right or wrong; returns the verdict that it must get. Those
   * of sig say that their key is known as `number`, those of gemm and mem are of slot 0 and the one of asz_verify_known_slot. */
  unsigned known_count;
  enum asz_verdict (*known_fill)(struct asz_batch *batch, uint32_t item, unsigned number);
};

/* By place in the list of kinds that the verifier judges: 0..ASZ_VERIFY_KINDS-1. */
enum { ASZ_VERIFY_KINDS = 4 };
extern const struct asz_verify_kind *const asz_verify_kinds[ASZ_VERIFY_KINDS];
/* asz_verify_kind_of: NULL when the verifier has no such kind. */
const struct asz_verify_kind *asz_verify_kind_of(unsigned kind);

/* asz_column_data: where the batch's array is. */
static inline void **asz_column_data(const struct asz_column *column, struct asz_batch *batch) {
  return (void **)((uint8_t *)batch + column->pointer_at);
}

/* asz_known_decode: a known answer's hexadecimal digits. The tables are ours, so a digit that is none is our mistake. */
void asz_known_decode(uint8_t *ret_bytes, size_t count, const char *text);

/* asz_verify_known_slot: preset, beacon and reveal of the known answers of gemm and mem. */
void asz_verify_known_slot(uint8_t *ret_preset, uint8_t ret_beacon[32], uint8_t ret_rho[32]);

extern const struct asz_verify_kind asz_verify_kind_sig, asz_verify_kind_seq, asz_verify_kind_gemm, asz_verify_kind_mem;

#endif
