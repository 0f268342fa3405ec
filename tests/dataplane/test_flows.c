/* SPDX-License-Identifier: Apache-2.0 */
/* The rules against replies of every kind, read as a NIC would (flow_match.h); and ports that refuse some of them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "dataplane/flows.h"
#include "tests/dataplane/bed.h"
#include "tests/dataplane/flow_match.h"

static struct bed bed;
static struct flow_rule rule[ASZ_FLOW_SETS * ASZ_FLOW_RULES_MAX];
static unsigned rules;

static struct asz_flow_net net_of(uint32_t lcores, uint16_t vlan) {
  struct asz_flow_net net = {.lcore_count = lcores, .vlan = vlan, .source_port_base = BED_PORT_BASE, .local_ipv4 = BED_LOCAL};
  bed_address(net.local_ipv6, BED_LOCAL);
  return net;
}

static void rules_read(const struct asz_flow_net *net) {
  rules = 0;
  for (enum asz_flow_set set = 0; set < ASZ_FLOW_SETS; set++) {
    for (uint32_t i = 0; i < asz_flow_count(set, net); i++) {
      struct asz_flow_rule made;
      asz_flow_rule_make(&made, set, i, net);
      flow_rule_read(&rule[rules++], &made.attr, made.pattern, made.action);
    }
  }
}

/* How many rules a frame matches, and the queue of the last. */
static unsigned matches(const struct bed_frame *frame, uint16_t *ret_queue) {
  unsigned count = 0;
  for (unsigned i = 0; i < rules; i++) {
    if (!flow_rule_matches(&rule[i], frame->bytes, frame->size))
      continue;
    *ret_queue = rule[i].queue;
    count++;
  }
  return count;
}

static void replies_come_back(uint32_t lcores, enum asz_probe kind, enum asz_family family, uint32_t lcore) {
  struct asz_steer steer;
  bool no_rule = kind == ASZ_PROBE_ICMP_ECHO && family == ASZ_FAMILY_IPV6;
  asz_steer_init_rules(&steer, (uint32_t)__builtin_ctz(lcores), lcore);
  bed.echo_id = (uint16_t)lcore;
  bed_steer(&bed, &steer);
  for (uint32_t i = 0; i < 8; i++) {
    uint16_t queue = 99;
    uint64_t t1 = BED_START + (i + 1) * BED_MS, answered = bed.counters.value[ASZ_CTR_RX_ANSWERED];
    struct bed_frame reply = bed_exchange(&bed, i % BED_TARGETS, 2 * lcore + i / BED_TARGETS, t1);
    cr_assert(eq(uint, matches(&reply, &queue), no_rule ? 0 : 1), "%s, family %d, lcore %u", asz_probe_name(kind), (int)family,
              lcore);
    if (!no_rule)
      cr_assert(eq(u32, queue, lcore), "%s, family %d", asz_probe_name(kind), (int)family);
    bed_receive(&bed, &reply, t1 + BED_MS);
    cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], answered + 1), "%s", asz_probe_name(kind));
  }
}

Test(flows, reply_of_each_kind_comes_to_the_queue_of_the_lcore_that_asked)
{
  for (uint32_t lcores = 2; lcores <= 16; lcores *= 2) {
    uint16_t vlan = lcores == 4 ? BED_VLAN : 0;
    const struct asz_flow_net net = net_of(lcores, vlan);
    rules_read(&net);
    cr_assert(eq(uint, rules, 5 * lcores));
    for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++) {
      for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++) {
        bed_open_on(&bed, kind, family, vlan);
        for (uint32_t lcore = 0; lcore < lcores; lcore++)
          replies_come_back(lcores, kind, family, lcore);
        bed_close(&bed);
      }
    }
  }
}

/* A reply that is changed in one thing. */
static void assert_not_matched(struct bed_frame frame, size_t at, uint8_t flip) {
  uint16_t queue;
  cr_assert(eq(uint, matches(&frame, &queue), 1));
  frame.bytes[at] ^= flip;
  cr_assert(eq(uint, matches(&frame, &queue), 0), "byte %zu", at);
}

