/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/tcp.h"

#include <assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"

enum { RESET_TTL = 64, OPTION_LENGTH = 1, TIMES_VALUE = 2, TIMES_ECHO = 6 };

static int times_read(struct asz_tcp_options *options, const uint8_t *option, size_t size_bytes) {
  if (size_bytes != ASZ_TCP_TIMES_BYTES || options->has_times)
    return ASZ_EFORMAT;
  options->has_times = true;
  options->time = asz_be32_load(option + TIMES_VALUE);
  options->echo = asz_be32_load(option + TIMES_ECHO);
  return 0;
}

int asz_tcp_options_read(struct asz_tcp_options *ret_options, const uint8_t *tcp, size_t header_bytes) {
  struct asz_tcp_options options = {0};
  for (size_t at = ASZ_TCP_BYTES; at < header_bytes && tcp[at] != ASZ_TCP_OPTION_END;) {
    if (tcp[at] == ASZ_TCP_OPTION_NOP) {
      at++;
      continue;
    }
    if (header_bytes - at < 2 || tcp[at + OPTION_LENGTH] < 2 || tcp[at + OPTION_LENGTH] > header_bytes - at)
      return ASZ_EFORMAT;
    size_t size_bytes = tcp[at + OPTION_LENGTH];
    if (tcp[at] == ASZ_TCP_OPTION_TIMES && times_read(&options, tcp + at, size_bytes) != 0)
      return ASZ_EFORMAT;
    at += size_bytes;
  }
  *ret_options = options;
  return 0;
}

void asz_tcp_open_write(uint8_t *tcp, uint8_t flags, uint16_t window, uint16_t mss) {
  memset(tcp, 0, ASZ_TCP_OPEN_BYTES);
  tcp[ASZ_TCP_OFFSET] = ASZ_TCP_OPEN_BYTES / 4 << 4;
  tcp[ASZ_TCP_FLAGS] = flags;
  asz_be16_store(tcp + ASZ_TCP_WINDOW, window);
  uint8_t *option = tcp + ASZ_TCP_BYTES;
  option[0] = ASZ_TCP_OPTION_MSS;
  option[OPTION_LENGTH] = ASZ_TCP_MSS_BYTES;
  asz_be16_store(option + 2, mss);
  option += ASZ_TCP_MSS_BYTES;
  option[0] = ASZ_TCP_OPTION_NOP; /* two of them, as everybody sends it: the times then lie on words */
  option[1] = ASZ_TCP_OPTION_NOP;
  option[2] = ASZ_TCP_OPTION_TIMES;
  option[2 + OPTION_LENGTH] = ASZ_TCP_TIMES_BYTES;
}

/* The reply's IP addresses, turned round; returns where TCP begins. */
static uint8_t *reset_ip_write(uint8_t *ip, const uint8_t *reply, const struct asz_frame *frame) {
  if (frame->family == ASZ_FAMILY_IPV4) {
    asz_wire_ipv4_write(ip, frame->dst_ipv4, frame->src_ipv4, ASZ_PROTOCOL_TCP, RESET_TTL, ASZ_TCP_BYTES);
    return ip + ASZ_IPV4_BYTES;
  }
  asz_wire_ipv6_write(ip, asz_frame_dst_ipv6(frame, reply), asz_frame_src_ipv6(frame, reply), ASZ_PROTOCOL_TCP, RESET_TTL,
                      ASZ_TCP_BYTES);
  return ip + ASZ_IPV6_BYTES;
}

uint16_t asz_tcp_reset_write(uint8_t ret_frame[ASZ_TCP_RESET_BYTES_MAX], const uint8_t *reply, const struct asz_frame *frame) {
  const uint8_t *from = reply + frame->l4_offset;
  assert(frame->kind == ASZ_FRAME_TCP && frame->l3_offset + ASZ_IPV6_BYTES + ASZ_TCP_BYTES <= ASZ_TCP_RESET_BYTES_MAX);
  memset(ret_frame, 0, ASZ_TCP_RESET_BYTES_MAX);
  memcpy(ret_frame, reply, frame->l3_offset);
  memcpy(ret_frame + ASZ_ETH_DST, reply + ASZ_ETH_SRC, 6);
  memcpy(ret_frame + ASZ_ETH_SRC, reply + ASZ_ETH_DST, 6);
  uint8_t *ip = ret_frame + frame->l3_offset, *tcp = reset_ip_write(ip, reply, frame);
  asz_be16_store(tcp + ASZ_TCP_SRC, frame->dst_port);
  asz_be16_store(tcp + ASZ_TCP_DST, frame->src_port);
  memcpy(tcp + ASZ_TCP_SEQ, from + ASZ_TCP_ACK, 4);
  tcp[ASZ_TCP_OFFSET] = ASZ_TCP_BYTES / 4 << 4;
  tcp[ASZ_TCP_FLAGS] = ASZ_TCP_RST;
  asz_wire_tcp_finish(ip);
  uint16_t size = (uint16_t)(tcp + ASZ_TCP_BYTES - ret_frame);
  return size < ASZ_ETH_MIN_BYTES ? ASZ_ETH_MIN_BYTES : size;
}
