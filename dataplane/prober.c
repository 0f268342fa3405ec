/* SPDX-License-Identifier: Apache-2.0 */
/* An lcore's loop: look at the receive queue, send what is due, now and then keep house. Run to completion, one writer: nothing
 * in here waits for anybody. The phases are the engine's, see engine.h; each is left on a time or a flag that is looked at once a
 * turn.
 *
 * With several lcores a reply may arrive on another queue than its target's: ICMP has no ports to choose by, and a port may not
 * spread by the hash that we know. The worker that finds it passes it on with the time at which it was taken from the port. */
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/arrival.h"
#include "dataplane/base/bound.h"
#include "dataplane/base/tcp.h"
#include "dataplane/base/wire.h"
#include "dataplane/engine_state.h"

enum {
  MBUFS_AHEAD = 8,
  HOUSEKEEPING_HZ = 500, /* counters are at most 2 ms old */
  LINK_LOOKS_HZ = 10,    /* a look may be two system calls, about 1 us */
  OUTGOING_PER_TURN = 8, /* challenges go in groups between probes, never as a wall in front of them */
  DATAGRAM_TTL = 64,
};

static void count(struct asz_worker *worker, enum asz_counter counter) {
  worker->counters.value[counter]++;
}

/* Sends one frame that is no probe, with the tag that all frames have. True when the port took it. */
static bool frame_send(struct asz_worker *worker, const uint8_t *bytes, uint16_t size_bytes) {
  const struct asz_port *port = &worker->engine->port;
  struct rte_mbuf *mbuf = rte_pktmbuf_alloc(port->frame_pool);
  if (mbuf == NULL)
    return false;
  uint16_t vlan = worker->engine->config.vlan, tag_bytes = vlan != 0 ? ASZ_VLAN_BYTES : 0;
  uint8_t *to = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)(size_bytes + tag_bytes));
  memcpy(to, bytes, ASZ_ETH_TYPE);
  if (vlan != 0)
    asz_wire_vlan_write(to + ASZ_ETH_TYPE, vlan);
  memcpy(to + ASZ_ETH_TYPE + tag_bytes, bytes + ASZ_ETH_TYPE, (size_t)size_bytes - ASZ_ETH_TYPE);
  if (rte_eth_tx_burst(port->port_id, worker->tx.queue, &mbuf, 1) == 1)
    return true;
  rte_pktmbuf_free(mbuf);
  return false;
}

static struct asz_resolve *resolve_of(struct asz_engine *engine, enum asz_family family) {
  return family == ASZ_FAMILY_IPV6 ? &engine->nd.resolve : &engine->neigh.resolve;
}

/* Worker 0 only, as are the next two: the gateway of a family has answered. */
static void gateway_learned(struct asz_engine *engine, enum asz_family family) {
  atomic_store_explicit(&engine->gateway[family], asz_resolve_word(resolve_of(engine, family)), memory_order_relaxed);
  atomic_store_explicit(&engine->gateway_known[family], true, memory_order_release);
}

static void arp_heard(struct asz_worker *worker, uint64_t tsc, const uint8_t *arp, uint32_t size_bytes) {
  struct asz_engine *engine = worker->engine;
  uint8_t reply[ASZ_ETH_MIN_BYTES];
  enum asz_neigh_heard heard = asz_neigh_hear(&engine->neigh, tsc, arp, size_bytes, reply);
  count(worker, heard == ASZ_NEIGH_IGNORED ? ASZ_CTR_RX_ARP_IGNORED : ASZ_CTR_RX_ARP);
  if (heard == ASZ_NEIGH_ANSWER && frame_send(worker, reply, sizeof reply))
    count(worker, ASZ_CTR_TX_ARP);
  if (heard == ASZ_NEIGH_LEARNED)
    gateway_learned(engine, ASZ_FAMILY_IPV4);
}

static void nd_heard(struct asz_worker *worker, uint64_t tsc, const struct asz_frame *frame, const uint8_t *bytes) {
  struct asz_engine *engine = worker->engine;
  uint8_t reply[ASZ_ND_FRAME_BYTES];
  enum asz_neigh_heard heard = asz_nd_hear(&engine->nd, tsc, frame, bytes, reply);
  count(worker, heard == ASZ_NEIGH_IGNORED ? ASZ_CTR_RX_ND_IGNORED : ASZ_CTR_RX_ND);
  if (heard == ASZ_NEIGH_ANSWER && frame_send(worker, reply, sizeof reply))
    count(worker, ASZ_CTR_TX_ND);
  if (heard == ASZ_NEIGH_LEARNED)
    gateway_learned(engine, ASZ_FAMILY_IPV6);
}

