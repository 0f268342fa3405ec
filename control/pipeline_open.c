/* SPDX-License-Identifier: Apache-2.0 */
/* From commitments to openings. The reveal is one for all providers of a slot, so nobody hears it before every commitment is in
 * or late. From then on up to ASZ_FETCH_MAX answers are opened at a time: OPEN asks for a run of chunks, what is missing of it
 * after a while is asked for again, and the next run once the first is there. A commitment that is not opened in time is missing.
 */
#include <assert.h>
#include <string.h>

#include "control/pipeline_internal.h"

enum {
  LOOK_PER_STEP = 256,          /* items */
  ASK_AGAIN_NS = 200 * 1000000, /* a long way round the world and a provider that makes its columns again */
};

static bool tell(struct asz_pipeline *p, uint8_t kind, uint8_t preset) {
  return preset == 0 || asz_verify_slot_set(p->verifier, asz_pipeline_slot(p, kind), preset, p->beacon, p->rho) == 0;
}

/* Tells the verifier the slot's secret, once a round, before the first opening. */
static bool reveal(struct asz_pipeline *p) {
  if (p->revealed)
    return true;
  asz_slot_reveal(p->rho, p->secret, p->slot);
  p->revealed = tell(p, ASZ_KIND_GEMM, p->config.gemm_preset) && tell(p, ASZ_KIND_MEM, p->config.mem_preset);
  return p->revealed;
}

static struct asz_fetch *free_fetch(struct asz_pipeline *p) {
  for (unsigned i = 0; i < ASZ_FETCH_MAX; i++)
    if (!p->fetch[i].busy)
      return &p->fetch[i];
  return NULL;
}

static void start_fetch(struct asz_pipeline *p, struct asz_fetch *fetch, uint32_t index, uint64_t now_ns) {
  const struct asz_challenge challenge = asz_pipeline_challenge(p, index);
  fetch->busy = true;
  fetch->index = index;
  fetch->first_ns = fetch->next_ns = now_ns;
  fetch->tx_tsc = 0;
  fetch->drops = asz_pipeline_drops(p, now_ns);
  fetch->open = (struct asz_open){
      .kind = challenge.kind,
      .param = challenge.param,
      .openings = p->config.openings,
      .epoch = challenge.epoch,
      .device = challenge.device,
      .slot = challenge.slot,
  };
  memcpy(fetch->open.validator_id, challenge.validator_id, sizeof challenge.validator_id);
  memcpy(fetch->open.nonce, challenge.nonce, sizeof challenge.nonce);
  memcpy(fetch->open.token, p->enrolled[asz_pipeline_provider(p, index)].token, ASZ_TOKEN_BYTES);
  memcpy(fetch->open.rho, p->rho, sizeof p->rho);
  asz_reassembly_init(&fetch->reassembly, fetch->blob, &fetch->open);
  p->item[index].fetch = fetch;
  p->item[index].state = ASZ_ITEM_OPENING;
}

/* Asks for the first run that is missing. */
static unsigned ask(struct asz_pipeline *p, struct asz_fetch *fetch, uint64_t now_ns) {
  uint16_t first = 0;
  unsigned count = asz_reassembly_missing(&fetch->reassembly, 0, &first);
  assert(count > 0);
  fetch->open.first_chunk = first;
  fetch->open.chunk_count = (uint16_t)count;
  struct asz_engine_datagram datagram;
  uint32_t provider = asz_pipeline_provider(p, fetch->index);
  asz_open_write(datagram.payload, &fetch->open, p->session[provider].request_key);
  if (!asz_pipeline_send_paced(p, &datagram, provider, ASZ_OPEN_BYTES, &fetch->tx_tsc, now_ns))
    return 0;
  p->counter[ASZ_PCTR_OPENS]++;
  fetch->next_ns = now_ns + ASK_AGAIN_NS;
  return 1;
}

