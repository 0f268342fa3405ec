/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int asz_diag_set(struct asz_diag *diag, int err, const char *format, ...) {
  if (diag == NULL)
    return err;
  va_list args;
  va_start(args, format);
  int length = vsnprintf(diag->text, sizeof diag->text, format, args);
  va_end(args);
  if (length < 0)
    diag->text[0] = '\0';
  else if ((size_t)length >= sizeof diag->text) /* say that the line was cut, so that nobody reads half a name as a whole one */
    memcpy(diag->text + sizeof diag->text - 4, "...", 4);
  for (unsigned char *c = (unsigned char *)diag->text; *c != '\0'; c++)
    if (*c < 0x20 || *c == 0x7f)
      *c = '?';
  return err;
}