static void gateway_look(struct asz_worker *worker, enum asz_family family) {
  uint64_t word = atomic_load_explicit(&worker->engine->gateway[family], memory_order_relaxed);
  worker->tx.gateway_lost[family] = (word & ASZ_RESOLVE_WORD_LOST) != 0;
  if (((word ^ worker->gateway[family]) & ~ASZ_RESOLVE_WORD_LOST) != 0 && worker->rx.run.epoch.valid) {
    uint8_t mac[6];
    asz_resolve_word_mac(mac, word);
    asz_tx_readdress(&worker->tx, family, mac);
  }
  worker->gateway[family] = word;
}

static void gateways_look(struct asz_worker *worker) {
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
    gateway_look(worker, family);
}

/* Worker 0 only. */
static bool link_poll(struct asz_worker *worker, uint64_t tsc) {
  struct asz_engine *engine = worker->engine;
  uint64_t word = atomic_load_explicit(&engine->link, memory_order_relaxed);
  bool was_down = (word & ASZ_LINK_DOWN) != 0;
  if (tsc < engine->link_tsc)
    return !was_down;
  engine->link_tsc = tsc + engine->neigh.resolve.tsc_hz / LINK_LOOKS_HZ;
  bool down = !asz_port_link_up(&engine->port);
  if (down && !was_down)
    count(worker, ASZ_CTR_LINK_LOST);
  if (!down && was_down) /* there may be somebody else at the other end now */
    for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
      asz_resolve_renew(resolve_of(engine, family), tsc);
  word = (word & ~ASZ_LINK_DOWN) + ASZ_LINK_LOOK + (down ? ASZ_LINK_DOWN : 0);
  atomic_store_explicit(&engine->link, word, memory_order_relaxed);
  return !down;
}

/* What left the port just before now left when it liked: the replies of a timeout from here on tell no RTT. */
static void doubt(struct asz_worker *worker, uint64_t tsc, enum asz_fault fault) {
  worker->doubt_until_tsc = tsc + asz_clock_ticks(&worker->tx.clock, worker->tx.plan.timeout_ns);
  worker->doubt_fault = fault;
}

/* Frames that the port took while it had no link yet, or none any more, leave when it has one: their replies tell no RTT. */
static void link_look(struct asz_worker *worker, uint64_t tsc) {
  uint64_t word = atomic_load_explicit(&worker->engine->link, memory_order_relaxed);
  bool down = (word & ASZ_LINK_DOWN) != 0;
  if (word == worker->link)
    return;
  if (!down && worker->tx.link_down && worker->rx.run.epoch.valid)
    doubt(worker, tsc, ASZ_FAULT_LINK_DOWN);
  asz_tx_link(&worker->tx, down);
  worker->link = word;
}

static void answer_heard(struct asz_worker *worker, const struct asz_rx_leftover *left, const uint8_t *bytes) {
  const bool is_sample = left->left == ASZ_RX_LEFT_SAMPLE;
  struct asz_engine_datagram datagram = {.target = left->target,
                                         .is_sample = is_sample,
                                         .size_bytes = left->frame.payload_bytes,
                                         .port = left->frame.src_port,
                                         .tsc = asz_rx_arrival_of(&worker->rx_burst, left->at)->tsc};
  if (left->frame.payload_bytes > sizeof datagram.payload) {
    count(worker, ASZ_CTR_RX_MALFORMED);
    return;
  }
  memcpy(datagram.payload, bytes + left->frame.payload_offset, left->frame.payload_bytes);
  bool queued = rte_ring_sp_enqueue_elem(worker->incoming, &datagram, sizeof datagram) == 0;
  if (is_sample)
    count(worker, queued ? ASZ_CTR_RX_SAMPLES : ASZ_CTR_RX_SAMPLES_DROPPED);
  else
    count(worker, queued ? ASZ_CTR_RX_ANSWERS : ASZ_CTR_RX_ANSWERS_DROPPED);
}

