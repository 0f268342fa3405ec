/* SPDX-License-Identifier: Apache-2.0 */
/* Golden frames: one request of each kind, byte by byte. They were put together by an independent program from the RFCs' layouts
 * (791, 768, 792, 9293, 7323, 8762 sections 4.2.1 and 4.2.2, 2104, 8972 sections 3 and 4), the tables in docs/protocol.md and a
 * text-book SipHash, BLAKE2b and SHA-256; nothing of this tree took part. A change here is a change of the wire. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/identity.h"
#include "tests/dataplane/bed.h"

static const char *const golden[ASZ_PROBE_COUNT] = {
    [ASZ_PROBE_STAMP] = "0200000000bb0200000000aa08004500004800004000ff1167610a0000010a400003c4ac035e0034b6ace8c50005e800"
                        "0000999998e80801613c00000000000000000000000000000000000000000000000000000000",
    [ASZ_PROBE_STAMP_TLV] = "0200000000bb0200000000aa08004500007c00004000ff11672d0a0000010a400003c000035e00681b1a00000005e800"
                            "0000999998e8080100000000000000000000000000000000000000000000000000000000000080fc003000007ed90100"
                            "0000000000070000000276616c69646174726287c4ac613ce8c5dc1cfc0c8aaa46f030ca99c290b2b6f0",
    [ASZ_PROBE_ICMP_ECHO] = "0200000000bb0200000000aa08004500003400004000ff0167850a0000010a40000308006c3a00000005e80000009999"
                            "98e800000002000000056287c4ac613ce8c5",
    [ASZ_PROBE_TCP_SYN] = "0200000000bb0200000000aa08004500003800004000ff06677c0a0000010a400003c408035e26666457000000009002ffff"
                          "13730000020404c40101080a22d2c35200000000",
    [ASZ_PROBE_STAMP_AUTH] = "0200000000bb0200000000aa08004500008c00004000ff11671d0a0000010a400003c4ac035e00783c3ae8c500050000"
                             "00000000000000000000e8000000999998e80801613c0000000000000000000000000000000000000000000000000000"
                             "00000000000000000000000000000000000000000000000000000000000000000000000000000000000008b277ea641d"
                             "3108b18953f3a44aba60",
};

/* The same over IPv6 (RFC 8200, RFC 4443). */
static const char *const golden_ipv6[ASZ_PROBE_COUNT] = {
    [ASZ_PROBE_STAMP] = "0200000000bb0200000000aa86dd60000000003411ff20010db800000000000000000a00000120010db8000000000000"
                        "00000a400003c4ac035e00345b3ae8c50005e8000000999998e80801613c000000000000000000000000000000000000"
                        "00000000000000000000",
    [ASZ_PROBE_STAMP_TLV] = "0200000000bb0200000000aa86dd60000000006811ff20010db800000000000000000a00000120010db8000000000000"
                            "00000a400003c000035e0068bfa700000005e8000000999998e808010000000000000000000000000000000000000000"
                            "0000000000000000000080fc003000007ed901000000000000070000000276616c69646174726287c4ac613ce8c5dc1c"
                            "fc0c8aaa46f030ca99c290b2b6f0",
    [ASZ_PROBE_ICMP_ECHO] = "0200000000bb0200000000aa86dd6000000000203aff20010db800000000000000000a00000120010db8000000000000"
                            "00000a4000038000842900000005e8000000999998e800000002000000056287c4ac613ce8c5",
    [ASZ_PROBE_TCP_SYN] = "0200000000bb0200000000aa86dd60000000002406ff20010db800000000000000000a00000120010db8000000000000"
                          "00000a400003c408035e26666457000000009002ffffb8000000020404c40101080a22d2c35200000000",
    [ASZ_PROBE_STAMP_AUTH] = "0200000000bb0200000000aa86dd60000000007811ff20010db800000000000000000a00000120010db8000000000000"
                             "00000a400003c4ac035e0078e0c7e8c50005000000000000000000000000e8000000999998e80801613c000000000000"
                             "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
                             "000000000000000000000000000008b277ea641d3108b18953f3a44aba60",
};

static void assert_golden(struct bed *bed, enum asz_probe kind, enum asz_family family, const char *expected) {
  bed_open_on(bed, kind, family, 0);
  struct bed_frame frame = bed_request(bed, 2, 5, BED_START + 600 * BED_MS);
  char text[2 * ASZ_PROBE_FRAME_MAX + 1];
  asz_hex_encode(text, frame.bytes, frame.size);
  cr_assert(ne(ptr, (void *)expected, NULL), "%s has no golden frame", bed->module->name);
  cr_assert(eq(str, text, (char *)expected), "%s", bed->module->name);
  bed_close(bed);
}

Test(golden, every_kind_matches_its_bytes)
{
  static struct bed bed;
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++) {
    assert_golden(&bed, kind, ASZ_FAMILY_IPV4, golden[kind]);
    assert_golden(&bed, kind, ASZ_FAMILY_IPV6, golden_ipv6[kind]);
  }
}

/* IEEE 802.1Q: the tag stands behind the two MAC addresses; nothing else changes. */
Test(golden, tag_is_four_bytes_more_and_no_other_difference)
{
  static struct bed bed;
  static const uint8_t tag[4] = {0x81, 0x00, 0x00, BED_VLAN};
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++)
    for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++) {
      bed_open_on(&bed, kind, family, 0);
      struct bed_frame plain = bed_request(&bed, 2, 5, BED_START + 600 * BED_MS);
      bed_close(&bed);
      bed_open_on(&bed, kind, family, BED_VLAN);
      struct bed_frame tagged = bed_request(&bed, 2, 5, BED_START + 600 * BED_MS);
      bed_close(&bed);
      cr_assert(eq(sz, tagged.size, plain.size + 4));
      cr_assert(eq(int, memcmp(tagged.bytes, plain.bytes, 12), 0));
      cr_assert(eq(int, memcmp(tagged.bytes + 12, tag, 4), 0));
      cr_assert(eq(int, memcmp(tagged.bytes + 16, plain.bytes + 12, plain.size - 12), 0));
    }
}
