/* SPDX-License-Identifier: Apache-2.0 */
/* inih does the parsing; the reader callback below guards it. Debian builds inih without line numbers in its handler, and inih
 * splits overlong lines, takes an indented line for a continuation of the value above, takes ':' for '=', and never mentions a
 * section without keys: each of these would turn an operator's slip into a silently different configuration. So every line
 * passes through next_line first: it is counted, measured, checked, stripped of its indentation, and only then given to inih,
 * which calls the handler before it asks for another line: the count is the handler's line number. */
#include "control/ini.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <string.h>

struct reading {
  FILE *in;
  const char *name;
  unsigned line;
  int err;
  bool in_section;
  struct asz_diag *diag;
  int (*visit)(void *context, const struct asz_ini_item *item, struct asz_diag *diag);
  void *context;
};

/* One line without its newline; false at the end of the file or on an error. */
static bool raw_line(struct reading *r, char text[ASZ_INI_LINE_MAX + 1]) {
  size_t length = 0;
  int c = getc(r->in);
  if (c == EOF)
    return false;
  if (++r->line > ASZ_INI_LINES_MAX) {
    r->err = asz_diag_set(r->diag, ASZ_ETOOBIG, "%s: expected at most %d lines", r->name, ASZ_INI_LINES_MAX);
    return false;
  }
  for (; c != EOF && c != '\n'; c = getc(r->in)) {
    if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f) {
      r->err = asz_diag_set(r->diag, ASZ_EFORMAT, "%s:%u: expected text, got the byte 0x%02x", r->name, r->line, (unsigned)c);
      return false;
    }
    if (length == ASZ_INI_LINE_MAX) {
      r->err = asz_diag_set(r->diag, ASZ_EFORMAT, "%s:%u: expected a line of at most %d characters, got a longer one", r->name,
                            r->line, ASZ_INI_LINE_MAX);
      return false;
    }
    text[length++] = (char)c;
  }
  text[length] = '\0';
  return true;
}

static void open_section(struct reading *r, char *text) {
  char *end = strpbrk(text, "];");
  size_t length = end ? (size_t)(end - text - 1) : 0;
  const char *rest = end ? end + 1 + strspn(end + 1, " \t\r") : "";
  if (!end || *end != ']' || length == 0 || length > ASZ_INI_SECTION_MAX || (*rest && *rest != ';' && *rest != '#')) {
    r->err = asz_diag_set(r->diag, ASZ_EFORMAT, "%s:%u: expected [section] with a name of 1 to %d characters, got \"%s\"",
                          r->name, r->line, ASZ_INI_SECTION_MAX, text);
    return;
  }
  char section[ASZ_INI_SECTION_MAX + 1];
  memcpy(section, text + 1, length);
  section[length] = '\0';
  end[1] = '\0'; /* a comment after it is of no use to inih */
  r->in_section = true;
  struct asz_ini_item item = {.file = r->name, .line = r->line, .section = section};
  r->err = r->visit(r->context, &item, r->diag);
}

static void check_pair(struct reading *r, const char *text) {
  size_t at = strcspn(text, "=:;");
  if (text[at] != '=' || at == 0)
    r->err = asz_diag_set(r->diag, ASZ_EFORMAT, "%s:%u: expected key = value, got \"%s\"", r->name, r->line, text);
  else if (!r->in_section)
    r->err = asz_diag_set(r->diag, ASZ_EFORMAT, "%s:%u: expected a [section] before the first key, got \"%s\"", r->name, r->line,
                          text);
}

/* inih's reader: like fgets. */
static char *next_line(char *ret_text, int capacity, void *stream) {
  struct reading *r = stream;
  char text[ASZ_INI_LINE_MAX + 1];
  assert(capacity >= ASZ_INI_LINE_MAX + 2);
  if (r->err || !raw_line(r, text))
    return NULL;
  char *start = text;
  if (r->line == 1 && !strncmp(start, "\xef\xbb\xbf", 3)) /* a byte-order mark, as some editors leave it */
    start += 3;
  while (isspace((unsigned char)*start))
    start++;
  if (*start == '[')
    open_section(r, start);
  else if (*start == ';' || *start == '#')
    *start = '\0';
  else if (*start)
    check_pair(r, start);
  if (r->err)
    return NULL;
  size_t length = strlen(start);
  memcpy(ret_text, start, length);
  ret_text[length] = '\n';
  ret_text[length + 1] = '\0';
  return ret_text;
}

static int pair(void *user, const char *section, const char *key, const char *value) {
  struct reading *r = user;
  struct asz_ini_item item = {.file = r->name, .line = r->line, .section = section, .key = key, .value = value};
  r->err = r->visit(r->context, &item, r->diag);
  return r->err == 0;
}

int asz_ini_read(FILE *in, const char *name, int (*visit)(void *context, const struct asz_ini_item *item, struct asz_diag *diag),
                 void *context, struct asz_diag *diag) {
  struct reading r = {.in = in, .name = name, .diag = diag, .visit = visit, .context = context};
  errno = 0;
  int line = ini_parse_stream(next_line, &r, pair, &r);
  if (r.err)
    return r.err;
  if (ferror(in))
    return asz_diag_set(diag, ASZ_EIO, "%s: cannot read: %s", name, strerror(errno));
  if (line < 0)
    return asz_diag_set(diag, ASZ_ENOMEM, "%s: out of memory", name);
  if (line > 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%d: expected [section] or key = value", name, line);
  return 0;
}
