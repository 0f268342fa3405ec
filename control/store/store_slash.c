/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents and slashing recommendations. A recommendation keeps its bundle in the same row: evidence must not be somewhere else
 * when it is asked for. */
#include <stdlib.h>
#include <string.h>

#include "control/store/store_private.h"

int asz_store_incident_put(struct asz_store *store, const struct asz_incident *incident, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_INCIDENT_PUT, "saving an incident", diag);
  asz_bind_i64(&cursor, incident->provider_row);
  asz_bind_i64(&cursor, incident->epoch);
  asz_bind_u64(&cursor, incident->at_ns);
  asz_bind_text(&cursor, incident->kind);
  asz_bind_text(&cursor, incident->detail);
  return asz_cursor_run(&cursor);
}

int asz_store_incident_last(struct asz_store *store, int64_t provider_row, struct asz_incident *ret_incidents, size_t capacity,
                            size_t *ret_count, struct asz_diag *diag) {
  size_t count = 0;
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_INCIDENT_LAST, "loading incidents", diag);
  asz_bind_i64(&cursor, provider_row);
  asz_bind_u64(&cursor, capacity);
  while (asz_cursor_next(&cursor) == 1) {
    struct asz_incident *incident = &ret_incidents[count++];
    memset(incident, 0, sizeof *incident);
    incident->provider_row = provider_row;
    incident->epoch = (uint32_t)asz_column_u64(&cursor, UINT32_MAX);
    incident->at_ns = asz_column_u64(&cursor, INT64_MAX);
    asz_column_text(&cursor, incident->kind, sizeof incident->kind);
    asz_column_text(&cursor, incident->detail, sizeof incident->detail);
  }
  int err = asz_cursor_end(&cursor);
  if (!err)
    *ret_count = count;
  return err;
}

int asz_store_slash_put(struct asz_store *store, struct asz_slash_row *row, const uint8_t *bundle, size_t bundle_bytes,
                        struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_SLASH_PUT, "saving a slashing recommendation", diag);
  asz_bind_i64(&cursor, row->provider_row);
  asz_bind_i64(&cursor, row->epoch);
  asz_bind_u64(&cursor, row->at_ns);
  asz_bind_i64(&cursor, row->offence);
  asz_bind_i64(&cursor, row->stake_bps);
  asz_bind_u64(&cursor, row->jail_ns);
  asz_bind_blob(&cursor, row->bundle_hash, sizeof row->bundle_hash);
  asz_bind_u64(&cursor, row->log_index);
  asz_bind_text(&cursor, row->reason);
  asz_bind_blob(&cursor, bundle, bundle_bytes);
  int err = asz_cursor_run(&cursor);
  if (!err)
    row->id = sqlite3_last_insert_rowid(store->db);
  return err;
}

/* The columns that SLASH_LIST and SLASH_GET share. */
static void read_slash(struct asz_cursor *cursor, struct asz_slash_row *ret_row) {
  memset(ret_row, 0, sizeof *ret_row);
  ret_row->id = asz_column_i64(cursor);
  ret_row->provider_row = asz_column_i64(cursor);
  ret_row->epoch = (uint32_t)asz_column_u64(cursor, UINT32_MAX);
  ret_row->at_ns = asz_column_u64(cursor, INT64_MAX);
  ret_row->offence = (uint8_t)asz_column_u64(cursor, ASZ_OFFENCE_COUNT - 1);
  ret_row->stake_bps = (uint32_t)asz_column_u64(cursor, UINT32_MAX);
  ret_row->jail_ns = asz_column_u64(cursor, INT64_MAX);
  asz_column_bytes(cursor, ret_row->bundle_hash, sizeof ret_row->bundle_hash);
  ret_row->log_index = asz_column_u64(cursor, INT64_MAX);
  asz_column_text(cursor, ret_row->reason, sizeof ret_row->reason);
}

int asz_store_slash_list(struct asz_store *store, struct asz_slash_row **ret_rows, size_t *ret_count, struct asz_diag *diag) {
  struct asz_slash_row *rows = NULL;
  size_t count = 0, capacity = 0;
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_SLASH_LIST, "listing slashing recommendations", diag);
  while (asz_cursor_next(&cursor) == 1) {
    rows = asz_store_grow(&cursor, rows, count, &capacity, sizeof *rows);
    if (cursor.err)
      break;
    read_slash(&cursor, &rows[count++]);
  }
  int err = asz_cursor_end(&cursor);
  if (err) {
    free(rows);
    return err;
  }
  *ret_rows = rows;
  *ret_count = count;
  return 0;
}

int asz_store_slash_get(struct asz_store *store, int64_t id, struct asz_slash_row *ret_row, uint8_t **ret_bundle,
                        size_t *ret_size, struct asz_diag *diag) {
  struct asz_slash_row row;
  uint8_t *bundle = NULL;
  size_t size_bytes = 0;
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_SLASH_GET, "loading a slashing recommendation", diag);
  asz_bind_i64(&cursor, id);
  int found = asz_cursor_next(&cursor);
  if (found == 1) {
    read_slash(&cursor, &row);
    bundle = asz_column_copy(&cursor, &size_bytes);
  }
  int err = asz_cursor_end(&cursor);
  if (!err && !found)
    err = asz_diag_set(diag, ASZ_ENOENT, "%s: no slashing recommendation %lld", store->path, (long long)id);
  if (err) {
    free(bundle);
    return err;
  }
  *ret_row = row;
  *ret_bundle = bundle;
  *ret_size = size_bytes;
  return 0;
}
