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

#include "gpu/verify.h"

enum { ASZ_COLUMN_MAX = 8 };

/* One array of a batch. */
struct asz_column {
  size_t pointer_at; /* offset in struct asz_batch of the pointer to it */
  size_t item_bytes;
};
#define ASZ_COLUMN(field)                                                                                                        \
  { offsetof(struct asz_batch, field), sizeof *((struct asz_batch *)0)->field }

struct asz_verify_kind {
  uint8_t kind; /* enum asz_kind */
  unsigned column_count;
  struct asz_column column[ASZ_COLUMN_MAX];
  /* The reference: sets verdict[first .. first+count-1]. */
  void (*judge)(struct asz_batch *batch, uint32_t first, uint32_t count);
  /* Fills item `item` with known answer `number` (0..known_count-1), right or wrong; returns the verdict that it must get. */
  unsigned known_count;
  enum asz_verdict (*known_fill)(struct asz_batch *batch, uint32_t item, unsigned number);
};

/* By place in the list of kinds that the verifier judges: 0..ASZ_VERIFY_KINDS-1. */
enum { ASZ_VERIFY_KINDS = 2 };
extern const struct asz_verify_kind *const asz_verify_kinds[ASZ_VERIFY_KINDS];
/* asz_verify_kind_of: NULL when the verifier has no such kind. */
const struct asz_verify_kind *asz_verify_kind_of(unsigned kind);

/* asz_column_data: where the batch's array is. */
static inline void **asz_column_data(const struct asz_column *column, struct asz_batch *batch) {
  return (void **)((uint8_t *)batch + column->pointer_at);
}

/* asz_known_decode: a known answer's hexadecimal digits. The tables are ours, so a digit that is none is our mistake. */
void asz_known_decode(uint8_t *ret_bytes, size_t count, const char *text);

extern const struct asz_verify_kind asz_verify_kind_sig, asz_verify_kind_seq;

#endif
