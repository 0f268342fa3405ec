/* SPDX-License-Identifier: Apache-2.0 */
/* The control thread's half of the engine: takes the memory, starts and stops the lcores, hands plans over.
 *
 * A plan is handed over whole: the address map that the lcores do not use is filled, the clock sampled, then a flag is set for
 * each lcore and their answers are awaited, so that a caller who then polls for SEALED cannot see the last epoch's. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "dataplane/base/ipv6.h"
#include "dataplane/base/log.h"
#include "dataplane/engine_state.h"

enum {
  CALIBRATE_MS = 100,
  QUEUE_DATAGRAMS = 2048, /* each way and lcore, 2.4 MiB: a slot's challenges to a few thousand providers without a retry */
  POLL_US = 200,
  TARGETS_MAX = 1 << 24,
};

void asz_engine_config_default(struct asz_engine_config *ret_config) {
  *ret_config = (struct asz_engine_config){
      .lcore_count = 1,
      .lcore_id = {1},
      .source_port_base = 49152,
      .challenge_source_port = 48620,
      .target_count_max = 65536,
      .nic_times = true,
      .checksum_rx = true,
  };
}

static int lcores_check(const struct asz_engine_config *config, struct asz_diag *diag) {
  uint32_t count = config->lcore_count;
  if (count < 1 || count > ASZ_ENGINE_LCORES_MAX || (count & (count - 1)) != 0)
    return asz_diag_set(diag, ASZ_EINVAL, "engine: lcore_count is %u, expected a power of two up to %d", count,
                        ASZ_ENGINE_LCORES_MAX);
  for (uint32_t i = 0; i < count; i++) {
    unsigned id = config->lcore_id[i];
    if (id >= RTE_MAX_LCORE || !rte_lcore_is_enabled(id) || id == rte_get_main_lcore())
      return asz_diag_set(diag, ASZ_EINVAL, "engine: lcore_id %u is no EAL worker lcore", id);
    for (uint32_t j = 0; j < i; j++)
      if (config->lcore_id[j] == id)
        return asz_diag_set(diag, ASZ_EINVAL, "engine: lcore_id %u is there twice", id);
  }
  return 0;
}

/* A family is there when its local address is set; then it needs a next hop. */
static bool has_family(const struct asz_engine_config *config, enum asz_family family) {
  return family == ASZ_FAMILY_IPV6 ? !asz_ipv6_is_none(config->local_ipv6) : config->local_ipv4 != 0;
}

static int addresses_check(const struct asz_engine_config *config, struct asz_diag *diag) {
  bool ipv4 = has_family(config, ASZ_FAMILY_IPV4), ipv6 = has_family(config, ASZ_FAMILY_IPV6);
  if ((!ipv4 && !ipv6) || ipv4 != (config->gateway_ipv4 != 0))
    return asz_diag_set(diag, ASZ_EINVAL, "engine: local_ipv4 and gateway_ipv4, or their IPv6 counterparts, must be set");
  if (ipv6 == asz_ipv6_is_none(config->gateway_ipv6))
    return asz_diag_set(diag, ASZ_EINVAL, "engine: local_ipv6 and gateway_ipv6 must both be set, or neither");
  if (ipv6 && (!asz_ipv6_is_host(config->local_ipv6) || !asz_ipv6_is_host(config->gateway_ipv6)))
    return asz_diag_set(diag, ASZ_EINVAL, "engine: local_ipv6 and gateway_ipv6: expected unicast addresses of hosts on the link");
  return 0;
}

static int config_check(const struct asz_engine_config *config, struct asz_diag *diag) {
  int err = lcores_check(config, diag);
  if (err != 0)
    return err;
  err = addresses_check(config, diag);
  if (err != 0)
    return err;
  if (config->vlan > ASZ_VLAN_MAX)
    return asz_diag_set(diag, ASZ_EINVAL, "engine: vlan is %u, expected 0 to %u", config->vlan, ASZ_VLAN_MAX);
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
  if (config->ipv6_count_max > config->target_count_max)
    return asz_diag_set(diag, ASZ_EINVAL, "engine: ipv6_count_max is %u, expected at most target_count_max (%u)",
                        config->ipv6_count_max, config->target_count_max);
  return 0;
}