static unsigned care(struct asz_pipeline *p, struct asz_fetch *fetch, uint64_t now_ns) {
  struct asz_item *item = &p->item[fetch->index];
  if (item->state != ASZ_ITEM_OPENING) { /* judged, or its round is over */
    fetch->busy = item->state == ASZ_ITEM_VERIFYING;
    return 0;
  }
  if (asz_reassembly_complete(&fetch->reassembly))
    return (unsigned)asz_pipeline_judge_opening(p, fetch);
  uint64_t waited_ns = now_ns - fetch->first_ns;
  if (waited_ns >= p->config.opening_deadline_ns + ASZ_SETTLE_NS) {
    p->counter[ASZ_PCTR_NOT_OPENED]++;
    fetch->busy = false;
    asz_pipeline_finish(p, fetch->index, asz_pipeline_missing(p, fetch->tx_tsc, fetch->drops, now_ns));
    return 1;
  }
  return waited_ns < p->config.opening_deadline_ns && now_ns >= fetch->next_ns ? ask(p, fetch, now_ns) : 0;
}

/* Opens commitments while there is room. */
static unsigned start_some(struct asz_pipeline *p, uint64_t now_ns) {
  unsigned done = 0;
  uint32_t count = p->item_count < LOOK_PER_STEP ? p->item_count : LOOK_PER_STEP;
  for (uint32_t n = 0; n < count; n++) {
    if (p->item[p->open_next].state == ASZ_ITEM_COMMITTED) {
      struct asz_fetch *fetch = free_fetch(p);
      if (!fetch || !reveal(p))
        return done;
      start_fetch(p, fetch, p->open_next, now_ns);
      done++;
    }
    p->open_next = p->open_next + 1 < p->item_count ? p->open_next + 1 : 0;
  }
  return done;
}

unsigned asz_pipeline_open(struct asz_pipeline *p, uint64_t now_ns) {
  unsigned done = 0;
  if (!p->fetch || now_ns < p->reveal_ns)
    return 0;
  for (unsigned i = 0; i < ASZ_FETCH_MAX; i++)
    if (p->fetch[i].busy)
      done += care(p, &p->fetch[i], now_ns);
  return done + start_some(p, now_ns);
}

void asz_pipeline_chunk(struct asz_pipeline *p, const struct asz_engine_datagram *datagram, uint64_t now_ns) {
  struct asz_opening_chunk chunk;
  if (asz_opening_read(&chunk, datagram->payload, datagram->size_bytes)) {
    p->counter[ASZ_PCTR_MALFORMED]++;
    return;
  }
  uint32_t index = asz_pipeline_index(p, datagram->target, chunk.kind);
  struct asz_fetch *fetch = index != ASZ_ITEM_NONE ? p->item[index].fetch : NULL;
  if (!fetch || p->item[index].state != ASZ_ITEM_OPENING || !asz_opening_answers(&chunk, &fetch->open) ||
      memcmp(chunk.provider_id, p->roster->provider_id[datagram->target], ASZ_ID_BYTES) != 0) {
    p->counter[ASZ_PCTR_CHUNKS_FOREIGN]++;
    return;
  }
  if (!asz_mac_check(chunk.mac, p->session[datagram->target].reply_key, datagram->payload,
                     datagram->size_bytes - (size_t)ASZ_MAC_BYTES)) {
    p->counter[ASZ_PCTR_BAD_MAC]++;
    return;
  }
  if (now_ns - fetch->first_ns > p->config.opening_deadline_ns) {
    p->counter[ASZ_PCTR_LATE]++;
    return;
  }
  if (asz_reassembly_add(&fetch->reassembly, &chunk) != 0) {
    p->counter[ASZ_PCTR_CHUNKS_FOREIGN]++;
    return;
  }
  p->counter[ASZ_PCTR_CHUNKS]++;
  uint16_t first = 0;
  unsigned missing = asz_reassembly_missing(&fetch->reassembly, fetch->open.first_chunk, &first);
  if (asz_reassembly_complete(&fetch->reassembly))
    p->counter[ASZ_PCTR_OPENED]++;
  else if (missing == 0 || first >= fetch->open.first_chunk + fetch->open.chunk_count)
    fetch->next_ns = now_ns; /* the run that was asked for is there: on to the next */
  else
    fetch->next_ns = now_ns + ASK_AGAIN_NS;
}
