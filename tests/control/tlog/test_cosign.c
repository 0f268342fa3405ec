/* SPDX-License-Identifier: Apache-2.0 */
/* Cosignatures under a published checkpoint, while a writer goes on publishing. */
#include "control/tlog/cosign.h"
#include "tests/control/tlog/cosigned.h"
#include "tests/control/tlog/scratch.h"

#define ORIGIN "log.example/cosigned"

static struct asz_identity key;
static struct asz_tlog *writer;
static char dir[SCRATCH_PATH];

static void setup(void) {
  key = cosigned_identity(4);
  scratch_make(dir);
  cr_assert_eq(asz_tlog_create(dir, ORIGIN, &key, NULL), 0);
  cr_assert_eq(asz_tlog_open(&writer, dir, &key, NULL), 0);
}

static void teardown(void) {
  asz_tlog_close(writer);
  scratch_remove(dir);
}
TestSuite(cosign, .init = setup, .fini = teardown);

static void publish_one(void) {
  uint64_t index;
  cr_assert_eq(asz_tlog_append(writer, "x", 1, &index), 0);
  cr_assert_eq(asz_tlog_publish(writer, NULL), 0);
}

static char *published(void) {
  struct asz_checkpoint head;
  char *note;
  cr_assert_eq(asz_tlog_published(dir, key.public_key, &head, &note, NULL), 0);
  return note;
}

/* Witness n's cosignature of a note. */
static struct asz_cosignature cosignature_of(const char *note, unsigned n, uint64_t time_s, struct asz_note_key *ret_key) {
  struct asz_cosignature cosignature = {.key = ret_key};
  char whole[ASZ_TLOG_CHECKPOINT_MAX], vkey[ASZ_VKEY_BYTES];
  snprintf(whole, sizeof whole, "%s", note);
  size_t before = strlen(whole);
  cosigned_add(whole, sizeof whole, n, time_s);
  cosigned_vkey(vkey, n);
  cr_assert_eq(asz_note_key_parse(ret_key, vkey), 0);
  snprintf(cosignature.line, sizeof cosignature.line, "%s", whole + before);
  return cosignature;
}

static int cosign(const char *note, const struct asz_cosignature *cosignature, size_t count) {
  char *now = NULL;
  int err = asz_tlog_cosign(dir, key.public_key, note, cosignature, count, &now, NULL);
  free(now);
  return err;
}

static unsigned signatures(void) {
  struct asz_note split;
  char *note = published();
  cr_assert_eq(asz_note_split(&split, note, strlen(note), NULL), 0);
  free(note);
  return split.signatures;
}

Test(cosign, a_cosignature_of_a_checkpoint_that_was_replaced_is_not_published)
{
  struct asz_note_key witness;
  publish_one();
  char *old = published();
  struct asz_cosignature cosignature = cosignature_of(old, 0, 1000, &witness);
  publish_one();
  cr_assert_eq(cosign(old, &cosignature, 1), ASZ_EAGAIN);
  cr_assert_eq(signatures(), 1);
  free(old);
}

Test(cosign, a_witness_has_one_line_and_others_keep_theirs)
{
  struct asz_note_key witness[2];
  publish_one();
  char *note = published();
  struct asz_cosignature first = cosignature_of(note, 0, 1000, &witness[0]), second = cosignature_of(note, 1, 1001, &witness[1]),
                         again = cosignature_of(note, 0, 2000, &witness[0]);
  cr_assert_eq(cosign(note, &first, 1), 0);
  cr_assert_eq(cosign(note, &second, 1), 0);
  cr_assert_eq(signatures(), 3);
  cr_assert_eq(cosign(note, &again, 1), 0);
  cr_assert_eq(cosign(note, NULL, 0), 0);
  cr_assert_eq(signatures(), 3);
  struct asz_note split;
  struct asz_note_seen seen[2];
  char *now = published();
  cr_assert_eq(asz_note_verify(&split, now, strlen(now), witness, 2, seen, NULL), 0);
  cr_assert_eq(seen[0].time_s, 2000);
  cr_assert_eq(seen[1].time_s, 1001);
  free(now);
  free(note);
}

Test(cosign, more_signatures_than_a_note_may_have_are_refused_and_nothing_changes)
{
  static struct asz_cosignature cosignature[ASZ_NOTE_SIGNATURES_MAX];
  static struct asz_note_key witness[ASZ_NOTE_SIGNATURES_MAX];
  publish_one();
  char *note = published();
  for (unsigned n = 0; n < ASZ_NOTE_SIGNATURES_MAX; n++)
    cosignature[n] = cosignature_of(note, n, 1000, &witness[n]);
  cr_assert_eq(cosign(note, cosignature, ASZ_NOTE_SIGNATURES_MAX), ASZ_ETOOBIG);
  cr_assert_eq(signatures(), 1);
  cr_assert_eq(cosign(note, cosignature, ASZ_NOTE_SIGNATURES_MAX - 1), 0);
  cr_assert_eq(signatures(), 64);
  free(note);
}

Test(cosign, a_writer_opens_a_cosigned_log_and_speaks_of_its_own_signature_alone)
{
  struct asz_note_key witness;
  publish_one();
  char *note = published();
  struct asz_cosignature cosignature = cosignature_of(note, 0, 1000, &witness);
  cr_assert_eq(cosign(note, &cosignature, 1), 0);
  asz_tlog_close(writer);
  cr_assert_eq(asz_tlog_open(&writer, dir, &key, NULL), 0);
  cr_assert_str_eq(asz_tlog_checkpoint(writer), note); /* evidence takes exactly one signature */
  cr_assert_eq(signatures(), 2);
  publish_one();
  cr_assert_eq(signatures(), 1);
  free(note);
}
