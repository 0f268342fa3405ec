/* SPDX-License-Identifier: Apache-2.0 */
/* asz_import: providers from a CSV file.
 *
 * The first line names the columns, in any order, each one of ASZ_PROVIDER_FIELD_LIST (name and ip must be there); every further
 * line is one provider. A field may stand in double quotes (a quote in it doubled); an empty field is one that was not given.
 * Blank lines and lines that begin with '#' are skipped; LF and CRLF both end a line. Errors: `FILE:LINE: FIELD: expected ...`.
 */
#ifndef ASZ_CONTROL_IMPORT_H
#define ASZ_CONTROL_IMPORT_H

#include <stddef.h>

#include "control/provider.h"

enum { ASZ_IMPORT_MAX = 16777216, ASZ_IMPORT_BYTES_MAX = 1 << 30 };

struct asz_import {
  struct asz_provider *provider; /* count of them, row 0 */
  unsigned *line;                /* where each stands */
  size_t count;
};

/* asz_import_csv parses size_bytes of text (changed in place; text[size_bytes] is NUL and is no part of it). Names, addresses and
 * (key, device) must be unique in it: both lines are named. Free with asz_import_free. ASZ_EFORMAT, ASZ_ERANGE, ASZ_EEXIST,
 * ASZ_ETOOBIG, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_import_csv(struct asz_import *ret_import, char *text, size_t size_bytes, const char *name,
                                  struct asz_diag *diag);
void asz_import_free(struct asz_import *import);

#endif
