/* SPDX-License-Identifier: Apache-2.0 */
/* The reflector's lcore and its doors. One turn: take a burst, read the clock (T2), decide, pass challenges on, read the clock
 * (T3), make the replies, send them from the buffers they came in. T3 is early by the time that the replies of its burst take to
 * make: 64 with a MAC are under 10 us. It is advice only: a validator scores the raw round trip.
 *
 * What the lcore owns is in struct lane, with its queue, its rules and its counters; nothing in it is shared but the rings and
 * the published copies. A second lcore would be a second lane: the NIC spreads validators over queues by their addresses and
 * ports, and a validator keeps its ports for an epoch, so its rate, its epoch and its requests stay in one lane. */
#include "dataplane/reflector.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/base/clock.h"
#include "dataplane/base/ipv6.h"
#include "dataplane/port.h"
#include "dataplane/reflect.h"

enum {
  CALIBRATE_MS = 100,    /* about 1 ppm */
  RING_DATAGRAMS = 2048, /* 2.5 MB each: twice what may wait for a worker */
  ANSWERS_PER_TURN = 8,  /* between bursts of replies, never as a wall in front of them */
  PUBLISH_HZ = 1000,
  MBUFS_AHEAD = 8,
  PREFIX_BITS_MIN = 8,
  PREFIX6_BITS_MIN = 32, /* what a registry gives: nobody has more */
};

struct lane {
  uint16_t port_id, queue;
  struct rte_mempool *pool;
  struct rte_ring *challenges, *answers; /* struct asz_reflector_datagram by value */
  struct asz_reflect reflect;
  struct asz_reflect_burst burst;
  struct rte_mbuf *mbuf[ASZ_REFLECT_BURST];
  struct asz_clock clock; /* as it was at the start: what rates are kept by must not go back */
  uint64_t start_tsc, publish_tsc;
  /* shared */
  _Atomic(const struct asz_clock *) wall;
  atomic_bool stop, gateway_silent;
  _Atomic uint64_t published[ASZ_REFLECT_COUNTER_COUNT];
};

struct asz_reflector {
  struct lane lane;
  struct asz_port port;
  unsigned lcore_id;
  bool running, link_up;
  uint64_t link_lost;
  /* Written by the control thread, published whole. The one that is written next was replaced two seconds ago. */
  struct asz_clock wall_store[3];
  unsigned wall_next;
};

static void count(struct lane *lane, enum asz_reflect_counter counter, uint64_t by) {
  lane->reflect.counter[counter] += by;
}

static void send_frames(struct lane *lane, struct rte_mbuf **mbuf, uint16_t frame_count) {
  const uint16_t sent = frame_count > 0 ? rte_eth_tx_burst(lane->port_id, lane->queue, mbuf, frame_count) : 0;
  count(lane, ASZ_REFLECT_SENT, sent);
  if (sent == frame_count)
    return;
  count(lane, ASZ_REFLECT_DROPPED_TX, (uint64_t)(frame_count - sent));
  rte_pktmbuf_free_bulk(mbuf + sent, (unsigned)(frame_count - sent));
}

static struct rte_mbuf *frame_new(struct lane *lane) {
  struct rte_mbuf *mbuf = rte_pktmbuf_alloc(lane->pool);
  if (mbuf == NULL)
    count(lane, ASZ_REFLECT_DROPPED_NO_MBUF, 1);
  return mbuf;
}

static void send_copy(struct lane *lane, const uint8_t *bytes, uint32_t size_bytes) {
  struct rte_mbuf *mbuf = frame_new(lane);
  if (mbuf == NULL)
    return;
  memcpy(rte_pktmbuf_mtod(mbuf, uint8_t *), bytes, size_bytes);
  mbuf->data_len = (uint16_t)(mbuf->pkt_len = size_bytes);
  send_frames(lane, &mbuf, 1);
}

