/* SPDX-License-Identifier: Apache-2.0 */
/* How many round trips one prober lcore does: it makes, sends, receives, validates and records probes of
 * one kind (`stamp`, or --kind stamp-auth); a second lcore
 * turns each frame round in place, as a reflector would, and sends it back through a net_ring port. The mbufs cross between two
 * cores' caches both ways, as they would between a NIC's memory and a core.
 *
 * The rate asked for is more than a core can do. The loop clocks itself all the same: one turn sends a burst and takes a burst,
 * so as long as the reflector is the faster one (it is, by far, on a core of its own) nothing queues up and nothing is refused.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_eth_ring.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "bench/rig.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/wire.h"
#include "dataplane/eal.h"
#include "dataplane/probes/probe.h"

/* RING_FRAMES: two bursts. Once more frames are on their way, as many stay on their way, since every turn sends a burst and takes
 * one: with rings of 2,048 a reflector that was away for a moment left frames that no cache near a core holds, and a third of the
 * rate. */
enum { RING_FRAMES = 128, CPU_SAMPLE_TURNS = 4096 };

struct reflector {
  struct rte_ring *requests, *replies;
  _Atomic bool stop;
  _Atomic uint64_t cpu_ns;         /* of its thread, refreshed now and then */
  const struct asz_hmac_key *hmac; /* ASZ_RIG_KEYS, for `stamp-auth`; else NULL */
  struct asz_hmac_lanes *lanes;
};

static void swap_bytes(uint8_t *a, uint8_t *b, size_t size) {
  uint8_t kept[6];
  memcpy(kept, a, size);
  memcpy(a, b, size);
  memcpy(b, kept, size);
}

static void turn_round(uint8_t *eth) {
  uint8_t *ip = eth + ASZ_ETH_BYTES, *udp = ip + ASZ_IPV4_BYTES;
  swap_bytes(eth + ASZ_ETH_DST, eth + ASZ_ETH_SRC, 6);
  swap_bytes(ip + ASZ_IPV4_SRC, ip + ASZ_IPV4_DST, 4);
  swap_bytes(udp + ASZ_UDP_SRC, udp + ASZ_UDP_DST, 2);
}

/* A reflector whose clock reads zero: T2 = T3 = 0. The UDP checksum changes by what changes in the payload: the sender's
 * sequence, time and error estimate come in twice, its time and error estimate go out once. */
static void reflect_stamp(uint8_t *eth) {
  uint8_t *ip = eth + ASZ_ETH_BYTES, *udp = ip + ASZ_IPV4_BYTES, *payload = udp + ASZ_UDP_BYTES;
  memcpy(payload + ASZ_STAMP_SENDER_SEQ, payload + ASZ_STAMP_SEQ, ASZ_STAMP_SSID);
  memset(payload + ASZ_STAMP_TIME, 0, ASZ_STAMP_SSID - ASZ_STAMP_TIME);
  payload[ASZ_STAMP_SENDER_TTL] = ip[ASZ_IPV4_TTL];
  uint64_t sum = (uint16_t)~asz_be16_load(udp + ASZ_UDP_CHECKSUM);
  sum += (uint64_t)asz_be32_load(payload + ASZ_STAMP_SEQ) + ((uint32_t)ip[ASZ_IPV4_TTL] << 8);
  uint16_t checksum = asz_sum_fold(sum);
  asz_be16_store(udp + ASZ_UDP_CHECKSUM, checksum == 0 ? 0xffff : checksum);
}

/* Without T2 and without looking at the request's HMAC: this reflector shall be the faster one. */
static void reflect_auth(const struct reflector *reflector, uint8_t *const *eth, unsigned count) {
  const struct asz_hmac_key *key[ASZ_BURST_MAX];
  const uint8_t *message[ASZ_BURST_MAX];
  uint8_t tag[ASZ_BURST_MAX][ASZ_HMAC_TAG_BYTES];
  for (unsigned i = 0; i < count; i++) {
    uint8_t *ip = eth[i] + ASZ_ETH_BYTES, *payload = ip + ASZ_IPV4_BYTES + ASZ_UDP_BYTES;
    key[i] = &reflector->hmac[(asz_be32_load(ip + ASZ_IPV4_SRC) - ASZ_RIG_FIRST) % ASZ_RIG_KEYS];
    memcpy(payload + ASZ_STAMP_AUTH_SENDER_SEQ, payload + ASZ_STAMP_AUTH_SEQ, ASZ_STAMP_AUTH_SSID);
    message[i] = payload;
  }
  asz_hmac_many(reflector->lanes, key, message, tag, count);
  for (unsigned i = 0; i < count; i++) {
    uint8_t *ip = eth[i] + ASZ_ETH_BYTES;
    memcpy(ip + ASZ_IPV4_BYTES + ASZ_UDP_BYTES + ASZ_STAMP_AUTH_HMAC, tag[i], sizeof tag[i]);
    asz_be16_store(ip + ASZ_IPV4_BYTES + ASZ_UDP_CHECKSUM, 0); /* none, as IPv4 allows */
  }
}

