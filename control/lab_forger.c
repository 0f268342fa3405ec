/* SPDX-License-Identifier: Apache-2.0 */
/* Products are spoilt by gpu/prove/cheat.h. Two attacks go on after the reveal, when a provider knows what it will be asked: it
 * judges its own openings as the validator will, and then mends those that are wrong as well as it can, or keeps silent. */
#include "control/lab_forger.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/draw.h"
#include "gpu/prove/cheat.h"

enum { DRAW_WORK = 1 };

struct asz_lab_forger {
  struct asz_lab_trait trait;
  uint64_t seed;
  struct asz_cheat *cheat; /* gemm and mem: its last product or arena */
  void *slot_memory;       /* what judges openings, of the attacks that do */
  uint8_t beacon[32];      /* of the last answer */
  /* replayed-answer: its true answers to the question at hand and to the one before. */
  uint8_t nonce[ASZ_NONCE_BYTES];
  size_t true_bytes, before_bytes;
  uint8_t true_answer[ASZ_ANSWER_MAX_BYTES], before[ASZ_ANSWER_MAX_BYTES];
};

static enum asz_gemm_cheat mode_of(enum asz_lab_attack attack) {
  switch (attack) {
  case ASZ_LAB_ATTACK_ONE_ENTRY:
    return ASZ_GEMM_CHEAT_ONE_ENTRY;
  case ASZ_LAB_ATTACK_ALIAS:
    return ASZ_GEMM_CHEAT_ALIAS;
  case ASZ_LAB_ATTACK_INT4:
    return ASZ_GEMM_CHEAT_INT4;
  case ASZ_LAB_ATTACK_LOW_RANK:
    return ASZ_GEMM_CHEAT_LOW_RANK;
  case ASZ_LAB_ATTACK_RECURRENCE:
    return ASZ_GEMM_CHEAT_RECURRENCE;
  case ASZ_LAB_ATTACK_FORGED_LINK:
    return ASZ_GEMM_CHEAT_FORGED_LINK;
  case ASZ_LAB_ATTACK_STALE_SEED:
    return ASZ_GEMM_CHEAT_STALE_SEED;
  case ASZ_LAB_ATTACK_FOREIGN_SEED:
    return ASZ_GEMM_CHEAT_FOREIGN_SEED;
  case ASZ_LAB_ATTACK_MISSING_ARENA:
    return ASZ_GEMM_CHEAT_MISSING_ARENA;
  case ASZ_LAB_ATTACK_STALE_FOLD:
    return ASZ_GEMM_CHEAT_STALE_FOLD;
  case ASZ_LAB_ATTACK_OTHER_ARENA:
    return ASZ_GEMM_CHEAT_NONE;
  default: /* lazy, lazy-arena, and those that go on from lazy */
    return ASZ_GEMM_CHEAT_LAZY;
  }
}

static bool looks_ahead(enum asz_lab_attack attack) {
  return attack == ASZ_LAB_ATTACK_UPPER_HALVES || attack == ASZ_LAB_ATTACK_SELECTIVE;
}

int asz_lab_forger_new(struct asz_lab_forger **ret_forger, const struct asz_lab_trait *trait, uint64_t seed) {
  struct asz_lab_forger *forger = calloc(1, sizeof *forger);
  if (!forger)
    return ASZ_ENOMEM;
  forger->trait = *trait;
  forger->seed = seed;
  int err = 0;
  if (asz_lab_attack_kind(trait->attack) > ASZ_KIND_SINGLE_MAX)
    err = asz_cheat_new(&forger->cheat, ASZ_LAB_PRESET, asz_gemm_backend_at(0));
  if (!err && looks_ahead(trait->attack)) {
    forger->slot_memory = aligned_alloc(ASZ_GEMM_ALIGN_BYTES, asz_gemm_slot_footprint(ASZ_LAB_PRESET));
    err = forger->slot_memory ? 0 : ASZ_ENOMEM;
  }
  if (err) {
    asz_lab_forger_free(forger);
    return err;
  }
  *ret_forger = forger;
  return 0;
}

