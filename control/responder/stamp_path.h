/* SPDX-License-Identifier: Apache-2.0 */
/* asz_stamp_path: what happens to one datagram on the STAMP port, without sockets, ports and clocks. Both modes of the responder
 * are made of it: `admit` and `finish` on datagrams of a socket, `judge` and `reflect` on requests in the frames of a port.
 *
 * In two steps, because the transmit time T3 must be the last thing that is known before a whole batch is sent: `admit` decides
 * (and names a drop), `finish` turns an admitted request into its reply. The order of the checks is the protocol's, cheapest
 * first: size, version, rate limit of the source, then who asks (plain STAMP allowed? validator known? MAC? epoch?).
 * Authenticated mode is told from the other by its form (asz_stamp_auth_find): without the right HMAC it is not answered at all.
 */
#ifndef ASZ_CONTROL_RESPONDER_STAMP_PATH_H
#define ASZ_CONTROL_RESPONDER_STAMP_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/responder/authority.h"
#include "control/responder/counters.h"
#include "control/responder/datagram.h"
#include "control/responder/limiter.h"
#include "control/responder/receipts.h"

struct asz_stamp_path {
  struct asz_authority *authority;
  struct asz_limiter *limiter;   /* of sources; shared with asz_challenge_path */
  struct asz_hmac_lanes *lanes;  /* of the thread that judges and reflects */
  struct asz_receipts *receipts; /* where replies with our TLV are noted */
  bool plain_allowed;
};

/* A request, wherever its bytes stand. */
struct asz_stamp_request {
  const uint8_t *payload;
  size_t size_bytes;
  const struct asz_address *peer;
  uint16_t peer_port;
};

/* How a request is going to be answered, and under which key. */
struct asz_stamp_grant {
  enum asz_resp_counter answered_as; /* ASZ_RESP_ANSWERED_PLAIN, _TLV or _AUTH; else the counter of the drop */
  struct asz_session session;        /* _TLV */
  struct asz_window *window;         /* _TLV: where the reply is noted */
  uint32_t epoch;                    /* _TLV */
  const struct asz_hmac_key *hmac;   /* _AUTH; the authority's */
  struct asz_hmac_lanes *lanes;      /* _AUTH; the path's */
};

/* asz_stamp_path_judge: as admit, for a request in somebody's buffer. */
enum asz_resp_counter asz_stamp_path_judge(struct asz_stamp_path *path, const struct asz_stamp_request *request, uint64_t now_ns,
                                           struct asz_stamp_grant *ret_grant);
/* asz_stamp_path_reflect: as finish. Times in the NTP format, ttl as the request arrived. */
void asz_stamp_path_reflect(uint8_t *payload, size_t size_bytes, uint8_t ttl, const struct asz_stamp_grant *grant,
                            uint64_t t2_ntp64, uint64_t t3_ntp64);

/* asz_stamp_path_admit: ASZ_RESP_ANSWERED_PLAIN, _TLV or _AUTH when the datagram is to be answered as *ret_grant then says, else
 * the counter of its drop. The datagram is not changed. */
enum asz_resp_counter asz_stamp_path_admit(struct asz_stamp_path *path, const struct asz_datagram *datagram, uint64_t now_ns,
                                           struct asz_stamp_grant *ret_grant);

/* asz_stamp_path_finish makes the reply of an admitted datagram in place (same size). t3_ns: CLOCK_REALTIME. */
void asz_stamp_path_finish(struct asz_datagram *datagram, const struct asz_stamp_grant *grant, uint64_t t3_ns);

#endif
