/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a log.
 *
 * One file at a time (the checkpoint): it goes to DIR/.new, is flushed, gets its name by rename, and then the folder that holds
 * the name is flushed. One fixed temporary name is enough because there is one writer, and it means that a crash leaves at most
 * one stray file, which the next write truncates. It lies outside tile/, so nobody serves it by a tile's name.
 *
 * Many files (tiles): a flush by itself is a commit of the file system's journal, and 256 entries are two files; one after the
 * other that took as long as all the hashing. So a batch writes all of them, tells the kernel to begin, and waits for all at the
 * end: the first fsync commits, the others find it done. (One syncfs instead was slower for 10,000 entries, three times of three:
 * it waits for what other programs wrote, too.) No rename is needed, since no checkpoint speaks of a new tile before the flush.
 */
#include "control/tlog/logfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char temporary_name[] = ".new";

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

/* Flushes the folder that holds path, so that the name in it is durable. */
static int sync_parent(int dir_fd, const char *path) {
  char parent[ASZ_LOGFILE_PATH_MAX];
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
  char folder[ASZ_LOGFILE_PATH_MAX];
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

/* An open file that holds data, not yet flushed; -1 and errno. */
static int write_file(int dir_fd, const char *name, const uint8_t *data, size_t size) {
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  int fd = openat(dir_fd, name, flags, 0644);
  if (fd < 0 && errno == ENOENT && make_parents(dir_fd, name) == 0)
    fd = openat(dir_fd, name, flags, 0644);
  for (size_t done = 0; fd >= 0 && done < size;) {
    ssize_t put = write(fd, data + done, size - done);
    if (put >= 0) {
      done += (size_t)put;
    } else if (errno != EINTR) {
      int saved = errno;
      close(fd);
      errno = saved;
      return -1;
    }
  }
  return fd;
}

static int flush_and_close(int fd) {
  int result = fsync(fd), saved = errno;
  if (close(fd) != 0 && result == 0)
    return -1;
  errno = saved;
  return result;
}

static int cannot_write(const char *path, struct asz_diag *diag) {
  return asz_diag_set(diag, ASZ_EIO, "%s: cannot be written: %s", path, strerror(errno));
}

int asz_logfile_replace(int dir_fd, const char *path, const void *data, size_t size_bytes, struct asz_diag *diag) {
  assert(strlen(path) < ASZ_LOGFILE_PATH_MAX);
  int fd = write_file(dir_fd, temporary_name, data, size_bytes);
  if (fd < 0 || flush_and_close(fd) != 0 || make_parents(dir_fd, path) != 0 ||
      renameat(dir_fd, temporary_name, dir_fd, path) != 0 || sync_parent(dir_fd, path) != 0)
    return cannot_write(path, diag);
  return 0;
}

int asz_logfile_batch_write(struct asz_logfile_batch *batch, const char *path, const void *data, size_t size_bytes,
                            struct asz_diag *diag) {
  assert(strlen(path) < ASZ_LOGFILE_PATH_MAX);
  if (batch->count == ASZ_LOGFILE_BATCH_MAX) {
    int err = asz_logfile_batch_flush(batch, diag);
    if (err)
      return err;
  }
  int fd = write_file(batch->dir_fd, path, data, size_bytes);
  if (fd < 0)
    return cannot_write(path, diag);
  (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* advice: what fails here fails in fsync */
  batch->fd[batch->count] = fd;
  snprintf(batch->path[batch->count++], ASZ_LOGFILE_PATH_MAX, "%s", path);
  return 0;
}

int asz_logfile_lock(int dir_fd, const char *name, bool wait, int *ret_fd, struct asz_diag *diag) {
  int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644), failed = -1;
  if (fd < 0)
    return cannot_write(name, diag);
  do
    failed = flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
  while (failed && errno == EINTR);
  if (!failed) {
    *ret_fd = fd;
    return 0;
  }
  int err = errno == EWOULDBLOCK ? asz_diag_set(diag, ASZ_EAGAIN, "%s: another process has it", name) : cannot_write(name, diag);
  close(fd);
  return err;
}

static bool same_folder(const char *a, const char *b) {
  size_t length = (size_t)(strrchr(a, '/') - a);
  return strncmp(a, b, length + 1) == 0 && !strchr(b + length + 1, '/');
}

/* Flushes the folder of file i, unless an earlier file of the batch lies in it, too. */
static int sync_folder(const struct asz_logfile_batch *batch, unsigned i) {
  for (unsigned before = 0; before < i; before++)
    if (same_folder(batch->path[before], batch->path[i]))
      return 0;
  return sync_parent(batch->dir_fd, batch->path[i]);
}

int asz_logfile_batch_flush(struct asz_logfile_batch *batch, struct asz_diag *diag) {
  int err = 0;
  for (unsigned i = 0; i < batch->count; i++)
    if (flush_and_close(batch->fd[i]) != 0 && !err)
      err = cannot_write(batch->path[i], diag);
  for (unsigned i = 0; !err && i < batch->count; i++)
    if (sync_folder(batch, i) != 0)
      err = cannot_write(batch->path[i], diag);
  batch->count = 0;
  return err;
}

void asz_logfile_batch_drop(struct asz_logfile_batch *batch) {
  while (batch->count > 0)
    close(batch->fd[--batch->count]);
}
