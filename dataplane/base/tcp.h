/* SPDX-License-Identifier: Apache-2.0 */
/* asz_tcp: as much of TCP as a probe needs that opens no connection: options of a SYN or SYN-ACK, and the reset that takes one
 * back. Layouts: RFC 9293 sections 3.1 and 3.2, RFC 7323 section 3.2 (timestamps). Pure; any thread. */
#ifndef ASZ_DATAPLANE_BASE_TCP_H
#define ASZ_DATAPLANE_BASE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"
#include "dataplane/base/wire.h"

enum {
  ASZ_TCP_OPTION_END = 0,
  ASZ_TCP_OPTION_NOP = 1,
  ASZ_TCP_OPTION_MSS = 2,
  ASZ_TCP_OPTION_TIMES = 8,
  ASZ_TCP_MSS_BYTES = 4,
  ASZ_TCP_TIMES_BYTES = 10,
  ASZ_TCP_OPEN_BYTES = ASZ_TCP_BYTES + ASZ_TCP_MSS_BYTES + 2 + ASZ_TCP_TIMES_BYTES, /* 36: header of our SYN */
  ASZ_TCP_RESET_BYTES_MAX = 96,                                                     /* a reset's frame, tags and all */
};

struct asz_tcp_options {
  bool has_times;
  uint32_t time; /* TSval */
  uint32_t echo; /* TSecr */
};
/* asz_tcp_options_read walks the options of a header of header_bytes (20..60, as asz_wire_parse found it). ASZ_EFORMAT for an
 * option that is shorter than its own two bytes or ends beyond the header, and for timestamps of another length or twice. Options
 * that we do not know are stepped over. */
ASZ_MUST_CHECK int asz_tcp_options_read(struct asz_tcp_options *ret_options, const uint8_t *tcp, size_t header_bytes);

/* asz_tcp_open_write: a SYN or SYN-ACK header of ASZ_TCP_OPEN_BYTES: MSS, NOP, NOP, timestamps; checksum 0. */
void asz_tcp_open_write(uint8_t *tcp, uint8_t flags, uint16_t window, uint16_t mss);
enum { ASZ_TCP_OPEN_TIME = 28, ASZ_TCP_OPEN_ECHO = 32 }; /* where its TSval and TSecr are */

/* asz_tcp_reset_write: the frame that takes back the connection that a SYN-ACK offers (RFC 9293 section 3.5.2: sequence = its
 * acknowledgement). `reply` is the frame that `frame` was parsed from, of kind TCP (asserted); Ethernet header and tags are the
 * reply's, turned round. Returns its size, ASZ_ETH_MIN_BYTES..ASZ_TCP_RESET_BYTES_MAX. */
uint16_t asz_tcp_reset_write(uint8_t ret_frame[ASZ_TCP_RESET_BYTES_MAX], const uint8_t *reply, const struct asz_frame *frame);

#endif
