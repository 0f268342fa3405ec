/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes, checkpoints and verifier keys: hostile ones first, then real ones: checkpoints that Go's checksum database signed
 * (one of them is the example in C2SP's tlog-checkpoint, under the name that it was signed with) and the note of Go's
 * documentation.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "control/tlog/note.h"

#define DASH         "\xe2\x80\x94 "
#define SUMDB_KEY    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
#define NEUMANN_KEY  "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define NEUMANN_TEXT "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
#define NEUMANN_LINE                                                                                                             \
  DASH "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static struct asz_identity test_key(uint8_t first) {
  uint8_t seed[32] = {first};
  struct asz_identity key;
  asz_identity_from_seed(&key, seed);
  return key;
}

static int signed_note(char *ret_note, const char *origin, uint64_t size, const struct asz_identity *key) {
  struct asz_checkpoint checkpoint = {.tree_size = size};
  snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", origin);
  memset(checkpoint.root, 7, 32);
  return asz_checkpoint_sign(ret_note, ASZ_TLOG_CHECKPOINT_MAX, &checkpoint, key);
}

static int check(const char *note, const char *vkey) {
  char name[ASZ_TLOG_ORIGIN_MAX + 1];
  uint8_t public_key[32];
  struct asz_note split;
  cr_assert_eq(asz_vkey_parse(name, public_key, vkey), 0);
  return asz_note_check(&split, note, strlen(note), name, public_key, NULL);
}

Test(note, malformed_notes_are_refused)
{
  static const char *const bad[] = {
      "",
      "\n",
      "\n\n",
      "text\n",
      "text\n\n",
      "text\n\nno signature\n",
      "text\n" NEUMANN_LINE,
      "text\n\n" DASH "PeterNeumann\n",
      "text\n\n" DASH "PeterNeumann \n",
      "text\n\n" DASH "PeterNeumann AAAAAA==\n",       /* a key ID and nothing behind it */
      "text\n\n" DASH "PeterNeumann AAAAAAA\n",        /* no padding */
      "text\n\n" DASH "PeterNeumann AAAAAAB=\n",       /* unused bits set */
      "text\n\n" DASH "PeterNeumann AAAA AAA=\n",      /* space within */
      "text\n\n" DASH "PeterNeumann  AAAAAAA=\n",      /* two spaces */
      "text\n\n" DASH "Peter+Neumann AAAAAAA=\n",      /* plus in the name */
      "text\n\n" DASH "Peter\xc2\xa0N AAAAAAA=\n",     /* no-break space in the name */
      "text\n\n" DASH "Peter\xe3\x80\x80N AAAAAAA=\n", /* ideographic space */
      "text\n\n- PeterNeumann AAAAAAA=\n",
      "text\n\n" DASH "PeterNeumann AAAAAAA=", /* last newline missing */
      "te\txt\n\n" DASH "PeterNeumann AAAAAAA=\n",
      "te\x7fxt\n\n" DASH "PeterNeumann AAAAAAA=\n",
      "te\xffxt\n\n" DASH "PeterNeumann AAAAAAA=\n",
      "te\xc0\xafxt\n\n" DASH "PeterNeumann AAAAAAA=\n",     /* overlong */
      "te\xed\xa0\x80xt\n\n" DASH "PeterNeumann AAAAAAA=\n", /* surrogate */
      "te\xf4\x90\x80\x80\n\n" DASH "PeterNeumann AAAAAAA=\n",
      "text\xe2\x80",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct asz_note split;
    cr_assert_eq(asz_note_split(&split, bad[i], strlen(bad[i]), NULL), ASZ_EFORMAT, "note %zu: %s", i, bad[i]);
  }
  struct asz_note split;
  cr_assert_eq(asz_note_split(&split, "te\0xt\n\n" DASH "P AAAAAAA=\n", sizeof "te\0xt\n\n" DASH "P AAAAAAA=\n" - 1, NULL),
               ASZ_EFORMAT);
}

Test(note, a_note_with_65_signatures_or_129_KiB_is_refused)
{
  static char note[ASZ_NOTE_MAX_BYTES + 2];
  struct asz_note split;
  size_t at = (size_t)sprintf(note, "text\n\n");
  for (int i = 0; i < 64; i++)
    at += (size_t)sprintf(note + at, DASH "witness AAAAAAA=\n");
  cr_assert_eq(asz_note_split(&split, note, at, NULL), 0);
  cr_assert_eq(split.signatures, 64);
  at += (size_t)sprintf(note + at, DASH "witness AAAAAAA=\n");
  cr_assert_eq(asz_note_split(&split, note, at, NULL), ASZ_EFORMAT);
  memset(note, 'a', sizeof note);
  cr_assert_eq(asz_note_split(&split, note, sizeof note, NULL), ASZ_EFORMAT);
}

