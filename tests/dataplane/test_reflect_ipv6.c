/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in, replies out, over IPv6, with and without an 802.1Q tag: hostile ones first. Every frame of this file goes through
 * reply_to, which looks at what holds for all replies. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/ipv6.h"
#include "dataplane/base/stamp.h"
#include "dataplane/reflect.h"
#include "tests/random.h"

enum {
  LOCAL_IPV4 = 0x0a4d0010,
  PEER_IPV4 = 0x0a000001,
  PEER_PORT = 50000,
  ROOM = 2048,
  IP_AT = ASZ_ETH_BYTES,
  L4_AT = IP_AT + ASZ_IPV6_BYTES,
  PAYLOAD_AT = L4_AT + ASZ_UDP_BYTES,
  TARGET_AT = L4_AT + 8,
  OPTION_AT = L4_AT + 24,
  STAMP_FRAME = PAYLOAD_AT + ASZ_STAMP_BYTES,
  TAG = 0x8100e007, /* priority 7, VLAN 7 */
  SECOND = 1000000000,
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 0xaa}, peer_mac[6] = {2, 0, 0, 0, 0, 0xbb},
                     router_mac[6] = {2, 0, 0, 0, 0, 0xcc};
static const uint8_t ours[16] = {0x20, 1, 0xd, 0xb8, [15] = 0x10}, peer[16] = {0x20, 1, 0xd, 0xb8, [7] = 9, [15] = 1};
static const uint8_t router[16] = {0xfe, 0x80, [15] = 1}, none[16];
static struct asz_reflect reflect;
static struct asz_reflect_burst burst;
static uint8_t frame[ROOM], request[ROOM];
static uint32_t size;

static void admit(void *self, struct asz_reflect_request *asked, unsigned count, uint64_t now_ns) {
  for (unsigned i = 0; i < count; i++)
    asked[i].admitted = true;
}

static void finish(void *self, struct asz_reflect_request *asked, unsigned count, uint64_t t2_ns, uint64_t t3_ns) {
  for (unsigned i = 0; i < count; i++)
    for (uint32_t k = 0; asked[i].kind == ASZ_REFLECT_KIND_STAMP && k < asked[i].payload_bytes; k++)
      asked[i].payload[k] ^= 0x5a;
}

static struct asz_reflector_config config_of(unsigned prefix6_bits) {
  struct asz_reflector_config config = {.local_ipv4 = LOCAL_IPV4,
                                        .prefix_bits = 32,
                                        .prefix6_bits = prefix6_bits,
                                        .stamp_port = ASZ_STAMP_PORT,
                                        .challenge_port = ASZ_CHALLENGE_PORT,
                                        .rules = {.admit = admit, .finish = finish}};
  memcpy(config.local_ipv6, ours, sizeof ours);
  memcpy(config.gateway_ipv6, router, sizeof router);
  return config;
}

static void setup(void) {
  const struct asz_reflector_config config = config_of(124); /* ...10 to ...1f */
  asz_reflect_init(&reflect, our_mac, &config);
}

TestSuite(reflect_ipv6, .init = setup);

static void headers(const uint8_t src[16], const uint8_t dst[16], uint8_t protocol, uint32_t l4_bytes) {
  memset(frame, 0xee, sizeof frame);
  asz_wire_eth_write(frame, our_mac, peer_mac, ASZ_ETHERTYPE_IPV6);
  asz_wire_ipv6_write(frame + IP_AT, src, dst, protocol, 61, (uint16_t)l4_bytes);
  for (uint32_t i = 0; i < l4_bytes; i++)
    frame[L4_AT + i] = (uint8_t)(7 * i + 3);
  size = L4_AT + l4_bytes;
}

static void make_udp(uint16_t port, uint32_t payload_bytes) {
  headers(peer, ours, ASZ_PROTOCOL_UDP, ASZ_UDP_BYTES + payload_bytes);
  asz_wire_udp_write(frame + L4_AT, PEER_PORT, port, (uint16_t)payload_bytes);
  asz_wire_udp_finish(frame + IP_AT);
}

