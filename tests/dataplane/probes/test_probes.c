/* SPDX-License-Identifier: Apache-2.0 */
/* Conformance: every kind in ASZ_PROBE_LIST must do all of this, over both families, with and without a tag, from the day it is
 * named. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/dataplane/bed.h"

static struct bed bed;
static const uint64_t tx = BED_START + 600 * BED_MS, now = BED_START + 620 * BED_MS;

#define EACH_KIND(kind)                                                                                                          \
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++)                                                                  \
    for (unsigned way = 0; way < 4; way++)
#define OPEN(kind) bed_open_on(&bed, kind, way & 1 ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4, way & 2 ? BED_VLAN : 0)

Test(probes, names_go_both_ways)
{
#define CHECK(symbol, text)                                                                                                      \
  cr_assert(eq(str, (char *)asz_probe_name(ASZ_PROBE_##symbol), (char *)text));                                                  \
  cr_assert(eq(int, asz_probe_from_name(text), ASZ_PROBE_##symbol));
  ASZ_PROBE_LIST(CHECK)
#undef CHECK
  cr_assert(eq(int, asz_probe_from_name("tcp-ack"), ASZ_PROBE_COUNT));
  cr_assert(eq(int, asz_probe_from_name(""), ASZ_PROBE_COUNT));
}

Test(probes, honest_reply_is_answered_with_its_rtt)
{
  EACH_KIND(kind) {
    OPEN(kind);
    struct bed_frame reply = bed_exchange(&bed, 2, 5, tx);
    bed_receive(&bed, &reply, now);
    const struct asz_target_stats *stats = &bed.stats->target[2];
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 1), "%s", bed.module->name);
    cr_assert(eq(u16, stats->answered, 1));
    uint64_t step_ns = 10 + (UINT64_C(1000000000) << bed.module->time_step_log2 >> 32); /* of the time that travels */
    cr_assert(stats->rtt_min_ns > 19999990 && stats->rtt_min_ns < 20000000 + step_ns, "%u", stats->rtt_min_ns);
    cr_assert(eq(u64, stats->slots_up, 2));
    cr_assert(eq(u32, stats->seq_next, 6));
    bed_close(&bed);
  }
}

Test(probes, checksums_hold_by_an_independent_sum)
{
  EACH_KIND(kind) {
    OPEN(kind);
    for (uint32_t seq = 0; seq < 3000; seq++) {
      struct bed_frame frame = bed_request(&bed, seq % BED_TARGETS, seq * 21, BED_START + seq * 77777777ull);
      bed_assert_checksums(&frame);
    }
    bed_close(&bed);
  }
}

Test(probes, every_truncation_is_refused)
{
  EACH_KIND(kind) {
    OPEN(kind);
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    for (size_t size = 0; size < reply.size; size++) {
      struct bed_frame cut = reply;
      struct bed_change mark;
      cut.size = size;
      bed_mark(&bed, &mark);
      bed_receive(&bed, &cut, now);
      bed_assert_only(&bed, &mark, ASZ_CTR_RX_MALFORMED);
    }
    bed_close(&bed);
  }
}

/* The lengths are consistent this time: a shorter or longer packet, not a cut one. */
Test(probes, every_other_payload_size_is_malformed)
{
  EACH_KIND(kind) {
    if (asz_probe_module(kind)->protocol == ASZ_PROTOCOL_TCP)
      continue; /* its data is nothing to us; header lengths: below */
    OPEN(kind);
    for (size_t size = 0; size < bed_payload_bytes(&bed) + 20; size++) {
      if (size == bed_payload_bytes(&bed))
        continue;
      struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
      struct bed_change mark;
      uint16_t l4_bytes = (uint16_t)(8 + size);
      reply.size = (size_t)bed.template.l4_at + l4_bytes;
      if (bed.family == ASZ_FAMILY_IPV6)
        asz_be16_store(bed_l3(&reply) + ASZ_IPV6_PAYLOAD_LENGTH, l4_bytes);
      else
        asz_be16_store(bed_l3(&reply) + ASZ_IPV4_TOTAL_LENGTH, (uint16_t)(ASZ_IPV4_BYTES + l4_bytes));
      if (bed.module->protocol == ASZ_PROTOCOL_UDP)
        asz_be16_store(bed_l4(&reply) + ASZ_UDP_LENGTH, l4_bytes);
      bed_finish(&reply);
      bed_mark(&bed, &mark);
      bed_receive(&bed, &reply, now);
      bed_assert_only(&bed, &mark, ASZ_CTR_RX_MALFORMED);
      cr_assert(eq(u16, bed.stats->target[1].malformed, mark.target[1].malformed + 1));
    }
    bed_close(&bed);
  }
}

