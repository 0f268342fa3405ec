/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "control/responder/limiter.h"

static const uint8_t hash_key[16] = {1, 2, 3};

static unsigned take_many(const struct asz_rate *rate, uint64_t *next_ns, uint64_t now_ns, unsigned tries) {
  unsigned taken = 0;
  for (unsigned i = 0; i < tries; i++)
    taken += asz_rate_take(rate, next_ns, now_ns);
  return taken;
}

static bool take(struct asz_limiter *limiter, uint32_t ipv4, uint64_t now_ns) {
  const struct asz_address source = asz_address_ipv4(ipv4);
  return asz_limiter_take(limiter, &source, now_ns);
}

static bool take6(struct asz_limiter *limiter, const char *text, uint64_t now_ns) {
  struct asz_address source;
  cr_assert_eq(asz_address_parse(&source, text), 0);
  return asz_limiter_take(limiter, &source, now_ns);
}

static struct asz_limiter *limiter_of(uint64_t pps, uint64_t burst) {
  struct asz_limiter *limiter;
  const struct asz_rate rate = asz_rate_make(pps, burst);
  cr_assert_eq(asz_limiter_new(&limiter, &rate, hash_key), 0);
  return limiter;
}

Test(limiter, rate_refuses_what_is_over_the_burst)
{
  const struct asz_rate rate = asz_rate_make(1000, 5);
  uint64_t next_ns = 0;
  cr_assert_eq(take_many(&rate, &next_ns, 1000000000u, 100), 5);
}

Test(limiter, rate_refusal_costs_the_peer_nothing_later)
{
  const struct asz_rate rate = asz_rate_make(1000, 1);
  uint64_t next_ns = 0;
  cr_assert_eq(take_many(&rate, &next_ns, 0, 1000000), 1);
  cr_assert_not(asz_rate_take(&rate, &next_ns, 999999));
  cr_assert(asz_rate_take(&rate, &next_ns, 1000000));
}

Test(limiter, rate_over_a_long_time_is_what_was_asked_for)
{
  const struct asz_rate rate = asz_rate_make(1000, 10);
  uint64_t next_ns = 0;
  unsigned taken = 0;
  for (uint64_t now_ns = 0; now_ns < 1000000000u; now_ns += 10000) /* 100,000 tries in a second */
    taken += asz_rate_take(&rate, &next_ns, now_ns);
  cr_assert(taken >= 1000 && taken <= 1010, "%u in a second", taken);
}

Test(limiter, rate_idle_peer_saves_no_more_than_a_burst)
{
  const struct asz_rate rate = asz_rate_make(1000000, 8);
  uint64_t next_ns = 0;
  cr_assert_eq(take_many(&rate, &next_ns, 0, 100), 8);
  cr_assert_eq(take_many(&rate, &next_ns, UINT64_MAX / 2, 100), 8, "after an age of silence");
}

Test(limiter, sources_are_limited_apart)
{
  struct asz_limiter *limiter = limiter_of(10, 3);
  for (unsigned i = 0; i < 10; i++)
    cr_assert_eq(take(limiter, 0x0a000001, 0), i < 3);
  cr_assert(take(limiter, 0x0a000002, 0), "another source has its own tokens");
  asz_limiter_free(limiter);
}

Test(limiter, hosts_of_one_ipv6_network_share_a_rate_and_those_of_two_do_not)
{
  struct asz_limiter *limiter = limiter_of(10, 2);
  cr_assert(take6(limiter, "2001:db8::1", 0));
  cr_assert(take6(limiter, "2001:db8::ffff:ffff:ffff:ffff", 0));
  cr_assert_not(take6(limiter, "2001:db8::2", 0), "a third address of the /64");
  cr_assert(take6(limiter, "2001:db8:0:1::1", 0), "the /64 next to it");
  asz_limiter_free(limiter);
}

Test(limiter, families_share_no_rate)
{
  struct asz_limiter *limiter = limiter_of(10, 1);
  cr_assert(take(limiter, 0x20010db8, 0));
  cr_assert(take6(limiter, "::2001:db8:0:0:0:1", 0), "the network whose number is that of the IPv4 address");
  cr_assert(take6(limiter, "2001:db8::", 0));
  cr_assert_not(take(limiter, 0x20010db8, 0));
  asz_limiter_free(limiter);
}

Test(limiter, flood_from_one_ipv6_network_is_one_source)
{
  struct asz_limiter *limiter = limiter_of(1, 1);
  struct asz_address source;
  cr_assert_eq(asz_address_parse(&source, "2001:db8::"), 0);
  unsigned taken = 0;
  for (uint32_t host = 0; host < 100000; host++) {
    memcpy(source.ipv6 + 12, &host, sizeof host);
    taken += asz_limiter_take(limiter, &source, 0);
  }
  cr_assert_eq(taken, 1, "%u of 100,000 addresses of one /64", taken);
  asz_limiter_free(limiter);
}

Test(limiter, source_zero_is_a_source_as_any)
{
  struct asz_limiter *limiter = limiter_of(10, 2);
  cr_assert(take(limiter, 0, 0));
  cr_assert(take(limiter, 0, 0));
  cr_assert_not(take(limiter, 0, 0));
  asz_limiter_free(limiter);
}

Test(limiter, flood_of_forged_sources_never_silences_an_honest_one)
{
  struct asz_limiter *limiter = limiter_of(1000, 1);
  uint32_t forged = 0x20000000;
  for (uint64_t ms = 0; ms < 200; ms++) {
    for (unsigned i = 0; i < 5000; i++)
      (void)take(limiter, forged++, ms * 1000000);
    cr_assert(take(limiter, 0x0a000001, ms * 1000000), "honest source refused in ms %u", (unsigned)ms);
  }
  asz_limiter_free(limiter);
}

Test(limiter, table_holds_thousands_of_sources_at_their_limit)
{
  struct asz_limiter *limiter = limiter_of(1, 1);
  enum { SOURCES = 8192 }; /* an eighth of the table: a set overflows with probability under 0.1 % */
  unsigned second = 0;
  for (uint32_t source = 1; source <= SOURCES; source++)
    cr_assert(take(limiter, source, 1000));
  for (uint32_t source = 1; source <= SOURCES; source++)
    second += take(limiter, source, 1000);
  cr_assert_lt(second, SOURCES / 100, "%u of %u limited sources were forgotten", second, SOURCES);
  asz_limiter_free(limiter);
}
