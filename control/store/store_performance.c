/* SPDX-License-Identifier: Apache-2.0 */
/* Performance: one row a provider, of the newest epoch in which it did some work. */
#include "control/store/store_private.h"

int asz_store_performance_put(struct asz_store *store, const struct asz_performance_row *row, struct asz_diag *diag) {
  uint8_t bytes[ASZ_PERFORMANCE_BYTES];
  struct asz_cursor cursor;
  asz_performance_write(bytes, &row->performance);
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_PERFORMANCE_PUT, "saving a performance", diag);
  asz_bind_i64(&cursor, row->provider_row);
  asz_bind_i64(&cursor, row->epoch);
  asz_bind_blob(&cursor, bytes, sizeof bytes);
  return asz_cursor_run(&cursor);
}

int asz_store_performance_newest(struct asz_store *store, int64_t provider_row, struct asz_performance_row *ret_row,
                                 struct asz_diag *diag) {
  struct asz_performance_row row = {.provider_row = provider_row};
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_PERFORMANCE_NEWEST, "loading a performance", diag);
  asz_bind_i64(&cursor, provider_row);
  int found = asz_cursor_next(&cursor);
  if (found == 1) {
    uint8_t bytes[ASZ_PERFORMANCE_BYTES];
    row.epoch = (uint32_t)asz_column_u64(&cursor, UINT32_MAX);
    asz_column_bytes(&cursor, bytes, sizeof bytes);
    if (!cursor.err && asz_performance_read(&row.performance, bytes))
      cursor.err = asz_diag_set(diag, ASZ_EFORMAT, "%s: performance of provider row %lld is malformed", store->path,
                                (long long)provider_row);
  }
  int err = asz_cursor_end(&cursor);
  if (!err && !found)
    err = asz_diag_set(diag, ASZ_ENOENT, "%s: no performance of provider row %lld yet", store->path, (long long)provider_row);
  if (err)
    return err;
  *ret_row = row;
  return 0;
}
