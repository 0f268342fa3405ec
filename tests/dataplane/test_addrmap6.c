/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dataplane/addrmap6.h"
#include "dataplane/base/bytes.h"

static const uint8_t secret[32] = {1, 2, 3};

/* Address n of a provider's /64, or scattered over all prefixes. */
static const uint8_t *address(uint32_t n, bool scattered) {
  static uint8_t ipv6[16];
  asz_be64_store(ipv6, scattered ? UINT64_C(0x2001000000000000) | n * UINT64_C(2654435769) : UINT64_C(0x20010db800000000));
  asz_be64_store(ipv6 + 8, scattered ? 1 : n);
  return ipv6;
}

Test(addrmap6, address_twice_is_refused)
{
  struct asz_addrmap6 map;
  cr_assert(eq(int, asz_addrmap6_new(&map, 10, -1), 0));
  asz_addrmap6_reset(&map, 10, secret);
  cr_assert(eq(int, asz_addrmap6_put(&map, address(1, false), 3), 0));
  cr_assert(eq(int, asz_addrmap6_put(&map, address(1, false), 4), ASZ_EEXIST));
  cr_assert(eq(u32, asz_addrmap6_get(&map, address(1, false)), 3));
  asz_addrmap6_free(&map);
}

Test(addrmap6, map_without_memory_takes_none_and_knows_nobody)
{
  struct asz_addrmap6 map;
  cr_assert(eq(int, asz_addrmap6_new(&map, 0, -1), 0));
  asz_addrmap6_reset(&map, 0, secret);
  asz_addrmap6_prefetch(&map, address(1, false));
  cr_assert(eq(u32, asz_addrmap6_get(&map, address(1, false)), UINT32_MAX));
  cr_assert(eq(sz, asz_addrmap6_bytes(&map), 0));
  asz_addrmap6_free(&map);
}

Test(addrmap6, reset_forgets_everybody)
{
  struct asz_addrmap6 map;
  cr_assert(eq(int, asz_addrmap6_new(&map, 4, -1), 0));
  asz_addrmap6_reset(&map, 4, secret);
  cr_assert(eq(int, asz_addrmap6_put(&map, address(1, false), 3), 0));
  asz_addrmap6_reset(&map, 4, secret);
  cr_assert(eq(u32, asz_addrmap6_get(&map, address(1, false)), UINT32_MAX));
  asz_addrmap6_free(&map);
}

/* The hash's key is the epoch's, so nobody can know what collides. */
Test(addrmap6, another_secret_orders_the_table_anew)
{
  struct asz_addrmap6 map;
  const uint8_t other[32] = {9};
  cr_assert(eq(int, asz_addrmap6_new(&map, 1, -1), 0));
  asz_addrmap6_reset(&map, 1, secret);
  struct asz_cookie_key before = map.key;
  asz_addrmap6_reset(&map, 1, other);
  cr_assert(ne(u64, map.key.k0, before.k0));
  asz_addrmap6_free(&map);
}

Test(addrmap6, full_map_finds_all_and_nothing_else)
{
  enum { COUNT = 50000 };
  struct asz_addrmap6 map;
  cr_assert(eq(int, asz_addrmap6_new(&map, COUNT, -1), 0));
  for (unsigned scattered = 0; scattered < 2; scattered++) {
    asz_addrmap6_reset(&map, COUNT, secret);
    for (uint32_t i = 0; i < COUNT; i++)
      cr_assert(eq(int, asz_addrmap6_put(&map, address(i, scattered), i), 0));
    for (uint32_t i = 0; i < COUNT; i++)
      cr_assert(eq(u32, asz_addrmap6_get(&map, address(i, scattered)), i));
    for (uint32_t i = COUNT; i < 2 * COUNT; i++)
      cr_assert(eq(u32, asz_addrmap6_get(&map, address(i, scattered)), UINT32_MAX));
  }
  asz_addrmap6_free(&map);
}
