/* SPDX-License-Identifier: Apache-2.0 */
/* Two lcores on a port that takes flow rules and heeds them. The port is played (nic_bed.h): no real one has been seen. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/dataplane/nic_bed.h"

static void setup(void) {
  nic_bed_default();
  nic.queues = 2;
  nic.rx_times = false;
  nic.rules_taken = 100;
  nic.odd_kind = ASZ_PROBE_ICMP_ECHO;
}

static void run(void) {
  nic_bed_open();
  nic_begin();
  NIC_WAIT_FOR(nic_sealed());
  for (uint32_t i = 0; i < NIC_TARGETS; i++)
    cr_assert(gt(u16, nic.plan.stats->target[i].answered, 0), "target %u", i);
  cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_FORGED), 0));
}

TestSuite(nic_flows, .init = setup, .fini = nic_bed_close, .timeout = 60);

Test(nic_flows, rules_bring_every_reply_back_and_are_removed_at_the_end)
{
  run();
  cr_assert(eq(uint, nic.rules, 6), "UDP, TCP and echo for two lcores; no IPv6 is there");
  cr_assert(eq(u64, nic_counter(ASZ_CTR_RX_STEERED), 0));
  asz_engine_free(nic.engine);
  nic.engine = NULL;
  cr_assert(eq(uint, nic.rules, 0));
}

Test(nic_flows, port_that_takes_none_is_helped_in_software)
{
  nic.rules_taken = 0;
  run();
  cr_assert(eq(uint, nic.rules, 0));
  cr_assert(gt(u64, nic_counter(ASZ_CTR_RX_STEERED), 0));
}

Test(nic_flows, port_that_takes_only_ports_is_helped_with_echoes)
{
  nic.rules_taken = 5; /* one echo rule of two */
  run();
  cr_assert(eq(uint, nic.rules, 4));
  cr_assert(gt(u64, nic_counter(ASZ_CTR_RX_STEERED), 0));
}

Test(nic_flows, no_rule_is_asked_for_where_software_shall_do_it)
{
  nic.config.spreading = ASZ_SPREADING_NO;
  run();
  cr_assert(eq(uint, nic.rules_asked, 0));
}

Test(nic_flows, no_rule_is_asked_for_where_the_ports_begin_anywhere)
{
  nic.config.source_port_base = 50000;
  run();
  cr_assert(eq(uint, nic.rules_asked, 0));
}
