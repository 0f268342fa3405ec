/* SPDX-License-Identifier: Apache-2.0 */
/* The log on disk: what a crash, a second writer, a damaged file and a foreign key do to it, and that it holds what was appended.
 */
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "control/tlog/reader.h"
#include "tests/control/tlog/scratch.h"

#define ORIGIN "log.example/test"

static struct asz_identity key;
static char dir[SCRATCH_PATH];

static void setup(void) {
  static const uint8_t seed[32] = {42};
  asz_identity_from_seed(&key, seed);
  scratch_make(dir);
  cr_assert_eq(asz_tlog_create(dir, ORIGIN, &key, NULL), 0);
}

static void teardown(void) {
  scratch_remove(dir);
}

TestSuite(tlog, .init = setup, .fini = teardown);

static struct asz_tlog *open_log(void) {
  struct asz_tlog *log;
  struct asz_diag diag = {""};
  int err = asz_tlog_open(&log, dir, &key, &diag);
  cr_assert_eq(err, 0, "%s: %s", asz_err_str(err), diag.text);
  return log;
}

/* Entry i of history `branch`: of varying length, different in every history. */
static size_t entry_of(uint8_t *ret_entry, uint64_t i, unsigned branch) {
  return (size_t)sprintf((char *)ret_entry, "%u/%lu%.*s", branch, i, (int)(i % 40), "........................................");
}

static void append(struct asz_tlog *log, uint64_t count, unsigned branch) {
  static uint64_t appended;
  for (uint64_t n = 0; n < count; n++) {
    uint8_t entry[128];
    uint64_t index = UINT64_MAX, expected = n == 0 ? asz_tlog_size(log) : appended + 1;
    size_t size = entry_of(entry, expected, branch);
    cr_assert_eq(asz_tlog_append(log, entry, size, &index), 0);
    cr_assert_eq(index, expected);
    appended = index;
  }
}

static void publish(struct asz_tlog *log) {
  struct asz_diag diag = {""};
  int err = asz_tlog_publish(log, &diag);
  cr_assert_eq(err, 0, "%s", diag.text);
}

static void verify_all(uint64_t size) {
  struct asz_checkpoint checkpoint = {.tree_size = UINT64_MAX};
  struct asz_diag diag = {""};
  int err = asz_tlog_verify(dir, key.public_key, &checkpoint, &diag);
  cr_assert_eq(err, 0, "%s: %s", asz_err_str(err), diag.text);
  cr_assert_eq(checkpoint.tree_size, size);
  cr_assert_str_eq(checkpoint.origin, ORIGIN);
}

static void grow_to(uint64_t size, unsigned branch) {
  struct asz_tlog *log = open_log();
  append(log, size - asz_tlog_size(log), branch);
  publish(log);
  asz_tlog_close(log);
}

Test(tlog, a_second_writer_is_refused_and_a_reader_is_not)
{
  struct asz_tlog *log = open_log(), *second;
  struct asz_diag diag;
  cr_assert_eq(asz_tlog_open(&second, dir, &key, &diag), ASZ_EAGAIN);
  cr_assert_not_null(strstr(diag.text, dir));
  cr_assert_eq(asz_tlog_create(dir, ORIGIN, &key, &diag), ASZ_EAGAIN);
  append(log, 3, 0);
  publish(log);
  verify_all(3);
  asz_tlog_close(log);
  cr_assert_eq(asz_tlog_create(dir, ORIGIN, &key, &diag), ASZ_EEXIST);
  asz_tlog_close(open_log());
}

