/* SPDX-License-Identifier: Apache-2.0 */
/* asz_tiles: where the tiles and entry bundles of a C2SP tlog-tiles log lie below its directory, and how they are read.
 * Within control/tlog only. */
#ifndef ASZ_CONTROL_TLOG_TILES_H
#define ASZ_CONTROL_TLOG_TILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/tlog/tlog.h"

enum {
  ASZ_TILE_WIDTH = 256,
  ASZ_TILE_BYTES = ASZ_TILE_WIDTH * 32,
  ASZ_TILE_LEVELS = 8,   /* 256^8 leaves: more than a tree size can say */
  ASZ_TILE_ENTRIES = -1, /* as level: the bundle of the entries themselves */
  ASZ_TILE_PATH_MAX = 64,
  ASZ_ENTRIES_MAX_BYTES = ASZ_TILE_WIDTH * (2 + ASZ_TLOG_ENTRY_MAX),
};

struct asz_tile {
  int level; /* 0..ASZ_TILE_LEVELS-1 or ASZ_TILE_ENTRIES */
  uint64_t index;
  unsigned width; /* 1..256; 256 is full */
};

/* asz_tile_at: the tile `index` of a level in a tree of `tree_size` leaves; width 0 when the tree does not reach it. */
struct asz_tile asz_tile_at(uint64_t tree_size, int level, uint64_t index);
/* asz_tile_path: "tile/0/x001/x234/067.p/5", relative to the log's directory. width 1..256 (asserted). */
void asz_tile_path(char ret_path[ASZ_TILE_PATH_MAX], const struct asz_tile *tile);
/* asz_tile_parse: the inverse, strict: ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_tile_parse(struct asz_tile *ret_tile, const char *path);

/* asz_tile_read_hashes: tile.width hashes. A missing partial tile is looked for in the full one, as the specification allows.
 * ASZ_EIO, ASZ_ENOENT, ASZ_EFORMAT (wrong size), ASZ_ENOMEM; the line names the file. */
ASZ_MUST_CHECK int asz_tile_read_hashes(int dir_fd, const struct asz_tile *tile, uint8_t (*ret_hash)[32], struct asz_diag *diag);
/* asz_tile_read_entries: tile.width framed entries (heap, to be freed with free), framing checked. Same fallback and errors. */
ASZ_MUST_CHECK int asz_tile_read_entries(int dir_fd, const struct asz_tile *tile, uint8_t **ret_bundle, size_t *ret_size,
                                         struct asz_diag *diag);

/* asz_entries_next steps over one framed entry at *at; ret_entry points into bundle. ASZ_EFORMAT when it is cut short. */
ASZ_MUST_CHECK int asz_entries_next(const uint8_t *bundle, size_t size_bytes, size_t *at, const uint8_t **ret_entry,
                                    size_t *ret_size);
/* asz_entries_check: bundle starts with `count` whole entries; *ret_size is where they end. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_entries_check(const uint8_t *bundle, size_t size_bytes, unsigned count, size_t *ret_size);

/* asz_tile_drop_partials deletes the partial forms of a tile that is full and published. Failing only costs space: no result. */
void asz_tile_drop_partials(int dir_fd, int level, uint64_t index);

#endif
