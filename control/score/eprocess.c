/* SPDX-License-Identifier: Apache-2.0 */
/* The e-process in integers.
 *
 * With p0 = 1/1000 and p1 = k/1000 both factors are exact small fractions: p1/p0 = k and (1 - p1)/(1 - p0) = (1000 - k)/999. So a
 * step is one 128-bit product and one division, rounded down, and no table of rounded constants exists that could be wrong.
 *
 * Why the computed E never exceeds the true one: by induction over the slots. Each operation (add the start mass, multiply by a
 * non-negative factor, saturate, take the mean) is monotone in M, and each result is rounded down: computed M <= true M before a
 * slot gives computed M <= true M after it. The start mass of a slot, floor(2^32/N), and the unspent mass are rounded down too.
 *
 * What rounding costs: the start mass loses 0.5/81715 = 6e-6 of its value, a right slot at most one unit of 2^-32 where the
 * smallest M is over 9,000 units: E is at most some parts in 10^4 too small, which delays nothing that a slot could show. */
#include "control/score/eprocess.h"

#include <string.h>

#include "dataplane/base/bytes.h"

/* p1 in thousandths, that is, in units of p0. */
static const uint32_t grid_p1[ASZ_EPROCESS_GRID] = {2, 5, 20, 50, 200, 500, 900};

enum {
  P0_INVERSE = 1000,
  AT_SLOTS = 8 * ASZ_EPROCESS_GRID,
  AT_FIRED = AT_SLOTS + 4, /* one byte; the count of wrong slots needs 16 bits and has the 24 behind it */
  WRONG_BITS = 24,
};
_Static_assert(AT_FIRED + 4 == ASZ_EPROCESS_BYTES, "the saved form");
_Static_assert(ASZ_EPROCESS_SLOTS < 1 << WRONG_BITS, "wrong fits behind fired");

#define M_MAX_Q32      (UINT64_C(1) << 63)                        /* 2^31 */
#define START_MASS_Q32 ((UINT64_C(1) << 32) / ASZ_EPROCESS_SLOTS) /* floor(2^32 / N) */

void asz_eprocess_init(struct asz_eprocess *ret_process) {
  memset(ret_process, 0, sizeof *ret_process);
}

void asz_eprocess_step(struct asz_eprocess *process, bool wrong) {
  if (process->slots == ASZ_EPROCESS_SLOTS)
    asz_eprocess_init(process);

  for (unsigned i = 0; i < ASZ_EPROCESS_GRID; i++) {
    unsigned __int128 m = (unsigned __int128)process->m_q32[i] + START_MASS_Q32;
    m = wrong ? m * grid_p1[i] : m * (P0_INVERSE - grid_p1[i]) / (P0_INVERSE - 1);
    process->m_q32[i] = m < M_MAX_Q32 ? (uint64_t)m : M_MAX_Q32;
  }
  process->slots++;
  process->wrong += wrong;
  if (asz_eprocess_value_q32(process) >= (uint64_t)ASZ_EPROCESS_THRESHOLD << 32)
    process->fired = true;
}

uint64_t asz_eprocess_value_q32(const struct asz_eprocess *process) {
  unsigned __int128 sum = 0;
  for (unsigned i = 0; i < ASZ_EPROCESS_GRID; i++)
    sum += process->m_q32[i];
  uint64_t unspent_q32 = ((uint64_t)(ASZ_EPROCESS_SLOTS - process->slots) << 32) / ASZ_EPROCESS_SLOTS;
  return (uint64_t)(sum / ASZ_EPROCESS_GRID) + unspent_q32; /* <= 2^63 + 2^32 */
}

bool asz_eprocess_fired(const struct asz_eprocess *process) {
  return process->fired;
}

void asz_eprocess_save(uint8_t *ret_bytes, const struct asz_eprocess *process) {
  for (unsigned i = 0; i < ASZ_EPROCESS_GRID; i++)
    asz_be64_store(ret_bytes + 8 * i, process->m_q32[i]);
  asz_be32_store(ret_bytes + AT_SLOTS, process->slots);
  asz_be32_store(ret_bytes + AT_FIRED, (uint32_t)process->fired << WRONG_BITS | process->wrong);
}

/* 900^wrong, or the threshold when that is less: no factor of the grid is over 900, and the mass that they multiply is 1 in all.
 */
static uint64_t value_max(uint32_t wrong) {
  uint64_t value = 1;
  for (uint32_t i = 0; i < wrong && value < ASZ_EPROCESS_THRESHOLD; i++)
    value *= grid_p1[ASZ_EPROCESS_GRID - 1];
  return value < ASZ_EPROCESS_THRESHOLD ? value : ASZ_EPROCESS_THRESHOLD;
}

/* False for what no history of steps leads to: a state from a damaged or forged file. */
static bool reachable(const struct asz_eprocess *process) {
  if (process->slots > ASZ_EPROCESS_SLOTS || process->wrong > process->slots)
    return false;
  for (unsigned i = 0; i < ASZ_EPROCESS_GRID; i++) {
    /* every step leaves some mass, and before the first there is none */
    if (process->m_q32[i] > M_MAX_Q32 || (process->m_q32[i] == 0) != (process->slots == 0))
      return false;
  }
  uint64_t max = value_max(process->wrong);
  if (process->fired)
    return max == ASZ_EPROCESS_THRESHOLD;
  uint64_t value_q32 = asz_eprocess_value_q32(process);
  return value_q32 < (uint64_t)ASZ_EPROCESS_THRESHOLD << 32 && value_q32 <= max << 32;
}

int asz_eprocess_load(struct asz_eprocess *ret_process, const uint8_t *bytes) {
  struct asz_eprocess process = {0};
  for (unsigned i = 0; i < ASZ_EPROCESS_GRID; i++)
    process.m_q32[i] = asz_be64_load(bytes + 8 * i);
  process.slots = asz_be32_load(bytes + AT_SLOTS);
  process.wrong = asz_be32_load(bytes + AT_FIRED) & ((1u << WRONG_BITS) - 1);
  if (bytes[AT_FIRED] > 1)
    return ASZ_EFORMAT;
  process.fired = bytes[AT_FIRED] == 1;
  if (!reachable(&process))
    return ASZ_EFORMAT;
  *ret_process = process;
  return 0;
}
