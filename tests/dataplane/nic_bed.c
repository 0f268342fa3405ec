/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/nic_bed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/wire.h"
#include "dataplane/eal.h"
#include "tests/dataplane/flow_match.h"

enum { LOCAL = 0x0a3f0001, GATEWAY = 0x0a3f00fe, FIRST = 0x0a400001, RING = 4096, HANDOVER_NS = 50000, RULES_MAX = 16 };
static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 0xfe};

struct nic_bed nic;
static struct rte_ring *to_peer[NIC_QUEUES_MAX], *to_prober[NIC_QUEUES_MAX];
static struct asz_clock clock_;
static _Atomic uint64_t clock_offset = UINT64_C(1700000000000000000);
static _Atomic bool clock_broken;
static _Atomic unsigned stall_ms, stalls;
static uint64_t frames; /* to the prober */

/* ---- the NIC ---- */

uint64_t nic_ticks(uint64_t tsc) {
  uint64_t ns = asz_clock_ns(&clock_, tsc);
  return clock_offset + ns + ns / 10000;
}

void nic_clock_set(int64_t by_ns) {
  clock_offset += (uint64_t)by_ns;
}

void nic_clock_break(bool broken) {
  clock_broken = broken;
}

static int info_get(uint16_t port_id, struct rte_eth_dev_info *ret_info) {
  int rc = rte_eth_dev_info_get(port_id, ret_info);
  if (nic.rx_times)
    ret_info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  if (nic.tx_times)
    ret_info->tx_offload_capa |= RTE_ETH_TX_OFFLOAD_SEND_ON_TIMESTAMP;
  return rc;
}

