/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces that every subcommand is made of; whole commands are run in tests/e2e/test_cli.c. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "control/cmd.h"
#include "control/doctor.h"

struct parsed {
  const char *ip;
  bool force;
  struct asz_cmd_values set;
  const char *word[2];
  size_t count;
};

static int parse(struct parsed *p, int argc, char **argv) {
  const struct asz_cmd_option options[] = {
      {"--ip", .value = &p->ip}, {"--force", .flag = &p->force}, {"--set", .values = &p->set}};
  memset(p, 0, sizeof *p);
  return asz_cmd_options("x", argc, argv, options, 3, p->word, 2, &p->count);
}
/* The words as a command line has them: writable, NULL behind the last. */
static int parse_words(struct parsed *p, const char *const *words) {
  char *argv[16];
  int argc = 0;
  for (; words[argc]; argc++)
    argv[argc] = (char *)(uintptr_t)words[argc];
  argv[argc] = NULL;
  return parse(p, argc, argv);
}
#define PARSE(p, ...) parse_words(p, (const char *const[]){"x", __VA_ARGS__, NULL})

Test(cmd, options_refuse_what_they_do_not_know)
{
  struct parsed p;
  cr_assert_eq(PARSE(&p, "--ipp", "1"), ASZ_EINVAL);
  cr_assert_eq(PARSE(&p, "-f"), ASZ_EINVAL);
  cr_assert_eq(PARSE(&p, "--ip"), ASZ_EINVAL, "no value behind it");
  cr_assert_eq(PARSE(&p, "--ip", "1", "--ip", "2"), ASZ_EINVAL, "twice");
  cr_assert_eq(PARSE(&p, "--force=yes"), ASZ_EINVAL, "a flag with a value");
  cr_assert_eq(PARSE(&p, "--force", "--force"), ASZ_EINVAL);
  cr_assert_eq(PARSE(&p, "a", "b", "c"), ASZ_EINVAL, "one word too many");
}

Test(cmd, repeated_options_are_bounded)
{
  static char assignment[] = "--set=a.b=c", name[] = "x";
  char *argv[1 + ASZ_CMD_VALUES_MAX + 2] = {name};
  struct parsed p;
  int argc = 1;
  while (argc <= ASZ_CMD_VALUES_MAX)
    argv[argc++] = assignment;
  cr_assert_eq(parse(&p, argc, argv), 0);
  cr_assert_eq(p.set.count, ASZ_CMD_VALUES_MAX);
  argv[argc++] = assignment;
  cr_assert_eq(parse(&p, argc, argv), ASZ_EINVAL);
}

Test(cmd, options_and_words_mix_in_any_order)
{
  struct parsed p;
  cr_assert_eq(PARSE(&p, "one", "--ip=1.2.3.4", "--set", "a.b=c", "-", "--force", "--set=d.e=f"), 0);
  cr_assert_str_eq(p.ip, "1.2.3.4");
  cr_assert(p.force);
  cr_assert_eq(p.set.count, 2);
  cr_assert_str_eq(p.set.text[1], "d.e=f");
  cr_assert_eq(p.count, 2);
  cr_assert_str_eq(p.word[1], "-");
  cr_assert_eq(PARSE(&p, "--", "--ip"), 0);
  cr_assert_str_eq(p.word[0], "--ip", "behind -- everything is a word");
}

Test(cmd, exit_codes_tell_our_input_from_our_machine)
{
  struct asz_diag diag = {"why"};
  cr_assert_eq(asz_cmd_fail(ASZ_EFORMAT, &diag), ASZ_EXIT_INPUT);
  cr_assert_eq(asz_cmd_fail(ASZ_ENOENT, &diag), ASZ_EXIT_INPUT);
  cr_assert_eq(asz_cmd_fail(ASZ_EEXIST, NULL), ASZ_EXIT_INPUT);
  cr_assert_eq(asz_cmd_fail(ASZ_EIO, &diag), ASZ_EXIT_MACHINE);
  cr_assert_eq(asz_cmd_fail(ASZ_ENOMEM, &diag), ASZ_EXIT_MACHINE);
  cr_assert_eq(asz_cmd_fail(ASZ_EAGAIN, &diag), ASZ_EXIT_MACHINE);
}

Test(cmd, the_first_signal_sets_a_flag)
{
  asz_cmd_catch_signals();
  cr_assert(!asz_cmd_interrupted());
  cr_assert_eq(raise(SIGINT), 0);
  cr_assert(asz_cmd_interrupted());
}