/* All resets of a burst at once. */
static void resets_send(struct asz_worker *worker) {
  const struct asz_port *port = &worker->engine->port;
  const struct asz_rx_burst *burst = &worker->rx_burst;
  struct rte_mbuf *mbuf[ASZ_BURST_MAX];
  uint16_t count = 0, made = 0, taken = 0;
  for (uint32_t i = 0; i < burst->leftover_count; i++)
    count += burst->leftover[i].left == ASZ_RX_LEFT_RESET;
  if (count > 0 && rte_pktmbuf_alloc_bulk(port->probe_pool, mbuf, count) == 0) {
    for (uint32_t i = 0; i < burst->leftover_count; i++) {
      const struct asz_rx_leftover *left = &burst->leftover[i];
      if (left->left != ASZ_RX_LEFT_RESET)
        continue;
      struct rte_mbuf *reset = mbuf[made++];
      reset->data_len = asz_tcp_reset_write(rte_pktmbuf_mtod(reset, uint8_t *), burst->bytes[left->at], &left->frame);
      reset->pkt_len = reset->data_len;
    }
    taken = rte_eth_tx_burst(port->port_id, worker->tx.queue, mbuf, made);
    rte_pktmbuf_free_bulk(mbuf + taken, made - taken);
  }
  worker->counters.value[ASZ_CTR_TX_RESETS] += taken;
  worker->counters.value[ASZ_CTR_TX_RESETS_DROPPED] += (uint64_t)(count - taken);
}

/* Who judges a frame counts it. */
static void steer(struct asz_worker *worker, uint32_t to, struct rte_mbuf *mbuf) {
  const struct asz_rx_arrival *taken = &worker->rx_burst.taken;
  struct asz_steered frame = {.mbuf = mbuf, .tsc = taken->tsc, .doubtful = taken->doubtful, .waited = taken->waited};
  if (rte_ring_mp_enqueue_elem(worker->engine->worker[to].steered, &frame, sizeof frame) == 0) {
    count(worker, ASZ_CTR_RX_STEERED);
    worker->counters.value[ASZ_CTR_RX_FRAMES]--;
    return;
  }
  rte_pktmbuf_free(mbuf);
  count(worker, ASZ_CTR_RX_STEER_DROPPED);
  worker->tx.faults.count[ASZ_FAULT_STEER_FULL]++;
}

/* Takes what it passes on out of mbuf[]. */
static void leftovers(struct asz_worker *worker, struct rte_mbuf **mbuf) {
  const struct asz_rx_burst *burst = &worker->rx_burst;
  uint64_t tsc = burst->taken.tsc;
  uint32_t workers = worker->engine->config.lcore_count;
  for (uint32_t i = 0; i < burst->leftover_count; i++) {
    const struct asz_rx_leftover *left = &burst->leftover[i];
    const uint8_t *bytes = burst->bytes[left->at];
    if (left->left == ASZ_RX_LEFT_RESET)
      continue;
    if (left->left == ASZ_RX_LEFT_ANSWER || left->left == ASZ_RX_LEFT_SAMPLE) {
      answer_heard(worker, left, bytes);
    } else if (left->left == ASZ_RX_LEFT_ARP && worker->number == 0) {
      arp_heard(worker, tsc, bytes + left->frame.l3_offset, burst->size_bytes[left->at] - left->frame.l3_offset);
    } else if (left->left == ASZ_RX_LEFT_ND && worker->number == 0) {
      nd_heard(worker, tsc, &left->frame, bytes);
    } else {
      uint32_t to = left->left == ASZ_RX_LEFT_STEER ? asz_shard_owner(left->target, workers, worker->tx.plan.target_count) : 0;
      steer(worker, to, mbuf[left->at]);
      mbuf[left->at] = NULL;
    }
  }
  resets_send(worker);
}

static void wait_account(struct asz_worker *worker, uint64_t ticks) {
  if (ticks > worker->wait_ticks_max)
    worker->wait_ticks_max = ticks;
}

/* Is the look before this one further back than the lateness bound? Whatever is found then may have waited for us that long. So
 * may what is still behind a full burst (backlog), and what comes just after the link did. */
static bool is_late(const struct asz_worker *worker, uint64_t gap_ticks, uint64_t tsc) {
  return worker->rx.run.epoch.valid && (gap_ticks > worker->tx.late_bound_ticks || tsc < worker->doubt_until_tsc);
}

