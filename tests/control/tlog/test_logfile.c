/* SPDX-License-Identifier: Apache-2.0 */
/* What a power cut leaves of a publish: a log that opens, verifies, and takes entries. */
#include "control/tlog/tlog.h"
#include "tests/control/tlog/power_cut.h"

#define ORIGIN "log.example/cut"

static struct asz_identity key;
static char dir[SCRATCH_PATH];

static void setup(void) {
  static const uint8_t seed[32] = {5};
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

static uint64_t verified_size(unsigned cut) {
  struct asz_checkpoint head;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_tlog_verify(dir, key.public_key, &head, &diag), 0, "cut at fsync %u: %s", cut, diag.text);
  return head.tree_size;
}

/* Cuts one publish after the other, until one gets through: each of its fsyncs had its turn. */
static void cut_publishes(bool renames_lost) {
  uint64_t before = 250;
  unsigned calls = 0, cut = 1;
  int err = ASZ_EIO;
  cr_assert_eq(append(before), 0);
  for (; err; cut++) {
    power_cut_at(dir, cut, renames_lost);
    err = append(400);
    calls = power_cut_end(dir);
    cr_assert(err == 0 || (err == ASZ_EIO && calls >= cut));
    uint64_t size = verified_size(cut);
    cr_assert(size == before || size == before + 400, "%lu", size);
    cr_assert(err || size == before + 400, "published, and gone");
    before = size;
    cr_assert_lt(cut, 100);
  }
  cr_assert_gt(calls, 10, "%u", calls); /* files, folders and the checkpoint are flushed at all */
  cr_assert_eq(append(3), 0);
  cr_assert_eq(verified_size(cut), before + 3);
}

Test(logfile, a_power_cut_at_any_fsync_of_a_publish_leaves_a_log_that_verifies)
{ cut_publishes(false); }
Test(logfile, and_so_it_does_when_the_old_checkpoint_comes_back)
{ cut_publishes(true); }
