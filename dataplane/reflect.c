/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/reflect.h"

#include <assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/ipv6.h"

enum {
  REPLY_TTL = 64,
  ICMP_CHECKSUM = 2,
  ETH_GROUP = 1,               /* the bit of a MAC address's first byte that means broadcast or multicast */
  ETHERTYPE_PROVIDER = 0x88a8, /* 802.1ad: a tag in front of others */
  ND_TARGET = 8,               /* RFC 4861 section 4.3, in the ICMPv6 message */
  NS_PER_S = 1000000000,
};

static const struct {
  const char *name, *help;
} counter_text[ASZ_REFLECT_COUNTER_COUNT] = {
#define COUNTER_TEXT(symbol, name, help) [ASZ_REFLECT_##symbol] = {name, help},
    ASZ_REFLECT_COUNTER_LIST(COUNTER_TEXT)
#undef COUNTER_TEXT
};

const char *asz_reflect_counter_name(enum asz_reflect_counter counter) {
  assert(counter < ASZ_REFLECT_COUNTER_COUNT);
  return counter_text[counter].name;
}

const char *asz_reflect_counter_help(enum asz_reflect_counter counter) {
  assert(counter < ASZ_REFLECT_COUNTER_COUNT);
  return counter_text[counter].help;
}

void asz_reflect_init(struct asz_reflect *ret_reflect, const uint8_t mac[6], const struct asz_reflector_config *config) {
  static const uint8_t no_mac[6];
  memset(ret_reflect, 0, sizeof *ret_reflect);
  memcpy(ret_reflect->mac, mac, sizeof ret_reflect->mac);
  ret_reflect->local_mask = config->local_ipv4 != 0 ? UINT32_MAX << (32 - config->prefix_bits) : 0;
  ret_reflect->local_net = config->local_ipv4 != 0 ? config->local_ipv4 & ret_reflect->local_mask : UINT32_MAX;
  ret_reflect->ipv6 = !asz_ipv6_is_none(config->local_ipv6);
  asz_nd_init(&ret_reflect->nd, mac, config->local_ipv6, config->gateway_ipv6, no_mac, NS_PER_S);
  ret_reflect->nd.prefix_bits = (uint8_t)config->prefix6_bits;
  ret_reflect->stamp_port = config->stamp_port;
  ret_reflect->challenge_port = config->challenge_port;
  ret_reflect->rules = config->rules;
}

static bool is_local(const struct asz_reflect *reflect, uint32_t ipv4) {
  return (ipv4 & reflect->local_mask) == reflect->local_net;
}

static bool is_local_ipv6(const struct asz_reflect *reflect, const uint8_t *ipv6) {
  return asz_ipv6_in_prefix(ipv6, reflect->nd.local_ipv6, reflect->nd.prefix_bits);
}

/* 0/8, 127/8, multicast and above it: nobody can be answered there. Our own as a source is a forgery. */
static bool is_answerable(const struct asz_reflect *reflect, uint32_t ipv4) {
  const uint32_t net = ipv4 >> 24;
  return net != 0 && net != 127 && net < 224 && !is_local(reflect, ipv4);
}

static enum asz_reflect_counter classify_arp(const struct asz_reflect *reflect, const uint8_t *arp, uint32_t size_bytes) {
  struct asz_arp heard;
  if (asz_wire_arp_read(&heard, arp, size_bytes) != 0)
    return ASZ_REFLECT_DROPPED_MALFORMED;
  if (heard.operation != ASZ_ARP_REQUEST || !is_local(reflect, heard.target_ipv4))
    return ASZ_REFLECT_DROPPED_NOT_OURS;
  if ((heard.sender_mac[0] & ETH_GROUP) != 0)
    return ASZ_REFLECT_DROPPED_SOURCE;
  return ASZ_REFLECT_ASKED_ARP;
}

static enum asz_reflect_counter classify_udp(const struct asz_reflect *reflect, const struct asz_frame *frame) {
  if (frame->dst_port == reflect->stamp_port)
    return ASZ_REFLECT_ASKED_STAMP;
  if (frame->dst_port != reflect->challenge_port)
    return ASZ_REFLECT_DROPPED_NOT_OURS;
  return frame->payload_bytes <= ASZ_DATAGRAM_MAX_BYTES ? ASZ_REFLECT_ASKED_CHALLENGE : ASZ_REFLECT_DROPPED_LONG;
}

