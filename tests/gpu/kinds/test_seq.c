/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/identity.h"
#include "gpu/kinds/seq.h"
#include "tests/random.h"

static void load_known(uint8_t ret_seed[32], uint8_t ret_checkpoint[ASZ_SEQ_CHECKPOINTS][32]) {
  cr_assert_eq(asz_hex_decode(ret_seed, 32, asz_seq_known_seed), ASZ_OK);
  for (unsigned j = 0; j < ASZ_SEQ_CHECKPOINTS; j++)
    cr_assert_eq(asz_hex_decode(ret_checkpoint[j], 32, asz_seq_known_checkpoint[j]), ASZ_OK);
}

Test(seq, steps_outside_their_range_are_not_well_formed)
{
  cr_assert_not(asz_seq_is_well_formed(0));
  cr_assert_not(asz_seq_is_well_formed(ASZ_SEQ_LOG2_MIN - 1));
  cr_assert_not(asz_seq_is_well_formed(ASZ_SEQ_LOG2_MAX + 1));
  cr_assert_not(asz_seq_is_well_formed(255));
  cr_assert(asz_seq_is_well_formed(ASZ_SEQ_LOG2_MIN));
  cr_assert(asz_seq_is_well_formed(ASZ_SEQ_LOG2_MAX));
}

Test(seq, a_flipped_bit_breaks_the_two_segments_that_it_touches_and_no_other)
{
  uint8_t seed[32], checkpoint[ASZ_SEQ_CHECKPOINTS][32];
  load_known(seed, checkpoint);
  for (unsigned j = 0; j < ASZ_SEQ_CHECKPOINTS; j++) {
    checkpoint[j][j] ^= 0x10;
    for (unsigned segment = 0; segment < ASZ_SEQ_CHECKPOINTS; segment++)
      cr_assert_eq(asz_seq_segment_holds(seed, checkpoint, segment, ASZ_SEQ_KNOWN_LOG2_STEPS), segment != j && segment != j + 1,
                   "checkpoint %u, segment %u", j, segment);
    checkpoint[j][j] ^= 0x10;
  }
}

Test(seq, the_known_answer_holds_here_and_in_the_reference)
{
  uint8_t seed[32], checkpoint[ASZ_SEQ_CHECKPOINTS][32];
  load_known(seed, checkpoint);
  for (unsigned segment = 0; segment < ASZ_SEQ_CHECKPOINTS; segment++)
    cr_assert(asz_seq_segment_holds(seed, checkpoint, segment, ASZ_SEQ_KNOWN_LOG2_STEPS), "segment %u", segment);
  cr_assert_eq(asz_verify_seq_one(seed, checkpoint, ASZ_SEQ_KNOWN_LOG2_STEPS), ASZ_VERDICT_PASS);
  cr_assert_eq(asz_verify_seq_one(seed, checkpoint, ASZ_SEQ_KNOWN_LOG2_STEPS + 1), ASZ_VERDICT_FAIL);
  cr_assert_eq(asz_verify_seq_one(seed, checkpoint, ASZ_SEQ_LOG2_MIN - 1), ASZ_VERDICT_MALFORMED);
  cr_assert_eq(asz_verify_seq_one(seed, checkpoint, ASZ_SEQ_LOG2_MAX + 1), ASZ_VERDICT_MALFORMED);
}

Test(seq, a_step_is_sha256_of_32_bytes)
{
  struct asz_test_random random = asz_test_random_start(256);
  for (int i = 0; i < 2000; i++) {
    uint8_t x[32], expected[32], actual[32];
    asz_test_random_bytes(&random, x, 32);
    crypto_hash_sha256(expected, x, 32);
    asz_sha256_x_store(actual, asz_sha256_step(asz_sha256_x_load(x)));
    cr_assert_arr_eq(actual, expected, 32, "number %d, seed %lu", i, random.seed);
  }
}

Test(seq, a_chain_of_no_steps_stays_where_it_is)
{
  uint8_t x[32] = {7}, actual[32];
  asz_sha256_x_store(actual, asz_sha256_chain(asz_sha256_x_load(x), 0));
  cr_assert_arr_eq(actual, x, 32);
}
