/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/flows.h"

#include <string.h>

#include <rte_byteorder.h>

uint32_t asz_flow_count(enum asz_flow_set set, const struct asz_flow_net *net) {
  return set == ASZ_FLOWS_ECHO_IPV4 ? net->lcore_count : 2 * net->lcore_count;
}

static void item_add(struct asz_flow_rule *rule, uint32_t *at, enum rte_flow_item_type type, const void *spec, const void *mask) {
  rule->pattern[(*at)++] = (struct rte_flow_item){.type = type, .spec = spec, .mask = mask};
}

static void network_add(struct asz_flow_rule *rule, uint32_t *at, enum asz_family family, const struct asz_flow_net *net) {
  item_add(rule, at, RTE_FLOW_ITEM_TYPE_ETH, NULL, NULL);
  if (net->vlan != 0) {
    rule->vlan.hdr.vlan_tci = rte_cpu_to_be_16(net->vlan);
    rule->vlan_mask.hdr.vlan_tci = rte_cpu_to_be_16(0x0fff); /* not the priority */
    item_add(rule, at, RTE_FLOW_ITEM_TYPE_VLAN, &rule->vlan, &rule->vlan_mask);
  }
  if (family == ASZ_FAMILY_IPV6) {
    memcpy(rule->ipv6.hdr.dst_addr, net->local_ipv6, sizeof rule->ipv6.hdr.dst_addr);
    memset(rule->ipv6_mask.hdr.dst_addr, 0xff, sizeof rule->ipv6_mask.hdr.dst_addr);
    item_add(rule, at, RTE_FLOW_ITEM_TYPE_IPV6, &rule->ipv6, &rule->ipv6_mask);
  } else {
    rule->ipv4.hdr.dst_addr = rte_cpu_to_be_32(net->local_ipv4);
    rule->ipv4_mask.hdr.dst_addr = UINT32_MAX;
    item_add(rule, at, RTE_FLOW_ITEM_TYPE_IPV4, &rule->ipv4, &rule->ipv4_mask);
  }
}

/* Of the probes' ports those that end in the lcore's number. */
static void ports_add(struct asz_flow_rule *rule, uint32_t *at, bool tcp, uint32_t lcore, const struct asz_flow_net *net) {
  rte_be16_t port = rte_cpu_to_be_16((uint16_t)(net->source_port_base | lcore));
  rte_be16_t mask = rte_cpu_to_be_16((uint16_t)(~(ASZ_STEER_PORTS - 1u) | (net->lcore_count - 1)));
  if (tcp) {
    rule->tcp.hdr.dst_port = port;
    rule->tcp_mask.hdr.dst_port = mask;
    item_add(rule, at, RTE_FLOW_ITEM_TYPE_TCP, &rule->tcp, &rule->tcp_mask);
  } else {
    rule->udp.hdr.dst_port = port;
    rule->udp_mask.hdr.dst_port = mask;
    item_add(rule, at, RTE_FLOW_ITEM_TYPE_UDP, &rule->udp, &rule->udp_mask);
  }
}

static void echo_add(struct asz_flow_rule *rule, uint32_t *at, uint32_t lcore, const struct asz_flow_net *net) {
  rule->icmp.hdr.icmp_type = ASZ_ICMP_ECHO_REPLY;
  rule->icmp_mask.hdr.icmp_type = UINT8_MAX;
  rule->icmp.hdr.icmp_ident = rte_cpu_to_be_16((uint16_t)lcore);
  rule->icmp_mask.hdr.icmp_ident = rte_cpu_to_be_16((uint16_t)(net->lcore_count - 1));
  item_add(rule, at, RTE_FLOW_ITEM_TYPE_ICMP, &rule->icmp, &rule->icmp_mask);
}

void asz_flow_rule_make(struct asz_flow_rule *ret_rule, enum asz_flow_set set, uint32_t i, const struct asz_flow_net *net) {
  uint32_t lcore = i & (net->lcore_count - 1), at = 0;
  memset(ret_rule, 0, sizeof *ret_rule);
  ret_rule->attr.ingress = 1;
  network_add(ret_rule, &at, set == ASZ_FLOWS_PORTS_IPV6 ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4, net);
  if (set == ASZ_FLOWS_ECHO_IPV4)
    echo_add(ret_rule, &at, lcore, net);
  else
    ports_add(ret_rule, &at, i >= net->lcore_count, lcore, net);
  item_add(ret_rule, &at, RTE_FLOW_ITEM_TYPE_END, NULL, NULL);
  ret_rule->queue.index = (uint16_t)lcore;
  ret_rule->action[0] = (struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &ret_rule->queue};
  ret_rule->action[1] = (struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_END};
}

static void set_drop(struct asz_flows *flows, const struct asz_port *port, enum asz_flow_set set) {
  for (uint32_t i = 0; i < ASZ_FLOW_RULES_MAX; i++) {
    if (flows->flow[set][i] != NULL)
      (void)port->ops->flow_destroy(port->port_id, flows->flow[set][i], NULL);
    flows->flow[set][i] = NULL;
  }
}

void asz_flows_drop(struct asz_flows *flows, const struct asz_port *port) {
  for (enum asz_flow_set set = 0; set < ASZ_FLOW_SETS; set++)
    set_drop(flows, port, set);
}

bool asz_flows_take(struct asz_flows *flows, const struct asz_port *port, enum asz_flow_set set, const struct asz_flow_net *net) {
  struct asz_flow_rule rule;
  struct rte_flow_error error;
  uint32_t count = asz_flow_count(set, net);
  if (port->ops->flow_validate == NULL)
    return false;
  for (uint32_t i = 0; i < count; i++) {
    asz_flow_rule_make(&rule, set, i, net);
    if (port->ops->flow_validate(port->port_id, &rule.attr, rule.pattern, rule.action, &error) != 0)
      return false;
  }
  for (uint32_t i = 0; i < count; i++) {
    asz_flow_rule_make(&rule, set, i, net);
    flows->flow[set][i] = port->ops->flow_create(port->port_id, &rule.attr, rule.pattern, rule.action, &error);
    if (flows->flow[set][i] == NULL) {
      set_drop(flows, port, set);
      return false;
    }
  }
  return true;
}