static int ring_make(struct rte_ring **ret_ring, const char *what, const struct asz_worker *worker, unsigned element_bytes,
                     unsigned flags, struct asz_diag *diag) {
  char name[RTE_RING_NAMESIZE];
  const struct asz_engine *engine = worker->engine;
  snprintf(name, sizeof name, "asz_%s_%u_%u", what, engine->config.port_id, worker->number);
  struct rte_ring *ring = rte_ring_create_elem(name, element_bytes, QUEUE_DATAGRAMS, engine->port.node, flags);
  if (ring == NULL)
    return asz_diag_set(diag, ASZ_ENOMEM, "engine: no memory for the %s queue: %s", what, rte_strerror(rte_errno));
  *ret_ring = ring;
  return 0;
}

static int maps_take(struct asz_engine *engine, struct asz_diag *diag) {
  for (int i = 0; i < 2; i++)
    if (asz_addrmap_new(&engine->map[i], engine->config.target_count_max, engine->port.node) != 0)
      return asz_diag_set(diag, ASZ_ENOMEM, "engine: no memory for a table of %u addresses", engine->config.target_count_max);
  for (int i = 0; i < 2; i++)
    if (asz_addrmap6_new(&engine->map6[i], engine->config.ipv6_count_max, engine->port.node) != 0)
      return asz_diag_set(diag, ASZ_ENOMEM, "engine: no memory for a table of %u IPv6 addresses", engine->config.ipv6_count_max);
  return 0;
}

static int rings_take(struct asz_worker *worker, struct asz_diag *diag) {
  const unsigned single = RING_F_SP_ENQ | RING_F_SC_DEQ;
  int err = ring_make(&worker->outgoing, "out", worker, sizeof(struct asz_outgoing), single, diag);
  if (err == 0)
    err = ring_make(&worker->incoming, "in", worker, sizeof(struct asz_engine_datagram), single, diag);
  if (err == 0 && worker->engine->config.lcore_count > 1)
    err = ring_make(&worker->steered, "steer", worker, sizeof(struct asz_steered), RING_F_SC_DEQ, diag);
  return err;
}

static bool may_steer(const struct asz_engine_config *config) {
  return config->lcore_count > 1 && config->source_port_base % ASZ_STEER_PORTS == 0;
}

/* Rules for what the port does not spread by our key. */
static void rules_take(struct asz_engine *engine) {
  static const enum asz_flow_set ports_set[ASZ_FAMILY_COUNT] = {
      [ASZ_FAMILY_IPV4] = ASZ_FLOWS_PORTS_IPV4, [ASZ_FAMILY_IPV6] = ASZ_FLOWS_PORTS_IPV6};
  const struct asz_engine_config *config = &engine->config;
  struct asz_flow_net net = {.lcore_count = config->lcore_count,
                             .vlan = config->vlan,
                             .source_port_base = config->source_port_base,
                             .local_ipv4 = config->local_ipv4};
  memcpy(net.local_ipv6, config->local_ipv6, sizeof net.local_ipv6);
  if (config->spreading != ASZ_SPREADING_AUTO || !may_steer(config))
    return;
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
    engine->rules_ports[family] = has_family(config, family) && !engine->port.spreads[family] &&
                                  asz_flows_take(&engine->flows, &engine->port, ports_set[family], &net);
  engine->rules_echo =
      has_family(config, ASZ_FAMILY_IPV4) && asz_flows_take(&engine->flows, &engine->port, ASZ_FLOWS_ECHO_IPV4, &net);
}

