/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints and verifier keys: what the parsers accept is what the writers write. */
#include <string.h>

#include "control/tlog/note.h"
#include "tests/fuzz/fuzz.h"

static void check_note(const char *data, size_t size_bytes, const struct asz_identity *key) {
  struct asz_checkpoint checkpoint;
  struct asz_note note;
  (void)!asz_checkpoint_open(&checkpoint, data, size_bytes, key->public_key, NULL);
  struct asz_note_key cosigner;
  struct asz_note_seen seen;
  asz_note_key_make(&cosigner, "witness.example/fuzz", ASZ_NOTE_COSIGNATURE, key->public_key);
  if (asz_note_verify(&note, data, size_bytes, &cosigner, 1, &seen, NULL) == 0 && seen.verified)
    FUZZ_CHECK(seen.time_s >= 1 && seen.line > data && seen.line + seen.line_bytes <= data + size_bytes);
  size_t text_bytes = asz_note_split(&note, data, size_bytes, NULL) == 0 ? note.text_bytes : size_bytes;
  FUZZ_CHECK(text_bytes <= size_bytes);
  if (asz_checkpoint_parse(&checkpoint, data, text_bytes, NULL) != 0 ||
      !asz_key_name_ok(checkpoint.origin, strlen(checkpoint.origin)))
    return;
  char again[ASZ_TLOG_CHECKPOINT_MAX];
  FUZZ_CHECK(asz_checkpoint_sign(again, sizeof again, &checkpoint, key) > 0);
  size_t lines_bytes = (size_t)(strstr(again, "\n\n") + 1 - again); /* behind them in data: extension lines at most */
  FUZZ_CHECK(text_bytes >= lines_bytes && memcmp(again, data, lines_bytes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  static const uint8_t seed[32] = {1};
  struct asz_identity key;
  asz_identity_from_seed(&key, seed);
  check_note((const char *)data, size_bytes, &key);

  char text[ASZ_VKEY_BYTES], again[ASZ_VKEY_BYTES], origin[ASZ_TLOG_ORIGIN_MAX + 1];
  uint8_t public_key[32];
  if (size_bytes >= sizeof text)
    return 0;
  memcpy(text, data, size_bytes);
  text[size_bytes] = 0;
  if (asz_vkey_parse(origin, public_key, text) == 0) {
    asz_vkey_format(again, origin, public_key);
    FUZZ_CHECK(strcmp(again, text) == 0);
  }
  return 0;
}
