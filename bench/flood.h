/* SPDX-License-Identifier: Apache-2.0 */
/* asz_flood: a client that keeps a UDP server of this machine busy: a window of requests in flight, each reply makes room for the
 * next one. After 20 ms without a reply the whole window is thought lost. */
#ifndef ASZ_BENCH_FLOOD_H
#define ASZ_BENCH_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/err.h"

enum { ASZ_FLOOD_BATCH = 64, ASZ_FLOOD_PAYLOAD_MAX = 128 };

struct asz_flood {
  const uint8_t *payload; /* the first of count (a power of two), stride_bytes apart */
  uint32_t count, stride_bytes;
  uint32_t payload_bytes; /* up to ASZ_FLOOD_PAYLOAD_MAX */
  uint32_t window;        /* requests in flight */
  bool segment;           /* 16 requests a datagram for the kernel to cut (UDP_SEGMENT): what receive offload wants to see */
};

/* asz_flood_open: a socket connected to a port of 127.0.0.1; negative when it can't be had. */
int asz_flood_open(uint16_t port);
/* asz_flood_run: from the calling thread, for duration_ns; ASZ_EIO when the kernel takes nothing. */
ASZ_MUST_CHECK int asz_flood_run(const struct asz_flood *flood, int fd, uint64_t duration_ns);

#endif
