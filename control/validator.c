/* SPDX-License-Identifier: Apache-2.0 */
#include "control/validator.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/table.h"
#include "dataplane/base/log.h"
#include "dataplane/eal.h"

enum { GATEWAY_WAIT_S = 10 };

/* Who is probed; *ret_changes: what a roster file changed. */
static int list_providers(const struct asz_validator *v, const struct asz_home *home, bool write,
                          struct asz_provider **ret_provider, size_t *ret_count, struct asz_roster_changes *ret_changes,
                          struct asz_diag *diag) {
  int err = asz_store_provider_list(v->store, ret_provider, ret_count, diag);
  if (err)
    return err;
  err = asz_roster_file_apply(ret_provider, ret_count, v->store, write, home, &v->config, ret_changes, diag);
  if (!err && *ret_count == 0)
    err = asz_diag_set(diag, ASZ_EINVAL,
                       "no provider is registered: add some with `assize provider add` or `assize provider import`");
  if (err)
    free(*ret_provider);
  return err;
}

static int open_caps(struct asz_validator *v, const struct asz_home *home, const struct asz_provider *provider, size_t count,
                     struct asz_diag *diag) {
  int err = asz_caps_open(&v->caps, home, &v->config, diag);
  return err ? err : asz_caps_check(&v->caps, provider, (uint32_t)count, asz_caps_run_rate(&v->config, count), diag);
}

static int open_roster(struct asz_validator *v, const struct asz_home *home, bool write, struct asz_roster_changes *ret_changes,
                       struct asz_diag *diag) {
  struct asz_provider *provider;
  size_t count;
  int err = list_providers(v, home, write, &provider, &count, ret_changes, diag);
  if (err)
    return err;
  err = open_caps(v, home, provider, count, diag);
  if (err) {
    free(provider);
    return err;
  }
  asz_caps_place(&v->caps, provider, count);
  err = asz_roster_new(&v->roster, provider, count, &v->key, diag);
  if (!err)
    err = asz_deny_open(&v->deny, home, &v->config, diag);
  if (!err)
    (void)asz_deny_apply(&v->deny, v->roster);
  return err;
}

int asz_validator_roster(struct asz_validator *v, const struct asz_home *home, struct asz_diag *diag) {
  struct asz_roster_changes ignored;
  return open_roster(v, home, true, &ignored, diag);
}

/* check_origin: the log keeps the name it was made with; evidence names it too, and the two must agree. */
static int check_origin(const struct asz_validator *v, const struct asz_home *home, struct asz_diag *diag) {
  const char *note = asz_tlog_checkpoint(v->log);
  int length = (int)strcspn(note, "\n");
  if (strlen(v->config.validator_origin) == (size_t)length && strncmp(v->config.validator_origin, note, (size_t)length) == 0)
    return 0;
  return asz_diag_set(diag, ASZ_EINVAL, "%s: validator.origin: expected \"%.*s\", with which the log was made, got \"%s\"",
                      home->config_path, length, note, v->config.validator_origin);
}

int asz_validator_open(struct asz_validator *ret_validator, const struct asz_home *home, struct asz_diag *diag) {
  struct asz_validator v = {0};
  int err = asz_home_open(home, false, &v.config, &v.key, &v.store, diag);
  if (!err)
    err = asz_tlog_open(&v.log, home->log_path, &v.key, diag);
  if (!err)
    err = check_origin(&v, home, diag);
  if (err) {
    asz_validator_close(&v);
    return err;
  }
  *ret_validator = v;
  return 0;
}

int asz_validator_look(struct asz_validator *ret_validator, const struct asz_home *home, struct asz_diag *diag) {
  struct asz_validator v = {0};
  struct asz_roster_changes ignored;
  int err = asz_home_open(home, true, &v.config, &v.key, &v.store, diag);
  if (!err)
    err = open_roster(&v, home, false, &ignored, diag);
  if (err) {
    asz_validator_close(&v);
    return err;
  }
  *ret_validator = v;
  return 0;
}

enum { KEYS_TO_COME = 1000 }; /* and half of the roster: for those added while it runs; whoever has no table is judged without */

