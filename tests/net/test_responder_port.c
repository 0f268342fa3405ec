/* SPDX-License-Identifier: Apache-2.0 */
/* assize-responder on a DPDK port, behind a real network path: two namespaces and a veth pair whose far end has no address in the
 * kernel, so that every answer, ARP included, is the reflector's. Once over AF_PACKET and once over AF_XDP. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/wire.h"
#include "dataplane/reflector.h"
#include "tests/control/responder/open_fixture.h"
#include "tests/control/responder/process.h"
#include "tests/net/netns.h"

enum { VALIDATOR = 0x0a630001, FIRST = 0x0a630010, ADDRESSES = 16, AFTER_LINK_TRIES = 20 };

#define AF_PACKET_PORT "--vdev=net_af_packet0,iface=provider0"
#define AF_XDP_PORT    "--vdev=net_af_xdp0,iface=provider0"

static struct fixture fixture;
static struct process process;
static struct netns_pair net;
static struct asz_datagram request, reply;
static int client = -1;

/* veth fills in no checksum that a kernel left to its device: these sockets send none, which IPv4 allows. */
static void without_checksum(int fd) {
  const int on = 1;
  cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
}

static void setup(void) {
  const char *why_not = netns_unavailable();
  if (why_not)
    cr_skip_test("%s", why_not);
  fixture_make(&fixture, 1);
  netns_pair_make(&net, "validator0", "10.99.0.1/24", "provider0", NULL);
  netns_enter(net.left);
  client = client_open(VALIDATOR);
  without_checksum(client);
}

static void teardown(void) {
  if (client < 0)
    return;
  close(client);
  netns_pair_close(&net);
  fixture_free(&fixture);
}

TestSuite(responder_port, .init = setup, .fini = teardown, .timeout = 90);

static void run(const char *eal, const char *one_more) {
  const char *const words[] = {"--port",         "862", "--challenge-port", "8620", "--eal",  eal, "--local-ip", "10.99.0.16",
                               "--local-prefix", "28",  "--memory-mib",     "128",  one_more, NULL};
  process_run(&process, &fixture, net.right, words);
}

static void end(int with) {
  process_end_well(&process, with);
}

static uint64_t port_counter(enum asz_reflect_counter counter) {
  return process_counter_named(&process, asz_reflect_counter_name(counter));
}

static void ask_stamp_everywhere(void) {
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, FIXTURE_EPOCH);
  for (uint32_t host = 0; host < ADDRESSES; host++) {
    fixture_plain(&request, host);
    const uint64_t t1 = asz_clock_ntp64(asz_clock_now_ns());
    client_ask(client, FIRST + host, ASZ_STAMP_PORT, &request, &reply);
    const uint64_t t4 = asz_clock_ntp64(asz_clock_now_ns());
    const uint64_t t2 = asz_be64_load(reply.payload + ASZ_STAMP_RX_TIME), t3 = asz_be64_load(reply.payload + ASZ_STAMP_TIME);
    cr_assert_eq(asz_be32_load(reply.payload + ASZ_STAMP_SENDER_SEQ), host);
    /* One machine, one clock: but the reflector's is read by the TSC, which may be some microseconds off. */
    const uint64_t slack = asz_clock_ntp64(1000000) - asz_clock_ntp64(0);
    cr_assert(t1 <= t2 + slack && t2 <= t3 && t3 <= t4 + slack, "T1 %lx T2 %lx T3 %lx T4 %lx", t1, t2, t3, t4);
    fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
    client_ask(client, FIRST + host, ASZ_STAMP_PORT, &request, &reply);
    cr_assert_eq(reply.size_bytes, ASZ_STAMP_TLV_BYTES);
    cr_assert(asz_mac_check(reply.payload + ASZ_TLV_AT_MAC, session.reply_key, reply.payload, ASZ_TLV_AT_MAC));
  }
}

/* Behind strangers' requests: only the genuine one has a reply, under its own key. */
static void ask_authenticated(void) {
  struct asz_hmac_lanes *lanes;
  struct asz_hmac_key key;
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  for (uint32_t host = 0; host < ADDRESSES; host++) {
    fixture_auth(&fixture, &fixture.stranger, lanes, &request, &key);
    client_send(client, FIRST + host, ASZ_STAMP_PORT, &request);
    fixture_auth(&fixture, &fixture.validator, lanes, &request, &key);
    client_ask(client, FIRST + host, ASZ_STAMP_PORT, &request, &reply);
    cr_assert_eq(reply.size_bytes, ASZ_STAMP_AUTH_BYTES);
    cr_assert(asz_stamp_auth_is_reply(reply.payload) && asz_stamp_auth_verify(lanes, &key, reply.payload));
  }
  asz_hmac_lanes_free(lanes);
}

