/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/replay.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"

struct asz_replay {
  struct asz_replay_entry set[ASZ_REPLAY_SETS][ASZ_REPLAY_WAYS];
  uint64_t looks;
  uint8_t hash_key[crypto_shorthash_KEYBYTES];
};

int asz_replay_new(struct asz_replay **ret_replay, const uint8_t hash_key[16]) {
  struct asz_replay *replay = calloc(1, sizeof *replay);
  if (!replay)
    return ASZ_ENOMEM;
  memcpy(replay->hash_key, hash_key, sizeof replay->hash_key);
  *ret_replay = replay;
  return 0;
}

void asz_replay_free(struct asz_replay *replay) {
  free(replay);
}

static bool same_question(const struct asz_challenge *a, const struct asz_challenge *b) {
  return a->slot == b->slot && a->device == b->device && a->kind == b->kind &&
         memcmp(a->validator_id, b->validator_id, sizeof a->validator_id) == 0;
}

/* Field by field: the struct has padding. */
static bool same_challenge(const struct asz_challenge *a, const struct asz_challenge *b) {
  return same_question(a, b) && a->epoch == b->epoch && a->param == b->param &&
         memcmp(a->nonce, b->nonce, sizeof a->nonce) == 0 && memcmp(a->beacon, b->beacon, sizeof a->beacon) == 0;
}

static struct asz_replay_entry *set_of(struct asz_replay *replay, const struct asz_challenge *challenge) {
  uint8_t question[21];
  asz_be64_store(question, challenge->slot);
  asz_be32_store(question + 8, challenge->device);
  memcpy(question + 12, challenge->validator_id, 8);
  question[20] = challenge->kind;
  uint64_t hash;
  crypto_shorthash((uint8_t *)&hash, question, sizeof question, replay->hash_key);
  return replay->set[hash % ASZ_REPLAY_SETS];
}

/* A free entry, else the answered one used longest ago, else NULL. A free one has used == 0. */
static struct asz_replay_entry *pick_victim(struct asz_replay_entry *set) {
  struct asz_replay_entry *victim = NULL;
  for (unsigned way = 0; way < ASZ_REPLAY_WAYS; way++)
    if (set[way].state != ASZ_REPLAY_WORKING && (!victim || set[way].used < victim->used))
      victim = &set[way];
  return victim;
}

int asz_replay_look(struct asz_replay *replay, const struct asz_challenge *challenge, struct asz_replay_entry **ret_entry) {
  struct asz_replay_entry *set = set_of(replay, challenge);
  replay->looks++;
  unsigned of_same_question = 0;
  for (unsigned way = 0; way < ASZ_REPLAY_WAYS; way++) {
    struct asz_replay_entry *entry = &set[way];
    if (entry->state == ASZ_REPLAY_FREE || !same_question(&entry->challenge, challenge))
      continue;
    if (same_challenge(&entry->challenge, challenge)) {
      entry->used = replay->looks;
      *ret_entry = entry;
      return ASZ_EEXIST;
    }
    of_same_question++;
  }
  if (of_same_question >= ASZ_REPLAY_NONCES_MAX)
    return ASZ_ERANGE;

  struct asz_replay_entry *entry = pick_victim(set);
  if (!entry)
    return ASZ_EAGAIN;
  entry->state = ASZ_REPLAY_WORKING;
  entry->challenge = *challenge;
  entry->used = replay->looks;
  entry->answer_bytes = 0;
  *ret_entry = entry;
  return 0;
}

void asz_replay_answer(struct asz_replay_entry *entry, const uint8_t *answer, size_t answer_bytes) {
  assert(entry->state == ASZ_REPLAY_WORKING && answer_bytes <= sizeof entry->answer);
  memcpy(entry->answer, answer, answer_bytes);
  entry->answer_bytes = answer_bytes;
  entry->state = ASZ_REPLAY_ANSWERED;
}

void asz_replay_forget(struct asz_replay_entry *entry) {
  assert(entry->state == ASZ_REPLAY_WORKING);
  entry->state = ASZ_REPLAY_FREE;
  entry->used = 0;
}
