/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of probe as the prober makes it, and every reply of the emulator, over both families, with and without an 802.1Q
 * tag, as a capture that tshark reads: no field malformed, no checksum wrong. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dataplane/base/bytes.h"
#include "dataplane/emulator/reply.h"
#include "tests/dataplane/bed.h"

enum { SNAP_BYTES = 2048, LINKTYPE_ETHERNET = 1, LINE_BYTES = 256 };
#define TSHARK                                                                                                                   \
  "tshark -r %s -d udp.port==862,twamp.test -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE "

/* Big-endian, as its magic number says; times are zero. */
static void write_head(FILE *pcap) {
  uint8_t head[24] = {0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4};
  asz_be32_store(head + 16, SNAP_BYTES);
  asz_be32_store(head + 20, LINKTYPE_ETHERNET);
  cr_assert(eq(sz, fwrite(head, sizeof head, 1, pcap), 1));
}

static void write_frame(FILE *pcap, const uint8_t *bytes, size_t size) {
  uint8_t head[16] = {0};
  asz_be32_store(head + 8, (uint32_t)size);
  asz_be32_store(head + 12, (uint32_t)size);
  cr_assert(eq(sz, fwrite(head, sizeof head, 1, pcap), 1));
  cr_assert(eq(sz, fwrite(bytes, size, 1, pcap), 1));
}

/* A probe and the emulator's answer to it, in each form where there are several. Returns how many frames that was. */
static unsigned write_kind(FILE *pcap, enum asz_probe kind, enum asz_family family, uint16_t vlan) {
  struct bed bed;
  struct asz_frame frame;
  unsigned frames = 1, forms = kind == ASZ_PROBE_TCP_SYN ? 3 : 1;
  bed_open_on(&bed, kind, family, vlan);
  struct bed_frame request = bed_request(&bed, 1, 5, BED_START + BED_MS);
  write_frame(pcap, request.bytes, request.size);
  asz_wire_parse(&frame, request.bytes, request.size, ASZ_WIRE_CHECK_ALL);
  struct asz_reply_spec spec = {
      .t2_ntp64 = BED_START + 2 * BED_MS, .t3_ntp64 = BED_START + 3 * BED_MS, .auth = {.lanes = bed.lanes}};
  if (kind == ASZ_PROBE_STAMP_TLV)
    spec.auth.session = &bed.session[1];
  if (kind == ASZ_PROBE_STAMP_AUTH)
    spec.auth.hmac = &bed.hmac[1];
  for (unsigned form = 0; form < forms; form++, frames++) {
    uint8_t reply[SNAP_BYTES];
    spec.syn = (enum asz_syn_answer)form;
    cr_assert(le(sz, asz_reply_size(&frame), sizeof reply));
    cr_assert(eq(int, asz_reply_build(reply, request.bytes, &frame, &spec), 0), "%s", asz_probe_name(kind));
    write_frame(pcap, reply, asz_reply_size(&frame));
  }
  bed_close(&bed);
  return frames;
}

/* Lines that tshark prints for a display filter; the last one in ret_line. */
static unsigned tshark(const char *path, const char *filter, char ret_line[LINE_BYTES]) {
  char command[1024];
  unsigned lines = 0;
  snprintf(command, sizeof command, TSHARK "-Y '%s' 2>/dev/null", path, filter);
  FILE *out = popen(command, "r");
  cr_assert(out != NULL);
  while (fgets(ret_line, LINE_BYTES, out))
    lines++;
  cr_assert(eq(int, pclose(out), 0), "%s", command);
  return lines;
}

Test(emulator_capture, tshark_reads_every_probe_and_every_reply)
{
  char path[] = "/tmp/assize-capture-XXXXXX", line[LINE_BYTES] = "";
  if (system("command -v tshark > /dev/null 2>&1") != 0)
    cr_skip_test("needs tshark");
  int fd = mkstemp(path);
  FILE *pcap = fd >= 0 ? fdopen(fd, "w") : NULL;
  cr_assert(pcap != NULL);
  write_head(pcap);
  unsigned frames = 0, tagged = 0;
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++)
    for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++) {
      frames += write_kind(pcap, kind, family, 0);
      tagged += write_kind(pcap, kind, family, BED_VLAN);
    }
  cr_assert(eq(int, fclose(pcap), 0));
  unsigned read = tshark(path, "frame", line);
  unsigned read_tagged = tshark(path, "vlan.id == 100", line);
  unsigned stamp = tshark(path, "twamp.test", line);
  unsigned malformed = tshark(path, "_ws.malformed || _ws.expert.severity == error", line);
  cr_expect(eq(u32, malformed, 0), "%s", line);
  unsigned wrong = tshark(path,
                          "ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0 || "
                          "icmp.checksum.status == 0 || icmpv6.checksum.status == 0",
                          line);
  cr_expect(eq(u32, wrong, 0), "%s", line);
  unlink(path);
  cr_assert(eq(u32, read, frames + tagged));
  cr_assert(eq(u32, read_tagged, tagged));
  cr_assert(eq(u32, stamp, 3 * 2 * 2 * 2), "three kinds, two families, with and without a tag, there and back");
}
