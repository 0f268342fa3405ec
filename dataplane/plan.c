/* SPDX-License-Identifier: Apache-2.0 */
/* Is a plan one that the engine can run? Said before anything is sent, with a line that names the field. */
#include <stdlib.h>

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

static int check_target(const struct asz_plan *plan, uint32_t i, struct asz_diag *diag) {
  const struct asz_target *target = &plan->target[i];
  if (target->probe >= ASZ_PROBE_COUNT)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: target[%u].probe is %u, expected under %u", i, target->probe, ASZ_PROBE_COUNT);
  if ((target->flags & ~ASZ_TARGET_NO_SSID) != 0 || target->zero != 0)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: target[%u].flags: unknown bits set", i);
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

static int check_unique(const struct asz_plan *plan, struct asz_diag *diag) {
  uint32_t *ipv4 = malloc((size_t)plan->target_count * sizeof *ipv4);
  if (ipv4 == NULL)
    return asz_diag_set(diag, ASZ_ENOMEM, "plan: no memory to check %u addresses", plan->target_count);
  for (uint32_t i = 0; i < plan->target_count; i++)
    ipv4[i] = plan->target[i].ipv4;
  qsort(ipv4, plan->target_count, sizeof *ipv4, compare_ipv4);
  int err = 0;
  for (uint32_t i = 1; i < plan->target_count && err == 0; i++) {
    char text[16];
    asz_ipv4_format(text, ipv4[i]);
    if (ipv4[i] == ipv4[i - 1])
      err = asz_diag_set(diag, ASZ_EINVAL, "plan: target address %s is there twice, expected unique ones", text);
  }
  free(ipv4);
  return err;
}

/* A sweep asks one provider by many ports. */
static int check_sweep(const struct asz_plan *plan, struct asz_diag *diag) {
  const struct asz_target *first = &plan->target[0];
  if (!asz_probe_module(first->probe)->sweeps)
    return asz_diag_set(diag, ASZ_EINVAL, "plan: a sweep needs a probe over UDP, expected stamp, stamp-tlv or stamp-auth, got %s",
                        asz_probe_name(first->probe));
  for (uint32_t i = 1; i < plan->target_count; i++)
    if (plan->target[i].ipv4 != first->ipv4 || plan->target[i].port != first->port || plan->target[i].probe != first->probe)
      return asz_diag_set(diag, ASZ_EINVAL, "plan: target[%u] of a sweep differs from the first, expected one provider", i);
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
