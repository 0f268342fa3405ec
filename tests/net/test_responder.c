/* SPDX-License-Identifier: Apache-2.0 */
/* assize-responder behind a real network path: two namespaces, a veth pair, a whole /24 of addresses by AnyIP, the standard
 * ports. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/responder/socket.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "tests/control/responder/process.h"
#include "tests/net/netns.h"

enum { VALIDATOR = 0x0a630001, PREFIX = 0x0a4d0000, ADDRESSES = 64 };

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
  netns_pair_make(&net, "validator0", "10.99.0.1/24", "provider0", "10.99.0.2/24");
  netns_ip_ok(net.left, "route", "add", "10.77.0.0/24", "via", "10.99.0.2");
  netns_ip_ok(net.right, "route", "add", "local", "10.77.0.0/24", "dev", "lo");
  netns_enter(net.left);
  client = client_open(VALIDATOR);
}

static void teardown(void) {
  if (client < 0)
    return;
  close(client);
  netns_pair_close(&net);
  fixture_free(&fixture);
}

TestSuite(responder_net, .init = setup, .fini = teardown, .timeout = 60);

static void run(void) {
  const char *const standard_ports[] = {"--port", "862", "--challenge-port", "8620", "--user", "nobody", NULL};
  process_run(&process, &fixture, net.right, standard_ports);
}

static void end(void) {
  process_end_well(&process, SIGTERM);
}

Test(responder_net, ordinary_user_is_told_what_to_do_about_port_862)
{
  cr_assert_eq(setuid(65534), 0);
  const struct asz_address everywhere = asz_address_ipv4(0);
  struct asz_udp *udp = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_udp_open(&udp, &everywhere, ASZ_STAMP_PORT, &diag), ASZ_EPERM);
  cr_assert_null(udp);
  cr_assert_not_null(strstr(diag.text, "setcap"), "%s", diag.text);
}

Test(responder_net, root_is_given_up_once_the_ports_are_open)
{
  run();
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/status", (int)process.pid);
  FILE *status = fopen(path, "re");
  cr_assert_not_null(status);
  unsigned real = 0, effective = 0;
  while (fgets(line, sizeof line, status))
    (void)!sscanf(line, "Uid: %u %u", &real, &effective);
  fclose(status);
  cr_assert(real != 0 && effective != 0, "uid %u, effective %u", real, effective);
  end();
}

Test(responder_net, directed_broadcast_is_not_answered)
{
  run();
  const int on = 1;
  cr_assert_eq(setsockopt(client, SOL_SOCKET, SO_BROADCAST, &on, sizeof on), 0);
  fixture_plain(&request, 1);
  client_send(client, 0x0a6300ff, ASZ_STAMP_PORT, &request);
  fixture_plain(&request, 2);
  client_ask(client, 0x0a630002, ASZ_STAMP_PORT, &request, &reply);
  cr_assert_eq(asz_be32_load(reply.payload), 2);
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_BROADCAST), 1);
}

Test(responder_net, every_address_of_a_prefix_answers_stamp_with_and_without_our_tlv)
{
  run();
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, FIXTURE_EPOCH);
  for (uint32_t host = 0; host < ADDRESSES; host++) {
    fixture_plain(&request, host);
    client_ask(client, PREFIX + host, ASZ_STAMP_PORT, &request, &reply);
    cr_assert_eq(asz_be32_load(reply.payload + ASZ_STAMP_SENDER_SEQ), host);
    fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
    client_ask(client, PREFIX + host, ASZ_STAMP_PORT, &request, &reply);
    cr_assert_eq(reply.size_bytes, ASZ_STAMP_TLV_BYTES);
    cr_assert(asz_mac_check(reply.payload + ASZ_TLV_AT_MAC, session.reply_key, reply.payload, ASZ_TLV_AT_MAC));
  }
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), ADDRESSES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_TLV), ADDRESSES);
}

Test(responder_net, every_address_of_a_prefix_answers_challenges)
{
  run();
  for (uint32_t host = 0; host < ADDRESSES; host++)
    for (unsigned kind = 1; kind <= ASZ_KIND_SINGLE_MAX; kind++) {
      struct asz_challenge challenge = fixture_challenge(&fixture, kind, 1);
      challenge.device = host;
      fixture_seal(&fixture, &fixture.validator, &challenge, &request);
      client_ask(client, PREFIX + host, ASZ_CHALLENGE_PORT, &request, &reply);
      fixture_verify_answer(&fixture, &challenge, reply.payload, reply.size_bytes, FIXTURE_CHAIN_RIGHT);
    }
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_CHALLENGES), 2 * ADDRESSES);
}