static void burst_reflect(const struct reflector *reflector, struct rte_mbuf *const *mbuf, unsigned count) {
  uint8_t *eth[ASZ_BURST_MAX];
  for (unsigned i = 0; i < count; i++) {
    eth[i] = rte_pktmbuf_mtod(mbuf[i], uint8_t *);
    turn_round(eth[i]);
    if (reflector->hmac == NULL)
      reflect_stamp(eth[i]);
  }
  if (reflector->hmac != NULL && count > 0)
    reflect_auth(reflector, eth, count);
}

static int reflector_main(void *argument) {
  struct reflector *reflector = argument;
  struct rte_mbuf *mbuf[ASZ_BURST_MAX];
  uint64_t turn = 0;
  while (!atomic_load_explicit(&reflector->stop, memory_order_relaxed)) {
    unsigned count = rte_ring_sc_dequeue_burst(reflector->requests, (void **)mbuf, ASZ_BURST_MAX, NULL);
    for (unsigned i = 0; i < count; i++)
      rte_prefetch0(mbuf[i]);
    for (unsigned i = 0; i < count; i++) {
      rte_prefetch0(rte_pktmbuf_mtod(mbuf[i], void *));
      rte_prefetch0(rte_pktmbuf_mtod_offset(mbuf[i], void *, RTE_CACHE_LINE_SIZE));
    }
    burst_reflect(reflector, mbuf, count);
    unsigned sent = rte_ring_sp_enqueue_burst(reflector->replies, (void **)mbuf, count, NULL);
    rte_pktmbuf_free_bulk(mbuf + sent, count - sent);
    if (turn++ % CPU_SAMPLE_TURNS == 0)
      atomic_store_explicit(&reflector->cpu_ns, asz_rig_cpu_ns(CLOCK_THREAD_CPUTIME_ID), memory_order_relaxed);
  }
  return 0;
}

static uint64_t reflector_cpu_ns(void *argument) {
  struct reflector *reflector = argument;
  return atomic_load_explicit(&reflector->cpu_ns, memory_order_relaxed);
}

static int hmac_make(struct reflector *reflector) {
  static struct asz_hmac_key hmac[ASZ_RIG_KEYS];
  for (uint32_t i = 0; i < ASZ_RIG_KEYS; i++)
    asz_rig_hmac_key(&hmac[i], i);
  reflector->hmac = hmac;
  return asz_hmac_lanes_new(&reflector->lanes);
}

static int reflector_start(struct reflector *reflector, uint16_t *ret_port_id) {
  reflector->requests = rte_ring_create("bench_requests", RING_FRAMES, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
  reflector->replies = rte_ring_create("bench_replies", RING_FRAMES, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
  int port = -1;
  if (reflector->requests != NULL && reflector->replies != NULL)
    port = rte_eth_from_rings("bench", &reflector->replies, 1, &reflector->requests, 1, 0);
  int lcore = asz_eal_worker(1);
  if (port < 0 || lcore < 0 || rte_eal_remote_launch(reflector_main, reflector, (unsigned)lcore) != 0) {
    fprintf(stderr, "bench_loop: can't make a ring port and a second lcore\n");
    return ASZ_EDEVICE;
  }
  *ret_port_id = (uint16_t)port;
  return 0;
}

static void reflector_stop(struct reflector *reflector) {
  atomic_store(&reflector->stop, true);
  (void)rte_eal_wait_lcore((unsigned)asz_eal_worker(1));
}

int main(int argc, char **argv) {
  struct asz_rig rig = {.name = "loop", .counter = ASZ_CTR_RX_ANSWERED};
  struct asz_bench_args args;
  int status = asz_rig_parse(&args, &rig, argc, argv);
  if (status >= 0)
    return status;
  if (rig.kind != ASZ_PROBE_STAMP && rig.kind != ASZ_PROBE_STAMP_AUTH) {
    fprintf(stderr, "bench_loop: --kind is %s, expected stamp or stamp-auth: its reflector speaks no other\n",
            asz_probe_name(rig.kind));
    return 2;
  }
  if (rig.lcores != 1) {
    fprintf(stderr, "bench_loop: --lcores is %u, expected 1: its reflector has one queue\n", rig.lcores);
    return 2;
  }
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, 2);
  if (asz_rig_start(&rig, &args, lcores, NULL) != 0)
    return 1;
  struct reflector reflector = {0};
  struct asz_rig_result result;
  uint16_t port_id;
  int err = rig.kind == ASZ_PROBE_STAMP_AUTH ? hmac_make(&reflector) : 0;
  if (err == 0)
    err = reflector_start(&reflector, &port_id);
  if (err == 0) {
    rig.other_cpu_ns = reflector_cpu_ns;
    rig.other = &reflector;
    err = asz_rig_run(&result, &rig, port_id);
    reflector_stop(&reflector);
  }
  if (err == 0)
    asz_rig_print(&args, &rig, &result, "a real port; loss; the reflector's cost; cycles are the prober's CPU time in TSC ticks");
  asz_hmac_lanes_free(reflector.lanes);
  asz_eal_stop();
  return err == 0 ? 0 : 1;
}