/* Source ports that bring replies back to this lcore, where the port spreads them by our key or has rules. */
static void steer_init(struct asz_worker *worker, enum asz_family family) {
  const struct asz_engine *engine = worker->engine;
  const struct asz_engine_config *config = &engine->config;
  bool spreads = config->spreading == ASZ_SPREADING_ASSUMED || engine->port.spreads[family];
  uint32_t bits = (uint32_t)__builtin_ctz(config->lcore_count);
  if (!may_steer(config) || (!spreads && !engine->rules_ports[family]))
    return;
  worker->rx.config.steer[family] = &worker->steer[family];
  if (!spreads) {
    asz_steer_init_rules(&worker->steer[family], bits, worker->number);
    return;
  }
  uint8_t local[16];
  if (family == ASZ_FAMILY_IPV6)
    memcpy(local, config->local_ipv6, sizeof local);
  else
    asz_be32_store(local, config->local_ipv4);
  asz_steer_init(&worker->steer[family], family, bits, worker->number, local);
}

static void lcore_state_init(struct asz_worker *worker) {
  struct asz_engine *engine = worker->engine;
  const struct asz_engine_config *config = &engine->config;
  worker->tx.port = &engine->port;
  worker->tx.queue = (uint16_t)worker->number;
  worker->tx.counters = &worker->counters;
  worker->tx.clock = engine->clock; /* until there is an epoch's */
  worker->tx.nic = &worker->nic;
  worker->tx.missed_ours = worker->number == 0;
  worker->rx.counters = &worker->counters;
  worker->rx.config = (struct asz_rx_config){
      .local_ipv4 = config->local_ipv4,
      .has_ipv6 = has_family(config, ASZ_FAMILY_IPV6),
      .vlan = config->vlan,
      .source_port_base = config->source_port_base,
      .challenge_source_port = config->challenge_source_port,
      .check = config->checksum_rx ? ASZ_WIRE_CHECK_ALL : ASZ_WIRE_CHECK_L3,
  };
  memcpy(worker->rx.config.local_ipv6, config->local_ipv6, sizeof config->local_ipv6);
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
    steer_init(worker, family);
}

static int workers_make(struct asz_engine *engine, struct asz_diag *diag) {
  int err = 0;
  for (uint32_t i = 0; i < engine->config.lcore_count && err == 0; i++) {
    struct asz_worker *worker = &engine->worker[i];
    worker->lcore_id = engine->config.lcore_id[i];
    err = rings_take(worker, diag);
    if (err == 0 && (err = asz_hmac_lanes_new(&worker->lanes)) != 0)
      (void)asz_diag_set(diag, err, "engine: no memory for HMACs");
    if (err == 0)
      lcore_state_init(worker);
  }
  return err;
}

static void neigh_start(struct asz_engine *engine) {
  const struct asz_engine_config *config = &engine->config;
  asz_neigh_init(&engine->neigh, engine->port.mac, config->local_ipv4, config->gateway_ipv4, config->gateway_mac,
                 engine->clock.tsc_hz);
  asz_nd_init(&engine->nd, engine->port.mac, config->local_ipv6, config->gateway_ipv6, config->gateway_mac, engine->clock.tsc_hz);
  atomic_store(&engine->gateway[ASZ_FAMILY_IPV4], asz_resolve_word(&engine->neigh.resolve));
  atomic_store(&engine->gateway[ASZ_FAMILY_IPV6], asz_resolve_word(&engine->nd.resolve));
  atomic_store(&engine->gateway_known[ASZ_FAMILY_IPV4], engine->neigh.resolve.known);
  atomic_store(&engine->gateway_known[ASZ_FAMILY_IPV6], engine->nd.resolve.known);
}

