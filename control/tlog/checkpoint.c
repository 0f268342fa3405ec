/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP tlog-checkpoint: origin, tree size, root, each on its line, as the text of a signed note. The signing key's name is the
 * origin, as the specification recommends; a note whose signature goes by another name is not ours. */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "control/tlog/lines.h"
#include "control/tlog/note.h"

enum { ROOT_BASE64_BYTES = 44 };

/* A line that is not empty. */
static int next_line(const char **at, const char *end, const char **ret_line, size_t *ret_size) {
  int err = asz_lines_next(at, end, ret_line, ret_size);
  return err || *ret_size > 0 ? err : ASZ_EFORMAT;
}

int asz_checkpoint_parse(struct asz_checkpoint *ret_checkpoint, const char *text, size_t size_bytes, struct asz_diag *diag) {
  struct asz_checkpoint checkpoint;
  const char *at = text, *end = text + size_bytes, *line;
  size_t line_bytes;
  if (!asz_text_ok(text, size_bytes, "\n"))
    return asz_diag_set(diag, ASZ_EFORMAT, "checkpoint: not UTF-8, or a control character in it");
  if (next_line(&at, end, &line, &line_bytes) != 0 || line_bytes > ASZ_TLOG_ORIGIN_MAX)
    return asz_diag_set(diag, ASZ_EFORMAT, "checkpoint: line 1, expected an origin of 1 to %d bytes", ASZ_TLOG_ORIGIN_MAX);
  memcpy(checkpoint.origin, line, line_bytes);
  checkpoint.origin[line_bytes] = 0;
  if (next_line(&at, end, &line, &line_bytes) != 0 || asz_lines_number(&checkpoint.tree_size, line, line_bytes) != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "checkpoint: line 2, expected a tree size without leading zeros");
  if (next_line(&at, end, &line, &line_bytes) != 0 || asz_lines_hash(checkpoint.root, line, line_bytes) != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "checkpoint: line 3, expected 32 bytes as base64");
  while (at < end) /* extension lines: opaque, but lines */
    if (next_line(&at, end, &line, &line_bytes) != 0)
      return asz_diag_set(diag, ASZ_EFORMAT, "checkpoint: an empty extension line");
  *ret_checkpoint = checkpoint;
  return 0;
}

int asz_checkpoint_sign(char *ret_note, size_t capacity, const struct asz_checkpoint *checkpoint,
                        const struct asz_identity *key) {
  assert(asz_key_name_ok(checkpoint->origin, strlen(checkpoint->origin)) && checkpoint->tree_size <= INT64_MAX);
  char root[ROOT_BASE64_BYTES + 1], text[ASZ_TLOG_ORIGIN_MAX + 80], line[128];
  sodium_bin2base64(root, sizeof root, checkpoint->root, 32, sodium_base64_VARIANT_ORIGINAL);
  int text_bytes =
      snprintf(text, sizeof text, "%s\n%llu\n%s\n", checkpoint->origin, (unsigned long long)checkpoint->tree_size, root);

  uint8_t blob[ASZ_KEY_ID_BYTES + 64];
  struct asz_note_key note_key;
  asz_note_key_make(&note_key, checkpoint->origin, ASZ_NOTE_ED25519, key->public_key);
  memcpy(blob, note_key.id, ASZ_KEY_ID_BYTES);
  crypto_sign_detached(blob + ASZ_KEY_ID_BYTES, NULL, (const uint8_t *)text, (size_t)text_bytes, key->secret_key);
  sodium_bin2base64(line, sizeof line, blob, sizeof blob, sodium_base64_VARIANT_ORIGINAL);
  char note[ASZ_TLOG_CHECKPOINT_MAX];
  int size = snprintf(note, sizeof note, "%s\n\xe2\x80\x94 %s %s\n", text, checkpoint->origin, line);
  if ((size_t)size >= capacity)
    return ASZ_ETOOBIG;
  memcpy(ret_note, note, (size_t)size + 1);
  return size;
}

int asz_checkpoint_open(struct asz_checkpoint *ret_checkpoint, const char *note, size_t size_bytes, const uint8_t public_key[32],
                        struct asz_diag *diag) {
  struct asz_checkpoint checkpoint;
  struct asz_note split;
  int err = asz_note_split(&split, note, size_bytes, diag);
  if (!err)
    err = asz_checkpoint_parse(&checkpoint, note, split.text_bytes, diag);
  if (!err)
    err = asz_note_check(&split, note, size_bytes, checkpoint.origin, public_key, diag);
  if (!err)
    *ret_checkpoint = checkpoint;
  return err;
}

int asz_checkpoint_own(char *note, const uint8_t public_key[32], struct asz_diag *diag) {
  struct asz_checkpoint checkpoint;
  struct asz_note split;
  struct asz_note_key key;
  struct asz_note_seen seen;
  int err = asz_checkpoint_open(&checkpoint, note, strlen(note), public_key, diag);
  if (err)
    return err;
  asz_note_key_make(&key, checkpoint.origin, ASZ_NOTE_ED25519, public_key);
  err = asz_note_verify(&split, note, strlen(note), &key, 1, &seen, diag);
  if (err)
    return err;
  char *lines = note + split.text_bytes + 1;
  memmove(lines, seen.line, seen.line_bytes);
  lines[seen.line_bytes] = 0;
  return 0;
}
