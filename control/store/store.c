/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, creating, locking and transactions.
 *
 * One writer: an exclusive flock on PATH.lock, taken before the database is opened and held until it is closed. SQLite would let
 * two writers take turns, and two `run` over one store would interleave their epochs; the kernel drops the lock with the process,
 * so that a crash leaves nothing to clean up. Readers take no lock: WAL lets them see the last commit while the writer works.
 *
 * A new database is built beside its final name and linked to it when complete: there is no moment at which a crash leaves an
 * empty file under the name that `open` would then refuse. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/store/store_private.h"
#include "dataplane/base/durable.h"

enum {
  BUSY_MS = 250, /* for somebody's sqlite3 shell in between: longer would stall the end of an epoch */
  PATH_BYTES = 4096,
};

static int system_error(const char *path, const char *what, struct asz_diag *diag) {
  int number = errno;
  return asz_diag_set(diag, asz_errno_err(number), "%s: %s: %s", path, what, strerror(number));
}

/* A name beside the database. */
static int beside(char ret_path[PATH_BYTES], const char *path, const char *suffix, struct asz_diag *diag) {
  size_t path_bytes = strlen(path), suffix_bytes = strlen(suffix);
  if (path_bytes + suffix_bytes >= PATH_BYTES)
    return asz_diag_set(diag, ASZ_ETOOBIG, "store: path longer than %d bytes", PATH_BYTES - (int)suffix_bytes - 1);
  memcpy(ret_path, path, path_bytes);
  memcpy(ret_path + path_bytes, suffix, suffix_bytes + 1);
  return 0;
}

static int lock_take(int *ret_fd, const char *path, struct asz_diag *diag) {
  char lock_path[PATH_BYTES];
  int err = beside(lock_path, path, ".lock", diag);
  if (err)
    return err;
  int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return system_error(lock_path, "cannot open the lock", diag);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    *ret_fd = fd;
    return 0;
  }
  if (errno == EWOULDBLOCK)
    err = asz_diag_set(diag, ASZ_EAGAIN, "%s: another process is writing to this store (it holds %s)", path, lock_path);
  else
    err = system_error(lock_path, "cannot lock", diag);
  close(fd);
  return err;
}

static void lock_drop(int fd) {
  if (fd >= 0)
    close(fd); /* the file stays: removing it would race with whoever opened it meanwhile */
}