/* Solicitations for us come to a multicast address of our own making, which the port must let through. */
static int groups_join(struct asz_engine *engine, struct asz_diag *diag) {
  uint8_t group[16], mac[6];
  if (!has_family(&engine->config, ASZ_FAMILY_IPV6))
    return 0;
  asz_ipv6_solicited(group, engine->config.local_ipv6);
  asz_ipv6_multicast_mac(mac, group);
  return asz_port_multicast(&engine->port, mac, diag);
}

static const char *way_back(const struct asz_engine *engine, enum asz_family family) {
  if (engine->worker[0].rx.config.steer[family] == NULL)
    return "in software";
  return engine->rules_ports[family] ? "by rules of the port" : "by the port's hash";
}

static void spreading_say(const struct asz_engine *engine) {
  const struct asz_engine_config *config = &engine->config;
  if (config->lcore_count == 1)
    return;
  asz_log(ASZ_LOG_INFO,
          "port %u: replies come back to the lcore that asked: over IPv4 %s (echo replies %s), over IPv6 %s (echo replies in "
          "software)",
          config->port_id, way_back(engine, ASZ_FAMILY_IPV4), engine->rules_echo ? "by rules of the port" : "in software",
          way_back(engine, ASZ_FAMILY_IPV6));
  if (config->spreading != ASZ_SPREADING_NO && config->source_port_base % ASZ_STEER_PORTS != 0)
    asz_log(ASZ_LOG_WARN, "engine: source_port_base is %u, no multiple of %d: the port cannot bring replies back",
            config->source_port_base, ASZ_STEER_PORTS);
}

/* Most ports have no times of their own: then there is nothing to tell. */
static void times_say(const struct asz_engine *engine) {
  const struct asz_port_times *times = &engine->port.times;
  if (!times->rx && !times->tx)
    return;
  asz_log(ASZ_LOG_INFO, "port %u: %s by the port's clock, once it is known (0.7 s)", engine->config.port_id,
          !times->tx  ? "replies are timed"
          : times->rx ? "probes leave and replies are timed"
                      : "probes leave");
}

static int port_open(struct asz_engine *engine, struct asz_diag *diag) {
  const struct asz_engine_config *config = &engine->config;
  const struct asz_port_options options = {.queue_count = config->lcore_count,
                                           .spread = config->spreading == ASZ_SPREADING_AUTO,
                                           .times = config->nic_times,
                                           .ops = config->port_ops};
  return asz_port_open(&engine->port, config->port_id, &options, diag);
}

int asz_engine_new(struct asz_engine **ret_engine, const struct asz_engine_config *config, struct asz_diag *diag) {
  int err = config_check(config, diag);
  if (err != 0)
    return err;
  size_t size = sizeof(struct asz_engine) + config->lcore_count * sizeof(struct asz_worker);
  struct asz_engine *engine = aligned_alloc(64, (size + 63) & ~(size_t)63);
  if (engine == NULL)
    return asz_diag_set(diag, ASZ_ENOMEM, "engine: no memory");
  memset(engine, 0, size);
  engine->config = *config;
  for (uint32_t i = 0; i < config->lcore_count; i++) {
    engine->worker[i].engine = engine;
    engine->worker[i].number = i;
  }
  asz_sketch_init();
  err = asz_clock_calibrate(&engine->clock, CALIBRATE_MS);
  if (err != 0)
    (void)asz_diag_set(diag, err, "engine: the time stamp counter of this machine does not run");
  if (err == 0)
    err = port_open(engine, diag);
  if (err == 0)
    rules_take(engine);
  if (err == 0)
    err = maps_take(engine, diag);
  if (err == 0)
    err = workers_make(engine, diag);
  if (err == 0)
    err = groups_join(engine, diag);
  if (err != 0) {
    asz_engine_free(engine);
    return err;
  }
  asz_nic_clock_init(&engine->nic_clock, engine->clock.tsc_hz);
  spreading_say(engine);
  times_say(engine);
  neigh_start(engine);
  *ret_engine = engine;
  return 0;
}