static void make_stamp(void) {
  make_udp(ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
}

static void make_echo(uint32_t payload_bytes) {
  headers(peer, ours, ASZ_PROTOCOL_ICMPV6, ASZ_ICMP_BYTES + payload_bytes);
  frame[L4_AT] = ASZ_ICMPV6_ECHO_REQUEST;
  frame[L4_AT + 1] = 0;
  asz_wire_icmpv6_finish(frame + IP_AT);
}

/* A solicitation as a neighbour with that address sends it, to the target's group; from nobody: without the option. */
static void make_solicitation(const uint8_t src[16], const uint8_t target[16]) {
  uint8_t group[16];
  const bool named = !asz_ipv6_is_none(src);
  asz_ipv6_solicited(group, target);
  headers(src, group, ASZ_PROTOCOL_ICMPV6, named ? 32 : 24);
  asz_ipv6_multicast_mac(frame + ASZ_ETH_DST, group);
  frame[IP_AT + ASZ_IPV6_HOP_LIMIT] = 255;
  memset(frame + L4_AT, 0, 8);
  frame[L4_AT] = ASZ_ICMPV6_NEIGHBOUR_SOLICITATION;
  memcpy(frame + TARGET_AT, target, 16);
  if (named) {
    frame[OPTION_AT] = frame[OPTION_AT + 1] = 1;
    memcpy(frame + OPTION_AT + 2, peer_mac, 6);
  }
  asz_wire_icmpv6_finish(frame + IP_AT);
}

static void make_advertisement(const uint8_t target[16], const uint8_t mac[6]) {
  headers(target, ours, ASZ_PROTOCOL_ICMPV6, 32);
  frame[IP_AT + ASZ_IPV6_HOP_LIMIT] = 255;
  memset(frame + L4_AT, 0, 8);
  frame[L4_AT] = ASZ_ICMPV6_NEIGHBOUR_ADVERTISEMENT;
  frame[L4_AT + 4] = 0x60;
  memcpy(frame + TARGET_AT, target, 16);
  frame[OPTION_AT] = 2;
  frame[OPTION_AT + 1] = 1;
  memcpy(frame + OPTION_AT + 2, mac, 6);
  asz_wire_icmpv6_finish(frame + IP_AT);
}

static void put_tag(uint32_t tag) {
  memmove(frame + ASZ_ETH_TYPE + ASZ_VLAN_BYTES, frame + ASZ_ETH_TYPE, size - ASZ_ETH_TYPE);
  asz_be32_store(frame + ASZ_ETH_TYPE, tag);
  size += ASZ_VLAN_BYTES;
}

/* The reply's size; 0: silence. The frame stands in memory of exactly its size, so that a sanitizer sees every step past it. */
static uint32_t reply_at(uint64_t now_ns) {
  memcpy(request, frame, sizeof request);
  uint8_t *exact = malloc(size ? size : 1);
  cr_assert_not_null(exact);
  memcpy(exact, frame, size);
  burst.count = 1;
  burst.bytes[0] = exact;
  burst.size_bytes[0] = size;
  asz_reflect_take(&reflect, &burst, now_ns);
  asz_reflect_finish(&reflect, &burst, 10, 20);
  cr_assert_leq(burst.size_bytes[0], size, "a reply of %u bytes to a frame of %u", burst.size_bytes[0], size);
  memcpy(frame, exact, size);
  free(exact);
  return burst.size_bytes[0];
}

static uint32_t reply_to(void) {
  return reply_at(1);
}

static void assert_ends_in(enum asz_reflect_counter counter) {
  const uint64_t before = reflect.counter[counter];
  const uint32_t replied = reply_to();
  cr_assert(replied == 0 && burst.nd_count == 0, "answered, expected %s", asz_reflect_counter_name(counter));
  cr_assert_eq(reflect.counter[counter], before + 1, "not counted as %s", asz_reflect_counter_name(counter));
}

/* Of the request, with the tag that it had; ip: where its IPv6 header is. */
static void assert_good_reply(uint32_t replied, uint32_t ip) {
  struct asz_frame reply;
  asz_wire_parse(&reply, frame, replied, ASZ_WIRE_CHECK_ALL);
  cr_assert(reply.kind == ASZ_FRAME_UDP || reply.kind == ASZ_FRAME_ICMP, "kind %d", (int)reply.kind);
  cr_assert_eq(reply.l3_offset, ip);
  cr_assert_eq(reply.ttl, 64);
  cr_assert_eq(asz_be32_load(frame + ip), UINT32_C(6) << 28, "traffic class and flow label come back");
  cr_assert_arr_eq(frame + ip + ASZ_IPV6_DST, request + ip + ASZ_IPV6_SRC, 16);
  cr_assert_arr_eq(frame + ip + ASZ_IPV6_SRC, request + ip + ASZ_IPV6_DST, 16);
  cr_assert_arr_eq(frame + ASZ_ETH_DST, request + ASZ_ETH_SRC, 6);
  cr_assert_arr_eq(frame + ASZ_ETH_SRC, our_mac, 6);
  cr_assert_arr_eq(frame + ASZ_ETH_TYPE, request + ASZ_ETH_TYPE, ip - ASZ_ETH_TYPE);
}

Test(reflect_ipv6, every_truncation_is_malformed)
{
  for (uint32_t cut = 0; cut < STAMP_FRAME; cut++) {
    make_stamp();
    size = cut;
    assert_ends_in(ASZ_REFLECT_DROPPED_MALFORMED);
    make_echo(44);
    size = cut;
    assert_ends_in(ASZ_REFLECT_DROPPED_MALFORMED);
  }
  for (uint32_t cut = ASZ_ETH_BYTES; cut < ASZ_ND_FRAME_BYTES; cut++) {
    make_solicitation(peer, ours);
    size = cut;
    assert_ends_in(ASZ_REFLECT_DROPPED_MALFORMED);
  }
}

/* All but flow label and hop limit, which no checksum covers. */
Test(reflect_ipv6, every_flipped_bit_that_means_something_is_met_with_silence)
{
  for (unsigned bit = 8 * ASZ_ETH_TYPE; bit < 8 * STAMP_FRAME; bit++) {
    make_stamp();
    frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
    const unsigned at = bit / 8;
    const bool label = (at == IP_AT && bit % 8 < 4) || (at > IP_AT && at < IP_AT + 4), hops = at == IP_AT + ASZ_IPV6_HOP_LIMIT;
    const uint32_t replied = reply_to();
    cr_assert_eq(replied != 0, label || hops, "bit %u", bit);
  }
}

Test(reflect_ipv6, datagram_without_a_checksum_is_dropped_by_name)
{
  make_stamp();
  asz_be16_store(frame + L4_AT + ASZ_UDP_CHECKSUM, 0);
  assert_ends_in(ASZ_REFLECT_DROPPED_CHECKSUM);
  make_echo(8);
  frame[PAYLOAD_AT] ^= 1;
  assert_ends_in(ASZ_REFLECT_DROPPED_CHECKSUM);
}

Test(reflect_ipv6, extension_headers_and_fragments_are_dropped_by_name)
{
  const uint8_t extension[] = {0, 43, 50, 51, 60, 135, 139, 140};
  for (unsigned i = 0; i < sizeof extension; i++) {
    headers(peer, ours, extension[i], 64);
    assert_ends_in(ASZ_REFLECT_DROPPED_OPTIONS);
  }
  headers(peer, ours, 44, 64);
  assert_ends_in(ASZ_REFLECT_DROPPED_FRAGMENT);
  headers(peer, ours, 0, 64); /* a jumbogram has no length */
  asz_be16_store(frame + IP_AT + ASZ_IPV6_PAYLOAD_LENGTH, 0);
  assert_ends_in(ASZ_REFLECT_DROPPED_OPTIONS);
  const uint8_t unknown[] = {59, 132, 1, 255};
  for (unsigned i = 0; i < sizeof unknown; i++) {
    headers(peer, ours, unknown[i], 64);
    assert_ends_in(ASZ_REFLECT_DROPPED_NOT_OURS);
  }
  headers(peer, ours, ASZ_PROTOCOL_TCP, 64);
  frame[L4_AT + ASZ_TCP_OFFSET] = 5 << 4;
  asz_wire_tcp_finish(frame + IP_AT);
  assert_ends_in(ASZ_REFLECT_DROPPED_NOT_OURS);
}

static void put_address(uint32_t at, const char *text) {
  cr_assert_eq(asz_ipv6_parse(frame + IP_AT + at, text), 0);
  asz_wire_udp_finish(frame + IP_AT);
}

Test(reflect_ipv6, addresses_of_others_and_of_nobody_are_dropped_by_name)
{
  const char *const others[] = {"2001:db8::f", "2001:db8::20", "::", "ff02::1", "ff02::1:ff00:10"};
  for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
    make_stamp();
    put_address(ASZ_IPV6_DST, others[i]);
    assert_ends_in(ASZ_REFLECT_DROPPED_NOT_OURS);
  }
  const char *const nobody[] = {"::", "::1", "ff02::1", "::ffff:10.0.0.1", "2001:db8::10", "2001:db8::1f"};
  for (unsigned i = 0; i < sizeof nobody / sizeof nobody[0]; i++) {
    make_stamp();
    put_address(ASZ_IPV6_SRC, nobody[i]);
    assert_ends_in(ASZ_REFLECT_DROPPED_SOURCE);
  }
  make_stamp();
  frame[ASZ_ETH_DST + 5] ^= 1;
  assert_ends_in(ASZ_REFLECT_DROPPED_NOT_OURS);
  make_stamp();
  frame[ASZ_ETH_SRC] |= 1;
  assert_ends_in(ASZ_REFLECT_DROPPED_SOURCE);
}

