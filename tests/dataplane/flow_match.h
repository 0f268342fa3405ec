/* SPDX-License-Identifier: Apache-2.0 */
/* What a NIC makes of a flow rule: does a frame match its pattern, and which queue does it get? Reads the bytes of frame, spec
 * and mask, nothing of how the rule was made. Ethernet, VLAN, IPv4, IPv6, UDP, TCP, ICMP; any other item fails the test. */
#ifndef ASZ_TESTS_DATAPLANE_FLOW_MATCH_H
#define ASZ_TESTS_DATAPLANE_FLOW_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_flow.h>

enum { FLOW_ITEMS_MAX = 8, FLOW_HEADER_MAX = 40 };

struct flow_rule {
  struct {
    enum rte_flow_item_type type;
    uint8_t spec[FLOW_HEADER_MAX], mask[FLOW_HEADER_MAX]; /* all zero: any */
  } item[FLOW_ITEMS_MAX];
  uint16_t queue;
};

/* flow_rule_read copies a rule as a driver would: nothing of it is needed afterwards. */
void flow_rule_read(struct flow_rule *ret_rule, const struct rte_flow_attr *attr, const struct rte_flow_item *pattern,
                    const struct rte_flow_action *action);
bool flow_rule_matches(const struct flow_rule *rule, const uint8_t *frame, size_t size_bytes);

#endif