Test(note, signatures_of_other_keys_are_ignored_but_one_of_ours_that_fails_refuses_the_note)
{
  cr_assert_eq(check(NEUMANN_TEXT "\n" NEUMANN_LINE, SUMDB_KEY), ASZ_EAUTH);
  cr_assert_eq(check(NEUMANN_TEXT "\n" DASH "Witness AAAAAAA=\n" NEUMANN_LINE, NEUMANN_KEY), 0);
  cr_assert_eq(check("other text\n\n" NEUMANN_LINE, NEUMANN_KEY), ASZ_EAUTH);
  /* a second line with our name and key ID, but a signature of zeros or of another length */
  cr_assert_eq(check(NEUMANN_TEXT "\n" NEUMANN_LINE DASH "PeterNeumann x08gowAAAAA=\n", NEUMANN_KEY), ASZ_EAUTH);
  cr_assert_eq(check(NEUMANN_TEXT
                     "\n" NEUMANN_LINE DASH
                     "PeterNeumann x08gowAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                     "AAA=\n",
                     NEUMANN_KEY),
               ASZ_EAUTH);
}

Test(note, every_flipped_bit_of_a_checkpoint_with_one_signature_is_noticed)
{
  struct asz_identity key = test_key(1);
  char note[ASZ_TLOG_CHECKPOINT_MAX];
  int size = signed_note(note, "log.example/a", 4711, &key);
  cr_assert_gt(size, 0);
  struct asz_checkpoint checkpoint;
  cr_assert_eq(asz_checkpoint_open(&checkpoint, note, (size_t)size, key.public_key, NULL), 0);
  for (int bit = 0; bit < size * 8; bit++) {
    note[bit / 8] ^= (char)(1 << bit % 8);
    cr_assert_lt(asz_checkpoint_open(&checkpoint, note, (size_t)size, key.public_key, NULL), 0, "bit %d", bit);
    note[bit / 8] ^= (char)(1 << bit % 8);
  }
  for (int cut = 0; cut < size; cut++)
    cr_assert_lt(asz_checkpoint_open(&checkpoint, note, (size_t)cut, key.public_key, NULL), 0, "cut at %d", cut);
}

/* libsodium's decoder takes bytes above 0x7f for '/': two of them, as one character of UTF-8, must not pass for "//". */
Test(note, a_signature_with_another_spelling_is_refused)
{
  char note[ASZ_TLOG_CHECKPOINT_MAX];
  char *slashes = NULL;
  struct asz_identity key = test_key(1);
  int size = 0;
  for (uint64_t tree_size = 0; !slashes && tree_size < 10000; tree_size++) {
    size = signed_note(note, "log.example/a", tree_size, &key);
    slashes = strstr(strstr(note, "\n\n"), "//");
  }
  cr_assert_not_null(slashes);
  struct asz_checkpoint checkpoint;
  cr_assert_eq(asz_checkpoint_open(&checkpoint, note, (size_t)size, key.public_key, NULL), 0);
  memcpy(slashes, "\xc3\xa9", 2);
  cr_assert_eq(asz_checkpoint_open(&checkpoint, note, (size_t)size, key.public_key, NULL), ASZ_EFORMAT);
}

