/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/tcp.h"
#include "dataplane/emulator/reply.h"

enum { ME = 0x0a3f0001, PROVIDER = 0x0a400005, MY_PORT = 50123, FRAME_MAX = 1600, EPOCH = 9, INDEX = 5 };
static const uint8_t my_mac[6] = {2, 1, 1, 1, 1, 1}, gateway_mac[6] = {2, 9, 9, 9, 9, 9};
static const uint8_t validator_id[8] = "validat";
static struct asz_session sessions[8];

static void make_sessions(void) {
  for (size_t i = 0; i < sizeof sessions; i++)
    ((uint8_t *)sessions)[i] = (uint8_t)(i * 7 + 1);
}

struct request {
  uint8_t bytes[FRAME_MAX];
  size_t size;
  struct asz_frame frame;
};

/* A frame around a payload that is already at bytes + l4 + 8; `tag` bytes of 802.1Q in front of IPv4. */
static void finish(struct request *r, uint8_t protocol, uint16_t payload_bytes, size_t tag) {
  uint8_t *ip = r->bytes + ASZ_ETH_BYTES + tag;
  asz_wire_eth_write(r->bytes, gateway_mac, my_mac, ASZ_ETHERTYPE_IPV4);
  if (tag) {
    asz_be16_store(r->bytes + 12, 0x8100);
    asz_be16_store(r->bytes + 14, 77);
    asz_be16_store(r->bytes + 16, ASZ_ETHERTYPE_IPV4);
  }
  asz_wire_ipv4_write(ip, ME, PROVIDER, protocol, 61, (uint16_t)(ASZ_UDP_BYTES + payload_bytes));
  if (protocol == ASZ_PROTOCOL_UDP)
    asz_wire_udp_finish(ip);
  else
    asz_wire_icmp_finish(ip + ASZ_IPV4_BYTES, (size_t)ASZ_ICMP_BYTES + payload_bytes);
  r->size = ASZ_ETH_BYTES + tag + ASZ_IPV4_BYTES + ASZ_UDP_BYTES + payload_bytes;
  if (r->size < ASZ_ETH_MIN_BYTES)
    r->size = ASZ_ETH_MIN_BYTES;
  asz_wire_parse(&r->frame, r->bytes, r->size, ASZ_WIRE_CHECK_ALL);
}

static struct request stamp_request(bool tlv, size_t tag) {
  struct request r = {0};
  uint8_t *udp = r.bytes + ASZ_ETH_BYTES + tag + ASZ_IPV4_BYTES;
  uint8_t *payload = udp + ASZ_UDP_BYTES;
  uint16_t size = tlv ? ASZ_STAMP_TLV_BYTES : ASZ_STAMP_BYTES;
  asz_stamp_request_write(payload, 41, 0x1122334455667788u, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0xbeef);
  if (tlv)
    asz_tlv_request_write(payload, EPOCH, INDEX, validator_id, 0xcafe, sessions[INDEX].request_key);
  asz_wire_udp_write(udp, MY_PORT, ASZ_STAMP_PORT, size);
  finish(&r, ASZ_PROTOCOL_UDP, size, tag);
  return r;
}

static struct request echo_request(uint16_t payload_bytes) {
  struct request r = {0};
  uint8_t *icmp = r.bytes + ASZ_ETH_BYTES + ASZ_IPV4_BYTES;
  icmp[0] = ASZ_ICMP_ECHO_REQUEST;
  for (uint16_t i = 4; i < ASZ_ICMP_BYTES + payload_bytes; i++)
    icmp[i] = (uint8_t)(i * 3);
  finish(&r, ASZ_PROTOCOL_ICMP, payload_bytes, 0);
  return r;
}

