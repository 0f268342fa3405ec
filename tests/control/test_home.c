/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "control/file.h"
#include "control/home.h"
#include "control/tlog/tlog.h"
#include "tests/control/tlog/scratch.h"

struct fixture {
  char dir[SCRATCH_PATH], home_dir[2 * SCRATCH_PATH];
  struct asz_home home;
  struct asz_config config;
  struct asz_identity key;
  struct asz_diag diag;
};

static void make(struct fixture *f) {
  memset(f, 0, sizeof *f);
  scratch_make(f->dir);
  scratch_path(f->home_dir, f->dir, "home");
  asz_config_default(&f->config);
  cr_assert_eq(asz_home_locate(&f->home, f->home_dir, &f->diag), 0);
}

static void expect_empty(const struct fixture *f, const char *name, bool directory_stays) {
  cr_assert_eq(scratch_exists(f->dir, name), directory_stays);
  if (directory_stays)
    cr_assert_eq(rmdir(f->home_dir), 0, "nothing is left in it");
}

Test(home, locate_needs_a_place_and_bounds_its_length)
{
  struct asz_home home;
  struct asz_diag diag = {""};
  char *longest = malloc(ASZ_PATH_MAX + 1);
  memset(longest, 'd', ASZ_PATH_MAX);
  longest[ASZ_PATH_MAX] = '\0';
  cr_assert_eq(asz_home_locate(&home, longest, &diag), ASZ_EINVAL);
  longest[ASZ_PATH_MAX - 5] = '\0';
  cr_assert_eq(asz_home_locate(&home, longest, &diag), ASZ_EINVAL);
  free(longest);
  cr_assert_eq(asz_home_locate(&home, "", &diag), ASZ_EINVAL);
  unsetenv("ASSIZE_HOME");
  unsetenv("HOME");
  cr_assert_eq(asz_home_locate(&home, NULL, &diag), ASZ_EINVAL);
  cr_assert(strstr(diag.text, "give --home DIR"), "%s", diag.text);
}

Test(home, locate_prefers_the_option_then_its_variable_then_the_users_home)
{
  struct asz_home home;
  setenv("HOME", "/users/u", 1);
  unsetenv("ASSIZE_HOME");
  cr_assert_eq(asz_home_locate(&home, NULL, NULL), 0);
  cr_assert_str_eq(home.config_path, "/users/u/.assize/assize.conf");
  setenv("ASSIZE_HOME", "/srv/v", 1);
  cr_assert_eq(asz_home_locate(&home, NULL, NULL), 0);
  cr_assert_str_eq(home.key_path, "/srv/v/validator.key");
  cr_assert_eq(asz_home_locate(&home, "here", NULL), 0);
  cr_assert_str_eq(home.store_path, "here/store.db");
  cr_assert_str_eq(home.log_path, "here/log");
}

Test(home, open_of_none_says_what_to_do)
{
  struct fixture f;
  make(&f);
  cr_assert_eq(asz_home_open(&f.home, true, &f.config, NULL, NULL, &f.diag), ASZ_ENOENT);
  cr_assert(strstr(f.diag.text, "run `assize init`"), "%s", f.diag.text);
  scratch_remove(f.dir);
}

Test(home, create_refuses_to_overwrite_any_part)
{
  static const char *const parts[] = {"assize.conf", "validator.key", "store.db", "log"};
  for (size_t i = 0; i < 4; i++) {
    struct fixture f;
    make(&f);
    cr_assert_eq(mkdir(f.home_dir, 0700), 0);
    scratch_write(f.home_dir, parts[i], "mine", 4);
    cr_assert_eq(asz_home_create(&f.home, &f.config, &f.key, &f.diag), ASZ_EEXIST);
    cr_assert(strstr(f.diag.text, parts[i]), "%s", f.diag.text);
    size_t size;
    uint8_t *kept = scratch_read(f.home_dir, parts[i], &size);
    cr_assert_eq(size, 4);
    free(kept);
    for (size_t other = 0; other < 4; other++)
      cr_assert_eq(scratch_exists(f.home_dir, parts[other]), other == i);
    scratch_remove(f.dir);
  }
}

Test(home, create_refuses_what_is_no_directory)
{
  struct fixture f;
  make(&f);
  scratch_write(f.dir, "home", "", 0);
  cr_assert_eq(asz_home_create(&f.home, &f.config, &f.key, &f.diag), ASZ_EEXIST);
  cr_assert(strstr(f.diag.text, "expected a directory"), "%s", f.diag.text);
  scratch_remove(f.dir);
}

Test(home, create_in_a_missing_parent_leaves_nothing)
{
  struct fixture f;
  make(&f);
  scratch_path(f.home_dir, f.dir, "no/home");
  cr_assert_eq(asz_home_locate(&f.home, f.home_dir, &f.diag), 0);
  cr_assert_eq(asz_home_create(&f.home, &f.config, &f.key, &f.diag), ASZ_ENOENT);
  cr_assert(!scratch_exists(f.dir, "no"));
  scratch_remove(f.dir);
}

