/* SPDX-License-Identifier: Apache-2.0 */
/* asz_diag: one clear line about what was wrong with some input: what, where, what was expected.
 * A parser takes a `struct asz_diag *` (may be NULL) and fills it only when it returns an error. The command that
 * called it prints the line on stderr and exits with 2. */
#ifndef ASZ_DATAPLANE_BASE_DIAG_H
#define ASZ_DATAPLANE_BASE_DIAG_H

enum { ASZ_DIAG_BYTES = 512 };

struct asz_diag {
  char text[ASZ_DIAG_BYTES]; /* one line, no newline, NUL-terminated */
};

/* asz_diag_set formats the line and returns `err`, so that a parser can `return asz_diag_set(diag, ASZ_EFORMAT, ...)`.
 * Control characters in the result become '?': a hostile file must not write to the operator's terminal.
 * diag may be NULL. Any thread (the caller owns diag). */
int asz_diag_set(struct asz_diag *diag, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
