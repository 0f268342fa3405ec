/* SPDX-License-Identifier: Apache-2.0 */
/* The reply is built in another buffer than the request's, as a real host would: what the prober sent is never what it gets back,
 * so a prober that peeks at its own buffer is found out. The IP header is written anew, without the request's options; an
 * 802.1Q tag is kept.
 *
 * A made-up reply is one from somebody who did not (or not yet) see the request: whatever repeats a piece of it is replaced by
 * plausible values: the next sequence number, a time close by, a random SSID, nonce, identifier. A cheating provider does hold
 * its own reply key, so the MAC of a made-up TLV is right: the cookie alone must give it away. */
#include "dataplane/emulator/reply.h"

#include <assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/draw.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/tcp.h"

enum { REPLY_TTL = 64, REPLY_WINDOW = 64240, REPLY_MSS = 1460 };
enum { ECHO_TIME = 0, ECHO_ROUND = 12, ECHO_BYTES = 24 }; /* of the prober's payload, docs/protocol.md */

static enum asz_request classify_icmp(const struct asz_frame *frame) {
  bool ipv6 = frame->family == ASZ_FAMILY_IPV6;
  if (ipv6 && frame->icmp_type == ASZ_ICMPV6_NEIGHBOUR_SOLICITATION)
    return ASZ_REQUEST_SOLICITATION;
  uint8_t echo = ipv6 ? ASZ_ICMPV6_ECHO_REQUEST : ASZ_ICMP_ECHO_REQUEST;
  return frame->icmp_type == echo && frame->icmp_code == 0 ? ASZ_REQUEST_ECHO : ASZ_REQUEST_STRAY;
}

enum asz_request asz_request_classify(const struct asz_frame *frame) {
  switch (frame->kind) {
  case ASZ_FRAME_ARP:
    return ASZ_REQUEST_ARP;
  case ASZ_FRAME_UDP:
    if (frame->dst_port == ASZ_STAMP_PORT)
      return ASZ_REQUEST_STAMP;
    return frame->dst_port == ASZ_CHALLENGE_PORT ? ASZ_REQUEST_CHALLENGE : ASZ_REQUEST_STRAY;
  case ASZ_FRAME_ICMP:
    return classify_icmp(frame);
  case ASZ_FRAME_TCP:
    if (frame->tcp_flags == ASZ_TCP_SYN)
      return ASZ_REQUEST_SYN;
    return frame->tcp_flags == ASZ_TCP_RST ? ASZ_REQUEST_RESET : ASZ_REQUEST_STRAY;
  default:
    return ASZ_REQUEST_STRAY;
  }
}

static int authorise_tlv(const struct asz_reply_keys *keys, uint32_t provider, const uint8_t *payload,
                         struct asz_reply_auth *ret_auth) {
  uint32_t epoch = asz_be32_load(payload + ASZ_TLV_AT_EPOCH);
  uint32_t i = 0;
  while (i < keys->count && keys->epoch[i] != epoch)
    i++;
  if (i == keys->count)
    return 0;
  if (keys->session[i] == NULL)
    return 1;
  const struct asz_session *session = &keys->session[i][provider];
  if (payload[ASZ_TLV_AT_ROLE] != ASZ_TLV_ROLE_REQUEST ||
      !asz_mac_check(payload + ASZ_TLV_AT_MAC, session->request_key, payload, ASZ_TLV_AT_MAC))
    return 0;
  ret_auth->session = session;
  return 1;
}

int asz_reply_authorise(const struct asz_reply_keys *keys, uint32_t provider, const uint8_t *payload, size_t size_bytes,
                        struct asz_reply_auth *ret_auth) {
  struct asz_reply_auth auth = {NULL, NULL, NULL};
  if (keys->count > 0 && asz_tlv_find(payload, size_bytes)) {
    if (!authorise_tlv(keys, provider, payload, &auth))
      return 0;
  } else if (asz_stamp_auth_find(payload, size_bytes)) {
    if (keys->hmac == NULL || asz_stamp_auth_is_reply(payload) ||
        !asz_stamp_auth_verify(keys->lanes, &keys->hmac[provider], payload))
      return 0;
    auth.hmac = &keys->hmac[provider];
    auth.lanes = keys->lanes;
  }
  *ret_auth = auth;
  return 1;
}

