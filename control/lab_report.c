/* SPDX-License-Identifier: Apache-2.0 */
/* Every claim is a row of one table: whom it is about, what must hold of each of them, and the numbers to show of the first of
 * whom it does not. Counts are compared exactly: the emulator counts what it did, packet by packet, so an error of one is an
 * error.
 *
 * Medians are compared within what is known to stand between truth and measurement: 1 % of the sketch, the sampling error of a
 * median of n uniform draws (sigma = jitter / (2 sqrt(n)); five of them), and, only upwards, what the machine adds. A machine
 * that takes the CPU away for milliseconds shifts medians without any fault of the prober; the emulator knows which replies it
 * may have held. With a share h of them the measured median is at most the 0.5 / (1 - h) quantile of the truth; with more than a
 * tenth the median is not compared. The fastest tenth always is: it survives any load that leaves one reply in ten alone.
 *
 * The smallest RTT is compared with the shortest possible delay, less 50 ppm, by which two calibrations of one clock may differ.
 *
 * Providers whose replies may miss the timeout are left out where in-time replies are counted: the prober stops listening one
 * timeout after the last probe, so for them no exact figure exists. */
#include "control/lab_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
  SKETCH_DIVISOR = 100,  /* 1 % */
  CLOCK_DIVISOR = 20000, /* 50 ppm */
  CLOCK_SLACK_NS = 1000,
  DWELL_VARIES_NS = 13000, /* half of what the emulator's dwell times span */
  SAMPLING_SIGMAS = 5,
  HELD_DIVISOR_MEDIAN = 10,
  HELD_QUARTERS_FASTEST = 3,
};

void asz_lab_seen_add(struct asz_lab_seen *seen, const struct asz_stats *all, uint32_t index, uint32_t sent,
                      uint64_t slots_judged) {
  const struct asz_target_stats *stats = &all->target[index];
  seen->probe = stats->probe;
  seen->sent += sent;
  seen->answered += stats->answered;
  seen->late += stats->late;
  seen->duplicate += stats->duplicate;
  seen->reordered += stats->reordered;
  seen->replayed += stats->replayed;
  seen->forged += stats->forged;
  seen->bad_mac += stats->bad_mac;
  seen->wrong_path += stats->wrong_path;
  seen->malformed += stats->malformed;
  seen->unjudged += stats->unjudged;
  if (stats->answered > 0 && (seen->rtt_min_ns == 0 || stats->rtt_min_ns < seen->rtt_min_ns))
    seen->rtt_min_ns = stats->rtt_min_ns;
  if (slots_judged != 0) {
    struct asz_sketch sketch = asz_stats_sketch(all, index);
    if (seen->sketch.cell == NULL)
      seen->sketch = (struct asz_sketch){.cell = seen->cell, .cell_count = ASZ_SKETCH_CELLS_DEFAULT};
    asz_sketch_merge(&seen->sketch, &sketch);
  }
  if (all->ipdv != NULL && slots_judged != 0) {
    seen->pairs += all->ipdv[index].pairs;
    seen->forward_sum += all->ipdv[index].forward_sum;
    seen->backward_sum += all->ipdv[index].backward_sum;
  }
  seen->slots_judged += (uint32_t)__builtin_popcountll(slots_judged);
  seen->slots_up += (uint32_t)__builtin_popcountll(stats->slots_up & slots_judged);
}

/* One provider's truth, deeds and measurement side by side. */
struct side {
  const struct asz_lab_run *run;
  const struct asz_truth *truth;
  const struct asz_deed *deed;
  const struct asz_lab_seen *seen;
  const struct asz_score *score; /* NULL: none */
  bool attacks;                  /* with wrong answers */
};

static struct side side_of(const struct asz_lab_run *run, uint32_t provider) {
  const bool attacks = run->trait && run->trait[provider].attack != ASZ_LAB_ATTACK_NONE;
  return (struct side){.run = run,
                       .truth = &run->truth[provider],
                       .deed = &run->deed[provider],
                       .seen = &run->seen[provider],
                       .score = run->score ? &run->score[provider] : NULL,
                       .attacks = attacks};
}

