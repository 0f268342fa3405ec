/* SPDX-License-Identifier: Apache-2.0 */
/* Against the hash as it is defined, bit by bit, which in turn is held against the published examples. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/draw.h"
#include "dataplane/steer.h"

enum { BASE = 49152 };

static uint32_t toeplitz(const uint8_t *input, unsigned size_bytes) {
  uint32_t hash = 0;
  for (unsigned bit = 0; bit < 8 * size_bytes; bit++) {
    if ((input[bit / 8] >> (7 - bit % 8) & 1) == 0)
      continue;
    for (unsigned i = 0; i < 32; i++) {
      unsigned at = bit + i;
      hash ^= (uint32_t)(asz_steer_key[at / 8] >> (7 - at % 8) & 1) << (31 - i);
    }
  }
  return hash;
}

static uint32_t hash_of(uint32_t src, uint32_t dst, uint16_t src_port, uint16_t dst_port) {
  uint8_t input[12];
  asz_be32_store(input, src);
  asz_be32_store(input + 4, dst);
  asz_be16_store(input + 8, src_port);
  asz_be16_store(input + 10, dst_port);
  return toeplitz(input, sizeof input);
}

/* "Verifying the RSS Hash Calculation": the IPv4 examples with TCP. */
Test(steer, hash_by_definition_agrees_with_the_published_examples)
{
  cr_assert(eq(u32, hash_of(0x420995bb, 0xa18e6450, 2794, 1766), 0x51ccc178));
  cr_assert(eq(u32, hash_of(0xc75c6f02, 0x41458c53, 14230, 4739), 0xc626b0ea));
  cr_assert(eq(u32, hash_of(0x1813c65f, 0x0c16cfb8, 12898, 38024), 0x5c2b394a));
}

/* The low bits of the hash of a reply from `theirs` to `ours`, both with both families' bytes in front. */
static uint32_t hash_of_reply(enum asz_family family, const uint8_t *theirs, const uint8_t *ours, uint16_t their_port,
                              uint16_t our_port) {
  uint8_t input[36];
  unsigned bytes = family == ASZ_FAMILY_IPV6 ? 16 : 4;
  memcpy(input, theirs, bytes);
  memcpy(input + bytes, ours, bytes);
  asz_be16_store(input + 2 * bytes, their_port);
  asz_be16_store(input + 2 * bytes + 2, our_port);
  return toeplitz(input, 2 * bytes + 4);
}

/* The same document's example with TCP over IPv6. */
Test(steer, hash_over_ipv6_agrees_with_the_published_example)
{
  static const uint8_t src[16] = {0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, [15] = 0x07};
  static const uint8_t dst[16] = {0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03, [15] = 0x01};
  cr_assert(eq(u32, hash_of_reply(ASZ_FAMILY_IPV6, src, dst, 2794, 1766), 0x40207d3d));
}

Test(steer, one_lcore_changes_nothing)
{
  struct asz_steer steer;
  asz_steer_init(&steer, ASZ_FAMILY_IPV4, 0, 0, (const uint8_t[4]){10, 63, 0, 1});
  for (uint32_t offset = 0; offset < ASZ_STEER_PORTS; offset += 77)
    cr_assert(eq(u32, asz_steer_offset(&steer, BASE, offset, asz_steer_ipv4(&steer, 0x01020304), 862), offset));
}

static void bytes_draw(uint8_t ret_bytes[16], uint64_t draw) {
  asz_be64_store(ret_bytes, draw);
  asz_be64_store(ret_bytes + 8, asz_draw_mix(draw));
}

static void replies_come_back(enum asz_family family, uint32_t bits, uint32_t lcore) {
  const uint64_t seed = 77;
  struct asz_steer steer;
  uint8_t local[16], theirs[16];
  bytes_draw(local, asz_draw(seed, bits, lcore, 1));
  asz_steer_init(&steer, family, bits, lcore, local);
  for (uint32_t i = 0; i < 2000; i++) {
    uint64_t draw = asz_draw(seed, lcore, i, bits);
    uint32_t wanted = (uint32_t)(draw >> 32) % ASZ_STEER_PORTS;
    uint16_t their_port = i % 3 == 0 ? 862 : (uint16_t)(draw >> 48);
    bytes_draw(theirs, draw);
    unsigned share = family == ASZ_FAMILY_IPV6 ? asz_steer_ipv6(&steer, theirs) : asz_steer_ipv4(&steer, asz_be32_load(theirs));
    uint32_t offset = asz_steer_offset(&steer, BASE, wanted, share, their_port);
    cr_assert(lt(u32, offset, ASZ_STEER_PORTS));
    uint32_t hash = hash_of_reply(family, theirs, local, their_port, (uint16_t)(BASE + offset));
    cr_assert(eq(u32, hash & ((1u << bits) - 1), lcore), "seed %lu, %u bits, step %u", (unsigned long)seed, bits, i);
    cr_assert(eq(u32, offset & steer.free_mask, wanted & steer.free_mask), "the caller's bits are kept");
  }
}

Test(steer, every_reply_hashes_to_the_lcore_that_asked)
{
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
    for (uint32_t bits = 1; bits <= ASZ_STEER_BITS_MAX; bits++)
      for (uint32_t lcore = 0; lcore < 1u << bits; lcore++)
        replies_come_back(family, bits, lcore);
}

Test(steer, as_many_port_bits_are_spent_as_lcores_double)
{
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
    for (uint32_t bits = 0; bits <= ASZ_STEER_BITS_MAX; bits++) {
      struct asz_steer steer;
      asz_steer_init(&steer, family, bits, 0, (const uint8_t[16]){10, 63, 0, 1});
      cr_assert(eq(int, __builtin_popcount(steer.free_mask), (int)(ASZ_STEER_PORT_BITS - bits)));
    }
}
