/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP signed notes and note keys.
 *
 * A note is text, an empty line, and signature lines of the form "<em dash> <key name> <base64 of key ID and signature>". The
 * last empty line divides, since the text may hold empty lines of its own. Signatures by keys that are not ours are ignored, as
 * the specification asks (that is how witnesses add theirs), but they must have the form of a signature line: whatever lies
 * behind the text and has no form would be a place to hide bytes in. Base64 is read strictly: padded, and with its unused bits
 * zero, so that a signature has one spelling only. */
#include "control/tlog/note.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { ED25519_TYPE = 1, BASE64_MAX_BYTES = 10240 /* a post-quantum signature is under 7,000 */ };
static const char line_start[] = "\xe2\x80\x94 "; /* em dash, space */

/* One code point, or -1. Refuses overlong forms, surrogates and what lies beyond U+10FFFF. */
static int32_t utf8_next(const uint8_t *text, size_t size, size_t *at) {
  uint8_t lead = text[*at];
  if (lead < 0x80) {
    (*at)++;
    return lead;
  }
  unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc2 || lead > 0xf4 || size - *at <= more)
    return -1;
  int32_t point = lead & (0x3f >> more);
  for (unsigned i = 1; i <= more; i++) {
    uint8_t byte = text[*at + i];
    if ((byte & 0xc0) != 0x80)
      return -1;
    point = point << 6 | (byte & 0x3f);
  }
  if ((more == 2 && point < 0x800) || (more == 3 && point < 0x10000) || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
    return -1;
  *at += more + 1;
  return point;
}

/* The code points with the White_Space property of Unicode. */
static bool is_space(int32_t point) {
  return point == 0x20 || (point >= 0x09 && point <= 0x0d) || point == 0x85 || point == 0xa0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 || point == 0x202f || point == 0x205f ||
         point == 0x3000;
}

bool asz_text_ok(const char *text, size_t size_bytes, const char *allowed) {
  for (size_t at = 0; at < size_bytes;) {
    int32_t point = utf8_next((const uint8_t *)text, size_bytes, &at);
    if (point <= 0 || point == 0x7f || (point < 0x20 && !strchr(allowed, point)))
      return false;
  }
  return true;
}

bool asz_key_name_ok(const char *name, size_t size_bytes) {
  if (size_bytes == 0 || size_bytes > ASZ_TLOG_ORIGIN_MAX)
    return false;
  for (size_t at = 0; at < size_bytes;) {
    int32_t point = utf8_next((const uint8_t *)name, size_bytes, &at);
    if (point < 0x20 || point == 0x7f || point == '+' || is_space(point))
      return false;
  }
  return true;
}

void asz_key_id(uint8_t ret_id[ASZ_KEY_ID_BYTES], const char *name, const uint8_t public_key[32]) {
  static const uint8_t separator[2] = {'\n', ED25519_TYPE};
  uint8_t hash[32];
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, (const uint8_t *)name, strlen(name));
  crypto_hash_sha256_update(&state, separator, sizeof separator);
  crypto_hash_sha256_update(&state, public_key, 32);
  crypto_hash_sha256_final(&state, hash);
  memcpy(ret_id, hash, ASZ_KEY_ID_BYTES);
}

