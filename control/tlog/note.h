/* SPDX-License-Identifier: Apache-2.0 */
/* asz_note: C2SP signed notes (text, empty line, signature lines), the keys that sign them, and the two kinds of signature that a
 * checkpoint bears here: the log's own (Ed25519, type 1) and a witness's cosignature (Ed25519 with a time, type 4). Lines of
 * other keys and kinds are passed over. Within control/tlog, control/evidence and the witness. */
#ifndef ASZ_CONTROL_TLOG_NOTE_H
#define ASZ_CONTROL_TLOG_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/tlog/tlog.h"

/* 128 KiB: 16 signatures must be accepted, and one by a post-quantum key is nearly 7 KB as base64. */
enum {
  ASZ_NOTE_MAX_BYTES = 1 << 17,
  ASZ_NOTE_SIGNATURES_MAX = 64,
  ASZ_KEY_ID_BYTES = 4,
  ASZ_COSIGNATURE_BYTES = 72,
  ASZ_COSIGNATURE_LINE_MAX = ASZ_TLOG_ORIGIN_MAX + 112, /* dash, name, 104 of base64, newline, NUL */
};

enum asz_note_type { ASZ_NOTE_ED25519 = 1, ASZ_NOTE_COSIGNATURE = 4 };
struct asz_note_key {
  char name[ASZ_TLOG_ORIGIN_MAX + 1];
  enum asz_note_type type;
  uint8_t id[ASZ_KEY_ID_BYTES]; /* SHA-256(name || 0x0a || type || public key)[:4] */
  uint8_t public_key[32];
};
/* asz_note_key_make: name is one that asz_key_name_ok likes, or, for a signature that is only looked for, any other. */
void asz_note_key_make(struct asz_note_key *ret_key, const char *name, enum asz_note_type type, const uint8_t public_key[32]);
/* asz_note_key_format: the verifier key; ret_text has ASZ_VKEY_BYTES. parse: the inverse, strict: ASZ_EFORMAT, also for the types
 * that are not verified here. */
void asz_note_key_format(char *ret_text, const struct asz_note_key *key);
ASZ_MUST_CHECK int asz_note_key_parse(struct asz_note_key *ret_key, const char *text);

struct asz_note {
  size_t text_bytes;   /* the signed text, with its last newline; it starts the note */
  unsigned signatures; /* lines, of whatever key */
};
/* asz_note_seen: what a note holds of one key; of several lines the one with the newest time. */
struct asz_note_seen {
  bool verified;
  uint64_t time_s;  /* of a cosignature: seconds since 1970, 1..2^63-1; else 0 */
  const char *line; /* in the note, with its newline; NULL when there is none */
  size_t line_bytes;
};

/* asz_note_verify checks the form of a note (UTF-8, no control characters, text, empty line, 1..64 signature lines) and every
 * signature by one of the keys; one that fails refuses the note. A key without a line is not an error: look into ret_seen, one a
 * key (unspecified after a failure). ASZ_EFORMAT, ASZ_EAUTH, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_note_verify(struct asz_note *ret_note, const char *note, size_t size_bytes, const struct asz_note_key *key,
                                   size_t key_count, struct asz_note_seen *ret_seen, struct asz_diag *diag);
/* asz_note_split checks the form alone. */
ASZ_MUST_CHECK int asz_note_split(struct asz_note *ret_note, const char *note, size_t size_bytes, struct asz_diag *diag);
/* asz_note_check demands at least one signature by the Ed25519 key called `name`. */
ASZ_MUST_CHECK int asz_note_check(struct asz_note *ret_note, const char *note, size_t size_bytes, const char *name,
                                  const uint8_t public_key[32], struct asz_diag *diag);

/* asz_cosignature_verify: 0, ASZ_EAUTH or ASZ_ENOMEM. text: of the checkpoint, all its lines. */
ASZ_MUST_CHECK int asz_cosignature_verify(const uint8_t signature[ASZ_COSIGNATURE_BYTES], const uint8_t public_key[32],
                                          const char *text, size_t text_bytes, uint64_t *ret_time_s);
/* asz_cosignature_sign makes a witness's signature line, with its newline. It promises that the text's tree extends all that this
 * key promised before: only a witness may call it, once what it promises is durable. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_cosignature_sign(char ret_line[ASZ_COSIGNATURE_LINE_MAX], const char *name, const struct asz_identity *key,
                                        const char *text, size_t text_bytes, uint64_t time_s);

/* asz_key_name_ok: 1..255 bytes of UTF-8 without spaces (any of Unicode's), control characters or '+'. */
bool asz_key_name_ok(const char *name, size_t size_bytes);
/* asz_text_ok: valid UTF-8 (RFC 3629) without control characters below U+0020 other than those in `allowed`, and without U+007F.
 */
bool asz_text_ok(const char *text, size_t size_bytes, const char *allowed);

/* asz_base64_decode: standard base64 in its one canonical spelling, at most capacity bytes of result. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_base64_decode(uint8_t *ret_bytes, size_t capacity, size_t *ret_size, const char *text, size_t size_bytes);

/* asz_checkpoint_parse reads the text of a checkpoint, signatures aside. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_checkpoint_parse(struct asz_checkpoint *ret_checkpoint, const char *text, size_t size_bytes,
                                        struct asz_diag *diag);

#endif
