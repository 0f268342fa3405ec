/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/nd.h"

#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/ipv6.h"

enum {
  HOP_LIMIT = 255, /* a router would have taken one off */
  /* RFC 4861 sections 4.3 and 4.4; offsets in the ICMPv6 message */
  FLAGS = 4, /* reserved in a solicitation */
  TARGET = 8,
  OPTIONS = 24,
  FLAG_SOLICITED = 0x40,
  FLAG_OVERRIDE = 0x20,
  /* Section 4.6: type, length in units of 8 bytes */
  OPTION_UNIT = 8,
  OPTION_SOURCE = 1,
  OPTION_TARGET = 2,
  MESSAGE_BYTES = OPTIONS + OPTION_UNIT,
};
_Static_assert((int)ASZ_ND_FRAME_BYTES == ASZ_ETH_BYTES + ASZ_IPV6_BYTES + MESSAGE_BYTES, "a frame holds one message");

static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};

void asz_nd_init(struct asz_nd *ret_nd, const uint8_t local_mac[6], const uint8_t local_ipv6[16], const uint8_t gateway_ipv6[16],
                 const uint8_t gateway_mac[6], uint64_t tsc_hz) {
  memset(ret_nd, 0, sizeof *ret_nd);
  memcpy(ret_nd->local_mac, local_mac, 6);
  memcpy(ret_nd->local_ipv6, local_ipv6, 16);
  memcpy(ret_nd->gateway_ipv6, gateway_ipv6, 16);
  ret_nd->prefix_bits = 128;
  asz_resolve_init(&ret_nd->resolve, gateway_mac, tsc_hz);
  ret_nd->resolve.fixed |= asz_ipv6_is_none(gateway_ipv6);
}

/* A message from us with our MAC as its one option. */
static void message_write(const struct asz_nd *nd, uint8_t *ret_frame, const uint8_t dst_mac[6], const uint8_t src[16],
                          const uint8_t dst[16], uint8_t type, uint8_t flags, const uint8_t target[16]) {
  uint8_t *ip = ret_frame + ASZ_ETH_BYTES, *icmp = ip + ASZ_IPV6_BYTES, *option = icmp + OPTIONS;
  memset(icmp, 0, MESSAGE_BYTES);
  asz_wire_eth_write(ret_frame, dst_mac, nd->local_mac, ASZ_ETHERTYPE_IPV6);
  asz_wire_ipv6_write(ip, src, dst, ASZ_PROTOCOL_ICMPV6, HOP_LIMIT, MESSAGE_BYTES);
  icmp[0] = type;
  icmp[FLAGS] = flags;
  memcpy(icmp + TARGET, target, 16);
  option[0] = type == ASZ_ICMPV6_NEIGHBOUR_SOLICITATION ? OPTION_SOURCE : OPTION_TARGET;
  option[1] = 1;
  memcpy(option + 2, nd->local_mac, 6);
  asz_wire_icmpv6_finish(ip);
}

bool asz_nd_poll(struct asz_nd *nd, uint64_t tsc, uint8_t ret_frame[ASZ_ND_FRAME_BYTES]) {
  if (!asz_resolve_due(&nd->resolve, tsc))
    return false;
  uint8_t group[16], group_mac[6];
  asz_ipv6_solicited(group, nd->gateway_ipv6);
  asz_ipv6_multicast_mac(group_mac, group);
  message_write(nd, ret_frame, group_mac, nd->local_ipv6, group, ASZ_ICMPV6_NEIGHBOUR_SOLICITATION, 0, nd->gateway_ipv6);
  return true;
}

/* What of a message matters here. */
struct heard {
  const uint8_t *icmp, *src, *dst, *target;
  const uint8_t *mac; /* of the option that says the sender's (solicitation) or target's (advertisement); NULL: none */
};

