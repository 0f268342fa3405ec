/* SPDX-License-Identifier: Apache-2.0 */
/* One round asks each provider with a key every kind once. Item i stands for provider i / KINDS and kind i % KINDS + 1; its state
 * lives in one array that is taken before the run. Nothing is searched: an answer names provider (by address, from the engine)
 * and kind, and so its item.
 *
 * The answer's fields are compared with what this round asked before anything else is done with it: slot, nonce, device and steps
 * must be ours, and its MAC must be the session's. Only then does it cost a signature check. Every answer's signature goes to the
 * verifier; the work of kinds that have some (seq) goes there as well, and the two verdicts are joined.
 *
 * Why not one datagram after another: thousands of providers answer in the same second, and verifying in batches is what the GPU
 * needs. */
#include "control/pipeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
  KINDS = ASZ_KIND_MAX,
  RECV_PER_STEP = 64,  /* answers taken a step: keeps a step under a millisecond */
  SCAN_PER_STEP = 512, /* items looked at for repeats and deadlines a step */
  VERIFY_PER_STEP = 8, /* CPU backend: items verified a step, about a millisecond of signatures */
};

enum item_state { ITEM_IDLE = 0, ITEM_QUEUED, ITEM_SENT, ITEM_ANSWERED, ITEM_VERIFYING };

struct item {
  uint8_t state;
  uint8_t tries;
  uint8_t verdicts_due; /* of the verifier */
  uint8_t signature_verdict, work_verdict;
  uint16_t answer_bytes;
  uint64_t first_ns, next_ns; /* CLOCK_MONOTONIC: first transmission, next repeat */
  volatile uint64_t tx_tsc;   /* set by the engine: of the first transmission that left */
  uint64_t rx_tsc;
  uint8_t nonce[16];
};

struct asz_pipeline {
  struct asz_pipeline_config config;
  struct asz_engine *engine;
  struct asz_verifier *verifier;
  const struct asz_roster *roster;
  void (*sink)(void *, const struct asz_outcome *);
  void *context;

  uint32_t item_count;
  struct item *item;
  uint8_t (*answer)[ASZ_ANSWER_MAX_BYTES];
  uint32_t *verify_queue; /* items whose answer waits for a batch; item_count entries */
  uint32_t verify_head, verify_tail;
  struct asz_batch *batch[KINDS + 1]; /* FILLING, by kind */

  /* the open round */
  uint64_t round; /* counts rounds; in a verdict's tag, so that those of an aborted round are known */
  uint32_t open;  /* items not yet done */
  uint32_t send_next, scan_next;
  uint64_t send_ns; /* when the next challenge may leave */
  uint32_t epoch;
  uint64_t slot;
  uint8_t secret[32], beacon[32];
  const struct asz_session *session;
  uint64_t drops_before; /* frames lost by us when the round began */
  uint64_t counter[ASZ_PCTR_COUNT];
};

const char *asz_pipeline_counter_name(enum asz_pipeline_counter counter) {
  static const char *const name[] = {
#define ASZ_PIPELINE_COUNTER_NAME(symbol, name, help) name,
      ASZ_PIPELINE_COUNTER_LIST(ASZ_PIPELINE_COUNTER_NAME)
#undef ASZ_PIPELINE_COUNTER_NAME
  };
  assert(counter < ASZ_PCTR_COUNT);
  return name[counter];
}

int asz_pipeline_new(struct asz_pipeline **ret_pipeline, const struct asz_pipeline_config *config, struct asz_engine *engine,
                     struct asz_verifier *verifier, const struct asz_roster *roster,
                     void (*sink)(void *context, const struct asz_outcome *outcome), void *context, struct asz_diag *diag) {
  assert(config->rate_ps && config->tries && config->deadline_ns);
  struct asz_pipeline *p = calloc(1, sizeof *p);
  if (!p)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the pipeline");
  p->config = *config;
  p->engine = engine;
  p->verifier = verifier;
  p->roster = roster;
  p->sink = sink;
  p->context = context;
  p->item_count = roster->count * KINDS;
  p->item = calloc(p->item_count + 1, sizeof *p->item);
  p->answer = calloc(p->item_count + 1, sizeof *p->answer);
  p->verify_queue = calloc(p->item_count + 1, sizeof *p->verify_queue);
  if (!p->item || !p->answer || !p->verify_queue) {
    asz_pipeline_free(p);
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the challenges of %u providers", roster->count);
  }
  *ret_pipeline = p;
  return 0;
}

void asz_pipeline_free(struct asz_pipeline *p) {
  if (!p)
    return;
  free(p->item);
  free(p->answer);
  free(p->verify_queue);
  free(p);
}

bool asz_pipeline_idle(const struct asz_pipeline *p) {
  return p->open == 0;
}

