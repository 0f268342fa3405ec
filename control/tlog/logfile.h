/* SPDX-License-Identifier: Apache-2.0 */
/* asz_logfile: reading a log's files, and putting them there so that they survive a power cut. Paths are relative to the log's
 * directory and shorter than ASZ_LOGFILE_PATH_MAX. One writer at a time. Within control/tlog, and the witness's state. */
#ifndef ASZ_CONTROL_TLOG_LOGFILE_H
#define ASZ_CONTROL_TLOG_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

/* 128 files a flush: on ext4 their fsyncs share one commit of the journal, and as many open files are far from any limit. */
enum { ASZ_LOGFILE_PATH_MAX = 96, ASZ_LOGFILE_BATCH_MAX = 128 };

/* asz_logfile_read: a whole regular file of at most size_max bytes (heap, one NUL behind it). ASZ_ENOENT, ASZ_EIO, ASZ_ETOOBIG.
 */
ASZ_MUST_CHECK int asz_logfile_read(int dir_fd, const char *path, size_t size_max, uint8_t **ret_data, size_t *ret_size,
                                    struct asz_diag *diag);
/* asz_logfile_replace makes path hold exactly data, durably: on return it survives a power cut, and at no time is a part of it
 * visible under its name. Makes missing folders. The temporary name DIR/.new is fixed. ASZ_EIO. */
ASZ_MUST_CHECK int asz_logfile_replace(int dir_fd, const char *path, const void *data, size_t size_bytes, struct asz_diag *diag);

/* asz_logfile_lock takes the lock on DIR/<name>, which close(*ret_fd), also by the end of the process, gives back. wait: as long
 * as another has it; else ASZ_EAGAIN then. ASZ_EIO. */
ASZ_MUST_CHECK int asz_logfile_lock(int dir_fd, const char *name, bool wait, int *ret_fd, struct asz_diag *diag);

/* asz_logfile_batch: many new files made durable together. A file is written under its own name, so it may be torn until the
 * flush returns: only for names that nobody may ask for before something else (the checkpoint) speaks of them. */
struct asz_logfile_batch {
  int dir_fd; /* borrowed */
  unsigned count;
  int fd[ASZ_LOGFILE_BATCH_MAX];
  char path[ASZ_LOGFILE_BATCH_MAX][ASZ_LOGFILE_PATH_MAX];
};
/* asz_logfile_batch_write: what lay under the name is overwritten. Makes missing folders. ASZ_EIO. */
ASZ_MUST_CHECK int asz_logfile_batch_write(struct asz_logfile_batch *batch, const char *path, const void *data, size_t size_bytes,
                                           struct asz_diag *diag);
/* asz_logfile_batch_flush: on success all files written since the last flush, and their names, survive a power cut. ASZ_EIO: any
 * of them may be missing. The batch is empty in both cases. */
ASZ_MUST_CHECK int asz_logfile_batch_flush(struct asz_logfile_batch *batch, struct asz_diag *diag);
/* asz_logfile_batch_drop empties the batch without making anything durable. */
void asz_logfile_batch_drop(struct asz_logfile_batch *batch);

#endif
