/* SPDX-License-Identifier: Apache-2.0 */
/* Six providers: four in 192.0.2.0/24, two in 198.51.100.0/24, at ten probes a second each. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "control/caps.h"

enum { COUNT = 6 };

static struct asz_provider provider[COUNT];
static struct asz_caps caps;
static struct asz_diag diag;
static const struct asz_caps_rate ten_a_second = {.probes = 1, .per_ms = 100};

static void begin(void) {
  static const uint32_t ipv4[COUNT] = {0xc0000201, 0xc6336401, 0xc0000202, 0xc00002ff, 0xc6336402, 0xc0000200};
  for (uint32_t i = 0; i < COUNT; i++) {
    provider[i].ipv4 = ipv4[i];
    snprintf(provider[i].name, sizeof provider[i].name, "p%u", i);
  }
  caps = (struct asz_caps){.total_pps = 1000000};
}

static void end(void) {
  asz_caps_close(&caps);
}

TestSuite(caps, .init = begin, .fini = end);

static void map(const char *text) {
  FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
  cr_assert_eq(asz_prefixes_read(&caps.as_map, in, "as", ASZ_PREFIXES_MAP, &diag), 0, "%s", diag.text);
  fclose(in);
}

static void check(int expected, const char *line) {
  diag.text[0] = '\0';
  cr_assert_eq(asz_caps_check(&caps, provider, COUNT, ten_a_second, &diag), expected, "%s", diag.text);
  cr_assert_str_eq(diag.text, line);
}

Test(caps, total_is_exact)
{
  caps.total_pps = 60;
  check(0, "");
  caps.total_pps = 59;
  check(ASZ_ERANGE, "6 providers need 60 probes/s: expected at most probe.rate_max_pps = 59");
}

Test(caps, network_is_exact_and_named_with_who_is_in_it)
{
  caps.network_pps = 40;
  check(0, "");
  caps.network_pps = 39;
  check(ASZ_ERANGE,
        "192.0.2.0/24 would get 40 probes/s: expected at most probe.rate_max_prefix_pps = 39; in it: p0, p2, p3 and 1 more");
}

Test(caps, network_of_ipv6_is_a_48)
{
  static const char *const ipv6[COUNT] = {"2001:db8:1:1::1", "2001:db8:2::1",        "2001:db8:1:ffff::1",
                                          "2001:db8:1::9",   "2001:db8:1:8000::7:2", "2001:db8:2:1::1"};
  for (uint32_t i = 1; i < COUNT; i++) { /* the first one stays in 192.0.2.0/24 */
    provider[i].ipv4 = 0;
    cr_assert_eq(asz_ipv6_parse(provider[i].ipv6, ipv6[i]), 0);
  }
  caps.network_pps = 30;
  check(0, "");
  caps.network_pps = 29;
  check(ASZ_ERANGE, "2001:db8:1::/48 would get 30 probes/s: expected at most probe.rate_max_prefix_pps = 29; in it: p2, p3, p4");
  map("192.0.2.0/24,64500\n2001:db8::/32,64500\n2001:db8:2::/48,64501\n");
  caps.network_pps = 0;
  caps.as_pps = 39;
  check(ASZ_ERANGE, "AS64500 would get 40 probes/s: expected at most probe.rate_max_as_pps = 39; in it: p0, p2, p3 and 1 more");
}

Test(caps, rate_is_shown_rounded_up)
{
  caps.network_pps = 1;
  const struct asz_caps_rate slow = {.probes = 1, .per_ms = 3999};
  cr_assert_eq(asz_caps_check(&caps, provider, COUNT, slow, &diag), ASZ_ERANGE);
  cr_assert_not_null(strstr(diag.text, "would get 2 probes/s"), "%s", diag.text);
  const struct asz_caps_rate slower = {.probes = 1, .per_ms = 4000};
  cr_assert_eq(asz_caps_check(&caps, provider, COUNT, slower, &diag), 0, "%s", diag.text);
}

Test(caps, as_is_found_by_the_longest_prefix)
{
  map("0.0.0.0/0,64500\n192.0.2.0/25,64501\n");
  caps.as_pps = 30;
  check(0, ""); /* three each */
  caps.as_pps = 29;
  check(ASZ_ERANGE, "AS64500 would get 30 probes/s: expected at most probe.rate_max_as_pps = 29; in it: p1, p3, p4");
}

Test(caps, two_networks_of_one_as_share_its_cap)
{
  map("192.0.2.0/24,64500\n198.51.100.0/24,64500\n");
  caps.network_pps = 40;
  caps.as_pps = 59;
  check(ASZ_ERANGE, "AS64500 would get 60 probes/s: expected at most probe.rate_max_as_pps = 59; in it: p0, p1, p2 and 3 more");
}

Test(caps, provider_in_no_as_is_refused_by_name)
{
  map("192.0.2.0/24,64500\n");
  check(0, ""); /* nobody asks for the AS */
  caps.as_pps = 1000;
  check(ASZ_ENOENT, "probe.as_file: expected a prefix that holds 198.51.100.1 (p1), since probe.rate_max_as_pps is set");
}

Test(caps, everybody_is_placed_by_the_longest_prefix_or_nowhere)
{
  map("192.0.2.0/24,64500\n192.0.2.2/32,64501\n");
  provider[1].asn = 7; /* of an earlier map */
  asz_caps_place(&caps, provider, COUNT);
  cr_assert_eq(provider[0].asn, 64500);
  cr_assert_eq(provider[2].asn, 64501);
  cr_assert_eq(provider[1].asn, 0);
}

Test(caps, one_provider_is_checked_alone)
{
  caps.network_pps = 100;
  const struct asz_caps_rate sweep = {.probes = 160, .per_ms = 1000};
  cr_assert_eq(asz_caps_check(&caps, provider, 1, sweep, &diag), ASZ_ERANGE);
  cr_assert_eq(asz_caps_check(&caps, provider, 0, ten_a_second, &diag), 0);
}

Test(caps, run_sends_a_probe_a_second_at_least)
{
  struct asz_config config;
  asz_config_default(&config);
  config.probe_interval_ms = 10000;
  cr_assert_eq(asz_caps_run_rate(&config, 4).per_ms, 4000, "four providers share one probe a second");
  cr_assert_eq(asz_caps_run_rate(&config, 10).per_ms, 10000);
  cr_assert_eq(asz_caps_run_rate(&config, 1000000).per_ms, 10000);
}

Test(caps, longest_names_fit_the_line)
{
  for (uint32_t i = 0; i < COUNT; i++) {
    memset(provider[i].name, 'x', ASZ_PROVIDER_NAME_MAX);
    provider[i].name[ASZ_PROVIDER_NAME_MAX] = '\0';
  }
  caps.network_pps = 1;
  cr_assert_eq(asz_caps_check(&caps, provider, COUNT, ten_a_second, &diag), ASZ_ERANGE);
  cr_assert_not_null(strstr(diag.text, "xxx and 1 more"), "%s", diag.text);
}
