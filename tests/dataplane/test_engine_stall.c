/* SPDX-License-Identifier: Apache-2.0 */
/* A prober that was kept away just when its epoch ended: what waits in the port by then is read before the epoch is sealed. The
 * port is the loopback's, with a callback that keeps the replies back and then keeps the prober away. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "dataplane/eal.h"
#include "dataplane/loopback.h"

enum { TARGETS = 300, PROBES = 3 * TARGETS, TIMEOUT_MS = 1000, DEADLINE_S = 30 };

static struct asz_loopback *loopback;
static struct asz_engine *engine;
static struct asz_plan plan;
static struct rte_mbuf *stash[PROBES];
static uint16_t stashed, given;
static bool stalled, flood;

static void setup(void) {
  struct asz_diag diag = {0};
  struct asz_engine_config config;
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, 2);
  cr_assert(eq(int, asz_eal_start(lcores, NULL, ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_NO, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_loopback_new(&loopback, ASZ_PROBE_STAMP, TARGETS), 0));
  asz_engine_config_default(&config);
  cr_assert(eq(int, asz_loopback_open(loopback, (unsigned)asz_eal_worker(1), 1024, &config.port_id), 0));
  config.lcore_id[0] = (unsigned)asz_eal_worker(0);
  asz_loopback_engine(loopback, &config);
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  plan = (struct asz_plan){
      .epoch = 1,
      .rate_pps = PROBES,
      .duration_ns = 1000000000,
      .timeout_ns = TIMEOUT_MS * 1000000,
      .slot_ns = 1000000000,
      .late_bound_ns = 1000000000, /* a busy machine makes up for all that was due */
      .fault_bound_ppm = 1000000,
  };
  asz_loopback_plan(loopback, &plan);
  cr_assert(eq(int, asz_stats_new(&plan.stats, TARGETS, ASZ_SKETCH_CELLS_DEFAULT), 0));
}

static void teardown(void) {
  asz_engine_free(engine);
  asz_loopback_free(loopback);
  asz_stats_free(plan.stats);
  asz_eal_stop();
}
TestSuite(engine_stall, .init = setup, .fini = teardown, .timeout = 120);

/* Every reply is kept until all are there and probing is over; then the prober is kept away for two timeouts; then it gets them.
 * In a flood there is always another frame, which is nobody's. */
static uint16_t keep_back(uint16_t port, uint16_t queue, struct rte_mbuf **frame, uint16_t count, uint16_t most, void *context) {
  for (uint16_t i = 0; i < count; i++)
    stash[stashed++] = frame[i];
  if (asz_engine_phase(engine) != ASZ_PHASE_COOLDOWN || stashed < PROBES)
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
  struct asz_diag diag = {0};
  uint64_t start_ns = asz_clock_monotonic_ns();
  const struct rte_eth_rxtx_callback *callback = rte_eth_add_rx_callback(0, 0, keep_back, NULL);
  cr_assert(callback != NULL);
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), 0), "%s", diag.text);
  while (asz_engine_phase(engine) != ASZ_PHASE_SEALED) {
    cr_assert(lt(u64, asz_clock_monotonic_ns() - start_ns, DEADLINE_S * UINT64_C(1000000000)), "it is never sealed");
    usleep(1000);
  }
  asz_engine_stop(engine);
  cr_assert(eq(int, rte_eth_remove_rx_callback(0, 0, callback), 0));
}

Test(engine_stall, what_waits_in_the_port_at_the_end_is_read_before_the_seal)
{
  uint32_t sent[TARGETS];
  epoch();
  asz_engine_sent(&plan, plan.stats, sent);
  cr_assert(eq(u16, stashed, PROBES), "more than a burst of them waited");
  cr_assert(eq(u16, given, stashed));
  for (uint32_t i = 0; i < TARGETS; i++) {
    const struct asz_target_stats *t = &plan.stats->target[i];
    cr_assert(eq(u32, sent[i], t->answered + t->late), "target %u was not heard, and it was our fault", i);
  }
}

Test(engine_stall, a_flood_does_not_keep_the_epoch_open)
{
  flood = true;
  epoch();
  cr_assert(eq(u16, given, stashed));
}
