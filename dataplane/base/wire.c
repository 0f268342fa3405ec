/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as bytes.
 *
 * The parser goes down one layer at a time; each layer gets an offset and the number of bytes that the layer above vouches for,
 * and hands down a number that is never larger. That is why nothing is read past the frame: Ethernet gives what arrived, IPv4's
 * total length or IPv6's payload length cuts the padding off, UDP's length cuts the rest. A length that claims more than its
 * parent is a contradiction, so MALFORMED; one that claims less is trusted (padding behind IP, the surplus area behind UDP).
 *
 * Nothing that we ask for is answered with an IPv6 extension header, so none is followed: no loop, and no header of a stranger's
 * choice decides how far the parser goes (RFC 7045, RFC 8504 section 5.3 allow it). A fragment is told by name, the rest is
 * OTHER.
 *
 * The checksum adds words as this machine reads them and swaps once at the end: the ones-complement sum commutes with a byte swap
 * (RFC 1071 section 2), so no word needs to be swapped on its own. */
#include "dataplane/base/wire.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/base/bytes.h"

enum {
  VLAN_ID = 0x0fff,
  PROTOCOL_IPV6_FRAGMENT = 44,
  IPV4_FRAGMENT_BITS = 0x3fff, /* more-fragments and the offset */
  IPV4_DONT_FRAGMENT = 0x4000,
  /* ARP body, RFC 826 */
  ARP_HARDWARE = 0,
  ARP_PROTOCOL = 2,
  ARP_HARDWARE_BYTES = 4,
  ARP_PROTOCOL_BYTES = 5,
  ARP_OPERATION = 6,
  ARP_SENDER_MAC = 8,
  ARP_SENDER_IPV4 = 14,
  ARP_TARGET_MAC = 18,
  ARP_TARGET_IPV4 = 24,
  ARP_HARDWARE_ETHERNET = 1,
  ICMP_TYPE = 0,
  ICMP_CODE = 1,
  ICMP_CHECKSUM = 2,
};

static bool is_ipv6(const uint8_t *ip) {
  return ip[0] >> 4 == 6;
}

/* The pseudo-header of UDP and TCP (RFC 768, RFC 9293 section 3.1) or of any protocol over IPv6 (RFC 8200 section 8.1) in the
 * byte order of asz_wire_sum. */
static uint64_t pseudo_sum(const uint8_t *ip, uint8_t protocol, uint16_t l4_bytes) {
  uint64_t sum = (uint64_t)__builtin_bswap16(protocol) + __builtin_bswap16(l4_bytes);
  return is_ipv6(ip) ? asz_wire_sum(sum, ip + ASZ_IPV6_SRC, 32) : asz_wire_sum(sum, ip + ASZ_IPV4_SRC, 8);
}

static enum asz_frame_kind parse_udp(struct asz_frame *f, const uint8_t *frame, size_t l4_bytes, unsigned check) {
  const uint8_t *udp = frame + f->l4_offset;
  if (l4_bytes < ASZ_UDP_BYTES)
    return ASZ_FRAME_MALFORMED;
  uint16_t udp_bytes = asz_be16_load(udp + ASZ_UDP_LENGTH);
  if (udp_bytes < ASZ_UDP_BYTES || udp_bytes > l4_bytes)
    return ASZ_FRAME_MALFORMED;
  bool summed = asz_be16_load(udp + ASZ_UDP_CHECKSUM) != 0;
  if ((check & ASZ_WIRE_CHECK_L4) != 0 && !summed && f->family == ASZ_FAMILY_IPV6)
    return ASZ_FRAME_BAD_CHECKSUM;
  if ((check & ASZ_WIRE_CHECK_L4) != 0 && summed) {
    uint64_t sum = pseudo_sum(frame + f->l3_offset, ASZ_PROTOCOL_UDP, udp_bytes);
    if (asz_wire_fold(asz_wire_sum(sum, udp, udp_bytes)) != 0)
      return ASZ_FRAME_BAD_CHECKSUM;
  }
  f->src_port = asz_be16_load(udp + ASZ_UDP_SRC);
  f->dst_port = asz_be16_load(udp + ASZ_UDP_DST);
  f->payload_offset = (uint16_t)(f->l4_offset + ASZ_UDP_BYTES);
  f->payload_bytes = (uint16_t)(udp_bytes - ASZ_UDP_BYTES);
  return ASZ_FRAME_UDP;
}