/* The numbers behind a claim that does not hold. NULL where nobody asks: of a quarter of a million providers one is shown. */
struct why {
  char text[72];
};

static void say(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct why *why, const char *format, ...) {
  va_list args;
  if (!why)
    return;
  va_start(args, format);
  vsnprintf(why->text, sizeof why->text, format, args);
  va_end(args);
}

static bool is(const struct side *s, enum asz_cheat cheat) {
  return s->truth->cheat == cheat;
}

static uint64_t at_floor(const struct asz_truth *truth, uint64_t ns) {
  return truth->cheat == ASZ_CHEAT_FLOOR && ns < truth->floor_ns ? truth->floor_ns : ns;
}

static uint64_t nearest_ns(const struct asz_truth *truth) {
  return at_floor(truth, truth->delay_ns);
}

uint64_t asz_lab_farthest_ns(const struct asz_truth *truth) {
  return at_floor(truth, truth->delay_ns + truth->jitter_ns);
}

static bool in_time(const struct side *s) {
  uint64_t detour_ns = s->truth->detour_ppm > 0 ? s->truth->detour_ns : 0;
  return asz_lab_farthest_ns(s->truth) + detour_ns + s->run->latency_bound_ns <= s->run->timeout_ns;
}

/* Whether its true replies are thrown away by the prober. */
static bool replies_are_refused(const struct side *s) {
  return (s->run->tlv && is(s, ASZ_CHEAT_BAD_MAC)) || is(s, ASZ_CHEAT_RELAY);
}

static uint64_t unanswered(const struct asz_lab_seen *seen) {
  uint64_t came = seen->answered + seen->late;
  return seen->sent > came ? seen->sent - came : 0;
}

static bool has_latency(const struct side *s) {
  return asz_sketch_total(&s->seen->sketch) >= ASZ_LAB_ANSWERS_MIN && in_time(s);
}

static uint64_t corrupted(const struct asz_deed *deed) {
  return (uint64_t)deed->broken + deed->altered;
}

/* Made-up replies that came from its address, by itself or by another. */
static uint64_t forgeries(const struct side *s) {
  return (is(s, ASZ_CHEAT_FORGE) || is(s, ASZ_CHEAT_EARLY) ? s->deed->extra : 0) + (uint64_t)s->deed->named;
}

static uint64_t never_answered(const struct asz_deed *deed) {
  return (uint64_t)deed->lost + deed->withheld + deed->faults + corrupted(deed);
}

/* Replies that came later than by the truth's delay and jitter: kept back by a busy machine, or sent round. */
static uint64_t delayed(const struct asz_deed *deed) {
  uint64_t count = (uint64_t)deed->held + deed->detoured;
  return count < deed->replies ? count : deed->replies;
}

static uint64_t median_truth_ns(const struct asz_truth *truth) {
  return at_floor(truth, truth->delay_ns + truth->jitter_ns / 2);
}

static uint64_t median_ns(const struct asz_lab_seen *seen) {
  return asz_sketch_quantile(&seen->sketch, ASZ_PPM / 2);
}

/* What the machine may add, as the sketch sees it. */
static uint64_t machine_ns(const struct side *s) {
  return s->run->latency_bound_ns + s->run->latency_bound_ns / SKETCH_DIVISOR;
}

static uint64_t square_root(uint64_t n) { /* rounded down; n is a number of answers, of which there are not many */
  uint64_t root = 0;
  while ((root + 1) * (root + 1) <= n)
    root++;
  return root;
}

/* --- whom a claim is about --- */

