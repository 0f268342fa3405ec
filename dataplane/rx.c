/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/rx.h"

#include <string.h>

#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/record.h"

enum {
  GROUP = 16,      /* frames; what one asks for fits what a core can have in flight; 8 to 64 hardly differed in bench_loop */
  OLDER_TURNS = 7, /* of a time that is around in 4 s: 32 s, the last SYN-ACK that Linux sends again (tcp_synack_retries 5) */
};

/* The replies of a burst on their way through the stages. */
struct replies {
  uint32_t parsed, sourced, read; /* how many have passed each stage */
  uint32_t claimed;               /* of those read: with a claim, moved to the front */
  uint32_t at[ASZ_BURST_MAX];     /* index in the burst */
  enum asz_probe kind[ASZ_BURST_MAX];
  struct asz_frame frame[ASZ_BURST_MAX];
  uint32_t source[ASZ_BURST_MAX]; /* target with this source address, or none */
  uint32_t target[ASZ_BURST_MAX]; /* target whose cookie must fit */
  uint32_t seq[ASZ_BURST_MAX];
  uint64_t time[ASZ_BURST_MAX];
  uint64_t cookie[ASZ_BURST_MAX];
  bool mac_ok[ASZ_BURST_MAX]; /* of kinds that check MACs side by side */
  uint64_t rtt_ns[ASZ_BURST_MAX];
  uint32_t bin[ASZ_BURST_MAX]; /* of the sketch, if all is right */
};

/* How many answers pass until the next sample: 1 to twice sample_every less 1, each as likely. Drawn, not counted off: a provider
 * that knew which of its replies will be asked for could be honest about those alone. SplitMix64 over a secret start. */
static uint64_t sample_gap(struct asz_rx *rx) {
  uint64_t z = rx->sample_state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return 1 + (uint64_t)((unsigned __int128)(z ^ z >> 31) * (2 * (uint64_t)rx->run.sample_every - 1) >> 64);
}

void asz_rx_begin(struct asz_rx *rx, const struct asz_rx_run *run) {
  rx->run = *run;
  if (run->sample_every == 0)
    return;
  rx->sample_state = asz_cookie_one(&run->epoch.key, run->shard.first, 0, 0);
  rx->sample_after = sample_gap(rx);
}

/* Without samples the count runs down from 2^64. */
static bool sample_due(struct asz_rx *rx) {
  if (--rx->sample_after > 0 || rx->run.sample_every == 0)
    return false;
  rx->sample_after = sample_gap(rx);
  return true;
}

void asz_rx_seal(struct asz_rx *rx) {
  rx->previous = rx->run.epoch;
  rx->run = (struct asz_rx_run){0};
}

static void count(struct asz_rx *rx, enum asz_counter counter) {
  rx->counters->value[counter]++;
}

static uint32_t target_in(const struct asz_rx_epoch *epoch, const struct asz_frame *frame, const uint8_t *bytes) {
  if (frame->family == ASZ_FAMILY_IPV6)
    return epoch->map6 != NULL ? asz_addrmap6_get(epoch->map6, asz_frame_src_ipv6(frame, bytes)) : ASZ_TARGET_NONE;
  return asz_addrmap_get(epoch->map, frame->src_ipv4);
}

/* By the running epoch's tables, or after its end the previous one's. */
static uint32_t target_of(const struct asz_rx *rx, const struct asz_frame *frame, const uint8_t *bytes) {
  const struct asz_rx_epoch *epoch = rx->run.epoch.valid ? &rx->run.epoch : &rx->previous;
  return epoch->valid ? target_in(epoch, frame, bytes) : ASZ_TARGET_NONE;
}

static bool for_us(const struct asz_rx *rx, const struct asz_frame *frame, const uint8_t *bytes) {
  if (frame->family == ASZ_FAMILY_IPV6)
    return rx->config.has_ipv6 && memcmp(asz_frame_dst_ipv6(frame, bytes), rx->config.local_ipv6, 16) == 0;
  return frame->dst_ipv4 == rx->config.local_ipv4;
}

