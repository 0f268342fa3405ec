/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that sign notes, and the text that carries one: "<name>+<key ID in hex>+<base64 of type and public key>". */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "control/tlog/note.h"

void asz_note_key_make(struct asz_note_key *ret_key, const char *name, enum asz_note_type type, const uint8_t public_key[32]) {
  const uint8_t between[2] = {'\n', (uint8_t)type};
  uint8_t hash[32];
  crypto_hash_sha256_state state;
  *ret_key = (struct asz_note_key){.type = type};
  memcpy(ret_key->name, name, strnlen(name, ASZ_TLOG_ORIGIN_MAX));
  memcpy(ret_key->public_key, public_key, 32);
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, (const uint8_t *)ret_key->name, strlen(ret_key->name));
  crypto_hash_sha256_update(&state, between, sizeof between);
  crypto_hash_sha256_update(&state, public_key, 32);
  crypto_hash_sha256_final(&state, hash);
  memcpy(ret_key->id, hash, ASZ_KEY_ID_BYTES);
}

void asz_note_key_format(char *ret_text, const struct asz_note_key *key) {
  uint8_t blob[33] = {(uint8_t)key->type};
  char id[2 * ASZ_KEY_ID_BYTES + 1], text[sodium_base64_ENCODED_LEN(sizeof blob, sodium_base64_VARIANT_ORIGINAL)];
  asz_hex_encode(id, key->id, ASZ_KEY_ID_BYTES);
  memcpy(blob + 1, key->public_key, 32);
  sodium_bin2base64(text, sizeof text, blob, sizeof blob, sodium_base64_VARIANT_ORIGINAL);
  snprintf(ret_text, ASZ_VKEY_BYTES, "%s+%s+%s", key->name, id, text);
}

int asz_note_key_parse(struct asz_note_key *ret_key, const char *text) {
  const char *plus = strchr(text, '+');
  if (!plus || !asz_key_name_ok(text, (size_t)(plus - text)) || strlen(plus) < 2 + 2 * ASZ_KEY_ID_BYTES)
    return ASZ_EFORMAT;
  char name[ASZ_TLOG_ORIGIN_MAX + 1], canonical[ASZ_VKEY_BYTES];
  snprintf(name, sizeof name, "%.*s", (int)(plus - text), text);
  const char *blob_text = plus + 2 + 2 * ASZ_KEY_ID_BYTES;
  uint8_t blob[33];
  size_t blob_bytes;
  if (asz_base64_decode(blob, sizeof blob, &blob_bytes, blob_text, strlen(blob_text)) != 0 || blob_bytes != sizeof blob ||
      (blob[0] != ASZ_NOTE_ED25519 && blob[0] != ASZ_NOTE_COSIGNATURE))
    return ASZ_EFORMAT;
  struct asz_note_key key;
  asz_note_key_make(&key, name, blob[0], blob + 1);
  asz_note_key_format(canonical, &key); /* the key's hash and every other byte must be the ones that we would write */
  if (strcmp(canonical, text) != 0)
    return ASZ_EFORMAT;
  *ret_key = key;
  return 0;
}

void asz_vkey_format(char *ret_text, const char *origin, const uint8_t public_key[32]) {
  struct asz_note_key key;
  asz_note_key_make(&key, origin, ASZ_NOTE_ED25519, public_key);
  asz_note_key_format(ret_text, &key);
}

int asz_vkey_parse(char *ret_origin, uint8_t ret_public_key[32], const char *text) {
  struct asz_note_key key;
  if (asz_note_key_parse(&key, text) != 0 || key.type != ASZ_NOTE_ED25519)
    return ASZ_EFORMAT;
  memcpy(ret_origin, key.name, strlen(key.name) + 1);
  memcpy(ret_public_key, key.public_key, 32);
  return 0;
}
