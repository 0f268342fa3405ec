/* SPDX-License-Identifier: Apache-2.0 */
/* All of an epoch or nothing: rollback, a full disk, a killed writer; and that an epoch of 44,000 providers is quick. */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/control/store/store_fixture.h"

enum { PROVIDERS = 50 };

/* Writes what an epoch writes; the first failure is returned. */
static int write_epoch(struct store_fixture *fixture, struct asz_store *store, uint32_t epoch, unsigned providers) {
  struct asz_epoch_row row = fixture_epoch(epoch);
  int err = asz_store_epoch_put(store, &row, &fixture->diag);
  for (unsigned i = 1; i <= providers && !err; i++) {
    struct asz_score_state state;
    struct asz_slash_history history;
    struct asz_score_row score = {.provider_row = i, .epoch = epoch};
    err = asz_store_state_load(store, i, &state, &history, &fixture->diag);
    asz_eprocess_step(&state.eprocess, false);
    if (!err)
      err = asz_store_state_save(store, i, &state, &history, &fixture->diag);
    if (!err)
      err = asz_store_score_put(store, &score, &fixture->diag);
  }
  return err;
}

static struct asz_store *store_with_providers(struct store_fixture *fixture, unsigned providers) {
  fixture_create(fixture);
  struct asz_store *store = fixture_open(fixture);
  cr_assert_eq(asz_store_begin(store, &fixture->diag), 0);
  for (unsigned i = 0; i < providers; i++)
    fixture_add(fixture, store, i);
  cr_assert_eq(asz_store_commit(store, &fixture->diag), 0);
  return store;
}

/* The store is as after `epochs` whole epochs. */
static void assert_epochs(struct store_fixture *fixture, struct asz_store *store, uint32_t epochs, unsigned providers) {
  struct asz_epoch_row row;
  int err = asz_store_epoch_last(store, &row, &fixture->diag);
  cr_assert_eq(err, epochs ? 0 : ASZ_ENOENT, "%s", fixture->diag.text);
  cr_assert(!epochs || row.epoch == epochs, "last epoch %u", row.epoch);
  for (unsigned i = 1; i <= providers; i++) {
    struct asz_score_state state;
    struct asz_slash_history history;
    cr_assert_eq(asz_store_state_load(store, i, &state, &history, &fixture->diag), 0, "%s", fixture->diag.text);
    cr_assert_eq(state.eprocess.slots, epochs, "provider %u", i);
  }
}

Test(transaction, rollback_and_close_leave_nothing)
{
  struct store_fixture fixture;
  struct asz_store *store = store_with_providers(&fixture, PROVIDERS);
  cr_assert_eq(asz_store_begin(store, &fixture.diag), 0);
  cr_assert_eq(write_epoch(&fixture, store, 1, PROVIDERS), 0);
  asz_store_rollback(store);
  assert_epochs(&fixture, store, 0, PROVIDERS);
  asz_store_rollback(store); /* nothing open: fine */

  cr_assert_eq(asz_store_begin(store, &fixture.diag), 0);
  cr_assert_eq(write_epoch(&fixture, store, 1, PROVIDERS), 0);
  asz_store_close(store);
  store = fixture_open(&fixture);
  assert_epochs(&fixture, store, 0, PROVIDERS);
  asz_store_close(store);
  fixture_remove(&fixture);
}

Test(transaction, a_full_disk_rolls_everything_back_and_later_writes_are_refused)
{
  struct store_fixture fixture;
  struct asz_store *store = store_with_providers(&fixture, PROVIDERS);
  cr_assert_eq(asz_store_begin(store, &fixture.diag), 0);
  cr_assert_eq(write_epoch(&fixture, store, 1, PROVIDERS), 0);
  cr_assert_eq(asz_store_commit(store, &fixture.diag), 0);

  char full[64];
  sqlite3_stmt *pages;
  cr_assert_eq(sqlite3_prepare_v2(store->db, "PRAGMA page_count", -1, &pages, NULL), SQLITE_OK);
  cr_assert_eq(sqlite3_step(pages), SQLITE_ROW);
  snprintf(full, sizeof full, "PRAGMA max_page_count = %d", sqlite3_column_int(pages, 0) + 8);
  sqlite3_finalize(pages);
  cr_assert_eq(sqlite3_exec(store->db, full, NULL, NULL, NULL), SQLITE_OK);

  uint8_t *report = calloc(1, 100000); /* does not fit, but the epoch before it did */
  cr_assert_eq(asz_store_begin(store, &fixture.diag), 0);
  cr_assert_eq(write_epoch(&fixture, store, 2, PROVIDERS), 0);
  cr_assert_eq(asz_store_report_put(store, 2, report, 100000, &fixture.diag), ASZ_EIO);
  cr_assert_not_null(strstr(fixture.diag.text, "saving a report: database or disk is full"), "%s", fixture.diag.text);
  free(report);
  /* A caller that goes on all the same must not leave single rows of the epoch behind. */
  struct asz_epoch_row row = fixture_epoch(2);
  cr_assert_eq(asz_store_epoch_put(store, &row, &fixture.diag), ASZ_ESTATE);
  cr_assert_eq(asz_store_commit(store, &fixture.diag), ASZ_ESTATE);
  assert_epochs(&fixture, store, 1, PROVIDERS);

  cr_assert_eq(asz_store_begin(store, &fixture.diag), 0, "and the store still works");
  cr_assert_eq(write_epoch(&fixture, store, 2, PROVIDERS), 0);
  cr_assert_eq(asz_store_commit(store, &fixture.diag), 0, "%s", fixture.diag.text);
  assert_epochs(&fixture, store, 2, PROVIDERS);
  asz_store_close(store);
  fixture_remove(&fixture);
}

