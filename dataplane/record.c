/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/record.h"

#include "dataplane/base/bound.h"

enum { WINDOW = 64 };

enum novelty { FRESH, REORDERED, SEEN, TOO_OLD };

static enum novelty window_take(struct asz_target_stats *stats, uint32_t seq) {
  if (seq >= stats->seq_next) {
    uint32_t steps = seq - stats->seq_next + 1;
    stats->seen = (steps < WINDOW ? stats->seen << steps : 0) | 1;
    stats->seq_next = seq + 1;
    return FRESH;
  }
  uint32_t age = stats->seq_next - 1 - seq;
  if (age >= WINDOW)
    return TOO_OLD;
  uint64_t bit = UINT64_C(1) << age;
  if ((stats->seen & bit) != 0)
    return SEEN;
  stats->seen |= bit;
  return REORDERED;
}

static enum asz_counter replayed(struct asz_target_stats *stats) {
  asz_record_count(&stats->replayed);
  return ASZ_CTR_RX_REPLAYED;
}

/* The sketch's ends are the extreme RTTs themselves: only a new one can need more room. */
static void rtt_stretch(struct asz_stats *stats, uint32_t index, uint32_t rtt_ns, unsigned bin) {
  struct asz_target_stats *target = &stats->target[index];
  struct asz_sketch sketch = asz_stats_sketch(stats, index);
  __atomic_store_n(&target->stretches, target->stretches + 1, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_RELEASE);
  asz_sketch_stretch(&sketch, bin, bin);
  target->sketch_level = sketch.level;
  if (target->rtt_min_ns == 0 || rtt_ns < target->rtt_min_ns)
    target->rtt_min_ns = rtt_ns;
  if (rtt_ns > target->rtt_max_ns)
    target->rtt_max_ns = rtt_ns;
  __atomic_store_n(&target->stretches, target->stretches + 1, __ATOMIC_RELEASE);
}

/* No reply waited longer than it was away, if that is known to be no less. */
static void waited_raise(struct asz_target_stats *target, const struct asz_reply *reply, uint32_t rtt_ns) {
  uint8_t away = asz_bound_code(rtt_ns);
  uint8_t least = reply->waited < away || reply->stamped ? reply->waited : away;
  if (least > target->waited)
    target->waited = least;
}

static void rtt_add(struct asz_stats *stats, uint32_t index, uint32_t rtt_ns, unsigned bin) {
  struct asz_target_stats *target = &stats->target[index];
  if (rtt_ns < target->rtt_min_ns || rtt_ns > target->rtt_max_ns)
    rtt_stretch(stats, index, rtt_ns, bin);
  uint32_t at = asz_sketch_at(bin, target->sketch_level, stats->cell_count);
  asz_record_count(&stats->cell[(size_t)index * stats->cell_count + at]);
  target->rtt_sum_ns += rtt_ns;
}

enum asz_counter asz_record_reply(struct asz_stats *stats, uint32_t index, const struct asz_reply *reply, uint64_t timeout_ns,
                                  int *ret_reordered) {
  struct asz_target_stats *target = &stats->target[index];
  enum novelty novelty = window_take(target, reply->seq);
  bool in_time = reply->rtt_ns <= timeout_ns;
  *ret_reordered = novelty == REORDERED;
  if (novelty == TOO_OLD)
    return replayed(target);
  if (novelty == SEEN && !in_time)
    return reply->doubtful ? ASZ_CTR_RX_DOUBTFUL : replayed(target);
  if (novelty == SEEN) {
    asz_record_count(&target->duplicate);
    return ASZ_CTR_RX_DUPLICATE;
  }
  if (novelty == REORDERED)
    asz_record_count(&target->reordered);
  if (!in_time) {
    asz_record_count(reply->doubtful ? &target->unjudged : &target->late);
    return reply->doubtful ? ASZ_CTR_RX_DOUBTFUL : ASZ_CTR_RX_LATE;
  }
  target->slots_up |= UINT64_C(1) << reply->slot;
  asz_record_count(&target->answered);
  if (reply->doubtful)
    return ASZ_CTR_RX_DOUBTFUL;
  uint32_t rtt_ns = reply->rtt_ns > 0 ? (uint32_t)reply->rtt_ns : 1; /* the timeout is under 2^32 ns; 0 means none */
  rtt_add(stats, index, rtt_ns, reply->bin);
  if (reply->waited > target->waited)
    waited_raise(target, reply, rtt_ns);
  return ASZ_CTR_RX_ANSWERED;
}
