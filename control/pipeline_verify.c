/* SPDX-License-Identifier: Apache-2.0 */
/* From accepted answers to verdicts: each answer's signature goes to the verifier; the work of kinds that have some goes there as
 * well, and the verdicts are joined. Why not one datagram after another: thousands of providers answer in the same second, and
 * verifying in batches is what a GPU needs. */
#include <assert.h>
#include <string.h>

#include "control/pipeline_internal.h"

enum { VERIFY_PER_STEP = 8 }; /* CPU backend: items verified a step, about a millisecond of signatures */

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
  struct asz_challenge challenge = asz_pipeline_challenge(p, index);
  struct asz_batch *work = challenge.kind == ASZ_KIND_SIG ? NULL : batch_of(p, challenge.kind);
  if (!sig || (challenge.kind != ASZ_KIND_SIG && !work))
    return 0;
  struct asz_item *item = &p->item[index];
  struct asz_answer answer;
  int err = asz_answer_read(&answer, p->answer[index], item->answer_bytes);
  assert(!err); /* it was read when it was accepted */
  (void)err;
  const uint8_t *provider_pk = p->roster->provider[asz_pipeline_provider(p, index)].public_key;
  uint8_t seed[32];
  asz_challenge_seed(seed, &challenge, p->roster->validator_pk, provider_pk);

  uint32_t i = sig->count++;
  sig->tag[i] = tag_of(p, index);
  memcpy(sig->public_key[i], provider_pk, 32);
  memcpy(sig->signature[i], answer.signature, 64);
  asz_answer_signed_bytes(sig->message[i], challenge.kind, challenge.param, challenge.epoch, challenge.slot, challenge.device,
                          seed, answer.body, answer.body_bytes);
  sig->message_bytes[i] = ASZ_SIGNED_BYTES;
  item->verdicts_due = 1;
  if (work) {
    uint32_t j = work->count++;
    work->tag[j] = tag_of(p, index);
    memcpy(work->seed[j], seed, 32);
    memcpy(work->checkpoint[j], answer.body, sizeof work->checkpoint[j]);
    work->log2_steps[j] = challenge.param;
    item->verdicts_due = 2;
  }
  item->work_verdict = ASZ_VERDICT_PASS; /* of a kind without work */
  item->state = ASZ_ITEM_VERIFYING;
  return 1;
}

unsigned asz_pipeline_enqueue(struct asz_pipeline *p, unsigned received) {
  unsigned done = 0;
  while (p->verify_head < p->verify_tail && enqueue_one(p, p->verify_queue[p->verify_head])) {
    p->verify_head++;
    done++;
  }
  if (received) /* more may come with the next step: let the batch grow */
    return done;
  for (unsigned kind = 1; kind <= ASZ_KIND_MAX; kind++)
    if (p->batch[kind] && p->batch[kind]->count) {
      asz_verify_submit(p->verifier, p->batch[kind]);
      p->batch[kind] = NULL;
      done++;
    }
  return done;
}

static enum asz_verdict outcome_of(const struct asz_item *item) {
  if (item->signature_verdict == ASZ_VERDICT_UNJUDGED || item->work_verdict == ASZ_VERDICT_UNJUDGED)
    return ASZ_VERDICT_UNJUDGED;
  if (item->signature_verdict != ASZ_VERDICT_PASS)
    return ASZ_VERDICT_MALFORMED;
  return item->work_verdict == ASZ_VERDICT_PASS ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL;
}

unsigned asz_pipeline_collect(struct asz_pipeline *p) {
  struct asz_batch *batch = asz_verify_poll(p->verifier, VERIFY_PER_STEP);
  if (!batch)
    return 0;
  for (uint32_t i = 0; i < batch->count; i++) {
    uint32_t index = (uint32_t)batch->tag[i];
    if (batch->tag[i] != tag_of(p, index))
      continue; /* of a round that was aborted */
    struct asz_item *item = &p->item[index];
    if (item->state != ASZ_ITEM_VERIFYING)
      continue;
    if (batch->kind == ASZ_KIND_SIG)
      item->signature_verdict = batch->verdict[i];
    else
      item->work_verdict = batch->verdict[i];
    if (--item->verdicts_due == 0)
      asz_pipeline_finish(p, index, outcome_of(item));
  }
  asz_verify_release(p->verifier, batch);
  return 1;
}