void asz_lab_forger_free(struct asz_lab_forger *forger) {
  if (!forger)
    return;
  asz_cheat_free(forger->cheat);
  free(forger->slot_memory);
  free(forger);
}

/* ---- sig and seq ---- */

static struct asz_challenge of_another_nonce(const struct asz_challenge *challenge) {
  struct asz_challenge other = *challenge;
  other.nonce[0] ^= 1;
  return other;
}

/* S + L: the same number modulo the order of the group, so that it verifies where nobody asks for the smallest. */
static void add_order(uint8_t s[32]) {
  static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                    0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
  unsigned carry = 0;
  for (int i = 0; i < 32; i++) {
    carry += (unsigned)s[i] + order[i];
    s[i] = (uint8_t)carry;
    carry >>= 8;
  }
}

static size_t answer_sig(const struct asz_lab_forger *forger, uint8_t *ret_datagram, const struct asz_challenge *challenge,
                         const struct asz_lab_party *party, const uint8_t reply_key[16]) {
  const enum asz_lab_attack attack = forger->trait.attack;
  const struct asz_challenge worked = attack == ASZ_LAB_ATTACK_OTHER_NONCE ? of_another_nonce(challenge) : *challenge;
  const struct asz_identity *signer = attack == ASZ_LAB_ATTACK_OTHER_KEY ? party->other : party->own;
  uint8_t seed[32], signed_bytes[ASZ_SIGNED_BYTES], signature[64], provider_id[ASZ_ID_BYTES];
  asz_challenge_seed(seed, &worked, party->validator_pk, party->own->public_key);
  asz_answer_signed_bytes(signed_bytes, challenge->kind, challenge->param, challenge->epoch, challenge->slot, challenge->device,
                          seed, seed, 0);
  crypto_sign_detached(signature, NULL, signed_bytes, sizeof signed_bytes, signer->secret_key);
  if (attack == ASZ_LAB_ATTACK_NON_CANONICAL)
    add_order(signature + 32);
  if (attack == ASZ_LAB_ATTACK_SMALL_ORDER) {
    memset(signature, 0, sizeof signature);
    signature[0] = 1; /* y = 1, x = 0 */
  }
  asz_identity_short(provider_id, party->own->public_key);
  return asz_answer_write(ret_datagram, challenge, provider_id, NULL, signature, reply_key);
}

/* The answer to the question before; silence to the first one. A question may be asked again. */
static size_t answer_replayed(struct asz_lab_forger *forger, uint8_t *ret_datagram, const struct asz_challenge *challenge,
                              const struct asz_lab_party *party, const uint8_t reply_key[16]) {
  if (memcmp(forger->nonce, challenge->nonce, sizeof forger->nonce) != 0) {
    memcpy(forger->nonce, challenge->nonce, sizeof forger->nonce);
    memcpy(forger->before, forger->true_answer, forger->true_bytes);
    forger->before_bytes = forger->true_bytes;
    forger->true_bytes =
        asz_prove_answer(forger->true_answer, challenge, party->own, party->validator_pk, reply_key, ASZ_PROVE_HONEST);
  }
  memcpy(ret_datagram, forger->before, forger->before_bytes);
  return forger->before_bytes;
}

static size_t answer_seq(const struct asz_lab_forger *forger, uint8_t *ret_datagram, const struct asz_challenge *challenge,
                         const struct asz_lab_party *party, const uint8_t reply_key[16]) {
  uint8_t seed[32], worked_seed[32], checkpoint[ASZ_SEQ_CHECKPOINTS][32];
  if (forger->trait.attack == ASZ_LAB_ATTACK_BROKEN_CHAIN)
    return asz_prove_answer(ret_datagram, challenge, party->own, party->validator_pk, reply_key, ASZ_PROVE_WRONG);
  const bool is_short = forger->trait.attack == ASZ_LAB_ATTACK_SHORT_CHAIN;
  const struct asz_challenge worked = is_short ? *challenge : of_another_nonce(challenge);
  assert(challenge->param > ASZ_SEQ_LOG2_MIN);
  asz_challenge_seed(seed, challenge, party->validator_pk, party->own->public_key);
  asz_challenge_seed(worked_seed, &worked, party->validator_pk, party->own->public_key);
  asz_prove_seq(checkpoint, worked_seed, challenge->param - (is_short ? 1u : 0u));
  return asz_prove_seal(ret_datagram, challenge, party->own, seed, checkpoint[0], sizeof checkpoint, reply_key, ASZ_PROVE_HONEST);
}