/* Files may not grow over this size: every write beyond fails, as on a full disk. */
static void limit_files(rlim_t bytes) {
  struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
  signal(SIGXFSZ, SIG_IGN);
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(home, a_full_disk_at_any_step_leaves_nothing_behind)
{
  static const struct {
    rlim_t bytes;
    bool directory_was_there;
  } steps[] = {{0, false}, {100, false}, {100, true}, {16384, false}, {16384, true}}; /* in the key, the config, the store */
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    struct fixture f;
    make(&f);
    if (steps[i].directory_was_there)
      cr_assert_eq(mkdir(f.home_dir, 0700), 0);
    limit_files(steps[i].bytes);
    int err = asz_home_create(&f.home, &f.config, &f.key, &f.diag);
    limit_files(RLIM_INFINITY);
    cr_assert_neq(err, 0, "at %zu bytes", (size_t)steps[i].bytes);
    cr_assert_neq(f.diag.text[0], '\0');
    expect_empty(&f, "home", steps[i].directory_was_there);
    scratch_remove(f.dir);
  }
}

Test(home, a_bad_origin_is_refused_by_the_log_and_all_is_taken_back)
{
  struct fixture f;
  make(&f);
  strcpy(f.config.validator_origin, "bad\norigin"); /* no file gives this: the last step's own check */
  cr_assert_neq(asz_home_create(&f.home, &f.config, &f.key, &f.diag), 0);
  expect_empty(&f, "home", false);
  scratch_remove(f.dir);
}

Test(home, created_opens_with_the_same_key_and_config)
{
  struct fixture f;
  struct asz_config config;
  struct asz_identity key;
  struct asz_store *store;
  struct asz_checkpoint head;
  struct stat info;
  make(&f);
  cr_assert_eq(asz_home_create(&f.home, &f.config, &f.key, &f.diag), 0, "%s", f.diag.text);
  cr_assert_eq(asz_home_open(&f.home, false, &config, &key, &store, &f.diag), 0, "%s", f.diag.text);
  asz_store_close(store);
  cr_assert_eq(memcmp(&config, &f.config, sizeof config), 0);
  cr_assert_arr_eq(key.public_key, f.key.public_key, 32);
  cr_assert_eq(asz_tlog_head(f.home.log_path, key.public_key, &head, &f.diag), 0, "%s", f.diag.text);
  cr_assert_eq(head.tree_size, 0);
  cr_assert_str_eq(head.origin, f.config.validator_origin);
  cr_assert_eq(stat(f.home_dir, &info), 0);
  cr_assert_eq(info.st_mode & 0777, 0700);
  cr_assert_eq(stat(f.home.key_path, &info), 0);
  cr_assert_eq(info.st_mode & 0777, 0600);
  cr_assert_eq(asz_home_create(&f.home, &f.config, &f.key, &f.diag), ASZ_EEXIST, "never twice");
  scratch_remove(f.dir);
}

Test(file, write_is_all_or_nothing)
{
  char dir[SCRATCH_PATH], path[2 * SCRATCH_PATH];
  struct asz_diag diag = {""};
  uint8_t *bytes;
  size_t size;
  scratch_make(dir);
  scratch_path(path, dir, "f");
  cr_assert_eq(asz_file_write(path, "old", 3, false, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_file_write(path, "new", 3, false, &diag), ASZ_EEXIST);
  limit_files(4);
  cr_assert_eq(asz_file_write(path, "longer", 6, true, &diag), ASZ_EIO);
  limit_files(RLIM_INFINITY);
  cr_assert_eq(asz_file_read(&bytes, &size, path, 100, &diag), 0);
  cr_assert_str_eq((char *)bytes, "old");
  free(bytes);
  cr_assert_eq(asz_file_write(path, "newer", 5, true, &diag), 0);
  cr_assert_eq(asz_file_read(&bytes, &size, path, 5, &diag), 0);
  cr_assert_eq(size, 5);
  free(bytes);
  cr_assert_eq(unlink(path), 0);
  cr_assert_eq(rmdir(dir), 0, "no temporary file is left");
}

Test(file, write_replaces_regular_files_only)
{
  char dir[SCRATCH_PATH], path[2 * SCRATCH_PATH];
  struct asz_diag diag = {""};
  struct stat info;
  scratch_make(dir);
  scratch_path(path, dir, "pipe");
  cr_assert_eq(mkfifo(path, 0600), 0);
  cr_assert_eq(asz_file_write(path, "x", 1, true, &diag), ASZ_EINVAL);
  cr_assert_eq(lstat(path, &info), 0);
  cr_assert(S_ISFIFO(info.st_mode));
  scratch_remove(dir);
}

Test(file, read_names_what_is_wrong)
{
  char dir[SCRATCH_PATH], path[2 * SCRATCH_PATH];
  struct asz_diag diag = {""};
  uint8_t *bytes;
  size_t size;
  scratch_make(dir);
  scratch_path(path, dir, "f");
  cr_assert_eq(asz_file_read(&bytes, &size, path, 10, &diag), ASZ_ENOENT);
  cr_assert(strstr(diag.text, "f: cannot open: No such file"), "%s", diag.text);
  cr_assert_eq(asz_file_read(&bytes, &size, dir, 10, &diag), ASZ_EIO);
  scratch_write(dir, "f", "0123456789x", 11);
  cr_assert_eq(asz_file_read(&bytes, &size, path, 10, &diag), ASZ_ETOOBIG);
  cr_assert(strstr(diag.text, "expected at most 10 bytes"), "%s", diag.text);
  cr_assert_eq(asz_file_read(&bytes, &size, path, 11, &diag), 0);
  free(bytes);
  scratch_remove(dir);
}
