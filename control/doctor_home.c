/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of the home: configuration, key, port, store, log, room to grow. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "control/caps.h"
#include "control/deny.h"
#include "control/doctor.h"
#include "control/duty_plan.h"
#include "control/roster_file.h"
#include "control/table.h"
#include "control/tlog/tlog.h"
#include "dataplane/base/ipv6.h"

/* What lies in a home is not looked at where there is none: one missing `assize init` is one failure, not five. */
static bool no_home(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  if (access(doctor->home->dir, F_OK) == 0)
    return false;
  asz_finding_set(ret_finding, ASZ_FINDING_WARN, "not looked at: there is no home yet");
  asz_finding_advise(ret_finding, "`assize init`, then `assize doctor` again");
  return true;
}

void asz_doctor_home(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  if (doctor->has_config) {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "%s, configuration read", doctor->home->dir);
    return;
  }
  asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "%.200s", doctor->config_diag.text);
  asz_finding_advise(ret_finding, "`assize init` makes a home; a configuration that is there is mended by hand");
}

void asz_doctor_key(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  struct asz_identity key;
  struct asz_diag diag = {""};
  if (no_home(doctor, ret_finding))
    return;
  if (asz_identity_load(doctor->home->key_path, &key, &diag) != 0) {
    asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "%.200s", diag.text);
    asz_finding_advise(ret_finding, "the key must be yours alone: chown it to you, chmod 600; restore a lost one from its copy");
    return;
  }
  asz_finding_set(ret_finding, ASZ_FINDING_OK, "readable by you alone");
  asz_identity_wipe(&key);
}

/* The value behind `key` in EAL's arguments, up to a comma or blank; false when it is not there. */
static bool argument(const char *eal, const char *key, char *ret_text, size_t capacity) {
  const char *at = strstr(eal, key);
  if (!at)
    return false;
  at += strlen(key);
  at += strspn(at, " =");
  snprintf(ret_text, capacity, "%.*s", (int)strcspn(at, ", "), at);
  return true;
}

static void check_interface(const char *name, struct asz_finding *ret_finding) {
  char path[300], state[32] = "unknown";
  snprintf(path, sizeof path, "/sys/class/net/%.200s/operstate", name);
  FILE *in = strchr(name, '/') ? NULL : fopen(path, "re");
  if (!in) {
    asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "network.eal names the interface %s, which is not there", name);
    asz_finding_advise(ret_finding, "name one of `ip -brief link`");
    return;
  }
  if (fscanf(in, "%31s", state) != 1)
    snprintf(state, sizeof state, "unknown");
  fclose(in);
  bool down = !strcmp(state, "down");
  asz_finding_set(ret_finding, down ? ASZ_FINDING_FAIL : ASZ_FINDING_OK, "interface %s, link %s", name, state);
  if (down)
    asz_finding_advise(ret_finding, "ip link set %s up", name);
}

static void check_pci(const char *address, struct asz_finding *ret_finding) {
  char path[300];
  /* EAL also takes the short form without the domain */
  snprintf(path, sizeof path, "/sys/bus/pci/devices/%s%.200s", strchr(address, ':') == strrchr(address, ':') ? "0000:" : "",
           address);
  if (access(path, F_OK) == 0) {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "PCI device %s is there", address);
    return;
  }
  asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "network.eal names the PCI device %s, which is not there", address);
  asz_finding_advise(ret_finding, "name one of `dpdk-devbind.py --status`");
}

void asz_doctor_port(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  const char *eal = doctor->config.network_eal;
  char device[200];
  if (*eal == '\0') {
    asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "network.eal is empty: there is no port to probe from");
    asz_finding_advise(ret_finding, "e.g. network.eal = --vdev=net_af_packet0,iface=eth1 (`assize lab` needs none)");
  } else if (argument(eal, "iface", device, sizeof device)) {
    check_interface(device, ret_finding);
  } else if (argument(eal, "-a", device, sizeof device)) {
    check_pci(device, ret_finding);
  } else {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "no device of this machine: %.180s", eal);
  }
}

/* Does an interface of the kernel have this address (4 or 16 bytes in network order)? */
static bool kernel_owns(int family, const void *address) {
  struct ifaddrs *list;
  bool owned = false;
  if (getifaddrs(&list) != 0)
    return false;
  for (const struct ifaddrs *at = list; at; at = at->ifa_next) {
    if (!at->ifa_addr || at->ifa_addr->sa_family != family)
      continue;
    if (family == AF_INET)
      owned |= memcmp(&((const struct sockaddr_in *)at->ifa_addr)->sin_addr, address, 4) == 0;
    else
      owned |= memcmp(&((const struct sockaddr_in6 *)at->ifa_addr)->sin6_addr, address, 16) == 0;
  }
  freeifaddrs(list);
  return owned;
}

