/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/record.h"

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

enum asz_counter asz_record_reply(struct asz_target_stats *stats, struct asz_sketch *sketch, uint32_t seq, uint64_t rtt_ns,
                                  uint64_t timeout_ns, uint32_t slot, bool doubtful, int *ret_reordered) {
  enum novelty novelty = window_take(stats, seq);
  *ret_reordered = novelty == REORDERED;
  if (novelty == TOO_OLD)
    return replayed(stats);
  if (novelty == SEEN && rtt_ns > timeout_ns)
    return doubtful ? ASZ_CTR_RX_DOUBTFUL : replayed(stats);
  if (novelty == SEEN) {
    asz_record_count(&stats->duplicate);
    return ASZ_CTR_RX_DUPLICATE;
  }
  if (novelty == REORDERED)
    asz_record_count(&stats->reordered);
  if (doubtful) {
    if (rtt_ns > timeout_ns) {
      asz_record_count(&stats->unjudged);
    } else {
      stats->slots_up |= UINT64_C(1) << slot;
      asz_record_count(&stats->answered);
    }
    return ASZ_CTR_RX_DOUBTFUL;
  }
  if (rtt_ns > timeout_ns) {
    asz_record_count(&stats->late);
    return ASZ_CTR_RX_LATE;
  }
  uint32_t rtt = (uint32_t)rtt_ns; /* the timeout is under 2^32 ns: checked by the plan */
  if (stats->rtt_min_ns == 0 || rtt < stats->rtt_min_ns)
    stats->rtt_min_ns = rtt;
  if (rtt > stats->rtt_max_ns)
    stats->rtt_max_ns = rtt;
  stats->rtt_sum_ns += rtt;
  stats->slots_up |= UINT64_C(1) << slot;
  asz_record_count(&stats->answered);
  asz_sketch_add(sketch, rtt_ns);
  return ASZ_CTR_RX_ANSWERED;
}
