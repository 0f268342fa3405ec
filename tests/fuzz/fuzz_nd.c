/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour discovery with a question open: whatever arrives is ignored, answered with a frame that is right in every checksum,
 * or teaches a MAC that a host can have. The hop limit, code and checksum of the input are set right first, so that the fuzzer
 * gets past them; what they are worth when wrong is in tests/dataplane/test_nd.c. */
#include <string.h>

#include "dataplane/nd.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, no_mac[6];
static const uint8_t us[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, gateway[16] = {0xfe, 0x80, [13] = 0xaa, 0xbb, 0xcc};

static void make_right(uint8_t *bytes, const struct asz_frame *frame) {
  if (frame->kind != ASZ_FRAME_ICMP || frame->family != ASZ_FAMILY_IPV6)
    return;
  bytes[frame->l3_offset + ASZ_IPV6_HOP_LIMIT] = 255;
  bytes[frame->l4_offset + 1] = 0;
  asz_wire_icmpv6_finish(bytes + frame->l3_offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  uint8_t reply[ASZ_ND_FRAME_BYTES];
  struct asz_frame frame;
  struct asz_nd nd;
  if (size_bytes > ASZ_ETH_MAX_BYTES)
    return 0;
  asz_nd_init(&nd, our_mac, us, gateway, no_mac, 1000);
  FUZZ_CHECK(asz_nd_poll(&nd, 0, reply));
  uint8_t *bytes = malloc(size_bytes + 1);
  FUZZ_CHECK(bytes != NULL);
  if (size_bytes > 0)
    memcpy(bytes + 1, data, size_bytes); /* ends where the allocation does */
  asz_wire_parse(&frame, bytes + 1, size_bytes, 0);
  make_right(bytes + 1, &frame);
  asz_wire_parse(&frame, bytes + 1, size_bytes, 0);
  enum asz_neigh_heard heard = asz_nd_hear(&nd, 1, &frame, bytes + 1, reply);
  if (heard == ASZ_NEIGH_ANSWER) {
    asz_wire_parse(&frame, reply, sizeof reply, ASZ_WIRE_CHECK_ALL);
    FUZZ_CHECK(frame.kind == ASZ_FRAME_ICMP && frame.icmp_type == ASZ_ICMPV6_NEIGHBOUR_ADVERTISEMENT && frame.ttl == 255);
    FUZZ_CHECK(memcmp(asz_frame_src_ipv6(&frame, reply), us, 16) == 0 && !nd.resolve.known);
  } else if (heard == ASZ_NEIGH_LEARNED) {
    FUZZ_CHECK(nd.resolve.known && (nd.resolve.gateway_mac[0] & 1) == 0 && memcmp(nd.resolve.gateway_mac, no_mac, 6) != 0);
  } else {
    FUZZ_CHECK(heard == ASZ_NEIGH_IGNORED && !nd.resolve.known);
  }
  free(bytes);
  return 0;
}
