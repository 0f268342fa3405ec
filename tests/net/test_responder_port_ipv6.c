/* SPDX-License-Identifier: Apache-2.0 */
/* assize-responder on a DPDK port over IPv6, asked by this kernel over a veth pair whose far end has no address: every answer,
 * neighbour discovery included, is the reflector's. With and without an 802.1Q tag. */
#include <criterion/criterion.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/reflector.h"
#include "tests/control/responder/process.h"
#include "tests/net/netns.h"

enum { ADDRESSES = 16 };

#define AF_PACKET_PORT "--vdev=net_af_packet0,iface=provider0"
#define AF_XDP_PORT    "--vdev=net_af_xdp0,iface=provider0"

static struct fixture fixture;
static struct process process;
static struct netns_pair net;
static struct asz_datagram request, reply;
static int client = -1;

static void setup(void) {
  const char *why_not = netns_unavailable();
  if (why_not)
    cr_skip_test("%s", why_not);
  fixture_make(&fixture, 1);
  netns_pair_make(&net, "validator0", "10.99.0.1/24", "provider0", NULL);
  netns_ip_ok(net.left, "address", "add", "fd00:99::1/64", "dev", "validator0", "nodad");
  netns_ip_ok(net.left, "address", "add", "fe80::1/64", "dev", "validator0", "nodad");
  netns_enter(net.left);
  netns_checksums_in_software("validator0");
  const struct asz_address validator = address_of("fd00:99::1");
  client = client_open_at(&validator);
}

static void teardown(void) {
  if (client < 0)
    return;
  close(client);
  netns_pair_close(&net);
  fixture_free(&fixture);
}

TestSuite(responder_port_ipv6, .init = setup, .fini = teardown, .timeout = 90);

/* fd00:99::10 to ::1f, and fe80::1 is asked for. */
static void run(const char *eal) {
  const char *const words[] = {
      "--port",     "862",        "--challenge-port", "8620", "--eal",         eal,       "--local-ip",   "fd00:99::10",
      "--local-ip", "10.99.0.16", "--local-prefix6",  "124",  "--gateway-ip6", "fe80::1", "--memory-mib", "128",
      NULL};
  process_run(&process, &fixture, net.right, words);
}

static void end(void) {
  process_end_well(&process, SIGTERM);
}

static uint64_t port_counter(enum asz_reflect_counter counter) {
  return process_counter_named(&process, asz_reflect_counter_name(counter));
}

static struct asz_address host(uint8_t number) {
  struct asz_address address = address_of("fd00:99::10");
  address.ipv6[15] = (uint8_t)(0x10 + number);
  return address;
}

static void ask(const struct asz_address *to, uint16_t port) {
  client_ask_at(client, to, 0, port, &request, &reply);
}

static void ask_stamp_everywhere(void) {
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, FIXTURE_EPOCH);
  struct asz_hmac_lanes *lanes;
  struct asz_hmac_key key;
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  for (uint8_t i = 0; i < ADDRESSES; i++) {
    const struct asz_address to = host(i);
    fixture_plain(&request, i);
    ask(&to, ASZ_STAMP_PORT);
    cr_assert_eq(asz_be32_load(reply.payload + ASZ_STAMP_SENDER_SEQ), i);
    cr_assert_eq(reply.payload[ASZ_STAMP_SENDER_TTL], 64);
    fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
    ask(&to, ASZ_STAMP_PORT);
    cr_assert(asz_mac_check(reply.payload + ASZ_TLV_AT_MAC, session.reply_key, reply.payload, ASZ_TLV_AT_MAC));
    fixture_auth(&fixture, &fixture.validator, lanes, &request, &key);
    ask(&to, ASZ_STAMP_PORT);
    cr_assert(asz_stamp_auth_is_reply(reply.payload) && asz_stamp_auth_verify(lanes, &key, reply.payload));
  }
  asz_hmac_lanes_free(lanes);
}

/* New work, then the same again from the cache. */
static void ask_challenges(void) {
  const struct asz_address to = host(3);
  for (unsigned kind = 1; kind <= ASZ_KIND_SINGLE_MAX; kind++) {
    const struct asz_challenge challenge = fixture_challenge(&fixture, kind, 1);
    fixture_seal(&fixture, &fixture.validator, &challenge, &request);
    for (unsigned again = 0; again < 2; again++) {
      ask(&to, ASZ_CHALLENGE_PORT);
      fixture_verify_answer(&fixture, &challenge, reply.payload, reply.size_bytes, FIXTURE_CHAIN_RIGHT);
    }
  }
}

