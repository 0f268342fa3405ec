/* SPDX-License-Identifier: Apache-2.0 */
/* The whole engine over a pair of rings; this thread is the other end of the wire: gateway, reflectors and providers. Needs EAL,
 * neither huge pages nor root. On a busy machine a probe may be sent or answered late: nothing here depends on how fast, only on
 * what adds up. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_thash.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/tcp.h"
#include "dataplane/base/wire.h"
#include "dataplane/eal.h"
#include "dataplane/engine.h"
#include "dataplane/probes/probe.h"

enum { QUEUES_MAX = 4, TARGETS = 9, LOCAL = 0x0a3f0001, GATEWAY = 0x0a3f00fe, FIRST = 0x0a400001, DEADLINE_S = 30, KEPT_MAX = 8 };
static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 0xfe};

static unsigned queues = 1; /* and prober lcores */
static struct rte_ring *to_peer[QUEUES_MAX], *to_prober[QUEUES_MAX];
static struct asz_engine *engine;
static struct asz_engine_config config;
static struct asz_target target[TARGETS];
static struct asz_session session[TARGETS];
static struct asz_hmac_key hmac[TARGETS];
static struct asz_hmac_lanes *lanes;
static struct asz_plan plan;

/* What the peer does and what it saw. */
static struct {
  bool deaf;             /* takes nothing off its ring */
  bool mute_arp;         /* does not answer ARP */
  bool crosswise;        /* sends replies to the next queue, not to the one that asked */
  bool spreads;          /* ... or to that of their hash, as a port with receive-side scaling does */
  unsigned astray;       /* ICMP replies whose hash is not that of the lcore that asked */
  uint32_t dead;         /* this target's probes are dropped; 0: none */
  uint32_t echo_answers; /* datagrams to challenge ports are sent back */
  unsigned arp_requests, arp_replies, probes[TARGETS], syn_acks, resets;
  struct rte_mbuf *kept[KEPT_MAX]; /* copies of replies, to be sent again */
  unsigned kept_count;
} peer;

static void start(unsigned ring_frames) {
  struct asz_diag diag = {0};
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, queues);
  cr_assert(eq(int, asz_eal_start(lcores, NULL, ASZ_EAL_MEMORY_MIB * queues, ASZ_EAL_HUGE_NO, &diag), 0), "%s", diag.text);
  for (unsigned q = 0; q < queues; q++) {
    char name[2][24];
    snprintf(name[0], sizeof name[0], "to_peer%u", q);
    snprintf(name[1], sizeof name[1], "to_prober%u", q);
    to_peer[q] = rte_ring_create(name[0], ring_frames, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
    to_prober[q] = rte_ring_create(name[1], 1024, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
  }
  int port = rte_eth_from_rings("test", to_prober, queues, to_peer, queues, 0);
  cr_assert(ge(int, port, 0));
  asz_engine_config_default(&config);
  config.port_id = (uint16_t)port;
  config.lcore_count = queues;
  for (unsigned q = 0; q < queues; q++)
    config.lcore_id[q] = (unsigned)asz_eal_worker(q);
  config.local_ipv4 = LOCAL;
  config.gateway_ipv4 = GATEWAY;
  config.target_count_max = TARGETS;
  for (uint32_t i = 0; i < sizeof session; i++)
    ((uint8_t *)session)[i] = (uint8_t)(i * 7 + 1);
  for (uint32_t i = 0; i < TARGETS; i++)
    target[i] =
        (struct asz_target){.ipv4 = FIRST + i, .port = 862, .challenge_port = 8620, .probe = (uint8_t)(i % ASZ_PROBE_COUNT)};
  cr_assert(eq(int, asz_hmac_lanes_new(&lanes), 0));
  for (uint32_t i = 0; i < TARGETS; i++)
    asz_hmac_key_set(&hmac[i], &i, sizeof i);
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
      .session = session,
      .hmac = hmac,
      .validator_id = "validat",
  };
  cr_assert(eq(int, asz_stats_new(&plan.stats, TARGETS, ASZ_SKETCH_CELLS_DEFAULT), 0));
}

static void launch(void) {
  struct asz_diag diag = {0};
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_engine_launch(engine), 0));
}

static void start_fixed(unsigned ring_frames) {
  start(ring_frames);
  memcpy(config.gateway_mac, gateway_mac, 6);
  launch();
}