Test(note, checkpoints_with_a_malformed_text_are_refused_and_say_which_line)
{
  static const struct {
    const char *text, *line;
  } bad[] = {
      {"", "line 1"},
      {"\n5\n" ROOT "\n", "line 1"},
      {"o\n", "line 2"},
      {"o\n\n" ROOT "\n", "line 2"},
      {"o\n05\n" ROOT "\n", "line 2"},
      {"o\n-5\n" ROOT "\n", "line 2"},
      {"o\n+5\n" ROOT "\n", "line 2"},
      {"o\n 5\n" ROOT "\n", "line 2"},
      {"o\n5 \n" ROOT "\n", "line 2"},
      {"o\n0x5\n" ROOT "\n", "line 2"},
      {"o\n9223372036854775808\n" ROOT "\n", "line 2"},
      {"o\n18446744073709551621\n" ROOT "\n", "line 2"},
      {"o\n5\n", "line 3"},
      {"o\n5\n" ROOT, "line 3"},
      {"o\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n", "line 3"},
      {"o\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n", "line 3"},
      {"o\n5\n47DEQpj8HBSa-_TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", "line 3"},
      {"o\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUAAAA=\n", "line 3"},
      {"o\n5\n47DEQpj8HBSa+\xc3\xa9ImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", "line 3"},
      {"o\n5\n" ROOT "\n\n", "extension"},
      {"o\n5\n" ROOT "\next", "extension"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct asz_checkpoint checkpoint;
    struct asz_diag diag;
    cr_assert_eq(asz_checkpoint_parse(&checkpoint, bad[i].text, strlen(bad[i].text), &diag), ASZ_EFORMAT, "text %zu", i);
    cr_assert_not_null(strstr(diag.text, bad[i].line), "text %zu: %s", i, diag.text);
  }
  struct asz_checkpoint checkpoint;
  const char *good = "o\n9223372036854775807\n" ROOT "\nextension\n";
  cr_assert_eq(asz_checkpoint_parse(&checkpoint, good, strlen(good), NULL), 0);
  cr_assert_eq(checkpoint.tree_size, (uint64_t)INT64_MAX);
}

Test(note, a_checkpoint_signed_by_another_key_or_under_another_name_is_refused)
{
  struct asz_identity key = test_key(1), other = test_key(2);
  char note[ASZ_TLOG_CHECKPOINT_MAX], foreign[ASZ_TLOG_CHECKPOINT_MAX], mixed[2 * ASZ_TLOG_CHECKPOINT_MAX];
  struct asz_checkpoint checkpoint;
  int size = signed_note(note, "log.example/a", 4711, &key);
  cr_assert_eq(asz_checkpoint_open(&checkpoint, note, (size_t)size, other.public_key, NULL), ASZ_EAUTH);
  cr_assert_gt(signed_note(foreign, "log.example/b", 4711, &key), 0);
  snprintf(mixed, sizeof mixed, "%.*s%s", (int)(strstr(note, "\n\n") - note + 2), note, strstr(foreign, "\n\n") + 2);
  cr_assert_eq(asz_checkpoint_open(&checkpoint, mixed, strlen(mixed), key.public_key, NULL), ASZ_EAUTH);
}

/* A checkpoint of log.example/a with a cosignature of witness.example/w. */
struct cosigned {
  struct asz_note_key key[2]; /* the log's and the witness's */
  char note[ASZ_TLOG_CHECKPOINT_MAX], line[ASZ_COSIGNATURE_LINE_MAX];
  size_t text_bytes;
};

static void cosign(struct cosigned *ret, uint64_t time_s) {
  struct asz_identity log = test_key(1), witness = test_key(2);
  signed_note(ret->note, "log.example/a", 4711, &log);
  ret->text_bytes = (size_t)(strstr(ret->note, "\n\n") + 1 - ret->note);
  asz_note_key_make(&ret->key[0], "log.example/a", ASZ_NOTE_ED25519, log.public_key);
  asz_note_key_make(&ret->key[1], "witness.example/w", ASZ_NOTE_COSIGNATURE, witness.public_key);
  cr_assert_eq(asz_cosignature_sign(ret->line, "witness.example/w", &witness, ret->note, ret->text_bytes, time_s), 0);
  size_t size = strlen(ret->note), line_bytes = strlen(ret->line);
  cr_assert_lt(size + line_bytes, sizeof ret->note);
  memcpy(ret->note + size, ret->line, line_bytes + 1);
}

Test(note, every_flipped_bit_of_a_cosigned_checkpoint_loses_a_signature)
{
  struct cosigned c;
  struct asz_note split;
  struct asz_note_seen seen[2];
  cosign(&c, 1679315147);
  size_t size = strlen(c.note);
  cr_assert_eq(asz_note_verify(&split, c.note, size, c.key, 2, seen, NULL), 0);
  cr_assert(seen[0].verified && seen[1].verified);
  cr_assert_eq(seen[0].time_s, 0);
  cr_assert_eq(seen[1].time_s, 1679315147);
  cr_assert_eq(seen[1].line_bytes, strlen(c.line));
  cr_assert_eq(memcmp(seen[1].line, c.line, seen[1].line_bytes), 0);
  for (size_t bit = 0; bit < size * 8; bit++) {
    c.note[bit / 8] ^= (char)(1 << bit % 8);
    int err = asz_note_verify(&split, c.note, size, c.key, 2, seen, NULL);
    cr_assert(err || !seen[0].verified || !seen[1].verified, "bit %zu", bit);
    c.note[bit / 8] ^= (char)(1 << bit % 8);
  }
}

Test(note, a_cosignature_of_another_kind_length_or_time_is_refused)
{
  struct cosigned c;
  struct asz_note split;
  struct asz_note_seen seen;
  uint64_t time_s;
  uint8_t signature[ASZ_COSIGNATURE_BYTES] = {0};
  cosign(&c, 1);
  /* the log's signature, renamed to the witness's key, is no cosignature: it is over other bytes, and 8 of them are missing */
  struct asz_note_key log_as_witness;
  asz_note_key_make(&log_as_witness, "log.example/a", ASZ_NOTE_COSIGNATURE, c.key[0].public_key);
  cr_assert_eq(asz_note_verify(&split, c.note, strlen(c.note), &log_as_witness, 1, &seen, NULL), 0);
  cr_assert_not(seen.verified);
  memcpy(log_as_witness.id, c.key[0].id, ASZ_KEY_ID_BYTES);
  cr_assert_eq(asz_note_verify(&split, c.note, strlen(c.note), &log_as_witness, 1, &seen, NULL), ASZ_EAUTH);
  /* a time of 0 or of 2^63 and more, whatever the signature */
  cr_assert_eq(asz_cosignature_verify(signature, c.key[1].public_key, c.note, c.text_bytes, &time_s), ASZ_EAUTH);
  memset(signature, 0xff, sizeof signature);
  cr_assert_eq(asz_cosignature_verify(signature, c.key[1].public_key, c.note, c.text_bytes, &time_s), ASZ_EAUTH);
}

Test(note, of_two_cosignatures_by_one_witness_the_newest_counts)
{
  struct cosigned older, newer;
  struct asz_note split;
  struct asz_note_seen seen[2];
  char note[2 * ASZ_TLOG_CHECKPOINT_MAX];
  cosign(&older, 100);
  cosign(&newer, 200);
  for (int order = 0; order < 2; order++) {
    snprintf(note, sizeof note, "%s%s", order ? older.note : newer.note, order ? newer.line : older.line);
    cr_assert_eq(asz_note_verify(&split, note, strlen(note), newer.key, 2, seen, NULL), 0);
    cr_assert_eq(seen[1].time_s, 200);
    cr_assert_eq(memcmp(seen[1].line, newer.line, seen[1].line_bytes), 0);
  }
}

Test(note, malformed_verifier_keys_are_refused)
{
  static const char *const bad[] = {
      "",
      "+",
      "++",
      "PeterNeumann",
      "PeterNeumann+c74f20a3",
      "PeterNeumann+c74f20a3+",
      "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
      "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
      "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
      "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
      "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWAAAA",
      "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
      "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
      "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char name[ASZ_TLOG_ORIGIN_MAX + 1];
    uint8_t public_key[32];
    cr_assert_eq(asz_vkey_parse(name, public_key, bad[i]), ASZ_EFORMAT, "key %zu", i);
  }
}

Test(note, verifier_keys_survive_the_way_there_and_back)
{
  static const char *const good[] = {SUMDB_KEY, NEUMANN_KEY};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    char name[ASZ_TLOG_ORIGIN_MAX + 1], text[ASZ_VKEY_BYTES];
    uint8_t public_key[32];
    cr_assert_eq(asz_vkey_parse(name, public_key, good[i]), 0);
    asz_vkey_format(text, name, public_key);
    cr_assert_str_eq(text, good[i]);
  }
}

