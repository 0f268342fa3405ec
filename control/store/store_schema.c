/* SPDX-License-Identifier: Apache-2.0 */
/* The schema as a list of steps, each leading from one version to the next, from the empty file on. A released step never changes
 * again: a change of the schema is one more step at the end. So every database of every age runs the same code forward, and a new
 * one is made by running all of them.
 *
 * Tables are STRICT: SQLite refuses a text where an integer belongs. `application_id` tells our files from any other SQLite file,
 * `user_version` is the schema version; both live in the file's header and change with the transaction. */
#include <stdio.h>

#include "control/store/store_private.h"

enum { APPLICATION_ID = 0x6173697a }; /* "asiz" */

const char *const asz_store_steps[] = {
    /* 0 -> 1 */
    "CREATE TABLE meta (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;"

    "CREATE TABLE provider (row INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, public_key BLOB,"
    " device INTEGER NOT NULL, ipv4 INTEGER NOT NULL UNIQUE, port INTEGER NOT NULL, challenge_port INTEGER NOT NULL,"
    " probe INTEGER NOT NULL, flags INTEGER NOT NULL, control INTEGER NOT NULL, region TEXT NOT NULL, operator TEXT NOT NULL,"
    " rtt_target_ns INTEGER NOT NULL, registered_ns INTEGER NOT NULL) STRICT;"
    /* SQLite counts NULLs as different: providers without a key never collide */
    "CREATE UNIQUE INDEX provider_by_key ON provider (public_key, device);"

    "CREATE TABLE state (provider_row INTEGER PRIMARY KEY REFERENCES provider (row), score BLOB NOT NULL,"
    " s1_count INTEGER NOT NULL, s3_count INTEGER NOT NULL, s1_open INTEGER NOT NULL, jailed_until_ns INTEGER NOT NULL) STRICT;"
    "CREATE TABLE eprocess_start (provider_row INTEGER PRIMARY KEY REFERENCES provider (row), slot INTEGER NOT NULL) STRICT;"

    "CREATE TABLE epoch (epoch INTEGER PRIMARY KEY, opened_ns INTEGER NOT NULL, closed_ns INTEGER NOT NULL,"
    " secret BLOB NOT NULL, beacon BLOB NOT NULL, params_hash BLOB NOT NULL, report_root BLOB NOT NULL,"
    " open_index INTEGER NOT NULL, close_index INTEGER NOT NULL, provider_count INTEGER NOT NULL, complete INTEGER NOT NULL,"
    " probes_sent INTEGER NOT NULL, probes_answered INTEGER NOT NULL, rate_pps INTEGER NOT NULL,"
    " slots_unjudged INTEGER NOT NULL) STRICT;"
    "CREATE TABLE report (epoch INTEGER PRIMARY KEY, records BLOB NOT NULL) STRICT;"

    "CREATE TABLE score (provider_row INTEGER PRIMARY KEY REFERENCES provider (row), epoch INTEGER NOT NULL,"
    " score BLOB NOT NULL, previous_epoch INTEGER, previous_score BLOB) STRICT;"

    "CREATE TABLE transcript (id INTEGER PRIMARY KEY, provider_row INTEGER NOT NULL REFERENCES provider (row),"
    " epoch INTEGER NOT NULL, slot INTEGER NOT NULL, kind INTEGER NOT NULL, verdict INTEGER NOT NULL, tx_ns INTEGER NOT NULL,"
    " rx_ns INTEGER NOT NULL, clock_error_ns INTEGER NOT NULL, challenge BLOB NOT NULL, answer BLOB NOT NULL) STRICT;"
    "CREATE INDEX transcript_by_slot ON transcript (provider_row, verdict, slot);"
    "CREATE INDEX transcript_by_time ON transcript (tx_ns);"

    "CREATE TABLE incident (id INTEGER PRIMARY KEY, provider_row INTEGER NOT NULL REFERENCES provider (row),"
    " epoch INTEGER NOT NULL, at_ns INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
    "CREATE INDEX incident_by_time ON incident (provider_row, at_ns);"

    "CREATE TABLE slash (id INTEGER PRIMARY KEY AUTOINCREMENT, provider_row INTEGER NOT NULL REFERENCES provider (row),"
    " epoch INTEGER NOT NULL, at_ns INTEGER NOT NULL, offence INTEGER NOT NULL, stake_bps INTEGER NOT NULL,"
    " jail_ns INTEGER NOT NULL, bundle_hash BLOB NOT NULL, log_index INTEGER NOT NULL, reason TEXT NOT NULL,"
    " bundle BLOB NOT NULL) STRICT;",

    /* 1 -> 2: the key of STAMP's authenticated mode, where a provider was given one */
    "ALTER TABLE provider ADD COLUMN hmac_secret BLOB;",

    /* 2 -> 3: an address is IPv4 or IPv6. SQLite cannot take NOT NULL from a column, so the table is made anew; the counter
     * behind AUTOINCREMENT moves with it, so that a row's number stays spent. */
    "CREATE TABLE provider_2 (row INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, public_key BLOB,"
    " device INTEGER NOT NULL, ipv4 INTEGER UNIQUE, ipv6 BLOB UNIQUE, port INTEGER NOT NULL, challenge_port INTEGER NOT NULL,"
    " probe INTEGER NOT NULL, flags INTEGER NOT NULL, control INTEGER NOT NULL, region TEXT NOT NULL, operator TEXT NOT NULL,"
    " rtt_target_ns INTEGER NOT NULL, registered_ns INTEGER NOT NULL, hmac_secret BLOB, CHECK ((ipv4 IS NULL) <> (ipv6 IS "
    "NULL))) STRICT;"
    "INSERT INTO provider_2 SELECT row, name, public_key, device, ipv4, NULL, port, challenge_port, probe, flags, control, "
    "region,"
    " operator, rtt_target_ns, registered_ns, hmac_secret FROM provider;"
    "UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'provider') WHERE name = 'provider_2';"
    "DROP TABLE provider;"
    "ALTER TABLE provider_2 RENAME TO provider;"
    "CREATE UNIQUE INDEX provider_by_key ON provider (public_key, device);",

    /* 3 -> 4: which faults of the prober spoiled slots of an epoch; the names are those of base/faults.h */
    "CREATE TABLE fault (epoch INTEGER NOT NULL, cause TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (epoch, cause)) "
    "STRICT;",

    /* 4 -> 5: what gemm and mem show of their work; empty for answers that are all there is */
    "ALTER TABLE transcript ADD COLUMN opening BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE transcript ADD COLUMN build BLOB NOT NULL DEFAULT x'';",

    /* 5 -> 6: how fast the work was */
    "CREATE TABLE performance (provider_row INTEGER PRIMARY KEY REFERENCES provider (row), epoch INTEGER NOT NULL,"
    " figures BLOB NOT NULL) STRICT;",
};

