/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's kind seq: one hash chain an item, every segment of it. The reference is libsodium, step by step.
 *
 * Known answers: the chain in kinds/seq.h as it is, with one bit flipped in each checkpoint in turn (so each lane of a warp must
 * notice), with another number of steps, and with steps out of range. */
#include <string.h>

#include "gpu/chain.h"
#include "gpu/kind.h"
#include "gpu/kinds/seq.h"

enum {
  CASE_RIGHT,
  CASE_TOO_SHORT,
  CASE_TOO_LONG,
  CASE_FLIP_FIRST,
  CASE_OTHER_STEPS = CASE_FLIP_FIRST + ASZ_SEQ_CHECKPOINTS,
  CASES,
};

enum asz_verdict asz_verify_seq_one(const uint8_t seed[32], const uint8_t checkpoint[ASZ_SEQ_CHECKPOINTS][32],
                                    unsigned log2_steps) {
  if (log2_steps < ASZ_SEQ_LOG2_MIN || log2_steps > ASZ_SEQ_LOG2_MAX)
    return ASZ_VERDICT_MALFORMED;
  uint8_t x[32];
  memcpy(x, seed, sizeof x);
  for (unsigned j = 0; j < ASZ_SEQ_CHECKPOINTS; j++) {
    asz_chain_advance(x, (UINT32_C(1) << log2_steps) / ASZ_SEQ_CHECKPOINTS);
    if (memcmp(x, checkpoint[j], sizeof x) != 0)
      return ASZ_VERDICT_FAIL;
  }
  return ASZ_VERDICT_PASS;
}

/* 0.1 ms, about what a signature takes without a table. */
enum { COMPRESSIONS_A_BUDGET = 8192 };

static struct asz_seq_items items_of(struct asz_batch *batch) {
  return (struct asz_seq_items){
      .seed = (const uint8_t(*)[32])batch->seed,
      .checkpoint = (const uint8_t(*)[ASZ_SEQ_CHECKPOINTS][32])batch->checkpoint,
      .log2_steps = batch->log2_steps,
      .verdict = batch->verdict,
  };
}

/* A chain of 2^20 steps takes over 10 ms: a control loop gets on in the middle of it. */
static bool work(const struct asz_verify_cpu *cpu, struct asz_batch *batch, struct asz_verify_progress *progress,
                 uint32_t budget) {
  const struct asz_seq_items items = items_of(batch);
  if (!progress->begun)
    asz_seq_judge_start(&progress->seq, cpu->sha256, &items, 0, batch->count);
  progress->begun = true;
  return asz_seq_judge_more(&progress->seq, budget ? (uint64_t)budget * COMPRESSIONS_A_BUDGET : UINT64_MAX);
}

static void judge(const struct asz_verify_cpu *cpu, struct asz_batch *batch, uint32_t first, uint32_t count) {
  const struct asz_seq_items items = items_of(batch);
  if (!cpu->reference) {
    asz_seq_judge_items(cpu->sha256, &items, first, count);
    return;
  }
  for (uint32_t i = first; i < first + count; i++)
    batch->verdict[i] = asz_verify_seq_one(batch->seed[i], (const uint8_t(*)[32])batch->checkpoint[i], batch->log2_steps[i]);
}

static enum asz_verdict known_fill(struct asz_batch *batch, uint32_t item, unsigned number) {
  asz_known_decode(batch->seed[item], 32, asz_seq_known_seed);
  for (unsigned j = 0; j < ASZ_SEQ_CHECKPOINTS; j++)
    asz_known_decode(batch->checkpoint[item][j], 32, asz_seq_known_checkpoint[j]);
  batch->log2_steps[item] = ASZ_SEQ_KNOWN_LOG2_STEPS;
  switch (number) {
  case CASE_RIGHT:
    return ASZ_VERDICT_PASS;
  case CASE_TOO_SHORT:
    batch->log2_steps[item] = ASZ_SEQ_LOG2_MIN - 1;
    return ASZ_VERDICT_MALFORMED;
  case CASE_TOO_LONG:
    batch->log2_steps[item] = ASZ_SEQ_LOG2_MAX + 1;
    return ASZ_VERDICT_MALFORMED;
  case CASE_OTHER_STEPS:
    batch->log2_steps[item] = ASZ_SEQ_KNOWN_LOG2_STEPS + 1;
    return ASZ_VERDICT_FAIL;
  default:
    batch->checkpoint[item][number - CASE_FLIP_FIRST][number % 32] ^= (uint8_t)(1 << number % 8);
    return ASZ_VERDICT_FAIL;
  }
}

const struct asz_verify_kind asz_verify_kind_seq = {
    .kind = ASZ_KIND_SEQ,
    .column_count = 3,
    .column = {ASZ_COLUMN(seed), ASZ_COLUMN(checkpoint), ASZ_COLUMN(log2_steps)},
    .judge = judge,
    .work = work,
    .known_count = CASES,
    .known_fill = known_fill,
};