Test(reflect_ipv6, frames_to_many_are_read_only_when_they_ask_for_an_address)
{
  make_stamp(); /* to all nodes */
  asz_ipv6_multicast_mac(frame + ASZ_ETH_DST, (const uint8_t[16]){0xff, 2, [15] = 1});
  assert_ends_in(ASZ_REFLECT_DROPPED_GROUP);
  make_stamp(); /* to our group, but our address behind it */
  asz_ipv6_multicast_mac(frame + ASZ_ETH_DST, (const uint8_t[16]){0xff, 2, [11] = 1, 0xff, 0, 0, 0x10});
  assert_ends_in(ASZ_REFLECT_DROPPED_GROUP);
  make_solicitation(peer, ours);
  memset(frame + ASZ_ETH_DST, 0xff, 6);
  assert_ends_in(ASZ_REFLECT_DROPPED_GROUP);
}

Test(reflect_ipv6, port_without_an_ipv6_address_answers_none)
{
  struct asz_reflector_config config = config_of(128);
  memset(config.local_ipv6, 0, sizeof config.local_ipv6);
  memset(config.gateway_ipv6, 0, sizeof config.gateway_ipv6);
  asz_reflect_init(&reflect, our_mac, &config);
  make_stamp();
  assert_ends_in(ASZ_REFLECT_DROPPED_IPV6);
  make_stamp();
  size = IP_AT + 5;
  assert_ends_in(ASZ_REFLECT_DROPPED_IPV6);
  make_solicitation(peer, ours);
  assert_ends_in(ASZ_REFLECT_DROPPED_GROUP);
  uint8_t solicitation[ASZ_ND_FRAME_BYTES];
  cr_assert_not(asz_reflect_poll(&reflect, 1, solicitation));
}