static bool is_echo_reply(const struct asz_frame *frame) {
  uint8_t type = frame->family == ASZ_FAMILY_IPV6 ? ASZ_ICMPV6_ECHO_REPLY : ASZ_ICMP_ECHO_REPLY;
  return frame->icmp_type == type && frame->icmp_code == 0;
}

static bool is_nd(const struct asz_frame *frame) {
  return frame->kind == ASZ_FRAME_ICMP && frame->family == ASZ_FAMILY_IPV6 &&
         (frame->icmp_type == ASZ_ICMPV6_NEIGHBOUR_SOLICITATION || frame->icmp_type == ASZ_ICMPV6_NEIGHBOUR_ADVERTISEMENT);
}

/* NULL, too, for the targets of other lcores. */
static struct asz_target_stats *stats_of(const struct asz_rx *rx, uint32_t target) {
  const struct asz_rx_run *run = &rx->run;
  return run->epoch.valid && asz_shard_has(&run->shard, target) ? &run->stats->target[target] : NULL;
}

static void answer_arrived(struct asz_rx *rx, struct asz_rx_burst *burst, uint32_t at, const struct asz_frame *frame) {
  uint32_t target = target_of(rx, frame, burst->bytes[at]);
  if (target == ASZ_TARGET_NONE) {
    count(rx, ASZ_CTR_RX_UNSOLICITED);
    return;
  }
  burst->leftover[burst->leftover_count++] = (struct asz_rx_leftover){ASZ_RX_LEFT_ANSWER, at, target, *frame};
}

/* What a frame is, by its headers alone. Returns true when it may be the reply to a probe; everything else is dealt with here. */
static bool sift(struct asz_rx *rx, struct asz_rx_burst *burst, uint32_t at, const struct asz_frame *frame) {
  static const enum asz_counter counter_of[] = {
      [ASZ_FRAME_MALFORMED] = ASZ_CTR_RX_MALFORMED,
      [ASZ_FRAME_OTHER] = ASZ_CTR_RX_NOT_OURS,
      [ASZ_FRAME_FRAGMENT] = ASZ_CTR_RX_FRAGMENT,
      [ASZ_FRAME_BAD_CHECKSUM] = ASZ_CTR_RX_BAD_CHECKSUM,
  };
  if (rx->config.vlan != 0 && frame->kind != ASZ_FRAME_MALFORMED && frame->vlan != rx->config.vlan) {
    count(rx, ASZ_CTR_RX_OTHER_VLAN);
    return false;
  }
  if (frame->kind == ASZ_FRAME_ARP || is_nd(frame)) {
    enum asz_rx_left left = frame->kind == ASZ_FRAME_ARP ? ASZ_RX_LEFT_ARP : ASZ_RX_LEFT_ND;
    burst->leftover[burst->leftover_count++] = (struct asz_rx_leftover){left, at, ASZ_TARGET_NONE, *frame};
    return false;
  }
  if (frame->kind != ASZ_FRAME_UDP && frame->kind != ASZ_FRAME_ICMP && frame->kind != ASZ_FRAME_TCP) {
    count(rx, counter_of[frame->kind]);
    return false;
  }
  bool ours = for_us(rx, frame, burst->bytes[at]);
  if (ours && frame->kind == ASZ_FRAME_UDP && frame->dst_port == rx->config.challenge_source_port) {
    answer_arrived(rx, burst, at, frame);
    return false;
  }
  if (frame->kind != ASZ_FRAME_ICMP)
    ours = ours && (uint16_t)(frame->dst_port - rx->config.source_port_base) < ASZ_COOKIE_PORTS;
  else
    ours = ours && is_echo_reply(frame);
  if (!ours)
    count(rx, ASZ_CTR_RX_NOT_OURS);
  return ours;
}

static void source_prefetch(const struct asz_rx *rx, const struct asz_rx_burst *burst, const struct replies *replies,
                            uint32_t i) {
  const struct asz_frame *frame = &replies->frame[i];
  if (frame->family != ASZ_FAMILY_IPV6)
    asz_addrmap_prefetch(rx->run.epoch.map, frame->src_ipv4);
  else if (rx->run.epoch.map6 != NULL)
    asz_addrmap6_prefetch(rx->run.epoch.map6, asz_frame_src_ipv6(frame, burst->bytes[replies->at[i]]));
}

