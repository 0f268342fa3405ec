/* SPDX-License-Identifier: Apache-2.0 */
/* asz_signals: SIGINT and SIGTERM end the responder, SIGUSR1 shows its counters; as a descriptor, so that the loop that waits for
 * packets hears them too. */
#ifndef ASZ_CONTROL_RESPONDER_SIGNALS_H
#define ASZ_CONTROL_RESPONDER_SIGNALS_H

#include <stdbool.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

/* asz_signals_open blocks the three in the calling thread and gives a descriptor that is readable when one came. ASZ_EIO. */
ASZ_MUST_CHECK int asz_signals_open(int *ret_fd, struct asz_diag *diag);
/* asz_signals_read takes all that came: sets *stop, *report when they were among them, and leaves them alone when not. */
void asz_signals_read(int fd, bool *stop, bool *report);

#endif
