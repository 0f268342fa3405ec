/* SPDX-License-Identifier: Apache-2.0 */
/* TCP as far as a probe goes. The golden segments were written down from RFC 9293 section 3.1 and RFC 7323 section 3.2, checksums
 * computed elsewhere. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/tcp.h"
#include "tests/random.h"

enum { IP_AT = ASZ_ETH_BYTES, TCP_AT = IP_AT + ASZ_IPV4_BYTES };

/* A SYN-ACK: 198.51.100.7:443 -> 192.0.2.1:50000, sequence 0x01020304, acknowledgement 0x0a0b0c0d, MSS 1460, timestamps 7 and
 * 0x11223344. */
static const uint8_t golden[TCP_AT + 36] = {
    0x02, 0,    0,    0,    0,    0x01, 0x02, 0,  0,    0,    0,    0x02, 0x08, 0x00, /* Ethernet: to, from, IPv4 */
    0x45, 0x00, 0x00, 0x38, 0x00, 0x00, 0x40, 0,  0x40, 0x06,                         /* length 56, DF, TTL 64, TCP */
    0x4e, 0x84, 0xc6, 0x33, 0x64, 0x07, 0xc0, 0,  2,    1,                            /* checksum, addresses */
    0x01, 0xbb, 0xc3, 0x50, 1,    2,    3,    4,  0x0a, 0x0b, 0x0c, 0x0d,             /* ports, sequence, acknowledgement */
    0x90, 0x12, 0xfa, 0xf0, 0x54, 0x3b, 0,    0, /* nine words, SYN and ACK, window 64240, checksum, urgent pointer */
    2,    4,    0x05, 0xb4, 1,    1,    8,    10, 0,    0,    0,    7,    0x11, 0x22, 0x33, 0x44,
};

static struct asz_frame parse(const uint8_t *frame, size_t size) {
  uint8_t *copy = malloc(size + 1); /* exactly as long, so that the sanitizers see any step beyond */
  memcpy(copy + 1, frame, size);
  struct asz_frame result;
  asz_wire_parse(&result, copy + 1, size, ASZ_WIRE_CHECK_ALL);
  free(copy);
  return result;
}

Test(tcp, golden_syn_ack_is_read)
{
  struct asz_frame frame = parse(golden, sizeof golden);
  cr_assert(eq(int, frame.kind, ASZ_FRAME_TCP));
  cr_assert(eq(u16, frame.src_port, 443));
  cr_assert(eq(u16, frame.dst_port, 50000));
  cr_assert(eq(u8, frame.tcp_flags, ASZ_TCP_SYN | ASZ_TCP_ACKS));
  cr_assert(eq(u16, frame.payload_offset, sizeof golden));
  cr_assert(eq(u16, frame.payload_bytes, 0));
  struct asz_tcp_options options;
  cr_assert(eq(int, asz_tcp_options_read(&options, golden + frame.l4_offset, 36), 0));
  cr_assert(options.has_times);
  cr_assert(eq(u32, options.time, 7));
  cr_assert(eq(u32, options.echo, 0x11223344));
}

Test(tcp, every_truncation_is_malformed)
{
  for (size_t size = 0; size < sizeof golden; size++)
    cr_assert(eq(int, parse(golden, size).kind, ASZ_FRAME_MALFORMED), "%zu bytes", size);
}

Test(tcp, every_flipped_bit_of_the_segment_is_noticed)
{
  for (size_t bit = 8 * TCP_AT; bit < 8 * sizeof golden; bit++) {
    uint8_t frame[sizeof golden];
    memcpy(frame, golden, sizeof frame);
    frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    enum asz_frame_kind kind = parse(frame, sizeof frame).kind;
    cr_assert(kind == ASZ_FRAME_BAD_CHECKSUM || kind == ASZ_FRAME_MALFORMED, "bit %zu: %d", bit, kind);
  }
}

Test(tcp, header_lies_within_the_packet)
{
  uint8_t frame[sizeof golden];
  memcpy(frame, golden, sizeof frame);
  for (unsigned words = 0; words < 16; words++) {
    frame[TCP_AT + ASZ_TCP_OFFSET] = (uint8_t)(words << 4);
    asz_wire_tcp_finish(frame + IP_AT);
    struct asz_frame parsed = parse(frame, sizeof frame);
    cr_assert(eq(int, parsed.kind, words<5 || words> 9 ? ASZ_FRAME_MALFORMED : ASZ_FRAME_TCP), "%u words", words);
    if (parsed.kind == ASZ_FRAME_TCP)
      cr_assert(eq(u16, parsed.payload_bytes, 36 - 4 * words));
  }
}