Test(flows, what_is_no_reply_to_a_probe_matches_no_rule)
{
  const struct asz_flow_net net = net_of(4, BED_VLAN);
  rules_read(&net);
  bed_open_on(&bed, ASZ_PROBE_STAMP, ASZ_FAMILY_IPV4, BED_VLAN);
  struct bed_frame reply = bed_exchange(&bed, 0, 0, BED_START + BED_MS);
  size_t l3 = (size_t)(bed_l3(&reply) - reply.bytes), l4 = (size_t)(bed_l4(&reply) - reply.bytes);
  assert_not_matched(reply, l3 + ASZ_IPV4_DST + 3, 1);
  assert_not_matched(reply, l3 + ASZ_IPV4_PROTOCOL, 0x40);
  assert_not_matched(reply, l4 + ASZ_UDP_DST, 0x20); /* beyond the probes' ports: challenges */
  assert_not_matched(reply, ASZ_ETH_TYPE + 3, 1);    /* another tag */
  assert_not_matched(reply, ASZ_ETH_TYPE, 1);        /* none */
  bed_close(&bed);
  bed_open_on(&bed, ASZ_PROBE_ICMP_ECHO, ASZ_FAMILY_IPV4, BED_VLAN);
  reply = bed_exchange(&bed, 0, 0, BED_START + BED_MS);
  assert_not_matched(reply, (size_t)(bed_l4(&reply) - reply.bytes), 8); /* a request to us */
  bed_close(&bed);
}

/* ---- ports that refuse ---- */

static struct {
  uint32_t validate_left, create_left; /* so many are taken, then no more */
  uint32_t validated, live, destroyed;
} port_;

static int flow_validate(uint16_t port_id, const struct rte_flow_attr *attr, const struct rte_flow_item *pattern,
                         const struct rte_flow_action *action, struct rte_flow_error *ret_error) {
  port_.validated++;
  return port_.validate_left-- > 0 ? 0 : -ENOTSUP;
}

static struct rte_flow *flow_create(uint16_t port_id, const struct rte_flow_attr *attr, const struct rte_flow_item *pattern,
                                    const struct rte_flow_action *action, struct rte_flow_error *ret_error) {
  if (port_.create_left == 0)
    return NULL;
  port_.create_left--;
  port_.live++;
  return (struct rte_flow *)&port_;
}

static int flow_destroy(uint16_t port_id, struct rte_flow *flow, struct rte_flow_error *ret_error) {
  cr_assert(eq(ptr, flow, &port_));
  port_.live--;
  port_.destroyed++;
  return 0;
}

static const struct asz_port_ops ops = {.flow_validate = flow_validate, .flow_create = flow_create, .flow_destroy = flow_destroy};

Test(flows, port_that_refuses_any_rule_of_a_set_has_none_of_it)
{
  const struct asz_port port = {.ops = &ops};
  const struct asz_flow_net net = net_of(4, 0);
  for (enum asz_flow_set set = 0; set < ASZ_FLOW_SETS; set++) {
    uint32_t count = asz_flow_count(set, &net);
    for (uint32_t taken = 0; taken < count; taken++) {
      struct asz_flows flows = {0};
      memset(&port_, 0, sizeof port_);
      port_.validate_left = taken;
      port_.create_left = count;
      cr_assert(not(asz_flows_take(&flows, &port, set, &net)));
      cr_assert(eq(u32, port_.create_left, count), "nothing was made");
      memset(&port_, 0, sizeof port_);
      port_.validate_left = count;
      port_.create_left = taken;
      cr_assert(not(asz_flows_take(&flows, &port, set, &net)), "it promised, and does not keep it");
      cr_assert(eq(u32, port_.live, 0));
      asz_flows_drop(&flows, &port);
      cr_assert(eq(u32, port_.destroyed, taken), "each once");
    }
  }
}

Test(flows, port_without_rules_has_none)
{
  static const struct asz_port_ops none = {0};
  const struct asz_port port = {.ops = &none};
  const struct asz_flow_net net = net_of(2, 0);
  struct asz_flows flows = {0};
  cr_assert(not(asz_flows_take(&flows, &port, ASZ_FLOWS_PORTS_IPV4, &net)));
  asz_flows_drop(&flows, &port);
}

Test(flows, rules_are_given_back)
{
  const struct asz_port port = {.ops = &ops};
  const struct asz_flow_net net = net_of(16, 0);
  struct asz_flows flows = {0};
  port_.validate_left = port_.create_left = 1000;
  for (enum asz_flow_set set = 0; set < ASZ_FLOW_SETS; set++)
    cr_assert(asz_flows_take(&flows, &port, set, &net));
  cr_assert(eq(u32, port_.live, 5 * 16));
  asz_flows_drop(&flows, &port);
  asz_flows_drop(&flows, &port);
  cr_assert(eq(u32, port_.live, 0));
  cr_assert(eq(u32, port_.destroyed, 5 * 16));
}
