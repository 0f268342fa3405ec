/* SPDX-License-Identifier: Apache-2.0 */
/* The check of everything.
 *
 * asz_log_verify believes no tile. It hashes the entries themselves into an edge of its own, and each time a tile of that edge is
 * full compares it with the file; so every byte that a client may be served is compared with what the entries say, in one pass
 * over the log and 64 KiB of memory. On its way the edge has every earlier size once, so that an earlier checkpoint is compared
 * without any proof.
 *
 * asz_tlog_fsck then looks at what else lies there: partial tiles of earlier sizes must start the tiles that replaced them; what
 * no checkpoint covers is what a crash leaves, is counted, and harms nobody. */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/tlog/edge.h"
#include "control/tlog/reader.h"

/* What asz_tlog_verify compares: the tile that the entries give against the one that is served. */
static int compare_tile(int dir_fd, const struct asz_tile *tile, const uint8_t (*expected)[32], struct asz_diag *diag) {
  uint8_t hash[ASZ_TILE_WIDTH][32];
  int err = asz_tile_read_hashes(dir_fd, tile, hash, diag);
  if (err || memcmp(hash, expected, (size_t)tile->width * 32) == 0)
    return err;
  char path[ASZ_TILE_PATH_MAX];
  asz_tile_path(path, tile);
  return asz_diag_set(diag, ASZ_EAUTH, "%s: does not hold the hashes of the entries below it", path);
}

struct verify {
  int dir_fd;
  const struct asz_checkpoint *known; /* NULL: none */
  struct asz_diag *diag;
};

static int compare_full(void *context, unsigned level, uint64_t index, const uint8_t (*hash)[32]) {
  const struct verify *verify = context;
  struct asz_tile tile = {.level = (int)level, .index = index, .width = ASZ_TILE_WIDTH};
  return compare_tile(verify->dir_fd, &tile, hash, verify->diag);
}

/* The tree so far against the known checkpoint, when it has its size. */
static int compare_known(const struct verify *verify, const struct asz_edge *edge) {
  uint8_t root[32];
  if (!verify->known || verify->known->tree_size != edge->size)
    return 0;
  asz_edge_root(edge, root);
  if (memcmp(root, verify->known->root, 32) == 0)
    return 0;
  return asz_diag_set(verify->diag, ASZ_EAUTH, "the log's first %llu entries are not those of the known checkpoint",
                      (unsigned long long)edge->size);
}

/* Hashes the entries of one bundle into the edge. */
static int push_bundle(struct verify *verify, struct asz_edge *edge, const struct asz_tile *tile) {
  uint8_t *bundle;
  size_t bundle_bytes, at = 0, entry_bytes;
  int err = asz_tile_read_entries(verify->dir_fd, tile, &bundle, &bundle_bytes, verify->diag);
  if (err)
    return err;
  for (unsigned i = 0; !err && i < tile->width; i++) {
    const uint8_t *entry;
    uint8_t hash[32];
    err = asz_entries_next(bundle, bundle_bytes, &at, &entry, &entry_bytes);
    if (err)
      break;
    asz_tlog_leaf_hash(hash, entry, entry_bytes);
    err = asz_edge_push(edge, hash, compare_full, verify);
    if (!err)
      err = compare_known(verify, edge);
  }
  free(bundle);
  return err;
}

static int verify_tree(struct verify *verify, struct asz_edge *edge, const struct asz_checkpoint *head) {
  if (verify->known && verify->known->tree_size > head->tree_size)
    return asz_diag_set(verify->diag, ASZ_EAUTH, "the log has %llu entries, fewer than the known checkpoint's %llu",
                        (unsigned long long)head->tree_size, (unsigned long long)verify->known->tree_size);
  int first = compare_known(verify, edge); /* the empty tree */
  if (first)
    return first;
  while (edge->size < head->tree_size) {
    struct asz_tile tile = asz_tile_at(head->tree_size, ASZ_TILE_ENTRIES, edge->size >> 8);
    int err = push_bundle(verify, edge, &tile);
    if (err)
      return err;
  }
  for (unsigned level = 0; level < ASZ_TILE_LEVELS; level++) {
    struct asz_tile tile = asz_tile_at(edge->size, (int)level, edge->size >> (8 * level) >> 8);
    int err = tile.width ? compare_tile(verify->dir_fd, &tile, (const uint8_t(*)[32])edge->tile[level], verify->diag) : 0;
    if (err)
      return err;
  }
  uint8_t root[32];
  asz_edge_root(edge, root);
  if (memcmp(root, head->root, 32) != 0)
    return asz_diag_set(verify->diag, ASZ_EAUTH, "checkpoint: its root is not that of the %llu entries",
                        (unsigned long long)head->tree_size);
  return 0;
}

