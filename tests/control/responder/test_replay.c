/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "control/responder/replay.h"

static const uint8_t hash_key[16] = {9};

static struct asz_replay *cache(void) {
  struct asz_replay *replay;
  cr_assert_eq(asz_replay_new(&replay, hash_key), 0);
  return replay;
}

static struct asz_challenge challenge_of(uint64_t slot, uint8_t nonce) {
  struct asz_challenge challenge = {.kind = ASZ_KIND_SIG, .epoch = 7, .slot = slot, .device = 1, .validator_id = {1}};
  memset(challenge.nonce, nonce, sizeof challenge.nonce);
  return challenge;
}

static int look(struct asz_replay *replay, struct asz_challenge challenge, struct asz_replay_entry **ret_entry) {
  return asz_replay_look(replay, &challenge, ret_entry);
}

Test(replay, nonces_beyond_the_bound_are_refused_and_the_first_ones_stay)
{
  struct asz_replay *replay = cache();
  struct asz_replay_entry *entry, *first = NULL;
  for (uint8_t nonce = 0; nonce < 200; nonce++) {
    const int err = look(replay, challenge_of(1, nonce), &entry);
    cr_assert_eq(err, nonce < ASZ_REPLAY_NONCES_MAX ? 0 : ASZ_ERANGE, "nonce %u gave %d", nonce, err);
    if (nonce == 0)
      first = entry;
  }
  cr_assert_eq(look(replay, challenge_of(1, 0), &entry), ASZ_EEXIST);
  cr_assert_eq(entry, first);
  asz_replay_free(replay);
}

Test(replay, any_changed_field_makes_another_challenge)
{
  struct asz_replay *replay = cache();
  struct asz_replay_entry *entry;
  const struct asz_challenge first = challenge_of(1, 0);
  cr_assert_eq(look(replay, first, &entry), 0);
  struct asz_challenge changed = first;
  changed.epoch++;
  cr_assert_eq(look(replay, changed, &entry), 0);
  changed = first;
  changed.beacon[31] ^= 1;
  cr_assert_eq(look(replay, changed, &entry), 0);
  changed = first;
  changed.param ^= 1;
  cr_assert_eq(look(replay, changed, &entry), 0);
  changed = first;
  changed.nonce[15] ^= 1;
  cr_assert_eq(look(replay, changed, &entry), ASZ_ERANGE, "the fifth of one question");
  changed = first;
  changed.validator_id[7] ^= 1;
  cr_assert_eq(look(replay, changed, &entry), 0, "another validator has its own count");
  changed = first;
  changed.device++;
  cr_assert_eq(look(replay, changed, &entry), 0, "and so has another device");
  changed = first;
  changed.kind = ASZ_KIND_SEQ;
  cr_assert_eq(look(replay, changed, &entry), 0, "and another kind");
  asz_replay_free(replay);
}

Test(replay, answer_comes_back_bit_for_bit)
{
  struct asz_replay *replay = cache();
  struct asz_replay_entry *entry;
  cr_assert_eq(look(replay, challenge_of(1, 0), &entry), 0);
  cr_assert_eq(entry->state, ASZ_REPLAY_WORKING);
  uint8_t answer[128];
  memset(answer, 0x5a, sizeof answer);
  asz_replay_answer(entry, answer, sizeof answer);
  struct asz_replay_entry *again;
  cr_assert_eq(look(replay, challenge_of(1, 0), &again), ASZ_EEXIST);
  cr_assert_eq(again->state, ASZ_REPLAY_ANSWERED);
  cr_assert_eq(again->answer_bytes, sizeof answer);
  cr_assert_arr_eq(again->answer, answer, sizeof answer);
  asz_replay_free(replay);
}

Test(replay, forgotten_work_may_come_again)
{
  struct asz_replay *replay = cache();
  struct asz_replay_entry *entry;
  cr_assert_eq(look(replay, challenge_of(1, 0), &entry), 0);
  asz_replay_forget(entry);
  cr_assert_eq(look(replay, challenge_of(1, 0), &entry), 0);
  asz_replay_free(replay);
}

Test(replay, work_in_progress_is_never_pushed_out)
{
  struct asz_replay *replay = cache();
  struct asz_replay_entry *entry;
  unsigned taken = 0, refused = 0;
  for (uint64_t slot = 0; slot < 4 * ASZ_REPLAY_SETS * ASZ_REPLAY_WAYS; slot++) {
    const int err = look(replay, challenge_of(slot, 0), &entry);
    taken += err == 0;
    refused += err == ASZ_EAGAIN;
  }
  cr_assert_eq(taken, ASZ_REPLAY_SETS * ASZ_REPLAY_WAYS, "all entries and no more: %u", taken);
  cr_assert_eq(taken + refused, 4 * ASZ_REPLAY_SETS * ASZ_REPLAY_WAYS);
  asz_replay_free(replay);
}

Test(replay, answered_entries_give_way_to_new_ones_for_ever)
{
  struct asz_replay *replay = cache();
  struct asz_replay_entry *entry;
  const uint8_t answer[128] = {1};
  for (uint64_t slot = 0; slot < 20000; slot++) {
    cr_assert_eq(look(replay, challenge_of(slot, 0), &entry), 0, "slot %u", (unsigned)slot);
    asz_replay_answer(entry, answer, sizeof answer);
  }
  asz_replay_free(replay);
}
