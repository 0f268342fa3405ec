/* SPDX-License-Identifier: Apache-2.0 */
/* The engine over both families and with a tag, over a pair of rings; this thread is the gateway and the providers. What does not
 * depend on the family is in test_engine.c. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include <rte_eth_ring.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/tcp.h"
#include "dataplane/eal.h"
#include "dataplane/engine_state.h"

enum { TARGETS = 8, IPV6_TARGETS = 5, LOCAL = 0x0a3f0001, GATEWAY = 0x0a3f00fe, FIRST = 0x0a400001, VLAN = 100, DEADLINE_S = 30 };
static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 0xfe}, ipv6_gateway_mac[6] = {2, 0, 0, 0, 6, 0xfe}, no_mac[6];
static const uint8_t local_ipv6[16] = {0xfd, [15] = 1}, gateway_ipv6[16] = {0xfe, 0x80, [15] = 0xfe};

static struct rte_ring *to_peer, *to_prober;
static struct asz_engine *engine;
static struct asz_engine_config config;
static struct asz_target target[TARGETS];
static uint8_t ipv6[IPV6_TARGETS][16];
static struct asz_session session[TARGETS];
static struct asz_hmac_key hmac[TARGETS];
static struct asz_hmac_lanes *lanes;
static struct asz_plan plan;

/* What the peer does and what it saw. */
static struct {
  bool mute_nd;
  unsigned arp, solicitations, advertisements, probes[TARGETS], challenges, syn_acks, resets;
  struct asz_nd nd; /* the gateway's side */
  struct rte_mempool *pool;
} peer;

/* Targets 1, 2, 4, 5, 7 have IPv6 addresses, so both families have several kinds and stand mixed. */
static void targets_fill(void) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < TARGETS; i++) {
    target[i] =
        (struct asz_target){.ipv4 = FIRST + i, .port = 862, .challenge_port = 8620, .probe = (uint8_t)(i % ASZ_PROBE_COUNT)};
    if (i % 3 == 0)
      continue;
    memcpy(ipv6[n], (uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(i + 1)}, 16);
    target[i].flags = ASZ_TARGET_IPV6;
    target[i].ipv4 = n++;
  }
  cr_assert(eq(u32, n, IPV6_TARGETS));
  for (uint32_t i = 0; i < sizeof session; i++)
    ((uint8_t *)session)[i] = (uint8_t)(i * 7 + 1);
  cr_assert(eq(int, asz_hmac_lanes_new(&lanes), 0));
  for (uint32_t i = 0; i < TARGETS; i++)
    asz_hmac_key_set(&hmac[i], &i, sizeof i);
}

static void start(uint16_t vlan) {
  struct asz_diag diag = {0};
  cr_assert(eq(int, asz_eal_start(NULL, NULL, ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_NO, &diag), 0), "%s", diag.text);
  to_peer = rte_ring_create("to_peer", 1024, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
  to_prober = rte_ring_create("to_prober", 1024, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
  int port = rte_eth_from_rings("test", &to_prober, 1, &to_peer, 1, 0);
  cr_assert(ge(int, port, 0));
  peer.pool = rte_pktmbuf_pool_create("peer", 255, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
  asz_nd_init(&peer.nd, ipv6_gateway_mac, gateway_ipv6, local_ipv6, no_mac, 1000000);
  asz_engine_config_default(&config);
  config.port_id = (uint16_t)port;
  config.lcore_id[0] = (unsigned)asz_eal_worker(0);
  config.local_ipv4 = LOCAL;
  config.gateway_ipv4 = GATEWAY;
  memcpy(config.local_ipv6, local_ipv6, 16);
  memcpy(config.gateway_ipv6, gateway_ipv6, 16);
  config.vlan = vlan;
  config.target_count_max = TARGETS;
  config.ipv6_count_max = IPV6_TARGETS;
  targets_fill();
  plan = (struct asz_plan){
      .epoch = 3,
      .secret = {1, 2, 3},
      .rate_pps = 450, /* under 64 rounds in all: what tcp-syn can still tell apart */
      .duration_ns = 1200000000,
      .timeout_ns = 1000000000, /* long, so that a busy machine makes nobody late */
      .slot_ns = 400000000,
      .late_bound_ns = 10000000000,
      .fault_bound_ppm = 0,
      .target_count = TARGETS,
      .target = target,
      .ipv6_count = IPV6_TARGETS,
      .ipv6 = (const uint8_t(*)[16])ipv6,
      .session = session,
      .hmac = hmac,
      .validator_id = "validat",
  };
  cr_assert(eq(int, asz_stats_new(&plan.stats, TARGETS, ASZ_SKETCH_CELLS_MIN), 0));
}

static void engine_make(void) {
  struct asz_diag diag = {0};
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), 0), "%s", diag.text);
}

