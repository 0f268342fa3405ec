/* SPDX-License-Identifier: Apache-2.0 */
/* Frames against the responder on a DPDK port, with the rules that it runs by, over both families. Input: byte 0 chooses (bit 0:
 * make the IPv4 and layer 4 checksums right, bit 1: put the right MAC on our TLV, the right HMAC on authenticated mode), the rest
 * is the frame.
 *
 * What must hold: every frame ends in exactly one counter; a reply is never longer than its frame, goes to who asked, under the
 * tag that came, and parses with right checksums; what is passed on as a challenge fits, and so does its answer's frame; a
 * neighbour advertisement is made for our addresses alone. */
#include <string.h>

#include "control/responder/port_rules.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/ipv6.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/reflect.h"
#include "tests/fuzz/fuzz.h"

enum { CHECKSUMS = 1, SEAL = 2, ROOM = 2048, LOCAL = 0x0a4d0007, EPOCH = 100 };

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 0xaa};
/* 2001:db8::/120, of which ::7 is ours; fe80::1 */
static const uint8_t our_ipv6[16] = {0x20, 1, 0xd, 0xb8, [15] = 7}, gateway_ipv6[16] = {0xfe, 0x80, [15] = 1};
static struct asz_identity provider, validator;
static struct asz_limiter *limiter;
static struct asz_session session;
static struct asz_hmac_lanes *lanes;
static struct asz_hmac_key hmac;

/* Once: what no input can change, and a limiter that never limits. */
static void prepare(void) {
  const uint8_t provider_seed[32] = {1}, validator_seed[32] = {2}, hash_key[16] = {3};
  const struct asz_rate rate = asz_rate_make(ASZ_RATE_PPS_MAX, UINT32_MAX);
  uint8_t shared[32];
  asz_identity_from_seed(&provider, provider_seed);
  asz_identity_from_seed(&validator, validator_seed);
  FUZZ_CHECK(asz_session_shared(shared, &validator, provider.public_key) == 0);
  asz_session_derive(&session, shared, EPOCH, validator.public_key, provider.public_key);
  asz_session_hmac_key(&hmac, shared, validator.public_key, provider.public_key);
  FUZZ_CHECK(asz_hmac_lanes_new(&lanes) == 0);
  FUZZ_CHECK(asz_limiter_new(&limiter, &rate, hash_key) == 0);
}

static void seal(uint8_t *payload, size_t size_bytes) {
  if (asz_stamp_auth_find(payload, size_bytes)) {
    asz_stamp_auth_seal(lanes, &hmac, payload);
    return;
  }
  if (size_bytes < ASZ_STAMP_TLV_BYTES)
    return;
  asz_be32_store(payload + ASZ_TLV_AT_EPOCH, EPOCH);
  asz_identity_short(payload + ASZ_TLV_AT_VALIDATOR, validator.public_key);
  asz_mac_make(payload + ASZ_TLV_AT_MAC, session.request_key, payload, ASZ_TLV_AT_MAC);
}

/* Gets the fuzzer behind the checks that it could never pass by itself. */
static void help(uint8_t *frame, size_t size_bytes, uint8_t choice) {
  struct asz_frame parsed;
  asz_wire_parse(&parsed, frame, size_bytes, 0);
  if (parsed.kind != ASZ_FRAME_UDP && parsed.kind != ASZ_FRAME_ICMP)
    return;
  uint8_t *ip = frame + parsed.l3_offset;
  if ((choice & SEAL) && parsed.kind == ASZ_FRAME_UDP)
    seal(frame + parsed.payload_offset, parsed.payload_bytes);
  const bool ipv6 = parsed.family == ASZ_FAMILY_IPV6;
  if (!(choice & CHECKSUMS) || (!ipv6 && parsed.l4_offset - parsed.l3_offset != ASZ_IPV4_BYTES))
    return;
  if (ipv6 && parsed.kind == ASZ_FRAME_ICMP)
    asz_wire_icmpv6_finish(ip);
  else if (ipv6)
    asz_wire_udp_finish(ip);
  if (ipv6)
    return;
  asz_be16_store(ip + ASZ_IPV4_CHECKSUM, 0);
  asz_be16_store(ip + ASZ_IPV4_CHECKSUM, asz_wire_fold(asz_wire_sum(0, ip, ASZ_IPV4_BYTES)));
  if (parsed.kind == ASZ_FRAME_UDP)
    asz_wire_udp_finish(ip);
  else
    asz_wire_icmp_finish(frame + parsed.l4_offset, (size_t)ASZ_ICMP_BYTES + parsed.payload_bytes);
}

static void check_tag(const uint8_t *reply, const struct asz_frame *parsed, const uint8_t *frame) {
  FUZZ_CHECK(memcmp(reply + ASZ_ETH_TYPE, frame + ASZ_ETH_TYPE, parsed->l3_offset - ASZ_ETH_TYPE) == 0);
}

static void check_ends(const struct asz_frame *parsed, const uint8_t *reply, const uint8_t *frame) {
  const uint8_t *asked = frame + parsed->l3_offset;
  if (parsed->family == ASZ_FAMILY_IPV6) {
    const uint8_t *src = asz_frame_src_ipv6(parsed, reply);
    FUZZ_CHECK(asz_ipv6_in_prefix(src, our_ipv6, 120) && memcmp(src, asked + ASZ_IPV6_DST, 16) == 0);
    FUZZ_CHECK(memcmp(asz_frame_dst_ipv6(parsed, reply), asked + ASZ_IPV6_SRC, 16) == 0);
    return;
  }
  FUZZ_CHECK(parsed->src_ipv4 == LOCAL && parsed->dst_ipv4 == asz_be32_load(asked + ASZ_IPV4_SRC));
}

