/* SPDX-License-Identifier: Apache-2.0 */
/* ASZ_WIDE: a function whose loop the compiler makes as wide as the machine has registers: compiled once for each width, and the
 * dynamic linker picks, once, at load. The loop stays plain C; intrinsics would be three sources to keep equal.
 *
 * AddressSanitizer and ThreadSanitizer are not ready yet when the linker picks, so their builds, and clang's (the fuzzers), run
 * the plain version of the same loop. At -O2 gcc 12 leaves loops scalar. */
#ifndef ASZ_DATAPLANE_BASE_WIDE_H
#define ASZ_DATAPLANE_BASE_WIDE_H

#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ASZ_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ASZ_WIDE
#endif

#endif
