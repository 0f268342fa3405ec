/* SPDX-License-Identifier: Apache-2.0 */
/* asz_agree: seeded items of every kind, honest and spoilt, of which two verifiers must say the same, in verdict and reason. */
#ifndef ASZ_TESTS_GPU_AGREE_H
#define ASZ_TESTS_GPU_AGREE_H

#include "gpu/verify.h"

/* asz_agree_config: what the verifiers must be made with. */
void asz_agree_config(struct asz_verify_config *ret_config);

/* asz_agree_check: fails the test at the first item on which they differ. Of `items`, half are signatures, a quarter chains, an
 * eighth each openings of gemm and of mem. Returns how many passed. */
uint64_t asz_agree_check(struct asz_verifier *a, struct asz_verifier *b, uint64_t items, uint64_t seed);

#endif