/* Builds, checks what holds of every reply, and returns it parsed. */
static struct request reply_to(const struct request *r, const struct asz_reply_spec *spec) {
  struct request reply;
  memset(&reply, 0xee, sizeof reply);
  reply.size = asz_reply_size(&r->frame);
  cr_assert(eq(sz, reply.size, r->size), "never an amplifier");
  cr_assert(eq(int, asz_reply_build(reply.bytes, r->bytes, &r->frame, spec), 0));
  cr_assert(eq(u8, reply.bytes[reply.size], 0xee), "wrote beyond its size");
  asz_wire_parse(&reply.frame, reply.bytes, reply.size, ASZ_WIRE_CHECK_ALL);
  cr_assert(eq(int, reply.frame.kind, r->frame.kind), "checksums or lengths are wrong");
  cr_assert(eq(u32, reply.frame.src_ipv4, spec->source ? spec->source : PROVIDER));
  cr_assert(eq(u32, reply.frame.dst_ipv4, ME));
  cr_assert(eq(int, memcmp(reply.bytes + ASZ_ETH_DST, my_mac, 6), 0));
  cr_assert(eq(int, memcmp(reply.bytes + ASZ_ETH_SRC, gateway_mac, 6), 0));
  return reply;
}

static const uint8_t *payload_of(const struct request *r) {
  return r->bytes + r->frame.payload_offset;
}

static const struct asz_reply_spec honest = {.t2_ntp64 = 0xaaaa0000bbbb0000u, .t3_ntp64 = 0xaaaa0000cccc0000u};

Test(reply, classifies_by_protocol_and_port)
{
  struct asz_frame frame = {.kind = ASZ_FRAME_UDP, .dst_port = ASZ_STAMP_PORT};
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_STAMP));
  frame.dst_port = ASZ_CHALLENGE_PORT;
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_CHALLENGE));
  frame.dst_port = 53;
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_STRAY));
  frame = (struct asz_frame){.kind = ASZ_FRAME_ICMP, .icmp_type = ASZ_ICMP_ECHO_REQUEST};
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_ECHO));
  frame.icmp_code = 1;
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_STRAY));
  frame = (struct asz_frame){.kind = ASZ_FRAME_ICMP, .icmp_type = ASZ_ICMP_ECHO_REPLY};
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_STRAY));
  frame = (struct asz_frame){.kind = ASZ_FRAME_TCP, .tcp_flags = ASZ_TCP_SYN};
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_SYN));
  frame.tcp_flags = ASZ_TCP_RST;
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_RESET));
  frame.tcp_flags = ASZ_TCP_SYN | ASZ_TCP_ACKS;
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_STRAY));
  const enum asz_frame_kind strays[] = {ASZ_FRAME_MALFORMED, ASZ_FRAME_OTHER, ASZ_FRAME_FRAGMENT, ASZ_FRAME_BAD_CHECKSUM};
  for (size_t i = 0; i < 4; i++) {
    frame = (struct asz_frame){.kind = strays[i], .dst_port = ASZ_STAMP_PORT, .icmp_type = ASZ_ICMP_ECHO_REQUEST};
    cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_STRAY));
  }
  frame.kind = ASZ_FRAME_ARP;
  cr_expect(eq(int, asz_request_classify(&frame), ASZ_REQUEST_ARP));
}

static struct request syn_request(void) {
  struct request r = {0};
  uint8_t *ip = r.bytes + ASZ_ETH_BYTES, *tcp = ip + ASZ_IPV4_BYTES;
  asz_wire_eth_write(r.bytes, gateway_mac, my_mac, ASZ_ETHERTYPE_IPV4);
  asz_tcp_open_write(tcp, ASZ_TCP_SYN, 1000, 1220);
  asz_be16_store(tcp + ASZ_TCP_SRC, MY_PORT);
  asz_be16_store(tcp + ASZ_TCP_DST, 443);
  asz_be32_store(tcp + ASZ_TCP_SEQ, 0xfffffffe);
  asz_be32_store(tcp + ASZ_TCP_OPEN_TIME, 0xcafe);
  asz_wire_ipv4_write(ip, ME, PROVIDER, ASZ_PROTOCOL_TCP, 61, ASZ_TCP_OPEN_BYTES);
  asz_wire_tcp_finish(ip);
  r.size = ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_TCP_OPEN_BYTES;
  asz_wire_parse(&r.frame, r.bytes, r.size, ASZ_WIRE_CHECK_ALL);
  return r;
}