static void finish(void) {
  asz_engine_free(engine);
  engine = NULL;
  asz_stats_free(plan.stats);
  asz_hmac_lanes_free(lanes);
  asz_eal_stop();
}

static void peer_send_to(unsigned queue, struct rte_mbuf *mbuf) {
  cr_assert(eq(int, rte_ring_sp_enqueue(to_prober[queue], mbuf), 0));
}

static void peer_send(struct rte_mbuf *mbuf) {
  peer_send_to(0, mbuf);
}

static void peer_send_arp(struct rte_mbuf *mbuf, uint16_t operation, const uint8_t dst_mac[6]) {
  asz_wire_arp_write(rte_pktmbuf_mtod(mbuf, uint8_t *), operation, gateway_mac, GATEWAY, dst_mac, LOCAL);
  mbuf->data_len = ASZ_ETH_MIN_BYTES;
  mbuf->pkt_len = ASZ_ETH_MIN_BYTES;
  peer_send(mbuf);
}

static void peer_arp(struct rte_mbuf *mbuf, const struct asz_frame *frame) {
  struct asz_arp arp;
  cr_assert(eq(int, asz_wire_arp_read(&arp, rte_pktmbuf_mtod(mbuf, uint8_t *) + frame->l3_offset, ASZ_ARP_BYTES), 0));
  cr_assert(eq(u32, arp.sender_ipv4, LOCAL));
  if (arp.operation == ASZ_ARP_REPLY)
    peer.arp_replies++;
  else
    peer.arp_requests++;
  if (arp.operation == ASZ_ARP_REPLY || peer.mute_arp)
    rte_pktmbuf_free(mbuf);
  else
    peer_send_arp(mbuf, ASZ_ARP_REPLY, arp.sender_mac);
}

/* A SYN becomes a SYN-ACK in place; its sequence number does not matter to anybody. */
static void open_connection(uint8_t *eth, const struct asz_frame *frame) {
  uint8_t *tcp = eth + ASZ_ETH_BYTES + ASZ_IPV4_BYTES;
  asz_be32_store(tcp + ASZ_TCP_ACK, asz_be32_load(tcp + ASZ_TCP_SEQ) + 1);
  memcpy(tcp + ASZ_TCP_OPEN_ECHO, tcp + ASZ_TCP_OPEN_TIME, 4);
  tcp[ASZ_TCP_FLAGS] = ASZ_TCP_SYN | ASZ_TCP_ACKS;
  asz_be16_store(tcp + ASZ_TCP_SRC, frame->dst_port);
  asz_be16_store(tcp + ASZ_TCP_DST, frame->src_port);
  asz_wire_tcp_finish(tcp - ASZ_IPV4_BYTES);
  peer.syn_acks++;
}

static void turn_headers(uint8_t *eth, const struct asz_frame *frame) {
  uint8_t *ip = eth + ASZ_ETH_BYTES, *l4 = ip + ASZ_IPV4_BYTES;
  memcpy(eth, eth + 6, 6);
  memcpy(eth + 6, gateway_mac, 6);
  asz_be32_store(ip + ASZ_IPV4_SRC, frame->dst_ipv4);
  asz_be32_store(ip + ASZ_IPV4_DST, frame->src_ipv4); /* the IPv4 checksum does not change */
  if (frame->kind == ASZ_FRAME_UDP) {
    asz_be16_store(l4 + ASZ_UDP_SRC, frame->dst_port);
    asz_be16_store(l4 + ASZ_UDP_DST, frame->src_port);
    asz_wire_udp_finish(ip);
  } else if (frame->kind == ASZ_FRAME_TCP) {
    open_connection(eth, frame);
  } else {
    l4[0] = ASZ_ICMP_ECHO_REPLY;
    asz_wire_icmp_finish(l4, (size_t)frame->payload_bytes + ASZ_ICMP_BYTES);
  }
}

static void keep_copy(const struct rte_mbuf *mbuf) {
  if (peer.kept_count == KEPT_MAX)
    return;
  struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, mbuf->pool, 0, UINT32_MAX);
  cr_assert(ne(ptr, copy, NULL));
  peer.kept[peer.kept_count++] = copy;
}

