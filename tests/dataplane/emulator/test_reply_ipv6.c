/* SPDX-License-Identifier: Apache-2.0 */
/* Replies over IPv6: the same payloads, other headers. What does not depend on the family is in test_reply.c. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/tcp.h"
#include "dataplane/emulator/reply.h"

enum { MY_PORT = 50123, FRAME_MAX = 1600, EPOCH = 9, INDEX = 5 };
static const uint8_t my_mac[6] = {2, 1, 1, 1, 1, 1}, gateway_mac[6] = {2, 9, 9, 9, 9, 9}, validator_id[8] = "validat";
static const uint8_t me[16] = {0xfd, [15] = 1}, provider[16] = {0xfd, [15] = 5};
static const struct asz_reply_spec honest = {.t2_ntp64 = 0xaaaa0000bbbb0000u, .t3_ntp64 = 0xaaaa0000cccc0000u};

struct request {
  uint8_t bytes[FRAME_MAX];
  size_t size;
  struct asz_frame frame;
};

/* A frame around a layer-4 header and payload that are already in place behind `tag` bytes of 802.1Q. */
static void finish(struct request *r, uint8_t protocol, uint16_t l4_bytes, size_t tag) {
  uint8_t *ip = r->bytes + ASZ_ETH_BYTES + tag;
  asz_wire_eth_write(r->bytes, gateway_mac, my_mac, ASZ_ETHERTYPE_IPV6);
  if (tag) {
    asz_wire_vlan_write(r->bytes + ASZ_ETH_TYPE, 77);
    asz_be16_store(r->bytes + ASZ_ETH_TYPE + 4, ASZ_ETHERTYPE_IPV6);
  }
  asz_wire_ipv6_write(ip, me, provider, protocol, 61, l4_bytes);
  if (protocol == ASZ_PROTOCOL_UDP)
    asz_wire_udp_finish(ip);
  else if (protocol == ASZ_PROTOCOL_TCP)
    asz_wire_tcp_finish(ip);
  else
    asz_wire_icmpv6_finish(ip);
  r->size = ASZ_ETH_BYTES + tag + ASZ_IPV6_BYTES + l4_bytes;
  asz_wire_parse(&r->frame, r->bytes, r->size, ASZ_WIRE_CHECK_ALL);
}

static struct request reply_to(const struct request *r, const struct asz_reply_spec *spec) {
  struct request reply;
  memset(&reply, 0xee, sizeof reply);
  reply.size = asz_reply_size(&r->frame);
  cr_assert(eq(sz, reply.size, r->size), "never an amplifier");
  cr_assert(eq(int, asz_reply_build(reply.bytes, r->bytes, &r->frame, spec), 0));
  cr_assert(eq(u8, reply.bytes[reply.size], 0xee), "wrote beyond its size");
  asz_wire_parse(&reply.frame, reply.bytes, reply.size, ASZ_WIRE_CHECK_ALL);
  cr_assert(eq(int, reply.frame.kind, r->frame.kind), "checksums or lengths are wrong");
  cr_assert(eq(int, reply.frame.family, ASZ_FAMILY_IPV6));
  cr_assert(eq(u16, reply.frame.vlan, r->frame.vlan));
  cr_assert(eq(int, memcmp(asz_frame_src_ipv6(&reply.frame, reply.bytes), provider, 16), 0));
  cr_assert(eq(int, memcmp(asz_frame_dst_ipv6(&reply.frame, reply.bytes), me, 16), 0));
  cr_assert(eq(int, memcmp(reply.bytes + ASZ_ETH_DST, my_mac, 6), 0));
  return reply;
}

Test(reply_ipv6, icmp_of_the_other_family_is_a_stray)
{
  struct asz_frame frame = {.kind = ASZ_FRAME_ICMP, .family = ASZ_FAMILY_IPV6, .icmp_type = ASZ_ICMPV6_ECHO_REQUEST};
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_ECHO));
  frame.icmp_type = ASZ_ICMP_ECHO_REQUEST;
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_STRAY));
  frame.icmp_type = ASZ_ICMPV6_NEIGHBOUR_SOLICITATION;
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_SOLICITATION));
  frame.family = ASZ_FAMILY_IPV4;
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_STRAY));
  frame.icmp_type = ASZ_ICMPV6_ECHO_REQUEST;
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_STRAY));
}

Test(reply_ipv6, a_stamp_payload_that_is_too_short_is_refused)
{
  struct request r = {0};
  uint8_t reply[FRAME_MAX];
  for (uint16_t size = 0; size < ASZ_STAMP_BYTES; size++) {
    asz_wire_udp_write(r.bytes + ASZ_ETH_BYTES + ASZ_IPV6_BYTES, MY_PORT, ASZ_STAMP_PORT, size);
    finish(&r, ASZ_PROTOCOL_UDP, (uint16_t)(ASZ_UDP_BYTES + size), 0);
    cr_assert(eq(int, asz_reply_build(reply, r.bytes, &r.frame, &honest), ASZ_EFORMAT), "size %u", size);
  }
}

