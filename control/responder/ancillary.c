/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/ancillary.h"

#include <string.h>

/* Linux's in6.h has it, libc's does not. */
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

static int switch_on(int fd, int level, int option) {
  const int on = 1;
  return setsockopt(fd, level, option, &on, sizeof on);
}

int asz_ancillary_ask(int fd, enum asz_family family) {
  if (switch_on(fd, SOL_SOCKET, SO_TIMESTAMPNS) || switch_on(fd, SOL_SOCKET, SO_RXQ_OVFL))
    return -1;
  if (family == ASZ_FAMILY_IPV6) /* V6ONLY: a socket of its own has the other family */
    return switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) || switch_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO) ||
           switch_on(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
  return switch_on(fd, IPPROTO_IP, IP_PKTINFO) || switch_on(fd, IPPROTO_IP, IP_RECVTTL);
}

/* IPv4 takes whatever address it finds in IP_PKTINFO. */
int asz_ancillary_any_source(int fd, enum asz_family family) {
  return family == ASZ_FAMILY_IPV6 ? switch_on(fd, IPPROTO_IPV6, IPV6_FREEBIND) : 0;
}

socklen_t asz_socket_address_of(union asz_socket_address *ret_address, const struct asz_address *address, uint16_t port,
                                uint32_t link) {
  if (address->family == ASZ_FAMILY_IPV4) {
    ret_address->ipv4 =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address->ipv4)};
    return sizeof ret_address->ipv4;
  }
  ret_address->ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = link};
  memcpy(&ret_address->ipv6.sin6_addr, address->ipv6, sizeof address->ipv6);
  return sizeof ret_address->ipv6;
}

uint16_t asz_socket_address_port(const union asz_socket_address *address) {
  return ntohs(address->any.sa_family == AF_INET6 ? address->ipv6.sin6_port : address->ipv4.sin_port);
}

static struct asz_address address_of(const union asz_socket_address *address) {
  if (address->any.sa_family == AF_INET6)
    return asz_address_ipv6(address->ipv6.sin6_addr.s6_addr);
  return asz_address_ipv4(ntohl(address->ipv4.sin_addr.s_addr));
}

static void read_ipv4(int type, const void *data, struct asz_datagram *datagram) {
  if (type == IP_PKTINFO) {
    struct in_pktinfo info;
    memcpy(&info, data, sizeof info);
    datagram->ends.local = asz_address_ipv4(ntohl(info.ipi_spec_dst.s_addr));
    datagram->broadcast = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
  } else if (type == IP_TTL) {
    int ttl;
    memcpy(&ttl, data, sizeof ttl);
    datagram->ttl = (uint8_t)ttl;
  }
}

static void read_ipv6(int type, const void *data, struct asz_datagram *datagram) {
  struct asz_ends *ends = &datagram->ends;
  if (type == IPV6_PKTINFO) {
    struct in6_pktinfo info;
    memcpy(&info, data, sizeof info);
    ends->local = asz_address_ipv6(info.ipi6_addr.s6_addr);
    datagram->broadcast = ends->local.ipv6[0] == 0xff; /* IPv6 has multicast only */
    if (asz_address_is_link_local(&ends->local) || asz_address_is_link_local(&ends->peer))
      ends->link = info.ipi6_ifindex;
  } else if (type == IPV6_HOPLIMIT) {
    int hop_limit;
    memcpy(&hop_limit, data, sizeof hop_limit);
    datagram->ttl = (uint8_t)hop_limit;
  }
}

static void read_socket(int type, const void *data, struct asz_datagram *datagram, uint32_t *ret_drops) {
  if (type == SCM_TIMESTAMPNS) {
    struct timespec when;
    memcpy(&when, data, sizeof when);
    datagram->rx_ns = (uint64_t)when.tv_sec * 1000000000u + (uint64_t)when.tv_nsec;
  } else if (type == SO_RXQ_OVFL) {
    memcpy(ret_drops, data, sizeof *ret_drops);
  }
}

void asz_ancillary_read(struct msghdr *header, const union asz_socket_address *peer, struct asz_datagram *datagram,
                        uint32_t *ret_drops) {
  datagram->ends = (struct asz_ends){.peer = address_of(peer), .peer_port = asz_socket_address_port(peer)};
  datagram->ends.local.family = datagram->ends.peer.family;
  datagram->ttl = 0;
  datagram->broadcast = false;
  datagram->rx_ns = 0;
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
    const void *data = CMSG_DATA(control);
    if (control->cmsg_level == IPPROTO_IP)
      read_ipv4(control->cmsg_type, data, datagram);
    else if (control->cmsg_level == IPPROTO_IPV6)
      read_ipv6(control->cmsg_type, data, datagram);
    else if (control->cmsg_level == SOL_SOCKET)
      read_socket(control->cmsg_type, data, datagram, ret_drops);
  }
}

static void write_message(struct msghdr *header, int level, int type, const void *info, size_t info_bytes) {
  header->msg_controllen = CMSG_SPACE(info_bytes);
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(info_bytes);
  memcpy(CMSG_DATA(control), info, info_bytes);
}

void asz_ancillary_write(const struct asz_datagram *datagram, union asz_ancillary_out *out, union asz_socket_address *ret_peer,
                         struct msghdr *header) {
  const struct asz_ends *ends = &datagram->ends;
  header->msg_namelen = asz_socket_address_of(ret_peer, &ends->peer, ends->peer_port, ends->link);
  header->msg_name = ret_peer;
  header->msg_control = out;
  header->msg_controllen = sizeof *out;
  if (ends->peer.family == ASZ_FAMILY_IPV6) {
    struct in6_pktinfo info = {.ipi6_ifindex = ends->link};
    memcpy(&info.ipi6_addr, ends->local.ipv6, sizeof ends->local.ipv6);
    write_message(header, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
  } else {
    const struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(ends->local.ipv4)};
    write_message(header, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
  }
}
