/* SPDX-License-Identifier: Apache-2.0 */
/* Identities and key files. Each test has a directory of its own; each refusal must have its own error and its own line. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/base/identity.h"

static const char valid[] = "assize-key-v1\n9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\n";
enum { VALID_BYTES = sizeof valid - 1 };

static char directory[128], key_path[256];

static void make_directory(void) {
  const char *parent = getenv("TMPDIR");
  snprintf(directory, sizeof directory, "%.64s/asz_identity_XXXXXX", parent == NULL ? P_tmpdir : parent);
  cr_assert_not_null(mkdtemp(directory));
  snprintf(key_path, sizeof key_path, "%s/key", directory);
}

static void remove_directory(void) {
  char command_path[256];
  unlink(key_path);
  rmdir(key_path);
  snprintf(command_path, sizeof command_path, "%s/other", directory);
  unlink(command_path);
  rmdir(directory);
}

TestSuite(identity, .init = make_directory, .fini = remove_directory);

static void write_file(const char *path, const char *text, size_t size_bytes, mode_t mode) {
  unlink(path);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, text, size_bytes), (ssize_t)size_bytes);
  cr_assert_eq(fchmod(fd, mode), 0);
  close(fd);
}

/* The path must be refused with this error, a line that names it and contains `words`, and nothing written to the output. */
static void expect_refusal(const char *path, int err, const char *words) {
  struct asz_identity id, untouched;
  struct asz_diag diag = {.text = ""};
  memset(&id, 0x5a, sizeof id);
  untouched = id;
  cr_assert_eq(asz_identity_load(path, &id, &diag), err, "expected \"%s\", got \"%s\"", words, diag.text);
  cr_assert_eq(strncmp(diag.text, path, strlen(path)), 0, "the line names the file: \"%s\"", diag.text);
  cr_assert_not_null(strstr(diag.text, words), "expected \"%s\" in \"%s\"", words, diag.text);
  cr_assert_eq(memcmp(&id, &untouched, sizeof id), 0, "outputs stay untouched on failure");
  cr_assert_eq(asz_identity_load(path, &id, NULL), err, "also without a diag");
}

Test(identity, a_mode_that_lets_others_in_is_refused)
{
  static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666, 0777};
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    write_file(key_path, valid, VALID_BYTES, modes[i]);
    expect_refusal(key_path, ASZ_EPERM, "expected 0600");
  }
  write_file(key_path, valid, VALID_BYTES, 0400);
  struct asz_identity id;
  cr_assert_eq(asz_identity_load(key_path, &id, NULL), ASZ_OK, "stricter than 0600 is fine");
}

Test(identity, another_owner_is_refused)
{
  if (geteuid() != 0)
    cr_skip_test("only root can give a file away");
  write_file(key_path, valid, VALID_BYTES, 0600);
  cr_assert_eq(chown(key_path, 12345, (gid_t)-1), 0);
  expect_refusal(key_path, ASZ_EPERM, "owned by user id 12345");
}

Test(identity, links_directories_and_pipes_are_refused)
{
  char other[256];
  snprintf(other, sizeof other, "%s/other", directory);
  write_file(other, valid, VALID_BYTES, 0600);
  cr_assert_eq(symlink(other, key_path), 0);
  expect_refusal(key_path, ASZ_EPERM, "symbolic link");
  cr_assert_eq(unlink(key_path), 0);
  cr_assert_eq(mkdir(key_path, 0700), 0);
  expect_refusal(key_path, ASZ_EPERM, "not a regular file");
  cr_assert_eq(rmdir(key_path), 0);
  cr_assert_eq(mkfifo(key_path, 0600), 0);
  expect_refusal(key_path, ASZ_EPERM, "not a regular file");
}

Test(identity, a_missing_file_is_named)
{ expect_refusal(key_path, ASZ_ENOENT, "no such key file"); }

