/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "control/snapshot_internal.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/durable.h"
#include "dataplane/base/hash.h"

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(((struct asz_snapshot_writer *)0)->mac_state), "it has room");

void asz_snapshot_key(uint8_t ret_key[ASZ_SNAPSHOT_KEY_BYTES], const struct asz_identity *validator) {
  const struct asz_hash_part part[] = {ASZ_HASH_TEXT("assize/1/snapshot"), {validator->secret_key, 32}};
  asz_hash(ret_key, NULL, 0, part, sizeof part / sizeof part[0]);
}

static crypto_generichash_state *mac_of(struct asz_snapshot_writer *w) {
  return (crypto_generichash_state *)(void *)w->mac_state;
}

void asz_snapshot_abandon(struct asz_snapshot_writer *w) {
  if (!w->out)
    return;
  fclose(w->out);
  w->out = NULL;
  unlink(w->part);
}

static int fail(struct asz_snapshot_writer *w, struct asz_diag *diag) {
  int error_number = errno;
  asz_snapshot_abandon(w);
  return asz_diag_set(diag, asz_errno_err(error_number), "%.512s: cannot write: %s", w->path, strerror(error_number));
}

static int put(struct asz_snapshot_writer *w, const void *bytes, size_t size_bytes, struct asz_diag *diag) {
  crypto_generichash_update(mac_of(w), bytes, size_bytes);
  return fwrite(bytes, 1, size_bytes, w->out) == size_bytes ? 0 : fail(w, diag);
}

static void head_write(uint8_t *to, const struct asz_snapshot_head *head) {
  memcpy(to, ASZ_SNAPSHOT_MAGIC, 8);
  asz_be32_store(to + 8, ASZ_SNAPSHOT_VERSION);
  asz_be32_store(to + 12, head->epoch);
  asz_be64_store(to + 16, head->opened_ns);
  asz_be64_store(to + 24, head->open_index);
  memcpy(to + 32, head->secret, 32);
  memcpy(to + 64, head->beacon, 32);
  memcpy(to + 96, head->params_hash, 32);
  memcpy(to + 128, head->root, 32);
  asz_be32_store(to + 160, head->target_count);
  asz_be32_store(to + 164, head->cell_count);
  asz_be64_store(to + 168, head->keep_bytes);
}

