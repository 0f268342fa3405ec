/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP signed notes.
 *
 * A note is text, an empty line, and signature lines of the form "<em dash> <key name> <base64 of key ID and signature>". The
 * last empty line divides, since the text may hold empty lines of its own. Signatures by keys that nobody asked for are ignored,
 * as the specification demands, but they must have the form of a signature line: whatever lies behind the text and has no form
 * would be a place to hide bytes in. */
#include "control/tlog/note.h"

#include <sodium.h>
#include <string.h>

enum { BASE64_MAX_BYTES = 10240 /* a post-quantum signature is under 7,000 */ };
static const char line_start[] = "\xe2\x80\x94 "; /* em dash, space */

/* One signature line, without its newline. */
struct signature_line {
  const char *name;
  size_t name_bytes;
  uint8_t id[ASZ_KEY_ID_BYTES];
  uint8_t signature[ASZ_COSIGNATURE_BYTES]; /* its first bytes: the longer of the two forms that are verified */
  size_t signature_bytes;
};

static int parse_line(struct signature_line *ret_line, const char *line, size_t size) {
  const size_t start_bytes = sizeof line_start - 1;
  if (size < start_bytes || memcmp(line, line_start, start_bytes) != 0)
    return ASZ_EFORMAT;
  const char *name = line + start_bytes, *end = line + size;
  const char *space = memchr(name, ' ', (size_t)(end - name));
  if (!space || !asz_key_name_ok(name, (size_t)(space - name)))
    return ASZ_EFORMAT;
  uint8_t blob[BASE64_MAX_BYTES / 4 * 3];
  size_t blob_bytes;
  if (asz_base64_decode(blob, sizeof blob, &blob_bytes, space + 1, (size_t)(end - space - 1)) != 0 ||
      blob_bytes <= ASZ_KEY_ID_BYTES)
    return ASZ_EFORMAT;
  *ret_line = (struct signature_line){
      .name = name, .name_bytes = (size_t)(space - name), .signature_bytes = blob_bytes - ASZ_KEY_ID_BYTES};
  memcpy(ret_line->id, blob, ASZ_KEY_ID_BYTES);
  size_t kept = ret_line->signature_bytes < ASZ_COSIGNATURE_BYTES ? ret_line->signature_bytes : ASZ_COSIGNATURE_BYTES;
  memcpy(ret_line->signature, blob + ASZ_KEY_ID_BYTES, kept);
  return 0;
}

/* Where the text ends: behind the newline that the last empty line follows. 0: there is none. */
static size_t text_end(const char *note, size_t size) {
  for (size_t at = size; at >= 2; at--)
    if (note[at - 1] == '\n' && note[at - 2] == '\n')
      return at - 1;
  return 0;
}

static bool is_by(const struct signature_line *line, const struct asz_note_key *key) {
  return line->name_bytes == strlen(key->name) && memcmp(line->name, key->name, line->name_bytes) == 0 &&
         memcmp(line->id, key->id, ASZ_KEY_ID_BYTES) == 0;
}

static int verify_line(const struct signature_line *line, const struct asz_note_key *key, const char *text, size_t text_bytes,
                       uint64_t *ret_time_s) {
  if (key->type == ASZ_NOTE_COSIGNATURE)
    return line->signature_bytes == ASZ_COSIGNATURE_BYTES
               ? asz_cosignature_verify(line->signature, key->public_key, text, text_bytes, ret_time_s)
               : ASZ_EAUTH;
  if (line->signature_bytes != 64 ||
      crypto_sign_verify_detached(line->signature, (const uint8_t *)text, text_bytes, key->public_key) != 0)
    return ASZ_EAUTH;
  *ret_time_s = 0;
  return 0;
}

int asz_note_verify(struct asz_note *ret_note, const char *note, size_t size_bytes, const struct asz_note_key *key,
                    size_t key_count, struct asz_note_seen *ret_seen, struct asz_diag *diag) {
  if (size_bytes > ASZ_NOTE_MAX_BYTES)
    return asz_diag_set(diag, ASZ_EFORMAT, "signed note: %zu bytes, expected at most %d", size_bytes, ASZ_NOTE_MAX_BYTES);
  if (!asz_text_ok(note, size_bytes, "\n"))
    return asz_diag_set(diag, ASZ_EFORMAT, "signed note: not UTF-8, or a control character in it");
  struct asz_note found = {.text_bytes = text_end(note, size_bytes)};
  if (found.text_bytes == 0 || note[size_bytes - 1] != '\n')
    return asz_diag_set(diag, ASZ_EFORMAT, "signed note: expected text, an empty line and signature lines");
  for (size_t k = 0; k < key_count; k++)
    ret_seen[k] = (struct asz_note_seen){0};

  for (const char *line = note + found.text_bytes + 1, *end = note + size_bytes; line < end;) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    struct signature_line signature;
    if (parse_line(&signature, line, (size_t)(newline - line)) != 0 || ++found.signatures > ASZ_NOTE_SIGNATURES_MAX)
      return asz_diag_set(diag, ASZ_EFORMAT, "signed note: signature line %u is malformed", found.signatures + 1);
    for (size_t k = 0; k < key_count; k++) {
      uint64_t time_s;
      if (!is_by(&signature, &key[k]))
        continue;
      int err = verify_line(&signature, &key[k], note, found.text_bytes, &time_s);
      if (err)
        return asz_diag_set(diag, err, "signed note: the signature of %s does not verify", key[k].name);
      if (!ret_seen[k].verified || time_s > ret_seen[k].time_s)
        ret_seen[k] =
            (struct asz_note_seen){.verified = true, .time_s = time_s, .line = line, .line_bytes = (size_t)(newline + 1 - line)};
    }
    line = newline + 1;
  }
  if (found.signatures == 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "signed note: no signature line");
  *ret_note = found;
  return 0;
}

int asz_note_check(struct asz_note *ret_note, const char *note, size_t size_bytes, const char *name, const uint8_t public_key[32],
                   struct asz_diag *diag) {
  struct asz_note_key key;
  struct asz_note_seen seen;
  struct asz_note found;
  asz_note_key_make(&key, name, ASZ_NOTE_ED25519, public_key);
  int err = asz_note_verify(&found, note, size_bytes, &key, 1, &seen, diag);
  if (err)
    return err;
  if (!seen.verified)
    return asz_diag_set(diag, ASZ_EAUTH, "signed note: not signed by %s with the key expected", name);
  *ret_note = found;
  return 0;
}

int asz_note_split(struct asz_note *ret_note, const char *note, size_t size_bytes, struct asz_diag *diag) {
  return asz_note_verify(ret_note, note, size_bytes, NULL, 0, NULL, diag);
}
