/* SPDX-License-Identifier: Apache-2.0 */
/* What writer and reader of a log share, on an open directory. Within control/tlog only. */
#ifndef ASZ_CONTROL_TLOG_READER_H
#define ASZ_CONTROL_TLOG_READER_H

#include "control/tlog/tiles.h"

/* Held, by whoever replaces DIR/checkpoint, while it does: the writer, and asz_tlog_cosign. */
#define ASZ_LOG_CHECKPOINT_LOCK ".checkpoint.lock"

/* asz_log_dir_open: ASZ_ENOENT when there is no such directory. The caller closes *ret_fd. */
ASZ_MUST_CHECK int asz_log_dir_open(const char *dir, int *ret_fd, struct asz_diag *diag);
/* asz_log_checkpoint_read reads and checks DIR/checkpoint; public_key NULL: no signature is checked. ret_note may be NULL, else
 * heap.
 */
ASZ_MUST_CHECK int asz_log_checkpoint_read(int dir_fd, const uint8_t *public_key, char **ret_note,
                                           struct asz_checkpoint *ret_checkpoint, struct asz_diag *diag);
/* asz_log_path: inclusion path of leaf index in the tree of tree_size leaves, from tiles, unchecked. index < tree_size. */
ASZ_MUST_CHECK int asz_log_path(int dir_fd, uint64_t tree_size, uint64_t index, uint8_t (*ret_path)[32], size_t *ret_count,
                                struct asz_diag *diag);
/* asz_log_consistency: the proof between two sizes of one log, from the tiles of the tree of tree_size leaves, unchecked.
 * old_size <= tree_size. */
ASZ_MUST_CHECK int asz_log_consistency(int dir_fd, uint64_t old_size, uint64_t tree_size, uint8_t (*ret_path)[32],
                                       size_t *ret_count, struct asz_diag *diag);
/* asz_log_prove: as asz_log_path for a checkpoint that was checked; the path is checked against its root. ASZ_ENOENT, ASZ_EAUTH.
 */
ASZ_MUST_CHECK int asz_log_prove(int dir_fd, const struct asz_checkpoint *checkpoint, uint64_t index, uint8_t (*ret_path)[32],
                                 size_t *ret_count, struct asz_diag *diag);
/* asz_log_verify: every entry and tile of the tree of `head`; and, unless NULL, that `known` is an earlier checkpoint of it. Both
 * were checked. ASZ_EAUTH, ASZ_EFORMAT, ASZ_EIO, ASZ_ENOENT, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_log_verify(int dir_fd, const struct asz_checkpoint *head, const struct asz_checkpoint *known,
                                  struct asz_diag *diag);

#endif
