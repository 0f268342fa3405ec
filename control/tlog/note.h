/* SPDX-License-Identifier: Apache-2.0 */
/* asz_note: C2SP signed notes. Only what checkpoints need: one Ed25519 key (signature type 1), any other lines passed over.
 * Within control/tlog and control/evidence. */
#ifndef ASZ_CONTROL_TLOG_NOTE_H
#define ASZ_CONTROL_TLOG_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/tlog/tlog.h"

/* 128 KiB: 16 signatures must be accepted, and one by a post-quantum key is nearly 7 KB as base64. */
enum { ASZ_NOTE_MAX_BYTES = 1 << 17, ASZ_NOTE_SIGNATURES_MAX = 64, ASZ_KEY_ID_BYTES = 4 };

struct asz_note {
  size_t text_bytes;   /* the signed text, with its last newline; it starts the note */
  unsigned signatures; /* lines, ours included */
};

/* asz_note_split checks the form of a note: UTF-8, no control characters, text, blank line, 1..64 signature lines. ASZ_EFORMAT.
 */
ASZ_MUST_CHECK int asz_note_split(struct asz_note *ret_note, const char *note, size_t size_bytes, struct asz_diag *diag);
/* asz_note_check splits, then demands at least one signature by the key called `name`, and that each such one verifies.
 * ASZ_EFORMAT, ASZ_EAUTH. */
ASZ_MUST_CHECK int asz_note_check(struct asz_note *ret_note, const char *note, size_t size_bytes, const char *name,
                                  const uint8_t public_key[32], struct asz_diag *diag);

/* asz_key_id: SHA-256(name || 0x0a || 0x01 || public key)[:4]. */
void asz_key_id(uint8_t ret_id[ASZ_KEY_ID_BYTES], const char *name, const uint8_t public_key[32]);
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