static int start_verifier(struct asz_validator *v, struct asz_diag *diag) {
  static const enum asz_backend backend_of_word[] = {ASZ_BACKEND_AUTO, ASZ_BACKEND_CPU, ASZ_BACKEND_CUDA, ASZ_BACKEND_REFERENCE};
  struct asz_verify_config config;
  asz_verify_config_default(&config);
  config.backend = backend_of_word[v->config.verify_backend];
  config.batch_capacity = (uint32_t)v->config.verify_batch_items;
  config.key_capacity = v->roster->count + v->roster->count / 2 + KEYS_TO_COME;
  config.key_table_bytes = v->config.verify_key_table_kib << 10;
  config.preset_max =
      (uint8_t)(v->config.challenge_gemm_preset > v->config.challenge_mem_preset ? v->config.challenge_gemm_preset
                                                                                 : v->config.challenge_mem_preset);
  config.memory_bytes = asz_verify_footprint(&config);
  config.memory = v->verify_memory = asz_eal_memory_new(config.memory_bytes);
  int err = asz_verify_new(&v->verifier, &config, diag);
  if (!err)
    asz_log(ASZ_LOG_INFO, "verifier: %s, known answers passed", asz_verify_backend_name(v->verifier));
  return err;
}

static void stop_verifier(struct asz_validator *v) {
  asz_verify_free(v->verifier);
  asz_eal_memory_free(v->verify_memory);
  v->verifier = NULL;
  v->verify_memory = NULL;
}

static int network_refuse(const struct asz_home *home, const char *key, const char *of_whom, const char *got,
                          struct asz_diag *diag) {
  return asz_diag_set(diag, ASZ_EINVAL, "%s: network.%s: expected the address of %s, got %s", home->config_path, key, of_whom,
                      got);
}

/* For so many providers, some of them with IPv6 addresses. */
static int check_network(const struct asz_config *c, const struct asz_home *home, size_t count, size_t ipv6_count,
                         struct asz_diag *diag) {
  static const char us[] = "this validator on the port", next_hop[] = "the next hop to the providers";
  bool local6 = !asz_ipv6_is_none(c->network_local_ip6), gateway6 = !asz_ipv6_is_none(c->network_gateway_ip6);
  bool needs6 = ipv6_count > 0, needs4 = ipv6_count != count;
  if (!c->network_local_ip && (needs4 || c->network_gateway_ip))
    return network_refuse(home, "local_ip", us, "0.0.0.0", diag);
  if (!c->network_gateway_ip && c->network_local_ip)
    return network_refuse(home, "gateway_ip", next_hop, "0.0.0.0", diag);
  if (!local6 && (needs6 || gateway6))
    return network_refuse(home, "local_ip6", us, "::", diag);
  if (!gateway6 && local6)
    return network_refuse(home, "gateway_ip6", next_hop, "::", diag);
  return 0;
}

int asz_validator_network(const struct asz_validator *v, const struct asz_home *home, struct asz_diag *diag) {
  return check_network(&v->config, home, v->roster->count, v->roster->ipv6_count, diag);
}

int asz_validator_next_epoch(const struct asz_validator *v, uint32_t *ret_number, struct asz_diag *diag) {
  char text[16] = "1";
  int err = asz_store_meta_get(v->store, "next_epoch", text, sizeof text, diag);
  if (err && err != ASZ_ENOENT)
    return err;
  *ret_number = (uint32_t)strtoul(text, NULL, 10);
  return 0;
}

int asz_validator_port(const struct asz_config *config, uint16_t *ret_port_id, struct asz_diag *diag) {
  static const enum asz_eal_huge huge_of_word[] = {ASZ_EAL_HUGE_AUTO, ASZ_EAL_HUGE_YES, ASZ_EAL_HUGE_NO};
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, (unsigned)config->network_prober_lcores);
  int err = asz_eal_start(strcmp(config->network_lcores, "auto") == 0 ? lcores : config->network_lcores, config->network_eal,
                          (unsigned)config->network_memory_mib, huge_of_word[config->network_huge_pages], diag);
  if (err)
    return err;
  int port_id = asz_eal_port(NULL);
  if (port_id < 0 && config->network_eal[0] == '\0')
    return asz_diag_set(diag, ASZ_EINVAL,
                        "network.eal: expected EAL arguments that name a port, as --vdev=net_af_xdp0,iface=eth1, got nothing");
  if (port_id < 0)
    return asz_diag_set(diag, ASZ_EDEVICE,
                        "network.eal: expected exactly one port from \"%s\", EAL brought up none or several: see its lines "
                        "above, and `assize doctor`",
                        config->network_eal);
  *ret_port_id = (uint16_t)port_id;
  return 0;
}

