/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/control/evidence/forge_work.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "gpu/prove/cheat.h"

enum { TINY = ASZ_GEMM_PRESET_TINY, COLUMNS = 128, BODY_BYTES = 64 };

static const uint8_t mac_key[16];

void forge_work_reveal(const struct forge_work *w, unsigned i, uint8_t ret_rho[32]) {
  asz_slot_reveal(ret_rho, w->f.transcript[i].secret, w->f.transcript[i].slot);
}

static void challenge_seed(const struct forge_work *w, const struct asz_challenge *challenge, uint8_t ret_seed[32]) {
  asz_challenge_seed(ret_seed, challenge, w->f.validator.public_key, w->f.provider.public_key);
}

static const uint8_t *body_of(const struct forge_work *w, unsigned i) {
  return w->f.datagram[i][1] + ASZ_ANSWER_HEAD_BYTES;
}

void forge_work_sign(struct forge_work *w, unsigned i, unsigned openings, const uint8_t rho[32]) {
  const struct asz_challenge *c = &w->f.challenge[i];
  struct asz_open open = {
      .kind = c->kind, .param = c->param, .openings = (uint8_t)openings, .epoch = c->epoch, .device = c->device, .slot = c->slot};
  uint8_t seed[32], signed_bytes[ASZ_SIGNED_BYTES];
  size_t bytes = openings * w->opening_bytes[i];
  memcpy(open.rho, rho, 32);
  challenge_seed(w, c, seed);
  asz_opening_signed_bytes(signed_bytes, &open, seed, body_of(w, i), asz_answer_bytes(c->kind) - 128, w->blob[i], bytes);
  crypto_sign_detached(w->blob[i] + bytes, NULL, signed_bytes, sizeof signed_bytes, w->f.provider.secret_key);
  forge_piece(&w->f.transcript[i], ASZ_PIECE_OPENING, w->blob[i], bytes + ASZ_SIG_BYTES);
}

static void answer(struct forge_work *w, unsigned i, const uint8_t seed[32], const uint8_t *body, size_t body_bytes) {
  size_t size =
      asz_prove_seal(w->f.datagram[i][1], &w->f.challenge[i], &w->f.provider, seed, body, body_bytes, mac_key, ASZ_PROVE_HONEST);
  forge_piece(&w->f.transcript[i], ASZ_PIECE_ANSWER, w->f.datagram[i][1], size);
}

static void ask(struct forge_work *w, unsigned i, uint8_t kind, uint8_t param, uint8_t ret_seed[32]) {
  struct asz_challenge *c = &w->f.challenge[i];
  c->kind = kind;
  c->param = param;
  asz_challenge_nonce(c->nonce, w->f.transcript[i].secret, kind, c->slot, c->device, w->f.provider.public_key);
  forge_piece(&w->f.transcript[i], ASZ_PIECE_CHALLENGE, w->f.datagram[i][0],
              asz_challenge_write(w->f.datagram[i][0], c, mac_key));
  w->opening_bytes[i] = asz_opening_bytes(kind, param);
  challenge_seed(w, c, ret_seed);
}

static void open_columns(struct forge_work *w, unsigned i, struct asz_cheat *cheat, const uint8_t root[32], bool is_fold) {
  const struct asz_gemm_shape shape = asz_gemm_shape_of(TINY);
  struct asz_gemm_pick pick[FORGE_OPENINGS];
  uint8_t rho[32];
  forge_work_reveal(w, i, rho);
  asz_gemm_picks(pick, FORGE_OPENINGS, &shape, rho, w->f.challenge[i].kind, w->f.provider.public_key, w->f.evidence.device, root);
  for (unsigned o = 0; o < FORGE_OPENINGS; o++)
    asz_cheat_open(cheat, pick[o], is_fold, w->blob[i] + o * w->opening_bytes[i]);
  forge_work_sign(w, i, FORGE_OPENINGS, rho);
}

/* A product, or an arena: its columns are garbage unless it is right. */
static void work(struct forge_work *w, unsigned i, struct asz_cheat *cheat, uint8_t kind) {
  uint8_t seed[32], body[BODY_BYTES] = {0};
  enum asz_gemm_cheat mode =
      w->right == i || (i == FORGE_BUILD && w->right == FORGE_FOLD) ? ASZ_GEMM_CHEAT_NONE : ASZ_GEMM_CHEAT_LAZY;
  ask(w, i, kind, TINY, seed);
  asz_cheat_run(cheat, mode, COLUMNS, i, w->f.challenge[i].beacon, seed, body);
  answer(w, i, seed, body, asz_answer_bytes(kind) - 128);
  open_columns(w, i, cheat, body, false);
}

void forge_work_build_sign(struct forge_work *w, uint64_t slot, uint32_t device, const uint8_t root[32]) {
  struct asz_challenge build = w->f.challenge[FORGE_BUILD];
  uint8_t seed[32], body[BODY_BYTES] = {0};
  build.slot = slot;
  build.device = device;
  asz_challenge_nonce(build.nonce, w->f.transcript[FORGE_BUILD].secret, build.kind, slot, device, w->f.provider.public_key);
  challenge_seed(w, &build, seed);
  memcpy(body, root, 32);
  size_t size = asz_prove_seal(w->build, &build, &w->f.provider, seed, body, sizeof body, mac_key, ASZ_PROVE_HONEST);
  forge_piece(&w->f.transcript[FORGE_FOLD], ASZ_PIECE_BUILD, w->build, size);
}

static void fold(struct forge_work *w, struct asz_cheat *cheat) {
  uint8_t seed[32], body[BODY_BYTES];
  ask(w, FORGE_FOLD, ASZ_KIND_MEM, TINY | ASZ_MEM_FOLD, seed);
  memcpy(body, body_of(w, FORGE_BUILD), 32);
  asz_cheat_fold(cheat, seed, body + 32);
  answer(w, FORGE_FOLD, seed, body, sizeof body);
  open_columns(w, FORGE_FOLD, cheat, body + 32, true);
  forge_work_build_sign(w, w->f.challenge[FORGE_BUILD].slot, w->f.evidence.device, body);
}

void forge_work_make(struct forge_work *w, unsigned right) {
  struct asz_cheat *cheat;
  forge_wrong(&w->f);
  w->right = right;
  cr_assert_eq(asz_cheat_new(&cheat, TINY, asz_gemm_backend_at(0)), 0);
  work(w, FORGE_PRODUCT, cheat, ASZ_KIND_GEMM);
  work(w, FORGE_BUILD, cheat, ASZ_KIND_MEM);
  fold(w, cheat);
  asz_cheat_free(cheat);
  forge_finish(&w->f);
}
