/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share: the handle, the list of statements and a cursor that binds and reads columns in order.
 * Private to control/store and its tests.
 *
 * A cursor keeps the first error it met, so that a function binds a dozen columns and looks once at the end. Statements are
 * prepared on first use and kept: an epoch of 44,000 providers parses no SQL. */
#ifndef ASZ_CONTROL_STORE_STORE_PRIVATE_H
#define ASZ_CONTROL_STORE_STORE_PRIVATE_H

#include <sqlite3.h>

#include "control/store/store.h"

/* X(symbol, SQL) */
#define ASZ_STATEMENT_LIST(X)                                                                                                    \
  X(PROVIDER_ADD, "INSERT INTO provider (name, public_key, device, ipv4, ipv6, port, challenge_port, probe, flags, control,"     \
                  " region, operator, rtt_target_ns, registered_ns, hmac_secret) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")        \
  X(PROVIDER_UPDATE, "UPDATE provider SET public_key = ?, device = ?, ipv4 = ?, ipv6 = ?, port = ?, challenge_port = ?,"         \
                     " probe = ?, flags = ?, control = ?, region = ?, operator = ?, rtt_target_ns = ?, hmac_secret = ?"          \
                     " WHERE row = ?")                                                                                           \
  X(PROVIDER_LIST, "SELECT row, name, public_key, device, ipv4, ipv6, port, challenge_port, probe, flags, control, region,"      \
                   " operator, rtt_target_ns, registered_ns, hmac_secret FROM provider ORDER BY row")                            \
  X(PROVIDER_FIND, "SELECT row, name, public_key, device, ipv4, ipv6, port, challenge_port, probe, flags, control, region,"      \
                   " operator, rtt_target_ns, registered_ns, hmac_secret FROM provider WHERE name = ?")                          \
  X(PROVIDER_BY_NAME, "SELECT name FROM provider WHERE name = ?")                                                                \
  X(PROVIDER_BY_ADDRESS, "SELECT name FROM provider WHERE ipv4 = ? OR ipv6 = ?")                                                 \
  X(PROVIDER_BY_KEY, "SELECT name FROM provider WHERE public_key = ? AND device = ?")                                            \
  X(STATE_LOAD, "SELECT score, s1_count, s3_count, s1_open, jailed_until_ns FROM state WHERE provider_row = ?")                  \
  X(STATE_SAVE, "INSERT INTO state (provider_row, score, s1_count, s3_count, s1_open, jailed_until_ns) VALUES (?,?,?,?,?,?)"     \
                " ON CONFLICT (provider_row) DO UPDATE SET score = excluded.score, s1_count = excluded.s1_count,"                \
                " s3_count = excluded.s3_count, s1_open = excluded.s1_open, jailed_until_ns = excluded.jailed_until_ns")         \
  X(EPROCESS_START, "SELECT slot FROM eprocess_start WHERE provider_row = ?")                                                    \
  X(EPROCESS_START_SET, "INSERT INTO eprocess_start (provider_row, slot) VALUES (?,?)"                                           \
                        " ON CONFLICT (provider_row) DO UPDATE SET slot = excluded.slot")                                        \
  X(META_GET, "SELECT text FROM meta WHERE name = ?")                                                                            \
  X(META_SET, "INSERT INTO meta (name, text) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET text = excluded.text")                \
  X(EPOCH_PUT, "INSERT OR REPLACE INTO epoch (epoch, opened_ns, closed_ns, secret, beacon, params_hash, report_root,"            \
               " open_index, close_index, provider_count, complete, probes_sent, probes_answered, rate_pps, slots_unjudged)"     \
               " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")                                                                        \
  X(EPOCH_GET, "SELECT epoch, opened_ns, closed_ns, secret, beacon, params_hash, report_root, open_index, close_index,"          \
               " provider_count, complete, probes_sent, probes_answered, rate_pps, slots_unjudged FROM epoch WHERE epoch = ?")   \
  X(EPOCH_LAST, "SELECT epoch, opened_ns, closed_ns, secret, beacon, params_hash, report_root, open_index, close_index,"         \
                " provider_count, complete, probes_sent, probes_answered, rate_pps, slots_unjudged FROM epoch"                   \
                " ORDER BY epoch DESC LIMIT 1")                                                                                  \
  X(FAULT_CLEAR, "DELETE FROM fault WHERE epoch = ?")                                                                            \
  X(FAULT_PUT, "INSERT INTO fault (epoch, cause, count) VALUES (?,?,?)")                                                         \
  X(FAULT_LIST, "SELECT cause, count FROM fault WHERE epoch = ?")                                                                \
  X(REPORT_PUT, "INSERT OR REPLACE INTO report (epoch, records) VALUES (?,?)")                                                   \
  X(REPORT_GET, "SELECT records FROM report WHERE epoch = ?")                                                                    \
  X(SCORE_PUT, "INSERT INTO score (provider_row, epoch, score) VALUES (?,?,?) ON CONFLICT (provider_row) DO UPDATE SET"          \
               " previous_epoch = CASE epoch WHEN excluded.epoch THEN previous_epoch ELSE epoch END,"                            \
               " previous_score = CASE epoch WHEN excluded.epoch THEN previous_score ELSE score END,"                            \
               " epoch = excluded.epoch, score = excluded.score")                                                                \
  X(SCORE_NEWEST, "SELECT epoch, score FROM score WHERE provider_row = ?")                                                       \
  X(SCORE_PREVIOUS, "SELECT previous_epoch, previous_score FROM score"                                                           \
                    " WHERE provider_row = ? AND previous_epoch IS NOT NULL")                                                    \
  X(PERFORMANCE_PUT, "INSERT OR REPLACE INTO performance (provider_row, epoch, figures) VALUES (?,?,?)")                         \
  X(PERFORMANCE_NEWEST, "SELECT epoch, figures FROM performance WHERE provider_row = ?")                                         \
  X(TRANSCRIPT_PUT, "INSERT INTO transcript (provider_row, epoch, slot, kind, verdict, tx_ns, rx_ns, clock_error_ns,"            \
                    " challenge, answer, opening, build) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)")                                      \
  X(TRANSCRIPT_EACH, "SELECT epoch, slot, kind, verdict, tx_ns, rx_ns, clock_error_ns, challenge, answer, opening, build"        \
                     " FROM transcript WHERE provider_row = ? AND verdict = ? AND slot BETWEEN ? AND ? ORDER BY slot, id")       \
  X(TRANSCRIPT_PRUNE, "DELETE FROM transcript WHERE tx_ns < ? AND NOT (verdict = ? AND EXISTS (SELECT 1 FROM"                    \
                      " eprocess_start AS year WHERE year.provider_row = transcript.provider_row"                                \
                      " AND year.slot <= transcript.slot))")                                                                     \
  X(INCIDENT_PUT, "INSERT INTO incident (provider_row, epoch, at_ns, kind, detail) VALUES (?,?,?,?,?)")                          \
  X(INCIDENT_LAST, "SELECT epoch, at_ns, kind, detail FROM incident WHERE provider_row = ? ORDER BY at_ns DESC, id DESC"         \
                   " LIMIT ?")                                                                                                   \
  X(SLASH_PUT, "INSERT INTO slash (provider_row, epoch, at_ns, offence, stake_bps, jail_ns, bundle_hash, log_index, reason,"     \
               " bundle) VALUES (?,?,?,?,?,?,?,?,?,?)")                                                                          \
  X(SLASH_LIST, "SELECT id, provider_row, epoch, at_ns, offence, stake_bps, jail_ns, bundle_hash, log_index, reason FROM slash"  \
                " ORDER BY id")                                                                                                  \
  X(SLASH_GET, "SELECT id, provider_row, epoch, at_ns, offence, stake_bps, jail_ns, bundle_hash, log_index, reason, bundle"      \
               " FROM slash WHERE id = ?")
