/* SPDX-License-Identifier: Apache-2.0 */
/* asz_reflector: answers requests on a DPDK port: a provider's side at the speed of the prober's.
 *
 * One lcore owns a queue pair: it receives a burst, names what each frame is (reflect.h), asks the rules which requests to
 * answer, turns those into their replies in the very buffers that they came in, and sends them. A reply goes back to the MAC
 * address that its request came from, under the 802.1Q tag that it had, so there is no gateway to know and none to lose. It
 * answers ARP, neighbour solicitations and echo requests for its addresses. An IPv6 gateway may be named, to be asked for: a
 * switch that forwards multicast only to who has reported its group brings no solicitation to us, so the gateway has to hear our
 * MAC address from ourselves (docs/decisions/0011).
 *
 * Who may ask is not this room's business: the rules are the caller's, called once a burst on the lcore. Challenges are no work
 * for a packet loop either: they leave through a ring to the control thread (any other thread, one at a time), and answers come
 * back through another. A door of the dataplane (docs/decisions/0011); mentions no type of DPDK. */
#ifndef ASZ_DATAPLANE_REFLECTOR_H
#define ASZ_DATAPLANE_REFLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/address.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

/* X(symbol, name, help). Each frame counts in FRAMES and in one of ASKED_*, HEARD_ND or DROPPED_*. */
#define ASZ_REFLECT_COUNTER_LIST(X)                                                                                              \
  X(FRAMES, "port_frames", "frames received")                                                                                    \
  X(BURSTS, "port_bursts", "receive bursts that brought a frame")                                                                \
  X(ASKED_STAMP, "port_asked_stamp", "datagrams for our STAMP port: `rx` goes on from here")                                     \
  X(ASKED_CHALLENGE, "port_asked_challenge", "datagrams for our challenge port")                                                 \
  X(ASKED_ECHO, "port_asked_echo", "ICMP and ICMPv6 echo requests for our addresses")                                            \
  X(ASKED_ARP, "port_asked_arp", "ARP requests for our addresses")                                                               \
  X(ASKED_ND, "port_asked_nd", "neighbour solicitations for our IPv6 addresses")                                                 \
  X(HEARD_ND, "port_heard_nd", "advertisements of our gateway that answer a solicitation of ours")                               \
  X(DROPPED_MALFORMED, "port_dropped_malformed", "too short, lengths that contradict each other, or in several buffers")         \
  X(DROPPED_CHECKSUM, "port_dropped_checksum", "IPv4, UDP, ICMP or ICMPv6 checksum wrong, or UDP over IPv6 without one")         \
  X(DROPPED_FRAGMENT, "port_dropped_fragment", "fragments")                                                                      \
  X(DROPPED_OPTIONS, "port_dropped_options",                                                                                     \
    "IPv4 options, IPv6 extension headers: a reply would have to repeat or to lose them")                                        \
  X(DROPPED_IPV6, "port_dropped_ipv6", "IPv6 packets, while no --local-ip is of IPv6")                                           \
  X(DROPPED_TAGGED, "port_dropped_tagged", "frames with more than one 802.1Q tag, or one of 802.1ad")                            \
  X(DROPPED_GROUP, "port_dropped_group", "to a broadcast or multicast MAC address, ARP and solicitations aside")                 \
  X(DROPPED_SOURCE, "port_dropped_source", "from an address that nobody can be answered at: a group, loopback, none, our own")   \
  X(DROPPED_ND, "port_dropped_nd", "neighbour discovery that RFC 4861 forbids, or that nobody asked for")                        \
  X(DROPPED_NOT_OURS, "port_dropped_not_ours", "for another MAC address, address, protocol or port")                             \
  X(DROPPED_LONG, "port_dropped_long", "longer than a datagram that we would answer")                                            \
  X(DROPPED_ECHO_RATE, "port_dropped_echo_rate", "echo requests over the rate limit of their source address")                    \
  X(DROPPED_RING, "port_dropped_ring", "challenges that found the ring to the control thread full")                              \
  X(SENT, "port_sent", "frames that the port took: replies, answers, ARP, neighbour discovery")                                  \
  X(SENT_ND, "port_sent_nd", "neighbour solicitations for our gateway")                                                          \
  X(GATEWAY_LOST, "port_gateway_lost", "times that our gateway, once heard, left three solicitations unanswered")                \
  X(SENT_ECHO, "port_sent_echo", "echo replies made")                                                                            \
  X(DROPPED_TX, "port_dropped_tx", "frames that the port did not take")                                                          \
  X(DROPPED_NO_MBUF, "port_dropped_no_mbuf", "challenge answers and neighbour discovery without a buffer")                       \
  X(MISSED, "port_missed", "frames that the port lost before we saw them")                                                       \
  X(LINK_LOST, "port_link_lost", "times that the link was found down")

