/* SPDX-License-Identifier: Apache-2.0 */
/* asz_wire: Ethernet II, 802.1Q, ARP, IPv4, IPv6, UDP, ICMP, ICMPv6 and TCP as byte offsets, one parser and the Internet
 * checksum.
 *
 * Layouts: IEEE 802.3 and 802.1Q, RFC 826 (ARP), RFC 791 (IPv4), RFC 8200 (IPv6), RFC 768 (UDP), RFC 792 (ICMP), RFC 4443
 * (ICMPv6), RFC 9293 (TCP), RFC 1071 (checksum). Frames are byte arrays; nothing is cast onto them. IPv4 addresses are host-order
 * integers once parsed; IPv6 addresses stay where they are in the frame. */
#ifndef ASZ_DATAPLANE_BASE_WIRE_H
#define ASZ_DATAPLANE_BASE_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/base/err.h"

enum {
  ASZ_ETH_BYTES = 14,
  ASZ_ETH_DST = 0,
  ASZ_ETH_SRC = 6,
  ASZ_ETH_TYPE = 12,
  ASZ_ETHERTYPE_IPV4 = 0x0800,
  ASZ_ETHERTYPE_ARP = 0x0806,
  ASZ_ETHERTYPE_IPV6 = 0x86dd,
  ASZ_ETHERTYPE_VLAN = 0x8100, /* an 802.1Q tag follows */
  ASZ_VLAN_BYTES = 4,          /* an 802.1Q tag, between the source address and the EtherType */
  ASZ_VLAN_MAX = 4094,
  ASZ_IPV4_BYTES = 20, /* without options, as we send it */
  ASZ_IPV4_TOTAL_LENGTH = 2,
  ASZ_IPV4_ID = 4,
  ASZ_IPV4_FRAGMENT = 6,
  ASZ_IPV4_TTL = 8,
  ASZ_IPV4_PROTOCOL = 9,
  ASZ_IPV4_CHECKSUM = 10,
  ASZ_IPV4_SRC = 12,
  ASZ_IPV4_DST = 16,
  ASZ_IPV6_BYTES = 40, /* extension headers are never sent and never followed */
  ASZ_IPV6_PAYLOAD_LENGTH = 4,
  ASZ_IPV6_NEXT_HEADER = 6,
  ASZ_IPV6_HOP_LIMIT = 7,
  ASZ_IPV6_SRC = 8,
  ASZ_IPV6_DST = 24,
  ASZ_IPV6_ADDRESS_BYTES = 16,
  ASZ_PROTOCOL_ICMP = 1,
  ASZ_PROTOCOL_TCP = 6,
  ASZ_PROTOCOL_UDP = 17,
  ASZ_PROTOCOL_ICMPV6 = 58,
  ASZ_UDP_BYTES = 8,
  ASZ_UDP_SRC = 0,
  ASZ_UDP_DST = 2,
  ASZ_UDP_LENGTH = 4,
  ASZ_UDP_CHECKSUM = 6,
  ASZ_ICMP_BYTES = 8,
  ASZ_ICMP_ECHO_REPLY = 0,
  ASZ_ICMP_ECHO_REQUEST = 8,
  ASZ_ICMPV6_ECHO_REQUEST = 128,
  ASZ_ICMPV6_ECHO_REPLY = 129,
  ASZ_ICMPV6_NEIGHBOUR_SOLICITATION = 135,
  ASZ_ICMPV6_NEIGHBOUR_ADVERTISEMENT = 136,
  ASZ_TCP_BYTES = 20, /* without options */
  ASZ_TCP_SRC = 0,
  ASZ_TCP_DST = 2,
  ASZ_TCP_SEQ = 4,
  ASZ_TCP_ACK = 8,
  ASZ_TCP_OFFSET = 12, /* upper half of the byte: header length in words of four bytes */
  ASZ_TCP_FLAGS = 13,
  ASZ_TCP_WINDOW = 14,
  ASZ_TCP_CHECKSUM = 16,
  ASZ_TCP_FIN = 0x01,
  ASZ_TCP_SYN = 0x02,
  ASZ_TCP_RST = 0x04,
  ASZ_TCP_ACKS = 0x10, /* the acknowledgement number is valid */
  ASZ_ARP_BYTES = 28,
  ASZ_ARP_REQUEST = 1,
  ASZ_ARP_REPLY = 2,
  ASZ_ETH_MIN_BYTES = 60,   /* shortest frame without FCS; shorter ones are padded with zeros */
  ASZ_ETH_MAX_BYTES = 1518, /* longest without FCS: a tag and 1,500 bytes; nothing that we ask for has a longer answer */
};

