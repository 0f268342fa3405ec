/* SPDX-License-Identifier: Apache-2.0 */
/* asz_flows: rules with which a port brings replies to the queue of the lcore that asked (rte_flow).
 *
 * For ports that do not spread by a hash under our key but match headers. The lowest bits of our port, or of an ICMP echo's
 * identifier, are the lcore's number; a rule an lcore and protocol sends what has them to its queue. Three sets, each taken whole
 * or not at all: UDP and TCP over IPv4, the same over IPv6, echo replies over IPv4. (For ICMPv6, DPDK 22.11 has no item that
 * reaches the identifier.) What no rule matches comes where the port likes, and software brings it back. */
#ifndef ASZ_DATAPLANE_FLOWS_H
#define ASZ_DATAPLANE_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_flow.h>

#include "dataplane/base/wire.h"
#include "dataplane/port.h"
#include "dataplane/steer.h"

enum asz_flow_set { ASZ_FLOWS_PORTS_IPV4 = 0, ASZ_FLOWS_PORTS_IPV6, ASZ_FLOWS_ECHO_IPV4, ASZ_FLOW_SETS };

enum { ASZ_FLOW_RULES_MAX = 2 << ASZ_STEER_BITS_MAX }; /* of a set: two protocols, 16 lcores */

/* What replies have in common. */
struct asz_flow_net {
  uint32_t lcore_count;      /* a power of two up to 2^ASZ_STEER_BITS_MAX */
  uint16_t vlan;             /* 0: none */
  uint16_t source_port_base; /* a multiple of ASZ_STEER_PORTS */
  uint32_t local_ipv4;       /* host order */
  uint8_t local_ipv6[16];
};

/* A rule and all that its pattern points at: stays where it was made. */
struct asz_flow_rule {
  struct rte_flow_attr attr;
  struct rte_flow_item pattern[5]; /* Ethernet, tag or IP, IP or layer 4, layer 4, end */
  struct rte_flow_action action[2];
  struct rte_flow_action_queue queue;
  struct rte_flow_item_vlan vlan, vlan_mask;
  struct rte_flow_item_ipv4 ipv4, ipv4_mask;
  struct rte_flow_item_ipv6 ipv6, ipv6_mask;
  struct rte_flow_item_udp udp, udp_mask;
  struct rte_flow_item_tcp tcp, tcp_mask;
  struct rte_flow_item_icmp icmp, icmp_mask;
};

struct asz_flows {
  struct rte_flow *flow[ASZ_FLOW_SETS][ASZ_FLOW_RULES_MAX]; /* NULL: none */
};

/* asz_flow_count: rules of a set. asz_flow_rule_make: the i-th of them, i < asz_flow_count. Pure. */
uint32_t asz_flow_count(enum asz_flow_set set, const struct asz_flow_net *net);
void asz_flow_rule_make(struct asz_flow_rule *ret_rule, enum asz_flow_set set, uint32_t i, const struct asz_flow_net *net);

/* asz_flows_take asks the port for a set: first whether it would take every rule, then for the rules. False: it refused one, and
 * has none of them. asz_flows_drop gives all sets back; the port is open. */
bool asz_flows_take(struct asz_flows *flows, const struct asz_port *port, enum asz_flow_set set, const struct asz_flow_net *net);
void asz_flows_drop(struct asz_flows *flows, const struct asz_port *port);

#endif