/* Whatever the cookie covers or is carried in: no flipped bit may pass as answered, and where the packet still names the target,
 * none may count as anything but forged. */
static void flip_and_expect_forged(uint8_t *(*field)(struct bed_frame *), unsigned bits) {
  for (unsigned bit = 0; bit < bits; bit++) {
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    struct bed_change mark;
    field(&reply)[bit / 8] ^= (uint8_t)(1 << bit % 8);
    bed_finish(&reply);
    bed_mark(&bed, &mark);
    bed_receive(&bed, &reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
    cr_assert(eq(u16, bed.stats->target[1].forged, mark.target[1].forged + 1), "%s, bit %u", bed.module->name, bit);
  }
}

static uint8_t *stamp_seq(struct bed_frame *frame) {
  return bed_payload(frame) + 24;
}
static uint8_t *stamp_time(struct bed_frame *frame) {
  return bed_payload(frame) + 28;
}
static uint8_t *stamp_ssid(struct bed_frame *frame) {
  return bed_payload(frame) + 14;
}
static uint8_t *tlv_nonce(struct bed_frame *frame) {
  return bed_payload(frame) + 72;
}
static uint8_t *tcp_ack(struct bed_frame *frame) {
  return bed_payload(frame);
}
static uint8_t *tcp_echo(struct bed_frame *frame) {
  return bed_payload(frame) + 24;
}
static uint8_t *auth_seq(struct bed_frame *frame) {
  return bed_payload(frame) + 48;
}
static uint8_t *auth_time(struct bed_frame *frame) {
  return bed_payload(frame) + 64;
}
static uint8_t *auth_ssid(struct bed_frame *frame) {
  return bed_payload(frame) + 26;
}
static uint8_t *echo_time(struct bed_frame *frame) {
  return bed_payload(frame);
}
static uint8_t *echo_seq(struct bed_frame *frame) {
  return bed_payload(frame) + 12;
}
static uint8_t *echo_cookie(struct bed_frame *frame) {
  return bed_payload(frame) + 16;
}

Test(probes, match_rejects_every_flipped_cookie_bit)
{
  static const struct {
    enum asz_probe kind;
    uint8_t *(*field)(struct bed_frame *);
    unsigned bits;
  } covered[] = {
      {ASZ_PROBE_STAMP, stamp_seq, 32},     {ASZ_PROBE_STAMP, stamp_time, 64},     {ASZ_PROBE_STAMP, stamp_ssid, 16},
      {ASZ_PROBE_STAMP_TLV, tlv_nonce, 64}, {ASZ_PROBE_STAMP_TLV, stamp_time, 64}, {ASZ_PROBE_STAMP_TLV, stamp_seq, 32},
      {ASZ_PROBE_STAMP_AUTH, auth_seq, 32}, {ASZ_PROBE_STAMP_AUTH, auth_time, 64}, {ASZ_PROBE_STAMP_AUTH, auth_ssid, 16},
      {ASZ_PROBE_ICMP_ECHO, echo_time, 64}, {ASZ_PROBE_ICMP_ECHO, echo_seq, 32},   {ASZ_PROBE_ICMP_ECHO, echo_cookie, 64},
      {ASZ_PROBE_TCP_SYN, tcp_ack, 32},     {ASZ_PROBE_TCP_SYN, tcp_echo, 32},
  };
  unsigned kinds = 0;
  for (unsigned i = 0; i < sizeof covered / sizeof *covered; i++)
    for (unsigned way = 0; way < 4; way++) {
      kinds |= 1u << covered[i].kind;
      OPEN(covered[i].kind);
      flip_and_expect_forged(covered[i].field, covered[i].bits);
      bed_close(&bed);
    }
  cr_assert(eq(uint, kinds, (1u << ASZ_PROBE_COUNT) - 1), "a kind is missing here");
}

/* The 13 cookie bits in the port: each of the 8,191 other ports of the range is a forgery. */
static void every_other_port_is_forged(enum asz_probe kind) {
  bed_open(&bed, kind);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
  uint8_t *port = reply.bytes + ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_DST;
  uint16_t right = asz_be16_load(port);
  for (uint32_t other = BED_PORT_BASE; other < BED_PORT_BASE + ASZ_COOKIE_PORTS; other++) {
    if (other == right)
      continue;
    asz_be16_store(port, (uint16_t)other);
    bed_finish(&reply);
    bed_receive(&bed, &reply, now);
  }
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_FORGED], ASZ_COOKIE_PORTS - 1));
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 0));
  bed_close(&bed);
}

Test(probes, match_rejects_every_other_cookie_port)
{
  every_other_port_is_forged(ASZ_PROBE_STAMP);
  every_other_port_is_forged(ASZ_PROBE_TCP_SYN);
  every_other_port_is_forged(ASZ_PROBE_STAMP_AUTH);
}

