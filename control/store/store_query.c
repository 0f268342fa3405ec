/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor over a prepared statement, and the one place where SQLite's results become ours. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "control/store/store_private.h"

static const char *const statement_sql[] = {
#define ASZ_STATEMENT_SQL(symbol, sql) sql,
    ASZ_STATEMENT_LIST(ASZ_STATEMENT_SQL)
#undef ASZ_STATEMENT_SQL
};

static int err_of(int rc) {
  if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
    return ASZ_ENOENT; /* a provider that is not registered */
  switch (rc & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return ASZ_EAGAIN;
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_AUTH:
    return ASZ_EPERM;
  case SQLITE_NOMEM:
    return ASZ_ENOMEM;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_FORMAT:
    return ASZ_EFORMAT;
  case SQLITE_TOOBIG:
    return ASZ_ETOOBIG;
  case SQLITE_CONSTRAINT:
    return ASZ_EEXIST;
  default:
    return ASZ_EIO;
  }
}

int asz_store_error(sqlite3 *db, const char *path, int sqlite_rc, const char *what, struct asz_diag *diag) {
  /* the handle's own words say more ("UNIQUE constraint failed: score.row") when they are about this result */
  bool own = db && sqlite3_extended_errcode(db) == sqlite_rc;
  return asz_diag_set(diag, err_of(sqlite_rc), "%s: %s: %s", path, what, own ? sqlite3_errmsg(db) : sqlite3_errstr(sqlite_rc));
}

int asz_store_exec(sqlite3 *db, const char *path, const char *sql, const char *what, struct asz_diag *diag) {
  int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
  return rc == SQLITE_OK ? 0 : asz_store_error(db, path, rc, what, diag);
}

static void fail(struct asz_cursor *cursor, int sqlite_rc) {
  if (!cursor->err)
    cursor->err = asz_store_error(cursor->store->db, cursor->store->path, sqlite_rc, cursor->what, cursor->diag);
}

static void malformed(struct asz_cursor *cursor) {
  if (!cursor->err)
    cursor->err = asz_diag_set(cursor->diag, ASZ_EFORMAT, "%s: %s: column %s is malformed", cursor->store->path, cursor->what,
                               sqlite3_column_name(cursor->statement, cursor->position));
}

void asz_cursor_begin(struct asz_cursor *ret_cursor, struct asz_store *store, enum asz_statement statement, const char *what,
                      struct asz_diag *diag) {
  *ret_cursor = (struct asz_cursor){.store = store, .what = what, .diag = diag};
  sqlite3_stmt **cached = &store->statement[statement];
  if (!*cached) {
    int rc = sqlite3_prepare_v3(store->db, statement_sql[statement], -1, SQLITE_PREPARE_PERSISTENT, cached, NULL);
    if (rc != SQLITE_OK)
      fail(ret_cursor, rc);
  }
  ret_cursor->statement = *cached;
}

static void check_bind(struct asz_cursor *cursor, int sqlite_rc) {
  if (sqlite_rc != SQLITE_OK)
    fail(cursor, sqlite_rc);
}

void asz_bind_i64(struct asz_cursor *cursor, int64_t value) {
  if (!cursor->err)
    check_bind(cursor, sqlite3_bind_int64(cursor->statement, ++cursor->position, value));
}

void asz_bind_u64(struct asz_cursor *cursor, uint64_t value) {
  if (value > INT64_MAX) {
    if (!cursor->err)
      cursor->err = asz_diag_set(cursor->diag, ASZ_ERANGE, "%s: %s: %llu does not fit a signed 64-bit column",
                                 cursor->store->path, cursor->what, (unsigned long long)value);
    return;
  }
  asz_bind_i64(cursor, (int64_t)value);
}

void asz_bind_text(struct asz_cursor *cursor, const char *text) {
  if (!cursor->err)
    check_bind(cursor, sqlite3_bind_text(cursor->statement, ++cursor->position, text, -1, SQLITE_STATIC));
}

void asz_bind_blob(struct asz_cursor *cursor, const void *bytes, size_t size_bytes) {
  if (!cursor->err) /* SQLite takes a NULL pointer for NULL, whatever the size */
    check_bind(cursor,
               sqlite3_bind_blob64(cursor->statement, ++cursor->position, size_bytes ? bytes : "", size_bytes, SQLITE_STATIC));
}

