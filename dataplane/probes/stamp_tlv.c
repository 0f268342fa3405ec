/* SPDX-License-Identifier: Apache-2.0 */
/* `stamp-tlv`: STAMP with our TLV, against assize-responder.
 *
 * The whole 64-bit cookie is the TLV's nonce; epoch, target index and validator stand beside it, and a MAC under the session's
 * request key covers everything. The reply's MAC, under the reply key, covers the same nonce and time, so it binds the reply to
 * this very probe. The MAC changes 16 bytes that no sum can predict, so the UDP checksum is taken over the frame anew: next to
 * the MAC itself (80 bytes of SipHash) that is small. */
#include "dataplane/base/stamp.h"
#include "dataplane/probes/probe.h"

static void prepare(struct asz_template *template) {
  uint8_t *udp = template->bytes + template->l4_at;
  asz_wire_udp_write(udp, 0, 0, ASZ_STAMP_TLV_BYTES);
  asz_stamp_request_write(udp + ASZ_UDP_BYTES, 0, 0, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0);
}

static void make(const struct asz_template *template, const struct asz_burst *burst) {
  const struct asz_probe_setup *setup = &template->setup;
  for (uint32_t i = 0; i < burst->count; i++) {
    uint8_t *udp = burst->frame[i] + template->l4_at, *payload = udp + ASZ_UDP_BYTES;
    asz_be16_store(udp + ASZ_UDP_SRC, (uint16_t)asz_source_port(template, burst, i, setup->sweep ? burst->target[i] : 0));
    asz_be16_store(udp + ASZ_UDP_DST, burst->port[i]);
    asz_be32_store(payload + ASZ_STAMP_SEQ, burst->seq[i]);
    asz_be64_store(payload + ASZ_STAMP_TIME, burst->time[i]);
    asz_tlv_request_write(payload, setup->epoch, burst->target[i], setup->validator_id, burst->cookie[i],
                          setup->session[burst->target[i]].request_key);
    asz_template_udp_finish(template, burst->frame[i], burst->address_sum[i]);
  }
}

static int read(struct asz_claim *ret_claim, const struct asz_frame *frame, const uint8_t *payload) {
  if (!asz_tlv_find(payload, frame->payload_bytes))
    return ASZ_EFORMAT;
  ret_claim->target = asz_be32_load(payload + ASZ_TLV_AT_TARGET);
  ret_claim->seq = asz_be32_load(payload + ASZ_STAMP_SENDER_SEQ);
  ret_claim->tx_ntp64 = asz_be64_load(payload + ASZ_STAMP_SENDER_TIME);
  return 0;
}

static bool cookie_ok(const struct asz_probe_setup *setup, const struct asz_frame *frame, const uint8_t *payload, uint64_t cookie,
                      uint8_t flags) {
  return asz_be64_load(payload + ASZ_TLV_AT_NONCE) == cookie && (setup->sweep || asz_source_port_ok(setup, frame, 0));
}

static bool mac_ok(const uint8_t *payload, const struct asz_session *session) {
  return payload[ASZ_TLV_AT_ROLE] == ASZ_TLV_ROLE_REPLY &&
         asz_mac_check(payload + ASZ_TLV_AT_MAC, session->reply_key, payload, ASZ_TLV_AT_MAC);
}

const struct asz_probe_module asz_probe_stamp_tlv = {
    .name = "stamp-tlv",
    .sweeps = true,
    .protocol = ASZ_PROTOCOL_UDP,
    .l4_bytes = ASZ_UDP_BYTES + ASZ_STAMP_TLV_BYTES,
    .carries_target = true,
    .t2_at = ASZ_STAMP_RX_TIME,
    .t3_at = ASZ_STAMP_TIME,
    .error_at = ASZ_STAMP_ERROR,
    .prepare = prepare,
    .make = make,
    .read = read,
    .cookie_ok = cookie_ok,
    .mac_ok = mac_ok,
};
