/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC says whose file it is; the reading behind it trusts nothing all the same, since what it lets through is scored. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "control/snapshot_internal.h"
#include "dataplane/base/bytes.h"

enum { ROUNDS_MAX = 65535 /* of an epoch: asz_plan_check */ };

void asz_snapshot_close(struct asz_snapshot *snapshot) {
  sodium_memzero(snapshot->head.secret, sizeof snapshot->head.secret);
  asz_stats_free(snapshot->stats);
  *snapshot = (struct asz_snapshot){0};
}

static bool head_read(struct asz_snapshot_head *head, const uint8_t *from, size_t body_bytes) {
  head->epoch = asz_be32_load(from + 12);
  head->opened_ns = asz_be64_load(from + 16);
  head->open_index = asz_be64_load(from + 24);
  memcpy(head->secret, from + 32, 32);
  memcpy(head->beacon, from + 64, 32);
  memcpy(head->params_hash, from + 96, 32);
  memcpy(head->root, from + 128, 32);
  head->target_count = asz_be32_load(from + 160);
  head->cell_count = asz_be32_load(from + 164);
  head->keep_bytes = asz_be64_load(from + 168);
  return head->epoch != 0 && asz_stats_footprint(head->target_count, head->cell_count, false) != 0 &&
         head->keep_bytes <= body_bytes && head->target_count <= (body_bytes - head->keep_bytes) / ASZ_SNAPSHOT_LINE_BYTES;
}

/* Every place between those of the smallest and the largest RTT, and no other, has a cell: what the quantiles walk over. */
static bool sketch_ok(const struct asz_sketch *sketch) {
  struct asz_sketch shape = {.cell_count = sketch->cell_count};
  asz_sketch_stretch(&shape, sketch->bin_min, sketch->bin_max);
  unsigned first = sketch->bin_min >> shape.level, span = (sketch->bin_max >> shape.level) - first;
  if (sketch->level != shape.level)
    return false;
  for (uint32_t i = 0; i < sketch->cell_count; i++)
    if (sketch->cell[i] != 0 && ((i - first) & (sketch->cell_count - 1)) > span)
      return false;
  return true;
}

/* Returns the record's size; 0 when it is none. */
static size_t target_read(struct asz_stats *stats, uint32_t index, const uint8_t *from, size_t size_bytes) {
  struct asz_target_stats *t = &stats->target[index];
  if (size_bytes < ASZ_SNAPSHOT_LINE_BYTES)
    return 0;
  const uint8_t *count = from + 24;
  t->slots_up = asz_be64_load(from);
  t->rtt_min_ns = asz_be32_load(from + 8);
  t->rtt_max_ns = asz_be32_load(from + 12);
  t->rtt_sum_ns = asz_be64_load(from + 16);
#define ASZ_SNAPSHOT_COUNT_READ(field) t->field = asz_be16_load(count), count += 2;
  ASZ_SNAPSHOT_COUNT_LIST(ASZ_SNAPSHOT_COUNT_READ)
#undef ASZ_SNAPSHOT_COUNT_READ
  t->sketch_level = count[0];
  t->denied = count[1];
  uint32_t used = asz_be16_load(count + 2), next = 0;
  size_t size = ASZ_SNAPSHOT_LINE_BYTES + (size_t)used * ASZ_SNAPSHOT_CELL_BYTES;
  if (size > size_bytes || t->denied > 1 || (used == 0) != (t->rtt_max_ns == 0) || (t->rtt_min_ns == 0) != (t->rtt_max_ns == 0) ||
      t->rtt_min_ns > t->rtt_max_ns)
    return 0;
  for (uint32_t n = 0; n < used; n++) {
    const uint8_t *at = from + ASZ_SNAPSHOT_LINE_BYTES + (size_t)n * ASZ_SNAPSHOT_CELL_BYTES;
    uint32_t cell = asz_be16_load(at);
    if (cell < next || cell >= stats->cell_count || asz_be16_load(at + 2) == 0)
      return 0;
    stats->cell[(size_t)index * stats->cell_count + cell] = asz_be16_load(at + 2);
    next = cell + 1;
  }
  struct asz_sketch sketch = asz_stats_sketch(stats, index);
  return used == 0 ? (t->sketch_level == 0 && t->rtt_sum_ns == 0 ? size : 0) : sketch_ok(&sketch) ? size : 0;
}