static enum asz_frame_kind parse_icmp(struct asz_frame *f, const uint8_t *frame, size_t l4_bytes, unsigned check) {
  const uint8_t *icmp = frame + f->l4_offset;
  if (l4_bytes < ASZ_ICMP_BYTES)
    return ASZ_FRAME_MALFORMED;
  uint64_t pseudo = f->family == ASZ_FAMILY_IPV6 ? pseudo_sum(frame + f->l3_offset, ASZ_PROTOCOL_ICMPV6, (uint16_t)l4_bytes) : 0;
  if ((check & ASZ_WIRE_CHECK_L4) != 0 && asz_wire_fold(asz_wire_sum(pseudo, icmp, l4_bytes)) != 0)
    return ASZ_FRAME_BAD_CHECKSUM;
  f->icmp_type = icmp[ICMP_TYPE];
  f->icmp_code = icmp[ICMP_CODE];
  f->payload_offset = (uint16_t)(f->l4_offset + ASZ_ICMP_BYTES);
  f->payload_bytes = (uint16_t)(l4_bytes - ASZ_ICMP_BYTES);
  return ASZ_FRAME_ICMP;
}

/* RFC 9293 section 3.1. The options lie within the header, which lies within the packet; what they say is for asz_tcp. */
static enum asz_frame_kind parse_tcp(struct asz_frame *f, const uint8_t *frame, size_t l4_bytes, unsigned check) {
  const uint8_t *tcp = frame + f->l4_offset;
  if (l4_bytes < ASZ_TCP_BYTES)
    return ASZ_FRAME_MALFORMED;
  size_t header_bytes = (size_t)(tcp[ASZ_TCP_OFFSET] >> 4) * 4;
  if (header_bytes < ASZ_TCP_BYTES || header_bytes > l4_bytes)
    return ASZ_FRAME_MALFORMED;
  if ((check & ASZ_WIRE_CHECK_L4) != 0) {
    uint64_t sum = pseudo_sum(frame + f->l3_offset, ASZ_PROTOCOL_TCP, (uint16_t)l4_bytes);
    if (asz_wire_fold(asz_wire_sum(sum, tcp, l4_bytes)) != 0)
      return ASZ_FRAME_BAD_CHECKSUM;
  }
  f->src_port = asz_be16_load(tcp + ASZ_TCP_SRC);
  f->dst_port = asz_be16_load(tcp + ASZ_TCP_DST);
  f->tcp_flags = tcp[ASZ_TCP_FLAGS];
  f->payload_offset = (uint16_t)(f->l4_offset + header_bytes);
  f->payload_bytes = (uint16_t)(l4_bytes - header_bytes);
  return ASZ_FRAME_TCP;
}

static enum asz_frame_kind parse_ipv4(struct asz_frame *f, const uint8_t *frame, size_t l3_bytes, unsigned check) {
  const uint8_t *ip = frame + f->l3_offset;
  if (l3_bytes < ASZ_IPV4_BYTES || ip[0] >> 4 != 4)
    return ASZ_FRAME_MALFORMED;
  size_t header_bytes = (size_t)(ip[0] & 0xf) * 4;
  size_t total_bytes = asz_be16_load(ip + ASZ_IPV4_TOTAL_LENGTH);
  if (header_bytes < ASZ_IPV4_BYTES || header_bytes > total_bytes || total_bytes > l3_bytes)
    return ASZ_FRAME_MALFORMED;
  if ((check & ASZ_WIRE_CHECK_L3) != 0 && asz_wire_fold(asz_wire_sum(0, ip, header_bytes)) != 0)
    return ASZ_FRAME_BAD_CHECKSUM;
  f->src_ipv4 = asz_be32_load(ip + ASZ_IPV4_SRC);
  f->dst_ipv4 = asz_be32_load(ip + ASZ_IPV4_DST);
  f->ttl = ip[ASZ_IPV4_TTL];
  if ((asz_be16_load(ip + ASZ_IPV4_FRAGMENT) & IPV4_FRAGMENT_BITS) != 0)
    return ASZ_FRAME_FRAGMENT;
  f->l4_offset = (uint16_t)(f->l3_offset + header_bytes);
  switch (ip[ASZ_IPV4_PROTOCOL]) {
  case ASZ_PROTOCOL_UDP:
    return parse_udp(f, frame, total_bytes - header_bytes, check);
  case ASZ_PROTOCOL_ICMP:
    return parse_icmp(f, frame, total_bytes - header_bytes, check);
  case ASZ_PROTOCOL_TCP:
    return parse_tcp(f, frame, total_bytes - header_bytes, check);
  default:
    return ASZ_FRAME_OTHER;
  }
}

