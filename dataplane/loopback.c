/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/loopback.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_eth_ring.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/wire.h"
#include "dataplane/bigmem.h"
#include "dataplane/probes/probe.h"

enum {
  CPU_SAMPLE_TURNS = 4096,
  KEYS = 4096, /* different HMAC keys, so that the reflector has them in its cache; the prober has one a target */
  STANDING_NTP64 = 1,
  FIRST_IPV4 = 0x0a400001,
  LOCAL_IPV4 = 0x0a3ffffd,
  GATEWAY_IPV4 = 0x0a3ffffe,
};
#define PORT_NAME "asz_loopback"
static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 1};

struct asz_loopback {
  enum asz_probe kind;
  uint32_t count;
  struct asz_target *target;
  struct asz_session *session; /* stamp-tlv */
  struct asz_hmac_key *hmac;   /* stamp-auth */

  struct rte_ring *requests, *replies;
  struct asz_hmac_lanes *lanes;
  bool has_port, running;
  unsigned lcore_id;
  _Atomic bool stop;
  _Atomic uint64_t cpu_ns;
};

/* ---- tables ---- */

static int tables_take(struct asz_loopback *l) {
  int err = asz_bigmem_new((void **)&l->target, l->count * sizeof *l->target, -1);
  if (err == 0 && l->kind == ASZ_PROBE_STAMP_TLV)
    err = asz_bigmem_new((void **)&l->session, l->count * sizeof *l->session, -1);
  if (err == 0 && l->kind == ASZ_PROBE_STAMP_AUTH)
    err = asz_bigmem_new((void **)&l->hmac, l->count * sizeof *l->hmac, -1);
  return err;
}

static void tables_fill(struct asz_loopback *l) {
  for (uint32_t i = 0; i < l->count; i++) {
    l->target[i] = (struct asz_target){.ipv4 = FIRST_IPV4 + i, .port = ASZ_STAMP_PORT, .probe = (uint8_t)l->kind};
    if (l->session != NULL)
      memcpy(l->session[i].request_key, &i, sizeof i);
    if (l->hmac != NULL && i < KEYS)
      asz_hmac_key_set(&l->hmac[i], &i, sizeof i);
    else if (l->hmac != NULL)
      l->hmac[i] = l->hmac[i % KEYS];
  }
}

int asz_loopback_new(struct asz_loopback **ret_loopback, enum asz_probe kind, uint32_t count) {
  assert(count >= 1 && count <= ASZ_LOOPBACK_TARGETS_MAX && kind < ASZ_PROBE_COUNT);
  struct asz_loopback *l = calloc(1, sizeof *l);
  if (l == NULL)
    return ASZ_ENOMEM;
  l->kind = kind;
  l->count = count;
  int err = tables_take(l);
  if (err != 0) {
    asz_loopback_free(l);
    return err;
  }
  tables_fill(l);
  *ret_loopback = l;
  return 0;
}

void asz_loopback_plan(const struct asz_loopback *l, struct asz_plan *plan) {
  plan->target_count = l->count;
  plan->target = l->target;
  plan->session = l->session;
  plan->hmac = l->hmac;
}

void asz_loopback_engine(const struct asz_loopback *l, struct asz_engine_config *config) {
  config->local_ipv4 = LOCAL_IPV4;
  config->gateway_ipv4 = GATEWAY_IPV4;
  memcpy(config->gateway_mac, gateway_mac, sizeof config->gateway_mac);
  config->target_count_max = l->count;
}

/* ---- the reflecting lcore ---- */

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

/* Whose reply a frame is that has been turned round. */
static uint32_t provider_of(const uint8_t *eth) {
  return asz_be32_load(eth + ASZ_ETH_BYTES + ASZ_IPV4_SRC) - FIRST_IPV4;
}

static uint8_t *payload_of(uint8_t *eth) {
  return eth + ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES;
}

static void checksum_set(uint8_t *eth, uint16_t checksum) {
  asz_be16_store(eth + ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_CHECKSUM, checksum);
}

