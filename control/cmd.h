/* SPDX-License-Identifier: Apache-2.0 */
/* asz_cmd: the table of subcommands of `assize`. A subcommand is one file cmd_<name>.c that ends in one `const struct asz_cmd
 * asz_cmd_<name>` and one line in this list. main.c parses the shared options, then calls it. Exit codes everywhere: 0 done, 1
 * the answer is no (a check failed, nothing found), 2 bad input, 3 the machine failed us (I/O, memory, device), 130 interrupted.
 */
#ifndef ASZ_CONTROL_CMD_H
#define ASZ_CONTROL_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/home.h"

struct json_t;

#define ASZ_CMD_LIST(X)                                                                                                          \
  X(init) X(provider) X(run) X(status) X(scores) X(profile) X(slash) X(log) X(lab) X(doctor) X(sweep) X(bench)

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

/* asz_cmd_main: `assize [--home DIR] [--json] COMMAND ...`, `help [COMMAND]`, `--version`. Takes the shared options out wherever
 * they stand before a `--`, finds the subcommand in the table, runs it, and makes sure that stdout took everything (a full disk
 * or a closed pipe is ASZ_EXIT_MACHINE, never silence). commands: command_count entries. argv is permuted. */
int asz_cmd_main(const struct asz_cmd *const *commands, size_t command_count, int argc, char **argv);

/* Options of a subcommand: `--name VALUE`, `--name=VALUE`, `--flag`; `--` ends them. Exactly one of value, flag and values is
 * set. */
enum { ASZ_CMD_VALUES_MAX = 64 };
struct asz_cmd_values {
  const char *text[ASZ_CMD_VALUES_MAX];
  size_t count;
};
struct asz_cmd_option {
  const char *name;              /* with its dashes */
  const char **value;            /* takes a value, once */
  bool *flag;                    /* takes none */
  struct asz_cmd_values *values; /* takes a value, again and again */
};
/* asz_cmd_options sorts argv[1..] into options and positional words; *ret_count words, positional_max at most. Anything else: one
 * line on stderr and ASZ_EINVAL. */
ASZ_MUST_CHECK int asz_cmd_options(const char *command, int argc, char **argv, const struct asz_cmd_option *options,
                                   size_t option_count, const char **ret_positional, size_t positional_max, size_t *ret_count);

/* Verbs of a subcommand, as in `provider add`: asz_cmd_verb_run finds argv[1] and calls it with argv + 1. */
struct asz_cmd_verb {
  const char *name;
  int (*run)(const struct asz_cmd_context *context, int argc, char **argv);
};
int asz_cmd_verb_run(const char *command, const struct asz_cmd_verb *verbs, size_t verb_count,
                     const struct asz_cmd_context *context, int argc, char **argv);

/* asz_cmd_json prints one JSON document and its newline on stdout and releases it; returns an exit code. NULL (memory ran out
 * while it was made) is ASZ_EXIT_MACHINE. */
int asz_cmd_json(struct json_t *root);

/* asz_cmd_fail prints `assize: <diag>` on stderr and gives the exit code of an error: 2 for the caller's input, 3 for the
 * machine. */
int asz_cmd_fail(int err, const struct asz_diag *diag);
/* asz_cmd_usage_error prints one line and points at `assize help NAME`; returns ASZ_EXIT_INPUT. */
int asz_cmd_usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Parsing of a numeric option: decimal in min..max, else one line and ASZ_EFORMAT or ASZ_ERANGE. */
ASZ_MUST_CHECK int asz_cmd_parse_u64(const char *command, const char *option, const char *text, uint64_t min, uint64_t max,
                                     uint64_t *ret_value);
/* Interrupts: asz_cmd_catch_signals makes SIGINT and SIGTERM set a flag (a second one kills); asz_cmd_interrupted reads it. */
void asz_cmd_catch_signals(void);
bool asz_cmd_interrupted(void);
/* Reloading: asz_cmd_catch_reload makes SIGHUP set a flag; asz_cmd_reload_asked reads and clears it. */
void asz_cmd_catch_reload(void);
bool asz_cmd_reload_asked(void);

#endif