int asz_engine_launch(struct asz_engine *engine) {
  if (engine->launched > 0)
    return ASZ_ESTATE;
  atomic_store_explicit(&engine->stop_asked, false, memory_order_relaxed);
  atomic_store_explicit(&engine->phase, ASZ_PHASE_IDLE, memory_order_relaxed);
  for (uint32_t i = 0; i < engine->config.lcore_count; i++) {
    if (rte_eal_remote_launch(asz_prober_main, &engine->worker[i], engine->worker[i].lcore_id) != 0) {
      asz_engine_stop(engine);
      return ASZ_ESTATE;
    }
    engine->launched++;
  }
  return 0;
}

static void outgoing_refuse(struct rte_ring *outgoing) {
  struct asz_outgoing message;
  while (rte_ring_sc_dequeue_elem(outgoing, &message, sizeof message) == 0)
    asz_outgoing_tell(&message, UINT64_MAX);
}

void asz_engine_stop(struct asz_engine *engine) {
  if (engine->launched == 0)
    return;
  atomic_store_explicit(&engine->stop_asked, true, memory_order_relaxed);
  for (uint32_t i = 0; i < engine->launched; i++) {
    (void)rte_eal_wait_lcore(engine->worker[i].lcore_id);
    outgoing_refuse(engine->worker[i].outgoing);
  }
  engine->launched = 0;
}

static void steered_free(struct rte_ring *steered) {
  struct asz_steered frame;
  while (steered != NULL && rte_ring_sc_dequeue_elem(steered, &frame, sizeof frame) == 0)
    rte_pktmbuf_free(frame.mbuf);
  rte_ring_free(steered);
}

void asz_engine_free(struct asz_engine *engine) {
  if (engine == NULL)
    return;
  asz_engine_stop(engine);
  for (uint32_t i = 0; i < engine->config.lcore_count; i++) {
    rte_ring_free(engine->worker[i].outgoing);
    rte_ring_free(engine->worker[i].incoming);
    steered_free(engine->worker[i].steered);
    asz_hmac_lanes_free(engine->worker[i].lanes);
  }
  asz_flows_drop(&engine->flows, &engine->port);
  asz_port_close(&engine->port);
  for (int i = 0; i < 2; i++) {
    asz_addrmap_free(&engine->map[i]);
    asz_addrmap6_free(&engine->map6[i]);
  }
  free(engine);
}

enum asz_family asz_engine_silent_family(const struct asz_engine *engine) {
  enum asz_family family = 0;
  while (family < ASZ_FAMILY_COUNT &&
         (!has_family(&engine->config, family) || atomic_load_explicit(&engine->gateway_known[family], memory_order_acquire)))
    family++;
  return family;
}

int asz_engine_wait_gateway(struct asz_engine *engine, uint64_t timeout_ns) {
  uint64_t start_ns = asz_clock_monotonic_ns();
  while (asz_engine_silent_family(engine) != ASZ_FAMILY_COUNT) {
    if (asz_clock_monotonic_ns() - start_ns >= timeout_ns)
      return ASZ_ETIMEDOUT;
    usleep(POLL_US);
  }
  return 0;
}

static void maps_fill(struct asz_addrmap *map, struct asz_addrmap6 *map6, const struct asz_plan *plan) {
  uint32_t count = plan->sweep ? 1 : plan->target_count; /* one address: the port tells the paths apart */
  asz_addrmap_reset(map, asz_plan_family_count(plan, ASZ_FAMILY_IPV4));
  asz_addrmap6_reset(map6, plan->ipv6_count, plan->secret);
  for (uint32_t i = 0; i < count; i++) {
    const struct asz_target *target = &plan->target[i];
    int err = asz_target_family(target) == ASZ_FAMILY_IPV6 ? asz_addrmap6_put(map6, plan->ipv6[target->ipv4], i)
                                                           : asz_addrmap_put(map, target->ipv4, i);
    assert(err == 0); /* asz_plan_check found them unique */
  }
}

