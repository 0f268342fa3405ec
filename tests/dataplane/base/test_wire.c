/* SPDX-License-Identifier: Apache-2.0 */
/* Frames. The golden ones are bytes written down from the RFCs' header diagrams, with checksums computed elsewhere; hostile
 * input comes as every truncation, every flipped bit and every pair of lengths that contradict each other. */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/wire.h"
#include "tests/random.h"

enum { IP_AT = 14, UDP_AT = 34, FRAME_MAX = 256 };

/* A STAMP request: 192.0.2.1:49152 -> 198.51.100.7:862, sequence 7, SSID 0x1234. */
static const uint8_t golden_udp[86] = {
    0x02, 0,    0,    0,    0,    0x02, 0x02, 0,    0,    0,    0,    0x01, 0x08, 0x00, /* Ethernet: to, from, IPv4 */
    0x45, 0x00, 0x00, 0x48, 0x00, 0x00, 0x40, 0x00,                                     /* version, length 72, DF */
    0x40, 0x11, 0x4e, 0x69, 0xc0, 0,    2,    1,    0xc6, 0x33, 0x64, 0x07,             /* TTL 64, UDP, checksum, addresses */
    0xc0, 0x00, 0x03, 0x5e, 0x00, 0x34, 0xd5, 0xad,                                     /* ports, length 52, checksum */
    0,    0,    0,    7,    0xe0, 0,    0,    0,    0x80, 0,    0,    0,    0x08, 0x01, 0x12, 0x34, /* STAMP; 28 zeros follow */
};
/* ICMP echo request: identifier 77, sequence 9, 16 bytes. */
static const uint8_t golden_icmp[58] = {
    0x02, 0,    0,    0,    0,    0x02, 0x02, 0,    0,    0,    0,    0x01, 0x08, 0x00, /* Ethernet */
    0x45, 0x00, 0x00, 0x2c, 0x00, 0x00, 0x40, 0x00,                                     /* length 44 */
    0x40, 0x01, 0x4e, 0x95, 0xc0, 0,    2,    1,    0xc6, 0x33, 0x64, 0x07,             /* ICMP */
    0x08, 0x00, 0xbf, 0x69, 0x00, 0x4d, 0x00, 0x09, /* echo request, checksum, identifier, sequence */
    0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14, 15,
};
/* "Who has 192.0.2.2? Tell 192.0.2.1": 60 bytes, 18 of them padding. */
static const uint8_t golden_arp[60] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,    0, 0, 0, 0x01, 0x08, 0x06, /* Ethernet: broadcast, ARP */
    0x00, 0x01, 0x08, 0x00, 6,    4,    0x00, 0x01,                            /* Ethernet, IPv4, request */
    0x02, 0,    0,    0,    0,    0x01, 0xc0, 0,    2, 1,                      /* sender */
    0,    0,    0,    0,    0,    0,    0xc0, 0,    2, 2,                      /* target */
};
static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint32_t our_ipv4 = 0xc0000201, peer_ipv4 = 0xc6336407;

/* Parses a heap copy of exactly this size, so that the sanitizers see any step past its end. */
static struct asz_frame parse(const uint8_t *frame, size_t size_bytes, unsigned check) {
  uint8_t *copy = malloc(size_bytes + 1);
  memcpy(copy + 1, frame, size_bytes);
  struct asz_frame result;
  asz_wire_parse(&result, copy + 1, size_bytes, check);
  free(copy);
  return result;
}

static void fix_ipv4_checksum(uint8_t *frame, size_t header_bytes) {
  asz_be16_store(frame + IP_AT + ASZ_IPV4_CHECKSUM, 0);
  asz_be16_store(frame + IP_AT + ASZ_IPV4_CHECKSUM, asz_wire_fold(asz_wire_sum(0, frame + IP_AT, header_bytes)));
}

static size_t add_vlan_tag(uint8_t *ret_frame, const uint8_t *frame, size_t size_bytes) {
  memcpy(ret_frame, frame, 12);
  asz_be16_store(ret_frame + 12, 0x8100);
  asz_be16_store(ret_frame + 14, 100);
  memcpy(ret_frame + 16, frame + 12, size_bytes - 12);
  return size_bytes + 4;
}

