/* SPDX-License-Identifier: Apache-2.0 */
/* Every outcome has its own name: each test lets one thing happen and asserts that exactly its counter moved, and no score. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/stamp.h"
#include "tests/dataplane/bed.h"

static struct bed bed;
static struct bed_change mark;
static const uint64_t tx = BED_START + 600 * BED_MS, now = BED_START + 620 * BED_MS;

static void fini(void) {
  if (bed.stats != NULL)
    bed_close(&bed);
}
TestSuite(rx, .fini = fini);

static void receive_marked(const struct bed_frame *frame, uint64_t at) {
  bed_mark(&bed, &mark);
  bed_receive(&bed, frame, at);
}

#define EACH_KIND(kind) for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++)

Test(rx, second_copy_is_a_duplicate)
{
  EACH_KIND(kind) {
    bed_open(&bed, kind);
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    bed_receive(&bed, &reply, now);
    receive_marked(&reply, now + BED_MS);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_DUPLICATE);
    receive_marked(&reply, now + 500 * BED_MS);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_REPLAYED);
    cr_assert(eq(u16, bed.stats->target[1].duplicate, 1));
    cr_assert(eq(u16, bed.stats->target[1].replayed, 1));
    bed_close(&bed);
  }
  bed.stats = NULL;
}

Test(rx, reply_after_the_timeout_is_late)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
  receive_marked(&reply, tx + 101 * BED_MS);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_LATE);
  cr_assert(eq(u16, bed.stats->target[1].late, 1));
}

Test(rx, overtaken_reply_is_answered_and_reordered)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  struct bed_frame second = bed_exchange(&bed, 1, 6, tx), first = bed_exchange(&bed, 1, 5, tx);
  bed_receive(&bed, &second, now);
  bed_receive(&bed, &first, now);
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 2));
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_REORDERED], 1));
}

Test(rx, reply_to_the_previous_epoch_is_held_against_nobody)
{
  EACH_KIND(kind) {
    bed_open(&bed, kind);
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    bed_next_epoch(&bed);
    receive_marked(&reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_PAST_EPOCH);
    cr_assert(eq(int, memcmp(mark.target, bed.stats->target, sizeof mark.target), 0));
    bed_close(&bed);
  }
  bed.stats = NULL;
}

Test(rx, reply_after_the_seal_touches_no_statistics)
{
  EACH_KIND(kind) {
    bed_open(&bed, kind);
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    asz_rx_seal(&bed.rx);
    receive_marked(&reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_PAST_EPOCH);
    cr_assert(eq(int, memcmp(mark.target, bed.stats->target, sizeof mark.target), 0));
    bed_close(&bed);
  }
  bed.stats = NULL;
}

Test(rx, before_any_epoch_everything_is_unsolicited)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
  bed.rx.run = (struct asz_rx_run){0};
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_UNSOLICITED);
}

Test(rx, stranger_without_an_index_is_unsolicited)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
  bed_from(&reply, BED_FIRST + 1000, BED_PORT);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_UNSOLICITED);
}

Test(rx, stranger_with_a_right_cookie_is_a_wrong_path)
{
  static const enum asz_probe carrying[] = {ASZ_PROBE_STAMP_TLV, ASZ_PROBE_ICMP_ECHO};
  for (unsigned k = 0; k < 2; k++) {
    bed_open(&bed, carrying[k]);
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    bed_from(&reply, BED_FIRST + 1000, BED_PORT);
    receive_marked(&reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_WRONG_PATH);
    cr_assert(eq(u16, bed.stats->target[1].wrong_path, 1));
    bed_payload(&reply)[k == 0 ? ASZ_TLV_AT_NONCE : 16] ^= 1;
    bed_finish(&reply);
    receive_marked(&reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_UNSOLICITED);
    bed_close(&bed);
  }
  bed.stats = NULL;
}

Test(rx, another_target_answering_for_it_is_a_wrong_path)
{
  bed_open(&bed, ASZ_PROBE_STAMP_TLV);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
  bed_from(&reply, BED_FIRST + 2, BED_PORT);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_WRONG_PATH);
  cr_assert(eq(u16, bed.stats->target[1].wrong_path, 1));
  cr_assert(eq(u16, bed.stats->target[2].wrong_path, 0));
}

Test(rx, another_source_port_is_a_wrong_path)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
  bed_from(&reply, BED_FIRST + 1, BED_PORT + 1);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_WRONG_PATH);
}

Test(rx, plain_stamp_from_another_target_is_forged_by_it)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
  bed_from(&reply, BED_FIRST + 2, BED_PORT);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
  cr_assert(eq(u16, bed.stats->target[2].forged, 1));
}

Test(rx, index_beyond_the_targets_is_forged)
{
  bed_open(&bed, ASZ_PROBE_STAMP_TLV);
  for (unsigned k = 0; k < 2; k++) {
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    asz_be32_store(bed_payload(&reply) + ASZ_TLV_AT_TARGET, k == 0 ? BED_TARGETS : UINT32_MAX);
    bed_finish(&reply);
    receive_marked(&reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
  }
}

Test(rx, every_flipped_mac_bit_is_a_bad_mac)
{
  bed_open(&bed, ASZ_PROBE_STAMP_TLV);
  for (unsigned bit = 0; bit < 8 * ASZ_MAC_BYTES; bit++) {
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    bed_payload(&reply)[ASZ_TLV_AT_MAC + bit / 8] ^= (uint8_t)(1 << bit % 8);
    bed_finish(&reply);
    receive_marked(&reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_BAD_MAC);
    cr_assert(eq(u16, bed.stats->target[1].bad_mac, bit + 1));
  }
}

/* What the MAC covers and the cookie does not: the reflector's own times, flags, role, epoch, validator. */
Test(rx, reply_changed_under_its_mac_is_a_bad_mac)
{
  static const unsigned covered[] = {ASZ_STAMP_SEQ,      ASZ_STAMP_TIME,        ASZ_STAMP_RX_TIME, ASZ_STAMP_SENDER_TTL,
                                     ASZ_TLV_AT,         ASZ_TLV_AT_ROLE,       ASZ_TLV_AT_EPOCH,  ASZ_TLV_AT_VALIDATOR,
                                     ASZ_STAMP_SSID + 1, ASZ_STAMP_SENDER_ERROR};
  bed_open(&bed, ASZ_PROBE_STAMP_TLV);
  for (unsigned i = 0; i < sizeof covered / sizeof *covered; i++) {
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    bed_payload(&reply)[covered[i]] ^= 1;
    bed_finish(&reply);
    receive_marked(&reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_BAD_MAC);
  }
}

