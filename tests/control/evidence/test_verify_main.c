/* SPDX-License-Identifier: Apache-2.0 */
/* assize-verify as a program: exit codes, the failing check's name, hostile files. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "control/tlog/proof.h"
#include "tests/control/evidence/forge.h"
#include "tests/control/tlog/scratch.h"

static struct forge f;
static char dir[SCRATCH_PATH], file[2 * SCRATCH_PATH], program[SCRATCH_PATH], key[65];

static void setup(void) {
  const char *build = getenv("ASSIZE_BUILD");
  if (!build)
    cr_skip_test("ASSIZE_BUILD is not set: run by `meson test`, or set it to the build directory");
  snprintf(program, sizeof program, "%s/control/evidence/assize-verify", build);
  cr_assert_eq(access(program, X_OK), 0, "%s is not there", program);
  forge_wrong(&f);
  scratch_make(dir);
  scratch_write(dir, "evidence", f.file, f.file_bytes);
  scratch_path(file, dir, "evidence");
  asz_hex_encode(key, f.validator.public_key, 32);
}

static void teardown(void) {
  forge_free(&f);
  scratch_remove(dir);
}
TestSuite(verify_main, .init = setup, .fini = teardown);

/* Runs the program with a shell's help (arguments here are our own); stdout and stderr together in ret_output. */
static int run(char ret_output[8192], const char *format, ...) __attribute__((format(printf, 2, 3)));
static int run(char ret_output[8192], const char *format, ...) {
  char arguments[4096], command[8192];
  va_list list;
  va_start(list, format);
  vsnprintf(arguments, sizeof arguments, format, list);
  va_end(list);
  snprintf(command, sizeof command, "'%s' %s 2>&1", program, arguments);
  FILE *pipe = popen(command, "r");
  cr_assert_not_null(pipe);
  size_t size = fread(ret_output, 1, 8191, pipe);
  ret_output[size] = 0;
  int status = pclose(pipe);
  cr_assert(WIFEXITED(status), "%s: ended by a signal", command);
  return WEXITSTATUS(status);
}

Test(verify_main, bad_arguments_and_missing_files_give_2_and_one_line)
{
  char out[8192];
  cr_assert_eq(run(out, "%s", ""), 2);
  cr_assert_not_null(strstr(out, "usage:"));
  static const char *const bad[] = {"frobnicate",
                                    "evidence",
                                    "log",
                                    "evidence /nowhere/at-all",
                                    "log /nowhere/at-all",
                                    "evidence / --json --validator",
                                    "evidence x --validator 12",
                                    "evidence x --key 12",
                                    "evidence x y",
                                    "log x --nonsense",
                                    "log x --key a+b+c",
                                    "log x --known /nowhere/at-all",
                                    "log x --policy f",
                                    "proof x",
                                    "proof x --policy /nowhere/at-all",
                                    "proof x --entry",
                                    "proof x --key 58e5d5b4f6a1b5a4dcc2b6c5b4f6a1b5a4dcc2b6c5b4f6a1b5a4dcc2b6c5b4f6"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_assert_eq(run(out, "%s", bad[i]), 2, "%s: %s", bad[i], out);
    cr_assert_neq(out[0], 0);
  }
  scratch_write(dir, "empty", "", 0);
  cr_assert_eq(run(out, "evidence '%s/empty'", dir), 2);
  cr_assert_not_null(strstr(out, "FAIL envelope"), "%s", out);
  cr_assert_eq(run(out, "evidence - < /dev/zero"), 2);
  cr_assert_not_null(strstr(out, "too large"), "%s", out);
  cr_assert_eq(run(out, "evidence '%s'", dir), 2);
}

