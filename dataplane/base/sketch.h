/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sketch: the distribution of one target's round-trip times in little, fixed memory. Integers only.
 *
 * Bins as of a DDSketch (Masson, Rim, Lee, VLDB 2019) with 1 % relative error: bin i holds values in (bound[i-1], bound[i]]; the
 * bounds grow by gamma = 101/99 from 1 us and are made by integer recurrence, so every machine has the same ones. Values up to
 * 1 us fall into bin 0, values over the last bound (over 4.29 s) into the last bin.
 *
 * The bins are folded onto a few cells: one of level L stands for 2^L neighbouring bins and lies at (bin >> L) modulo the number
 * of cells. While the values span no more places than there are cells, no two share one, so nothing ever moves. When they span
 * more, all are joined in pairs, as in a UDDSketch (Epicoco and others, IEEE Access 2020): the error doubles for every quantile
 * alike, and no count is lost. 256 cells keep 1 % while values span a factor of 160, and 2 % whatever they span; 64 cells keep
 * 1 % up to 3.5, 2 % up to 12, 4 % up to 160.
 *
 * The level follows from the smallest and the largest value alone: the order of arrival does not matter, and merging two sketches
 * gives the sketch of all their values, cell by cell. Only servers of one operator are merged. Counts have 16 bits and saturate:
 * a provider gets at most 65,535 probes an epoch (checked by the plan). */
#ifndef ASZ_DATAPLANE_BASE_SKETCH_H
#define ASZ_DATAPLANE_BASE_SKETCH_H

#include <stdbool.h>
#include <stdint.h>

enum {
  ASZ_SKETCH_BINS = 768,
  ASZ_SKETCH_CELLS_MIN = 32,   /* one cache line */
  ASZ_SKETCH_CELLS_MAX = 1024, /* every bin has its own */
  ASZ_SKETCH_CELLS_DEFAULT = 256,
};

/* A sketch is a view: the cells are the caller's, zero at first; a sample touches one of them. {.cell, .cell_count} is empty. */
struct asz_sketch {
  uint16_t *cell;
  uint32_t cell_count;       /* asz_sketch_cells_ok */
  uint16_t bin_min, bin_max; /* of what is in it; meaningless when empty */
  uint8_t level;
  bool some; /* not empty */
};

/* asz_sketch_init builds the tables once; call before any other (idempotent, not thread-safe the first time). */
void asz_sketch_init(void);
/* asz_sketch_bin: the bin of a value. Pure after init; a few cycles, no division. */
unsigned asz_sketch_bin(uint64_t value_ns);
/* asz_sketch_cells_ok: a power of two in range. */
bool asz_sketch_cells_ok(uint64_t cell_count);

/* asz_sketch_at: index of a bin's cell. */
static inline uint32_t asz_sketch_at(unsigned bin, unsigned level, uint32_t cell_count) {
  return (bin >> level) & (cell_count - 1);
}
/* asz_sketch_stretch: makes room for bin_min..bin_max beside what is there: joins cells if it must. */
void asz_sketch_stretch(struct asz_sketch *sketch, unsigned bin_min, unsigned bin_max);
void asz_sketch_add(struct asz_sketch *sketch, uint64_t value_ns);
/* asz_sketch_merge: both have the same number of cells (asserted). */
void asz_sketch_merge(struct asz_sketch *into, const struct asz_sketch *from);

uint64_t asz_sketch_total(const struct asz_sketch *sketch);
/* asz_sketch_quantile: the estimate at rank floor(q_ppm * (n - 1) / 10^6); q_ppm in 0..1,000,000; 0 for an empty sketch. */
uint64_t asz_sketch_quantile(const struct asz_sketch *sketch, uint32_t q_ppm);
/* Many sketches together, for one figure over all targets: counts of its own, which do not saturate. Zeroed it is empty. */
struct asz_sketch_sum {
  uint64_t bin[ASZ_SKETCH_BINS];
};
/* asz_sketch_sum_add: what lies in a cell of level L counts as the middle one of its 2^L bins. asz_sketch_sum_quantile: as
 * asz_sketch_quantile; q_ppm in 0..1,000,000; 0 when empty. */
void asz_sketch_sum_add(struct asz_sketch_sum *sum, const struct asz_sketch *sketch);
uint64_t asz_sketch_sum_quantile(const struct asz_sketch_sum *sum, uint32_t q_ppm);
/* asz_sketch_error_ppm: bound on the relative error of a quantile: 10,001 at level 0, 19,999 at level 1, 39,981 at level 2;
 * beside it half a ns of rounding. */
uint32_t asz_sketch_error_ppm(const struct asz_sketch *sketch);

#endif