/* A buffer holds more than ASZ_ETH_MAX_BYTES, so a frame in several of them is too long, whatever it is. */
static uint32_t frame_bytes(const struct rte_mbuf *mbuf) {
  return mbuf->nb_segs == 1 ? rte_pktmbuf_data_len(mbuf) : UINT32_MAX;
}

/* What is ours of what rx counted in a burst. */
static void faults_account(struct asz_worker *worker, uint64_t doubtful, uint64_t early) {
  bool doubted = worker->rx_burst.taken.tsc < worker->doubt_until_tsc;
  enum asz_fault fault = doubted ? worker->doubt_fault : ASZ_FAULT_STALLED;
  worker->tx.faults.count[fault] += worker->counters.value[ASZ_CTR_RX_DOUBTFUL] - doubtful;
  worker->tx.faults.count[ASZ_FAULT_PORT_CLOCK] += worker->counters.value[ASZ_CTR_RX_EARLY] - early;
}

static bool stamps_known(const struct asz_worker *worker, uint64_t tsc) {
  return asz_nic_known(&worker->nic, tsc) && worker->engine->port.times.rx;
}

/* Judges and frees a burst from the port; rx_burst.taken is set but for ntp64. Returns how many frames had a time of the port's,
 * which is possible only while its clock is known. */
static uint32_t burst_take(struct asz_worker *worker, struct rte_mbuf **mbuf, uint16_t taken) {
  struct asz_rx_burst *burst = &worker->rx_burst;
  uint64_t tsc = burst->taken.tsc;
  uint32_t stamped = 0;
  for (uint16_t i = 0; i < taken && i < MBUFS_AHEAD; i++)
    rte_prefetch0(mbuf[i]);
  for (uint16_t i = 0; i < taken; i++) {
    if (i + MBUFS_AHEAD < taken)
      rte_prefetch0(mbuf[i + MBUFS_AHEAD]);
    burst->bytes[i] = rte_pktmbuf_mtod(mbuf[i], const uint8_t *);
    burst->size_bytes[i] = frame_bytes(mbuf[i]);
    rte_prefetch0(burst->bytes[i]);
    rte_prefetch0(burst->bytes[i] + RTE_CACHE_LINE_SIZE);
  }
  asz_stages_end(worker->rx.stages, ASZ_STAGE_RECEIVE);
  burst->count = taken;
  burst->taken.ntp64 =
      asz_clock_ntp64(asz_clock_realtime_ns(&worker->tx.clock, tsc)); /* between epochs by the last one's clock */
  burst->timed = false;
  if (stamps_known(worker, tsc))
    stamped = asz_arrivals_read(burst, mbuf, taken, &worker->engine->port.times, &worker->nic, &worker->tx.clock,
                                tsc < worker->doubt_until_tsc, &worker->counters);
  worker->rx.run.epoch.seq_last = worker->tx.seq_last;
  uint64_t doubtful = worker->counters.value[ASZ_CTR_RX_DOUBTFUL], early = worker->counters.value[ASZ_CTR_RX_EARLY];
  asz_rx_take(&worker->rx, burst);
  faults_account(worker, doubtful, early);
  if (burst->leftover_count > 0)
    leftovers(worker, mbuf);
  rte_pktmbuf_free_bulk(mbuf, taken);
  asz_stages_end(worker->rx.stages, ASZ_STAGE_RELEASE);
  return stamped;
}

static void receive(struct asz_worker *worker, uint64_t now_tsc) {
  struct asz_rx_burst *burst = &worker->rx_burst;
  struct rte_mbuf *mbuf[ASZ_BURST_MAX];
  asz_stages_begin(worker->rx.stages);
  uint16_t taken = rte_eth_rx_burst(worker->engine->port.port_id, worker->tx.queue, mbuf, ASZ_BURST_MAX);
  uint64_t tsc = taken == 0 ? now_tsc : asz_tsc();
  uint64_t gap_ticks = tsc - worker->polled_tsc;
  bool stamps = stamps_known(worker, tsc);
  worker->polled_tsc = tsc;
  if (gap_ticks > worker->poll_ticks_max)
    worker->poll_ticks_max = gap_ticks;
  if (!stamps)
    wait_account(worker, gap_ticks);
  if (taken == 0) {
    worker->backlog = false;
    worker->drained_tsc = now_tsc;
    return;
  }
  count(worker, ASZ_CTR_RX_BURSTS);
  burst->taken.tsc = tsc;
  burst->taken.doubtful = is_late(worker, gap_ticks, tsc) || worker->backlog;
  burst->taken.waited = asz_bound_code(asz_clock_ns(&worker->tx.clock, tsc - worker->drained_tsc));
  if (taken < ASZ_BURST_MAX)
    worker->drained_tsc = now_tsc;
  worker->backlog = burst->taken.doubtful && taken == ASZ_BURST_MAX;
  uint32_t stamped = burst_take(worker, mbuf, taken);
  if (stamps) /* only a frame without a time of its own depends on when we looked */
    wait_account(worker, stamped == taken ? asz_nic_error_tsc(&worker->nic, tsc) : gap_ticks);
}

