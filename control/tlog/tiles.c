/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles as files: names, framing, reading (C2SP tlog-tiles). */
#include "control/tlog/tiles.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/tlog/logfile.h"
#include "dataplane/base/bytes.h"

struct asz_tile asz_tile_at(uint64_t tree_size, int level, uint64_t index) {
  unsigned shift = level == ASZ_TILE_ENTRIES ? 0 : 8 * (unsigned)level;
  uint64_t nodes = tree_size >> shift; /* complete ones on this level */
  struct asz_tile tile = {.level = level, .index = index};
  if (index < nodes >> 8)
    tile.width = ASZ_TILE_WIDTH;
  else if (index == nodes >> 8)
    tile.width = nodes & (ASZ_TILE_WIDTH - 1);
  return tile;
}

void asz_tile_path(char ret_path[ASZ_TILE_PATH_MAX], const struct asz_tile *tile) {
  assert(tile->width >= 1 && tile->width <= ASZ_TILE_WIDTH && tile->level < ASZ_TILE_LEVELS);
  char *at = ret_path, *end = ret_path + ASZ_TILE_PATH_MAX;
  if (tile->level == ASZ_TILE_ENTRIES)
    at += snprintf(at, (size_t)(end - at), "tile/entries");
  else
    at += snprintf(at, (size_t)(end - at), "tile/%d", tile->level);
  uint64_t group = 1; /* 1000^(number of three-digit groups in front of the last one) */
  while (tile->index / group >= 1000)
    group *= 1000;
  for (; group > 1; group /= 1000)
    at += snprintf(at, (size_t)(end - at), "/x%03u", (unsigned)(tile->index / group % 1000));
  at += snprintf(at, (size_t)(end - at), "/%03u", (unsigned)(tile->index % 1000));
  if (tile->width < ASZ_TILE_WIDTH)
    at += snprintf(at, (size_t)(end - at), ".p/%u", tile->width);
  assert(at < end);
}

/* Three digits, or 1000. */
static unsigned three_digits(const char *text) {
  unsigned value = 0;
  for (int i = 0; i < 3; i++) {
    if (text[i] < '0' || text[i] > '9')
      return 1000;
    value = value * 10 + (unsigned)(text[i] - '0');
  }
  return value;
}

int asz_tile_parse(struct asz_tile *ret_tile, const char *path) {
  static const char entries[] = "tile/entries/";
  struct asz_tile tile = {.level = ASZ_TILE_ENTRIES, .width = ASZ_TILE_WIDTH};
  const char *at = path + sizeof entries - 1;
  if (strncmp(path, entries, sizeof entries - 1) != 0) {
    if (strncmp(path, "tile/", 5) != 0 || path[5] < '0' || path[5] >= '0' + ASZ_TILE_LEVELS || path[6] != '/')
      return ASZ_EFORMAT;
    tile.level = path[5] - '0';
    at = path + 7;
  }
  for (bool more = true; more;) {
    more = *at == 'x';
    unsigned group = three_digits(at + more);
    if (group == 1000 || tile.index > UINT64_MAX / 1000 - 1 || (more && at[4] != '/'))
      return ASZ_EFORMAT;
    tile.index = tile.index * 1000 + group;
    at += more ? 5 : 3;
  }
  if (strncmp(at, ".p/", 3) == 0 && strlen(at) <= 6)
    tile.width = (unsigned)strtoul(at + 3, NULL, 10);
  if (tile.width < 1 || tile.width > ASZ_TILE_WIDTH)
    return ASZ_EFORMAT;
  char canonical[ASZ_TILE_PATH_MAX];
  asz_tile_path(canonical, &tile);
  if (strcmp(canonical, path) != 0)
    return ASZ_EFORMAT;
  *ret_tile = tile;
  return 0;
}

int asz_entries_next(const uint8_t *bundle, size_t size_bytes, size_t *at, const uint8_t **ret_entry, size_t *ret_size) {
  if (size_bytes < *at || size_bytes - *at < 2)
    return ASZ_EFORMAT;
  size_t entry_bytes = asz_be16_load(bundle + *at);
  if (size_bytes - *at - 2 < entry_bytes)
    return ASZ_EFORMAT;
  *ret_entry = bundle + *at + 2;
  *ret_size = entry_bytes;
  *at += 2 + entry_bytes;
  return 0;
}