/* A frame in several buffers is longer than anything that we answer: of size 0 it is malformed. */
static void look(struct lane *lane, uint16_t taken) {
  struct rte_mbuf **mbuf = lane->mbuf;
  struct asz_reflect_burst *burst = &lane->burst;
  for (uint16_t i = 0; i < taken && i < MBUFS_AHEAD; i++)
    rte_prefetch0(mbuf[i]);
  for (uint16_t i = 0; i < taken; i++) {
    if (i + MBUFS_AHEAD < taken)
      rte_prefetch0(mbuf[i + MBUFS_AHEAD]);
    burst->bytes[i] = rte_pktmbuf_mtod(mbuf[i], uint8_t *);
    burst->size_bytes[i] = mbuf[i]->nb_segs == 1 ? rte_pktmbuf_data_len(mbuf[i]) : 0;
    rte_prefetch0(burst->bytes[i]);
    rte_prefetch0(burst->bytes[i] + RTE_CACHE_LINE_SIZE);
  }
  burst->count = taken;
}

static void pass_challenges(struct lane *lane, uint64_t rx_ns) {
  const struct asz_reflect_burst *burst = &lane->burst;
  struct asz_reflector_datagram datagram;
  for (unsigned i = 0; i < burst->request_count; i++) {
    if (burst->request[i].kind != ASZ_REFLECT_KIND_CHALLENGE || !burst->request[i].admitted)
      continue;
    asz_reflect_challenge(burst, i, rx_ns, &datagram);
    if (rte_ring_sp_enqueue_elem(lane->challenges, &datagram, sizeof datagram) != 0)
      count(lane, ASZ_REFLECT_DROPPED_RING, 1);
  }
}

static void send_replies(struct lane *lane) {
  const struct asz_reflect_burst *burst = &lane->burst;
  struct rte_mbuf *reply[ASZ_REFLECT_BURST], *rest[ASZ_REFLECT_BURST];
  uint16_t reply_count = 0;
  unsigned rest_count = 0;
  for (unsigned i = 0; i < burst->count; i++) {
    struct rte_mbuf *mbuf = lane->mbuf[i];
    if (burst->size_bytes[i] == 0) {
      rest[rest_count++] = mbuf;
      continue;
    }
    mbuf->data_len = (uint16_t)(mbuf->pkt_len = burst->size_bytes[i]);
    mbuf->ol_flags = 0; /* what the port said about the request asks nothing of it for the reply */
    reply[reply_count++] = mbuf;
  }
  send_frames(lane, reply, reply_count);
  if (rest_count > 0)
    rte_pktmbuf_free_bulk(rest, rest_count);
}

static uint64_t now_ns_of(const struct lane *lane, uint64_t tsc) {
  return asz_clock_ns(&lane->clock, tsc - lane->start_tsc);
}

static void serve_burst(struct lane *lane, uint16_t taken) {
  const uint64_t t2_tsc = asz_tsc();
  const struct asz_clock *wall = atomic_load_explicit(&lane->wall, memory_order_acquire);
  const uint64_t t2_ns = asz_clock_realtime_ns(wall, t2_tsc);
  look(lane, taken);
  asz_reflect_take(&lane->reflect, &lane->burst, now_ns_of(lane, t2_tsc));
  pass_challenges(lane, t2_ns);
  asz_reflect_finish(&lane->reflect, &lane->burst, t2_ns, asz_clock_realtime_ns(wall, asz_tsc()));
  send_replies(lane);
  for (unsigned i = 0; i < lane->burst.nd_count; i++)
    send_copy(lane, lane->burst.nd[i].bytes, lane->burst.nd[i].size_bytes);
}

static void send_answers(struct lane *lane) {
  struct asz_reflector_datagram datagram;
  for (unsigned i = 0; i < ANSWERS_PER_TURN; i++) {
    if (rte_ring_sc_dequeue_elem(lane->answers, &datagram, sizeof datagram) != 0)
      return;
    struct rte_mbuf *mbuf = frame_new(lane);
    if (mbuf == NULL)
      continue;
    mbuf->data_len = (uint16_t)(mbuf->pkt_len = asz_reflect_answer(&lane->reflect, &datagram, rte_pktmbuf_mtod(mbuf, uint8_t *)));
    send_frames(lane, &mbuf, 1);
  }
}

