/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles as files: names, framing, reading, durable writing (C2SP tlog-tiles).
 *
 * A write goes to DIR/.new, is flushed, gets its name by rename, and then the folder that holds the name is flushed: only after
 * that may a checkpoint speak of it. One fixed temporary name is enough because there is one writer, and it means that a crash
 * leaves at most one stray file, which the next write truncates. It lies outside tile/, so nobody serves it by a tile's name. */
#include "control/tlog/tiles.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/base/bytes.h"

static const char temporary_name[] = ".new";

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

int asz_logfile_read(int dir_fd, const char *path, size_t size_max, uint8_t **ret_data, size_t *ret_size, struct asz_diag *diag) {
  int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return asz_diag_set(diag, errno == ENOENT ? ASZ_ENOENT : ASZ_EIO, "%s: %s", path, strerror(errno));
  int err;
  uint8_t *data = NULL;
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    err = asz_diag_set(diag, ASZ_EIO, "%s: not a regular file", path);
    goto done;
  }
  if (info.st_size < 0 || (uint64_t)info.st_size > size_max) {
    err = asz_diag_set(diag, ASZ_ETOOBIG, "%s: %lld bytes, expected at most %zu", path, (long long)info.st_size, size_max);
    goto done;
  }
  size_t size = (size_t)info.st_size, have = 0;
  data = malloc(size + 1);
  if (!data) {
    err = asz_diag_set(diag, ASZ_ENOMEM, "%s: no memory for %zu bytes", path, size);
    goto done;
  }
  while (have < size) {
    ssize_t got = read(fd, data + have, size - have);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      err = asz_diag_set(diag, ASZ_EIO, "%s: %s", path, got < 0 ? strerror(errno) : "shrank while it was read");
      goto done;
    }
    have += (size_t)got;
  }
  data[size] = 0;
  *ret_data = data;
  *ret_size = size;
  data = NULL;
  err = 0;
done:
  free(data);
  close(fd);
  return err;
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

/* Flushes the folder that holds path, so that the name in it is durable. */
static int sync_parent(int dir_fd, const char *path) {
  char parent[ASZ_TILE_PATH_MAX];
  const char *slash = strrchr(path, '/');
  snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
  int fd = openat(dir_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return -1;
  int result = fsync(fd), saved = errno;
  close(fd);
  errno = saved;
  return result;
}

static int make_parents(int dir_fd, const char *path) {
  char folder[ASZ_TILE_PATH_MAX];
  for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    if (mkdirat(dir_fd, folder, 0755) == 0) {
      if (sync_parent(dir_fd, folder) != 0)
        return -1;
    } else if (errno != EEXIST) {
      return -1;
    }
  }
  return 0;
}

static int write_flushed(int dir_fd, const char *name, const uint8_t *data, size_t size) {
  int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0)
    return -1;
  int result = 0;
  for (size_t done = 0; done < size;) {
    ssize_t put = write(fd, data + done, size - done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0) {
      result = -1;
      break;
    }
    done += (size_t)put;
  }
  if (result == 0)
    result = fsync(fd);
  int saved = errno;
  if (close(fd) != 0 && result == 0)
    return -1;
  errno = saved;
  return result;
}

int asz_logfile_replace(int dir_fd, const char *path, const void *data, size_t size_bytes, struct asz_diag *diag) {
  assert(strlen(path) < ASZ_TILE_PATH_MAX);
  if (make_parents(dir_fd, path) != 0 || write_flushed(dir_fd, temporary_name, data, size_bytes) != 0 ||
      renameat(dir_fd, temporary_name, dir_fd, path) != 0 || sync_parent(dir_fd, path) != 0)
    return asz_diag_set(diag, ASZ_EIO, "%s: cannot be written: %s", path, strerror(errno));
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
