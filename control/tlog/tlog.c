/* SPDX-License-Identifier: Apache-2.0 */
/* The log's writer.
 *
 * In memory: the edge of the published tree, and `framed`, the entries of the unfinished bundle as they lie on disk with the
 * queued ones framed behind them. So a publish only cuts that buffer into bundles; it writes each bundle and tile that changed,
 * waits until they are durable, then signs and writes the checkpoint, and only after that takes over the new edge. Whatever fails
 * before leaves the published state as it was, in memory and for every reader: new full tiles lie where no reader of the old
 * checkpoint looks, new partial ones have another width in their name. Publishing costs the new entries and at most one tile a
 * level; the size of the log does not matter.
 *
 * Opening believes the signed checkpoint and nothing else: the unfinished tiles must hash to its root, and the unfinished bundle
 * to its tile. */
#include "control/tlog/tlog.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/tlog/edge.h"
#include "control/tlog/logfile.h"
#include "control/tlog/note.h"
#include "control/tlog/reader.h"
#include "dataplane/base/bytes.h"

/* 256 MiB may wait for a publish: 4,096 of the largest entries, a million of ours. */
enum { QUEUE_MAX_BYTES = 256 << 20 };

struct asz_tlog {
  int dir_fd, lock_fd;
  struct asz_identity key;
  struct asz_checkpoint head; /* published */
  char *note;                 /* published */
  struct asz_edge edge;       /* published */
  struct asz_edge next;       /* of the publish in progress */
  uint8_t *framed;            /* entries from index head.tree_size rounded down to 256: published, then queued */
  size_t framed_bytes, framed_capacity;
  uint64_t queued;
  struct asz_logfile_batch batch; /* files of the publish in progress */
  struct asz_diag *diag;          /* of the publish in progress */
};

static int take_lock(int dir_fd, const char *dir, int *ret_fd, struct asz_diag *diag) {
  int err = asz_logfile_lock(dir_fd, ".lock", false, ret_fd, diag);
  return err == ASZ_EAGAIN ? asz_diag_set(diag, err, "%s: another process writes this log", dir) : err;
}

/* Signs head and makes it the checkpoint; *ret_note is heap. */
static int publish_checkpoint(int dir_fd, const struct asz_checkpoint *head, const struct asz_identity *key, char **ret_note,
                              struct asz_diag *diag) {
  char text[ASZ_TLOG_CHECKPOINT_MAX];
  int size = asz_checkpoint_sign(text, sizeof text, head, key);
  if (size < 0)
    return asz_diag_set(diag, size, "checkpoint: %s", asz_err_str(size));
  char *note = strdup(text);
  if (!note)
    return asz_diag_set(diag, ASZ_ENOMEM, "checkpoint: %s", asz_err_str(ASZ_ENOMEM));
  int lock_fd = -1;
  int err = asz_logfile_lock(dir_fd, ASZ_LOG_CHECKPOINT_LOCK, true, &lock_fd, diag); /* held by asz_tlog_cosign for one write */
  if (!err) {
    err = asz_logfile_replace(dir_fd, "checkpoint", note, (size_t)size, diag);
    close(lock_fd);
  }
  if (err)
    free(note);
  else
    *ret_note = note;
  return err;
}

