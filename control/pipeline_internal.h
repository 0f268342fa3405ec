/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline's parts share this: pipeline_phases.c says when, pipeline_ask.c asks, pipeline.c receives, pipeline_enrol.c asks
 * for consent, pipeline_open.c has commitments opened, pipeline_verify.c has the answers judged, pipeline_mem.c knows of arenas,
 * pipeline_duty.c of what a provider has done for us, pipeline_receipt.c has replies signed. */
#ifndef ASZ_CONTROL_PIPELINE_INTERNAL_H
#define ASZ_CONTROL_PIPELINE_INTERNAL_H

#include <string.h>

#include "control/agenda.h"
#include "control/pipeline.h"
#include "dataplane/base/enrol.h"
#include "dataplane/base/opening.h"
#include "dataplane/base/receipt.h"

enum {
  ASZ_PIPELINE_KINDS_MAX = ASZ_KIND_MAX,
  ASZ_PIPELINE_BATCH_BUILD = ASZ_KIND_MAX + 1, /* openings of builds: of gemm's kind, but of mem's slot and preset */
  ASZ_PIPELINE_BATCHES,
  ASZ_MEM_ANSWER_BYTES = ASZ_ANSWER_HEAD_BYTES + 64 + 64 + 16,
};

enum asz_item_state {
  ASZ_ITEM_IDLE = 0,
  ASZ_ITEM_QUEUED,
  ASZ_ITEM_HELD, /* due, but nobody knows yet whether the provider consents */
  ASZ_ITEM_SENT,
  ASZ_ITEM_ANSWERED,
  ASZ_ITEM_VERIFYING,
  ASZ_ITEM_COMMITTED, /* signed, waits to be opened */
  ASZ_ITEM_OPENING,
};

/* Item i stands for provider i / kind_count and its kind i % kind_count. */
struct asz_item {
  uint8_t state; /* enum asz_item_state */
  uint8_t param;
  uint8_t tries;
  uint8_t verdicts_due; /* of the verifier */
  uint8_t signature_verdict, work_verdict;
  uint16_t answer_bytes;
  uint64_t first_ns, next_ns;   /* CLOCK_MONOTONIC: first transmission, next repeat */
  uint64_t drops, stalls;       /* asz_pipeline_drops, and the pipeline's stalls, at the first transmission */
  volatile uint64_t tx_tsc;     /* set by the engine: of the first transmission that left */
  uint64_t rx_tsc, answered_ns; /* of its answer; CLOCK_MONOTONIC: when we took it */
  bool is_settled, is_clean;    /* it is known whether we had trouble in between; we had none */
  uint8_t nonce[16];
  struct asz_fetch *fetch; /* while its answer is opened and that is judged; else NULL */
};

/* The sorts of work that are timed, in the order of a round. */
enum asz_phase { ASZ_PHASE_GEMM, ASZ_PHASE_BUILD, ASZ_PHASE_FOLD, ASZ_PHASES };

enum asz_enrolment { ASZ_ENROLMENT_UNASKED = 0, ASZ_ENROLMENT_ASKED, ASZ_ENROLMENT_WELCOME, ASZ_ENROLMENT_SILENT };

/* What is known of a provider in an epoch. */
struct asz_enrolled {
  uint8_t state; /* enum asz_enrolment */
  uint8_t tries;
  uint32_t epoch; /* that it is about */
  uint64_t next_ns;
  uint8_t token[ASZ_TOKEN_BYTES];
  struct asz_declaration declaration;
  uint64_t spent_ns, last_ns[ASZ_PHASES]; /* on work for us; what the last piece of each sort took, 0: none yet */
};

/* What a provider built, and signed that it did. */
struct asz_arena {
  bool known;
  uint32_t epoch;
  uint8_t seed[32];
  uint8_t answer[ASZ_MEM_ANSWER_BYTES];
};

/* 120 ms: silence is judged so long after its deadline, since a lost link is noticed within 100 ms and counters are published
 * every 2 ms. */
#define ASZ_SETTLE_NS UINT64_C(120000000)

enum { ASZ_FETCH_MAX = 256 }; /* answers that are opened at a time: 12 MiB for preset gpu */

/* One answer that is being opened. */
struct asz_fetch {
  bool busy;
  uint32_t index;
  uint64_t first_ns, next_ns; /* of the first OPEN, and when to ask again */
  volatile uint64_t tx_tsc;   /* as of an item */
  uint64_t drops;
  struct asz_open open;
  struct asz_reassembly reassembly;
  uint8_t *blob;
};

/* A provider's receipt in this slot: a reply of it has to come first; asked for; over, one way or the other. */
enum asz_receipt_state { ASZ_RECEIPT_NONE = 0, ASZ_RECEIPT_DUE, ASZ_RECEIPT_ASKED, ASZ_RECEIPT_ENDED };
struct asz_receipt_care {
  uint8_t state; /* enum asz_receipt_state */
  uint8_t tries;
  uint64_t first_ns, next_ns;
  struct asz_reply_times times; /* of the reply that is asked for */
};

