/* SPDX-License-Identifier: Apache-2.0 */
/* What a prover makes, read and judged the way a validator does it. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "gpu/kinds/seq.h"
#include "gpu/prove/prove.h"
#include "gpu/verify.h"

static const uint8_t reply_key[16] = "sixteen byte key";

struct made {
  struct asz_identity validator, provider;
  struct asz_challenge challenge;
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES];
  size_t size_bytes;
  struct asz_answer answer; /* points into datagram */
  uint8_t seed[32], signed_bytes[ASZ_SIGNED_BYTES];
};

static void make(struct made *made, unsigned kind, unsigned log2_steps, enum asz_prove_mode mode) {
  asz_identity_from_seed(&made->validator, (const uint8_t[32]){1});
  asz_identity_from_seed(&made->provider, (const uint8_t[32]){2});
  made->challenge = (struct asz_challenge){.kind = (uint8_t)kind, .param = (uint8_t)log2_steps, .epoch = 3, .slot = 4};
  memset(made->challenge.nonce, 5, sizeof made->challenge.nonce);
  made->size_bytes =
      asz_prove_answer(made->datagram, &made->challenge, &made->provider, made->validator.public_key, reply_key, mode);
  cr_assert_eq(asz_answer_read(&made->answer, made->datagram, made->size_bytes), ASZ_OK);
  asz_challenge_seed(made->seed, &made->challenge, made->validator.public_key, made->provider.public_key);
  asz_answer_signed_bytes(made->signed_bytes, kind, log2_steps, 3, 4, 0, made->seed, made->answer.body, made->answer.body_bytes);
}

static enum asz_verdict signature_verdict(const struct made *made) {
  return asz_verify_sig_one(made->provider.public_key, made->answer.signature, made->signed_bytes, ASZ_SIGNED_BYTES);
}

static unsigned broken_segments(const struct made *made) {
  const uint8_t(*checkpoint)[32] = (const uint8_t(*)[32])made->answer.body;
  unsigned broken = 0;
  for (unsigned segment = 0; segment < ASZ_SEQ_CHECKPOINTS; segment++)
    broken += !asz_seq_segment_holds(made->seed, checkpoint, segment, made->challenge.param);
  return broken;
}

Test(prove, wrong_work_breaks_one_segment_under_a_good_signature)
{
  struct made made;
  make(&made, ASZ_KIND_SEQ, 8, ASZ_PROVE_WRONG);
  cr_assert_eq(signature_verdict(&made), ASZ_VERDICT_PASS);
  cr_assert_eq(broken_segments(&made), 1);
  cr_assert_eq(asz_verify_seq_one(made.seed, (const uint8_t(*)[32])made.answer.body, 8), ASZ_VERDICT_FAIL);
}

Test(prove, a_bad_signature_fails_over_right_work)
{
  struct made made;
  make(&made, ASZ_KIND_SEQ, 8, ASZ_PROVE_BAD_SIGNATURE);
  cr_assert_eq(signature_verdict(&made), ASZ_VERDICT_FAIL);
  cr_assert_eq(broken_segments(&made), 0);
  make(&made, ASZ_KIND_SIG, 0, ASZ_PROVE_BAD_SIGNATURE);
  cr_assert_eq(signature_verdict(&made), ASZ_VERDICT_FAIL);
}

Test(prove, every_answer_carries_a_right_mac_and_name)
{
  for (int mode = ASZ_PROVE_HONEST; mode <= ASZ_PROVE_BAD_SIGNATURE; mode++) {
    struct made made;
    uint8_t id[ASZ_ID_BYTES];
    make(&made, ASZ_KIND_SEQ, 5, (enum asz_prove_mode)mode);
    cr_assert(asz_mac_check(made.answer.mac, reply_key, made.datagram, made.size_bytes - ASZ_MAC_BYTES), "mode %d", mode);
    asz_identity_short(id, made.provider.public_key);
    cr_assert_arr_eq(made.answer.provider_id, id, ASZ_ID_BYTES);
    cr_assert_arr_eq(made.answer.nonce, made.challenge.nonce, ASZ_NONCE_BYTES);
  }
}

Test(prove, honest_answers_pass)
{
  struct made made;
  for (unsigned log2_steps = ASZ_SEQ_LOG2_MIN; log2_steps <= 12; log2_steps++) {
    make(&made, ASZ_KIND_SEQ, log2_steps, ASZ_PROVE_HONEST);
    cr_assert_eq(made.size_bytes, 1152);
    cr_assert_eq(signature_verdict(&made), ASZ_VERDICT_PASS);
    cr_assert_eq(asz_verify_seq_one(made.seed, (const uint8_t(*)[32])made.answer.body, log2_steps), ASZ_VERDICT_PASS);
  }
  make(&made, ASZ_KIND_SIG, 0, ASZ_PROVE_HONEST);
  cr_assert_eq(made.size_bytes, 128);
  cr_assert_eq(signature_verdict(&made), ASZ_VERDICT_PASS);
}

Test(prove, wrong_mode_leaves_sig_honest)
{
  struct made honest, wrong;
  make(&honest, ASZ_KIND_SIG, 0, ASZ_PROVE_HONEST);
  make(&wrong, ASZ_KIND_SIG, 0, ASZ_PROVE_WRONG);
  cr_assert_eq(wrong.size_bytes, honest.size_bytes);
  cr_assert_arr_eq(wrong.datagram, honest.datagram, honest.size_bytes);
}

Test(prove, checkpoints_are_those_of_the_known_answer)
{
  uint8_t seed[32], checkpoint[ASZ_SEQ_CHECKPOINTS][32];
  cr_assert_eq(asz_hex_decode(seed, 32, asz_seq_known_seed), ASZ_OK);
  asz_prove_seq(checkpoint, seed, ASZ_SEQ_KNOWN_LOG2_STEPS);
  for (unsigned j = 0; j < ASZ_SEQ_CHECKPOINTS; j++) {
    uint8_t expected[32];
    cr_assert_eq(asz_hex_decode(expected, 32, asz_seq_known_checkpoint[j]), ASZ_OK);
    cr_assert_arr_eq(checkpoint[j], expected, 32, "checkpoint %u", j);
  }
}