Test(tlog, a_folder_without_a_log_and_a_foreign_key_are_refused)
{
  struct asz_tlog *log;
  struct asz_diag diag;
  struct asz_checkpoint checkpoint;
  char missing[2 * SCRATCH_PATH];
  scratch_path(missing, dir, "missing");
  cr_assert_eq(asz_tlog_open(&log, missing, &key, &diag), ASZ_ENOENT);
  cr_assert_eq(asz_tlog_verify(missing, key.public_key, &checkpoint, &diag), ASZ_ENOENT);
  struct asz_identity other;
  static const uint8_t seed[32] = {43};
  asz_identity_from_seed(&other, seed);
  cr_assert_eq(asz_tlog_open(&log, dir, &other, &diag), ASZ_EAUTH);
  cr_assert_eq(asz_tlog_verify(dir, other.public_key, &checkpoint, &diag), ASZ_EAUTH);
  cr_assert_eq(asz_tlog_verify(dir, NULL, &checkpoint, &diag), 0);
}

Test(tlog, origins_that_cannot_name_a_key_are_refused)
{
  char fresh[2 * SCRATCH_PATH];
  scratch_path(fresh, dir, "fresh");
  static const char *const bad[] = {"", "a b", "a+b", "a\nb", "a\xc2\xa0", "\xff"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    cr_assert_eq(asz_tlog_create(fresh, bad[i], &key, NULL), ASZ_EINVAL, "origin %zu", i);
  cr_assert_not(scratch_exists(dir, "fresh"));
}

Test(tlog, entries_past_the_end_can_neither_be_read_nor_proved)
{
  struct asz_tlog *log = open_log();
  uint8_t path[ASZ_TLOG_PROOF_MAX][32];
  static uint8_t entry[ASZ_TLOG_ENTRY_MAX];
  size_t count;
  append(log, 2, 0);
  cr_assert_eq(asz_tlog_prove(log, 0, path, &count, NULL), ASZ_ENOENT); /* queued is not published */
  publish(log);
  cr_assert_eq(asz_tlog_prove(log, 1, path, &count, NULL), 0);
  cr_assert_eq(asz_tlog_prove(log, 2, path, &count, NULL), ASZ_ENOENT);
  cr_assert_eq(asz_tlog_read_entry(dir, 2, 2, entry, &count, NULL), ASZ_ENOENT);
  cr_assert_eq(asz_tlog_read_entry(dir, 3, 2, entry, &count, NULL), ASZ_ENOENT);
  asz_tlog_close(log);
}

/* Every file of the log, collected by nftw. */
enum { FILES_MAX = 64, NAME_MAX_BYTES = 128 };
struct log_file {
  char name[NAME_MAX_BYTES];
  uint8_t *data;
  size_t size;
};
static struct log_file file[FILES_MAX];
static unsigned file_count;

static int collect_one(const char *path, const struct stat *info, int type, struct FTW *place) {
  (void)info, (void)place;
  if (type != FTW_F || strstr(path, ".lock") || strstr(path, ".new"))
    return 0;
  cr_assert_lt(file_count, FILES_MAX);
  struct log_file *f = &file[file_count++];
  cr_assert_lt(snprintf(f->name, sizeof f->name, "%s", path + strlen(dir) + 1), NAME_MAX_BYTES);
  f->data = scratch_read(dir, f->name, &f->size);
  return 0;
}

static void collect(void) {
  file_count = 0;
  cr_assert_eq(nftw(dir, collect_one, 16, FTW_PHYS), 0);
}

static void remove_file(const char *name) {
  char path[2 * SCRATCH_PATH];
  scratch_path(path, dir, name);
  cr_assert_eq(unlink(path), 0, "cannot remove %s", path);
}

Test(tlog, verify_notices_every_byte_changed_cut_or_missing_in_any_file)
{
  grow_to(20, 0);
  grow_to(260, 0);
  collect();
  cr_assert_geq(file_count, 6); /* checkpoint; full and partial tile and bundle; level 1 */
  verify_all(260);
  for (struct log_file *f = file; f < file + file_count; f++) {
    struct asz_checkpoint checkpoint;
    struct asz_diag diag;
    for (size_t at = 0; at<f->size; at += f->size> 1000 ? 97 : 1) {
      f->data[at] ^= 0x20;
      scratch_write(dir, f->name, f->data, f->size);
      f->data[at] ^= 0x20;
      cr_assert_lt(asz_tlog_verify(dir, key.public_key, &checkpoint, &diag), 0, "%s: byte %zu", f->name, at);
    }
    scratch_write(dir, f->name, f->data, f->size - 1);
    cr_assert_lt(asz_tlog_verify(dir, key.public_key, &checkpoint, &diag), 0, "%s cut", f->name);
    remove_file(f->name);
    cr_assert_lt(asz_tlog_verify(dir, key.public_key, &checkpoint, &diag), 0, "%s deleted", f->name);
    cr_assert_not_null(strstr(diag.text, f->name), "%s: %s", f->name, diag.text);
    scratch_write(dir, f->name, f->data, f->size);
    free(f->data);
  }
  verify_all(260);
}

Test(tlog, opening_notices_a_damaged_right_edge)
{
  grow_to(260, 0);
  static const char *const edge[] = {"tile/0/001.p/4", "tile/1/000.p/1", "tile/entries/001.p/4", "checkpoint"};
  for (size_t f = 0; f < sizeof edge / sizeof *edge; f++) {
    size_t size;
    uint8_t *data = scratch_read(dir, edge[f], &size);
    struct asz_tlog *log;
    data[size / 2] ^= 1;
    scratch_write(dir, edge[f], data, size);
    cr_assert_lt(asz_tlog_open(&log, dir, &key, NULL), 0, "%s", edge[f]);
    data[size / 2] ^= 1;
    scratch_write(dir, edge[f], data, size);
    free(data);
  }
  asz_tlog_close(open_log());
}

Test(tlog, proving_notices_a_damaged_tile)
{
  grow_to(600, 0);
  struct asz_tlog *log = open_log();
  uint8_t path[ASZ_TLOG_PROOF_MAX][32];
  size_t count, size;
  uint8_t *data = scratch_read(dir, "tile/0/000", &size);
  data[100] ^= 1;
  scratch_write(dir, "tile/0/000", data, size);
  cr_assert_eq(asz_tlog_prove(log, 3, path, &count, NULL), ASZ_EAUTH);
  free(data);
  asz_tlog_close(log);
}

/* Puts a file back, and the folder of partial tiles that it lay in: those are dropped only behind the checkpoint. */
static void restore(const struct log_file *f) {
  char folder[NAME_MAX_BYTES], path[2 * SCRATCH_PATH];
  memcpy(folder, f->name, sizeof folder);
  if (strrchr(folder, '/')) {
    *strrchr(folder, '/') = 0;
    scratch_path(path, dir, folder);
    (void)mkdir(path, 0755);
  }
  scratch_write(dir, f->name, f->data, f->size);
  free(f->data);
}

/* A crash in a publish leaves files that no checkpoint covers, whole or in pieces, and possibly a stray temporary file. The log
 * must open at the old size, take another history, and be whole. */
static void crash_between(uint64_t size_before, uint64_t size_crashed, uint64_t size_after) {
  static struct log_file before[FILES_MAX];
  if (size_before)
    grow_to(size_before, 0);
  collect();
  unsigned before_count = file_count;
  memcpy(before, file, sizeof before);
  grow_to(size_crashed, 1);
  collect();
  for (unsigned i = 0; i < file_count; i++) { /* whatever is new is torn in turn: gone, empty, half, or whole */
    if (i % 4 == 0)
      remove_file(file[i].name);
    else
      scratch_write(dir, file[i].name, file[i].data, i % 4 == 1 ? 0 : i % 4 == 2 ? file[i].size / 2 : file[i].size);
    free(file[i].data);
  }
  for (unsigned i = 0; i < before_count; i++)
    restore(&before[i]);
  scratch_write(dir, ".new", "torn", 4);

  verify_all(size_before);
  struct asz_tlog *log = open_log();
  cr_assert_eq(asz_tlog_size(log), size_before);
  append(log, size_after - size_before, 2);
  publish(log);
  verify_all(size_after);
  asz_tlog_close(log);
  uint8_t entry[128], expected[128];
  size_t size;
  for (uint64_t i = 0; i < size_after; i++) {
    cr_assert_eq(asz_tlog_read_entry(dir, size_after, i, entry, &size, NULL), 0);
    cr_assert_eq(size, entry_of(expected, i, i < size_before ? 0 : 2));
    cr_assert_arr_eq(entry, expected, size);
  }
}

Test(tlog, a_crash_in_the_first_publish_leaves_an_empty_log)
{ crash_between(0, 300, 3); }
Test(tlog, a_crash_within_a_tile_leaves_the_log_as_it_was)
{ crash_between(10, 20, 15); }
Test(tlog, a_crash_across_a_tile_border_leaves_the_log_as_it_was)
{ crash_between(250, 520, 255); }
Test(tlog, a_crash_behind_a_full_tile_leaves_the_log_as_it_was)
{ crash_between(256, 700, 600); }
Test(tlog, a_crash_is_survived_with_the_same_size_as_the_one_lost)
{ crash_between(255, 257, 257); }

Test(tlog, a_publish_that_fails_leaves_the_published_state_and_can_be_tried_again)
{
  grow_to(5, 0);
  struct asz_tlog *log = open_log();
  char note[ASZ_TLOG_CHECKPOINT_MAX], path[2 * SCRATCH_PATH];
  snprintf(note, sizeof note, "%s", asz_tlog_checkpoint(log));
  append(log, 300, 0);
  scratch_path(path, dir, "tile/1"); /* a file where a folder must be */
  scratch_write(dir, "tile/1", "", 0);
  struct asz_diag diag;
  cr_assert_eq(asz_tlog_publish(log, &diag), ASZ_EIO);
  cr_assert_not_null(strstr(diag.text, "tile/1/000"), "%s", diag.text);
  cr_assert_eq(asz_tlog_size(log), 5);
  cr_assert_str_eq(asz_tlog_checkpoint(log), note);
  verify_all(5);
  cr_assert_eq(unlink(path), 0);
  publish(log);
  cr_assert_eq(asz_tlog_size(log), 305);
  verify_all(305);
  asz_tlog_close(log);
}

Test(tlog, entries_that_were_never_published_are_gone_and_publishing_nothing_changes_nothing)
{
  struct asz_tlog *log = open_log();
  append(log, 4, 0);
  asz_tlog_close(log);
  log = open_log();
  cr_assert_eq(asz_tlog_size(log), 0);
  char note[ASZ_TLOG_CHECKPOINT_MAX];
  snprintf(note, sizeof note, "%s", asz_tlog_checkpoint(log));
  publish(log);
  cr_assert_str_eq(asz_tlog_checkpoint(log), note);
  asz_tlog_close(log);
}

Test(tlog, every_size_around_the_tile_borders_is_published_and_proved)
{
  struct asz_tlog *log = open_log();
  for (uint64_t size = 1; size <= 600; size++) {
    if (size > 8 && (size + 4) % 256 > 8 && size != 600) /* a publish is some ten fsyncs: only where shapes change */
      continue;
    append(log, size - asz_tlog_size(log), 0);
    publish(log);
    uint8_t path[ASZ_TLOG_PROOF_MAX][32], root[32], hash[32], entry[128];
    size_t count;
    asz_tlog_root(log, root);
    for (uint64_t index = size % 37; index < size; index += 61) {
      cr_assert_eq(asz_tlog_prove(log, index, path, &count, NULL), 0);
      asz_tlog_leaf_hash(hash, entry, entry_of(entry, index, 0));
      cr_assert_eq(asz_tlog_inclusion_check(root, size, index, hash, (const uint8_t(*)[32])path, count), 0);
    }
  }
  asz_tlog_close(log);
  verify_all(600);
  cr_assert_not(scratch_exists(dir, "tile/0/000.p")); /* superseded by full tiles */
  cr_assert_not(scratch_exists(dir, "tile/entries/001.p"));
  cr_assert(scratch_exists(dir, "tile/0/002.p/4")); /* sizes that were published stay readable */
  cr_assert(scratch_exists(dir, "tile/0/002.p/88"));
}

static int fsck(const struct asz_checkpoint *known, struct asz_tlog_fsck *ret_report, struct asz_diag *diag) {
  char *note = NULL;
  int err = asz_tlog_fsck(dir, key.public_key, known, ret_report, &note, diag);
  free(note);
  return err;
}

Test(tlog, fsck_compares_partial_tiles_of_earlier_sizes_and_counts_what_a_crash_left)
{
  grow_to(20, 0);
  grow_to(260, 0);
  grow_to(270, 0);
  struct asz_tlog_fsck report;
  struct asz_diag diag = {""};
  cr_assert_eq(fsck(NULL, &report, &diag), 0, "%s", diag.text);
  cr_assert_eq(report.head.tree_size, 270);
  /* level 0: 000, 001.p/4, 001.p/14; level 1: 000.p/1; entries as level 0 */
  cr_assert_eq(report.files, 7);
  cr_assert_eq(report.leftovers, 0);
  scratch_write(dir, "tile/0/001.p/40", "torn", 4);
  scratch_write(dir, "tile/0/stranger", "?", 1);
  cr_assert_eq(fsck(NULL, &report, &diag), 0, "%s", diag.text);
  cr_assert_eq(report.leftovers, 2);
  static const char *const earlier[] = {"tile/0/001.p/4", "tile/entries/001.p/4"};
  for (size_t i = 0; i < 2; i++) {
    size_t size;
    uint8_t *data = scratch_read(dir, earlier[i], &size);
    data[size - 1] ^= 1;
    scratch_write(dir, earlier[i], data, size);
    verify_all(270); /* nobody who reads the published checkpoint needs it */
    cr_assert_eq(fsck(NULL, &report, &diag), ASZ_EAUTH);
    cr_assert_not_null(strstr(diag.text, earlier[i]), "%s", diag.text);
    data[size - 1] ^= 1;
    scratch_write(dir, earlier[i], data, size);
    free(data);
  }
}

Test(tlog, a_log_that_does_not_extend_the_known_checkpoint_is_refused)
{
  struct asz_tlog_fsck report;
  struct asz_diag diag = {""};
  struct asz_checkpoint known[3], forged;
  static const uint64_t sizes[] = {0, 256, 300}; /* empty; a full tile; within one */
  for (int i = 0; i < 3; i++) {
    if (sizes[i])
      grow_to(sizes[i], 0);
    cr_assert_eq(asz_tlog_head(dir, key.public_key, &known[i], NULL), 0);
  }
  for (int i = 0; i < 3; i++) {
    cr_assert_eq(fsck(&known[i], &report, &diag), 0, "%s", diag.text);
    cr_assert_eq(asz_tlog_extends(dir, &known[i], &known[2], &diag), 0, "%s", diag.text);
    forged = known[i];
    forged.root[31] ^= 1;
    cr_assert_eq(fsck(&forged, &report, &diag), ASZ_EAUTH, "size %lu", sizes[i]);
    cr_assert(i == 0 || asz_tlog_extends(dir, &forged, &known[2], &diag) == ASZ_EAUTH);
  }
  cr_assert_eq(asz_tlog_extends(dir, &known[2], &known[1], &diag), ASZ_EAUTH);
  forged = known[2];
  forged.tree_size = 301;
  cr_assert_eq(fsck(&forged, &report, &diag), ASZ_EAUTH);
  cr_assert_not_null(strstr(diag.text, "fewer"), "%s", diag.text);
  forged = known[1];
  strcpy(forged.origin, "log.example/other");
  cr_assert_eq(fsck(&forged, &report, &diag), ASZ_EAUTH);
}

Test(tlog, consistency_proofs_from_tiles_are_those_from_all_leaves)
{
  enum { SIZE = 70000 };
  static uint8_t leaf[SIZE][32];
  uint8_t expected[ASZ_TLOG_PROOF_MAX][32], path[ASZ_TLOG_PROOF_MAX][32], entry[128];
  grow_to(SIZE, 0);
  for (uint64_t i = 0; i < SIZE; i++)
    asz_tlog_leaf_hash(leaf[i], entry, entry_of(entry, i, 0));
  static const uint64_t olds[] = {1, 2, 255, 256, 257, 65535, 65536, 65537, 69888, 69999, SIZE};
  int dir_fd;
  cr_assert_eq(asz_log_dir_open(dir, &dir_fd, NULL), 0);
  for (size_t i = 0; i < sizeof olds / sizeof *olds; i++) {
    size_t count = 0, expected_count = asz_tlog_consistency_make(expected, (const uint8_t(*)[32])leaf, olds[i], SIZE);
    cr_assert_eq(asz_log_consistency(dir_fd, olds[i], SIZE, path, &count, NULL), 0);
    cr_assert_eq(count, expected_count, "%lu", olds[i]);
    cr_assert(count == 0 || memcmp(path, expected, count * 32) == 0, "%lu", olds[i]);
  }
  close(dir_fd);
}

Test(tlog, an_entry_whose_bytes_or_tiles_are_damaged_is_not_shown_as_proven)
{
  grow_to(600, 0);
  struct asz_checkpoint head;
  static uint8_t entry[ASZ_TLOG_ENTRY_MAX];
  uint8_t expected[128];
  size_t size, file_size;
  cr_assert_eq(asz_tlog_head(dir, key.public_key, &head, NULL), 0);
  cr_assert_eq(asz_tlog_read_proven(dir, &head, 300, entry, &size, NULL), 0);
  cr_assert_eq(size, entry_of(expected, 300, 0));
  cr_assert_arr_eq(entry, expected, size);
  cr_assert_eq(asz_tlog_read_proven(dir, &head, 600, entry, &size, NULL), ASZ_ENOENT);
  static const char *const damaged[] = {"tile/0/001", "tile/entries/001"};
  for (size_t i = 0; i < 2; i++) {
    uint8_t *data = scratch_read(dir, damaged[i], &file_size);
    data[file_size - 1] ^= 1;
    scratch_write(dir, damaged[i], data, file_size);
    cr_assert_eq(asz_tlog_read_proven(dir, &head, i == 0 ? 300 : 511, entry, &size, NULL), ASZ_EAUTH, "%s", damaged[i]);
    data[file_size - 1] ^= 1;
    scratch_write(dir, damaged[i], data, file_size);
    free(data);
  }
}

Test(tlog, a_log_across_65536_entries_verifies_reopens_and_proves, .timeout = 120)
{
  static const uint64_t sizes[] = {65535, 65536, 65537, 65800};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    grow_to(sizes[s], 0);
  verify_all(65800);
  cr_assert(scratch_exists(dir, "tile/1/000"));
  cr_assert(scratch_exists(dir, "tile/2/000.p/1"));
  cr_assert_not(scratch_exists(dir, "tile/1/000.p"));
  struct asz_tlog *log = open_log();
  static const uint64_t probe[] = {0, 255, 256, 65535, 65536, 65799};
  for (size_t i = 0; i < sizeof probe / sizeof *probe; i++) {
    uint8_t path[ASZ_TLOG_PROOF_MAX][32];
    size_t count;
    cr_assert_eq(asz_tlog_prove(log, probe[i], path, &count, NULL), 0, "entry %lu", probe[i]);
  }
  asz_tlog_close(log);
}

Test(tlog, entries_of_the_largest_size_are_kept)
{
  static uint8_t entry[ASZ_TLOG_ENTRY_MAX], got[ASZ_TLOG_ENTRY_MAX];
  struct asz_tlog *log = open_log();
  uint64_t index;
  for (int i = 0; i < 258; i++) {
    memset(entry, i, sizeof entry);
    cr_assert_eq(asz_tlog_append(log, entry, sizeof entry, &index), 0);
  }
  publish(log);
  size_t size;
  cr_assert_eq(asz_tlog_read_entry(dir, 258, 257, got, &size, NULL), 0);
  cr_assert_eq(size, sizeof entry);
  cr_assert_arr_eq(got, entry, size);
  asz_tlog_close(log);
  verify_all(258);
}
