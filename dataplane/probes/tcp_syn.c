/* SPDX-License-Identifier: Apache-2.0 */
/* `tcp-syn`: is anybody there, and how far away: a SYN (RFC 9293), answered by SYN-ACK from an open port and by RST from a closed
 * one. Against any host; proves nothing about a key.
 *
 * What every host returns is our sequence number (as its acknowledgement, less one) and our port; one with timestamps
 * (RFC 7323) also returns our TSval in its SYN-ACK, never in a RST. So the sequence number carries time and round, as many of
 * their low bits as rebuild the whole, and everything else is cookie:
 *
 *   sequence number   31-10  transmission time: NTP64 bits 33-12, so steps of 2^-20 s (0.95 us), around in 4 s
 *                     9-4    round, low 6 bits
 *                     3-0    cookie bits 0-3
 *   TSval             31-0   cookie bits 4-35
 *   source port              base + cookie bits 36-48 (a bit less a doubling of lcores where replies are steered, steer.h)
 *
 * The time is cut to its step before the cookie is made over it, so what travels is under the cookie in full. A blind forger hits
 * 49 bits of cookie in the form of a SYN-ACK with timestamps, 17 in the others; he will choose one of those.
 *
 * The prober resets every SYN-ACK whose cookie is right (asz_rx), so no half-open connection stays behind; no option of the SYN
 * asks for state: no window scale, no SACK, no Fast Open. MSS and window are what any stack would say; no data will ever come. */
#include "dataplane/base/tcp.h"
#include "dataplane/probes/probe.h"

enum {
  TIME_STEP_LOG2 = 12, /* NTP64 bits below it do not travel */
  TIME_BITS = 22,
  ROUND_BITS = 6,
  COOKIE_BITS = 4, /* of the sequence number */
  TIME_AT = ROUND_BITS + COOKIE_BITS,
  WINDOW = 65535,
  MSS = 1220, /* fits the smallest MTU of IPv6 */
};
_Static_assert(TIME_BITS + ROUND_BITS + COOKIE_BITS == 32, "the sequence number");
_Static_assert(1 << ROUND_BITS == ASZ_PROBE_SYN_ROUNDS, "the plan keeps fewer in flight");

static uint32_t seq_field(uint64_t tx_ntp64, uint32_t seq, uint64_t cookie) {
  uint32_t low = (seq & ((1u << ROUND_BITS) - 1)) << COOKIE_BITS | (uint32_t)(cookie & ((1u << COOKIE_BITS) - 1));
  return (uint32_t)(tx_ntp64 >> TIME_STEP_LOG2) << TIME_AT | low;
}
static uint32_t time_field(uint64_t cookie) {
  return (uint32_t)(cookie >> 4);
}
static uint32_t port_offset(uint64_t cookie) {
  return (uint32_t)(cookie >> 36) & (ASZ_COOKIE_PORTS - 1);
}

static void prepare(struct asz_template *template) {
  uint8_t *tcp = template->bytes + template->l4_at;
  asz_tcp_open_write(tcp, ASZ_TCP_SYN, WINDOW, MSS);
  template->l4_sum = asz_sum_be16(template->pseudo_sum, tcp, ASZ_TCP_OPEN_BYTES);
}

static void make(const struct asz_template *template, const struct asz_burst *burst) {
  uint32_t l4_at = template->l4_at;
  for (uint32_t i = 0; i < burst->count; i++) {
    uint8_t *tcp = burst->frame[i] + l4_at;
    uint64_t cookie = burst->cookie[i];
    uint32_t ports = asz_source_port(template, burst, i, port_offset(cookie)) << 16 | burst->port[i];
    uint32_t seq = seq_field(burst->time[i], burst->seq[i], cookie), time = time_field(cookie);
    uint64_t varying = (uint64_t)ports + seq + time;
    asz_be32_store(tcp + ASZ_TCP_SRC, ports);
    asz_be32_store(tcp + ASZ_TCP_SEQ, seq);
    asz_be32_store(tcp + ASZ_TCP_OPEN_TIME, time);
    asz_be16_store(tcp + ASZ_TCP_CHECKSUM, asz_sum_fold(template->l4_sum + burst->address_sum[i] + varying));
  }
}

static size_t header_bytes_of(const struct asz_frame *frame) {
  return (size_t)(frame->payload_offset - frame->l4_offset);
}
static const uint8_t *header_of(const struct asz_frame *frame, const uint8_t *payload) {
  return payload - header_bytes_of(frame);
}

static int read(struct asz_claim *ret_claim, const struct asz_frame *frame, const uint8_t *payload) {
  const uint8_t *tcp = header_of(frame, payload);
  uint8_t flags = frame->tcp_flags & (ASZ_TCP_FIN | ASZ_TCP_SYN | ASZ_TCP_RST | ASZ_TCP_ACKS);
  struct asz_tcp_options options;
  if ((flags != (ASZ_TCP_SYN | ASZ_TCP_ACKS) && flags != (ASZ_TCP_RST | ASZ_TCP_ACKS)) ||
      asz_tcp_options_read(&options, tcp, header_bytes_of(frame)) != 0)
    return ASZ_EFORMAT;
  uint32_t seq = asz_be32_load(tcp + ASZ_TCP_ACK) - 1;
  ret_claim->seq = seq >> COOKIE_BITS & ((1u << ROUND_BITS) - 1);
  ret_claim->tx_ntp64 = (uint64_t)(seq >> TIME_AT) << TIME_STEP_LOG2;
  return 0;
}

static bool cookie_ok(const struct asz_probe_setup *setup, const struct asz_frame *frame, const uint8_t *payload, uint64_t cookie,
                      uint8_t flags) {
  const uint8_t *tcp = header_of(frame, payload);
  uint32_t seq = asz_be32_load(tcp + ASZ_TCP_ACK) - 1;
  struct asz_tcp_options options;
  if (asz_tcp_options_read(&options, tcp, header_bytes_of(frame)) != 0)
    return false;
  return ((seq ^ cookie) & ((1u << COOKIE_BITS) - 1)) == 0 && asz_source_port_ok(setup, frame, port_offset(cookie)) &&
         (!options.has_times || options.echo == time_field(cookie));
}

const struct asz_probe_module asz_probe_tcp_syn = {
    .name = "tcp-syn",
    .protocol = ASZ_PROTOCOL_TCP,
    .l4_bytes = ASZ_TCP_OPEN_BYTES,
    .time_step_log2 = TIME_STEP_LOG2,
    .time_above = ~UINT64_C(0) << (TIME_STEP_LOG2 + TIME_BITS),
    .seq_above = ~UINT32_C(0) << ROUND_BITS,
    .prepare = prepare,
    .make = make,
    .read = read,
    .cookie_ok = cookie_ok,
};
