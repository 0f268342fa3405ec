/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP tlog-cosignature, its Ed25519 form: 8 bytes of time, 64 of signature, over two lines and the text of the checkpoint. (The
 * other form, ML-DSA-44, is not in libsodium.) */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/tlog/note.h"
#include "dataplane/base/bytes.h"

enum { HEAD_MAX_BYTES = 64 };

/* What is signed: heap, NULL without memory. */
static uint8_t *message_make(const char *text, size_t text_bytes, uint64_t time_s, size_t *ret_size) {
  char *message = malloc(HEAD_MAX_BYTES + text_bytes);
  if (!message)
    return NULL;
  int head = snprintf(message, HEAD_MAX_BYTES, "cosignature/v1\ntime %llu\n", (unsigned long long)time_s);
  memcpy(message + head, text, text_bytes);
  *ret_size = (size_t)head + text_bytes;
  return (uint8_t *)message;
}

int asz_cosignature_verify(const uint8_t signature[ASZ_COSIGNATURE_BYTES], const uint8_t public_key[32], const char *text,
                           size_t text_bytes, uint64_t *ret_time_s) {
  uint64_t time_s = asz_be64_load(signature);
  size_t size;
  if (time_s == 0 || time_s > INT64_MAX)
    return ASZ_EAUTH;
  uint8_t *message = message_make(text, text_bytes, time_s, &size);
  if (!message)
    return ASZ_ENOMEM;
  int bad = crypto_sign_verify_detached(signature + 8, message, size, public_key);
  free(message);
  if (bad)
    return ASZ_EAUTH;
  *ret_time_s = time_s;
  return 0;
}

int asz_cosignature_sign(char ret_line[ASZ_COSIGNATURE_LINE_MAX], const char *name, const struct asz_identity *key,
                         const char *text, size_t text_bytes, uint64_t time_s) {
  assert(asz_key_name_ok(name, strlen(name)) && time_s >= 1 && time_s <= INT64_MAX);
  struct asz_note_key note_key;
  uint8_t blob[ASZ_KEY_ID_BYTES + ASZ_COSIGNATURE_BYTES];
  char base64[sodium_base64_ENCODED_LEN(sizeof blob, sodium_base64_VARIANT_ORIGINAL)];
  size_t size;
  uint8_t *message = message_make(text, text_bytes, time_s, &size);
  if (!message)
    return ASZ_ENOMEM;
  asz_note_key_make(&note_key, name, ASZ_NOTE_COSIGNATURE, key->public_key);
  memcpy(blob, note_key.id, ASZ_KEY_ID_BYTES);
  asz_be64_store(blob + ASZ_KEY_ID_BYTES, time_s);
  crypto_sign_detached(blob + ASZ_KEY_ID_BYTES + 8, NULL, message, size, key->secret_key);
  free(message);
  sodium_bin2base64(base64, sizeof base64, blob, sizeof blob, sodium_base64_VARIANT_ORIGINAL);
  snprintf(ret_line, ASZ_COSIGNATURE_LINE_MAX, "\xe2\x80\x94 %s %s\n", name, base64);
  return 0;
}