static bool about_all(const struct side *s) {
  return s->seen->sent > 0 || s->deed->requests > 0;
}
static bool about_countable(const struct side *s) {
  return s->seen->sent > 0 && in_time(s) && !replies_are_refused(s);
}
static bool about_latency(const struct side *s) {
  return has_latency(s) && delayed(s->deed) <= s->deed->replies / 4 * HELD_QUARTERS_FASTEST;
}
static bool about_median(const struct side *s) {
  return has_latency(s) && delayed(s->deed) <= s->deed->replies / HELD_DIVISOR_MEDIAN;
}
/* Whose own word about its times is true, and whose replies all go one way. */
static bool about_variation(const struct side *s) {
  return about_median(s) && s->seen->pairs >= ASZ_LAB_ANSWERS_MIN && s->truth->detour_ppm == 0 && !is(s, ASZ_CHEAT_CLOCK_LIAR) &&
         !is(s, ASZ_CHEAT_FLOOR);
}
static bool about_answered(const struct side *s) {
  return s->seen->answered > 0;
}
static bool about_in_time(const struct side *s) {
  return about_all(s) && in_time(s);
}
static bool about_reordered(const struct side *s) {
  return about_countable(s) && (s->deed->reordered > 0 || s->seen->reordered > 0);
}
static bool about_duplicates(const struct side *s) {
  return about_countable(s) && (s->deed->duplicates > 0 || s->seen->duplicate > 0) && !is(s, ASZ_CHEAT_DUPLICATE);
}
static bool about_altered(const struct side *s) {
  return s->seen->sent > 0 && in_time(s) && s->deed->altered > 0 && forgeries(s) == 0 && !is(s, ASZ_CHEAT_RELAY);
}
static bool about_dead(const struct side *s) {
  return about_all(s) && is(s, ASZ_CHEAT_DEAD);
}
static bool about_dead_scored(const struct side *s) {
  return about_dead(s) && s->score && s->score->slots_judged > 0;
}
static bool about_lossy(const struct side *s) {
  return about_countable(s) && is(s, ASZ_CHEAT_LOSSY);
}
static bool about_slow(const struct side *s) {
  return about_latency(s) && is(s, ASZ_CHEAT_SLOW);
}
static bool about_wrong(const struct side *s) {
  return s->run->challenged && is(s, ASZ_CHEAT_WRONG_ANSWER);
}
static bool about_right(const struct side *s) {
  return !is(s, ASZ_CHEAT_WRONG_ANSWER) && !s->attacks;
}
static bool about_mute(const struct side *s) {
  return s->run->answers_counted && s->run->challenged && is(s, ASZ_CHEAT_MUTE);
}
static bool about_forge(const struct side *s) {
  return s->deed->extra > 0 && is(s, ASZ_CHEAT_FORGE);
}
static bool about_early(const struct side *s) {
  return s->deed->extra > 0 && is(s, ASZ_CHEAT_EARLY);
}
static bool about_named(const struct side *s) {
  return s->deed->named > 0;
}
static bool about_known_only(const struct side *s) {
  return about_all(s) && is(s, ASZ_CHEAT_KNOWN_ONLY);
}
static bool about_relay(const struct side *s) {
  return s->deed->replies > 0 && is(s, ASZ_CHEAT_RELAY);
}
static bool about_floor(const struct side *s) {
  return about_median(s) && is(s, ASZ_CHEAT_FLOOR) && nearest_ns(s->truth) == asz_lab_farthest_ns(s->truth);
}
static bool about_precomputed(const struct side *s) {
  return s->run->answers_counted && s->run->challenged && is(s, ASZ_CHEAT_PRECOMPUTED);
}
static bool about_replay(const struct side *s) {
  return s->deed->extra > 0 && is(s, ASZ_CHEAT_REPLAY);
}
static bool about_duplicate(const struct side *s) {
  return s->deed->extra > 0 && is(s, ASZ_CHEAT_DUPLICATE);
}
static bool about_clock_liar(const struct side *s) {
  return about_latency(s) && is(s, ASZ_CHEAT_CLOCK_LIAR);
}
static bool about_bad_mac(const struct side *s) {
  return s->run->tlv && s->deed->replies > 0 && is(s, ASZ_CHEAT_BAD_MAC);
}

/* --- what must hold --- */

/* What the prober leaves unjudged may have left: a reply that it was late to look at, say. */
static bool all_arrived(const struct side *s, struct why *why) {
  uint64_t sent = s->seen->sent, arrived = s->deed->requests;
  say(why, "sent %" PRIu64 ", arrived %" PRIu64 ", unjudged %" PRIu64, sent, arrived, s->seen->unjudged);
  return sent <= arrived && arrived <= sent + s->seen->unjudged;
}

