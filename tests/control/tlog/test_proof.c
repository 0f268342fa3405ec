/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs as text: every byte that is changed, cut or moved, then proofs of all entries, with and without witnesses. */
#include "control/tlog/proof.h"
#include "tests/control/tlog/cosigned.h"
#include "tests/control/tlog/scratch.h"

#define ORIGIN "log.example/proof"
#define HEAD   "c2sp.org/tlog-proof@v1\n"
#define HASH   "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

static struct asz_identity key;
static struct asz_policy *policy;
static char dir[SCRATCH_PATH];
static struct asz_proof proof;

static void setup(void) {
  struct asz_note_key log;
  key = cosigned_identity(9);
  asz_note_key_make(&log, ORIGIN, ASZ_NOTE_ED25519, key.public_key);
  policy = asz_policy_of_log(&log);
  scratch_make(dir);
  cr_assert_eq(asz_tlog_create(dir, ORIGIN, &key, NULL), 0);
}

static void teardown(void) {
  free(policy);
  scratch_remove(dir);
}
TestSuite(proof, .init = setup, .fini = teardown);

static void grow(uint64_t count) {
  struct asz_tlog *log;
  cr_assert_eq(asz_tlog_open(&log, dir, &key, NULL), 0);
  for (uint64_t i = 0, index; i < count; i++)
    cr_assert_eq(asz_tlog_append(log, &i, sizeof i, &index), 0);
  cr_assert_eq(asz_tlog_publish(log, NULL), 0);
  asz_tlog_close(log);
}

/* The text of a proof of one entry; heap. */
static char *text_of(uint64_t index, size_t *ret_size) {
  char *note, *text;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_proof_make(&proof, &note, dir, key.public_key, index, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_proof_format(&text, ret_size, &proof), 0);
  free(note);
  return text;
}

/* Parses from a buffer of its own, so that a sanitizer sees a step past its end, and checks with the proof's own entry. */
static int check(const char *text, size_t size) {
  struct asz_checkpoint head;
  unsigned cosigned;
  char *copy = malloc(size + 1);
  cr_assert_not_null(copy);
  memcpy(copy, text, size);
  int err = asz_proof_parse(&proof, copy, size, NULL);
  if (!err)
    err = asz_proof_check(&proof, policy, proof.extra, proof.extra_bytes, &head, &cosigned, NULL);
  free(copy);
  return err;
}