/* The ring knows nothing of what was offered in its name. */
static int configure(uint16_t port_id, uint16_t rx_queues, uint16_t tx_queues, const struct rte_eth_conf *conf) {
  struct rte_eth_conf known = *conf;
  bool asked = (conf->rxmode.offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0;
  cr_assert(eq(int, asked, nic.rx_times &&nic.config.nic_times));
  bool asked_tx = (conf->txmode.offloads & RTE_ETH_TX_OFFLOAD_SEND_ON_TIMESTAMP) != 0;
  cr_assert(eq(int, asked_tx, nic.tx_times &&nic.config.nic_times));
  known.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  known.txmode.offloads &= ~RTE_ETH_TX_OFFLOAD_SEND_ON_TIMESTAMP;
  return rte_eth_dev_configure(port_id, rx_queues, tx_queues, &known);
}

static int clock_read(uint16_t port_id, uint64_t *ret_ticks) {
  (void)port_id;
  unsigned ms = atomic_exchange(&stall_ms, 0);
  if (ms > 0) {
    uint64_t end_ns = asz_clock_monotonic_ns() + ms * UINT64_C(1000000);
    stalls++;
    while (asz_clock_monotonic_ns() < end_ns)
      ;
  }
  if (clock_broken)
    return -ENOTSUP;
  *ret_ticks = nic_ticks(asz_tsc());
  return 0;
}

static struct flow_rule rule[RULES_MAX];
static bool rule_lives[RULES_MAX];

static int flow_validate(uint16_t port_id, const struct rte_flow_attr *attr, const struct rte_flow_item *pattern,
                         const struct rte_flow_action *action, struct rte_flow_error *ret_error) {
  nic.rules_asked++;
  return nic.rules_taken > 0 ? 0 : -ENOTSUP;
}

static struct rte_flow *flow_create(uint16_t port_id, const struct rte_flow_attr *attr, const struct rte_flow_item *pattern,
                                    const struct rte_flow_action *action, struct rte_flow_error *ret_error) {
  unsigned i = 0;
  while (i < RULES_MAX && rule_lives[i])
    i++;
  if (nic.rules == nic.rules_taken || i == RULES_MAX)
    return NULL;
  flow_rule_read(&rule[i], attr, pattern, action);
  rule_lives[i] = true;
  nic.rules++;
  return (struct rte_flow *)&rule[i];
}

static int flow_destroy(uint16_t port_id, struct rte_flow *flow, struct rte_flow_error *ret_error) {
  rule_lives[(struct flow_rule *)flow - rule] = false;
  nic.rules--;
  return 0;
}

/* Where no rule says otherwise, all comes to the first. */
static unsigned queue_by_rule(struct rte_mbuf *mbuf) {
  for (unsigned i = 0; i < RULES_MAX; i++)
    if (rule_lives[i] && flow_rule_matches(&rule[i], rte_pktmbuf_mtod(mbuf, const uint8_t *), mbuf->data_len))
      return rule[i].queue;
  return 0;
}

static const struct asz_port_ops ops = {.info_get = info_get,
                                        .configure = configure,
                                        .clock_read = clock_read,
                                        .flow_validate = flow_validate,
                                        .flow_create = flow_create,
                                        .flow_destroy = flow_destroy};

void nic_stall(unsigned ms) {
  unsigned before = stalls;
  stall_ms = ms;
  NIC_WAIT_FOR(stalls > before);
}

/* ---- the peer ---- */

static void turn_headers(uint8_t *eth, const struct asz_frame *frame) {
  uint8_t *ip = eth + ASZ_ETH_BYTES, *l4 = ip + ASZ_IPV4_BYTES;
  memcpy(eth, eth + 6, 6);
  memcpy(eth + 6, gateway_mac, 6);
  asz_be32_store(ip + ASZ_IPV4_SRC, frame->dst_ipv4);
  asz_be32_store(ip + ASZ_IPV4_DST, frame->src_ipv4);
  if (frame->kind == ASZ_FRAME_ICMP) {
    l4[0] = ASZ_ICMP_ECHO_REPLY;
    asz_wire_icmp_finish(l4, (size_t)frame->payload_bytes + ASZ_ICMP_BYTES);
    return;
  }
  asz_be16_store(l4 + ASZ_UDP_SRC, frame->dst_port);
  asz_be16_store(l4 + ASZ_UDP_DST, frame->src_port);
  asz_wire_udp_finish(ip);
}

static void stamp(struct rte_mbuf *mbuf, uint64_t ticks) {
  *RTE_MBUF_DYNFIELD(mbuf, nic.offset, rte_mbuf_timestamp_t *) = ticks;
  mbuf->ol_flags |= nic.rx_flag;
}

static void frame_send(struct rte_mbuf *mbuf, unsigned queue) {
  cr_assert(eq(int, rte_ring_sp_enqueue(to_prober[queue], mbuf), 0));
  frames++;
}

static void answer(struct rte_mbuf *mbuf, const struct asz_frame *frame, unsigned queue) {
  uint8_t *eth = rte_pktmbuf_mtod(mbuf, uint8_t *), *payload = eth + frame->payload_offset;
  bool is_stamp = frame->kind == ASZ_FRAME_UDP && frame->dst_port == ASZ_STAMP_PORT;
  struct nic_probe probe = {.target = frame->dst_ipv4 - FIRST,
                            .queue = queue,
                            .t1_ntp64 = asz_be64_load(payload + (is_stamp ? ASZ_STAMP_TIME : 0)),
                            .timed = (mbuf->ol_flags & nic.tx_flag) != 0,
                            .mbuf = mbuf};
  if (probe.timed)
    probe.due_ticks = *RTE_MBUF_DYNFIELD(mbuf, nic.offset, rte_mbuf_timestamp_t *);
  while (probe.timed && nic.holds && (int64_t)(probe.due_ticks + NIC_WIRE_NS - nic_ticks(asz_tsc())) > 0)
    ;
  if (is_stamp)
    cr_assert(gt(int, asz_stamp_reflect(payload, frame->payload_bytes, 1, 2, 0x0801, 255, NULL), 0));
  turn_headers(eth, frame);
  probe.now_tsc = asz_tsc();
  uint64_t ticks = nic_ticks(probe.now_tsc);
  if (nic.arrival == NULL || nic.arrival(&probe, &ticks)) {
    stamp(mbuf, ticks);
    nic.answers_stamped++;
  }
  frame_send(mbuf, nic.crosswise ? (queue + 1) % nic.queues : queue_by_rule(mbuf));
  nic.slow[probe.target] += asz_clock_ns(&clock_, asz_tsc() - probe.now_tsc) > HANDOVER_NS;
}

void nic_turn(void) {
  struct rte_mbuf *mbuf;
  for (unsigned queue = 0; queue < nic.queues; queue++) {
    while (rte_ring_sc_dequeue(to_peer[queue], (void **)&mbuf) == 0) {
      struct asz_frame frame;
      asz_wire_parse(&frame, rte_pktmbuf_mtod(mbuf, uint8_t *), mbuf->data_len, ASZ_WIRE_CHECK_ALL);
      if (frame.kind == ASZ_FRAME_UDP || frame.kind == ASZ_FRAME_ICMP)
        answer(mbuf, &frame, queue);
      else
        rte_pktmbuf_free(mbuf);
    }
  }
}

int64_t nic_off_ns(const struct nic_probe *probe) {
  const uint64_t room_ns = 1000000000; /* the probe's time may be ahead of now */
  int64_t since_ns = (int64_t)(nic_since_t1_ns(probe, probe->now_tsc + asz_clock_ticks(&clock_, room_ns)) - room_ns);
  return (int64_t)(probe->due_ticks - nic_ticks(probe->now_tsc)) + since_ns;
}

uint64_t nic_since_t1_ns(const struct nic_probe *probe, uint64_t tsc) {
  uint64_t ntp64 = asz_clock_ntp64(asz_clock_realtime_ns(asz_engine_clock(nic.engine), tsc)) - probe->t1_ntp64;
  return (uint64_t)(((unsigned __int128)ntp64 * 1000000000 + (UINT64_C(1) << 31)) >> 32);
}

/* ---- the bed ---- */

void nic_bed_default(void) {
  nic = (struct nic_bed){.queues = 1, .rx_times = true, .kind = ASZ_PROBE_STAMP, .odd_kind = ASZ_PROBE_STAMP};
  asz_engine_config_default(&nic.config);
}

static void rings_make(void) {
  for (unsigned q = 0; q < nic.queues; q++) {
    char name[2][24];
    snprintf(name[0], sizeof name[0], "to_peer%u", q);
    snprintf(name[1], sizeof name[1], "to_prober%u", q);
    to_peer[q] = rte_ring_create(name[0], RING, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
    to_prober[q] = rte_ring_create(name[1], RING, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
  }
}

static void plan_fill(void) {
  for (uint32_t i = 0; i < NIC_TARGETS; i++)
    nic.target[i] = (struct asz_target){.ipv4 = FIRST + i,
                                        .port = ASZ_STAMP_PORT,
                                        .challenge_port = 8620,
                                        .probe = (uint8_t)(i % 2 == 0 ? nic.kind : nic.odd_kind)};
  nic.plan = (struct asz_plan){
      .epoch = 3,
      .secret = {1, 2, 3},
      .rate_pps = 400, /* under 64 rounds in a timeout: what a busy machine holds up is late, not a replay */
      .duration_ns = 800000000,
      .timeout_ns = 700000000, /* long, so that a busy machine makes nobody late */
      .slot_ns = 200000000,
      .late_bound_ns = 5000000,
      .fault_bound_ppm = 1000000,
      .target_count = NIC_TARGETS,
      .target = nic.target,
      .validator_id = "validat",
  };
  cr_assert(eq(int, asz_stats_new(&nic.plan.stats, NIC_TARGETS, ASZ_SKETCH_CELLS_DEFAULT), 0));
}

void nic_bed_open(void) {
  struct asz_diag diag = {0};
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, nic.queues);
  cr_assert(eq(int, asz_eal_start(lcores, NULL, ASZ_EAL_MEMORY_MIB * nic.queues, ASZ_EAL_HUGE_NO, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_clock_calibrate(&clock_, 20), 0));
  rings_make();
  int port = rte_eth_from_rings("nic", to_prober, nic.queues, to_peer, nic.queues, 0);
  cr_assert(ge(int, port, 0));
  nic.config.port_id = (uint16_t)port;
  nic.config.port_ops = &ops;
  nic.config.lcore_count = nic.queues;
  for (unsigned q = 0; q < nic.queues; q++)
    nic.config.lcore_id[q] = (unsigned)asz_eal_worker(q);
  nic.config.local_ipv4 = LOCAL;
  nic.config.gateway_ipv4 = GATEWAY;
  nic.config.target_count_max = NIC_TARGETS;
  memcpy(nic.config.gateway_mac, gateway_mac, 6);
  cr_assert(eq(int, rte_mbuf_dyn_rx_timestamp_register(&nic.offset, &nic.rx_flag), 0));
  cr_assert(eq(int, rte_mbuf_dyn_tx_timestamp_register(&nic.offset, &nic.tx_flag), 0));
  plan_fill();
  cr_assert(eq(int, asz_engine_new(&nic.engine, &nic.config, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_engine_launch(nic.engine), 0));
}

void nic_bed_close(void) {
  asz_engine_free(nic.engine);
  asz_stats_free(nic.plan.stats);
  asz_eal_stop();
}

void nic_begin(void) {
  struct asz_diag diag = {0};
  cr_assert(eq(int, asz_engine_epoch_begin(nic.engine, &nic.plan, &diag), 0), "%s", diag.text);
}

bool nic_sealed(void) {
  return asz_engine_phase(nic.engine) == ASZ_PHASE_SEALED;
}

uint64_t nic_counter(enum asz_counter counter) {
  struct asz_counters counters;
  asz_engine_counters(nic.engine, &counters);
  return counters.value[counter];
}

/* Frames for nobody, with a time, until one is believed; none is left on its way. */
void nic_learned(void) {
  struct rte_mempool *pool = rte_mempool_lookup("nic_bed");
  if (pool == NULL)
    pool = rte_pktmbuf_pool_create("nic_bed", 1023, 0, 0, 512, SOCKET_ID_ANY);
  uint64_t before = nic_counter(ASZ_CTR_RX_STAMPED), sent_ns = 0;
  while (nic_counter(ASZ_CTR_RX_STAMPED) == before) {
    struct rte_mbuf *mbuf = asz_clock_monotonic_ns() - sent_ns > 1000000 ? rte_pktmbuf_alloc(pool) : NULL;
    nic_turn();
    if (mbuf == NULL)
      continue;
    sent_ns = asz_clock_monotonic_ns();
    memset(rte_pktmbuf_append(mbuf, ASZ_ETH_MIN_BYTES), 0, ASZ_ETH_MIN_BYTES);
    stamp(mbuf, nic_ticks(asz_tsc()));
    frame_send(mbuf, 0);
  }
  NIC_WAIT_FOR(nic_counter(ASZ_CTR_RX_FRAMES) == frames);
}
