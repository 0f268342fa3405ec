/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Set once at start, before threads; read by all. */
static const char *program_name = "assize";
static enum asz_log_level shown_max = ASZ_LOG_INFO;

enum { LINE_BYTES = 1024 }; /* two diag lines; longer text is cut */

void asz_log_setup(const char *program, enum asz_log_level level_max) {
  program_name = program;
  shown_max = level_max;
}

void asz_log(enum asz_log_level level, const char *format, ...) {
  static const char *const level_name[] = {"error", "warning", "info", "debug"};
  if (level > shown_max)
    return;
  int saved_errno = errno; /* a caller may log between a failed call and its use of errno */
  char line[LINE_BYTES];
  int head = snprintf(line, sizeof line, "%s: %s: ", program_name, level_name[level]);
  if (head < 0 || head >= LINE_BYTES - 1)
    head = 0;
  va_list args;
  va_start(args, format);
  int body = vsnprintf(line + head, sizeof line - (size_t)head, format, args);
  va_end(args);
  size_t length = (size_t)head + (body > 0 ? (size_t)body : 0);
  if (length > sizeof line - 1)
    length = sizeof line - 1;
  for (size_t i = 0; i < length; i++) /* one message is one line, and never a terminal's control sequence */
    if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
      line[i] = '?';
  line[length++] = '\n';
  ssize_t written = write(STDERR_FILENO, line, length); /* nowhere is left to report that stderr is gone */
  (void)written;
  errno = saved_errno;
}
