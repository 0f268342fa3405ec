/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sig_cases: signatures, right, wrong and odd, that every judge of `sig` is asked about; the right verdict is always the one
 * that libsodium itself gives. Each generator appends; all are seeded. */
#ifndef ASZ_TESTS_GPU_SIG_CASES_H
#define ASZ_TESTS_GPU_SIG_CASES_H

#include <stddef.h>
#include <stdint.h>

#include "gpu/verify.h"
#include "tests/random.h"

struct asz_sig_case {
  uint8_t public_key[32], signature[64], message[ASZ_SIG_MESSAGE_MAX + 1];
  uint8_t message_bytes;
  char name[48];
};

struct asz_sig_cases {
  struct asz_sig_case *item;
  size_t count, capacity;
  struct asz_test_random random;
};

/* asz_sig_cases_new: none yet. Free with asz_sig_cases_free. */
struct asz_sig_cases asz_sig_cases_new(uint64_t seed);
void asz_sig_cases_free(struct asz_sig_cases *cases);

void asz_sig_cases_add_valid(struct asz_sig_cases *cases, unsigned count); /* random keys, random messages of all lengths */
/* Every bit of key, signature and message of `count` valid ones flipped in turn. */
void asz_sig_cases_add_flips(struct asz_sig_cases *cases, unsigned count);
void asz_sig_cases_add_noise(struct asz_sig_cases *cases, unsigned count); /* random bytes, and valid ones half overwritten */
/* S + L, S + 2L .. where they fit 256 bits, L itself, and other S next to the border. */
void asz_sig_cases_add_large_s(struct asz_sig_cases *cases, unsigned count);
/* y in p..2^255-1 as key and as R, with both parity bits. */
void asz_sig_cases_add_non_canonical(struct asz_sig_cases *cases);
/* The eight points of small order as A and as R, in every spelling, with an S that makes the equation hold where one is known. */
void asz_sig_cases_add_small_order(struct asz_sig_cases *cases);
/* A and R with small-order components: the equation holds for some messages and not for others. */
void asz_sig_cases_add_mixed_order(struct asz_sig_cases *cases, unsigned count);
/* All of the above in the sizes that tests use. */
void asz_sig_cases_add_all(struct asz_sig_cases *cases);

/* Public vectors from $ASSIZE_VECTORS; skips the test when that is not set. */
void asz_sig_cases_add_cctv(struct asz_sig_cases *cases);
void asz_sig_cases_add_speccheck(struct asz_sig_cases *cases);

/* asz_sig_cases_check asks a judge about all cases and compares with libsodium; fails the test at the first difference, naming
 * case and seed. Returns how many passed. */
typedef void asz_sig_judge_all(uint8_t *ret_verdict, const struct asz_sig_case *item, size_t count);
size_t asz_sig_cases_check(const struct asz_sig_cases *cases, asz_sig_judge_all *judge);

#endif