static int find_lcores(struct asz_engine_config *config, uint64_t count, unsigned first_worker, struct asz_diag *diag) {
  config->lcore_count = (uint32_t)count;
  for (uint32_t i = 0; i < count; i++) {
    int lcore = asz_eal_worker(first_worker + i);
    if (lcore < 0)
      return asz_diag_set(diag, ASZ_EINVAL,
                          "network.lcores: expected a main and %" PRIu64
                          " prober lcores (network.prober_lcores), as 0@0,1@1: there "
                          "are %u",
                          count, i);
    config->lcore_id[i] = (unsigned)lcore;
  }
  return 0;
}

static int gateway_silent(const struct asz_validator *v, int err, struct asz_diag *diag) {
  const struct asz_config *c = &v->config;
  enum asz_family family = asz_engine_silent_family(v->engine);
  bool ipv6 = family == ASZ_FAMILY_IPV6;
  return asz_diag_set(diag, err,
                      "the gateway %s does not answer %s from %s within %d s: check network.gateway_%s, network.local_%s, "
                      "network.vlan and the cable",
                      ipv6 ? asz_text_ipv6(ASZ_TEXT, c->network_gateway_ip6) : asz_text_ipv4(ASZ_TEXT, c->network_gateway_ip),
                      ipv6 ? "ND" : "ARP",
                      ipv6 ? asz_text_ipv6(ASZ_TEXT, c->network_local_ip6) : asz_text_ipv4(ASZ_TEXT, c->network_local_ip),
                      GATEWAY_WAIT_S, ipv6 ? "ip6" : "ip", ipv6 ? "ip6" : "ip");
}

/* A quarter more than now may come while it runs; tables of addresses cost some 50 bytes each. */
static uint32_t room_for(uint32_t count) {
  enum { LEAST = 4096, MOST = 1 << 24 };
  uint64_t room = (uint64_t)count + count / 4;
  return room < LEAST ? LEAST : room > MOST ? MOST : (uint32_t)room;
}

enum { NIC_TIMES_AUTO, NIC_TIMES_NO }; /* as network.nic_times lists them */

size_t asz_validator_stats_bytes(const struct asz_validator *v) {
  return asz_stats_footprint(v->roster->count, (uint32_t)v->config.probe_sketch_cells, v->config.probe_pair_gap_us > 0);
}

int asz_validator_engine(struct asz_validator *v, uint16_t port_id, unsigned first_worker, struct asz_diag *diag) {
  struct asz_engine_config config;
  asz_engine_config_default(&config);
  config.port_id = port_id;
  config.local_ipv4 = v->config.network_local_ip;
  config.gateway_ipv4 = v->config.network_gateway_ip;
  memcpy(config.local_ipv6, v->config.network_local_ip6, sizeof config.local_ipv6);
  memcpy(config.gateway_ipv6, v->config.network_gateway_ip6, sizeof config.gateway_ipv6);
  config.vlan = (uint16_t)v->config.network_vlan;
  config.source_port_base = (uint16_t)v->config.network_source_port_base;
  config.spreading = (enum asz_spreading)v->config.network_spreading;
  config.challenge_source_port = (uint16_t)v->config.network_challenge_source_port;
  config.nic_times = v->config.network_nic_times == NIC_TIMES_AUTO;
  config.checksum_rx = v->config.network_check_checksums != 0;
  v->room = room_for(v->roster->count);
  v->room6 = asz_ipv6_is_none(config.local_ipv6) ? v->roster->ipv6_count : room_for(v->roster->ipv6_count);
  config.target_count_max = v->room;
  config.ipv6_count_max = v->room6;
  int err = find_lcores(&config, v->config.network_prober_lcores, first_worker, diag);
  if (!err)
    err = asz_engine_new(&v->engine, &config, diag);
  if (err)
    return err;
  err = asz_engine_launch(v->engine);
  if (err)
    return asz_diag_set(diag, err, "the prober's lcores cannot be started: %s", asz_err_str(err));
  err = asz_engine_wait_gateway(v->engine, GATEWAY_WAIT_S * UINT64_C(1000000000));
  if (err)
    return gateway_silent(v, err, diag);
  asz_log(ASZ_LOG_INFO, "memory: engine %zu MiB, statistics 2 x %zu MiB", asz_engine_memory_bytes(v->engine) >> 20,
          asz_validator_stats_bytes(v) >> 20);
  return 0;
}

int asz_validator_start(struct asz_validator *v, const struct asz_home *home, uint16_t port_id, unsigned first_worker,
                        struct asz_diag *diag) {
  int err = start_verifier(v, diag);
  if (!err)
    err = asz_validator_engine(v, port_id, first_worker, diag);
  if (!err)
    err = asz_epochs_new(&v->epochs, &v->config, &v->key, v->store, v->log, home->log_path, v->roster, diag);
  return err;
}

