/* SPDX-License-Identifier: Apache-2.0 */
/* The program as an operator meets it: exit codes, what goes to which stream, and that nothing half-done stays behind. Each test
 * has a home of its own; `run` and `lab`, which need packets, have their own tests. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "control/cmd.h"
#include "tests/control/populate.h"
#include "tests/control/tlog/cosigned.h"
#include "tests/control/tlog/scratch.h"

struct cli {
  char dir[SCRATCH_PATH], home[2 * SCRATCH_PATH];
  char *out, *err; /* of the last call; heap */
};

static void make(struct cli *cli) {
  memset(cli, 0, sizeof *cli);
  scratch_make(cli->dir);
  scratch_path(cli->home, cli->dir, "home");
}

static void drop(struct cli *cli) {
  free(cli->out);
  free(cli->err);
  scratch_remove(cli->dir);
}

static void redirect(const char *path, int flags, int to) {
  int fd = open(path, flags, 0600);
  if (fd < 0 || dup2(fd, to) < 0)
    _exit(125);
}

static char *text_of(struct cli *cli, const char *name) {
  size_t size;
  char *text = (char *)scratch_read(cli->dir, name, &size);
  text[size] = '\0';
  return text;
}

/* Runs `assize --home HOME WORDS...`, words separated by single blanks, with stdout to `out_path` (NULL: kept). Returns the exit
 * code; 128 + the signal when killed. */
