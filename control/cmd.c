/* SPDX-License-Identifier: Apache-2.0 */
/* What every subcommand shares: finding it, its options, its exit code, its interrupts. The table of subcommands is an argument,
 * so that tests drive the same dispatcher with the commands that they link. */
#include "control/cmd.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "control/parse.h"
#include "control/suggest.h"
#include "dataplane/base/log.h"

#define VERSION_TEXT "assize " ASZ_VERSION

static volatile sig_atomic_t interrupted, reload_asked;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

void asz_cmd_catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}; /* the second one kills */
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

bool asz_cmd_interrupted(void) {
  return interrupted != 0;
}

static void on_reload(int number) {
  (void)number;
  reload_asked = 1;
}

void asz_cmd_catch_reload(void) {
  struct sigaction action = {.sa_handler = on_reload, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGHUP, &action, NULL);
}

bool asz_cmd_reload_asked(void) {
  bool asked = reload_asked != 0;
  reload_asked = 0;
  return asked;
}

int asz_cmd_fail(int err, const struct asz_diag *diag) {
  fprintf(stderr, "assize: %s\n", diag && diag->text[0] ? diag->text : asz_err_str(err));
  switch (err) {
  case ASZ_ENOMEM:
  case ASZ_EIO:
  case ASZ_EDEVICE:
  case ASZ_EAGAIN:
  case ASZ_ETIMEDOUT:
    return ASZ_EXIT_MACHINE;
  default:
    return ASZ_EXIT_INPUT;
  }
}

int asz_cmd_usage_error(const char *command, const char *format, ...) {
  char text[512];
  struct asz_diag diag;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  asz_diag_set(&diag, ASZ_EINVAL, "%s", text); /* what was typed may hold control characters */
  fprintf(stderr, "assize: %s: %s (see: assize help %s)\n", command, diag.text, command);
  return ASZ_EXIT_INPUT;
}

int asz_cmd_parse_u64(const char *command, const char *option, const char *text, uint64_t min, uint64_t max,
                      uint64_t *ret_value) {
  int err = asz_parse_u64(text, min, max, ret_value);
  if (err)
    asz_cmd_usage_error(command, "%s: expected a number from %" PRIu64 " to %" PRIu64 ", got \"%s\"", option, min, max, text);
  return err;
}

static const struct asz_cmd_option *find_option(const struct asz_cmd_option *options, size_t count, const char *text) {
  size_t length = strcspn(text, "=");
  for (size_t i = 0; i < count; i++)
    if (strlen(options[i].name) == length && !memcmp(options[i].name, text, length))
      return &options[i];
  return NULL;
}

static int unknown_option(const char *command, const struct asz_cmd_option *options, size_t count, const char *text) {
  const char *names[32];
  size_t name_count = count < 32 ? count : 32;
  for (size_t i = 0; i < name_count; i++)
    names[i] = options[i].name;
  const char *near = asz_suggest(text, names, name_count);
  asz_cmd_usage_error(command, "unknown option \"%s\"%s%s%s", text, near ? "; did you mean " : "", near ? near : "",
                      near ? "?" : "");
  return ASZ_EINVAL;
}

/* Assigns one option; *at stands on it and moves over its value. */
static int take_option(const char *command, const struct asz_cmd_option *option, int argc, char **argv, int *at) {
  const char *equals = strchr(argv[*at], '=');
  if (option->flag) {
    if (equals || *option->flag) {
      asz_cmd_usage_error(command, "%s: expected once and without a value", option->name);
      return ASZ_EINVAL;
    }
    *option->flag = true;
    return 0;
  }
  if (!equals && *at + 1 == argc) {
    asz_cmd_usage_error(command, "%s: expected a value behind it", option->name);
    return ASZ_EINVAL;
  }
  const char *value = equals ? equals + 1 : argv[++*at];
  if (option->values && option->values->count < ASZ_CMD_VALUES_MAX) {
    option->values->text[option->values->count++] = value;
  } else if (option->value && !*option->value) {
    *option->value = value;
  } else {
    asz_cmd_usage_error(command, "%s: expected at most %d times", option->name, option->values ? ASZ_CMD_VALUES_MAX : 1);
    return ASZ_EINVAL;
  }
  return 0;
}

int asz_cmd_options(const char *command, int argc, char **argv, const struct asz_cmd_option *options, size_t option_count,
                    const char **ret_positional, size_t positional_max, size_t *ret_count) {
  size_t count = 0;
  bool ended = false;
  for (int i = 1; i < argc; i++) {
    if (!ended && !strcmp(argv[i], "--")) {
      ended = true;
    } else if (!ended && argv[i][0] == '-' && argv[i][1] != '\0') { /* a lone "-" is standard input */
      const struct asz_cmd_option *option = find_option(options, option_count, argv[i]);
      int err = option ? take_option(command, option, argc, argv, &i) : unknown_option(command, options, option_count, argv[i]);
      if (err)
        return err;
    } else if (count == positional_max) {
      asz_cmd_usage_error(command, "unexpected \"%s\"", argv[i]);
      return ASZ_EINVAL;
    } else {
      ret_positional[count++] = argv[i];
    }
  }
  *ret_count = count;
  return 0;
}

