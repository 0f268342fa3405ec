/* SPDX-License-Identifier: Apache-2.0 */
/* Transcripts of challenges, byte for byte as they crossed the wire: what evidence is made of. */
#include "control/store/store_private.h"

int asz_store_transcript_put(struct asz_store *store, const struct asz_transcript_row *row, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_TRANSCRIPT_PUT, "saving a transcript", diag);
  asz_bind_i64(&cursor, row->provider_row);
  asz_bind_i64(&cursor, row->epoch);
  asz_bind_u64(&cursor, row->slot);
  asz_bind_i64(&cursor, row->kind);
  asz_bind_i64(&cursor, row->verdict);
  asz_bind_u64(&cursor, row->tx_ns);
  asz_bind_u64(&cursor, row->rx_ns);
  asz_bind_u64(&cursor, row->clock_error_ns);
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; i++)
    asz_bind_blob(&cursor, row->exchange.piece[i].data, row->exchange.piece[i].size_bytes);
  return asz_cursor_run(&cursor);
}

/* The columns of TRANSCRIPT_EACH. */
static void read_transcript(struct asz_cursor *cursor, struct asz_transcript_row *row) {
  row->epoch = (uint32_t)asz_column_u64(cursor, UINT32_MAX);
  row->slot = asz_column_u64(cursor, INT64_MAX);
  row->kind = (uint8_t)asz_column_u64(cursor, UINT8_MAX);
  row->verdict = (uint8_t)asz_column_u64(cursor, UINT8_MAX);
  row->tx_ns = asz_column_u64(cursor, INT64_MAX);
  row->rx_ns = asz_column_u64(cursor, INT64_MAX);
  row->clock_error_ns = asz_column_u64(cursor, INT64_MAX);
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; i++)
    row->exchange.piece[i].data = asz_column_blob(cursor, &row->exchange.piece[i].size_bytes);
}

int asz_store_transcript_each(struct asz_store *store, int64_t provider_row, unsigned verdict, uint64_t slot_first,
                              uint64_t slot_last, int (*visit)(void *context, const struct asz_transcript_row *row),
                              void *context, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_TRANSCRIPT_EACH, "loading transcripts", diag);
  asz_bind_i64(&cursor, provider_row);
  asz_bind_i64(&cursor, verdict);
  asz_bind_u64(&cursor, slot_first);
  asz_bind_u64(&cursor, slot_last < INT64_MAX ? slot_last : INT64_MAX); /* UINT64_MAX: to the end */
  int stop = 0;
  while (!stop && asz_cursor_next(&cursor) == 1) {
    struct asz_transcript_row row = {.provider_row = provider_row};
    read_transcript(&cursor, &row);
    if (!cursor.err)
      stop = visit(context, &row);
  }
  int err = asz_cursor_end(&cursor);
  return err ? err : stop;
}

int asz_store_transcript_prune(struct asz_store *store, uint64_t before_ns, unsigned verdict, struct asz_diag *diag) {
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_TRANSCRIPT_PRUNE, "pruning transcripts", diag);
  asz_bind_u64(&cursor, before_ns);
  asz_bind_i64(&cursor, verdict);
  return asz_cursor_run(&cursor);
}
