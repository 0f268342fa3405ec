/* SPDX-License-Identifier: Apache-2.0 */
/* asz_durable: what everybody needs who puts a file where it must survive a power cut: the meaning of an errno, and the sync of
 * the directory that holds a new name. Not for the packet loop. Any thread. */
#ifndef ASZ_DATAPLANE_BASE_DURABLE_H
#define ASZ_DATAPLANE_BASE_DURABLE_H

#include "dataplane/base/err.h"

/* asz_errno_err: the ASZ_E of an errno of a file call: ASZ_ENOENT, ASZ_EPERM, ASZ_EEXIST, ASZ_ENOMEM, else ASZ_EIO. */
int asz_errno_err(int error_number);

/* asz_sync_parent: makes the name `path` durable: fsync of its directory. 0, or -1 with errno set. */
ASZ_MUST_CHECK int asz_sync_parent(const char *path);

#endif
