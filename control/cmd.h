/* SPDX-License-Identifier: Apache-2.0 */
/* asz_cmd: the table of subcommands of `assize`. A subcommand is one file cmd_<name>.c that ends in one `const struct asz_cmd
 * asz_cmd_<name>` and one line in this list. main.c parses the shared options, then calls it. Exit codes everywhere: 0 done, 1
 * the answer is no (a check failed, nothing found), 2 bad input, 3 the machine failed us (I/O, memory, device), 130 interrupted.
 */
#ifndef ASZ_CONTROL_CMD_H
#define ASZ_CONTROL_CMD_H

#include <stdbool.h>

#include "control/home.h"

#define ASZ_CMD_LIST(X) X(init) X(provider) X(run) X(status) X(profile) X(slash) X(log) X(lab) X(doctor)

enum { ASZ_EXIT_OK = 0, ASZ_EXIT_NO = 1, ASZ_EXIT_INPUT = 2, ASZ_EXIT_MACHINE = 3, ASZ_EXIT_INTERRUPTED = 130 };

struct asz_cmd_context {
  struct asz_home home; /* located, not opened */
  bool json;            /* --json: data as JSON on stdout */
  const char *program;  /* argv[0] of assize */
};

struct asz_cmd {
  const char *name;
  const char *summary; /* one line of `assize help` */
  const char *usage;   /* text of `assize help NAME`, examples first */
  /* argv[0] is the subcommand's name; --home and --json are already taken out. Returns an exit code. */
  int (*run)(const struct asz_cmd_context *context, int argc, char **argv);
};

#define ASZ_CMD_DECLARE(name) extern const struct asz_cmd asz_cmd_##name;
ASZ_CMD_LIST(ASZ_CMD_DECLARE)
#undef ASZ_CMD_DECLARE

/* asz_cmd_fail prints `assize: <diag>` on stderr and gives the exit code of an error: 2 for the caller's input, 3 for the
 * machine. */
int asz_cmd_fail(int err, const struct asz_diag *diag);
/* asz_cmd_usage_error prints one line and points at `assize help NAME`; returns ASZ_EXIT_INPUT. */
int asz_cmd_usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Parsing of a numeric option: decimal in min..max, else one line and ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_cmd_parse_u64(const char *command, const char *option, const char *text, uint64_t min, uint64_t max,
                                     uint64_t *ret_value);
/* Interrupts: asz_cmd_catch_signals makes SIGINT and SIGTERM set a flag (a second one kills); asz_cmd_interrupted reads it. */
void asz_cmd_catch_signals(void);
bool asz_cmd_interrupted(void);

#endif
