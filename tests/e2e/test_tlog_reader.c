/* SPDX-License-Identifier: Apache-2.0 */
/* A log written by our code, read by a reader that shares none of it (tlog_reader.py, Python's standard library alone). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "control/tlog/proof.h"
#include "tests/control/tlog/cosigned.h"
#include "tests/control/tlog/scratch.h"

#define ORIGIN "log.example/reader"

static struct asz_identity key;
static char dir[SCRATCH_PATH], reader[SCRATCH_PATH], vkey[ASZ_VKEY_BYTES];

static void setup(void) {
  const char *source = getenv("ASSIZE_SOURCE");
  if (!source)
    cr_skip_test("ASSIZE_SOURCE is not set: run by `meson test`, or set it to the source directory");
  if (system("python3 -c '' >/dev/null 2>&1") != 0)
    cr_skip_test("no python3 on PATH: the independent reader cannot run");
  static const uint8_t seed[32] = {77};
  asz_identity_from_seed(&key, seed);
  asz_vkey_format(vkey, ORIGIN, key.public_key);
  cr_assert_lt(snprintf(reader, sizeof reader, "%s/tests/e2e/tlog_reader.py", source), SCRATCH_PATH);
  scratch_make(dir);
  cr_assert_eq(asz_tlog_create(dir, ORIGIN, &key, NULL), 0);
}

static void teardown(void) {
  scratch_remove(dir);
}
TestSuite(tlog_reader, .init = setup, .fini = teardown);

static void grow_to(uint64_t size) {
  struct asz_tlog *log;
  cr_assert_eq(asz_tlog_open(&log, dir, &key, NULL), 0);
  for (uint64_t i = asz_tlog_size(log), index; i < size; i++) {
    char entry[64] = {0};
    int entry_bytes = snprintf(entry, sizeof entry, "entry %lu of length %lu", i, i % 17);
    cr_assert_eq(asz_tlog_append(log, entry, (size_t)entry_bytes + i % 17, &index), 0);
  }
  cr_assert_eq(asz_tlog_publish(log, NULL), 0);
  asz_tlog_close(log);
}

/* Exit code of the reader; its line in ret_line. */
static int run_reader(char ret_line[512], const char *arguments) {
  char command[8 * SCRATCH_PATH];
  snprintf(command, sizeof command, "python3 '%s' %s", reader, arguments);
  FILE *pipe = popen(command, "r");
  cr_assert_not_null(pipe);
  ret_line[0] = 0;
  (void)!fgets(ret_line, 512, pipe);
  int status = pclose(pipe);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int read_log(char ret_line[512], const char *verifier_key) {
  char arguments[2 * SCRATCH_PATH + ASZ_VKEY_BYTES];
  snprintf(arguments, sizeof arguments, "'%s' '%s'", dir, verifier_key);
  return run_reader(ret_line, arguments);
}

static int read_proof(char ret_line[512], const char *text, size_t size) {
  char arguments[4 * SCRATCH_PATH];
  scratch_write(dir, "proof", text, size);
  snprintf(arguments, sizeof arguments, "--proof '%s/proof' '%s/policy'", dir, dir);
  return run_reader(ret_line, arguments);
}

Test(tlog_reader, the_reader_and_our_verifier_agree_on_proofs_with_witnesses_and_on_what_is_wrong_with_them)
{
  char line[512], witness[2][ASZ_VKEY_BYTES], text[4 * ASZ_VKEY_BYTES];
  static char note[ASZ_NOTE_MAX_BYTES];
  static struct asz_proof proof, parsed;
  struct asz_policy *policy;
  struct asz_checkpoint head;
  unsigned cosigned;
  grow_to(300);
  cosigned_vkey(witness[0], 0);
  cosigned_vkey(witness[1], 1);
  int policy_bytes = snprintf(text, sizeof text, "log %s\nwitness a %s\nwitness b %s\ngroup g all a b\nquorum g\n", vkey,
                              witness[0], witness[1]);
  scratch_write(dir, "policy", text, (size_t)policy_bytes);
  cr_assert_eq(asz_policy_parse(&policy, text, (size_t)policy_bytes, NULL), 0);
  for (unsigned witnesses = 0; witnesses <= 2; witnesses++) { /* both are needed */
    char *published, *made;
    size_t size;
    cr_assert_eq(asz_proof_make(&proof, &published, dir, key.public_key, 258, NULL), 0);
    snprintf(note, sizeof note, "%s", published);
    for (unsigned n = 0; n < witnesses; n++)
      cosigned_add(note, sizeof note, n, 1700000000 + n);
    proof.note = note;
    proof.note_bytes = strlen(note);
    cr_assert_eq(asz_proof_format(&made, &size, &proof), 0);
    for (int damage = 0; damage < 4; damage++) { /* none; the entry; the path; the last signature */
      char *at[] = {NULL, strstr(made, "extra ") + 8, strstr(made, "index ") + 14, made + size - 20};
      if (damage)
        *at[damage] = *at[damage] == 'A' ? 'B' : 'A';
      cr_assert_eq(asz_proof_parse(&parsed, made, size, NULL), 0);
      int err = asz_proof_check(&parsed, policy, parsed.extra, parsed.extra_bytes, &head, &cosigned, NULL);
      cr_assert_eq(err, witnesses == 2 && damage == 0 ? 0 : ASZ_EAUTH, "%u witnesses, damage %d", witnesses, damage);
      if (witnesses == 2 || damage == 0) /* the rest differs by nothing that the reader has not seen */
        cr_assert_eq(read_proof(line, made, size), err ? 1 : 0, "%u witnesses, damage %d: %s", witnesses, damage, line);
      if (damage)
        *at[damage] = *at[damage] == 'A' ? 'B' : 'A';
      if (!err)
        cr_assert_str_eq(line, "ok: " ORIGIN ": entry 258 of 300, cosigned by 2 witnesses\n");
    }
    free(made);
    free(published);
  }
  free(policy);
}

Test(tlog_reader, the_reader_refuses_a_damaged_log_and_a_foreign_key)
{
  char line[512], other[ASZ_VKEY_BYTES];
  grow_to(300);
  cr_assert_eq(read_log(line, vkey), 0, "%s", line);
  static const uint8_t seed[32] = {78};
  struct asz_identity stranger;
  asz_identity_from_seed(&stranger, seed);
  asz_vkey_format(other, ORIGIN, stranger.public_key);
  cr_assert_eq(read_log(line, other), 1, "%s", line);
  static const char *const damaged[] = {"checkpoint",     "tile/0/000",       "tile/0/001.p/44",
                                        "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"};
  for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
    size_t size;
    uint8_t *data = scratch_read(dir, damaged[i], &size);
    data[size / 2] ^= 1;
    scratch_write(dir, damaged[i], data, size);
    cr_assert_eq(read_log(line, vkey), 1, "%s: %s", damaged[i], line);
    data[size / 2] ^= 1;
    scratch_write(dir, damaged[i], data, size);
    free(data);
  }
  cr_assert_eq(read_log(line, vkey), 0, "%s", line);
}

Test(tlog_reader, the_reader_agrees_at_every_shape_of_tree_and_verifies_the_signature, .timeout = 120)
{
  /* empty; within a tile; a full tile alone; and the specification's example of 70,000 entries on three levels */
  static const uint64_t sizes[] = {0, 1, 255, 256, 257, 70000};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    char line[512], expected[128];
    grow_to(sizes[s]);
    cr_assert_eq(read_log(line, vkey), 0, "%s", line);
    snprintf(expected, sizeof expected, "ok: " ORIGIN ": %lu entries", sizes[s]);
    cr_assert_eq(strncmp(line, expected, strlen(expected)), 0, "%s", line);
    cr_assert_not_null(strstr(line, "signature verified"), "%s", line);
  }
}