static void parse_stage(struct asz_rx *rx, struct asz_rx_burst *burst, struct replies *replies, uint32_t from, uint32_t to) {
  uint32_t first = replies->parsed;
  for (uint32_t at = from; at < to; at++) {
    struct asz_frame *frame = &replies->frame[replies->parsed];
    if (burst->size_bytes[at] > ASZ_ETH_MAX_BYTES) {
      count(rx, ASZ_CTR_RX_TOO_LONG);
      continue;
    }
    asz_wire_parse(frame, burst->bytes[at], burst->size_bytes[at], rx->config.check);
    if (sift(rx, burst, at, frame))
      replies->at[replies->parsed++] = at;
  }
  if (rx->run.epoch.valid)
    for (uint32_t i = first; i < replies->parsed; i++)
      source_prefetch(rx, burst, replies, i);
}

static const uint8_t *payload_of(const struct asz_rx_burst *burst, const struct replies *replies, uint32_t i) {
  return burst->bytes[replies->at[i]] + replies->frame[i].payload_offset;
}

/* A kind that carries its target is told by its form, the others by what was asked of the source address; where that is not known
 * any more, by their form, too. */
static enum asz_probe kind_of(const struct asz_rx *rx, const struct asz_frame *frame, const uint8_t *payload, uint32_t source) {
  if (frame->kind == ASZ_FRAME_ICMP)
    return ASZ_PROBE_ICMP_ECHO;
  if (frame->kind == ASZ_FRAME_TCP)
    return ASZ_PROBE_TCP_SYN;
  if (asz_tlv_find(payload, frame->payload_bytes))
    return ASZ_PROBE_STAMP_TLV;
  if (rx->run.epoch.valid && source != ASZ_TARGET_NONE)
    return rx->run.stats->target[source].probe;
  return asz_stamp_auth_find(payload, frame->payload_bytes) ? ASZ_PROBE_STAMP_AUTH : ASZ_PROBE_STAMP;
}

/* In a sweep all targets have one address: the port that was asked from is the path. */
static uint32_t path_of(const struct asz_rx_run *run, const struct asz_frame *frame) {
  uint32_t path = (uint16_t)(frame->dst_port - run->setup.source_port_base);
  return frame->kind == ASZ_FRAME_UDP && path < run->epoch.target_count ? path : ASZ_TARGET_NONE;
}

/* Whose address each reply came from; asks for what the next stages will look at. */
static void source_stage(struct asz_rx *rx, const struct asz_rx_burst *burst, struct replies *replies, uint32_t to) {
  const struct asz_rx_run *run = &rx->run;
  for (uint32_t i = replies->sourced; i < to; i++) {
    uint32_t source = target_of(rx, &replies->frame[i], burst->bytes[replies->at[i]]);
    if (run->setup.sweep && source != ASZ_TARGET_NONE)
      source = path_of(run, &replies->frame[i]);
    replies->source[i] = source;
    if (!run->epoch.valid || source == ASZ_TARGET_NONE)
      continue;
    __builtin_prefetch(&run->stats->target[source], 1);
    if (run->setup.session != NULL)
      __builtin_prefetch(&run->setup.session[source]);
    if (run->setup.hmac != NULL)
      __builtin_prefetch(&run->setup.hmac[source]);
    if (run->pairs)
      __builtin_prefetch(&run->stats->ipdv[source], 1);
  }
  replies->sourced = to;
}

static uint64_t age_ns(uint64_t now_ntp64, uint64_t tx_ntp64) {
  uint64_t age = now_ntp64 - tx_ntp64; /* 32.32 seconds, 136 years around: no era */
  return (uint64_t)(((unsigned __int128)age * 1000000000 + (UINT64_C(1) << 31)) >> 32);
}

/* Two clocks that differ may make a reply arrive before its probe left; that one was away for no time. */
static bool is_early(uint64_t arrived_ntp64, uint64_t tx_ntp64) {
  return (int64_t)(arrived_ntp64 - tx_ntp64) < 0;
}

