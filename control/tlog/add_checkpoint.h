/* SPDX-License-Identifier: Apache-2.0 */
/* asz_add_checkpoint: what a log sends to a witness (C2SP tlog-witness, the body of add-checkpoint): the size that the witness
 * saw last, the proof that the log only grew since, and the new checkpoint. */
#ifndef ASZ_CONTROL_TLOG_ADD_CHECKPOINT_H
#define ASZ_CONTROL_TLOG_ADD_CHECKPOINT_H

#include "control/tlog/note.h"

enum {
  ASZ_ADD_CHECKPOINT_PATH_MAX = 63,
  ASZ_ADD_CHECKPOINT_MAX_BYTES = ASZ_NOTE_MAX_BYTES + 32 + 64 * 45, /* note, size line, 63 hashes and an empty line */
};

struct asz_add_checkpoint {
  uint64_t old_size;
  uint8_t path[ASZ_TLOG_PROOF_MAX][32]; /* of consistency */
  size_t path_count;
  const char *note; /* borrowed */
  size_t note_bytes;
};

/* asz_add_checkpoint_parse: the form of everything before the checkpoint, strict; the note is cut off and not looked at.
 * ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_add_checkpoint_parse(struct asz_add_checkpoint *ret_request, const char *body, size_t size_bytes,
                                            struct asz_diag *diag);
/* asz_add_checkpoint_format: the body, NUL-terminated (heap, to be freed with free). ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_add_checkpoint_format(char **ret_body, size_t *ret_size, const struct asz_add_checkpoint *request);
/* asz_add_checkpoint_size: the body of a witness's "409 Conflict": the size that it saw last, and a newline. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_add_checkpoint_size(uint64_t *ret_size, const char *body, size_t size_bytes);

#endif
