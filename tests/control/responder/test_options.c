/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "control/responder/options.h"

enum { ALL = ASZ_OPTION_KEY | ASZ_OPTION_RUN | ASZ_OPTION_LAB, ARGUMENTS_MAX = 200 };

static struct asz_options options;
static struct asz_diag diag;

/* Arguments separated by single spaces. */
static int parse(unsigned groups, const char *line) {
  static char copy[8192];
  char *argv[ARGUMENTS_MAX];
  int argc = 0;
  cr_assert_lt(strlen(line), sizeof copy);
  strcpy(copy, line);
  for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
    cr_assert_lt(argc, ARGUMENTS_MAX);
    argv[argc++] = word;
  }
  return asz_options_parse(&options, groups, argc, argv, &diag);
}

static void refused(const char *line, int err, const char *named) {
  memset(&options, 0x77, sizeof options);
  const struct asz_options before = options;
  cr_assert_eq(parse(ALL, line), err, "%s", line);
  cr_assert_not_null(strstr(diag.text, named), "'%s' does not name %s", diag.text, named);
  cr_assert_eq(memcmp(&before, &options, sizeof options), 0, "result touched by %s", line);
}

Test(options, wrong_values_are_refused_by_name)
{
  refused("--port 65536", ASZ_ERANGE, "--port");
  refused("--port -1", ASZ_EFORMAT, "--port");
  refused("--port 0x10", ASZ_EFORMAT, "--port");
  refused("--port 99999999999999999999999", ASZ_ERANGE, "--port");
  refused("--port", ASZ_EINVAL, "--port");
  refused("--port=", ASZ_EINVAL, "--port");
  refused("--rate-pps 0", ASZ_ERANGE, "--rate-pps");
  refused("--seq-log2-max 25", ASZ_ERANGE, "--seq-log2-max");
  refused("--seq-log2-max 4", ASZ_ERANGE, "--seq-log2-max");
  refused("--listen localhost", ASZ_EFORMAT, "--listen");
  refused("--listen 1.2.3", ASZ_EFORMAT, "--listen");
  refused("--listen 1::2::3", ASZ_EFORMAT, "--listen");
  refused("--listen fe80::1", ASZ_EFORMAT, "link-local");
  refused("--listen fe80::1%lo", ASZ_EFORMAT, "--listen");
  refused("--gateway-ip6 10.0.0.1", ASZ_EFORMAT, "--gateway-ip6");
  refused("--local-prefix6 129", ASZ_ERANGE, "--local-prefix6");
  refused("--local-prefix6 31", ASZ_ERANGE, "--local-prefix6");
  refused("--listen 10.0.0.1 --listen 10.0.0.2", ASZ_EINVAL, "IPv4");
  refused("--listen ::1 --listen 10.0.0.2 --listen ::2", ASZ_EINVAL, "IPv6");
  refused("--lab-loss-ppm 1000001", ASZ_ERANGE, "--lab-loss-ppm");
  refused("--duty-ppm 0", ASZ_ERANGE, "--duty-ppm");
  refused("--work-mib 0", ASZ_ERANGE, "--work-mib");
  refused("--devices 0", ASZ_ERANGE, "--devices");
  refused("--gemm=", ASZ_EINVAL, "--gemm");
  refused("--no-plain=yes", ASZ_EINVAL, "--no-plain");
  refused("--no-such", ASZ_EINVAL, "--no-such");
  refused("--por 1", ASZ_EINVAL, "--por");
  refused("port 1", ASZ_EINVAL, "port");
}

Test(options, too_many_validators_are_refused)
{
  char line[8192] = "";
  for (unsigned i = 0; i <= ASZ_OPTION_LIST_MAX; i++)
    strcat(line, "--validator=aa ");
  refused(line, ASZ_ETOOBIG, "--validator");
}

static void clash(const char *line, const char *named) {
  cr_assert_eq(parse(ALL, line), 0, "%s: %s", line, diag.text);
  cr_assert_eq(asz_options_check(&options, &diag), ASZ_EINVAL, "%s", line);
  cr_assert_not_null(strstr(diag.text, named), "'%s' does not name %s", diag.text, named);
}