Test(verify_main, changed_evidence_gives_1_and_names_the_check)
{
  char out[8192];
  uint8_t *reason = memmem(f.file, f.file_bytes, f.evidence.reason, strlen(f.evidence.reason));
  cr_assert_not_null(reason);
  reason[0] ^= 1;
  scratch_write(dir, "evidence", f.file, f.file_bytes);
  cr_assert_eq(run(out, "evidence '%s' --validator %s", file, key), 1, "%s", out);
  cr_assert_not_null(strstr(out, "FAIL accuser-signature"), "%s", out);
  cr_assert_not_null(strstr(out, "invalid: check accuser-signature failed"), "%s", out);
  cr_assert_eq(run(out, "evidence '%s' --json", file), 1);
  cr_assert_not_null(strstr(out, "\"outcome\":\"invalid\",\"failed\":\"accuser-signature\""), "%s", out);
}

Test(verify_main, valid_evidence_gives_0_by_key_by_verifier_key_and_from_standard_input)
{
  char out[8192], vkey[ASZ_VKEY_BYTES];
  cr_assert_eq(run(out, "evidence '%s'", file), 0, "%s", out);
  cr_assert_eq(run(out, "evidence '%s' --validator %s", file, key), 0, "%s", out);
  cr_assert_not_null(strstr(out, "valid: S1 against forged-one (device 1), stake 1.00 %"), "%s", out);
  asz_vkey_format(vkey, f.evidence.origin, f.validator.public_key);
  cr_assert_eq(run(out, "evidence - --validator '%s' < '%s'", vkey, file), 0, "%s", out);
  cr_assert_eq(run(out, "evidence '%s' --json", file), 0);
  cr_assert_not_null(strstr(out, "\"outcome\":\"valid\""), "%s", out);
  asz_vkey_format(vkey, "log.example/other", f.validator.public_key);
  cr_assert_eq(run(out, "evidence '%s' --validator '%s'", file, vkey), 1);
  cr_assert_not_null(strstr(out, "FAIL origin"), "%s", out);
  asz_hex_encode(key, f.stranger.public_key, 32);
  cr_assert_eq(run(out, "evidence '%s' --validator %s", file, key), 1);
  cr_assert_not_null(strstr(out, "FAIL accuser"), "%s", out);
}

Test(verify_main, logs_are_valid_only_with_the_right_key)
{
  char out[8192], vkey[ASZ_VKEY_BYTES], path[2 * SCRATCH_PATH];
  scratch_path(path, dir, "log");
  struct asz_tlog *log;
  uint64_t index;
  cr_assert_eq(asz_tlog_create(path, f.evidence.origin, &f.validator, NULL), 0);
  cr_assert_eq(asz_tlog_open(&log, path, &f.validator, NULL), 0);
  for (int i = 0; i < 300; i++)
    cr_assert_eq(asz_tlog_append(log, &i, sizeof i, &index), 0);
  cr_assert_eq(asz_tlog_publish(log, NULL), 0);
  asz_tlog_close(log);
  cr_assert_eq(run(out, "log '%s' --key %s", path, key), 0, "%s", out);
  cr_assert_not_null(strstr(out, "valid: log.example/forge, 300 entries"), "%s", out);
  asz_vkey_format(vkey, f.evidence.origin, f.validator.public_key);
  cr_assert_eq(run(out, "log '%s' --json --key '%s'", path, vkey), 0, "%s", out);
  cr_assert_not_null(strstr(out, "\"outcome\":\"valid\""), "%s", out);
  cr_assert_eq(run(out, "log '%s'", path), 2, "%s", out);
  cr_assert_not_null(strstr(out, "--key"), "%s", out);
  asz_hex_encode(key, f.stranger.public_key, 32);
  cr_assert_eq(run(out, "log '%s' --key %s", path, key), 1, "%s", out);
  asz_hex_encode(key, f.validator.public_key, 32);
  scratch_write(path, "tile/0/000", "torn", 4);
  cr_assert_eq(run(out, "log '%s' --key %s", path, key), 1, "%s", out);
  cr_assert_not_null(strstr(out, "tile/0/000"), "%s", out);
}

