/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, ARP bodies and addresses as text: whatever the input, what the parser says lies inside the frame, and skipping a
 * checksum never turns a frame into something less. */
#include <string.h>

#include "dataplane/base/ipv6.h"
#include "dataplane/base/tcp.h"
#include "dataplane/base/wire.h"
#include "tests/fuzz/fuzz.h"

static void check_frame(const uint8_t *data, size_t size_bytes, unsigned check, struct asz_frame *ret_frame) {
  memset(ret_frame, 0xa5, sizeof *ret_frame);
  asz_wire_parse(ret_frame, data, size_bytes, check);
  const struct asz_frame *f = ret_frame;
  switch (f->kind) {
  case ASZ_FRAME_UDP:
  case ASZ_FRAME_ICMP:
    FUZZ_CHECK(f->l3_offset >= ASZ_ETH_BYTES && f->vlan < 4096 && f->family < ASZ_FAMILY_COUNT);
    FUZZ_CHECK(f->family == ASZ_FAMILY_IPV6 ? f->l4_offset == f->l3_offset + ASZ_IPV6_BYTES
                                            : f->l4_offset >= f->l3_offset + ASZ_IPV4_BYTES);
    FUZZ_CHECK(f->payload_offset == f->l4_offset + 8);
    FUZZ_CHECK((size_t)f->payload_offset + f->payload_bytes <= size_bytes);
    break;
  case ASZ_FRAME_TCP:
    FUZZ_CHECK(f->l3_offset >= ASZ_ETH_BYTES && f->vlan < 4096 && f->family < ASZ_FAMILY_COUNT);
    FUZZ_CHECK(f->family == ASZ_FAMILY_IPV6 ? f->l4_offset == f->l3_offset + ASZ_IPV6_BYTES
                                            : f->l4_offset >= f->l3_offset + ASZ_IPV4_BYTES);
    FUZZ_CHECK(f->payload_offset >= f->l4_offset + ASZ_TCP_BYTES && f->payload_offset <= f->l4_offset + 60);
    FUZZ_CHECK((size_t)f->payload_offset + f->payload_bytes <= size_bytes);
    break;
  case ASZ_FRAME_ARP:
    FUZZ_CHECK((size_t)f->l3_offset + ASZ_ARP_BYTES <= size_bytes);
    break;
  case ASZ_FRAME_MALFORMED:
  case ASZ_FRAME_OTHER:
  case ASZ_FRAME_FRAGMENT:
  case ASZ_FRAME_BAD_CHECKSUM:
    break;
  default:
    FUZZ_CHECK(!"a kind outside the list");
  }
}

static void check_ipv4_text(const uint8_t *data, size_t size_bytes) {
  char text[64], again[16];
  size_t length = size_bytes < sizeof text - 1 ? size_bytes : sizeof text - 1;
  memcpy(text, data, length);
  text[length] = '\0';
  uint32_t ipv4 = 0;
  if (asz_ipv4_parse(&ipv4, text) == ASZ_OK) {
    asz_ipv4_format(again, ipv4);
    FUZZ_CHECK(strcmp(text, again) == 0); /* one address, one spelling */
  }
}

static void check_ipv6_text(const uint8_t *data, size_t size_bytes) {
  char text[64], canonical[ASZ_IPV6_TEXT_BYTES];
  uint8_t ipv6[16], again[16];
  size_t length = size_bytes < sizeof text - 1 ? size_bytes : sizeof text - 1;
  memcpy(text, data, length);
  text[length] = '\0';
  if (asz_ipv6_parse(ipv6, text) != 0)
    return;
  asz_ipv6_format(canonical, ipv6);
  FUZZ_CHECK(asz_ipv6_parse(again, canonical) == 0 && memcmp(ipv6, again, sizeof ipv6) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  struct asz_frame lenient, strict;
  check_frame(data, size_bytes, 0, &lenient);
  check_frame(data, size_bytes, ASZ_WIRE_CHECK_L3, &strict);
  check_frame(data, size_bytes, ASZ_WIRE_CHECK_L4, &strict);
  check_frame(data, size_bytes, ASZ_WIRE_CHECK_ALL, &strict);
  FUZZ_CHECK(lenient.kind != ASZ_FRAME_BAD_CHECKSUM);
  FUZZ_CHECK(strict.kind == ASZ_FRAME_BAD_CHECKSUM || strict.kind == lenient.kind);
  if (lenient.kind == ASZ_FRAME_ARP) {
    struct asz_arp arp;
    int result = asz_wire_arp_read(&arp, data + lenient.l3_offset, size_bytes - lenient.l3_offset);
    FUZZ_CHECK(result == ASZ_OK || result == ASZ_EFORMAT);
  }
  if (lenient.kind == ASZ_FRAME_TCP) {
    struct asz_tcp_options options;
    uint8_t reset[ASZ_TCP_RESET_BYTES_MAX];
    int result = asz_tcp_options_read(&options, data + lenient.l4_offset, (size_t)(lenient.payload_offset - lenient.l4_offset));
    FUZZ_CHECK(result == ASZ_OK || result == ASZ_EFORMAT);
    uint16_t size = asz_tcp_reset_write(reset, data, &lenient);
    check_frame(reset, size, ASZ_WIRE_CHECK_ALL, &strict);
    FUZZ_CHECK(strict.kind == ASZ_FRAME_TCP && strict.tcp_flags == ASZ_TCP_RST);
  }
  check_ipv4_text(data, size_bytes);
  check_ipv6_text(data, size_bytes);
  return 0;
}
