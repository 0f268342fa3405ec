/* SPDX-License-Identifier: Apache-2.0 */
/* asz_witness_ask: asks one witness for a cosignature (C2SP tlog-witness, add-checkpoint), over HTTP or HTTPS by libcurl. */
#ifndef ASZ_CONTROL_WITNESS_ASK_H
#define ASZ_CONTROL_WITNESS_ASK_H

#include "control/tlog/note.h"

/* asz_witness_ask: url is the submission prefix; key the witness's; note the published checkpoint of the log in dir, already
 * checked and parsed as `head`. The proof from what the witness saw last is made from the log's tiles. *ret_line is its signature
 * line, verified. Waits at most timeout_s for each of at most three requests; follows no redirection; a reply of over 64 KiB is
 * refused.
 * ASZ_EAUTH: the witness refused, or knows a tree that this log does not have; ASZ_EFORMAT: it does not speak the protocol;
 * ASZ_EIO: it cannot be reached; ASZ_ENOTSUP: a build without libcurl; ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_witness_ask(const char *url, const struct asz_note_key *key, const char *dir, const char *note,
                                   const struct asz_checkpoint *head, unsigned timeout_s, char ret_line[ASZ_COSIGNATURE_LINE_MAX],
                                   struct asz_diag *diag);

#endif