/* A reply that a busy machine held back may come when its epoch is sealed and nobody counts any more. One that the emulator lost
 * itself may have a copy that it did not. */
static bool loss_is_exact(const struct side *s, struct why *why) {
  uint64_t missing = unanswered(s->seen), lost = never_answered(s->deed);
  uint64_t copied = s->deed->extra + s->deed->duplicates > 0 ? s->deed->faults : 0;
  say(why, "unanswered %" PRIu64 ", in truth %" PRIu64 ", held back %u", missing, lost, s->deed->held);
  return s->seen->answered + s->seen->late <= s->seen->sent && missing + copied >= lost && missing <= lost + s->deed->held;
}

static bool median_is_true(const struct side *s, struct why *why) {
  uint64_t truth = median_truth_ns(s->truth), measured = median_ns(s->seen);
  uint64_t sampling = (uint64_t)s->truth->jitter_ns * SAMPLING_SIGMAS / (2 * square_root(asz_sketch_total(&s->seen->sketch)));
  uint64_t below = truth / SKETCH_DIVISOR + truth / CLOCK_DIVISOR + sampling + CLOCK_SLACK_NS;
  uint64_t late = delayed(s->deed), rest = s->deed->replies - late;
  uint64_t above = below + machine_ns(s) + s->truth->jitter_ns * late / (2 * rest + 1);
  say(why, "median %" PRIu64 " ns, in truth %" PRIu64, measured, truth);
  return measured + below >= truth && measured <= truth + above;
}

/* Half of the jitter lies on each way, uniform: two draws of [0, J/2] are J/6 apart in the mean, with a deviation of J/8.5. What
 * the reflector's dwell time takes from both ways varies, too. A machine that is late only adds. */
static bool varies_truly(const struct side *s, uint64_t sum, struct why *why) {
  uint64_t truth = s->truth->jitter_ns / 6, measured = asz_ipdv_ns(sum / s->seen->pairs);
  uint64_t off =
      (uint64_t)s->truth->jitter_ns * SAMPLING_SIGMAS / (8 * square_root(s->seen->pairs)) + DWELL_VARIES_NS + CLOCK_SLACK_NS;
  say(why, "varies by %" PRIu64 " ns in the mean, in truth by %" PRIu64, measured, truth);
  return measured + off >= truth && measured <= truth + off + machine_ns(s);
}
static bool varies_forward_truly(const struct side *s, struct why *why) {
  return varies_truly(s, s->seen->forward_sum, why);
}
static bool varies_backward_truly(const struct side *s, struct why *why) {
  return varies_truly(s, s->seen->backward_sum, why);
}

static bool fastest_is_true(const struct side *s, struct why *why) {
  uint64_t nearest = nearest_ns(s->truth), farthest = asz_lab_farthest_ns(s->truth);
  uint64_t measured = asz_sketch_quantile(&s->seen->sketch, ASZ_PPM / 10);
  uint64_t sketch = (farthest / SKETCH_DIVISOR) << s->seen->sketch.level; /* coarser where a stall stretched it */
  uint64_t off = sketch + farthest / CLOCK_DIVISOR + CLOCK_SLACK_NS;
  say(why, "q10 %" PRIu64 " ns, in truth %" PRIu64 " to %" PRIu64, measured, nearest, farthest);
  return measured + off >= nearest && measured <= farthest + off + machine_ns(s);
}

static bool never_nearer(const struct side *s, struct why *why) {
  uint64_t nearest = nearest_ns(s->truth), slack = nearest / CLOCK_DIVISOR + CLOCK_SLACK_NS;
  say(why, "RTT %" PRIu64 " ns, delay %" PRIu64, s->seen->rtt_min_ns, nearest);
  return s->seen->rtt_min_ns + slack >= nearest;
}

