/* SPDX-License-Identifier: Apache-2.0 */
/* Providers as text: the fields one by one (provider.h), then whole CSV files (import.h). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/import.h"
#include "dataplane/base/identity.h"
#include "dataplane/engine.h"

/* A public key that belongs to somebody: of the seed made of this byte. */
static const char *key_text(uint8_t seed_byte) {
  static char text[65];
  uint8_t seed[32];
  struct asz_identity identity;
  memset(seed, seed_byte, sizeof seed);
  asz_identity_from_seed(&identity, seed);
  asz_hex_encode(text, identity.public_key, 32);
  return text;
}

static int import(const char *text, struct asz_import *ret_import, struct asz_diag *diag) {
  size_t size = strlen(text);
  char *copy = strdup(text);
  cr_assert_not_null(copy);
  int err = asz_import_csv(ret_import, copy, size, "p.csv", diag);
  free(copy);
  return err;
}

static void expect_refused(const char *text, int err, const char *line) {
  struct asz_import result = {.count = 77};
  struct asz_diag diag = {""};
  cr_assert_eq(import(text, &result, &diag), err, "%s -> %s", text, diag.text);
  cr_assert(strstr(diag.text, line), "expected \"%s\" in \"%s\"", line, diag.text);
  cr_assert_eq(result.count, 77, "left untouched");
}

