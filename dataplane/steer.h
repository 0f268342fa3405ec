/* SPDX-License-Identifier: Apache-2.0 */
/* asz_steer: source ports that bring a reply back to the lcore that asked.
 *
 * A port with receive-side scaling spreads frames over its queues by a Toeplitz hash of addresses and ports, under a key that we
 * give it. The hash is linear: each bit of its input that is set adds (exclusive or) a constant. So for each target some bits of
 * our source port can be chosen such that the reply, which comes back to that port, hashes to the queue of the asking lcore. As
 * many bits as there are doublings of lcores are taken from the cookie for it; the others keep theirs. UDP and TCP; ICMP has no
 * ports, and a frame on the wrong queue is passed on in software (prober.c).
 *
 * Toeplitz as in Microsoft's specification of receive-side scaling: the input is source address, destination address, source
 * port, destination port of the received frame, big-endian; the result is the exclusive or of the 32 key bits from each set input
 * bit on. Pure; any thread. */
#ifndef ASZ_DATAPLANE_STEER_H
#define ASZ_DATAPLANE_STEER_H

#include <stdint.h>

#include "dataplane/base/wire.h"

enum {
  ASZ_STEER_KEY_BYTES = 40,
  ASZ_STEER_BITS_MAX = 4,   /* 16 lcores */
  ASZ_STEER_PORT_BITS = 13, /* 8,192 source ports from a base that is a multiple of it */
  ASZ_STEER_PORTS = 1 << ASZ_STEER_PORT_BITS,
};

/* Of one family. Where the port has rules instead of a hash, all shares are 0. */
struct asz_steer {
  uint8_t bits; /* low bits of the hash that name the lcore; 0: one lcore, nothing to choose */
  uint8_t lcore;
  uint8_t ours;             /* our address's share of the hash */
  uint8_t address[16][256]; /* shares of the bytes of the target's address (IPv4: 4 of them) ... */
  uint8_t their_port[2][256];
  uint8_t our_port[2][256];                     /* ... and of both ports, as the reply has them */
  uint16_t free_mask;                           /* bits of a port's offset that are the caller's */
  uint16_t correction[1 << ASZ_STEER_BITS_MAX]; /* the other bits, by what the hash lacks */
};

/* asz_steer_key: the key to give to the port: any will do as long as it is the one that is computed with here. */
extern const uint8_t asz_steer_key[ASZ_STEER_KEY_BYTES];

/* asz_steer_init: lcore < 2^bits, bits <= ASZ_STEER_BITS_MAX; local: our address as on the wire, 4 or 16 bytes. */
void asz_steer_init(struct asz_steer *ret_steer, enum asz_family family, uint32_t bits, uint32_t lcore, const uint8_t *local);

/* asz_steer_init_rules: for a port with rules by the lowest bits of our port (flows.h): whatever the addresses, they are the
 * lcore's number. */
void asz_steer_init_rules(struct asz_steer *ret_steer, uint32_t bits, uint32_t lcore);

/* asz_steer_ipv4, asz_steer_ipv6: the share of a target's address; of a steer of that family. */
static inline unsigned asz_steer_ipv4(const struct asz_steer *steer, uint32_t ipv4) {
  return steer->address[0][ipv4 >> 24] ^ steer->address[1][ipv4 >> 16 & 255] ^ steer->address[2][ipv4 >> 8 & 255] ^
         steer->address[3][ipv4 & 255];
}
static inline unsigned asz_steer_ipv6(const struct asz_steer *steer, const uint8_t ipv6[16]) {
  unsigned share = 0;
  for (unsigned i = 0; i < 16; i++)
    share ^= steer->address[i][ipv6[i]];
  return share;
}

/* asz_steer_offset: the offset, from base, of the source port to ask a target from, whose address has this share; keeps the free
 * bits of `offset` (< ASZ_STEER_PORTS). base is a multiple of ASZ_STEER_PORTS where bits > 0. */
static inline uint32_t asz_steer_offset(const struct asz_steer *steer, uint32_t base, uint32_t offset, unsigned address,
                                        uint16_t their_port) {
  if (steer->bits == 0)
    return offset;
  offset &= steer->free_mask;
  uint32_t port = base + offset;
  unsigned hash = steer->ours ^ address ^ steer->their_port[0][their_port >> 8] ^ steer->their_port[1][their_port & 255] ^
                  steer->our_port[0][port >> 8] ^ steer->our_port[1][port & 255];
  return offset ^ steer->correction[(hash ^ steer->lcore) & ((1u << steer->bits) - 1)];
}

#endif
