/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dataplane/addrmap.h"

Test(addrmap, address_twice_is_refused)
{
  struct asz_addrmap map;
  cr_assert(eq(int, asz_addrmap_new(&map, 10, -1), 0));
  asz_addrmap_reset(&map, 10);
  cr_assert(eq(int, asz_addrmap_put(&map, 0x0a000001, 3), 0));
  cr_assert(eq(int, asz_addrmap_put(&map, 0x0a000001, 4), ASZ_EEXIST));
  cr_assert(eq(u32, asz_addrmap_get(&map, 0x0a000001), 3));
  asz_addrmap_free(&map);
}

Test(addrmap, empty_map_knows_nobody)
{
  struct asz_addrmap map;
  cr_assert(eq(int, asz_addrmap_new(&map, 1, -1), 0));
  cr_assert(eq(u32, asz_addrmap_get(&map, 0), ASZ_ADDRMAP_NONE));
  cr_assert(eq(u32, asz_addrmap_get(&map, UINT32_MAX), ASZ_ADDRMAP_NONE));
  asz_addrmap_free(&map);
}

Test(addrmap, address_zero_and_all_ones_are_addresses)
{
  struct asz_addrmap map;
  cr_assert(eq(int, asz_addrmap_new(&map, 2, -1), 0));
  asz_addrmap_reset(&map, 2);
  cr_assert(eq(int, asz_addrmap_put(&map, 0, 0), 0));
  cr_assert(eq(int, asz_addrmap_put(&map, UINT32_MAX, 1), 0));
  cr_assert(eq(u32, asz_addrmap_get(&map, 0), 0));
  cr_assert(eq(u32, asz_addrmap_get(&map, UINT32_MAX), 1));
  asz_addrmap_free(&map);
}

/* Consecutive addresses, as providers in one prefix have them, and scattered ones; every miss is one. */
Test(addrmap, full_map_finds_all_and_nothing_else)
{
  enum { COUNT = 50000 };
  struct asz_addrmap map;
  cr_assert(eq(int, asz_addrmap_new(&map, COUNT, -1), 0));
  for (unsigned scattered = 0; scattered < 2; scattered++) {
    asz_addrmap_reset(&map, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
      /* odd multiplier: one to one */
      uint32_t ipv4 = scattered ? (uint32_t)(i * 2654435769u) : 0x0a400000 + i;
      cr_assert(eq(int, asz_addrmap_put(&map, ipv4, i), 0));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
      uint32_t ipv4 = scattered ? (uint32_t)(i * 2654435769u) : 0x0a400000 + i;
      cr_assert(eq(u32, asz_addrmap_get(&map, ipv4), i));
    }
    for (uint32_t i = COUNT; i < 2 * COUNT; i++) {
      uint32_t ipv4 = scattered ? (uint32_t)(i * 2654435769u) : 0x0a400000 + i;
      cr_assert(eq(u32, asz_addrmap_get(&map, ipv4), ASZ_ADDRMAP_NONE));
    }
  }
  asz_addrmap_free(&map);
}
