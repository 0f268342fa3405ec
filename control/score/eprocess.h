/* SPDX-License-Identifier: Apache-2.0 */
/* asz_eprocess: when wrong answers become a slash.
 *
 * x_t = 1 when correctness slot t has a confirmed wrong signed answer, else 0. For each p1 of a 7-point grid {2 p0, 5 p0, 20 p0,
 * .05, .2, .5, .9}, p0 = 1e-3: M <- (M + 1/N) * (x ? p1/p0 : (1 - p1)/(1 - p0)),   N = 52,560 slots (a year of 10-minute slots)
 * E = mean of the grid + unspent start mass (1 - t/N); it fires when E >= 10^6. E is a non-negative supermartingale that starts
 * at 1 under H0 (each slot wrong with conditional probability at most p0), so by Ville's inequality P(ever E >= 10^6 within N
 * slots) <= 10^-6. After N slots a new year starts from 1.
 *
 * Ville bounds the chance that E *ever* crosses, so a crossing is remembered: E may fall again with the next right answers (it
 * does, fast), the crossing stays until the year ends. Otherwise an epoch of several slots could hide it.
 *
 * Fixed point Q32, every rounding down: the computed E never exceeds the true one, so rounding can only delay a slash. M
 * saturates at 2^31 (far over the threshold times 7). Source: e-detectors, Shin, Ramdas, Rinaldo (arXiv 2203.03532); parameters:
 * docs/scoring.md. */
#ifndef ASZ_CONTROL_SCORE_EPROCESS_H
#define ASZ_CONTROL_SCORE_EPROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/err.h"

enum { ASZ_EPROCESS_GRID = 7, ASZ_EPROCESS_SLOTS = 52560, ASZ_EPROCESS_THRESHOLD = 1000000, ASZ_EPROCESS_BYTES = 64 };

struct asz_eprocess {
  uint64_t m_q32[ASZ_EPROCESS_GRID];
  uint32_t slots; /* since the year's start, 0..ASZ_EPROCESS_SLOTS */
  uint32_t wrong; /* of those */
  bool fired;     /* E reached the threshold in this year */
};

void asz_eprocess_init(struct asz_eprocess *ret_process);
/* asz_eprocess_step advances one slot. A step after the year's last slot starts the new year with this slot. */
void asz_eprocess_step(struct asz_eprocess *process, bool wrong);
/* asz_eprocess_value: E as Q32, rounded down, saturating: E now, which may be below the threshold again after it fired. */
uint64_t asz_eprocess_value_q32(const struct asz_eprocess *process);
/* asz_eprocess_fired: E reached the threshold at some slot of this year. */
bool asz_eprocess_fired(const struct asz_eprocess *process);

/* Fixed big-endian form for the store and the evidence (ASZ_EPROCESS_BYTES); load refuses what step can never reach (slots over
 * the year, wrong > slots, masses over the saturation, a crossing without wrong answers ...). */
void asz_eprocess_save(uint8_t *ret_bytes, const struct asz_eprocess *process);
ASZ_MUST_CHECK int asz_eprocess_load(struct asz_eprocess *ret_process, const uint8_t *bytes);

#endif
