/* SPDX-License-Identifier: Apache-2.0 */
/* From a challenge to its answer: derive the seed, do the work, sign what was asked together with what was found, lay it out.
 *
 * The wrong ways to answer are for labs and tests. They cheat in the work or in the signature only; everything else stays as an
 * honest provider has it, so that nothing but the verification itself can tell them apart. */
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "gpu/prove/prove.h"

enum { BROKEN_SEGMENT = 20 }; /* 0-based; any but the first and the last, so that right segments lie on both sides */

/* The chain jumps to another value at the start of one segment and is right again from there: 31 of 32 segments hold. The jump
 * replaces that segment's start by the start of the whole chain, so the rest of it is a shorter chain's checkpoints. */
static void break_chain(uint8_t checkpoint[ASZ_SEQ_CHECKPOINTS][32]) {
  memmove(checkpoint[BROKEN_SEGMENT], checkpoint[0], (size_t)(ASZ_SEQ_CHECKPOINTS - BROKEN_SEGMENT) * 32);
}

size_t asz_prove_seal(uint8_t *ret_datagram, const struct asz_challenge *challenge, const struct asz_identity *provider,
                      const uint8_t seed[32], const uint8_t *body, size_t body_bytes, const uint8_t reply_key[16],
                      enum asz_prove_mode mode) {
  uint8_t signed_bytes[ASZ_SIGNED_BYTES], signature[64], provider_id[ASZ_ID_BYTES];
  asz_answer_signed_bytes(signed_bytes, challenge->kind, challenge->param, challenge->epoch, challenge->slot, challenge->device,
                          seed, body, body_bytes);
  crypto_sign_detached(signature, NULL, signed_bytes, sizeof signed_bytes, provider->secret_key);
  if (mode == ASZ_PROVE_BAD_SIGNATURE)
    signature[0] ^= 1;
  asz_identity_short(provider_id, provider->public_key);
  return asz_answer_write(ret_datagram, challenge, provider_id, body, signature, reply_key);
}

size_t asz_prove_answer(uint8_t *ret_datagram, const struct asz_challenge *challenge, const struct asz_identity *provider,
                        const uint8_t validator_pk[32], const uint8_t reply_key[16], enum asz_prove_mode mode) {
  assert(challenge->kind == ASZ_KIND_SIG || challenge->kind == ASZ_KIND_SEQ);
  uint8_t seed[32], checkpoint[ASZ_SEQ_CHECKPOINTS][32];
  size_t body_bytes = 0;
  asz_challenge_seed(seed, challenge, validator_pk, provider->public_key);
  if (challenge->kind == ASZ_KIND_SEQ) {
    asz_prove_seq(checkpoint, seed, challenge->param);
    if (mode == ASZ_PROVE_WRONG)
      break_chain(checkpoint);
    body_bytes = sizeof checkpoint;
  }
  return asz_prove_seal(ret_datagram, challenge, provider, seed, checkpoint[0], body_bytes, reply_key, mode);
}
