/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in, replies out, without DPDK. The rules here admit what the test tells them to; the real ones have their own test. */
#include "dataplane/reflect.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "tests/random.h"

enum {
  LOCAL = 0x0a4d0010, /* 10.77.0.16/28 */
  PEER = 0x0a000001,
  PEER_PORT = 50000,
  ROOM = 2048,
  IP_AT = ASZ_ETH_BYTES,
  L4_AT = IP_AT + ASZ_IPV4_BYTES,
  PAYLOAD_AT = L4_AT + ASZ_UDP_BYTES,
  STAMP_FRAME = PAYLOAD_AT + ASZ_STAMP_BYTES,
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 0xaa}, peer_mac[6] = {2, 0, 0, 0, 0, 0xbb};
static struct asz_reflect reflect;
static struct asz_reflect_burst burst;
static uint8_t frame[ROOM], request[ROOM];
static uint32_t size;
static bool refuse;

static void admit(void *self, struct asz_reflect_request *asked, unsigned count, uint64_t now_ns) {
  for (unsigned i = 0; i < count; i++)
    asked[i].admitted = !refuse;
}

/* Every byte of a reply differs from its request, as far as this test is concerned. */
static void finish(void *self, struct asz_reflect_request *asked, unsigned count, uint64_t t2_ns, uint64_t t3_ns) {
  for (unsigned i = 0; i < count; i++)
    for (uint32_t k = 0; asked[i].admitted && asked[i].kind == ASZ_REFLECT_KIND_STAMP && k < asked[i].payload_bytes; k++)
      asked[i].payload[k] ^= 0x5a;
}

static void setup(void) {
  refuse = false;
  const struct asz_reflector_config config = {.local_ipv4 = LOCAL,
                                              .prefix_bits = 28,
                                              .prefix6_bits = 128,
                                              .stamp_port = ASZ_STAMP_PORT,
                                              .challenge_port = ASZ_CHALLENGE_PORT,
                                              .rules = {.admit = admit, .finish = finish}};
  asz_reflect_init(&reflect, our_mac, &config);
}

TestSuite(reflect, .init = setup);

static void fill(uint32_t payload_bytes) {
  for (uint32_t i = 0; i < payload_bytes; i++)
    frame[PAYLOAD_AT + i] = (uint8_t)(7 * i + 3);
}