/* What other workers found for us: frames of one of their bursts stand together, and are judged by its time. */
static void steered_take(struct asz_worker *worker) {
  struct asz_steered frame[ASZ_BURST_MAX];
  struct rte_mbuf *mbuf[ASZ_BURST_MAX];
  asz_stages_begin(worker->rx.stages);
  unsigned count = rte_ring_sc_dequeue_burst_elem(worker->steered, frame, sizeof *frame, ASZ_BURST_MAX, NULL);
  for (unsigned first = 0, next; first < count; first = next) {
    for (next = first; next < count && frame[next].tsc == frame[first].tsc; next++)
      mbuf[next - first] = frame[next].mbuf;
    worker->rx_burst.taken = (struct asz_rx_arrival){
        .tsc = frame[first].tsc, .doubtful = frame[first].doubtful != 0, .waited = (uint8_t)frame[first].waited};
    (void)burst_take(worker, mbuf, (uint16_t)(next - first));
  }
}

/* Ethernet and IP in front of a UDP datagram to a target; returns where it begins. */
static uint8_t *headers_write(const struct asz_worker *worker, uint8_t *bytes, const struct asz_target *target,
                              uint16_t udp_bytes) {
  const struct asz_probe_setup *setup = &worker->tx.setup;
  enum asz_family family = asz_target_family(target);
  bool ipv6 = family == ASZ_FAMILY_IPV6;
  uint8_t *ip = bytes + ASZ_ETH_BYTES;
  asz_wire_eth_write(bytes, setup->gateway_mac[family], setup->local_mac, ipv6 ? ASZ_ETHERTYPE_IPV6 : ASZ_ETHERTYPE_IPV4);
  if (ipv6)
    asz_wire_ipv6_write(ip, setup->local_ipv6, worker->tx.plan.ipv6[target->ipv4], ASZ_PROTOCOL_UDP, DATAGRAM_TTL, udp_bytes);
  else
    asz_wire_ipv4_write(ip, setup->local_ipv4, target->ipv4, ASZ_PROTOCOL_UDP, DATAGRAM_TTL, udp_bytes);
  return ip + (ipv6 ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES);
}

/* A challenge goes to a target of the running epoch; after its end there is nobody left to ask. */
static bool datagram_send(struct asz_worker *worker, const struct asz_engine_datagram *datagram) {
  const struct asz_engine *engine = worker->engine;
  const struct asz_rx_run *run = &worker->rx.run;
  if (!run->epoch.valid || datagram->target >= run->epoch.target_count)
    return false;
  const struct asz_target *target = &worker->tx.plan.target[datagram->target];
  if (worker->tx.link_down || worker->tx.gateway_lost[asz_target_family(target)])
    return false; /* it would go nowhere, and its silence be blamed on the provider */
  if (asz_target_denied(target)) {
    count(worker, ASZ_CTR_TX_DENIED);
    return false;
  }
  uint8_t bytes[ASZ_ETH_BYTES + ASZ_IPV6_BYTES + ASZ_UDP_BYTES + ASZ_DATAGRAM_MAX_BYTES];
  uint16_t udp_bytes = (uint16_t)(ASZ_UDP_BYTES + datagram->size_bytes);
  uint16_t port = datagram->port != 0 ? datagram->port : target->challenge_port;
  uint8_t *ip = bytes + ASZ_ETH_BYTES, *udp = headers_write(worker, bytes, target, udp_bytes);
  asz_wire_udp_write(udp, engine->config.challenge_source_port, port, datagram->size_bytes);
  memcpy(udp + ASZ_UDP_BYTES, datagram->payload, datagram->size_bytes);
  asz_wire_udp_finish(ip);
  return frame_send(worker, bytes, (uint16_t)(udp - bytes + udp_bytes));
}

