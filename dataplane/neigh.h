/* SPDX-License-Identifier: Apache-2.0 */
/* asz_neigh: who is at the other end of the wire: resolves the gateway by ARP, keeps it resolved, and answers ARP for us.
 *
 * Pure: it is told the time and what arrived, and says which frame to send. Asked every 30 s while all is well, every second
 * while not. An answer counts only while a question is open, so a forged reply has a second's window rather than all day. After
 * three questions without an answer the gateway is lost: probes still go to where it was, but what they find is no longer the
 * providers' fault (the engine makes those slots unjudged). */
#ifndef ASZ_DATAPLANE_NEIGH_H
#define ASZ_DATAPLANE_NEIGH_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/wire.h"

enum { ASZ_NEIGH_REFRESH_S = 30, ASZ_NEIGH_RETRY_S = 1, ASZ_NEIGH_TRIES = 3 };

struct asz_neigh {
  uint8_t local_mac[6], gateway_mac[6];
  uint32_t local_ipv4, gateway_ipv4;
  bool fixed;    /* the operator gave the MAC: never asked for */
  bool known;    /* gateway_mac is valid */
  bool lost;     /* known once, silent now */
  uint32_t open; /* questions asked since the last answer */
  uint32_t lost_count;
  uint64_t next_tsc; /* when to ask again */
  uint64_t tsc_hz;
};

/* asz_neigh_init: gateway_mac all zero: resolve. */
void asz_neigh_init(struct asz_neigh *ret_neigh, const uint8_t local_mac[6], uint32_t local_ipv4, uint32_t gateway_ipv4,
                    const uint8_t gateway_mac[6], uint64_t tsc_hz);

/* asz_neigh_word: what others need to know, in one word: the gateway's MAC in the low 48 bits, and ASZ_NEIGH_WORD_LOST. */
#define ASZ_NEIGH_WORD_LOST (UINT64_C(1) << 63)
uint64_t asz_neigh_word(const struct asz_neigh *neigh);
void asz_neigh_word_mac(uint8_t ret_mac[6], uint64_t word);

/* asz_neigh_poll: true when ret_frame (ASZ_ETH_MIN_BYTES) holds a request to send now. */
bool asz_neigh_poll(struct asz_neigh *neigh, uint64_t tsc, uint8_t ret_frame[ASZ_ETH_MIN_BYTES]);

enum asz_neigh_heard { ASZ_NEIGH_IGNORED = 0, ASZ_NEIGH_LEARNED, ASZ_NEIGH_ANSWER };
/* asz_neigh_hear takes an ARP body of size_bytes. ASZ_NEIGH_ANSWER: ret_frame holds a reply to send. */
enum asz_neigh_heard asz_neigh_hear(struct asz_neigh *neigh, uint64_t tsc, const uint8_t *arp, uint32_t size_bytes,
                                    uint8_t ret_frame[ASZ_ETH_MIN_BYTES]);

#endif