int asz_snapshot_begin(struct asz_snapshot_writer *w, const char *path, const uint8_t key[ASZ_SNAPSHOT_KEY_BYTES],
                       const struct asz_snapshot_head *head, const uint8_t *keep, struct asz_diag *diag) {
  assert(!w->out);
  uint8_t bytes[ASZ_SNAPSHOT_HEAD_BYTES];
  snprintf(w->path, sizeof w->path, "%s", path);
  snprintf(w->part, sizeof w->part, "%s.part", w->path);
  w->head = *head;
  w->target_next = 0;
  int fd = open(w->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail(w, diag);
  w->out = fdopen(fd, "w");
  if (!w->out) {
    close(fd);
    unlink(w->part);
    return asz_diag_set(diag, ASZ_ENOMEM, "%.512s: no memory to write it", w->path);
  }
  crypto_generichash_init(mac_of(w), key, ASZ_SNAPSHOT_KEY_BYTES, ASZ_SNAPSHOT_MAC_BYTES);
  head_write(bytes, head);
  int err = put(w, bytes, sizeof bytes, diag);
  sodium_memzero(bytes, sizeof bytes);
  return err ? err : put(w, keep, head->keep_bytes, diag);
}

/* A first reply may have been seen and not yet be in its cell: then there is no RTT. Returns the record's size. */
static size_t target_write(uint8_t *to, const struct asz_target_stats *t, const uint16_t *cell, uint32_t cell_count) {
  uint8_t *at = to + ASZ_SNAPSHOT_LINE_BYTES;
  uint16_t used = 0;
  for (uint32_t i = 0; i < cell_count; i++) {
    if (cell[i] == 0)
      continue;
    asz_be16_store(at, (uint16_t)i);
    asz_be16_store(at + 2, cell[i]);
    at += ASZ_SNAPSHOT_CELL_BYTES;
    used++;
  }
  asz_be64_store(to, t->slots_up);
  asz_be32_store(to + 8, used ? t->rtt_min_ns : 0);
  asz_be32_store(to + 12, used ? t->rtt_max_ns : 0);
  asz_be64_store(to + 16, used ? t->rtt_sum_ns : 0);
  uint8_t *count = to + 24;
#define ASZ_SNAPSHOT_COUNT_WRITE(field) asz_be16_store(count, t->field), count += 2;
  ASZ_SNAPSHOT_COUNT_LIST(ASZ_SNAPSHOT_COUNT_WRITE)
#undef ASZ_SNAPSHOT_COUNT_WRITE
  count[0] = used ? t->sketch_level : 0;
  count[1] = t->denied;
  asz_be16_store(count + 2, used);
  return (size_t)(at - to);
}

int asz_snapshot_targets(struct asz_snapshot_writer *w, const struct asz_stats *stats, uint32_t count, struct asz_diag *diag) {
  uint8_t bytes[ASZ_SNAPSHOT_LINE_BYTES + ASZ_SNAPSHOT_CELL_BYTES * ASZ_SKETCH_CELLS_MAX];
  uint16_t cell[ASZ_SKETCH_CELLS_MAX];
  struct asz_target_stats target;
  assert(w->out && stats->target_count == w->head.target_count && stats->cell_count == w->head.cell_count);
  for (uint32_t n = 0; n < count && w->target_next < stats->target_count; n++, w->target_next++) {
    asz_stats_peek(stats, w->target_next, &target, cell);
    int err = put(w, bytes, target_write(bytes, &target, cell, stats->cell_count), diag);
    if (err)
      return err;
  }
  return 0;
}

static void tail_write(uint8_t *to, const struct asz_snapshot_tail *tail) {
  const uint64_t word[] = {tail->at_ns,
                           tail->sent,
                           tail->slots_whole,
                           tail->start_realtime_ns,
                           tail->slots_unjudged,
                           tail->slots_no_gateway[ASZ_FAMILY_IPV4],
                           tail->slots_no_gateway[ASZ_FAMILY_IPV6],
                           tail->rtt_error_ns,
                           tail->late_ns_max,
                           tail->shard_count,
                           ASZ_FAULT_COUNT};
  for (size_t i = 0; i < sizeof word / sizeof word[0]; i++, to += 8)
    asz_be64_store(to, word[i]);
  for (unsigned i = 0; i < ASZ_ENGINE_LCORES_MAX; i++, to += 16) {
    asz_be64_store(to, tail->settled[i]);
    asz_be64_store(to + 8, tail->scheduled[i]);
  }
  for (unsigned i = 0; i < ASZ_FAULT_COUNT; i++, to += 8)
    asz_be64_store(to, tail->faults.count[i]);
}

int asz_snapshot_finish(struct asz_snapshot_writer *w, const struct asz_snapshot_tail *tail, struct asz_diag *diag) {
  uint8_t bytes[ASZ_SNAPSHOT_TAIL_BYTES], mac[ASZ_SNAPSHOT_MAC_BYTES];
  assert(w->out && w->target_next == w->head.target_count);
  tail_write(bytes, tail);
  int err = put(w, bytes, sizeof bytes, diag);
  if (err)
    return err;
  crypto_generichash_final(mac_of(w), mac, sizeof mac);
  if (fwrite(mac, 1, sizeof mac, w->out) != sizeof mac || fflush(w->out) != 0 || fsync(fileno(w->out)) != 0)
    return fail(w, diag);
  FILE *out = w->out;
  w->out = NULL;
  if (fclose(out) != 0 || rename(w->part, w->path) != 0 || asz_sync_parent(w->path) != 0) {
    int error_number = errno;
    unlink(w->part);
    return asz_diag_set(diag, asz_errno_err(error_number), "%.512s: cannot write: %s", w->path, strerror(error_number));
  }
  return 0;
}
