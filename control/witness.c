/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things is the whole promise. A request is judged against the state on disk; then the new state is made durable;
 * only then is the cosignature made, kept for monitors, and handed back. Whatever fails or crashes before leaves the old state
 * and no cosignature; after it, the log asks again with the new size and gets one over the same tree. There is one thread, so
 * nothing comes between looking and keeping. cosign() is the only way to a cosignature. */
#include "control/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/tlog/logfile.h"

enum { PATH_BYTES = 4096, HASH_TEXT = 65 };

struct asz_witness {
  int dir_fd, lock_fd;
  const struct asz_policy *logs;
  struct asz_identity key;
  struct asz_note_key note_key;
  char vkey[ASZ_VKEY_BYTES];
};

/* A log's place in DIR. */
static void log_path(char ret_path[ASZ_LOGFILE_PATH_MAX], const char *origin, const char *file) {
  uint8_t hash[32];
  char text[HASH_TEXT];
  crypto_hash_sha256(hash, (const uint8_t *)origin, strlen(origin));
  asz_hex_encode(text, hash, sizeof hash);
  snprintf(ret_path, ASZ_LOGFILE_PATH_MAX, "%s/%s", text, file);
}

static int key_path(char ret_path[PATH_BYTES], const char *dir, struct asz_diag *diag) {
  if (snprintf(ret_path, PATH_BYTES, "%s/witness.key", dir) >= PATH_BYTES)
    return asz_diag_set(diag, ASZ_ETOOBIG, "%s: too long a path", dir);
  return 0;
}

static int open_dir(const char *dir, int *ret_fd, struct asz_diag *diag) {
  int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return asz_diag_set(diag, errno == ENOENT ? ASZ_ENOENT : ASZ_EIO, "%s: no witness there: %s", dir, strerror(errno));
  *ret_fd = fd;
  return 0;
}

int asz_witness_create(const char *dir, const char *name, struct asz_diag *diag) {
  char path[PATH_BYTES], vkey[ASZ_VKEY_BYTES + 1];
  struct asz_identity key;
  struct asz_note_key note_key;
  int dir_fd = -1;
  if (!asz_key_name_ok(name, strlen(name)))
    return asz_diag_set(diag, ASZ_EINVAL, "witness: expected a name of 1 to %d bytes without spaces, '+' or control characters",
                        ASZ_TLOG_ORIGIN_MAX);
  int err = key_path(path, dir, diag);
  if (err)
    return err;
  if (mkdir(dir, 0700) != 0 && errno != EEXIST)
    return asz_diag_set(diag, ASZ_EIO, "%s: %s", dir, strerror(errno));
  err = asz_identity_create(path, &key, diag); /* refuses when there is one */
  if (!err)
    err = open_dir(dir, &dir_fd, diag);
  if (err)
    return err;
  asz_note_key_make(&note_key, name, ASZ_NOTE_COSIGNATURE, key.public_key);
  asz_identity_wipe(&key);
  asz_note_key_format(vkey, &note_key);
  strcat(vkey, "\n");
  err = asz_logfile_replace(dir_fd, "vkey", vkey, strlen(vkey), diag);
  close(dir_fd);
  return err;
}