Test(identity, every_truncation_and_every_extension_is_refused)
{
  for (size_t size = 0; size < VALID_BYTES; size++) {
    write_file(key_path, valid, size, 0600);
    expect_refusal(key_path, ASZ_EFORMAT, "expected a key file of exactly 79");
  }
  char longer[VALID_BYTES + 2];
  memcpy(longer, valid, VALID_BYTES);
  memcpy(longer + VALID_BYTES, "\n", 2);
  write_file(key_path, longer, VALID_BYTES + 1, 0600);
  expect_refusal(key_path, ASZ_EFORMAT, "80 bytes");
}

Test(identity, a_wrong_character_is_refused_with_its_line_and_column)
{
  for (size_t at = 0; at < VALID_BYTES; at++) {
    static const char wrong[] = {'G', 'A', ' ', '\0', '\n', '\r', (char)0xff};
    for (size_t i = 0; i < sizeof wrong; i++) {
      char text[VALID_BYTES], where[64];
      memcpy(text, valid, VALID_BYTES);
      if (text[at] == wrong[i])
        continue;
      text[at] = wrong[i];
      write_file(key_path, text, VALID_BYTES, 0600);
      if (at < 14)
        snprintf(where, sizeof where, "line 1: expected \"assize-key-v1\"");
      else if (at < VALID_BYTES - 1)
        snprintf(where, sizeof where, "line 2, column %zu: expected a lower-case hex digit", at - 13);
      else
        snprintf(where, sizeof where, "expected a newline after 64 hex digits");
      expect_refusal(key_path, ASZ_EFORMAT, where);
    }
  }
}

Test(identity, the_line_never_shows_a_byte_of_the_key)
{
  struct asz_diag diag;
  struct asz_identity id;
  char text[VALID_BYTES];
  memcpy(text, valid, VALID_BYTES);
  text[VALID_BYTES - 2] = 'Z';
  write_file(key_path, text, VALID_BYTES, 0600);
  cr_assert_eq(asz_identity_load(key_path, &id, &diag), ASZ_EFORMAT);
  cr_assert_null(strstr(diag.text, "9d61"), "\"%s\"", diag.text);
}

Test(identity, create_never_overwrites)
{
  struct asz_identity first, second, loaded;
  struct asz_diag diag;
  cr_assert_eq(asz_identity_create(key_path, &first, NULL), ASZ_OK);
  memset(&second, 0x5a, sizeof second);
  cr_assert_eq(asz_identity_create(key_path, &second, &diag), ASZ_EEXIST);
  cr_assert_not_null(strstr(diag.text, "never overwritten"), "\"%s\"", diag.text);
  cr_assert_eq(second.public_key[0], 0x5a, "outputs stay untouched on failure");
  cr_assert_eq(asz_identity_load(key_path, &loaded, NULL), ASZ_OK);
  cr_assert_arr_eq(loaded.secret_key, first.secret_key, 64);
}

Test(identity, create_refuses_a_dangling_link)
{
  char other[256];
  struct asz_identity id;
  snprintf(other, sizeof other, "%s/other", directory);
  cr_assert_eq(symlink(other, key_path), 0);
  cr_assert_eq(asz_identity_create(key_path, &id, NULL), ASZ_EEXIST);
  cr_assert_neq(access(other, F_OK), 0, "nothing was made behind the link");
}

Test(identity, create_names_a_missing_directory)
{
  char path[512];
  struct asz_identity id;
  struct asz_diag diag;
  snprintf(path, sizeof path, "%s/absent/key", directory);
  cr_assert_eq(asz_identity_create(path, &id, &diag), ASZ_ENOENT);
  cr_assert_eq(strncmp(diag.text, path, strlen(path)), 0, "\"%s\"", diag.text);
}

Test(identity, a_failed_write_leaves_no_half_key)
{
  struct asz_identity id;
  struct asz_diag diag;
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit, tight;
  cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
  tight = limit;
  tight.rlim_cur = 10;
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
  int result = asz_identity_create(key_path, &id, &diag);
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  cr_assert_eq(result, ASZ_EIO);
  cr_assert_not_null(strstr(diag.text, "cannot write"), "\"%s\"", diag.text);
  cr_assert_neq(access(key_path, F_OK), 0, "the half-written file is gone");
}