/* The two Internet protocols, wherever something is kept once for each. */
enum asz_family { ASZ_FAMILY_IPV4 = 0, ASZ_FAMILY_IPV6, ASZ_FAMILY_COUNT };

/* What a frame is. Everything but ARP, UDP, ICMP and TCP ends in a counter. */
enum asz_frame_kind {
  ASZ_FRAME_MALFORMED = 0, /* shorter than a header, or lengths that contradict each other */
  ASZ_FRAME_OTHER,         /* an EtherType or protocol that we do not speak */
  ASZ_FRAME_FRAGMENT,      /* IPv4 with offset != 0 or more-fragments set; IPv6 with a fragment header */
  ASZ_FRAME_BAD_CHECKSUM,
  ASZ_FRAME_ARP,
  ASZ_FRAME_UDP,
  ASZ_FRAME_ICMP, /* over IPv6: ICMPv6 */
  ASZ_FRAME_TCP,
};

struct asz_frame {
  enum asz_frame_kind kind;
  uint32_t src_ipv4, dst_ipv4; /* host order; 0 for IPv6, see asz_frame_src_ipv6 */
  uint16_t src_port, dst_port; /* UDP and TCP */
  uint8_t ttl;                 /* or hop limit */
  uint8_t icmp_type, icmp_code;
  uint8_t tcp_flags;
  uint8_t family;          /* enum asz_family */
  uint16_t vlan;           /* of the 802.1Q tag; 0: no tag, or one of priority only */
  uint16_t l3_offset;      /* of the IP header or ARP body */
  uint16_t l4_offset;      /* of the UDP, ICMP or TCP header */
  uint16_t payload_offset; /* behind that header, TCP's options included */
  uint16_t payload_bytes;  /* by the IP and UDP lengths, so without Ethernet padding */
};

enum { ASZ_WIRE_CHECK_L3 = 1, ASZ_WIRE_CHECK_L4 = 2, ASZ_WIRE_CHECK_ALL = 3 };

/* asz_wire_parse reads frame[0..size) and fills *ret_frame; always returns with kind set, never reads past size. `check`: which
 * checksums to verify in software. A UDP checksum of 0 means none over IPv4 (RFC 768) and is wrong over IPv6 (RFC 8200 section
 * 8.1). One 802.1Q tag (0x8100) is stepped over. Pure; any thread. */
void asz_wire_parse(struct asz_frame *ret_frame, const uint8_t *frame, size_t size_bytes, unsigned check);

/* asz_frame_src_ipv6, asz_frame_dst_ipv6: the 16 address bytes in the frame that was parsed; only of family IPv6 and a kind from
 * ASZ_FRAME_UDP on. */
static inline const uint8_t *asz_frame_src_ipv6(const struct asz_frame *frame, const uint8_t *bytes) {
  return bytes + frame->l3_offset + ASZ_IPV6_SRC;
}
static inline const uint8_t *asz_frame_dst_ipv6(const struct asz_frame *frame, const uint8_t *bytes) {
  return bytes + frame->l3_offset + ASZ_IPV6_DST;
}

/* Ones-complement sum: add bytes to a 64-bit accumulator, end-around carry kept, then fold to the 16-bit checksum (already
 * complemented, in the order in which asz_be16_store writes it). asz_wire_sum of a region at an even offset may be added to
 * others. */
