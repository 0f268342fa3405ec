/* SPDX-License-Identifier: Apache-2.0 */
/* The program over ::1, and over both families at once. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "control/responder/socket.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "tests/control/responder/process.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

enum { NO_NETNS = -1, HOP_LIMIT = 64 /* the kernel's own */ };

static struct fixture fixture;
static struct process process;
static struct asz_datagram request, reply;
static struct asz_address loopback[ASZ_FAMILY_COUNT];
static int client[ASZ_FAMILY_COUNT] = {-1, -1};

static bool have_ipv6(void) {
  struct asz_udp *udp = NULL;
  const bool have = asz_udp_open(&udp, &loopback[ASZ_FAMILY_IPV6], 0, NULL) == 0;
  asz_udp_close(udp);
  return have;
}

static void setup(void) {
  loopback[ASZ_FAMILY_IPV4] = address_of("127.0.0.1");
  loopback[ASZ_FAMILY_IPV6] = address_of("::1");
  if (!have_ipv6())
    cr_skip_test("this machine has no ::1");
  fixture_make(&fixture, 1);
  for (unsigned family = 0; family < ASZ_FAMILY_COUNT; family++)
    client[family] = client_open_at(&loopback[family]);
}

static void teardown(void) {
  if (client[ASZ_FAMILY_IPV6] < 0)
    return;
  for (unsigned family = 0; family < ASZ_FAMILY_COUNT; family++)
    close(client[family]);
  fixture_free(&fixture);
}

TestSuite(serve_ipv6, .init = setup, .fini = teardown, .timeout = 60);

static void run(const char *const *extra) {
  process_run(&process, &fixture, NO_NETNS, extra);
}

static void end(void) {
  process_end_well(&process, SIGTERM);
}

static void send_to(enum asz_family family, uint16_t port) {
  client_send_to(client[family], &loopback[family], 0, port, &request);
}

static void ask(enum asz_family family, uint16_t port) {
  client_ask_at(client[family], &loopback[family], 0, port, &request, &reply);
}

static void ask_plain(enum asz_family family, uint32_t seq) {
  fixture_plain(&request, seq);
  ask(family, process.stamp_port);
  cr_assert_eq(asz_be32_load(reply.payload + ASZ_STAMP_SENDER_SEQ), seq, "a bad packet was answered");
}

static bool is_free(enum asz_family family, uint16_t port) {
  struct asz_udp *udp = NULL;
  const int err = asz_udp_open(&udp, &loopback[family], port, NULL);
  asz_udp_close(udp);
  cr_assert(err == 0 || err == ASZ_EEXIST);
  return err == 0;
}

Test(serve_ipv6, address_that_is_not_ours_or_taken_is_refused_by_name)
{
  const struct asz_address nobody = address_of("2001:db8:ffff::1");
  struct asz_udp *udp = NULL, *second = NULL;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_udp_open(&udp, &nobody, 0, &diag), ASZ_EINVAL);
  cr_assert_not_null(strstr(diag.text, "2001:db8:ffff::1"), "%s", diag.text);
  cr_assert_eq(asz_udp_open(&udp, &loopback[ASZ_FAMILY_IPV6], 0, &diag), 0);
  cr_assert_eq(asz_udp_open(&second, &loopback[ASZ_FAMILY_IPV6], asz_udp_port(udp), &diag), ASZ_EEXIST);
  cr_assert_not_null(strstr(diag.text, "::1 is in use"), "%s", diag.text);
  cr_assert_null(second);
  asz_udp_close(udp);
}

Test(serve_ipv6, one_address_opens_its_own_family_alone)
{
  run(WORDS("--listen", "::1"));
  ask_plain(ASZ_FAMILY_IPV6, 1);
  cr_assert(is_free(ASZ_FAMILY_IPV4, process.stamp_port) && is_free(ASZ_FAMILY_IPV4, process.challenge_port));
  end();
  cr_assert_not_null(strstr(process.err, "listening on ::1,"), "%s", process.err);
  run(WORDS("--listen", "127.0.0.1"));
  ask_plain(ASZ_FAMILY_IPV4, 2);
  cr_assert(is_free(ASZ_FAMILY_IPV6, process.stamp_port) && is_free(ASZ_FAMILY_IPV6, process.challenge_port));
  end();
}

