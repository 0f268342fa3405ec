/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/flow_match.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"

/* Bytes of its header that an item is compared with: those that its structure begins with. */
static size_t header_bytes(enum rte_flow_item_type type) {
  switch (type) {
  case RTE_FLOW_ITEM_TYPE_ETH:
    return 14;
  case RTE_FLOW_ITEM_TYPE_VLAN:
    return 4;
  case RTE_FLOW_ITEM_TYPE_IPV4:
  case RTE_FLOW_ITEM_TYPE_TCP:
    return 20;
  case RTE_FLOW_ITEM_TYPE_IPV6:
    return 40;
  case RTE_FLOW_ITEM_TYPE_UDP:
  case RTE_FLOW_ITEM_TYPE_ICMP:
    return 8;
  default:
    cr_assert(false, "item %d", (int)type);
    return 0;
  }
}

void flow_rule_read(struct flow_rule *ret_rule, const struct rte_flow_attr *attr, const struct rte_flow_item *pattern,
                    const struct rte_flow_action *action) {
  unsigned i = 0;
  memset(ret_rule, 0, sizeof *ret_rule);
  cr_assert(attr->ingress && !attr->egress && !attr->transfer);
  for (; pattern[i].type != RTE_FLOW_ITEM_TYPE_END; i++) {
    cr_assert(lt(uint, i, FLOW_ITEMS_MAX - 1));
    cr_assert(eq(ptr, (void *)pattern[i].last, NULL), "a range");
    cr_assert(eq(int, pattern[i].spec == NULL, pattern[i].mask == NULL), "no default mask is meant");
    ret_rule->item[i].type = pattern[i].type;
    if (pattern[i].spec == NULL)
      continue;
    memcpy(ret_rule->item[i].spec, pattern[i].spec, header_bytes(pattern[i].type));
    memcpy(ret_rule->item[i].mask, pattern[i].mask, header_bytes(pattern[i].type));
  }
  ret_rule->item[i].type = RTE_FLOW_ITEM_TYPE_END;
  cr_assert(eq(int, action[0].type, RTE_FLOW_ACTION_TYPE_QUEUE));
  cr_assert(eq(int, action[1].type, RTE_FLOW_ACTION_TYPE_END));
  ret_rule->queue = ((const struct rte_flow_action_queue *)action[0].conf)->index;
}

/* What the header before says of the one that comes now: an EtherType or, from an IP header on, a protocol. */
static unsigned name_of(enum rte_flow_item_type type) {
  static const struct {
    enum rte_flow_item_type type;
    unsigned name;
  } names[] = {{RTE_FLOW_ITEM_TYPE_VLAN, 0x8100}, {RTE_FLOW_ITEM_TYPE_IPV4, 0x0800}, {RTE_FLOW_ITEM_TYPE_IPV6, 0x86dd},
               {RTE_FLOW_ITEM_TYPE_ICMP, 1},      {RTE_FLOW_ITEM_TYPE_TCP, 6},       {RTE_FLOW_ITEM_TYPE_UDP, 17}};
  for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
    if (names[i].type == type)
      return names[i].name;
  return 0;
}

bool flow_rule_matches(const struct flow_rule *rule, const uint8_t *frame, size_t size_bytes) {
  size_t at = 0;
  unsigned next = 0;
  for (unsigned i = 0; rule->item[i].type != RTE_FLOW_ITEM_TYPE_END; i++) {
    enum rte_flow_item_type type = rule->item[i].type;
    size_t header = header_bytes(type);
    if (at + header > size_bytes || name_of(type) != next)
      return false;
    for (size_t b = 0; b < header; b++)
      if (((frame[at + b] ^ rule->item[i].spec[b]) & rule->item[i].mask[b]) != 0)
        return false;
    if (type == RTE_FLOW_ITEM_TYPE_ETH)
      next = asz_be16_load(frame + at + 12);
    else if (type == RTE_FLOW_ITEM_TYPE_VLAN)
      next = asz_be16_load(frame + at + 2);
    else if (type == RTE_FLOW_ITEM_TYPE_IPV4)
      next = frame[at + 9];
    else if (type == RTE_FLOW_ITEM_TYPE_IPV6)
      next = frame[at + 6];
    at += type == RTE_FLOW_ITEM_TYPE_IPV4 ? (size_t)(frame[at] & 15) * 4 : header;
  }
  return true;
}
