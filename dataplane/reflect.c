/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/reflect.h"

#include <assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"

enum {
  REPLY_TTL = 64,
  ICMP_CHECKSUM = 2,
  ETH_GROUP = 1, /* the bit of a MAC address's first byte that means broadcast or multicast */
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

static bool is_local(const struct asz_reflect *reflect, uint32_t ipv4) {
  return ((ipv4 ^ reflect->local_ipv4) & reflect->local_mask) == 0;
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

static enum asz_reflect_counter classify_ipv4(const struct asz_reflect *reflect, const struct asz_frame *frame) {
  if (!is_local(reflect, frame->dst_ipv4))
    return ASZ_REFLECT_DROPPED_NOT_OURS;
  if (!is_answerable(reflect, frame->src_ipv4))
    return ASZ_REFLECT_DROPPED_SOURCE;
  if (frame->l4_offset - frame->l3_offset != ASZ_IPV4_BYTES)
    return ASZ_REFLECT_DROPPED_OPTIONS;
  if (frame->kind == ASZ_FRAME_UDP)
    return classify_udp(reflect, frame);
  const bool echo = frame->icmp_type == ASZ_ICMP_ECHO_REQUEST && frame->icmp_code == 0;
  return echo ? ASZ_REFLECT_ASKED_ECHO : ASZ_REFLECT_DROPPED_NOT_OURS;
}

/* What a frame is: the counter in which it ends, ASKED_* when it asks for something. Addresses first: they are cheaper than
 * checksums, and most of what a port sees by mistake fails there. */
static enum asz_reflect_counter classify(const struct asz_reflect *reflect, const uint8_t *bytes, uint32_t size_bytes,
                                         struct asz_frame *ret_frame) {
  if (size_bytes < ASZ_ETH_BYTES)
    return ASZ_REFLECT_DROPPED_MALFORMED;
  const bool group = (bytes[ASZ_ETH_DST] & ETH_GROUP) != 0;
  if (group && asz_be16_load(bytes + ASZ_ETH_TYPE) != ASZ_ETHERTYPE_ARP)
    return ASZ_REFLECT_DROPPED_GROUP;
  if (!group && memcmp(bytes + ASZ_ETH_DST, reflect->mac, sizeof reflect->mac) != 0)
    return ASZ_REFLECT_DROPPED_NOT_OURS;
  if ((bytes[ASZ_ETH_SRC] & ETH_GROUP) != 0)
    return ASZ_REFLECT_DROPPED_SOURCE;
  if (asz_be16_load(bytes + ASZ_ETH_TYPE) == ASZ_ETHERTYPE_IPV6)
    return ASZ_REFLECT_DROPPED_IPV6;
  asz_wire_parse(ret_frame, bytes, size_bytes, ASZ_WIRE_CHECK_ALL);
  if (ret_frame->l3_offset > ASZ_ETH_BYTES)
    return ASZ_REFLECT_DROPPED_TAGGED;
  switch (ret_frame->kind) {
  case ASZ_FRAME_ARP:
    return classify_arp(reflect, bytes + ret_frame->l3_offset, size_bytes - ret_frame->l3_offset);
  case ASZ_FRAME_UDP:
  case ASZ_FRAME_ICMP:
    return classify_ipv4(reflect, ret_frame);
  case ASZ_FRAME_BAD_CHECKSUM:
    return ASZ_REFLECT_DROPPED_CHECKSUM;
  case ASZ_FRAME_FRAGMENT:
    return ASZ_REFLECT_DROPPED_FRAGMENT;
  case ASZ_FRAME_TCP:
  case ASZ_FRAME_OTHER:
    return ASZ_REFLECT_DROPPED_NOT_OURS;
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
  memcpy(bytes, reply, ASZ_ETH_BYTES + ASZ_ARP_BYTES);
  return trim(bytes, ASZ_ETH_BYTES + ASZ_ARP_BYTES, size_bytes);
}

static void add_request(struct asz_reflect_burst *burst, unsigned at, enum asz_reflect_kind kind) {
  const struct asz_frame *frame = &burst->frame[at];
  burst->at[burst->request_count] = (uint8_t)at;
  burst->request[burst->request_count++] = (struct asz_reflect_request){
      .payload = burst->bytes[at] + frame->payload_offset,
      .payload_bytes = frame->payload_bytes,
      .peer = {.ipv4 = frame->src_ipv4},
      .peer_port = frame->src_port,
      .ttl = frame->ttl,
      .kind = (uint8_t)kind,
  };
}

void asz_reflect_take(struct asz_reflect *reflect, struct asz_reflect_burst *burst, uint64_t now_ns) {
  burst->request_count = 0;
  for (unsigned i = 0; i < burst->count; i++) {
    const uint32_t size_bytes = burst->size_bytes[i];
    const enum asz_reflect_counter what = classify(reflect, burst->bytes[i], size_bytes, &burst->frame[i]);
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

/* An echo reply differs from its request in the type alone, so the checksum moves by that much (RFC 1624, equation 3), however
 * long the payload is. */
static void turn_echo(uint8_t *icmp) {
  uint32_t sum = (uint16_t)~asz_be16_load(icmp + ICMP_CHECKSUM) + (uint32_t)(uint16_t) ~(ASZ_ICMP_ECHO_REQUEST << 8);
  sum = (sum & 0xffff) + (sum >> 16);
  icmp[0] = ASZ_ICMP_ECHO_REPLY;
  asz_be16_store(icmp + ICMP_CHECKSUM, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
}

/* Headers of a reply over those of its request; the payload is the reply's already. The UDP checksum is summed anew: a request
 * may have none, and 52 or 104 bytes are 7 or 13 additions, as many as patching would take. */
static uint32_t turn(const struct asz_reflect *reflect, uint8_t *bytes, const struct asz_frame *frame, uint32_t size_bytes) {
  uint8_t *ip = bytes + frame->l3_offset, *l4 = bytes + frame->l4_offset;
  const bool udp = frame->kind == ASZ_FRAME_UDP;
  memcpy(bytes + ASZ_ETH_DST, bytes + ASZ_ETH_SRC, sizeof reflect->mac);
  memcpy(bytes + ASZ_ETH_SRC, reflect->mac, sizeof reflect->mac);
  asz_wire_ipv4_write(ip, frame->dst_ipv4, frame->src_ipv4, udp ? ASZ_PROTOCOL_UDP : ASZ_PROTOCOL_ICMP, REPLY_TTL,
                      (uint16_t)(ASZ_UDP_BYTES + frame->payload_bytes));
  if (udp) {
    asz_wire_udp_write(l4, frame->dst_port, frame->src_port, frame->payload_bytes);
    asz_wire_udp_finish(ip);
  } else {
    turn_echo(l4);
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
  ret_datagram->ends = (struct asz_ends){
      .peer = request->peer, .local = asz_address_ipv4(burst->frame[at].dst_ipv4), .peer_port = request->peer_port};
  ret_datagram->size_bytes = (uint16_t)request->payload_bytes;
  ret_datagram->ttl = request->ttl;
  memset(ret_datagram->zero, 0, sizeof ret_datagram->zero);
  memcpy(ret_datagram->ends.peer_mac, burst->bytes[at] + ASZ_ETH_SRC, sizeof ret_datagram->ends.peer_mac);
  memcpy(ret_datagram->payload, request->payload, request->payload_bytes);
}

uint32_t asz_reflect_answer(const struct asz_reflect *reflect, const struct asz_reflector_datagram *datagram,
                            uint8_t ret_frame[ASZ_REFLECT_ANSWER_MAX]) {
  uint8_t *ip = ret_frame + ASZ_ETH_BYTES, *udp = ip + ASZ_IPV4_BYTES;
  const uint16_t udp_bytes = (uint16_t)(ASZ_UDP_BYTES + datagram->size_bytes);
  assert(datagram->size_bytes <= sizeof datagram->payload);
  asz_wire_eth_write(ret_frame, datagram->ends.peer_mac, reflect->mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(ip, datagram->ends.local.ipv4, datagram->ends.peer.ipv4, ASZ_PROTOCOL_UDP, REPLY_TTL, udp_bytes);
  asz_wire_udp_write(udp, reflect->challenge_port, datagram->ends.peer_port, datagram->size_bytes);
  memcpy(udp + ASZ_UDP_BYTES, datagram->payload, datagram->size_bytes);
  asz_wire_udp_finish(ip);
  return ASZ_ETH_BYTES + ASZ_IPV4_BYTES + udp_bytes;
}