Test(wire, every_truncation_of_a_frame_is_malformed)
{
  static const struct {
    const uint8_t *frame;
    size_t whole_bytes; /* without padding */
  } golden[] = {{golden_udp, sizeof golden_udp}, {golden_icmp, sizeof golden_icmp}, {golden_arp, 42}};
  for (size_t g = 0; g < 3; g++) {
    uint8_t tagged[FRAME_MAX];
    size_t tagged_bytes = add_vlan_tag(tagged, golden[g].frame, golden[g].whole_bytes);
    for (size_t size = 0; size < golden[g].whole_bytes; size++)
      cr_assert_eq(parse(golden[g].frame, size, ASZ_WIRE_CHECK_ALL).kind, ASZ_FRAME_MALFORMED, "frame %zu cut to %zu", g, size);
    for (size_t size = 0; size < tagged_bytes; size++)
      cr_assert_eq(parse(tagged, size, 0).kind, ASZ_FRAME_MALFORMED, "tagged frame %zu cut to %zu", g, size);
  }
}

Test(wire, every_flipped_bit_behind_ethernet_is_noticed)
{
  for (size_t bit = IP_AT * 8; bit < sizeof golden_udp * 8; bit++) {
    uint8_t frame[sizeof golden_udp];
    memcpy(frame, golden_udp, sizeof frame);
    frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    enum asz_frame_kind kind = parse(frame, sizeof frame, ASZ_WIRE_CHECK_ALL).kind;
    cr_assert(kind == ASZ_FRAME_MALFORMED || kind == ASZ_FRAME_BAD_CHECKSUM, "bit %zu of byte %zu: kind %d", bit % 8, bit / 8,
              kind);
  }
  for (size_t bit = IP_AT * 8; bit < sizeof golden_icmp * 8; bit++) {
    uint8_t frame[sizeof golden_icmp];
    memcpy(frame, golden_icmp, sizeof frame);
    frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    enum asz_frame_kind kind = parse(frame, sizeof frame, ASZ_WIRE_CHECK_ALL).kind;
    cr_assert(kind == ASZ_FRAME_MALFORMED || kind == ASZ_FRAME_BAD_CHECKSUM, "bit %zu of byte %zu: kind %d", bit % 8, bit / 8,
              kind);
  }
}

Test(wire, lengths_that_contradict_each_other_are_malformed)
{
  static const struct {
    const char *what;
    size_t at;
    uint16_t value; /* big-endian, or one byte where `byte` */
    int byte;
    enum asz_frame_kind kind;
  } cases[] = {
      {"version 6", IP_AT, 0x65, 1, ASZ_FRAME_MALFORMED},
      {"header of 4 words", IP_AT, 0x44, 1, ASZ_FRAME_MALFORMED},
      {"header of 0 words", IP_AT, 0x40, 1, ASZ_FRAME_MALFORMED},
      {"total length 0", IP_AT + 2, 0, 0, ASZ_FRAME_MALFORMED},
      {"total length below the header", IP_AT + 2, 19, 0, ASZ_FRAME_MALFORMED},
      {"no room for UDP", IP_AT + 2, 27, 0, ASZ_FRAME_MALFORMED},
      {"total length below UDP's", IP_AT + 2, 71, 0, ASZ_FRAME_MALFORMED},
      {"total length beyond the frame", IP_AT + 2, 73, 0, ASZ_FRAME_MALFORMED},
      {"total length 65535", IP_AT + 2, 65535, 0, ASZ_FRAME_MALFORMED},
      {"UDP length 0", UDP_AT + 4, 0, 0, ASZ_FRAME_MALFORMED},
      {"UDP length 7", UDP_AT + 4, 7, 0, ASZ_FRAME_MALFORMED},
      {"UDP length beyond IPv4's", UDP_AT + 4, 53, 0, ASZ_FRAME_MALFORMED},
      {"UDP length 65535", UDP_AT + 4, 65535, 0, ASZ_FRAME_MALFORMED},
      {"UDP length below IPv4's: a surplus area", UDP_AT + 4, 51, 0, ASZ_FRAME_UDP},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t frame[sizeof golden_udp];
    memcpy(frame, golden_udp, sizeof frame);
    if (cases[i].byte)
      frame[cases[i].at] = (uint8_t)cases[i].value;
    else
      asz_be16_store(frame + cases[i].at, cases[i].value);
    fix_ipv4_checksum(frame, 20);
    cr_assert_eq(parse(frame, sizeof frame, ASZ_WIRE_CHECK_L3).kind, cases[i].kind, "%s", cases[i].what);
  }
}

