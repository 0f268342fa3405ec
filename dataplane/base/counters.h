/* SPDX-License-Identifier: Apache-2.0 */
/* asz_counters: one list of everything that can happen to a packet in the engine. Each outcome of the protocol has its own
 * name; nothing is dropped without one. An lcore counts in its own copy; housekeeping publishes it. */
#ifndef ASZ_DATAPLANE_BASE_COUNTERS_H
#define ASZ_DATAPLANE_BASE_COUNTERS_H

#include <stdint.h>

/* X(symbol, name in JSON and tables, help) */
#define ASZ_COUNTER_LIST(X)                                                                                                      \
  X(TX_PROBES, "tx_probes", "probes handed to the port")                                                                         \
  X(TX_NOT_SENT, "tx_not_sent", "probes skipped because the engine was late (debt cap) or stopped")                              \
  X(TX_DROPPED, "tx_dropped", "probes that the port did not take: our fault, unjudged")                                          \
  X(TX_NO_MBUF, "tx_no_mbuf", "probes without a buffer: our fault, unjudged")                                                    \
  X(TX_NO_GATEWAY, "tx_no_gateway", "probes not sent because the gateway had fallen silent: our fault, unjudged")                \
  X(TX_LINK_DOWN, "tx_link_down", "probes not sent because the port had no link: our fault, unjudged")                           \
  X(TX_DENIED, "tx_denied", "probes and challenges not sent because their target is on the deny list: unjudged")                 \
  X(TX_BURSTS, "tx_bursts", "transmit bursts")                                                                                   \
  X(TX_LATE, "tx_late", "probes sent later than the lateness bound after they were due or stamped")                              \
  X(TX_CHALLENGES, "tx_challenges", "challenge datagrams sent")                                                                  \
  X(TX_RESETS, "tx_resets", "TCP resets sent: a SYN-ACK leaves no half-open connection behind")                                  \
  X(TX_RESETS_DROPPED, "tx_resets_dropped", "TCP resets without a buffer or that the port did not take")                         \
  X(TX_ARP, "tx_arp", "ARP requests and replies sent")                                                                           \
  X(RX_BURSTS, "rx_bursts", "receive bursts that brought a frame")                                                               \
  X(TX_ND, "tx_nd", "neighbour solicitations and advertisements sent")                                                           \
  X(RX_FRAMES, "rx_frames", "frames received")                                                                                   \
  X(RX_ANSWERED, "rx_answered", "valid replies in time: RTT recorded")                                                           \
  X(RX_DOUBTFUL, "rx_doubtful",                                                                                                  \
    "valid first replies read after a stall or just after the link came back: RTT not recorded: ours")                           \
  X(RX_EARLY, "rx_early", "valid first replies that the port's clock has arrive before they were asked: RTT not recorded: ours") \
  X(RX_LATE, "rx_late", "valid replies after the timeout")                                                                       \
  X(RX_DUPLICATE, "rx_duplicate", "a second copy of a valid reply, in time")                                                     \
  X(RX_REORDERED, "rx_reordered", "valid first replies that arrived behind a later probe's (also answered)")                     \
  X(RX_REPLAYED, "rx_replayed", "valid once, sent again after the timeout")                                                      \
  X(RX_PAST_EPOCH, "rx_past_epoch", "valid for the epoch before, which is sealed: late or a copy, which nobody can tell now")    \
  X(RX_FORGED, "rx_forged", "cookie does not verify")                                                                            \
  X(RX_BAD_MAC, "rx_bad_mac", "cookie verifies, the TLV's MAC does not")                                                         \
  X(RX_WRONG_PATH, "rx_wrong_path", "right cookie from another address or port than was asked")                                  \
  X(RX_UNSOLICITED, "rx_unsolicited", "from an address that is no target")                                                       \
  X(RX_TOO_LONG, "rx_too_long", "over 1,518 bytes: no answer to anything that we ask")                                           \
  X(RX_OTHER_VLAN, "rx_other_vlan", "without the 802.1Q tag that is configured, or with another")                                \
  X(RX_MALFORMED, "rx_malformed", "too short, inconsistent lengths, bad header")                                                 \
  X(RX_BAD_CHECKSUM, "rx_bad_checksum", "IPv4, UDP, ICMP, ICMPv6 or TCP checksum wrong")                                         \
  X(RX_FRAGMENT, "rx_fragment", "fragments: never ours")                                                                         \
  X(RX_NOT_OURS, "rx_not_ours", "other destination, EtherType, protocol or port")                                                \
  X(RX_ANSWERS, "rx_answers", "challenge answers passed to the control plane")                                                   \
  X(RX_ANSWERS_DROPPED, "rx_answers_dropped", "challenge answers lost because our queue was full: unjudged")                     \
  X(RX_SAMPLES, "rx_samples", "replies to probes passed to the control plane, to be asked for in receipts")                      \
  X(RX_SAMPLES_DROPPED, "rx_samples_dropped", "the same, lost because our queue was full")                                       \
  X(RX_ARP, "rx_arp", "ARP requests for us and replies from the gateway")                                                        \
  X(RX_ARP_IGNORED, "rx_arp_ignored", "ARP that is malformed or not for us")                                                     \
  X(RX_STEERED, "rx_steered", "frames passed on to the lcore that owns their target")                                            \
  X(RX_STEER_DROPPED, "rx_steer_dropped", "frames lost because that lcore's queue was full: our fault")                          \
  X(RX_ND, "rx_nd", "neighbour solicitations for us and advertisements from the gateway")                                        \
  X(RX_ND_IGNORED, "rx_nd_ignored", "neighbour discovery that is malformed or not for us")                                       \
  X(RX_PORT_MISSED, "rx_port_missed", "frames that the port dropped before we saw them: our fault")                              \
  X(RX_STAMPED, "rx_stamped", "frames whose time of arrival is the port's own (they count as what they are, too)")               \
  X(RX_STAMP_REFUSED, "rx_stamp_refused", "port's times of arrival that cannot be true: the frame counts by when we looked")     \
  X(PORT_CLOCK_LOST, "port_clock_lost", "times that the port's clock jumped, or could not be read for a second")                 \
  X(NEIGH_LOST, "neigh_lost", "times that a gateway stopped answering ARP or ND")                                                \
  X(LINK_LOST, "link_lost", "times that the port lost its link")

enum asz_counter {
#define ASZ_COUNTER_ENUM(symbol, name, help) ASZ_CTR_##symbol,
  ASZ_COUNTER_LIST(ASZ_COUNTER_ENUM)
#undef ASZ_COUNTER_ENUM
      ASZ_CTR_COUNT
};

struct asz_counters {
  uint64_t value[ASZ_CTR_COUNT];
};

/* Name and help of a counter; counter < ASZ_CTR_COUNT (asserted). */
const char *asz_counter_name(enum asz_counter counter);
const char *asz_counter_help(enum asz_counter counter);

#endif