Test(serve_ipv6, hostile_datagrams_are_dropped_and_counted)
{
  run(WORDS());
  memset(&request, 0xff, sizeof request);
  for (uint32_t size = 0; size < ASZ_STAMP_BYTES; size++) {
    request.size_bytes = size;
    send_to(ASZ_FAMILY_IPV6, process.stamp_port);
  }
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
  request.payload[ASZ_TLV_AT_MAC] ^= 1;
  send_to(ASZ_FAMILY_IPV6, process.stamp_port);
  ask_plain(ASZ_FAMILY_IPV6, 0x600d);
  cr_assert(client_is_silent(client[ASZ_FAMILY_IPV6]));
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_SHORT), ASZ_STAMP_BYTES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_BAD_MAC), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), 1);
}

static void ask_every_kind(enum asz_family family, struct asz_hmac_lanes *lanes) {
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, FIXTURE_EPOCH);
  struct asz_hmac_key key;
  ask_plain(family, 7);
  cr_assert_eq(reply.payload[ASZ_STAMP_SENDER_TTL], HOP_LIMIT);
  cr_assert_neq(asz_be64_load(reply.payload + ASZ_STAMP_RX_TIME), 0);
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
  ask(family, process.stamp_port);
  cr_assert(asz_mac_check(reply.payload + ASZ_TLV_AT_MAC, session.reply_key, reply.payload, ASZ_TLV_AT_MAC));
  fixture_auth(&fixture, &fixture.validator, lanes, &request, &key);
  ask(family, process.stamp_port);
  cr_assert(asz_stamp_auth_is_reply(reply.payload) && asz_stamp_auth_verify(lanes, &key, reply.payload));
  for (unsigned kind = 1; kind <= ASZ_KIND_SINGLE_MAX; kind++) {
    const struct asz_challenge challenge = fixture_challenge(&fixture, kind, (uint8_t)(1 + family));
    fixture_seal(&fixture, &fixture.validator, &challenge, &request);
    ask(family, process.challenge_port);
    fixture_verify_answer(&fixture, &challenge, reply.payload, reply.size_bytes, FIXTURE_CHAIN_RIGHT);
    ask(family, process.challenge_port);
  }
}

Test(serve_ipv6, every_kind_is_answered_over_both_families_at_the_same_ports)
{
  struct asz_hmac_lanes *lanes;
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  run(WORDS());
  for (unsigned family = 0; family < ASZ_FAMILY_COUNT; family++)
    ask_every_kind(family, lanes);
  end();
  cr_assert_not_null(strstr(process.err, "listening on 0.0.0.0 and ::,"), "%s", process.err);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), 2);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_TLV), 2);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_AUTH), 2);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_CHALLENGES), 2 * ASZ_KIND_SINGLE_MAX);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_AGAIN), 2 * ASZ_KIND_SINGLE_MAX);
  cr_assert_eq(process_counter(&process, ASZ_RESP_RX_UNSTAMPED), 0);
  asz_hmac_lanes_free(lanes);
}

Test(serve_ipv6, rate_of_a_source_is_its_own_in_each_family)
{
  run(WORDS("--rate-pps", "5"));
  fixture_plain(&request, 1);
  for (unsigned i = 0; i < 100; i++)
    send_to(ASZ_FAMILY_IPV6, process.stamp_port);
  ask_plain(ASZ_FAMILY_IPV4, 2);
  end();
  cr_assert_geq(process_counter(&process, ASZ_RESP_DROPPED_RATE), 90);
}

/* Replies of both families wait in one queue, and each leaves by its own socket. */
Test(serve_ipv6, held_replies_of_both_families_keep_their_order_and_find_their_way)
{
  run(WORDS("--lab-delay-us", "30000"));
  for (uint32_t i = 0; i < 100; i++) {
    fixture_plain(&request, i);
    send_to(i % 3 ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4, process.stamp_port);
  }
  for (uint32_t i = 0; i < 100; i++) {
    const enum asz_family family = i % 3 ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4;
    client_receive(client[family], &reply);
    cr_assert_eq(asz_be32_load(reply.payload), i);
  }
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), 100);
}
