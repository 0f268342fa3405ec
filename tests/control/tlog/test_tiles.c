/* SPDX-License-Identifier: Apache-2.0 */
/* Names, widths and framing of tiles, with the examples of C2SP's tlog-tiles. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

#include "control/tlog/logfile.h"
#include "control/tlog/tiles.h"
#include "tests/control/tlog/scratch.h"

Test(tiles, entries_that_are_cut_short_are_refused)
{
  static const uint8_t bundle[] = {0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd'};
  size_t end = 0;
  cr_assert_eq(asz_entries_check(bundle, sizeof bundle, 3, &end), 0);
  cr_assert_eq(end, sizeof bundle);
  cr_assert_eq(asz_entries_check(bundle, sizeof bundle, 2, &end), 0);
  cr_assert_eq(end, 7);
  cr_assert_eq(asz_entries_check(bundle, sizeof bundle, 4, &end), ASZ_EFORMAT);
  for (size_t cut = 0; cut < sizeof bundle; cut++)
    cr_assert_eq(asz_entries_check(bundle, cut, 3, &end), ASZ_EFORMAT, "cut at %zu", cut);
  size_t at = sizeof bundle + 1, size;
  const uint8_t *entry;
  cr_assert_eq(asz_entries_next(bundle, sizeof bundle, &at, &entry, &size), ASZ_EFORMAT);
}

Test(tiles, tiles_of_wrong_size_missing_tiles_and_folders_in_their_place_are_refused)
{
  char dir[SCRATCH_PATH], path[2 * SCRATCH_PATH];
  scratch_make(dir);
  int fd = open(dir, O_RDONLY | O_DIRECTORY);
  uint8_t hash[ASZ_TILE_WIDTH][32], *bundle;
  size_t size;
  struct asz_diag diag;
  struct asz_tile tile = {.level = 0, .index = 0, .width = 3};
  cr_assert_eq(asz_tile_read_hashes(fd, &tile, hash, &diag), ASZ_ENOENT);
  cr_assert_not_null(strstr(diag.text, "tile/0/000.p/3"), "%s", diag.text);
  static const uint8_t bytes[ASZ_TILE_BYTES + 1];
  cr_assert_eq(asz_logfile_replace(fd, "tile/0/000.p/3", bytes, 95, NULL), 0);
  cr_assert_eq(asz_tile_read_hashes(fd, &tile, hash, &diag), ASZ_EFORMAT);
  cr_assert_eq(asz_logfile_replace(fd, "tile/0/000.p/3", bytes, 97, NULL), 0);
  cr_assert_eq(asz_tile_read_hashes(fd, &tile, hash, &diag), ASZ_EFORMAT);
  cr_assert_eq(asz_logfile_replace(fd, "tile/0/000.p/3", bytes, sizeof bytes, NULL), 0);
  cr_assert_eq(asz_tile_read_hashes(fd, &tile, hash, &diag), ASZ_ETOOBIG);
  scratch_path(path, dir, "tile/0/000.p/4");
  cr_assert_eq(mkdir(path, 0755), 0);
  tile.width = 4;
  cr_assert_eq(asz_tile_read_hashes(fd, &tile, hash, &diag), ASZ_EIO);
  tile = (struct asz_tile){.level = ASZ_TILE_ENTRIES, .index = 0, .width = 1};
  cr_assert_eq(asz_logfile_replace(fd, "tile/entries/000.p/1", "\0\1aX", 4, NULL), 0);
  cr_assert_eq(asz_tile_read_entries(fd, &tile, &bundle, &size, &diag), ASZ_EFORMAT); /* a byte too many */
  close(fd);
  scratch_remove(dir);
}

Test(tiles, a_missing_partial_tile_is_read_from_the_full_one)
{
  char dir[SCRATCH_PATH];
  scratch_make(dir);
  int fd = open(dir, O_RDONLY | O_DIRECTORY);
  static uint8_t full[ASZ_TILE_BYTES], framed[3 * ASZ_TILE_WIDTH];
  for (int i = 0; i < ASZ_TILE_WIDTH; i++) {
    full[32 * i] = (uint8_t)i;
    framed[3 * i + 1] = 1;
    framed[3 * i + 2] = (uint8_t)i;
  }
  cr_assert_eq(asz_logfile_replace(fd, "tile/1/000", full, sizeof full, NULL), 0);
  cr_assert_eq(asz_logfile_replace(fd, "tile/entries/000", framed, sizeof framed, NULL), 0);
  struct asz_tile tile = {.level = 1, .index = 0, .width = 17};
  uint8_t hash[ASZ_TILE_WIDTH][32], *bundle;
  size_t size;
  cr_assert_eq(asz_tile_read_hashes(fd, &tile, hash, NULL), 0);
  cr_assert_arr_eq(hash, full, 17 * 32);
  tile.level = ASZ_TILE_ENTRIES;
  cr_assert_eq(asz_tile_read_entries(fd, &tile, &bundle, &size, NULL), 0);
  cr_assert_eq(size, 17 * 3);
  free(bundle);
  close(fd);
  scratch_remove(dir);
}

