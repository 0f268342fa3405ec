/* SPDX-License-Identifier: Apache-2.0 */
/* What of a registration goes on the log and into the plan. The roots were computed by an independent program from the lines that
 * docs/log.md describes; a change of the first is a change of what IPv4 registrations have always meant. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "control/roster.h"
#include "dataplane/base/ipv6.h"

static struct asz_roster *roster;

static struct asz_provider alpha(void) {
  return (struct asz_provider){.row = 1,
                               .name = "alpha",
                               .ipv4 = 0xc0000201,
                               .port = 862,
                               .challenge_port = 8620,
                               .probe = ASZ_PROBE_STAMP,
                               .region = "eu",
                               .operator_name = "Ann"};
}
static struct asz_provider beta(void) {
  return (struct asz_provider){
      .row = 3, .name = "beta", .device = 3, .ipv4 = 0x0a010203, .port = 863, .probe = ASZ_PROBE_ICMP_ECHO, .control = true};
}
static struct asz_provider gamma_ipv6(void) {
  struct asz_provider p = {
      .row = 2, .name = "gamma", .device = 1, .port = 862, .challenge_port = 8620, .probe = ASZ_PROBE_STAMP, .flags = 1};
  cr_assert_eq(asz_ipv6_parse(p.ipv6, "2001:db8::1:0:0:1"), 0);
  return p;
}

static void make(const struct asz_provider *provider, size_t count) {
  static const uint8_t seed[32] = {1};
  struct asz_identity validator;
  struct asz_diag diag = {""};
  asz_identity_from_seed(&validator, seed);
  struct asz_provider *own = calloc(count, sizeof *own);
  cr_assert_not_null(own);
  memcpy(own, provider, count * sizeof *own);
  cr_assert_eq(asz_roster_new(&roster, own, count, &validator, &diag), 0, "%s", diag.text);
}

static void assert_root(const char *expected) {
  char text[65];
  asz_hex_encode(text, roster->root, 32);
  cr_assert_str_eq(text, expected);
  asz_roster_free(roster);
}

Test(roster, ipv4_registrations_have_the_root_they_always_had)
{
  make((struct asz_provider[]){alpha(), beta()}, 2);
  cr_assert_eq(roster->ipv6_count, 0);
  cr_assert_eq(roster->target[1].ipv4, 0x0a010203);
  cr_assert_eq(roster->target[0].flags | roster->target[1].flags, 0);
  assert_root("000625fe0129f69677149e3e5a382eeafaae8cb54c47bea461138f4cfcd652b6");
}

Test(roster, an_autonomous_system_that_is_known_is_in_the_leaf)
{
  struct asz_provider placed = alpha();
  placed.asn = 64500;
  uint8_t without[32];
  make((struct asz_provider[]){alpha()}, 1);
  memcpy(without, roster->root, 32);
  asz_roster_free(roster);
  make(&placed, 1);
  cr_assert_neq(memcmp(roster->root, without, 32), 0);
  asz_roster_free(roster);
}

Test(roster, ipv6_registration_has_its_canonical_text_and_its_place_in_the_plan)
{
  make((struct asz_provider[]){alpha(), gamma_ipv6(), beta()}, 3);
  cr_assert_eq(roster->ipv6_count, 1);
  cr_assert_eq(roster->target[1].ipv4, 0, "the first of the IPv6 addresses");
  cr_assert_eq(roster->target[1].flags, ASZ_TARGET_NO_SSID | ASZ_TARGET_IPV6);
  cr_assert_eq(memcmp(roster->ipv6[0], gamma_ipv6().ipv6, 16), 0);
  assert_root("c5eec0ba6dee325b2a11ecd9ea19e3b7f020ffd0b6e499cb7c5f65c5ad3e6506");
}