/* The checks that sections 7.1.1 and 7.1.2 have in common. The options end within the message, each is longer than nothing. */
static bool message_read(struct heard *ret_heard, const struct asz_frame *frame, const uint8_t *bytes) {
  struct asz_frame summed;
  size_t size = (size_t)ASZ_ICMP_BYTES + frame->payload_bytes;
  if (frame->kind != ASZ_FRAME_ICMP || frame->family != ASZ_FAMILY_IPV6 || frame->ttl != HOP_LIMIT || frame->icmp_code != 0 ||
      size < OPTIONS)
    return false;
  asz_wire_parse(&summed, bytes, frame->l4_offset + size, ASZ_WIRE_CHECK_L4);
  if (summed.kind != ASZ_FRAME_ICMP)
    return false;
  const uint8_t *icmp = bytes + frame->l4_offset;
  uint8_t wanted = frame->icmp_type == ASZ_ICMPV6_NEIGHBOUR_SOLICITATION ? OPTION_SOURCE : OPTION_TARGET;
  *ret_heard = (struct heard){
      .icmp = icmp, .src = asz_frame_src_ipv6(frame, bytes), .dst = asz_frame_dst_ipv6(frame, bytes), .target = icmp + TARGET};
  for (size_t at = OPTIONS; at < size;) {
    if (size - at < OPTION_UNIT || icmp[at + 1] == 0)
      return false;
    size_t option_bytes = (size_t)icmp[at + 1] * OPTION_UNIT;
    if (option_bytes > size - at)
      return false;
    if (icmp[at] == wanted && icmp[at + 1] == 1)
      ret_heard->mac = icmp + at + 2;
    at += option_bytes;
  }
  return true;
}

static bool is(const uint8_t a[16], const uint8_t b[16]) {
  return memcmp(a, b, 16) == 0;
}

/* Section 7.2.4. Who asks from no address yet wants to know whether ours is taken (RFC 4862 section 5.4): all are told. */
static enum asz_neigh_heard solicited(const struct asz_nd *nd, const struct heard *heard, const uint8_t *eth,
                                      uint8_t *ret_frame) {
  uint8_t group[16], group_mac[6];
  const uint8_t *target = heard->target;
  asz_ipv6_solicited(group, target);
  if (!asz_ipv6_in_prefix(target, nd->local_ipv6, nd->prefix_bits) || (!is(heard->dst, group) && !is(heard->dst, target)))
    return ASZ_NEIGH_IGNORED;
  if (asz_ipv6_is_none(heard->src)) {
    if (heard->mac != NULL || !is(heard->dst, group))
      return ASZ_NEIGH_IGNORED;
    asz_ipv6_multicast_mac(group_mac, all_nodes);
    message_write(nd, ret_frame, group_mac, target, all_nodes, ASZ_ICMPV6_NEIGHBOUR_ADVERTISEMENT, FLAG_OVERRIDE, target);
    return ASZ_NEIGH_ANSWER;
  }
  const uint8_t *mac = heard->mac != NULL ? heard->mac : eth + ASZ_ETH_SRC; /* it may be left out of a unicast question */
  if (!asz_ipv6_is_host(heard->src) || (mac[0] & 1) != 0)
    return ASZ_NEIGH_IGNORED;
  message_write(nd, ret_frame, mac, target, heard->src, ASZ_ICMPV6_NEIGHBOUR_ADVERTISEMENT, FLAG_SOLICITED | FLAG_OVERRIDE,
                target);
  return ASZ_NEIGH_ANSWER;
}

/* Section 7.2.5, and only what answers our own question: to us, solicited, with the MAC that a multicast question must bring. */
static enum asz_neigh_heard advertised(struct asz_nd *nd, uint64_t tsc, const struct heard *heard) {
  bool answer = is(heard->dst, nd->local_ipv6) && is(heard->target, nd->gateway_ipv6) && heard->mac != NULL &&
                (heard->icmp[FLAGS] & FLAG_SOLICITED) != 0;
  return answer && asz_resolve_answer(&nd->resolve, tsc, heard->mac) ? ASZ_NEIGH_LEARNED : ASZ_NEIGH_IGNORED;
}

enum asz_neigh_heard asz_nd_hear(struct asz_nd *nd, uint64_t tsc, const struct asz_frame *frame, const uint8_t *bytes,
                                 uint8_t ret_frame[ASZ_ND_FRAME_BYTES]) {
  struct heard heard;
  if (asz_ipv6_is_none(nd->local_ipv6) || !message_read(&heard, frame, bytes))
    return ASZ_NEIGH_IGNORED;
  switch (frame->icmp_type) {
  case ASZ_ICMPV6_NEIGHBOUR_SOLICITATION:
    return solicited(nd, &heard, bytes, ret_frame);
  case ASZ_ICMPV6_NEIGHBOUR_ADVERTISEMENT:
    return advertised(nd, tsc, &heard);
  default:
    return ASZ_NEIGH_IGNORED;
  }
}
