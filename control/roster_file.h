/* SPDX-License-Identifier: Apache-2.0 */
/* asz_roster_file: the list of who is probed, as a file (probe.roster_file) in the form of `provider import`.
 *
 * With such a file it alone says who is probed, and how: who is new in it is registered, whose line has changed is changed, who
 * is not in it keeps history and scores and is left alone. A name is an identity: its key and device never change, since what
 * they have signed must stay theirs. Without a file everybody who is registered is probed. */
#ifndef ASZ_CONTROL_ROSTER_FILE_H
#define ASZ_CONTROL_ROSTER_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "control/home.h"
#include "control/provider.h"

struct asz_roster_changes {
  size_t added, changed, idle; /* idle: registered, but not in the file */
};

/* asz_roster_file_apply: *io_provider (heap), the store's list in ascending rows, becomes the list of who is probed, in the same
 * order and the new ones behind; `write`: all that is new or changed goes into the store, in one transaction; else rows of new
 * ones are 0. config->probe_roster_file "": nothing happens. On failure store and list are as they were. The errors of
 * asz_import_csv with file and line; ASZ_EEXIST: a key, device or address that another one has or that may not change;
 * ASZ_EINVAL: nobody is in it. */
ASZ_MUST_CHECK int asz_roster_file_apply(struct asz_provider **io_provider, size_t *io_count, struct asz_store *store, bool write,
                                         const struct asz_home *home, const struct asz_config *config,
                                         struct asz_roster_changes *ret_changes, struct asz_diag *diag);

#endif
