/* SPDX-License-Identifier: Apache-2.0 */
/* asz_deny: the deny list, in force while it changes. A file of addresses and prefixes (probe.deny_file); whoever is in it is
 * sent nothing: neither probes nor challenges.
 *
 * The list is turned into one byte a target (struct asz_target, `denied`), which the prober reads beside the address that it is
 * about to send to; so a change works on the next packet, whatever was drawn ahead. A file that cannot be read leaves the list in
 * force that was: what an operator forbade stays forbidden. All calls: control thread. */
#ifndef ASZ_CONTROL_DENY_H
#define ASZ_CONTROL_DENY_H

#include <stdbool.h>
#include <time.h>

#include "control/home.h"
#include "control/prefix.h"
#include "control/roster.h"

struct asz_deny {
  char path[ASZ_PATH_MAX]; /* "": no list */
  struct asz_prefixes list;
  struct timespec modified; /* of the file that was last looked into, good or broken; tv_sec -1: there was none */
  uint64_t inode, size_bytes;
};

/* asz_deny_open reads the list for the first time. The errors of asz_prefixes_load: nobody is probed by a list that can't be
 * read. *ret_deny is empty then. asz_deny_close: a zeroed one is fine. */
ASZ_MUST_CHECK int asz_deny_open(struct asz_deny *ret_deny, const struct asz_home *home, const struct asz_config *config,
                                 struct asz_diag *diag);
void asz_deny_close(struct asz_deny *deny);
/* asz_deny_look reads the file again when it has changed (time, size, inode), or in any case when forced. 1: another list is in
 * force now; 0: the same; negative: the file is broken or gone, said once, and the old list is in force. */
ASZ_MUST_CHECK int asz_deny_look(struct asz_deny *deny, bool force, struct asz_diag *diag);
/* asz_deny_apply marks the roster's targets; returns how many are denied. The prober may read them meanwhile. */
uint32_t asz_deny_apply(const struct asz_deny *deny, struct asz_roster *roster);

#endif
