/* SPDX-License-Identifier: Apache-2.0 */
/* Loss follows Gilbert (1960) and Elliott (1963): a hidden state, here the weather, is good or bad, each with a loss rate of its
 * own, and changes with each probe by a rate of its own. One draw decides both changes: below to_bad the weather becomes bad and
 * above 1 - to_good it becomes good, whatever it was; between, it stays. That is the same chain as with two draws, since the two
 * ranges do not overlap (asz_truth_ok).
 *
 * An outage is a run of probe numbers, not of time: a probe that is sent near its edge would fall on either side of a moment,
 * from run to run, but its number is its own. Numbers are cut into runs of a power of two; each is lost whole or not at all, two
 * neighbours make a longer one. Where the runs begin differs by provider. A region fails in one run for all its providers, which
 * have the same numbers at nearly the same time, since each is probed once a round.
 *
 * A reply is corrupted, or may be detoured and copied. Of a corrupted one nothing is left to measure: it counts as unanswered. */
#include "dataplane/emulator/faults.h"

#include <assert.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/wire.h"

enum {
  COPY_NS_SPAN = 50000, /* copies made by a network follow at once */
  DELAY_NS_MAX = 2000000000,
  OUTAGE_LOG2_MAX = 16,
};

bool asz_weather_next(const struct asz_provider_facts *facts, uint64_t number, bool bad) {
  const struct asz_truth *truth = facts->truth;
  if (truth->to_bad_ppm == 0)
    return false;
  uint64_t at_ppm = asz_draw_below(asz_facts_draw(facts, number, ASZ_DRAW_WEATHER), ASZ_EMULATOR_PPM);
  if (at_ppm < truth->to_bad_ppm)
    return true;
  return bad && at_ppm < ASZ_EMULATOR_PPM - truth->to_good_ppm;
}

bool asz_weather(const struct asz_provider_facts *facts, uint64_t number) {
  bool bad = false;
  for (uint64_t n = 0; n <= number; n++)
    bad = asz_weather_next(facts, n, bad);
  return bad;
}

/* `whose` has outages of its own: a provider, or a region. */
static bool outage_of(const struct asz_provider_facts *facts, uint32_t whose, uint64_t number, enum asz_draw_purpose purpose,
                      uint32_t ppm) {
  if (ppm == 0)
    return false;
  unsigned log2_probes = facts->truth->outage_log2_probes;
  uint64_t begin = asz_draw_mix(whose) & ((UINT64_C(1) << log2_probes) - 1);
  uint64_t bits = asz_draw(facts->seed, whose, (number + begin) >> log2_probes, purpose);
  return asz_draw_below(bits, ASZ_EMULATOR_PPM) < ppm;
}

bool asz_fault_outage(const struct asz_provider_facts *facts, uint64_t number) {
  const struct asz_truth *truth = facts->truth;
  return outage_of(facts, facts->provider, number, ASZ_DRAW_OUTAGE, truth->outage_ppm) ||
         outage_of(facts, truth->region, number, ASZ_DRAW_REGION_OUTAGE, truth->region_outage_ppm);
}

bool asz_fault_loses(const struct asz_provider_facts *facts, uint64_t number, bool bad, bool challenge) {
  uint32_t ppm = bad ? facts->truth->bad_loss_ppm : facts->truth->loss_ppm;
  return asz_facts_chance(facts, number, challenge ? ASZ_DRAW_CHALLENGE_LOSS : ASZ_DRAW_LOSS, ppm);
}

static enum asz_corruption corruption_of(const struct asz_provider_facts *facts, uint64_t number) {
  const struct asz_truth *truth = facts->truth;
  if (truth->broken_ppm + truth->altered_ppm == 0)
    return ASZ_CORRUPT_NOT;
  uint64_t at_ppm = asz_draw_below(asz_facts_draw(facts, number, ASZ_DRAW_CORRUPTION), ASZ_EMULATOR_PPM);
  if (at_ppm < truth->broken_ppm)
    return ASZ_CORRUPT_BROKEN;
  return at_ppm < truth->broken_ppm + truth->altered_ppm ? ASZ_CORRUPT_ALTERED : ASZ_CORRUPT_NOT;
}