static void peer_reflect(uint8_t *payload, size_t size, uint32_t i) {
  if (asz_stamp_auth_find(payload, size)) {
    cr_assert(asz_stamp_auth_verify(lanes, &hmac[i], payload));
    cr_assert(gt(int, asz_stamp_auth_reflect(lanes, &hmac[i], payload, size, 1, 2, 0x0801, 255), 0));
  } else {
    cr_assert(gt(int, asz_stamp_reflect(payload, size, 1, 2, 0x0801, 255, &session[i]), 0));
  }
}

/* By DPDK's own hash. Replies without ports hash by address alone. */
static unsigned spread_queue(const struct asz_frame *request, unsigned asked) {
  bool ports = request->kind != ASZ_FRAME_ICMP;
  union rte_thash_tuple tuple = {.v4 = {.src_addr = request->dst_ipv4, .dst_addr = request->src_ipv4}};
  tuple.v4.dport = request->src_port;
  tuple.v4.sport = request->dst_port;
  uint32_t hash = rte_softrss((uint32_t *)&tuple, ports ? RTE_THASH_V4_L4_LEN : RTE_THASH_V4_L3_LEN, asz_steer_key);
  unsigned queue = hash & (queues - 1);
  cr_assert(queue == asked || !ports, "a reply from %x to port %u hashes to %u, not %u", request->dst_ipv4, request->src_port,
            queue, asked);
  peer.astray += queue != asked;
  return queue;
}

static void peer_probe(struct rte_mbuf *mbuf, const struct asz_frame *frame, unsigned queue) {
  uint8_t *eth = rte_pktmbuf_mtod(mbuf, uint8_t *);
  uint32_t i = frame->dst_ipv4 - FIRST;
  cr_assert(lt(u32, i, TARGETS));
  if (frame->kind == ASZ_FRAME_TCP && frame->tcp_flags == ASZ_TCP_RST) {
    peer.resets++;
    rte_pktmbuf_free(mbuf);
    return;
  }
  bool challenge = frame->kind == ASZ_FRAME_UDP && frame->dst_port == target[i].challenge_port;
  peer.probes[i] += !challenge;
  if ((!challenge && peer.dead == i && peer.dead != 0) || (challenge && !peer.echo_answers)) {
    rte_pktmbuf_free(mbuf);
    return;
  }
  if (frame->kind == ASZ_FRAME_UDP && !challenge)
    peer_reflect(eth + frame->payload_offset, frame->payload_bytes, i);
  turn_headers(eth, frame);
  if (!challenge)
    keep_copy(mbuf);
  peer_send_to(peer.spreads ? spread_queue(frame, queue) : (queue + peer.crosswise) % queues, mbuf);
}

/* Everything that the prober sends must parse with all checksums right. */
static void peer_queue_turn(unsigned queue) {
  struct rte_mbuf *mbuf;
  while (!peer.deaf && rte_ring_sc_dequeue(to_peer[queue], (void **)&mbuf) == 0) {
    struct asz_frame frame;
    asz_wire_parse(&frame, rte_pktmbuf_mtod(mbuf, uint8_t *), mbuf->data_len, ASZ_WIRE_CHECK_ALL);
    if (frame.kind == ASZ_FRAME_ARP) {
      peer_arp(mbuf, &frame);
      continue;
    }
    cr_assert(frame.kind >= ASZ_FRAME_UDP && frame.kind <= ASZ_FRAME_TCP, "frame kind %d", frame.kind);
    cr_assert(eq(u32, frame.src_ipv4, LOCAL));
    cr_assert(eq(int, memcmp(rte_pktmbuf_mtod(mbuf, uint8_t *), gateway_mac, 6), 0));
    peer_probe(mbuf, &frame, queue);
  }
}

static void peer_turn(void) {
  for (unsigned q = 0; q < queues; q++)
    peer_queue_turn(q);
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

static bool gateway_known(void) {
  return asz_engine_wait_gateway(engine, 0) == 0;
}

static void begin(void) {
  struct asz_diag diag = {0};
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), 0), "%s", diag.text);
  cr_assert(ne(int, asz_engine_phase(engine), ASZ_PHASE_IDLE));
}

static uint64_t counter(enum asz_counter which) {
  struct asz_counters counters;
  asz_engine_counters(engine, &counters);
  return counters.value[which];
}

static uint32_t sent_sum(uint32_t sent[TARGETS]) {
  uint32_t sum = 0;
  asz_engine_sent(&plan, plan.stats, sent);
  for (uint32_t i = 0; i < TARGETS; i++)
    sum += sent[i];
  return sum;
}

