/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: once a correctness slot each provider is asked to sign what it answered lately, and to show one reply in it that we
 * drew at random from those that came (dataplane/base/receipt.h). It had to reply before it could know which that would be.
 *
 * A reply is drawn by the prober and asked for at once, while its provider still has it; not while the provider is timed at gemm
 * or mem. What comes back confirms the reply, or does not have it though nothing was lost before it, or has it with other times:
 * then its signature contradicts us. Which of the two lies nobody else can tell, so it is reported, and costs no stake. Silence
 * is reported, too. */
#include <sodium.h>
#include <string.h>

#include "control/pipeline_internal.h"
#include "control/tlog/tlog.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/log.h"
#include "dataplane/base/stamp.h"

enum { LOOK_PER_STEP = 512, SAMPLES_PS = 1000 /* microseconds of the control thread each */ };

uint32_t asz_pipeline_sample_every(uint64_t rate_pps) {
  return (uint32_t)(rate_pps / SAMPLES_PS + 1);
}

static bool is_timed(const struct asz_pipeline *p, uint32_t provider) {
  for (unsigned k = 0; p->open > 0 && k < p->kind_count; k++)
    if (p->kind[k] > ASZ_KIND_SINGLE_MAX && p->item[provider * p->kind_count + k].state == ASZ_ITEM_SENT)
      return true;
  return false;
}

static struct asz_ask ask_of(const struct asz_pipeline *p, uint32_t provider) {
  const struct asz_provider *who = &p->roster->provider[provider];
  const struct asz_receipt_care *care = &p->receipt[provider];
  struct asz_ask ask = {.epoch = p->epoch, .slot = p->slot, .device = who->device, .seq = care->times.seq, .t1 = care->times.t1};
  memcpy(ask.validator_id, p->roster->validator_id, sizeof ask.validator_id);
  asz_challenge_nonce(ask.nonce, p->secret, ASZ_RECEIPT_NONCE_KIND, p->slot, who->device, who->public_key);
  return ask;
}

static int ask_for(struct asz_pipeline *p, uint32_t provider, uint64_t now_ns) {
  struct asz_receipt_care *care = &p->receipt[provider];
  struct asz_ask ask = ask_of(p, provider);
  struct asz_engine_datagram datagram;
  asz_ask_write(datagram.payload, &ask, p->session[provider].request_key);
  if (!asz_pipeline_send_paced(p, &datagram, provider, ASZ_RECEIPT_BYTES, &p->tx_ignored, now_ns))
    return 0;
  p->counter[ASZ_PCTR_RECEIPTS_ASKED]++;
  care->tries++;
  care->next_ns = now_ns + p->config.deadline_ns / p->config.tries;
  return 1;
}

static void end(struct asz_pipeline *p, uint32_t provider, enum asz_pipeline_counter outcome) {
  p->counter[outcome]++;
  p->receipt[provider].state = ASZ_RECEIPT_ENDED;
}

void asz_pipeline_receipts_begin(struct asz_pipeline *p) {
  for (uint32_t i = 0; p->receipt && i < p->member_count; i++) {
    uint32_t provider = p->member[i].index;
    if (p->receipt[provider].state == ASZ_RECEIPT_ASKED)
      end(p, provider, ASZ_PCTR_RECEIPTS_MISSING);
    p->receipt[provider] = (struct asz_receipt_care){.state = ASZ_RECEIPT_DUE};
  }
}

void asz_pipeline_sample(struct asz_pipeline *p, const struct asz_engine_datagram *sample, uint64_t now_ns) {
  uint32_t provider = sample->target;
  if (!p->receipt || !p->session || sample->size_bytes < ASZ_STAMP_TLV_BYTES ||
      asz_be32_load(sample->payload + ASZ_TLV_AT_EPOCH) != p->epoch)
    return;
  struct asz_receipt_care *care = &p->receipt[provider];
  if (care->state != ASZ_RECEIPT_DUE || is_timed(p, provider))
    return;
  asz_reply_times_of(&care->times, sample->payload);
  care->state = ASZ_RECEIPT_ASKED;
  care->first_ns = care->next_ns = now_ns;
  (void)ask_for(p, provider, now_ns);
}