static void ask_gateway(struct lane *lane, uint64_t tsc) {
  uint8_t frame[ASZ_ND_FRAME_BYTES];
  if (asz_reflect_poll(&lane->reflect, now_ns_of(lane, tsc), frame))
    send_copy(lane, frame, sizeof frame);
  atomic_store_explicit(&lane->gateway_silent, lane->reflect.nd.resolve.open > ASZ_RESOLVE_TRIES, memory_order_relaxed);
}

static void publish(struct lane *lane) {
  for (unsigned i = 0; i < ASZ_REFLECT_COUNTER_COUNT; i++)
    atomic_store_explicit(&lane->published[i], lane->reflect.counter[i], memory_order_relaxed);
}

static int lane_main(void *argument) {
  struct lane *lane = argument;
  while (!atomic_load_explicit(&lane->stop, memory_order_relaxed)) {
    const uint16_t taken = rte_eth_rx_burst(lane->port_id, lane->queue, lane->mbuf, ASZ_REFLECT_BURST);
    if (taken > 0)
      serve_burst(lane, taken);
    else
      rte_pause();
    if (!rte_ring_empty(lane->answers))
      send_answers(lane);
    const uint64_t tsc = asz_tsc();
    if (tsc >= lane->publish_tsc) {
      lane->publish_tsc = tsc + lane->clock.tsc_hz / PUBLISH_HZ;
      ask_gateway(lane, tsc);
      publish(lane);
    }
  }
  send_answers(lane);
  publish(lane);
  return 0;
}

static int check_config(const struct asz_reflector_config *config, struct asz_diag *diag) {
  const char *wrong = NULL;
  const bool ipv6 = !asz_ipv6_is_none(config->local_ipv6);
  if (config->local_ipv4 == 0 && !ipv6)
    wrong = "local_ipv4, local_ipv6: expected an address of our own";
  else if (ipv6 && !asz_ipv6_is_host(config->local_ipv6))
    wrong = "local_ipv6: expected an address that a host can have";
  else if (config->prefix_bits < PREFIX_BITS_MIN || config->prefix_bits > 32)
    wrong = "prefix_bits: expected 8..32";
  else if (config->prefix6_bits < PREFIX6_BITS_MIN || config->prefix6_bits > 128)
    wrong = "prefix6_bits: expected 32..128";
  else if (!asz_ipv6_is_none(config->gateway_ipv6) && (!ipv6 || !asz_ipv6_is_host(config->gateway_ipv6)))
    wrong = "gateway_ipv6: expected another host's address, beside one of our own";
  else if (config->stamp_port == 0 || config->challenge_port == 0 || config->stamp_port == config->challenge_port)
    wrong = "stamp_port, challenge_port: expected two different ports";
  return wrong == NULL ? 0 : asz_diag_set(diag, ASZ_EINVAL, "reflector: %s", wrong);
}

