/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/neigh.h"

#include <string.h>

static const uint8_t no_mac[6];

void asz_neigh_init(struct asz_neigh *ret_neigh, const uint8_t local_mac[6], uint32_t local_ipv4, uint32_t gateway_ipv4,
                    const uint8_t gateway_mac[6], uint64_t tsc_hz) {
  *ret_neigh = (struct asz_neigh){.local_ipv4 = local_ipv4, .gateway_ipv4 = gateway_ipv4};
  memcpy(ret_neigh->local_mac, local_mac, 6);
  asz_resolve_init(&ret_neigh->resolve, gateway_mac, tsc_hz);
  ret_neigh->resolve.fixed |= gateway_ipv4 == 0;
}

bool asz_neigh_poll(struct asz_neigh *neigh, uint64_t tsc, uint8_t ret_frame[ASZ_ETH_MIN_BYTES]) {
  if (!asz_resolve_due(&neigh->resolve, tsc))
    return false;
  asz_wire_arp_write(ret_frame, ASZ_ARP_REQUEST, neigh->local_mac, neigh->local_ipv4, no_mac, neigh->gateway_ipv4);
  return true;
}

enum asz_neigh_heard asz_neigh_hear(struct asz_neigh *neigh, uint64_t tsc, const uint8_t *arp, uint32_t size_bytes,
                                    uint8_t ret_frame[ASZ_ETH_MIN_BYTES]) {
  struct asz_arp heard;
  if (asz_wire_arp_read(&heard, arp, size_bytes) != 0 || heard.target_ipv4 != neigh->local_ipv4 || neigh->local_ipv4 == 0)
    return ASZ_NEIGH_IGNORED;
  if (heard.operation == ASZ_ARP_REQUEST) {
    asz_wire_arp_write(ret_frame, ASZ_ARP_REPLY, neigh->local_mac, neigh->local_ipv4, heard.sender_mac, heard.sender_ipv4);
    return ASZ_NEIGH_ANSWER;
  }
  if (heard.operation != ASZ_ARP_REPLY || heard.sender_ipv4 != neigh->gateway_ipv4)
    return ASZ_NEIGH_IGNORED;
  return asz_resolve_answer(&neigh->resolve, tsc, heard.sender_mac) ? ASZ_NEIGH_LEARNED : ASZ_NEIGH_IGNORED;
}
