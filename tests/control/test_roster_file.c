/* SPDX-License-Identifier: Apache-2.0 */
/* The list of who is probed as a file, over a store with two providers: alpha and beta. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/file.h"
#include "control/roster_file.h"

#define KEY_A "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" /* RFC 8032 section 7.1 */
#define KEY_B "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"

static char path[128];
static struct asz_home home;
static struct asz_config config;
static struct asz_store *store;
static struct asz_provider *list;
static size_t count;
static struct asz_roster_changes changes;
static struct asz_diag diag;

static void reread(void) {
  free(list);
  list = NULL;
  cr_assert_eq(asz_store_provider_list(store, &list, &count, &diag), 0, "%s", diag.text);
}

static void add(const char *name, const char *ip, const char *key) {
  struct asz_provider provider;
  asz_provider_init(&provider);
  cr_assert_eq(asz_provider_set(&provider, ASZ_PROVIDER_FIELD_name, name, "test", &diag), 0);
  cr_assert_eq(asz_provider_set(&provider, ASZ_PROVIDER_FIELD_ip, ip, "test", &diag), 0);
  cr_assert_eq(asz_provider_set(&provider, ASZ_PROVIDER_FIELD_key, key, "test", &diag), 0);
  cr_assert_eq(asz_provider_finish(&provider, "test", &diag), 0);
  provider.registered_ns = 5;
  cr_assert_eq(asz_store_provider_add(store, &provider, &diag), 0, "%s", diag.text);
}

static void begin(void) {
  strcpy(home.dir, "/tmp/asz_roster_XXXXXX");
  cr_assert_not_null(mkdtemp(home.dir));
  snprintf(path, sizeof path, "%.64s/store.db", home.dir);
  cr_assert_eq(asz_store_create(path, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_store_open(&store, path, false, &diag), 0, "%s", diag.text);
  asz_config_default(&config);
  strcpy(config.probe_roster_file, "roster.csv");
  snprintf(path, sizeof path, "%.64s/roster.csv", home.dir);
  add("alpha", "192.0.2.1", KEY_A);
  add("beta", "192.0.2.2", KEY_B);
  reread();
}

static void end(void) {
  free(list);
  asz_store_close(store);
  asz_file_remove_tree(home.dir);
}

TestSuite(roster_file, .init = begin, .fini = end);

static int apply(const char *text, bool write) {
  diag.text[0] = '\0';
  cr_assert_eq(asz_file_write(path, text, strlen(text), true, &diag), 0, "%s", diag.text);
  return asz_roster_file_apply(&list, &count, store, write, &home, &config, &changes, &diag);
}

static void refused(const char *text, int expected, const char *line) {
  cr_assert_eq(apply(text, true), expected, "%s", diag.text);
  cr_assert_not_null(strstr(diag.text, line), "%s", diag.text);
  cr_assert_eq(count, 2, "the list is as it was");
  cr_assert_str_eq(list[1].name, "beta");
  reread();
  cr_assert_eq(count, 2, "and so is the store");
  cr_assert_eq(list[0].port, 862);
}

Test(roster_file, wrong_one_changes_nothing_and_names_file_and_line)
{
  refused("name,ip\nalpha,192.0.2\n", ASZ_EFORMAT, "/roster.csv:2: ip: expected");
  refused("name,ip\n", ASZ_EINVAL, "/roster.csv: expected at least one provider");
  refused("name,ip,key,port\nalpha,192.0.2.1," KEY_A ",9\ngamma,192.0.2.1,,\n", ASZ_EEXIST,
          "/roster.csv:3: ip: expected a unique");
  refused("name,ip,key,port\nalpha,192.0.2.1," KEY_A ",9\ngamma,192.0.2.2,,\n", ASZ_EEXIST,
          "/roster.csv:3: provider gamma: address: 192.0.2.2 is already registered as beta (nothing was changed)");
  cr_assert_eq(remove(path), 0);
  cr_assert_eq(asz_roster_file_apply(&list, &count, store, true, &home, &config, &changes, &diag), ASZ_ENOENT);
}

Test(roster_file, another_identity_needs_another_name)
{
  refused("name,ip,key\nalpha,192.0.2.1," KEY_B "\n", ASZ_EEXIST,
          "/roster.csv:2: key: expected the key and device with which alpha");
  refused("name,ip,key,device\nalpha,192.0.2.1," KEY_A ",1\n", ASZ_EEXIST, "/roster.csv:2: key: expected");
  refused("name,ip\nalpha,192.0.2.1\n", ASZ_EEXIST, "/roster.csv:2: key: expected");
}

Test(roster_file, without_one_everybody_is_probed)
{
  config.probe_roster_file[0] = '\0';
  cr_assert_eq(apply("nonsense", true), 0, "%s", diag.text);
  cr_assert_eq(count, 2);
  cr_assert_eq(changes.added + changes.changed + changes.idle, 0);
}

Test(roster_file, new_ones_come_changed_ones_change_and_others_rest)
{
  int64_t row = list[1].row;
  cr_assert_eq(apply("name,ip,key,region\ngamma,2001:db8::1,,eu\nbeta,192.0.2.22," KEY_B ",us\n", true), 0, "%s", diag.text);
  cr_assert_eq(changes.added, 1);
  cr_assert_eq(changes.changed, 1);
  cr_assert_eq(changes.idle, 1, "alpha");
  cr_assert_eq(count, 2);
  cr_assert_str_eq(list[0].name, "beta");
  cr_assert_eq(list[0].row, row);
  cr_assert_eq(list[0].registered_ns, 5, "since then");
  cr_assert_str_eq(list[1].name, "gamma");
  cr_assert_gt(list[1].row, row);
  reread();
  cr_assert_eq(count, 3, "alpha keeps its place");
  cr_assert_eq(list[1].ipv4, 0xc0000216);
  cr_assert_str_eq(list[1].region, "us");
  cr_assert_eq(apply("name,ip,key,region\ngamma,2001:db8::1,,eu\nbeta,192.0.2.22," KEY_B ",us\n", true), 0, "%s", diag.text);
  cr_assert_eq(changes.added + changes.changed, 0, "the same again is no change");
}

Test(roster_file, hmac_key_may_change)
{
  char file[128], text[256];
  snprintf(file, sizeof file, "%.64s/hmac", home.dir);
  FILE *out = fopen(file, "w");
  fputs("000102030405060708090a0b0c0d0e0f\n", out);
  fclose(out);
  cr_assert_eq(chmod(file, 0600), 0);
  snprintf(text, sizeof text, "name,ip,key,probe,hmac_key_file\nalpha,192.0.2.1,%s,stamp-auth,%s\n", KEY_A, file);
  cr_assert_eq(apply(text, true), 0, "%s", diag.text);
  cr_assert_eq(changes.changed, 1);
  reread();
  cr_assert_eq(list[0].hmac_secret_bytes, 16);
  cr_assert_eq(list[0].hmac_secret[15], 15);
}

Test(roster_file, looking_stores_nothing)
{
  cr_assert_eq(apply("name,ip,key\ngamma,192.0.2.3,\nalpha,192.0.2.11," KEY_A "\n", false), 0, "%s", diag.text);
  cr_assert_eq(count, 2);
  cr_assert_eq(list[0].ipv4, 0xc000020b);
  cr_assert_eq(list[1].row, 0);
  reread();
  cr_assert_eq(count, 2);
  cr_assert_eq(list[0].ipv4, 0xc0000201);
}