static uint64_t rtt_of(const struct asz_rx_burst *burst, uint32_t at, uint64_t tx_ntp64) {
  uint64_t arrived_ntp64 = asz_rx_arrival_of(burst, at)->ntp64;
  return is_early(arrived_ntp64, tx_ntp64) ? 0 : age_ns(arrived_ntp64, tx_ntp64);
}

/* No probe that was answered by now has a time after this. */
static uint64_t latest_of(const struct asz_rx *rx, const struct asz_rx_burst *burst) {
  return burst->taken.ntp64 + rx->run.ahead_ntp64;
}

static void malformed(struct asz_rx *rx, uint32_t source) {
  struct asz_target_stats *stats = stats_of(rx, source);
  if (stats != NULL)
    asz_record_count(&stats->malformed);
  count(rx, source == ASZ_TARGET_NONE ? ASZ_CTR_RX_UNSOLICITED : ASZ_CTR_RX_MALFORMED);
}

/* True when another lcore judges a frame about `target`. */
static bool steered(const struct asz_rx *rx, struct asz_rx_burst *burst, const struct replies *replies, uint32_t i,
                    uint32_t target) {
  const struct asz_rx_run *run = &rx->run;
  if (!run->epoch.valid || target >= run->epoch.target_count || asz_shard_has(&run->shard, target))
    return false;
  burst->leftover[burst->leftover_count++] =
      (struct asz_rx_leftover){ASZ_RX_LEFT_STEER, replies->at[i], target, replies->frame[i]};
  return true;
}

static uint8_t protocol_of(const struct asz_frame *frame) {
  if (frame->kind == ASZ_FRAME_TCP)
    return ASZ_PROTOCOL_TCP;
  return frame->kind == ASZ_FRAME_UDP ? ASZ_PROTOCOL_UDP : ASZ_PROTOCOL_ICMP;
}

/* Which probe a reply claims to answer. What claims none is dealt with; what stays moves up behind the last one that stayed. */
static void claim_one(struct asz_rx *rx, struct asz_rx_burst *burst, struct replies *replies, uint32_t i) {
  const struct asz_frame *frame = &replies->frame[i];
  const uint8_t *payload = payload_of(burst, replies, i);
  uint32_t source = replies->source[i], kept = replies->claimed;
  if (steered(rx, burst, replies, i, source))
    return;
  enum asz_probe kind = kind_of(rx, frame, payload, source);
  const struct asz_probe_module *module = asz_probe_module(kind);
  struct asz_claim claim;
  if (module->protocol != protocol_of(frame) || module->read(&claim, frame, payload) != 0) {
    malformed(rx, source);
    return;
  }
  if (source == ASZ_TARGET_NONE && module->carries_target && steered(rx, burst, replies, i, claim.target))
    return;
  asz_claim_complete(&claim, module, latest_of(rx, burst), rx->run.epoch.seq_last);
  if (kept != i) {
    replies->at[kept] = replies->at[i];
    replies->frame[kept] = *frame;
    replies->source[kept] = source;
  }
  replies->kind[kept] = kind;
  replies->target[kept] = module->carries_target ? claim.target : source;
  replies->seq[kept] = claim.seq;
  replies->time[kept] = claim.tx_ntp64;
  replies->rtt_ns[kept] = rtt_of(burst, replies->at[i], claim.tx_ntp64);
  replies->bin[kept] = asz_sketch_bin(replies->rtt_ns[kept]);
  replies->claimed++;
}

/* The sketches are by far the largest memory: nearly each one asked for is a miss in the TLB, too. Asked for in a loop of nothing
 * else, their page walks overlap; one at a time, between the claims, each cost 300 cycles in bench_loop. */
