/* SPDX-License-Identifier: Apache-2.0 */
/* asz_hmac_file: the key that a reflector which is not ours shares with us (RFC 8762 section 4.4), as its operator gave it to us:
 * one line of 32 to 64 hex digits, in a file that nobody else can read. */
#ifndef ASZ_CONTROL_HMAC_FILE_H
#define ASZ_CONTROL_HMAC_FILE_H

#include <stdint.h>

#include "control/provider.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

/* asz_hmac_file_read: ASZ_ENOENT, ASZ_EPERM (not readable, or readable by others), ASZ_EFORMAT, ASZ_EINVAL (no regular file). The
 * line never shows what is in the file. */
ASZ_MUST_CHECK int asz_hmac_file_read(uint8_t ret_secret[ASZ_HMAC_SECRET_BYTES_MAX], uint8_t *ret_secret_bytes, const char *path,
                                      struct asz_diag *diag);

#endif
