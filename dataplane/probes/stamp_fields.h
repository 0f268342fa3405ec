/* SPDX-License-Identifier: Apache-2.0 */
/* asz_stamp_*_field: where a cookie travels in a STAMP packet of either mode.
 *
 * A standard reflector returns sequence, time stamp and SSID, and answers to the port that it was asked from. The cookie is
 * spread over all of them: its bits 0-15 in the upper half of the sequence field (the lower half is the sequence: rounds fit 16
 * bits), bits 16-31 in the SSID (0 means "no SSID", so it is sent as 1), bits 32-44 in the source port. 45 bits, so a blind
 * forger is caught at 2^45 to 1; a reflector that predates RFC 8972 returns SSID 0, and 29 bits remain. In a sweep the port is
 * the path's: 32 bits, or 16. Where replies are steered to their lcore (steer.h) the port keeps a bit less a doubling of lcores.
 */
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
static inline uint32_t asz_stamp_port_offset(uint64_t cookie) {
  return (uint32_t)(cookie >> 32) & (ASZ_COOKIE_PORTS - 1);
}
/* asz_stamp_ports_field: source and destination port of probe i of a burst. */
static inline uint32_t asz_stamp_ports_field(const struct asz_template *template, const struct asz_burst *burst, uint32_t i) {
  uint32_t offset = template->setup.sweep ? burst->target[i] : asz_stamp_port_offset(burst->cookie[i]);
  return asz_source_port(template, burst, i, offset) << 16 | burst->port[i];
}
/* asz_stamp_fields_ok: the upper half of the sequence, the SSID and the port that came back, against the cookie. In a sweep the
 * port tells the path, and with it the cookie: nothing is left to compare. flags: ASZ_TARGET_*. */
static inline bool asz_stamp_fields_ok(const struct asz_probe_setup *setup, uint64_t cookie, uint16_t seq_upper, uint16_t ssid,
                                       const struct asz_frame *frame, uint8_t flags) {
  bool ssid_ok = ssid == asz_stamp_ssid_field(cookie) || (ssid == 0 && (flags & ASZ_TARGET_NO_SSID) != 0);
  return ssid_ok && seq_upper == (cookie & 0xffff) &&
         (setup->sweep || asz_source_port_ok(setup, frame, asz_stamp_port_offset(cookie)));
}

#endif
