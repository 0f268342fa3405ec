/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sketch: a DDSketch (Masson, Rim, Lee, VLDB 2019) of round-trip times with 1 % relative error, dense, integers only.
 *
 * Bin i holds values in (bound[i-1], bound[i]]; the bounds grow by gamma = 1.01/0.99 from 1 us and are made by integer
 * recurrence, so every machine has the same ones. The estimate of a bin is within 1 % of each value in it. Values up to 1 us fall
 * into bin 0, values over the last bound (over 4.29 s) into the last bin. 16-bit counts: a provider gets at most 65,535 probes an
 * epoch (checked by the plan), and adding saturates rather than wraps. Merging adds bin by bin; only servers of one operator are
 * merged. */
#ifndef ASZ_DATAPLANE_BASE_SKETCH_H
#define ASZ_DATAPLANE_BASE_SKETCH_H

#include <stddef.h>
#include <stdint.h>

enum { ASZ_SKETCH_BINS = 768 };

struct asz_sketch {
  uint16_t count[ASZ_SKETCH_BINS];
};
_Static_assert(sizeof(struct asz_sketch) == 1536, "24 cache lines; a sample touches one");

/* asz_sketch_init builds the tables once; call before any other (idempotent, not thread-safe the first time). */
void asz_sketch_init(void);
/* asz_sketch_bin: the bin of a value. Pure after init; a few cycles, no division. */
unsigned asz_sketch_bin(uint64_t value_ns);
/* asz_sketch_value: the bin's estimate in ns (within 1 % of all values in it). */
uint64_t asz_sketch_value(unsigned bin);
void asz_sketch_add(struct asz_sketch *sketch, uint64_t value_ns);
void asz_sketch_merge(struct asz_sketch *into, const struct asz_sketch *from);
uint64_t asz_sketch_total(const struct asz_sketch *sketch);
/* asz_sketch_quantile: the estimate at rank floor(q_ppm * (n - 1) / 10^6); q_ppm in 0..1,000,000; 0 for an empty sketch. */
uint64_t asz_sketch_quantile(const struct asz_sketch *sketch, uint32_t q_ppm);

/* Packed form for storage: pairs of varint (bins skipped, count), in bin order; at most ASZ_SKETCH_PACKED_MAX bytes. Returns the
 * size. unpack: ASZ_EFORMAT for anything that pack did not make (truncated, overlong, zero count, trailing bytes). */
enum { ASZ_SKETCH_PACKED_MAX = ASZ_SKETCH_BINS * 5 };
size_t asz_sketch_pack(uint8_t *ret_bytes, const struct asz_sketch *sketch);
__attribute__((warn_unused_result)) int asz_sketch_unpack(struct asz_sketch *ret_sketch, const uint8_t *bytes, size_t size_bytes);

#endif
