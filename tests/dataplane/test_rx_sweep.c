/* SPDX-License-Identifier: Apache-2.0 */
/* A sweep: all targets have one address, and the port that was asked from tells which of them a reply belongs to. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/dataplane/bed.h"

static struct bed bed;
static struct bed_change mark;
static const uint64_t tx = BED_START + 600 * BED_MS, now = BED_START + 620 * BED_MS;
static const enum asz_probe kinds[] = {ASZ_PROBE_STAMP, ASZ_PROBE_STAMP_TLV, ASZ_PROBE_STAMP_AUTH};

static void open_sweep_on(enum asz_probe kind, enum asz_family family) {
  bed_open_on(&bed, kind, family, 0);
  struct asz_probe_setup setup = bed.rx.run.setup;
  setup.sweep = true;
  bed.rx.run.setup = setup;
  asz_template_prepare(&bed.template, bed.module, &setup, bed.family);
  for (uint32_t i = 0; i < BED_TARGETS; i++) {
    bed.target[i].ipv4 = family == ASZ_FAMILY_IPV6 ? 0 : BED_FIRST;
    memcpy(bed.ipv6[i], bed.ipv6[0], sizeof bed.ipv6[i]);
    bed.session[i] = bed.session[0]; /* one provider */
    bed.hmac[i] = bed.hmac[0];
  }
}
static void open_sweep(enum asz_probe kind) {
  open_sweep_on(kind, ASZ_FAMILY_IPV4);
}

static uint16_t port_of(struct bed_frame *frame, uint32_t at) {
  return asz_be16_load(bed_l4(frame) + at);
}

Test(rx_sweep, each_path_has_a_port_and_an_account_of_its_own)
{
  for (unsigned k = 0; k < 2 * sizeof kinds / sizeof *kinds; k++) {
    open_sweep_on(kinds[k / 2], k % 2 ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4);
    for (uint32_t i = 0; i < BED_TARGETS; i++) {
      for (uint32_t seq = 0; seq <= i; seq++) {
        struct bed_frame request = bed_request(&bed, i, seq, tx), reply = bed_reply(&bed, request);
        bed_assert_checksums(&request);
        cr_assert(eq(u16, port_of(&request, ASZ_UDP_SRC), BED_PORT_BASE + i));
        bed_receive(&bed, &reply, now);
      }
      cr_assert(eq(u16, bed.stats->target[i].answered, i + 1), "%s, path %u", bed.module->name, i);
    }
    bed_close(&bed);
  }
}

Test(rx_sweep, reply_on_another_paths_port_is_never_answered)
{
  for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    open_sweep(kinds[k]);
    for (uint32_t port = BED_PORT_BASE; port < BED_PORT_BASE + ASZ_COOKIE_PORTS; port++) {
      if (port == BED_PORT_BASE + 1)
        continue;
      struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
      asz_be16_store(reply.bytes + ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_DST, (uint16_t)port);
      bed_finish(&reply);
      bed_mark(&bed, &mark);
      bed_receive(&bed, &reply, now);
      cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 0), "%s, port %u", bed.module->name, port);
    }
    bed_close(&bed);
  }
}

Test(rx_sweep, every_flipped_bit_of_what_is_left_of_the_cookie_is_forged)
{
  static const struct {
    enum asz_probe kind;
    unsigned at, bits;
  } covered[] = {{ASZ_PROBE_STAMP, 24, 96},     {ASZ_PROBE_STAMP, 14, 16},      {ASZ_PROBE_STAMP_TLV, 24, 96},
                 {ASZ_PROBE_STAMP_TLV, 72, 64}, {ASZ_PROBE_STAMP_AUTH, 48, 32}, {ASZ_PROBE_STAMP_AUTH, 64, 64},
                 {ASZ_PROBE_STAMP_AUTH, 26, 16}};
  for (unsigned i = 0; i < sizeof covered / sizeof *covered; i++) {
    open_sweep(covered[i].kind);
    for (unsigned bit = 0; bit < covered[i].bits; bit++) {
      struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
      bed_payload(&reply)[covered[i].at + bit / 8] ^= (uint8_t)(1 << bit % 8);
      bed_finish(&reply);
      bed_mark(&bed, &mark);
      bed_receive(&bed, &reply, now);
      bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
    }
    bed_close(&bed);
  }
}