static void claim_stage(struct asz_rx *rx, struct asz_rx_burst *burst, struct replies *replies, uint32_t to) {
  uint32_t first = replies->claimed;
  for (uint32_t i = replies->read; i < to; i++)
    claim_one(rx, burst, replies, i);
  replies->read = to;
  if (!rx->run.epoch.valid)
    return;
  const struct asz_stats *stats = rx->run.stats;
  for (uint32_t i = first; i < replies->claimed; i++)
    if (replies->source[i] != ASZ_TARGET_NONE) {
      uint32_t at = asz_sketch_at(replies->bin[i], stats->target[replies->source[i]].sketch_level, stats->cell_count);
      __builtin_prefetch(&stats->cell[(size_t)replies->source[i] * stats->cell_count + at], 1);
    }
}

/* Parses, looks up and reads a burst in groups, each stage a group behind the one before: time enough for the memory that was
 * asked for to come, and never more of it in flight than a core can track (what is beyond that, it forgets). */
static void stages_run(struct asz_rx *rx, struct asz_rx_burst *burst, struct replies *replies) {
  for (uint32_t at = 0; at < burst->count; at += GROUP) {
    uint32_t parsed = replies->parsed, sourced = replies->sourced;
    parse_stage(rx, burst, replies, at, at + GROUP < burst->count ? at + GROUP : burst->count);
    source_stage(rx, burst, replies, parsed);
    claim_stage(rx, burst, replies, sourced);
  }
  uint32_t sourced = replies->sourced;
  source_stage(rx, burst, replies, replies->parsed);
  claim_stage(rx, burst, replies, sourced);
  claim_stage(rx, burst, replies, replies->sourced);
}

/* The distance between two times with the same low bits; 0 for kinds that carry all of them. */
static uint64_t turn_of(const struct asz_probe_module *module) {
  return module->time_above & -module->time_above;
}

/* Would it have been a reply to the previous epoch? Only names the outcome, so the weaker form of a cookie will do. */
static bool previous_fits(const struct asz_rx *rx, const struct asz_frame *frame, const uint8_t *payload, enum asz_probe kind,
                          uint64_t now_ntp64) {
  const uint8_t *bytes = payload - frame->payload_offset;
  const struct asz_rx_epoch *epoch = &rx->previous;
  const struct asz_probe_module *module = asz_probe_module(kind);
  struct asz_claim claim;
  if (!epoch->valid || module->read(&claim, frame, payload) != 0)
    return false;
  uint32_t target = module->carries_target ? claim.target : target_in(epoch, frame, bytes);
  struct asz_probe_setup setup = {.source_port_base = rx->config.source_port_base,
                                  .steer = {rx->config.steer[ASZ_FAMILY_IPV4], rx->config.steer[ASZ_FAMILY_IPV6]}};
  asz_claim_complete(&claim, module, now_ntp64, epoch->seq_last + 2); /* another lcore may have been a round ahead */
  bool fits = false;
  for (uint32_t turn = 0; target < epoch->target_count && !fits && turn <= (turn_of(module) != 0 ? OLDER_TURNS : 0); turn++) {
    uint64_t cookie = asz_cookie_one(&epoch->key, target, claim.seq, claim.tx_ntp64 - turn * turn_of(module));
    fits = module->cookie_ok(&setup, frame, payload, cookie, ASZ_TARGET_NO_SSID);
  }
  return fits;
}

static void reset_ask(struct asz_rx_burst *burst, uint32_t at, uint32_t target, const struct asz_frame *frame) {
  if (frame->kind == ASZ_FRAME_TCP && (frame->tcp_flags & ASZ_TCP_SYN) != 0)
    burst->leftover[burst->leftover_count++] = (struct asz_rx_leftover){ASZ_RX_LEFT_RESET, at, target, *frame};
}

/* No cookie of the running epoch: counted against the source, when that is a target of ours. */
static void judge_stranger(struct asz_rx *rx, struct asz_rx_burst *burst, const struct replies *replies, uint32_t i) {
  const struct asz_frame *frame = &replies->frame[i];
  uint32_t source = replies->source[i];
  struct asz_target_stats *stats = stats_of(rx, source);
  if (previous_fits(rx, frame, payload_of(burst, replies, i), replies->kind[i], burst->taken.ntp64)) {
    if (stats != NULL && stats->probe == replies->kind[i] && stats->port == frame->src_port)
      reset_ask(burst, replies->at[i], source, frame);
    count(rx, ASZ_CTR_RX_PAST_EPOCH); /* no target's account: whether it is a first copy went with that epoch's statistics */
  } else if (source == ASZ_TARGET_NONE) {
    count(rx, ASZ_CTR_RX_UNSOLICITED);
  } else {
    if (stats != NULL)
      asz_record_count(&stats->forged);
    count(rx, ASZ_CTR_RX_FORGED);
  }
}

