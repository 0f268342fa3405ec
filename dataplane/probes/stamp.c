/* SPDX-License-Identifier: Apache-2.0 */
/* `stamp`: RFC 8762, unauthenticated, against any reflector.
 *
 * Bound by the cookie alone, in the fields of stamp_fields.h. Replies have the request's 44 bytes: a reflector that answers with
 * another size than it was asked with is malformed. */
#include "dataplane/base/stamp.h"
#include "dataplane/probes/probe.h"
#include "dataplane/probes/stamp_fields.h"

static void prepare(struct asz_template *template) {
  uint8_t *udp = template->bytes + template->l4_at;
  asz_wire_udp_write(udp, 0, 0, ASZ_STAMP_BYTES);
  asz_stamp_request_write(udp + ASZ_UDP_BYTES, 0, 0, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0);
  template->l4_sum = asz_sum_be16(template->pseudo_sum, udp, ASZ_UDP_BYTES + ASZ_STAMP_BYTES);
}

/* Called with a constant `timed`: a time that is the same for all is read and summed once. */
static inline __attribute__((always_inline)) void frames_make(const struct asz_template *template, const struct asz_burst *burst,
                                                              bool timed) {
  uint64_t time = burst->time[0];
  uint32_t l4_at = template->l4_at;
  for (uint32_t i = 0; i < burst->count; i++) {
    uint8_t *udp = burst->frame[i] + l4_at, *payload = udp + ASZ_UDP_BYTES;
    uint64_t cookie = burst->cookie[i];
    uint32_t ports = asz_stamp_ports_field(template, burst, i);
    uint32_t seq = asz_stamp_seq_field(cookie, burst->seq[i]);
    uint16_t ssid = asz_stamp_ssid_field(cookie);
    if (timed)
      time = burst->time[i];
    uint64_t varying = asz_sum_be64(time) + burst->address_sum[i] + ports + seq + ssid;
    uint16_t checksum = asz_sum_fold(template->l4_sum + varying);
    asz_be32_store(udp + ASZ_UDP_SRC, ports);
    asz_be16_store(udp + ASZ_UDP_CHECKSUM, checksum == 0 ? 0xffff : checksum);
    asz_be32_store(payload + ASZ_STAMP_SEQ, seq);
    asz_be64_store(payload + ASZ_STAMP_TIME, time);
    asz_be16_store(payload + ASZ_STAMP_SSID, ssid);
  }
}

static void make(const struct asz_template *template, const struct asz_burst *burst) {
  if (burst->timed)
    frames_make(template, burst, true);
  else
    frames_make(template, burst, false);
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
  return asz_stamp_fields_ok(setup, cookie, asz_be16_load(payload + ASZ_STAMP_SENDER_SEQ),
                             asz_be16_load(payload + ASZ_STAMP_SSID), frame, flags);
}

const struct asz_probe_module asz_probe_stamp = {
    .name = "stamp",
    .sweeps = true,
    .protocol = ASZ_PROTOCOL_UDP,
    .l4_bytes = ASZ_UDP_BYTES + ASZ_STAMP_BYTES,
    .t2_at = ASZ_STAMP_RX_TIME,
    .t3_at = ASZ_STAMP_TIME,
    .error_at = ASZ_STAMP_ERROR,
    .prepare = prepare,
    .make = make,
    .read = read,
    .cookie_ok = cookie_ok,
};
