/* SPDX-License-Identifier: Apache-2.0 */
/* From accepted answers to verdicts: each answer's signature goes to the verifier; the work of kinds that have some goes there as
 * well, and the verdicts are joined. Why not one datagram after another: thousands of providers answer in the same second, and
 * verifying in batches is what a GPU needs. */
#include <assert.h>
#include <string.h>

#include "control/pipeline_internal.h"

enum { VERIFY_PER_STEP = 8 }; /* CPU backend: items verified a step, about a millisecond of signatures */

/* The batch being filled for a kind, or for builds, with room for so many; NULL when the verifier has none left: what waits,
 * waits. */
static struct asz_batch *batch_of(struct asz_pipeline *p, unsigned which, uint32_t items) {
  struct asz_batch **batch = &p->batch[which];
  if (*batch && (*batch)->capacity - (*batch)->count < items) {
    asz_verify_submit(p->verifier, *batch);
    *batch = NULL;
  }
  if (!*batch)
    *batch = asz_verify_batch(p->verifier, which == ASZ_PIPELINE_BATCH_BUILD ? ASZ_KIND_GEMM : which);
  return *batch;
}

static uint64_t tag_of(const struct asz_pipeline *p, uint32_t index) {
  return p->round << 32 | index;
}

/* Puts a signature of the item's provider into a batch. Its key gets a table with its first signature: that is work for three. */
static void add_signature(struct asz_pipeline *p, struct asz_batch *sig, uint32_t index, const uint8_t signature[64],
                          const uint8_t signed_bytes[ASZ_SIGNED_BYTES]) {
  uint32_t provider = asz_pipeline_provider(p, index), i = sig->count++;
  const uint8_t *public_key = p->roster->provider[provider].public_key;
  sig->tag[i] = tag_of(p, index);
  sig->key[i] = asz_verify_key_set(p->verifier, provider, public_key) == 0 ? provider : ASZ_KEY_NONE;
  memcpy(sig->public_key[i], public_key, 32);
  memcpy(sig->signature[i], signature, 64);
  memcpy(sig->message[i], signed_bytes, ASZ_SIGNED_BYTES);
  sig->message_bytes[i] = ASZ_SIGNED_BYTES;
}

static void read_kept(const struct asz_pipeline *p, uint32_t index, struct asz_answer *ret_answer, uint8_t ret_seed[32]) {
  const struct asz_challenge challenge = asz_pipeline_challenge(p, index);
  int err = asz_answer_read(ret_answer, p->answer[index], p->item[index].answer_bytes);
  assert(!err); /* it was read when it was accepted */
  (void)err;
  asz_challenge_seed(ret_seed, &challenge, p->roster->validator_pk,
                     p->roster->provider[asz_pipeline_provider(p, index)].public_key);
}