/* New work, then the same again from the cache, bit for bit. */
static void ask_challenges(void) {
  for (unsigned kind = 1; kind <= ASZ_KIND_SINGLE_MAX; kind++) {
    const struct asz_challenge challenge = fixture_challenge(&fixture, kind, 1);
    fixture_seal(&fixture, &fixture.validator, &challenge, &request);
    client_ask(client, FIRST + 3, ASZ_CHALLENGE_PORT, &request, &reply);
    fixture_verify_answer(&fixture, &challenge, reply.payload, reply.size_bytes, FIXTURE_CHAIN_RIGHT);
    const struct asz_datagram first = reply;
    client_ask(client, FIRST + 3, ASZ_CHALLENGE_PORT, &request, &reply);
    cr_assert_eq(reply.size_bytes, first.size_bytes);
    cr_assert_arr_eq(reply.payload, first.payload, first.size_bytes);
  }
}

static void ask_echo(void) {
  const int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  const struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(FIRST + 5)};
  const struct timeval wait = {.tv_sec = PROCESS_WAIT_S};
  uint8_t echo[64] = {ASZ_ICMP_ECHO_REQUEST}, got[256];
  cr_assert_geq(fd, 0);
  cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
  cr_assert_eq(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
  asz_wire_icmp_finish(echo, sizeof echo);
  cr_assert_eq(send(fd, echo, sizeof echo, 0), (ssize_t)sizeof echo);
  cr_assert_eq(recv(fd, got, sizeof got, 0), (ssize_t)(ASZ_IPV4_BYTES + sizeof echo));
  cr_assert_eq(got[ASZ_IPV4_BYTES], ASZ_ICMP_ECHO_REPLY);
  close(fd);
}

static void serves_everything(const char *eal, int end_with) {
  run(eal, NULL);
  ask_stamp_everywhere();
  ask_authenticated();
  ask_challenges();
  ask_echo();
  end(end_with);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), ADDRESSES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_TLV), ADDRESSES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_AUTH), ADDRESSES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_BAD_MAC), ADDRESSES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_CHALLENGES), ASZ_KIND_SINGLE_MAX);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_AGAIN), ASZ_KIND_SINGLE_MAX);
  cr_assert_eq(port_counter(ASZ_REFLECT_SENT_ECHO), 1);
  cr_assert_geq(port_counter(ASZ_REFLECT_ASKED_ARP), ADDRESSES);
  cr_assert_eq(port_counter(ASZ_REFLECT_DROPPED_TX), 0);
}

static void need_af_xdp(void) {
  const int fd = socket(AF_XDP, SOCK_RAW, 0);
  if (fd < 0)
    cr_skip_test("this kernel has no AF_XDP");
  close(fd);
}

Test(responder_port, af_packet_answers_stamp_challenges_echo_and_arp_for_a_prefix)
{ serves_everything(AF_PACKET_PORT, SIGTERM); }

Test(responder_port, af_xdp_answers_stamp_challenges_echo_and_arp_for_a_prefix)
{
  need_af_xdp();
  serves_everything(AF_XDP_PORT, SIGINT);
}

/* HELLO, commit, OPEN, chunks: what one request draws is more than one datagram here. */
Test(responder_port, gemm_is_committed_to_and_opened)
{
  run(AF_PACKET_PORT, "--gemm=tiny");
  open_fixture_hello(&fixture, 0, 1, &request);
  client_ask(client, FIRST + 3, ASZ_CHALLENGE_PORT, &request, &reply);
  const struct asz_welcome welcome = open_fixture_welcome(&fixture, &reply);
  struct asz_challenge challenge = open_fixture_challenge(&fixture, ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  challenge.device = 0;
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  struct asz_datagram answer;
  client_ask(client, FIRST + 3, ASZ_CHALLENGE_PORT, &request, &answer);
  const struct asz_open open = open_fixture_open(&challenge, welcome.token);
  uint8_t blob[FIXTURE_OPENINGS * 584 + 64];
  struct asz_reassembly reassembly;
  asz_reassembly_init(&reassembly, blob, &open);
  open_fixture_seal(&fixture, &open, &request);
  client_send(client, FIRST + 3, ASZ_CHALLENGE_PORT, &request);
  while (!asz_reassembly_complete(&reassembly)) {
    client_receive(client, &reply);
    cr_assert_eq(reply.ends.peer.ipv4, FIRST + 3);
    cr_assert_eq(open_fixture_chunk(&fixture, &open, &reassembly, &reply), 0);
  }
  cr_assert_eq(open_fixture_judge(&fixture, &open, &challenge, &challenge, &answer, blob), FIXTURE_OPENINGS);
  end(SIGTERM);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_WELCOMES), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_OPENINGS), reassembly.chunks);
}