struct asz_pipeline {
  struct asz_pipeline_config config;
  struct asz_engine *engine;
  struct asz_verifier *verifier;
  const struct asz_roster *roster;
  void (*sink)(void *, const struct asz_outcome *);
  void *context;

  unsigned kind_count;
  uint8_t kind[ASZ_PIPELINE_KINDS_MAX]; /* what is asked, in the order of items */
  uint32_t member_count;
  struct asz_agenda_member *member; /* who is asked */
  void *scratch;                    /* of asz_agenda_make */
  uint32_t item_count;
  struct asz_item *item;
  struct asz_enrolled *enrolled;    /* by plan index; NULL without gemm and mem */
  struct asz_arena *arena;          /* by plan index; NULL without mem */
  struct asz_receipt_care *receipt; /* by plan index; NULL without receipts */
  struct asz_fetch *fetch;          /* ASZ_FETCH_MAX; NULL without gemm and mem */
  uint8_t *blobs;
  volatile uint64_t tx_ignored; /* when what is no challenge left */
  uint8_t (*answer)[ASZ_ANSWER_MAX_BYTES];
  uint32_t *verify_queue; /* items whose answer waits for a batch; item_count entries */
  uint32_t verify_head, verify_tail;
  struct asz_batch *batch[ASZ_PIPELINE_BATCHES]; /* FILLING, by kind; and of builds */

  /* the open round */
  uint64_t round; /* counts rounds; in a verdict's tag, so that those of an aborted round are known */
  uint32_t open;  /* items not yet done */
  uint32_t entry_count;
  struct asz_agenda_entry *entry; /* what is asked when, by item; in order */
  uint32_t send_next, scan_next;
  uint32_t enrol_next, open_next, receipt_next; /* cursors of the three cares */
  uint64_t now_ns;                              /* of the running step */
  uint64_t begin_ns, reveal_ns;
  bool revealed; /* the verifier has the slot's secret */
  uint8_t rho[32];
  uint64_t send_ns; /* when the next group may leave */
  uint32_t epoch;
  uint64_t slot;
  uint8_t secret[32], beacon[32];
  const struct asz_session *session;
  uint64_t stalls;                 /* of the prober, noticed by what it read after them; as old as drops */
  uint64_t drops, drops_looked_ns; /* of asz_pipeline_drops, and when the engine was last asked; 0: not in this round */
  uint64_t counter[ASZ_PCTR_COUNT];
};

/* In pipeline.c. */
struct asz_challenge asz_pipeline_challenge(const struct asz_pipeline *pipeline, uint32_t index);
static inline uint32_t asz_pipeline_provider(const struct asz_pipeline *pipeline, uint32_t index) {
  return index / pipeline->kind_count;
}
/* asz_pipeline_index: of the item about that kind; ASZ_ITEM_NONE when it is not asked. */
#define ASZ_ITEM_NONE UINT32_MAX
static inline uint32_t asz_pipeline_index(const struct asz_pipeline *pipeline, uint32_t provider, uint8_t kind) {
  const uint8_t *place = memchr(pipeline->kind, kind, pipeline->kind_count);
  return place ? provider * pipeline->kind_count + (uint32_t)(place - pipeline->kind) : ASZ_ITEM_NONE;
}
/* asz_pipeline_settle: looks, once an answer has been there for ASZ_SETTLE_NS, whether its time is certain. */
void asz_pipeline_settle(struct asz_pipeline *pipeline, struct asz_item *item);
/* asz_pipeline_finish reports an item's outcome and closes it. */
void asz_pipeline_finish(struct asz_pipeline *pipeline, uint32_t index, enum asz_verdict verdict);

/* asz_pipeline_drops: frames that we lost, and ways that we did: while it grows, silence proves nothing. Up to 1 ms old. */
uint64_t asz_pipeline_drops(struct asz_pipeline *pipeline, uint64_t now_ns);

/* asz_pipeline_left: did what the engine told this time of leave? 0: not yet, UINT64_MAX: never. */
static inline bool asz_pipeline_left(uint64_t tx_tsc) {
  return tx_tsc != 0 && tx_tsc != UINT64_MAX;
}

/* In pipeline_ask.c. asz_pipeline_ask: sends what is due; asz_pipeline_scan: repeats, and ends at their deadlines, a part of what
 * was asked. Both return what they did. */
unsigned asz_pipeline_ask(struct asz_pipeline *pipeline, uint64_t now_ns);
unsigned asz_pipeline_scan(struct asz_pipeline *pipeline, uint64_t now_ns);
/* asz_pipeline_missing: what silence means, ASZ_SETTLE_NS after its deadline; of what was asked for, the time that the engine
 * told and the drops by then. */
enum asz_verdict asz_pipeline_missing(struct asz_pipeline *pipeline, uint64_t tx_tsc, uint64_t drops, uint64_t now_ns);
/* asz_pipeline_send_paced hands `size_bytes` of a datagram to the engine, for a provider's challenge port, when the configured
 * rate has room for one more; only what is handed over takes it. ret_tx_tsc as of asz_engine_send; told again when what it was
 * told of never left. 0 when there is no room or the engine's ring is full. */