static void make_udp(uint16_t port, uint32_t payload_bytes) {
  memset(frame, 0xee, sizeof frame);
  fill(payload_bytes);
  asz_wire_eth_write(frame, our_mac, peer_mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(frame + IP_AT, PEER, LOCAL, ASZ_PROTOCOL_UDP, 61, (uint16_t)(ASZ_UDP_BYTES + payload_bytes));
  asz_wire_udp_write(frame + L4_AT, PEER_PORT, port, (uint16_t)payload_bytes);
  asz_wire_udp_finish(frame + IP_AT);
  size = PAYLOAD_AT + payload_bytes;
}

static void make_stamp(void) {
  make_udp(ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
}

static void make_echo(uint32_t payload_bytes) {
  memset(frame, 0xee, sizeof frame);
  fill(payload_bytes);
  asz_wire_eth_write(frame, our_mac, peer_mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(frame + IP_AT, PEER, LOCAL + 3, ASZ_PROTOCOL_ICMP, 61, (uint16_t)(ASZ_ICMP_BYTES + payload_bytes));
  memset(frame + L4_AT, 0, ASZ_ICMP_BYTES);
  frame[L4_AT] = ASZ_ICMP_ECHO_REQUEST;
  asz_be32_store(frame + L4_AT + 4, 0x12340001);
  asz_wire_icmp_finish(frame + L4_AT, ASZ_ICMP_BYTES + payload_bytes);
  size = PAYLOAD_AT + payload_bytes;
}

static void make_arp(uint32_t target) {
  asz_wire_arp_write(frame, ASZ_ARP_REQUEST, peer_mac, PEER, (const uint8_t[6]){0}, target);
  size = ASZ_ETH_MIN_BYTES;
}

/* The IPv4 header's checksum and the UDP one anew, after a change that is to be found by something else. */
static void seal(void) {
  asz_be16_store(frame + IP_AT + ASZ_IPV4_CHECKSUM, 0);
  asz_be16_store(frame + IP_AT + ASZ_IPV4_CHECKSUM,
                 asz_wire_fold(asz_wire_sum(0, frame + IP_AT, (size_t)(frame[IP_AT] & 0xf) * 4)));
  if (frame[IP_AT + ASZ_IPV4_PROTOCOL] == ASZ_PROTOCOL_UDP && frame[IP_AT] == 0x45)
    asz_wire_udp_finish(frame + IP_AT);
}

/* The reply's size; 0: silence. The frame stands in memory of exactly its size, so that a sanitizer sees every step past it. */
static uint32_t reply_to(void) {
  memcpy(request, frame, sizeof request);
  uint8_t *exact = malloc(size ? size : 1);
  cr_assert_not_null(exact);
  memcpy(exact, frame, size);
  burst.count = 1;
  burst.bytes[0] = exact;
  burst.size_bytes[0] = size;
  asz_reflect_take(&reflect, &burst, 1);
  asz_reflect_finish(&reflect, &burst, 10, 20);
  cr_assert_leq(burst.size_bytes[0], size, "a reply of %u bytes to a frame of %u", burst.size_bytes[0], size);
  memcpy(frame, exact, size);
  free(exact);
  return burst.size_bytes[0];
}

static void assert_dropped(enum asz_reflect_counter counter) {
  const uint64_t before = reflect.counter[counter];
  const uint32_t replied = reply_to();
  cr_assert_eq(replied, 0, "answered, expected %s", asz_reflect_counter_name(counter));
  cr_assert_eq(reflect.counter[counter], before + 1, "not counted as %s", asz_reflect_counter_name(counter));
}

static void assert_good_reply(uint32_t replied) {
  struct asz_frame reply;
  asz_wire_parse(&reply, frame, replied, ASZ_WIRE_CHECK_ALL);
  cr_assert(reply.kind == ASZ_FRAME_UDP || reply.kind == ASZ_FRAME_ICMP, "kind %d", (int)reply.kind);
  cr_assert_eq(reply.dst_ipv4, asz_be32_load(request + IP_AT + ASZ_IPV4_SRC));
  cr_assert_eq(reply.src_ipv4, asz_be32_load(request + IP_AT + ASZ_IPV4_DST));
  cr_assert_arr_eq(frame + ASZ_ETH_DST, request + ASZ_ETH_SRC, 6);
  cr_assert_arr_eq(frame + ASZ_ETH_SRC, our_mac, 6);
}

Test(reflect, every_truncation_of_a_request_is_met_with_silence)
{
  for (uint32_t cut = 0; cut < STAMP_FRAME; cut++) {
    make_stamp();
    size = cut;
    assert_dropped(ASZ_REFLECT_DROPPED_MALFORMED);
    make_echo(44);
    size = cut;
    assert_dropped(ASZ_REFLECT_DROPPED_MALFORMED);
  }
  for (uint32_t cut = 0; cut < ASZ_ETH_BYTES + ASZ_ARP_BYTES; cut++) {
    make_arp(LOCAL);
    size = cut;
    const uint32_t replied = reply_to();
    cr_assert_eq(replied, 0, "an ARP request of %u bytes was answered", cut);
  }
}

Test(reflect, every_flipped_bit_behind_ethernet_is_met_with_silence)
{
  for (unsigned bit = 8 * ASZ_ETH_BYTES; bit < 8 * STAMP_FRAME; bit++) {
    make_stamp();
    frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
    const uint32_t replied = reply_to();
    cr_assert_eq(replied, 0, "bit %u", bit);
  }
}

Test(reflect, flipped_bit_of_ethernet_is_answered_only_in_the_source_address)
{
  for (unsigned bit = 0; bit < 8 * ASZ_ETH_BYTES; bit++) {
    make_stamp();
    frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
    const bool source = bit / 8 >= ASZ_ETH_SRC && bit / 8 < ASZ_ETH_TYPE, group = bit == 8 * ASZ_ETH_SRC;
    cr_assert_eq(reply_to() != 0, source && !group, "bit %u", bit);
  }
}

static void tag(uint32_t bytes) {
  memmove(frame + ASZ_ETH_TYPE + 4, frame + ASZ_ETH_TYPE, size - ASZ_ETH_TYPE);
  asz_be32_store(frame + ASZ_ETH_TYPE, bytes);
  size += 4;
}

Test(reflect, fragments_options_and_more_than_one_tag_are_dropped_by_name)
{
  make_stamp();
  asz_be16_store(frame + IP_AT + ASZ_IPV4_FRAGMENT, 0x2000);
  seal();
  assert_dropped(ASZ_REFLECT_DROPPED_FRAGMENT);
  make_stamp();
  asz_be16_store(frame + IP_AT + ASZ_IPV4_FRAGMENT, 1);
  seal();
  assert_dropped(ASZ_REFLECT_DROPPED_FRAGMENT);

  make_stamp(); /* a header of six words; the UDP header moves behind it, without a checksum */
  memmove(frame + L4_AT + 4, frame + L4_AT, size - L4_AT);
  memset(frame + L4_AT, 1, 4);
  asz_be16_store(frame + L4_AT + 4 + ASZ_UDP_CHECKSUM, 0);
  frame[IP_AT] = 0x46;
  asz_be16_store(frame + IP_AT + ASZ_IPV4_TOTAL_LENGTH, (uint16_t)(size + 4 - IP_AT));
  size += 4;
  seal();
  assert_dropped(ASZ_REFLECT_DROPPED_OPTIONS);

  make_stamp(); /* two tags, and one of 802.1ad */
  tag(0x81000007);
  tag(0x81000008);
  assert_dropped(ASZ_REFLECT_DROPPED_TAGGED);
  make_stamp();
  tag(0x88a80007);
  assert_dropped(ASZ_REFLECT_DROPPED_TAGGED);
}

Test(reflect, group_addresses_and_those_of_others_are_dropped_by_name)
{
  make_stamp();
  memset(frame + ASZ_ETH_DST, 0xff, 6);
  assert_dropped(ASZ_REFLECT_DROPPED_GROUP);
  make_stamp();
  frame[ASZ_ETH_DST + 5] ^= 1;
  assert_dropped(ASZ_REFLECT_DROPPED_NOT_OURS);
  make_stamp();
  frame[ASZ_ETH_SRC] |= 1;
  assert_dropped(ASZ_REFLECT_DROPPED_SOURCE);
  const uint32_t others[] = {LOCAL - 1, LOCAL + 16, 0xffffffff, 0xe0000001};
  for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
    make_stamp();
    asz_be32_store(frame + IP_AT + ASZ_IPV4_DST, others[i]);
    seal();
    assert_dropped(ASZ_REFLECT_DROPPED_NOT_OURS);
  }
  const uint32_t nobody[] = {0, 0x00ffffff, 0x7f000001, 0xe0000001, 0xffffffff, LOCAL, LOCAL + 15};
  for (unsigned i = 0; i < sizeof nobody / sizeof nobody[0]; i++) {
    make_stamp();
    asz_be32_store(frame + IP_AT + ASZ_IPV4_SRC, nobody[i]);
    seal();
    assert_dropped(ASZ_REFLECT_DROPPED_SOURCE);
  }
}

Test(reflect, other_ports_protocols_and_long_challenges_are_dropped_by_name)
{
  make_udp(ASZ_STAMP_PORT + 1, ASZ_STAMP_BYTES);
  assert_dropped(ASZ_REFLECT_DROPPED_NOT_OURS);
  make_udp(ASZ_CHALLENGE_PORT, ASZ_DATAGRAM_MAX_BYTES + 1);
  assert_dropped(ASZ_REFLECT_DROPPED_LONG);
  make_stamp();
  frame[IP_AT + ASZ_IPV4_PROTOCOL] = 132; /* SCTP */
  seal();
  assert_dropped(ASZ_REFLECT_DROPPED_NOT_OURS);
  make_stamp();
  frame[IP_AT + ASZ_IPV4_PROTOCOL] = ASZ_PROTOCOL_TCP;
  frame[L4_AT + 12] = 5 << 4; /* data offset: no options */
  seal();
  asz_wire_tcp_finish(frame + IP_AT);
  assert_dropped(ASZ_REFLECT_DROPPED_NOT_OURS);
  make_stamp();
  asz_be16_store(frame + ASZ_ETH_TYPE, ASZ_ETHERTYPE_IPV6);
  assert_dropped(ASZ_REFLECT_DROPPED_IPV6);
  make_echo(8);
  frame[L4_AT] = ASZ_ICMP_ECHO_REPLY;
  asz_wire_icmp_finish(frame + L4_AT, ASZ_ICMP_BYTES + 8);
  assert_dropped(ASZ_REFLECT_DROPPED_NOT_OURS);
  make_stamp();
  frame[PAYLOAD_AT] ^= 1;
  assert_dropped(ASZ_REFLECT_DROPPED_CHECKSUM);
}

Test(reflect, what_the_rules_refuse_is_met_with_silence)
{
  refuse = true;
  make_stamp();
  cr_assert_eq(reply_to(), 0);
  cr_assert_eq(reflect.counter[ASZ_REFLECT_ASKED_STAMP], 1);
  make_echo(16);
  assert_dropped(ASZ_REFLECT_DROPPED_ECHO_RATE);
}

Test(reflect, arp_is_answered_for_every_address_of_the_prefix_and_no_other)
{
  for (uint32_t target = LOCAL - 2; target < LOCAL + 18; target++) {
    make_arp(target);
    const uint32_t replied = reply_to();
    cr_assert_eq(replied != 0, target >= LOCAL && target < LOCAL + 16, "%08x", target);
    if (replied == 0)
      continue;
    struct asz_arp reply;
    cr_assert_eq(asz_wire_arp_read(&reply, frame + ASZ_ETH_BYTES, replied - ASZ_ETH_BYTES), 0);
    cr_assert_eq(reply.operation, ASZ_ARP_REPLY);
    cr_assert_eq(reply.sender_ipv4, target);
    cr_assert_arr_eq(reply.sender_mac, our_mac, 6);
    cr_assert_arr_eq(frame + ASZ_ETH_DST, peer_mac, 6);
  }
  make_arp(LOCAL);
  asz_be16_store(frame + ASZ_ETH_BYTES + 6, ASZ_ARP_REPLY);
  assert_dropped(ASZ_REFLECT_DROPPED_NOT_OURS);
  make_arp(LOCAL);
  frame[ASZ_ETH_BYTES + 4] = 8;
  assert_dropped(ASZ_REFLECT_DROPPED_MALFORMED);
  make_arp(LOCAL);
  frame[ASZ_ETH_BYTES + 8] |= 1;
  assert_dropped(ASZ_REFLECT_DROPPED_SOURCE);
}

Test(reflect, stamp_reply_turns_every_header_and_has_right_checksums)
{
  for (uint32_t payload = 0; payload <= 1472; payload += payload < 130 ? 1 : 61) {
    make_udp(ASZ_STAMP_PORT, payload);
    const uint32_t replied = reply_to();
    cr_assert_eq(replied, size);
    assert_good_reply(replied);
    cr_assert_eq(asz_be16_load(frame + L4_AT + ASZ_UDP_SRC), ASZ_STAMP_PORT);
    cr_assert_eq(asz_be16_load(frame + L4_AT + ASZ_UDP_DST), PEER_PORT);
    for (uint32_t i = 0; i < payload; i++)
      cr_assert_eq(frame[PAYLOAD_AT + i], request[PAYLOAD_AT + i] ^ 0x5a);
  }
}

Test(reflect, request_without_a_udp_checksum_gets_a_reply_with_one)
{
  make_stamp();
  asz_be16_store(frame + L4_AT + ASZ_UDP_CHECKSUM, 0);
  assert_good_reply(reply_to());
  cr_assert_neq(asz_be16_load(frame + L4_AT + ASZ_UDP_CHECKSUM), 0);
}

Test(reflect, padding_and_surplus_of_a_request_do_not_come_back)
{
  make_udp(ASZ_STAMP_PORT, ASZ_STAMP_BYTES); /* 10 bytes behind UDP, within IPv4; 20 more behind IPv4 */
  asz_be16_store(frame + IP_AT + ASZ_IPV4_TOTAL_LENGTH, (uint16_t)(size - IP_AT + 10));
  size += 30;
  seal();
  cr_assert_eq(reply_to(), STAMP_FRAME);
  assert_good_reply(STAMP_FRAME);
  make_echo(0); /* a short frame, padded with 0xee */
  size = ASZ_ETH_MIN_BYTES;
  cr_assert_eq(reply_to(), ASZ_ETH_MIN_BYTES);
  for (uint32_t i = PAYLOAD_AT; i < ASZ_ETH_MIN_BYTES; i++)
    cr_assert_eq(frame[i], 0, "byte %u of the padding came back", i);
}

Test(reflect, echo_reply_is_the_request_with_another_type_and_a_right_checksum)
{
  for (uint32_t payload = 0; payload <= 1472; payload += payload < 70 ? 1 : 59) {
    make_echo(payload);
    const uint32_t replied = reply_to();
    cr_assert_eq(replied, size);
    assert_good_reply(replied);
    cr_assert_eq(frame[L4_AT], ASZ_ICMP_ECHO_REPLY);
    cr_assert_arr_eq(frame + L4_AT + 4, request + L4_AT + 4, 4 + payload);
  }
  for (uint32_t word = 0; word < 65536; word++) { /* every checksum there is */
    make_echo(2);
    asz_be16_store(frame + PAYLOAD_AT, (uint16_t)word);
    asz_wire_icmp_finish(frame + L4_AT, ASZ_ICMP_BYTES + 2);
    const uint32_t replied = reply_to();
    struct asz_frame reply;
    asz_wire_parse(&reply, frame, replied, ASZ_WIRE_CHECK_ALL);
    cr_assert_eq(reply.kind, ASZ_FRAME_ICMP, "payload %04x", word);
  }
}

Test(reflect, echo_of_nothing_but_zeros_has_a_right_checksum)
{
  make_echo(8);
  memset(frame + L4_AT + 4, 0, 12);
  asz_wire_icmp_finish(frame + L4_AT, ASZ_ICMP_BYTES + 8);
  assert_good_reply(reply_to());
  cr_assert_eq(asz_be16_load(frame + L4_AT + 2), 0xffff);
}

Test(reflect, challenge_leaves_as_a_datagram_and_its_answer_as_a_frame_to_who_asked)
{
  make_udp(ASZ_CHALLENGE_PORT, 128);
  cr_assert_eq(reply_to(), 0, "the loop answers no challenge");
  burst.bytes[0] = request; /* the copy of the test is gone */
  burst.size_bytes[0] = size;
  asz_reflect_take(&reflect, &burst, 1);
  cr_assert_eq(burst.request_count, 1);
  cr_assert(burst.request[0].admitted);
  struct asz_reflector_datagram datagram;
  asz_reflect_challenge(&burst, 0, 77, &datagram);
  cr_assert_eq(datagram.rx_ns, 77);
  cr_assert_eq(datagram.size_bytes, 128);
  cr_assert_eq(datagram.ttl, 61);
  cr_assert_arr_eq(datagram.payload, request + PAYLOAD_AT, 128);

  uint8_t answer[ASZ_REFLECT_ANSWER_MAX];
  const uint32_t answer_bytes = asz_reflect_answer(&reflect, &datagram, answer);
  struct asz_frame parsed;
  asz_wire_parse(&parsed, answer, answer_bytes, ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(parsed.kind, ASZ_FRAME_UDP);
  cr_assert_eq(parsed.src_ipv4, LOCAL);
  cr_assert_eq(parsed.dst_ipv4, PEER);
  cr_assert_eq(parsed.src_port, ASZ_CHALLENGE_PORT);
  cr_assert_eq(parsed.dst_port, PEER_PORT);
  cr_assert_arr_eq(answer + ASZ_ETH_DST, peer_mac, 6);
  cr_assert_arr_eq(answer + PAYLOAD_AT, datagram.payload, 128);
}

static uint64_t below(struct asz_test_random *random, uint64_t bound) {
  return asz_test_random_next(random) % bound;
}

static uint64_t asked(void) {
  return reflect.counter[ASZ_REFLECT_ASKED_STAMP] + reflect.counter[ASZ_REFLECT_ASKED_ECHO] +
         reflect.counter[ASZ_REFLECT_ASKED_ARP];
}

Test(reflect, every_frame_counts_once_and_only_what_asks_is_answered)
{
  struct asz_test_random random = asz_test_random_start(20261125);
  for (unsigned round = 0; round < 20000; round++) {
    switch (below(&random, 3)) {
    case 0:
      make_udp(below(&random, 2) ? ASZ_STAMP_PORT : ASZ_CHALLENGE_PORT, (uint32_t)below(&random, 300));
      break;
    case 1:
      make_echo((uint32_t)below(&random, 300));
      break;
    default:
      make_arp(LOCAL + (uint32_t)below(&random, 20));
    }
    for (uint64_t flips = below(&random, 4); flips > 0; flips--)
      frame[below(&random, size)] ^= (uint8_t)(1u << below(&random, 8));
    const uint64_t before = asked();
    const uint32_t replied = reply_to();
    cr_assert_eq(replied != 0, asked() != before, "round %u, seed %llu", round, (unsigned long long)random.seed);
  }
  uint64_t sum = 0;
  for (unsigned i = ASZ_REFLECT_ASKED_STAMP; i <= ASZ_REFLECT_DROPPED_LONG; i++)
    sum += reflect.counter[i];
  cr_assert_eq(sum, reflect.counter[ASZ_REFLECT_FRAMES]);
  cr_assert_eq(sum, 20000);
}