static void outgoing_send(struct asz_worker *worker) {
  struct asz_outgoing message;
  for (int i = 0; i < OUTGOING_PER_TURN; i++) {
    if (rte_ring_sc_dequeue_elem(worker->outgoing, &message, sizeof message) != 0)
      return;
    uint64_t tsc = asz_tsc();
    bool sent = datagram_send(worker, &message.datagram);
    if (sent)
      count(worker, ASZ_CTR_TX_CHALLENGES);
    asz_outgoing_tell(&message, sent ? tsc : UINT64_MAX);
  }
}

static void epoch_start(struct asz_worker *worker) {
  struct asz_engine *engine = worker->engine;
  const struct asz_epoch_order *order = &engine->next;
  const struct asz_plan *plan = &order->plan;
  struct asz_shard shard = asz_shard_of(worker->number, engine->config.lcore_count, plan->target_count);
  struct asz_probe_setup setup = {
      .vlan = engine->config.vlan,
      .local_ipv4 = engine->config.local_ipv4,
      .source_port_base = engine->config.source_port_base,
      .epoch = plan->epoch,
      .session = plan->session,
      .hmac = plan->hmac,
      .lanes = worker->lanes,
      .echo_id = engine->rules_echo ? (uint16_t)worker->number : 0,
      .sweep = plan->sweep,
  };
  if (!plan->sweep)
    memcpy(setup.steer, worker->rx.config.steer, sizeof setup.steer);
  memcpy(setup.local_mac, engine->port.mac, sizeof setup.local_mac);
  memcpy(setup.local_ipv6, engine->config.local_ipv6, sizeof setup.local_ipv6);
  gateways_look(worker);
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
    asz_resolve_word_mac(setup.gateway_mac[family], worker->gateway[family]);
  memcpy(setup.validator_id, plan->validator_id, sizeof setup.validator_id);
  worker->stages = (struct asz_stages){0};
  worker->tx.stages = worker->rx.stages = plan->stages ? &worker->stages : NULL;
  asz_tx_begin(&worker->tx, plan, &shard, &order->clock, &setup, asz_tsc());
  struct asz_rx_run run = {
      .epoch = {.key = worker->tx.key,
                .map = &engine->map[order->map],
                .map6 = &engine->map6[order->map],
                .target_count = plan->target_count,
                .valid = true},
      .shard = shard,
      .stats = plan->stats,
      .pairs = plan->pair_gap_ns > 0,
      .ahead_ntp64 = engine->port.times.tx ? asz_tx_lead_ntp64() : 0,
      .slots = &worker->tx.slots,
      .timeout_ns = plan->timeout_ns,
      .sample_every = plan->sample_every,
      .start_ntp64 = worker->tx.slots.start_ntp64[0],
      .setup = setup,
  };
  asz_rx_begin(&worker->rx, &run);
  worker->polled_tsc = asz_tsc();
  worker->drained_tsc = worker->polled_tsc;
  worker->poll_ticks_max = 0;
  worker->wait_ticks_max = 0;
  worker->backlog = false;
  worker->cooled = false;
  worker->phase = ASZ_PHASE_PROBING;
  atomic_store_explicit(&worker->command, ASZ_COMMAND_NONE, memory_order_release);
}

static void counters_publish(struct asz_worker *worker) {
  if (worker->number == 0)
    worker->counters.value[ASZ_CTR_NEIGH_LOST] = worker->engine->neigh.resolve.lost_count + worker->engine->nd.resolve.lost_count;
  for (int i = 0; i < ASZ_CTR_COUNT; i++)
    atomic_store_explicit(&worker->published[i], worker->counters.value[i], memory_order_relaxed);
}

static void progress_publish(struct asz_worker *worker, uint64_t tsc) {
  struct asz_shard_report report;
  asz_tx_report(&worker->tx, tsc, worker->wait_ticks_max, &report);
  asz_report_publish(&worker->live, &report);
}

/* True for the last worker to finish what is counted. */
static bool is_last(_Atomic uint32_t *unfinished) {
  return atomic_fetch_sub_explicit(unfinished, 1, memory_order_acq_rel) == 1;
}

