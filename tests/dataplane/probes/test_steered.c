/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind with source ports that are chosen for the lcore that asks: the reply hashes to that lcore, is answered, and is
 * forged once a bit is wrong that is still cookie. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/steer.h"
#include "tests/dataplane/bed.h"

enum { BITS = 2, LCORES = 1 << BITS };

static struct bed bed;
static struct asz_steer steer;
static const uint64_t tx = BED_START + 600 * BED_MS, now = BED_START + 620 * BED_MS;

static void open_steered(enum asz_probe kind, enum asz_family family, uint32_t lcore) {
  uint8_t local[16];
  bed_open_on(&bed, kind, family, 0);
  if (family == ASZ_FAMILY_IPV6)
    bed_address(local, BED_LOCAL);
  else
    asz_be32_store(local, BED_LOCAL);
  asz_steer_init(&steer, family, BITS, lcore, local);
  bed_steer(&bed, &steer);
}

static uint16_t our_port(const struct bed_frame *request) {
  struct bed_frame frame = *request;
  return asz_be16_load(bed_l4(&frame));
}

#define EACH_WITH_PORTS(kind, family)                                                                                            \
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++)                                                                  \
    for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)                                                        \
      if (asz_probe_module(kind)->protocol != ASZ_PROTOCOL_ICMP)

Test(steered, reply_is_answered_on_the_lcore_that_asked)
{
  EACH_WITH_PORTS(kind, family)
  for (uint32_t lcore = 0; lcore < LCORES; lcore++) {
    open_steered(kind, family, lcore);
    uint32_t answered = 0;
    for (uint32_t seq = 0; seq < 40; seq++) {
      uint32_t target = seq % BED_TARGETS;
      struct bed_frame request = bed_request(&bed, target, seq, tx + seq * BED_MS);
      bed_assert_checksums(&request);
      unsigned share =
          family == ASZ_FAMILY_IPV6 ? asz_steer_ipv6(&steer, bed.ipv6[target]) : asz_steer_ipv4(&steer, bed.target[target].ipv4);
      uint32_t offset = our_port(&request) - BED_PORT_BASE;
      cr_assert(eq(u32, asz_steer_offset(&steer, BED_PORT_BASE, offset, share, BED_PORT), offset), "a port of this lcore");
      struct bed_frame reply = bed_reply(&bed, request);
      bed_receive(&bed, &reply, tx + (seq + 20) * BED_MS);
      cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], ++answered), "%s", bed.module->name);
    }
    bed_close(&bed);
  }
}

Test(steered, every_port_bit_that_is_still_cookie_is_checked)
{
  EACH_WITH_PORTS(kind, family) {
    open_steered(kind, family, 1);
    for (uint32_t bit = 0; bit < 16; bit++) {
      struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
      uint8_t *port = bed_l4(&reply) + 2;
      asz_be16_store(port, (uint16_t)(asz_be16_load(port) ^ 1u << bit));
      bed_finish(&reply);
      if (bit < ASZ_STEER_PORT_BITS && (steer.free_mask >> bit & 1) == 0)
        continue; /* the steering's choice */
      bed_receive(&bed, &reply, now);
      cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 0), "%s, bit %u", bed.module->name, bit);
    }
    bed_close(&bed);
  }
}

Test(steered, reply_to_the_previous_epoch_is_known_for_one)
{
  EACH_WITH_PORTS(kind, family) {
    open_steered(kind, family, 3);
    struct bed_frame reply = bed_exchange(&bed, 1, 5, tx);
    bed_next_epoch(&bed);
    struct bed_change mark;
    bed_mark(&bed, &mark);
    bed_receive(&bed, &reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_PAST_EPOCH);
    bed_close(&bed);
  }
}
