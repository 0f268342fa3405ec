/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/work.h"

#include <sodium.h>
#include <string.h>

enum asz_work_part asz_work_part_of(unsigned kind, unsigned param) {
  return asz_param_is_fold(kind, param) ? ASZ_WORK_FOLD : ASZ_WORK_BASE;
}

static size_t body_bytes_of(unsigned kind) {
  return kind == ASZ_KIND_GEMM ? 32 : 64;
}

size_t asz_work_answer(struct asz_work *work, uint8_t *ret_datagram, const struct asz_challenge *challenge,
                       const struct asz_identity *provider, const uint8_t validator_pk[32], const uint8_t reply_key[16],
                       enum asz_prove_mode mode) {
  const enum asz_work_part part = asz_work_part_of(challenge->kind, challenge->param);
  struct asz_work_answer *answer = &work->answer[part];
  asz_challenge_seed(answer->seed, challenge, validator_pk, provider->public_key);
  memset(answer->body, 0, sizeof answer->body);
  if (work->gemm) {
    asz_prove_gemm_epoch(work->gemm, challenge->beacon);
    asz_prove_gemm_run(work->gemm, answer->seed, answer->body);
  } else if (part == ASZ_WORK_BASE) {
    asz_prove_mem_build(work->mem, challenge->beacon, answer->seed, answer->body);
  } else {
    memcpy(answer->body, work->answer[ASZ_WORK_BASE].body, 32);
    asz_prove_mem_fold(work->mem, answer->seed, answer->body + 32);
  }
  return asz_prove_seal(ret_datagram, challenge, provider, answer->seed, answer->body, body_bytes_of(challenge->kind), reply_key,
                        mode);
}

static void open_one(struct asz_work *work, enum asz_work_part part, struct asz_gemm_pick pick, uint8_t *ret_opening) {
  if (work->gemm)
    asz_prove_gemm_open(work->gemm, pick, ret_opening);
  else if (part == ASZ_WORK_BASE)
    asz_prove_mem_open_build(work->mem, pick, ret_opening);
  else
    asz_prove_mem_open(work->mem, pick, ret_opening);
}

void asz_work_open(struct asz_work *work, const struct asz_open *open, const struct asz_identity *provider,
                   enum asz_prove_mode mode) {
  const enum asz_work_part part = asz_work_part_of(open->kind, open->param);
  const struct asz_work_answer *answer = &work->answer[part];
  const struct asz_gemm_shape shape = asz_gemm_shape_of(asz_param_preset(open->param));
  const size_t opening_bytes = asz_opening_bytes(open->kind, open->param), all_bytes = opening_bytes * open->openings;
  const uint8_t *root = answer->body + (part == ASZ_WORK_FOLD ? 32 : 0);
  struct asz_gemm_pick pick[ASZ_OPENINGS_MAX];
  asz_gemm_picks(pick, open->openings, &shape, open->rho, open->kind, provider->public_key, open->device, root);
  for (unsigned i = 0; i < open->openings; i++)
    open_one(work, part, pick[i], answer->blob + i * opening_bytes);
  if (mode == ASZ_PROVE_WRONG)
    answer->blob[ASZ_GEMM_AT_COLUMN] ^= 1;
  uint8_t signed_bytes[ASZ_SIGNED_BYTES];
  asz_opening_signed_bytes(signed_bytes, open, answer->seed, answer->body, body_bytes_of(open->kind), answer->blob, all_bytes);
  crypto_sign_detached(answer->blob + all_bytes, NULL, signed_bytes, sizeof signed_bytes, provider->secret_key);
  if (mode == ASZ_PROVE_BAD_SIGNATURE)
    answer->blob[all_bytes] ^= 1;
}