void asz_pipeline_counters(const struct asz_pipeline *p, uint64_t ret_value[ASZ_PCTR_COUNT]) {
  memcpy(ret_value, p->counter, sizeof p->counter);
}

uint64_t asz_pipeline_round_ns(const struct asz_pipeline *p) {
  return p->item_count * (UINT64_C(1000000000) / p->config.rate_ps) + p->config.deadline_ns;
}

/* own_drops: frames that we lost, and ways that we did, so that silence during the round proves nothing. */
static uint64_t own_drops(const struct asz_pipeline *p) {
  struct asz_counters c;
  asz_engine_counters(p->engine, &c);
  return c.value[ASZ_CTR_RX_ANSWERS_DROPPED] + c.value[ASZ_CTR_RX_PORT_MISSED] + c.value[ASZ_CTR_LINK_LOST] +
         c.value[ASZ_CTR_NEIGH_LOST];
}

static struct asz_challenge challenge_of(const struct asz_pipeline *p, uint32_t index) {
  const struct asz_provider *provider = &p->roster->provider[index / KINDS];
  struct asz_challenge c = {
      .kind = (uint8_t)(index % KINDS + 1),
      .epoch = p->epoch,
      .slot = p->slot,
      .device = provider->device,
  };
  c.log2_steps = c.kind == ASZ_KIND_SEQ ? p->config.seq_log2_steps : 0;
  memcpy(c.validator_id, p->roster->validator_id, sizeof c.validator_id);
  memcpy(c.beacon, p->beacon, sizeof c.beacon);
  memcpy(c.nonce, p->item[index].nonce, sizeof c.nonce);
  return c;
}

void asz_pipeline_begin(struct asz_pipeline *p, uint32_t epoch, uint64_t slot, const uint8_t secret[32], const uint8_t beacon[32],
                        const struct asz_session *session, uint64_t now_ns) {
  assert(asz_pipeline_idle(p));
  p->round++;
  p->epoch = epoch;
  p->slot = slot;
  memcpy(p->secret, secret, 32);
  memcpy(p->beacon, beacon, 32);
  p->session = session;
  p->send_next = p->scan_next = 0;
  p->verify_head = p->verify_tail = 0;
  p->send_ns = now_ns;
  p->drops_before = own_drops(p);
  for (uint32_t i = 0; i < p->item_count; i++) {
    const struct asz_provider *provider = &p->roster->provider[i / KINDS];
    p->item[i] = (struct item){.state = ITEM_IDLE};
    if (!asz_provider_has_key(provider) || !provider->challenge_port)
      continue;
    p->item[i].state = ITEM_QUEUED;
    asz_challenge_nonce(p->item[i].nonce, secret, i % KINDS + 1, slot, provider->device, provider->public_key);
    p->open++;
  }
}

/* finish reports an item's outcome and closes it. */
static void finish(struct asz_pipeline *p, uint32_t index, enum asz_verdict verdict) {
  struct item *item = &p->item[index];
  const struct asz_clock *clock = asz_engine_clock(p->engine);
  struct asz_challenge challenge = challenge_of(p, index);
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES];
  uint64_t tx_tsc = item->tx_tsc;
  struct asz_outcome outcome = {
      .provider = index / KINDS,
      .epoch = p->epoch,
      .slot = p->slot,
      .kind = challenge.kind,
      .verdict = verdict,
      .tx_ns = tx_tsc && tx_tsc != UINT64_MAX ? asz_clock_realtime_ns(clock, tx_tsc) : 0,
      .rx_ns = item->answer_bytes ? asz_clock_realtime_ns(clock, item->rx_tsc) : 0,
      .clock_error_ns = clock->error_ns,
      .challenge = datagram,
      .challenge_bytes = asz_challenge_write(datagram, &challenge, p->session[index / KINDS].request_key),
      .answer = item->answer_bytes ? p->answer[index] : NULL,
      .answer_bytes = item->answer_bytes,
  };
  item->state = ITEM_IDLE;
  p->open--;
  p->sink(p->context, &outcome);
}

/* send_one: 1 when the challenge was handed to the engine; 0 when its ring is full. */
static int send_one(struct asz_pipeline *p, uint32_t index, uint64_t now_ns) {
  struct item *item = &p->item[index];
  struct asz_challenge challenge = challenge_of(p, index);
  struct asz_engine_datagram datagram = {
      .target = index / KINDS,
      .port = p->roster->provider[index / KINDS].challenge_port,
  };
  datagram.size_bytes = (uint16_t)asz_challenge_write(datagram.payload, &challenge, p->session[datagram.target].request_key);
  if (item->tx_tsc == UINT64_MAX) /* what was asked before never left */
    item->tx_tsc = 0;
  if (asz_engine_send(p->engine, &datagram, &item->tx_tsc))
    return 0;
  if (item->tries == 0)
    item->first_ns = now_ns;
  else
    p->counter[ASZ_PCTR_REPEATED]++;
  p->counter[ASZ_PCTR_SENT]++;
  item->tries++;
  item->next_ns = now_ns + p->config.deadline_ns / p->config.tries;
  item->state = ITEM_SENT;
  return 1;
}