static enum asz_reflect_counter classify_l4(const struct asz_reflect *reflect, const struct asz_frame *frame) {
  if (frame->kind == ASZ_FRAME_UDP)
    return classify_udp(reflect, frame);
  const uint8_t echo = frame->family == ASZ_FAMILY_IPV6 ? ASZ_ICMPV6_ECHO_REQUEST : ASZ_ICMP_ECHO_REQUEST;
  return frame->icmp_type == echo && frame->icmp_code == 0 ? ASZ_REFLECT_ASKED_ECHO : ASZ_REFLECT_DROPPED_NOT_OURS;
}

static enum asz_reflect_counter classify_ipv4(const struct asz_reflect *reflect, const struct asz_frame *frame) {
  if (!is_local(reflect, frame->dst_ipv4))
    return ASZ_REFLECT_DROPPED_NOT_OURS;
  if (!is_answerable(reflect, frame->src_ipv4))
    return ASZ_REFLECT_DROPPED_SOURCE;
  if (frame->l4_offset - frame->l3_offset != ASZ_IPV4_BYTES)
    return ASZ_REFLECT_DROPPED_OPTIONS;
  return classify_l4(reflect, frame);
}

/* Where all multicast is taken, most solicitations are for others; what is wrong with the rest is asz_nd's to say. */
static enum asz_reflect_counter classify_nd(const struct asz_reflect *reflect, const struct asz_frame *frame,
                                            const uint8_t *bytes) {
  const bool asks = frame->icmp_type == ASZ_ICMPV6_NEIGHBOUR_SOLICITATION;
  const bool names = ASZ_ICMP_BYTES + frame->payload_bytes >= ND_TARGET + ASZ_IPV6_ADDRESS_BYTES;
  if (asks && names && !is_local_ipv6(reflect, bytes + frame->l4_offset + ND_TARGET))
    return ASZ_REFLECT_DROPPED_NOT_OURS;
  return ASZ_REFLECT_ASKED_ND;
}

static enum asz_reflect_counter classify_ipv6(const struct asz_reflect *reflect, const struct asz_frame *frame,
                                              const uint8_t *bytes) {
  const uint8_t *src = asz_frame_src_ipv6(frame, bytes);
  if (frame->kind == ASZ_FRAME_ICMP &&
      (frame->icmp_type == ASZ_ICMPV6_NEIGHBOUR_SOLICITATION || frame->icmp_type == ASZ_ICMPV6_NEIGHBOUR_ADVERTISEMENT))
    return classify_nd(reflect, frame, bytes);
  if ((bytes[ASZ_ETH_DST] & ETH_GROUP) != 0)
    return ASZ_REFLECT_DROPPED_GROUP;
  if (!is_local_ipv6(reflect, asz_frame_dst_ipv6(frame, bytes)))
    return ASZ_REFLECT_DROPPED_NOT_OURS;
  if (!asz_ipv6_is_host(src) || is_local_ipv6(reflect, src))
    return ASZ_REFLECT_DROPPED_SOURCE;
  return classify_l4(reflect, frame);
}

/* RFC 8200 section 4.1 and IANA's list of IPv6 extension header types, the fragment header aside. */
static bool is_extension(uint8_t next_header) {
  switch (next_header) {
  case 0:   /* hop by hop */
  case 43:  /* routing */
  case 50:  /* ESP */
  case 51:  /* AH */
  case 60:  /* destination options */
  case 135: /* mobility */
  case 139: /* HIP */
  case 140: /* Shim6 */
    return true;
  default:
    return false;
  }
}

/* What the parser does not go into. */
static enum asz_reflect_counter classify_other(const struct asz_frame *frame, const uint8_t *bytes) {
  const uint16_t type = asz_be16_load(bytes + frame->l3_offset - 2);
  if (type == ASZ_ETHERTYPE_VLAN || type == ETHERTYPE_PROVIDER)
    return ASZ_REFLECT_DROPPED_TAGGED;
  if (frame->family == ASZ_FAMILY_IPV6 && is_extension(bytes[frame->l3_offset + ASZ_IPV6_NEXT_HEADER]))
    return ASZ_REFLECT_DROPPED_OPTIONS;
  return ASZ_REFLECT_DROPPED_NOT_OURS;
}