int asz_store_schema_version(void) {
  return (int)(sizeof asz_store_steps / sizeof asz_store_steps[0]);
}

static int pragma_get(sqlite3 *db, const char *path, const char *sql, int *ret_value, struct asz_diag *diag) {
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_step(statement);
  int value = rc == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
  sqlite3_finalize(statement);
  if (rc != SQLITE_ROW)
    return asz_store_error(db, path, rc, "reading the header", diag);
  *ret_value = value;
  return 0;
}

int asz_store_check(sqlite3 *db, const char *path, int count, int *ret_version, struct asz_diag *diag) {
  int application_id = 0, version = 0;
  int err = pragma_get(db, path, "PRAGMA application_id", &application_id, diag);
  if (!err)
    err = pragma_get(db, path, "PRAGMA user_version", &version, diag);
  if (err)
    return err;
  if (application_id != APPLICATION_ID)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: an SQLite database, but not a store of assize (application_id %#x, expected %#x)",
                        path, (unsigned)application_id, APPLICATION_ID);
  if (version < 1 || version > count)
    return asz_diag_set(diag, ASZ_ENOTSUP, "%s: schema version %d, but this program knows 1 to %d: use a newer assize", path,
                        version, count);
  *ret_version = version;
  return 0;
}

int asz_store_migrate(sqlite3 *db, const char *path, const char *const *steps, int version, int count, struct asz_diag *diag) {
  /* A table that others refer to can be made anew only while nobody follows the references; the switch has no effect within a
   * transaction. */
  int err = asz_store_exec(db, path, "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE", "migration", diag);
  if (err)
    return err;
  for (int v = version; v < count && !err; v++) {
    char what[64];
    snprintf(what, sizeof what, "migration to schema version %d", v + 1);
    err = asz_store_exec(db, path, steps[v], what, diag);
  }
  char header[96];
  snprintf(header, sizeof header, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, count);
  if (!err)
    err = asz_store_exec(db, path, header, "migration", diag);
  if (!err)
    err = asz_store_exec(db, path, "COMMIT", "migration", diag);
  if (err)
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  int on = asz_store_exec(db, path, "PRAGMA foreign_keys = ON", "migration", err ? NULL : diag);
  return err ? err : on;
}
