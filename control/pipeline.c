/* SPDX-License-Identifier: Apache-2.0 */
/* One round asks each provider with a key every kind once, when the agenda says (agenda.h). Item i stands for provider
 * i / kind_count and its kind i % kind_count; its state lives in one array that is taken before the run. Nothing is searched: an
 * answer names provider (by address, from the engine) and kind, and so its item.
 *
 * The answer's fields are compared with what this round asked before anything else is done with it: slot, nonce, device and steps
 * must be ours, and its MAC must be the session's. Only then does it cost a signature check (pipeline_verify.c). */
#include "control/pipeline_internal.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/head.h"
#include "dataplane/base/sketch.h"

enum {
  RECV_PER_STEP = 64,      /* answers taken a step: keeps a step under a millisecond */
  DROPS_LOOK_NS = 1000000, /* some ports are asked for theirs over a bus */
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

/* A name for whoever shares something: never 0. */
static uint64_t cluster_name(const void *what, size_t size_bytes) {
  static const uint8_t any_key[crypto_shorthash_KEYBYTES];
  uint8_t hash[crypto_shorthash_BYTES];
  crypto_shorthash(hash, what, size_bytes, any_key);
  uint64_t name;
  memcpy(&name, hash, sizeof name);
  return name | 1;
}

static uint64_t network_of(const struct asz_provider *provider) {
  struct asz_prefix prefix;
  if (provider->ipv4 != 0)
    asz_prefix_of_ipv4(&prefix, provider->ipv4, 24);
  else
    asz_prefix_of_ipv6(&prefix, provider->ipv6, 48);
  return cluster_name(prefix.address, sizeof prefix.address);
}

/* Who can be asked at all. */
static void list_members(struct asz_pipeline *p) {
  for (uint32_t i = 0; i < p->roster->count; i++) {
    const struct asz_provider *provider = &p->roster->provider[i];
    if (!asz_provider_has_key(provider) || !provider->challenge_port)
      continue;
    size_t operator_bytes = strlen(provider->operator_name);
    p->member[p->member_count++] = (struct asz_agenda_member){
        .public_key = provider->public_key,
        .device = provider->device,
        .index = i,
        .cluster = {[ASZ_AGENDA_BY_PREFIX] = network_of(provider),
                    [ASZ_AGENDA_BY_OPERATOR] = operator_bytes ? cluster_name(provider->operator_name, operator_bytes) : 0,
                    [ASZ_AGENDA_BY_AS] = provider->asn},
    };
  }
}

static void list_kinds(struct asz_pipeline *p) {
  p->kind[p->kind_count++] = ASZ_KIND_SIG;
  p->kind[p->kind_count++] = ASZ_KIND_SEQ;
  if (p->config.gemm_preset)
    p->kind[p->kind_count++] = ASZ_KIND_GEMM;
  if (p->config.mem_preset)
    p->kind[p->kind_count++] = ASZ_KIND_MEM;
}

/* What gemm and mem need beside. */
static bool take_fetches(struct asz_pipeline *p) {
  if (p->config.gemm_preset == 0 && p->config.mem_preset == 0)
    return true;
  size_t gemm_bytes = asz_opening_total_bytes(ASZ_KIND_GEMM, p->config.gemm_preset, p->config.openings);
  size_t mem_bytes = asz_opening_total_bytes(ASZ_KIND_MEM, p->config.mem_preset | (unsigned)ASZ_MEM_FOLD, p->config.openings);
  size_t blob_bytes = gemm_bytes > mem_bytes ? gemm_bytes : mem_bytes;
  if (p->config.mem_preset && !(p->arena = calloc(p->roster->count + 1, sizeof *p->arena)))
    return false;
  p->enrolled = calloc(p->roster->count + 1, sizeof *p->enrolled);
  p->fetch = calloc(ASZ_FETCH_MAX, sizeof *p->fetch);
  p->blobs = malloc(ASZ_FETCH_MAX * blob_bytes);
  for (unsigned i = 0; p->fetch && p->blobs && i < ASZ_FETCH_MAX; i++)
    p->fetch[i].blob = p->blobs + i * blob_bytes;
  return p->enrolled && p->fetch && p->blobs;
}

int asz_pipeline_new(struct asz_pipeline **ret_pipeline, const struct asz_pipeline_config *config, struct asz_engine *engine,
                     struct asz_verifier *verifier, const struct asz_roster *roster,
                     void (*sink)(void *context, const struct asz_outcome *outcome), void *context, struct asz_diag *diag) {
  assert(config->rate_ps && config->tries && config->deadline_ns);
  assert(config->gemm_preset == 0 || config->gemm_deadline_ns);
  assert(config->mem_preset == 0 || (config->build_deadline_ns && config->fold_deadline_ns));
  assert((config->gemm_preset == 0 && config->mem_preset == 0) ||
         (config->openings >= 1 && config->openings <= ASZ_OPENINGS_MAX && config->opening_deadline_ns));
  struct asz_pipeline *p = calloc(1, sizeof *p);
  if (!p)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the pipeline");
  p->config = *config;
  p->engine = engine;
  p->verifier = verifier;
  p->roster = roster;
  p->sink = sink;
  p->context = context;
  asz_sketch_init();
  list_kinds(p);
  p->item_count = roster->count * p->kind_count;
  p->member = calloc(roster->count + 1, sizeof *p->member);
  p->scratch = malloc(asz_agenda_bytes(roster->count) + 1);
  p->entry = calloc(p->item_count + 1, sizeof *p->entry);
  p->item = calloc(p->item_count + 1, sizeof *p->item);
  p->answer = calloc(p->item_count + 1, sizeof *p->answer);
  p->verify_queue = calloc(p->item_count + 1, sizeof *p->verify_queue);
  if (config->receipts)
    p->receipt = calloc(roster->count + 1, sizeof *p->receipt);
  if ((config->receipts && !p->receipt) || !p->member || !p->scratch || !p->entry || !p->item || !p->answer || !p->verify_queue ||
      !take_fetches(p)) {
    asz_pipeline_free(p);
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the challenges of %u providers", roster->count);
  }
  list_members(p);
  *ret_pipeline = p;
  return 0;
}

void asz_pipeline_free(struct asz_pipeline *p) {
  if (!p)
    return;
  free(p->member);
  free(p->scratch);
  free(p->entry);
  free(p->item);
  free(p->enrolled);
  free(p->arena);
  free(p->receipt);
  free(p->fetch);
  free(p->blobs);
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

uint64_t asz_pipeline_drops(struct asz_pipeline *p, uint64_t now_ns) {
  if (p->drops_looked_ns != 0 && now_ns < p->drops_looked_ns + DROPS_LOOK_NS)
    return p->drops;
  struct asz_counters c;
  asz_engine_counters(p->engine, &c);
  p->drops_looked_ns = now_ns;
  p->stalls = c.value[ASZ_CTR_RX_DOUBTFUL];
  return p->drops = c.value[ASZ_CTR_RX_ANSWERS_DROPPED] + c.value[ASZ_CTR_RX_PORT_MISSED] + c.value[ASZ_CTR_LINK_LOST] +
                    c.value[ASZ_CTR_NEIGH_LOST];
}

struct asz_challenge asz_pipeline_challenge(const struct asz_pipeline *p, uint32_t index) {
  const struct asz_provider *provider = &p->roster->provider[asz_pipeline_provider(p, index)];
  struct asz_challenge c = {
      .kind = p->kind[index % p->kind_count],
      .epoch = p->epoch,
      .slot = p->slot,
      .device = provider->device,
  };
  c.param = p->item[index].param;
  memcpy(c.validator_id, p->roster->validator_id, sizeof c.validator_id);
  memcpy(c.beacon, p->beacon, sizeof c.beacon);
  memcpy(c.nonce, p->item[index].nonce, sizeof c.nonce);
  return c;
}

static uint8_t param_of(const struct asz_pipeline *p, uint32_t provider, uint8_t kind) {
  switch (kind) {
  case ASZ_KIND_SEQ:
    return p->config.seq_log2_steps;
  case ASZ_KIND_GEMM:
    return p->config.gemm_preset;
  case ASZ_KIND_MEM:
    return asz_pipeline_mem_param(p, provider);
  default:
    return 0;
  }
}

static void open_items(struct asz_pipeline *p, uint32_t provider) {
  const struct asz_provider *who = &p->roster->provider[provider];
  for (unsigned k = 0; k < p->kind_count; k++) {
    struct asz_item *item = &p->item[provider * p->kind_count + k];
    item->state = ASZ_ITEM_QUEUED;
    item->param = param_of(p, provider, p->kind[k]);
    asz_challenge_nonce(item->nonce, p->secret, p->kind[k], p->slot, who->device, who->public_key);
  }
}

void asz_pipeline_know_rtt(struct asz_pipeline *p, const uint32_t *rtt_ns) {
  for (uint32_t i = 0; i < p->member_count; i++)
    p->member[i].rtt_ns = rtt_ns[p->member[i].index];
}

void asz_pipeline_begin(struct asz_pipeline *p, uint32_t epoch, uint64_t slot, const uint8_t secret[32], const uint8_t beacon[32],
                        const struct asz_session *session, uint64_t now_ns, uint64_t until_ns) {
  assert(asz_pipeline_idle(p));
  uint64_t least_ns = asz_pipeline_round_ns(p);
  asz_pipeline_receipts_begin(p);
  p->round++;
  p->epoch = epoch;
  p->slot = slot;
  memcpy(p->secret, secret, 32);
  memcpy(p->beacon, beacon, 32);
  p->session = session;
  p->send_next = p->scan_next = p->enrol_next = p->open_next = 0;
  p->revealed = false;
  for (unsigned i = 0; p->fetch && i < ASZ_FETCH_MAX; i++)
    p->fetch[i].busy = false;
  p->verify_head = p->verify_tail = 0;
  p->begin_ns = p->send_ns = now_ns;
  p->drops_looked_ns = 0;
  memset(p->item, 0, p->item_count * sizeof *p->item);
  for (uint32_t i = 0; i < p->member_count; i++)
    open_items(p, p->member[i].index);
  asz_pipeline_plan(p, until_ns > now_ns + least_ns ? until_ns - now_ns - least_ns : 0);
  p->open = p->entry_count;
}

/* Had we trouble since the question left? What comes after the answer has settled is another question's. */
static void settle(struct asz_pipeline *p, struct asz_item *item) {
  if (item->is_settled)
    return;
  item->is_settled = true;
  item->is_clean = asz_pipeline_drops(p, p->now_ns) == item->drops && p->stalls == item->stalls;
}

void asz_pipeline_settle(struct asz_pipeline *p, struct asz_item *item) {
  if (item->answer_bytes > 0 && p->now_ns - item->answered_ns >= ASZ_SETTLE_NS)
    settle(p, item);
}

void asz_pipeline_finish(struct asz_pipeline *p, uint32_t index, enum asz_verdict verdict) {
  struct asz_item *item = &p->item[index];
  const struct asz_clock *clock = asz_engine_clock(p->engine);
  struct asz_challenge challenge = asz_pipeline_challenge(p, index);
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES];
  uint64_t tx_tsc = item->tx_tsc;
  bool left = asz_pipeline_left(tx_tsc);
  struct asz_outcome outcome = {
      .provider = asz_pipeline_provider(p, index),
      .epoch = p->epoch,
      .slot = p->slot,
      .kind = challenge.kind,
      .param = challenge.param,
      .verdict = verdict,
      .tx_ns = left ? asz_clock_realtime_ns(clock, tx_tsc) : 0,
      .rx_ns = item->answer_bytes ? asz_clock_realtime_ns(clock, item->rx_tsc) : 0,
      .took_ns = left && item->rx_tsc > tx_tsc ? asz_clock_ns(clock, item->rx_tsc - tx_tsc) : 0,
      .clock_error_ns = clock->error_ns,
  };
  settle(p, item);
  outcome.is_timed = outcome.took_ns != 0 && item->tries == 1 && item->is_clean;
  struct asz_span *piece = outcome.exchange.piece;
  piece[ASZ_PIECE_CHALLENGE].data = datagram;
  piece[ASZ_PIECE_CHALLENGE].size_bytes =
      asz_challenge_write(datagram, &challenge, p->session[asz_pipeline_provider(p, index)].request_key);
  piece[ASZ_PIECE_ANSWER] = (struct asz_span){p->answer[index], item->answer_bytes};
  const struct asz_fetch *fetch = item->fetch;
  if (fetch && asz_reassembly_complete(&fetch->reassembly))
    piece[ASZ_PIECE_OPENING] = (struct asz_span){fetch->blob, fetch->reassembly.total_bytes};
  if (challenge.kind == ASZ_KIND_MEM)
    asz_pipeline_mem_ended(p, index, &outcome);
  if (challenge.kind > ASZ_KIND_SINGLE_MAX && item->tries > 0)
    asz_pipeline_duty_spend(p, index, outcome.took_ns);
  item->state = ASZ_ITEM_IDLE;
  item->fetch = NULL; /* its memory is given to another in a later step */
  p->open--;
  p->sink(p->context, &outcome);
}

/* accept_answer checks one datagram against what this round asked and keeps it. */
static void accept_answer(struct asz_pipeline *p, const struct asz_engine_datagram *datagram, uint64_t now_ns) {
  struct asz_answer answer;
  if (asz_answer_read(&answer, datagram->payload, datagram->size_bytes)) {
    p->counter[ASZ_PCTR_MALFORMED]++;
    return;
  }
  uint32_t index = asz_pipeline_index(p, datagram->target, answer.kind);
  if (index == ASZ_ITEM_NONE) {
    p->counter[ASZ_PCTR_FOREIGN]++;
    return;
  }
  struct asz_item *item = &p->item[index];
  struct asz_challenge asked = asz_pipeline_challenge(p, index);
  if (p->open == 0 || answer.epoch != asked.epoch || answer.slot != asked.slot || answer.device != asked.device ||
      answer.param != asked.param || memcmp(answer.nonce, asked.nonce, sizeof asked.nonce) != 0 ||
      memcmp(answer.provider_id, p->roster->provider_id[datagram->target], ASZ_ID_BYTES) != 0) {
    p->counter[ASZ_PCTR_FOREIGN]++;
    return;
  }
  if (!asz_mac_check(answer.mac, p->session[datagram->target].reply_key, datagram->payload,
                     datagram->size_bytes - (size_t)ASZ_MAC_BYTES)) {
    p->counter[ASZ_PCTR_BAD_MAC]++;
    return;
  }
  if (item->state != ASZ_ITEM_SENT) {
    p->counter[ASZ_PCTR_DUPLICATE]++;
    return;
  }
  if (now_ns - item->first_ns > asz_pipeline_deadline_ns(p, index)) {
    p->counter[ASZ_PCTR_LATE]++;
    return;
  }
  p->counter[ASZ_PCTR_ANSWERS]++;
  memcpy(p->answer[index], datagram->payload, datagram->size_bytes);
  item->answer_bytes = datagram->size_bytes;
  item->rx_tsc = datagram->tsc;
  item->answered_ns = now_ns;
  item->state = ASZ_ITEM_ANSWERED;
  p->verify_queue[p->verify_tail++] = index;
}

static void accept(struct asz_pipeline *p, const struct asz_engine_datagram *datagram, uint64_t now_ns) {
  struct asz_head head;
  if (datagram->target < p->roster->count && datagram->is_sample) {
    asz_pipeline_sample(p, datagram, now_ns);
    return;
  }
  if (datagram->target >= p->roster->count || asz_head_read(&head, datagram->payload, datagram->size_bytes)) {
    p->counter[ASZ_PCTR_MALFORMED]++;
    return;
  }
  switch (head.type) {
  case ASZ_MESSAGE_WELCOME:
    asz_pipeline_welcome(p, datagram);
    break;
  case ASZ_MESSAGE_OPENING:
    asz_pipeline_chunk(p, datagram, now_ns);
    break;
  case ASZ_MESSAGE_RECEIPT:
    asz_pipeline_receipt(p, datagram, now_ns);
    break;
  default:
    accept_answer(p, datagram, now_ns);
  }
}

static unsigned receive(struct asz_pipeline *p, uint64_t now_ns) {
  struct asz_engine_datagram datagram;
  unsigned done = 0;
  while (done < RECV_PER_STEP && asz_engine_recv(p->engine, &datagram)) {
    accept(p, &datagram, now_ns);
    done++;
  }
  return done;
}

unsigned asz_pipeline_step(struct asz_pipeline *p, uint64_t now_ns) {
  p->now_ns = now_ns;
  unsigned done = receive(p, now_ns);
  done += asz_pipeline_collect(p);
  done += asz_pipeline_receipts(p, now_ns);
  if (p->open == 0)
    return done;
  done += asz_pipeline_enrol(p, now_ns);
  done += asz_pipeline_ask(p, now_ns);
  done += asz_pipeline_open(p, now_ns);
  done += asz_pipeline_enqueue(p, now_ns);
  done += asz_pipeline_scan(p, now_ns);
  return done;
}

void asz_pipeline_abort(struct asz_pipeline *p) {
  for (uint32_t i = 0; i < p->item_count && p->open; i++)
    if (p->item[i].state != ASZ_ITEM_IDLE)
      asz_pipeline_finish(p, i, ASZ_VERDICT_UNJUDGED);
}
