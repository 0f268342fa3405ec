/* SPDX-License-Identifier: Apache-2.0 */
/* A prober that was kept away just when its epoch ended: what waits in the port by then is read before the epoch is sealed. The
 * port is the loopback's, with a callback that keeps the replies back and then keeps the prober away. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "tests/dataplane/loopback_bed.h"

enum { TARGETS = 300, PROBES = 3 * TARGETS, TIMEOUT_MS = 1000 };

static struct loopback_bed bed;
static struct rte_mbuf *stash[PROBES];
static uint16_t stashed, given;
static bool stalled, flood;

static void setup(void) {
  loopback_bed_open(&bed, ASZ_PROBE_STAMP, TARGETS);
  loopback_bed_times(&bed, PROBES, 1000000000, TIMEOUT_MS * UINT64_C(1000000));
  bed.plan.late_bound_ns = 1000000000; /* a busy machine makes up for all that was due */
}

static void teardown(void) {
  loopback_bed_close(&bed);
}
TestSuite(engine_stall, .init = setup, .fini = teardown, .timeout = 120);

/* Every reply is kept until all are there and probing is over; then the prober is kept away for two timeouts; then it gets them.
 * In a flood there is always another frame, which is nobody's. */
static uint16_t keep_back(uint16_t port, uint16_t queue, struct rte_mbuf **frame, uint16_t count, uint16_t most, void *context) {
  for (uint16_t i = 0; i < count; i++)
    stash[stashed++] = frame[i];
  if (asz_engine_phase(bed.engine) != ASZ_PHASE_COOLDOWN || stashed < PROBES)
    return 0;
  if (!stalled) {
    usleep(2 * TIMEOUT_MS * 1000);
    stalled = true;
    return 0;
  }
  uint16_t now = 0;
  while (now < most && given < stashed)
    frame[now++] = stash[given++];
  for (; flood && now < most; now++) {
    frame[now] = rte_pktmbuf_alloc(stash[0]->pool);
    cr_assert(frame[now] != NULL);
    rte_pktmbuf_append(frame[now], 60);
  }
  return now;
}

static void epoch(void) {
  const struct rte_eth_rxtx_callback *callback = rte_eth_add_rx_callback(0, 0, keep_back, NULL);
  cr_assert(callback != NULL);
  loopback_bed_seal(&bed);
  asz_engine_stop(bed.engine);
  cr_assert(eq(int, rte_eth_remove_rx_callback(0, 0, callback), 0));
}

Test(engine_stall, what_waits_in_the_port_at_the_end_is_read_before_the_seal)
{
  uint32_t sent[TARGETS];
  epoch();
  asz_engine_sent(&bed.plan, bed.plan.stats, sent);
  cr_assert(eq(u16, stashed, PROBES), "more than a burst of them waited");
  cr_assert(eq(u16, given, stashed));
  for (uint32_t i = 0; i < TARGETS; i++) {
    const struct asz_target_stats *t = &bed.plan.stats->target[i];
    cr_assert(eq(u32, sent[i], t->answered + t->late), "target %u was not heard, and it was our fault", i);
  }
}

Test(engine_stall, a_flood_does_not_keep_the_epoch_open)
{
  flood = true;
  epoch();
  cr_assert(eq(u16, given, stashed));
}
