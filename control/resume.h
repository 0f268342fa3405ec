/* SPDX-License-Identifier: Apache-2.0 */
/* asz_resume: what a run left behind that was stopped in the middle of an epoch.
 *
 * An epoch that was cut off is not probed any further: it is closed from its snapshot, as an early end closes it: whole slots are
 * judged, everything else and all the time since is unjudged, its secret goes into the log, its challenges count. The next epoch
 * begins at once, so what is lost is the gap and no more. Decision 0017 says why not otherwise. */
#ifndef ASZ_CONTROL_RESUME_H
#define ASZ_CONTROL_RESUME_H

#include <stdbool.h>

#include "control/validator.h"

/* asz_resume: without a snapshot there is nothing to do. `wanted` false: one that is there is refused (ASZ_ESTATE), so that
 * nothing is lost unawares. One of an epoch that is in store or log already is said to be old, and goes. The errors of
 * asz_snapshot_read; ASZ_ESTATE: of other providers, parameters or another log; what closing an epoch may fail with. The snapshot
 * stays then. The validator is open, not started. */
ASZ_MUST_CHECK int asz_resume(struct asz_validator *validator, const struct asz_home *home, bool wanted, struct asz_diag *diag);

#endif