Test(reply, a_syn_is_accepted_with_or_without_timestamps_or_refused)
{
  struct request r = syn_request();
  cr_assert(eq(int, asz_request_classify(&r.frame), ASZ_REQUEST_SYN));
  for (enum asz_syn_answer syn = 0; syn <= ASZ_SYN_REFUSE; syn++) {
    struct asz_reply_spec spec = honest;
    spec.syn = syn;
    struct request reply = reply_to(&r, &spec);
    const uint8_t *tcp = reply.bytes + reply.frame.l4_offset;
    struct asz_tcp_options options;
    cr_assert(eq(u8, reply.frame.tcp_flags, (syn == ASZ_SYN_REFUSE ? ASZ_TCP_RST : ASZ_TCP_SYN) | ASZ_TCP_ACKS));
    cr_assert(eq(u16, reply.frame.src_port, 443));
    cr_assert(eq(u16, reply.frame.dst_port, MY_PORT));
    cr_assert(eq(u16, reply.frame.payload_bytes, 0));
    cr_assert(eq(u32, asz_be32_load(tcp + ASZ_TCP_ACK), 0xffffffff));
    cr_assert(eq(int, asz_tcp_options_read(&options, tcp, (size_t)(reply.frame.payload_offset - reply.frame.l4_offset)), 0));
    cr_assert(eq(int, options.has_times, syn == ASZ_SYN_ACCEPT));
    cr_assert(eq(u32, options.echo, syn == ASZ_SYN_ACCEPT ? 0xcafe : 0));
    spec.made_up = 0xf00d00000000;
    reply = reply_to(&r, &spec);
    cr_assert(ne(u32, asz_be32_load(reply.bytes + reply.frame.l4_offset + ASZ_TCP_ACK), 0xffffffff), "made up");
  }
}

Test(reply, a_syn_without_room_for_our_options_is_refused)
{
  struct request r = syn_request();
  uint8_t reply[FRAME_MAX];
  r.bytes[r.frame.l4_offset + ASZ_TCP_OFFSET] = 5 << 4;
  asz_wire_tcp_finish(r.bytes + ASZ_ETH_BYTES);
  asz_wire_parse(&r.frame, r.bytes, r.size, ASZ_WIRE_CHECK_ALL);
  cr_assert(eq(int, asz_request_classify(&r.frame), ASZ_REQUEST_SYN));
  cr_assert(eq(int, asz_reply_build(reply, r.bytes, &r.frame, &honest), ASZ_EFORMAT));
}

Test(reply, a_stamp_payload_that_is_too_short_is_refused)
{
  struct request r = {0};
  uint8_t reply[FRAME_MAX];
  for (uint16_t size = 0; size < ASZ_STAMP_BYTES; size++) {
    asz_wire_udp_write(r.bytes + ASZ_ETH_BYTES + ASZ_IPV4_BYTES, MY_PORT, ASZ_STAMP_PORT, size);
    finish(&r, ASZ_PROTOCOL_UDP, size, 0);
    cr_assert(eq(int, asz_request_classify(&r.frame), ASZ_REQUEST_STAMP));
    cr_assert(eq(int, asz_reply_build(reply, r.bytes, &r.frame, &honest), ASZ_EFORMAT), "size %u", size);
  }
}

Test(reply, stamp_repeats_what_the_prober_needs_and_adds_the_reflectors_times)
{
  struct request r = stamp_request(false, 0);
  struct request reply = reply_to(&r, &honest);
  const uint8_t *p = payload_of(&reply);
  cr_expect(eq(u16, reply.frame.src_port, ASZ_STAMP_PORT));
  cr_expect(eq(u16, reply.frame.dst_port, MY_PORT));
  cr_expect(eq(u32, asz_be32_load(p + ASZ_STAMP_SENDER_SEQ), 41));
  cr_expect(eq(u64, asz_be64_load(p + ASZ_STAMP_SENDER_TIME), 0x1122334455667788u));
  cr_expect(eq(u16, asz_be16_load(p + ASZ_STAMP_SSID), 0xbeef));
  cr_expect(eq(u64, asz_be64_load(p + ASZ_STAMP_RX_TIME), honest.t2_ntp64));
  cr_expect(eq(u64, asz_be64_load(p + ASZ_STAMP_TIME), honest.t3_ntp64));
  cr_expect(eq(u8, p[ASZ_STAMP_SENDER_TTL], 61));
}