/* The cookie is the same number for every kind. A provider asked by TLV must not get away with an echo reply, which has no MAC.
 */
Test(rx, cookie_of_one_kind_is_worth_nothing_in_another)
{
  bed_open(&bed, ASZ_PROBE_STAMP_TLV);
  struct bed_frame request = bed_request(&bed, 1, 5, tx);
  uint64_t cookie = asz_be64_load(bed_payload(&request) + ASZ_TLV_AT_NONCE);
  struct bed_frame echo = {.size = ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_ICMP_BYTES + 24};
  asz_wire_eth_write(echo.bytes, request.bytes + 6, request.bytes, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(echo.bytes + ASZ_ETH_BYTES, BED_FIRST + 1, BED_LOCAL, ASZ_PROTOCOL_ICMP, 64, ASZ_ICMP_BYTES + 24);
  asz_be64_store(bed_payload(&echo), tx);
  asz_be32_store(bed_payload(&echo) + 8, 1);
  asz_be32_store(bed_payload(&echo) + 12, 5);
  asz_be64_store(bed_payload(&echo) + 16, cookie);
  bed_finish(&echo);
  receive_marked(&echo, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
}

Test(rx, time_in_the_future_is_forged)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, now + 1);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
}

Test(rx, time_before_the_epoch_is_forged)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, BED_START - 1);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
}

Test(rx, missing_ssid_is_forged_unless_the_target_may)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
  asz_be16_store(bed_payload(&reply) + ASZ_STAMP_SSID, 0);
  bed_finish(&reply);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
  bed.stats->target[1].flags = ASZ_TARGET_NO_SSID;
  bed_receive(&bed, &reply, now);
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 1));
  /* but a wrong one is no missing one */
  asz_be16_store(bed_payload(&reply) + ASZ_STAMP_SSID, 0x0101);
  bed_finish(&reply);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
}

Test(rx, what_is_not_for_us_is_counted_apart)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  const struct bed_frame good = bed_exchange(&bed, 1, 5, tx);
  uint8_t *ip, *udp;
  struct bed_frame frame;
