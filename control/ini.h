/* SPDX-License-Identifier: Apache-2.0 */
/* asz_ini: strict reading of INI files, on top of inih, with line numbers: what the configuration and scenario files share.
 *
 *   # comment, ; comment
 *   [section]
 *   key = value      ; a comment may follow after a space
 *
 * Refused with `FILE:LINE: ...`: lines over ASZ_INI_LINE_MAX characters, NUL and control characters, a key before any section, a
 * line without '=', a section without ']'. Indentation means nothing. */
#ifndef ASZ_CONTROL_INI_H
#define ASZ_CONTROL_INI_H

#include <stdio.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

/* 198: inih reads lines into 200 bytes, newline and NUL included, and silently splits longer ones. 48: it cuts section names at
 * 49. */
enum { ASZ_INI_LINE_MAX = 198, ASZ_INI_SECTION_MAX = 48, ASZ_INI_LINES_MAX = 100000 };

struct asz_ini_item {
  const char *file;
  unsigned line; /* from 1 */
  const char *section;
  const char *key;   /* NULL: this line opens the section */
  const char *value; /* stripped; "" possible; NULL with key */
};

/* asz_ini_read calls visit for every section line and every pair, in order, until it returns non-zero; that (visit fills diag) or
 * the file's own error is returned. `name` stands for the file in messages. Strings live during the visit only. */
ASZ_MUST_CHECK int asz_ini_read(FILE *in, const char *name,
                                int (*visit)(void *context, const struct asz_ini_item *item, struct asz_diag *diag),
                                void *context, struct asz_diag *diag);

#endif