Test(reply_ipv6, stamp_is_reflected_with_and_without_tlv_and_tag)
{
  static struct asz_session session;
  memset(&session, 0x11, sizeof session);
  for (unsigned way = 0; way < 4; way++) {
    bool tlv = way & 1;
    size_t tag = way & 2 ? ASZ_VLAN_BYTES : 0;
    struct request r = {0};
    uint8_t *udp = r.bytes + ASZ_ETH_BYTES + tag + ASZ_IPV6_BYTES, *payload = udp + ASZ_UDP_BYTES;
    uint16_t size = tlv ? ASZ_STAMP_TLV_BYTES : ASZ_STAMP_BYTES;
    asz_stamp_request_write(payload, 41, 0x1122334455667788u, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0xbeef);
    if (tlv)
      asz_tlv_request_write(payload, EPOCH, INDEX, validator_id, 0xcafe, session.request_key);
    asz_wire_udp_write(udp, MY_PORT, ASZ_STAMP_PORT, size);
    finish(&r, ASZ_PROTOCOL_UDP, (uint16_t)(ASZ_UDP_BYTES + size), tag);
    struct asz_reply_spec spec = honest;
    spec.auth.session = tlv ? &session : NULL;
    struct request reply = reply_to(&r, &spec);
    const uint8_t *p = reply.bytes + reply.frame.payload_offset;
    cr_expect(eq(u16, reply.frame.dst_port, MY_PORT));
    cr_expect(eq(u64, asz_be64_load(p + ASZ_STAMP_SENDER_TIME), 0x1122334455667788u));
    cr_expect(eq(u8, p[ASZ_STAMP_SENDER_TTL], 61));
    if (tlv)
      cr_expect(asz_mac_check(p + ASZ_TLV_AT_MAC, session.reply_key, p, ASZ_TLV_AT_MAC));
  }
}

Test(reply_ipv6, a_syn_is_accepted_with_or_without_timestamps_or_refused)
{
  struct request r = {0};
  uint8_t *tcp = r.bytes + ASZ_ETH_BYTES + ASZ_IPV6_BYTES;
  asz_tcp_open_write(tcp, ASZ_TCP_SYN, 1000, 1220);
  asz_be16_store(tcp + ASZ_TCP_SRC, MY_PORT);
  asz_be16_store(tcp + ASZ_TCP_DST, 443);
  asz_be32_store(tcp + ASZ_TCP_SEQ, 41);
  finish(&r, ASZ_PROTOCOL_TCP, ASZ_TCP_OPEN_BYTES, 0);
  for (enum asz_syn_answer syn = 0; syn <= ASZ_SYN_REFUSE; syn++) {
    struct asz_reply_spec spec = honest;
    spec.syn = syn;
    struct request reply = reply_to(&r, &spec);
    cr_assert(eq(u8, reply.frame.tcp_flags, (syn == ASZ_SYN_REFUSE ? ASZ_TCP_RST : ASZ_TCP_SYN) | ASZ_TCP_ACKS));
    cr_assert(eq(u16, reply.frame.dst_port, MY_PORT));
    cr_assert(eq(u32, asz_be32_load(reply.bytes + reply.frame.l4_offset + ASZ_TCP_ACK), 42));
  }
}

Test(reply_ipv6, echo_comes_back_as_it_was_and_made_up_ones_do_not)
{
  for (uint16_t payload_bytes = 0; payload_bytes < 64; payload_bytes++) {
    struct request r = {0};
    uint8_t *icmp = r.bytes + ASZ_ETH_BYTES + ASZ_IPV6_BYTES;
    icmp[0] = ASZ_ICMPV6_ECHO_REQUEST;
    for (uint16_t i = 4; i < ASZ_ICMP_BYTES + payload_bytes; i++)
      icmp[i] = (uint8_t)(i * 3);
    finish(&r, ASZ_PROTOCOL_ICMPV6, (uint16_t)(ASZ_ICMP_BYTES + payload_bytes), 0);
    struct request reply = reply_to(&r, &honest);
    cr_assert(eq(u8, reply.frame.icmp_type, ASZ_ICMPV6_ECHO_REPLY));
    cr_assert(eq(int, memcmp(reply.bytes + reply.frame.l4_offset + 4, icmp + 4, payload_bytes + 4u), 0));
    struct asz_reply_spec made_up = {.made_up = 99};
    reply = reply_to(&r, &made_up);
    cr_assert(ne(int, memcmp(reply.bytes + reply.frame.l4_offset + 4, icmp + 4, payload_bytes + 4u), 0));
  }
}