enum asz_reflect_counter {
#define ASZ_REFLECT_COUNTER_ENUM(symbol, name, help) ASZ_REFLECT_##symbol,
  ASZ_REFLECT_COUNTER_LIST(ASZ_REFLECT_COUNTER_ENUM)
#undef ASZ_REFLECT_COUNTER_ENUM
      ASZ_REFLECT_COUNTER_COUNT
};
/* Name and help; counter < ASZ_REFLECT_COUNTER_COUNT (asserted). */
const char *asz_reflect_counter_name(enum asz_reflect_counter counter);
const char *asz_reflect_counter_help(enum asz_reflect_counter counter);

/* 64 frames a burst: as many as the prober sends at once. */
enum { ASZ_REFLECT_BURST = 64 };

enum asz_reflect_kind { ASZ_REFLECT_KIND_STAMP, ASZ_REFLECT_KIND_ECHO, ASZ_REFLECT_KIND_CHALLENGE };

/* A request in its frame. */
struct asz_reflect_request {
  uint8_t *payload; /* behind the UDP or ICMP header */
  uint32_t payload_bytes;
  struct asz_address peer;
  uint16_t peer_port; /* 0 for an echo */
  uint8_t ttl;        /* as it arrived */
  uint8_t kind;       /* enum asz_reflect_kind */
  bool admitted;      /* false until the rules say otherwise */
};

/* Both functions run on the lcore, once a burst, with the same array of up to ASZ_REFLECT_BURST: no lock, no allocation, no
 * system call in them. Whatever they refuse, they count. */
struct asz_reflector_rules {
  void *self;
  /* Sets `admitted`; changes no payload. now_ns never goes back. */
  void (*admit)(void *self, struct asz_reflect_request *request, unsigned count, uint64_t now_ns);
  /* Turns the payload of each admitted STAMP request into its reply, of the same size. t2_ns, t3_ns: CLOCK_REALTIME. */
  void (*finish)(void *self, struct asz_reflect_request *request, unsigned count, uint64_t t2_ns, uint64_t t3_ns);
};

struct asz_reflector_config {
  uint16_t port_id;
  unsigned lcore_id;
  /* One address at least; the kernel must not own it. All addresses of its prefix are ours. */
  uint32_t local_ipv4;      /* host order; 0: none */
  unsigned prefix_bits;     /* 8..32 */
  uint8_t local_ipv6[16];   /* all zero: none */
  unsigned prefix6_bits;    /* 32..128 */
  uint8_t gateway_ipv6[16]; /* all zero: nobody is asked for */
  uint16_t stamp_port, challenge_port;
  struct asz_reflector_rules rules;
};

/* What crosses the rings. An answer keeps the request's ends as they are: peer is who asked. */
struct asz_reflector_datagram {
  uint64_t rx_ns; /* CLOCK_REALTIME; challenges only */
  struct asz_ends ends;
  uint16_t size_bytes;
  uint8_t ttl;
  uint8_t zero[5];
  uint8_t payload[ASZ_DATAGRAM_MAX_BYTES];
};
_Static_assert(sizeof(struct asz_reflector_datagram) == 1272, "what crosses the rings");

struct asz_reflector;

/* asz_reflector_new opens the port and takes all memory (60 MB of buffers in EAL memory). Needs EAL. ASZ_EINVAL names the field;
 * else the errors of asz_port_open. Blocks for 0.1 s, and up to 5 s for the link. */
ASZ_MUST_CHECK int asz_reflector_new(struct asz_reflector **ret_reflector, const struct asz_reflector_config *config,
                                     struct asz_diag *diag);
ASZ_MUST_CHECK int asz_reflector_launch(struct asz_reflector *reflector);
/* asz_reflector_stop waits for the lcore; what was received is answered. Calling it again is fine. */
void asz_reflector_stop(struct asz_reflector *reflector);
void asz_reflector_free(struct asz_reflector *reflector); /* stops if needed, closes the port; NULL is fine */

/* asz_reflector_tend: once a second: sets the lcore's clock by the kernel's, looks at link and port. Says whether the link is up.
 */
bool asz_reflector_tend(struct asz_reflector *reflector);
/* asz_reflector_gateway_silent: the gateway has left three solicitations in a row unanswered. */
bool asz_reflector_gateway_silent(const struct asz_reflector *reflector);
/* asz_reflector_challenge_recv: 1 and a challenge, or 0. asz_reflector_answer_send: ASZ_EAGAIN when the ring is full. */
int asz_reflector_challenge_recv(struct asz_reflector *reflector, struct asz_reflector_datagram *ret_datagram);
ASZ_MUST_CHECK int asz_reflector_answer_send(struct asz_reflector *reflector, const struct asz_reflector_datagram *datagram);
/* asz_reflector_counters: at most a millisecond old while it runs, exact once stopped. */
void asz_reflector_counters(const struct asz_reflector *reflector, uint64_t ret_value[ASZ_REFLECT_COUNTER_COUNT]);

#endif
