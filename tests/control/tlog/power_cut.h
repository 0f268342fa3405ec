/* SPDX-License-Identifier: Apache-2.0 */
/* power_cut: fsync is replaced here, so that the power goes at any one of them. What was not flushed by then is torn; names in
 * folders that were not flushed are gone, or, where a rename gave a file its name, the file is the old or the new one. To be
 * included by one file of a test. */
#ifndef ASZ_TESTS_CONTROL_TLOG_POWER_CUT_H
#define ASZ_TESTS_CONTROL_TLOG_POWER_CUT_H

#include <errno.h>
#include <ftw.h>
#include <sys/syscall.h>

#include "tests/control/tlog/scratch.h"

enum { POWER_CUT_FILES_MAX = 512 };

static struct {
  unsigned at, calls; /* at 0: the power stays on */
  bool renames_lost;
  unsigned flushed_count, old_count;
  ino_t flushed[POWER_CUT_FILES_MAX];
  struct {
    ino_t inode;
    char path[2 * SCRATCH_PATH];
    uint8_t *data; /* NULL: a folder */
    size_t size;
  } old[POWER_CUT_FILES_MAX]; /* all that there was */
} power_cut;

int fsync(int fd) {
  struct stat info;
  if (power_cut.at && ++power_cut.calls >= power_cut.at) {
    errno = EIO;
    return -1;
  }
  if (power_cut.at && fstat(fd, &info) == 0 && power_cut.flushed_count < POWER_CUT_FILES_MAX)
    power_cut.flushed[power_cut.flushed_count++] = info.st_ino;
  return (int)syscall(SYS_fsync, fd);
}

static bool power_cut_flushed(ino_t inode) {
  for (unsigned i = 0; i < power_cut.flushed_count; i++)
    if (power_cut.flushed[i] == inode)
      return true;
  return false;
}

static int power_cut_remember(const char *path, const struct stat *info, int type, struct FTW *place) {
  char parent[2 * SCRATCH_PATH];
  cr_assert_lt(power_cut.old_count, POWER_CUT_FILES_MAX);
  size_t i = power_cut.old_count++;
  power_cut.old[i].inode = info->st_ino;
  snprintf(power_cut.old[i].path, sizeof power_cut.old[i].path, "%s", path);
  snprintf(parent, sizeof parent, "%.*s", place->base - 1, path);
  power_cut.old[i].data = type == FTW_F ? scratch_read(parent, path + place->base, &power_cut.old[i].size) : NULL;
  return 0;
}

static int power_cut_tear(const char *path, const struct stat *info, int type, struct FTW *place) {
  struct stat folder;
  char parent[2 * SCRATCH_PATH];
  size_t replaced = power_cut.old_count;
  if (type != FTW_F)
    return 0;
  for (size_t i = 0; i < power_cut.old_count; i++) {
    if (power_cut.old[i].inode == info->st_ino)
      return 0;
    if (strcmp(power_cut.old[i].path, path) == 0)
      replaced = i;
  }
  snprintf(parent, sizeof parent, "%.*s", place->base - 1, path);
  cr_assert_eq(stat(parent, &folder), 0);
  bool named = power_cut_flushed(folder.st_ino);
  if (!named && replaced == power_cut.old_count)
    cr_assert_eq(unlink(path), 0);
  else if (!named && power_cut.renames_lost)
    scratch_write(parent, path + place->base, power_cut.old[replaced].data, power_cut.old[replaced].size);
  else if (!power_cut_flushed(info->st_ino))
    cr_assert_eq(truncate(path, info->st_size / 2), 0);
  return 0;
}

/* power_cut_at: from now on the fsync of this number, from 1, and all behind it fail. renames_lost: of two outcomes the older. */
static inline void power_cut_at(const char *dir, unsigned number, bool renames_lost) {
  power_cut.old_count = power_cut.flushed_count = power_cut.calls = 0;
  power_cut.renames_lost = renames_lost;
  cr_assert_eq(nftw(dir, power_cut_remember, 16, FTW_PHYS), 0);
  power_cut.at = number;
}

/* power_cut_end leaves in dir what the disk would hold, and fsync as it was; the number of fsyncs that there were. */
static inline unsigned power_cut_end(const char *dir) {
  power_cut.at = 0;
  cr_assert_eq(nftw(dir, power_cut_tear, 16, FTW_PHYS), 0);
  for (size_t i = 0; i < power_cut.old_count; i++)
    free(power_cut.old[i].data);
  return power_cut.calls;
}

#endif
