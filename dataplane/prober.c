/* SPDX-License-Identifier: Apache-2.0 */
/* The lcore's loop: look at the receive queue, send what is due, now and then keep house. Run to completion, one writer: nothing
 * in here waits for anybody. The phases are the engine's, see engine.h; each is left on a time or a flag that is looked at once a
 * turn. */
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/base/wire.h"
#include "dataplane/engine_state.h"

enum {
  MBUFS_AHEAD = 8,
  HOUSEKEEPING_HZ = 500, /* counters are at most 2 ms old */
  OUTGOING_PER_TURN = 8, /* challenges go in groups between probes, never as a wall in front of them */
  DATAGRAM_TTL = 64,
};

static void count(struct asz_engine *engine, enum asz_counter counter) {
  engine->counters.value[counter]++;
}

/* Sends one frame that is no probe. True when the port took it. */
static bool frame_send(struct asz_engine *engine, const uint8_t *bytes, uint16_t size_bytes) {
  struct rte_mbuf *mbuf = rte_pktmbuf_alloc(engine->port.frame_pool);
  if (mbuf == NULL)
    return false;
  memcpy(rte_pktmbuf_append(mbuf, size_bytes), bytes, size_bytes);
  if (rte_eth_tx_burst(engine->port.port_id, 0, &mbuf, 1) == 1)
    return true;
  rte_pktmbuf_free(mbuf);
  return false;
}

static void arp_heard(struct asz_engine *engine, uint64_t tsc, const uint8_t *arp, uint32_t size_bytes) {
  uint8_t reply[ASZ_ETH_MIN_BYTES];
  uint8_t mac_before[6];
  memcpy(mac_before, engine->neigh.gateway_mac, sizeof mac_before);
  enum asz_neigh_heard heard = asz_neigh_hear(&engine->neigh, tsc, arp, size_bytes, reply);
  count(engine, heard == ASZ_NEIGH_IGNORED ? ASZ_CTR_RX_ARP_IGNORED : ASZ_CTR_RX_ARP);
  if (heard == ASZ_NEIGH_ANSWER && frame_send(engine, reply, sizeof reply))
    count(engine, ASZ_CTR_TX_ARP);
  if (heard != ASZ_NEIGH_LEARNED)
    return;
  atomic_store_explicit(&engine->gateway_known, true, memory_order_release);
  if (engine->rx.run.epoch.valid && memcmp(mac_before, engine->neigh.gateway_mac, sizeof mac_before) != 0)
    asz_tx_readdress(&engine->tx, engine->neigh.gateway_mac);
}

static void answer_heard(struct asz_engine *engine, uint64_t tsc, const struct asz_rx_leftover *left, const uint8_t *bytes) {
  struct asz_engine_datagram datagram = {
      .target = left->target, .size_bytes = left->frame.payload_bytes, .port = left->frame.src_port, .tsc = tsc};
  if (left->frame.payload_bytes > sizeof datagram.payload) {
    count(engine, ASZ_CTR_RX_MALFORMED);
    return;
  }
  memcpy(datagram.payload, bytes + left->frame.payload_offset, left->frame.payload_bytes);
  bool queued = rte_ring_sp_enqueue_elem(engine->incoming, &datagram, sizeof datagram) == 0;
  count(engine, queued ? ASZ_CTR_RX_ANSWERS : ASZ_CTR_RX_ANSWERS_DROPPED);
}

static void leftovers(struct asz_engine *engine, uint64_t tsc) {
  const struct asz_rx_burst *burst = &engine->rx_burst;
  for (uint32_t i = 0; i < burst->leftover_count; i++) {
    const struct asz_rx_leftover *left = &burst->leftover[i];
    const uint8_t *bytes = burst->bytes[left->at];
    if (left->left == ASZ_RX_LEFT_ARP)
      arp_heard(engine, tsc, bytes + left->frame.l3_offset, burst->size_bytes[left->at] - left->frame.l3_offset);
    else
      answer_heard(engine, tsc, left, bytes);
  }
}

/* poll_account notes the time of a look at the port. True when the look before it is further back than the lateness bound:
 * whatever is found then may have waited for us that long. So may what is still behind a full burst (backlog). */
static bool poll_account(struct asz_engine *engine, uint64_t tsc) {
  uint64_t gap_ticks = tsc - engine->polled_tsc;
  engine->polled_tsc = tsc;
  if (gap_ticks > engine->poll_ticks_max)
    engine->poll_ticks_max = gap_ticks;
  return engine->rx.run.epoch.valid && gap_ticks > engine->tx.late_bound_ticks;
}