/* Each bad one, then a good one whose reply is the only one: a veth pair keeps order. */
Test(responder_port, hostile_datagrams_are_met_with_silence_and_counted)
{
  run(AF_PACKET_PORT, "--no-plain");
  fixture_plain(&request, 1);
  client_send(client, FIRST, ASZ_STAMP_PORT, &request);
  request.size_bytes = ASZ_STAMP_BYTES - 1;
  client_send(client, FIRST, ASZ_STAMP_PORT, &request);
  client_send(client, FIRST, 9, &request);
  fixture_tlv(&fixture, &fixture.stranger, FIXTURE_EPOCH, &request);
  client_send(client, FIRST, ASZ_STAMP_PORT, &request);
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
  request.payload[ASZ_TLV_AT_NONCE] ^= 1;
  client_send(client, FIRST, ASZ_STAMP_PORT, &request);
  request.size_bytes = 4; /* on the challenge port, cut */
  client_send(client, FIRST, ASZ_CHALLENGE_PORT, &request);
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
  client_ask(client, FIRST, ASZ_STAMP_PORT, &request, &reply);
  cr_assert(client_is_silent(client));
  const struct asz_challenge challenge = fixture_challenge(&fixture, ASZ_KIND_SIG, 1); /* so that the cut one has been seen */
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  client_ask(client, FIRST, ASZ_CHALLENGE_PORT, &request, &reply);
  end(SIGTERM);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_PLAIN), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_SHORT), 2);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_UNAUTHORISED), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_BAD_MAC), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_TLV), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_RX), 7);
}

/* A frame sent while a link comes up may be lost, so this asks again until one is answered. */
static void ask_until_answered(void) {
  const struct timeval wait = {.tv_sec = 1};
  cr_assert_eq(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
  const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(ASZ_STAMP_PORT), .sin_addr.s_addr = htonl(FIRST + 1)};
  fixture_plain(&request, 1);
  for (unsigned i = 0; i < AFTER_LINK_TRIES; i++) {
    (void)sendto(client, request.payload, request.size_bytes, 0, (const struct sockaddr *)&to, sizeof to);
    if (recv(client, reply.payload, sizeof reply.payload, 0) == ASZ_STAMP_BYTES)
      return;
  }
  cr_assert_fail("no reply after the link came up again");
}

static void survives_its_link(const char *eal) {
  run(eal, NULL);
  ask_until_answered();
  for (unsigned i = 0; i < 2; i++) {
    netns_ip_ok(net.right, "link", "set", "provider0", "down");
    netns_ip_ok(net.right, "link", "set", "provider0", "up");
    ask_until_answered();
  }
  netns_ip_ok(net.left, "link", "set", "validator0", "down"); /* the far end: carrier lost */
  netns_ip_ok(net.left, "link", "set", "validator0", "up");
  ask_until_answered();
  end(SIGTERM);
}

Test(responder_port, af_packet_survives_its_link_going_down_and_up)
{ survives_its_link(AF_PACKET_PORT); }

Test(responder_port, af_xdp_survives_its_link_going_down_and_up)
{
  need_af_xdp();
  survives_its_link(AF_XDP_PORT);
}

Test(responder_port, missing_interface_ends_with_code_3_and_says_which)
{
  process_exec(&process, &fixture, net.right,
               (const char *const[]){"run", "--key", "KEY", "--eal", "--vdev=net_af_packet0,iface=nobody0", "--local-ip",
                                     "10.99.0.2", NULL});
  cr_assert_eq(process_end(&process, 0), 3);
  cr_assert_not_null(strstr(process.err, "nobody0"), "%s", process.err);
}