Test(transaction, a_collision_within_an_import_does_not_end_it)
{
  struct store_fixture fixture;
  struct asz_store *store = store_with_providers(&fixture, 2);
  struct asz_provider again = fixture_provider(1), found;
  cr_assert_eq(asz_store_begin(store, &fixture.diag), 0);
  cr_assert_eq(asz_store_provider_add(store, &again, &fixture.diag), ASZ_EEXIST);
  fixture_add(&fixture, store, 2);
  cr_assert_eq(asz_store_commit(store, &fixture.diag), 0);
  cr_assert_eq(asz_store_provider_find(store, "provider-2", &found, &fixture.diag), 0);
  asz_store_close(store);
  fixture_remove(&fixture);
}

/* A child writes epoch 1 (committed) and epoch 2, commits that too if asked, says so and waits to be killed. */
static void killed_writer(struct store_fixture *fixture, bool commit) {
  int ready[2];
  cr_assert_eq(pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    struct asz_store *store = NULL;
    char ok = asz_store_open(&store, fixture->path, false, &fixture->diag) == 0;
    for (uint32_t epoch = 1; epoch <= 2 && ok; epoch++) {
      ok = asz_store_begin(store, &fixture->diag) == 0 && write_epoch(fixture, store, epoch, PROVIDERS) == 0;
      if (ok && (epoch == 1 || commit))
        ok = asz_store_commit(store, &fixture->diag) == 0;
    }
    if (ok && !commit)
      ok = sqlite3_db_cacheflush(store->db) == SQLITE_OK; /* half of it is in the -wal file already */
    (void)!write(ready[1], &ok, 1);
    pause();
    _exit(1);
  }
  char ok = 0;
  close(ready[1]);
  cr_assert_eq(read(ready[0], &ok, 1), 1);
  close(ready[0]);
  cr_assert(ok, "the child could not write");
  cr_assert_eq(kill(child, SIGKILL), 0);
  cr_assert_eq(waitpid(child, NULL, 0), child);
}

Test(crash, a_writer_killed_before_the_commit_leaves_the_store_as_it_was)
{
  struct store_fixture fixture;
  asz_store_close(store_with_providers(&fixture, PROVIDERS));
  killed_writer(&fixture, false);
  struct asz_store *store = fixture_open(&fixture); /* the lock died with the child */
  assert_epochs(&fixture, store, 1, PROVIDERS);
  asz_store_close(store);
  fixture_remove(&fixture);
}

Test(crash, a_writer_killed_after_the_commit_leaves_all_of_it)
{
  struct store_fixture fixture;
  asz_store_close(store_with_providers(&fixture, PROVIDERS));
  killed_writer(&fixture, true);
  struct asz_store *store = fixture_open(&fixture);
  assert_epochs(&fixture, store, 2, PROVIDERS);
  asz_store_close(store);
  fixture_remove(&fixture);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

Test(speed, an_epoch_of_44000_providers_is_written_in_seconds)
{
  enum { MANY = 44000 };
  struct store_fixture fixture;
  struct asz_store *store = store_with_providers(&fixture, MANY);
  for (uint32_t epoch = 1; epoch <= 2; epoch++) { /* the first inserts, the second replaces */
    double start = seconds();
    cr_assert_eq(asz_store_begin(store, &fixture.diag), 0);
    cr_assert_eq(write_epoch(&fixture, store, epoch, MANY), 0, "%s", fixture.diag.text);
    cr_assert_eq(asz_store_commit(store, &fixture.diag), 0);
    double took = seconds() - start;
    cr_log_info("epoch %u of %d providers: %.2f s", epoch, MANY, took);
    cr_assert_lt(took, 30, "far over the few seconds that it takes: something became quadratic");
  }
  asz_store_close(store);
  fixture_remove(&fixture);
}