unsigned asz_pipeline_receipts(struct asz_pipeline *p, uint64_t now_ns) {
  unsigned done = 0;
  uint32_t count = p->member_count < LOOK_PER_STEP ? p->member_count : LOOK_PER_STEP;
  for (uint32_t n = 0; p->receipt && n < count; n++) {
    uint32_t provider = p->member[p->receipt_next].index;
    struct asz_receipt_care *care = &p->receipt[provider];
    p->receipt_next = p->receipt_next + 1 < p->member_count ? p->receipt_next + 1 : 0;
    if (care->state != ASZ_RECEIPT_ASKED || now_ns < care->next_ns)
      continue;
    if (now_ns - care->first_ns >= p->config.deadline_ns) {
      end(p, provider, ASZ_PCTR_RECEIPTS_MISSING);
      done++;
    } else if (care->tries < p->config.tries) {
      done += (unsigned)ask_for(p, provider, now_ns);
    }
  }
  return done;
}

/* Is the reply that was drawn in the tree, with the times that we saw? */
static bool shows(const struct asz_receipt *receipt, const struct asz_reply_times *drawn) {
  uint8_t leaf[ASZ_RECEIPT_LEAF_BYTES], hash[32];
  if (receipt->index == ASZ_RECEIPT_NOT_THERE || receipt->t2 != drawn->t2 || receipt->t3 != drawn->t3)
    return false;
  asz_receipt_leaf(leaf, drawn);
  asz_tlog_leaf_hash(hash, leaf, sizeof leaf);
  return asz_tlog_inclusion_check(receipt->root, receipt->count, receipt->index, hash, receipt->path, receipt->path_count) == 0;
}

static enum asz_pipeline_counter judge(const struct asz_pipeline *p, uint32_t provider, const struct asz_receipt *receipt) {
  uint8_t signed_bytes[ASZ_RECEIPT_SIGNED_BYTES];
  asz_receipt_signed_bytes(signed_bytes, receipt, p->roster->validator_pk);
  if (crypto_sign_verify_detached(receipt->signature, signed_bytes, sizeof signed_bytes,
                                  p->roster->provider[provider].public_key) != 0)
    return ASZ_PCTR_RECEIPTS_UNSIGNED;
  if (shows(receipt, &p->receipt[provider].times))
    return ASZ_PCTR_RECEIPTS_CONFIRMED;
  return receipt->index == ASZ_RECEIPT_NOT_THERE && receipt->before > 0 ? ASZ_PCTR_RECEIPTS_TOO_OLD
                                                                        : ASZ_PCTR_RECEIPTS_CONTRADICTED;
}

void asz_pipeline_receipt(struct asz_pipeline *p, const struct asz_engine_datagram *datagram, uint64_t now_ns) {
  struct asz_receipt receipt;
  uint32_t provider = datagram->target;
  if (asz_receipt_read(&receipt, datagram->payload, datagram->size_bytes)) {
    p->counter[ASZ_PCTR_MALFORMED]++;
    return;
  }
  if (!p->receipt || !p->session || p->receipt[provider].state == ASZ_RECEIPT_DUE) {
    p->counter[ASZ_PCTR_FOREIGN]++;
    return;
  }
  const struct asz_ask ask = ask_of(p, provider);
  if (receipt.epoch != ask.epoch || receipt.slot != ask.slot || receipt.device != ask.device ||
      memcmp(receipt.nonce, ask.nonce, sizeof ask.nonce) != 0 ||
      memcmp(receipt.provider_id, p->roster->provider_id[provider], ASZ_ID_BYTES) != 0) {
    p->counter[ASZ_PCTR_FOREIGN]++;
    return;
  }
  if (!asz_mac_check(datagram->payload + ASZ_RECEIPT_MAC_AT, p->session[provider].reply_key, datagram->payload,
                     ASZ_RECEIPT_MAC_AT)) {
    p->counter[ASZ_PCTR_BAD_MAC]++;
    return;
  }
  if (p->receipt[provider].state != ASZ_RECEIPT_ASKED) {
    p->counter[ASZ_PCTR_DUPLICATE]++;
    return;
  }
  if (now_ns - p->receipt[provider].first_ns > p->config.deadline_ns) {
    p->counter[ASZ_PCTR_LATE]++;
    return;
  }
  enum asz_pipeline_counter outcome = judge(p, provider, &receipt);
  if (outcome == ASZ_PCTR_RECEIPTS_CONTRADICTED)
    asz_log(ASZ_LOG_WARN, "provider %s signed a receipt that contradicts a reply we had from it (sequence %u)",
            p->roster->provider[provider].name, ask.seq);
  end(p, provider, outcome);
}
