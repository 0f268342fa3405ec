/* SPDX-License-Identifier: Apache-2.0 */
/* The engine over AF_PACKET and veth while the link goes, comes back, and while the gateway falls silent and answers again: one
 * epoch each, in which nobody is blamed for it. The far namespace answers echo requests for a whole prefix. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "dataplane/eal.h"
#include "dataplane/engine.h"
#include "tests/net/netns.h"

enum {
  TARGETS = 4,
  RATE_PPS = 400,
  LOCAL = 0xac1f0001,
  GATEWAY = 0xac1f0002,
  FIRST = 0x0a580101,
  DEADLINE_S = 30,
  SLOTS = 60,
  POLL_US = 2000
};
static const uint64_t ns_per_s = 1000000000;

static struct netns_pair net;
static struct asz_engine *engine;
static struct asz_target target[TARGETS];
static struct asz_plan plan;

static uint64_t counter(enum asz_counter which) {
  struct asz_counters counters;
  asz_engine_counters(engine, &counters);
  return counters.value[which];
}

#define WAIT_FOR(condition)                                                                                                      \
  do {                                                                                                                           \
    uint64_t start_ns = asz_clock_monotonic_ns();                                                                                \
    while (!(condition)) {                                                                                                       \
      usleep(POLL_US);                                                                                                           \
      cr_assert(lt(u64, asz_clock_monotonic_ns() - start_ns, DEADLINE_S * ns_per_s), #condition);                                \
    }                                                                                                                            \
  } while (0)

static void setup(void) {
  const char *why_not = netns_unavailable();
  if (why_not)
    cr_skip_test("%s", why_not);
  struct asz_diag diag = {0};
  netns_pair_make(&net, "port0", NULL, "eth0", "172.31.0.2/30");
  netns_ip_ok(net.right, "route", "add", "local", "10.88.1.0/24", "dev", "lo");
  netns_enter(net.left);
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, 1);
  int err = asz_eal_start(lcores, "--vdev=net_af_packet0,iface=port0", ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_NO, &diag);
  cr_assert(eq(int, err, 0), "%s", diag.text);
  struct asz_engine_config config;
  asz_engine_config_default(&config);
  config.port_id = (uint16_t)asz_eal_port(NULL);
  config.lcore_id[0] = (unsigned)asz_eal_worker(0);
  config.local_ipv4 = LOCAL;
  config.gateway_ipv4 = GATEWAY;
  config.target_count_max = TARGETS;
  cr_assert(eq(int, asz_engine_new(&engine, &config, &diag), 0), "%s", diag.text);
  cr_assert(eq(int, asz_engine_launch(engine), 0));
  cr_assert(eq(int, asz_engine_wait_gateway(engine, 10 * ns_per_s), 0));
  for (uint32_t i = 0; i < TARGETS; i++)
    target[i] = (struct asz_target){.ipv4 = FIRST + i, .probe = ASZ_PROBE_ICMP_ECHO};
  plan = (struct asz_plan){
      .epoch = 3,
      .secret = {1, 2, 3},
      .rate_pps = RATE_PPS,
      .duration_ns = SLOTS * ns_per_s, /* ended by the test */
      .timeout_ns = ns_per_s / 2,
      .slot_ns = ns_per_s,
      .late_bound_ns = 10 * ns_per_s, /* a busy machine is not what is tested here */
      .fault_bound_ppm = 20000,
      .target_count = TARGETS,
      .target = target,
      .validator_id = "validat",
  };
  cr_assert(eq(int, asz_stats_new(&plan.stats, TARGETS, ASZ_SKETCH_CELLS_DEFAULT), 0));
  cr_assert(eq(int, asz_engine_epoch_begin(engine, &plan, &diag), 0), "%s", diag.text);
}

static void teardown(void) {
  if (engine == NULL)
    return;
  asz_engine_free(engine);
  asz_stats_free(plan.stats);
  asz_eal_stop();
  netns_pair_close(&net);
}

TestSuite(link, .init = setup, .fini = teardown, .timeout = 120);

