/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sig_set: cases as the backends of gpu/simd/sig.h want them, and what libsodium says of each. Failures fail the test. */
#ifndef ASZ_TESTS_GPU_SIMD_SIG_SET_H
#define ASZ_TESTS_GPU_SIMD_SIG_SET_H

#include "gpu/simd/sig.h"
#include "tests/gpu/sig_cases.h"

struct asz_sig_set {
  struct asz_sig_keys *keys;
  struct asz_sig_items items;
  uint8_t *expected;
};

/* asz_sig_set_take: zeroed memory, never NULL. */
void *asz_sig_set_take(size_t count, size_t size);

/* asz_sig_set_new: equal keys share an entry. */
struct asz_sig_set asz_sig_set_new(const struct asz_sig_cases *cases, size_t table_bytes);
void asz_sig_set_free(struct asz_sig_set *set);

/* asz_sig_set_part: the items first..first+count-1 alone, in the memory of the set. */
struct asz_sig_items asz_sig_set_part(const struct asz_sig_set *set, uint32_t first, uint32_t count);

/* asz_sig_set_backend: the next one after *at that this machine supports, NULL at the end; says which are left out. */
const struct asz_sig_backend *asz_sig_set_backend(unsigned *at);

/* asz_sig_set_check asks every backend about all cases and compares with libsodium. Frees the cases; returns how many passed. */
size_t asz_sig_set_check(struct asz_sig_cases *cases, size_t table_bytes);

/* asz_sig_set_storm appends count (a multiple of 4) cases of some 300 keys: good, of mixed order, of small order, not canonical,
 * no points. One in four is signed as it should be by its key, or by the equation that the key's order allows; the others are
 * such ones with something wrong, or looking wrong. */
void asz_sig_set_storm(struct asz_sig_cases *cases, unsigned count);

#endif