enum asz_statement {
#define ASZ_STATEMENT_ENUM(symbol, sql) ASZ_STATEMENT_##symbol,
  ASZ_STATEMENT_LIST(ASZ_STATEMENT_ENUM)
#undef ASZ_STATEMENT_ENUM
      ASZ_STATEMENT_COUNT
};

/* BROKEN: a write failed and everything was rolled back, but the caller has not yet said that it knows (rollback or commit).
 * Until then further writes are refused: SQLite itself may have left the transaction, and they would each commit alone. */
enum asz_transaction { ASZ_TRANSACTION_NONE, ASZ_TRANSACTION_OPEN, ASZ_TRANSACTION_BROKEN };

struct asz_store {
  sqlite3 *db;
  char *path;
  int lock_fd; /* -1: read only */
  enum asz_transaction transaction;
  sqlite3_stmt *statement[ASZ_STATEMENT_COUNT];
};

/* asz_store_error turns an SQLite result into one of ours and a line "PATH: what: SQLite's words". */
int asz_store_error(sqlite3 *db, const char *path, int sqlite_rc, const char *what, struct asz_diag *diag);
/* asz_store_exec runs SQL without parameters or results. */
ASZ_MUST_CHECK int asz_store_exec(sqlite3 *db, const char *path, const char *sql, const char *what, struct asz_diag *diag);

