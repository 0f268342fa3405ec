/* SPDX-License-Identifier: Apache-2.0 */
/* asz_serve: the responder on kernel sockets: one or two of each port, one thread, and workers behind it for proofs. */
#ifndef ASZ_CONTROL_RESPONDER_SERVE_H
#define ASZ_CONTROL_RESPONDER_SERVE_H

#include "control/responder/authority.h"
#include "control/responder/options.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"
#include "dataplane/base/identity.h"

/* asz_serve opens the ports, says so on stderr, and answers until SIGINT, SIGTERM or options->duration_s; then reports its
 * counters and returns 0. Options, identity and authority are the caller's and outlive the call. Blocks SIGINT, SIGTERM and
 * SIGUSR1 in the calling thread. Errors with a line: see asz_udp_open; ASZ_ENOENT for an unknown user; ASZ_ENOMEM, ASZ_EIO. */
ASZ_MUST_CHECK int asz_serve(const struct asz_options *options, const struct asz_identity *identity,
                             struct asz_authority *authority, struct asz_diag *diag);

#endif