/* Of frames to many only questions for an address are read: ARP, and what goes to a solicited-node group. */
static bool asks_many(const struct asz_reflect *reflect, const uint8_t *bytes, uint32_t size_bytes) {
  static const uint8_t solicited_mac[3] = {0x33, 0x33, 0xff};
  uint16_t type = asz_be16_load(bytes + ASZ_ETH_TYPE);
  if (type == ASZ_ETHERTYPE_VLAN && size_bytes >= ASZ_ETH_BYTES + ASZ_VLAN_BYTES)
    type = asz_be16_load(bytes + ASZ_ETH_TYPE + ASZ_VLAN_BYTES);
  return type == ASZ_ETHERTYPE_ARP ||
         (type == ASZ_ETHERTYPE_IPV6 && reflect->ipv6 && memcmp(bytes + ASZ_ETH_DST, solicited_mac, sizeof solicited_mac) == 0);
}

/* What a frame is: the counter in which it ends, ASKED_* when it asks for something. Addresses first: they are cheaper than
 * checksums, and most of what a port sees by mistake fails there. */
static enum asz_reflect_counter classify(const struct asz_reflect *reflect, const uint8_t *bytes, uint32_t size_bytes,
                                         struct asz_frame *ret_frame) {
  if (size_bytes < ASZ_ETH_BYTES)
    return ASZ_REFLECT_DROPPED_MALFORMED;
  const bool group = (bytes[ASZ_ETH_DST] & ETH_GROUP) != 0;
  if (group && !asks_many(reflect, bytes, size_bytes))
    return ASZ_REFLECT_DROPPED_GROUP;
  if (!group && memcmp(bytes + ASZ_ETH_DST, reflect->mac, sizeof reflect->mac) != 0)
    return ASZ_REFLECT_DROPPED_NOT_OURS;
  if ((bytes[ASZ_ETH_SRC] & ETH_GROUP) != 0)
    return ASZ_REFLECT_DROPPED_SOURCE;
  asz_wire_parse(ret_frame, bytes, size_bytes, ASZ_WIRE_CHECK_ALL);
  const bool ipv6 = ret_frame->family == ASZ_FAMILY_IPV6;
  if (ipv6 && !reflect->ipv6)
    return ASZ_REFLECT_DROPPED_IPV6;
  switch (ret_frame->kind) {
  case ASZ_FRAME_ARP:
    return classify_arp(reflect, bytes + ret_frame->l3_offset, size_bytes - ret_frame->l3_offset);
  case ASZ_FRAME_UDP:
  case ASZ_FRAME_ICMP:
    return ipv6 ? classify_ipv6(reflect, ret_frame, bytes) : classify_ipv4(reflect, ret_frame);
  case ASZ_FRAME_BAD_CHECKSUM:
    return ASZ_REFLECT_DROPPED_CHECKSUM;
  case ASZ_FRAME_FRAGMENT:
    return ASZ_REFLECT_DROPPED_FRAGMENT;
  case ASZ_FRAME_TCP:
    return ASZ_REFLECT_DROPPED_NOT_OURS;
  case ASZ_FRAME_OTHER:
    return classify_other(ret_frame, bytes);
  default:
    return ASZ_REFLECT_DROPPED_MALFORMED;
  }
}

/* The size to send: without what stood behind the datagram, but not under what Ethernet wants, and never over what came. */
static uint32_t trim(uint8_t *bytes, uint32_t end, uint32_t size_bytes) {
  const uint32_t least = size_bytes < ASZ_ETH_MIN_BYTES ? size_bytes : ASZ_ETH_MIN_BYTES;
  if (end >= least)
    return end;
  memset(bytes + end, 0, least - end);
  return least;
}

static uint32_t answer_arp(const struct asz_reflect *reflect, uint8_t *bytes, const struct asz_frame *frame,
                           uint32_t size_bytes) {
  struct asz_arp asked;
  uint8_t reply[ASZ_ETH_MIN_BYTES];
  if (asz_wire_arp_read(&asked, bytes + frame->l3_offset, size_bytes - frame->l3_offset) != 0)
    return 0;
  asz_wire_arp_write(reply, ASZ_ARP_REPLY, reflect->mac, asked.target_ipv4, asked.sender_mac, asked.sender_ipv4);
  memcpy(bytes, reply, ASZ_ETH_TYPE); /* a tag and the EtherType stay */
  memcpy(bytes + frame->l3_offset, reply + ASZ_ETH_BYTES, ASZ_ARP_BYTES);
  return trim(bytes, (uint32_t)frame->l3_offset + ASZ_ARP_BYTES, size_bytes);
}