static bool cookie_fits(const struct asz_rx *rx, const struct replies *replies, uint32_t i, const uint8_t *payload,
                        uint64_t latest_ntp64) {
  const struct asz_rx_run *run = &rx->run;
  uint32_t target = replies->target[i];
  if (!run->epoch.valid || target >= run->epoch.target_count || run->stats->target[target].probe != replies->kind[i])
    return false;
  const struct asz_probe_module *module = asz_probe_module(replies->kind[i]);
  bool sent_in_past = latest_ntp64 - replies->time[i] <= latest_ntp64 - asz_probe_time(module, run->start_ntp64);
  return sent_in_past &&
         module->cookie_ok(&run->setup, &replies->frame[i], payload, replies->cookie[i], run->stats->target[target].flags);
}

/* The same of probes whose time has the same low bits, latest first; the reply is then one to that probe. */
static bool older_fits(const struct asz_rx *rx, const struct asz_rx_burst *burst, struct replies *replies, uint32_t i,
                       const uint8_t *payload) {
  uint64_t turn_ntp64 = turn_of(asz_probe_module(replies->kind[i]));
  if (turn_ntp64 == 0 || replies->target[i] == ASZ_TARGET_NONE)
    return false;
  for (uint32_t turn = 0; turn < OLDER_TURNS; turn++) {
    replies->time[i] -= turn_ntp64;
    replies->cookie[i] = asz_cookie_one(&rx->run.epoch.key, replies->target[i], replies->seq[i], replies->time[i]);
    if (!cookie_fits(rx, replies, i, payload, latest_of(rx, burst)))
      continue;
    replies->rtt_ns[i] = rtt_of(burst, replies->at[i], replies->time[i]);
    replies->bin[i] = asz_sketch_bin(replies->rtt_ns[i]);
    return true;
  }
  return false;
}

/* The MACs that a kind checks side by side: only of replies that would be asked for it, so that nobody can make us work by
 * guessing. */
static void macs_of_kind(const struct asz_rx *rx, const struct asz_rx_burst *burst, struct replies *replies,
                         enum asz_probe kind) {
  uint32_t asked[ASZ_BURST_MAX], target[ASZ_BURST_MAX], count = 0;
  const uint8_t *payload[ASZ_BURST_MAX];
  bool ok[ASZ_BURST_MAX];
  for (uint32_t i = 0; i < replies->claimed; i++) {
    if (replies->kind[i] != kind)
      continue;
    replies->mac_ok[i] = false;
    payload[count] = payload_of(burst, replies, i);
    target[count] = replies->target[i];
    asked[count] = i;
    if (replies->source[i] == replies->target[i] && cookie_fits(rx, replies, i, payload[count], latest_of(rx, burst)))
      count++;
  }
  asz_probe_module(kind)->macs_ok(&rx->run.setup, payload, target, ok, count);
  for (uint32_t i = 0; i < count; i++)
    replies->mac_ok[asked[i]] = ok[i];
}

static void macs_stage(const struct asz_rx *rx, const struct asz_rx_burst *burst, struct replies *replies) {
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++)
    if (asz_probe_module(kind)->macs_ok != NULL)
      macs_of_kind(rx, burst, replies, kind);
}

/* What a reply says of the way there and the way back, each by itself. A reflector without a clock writes zeros. */
static void variation_take(struct asz_ipdv *ipdv, const struct asz_probe_module *module, const uint8_t *payload, uint32_t seq,
                           uint64_t t1_ntp64, uint64_t t4_ntp64) {
  uint64_t t2 = asz_be64_load(payload + module->t2_at), t3 = asz_be64_load(payload + module->t3_at);
  uint16_t error_estimate = asz_be16_load(payload + module->error_at);
  if (t2 != 0 && t3 != 0)
    asz_ipdv_take(ipdv, seq, asz_stamp_time(t2, error_estimate) - t1_ntp64, t4_ntp64 - asz_stamp_time(t3, error_estimate));
}

