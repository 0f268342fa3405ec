/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of an epoch's measurements, and what follows from them without the engine. No DPDK here: the control plane scores
 * sealed statistics on any thread. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bound.h"
#include "dataplane/bigmem.h"
#include "dataplane/engine.h"
#include "dataplane/sched.h"

enum { TARGETS_MAX = 1 << 24, WALK = 64 };

static const struct {
  const char *name, *help;
} stage_text[ASZ_STAGE_COUNT] = {
#define STAGE_TEXT(symbol, name, help) [ASZ_STAGE_##symbol] = {name, help},
    ASZ_STAGE_LIST(STAGE_TEXT)
#undef STAGE_TEXT
};

const char *asz_stage_name(enum asz_stage stage) {
  assert(stage < ASZ_STAGE_COUNT);
  return stage_text[stage].name;
}

const char *asz_stage_help(enum asz_stage stage) {
  assert(stage < ASZ_STAGE_COUNT);
  return stage_text[stage].help;
}

static size_t target_bytes(uint32_t target_count) {
  return (size_t)target_count * sizeof(struct asz_target_stats);
}
static size_t cells_bytes(uint32_t target_count, uint32_t cell_count) {
  return (size_t)target_count * cell_count * sizeof(uint16_t);
}
static size_t ipdv_bytes(uint32_t target_count) {
  return (size_t)target_count * sizeof(struct asz_ipdv);
}

size_t asz_stats_footprint(uint32_t target_count, uint32_t cell_count, bool pairs) {
  if (target_count < 1 || target_count > TARGETS_MAX || !asz_sketch_cells_ok(cell_count))
    return 0;
  return sizeof(struct asz_stats) + target_bytes(target_count) + cells_bytes(target_count, cell_count) +
         (pairs ? ipdv_bytes(target_count) : 0);
}

int asz_stats_new(struct asz_stats **ret_stats, uint32_t target_count, uint32_t cell_count) {
  if (asz_stats_footprint(target_count, cell_count, false) == 0)
    return ASZ_EINVAL;
  asz_sketch_init();
  struct asz_stats *stats = calloc(1, sizeof *stats);
  if (stats == NULL)
    return ASZ_ENOMEM;
  void *target = NULL, *cell = NULL;
  stats->target_count = target_count;
  stats->cell_count = cell_count;
  int err = asz_bigmem_new(&target, target_bytes(target_count), -1);
  if (err == 0)
    err = asz_bigmem_new(&cell, cells_bytes(target_count, cell_count), -1);
  stats->target = target;
  stats->cell = cell;
  if (err != 0) {
    asz_stats_free(stats);
    return err;
  }
  *ret_stats = stats;
  return 0;
}

int asz_stats_pairs(struct asz_stats *stats) {
  assert(stats->ipdv == NULL);
  void *ipdv = NULL;
  int err = asz_bigmem_new(&ipdv, ipdv_bytes(stats->target_count), -1);
  stats->ipdv = ipdv;
  return err;
}

void asz_stats_clear(struct asz_stats *stats) {
  struct asz_stats kept = {.target_count = stats->target_count,
                           .cell_count = stats->cell_count,
                           .target = stats->target,
                           .cell = stats->cell,
                           .ipdv = stats->ipdv};
  memset(stats->target, 0, target_bytes(stats->target_count));
  memset(stats->cell, 0, cells_bytes(stats->target_count, stats->cell_count));
  if (stats->ipdv != NULL)
    memset(stats->ipdv, 0, ipdv_bytes(stats->target_count));
  *stats = kept;
}

void asz_stats_free(struct asz_stats *stats) {
  if (stats == NULL)
    return;
  asz_bigmem_free(stats->target, target_bytes(stats->target_count));
  asz_bigmem_free(stats->cell, cells_bytes(stats->target_count, stats->cell_count));
  asz_bigmem_free(stats->ipdv, ipdv_bytes(stats->target_count));
  free(stats);
}

void asz_stats_aim(struct asz_stats *stats, const struct asz_target *target) {
  for (uint32_t i = 0; i < stats->target_count; i++) {
    stats->target[i].port = target[i].port;
    stats->target[i].probe = target[i].probe;
    stats->target[i].flags = target[i].flags;
  }
}

uint64_t asz_stats_error_ns(const struct asz_stats *stats, uint32_t index) {
  uint8_t waited = stats->target[index].waited;
  return waited == 0 ? 0 : asz_bound_ns(waited) + stats->send_error_ns;
}

struct asz_sketch asz_stats_sketch(const struct asz_stats *stats, uint32_t index) {
  const struct asz_target_stats *t = &stats->target[index];
  return (struct asz_sketch){
      .cell = stats->cell + (size_t)index * stats->cell_count,
      .cell_count = stats->cell_count,
      .bin_min = (uint16_t)asz_sketch_bin(t->rtt_min_ns),
      .bin_max = (uint16_t)asz_sketch_bin(t->rtt_max_ns),
      .level = t->sketch_level,
      .some = t->rtt_max_ns != 0,
  };
}

/* By words of 64 bits, which no lcore writes by halves. */
static void words_copy(void *to, const void *from, size_t size_bytes) {
  const uint64_t *source = from;
  for (size_t i = 0; i < size_bytes / sizeof *source; i++) {
    uint64_t word = __atomic_load_n(&source[i], __ATOMIC_RELAXED);
    memcpy((uint8_t *)to + i * sizeof word, &word, sizeof word);
  }
}

void asz_stats_peek(const struct asz_stats *stats, uint32_t index, struct asz_target_stats *ret_target, uint16_t *ret_cell) {
  const struct asz_target_stats *target = &stats->target[index];
  uint8_t before, after;
  do {
    before = __atomic_load_n(&target->stretches, __ATOMIC_ACQUIRE);
    words_copy(ret_target, target, sizeof *target);
    words_copy(ret_cell, stats->cell + (size_t)index * stats->cell_count, stats->cell_count * sizeof *stats->cell);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    after = __atomic_load_n(&target->stretches, __ATOMIC_RELAXED);
  } while (before != after || (before & 1) != 0);
}

/* The last, partial round of a shard is walked. */
static void shard_sent(const struct asz_plan *plan, const struct asz_shard *shard, uint64_t scheduled, uint32_t *ret_sent) {
  uint32_t span = asz_sched_span(shard, plan->rate_pps, plan->target_count, plan->pair_gap_ns);
  uint64_t round_probes = asz_sched_round_probes(shard, span);
  uint32_t rounds = (uint32_t)(scheduled / round_probes), each = rounds << (span > 0);
  struct asz_sched sched;
  asz_sched_init(&sched, shard, span, plan->secret, rounds);
  for (uint32_t i = 0; i < shard->count; i++)
    ret_sent[shard->first + i] = each;
  uint32_t target[WALK], seq[WALK];
  for (uint32_t rest = (uint32_t)(scheduled % round_probes), size; rest > 0; rest -= size) {
    size = rest < WALK ? rest : WALK;
    asz_sched_next(&sched, target, seq, size);
    for (uint32_t i = 0; i < size; i++)
      ret_sent[target[i]]++;
  }
}

void asz_engine_sent(const struct asz_plan *plan, const struct asz_stats *stats, uint32_t *ret_sent) {
  for (uint32_t s = 0; s < stats->shard_count; s++) {
    struct asz_shard shard = asz_shard_of(s, stats->shard_count, plan->target_count);
    if (shard.count > 0)
      shard_sent(plan, &shard, stats->shard_scheduled[s], ret_sent);
  }
  for (uint32_t i = 0; i < plan->target_count; i++)
    ret_sent[i] -= stats->target[i].unjudged;
}