static void tag_read(uint8_t ret_tag[ASZ_VLAN_BYTES], const struct asz_frame *frame, const uint8_t *bytes) {
  memset(ret_tag, 0, ASZ_VLAN_BYTES);
  if (frame->l3_offset > ASZ_ETH_BYTES)
    memcpy(ret_tag, bytes + ASZ_ETH_TYPE, ASZ_VLAN_BYTES);
}

/* Returns where the next header goes. A tag is never all zero: it begins with its EtherType. */
static uint8_t *eth_write(uint8_t *frame, const uint8_t dst[6], const uint8_t src[6], const uint8_t tag[ASZ_VLAN_BYTES],
                          uint16_t ethertype) {
  asz_wire_eth_write(frame, dst, src, ethertype);
  if (tag[0] == 0)
    return frame + ASZ_ETH_BYTES;
  memcpy(frame + ASZ_ETH_TYPE, tag, ASZ_VLAN_BYTES);
  asz_be16_store(frame + ASZ_ETH_TYPE + ASZ_VLAN_BYTES, ethertype);
  return frame + ASZ_ETH_BYTES + ASZ_VLAN_BYTES;
}

/* Neighbour discovery of frame `at`; returns the counter in which it ends. */
static enum asz_reflect_counter hear_nd(struct asz_reflect *reflect, struct asz_reflect_burst *burst, unsigned at,
                                        uint64_t now_ns) {
  uint8_t answer[ASZ_ND_FRAME_BYTES], tag[ASZ_VLAN_BYTES];
  switch (asz_nd_hear(&reflect->nd, now_ns, &burst->frame[at], burst->bytes[at], answer)) {
  case ASZ_NEIGH_ANSWER: {
    struct asz_reflect_nd *nd = &burst->nd[burst->nd_count++];
    tag_read(tag, &burst->frame[at], burst->bytes[at]);
    uint8_t *ip = eth_write(nd->bytes, answer + ASZ_ETH_DST, answer + ASZ_ETH_SRC, tag, ASZ_ETHERTYPE_IPV6);
    memcpy(ip, answer + ASZ_ETH_BYTES, sizeof answer - ASZ_ETH_BYTES);
    nd->size_bytes = (uint32_t)(ip - nd->bytes) + (uint32_t)sizeof answer - ASZ_ETH_BYTES;
    return ASZ_REFLECT_ASKED_ND;
  }
  case ASZ_NEIGH_LEARNED:
    return ASZ_REFLECT_HEARD_ND;
  default:
    return ASZ_REFLECT_DROPPED_ND;
  }
}

static void add_request(struct asz_reflect_burst *burst, unsigned at, enum asz_reflect_kind kind) {
  const struct asz_frame *frame = &burst->frame[at];
  struct asz_reflect_request *request = &burst->request[burst->request_count];
  burst->at[burst->request_count++] = (uint8_t)at;
  *request = (struct asz_reflect_request){
      .payload = burst->bytes[at] + frame->payload_offset,
      .payload_bytes = frame->payload_bytes,
      .peer = {.ipv4 = frame->src_ipv4, .family = frame->family},
      .peer_port = frame->src_port,
      .ttl = frame->ttl,
      .kind = (uint8_t)kind,
  };
  if (frame->family == ASZ_FAMILY_IPV6)
    memcpy(request->peer.ipv6, asz_frame_src_ipv6(frame, burst->bytes[at]), sizeof request->peer.ipv6);
}