static void kernels_address(const char *text, const char *key, struct asz_finding *ret_finding) {
  asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "%s belongs to the kernel: it would answer, and reset, what is ours", text);
  asz_finding_advise(ret_finding, "take a free address of the same network for network.%s", key);
}

void asz_doctor_addresses(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  const struct asz_config *c = &doctor->config;
  const struct in_addr local = {.s_addr = htonl(c->network_local_ip)};
  bool ipv4 = c->network_local_ip != 0 && c->network_gateway_ip != 0;
  bool ipv6 = !asz_ipv6_is_none(c->network_local_ip6) && !asz_ipv6_is_none(c->network_gateway_ip6);
  if (!ipv4 && !ipv6) {
    asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "network.local_ip or network.gateway_ip is not set");
    asz_finding_advise(ret_finding,
                       "local_ip: a free address of the port's network; gateway_ip: its router, or the providers' host; or "
                       "local_ip6 and gateway_ip6");
  } else if (ipv4 && kernel_owns(AF_INET, &local)) {
    kernels_address(asz_text_ipv4(ASZ_TEXT, c->network_local_ip), "local_ip", ret_finding);
  } else if (ipv6 && kernel_owns(AF_INET6, c->network_local_ip6)) {
    kernels_address(asz_text_ipv6(ASZ_TEXT, c->network_local_ip6), "local_ip6", ret_finding);
  } else {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "%s%s%s%s%s%s%s", ipv4 ? asz_text_ipv4(ASZ_TEXT, c->network_local_ip) : "",
                    ipv4 ? ", next hop " : "", ipv4 ? asz_text_ipv4(ASZ_TEXT, c->network_gateway_ip) : "",
                    ipv4 && ipv6 ? "; " : "", ipv6 ? asz_text_ipv6(ASZ_TEXT, c->network_local_ip6) : "",
                    ipv6 ? ", next hop " : "", ipv6 ? asz_text_ipv6(ASZ_TEXT, c->network_gateway_ip6) : "");
  }
}

/* Providers in the store (freed by the caller); false when it does not open. */
static bool read_providers(const struct asz_doctor *doctor, struct asz_provider **ret_providers, size_t *ret_count,
                           struct asz_diag *diag) {
  struct asz_store *store;
  if (asz_store_open(&store, doctor->home->store_path, true, diag) != 0)
    return false;
  bool read = asz_store_provider_list(store, ret_providers, ret_count, diag) == 0;
  asz_store_close(store);
  return read;
}

static bool count_providers(const struct asz_doctor *doctor, size_t *ret_count, struct asz_diag *diag) {
  struct asz_provider *providers;
  bool read = read_providers(doctor, &providers, ret_count, diag);
  if (read)
    free(providers);
  return read;
}

static size_t count_denied(const struct asz_doctor *doctor, const struct asz_prefixes *list) {
  struct asz_provider *providers;
  struct asz_diag diag;
  size_t count, denied = 0;
  if (!read_providers(doctor, &providers, &count, &diag))
    return 0;
  for (size_t i = 0; i < count; i++) {
    struct asz_prefix address;
    asz_provider_prefix(&address, &providers[i], ASZ_PROVIDER_ADDRESS);
    denied += asz_prefixes_find(list, &address) != NULL;
  }
  free(providers);
  return denied;
}

void asz_doctor_deny(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  struct asz_diag diag = {""};
  struct asz_prefixes list;
  char path[ASZ_PATH_MAX];
  int err = asz_home_below(path, doctor->home, doctor->config.probe_deny_file, &diag);
  if (!err && path[0] == '\0') {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "none (probe.deny_file is empty): every registered provider is probed");
    return;
  }
  if (!err)
    err = asz_prefixes_load(&list, path, ASZ_PREFIXES_LIST, &diag);
  if (err) {
    asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "%.200s", diag.text);
    asz_finding_advise(ret_finding,
                       "mend the line: `run` does not start by a list that it cannot read; a running one keeps its old");
    return;
  }
  asz_finding_set(ret_finding, ASZ_FINDING_OK, "%s prefixes; %s providers are denied", asz_text_count(ASZ_TEXT, list.count),
                  asz_text_count(ASZ_TEXT, count_denied(doctor, &list)));
  asz_prefixes_free(&list);
}

