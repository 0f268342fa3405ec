/* SPDX-License-Identifier: Apache-2.0 */
/* asz_datagram: one UDP datagram between a socket, or a port, and the code that decides about it. */
#ifndef ASZ_CONTROL_RESPONDER_DATAGRAM_H
#define ASZ_CONTROL_RESPONDER_DATAGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/address.h"

enum {
  ASZ_UDP_PAYLOAD_MAX = 1472, /* what fits 1,500 bytes of IPv4: padded STAMP packets of others */
  /* Reflectors answer from ports under this, and a reply is a valid request to the next reflector: one forged packet would make
   * two of them talk to each other for ever. So nobody who asks from there is answered. */
  ASZ_SENDER_PORT_MIN = 1024,
};

struct asz_datagram {
  struct asz_ends ends;
  uint8_t ttl;         /* or hop limit, as it arrived */
  bool broadcast;      /* received on a broadcast or multicast address: not to be answered */
  uint32_t size_bytes; /* ASZ_UDP_PAYLOAD_MAX + 1: it was longer, and cut */
  uint64_t rx_ns;      /* CLOCK_REALTIME */
  uint8_t payload[ASZ_UDP_PAYLOAD_MAX];
};

#endif
