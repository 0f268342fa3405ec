/* SPDX-License-Identifier: Apache-2.0 */
/* The reflector's pure half with the rules that it really runs by: what a hostile neighbour sends is met with silence, and
 * counted. */
#include "control/responder/port_rules.h"

#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/wire.h"
#include "dataplane/reflect.h"
#include "tests/control/responder/fixture.h"

enum {
  PAYLOAD_AT = ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES,
  PAYLOAD6_AT = ASZ_ETH_BYTES + ASZ_IPV6_BYTES + ASZ_UDP_BYTES,
  ROOM = 1600,
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 0xaa}, peer_mac[6] = {2, 0, 0, 0, 0, 0xbb};
static struct fixture fixture;
static struct asz_hmac_lanes *lanes;
static struct asz_port_rules rules;
static struct asz_reflect reflect;
static struct asz_reflect_burst burst;
static struct asz_datagram datagram;
static uint8_t frame[ASZ_REFLECT_BURST][ROOM];

static void begin(uint64_t pps) {
  fixture_make(&fixture, pps);
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  const struct asz_stamp_path path = {
      .authority = fixture.authority, .limiter = fixture.limiter, .lanes = lanes, .plain_allowed = true};
  asz_port_rules_init(&rules, &path);
  const struct asz_reflector_config config = {.local_ipv4 = FIXTURE_LOCAL,
                                              .prefix_bits = 32,
                                              .local_ipv6 = {0x20, 1, 0xd, 0xb8, [15] = 7},
                                              .prefix6_bits = 128,
                                              .stamp_port = ASZ_STAMP_PORT,
                                              .challenge_port = ASZ_CHALLENGE_PORT,
                                              .rules = asz_port_rules_of(&rules)};
  asz_reflect_init(&reflect, our_mac, &config);
}

static void setup(void) {
  begin(1000000);
}

static void teardown(void) {
  fixture_free(&fixture);
  asz_hmac_lanes_free(lanes);
}

TestSuite(port_rules, .init = setup, .fini = teardown);