int asz_pipeline_send_paced(struct asz_pipeline *pipeline, struct asz_engine_datagram *datagram, uint32_t provider,
                            size_t size_bytes, volatile uint64_t *ret_tx_tsc, uint64_t now_ns);

/* In pipeline_phases.c. asz_pipeline_phase: of an item of gemm or mem. asz_pipeline_plan: the round's agenda and when its reveal
 * is, with so much time over that of asz_pipeline_round_ns. */
enum asz_phase asz_pipeline_phase(const struct asz_pipeline *pipeline, uint32_t index);
uint64_t asz_pipeline_deadline_ns(const struct asz_pipeline *pipeline, uint32_t index);
void asz_pipeline_plan(struct asz_pipeline *pipeline, uint64_t spare_ns);

/* In pipeline_mem.c. asz_pipeline_mem_param: what a provider is asked in this round: to build, or to fold what it built.
 * asz_pipeline_mem_consent: 1 or 0, of a provider that said WELCOME. asz_pipeline_mem_signed: of an answer whose signature is
 * valid, and whose challenge had that seed: NONE when it is to be opened, else the verdict. asz_pipeline_mem_due_ns: how long a
 * fold may take by its provider's claim; 0: no claim, or no fold. asz_pipeline_mem_ended: adds to an outcome what only mem has.
 */
uint8_t asz_pipeline_mem_param(const struct asz_pipeline *pipeline, uint32_t provider);
int asz_pipeline_mem_consent(const struct asz_pipeline *pipeline, uint32_t index);
enum asz_verdict asz_pipeline_mem_signed(struct asz_pipeline *pipeline, uint32_t index, const uint8_t seed[32]);
uint64_t asz_pipeline_mem_due_ns(const struct asz_pipeline *pipeline, uint32_t index);
void asz_pipeline_mem_ended(struct asz_pipeline *pipeline, uint32_t index, struct asz_outcome *outcome);

/* In pipeline_duty.c, of an item of gemm or mem whose provider said WELCOME. asz_pipeline_duty_left: may it be asked?
 * asz_pipeline_duty_spend: it was, and that took so long; 0: not known. */
bool asz_pipeline_duty_left(const struct asz_pipeline *pipeline, uint32_t index);
void asz_pipeline_duty_spend(struct asz_pipeline *pipeline, uint32_t index, uint64_t took_ns);

/* In pipeline_receipt.c. asz_pipeline_receipts_begin: a slot begins; asz_pipeline_sample: a reply was drawn;
 * asz_pipeline_receipts: asks again and gives up, returns what it did; asz_pipeline_receipt: one arrived. */
void asz_pipeline_receipts_begin(struct asz_pipeline *pipeline);
void asz_pipeline_sample(struct asz_pipeline *pipeline, const struct asz_engine_datagram *sample, uint64_t now_ns);
unsigned asz_pipeline_receipts(struct asz_pipeline *pipeline, uint64_t now_ns);
void asz_pipeline_receipt(struct asz_pipeline *pipeline, const struct asz_engine_datagram *datagram, uint64_t now_ns);

/* In pipeline_enrol.c. */
unsigned asz_pipeline_enrol(struct asz_pipeline *pipeline, uint64_t now_ns);
void asz_pipeline_welcome(struct asz_pipeline *pipeline, const struct asz_engine_datagram *datagram);
/* asz_pipeline_consent: 1: the provider consents to be asked this item, of gemm or mem; 0: it does not; -1: not known yet. */
int asz_pipeline_consent(const struct asz_pipeline *pipeline, uint32_t index);
bool asz_pipeline_all_enrolled(const struct asz_pipeline *pipeline);

/* In pipeline_open.c. asz_pipeline_slot: where the verifier has the round's secret for a kind: the running round's and the one
 * before, each for both kinds. */
static inline uint32_t asz_pipeline_slot(const struct asz_pipeline *pipeline, uint8_t kind) {
  return (uint32_t)(pipeline->round % (ASZ_VERIFY_SLOTS / 2)) * 2 + (kind == ASZ_KIND_MEM);
}
unsigned asz_pipeline_open(struct asz_pipeline *pipeline, uint64_t now_ns);
void asz_pipeline_chunk(struct asz_pipeline *pipeline, const struct asz_engine_datagram *datagram, uint64_t now_ns);

/* In pipeline_verify.c. The first two return the number of things done. */
unsigned asz_pipeline_enqueue(struct asz_pipeline *pipeline, uint64_t now_ns);
unsigned asz_pipeline_collect(struct asz_pipeline *pipeline);
/* asz_pipeline_judge_opening puts a complete opening into batches: 0 when there was no room. */
int asz_pipeline_judge_opening(struct asz_pipeline *pipeline, struct asz_fetch *fetch);

#endif