int asz_cmd_verb_run(const char *command, const struct asz_cmd_verb *verbs, size_t verb_count,
                     const struct asz_cmd_context *context, int argc, char **argv) {
  const char *names[8];
  char list[128] = "";
  assert(verb_count <= sizeof names / sizeof names[0]);
  for (size_t i = 0; i < verb_count; i++) {
    if (argc > 1 && !strcmp(argv[1], verbs[i].name))
      return verbs[i].run(context, argc - 1, argv + 1);
    names[i] = verbs[i].name;
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : i + 1 == verb_count ? " or " : ", ", verbs[i].name);
  }
  const char *near = argc > 1 ? asz_suggest(argv[1], names, verb_count) : NULL;
  if (near)
    return asz_cmd_usage_error(command, "unknown \"%s\"; did you mean %s?", argv[1], near);
  return asz_cmd_usage_error(command, "expected %s, got %s", list, argc > 1 ? argv[1] : "nothing");
}

int asz_cmd_json(json_t *root) {
  if (!root) {
    fprintf(stderr, "assize: out of memory\n");
    return ASZ_EXIT_MACHINE;
  }
  int failed = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
  json_decref(root);
  putchar('\n');
  return failed ? ASZ_EXIT_MACHINE : ASZ_EXIT_OK; /* a write error is also found, and named, at the end of asz_cmd_main */
}

/* Takes --home and --json out of argv[1..]; everything behind `--` is left alone. */
static int take_shared(int *argc, char **argv, const char **ret_home, bool *ret_json) {
  int kept = 1;
  bool ended = false;
  for (int i = 1; i < *argc; i++) {
    bool home_next = !strcmp(argv[i], "--home"), home_here = !strncmp(argv[i], "--home=", 7);
    ended |= !strcmp(argv[i], "--");
    if (!ended && !strcmp(argv[i], "--json")) {
      *ret_json = true;
    } else if (!ended && (home_next || home_here)) {
      if (*ret_home || (home_next && i + 1 == *argc)) {
        fprintf(stderr, "assize: --home: expected one directory\n");
        return ASZ_EINVAL;
      }
      *ret_home = home_here ? argv[i] + 7 : argv[++i];
    } else {
      argv[kept++] = argv[i];
    }
  }
  argv[kept] = NULL;
  *argc = kept;
  return 0;
}

static const struct asz_cmd *find_command(const struct asz_cmd *const *commands, size_t count, const char *name) {
  const char *names[64] = {"help"};
  size_t name_count = 1;
  for (size_t i = 0; i < count; i++) {
    if (!strcmp(commands[i]->name, name))
      return commands[i];
    if (name_count < 64)
      names[name_count++] = commands[i]->name;
  }
  struct asz_diag typed;
  asz_diag_set(&typed, 0, "%s", name);
  const char *near = asz_suggest(name, names, name_count);
  fprintf(stderr, "assize: unknown command \"%s\"%s%s%s (see: assize help)\n", typed.text, near ? "; did you mean " : "",
          near ? near : "", near ? "?" : "");
  return NULL;
}

static void print_overview(const struct asz_cmd *const *commands, size_t count, FILE *out) {
  fputs("usage: assize [--home DIR] [--json] COMMAND ...\n\n", out);
  for (size_t i = 0; i < count; i++)
    fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
  fputs("\n  help [COMMAND]   this list, or how to use one; help config: every key of assize.conf\n"
        "  --home DIR       the validator's directory (else $ASSIZE_HOME, else $HOME/.assize)\n"
        "  --json           data as JSON on stdout\n"
        "  --version\n\n"
        "Exit codes: 0 done, 1 the answer is no, 2 bad input, 3 the machine failed us, 130 interrupted.\n"
        "Only registered providers are ever probed.\n",
        out);
}

static int help(const struct asz_cmd *const *commands, size_t count, int argc, char **argv) {
  if (argc > 2) {
    fprintf(stderr, "assize: help: expected one command\n");
    return ASZ_EXIT_INPUT;
  }
  if (argc == 1) {
    print_overview(commands, count, stdout);
    return ASZ_EXIT_OK;
  }
  if (!strcmp(argv[1], "config")) {
    asz_config_write_table(stdout);
    return ASZ_EXIT_OK;
  }
  const struct asz_cmd *command = find_command(commands, count, argv[1]);
  if (!command)
    return ASZ_EXIT_INPUT;
  printf("assize %s: %s\n\n%s", command->name, command->summary, command->usage);
  return ASZ_EXIT_OK;
}

static int dispatch(const struct asz_cmd *const *commands, size_t command_count, int argc, char **argv) {
  struct asz_cmd_context context = {.program = argc > 0 ? argv[0] : "assize"};
  struct asz_diag diag = {""};
  const char *home = NULL;
  if (argc > 0 && take_shared(&argc, argv, &home, &context.json) != 0)
    return ASZ_EXIT_INPUT;
  if (argc < 2) {
    print_overview(commands, command_count, stderr);
    return ASZ_EXIT_INPUT;
  }
  if (!strcmp(argv[1], "--version")) {
    puts(VERSION_TEXT);
    return ASZ_EXIT_OK;
  }
  if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
    return help(commands, command_count, argc - 1, argv + 1);
  const struct asz_cmd *command = find_command(commands, command_count, argv[1]);
  if (!command)
    return ASZ_EXIT_INPUT;
  if (argc == 3 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))
    return help(commands, command_count, 2, argv);
  int err = asz_home_locate(&context.home, home, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  return command->run(&context, argc - 1, argv + 1);
}

int asz_cmd_main(const struct asz_cmd *const *commands, size_t command_count, int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN); /* a closed pipe becomes a write error, reported below */
  asz_log_setup("assize", ASZ_LOG_INFO);
  int code = dispatch(commands, command_count, argc, argv);
  errno = 0;
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "assize: cannot write to standard output: %s\n", errno ? strerror(errno) : "an earlier write failed");
    return ASZ_EXIT_MACHINE;
  }
  return code;
}
