/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the emulator share: emulator.c (its life, and the doors for the control thread) and loop.c (its lcore).
 * Only the lcore writes what is under "lcore" while it runs. */
#ifndef ASZ_DATAPLANE_EMULATOR_INTERNAL_H
#define ASZ_DATAPLANE_EMULATOR_INTERNAL_H

#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "dataplane/base/clock.h"
#include "dataplane/emulator/delay.h"
#include "dataplane/emulator/emulator.h"
#include "dataplane/emulator/reply.h"
#include "dataplane/nd.h"

enum {
  ASZ_EMULATOR_BURST = 64,          /* frames a turn; as many as the prober sends at once */
  ASZ_EMULATOR_RING_FRAMES = 16384, /* 16 ms of 1 M frames/s: what a time slice of a shared CPU may cost */
  ASZ_EMULATOR_SMALL_BYTES = 192,   /* a tagged STAMP reply with our TLV has 142 */
  ASZ_EMULATOR_LARGE_BYTES = 1536,
  ASZ_EMULATOR_LARGE_FRAMES = 4095,
  ASZ_EMULATOR_DATAGRAMS = 2048, /* in each challenge ring */
  ASZ_EMULATOR_AWAY_NS = 100000, /* five times a turn of full bursts: longer means that somebody else had the CPU */
};

/* What the way to a provider remembers from probe to probe. */
struct asz_way {
  uint32_t left_next; /* the highest number of a probe whose reply has left + 1 */
  uint32_t bad;       /* weather that the last probe met: 0 or 1 */
};

struct asz_emulator {
  struct asz_emulator_config config;
  struct asz_truth *truth;
  struct asz_clock clock;
  struct rte_ring *from_prober, *to_prober; /* mbufs; the net_ring port's transmit and receive queue */
  struct rte_ring *challenges, *answers;    /* struct asz_emulator_datagram by value */
  struct rte_mempool *small, *large;        /* large: challenge answers, and requests with unusual payloads */
  uint16_t port_id;
  bool has_port, running;
  int stamp_offset;    /* of a frame's time in its mbuf */
  uint64_t stamp_flag; /* on its way to the prober; 0: no frame has one */
  uint64_t due_flag;   /* on its way from it: the same field says when it shall leave */
  atomic_bool stop;

  /* Written by the control thread, published whole: the lcore takes the pointer once a burst. Of three the one that is written
   * next was replaced two epochs ago. */
  struct asz_reply_keys keys_store[3];
  unsigned keys_next;
  _Atomic(const struct asz_reply_keys *) keys;

  /* lcore */
  struct asz_hmac_lanes *lanes; /* reached by way of the keys */
  struct asz_delay *delay;
  struct asz_deed *deed;
  struct asz_way *way;
  uint64_t faults, strays;
  uint64_t turn_tsc; /* when the current turn of the loop began */
  bool catching_up;  /* it was away for too long, and what waited meanwhile is not done yet */
  uint64_t answer_count;
  struct rte_mbuf *stock[ASZ_EMULATOR_BURST]; /* small buffers, taken from the pool by the burst */
  unsigned stock_count;
  uint8_t peer_mac[6]; /* of the prober, from its last challenge: where answers go */
  uint32_t peer_ipv4;
  uint8_t peer_ipv6[16];
  struct asz_nd gateway; /* answers for the gateway over IPv6 */
};

extern const uint8_t asz_emulator_gateway_mac[6], asz_emulator_prefix[12];

/* asz_emulator_stamps_init: where stamps go, if the configuration wants some; ASZ_EDEVICE. asz_emulator_stamp: frames that leave
 * at tsc. asz_emulator_sent_tsc: when a frame left the prober that was taken at taken_tsc: not before it was to. */
int asz_emulator_stamps_init(struct asz_emulator *emulator);
void asz_emulator_stamp(const struct asz_emulator *emulator, struct rte_mbuf *const *frame, unsigned count, uint64_t tsc);
uint64_t asz_emulator_sent_tsc(const struct asz_emulator *emulator, const struct rte_mbuf *frame, uint64_t taken_tsc);

/* asz_emulator_loop: the lcore's main function, until emulator->stop; gives back every buffer before it returns 0. */
int asz_emulator_loop(void *emulator);

#endif