void asz_doctor_caps(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  struct asz_diag diag = {""};
  struct asz_caps caps;
  struct asz_provider *providers = NULL;
  size_t count = 0;
  int err = asz_caps_open(&caps, doctor->home, &doctor->config, &diag);
  if (!err && read_providers(doctor, &providers, &count, &diag)) {
    struct asz_roster_changes ignored;
    err = asz_roster_file_apply(&providers, &count, NULL, false, doctor->home, &doctor->config, &ignored, &diag);
    if (!err)
      err = asz_caps_check(&caps, providers, (uint32_t)count, asz_caps_run_rate(&doctor->config, count), &diag);
  }
  if (err) {
    asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "%.250s", diag.text);
    asz_finding_advise(ret_finding, "raise probe.interval_ms, or the cap if you may; mend probe.as_file or probe.roster_file");
  } else {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "%s probes/s in total%s%s: kept", asz_text_count(ASZ_TEXT, caps.total_pps),
                    caps.network_pps ? ", and a cap for each /24 or /48" : "", caps.as_pps ? ", and a cap for each AS" : "");
  }
  free(providers);
  asz_caps_close(&caps);
}

void asz_doctor_duty(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  const struct asz_duty_plan plan = asz_duty_plan_of(&doctor->config);
  bool over = plan.work_ns > plan.bound_ns;
  asz_finding_set(ret_finding, over ? ASZ_FINDING_WARN : ASZ_FINDING_OK,
                  "%s of a provider's epoch planned for %u products, builds and folds, and chains; at most %s",
                  asz_text_ns(ASZ_TEXT, plan.work_ns), plan.pieces, asz_text_ns(ASZ_TEXT, plan.bound_ns));
  if (over)
    asz_finding_advise(ret_finding,
                       "lengthen time.challenge_slot_s, shorten challenge.seq_log2_steps or take smaller presets: what "
                       "is over challenge.duty_ppm is not asked");
}

void asz_doctor_store(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  struct asz_diag diag = {""};
  size_t count;
  if (no_home(doctor, ret_finding))
    return;
  if (count_providers(doctor, &count, &diag)) {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "opens; %s providers", asz_text_count(ASZ_TEXT, count));
    return;
  }
  asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "%.200s", diag.text);
  asz_finding_advise(ret_finding, "restore it from a backup; the log, which it can't change, still proves what was published");
}

void asz_doctor_log(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  struct asz_identity key;
  struct asz_checkpoint checkpoint;
  struct asz_diag diag = {""};
  if (no_home(doctor, ret_finding))
    return;
  int err = asz_identity_load(doctor->home->key_path, &key, &diag);
  if (!err) {
    err = asz_tlog_head(doctor->home->log_path, key.public_key, &checkpoint, &diag);
    asz_identity_wipe(&key);
  }
  if (err) {
    asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "%.200s", diag.text);
    asz_finding_advise(ret_finding, "`assize log verify` names the damaged file; a published log is restored, never rewritten");
    return;
  }
  asz_finding_set(ret_finding, ASZ_FINDING_OK, "%s entries, checkpoint signed by this key (`assize log verify` hashes them all)",
                  asz_text_count(ASZ_TEXT, checkpoint.tree_size));
}

void asz_doctor_disk(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  enum {
    /* of a provider and epoch: measured 120 (256 providers, 1,000 epochs, one in twenty with an incident and a transcript);
     * twice that leaves room for worse weeks */
    BYTES_PER_PROVIDER_EPOCH = 256,
    BYTES_PER_EPOCH = 4096, /* opening, close and checkpoint in the log, the epoch's row */
    DAYS_ENOUGH = 30,
  };
  const uint64_t spare = UINT64_C(64) << 20; /* a checkpoint of the WAL must always fit */
  struct statvfs vfs;
  struct asz_diag diag;
  size_t providers = 0;
  if (no_home(doctor, ret_finding))
    return;
  if (statvfs(doctor->home->dir, &vfs) != 0) {
    asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "%.128s: %s", doctor->home->dir, strerror(errno));
    asz_finding_advise(ret_finding, "`assize init` makes a home");
    return;
  }
  count_providers(doctor, &providers, &diag);
  uint64_t left = (uint64_t)vfs.f_bavail * vfs.f_frsize;
  uint64_t per_epoch = BYTES_PER_EPOCH + providers * (uint64_t)BYTES_PER_PROVIDER_EPOCH;
  uint64_t per_day = per_epoch * (86400 / doctor->config.time_epoch_s);
  uint64_t days = left / per_day;
  asz_finding_set(ret_finding,
                  left < spare         ? ASZ_FINDING_FAIL
                  : days < DAYS_ENOUGH ? ASZ_FINDING_WARN
                                       : ASZ_FINDING_OK,
                  "%s free; about %s a day at this setting: %s days", asz_text_bytes(ASZ_TEXT, left),
                  asz_text_bytes(ASZ_TEXT, per_day), asz_text_count(ASZ_TEXT, days));
  if (ret_finding->level != ASZ_FINDING_OK)
    asz_finding_advise(ret_finding, "move the home to a larger disk, or lengthen time.epoch_s");
}
