/* SPDX-License-Identifier: Apache-2.0 */
/* asz_serve_port: the responder on a DPDK port: the reflector's lcore answers STAMP, the calling thread challenges. */
#ifndef ASZ_CONTROL_RESPONDER_SERVE_PORT_H
#define ASZ_CONTROL_RESPONDER_SERVE_PORT_H

#include "control/responder/authority.h"
#include "control/responder/options.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"
#include "dataplane/base/identity.h"

/* asz_serve_port: as asz_serve; options->eal is set and the options have passed asz_options_check. Errors with a line: those of
 * asz_eal_start and asz_reflector_new, ASZ_ENOMEM, ASZ_EIO. In a build without DPDK it says so: ASZ_ENOTSUP. */
ASZ_MUST_CHECK int asz_serve_port(const struct asz_options *options, const struct asz_identity *identity,
                                  struct asz_authority *authority, struct asz_diag *diag);

#endif