#define FRESH() (frame = good, ip = frame.bytes + ASZ_ETH_BYTES, udp = ip + ASZ_IPV4_BYTES)
  FRESH();
  asz_be32_store(ip + ASZ_IPV4_DST, BED_LOCAL + 1);
  bed_finish(&frame);
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_NOT_OURS);
  FRESH();
  asz_be16_store(udp + ASZ_UDP_DST, BED_PORT_BASE - 1);
  bed_finish(&frame);
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_NOT_OURS);
  FRESH();
  asz_be16_store(frame.bytes + ASZ_ETH_TYPE, 0x88b5);
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_NOT_OURS);
  FRESH();
  udp[ASZ_UDP_CHECKSUM] ^= 1;
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_BAD_CHECKSUM);
  FRESH();
  ip[ASZ_IPV4_FRAGMENT] = 0x20;
  bed_finish(&frame);
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_FRAGMENT);
}

Test(rx, echo_request_and_unreachable_are_not_ours)
{
  bed_open(&bed, ASZ_PROBE_ICMP_ECHO);
  static const uint8_t types[] = {8, 3, 11, 13};
  for (unsigned i = 0; i < sizeof types; i++) {
    struct bed_frame frame = bed_exchange(&bed, 1, 5, tx);
    frame.bytes[ASZ_ETH_BYTES + ASZ_IPV4_BYTES] = types[i];
    bed_finish(&frame);
    receive_marked(&frame, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_NOT_OURS);
  }
}

Test(rx, datagram_on_the_challenge_port_is_left_to_the_caller)
{
  bed_open(&bed, ASZ_PROBE_STAMP);
  struct bed_frame frame = bed_exchange(&bed, 1, 5, tx);
  asz_be16_store(frame.bytes + ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_DST, 48620);
  bed_finish(&frame);
  bed_receive(&bed, &frame, now);
  cr_assert(eq(u32, bed.burst.leftover_count, 1));
  cr_assert(eq(int, bed.burst.leftover[0].left, ASZ_RX_LEFT_ANSWER));
  cr_assert(eq(u32, bed.burst.leftover[0].target, 1));
  cr_assert(eq(u16, bed.burst.leftover[0].frame.payload_bytes, 44));
  bed_from(&frame, BED_FIRST + 1000, BED_PORT);
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_UNSOLICITED);
  cr_assert(eq(u32, bed.burst.leftover_count, 0));
}

/* A full burst of everything at once comes out as the same frames one by one. */
static void sample_every(uint32_t answers) {
  struct asz_rx_run run = bed.rx.run;
  run.sample_every = answers;
  asz_rx_begin(&bed.rx, &run);
}

Test(rx, answers_with_our_tlv_alone_are_drawn_and_only_their_first_copy)
{
  EACH_KIND(kind) {
    bed_open(&bed, kind);
    sample_every(1);
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    bed_receive(&bed, &reply, now);
    uint32_t drawn = 0;
    for (uint32_t i = 0; i < bed.burst.leftover_count; i++)
      drawn += bed.burst.leftover[i].left == ASZ_RX_LEFT_SAMPLE && bed.burst.leftover[i].target == 1;
    cr_assert(eq(u32, drawn, kind == ASZ_PROBE_STAMP_TLV));
    bed_receive(&bed, &reply, now + BED_MS);
    for (uint32_t i = 0; i < bed.burst.leftover_count; i++)
      cr_assert(ne(int, bed.burst.leftover[i].left, ASZ_RX_LEFT_SAMPLE));
    bed_close(&bed);
  }
  bed.stats = NULL;
}

Test(rx, one_answer_in_so_many_is_drawn_at_uneven_distances)
{
  enum { EVERY = 20, ANSWERS = 4000 };
  bed_open(&bed, ASZ_PROBE_STAMP_TLV);
  sample_every(EVERY);
  uint32_t drawn = 0, last = 0, shortest = ANSWERS, longest = 0;
  for (uint32_t seq = 0; seq < ANSWERS; seq++) {
    struct bed_frame reply = bed_exchange(&bed, 1, seq, tx);
    bed_receive(&bed, &reply, now);
    if (bed.burst.leftover_count == 0)
      continue;
    if (drawn++ > 0) {
      shortest = seq - last < shortest ? seq - last : shortest;
      longest = seq - last > longest ? seq - last : longest;
    }
    last = seq;
  }
  cr_assert(drawn > 150 && drawn < 250, "%u", drawn); /* 200 expected, with a deviation of 8 */
  cr_assert(shortest < 5 && longest > 35 && longest < 2 * EVERY, "%u to %u", shortest, longest);
  sample_every(0);
  for (uint32_t seq = ANSWERS; seq < ANSWERS + 100; seq++) {
    struct bed_frame reply = bed_exchange(&bed, 1, seq, tx);
    bed_receive(&bed, &reply, now);
    cr_assert(eq(u32, bed.burst.leftover_count, 0));
  }
}