/* Opens with the settings that every connection has. *ret_db is NULL on failure. */
static int connect_to(sqlite3 **ret_db, const char *path, bool read_only, struct asz_diag *diag) {
  int flags = (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  sqlite3 *db = NULL;
  *ret_db = NULL;
  int rc = sqlite3_open_v2(path, &db, flags, NULL);
  int err = rc == SQLITE_OK ? 0 : asz_store_error(db, path, rc, "cannot open", diag);
  if (!err && !read_only && sqlite3_db_readonly(db, "main") == 1)
    err = asz_diag_set(diag, ASZ_EPERM, "%s: no permission to write", path);
  if (!err) {
    sqlite3_busy_timeout(db, BUSY_MS);
    /* FULL: a commit that was reported survives a power cut. trusted_schema off: a doctored file runs no functions of ours. */
    err = asz_store_exec(db, path, "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL",
                         "cannot open", diag);
  }
  if (err)
    sqlite3_close(db);
  else
    *ret_db = db;
  return err;
}

/* The whole new database under `path`, closed: schema in, WAL on. The file exists, is empty and has the right permissions. */
static int build(const char *path, struct asz_diag *diag) {
  sqlite3 *db;
  int err = connect_to(&db, path, false, diag);
  if (err)
    return err;
  err = asz_store_migrate(db, path, asz_store_steps, 0, asz_store_schema_version(), diag);
  if (!err)
    err = asz_store_exec(db, path, "PRAGMA journal_mode = WAL", "cannot switch to WAL", diag);
  int rc = sqlite3_close(db);
  if (!err && rc != SQLITE_OK)
    err = asz_store_error(NULL, path, rc, "cannot close", diag);
  return err;
}

static int create_locked(const char *path, const char *new_path, struct asz_diag *diag) {
  struct stat status;
  if (lstat(path, &status) == 0)
    return asz_diag_set(diag, ASZ_EEXIST, "%s: already exists", path);
  if (unlink(new_path) && errno != ENOENT) /* what an earlier crash left */
    return system_error(new_path, "cannot remove", diag);
  /* 0600: the epochs' secrets are in it; SQLite gives its -wal and -shm the same permissions */
  int fd = open(new_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return system_error(new_path, "cannot create", diag);
  close(fd);

  int err = build(new_path, diag);
  if (!err && link(new_path, path)) /* unlike rename, never replaces a file that appeared meanwhile */
    err = system_error(path, "cannot create", diag);
  unlink(new_path);
  if (err)
    return err;
  /* The name itself must survive a power cut, not only the contents. */
  return asz_sync_parent(path) ? system_error(path, "cannot sync its directory", diag) : 0;
}

int asz_store_create(const char *path, struct asz_diag *diag) {
  char new_path[PATH_BYTES];
  int err = beside(new_path, path, ".new", diag);
  if (err)
    return err;
  int lock_fd;
  err = lock_take(&lock_fd, path, diag);
  if (err)
    return err;
  err = create_locked(path, new_path, diag);
  lock_drop(lock_fd);
  return err;
}

/* Everything after the file is known to exist and the writer's lock is held. */
static int open_locked(struct asz_store *store, bool read_only, struct asz_diag *diag) {
  int err = connect_to(&store->db, store->path, read_only, diag);
  if (err)
    return err;
  int version;
  int known = asz_store_schema_version();
  err = asz_store_check(store->db, store->path, known, &version, diag);
  if (err || version == known)
    return err;
  if (read_only)
    return asz_diag_set(diag, ASZ_ESTATE, "%s: schema version %d is older than this program's %d: open it once for writing",
                        store->path, version, known);
  return asz_store_migrate(store->db, store->path, asz_store_steps, version, known, diag);
}

int asz_store_open(struct asz_store **ret_store, const char *path, bool read_only, struct asz_diag *diag) {
  struct stat status;
  if (stat(path, &status)) {
    if (errno == ENOENT)
      return asz_diag_set(diag, ASZ_ENOENT, "%s: no store here (assize init makes one)", path);
    return system_error(path, "cannot open", diag);
  }
  if (!S_ISREG(status.st_mode))
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: not a regular file", path);

  struct asz_store *store = calloc(1, sizeof *store);
  if (store) {
    store->lock_fd = -1;
    store->path = strdup(path);
  }
  if (!store || !store->path) {
    free(store);
    return asz_diag_set(diag, ASZ_ENOMEM, "%s: out of memory", path);
  }
  int err = read_only ? 0 : lock_take(&store->lock_fd, path, diag);
  if (!err)
    err = open_locked(store, read_only, diag);
  if (err) {
    asz_store_close(store);
    return err;
  }
  *ret_store = store;
  return 0;
}

void asz_store_close(struct asz_store *store) {
  if (!store)
    return;
  for (unsigned i = 0; i < ASZ_STATEMENT_COUNT; i++)
    sqlite3_finalize(store->statement[i]);
  int rc = sqlite3_close(store->db); /* rolls back what is open */
  assert(rc == SQLITE_OK);           /* BUSY: a statement outside the cache was left behind */
  (void)rc;
  lock_drop(store->lock_fd);
  free(store->path);
  free(store);
}

int asz_store_begin(struct asz_store *store, struct asz_diag *diag) {
  assert(store->transaction == ASZ_TRANSACTION_NONE);
  /* IMMEDIATE: a lock that is not to be had fails here and not in the middle */
  int err = asz_store_exec(store->db, store->path, "BEGIN IMMEDIATE", "cannot begin", diag);
  if (!err)
    store->transaction = ASZ_TRANSACTION_OPEN;
  return err;
}

int asz_store_commit(struct asz_store *store, struct asz_diag *diag) {
  assert(store->transaction != ASZ_TRANSACTION_NONE);
  int err;
  if (store->transaction == ASZ_TRANSACTION_BROKEN)
    err = asz_diag_set(diag, ASZ_ESTATE, "%s: nothing to commit: the transaction was rolled back by an earlier failure",
                       store->path);
  else
    err = asz_store_exec(store->db, store->path, "COMMIT", "cannot commit", diag);
  if (err)
    asz_store_rollback(store);
  store->transaction = ASZ_TRANSACTION_NONE;
  return err;
}

void asz_store_rollback(struct asz_store *store) {
  if (store->transaction == ASZ_TRANSACTION_OPEN)
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL); /* fails when SQLite already did it: then it is done */
  store->transaction = ASZ_TRANSACTION_NONE;
}
