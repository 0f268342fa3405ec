/* SPDX-License-Identifier: Apache-2.0 */
/* The control thread's half of the engine: takes the memory, starts and stops the lcore, hands plans over.
 *
 * A plan is handed over whole: the address map that the lcore does not use is filled, the clock sampled, then one flag is set and
 * the lcore's answer (PROBING) awaited, so that a caller who then polls for SEALED cannot see the last epoch's. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "dataplane/base/log.h"
#include "dataplane/engine_state.h"

enum {
  CALIBRATE_MS = 100,
  QUEUE_DATAGRAMS = 2048, /* each way, 2.4 MiB: a slot's challenges to a few thousand providers without a retry */
  POLL_US = 200,
  TARGETS_MAX = 1 << 24,
};

void asz_engine_config_default(struct asz_engine_config *ret_config) {
  *ret_config = (struct asz_engine_config){
      .lcore_id = 1,
      .source_port_base = 49152,
      .challenge_source_port = 48620,
      .target_count_max = 65536,
      .checksum_rx = true,
  };
}

static int config_check(const struct asz_engine_config *config, struct asz_diag *diag) {
  if (config->lcore_id >= RTE_MAX_LCORE || !rte_lcore_is_enabled(config->lcore_id) || config->lcore_id == rte_get_main_lcore())
    return asz_diag_set(diag, ASZ_EINVAL, "engine: lcore_id %u is no EAL worker lcore", config->lcore_id);
  if (config->local_ipv4 == 0 || config->gateway_ipv4 == 0)
    return asz_diag_set(diag, ASZ_EINVAL, "engine: local_ipv4 and gateway_ipv4 must be set");
  if (config->source_port_base == 0 || config->source_port_base > 65536 - ASZ_COOKIE_PORTS)
    return asz_diag_set(diag, ASZ_EINVAL, "engine: source_port_base is %u, expected 1 to %u", config->source_port_base,
                        65536 - ASZ_COOKIE_PORTS);
  if ((uint16_t)(config->challenge_source_port - config->source_port_base) < ASZ_COOKIE_PORTS ||
      config->challenge_source_port == 0)
    return asz_diag_set(diag, ASZ_EINVAL, "engine: challenge_source_port %u lies among the probes' ports %u to %u",
                        config->challenge_source_port, config->source_port_base, config->source_port_base + ASZ_COOKIE_PORTS - 1);
  if (config->target_count_max < 1 || config->target_count_max > TARGETS_MAX)
    return asz_diag_set(diag, ASZ_EINVAL, "engine: target_count_max is %u, expected 1 to %u", config->target_count_max,
                        TARGETS_MAX);
  return 0;
}

static int ring_make(struct rte_ring **ret_ring, const char *what, const struct asz_engine *engine, unsigned element_bytes,
                     struct asz_diag *diag) {
  char name[RTE_RING_NAMESIZE];
  snprintf(name, sizeof name, "asz_%s_%u", what, engine->config.port_id);
  struct rte_ring *ring =
      rte_ring_create_elem(name, element_bytes, QUEUE_DATAGRAMS, engine->port.node, RING_F_SP_ENQ | RING_F_SC_DEQ);
  if (ring == NULL)
    return asz_diag_set(diag, ASZ_ENOMEM, "engine: no memory for the %s queue: %s", what, rte_strerror(rte_errno));
  *ret_ring = ring;
  return 0;
}

static int memory_take(struct asz_engine *engine, struct asz_diag *diag) {
  for (int i = 0; i < 2; i++)
    if (asz_addrmap_new(&engine->map[i], engine->config.target_count_max, engine->port.node) != 0)
      return asz_diag_set(diag, ASZ_ENOMEM, "engine: no memory for a table of %u addresses", engine->config.target_count_max);
  int err = ring_make(&engine->outgoing, "outgoing", engine, sizeof(struct asz_outgoing), diag);
  if (err == 0)
    err = ring_make(&engine->incoming, "incoming", engine, sizeof(struct asz_engine_datagram), diag);
  return err;
}

