/* SPDX-License-Identifier: Apache-2.0 */
/* asz_delay: the delay line: things that leave at their due time, earliest first, in order of arrival among equals. All memory is
 * taken by asz_delay_new. One thread. */
#ifndef ASZ_DATAPLANE_EMULATOR_DELAY_H
#define ASZ_DATAPLANE_EMULATOR_DELAY_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"

struct asz_delayed {
  void *what;           /* the caller's */
  uint64_t arrival_tsc; /* when its cause arrived */
  uint32_t provider;
  uint32_t kind; /* the caller's */
};

struct asz_delay;

/* asz_delay_new: capacity 1..2^28. ASZ_EINVAL, ASZ_ENOMEM. asz_delay_free does not touch what is still inside: pop it first. */
ASZ_MUST_CHECK int asz_delay_new(struct asz_delay **ret_delay, uint32_t capacity);
void asz_delay_free(struct asz_delay *delay);  /* NULL is fine */
size_t asz_delay_footprint(uint32_t capacity); /* bytes that asz_delay_new takes */

/* asz_delay_push: ASZ_EAGAIN when full. */
ASZ_MUST_CHECK int asz_delay_push(struct asz_delay *delay, uint64_t due_tsc, const struct asz_delayed *delayed);
/* asz_delay_pop takes the earliest that is due at now_tsc: 1 taken, 0 none. now_tsc usually grows; when it does not, nothing goes
 * wrong. UINT64_MAX empties the line. */
int asz_delay_pop(struct asz_delay *delay, uint64_t now_tsc, struct asz_delayed *ret_delayed);
uint32_t asz_delay_count(const struct asz_delay *delay);

#endif
