/* SPDX-License-Identifier: Apache-2.0 */
/* asz_dryrun_print: what `assize run --dry-run` shows: the plan and its first frames, as text and as hex.
 *
 * Nothing is opened for writing and nothing is sent: no EAL, port, root, log or lock. The text is a file that text2pcap reads:
 * lines of '#' for people, hex below each. */
#ifndef ASZ_CONTROL_DRYRUN_H
#define ASZ_CONTROL_DRYRUN_H

#include "control/cmd.h"

enum { ASZ_DRYRUN_FRAMES_DEFAULT = 10, ASZ_DRYRUN_FRAMES_MAX = 100000 };

/* Returns an exit code. frames 0..ASZ_DRYRUN_FRAMES_MAX; fewer are printed when the epoch has fewer. */
int asz_dryrun_print(const struct asz_cmd_context *context, uint32_t frames);

#endif