Test(reply, a_vlan_tag_is_kept)
{
  struct request r = stamp_request(false, 4);
  struct request reply = reply_to(&r, &honest);
  cr_expect(eq(u16, asz_be16_load(reply.bytes + 12), 0x8100));
  cr_expect(eq(u16, asz_be16_load(reply.bytes + 14), 77));
}

Test(reply, options_of_the_request_are_not_repeated)
{
  struct request r = stamp_request(false, 0);
  uint8_t *ip = r.bytes + ASZ_ETH_BYTES;
  memmove(ip + 24, ip + 20, r.size - ASZ_ETH_BYTES - ASZ_IPV4_BYTES);
  memset(ip + 20, 1, 4); /* four no-operation options */
  ip[0] = 0x46;
  asz_be16_store(ip + ASZ_IPV4_TOTAL_LENGTH, asz_be16_load(ip + ASZ_IPV4_TOTAL_LENGTH) + 4);
  memset(ip + ASZ_IPV4_CHECKSUM, 0, 2);
  asz_be16_store(ip + ASZ_IPV4_CHECKSUM, asz_wire_fold(asz_wire_sum(0, ip, 24)));
  r.size += 4;
  asz_wire_parse(&r.frame, r.bytes, r.size, ASZ_WIRE_CHECK_ALL);
  cr_assert(eq(int, r.frame.kind, ASZ_FRAME_UDP));
  uint8_t reply[FRAME_MAX];
  cr_expect(eq(sz, asz_reply_size(&r.frame), r.size - 4));
  cr_assert(eq(int, asz_reply_build(reply, r.bytes, &r.frame, &honest), 0));
  struct asz_frame frame;
  asz_wire_parse(&frame, reply, r.size - 4, ASZ_WIRE_CHECK_ALL);
  cr_expect(eq(int, frame.kind, ASZ_FRAME_UDP));
  cr_expect(eq(u16, frame.payload_bytes, ASZ_STAMP_BYTES));
}

Test(reply, echo_returns_every_byte_and_pads_short_frames_with_zeros)
{
  for (uint16_t payload = 0; payload < 100; payload++) {
    struct request r = echo_request(payload);
    struct request reply = reply_to(&r, &honest);
    cr_assert(eq(u8, reply.frame.icmp_type, ASZ_ICMP_ECHO_REPLY));
    size_t compared = (size_t)payload + 4; /* identifier, sequence and payload */
    cr_assert(eq(int, memcmp(reply.bytes + reply.frame.l4_offset + 4, r.bytes + r.frame.l4_offset + 4, compared), 0));
    for (size_t i = (size_t)reply.frame.payload_offset + payload; i < reply.size; i++)
      cr_assert(eq(u8, reply.bytes[i], 0));
  }
}

Test(reply, a_made_up_stamp_differs_in_everything_that_proves_the_request_was_seen, .init = make_sessions)
{
  for (int tlv = 0; tlv < 2; tlv++) {
    struct request r = stamp_request(tlv, 0);
    struct asz_reply_spec spec = honest;
    spec.auth.session = tlv ? &sessions[INDEX] : NULL;
    spec.made_up = 0x123456789abcdef1u;
    struct request reply = reply_to(&r, &spec);
    const uint8_t *p = payload_of(&reply);
    cr_expect(ne(u32, asz_be32_load(p + ASZ_STAMP_SENDER_SEQ), 41));
    cr_expect(ne(u64, asz_be64_load(p + ASZ_STAMP_SENDER_TIME), 0x1122334455667788u));
    cr_expect(ne(u16, asz_be16_load(p + ASZ_STAMP_SSID), 0xbeef));
    if (tlv) {
      cr_expect(ne(u64, asz_be64_load(p + ASZ_TLV_AT_NONCE), 0xcafe));
      cr_expect(eq(int, asz_mac_check(p + ASZ_TLV_AT_MAC, sessions[INDEX].reply_key, p, ASZ_TLV_AT_MAC), 1),
                "a cheat holds its own key: the MAC must not be what gives it away");
    }
  }
}