int asz_log_verify(int dir_fd, const struct asz_checkpoint *head, const struct asz_checkpoint *known, struct asz_diag *diag) {
  struct verify verify = {.dir_fd = dir_fd, .known = known, .diag = diag};
  struct asz_edge *edge = calloc(1, sizeof *edge);
  if (!edge)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory to verify the log");
  int err = verify_tree(&verify, edge, head);
  free(edge);
  return err;
}

int asz_tlog_verify(const char *dir, const uint8_t public_key[32], struct asz_checkpoint *ret_checkpoint, struct asz_diag *diag) {
  struct asz_checkpoint head;
  int dir_fd;
  int err = asz_log_dir_open(dir, &dir_fd, diag);
  if (err)
    return err;
  err = asz_log_checkpoint_read(dir_fd, public_key, NULL, &head, diag);
  if (!err)
    err = asz_log_verify(dir_fd, &head, NULL, diag);
  if (!err)
    *ret_checkpoint = head;
  close(dir_fd);
  return err;
}

/* A partial file of an earlier size: it must be the start of what the tree has in its place now. */
static int compare_earlier(int dir_fd, const struct asz_tile *earlier, const struct asz_tile *now, struct asz_diag *diag) {
  uint8_t hash[ASZ_TILE_WIDTH][32];
  if (earlier->level != ASZ_TILE_ENTRIES) {
    int err = asz_tile_read_hashes(dir_fd, now, hash, diag);
    return err ? err : compare_tile(dir_fd, earlier, (const uint8_t(*)[32])hash, diag);
  }
  uint8_t *old_bundle = NULL, *bundle = NULL;
  size_t old_size, size;
  int err = asz_tile_read_entries(dir_fd, now, &bundle, &size, diag);
  if (!err)
    err = asz_tile_read_entries(dir_fd, earlier, &old_bundle, &old_size, diag);
  if (!err && (old_size > size || memcmp(old_bundle, bundle, old_size) != 0)) {
    char path[ASZ_TILE_PATH_MAX];
    asz_tile_path(path, earlier);
    err = asz_diag_set(diag, ASZ_EAUTH, "%s: does not hold the entries of the log", path);
  }
  free(old_bundle);
  free(bundle);
  return err;
}

/* One file below tile/, whose name starts at `path`. */
static int fsck_file(int dir_fd, const char *path, struct asz_tlog_fsck *report, struct asz_diag *diag) {
  struct asz_tile tile, now = {.width = 0};
  if (asz_tile_parse(&tile, path) == 0)
    now = asz_tile_at(report->head.tree_size, tile.level, tile.index);
  else
    tile.width = ASZ_TILE_WIDTH;
  if (tile.width > now.width) {
    report->leftovers++;
    return 0;
  }
  report->files++;
  return tile.width < now.width ? compare_earlier(dir_fd, &tile, &now, diag) : 0;
}

static int fsck_folder(const char *dir, int dir_fd, struct asz_tlog_fsck *report, struct asz_diag *diag) {
  char root[4096];
  char *const roots[] = {root, NULL};
  int err = 0;
  size_t prefix = strlen(dir) + 1;
  if (prefix + sizeof "tile" > sizeof root)
    return asz_diag_set(diag, ASZ_ETOOBIG, "%s: too long a path", dir);
  memcpy(root, dir, prefix - 1);
  memcpy(root + prefix - 1, "/tile", sizeof "/tile");
  if (report->head.tree_size == 0 && access(root, F_OK) != 0)
    return 0;
  FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
  if (!walk)
    return asz_diag_set(diag, ASZ_EIO, "%s: %s", root, strerror(errno));
  for (FTSENT *file; !err && (file = fts_read(walk));) {
    if (file->fts_info == FTS_D || file->fts_info == FTS_DP)
      continue;
    if (file->fts_info == FTS_F)
      err = fsck_file(dir_fd, file->fts_path + prefix, report, diag);
    else
      err = asz_diag_set(diag, ASZ_EIO, "%s: %s", file->fts_path,
                         file->fts_errno ? strerror(file->fts_errno) : "not a regular file");
  }
  fts_close(walk);
  return err;
}

int asz_tlog_fsck(const char *dir, const uint8_t public_key[32], const struct asz_checkpoint *known,
                  struct asz_tlog_fsck *ret_report, char **ret_note, struct asz_diag *diag) {
  struct asz_tlog_fsck report = {.files = 0};
  char *note = NULL;
  int dir_fd;
  int err = asz_log_dir_open(dir, &dir_fd, diag);
  if (err)
    return err;
  err = asz_log_checkpoint_read(dir_fd, public_key, &note, &report.head, diag);
  if (!err && known && strcmp(known->origin, report.head.origin) != 0)
    err = asz_diag_set(diag, ASZ_EAUTH, "the known checkpoint is of another log, %s", known->origin);
  if (!err)
    err = asz_log_verify(dir_fd, &report.head, known, diag);
  if (!err)
    err = fsck_folder(dir, dir_fd, &report, diag);
  close(dir_fd);
  if (err) {
    free(note);
    return err;
  }
  *ret_report = report;
  *ret_note = note;
  return 0;
}
