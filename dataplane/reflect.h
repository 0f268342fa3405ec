/* SPDX-License-Identifier: Apache-2.0 */
/* asz_reflect: from a burst of frames to their replies, in place, without DPDK and without a clock.
 *
 * In two steps, because the transmit time T3 must be the last thing that is known before a burst is sent: `take` names each frame
 * and has the rules admit requests; `finish` makes the replies. What a frame is, is decided in one function (classify), headers
 * are turned in one other: an address family or a tag is a branch in each.
 *
 * A reply is never longer than its frame. Its headers are written anew rather than patched: nothing of the request's but
 * addresses, ports, payload and an 802.1Q tag comes back, no options, no padding, no surplus behind UDP. Neighbour advertisements
 * alone may be longer than what asked for them, by our MAC address (RFC 4861 section 7.2.4), so they are not made in place; what
 * asked has a hop limit of 255 and comes from this link. */
#ifndef ASZ_DATAPLANE_REFLECT_H
#define ASZ_DATAPLANE_REFLECT_H

#include "dataplane/base/wire.h"
#include "dataplane/nd.h"
#include "dataplane/reflector.h"

struct asz_reflect {
  uint8_t mac[6];
  uint32_t local_net, local_mask; /* host order; no IPv4 address of ours: a net that no address is in */
  bool ipv6;                      /* we have an IPv6 address: nd's */
  struct asz_nd nd;               /* its time is take's now_ns */
  uint16_t stamp_port, challenge_port;
  struct asz_reflector_rules rules;
  uint64_t counter[ASZ_REFLECT_COUNTER_COUNT];
};

/* A neighbour advertisement and the tag of what asked for it. */
enum { ASZ_REFLECT_ND_MAX = ASZ_ND_FRAME_BYTES + ASZ_VLAN_BYTES };
struct asz_reflect_nd {
  uint32_t size_bytes;
  uint8_t bytes[ASZ_REFLECT_ND_MAX];
};

struct asz_reflect_burst {
  unsigned count; /* up to ASZ_REFLECT_BURST */
  uint8_t *bytes[ASZ_REFLECT_BURST];
  uint32_t size_bytes[ASZ_REFLECT_BURST]; /* in: of the frame; out: of the reply, 0 for none */

  unsigned request_count; /* set by take; request i stands in frame at[i] */
  struct asz_reflect_request request[ASZ_REFLECT_BURST];
  struct asz_frame frame[ASZ_REFLECT_BURST];
  uint8_t at[ASZ_REFLECT_BURST];

  unsigned nd_count; /* set by take: frames to send beside the replies */
  struct asz_reflect_nd nd[ASZ_REFLECT_BURST];
};

/* asz_reflect_init: config is as asz_reflector_new checks it; port_id and lcore_id do not matter here. */
void asz_reflect_init(struct asz_reflect *ret_reflect, const uint8_t mac[6], const struct asz_reflector_config *config);

/* asz_reflect_take: afterwards the admitted requests of kind CHALLENGE are the caller's to pass on, by asz_reflect_challenge,
 * before finish. now_ns never goes back. */
void asz_reflect_take(struct asz_reflect *reflect, struct asz_reflect_burst *burst, uint64_t now_ns);
/* asz_reflect_finish: size_bytes[] are then those of the replies. */
void asz_reflect_finish(struct asz_reflect *reflect, struct asz_reflect_burst *burst, uint64_t t2_ns, uint64_t t3_ns);

/* asz_reflect_poll: true when ret_frame holds a solicitation of our gateway to send now; without a tag. */
bool asz_reflect_poll(struct asz_reflect *reflect, uint64_t now_ns, uint8_t ret_frame[ASZ_ND_FRAME_BYTES]);

/* asz_reflect_challenge: request i of a taken burst, for the ring. */
void asz_reflect_challenge(const struct asz_reflect_burst *burst, unsigned i, uint64_t rx_ns,
                           struct asz_reflector_datagram *ret_datagram);
/* asz_reflect_answer writes the frame of an answer (its size is returned) from our MAC address. */
enum { ASZ_REFLECT_ANSWER_MAX = ASZ_ETH_BYTES + ASZ_VLAN_BYTES + ASZ_IPV6_BYTES + ASZ_UDP_BYTES + ASZ_DATAGRAM_MAX_BYTES };
uint32_t asz_reflect_answer(const struct asz_reflect *reflect, const struct asz_reflector_datagram *datagram,
                            uint8_t ret_frame[ASZ_REFLECT_ANSWER_MAX]);

#endif
