/* SPDX-License-Identifier: Apache-2.0 */
/* asz_privileges: become an ordinary user once what needs root is open. */
#ifndef ASZ_CONTROL_RESPONDER_PRIVILEGES_H
#define ASZ_CONTROL_RESPONDER_PRIVILEGES_H

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

/* asz_privileges_drop: user, group and supplementary groups of a named user, for good; call it before threads are started.
 * ASZ_ENOENT for an unknown name, ASZ_EPERM when we are not root. */
ASZ_MUST_CHECK int asz_privileges_drop(const char *user, struct asz_diag *diag);

#endif
