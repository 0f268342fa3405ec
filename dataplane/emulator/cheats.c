/* SPDX-License-Identifier: Apache-2.0 */
/* Every decision about a probe is taken here, at its arrival, from (seed, provider, number of the probe) alone; the lcore only
 * carries it out. So a run's truth does not depend on how busy the machine was.
 *
 * An honest reply leaves after delay + uniform[0, jitter). The reflector sits half way: T2 and T3 are around the middle, a few
 * microseconds of dwell time apart, as of a real host. A cheat is one function that changes the honest plan; the table at the
 * end is made from ASZ_CHEAT_LIST, so a cheat without a function does not compile. */
#include "dataplane/emulator/cheats.h"

#include <assert.h>
#include <string.h>

enum {
  DWELL_NS_MIN = 5000, /* a user-space reflector on an idle host: receive, reflect, send */
  DWELL_NS_SPAN = 25000,
  DUPLICATE_NS_SPAN = 50000, /* copies made by a network follow at once */
};

static uint64_t delay_ns(const struct asz_provider_facts *facts, uint64_t number, enum asz_draw_purpose purpose) {
  return facts->truth->delay_ns + asz_draw_below(asz_facts_draw(facts, number, purpose), facts->truth->jitter_ns);
}

static void plan_honest(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t number) {
  uint64_t dwell_ns = DWELL_NS_MIN + asz_draw_below(asz_facts_draw(facts, number, ASZ_DRAW_DWELL), DWELL_NS_SPAN);
  memset(plan, 0, sizeof *plan);
  plan->answers = true;
  plan->delay_ns = delay_ns(facts, number, ASZ_DRAW_JITTER);
  if (dwell_ns > plan->delay_ns)
    dwell_ns = plan->delay_ns;
  plan->t2_ns = (plan->delay_ns - dwell_ns) / 2;
  plan->t3_ns = plan->t2_ns + dwell_ns;
}

/* NONE, LOSSY and SLOW: their loss_ppm and delay_ns say it all. WRONG_ANSWER: whoever computes the answers gives the wrong one.
 * PRECOMPUTED: the same, a useless one. MUTE: only about challenges, see asz_cheat_takes_challenges. */
static void cheat_NONE(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {}
static void cheat_LOSSY(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {}
static void cheat_SLOW(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {}
static void cheat_WRONG_ANSWER(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {}
static void cheat_MUTE(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {}

static void cheat_PRECOMPUTED(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {}

static void cheat_DEAD(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  plan->answers = false;
}

static void cheat_FORGE(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  plan->extra = ASZ_EXTRA_MADE_UP;
  plan->extra_ns = plan->delay_ns / 4;
  plan->extra_bits = bits | 1;
}

/* A whole timeout after the true reply, so that it is late by any reckoning. */
static void cheat_REPLAY(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  plan->extra = ASZ_EXTRA_COPY;
  plan->extra_ns = plan->delay_ns + facts->timeout_ns;
}

static void cheat_DUPLICATE(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  plan->extra = ASZ_EXTRA_COPY;
  plan->extra_ns = plan->delay_ns + asz_draw_below(bits, DUPLICATE_NS_SPAN);
}

/* Nine tenths of the way were, it says, its own dwell time: who subtracts T3 - T2 sees a neighbour. */
static void cheat_CLOCK_LIAR(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  plan->t2_ns = plan->delay_ns / 20;
  plan->t3_ns = plan->delay_ns - plan->t2_ns;
}

static void cheat_BAD_MAC(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  plan->spoils_mac = true;
}

/* The order of a round is drawn anew each time, so the next question comes anywhere within two intervals. */
static void cheat_EARLY(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  plan->extra = ASZ_EXTRA_GUESS;
  plan->extra_ns = plan->delay_ns / 2;
  plan->extra_bits = asz_draw_below(bits, 2 * facts->interval_ns) + 1;
}

static void cheat_SPOOF(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  plan->extra = ASZ_EXTRA_SPOOF;
  plan->extra_ns = plan->delay_ns / 2;
  plan->extra_bits = bits | 1;
}

static void cheat_KNOWN_ONLY(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  plan->known_only = true;
}

static void cheat_RELAY(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  plan->relayed = true;
}

/* What it adds it claims as way, half there and half back. */
static void cheat_FLOOR(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits) {
  if (plan->delay_ns >= facts->truth->floor_ns)
    return;
  uint64_t added_ns = facts->truth->floor_ns - plan->delay_ns;
  plan->delay_ns += added_ns;
  plan->t2_ns += added_ns / 2;
  plan->t3_ns += added_ns / 2;
}

struct cheat {
  const char *name;
  void (*act)(struct asz_reply_plan *plan, const struct asz_provider_facts *facts, uint64_t bits);
};

static const struct cheat cheats[] = {
#define CHEAT_ROW(symbol, name, help) [ASZ_CHEAT_##symbol] = {name, cheat_##symbol},
    ASZ_CHEAT_LIST(CHEAT_ROW)
#undef CHEAT_ROW
};

const char *asz_cheat_name(enum asz_cheat cheat) {
  assert(cheat < ASZ_CHEAT_COUNT);
  return cheats[cheat].name;
}

enum asz_cheat asz_cheat_from_name(const char *name) {
  unsigned cheat = 0;
  while (cheat < ASZ_CHEAT_COUNT && strcmp(cheats[cheat].name, name) != 0)
    cheat++;
  return cheat;
}

bool asz_cheat_takes_challenges(enum asz_cheat cheat) {
  return cheat != ASZ_CHEAT_DEAD && cheat != ASZ_CHEAT_MUTE;
}

void asz_plan_probe(struct asz_reply_plan *ret_plan, const struct asz_provider_facts *facts, uint64_t number) {
  plan_honest(ret_plan, facts, number);
  cheats[facts->truth->cheat].act(ret_plan, facts, asz_facts_draw(facts, number, ASZ_DRAW_EXTRA));
}

enum asz_syn_answer asz_plan_syn(const struct asz_provider_facts *facts) {
  static const enum asz_syn_answer answers[] = {ASZ_SYN_ACCEPT, ASZ_SYN_ACCEPT, ASZ_SYN_ACCEPT_PLAIN, ASZ_SYN_REFUSE};
  return answers[asz_draw_below(asz_facts_draw(facts, 0, ASZ_DRAW_SYN), 4)];
}

uint64_t asz_plan_answer_ns(const struct asz_provider_facts *facts, uint64_t number) {
  return delay_ns(facts, number, ASZ_DRAW_ANSWER_JITTER);
}
