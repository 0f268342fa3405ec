/* SPDX-License-Identifier: Apache-2.0 */
/* asz_duty: how much of its time a provider gives to gemm and mem: at most a share of any hour, whoever asks.
 *
 * What was spent is kept by the minute for the last sixty of them, so the bound holds for every hour that begins with a minute.
 * What a piece of work takes is known only afterwards; until then the longest piece so far is set aside for it, so that work
 * which waits counts as well. Only the very first pieces can go over the bound, by what they take. */
#ifndef ASZ_CONTROL_RESPONDER_DUTY_H
#define ASZ_CONTROL_RESPONDER_DUTY_H

#include <stdbool.h>
#include <stdint.h>

enum { ASZ_DUTY_PPM_MAX = 1000000, ASZ_DUTY_MINUTES = 60 };

struct asz_duty {
  uint64_t bound_ns;                   /* of an hour */
  uint64_t minute;                     /* the latest one, counted from the clock's zero */
  uint64_t spent_ns[ASZ_DUTY_MINUTES]; /* by minute % ASZ_DUTY_MINUTES */
  uint64_t set_aside_ns, longest_ns;
};

/* asz_duty_make: ppm 1..ASZ_DUTY_PPM_MAX of an hour (asserted). */
struct asz_duty asz_duty_make(uint64_t ppm);
/* asz_duty_take: may another piece of work begin? Then *ret_aside_ns is what is set aside for it. now_ns: monotonic. */
bool asz_duty_take(struct asz_duty *duty, uint64_t now_ns, uint64_t *ret_aside_ns);
/* asz_duty_spend: it took spent_ns and ended now; 0 when it was never begun. */
void asz_duty_spend(struct asz_duty *duty, uint64_t now_ns, uint64_t aside_ns, uint64_t spent_ns);

#endif
