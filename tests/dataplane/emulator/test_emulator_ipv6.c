/* SPDX-License-Identifier: Apache-2.0 */
/* The emulator's IPv6 share behind its port. What does not depend on the family is in test_emulator.c. Needs EAL. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/stamp.h"
#include "dataplane/emulator/emulator.h"
#include "dataplane/nd.h"

enum { ME = 0x0a3f0001, MY_PORT = 50000, PROVIDERS = 8, DEADLINE_MS = 20000, QUIET_MS = 50 };
static const uint8_t my_mac[6] = {2, 0, 0, 0, 0, 1}, no_mac[6];
static uint8_t my_ipv6[16];

static struct rte_mempool *pool;
static struct asz_truth truth[PROVIDERS];
static struct asz_emulator *emulator;
static struct asz_nd nd;
static uint16_t port;

static void start(void) {
  char line[] = "test --no-huge -m 192 --no-pci --no-telemetry --no-shconf --log-level=4 --lcores 0@0-1,1@0-1";
  char *argv[16];
  int argc = 0;
  for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
    argv[argc++] = word;
  cr_assert(rte_eal_init(argc, argv) >= 0);
  pool = rte_pktmbuf_pool_create("prober", 1023, 0, 0, 2048, SOCKET_ID_ANY);
  cr_assert(ne(ptr, pool, NULL));
  struct asz_emulator_config config;
  struct asz_diag diag = {0};
  asz_emulator_config_default(&config);
  config.lcore_id = 1;
  config.provider_count = PROVIDERS;
  config.truth = truth;
  config.ipv6_ppm = 500000; /* the odd ones */
  config.in_flight_max = 1024;
  cr_assert(eq(int, asz_emulator_new(&emulator, &config, &port, &diag), 0), "%s", diag.text);
  struct rte_eth_conf conf = {0};
  cr_assert(eq(int, rte_eth_dev_configure(port, 1, 1, &conf), 0));
  cr_assert(eq(int, rte_eth_rx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL, pool), 0));
  cr_assert(eq(int, rte_eth_tx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL), 0));
  cr_assert(eq(int, rte_eth_dev_start(port), 0));
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  asz_emulator_ipv6(my_ipv6, ME);
  asz_nd_init(&nd, my_mac, my_ipv6, asz_emulator_gateway_ipv6, no_mac, 1000000);
}

static void stop(void) {
  rte_eth_dev_stop(port);
  asz_emulator_stop(emulator);
}

static void finish(void) {
  asz_emulator_free(emulator);
  rte_mempool_free(pool);
}

TestSuite(emulator_ipv6, .init = start, .fini = finish, .timeout = 60);

static void send_frame(const uint8_t *frame, size_t size) {
  struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
  cr_assert(ne(ptr, mbuf, NULL));
  memcpy(rte_pktmbuf_append(mbuf, (uint16_t)size), frame, size);
  while (rte_eth_tx_burst(port, 0, &mbuf, 1) == 0)
    ;
}

static uint8_t got_bytes[1600];
static struct asz_frame got;

static bool receive(uint64_t wait_ms) {
  uint64_t end = asz_clock_monotonic_ns() + wait_ms * 1000000;
  struct rte_mbuf *mbuf;
  while (rte_eth_rx_burst(port, 0, &mbuf, 1) == 0)
    if (asz_clock_monotonic_ns() > end)
      return false;
  memcpy(got_bytes, rte_pktmbuf_mtod(mbuf, void *), mbuf->data_len);
  asz_wire_parse(&got, got_bytes, mbuf->data_len, ASZ_WIRE_CHECK_ALL);
  rte_pktmbuf_free(mbuf);
  return true;
}

static void gateway_find(void) {
  uint8_t frame[ASZ_ND_FRAME_BYTES];
  cr_assert(asz_nd_poll(&nd, 0, frame));
  send_frame(frame, sizeof frame);
  cr_assert(receive(DEADLINE_MS), "no advertisement");
  cr_assert(eq(int, asz_nd_hear(&nd, 1, &got, got_bytes, frame), ASZ_NEIGH_LEARNED));
}

