/* SPDX-License-Identifier: Apache-2.0 */
/* asz_replay: what was asked before, so that a challenge is worked on once.
 *
 * UDP loses datagrams, so a validator sends a challenge again until its answer arrives. The second copy gets the very same answer
 * from this cache (or nothing, while the first is still being worked on). A challenge for the same question (validator, slot,
 * device, kind) that differs in anything else is another one: a few are worked on, more are refused, so that nobody can make us
 * sign and compute for one slot without end.
 *
 * 512 sets of 8 entries, fixed: a thousand challenges in progress hardly ever fill a set. A question always falls into the same
 * set, under a secret key. The entry used longest ago gives way, never one that is being worked on. */
#ifndef ASZ_CONTROL_RESPONDER_REPLAY_H
#define ASZ_CONTROL_RESPONDER_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/challenge.h"
#include "dataplane/base/err.h"

enum { ASZ_REPLAY_SETS = 512, ASZ_REPLAY_WAYS = 8, ASZ_REPLAY_NONCES_MAX = 4 };
_Static_assert(ASZ_REPLAY_NONCES_MAX < ASZ_REPLAY_WAYS, "the count of one question's entries must be able to reach its bound");

enum asz_replay_state { ASZ_REPLAY_FREE = 0, ASZ_REPLAY_WORKING, ASZ_REPLAY_ANSWERED };

struct asz_replay_entry {
  enum asz_replay_state state;
  struct asz_challenge challenge;
  uint64_t used; /* the cache's count of looks at the last use */
  size_t answer_bytes;
  uint8_t answer[ASZ_ANSWER_MAX_BYTES];
};

struct asz_replay;

/* asz_replay_new: 5.2 MiB, which become resident as they are used. hash_key: 16 random bytes. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_replay_new(struct asz_replay **ret_replay, const uint8_t hash_key[16]);
void asz_replay_free(struct asz_replay *replay);

/* asz_replay_look finds the entry of a challenge or makes one, and returns
 *   0           a new one: *ret_entry is WORKING until asz_replay_answer or asz_replay_forget
 *   ASZ_EEXIST  asked before: *ret_entry is WORKING or ANSWERED
 *   ASZ_ERANGE  too many different challenges for its question
 *   ASZ_EAGAIN  no room: all entries of the set are being worked on
 * An entry keeps its address; it stays the challenge's own while WORKING. */
ASZ_MUST_CHECK int asz_replay_look(struct asz_replay *replay, const struct asz_challenge *challenge,
                                   struct asz_replay_entry **ret_entry);
/* asz_replay_answer: WORKING -> ANSWERED; answer_bytes <= ASZ_ANSWER_MAX_BYTES (asserted). */
void asz_replay_answer(struct asz_replay_entry *entry, const uint8_t *answer, size_t answer_bytes);
void asz_replay_forget(struct asz_replay_entry *entry); /* WORKING -> FREE */

#endif
