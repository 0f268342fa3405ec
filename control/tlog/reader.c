/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a log's directory: single entries, inclusion and consistency proofs.
 *
 * Proofs are built from tiles: a complete subtree of height h lies in the tile of level h / 8 as 2^(h mod 8) neighbouring hashes;
 * the unfinished right side is the fold of such subtrees, largest first. */
#include "control/tlog/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/tlog/logfile.h"
#include "control/tlog/note.h"

int asz_log_dir_open(const char *dir, int *ret_fd, struct asz_diag *diag) {
  int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return asz_diag_set(diag, errno == ENOENT ? ASZ_ENOENT : ASZ_EIO, "%s: no log there: %s", dir, strerror(errno));
  *ret_fd = fd;
  return 0;
}

int asz_log_checkpoint_read(int dir_fd, const uint8_t *public_key, char **ret_note, struct asz_checkpoint *ret_checkpoint,
                            struct asz_diag *diag) {
  uint8_t *note;
  size_t size;
  int err = asz_logfile_read(dir_fd, "checkpoint", ASZ_NOTE_MAX_BYTES, &note, &size, diag);
  if (err)
    return err;
  struct asz_note split;
  if (public_key)
    err = asz_checkpoint_open(ret_checkpoint, (const char *)note, size, public_key, diag);
  else if (!(err = asz_note_split(&split, (const char *)note, size, diag)))
    err = asz_checkpoint_parse(ret_checkpoint, (const char *)note, split.text_bytes, diag);
  if (err || !ret_note)
    free(note);
  else
    *ret_note = (char *)note;
  return err;
}

/* The hash over leaves [first, first + 2^height), first a multiple of 2^height. */
static int subtree_hash(int dir_fd, uint64_t tree_size, uint64_t first, unsigned height, uint8_t ret_hash[32],
                        struct asz_diag *diag) {
  unsigned level = height / 8, count = 1u << (height % 8);
  uint64_t node = first >> (8 * level);
  uint8_t hash[ASZ_TILE_WIDTH][32];
  struct asz_tile tile = asz_tile_at(tree_size, (int)level, node >> 8);
  int err = asz_tile_read_hashes(dir_fd, &tile, hash, diag);
  if (!err)
    asz_tlog_tree_hash(ret_hash, (const uint8_t(*)[32])hash + (node & 255), count);
  return err;
}

/* The hash over leaves [first, end): end - first is a power of two, or end is the tree's end. */
static int range_hash(int dir_fd, uint64_t tree_size, uint64_t first, uint64_t end, uint8_t ret_hash[32], struct asz_diag *diag) {
  uint8_t part[64][32];
  unsigned parts = 0;
  while (first < end) {
    unsigned height = 63 - (unsigned)__builtin_clzll(end - first);
    int err = subtree_hash(dir_fd, tree_size, first, height, part[parts++], diag);
    if (err)
      return err;
    first += UINT64_C(1) << height;
  }
  for (; parts > 1; parts--)
    asz_tlog_node_hash(part[parts - 2], part[parts - 2], part[parts - 1]);
  memcpy(ret_hash, part[0], 32);
  return 0;
}

int asz_log_path(int dir_fd, uint64_t tree_size, uint64_t index, uint8_t (*ret_path)[32], size_t *ret_count,
                 struct asz_diag *diag) {
  uint8_t down[ASZ_TLOG_PROOF_MAX][32];
  size_t depth = 0;
  for (uint64_t first = 0, end = tree_size; end - first > 1;) {
    uint64_t middle = first + (UINT64_C(1) << (63 - __builtin_clzll(end - first - 1)));
    bool left = index < middle;
    int err = range_hash(dir_fd, tree_size, left ? middle : first, left ? end : middle, down[depth++], diag);
    if (err)
      return err;
    *(left ? &end : &first) = middle;
  }
  for (size_t i = 0; i < depth; i++)
    memcpy(ret_path[i], down[depth - 1 - i], 32);
  *ret_count = depth;
  return 0;
}

int asz_log_consistency(int dir_fd, uint64_t old_size, uint64_t tree_size, uint8_t (*ret_path)[32], size_t *ret_count,
                        struct asz_diag *diag) {
  uint8_t down[ASZ_TLOG_PROOF_MAX][32];
  size_t depth = 0;
  uint64_t first = 0, end = tree_size;
  int err = 0;
  while (!err && old_size != 0 && end != old_size) {
    uint64_t middle = first + (UINT64_C(1) << (63 - __builtin_clzll(end - first - 1)));
    bool left = old_size <= middle;
    err = range_hash(dir_fd, tree_size, left ? middle : first, left ? end : middle, down[depth++], diag);
    *(left ? &end : &first) = middle;
  }
  if (!err && first != 0)
    err = range_hash(dir_fd, tree_size, first, end, down[depth++], diag);
  if (err)
    return err;
  for (size_t i = 0; i < depth; i++)
    memcpy(ret_path[i], down[depth - 1 - i], 32);
  *ret_count = depth;
  return 0;
}

int asz_log_prove(int dir_fd, const struct asz_checkpoint *checkpoint, uint64_t index, uint8_t (*ret_path)[32], size_t *ret_count,
                  struct asz_diag *diag) {
  uint64_t size = checkpoint->tree_size;
  if (index >= size)
    return asz_diag_set(diag, ASZ_ENOENT, "no published entry %llu: the log has %llu", (unsigned long long)index,
                        (unsigned long long)size);
  uint8_t leaf[ASZ_TILE_WIDTH][32], path[ASZ_TLOG_PROOF_MAX][32];
  size_t count;
  struct asz_tile tile = asz_tile_at(size, 0, index >> 8);
  int err = asz_tile_read_hashes(dir_fd, &tile, leaf, diag);
  if (!err)
    err = asz_log_path(dir_fd, size, index, path, &count, diag);
  if (err)
    return err;
  if (asz_tlog_inclusion_check(checkpoint->root, size, index, leaf[index & 255], (const uint8_t(*)[32])path, count) != 0)
    return asz_diag_set(diag, ASZ_EAUTH, "the tiles around entry %llu are damaged: they do not hash to the published root",
                        (unsigned long long)index);
  memcpy(ret_path, path, count * 32);
  *ret_count = count;
  return 0;
}

