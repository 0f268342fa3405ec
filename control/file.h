/* SPDX-License-Identifier: Apache-2.0 */
/* asz_file: whole files in and out, with one line when it fails. */
#ifndef ASZ_CONTROL_FILE_H
#define ASZ_CONTROL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

/* asz_file_read: the whole of a file of at most size_max bytes, NUL behind it (not counted); free with free. "-" is standard
 * input. ASZ_ENOENT, ASZ_EPERM, ASZ_ETOOBIG, ASZ_EIO, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_file_read(uint8_t **ret_bytes, size_t *ret_size, const char *path, size_t size_max, struct asz_diag *diag);
/* asz_file_write: all or nothing: a temporary file beside it, flushed to disk, then named. ASZ_EEXIST when there is one and not
 * `overwrite`. Mode 0644 less the umask. */
ASZ_MUST_CHECK int asz_file_write(const char *path, const void *bytes, size_t size_bytes, bool overwrite, struct asz_diag *diag);

/* asz_file_remove_tree removes a directory of ours and all in it; follows no link, leaves other file systems alone. Best effort.
 */
void asz_file_remove_tree(const char *path);

#endif