static uint64_t sketch_total(const struct asz_stats *stats, uint32_t index) {
  struct asz_sketch sketch = asz_stats_sketch(stats, index);
  return asz_sketch_total(&sketch);
}

TestSuite(engine, .fini = finish, .timeout = 60);

Test(engine, wrong_configuration_is_refused)
{
  struct asz_diag diag = {0};
  start(1024);
  const struct asz_engine_config good = config;
  config.lcore_id[0] = 0;
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), ASZ_EINVAL));
  config = good;
  config.lcore_count = 3;
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), ASZ_EINVAL), "no power of two");
  config = good;
  config.lcore_count = 2;
  config.lcore_id[1] = config.lcore_id[0];
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), ASZ_EINVAL), "one lcore twice");
  config = good;
  config.port_id = 99;
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), ASZ_ENOENT));
  cr_assert(ne(ptr, strstr(diag.text, "port 99"), NULL));
  config = good;
  config.challenge_source_port = (uint16_t)(config.source_port_base + 5);
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), ASZ_EINVAL));
  config = good;
  config.target_count_max = 0;
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), ASZ_EINVAL));
  cr_assert(eq(ptr, engine, NULL));
  cr_assert(eq(int, asz_eal_start(NULL, NULL, 64, ASZ_EAL_HUGE_NO, &diag), ASZ_EEXIST));
}

Test(engine, epoch_is_refused_without_gateway_or_with_a_wrong_plan)
{
  struct asz_diag diag = {0};
  peer.mute_arp = true;
  start(1024);
  launch();
  cr_assert(eq(int, asz_engine_wait_gateway(engine, 1000000), ASZ_ETIMEDOUT));
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), ASZ_ESTATE));
  peer.mute_arp = false;
  WAIT_FOR(gateway_known());
  plan.rate_pps = 0;
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), ASZ_EINVAL));
  plan.rate_pps = 450;
  begin();
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), ASZ_ESTATE));
}

Test(engine, epoch_of_all_kinds_adds_up_and_a_second_one_too)
{
  uint32_t sent[TARGETS];
  uint64_t skipped_before = 0;
  peer.dead = 4;
  start(1024);
  launch();
  WAIT_FOR(gateway_known());
  for (unsigned epoch = 0; epoch < 2; epoch++) {
    asz_stats_clear(plan.stats);
    memset(peer.probes, 0, sizeof peer.probes);
    plan.epoch += epoch;
    plan.secret[0] ^= (uint8_t)epoch;
    begin();
    WAIT_FOR(sealed());
    uint64_t skipped = counter(ASZ_CTR_TX_NOT_SENT) - skipped_before;
    skipped_before += skipped;
    cr_assert(eq(u64, plan.stats->probes_scheduled + skipped, 540));
    (void)sent_sum(sent);
    for (uint32_t i = 0; i < TARGETS; i++) {
      const struct asz_target_stats *stats = &plan.stats->target[i];
      cr_assert(eq(u32, sent[i], peer.probes[i]), "target %u", i);
      cr_assert(eq(u32, stats->answered + stats->late, i == 4 ? 0 : sent[i]), "target %u", i);
      cr_assert(eq(u64, sketch_total(plan.stats, i), stats->answered));
      cr_assert(eq(u64, stats->slots_up != 0, stats->answered != 0));
    }
    cr_assert(eq(u64, plan.stats->slots_unjudged == 0, skipped == 0));
    cr_assert(eq(u64, plan.stats->faults.count[ASZ_FAULT_SKIPPED], skipped));
  }
  WAIT_FOR(counter(ASZ_CTR_TX_RESETS) == peer.syn_acks);
  WAIT_FOR(peer.resets == peer.syn_acks);
  cr_assert(eq(u64, counter(ASZ_CTR_RX_FORGED) + counter(ASZ_CTR_RX_BAD_MAC) + counter(ASZ_CTR_RX_MALFORMED), 0));
}

