/* SPDX-License-Identifier: Apache-2.0 */
/* Commitment, nonces, seeds and signed bytes of all kinds, against the vectors of an implementation in another language. */
#include <string.h>

#include "dataplane/base/challenge.h"
#include "gpu/prove/prove.h"
#include "tests/gpu/gemm_vectors.h"

static const char *const kinds[] = {"sig", "seq", "gemm", "mem"};

struct given {
  json_t *json;
  uint8_t secret[32], validator_pk[32], provider_pk[32];
  struct asz_challenge challenge;
};

static struct given open_given(void) {
  struct given given = {.json = asz_challenge_vectors_open()};
  json_t *values = asz_vectors_get(given.json, "given");
  asz_vectors_hex(given.secret, 32, asz_vectors_get(values, "secret"));
  asz_vectors_hex(given.validator_pk, 32, asz_vectors_get(values, "validator_pk"));
  asz_vectors_hex(given.provider_pk, 32, asz_vectors_get(values, "provider_pk"));
  asz_vectors_hex(given.challenge.beacon, 32, asz_vectors_get(values, "beacon"));
  given.challenge.epoch = (uint32_t)asz_vectors_number(asz_vectors_get(values, "epoch"));
  given.challenge.slot = asz_vectors_number(asz_vectors_get(values, "slot"));
  given.challenge.device = (uint32_t)asz_vectors_number(asz_vectors_get(values, "device"));
  return given;
}

Test(challenge_vectors, the_commitment_is_theirs)
{
  struct given given = open_given();
  uint8_t expected[32], actual[32];
  asz_vectors_hex(expected, 32, asz_vectors_get(asz_vectors_get(given.json, "challenges"), "commitment"));
  asz_epoch_commitment(actual, given.challenge.epoch, given.secret);
  cr_assert_arr_eq(actual, expected, 32);
  json_decref(given.json);
}

Test(challenge_vectors, nonces_seeds_and_signed_bytes_are_theirs)
{
  struct given given = open_given();
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    json_t *values = asz_vectors_get(asz_vectors_get(asz_vectors_get(given.json, "challenges"), "kinds"), kinds[i]);
    struct asz_challenge *challenge = &given.challenge;
    uint8_t nonce[16], seed[32], expected_seed[32], signed_bytes[ASZ_SIGNED_BYTES], expected_signed[ASZ_SIGNED_BYTES];
    uint8_t checkpoint[ASZ_SEQ_CHECKPOINTS][32];
    unsigned kind = asz_kind_from_name(kinds[i]);
    size_t body_bytes = kind == ASZ_KIND_SEQ ? sizeof checkpoint : 0;
    challenge->kind = (uint8_t)kind;
    asz_challenge_nonce(challenge->nonce, given.secret, kind, challenge->slot, challenge->device, given.provider_pk);
    asz_vectors_hex(nonce, sizeof nonce, asz_vectors_get(values, "nonce"));
    cr_assert_arr_eq(challenge->nonce, nonce, sizeof nonce, "%s", kinds[i]);
    asz_challenge_seed(seed, challenge, given.validator_pk, given.provider_pk);
    asz_vectors_hex(expected_seed, 32, asz_vectors_get(values, "seed"));
    cr_assert_arr_eq(seed, expected_seed, 32, "%s", kinds[i]);
    if (kind != ASZ_KIND_SIG && kind != ASZ_KIND_SEQ)
      continue; /* what is signed is of the same form, over a body that the vectors have elsewhere */
    unsigned param = (unsigned)asz_vectors_number(asz_vectors_get(values, "param"));
    if (kind == ASZ_KIND_SEQ)
      asz_prove_seq(checkpoint, seed, param);
    asz_answer_signed_bytes(signed_bytes, kind, param, challenge->epoch, challenge->slot, challenge->device, seed,
                            (const uint8_t *)checkpoint, body_bytes);
    asz_vectors_hex(expected_signed, sizeof expected_signed, asz_vectors_get(values, "signed"));
    cr_assert_arr_eq(signed_bytes, expected_signed, sizeof expected_signed, "%s", kinds[i]);
  }
  json_decref(given.json);
}
