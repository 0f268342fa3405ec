/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config.h"
#include "tests/control/tlog/scratch.h"

static int read_text(const char *text, struct asz_config *ret_config, struct asz_diag *diag) {
  FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
  cr_assert_not_null(in);
  int err = asz_config_read(ret_config, in, "a.conf", diag);
  fclose(in);
  return err;
}

/* Refused with this error and this text in the line, and the struct untouched. */
static void expect_refused(const char *text, int err, const char *line) {
  struct asz_config config, untouched;
  struct asz_diag diag = {""};
  memset(&config, 0x5a, sizeof config);
  untouched = config;
  cr_assert_eq(read_text(text, &config, &diag), err, "%s -> %s", text, diag.text);
  cr_assert(strstr(diag.text, line), "expected \"%s\" in \"%s\"", line, diag.text);
  cr_assert_eq(memcmp(&config, &untouched, sizeof config), 0, "left untouched");
}

/* The file that asz_config_write makes; heap. */
static char *written(const struct asz_config *config) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  cr_assert_not_null(out);
  cr_assert_eq(asz_config_write(out, config), 0);
  fclose(out);
  return text;
}

Test(config, refuses_unknown_doubled_and_misplaced_keys_with_their_line)
{
  static const struct {
    const char *text, *line;
  } bad[] = {
      {"[prob]\n", "a.conf:1: unknown section \"prob\"; did you mean \"probe\"?"},
      {"[wholly-different]\n", "a.conf:1: unknown section \"wholly-different\""},
      {"[time]\nepoch = 60\n", "a.conf:2: unknown key \"time.epoch\"; did you mean \"time.epoch_s\"?"},
      {"[time]\nrate_max_pps = 5\n", "a.conf:2: unknown key \"time.rate_max_pps\""},
      {"[time]\nslot_s = 60\n\nslot_s = 60\n", "a.conf:4: time.slot_s: expected once, already set in line 2"},
      {"[time]\nslot_s = 60\n[time]\nslot_s = 60\n", "a.conf:4: time.slot_s: expected once"},
      {"[time]\nslot_s 60\n", "a.conf:2: expected key = value"},
      {"[challenge]\nenabled = true\n", "a.conf:2: challenge.enabled: expected yes or no, got \"true\""},
      {"[verify]\nbackend = gpu\n", "a.conf:2: verify.backend: expected auto|cpu|cuda|reference, got \"gpu\""},
      {"[verify]\nbackend =\n", "a.conf:2: verify.backend: expected auto|cpu|cuda|reference, got \"\""},
      {"[verify]\nbackend = auto|cpu\n", "a.conf:2: verify.backend: expected auto|cpu|cuda"},
      {"[network]\nlocal_ip = 10.0.0\n", "a.conf:2: network.local_ip: expected an IPv4 address, got \"10.0.0\""},
      {"[network]\nlocal_ip = 10.0.0.256\n", "a.conf:2: network.local_ip: expected an IPv4 address"},
      {"[network]\nlocal_ip = ::1\n", "a.conf:2: network.local_ip: expected an IPv4 address"},
      {"[network]\neal = a;b\n", "a.conf:2: network.eal: expected 0 to 180 printable ASCII characters without ';'"},
      {"[network]\neal = \xc3\xa4\n", "a.conf:2: network.eal: expected 0 to 180 printable"},
      {"[time]\nslot_s = -60\n", "a.conf:2: time.slot_s: expected a number from 1 to 3600 (s), got \"-60\""},
      {"[time]\nslot_s = 0x10\n", "a.conf:2: time.slot_s: expected a number from 1 to 3600 (s), got \"0x10\""},
      {"[time]\nslot_s = 60s\n", "a.conf:2: time.slot_s: expected a number from 1 to 3600 (s), got \"60s\""},
      {"[time]\nslot_s =\n", "a.conf:2: time.slot_s: expected a number from 1 to 3600 (s), got \"\""},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    expect_refused(bad[i].text, ASZ_EFORMAT, bad[i].line);
}

/* Every key of a type that has a range: one below it, one above it, and a number that no integer holds. */
static void out_of_range_u64(const char *section, const char *key, uint64_t min, uint64_t max) {
  char text[256], line[128];
  const char *values[] = {"99999999999999999999999", NULL, NULL};
  char below[32], above[32];
  snprintf(above, sizeof above, "%" PRIu64, max + 1);
  values[1] = above;
  if (min > 0) {
    snprintf(below, sizeof below, "%" PRIu64, min - 1);
    values[2] = below;
  }
  for (size_t i = 0; i < 3; i++) {
    if (!values[i])
      continue;
    snprintf(text, sizeof text, "# c\n[%s]\n%s = %s\n", section, key, values[i]);
    snprintf(line, sizeof line, "a.conf:3: %s.%s: expected a number from %" PRIu64 " to %" PRIu64, section, key, min, max);
    expect_refused(text, ASZ_ERANGE, line);
  }
}

static void out_of_range_text(const char *section, const char *key, uint64_t min, uint64_t max) {
  char text[512], line[128];
  snprintf(line, sizeof line, "a.conf:2: %s.%s: expected %" PRIu64 " to %" PRIu64, section, key, min, max);
  if (min > 0) {
    snprintf(text, sizeof text, "[%s]\n%s =\n", section, key);
    expect_refused(text, ASZ_ERANGE, line);
  }
  int head = snprintf(text, sizeof text, "[%s]\n%s=", section, key);
  if (strlen(key) + 1 + max + 1 > 198) /* the line's own limit comes first */
    return;
  memset(text + head, 'x', max + 1);
  text[head + (int)max + 1] = '\0';
  expect_refused(text, ASZ_ERANGE, line);
}

#define RANGE_U64(section, key, min, max)  out_of_range_u64(section, key, min, max);
#define RANGE_TEXT(section, key, min, max) out_of_range_text(section, key, min, max);
#define RANGE_BOOL(section, key, min, max)
#define RANGE_WORD(section, key, min, max)
#define RANGE_IPV4(section, key, min, max)
#define RANGE_IPV6(section, key, min, max)

Test(config, refuses_every_value_outside_its_range)
{
#define RANGE(section, key, type, unit, def, min, max, scored, help) RANGE_##type(#section, #key, min, max)
    ASZ_CONFIG_LIST(RANGE)
#undef RANGE
}

Test(config, refuses_relations_that_cannot_work)
{
  static const struct {
    const char *text, *line;
  } bad[] = {
      {"[score]\nrtt_target_regions = eu=0\n", "a.conf: score.rtt_target_regions: expected a target of eu from 1 to 10000 ms"},
      {"[time]\nslot_s = 61\n", "a.conf: time.epoch_s: expected 1 to 64 whole slots"},
      {"[time]\nepoch_s = 3900\n", "a.conf: time.epoch_s: expected 1 to 64 whole slots"},
      {"[time]\nchallenge_slot_s = 700\n", "a.conf: time.challenge_slot_s: expected a divisor or a multiple"},
      {"[time]\nchallenge_slot_s = 5400\n", "a.conf: time.challenge_slot_s: expected a divisor or a multiple"},
      {"[time]\nchallenge_slot_s = 3600\n[challenge]\nmem_preset = tiny\n", "a.conf: challenge.mem_preset: expected two slots"},
      {"[time]\nepoch_s=60\nslot_s=1\nchallenge_slot_s=60\n[probe]\ninterval_ms=333\n",
       "a.conf: probe.timeout_ms: expected less"},
      {"[probe]\ninterval_ms = 54\n", "a.conf: probe.interval_ms: expected at most 65,535 probes"},
      {"[probe]\ninterval_ms = 10001\n", "a.conf: probe.interval_ms: expected at least 3 pairs of probes"},
      {"[probe]\ninterval_ms = 20001\npair_gap_us = 0\n", "a.conf: probe.interval_ms: expected at least 3 probes"},
      {"[network]\nchallenge_source_port = 49152\n", "a.conf: network.challenge_source_port: expected a port outside"},
      {"[network]\nchallenge_source_port = 57343\n", "a.conf: network.challenge_source_port: expected a port outside"},
      {"[network]\nlocal_ip=10.0.0.1\ngateway_ip=10.0.0.1\n", "a.conf: network.gateway_ip: expected another address"},
      {"[network]\nlocal_ip6=ff02::1\n", "a.conf: network.local_ip6: expected a unicast address or ::, got ff02::1"},
      {"[network]\ngateway_ip6=::1\n", "a.conf: network.gateway_ip6: expected a unicast address or ::, got ::1"},
      {"[network]\nlocal_ip6=fd00::1\ngateway_ip6=fd00:0::1\n", "a.conf: network.gateway_ip6: expected another address"},
      {"[slash]\ns1_stake_bps_first = 2000\n", "a.conf: slash.s1_stake_bps_first: expected at most"},
      {"[slash]\njail_first_s = 86401\n", "a.conf: slash.jail_first_s: expected at most"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    expect_refused(bad[i].text, ASZ_ERANGE, bad[i].line);
}

Test(config, refuses_an_origin_that_no_note_can_carry)
{
  expect_refused("[validator]\norigin = my log\n", ASZ_EFORMAT,
                 "a.conf: validator.origin: expected a name without spaces and '+'");
  expect_refused("[validator]\norigin = a+b\n", ASZ_EFORMAT, "a.conf: validator.origin: expected a name without spaces and '+'");
}

Test(config, accepts_relations_at_their_edges)
{
  static const char *const good[] = {
      "[time]\nepoch_s = 3840\nchallenge_slot_s = 960\n", /* 64 slots */
      "[time]\nchallenge_slot_s = 7200\n",                /* two epochs */
      "[probe]\ninterval_ms = 55\n",                      /* 65,454 rounds */
      "[probe]\ninterval_ms = 10000\n",                   /* 3 pairs a slot */
      "[probe]\ninterval_ms = 20000\npair_gap_us = 0\n",  /* 3 a slot */
      "[network]\nchallenge_source_port = 49151\n",       /* just below */
      "[network]\nlocal_ip6=fd00::1\ngateway_ip6=fe80::1\nvlan=4094\n",
      "[network]\nchallenge_source_port = 57344\n", /* just above */
      "",
  };
  for (size_t i = 0; i + 1 < sizeof good / sizeof good[0]; i++) {
    struct asz_config config;
    struct asz_diag diag = {""};
    cr_assert_eq(read_text(good[i], &config, &diag), 0, "%s", diag.text);
  }
}

Test(config, names_the_file_that_cannot_be_read)
{
  char dir[SCRATCH_PATH], path[2 * SCRATCH_PATH];
  struct asz_config config;
  struct asz_diag diag = {""};
  scratch_make(dir);
  scratch_path(path, dir, "missing.conf");
  cr_assert_eq(asz_config_load(&config, path, &diag), ASZ_ENOENT);
  cr_assert(strstr(diag.text, "missing.conf: cannot open: No such file"), "%s", diag.text);
  cr_assert_eq(asz_config_load(&config, dir, &diag), ASZ_EFORMAT);
  cr_assert(strstr(diag.text, "expected a regular file"), "%s", diag.text);
  scratch_remove(dir);
}

Test(config, refuses_binary_junk_by_its_line)
{
  char dir[SCRATCH_PATH], path[2 * SCRATCH_PATH];
  struct asz_config config;
  struct asz_diag diag = {""};
  scratch_make(dir);
  scratch_write(dir, "junk.conf",
                "\x7f"
                "ELF\x02\x01\x01\0\0\0",
                10);
  scratch_path(path, dir, "junk.conf");
  cr_assert_eq(asz_config_load(&config, path, &diag), ASZ_EFORMAT);
  cr_assert(strstr(diag.text, "junk.conf:1: expected text, got the byte 0x7f"), "%s", diag.text);
  scratch_remove(dir);
}

Test(config, written_and_loaded_gives_the_same_struct_and_hash)
{
  static const char *const presets[] = {"standard", "lab"};
  for (size_t i = 0; i < 2; i++) {
    struct asz_config before, after;
    struct asz_diag diag = {""};
    uint8_t hash_before[32], hash_after[32];
    cr_assert_eq(asz_config_preset(&before, presets[i], &diag), 0);
    cr_assert_eq(asz_config_check(&before, "preset", &diag), 0, "%s", diag.text);
    cr_assert_eq(asz_config_set(&before, "network.eal=--vdev=net_af_xdp0,iface=eth1 --log-level=3", "t", &diag), 0);
    cr_assert_eq(asz_config_set(&before, "network.local_ip=192.0.2.7", "t", &diag), 0);
    char *text = written(&before);
    cr_assert_eq(read_text(text, &after, &diag), 0, "%s", diag.text);
    cr_assert_eq(memcmp(&before, &after, sizeof before), 0, "preset %s", presets[i]);
    asz_config_hash(&before, hash_before);
    asz_config_hash(&after, hash_after);
    cr_assert_arr_eq(hash_before, hash_after, 32);
    free(text);
  }
}

/* Both directions of every key: a scored one moves the hash, another does not. */
static void check_hash_of(const char *name, int scored, const char *value) {
  struct asz_config config;
  struct asz_diag diag = {""};
  uint8_t before[32], after[32];
  char assignment[256];
  asz_config_default(&config);
  asz_config_hash(&config, before);
  snprintf(assignment, sizeof assignment, "%s=%s", name, value);
  cr_assert_eq(asz_config_set(&config, assignment, "t", &diag), 0, "%s", diag.text);
  asz_config_hash(&config, after);
  cr_assert_eq(memcmp(before, after, 32) != 0, scored, "%s", name);
}

/* A value other than the default. */
static const char *other_u64(const char *def, uint64_t min, uint64_t max) {
  static char text[32];
  uint64_t value = strtoull(def, NULL, 10);
  snprintf(text, sizeof text, "%" PRIu64, value < max ? value + 1 : min);
  return text;
}
#define OTHER_U64(def, unit, min, max)  other_u64(def, min, max)
#define OTHER_BOOL(def, unit, min, max) (strcmp(def, "yes") ? "yes" : "no")
#define OTHER_TEXT(def, unit, min, max) "something.else"
#define OTHER_IPV4(def, unit, min, max) "198.51.100.1"
#define OTHER_IPV6(def, unit, min, max) "2001:db8::1"
#define OTHER_WORD(def, unit, min, max) (strrchr(unit, '|') + 1)

Test(config, hash_covers_exactly_the_scored_keys)
{
#define CHECK(section, key, type, unit, def, min, max, scored, help)                                                             \
  check_hash_of(#section "." #key, scored, OTHER_##type(def, unit, min, max));
  ASZ_CONFIG_LIST(CHECK)
#undef CHECK
}

Test(config, hash_is_of_the_lines_that_the_header_promises)
{
  struct asz_config config;
  uint8_t hash[32], expected[32];
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
#define SCORED_1(name, def) fprintf(out, "%s=%s\n", name, def);
#define SCORED_0(name, def)
#define LINE(section, key, type, unit, def, min, max, scored, help) SCORED_##scored(#section "." #key, def)
  ASZ_CONFIG_LIST(LINE)
#undef LINE
  fclose(out);
  cr_assert(strstr(text, "time.epoch_s=3600\n"));
  crypto_hash_sha256(expected, (const unsigned char *)text, size);
  free(text);
  asz_config_default(&config);
  asz_config_hash(&config, hash);
  cr_assert_arr_eq(hash, expected, 32);
}

Test(config, set_refuses_what_a_file_refuses)
{
  static const struct {
    const char *text, *line;
    int err;
  } bad[] = {
      {"time.epoch_s", "--set: expected section.key=value, got \"time.epoch_s\"", ASZ_EFORMAT},
      {"epoch_s=5", "--set: expected section.key=value", ASZ_EFORMAT},
      {"=", "--set: expected section.key=value", ASZ_EFORMAT},
      {"time.epoc_s=5", "--set: unknown key \"time.epoc_s\"; did you mean \"time.epoch_s\"?", ASZ_EFORMAT},
      {"time.epoch_s=0", "--set: time.epoch_s: expected a number from 1 to 86400 (s), got \"0\"", ASZ_ERANGE},
      {"network.eal=a\nb", "--set: network.eal: expected 0 to 180 printable", ASZ_EFORMAT},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct asz_config config;
    struct asz_diag diag = {""};
    asz_config_default(&config);
    cr_assert_eq(asz_config_set(&config, bad[i].text, "--set", &diag), bad[i].err, "%s", diag.text);
    cr_assert(strstr(diag.text, bad[i].line), "expected \"%s\" in \"%s\"", bad[i].line, diag.text);
  }
}

Test(config, unknown_preset_is_refused)
{
  struct asz_config config;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_config_preset(&config, "fast", &diag), ASZ_EINVAL);
  cr_assert_str_eq(diag.text, "preset: expected standard|lab, got \"fast\"");
}

Test(config, a_full_disk_is_reported_by_write)
{
  struct asz_config config;
  asz_config_default(&config);
  FILE *full = fopen("/dev/full", "w");
  if (!full)
    cr_skip_test("no /dev/full here");
  cr_assert_eq(asz_config_write(full, &config), ASZ_EIO);
  fclose(full);
}

Test(config, the_operators_page_lists_every_key_as_the_table_has_it)
{
  const char *source = getenv("ASSIZE_SOURCE");
  if (!source)
    cr_skip_test("ASSIZE_SOURCE is not set: run by meson test");
  char dir[512];
  char *table = NULL;
  size_t page_size, table_size;
  snprintf(dir, sizeof dir, "%s/docs", source);
  char *page = (char *)scratch_read(dir, "operating.md", &page_size);
  page[page_size] = '\0';
  FILE *out = open_memstream(&table, &table_size);
  cr_assert_not_null(out);
  asz_config_write_table(out);
  fclose(out);
  for (char *row = strtok(table, "\n"); row; row = strtok(NULL, "\n"))
    cr_expect(strstr(page, row), "docs/operating.md lacks this line of `assize help config`: %s", row);
  free(table);
  free(page);
}

Test(config, difference_is_named_by_key_and_looked_for_in_one_section)
{
  struct asz_config a, b;
  struct asz_diag diag;
  asz_config_default(&a);
  b = a;
  cr_assert_null(asz_config_differs(&a, &b, "network"));
  cr_assert_eq(asz_config_set(&b, "probe.interval_ms=500", "test", &diag), 0);
  cr_assert_null(asz_config_differs(&a, &b, "network"));
  cr_assert_str_eq(asz_config_differs(&a, &b, "probe"), "probe.interval_ms");
  cr_assert_eq(asz_config_set(&b, "network.local_ip6=2001:db8::1", "test", &diag), 0);
  cr_assert_str_eq(asz_config_differs(&a, &b, "network"), "network.local_ip6");
}
