/* SPDX-License-Identifier: Apache-2.0 */
/* asz_reflect: from a burst of frames to their replies, in place, without DPDK and without a clock.
 *
 * In two steps, because the transmit time T3 must be the last thing that is known before a burst is sent: `take` names each frame
 * and has the rules admit requests; `finish` makes the replies. What a frame is, is decided in one function (classify), headers
 * are turned in one other: another address family or another tag is a branch in each.
 *
 * A reply is never longer than its frame. Its headers are written anew rather than patched: nothing of the request's but
 * addresses, ports and payload comes back, no options, no padding, no surplus behind UDP. */
#ifndef ASZ_DATAPLANE_REFLECT_H
#define ASZ_DATAPLANE_REFLECT_H

#include "dataplane/base/wire.h"
#include "dataplane/reflector.h"

struct asz_reflect {
  uint8_t mac[6];
  uint32_t local_ipv4, local_mask; /* host order */
  uint16_t stamp_port, challenge_port;
  struct asz_reflector_rules rules;
  uint64_t counter[ASZ_REFLECT_COUNTER_COUNT];
};

struct asz_reflect_burst {
  unsigned count; /* up to ASZ_REFLECT_BURST */
  uint8_t *bytes[ASZ_REFLECT_BURST];
  uint32_t size_bytes[ASZ_REFLECT_BURST]; /* in: of the frame; out: of the reply, 0 for none */

  unsigned request_count; /* set by take; request i stands in frame at[i] */
  struct asz_reflect_request request[ASZ_REFLECT_BURST];
  struct asz_frame frame[ASZ_REFLECT_BURST];
  uint8_t at[ASZ_REFLECT_BURST];
};

/* asz_reflect_take: afterwards the admitted requests of kind CHALLENGE are the caller's to pass on, by asz_reflect_challenge,
 * before finish. now_ns never goes back. */
void asz_reflect_take(struct asz_reflect *reflect, struct asz_reflect_burst *burst, uint64_t now_ns);
/* asz_reflect_finish: size_bytes[] are then those of the replies. */
void asz_reflect_finish(struct asz_reflect *reflect, struct asz_reflect_burst *burst, uint64_t t2_ns, uint64_t t3_ns);

/* asz_reflect_challenge: request i of a taken burst, for the ring. */
void asz_reflect_challenge(const struct asz_reflect_burst *burst, unsigned i, uint64_t rx_ns,
                           struct asz_reflector_datagram *ret_datagram);
/* asz_reflect_answer writes the frame of an answer (its size is returned) from our MAC address. */
enum { ASZ_REFLECT_ANSWER_MAX = ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES + ASZ_DATAGRAM_MAX_BYTES };
uint32_t asz_reflect_answer(const struct asz_reflect *reflect, const struct asz_reflector_datagram *datagram,
                            uint8_t ret_frame[ASZ_REFLECT_ANSWER_MAX]);

#endif
