/* SPDX-License-Identifier: Apache-2.0 */
/* `stamp`: RFC 8762, unauthenticated, against any reflector.
 *
 * A standard reflector returns sequence, time stamp and SSID, and answers to the port that it was asked from. The cookie is
 * spread over all of them: its bits 0-15 in the upper half of the sequence field (the lower half is the sequence: rounds fit 16
 * bits), bits 16-31 in the SSID (0 means "no SSID", so it is sent as 1), bits 32-44 in the source port. 45 bits, so a blind
 * forger is caught at 2^45 to 1; a reflector that predates RFC 8972 returns SSID 0, and 29 bits remain. In a sweep the port is
 * the path's: 32 bits, or 16. */
#include "dataplane/base/stamp.h"
#include "dataplane/probes/probe.h"

static uint32_t seq_field(uint64_t cookie, uint32_t seq) {
  return (uint32_t)(cookie & 0xffff) << 16 | (seq & 0xffff);
}
static uint16_t ssid_field(uint64_t cookie) {
  uint16_t ssid = (uint16_t)(cookie >> 16);
  return ssid == 0 ? 1 : ssid;
}
static uint32_t port_offset(uint64_t cookie) {
  return (uint32_t)(cookie >> 32) & (ASZ_COOKIE_PORTS - 1);
}

static void prepare(struct asz_template *template) {
  uint8_t *udp = template->bytes + template->l4_at;
  asz_wire_udp_write(udp, 0, 0, ASZ_STAMP_BYTES);
  asz_stamp_request_write(udp + ASZ_UDP_BYTES, 0, 0, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0);
  template->l4_sum = asz_sum_be16(template->pseudo_sum, udp, ASZ_UDP_BYTES + ASZ_STAMP_BYTES);
}

static void make(const struct asz_template *template, const struct asz_burst *burst) {
  uint64_t tx_ntp64 = burst->time[0];
  uint64_t sum_of_all = template->l4_sum + asz_sum_be64(tx_ntp64);
  uint32_t port_base = template->setup.source_port_base, l4_at = template->l4_at;
  bool sweep = template->setup.sweep;
  for (uint32_t i = 0; i < burst->count; i++) {
    uint8_t *udp = burst->frame[i] + l4_at, *payload = udp + ASZ_UDP_BYTES;
    uint64_t cookie = burst->cookie[i];
    uint32_t ports = (port_base + (sweep ? burst->target[i] : port_offset(cookie))) << 16 | burst->port[i];
    uint32_t seq = seq_field(cookie, burst->seq[i]);
    uint16_t ssid = ssid_field(cookie);
    uint16_t checksum = asz_sum_fold(sum_of_all + burst->address_sum[i] + ports + seq + ssid);
    asz_be32_store(udp + ASZ_UDP_SRC, ports);
    asz_be16_store(udp + ASZ_UDP_CHECKSUM, checksum == 0 ? 0xffff : checksum);
    asz_be32_store(payload + ASZ_STAMP_SEQ, seq);
    asz_be64_store(payload + ASZ_STAMP_TIME, tx_ntp64);
    asz_be16_store(payload + ASZ_STAMP_SSID, ssid);
  }
}

static int read(struct asz_claim *ret_claim, const struct asz_frame *frame, const uint8_t *payload) {
  if (frame->payload_bytes != ASZ_STAMP_BYTES)
    return ASZ_EFORMAT;
  ret_claim->seq = asz_be32_load(payload + ASZ_STAMP_SENDER_SEQ) & 0xffff;
  ret_claim->tx_ntp64 = asz_be64_load(payload + ASZ_STAMP_SENDER_TIME);
  return 0;
}

static bool cookie_ok(const struct asz_probe_setup *setup, const struct asz_frame *frame, const uint8_t *payload, uint64_t cookie,
                      uint8_t flags) {
  uint16_t ssid = asz_be16_load(payload + ASZ_STAMP_SSID);
  bool ssid_ok = ssid == ssid_field(cookie) || (ssid == 0 && (flags & ASZ_TARGET_NO_SSID) != 0);
  return ssid_ok && asz_be16_load(payload + ASZ_STAMP_SENDER_SEQ) == (cookie & 0xffff) &&
         (setup->sweep || frame->dst_port == setup->source_port_base + port_offset(cookie));
}

const struct asz_probe_module asz_probe_stamp = {
    .name = "stamp",
    .sweeps = true,
    .protocol = ASZ_PROTOCOL_UDP,
    .l4_bytes = ASZ_UDP_BYTES + ASZ_STAMP_BYTES,
    .prepare = prepare,
    .make = make,
    .read = read,
    .cookie_ok = cookie_ok,
};
