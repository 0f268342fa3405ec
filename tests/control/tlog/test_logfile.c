/* SPDX-License-Identifier: Apache-2.0 */
/* What a power cut leaves of a publish. fsync is replaced here, so that the power goes at any one of them: what was not flushed
 * by then is torn, names in folders that were not flushed are gone, and the log must still open, verify, and take entries. */
#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/syscall.h>

#include "control/tlog/tlog.h"
#include "tests/control/tlog/scratch.h"

#define ORIGIN "log.example/cut"

enum { INODES_MAX = 512 };
static ino_t flushed[INODES_MAX], old[INODES_MAX];
static unsigned flushed_count, old_count, calls, cut_at; /* cut_at 0: never */

int fsync(int fd) {
  struct stat info;
  if (cut_at && ++calls >= cut_at) {
    errno = EIO;
    return -1;
  }
  if (cut_at && fstat(fd, &info) == 0 && flushed_count < INODES_MAX)
    flushed[flushed_count++] = info.st_ino;
  return (int)syscall(SYS_fsync, fd);
}

static bool among(const ino_t *set, unsigned count, ino_t inode) {
  for (unsigned i = 0; i < count; i++)
    if (set[i] == inode)
      return true;
  return false;
}

static int remember(const char *path, const struct stat *info, int type, struct FTW *place) {
  (void)path, (void)type, (void)place;
  cr_assert_lt(old_count, INODES_MAX);
  old[old_count++] = info->st_ino;
  return 0;
}

/* What the disk holds after the cut. A checkpoint that got its name keeps it: that is the dangerous case. */
static int tear(const char *path, const struct stat *info, int type, struct FTW *place) {
  struct stat folder;
  char parent[2 * SCRATCH_PATH];
  if (type != FTW_F || among(old, old_count, info->st_ino))
    return 0;
  snprintf(parent, sizeof parent, "%.*s", place->base - 1, path);
  cr_assert_eq(stat(parent, &folder), 0);
  bool named = among(flushed, flushed_count, folder.st_ino) || strcmp(path + place->base, "checkpoint") == 0;
  if (!named)
    cr_assert_eq(unlink(path), 0);
  else if (!among(flushed, flushed_count, info->st_ino))
    cr_assert_eq(truncate(path, info->st_size / 2), 0);
  return 0;
}

static struct asz_identity key;
static char dir[SCRATCH_PATH];

static void setup(void) {
  static const uint8_t seed[32] = {5};
  cut_at = 0;
  asz_identity_from_seed(&key, seed);
  scratch_make(dir);
  cr_assert_eq(asz_tlog_create(dir, ORIGIN, &key, NULL), 0);
}

static void teardown(void) {
  scratch_remove(dir);
}
TestSuite(logfile, .init = setup, .fini = teardown);

static int append(uint64_t count) {
  struct asz_tlog *log;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_tlog_open(&log, dir, &key, &diag), 0, "%s", diag.text);
  for (uint64_t i = 0, index; i < count; i++)
    cr_assert_eq(asz_tlog_append(log, &i, sizeof i, &index), 0);
  int err = asz_tlog_publish(log, &diag);
  asz_tlog_close(log);
  return err;
}

static uint64_t verified_size(void) {
  struct asz_checkpoint head;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_tlog_verify(dir, key.public_key, &head, &diag), 0, "cut at fsync %u: %s", cut_at, diag.text);
  return head.tree_size;
}

Test(logfile, a_power_cut_at_any_fsync_of_a_publish_leaves_a_log_that_verifies)
{
  cr_assert_eq(append(250), 0);
  uint64_t before = 250;
  int err = ASZ_EIO;
  for (unsigned cut = 1; err; cut++) { /* until the publish gets through: every fsync had its turn */
    old_count = flushed_count = calls = 0;
    cr_assert_eq(nftw(dir, remember, 16, FTW_PHYS), 0);
    cut_at = cut;
    err = append(400);
    unsigned made = calls;
    cut_at = 0;
    cr_assert(err == 0 || err == ASZ_EIO);
    cr_assert(err == 0 || made >= cut);
    cr_assert_eq(nftw(dir, tear, 16, FTW_PHYS), 0);
    uint64_t size = verified_size();
    cr_assert(size == before || size == before + 400, "%lu", size);
    cr_assert(err || size == before + 400, "published, and gone");
    before = size;
    cr_assert_lt(cut, 100);
  }
  cr_assert_gt(calls, 10, "%u", calls); /* files, folders and the checkpoint are flushed at all */
  cr_assert_eq(append(3), 0);
  cr_assert_eq(verified_size(), before + 3);
}