/* Slots in which every family of the plan had lost its gateway: no target can be judged in them. */
static uint64_t slots_without_gateway(const struct asz_plan *plan, const struct asz_stats *stats) {
  uint64_t ipv4 = stats->slots_no_gateway[ASZ_FAMILY_IPV4], ipv6 = stats->slots_no_gateway[ASZ_FAMILY_IPV6];
  if (asz_plan_family_count(plan, ASZ_FAMILY_IPV6) == 0)
    return ipv4;
  return asz_plan_family_count(plan, ASZ_FAMILY_IPV4) == 0 ? ipv6 : ipv4 & ipv6;
}

/* What all lcores have to say, by the last of them. */
static void stats_join(const struct asz_engine *engine, struct asz_stats *stats) {
  struct asz_jitter jitter = {0};
  stats->shard_count = engine->config.lcore_count;
  for (uint32_t i = 0; i < engine->config.lcore_count; i++) {
    const struct asz_worker *worker = &engine->worker[i];
    asz_report_join(stats, i, &worker->report);
    for (enum asz_stage stage = 0; stage < ASZ_STAGE_COUNT; stage++)
      stats->stage_ticks[stage] += worker->stages.ticks[stage];
    asz_jitter_join(&jitter, &worker->tx.jitter);
  }
  stats->gap_jitter_p50_ns = asz_jitter_quantile_ns(&jitter, 500000);
  stats->gap_jitter_p99_ns = asz_jitter_quantile_ns(&jitter, 990000);
}

static void epoch_seal(struct asz_worker *worker) {
  struct asz_engine *engine = worker->engine;
  struct asz_stats *stats = worker->tx.plan.stats;
  asz_tx_seal(&worker->tx, worker->wait_ticks_max, &worker->report);
  worker->rx.run.epoch.seq_last = worker->tx.seq_last;
  asz_rx_seal(&worker->rx);
  worker->tx.stages = worker->rx.stages = NULL;
  counters_publish(worker);
  worker->phase = ASZ_PHASE_SEALED;
  if (is_last(&engine->unsealed)) {
    stats_join(engine, stats);
    stats->slots_unjudged |= slots_without_gateway(&worker->tx.plan, stats);
    atomic_store_explicit(&engine->phase, ASZ_PHASE_SEALED, memory_order_release);
  }
}

/* Worker 0 only. */
static void gateways_ask(struct asz_worker *worker, uint64_t tsc) {
  struct asz_engine *engine = worker->engine;
  uint8_t request[ASZ_ETH_MIN_BYTES], solicitation[ASZ_ND_FRAME_BYTES];
  if (asz_neigh_poll(&engine->neigh, tsc, request) && frame_send(worker, request, sizeof request))
    count(worker, ASZ_CTR_TX_ARP);
  if (asz_nd_poll(&engine->nd, tsc, solicitation) && frame_send(worker, solicitation, sizeof solicitation))
    count(worker, ASZ_CTR_TX_ND);
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
    atomic_store_explicit(&engine->gateway[family], asz_resolve_word(resolve_of(engine, family)), memory_order_relaxed);
}

/* Worker 0 only: a driver may make a system call of a reading, some 100 a second. */
static void port_clock_read(struct asz_worker *worker) {
  struct asz_engine *engine = worker->engine;
  struct asz_nic_clock *clock = &engine->nic_clock;
  uint64_t ticks, before_tsc = asz_tsc();
  bool read = engine->port.ops->clock_read(engine->port.port_id, &ticks) == 0;
  uint64_t after_tsc = asz_tsc();
  if (read)
    (void)asz_nic_clock_hear(clock, before_tsc, ticks, after_tsc);
  else
    clock->due_tsc = after_tsc + clock->tsc_hz / ASZ_NIC_READ_HZ;
  bool known = asz_nic_known(&clock->relation, after_tsc);
  if (engine->nic_known && !known)
    count(worker, ASZ_CTR_PORT_CLOCK_LOST);
  engine->nic_known = known;
  asz_nic_publish(&engine->nic_live, &clock->relation);
}

static void port_clock_look(struct asz_worker *worker, uint64_t tsc) {
  struct asz_engine *engine = worker->engine;
  if (!engine->port.times.rx && !engine->port.times.tx)
    return;
  if (worker->number == 0 && tsc >= engine->nic_clock.due_tsc)
    port_clock_read(worker);
  (void)asz_nic_look(&engine->nic_live, &worker->nic);
  bool known = asz_nic_known(&worker->nic, tsc), lost = worker->tx.nic_known && !known;
  if (lost && engine->port.times.tx && worker->rx.run.epoch.valid)
    doubt(worker, tsc, ASZ_FAULT_PORT_CLOCK);
  asz_tx_clock(&worker->tx, known, tsc);
}

