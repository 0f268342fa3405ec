/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/neigh.h"

#include <string.h>

static const uint8_t no_mac[6];

void asz_neigh_init(struct asz_neigh *ret_neigh, const uint8_t local_mac[6], uint32_t local_ipv4, uint32_t gateway_ipv4,
                    const uint8_t gateway_mac[6], uint64_t tsc_hz) {
  bool fixed = memcmp(gateway_mac, no_mac, 6) != 0;
  *ret_neigh = (struct asz_neigh){
      .local_ipv4 = local_ipv4, .gateway_ipv4 = gateway_ipv4, .fixed = fixed, .known = fixed, .tsc_hz = tsc_hz};
  memcpy(ret_neigh->local_mac, local_mac, 6);
  memcpy(ret_neigh->gateway_mac, gateway_mac, 6);
}

uint64_t asz_neigh_word(const struct asz_neigh *neigh) {
  uint64_t word = neigh->lost ? ASZ_NEIGH_WORD_LOST : 0;
  for (int i = 0; i < 6; i++)
    word |= (uint64_t)neigh->gateway_mac[i] << (40 - 8 * i);
  return word;
}

void asz_neigh_word_mac(uint8_t ret_mac[6], uint64_t word) {
  for (int i = 0; i < 6; i++)
    ret_mac[i] = (uint8_t)(word >> (40 - 8 * i));
}

bool asz_neigh_poll(struct asz_neigh *neigh, uint64_t tsc, uint8_t ret_frame[ASZ_ETH_MIN_BYTES]) {
  if (neigh->fixed || tsc < neigh->next_tsc)
    return false;
  if (neigh->open >= ASZ_NEIGH_TRIES && neigh->known && !neigh->lost) {
    neigh->lost = true;
    neigh->lost_count++;
  }
  neigh->open++;
  neigh->next_tsc = tsc + ASZ_NEIGH_RETRY_S * neigh->tsc_hz;
  asz_wire_arp_write(ret_frame, ASZ_ARP_REQUEST, neigh->local_mac, neigh->local_ipv4, no_mac, neigh->gateway_ipv4);
  return true;
}

enum asz_neigh_heard asz_neigh_hear(struct asz_neigh *neigh, uint64_t tsc, const uint8_t *arp, uint32_t size_bytes,
                                    uint8_t ret_frame[ASZ_ETH_MIN_BYTES]) {
  struct asz_arp heard;
  if (asz_wire_arp_read(&heard, arp, size_bytes) != 0 || heard.target_ipv4 != neigh->local_ipv4)
    return ASZ_NEIGH_IGNORED;
  if (heard.operation == ASZ_ARP_REQUEST) {
    asz_wire_arp_write(ret_frame, ASZ_ARP_REPLY, neigh->local_mac, neigh->local_ipv4, heard.sender_mac, heard.sender_ipv4);
    return ASZ_NEIGH_ANSWER;
  }
  bool unicast = (heard.sender_mac[0] & 1) == 0 && memcmp(heard.sender_mac, no_mac, 6) != 0;
  if (heard.operation != ASZ_ARP_REPLY || heard.sender_ipv4 != neigh->gateway_ipv4 || neigh->open == 0 || !unicast)
    return ASZ_NEIGH_IGNORED;
  memcpy(neigh->gateway_mac, heard.sender_mac, 6);
  neigh->known = true;
  neigh->lost = false;
  neigh->open = 0;
  neigh->next_tsc = tsc + ASZ_NEIGH_REFRESH_S * neigh->tsc_hz;
  return ASZ_NEIGH_LEARNED;
}