Test(rx, burst_equals_single_frames)
{
  static struct bed_frame frames[ASZ_BURST_MAX];
  bed_open(&bed, ASZ_PROBE_STAMP_TLV);
  for (uint32_t i = 0; i < ASZ_BURST_MAX; i++) {
    frames[i] = bed_exchange(&bed, i % BED_TARGETS, i / 8, tx);
    if (i % 5 == 1)
      bed_payload(&frames[i])[ASZ_TLV_AT_NONCE] ^= 1;
    if (i % 5 == 2)
      bed_payload(&frames[i])[ASZ_TLV_AT_MAC] ^= 1;
    bed_finish(&frames[i]);
    if (i % 5 == 3)
      frames[i].size = 50;
    bed_receive(&bed, &frames[i], now);
  }
  const struct asz_counters one_by_one = bed.counters;
  bed_close(&bed);
  bed_open(&bed, ASZ_PROBE_STAMP_TLV);
  bed.burst.count = ASZ_BURST_MAX;
  for (uint32_t i = 0; i < ASZ_BURST_MAX; i++) {
    bed.burst.bytes[i] = frames[i].bytes;
    bed.burst.size_bytes[i] = (uint32_t)frames[i].size;
  }
  bed.burst.taken.ntp64 = now;
  asz_rx_take(&bed.rx, &bed.burst);
  cr_assert(eq(int, memcmp(&one_by_one, &bed.counters, sizeof one_by_one), 0));
  cr_assert(gt(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 0));
  cr_assert(gt(u64, bed.counters.value[ASZ_CTR_RX_DUPLICATE], 0));
}

#define EACH_FAMILY(family) for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)

/* With a tag configured, what comes without it or with another is somebody else's network, reply or not. */
Test(rx, frames_of_another_vlan_are_counted_apart)
{
  EACH_FAMILY(family) {
    bed_open_on(&bed, ASZ_PROBE_STAMP, family, BED_VLAN);
    struct bed_frame frame = bed_exchange(&bed, 1, 5, tx), untagged = {.size = frame.size - 4};
    frame.bytes[15] ^= 1;
    receive_marked(&frame, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_OTHER_VLAN);
    frame.bytes[15] = 0; /* a tag of priority only */
    receive_marked(&frame, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_OTHER_VLAN);
    memcpy(untagged.bytes, frame.bytes, 12);
    memcpy(untagged.bytes + 12, frame.bytes + 16, untagged.size - 12);
    receive_marked(&untagged, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_OTHER_VLAN);
    frame.bytes[14] = 0xe0; /* priority 7 of the right one */
    frame.bytes[15] = BED_VLAN;
    bed_receive(&bed, &frame, now);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 1));
    bed_close(&bed);
  }
  bed.stats = NULL;
}

Test(rx, longest_frame_is_read_and_one_byte_more_is_too_long)
{
  static uint8_t bytes[ASZ_ETH_MAX_BYTES];
  EACH_FAMILY(family) {
    bed_open_on(&bed, ASZ_PROBE_STAMP, family, 0);
    struct bed_frame frame = bed_exchange(&bed, 1, 5, tx);
    memset(bytes, 0xee, sizeof bytes);
    memcpy(bytes, frame.bytes, frame.size); /* the rest is padding */
    bed.burst.count = 1;
    bed.burst.bytes[0] = bytes;
    bed.burst.taken.ntp64 = now;
    static const uint32_t too_long[] = {ASZ_ETH_MAX_BYTES + 1, 9018, 65535, UINT32_MAX};
    for (unsigned i = 0; i < sizeof too_long / sizeof *too_long; i++) {
      bed_mark(&bed, &mark);
      bed.burst.size_bytes[0] = too_long[i];
      asz_rx_take(&bed.rx, &bed.burst);
      bed_assert_only(&bed, &mark, ASZ_CTR_RX_TOO_LONG);
    }
    bed.burst.size_bytes[0] = ASZ_ETH_MAX_BYTES;
    asz_rx_take(&bed.rx, &bed.burst);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 1));
    bed_close(&bed);
  }
  bed.stats = NULL;
}