/* Every probe and every reply adds up, whichever queue the reply comes back on. */
static void lcores_share_an_epoch(unsigned lcores, uint32_t targets, bool crosswise) {
  uint32_t sent[TARGETS] = {0};
  queues = lcores;
  peer.crosswise = crosswise;
  start(1024);
  config.spreading = peer.spreads ? ASZ_SPREADING_ASSUMED : ASZ_SPREADING_AUTO;
  plan.target_count = targets;
  plan.stats->target_count = targets;
  launch();
  WAIT_FOR(gateway_known());
  begin();
  WAIT_FOR(sealed());
  uint64_t skipped = counter(ASZ_CTR_TX_NOT_SENT), total = 0;
  asz_engine_sent(&plan, plan.stats, sent);
  for (uint32_t i = 0; i < targets; i++) {
    const struct asz_target_stats *stats = &plan.stats->target[i];
    cr_assert(eq(u32, sent[i] + stats->unjudged, peer.probes[i]), "target %u", i); /* unjudged: a busy machine looked too late */
    cr_assert(eq(u32, stats->answered + stats->late, sent[i]), "target %u", i);
    cr_assert(eq(int, asz_stats_error_ns(plan.stats, i) > plan.stats->send_error_ns, stats->rtt_min_ns > 0));
    total += peer.probes[i];
  }
  cr_assert(eq(u64, total, plan.stats->probes_scheduled));
  cr_assert(plan.stats->gap_jitter_p50_ns > 0 && plan.stats->gap_jitter_p50_ns <= plan.stats->gap_jitter_p99_ns);
  cr_assert(total + skipped >= 540 && total + skipped < 540 + lcores, "%lu", (unsigned long)(total + skipped));
  if (peer.spreads)
    cr_assert(eq(u64, counter(ASZ_CTR_RX_STEERED), peer.astray));
  else
    cr_assert(eq(u64, counter(ASZ_CTR_RX_STEERED) > 0, crosswise));
  cr_assert(eq(u64, counter(ASZ_CTR_RX_STEER_DROPPED), 0));
  cr_assert(eq(u64, counter(ASZ_CTR_RX_FRAMES),
               counter(ASZ_CTR_RX_ANSWERED) + counter(ASZ_CTR_RX_LATE) + counter(ASZ_CTR_RX_ARP) + counter(ASZ_CTR_RX_DOUBTFUL)));
}

Test(engine, two_lcores_share_an_epoch)
{ lcores_share_an_epoch(2, TARGETS, false); }

Test(engine, reply_on_another_lcores_queue_reaches_its_target)
{ lcores_share_an_epoch(2, TARGETS, true); }

Test(engine, four_lcores_and_a_reply_on_the_next_queue)
{ lcores_share_an_epoch(4, TARGETS, true); }

Test(engine, more_lcores_than_targets)
{ lcores_share_an_epoch(4, 2, true); }

Test(engine, port_that_spreads_by_our_key_brings_every_reply_with_ports_back)
{
  peer.spreads = true;
  lcores_share_an_epoch(4, TARGETS, false);
}

Test(engine, challenges_go_by_the_lcore_that_owns_the_target)
{
  queues = 2;
  start_fixed(1024);
  peer.echo_answers = 1;
  begin();
  volatile uint64_t tsc[TARGETS] = {0};
  for (uint32_t i = 0; i < TARGETS; i++) {
    struct asz_engine_datagram datagram = {.target = i, .size_bytes = 40};
    cr_assert(eq(int, asz_engine_send(engine, &datagram, &tsc[i]), 0));
  }
  uint32_t seen = 0;
  struct asz_engine_datagram answer;
  for (uint32_t answers = 0; answers < TARGETS; answers++) {
    WAIT_FOR(asz_engine_recv(engine, &answer) == 1);
    seen |= 1u << answer.target;
  }
  cr_assert(eq(u32, seen, (1u << TARGETS) - 1));
  for (uint32_t i = 0; i < TARGETS; i++)
    cr_assert(tsc[i] != 0 && tsc[i] != UINT64_MAX);
  WAIT_FOR(sealed());
}