Test(tiles, names_that_are_no_tile_are_refused_and_all_others_are_read_as_they_are_written)
{
  static const char *const bad[] = {"",
                                    "tile",
                                    "tile/",
                                    "tile/0/",
                                    "tile/0/00",
                                    "tile/0/0000",
                                    "tile/0/000.p",
                                    "tile/0/000.p/",
                                    "tile/0/000.p/0",
                                    "tile/0/000.p/256",
                                    "tile/0/000.p/01",
                                    "tile/0/000.p/-1",
                                    "tile/0/000.p/4294967297",
                                    "tile/0/x000/001",
                                    "tile/0/x001",
                                    "tile/0/x001/",
                                    "tile/0/001/002",
                                    "tile/00/000",
                                    "tile/8/000",
                                    "tile/entries",
                                    "tile/entries/abc",
                                    "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                                    "checkpoint"};
  static const struct asz_tile good[] = {
      {0, 0, 256}, {7, 0, 1}, {0, 1234067, 256}, {3, 999, 255}, {ASZ_TILE_ENTRIES, 1000, 17}, {0, UINT64_MAX >> 8, 256}};
  struct asz_tile tile;
  char path[ASZ_TILE_PATH_MAX];
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    cr_assert_eq(asz_tile_parse(&tile, bad[i]), ASZ_EFORMAT, "%s", bad[i]);
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    asz_tile_path(path, &good[i]);
    cr_assert_eq(asz_tile_parse(&tile, path), 0, "%s", path);
    cr_assert(tile.level == good[i].level && tile.index == good[i].index && tile.width == good[i].width, "%s", path);
  }
}

Test(tiles, paths_are_those_of_the_specification)
{
  static const struct {
    struct asz_tile tile;
    const char *path;
  } known[] = {
      {{0, 1234067, 256}, "tile/0/x001/x234/067"},
      {{0, 0, 256}, "tile/0/000"},
      {{0, 273, 112}, "tile/0/273.p/112"},
      {{0, 999, 1}, "tile/0/999.p/1"},
      {{0, 1000, 255}, "tile/0/x001/000.p/255"},
      {{7, 72057594037927935, 256}, "tile/7/x072/x057/x594/x037/x927/935"},
      {{ASZ_TILE_ENTRIES, 1234067, 5}, "tile/entries/x001/x234/067.p/5"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    char path[ASZ_TILE_PATH_MAX];
    asz_tile_path(path, &known[i].tile);
    cr_assert_str_eq(path, known[i].path);
  }
}

Test(tiles, widths_are_those_of_the_specification)
{
  /* "273 full level 0 tiles, one partial level 0 tile of width 112, one full level 1 tile, one partial level 1 tile of width 17,
   * and one partial level 2 tile of width 1" */
  cr_assert_eq(asz_tile_at(70000, 0, 272).width, 256);
  cr_assert_eq(asz_tile_at(70000, 0, 273).width, 112);
  cr_assert_eq(asz_tile_at(70000, 0, 274).width, 0);
  cr_assert_eq(asz_tile_at(70000, 1, 0).width, 256);
  cr_assert_eq(asz_tile_at(70000, 1, 1).width, 17);
  cr_assert_eq(asz_tile_at(70000, 2, 0).width, 1);
  cr_assert_eq(asz_tile_at(70000, 3, 0).width, 0);
  cr_assert_eq(asz_tile_at(70000, ASZ_TILE_ENTRIES, 273).width, 112);
  /* "a tree of size 256 will be represented by a full level 0 tile and a partial level 1 tile of width 1" */
  cr_assert_eq(asz_tile_at(256, 0, 0).width, 256);
  cr_assert_eq(asz_tile_at(256, 0, 1).width, 0);
  cr_assert_eq(asz_tile_at(256, 1, 0).width, 1);
  cr_assert_eq(asz_tile_at(0, 0, 0).width, 0);
}
