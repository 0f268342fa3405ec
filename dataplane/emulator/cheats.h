/* SPDX-License-Identifier: Apache-2.0 */
/* asz_cheats: what a provider does with a probe that reached it: an honest plan, and what each cheat makes of it. Pure. */
#ifndef ASZ_DATAPLANE_EMULATOR_CHEATS_H
#define ASZ_DATAPLANE_EMULATOR_CHEATS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/emulator/facts.h"
#include "dataplane/emulator/reply.h"

enum asz_extra {
  ASZ_EXTRA_NONE = 0,
  ASZ_EXTRA_COPY,    /* the true reply once more */
  ASZ_EXTRA_MADE_UP, /* without having seen a question */
  ASZ_EXTRA_GUESS,   /* to the next question, from what the last one was */
  ASZ_EXTRA_SPOOF,   /* made up, in the name of another */
};

/* All times in ns after the probe's arrival. */
struct asz_reply_plan {
  bool answers;         /* false: silence */
  bool known_only;      /* and silence to who does not prove to be a validator */
  bool spoils_mac;      /* the true reply goes out with a wrong MAC */
  bool relayed;         /* it comes from another address than was asked */
  uint64_t delay_ns;    /* when the true reply leaves */
  uint64_t t2_ns;       /* what it says of the reflector's receive ... */
  uint64_t t3_ns;       /* ... and transmit time */
  enum asz_extra extra; /* one more frame ... */
  uint64_t extra_ns;    /* ... and when it leaves */
  uint64_t extra_bits; /* what a made-up one is made of; of a guess: how much later the next question is thought to come; not 0 */
};

/* asz_plan_probe: what the provider does with probe `number`, cheat included. */
void asz_plan_probe(struct asz_reply_plan *ret_plan, const struct asz_provider_facts *facts, uint64_t number);
/* asz_plan_syn: how the provider answers a SYN, always the same way: half of them with timestamps, a quarter without, a quarter
 * from a closed port. */
enum asz_syn_answer asz_plan_syn(const struct asz_provider_facts *facts);
/* asz_plan_answer_ns: delay of the answer to a challenge. */
uint64_t asz_plan_answer_ns(const struct asz_provider_facts *facts, uint64_t number);
/* asz_cheat_takes_challenges: false for providers that ignore them. */
bool asz_cheat_takes_challenges(enum asz_cheat cheat);

#endif