/* A datagram to what stands for provider i of either family. */
static void send_udp(uint32_t provider, bool ipv6, uint16_t dst_port, uint16_t payload_bytes) {
  uint8_t frame[2048] = {0}, address[16];
  uint32_t ipv4 = (10u << 24 | 64u << 16 | 1) + provider;
  uint8_t *ip = frame + ASZ_ETH_BYTES, *udp = ip + (ipv6 ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES);
  asz_wire_eth_write(frame, nd.resolve.gateway_mac, my_mac, ipv6 ? ASZ_ETHERTYPE_IPV6 : ASZ_ETHERTYPE_IPV4);
  asz_emulator_ipv6(address, ipv4);
  if (ipv6)
    asz_wire_ipv6_write(ip, my_ipv6, address, ASZ_PROTOCOL_UDP, 64, (uint16_t)(8 + payload_bytes));
  else
    asz_wire_ipv4_write(ip, ME, ipv4, ASZ_PROTOCOL_UDP, 64, (uint16_t)(8 + payload_bytes));
  asz_wire_udp_write(udp, MY_PORT, dst_port, payload_bytes);
  if (payload_bytes == ASZ_STAMP_BYTES)
    asz_stamp_request_write(udp + ASZ_UDP_BYTES, 7, asz_tsc(), ASZ_STAMP_ERROR_UNSYNCHRONISED, 1);
  asz_wire_udp_finish(ip);
  send_frame(frame, (size_t)(udp - frame) + 8 + payload_bytes);
}

Test(emulator_ipv6, provider_answers_at_its_address_and_at_no_other)
{
  gateway_find();
  for (uint32_t i = 0; i < PROVIDERS; i++) {
    cr_assert(eq(int, asz_emulator_has_ipv6(500000, i), i % 2));
    send_udp(i, i % 2 == 0, ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
    cr_assert(not(receive(QUIET_MS)), "provider %u has no address of that family", i);
    send_udp(i, i % 2 == 1, ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
    cr_assert(receive(DEADLINE_MS), "provider %u", i);
    cr_assert(eq(int, got.kind, ASZ_FRAME_UDP));
    cr_assert(eq(int, got.family, i % 2 ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4));
    cr_assert(eq(u32, asz_be32_load(got_bytes + got.payload_offset + ASZ_STAMP_SENDER_SEQ), 7));
    if (got.family == ASZ_FAMILY_IPV6)
      cr_assert(eq(int, memcmp(asz_frame_dst_ipv6(&got, got_bytes), my_ipv6, 16), 0));
  }
  send_udp(PROVIDERS + 1, true, ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
  cr_assert(not(receive(QUIET_MS)));
  stop();
  for (uint32_t i = 0; i < PROVIDERS; i++)
    cr_assert(eq(u64, asz_emulator_deeds(emulator)[i].replies, 1));
  cr_assert(eq(u64, asz_emulator_strays(emulator), PROVIDERS + 1));
}

Test(emulator_ipv6, challenge_is_handed_over_and_its_answer_comes_back)
{
  struct asz_emulator_datagram datagram;
  gateway_find();
  send_udp(3, true, ASZ_CHALLENGE_PORT, 128);
  uint64_t end = asz_clock_monotonic_ns() + DEADLINE_MS * UINT64_C(1000000);
  while (!asz_emulator_challenge_recv(emulator, &datagram))
    cr_assert(lt(u64, asz_clock_monotonic_ns(), end));
  cr_assert(eq(u32, datagram.provider, 3));
  cr_assert(eq(u16, datagram.size_bytes, 128));
  memcpy(datagram.payload, "an answer", 10);
  cr_assert(eq(int, asz_emulator_answer_send(emulator, &datagram), 0));
  cr_assert(receive(DEADLINE_MS));
  cr_assert(eq(int, got.kind, ASZ_FRAME_UDP));
  cr_assert(eq(u16, got.dst_port, MY_PORT));
  cr_assert(eq(u16, got.payload_bytes, 128));
  cr_assert(eq(int, memcmp(asz_frame_dst_ipv6(&got, got_bytes), my_ipv6, 16), 0));
  cr_assert(eq(str, (char *)(got_bytes + got.payload_offset), (char *)"an answer"));
  stop();
}

Test(emulator_ipv6, solicitation_for_somebody_else_is_a_stray)
{
  uint8_t frame[ASZ_ND_FRAME_BYTES];
  struct asz_nd other;
  const uint8_t nobody[16] = {0xfe, 0x80, [15] = 0x77};
  asz_nd_init(&other, my_mac, my_ipv6, nobody, no_mac, 1000000);
  cr_assert(asz_nd_poll(&other, 0, frame));
  send_frame(frame, sizeof frame);
  cr_assert(not(receive(QUIET_MS)));
  stop();
  cr_assert(eq(u64, asz_emulator_strays(emulator), 1));
}