static bool tail_read(struct asz_snapshot_tail *tail, const uint8_t *from, uint32_t target_count) {
  uint64_t *const word[] = {&tail->at_ns,
                            &tail->sent,
                            &tail->slots_whole,
                            &tail->start_realtime_ns,
                            &tail->slots_unjudged,
                            &tail->slots_no_gateway[ASZ_FAMILY_IPV4],
                            &tail->slots_no_gateway[ASZ_FAMILY_IPV6],
                            &tail->rtt_error_ns,
                            &tail->late_ns_max};
  for (size_t i = 0; i < sizeof word / sizeof word[0]; i++, from += 8)
    *word[i] = asz_be64_load(from);
  uint64_t shard_count = asz_be64_load(from), fault_count = asz_be64_load(from + 8);
  from += 16;
  if (shard_count < 1 || shard_count > ASZ_ENGINE_LCORES_MAX || (shard_count & (shard_count - 1)) != 0 ||
      fault_count != ASZ_FAULT_COUNT)
    return false;
  tail->shard_count = (uint32_t)shard_count;
  for (unsigned i = 0; i < ASZ_ENGINE_LCORES_MAX; i++, from += 16) {
    tail->settled[i] = asz_be64_load(from);
    tail->scheduled[i] = asz_be64_load(from + 8);
    uint64_t most = i < shard_count ? (uint64_t)target_count * ROUNDS_MAX : 0;
    if (tail->settled[i] > tail->scheduled[i] || tail->scheduled[i] > most)
      return false;
  }
  for (unsigned i = 0; i < ASZ_FAULT_COUNT; i++, from += 8)
    tail->faults.count[i] = asz_be64_load(from);
  return true;
}

static void tail_apply(struct asz_stats *stats, const struct asz_snapshot_tail *tail) {
  uint64_t span_ns = tail->at_ns > tail->start_realtime_ns ? tail->at_ns - tail->start_realtime_ns : 0;
  stats->shard_count = tail->shard_count;
  for (uint32_t i = 0; i < tail->shard_count; i++) {
    stats->shard_scheduled[i] = tail->scheduled[i];
    stats->probes_scheduled += tail->scheduled[i];
  }
  stats->start_realtime_ns = tail->start_realtime_ns;
  stats->slots_unjudged = tail->slots_unjudged | ~tail->slots_whole;
  memcpy(stats->slots_no_gateway, tail->slots_no_gateway, sizeof stats->slots_no_gateway);
  stats->faults = tail->faults;
  stats->rtt_error_ns = tail->rtt_error_ns;
  stats->late_ns_max = tail->late_ns_max;
  if (span_ns > 0)
    stats->rate_pps = (uint64_t)((unsigned __int128)tail->sent * 1000000000 / span_ns);
}

/* What lies between head and MAC. False when no writer made it. */
static bool body_read(struct asz_snapshot *snapshot, const uint8_t *body, size_t size_bytes) {
  const struct asz_snapshot_head *head = &snapshot->head;
  if (size_bytes - head->keep_bytes < ASZ_SNAPSHOT_TAIL_BYTES)
    return false;
  snapshot->keep = body;
  const uint8_t *at = body + head->keep_bytes;
  size_t left = size_bytes - head->keep_bytes - ASZ_SNAPSHOT_TAIL_BYTES;
  for (uint32_t i = 0; i < head->target_count; i++) {
    size_t size = target_read(snapshot->stats, i, at, left);
    if (size == 0)
      return false;
    at += size;
    left -= size;
  }
  if (left != 0 || !tail_read(&snapshot->tail, at, head->target_count))
    return false;
  tail_apply(snapshot->stats, &snapshot->tail);
  return true;
}