static enum asz_frame_kind parse_ipv6(struct asz_frame *f, const uint8_t *frame, size_t l3_bytes, unsigned check) {
  const uint8_t *ip = frame + f->l3_offset;
  f->family = ASZ_FAMILY_IPV6;
  if (l3_bytes < ASZ_IPV6_BYTES || !is_ipv6(ip))
    return ASZ_FRAME_MALFORMED;
  size_t payload_bytes = asz_be16_load(ip + ASZ_IPV6_PAYLOAD_LENGTH);
  if (payload_bytes > l3_bytes - ASZ_IPV6_BYTES)
    return ASZ_FRAME_MALFORMED;
  f->ttl = ip[ASZ_IPV6_HOP_LIMIT];
  f->l4_offset = (uint16_t)(f->l3_offset + ASZ_IPV6_BYTES);
  switch (ip[ASZ_IPV6_NEXT_HEADER]) {
  case ASZ_PROTOCOL_UDP:
    return parse_udp(f, frame, payload_bytes, check);
  case ASZ_PROTOCOL_ICMPV6:
    return parse_icmp(f, frame, payload_bytes, check);
  case ASZ_PROTOCOL_TCP:
    return parse_tcp(f, frame, payload_bytes, check);
  case PROTOCOL_IPV6_FRAGMENT:
    return ASZ_FRAME_FRAGMENT;
  default:
    return ASZ_FRAME_OTHER;
  }
}

void asz_wire_parse(struct asz_frame *ret_frame, const uint8_t *frame, size_t size_bytes, unsigned check) {
  *ret_frame = (struct asz_frame){.kind = ASZ_FRAME_MALFORMED};
  size_t offset = ASZ_ETH_BYTES;
  if (size_bytes < offset)
    return;
  uint16_t ethertype = asz_be16_load(frame + ASZ_ETH_TYPE);
  if (ethertype == ASZ_ETHERTYPE_VLAN) {
    offset += ASZ_VLAN_BYTES;
    if (size_bytes < offset)
      return;
    ret_frame->vlan = asz_be16_load(frame + offset - 4) & VLAN_ID;
    ethertype = asz_be16_load(frame + offset - 2);
  }
  ret_frame->l3_offset = (uint16_t)offset;
  if (ethertype == ASZ_ETHERTYPE_IPV4)
    ret_frame->kind = parse_ipv4(ret_frame, frame, size_bytes - offset, check);
  else if (ethertype == ASZ_ETHERTYPE_IPV6)
    ret_frame->kind = parse_ipv6(ret_frame, frame, size_bytes - offset, check);
  else if (ethertype == ASZ_ETHERTYPE_ARP)
    ret_frame->kind = size_bytes - offset >= ASZ_ARP_BYTES ? ASZ_FRAME_ARP : ASZ_FRAME_MALFORMED;
  else
    ret_frame->kind = ASZ_FRAME_OTHER;
}

void asz_wire_eth_write(uint8_t *eth, const uint8_t dst[6], const uint8_t src[6], uint16_t ethertype) {
  memcpy(eth + ASZ_ETH_DST, dst, 6);
  memcpy(eth + ASZ_ETH_SRC, src, 6);
  asz_be16_store(eth + ASZ_ETH_TYPE, ethertype);
}

void asz_wire_vlan_write(uint8_t *tag, uint16_t vlan) {
  assert(vlan >= 1 && vlan <= ASZ_VLAN_MAX);
  asz_be16_store(tag, ASZ_ETHERTYPE_VLAN);
  asz_be16_store(tag + 2, vlan);
}

