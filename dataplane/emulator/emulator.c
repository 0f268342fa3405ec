/* SPDX-License-Identifier: Apache-2.0 */
/* The emulator's life and the doors of its control thread. The prober sees an ordinary DPDK port: net_ring turns the two rings
 * into one, so that the engine under test runs the same code as on a NIC. */
#include "dataplane/emulator/emulator.h"

#include <assert.h>
#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/bigmem.h"
#include "dataplane/emulator/faults.h"
#include "dataplane/emulator/internal.h"

#define PORT_NAME "asz_lab"

enum {
  PROVIDERS_MAX = 1 << 20,
  IN_FLIGHT_MAX = 1 << 22,
  CALIBRATE_MS = 100,
  POOL_CACHE = 256,
  /* Small buffers beyond those on the delay line: in the ring to the prober, in its bursts, in the caches of the lcores. */
  SMALL_SPARE = ASZ_EMULATOR_RING_FRAMES + 8192,
};

/* Locally administered, so it is nobody's. */
const uint8_t asz_emulator_prefix[12] = {0xfd, 0x61, 0x73, 0x7a};
const uint8_t asz_emulator_gateway_mac[6] = {0x02, 0x61, 0x73, 0x7a, 0x67, 0x77};

const uint8_t asz_emulator_gateway_ipv6[16] = {0xfe, 0x80, [10] = 0x61, 0x73, 0x7a, 0, 0, 1};

bool asz_emulator_has_ipv6(uint32_t ipv6_ppm, uint32_t provider) {
  return ((uint64_t)provider + 1) * ipv6_ppm / ASZ_EMULATOR_PPM > (uint64_t)provider * ipv6_ppm / ASZ_EMULATOR_PPM;
}

void asz_emulator_ipv6(uint8_t ret_ipv6[16], uint32_t ipv4) {
  memcpy(ret_ipv6, asz_emulator_prefix, sizeof asz_emulator_prefix);
  asz_be32_store(ret_ipv6 + sizeof asz_emulator_prefix, ipv4);
}

void asz_emulator_config_default(struct asz_emulator_config *ret_config) {
  *ret_config = (struct asz_emulator_config){
      .lcore_id = 2,
      .provider_count = 1000,
      .interval_ns = 1000000000,
      .base_ipv4 = 10u << 24 | 64u << 16 | 1,
      .gateway_ipv4 = 10u << 24 | 63u << 16 | 255u << 8 | 254,
      .seed = 1,
      .timeout_ns = 1000000000,
      .in_flight_max = 65536,
  };
}

static int check_config(const struct asz_emulator_config *config, struct asz_diag *diag) {
  if (config->provider_count == 0 || config->provider_count > PROVIDERS_MAX)
    return asz_diag_set(diag, ASZ_EINVAL, "emulator: provider_count: expected 1 to %d, got %u", PROVIDERS_MAX,
                        config->provider_count);
  if (config->base_ipv4 + (config->provider_count - 1) < config->base_ipv4)
    return asz_diag_set(diag, ASZ_EINVAL, "emulator: base_ipv4: expected room for %u addresses behind it",
                        config->provider_count);
  if (config->gateway_ipv4 - config->base_ipv4 < config->provider_count)
    return asz_diag_set(diag, ASZ_EINVAL, "emulator: gateway_ipv4: expected an address outside those of the providers");
  if (config->ipv6_ppm > ASZ_EMULATOR_PPM)
    return asz_diag_set(diag, ASZ_EINVAL, "emulator: ipv6_ppm: expected 0 to %d, got %u", ASZ_EMULATOR_PPM, config->ipv6_ppm);
  if (config->in_flight_max == 0 || config->in_flight_max > IN_FLIGHT_MAX)
    return asz_diag_set(diag, ASZ_EINVAL, "emulator: in_flight_max: expected 1 to %d, got %u", IN_FLIGHT_MAX,
                        config->in_flight_max);
  if (!rte_lcore_is_enabled(config->lcore_id) || config->lcore_id == rte_get_main_lcore())
    return asz_diag_set(diag, ASZ_EINVAL, "emulator: lcore_id: expected a worker lcore of the EAL, got %u", config->lcore_id);
  for (uint32_t i = 0; i < config->provider_count; i++)
    if (!asz_truth_ok(&config->truth[i]))
      return asz_diag_set(diag, ASZ_EINVAL, "emulator: truth of provider %u: expected a known cheat and shares of at most %d ppm",
                          i, ASZ_EMULATOR_PPM);
  return 0;
}

