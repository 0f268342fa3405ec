/* SPDX-License-Identifier: Apache-2.0 */
/* asz_seq_judge: verdicts on seq items by many chains side by side; the same as asz_verify_seq_one on every byte string.
 *
 * An item is 32 segments of 2^log2_steps / 32 steps each, all recomputed, all side by side: one item alone fills the lanes of
 * every backend, whatever the lengths of its neighbours in the batch.
 *
 * An item of 2^20 steps takes 12 ms on one core of a Zen 4 (sha-ni+avx512, 11.1 ns a compression), 240 ms where there is only
 * plain C. A control loop that has to stay responsive therefore takes the resumable form, which stops in the middle of an item:
 *
 *   struct asz_seq_judge judge;
 *   asz_seq_judge_start(&judge, asz_sha256_backend_best(), &items, first, count);
 *   while (!asz_seq_judge_more(&judge, 65536))   (0.7 ms, or 15 ms in plain C)
 *     ... the rest of the loop ...
 *
 * Any thread; a judge is one thread's at a time. Nothing fails, nothing is allocated. */
#ifndef ASZ_GPU_SIMD_SEQ_H
#define ASZ_GPU_SIMD_SEQ_H

#include "gpu/simd/sha256.h"
#include "gpu/verify.h"

/* Columns of a seq batch, as struct asz_batch has them; the caller's, who keeps them in place while they are judged. */
struct asz_seq_items {
  const uint8_t (*seed)[32];
  const uint8_t (*checkpoint)[ASZ_SEQ_CHECKPOINTS][32];
  const uint8_t *log2_steps;
  uint8_t *verdict; /* PASS, FAIL, or MALFORMED for steps out of range */
};

/* What is left to do; the caller's memory, its insides the functions' own. About 1.2 KB; may be dropped at any time. */
struct asz_seq_judge {
  const struct asz_sha256_backend *backend;
  struct asz_seq_items items;
  uint32_t next, end;                         /* the item at work, and the one after the last */
  uint32_t steps_left;                        /* of its segments; 0: not begun */
  struct asz_sha256_x x[ASZ_SEQ_CHECKPOINTS]; /* where its segments are */
};

/* asz_seq_judge_items: verdict[first..first+count-1], at once. A backend that is supported here. */
void asz_seq_judge_items(const struct asz_sha256_backend *backend, const struct asz_seq_items *items, uint32_t first,
                         uint32_t count);

/* asz_seq_judge_start: a judge of the same items that has not begun. No verdict is written. */
void asz_seq_judge_start(struct asz_seq_judge *ret_judge, const struct asz_sha256_backend *backend,
                         const struct asz_seq_items *items, uint32_t first, uint32_t count);

/* asz_seq_judge_more: goes on for about `compressions`, 1 or more: rounded down to a multiple of 32, but at least 32, so that
 * every call gets on. True when all verdicts are written; before that, those of items up to judge->next. */
bool asz_seq_judge_more(struct asz_seq_judge *judge, uint64_t compressions);

#endif
