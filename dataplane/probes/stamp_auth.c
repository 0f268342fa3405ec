/* SPDX-License-Identifier: Apache-2.0 */
/* `stamp-auth`: RFC 8762, authenticated mode, against assize-responder or any reflector that shares a key with us.
 *
 * The cookie travels as in `stamp` (stamp_fields.h), so that a reply that nobody asked for costs no HMAC. Request and reply carry
 * an HMAC-SHA-256 of 128 bits under the target's key; those of a burst are made, and those of the replies of a burst checked,
 * side by side. The reply's HMAC covers what it repeats of the request: sequence, time and SSID. Replies have the request's 112
 * bytes.
 */
#include "dataplane/base/stamp_auth.h"

#include <string.h>

#include "dataplane/base/stamp.h"
#include "dataplane/probes/probe.h"
#include "dataplane/probes/stamp_fields.h"

static void prepare(struct asz_template *template) {
  uint8_t *udp = template->bytes + template->l4_at;
  asz_wire_udp_write(udp, 0, 0, ASZ_STAMP_AUTH_BYTES);
  asz_stamp_auth_request_write(udp + ASZ_UDP_BYTES, 0, 0, ASZ_STAMP_ERROR_UNSYNCHRONISED, 0);
  template->l4_sum = asz_sum_be16(template->pseudo_sum, udp, ASZ_UDP_BYTES + ASZ_STAMP_AUTH_BYTES);
}

static void make(const struct asz_template *template, const struct asz_burst *burst) {
  const struct asz_hmac_key *key[ASZ_BURST_MAX];
  const uint8_t *message[ASZ_BURST_MAX];
  uint8_t tag[ASZ_BURST_MAX][ASZ_HMAC_TAG_BYTES];
  uint64_t sum[ASZ_BURST_MAX];
  const struct asz_probe_setup *setup = &template->setup;
  uint32_t l4_at = template->l4_at;
  for (uint32_t i = 0; i < burst->count; i++) {
    uint8_t *udp = burst->frame[i] + l4_at, *payload = udp + ASZ_UDP_BYTES;
    uint64_t cookie = burst->cookie[i];
    uint32_t ports = asz_stamp_ports_field(template, burst, i);
    uint32_t seq = asz_stamp_seq_field(cookie, burst->seq[i]);
    uint16_t ssid = asz_stamp_ssid_field(cookie);
    sum[i] = template->l4_sum + asz_sum_be64(burst->time[i]) + burst->address_sum[i] + ports + seq + ssid;
    asz_be32_store(udp + ASZ_UDP_SRC, ports);
    asz_be32_store(payload + ASZ_STAMP_AUTH_SEQ, seq);
    asz_be64_store(payload + ASZ_STAMP_AUTH_TIME, burst->time[i]);
    asz_be16_store(payload + ASZ_STAMP_AUTH_SSID, ssid);
    key[i] = &setup->hmac[burst->target[i]];
    message[i] = payload;
  }
  asz_hmac_many(setup->lanes, key, message, tag, burst->count);
  for (uint32_t i = 0; i < burst->count; i++) {
    uint64_t tag_sum = asz_sum_be64(asz_be64_load(tag[i])) + asz_sum_be64(asz_be64_load(tag[i] + 8));
    uint16_t checksum = asz_sum_fold(sum[i] + tag_sum);
    uint8_t *udp = burst->frame[i] + l4_at;
    asz_be16_store(udp + ASZ_UDP_CHECKSUM, checksum == 0 ? 0xffff : checksum);
    memcpy(udp + ASZ_UDP_BYTES + ASZ_STAMP_AUTH_HMAC, tag[i], sizeof tag[i]);
  }
}

static int read(struct asz_claim *ret_claim, const struct asz_frame *frame, const uint8_t *payload) {
  if (frame->payload_bytes != ASZ_STAMP_AUTH_BYTES)
    return ASZ_EFORMAT;
  ret_claim->seq = asz_be32_load(payload + ASZ_STAMP_AUTH_SENDER_SEQ) & 0xffff;
  ret_claim->tx_ntp64 = asz_be64_load(payload + ASZ_STAMP_AUTH_SENDER_TIME);
  return 0;
}

static bool cookie_ok(const struct asz_probe_setup *setup, const struct asz_frame *frame, const uint8_t *payload, uint64_t cookie,
                      uint8_t flags) {
  return asz_stamp_fields_ok(setup, cookie, asz_be16_load(payload + ASZ_STAMP_AUTH_SENDER_SEQ),
                             asz_be16_load(payload + ASZ_STAMP_AUTH_SSID), frame, flags);
}

static void macs_ok(const struct asz_probe_setup *setup, const uint8_t *const *payload, const uint32_t *target, bool *ret_ok,
                    uint32_t count) {
  const struct asz_hmac_key *key[ASZ_BURST_MAX];
  for (uint32_t i = 0; i < count; i++)
    key[i] = &setup->hmac[target[i]];
  asz_stamp_auth_verify_many(setup->lanes, key, payload, ret_ok, count);
}

const struct asz_probe_module asz_probe_stamp_auth = {
    .name = "stamp-auth",
    .sweeps = true,
    .protocol = ASZ_PROTOCOL_UDP,
    .l4_bytes = ASZ_UDP_BYTES + ASZ_STAMP_AUTH_BYTES,
    .t2_at = ASZ_STAMP_AUTH_RX_TIME,
    .t3_at = ASZ_STAMP_AUTH_TIME,
    .error_at = ASZ_STAMP_AUTH_ERROR,
    .prepare = prepare,
    .make = make,
    .read = read,
    .cookie_ok = cookie_ok,
    .macs_ok = macs_ok,
};