static int load_keys(struct asz_witness *witness, const char *dir, struct asz_diag *diag) {
  char path[PATH_BYTES];
  uint8_t *text;
  size_t size;
  int err = key_path(path, dir, diag);
  if (!err)
    err = asz_identity_load(path, &witness->key, diag);
  if (!err)
    err = asz_logfile_read(witness->dir_fd, "vkey", ASZ_VKEY_BYTES, &text, &size, diag);
  if (err)
    return err;
  if (size > 0 && text[size - 1] == '\n')
    text[size - 1] = 0;
  err = asz_note_key_parse(&witness->note_key, (const char *)text);
  free(text);
  if (err || witness->note_key.type != ASZ_NOTE_COSIGNATURE ||
      memcmp(witness->note_key.public_key, witness->key.public_key, 32) != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s/vkey: expected the verifier key of %s", dir, path);
  asz_note_key_format(witness->vkey, &witness->note_key);
  return 0;
}

int asz_witness_open(struct asz_witness **ret_witness, const char *dir, const struct asz_policy *logs, struct asz_diag *diag) {
  struct asz_witness *witness = calloc(1, sizeof *witness);
  if (!witness)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for a witness");
  witness->logs = logs;
  witness->dir_fd = witness->lock_fd = -1;
  int err = open_dir(dir, &witness->dir_fd, diag);
  if (!err)
    err = load_keys(witness, dir, diag);
  if (!err)
    err = asz_logfile_lock(witness->dir_fd, ".lock", false, &witness->lock_fd, diag);
  if (err == ASZ_EAGAIN)
    asz_diag_set(diag, err, "%s: another process is this witness", dir);
  if (err)
    asz_witness_close(witness);
  else
    *ret_witness = witness;
  return err;
}

void asz_witness_close(struct asz_witness *witness) {
  if (!witness)
    return;
  if (witness->lock_fd >= 0)
    close(witness->lock_fd);
  if (witness->dir_fd >= 0)
    close(witness->dir_fd);
  asz_identity_wipe(&witness->key);
  free(witness);
}

const char *asz_witness_vkey(const struct asz_witness *witness) {
  return witness->vkey;
}

/* A request as far as it was understood. */
struct request {
  struct asz_add_checkpoint add;
  struct asz_note note;
  struct asz_checkpoint checkpoint, state; /* state: tree_size 0 when there is none */
  const char *log_line;                    /* the log's signature line, in the note */
  size_t log_line_bytes;
};

static void answer_text(struct asz_witness_answer *answer, unsigned status, const char *text) {
  answer->status = status;
  answer->body = strdup(text);
  answer->body_bytes = answer->body ? strlen(text) : 0;
}

/* why, as a line. */
static void refuse(struct asz_witness_answer *answer, unsigned status) {
  char line[ASZ_DIAG_BYTES + 1];
  snprintf(line, sizeof line, "%s\n", answer->why.text);
  answer_text(answer, status, line);
}

/* The keys that may sign for the checkpoint's log; their count. */
static unsigned keys_of_log(const struct asz_policy *logs, const char *origin, struct asz_note_key ret_key[ASZ_POLICY_LOGS_MAX]) {
  unsigned count = 0;
  for (unsigned i = 0; i < logs->log_count; i++)
    if (strcmp(logs->log[i].name, origin) == 0)
      ret_key[count++] = logs->log[i];
  return count;
}

/* 0, or the status to answer. */
static unsigned check_signature(const struct asz_policy *logs, struct request *request, struct asz_diag *why) {
  struct asz_note_key key[ASZ_POLICY_LOGS_MAX];
  struct asz_note_seen seen[ASZ_POLICY_LOGS_MAX];
  unsigned count = keys_of_log(logs, request->checkpoint.origin, key);
  if (count == 0) {
    asz_diag_set(why, ASZ_EAUTH, "the log %s is not known here", request->checkpoint.origin);
    return 404;
  }
  int err = asz_note_verify(&request->note, request->add.note, request->add.note_bytes, key, count, seen, why);
  for (unsigned i = 0; !err && i < count; i++)
    if (seen[i].verified) {
      request->log_line = seen[i].line;
      request->log_line_bytes = seen[i].line_bytes;
      return 0;
    }
  if (!err)
    asz_diag_set(why, ASZ_EAUTH, "not signed by %s with a key known here", request->checkpoint.origin);
  return err == ASZ_ENOMEM ? 500 : 403;
}

static unsigned check_form(struct request *request, const char *body, size_t size_bytes, struct asz_diag *why) {
  int err = asz_add_checkpoint_parse(&request->add, body, size_bytes, why);
  if (!err)
    err = asz_note_split(&request->note, request->add.note, request->add.note_bytes, why);
  if (!err)
    err = asz_checkpoint_parse(&request->checkpoint, request->add.note, request->note.text_bytes, why);
  return err ? 400 : 0;
}

/* What was cosigned last. A state that cannot be read is no reason to start again: the request is refused. */
static unsigned read_state(const struct asz_witness *witness, struct request *request, struct asz_diag *why) {
  char path[ASZ_LOGFILE_PATH_MAX];
  uint8_t *note;
  size_t size;
  struct asz_note split;
  log_path(path, request->checkpoint.origin, "state");
  int err = asz_logfile_read(witness->dir_fd, path, ASZ_NOTE_MAX_BYTES, &note, &size, why);
  if (err == ASZ_ENOENT) {
    request->state.tree_size = 0;
    asz_tlog_tree_hash(request->state.root, NULL, 0);
    return 0;
  }
  if (err)
    return 500;
  err = asz_note_split(&split, (const char *)note, size, why); /* its signature was checked before it was kept */
  if (!err)
    err = asz_checkpoint_parse(&request->state, (const char *)note, split.text_bytes, why);
  if (!err && strcmp(request->state.origin, request->checkpoint.origin) != 0)
    err = asz_diag_set(why, ASZ_EFORMAT, "%s: is of another log", path);
  free(note);
  return err ? 500 : 0;
}

static unsigned check_growth(const struct request *request, struct asz_diag *why) {
  const struct asz_checkpoint *new = &request->checkpoint, *old = &request->state;
  uint8_t empty[32];
  if (request->add.old_size > new->tree_size) {
    asz_diag_set(why, ASZ_EFORMAT, "the old size is larger than the checkpoint's");
    return 400;
  }
  if (request->add.old_size != old->tree_size) {
    asz_diag_set(why, ASZ_EAUTH, "the old size is not the %llu entries that were cosigned last",
                 (unsigned long long)old->tree_size);
    return 409;
  }
  asz_tlog_tree_hash(empty, NULL, 0);
  if ((new->tree_size == 0 && memcmp(new->root, empty, 32) != 0) ||
      asz_tlog_consistency_check(old->root, old->tree_size, new->root, new->tree_size, (const uint8_t(*)[32])request->add.path,
                                 request->add.path_count) != 0) {
    asz_diag_set(why, ASZ_EAUTH, "%s: the tree of %llu entries is not proved to extend that of %llu", new->origin,
                 (unsigned long long)new->tree_size, (unsigned long long)old->tree_size);
    return 422;
  }
  return 0;
}

/* The checkpoint with one signature line as a note of its own; heap, NULL without memory. */
static char *note_with(const struct request *request, const char *more, size_t *ret_size) {
  size_t text_bytes = request->note.text_bytes, size = text_bytes + 1 + request->log_line_bytes + strlen(more);
  char *note = malloc(size + 1);
  if (!note)
    return NULL;
  snprintf(note, size + 1, "%.*s\n%.*s%s", (int)text_bytes, request->add.note, (int)request->log_line_bytes, request->log_line,
           more);
  *ret_size = size;
  return note;
}

static int keep(const struct asz_witness *witness, const struct request *request, const char *file, const char *more,
                struct asz_diag *why) {
  char path[ASZ_LOGFILE_PATH_MAX];
  size_t size;
  char *note = note_with(request, more, &size);
  if (!note)
    return asz_diag_set(why, ASZ_ENOMEM, "no memory to keep a checkpoint");
  log_path(path, request->checkpoint.origin, file);
  int err = asz_logfile_replace(witness->dir_fd, path, note, size, why);
  free(note);
  return err;
}

/* The one place where a cosignature is made: its tree is the durable state by then. */
static int cosign(const struct asz_witness *witness, const struct request *request, uint64_t now_s,
                  char ret_line[ASZ_COSIGNATURE_LINE_MAX], struct asz_diag *why) {
  bool grew = request->checkpoint.tree_size != request->state.tree_size; /* else the state has this tree already */
  int err = grew ? keep(witness, request, "state", "", why) : 0;
  if (!err)
    err =
        asz_cosignature_sign(ret_line, witness->note_key.name, &witness->key, request->add.note, request->note.text_bytes, now_s);
  return err ? err : keep(witness, request, "checkpoint", ret_line, why);
}

void asz_witness_add_checkpoint(struct asz_witness *witness, const char *body, size_t size_bytes, uint64_t now_s,
                                struct asz_witness_answer *ret_answer) {
  struct request request;
  char line[ASZ_COSIGNATURE_LINE_MAX];
  *ret_answer = (struct asz_witness_answer){.content_type = "text/plain; charset=utf-8"};
  unsigned status = check_form(&request, body, size_bytes, &ret_answer->why);
  if (!status)
    status = check_signature(witness->logs, &request, &ret_answer->why);
  if (!status)
    status = read_state(witness, &request, &ret_answer->why);
  if (!status)
    status = check_growth(&request, &ret_answer->why);
  if (!status && cosign(witness, &request, now_s, line, &ret_answer->why) != 0)
    status = 500;
  if (status == 409) {
    char size[24];
    snprintf(size, sizeof size, "%llu\n", (unsigned long long)request.state.tree_size);
    ret_answer->content_type = "text/x.tlog.size";
    answer_text(ret_answer, status, size);
  } else if (status) {
    refuse(ret_answer, status);
  } else {
    answer_text(ret_answer, 200, line);
  }
}

void asz_witness_checkpoint(struct asz_witness *witness, const char *origin_hash, struct asz_witness_answer *ret_answer) {
  char path[ASZ_LOGFILE_PATH_MAX];
  uint8_t hash[32], *note;
  size_t size;
  *ret_answer = (struct asz_witness_answer){.content_type = "text/plain; charset=utf-8"};
  if (asz_hex_decode(hash, 32, origin_hash) != 0 || strpbrk(origin_hash, "ABCDEF")) {
    asz_diag_set(&ret_answer->why, ASZ_EFORMAT, "expected the SHA-256 of a log's origin, in lower-case hex");
    refuse(ret_answer, 404);
    return;
  }
  snprintf(path, sizeof path, "%s/checkpoint", origin_hash);
  int err = asz_logfile_read(witness->dir_fd, path, ASZ_NOTE_MAX_BYTES, &note, &size, &ret_answer->why);
  if (err) {
    refuse(ret_answer, err == ASZ_ENOENT ? 404 : 500);
    return;
  }
  ret_answer->status = 200;
  ret_answer->body = (char *)note;
  ret_answer->body_bytes = size;
}