/* Kinds with a MAC: what the cookie does not cover, the MAC does. */
Test(probes, every_flipped_bit_of_a_maced_reply_is_refused)
{
  EACH_KIND(kind) {
    bed_open(&bed, kind);
    bool has_mac = bed.module->mac_ok != NULL || bed.module->macs_ok != NULL;
    for (unsigned bit = 0; has_mac && bit < 8 * bed_payload_bytes(&bed); bit++) {
      struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
      bed_payload(&reply)[bit / 8] ^= (uint8_t)(1 << bit % 8);
      bed_finish(&reply);
      bed_receive(&bed, &reply, now);
    }
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 0), "%s", bed.module->name);
    bed_close(&bed);
  }
}

Test(probes, flipped_hmac_bit_is_a_bad_mac)
{
  bed_open(&bed, ASZ_PROBE_STAMP_AUTH);
  for (unsigned bit = 0; bit < 128; bit++) {
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    struct bed_change mark;
    bed_payload(&reply)[96 + bit / 8] ^= (uint8_t)(1 << bit % 8);
    bed_finish(&reply);
    bed_mark(&bed, &mark);
    bed_receive(&bed, &reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_BAD_MAC);
    cr_assert(eq(u16, bed.stats->target[1].bad_mac, mark.target[1].bad_mac + 1));
  }
  bed_close(&bed);
}

/* A burst's HMACs are checked side by side: each must be judged by its own key and its own bytes, whatever stands beside it. */
Test(probes, one_bad_hmac_in_a_full_burst_spoils_no_other)
{
  static struct bed_frame frame[ASZ_BURST_MAX];
  for (uint32_t bad = 0; bad < ASZ_BURST_MAX; bad += 7) {
    bed_open(&bed, ASZ_PROBE_STAMP_AUTH);
    for (uint32_t i = 0; i < ASZ_BURST_MAX; i++) {
      frame[i] = bed_exchange(&bed, i % BED_TARGETS, 5 + i / BED_TARGETS, tx);
      if (i == bad)
        bed_payload(&frame[i])[100] ^= 1;
      else if (i == bad + 1)
        bed_payload(&frame[i])[48] ^= 1; /* the cookie: never asked for its HMAC */
      bed_finish(&frame[i]);
      bed.burst.bytes[i] = frame[i].bytes;
      bed.burst.size_bytes[i] = (uint32_t)frame[i].size;
    }
    bed.burst.count = ASZ_BURST_MAX;
    bed.burst.taken.ntp64 = now;
    asz_rx_take(&bed.rx, &bed.burst);
    uint64_t forged = bad + 1 < ASZ_BURST_MAX;
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_BAD_MAC], 1), "bad %u", bad);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_FORGED], forged), "bad %u", bad);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], ASZ_BURST_MAX - 1 - forged), "bad %u", bad);
    bed_close(&bed);
  }
}

/* The request itself, thrown back, is no reply: for every kind. */
Test(probes, mirrored_request_is_never_answered)
{
  EACH_KIND(kind) {
    OPEN(kind);
    struct bed_frame frame = bed_request(&bed, 1, 5, tx);
    uint8_t kept[16], *l4 = bed_l4(&frame);
    size_t bytes = bed.family == ASZ_FAMILY_IPV6 ? 16 : 4;
    uint8_t *src = bed_l3(&frame) + (bed.family == ASZ_FAMILY_IPV6 ? ASZ_IPV6_SRC : ASZ_IPV4_SRC), *dst = src + bytes;
    memcpy(kept, src, bytes);
    memcpy(src, dst, bytes);
    memcpy(dst, kept, bytes);
    if (bed.module->protocol != ASZ_PROTOCOL_ICMP) {
      memcpy(kept, l4, 2);
      memcpy(l4, l4 + 2, 2);
      memcpy(l4 + 2, kept, 2);
    }
    bed_finish(&frame);
    bed_receive(&bed, &frame, now);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 0), "%s", bed.module->name);
    bed_close(&bed);
  }
}

/* The two families do not answer for each other: an echo reply of the other protocol is none. */
Test(probes, reply_of_the_other_icmp_is_not_ours)
{
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++) {
    bed_open_on(&bed, ASZ_PROBE_ICMP_ECHO, family, 0);
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    struct bed_change mark;
    bed_l4(&reply)[0] = family == ASZ_FAMILY_IPV6 ? ASZ_ICMP_ECHO_REPLY : ASZ_ICMPV6_ECHO_REPLY;
    bed_finish(&reply);
    bed_mark(&bed, &mark);
    bed_receive(&bed, &reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_NOT_OURS);
    bed_close(&bed);
  }
}
