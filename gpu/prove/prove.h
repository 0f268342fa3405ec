/* SPDX-License-Identifier: Apache-2.0 */
/* asz_prove: the provider's half of each challenge kind: challenge datagram in, answer datagram out. Used by assize-responder and
 * by the lab. */
#ifndef ASZ_GPU_PROVE_PROVE_H
#define ASZ_GPU_PROVE_PROVE_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/challenge.h"
#include "dataplane/base/identity.h"

/* How an answer is made. Anything but HONEST exists for labs and tests only, and the program that offers it says so. */
enum asz_prove_mode {
  ASZ_PROVE_HONEST = 0,
  ASZ_PROVE_WRONG, /* seq: the chain is broken in one segment, everything signed properly; sig: honest (a wrong one would be
                      unsigned) */
  ASZ_PROVE_BAD_SIGNATURE, /* right work, signature with one bit flipped */
};

/* asz_prove_seq: 2^log2_steps iterations of SHA-256 from seed; every (steps/32)-th value in ret_checkpoint. */
void asz_prove_seq(uint8_t ret_checkpoint[ASZ_SEQ_CHECKPOINTS][32], const uint8_t seed[32], unsigned log2_steps);

/* asz_prove_seal: the answer to a challenge whose work is done already: signs seed and body and lays it out. body has
 * asz_answer_bytes(kind) - 128 bytes. Returns the size. */
size_t asz_prove_seal(uint8_t *ret_datagram, const struct asz_challenge *challenge, const struct asz_identity *provider,
                      const uint8_t seed[32], const uint8_t *body, size_t body_bytes, const uint8_t reply_key[16],
                      enum asz_prove_mode mode);

/* asz_prove_answer: the complete answer to a sig or seq challenge (already read and MAC-checked by the caller). ret_datagram has
 * ASZ_ANSWER_MAX_BYTES. Returns its size. Cost: one Ed25519 signature, for seq also 2^log2_steps compressions: the caller bounds
 * log2_steps first. */
size_t asz_prove_answer(uint8_t *ret_datagram, const struct asz_challenge *challenge, const struct asz_identity *provider,
                        const uint8_t validator_pk[32], const uint8_t reply_key[16], enum asz_prove_mode mode);

#endif