static void finish(void) {
  asz_engine_free(engine);
  asz_hmac_lanes_free(lanes);
  engine = NULL;
  asz_stats_free(plan.stats);
  asz_eal_stop();
}

/* Sends a frame that was made without a tag; with one, where one is configured. */
static void peer_send(const uint8_t *bytes, size_t size) {
  struct rte_mbuf *mbuf = rte_pktmbuf_alloc(peer.pool);
  cr_assert(ne(ptr, mbuf, NULL));
  size_t tag_bytes = config.vlan != 0 ? ASZ_VLAN_BYTES : 0;
  uint8_t *to = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)(size + tag_bytes));
  memcpy(to, bytes, 12);
  if (tag_bytes > 0)
    asz_wire_vlan_write(to + 12, config.vlan);
  memcpy(to + 12 + tag_bytes, bytes + 12, size - 12);
  cr_assert(eq(int, rte_ring_sp_enqueue(to_prober, mbuf), 0));
}

static void peer_neighbour(const uint8_t *bytes, size_t size, const struct asz_frame *frame) {
  uint8_t reply[ASZ_ND_FRAME_BYTES], arp_reply[ASZ_ETH_MIN_BYTES];
  if (frame->kind == ASZ_FRAME_ARP) {
    struct asz_arp arp;
    cr_assert(eq(int, asz_wire_arp_read(&arp, bytes + frame->l3_offset, size - frame->l3_offset), 0));
    peer.arp++;
    asz_wire_arp_write(arp_reply, ASZ_ARP_REPLY, gateway_mac, GATEWAY, arp.sender_mac, LOCAL);
    peer_send(arp_reply, sizeof arp_reply);
    return;
  }
  peer.solicitations += frame->icmp_type == 135;
  peer.advertisements += frame->icmp_type == 136;
  if (frame->icmp_type == 136) { /* its MAC is all zero, as every net_ring port's: nobody learns that one */
    cr_assert(eq(u8, bytes[frame->l4_offset + 4], 0x60));
    return;
  }
  enum asz_neigh_heard heard = asz_nd_hear(&peer.nd, 1, frame, bytes, reply);
  cr_assert(eq(int, heard, ASZ_NEIGH_ANSWER), "the prober's question is in order");
  if (!peer.mute_nd)
    peer_send(reply, sizeof reply);
}

static uint32_t target_of(const uint8_t *bytes, const struct asz_frame *frame) {
  if (frame->family == ASZ_FAMILY_IPV4)
    return frame->dst_ipv4 - FIRST;
  cr_assert(eq(int, memcmp(asz_frame_src_ipv6(frame, bytes), local_ipv6, 16), 0));
  return asz_frame_dst_ipv6(frame, bytes)[15] - 1u;
}

/* The layer-4 half of a reply, in place: ports turned, and what the kind wants. */
static void peer_layer4(uint8_t *ip, uint8_t *l4, const struct asz_frame *frame) {
  bool is_ipv6 = frame->family == ASZ_FAMILY_IPV6;
  if (frame->kind != ASZ_FRAME_ICMP) {
    asz_be16_store(l4, frame->dst_port);
    asz_be16_store(l4 + 2, frame->src_port);
  }
  if (frame->kind == ASZ_FRAME_UDP) {
    asz_wire_udp_finish(ip);
  } else if (frame->kind == ASZ_FRAME_TCP) {
    asz_be32_store(l4 + ASZ_TCP_ACK, asz_be32_load(l4 + ASZ_TCP_SEQ) + 1);
    memcpy(l4 + ASZ_TCP_OPEN_ECHO, l4 + ASZ_TCP_OPEN_TIME, 4);
    l4[ASZ_TCP_FLAGS] = ASZ_TCP_SYN | ASZ_TCP_ACKS;
    asz_wire_tcp_finish(ip);
    peer.syn_acks++;
  } else if (is_ipv6) {
    l4[0] = ASZ_ICMPV6_ECHO_REPLY;
    asz_wire_icmpv6_finish(ip);
  } else {
    l4[0] = ASZ_ICMP_ECHO_REPLY;
    asz_wire_icmp_finish(l4, (size_t)frame->payload_bytes + 8);
  }
}