static uint32_t frame_of(uint8_t *bytes, const struct asz_datagram *from, uint16_t port) {
  uint8_t *ip = bytes + ASZ_ETH_BYTES, *udp = ip + ASZ_IPV4_BYTES;
  asz_wire_eth_write(bytes, our_mac, peer_mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(ip, from->ends.peer.ipv4, from->ends.local.ipv4, ASZ_PROTOCOL_UDP, from->ttl,
                      (uint16_t)(ASZ_UDP_BYTES + from->size_bytes));
  asz_wire_udp_write(udp, from->ends.peer_port, port, (uint16_t)from->size_bytes);
  memcpy(udp + ASZ_UDP_BYTES, from->payload, from->size_bytes);
  asz_wire_udp_finish(ip);
  return PAYLOAD_AT + from->size_bytes;
}

/* The same over IPv6, from host `host` of a /64. */
static uint32_t frame6_of(uint8_t *bytes, const struct asz_datagram *from, uint16_t port, uint8_t network, uint8_t host) {
  uint8_t *ip = bytes + ASZ_ETH_BYTES, *udp = ip + ASZ_IPV6_BYTES;
  const uint8_t src[16] = {0x20, 1, 0xd, 0xb8, [7] = network, [15] = host};
  asz_wire_eth_write(bytes, our_mac, peer_mac, ASZ_ETHERTYPE_IPV6);
  asz_wire_ipv6_write(ip, src, reflect.nd.local_ipv6, ASZ_PROTOCOL_UDP, from->ttl, (uint16_t)(ASZ_UDP_BYTES + from->size_bytes));
  asz_wire_udp_write(udp, from->ends.peer_port, port, (uint16_t)from->size_bytes);
  memcpy(udp + ASZ_UDP_BYTES, from->payload, from->size_bytes);
  asz_wire_udp_finish(ip);
  return PAYLOAD6_AT + from->size_bytes;
}

static void run(unsigned count) {
  burst.count = count;
  for (unsigned i = 0; i < count; i++)
    burst.bytes[i] = frame[i];
  asz_reflect_take(&reflect, &burst, 1);
  asz_reflect_finish(&reflect, &burst, 1700000000000000000u, 1700000000000001000u);
}

static uint32_t reply_to(const struct asz_datagram *asked, uint16_t port) {
  burst.size_bytes[0] = frame_of(frame[0], asked, port);
  run(1);
  return burst.size_bytes[0];
}

static uint64_t counted(enum asz_resp_counter counter) {
  struct asz_resp_counters sum = {0};
  asz_port_rules_add(&rules, &sum);
  return sum.value[counter];
}

static void assert_silent(enum asz_resp_counter counter) {
  const uint64_t before = counted(counter);
  cr_assert_eq(reply_to(&datagram, ASZ_STAMP_PORT), 0, "answered, expected %s", asz_resp_counter_name(counter));
  cr_assert_eq(counted(counter), before + 1, "not counted as %s", asz_resp_counter_name(counter));
}

static void assert_answered(enum asz_resp_counter counter) {
  const uint64_t before = counted(counter);
  cr_assert_eq(reply_to(&datagram, ASZ_STAMP_PORT), PAYLOAD_AT + datagram.size_bytes);
  cr_assert_eq(counted(counter), before + 1);
}

Test(port_rules, every_flipped_bit_of_a_sealed_payload_is_dropped_or_answered_without_keys)
{
  for (unsigned bit = 0; bit < 8 * ASZ_STAMP_TLV_BYTES; bit++) {
    fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
    datagram.payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
    (void)reply_to(&datagram, ASZ_STAMP_PORT);
  }
  cr_assert_eq(counted(ASZ_RESP_ANSWERED_TLV), 0);
  cr_assert_eq(counted(ASZ_RESP_ANSWERED_PLAIN), 8 * 5, "those that name another type or enterprise");
  cr_assert_eq(counted(ASZ_RESP_RX), 8 * ASZ_STAMP_TLV_BYTES);
}

Test(port_rules, short_payload_reflectors_and_strangers_are_met_with_silence)
{
  fixture_plain(&datagram, 1);
  datagram.size_bytes = ASZ_STAMP_BYTES - 1;
  assert_silent(ASZ_RESP_DROPPED_SHORT);
  fixture_plain(&datagram, 1);
  datagram.ends.peer_port = ASZ_STAMP_PORT;
  assert_silent(ASZ_RESP_DROPPED_LOOP);
  fixture_tlv(&fixture, &fixture.stranger, FIXTURE_EPOCH, &datagram);
  assert_silent(ASZ_RESP_DROPPED_UNAUTHORISED);
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  datagram.payload[ASZ_TLV_AT_MAC] ^= 1;
  assert_silent(ASZ_RESP_DROPPED_BAD_MAC);
  rules.path.plain_allowed = false;
  fixture_plain(&datagram, 1);
  assert_silent(ASZ_RESP_DROPPED_PLAIN);
}

Test(port_rules, request_of_an_old_epoch_is_no_request_any_more)
{
  struct asz_datagram old;
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &old);
  for (uint32_t epoch = FIXTURE_EPOCH; epoch < FIXTURE_EPOCH + 3; epoch++) {
    fixture_tlv(&fixture, &fixture.validator, epoch, &datagram);
    assert_answered(ASZ_RESP_ANSWERED_TLV);
  }
  datagram = old;
  assert_silent(ASZ_RESP_DROPPED_STALE_EPOCH);
}

