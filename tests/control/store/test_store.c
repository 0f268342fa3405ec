/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, creating, locking, versions: the file as a whole. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/control/store/store_fixture.h"

static void write_file(const char *path, const void *bytes, size_t size_bytes) {
  FILE *file = fopen(path, "w");
  cr_assert_not_null(file);
  cr_assert_eq(fwrite(bytes, 1, size_bytes, file), size_bytes);
  fclose(file);
}

static void sql(const char *path, const char *text) {
  sqlite3 *db;
  cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
  cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
  sqlite3_close(db);
}

/* Refused for reading and for writing, with a line that begins with the path, and no handle. */
static void assert_refused(struct store_fixture *fixture, int err, const char *expected) {
  for (int read_only = 0; read_only < 2; read_only++) {
    struct asz_store *store = NULL;
    memset(&fixture->diag, 0, sizeof fixture->diag);
    cr_assert_eq(asz_store_open(&store, fixture->path, read_only, &fixture->diag), err, "%s", fixture->diag.text);
    cr_assert_null(store);
    cr_assert_eq(strncmp(fixture->diag.text, fixture->path, strlen(fixture->path)), 0, "%s", fixture->diag.text);
    cr_assert_not_null(strstr(fixture->diag.text, expected), "%s", fixture->diag.text);
  }
}

Test(store, open_refuses_a_missing_file)
{
  struct store_fixture fixture;
  fixture_make(&fixture);
  assert_refused(&fixture, ASZ_ENOENT, "no store here");
  cr_assert_neq(access(fixture.path, F_OK), 0, "open must not create");
  fixture_remove(&fixture);
}

Test(store, open_refuses_a_directory)
{
  struct store_fixture fixture;
  fixture_make(&fixture);
  struct store_fixture directory = fixture;
  snprintf(directory.path, sizeof directory.path, "%s", fixture.directory);
  assert_refused(&directory, ASZ_EFORMAT, "not a regular file");
  fixture_remove(&fixture);
}

Test(store, open_refuses_garbage_and_an_empty_file)
{
  struct store_fixture fixture;
  fixture_make(&fixture);
  char garbage[5000];
  memset(garbage, 'x', sizeof garbage);
  write_file(fixture.path, garbage, sizeof garbage);
  assert_refused(&fixture, ASZ_EFORMAT, "not a database");
  write_file(fixture.path, "", 0);
  assert_refused(&fixture, ASZ_EFORMAT, "not a store of assize");
  fixture_remove(&fixture);
}

Test(store, open_refuses_another_programs_database)
{
  struct store_fixture fixture;
  fixture_make(&fixture);
  sql(fixture.path, "CREATE TABLE t (x); PRAGMA user_version = 1; PRAGMA application_id = 1");
  assert_refused(&fixture, ASZ_EFORMAT, "not a store of assize");
  fixture_remove(&fixture);
}

Test(store, open_refuses_a_truncated_store)
{
  struct store_fixture fixture;
  fixture_create(&fixture);
  struct stat status;
  cr_assert_eq(stat(fixture.path, &status), 0);
  cr_assert_gt(status.st_size, 8192);
  cr_assert_eq(truncate(fixture.path, status.st_size / 2), 0);
  assert_refused(&fixture, ASZ_EFORMAT, "malformed");
  fixture_remove(&fixture);
}

Test(store, open_refuses_a_newer_schema_and_leaves_it_alone)
{
  struct store_fixture fixture;
  fixture_create(&fixture);
  char text[64];
  snprintf(text, sizeof text, "PRAGMA user_version = %d", asz_store_schema_version() + 1);
  sql(fixture.path, text);
  assert_refused(&fixture, ASZ_ENOTSUP, "use a newer assize");
  snprintf(text, sizeof text, "PRAGMA user_version = %d", asz_store_schema_version());
  sql(fixture.path, text);
  asz_store_close(fixture_open(&fixture));
  fixture_remove(&fixture);
}

Test(store, create_refuses_an_existing_file_and_keeps_it)
{
  struct store_fixture fixture;
  fixture_make(&fixture);
  write_file(fixture.path, "precious", 8);
  cr_assert_eq(asz_store_create(fixture.path, &fixture.diag), ASZ_EEXIST);
  char kept[16] = "";
  FILE *file = fopen(fixture.path, "r");
  cr_assert_eq(fread(kept, 1, sizeof kept, file), 8);
  fclose(file);
  cr_assert_str_eq(kept, "precious");
  fixture_remove(&fixture);
}

Test(store, create_takes_over_what_a_crash_left_beside)
{
  struct store_fixture fixture;
  char beside[128];
  fixture_make(&fixture);
  snprintf(beside, sizeof beside, "%s.new", fixture.path);
  write_file(beside, "half a database", 15);
  cr_assert_eq(asz_store_create(fixture.path, &fixture.diag), 0, "%s", fixture.diag.text);
  cr_assert_neq(access(beside, F_OK), 0);
  asz_store_close(fixture_open(&fixture));
  fixture_remove(&fixture);
}