static void peer_reflect(uint8_t *payload, size_t size, uint32_t i) {
  if (asz_stamp_auth_find(payload, size)) {
    cr_assert(asz_stamp_auth_verify(lanes, &hmac[i], payload));
    cr_assert(gt(int, asz_stamp_auth_reflect(lanes, &hmac[i], payload, size, 1, 2, 0x0801, 255), 0));
  } else {
    cr_assert(gt(int, asz_stamp_reflect(payload, size, 1, 2, 0x0801, 255, &session[i]), 0));
  }
}

/* Turns a probe or challenge around in its own bytes, the tag cut off. */
static void peer_probe(uint8_t *bytes, size_t size, const struct asz_frame *frame) {
  uint32_t i = target_of(bytes, frame);
  bool is_ipv6 = frame->family == ASZ_FAMILY_IPV6, udp = frame->kind == ASZ_FRAME_UDP;
  cr_assert(lt(u32, i, TARGETS));
  cr_assert(eq(int, is_ipv6, asz_target_family(&target[i]) == ASZ_FAMILY_IPV6));
  bool fixed = memcmp(config.gateway_mac, no_mac, 6) != 0;
  cr_assert(eq(int, memcmp(bytes, is_ipv6 && !fixed ? ipv6_gateway_mac : gateway_mac, 6), 0), "to the next hop of its family");
  if (frame->kind == ASZ_FRAME_TCP && frame->tcp_flags == ASZ_TCP_RST) {
    peer.resets++;
    return;
  }
  bool challenge = udp && frame->dst_port == 8620;
  peer.challenges += challenge;
  peer.probes[i] += !challenge;
  if (udp && !challenge)
    peer_reflect(bytes + frame->payload_offset, frame->payload_bytes, i);
  uint8_t *ip = bytes + frame->l3_offset, *l4 = bytes + frame->l4_offset, kept[16], *src = ip + (is_ipv6 ? 8 : 12);
  size_t address_bytes = is_ipv6 ? 16 : 4;
  memcpy(kept, src, address_bytes);
  memcpy(src, src + address_bytes, address_bytes);
  memcpy(src + address_bytes, kept, address_bytes);
  peer_layer4(ip, l4, frame);
  uint8_t *eth = ip - ASZ_ETH_BYTES;
  memcpy(kept, bytes + 6, 6); /* the tag may lie between the two places */
  asz_wire_eth_write(eth, kept, is_ipv6 ? ipv6_gateway_mac : gateway_mac, is_ipv6 ? ASZ_ETHERTYPE_IPV6 : ASZ_ETHERTYPE_IPV4);
  peer_send(eth, size - (size_t)(eth - bytes));
}

/* Everything that the prober sends must parse with all checksums right and carry the tag. */
static void peer_turn(void) {
  struct rte_mbuf *mbuf;
  while (rte_ring_sc_dequeue(to_peer, (void **)&mbuf) == 0) {
    struct asz_frame frame;
    uint8_t *bytes = rte_pktmbuf_mtod(mbuf, uint8_t *);
    asz_wire_parse(&frame, bytes, mbuf->data_len, ASZ_WIRE_CHECK_ALL);
    cr_assert(eq(u16, frame.vlan, config.vlan));
    bool nd = frame.kind == ASZ_FRAME_ICMP && (frame.icmp_type == 135 || frame.icmp_type == 136);
    if (frame.kind == ASZ_FRAME_ARP || nd) {
      peer_neighbour(bytes, mbuf->data_len, &frame);
    } else {
      cr_assert(frame.kind >= ASZ_FRAME_UDP && frame.kind <= ASZ_FRAME_TCP, "frame kind %d", frame.kind);
      peer_probe(bytes, mbuf->data_len, &frame);
    }
    rte_pktmbuf_free(mbuf);
  }
}

#define WAIT_FOR(condition)                                                                                                      \
  do {                                                                                                                           \
    uint64_t start_ns = asz_clock_monotonic_ns();                                                                                \
    while (!(condition)) {                                                                                                       \
      peer_turn();                                                                                                               \
      cr_assert(lt(u64, asz_clock_monotonic_ns() - start_ns, DEADLINE_S * UINT64_C(1000000000)), #condition);                    \
    }                                                                                                                            \
  } while (0)

static bool sealed(void) {
  return asz_engine_phase(engine) == ASZ_PHASE_SEALED;
}

static uint64_t counter(enum asz_counter which) {
  struct asz_counters counters;
  asz_engine_counters(engine, &counters);
  return counters.value[which];
}

static void epoch_run(void) {
  struct asz_diag diag = {0};
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), 0), "%s", diag.text);
  WAIT_FOR(sealed());
}

TestSuite(engine_ipv6, .fini = finish, .timeout = 60);