Test(port_rules, source_over_its_rate_gets_neither_stamp_nor_echo_nor_a_challenge)
{
  teardown();
  begin(2);
  fixture_plain(&datagram, 1);
  assert_answered(ASZ_RESP_ANSWERED_PLAIN);
  assert_answered(ASZ_RESP_ANSWERED_PLAIN);
  assert_silent(ASZ_RESP_DROPPED_RATE);

  const struct asz_challenge challenge = fixture_challenge(&fixture, ASZ_KIND_SIG, 1);
  fixture_seal(&fixture, &fixture.validator, &challenge, &datagram);
  (void)reply_to(&datagram, ASZ_CHALLENGE_PORT);
  cr_assert_not(burst.request[0].admitted);
  cr_assert_eq(counted(ASZ_RESP_DROPPED_RATE), 2);

  asz_wire_ipv4_write(frame[0] + ASZ_ETH_BYTES, FIXTURE_PEER, FIXTURE_LOCAL, ASZ_PROTOCOL_ICMP, 64, ASZ_ICMP_BYTES);
  uint8_t *icmp = frame[0] + ASZ_ETH_BYTES + ASZ_IPV4_BYTES;
  memset(icmp, 0, ASZ_ICMP_BYTES);
  icmp[0] = ASZ_ICMP_ECHO_REQUEST;
  asz_wire_icmp_finish(icmp, ASZ_ICMP_BYTES);
  asz_wire_eth_write(frame[0], our_mac, peer_mac, ASZ_ETHERTYPE_IPV4);
  burst.size_bytes[0] = ASZ_ETH_MIN_BYTES;
  run(1);
  cr_assert_eq(burst.size_bytes[0], 0);
  cr_assert_eq(reflect.counter[ASZ_REFLECT_DROPPED_ECHO_RATE], 1);
}

static uint32_t reply6_to(uint8_t network, uint8_t host) {
  burst.size_bytes[0] = frame6_of(frame[0], &datagram, ASZ_STAMP_PORT, network, host);
  run(1);
  return burst.size_bytes[0];
}

Test(port_rules, hosts_of_one_ipv6_network_share_a_rate)
{
  teardown();
  begin(2);
  fixture_plain(&datagram, 1);
  cr_assert_neq(reply6_to(1, 1), 0);
  cr_assert_neq(reply6_to(1, 2), 0);
  cr_assert_eq(reply6_to(1, 3), 0);
  cr_assert_eq(counted(ASZ_RESP_DROPPED_RATE), 1);
  cr_assert_neq(reply6_to(2, 3), 0, "another network");
  assert_answered(ASZ_RESP_ANSWERED_PLAIN);
}

Test(port_rules, genuine_challenge_is_passed_on_and_counted_where_it_is_decided)
{
  const struct asz_challenge challenge = fixture_challenge(&fixture, ASZ_KIND_SEQ, 1);
  fixture_seal(&fixture, &fixture.validator, &challenge, &datagram);
  cr_assert_eq(reply_to(&datagram, ASZ_CHALLENGE_PORT), 0);
  cr_assert_eq(burst.request_count, 1);
  cr_assert(burst.request[0].admitted);
  cr_assert_eq(counted(ASZ_RESP_RX), 0);
}

static void expect_the_same_over_a_socket(enum asz_resp_counter answered_as) {
  struct asz_stamp_grant grant;
  datagram.rx_ns = 1700000000000000000u;
  cr_assert_eq(reply_to(&datagram, ASZ_STAMP_PORT), PAYLOAD_AT + datagram.size_bytes);
  cr_assert_eq(asz_stamp_path_admit(&rules.path, &datagram, 1, &grant), answered_as);
  asz_stamp_path_finish(&datagram, &grant, 1700000000000001000u);
  cr_assert_arr_eq(frame[0] + PAYLOAD_AT, datagram.payload, datagram.size_bytes);
}

static void expect_the_same_over_ipv6(void) {
  cr_assert_eq(reply_to(&datagram, ASZ_STAMP_PORT), PAYLOAD_AT + datagram.size_bytes);
  uint8_t over_ipv4[ROOM];
  memcpy(over_ipv4, frame[0] + PAYLOAD_AT, datagram.size_bytes);
  cr_assert_eq(reply6_to(1, 1), PAYLOAD6_AT + datagram.size_bytes);
  cr_assert_arr_eq(frame[0] + PAYLOAD6_AT, over_ipv4, datagram.size_bytes);
}

Test(port_rules, both_families_get_the_same_reply)
{
  struct asz_hmac_key key;
  fixture_plain(&datagram, 1);
  expect_the_same_over_ipv6();
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  expect_the_same_over_ipv6();
  fixture_auth(&fixture, &fixture.validator, lanes, &datagram, &key);
  expect_the_same_over_ipv6();
}

