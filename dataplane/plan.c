/* SPDX-License-Identifier: Apache-2.0 */
/* Is a plan one that the engine can run? Said before anything is sent, with a line that names the field. */
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/ipv6.h"
#include "dataplane/base/wire.h"
#include "dataplane/engine.h"
#include "dataplane/probes/probe.h"
#include "dataplane/slots.h"

static const uint64_t ns_per_s = 1000000000;
enum { TARGETS_MAX = 1 << 24, ROUNDS_MAX = 65535 };

static int check_field(const char *field, uint64_t value, uint64_t min, uint64_t max, struct asz_diag *diag) {
  if (value >= min && value <= max)
    return 0;
  return asz_diag_set(diag, ASZ_EINVAL, "plan: %s is %llu, expected %llu to %llu", field, (unsigned long long)value,
                      (unsigned long long)min, (unsigned long long)max);
}

static int check_times(const struct asz_plan *plan, struct asz_diag *diag) {
  int err = check_field("rate_pps", plan->rate_pps, 1, 200000000, diag);
  if (err == 0)
    err = check_field("duration_ns", plan->duration_ns, 1, 24 * 3600 * ns_per_s, diag);
  if (err == 0)
    err = check_field("timeout_ns", plan->timeout_ns, 1000000, 4 * ns_per_s, diag);
  if (err == 0)
    err = check_field("slot_ns", plan->slot_ns, 1, 24 * 3600 * ns_per_s, diag);
  if (err == 0)
    err = check_field("pair_gap_ns", plan->pair_gap_ns, 0, 10000000, diag);
  if (err == 0)
    err = check_field("late_bound_ns", plan->late_bound_ns, 1, 3600 * ns_per_s, diag);
  if (err == 0)
    err = check_field("fault_bound_ppm", plan->fault_bound_ppm, 0, 1000000, diag);
  if (err == 0)
    err = check_field("slots (duration_ns / slot_ns)", (plan->duration_ns + plan->slot_ns - 1) / plan->slot_ns, 1, ASZ_SLOTS_MAX,
                      diag);
  return err;
}

static int check_rounds(const struct asz_plan *plan, struct asz_diag *diag) {
  unsigned __int128 probes = (unsigned __int128)plan->rate_pps * plan->duration_ns / ns_per_s + 1;
  uint64_t rounds = (uint64_t)(probes / plan->target_count) + 1;
  return check_field("rounds (rate_pps * duration_ns / target_count)", rounds, 1, ROUNDS_MAX, diag);
}

static int check_ipv6(const struct asz_plan *plan, uint32_t i, struct asz_diag *diag) {
  uint32_t index = plan->target[i].ipv4;
  if (index >= plan->ipv6_count || plan->ipv6 == NULL)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: target[%u].ipv4 is index %u of ipv6, expected under %u", i, index,
                        plan->ipv6_count);
  if (asz_ipv6_is_provider(plan->ipv6[index]))
    return 0;
  char text[ASZ_IPV6_TEXT_BYTES];
  asz_ipv6_format(text, plan->ipv6[index]);
  return asz_diag_set(diag, ASZ_EINVAL, "plan: target[%u]: %s: expected a unicast IPv6 address beyond this host and link", i,
                      text);
}

static int check_target(const struct asz_plan *plan, uint32_t i, struct asz_diag *diag) {
  const struct asz_target *target = &plan->target[i];
  if (target->probe >= ASZ_PROBE_COUNT)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: target[%u].probe is %u, expected under %u", i, target->probe, ASZ_PROBE_COUNT);
  if ((target->flags & ~(ASZ_TARGET_NO_SSID | ASZ_TARGET_IPV6)) != 0 || target->zero != 0)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: target[%u].flags: unknown bits set", i);
  if (asz_target_family(target) == ASZ_FAMILY_IPV6) {
    int err = check_ipv6(plan, i, diag);
    if (err != 0)
      return err;
  }
  if (target->port == 0 && target->probe != ASZ_PROBE_ICMP_ECHO)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: target[%u].port is 0, expected 1 to 65535", i);
  if (target->probe == ASZ_PROBE_STAMP_TLV && plan->session == NULL)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: session is NULL, but target[%u] is probed by stamp-tlv", i);
  if (target->probe == ASZ_PROBE_STAMP_AUTH && plan->hmac == NULL)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: hmac is NULL, but target[%u] is probed by stamp-auth", i);
  return 0;
}

/* A tcp-syn reply brings back six bits of its round: those in flight must differ in them. */
static int check_rounds_in_flight(const struct asz_plan *plan, struct asz_diag *diag) {
  uint32_t i = 0;
  while (i < plan->target_count && plan->target[i].probe != ASZ_PROBE_TCP_SYN)
    i++;
  if (i == plan->target_count)
    return 0;
  unsigned __int128 probes = (unsigned __int128)plan->rate_pps * plan->timeout_ns / ns_per_s;
  return check_field("rounds within timeout_ns, with tcp-syn", (uint64_t)(probes / plan->target_count) + 1, 1,
                     ASZ_PROBE_SYN_ROUNDS - 1, diag);
}