static int read_options(struct asz_tcp_options *ret_options, const char *bytes, size_t size) {
  uint8_t *tcp = calloc(1, ASZ_TCP_BYTES + size);
  memcpy(tcp + ASZ_TCP_BYTES, bytes, size);
  int err = asz_tcp_options_read(ret_options, tcp, ASZ_TCP_BYTES + size);
  free(tcp);
  return err;
}
#define READ(options, text) read_options(options, text, sizeof(text) - 1)

Test(tcp, hostile_options_are_refused)
{
  struct asz_tcp_options options = {.echo = 99};
  cr_expect(eq(int, READ(&options, "\2"), ASZ_EFORMAT), "no length");
  cr_expect(eq(int, READ(&options, "\1\1\1\5"), ASZ_EFORMAT), "no length at the end");
  cr_expect(eq(int, READ(&options, "\5\0\0\0"), ASZ_EFORMAT), "length 0 would never end");
  cr_expect(eq(int, READ(&options, "\5\1\0\0"), ASZ_EFORMAT), "length 1");
  cr_expect(eq(int, READ(&options, "\2\5\5\5"), ASZ_EFORMAT), "ends beyond the header");
  cr_expect(eq(int, READ(&options, "\2\377\5\5"), ASZ_EFORMAT), "ends far beyond the header");
  cr_expect(eq(int, READ(&options, "\10\7\0\0\0\1\0\0"), ASZ_EFORMAT), "short timestamps");
  cr_expect(eq(int, READ(&options, "\10\13\0\0\0\1\0\0\0\2\0\0"), ASZ_EFORMAT), "long timestamps");
  cr_expect(eq(int, READ(&options, "\10\12\0\0\0\1\0\0\0\2\10\12\0\0\0\1\0\0\0\2"), ASZ_EFORMAT), "timestamps twice");
  cr_expect(eq(u32, options.echo, 99), "untouched on failure");
}

Test(tcp, unknown_options_are_stepped_over)
{
  struct asz_tcp_options options;
  cr_expect(eq(int, READ(&options, ""), 0));
  cr_expect(not(options.has_times));
  cr_expect(eq(int, READ(&options, "\376\6ABCD\1\1\10\12\0\0\0\1\0\0\0\2\4\2"), 0));
  cr_expect(options.has_times && options.time == 1 && options.echo == 2);
  cr_expect(eq(int, READ(&options, "\0\10\12\0"), 0), "nothing counts behind the end");
  cr_expect(not(options.has_times));
}

Test(tcp, random_options_stay_within_the_header)
{
  struct asz_test_random random = asz_test_random_start(20261125);
  for (unsigned i = 0; i < 100000; i++) {
    char bytes[40];
    for (unsigned b = 0; b < sizeof bytes; b++)
      bytes[b] = (char)(asz_test_random_next(&random) % 12);
    struct asz_tcp_options options;
    int err = read_options(&options, bytes, asz_test_random_next(&random) % 11 * 4);
    cr_assert(err == 0 || err == ASZ_EFORMAT, "seed %llu", (unsigned long long)random.seed);
  }
}

Test(tcp, reset_takes_back_what_the_syn_ack_offered)
{
  uint8_t reset[ASZ_TCP_RESET_BYTES_MAX];
  struct asz_frame frame = parse(golden, sizeof golden);
  uint16_t size = asz_tcp_reset_write(reset, golden, &frame);
  cr_assert(eq(u16, size, ASZ_ETH_MIN_BYTES));
  struct asz_frame parsed = parse(reset, size);
  const uint8_t *tcp = reset + parsed.l4_offset;
  cr_assert(eq(int, parsed.kind, ASZ_FRAME_TCP));
  cr_assert(eq(int, memcmp(reset, golden + 6, 6) | memcmp(reset + 6, golden, 6), 0));
  cr_assert(eq(u32, parsed.src_ipv4, frame.dst_ipv4));
  cr_assert(eq(u32, parsed.dst_ipv4, frame.src_ipv4));
  cr_assert(eq(u16, parsed.src_port, 50000));
  cr_assert(eq(u16, parsed.dst_port, 443));
  cr_assert(eq(u8, parsed.tcp_flags, ASZ_TCP_RST));
  cr_assert(eq(u32, asz_be32_load(tcp + ASZ_TCP_SEQ), 0x0a0b0c0d));
  cr_assert(eq(u32, asz_be32_load(tcp + ASZ_TCP_ACK), 0));
  cr_assert(eq(u16, parsed.payload_bytes, 0));
}

