/* SPDX-License-Identifier: Apache-2.0 */
/* Each test runs in a process of its own, so stderr can be turned into a pipe and read back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/base/log.h"

static int read_end;

static void capture(void) {
  int ends[2];
  cr_assert_eq(pipe(ends), 0);
  cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
  close(ends[1]);
  read_end = ends[0];
}

/* One read(2) gets what one write(2) put into the pipe, if nothing else was written. */
static const char *captured(void) {
  static char text[8192];
  close(STDERR_FILENO);
  ssize_t length = read(read_end, text, sizeof text - 1);
  cr_assert_geq(length, 0);
  text[length] = '\0';
  return text;
}

Test(log, a_message_is_one_line_whatever_it_carries, .init = capture)
{
  asz_log_setup("assize", ASZ_LOG_INFO);
  asz_log(ASZ_LOG_WARN, "provider \"%s\"", "a\nassize: error: forged\x1b[0m");
  cr_assert_str_eq(captured(), "assize: warning: provider \"a?assize: error: forged?[0m\"\n");
}

Test(log, a_long_message_is_cut_to_one_line, .init = capture)
{
  char text[4000];
  memset(text, 'y', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  asz_log(ASZ_LOG_ERROR, "%s", text);
  const char *line = captured();
  cr_assert_leq(strlen(line), 1024);
  cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1);
}

Test(log, levels_beyond_the_limit_are_silent, .init = capture)
{
  asz_log_setup("assize-responder", ASZ_LOG_WARN);
  asz_log(ASZ_LOG_INFO, "not shown");
  asz_log(ASZ_LOG_DEBUG, "not shown");
  asz_log(ASZ_LOG_ERROR, "shown %d", 1);
  cr_assert_str_eq(captured(), "assize-responder: error: shown 1\n");
}

Test(log, errno_survives_even_a_closed_stderr)
{
  close(STDERR_FILENO);
  errno = ENOSPC;
  asz_log(ASZ_LOG_ERROR, "nobody hears this");
  cr_assert_eq(errno, ENOSPC);
}
