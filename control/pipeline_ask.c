/* SPDX-License-Identifier: Apache-2.0 */
/* Asking: what the agenda says is due leaves at the configured rate, once consent is known where the kind needs it; what is not
 * answered is repeated, and at its deadline judged as silence. */
#include "control/pipeline_internal.h"

enum {
  SCAN_PER_STEP = 512,    /* items looked at for repeats and deadlines a step */
  CATCH_UP_NS = 10000000, /* a pause of ours is made up for by this much sending at once, no more */
};

/* Ends an item that was not asked. */
static void close_unasked(struct asz_pipeline *p, uint32_t index, enum asz_pipeline_counter why) {
  p->counter[why]++;
  p->item[index].state = ASZ_ITEM_IDLE;
  p->open--;
}

static int send_datagram(struct asz_pipeline *p, struct asz_engine_datagram *datagram, uint32_t provider, size_t size_bytes,
                         volatile uint64_t *ret_tx_tsc) {
  if (*ret_tx_tsc == UINT64_MAX) /* what was asked before never left */
    *ret_tx_tsc = 0;
  datagram->target = provider;
  datagram->port = p->roster->provider[provider].challenge_port;
  datagram->size_bytes = (uint16_t)size_bytes;
  return asz_engine_send(p->engine, datagram, ret_tx_tsc) == 0;
}

static void pay(struct asz_pipeline *p) {
  p->send_ns += UINT64_C(1000000000) / p->config.rate_ps;
}

int asz_pipeline_send_paced(struct asz_pipeline *p, struct asz_engine_datagram *datagram, uint32_t provider, size_t size_bytes,
                            volatile uint64_t *ret_tx_tsc, uint64_t now_ns) {
  if (p->send_ns > now_ns || !send_datagram(p, datagram, provider, size_bytes, ret_tx_tsc))
    return 0;
  pay(p);
  return 1;
}

/* A fold that was asked for twice has no pace: nobody knows which question it answers. So it is asked for again as late as one
 * that takes what it may is still in time, and not at all where that is sooner than the first may take. Until then every fold is
 * measured, however slow. */
static uint64_t repeat_at_ns(const struct asz_pipeline *p, uint32_t index, uint64_t now_ns) {
  uint64_t deadline_ns = asz_pipeline_deadline_ns(p, index), end_ns = p->item[index].first_ns + deadline_ns;
  uint64_t due_ns = p->kind[index % p->kind_count] == ASZ_KIND_MEM ? asz_pipeline_mem_due_ns(p, index) : 0;
  uint64_t again_ns = due_ns == 0 ? now_ns + deadline_ns / p->config.tries : due_ns > deadline_ns / 2 ? end_ns : end_ns - due_ns;
  return again_ns > now_ns && again_ns < end_ns ? again_ns : end_ns;
}

/* send_one: 1 when the challenge was handed to the engine; 0 when its ring is full. */
static int send_one(struct asz_pipeline *p, uint32_t index, uint64_t now_ns) {
  struct asz_item *item = &p->item[index];
  struct asz_challenge challenge = asz_pipeline_challenge(p, index);
  uint32_t provider = asz_pipeline_provider(p, index);
  struct asz_engine_datagram datagram;
  uint64_t drops = asz_pipeline_drops(p, now_ns);
  size_t size_bytes = asz_challenge_write(datagram.payload, &challenge, p->session[provider].request_key);
  if (!send_datagram(p, &datagram, provider, size_bytes, &item->tx_tsc))
    return 0;
  if (item->tries == 0) {
    item->first_ns = now_ns;
    item->drops = drops;
    item->stalls = p->stalls;
    pay(p); /* repeats follow at the pace of what they repeat */
  } else {
    p->counter[ASZ_PCTR_REPEATED]++;
  }
  p->counter[ASZ_PCTR_SENT]++;
  item->tries++;
  item->next_ns = repeat_at_ns(p, index, now_ns);
  item->state = ASZ_ITEM_SENT;
  return 1;
}

/* Asks, if the kind needs no consent or has it and the provider's duty is not done; holds or closes the item otherwise. 0 when
 * the engine's ring is full. */
static int ask_one(struct asz_pipeline *p, uint32_t index, uint64_t now_ns) {
  bool is_work = p->kind[index % p->kind_count] > ASZ_KIND_SINGLE_MAX;
  int consent = is_work ? asz_pipeline_consent(p, index) : 1;
  if (consent < 0)
    p->item[index].state = ASZ_ITEM_HELD;
  else if (consent == 0)
    close_unasked(p, index, ASZ_PCTR_NOT_ASKED);
  else if (is_work && !asz_pipeline_duty_left(p, index))
    close_unasked(p, index, ASZ_PCTR_OVER_DUTY);
  else
    return send_one(p, index, now_ns);
  return 1;
}

/* May this entry leave now? A group leaves as one, whatever the rate; the next one then waits for as long. */
static bool may_leave(const struct asz_pipeline *p, uint64_t now_ns) {
  const struct asz_agenda_entry *entry = &p->entry[p->send_next];
  if (now_ns < p->begin_ns + entry->due_ns)
    return false;
  bool begun = p->send_next > 0 && entry[-1].group == entry->group;
  return begun || p->send_ns <= now_ns;
}

unsigned asz_pipeline_ask(struct asz_pipeline *p, uint64_t now_ns) {
  unsigned done = 0;
  if (p->send_ns + CATCH_UP_NS < now_ns)
    p->send_ns = now_ns - CATCH_UP_NS;
  while (p->send_next < p->entry_count && may_leave(p, now_ns) && ask_one(p, p->entry[p->send_next].index, now_ns)) {
    p->send_next++;
    done++;
  }
  return done;
}

/* Silence is the provider's only when the question left and we dropped nothing from then on. */
enum asz_verdict asz_pipeline_missing(struct asz_pipeline *p, uint64_t tx_tsc, uint64_t drops, uint64_t now_ns) {
  return asz_pipeline_left(tx_tsc) && asz_pipeline_drops(p, now_ns) == drops ? ASZ_VERDICT_NONE : ASZ_VERDICT_UNJUDGED;
}

unsigned asz_pipeline_scan(struct asz_pipeline *p, uint64_t now_ns) {
  unsigned done = 0;
  uint32_t count = p->item_count < SCAN_PER_STEP ? p->item_count : SCAN_PER_STEP;
  for (uint32_t n = 0; n < count; n++) {
    uint32_t index = p->scan_next;
    p->scan_next = index + 1 < p->item_count ? index + 1 : 0;
    struct asz_item *item = &p->item[index];
    if (item->state == ASZ_ITEM_HELD && asz_pipeline_consent(p, index) >= 0)
      done += (unsigned)ask_one(p, index, now_ns);
    asz_pipeline_settle(p, item);
    if (item->state != ASZ_ITEM_SENT || now_ns < item->next_ns)
      continue;
    uint64_t waited_ns = now_ns - item->first_ns;
    if (waited_ns >= asz_pipeline_deadline_ns(p, index) + ASZ_SETTLE_NS) {
      asz_pipeline_finish(p, index, asz_pipeline_missing(p, item->tx_tsc, item->drops, now_ns));
      done++;
    } else if (waited_ns < asz_pipeline_deadline_ns(p, index) && item->tries < p->config.tries) {
      done += (unsigned)send_one(p, index, now_ns);
    }
  }
  return done;
}
