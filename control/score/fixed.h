/* SPDX-License-Identifier: Apache-2.0 */
/* asz_fixed: the few functions scores need, in integers, the same on every machine: square root, logarithm, power of two. Q32
 * = 32.32 unsigned fixed point. Every rounding is down unless the name says otherwise; docs/scoring.md has the definitions and
 * the error bounds. Pure. */
#ifndef ASZ_CONTROL_SCORE_FIXED_H
#define ASZ_CONTROL_SCORE_FIXED_H

#include <stdint.h>

#define ASZ_Q32_ONE (UINT64_C(1) << 32)

/* floor(sqrt(x)) of a 128-bit integer. */
uint64_t asz_isqrt_u128(unsigned __int128 x);
/* log2(x / 2^32) * 2^32 for x >= 1: signed Q32 (negative below one): its floor, or one less; exact for powers of two. Monotone.
 */
int64_t asz_log2_q32(uint64_t x_q32);
/* 2^(y / 2^32) * 2^32 for y <= 0: its floor, or one less; 2^32 exactly for y = 0; 0 for y < -32. */
uint64_t asz_exp2_neg_q32(int64_t y_q32);

#endif