Test(provider, fields_refuse_what_they_cannot_be)
{
  static const struct {
    enum asz_provider_field field;
    const char *text, *says;
  } bad[] = {
      {ASZ_PROVIDER_FIELD_name, "", "name: expected 1 to 63"},
      {ASZ_PROVIDER_FIELD_name, "-alpha", "name: expected"},
      {ASZ_PROVIDER_FIELD_name, "al pha", "name: expected"},
      {ASZ_PROVIDER_FIELD_name, "../key", "name: expected"},
      {ASZ_PROVIDER_FIELD_name, "a\x1b[2J", "got \"a?[2J\""},
      {ASZ_PROVIDER_FIELD_name, "0123456789012345678901234567890123456789012345678901234567890123", "name: expected 1 to 63"},
      {ASZ_PROVIDER_FIELD_ip, "10.0.0", "ip: expected a unicast IPv4 or IPv6 address"},
      {ASZ_PROVIDER_FIELD_ip, "0.0.0.0", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_ip, "127.0.0.1", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_ip, "224.0.0.1", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_ip, "255.255.255.255", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_ip, "2001:db8:::1", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_ip, "[2001:db8::1]", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_ip, "::", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_ip, "::1", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_ip, "ff0e::1", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_ip, "::ffff:192.0.2.1", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_ip, "fe80::1", "ip: expected a unicast"},
      {ASZ_PROVIDER_FIELD_key, "00", "key: expected an Ed25519 public key"},
      {ASZ_PROVIDER_FIELD_key, "0000000000000000000000000000000000000000000000000000000000000000", "key: expected"},
      {ASZ_PROVIDER_FIELD_key, "0100000000000000000000000000000000000000000000000000000000000000", "key: expected"},
      {ASZ_PROVIDER_FIELD_key, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "key: expected"},
      {ASZ_PROVIDER_FIELD_device, "4294967296", "device: expected a number from 0"},
      {ASZ_PROVIDER_FIELD_port, "0", "port: expected a port from 1"},
      {ASZ_PROVIDER_FIELD_port, "65536", "port: expected a port from 1"},
      {ASZ_PROVIDER_FIELD_challenge_port, "-1", "challenge_port: expected"},
      {ASZ_PROVIDER_FIELD_probe, "ping", "probe: expected stamp, stamp-tlv, icmp-echo, tcp-syn or stamp-auth"},
      {ASZ_PROVIDER_FIELD_region, "01234567890123456789012345678901", "region: expected at most 31"},
      {ASZ_PROVIDER_FIELD_operator, "caf\xc3\xa9", "operator: expected at most 63 printable"},
      {ASZ_PROVIDER_FIELD_rtt_target_ms, "10001", "rtt_target_ms: expected a number from 0 to 10000"},
      {ASZ_PROVIDER_FIELD_control, "1", "control: expected yes or no"},
      {ASZ_PROVIDER_FIELD_ssid, "", "ssid: expected yes or no"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct asz_provider provider, untouched;
    struct asz_diag diag = {""};
    asz_provider_init(&provider);
    untouched = provider;
    int err = asz_provider_set(&provider, bad[i].field, bad[i].text, "here", &diag);
    cr_assert(err == ASZ_EFORMAT || err == ASZ_ERANGE, "\"%s\"", bad[i].text);
    cr_assert(strstr(diag.text, bad[i].says), "expected \"%s\" in \"%s\"", bad[i].says, diag.text);
    cr_assert_eq(memcmp(&provider, &untouched, sizeof provider), 0);
  }
}

Test(provider, finish_wants_name_address_and_the_key_that_the_probe_needs)
{
  struct asz_provider provider;
  struct asz_diag diag = {""};
  asz_provider_init(&provider);
  cr_assert_eq(asz_provider_finish(&provider, "here", &diag), ASZ_EFORMAT);
  cr_assert(strstr(diag.text, "here: name: expected"), "%s", diag.text);
  cr_assert_eq(asz_provider_set(&provider, ASZ_PROVIDER_FIELD_name, "a", "here", &diag), 0);
  cr_assert_eq(asz_provider_finish(&provider, "here", &diag), ASZ_EFORMAT);
  cr_assert(strstr(diag.text, "here: ip: expected"), "%s", diag.text);
  cr_assert_eq(asz_provider_set(&provider, ASZ_PROVIDER_FIELD_ip, "192.0.2.1", "here", &diag), 0);
  cr_assert_eq(asz_provider_set(&provider, ASZ_PROVIDER_FIELD_probe, "stamp-tlv", "here", &diag), 0);
  cr_assert_eq(asz_provider_finish(&provider, "here", &diag), ASZ_EFORMAT);
  cr_assert(strstr(diag.text, "here: key: expected"), "%s", diag.text);
  cr_assert_eq(asz_provider_set(&provider, ASZ_PROVIDER_FIELD_key, key_text(1), "here", &diag), 0);
  cr_assert_eq(asz_provider_finish(&provider, "here", &diag), 0, "%s", diag.text);
}

Test(provider, by_row_finds_only_what_is_there)
{
  struct asz_provider providers[3] = {{.row = 2}, {.row = 5}, {.row = 9}};
  cr_assert_null(asz_provider_by_row(providers, 0, 2));
  for (int64_t row = 0; row < 12; row++) {
    const struct asz_provider *found = asz_provider_by_row(providers, 3, row);
    bool expected = row == 2 || row == 5 || row == 9;
    cr_assert_eq(found != NULL, expected);
    cr_assert(!found || found->row == row);
  }
}

Test(import, refuses_a_header_that_names_no_columns)
{
  expect_refused("", ASZ_EFORMAT, "p.csv: expected a header line");
  expect_refused("\n# only\n \n", ASZ_EFORMAT, "p.csv: expected a header line");
  expect_refused("name\na\n", ASZ_EFORMAT, "p.csv:1: expected at least the columns name and ip");
  expect_refused("name,ip,nmae\n", ASZ_EFORMAT, "p.csv:1: unknown column \"nmae\"; did you mean \"name\"?");
  expect_refused("name,ip,\n", ASZ_EFORMAT, "p.csv:1: unknown column \"\"");
  expect_refused("\n\nname,ip,name\n", ASZ_EFORMAT, "p.csv:3: expected each column once, got \"name\" again");
  expect_refused("alpha,10.0.0.1\n", ASZ_EFORMAT, "p.csv:1: unknown column \"alpha\"");
}

Test(import, names_line_and_field_of_a_bad_row)
{
  expect_refused("name,ip\na,10.0.0.1\nb,10.0.0.999\n", ASZ_EFORMAT,
                 "p.csv:3: ip: expected a unicast IPv4 or IPv6 address, got \"10.0.0.999\"");
  expect_refused("name,ip\na\n", ASZ_EFORMAT, "p.csv:2: expected 2 fields, got 1");
  expect_refused("name,ip\na,10.0.0.1,\n", ASZ_EFORMAT, "p.csv:2: expected 2 fields, got more");
  expect_refused("name,ip\n,10.0.0.1\n", ASZ_EFORMAT, "p.csv:2: name: expected 1 to 63");
  expect_refused("name,ip\na,\n", ASZ_EFORMAT, "p.csv:2: ip: expected");
  expect_refused("name,ip,probe\na,10.0.0.1,stamp-tlv\n", ASZ_EFORMAT, "p.csv:2: key: expected");
  expect_refused("name,ip,probe\na,10.0.0.1,stamp-auth\n", ASZ_EFORMAT, "p.csv:2: key: expected");
  expect_refused("name,ip,hmac_key_file\na,10.0.0.1,/nowhere\n", ASZ_ENOENT, "p.csv:2: hmac_key_file: /nowhere: cannot open");
  expect_refused("name,ip\n\"a,10.0.0.1\n", ASZ_EFORMAT, "p.csv:2: expected a closing quote");
  expect_refused("name,ip\n\"a\"b,10.0.0.1\n", ASZ_EFORMAT, "p.csv:2: expected a closing quote and then a comma");
}

Test(import, names_both_lines_of_a_duplicate)
{
  char text[512];
  expect_refused("name,ip\na,10.0.0.1\n#\nb,10.0.0.2\na,10.0.0.3\n", ASZ_EEXIST,
                 "p.csv:5: name: expected a unique one, already in line 2");
  expect_refused("name,ip\na,10.0.0.1\nb,10.0.0.2\nc,10.0.0.2\nd,10.0.0.1\n", ASZ_EEXIST,
                 "p.csv:4: ip: expected a unique one, already in line 3");
  snprintf(text, sizeof text, "name,ip,key,device\na,10.0.0.1,%s,1\nb,10.0.0.2,%s,1\n", key_text(1), key_text(1));
  expect_refused(text, ASZ_EEXIST, "p.csv:3: key and device: expected a unique one, already in line 2");
}

Test(import, refuses_a_nul_byte)
{
  struct asz_import result;
  struct asz_diag diag = {""};
  char text[] = "name,ip\na,10.0.0.1\0\n";
  cr_assert_eq(asz_import_csv(&result, text, sizeof text - 1, "p.csv", &diag), ASZ_EFORMAT);
  cr_assert_str_eq(diag.text, "p.csv: expected text, got a NUL byte");
}

Test(import, reads_columns_in_any_order_with_quotes_and_gaps)
{
  char text[1024];
  struct asz_import result;
  struct asz_diag diag = {""};
  snprintf(text, sizeof text,
           "\xef\xbb\xbfoperator,ip,name,key,device,control,ssid,rtt_target_ms,port,challenge_port,region,probe\r\n"
           "# a comment\r\n"
           "\"Ann \"\"A\"\" Lee, Ltd\",10.0.0.1,alpha,%s,7,no,no,40,863,0,eu-west,\r\n"
           "\r\n"
           ",10.0.0.2,\"beta\",,,yes,,,,,,icmp-echo",
           key_text(1));
  cr_assert_eq(import(text, &result, &diag), 0, "%s", diag.text);
  cr_assert_eq(result.count, 2);
  const struct asz_provider *a = &result.provider[0], *b = &result.provider[1];
  cr_assert_str_eq(a->operator_name, "Ann \"A\" Lee, Ltd");
  cr_assert_str_eq(a->name, "alpha");
  cr_assert_str_eq(a->region, "eu-west");
  cr_assert_eq(a->ipv4, 0x0a000001);
  cr_assert_eq(a->device, 7);
  cr_assert_eq(a->port, 863);
  cr_assert_eq(a->challenge_port, 0);
  cr_assert_eq(a->rtt_target_ns, 40000000);
  cr_assert_eq(a->flags, ASZ_TARGET_NO_SSID);
  cr_assert_eq(a->probe, ASZ_PROBE_STAMP_TLV, "a key is known");
  cr_assert(!a->control && b->control);
  cr_assert_eq(b->probe, ASZ_PROBE_ICMP_ECHO);
  cr_assert_eq(b->port, 862);
  cr_assert_eq(b->challenge_port, 8620);
  cr_assert_eq(result.line[0], 3);
  cr_assert_eq(result.line[1], 5);
  asz_import_free(&result);
}

Test(import, reads_many_rows)
{
  enum { ROWS = 5000 };
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  struct asz_import result;
  struct asz_diag diag = {""};
  fputs("ip,name\n", out);
  for (unsigned i = 0; i < ROWS; i++)
    fprintf(out, "10.1.%u.%u,p%u\n", i / 250, i % 250 + 1, i);
  fclose(out);
  cr_assert_eq(import(text, &result, &diag), 0, "%s", diag.text);
  cr_assert_eq(result.count, ROWS);
  cr_assert_str_eq(result.provider[ROWS - 1].name, "p4999");
  asz_import_free(&result);
  free(text);
}

Test(provider, an_address_of_either_family_has_one_text)
{
  static const struct {
    const char *given, *address, *endpoint;
  } cases[] = {
      {"192.0.2.1", "192.0.2.1", "192.0.2.1:862"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1", "[2001:db8::1]:862"},
      {"2001:db8:0:0:1::1", "2001:db8::1:0:0:1", "[2001:db8::1:0:0:1]:862"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, NULL},
      {"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "[fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:862"},
  };
  struct asz_provider provider;
  struct asz_diag diag = {""};
  asz_provider_init(&provider);
  provider.port = 862;
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int err = asz_provider_set(&provider, ASZ_PROVIDER_FIELD_ip, cases[i].given, "here", &diag);
    cr_assert_eq(err, cases[i].address ? 0 : ASZ_ERANGE, "%s", cases[i].given);
    if (!cases[i].address)
      continue;
    cr_assert_str_eq(asz_provider_address(ASZ_TEXT, &provider), cases[i].address);
    cr_assert_str_eq(asz_provider_endpoint(ASZ_TEXT, &provider), cases[i].endpoint);
  }
  /* the last one given counts, whole */
  cr_assert_eq(asz_provider_set(&provider, ASZ_PROVIDER_FIELD_ip, "192.0.2.1", "here", &diag), 0);
  cr_assert_eq(asz_provider_family(&provider), ASZ_FAMILY_IPV4);
  cr_assert(asz_ipv6_is_none(provider.ipv6));
}

Test(import, takes_both_families_and_sees_one_address_in_two_spellings)
{
  char good[] = "name,ip\na,2001:db8::1\nb,192.0.2.1\nc,2001:db8::2\n";
  struct asz_import result;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_import_csv(&result, good, sizeof good - 1, "p.csv", &diag), 0, "%s", diag.text);
  cr_assert_eq(result.count, 3);
  cr_assert_eq(result.provider[0].ipv6[15], 1);
  cr_assert_eq(result.provider[1].ipv4, 0xc0000201);
  asz_import_free(&result);
  expect_refused("name,ip\na,2001:db8::1\nb,192.0.2.1\nc,2001:0DB8::0:1\n", ASZ_EEXIST,
                 "p.csv:4: ip: expected a unique one, already in line 2");
}
