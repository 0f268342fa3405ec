/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs and their reports. A report is one blob of all records: the rows of an epoch are read together or not at all. */
#include <stdlib.h>

#include "control/store/store_private.h"

static int put_faults(struct asz_store *store, const struct asz_epoch_row *row, struct asz_diag *diag) {
  const char *what = "saving an epoch's faults";
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_FAULT_CLEAR, what, diag);
  asz_bind_i64(&cursor, row->epoch);
  int err = asz_cursor_run(&cursor);
  for (enum asz_fault fault = 0; fault < ASZ_FAULT_COUNT && !err; fault++) {
    if (row->faults.count[fault] == 0)
      continue;
    asz_cursor_begin(&cursor, store, ASZ_STATEMENT_FAULT_PUT, what, diag);
    asz_bind_i64(&cursor, row->epoch);
    asz_bind_text(&cursor, asz_fault_name(fault));
    asz_bind_u64(&cursor, row->faults.count[fault]);
    err = asz_cursor_run(&cursor);
  }
  return err;
}

/* A cause that this program does not know was another version's: left out. */
static int read_faults(struct asz_store *store, struct asz_epoch_row *row, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_FAULT_LIST, "loading an epoch's faults", diag);
  asz_bind_i64(&cursor, row->epoch);
  while (asz_cursor_next(&cursor) == 1) {
    char cause[32];
    asz_column_text(&cursor, cause, sizeof cause);
    uint64_t count = asz_column_u64(&cursor, INT64_MAX);
    enum asz_fault fault = asz_fault_from_name(cause);
    if (fault < ASZ_FAULT_COUNT)
      row->faults.count[fault] = count;
  }
  return asz_cursor_end(&cursor);
}

int asz_store_epoch_put(struct asz_store *store, const struct asz_epoch_row *row, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_EPOCH_PUT, "saving an epoch", diag);
  asz_bind_i64(&cursor, row->epoch);
  asz_bind_u64(&cursor, row->opened_ns);
  asz_bind_u64(&cursor, row->closed_ns);
  asz_bind_blob(&cursor, row->secret, sizeof row->secret);
  asz_bind_blob(&cursor, row->beacon, sizeof row->beacon);
  asz_bind_blob(&cursor, row->params_hash, sizeof row->params_hash);
  asz_bind_blob(&cursor, row->report_root, sizeof row->report_root);
  asz_bind_u64(&cursor, row->open_index);
  asz_bind_u64(&cursor, row->close_index);
  asz_bind_i64(&cursor, row->provider_count);
  asz_bind_i64(&cursor, row->complete);
  asz_bind_u64(&cursor, row->probes_sent);
  asz_bind_u64(&cursor, row->probes_answered);
  asz_bind_u64(&cursor, row->rate_pps);
  asz_bind_u64(&cursor, row->slots_unjudged);
  int err = asz_cursor_run(&cursor);
  return err ? err : put_faults(store, row, diag);
}

/* 1 and the row of EPOCH_GET or EPOCH_LAST, 0 for none. Ends the cursor. */
static int read_epoch(struct asz_cursor *cursor, struct asz_epoch_row *ret_row) {
  struct asz_epoch_row row = {0};
  int found = asz_cursor_next(cursor);
  if (found == 1) {
    row.epoch = (uint32_t)asz_column_u64(cursor, UINT32_MAX);
    row.opened_ns = asz_column_u64(cursor, INT64_MAX);
    row.closed_ns = asz_column_u64(cursor, INT64_MAX);
    asz_column_bytes(cursor, row.secret, sizeof row.secret);
    asz_column_bytes(cursor, row.beacon, sizeof row.beacon);
    asz_column_bytes(cursor, row.params_hash, sizeof row.params_hash);
    asz_column_bytes(cursor, row.report_root, sizeof row.report_root);
    row.open_index = asz_column_u64(cursor, INT64_MAX);
    row.close_index = asz_column_u64(cursor, INT64_MAX);
    row.provider_count = (uint32_t)asz_column_u64(cursor, UINT32_MAX);
    row.complete = asz_column_u64(cursor, 1) == 1;
    row.probes_sent = asz_column_u64(cursor, INT64_MAX);
    row.probes_answered = asz_column_u64(cursor, INT64_MAX);
    row.rate_pps = asz_column_u64(cursor, INT64_MAX);
    row.slots_unjudged = asz_column_u64(cursor, INT64_MAX);
  }
  int err = asz_cursor_end(cursor);
  if (err)
    return err;
  if (found)
    *ret_row = row;
  return found;
}

int asz_store_epoch_get(struct asz_store *store, uint32_t epoch, struct asz_epoch_row *ret_row, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_EPOCH_GET, "loading an epoch", diag);
  asz_bind_i64(&cursor, epoch);
  int found = read_epoch(&cursor, ret_row);
  if (found == 0)
    return asz_diag_set(diag, ASZ_ENOENT, "%s: no epoch %u", store->path, epoch);
  return found < 0 ? found : read_faults(store, ret_row, diag);
}

int asz_store_epoch_last(struct asz_store *store, struct asz_epoch_row *ret_row, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_EPOCH_LAST, "loading the last epoch", diag);
  int found = read_epoch(&cursor, ret_row);
  if (found == 0)
    return asz_diag_set(diag, ASZ_ENOENT, "%s: no epoch yet", store->path);
  return found < 0 ? found : read_faults(store, ret_row, diag);
}

int asz_store_report_put(struct asz_store *store, uint32_t epoch, const uint8_t *blob, size_t size_bytes, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_REPORT_PUT, "saving a report", diag);
  asz_bind_i64(&cursor, epoch);
  asz_bind_blob(&cursor, blob, size_bytes);
  return asz_cursor_run(&cursor);
}

int asz_store_report_get(struct asz_store *store, uint32_t epoch, uint8_t **ret_blob, size_t *ret_size, struct asz_diag *diag) {
  uint8_t *blob = NULL;
  size_t size_bytes = 0;
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_REPORT_GET, "loading a report", diag);
  asz_bind_i64(&cursor, epoch);
  int found = asz_cursor_next(&cursor);
  if (found == 1)
    blob = asz_column_copy(&cursor, &size_bytes);
  int err = asz_cursor_end(&cursor);
  if (!err && !found)
    err = asz_diag_set(diag, ASZ_ENOENT, "%s: no report of epoch %u", store->path, epoch);
  if (err) {
    free(blob);
    return err;
  }
  *ret_blob = blob;
  *ret_size = size_bytes;
  return 0;
}