void asz_reflect_take(struct asz_reflect *reflect, struct asz_reflect_burst *burst, uint64_t now_ns) {
  burst->request_count = 0;
  burst->nd_count = 0;
  for (unsigned i = 0; i < burst->count; i++) {
    const uint32_t size_bytes = burst->size_bytes[i];
    enum asz_reflect_counter what = classify(reflect, burst->bytes[i], size_bytes, &burst->frame[i]);
    if (what == ASZ_REFLECT_ASKED_ND)
      what = hear_nd(reflect, burst, i, now_ns);
    reflect->counter[what]++;
    burst->size_bytes[i] = 0;
    switch (what) {
    case ASZ_REFLECT_ASKED_STAMP:
      burst->size_bytes[i] = size_bytes;
      add_request(burst, i, ASZ_REFLECT_KIND_STAMP);
      break;
    case ASZ_REFLECT_ASKED_ECHO:
      burst->size_bytes[i] = size_bytes;
      add_request(burst, i, ASZ_REFLECT_KIND_ECHO);
      break;
    case ASZ_REFLECT_ASKED_CHALLENGE:
      add_request(burst, i, ASZ_REFLECT_KIND_CHALLENGE);
      break;
    case ASZ_REFLECT_ASKED_ARP:
      burst->size_bytes[i] = answer_arp(reflect, burst->bytes[i], &burst->frame[i], size_bytes);
      break;
    default:
      break;
    }
  }
  reflect->counter[ASZ_REFLECT_FRAMES] += burst->count;
  reflect->counter[ASZ_REFLECT_BURSTS]++;
  if (burst->request_count > 0)
    reflect->rules.admit(reflect->rules.self, burst->request, burst->request_count, now_ns);
}

bool asz_reflect_poll(struct asz_reflect *reflect, uint64_t now_ns, uint8_t ret_frame[ASZ_ND_FRAME_BYTES]) {
  const bool due = asz_nd_poll(&reflect->nd, now_ns, ret_frame);
  reflect->counter[ASZ_REFLECT_SENT_ND] += due;
  reflect->counter[ASZ_REFLECT_GATEWAY_LOST] = reflect->nd.resolve.lost_count;
  return due;
}

/* An echo reply differs from its request in the type alone, so the checksum moves by that much (RFC 1624, equation 3), however
 * long the payload is; ICMPv6's pseudo-header has the same sum either way round. Of the two forms of zero the checksum takes
 * 0xffff, which is right for every message: 0 is wrong for one of zeros alone, an IPv4 reply to identifier 0 and sequence 0. */
static void turn_echo(uint8_t *icmp, bool ipv6) {
  const uint8_t request = ipv6 ? ASZ_ICMPV6_ECHO_REQUEST : ASZ_ICMP_ECHO_REQUEST;
  const uint8_t reply = ipv6 ? ASZ_ICMPV6_ECHO_REPLY : ASZ_ICMP_ECHO_REPLY;
  uint32_t sum = (uint32_t)(uint16_t)~asz_be16_load(icmp + ICMP_CHECKSUM) + (uint16_t) ~(request << 8) + (uint32_t)reply * 256;
  sum = (sum & 0xffff) + (sum >> 16);
  const uint16_t checksum = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
  icmp[0] = reply;
  asz_be16_store(icmp + ICMP_CHECKSUM, checksum == 0 ? 0xffff : checksum);
}

static void turn_ipv6(uint8_t *ip, uint8_t protocol, uint16_t l4_bytes) {
  uint8_t asked[2 * ASZ_IPV6_ADDRESS_BYTES]; /* from, to */
  memcpy(asked, ip + ASZ_IPV6_SRC, sizeof asked);
  asz_wire_ipv6_write(ip, asked + ASZ_IPV6_ADDRESS_BYTES, asked, protocol, REPLY_TTL, l4_bytes);
}

/* Headers of a reply over those of its request; the payload is the reply's already, a tag stays as it came. The UDP checksum is
 * summed anew: a request may have none, and 52 or 104 bytes are 7 or 13 additions, as many as patching would take. */
static uint32_t turn(const struct asz_reflect *reflect, uint8_t *bytes, const struct asz_frame *frame, uint32_t size_bytes) {
  uint8_t *ip = bytes + frame->l3_offset, *l4 = bytes + frame->l4_offset;
  const bool udp = frame->kind == ASZ_FRAME_UDP, ipv6 = frame->family == ASZ_FAMILY_IPV6;
  const uint16_t l4_bytes = (uint16_t)(ASZ_UDP_BYTES + frame->payload_bytes); /* an ICMP header is as long as UDP's */
  memcpy(bytes + ASZ_ETH_DST, bytes + ASZ_ETH_SRC, sizeof reflect->mac);
  memcpy(bytes + ASZ_ETH_SRC, reflect->mac, sizeof reflect->mac);
  if (ipv6)
    turn_ipv6(ip, udp ? ASZ_PROTOCOL_UDP : ASZ_PROTOCOL_ICMPV6, l4_bytes);
  else
    asz_wire_ipv4_write(ip, frame->dst_ipv4, frame->src_ipv4, udp ? ASZ_PROTOCOL_UDP : ASZ_PROTOCOL_ICMP, REPLY_TTL, l4_bytes);
  if (udp) {
    asz_wire_udp_write(l4, frame->dst_port, frame->src_port, frame->payload_bytes);
    asz_wire_udp_finish(ip);
  } else {
    turn_echo(l4, ipv6);
  }
  return trim(bytes, (uint32_t)frame->payload_offset + frame->payload_bytes, size_bytes);
}