Test(store, create_makes_a_private_file_in_wal_mode)
{
  struct store_fixture fixture;
  umask(0);
  fixture_create(&fixture);
  struct stat status;
  cr_assert_eq(stat(fixture.path, &status), 0);
  cr_assert_eq(status.st_mode & 0777, 0600);
  struct asz_store *store = fixture_open(&fixture);
  sqlite3_stmt *statement;
  cr_assert_eq(sqlite3_prepare_v2(store->db, "PRAGMA journal_mode", -1, &statement, NULL), SQLITE_OK);
  cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
  cr_assert_str_eq((const char *)sqlite3_column_text(statement, 0), "wal");
  sqlite3_finalize(statement);
  asz_store_close(store);
  fixture_remove(&fixture);
}

Test(store, create_and_open_need_a_writable_directory)
{
  struct store_fixture fixture;
  fixture_create(&fixture);
  cr_assert_eq(chmod(fixture.directory, 0555), 0);
  cr_assert_eq(chmod(fixture.path, 0444), 0);
  pid_t child = fork();
  if (child == 0) { /* root may write everywhere: be nobody */
    if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
      _exit(100);
    char other[128];
    struct asz_store *store = NULL;
    snprintf(other, sizeof other, "%s/other.db", fixture.directory);
    int create = asz_store_create(other, &fixture.diag);
    int open_err = asz_store_open(&store, fixture.path, false, &fixture.diag);
    bool line = strstr(fixture.diag.text, fixture.path) != NULL;
    _exit(create == ASZ_EPERM && open_err == ASZ_EPERM && !store && line ? 0 : 1);
  }
  int status;
  cr_assert_eq(waitpid(child, &status, 0), child);
  cr_assert_eq(chmod(fixture.directory, 0755), 0);
  cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
  fixture_remove(&fixture);
}

Test(store, a_second_writer_is_refused_until_the_first_closes)
{
  struct store_fixture fixture;
  fixture_create(&fixture);
  struct asz_store *first = fixture_open(&fixture), *second = NULL;
  cr_assert_eq(asz_store_open(&second, fixture.path, false, &fixture.diag), ASZ_EAGAIN);
  cr_assert_null(second);
  cr_assert_not_null(strstr(fixture.diag.text, "another process is writing"), "%s", fixture.diag.text);
  asz_store_close(first);
  asz_store_close(fixture_open(&fixture));
  fixture_remove(&fixture);
}