static void housekeeping(struct asz_worker *worker, uint64_t tsc) {
  worker->housekeeping_tsc = tsc + worker->engine->neigh.resolve.tsc_hz / HOUSEKEEPING_HZ;
  if (worker->number == 0 && link_poll(worker, tsc))
    gateways_ask(worker, tsc);
  gateways_look(worker);
  link_look(worker, tsc);
  port_clock_look(worker, tsc);
  counters_publish(worker);
  if (worker->rx.run.epoch.valid)
    progress_publish(worker, tsc);
}

static void probing_turn(struct asz_worker *worker, uint64_t tsc, bool stop) {
  struct asz_engine *engine = worker->engine;
  struct asz_tx *tx = &worker->tx;
  if (stop || atomic_load_explicit(&engine->end_asked, memory_order_relaxed))
    asz_tx_cut(tx, tsc);
  asz_tx_poll(tx, tsc);
  if (!asz_tx_done(tx, tsc))
    return;
  worker->phase = ASZ_PHASE_COOLDOWN;
  if (is_last(&engine->probing))
    atomic_store_explicit(&engine->phase, ASZ_PHASE_COOLDOWN, memory_order_release);
}

/* The last probe may be answered until its timeout has passed. What came by then may still lie in the port if the prober stalled,
 * so the port must have been seen empty since: for one more timeout at most, or a flood would keep the epoch open. */
static bool all_heard(const struct asz_worker *worker, uint64_t tsc) {
  const struct asz_tx *tx = &worker->tx;
  uint64_t timeout_ticks = asz_clock_ticks(&tx->clock, tx->plan.timeout_ns);
  uint64_t over_tsc = tx->last_sent_tsc + timeout_ticks;
  return worker->drained_tsc > over_tsc || tsc > over_tsc + timeout_ticks + worker->poll_ticks_max;
}

/* A reply to another worker's probe may arrive here. */
static void cooldown_turn(struct asz_worker *worker, uint64_t tsc) {
  if (!worker->cooled && all_heard(worker, tsc)) {
    worker->cooled = true;
    (void)is_last(&worker->engine->uncooled);
  }
  if (worker->cooled && atomic_load_explicit(&worker->engine->uncooled, memory_order_acquire) == 0)
    epoch_seal(worker);
}

/* One turn of the epoch's phases. False when there is nothing to do but wait. */
static bool phase_turn(struct asz_worker *worker, uint64_t tsc, bool stop) {
  switch (worker->phase) {
  case ASZ_PHASE_PROBING:
    probing_turn(worker, tsc, stop);
    return true;
  case ASZ_PHASE_COOLDOWN:
    cooldown_turn(worker, tsc);
    return true;
  default:
    if (!stop && atomic_load_explicit(&worker->command, memory_order_acquire) == ASZ_COMMAND_BEGIN)
      epoch_start(worker);
    return false;
  }
}

static bool epoch_runs(const struct asz_worker *worker) {
  return worker->phase == ASZ_PHASE_PROBING || worker->phase == ASZ_PHASE_COOLDOWN;
}

int asz_prober_main(void *argument) {
  struct asz_worker *worker = argument;
  struct asz_engine *engine = worker->engine;
  for (;;) {
    uint64_t tsc = asz_tsc();
    bool stop = atomic_load_explicit(&engine->stop_asked, memory_order_relaxed);
    receive(worker, tsc);
    if (worker->steered != NULL && !rte_ring_empty(worker->steered))
      steered_take(worker);
    if (!rte_ring_empty(worker->outgoing))
      outgoing_send(worker);
    if (!phase_turn(worker, tsc, stop))
      rte_pause();
    if (tsc >= worker->housekeeping_tsc)
      housekeeping(worker, tsc);
    if (stop && !epoch_runs(worker))
      break;
  }
  outgoing_send(worker);
  counters_publish(worker);
  if (worker->number == 0)
    atomic_store_explicit(&engine->phase, ASZ_PHASE_STOPPED, memory_order_release);
  return 0;
}