/* A reflector whose clock stands: T2 = T3. The UDP checksum changes by what changes in the payload: the sender's sequence, time
 * and error estimate come in twice, its time and error estimate go out once. */
static void reflect_stamp(uint8_t *eth) {
  uint8_t *ip = eth + ASZ_ETH_BYTES, *udp = ip + ASZ_IPV4_BYTES, *payload = udp + ASZ_UDP_BYTES;
  memcpy(payload + ASZ_STAMP_SENDER_SEQ, payload + ASZ_STAMP_SEQ, ASZ_STAMP_SSID);
  memset(payload + ASZ_STAMP_ERROR, 0, ASZ_STAMP_SSID - ASZ_STAMP_ERROR);
  asz_be64_store(payload + ASZ_STAMP_TIME, STANDING_NTP64);
  asz_be64_store(payload + ASZ_STAMP_RX_TIME, STANDING_NTP64);
  payload[ASZ_STAMP_SENDER_TTL] = ip[ASZ_IPV4_TTL];
  uint64_t sum = (uint16_t)~asz_be16_load(udp + ASZ_UDP_CHECKSUM);
  sum += (uint64_t)asz_be32_load(payload + ASZ_STAMP_SEQ) + ((uint32_t)ip[ASZ_IPV4_TTL] << 8) + 2 * STANDING_NTP64;
  uint16_t checksum = asz_sum_fold(sum);
  checksum_set(eth, checksum == 0 ? 0xffff : checksum);
}

/* The reply's MAC is made, the request's not looked at, nor is there a UDP checksum, as IPv4 allows: this reflector shall be the
 * faster one. */
static void reflect_tlv(const struct asz_loopback *l, uint8_t *eth) {
  uint8_t ttl = eth[ASZ_ETH_BYTES + ASZ_IPV4_TTL];
  int size = asz_stamp_reflect(payload_of(eth), ASZ_STAMP_TLV_BYTES, STANDING_NTP64, STANDING_NTP64, 0, ttl,
                               &l->session[provider_of(eth) % l->count]);
  assert(size == ASZ_STAMP_TLV_BYTES);
  (void)size;
  checksum_set(eth, 0);
}

/* Again without looking at the request's HMAC. */
static void reflect_auth(const struct asz_loopback *l, uint8_t *const *eth, unsigned count) {
  const struct asz_hmac_key *key[ASZ_BURST_MAX];
  const uint8_t *message[ASZ_BURST_MAX];
  uint8_t tag[ASZ_BURST_MAX][ASZ_HMAC_TAG_BYTES];
  const uint32_t keys = l->count < KEYS ? l->count : KEYS;
  for (unsigned i = 0; i < count; i++) {
    uint8_t *payload = payload_of(eth[i]);
    key[i] = &l->hmac[provider_of(eth[i]) % keys];
    memcpy(payload + ASZ_STAMP_AUTH_SENDER_SEQ, payload + ASZ_STAMP_AUTH_SEQ, ASZ_STAMP_AUTH_SSID);
    asz_be64_store(payload + ASZ_STAMP_AUTH_TIME, STANDING_NTP64);
    asz_be64_store(payload + ASZ_STAMP_AUTH_RX_TIME, STANDING_NTP64);
    message[i] = payload;
  }
  asz_hmac_many(l->lanes, key, message, tag, count);
  for (unsigned i = 0; i < count; i++) {
    memcpy(payload_of(eth[i]) + ASZ_STAMP_AUTH_HMAC, tag[i], sizeof tag[i]);
    checksum_set(eth[i], 0);
  }
}

static void burst_reflect(const struct asz_loopback *l, struct rte_mbuf *const *mbuf, unsigned count) {
  uint8_t *eth[ASZ_BURST_MAX];
  for (unsigned i = 0; i < count; i++) {
    eth[i] = rte_pktmbuf_mtod(mbuf[i], uint8_t *);
    turn_round(eth[i]);
    if (l->kind == ASZ_PROBE_STAMP)
      reflect_stamp(eth[i]);
    else if (l->kind == ASZ_PROBE_STAMP_TLV)
      reflect_tlv(l, eth[i]);
  }
  if (l->kind == ASZ_PROBE_STAMP_AUTH && count > 0)
    reflect_auth(l, eth, count);
}

