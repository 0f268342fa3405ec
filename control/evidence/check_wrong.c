/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of an S1 bundle: that the provider signed wrong answers, often enough, to questions that nobody could choose.
 *
 * The accuser is not trusted. It cannot invent an answer (the provider's signature is over the seed, which holds both keys, the
 * beacon and the nonce; another one is over what was opened of it), cannot pick nonces until one suits it (the nonce follows from
 * a secret whose hash was logged before the epoch), cannot call a right answer wrong (it is recomputed, or the columns that were
 * opened are), and cannot count one slot twice or inflate the e-process (it is replayed: a slot without a proven wrong answer
 * counts as right). The MACs in the datagrams are passed over: the accuser holds their keys, so that they prove nothing. */
#include <stdlib.h>
#include <string.h>

#include "control/evidence/check.h"
#include "control/score/eprocess.h"
#include "gpu/verify.h"

enum asz_evidence_outcome asz_check_bad(struct asz_check *c, size_t at, const char *what) {
  return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "transcript %zu (slot %llu): %s", at,
                        (unsigned long long)c->bundle.transcript[at].slot, what);
}

static enum asz_evidence_outcome check_terms(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  if (e->stake_bps > 10000)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "stake: %u bps, expected at most 10,000", e->stake_bps);
  if (e->epoch_first > e->epoch_last)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "epoch_first lies behind epoch_last");
  if (e->slot_first > e->slot_last || e->slot_last - e->slot_first >= ASZ_EPROCESS_SLOTS)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "slots: expected 1 to %d from slot_first to slot_last", ASZ_EPROCESS_SLOTS);
  if (e->transcript_count == 0)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "no transcript: nothing is claimed to be wrong");
  uint64_t slot_min = e->slot_first;
  for (size_t i = 0; i < e->transcript_count; i++) {
    const struct asz_transcript *t = &e->transcript[i];
    if (t->slot < slot_min || t->slot > e->slot_last)
      return asz_check_bad(c, i, "slots must ascend, each once, within slot_first and slot_last");
    if (t->epoch < e->epoch_first || t->epoch > e->epoch_last)
      return asz_check_bad(c, i, "its epoch is outside the bundle's");
    if (t->tx_ns > t->rx_ns)
      return asz_check_bad(c, i, "answered before it was asked");
    slot_min = t->slot + 1;
  }
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_openings(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  for (size_t i = 0; i < e->transcript_count; i++) {
    const struct asz_transcript *t = &e->transcript[i];
    struct asz_epoch_open open;
    uint8_t commitment[32];
    if (asz_entry_epoch_open_read(&open, t->open_entry, t->open_entry_bytes, c->diag) != 0)
      return ASZ_EVIDENCE_UNVERIFIABLE;
    asz_epoch_commitment(commitment, t->epoch, t->secret);
    if (open.epoch != t->epoch)
      return asz_check_bad(c, i, "the opening entry is of another epoch");
    if (!asz_check_logged(&c->base, &t->open_inclusion, t->open_entry, t->open_entry_bytes))
      return asz_check_bad(c, i, "the epoch's opening is not in the tree of the bundle's checkpoint");
    if (memcmp(commitment, open.commitment, 32) != 0)
      return asz_check_bad(c, i, "the revealed secret is not the one committed to");
    if (t->epoch == e->epoch_last && memcmp(open.params_hash, e->params_hash, 32) != 0)
      return asz_check_bad(c, i, "the epoch was opened with other parameters");
    if (open.opened_ns > t->tx_ns && open.opened_ns - t->tx_ns > t->clock_error_ns)
      return asz_check_bad(c, i, "asked before the epoch was opened");
  }
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_challenges(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  uint8_t validator_id[ASZ_ID_BYTES], nonce[ASZ_NONCE_BYTES];
  c->read = calloc(e->transcript_count, sizeof *c->read);
  if (!c->read)
    return asz_check_fail(c, ASZ_EVIDENCE_UNVERIFIABLE, "no memory for %zu transcripts", e->transcript_count);
  asz_identity_short(validator_id, e->validator_pk);
  for (size_t i = 0; i < e->transcript_count; i++) {
    const struct asz_transcript *t = &e->transcript[i];
    const struct asz_span *asked = &t->exchange.piece[ASZ_PIECE_CHALLENGE];
    struct asz_challenge *challenge = &c->read[i].challenge;
    struct asz_epoch_open open;
    if (asz_challenge_read(challenge, asked->data, asked->size_bytes) != 0 ||
        asz_entry_epoch_open_read(&open, t->open_entry, t->open_entry_bytes, NULL) != 0)
      return asz_check_bad(c, i, "the challenge is malformed");
    if (challenge->kind == ASZ_KIND_SIG)
      return asz_check_bad(c, i, "an answer of kind sig cannot be signed and wrong");
    if (memcmp(challenge->validator_id, validator_id, sizeof validator_id) != 0)
      return asz_check_bad(c, i, "the challenge is another validator's");
    if (challenge->epoch != t->epoch || challenge->slot != t->slot || challenge->device != e->device)
      return asz_check_bad(c, i, "the challenge is of another epoch, slot or device");
    if (memcmp(challenge->beacon, open.beacon, 32) != 0)
      return asz_check_bad(c, i, "the beacon is not the one that the epoch was opened with");
    asz_challenge_nonce(nonce, t->secret, challenge->kind, challenge->slot, challenge->device, e->provider_pk);
    if (memcmp(challenge->nonce, nonce, sizeof nonce) != 0)
      return asz_check_bad(c, i, "the nonce does not follow from the epoch's secret");
    asz_challenge_seed(c->read[i].seed, challenge, e->validator_pk, e->provider_pk);
  }
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_answers(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  uint8_t provider_id[ASZ_ID_BYTES];
  asz_identity_short(provider_id, e->provider_pk);
  for (size_t i = 0; i < e->transcript_count; i++) {
    const struct asz_span *answered = &e->transcript[i].exchange.piece[ASZ_PIECE_ANSWER];
    const struct asz_challenge *challenge = &c->read[i].challenge;
    struct asz_answer *answer = &c->read[i].answer;
    if (asz_answer_read(answer, answered->data, answered->size_bytes) != 0)
      return asz_check_bad(c, i, "the answer is malformed");
    if (answer->kind != challenge->kind || answer->param != challenge->param || answer->epoch != challenge->epoch ||
        answer->slot != challenge->slot || answer->device != challenge->device ||
        memcmp(answer->nonce, challenge->nonce, ASZ_NONCE_BYTES) != 0)
      return asz_check_bad(c, i, "the answer is to another challenge");
    if (memcmp(answer->provider_id, provider_id, sizeof provider_id) != 0)
      return asz_check_bad(c, i, "the answer is another provider's");
  }
  return ASZ_EVIDENCE_VALID;
}

static bool signed_answer(const struct asz_evidence *e, const struct asz_answer *answer, const uint8_t seed[32]) {
  uint8_t signed_bytes[ASZ_SIGNED_BYTES];
  asz_answer_signed_bytes(signed_bytes, answer->kind, answer->param, answer->epoch, answer->slot, answer->device, seed,
                          answer->body, answer->body_bytes);
  return asz_verify_sig_one(e->provider_pk, answer->signature, signed_bytes, sizeof signed_bytes) == ASZ_VERDICT_PASS;
}

/* The openings and, at their end, the signature over them and over the reveal that picked them. */
static bool signed_openings(const struct asz_evidence *e, const struct asz_transcript *t,
                            const struct asz_read_transcript *read) {
  const struct asz_span *opening = &t->exchange.piece[ASZ_PIECE_OPENING];
  const struct asz_answer *answer = &read->answer;
  size_t openings_bytes = opening->size_bytes - ASZ_SIG_BYTES;
  uint8_t signed_bytes[ASZ_SIGNED_BYTES];
  struct asz_open open = {.kind = answer->kind,
                          .param = answer->param,
                          .openings = (uint8_t)read->openings,
                          .epoch = answer->epoch,
                          .device = answer->device,
                          .slot = answer->slot};
  asz_slot_reveal(open.rho, t->secret, t->slot);
  asz_opening_signed_bytes(signed_bytes, &open, read->seed, answer->body, answer->body_bytes, opening->data, openings_bytes);
  return asz_verify_sig_one(e->provider_pk, opening->data + openings_bytes, signed_bytes, sizeof signed_bytes) ==
         ASZ_VERDICT_PASS;
}

static enum asz_evidence_outcome check_signatures(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  for (size_t i = 0; i < e->transcript_count; i++) {
    const struct asz_read_transcript *read = &c->read[i];
    if (!signed_answer(e, &read->answer, read->seed))
      return asz_check_bad(c, i, "the provider did not sign this answer");
    if (read->openings && !signed_openings(e, &e->transcript[i], read))
      return asz_check_bad(c, i, "the provider did not sign these openings");
    if (read->build.body && !signed_answer(e, &read->build, read->build_seed))
      return asz_check_bad(c, i, "the provider did not sign this build");
  }
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_eprocess(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  size_t next = 0;
  for (uint64_t i = 0; i <= e->slot_last - e->slot_first; i++) {
    bool wrong = next < e->transcript_count && e->transcript[next].slot == e->slot_first + i;
    asz_eprocess_step(&process, wrong);
    next += wrong;
  }
  uint64_t value = asz_eprocess_value_q32(&process);
  if (value != e->e_value_q32)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the e-process ends at %llu (of 2^32), the bundle says %llu",
                          (unsigned long long)value, (unsigned long long)e->e_value_q32);
  if (!asz_eprocess_fired(&process))
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the e-process ends at %llu, below %d", (unsigned long long)(value >> 32),
                          ASZ_EPROCESS_THRESHOLD);
  return asz_check_remark(c, "E = %llu over %llu slots", (unsigned long long)(value >> 32),
                          (unsigned long long)(e->slot_last - e->slot_first + 1));
}

const struct asz_check_step asz_check_wrong[] = {
    {"terms", check_terms},
    {"openings", check_openings},
    {"challenges", check_challenges},
    {"answers", check_answers},
    {"pieces", asz_check_pieces},
    {"signatures", check_signatures},
    {"wrong-answers", asz_check_work},
    {"e-process", check_eprocess},
    {NULL, NULL},
};