/* Frames in several buffers are longer than anything we expect: seen by their first part, they fail as malformed. */
static void receive(struct asz_engine *engine, uint64_t now_tsc) {
  struct asz_rx_burst *burst = &engine->rx_burst;
  struct rte_mbuf *mbuf[ASZ_BURST_MAX];
  uint16_t taken = rte_eth_rx_burst(engine->port.port_id, 0, mbuf, ASZ_BURST_MAX);
  uint64_t tsc = taken == 0 ? now_tsc : asz_tsc();
  bool late = poll_account(engine, tsc);
  if (taken == 0) {
    engine->backlog = false;
    return;
  }
  count(engine, ASZ_CTR_RX_BURSTS);
  burst->doubtful = late || engine->backlog;
  engine->backlog = burst->doubtful && taken == ASZ_BURST_MAX;
  for (uint16_t i = 0; i < taken && i < MBUFS_AHEAD; i++)
    rte_prefetch0(mbuf[i]);
  for (uint16_t i = 0; i < taken; i++) {
    if (i + MBUFS_AHEAD < taken)
      rte_prefetch0(mbuf[i + MBUFS_AHEAD]);
    burst->bytes[i] = rte_pktmbuf_mtod(mbuf[i], const uint8_t *);
    burst->size_bytes[i] = rte_pktmbuf_data_len(mbuf[i]);
    rte_prefetch0(burst->bytes[i]);
    rte_prefetch0(burst->bytes[i] + RTE_CACHE_LINE_SIZE);
  }
  burst->count = taken;
  const struct asz_clock *clock = engine->rx.run.epoch.valid ? &engine->tx.clock : NULL;
  burst->now_ntp64 = clock != NULL ? asz_clock_ntp64(asz_clock_realtime_ns(clock, tsc)) : 0;
  uint64_t doubtful = engine->counters.value[ASZ_CTR_RX_DOUBTFUL];
  asz_rx_take(&engine->rx, burst);
  engine->tx.faults += engine->counters.value[ASZ_CTR_RX_DOUBTFUL] - doubtful;
  if (burst->leftover_count > 0)
    leftovers(engine, tsc);
  rte_pktmbuf_free_bulk(mbuf, taken);
}

static void outcome_tell(volatile uint64_t *tsc_slot, uint64_t tsc) {
  if (tsc_slot != NULL)
    __atomic_store_n(tsc_slot, tsc, __ATOMIC_RELEASE);
}