/* Takes no more than it can give back, so that nothing is lost here: what is too much is refused at the other end. */
static int reflector_main(void *argument) {
  struct asz_loopback *l = argument;
  struct rte_mbuf *mbuf[ASZ_BURST_MAX];
  uint64_t turn = 0;
  while (!atomic_load_explicit(&l->stop, memory_order_relaxed)) {
    unsigned room = RTE_MIN(rte_ring_free_count(l->replies), (unsigned)ASZ_BURST_MAX);
    unsigned count = rte_ring_sc_dequeue_burst(l->requests, (void **)mbuf, room, NULL);
    for (unsigned i = 0; i < count; i++)
      rte_prefetch0(mbuf[i]);
    for (unsigned i = 0; i < count; i++) {
      rte_prefetch0(rte_pktmbuf_mtod(mbuf[i], void *));
      rte_prefetch0(rte_pktmbuf_mtod_offset(mbuf[i], void *, RTE_CACHE_LINE_SIZE));
    }
    burst_reflect(l, mbuf, count);
    unsigned sent = rte_ring_sp_enqueue_burst(l->replies, (void **)mbuf, count, NULL);
    assert(sent == count);
    (void)sent;
    if (turn++ % CPU_SAMPLE_TURNS == 0)
      atomic_store_explicit(&l->cpu_ns, asz_clock_thread_cpu_ns(), memory_order_relaxed);
  }
  return 0;
}

/* ---- the port ---- */

bool asz_loopback_speaks(enum asz_probe kind) {
  return kind == ASZ_PROBE_STAMP || kind == ASZ_PROBE_STAMP_TLV || kind == ASZ_PROBE_STAMP_AUTH;
}

int asz_loopback_open(struct asz_loopback *l, unsigned lcore_id, unsigned ring_frames, uint16_t *ret_port_id) {
  assert(asz_loopback_speaks(l->kind) && !l->has_port);
  const unsigned one_to_one = RING_F_SP_ENQ | RING_F_SC_DEQ;
  l->requests = rte_ring_create("asz_loopback_from", ring_frames, SOCKET_ID_ANY, one_to_one);
  l->replies = rte_ring_create("asz_loopback_to", ring_frames, SOCKET_ID_ANY, one_to_one);
  if (l->requests == NULL || l->replies == NULL || asz_hmac_lanes_new(&l->lanes) != 0)
    return ASZ_ENOMEM;
  int port = rte_eth_from_rings(PORT_NAME, &l->replies, 1, &l->requests, 1, 0);
  if (port < 0)
    return ASZ_EDEVICE;
  l->has_port = true;
  l->lcore_id = lcore_id;
  if (rte_eal_remote_launch(reflector_main, l, lcore_id) != 0)
    return ASZ_EDEVICE;
  l->running = true;
  *ret_port_id = (uint16_t)port;
  return 0;
}

uint64_t asz_loopback_cpu_ns(const struct asz_loopback *l) {
  return atomic_load_explicit(&l->cpu_ns, memory_order_relaxed);
}

void asz_loopback_stop(struct asz_loopback *l) {
  if (l == NULL || !l->running)
    return;
  atomic_store_explicit(&l->stop, true, memory_order_relaxed);
  (void)rte_eal_wait_lcore(l->lcore_id);
  l->running = false;
}

/* The buffers in the rings were an engine's, whose pools are gone with it: they are left alone. */
void asz_loopback_free(struct asz_loopback *l) {
  if (l == NULL)
    return;
  asz_loopback_stop(l);
  if (l->has_port)
    rte_vdev_uninit("net_ring_" PORT_NAME);
  rte_ring_free(l->requests);
  rte_ring_free(l->replies);
  asz_hmac_lanes_free(l->lanes);
  asz_bigmem_free(l->target, l->count * sizeof *l->target);
  asz_bigmem_free(l->session, l->count * sizeof *l->session);
  asz_bigmem_free(l->hmac, l->count * sizeof *l->hmac);
  free(l);
}
