/* SPDX-License-Identifier: Apache-2.0 */
/* In place of serve_port.c where there is no DPDK. */
#include "control/responder/serve_port.h"

int asz_serve_port(const struct asz_options *options, const struct asz_identity *identity, struct asz_authority *authority,
                   struct asz_diag *diag) {
  return asz_diag_set(diag, ASZ_ENOTSUP, "--eal: this build has no DPDK; without the option kernel sockets are used");
}
