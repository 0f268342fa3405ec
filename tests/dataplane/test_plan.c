/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/engine.h"

enum { COUNT = 3 };
static struct asz_target target[COUNT];
static struct asz_session session[COUNT];
static struct asz_plan plan;

static void good_plan(void) {
  for (uint32_t i = 0; i < COUNT; i++)
    target[i] = (struct asz_target){.ipv4 = 0x0a000001 + i, .port = 862, .probe = ASZ_PROBE_STAMP_TLV};
  plan = (struct asz_plan){
      .rate_pps = 1000,
      .duration_ns = 10000000000,
      .timeout_ns = 1000000000,
      .slot_ns = 1000000000,
      .late_bound_ns = 1000000,
      .fault_bound_ppm = 10000,
      .target_count = COUNT,
      .target = target,
      .session = session,
  };
  cr_assert(eq(int, asz_stats_new(&plan.stats, COUNT, ASZ_SKETCH_CELLS_MIN), 0));
}

static void plan_free(void) {
  asz_stats_free(plan.stats);
}

TestSuite(plan, .init = good_plan, .fini = plan_free);

static void refused(const char *field) {
  struct asz_diag diag = {0};
  cr_assert(eq(int, asz_plan_check(&plan, &diag), ASZ_EINVAL), "%s", field);
  cr_assert(ne(ptr, strstr(diag.text, field), NULL), "\"%s\" does not name %s", diag.text, field);
  cr_assert(eq(int, asz_plan_check(&plan, NULL), ASZ_EINVAL));
}

Test(plan, good_one_is_taken)
{
  struct asz_diag diag = {0};
  cr_assert(eq(int, asz_plan_check(&plan, &diag), 0), "%s", diag.text);
}

Test(plan, every_range_is_checked_by_name)
{
  const struct asz_plan good = plan;
  const struct {
    const char *field;
    uint64_t *value;
    uint64_t bad;
  } cases[] = {
      {"rate_pps", &plan.rate_pps, 0},
      {"rate_pps", &plan.rate_pps, 200000001},
      {"duration_ns", &plan.duration_ns, 0},
      {"timeout_ns", &plan.timeout_ns, 999999},
      {"timeout_ns", &plan.timeout_ns, 4000000001},
      {"slot_ns", &plan.slot_ns, 0},
      {"slot_ns", &plan.slot_ns, 10000000000 / 65},
      {"late_bound_ns", &plan.late_bound_ns, 0},
      {"rounds", &plan.rate_pps, 20000000},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    *cases[i].value = cases[i].bad;
    refused(cases[i].field);
    plan = good;
  }
  plan.fault_bound_ppm = 1000001;
  refused("fault_bound_ppm");
  plan = good;
  plan.target_count = 0;
  refused("target_count");
}

Test(plan, wrong_target_is_named_by_index)
{
  target[2].probe = ASZ_PROBE_COUNT;
  refused("target[2].probe");
  target[2].probe = ASZ_PROBE_STAMP;
  target[1].port = 0;
  refused("target[1].port");
  target[1].port = 1;
  target[0].flags = 0x80;
  refused("target[0].flags");
  target[0].flags = 0;
  target[0].zero = 1;
  refused("target[0].flags");
}

Test(plan, address_twice_is_refused)
{
  target[2].ipv4 = target[0].ipv4;
  refused("10.0.0.1");
}

Test(plan, tlv_without_sessions_is_refused)
{
  plan.session = NULL;
  refused("session");
}

Test(plan, stamp_auth_without_keys_is_refused)
{
  static struct asz_hmac_key hmac[COUNT];
  target[1].probe = ASZ_PROBE_STAMP_AUTH;
  refused("hmac");
  plan.hmac = hmac;
  cr_assert(eq(int, asz_plan_check(&plan, NULL), 0));
}

Test(plan, statistics_of_another_size_are_refused)
{
  plan.stats->target_count = COUNT + 1;
  refused("stats");
  plan.stats->target_count = COUNT;
}