int asz_tlog_prove_dir(const char *dir, const uint8_t public_key[32], uint64_t index, struct asz_checkpoint *ret_checkpoint,
                       char **ret_note, uint8_t (*ret_path)[32], size_t *ret_count, struct asz_diag *diag) {
  struct asz_checkpoint checkpoint;
  char *note = NULL;
  int dir_fd = -1;
  int err = asz_log_dir_open(dir, &dir_fd, diag);
  if (err)
    return err;
  err = asz_log_checkpoint_read(dir_fd, public_key, &note, &checkpoint, diag);
  if (!err)
    err = asz_log_prove(dir_fd, &checkpoint, index, ret_path, ret_count, diag);
  close(dir_fd);
  if (err) {
    free(note);
    return err;
  }
  *ret_checkpoint = checkpoint;
  *ret_note = note;
  return 0;
}

int asz_tlog_published(const char *dir, const uint8_t public_key[32], struct asz_checkpoint *ret_checkpoint, char **ret_note,
                       struct asz_diag *diag) {
  int dir_fd = -1;
  int err = asz_log_dir_open(dir, &dir_fd, diag);
  if (err)
    return err;
  err = asz_log_checkpoint_read(dir_fd, public_key, ret_note, ret_checkpoint, diag);
  close(dir_fd);
  return err;
}

int asz_tlog_head(const char *dir, const uint8_t public_key[32], struct asz_checkpoint *ret_checkpoint, struct asz_diag *diag) {
  return asz_tlog_published(dir, public_key, ret_checkpoint, NULL, diag);
}

int asz_tlog_read_entry(const char *dir, uint64_t tree_size, uint64_t index, uint8_t *ret_entry, size_t *ret_size,
                        struct asz_diag *diag) {
  if (index >= tree_size)
    return asz_diag_set(diag, ASZ_ENOENT, "%s: no entry %llu in a log of %llu", dir, (unsigned long long)index,
                        (unsigned long long)tree_size);
  int dir_fd;
  int err = asz_log_dir_open(dir, &dir_fd, diag);
  if (err)
    return err;
  struct asz_tile tile = asz_tile_at(tree_size, ASZ_TILE_ENTRIES, index >> 8);
  uint8_t *bundle;
  size_t bundle_bytes, at = 0, entry_bytes = 0;
  const uint8_t *entry = NULL;
  err = asz_tile_read_entries(dir_fd, &tile, &bundle, &bundle_bytes, diag);
  close(dir_fd);
  if (err)
    return err;
  for (uint64_t i = 0; !err && i <= (index & 255); i++)
    err = asz_entries_next(bundle, bundle_bytes, &at, &entry, &entry_bytes);
  if (!err) {
    memcpy(ret_entry, entry, entry_bytes);
    *ret_size = entry_bytes;
  }
  free(bundle);
  return err;
}

int asz_tlog_read_proven(const char *dir, const struct asz_checkpoint *head, uint64_t index, uint8_t *ret_entry, size_t *ret_size,
                         struct asz_diag *diag) {
  uint8_t leaf[32], path[ASZ_TLOG_PROOF_MAX][32];
  size_t size, count = 0;
  int dir_fd;
  int err = asz_tlog_read_entry(dir, head->tree_size, index, ret_entry, &size, diag);
  if (!err)
    err = asz_log_dir_open(dir, &dir_fd, diag);
  if (err)
    return err;
  err = asz_log_path(dir_fd, head->tree_size, index, path, &count, diag);
  close(dir_fd);
  if (err)
    return err;
  asz_tlog_leaf_hash(leaf, ret_entry, size);
  if (asz_tlog_inclusion_check(head->root, head->tree_size, index, leaf, (const uint8_t(*)[32])path, count) != 0)
    return asz_diag_set(diag, ASZ_EAUTH, "entry %llu is damaged, or the tiles around it are: it is not in the published tree",
                        (unsigned long long)index);
  *ret_size = size;
  return 0;
}

int asz_tlog_extends(const char *dir, const struct asz_checkpoint *old, const struct asz_checkpoint *head,
                     struct asz_diag *diag) {
  uint8_t path[ASZ_TLOG_PROOF_MAX][32];
  size_t count = 0;
  int dir_fd, err = 0;
  if (old->tree_size > head->tree_size)
    return asz_diag_set(diag, ASZ_EAUTH, "the log shrank from %llu entries to %llu", (unsigned long long)old->tree_size,
                        (unsigned long long)head->tree_size);
  err = asz_log_dir_open(dir, &dir_fd, diag);
  if (err)
    return err;
  err = asz_log_consistency(dir_fd, old->tree_size, head->tree_size, path, &count, diag);
  close(dir_fd);
  if (!err &&
      asz_tlog_consistency_check(old->root, old->tree_size, head->root, head->tree_size, (const uint8_t(*)[32])path, count) != 0)
    err = asz_diag_set(diag, ASZ_EAUTH, "the log's tree of %llu entries does not extend that of %llu",
                       (unsigned long long)head->tree_size, (unsigned long long)old->tree_size);
  return err;
}
