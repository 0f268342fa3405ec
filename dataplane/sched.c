/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/sched.h"

#include <assert.h>
#include <string.h>

void asz_sched_init(struct asz_sched *ret_sched, const struct asz_shard *shard, const uint8_t secret[32]) {
  assert(shard->count >= 1);
  *ret_sched = (struct asz_sched){.shard = *shard};
  memcpy(ret_sched->secret, secret, sizeof ret_sched->secret);
  asz_permute_init(&ret_sched->permute, shard->count, secret, shard->number, 0);
}

static void next_round(struct asz_sched *sched) {
  sched->position = 0;
  sched->round++;
  asz_permute_init(&sched->permute, sched->shard.count, sched->secret, sched->shard.number, sched->round);
}

void asz_sched_next(struct asz_sched *sched, uint32_t *ret_target, uint32_t *ret_seq, uint32_t size) {
  uint32_t done = 0;
  while (done < size) {
    if (sched->position == sched->shard.count)
      next_round(sched);
    uint32_t left = sched->shard.count - sched->position;
    uint32_t run = size - done < left ? size - done : left;
    for (uint32_t i = 0; i < run; i++) {
      ret_target[done + i] = sched->shard.first + asz_permute_at(&sched->permute, sched->position + i);
      ret_seq[done + i] = sched->round;
    }
    sched->position += run;
    done += run;
  }
}

uint32_t asz_sched_target(const struct asz_shard *shard, const uint8_t secret[32], uint64_t index, uint32_t *ret_seq) {
  uint32_t round = (uint32_t)(index / shard->count);
  struct asz_permute permute;
  asz_permute_init(&permute, shard->count, secret, shard->number, round);
  if (ret_seq != NULL)
    *ret_seq = round;
  return shard->first + asz_permute_at(&permute, (uint32_t)(index % shard->count));
}