Test(engine, replies_after_a_stall_of_ours_show_life_and_no_rtt)
{
  start_fixed(1024);
  plan.late_bound_ns = 1; /* every look at the port comes later than this after the one before */
  plan.fault_bound_ppm = 10000;
  begin();
  WAIT_FOR(sealed());
  struct asz_counters counters;
  asz_engine_counters(engine, &counters);
  cr_assert(gt(u64, counters.value[ASZ_CTR_RX_DOUBTFUL], 0));
  cr_assert(eq(u64, counters.value[ASZ_CTR_RX_ANSWERED], 0));
  cr_assert(eq(u64, plan.stats->slots_unjudged & 7, 7), "all three slots are ours");
  cr_assert(eq(u64, plan.stats->faults.count[ASZ_FAULT_STALLED], counters.value[ASZ_CTR_RX_DOUBTFUL]));
  cr_assert(eq(u64, plan.stats->faults.count[ASZ_FAULT_REFUSED], 0));
  for (uint32_t i = 0; i < TARGETS; i++) {
    cr_assert(gt(u16, plan.stats->target[i].answered, 0));
    cr_assert(eq(u64, sketch_total(plan.stats, i), 0));
  }
}

Test(engine, replies_of_the_last_epoch_are_replays_in_the_next)
{
  start_fixed(1024);
  begin();
  WAIT_FOR(sealed());
  cr_assert(eq(uint, peer.kept_count, KEPT_MAX));
  asz_stats_clear(plan.stats);
  plan.epoch++;
  plan.secret[0] ^= 1;
  begin();
  for (unsigned i = 0; i < KEPT_MAX; i++)
    peer_send(peer.kept[i]);
  WAIT_FOR(sealed());
  cr_assert(eq(u64, counter(ASZ_CTR_RX_PAST_EPOCH), KEPT_MAX));
  cr_assert(eq(u64, counter(ASZ_CTR_RX_FORGED), 0));
}

Test(engine, what_the_port_refuses_is_unjudged_not_lost)
{
  uint32_t sent[TARGETS];
  peer.deaf = true;
  start_fixed(64);
  begin();
  WAIT_FOR(sealed());
  uint64_t dropped = counter(ASZ_CTR_TX_DROPPED), unjudged = 0;
  for (uint32_t i = 0; i < TARGETS; i++)
    unjudged += plan.stats->target[i].unjudged;
  cr_assert(gt(u64, dropped, 0));
  cr_assert(eq(u64, unjudged, dropped));
  cr_assert(eq(u64, sent_sum(sent), 63)); /* what a ring of 64 holds */
  cr_assert(eq(u64, plan.stats->slots_unjudged, 7));
  cr_assert(eq(u64, plan.stats->faults.count[ASZ_FAULT_REFUSED], dropped));
  cr_assert(eq(int, asz_faults_largest(&plan.stats->faults), ASZ_FAULT_REFUSED));
}

static void deny(uint32_t index, bool denied) {
  __atomic_store_n(&target[index].denied, denied, __ATOMIC_RELAXED);
}

Test(engine, denied_target_gets_nothing_from_now_on_and_no_blame)
{
  enum { DENIED = 2 };
  uint32_t sent[TARGETS];
  volatile uint64_t denied_tsc = 0, tsc = 0;
  struct asz_engine_datagram datagram = {.target = DENIED, .size_bytes = 40};
  start_fixed(1024);
  peer.echo_answers = 1;
  begin();
  WAIT_FOR(peer.probes[DENIED] >= 3);
  deny(DENIED, true);
  uint64_t before = counter(ASZ_CTR_TX_DENIED);
  cr_assert(eq(u64, before, 0));
  WAIT_FOR(counter(ASZ_CTR_TX_DENIED) >= 2);
  unsigned probes = peer.probes[DENIED];
  cr_assert(eq(int, asz_engine_send(engine, &datagram, &denied_tsc), 0));
  WAIT_FOR(denied_tsc == UINT64_MAX);
  datagram.target = DENIED + 1;
  cr_assert(eq(int, asz_engine_send(engine, &datagram, &tsc), 0));
  WAIT_FOR(tsc != 0);
  cr_assert(ne(u64, tsc, UINT64_MAX), "the others are asked as before");
  WAIT_FOR(counter(ASZ_CTR_TX_DENIED) >= 6);
  cr_assert(eq(uint, peer.probes[DENIED], probes), "not one more");
  deny(DENIED, false);
  WAIT_FOR(peer.probes[DENIED] > probes);
  WAIT_FOR(sealed());
  (void)sent_sum(sent);
  for (uint32_t i = 0; i < TARGETS; i++) {
    const struct asz_target_stats *stats = &plan.stats->target[i];
    cr_assert(eq(u32, sent[i], peer.probes[i]), "target %u", i);
    cr_assert(eq(u8, stats->denied, i == DENIED), "target %u", i);
    cr_assert(eq(u64, stats->unjudged > 0, i == DENIED), "target %u", i);
  }
  cr_assert(eq(u64, plan.stats->target[DENIED].unjudged, counter(ASZ_CTR_TX_DENIED) - 1), "and one challenge");
  cr_assert(eq(u64, asz_faults_total(&plan.stats->faults), plan.stats->faults.count[ASZ_FAULT_SKIPPED]), "no fault of ours");
}