Test(wire, a_header_longer_than_the_packet_is_malformed)
{
  uint8_t frame[sizeof golden_udp];
  memcpy(frame, golden_udp, sizeof frame);
  frame[IP_AT] = 0x4f; /* 60 bytes of header in a packet of 40 */
  asz_be16_store(frame + IP_AT + 2, 40);
  cr_assert_eq(parse(frame, sizeof frame, 0).kind, ASZ_FRAME_MALFORMED);
}

Test(wire, an_icmp_message_shorter_than_its_header_is_malformed)
{
  for (uint16_t icmp_bytes = 0; icmp_bytes < ASZ_ICMP_BYTES; icmp_bytes++) {
    uint8_t frame[sizeof golden_icmp];
    memcpy(frame, golden_icmp, sizeof frame);
    asz_be16_store(frame + IP_AT + ASZ_IPV4_TOTAL_LENGTH, (uint16_t)(ASZ_IPV4_BYTES + icmp_bytes));
    fix_ipv4_checksum(frame, 20);
    cr_assert_eq(parse(frame, sizeof frame, ASZ_WIRE_CHECK_L3).kind, ASZ_FRAME_MALFORMED, "%u bytes", icmp_bytes);
  }
}

Test(wire, fragments_are_named_and_dont_fragment_is_not_one)
{
  static const struct {
    uint16_t field;
    enum asz_frame_kind kind;
  } cases[] = {{0x2000, ASZ_FRAME_FRAGMENT}, {0x0001, ASZ_FRAME_FRAGMENT}, {0x1fff, ASZ_FRAME_FRAGMENT},
               {0x6001, ASZ_FRAME_FRAGMENT}, {0x0000, ASZ_FRAME_UDP},      {0x4000, ASZ_FRAME_UDP}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t frame[sizeof golden_udp];
    memcpy(frame, golden_udp, sizeof frame);
    asz_be16_store(frame + IP_AT + ASZ_IPV4_FRAGMENT, cases[i].field);
    fix_ipv4_checksum(frame, 20);
    cr_assert_eq(parse(frame, sizeof frame, ASZ_WIRE_CHECK_ALL).kind, cases[i].kind, "fragment field %04x", cases[i].field);
  }
}

Test(wire, a_wrong_checksum_is_seen_only_where_it_is_checked)
{
  uint8_t frame[sizeof golden_udp];
  memcpy(frame, golden_udp, sizeof frame);
  frame[UDP_AT + ASZ_UDP_CHECKSUM] ^= 1;
  cr_assert_eq(parse(frame, sizeof frame, ASZ_WIRE_CHECK_L4).kind, ASZ_FRAME_BAD_CHECKSUM);
  cr_assert_eq(parse(frame, sizeof frame, ASZ_WIRE_CHECK_L3).kind, ASZ_FRAME_UDP);
  frame[IP_AT + ASZ_IPV4_CHECKSUM] ^= 1;
  cr_assert_eq(parse(frame, sizeof frame, ASZ_WIRE_CHECK_L3).kind, ASZ_FRAME_BAD_CHECKSUM);
  cr_assert_eq(parse(frame, sizeof frame, 0).kind, ASZ_FRAME_UDP);
}

Test(wire, a_udp_checksum_of_zero_means_none)
{
  uint8_t frame[sizeof golden_udp];
  memcpy(frame, golden_udp, sizeof frame);
  asz_be16_store(frame + UDP_AT + ASZ_UDP_CHECKSUM, 0);
  cr_assert_eq(parse(frame, sizeof frame, ASZ_WIRE_CHECK_ALL).kind, ASZ_FRAME_UDP);
}

