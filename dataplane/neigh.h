/* SPDX-License-Identifier: Apache-2.0 */
/* asz_neigh: who is at the other end of the wire over IPv4: resolves the gateway by ARP, keeps it resolved, and answers ARP for
 * us.
 *
 * Pure: it is told the time and what arrived, and says which frame to send. When to ask is asz_resolve's. */
#ifndef ASZ_DATAPLANE_NEIGH_H
#define ASZ_DATAPLANE_NEIGH_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/wire.h"
#include "dataplane/resolve.h"

struct asz_neigh {
  struct asz_resolve resolve;
  uint8_t local_mac[6];
  uint32_t local_ipv4, gateway_ipv4;
};

/* asz_neigh_init: gateway_mac all zero: resolve. No addresses: nothing is asked or answered. */
void asz_neigh_init(struct asz_neigh *ret_neigh, const uint8_t local_mac[6], uint32_t local_ipv4, uint32_t gateway_ipv4,
                    const uint8_t gateway_mac[6], uint64_t tsc_hz);

/* asz_neigh_poll: true when ret_frame (ASZ_ETH_MIN_BYTES) holds a request to send now. */
bool asz_neigh_poll(struct asz_neigh *neigh, uint64_t tsc, uint8_t ret_frame[ASZ_ETH_MIN_BYTES]);

enum asz_neigh_heard { ASZ_NEIGH_IGNORED = 0, ASZ_NEIGH_LEARNED, ASZ_NEIGH_ANSWER };
/* asz_neigh_hear takes an ARP body of size_bytes. ASZ_NEIGH_ANSWER: ret_frame holds a reply to send. */
enum asz_neigh_heard asz_neigh_hear(struct asz_neigh *neigh, uint64_t tsc, const uint8_t *arp, uint32_t size_bytes,
                                    uint8_t ret_frame[ASZ_ETH_MIN_BYTES]);

#endif