static struct rte_ring *ring_make(const char *name) {
  return rte_ring_create_elem(name, sizeof(struct asz_reflector_datagram), RING_DATAGRAMS, SOCKET_ID_ANY,
                              RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static int take_rings(struct lane *lane, struct asz_diag *diag) {
  lane->challenges = ring_make("reflector_challenges");
  lane->answers = ring_make("reflector_answers");
  if (lane->challenges != NULL && lane->answers != NULL)
    return 0;
  return asz_diag_set(diag, ASZ_ENOMEM, "reflector: no memory for its rings: give EAL more");
}

static void lane_set(struct lane *lane, const struct asz_reflector_config *config, const struct asz_port *port,
                     const struct asz_clock *wall) {
  lane->port_id = config->port_id;
  lane->pool = port->frame_pool;
  lane->clock = *wall;
  atomic_init(&lane->wall, wall);
  asz_reflect_init(&lane->reflect, port->mac, config);
}

/* Solicitations of one address come to one group; those of a prefix to as many as it has addresses that end differently. */
static int listen_ipv6(const struct asz_port *port, const struct asz_reflector_config *config, struct asz_diag *diag) {
  uint8_t group[16], group_mac[6];
  if (asz_ipv6_is_none(config->local_ipv6))
    return 0;
  asz_ipv6_solicited(group, config->local_ipv6);
  asz_ipv6_multicast_mac(group_mac, group);
  return asz_port_multicast(port, config->prefix6_bits == 128 ? group_mac : NULL, diag);
}

int asz_reflector_new(struct asz_reflector **ret_reflector, const struct asz_reflector_config *config, struct asz_diag *diag) {
  int err = check_config(config, diag);
  if (err != 0)
    return err;
  struct asz_reflector *reflector = calloc(1, sizeof *reflector);
  if (reflector == NULL)
    return asz_diag_set(diag, ASZ_ENOMEM, "out of memory");
  reflector->lcore_id = config->lcore_id;
  if (asz_clock_calibrate(&reflector->wall_store[0], CALIBRATE_MS) != 0)
    err = asz_diag_set(diag, ASZ_EDEVICE, "the time-stamp counter does not advance");
  if (err == 0)
    err = asz_port_open(&reflector->port, config->port_id, &(struct asz_port_options){.queue_count = 1}, diag);
  if (err == 0)
    err = listen_ipv6(&reflector->port, config, diag);
  if (err == 0)
    err = take_rings(&reflector->lane, diag);
  if (err != 0) {
    asz_reflector_free(reflector);
    return err;
  }
  reflector->wall_next = 1;
  reflector->link_up = true; /* opening waited for it */
  lane_set(&reflector->lane, config, &reflector->port, &reflector->wall_store[0]);
  *ret_reflector = reflector;
  return 0;
}

int asz_reflector_launch(struct asz_reflector *reflector) {
  assert(!reflector->running);
  reflector->lane.start_tsc = asz_tsc();
  if (rte_eal_remote_launch(lane_main, &reflector->lane, reflector->lcore_id) != 0)
    return ASZ_EDEVICE;
  reflector->running = true;
  return 0;
}

void asz_reflector_stop(struct asz_reflector *reflector) {
  if (!reflector->running)
    return;
  atomic_store(&reflector->lane.stop, true);
  (void)rte_eal_wait_lcore(reflector->lcore_id);
  reflector->running = false;
}

void asz_reflector_free(struct asz_reflector *reflector) {
  if (reflector == NULL)
    return;
  asz_reflector_stop(reflector);
  asz_port_close(&reflector->port);
  rte_ring_free(reflector->lane.challenges);
  rte_ring_free(reflector->lane.answers);
  free(reflector);
}

bool asz_reflector_tend(struct asz_reflector *reflector) {
  struct asz_clock *wall = &reflector->wall_store[reflector->wall_next];
  *wall = *atomic_load_explicit(&reflector->lane.wall, memory_order_relaxed);
  if (asz_clock_resample(wall) == 0) {
    atomic_store_explicit(&reflector->lane.wall, wall, memory_order_release);
    reflector->wall_next = (reflector->wall_next + 1) % 3;
  }
  struct rte_eth_link link = {0};
  const bool up = rte_eth_link_get_nowait(reflector->port.port_id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
  if (reflector->link_up && !up)
    reflector->link_lost++;
  reflector->link_up = up;
  return up;
}

bool asz_reflector_gateway_silent(const struct asz_reflector *reflector) {
  return atomic_load_explicit(&reflector->lane.gateway_silent, memory_order_relaxed);
}

int asz_reflector_challenge_recv(struct asz_reflector *reflector, struct asz_reflector_datagram *ret_datagram) {
  return rte_ring_sc_dequeue_elem(reflector->lane.challenges, ret_datagram, sizeof *ret_datagram) == 0;
}

int asz_reflector_answer_send(struct asz_reflector *reflector, const struct asz_reflector_datagram *datagram) {
  struct rte_ring *ring = reflector->lane.answers;
  return rte_ring_sp_enqueue_elem(ring, (void *)(uintptr_t)datagram, sizeof *datagram) == 0 ? 0 : ASZ_EAGAIN;
}

void asz_reflector_counters(const struct asz_reflector *reflector, uint64_t ret_value[ASZ_REFLECT_COUNTER_COUNT]) {
  for (unsigned i = 0; i < ASZ_REFLECT_COUNTER_COUNT; i++)
    ret_value[i] = atomic_load_explicit(&reflector->lane.published[i], memory_order_relaxed);
  ret_value[ASZ_REFLECT_MISSED] = asz_port_missed(&reflector->port);
  ret_value[ASZ_REFLECT_LINK_LOST] = reflector->link_lost;
}