/* A plan's targets need the memory and the next hop of their family, and its pairs theirs. */
static int means_check(struct asz_engine *engine, const struct asz_plan *plan, struct asz_diag *diag) {
  static const char *const name[ASZ_FAMILY_COUNT] = {"IPv4", "IPv6"};
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
    if (asz_plan_family_count(plan, family) > 0 && !has_family(&engine->config, family))
      return asz_diag_set(diag, ASZ_EINVAL, "plan: %u targets have an %s address, but the engine has none",
                          asz_plan_family_count(plan, family), name[family]);
  if (plan->target_count > engine->config.target_count_max)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: target_count is %u, the engine was made for %u", plan->target_count,
                        engine->config.target_count_max);
  if (plan->ipv6_count > engine->config.ipv6_count_max)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: ipv6_count is %u, the engine was made for %u", plan->ipv6_count,
                        engine->config.ipv6_count_max);
  if (plan->pair_gap_ns > 0 && plan->stats->ipdv == NULL)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: pair_gap_ns is %llu, but stats has no memory for pairs",
                        (unsigned long long)plan->pair_gap_ns);
  return 0;
}

/* The counts are set before any worker can finish a phase. */
static void order_hand_over(struct asz_engine *engine) {
  uint32_t count = engine->config.lcore_count;
  atomic_store_explicit(&engine->end_asked, false, memory_order_relaxed);
  atomic_store_explicit(&engine->probing, count, memory_order_relaxed);
  atomic_store_explicit(&engine->uncooled, count, memory_order_relaxed);
  atomic_store_explicit(&engine->unsealed, count, memory_order_relaxed);
  atomic_store_explicit(&engine->phase, ASZ_PHASE_PROBING, memory_order_relaxed);
  for (uint32_t i = 0; i < count; i++)
    atomic_store_explicit(&engine->worker[i].command, ASZ_COMMAND_BEGIN, memory_order_release);
  for (uint32_t i = 0; i < count; i++)
    while (atomic_load_explicit(&engine->worker[i].command, memory_order_acquire) != ASZ_COMMAND_NONE)
      usleep(POLL_US);
}

int asz_engine_epoch_begin(struct asz_engine *engine, const struct asz_plan *plan, struct asz_diag *diag) {
  enum asz_engine_phase phase = asz_engine_phase(engine);
  if (engine->launched == 0 || (phase != ASZ_PHASE_IDLE && phase != ASZ_PHASE_SEALED))
    return asz_diag_set(diag, ASZ_ESTATE, "engine: an epoch can only begin when launched and idle or sealed");
  if (asz_engine_silent_family(engine) != ASZ_FAMILY_COUNT)
    return asz_diag_set(diag, ASZ_ESTATE, "engine: the gateway has not answered ARP or ND yet");
  int err = asz_plan_check(plan, diag);
  if (err == 0)
    err = means_check(engine, plan, diag);
  if (err != 0)
    return err;
  if (asz_clock_resample(&engine->clock) != 0)
    asz_log(ASZ_LOG_WARN, "engine: the clock could not be sampled again; the last epoch's rate is kept");
  maps_fill(&engine->map[engine->map_next], &engine->map6[engine->map_next], plan);
  asz_stats_aim(plan->stats, plan->target);
  engine->next = (struct asz_epoch_order){.plan = *plan, .clock = engine->clock, .map = engine->map_next};
  engine->map_next ^= 1;
  order_hand_over(engine);
  return 0;
}

void asz_engine_epoch_end(struct asz_engine *engine) {
  atomic_store_explicit(&engine->end_asked, true, memory_order_relaxed);
}

enum asz_engine_phase asz_engine_phase(const struct asz_engine *engine) {
  return atomic_load_explicit(&engine->phase, memory_order_acquire);
}

