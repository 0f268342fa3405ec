/* SPDX-License-Identifier: Apache-2.0 */
/* asz_ipv6: IPv6 addresses as 16 bytes in network order: text, and what kind of address one is (RFC 4291). */
#ifndef ASZ_DATAPLANE_BASE_IPV6_H
#define ASZ_DATAPLANE_BASE_IPV6_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/err.h"

enum { ASZ_IPV6_TEXT_BYTES = 46 }; /* the longest text and its NUL */

/* asz_ipv6_parse: whatever inet_pton takes, no zone; ASZ_EFORMAT. asz_ipv6_format: the one canonical spelling (RFC 5952). */
ASZ_MUST_CHECK int asz_ipv6_parse(uint8_t ret_ipv6[16], const char *text);
void asz_ipv6_format(char ret_text[ASZ_IPV6_TEXT_BYTES], const uint8_t ipv6[16]);

/* asz_ipv6_is_none: the unspecified address, which stands for "no address". asz_ipv6_is_host: one that a neighbour on the link
 * may have: not unspecified, loopback, multicast or an IPv4 address in disguise (::ffff:0:0/96). asz_ipv6_is_provider: one that a
 * provider may have: a host's that routers forward to, so not a link-local one either. */
bool asz_ipv6_is_none(const uint8_t ipv6[16]);
bool asz_ipv6_is_host(const uint8_t ipv6[16]);
bool asz_ipv6_is_provider(const uint8_t ipv6[16]);

/* asz_ipv6_in_prefix: are the first `bits` (0..128) of both the same? */
bool asz_ipv6_in_prefix(const uint8_t ipv6[16], const uint8_t prefix[16], unsigned bits);

/* asz_ipv6_solicited: the solicited-node multicast address of an address (RFC 4291 section 2.7.1); asz_ipv6_multicast_mac: the
 * Ethernet address of a multicast one (RFC 2464 section 7). */
void asz_ipv6_solicited(uint8_t ret_ipv6[16], const uint8_t ipv6[16]);
void asz_ipv6_multicast_mac(uint8_t ret_mac[6], const uint8_t ipv6[16]);

#endif