static void lcore_state_init(struct asz_engine *engine) {
  const struct asz_engine_config *config = &engine->config;
  engine->tx.port = &engine->port;
  engine->tx.counters = &engine->counters;
  engine->rx.counters = &engine->counters;
  engine->rx.config = (struct asz_rx_config){
      .local_ipv4 = config->local_ipv4,
      .source_port_base = config->source_port_base,
      .challenge_source_port = config->challenge_source_port,
      .check = config->checksum_rx ? ASZ_WIRE_CHECK_ALL : ASZ_WIRE_CHECK_L3,
  };
  asz_neigh_init(&engine->neigh, engine->port.mac, config->local_ipv4, config->gateway_ipv4, config->gateway_mac,
                 engine->clock.tsc_hz);
  atomic_store(&engine->gateway_known, engine->neigh.known);
}

int asz_engine_new(struct asz_engine **ret_engine, const struct asz_engine_config *config, struct asz_diag *diag) {
  int err = config_check(config, diag);
  if (err != 0)
    return err;
  struct asz_engine *engine = aligned_alloc(64, sizeof *engine);
  if (engine == NULL)
    return asz_diag_set(diag, ASZ_ENOMEM, "engine: no memory");
  memset(engine, 0, sizeof *engine);
  engine->config = *config;
  asz_sketch_init();
  err = asz_clock_calibrate(&engine->clock, CALIBRATE_MS);
  if (err != 0)
    (void)asz_diag_set(diag, err, "engine: the time stamp counter of this machine does not run");
  if (err == 0)
    err = asz_port_open(&engine->port, config->port_id, diag);
  if (err == 0)
    err = memory_take(engine, diag);
  if (err != 0) {
    asz_engine_free(engine);
    return err;
  }
  lcore_state_init(engine);
  *ret_engine = engine;
  return 0;
}

int asz_engine_launch(struct asz_engine *engine) {
  if (engine->launched)
    return ASZ_ESTATE;
  if (rte_eal_remote_launch(asz_prober_main, engine, engine->config.lcore_id) != 0)
    return ASZ_ESTATE;
  engine->launched = true;
  return 0;
}

void asz_engine_stop(struct asz_engine *engine) {
  if (!engine->launched)
    return;
  atomic_store_explicit(&engine->stop_asked, true, memory_order_relaxed);
  (void)rte_eal_wait_lcore(engine->config.lcore_id);
  struct asz_outgoing message;
  while (rte_ring_sc_dequeue_elem(engine->outgoing, &message, sizeof message) == 0)
    if (message.tsc_slot != NULL)
      *message.tsc_slot = UINT64_MAX;
  engine->launched = false;
}

void asz_engine_free(struct asz_engine *engine) {
  if (engine == NULL)
    return;
  asz_engine_stop(engine);
  asz_port_close(&engine->port);
  rte_ring_free(engine->outgoing);
  rte_ring_free(engine->incoming);
  for (int i = 0; i < 2; i++)
    asz_addrmap_free(&engine->map[i]);
  free(engine);
}

int asz_engine_wait_gateway(struct asz_engine *engine, uint64_t timeout_ns) {
  uint64_t start_ns = asz_clock_monotonic_ns();
  while (!atomic_load_explicit(&engine->gateway_known, memory_order_acquire)) {
    if (asz_clock_monotonic_ns() - start_ns >= timeout_ns)
      return ASZ_ETIMEDOUT;
    usleep(POLL_US);
  }
  return 0;
}

static void map_fill(struct asz_addrmap *map, const struct asz_plan *plan) {
  asz_addrmap_reset(map, plan->target_count);
  for (uint32_t i = 0; i < plan->target_count; i++) {
    int err = asz_addrmap_put(map, plan->target[i].ipv4, i);
    assert(err == 0); /* asz_plan_check found them unique */
  }
}