Test(reply, comes_from_another_address_where_it_is_told_to, .init = make_sessions)
{
  struct asz_reply_spec spec = honest;
  spec.source = 0x0a400001;
  struct request stamp = stamp_request(false, 4), echo = echo_request(24), syn = syn_request();
  reply_to(&stamp, &spec);
  reply_to(&echo, &spec);
  reply_to(&syn, &spec);
}

Test(reply, a_guess_is_a_round_further_and_later_with_the_old_proof, .init = make_sessions)
{
  for (int tlv = 0; tlv < 2; tlv++) {
    struct request r = stamp_request(tlv, 0);
    struct asz_reply_spec spec = honest;
    spec.auth.session = tlv ? &sessions[INDEX] : NULL;
    asz_reply_guess(r.bytes, &r.frame, 0x100000000);
    struct request reply = reply_to(&r, &spec);
    const uint8_t *p = payload_of(&reply);
    cr_expect(eq(u32, asz_be32_load(p + ASZ_STAMP_SENDER_SEQ), 42));
    cr_expect(eq(u64, asz_be64_load(p + ASZ_STAMP_SENDER_TIME), 0x1122334555667788u));
    cr_expect(eq(u16, asz_be16_load(p + ASZ_STAMP_SSID), 0xbeef));
    if (tlv) {
      cr_expect(eq(u64, asz_be64_load(p + ASZ_TLV_AT_NONCE), 0xcafe));
      cr_expect(asz_mac_check(p + ASZ_TLV_AT_MAC, sessions[INDEX].reply_key, p, ASZ_TLV_AT_MAC), "its own key it has");
    }
  }
  struct request echo = echo_request(24), before = echo;
  asz_reply_guess(echo.bytes, &echo.frame, 3);
  const uint8_t *now = payload_of(&echo), *then = payload_of(&before);
  cr_expect(eq(u64, asz_be64_load(now), asz_be64_load(then) + 3));
  cr_expect(eq(u32, asz_be32_load(now + 8), asz_be32_load(then + 8)));
  cr_expect(eq(u32, asz_be32_load(now + 12), asz_be32_load(then + 12) + 1));
  cr_expect(eq(u64, asz_be64_load(now + 16), asz_be64_load(then + 16)));
  struct request syn = syn_request();
  asz_reply_guess(syn.bytes, &syn.frame, 5 << 12);
  cr_expect(eq(u32, asz_be32_load(syn.bytes + syn.frame.l4_offset + ASZ_TCP_SEQ), 0xfffffffe + (5 << 10) + 16));
}

Test(reply, a_guess_at_what_is_too_short_changes_nothing_beyond_it)
{
  for (uint16_t payload = 0; payload < 24; payload++) {
    struct request echo = echo_request(payload), before = echo;
    asz_reply_guess(echo.bytes, &echo.frame, 3);
    cr_assert(eq(int, memcmp(echo.bytes, before.bytes, sizeof echo.bytes), 0));
  }
}

Test(reply, a_made_up_echo_keeps_its_form_and_nothing_of_the_request)
{
  struct request r = echo_request(40);
  struct asz_reply_spec spec = {.made_up = 77};
  struct request reply = reply_to(&r, &spec);
  cr_expect(eq(u8, reply.frame.icmp_type, ASZ_ICMP_ECHO_REPLY));
  cr_expect(ne(int, memcmp(payload_of(&reply), payload_of(&r), 40), 0));
  cr_expect(ne(int, memcmp(reply.bytes + reply.frame.l4_offset + 4, r.bytes + r.frame.l4_offset + 4, 4), 0));
}

Test(reply, a_session_seals_the_reply_and_a_spoiled_mac_does_not_verify, .init = make_sessions)
{
  struct request r = stamp_request(true, 0);
  struct asz_reply_spec spec = honest;
  spec.auth.session = &sessions[INDEX];
  struct request reply = reply_to(&r, &spec);
  const uint8_t *p = payload_of(&reply);
  cr_expect(eq(u8, p[ASZ_TLV_AT_ROLE], ASZ_TLV_ROLE_REPLY));
  cr_expect(eq(int, asz_mac_check(p + ASZ_TLV_AT_MAC, sessions[INDEX].reply_key, p, ASZ_TLV_AT_MAC), 1));
  spec.spoil_mac = true;
  reply = reply_to(&r, &spec);
  p = payload_of(&reply);
  cr_expect(eq(int, asz_mac_check(p + ASZ_TLV_AT_MAC, sessions[INDEX].reply_key, p, ASZ_TLV_AT_MAC), 0));
}