Test(options, sockets_and_a_port_do_not_mix)
{
  clash("--eal x", "--local-ip");
  clash("--eal x --local-ip 10.0.0.1 --listen 10.0.0.1", "--listen");
  clash("--eal x --local-ip 10.0.0.1 --listen ::1", "--listen");
  clash("--eal x --local-ip 10.0.0.1 --local-prefix6 64", "--local-prefix6");
  clash("--eal x --local-ip 10.0.0.1 --gateway-ip6 fe80::1", "--gateway-ip6");
  clash("--eal x --local-ip 2001:db8::1 --local-prefix 24", "--local-prefix");
  clash("--local-ip 2001:db8::1", "--eal");
  clash("--local-prefix6 64", "--eal");
  clash("--gateway-ip6 fe80::1", "--eal");
  clash("--eal x --local-ip 10.0.0.1 --port 0", "--port");
  clash("--eal x --local-ip 10.0.0.1 --port 8620", "--port");
  clash("--eal x --local-ip 10.0.0.1 --user nobody", "--user");
  clash("--eal x --local-ip 10.0.0.1 --lab-silent", "--lab-silent");
  clash("--eal x --local-ip 10.0.0.1 --lab-delay-us 1", "--lab-delay-us");
  clash("--local-ip 10.0.0.1", "--eal");
  clash("--local-prefix 24", "--eal");
  clash("--lcores 0,1", "--eal");
  clash("--memory-mib 64", "--eal");
  cr_assert_eq(parse(ALL, "--eal x --local-ip 10.0.0.1 --local-prefix 24 --lab-wrong-answers"), 0);
  cr_assert_eq(asz_options_check(&options, &diag), 0);
  cr_assert_eq(parse(ALL, "--eal x --local-ip 2001:db8::1 --local-prefix6 64 --gateway-ip6 fe80::1"), 0);
  cr_assert_eq(asz_options_check(&options, &diag), 0);
  cr_assert_eq(parse(ALL, "--eal x --local-ip 2001:db8::1 --local-ip 10.0.0.1 --local-prefix 24"), 0);
  cr_assert_eq(asz_options_check(&options, &diag), 0);
  cr_assert_eq(parse(ALL, "--listen 10.0.0.1 --user nobody"), 0);
  cr_assert_eq(asz_options_check(&options, &diag), 0);
}

Test(options, an_address_of_each_family_may_be_given)
{
  cr_assert_eq(parse(ALL, "--key a"), 0);
  cr_assert(!options.listen.given[ASZ_FAMILY_IPV4] && !options.listen.given[ASZ_FAMILY_IPV6]);
  for (unsigned family = 0; family < ASZ_FAMILY_COUNT; family++)
    cr_assert_eq(options.listen.address[family].family, family, "where none is given, all of the family");
  cr_assert_eq(parse(ALL, "--listen 2001:db8::1 --listen 10.0.0.1"), 0);
  cr_assert(options.listen.given[ASZ_FAMILY_IPV4] && options.listen.given[ASZ_FAMILY_IPV6]);
  cr_assert_eq(options.listen.address[ASZ_FAMILY_IPV4].ipv4, 0x0a000001);
  cr_assert_eq(options.listen.address[ASZ_FAMILY_IPV6].ipv6[15], 1);
}

Test(options, other_commands_take_no_option_of_run)
{
  cr_assert_eq(parse(ASZ_OPTION_KEY, "--key a --port 1"), ASZ_EINVAL);
  cr_assert_eq(parse(ASZ_OPTION_KEY, "--key a"), 0);
}

Test(options, nothing_given_is_the_standard_ports_and_no_lab)
{
  cr_assert_eq(parse(ALL, ""), 0);
  cr_assert_eq(options.port, 862);
  cr_assert_eq(options.challenge_port, 8620);
  cr_assert_not(options.listen.given[ASZ_FAMILY_IPV4]);
  cr_assert_eq(options.seq_log2_max, 20);
  cr_assert_null(options.key);
  cr_assert_not(asz_options_lab(&options));
}

Test(options, both_spellings_and_all_types_are_read)
{
  cr_assert_eq(parse(ALL, "--key k --listen=10.0.0.1 --validator aa --validator=bb --no-plain --lab-delay-us 1000"), 0, "%s",
               diag.text);
  cr_assert_str_eq(options.key, "k");
  cr_assert_eq(options.listen.address[ASZ_FAMILY_IPV4].ipv4, 0x0a000001u);
  cr_assert_eq(options.validator.count, 2);
  cr_assert_str_eq(options.validator.text[1], "bb");
  cr_assert(options.no_plain);
  cr_assert(asz_options_lab(&options));
}
