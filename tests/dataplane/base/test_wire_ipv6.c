/* SPDX-License-Identifier: Apache-2.0 */
/* Frames over IPv6, and the tag in front of either family. The golden ones are bytes from the diagrams of RFC 8200, RFC 768 and
 * RFC 4443, with checksums computed elsewhere; hostile input comes as every truncation, every flipped bit, every length and every
 * next header. */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/wire.h"

enum { IP_AT = 14, L4_AT = 54, FRAME_MAX = 256 };

/* A STAMP request: [2001:db8::1]:49152 -> [2001:db8:1::7]:862, sequence 7, SSID 0x1234. */
static const uint8_t golden_udp[106] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00,
    0x00, 0x34, 0x11, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x01, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07,
    0xc0, 0x00, 0x03, 0x5e, 0x00, 0x34, 0x66, 0x6f, 0x00, 0x00, 0x00, 0x07, 0xe0, 0x00, 0x00, 0x00, 0x80, 0x00,
    0x00, 0x00, 0x08, 0x01, 0x12, 0x34, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
/* ICMPv6 echo request: identifier 77, sequence 9, 16 bytes. */
static const uint8_t golden_icmp[78] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x18,
    0x3a, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x20, 0x01,
    0x0d, 0xb8, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x80, 0x00, 0xeb, 0x9b, 0x00, 0x4d,
    0x00, 0x09, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
};
static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t our_ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, peer_ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 7};

/* Parses a heap copy of exactly this size, so that the sanitizers see any step past its end. */
static struct asz_frame parse(const uint8_t *frame, size_t size_bytes, unsigned check) {
  uint8_t *copy = malloc(size_bytes + 1);
  memcpy(copy + 1, frame, size_bytes);
  struct asz_frame result;
  asz_wire_parse(&result, copy + 1, size_bytes, check);
  free(copy);
  return result;
}

static size_t tag_add(uint8_t *ret_frame, const uint8_t *frame, size_t size_bytes, uint16_t control) {
  memcpy(ret_frame, frame, 12);
  asz_be16_store(ret_frame + 12, 0x8100);
  asz_be16_store(ret_frame + 14, control);
  memcpy(ret_frame + 16, frame + 12, size_bytes - 12);
  return size_bytes + 4;
}

Test(wire_ipv6, every_truncation_is_malformed)
{
  static const struct {
    const uint8_t *frame;
    size_t bytes;
  } golden[] = {{golden_udp, sizeof golden_udp}, {golden_icmp, sizeof golden_icmp}};
  for (size_t g = 0; g < 2; g++) {
    uint8_t tagged[FRAME_MAX];
    size_t tagged_bytes = tag_add(tagged, golden[g].frame, golden[g].bytes, 100);
    for (size_t size = 0; size < golden[g].bytes; size++)
      cr_assert_eq(parse(golden[g].frame, size, ASZ_WIRE_CHECK_ALL).kind, ASZ_FRAME_MALFORMED, "frame %zu cut to %zu", g, size);
    for (size_t size = 0; size < tagged_bytes; size++)
      cr_assert_eq(parse(tagged, size, 0).kind, ASZ_FRAME_MALFORMED, "tagged frame %zu cut to %zu", g, size);
  }
}

/* IPv6 has no checksum over its own header: a bit of the traffic class, flow label or hop limit is nobody's loss, and one of the
 * next header makes another protocol of it. All that decides whose probe it was is under the checksum of layer 4. */
Test(wire_ipv6, every_flipped_bit_that_matters_is_noticed)
{
  static const struct {
    const uint8_t *frame;
    size_t bytes;
  } golden[] = {{golden_udp, sizeof golden_udp}, {golden_icmp, sizeof golden_icmp}};
  for (size_t g = 0; g < 2; g++)
    for (size_t bit = IP_AT * 8; bit < golden[g].bytes * 8; bit++) {
      uint8_t frame[FRAME_MAX];
      size_t at = bit / 8 - IP_AT;
      memcpy(frame, golden[g].frame, golden[g].bytes);
      frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
      enum asz_frame_kind kind = parse(frame, golden[g].bytes, ASZ_WIRE_CHECK_ALL).kind;
      bool free = (at == 0 && bit % 8 < 4) || (at >= 1 && at < 4) || at == ASZ_IPV6_HOP_LIMIT;
      bool other = at == ASZ_IPV6_NEXT_HEADER && (kind == ASZ_FRAME_OTHER || kind == ASZ_FRAME_FRAGMENT);
      cr_assert(free || other || kind == ASZ_FRAME_MALFORMED || kind == ASZ_FRAME_BAD_CHECKSUM, "bit %zu of byte %zu: kind %d",
                bit % 8, bit / 8, kind);
    }
}

