/* SPDX-License-Identifier: Apache-2.0 */
/* asz_ancillary: what the kernel says beside a datagram and is told beside a reply, for sockets of either family.
 *
 * Beside a datagram come the address that was asked (IP_PKTINFO, RFC 3542's IPV6_PKTINFO), TTL or hop limit, the kernel's time
 * stamp and its count of drops; beside a reply goes the address to send it from. Socket options, control messages and socket
 * addresses are all that differs between the families, so all of it is here. */
#ifndef ASZ_CONTROL_RESPONDER_ANCILLARY_H
#define ASZ_CONTROL_RESPONDER_ANCILLARY_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "control/responder/datagram.h"

/* Room for the larger family's. */
union asz_ancillary_in {
  struct cmsghdr align;
  uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec)) +
                CMSG_SPACE(sizeof(uint32_t))];
};
union asz_ancillary_out {
  struct cmsghdr align;
  uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};
union asz_socket_address {
  struct sockaddr any;
  struct sockaddr_in ipv4;
  struct sockaddr_in6 ipv6;
};

/* asz_ancillary_ask: the socket shall bring all of it; before bind. Not 0: errno says why not. */
int asz_ancillary_ask(int fd, enum asz_family family);
/* asz_ancillary_any_source: the socket may send from every address that was asked, also one that no interface has (AnyIP); after
 * bind, which shall still refuse an address that is not ours. Not 0: errno. */
int asz_ancillary_any_source(int fd, enum asz_family family);

/* asz_ancillary_read fills in what came with a received message: ends (but peer_mac, peer_tag), ttl, broadcast, rx_ns (0: the
 * kernel did not stamp it); *ret_drops as the kernel counts, when it says so. */
void asz_ancillary_read(struct msghdr *header, const union asz_socket_address *peer, struct asz_datagram *datagram,
                        uint32_t *ret_drops);
/* asz_ancillary_write: where from and where to; *out and *ret_peer live as long as the header. */
void asz_ancillary_write(const struct asz_datagram *datagram, union asz_ancillary_out *out, union asz_socket_address *ret_peer,
                         struct msghdr *header);

/* asz_socket_address_of returns its size in bytes. link: sin6_scope_id. */
socklen_t asz_socket_address_of(union asz_socket_address *ret_address, const struct asz_address *address, uint16_t port,
                                uint32_t link);
uint16_t asz_socket_address_port(const union asz_socket_address *address);

#endif