/* The port's link goes and comes back in the middle of an epoch. */
Test(engine, what_falls_due_without_a_link_is_ours_and_probing_goes_on_after)
{
  uint32_t sent[TARGETS];
  queues = 2;
  start(1024);
  plan.rate_pps = 180; /* 60 rounds, as ever, but over 3 s: time enough for a busy machine to follow */
  plan.duration_ns = 3000000000;
  plan.slot_ns = 1000000000;
  launch();
  WAIT_FOR(gateway_known());
  unsigned asked = peer.arp_requests;
  begin();
  WAIT_FOR(peer.probes[0] >= 3);
  cr_assert(eq(int, rte_eth_dev_set_link_down(config.port_id), 0));
  WAIT_FOR(counter(ASZ_CTR_TX_LINK_DOWN) >= 20);
  cr_assert(eq(u64, counter(ASZ_CTR_LINK_LOST), 1));
  cr_assert(eq(uint, peer.arp_requests, asked), "nobody is asked while there is nobody");
  unsigned probes = peer.probes[0];
  cr_assert(eq(int, rte_eth_dev_set_link_up(config.port_id), 0));
  WAIT_FOR(peer.probes[0] > probes);
  WAIT_FOR(peer.arp_requests > asked);
  WAIT_FOR(sealed());
  uint64_t unjudged = 0, total = sent_sum(sent);
  for (uint32_t i = 0; i < TARGETS; i++) {
    const struct asz_target_stats *stats = &plan.stats->target[i];
    cr_assert(eq(u32, sent[i], peer.probes[i]), "target %u", i);
    cr_assert(eq(u32, stats->answered + stats->late, sent[i]), "target %u: a ring loses nothing", i);
    unjudged += stats->unjudged;
  }
  cr_assert(eq(u64, unjudged, counter(ASZ_CTR_TX_LINK_DOWN)));
  cr_assert(eq(u64, total + unjudged, plan.stats->probes_scheduled));
  cr_assert(ge(u64, plan.stats->faults.count[ASZ_FAULT_LINK_DOWN], unjudged));
  cr_assert(eq(int, asz_faults_largest(&plan.stats->faults), ASZ_FAULT_LINK_DOWN));
  cr_assert(ne(u64, plan.stats->slots_unjudged, 0));
  cr_assert(eq(u64, counter(ASZ_CTR_LINK_LOST), 1));
}

Test(engine, challenge_without_a_link_says_so)
{
  struct asz_engine_datagram datagram = {.target = 2, .size_bytes = 40};
  volatile uint64_t sent_tsc = 0;
  start_fixed(1024);
  begin();
  cr_assert(eq(int, rte_eth_dev_set_link_down(config.port_id), 0));
  WAIT_FOR(counter(ASZ_CTR_LINK_LOST) == 1);
  cr_assert(eq(int, asz_engine_send(engine, &datagram, &sent_tsc), 0));
  WAIT_FOR(sent_tsc == UINT64_MAX);
}

Test(engine, arp_for_us_is_answered_in_every_phase)
{
  start_fixed(1024);
  struct rte_mempool *pool = rte_pktmbuf_pool_create("peer", 63, 0, 0, 512, SOCKET_ID_ANY);
  for (unsigned asked = 1; asked <= 2; asked++) {
    peer_send_arp(rte_pktmbuf_alloc(pool), ASZ_ARP_REQUEST, gateway_mac);
    WAIT_FOR(peer.arp_replies == asked);
    if (asked == 1) {
      begin();
      WAIT_FOR(sealed());
    }
  }
  cr_assert(eq(uint, peer.arp_requests, 0), "the gateway's MAC was given");
}

