/* SPDX-License-Identifier: Apache-2.0 */
/* What bench_verify judges: batches full of items of one kind, one in ASZ_BENCH_WRONG_EVERY of them wrong. */
#ifndef ASZ_BENCH_VERIFY_ITEMS_H
#define ASZ_BENCH_VERIFY_ITEMS_H

#include "gpu/verify.h"

enum { ASZ_BENCH_WRONG_EVERY = 16 };

struct asz_bench_items {
  unsigned kind;
  uint32_t items;      /* a batch */
  uint32_t keys;       /* sig: that have tables, set in turn; 0: none, and every item has a key of its own */
  unsigned log2_steps; /* seq */
  uint8_t preset;      /* gemm, mem */
};

/* asz_bench_backend_named: reference, cpu or cuda; else ASZ_BACKEND_AUTO. */
enum asz_backend asz_bench_backend_named(const char *name);

/* asz_bench_items_fill: all of a batch; before it the keys and the slot that its items need. 0, or ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_bench_items_fill(struct asz_verifier *verifier, struct asz_batch *batch,
                                        const struct asz_bench_items *what);
/* asz_bench_items_copy: fills another batch of the same kind with the same. */
void asz_bench_items_copy(struct asz_batch *to, struct asz_batch *from);

/* asz_bench_items_expected: the verdict of item i. */
static inline enum asz_verdict asz_bench_items_expected(uint32_t i) {
  return i % ASZ_BENCH_WRONG_EVERY == ASZ_BENCH_WRONG_EVERY - 1 ? ASZ_VERDICT_FAIL : ASZ_VERDICT_PASS;
}

#endif
