/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/chunks.h"

#include <assert.h>

bool asz_chunks_push(struct asz_chunks *chunks, const struct asz_chunks_request *request) {
  if (chunks->tail - chunks->head == ASZ_CHUNKS_QUEUE)
    return false;
  chunks->request[chunks->tail++ % ASZ_CHUNKS_QUEUE] = *request;
  request->work->pins++;
  return true;
}

static void pop(struct asz_chunks *chunks) {
  chunks->request[chunks->head % ASZ_CHUNKS_QUEUE].work->pins--;
  chunks->head++;
  chunks->sent = 0;
}

enum asz_resp_counter asz_chunks_next(struct asz_chunks *chunks, struct asz_limiter *limiter, const uint8_t provider_id[8],
                                      uint64_t now_ns, struct asz_datagram *ret_datagram) {
  assert(asz_chunks_waiting(chunks));
  const struct asz_chunks_request *request = &chunks->request[chunks->head % ASZ_CHUNKS_QUEUE];
  const struct asz_open *open = &request->open;
  if (!asz_limiter_take(limiter, &request->ends.peer, now_ns)) {
    pop(chunks);
    return ASZ_RESP_DROPPED_RATE;
  }
  const unsigned chunk = open->first_chunk + chunks->sent;
  const uint8_t *blob = request->work->answer[asz_work_part_of(open->kind, open->param)].blob;
  ret_datagram->ends = request->ends;
  ret_datagram->ttl = 0;
  ret_datagram->rx_ns = 0;
  ret_datagram->size_bytes =
      (uint32_t)asz_opening_write(ret_datagram->payload, open, provider_id, blob, chunk, request->reply_key);
  chunks->sent++;
  const unsigned all = asz_opening_chunks(asz_opening_total_bytes(open->kind, open->param, open->openings));
  if (chunks->sent == open->chunk_count || chunk + 1 == all)
    pop(chunks);
  return ASZ_RESP_ANSWERED_OPENINGS;
}