static int check_room(const struct asz_validator *v, size_t count, size_t ipv6_count, struct asz_diag *diag) {
  if (count > v->room || ipv6_count > v->room6)
    return asz_diag_set(
        diag, ASZ_ERANGE,
        "%zu providers (%zu with IPv6 addresses): expected at most %u (%u) until the next start: restart for more", count,
        ipv6_count, v->room, v->room6);
  return 0;
}

/* What ports, log and identity were opened with stays. */
static int check_fixed(const struct asz_validator *v, const struct asz_config *next, const struct asz_home *home,
                       struct asz_diag *diag) {
  const char *key = asz_config_differs(&v->config, next, "network");
  if (!key)
    key = asz_config_differs(&v->config, next, "validator");
  if (key)
    return asz_diag_set(diag, ASZ_ESTATE, "%s: %s: expected the value with which it was started: restart to change it",
                        home->config_path, key);
  return 0;
}

/* Configuration, roster, caps and deny list of the two change places. */
static void swap_world(struct asz_validator *a, struct asz_validator *b) {
  struct asz_validator c = *a;
  a->config = b->config;
  a->roster = b->roster;
  a->caps = b->caps;
  a->deny = b->deny;
  b->config = c.config;
  b->roster = c.roster;
  b->caps = c.caps;
  b->deny = c.deny;
  asz_identity_wipe(&c.key);
}

/* The states are read last, from a store in which the last epoch is closed. */
static int take_over(struct asz_validator *v, struct asz_validator *next, const struct asz_home *home, struct asz_diag *diag) {
  struct asz_epochs *epochs;
  swap_world(v, next);
  int err = asz_epochs_new(&epochs, &v->config, &v->key, v->store, v->log, home->log_path, v->roster, diag);
  if (err) {
    swap_world(v, next);
    return err;
  }
  asz_epochs_free(v->epochs);
  v->epochs = epochs;
  return 0;
}

/* Everything but what takes long: the secrets shared with each identity (57 us), the states. */
static int check_next(const struct asz_validator *v, struct asz_validator *next, const struct asz_home *home,
                      struct asz_roster_changes *ret_changes, struct asz_diag *diag) {
  struct asz_provider *provider;
  size_t count, ipv6_count = 0;
  int err = list_providers(next, home, false, &provider, &count, ret_changes, diag);
  if (err)
    return err;
  for (size_t i = 0; i < count; i++)
    ipv6_count += asz_provider_family(&provider[i]) == ASZ_FAMILY_IPV6;
  err = open_caps(next, home, provider, count, diag);
  free(provider);
  if (!err)
    err = asz_deny_open(&next->deny, home, &next->config, diag);
  if (!err)
    err = check_network(&next->config, home, count, ipv6_count, diag);
  return err ? err : check_room(v, count, ipv6_count, diag);
}

int asz_validator_reload(struct asz_validator *v, const struct asz_home *home, bool apply, struct asz_roster_changes *ret_changes,
                         struct asz_diag *diag) {
  struct asz_validator next = {.key = v->key, .store = v->store};
  int err = asz_config_load(&next.config, home->config_path, diag);
  if (!err)
    err = check_fixed(v, &next.config, home, diag);
  if (!err)
    err = check_next(v, &next, home, ret_changes, diag);
  asz_caps_close(&next.caps);
  asz_deny_close(&next.deny);
  if (!err && apply) { /* what would be refused is known before anything is stored */
    err = open_roster(&next, home, true, ret_changes, diag);
    if (!err)
      err = take_over(v, &next, home, diag);
  }
  next.store = NULL; /* ours */
  asz_validator_close(&next);
  return err;
}

int asz_validator_again(struct asz_validator *v, struct asz_diag *diag) {
  stop_verifier(v);
  int err = start_verifier(v, diag);
  if (err)
    return err;
  err = asz_engine_launch(v->engine);
  return err ? asz_diag_set(diag, err, "the prober's lcores cannot be started again: %s", asz_err_str(err)) : 0;
}

void asz_validator_close(struct asz_validator *v) {
  asz_engine_free(v->engine);
  asz_epochs_free(v->epochs);
  stop_verifier(v);
  asz_roster_free(v->roster);
  asz_deny_close(&v->deny);
  asz_caps_close(&v->caps);
  if (v->log)
    asz_tlog_close(v->log);
  asz_store_close(v->store);
  asz_identity_wipe(&v->key);
  *v = (struct asz_validator){0};
}
