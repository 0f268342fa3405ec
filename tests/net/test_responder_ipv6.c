/* SPDX-License-Identifier: Apache-2.0 */
/* assize-responder over IPv6 behind a real network path: two namespaces, a veth pair, a whole /112 of addresses that no interface
 * has (AnyIP), link-local addresses, a multicast group, the standard ports. */
#include <criterion/criterion.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "tests/control/responder/process.h"
#include "tests/net/netns.h"

enum { ADDRESSES = 64, HOP_LIMIT = 37 };

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
  netns_pair_make(&net, "validator0", NULL, "provider0", NULL);
  netns_ip_ok(net.left, "address", "add", "fd00:99::1/64", "dev", "validator0", "nodad");
  netns_ip_ok(net.right, "address", "add", "fd00:99::2/64", "dev", "provider0", "nodad");
  netns_ip_ok(net.left, "address", "add", "fe80::1/64", "dev", "validator0", "nodad");
  netns_ip_ok(net.right, "address", "add", "fe80::2/64", "dev", "provider0", "nodad");
  netns_ip_ok(net.left, "-6", "route", "add", "2001:db8:77::/112", "via", "fd00:99::2");
  netns_ip_ok(net.right, "-6", "route", "add", "local", "2001:db8:77::/112", "dev", "lo");
  netns_enter(net.left);
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

TestSuite(responder_net_ipv6, .init = setup, .fini = teardown, .timeout = 60);

static void run(void) {
  process_run(&process, &fixture, net.right,
              (const char *const[]){"--port", "862", "--challenge-port", "8620", "--user", "nobody", NULL});
}

static void end(void) {
  process_end_well(&process, SIGTERM);
}

static struct asz_address host(uint16_t number) {
  struct asz_address address = address_of("2001:db8:77::");
  asz_be16_store(address.ipv6 + 14, number);
  return address;
}

static void ask(const struct asz_address *to, uint16_t port) {
  client_ask_at(client, to, 0, port, &request, &reply);
}

Test(responder_net_ipv6, multicast_is_not_answered)
{
  run();
  const struct asz_address all_nodes = address_of("ff02::1"), provider = address_of("fd00:99::2");
  fixture_plain(&request, 1);
  client_send_to(client, &all_nodes, if_nametoindex("validator0"), ASZ_STAMP_PORT, &request);
  fixture_plain(&request, 2);
  ask(&provider, ASZ_STAMP_PORT);
  cr_assert_eq(asz_be32_load(reply.payload), 2);
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_BROADCAST), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_SEND_FAILED), 0);
}

Test(responder_net_ipv6, datagram_without_a_checksum_never_comes_to_us)
{
  run();
  const int on = 1;
  const struct asz_address provider = address_of("fd00:99::2");
  cr_assert_eq(setsockopt(client, IPPROTO_UDP, 101 /* UDP_NO_CHECK6_TX */, &on, sizeof on), 0);
  fixture_plain(&request, 1);
  client_send_to(client, &provider, 0, ASZ_STAMP_PORT, &request);
  const int off = 0;
  cr_assert_eq(setsockopt(client, IPPROTO_UDP, 101, &off, sizeof off), 0);
  fixture_plain(&request, 2);
  ask(&provider, ASZ_STAMP_PORT);
  cr_assert_eq(asz_be32_load(reply.payload), 2);
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_RX), 1);
}

Test(responder_net_ipv6, every_address_of_a_prefix_answers_stamp_in_all_its_modes)
{
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, FIXTURE_EPOCH);
  struct asz_hmac_lanes *lanes;
  struct asz_hmac_key key;
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  run();
  const int hops = HOP_LIMIT;
  cr_assert_eq(setsockopt(client, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops), 0);
  for (uint16_t i = 0; i < ADDRESSES; i++) {
    const struct asz_address to = host(i);
    fixture_plain(&request, i);
    ask(&to, ASZ_STAMP_PORT);
    cr_assert_eq(asz_be32_load(reply.payload + ASZ_STAMP_SENDER_SEQ), i);
    cr_assert_eq(reply.payload[ASZ_STAMP_SENDER_TTL], HOP_LIMIT);
    fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
    ask(&to, ASZ_STAMP_PORT);
    cr_assert(asz_mac_check(reply.payload + ASZ_TLV_AT_MAC, session.reply_key, reply.payload, ASZ_TLV_AT_MAC));
    fixture_auth(&fixture, &fixture.validator, lanes, &request, &key);
    ask(&to, ASZ_STAMP_PORT);
    cr_assert(asz_stamp_auth_is_reply(reply.payload) && asz_stamp_auth_verify(lanes, &key, reply.payload));
  }
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), ADDRESSES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_TLV), ADDRESSES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_AUTH), ADDRESSES);
  asz_hmac_lanes_free(lanes);
}

Test(responder_net_ipv6, every_address_of_a_prefix_answers_challenges)
{
  run();
  for (uint16_t i = 0; i < ADDRESSES; i++)
    for (unsigned kind = 1; kind <= ASZ_KIND_SINGLE_MAX; kind++) {
      const struct asz_address to = host(i);
      struct asz_challenge challenge = fixture_challenge(&fixture, kind, 1);
      challenge.device = i;
      fixture_seal(&fixture, &fixture.validator, &challenge, &request);
      ask(&to, ASZ_CHALLENGE_PORT);
      fixture_verify_answer(&fixture, &challenge, reply.payload, reply.size_bytes, FIXTURE_CHAIN_RIGHT);
    }
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_CHALLENGES), 2 * ADDRESSES);
}

/* A link-local address means somebody only on its link: the reply has to leave by that one. */
Test(responder_net_ipv6, link_local_addresses_are_answered_on_their_link)
{
  run();
  const struct asz_address provider = address_of("fe80::2"), anybody = address_of("::");
  const uint32_t link = if_nametoindex("validator0");
  const int local = client_open_at(&anybody);
  fixture_plain(&request, 1);
  client_ask_at(local, &provider, link, ASZ_STAMP_PORT, &request, &reply);
  const struct asz_challenge challenge = fixture_challenge(&fixture, ASZ_KIND_SIG, 1);
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  client_ask_at(local, &provider, link, ASZ_CHALLENGE_PORT, &request, &reply);
  close(local);
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_SEND_FAILED), 0);
}
