/* SPDX-License-Identifier: Apache-2.0 */
/* asz_batches: sends items of the tests through a verifier's own interface. */
#ifndef ASZ_TESTS_GPU_BATCHES_H
#define ASZ_TESTS_GPU_BATCHES_H

#include <criterion/criterion.h>
#include <string.h>

#include "gpu/prove/prove.h"
#include "gpu/verify.h"
#include "tests/gpu/sig_cases.h"

/* asz_batches_wait: polls until a batch is done, with a budget a call. */
static inline struct asz_batch *asz_batches_wait(struct asz_verifier *verifier, uint32_t budget) {
  struct asz_batch *done;
  do
    done = asz_verify_poll(verifier, budget);
  while (!done);
  return done;
}

/* asz_batches_fill_sig: the cases first.. as far as one batch holds; returns it, not submitted. tag[i]: the case's index. */
static inline struct asz_batch *asz_batches_fill_sig(struct asz_verifier *verifier, const struct asz_sig_case *item, size_t first,
                                                     size_t count) {
  struct asz_batch *batch = asz_verify_batch(verifier, ASZ_KIND_SIG);
  cr_assert_not_null(batch);
  for (size_t i = first; i < count && batch->count < batch->capacity; i++) {
    uint32_t at = batch->count++;
    memcpy(batch->public_key[at], item[i].public_key, 32);
    memcpy(batch->signature[at], item[i].signature, 64);
    memcpy(batch->message[at], item[i].message, sizeof item[i].message);
    batch->message_bytes[at] = item[i].message_bytes;
    batch->tag[at] = i;
  }
  return batch;
}

/* asz_batches_judge_sig: all cases through the verifier, a batch at a time. */
static inline void asz_batches_judge_sig(struct asz_verifier *verifier, uint8_t *ret_verdict, const struct asz_sig_case *item,
                                         size_t count) {
  for (size_t first = 0; first < count;) {
    struct asz_batch *batch = asz_batches_fill_sig(verifier, item, first, count);
    first += batch->count;
    asz_verify_submit(verifier, batch);
    cr_assert_eq(asz_batches_wait(verifier, 0), batch);
    for (uint32_t i = 0; i < batch->count; i++)
      ret_verdict[batch->tag[i]] = batch->verdict[i];
    asz_verify_release(verifier, batch);
  }
}

/* asz_batches_fill_seq: seq items of all sorts, with the verdict that each must get: chains of 2^5..2^10 steps, every third one
 * with a flipped bit in some checkpoint, every seventh with steps out of range. */
static inline struct asz_batch *asz_batches_fill_seq(struct asz_verifier *verifier, uint8_t *ret_expected, uint32_t count,
                                                     struct asz_test_random *random) {
  struct asz_batch *batch = asz_verify_batch(verifier, ASZ_KIND_SEQ);
  cr_assert_not_null(batch);
  for (uint32_t i = 0; i < count; i++) {
    unsigned log2_steps = ASZ_SEQ_LOG2_MIN + i % 6;
    asz_test_random_bytes(random, batch->seed[i], 32);
    asz_prove_seq(batch->checkpoint[i], batch->seed[i], log2_steps);
    ret_expected[i] = ASZ_VERDICT_PASS;
    if (i % 3 == 1) {
      batch->checkpoint[i][i / 3 % ASZ_SEQ_CHECKPOINTS][i % 32] ^= (uint8_t)(1 << i % 8);
      ret_expected[i] = ASZ_VERDICT_FAIL;
    }
    batch->log2_steps[i] = (uint8_t)log2_steps;
    if (i % 7 == 5) {
      batch->log2_steps[i] = (uint8_t)(i % 2 ? i % ASZ_SEQ_LOG2_MIN : 255 - i % (255 - ASZ_SEQ_LOG2_MAX));
      ret_expected[i] = ASZ_VERDICT_MALFORMED;
    }
  }
  batch->count = count;
  return batch;
}

#endif