static void judge(struct asz_rx *rx, struct asz_rx_burst *burst, struct replies *replies, uint32_t i) {
  const struct asz_rx_run *run = &rx->run;
  const struct asz_frame *frame = &replies->frame[i];
  const uint8_t *payload = payload_of(burst, replies, i);
  uint32_t target = replies->target[i];
  if (!cookie_fits(rx, replies, i, payload, latest_of(rx, burst)) && !older_fits(rx, burst, replies, i, payload)) {
    judge_stranger(rx, burst, replies, i);
    return;
  }
  const struct asz_probe_module *module = asz_probe_module(replies->kind[i]);
  struct asz_target_stats *stats = &run->stats->target[target];
  if (replies->source[i] != target || (frame->kind != ASZ_FRAME_ICMP && frame->src_port != stats->port)) {
    if (asz_shard_has(&run->shard, target))
      asz_record_count(&stats->wrong_path);
    count(rx, ASZ_CTR_RX_WRONG_PATH);
    return;
  }
  reset_ask(burst, replies->at[i], target, frame);
  bool mac_ok = module->macs_ok != NULL  ? replies->mac_ok[i]
                : module->mac_ok != NULL ? module->mac_ok(payload, &run->setup.session[target])
                                         : true;
  if (!mac_ok) {
    asz_record_count(&stats->bad_mac);
    count(rx, ASZ_CTR_RX_BAD_MAC);
    return;
  }
  const struct asz_rx_arrival *arrival = asz_rx_arrival_of(burst, replies->at[i]);
  bool early = is_early(arrival->ntp64, replies->time[i]);
  int reordered;
  struct asz_reply reply = {
      .seq = replies->seq[i],
      .slot = asz_slots_of(run->slots, replies->time[i]),
      .rtt_ns = replies->rtt_ns[i],
      .bin = replies->bin[i],
      .waited = arrival->waited,
      .doubtful = arrival->doubtful || early,
      .stamped = arrival->stamped,
  };
  enum asz_counter outcome = asz_record_reply(run->stats, target, &reply, run->timeout_ns, &reordered);
  count(rx, early && outcome == ASZ_CTR_RX_DOUBTFUL ? ASZ_CTR_RX_EARLY : outcome);
  rx->counters->value[ASZ_CTR_RX_REORDERED] += (uint64_t)reordered;
  if (outcome == ASZ_CTR_RX_ANSWERED && replies->kind[i] == ASZ_PROBE_STAMP_TLV && sample_due(rx))
    burst->leftover[burst->leftover_count++] = (struct asz_rx_leftover){ASZ_RX_LEFT_SAMPLE, replies->at[i], target, *frame};
  if (run->pairs && outcome == ASZ_CTR_RX_ANSWERED && module->t2_at != 0)
    variation_take(&run->stats->ipdv[target], module, payload, reply.seq, replies->time[i], arrival->ntp64);
}

void asz_rx_take(struct asz_rx *rx, struct asz_rx_burst *burst) {
  struct replies replies;
  replies.parsed = 0;
  replies.sourced = 0;
  replies.read = 0;
  replies.claimed = 0;
  burst->leftover_count = 0;
  rx->counters->value[ASZ_CTR_RX_FRAMES] += burst->count;
  stages_run(rx, burst, &replies);
  asz_stages_end(rx->stages, ASZ_STAGE_MATCH);
  if (rx->run.epoch.valid)
    asz_cookie_many(&rx->run.epoch.key, replies.target, replies.seq, replies.time, replies.cookie, replies.claimed);
  if (rx->run.setup.hmac != NULL)
    macs_stage(rx, burst, &replies);
  asz_stages_end(rx->stages, ASZ_STAGE_VERIFY);
  for (uint32_t i = 0; i < replies.claimed; i++)
    judge(rx, burst, &replies, i);
  asz_stages_end(rx->stages, ASZ_STAGE_RECORD);
}