static size_t ip_bytes(const struct asz_frame *frame) {
  return frame->family == ASZ_FAMILY_IPV6 ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES;
}

static size_t unpadded_size(const struct asz_frame *frame) {
  return frame->l3_offset + ip_bytes(frame) + (size_t)(frame->payload_offset - frame->l4_offset) + frame->payload_bytes;
}

size_t asz_reply_size(const struct asz_frame *frame) {
  size_t size = unpadded_size(frame);
  return size < ASZ_ETH_MIN_BYTES ? ASZ_ETH_MIN_BYTES : size;
}

static void make_up_stamp(uint8_t *payload, size_t size, uint64_t bits, const struct asz_session *session) {
  asz_be32_store(payload + ASZ_STAMP_SEQ, asz_be32_load(payload + ASZ_STAMP_SEQ) + 1);
  asz_be32_store(payload + ASZ_STAMP_SENDER_SEQ, asz_be32_load(payload + ASZ_STAMP_SENDER_SEQ) + 1);
  asz_be64_store(payload + ASZ_STAMP_SENDER_TIME, asz_be64_load(payload + ASZ_STAMP_SENDER_TIME) + (bits & 0xffffff) + 1);
  asz_be16_store(payload + ASZ_STAMP_SSID, (uint16_t)(bits >> 48));
  if (!asz_tlv_find(payload, size))
    return;
  asz_be64_store(payload + ASZ_TLV_AT_NONCE, asz_draw_mix(bits));
  if (session)
    asz_mac_make(payload + ASZ_TLV_AT_MAC, session->reply_key, payload, ASZ_TLV_AT_MAC);
}

static void make_up_auth(uint8_t *payload, uint64_t bits, const struct asz_reply_auth *auth) {
  uint64_t sender_time = asz_be64_load(payload + ASZ_STAMP_AUTH_SENDER_TIME);
  asz_be32_store(payload + ASZ_STAMP_AUTH_SEQ, asz_be32_load(payload + ASZ_STAMP_AUTH_SEQ) + 1);
  asz_be32_store(payload + ASZ_STAMP_AUTH_SENDER_SEQ, asz_be32_load(payload + ASZ_STAMP_AUTH_SENDER_SEQ) + 1);
  asz_be64_store(payload + ASZ_STAMP_AUTH_SENDER_TIME, sender_time + (bits & 0xffffff) + 1);
  asz_be16_store(payload + ASZ_STAMP_AUTH_SSID, (uint16_t)(bits >> 48));
  asz_stamp_auth_seal(auth->lanes, auth->hmac, payload);
}

static int reflect_auth(uint8_t *payload, const struct asz_frame *frame, const struct asz_reply_spec *spec) {
  const struct asz_reply_auth *auth = &spec->auth;
  int size = asz_stamp_auth_reflect(auth->lanes, auth->hmac, payload, frame->payload_bytes, spec->t2_ntp64, spec->t3_ntp64,
                                    ASZ_STAMP_ERROR_UNSYNCHRONISED, frame->ttl);
  if (size < 0)
    return size;
  if (spec->made_up)
    make_up_auth(payload, spec->made_up, auth);
  if (spec->spoil_mac)
    payload[ASZ_STAMP_AUTH_HMAC] ^= 1;
  return 0;
}

static int reflect_open(uint8_t *payload, const struct asz_frame *frame, const struct asz_reply_spec *spec) {
  int size = asz_stamp_reflect(payload, frame->payload_bytes, spec->t2_ntp64, spec->t3_ntp64, ASZ_STAMP_ERROR_UNSYNCHRONISED,
                               frame->ttl, spec->auth.session);
  if (size < 0)
    return size;
  if (spec->made_up)
    make_up_stamp(payload, frame->payload_bytes, spec->made_up, spec->auth.session);
  if (spec->spoil_mac && asz_tlv_find(payload, frame->payload_bytes))
    payload[ASZ_TLV_AT_MAC] ^= 1;
  return 0;
}