Test(wire, other_ethertypes_and_protocols_are_other)
{
  static const uint16_t ethertypes[] = {0x88b5, 0x88a8, 0x0000, 0x05dc, 0xffff};
  uint8_t frame[FRAME_MAX], tagged[FRAME_MAX], twice[FRAME_MAX];
  for (size_t i = 0; i < sizeof ethertypes / sizeof ethertypes[0]; i++) {
    memcpy(frame, golden_udp, sizeof golden_udp);
    asz_be16_store(frame + ASZ_ETH_TYPE, ethertypes[i]);
    cr_assert_eq(parse(frame, sizeof golden_udp, 0).kind, ASZ_FRAME_OTHER, "EtherType %04x", ethertypes[i]);
  }
  memcpy(frame, golden_udp, sizeof golden_udp);
  frame[IP_AT + ASZ_IPV4_PROTOCOL] = 132; /* SCTP */
  cr_assert_eq(parse(frame, sizeof golden_udp, 0).kind, ASZ_FRAME_OTHER);
  size_t size = add_vlan_tag(tagged, golden_udp, sizeof golden_udp);
  cr_assert_eq(parse(twice, add_vlan_tag(twice, tagged, size), 0).kind, ASZ_FRAME_OTHER, "a second tag");
}

Test(wire, fields_of_the_golden_udp_frame)
{
  struct asz_frame f = parse(golden_udp, sizeof golden_udp, ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(f.kind, ASZ_FRAME_UDP);
  cr_assert_eq(f.src_ipv4, our_ipv4);
  cr_assert_eq(f.dst_ipv4, peer_ipv4);
  cr_assert_eq(f.src_port, 49152);
  cr_assert_eq(f.dst_port, 862);
  cr_assert_eq(f.ttl, 64);
  cr_assert_eq(f.l3_offset, 14);
  cr_assert_eq(f.l4_offset, 34);
  cr_assert_eq(f.payload_offset, 42);
  cr_assert_eq(f.payload_bytes, 44);
}

Test(wire, a_vlan_tag_moves_offsets_by_four)
{
  uint8_t tagged[FRAME_MAX];
  struct asz_frame f = parse(tagged, add_vlan_tag(tagged, golden_udp, sizeof golden_udp), ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(f.kind, ASZ_FRAME_UDP);
  cr_assert_eq(f.l3_offset, 18);
  cr_assert_eq(f.payload_offset, 46);
  cr_assert_eq(f.payload_bytes, 44);
}

Test(wire, ipv4_options_are_stepped_over)
{
  uint8_t frame[FRAME_MAX];
  memcpy(frame, golden_udp, UDP_AT);
  memcpy(frame + UDP_AT, (uint8_t[4]){1, 1, 1, 0}, 4); /* three no-operations, end of options */
  memcpy(frame + UDP_AT + 4, golden_udp + UDP_AT, sizeof golden_udp - UDP_AT);
  frame[IP_AT] = 0x46;
  asz_be16_store(frame + IP_AT + 2, 76);
  fix_ipv4_checksum(frame, 24);
  struct asz_frame f = parse(frame, sizeof golden_udp + 4, ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(f.kind, ASZ_FRAME_UDP);
  cr_assert_eq(f.l4_offset, 38);
  cr_assert_eq(f.payload_bytes, 44);
}

Test(wire, ethernet_padding_is_no_payload)
{
  uint8_t frame[ASZ_ETH_MIN_BYTES] = {0};
  asz_wire_eth_write(frame, peer_mac, our_mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(frame + IP_AT, our_ipv4, peer_ipv4, ASZ_PROTOCOL_UDP, 64, ASZ_UDP_BYTES + 2);
  asz_wire_udp_write(frame + UDP_AT, 1, 2, 2);
  asz_wire_udp_finish(frame + IP_AT);
  memset(frame + 44, 0xee, sizeof frame - 44);
  struct asz_frame f = parse(frame, sizeof frame, ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(f.kind, ASZ_FRAME_UDP);
  cr_assert_eq(f.payload_bytes, 2);
}

Test(wire, fields_of_the_golden_icmp_frame)
{
  struct asz_frame f = parse(golden_icmp, sizeof golden_icmp, ASZ_WIRE_CHECK_ALL);
  cr_assert_eq(f.kind, ASZ_FRAME_ICMP);
  cr_assert_eq(f.icmp_type, ASZ_ICMP_ECHO_REQUEST);
  cr_assert_eq(f.icmp_code, 0);
  cr_assert_eq(f.payload_offset, 42);
  cr_assert_eq(f.payload_bytes, 16);
}

Test(wire, writers_make_the_golden_udp_frame)
{
  uint8_t frame[sizeof golden_udp];
  memset(frame, 0xee, sizeof frame);
  memcpy(frame + 42, golden_udp + 42, 44);
  asz_wire_eth_write(frame, peer_mac, our_mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(frame + IP_AT, our_ipv4, peer_ipv4, ASZ_PROTOCOL_UDP, 64, ASZ_UDP_BYTES + 44);
  asz_wire_udp_write(frame + UDP_AT, 49152, 862, 44);
  asz_wire_udp_finish(frame + IP_AT);
  cr_assert_arr_eq(frame, golden_udp, sizeof frame);
}

Test(wire, writers_make_the_golden_icmp_frame)
{
  uint8_t frame[sizeof golden_icmp];
  memcpy(frame, golden_icmp, sizeof frame);
  memset(frame + IP_AT, 0xee, ASZ_IPV4_BYTES);
  asz_be16_store(frame + UDP_AT + 2, 0xeeee);
  asz_wire_ipv4_write(frame + IP_AT, our_ipv4, peer_ipv4, ASZ_PROTOCOL_ICMP, 64, 24);
  asz_wire_icmp_finish(frame + UDP_AT, 24);
  cr_assert_arr_eq(frame, golden_icmp, sizeof frame);
}

Test(wire, a_computed_udp_checksum_of_zero_is_sent_as_ones)
{
  uint8_t packet[ASZ_IPV4_BYTES + ASZ_UDP_BYTES + 2];
  asz_wire_ipv4_write(packet, our_ipv4, peer_ipv4, ASZ_PROTOCOL_UDP, 64, ASZ_UDP_BYTES + 2);
  asz_wire_udp_write(packet + ASZ_IPV4_BYTES, 1, 2, 2);
  asz_be16_store(packet + ASZ_IPV4_BYTES + ASZ_UDP_BYTES, 0);
  asz_wire_udp_finish(packet);
  uint16_t checksum = asz_be16_load(packet + ASZ_IPV4_BYTES + ASZ_UDP_CHECKSUM);
  asz_be16_store(packet + ASZ_IPV4_BYTES + ASZ_UDP_BYTES, checksum); /* the word that brings the sum to 0xffff */
  asz_wire_udp_finish(packet);
  cr_assert_eq(asz_be16_load(packet + ASZ_IPV4_BYTES + ASZ_UDP_CHECKSUM), 0xffff);
}

/* RFC 1071 as it is written: 16-bit words in network order. */
static uint16_t checksum_reference(const uint8_t *data, size_t size_bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < size_bytes; i++)
    sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

Test(wire, checksum_of_the_example_in_rfc_1071)
{
  static const uint8_t example[8] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  cr_assert_eq(asz_wire_fold(asz_wire_sum(0, example, 8)), (uint16_t)~0xddf2);
}

Test(wire, checksum_equals_the_plain_one_at_every_length_and_alignment)
{
  struct asz_test_random random = asz_test_random_start(1071);
  uint8_t data[1600];
  for (size_t size = 0; size < 1500; size++) {
    size_t at = size % 8;
    asz_test_random_bytes(&random, data, sizeof data);
    if (size % 3 == 0)
      memset(data, 0xff, sizeof data); /* carries at every step */
    cr_assert_eq(asz_wire_fold(asz_wire_sum(0, data + at, size)), checksum_reference(data + at, size),
                 "seed %lu, %zu bytes at %zu", random.seed, size, at);
    size_t half = size / 4 * 2;
    cr_assert_eq(asz_wire_fold(asz_wire_sum(asz_wire_sum(0, data + at, half), data + at + half, size - half)),
                 checksum_reference(data + at, size), "seed %lu, %zu bytes in two regions", random.seed, size);
  }
}

Test(wire, arp_request_is_the_golden_frame)
{
  uint8_t frame[ASZ_ETH_MIN_BYTES];
  memset(frame, 0xee, sizeof frame);
  asz_wire_arp_write(frame, ASZ_ARP_REQUEST, our_mac, our_ipv4, NULL, 0xc0000202);
  cr_assert_arr_eq(frame, golden_arp, sizeof frame);
  cr_assert_eq(parse(frame, sizeof frame, ASZ_WIRE_CHECK_ALL).kind, ASZ_FRAME_ARP);
}

Test(wire, arp_reply_is_read_back)
{
  uint8_t frame[ASZ_ETH_MIN_BYTES];
  struct asz_arp arp;
  asz_wire_arp_write(frame, ASZ_ARP_REPLY, our_mac, our_ipv4, peer_mac, peer_ipv4);
  cr_assert_arr_eq(frame, peer_mac, 6, "unicast to who asked");
  cr_assert_eq(asz_wire_arp_read(&arp, frame + 14, 46), ASZ_OK);
  cr_assert_eq(arp.operation, ASZ_ARP_REPLY);
  cr_assert_eq(arp.sender_ipv4, our_ipv4);
  cr_assert_eq(arp.target_ipv4, peer_ipv4);
  cr_assert_arr_eq(arp.sender_mac, our_mac, 6);
  cr_assert_arr_eq(arp.target_mac, peer_mac, 6);
}

Test(wire, arp_of_other_sizes_or_kinds_is_refused)
{
  struct asz_arp arp;
  for (size_t size = 0; size < ASZ_ARP_BYTES; size++)
    cr_assert_eq(asz_wire_arp_read(&arp, golden_arp + 14, size), ASZ_EFORMAT, "%zu bytes", size);
  for (size_t at = 0; at < 6; at++) { /* hardware, protocol and both sizes */
    uint8_t body[ASZ_ARP_BYTES];
    memcpy(body, golden_arp + 14, sizeof body);
    body[at] ^= 1;
    cr_assert_eq(asz_wire_arp_read(&arp, body, sizeof body), ASZ_EFORMAT, "byte %zu", at);
  }
}

Test(wire, only_four_decimal_octets_are_an_address)
{
  static const char *const bad[] = {"",          "1",         "1.2.3",      "1.2.3.4.5",  "1.2.3.4 ", " 1.2.3.4", "1.2.3.256",
                                    "256.1.1.1", "1..2.3",    "1.2.3.",     ".1.2.3",     "01.2.3.4", "1.2.3.00", "1.2.3.4\n",
                                    "1.2.3.-4",  "1.2.3.0x4", "4294967297", "1.2.3.1000", "a.b.c.d",  "1,2,3,4",  "+1.2.3.4"};
  uint32_t ipv4 = 0x5a5a5a5a;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    cr_assert_eq(asz_ipv4_parse(&ipv4, bad[i]), ASZ_EFORMAT, "\"%s\"", bad[i]);
  cr_assert_eq(ipv4, 0x5a5a5a5a, "outputs stay untouched on failure");
}

Test(wire, addresses_survive_text)
{
  static const uint32_t some[] = {0, 1, 0xff, 0x7f000001, 0xc0000201, 0x0a00ff10, 0xffffffff};
  for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
    char text[16];
    uint32_t again = ~some[i];
    asz_ipv4_format(text, some[i]);
    cr_assert_eq(asz_ipv4_parse(&again, text), ASZ_OK, "%s", text);
    cr_assert_eq(again, some[i], "%s", text);
  }
  uint32_t ipv4;
  cr_assert_eq(asz_ipv4_parse(&ipv4, "198.51.100.7"), ASZ_OK);
  cr_assert_eq(ipv4, peer_ipv4);
}
