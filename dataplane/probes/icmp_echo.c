/* SPDX-License-Identifier: Apache-2.0 */
/* `icmp-echo`: echo by RFC 792 or, over IPv6, RFC 4443 section 4, against any host: liveness and latency, bound to an address but
 * to no key. The two differ in their types, and in that ICMPv6's checksum covers the pseudo-header, too.
 *
 * The payload comes back as it was: transmit time(8) | target(4) | sequence(4) | cookie(8), big-endian. Identifier and sequence
 * of the ICMP header are the upper and lower half of our sequence, the identifier with the lcore's number in it where the port
 * has rules for it (rounds fit the lower half); nothing is read from them, since a NAT may rewrite them. */
#include "dataplane/probes/probe.h"

enum {
  ICMP_CHECKSUM = 2,
  ICMP_ID = 4, /* identifier and sequence, 16 bits each */
  PAYLOAD_TIME = 0,
  PAYLOAD_TARGET = 8,
  PAYLOAD_SEQ = 12,
  PAYLOAD_COOKIE = 16,
  PAYLOAD_BYTES = 24,
};

static void prepare(struct asz_template *template) {
  uint8_t *icmp = template->bytes + template->l4_at;
  bool ipv6 = template->family == ASZ_FAMILY_IPV6;
  icmp[0] = ipv6 ? ASZ_ICMPV6_ECHO_REQUEST : ASZ_ICMP_ECHO_REQUEST;
  template->l4_sum = asz_sum_be16(ipv6 ? template->pseudo_sum : 0, icmp, ASZ_ICMP_BYTES + PAYLOAD_BYTES);
}

static void make(const struct asz_template *template, const struct asz_burst *burst) {
  uint32_t id = (uint32_t) template->setup.echo_id << 16;
  uint64_t covered = template->family == ASZ_FAMILY_IPV6 ? UINT64_MAX : 0; /* of the destination address */
  for (uint32_t i = 0; i < burst->count; i++) {
    uint8_t *icmp = burst->frame[i] + template->l4_at, *payload = icmp + ASZ_ICMP_BYTES;
    uint32_t id_and_seq = burst->seq[i] | id;
    uint64_t varying = (uint64_t)id_and_seq + burst->seq[i] + burst->target[i] + asz_sum_be64(burst->cookie[i]);
    varying += asz_sum_be64(burst->time[i]) + (burst->address_sum[i] & covered);
    asz_be32_store(icmp + ICMP_ID, id_and_seq);
    asz_be16_store(icmp + ICMP_CHECKSUM, asz_sum_fold(template->l4_sum + varying));
    asz_be64_store(payload + PAYLOAD_TIME, burst->time[i]);
    asz_be32_store(payload + PAYLOAD_TARGET, burst->target[i]);
    asz_be32_store(payload + PAYLOAD_SEQ, burst->seq[i]);
    asz_be64_store(payload + PAYLOAD_COOKIE, burst->cookie[i]);
  }
}

static int read(struct asz_claim *ret_claim, const struct asz_frame *frame, const uint8_t *payload) {
  uint8_t reply = frame->family == ASZ_FAMILY_IPV6 ? ASZ_ICMPV6_ECHO_REPLY : ASZ_ICMP_ECHO_REPLY;
  if (frame->icmp_type != reply || frame->icmp_code != 0 || frame->payload_bytes != PAYLOAD_BYTES)
    return ASZ_EFORMAT;
  ret_claim->target = asz_be32_load(payload + PAYLOAD_TARGET);
  ret_claim->seq = asz_be32_load(payload + PAYLOAD_SEQ);
  ret_claim->tx_ntp64 = asz_be64_load(payload + PAYLOAD_TIME);
  return 0;
}

static bool cookie_ok(const struct asz_probe_setup *setup, const struct asz_frame *frame, const uint8_t *payload, uint64_t cookie,
                      uint8_t flags) {
  return asz_be64_load(payload + PAYLOAD_COOKIE) == cookie;
}

const struct asz_probe_module asz_probe_icmp_echo = {
    .name = "icmp-echo",
    .protocol = ASZ_PROTOCOL_ICMP,
    .l4_bytes = ASZ_ICMP_BYTES + PAYLOAD_BYTES,
    .carries_target = true,
    .prepare = prepare,
    .make = make,
    .read = read,
    .cookie_ok = cookie_ok,
};