bool asz_engine_progress(const struct asz_engine *engine, uint32_t epoch, struct asz_progress *ret_progress) {
  struct asz_progress progress = {.first_tsc = UINT64_MAX, .slots_closed = UINT32_MAX};
  progress.joined.shard_count = engine->config.lcore_count;
  for (uint32_t i = 0; i < engine->config.lcore_count; i++) {
    struct asz_shard_report report;
    asz_report_look(&engine->worker[i].live, &report);
    if (report.epoch != epoch || report.tsc == 0)
      return false;
    progress.first_tsc = RTE_MIN(progress.first_tsc, report.tsc);
    progress.last_tsc = RTE_MAX(progress.last_tsc, report.tsc);
    progress.slots_closed = RTE_MIN(progress.slots_closed, (uint32_t)report.slots_closed);
    progress.sent += report.sent;
    asz_report_join(&progress.joined, i, &report);
  }
  *ret_progress = progress;
  return true;
}

/* The owner of a target sends its challenges; an index that is no target's is refused by any. */
static struct asz_worker *worker_for(struct asz_engine *engine, uint32_t target) {
  uint32_t targets = engine->next.plan.target_count;
  uint32_t number = target < targets ? asz_shard_owner(target, engine->config.lcore_count, targets) : 0;
  return &engine->worker[number];
}

int asz_engine_send(struct asz_engine *engine, const struct asz_engine_datagram *datagram, volatile uint64_t *ret_tsc_slot) {
  if (datagram->size_bytes > ASZ_DATAGRAM_MAX_BYTES)
    return ASZ_ETOOBIG;
  struct asz_outgoing message = {.datagram = *datagram, .tsc_slot = ret_tsc_slot};
  struct rte_ring *outgoing = worker_for(engine, datagram->target)->outgoing;
  return rte_ring_sp_enqueue_elem(outgoing, &message, sizeof message) == 0 ? 0 : ASZ_EAGAIN;
}

int asz_engine_recv(struct asz_engine *engine, struct asz_engine_datagram *ret_datagram) {
  for (uint32_t i = 0; i < engine->config.lcore_count; i++)
    if (rte_ring_sc_dequeue_elem(engine->worker[i].incoming, ret_datagram, sizeof *ret_datagram) == 0)
      return 1;
  return 0;
}

void asz_engine_counters(const struct asz_engine *engine, struct asz_counters *ret_counters) {
  memset(ret_counters, 0, sizeof *ret_counters);
  for (uint32_t w = 0; w < engine->config.lcore_count; w++)
    for (int i = 0; i < ASZ_CTR_COUNT; i++)
      ret_counters->value[i] += atomic_load_explicit(&engine->worker[w].published[i], memory_order_relaxed);
  ret_counters->value[ASZ_CTR_RX_PORT_MISSED] = asz_port_missed(&engine->port);
}

const struct asz_clock *asz_engine_clock(const struct asz_engine *engine) {
  return &engine->clock;
}

size_t asz_engine_memory_bytes(const struct asz_engine *engine) {
  size_t bytes = sizeof *engine + asz_port_memory_bytes(&engine->port);
  for (int i = 0; i < 2; i++)
    bytes += asz_addrmap_bytes(&engine->map[i]) + asz_addrmap6_bytes(&engine->map6[i]);
  size_t worker_bytes = sizeof(struct asz_worker) + asz_hmac_lanes_bytes();
  worker_bytes += (size_t)rte_ring_get_memsize_elem(sizeof(struct asz_outgoing), QUEUE_DATAGRAMS);
  worker_bytes += (size_t)rte_ring_get_memsize_elem(sizeof(struct asz_engine_datagram), QUEUE_DATAGRAMS);
  if (engine->config.lcore_count > 1)
    worker_bytes += (size_t)rte_ring_get_memsize_elem(sizeof(struct asz_steered), QUEUE_DATAGRAMS);
  return bytes + engine->config.lcore_count * worker_bytes;
}
