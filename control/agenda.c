/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted by (cluster, rank), where the lone are cluster 0 and so in front; groups are cut off that order; then the groups are
 * sorted by their moment. A group of 3 or 65 exists where one would have stayed behind. */
#include "control/agenda.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/sketch.h"

enum { NS_A_MS = 1000000, PAIR = 2 };

struct mark {
  uint64_t cluster; /* 0: alone, by this slot's criterion */
  uint64_t rank, when;
  uint32_t index;
};

uint64_t asz_agenda_bytes(uint32_t count) {
  return (uint64_t)count * sizeof(struct mark);
}

static int by_value(uint64_t a, uint64_t b) {
  return (a > b) - (a < b);
}

static int by_cluster(const void *left, const void *right) {
  const struct mark *a = left, *b = right;
  int order = by_value(a->cluster, b->cluster);
  return order ? order : by_value(a->rank, b->rank);
}

int asz_agenda_by_due(const void *left, const void *right) {
  const struct asz_agenda_entry *a = left, *b = right;
  int order = by_value(a->due_ns, b->due_ns);
  if (!order)
    order = by_value(a->group, b->group);
  return order ? order : by_value(a->index, b->index); /* no two are equal, so any qsort gives the same order */
}

static uint64_t cluster_of(const struct asz_agenda_member *member, unsigned criterion, const uint8_t key[32]) {
  if (criterion != ASZ_AGENDA_BY_RTT)
    return member->cluster[criterion];
  if (member->rtt_ns == 0)
    return 0;
  return 1 + (asz_sketch_bin(member->rtt_ns) + key[17] % ASZ_AGENDA_RTT_BINS) / ASZ_AGENDA_RTT_BINS;
}

static void mark_all(struct mark *mark, const struct asz_agenda_member *member, uint32_t count, const uint8_t key[32]) {
  unsigned criterion = key[16] % ASZ_AGENDA_CRITERIA;
  for (uint32_t i = 0; i < count; i++) {
    uint8_t name[32 + 4];
    uint64_t hash[2];
    memcpy(name, member[i].public_key, 32);
    asz_be32_store(name + 32, member[i].device);
    crypto_shorthash_siphashx24((uint8_t *)hash, name, sizeof name, key);
    mark[i] = (struct mark){
        .cluster = cluster_of(&member[i], criterion, key), .rank = hash[0], .when = hash[1], .index = member[i].index};
  }
}

/* Who has no other of his cluster is alone; those come first, in order of rank. Returns how many. */
static uint32_t loners_first(struct mark *mark, uint32_t count) {
  qsort(mark, count, sizeof *mark, by_cluster);
  uint32_t alone = 0;
  for (uint32_t i = 0; i < count; i++) {
    bool with_last = i > 0 && mark[i - 1].cluster == mark[i].cluster;
    bool with_next = i + 1 < count && mark[i + 1].cluster == mark[i].cluster;
    if (mark[i].cluster == 0 || (!with_last && !with_next)) {
      mark[i].cluster = 0; /* no neighbour's comparison changes: it had none of its kind beside it */
      alone++;
    }
  }
  qsort(mark, count, sizeof *mark, by_cluster);
  return alone;
}

/* How many of the `left` that belong together the next group takes. */
static uint32_t group_size(uint32_t left, uint32_t most) {
  return left <= most + 1 ? left : most; /* nobody stays behind alone */
}

static uint64_t due_of(const struct mark *first, uint64_t window_ns) {
  uint64_t window_ms = window_ns / NS_A_MS;
  return (uint64_t)((unsigned __int128)first->when * window_ms >> 64) * NS_A_MS;
}

/* Cuts marks first..end-1, which belong together, into groups. */
static uint32_t cut(struct asz_agenda_entry *ret_entry, const struct mark *mark, uint32_t first, uint32_t end, uint32_t most,
                    uint32_t group, uint64_t window_ns) {
  while (first < end) {
    uint32_t size = group_size(end - first, most);
    uint64_t due_ns = due_of(&mark[first], window_ns);
    for (uint32_t i = first; i < first + size; i++)
      ret_entry[i] = (struct asz_agenda_entry){.due_ns = due_ns, .index = mark[i].index, .group = group};
    first += size;
    group++;
  }
  return group;
}

static void count_groups(struct asz_agenda_entry *entry, uint32_t count) {
  uint32_t group = 0, before = count > 0 ? entry[0].group : 0;
  for (uint32_t i = 0; i < count; i++) {
    if (entry[i].group != before)
      group++;
    before = entry[i].group;
    entry[i].group = group;
  }
}

void asz_agenda_make(struct asz_agenda_entry *ret_entry, const struct asz_agenda_member *member, uint32_t count,
                     const uint8_t secret[32], uint8_t kind, uint64_t slot, uint64_t window_ns, void *scratch) {
  struct mark *mark = scratch;
  uint8_t key[32], slot_be[8];
  asz_be64_store(slot_be, slot);
  const struct asz_hash_part parts[] = {ASZ_HASH_TEXT("assize/1/agenda"), {&kind, 1}, {slot_be, sizeof slot_be}};
  asz_hash(key, secret, 32, parts, sizeof parts / sizeof parts[0]);
  mark_all(mark, member, count, key);
  uint32_t first = loners_first(mark, count);
  uint32_t group = cut(ret_entry, mark, 0, first, PAIR, 0, window_ns);
  while (first < count) {
    uint32_t end = first + 1;
    while (end < count && mark[end].cluster == mark[first].cluster)
      end++;
    group = cut(ret_entry, mark, first, end, ASZ_AGENDA_GROUP_MAX, group, window_ns);
    first = end;
  }
  qsort(ret_entry, count, sizeof *ret_entry, asz_agenda_by_due);
  count_groups(ret_entry, count);
}