Test(plan, more_rounds_in_flight_than_tcp_syn_can_tell_apart_are_refused)
{
  plan.timeout_ns = 1000000000;
  plan.rate_pps = 64 * COUNT;
  cr_assert(eq(int, asz_plan_check(&plan, NULL), 0), "nobody is probed by tcp-syn");
  target[1].probe = ASZ_PROBE_TCP_SYN;
  refused("rounds within timeout_ns");
  plan.rate_pps = 62 * COUNT;
  cr_assert(eq(int, asz_plan_check(&plan, NULL), 0));
}

Test(plan, sweep_is_one_provider_over_udp)
{
  plan.sweep = true;
  refused("target[1]");
  for (uint32_t i = 1; i < COUNT; i++)
    target[i] = target[0];
  for (uint32_t i = 0; i < COUNT; i++)
    target[i].probe = ASZ_PROBE_STAMP_TLV;
  cr_assert(eq(int, asz_plan_check(&plan, NULL), 0));
  target[2].port++;
  refused("target[2]");
  target[2].port--;
  for (uint32_t i = 0; i < COUNT; i++)
    target[i].probe = ASZ_PROBE_ICMP_ECHO;
  refused("sweep");
  plan.sweep = false;
  refused("there twice");
}

Test(plan, echo_needs_no_port)
{
  for (uint32_t i = 0; i < COUNT; i++) {
    target[i].probe = ASZ_PROBE_ICMP_ECHO;
    target[i].port = 0;
  }
  plan.session = NULL;
  cr_assert(eq(int, asz_plan_check(&plan, NULL), 0));
}

/* The first `count` targets get the IPv6 addresses 2001:db8::1 and so on. */
static uint8_t ipv6[COUNT][16];
static void ipv6_plan(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    memcpy(ipv6[i], (uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(i + 1)}, 16);
    target[i].ipv4 = i;
    target[i].flags = ASZ_TARGET_IPV6;
  }
  plan.ipv6 = (const uint8_t(*)[16])ipv6;
  plan.ipv6_count = count;
}

Test(plan, sweep_over_ipv6_has_one_address)
{
  ipv6_plan(1);
  plan.sweep = true;
  for (uint32_t i = 0; i < COUNT; i++) {
    target[i] = target[0];
    target[i].probe = ASZ_PROBE_STAMP;
  }
  cr_assert(eq(int, asz_plan_check(&plan, NULL), 0));
  cr_assert(eq(u32, asz_plan_family_count(&plan, ASZ_FAMILY_IPV6), COUNT));
  cr_assert(eq(u32, asz_plan_family_count(&plan, ASZ_FAMILY_IPV4), 0));
  target[1].flags = 0; /* the same number, but an IPv4 address */
  refused("target[1]");
  target[1].flags = ASZ_TARGET_IPV6;
  plan.ipv6_count = 2;
  refused("ipv6_count");
}

Test(plan, both_families_are_taken)
{
  for (uint32_t count = 1; count <= COUNT; count++) {
    struct asz_diag diag = {0};
    ipv6_plan(count);
    cr_assert(eq(int, asz_plan_check(&plan, &diag), 0), "%s", diag.text);
  }
}

Test(plan, index_beyond_the_ipv6_addresses_is_refused)
{
  ipv6_plan(2);
  target[1].ipv4 = 2;
  refused("target[1].ipv4");
  plan.ipv6_count = 0;
  refused("target[0].ipv4");
  ipv6_plan(1);
  plan.ipv6 = NULL;
  refused("target[0].ipv4");
}

Test(plan, address_that_no_provider_has_is_refused)
{
  static const uint8_t bad[][16] = {
      {0}, {[15] = 1}, {0xff, 2, [15] = 1}, {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1}, {0xfe, 0x80, [15] = 1}};
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
    ipv6_plan(2);
    memcpy(ipv6[1], bad[i], 16);
    refused("target[1]");
  }
}

Test(plan, ipv6_address_twice_is_refused)
{
  ipv6_plan(COUNT);
  memcpy(ipv6[2], ipv6[0], 16);
  refused("2001:db8::1");
  ipv6_plan(COUNT);
  target[2].ipv4 = 1; /* the same entry */
  refused("2001:db8::2");
}

Test(plan, ipv6_address_of_nobody_is_refused)
{
  ipv6_plan(2);
  plan.ipv6_count = 3;
  refused("ipv6_count");
}
