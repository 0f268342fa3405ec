/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour discovery: hostile input first. Messages are made by the unit's own other side (a second asz_nd that takes the
 * gateway's part), and by hand where the unit would not make them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/ipv6.h"
#include "dataplane/nd.h"

enum {
  HZ = 1000,
  IP_AT = ASZ_ETH_BYTES,
  ICMP_AT = IP_AT + ASZ_IPV6_BYTES,
  FLAGS_AT = ICMP_AT + 4,
  TARGET_AT = ICMP_AT + 8,
  OPTION_AT = ICMP_AT + 24,
  FRAME_MAX = 512
};
static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, gateway_mac[6] = {2, 0, 0, 0, 0, 0xfe}, no_mac[6];
static const uint8_t us[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, gateway[16] = {0xfe, 0x80, [13] = 0xaa, 0xbb, 0xcc},
                     stranger[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x77}, none[16];
static const uint8_t our_group[16] = {0xff, 0x02, [11] = 1, 0xff, 0, 0, 1}, all_nodes[16] = {0xff, 0x02, [15] = 1};

static uint8_t frame[ASZ_ND_FRAME_BYTES], message[FRAME_MAX];
static size_t message_bytes;

static struct asz_nd resolving(void) {
  struct asz_nd nd;
  asz_nd_init(&nd, our_mac, us, gateway, no_mac, HZ);
  return nd;
}

static void finish(void) {
  asz_be16_store(message + IP_AT + ASZ_IPV6_PAYLOAD_LENGTH, (uint16_t)(message_bytes - ICMP_AT));
  asz_wire_icmpv6_finish(message + IP_AT);
}

/* A message with one option: our MAC's of `type` + 1 for advertisements, as the RFC numbers them. */
static void write(uint8_t type, uint8_t flags, const uint8_t src[16], const uint8_t dst[16], const uint8_t target[16],
                  const uint8_t mac[6]) {
  memset(message, 0, sizeof message);
  message_bytes = ASZ_ND_FRAME_BYTES;
  asz_wire_eth_write(message, our_mac, gateway_mac, ASZ_ETHERTYPE_IPV6);
  asz_wire_ipv6_write(message + IP_AT, src, dst, ASZ_PROTOCOL_ICMPV6, 255, 32);
  message[ICMP_AT] = type;
  message[FLAGS_AT] = flags;
  memcpy(message + TARGET_AT, target, 16);
  message[OPTION_AT] = type == 136 ? 2 : 1;
  message[OPTION_AT + 1] = 1;
  memcpy(message + OPTION_AT + 2, mac, 6);
  finish();
}

static void advertisement(void) {
  write(136, 0x60, gateway, us, gateway, gateway_mac);
}
static void solicitation(void) {
  write(135, 0, gateway, our_group, us, gateway_mac);
}

/* A heap copy of exactly its size, so that the sanitizers see any step past its end. */
static enum asz_neigh_heard hear(struct asz_nd *nd, uint64_t tsc) {
  struct asz_frame parsed;
  uint8_t *copy = malloc(message_bytes + 1);
  memcpy(copy, message, message_bytes);
  asz_wire_parse(&parsed, copy, message_bytes, ASZ_WIRE_CHECK_L3);
  enum asz_neigh_heard heard = asz_nd_hear(nd, tsc, &parsed, copy, frame);
  free(copy);
  return heard;
}

static struct asz_nd asking(void) {
  struct asz_nd nd = resolving();
  cr_assert(asz_nd_poll(&nd, 0, frame));
  return nd;
}

static void ignored(struct asz_nd *nd, const char *what) {
  cr_assert(eq(int, hear(nd, 1), ASZ_NEIGH_IGNORED), "%s", what);
  cr_assert(not(nd->resolve.known), "%s", what);
}

Test(nd, advertisement_without_a_question_is_ignored)
{
  struct asz_nd nd = resolving();
  advertisement();
  ignored(&nd, "nobody asked");
}

/* RFC 4861 section 7.1.2, each of its conditions and ours. */
Test(nd, advertisement_that_breaks_a_rule_is_ignored)
{
  struct asz_nd nd = asking();
  const uint8_t group_mac[6] = {3, 0, 0, 0, 0, 1};
  advertisement();
  message[IP_AT + ASZ_IPV6_HOP_LIMIT] = 254;
  ignored(&nd, "it came through a router");
  advertisement();
  message[ICMP_AT + 3] ^= 1;
  ignored(&nd, "checksum");
  advertisement();
  message[ICMP_AT + 1] = 1;
  finish();
  ignored(&nd, "code");
  write(136, 0x20, gateway, us, gateway, gateway_mac);
  ignored(&nd, "not solicited");
  write(136, 0x60, gateway, all_nodes, gateway, gateway_mac);
  ignored(&nd, "to everybody");
  write(136, 0x60, gateway, stranger, gateway, gateway_mac);
  ignored(&nd, "to somebody else");
  write(136, 0x60, stranger, us, stranger, gateway_mac);
  ignored(&nd, "of somebody else");
  write(136, 0x60, gateway, us, gateway, group_mac);
  ignored(&nd, "a group's MAC");
  write(136, 0x60, gateway, us, gateway, no_mac);
  ignored(&nd, "no MAC");
  advertisement();
  message[OPTION_AT] = 1; /* the source's address: of no use here */
  finish();
  ignored(&nd, "another option");
  advertisement();
  message_bytes = OPTION_AT;
  finish();
  ignored(&nd, "no option");
  write(137, 0x60, gateway, us, gateway, gateway_mac);
  ignored(&nd, "a redirect");
  advertisement();
  cr_assert(eq(int, hear(&nd, 1), ASZ_NEIGH_LEARNED), "and the whole one is learned from");
}

Test(nd, options_that_lie_about_their_length_are_ignored)
{
  struct asz_nd nd = asking();
  for (unsigned length = 0; length < 256; length++) {
    if (length == 1)
      continue;
    advertisement();
    message[OPTION_AT + 1] = (uint8_t)length;
    finish();
    ignored(&nd, "length of the only option");
    solicitation();
    message[OPTION_AT + 1] = (uint8_t)length;
    finish();
    ignored(&nd, "length of the only option");
  }
}

Test(nd, every_truncation_is_ignored)
{
  for (unsigned advertised = 0; advertised < 2; advertised++)
    for (size_t size = ICMP_AT + 8; size < ASZ_ND_FRAME_BYTES; size++) {
      struct asz_nd nd = asking();
      if (advertised)
        advertisement();
      else
        write(135, 0, gateway, us, us, gateway_mac);
      message_bytes = size;
      finish(); /* the lengths agree: a shorter message, not a cut frame */
      if (size == OPTION_AT && !advertised)
        cr_assert(eq(int, hear(&nd, 1), ASZ_NEIGH_ANSWER), "to us alone, the option may be missing");
      else
        ignored(&nd, "too short");
    }
}

Test(nd, unknown_options_are_stepped_over)
{
  struct asz_nd nd = asking();
  advertisement();
  memmove(message + OPTION_AT + 24, message + OPTION_AT, 8);
  memset(message + OPTION_AT, 0xee, 24);
  message[OPTION_AT + 1] = 3;
  message_bytes += 24;
  finish();
  cr_assert(eq(int, hear(&nd, 1), ASZ_NEIGH_LEARNED));
  cr_assert(eq(int, memcmp(nd.resolve.gateway_mac, gateway_mac, 6), 0));
}

Test(nd, solicitation_that_breaks_a_rule_is_ignored)
{
  struct asz_nd nd = resolving();
  solicitation();
  message[IP_AT + ASZ_IPV6_HOP_LIMIT] = 64;
  ignored(&nd, "it came through a router");
  write(135, 0, gateway, our_group, gateway, gateway_mac);
  ignored(&nd, "for another address of our group");
  write(135, 0, gateway, all_nodes, us, gateway_mac);
  ignored(&nd, "to everybody");
  write(135, 0, none, our_group, us, gateway_mac);
  ignored(&nd, "from no address, but with a MAC");
  write(135, 0, none, us, us, gateway_mac);
  message_bytes = OPTION_AT;
  finish();
  ignored(&nd, "from no address to us alone");
  write(135, 0, all_nodes, our_group, us, gateway_mac);
  ignored(&nd, "from a group");
  write(135, 0, gateway, our_group, us, (uint8_t[6]){0x33, 0x33, 0, 0, 0, 1});
  ignored(&nd, "an answer to a group");
}

static void assert_advertises_us(const uint8_t mac[6], const uint8_t dst[16], uint8_t flags) {
  struct asz_frame parsed;
  asz_wire_parse(&parsed, frame, sizeof frame, ASZ_WIRE_CHECK_ALL);
  cr_assert(eq(int, parsed.kind, ASZ_FRAME_ICMP));
  cr_assert(eq(u8, parsed.icmp_type, 136));
  cr_assert(eq(u8, parsed.ttl, 255));
  cr_assert(eq(u8, frame[FLAGS_AT], flags));
  cr_assert(eq(int, memcmp(frame, mac, 6), 0));
  cr_assert(eq(int, memcmp(frame + 6, our_mac, 6), 0));
  cr_assert(eq(int, memcmp(asz_frame_src_ipv6(&parsed, frame), us, 16), 0));
  cr_assert(eq(int, memcmp(asz_frame_dst_ipv6(&parsed, frame), dst, 16), 0));
  cr_assert(eq(int, memcmp(frame + TARGET_AT, us, 16), 0));
  cr_assert(eq(u8, frame[OPTION_AT], 2));
  cr_assert(eq(int, memcmp(frame + OPTION_AT + 2, our_mac, 6), 0));
}

Test(nd, question_for_us_is_answered_to_the_one_who_asked)
{
  struct asz_nd nd = resolving();
  solicitation();
  cr_assert(eq(int, hear(&nd, 0), ASZ_NEIGH_ANSWER));
  assert_advertises_us(gateway_mac, gateway, 0x60);
  write(135, 0, stranger, us, us, (uint8_t[6]){2, 0, 0, 0, 0, 0x77}); /* is it still there? */
  cr_assert(eq(int, hear(&nd, 0), ASZ_NEIGH_ANSWER));
  assert_advertises_us((uint8_t[6]){2, 0, 0, 0, 0, 0x77}, stranger, 0x60);
}

Test(nd, duplicate_address_detection_is_answered_to_everybody)
{
  struct asz_nd nd = resolving();
  write(135, 0, none, our_group, us, no_mac);
  message_bytes = OPTION_AT;
  finish();
  cr_assert(eq(int, hear(&nd, 0), ASZ_NEIGH_ANSWER));
  assert_advertises_us((uint8_t[6]){0x33, 0x33, 0, 0, 0, 1}, all_nodes, 0x20);
}

Test(nd, gateway_is_resolved_and_refreshed_after_30_s)
{
  struct asz_nd nd = resolving(), peer;
  cr_assert(asz_nd_poll(&nd, 0, frame));
  cr_assert(eq(int, memcmp(frame, (uint8_t[6]){0x33, 0x33, 0xff, 0xaa, 0xbb, 0xcc}, 6), 0), "to its solicited-node group");
  cr_assert(eq(int, memcmp(frame + TARGET_AT, gateway, 16), 0));
  /* the other end is one of ours, too */
  asz_nd_init(&peer, gateway_mac, gateway, us, no_mac, HZ);
  memcpy(message, frame, sizeof frame);
  message_bytes = sizeof frame;
  cr_assert(eq(int, hear(&peer, 0), ASZ_NEIGH_ANSWER));
  memcpy(message, frame, sizeof frame);
  cr_assert(eq(int, hear(&nd, 5), ASZ_NEIGH_LEARNED));
  cr_assert(nd.resolve.known);
  cr_assert(eq(int, memcmp(nd.resolve.gateway_mac, gateway_mac, 6), 0));
  cr_assert(not(asz_nd_poll(&nd, 5 + 30 * HZ - 1, frame)));
  cr_assert(asz_nd_poll(&nd, 5 + 30 * HZ, frame));
}

Test(nd, silence_is_asked_again_each_second_and_lost_after_three)
{
  struct asz_nd nd = asking();
  advertisement();
  cr_assert(eq(int, hear(&nd, 0), ASZ_NEIGH_LEARNED));
  uint64_t tsc = 30 * HZ;
  for (int asked = 0; asked < 3; asked++, tsc += HZ) {
    cr_assert(asz_nd_poll(&nd, tsc, frame));
    cr_assert(not(nd.resolve.lost));
  }
  cr_assert(asz_nd_poll(&nd, tsc, frame));
  cr_assert(nd.resolve.lost);
  cr_assert(eq(u32, nd.resolve.lost_count, 1));
  cr_assert(eq(int, hear(&nd, tsc), ASZ_NEIGH_LEARNED));
  cr_assert(not(nd.resolve.lost));
}

Test(nd, without_an_address_nothing_is_asked_or_answered)
{
  struct asz_nd nd;
  asz_nd_init(&nd, our_mac, none, none, no_mac, HZ);
  cr_assert(not(asz_nd_poll(&nd, 1000000 * (uint64_t)HZ, frame)));
  write(135, 0, gateway, our_group, none, gateway_mac);
  cr_assert(eq(int, hear(&nd, 0), ASZ_NEIGH_IGNORED));
}

Test(nd, every_address_of_a_prefix_is_answered_for_and_none_beside_it)
{
  struct asz_nd nd = resolving();
  nd.prefix_bits = 120;
  for (unsigned last = 0; last < 2 * 256; last++) {
    uint8_t target[16], group[16];
    memcpy(target, us, 16);
    target[14] = (uint8_t)(last >> 8);
    target[15] = (uint8_t)last;
    asz_ipv6_solicited(group, target);
    write(135, 0, gateway, group, target, gateway_mac);
    struct asz_frame parsed;
    asz_wire_parse(&parsed, message, message_bytes, ASZ_WIRE_CHECK_ALL);
    const enum asz_neigh_heard heard = asz_nd_hear(&nd, 1, &parsed, message, frame);
    cr_assert_eq(heard, last < 256 ? ASZ_NEIGH_ANSWER : ASZ_NEIGH_IGNORED, "address %u", last);
    if (heard != ASZ_NEIGH_ANSWER)
      continue;
    cr_assert_arr_eq(frame + TARGET_AT, target, 16, "it says whose MAC this is");
    cr_assert_arr_eq(frame + IP_AT + ASZ_IPV6_SRC, target, 16);
  }
}

Test(nd, question_for_one_address_in_the_group_of_another_is_ignored)
{
  struct asz_nd nd = resolving();
  nd.prefix_bits = 64;
  uint8_t target[16];
  memcpy(target, us, 16);
  target[15] ^= 2;
  write(135, 0, gateway, our_group, target, gateway_mac);
  struct asz_frame parsed;
  asz_wire_parse(&parsed, message, message_bytes, ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(asz_nd_hear(&nd, 1, &parsed, message, frame), ASZ_NEIGH_IGNORED);
}
