/* SPDX-License-Identifier: Apache-2.0 */
/* asz_delay: replies that a lab wants late (--lab-delay-us).
 *
 * Every reply waits equally long, so the queue is a ring: what came first is due first, and no heap is needed. Nothing sleeps:
 * the main loop asks when the next one is due. Memory for all slots is taken at start. */
#ifndef ASZ_CONTROL_RESPONDER_DELAY_H
#define ASZ_CONTROL_RESPONDER_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "control/responder/counters.h"
#include "control/responder/datagram.h"
#include "control/responder/stamp_path.h"
#include "dataplane/base/err.h"

/* A datagram that is going to be answered. */
struct asz_reply {
  enum asz_resp_counter answered_as; /* what is counted when it is sent; a STAMP one is still to be reflected */
  struct asz_stamp_grant grant;      /* of a STAMP one */
  struct asz_datagram datagram;
};

struct asz_delay;

/* asz_delay_new: room for `capacity` replies (1..1,048,576), each due delay_ns after it was pushed. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_delay_new(struct asz_delay **ret_delay, uint32_t capacity, uint64_t delay_ns);
void asz_delay_free(struct asz_delay *delay);
/* asz_delay_push copies the reply; false when full. now_ns: monotonic, not before that of an earlier push. */
bool asz_delay_push(struct asz_delay *delay, const struct asz_reply *reply, uint64_t now_ns);
/* asz_delay_peek: the reply behind `skip` older ones when it is due at now_ns, else NULL. The caller may change it; it stays
 * where it is until asz_delay_pop. */
struct asz_reply *asz_delay_peek(struct asz_delay *delay, uint32_t skip, uint64_t now_ns);
void asz_delay_pop(struct asz_delay *delay, uint32_t count); /* the oldest ones; count <= what peek showed (asserted) */
/* asz_delay_next_ns: when the oldest is due; UINT64_MAX when none waits. */
uint64_t asz_delay_next_ns(const struct asz_delay *delay);

#endif