static unsigned send_due(struct asz_pipeline *p, uint64_t now_ns) {
  unsigned done = 0;
  while (p->send_next < p->item_count && p->send_ns <= now_ns) {
    if (p->item[p->send_next].state == ITEM_QUEUED) {
      if (!send_one(p, p->send_next, now_ns))
        break;
      p->send_ns += UINT64_C(1000000000) / p->config.rate_ps;
      done++;
    }
    p->send_next++;
  }
  return done;
}

/* accept_answer checks one datagram against what this round asked and keeps it. */
static void accept_answer(struct asz_pipeline *p, const struct asz_engine_datagram *datagram, uint64_t now_ns) {
  struct asz_answer answer;
  if (datagram->target >= p->roster->count || asz_answer_read(&answer, datagram->payload, datagram->size_bytes)) {
    p->counter[ASZ_PCTR_MALFORMED]++;
    return;
  }
  uint32_t index = datagram->target * KINDS + answer.kind - 1u;
  struct item *item = &p->item[index];
  struct asz_challenge asked = challenge_of(p, index);
  if (p->open == 0 || answer.epoch != asked.epoch || answer.slot != asked.slot || answer.device != asked.device ||
      answer.log2_steps != asked.log2_steps || memcmp(answer.nonce, asked.nonce, sizeof asked.nonce) != 0 ||
      memcmp(answer.provider_id, p->roster->provider_id[datagram->target], ASZ_ID_BYTES) != 0) {
    p->counter[ASZ_PCTR_FOREIGN]++;
    return;
  }
  if (!asz_mac_check(answer.mac, p->session[datagram->target].reply_key, datagram->payload,
                     datagram->size_bytes - (size_t)ASZ_MAC_BYTES)) {
    p->counter[ASZ_PCTR_BAD_MAC]++;
    return;
  }
  if (item->state != ITEM_SENT) {
    p->counter[ASZ_PCTR_DUPLICATE]++;
    return;
  }
  if (now_ns - item->first_ns > p->config.deadline_ns) {
    p->counter[ASZ_PCTR_LATE]++;
    return;
  }
  p->counter[ASZ_PCTR_ANSWERS]++;
  memcpy(p->answer[index], datagram->payload, datagram->size_bytes);
  item->answer_bytes = datagram->size_bytes;
  item->rx_tsc = datagram->tsc;
  item->state = ITEM_ANSWERED;
  p->verify_queue[p->verify_tail++] = index;
}

static unsigned receive(struct asz_pipeline *p, uint64_t now_ns) {
  struct asz_engine_datagram datagram;
  unsigned done = 0;
  while (done < RECV_PER_STEP && asz_engine_recv(p->engine, &datagram)) {
    accept_answer(p, &datagram, now_ns);
    done++;
  }
  return done;
}

/* The batch being filled for a kind, with room; NULL when the verifier has none left: the answers wait in their queue. */
static struct asz_batch *batch_of(struct asz_pipeline *p, unsigned kind) {
  struct asz_batch **batch = &p->batch[kind];
  if (*batch && (*batch)->count == (*batch)->capacity) {
    asz_verify_submit(p->verifier, *batch);
    *batch = NULL;
  }
  if (!*batch)
    *batch = asz_verify_batch(p->verifier, kind);
  return *batch;
}

static uint64_t tag_of(const struct asz_pipeline *p, uint32_t index) {
  return p->round << 32 | index;
}

/* enqueue_one puts an answer's signature, and its work where the kind has some, into batches: 0 when there was no room. */
static int enqueue_one(struct asz_pipeline *p, uint32_t index) {
  struct asz_batch *sig = batch_of(p, ASZ_KIND_SIG);
  struct asz_challenge challenge = challenge_of(p, index);
  struct asz_batch *work = challenge.kind == ASZ_KIND_SIG ? NULL : batch_of(p, challenge.kind);
  if (!sig || (challenge.kind != ASZ_KIND_SIG && !work))
    return 0;
  struct item *item = &p->item[index];
  struct asz_answer answer;
  int err = asz_answer_read(&answer, p->answer[index], item->answer_bytes);
  assert(!err); /* it was read when it was accepted */
  (void)err;
  const uint8_t *provider_pk = p->roster->provider[index / KINDS].public_key;
  uint8_t seed[32];
  asz_challenge_seed(seed, &challenge, p->roster->validator_pk, provider_pk);

  uint32_t i = sig->count++;
  sig->tag[i] = tag_of(p, index);
  memcpy(sig->public_key[i], provider_pk, 32);
  memcpy(sig->signature[i], answer.signature, 64);
  asz_answer_signed_bytes(sig->message[i], challenge.kind, challenge.log2_steps, challenge.epoch, challenge.slot,
                          challenge.device, seed, answer.body, answer.body_bytes);
  sig->message_bytes[i] = ASZ_SIGNED_BYTES;
  item->verdicts_due = 1;
  if (work) {
    uint32_t j = work->count++;
    work->tag[j] = tag_of(p, index);
    memcpy(work->seed[j], seed, 32);
    memcpy(work->checkpoint[j], answer.body, sizeof work->checkpoint[j]);
    work->log2_steps[j] = challenge.log2_steps;
    item->verdicts_due = 2;
  }
  item->work_verdict = ASZ_VERDICT_PASS; /* of a kind without work */
  item->state = ITEM_VERIFYING;
  return 1;
}