/* Schema. migrate brings db from its user_version to `count` in one transaction; steps[v] leads from version v to v + 1. check
 * reads the version and refuses foreign files and schemas newer than `count`; a database without a schema has version 0. */
extern const char *const asz_store_steps[];
ASZ_MUST_CHECK int asz_store_check(sqlite3 *db, const char *path, int count, int *ret_version, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_migrate(sqlite3 *db, const char *path, const char *const *steps, int version, int count,
                                     struct asz_diag *diag);

/* The cursor. begin; bind every parameter in order; then run (a write), or next until it returns 0 (a read), reading every column
 * in order after each 1; then end, which returns the first error and may be called at any point after begin. what: for the line,
 * by reference. */
struct asz_cursor {
  struct asz_store *store;
  sqlite3_stmt *statement;
  const char *what;
  struct asz_diag *diag;
  int position; /* of the next parameter or column */
  int err;
};
void asz_cursor_begin(struct asz_cursor *ret_cursor, struct asz_store *store, enum asz_statement statement, const char *what,
                      struct asz_diag *diag);
void asz_bind_u64(struct asz_cursor *cursor, uint64_t value); /* over INT64_MAX: ASZ_ERANGE */
void asz_bind_i64(struct asz_cursor *cursor, int64_t value);
void asz_bind_text(struct asz_cursor *cursor, const char *text);
void asz_bind_blob(struct asz_cursor *cursor, const void *bytes, size_t size_bytes); /* 0 bytes: an empty blob, not NULL */
void asz_bind_null(struct asz_cursor *cursor);
ASZ_MUST_CHECK int asz_cursor_run(struct asz_cursor *cursor);     /* ends the cursor too */
ASZ_MUST_CHECK int asz_cursor_next(struct asz_cursor *cursor);    /* 1: a row, 0: no more, negative: error */
uint64_t asz_column_u64(struct asz_cursor *cursor, uint64_t max); /* over max or negative: the row is malformed */
int64_t asz_column_i64(struct asz_cursor *cursor);
void asz_column_text(struct asz_cursor *cursor, char *ret_text, size_t capacity);
void asz_column_bytes(struct asz_cursor *cursor, void *ret_bytes, size_t size_bytes); /* exactly so many */
const void *asz_column_blob(struct asz_cursor *cursor, size_t *ret_size);             /* valid until next or end */
bool asz_column_is_null(const struct asz_cursor *cursor);                             /* the next column */
/* asz_column_copy: a blob as heap memory, never NULL for an empty one. Sets the cursor's error when out of memory. */
uint8_t *asz_column_copy(struct asz_cursor *cursor, size_t *ret_size);
/* asz_store_grow: room for element `count` of a heap array that rows are collected in; doubles. Out of memory: the cursor's
 * error, the array unchanged. */
void *asz_store_grow(struct asz_cursor *cursor, void *array, size_t count, size_t *capacity, size_t element_bytes);
ASZ_MUST_CHECK int asz_cursor_end(struct asz_cursor *cursor);

#endif