int asz_base64_decode(uint8_t *ret_bytes, size_t capacity, size_t *ret_size, const char *text, size_t size_bytes) {
  char again[BASE64_MAX_BYTES + 1];
  size_t size;
  if (size_bytes > BASE64_MAX_BYTES ||
      sodium_base642bin(ret_bytes, capacity, text, size_bytes, NULL, &size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
    return ASZ_EFORMAT;
  sodium_bin2base64(again, sizeof again, ret_bytes, size, sodium_base64_VARIANT_ORIGINAL);
  if (strlen(again) != size_bytes || memcmp(again, text, size_bytes) != 0)
    return ASZ_EFORMAT;
  *ret_size = size;
  return 0;
}

/* One signature line, without its newline. */
struct signature_line {
  const char *name;
  size_t name_bytes;
  uint8_t id[ASZ_KEY_ID_BYTES];
  uint8_t signature[64]; /* the first 64 bytes */
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
  size_t kept = ret_line->signature_bytes < 64 ? ret_line->signature_bytes : 64;
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

int asz_note_check(struct asz_note *ret_note, const char *note, size_t size_bytes, const char *name, const uint8_t public_key[32],
                   struct asz_diag *diag) {
  if (size_bytes > ASZ_NOTE_MAX_BYTES)
    return asz_diag_set(diag, ASZ_EFORMAT, "signed note: %zu bytes, expected at most %d", size_bytes, ASZ_NOTE_MAX_BYTES);
  if (!asz_text_ok(note, size_bytes, "\n"))
    return asz_diag_set(diag, ASZ_EFORMAT, "signed note: not UTF-8, or a control character in it");
  struct asz_note found = {.text_bytes = text_end(note, size_bytes)};
  if (found.text_bytes == 0 || note[size_bytes - 1] != '\n')
    return asz_diag_set(diag, ASZ_EFORMAT, "signed note: expected text, an empty line and signature lines");

  uint8_t id[ASZ_KEY_ID_BYTES];
  if (name)
    asz_key_id(id, name, public_key);
  bool verified = false;
  for (const char *line = note + found.text_bytes + 1, *end = note + size_bytes; line < end;) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    struct signature_line signature;
    if (parse_line(&signature, line, (size_t)(newline - line)) != 0 || ++found.signatures > ASZ_NOTE_SIGNATURES_MAX)
      return asz_diag_set(diag, ASZ_EFORMAT, "signed note: signature line %u is malformed", found.signatures + 1);
    line = newline + 1;
    if (!name || signature.name_bytes != strlen(name) || memcmp(signature.name, name, signature.name_bytes) != 0 ||
        memcmp(signature.id, id, sizeof id) != 0)
      continue;
    if (signature.signature_bytes != 64 ||
        crypto_sign_verify_detached(signature.signature, (const uint8_t *)note, found.text_bytes, public_key) != 0)
      return asz_diag_set(diag, ASZ_EAUTH, "signed note: the signature of %s does not verify", name);
    verified = true;
  }
  if (found.signatures == 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "signed note: no signature line");
  if (name && !verified)
    return asz_diag_set(diag, ASZ_EAUTH, "signed note: not signed by %s with the key expected", name);
  *ret_note = found;
  return 0;
}

int asz_note_split(struct asz_note *ret_note, const char *note, size_t size_bytes, struct asz_diag *diag) {
  return asz_note_check(ret_note, note, size_bytes, NULL, NULL, diag);
}

void asz_vkey_format(char *ret_text, const char *origin, const uint8_t public_key[32]) {
  uint8_t id[ASZ_KEY_ID_BYTES], key[33] = {ED25519_TYPE};
  char id_text[2 * ASZ_KEY_ID_BYTES + 1], key_text[sodium_base64_ENCODED_LEN(sizeof key, sodium_base64_VARIANT_ORIGINAL)];
  asz_key_id(id, origin, public_key);
  asz_hex_encode(id_text, id, sizeof id);
  memcpy(key + 1, public_key, 32);
  sodium_bin2base64(key_text, sizeof key_text, key, sizeof key, sodium_base64_VARIANT_ORIGINAL);
  snprintf(ret_text, ASZ_VKEY_BYTES, "%s+%s+%s", origin, id_text, key_text);
}

int asz_vkey_parse(char *ret_origin, uint8_t ret_public_key[32], const char *text) {
  const char *plus = strchr(text, '+');
  if (!plus || !asz_key_name_ok(text, (size_t)(plus - text)) || strlen(plus) < 2 + 2 * ASZ_KEY_ID_BYTES)
    return ASZ_EFORMAT;
  char origin[ASZ_TLOG_ORIGIN_MAX + 1], canonical[ASZ_VKEY_BYTES];
  snprintf(origin, sizeof origin, "%.*s", (int)(plus - text), text);
  const char *key_text = plus + 2 + 2 * ASZ_KEY_ID_BYTES;
  uint8_t key[33];
  size_t key_bytes;
  if (asz_base64_decode(key, sizeof key, &key_bytes, key_text, strlen(key_text)) != 0 || key_bytes != sizeof key ||
      key[0] != ED25519_TYPE)
    return ASZ_EFORMAT;
  asz_vkey_format(canonical, origin, key + 1); /* the key's hash and every other byte must be the ones that we would write */
  if (strcmp(canonical, text) != 0)
    return ASZ_EFORMAT;
  memcpy(ret_origin, origin, strlen(origin) + 1);
  memcpy(ret_public_key, key + 1, 32);
  return 0;
}
