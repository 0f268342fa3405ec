/* SPDX-License-Identifier: Apache-2.0 */
#include "control/caps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"

enum { NAMED = 3 /* as many as a line holds with their longest names */ };

int asz_caps_open(struct asz_caps *ret_caps, const struct asz_home *home, const struct asz_config *config,
                  struct asz_diag *diag) {
  char path[ASZ_PATH_MAX];
  *ret_caps = (struct asz_caps){
      .total_pps = config->probe_rate_max_pps,
      .network_pps = config->probe_rate_max_prefix_pps,
      .as_pps = config->probe_rate_max_as_pps,
  };
  if (config->probe_as_file[0] == '\0')
    return 0;
  int err = asz_home_below(path, home, config->probe_as_file, diag);
  return err ? err : asz_prefixes_load(&ret_caps->as_map, path, ASZ_PREFIXES_MAP, diag);
}

void asz_caps_close(struct asz_caps *caps) {
  asz_prefixes_free(&caps->as_map);
}

struct asz_caps_rate asz_caps_run_rate(const struct asz_config *config, uint64_t count) {
  uint64_t slowest_ms = count * 1000; /* a plan has at least one probe a second */
  return (struct asz_caps_rate){.probes = 1,
                                .per_ms = slowest_ms < config->probe_interval_ms ? slowest_ms : config->probe_interval_ms};
}

static uint32_t as_of(const struct asz_caps *caps, const struct asz_prefix *address) {
  const struct asz_prefix_entry *entry = asz_prefixes_find(&caps->as_map, address);
  return entry ? entry->asn : 0;
}

void asz_caps_place(const struct asz_caps *caps, struct asz_provider *provider, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct asz_prefix address;
    asz_provider_prefix(&address, &provider[i], ASZ_PROVIDER_ADDRESS);
    provider[i].asn = as_of(caps, &address);
  }
}

/* Providers that share a cap: those of one network, or of one AS. */
struct member {
  struct asz_prefix group; /* of an AS: its number alone, in the first bytes of an address */
  uint32_t index;
};

static int compare_members(const void *a, const void *b) {
  const struct member *x = a, *y = b;
  int order = asz_prefix_compare(&x->group, &y->group);
  return order ? order : (x->index > y->index) - (x->index < y->index);
}

static bool over(uint64_t members, struct asz_caps_rate rate, uint64_t cap_pps) {
  return (unsigned __int128)members * rate.probes * 1000 > (unsigned __int128)cap_pps * rate.per_ms;
}

/* Rounded up, so that what is over a cap never looks as if it were not. */
static uint64_t rate_pps(uint64_t members, struct asz_caps_rate rate) {
  return (uint64_t)(((unsigned __int128)members * rate.probes * 1000 + rate.per_ms - 1) / rate.per_ms);
}

/* The longest run of equal groups in a sorted array. */
static uint32_t largest_group(const struct member *member, uint32_t count, uint32_t *ret_first) {
  uint32_t largest = 0;
  for (uint32_t first = 0, next; first < count; first = next) {
    for (next = first + 1; next < count && asz_prefix_compare(&member[next].group, &member[first].group) == 0; next++)
      ;
    if (next - first > largest) {
      largest = next - first;
      *ret_first = first;
    }
  }
  return largest;
}

static void name_members(char *ret_text, size_t capacity, const struct asz_provider *provider, const struct member *member,
                         uint32_t count) {
  size_t used = 0;
  for (uint32_t i = 0; i < count && i < NAMED; i++)
    used += (size_t)snprintf(ret_text + used, capacity - used, "%s%s", i ? ", " : "", provider[member[i].index].name);
  if (count > NAMED)
    snprintf(ret_text + used, capacity - used, " and %u more", count - NAMED);
}

static int check_groups(struct member *member, uint32_t count, const struct asz_provider *provider, struct asz_caps_rate rate,
                        uint64_t cap_pps, const char *key, struct asz_diag *diag) {
  char group[ASZ_PREFIX_TEXT], names[NAMED * (ASZ_PROVIDER_NAME_MAX + 3) + 32];
  uint32_t first = 0;
  qsort(member, count, sizeof *member, compare_members);
  uint32_t largest = largest_group(member, count, &first);
  if (!over(largest, rate, cap_pps))
    return 0;
  if (member[first].group.bits == 0)
    snprintf(group, sizeof group, "AS%" PRIu32, asz_be32_load(member[first].group.address));
  else
    asz_prefix_format(group, &member[first].group);
  name_members(names, sizeof names, provider, member + first, largest);
  return asz_diag_set(diag, ASZ_ERANGE, "%s would get %" PRIu64 " probes/s: expected at most %s = %" PRIu64 "; in it: %s", group,
                      rate_pps(largest, rate), key, cap_pps, names);
}

static int group_by_as(struct member *ret_member, const struct asz_caps *caps, const struct asz_provider *provider,
                       uint32_t count, struct asz_diag *diag) {
  for (uint32_t i = 0; i < count; i++) {
    struct asz_prefix address;
    asz_provider_prefix(&address, &provider[i], ASZ_PROVIDER_ADDRESS);
    const uint32_t asn = as_of(caps, &address);
    if (asn == 0) {
      char text[ASZ_PREFIX_TEXT];
      return asz_diag_set(diag, ASZ_ENOENT,
                          "probe.as_file: expected a prefix that holds %s (%s), since probe.rate_max_as_pps is set",
                          asz_prefix_format(text, &address), provider[i].name);
    }
    ret_member[i] = (struct member){.index = i};
    asz_be32_store(ret_member[i].group.address, asn);
  }
  return 0;
}

int asz_caps_check(const struct asz_caps *caps, const struct asz_provider *provider, uint32_t count, struct asz_caps_rate rate,
                   struct asz_diag *diag) {
  if (over(count, rate, caps->total_pps))
    return asz_diag_set(diag, ASZ_ERANGE,
                        "%u providers need %" PRIu64 " probes/s: expected at most probe.rate_max_pps = %" PRIu64, count,
                        rate_pps(count, rate), caps->total_pps);
  if (caps->network_pps == 0 && caps->as_pps == 0)
    return 0;
  struct member *member = calloc((size_t)count + 1, sizeof *member);
  if (!member)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory to check the caps of %u providers", count);
  int err = 0;
  for (uint32_t i = 0; i < count; i++) {
    asz_provider_prefix(&member[i].group, &provider[i], ASZ_PROVIDER_NETWORK);
    member[i].index = i;
  }
  if (caps->network_pps)
    err = check_groups(member, count, provider, rate, caps->network_pps, "probe.rate_max_prefix_pps", diag);
  if (!err && caps->as_pps) {
    err = group_by_as(member, caps, provider, count, diag);
    if (!err)
      err = check_groups(member, count, provider, rate, caps->as_pps, "probe.rate_max_as_pps", diag);
  }
  free(member);
  return err;
}
