/* SPDX-License-Identifier: Apache-2.0 */
/* asz_bound: an upper bound of a duration in 7 bits, so that every sample can afford one.
 *
 * Code c > 0 stands for (4 + c mod 4) * 2^(c div 4) / 4 ns, rounded down: four steps an octave, so what is read is never less
 * than what was meant and at most a quarter more. 0: nothing is stated. 127 (3.76 s) also stands for all that is longer. Pure. */
#ifndef ASZ_DATAPLANE_BASE_BOUND_H
#define ASZ_DATAPLANE_BASE_BOUND_H

#include <stdint.h>

enum { ASZ_BOUND_CODE_MAX = 127 };

static inline uint64_t asz_bound_ns(uint8_t code) {
  return code == 0 ? 0 : ((4 + (uint64_t)(code & 3)) << (code >> 2)) >> 2;
}

static inline uint8_t asz_bound_code(uint64_t ns) {
  if (ns <= 1)
    return 1; /* 1 ns: code 0 is taken */
  unsigned octave = 63 - (unsigned)__builtin_clzll(ns);
  if (octave > 31)
    return ASZ_BOUND_CODE_MAX;
  uint64_t quarters = (4 * ns + (UINT64_C(1) << octave) - 1) >> octave; /* 4..8, rounded up */
  uint64_t code = 4 * octave + quarters - 4;
  return code < ASZ_BOUND_CODE_MAX ? (uint8_t)code : (uint8_t)ASZ_BOUND_CODE_MAX;
}

#endif