void asz_reflect_finish(struct asz_reflect *reflect, struct asz_reflect_burst *burst, uint64_t t2_ns, uint64_t t3_ns) {
  if (burst->request_count > 0)
    reflect->rules.finish(reflect->rules.self, burst->request, burst->request_count, t2_ns, t3_ns);
  for (unsigned i = 0; i < burst->request_count; i++) {
    const struct asz_reflect_request *request = &burst->request[i];
    const unsigned at = burst->at[i];
    if (request->kind == ASZ_REFLECT_KIND_CHALLENGE)
      continue;
    if (request->kind == ASZ_REFLECT_KIND_ECHO)
      reflect->counter[request->admitted ? ASZ_REFLECT_SENT_ECHO : ASZ_REFLECT_DROPPED_ECHO_RATE]++;
    burst->size_bytes[at] = request->admitted ? turn(reflect, burst->bytes[at], &burst->frame[at], burst->size_bytes[at]) : 0;
  }
}

void asz_reflect_challenge(const struct asz_reflect_burst *burst, unsigned i, uint64_t rx_ns,
                           struct asz_reflector_datagram *ret_datagram) {
  const struct asz_reflect_request *request = &burst->request[i];
  const unsigned at = burst->at[i];
  assert(request->kind == ASZ_REFLECT_KIND_CHALLENGE && request->payload_bytes <= sizeof ret_datagram->payload);
  ret_datagram->rx_ns = rx_ns;
  const struct asz_frame *frame = &burst->frame[at];
  struct asz_ends *ends = &ret_datagram->ends;
  *ends = (struct asz_ends){.peer = request->peer, .local = asz_address_ipv4(frame->dst_ipv4), .peer_port = request->peer_port};
  if (frame->family == ASZ_FAMILY_IPV6)
    ends->local = asz_address_ipv6(asz_frame_dst_ipv6(frame, burst->bytes[at]));
  memcpy(ends->peer_mac, burst->bytes[at] + ASZ_ETH_SRC, sizeof ends->peer_mac);
  tag_read(ends->peer_tag, frame, burst->bytes[at]);
  ret_datagram->size_bytes = (uint16_t)request->payload_bytes;
  ret_datagram->ttl = request->ttl;
  memset(ret_datagram->zero, 0, sizeof ret_datagram->zero);
  memcpy(ret_datagram->payload, request->payload, request->payload_bytes);
}

uint32_t asz_reflect_answer(const struct asz_reflect *reflect, const struct asz_reflector_datagram *datagram,
                            uint8_t ret_frame[ASZ_REFLECT_ANSWER_MAX]) {
  const struct asz_ends *ends = &datagram->ends;
  const bool ipv6 = ends->peer.family == ASZ_FAMILY_IPV6;
  const uint16_t udp_bytes = (uint16_t)(ASZ_UDP_BYTES + datagram->size_bytes);
  assert(datagram->size_bytes <= sizeof datagram->payload);
  uint8_t *ip =
      eth_write(ret_frame, ends->peer_mac, reflect->mac, ends->peer_tag, ipv6 ? ASZ_ETHERTYPE_IPV6 : ASZ_ETHERTYPE_IPV4);
  uint8_t *udp = ip + (ipv6 ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES);
  if (ipv6)
    asz_wire_ipv6_write(ip, ends->local.ipv6, ends->peer.ipv6, ASZ_PROTOCOL_UDP, REPLY_TTL, udp_bytes);
  else
    asz_wire_ipv4_write(ip, ends->local.ipv4, ends->peer.ipv4, ASZ_PROTOCOL_UDP, REPLY_TTL, udp_bytes);
  asz_wire_udp_write(udp, reflect->challenge_port, ends->peer_port, datagram->size_bytes);
  memcpy(udp + ASZ_UDP_BYTES, datagram->payload, datagram->size_bytes);
  asz_wire_udp_finish(ip);
  return (uint32_t)(udp - ret_frame) + udp_bytes;
}