Test(engine, repeats_of_a_question_that_share_a_slot_keep_the_first_ones_time)
{
  start_fixed(1024);
  begin();
  volatile uint64_t sent_tsc = 0;
  struct asz_engine_datagram datagram = {.target = 1, .size_bytes = 40};
  cr_assert(eq(int, asz_engine_send(engine, &datagram, &sent_tsc), 0));
  WAIT_FOR(sent_tsc != 0);
  uint64_t first = sent_tsc;
  cr_assert(eq(int, asz_engine_send(engine, &datagram, &sent_tsc), 0));
  WAIT_FOR(counter(ASZ_CTR_TX_CHALLENGES) == 2);
  cr_assert(eq(u64, sent_tsc, first));
  WAIT_FOR(sealed());
}

Test(engine, challenge_goes_out_and_its_answer_comes_in)
{
  struct asz_engine_datagram datagram = {.target = 2, .size_bytes = 1200}, answer;
  volatile uint64_t sent_tsc = 0;
  peer.echo_answers = true;
  start_fixed(1024);
  for (unsigned i = 0; i < sizeof datagram.payload; i++)
    datagram.payload[i] = (uint8_t)i;
  begin();
  cr_assert(eq(int, asz_engine_send(engine, &datagram, &sent_tsc), 0));
  WAIT_FOR(asz_engine_recv(engine, &answer) == 1);
  cr_assert(sent_tsc != 0 && sent_tsc != UINT64_MAX && answer.tsc >= sent_tsc);
  cr_assert(eq(u32, answer.target, 2));
  cr_assert(eq(u16, answer.port, 8620));
  cr_assert(eq(u16, answer.size_bytes, 1200));
  cr_assert(eq(int, memcmp(answer.payload, datagram.payload, sizeof answer.payload), 0));
  cr_assert(eq(int, asz_engine_recv(engine, &answer), 0));
  WAIT_FOR(sealed());
  cr_assert(eq(u64, counter(ASZ_CTR_TX_CHALLENGES), 1));
  cr_assert(eq(u64, counter(ASZ_CTR_RX_ANSWERS), 1));
}

Test(engine, challenge_that_cannot_go_says_so)
{
  struct asz_engine_datagram datagram = {.target = 2, .size_bytes = 100};
  volatile uint64_t sent_tsc = 0;
  start_fixed(1024);
  cr_assert(eq(int, asz_engine_send(engine, &datagram, &sent_tsc), 0));
  WAIT_FOR(sent_tsc == UINT64_MAX); /* no epoch runs */
  sent_tsc = 0;
  begin();
  datagram.target = TARGETS;
  cr_assert(eq(int, asz_engine_send(engine, &datagram, &sent_tsc), 0));
  WAIT_FOR(sent_tsc == UINT64_MAX);
  datagram.size_bytes = ASZ_DATAGRAM_MAX_BYTES + 1;
  cr_assert(eq(int, asz_engine_send(engine, &datagram, &sent_tsc), ASZ_ETOOBIG));
  cr_assert(eq(u64, counter(ASZ_CTR_TX_CHALLENGES), 0));
}

Test(engine, epoch_ended_early_is_sealed_and_its_rest_unjudged)
{
  uint32_t sent[TARGETS];
  start_fixed(1024);
  plan.duration_ns = 60000000000;
  plan.slot_ns = 1000000000;
  plan.timeout_ns = 50000000;
  begin();
  WAIT_FOR(peer.probes[0] >= 3);
  asz_engine_epoch_end(engine);
  WAIT_FOR(sealed());
  cr_assert(lt(u64, plan.stats->probes_scheduled, 60 * 450));
  cr_assert(eq(u64, sent_sum(sent), counter(ASZ_CTR_TX_PROBES)));
  cr_assert(ne(u64, plan.stats->slots_unjudged & UINT64_C(1) << 59, 0));
  cr_assert(eq(u64, asz_faults_total(&plan.stats->faults), 0), "an early end is nobody's fault");
}

Test(engine, stop_seals_a_running_epoch)
{
  start_fixed(1024);
  plan.duration_ns = 60000000000;
  plan.slot_ns = 1000000000;
  plan.timeout_ns = 1000000;
  begin();
  WAIT_FOR(peer.probes[0] >= 1);
  asz_engine_stop(engine);
  cr_assert(eq(int, asz_engine_phase(engine), ASZ_PHASE_STOPPED));
  cr_assert(gt(u64, plan.stats->probes_scheduled, 0));
  cr_assert(gt(u64, plan.stats->rate_pps, 0));
}
