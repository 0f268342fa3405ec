/* SPDX-License-Identifier: Apache-2.0 */
/* asz_reply: from a request frame to the frame that a provider sends back. Pure: no EAL, no clock, no state; any thread. */
#ifndef ASZ_DATAPLANE_EMULATOR_REPLY_H
#define ASZ_DATAPLANE_EMULATOR_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"
#include "dataplane/base/hmac.h"
#include "dataplane/base/session.h"
#include "dataplane/base/wire.h"

enum asz_request {
  ASZ_REQUEST_STRAY = 0, /* nothing that a provider answers */
  ASZ_REQUEST_ARP,
  ASZ_REQUEST_SOLICITATION, /* of a neighbour */
  ASZ_REQUEST_STAMP,
  ASZ_REQUEST_ECHO,
  ASZ_REQUEST_SYN,   /* of a connection, to any port */
  ASZ_REQUEST_RESET, /* takes a connection back: nobody answers that */
  ASZ_REQUEST_CHALLENGE,
};
/* asz_request_classify: what a parsed frame asks for, by protocol, port and TCP flags; the payload is not looked at. */
enum asz_request asz_request_classify(const struct asz_frame *frame);

/* The session arrays in use, newest first; count 0: none was ever given. */
struct asz_reply_keys {
  uint32_t count;
  uint32_t epoch[2];
  const struct asz_session *session[2]; /* NULL: a plain reflector in that epoch */
  const struct asz_hmac_key *hmac;      /* of authenticated mode, by provider, for all epochs; NULL: nobody speaks it */
  struct asz_hmac_lanes *lanes;         /* the caller's, where hmac is given */
};

/* How a STAMP request is answered: as a plain reflector, with our TLV, or in authenticated mode. */
struct asz_reply_auth {
  const struct asz_session *session; /* our TLV */
  const struct asz_hmac_key *hmac;   /* authenticated mode */
  struct asz_hmac_lanes *lanes;
};
/* asz_reply_authorise: 1 when a STAMP payload may be answered, *ret_auth then tells how; 0 when a responder would silently drop
 * it: our TLV of an epoch without keys, or with a MAC that does not verify; authenticated mode without a key or with a wrong
 * HMAC. */
ASZ_MUST_CHECK int asz_reply_authorise(const struct asz_reply_keys *keys, uint32_t provider, const uint8_t *payload,
                                       size_t size_bytes, struct asz_reply_auth *ret_auth);

/* How a host answers a SYN: it listens, with or without timestamps, or the port is closed. */
enum asz_syn_answer { ASZ_SYN_ACCEPT = 0, ASZ_SYN_ACCEPT_PLAIN, ASZ_SYN_REFUSE };

struct asz_reply_spec {
  uint64_t t2_ntp64, t3_ntp64; /* what a STAMP reflector says of its receive and transmit times */
  struct asz_reply_auth auth;  /* from asz_reply_authorise */
  uint64_t made_up;            /* not 0: overwrite what proves the request was seen with something made of these bits */
  bool spoil_mac;              /* flip a bit of the TLV's MAC or the HMAC, where there is one */
  enum asz_syn_answer syn;     /* to a SYN only */
  uint32_t source;             /* not 0: the address, or the last four bytes of an IPv6 one, that it comes from instead */
};

/* asz_reply_guess makes of a request, in place, the one that is expected next: a round further and gap_ntp64 later, with the same
 * proof. Checksums and MACs are not mended; asz_reply_build does not look at them. */
void asz_reply_guess(uint8_t *request, const struct asz_frame *frame, uint64_t gap_ntp64);

/* asz_reply_size: bytes of the reply frame to a STAMP or echo request or a SYN; a shorter answer to that is padded. */
size_t asz_reply_size(const struct asz_frame *frame);
/* asz_reply_build writes asz_reply_size bytes; a reply is as long as its request (but never under ASZ_ETH_MIN_BYTES).
 * `request` is the frame that `frame` was parsed from, of kind STAMP, ECHO or SYN (asserted). ASZ_EFORMAT: a STAMP payload that
 * is too short, a SYN whose options cannot be read or have no room for ours. */
ASZ_MUST_CHECK int asz_reply_build(uint8_t *ret_reply, const uint8_t *request, const struct asz_frame *frame,
                                   const struct asz_reply_spec *spec);

#endif
