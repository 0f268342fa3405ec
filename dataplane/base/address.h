/* SPDX-License-Identifier: Apache-2.0 */
/* asz_address: an IP address of either family where one variable must hold both; asz_ends: who asks whom, and what an answer
 * needs to find its way back. */
#ifndef ASZ_DATAPLANE_BASE_ADDRESS_H
#define ASZ_DATAPLANE_BASE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/err.h"
#include "dataplane/base/ipv6.h"
#include "dataplane/base/wire.h"

struct asz_address {
  union {
    uint32_t ipv4;    /* host order */
    uint8_t ipv6[16]; /* network order */
  };
  uint8_t family; /* enum asz_family; all zero is 0.0.0.0 */
};
_Static_assert(sizeof(struct asz_address) == 20, "part of what crosses rings");

static inline struct asz_address asz_address_ipv4(uint32_t ipv4) {
  return (struct asz_address){.ipv4 = ipv4, .family = ASZ_FAMILY_IPV4};
}
struct asz_address asz_address_ipv6(const uint8_t ipv6[16]);

/* asz_address_parse: a dotted quad or whatever asz_ipv6_parse takes; ASZ_EFORMAT. asz_address_format: the canonical text. */
ASZ_MUST_CHECK int asz_address_parse(struct asz_address *ret_address, const char *text);
void asz_address_format(char ret_text[ASZ_IPV6_TEXT_BYTES], const struct asz_address *address);
bool asz_address_equal(const struct asz_address *a, const struct asz_address *b);
/* asz_address_is_link_local: of fe80::/10, so it means somebody only together with a link. */
bool asz_address_is_link_local(const struct asz_address *address);

/* What does not matter to one side (a socket, a port of our own) is zero there. */
struct asz_ends {
  struct asz_address peer, local; /* who asked; the address that was asked: of one family */
  uint32_t link;                  /* socket: the interface, where an address is link-local; else 0 */
  uint16_t peer_port;
  uint8_t peer_mac[6];              /* port: where the answer goes; a socket leaves it to the kernel */
  uint8_t peer_tag[ASZ_VLAN_BYTES]; /* port: the 802.1Q tag that the request had, as it came; zeros: none */
};
_Static_assert(sizeof(struct asz_ends) == 56, "part of what crosses rings");

#endif