Test(wire_ipv6, lengths_that_contradict_each_other_are_malformed)
{
  static const struct {
    const char *what;
    size_t at;
    uint16_t value;
    enum asz_frame_kind kind;
  } cases[] = {
      {"payload length 0 (a jumbogram's)", IP_AT + 4, 0, ASZ_FRAME_MALFORMED},
      {"no room for UDP", IP_AT + 4, 7, ASZ_FRAME_MALFORMED},
      {"payload length below UDP's", IP_AT + 4, 51, ASZ_FRAME_MALFORMED},
      {"payload length beyond the frame", IP_AT + 4, 53, ASZ_FRAME_MALFORMED},
      {"payload length 65535", IP_AT + 4, 65535, ASZ_FRAME_MALFORMED},
      {"UDP length 0 (RFC 2675)", L4_AT + 4, 0, ASZ_FRAME_MALFORMED},
      {"UDP length 7", L4_AT + 4, 7, ASZ_FRAME_MALFORMED},
      {"UDP length beyond IPv6's", L4_AT + 4, 53, ASZ_FRAME_MALFORMED},
      {"UDP length below IPv6's: a surplus area", L4_AT + 4, 51, ASZ_FRAME_UDP},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t frame[sizeof golden_udp];
    memcpy(frame, golden_udp, sizeof frame);
    asz_be16_store(frame + cases[i].at, cases[i].value);
    cr_assert_eq(parse(frame, sizeof frame, 0).kind, cases[i].kind, "%s", cases[i].what);
  }
}

Test(wire_ipv6, an_icmp_message_shorter_than_its_header_is_malformed)
{
  for (uint16_t icmp_bytes = 0; icmp_bytes < ASZ_ICMP_BYTES; icmp_bytes++) {
    uint8_t frame[sizeof golden_icmp];
    memcpy(frame, golden_icmp, sizeof frame);
    asz_be16_store(frame + IP_AT + ASZ_IPV6_PAYLOAD_LENGTH, icmp_bytes);
    cr_assert_eq(parse(frame, sizeof frame, 0).kind, ASZ_FRAME_MALFORMED, "%u bytes", icmp_bytes);
  }
}

/* Whatever an extension header promises, nobody follows it: 44 is a fragment, 1 is the ICMP of IPv4, the rest nothing of ours. */
Test(wire_ipv6, every_other_next_header_ends_the_reading)
{
  for (unsigned next = 0; next < 256; next++) {
    uint8_t frame[sizeof golden_udp];
    memcpy(frame, golden_udp, sizeof frame);
    if (next == 6) /* TCP: whether its header fits is another question */
      continue;
    frame[IP_AT + ASZ_IPV6_NEXT_HEADER] = (uint8_t)next;
    enum asz_frame_kind expected = next == 17   ? ASZ_FRAME_UDP
                                   : next == 58 ? ASZ_FRAME_ICMP
                                   : next == 44 ? ASZ_FRAME_FRAGMENT
                                                : ASZ_FRAME_OTHER;
    cr_assert_eq(parse(frame, sizeof frame, 0).kind, expected, "next header %u", next);
  }
}

Test(wire_ipv6, another_version_is_malformed)
{
  for (unsigned version = 0; version < 16; version++) {
    uint8_t frame[sizeof golden_udp];
    memcpy(frame, golden_udp, sizeof frame);
    frame[IP_AT] = (uint8_t)(version << 4);
    cr_assert_eq(parse(frame, sizeof frame, 0).kind, version == 6 ? ASZ_FRAME_UDP : ASZ_FRAME_MALFORMED, "version %u", version);
  }
}

Test(wire_ipv6, a_udp_checksum_of_zero_is_wrong)
{
  uint8_t frame[sizeof golden_udp];
  memcpy(frame, golden_udp, sizeof frame);
  asz_be16_store(frame + L4_AT + ASZ_UDP_CHECKSUM, 0);
  cr_assert_eq(parse(frame, sizeof frame, ASZ_WIRE_CHECK_ALL).kind, ASZ_FRAME_BAD_CHECKSUM);
  cr_assert_eq(parse(frame, sizeof frame, ASZ_WIRE_CHECK_L3).kind, ASZ_FRAME_UDP, "seen only where it is checked");
}