int asz_entries_check(const uint8_t *bundle, size_t size_bytes, unsigned count, size_t *ret_size) {
  size_t at = 0, entry_bytes;
  const uint8_t *entry;
  for (unsigned i = 0; i < count; i++) {
    int err = asz_entries_next(bundle, size_bytes, &at, &entry, &entry_bytes);
    if (err)
      return err;
  }
  *ret_size = at;
  return 0;
}

/* A tile's file, or where a partial one is missing the full one, which the tile's hashes or entries start. *ret_full tells. */
static int read_tile(int dir_fd, const struct asz_tile *tile, uint8_t **ret_data, size_t *ret_size, bool *ret_full,
                     char ret_path[ASZ_TILE_PATH_MAX], struct asz_diag *diag) {
  size_t size_max = tile->level == ASZ_TILE_ENTRIES ? ASZ_ENTRIES_MAX_BYTES : ASZ_TILE_BYTES;
  asz_tile_path(ret_path, tile);
  *ret_full = tile->width == ASZ_TILE_WIDTH;
  int err = asz_logfile_read(dir_fd, ret_path, size_max, ret_data, ret_size, diag);
  if (err != ASZ_ENOENT || *ret_full)
    return err;
  struct asz_tile full = {.level = tile->level, .index = tile->index, .width = ASZ_TILE_WIDTH};
  char full_path[ASZ_TILE_PATH_MAX];
  asz_tile_path(full_path, &full);
  if (asz_logfile_read(dir_fd, full_path, size_max, ret_data, ret_size, NULL) != 0)
    return err; /* the line about the partial one stays: that is what should be there */
  *ret_full = true;
  memcpy(ret_path, full_path, ASZ_TILE_PATH_MAX);
  return 0;
}

int asz_tile_read_hashes(int dir_fd, const struct asz_tile *tile, uint8_t (*ret_hash)[32], struct asz_diag *diag) {
  uint8_t *data;
  size_t size;
  bool full;
  char path[ASZ_TILE_PATH_MAX];
  int err = read_tile(dir_fd, tile, &data, &size, &full, path, diag);
  if (err)
    return err;
  size_t expected = full ? (size_t)ASZ_TILE_BYTES : (size_t)tile->width * 32;
  if (size == expected)
    memcpy(ret_hash, data, (size_t)tile->width * 32);
  else
    err = asz_diag_set(diag, ASZ_EFORMAT, "%s: %zu bytes, expected %zu", path, size, expected);
  free(data);
  return err;
}

int asz_tile_read_entries(int dir_fd, const struct asz_tile *tile, uint8_t **ret_bundle, size_t *ret_size,
                          struct asz_diag *diag) {
  uint8_t *data;
  size_t size, end = 0, used = 0;
  bool full;
  char path[ASZ_TILE_PATH_MAX];
  int err = read_tile(dir_fd, tile, &data, &size, &full, path, diag);
  if (err)
    return err;
  unsigned count = full ? ASZ_TILE_WIDTH : tile->width;
  if (asz_entries_check(data, size, count, &end) != 0 || end != size) {
    free(data);
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: not exactly %u length-prefixed entries", path, count);
  }
  err = asz_entries_check(data, size, tile->width, &used);
  assert(err == 0);
  *ret_bundle = data;
  *ret_size = used;
  return 0;
}

void asz_tile_drop_partials(int dir_fd, int level, uint64_t index) {
  struct asz_tile tile = {.level = level, .index = index, .width = 1};
  char folder[ASZ_TILE_PATH_MAX];
  asz_tile_path(folder, &tile);
  *strrchr(folder, '/') = 0;
  int fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list = fd < 0 ? NULL : fdopendir(fd);
  if (!list) {
    if (fd >= 0)
      close(fd);
    return;
  }
  for (struct dirent *file; (file = readdir(list));)
    if (file->d_name[0] != '.')
      (void)unlinkat(fd, file->d_name, 0);
  closedir(list);
  (void)unlinkat(dir_fd, folder, AT_REMOVEDIR);
}