static bool not_blamed(const struct side *s, struct why *why) {
  const struct asz_lab_seen *m = s->seen;
  say(why, "dup %" PRIu64 " rep %" PRIu64 " forg %" PRIu64 " mac %" PRIu64 " path %" PRIu64 " malf %" PRIu64, m->duplicate,
      m->replayed, m->forged, m->bad_mac, m->wrong_path, m->malformed);
  bool may_double = is(s, ASZ_CHEAT_DUPLICATE) || s->deed->duplicates > 0;
  bool relays = is(s, ASZ_CHEAT_RELAY);
  /* What a busy machine held back came beyond the timeout of a copy, or when the prober had forgotten that epoch's key. */
  bool may_forge = forgeries(s) > 0 || s->deed->altered > 0 || s->deed->held > 0;
  bool may_replay = is(s, ASZ_CHEAT_REPLAY) || s->deed->held > 0;
  return (m->duplicate == 0 || may_double) && (m->replayed == 0 || may_replay) && (m->forged == 0 || may_forge) &&
         (m->bad_mac == 0 || is(s, ASZ_CHEAT_BAD_MAC)) && (m->wrong_path == 0 || relays) &&
         (m->malformed == 0 || s->deed->named > 0);
}

/* Counted is what the network made; what the emulator lost of it itself, or held back too long, leaves room for as many. */
static bool same_count(const struct side *s, uint64_t counted, uint64_t made, struct why *why) {
  say(why, "counted %" PRIu64 ", in truth %" PRIu64, counted, made);
  return counted <= made + s->deed->faults && made <= counted + s->deed->faults + s->deed->held;
}
static bool reordered_is_exact(const struct side *s, struct why *why) {
  return same_count(s, s->seen->reordered, s->deed->reordered, why);
}
static bool duplicates_are_exact(const struct side *s, struct why *why) {
  return same_count(s, s->seen->duplicate, s->deed->duplicates, why);
}
static bool altered_is_forged(const struct side *s, struct why *why) {
  return same_count(s, s->seen->forged, s->deed->altered, why);
}

static bool never_answers(const struct side *s, struct why *why) {
  say(why, "answered %" PRIu64 ", late %" PRIu64 ", slots up %u", s->seen->answered, s->seen->late, s->seen->slots_up);
  return s->seen->answered == 0 && s->seen->late == 0 && s->seen->slots_up == 0;
}

static bool has_no_uptime(const struct side *s, struct why *why) {
  say(why, "uptime %u ppm", s->score->uptime_ppm);
  return s->score->uptime_ppm == 0;
}

static bool loses_some(const struct side *s, struct why *why) {
  bool exact = loss_is_exact(s, why);
  return exact && s->deed->lost > 0;
}

static bool is_not_answered(const struct side *s, struct why *why) {
  say(why, "MACs refused %" PRIu64 ", answered %" PRIu64, s->seen->bad_mac, s->seen->answered);
  return s->seen->bad_mac > 0 && s->seen->answered == 0 && s->seen->late == 0 && s->seen->slots_up == 0;
}

static bool is_slashed(const struct side *s, struct why *why) {
  say(why, "S1 %s", s->seen->slashed_s1 ? "yes" : "no");
  return s->seen->slashed_s1;
}

static bool is_not_slashed(const struct side *s, struct why *why) {
  return !is_slashed(s, why);
}

static bool passes_nothing(const struct side *s, struct why *why) {
  say(why, "passed %u, missing %u", s->seen->answers_pass, s->seen->answers_missing);
  return s->seen->answers_pass == 0 && s->seen->answers_fail == 0 && s->seen->answers_missing > 0;
}