/* ---- gemm and mem ---- */

/* The root of a product or arena, made its way. */
static void work_on(struct asz_lab_forger *forger, const struct asz_challenge *challenge, const uint8_t seed[32],
                    uint8_t ret_root[32]) {
  memcpy(forger->beacon, challenge->beacon, 32);
  asz_cheat_run(forger->cheat, mode_of(forger->trait.attack), forger->trait.columns,
                asz_draw(forger->seed, 0, challenge->slot, DRAW_WORK), challenge->beacon, seed, ret_root);
}

static size_t answer_work(struct asz_lab_forger *forger, uint8_t *ret_datagram, const struct asz_challenge *challenge,
                          const struct asz_lab_party *party, const uint8_t reply_key[16], struct asz_work *work) {
  const enum asz_lab_attack attack = forger->trait.attack;
  const enum asz_work_part part = asz_work_part_of(challenge->kind, challenge->param);
  const bool another = attack == ASZ_LAB_ATTACK_STALE_SEED || (attack == ASZ_LAB_ATTACK_OTHER_ARENA && part == ASZ_WORK_FOLD);
  const struct asz_challenge worked = another ? of_another_nonce(challenge) : *challenge;
  const struct asz_identity *whose = attack == ASZ_LAB_ATTACK_FOREIGN_SEED ? party->other : party->own;
  struct asz_work_answer *answer = &work->answer[part];
  uint8_t worked_seed[32];
  asz_challenge_seed(answer->seed, challenge, party->validator_pk, party->own->public_key);
  asz_challenge_seed(worked_seed, &worked, party->validator_pk, whose->public_key);
  memset(answer->body, 0, sizeof answer->body);
  if (part == ASZ_WORK_BASE || another)
    work_on(forger, challenge, worked_seed, answer->body);
  else
    memcpy(answer->body, work->answer[ASZ_WORK_BASE].body, 32);
  if (part == ASZ_WORK_FOLD)
    asz_cheat_fold(forger->cheat, answer->seed, answer->body + 32);
  const size_t body_bytes = challenge->kind == ASZ_KIND_GEMM ? 32 : 64;
  return asz_prove_seal(ret_datagram, challenge, party->own, answer->seed, answer->body, body_bytes, reply_key, ASZ_PROVE_HONEST);
}

/* Does this opening pass? */
static bool passes(const struct asz_gemm_slot *slot, const struct asz_work_answer *answer, const uint8_t *opening,
                   struct asz_gemm_pick pick) {
  uint8_t verdict, reason;
  const struct asz_gemm_openings openings = {
      .count = 1,
      .opening_bytes = asz_gemm_opening_bytes(&slot->shape),
      .opening = opening,
      .pick = &pick,
      .seed = (const uint8_t(*)[32])answer->seed,
      .root = (const uint8_t(*)[32])answer->body,
      .verdict = &verdict,
      .reason = &reason,
  };
  asz_gemm_judge(slot, &openings, 0, 1);
  return verdict == ASZ_VERDICT_PASS;
}

/* Gives an opened column upper halves with which its product is right. */
static void mend(const struct asz_gemm_slot *slot, const struct asz_work_answer *answer, uint8_t *opening,
                 struct asz_gemm_pick pick) {
  int32_t column[64];
  uint8_t key[32];
  assert(slot->shape.n <= sizeof column / sizeof *column);
  memcpy(column, opening + ASZ_GEMM_AT_COLUMN, slot->shape.n * sizeof *column);
  asz_gemm_host_b_key(key, answer->seed, pick.t, opening + ASZ_GEMM_AT_PREVIOUS_ROOT);
  const uint32_t u_dot_b = slot->backend->u_dot_b(slot->u_packed, slot->shape.k, key, pick.j);
  if (asz_cheat_upper_halves(column, &slot->shape, slot->s, u_dot_b))
    memcpy(opening + ASZ_GEMM_AT_COLUMN, column, slot->shape.n * sizeof *column);
}

