/* SPDX-License-Identifier: Apache-2.0 */
/* asz_proof: C2SP tlog-proof, the text that proves offline that a log holds an entry: index, inclusion path, checkpoint. Here the
 * `extra` line carries the entry itself, so that the file alone is enough. */
#ifndef ASZ_CONTROL_TLOG_PROOF_H
#define ASZ_CONTROL_TLOG_PROOF_H

#include "control/tlog/policy.h"

/* 256 KiB: the largest entry as base64, 64 hashes and the largest note fit. */
enum { ASZ_PROOF_MAX_BYTES = 1 << 18 };

struct asz_proof {
  uint64_t index;
  uint8_t path[ASZ_TLOG_PROOF_MAX][32];
  size_t path_count;
  bool have_extra;
  uint8_t extra[ASZ_TLOG_ENTRY_MAX]; /* means nothing before the proof is checked */
  size_t extra_bytes;
  const char *note; /* borrowed: in the text that was parsed, or of whoever made the proof */
  size_t note_bytes;
};

/* asz_proof_parse: the form alone, strict; the line names the line. ret_proof is 70 KB: not for a stack. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_proof_parse(struct asz_proof *ret_proof, const char *text, size_t size_bytes, struct asz_diag *diag);
/* asz_proof_format: the text, NUL-terminated (heap, to be freed with free). ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_proof_format(char **ret_text, size_t *ret_size, const struct asz_proof *proof);
/* asz_proof_make: of a published entry, for the published checkpoint (*ret_note, heap, to be freed with free; ret_proof borrows
 * it), its signature checked; `extra` is the entry. ASZ_ENOENT, ASZ_EAUTH, ASZ_EFORMAT, ASZ_EIO, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_proof_make(struct asz_proof *ret_proof, char **ret_note, const char *dir, const uint8_t public_key[32],
                                  uint64_t index, struct asz_diag *diag);
/* asz_proof_check: the policy accepts the checkpoint, and its tree holds `entry` at the proof's index. *ret_cosigned: known
 * witnesses that cosigned. ASZ_EFORMAT, ASZ_EAUTH, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_proof_check(const struct asz_proof *proof, const struct asz_policy *policy, const uint8_t *entry,
                                   size_t entry_bytes, struct asz_checkpoint *ret_checkpoint, unsigned *ret_cosigned,
                                   struct asz_diag *diag);

#endif