static int build_stamp(uint8_t *ip, uint8_t *udp, const uint8_t *request_payload, const struct asz_frame *frame,
                       const struct asz_reply_spec *spec) {
  uint8_t *payload = udp + ASZ_UDP_BYTES;
  asz_wire_udp_write(udp, frame->dst_port, frame->src_port, frame->payload_bytes);
  memcpy(payload, request_payload, frame->payload_bytes);
  int err = spec->auth.hmac != NULL ? reflect_auth(payload, frame, spec) : reflect_open(payload, frame, spec);
  if (err)
    return err;
  asz_wire_udp_finish(ip);
  return 0;
}

static void build_echo(uint8_t *ip, uint8_t *icmp, const uint8_t *request_icmp, const struct asz_frame *frame, uint64_t made_up) {
  size_t size = (size_t)ASZ_ICMP_BYTES + frame->payload_bytes;
  memcpy(icmp, request_icmp, size);
  bool ipv6 = frame->family == ASZ_FAMILY_IPV6;
  icmp[0] = ipv6 ? ASZ_ICMPV6_ECHO_REPLY : ASZ_ICMP_ECHO_REPLY;
  if (made_up) /* identifier, sequence and payload: everything but type, code and checksum */
    for (size_t i = 4; i < size; i++)
      icmp[i] ^= (uint8_t)(asz_draw_mix(made_up + i / 8) >> (i % 8 * 8));
  if (ipv6)
    asz_wire_icmpv6_finish(ip);
  else
    asz_wire_icmp_finish(icmp, size);
}

/* The IP header of a reply: the request's addresses turned around, or another's as its source. protocol: ICMP stands for ICMPv6,
 * too. */
static void build_ip(uint8_t *ip, const uint8_t *request, const struct asz_frame *frame, uint8_t protocol, uint16_t l4_bytes,
                     uint32_t source) {
  if (frame->family != ASZ_FAMILY_IPV6) {
    asz_wire_ipv4_write(ip, source ? source : frame->dst_ipv4, frame->src_ipv4, protocol, REPLY_TTL, l4_bytes);
    return;
  }
  uint8_t from[16];
  memcpy(from, asz_frame_dst_ipv6(frame, request), sizeof from);
  if (source)
    asz_be32_store(from + 12, source);
  asz_wire_ipv6_write(ip, from, asz_frame_src_ipv6(frame, request),
                      protocol == ASZ_PROTOCOL_ICMP ? ASZ_PROTOCOL_ICMPV6 : protocol, REPLY_TTL, l4_bytes);
}

/* Sequence numbers are nobody's secret here: ours follows from theirs. */
static int build_syn(uint8_t *ip, uint8_t *tcp, const uint8_t *request, const struct asz_frame *frame,
                     const struct asz_reply_spec *spec) {
  const uint8_t *request_tcp = request + frame->l4_offset;
  size_t header_bytes = (size_t)(frame->payload_offset - frame->l4_offset);
  struct asz_tcp_options options;
  if (header_bytes < ASZ_TCP_OPEN_BYTES || asz_tcp_options_read(&options, request_tcp, header_bytes) != 0)
    return ASZ_EFORMAT;
  uint32_t seq = asz_be32_load(request_tcp + ASZ_TCP_SEQ), ack = seq + 1;
  bool refuses = spec->syn == ASZ_SYN_REFUSE, times = spec->syn == ASZ_SYN_ACCEPT && options.has_times;
  asz_tcp_open_write(tcp, refuses ? ASZ_TCP_RST | ASZ_TCP_ACKS : ASZ_TCP_SYN | ASZ_TCP_ACKS, refuses ? 0 : REPLY_WINDOW,
                     REPLY_MSS);
  uint16_t tcp_bytes = times ? ASZ_TCP_OPEN_BYTES : refuses ? ASZ_TCP_BYTES : ASZ_TCP_BYTES + ASZ_TCP_MSS_BYTES;
  tcp[ASZ_TCP_OFFSET] = (uint8_t)(tcp_bytes / 4 << 4);
  if (spec->made_up) { /* seen nothing: another moment, another cookie */
    ack ^= (uint32_t)spec->made_up | 1;
    options.echo = (uint32_t)(spec->made_up >> 32);
  }
  asz_be16_store(tcp + ASZ_TCP_SRC, frame->dst_port);
  asz_be16_store(tcp + ASZ_TCP_DST, frame->src_port);
  asz_be32_store(tcp + ASZ_TCP_SEQ, refuses ? 0 : (uint32_t)asz_draw_mix(seq));
  asz_be32_store(tcp + ASZ_TCP_ACK, ack);
  asz_be32_store(tcp + ASZ_TCP_OPEN_TIME, (uint32_t)(spec->t3_ntp64 >> 22)); /* about milliseconds, as most hosts count */
  asz_be32_store(tcp + ASZ_TCP_OPEN_ECHO, spec->made_up ? options.echo : options.time);
  memset(tcp + tcp_bytes, 0, header_bytes + frame->payload_bytes - tcp_bytes);
  build_ip(ip, request, frame, ASZ_PROTOCOL_TCP, tcp_bytes, spec->source);
  asz_wire_tcp_finish(ip);
  return 0;
}

