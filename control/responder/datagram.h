/* SPDX-License-Identifier: Apache-2.0 */
/* asz_datagram: one UDP datagram over IPv4 between a socket, or a port, and the code that decides about it. */
#ifndef ASZ_CONTROL_RESPONDER_DATAGRAM_H
#define ASZ_CONTROL_RESPONDER_DATAGRAM_H

#include <stdbool.h>
#include <stdint.h>

enum {
  ASZ_UDP_PAYLOAD_MAX = 1472, /* what fits 1,500 bytes of IPv4: padded STAMP packets of others */
  /* Reflectors answer from ports under this, and a reply is a valid request to the next reflector: one forged packet would make
   * two of them talk to each other for ever. So nobody who asks from there is answered. */
  ASZ_SENDER_PORT_MIN = 1024,
};

struct asz_datagram {
  uint32_t peer_ipv4;  /* host order, as are all */
  uint32_t local_ipv4; /* the address that was asked */
  uint16_t peer_port;
  uint8_t ttl;         /* as it arrived */
  uint8_t peer_mac[6]; /* where the answer goes, on a port of our own; a socket leaves it to the kernel */
  bool broadcast;      /* received on a broadcast or multicast address: not to be answered */
  uint32_t size_bytes; /* ASZ_UDP_PAYLOAD_MAX + 1: it was longer, and cut */
  uint64_t rx_ns;      /* CLOCK_REALTIME */
  uint8_t payload[ASZ_UDP_PAYLOAD_MAX];
};

#endif
