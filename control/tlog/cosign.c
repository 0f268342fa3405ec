/* SPDX-License-Identifier: Apache-2.0 */
#include "control/tlog/cosign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/tlog/logfile.h"
#include "control/tlog/reader.h"

static bool replaced(const char *line, const struct asz_note_seen *seen, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (seen[i].line == line)
      return true;
  return false;
}

/* The published note with the new lines; heap. */
static int join(char **ret_note, size_t *ret_size, const char *note, const struct asz_cosignature *cosignature, size_t count,
                struct asz_diag *diag) {
  struct asz_note_key key[ASZ_NOTE_SIGNATURES_MAX];
  struct asz_note_seen seen[ASZ_NOTE_SIGNATURES_MAX];
  struct asz_note split;
  char *joined = NULL;
  size_t size;
  if (count > ASZ_NOTE_SIGNATURES_MAX)
    return asz_diag_set(diag, ASZ_ETOOBIG, "checkpoint: %zu cosignatures, expected at most %d", count, ASZ_NOTE_SIGNATURES_MAX);
  for (size_t i = 0; i < count; i++)
    key[i] = *cosignature[i].key;
  int err = asz_note_verify(&split, note, strlen(note), key, count, seen, diag);
  FILE *out = err ? NULL : open_memstream(&joined, &size);
  if (!out)
    return err ? err : asz_diag_set(diag, ASZ_ENOMEM, "checkpoint: no memory for its cosignatures");
  fwrite(note, 1, split.text_bytes + 1, out);
  for (const char *line = note + split.text_bytes + 1, *next; *line; line = next) {
    next = strchr(line, '\n') + 1;
    if (!replaced(line, seen, count))
      fwrite(line, 1, (size_t)(next - line), out);
  }
  for (size_t i = 0; i < count; i++)
    fputs(cosignature[i].line, out);
  bool failed = ferror(out) != 0;
  if (fclose(out) != 0 || failed)
    err = asz_diag_set(diag, ASZ_ENOMEM, "checkpoint: no memory for its cosignatures");
  else if (asz_note_split(&split, joined, size, diag) != 0)
    err = asz_diag_set(diag, ASZ_ETOOBIG, "checkpoint: too many signatures");
  if (err) {
    free(joined);
    return err;
  }
  *ret_note = joined;
  *ret_size = size;
  return 0;
}

static int replace_locked(int dir_fd, const uint8_t public_key[32], const char *note, const struct asz_cosignature *cosignature,
                          size_t count, char **ret_note, struct asz_diag *diag) {
  struct asz_checkpoint head;
  char *published, *joined = NULL;
  size_t size;
  int err = asz_log_checkpoint_read(dir_fd, public_key, &published, &head, diag);
  if (err)
    return err;
  size_t text_bytes = (size_t)(strstr(note, "\n\n") + 2 - note);
  if (strncmp(published, note, text_bytes) != 0)
    err = asz_diag_set(diag, ASZ_EAGAIN, "checkpoint: a newer one was published meanwhile: ask again");
  if (!err)
    err = join(&joined, &size, published, cosignature, count, diag);
  free(published);
  if (!err)
    err = asz_logfile_replace(dir_fd, "checkpoint", joined, size, diag);
  if (err)
    free(joined);
  else
    *ret_note = joined;
  return err;
}

int asz_tlog_cosign(const char *dir, const uint8_t public_key[32], const char *note, const struct asz_cosignature *cosignature,
                    size_t count, char **ret_note, struct asz_diag *diag) {
  int dir_fd, lock_fd;
  int err = asz_log_dir_open(dir, &dir_fd, diag);
  if (err)
    return err;
  err = asz_logfile_lock(dir_fd, ASZ_LOG_CHECKPOINT_LOCK, true, &lock_fd, diag);
  if (!err) {
    err = replace_locked(dir_fd, public_key, note, cosignature, count, ret_note, diag);
    close(lock_fd);
  }
  close(dir_fd);
  return err;
}