Test(proof, malformed_proofs_are_refused)
{
  static const char *const bad[] = {"",
                                    "\n",
                                    "c2sp.org/tlog-proof@v1",
                                    "c2sp.org/tlog-proof@v2\nindex 0\n\n",
                                    HEAD,
                                    HEAD "index 0\n",
                                    HEAD "index 0\n" HASH,
                                    HEAD "index\n\n",
                                    HEAD "index \n\n",
                                    HEAD "index 00\n\n",
                                    HEAD "index -1\n\n",
                                    HEAD "index 1 \n\n",
                                    HEAD "index 9223372036854775808\n\n",
                                    HEAD "index  1\n\n",
                                    HEAD "extra A\nindex 0\n\n",
                                    HEAD "extra AAAB\nextra AAAB\nindex 0\n\n",
                                    HEAD "index 0\nextra AAAB\n\n",
                                    HEAD "index 0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n\n",
                                    HEAD "index 0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n\n",
                                    HEAD "index 0\nAAAA\n\n",
                                    HEAD "index 0\r\n\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    cr_assert_eq(asz_proof_parse(&proof, bad[i], strlen(bad[i]), NULL), ASZ_EFORMAT, "proof %zu", i);
  char many[sizeof HEAD "index 0\n\n" + 65 * (sizeof HASH - 1)] = HEAD "index 0\n";
  for (int i = 0; i < 64; i++)
    strcat(many, HASH);
  size_t at = strlen(many);
  strcat(many, "\n");
  cr_assert_eq(asz_proof_parse(&proof, many, strlen(many), NULL), 0);
  cr_assert_eq(proof.path_count, 64);
  strcpy(many + at, HASH "\n");
  cr_assert_eq(asz_proof_parse(&proof, many, strlen(many), NULL), ASZ_EFORMAT);
}

Test(proof, every_bit_flipped_and_every_byte_cut_off_makes_it_invalid)
{
  size_t size;
  grow(300);
  char *text = text_of(259, &size);
  cr_assert_eq(check(text, size), 0);
  for (size_t bit = 0; bit < size * 8; bit += 1 + bit % 3) {
    text[bit / 8] ^= (char)(1 << bit % 8);
    cr_assert_lt(check(text, size), 0, "bit %zu of \"%s\"", bit, text);
    text[bit / 8] ^= (char)(1 << bit % 8);
  }
  for (size_t cut = 0; cut < size; cut++)
    cr_assert_lt(check(text, cut), 0, "cut at %zu", cut);
  free(text);
}

Test(proof, another_entry_another_index_and_another_log_are_refused)
{
  size_t size;
  struct asz_checkpoint head;
  unsigned cosigned;
  grow(300);
  char *text = text_of(7, &size);
  uint64_t seven = 7, eight = 8;
  cr_assert_eq(asz_proof_parse(&proof, text, size, NULL), 0);
  cr_assert_eq(asz_proof_check(&proof, policy, (uint8_t *)&seven, sizeof seven, &head, &cosigned, NULL), 0);
  cr_assert_eq(asz_proof_check(&proof, policy, (uint8_t *)&eight, sizeof eight, &head, &cosigned, NULL), ASZ_EAUTH);
  proof.index = 8;
  cr_assert_eq(asz_proof_check(&proof, policy, (uint8_t *)&seven, sizeof seven, &head, &cosigned, NULL), ASZ_EAUTH);
  proof.index = 7;
  policy->log[0].name[0] ^= 1;
  cr_assert_eq(asz_proof_check(&proof, policy, (uint8_t *)&seven, sizeof seven, &head, &cosigned, NULL), ASZ_EAUTH);
  free(text);
}

Test(proof, entries_that_are_not_published_cannot_be_proved)
{
  char *note;
  grow(3);
  cr_assert_eq(asz_proof_make(&proof, &note, dir, key.public_key, 3, NULL), ASZ_ENOENT);
}

Test(proof, all_entries_of_a_log_are_proved_and_the_text_survives_the_way_there_and_back)
{
  grow(300);
  for (uint64_t index = 0; index < 300; index += 13) {
    size_t size, again_size;
    char *again, *text = text_of(index, &size);
    cr_assert_eq(check(text, size), 0, "entry %lu", index);
    cr_assert_eq(asz_proof_parse(&proof, text, size, NULL), 0);
    cr_assert_eq(proof.index, index);
    cr_assert_eq(asz_proof_format(&again, &again_size, &proof), 0);
    cr_assert_eq(again_size, size);
    cr_assert_arr_eq(again, text, size);
    free(again);
    free(text);
  }
}

Test(proof, the_largest_entry_travels_in_its_proof)
{
  static uint8_t entry[ASZ_TLOG_ENTRY_MAX];
  struct asz_tlog *log;
  uint64_t index;
  size_t size;
  memset(entry, 0xa5, sizeof entry);
  cr_assert_eq(asz_tlog_open(&log, dir, &key, NULL), 0);
  cr_assert_eq(asz_tlog_append(log, entry, sizeof entry, &index), 0);
  cr_assert_eq(asz_tlog_publish(log, NULL), 0);
  asz_tlog_close(log);
  char *text = text_of(0, &size);
  cr_assert_eq(check(text, size), 0);
  cr_assert_eq(proof.extra_bytes, sizeof entry);
  cr_assert_arr_eq(proof.extra, entry, sizeof entry);
  free(text);
}
