/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/duty.h"

#include <assert.h>
#include <string.h>

static const uint64_t hour_us = UINT64_C(3600) * 1000000, minute_ns = UINT64_C(60) * 1000000000;

struct asz_duty asz_duty_make(uint64_t ppm) {
  assert(ppm >= 1 && ppm <= ASZ_DUTY_PPM_MAX);
  return (struct asz_duty){.bound_ns = hour_us / 1000 * ppm}; /* a millionth of an hour is 3.6 ms */
}

/* Forgets the minutes that have passed. */
static void move_on(struct asz_duty *duty, uint64_t now_ns) {
  const uint64_t minute = now_ns / minute_ns;
  if (minute - duty->minute >= ASZ_DUTY_MINUTES)
    memset(duty->spent_ns, 0, sizeof duty->spent_ns);
  else
    for (uint64_t passed = duty->minute + 1; passed <= minute; passed++)
      duty->spent_ns[passed % ASZ_DUTY_MINUTES] = 0;
  duty->minute = minute;
}

bool asz_duty_take(struct asz_duty *duty, uint64_t now_ns, uint64_t *ret_aside_ns) {
  move_on(duty, now_ns);
  uint64_t sum_ns = duty->set_aside_ns + duty->longest_ns;
  for (unsigned i = 0; i < ASZ_DUTY_MINUTES; i++)
    sum_ns += duty->spent_ns[i];
  if (sum_ns > duty->bound_ns)
    return false;
  *ret_aside_ns = duty->longest_ns;
  duty->set_aside_ns += duty->longest_ns;
  return true;
}

void asz_duty_spend(struct asz_duty *duty, uint64_t now_ns, uint64_t aside_ns, uint64_t spent_ns) {
  assert(duty->set_aside_ns >= aside_ns);
  move_on(duty, now_ns);
  duty->set_aside_ns -= aside_ns;
  duty->spent_ns[duty->minute % ASZ_DUTY_MINUTES] += spent_ns;
  if (spent_ns > duty->longest_ns)
    duty->longest_ns = spent_ns;
}