void asz_wire_ipv4_write(uint8_t *ip, uint32_t src, uint32_t dst, uint8_t protocol, uint8_t ttl, uint16_t payload_bytes) {
  assert(payload_bytes <= UINT16_MAX - ASZ_IPV4_BYTES);
  memset(ip, 0, ASZ_IPV4_BYTES);
  ip[0] = 0x45; /* version 4, five words of header */
  asz_be16_store(ip + ASZ_IPV4_TOTAL_LENGTH, (uint16_t)(ASZ_IPV4_BYTES + payload_bytes));
  asz_be16_store(ip + ASZ_IPV4_FRAGMENT, IPV4_DONT_FRAGMENT);
  ip[ASZ_IPV4_TTL] = ttl;
  ip[ASZ_IPV4_PROTOCOL] = protocol;
  asz_be32_store(ip + ASZ_IPV4_SRC, src);
  asz_be32_store(ip + ASZ_IPV4_DST, dst);
  asz_be16_store(ip + ASZ_IPV4_CHECKSUM, asz_wire_fold(asz_wire_sum(0, ip, ASZ_IPV4_BYTES)));
}

void asz_wire_ipv6_write(uint8_t *ip, const uint8_t *src, const uint8_t *dst, uint8_t next_header, uint8_t hop_limit,
                         uint16_t payload_bytes) {
  asz_be32_store(ip, UINT32_C(6) << 28); /* version; traffic class and flow label 0 */
  asz_be16_store(ip + ASZ_IPV6_PAYLOAD_LENGTH, payload_bytes);
  ip[ASZ_IPV6_NEXT_HEADER] = next_header;
  ip[ASZ_IPV6_HOP_LIMIT] = hop_limit;
  memcpy(ip + ASZ_IPV6_SRC, src, ASZ_IPV6_ADDRESS_BYTES);
  memcpy(ip + ASZ_IPV6_DST, dst, ASZ_IPV6_ADDRESS_BYTES);
}

void asz_wire_udp_write(uint8_t *udp, uint16_t src_port, uint16_t dst_port, uint16_t payload_bytes) {
  assert(payload_bytes <= UINT16_MAX - ASZ_UDP_BYTES);
  asz_be16_store(udp + ASZ_UDP_SRC, src_port);
  asz_be16_store(udp + ASZ_UDP_DST, dst_port);
  asz_be16_store(udp + ASZ_UDP_LENGTH, (uint16_t)(ASZ_UDP_BYTES + payload_bytes));
  asz_be16_store(udp + ASZ_UDP_CHECKSUM, 0);
}

void asz_wire_udp_finish(uint8_t *ip) {
  uint8_t *udp = ip + (is_ipv6(ip) ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES);
  uint16_t udp_bytes = asz_be16_load(udp + ASZ_UDP_LENGTH);
  asz_be16_store(udp + ASZ_UDP_CHECKSUM, 0);
  uint16_t checksum = asz_wire_fold(asz_wire_sum(pseudo_sum(ip, ASZ_PROTOCOL_UDP, udp_bytes), udp, udp_bytes));
  asz_be16_store(udp + ASZ_UDP_CHECKSUM, checksum == 0 ? 0xffff : checksum); /* 0 on the wire means "no checksum" */
}

void asz_wire_icmp_finish(uint8_t *icmp, size_t size_bytes) {
  assert(size_bytes >= ASZ_ICMP_BYTES);
  asz_be16_store(icmp + ICMP_CHECKSUM, 0);
  asz_be16_store(icmp + ICMP_CHECKSUM, asz_wire_fold(asz_wire_sum(0, icmp, size_bytes)));
}

void asz_wire_tcp_finish(uint8_t *ip) {
  uint8_t *tcp = ip + (is_ipv6(ip) ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES);
  uint16_t tcp_bytes = is_ipv6(ip) ? asz_be16_load(ip + ASZ_IPV6_PAYLOAD_LENGTH)
                                   : (uint16_t)(asz_be16_load(ip + ASZ_IPV4_TOTAL_LENGTH) - ASZ_IPV4_BYTES);
  asz_be16_store(tcp + ASZ_TCP_CHECKSUM, 0);
  asz_be16_store(tcp + ASZ_TCP_CHECKSUM,
                 asz_wire_fold(asz_wire_sum(pseudo_sum(ip, ASZ_PROTOCOL_TCP, tcp_bytes), tcp, tcp_bytes)));
}