static inline uint64_t asz_wire_sum(uint64_t sum, const void *data, size_t size_bytes) {
  const uint8_t *at = (const uint8_t *)data;
  uint64_t word;
  for (; size_bytes >= 8; at += 8, size_bytes -= 8) {
    memcpy(&word, at, 8);
    sum += word;
    sum += sum < word; /* the carry comes in again at the other end */
  }
  if (size_bytes >= 4) {
    uint32_t half;
    memcpy(&half, at, 4);
    sum += half;
    sum += sum < half;
    at += 4;
    size_bytes -= 4;
  }
  word = 0; /* the missing bytes of the last word count as zeros */
  for (size_t i = 0; i < size_bytes; i++)
    word |= (uint64_t)at[i] << 8 * i;
  sum += word;
  return sum + (sum < word);
}
static inline uint16_t asz_wire_fold(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16); /* under 2^18 */
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return __builtin_bswap16((uint16_t)~sum);
}

/* Header writers: each writes its constant form with the checksum set. Buffers are the caller's. */
void asz_wire_eth_write(uint8_t *eth, const uint8_t dst[6], const uint8_t src[6], uint16_t ethertype);
/* asz_wire_vlan_write: 4 bytes of tag in front of the EtherType: tag points behind the source address. vlan: 1..4094. */
void asz_wire_vlan_write(uint8_t *tag, uint16_t vlan);
/* asz_wire_ipv4_write: 20 bytes, DF set, id 0, given TTL and payload length; addresses in host order. */
void asz_wire_ipv4_write(uint8_t *ip, uint32_t src, uint32_t dst, uint8_t protocol, uint8_t ttl, uint16_t payload_bytes);
/* asz_wire_ipv6_write: 40 bytes, traffic class and flow label 0; addresses of 16 bytes. */
void asz_wire_ipv6_write(uint8_t *ip, const uint8_t *src, const uint8_t *dst, uint8_t next_header, uint8_t hop_limit,
                         uint16_t payload_bytes);
/* asz_wire_udp_write: 8 bytes; asz_wire_udp_finish sets length-independent checksum over pseudo-header and payload (0 -> 0xffff).
 */
void asz_wire_udp_write(uint8_t *udp, uint16_t src_port, uint16_t dst_port, uint16_t payload_bytes);
void asz_wire_udp_finish(uint8_t *ip); /* ip points at the IPv4 (20 bytes) or IPv6 header in front of udp */
void asz_wire_icmp_finish(uint8_t *icmp, size_t size_bytes);
void asz_wire_icmpv6_finish(uint8_t *ip); /* ip points at the IPv6 header; its payload length is the message's size */
/* asz_wire_tcp_finish: ip points at the IPv4 (20 bytes) or IPv6 header in front of TCP header and data; sets the TCP checksum. */
void asz_wire_tcp_finish(uint8_t *ip);
/* asz_wire_arp_write: a whole frame of ASZ_ETH_MIN_BYTES, zero-padded. For a request dst_mac is zero in the body, broadcast in
 * Ethernet. */
void asz_wire_arp_write(uint8_t *frame, uint16_t operation, const uint8_t src_mac[6], uint32_t src_ipv4, const uint8_t dst_mac[6],
                        uint32_t dst_ipv4);

struct asz_arp {
  uint16_t operation;
  uint8_t sender_mac[6], target_mac[6];
  uint32_t sender_ipv4, target_ipv4; /* host order */
};
/* asz_wire_arp_read: ASZ_EFORMAT unless Ethernet/IPv4 ARP of sane sizes. `arp` points at the body. */
ASZ_MUST_CHECK int asz_wire_arp_read(struct asz_arp *ret_arp, const uint8_t *arp, size_t size_bytes);

/* Dotted quad <-> host order. parse accepts exactly four decimal octets; text needs 16 bytes. */
ASZ_MUST_CHECK int asz_ipv4_parse(uint32_t *ret_ipv4, const char *text);
void asz_ipv4_format(char ret_text[16], uint32_t ipv4);

#endif