static void ask_echo(void) {
  const int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
  struct icmp6_filter replies;
  ICMP6_FILTER_SETBLOCKALL(&replies);
  ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &replies);
  struct sockaddr_in6 to = {.sin6_family = AF_INET6};
  const struct asz_address echoing = host(5);
  memcpy(&to.sin6_addr, echoing.ipv6, sizeof to.sin6_addr);
  const struct timeval wait = {.tv_sec = PROCESS_WAIT_S};
  uint8_t echo[64] = {ICMP6_ECHO_REQUEST, [5] = 7, [63] = 9}, got[256];
  cr_assert_geq(fd, 0);
  cr_assert_eq(setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &replies, sizeof replies), 0);
  cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
  cr_assert_eq(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
  cr_assert_eq(send(fd, echo, sizeof echo, 0), (ssize_t)sizeof echo);
  cr_assert_eq(recv(fd, got, sizeof got, 0), (ssize_t)sizeof echo);
  cr_assert_eq(got[0], ICMP6_ECHO_REPLY);
  cr_assert_arr_eq(got + 4, echo + 4, sizeof echo - 4);
  close(fd);
}

static void serves_everything(const char *eal) {
  run(eal);
  ask_stamp_everywhere();
  ask_challenges();
  ask_echo();
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), ADDRESSES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_TLV), ADDRESSES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_AUTH), ADDRESSES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_CHALLENGES), ASZ_KIND_SINGLE_MAX);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_AGAIN), ASZ_KIND_SINGLE_MAX);
  cr_assert_eq(port_counter(ASZ_REFLECT_SENT_ECHO), 1);
  cr_assert_geq(port_counter(ASZ_REFLECT_ASKED_ND), ADDRESSES - 1, "the first it knows from our question for the gateway");
  cr_assert_geq(port_counter(ASZ_REFLECT_HEARD_ND), 1, "the gateway was asked for and answered");
  cr_assert_eq(port_counter(ASZ_REFLECT_DROPPED_TX), 0);
  cr_assert_eq(port_counter(ASZ_REFLECT_DROPPED_CHECKSUM), 0);
  cr_assert_eq(port_counter(ASZ_REFLECT_DROPPED_IPV6), 0);
}

Test(responder_port_ipv6, af_packet_answers_stamp_challenges_echo_and_solicitations_for_a_prefix)
{ serves_everything(AF_PACKET_PORT); }

Test(responder_port_ipv6, af_xdp_answers_stamp_challenges_echo_and_solicitations_for_a_prefix)
{
  const int fd = socket(AF_XDP, SOCK_RAW, 0);
  if (fd < 0)
    cr_skip_test("this kernel has no AF_XDP");
  close(fd);
  serves_everything(AF_XDP_PORT);
}

/* The kernel tags what it sends by a device on the link; both families, solicitations and ARP included. */
Test(responder_port_ipv6, tagged_requests_are_answered_under_their_tag)
{
  const char *const link[] = {"link", "add", "link", "validator0", "name", "tagged0", "type", "vlan", "id", "100", NULL};
  if (netns_ip(net.left, link) != 0)
    cr_skip_test("this kernel has no 802.1Q devices");
  netns_ip_ok(net.left, "address", "del", "fd00:99::1/64", "dev", "validator0");
  netns_ip_ok(net.left, "address", "del", "10.99.0.1/24", "dev", "validator0");
  netns_ip_ok(net.left, "link", "set", "tagged0", "up");
  netns_ip_ok(net.left, "address", "add", "10.99.0.1/24", "dev", "tagged0");
  netns_ip_ok(net.left, "address", "add", "fd00:99::1/64", "dev", "tagged0", "nodad");
  run(AF_PACKET_PORT);
  ask_stamp_everywhere();
  ask_challenges();
  ask_echo();
  const int ipv4 = client_open(0x0a630001);
  fixture_plain(&request, 4);
  client_ask(ipv4, 0x0a630010, ASZ_STAMP_PORT, &request, &reply);
  close(ipv4);
  end();
  cr_assert_eq(port_counter(ASZ_REFLECT_DROPPED_TAGGED), 0);
  cr_assert_eq(port_counter(ASZ_REFLECT_ASKED_ARP), 1);
}

/* Each bad one, then a good one whose reply is the only one: a veth pair keeps order. */
Test(responder_port_ipv6, hostile_datagrams_are_met_with_silence_and_counted)
{
  run(AF_PACKET_PORT);
  const struct asz_address to = host(0), beside = address_of("fd00:99::10");
  const int on = 1, off = 0;
  fixture_plain(&request, 1);
  ask(&to, ASZ_STAMP_PORT);
  cr_assert_eq(setsockopt(client, IPPROTO_UDP, 101 /* UDP_NO_CHECK6_TX */, &on, sizeof on), 0);
  client_send_to(client, &to, 0, ASZ_STAMP_PORT, &request);
  cr_assert_eq(setsockopt(client, IPPROTO_UDP, 101, &off, sizeof off), 0);
  request.size_bytes = ASZ_STAMP_BYTES - 1;
  client_send_to(client, &to, 0, ASZ_STAMP_PORT, &request);
  client_send_to(client, &beside, 0, 9, &request);
  fixture_plain(&request, 2);
  ask(&to, ASZ_STAMP_PORT);
  cr_assert_eq(asz_be32_load(reply.payload), 2);
  cr_assert(client_is_silent(client));
  end();
  cr_assert_eq(port_counter(ASZ_REFLECT_DROPPED_CHECKSUM), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_SHORT), 1);
  cr_assert_geq(port_counter(ASZ_REFLECT_DROPPED_NOT_OURS), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), 2);
}