/* A challenge goes to a target of the running epoch; after its end there is nobody left to ask. */
static bool datagram_send(struct asz_engine *engine, const struct asz_engine_datagram *datagram) {
  const struct asz_rx_run *run = &engine->rx.run;
  if (!run->epoch.valid || datagram->target >= run->epoch.target_count)
    return false;
  const struct asz_target *target = &engine->tx.plan.target[datagram->target];
  uint8_t bytes[ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES + ASZ_DATAGRAM_MAX_BYTES];
  uint8_t *ip = bytes + ASZ_ETH_BYTES, *udp = ip + ASZ_IPV4_BYTES;
  uint16_t udp_bytes = (uint16_t)(ASZ_UDP_BYTES + datagram->size_bytes);
  uint16_t port = datagram->port != 0 ? datagram->port : target->challenge_port;
  asz_wire_eth_write(bytes, engine->neigh.gateway_mac, engine->port.mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(ip, engine->config.local_ipv4, target->ipv4, ASZ_PROTOCOL_UDP, DATAGRAM_TTL, udp_bytes);
  asz_wire_udp_write(udp, engine->config.challenge_source_port, port, datagram->size_bytes);
  memcpy(udp + ASZ_UDP_BYTES, datagram->payload, datagram->size_bytes);
  asz_wire_udp_finish(ip);
  return frame_send(engine, bytes, (uint16_t)(ASZ_ETH_BYTES + ASZ_IPV4_BYTES + udp_bytes));
}

static void outgoing_send(struct asz_engine *engine) {
  struct asz_outgoing message;
  for (int i = 0; i < OUTGOING_PER_TURN; i++) {
    if (rte_ring_sc_dequeue_elem(engine->outgoing, &message, sizeof message) != 0)
      return;
    uint64_t tsc = asz_tsc();
    bool sent = datagram_send(engine, &message.datagram);
    if (sent)
      count(engine, ASZ_CTR_TX_CHALLENGES);
    outcome_tell(message.tsc_slot, sent ? tsc : UINT64_MAX);
  }
}

static void phase_set(struct asz_engine *engine, enum asz_engine_phase phase) {
  atomic_store_explicit(&engine->phase, phase, memory_order_release);
}

static void epoch_start(struct asz_engine *engine) {
  const struct asz_epoch_order *order = &engine->next;
  const struct asz_plan *plan = &order->plan;
  struct asz_probe_setup setup = {
      .local_ipv4 = engine->config.local_ipv4,
      .source_port_base = engine->config.source_port_base,
      .epoch = plan->epoch,
      .session = plan->session,
  };
  memcpy(setup.local_mac, engine->port.mac, sizeof setup.local_mac);
  memcpy(setup.gateway_mac, engine->neigh.gateway_mac, sizeof setup.gateway_mac);
  memcpy(setup.validator_id, plan->validator_id, sizeof setup.validator_id);
  uint64_t origin_tsc = asz_tsc();
  asz_tx_begin(&engine->tx, plan, &order->clock, &setup, origin_tsc);
  struct asz_rx_run run = {
      .epoch = {.key = engine->tx.key, .map = &engine->map[order->map], .target_count = plan->target_count, .valid = true},
      .stats = plan->stats,
      .slots = &engine->tx.slots,
      .timeout_ns = plan->timeout_ns,
      .start_ntp64 = engine->tx.slots.start_ntp64[0],
      .setup = setup,
  };
  asz_rx_begin(&engine->rx, &run);
  engine->polled_tsc = asz_tsc();
  engine->poll_ticks_max = 0;
  engine->backlog = false;
  atomic_store_explicit(&engine->end_asked, false, memory_order_relaxed);
  phase_set(engine, ASZ_PHASE_PROBING);
  atomic_store_explicit(&engine->command, ASZ_COMMAND_NONE, memory_order_release);
}

static void counters_publish(struct asz_engine *engine) {
  engine->counters.value[ASZ_CTR_NEIGH_LOST] = engine->neigh.lost_count;
  for (int i = 0; i < ASZ_CTR_COUNT; i++)
    atomic_store_explicit(&engine->published[i], engine->counters.value[i], memory_order_relaxed);
}

static void epoch_seal(struct asz_engine *engine) {
  asz_tx_seal(&engine->tx, engine->poll_ticks_max);
  asz_rx_seal(&engine->rx);
  counters_publish(engine);
  phase_set(engine, ASZ_PHASE_SEALED);
}

static void housekeeping(struct asz_engine *engine, uint64_t tsc) {
  uint8_t request[ASZ_ETH_MIN_BYTES];
  engine->housekeeping_tsc = tsc + engine->neigh.tsc_hz / HOUSEKEEPING_HZ;
  if (asz_neigh_poll(&engine->neigh, tsc, request) && frame_send(engine, request, sizeof request))
    count(engine, ASZ_CTR_TX_ARP);
  engine->tx.gateway_lost = engine->neigh.lost;
  counters_publish(engine);
}

static void probing_turn(struct asz_engine *engine, uint64_t tsc, bool stop) {
  struct asz_tx *tx = &engine->tx;
  if (stop || atomic_load_explicit(&engine->end_asked, memory_order_relaxed))
    asz_tx_cut(tx, tsc);
  asz_tx_poll(tx, tsc);
  if (asz_tx_done(tx, tsc))
    phase_set(engine, ASZ_PHASE_COOLDOWN);
}

/* The last probe may be answered until its timeout has passed. */
static bool cooled_down(const struct asz_engine *engine, uint64_t tsc) {
  const struct asz_tx *tx = &engine->tx;
  return tsc - tx->last_sent_tsc > asz_clock_ticks(&tx->clock, tx->plan.timeout_ns) && tsc > tx->last_sent_tsc;
}

/* One turn of the epoch's phases. False when there is nothing to do but wait. */
static bool phase_turn(struct asz_engine *engine, uint64_t tsc, bool stop) {
  switch (atomic_load_explicit(&engine->phase, memory_order_relaxed)) {
  case ASZ_PHASE_PROBING:
    probing_turn(engine, tsc, stop);
    return true;
  case ASZ_PHASE_COOLDOWN:
    if (cooled_down(engine, tsc))
      epoch_seal(engine);
    return true;
  default:
    if (!stop && atomic_load_explicit(&engine->command, memory_order_acquire) == ASZ_COMMAND_BEGIN)
      epoch_start(engine);
    return false;
  }
}

static bool epoch_runs(const struct asz_engine *engine) {
  uint32_t phase = atomic_load_explicit(&engine->phase, memory_order_relaxed);
  return phase == ASZ_PHASE_PROBING || phase == ASZ_PHASE_COOLDOWN;
}

int asz_prober_main(void *argument) {
  struct asz_engine *engine = argument;
  for (;;) {
    uint64_t tsc = asz_tsc();
    bool stop = atomic_load_explicit(&engine->stop_asked, memory_order_relaxed);
    receive(engine, tsc);
    if (!rte_ring_empty(engine->outgoing))
      outgoing_send(engine);
    if (!phase_turn(engine, tsc, stop))
      rte_pause();
    if (tsc >= engine->housekeeping_tsc)
      housekeeping(engine, tsc);
    if (stop && !epoch_runs(engine))
      break;
  }
  outgoing_send(engine);
  counters_publish(engine);
  phase_set(engine, ASZ_PHASE_STOPPED);
  return 0;
}