Test(rx, ipv6_that_is_not_for_us_is_counted_apart)
{
  bed_open_on(&bed, ASZ_PROBE_STAMP, ASZ_FAMILY_IPV6, 0);
  const struct bed_frame good = bed_exchange(&bed, 1, 5, tx);
  struct bed_frame frame = good;
  bed_address(bed_l3(&frame) + ASZ_IPV6_DST, BED_LOCAL + 1);
  bed_finish(&frame);
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_NOT_OURS);
  frame = good;
  asz_be16_store(bed_l4(&frame) + ASZ_UDP_DST, BED_PORT_BASE - 1);
  bed_finish(&frame);
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_NOT_OURS);
  frame = good;
  bed_l3(&frame)[ASZ_IPV6_NEXT_HEADER] = 0; /* hop-by-hop options */
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_NOT_OURS);
  bed_l3(&frame)[ASZ_IPV6_NEXT_HEADER] = 44;
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_FRAGMENT);
  frame = good;
  asz_be16_store(bed_l4(&frame) + ASZ_UDP_CHECKSUM, 0);
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_BAD_CHECKSUM);
  bed.rx.config.has_ipv6 = false; /* no address of ours: nothing is for us, not even to :: */
  frame = good;
  memset(bed_l3(&frame) + ASZ_IPV6_DST, 0, 16);
  memset(bed.rx.config.local_ipv6, 0, 16);
  bed_finish(&frame);
  receive_marked(&frame, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_NOT_OURS);
}

/* A target is who has its address; another address of the same /64 is a stranger. */
Test(rx, ipv6_stranger_is_unsolicited_or_a_wrong_path)
{
  bed_open_on(&bed, ASZ_PROBE_STAMP, ASZ_FAMILY_IPV6, 0);
  struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
  bed_from(&reply, BED_FIRST + 1000, BED_PORT);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_UNSOLICITED);
  bed_close(&bed);
  bed_open_on(&bed, ASZ_PROBE_ICMP_ECHO, ASZ_FAMILY_IPV6, 0);
  reply = bed_exchange(&bed, 1, 5, tx);
  bed_from(&reply, BED_FIRST + 1000, BED_PORT);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_WRONG_PATH);
}

Test(rx, ipv6_reply_to_the_previous_epoch_is_held_against_nobody)
{
  EACH_KIND(kind) {
    bed_open_on(&bed, kind, ASZ_FAMILY_IPV6, 0);
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    bed_next_epoch(&bed);
    receive_marked(&reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_PAST_EPOCH);
    bed_close(&bed);
  }
  bed.stats = NULL;
}

Test(rx, ipv6_datagram_on_the_challenge_port_is_left_to_the_caller)
{
  bed_open_on(&bed, ASZ_PROBE_STAMP, ASZ_FAMILY_IPV6, 0);
  struct bed_frame frame = bed_exchange(&bed, 1, 5, tx);
  asz_be16_store(bed_l4(&frame) + ASZ_UDP_DST, 48620);
  bed_finish(&frame);
  bed_receive(&bed, &frame, now);
  cr_assert(eq(u32, bed.burst.leftover_count, 1));
  cr_assert(eq(int, bed.burst.leftover[0].left, ASZ_RX_LEFT_ANSWER));
  cr_assert(eq(u32, bed.burst.leftover[0].target, 1));
}

Test(rx, neighbour_discovery_is_left_to_the_caller_and_other_icmpv6_is_not_ours)
{
  bed_open_on(&bed, ASZ_PROBE_ICMP_ECHO, ASZ_FAMILY_IPV6, 0);
  for (unsigned type = 0; type < 256; type++) {
    struct bed_frame frame = bed_exchange(&bed, 1, 5, tx);
    bed_l4(&frame)[0] = (uint8_t)type;
    bed_finish(&frame);
    receive_marked(&frame, now);
    bool nd = type == 135 || type == 136;
    cr_assert(eq(u32, bed.burst.leftover_count, nd ? 1 : 0), "type %u", type);
    if (nd)
      cr_assert(eq(int, bed.burst.leftover[0].left, ASZ_RX_LEFT_ND));
    else if (type != ASZ_ICMPV6_ECHO_REPLY)
      bed_assert_only(&bed, &mark, ASZ_CTR_RX_NOT_OURS);
  }
}