Test(reply, spoiling_a_mac_where_there_is_none_changes_nothing)
{
  struct request r = stamp_request(false, 0);
  struct asz_reply_spec spec = honest;
  struct request good = reply_to(&r, &spec);
  spec.spoil_mac = true;
  struct request spoiled = reply_to(&r, &spec);
  cr_expect(eq(int, memcmp(good.bytes, spoiled.bytes, good.size), 0));
}

static int authorise(const struct asz_reply_keys *keys, uint32_t provider, const struct request *r,
                     const struct asz_session **ret_session) {
  struct asz_reply_auth auth = {.session = *ret_session};
  int answered = asz_reply_authorise(keys, provider, payload_of(r), r->frame.payload_bytes, &auth);
  *ret_session = auth.session;
  return answered;
}

Test(reply, without_keys_a_tlv_probe_is_answered_as_by_a_plain_reflector, .init = make_sessions)
{
  struct request r = stamp_request(true, 0);
  const struct asz_session *session = sessions;
  struct asz_reply_keys keys = {0};
  cr_expect(eq(int, authorise(&keys, INDEX, &r, &session), 1));
  cr_expect(zero(ptr, (void *)session));
  keys = (struct asz_reply_keys){.count = 1, .epoch = {EPOCH}};
  session = sessions;
  cr_expect(eq(int, authorise(&keys, INDEX, &r, &session), 1));
  cr_expect(zero(ptr, (void *)session));
}

Test(reply, a_bad_request_mac_another_epoch_or_another_provider_is_refused, .init = make_sessions)
{
  const struct asz_session *session = NULL;
  struct asz_reply_keys keys = {.count = 1, .epoch = {EPOCH}, .session = {sessions}};
  for (int bit = 0; bit < ASZ_STAMP_TLV_BYTES * 8; bit++) {
    struct request r = stamp_request(true, 0);
    uint8_t *payload = r.bytes + r.frame.payload_offset;
    payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (!asz_tlv_find(payload, r.frame.payload_bytes))
      continue; /* no longer our TLV: a plain probe */
    cr_assert(eq(int, authorise(&keys, INDEX, &r, &session), 0), "bit %d", bit);
  }
  struct request r = stamp_request(true, 0);
  cr_expect(eq(int, authorise(&keys, INDEX + 1, &r, &session), 0));
  keys.epoch[0] = EPOCH + 1;
  cr_expect(eq(int, authorise(&keys, INDEX, &r, &session), 0));
  cr_expect(zero(ptr, (void *)session), "outputs are untouched on failure");
}

Test(reply, the_epoch_before_is_still_answered, .init = make_sessions)
{
  const struct asz_session *session = NULL;
  static struct asz_session newer[8];
  struct asz_reply_keys keys = {.count = 2, .epoch = {EPOCH + 1, EPOCH}, .session = {newer, sessions}};
  struct request r = stamp_request(true, 0);
  cr_expect(eq(int, authorise(&keys, INDEX, &r, &session), 1));
  cr_expect(eq(ptr, (void *)session, (void *)&sessions[INDEX]));
}

Test(reply, a_plain_probe_needs_no_key, .init = make_sessions)
{
  const struct asz_session *session = sessions;
  struct asz_reply_keys keys = {.count = 1, .epoch = {EPOCH}, .session = {sessions}};
  struct request r = stamp_request(false, 0);
  cr_expect(eq(int, authorise(&keys, INDEX, &r, &session), 1));
  cr_expect(zero(ptr, (void *)session));
}

/* ---- authenticated mode ---- */

static struct asz_hmac_key hmac[8];
static struct asz_hmac_lanes *lanes;

