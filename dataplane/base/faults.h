/* SPDX-License-Identifier: Apache-2.0 */
/* asz_faults: one list of what the prober may do wrong to a sample, each cause with what to do about it.
 *
 * An auditor first suspects itself: a slot of an epoch with more of these than probe.fault_bound_ppm of what was due is unjudged.
 * Which of them it was decides what the operator does, so they are counted apart: a fault is a probe or a reply that was harmed,
 * and has one cause. Counters (counters.h) count since launch and for everybody; these count in an epoch, in the slots that they
 * spoiled. */
#ifndef ASZ_DATAPLANE_BASE_FAULTS_H
#define ASZ_DATAPLANE_BASE_FAULTS_H

#include <stdint.h>

/* X(symbol, name, what the operator should do): names stand in the store, so they never change. */
#define ASZ_FAULT_LIST(X)                                                                                                        \
  X(LATE, "late", "give each prober lcore a CPU of its own (network.lcores), or raise probe.interval_ms")                        \
  X(SKIPPED, "skipped", "the prober could not keep the rate: a CPU of its own (network.lcores), or raise probe.interval_ms")     \
  X(REFUSED, "refused", "the port takes less than the rate: raise probe.interval_ms, or use a faster port or driver")            \
  X(NO_BUFFER, "no-buffer", "the port keeps our buffers: raise probe.interval_ms, or use a faster port or driver")               \
  X(STALLED, "stalled", "the prober looked too late for replies: give each of its lcores a CPU of its own (network.lcores)")     \
  X(PORT_MISSED, "port-missed", "the port lost replies before we read them: raise probe.interval_ms or network.prober_lcores")   \
  X(STEER_FULL, "steer-full", "an lcore cannot follow the others: give each a CPU of its own (network.lcores)")                  \
  X(GATEWAY_LOST, "gateway-lost", "the next hop fell silent: look at network.gateway_ip (gateway_ip6) and the way to it")        \
  X(LINK_DOWN, "link-down", "the port had no link: look at the cable, the switch, the interface (`assize doctor`)")              \
  X(PORT_CLOCK, "port-clock",                                                                                                    \
    "the port's clock jumped or contradicts ours: whoever sets it should not, or set network.nic_times = no")

enum asz_fault {
#define ASZ_FAULT_ENUM(symbol, name, advice) ASZ_FAULT_##symbol,
  ASZ_FAULT_LIST(ASZ_FAULT_ENUM)
#undef ASZ_FAULT_ENUM
      ASZ_FAULT_COUNT
};

struct asz_faults {
  uint64_t count[ASZ_FAULT_COUNT];
};

/* asz_fault_name and asz_fault_advice: fault < ASZ_FAULT_COUNT (asserted). asz_fault_from_name: ASZ_FAULT_COUNT when unknown. */
const char *asz_fault_name(enum asz_fault fault);
const char *asz_fault_advice(enum asz_fault fault);
enum asz_fault asz_fault_from_name(const char *name);

/* asz_faults_total: of all causes; in the packet loop, once a slot. */
uint64_t asz_faults_total(const struct asz_faults *faults);
/* asz_faults_largest: the cause with most of them, the first of several; ASZ_FAULT_COUNT when there are none. */
enum asz_fault asz_faults_largest(const struct asz_faults *faults);
/* asz_faults_add adds `more`; asz_faults_add_growth adds what `now` has over `before`, none of which is above it. */
void asz_faults_add(struct asz_faults *faults, const struct asz_faults *more);
void asz_faults_add_growth(struct asz_faults *faults, const struct asz_faults *now, const struct asz_faults *before);

#endif