/* What is done once the reveal is known: false: it will not open. */
static bool look_ahead(struct asz_lab_forger *forger, const struct asz_work_answer *answer, const struct asz_gemm_pick *pick,
                       const struct asz_open *open) {
  const struct asz_gemm_slot *slot =
      asz_gemm_slot_new(forger->slot_memory, ASZ_LAB_PRESET, asz_gemm_backend_at(0), forger->beacon, open->rho);
  const size_t opening_bytes = asz_gemm_opening_bytes(&slot->shape);
  for (unsigned i = 0; i < open->openings; i++) {
    uint8_t *opening = answer->blob + i * opening_bytes;
    if (passes(slot, answer, opening, pick[i]))
      continue;
    if (forger->trait.attack == ASZ_LAB_ATTACK_SELECTIVE)
      return false;
    mend(slot, answer, opening, pick[i]);
  }
  return true;
}

bool asz_lab_forger_open(struct asz_lab_forger *forger, struct asz_work *work, const struct asz_open *open,
                         const struct asz_lab_party *party) {
  const bool is_fold = asz_work_part_of(open->kind, open->param) == ASZ_WORK_FOLD;
  const struct asz_work_answer *answer = &work->answer[is_fold ? ASZ_WORK_FOLD : ASZ_WORK_BASE];
  const struct asz_gemm_shape shape = asz_gemm_shape_of(ASZ_LAB_PRESET);
  const size_t opening_bytes = asz_opening_bytes(open->kind, open->param), all_bytes = open->openings * opening_bytes;
  struct asz_gemm_pick pick[ASZ_OPENINGS_MAX];
  uint8_t signed_bytes[ASZ_SIGNED_BYTES];
  asz_gemm_picks(pick, open->openings, &shape, open->rho, open->kind, party->own->public_key, open->device,
                 answer->body + (is_fold ? 32 : 0));
  for (unsigned i = 0; i < open->openings; i++)
    asz_cheat_open(forger->cheat, pick[i], is_fold, answer->blob + i * opening_bytes);
  if (looks_ahead(forger->trait.attack) && !look_ahead(forger, answer, pick, open))
    return false;
  asz_opening_signed_bytes(signed_bytes, open, answer->seed, answer->body, open->kind == ASZ_KIND_GEMM ? 32 : 64, answer->blob,
                           all_bytes);
  crypto_sign_detached(answer->blob + all_bytes, NULL, signed_bytes, sizeof signed_bytes, party->own->secret_key);
  return true;
}

size_t asz_lab_forger_answer(struct asz_lab_forger *forger, uint8_t *ret_datagram, const struct asz_challenge *challenge,
                             const struct asz_lab_party *party, const uint8_t reply_key[16], struct asz_work *work) {
  assert(challenge->kind == asz_lab_attack_kind(forger->trait.attack));
  if (forger->trait.attack == ASZ_LAB_ATTACK_REPLAYED_ANSWER)
    return answer_replayed(forger, ret_datagram, challenge, party, reply_key);
  if (forger->trait.attack == ASZ_LAB_ATTACK_FORGED_SOURCE) {
    uint8_t guessed[16];
    memcpy(guessed, reply_key, sizeof guessed);
    guessed[0] ^= 1;
    return asz_prove_answer(ret_datagram, challenge, party->own, party->validator_pk, guessed, ASZ_PROVE_HONEST);
  }
  if (challenge->kind == ASZ_KIND_SIG)
    return answer_sig(forger, ret_datagram, challenge, party, reply_key);
  if (challenge->kind == ASZ_KIND_SEQ)
    return answer_seq(forger, ret_datagram, challenge, party, reply_key);
  return answer_work(forger, ret_datagram, challenge, party, reply_key, work);
}
