/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline's parts share this: pipeline.c asks and receives, pipeline_verify.c has the answers judged. */
#ifndef ASZ_CONTROL_PIPELINE_INTERNAL_H
#define ASZ_CONTROL_PIPELINE_INTERNAL_H

#include "control/agenda.h"
#include "control/pipeline.h"

enum { ASZ_PIPELINE_KINDS_MAX = ASZ_KIND_MAX };

enum asz_item_state { ASZ_ITEM_IDLE = 0, ASZ_ITEM_QUEUED, ASZ_ITEM_SENT, ASZ_ITEM_ANSWERED, ASZ_ITEM_VERIFYING };

/* Item i stands for provider i / kind_count and its kind i % kind_count. */
struct asz_item {
  uint8_t state; /* enum asz_item_state */
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

  unsigned kind_count;
  uint8_t kind[ASZ_PIPELINE_KINDS_MAX]; /* what is asked, in the order of items */
  uint32_t member_count;
  struct asz_agenda_member *member; /* who is asked */
  void *scratch;                    /* of asz_agenda_make */
  uint32_t item_count;
  struct asz_item *item;
  uint8_t (*answer)[ASZ_ANSWER_MAX_BYTES];
  uint32_t *verify_queue; /* items whose answer waits for a batch; item_count entries */
  uint32_t verify_head, verify_tail;
  struct asz_batch *batch[ASZ_KIND_MAX + 1]; /* FILLING, by kind */

  /* the open round */
  uint64_t round; /* counts rounds; in a verdict's tag, so that those of an aborted round are known */
  uint32_t open;  /* items not yet done */
  uint32_t entry_count;
  struct asz_agenda_entry *entry; /* what is asked when, by item; in order */
  uint32_t send_next, scan_next;
  uint64_t begin_ns;
  uint64_t send_ns; /* when the next group may leave */
  uint32_t epoch;
  uint64_t slot;
  uint8_t secret[32], beacon[32];
  const struct asz_session *session;
  uint64_t drops_before; /* frames lost by us when the round began */
  uint64_t counter[ASZ_PCTR_COUNT];
};

/* In pipeline.c. */
struct asz_challenge asz_pipeline_challenge(const struct asz_pipeline *pipeline, uint32_t index);
static inline uint32_t asz_pipeline_provider(const struct asz_pipeline *pipeline, uint32_t index) {
  return index / pipeline->kind_count;
}
/* asz_pipeline_finish reports an item's outcome and closes it. */
void asz_pipeline_finish(struct asz_pipeline *pipeline, uint32_t index, enum asz_verdict verdict);

/* In pipeline_verify.c. Both return the number of things done. */
unsigned asz_pipeline_enqueue(struct asz_pipeline *pipeline, unsigned received);
unsigned asz_pipeline_collect(struct asz_pipeline *pipeline);

#endif