Test(note, real_notes_of_other_programs_verify)
{
  cr_assert_eq(check(NEUMANN_TEXT "\n" NEUMANN_LINE, NEUMANN_KEY), 0);
  cr_assert_eq(
      check("go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" DASH
            "sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n",
            SUMDB_KEY),
      0);
  cr_assert_eq(
      check("go.sum database tree\n65209736\n5+uGFjx6xBZG8ip1+wi77v+grwbhhukIrxEUS8PXvRo=\n\n" DASH
            "sum.golang.org Az3grnbssgK7ubgFX36gVETtNv0U23qxyAhAMai2QUfeGa3nB/akvkMdlUErfcZz7l/R3cVtYspg3dxXABkGZZKdsQ8=\n",
            SUMDB_KEY),
      0);
}

Test(note, the_example_of_the_signed_note_specification_is_read_with_its_empty_line_in_the_text)
{
  static const char text[] = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned \xc3\xa8 subito sera.\n";
  static const char line[] =
      "\n" DASH "quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ih"
      "AQwaqP3ZekRwNtIc=\n";
  char note[sizeof text + sizeof line];
  snprintf(note, sizeof note, "%s%s", text, line);
  struct asz_note split;
  cr_assert_eq(asz_note_split(&split, note, strlen(note), NULL), 0);
  cr_assert_eq(split.text_bytes, sizeof text - 1);
  cr_assert_eq(split.signatures, 1);
}