Test(verify_main, proofs_are_valid_only_for_their_entry_and_by_their_log)
{
  char out[8192], vkey[ASZ_VKEY_BYTES], path[2 * SCRATCH_PATH], *note, *text;
  static struct asz_proof proof;
  struct asz_tlog *log;
  uint64_t index;
  size_t size;
  scratch_path(path, dir, "log");
  cr_assert_eq(asz_tlog_create(path, f.evidence.origin, &f.validator, NULL), 0);
  cr_assert_eq(asz_tlog_open(&log, path, &f.validator, NULL), 0);
  for (char i = 'a'; i < 'k'; i++)
    cr_assert_eq(asz_tlog_append(log, &i, 1, &index), 0);
  cr_assert_eq(asz_tlog_publish(log, NULL), 0);
  asz_tlog_close(log);
  cr_assert_eq(asz_proof_make(&proof, &note, path, f.validator.public_key, 3, NULL), 0);
  proof.have_extra = false; /* as another program may write it */
  cr_assert_eq(asz_proof_format(&text, &size, &proof), 0);
  scratch_write(dir, "proof", text, size);
  scratch_write(dir, "entry", "d", 1);
  scratch_write(dir, "other", "e", 1);
  asz_vkey_format(vkey, f.evidence.origin, f.validator.public_key);
  cr_assert_eq(run(out, "proof '%s/proof' --key '%s' --entry '%s/entry'", dir, vkey, dir), 0, "%s", out);
  cr_assert_not_null(strstr(out, "valid: log.example/forge holds the entry as number 3 of 10, cosigned by 0"), "%s", out);
  cr_assert_eq(run(out, "proof '%s/proof' --key '%s' --entry '%s/other'", dir, vkey, dir), 1, "%s", out);
  cr_assert_eq(run(out, "proof '%s/proof' --key '%s'", dir, vkey), 2, "%s", out);
  cr_assert_not_null(strstr(out, "give --entry"), "%s", out);
  char policy[2 * ASZ_VKEY_BYTES];
  int policy_bytes = snprintf(policy, sizeof policy, "log %s\nquorum none\n", vkey);
  scratch_write(dir, "policy", policy, (size_t)policy_bytes);
  cr_assert_eq(run(out, "proof '%s/proof' --json --policy '%s/policy' --entry '%s/entry'", dir, dir, dir), 0, "%s", out);
  cr_assert_not_null(strstr(out, "\"outcome\":\"valid\""), "%s", out);
  asz_vkey_format(vkey, f.evidence.origin, f.stranger.public_key);
  cr_assert_eq(run(out, "proof '%s/proof' --key '%s' --entry '%s/entry'", dir, vkey, dir), 1, "%s", out);
  scratch_write(dir, "proof", text, size - 1);
  cr_assert_eq(run(out, "proof '%s/proof' --key '%s' --entry '%s/entry'", dir, vkey, dir), 1, "%s", out);
  /* a log that does not extend what was known of it */
  uint8_t *known = scratch_read(path, "checkpoint", &size);
  scratch_write(dir, "known", known, size);
  free(known);
  asz_hex_encode(key, f.validator.public_key, 32);
  cr_assert_eq(run(out, "log '%s' --key %s --known '%s/known'", path, key, dir), 0, "%s", out);
  struct asz_checkpoint longer = {.tree_size = 11};
  strcpy(longer.origin, f.evidence.origin);
  char longer_note[ASZ_TLOG_CHECKPOINT_MAX];
  int longer_bytes = asz_checkpoint_sign(longer_note, sizeof longer_note, &longer, &f.validator);
  scratch_write(dir, "known", longer_note, (size_t)longer_bytes);
  cr_assert_eq(run(out, "log '%s' --key %s --known '%s/known'", path, key, dir), 1, "%s", out);
  cr_assert_not_null(strstr(out, "fewer"), "%s", out);
  cr_assert_eq(run(out, "log '%s' --known '%s/known'", path, dir), 2, "%s", out);
  free(note);
  free(text);
}

Test(verify_main, help_and_version_give_0)
{
  char out[8192];
  cr_assert_eq(run(out, "help"), 0);
  cr_assert_eq(run(out, "--version"), 0);
  cr_assert_eq(strncmp(out, "assize-verify ", 14), 0);
}