static void advance32(uint8_t *at, uint32_t by) {
  asz_be32_store(at, asz_be32_load(at) + by);
}

static void advance64(uint8_t *at, uint64_t by) {
  asz_be64_store(at, asz_be64_load(at) + by);
}

void asz_reply_guess(uint8_t *request, const struct asz_frame *frame, uint64_t gap_ntp64) {
  uint8_t *payload = request + frame->payload_offset, *l4 = request + frame->l4_offset;
  if (frame->kind == ASZ_FRAME_UDP && asz_stamp_auth_find(payload, frame->payload_bytes)) {
    advance32(payload + ASZ_STAMP_AUTH_SEQ, 1);
    advance64(payload + ASZ_STAMP_AUTH_TIME, gap_ntp64);
  } else if (frame->kind == ASZ_FRAME_UDP && frame->payload_bytes >= ASZ_STAMP_BYTES) {
    advance32(payload + ASZ_STAMP_SEQ, 1);
    advance64(payload + ASZ_STAMP_TIME, gap_ntp64);
  } else if (frame->kind == ASZ_FRAME_ICMP && frame->payload_bytes >= ECHO_BYTES) {
    advance64(payload + ECHO_TIME, gap_ntp64);
    advance32(payload + ECHO_ROUND, 1);
  } else if (frame->kind == ASZ_FRAME_TCP) { /* 22 bits of time, in steps of 2^-20 s, 6 of the round, 4 of the cookie */
    advance32(l4 + ASZ_TCP_SEQ, (uint32_t)(gap_ntp64 >> 12 << 10) + (1u << 4));
  }
}

int asz_reply_build(uint8_t *ret_reply, const uint8_t *request, const struct asz_frame *frame,
                    const struct asz_reply_spec *spec) {
  enum asz_request kind = asz_request_classify(frame);
  assert(kind == ASZ_REQUEST_STAMP || kind == ASZ_REQUEST_ECHO || kind == ASZ_REQUEST_SYN);
  uint8_t *ip = ret_reply + frame->l3_offset;
  uint8_t *l4 = ip + ip_bytes(frame);
  memcpy(ret_reply, request, frame->l3_offset);
  memcpy(ret_reply + ASZ_ETH_DST, request + ASZ_ETH_SRC, 6);
  memcpy(ret_reply + ASZ_ETH_SRC, request + ASZ_ETH_DST, 6);
  if (kind != ASZ_REQUEST_SYN)
    build_ip(ip, request, frame, kind == ASZ_REQUEST_STAMP ? ASZ_PROTOCOL_UDP : ASZ_PROTOCOL_ICMP,
             (uint16_t)(ASZ_UDP_BYTES + frame->payload_bytes), spec->source);
  if (kind != ASZ_REQUEST_ECHO) {
    int err = kind == ASZ_REQUEST_STAMP ? build_stamp(ip, l4, request + frame->payload_offset, frame, spec)
                                        : build_syn(ip, l4, request, frame, spec);
    if (err)
      return err;
  } else {
    build_echo(ip, l4, request + frame->l4_offset, frame, spec->made_up);
  }
  size_t size = unpadded_size(frame);
  memset(ret_reply + size, 0, asz_reply_size(frame) - size);
  return 0;
}
