/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/sched.h"

#include <assert.h>
#include <string.h>

static uint32_t smaller(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

uint32_t asz_sched_span(const struct asz_shard *shard, uint64_t rate_pps, uint32_t target_count, uint64_t gap_ns) {
  if (gap_ns == 0)
    return 0;
  unsigned __int128 probes = (unsigned __int128)rate_pps * shard->count * gap_ns / target_count / 1000000000;
  if (probes < 1)
    return 1;
  return probes < shard->count ? (uint32_t)probes : shard->count;
}

static void block_begin(struct asz_sched *sched) {
  uint32_t left = sched->shard.count - sched->position;
  sched->block_at = sched->position;
  sched->block_end = sched->position + (sched->span > 0 ? smaller(sched->span, left) : left);
  sched->seq = sched->span > 0 ? 2 * sched->round : sched->round;
}

static void round_begin(struct asz_sched *sched, uint32_t round) {
  sched->round = round;
  sched->position = 0;
  asz_permute_init(&sched->permute, sched->shard.count, sched->secret, sched->shard.number, round);
  block_begin(sched);
}

void asz_sched_init(struct asz_sched *ret_sched, const struct asz_shard *shard, uint32_t span, const uint8_t secret[32],
                    uint32_t round) {
  assert(shard->count >= 1 && span <= shard->count);
  *ret_sched = (struct asz_sched){.shard = *shard, .span = span};
  memcpy(ret_sched->secret, secret, sizeof ret_sched->secret);
  round_begin(ret_sched, round);
}

/* At the end of a block: through it once more, or to the next one, or the next round. */
static void block_next(struct asz_sched *sched) {
  if (sched->span > 0 && (sched->seq & 1) == 0) {
    sched->position = sched->block_at;
    sched->seq++;
  } else if (sched->position == sched->shard.count) {
    round_begin(sched, sched->round + 1);
  } else {
    block_begin(sched);
  }
}

void asz_sched_next(struct asz_sched *sched, uint32_t *ret_target, uint32_t *ret_seq, uint32_t size) {
  uint32_t done = 0;
  while (done < size) {
    if (sched->position == sched->block_end)
      block_next(sched);
    uint32_t run = smaller(size - done, sched->block_end - sched->position);
    asz_permute_many(&sched->permute, sched->position, ret_target + done, run);
    for (uint32_t i = done; i < done + run; i++) {
      ret_target[i] += sched->shard.first;
      ret_seq[i] = sched->seq;
    }
    sched->position += run;
    done += run;
  }
}

uint32_t asz_sched_target(const struct asz_shard *shard, uint32_t span, const uint8_t secret[32], uint64_t index,
                          uint32_t *ret_seq) {
  uint64_t round_probes = asz_sched_round_probes(shard, span);
  uint32_t round = (uint32_t)(index / round_probes), at = (uint32_t)(index % round_probes), seq = round;
  if (span > 0) {
    uint32_t block_at = at / (2 * span) * span, targets = smaller(span, shard->count - block_at);
    uint32_t in_block = at - 2 * block_at;
    seq = 2 * round + in_block / targets;
    at = block_at + in_block % targets;
  }
  struct asz_permute permute;
  asz_permute_init(&permute, shard->count, secret, shard->number, round);
  if (ret_seq != NULL)
    *ret_seq = seq;
  return shard->first + asz_permute_at(&permute, at);
}
