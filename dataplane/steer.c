/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/steer.h"

#include <assert.h>
#include <string.h>

/* The key of Microsoft's specification, which every port that scales knows as its default. */
const uint8_t asz_steer_key[ASZ_STEER_KEY_BYTES] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
    0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

/* Bytes of the hash's input, as the reply has them. */
struct places {
  unsigned ours, their_port, our_port; /* their address is at 0 */
};
static const struct places places[ASZ_FAMILY_COUNT] = {[ASZ_FAMILY_IPV4] = {4, 8, 10}, [ASZ_FAMILY_IPV6] = {16, 32, 34}};
enum { LOW_BITS = 8 };

static unsigned key_bit(unsigned at) {
  return asz_steer_key[at / 8] >> (7 - at % 8) & 1;
}

/* What input bit `at` (0: the first on the wire) adds to the low 8 bits of the hash: key bits at + 24 to at + 31. */
static uint8_t share_of_bit(unsigned at) {
  unsigned share = 0;
  for (unsigned i = 0; i < LOW_BITS; i++)
    share = share << 1 | key_bit(at + 32 - LOW_BITS + i);
  return (uint8_t)share;
}

static uint8_t share_of_byte(unsigned byte_at, unsigned value) {
  uint8_t share = 0;
  for (unsigned bit = 0; bit < 8; bit++)
    if ((value & (0x80u >> bit)) != 0)
      share ^= share_of_bit(8 * byte_at + bit);
  return share;
}

static void table_fill(uint8_t ret_table[256], unsigned byte_at) {
  for (unsigned value = 0; value < 256; value++)
    ret_table[value] = share_of_byte(byte_at, value);
}

/* Chooses port bits whose shares make every value of the low `bits` bits, one more bit at a time: each that adds a value which
 * the chosen ones cannot make doubles what they can. */
static void corrections_find(struct asz_steer *steer, unsigned our_port_at) {
  const unsigned all = 1u << steer->bits;
  unsigned made = 1;
  uint8_t value[1 << ASZ_STEER_BITS_MAX] = {0};
  uint16_t port[1 << ASZ_STEER_BITS_MAX] = {0};
  steer->free_mask = ASZ_STEER_PORTS - 1;
  for (unsigned bit = 0; bit < ASZ_STEER_PORT_BITS && made < all; bit++) {
    unsigned share = share_of_bit(8 * our_port_at + 15 - bit) & (all - 1);
    if (memchr(value, (int)share, made) != NULL)
      continue;
    for (unsigned i = 0; i < made; i++) {
      unsigned at = (made | i) % (1u << ASZ_STEER_BITS_MAX);
      value[at] = (uint8_t)(value[i] ^ share);
      port[at] = (uint16_t)(port[i] | 1u << bit);
    }
    made *= 2;
    steer->free_mask &= (uint16_t) ~(1u << bit);
  }
  assert(made == all); /* the shares of this key's port bits make them all: tested */
  for (unsigned i = 0; i < made; i++)
    steer->correction[value[i]] = port[i];
}

void asz_steer_init(struct asz_steer *ret_steer, enum asz_family family, uint32_t bits, uint32_t lcore, const uint8_t *local) {
  assert(bits <= ASZ_STEER_BITS_MAX && lcore < 1u << bits);
  const struct places *at = &places[family];
  *ret_steer = (struct asz_steer){.bits = (uint8_t)bits, .lcore = (uint8_t)lcore};
  for (unsigned i = 0; i < at->ours; i++) {
    table_fill(ret_steer->address[i], i);
    ret_steer->ours ^= share_of_byte(at->ours + i, local[i]);
  }
  for (unsigned i = 0; i < 2; i++) {
    table_fill(ret_steer->their_port[i], at->their_port + i);
    table_fill(ret_steer->our_port[i], at->our_port + i);
  }
  corrections_find(ret_steer, at->our_port);
}

void asz_steer_init_rules(struct asz_steer *ret_steer, uint32_t bits, uint32_t lcore) {
  assert(bits <= ASZ_STEER_BITS_MAX && lcore < 1u << bits);
  uint16_t all = (uint16_t)((1u << bits) - 1);
  *ret_steer =
      (struct asz_steer){.bits = (uint8_t)bits, .lcore = (uint8_t)lcore, .free_mask = (uint16_t)((ASZ_STEER_PORTS - 1) & ~all)};
  for (uint16_t i = 0; i <= all; i++)
    ret_steer->correction[i] = i;
}