/* Every slot boundary that passes is a chance for a whole, judged slot. */
static void answers_come(uint64_t more) {
  uint64_t before = counter(ASZ_CTR_RX_ANSWERED);
  WAIT_FOR(counter(ASZ_CTR_RX_ANSWERED) >= before + more);
}

static void finish(enum asz_fault expected) {
  enum { TENTH = RATE_PPS / 10 }; /* what may be sent before a loss of the link is noticed */
  uint32_t sent[TARGETS];
  asz_engine_epoch_end(engine);
  WAIT_FOR(asz_engine_phase(engine) == ASZ_PHASE_SEALED);
  asz_engine_sent(&plan, plan.stats, sent);
  uint64_t judged = ((UINT64_C(1) << SLOTS) - 1) & ~plan.stats->slots_unjudged;
  cr_assert(ne(u64, judged & (judged - 1), 0), "two slots at least are judged: %016lx", (unsigned long)judged);
  cr_assert(eq(int, asz_faults_largest(&plan.stats->faults), (int)expected));
  for (uint32_t i = 0; i < TARGETS; i++) {
    const struct asz_target_stats *stats = &plan.stats->target[i];
    cr_assert(eq(u64, judged & ~stats->slots_up, 0), "target %u is not blamed: up %016lx, judged %016lx", i,
              (unsigned long)stats->slots_up, (unsigned long)judged);
    if (expected == ASZ_FAULT_LINK_DOWN)
      cr_assert(le(u32, sent[i] - stats->answered - stats->late, 3 * TENTH), "target %u: %u sent, %u answered", i, sent[i],
                stats->answered);
  }
}

static void link_goes_and_comes(int space, const char *device) {
  uint64_t lost = counter(ASZ_CTR_LINK_LOST), unsent = counter(ASZ_CTR_TX_LINK_DOWN), asked = counter(ASZ_CTR_TX_ARP);
  answers_come(3 * RATE_PPS);
  netns_ip_ok(space, "link", "set", device, "down");
  WAIT_FOR(counter(ASZ_CTR_LINK_LOST) == lost + 1);
  WAIT_FOR(counter(ASZ_CTR_TX_LINK_DOWN) >= unsent + RATE_PPS);
  cr_assert(eq(u64, counter(ASZ_CTR_TX_ARP), asked));
  netns_ip_ok(space, "link", "set", device, "up");
  if (space == net.right)
    netns_ip_ok(net.right, "route", "replace", "local", "10.88.1.0/24", "dev", "lo");
  WAIT_FOR(counter(ASZ_CTR_TX_ARP) > asked);
  answers_come(3 * RATE_PPS);
}

Test(link, our_end_down_and_up_in_the_middle_of_an_epoch)
{
  link_goes_and_comes(net.left, "port0");
  finish(ASZ_FAULT_LINK_DOWN);
}

Test(link, far_end_down_and_up_twice)
{
  link_goes_and_comes(net.right, "eth0");
  link_goes_and_comes(net.right, "eth0");
  finish(ASZ_FAULT_LINK_DOWN);
}

/* Without ARP at the far end the questions that follow a link's return stay open. */
Test(link, gateway_falls_silent_and_answers_again)
{
  answers_come(3 * RATE_PPS);
  netns_ip_ok(net.right, "link", "set", "eth0", "arp", "off");
  netns_ip_ok(net.left, "link", "set", "port0", "down");
  WAIT_FOR(counter(ASZ_CTR_LINK_LOST) == 1);
  netns_ip_ok(net.left, "link", "set", "port0", "up");
  WAIT_FOR(counter(ASZ_CTR_NEIGH_LOST) == 1);
  uint64_t sent = counter(ASZ_CTR_TX_PROBES);
  WAIT_FOR(counter(ASZ_CTR_TX_NO_GATEWAY) >= 3 * RATE_PPS);
  cr_assert(eq(u64, counter(ASZ_CTR_TX_PROBES), sent), "nothing leaves for a gateway that is not there");
  netns_ip_ok(net.right, "link", "set", "eth0", "arp", "on");
  answers_come(4 * RATE_PPS);
  cr_assert(eq(u64, counter(ASZ_CTR_NEIGH_LOST), 1));
  finish(ASZ_FAULT_GATEWAY_LOST);
}
