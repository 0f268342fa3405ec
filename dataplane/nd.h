/* SPDX-License-Identifier: Apache-2.0 */
/* asz_nd: who is at the other end of the wire over IPv6: neighbour discovery (RFC 4861) as a host with one address, or all of a
 * prefix, and one next hop needs it. Resolves the gateway, keeps it resolved, and answers solicitations for us, those of
 * duplicate address detection (RFC 4862) included.
 *
 * Pure: it is told the time and what arrived, and says which frame to send. When to ask is asz_resolve's. Router advertisements,
 * redirects and unsolicited advertisements are not listened to: whoever is on the link could send them, and the operator has said
 * who the gateway is. Everything is checked that RFC 4861 section 7.1 asks for, the checksum always: a hop limit of 255 is what
 * keeps the rest of the world out. */
#ifndef ASZ_DATAPLANE_ND_H
#define ASZ_DATAPLANE_ND_H

#include "dataplane/base/wire.h"
#include "dataplane/neigh.h"
#include "dataplane/resolve.h"

enum { ASZ_ND_FRAME_BYTES = ASZ_ETH_BYTES + ASZ_IPV6_BYTES + 32 }; /* header, target address, one link-layer address option */

struct asz_nd {
  struct asz_resolve resolve;
  uint8_t local_mac[6];
  uint8_t local_ipv6[16], gateway_ipv6[16];
  uint8_t prefix_bits; /* 128; less, to be set after init: all addresses of local_ipv6's prefix are ours */
};

/* asz_nd_init: gateway_mac all zero: resolve. Addresses all zero: nothing is asked or answered. */
void asz_nd_init(struct asz_nd *ret_nd, const uint8_t local_mac[6], const uint8_t local_ipv6[16], const uint8_t gateway_ipv6[16],
                 const uint8_t gateway_mac[6], uint64_t tsc_hz);

/* asz_nd_poll: true when ret_frame holds a solicitation to send now. */
bool asz_nd_poll(struct asz_nd *nd, uint64_t tsc, uint8_t ret_frame[ASZ_ND_FRAME_BYTES]);

/* asz_nd_hear takes a parsed ICMPv6 frame (any type). ASZ_NEIGH_ANSWER: ret_frame holds an advertisement to send. */
enum asz_neigh_heard asz_nd_hear(struct asz_nd *nd, uint64_t tsc, const struct asz_frame *frame, const uint8_t *bytes,
                                 uint8_t ret_frame[ASZ_ND_FRAME_BYTES]);

#endif
