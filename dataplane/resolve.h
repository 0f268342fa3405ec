/* SPDX-License-Identifier: Apache-2.0 */
/* asz_resolve: when to ask for the gateway, and what its silence means; the same for ARP and for neighbour discovery.
 *
 * Asked every 30 s while all is well, every second while not. An answer counts only while a question is open, so a forged one has
 * a second's window rather than all day. After three questions without an answer the gateway is lost, until it speaks again: what
 * is due meanwhile is not the providers' fault. */
#ifndef ASZ_DATAPLANE_RESOLVE_H
#define ASZ_DATAPLANE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { ASZ_RESOLVE_REFRESH_S = 30, ASZ_RESOLVE_RETRY_S = 1, ASZ_RESOLVE_TRIES = 3 };

struct asz_resolve {
  uint8_t gateway_mac[6];
  bool fixed;    /* never asked for: the operator gave the MAC, or there is no gateway of this family */
  bool known;    /* gateway_mac is valid */
  bool lost;     /* known once, silent now */
  uint32_t open; /* questions asked since the last answer */
  uint32_t lost_count;
  uint64_t next_tsc; /* when to ask again */
  uint64_t tsc_hz;
};

/* asz_resolve_init: gateway_mac all zero: ask. */
static inline void asz_resolve_init(struct asz_resolve *ret_resolve, const uint8_t gateway_mac[6], uint64_t tsc_hz) {
  static const uint8_t no_mac[6];
  bool fixed = memcmp(gateway_mac, no_mac, 6) != 0;
  *ret_resolve = (struct asz_resolve){.fixed = fixed, .known = fixed, .tsc_hz = tsc_hz};
  memcpy(ret_resolve->gateway_mac, gateway_mac, 6);
}

/* asz_resolve_due: true when a question is to be sent now; it counts as asked. */
static inline bool asz_resolve_due(struct asz_resolve *resolve, uint64_t tsc) {
  if (resolve->fixed || tsc < resolve->next_tsc)
    return false;
  if (resolve->open >= ASZ_RESOLVE_TRIES && resolve->known && !resolve->lost) {
    resolve->lost = true;
    resolve->lost_count++;
  }
  resolve->open++;
  resolve->next_tsc = tsc + ASZ_RESOLVE_RETRY_S * resolve->tsc_hz;
  return true;
}

/* asz_resolve_answer: the gateway said that its MAC is this one. False when nobody asked, or when no host can have such a MAC. */
static inline bool asz_resolve_answer(struct asz_resolve *resolve, uint64_t tsc, const uint8_t mac[6]) {
  static const uint8_t no_mac[6];
  if (resolve->open == 0 || (mac[0] & 1) != 0 || memcmp(mac, no_mac, 6) == 0)
    return false;
  memcpy(resolve->gateway_mac, mac, 6);
  resolve->known = true;
  resolve->lost = false;
  resolve->open = 0;
  resolve->next_tsc = tsc + ASZ_RESOLVE_REFRESH_S * resolve->tsc_hz;
  return true;
}

/* asz_resolve_renew: the wire was gone and is back: ask next time, and count the gateway's silence from here. Until an answer
 * comes the last one stands. */
static inline void asz_resolve_renew(struct asz_resolve *resolve, uint64_t tsc) {
  resolve->open = 0;
  resolve->next_tsc = tsc;
}

/* asz_resolve_word: what other lcores need to know, in one word: the gateway's MAC in the low 48 bits, and ASZ_RESOLVE_WORD_LOST.
 */
#define ASZ_RESOLVE_WORD_LOST (UINT64_C(1) << 63)
static inline uint64_t asz_resolve_word(const struct asz_resolve *resolve) {
  uint64_t word = resolve->lost ? ASZ_RESOLVE_WORD_LOST : 0;
  for (int i = 0; i < 6; i++)
    word |= (uint64_t)resolve->gateway_mac[i] << (40 - 8 * i);
  return word;
}
static inline void asz_resolve_word_mac(uint8_t ret_mac[6], uint64_t word) {
  for (int i = 0; i < 6; i++)
    ret_mac[i] = (uint8_t)(word >> (40 - 8 * i));
}

#endif