Test(store, a_foreign_lock_on_the_database_makes_begin_say_busy)
{
  struct store_fixture fixture;
  fixture_create(&fixture);
  struct asz_store *store = fixture_open(&fixture);
  sqlite3 *shell;
  cr_assert_eq(sqlite3_open(fixture.path, &shell), SQLITE_OK);
  cr_assert_eq(sqlite3_exec(shell, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
  cr_assert_eq(asz_store_begin(store, &fixture.diag), ASZ_EAGAIN);
  cr_assert_not_null(strstr(fixture.diag.text, "locked"), "%s", fixture.diag.text);
  cr_assert_eq(sqlite3_exec(shell, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
  cr_assert_eq(asz_store_begin(store, &fixture.diag), 0);
  asz_store_rollback(store);
  sqlite3_close(shell);
  asz_store_close(store);
  fixture_remove(&fixture);
}

Test(store, a_reader_sees_the_last_commit_while_the_writer_works_and_cannot_write)
{
  struct store_fixture fixture;
  fixture_create(&fixture);
  struct asz_store *writer = fixture_open(&fixture), *reader = NULL;
  struct asz_provider found;
  fixture_add(&fixture, writer, 1);
  cr_assert_eq(asz_store_begin(writer, &fixture.diag), 0);
  fixture_add(&fixture, writer, 2);

  cr_assert_eq(asz_store_open(&reader, fixture.path, true, &fixture.diag), 0, "%s", fixture.diag.text);
  cr_assert_eq(asz_store_provider_find(reader, "provider-1", &found, &fixture.diag), 0);
  cr_assert_eq(asz_store_provider_find(reader, "provider-2", &found, &fixture.diag), ASZ_ENOENT);
  cr_assert_eq(asz_store_commit(writer, &fixture.diag), 0);
  cr_assert_eq(asz_store_provider_find(reader, "provider-2", &found, &fixture.diag), 0);

  cr_assert_eq(asz_store_meta_set(reader, "name", "text", &fixture.diag), ASZ_EPERM);
  asz_store_close(reader);
  asz_store_close(writer);
  asz_store_close(NULL);
  fixture_remove(&fixture);
}

/* A step after the real ones, as the next release would add it. */
enum { STEPS_MAX = 64 };
static int steps_with(const char *ret_steps[STEPS_MAX], const char *added) {
  int count = asz_store_schema_version();
  for (int v = 0; v < count; v++)
    ret_steps[v] = asz_store_steps[v];
  ret_steps[count] = added;
  return count + 1;
}

Test(migration, every_version_leads_to_the_newest)
{
  for (int start = 1; start <= asz_store_schema_version(); start++) {
    struct store_fixture fixture;
    fixture_make(&fixture);
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
    cr_assert_eq(asz_store_migrate(db, fixture.path, asz_store_steps, 0, start, &fixture.diag), 0, "%s", fixture.diag.text);
    sqlite3_close(db);
    struct asz_store *store = fixture_open(&fixture);
    fixture_add(&fixture, store, 1);
    asz_store_close(store);
    fixture_remove(&fixture);
  }
}

/* A store of version 1, as the first release made it, with a provider whom others refer to and a number that was spent. */
Test(migration, addresses_of_version_1_are_kept_with_all_that_refers_to_them)
{
  struct store_fixture fixture;
  struct asz_provider found;
  fixture_make(&fixture);
  sqlite3 *db;
  cr_assert_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
  cr_assert_eq(asz_store_migrate(db, fixture.path, asz_store_steps, 0, 1, &fixture.diag), 0, "%s", fixture.diag.text);
  static const char rows[] =
      "INSERT INTO provider VALUES (5, 'old', NULL, 2, 3221225985, 862, 8620, 0, 1, 0, 'eu', 'Ann', 7, 8);"
      "INSERT INTO provider VALUES (9, 'gone', NULL, 2, 1, 862, 8620, 0, 1, 0, '', '', 7, 8); DELETE FROM provider WHERE row = 9;"
      "INSERT INTO eprocess_start VALUES (5, 77)";
  cr_assert_eq(sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
  sqlite3_close(db);
  struct asz_store *store = fixture_open(&fixture);
  cr_assert_eq(asz_store_provider_find(store, "old", &found, &fixture.diag), 0, "%s", fixture.diag.text);
  cr_assert_eq(found.row, 5);
  cr_assert_eq(found.ipv4, 0xc0000201);
  cr_assert_eq(found.ipv6[0], 0);
  cr_assert_str_eq(found.region, "eu");
  cr_assert_eq(fixture_add(&fixture, store, 1), 10, "number 9 is spent");
  /* references are followed again, and lead to the new table */
  cr_assert_eq(sqlite3_exec(store->db, "INSERT INTO eprocess_start VALUES (10, 1)", NULL, NULL, NULL), SQLITE_OK);
  cr_assert_neq(sqlite3_exec(store->db, "INSERT INTO eprocess_start VALUES (99, 1)", NULL, NULL, NULL), SQLITE_OK);
  cr_assert_neq(sqlite3_exec(store->db, "DELETE FROM provider WHERE row = 5", NULL, NULL, NULL), SQLITE_OK);
  asz_store_close(store);
  fixture_remove(&fixture);
}

Test(migration, a_step_runs_once_and_keeps_the_rows)
{
  struct store_fixture fixture;
  fixture_create(&fixture);
  struct asz_store *store = fixture_open(&fixture);
  fixture_add(&fixture, store, 1);
  const char *steps[STEPS_MAX];
  int known = asz_store_schema_version(), version = 0;
  int count = steps_with(steps, "ALTER TABLE provider ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'");
  cr_assert_eq(asz_store_migrate(store->db, fixture.path, steps, known, count, &fixture.diag), 0, "%s", fixture.diag.text);
  cr_assert_eq(asz_store_check(store->db, fixture.path, count, &version, &fixture.diag), 0);
  cr_assert_eq(version, count);
  struct asz_provider found;
  cr_assert_eq(asz_store_provider_find(store, "provider-1", &found, &fixture.diag), 0);
  asz_store_close(store);
  assert_refused(&fixture, ASZ_ENOTSUP, "use a newer assize"); /* by the program that does not know the step */
  fixture_remove(&fixture);
}

Test(migration, a_failing_step_leaves_the_older_version_whole)
{
  struct store_fixture fixture;
  fixture_create(&fixture);
  struct asz_store *store = fixture_open(&fixture);
  const char *steps[STEPS_MAX];
  int known = asz_store_schema_version(), version = 0;
  int count = steps_with(steps, "CREATE TABLE half (x) ; CREATE TABLE provider (x)");
  cr_assert_lt(asz_store_migrate(store->db, fixture.path, steps, known, count, &fixture.diag), 0);
  cr_assert_not_null(strstr(fixture.diag.text, "migration to schema version"), "%s", fixture.diag.text);
  cr_assert_eq(asz_store_check(store->db, fixture.path, known, &version, &fixture.diag), 0);
  cr_assert_eq(version, known);
  cr_assert_neq(sqlite3_exec(store->db, "SELECT * FROM half", NULL, NULL, NULL), SQLITE_OK, "the first half stayed");
  asz_store_close(store);
  fixture_remove(&fixture);
}
