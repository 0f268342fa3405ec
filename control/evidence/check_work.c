/* SPDX-License-Identifier: Apache-2.0 */
/* The work in an S1 bundle's transcripts. A seq answer holds all of its own. That of gemm and mem is shown by openings, whose
 * number follows from their size, and which count as wrong when they are not of the columns that the slot's reveal picks, or not
 * right.
 *
 * A fold is held against an arena. Which one that was says the answer of its build, under the provider's own signature; the fold
 * names the same root, so that an accuser gains nothing by showing another build: then the two contradict each other here, and
 * the bundle falls. */
#include <string.h>

#include "control/evidence/check.h"
#include "gpu/verify.h"

/* In compressions of SHA-256: 2^28 are about a minute on one core. The usual bundle, four chains of 2^20, needs 2^22. A product's
 * 64 bytes of keystream, with what they are multiplied by, take about as long as one. */
static const uint64_t recompute_steps_max = UINT64_C(1) << 28;
enum { STEP_BYTES = 64 };

static bool is_fold(const struct asz_challenge *challenge) {
  return asz_param_is_fold(challenge->kind, challenge->param);
}

/* The challenge that the build answered: what it says of itself, and what follows from the epoch's secret. */
static void derive_build(struct asz_read_transcript *read, const struct asz_evidence *e, const struct asz_transcript *t) {
  struct asz_challenge build = read->challenge;
  build.param = read->build.param;
  build.slot = read->build.slot;
  asz_challenge_nonce(build.nonce, t->secret, build.kind, build.slot, build.device, e->provider_pk);
  asz_challenge_seed(read->build_seed, &build, e->validator_pk, e->provider_pk);
}

static const char *build_problem(struct asz_read_transcript *read, const struct asz_evidence *e, const struct asz_transcript *t) {
  const struct asz_span *piece = &t->exchange.piece[ASZ_PIECE_BUILD];
  const struct asz_challenge *fold = &read->challenge;
  if (!is_fold(fold))
    return piece->size_bytes ? "only the fold of an arena has a build" : NULL;
  if (asz_answer_read(&read->build, piece->data, piece->size_bytes) != 0)
    return "a fold needs the answer of its arena's build";
  const struct asz_answer *build = &read->build;
  if (build->kind != ASZ_KIND_MEM || (build->param | ASZ_MEM_FOLD) != fold->param || build->param == fold->param ||
      build->epoch != fold->epoch || build->device != fold->device || build->slot >= fold->slot)
    return "the build is of another preset, epoch or device, or later than its fold";
  if (memcmp(build->body, read->answer.body, 32) != 0)
    return "the fold names another arena than the build";
  derive_build(read, e, t);
  return NULL;
}

static const char *opening_problem(struct asz_read_transcript *read, const struct asz_transcript *t) {
  const struct asz_span *piece = &t->exchange.piece[ASZ_PIECE_OPENING];
  const size_t opening_bytes = asz_opening_bytes(read->challenge.kind, read->challenge.param);
  if (opening_bytes == 0)
    return piece->size_bytes ? "an answer of this kind is not opened" : NULL;
  size_t openings = piece->size_bytes / opening_bytes;
  if (openings < 1 || openings > ASZ_OPENINGS_MAX ||
      piece->size_bytes != asz_opening_total_bytes(read->challenge.kind, read->challenge.param, (unsigned)openings))
    return "expected 1 to 32 whole openings and a signature";
  read->openings = (unsigned)openings;
  return NULL;
}

enum asz_evidence_outcome asz_check_pieces(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  for (size_t i = 0; i < e->transcript_count; i++) {
    const char *problem = opening_problem(&c->read[i], &e->transcript[i]);
    if (!problem)
      problem = build_problem(&c->read[i], e, &e->transcript[i]);
    if (problem)
      return asz_check_bad(c, i, problem);
  }
  return ASZ_EVIDENCE_VALID;
}

static struct asz_opened_answer opened_of(const struct asz_evidence *e, const struct asz_transcript *t,
                                          const struct asz_read_transcript *read, const uint8_t rho[32]) {
  bool fold = is_fold(&read->challenge);
  return (struct asz_opened_answer){
      .kind = read->challenge.kind,
      .param = read->challenge.param,
      .device = e->device,
      .provider_pk = e->provider_pk,
      .beacon = read->challenge.beacon,
      .rho = rho,
      .seed = fold ? read->build_seed : read->seed,
      .root = read->answer.body,
      .fold_seed = fold ? read->seed : NULL,
      .z_root = fold ? read->answer.body + 32 : NULL,
      .openings = t->exchange.piece[ASZ_PIECE_OPENING].data,
      .count = read->openings,
  };
}

static enum asz_verdict judge(const struct asz_evidence *e, const struct asz_transcript *t,
                              const struct asz_read_transcript *read) {
  if (read->openings) {
    uint8_t rho[32];
    asz_slot_reveal(rho, t->secret, t->slot);
    const struct asz_opened_answer opened = opened_of(e, t, read, rho);
    return asz_verify_opened_one(&opened);
  }
  return asz_verify_seq_one(read->seed, (const uint8_t(*)[32])read->answer.body, read->answer.param);
}

static uint64_t steps_of(const struct asz_read_transcript *read) {
  return read->openings ? asz_verify_opened_bytes(read->answer.param, read->openings) / STEP_BYTES
                        : UINT64_C(1) << read->answer.param;
}

enum asz_evidence_outcome asz_check_work(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  uint64_t steps = 0;
  for (size_t i = 0; i < e->transcript_count; i++)
    steps += steps_of(&c->read[i]);
  if (steps > recompute_steps_max)
    return asz_check_fail(c, ASZ_EVIDENCE_UNVERIFIABLE, "recomputing takes %llu steps of SHA-256, this program does at most %llu",
                          (unsigned long long)steps, (unsigned long long)recompute_steps_max);
  for (size_t i = 0; i < e->transcript_count; i++) {
    enum asz_verdict verdict = judge(e, &e->transcript[i], &c->read[i]);
    if (verdict == ASZ_VERDICT_UNJUDGED)
      return asz_check_fail(c, ASZ_EVIDENCE_UNVERIFIABLE, "no memory to recompute transcript %zu", i);
    if (verdict != ASZ_VERDICT_FAIL)
      return asz_check_bad(c, i, "the answer is right");
  }
  return asz_check_remark(c, "%zu answers recomputed, each one wrong", e->transcript_count);
}
