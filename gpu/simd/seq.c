/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts on seq items, an item at a time, its segments side by side. */
#include "gpu/simd/seq.h"

#include <assert.h>
#include <string.h>

#include "gpu/kinds/seq.h"

void asz_seq_judge_start(struct asz_seq_judge *ret_judge, const struct asz_sha256_backend *backend,
                         const struct asz_seq_items *items, uint32_t first, uint32_t count) {
  assert(count <= UINT32_MAX - first && backend->is_supported());
  ret_judge->backend = backend;
  ret_judge->items = *items;
  ret_judge->next = first;
  ret_judge->end = first + count;
  ret_judge->steps_left = 0;
}

/* Each segment begins where the one before it should have ended. */
static void begin_item(struct asz_seq_judge *judge) {
  const uint8_t(*checkpoint)[32] = judge->items.checkpoint[judge->next];
  judge->steps_left = UINT32_C(1) << judge->items.log2_steps[judge->next] >> ASZ_SEQ_LOG2_MIN;
  judge->x[0] = asz_sha256_x_load(judge->items.seed[judge->next]);
  for (int segment = 1; segment < ASZ_SEQ_CHECKPOINTS; segment++)
    judge->x[segment] = asz_sha256_x_load(checkpoint[segment - 1]);
}

static enum asz_verdict verdict_of_item(const struct asz_seq_judge *judge) {
  uint8_t reached[ASZ_SEQ_CHECKPOINTS][32];
  for (int segment = 0; segment < ASZ_SEQ_CHECKPOINTS; segment++)
    asz_sha256_x_store(reached[segment], judge->x[segment]);
  bool holds = memcmp(reached, judge->items.checkpoint[judge->next], sizeof reached) == 0;
  return holds ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL;
}

bool asz_seq_judge_more(struct asz_seq_judge *judge, uint64_t compressions) {
  uint64_t steps = compressions / ASZ_SEQ_CHECKPOINTS; /* of each segment */
  if (steps == 0)
    steps = 1;
  for (; judge->next < judge->end; judge->next++) {
    if (!asz_seq_is_well_formed(judge->items.log2_steps[judge->next])) {
      judge->items.verdict[judge->next] = ASZ_VERDICT_MALFORMED;
      continue;
    }
    if (steps == 0)
      return false;
    if (judge->steps_left == 0)
      begin_item(judge);
    uint32_t now = judge->steps_left < steps ? judge->steps_left : (uint32_t)steps;
    judge->backend->advance(judge->x, ASZ_SEQ_CHECKPOINTS, now);
    judge->steps_left -= now;
    steps -= now;
    if (judge->steps_left > 0)
      return false;
    judge->items.verdict[judge->next] = (uint8_t)verdict_of_item(judge);
  }
  return true;
}

void asz_seq_judge_items(const struct asz_sha256_backend *backend, const struct asz_seq_items *items, uint32_t first,
                         uint32_t count) {
  struct asz_seq_judge judge;
  asz_seq_judge_start(&judge, backend, items, first, count);
  bool done = asz_seq_judge_more(&judge, UINT64_MAX);
  assert(done); /* a budget that a batch cannot use up: 2^32 items of 2^24 steps are 2^56 */
  (void)done;
}