/* The cheat's extra frames were seen for what they are, none of them twice. The last ones may come when nobody listens. */
static bool extra_counted(uint64_t counted, uint64_t made, struct why *why) {
  say(why, "counted %" PRIu64 ", made %" PRIu64, counted, made);
  return counted > 0 && counted <= made;
}
static bool is_forged(const struct side *s, struct why *why) {
  return extra_counted(s->seen->forged, forgeries(s) + s->deed->altered, why);
}
/* Who does not know how the other is asked may send a reply of another kind: one that is not even in form. */
static bool is_named(const struct side *s, struct why *why) {
  return extra_counted(s->seen->forged + s->seen->malformed, forgeries(s) + s->deed->altered, why);
}
static bool is_replayed(const struct side *s, struct why *why) {
  return extra_counted(s->seen->replayed, s->deed->extra, why);
}
static bool is_duplicate(const struct side *s, struct why *why) {
  return extra_counted(s->seen->duplicate, (uint64_t)s->deed->extra + s->deed->duplicates, why);
}

/* A relay's replies are no answers, from whatever address. Where they say themselves whose they are, they count against it. */
static bool is_relayed(const struct side *s, struct why *why) {
  uint64_t made = (uint64_t)s->deed->replies + s->deed->duplicates;
  say(why, "wrong path %" PRIu64 " of %" PRIu64 ", answered %" PRIu64, s->seen->wrong_path, made, s->seen->answered);
  bool counted = !s->run->tlv || (s->seen->wrong_path > 0 && s->seen->wrong_path <= made);
  return counted && s->seen->answered == 0 && s->seen->late == 0 && s->seen->slots_up == 0;
}

/* Silent to who asks without a name, and yet it passes what only a validator asks: that is how it shows. */
static bool is_known_only(const struct side *s, struct why *why) {
  say(why, "answered %" PRIu64 ", challenges passed %u", s->seen->answered, s->seen->answers_pass);
  bool passes = !s->run->answers_counted || !s->run->challenged || s->seen->answers_pass > 0;
  return passes && s->seen->answered == 0 && s->seen->late == 0 && s->seen->slots_up == 0;
}

/* Between the fastest tenth and the median nothing of the jitter is left. */
static bool is_flat(const struct side *s, struct why *why) {
  uint64_t fast = asz_sketch_quantile(&s->seen->sketch, ASZ_PPM / 10), median = median_ns(s->seen);
  uint64_t floor = s->truth->floor_ns, off = floor / SKETCH_DIVISOR + floor / CLOCK_DIVISOR + CLOCK_SLACK_NS;
  say(why, "q10 %" PRIu64 " ns, median %" PRIu64 ", floor %" PRIu64, fast, median, floor);
  return fast + off >= floor && median <= floor + off + machine_ns(s);
}

struct claim_rule {
  const char *name;
  bool (*about)(const struct side *side);
  bool (*holds)(const struct side *side, struct why *why);
};

static const struct claim_rule rules[] = {
    {"every probe that was sent arrived", about_all, all_arrived},
    {"unanswered is exactly what was lost", about_countable, loss_is_exact},
    {"the fastest tenth shows the way", about_latency, fastest_is_true},
    {"the median RTT is the true one", about_median, median_is_true},
    {"the delay varies forward as it truly does", about_variation, varies_forward_truly},
    {"the delay varies backward as it truly does", about_variation, varies_backward_truly},
    {"no RTT is shorter than the way", about_answered, never_nearer},
    {"reordered is exactly what left out of order", about_reordered, reordered_is_exact},
    {"duplicates are exactly the network's copies", about_duplicates, duplicates_are_exact},
    {"an altered reply is taken for forged", about_altered, altered_is_forged},
    {"no counter blames the innocent", about_in_time, not_blamed},
    {"dead: never answers", about_dead, never_answers},
    {"dead: uptime 0", about_dead_scored, has_no_uptime},
    {"lossy: loses what was drawn", about_lossy, loses_some},
    {"slow: is measured slow", about_slow, fastest_is_true},
    {"wrong-answer: earns an S1", about_wrong, is_slashed},
    {"nobody else earns an S1", about_right, is_not_slashed},
    {"mute: passes no challenge", about_mute, passes_nothing},
    {"forge: counted as forged", about_forge, is_forged},
    {"early: counted as forged", about_early, is_forged},
    {"spoof: in a provider's name, forged or malformed", about_named, is_named},
    {"known-only: silent to who gives no name", about_known_only, is_known_only},
    {"relay: a wrong path, not an answer", about_relay, is_relayed},
    {"floor: is measured at the floor, all alike", about_floor, is_flat},
    {"precomputed: passes no challenge", about_precomputed, passes_nothing},
    {"replay: counted as replayed", about_replay, is_replayed},
    {"duplicate: counted as duplicate", about_duplicate, is_duplicate},
    {"clock-liar: gains nothing", about_clock_liar, fastest_is_true},
    {"bad-mac: refused, not answered", about_bad_mac, is_not_answered},
};
enum { RULES = sizeof rules / sizeof *rules };
_Static_assert(RULES + 4 <= ASZ_LAB_CLAIMS_MAX, "every rule and the four about the prober as a whole");