void asz_wire_icmpv6_finish(uint8_t *ip) {
  uint8_t *icmp = ip + ASZ_IPV6_BYTES;
  uint16_t size_bytes = asz_be16_load(ip + ASZ_IPV6_PAYLOAD_LENGTH);
  assert(is_ipv6(ip) && size_bytes >= ASZ_ICMP_BYTES);
  asz_be16_store(icmp + ICMP_CHECKSUM, 0);
  uint64_t sum = asz_wire_sum(pseudo_sum(ip, ASZ_PROTOCOL_ICMPV6, size_bytes), icmp, size_bytes);
  asz_be16_store(icmp + ICMP_CHECKSUM, asz_wire_fold(sum));
}

void asz_wire_arp_write(uint8_t *frame, uint16_t operation, const uint8_t src_mac[6], uint32_t src_ipv4, const uint8_t dst_mac[6],
                        uint32_t dst_ipv4) {
  static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  int request = operation == ASZ_ARP_REQUEST;
  memset(frame, 0, ASZ_ETH_MIN_BYTES);
  asz_wire_eth_write(frame, request ? broadcast : dst_mac, src_mac, ASZ_ETHERTYPE_ARP);
  uint8_t *arp = frame + ASZ_ETH_BYTES;
  asz_be16_store(arp + ARP_HARDWARE, ARP_HARDWARE_ETHERNET);
  asz_be16_store(arp + ARP_PROTOCOL, ASZ_ETHERTYPE_IPV4);
  arp[ARP_HARDWARE_BYTES] = 6;
  arp[ARP_PROTOCOL_BYTES] = 4;
  asz_be16_store(arp + ARP_OPERATION, operation);
  memcpy(arp + ARP_SENDER_MAC, src_mac, 6);
  asz_be32_store(arp + ARP_SENDER_IPV4, src_ipv4);
  if (!request)
    memcpy(arp + ARP_TARGET_MAC, dst_mac, 6);
  asz_be32_store(arp + ARP_TARGET_IPV4, dst_ipv4);
}

int asz_wire_arp_read(struct asz_arp *ret_arp, const uint8_t *arp, size_t size_bytes) {
  if (size_bytes < ASZ_ARP_BYTES || asz_be16_load(arp + ARP_HARDWARE) != ARP_HARDWARE_ETHERNET ||
      asz_be16_load(arp + ARP_PROTOCOL) != ASZ_ETHERTYPE_IPV4 || arp[ARP_HARDWARE_BYTES] != 6 || arp[ARP_PROTOCOL_BYTES] != 4)
    return ASZ_EFORMAT;
  ret_arp->operation = asz_be16_load(arp + ARP_OPERATION);
  memcpy(ret_arp->sender_mac, arp + ARP_SENDER_MAC, 6);
  ret_arp->sender_ipv4 = asz_be32_load(arp + ARP_SENDER_IPV4);
  memcpy(ret_arp->target_mac, arp + ARP_TARGET_MAC, 6);
  ret_arp->target_ipv4 = asz_be32_load(arp + ARP_TARGET_IPV4);
  return ASZ_OK;
}

int asz_ipv4_parse(uint32_t *ret_ipv4, const char *text) {
  uint32_t ipv4 = 0;
  for (int octet = 0; octet < 4; octet++) {
    if (octet > 0 && *text++ != '.')
      return ASZ_EFORMAT;
    unsigned value = 0;
    int digits = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
      if (digits > 0 && value == 0) /* a leading zero means octal to some readers: refuse the doubt */
        return ASZ_EFORMAT;
      value = value * 10 + (unsigned)(*text - '0');
      if (++digits > 3 || value > 255)
        return ASZ_EFORMAT;
    }
    if (digits == 0)
      return ASZ_EFORMAT;
    ipv4 = ipv4 << 8 | value;
  }
  if (*text != '\0')
    return ASZ_EFORMAT;
  *ret_ipv4 = ipv4;
  return ASZ_OK;
}

void asz_ipv4_format(char ret_text[16], uint32_t ipv4) {
  snprintf(ret_text, 16, "%u.%u.%u.%u", ipv4 >> 24, (ipv4 >> 16) & 255, (ipv4 >> 8) & 255, ipv4 & 255);
}