static int compare_ipv4(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static int compare_ipv6(const void *a, const void *b) {
  return memcmp(a, b, 16);
}

/* Sorts addresses of `bytes` bytes each; one that equals its neighbour then, or NULL. */
static const void *twin_find(void *address, uint32_t count, size_t bytes, int (*compare)(const void *, const void *)) {
  if (count > 0) /* an empty plan of one family has no array */
    qsort(address, count, bytes, compare);
  for (uint32_t i = 1; i < count; i++) {
    const uint8_t *at = (const uint8_t *)address + i * bytes;
    if (memcmp(at, at - bytes, bytes) == 0)
      return at;
  }
  return NULL;
}

static int twin_refuse(const char *text, struct asz_diag *diag) {
  return asz_diag_set(diag, ASZ_EINVAL, "plan: target address %s is there twice, expected unique ones", text);
}

/* Each IPv6 target has an address of its own, so their numbers agree: no two of them share an index unless one is left over. */
static int check_unique(const struct asz_plan *plan, struct asz_diag *diag) {
  uint32_t count[ASZ_FAMILY_COUNT] = {0};
  uint32_t *ipv4 = malloc((size_t)plan->target_count * sizeof *ipv4);
  uint8_t(*ipv6)[16] = malloc((size_t)plan->target_count * sizeof *ipv6);
  int err = 0;
  if (ipv4 == NULL || ipv6 == NULL)
    err = asz_diag_set(diag, ASZ_ENOMEM, "plan: no memory to check %u addresses", plan->target_count);
  for (uint32_t i = 0; i < plan->target_count && err == 0; i++) {
    const struct asz_target *target = &plan->target[i];
    uint32_t at = count[asz_target_family(target)]++;
    if (asz_target_family(target) == ASZ_FAMILY_IPV6)
      memcpy(ipv6[at], plan->ipv6[target->ipv4], sizeof *ipv6);
    else
      ipv4[at] = target->ipv4;
  }
  const uint32_t *twin = err == 0 ? twin_find(ipv4, count[ASZ_FAMILY_IPV4], sizeof *ipv4, compare_ipv4) : NULL;
  const uint8_t *twin6 = err == 0 ? twin_find(ipv6, count[ASZ_FAMILY_IPV6], sizeof *ipv6, compare_ipv6) : NULL;
  char text[ASZ_IPV6_TEXT_BYTES];
  if (twin != NULL) {
    asz_ipv4_format(text, *twin);
    err = twin_refuse(text, diag);
  } else if (twin6 != NULL) {
    asz_ipv6_format(text, twin6);
    err = twin_refuse(text, diag);
  } else if (err == 0 && count[ASZ_FAMILY_IPV6] != plan->ipv6_count) {
    err = asz_diag_set(diag, ASZ_EINVAL, "plan: ipv6_count is %u, but %u targets have an IPv6 address", plan->ipv6_count,
                       count[ASZ_FAMILY_IPV6]);
  }
  free(ipv4);
  free(ipv6);
  return err;
}

/* A sweep asks one provider by many ports. */
static int check_sweep(const struct asz_plan *plan, struct asz_diag *diag) {
  const struct asz_target *first = &plan->target[0];
  if (!asz_probe_module(first->probe)->sweeps)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: a sweep needs a probe over UDP, expected stamp, stamp-tlv or stamp-auth, got %s",
                        asz_probe_name(first->probe));
  for (uint32_t i = 1; i < plan->target_count; i++)
    if (plan->target[i].ipv4 != first->ipv4 || plan->target[i].port != first->port || plan->target[i].probe != first->probe ||
        plan->target[i].flags != first->flags)
      return asz_diag_set(diag, ASZ_EINVAL, "plan: target[%u] of a sweep differs from the first, expected one provider", i);
  uint32_t addresses = asz_target_family(first) == ASZ_FAMILY_IPV6;
  if (plan->ipv6_count != addresses)
    return check_field("ipv6_count (of a sweep)", plan->ipv6_count, addresses, addresses, diag);
  return check_field("target_count (paths of a sweep)", plan->target_count, 2, ASZ_SWEEP_PORTS_MAX, diag);
}

int asz_plan_check(const struct asz_plan *plan, struct asz_diag *diag) {
  int err = check_field("target_count", plan->target_count, 1, TARGETS_MAX, diag);
  if (err == 0)
    err = check_times(plan, diag);
  if (err == 0)
    err = check_rounds(plan, diag);
  if (err == 0 && plan->target == NULL)
    err = asz_diag_set(diag, ASZ_EINVAL, "plan: target is NULL");
  if (err == 0 && (plan->stats == NULL || plan->stats->target_count != plan->target_count))
    err = asz_diag_set(diag, ASZ_EINVAL, "plan: stats is missing or not sized for target_count %u", plan->target_count);
  for (uint32_t i = 0; i < plan->target_count && err == 0; i++)
    err = check_target(plan, i, diag);
  if (err == 0)
    err = check_rounds_in_flight(plan, diag);
  if (err != 0)
    return err;
  return plan->sweep ? check_sweep(plan, diag) : check_unique(plan, diag);
}