static size_t truth_bytes(const struct asz_emulator *e) {
  return e->config.provider_count * sizeof *e->truth;
}

static size_t deed_bytes(const struct asz_emulator *e) {
  return e->config.provider_count * sizeof *e->deed;
}

static size_t way_bytes(const struct asz_emulator *e) {
  return e->config.provider_count * sizeof *e->way;
}

static int make_memory(struct asz_emulator *e, const struct asz_truth *truth, int socket) {
  void *memory;
  int err = asz_bigmem_new(&memory, truth_bytes(e), socket);
  if (err)
    return err;
  e->truth = memcpy(memory, truth, truth_bytes(e));
  e->config.truth = e->truth;
  if ((err = asz_bigmem_new(&memory, deed_bytes(e), socket)))
    return err;
  e->deed = memory;
  if ((err = asz_bigmem_new(&memory, way_bytes(e), socket)))
    return err;
  e->way = memory;
  return asz_delay_new(&e->delay, e->config.in_flight_max);
}

static int make_rings(struct asz_emulator *e, int socket) {
  const unsigned one_to_one = RING_F_SP_ENQ | RING_F_SC_DEQ;
  const unsigned datagram_bytes = sizeof(struct asz_emulator_datagram);
  bool ok = (e->from_prober = rte_ring_create("asz_lab_from", ASZ_EMULATOR_RING_FRAMES, socket, one_to_one)) &&
            (e->to_prober = rte_ring_create("asz_lab_to", ASZ_EMULATOR_RING_FRAMES, socket, one_to_one)) &&
            (e->challenges = rte_ring_create_elem("asz_lab_ask", datagram_bytes, ASZ_EMULATOR_DATAGRAMS, socket, one_to_one)) &&
            (e->answers = rte_ring_create_elem("asz_lab_say", datagram_bytes, ASZ_EMULATOR_DATAGRAMS, socket, one_to_one)) &&
            (e->small = rte_pktmbuf_pool_create("asz_lab_small", e->config.in_flight_max + SMALL_SPARE, POOL_CACHE, 0,
                                                RTE_PKTMBUF_HEADROOM + ASZ_EMULATOR_SMALL_BYTES, socket)) &&
            (e->large = rte_pktmbuf_pool_create("asz_lab_large", ASZ_EMULATOR_LARGE_FRAMES, POOL_CACHE, 0,
                                                RTE_PKTMBUF_HEADROOM + ASZ_EMULATOR_LARGE_BYTES, socket));
  if (ok)
    return 0;
  return rte_errno == EEXIST ? ASZ_EEXIST : ASZ_ENOMEM;
}

static int make_port(struct asz_emulator *e, int socket) {
  int port = rte_eth_from_rings(PORT_NAME, &e->to_prober, 1, &e->from_prober, 1, (unsigned)socket);
  if (port < 0)
    return rte_errno == EEXIST ? ASZ_EEXIST : ASZ_EDEVICE;
  e->port_id = (uint16_t)port;
  e->has_port = true;
  return 0;
}

int asz_emulator_new(struct asz_emulator **ret_emulator, const struct asz_emulator_config *config, uint16_t *ret_port_id,
                     struct asz_diag *diag) {
  int err = check_config(config, diag);
  if (err)
    return err;
  struct asz_emulator *e = calloc(1, sizeof *e);
  if (!e)
    return asz_diag_set(diag, ASZ_ENOMEM, "emulator: out of memory");
  static const uint8_t none[16];
  e->config = *config;
  asz_nd_init(&e->gateway, asz_emulator_gateway_mac, asz_emulator_gateway_ipv6, none, none, 0);
  atomic_init(&e->keys, &e->keys_store[0]);
  e->keys_next = 1;
  int socket = (int)rte_lcore_to_socket_id(config->lcore_id);
  if ((err = make_memory(e, config->truth, socket)) || (err = make_rings(e, socket)) || (err = make_port(e, socket)) ||
      (err = asz_emulator_stamps_init(e)) || (err = asz_hmac_lanes_new(&e->lanes)) ||
      (err = asz_clock_calibrate(&e->clock, CALIBRATE_MS))) {
    asz_emulator_free(e);
    return asz_diag_set(diag, err, "emulator: %s (%u providers, %u replies in flight)", asz_err_str(err), config->provider_count,
                        config->in_flight_max);
  }
  *ret_port_id = e->port_id;
  *ret_emulator = e;
  return 0;
}