Test(wire_ipv6, fields_of_the_golden_frames)
{
  struct asz_frame f = parse(golden_udp, sizeof golden_udp, ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(f.kind, ASZ_FRAME_UDP);
  cr_assert_eq(f.family, ASZ_FAMILY_IPV6);
  cr_assert_arr_eq(asz_frame_src_ipv6(&f, golden_udp), our_ipv6, 16);
  cr_assert_arr_eq(asz_frame_dst_ipv6(&f, golden_udp), peer_ipv6, 16);
  cr_assert_eq(f.src_port, 49152);
  cr_assert_eq(f.dst_port, 862);
  cr_assert_eq(f.ttl, 64);
  cr_assert_eq(f.vlan, 0);
  cr_assert_eq(f.l4_offset, 54);
  cr_assert_eq(f.payload_offset, 62);
  cr_assert_eq(f.payload_bytes, 44);
  f = parse(golden_icmp, sizeof golden_icmp, ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(f.kind, ASZ_FRAME_ICMP);
  cr_assert_eq(f.icmp_type, ASZ_ICMPV6_ECHO_REQUEST);
  cr_assert_eq(f.payload_bytes, 16);
}

Test(wire_ipv6, a_tag_says_its_vlan_and_moves_offsets_by_four)
{
  static const struct {
    uint16_t control, vlan;
  } tags[] = {{100, 100}, {0xe064, 100}, {0x6000, 0}, {0x0ffe, 4094}, {0xffff, 4095}};
  for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
    uint8_t tagged[FRAME_MAX];
    struct asz_frame f = parse(tagged, tag_add(tagged, golden_udp, sizeof golden_udp, tags[i].control), ASZ_WIRE_CHECK_ALL);
    cr_assert_eq(f.kind, ASZ_FRAME_UDP);
    cr_assert_eq(f.vlan, tags[i].vlan, "control %04x", tags[i].control);
    cr_assert_eq(f.l3_offset, 18);
    cr_assert_eq(f.payload_offset, 66);
  }
}

Test(wire_ipv6, the_tag_writer_makes_a_tag)
{
  uint8_t tag[4];
  asz_wire_vlan_write(tag, 4094);
  cr_assert_arr_eq(tag, ((uint8_t[4]){0x81, 0x00, 0x0f, 0xfe}), 4);
}

Test(wire_ipv6, writers_make_the_golden_frames)
{
  uint8_t frame[FRAME_MAX];
  memset(frame, 0xee, sizeof frame);
  memcpy(frame + L4_AT + 8, golden_udp + L4_AT + 8, 44);
  asz_wire_eth_write(frame, peer_mac, our_mac, ASZ_ETHERTYPE_IPV6);
  asz_wire_ipv6_write(frame + IP_AT, our_ipv6, peer_ipv6, ASZ_PROTOCOL_UDP, 64, ASZ_UDP_BYTES + 44);
  asz_wire_udp_write(frame + L4_AT, 49152, 862, 44);
  asz_wire_udp_finish(frame + IP_AT);
  cr_assert_arr_eq(frame, golden_udp, sizeof golden_udp);
  memcpy(frame + L4_AT, golden_icmp + L4_AT, 24);
  asz_be16_store(frame + L4_AT + 2, 0xeeee);
  asz_wire_ipv6_write(frame + IP_AT, our_ipv6, peer_ipv6, ASZ_PROTOCOL_ICMPV6, 64, 24);
  asz_wire_icmpv6_finish(frame + IP_AT);
  cr_assert_arr_eq(frame, golden_icmp, sizeof golden_icmp);
}

Test(wire_ipv6, a_computed_udp_checksum_of_zero_is_sent_as_ones)
{
  uint8_t packet[ASZ_IPV6_BYTES + ASZ_UDP_BYTES + 2];
  uint8_t *udp = packet + ASZ_IPV6_BYTES;
  asz_wire_ipv6_write(packet, our_ipv6, peer_ipv6, ASZ_PROTOCOL_UDP, 64, ASZ_UDP_BYTES + 2);
  asz_wire_udp_write(udp, 1, 2, 2);
  asz_be16_store(udp + ASZ_UDP_BYTES, 0);
  asz_wire_udp_finish(packet);
  asz_be16_store(udp + ASZ_UDP_BYTES, asz_be16_load(udp + ASZ_UDP_CHECKSUM)); /* the word that brings the sum to 0xffff */
  asz_wire_udp_finish(packet);
  cr_assert_eq(asz_be16_load(udp + ASZ_UDP_CHECKSUM), 0xffff);
}