void asz_fault_reply(struct asz_reply_fault *ret_fault, const struct asz_provider_facts *facts, uint64_t number) {
  const struct asz_truth *truth = facts->truth;
  *ret_fault = (struct asz_reply_fault){.corruption = corruption_of(facts, number)};
  if (ret_fault->corruption != ASZ_CORRUPT_NOT) {
    ret_fault->corrupt_bits = asz_facts_draw(facts, number, ASZ_DRAW_CORRUPT_BIT);
    return;
  }
  if (asz_facts_chance(facts, number, ASZ_DRAW_DETOUR, truth->detour_ppm))
    ret_fault->detour_ns = truth->detour_ns;
  if (!asz_facts_chance(facts, number, ASZ_DRAW_DUPLICATE, truth->duplicate_ppm))
    return;
  ret_fault->copied = true;
  ret_fault->copy_ns = asz_draw_below(asz_facts_draw(facts, number, ASZ_DRAW_DUPLICATE_LAG), COPY_NS_SPAN);
}

struct span {
  size_t at, bytes;
};

static struct span broken_span(const struct asz_frame *f) {
  if (f->kind == ASZ_FRAME_UDP)
    return (struct span){f->payload_offset, f->payload_bytes};
  if (f->kind == ASZ_FRAME_ICMP) /* identifier, sequence, payload */
    return (struct span){f->payload_offset - 4u, f->payload_bytes + 4u};
  return (struct span){f->l4_offset + (size_t)ASZ_TCP_SEQ, 8};
}

/* STAMP: the sender's sequence and time, in authenticated mode, where zeros stand between them, the time. ICMP: everything. TCP:
 * the byte of the acknowledgement that holds its part of the cookie. */
static struct span altered_span(const uint8_t *frame, const struct asz_frame *f) {
  if (f->kind == ASZ_FRAME_UDP && asz_stamp_auth_find(frame + f->payload_offset, f->payload_bytes))
    return (struct span){f->payload_offset + (size_t)ASZ_STAMP_AUTH_SENDER_TIME, 8};
  if (f->kind == ASZ_FRAME_UDP)
    return (struct span){f->payload_offset + (size_t)ASZ_STAMP_SENDER_SEQ, ASZ_STAMP_SENDER_ERROR - ASZ_STAMP_SENDER_SEQ};
  if (f->kind == ASZ_FRAME_ICMP)
    return broken_span(f);
  return (struct span){f->l4_offset + (size_t)ASZ_TCP_ACK + 3, 1};
}

static void mend_checksum(uint8_t *frame, const struct asz_frame *f) {
  if (f->kind == ASZ_FRAME_UDP)
    asz_wire_udp_finish(frame + f->l3_offset);
  else if (f->kind == ASZ_FRAME_ICMP && f->family == ASZ_FAMILY_IPV6)
    asz_wire_icmpv6_finish(frame + f->l3_offset);
  else if (f->kind == ASZ_FRAME_ICMP)
    asz_wire_icmp_finish(frame + f->l4_offset, (size_t)ASZ_ICMP_BYTES + f->payload_bytes);
  else
    asz_wire_tcp_finish(frame + f->l3_offset);
}

void asz_corrupt(uint8_t *frame, size_t size_bytes, enum asz_corruption corruption, uint64_t bits) {
  struct asz_frame f;
  asz_wire_parse(&f, frame, size_bytes, ASZ_WIRE_CHECK_ALL);
  assert(f.kind == ASZ_FRAME_UDP || f.kind == ASZ_FRAME_ICMP || f.kind == ASZ_FRAME_TCP);
  struct span span = corruption == ASZ_CORRUPT_BROKEN ? broken_span(&f) : altered_span(frame, &f);
  uint64_t bit = asz_draw_below(bits, span.bytes * 8);
  frame[span.at + bit / 8] ^= (uint8_t)(1u << bit % 8);
  if (corruption == ASZ_CORRUPT_ALTERED)
    mend_checksum(frame, &f);
}

bool asz_truth_ok(const struct asz_truth *t) {
  const uint32_t shares[] = {
      t->loss_ppm,      t->bad_loss_ppm, t->to_bad_ppm + t->to_good_ppm, t->outage_ppm, t->region_outage_ppm,
      t->duplicate_ppm, t->detour_ppm,   t->broken_ppm + t->altered_ppm};
  for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
    if (shares[i] > ASZ_EMULATOR_PPM)
      return false;
  const uint32_t parts[] = {t->to_bad_ppm, t->to_good_ppm, t->broken_ppm, t->altered_ppm}; /* no sum that went around */
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (parts[i] > ASZ_EMULATOR_PPM)
      return false;
  return t->cheat < ASZ_CHEAT_COUNT && t->outage_log2_probes <= OUTAGE_LOG2_MAX && t->detour_ns <= DELAY_NS_MAX &&
         t->floor_ns <= DELAY_NS_MAX;
}
