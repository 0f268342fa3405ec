/* SPDX-License-Identifier: Apache-2.0 */
/* scratch: a folder of its own for each test, and what tests of the log do with the files in it. */
#ifndef ASZ_TESTS_CONTROL_TLOG_SCRATCH_H
#define ASZ_TESTS_CONTROL_TLOG_SCRATCH_H

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_PATH = 512 };

static inline void scratch_make(char ret_dir[SCRATCH_PATH]) {
  const char *base = getenv("TMPDIR");
  cr_assert_lt(snprintf(ret_dir, SCRATCH_PATH, "%s/assize-test-XXXXXX", base && *base ? base : P_tmpdir), SCRATCH_PATH);
  cr_assert_not_null(mkdtemp(ret_dir), "cannot make %s", ret_dir);
}

static inline int scratch_remove_one(const char *path, const struct stat *info, int type, struct FTW *place) {
  (void)info, (void)type, (void)place;
  return remove(path);
}

static inline void scratch_remove(const char *dir) {
  (void)nftw(dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_path(char ret_path[2 * SCRATCH_PATH], const char *dir, const char *name) {
  cr_assert_lt(snprintf(ret_path, 2 * SCRATCH_PATH, "%s/%s", dir, name), 2 * SCRATCH_PATH);
}

static inline bool scratch_exists(const char *dir, const char *name) {
  char path[2 * SCRATCH_PATH];
  scratch_path(path, dir, name);
  return access(path, F_OK) == 0;
}

static inline void scratch_write(const char *dir, const char *name, const void *data, size_t size) {
  char path[2 * SCRATCH_PATH];
  scratch_path(path, dir, name);
  FILE *file = fopen(path, "wb");
  cr_assert_not_null(file, "cannot write %s", path);
  cr_assert_eq(fwrite(data, 1, size, file), size);
  cr_assert_eq(fclose(file), 0);
}

/* The whole file, heap. */
static inline uint8_t *scratch_read(const char *dir, const char *name, size_t *ret_size) {
  char path[2 * SCRATCH_PATH];
  scratch_path(path, dir, name);
  FILE *file = fopen(path, "rb");
  cr_assert_not_null(file, "cannot read %s", path);
  cr_assert_eq(fseek(file, 0, SEEK_END), 0);
  size_t size = (size_t)ftell(file);
  rewind(file);
  uint8_t *data = malloc(size + 1);
  cr_assert_not_null(data);
  cr_assert_eq(fread(data, 1, size, file), size);
  fclose(file);
  *ret_size = size;
  return data;
}

#endif