int asz_tlog_create(const char *dir, const char *origin, const struct asz_identity *key, struct asz_diag *diag) {
  struct asz_checkpoint empty = {.tree_size = 0};
  if (!asz_key_name_ok(origin, strlen(origin)))
    return asz_diag_set(diag, ASZ_EINVAL, "log origin: expected 1 to %d bytes without spaces, '+' or control characters",
                        ASZ_TLOG_ORIGIN_MAX);
  memcpy(empty.origin, origin, strlen(origin) + 1);
  asz_tlog_tree_hash(empty.root, NULL, 0);
  if (mkdir(dir, 0755) != 0 && errno != EEXIST)
    return asz_diag_set(diag, ASZ_EIO, "%s: %s", dir, strerror(errno));
  int dir_fd, lock_fd;
  int err = asz_log_dir_open(dir, &dir_fd, diag);
  if (err)
    return err;
  err = take_lock(dir_fd, dir, &lock_fd, diag);
  if (err)
    goto close_dir;
  if (faccessat(dir_fd, "checkpoint", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    err = asz_diag_set(diag, ASZ_EEXIST, "%s: there is a log already", dir);
  char *note = NULL;
  if (!err)
    err = publish_checkpoint(dir_fd, &empty, key, &note, diag);
  free(note);
  close(lock_fd);
close_dir:
  close(dir_fd);
  return err;
}

/* Reads the unfinished tiles of the published tree and compares the root that they give with the checkpoint's. */
static int load_edge(struct asz_tlog *log, struct asz_diag *diag) {
  uint64_t size = log->edge.size = log->head.tree_size;
  for (int level = 0; level < ASZ_TILE_LEVELS; level++) {
    struct asz_tile tile = asz_tile_at(size, level, size >> (8 * level) >> 8);
    int err = tile.width ? asz_tile_read_hashes(log->dir_fd, &tile, log->edge.tile[level], diag) : 0;
    if (err)
      return err;
  }
  uint8_t root[32];
  asz_edge_root(&log->edge, root);
  if (memcmp(root, log->head.root, 32) != 0)
    return asz_diag_set(diag, ASZ_EAUTH, "checkpoint: its root is not that of the tiles at size %llu", (unsigned long long)size);
  return 0;
}

static int load_unfinished_bundle(struct asz_tlog *log, struct asz_diag *diag) {
  struct asz_tile tile = asz_tile_at(log->head.tree_size, ASZ_TILE_ENTRIES, log->head.tree_size >> 8);
  if (!tile.width)
    return 0;
  int err = asz_tile_read_entries(log->dir_fd, &tile, &log->framed, &log->framed_bytes, diag);
  if (err)
    return err;
  log->framed_capacity = log->framed_bytes;
  size_t at = 0, entry_bytes;
  for (unsigned i = 0; i < tile.width; i++) {
    const uint8_t *entry;
    uint8_t hash[32];
    err = asz_entries_next(log->framed, log->framed_bytes, &at, &entry, &entry_bytes);
    assert(err == 0);
    asz_tlog_leaf_hash(hash, entry, entry_bytes);
    if (memcmp(hash, log->edge.tile[0][i], 32) != 0)
      return asz_diag_set(diag, ASZ_EAUTH, "entry %llu does not have the hash that its tile says",
                          (unsigned long long)(log->head.tree_size - tile.width + i));
  }
  return 0;
}

int asz_tlog_open(struct asz_tlog **ret_log, const char *dir, const struct asz_identity *key, struct asz_diag *diag) {
  struct asz_tlog *log = calloc(1, sizeof *log);
  if (!log)
    return asz_diag_set(diag, ASZ_ENOMEM, "%s: no memory to open the log", dir);
  log->dir_fd = log->lock_fd = -1;
  log->key = *key;
  int err = asz_log_dir_open(dir, &log->dir_fd, diag);
  if (!err)
    err = take_lock(log->dir_fd, dir, &log->lock_fd, diag);
  if (!err)
    err = asz_log_checkpoint_read(log->dir_fd, key->public_key, &log->note, &log->head, diag);
  if (!err)
    err = asz_checkpoint_own(log->note, key->public_key, diag);
  if (!err)
    err = load_edge(log, diag);
  if (!err)
    err = load_unfinished_bundle(log, diag);
  if (err)
    asz_tlog_close(log);
  else
    *ret_log = log;
  return err;
}

void asz_tlog_close(struct asz_tlog *log) {
  if (!log)
    return;
  if (log->lock_fd >= 0)
    close(log->lock_fd);
  if (log->dir_fd >= 0)
    close(log->dir_fd);
  asz_identity_wipe(&log->key);
  free(log->note);
  free(log->framed);
  free(log);
}

int asz_tlog_append(struct asz_tlog *log, const void *entry, size_t size_bytes, uint64_t *ret_index) {
  assert(size_bytes >= 1 && size_bytes <= ASZ_TLOG_ENTRY_MAX);
  size_t needed = log->framed_bytes + 2 + size_bytes;
  if (needed > QUEUE_MAX_BYTES)
    return ASZ_ETOOBIG;
  if (needed > log->framed_capacity) {
    size_t capacity = needed < 4096 ? 8192 : 2 * needed;
    uint8_t *grown = realloc(log->framed, capacity);
    if (!grown)
      return ASZ_ENOMEM;
    log->framed = grown;
    log->framed_capacity = capacity;
  }
  asz_be16_store(log->framed + log->framed_bytes, (uint16_t)size_bytes);
  memcpy(log->framed + log->framed_bytes + 2, entry, size_bytes);
  log->framed_bytes = needed;
  *ret_index = log->head.tree_size + log->queued++;
  return 0;
}

static int write_full_tile(void *context, unsigned level, uint64_t index, const uint8_t (*hash)[32]) {
  struct asz_tlog *log = context;
  struct asz_tile tile = {.level = (int)level, .index = index, .width = ASZ_TILE_WIDTH};
  char path[ASZ_TILE_PATH_MAX];
  asz_tile_path(path, &tile);
  return asz_logfile_batch_write(&log->batch, path, hash, ASZ_TILE_BYTES, log->diag);
}

static int write_bundle(struct asz_tlog *log, uint64_t tree_size, size_t first, size_t end) {
  struct asz_tile tile = asz_tile_at(tree_size, ASZ_TILE_ENTRIES, (tree_size - 1) >> 8);
  char path[ASZ_TILE_PATH_MAX];
  asz_tile_path(path, &tile);
  return asz_logfile_batch_write(&log->batch, path, log->framed + first, end - first, log->diag);
}

/* Writes bundles and full tiles of all queued entries into log->next; *ret_tail is where the last, unfinished bundle starts. */
static int write_entries(struct asz_tlog *log, size_t *ret_tail) {
  unsigned skip = asz_edge_width(log->edge.size, 0); /* published entries at the buffer's start */
  size_t at = 0, first = 0;
  for (uint64_t i = 0; i < skip + log->queued; i++) {
    const uint8_t *entry;
    size_t entry_bytes;
    int err = asz_entries_next(log->framed, log->framed_bytes, &at, &entry, &entry_bytes);
    assert(err == 0);
    if (i < skip)
      continue;
    uint8_t hash[32];
    asz_tlog_leaf_hash(hash, entry, entry_bytes);
    err = asz_edge_push(&log->next, hash, write_full_tile, log);
    if (!err && asz_edge_width(log->next.size, 0) == 0) {
      err = write_bundle(log, log->next.size, first, at);
      first = at;
    }
    if (err)
      return err;
  }
  *ret_tail = first;
  return first < at ? write_bundle(log, log->next.size, first, at) : 0;
}

/* The unfinished tiles that the new entries changed. */
static int write_partial_tiles(struct asz_tlog *log) {
  for (int level = 0; level < ASZ_TILE_LEVELS; level++) {
    uint64_t before = log->edge.size >> (8 * level), now = log->next.size >> (8 * level);
    struct asz_tile tile = asz_tile_at(log->next.size, level, now >> 8);
    if (before == now || !tile.width)
      continue;
    char path[ASZ_TILE_PATH_MAX];
    asz_tile_path(path, &tile);
    int err = asz_logfile_batch_write(&log->batch, path, log->next.tile[level], (size_t)tile.width * 32, log->diag);
    if (err)
      return err;
  }
  return 0;
}

static void drop_superseded(const struct asz_tlog *log, uint64_t before, uint64_t now) {
  for (int level = ASZ_TILE_ENTRIES; level < ASZ_TILE_LEVELS; level++) {
    uint64_t index = asz_tile_at(before, level, 0).width ? before >> (level > 0 ? 8 * level : 0) >> 8 : 0;
    if (asz_tile_at(before, level, index).width && asz_tile_at(now, level, index).width == ASZ_TILE_WIDTH)
      asz_tile_drop_partials(log->dir_fd, level, index);
  }
}

int asz_tlog_publish(struct asz_tlog *log, struct asz_diag *diag) {
  if (log->queued == 0)
    return 0;
  struct asz_checkpoint head = log->head;
  size_t tail;
  char *note;
  log->next = log->edge;
  log->diag = diag;
  log->batch.dir_fd = log->dir_fd;
  int err = write_entries(log, &tail);
  if (!err)
    err = write_partial_tiles(log);
  if (!err)
    err = asz_logfile_batch_flush(&log->batch, diag);
  asz_logfile_batch_drop(&log->batch);
  if (err)
    return err;
  head.tree_size = log->next.size;
  asz_edge_root(&log->next, head.root);
  err = publish_checkpoint(log->dir_fd, &head, &log->key, &note, diag);
  if (err)
    return err;
  uint64_t before = log->edge.size;
  free(log->note);
  log->note = note;
  log->head = head;
  log->edge = log->next;
  log->queued = 0;
  log->framed_bytes -= tail;
  memmove(log->framed, log->framed + tail, log->framed_bytes);
  drop_superseded(log, before, head.tree_size);
  return 0;
}

uint64_t asz_tlog_size(const struct asz_tlog *log) {
  return log->head.tree_size;
}

const char *asz_tlog_checkpoint(const struct asz_tlog *log) {
  return log->note;
}

void asz_tlog_root(const struct asz_tlog *log, uint8_t ret_root[32]) {
  memcpy(ret_root, log->head.root, 32);
}

int asz_tlog_prove(struct asz_tlog *log, uint64_t index, uint8_t (*ret_path)[32], size_t *ret_count, struct asz_diag *diag) {
  return asz_log_prove(log->dir_fd, &log->head, index, ret_path, ret_count, diag);
}
