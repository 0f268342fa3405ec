/* SPDX-License-Identifier: Apache-2.0 */
/* A deny list that changes under a roster of three providers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/deny.h"

enum { COUNT = 3 };

static char dir[64];
static struct asz_home home;
static struct asz_config config;
static struct asz_provider provider[COUNT];
static struct asz_target target[COUNT];
static struct asz_roster roster;
static struct asz_deny deny;
static struct asz_diag diag;

static void write_list(const char *text) {
  char path[128], part[128];
  snprintf(path, sizeof path, "%s/deny", dir);
  snprintf(part, sizeof part, "%s/deny.part", dir);
  FILE *out = fopen(part, "w");
  cr_assert_not_null(out);
  fputs(text, out);
  cr_assert_eq(fclose(out), 0);
  cr_assert_eq(rename(part, path), 0); /* another inode: a change even within the file system's clock tick */
}

static void begin(void) {
  strcpy(dir, "/tmp/asz_deny_XXXXXX");
  cr_assert_not_null(mkdtemp(dir));
  snprintf(home.dir, sizeof home.dir, "%s", dir);
  asz_config_default(&config);
  strcpy(config.probe_deny_file, "deny");
  for (uint32_t i = 0; i < COUNT; i++)
    provider[i].ipv4 = 0xc0000201 + i; /* 192.0.2.1 and on */
  roster = (struct asz_roster){.count = COUNT, .provider = provider, .target = target};
}

static void end(void) {
  char path[128];
  snprintf(path, sizeof path, "%s/deny", dir);
  unlink(path);
  rmdir(dir);
  asz_deny_close(&deny);
}

TestSuite(deny, .init = begin, .fini = end);

static unsigned denied(void) {
  unsigned bits = 0;
  cr_assert_eq(asz_deny_apply(&deny, &roster), (uint32_t)(target[0].denied + target[1].denied + target[2].denied));
  for (uint32_t i = 0; i < COUNT; i++)
    bits |= (unsigned)target[i].denied << i;
  return bits;
}

Test(deny, start_with_a_missing_or_broken_list_is_refused)
{
  cr_assert_eq(asz_deny_open(&deny, &home, &config, &diag), ASZ_ENOENT);
  write_list("192.0.2\n");
  cr_assert_eq(asz_deny_open(&deny, &home, &config, &diag), ASZ_EFORMAT);
  cr_assert_not_null(strstr(diag.text, "/deny:1: "), "%s", diag.text);
}

Test(deny, no_list_denies_nobody)
{
  config.probe_deny_file[0] = '\0';
  cr_assert_eq(asz_deny_open(&deny, &home, &config, &diag), 0);
  cr_assert_eq(denied(), 0);
  cr_assert_eq(asz_deny_look(&deny, true, &diag), 0);
}

Test(deny, change_is_seen_once_and_works_both_ways)
{
  write_list("192.0.2.2\n");
  cr_assert_eq(asz_deny_open(&deny, &home, &config, &diag), 0, "%s", diag.text);
  cr_assert_eq(denied(), 2);
  cr_assert_eq(asz_deny_look(&deny, false, &diag), 0, "nothing has changed");
  write_list("192.0.2.0/30 # all of them\n");
  cr_assert_eq(asz_deny_look(&deny, false, &diag), 1);
  cr_assert_eq(asz_deny_look(&deny, false, &diag), 0);
  cr_assert_eq(denied(), 7);
  write_list("");
  cr_assert_eq(asz_deny_look(&deny, false, &diag), 1);
  cr_assert_eq(denied(), 0);
}

Test(deny, broken_or_lost_file_leaves_the_list_in_force_and_is_said_once)
{
  write_list("192.0.2.3\n");
  cr_assert_eq(asz_deny_open(&deny, &home, &config, &diag), 0, "%s", diag.text);
  write_list("192.0.2.1\n192.0.2.3/31\n");
  cr_assert_eq(asz_deny_look(&deny, false, &diag), ASZ_EFORMAT);
  cr_assert_not_null(strstr(diag.text, "/deny:2: "), "%s", diag.text);
  cr_assert_eq(asz_deny_look(&deny, false, &diag), 0);
  cr_assert_eq(denied(), 4, "and none of the broken file's");
  char path[128];
  snprintf(path, sizeof path, "%s/deny", dir);
  cr_assert_eq(unlink(path), 0);
  cr_assert_eq(asz_deny_look(&deny, false, &diag), ASZ_ENOENT);
  cr_assert_eq(asz_deny_look(&deny, false, &diag), 0);
  cr_assert_eq(denied(), 4);
  write_list("192.0.2.1\n");
  cr_assert_eq(asz_deny_look(&deny, false, &diag), 1);
  cr_assert_eq(denied(), 1);
}

Test(deny, asked_for_it_is_read_again_in_any_case)
{
  write_list("192.0.2.1\n");
  cr_assert_eq(asz_deny_open(&deny, &home, &config, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_deny_look(&deny, true, &diag), 1);
  cr_assert_eq(denied(), 1);
}

Test(deny, both_families_are_denied_each_by_its_own)
{
  provider[1].ipv4 = 0;
  cr_assert_eq(asz_ipv6_parse(provider[1].ipv6, "2001:db8:0:7::1"), 0);
  write_list("2001:db8::/48\n");
  cr_assert_eq(asz_deny_open(&deny, &home, &config, &diag), 0, "%s", diag.text);
  cr_assert_eq(denied(), 2);
  write_list("0.0.0.0/0\n");
  cr_assert_eq(asz_deny_look(&deny, false, &diag), 1);
  cr_assert_eq(denied(), 5);
  write_list("2001:db8:0:7::2\n");
  cr_assert_eq(asz_deny_look(&deny, false, &diag), 1);
  cr_assert_eq(denied(), 0);
}