Test(engine_ipv6, wrong_configuration_is_refused_by_name)
{
  struct asz_diag diag = {0};
  start(0);
  const struct asz_engine_config good = config;
#define REFUSED(word)                                                                                                            \
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), ASZ_EINVAL));                                                       \
  cr_assert(ne(ptr, strstr(diag.text, word), NULL), "%s", diag.text);                                                            \
  config = good
  memset(config.gateway_ipv6, 0, 16);
  REFUSED("gateway_ipv6");
  memset(config.local_ipv6, 0, 16);
  REFUSED("local_ipv6");
  memcpy(config.local_ipv6, (uint8_t[16]){0xff, 0x02, [15] = 1}, 16);
  REFUSED("local_ipv6");
  config.gateway_ipv4 = 0;
  REFUSED("gateway_ipv4");
  config.vlan = 4095;
  REFUSED("vlan");
  config.ipv6_count_max = TARGETS + 1;
  REFUSED("ipv6_count_max");
}

Test(engine_ipv6, epoch_needs_both_gateways_and_room)
{
  struct asz_diag diag = {0};
  start(0);
  config.ipv6_count_max = IPV6_TARGETS - 1;
  peer.mute_nd = true;
  engine_make();
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  WAIT_FOR(peer.arp > 0 && peer.solicitations > 0);
  cr_assert(eq(int, asz_engine_wait_gateway(engine, 1000000), ASZ_ETIMEDOUT));
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), ASZ_ESTATE));
  peer.mute_nd = false;
  WAIT_FOR(asz_engine_wait_gateway(engine, 0) == 0);
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), ASZ_EINVAL));
  cr_assert(ne(ptr, strstr(diag.text, "ipv6_count"), NULL), "%s", diag.text);
}

static void all_is_answered(uint16_t vlan) {
  uint32_t sent[TARGETS], sum = 0;
  start(vlan);
  engine_make();
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  WAIT_FOR(asz_engine_wait_gateway(engine, 0) == 0);
  for (unsigned epoch = 0; epoch < 2; epoch++) {
    memset(peer.probes, 0, sizeof peer.probes);
    plan.secret[0] = (uint8_t)epoch;
    plan.epoch++;
    asz_stats_clear(plan.stats);
    epoch_run();
    asz_engine_sent(&plan, plan.stats, sent);
    for (uint32_t i = 0; i < TARGETS; i++) {
      cr_assert(eq(u32, sent[i], peer.probes[i]), "target %u", i);
      cr_assert(eq(u32, plan.stats->target[i].answered, peer.probes[i]), "target %u", i);
      sum += sent[i];
    }
  }
  cr_assert(gt(u32, sum, 0));
  WAIT_FOR(counter(ASZ_CTR_RX_ANSWERED) == sum);
  WAIT_FOR(peer.resets == peer.syn_acks && counter(ASZ_CTR_TX_RESETS) == peer.syn_acks);
  cr_assert(gt(uint, peer.syn_acks, 0));
  cr_assert(eq(u64, plan.stats->slots_no_gateway[ASZ_FAMILY_IPV6], 0));
}

Test(engine_ipv6, epochs_of_both_families_add_up)
{ all_is_answered(0); }

Test(engine_ipv6, epochs_of_both_families_add_up_with_a_tag)
{
  all_is_answered(VLAN);
  uint64_t before = counter(ASZ_CTR_RX_OTHER_VLAN);
  uint8_t arp[ASZ_ETH_MIN_BYTES];
  config.vlan = VLAN + 1; /* the peer's, from here on */
  asz_wire_arp_write(arp, ASZ_ARP_REQUEST, gateway_mac, GATEWAY, no_mac, LOCAL);
  peer_send(arp, sizeof arp);
  WAIT_FOR(counter(ASZ_CTR_RX_OTHER_VLAN) == before + 1);
}

Test(engine_ipv6, solicitation_for_us_is_answered_and_another_ignored)
{
  uint8_t frame[ASZ_ND_FRAME_BYTES];
  start(VLAN);
  memcpy(config.gateway_mac, gateway_mac, 6); /* nothing is asked */
  engine_make();
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  cr_assert(asz_nd_poll(&peer.nd, 0, frame));
  peer_send(frame, sizeof frame);
  WAIT_FOR(peer.advertisements == 1);
  WAIT_FOR(counter(ASZ_CTR_RX_ND) == 1 && counter(ASZ_CTR_TX_ND) == 1);
  frame[ASZ_ETH_BYTES + ASZ_IPV6_HOP_LIMIT] = 254;
  peer_send(frame, sizeof frame);
  WAIT_FOR(counter(ASZ_CTR_RX_ND_IGNORED) == 1);
  cr_assert(eq(uint, peer.advertisements, 1));
}