void asz_bind_null(struct asz_cursor *cursor) {
  if (!cursor->err)
    check_bind(cursor, sqlite3_bind_null(cursor->statement, ++cursor->position));
}

int asz_cursor_next(struct asz_cursor *cursor) {
  if (cursor->err)
    return cursor->err;
  cursor->position = 0;
  int rc = sqlite3_step(cursor->statement);
  if (rc == SQLITE_ROW)
    return 1;
  if (rc != SQLITE_DONE)
    fail(cursor, rc);
  return cursor->err;
}

int asz_cursor_run(struct asz_cursor *cursor) {
  struct asz_store *store = cursor->store;
  if (store->transaction == ASZ_TRANSACTION_BROKEN && !cursor->err)
    cursor->err = asz_diag_set(cursor->diag, ASZ_ESTATE, "%s: %s: the transaction was rolled back by an earlier failure",
                               store->path, cursor->what);
  int row = asz_cursor_next(cursor);
  assert(row <= 0); /* a statement that returns rows is read with next */
  int err = asz_cursor_end(cursor);
  if (err && store->transaction == ASZ_TRANSACTION_OPEN) {
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL); /* fails when SQLite already did it: then it is done */
    store->transaction = ASZ_TRANSACTION_BROKEN;
  }
  return err;
}

uint64_t asz_column_u64(struct asz_cursor *cursor, uint64_t max) {
  int64_t value = sqlite3_column_int64(cursor->statement, cursor->position);
  if (value < 0 || (uint64_t)value > max)
    malformed(cursor);
  cursor->position++;
  return (uint64_t)value;
}

int64_t asz_column_i64(struct asz_cursor *cursor) {
  return sqlite3_column_int64(cursor->statement, cursor->position++);
}

void asz_column_text(struct asz_cursor *cursor, char *ret_text, size_t capacity) {
  const char *text = (const char *)sqlite3_column_text(cursor->statement, cursor->position);
  size_t size_bytes = (size_t)sqlite3_column_bytes(cursor->statement, cursor->position);
  if (!text || size_bytes >= capacity || memchr(text, 0, size_bytes))
    malformed(cursor);
  else
    memcpy(ret_text, text, size_bytes + 1);
  cursor->position++;
}

const void *asz_column_blob(struct asz_cursor *cursor, size_t *ret_size) {
  const void *bytes = sqlite3_column_blob(cursor->statement, cursor->position);
  *ret_size = (size_t)sqlite3_column_bytes(cursor->statement, cursor->position);
  cursor->position++;
  return bytes ? bytes : ""; /* SQLite returns NULL for an empty blob */
}

void asz_column_bytes(struct asz_cursor *cursor, void *ret_bytes, size_t size_bytes) {
  size_t size;
  const void *bytes = asz_column_blob(cursor, &size);
  if (size == size_bytes) {
    memcpy(ret_bytes, bytes, size_bytes);
    return;
  }
  cursor->position--; /* the line names this column */
  malformed(cursor);
  cursor->position++;
}

bool asz_column_is_null(const struct asz_cursor *cursor) {
  return sqlite3_column_type(cursor->statement, cursor->position) == SQLITE_NULL;
}

uint8_t *asz_column_copy(struct asz_cursor *cursor, size_t *ret_size) {
  const void *bytes = asz_column_blob(cursor, ret_size);
  uint8_t *copy = malloc(*ret_size ? *ret_size : 1);
  if (!copy) {
    fail(cursor, SQLITE_NOMEM);
    return NULL;
  }
  memcpy(copy, bytes, *ret_size);
  return copy;
}

void *asz_store_grow(struct asz_cursor *cursor, void *array, size_t count, size_t *capacity, size_t element_bytes) {
  if (count < *capacity)
    return array;
  size_t capacity_new = *capacity ? *capacity * 2 : 64;
  void *grown = reallocarray(array, capacity_new, element_bytes);
  if (!grown) {
    fail(cursor, SQLITE_NOMEM);
    return array;
  }
  *capacity = capacity_new;
  return grown;
}

int asz_cursor_end(struct asz_cursor *cursor) {
  if (cursor->statement) {
    (void)sqlite3_reset(cursor->statement); /* repeats the error of the last step, which is in cursor->err */
    sqlite3_clear_bindings(cursor->statement);
  }
  return cursor->err;
}
