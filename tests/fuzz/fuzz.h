/* SPDX-License-Identifier: Apache-2.0 */
/* asz_fuzz: what every fuzz target shares. */
#ifndef ASZ_TESTS_FUZZ_FUZZ_H
#define ASZ_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* LLVMFuzzerTestOneInput: one input; returns 0. The buffer has exactly size_bytes bytes, so that a sanitizer sees every step
 * past its end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* FUZZ_CHECK: a property that must hold for every input. Not assert(), which a build may turn off. */
#define FUZZ_CHECK(condition)                                                                                                    \
  do {                                                                                                                           \
    if (!(condition)) {                                                                                                          \
      fprintf(stderr, "%s:%d: violated: %s\n", __FILE__, __LINE__, #condition);                                                  \
      abort();                                                                                                                   \
    }                                                                                                                            \
  } while (0)

#endif