static void judge(struct asz_lab_report *report, const struct asz_lab_run *run, const struct claim_rule *rule) {
  uint32_t about = 0, held = 0, first = 0;
  for (uint32_t i = 0; i < run->provider_count; i++) {
    struct side side = side_of(run, i);
    if (!rule->about(&side))
      continue;
    about++;
    if (rule->holds(&side, NULL))
      held++;
    else if (about - held == 1)
      first = i;
  }
  if (about == 0)
    return;
  struct asz_lab_claim *claim = &report->claim[report->claim_count++];
  claim->name = rule->name;
  claim->ok = held == about;
  snprintf(claim->expected, sizeof claim->expected, "all %u", about);
  if (claim->ok) {
    snprintf(claim->measured, sizeof claim->measured, "all %u", about);
    return;
  }
  struct side side = side_of(run, first);
  struct why why;
  (void)rule->holds(&side, &why);
  snprintf(claim->measured, sizeof claim->measured, "%u of %u; provider %u: %s", held, about, first, why.text);
}

/* A reply with a broken checksum has no author: compared over all. Those of providers beyond the timeout may have come when
 * nobody listened. */
static void judge_checksums(struct asz_lab_report *report, const struct asz_lab_run *run) {
  uint64_t least = 0, most = 0;
  for (uint32_t i = 0; i < run->provider_count; i++) {
    struct side side = side_of(run, i);
    most += side.deed->broken;
    least += in_time(&side) ? side.deed->broken : 0;
  }
  if (most == 0 && run->prober_bad_checksums == 0)
    return;
  struct asz_lab_claim *claim = &report->claim[report->claim_count++];
  claim->name = "every broken checksum is counted";
  claim->ok = run->prober_bad_checksums >= least && run->prober_bad_checksums <= most;
  snprintf(claim->expected, sizeof claim->expected, least == most ? "%" PRIu64 : "%" PRIu64 " to %" PRIu64, least, most);
  snprintf(claim->measured, sizeof claim->measured, "%" PRIu64, run->prober_bad_checksums);
}

/* What came in time, of frames that the validator can count only as a whole: some of them, none twice. */
static void judge_whole(struct asz_lab_report *report, const char *name, uint64_t made, uint64_t counted) {
  if (made == 0)
    return;
  struct asz_lab_claim *claim = &report->claim[report->claim_count++];
  claim->name = name;
  claim->ok = counted > 0 && counted <= made;
  snprintf(claim->expected, sizeof claim->expected, "1 to %" PRIu64, made);
  snprintf(claim->measured, sizeof claim->measured, "%" PRIu64, counted);
}

/* An answer that a busy machine makes a slot late is to another question than is open, too. */
static uint64_t answers_amiss(const struct side *s) {
  uint64_t counted = (uint64_t)s->seen->answers_pass + s->seen->answers_fail;
  if (is(s, ASZ_CHEAT_PRECOMPUTED))
    return s->deed->challenges;
  return s->deed->challenges > counted ? s->deed->challenges - counted : 0;
}

