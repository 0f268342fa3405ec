/* SPDX-License-Identifier: Apache-2.0 */
/* asz_chunks: OPENs whose chunks are still to be sent.
 *
 * One request draws up to 32 datagrams, so they leave a few a turn of the loop and STAMP gets its turn between. Each counts
 * against the rate of its source; when that is used up the rest of the request is dropped. Its work stays pinned till the end. */
#ifndef ASZ_CONTROL_RESPONDER_CHUNKS_H
#define ASZ_CONTROL_RESPONDER_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>

#include "control/responder/counters.h"
#include "control/responder/datagram.h"
#include "control/responder/limiter.h"
#include "control/responder/work.h"

enum { ASZ_CHUNKS_QUEUE = 64 };

struct asz_chunks_request {
  struct asz_work *work;
  struct asz_open open;
  struct asz_ends ends;
  uint8_t reply_key[16];
};

struct asz_chunks {
  struct asz_chunks_request request[ASZ_CHUNKS_QUEUE]; /* a ring */
  uint32_t head, tail;
  unsigned sent; /* of the oldest */
};

/* asz_chunks_push pins the work; false when the queue is full. The part that is asked about is OPENED_READY. */
bool asz_chunks_push(struct asz_chunks *chunks, const struct asz_chunks_request *request);
static inline bool asz_chunks_waiting(const struct asz_chunks *chunks) {
  return chunks->head != chunks->tail;
}
/* asz_chunks_next: ASZ_RESP_ANSWERED_OPENINGS and the next chunk, or ASZ_RESP_DROPPED_RATE for the rest of a request. One must be
 * waiting (asserted). */
enum asz_resp_counter asz_chunks_next(struct asz_chunks *chunks, struct asz_limiter *limiter, const uint8_t provider_id[8],
                                      uint64_t now_ns, struct asz_datagram *ret_datagram);

#endif