static unsigned enqueue(struct asz_pipeline *p, unsigned received) {
  unsigned done = 0;
  while (p->verify_head < p->verify_tail && enqueue_one(p, p->verify_queue[p->verify_head])) {
    p->verify_head++;
    done++;
  }
  if (received) /* more may come with the next step: let the batch grow */
    return done;
  for (unsigned kind = 1; kind <= KINDS; kind++)
    if (p->batch[kind] && p->batch[kind]->count) {
      asz_verify_submit(p->verifier, p->batch[kind]);
      p->batch[kind] = NULL;
      done++;
    }
  return done;
}

static enum asz_verdict outcome_of(const struct item *item) {
  if (item->signature_verdict == ASZ_VERDICT_UNJUDGED || item->work_verdict == ASZ_VERDICT_UNJUDGED)
    return ASZ_VERDICT_UNJUDGED;
  if (item->signature_verdict != ASZ_VERDICT_PASS)
    return ASZ_VERDICT_MALFORMED;
  return item->work_verdict == ASZ_VERDICT_PASS ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL;
}

static unsigned collect(struct asz_pipeline *p) {
  struct asz_batch *batch = asz_verify_poll(p->verifier, VERIFY_PER_STEP);
  if (!batch)
    return 0;
  for (uint32_t i = 0; i < batch->count; i++) {
    uint32_t index = (uint32_t)batch->tag[i];
    if (batch->tag[i] != tag_of(p, index))
      continue; /* of a round that was aborted */
    struct item *item = &p->item[index];
    if (item->state != ITEM_VERIFYING)
      continue;
    if (batch->kind == ASZ_KIND_SIG)
      item->signature_verdict = batch->verdict[i];
    else
      item->work_verdict = batch->verdict[i];
    if (--item->verdicts_due == 0)
      finish(p, index, outcome_of(item));
  }
  asz_verify_release(p->verifier, batch);
  return 1;
}

/* missing_verdict: silence is the provider's only when the question left and we dropped nothing meanwhile. */
static enum asz_verdict missing_verdict(const struct asz_pipeline *p, const struct item *item) {
  uint64_t tx_tsc = item->tx_tsc;
  bool sent = tx_tsc != 0 && tx_tsc != UINT64_MAX;
  return sent && own_drops(p) == p->drops_before ? ASZ_VERDICT_NONE : ASZ_VERDICT_UNJUDGED;
}

static unsigned scan(struct asz_pipeline *p, uint64_t now_ns) {
  unsigned done = 0;
  uint32_t count = p->item_count < SCAN_PER_STEP ? p->item_count : SCAN_PER_STEP;
  for (uint32_t n = 0; n < count; n++) {
    uint32_t index = p->scan_next;
    p->scan_next = index + 1 < p->item_count ? index + 1 : 0;
    struct item *item = &p->item[index];
    if (item->state != ITEM_SENT || now_ns < item->next_ns)
      continue;
    if (now_ns - item->first_ns >= p->config.deadline_ns) {
      finish(p, index, missing_verdict(p, item));
      done++;
    } else if (item->tries < p->config.tries) {
      done += (unsigned)send_one(p, index, now_ns);
    }
  }
  return done;
}

unsigned asz_pipeline_step(struct asz_pipeline *p, uint64_t now_ns) {
  unsigned received = receive(p, now_ns);
  unsigned done = received;
  done += collect(p);
  if (p->open == 0)
    return done;
  done += send_due(p, now_ns);
  done += enqueue(p, received);
  done += scan(p, now_ns);
  return done;
}

void asz_pipeline_abort(struct asz_pipeline *p) {
  for (uint32_t i = 0; i < p->item_count && p->open; i++)
    if (p->item[i].state != ITEM_IDLE)
      finish(p, i, ASZ_VERDICT_UNJUDGED);
}