void asz_emulator_sessions(struct asz_emulator *e, uint32_t epoch, const struct asz_session *session,
                           const struct asz_hmac_key *hmac) {
  const struct asz_reply_keys *old = atomic_load_explicit(&e->keys, memory_order_relaxed);
  struct asz_reply_keys *keys = &e->keys_store[e->keys_next];
  keys->count = old->count == 0 ? 1 : 2;
  keys->epoch[0] = epoch;
  keys->session[0] = session;
  keys->epoch[1] = old->epoch[0];
  keys->session[1] = old->session[0];
  keys->hmac = hmac;
  keys->lanes = e->lanes;
  e->keys_next = (e->keys_next + 1) % 3;
  atomic_store_explicit(&e->keys, keys, memory_order_release);
}

int asz_emulator_launch(struct asz_emulator *e) {
  if (e->running)
    return ASZ_ESTATE;
  atomic_store(&e->stop, false);
  if (rte_eal_remote_launch(asz_emulator_loop, e, e->config.lcore_id) != 0)
    return ASZ_ESTATE;
  e->running = true;
  return 0;
}

void asz_emulator_stop(struct asz_emulator *e) {
  if (!e->running)
    return;
  atomic_store(&e->stop, true);
  rte_eal_wait_lcore(e->config.lcore_id);
  e->running = false;
  /* Nobody receives any more: what waits for the prober is ours to give back. */
  void *mbuf;
  while (rte_ring_sc_dequeue(e->to_prober, &mbuf) == 0)
    rte_pktmbuf_free(mbuf);
}

void asz_emulator_free(struct asz_emulator *e) {
  if (!e)
    return;
  asz_emulator_stop(e);
  if (e->has_port)
    rte_vdev_uninit("net_ring_" PORT_NAME);
  rte_ring_free(e->from_prober);
  rte_ring_free(e->to_prober);
  rte_ring_free(e->challenges);
  rte_ring_free(e->answers);
  rte_mempool_free(e->small);
  rte_mempool_free(e->large);
  asz_delay_free(e->delay);
  asz_bigmem_free(e->truth, truth_bytes(e));
  asz_bigmem_free(e->deed, deed_bytes(e));
  asz_bigmem_free(e->way, way_bytes(e));
  asz_hmac_lanes_free(e->lanes);
  free(e);
}

const struct asz_deed *asz_emulator_deeds(const struct asz_emulator *e) {
  return e->deed;
}

uint64_t asz_emulator_faults(const struct asz_emulator *e) {
  return e->faults;
}

uint64_t asz_emulator_strays(const struct asz_emulator *e) {
  return e->strays;
}

static size_t pool_bytes(const struct rte_mempool *pool) {
  return (size_t)pool->size * (pool->header_size + pool->elt_size + pool->trailer_size);
}

size_t asz_emulator_memory_bytes(const struct asz_emulator *e) {
  size_t rings = 2 * (size_t)ASZ_EMULATOR_RING_FRAMES * sizeof(void *) +
                 2 * (size_t)ASZ_EMULATOR_DATAGRAMS * sizeof(struct asz_emulator_datagram);
  return sizeof *e + rings + pool_bytes(e->small) + pool_bytes(e->large) + asz_delay_footprint(e->config.in_flight_max) +
         truth_bytes(e) + deed_bytes(e) + way_bytes(e) + asz_hmac_lanes_bytes();
}

int asz_emulator_challenge_recv(struct asz_emulator *e, struct asz_emulator_datagram *ret_datagram) {
  return rte_ring_sc_dequeue_elem(e->challenges, ret_datagram, sizeof *ret_datagram) == 0;
}

int asz_emulator_answer_send(struct asz_emulator *e, const struct asz_emulator_datagram *datagram) {
  assert(datagram->provider < e->config.provider_count && datagram->size_bytes <= ASZ_DATAGRAM_MAX_BYTES);
  void *element = (void *)(uintptr_t)datagram; /* only read: DPDK's prototype lacks the const */
  return rte_ring_sp_enqueue_elem(e->answers, element, sizeof *datagram) == 0 ? 0 : ASZ_EAGAIN;
}
