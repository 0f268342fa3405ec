/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/hmac_file.h"
#include "control/roster.h"
#include "dataplane/base/identity.h"

static char path[] = "/tmp/assize-hmac-XXXXXX";
static struct asz_diag diag;
static uint8_t secret[ASZ_HMAC_SECRET_BYTES_MAX], secret_bytes;

static void setup(void) {
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  close(fd);
}

static void teardown(void) {
  unlink(path);
}

static int read_text(const char *text, size_t size) {
  FILE *file = fopen(path, "w");
  cr_assert_eq(fwrite(text, 1, size, file), size);
  fclose(file);
  return asz_hmac_file_read(secret, &secret_bytes, path, &diag);
}

static const char digits[] = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

TestSuite(hmac_file, .init = setup, .fini = teardown);

Test(hmac_file, what_others_can_read_is_refused)
{
  for (int mode = 0; mode < 0100; mode++) {
    cr_assert_eq(chmod(path, (mode_t)(0600 | mode)), 0);
    int err = read_text(digits, 64);
    cr_assert_eq(err, mode == 0 ? 0 : ASZ_EPERM, "mode %o: %s", 0600 | mode, diag.text);
  }
}

Test(hmac_file, anything_but_one_line_of_digits_is_refused_and_never_shown)
{
  static const struct {
    const char *text;
    size_t size;
  } bad[] = {{"", 0},
             {"\n", 1},
             {"00112233445566778899aabbccddee", 30},
             {"00112233445566778899aabbccddeeff0", 33},
             {"00112233445566778899aabbccddeefg", 32},
             {" 00112233445566778899aabbccddeeff", 33},
             {"00112233445566778899aabbccddeeff\n\n", 34},
             {"00112233445566778899aabbccddeeff\r", 33},
             {"00112233445566778899aabbccddeeff\n00", 35},
             {"00112233445566778899aabbccddeeff\0", 33},
             {"00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF00", 66}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_assert_eq(read_text(bad[i].text, bad[i].size), ASZ_EFORMAT, "case %zu", i);
    cr_assert_null(strstr(diag.text, "0011"), "%s", diag.text);
    cr_assert_eq(secret_bytes, 0);
  }
}

Test(hmac_file, no_file_and_no_regular_file_are_refused)
{
  cr_assert_eq(asz_hmac_file_read(secret, &secret_bytes, "/nowhere/key", &diag), ASZ_ENOENT);
  cr_assert_eq(asz_hmac_file_read(secret, &secret_bytes, "/dev/null", &diag), ASZ_EINVAL);
  cr_assert_eq(asz_hmac_file_read(secret, &secret_bytes, "/tmp", &diag), ASZ_EINVAL);
  unlink(path);
  cr_assert_eq(mkfifo(path, 0600), 0);
  cr_assert_eq(asz_hmac_file_read(secret, &secret_bytes, path, &diag), ASZ_EINVAL, "and nobody waits for a writer");
}

Test(hmac_file, every_size_and_line_end_is_read)
{
  static const char *const ends[] = {"", "\n", "\r\n"};
  for (size_t bytes = ASZ_HMAC_SECRET_BYTES_MIN; bytes <= ASZ_HMAC_SECRET_BYTES_MAX; bytes++)
    for (unsigned end = 0; end < 3; end++) {
      char text[80];
      int size = snprintf(text, sizeof text, "%.*s%s", (int)(2 * bytes), digits, ends[end]);
      cr_assert_eq(read_text(text, (size_t)size), 0, "%s", diag.text);
      cr_assert_eq(secret_bytes, bytes);
      cr_assert_eq(secret[15], 0xff);
    }
}

/* ---- what the roster makes of it ---- */

static struct asz_provider *provider_of(enum asz_probe probe, bool with_key, bool with_secret) {
  struct asz_provider *p = calloc(1, sizeof *p);
  struct asz_identity identity;
  asz_identity_from_seed(&identity, (const uint8_t[32]){9});
  asz_provider_init(p);
  snprintf(p->name, sizeof p->name, "alpha");
  p->ipv4 = 0x0a000001;
  p->probe = (uint8_t)probe;
  if (with_key)
    memcpy(p->public_key, identity.public_key, 32);
  if (with_secret) {
    memset(p->hmac_secret, 7, 20);
    p->hmac_secret_bytes = 20;
  }
  return p;
}

Test(hmac_file, roster_takes_a_key_that_was_handed_over_before_the_derived_one)
{
  struct asz_identity validator, provider;
  struct asz_roster *roster;
  asz_identity_from_seed(&validator, (const uint8_t[32]){1});
  asz_identity_from_seed(&provider, (const uint8_t[32]){9});
  uint8_t shared[32], handed_over[20];
  struct asz_hmac_key derived, given;
  cr_assert_eq(asz_session_shared(shared, &provider, validator.public_key), 0);
  asz_session_hmac_key(&derived, shared, validator.public_key, provider.public_key);
  memset(handed_over, 7, sizeof handed_over);
  asz_hmac_key_set(&given, handed_over, sizeof handed_over);

  cr_assert_eq(asz_roster_new(&roster, provider_of(ASZ_PROBE_STAMP_AUTH, true, false), 1, &validator, &diag), 0);
  cr_assert_arr_eq(&roster->hmac[0], &derived, sizeof derived);
  asz_roster_free(roster);
  for (int with_key = 0; with_key < 2; with_key++) {
    cr_assert_eq(asz_roster_new(&roster, provider_of(ASZ_PROBE_STAMP_AUTH, with_key, true), 1, &validator, &diag), 0);
    cr_assert_arr_eq(&roster->hmac[0], &given, sizeof given);
    asz_roster_free(roster);
  }
  cr_assert_eq(asz_roster_new(&roster, provider_of(ASZ_PROBE_STAMP_TLV, true, true), 1, &validator, &diag), 0);
  cr_assert_null(roster->hmac, "no memory for what nobody needs");
  asz_roster_free(roster);
  cr_assert_eq(asz_roster_new(&roster, provider_of(ASZ_PROBE_STAMP_AUTH, false, false), 1, &validator, &diag), ASZ_EINVAL);
  cr_assert_not_null(strstr(diag.text, "alpha: probe stamp-auth needs"), "%s", diag.text);
}