static int call_to(struct cli *cli, const char *out_path, const char *words) {
  char program[1024], line[4096], out[2 * SCRATCH_PATH], err[2 * SCRATCH_PATH], in[2 * SCRATCH_PATH];
  char *argv[64] = {program, (char[]){"--home"}, cli->home};
  const char *build = getenv("ASSIZE_BUILD");
  int argc = 3, status;
  if (!build)
    cr_skip_test("ASSIZE_BUILD is not set: run by meson test");
  snprintf(program, sizeof program, "%s/control/assize", build);
  snprintf(line, sizeof line, "%s", words);
  for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
    argv[argc++] = word;
  scratch_path(out, cli->dir, "out");
  scratch_path(err, cli->dir, "err");
  scratch_path(in, cli->dir, "in");
  pid_t child = fork();
  cr_assert(child >= 0);
  if (child == 0) {
    redirect(access(in, R_OK) == 0 ? in : "/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(out_path ? out_path : out, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(err, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    execv(program, argv);
    _exit(126);
  }
  cr_assert_eq(waitpid(child, &status, 0), child);
  free(cli->out);
  free(cli->err);
  cli->out = out_path ? strdup("") : text_of(cli, "out");
  cli->err = text_of(cli, "err");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int call(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int call(struct cli *cli, const char *format, ...) {
  char words[4096];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  return call_to(cli, NULL, words);
}

#define EXPECT(cli, code, ...)                                                                                                   \
  do {                                                                                                                           \
    int got_ = call(cli, __VA_ARGS__);                                                                                           \
    cr_assert_eq(got_, code, "exit code %d, stderr: %s", got_, (cli)->err);                                                      \
  } while (0)
#define EXPECT_IN(text, part) cr_assert(strstr(text, part), "expected \"%s\" in \"%s\"", part, text)

/* Exit code 2, nothing on stdout, one line on stderr with this in it. */
static void refuses(struct cli *cli, const char *words, const char *part) {
  int code = call_to(cli, NULL, words);
  cr_assert_eq(code, ASZ_EXIT_INPUT, "%s: exit code %d, stderr: %s", words, code, cli->err);
  cr_assert_str_eq(cli->out, "", "%s", words);
  EXPECT_IN(cli->err, part);
  cr_assert_eq(strchr(cli->err, '\n') - cli->err, (ptrdiff_t)strlen(cli->err) - 1, "%s: one line: %s", words, cli->err);
}

static void populated(struct cli *cli) {
  struct asz_home home;
  make(cli);
  EXPECT(cli, 0,
         "init --preset lab --set network.eal=--vdev=net_null0 --set network.local_ip=192.0.2.1 "
         "--set network.gateway_ip=192.0.2.2");
  cr_assert_eq(asz_home_locate(&home, cli->home, NULL), 0);
  populate(&home);
}

static json_t *json_of(struct cli *cli) {
  json_error_t error;
  json_t *root = json_loads(cli->out, 0, &error);
  cr_assert_not_null(root, "not JSON: %s: %s", error.text, cli->out);
  return root;
}

Test(cli, wrong_words_are_refused_with_one_line)
{
  struct cli cli;
  make(&cli);
  refuses(&cli, "statsu", "unknown command \"statsu\"; did you mean status? (see: assize help)");
  refuses(&cli, "help statsu", "unknown command \"statsu\"");
  refuses(&cli, "--home x status", "--home: expected one directory");
  refuses(&cli, "status --home", "--home: expected one directory");
  refuses(&cli, "status now", "status: unexpected \"now\"");
  refuses(&cli, "status --jsn", "status: unknown option \"--jsn\"");
  refuses(&cli, "provider", "provider: expected add, import or list, got nothing");
  refuses(&cli, "provider lst", "provider: unknown \"lst\"; did you mean list?");
  refuses(&cli, "provider add", "provider: add: expected a name");
  refuses(&cli, "provider add a --ip", "--ip: expected a value behind it");
  refuses(&cli, "provider add a --ip 10.0.0.1 --ipp 1", "unknown option \"--ipp\"; did you mean --ip?");
  refuses(&cli, "provider import", "import: expected a file");
  refuses(&cli, "profile", "profile: expected the name of a provider");
  refuses(&cli, "slash show one", "show: expected a number from 1 to");
  refuses(&cli, "slash export 1", "export: expected an id and a file");
  refuses(&cli, "log show -1", "unknown option \"-1\"");
  refuses(&cli, "init --preset fast", "preset: expected standard|lab, got \"fast\"");
  refuses(&cli, "init --set time.epoch_s=61", "--set: time.epoch_s: expected 1 to 64 whole slots");
  refuses(&cli, "init --set nonsense", "--set: expected section.key=value");
  refuses(&cli, "init --origin a+b", "validator.origin: expected a name without spaces");
  cr_assert(!scratch_exists(cli.dir, "home"), "nothing was made");
  drop(&cli);
}

/* Also before anything else is looked at: there is no home here, which most of them would name. */
Test(cli, every_command_and_verb_refuses_an_option_that_it_does_not_have)
{
  static const char *const verbs[] = {"provider add", "provider import", "provider list", "slash list", "slash show",
                                      "slash export", "log checkpoint",  "log prove",     "log verify", "log fsck",
                                      "log show",     "log tail",        "log cosign",    "log witness"};
  struct cli cli;
  char words[64];
  make(&cli);
#define REFUSED(name) refuses(&cli, #name " --no-such-option", "--no-such-option");
  ASZ_CMD_LIST(REFUSED)
#undef REFUSED
  for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
    snprintf(words, sizeof words, "%s --no-such-option", verbs[i]);
    refuses(&cli, words, "--no-such-option");
  }
  cr_assert(!scratch_exists(cli.dir, "home"), "refusing made nothing");
  drop(&cli);
}

Test(cli, every_command_that_needs_a_home_says_so)
{
  static const char *const commands[] = {"status",           "provider list", "provider add a --ip 10.0.0.1",
                                         "profile a",        "slash list",    "slash show 1",
                                         "slash export 1 f", "log verify",    "log show 0"};
  struct cli cli;
  make(&cli);
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
    refuses(&cli, commands[i], "run `assize init`");
  cr_assert(!scratch_exists(cli.dir, "home"), "looking made nothing");
  drop(&cli);
}

Test(cli, help_and_version_need_no_home)
{
  struct cli cli;
  make(&cli);
  EXPECT(&cli, 0, "--version");
  EXPECT_IN(cli.out, "assize 0.");
  EXPECT(&cli, 0, "help");
#define NAMED(name) EXPECT_IN(cli.out, "\n  " #name " ");
  ASZ_CMD_LIST(NAMED)
#undef NAMED
#define HELP(name)                                                                                                               \
  EXPECT(&cli, 0, "help " #name);                                                                                                \
  EXPECT_IN(cli.out, "assize " #name);                                                                                           \
  EXPECT(&cli, 0, #name " --help");
  ASZ_CMD_LIST(HELP)
#undef HELP
  EXPECT(&cli, 2, "%s", "");
  EXPECT_IN(cli.err, "usage: assize");
  drop(&cli);
}

Test(cli, init_twice_is_refused_and_changes_nothing)
{
  struct cli cli;
  make(&cli);
  EXPECT(&cli, 0, "init --origin validator.example.org/a --set time.epoch_s=1800");
  EXPECT_IN(cli.out, "validator.example.org/a+");
  size_t before_size, after_size;
  uint8_t *before = scratch_read(cli.home, "validator.key", &before_size);
  refuses(&cli, "init", "exists already");
  uint8_t *after = scratch_read(cli.home, "validator.key", &after_size);
  cr_assert_eq(before_size, after_size);
  cr_assert_arr_eq(before, after, before_size);
  free(before);
  free(after);
  drop(&cli);
}

Test(cli, a_broken_configuration_is_named_by_file_line_and_key)
{
  struct cli cli;
  make(&cli);
  EXPECT(&cli, 0, "init");
  scratch_write(cli.home, "assize.conf", "[time]\nslot_s = sixty\n", 22);
  refuses(&cli, "status", "assize.conf:2: time.slot_s: expected a number from 1 to 3600 (s), got \"sixty\"");
  EXPECT(&cli, 1, "doctor");
  EXPECT_IN(cli.out, "assize.conf:2: time.slot_s");
  drop(&cli);
}

Test(cli, a_plan_over_a_cap_or_with_a_broken_deny_list_is_refused_before_anything_is_sent)
{
  struct cli cli;
  struct asz_home home;
  char path[2 * SCRATCH_PATH + 16];
  make(&cli);
  EXPECT(
      &cli, 0,
      "init --preset lab --set network.eal=--vdev=net_null0 --set network.local_ip=192.0.2.1 --set network.gateway_ip=192.0.2.2 "
      "--set probe.rate_max_prefix_pps=39 --set probe.deny_file=deny.txt");
  cr_assert_eq(asz_home_locate(&home, cli.home, NULL), 0);
  populate(&home);
  refuses(&cli, "run",
          "10.0.0.0/24 would get 40 probes/s: expected at most probe.rate_max_prefix_pps = 39; in it: honest, wrong, dead");
  EXPECT(&cli, 1, "doctor");
  EXPECT_IN(cli.out, "FAIL  caps           10.0.0.0/24 would get 40 probes/s");
  EXPECT_IN(cli.out, "FAIL  deny list      ");
  EXPECT(&cli, 0, "status"); /* who only reads is not bound by caps */
  snprintf(path, sizeof path, "%s/deny.txt", cli.home);
  FILE *deny = fopen(path, "w");
  cr_assert_not_null(deny);
  fputs("10.0.0.1\n10.0.0.2/31 # two of them\n", deny);
  cr_assert_eq(fclose(deny), 0);
  EXPECT(&cli, 1, "doctor");
  EXPECT_IN(cli.out, "OK    deny list      2 prefixes; 3 providers are denied");
  drop(&cli);
}

Test(cli, a_key_that_others_may_read_is_refused)
{
  struct cli cli;
  char path[4 * SCRATCH_PATH];
  make(&cli);
  EXPECT(&cli, 0, "init");
  snprintf(path, sizeof path, "%s/validator.key", cli.home);
  cr_assert_eq(chmod(path, 0644), 0);
  refuses(&cli, "status", "validator.key");
  EXPECT(&cli, 1, "doctor");
  EXPECT_IN(cli.out, "FAIL  key");
  drop(&cli);
}

static void finds_no_room(struct cli *cli, const char *shared, const char *words) {
  char line[64];
  snprintf(line, sizeof line, "%s %s", shared, words);
  cr_assert_eq(call_to(cli, "/dev/full", line), ASZ_EXIT_MACHINE, "%s", line);
  EXPECT_IN(cli->err, "cannot write to standard output");
}

Test(cli, output_that_cannot_be_written_is_an_error)
{
  struct cli cli;
  populated(&cli);
  if (access("/dev/full", W_OK) != 0)
    cr_skip_test("no /dev/full here");
  static const char *const commands[] = {"status",        "scores",         "profile wrong", "slash list", "slash show 1",
                                         "provider list", "log checkpoint", "log show 0",    "log tail",   "doctor"};
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
    finds_no_room(&cli, "", commands[i]);
    finds_no_room(&cli, "--json", commands[i]);
  }
  finds_no_room(&cli, "help", "");
#define HELP(name) finds_no_room(&cli, "help", #name);
  ASZ_CMD_LIST(HELP)
#undef HELP
  drop(&cli);
}

Test(cli, a_closed_pipe_is_an_error_and_no_signal)
{
  struct cli cli;
  char command[4096];
  populated(&cli);
  snprintf(command, sizeof command, "{ '%s/control/assize' --home '%s' help; echo $? > '%s/code'; } 2> /dev/null | true",
           getenv("ASSIZE_BUILD"), cli.home, cli.dir);
  for (int i = 0; i < 20; i++) { /* `true` may be gone before or after the write: 0 or 3, never a signal's 141 */
    cr_assert_eq(system(command), 0);
    char *code = text_of(&cli, "code");
    cr_assert(!strcmp(code, "0\n") || !strcmp(code, "3\n"), "exit code %s", code);
    free(code);
  }
  drop(&cli);
}

Test(cli, providers_are_added_once)
{
  struct cli cli;
  make(&cli);
  EXPECT(&cli, 0, "init");
  EXPECT(&cli, 0,
         "provider add alpha --ip 10.0.0.1 --rtt-target-ms 40 --region eu --operator ann --control --no-ssid --port 863");
  EXPECT_IN(cli.out, "registered alpha (10.0.0.1, stamp)");
  refuses(&cli, "provider add alpha --ip 10.0.0.2", "name");
  refuses(&cli, "provider add beta --ip 10.0.0.1", "already registered");
  refuses(&cli, "provider add beta --ip 10.0.0.300", "provider add: ip: expected a unicast IPv4 or IPv6 address");
  refuses(&cli, "provider add beta --ip 10.0.0.2 --key 00", "provider add: key: expected an Ed25519 public key");
  refuses(&cli, "provider add beta", "provider add: ip: expected");
  EXPECT(&cli, 0, "--json provider list");
  json_t *root = json_of(&cli), *list = json_object_get(root, "providers"), *one = json_array_get(list, 0);
  cr_assert_eq(json_array_size(list), 1);
  cr_assert_str_eq(json_string_value(json_object_get(one, "name")), "alpha");
  cr_assert_eq(json_integer_value(json_object_get(one, "port")), 863);
  cr_assert_eq(json_integer_value(json_object_get(one, "rtt_target_ns")), 40000000);
  cr_assert(json_is_true(json_object_get(one, "control")));
  cr_assert(json_is_false(json_object_get(one, "ssid")));
  cr_assert(json_is_null(json_object_get(one, "key")));
  json_decref(root);
  drop(&cli);
}

Test(cli, an_import_is_all_or_nothing)
{
  struct cli cli;
  make(&cli);
  EXPECT(&cli, 0, "init");
  EXPECT(&cli, 0, "provider add taken --ip 10.0.0.9");
  refuses(&cli, "provider import nowhere.csv", "nowhere.csv: cannot open");
  static const char bad_row[] = "name,ip\na,10.0.0.1\nb,ten\n", taken[] = "ip,name\n10.0.0.1,a\n10.0.0.9,b\n",
                    good[] = "ip,name\n10.0.0.1,a\n";
  scratch_write(cli.dir, "in", bad_row, sizeof bad_row - 1);
  refuses(&cli, "provider import -", "standard input:3: ip: expected a unicast IPv4 or IPv6 address, got \"ten\"");
  scratch_write(cli.dir, "in", taken, sizeof taken - 1);
  refuses(&cli, "provider import -", "standard input:3:");
  EXPECT_IN(cli.err, "nothing was imported");
  EXPECT(&cli, 0, "--json provider list");
  json_t *root = json_of(&cli);
  cr_assert_eq(json_array_size(json_object_get(root, "providers")), 1);
  json_decref(root);
  scratch_write(cli.dir, "in", good, sizeof good - 1);
  EXPECT(&cli, 0, "provider import %s/in", cli.dir);
  EXPECT_IN(cli.out, "registered 1 providers");
  refuses(&cli, "provider import -", "standard input:2:");
  drop(&cli);
}

Test(cli, status_shows_the_epoch_who_is_down_and_what_to_do)
{
  struct cli cli;
  populated(&cli);
  EXPECT(&cli, 0, "status");
  EXPECT_IN(cli.out, "epoch        42, complete");
  EXPECT_IN(cli.out, "400 sent, 300 answered (75 %)");
  EXPECT_IN(cli.out, "providers    3: 2 up, 0 partly up, 1 down, 0 not judged; 1 control targets");
  EXPECT_IN(cli.out, "none: 3 (2 in vetting, 1 in quarantine)");
  EXPECT_IN(cli.out, "#1 S1 wrong: 6 wrong signed answers");
  EXPECT_IN(cli.out, "log          3 entries");
  EXPECT_IN(cli.out, "next         read `assize profile wrong`, then `assize slash export 1 FILE`");
  EXPECT(&cli, 0, "status --json");
  json_t *root = json_of(&cli);
  cr_assert_eq(json_integer_value(json_object_get(json_object_get(root, "providers"), "down")), 1);
  cr_assert_eq(json_integer_value(json_object_get(json_object_get(root, "last_epoch"), "epoch")), 42);
  cr_assert_eq(json_integer_value(json_object_get(json_object_get(root, "slashing"), "open_s1")), 1);
  json_decref(root);
  drop(&cli);
}

Test(cli, status_says_which_bottleneck_it_was_and_what_to_do)
{
  struct cli cli;
  struct asz_home home;
  struct asz_store *store;
  struct asz_epoch_row epoch;
  struct asz_diag diag = {""};
  populated(&cli);
  cr_assert_eq(asz_home_locate(&home, cli.home, NULL), 0);
  cr_assert_eq(asz_home_open(&home, false, NULL, NULL, &store, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_store_epoch_last(store, &epoch, &diag), 0, "%s", diag.text);
  epoch.slots_unjudged = 6;
  cr_assert_eq(asz_store_epoch_put(store, &epoch, &diag), 0, "%s", diag.text);
  EXPECT(&cli, 0, "status"); /* ended early: nobody's fault */
  EXPECT_IN(cli.out, "engine       healthy");
  epoch.faults.count[ASZ_FAULT_LATE] = 5;
  epoch.faults.count[ASZ_FAULT_PORT_MISSED] = 6;
  cr_assert_eq(asz_store_epoch_put(store, &epoch, &diag), 0, "%s", diag.text);
  asz_store_close(store);
  EXPECT(&cli, 0, "status");
  EXPECT_IN(cli.out, "engine       was the bottleneck: port-missed; nobody was judged in 2 slots");
  EXPECT_IN(cli.out, "next         the engine was the bottleneck: the port lost replies");
  EXPECT(&cli, 0, "status --json");
  EXPECT_IN(cli.out, "\"bottleneck\": \"port-missed\"");
  drop(&cli);
}

Test(cli, status_names_a_wrong_answer_before_any_newer_silence)
{
  struct cli cli;
  struct asz_home home;
  struct asz_store *store;
  struct asz_provider dead;
  struct asz_diag diag = {""};
  populated(&cli);
  cr_assert_eq(asz_home_locate(&home, cli.home, NULL), 0);
  cr_assert_eq(asz_home_open(&home, false, NULL, NULL, &store, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_store_provider_find(store, "dead", &dead, &diag), 0, "%s", diag.text);
  for (uint32_t i = 0; i < 6; i++) { /* more than the screen shows */
    struct asz_slash_row row = {.provider_row = dead.row,
                                .epoch = POPULATE_EPOCH + 1 + i,
                                .at_ns = populate_now_ns,
                                .offence = ASZ_OFFENCE_S3,
                                .jail_ns = UINT64_C(3600000000000),
                                .reason = "silent"};
    row.bundle_hash[0] = (uint8_t)(i + 1);
    cr_assert_eq(asz_store_slash_put(store, &row, (const uint8_t *)"x", 1, &diag), 0, "%s", diag.text);
  }
  asz_store_close(store);
  EXPECT(&cli, 0, "status");
  EXPECT_IN(cli.out, "7 open (1 wrong answers, 6 silence or slowness), 7 recommended ever\n             #1 S1 wrong");
  EXPECT_IN(cli.out, "read `assize profile wrong`");
  drop(&cli);
}

Test(cli, profile_is_one_page_with_every_component)
{
  static const char *const parts[] = {
      "wrong   10.0.0.2:862   stamp-tlv",
      "tier         none: in quarantine for wrong answers",
      "held back by: correctness",
      "availability 32.5 %",
      "surely (99 %) at least 95 %: 1 nines certified",
      "460 more slots without a failure certify the next nine",
      "3 slots down of the 4 that 99.99 % allows in 30 days; budget burns 0.69x, today 20.83x, last "
      "epoch over 4294967x",
      "a cloud would pay back 10 % of the month's price",
      "q50 10.0 ms   q95 20.0 ms   q99 20.0 ms (each within 1 %)",
      "target: q95 within 100 ms",
      "0 of 6 slots passed without a proven wrong answer, 6 with one",
      "a slash needs 1,000,000: reached",
      "wrong-answer: 5 wrong signed challenge answers",
      "#1  epoch 42  S1 wrong signed answers",
      "next         `assize slash export 1 FILE`"};
  struct cli cli;
  populated(&cli);
  EXPECT(&cli, 1, "profile nobody");
  EXPECT(&cli, 0, "profile wrong");
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    EXPECT_IN(cli.out, parts[i]);
  EXPECT(&cli, 0, "profile honest");
  EXPECT_IN(cli.out, "changed      since epoch 41:");
  EXPECT_IN(cli.out, "q95        30.0 ms -> 20.0 ms");
  EXPECT(&cli, 0, "profile beacon");
  EXPECT_IN(cli.out, "not measured yet");
  EXPECT(&cli, 0, "--json profile wrong");
  json_t *root = json_of(&cli);
  cr_assert_eq(json_integer_value(json_object_get(json_object_get(root, "correctness"), "wrong")), 6);
  cr_assert(json_is_false(json_object_get(json_object_get(root, "score"), "gate_open")));
  json_t *sla = json_object_get(json_object_get(root, "score"), "sla");
  cr_assert_eq(json_object_size(sla), 7);
  cr_assert_eq(json_integer_value(json_object_get(sla, "burn_epoch_milli")), UINT32_MAX);
  cr_assert(json_is_null(json_object_get(root, "previous")));
  json_decref(root);
  drop(&cli);
}

/* Whether the file's bytes hold these. */
static bool holds(const uint8_t *bytes, size_t size, const void *part, size_t part_size) {
  return memmem(bytes, size, part, part_size) != NULL;
}

Test(cli, slash_export_writes_once_whole_and_with_its_proof)
{
  struct cli cli;
  size_t size;
  uint8_t bundle[POPULATE_BUNDLE_BYTES];
  populated(&cli);
  for (size_t i = 0; i < sizeof bundle; i++)
    bundle[i] = (uint8_t)(i * 7);
  EXPECT(&cli, 1, "slash show 2");
  EXPECT(&cli, 1, "slash export 2 %s/f", cli.dir);
  cr_assert(!scratch_exists(cli.dir, "f"));
  EXPECT(&cli, 0, "slash list");
  EXPECT_IN(cli.out, "1 % of stake");
  EXPECT(&cli, 0, "slash show 1");
  EXPECT_IN(cli.out, "against wrong, epoch 42");
  EXPECT(&cli, 0, "slash export 1 %s/f", cli.dir);
  uint8_t *file = scratch_read(cli.dir, "f", &size);
  cr_assert(holds(file, size, bundle, sizeof bundle), "the bundle, byte for byte");
  cr_assert(holds(file, size, "\xa0\x01", 2), "the log entry");
  cr_assert(holds(file, size, "assize.example/validator\n3\n", 27), "the checkpoint");
  free(file);
  refuses(&cli, "slash export 1 /dev/null --force", "expected a regular file");
  scratch_write(cli.dir, "f", "mine", 4);
  EXPECT(&cli, 2, "slash export 1 %s/f", cli.dir);
  EXPECT_IN(cli.err, "exists already");
  EXPECT(&cli, 0, "slash export 1 %s/f --force", cli.dir);
  EXPECT(&cli, 2, "slash export 1 %s/nowhere/f", cli.dir);
  drop(&cli);
}

Test(cli, log_verify_fails_when_one_byte_of_an_entry_changes)
{
  struct cli cli;
  size_t size;
  populated(&cli);
  EXPECT(&cli, 0, "log verify");
  EXPECT_IN(cli.out, "valid: 3 entries of assize.example/validator");
  EXPECT(&cli, 0, "log show 1");
  EXPECT_IN(cli.out, "cbor       a001");
  EXPECT(&cli, 1, "log show 3");
  uint8_t *entries = scratch_read(cli.home, "log/tile/entries/000.p/3", &size);
  entries[size - 1] ^= 1;
  scratch_write(cli.home, "log/tile/entries/000.p/3", entries, size);
  free(entries);
  EXPECT(&cli, 1, "log verify");
  cr_assert_str_eq(cli.out, "");
  drop(&cli);
}

Test(cli, evidence_is_exported_from_a_log_whose_checkpoint_witnesses_cosigned)
{
  struct cli cli;
  size_t size;
  populated(&cli);
  EXPECT(&cli, 0, "slash export 1 %s/before", cli.dir);
  char note[ASZ_TLOG_CHECKPOINT_MAX] = "";
  uint8_t *published = scratch_read(cli.home, "log/checkpoint", &size);
  memcpy(note, published, size);
  free(published);
  cosigned_add(note, sizeof note, 0, 1700000000);
  scratch_write(cli.home, "log/checkpoint", note, strlen(note));
  EXPECT(&cli, 0, "slash export 1 %s/after", cli.dir);
  size_t before_size;
  uint8_t *before = scratch_read(cli.dir, "before", &before_size), *after = scratch_read(cli.dir, "after", &size);
  cr_assert_eq(size, before_size);
  cr_assert_arr_eq(after, before, size);
  free(before);
  free(after);
  drop(&cli);
}

Test(cli, witness_words_that_do_not_fit_together_are_refused)
{
  struct cli cli;
  make(&cli);
  refuses(&cli, "log cosign", "expected --policy FILE");
  refuses(&cli, "log cosign --policy x --timeout 0", "--timeout");
  refuses(&cli, "log witness", "expected --dir DIR and either");
  refuses(&cli, "log witness --dir w --init n --policy p", "expected --dir DIR and either");
  refuses(&cli, "log witness --dir w --listen l", "expected --dir DIR and either");
  refuses(&cli, "log witness --dir w --init a+b", "expected a name");
  drop(&cli);
}

/* The output of the last call as a file of the test's folder, with one byte changed. */
static void keep_changed(struct cli *cli, const char *name, char *at) {
  *at = *at == 'A' ? 'B' : 'A';
  scratch_write(cli->dir, name, cli->out, strlen(cli->out));
}

Test(cli, a_proof_of_an_entry_verifies_and_one_with_a_byte_changed_does_not)
{
  struct cli cli;
  char proof[2 * SCRATCH_PATH];
  populated(&cli);
  EXPECT(&cli, 1, "log prove 3");
  refuses(&cli, "log prove", "expected the index of an entry");
  refuses(&cli, "log prove x", "expected a number");
  refuses(&cli, "log verify --policy f", "expected the file of a proof");
  EXPECT(&cli, 0, "log prove 1");
  EXPECT_IN(cli.out, "c2sp.org/tlog-proof@v1\nextra oAE=\nindex 1\n");
  scratch_write(cli.dir, "proof", cli.out, strlen(cli.out));
  strcpy(proof, cli.out);
  EXPECT(&cli, 0, "log verify %s/proof", cli.dir);
  EXPECT_IN(cli.out, "valid: entry 1 of assize.example/validator, in the tree of 3 entries, cosigned by 0 witnesses");
  EXPECT(&cli, 0, "log prove 1");
  keep_changed(&cli, "proof", strstr(cli.out, "oAE=") + 1);
  EXPECT(&cli, 1, "log verify %s/proof", cli.dir);
  EXPECT_IN(cli.err, "the entry is not number 1 in the tree");
  scratch_write(cli.dir, "proof", proof, strlen(proof) - 1);
  EXPECT(&cli, 1, "log verify %s/proof", cli.dir);
  EXPECT(&cli, 2, "log verify %s/nowhere", cli.dir);
  scratch_write(cli.dir, "proof", proof, strlen(proof));
  scratch_write(cli.dir, "policy", "quorum w\n", 9);
  EXPECT(&cli, 2, "log verify %s/proof --policy %s/policy", cli.dir, cli.dir);
  EXPECT_IN(cli.err, "line 1");
  scratch_write(cli.dir, "policy", "quorum none\n", 12);
  EXPECT(&cli, 0, "log verify %s/proof --policy %s/policy", cli.dir, cli.dir);
  EXPECT(&cli, 0, "log checkpoint --policy %s/policy", cli.dir);
  EXPECT_IN(cli.out, "assize.example/validator\n3\n");
  drop(&cli);
}

Test(cli, fsck_refuses_a_log_that_was_rolled_back_behind_the_known_checkpoint)
{
  struct cli cli;
  size_t size;
  populated(&cli);
  uint8_t *old = scratch_read(cli.home, "log/checkpoint", &size);
  EXPECT(&cli, 0, "log fsck --known %s/known", cli.dir);
  cr_assert_null(strstr(cli.out, "extends"));
  struct asz_home home;
  struct asz_identity key;
  cr_assert_eq(asz_home_locate(&home, cli.home, NULL), 0);
  cr_assert_eq(asz_home_open(&home, true, NULL, &key, NULL, NULL), 0);
  populate_log(&home, &key);
  EXPECT(&cli, 0, "log fsck --known %s/known", cli.dir);
  EXPECT_IN(cli.out, "extends the known checkpoint of 3 entries");
  scratch_write(cli.home, "log/checkpoint", old, size);
  EXPECT(&cli, 0, "log verify");
  EXPECT(&cli, 1, "log fsck --known %s/known", cli.dir);
  EXPECT_IN(cli.err, "the log has 3 entries, fewer than the known checkpoint's 6");
  scratch_write(cli.dir, "known", "nonsense", 8);
  EXPECT(&cli, 2, "log fsck --known %s/known", cli.dir);
  free(old);
  drop(&cli);
}

Test(cli, tail_shows_the_newest_entries_and_refuses_one_that_is_not_in_the_tree)
{
  struct cli cli;
  size_t size;
  populated(&cli);
  refuses(&cli, "log tail --from 1 --count 1", "not both");
  EXPECT(&cli, 0, "log tail --count 2");
  cr_assert_str_eq(cli.out, "         1  2 bytes of another kind\n         2  2 bytes of another kind\n");
  EXPECT(&cli, 0, "--json log tail --from 2");
  EXPECT_IN(cli.out, "{\"index\":2,");
  EXPECT(&cli, 0, "log tail --from 3");
  cr_assert_str_eq(cli.out, "");
  uint8_t *entries = scratch_read(cli.home, "log/tile/entries/000.p/3", &size);
  entries[size - 1] ^= 1;
  scratch_write(cli.home, "log/tile/entries/000.p/3", entries, size);
  free(entries);
  EXPECT(&cli, 1, "log tail");
  EXPECT_IN(cli.err, "entry 2 is damaged");
  drop(&cli);
}

Test(cli, readers_work_while_a_writer_holds_store_and_log)
{
  struct cli cli;
  struct asz_home home;
  struct asz_identity key;
  struct asz_store *store;
  struct asz_tlog *log;
  struct asz_diag diag = {""};
  populated(&cli);
  cr_assert_eq(asz_home_locate(&home, cli.home, NULL), 0);
  cr_assert_eq(asz_home_open(&home, false, NULL, &key, &store, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_store_begin(store, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_tlog_open(&log, home.log_path, &key, &diag), 0, "%s", diag.text);
  EXPECT(&cli, 0, "status");
  EXPECT(&cli, 0, "profile wrong");
  EXPECT(&cli, 0, "log verify");
  EXPECT(&cli, 0, "slash export 1 %s/f", cli.dir);
  EXPECT(&cli, 3, "provider add late --ip 10.0.0.77");
  asz_tlog_close(log);
  asz_store_close(store);
  drop(&cli);
}

Test(cli, doctor_is_a_list_with_advice_for_everything_that_is_not_fine)
{
  struct cli cli;
  bool failed = false;
  populated(&cli);
  int code = call(&cli, "--json doctor");
  json_t *root = json_of(&cli), *one;
  size_t i;
  cr_assert_geq(json_array_size(json_object_get(root, "checks")), 10);
  json_array_foreach(json_object_get(root, "checks"), i, one) {
    const char *level = json_string_value(json_object_get(one, "level")),
               *advice = json_string_value(json_object_get(one, "advice"));
    failed |= !strcmp(level, "FAIL");
    cr_assert_eq(!strcmp(level, "OK"), *advice == '\0', "%s", json_string_value(json_object_get(one, "check")));
  }
  cr_assert_eq(code, failed ? ASZ_EXIT_NO : ASZ_EXIT_OK);
  json_decref(root);
  drop(&cli);
}
