/* SPDX-License-Identifier: Apache-2.0 */
/* Putting witnesses' cosignatures under a published checkpoint. */
#ifndef ASZ_CONTROL_TLOG_COSIGN_H
#define ASZ_CONTROL_TLOG_COSIGN_H

#include "control/tlog/note.h"

struct asz_cosignature {
  const struct asz_note_key *key;      /* the witness's */
  char line[ASZ_COSIGNATURE_LINE_MAX]; /* verified */
};

/* asz_tlog_cosign adds the lines to DIR/checkpoint, in place of earlier ones by the same witnesses, durably, if it still is the
 * one whose text `note` has: ASZ_EAGAIN when a newer one was published meanwhile. While a writer runs or not. *ret_note: what is
 * published now, to be freed with free. ASZ_ETOOBIG: over 64 signatures or 128 KiB. ASZ_EAUTH, ASZ_EFORMAT, ASZ_EIO, ASZ_ENOMEM.
 */
ASZ_MUST_CHECK int asz_tlog_cosign(const char *dir, const uint8_t public_key[32], const char *note,
                                   const struct asz_cosignature *cosignature, size_t count, char **ret_note,
                                   struct asz_diag *diag);

#endif