/* A frame longer than a buffer of ours comes in several; one that fits, but is too long, in one. Both are named, and harm
 * nothing. */
Test(engine_ipv6, frames_beyond_the_longest_are_too_long)
{
  static uint8_t bytes[1600];
  uint8_t frame[ASZ_ND_FRAME_BYTES];
  start(0);
  memcpy(config.gateway_mac, gateway_mac, 6);
  engine_make();
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  cr_assert(asz_nd_poll(&peer.nd, 0, frame));
  memcpy(bytes, frame, sizeof frame);
  peer_send(bytes, sizeof bytes);
  WAIT_FOR(counter(ASZ_CTR_RX_TOO_LONG) == 1);
  struct rte_mbuf *first = rte_pktmbuf_alloc(peer.pool), *second = rte_pktmbuf_alloc(peer.pool);
  memcpy(rte_pktmbuf_append(first, sizeof frame), frame, sizeof frame); /* whole by itself: still not to be read */
  cr_assert(ne(ptr, rte_pktmbuf_append(second, 2000), NULL));
  cr_assert(eq(int, rte_pktmbuf_chain(first, second), 0));
  cr_assert(eq(int, rte_ring_sp_enqueue(to_prober, first), 0));
  WAIT_FOR(counter(ASZ_CTR_RX_TOO_LONG) == 2);
  cr_assert(eq(uint, peer.advertisements, 0));
}

Test(engine_ipv6, challenge_goes_out_and_its_answer_comes_in)
{
  struct asz_diag diag = {0};
  volatile uint64_t sent_tsc = 0;
  struct asz_engine_datagram out = {.target = 1, .size_bytes = 128, .payload = "a question"}, in;
  start(VLAN);
  engine_make();
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  WAIT_FOR(asz_engine_wait_gateway(engine, 0) == 0);
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_engine_send(engine, &out, &sent_tsc), 0));
  WAIT_FOR(asz_engine_recv(engine, &in));
  cr_assert(eq(u32, in.target, 1));
  cr_assert(eq(u16, in.size_bytes, 128));
  cr_assert(eq(u16, in.port, 8620));
  cr_assert(eq(str, (char *)in.payload, (char *)"a question"));
  cr_assert(sent_tsc != 0 && sent_tsc != UINT64_MAX);
  WAIT_FOR(sealed());
}

/* The gateway's MAC is given, so nobody asks, and what is set here before the start stays. */
Test(engine_ipv6, lost_gateway_of_one_family_is_not_the_other_ones_loss)
{
  uint32_t sent[TARGETS];
  start(0);
  memcpy(config.gateway_mac, gateway_mac, 6);
  engine_make();
  engine->nd.resolve.lost = true;
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  WAIT_FOR(engine->worker[0].tx.gateway_lost[ASZ_FAMILY_IPV6]);
  epoch_run();
  asz_engine_sent(&plan, plan.stats, sent);
  for (uint32_t i = 0; i < TARGETS; i++) {
    bool is_ipv6 = asz_target_family(&target[i]) == ASZ_FAMILY_IPV6;
    cr_assert(eq(u32, peer.probes[i] == 0, is_ipv6), "target %u", i);
    cr_assert(eq(u32, sent[i], peer.probes[i]), "what did not leave is not missed");
    cr_assert(eq(u32, plan.stats->target[i].answered, peer.probes[i]));
    cr_assert(eq(u32, plan.stats->target[i].unjudged > 0, is_ipv6));
  }
  cr_assert(eq(u64, plan.stats->slots_no_gateway[ASZ_FAMILY_IPV6], 7));
  cr_assert(eq(u64, plan.stats->slots_no_gateway[ASZ_FAMILY_IPV4], 0));
  cr_assert(eq(u64, plan.stats->slots_unjudged, 0));
  WAIT_FOR(counter(ASZ_CTR_TX_NO_GATEWAY) > 0);
}

Test(engine_ipv6, when_all_gateways_are_lost_no_slot_is_judged)
{
  start(0);
  memcpy(config.gateway_mac, gateway_mac, 6);
  engine_make();
  engine->nd.resolve.lost = true;
  engine->neigh.resolve.lost = true;
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  WAIT_FOR(engine->worker[0].tx.gateway_lost[ASZ_FAMILY_IPV4] && engine->worker[0].tx.gateway_lost[ASZ_FAMILY_IPV6]);
  epoch_run();
  cr_assert(eq(u64, plan.stats->slots_unjudged, 7));
}