Test(reflect_ipv6, port_without_an_ipv4_address_answers_none)
{
  struct asz_reflector_config config = config_of(128);
  config.local_ipv4 = 0;
  asz_reflect_init(&reflect, our_mac, &config);
  for (uint32_t i = 0; i < 3; i++) {
    const uint32_t dst[] = {0, LOCAL_IPV4, 0xffffffff};
    make_stamp();
    asz_wire_eth_write(frame, our_mac, peer_mac, ASZ_ETHERTYPE_IPV4);
    asz_wire_ipv4_write(frame + IP_AT, PEER_IPV4, dst[i], ASZ_PROTOCOL_UDP, 61, ASZ_UDP_BYTES + ASZ_STAMP_BYTES);
    asz_wire_udp_write(frame + IP_AT + ASZ_IPV4_BYTES, PEER_PORT, ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
    asz_wire_udp_finish(frame + IP_AT);
    assert_ends_in(ASZ_REFLECT_DROPPED_NOT_OURS);
    asz_wire_arp_write(frame, ASZ_ARP_REQUEST, peer_mac, PEER_IPV4, (const uint8_t[6]){0}, dst[i]);
    size = ASZ_ETH_MIN_BYTES;
    assert_ends_in(ASZ_REFLECT_DROPPED_NOT_OURS);
  }
  make_stamp();
  cr_assert_eq(reply_to(), STAMP_FRAME);
}

Test(reflect_ipv6, neighbour_discovery_that_the_rfc_forbids_is_dropped_by_name)
{
  make_solicitation(peer, ours); /* from beyond a router */
  frame[IP_AT + ASZ_IPV6_HOP_LIMIT] = 254;
  assert_ends_in(ASZ_REFLECT_DROPPED_ND);
  make_solicitation(peer, ours);
  frame[L4_AT + 1] = 1;
  asz_wire_icmpv6_finish(frame + IP_AT);
  assert_ends_in(ASZ_REFLECT_DROPPED_ND);
  make_solicitation(peer, ours); /* an option of no length */
  frame[OPTION_AT + 1] = 0;
  asz_wire_icmpv6_finish(frame + IP_AT);
  assert_ends_in(ASZ_REFLECT_DROPPED_ND);
  make_solicitation(peer, ours);
  frame[L4_AT] ^= 0x20; /* no type of ours: the checksum is wrong first */
  assert_ends_in(ASZ_REFLECT_DROPPED_CHECKSUM);
  const uint8_t other[16] = {0x20, 1, 0xd, 0xb8, [15] = 0x20};
  make_solicitation(peer, other);
  assert_ends_in(ASZ_REFLECT_DROPPED_NOT_OURS);
  headers(peer, ours, ASZ_PROTOCOL_ICMPV6, ASZ_ICMP_BYTES); /* no target in it */
  frame[IP_AT + ASZ_IPV6_HOP_LIMIT] = 255;
  frame[L4_AT] = ASZ_ICMPV6_NEIGHBOUR_SOLICITATION;
  asz_wire_icmpv6_finish(frame + IP_AT);
  assert_ends_in(ASZ_REFLECT_DROPPED_ND);
  make_advertisement(router, router_mac); /* nobody has asked */
  assert_ends_in(ASZ_REFLECT_DROPPED_ND);
  cr_assert_not(reflect.nd.resolve.known);
}

Test(reflect_ipv6, solicitation_for_any_address_of_the_prefix_is_answered_under_its_tag)
{
  for (unsigned i = 0; i < 16; i++) {
    uint8_t target[16];
    memcpy(target, ours, 16);
    target[15] = (uint8_t)(0x10 + i);
    make_solicitation(i % 2 ? peer : none, target);
    if (i % 4 >= 2)
      put_tag(TAG);
    const uint32_t ip = IP_AT + (i % 4 >= 2 ? ASZ_VLAN_BYTES : 0);
    cr_assert_eq(reply_to(), 0, "nothing is made in place");
    cr_assert_eq(burst.nd_count, 1);
    const struct asz_reflect_nd *nd = &burst.nd[0];
    struct asz_frame parsed;
    asz_wire_parse(&parsed, nd->bytes, nd->size_bytes, ASZ_WIRE_CHECK_ALL);
    cr_assert_eq(parsed.kind, ASZ_FRAME_ICMP);
    cr_assert_eq(parsed.icmp_type, ASZ_ICMPV6_NEIGHBOUR_ADVERTISEMENT);
    cr_assert_eq(parsed.l3_offset, ip);
    cr_assert_arr_eq(nd->bytes + ASZ_ETH_TYPE, request + ASZ_ETH_TYPE, ip - ASZ_ETH_TYPE);
    cr_assert_arr_eq(asz_frame_src_ipv6(&parsed, nd->bytes), target, 16);
    cr_assert_arr_eq(nd->bytes + parsed.l4_offset + 8, target, 16);
    cr_assert_arr_eq(nd->bytes + parsed.l4_offset + 26, our_mac, 6);
  }
  cr_assert_eq(reflect.counter[ASZ_REFLECT_ASKED_ND], 16);
}

Test(reflect_ipv6, gateway_is_asked_for_heard_and_missed)
{
  uint8_t solicitation[ASZ_ND_FRAME_BYTES];
  struct asz_frame parsed;
  cr_assert(asz_reflect_poll(&reflect, 1, solicitation));
  cr_assert_not(asz_reflect_poll(&reflect, 2, solicitation), "once a second");
  asz_wire_parse(&parsed, solicitation, sizeof solicitation, ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(parsed.icmp_type, ASZ_ICMPV6_NEIGHBOUR_SOLICITATION);
  cr_assert_arr_eq(solicitation + TARGET_AT, router, 16);
  make_advertisement(router, router_mac);
  cr_assert_eq(reply_to(), 0);
  cr_assert_eq(reflect.counter[ASZ_REFLECT_HEARD_ND], 1);
  cr_assert_arr_eq(reflect.nd.resolve.gateway_mac, router_mac, 6);
  for (uint64_t s = 31; s < 36; s++) /* a question each second from the 30th on, none answered */
    (void)asz_reflect_poll(&reflect, s * SECOND, solicitation);
  cr_assert_eq(reflect.counter[ASZ_REFLECT_GATEWAY_LOST], 1);
  cr_assert_eq(reflect.counter[ASZ_REFLECT_SENT_ND], 6);
}

Test(reflect_ipv6, stamp_reply_turns_every_header_and_has_right_checksums)
{
  for (uint32_t payload = 0; payload <= 1452; payload += payload < 130 ? 1 : 61)
    for (uint32_t tagged = 0; tagged < 2; tagged++) {
      make_udp(ASZ_STAMP_PORT, payload);
      asz_be32_store(frame + IP_AT, 0x6b812345); /* a class and a label */
      if (tagged)
        put_tag(TAG);
      const uint32_t replied = reply_to(), shift = tagged * ASZ_VLAN_BYTES;
      cr_assert_eq(replied, size);
      assert_good_reply(replied, IP_AT + shift);
      cr_assert_eq(asz_be16_load(frame + shift + L4_AT + ASZ_UDP_SRC), ASZ_STAMP_PORT);
      cr_assert_eq(asz_be16_load(frame + shift + L4_AT + ASZ_UDP_DST), PEER_PORT);
      for (uint32_t i = 0; i < payload; i++)
        cr_assert_eq(frame[shift + PAYLOAD_AT + i], request[shift + PAYLOAD_AT + i] ^ 0x5a);
    }
}

Test(reflect_ipv6, link_local_neighbour_is_answered)
{
  make_stamp();
  put_address(ASZ_IPV6_SRC, "fe80::77");
  const uint32_t replied = reply_to();
  cr_assert_eq(replied, STAMP_FRAME);
  assert_good_reply(replied, IP_AT);
}

Test(reflect_ipv6, surplus_of_a_request_does_not_come_back)
{
  make_stamp(); /* 10 bytes behind UDP, within IPv6; 20 more behind IPv6 */
  asz_be16_store(frame + IP_AT + ASZ_IPV6_PAYLOAD_LENGTH, ASZ_UDP_BYTES + ASZ_STAMP_BYTES + 10);
  size += 30;
  cr_assert_eq(reply_to(), STAMP_FRAME);
  assert_good_reply(STAMP_FRAME, IP_AT);
}

Test(reflect_ipv6, echo_reply_is_the_request_with_another_type_and_a_right_checksum)
{
  for (uint32_t payload = 0; payload <= 1452; payload += payload < 70 ? 1 : 59) {
    make_echo(payload);
    const uint32_t replied = reply_to();
    cr_assert_eq(replied, size);
    assert_good_reply(replied, IP_AT);
    cr_assert_eq(frame[L4_AT], ASZ_ICMPV6_ECHO_REPLY);
    cr_assert_arr_eq(frame + L4_AT + 4, request + L4_AT + 4, 4 + payload);
  }
  for (uint32_t word = 0; word < 65536; word++) { /* every checksum there is */
    make_echo(2);
    asz_be16_store(frame + PAYLOAD_AT, (uint16_t)word);
    asz_wire_icmpv6_finish(frame + IP_AT);
    const uint32_t replied = reply_to();
    struct asz_frame reply;
    asz_wire_parse(&reply, frame, replied, ASZ_WIRE_CHECK_ALL);
    cr_assert_eq(reply.kind, ASZ_FRAME_ICMP, "payload %04x", word);
  }
}

Test(reflect_ipv6, challenge_and_its_answer_keep_addresses_and_tag)
{
  for (uint32_t tagged = 0; tagged < 2; tagged++) {
    make_udp(ASZ_CHALLENGE_PORT, 128);
    if (tagged)
      put_tag(TAG);
    cr_assert_eq(reply_to(), 0, "the loop answers no challenge");
    burst.bytes[0] = request; /* the copy of the test is gone */
    burst.size_bytes[0] = size;
    asz_reflect_take(&reflect, &burst, 1);
    cr_assert_eq(burst.request_count, 1);
    struct asz_reflector_datagram datagram;
    asz_reflect_challenge(&burst, 0, 77, &datagram);
    uint8_t answer[ASZ_REFLECT_ANSWER_MAX];
    const uint32_t answer_bytes = asz_reflect_answer(&reflect, &datagram, answer), ip = IP_AT + tagged * ASZ_VLAN_BYTES;
    struct asz_frame parsed;
    asz_wire_parse(&parsed, answer, answer_bytes, ASZ_WIRE_CHECK_ALL);
    cr_assert_eq(parsed.kind, ASZ_FRAME_UDP);
    cr_assert_eq(parsed.l3_offset, ip);
    cr_assert_arr_eq(answer + ASZ_ETH_TYPE, request + ASZ_ETH_TYPE, ip - ASZ_ETH_TYPE);
    cr_assert_arr_eq(asz_frame_src_ipv6(&parsed, answer), ours, 16);
    cr_assert_arr_eq(asz_frame_dst_ipv6(&parsed, answer), peer, 16);
    cr_assert_eq(parsed.src_port, ASZ_CHALLENGE_PORT);
    cr_assert_eq(parsed.dst_port, PEER_PORT);
    cr_assert_arr_eq(answer + ASZ_ETH_DST, peer_mac, 6);
    cr_assert_arr_eq(answer + parsed.payload_offset, datagram.payload, 128);
  }
  make_udp(ASZ_CHALLENGE_PORT, ASZ_DATAGRAM_MAX_BYTES + 1);
  assert_ends_in(ASZ_REFLECT_DROPPED_LONG);
}

Test(reflect_ipv6, arp_and_ipv4_are_answered_under_their_tag)
{
  asz_wire_arp_write(frame, ASZ_ARP_REQUEST, peer_mac, PEER_IPV4, (const uint8_t[6]){0}, LOCAL_IPV4);
  size = ASZ_ETH_MIN_BYTES;
  put_tag(TAG);
  cr_assert_eq(reply_to(), ASZ_ETH_MIN_BYTES);
  struct asz_arp reply;
  cr_assert_eq(asz_be32_load(frame + ASZ_ETH_TYPE), TAG);
  cr_assert_eq(asz_be16_load(frame + ASZ_ETH_TYPE + ASZ_VLAN_BYTES), ASZ_ETHERTYPE_ARP);
  cr_assert_eq(asz_wire_arp_read(&reply, frame + ASZ_ETH_BYTES + ASZ_VLAN_BYTES, ASZ_ARP_BYTES), 0);
  cr_assert_eq(reply.operation, ASZ_ARP_REPLY);
  cr_assert_eq(reply.sender_ipv4, LOCAL_IPV4);
  cr_assert_arr_eq(frame + ASZ_ETH_DST, peer_mac, 6);

  headers(peer, ours, 0, ASZ_UDP_BYTES + ASZ_STAMP_BYTES);
  asz_wire_eth_write(frame, our_mac, peer_mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(frame + IP_AT, PEER_IPV4, LOCAL_IPV4, ASZ_PROTOCOL_UDP, 61, ASZ_UDP_BYTES + ASZ_STAMP_BYTES);
  asz_wire_udp_write(frame + IP_AT + ASZ_IPV4_BYTES, PEER_PORT, ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
  asz_wire_udp_finish(frame + IP_AT);
  size = IP_AT + ASZ_IPV4_BYTES + ASZ_UDP_BYTES + ASZ_STAMP_BYTES;
  put_tag(TAG);
  const uint32_t replied = reply_to();
  struct asz_frame parsed;
  asz_wire_parse(&parsed, frame, replied, ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(parsed.kind, ASZ_FRAME_UDP);
  cr_assert_eq(asz_be32_load(frame + ASZ_ETH_TYPE), TAG);
  cr_assert_eq(parsed.dst_ipv4, PEER_IPV4);
}

static uint64_t below(struct asz_test_random *random, uint64_t bound) {
  return asz_test_random_next(random) % bound;
}

static uint64_t asked(void) {
  return reflect.counter[ASZ_REFLECT_ASKED_STAMP] + reflect.counter[ASZ_REFLECT_ASKED_ECHO] +
         reflect.counter[ASZ_REFLECT_ASKED_ARP] + reflect.counter[ASZ_REFLECT_ASKED_ND];
}

Test(reflect_ipv6, every_frame_counts_once_and_only_what_asks_is_answered)
{
  struct asz_test_random random = asz_test_random_start(20261125);
  for (unsigned round = 0; round < 20000; round++) {
    uint8_t target[16];
    memcpy(target, ours, 16);
    target[15] = (uint8_t)(8 + below(&random, 24));
    switch (below(&random, 4)) {
    case 0:
      make_udp(below(&random, 2) ? ASZ_STAMP_PORT : ASZ_CHALLENGE_PORT, (uint32_t)below(&random, 300));
      break;
    case 1:
      make_echo((uint32_t)below(&random, 300));
      break;
    case 2:
      make_solicitation(below(&random, 2) ? peer : none, target);
      break;
    default:
      make_advertisement(router, router_mac);
    }
    if (below(&random, 3) == 0)
      put_tag(TAG);
    for (uint64_t flips = below(&random, 4); flips > 0; flips--)
      frame[below(&random, size)] ^= (uint8_t)(1u << below(&random, 8));
    const uint64_t before = asked();
    const uint32_t replied = reply_to();
    cr_assert_eq(replied != 0 || burst.nd_count != 0, asked() != before, "round %u, seed %llu", round,
                 (unsigned long long)random.seed);
  }
  uint64_t sum = 0;
  for (unsigned i = ASZ_REFLECT_ASKED_STAMP; i <= ASZ_REFLECT_DROPPED_LONG; i++)
    sum += reflect.counter[i];
  cr_assert_eq(sum, reflect.counter[ASZ_REFLECT_FRAMES]);
  cr_assert_eq(sum, 20000);
}