/* Of a spoofer's frames those in nobody's name, and a relay's where the reply does not say whose it is. */
static void judge_wholes(struct asz_lab_report *report, const struct asz_lab_run *run) {
  uint64_t spoofed = 0, named = 0, relayed = 0, amiss = 0;
  bool guessed = false;
  for (uint32_t i = 0; i < run->provider_count; i++) {
    struct side side = side_of(run, i);
    spoofed += is(&side, ASZ_CHEAT_SPOOF) ? side.deed->extra : 0;
    named += side.deed->named;
    relayed += is(&side, ASZ_CHEAT_RELAY) && !run->tlv ? (uint64_t)side.deed->replies + side.deed->duplicates : 0;
    amiss += answers_amiss(&side);
    guessed |= is(&side, ASZ_CHEAT_PRECOMPUTED) && side.deed->challenges > 0;
  }
  if (spoofed > named)
    judge_whole(report, "spoof: in nobody's name, unsolicited", spoofed - named + relayed, run->prober_unsolicited);
  if (run->challenged && guessed)
    judge_whole(report, "precomputed: counted as foreign", amiss, run->answers_foreign);
}

static void judge_prober(struct asz_lab_report *report, const struct asz_lab_run *run) {
  struct asz_lab_claim *claim = &report->claim[report->claim_count++];
  claim->name = "the prober sent no stray frame";
  claim->ok = run->emulator_strays == 0;
  snprintf(claim->expected, sizeof claim->expected, "0");
  snprintf(claim->measured, sizeof claim->measured, "%" PRIu64, run->emulator_strays);
}

static void sum_up(struct asz_lab_report *report, const struct asz_lab_run *run) {
  for (uint32_t i = 0; i < run->provider_count; i++) {
    struct side side = side_of(run, i);
    report->sent += side.seen->sent;
    report->arrived += side.deed->requests;
    report->answered += side.seen->answered;
    report->late += side.seen->late;
    report->unjudged += side.seen->unjudged;
    report->busy_providers += has_latency(&side) && !about_median(&side);
    if (about_countable(&side)) {
      report->unanswered += unanswered(side.seen);
      report->lost += never_answered(side.deed);
    }
  }
}

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static struct asz_lab_spread spread_of(uint64_t *value, uint32_t count) {
  if (count == 0)
    return (struct asz_lab_spread){0};
  qsort(value, count, sizeof *value, by_value);
  return (struct asz_lab_spread){
      .p50 = value[(count - 1) / 2], .p99 = value[(uint64_t)(count - 1) * 99 / 100], .max = value[count - 1]};
}

static int compare_latency(struct asz_lab_report *report, const struct asz_lab_run *run) {
  uint64_t *error_ns = calloc((size_t)run->provider_count + 1, 2 * sizeof *error_ns);
  if (!error_ns)
    return ASZ_ENOMEM;
  uint64_t *error_ppm = error_ns + run->provider_count;
  uint32_t count = 0;
  for (uint32_t i = 0; i < run->provider_count; i++) {
    struct side side = side_of(run, i);
    if (!about_median(&side))
      continue;
    uint64_t truth = median_truth_ns(side.truth), measured = median_ns(side.seen);
    error_ns[count] = measured > truth ? measured - truth : truth - measured;
    error_ppm[count] = truth ? error_ns[count] * ASZ_PPM / truth : 0;
    count++;
  }
  report->latency_providers = count;
  report->error_ns = spread_of(error_ns, count);
  report->error_ppm = spread_of(error_ppm, count);
  free(error_ns);
  return 0;
}

int asz_lab_report_make(struct asz_lab_report *ret_report, const struct asz_lab_run *run) {
  struct asz_lab_report report = {
      .providers = run->provider_count, .emulator_faults = run->emulator_faults, .emulator_strays = run->emulator_strays};
  int err = compare_latency(&report, run);
  if (err)
    return err;
  sum_up(&report, run);
  for (unsigned r = 0; r < RULES; r++)
    judge(&report, run, &rules[r]);
  judge_checksums(&report, run);
  judge_wholes(&report, run);
  judge_prober(&report, run);
  report.ok = report.sent > 0; /* nothing measured is no pass */
  for (uint32_t c = 0; c < report.claim_count; c++)
    report.ok &= report.claim[c].ok;
  if (run->trials) {
    report.trials = *run->trials;
    report.ok &= report.trials.count == 0 || report.trials.ok;
  }
  *ret_report = report;
  return 0;
}