static void check_nd(const struct asz_reflect_nd *nd, const uint8_t *frame) {
  struct asz_frame parsed;
  FUZZ_CHECK(nd->size_bytes <= sizeof nd->bytes);
  asz_wire_parse(&parsed, nd->bytes, nd->size_bytes, ASZ_WIRE_CHECK_ALL);
  FUZZ_CHECK(parsed.kind == ASZ_FRAME_ICMP && parsed.icmp_type == ASZ_ICMPV6_NEIGHBOUR_ADVERTISEMENT && parsed.ttl == 255);
  FUZZ_CHECK(asz_ipv6_in_prefix(asz_frame_src_ipv6(&parsed, nd->bytes), our_ipv6, 120));
  FUZZ_CHECK(memcmp(nd->bytes + ASZ_ETH_SRC, our_mac, 6) == 0);
  check_tag(nd->bytes, &parsed, frame);
}

static void check_answer(const struct asz_reflect *reflect, const struct asz_reflector_datagram *datagram, const uint8_t *frame) {
  static uint8_t answer[ASZ_REFLECT_ANSWER_MAX];
  struct asz_frame parsed;
  asz_wire_parse(&parsed, answer, asz_reflect_answer(reflect, datagram, answer), ASZ_WIRE_CHECK_ALL);
  FUZZ_CHECK(parsed.kind == ASZ_FRAME_UDP && parsed.payload_bytes == datagram->size_bytes);
  check_tag(answer, &parsed, frame);
  check_ends(&parsed, answer, frame);
}

static void check_reply(const uint8_t *reply, uint32_t reply_bytes, const uint8_t *frame, size_t size_bytes) {
  FUZZ_CHECK(reply_bytes <= size_bytes);
  struct asz_frame parsed;
  asz_wire_parse(&parsed, reply, reply_bytes, ASZ_WIRE_CHECK_ALL);
  check_tag(reply, &parsed, frame);
  FUZZ_CHECK(memcmp(reply + ASZ_ETH_SRC, our_mac, 6) == 0);
  if (parsed.kind == ASZ_FRAME_ARP)
    return;
  FUZZ_CHECK(parsed.kind == ASZ_FRAME_UDP || parsed.kind == ASZ_FRAME_ICMP);
  FUZZ_CHECK(memcmp(reply + ASZ_ETH_DST, frame + ASZ_ETH_SRC, 6) == 0);
  check_ends(&parsed, reply, frame);
}

static void try_frame(uint8_t *bytes, size_t size_bytes, struct asz_authority *authority) {
  static struct asz_port_rules rules;
  static struct asz_reflect_burst burst;
  const struct asz_stamp_path path = {.authority = authority, .limiter = limiter, .lanes = lanes, .plain_allowed = true};
  asz_port_rules_init(&rules, &path);
  struct asz_reflect reflect;
  struct asz_reflector_config config = {.local_ipv4 = LOCAL,
                                        .prefix_bits = 32,
                                        .prefix6_bits = 120,
                                        .stamp_port = ASZ_STAMP_PORT,
                                        .challenge_port = ASZ_CHALLENGE_PORT,
                                        .rules = asz_port_rules_of(&rules)};
  memcpy(config.local_ipv6, our_ipv6, sizeof our_ipv6);
  memcpy(config.gateway_ipv6, gateway_ipv6, sizeof gateway_ipv6);
  asz_reflect_init(&reflect, our_mac, &config);
  uint8_t solicitation[ASZ_ND_FRAME_BYTES];
  FUZZ_CHECK(asz_reflect_poll(&reflect, 0, solicitation)); /* an advertisement may now count */
  uint8_t frame[ROOM];
  memcpy(frame, bytes, size_bytes);
  burst.count = 1;
  burst.bytes[0] = bytes;
  burst.size_bytes[0] = (uint32_t)size_bytes;
  asz_reflect_take(&reflect, &burst, 1);
  struct asz_reflector_datagram datagram;
  for (unsigned i = 0; i < burst.request_count; i++)
    if (burst.request[i].kind == ASZ_REFLECT_KIND_CHALLENGE) {
      asz_reflect_challenge(&burst, i, 1, &datagram);
      check_answer(&reflect, &datagram, frame);
    }
  for (unsigned i = 0; i < burst.nd_count; i++)
    check_nd(&burst.nd[i], frame);
  asz_reflect_finish(&reflect, &burst, 1000, 2000);
  uint64_t ends = 0;
  for (unsigned i = ASZ_REFLECT_ASKED_STAMP; i <= ASZ_REFLECT_DROPPED_LONG; i++)
    ends += reflect.counter[i];
  FUZZ_CHECK(ends == 1 && reflect.counter[ASZ_REFLECT_FRAMES] == 1);
  if (burst.size_bytes[0] > 0)
    check_reply(bytes, burst.size_bytes[0], frame, size_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  if (size_bytes == 0 || size_bytes > 1u + ROOM)
    return 0;
  if (!limiter)
    prepare();
  struct asz_authority *authority = NULL;
  uint8_t *frame = malloc(size_bytes); /* of its own size: a step past it is seen */
  FUZZ_CHECK(frame && asz_authority_new(&authority, &provider) == 0);
  FUZZ_CHECK(asz_authority_add(authority, validator.public_key, NULL) == 0);
  memcpy(frame, data + 1, size_bytes - 1);
  help(frame, size_bytes - 1, data[0]);
  try_frame(frame, size_bytes - 1, authority);
  asz_authority_free(authority);
  free(frame);
  return 0;
}