Test(port_rules, frame_and_socket_make_the_same_reply)
{
  struct asz_hmac_key key;
  fixture_plain(&datagram, 1);
  expect_the_same_over_a_socket(ASZ_RESP_ANSWERED_PLAIN);
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  expect_the_same_over_a_socket(ASZ_RESP_ANSWERED_TLV);
  fixture_auth(&fixture, &fixture.validator, lanes, &datagram, &key);
  expect_the_same_over_a_socket(ASZ_RESP_ANSWERED_AUTH);
}

Test(port_rules, every_flipped_bit_of_an_authenticated_payload_goes_without_an_authenticated_reply)
{
  struct asz_hmac_key key;
  for (unsigned bit = 0; bit < 8 * ASZ_STAMP_AUTH_BYTES; bit++) {
    fixture_auth(&fixture, &fixture.validator, lanes, &datagram, &key);
    datagram.payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
    (void)reply_to(&datagram, ASZ_STAMP_PORT);
  }
  cr_assert_eq(counted(ASZ_RESP_ANSWERED_AUTH), 0);
  cr_assert_eq(counted(ASZ_RESP_ANSWERED_PLAIN), 8 * 12, "those that set what is zero in this mode alone");
  cr_assert_eq(counted(ASZ_RESP_DROPPED_LOOP), 8 * 8, "those that have a receive time");
  cr_assert_eq(counted(ASZ_RESP_DROPPED_BAD_MAC), 8 * (ASZ_STAMP_AUTH_BYTES - 12 - 8));
}

Test(port_rules, authenticated_strangers_and_replies_are_met_with_silence)
{
  struct asz_hmac_key key;
  fixture_auth(&fixture, &fixture.stranger, lanes, &datagram, &key);
  assert_silent(ASZ_RESP_DROPPED_BAD_MAC);
  fixture_auth(&fixture, &fixture.validator, lanes, &datagram, &key);
  assert_answered(ASZ_RESP_ANSWERED_AUTH);
  memcpy(datagram.payload, frame[0] + PAYLOAD_AT, datagram.size_bytes);
  cr_assert(asz_stamp_auth_verify(lanes, &key, datagram.payload));
  assert_silent(ASZ_RESP_DROPPED_LOOP);
}

/* Good and bad ones in one burst: sessions, requests and frames must not be mixed up. */
Test(port_rules, full_burst_of_all_sorts_gets_each_its_own)
{
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, FIXTURE_EPOCH);
  struct asz_hmac_key key;
  for (unsigned i = 0; i < ASZ_REFLECT_BURST; i++) {
    if (i % 3 == 0)
      fixture_plain(&datagram, i);
    else if (i % 12 == 1)
      fixture_auth(&fixture, &fixture.validator, lanes, &datagram, &key);
    else
      fixture_tlv(&fixture, i % 3 == 1 ? &fixture.validator : &fixture.stranger, FIXTURE_EPOCH, &datagram);
    burst.size_bytes[i] = frame_of(frame[i], &datagram, i % 7 == 6 ? 9 : ASZ_STAMP_PORT);
  }
  run(ASZ_REFLECT_BURST);
  for (unsigned i = 0; i < ASZ_REFLECT_BURST; i++) {
    const uint8_t *reply = frame[i] + PAYLOAD_AT;
    if (i % 7 == 6 || i % 3 == 2)
      cr_assert_eq(burst.size_bytes[i], 0, "frame %u", i);
    else if (i % 3 == 0)
      cr_assert_eq(asz_be32_load(reply + ASZ_STAMP_SENDER_SEQ), i, "frame %u", i);
    else if (i % 12 == 1)
      cr_assert(asz_stamp_auth_verify(lanes, &key, reply), "frame %u", i);
    else
      cr_assert(asz_mac_check(reply + ASZ_TLV_AT_MAC, session.reply_key, reply, ASZ_TLV_AT_MAC), "frame %u", i);
  }
}
