/* SPDX-License-Identifier: Apache-2.0 */
/* asz_stamp_*_field: where a cookie travels in a STAMP packet of either mode.
 *
 * A standard reflector returns sequence, time stamp and SSID, and answers to the port that it was asked from. The cookie is
 * spread over all of them: its bits 0-15 in the upper half of the sequence field (the lower half is the sequence: rounds fit 16
 * bits), bits 16-31 in the SSID (0 means "no SSID", so it is sent as 1), bits 32-44 in the source port. 45 bits, so a blind
 * forger is caught at 2^45 to 1; a reflector that predates RFC 8972 returns SSID 0, and 29 bits remain. In a sweep the port is
 * the path's: 32 bits, or 16. */
#ifndef ASZ_DATAPLANE_PROBES_STAMP_FIELDS_H
#define ASZ_DATAPLANE_PROBES_STAMP_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/probes/probe.h"

static inline uint32_t asz_stamp_seq_field(uint64_t cookie, uint32_t seq) {
  return (uint32_t)(cookie & 0xffff) << 16 | (seq & 0xffff);
}
static inline uint16_t asz_stamp_ssid_field(uint64_t cookie) {
  uint16_t ssid = (uint16_t)(cookie >> 16);
  return ssid == 0 ? 1 : ssid;
}
/* asz_stamp_port_field: of a probe to that target index. */
static inline uint32_t asz_stamp_port_field(const struct asz_probe_setup *setup, uint64_t cookie, uint32_t target) {
  return setup->source_port_base + (setup->sweep ? target : (uint32_t)(cookie >> 32) & (ASZ_COOKIE_PORTS - 1));
}
/* asz_stamp_fields_ok: the upper half of the sequence, the SSID and the port that came back, against the cookie. In a sweep the
 * port tells the path, and with it the cookie: nothing is left to compare. flags: ASZ_TARGET_*. */
static inline bool asz_stamp_fields_ok(const struct asz_probe_setup *setup, uint64_t cookie, uint16_t seq_upper, uint16_t ssid,
                                       uint16_t port, uint8_t flags) {
  bool ssid_ok = ssid == asz_stamp_ssid_field(cookie) || (ssid == 0 && (flags & ASZ_TARGET_NO_SSID) != 0);
  return ssid_ok && seq_upper == (cookie & 0xffff) && (setup->sweep || port == asz_stamp_port_field(setup, cookie, 0));
}

#endif