/* enqueue_one puts an answer's signature, and its work where the answer holds some, into batches: 0 when there was no room. */
static int enqueue_one(struct asz_pipeline *p, uint32_t index) {
  struct asz_batch *sig = batch_of(p, ASZ_KIND_SIG, 1);
  struct asz_challenge challenge = asz_pipeline_challenge(p, index);
  bool has_work = challenge.kind == ASZ_KIND_SEQ;
  struct asz_batch *work = has_work ? batch_of(p, challenge.kind, 1) : NULL;
  if (!sig || (has_work && !work))
    return 0;
  struct asz_item *item = &p->item[index];
  struct asz_answer answer;
  uint8_t seed[32], signed_bytes[ASZ_SIGNED_BYTES];
  read_kept(p, index, &answer, seed);
  asz_answer_signed_bytes(signed_bytes, challenge.kind, challenge.param, challenge.epoch, challenge.slot, challenge.device, seed,
                          answer.body, answer.body_bytes);
  add_signature(p, sig, index, answer.signature, signed_bytes);
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

/* What the openings of an answer are judged by. */
struct standard {
  unsigned batch; /* where they go: a kind, or ASZ_PIPELINE_BATCH_BUILD */
  const uint8_t *seed, *root;
  const uint8_t *fold_seed, *z_root; /* NULL but of a fold */
  const uint8_t *picked_by;          /* the root that the picks depend on */
};

static struct standard standard_of(const struct asz_pipeline *p, const struct asz_fetch *fetch, const uint8_t *body,
                                   const uint8_t *seed) {
  if (fetch->open.kind == ASZ_KIND_GEMM)
    return (struct standard){.batch = ASZ_KIND_GEMM, .seed = seed, .root = body, .picked_by = body};
  if (!asz_param_is_fold(fetch->open.kind, fetch->open.param))
    return (struct standard){.batch = ASZ_PIPELINE_BATCH_BUILD, .seed = seed, .root = body, .picked_by = body};
  const struct asz_arena *arena = &p->arena[asz_pipeline_provider(p, fetch->index)];
  return (struct standard){.batch = ASZ_KIND_MEM,
                           .seed = arena->seed,
                           .root = body, /* the arena's: asz_pipeline_mem_signed has seen to that */
                           .fold_seed = seed,
                           .z_root = body + 32,
                           .picked_by = body + 32};
}

/* One opened column into the batch. */
static void add_opening(struct asz_pipeline *p, struct asz_batch *batch, const struct asz_fetch *fetch, unsigned number,
                        const uint32_t pick[2], const struct standard *standard) {
  uint32_t i = batch->count++;
  size_t opening_bytes = asz_opening_bytes(fetch->open.kind, fetch->open.param);
  batch->slot = asz_pipeline_slot(p, fetch->open.kind);
  batch->opening_bytes = opening_bytes;
  batch->tag[i] = tag_of(p, fetch->index);
  memcpy(batch->opening + i * opening_bytes, fetch->blob + number * opening_bytes, opening_bytes);
  memcpy(batch->pick[i], pick, sizeof batch->pick[i]);
  memcpy(batch->seed[i], standard->seed, 32);
  memcpy(batch->root[i], standard->root, 32);
  if (standard->z_root) {
    memcpy(batch->fold_seed[i], standard->fold_seed, 32);
    memcpy(batch->z_root[i], standard->z_root, 32);
  }
}

int asz_pipeline_judge_opening(struct asz_pipeline *p, struct asz_fetch *fetch) {
  unsigned count = fetch->open.openings;
  struct asz_answer answer;
  uint32_t pick[ASZ_OPENINGS_MAX][2];
  uint8_t seed[32], signed_bytes[ASZ_SIGNED_BYTES];
  read_kept(p, fetch->index, &answer, seed);
  const struct standard standard = standard_of(p, fetch, answer.body, seed);
  struct asz_batch *sig = batch_of(p, ASZ_KIND_SIG, 1), *work = batch_of(p, standard.batch, count);
  if (!sig || !work)
    return 0;
  uint32_t provider = asz_pipeline_provider(p, fetch->index);
  uint8_t preset = (uint8_t)asz_param_preset(fetch->open.param);
  size_t openings_bytes = count * asz_opening_bytes(fetch->open.kind, fetch->open.param);
  asz_opening_signed_bytes(signed_bytes, &fetch->open, seed, answer.body, answer.body_bytes, fetch->blob, openings_bytes);
  add_signature(p, sig, fetch->index, fetch->blob + openings_bytes, signed_bytes);
  asz_verify_picks(pick, count, preset, p->rho, fetch->open.kind, p->roster->provider[provider].public_key, fetch->open.device,
                   standard.picked_by);
  for (unsigned i = 0; i < count; i++)
    add_opening(p, work, fetch, i, pick[i], &standard);
  struct asz_item *item = &p->item[fetch->index];
  item->verdicts_due = (uint8_t)(1 + count);
  item->work_verdict = ASZ_VERDICT_PASS;
  item->state = ASZ_ITEM_VERIFYING;
  return 1;
}

unsigned asz_pipeline_enqueue(struct asz_pipeline *p, uint64_t now_ns) {
  unsigned done = 0;
  while (p->verify_head < p->verify_tail && enqueue_one(p, p->verify_queue[p->verify_head])) {
    p->verify_head++;
    done++;
  }
  for (unsigned which = 1; which < ASZ_PIPELINE_BATCHES; which++)
    if (p->batch[which] && asz_verify_due(p->verifier, p->batch[which], now_ns)) {
      asz_verify_submit(p->verifier, p->batch[which]);
      p->batch[which] = NULL;
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

/* Of several pieces of work one that is wrong decides; then one that we could not judge. */
static void join(struct asz_item *item, enum asz_verdict verdict) {
  bool decided = item->work_verdict != ASZ_VERDICT_PASS && item->work_verdict != ASZ_VERDICT_UNJUDGED;
  if (verdict != ASZ_VERDICT_PASS && !decided)
    item->work_verdict = verdict;
}

/* A commitment that is signed has only begun, but for one of mem that contradicts itself. */
static enum asz_verdict commitment_verdict(struct asz_pipeline *p, uint32_t index) {
  struct asz_answer answer;
  uint8_t seed[32];
  if (p->kind[index % p->kind_count] != ASZ_KIND_MEM)
    return ASZ_VERDICT_NONE;
  read_kept(p, index, &answer, seed);
  return asz_pipeline_mem_signed(p, index, seed);
}

/* All verdicts about an item are there. */
static void conclude(struct asz_pipeline *p, uint32_t index) {
  struct asz_item *item = &p->item[index];
  enum asz_verdict verdict = outcome_of(item);
  bool commits = p->kind[index % p->kind_count] > ASZ_KIND_SINGLE_MAX && !item->fetch;
  if (commits && verdict == ASZ_VERDICT_PASS && (verdict = commitment_verdict(p, index)) == ASZ_VERDICT_NONE)
    item->state = ASZ_ITEM_COMMITTED;
  else
    asz_pipeline_finish(p, index, verdict);
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
      join(item, (enum asz_verdict)batch->verdict[i]);
    if (--item->verdicts_due == 0)
      conclude(p, index);
  }
  asz_verify_release(p->verifier, batch);
  return 1;
}
