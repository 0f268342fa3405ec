/* SPDX-License-Identifier: Apache-2.0 */
#include "control/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/base/durable.h"

static int fail(struct asz_diag *diag, const char *path, const char *what) {
  return asz_diag_set(diag, asz_errno_err(errno), "%s: cannot %s: %s", path, what, strerror(errno));
}

static int read_all(int fd, uint8_t **ret_bytes, size_t *ret_size, const char *path, size_t size_max, struct asz_diag *diag) {
  size_t size = 0, capacity = 0;
  uint8_t *bytes = NULL;
  for (;;) {
    if (size == capacity) {
      capacity = capacity ? capacity * 2 : 16384;
      uint8_t *grown = realloc(bytes, capacity + 1);
      if (!grown) {
        free(bytes);
        return asz_diag_set(diag, ASZ_ENOMEM, "%s: out of memory", path);
      }
      bytes = grown;
    }
    ssize_t got = read(fd, bytes + size, capacity - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      int err = fail(diag, path, "read");
      free(bytes);
      return err;
    }
    if (got == 0)
      break;
    size += (size_t)got;
    if (size > size_max) {
      free(bytes);
      return asz_diag_set(diag, ASZ_ETOOBIG, "%s: expected at most %zu bytes", path, size_max);
    }
  }
  bytes[size] = '\0';
  *ret_bytes = bytes;
  *ret_size = size;
  return 0;
}

int asz_file_read(uint8_t **ret_bytes, size_t *ret_size, const char *path, size_t size_max, struct asz_diag *diag) {
  if (!strcmp(path, "-"))
    return read_all(STDIN_FILENO, ret_bytes, ret_size, "standard input", size_max, diag);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return fail(diag, path, "open");
  int err = read_all(fd, ret_bytes, ret_size, path, size_max, diag);
  close(fd);
  return err;
}

static int write_all(int fd, const uint8_t *bytes, size_t size) {
  while (size > 0) {
    ssize_t put = write(fd, bytes, size);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return -1;
    bytes += put;
    size -= (size_t)put;
  }
  return fsync(fd);
}

int asz_file_write(const char *path, const void *bytes, size_t size_bytes, bool overwrite, struct asz_diag *diag) {
  char temporary[PATH_MAX];
  if ((size_t)snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= sizeof temporary)
    return asz_diag_set(diag, ASZ_EINVAL, "%.64s...: path too long", path);
  struct stat existing;
  bool exists = lstat(path, &existing) == 0;
  if (exists && !overwrite)
    return asz_diag_set(diag, ASZ_EEXIST, "%s: exists already", path);
  if (exists && !S_ISREG(existing.st_mode)) /* rename would replace a device node as readily as a file */
    return asz_diag_set(diag, ASZ_EINVAL, "%s: expected a regular file to replace", path);
  int fd = mkostemp(temporary, O_CLOEXEC);
  if (fd < 0)
    return fail(diag, path, "create");
  mode_t mask = umask(0);
  umask(mask);
  int failed = write_all(fd, bytes, size_bytes) != 0 || fchmod(fd, 0644 & ~mask) != 0;
  int error_number = errno;
  if (close(fd) != 0 && !failed) {
    failed = 1;
    error_number = errno;
  }
  errno = error_number;
  /* link refuses an existing name, also one that came up meanwhile; rename replaces it */
  if (!failed)
    failed = (overwrite ? rename(temporary, path) : link(temporary, path)) != 0;
  if (failed) {
    int err = fail(diag, path, "write");
    unlink(temporary);
    return err;
  }
  if (!overwrite)
    unlink(temporary);
  /* Best effort: the file is whole either way, only its name may be lost with the power. */
  (void)!asz_sync_parent(path);
  return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

void asz_file_remove_tree(const char *path) {
  nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