Test(tcp, reset_keeps_the_vlan_tag)
{
  uint8_t tagged[sizeof golden + 4], reset[ASZ_TCP_RESET_BYTES_MAX];
  memcpy(tagged, golden, 12);
  memcpy(tagged + 12, "\x81\x00\x00\x64", 4);
  memcpy(tagged + 16, golden + 12, sizeof golden - 12);
  struct asz_frame frame = parse(tagged, sizeof tagged);
  uint16_t size = asz_tcp_reset_write(reset, tagged, &frame);
  cr_assert(eq(int, memcmp(reset + 12, "\x81\x00\x00\x64\x08\x00", 6), 0));
  cr_assert(eq(int, parse(reset, size).kind, ASZ_FRAME_TCP));
}

/* The same SYN-ACK over IPv6, 2001:db8::7 to fd00::1, behind `tag` bytes of 802.1Q. */
static size_t golden_over_ipv6(uint8_t ret_frame[ASZ_TCP_RESET_BYTES_MAX + 16], size_t tag) {
  static const uint8_t theirs[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7}, ours[16] = {0xfd, [15] = 1};
  uint8_t *ip = ret_frame + ASZ_ETH_BYTES + tag;
  memcpy(ret_frame, golden, 12);
  if (tag > 0)
    asz_wire_vlan_write(ret_frame + 12, 100);
  asz_be16_store(ret_frame + 12 + tag, ASZ_ETHERTYPE_IPV6);
  asz_wire_ipv6_write(ip, theirs, ours, ASZ_PROTOCOL_TCP, 60, 36);
  memcpy(ip + ASZ_IPV6_BYTES, golden + TCP_AT, 36);
  asz_wire_tcp_finish(ip);
  return ASZ_ETH_BYTES + tag + ASZ_IPV6_BYTES + 36;
}

Test(tcp, over_ipv6_every_flipped_bit_is_noticed_and_every_truncation_is_malformed)
{
  uint8_t frame[ASZ_TCP_RESET_BYTES_MAX + 16];
  size_t size = golden_over_ipv6(frame, 0);
  cr_assert(eq(int, parse(frame, size).kind, ASZ_FRAME_TCP));
  for (size_t less = 0; less < size; less++)
    cr_assert(eq(int, parse(frame, less).kind, ASZ_FRAME_MALFORMED), "%zu bytes", less);
  for (size_t bit = 8 * (ASZ_ETH_BYTES + ASZ_IPV6_SRC); bit < 8 * size; bit++) {
    frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    enum asz_frame_kind kind = parse(frame, size).kind;
    cr_assert(kind == ASZ_FRAME_BAD_CHECKSUM || kind == ASZ_FRAME_MALFORMED, "bit %zu: %d", bit, kind);
    frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
}

Test(tcp, reset_over_ipv6_turns_the_addresses_and_keeps_the_tag)
{
  for (size_t tag = 0; tag <= ASZ_VLAN_BYTES; tag += ASZ_VLAN_BYTES) {
    uint8_t offer[ASZ_TCP_RESET_BYTES_MAX + 16], reset[ASZ_TCP_RESET_BYTES_MAX];
    struct asz_frame frame = parse(offer, golden_over_ipv6(offer, tag));
    uint16_t size = asz_tcp_reset_write(reset, offer, &frame);
    struct asz_frame parsed = parse(reset, size);
    cr_assert(eq(int, parsed.kind, ASZ_FRAME_TCP));
    cr_assert(eq(u16, size, 14 + tag + 40 + 20));
    cr_assert(eq(u16, parsed.vlan, tag ? 100 : 0));
    cr_assert(eq(u8, parsed.tcp_flags, ASZ_TCP_RST));
    cr_assert(eq(int, memcmp(asz_frame_src_ipv6(&parsed, reset), asz_frame_dst_ipv6(&frame, offer), 16), 0));
    cr_assert(eq(int, memcmp(asz_frame_dst_ipv6(&parsed, reset), asz_frame_src_ipv6(&frame, offer), 16), 0));
    cr_assert(eq(u16, parsed.dst_port, 443));
    cr_assert(eq(u32, asz_be32_load(reset + parsed.l4_offset + ASZ_TCP_SEQ), 0x0a0b0c0d));
    cr_assert(eq(int, memcmp(reset, offer + 6, 6), 0));
  }
}
