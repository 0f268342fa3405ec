/* SPDX-License-Identifier: Apache-2.0 */
/* What goes from one epoch to the next: score state, offences, the year of the e-process; and small values by name. */
#include <string.h>

#include "control/store/store_private.h"

int asz_store_state_load(struct asz_store *store, int64_t provider_row, struct asz_score_state *ret_state,
                         struct asz_slash_history *ret_history, struct asz_diag *diag) {
  struct asz_score_state state;
  struct asz_slash_history history = {0};
  struct asz_cursor cursor;
  asz_score_state_init(&state);
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_STATE_LOAD, "loading a provider's state", diag);
  asz_bind_i64(&cursor, provider_row);
  if (asz_cursor_next(&cursor) == 1) {
    size_t size_bytes;
    const uint8_t *bytes = asz_column_blob(&cursor, &size_bytes);
    if (asz_score_state_load(&state, bytes, size_bytes))
      cursor.err = asz_diag_set(diag, ASZ_EFORMAT, "%s: score state of provider row %lld is malformed", store->path,
                                (long long)provider_row);
    history.s1_count = (uint32_t)asz_column_u64(&cursor, UINT32_MAX);
    history.s3_count = (uint32_t)asz_column_u64(&cursor, UINT32_MAX);
    history.s1_open = asz_column_u64(&cursor, 1) == 1;
    history.jailed_until_ns = asz_column_u64(&cursor, INT64_MAX);
  }
  int err = asz_cursor_end(&cursor);
  if (err)
    return err;
  *ret_state = state;
  *ret_history = history;
  return 0;
}

int asz_store_state_save(struct asz_store *store, int64_t provider_row, const struct asz_score_state *state,
                         const struct asz_slash_history *history, struct asz_diag *diag) {
  uint8_t bytes[ASZ_SCORE_STATE_BYTES];
  asz_score_state_save(bytes, state);
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_STATE_SAVE, "saving a provider's state", diag);
  asz_bind_i64(&cursor, provider_row);
  asz_bind_blob(&cursor, bytes, sizeof bytes);
  asz_bind_i64(&cursor, history->s1_count);
  asz_bind_i64(&cursor, history->s3_count);
  asz_bind_i64(&cursor, history->s1_open);
  asz_bind_u64(&cursor, history->jailed_until_ns);
  return asz_cursor_run(&cursor);
}

int asz_store_eprocess_start(struct asz_store *store, int64_t provider_row, uint64_t *ret_slot, struct asz_diag *diag) {
  uint64_t slot = 0;
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_EPROCESS_START, "loading the e-process's start", diag);
  asz_bind_i64(&cursor, provider_row);
  if (asz_cursor_next(&cursor) == 1)
    slot = asz_column_u64(&cursor, INT64_MAX);
  int err = asz_cursor_end(&cursor);
  if (!err)
    *ret_slot = slot;
  return err;
}

int asz_store_eprocess_start_set(struct asz_store *store, int64_t provider_row, uint64_t slot, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_EPROCESS_START_SET, "saving the e-process's start", diag);
  asz_bind_i64(&cursor, provider_row);
  asz_bind_u64(&cursor, slot);
  return asz_cursor_run(&cursor);
}

int asz_store_meta_get(struct asz_store *store, const char *name, char *ret_text, size_t capacity, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_META_GET, name, diag);
  asz_bind_text(&cursor, name);
  int found = asz_cursor_next(&cursor);
  if (found == 1) {
    size_t size_bytes;
    const char *text = asz_column_blob(&cursor, &size_bytes);
    if (size_bytes >= capacity) {
      cursor.err = asz_diag_set(diag, ASZ_ETOOBIG, "%s: value %s has %zu bytes, at most %zu expected", store->path, name,
                                size_bytes, capacity - 1);
    } else {
      memcpy(ret_text, text, size_bytes);
      ret_text[size_bytes] = 0;
    }
  }
  int err = asz_cursor_end(&cursor);
  if (!err && !found)
    err = asz_diag_set(diag, ASZ_ENOENT, "%s: no value named %s", store->path, name);
  return err;
}

int asz_store_meta_set(struct asz_store *store, const char *name, const char *text, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_META_SET, name, diag);
  asz_bind_text(&cursor, name);
  asz_bind_text(&cursor, text);
  return asz_cursor_run(&cursor);
}