static void make_hmac(void) {
  cr_assert(eq(int, asz_hmac_lanes_new(&lanes), 0));
  for (uint32_t i = 0; i < 8; i++)
    asz_hmac_key_set(&hmac[i], &i, sizeof i);
}

static void free_hmac(void) {
  asz_hmac_lanes_free(lanes);
}

static struct request auth_request(void) {
  struct request r = {0};
  uint8_t *udp = r.bytes + ASZ_ETH_BYTES + ASZ_IPV4_BYTES, *payload = udp + ASZ_UDP_BYTES;
  asz_stamp_auth_request_write(payload, 41, 0x1122334455667788u, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0xbeef);
  asz_stamp_auth_seal(lanes, &hmac[INDEX], payload);
  asz_wire_udp_write(udp, MY_PORT, ASZ_STAMP_PORT, ASZ_STAMP_AUTH_BYTES);
  finish(&r, ASZ_PROTOCOL_UDP, ASZ_STAMP_AUTH_BYTES, 0);
  return r;
}

Test(reply, authenticated_probe_is_refused_without_keys_with_anothers_and_with_any_bit_flipped, .init = make_hmac,
     .fini = free_hmac)
{
  struct asz_reply_auth auth = {0};
  struct asz_reply_keys keys = {.count = 1, .epoch = {EPOCH}};
  struct request r = auth_request();
  uint8_t *payload = r.bytes + r.frame.payload_offset;
  cr_assert(eq(int, asz_reply_authorise(&keys, INDEX, payload, ASZ_STAMP_AUTH_BYTES, &auth), 0), "nobody speaks it");
  keys.hmac = hmac;
  keys.lanes = lanes;
  cr_assert(eq(int, asz_reply_authorise(&keys, INDEX + 1, payload, ASZ_STAMP_AUTH_BYTES, &auth), 0));
  for (unsigned bit = 0; bit < 8 * ASZ_STAMP_AUTH_BYTES; bit++) {
    payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (asz_stamp_auth_find(payload, ASZ_STAMP_AUTH_BYTES))
      cr_assert(eq(int, asz_reply_authorise(&keys, INDEX, payload, ASZ_STAMP_AUTH_BYTES, &auth), 0), "bit %u", bit);
    payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  cr_assert(zero(ptr, (void *)auth.hmac), "outputs are untouched on failure");
  cr_assert(eq(int, asz_reply_authorise(&keys, INDEX, payload, ASZ_STAMP_AUTH_BYTES, &auth), 1));
  cr_assert(eq(ptr, (void *)auth.hmac, (void *)&hmac[INDEX]));
}

Test(reply, authenticated_reply_verifies_made_up_or_not_but_spoiled, .init = make_hmac, .fini = free_hmac)
{
  struct request r = auth_request();
  struct asz_reply_spec spec = honest;
  spec.auth = (struct asz_reply_auth){.hmac = &hmac[INDEX], .lanes = lanes};
  struct request reply = reply_to(&r, &spec);
  cr_expect(eq(u32, asz_be32_load(payload_of(&reply) + ASZ_STAMP_AUTH_SENDER_SEQ), 41));
  cr_expect(asz_stamp_auth_verify(lanes, &hmac[INDEX], payload_of(&reply)));
  spec.made_up = 0x123456789abcdef1u;
  struct request made_up = reply_to(&r, &spec);
  const uint8_t *p = payload_of(&made_up);
  cr_expect(ne(u32, asz_be32_load(p + ASZ_STAMP_AUTH_SENDER_SEQ), 41));
  cr_expect(ne(u64, asz_be64_load(p + ASZ_STAMP_AUTH_SENDER_TIME), 0x1122334455667788u));
  cr_expect(ne(u16, asz_be16_load(p + ASZ_STAMP_AUTH_SSID), 0xbeef));
  cr_expect(asz_stamp_auth_verify(lanes, &hmac[INDEX], p), "a cheat holds its own key");
  spec.made_up = 0;
  spec.spoil_mac = true;
  struct request spoiled = reply_to(&r, &spec);
  cr_expect(not(asz_stamp_auth_verify(lanes, &hmac[INDEX], payload_of(&spoiled))));
}