Test(identity, a_created_key_has_mode_0600_under_any_umask_and_loads)
{
  static const mode_t masks[] = {0, 022, 077, 0777};
  for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
    struct asz_identity made, loaded;
    struct stat st;
    mode_t before = umask(masks[i]);
    cr_assert_eq(asz_identity_create(key_path, &made, NULL), ASZ_OK);
    umask(before);
    cr_assert_eq(stat(key_path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0600);
    cr_assert_eq(st.st_size, VALID_BYTES);
    cr_assert_eq(asz_identity_load(key_path, &loaded, NULL), ASZ_OK);
    cr_assert_arr_eq(loaded.public_key, made.public_key, 32);
    cr_assert_arr_eq(loaded.secret_key, made.secret_key, 64);
    unlink(key_path);
  }
}

Test(identity, a_path_without_a_directory_is_in_the_current_one)
{
  struct asz_identity id;
  cr_assert_eq(chdir(directory), 0);
  cr_assert_eq(asz_identity_create("key", &id, NULL), ASZ_OK);
  cr_assert_eq(access(key_path, F_OK), 0);
}

Test(identity, two_created_keys_differ)
{
  struct asz_identity first, second;
  cr_assert_eq(asz_identity_create(key_path, &first, NULL), ASZ_OK);
  unlink(key_path);
  cr_assert_eq(asz_identity_create(key_path, &second, NULL), ASZ_OK);
  cr_assert_neq(memcmp(first.public_key, second.public_key, 32), 0);
}

Test(identity, loads_the_first_key_of_rfc_8032)
{
  struct asz_identity id;
  uint8_t expected[32];
  write_file(key_path, valid, VALID_BYTES, 0600);
  cr_assert_eq(asz_identity_load(key_path, &id, NULL), ASZ_OK);
  cr_assert_eq(asz_hex_decode(expected, 32, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), ASZ_OK);
  cr_assert_arr_eq(id.public_key, expected, 32);
  uint8_t short_id[8];
  asz_identity_short(short_id, id.public_key); /* hashlib.blake2b(b"assize/1/id" + pk, digest_size=32)[:8] */
  cr_assert_eq(asz_hex_decode(expected, 8, "5a01a42d8f0b1c8c"), ASZ_OK);
  cr_assert_arr_eq(short_id, expected, 8);
}

Test(identity, wipe_leaves_nothing)
{
  struct asz_identity id;
  static const uint8_t seed[32] = {1}, zero[sizeof id];
  asz_identity_from_seed(&id, seed);
  asz_identity_wipe(&id);
  cr_assert_eq(memcmp(&id, zero, sizeof id), 0);
}

Test(hex, only_the_exact_number_of_digits_is_read)
{
  static const char *const bad[] = {"",     "0",    "01",   "010",  "01020", "010203", "01 2",
                                    "01:2", "0x01", "0g02", " 102", "010 ",  "010\n",  "01-2"};
  uint8_t bytes[2] = {0x5a, 0x5a};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    cr_assert_eq(asz_hex_decode(bytes, 2, bad[i]), ASZ_EFORMAT, "\"%s\"", bad[i]);
  cr_assert(bytes[0] == 0x5a && bytes[1] == 0x5a, "outputs stay untouched on failure");
  cr_assert_eq(asz_hex_decode(bytes, 0, ""), ASZ_OK);
}

Test(hex, either_case_in_and_lower_case_out)
{
  uint8_t bytes[4];
  char text[9];
  cr_assert_eq(asz_hex_decode(bytes, 4, "00fFaB9c"), ASZ_OK);
  asz_hex_encode(text, bytes, 4);
  cr_assert_str_eq(text, "00ffab9c");
}