int asz_snapshot_read(struct asz_snapshot *ret_snapshot, const uint8_t *bytes, size_t size_bytes, const char *name,
                      const uint8_t key[ASZ_SNAPSHOT_KEY_BYTES], struct asz_diag *diag) {
  struct asz_snapshot snapshot = {0};
  uint8_t mac[ASZ_SNAPSHOT_MAC_BYTES];
  if (size_bytes < 12 || memcmp(bytes, ASZ_SNAPSHOT_MAGIC, 8) != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%.512s: expected the snapshot of an epoch, got something else", name);
  if (asz_be32_load(bytes + 8) != ASZ_SNAPSHOT_VERSION)
    return asz_diag_set(diag, ASZ_ENOTSUP, "%.512s: expected a snapshot of version %d, got version %u", name,
                        ASZ_SNAPSHOT_VERSION, asz_be32_load(bytes + 8));
  size_t signed_bytes = size_bytes < ASZ_SNAPSHOT_MAC_BYTES ? 0 : size_bytes - ASZ_SNAPSHOT_MAC_BYTES;
  crypto_generichash(mac, sizeof mac, bytes, signed_bytes, key, ASZ_SNAPSHOT_KEY_BYTES);
  if (signed_bytes < ASZ_SNAPSHOT_HEAD_BYTES || sodium_memcmp(mac, bytes + signed_bytes, sizeof mac) != 0)
    return asz_diag_set(diag, ASZ_EAUTH,
                        "%.512s: expected a whole snapshot of this validator, got one damaged, cut short or forged", name);
  size_t body_bytes = signed_bytes - ASZ_SNAPSHOT_HEAD_BYTES;
  int err = 0;
  if (!head_read(&snapshot.head, bytes, body_bytes))
    err = ASZ_EFORMAT;
  else
    err = asz_stats_new(&snapshot.stats, snapshot.head.target_count, snapshot.head.cell_count);
  if (!err && !body_read(&snapshot, bytes + ASZ_SNAPSHOT_HEAD_BYTES, body_bytes))
    err = ASZ_EFORMAT;
  if (err) {
    asz_snapshot_close(&snapshot);
    return asz_diag_set(diag, err,
                        err == ASZ_EFORMAT ? "%.512s: malformed, though its MAC is right" : "%.512s: no memory to read it", name);
  }
  *ret_snapshot = snapshot;
  return 0;
}

/* Due to a target are its rounds less what is unjudged already: the same in both counts, so their difference is what was in
 * flight. */
int asz_snapshot_settle(struct asz_snapshot *snapshot, const struct asz_plan *plan, struct asz_diag *diag) {
  struct asz_stats *stats = snapshot->stats;
  uint32_t *settled = calloc(stats->target_count, sizeof *settled), *due = calloc(stats->target_count, sizeof *due);
  int err = settled && due ? 0 : asz_diag_set(diag, ASZ_ENOMEM, "no memory to settle %u targets", stats->target_count);
  if (!err) {
    memcpy(stats->shard_scheduled, snapshot->tail.settled, sizeof stats->shard_scheduled);
    asz_engine_sent(plan, stats, settled);
    memcpy(stats->shard_scheduled, snapshot->tail.scheduled, sizeof stats->shard_scheduled);
    asz_engine_sent(plan, stats, due);
  }
  for (uint32_t i = 0; !err && i < stats->target_count; i++) {
    struct asz_target_stats *t = &stats->target[i];
    uint32_t heard = (uint32_t)t->answered + t->late, flying = due[i] - settled[i];
    uint32_t rounds = due[i] + t->unjudged;
    if (rounds < t->unjudged || rounds > ROUNDS_MAX || due[i] < heard) {
      err = asz_diag_set(diag, ASZ_EFORMAT, "target %u of the snapshot has more answers than questions", i);
      break;
    }
    uint32_t silent = due[i] - heard;
    t->unjudged = (uint16_t)(t->unjudged + (silent < flying ? silent : flying));
  }
  uint64_t slots = (plan->duration_ns + plan->slot_ns - 1) / plan->slot_ns; /* 1 to 64: asz_plan_check */
  stats->slots_unjudged &= UINT64_MAX >> (64 - slots);
  free(settled);
  free(due);
  return err;
}