Test(cmd, the_second_signal_kills, .signal = SIGTERM)
{
  asz_cmd_catch_signals();
  cr_assert_eq(raise(SIGTERM), 0);
  cr_assert(asz_cmd_interrupted());
  raise(SIGTERM);
}

/* The doctor's checks against a configuration made for each. */
static void diagnose(const char *const *assignments, size_t count, void (*check)(const struct asz_doctor *, struct asz_finding *),
                     struct asz_finding *ret_finding) {
  struct asz_home home;
  struct asz_diag diag = {""};
  struct asz_doctor doctor = {.home = &home, .has_config = true};
  cr_assert_eq(asz_home_locate(&home, "nowhere", &diag), 0);
  asz_config_default(&doctor.config);
  for (size_t i = 0; i < count; i++)
    cr_assert_eq(asz_config_set(&doctor.config, assignments[i], "t", &diag), 0, "%s", diag.text);
  check(&doctor, ret_finding);
}

Test(doctor, fails_what_run_could_not_use)
{
  static const struct {
    const char *assignment[2];
    void (*check)(const struct asz_doctor *, struct asz_finding *);
    const char *found;
  } cases[] = {
      {{"network.eal=", "network.lcores=auto"}, asz_doctor_port, "network.eal is empty"},
      {{"network.eal=--vdev=net_af_packet0,iface=no-such-if0", "network.lcores=auto"},
       asz_doctor_port,
       "no-such-if0, which is not"},
      {{"network.eal=--vdev=net_af_xdp0,iface=../../etc", "network.lcores=auto"}, asz_doctor_port, "which is not there"},
      {{"network.eal=-a ffff:ff:1f.7", "network.lcores=auto"}, asz_doctor_port, "ffff:ff:1f.7, which is not there"},
      {{"network.local_ip=127.0.0.1", "network.gateway_ip=192.0.2.1"}, asz_doctor_addresses, "127.0.0.1 belongs to the kernel"},
      {{"network.local_ip=192.0.2.1", "network.lcores=auto"}, asz_doctor_addresses, "is not set"},
      {{"network.lcores=0@0,1@1023", "network.eal="}, asz_doctor_cpus, "names CPU 1023"},
      {{"network.lcores=0@0,1@99999999999", "network.eal="}, asz_doctor_cpus, "names CPU"},
      {{"network.memory_mib=1048576", "network.eal="}, asz_doctor_memory, "network.memory_mib takes 1,048,576"},
      {{"network.huge_pages=yes", "network.memory_mib=1048576"}, asz_doctor_huge_pages, "MiB free of the 1,048,576 MiB"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct asz_finding finding;
    diagnose(cases[i].assignment, 2, cases[i].check, &finding);
    cr_expect_eq(finding.level, ASZ_FINDING_FAIL, "%s: %s", cases[i].assignment[0], finding.found);
    cr_expect(strstr(finding.found, cases[i].found), "expected \"%s\" in \"%s\"", cases[i].found, finding.found);
    cr_expect(finding.advice[0] != '\0', "%s: no advice", cases[i].assignment[0]);
  }
}

Test(doctor, accepts_what_needs_nothing)
{
  struct asz_finding finding;
  static const char *const set[] = {"network.huge_pages=no", "network.eal=--vdev=net_null0"};
  diagnose(set, 2, asz_doctor_huge_pages, &finding);
  cr_expect_eq(finding.level, ASZ_FINDING_OK, "%s", finding.found);
  diagnose(set, 2, asz_doctor_port, &finding);
  cr_expect_eq(finding.level, ASZ_FINDING_OK, "%s", finding.found);
  diagnose(set, 2, asz_doctor_privileges, &finding);
  cr_expect_eq(finding.level, ASZ_FINDING_OK, "%s", finding.found);
  diagnose(set, 2, asz_doctor_versions, &finding);
  cr_expect(strstr(finding.found, "libsodium 1."), "%s", finding.found);
}

Test(doctor, a_missing_home_is_looked_for_once)
{
  struct asz_finding finding;
  static void (*const checks[])(const struct asz_doctor *, struct asz_finding *) = {asz_doctor_key, asz_doctor_store,
                                                                                    asz_doctor_log, asz_doctor_disk};
  for (size_t i = 0; i < 4; i++) {
    diagnose(NULL, 0, checks[i], &finding);
    cr_expect_eq(finding.level, ASZ_FINDING_WARN);
    cr_expect(strstr(finding.found, "no home yet"), "%s", finding.found);
  }
}