int asz_engine_epoch_begin(struct asz_engine *engine, const struct asz_plan *plan, struct asz_diag *diag) {
  enum asz_engine_phase phase = asz_engine_phase(engine);
  if (!engine->launched || (phase != ASZ_PHASE_IDLE && phase != ASZ_PHASE_SEALED))
    return asz_diag_set(diag, ASZ_ESTATE, "engine: an epoch can only begin when launched and idle or sealed");
  if (!atomic_load_explicit(&engine->gateway_known, memory_order_acquire))
    return asz_diag_set(diag, ASZ_ESTATE, "engine: the gateway has not answered ARP yet");
  int err = asz_plan_check(plan, diag);
  if (err != 0)
    return err;
  if (plan->target_count > engine->config.target_count_max)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: target_count is %u, the engine was made for %u", plan->target_count,
                        engine->config.target_count_max);
  if (asz_clock_resample(&engine->clock) != 0)
    asz_log(ASZ_LOG_WARN, "engine: the clock could not be sampled again; the last epoch's rate is kept");
  map_fill(&engine->map[engine->map_next], plan);
  asz_stats_aim(plan->stats, plan->target);
  engine->next = (struct asz_epoch_order){.plan = *plan, .clock = engine->clock, .map = engine->map_next};
  engine->map_next ^= 1;
  atomic_store_explicit(&engine->command, ASZ_COMMAND_BEGIN, memory_order_release);
  while (atomic_load_explicit(&engine->command, memory_order_acquire) != ASZ_COMMAND_NONE)
    usleep(POLL_US);
  return 0;
}

void asz_engine_epoch_end(struct asz_engine *engine) {
  atomic_store_explicit(&engine->end_asked, true, memory_order_relaxed);
}

enum asz_engine_phase asz_engine_phase(const struct asz_engine *engine) {
  return atomic_load_explicit(&engine->phase, memory_order_acquire);
}

int asz_engine_send(struct asz_engine *engine, const struct asz_engine_datagram *datagram, volatile uint64_t *ret_tsc_slot) {
  if (datagram->size_bytes > ASZ_DATAGRAM_MAX_BYTES)
    return ASZ_ETOOBIG;
  struct asz_outgoing message = {.datagram = *datagram, .tsc_slot = ret_tsc_slot};
  if (ret_tsc_slot != NULL)
    *ret_tsc_slot = 0;
  return rte_ring_sp_enqueue_elem(engine->outgoing, &message, sizeof message) == 0 ? 0 : ASZ_EAGAIN;
}

int asz_engine_recv(struct asz_engine *engine, struct asz_engine_datagram *ret_datagram) {
  return rte_ring_sc_dequeue_elem(engine->incoming, ret_datagram, sizeof *ret_datagram) == 0;
}

void asz_engine_counters(const struct asz_engine *engine, struct asz_counters *ret_counters) {
  for (int i = 0; i < ASZ_CTR_COUNT; i++)
    ret_counters->value[i] = atomic_load_explicit(&engine->published[i], memory_order_relaxed);
  ret_counters->value[ASZ_CTR_RX_PORT_MISSED] = asz_port_missed(&engine->port);
}

const struct asz_clock *asz_engine_clock(const struct asz_engine *engine) {
  return &engine->clock;
}

size_t asz_engine_memory_bytes(const struct asz_engine *engine) {
  size_t bytes = sizeof *engine + asz_port_memory_bytes(&engine->port);
  for (int i = 0; i < 2; i++)
    bytes += asz_addrmap_bytes(&engine->map[i]);
  bytes += (size_t)rte_ring_get_memsize_elem(sizeof(struct asz_outgoing), QUEUE_DATAGRAMS);
  return bytes + (size_t)rte_ring_get_memsize_elem(sizeof(struct asz_engine_datagram), QUEUE_DATAGRAMS);
}
