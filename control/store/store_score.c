/* SPDX-License-Identifier: Apache-2.0 */
/* Scores: one row a provider, with the newest score and the one before. Older ones are in the reports, which the log commits to.
 *
 * A score is a blob of big-endian fields in the order of struct asz_score: version (1) gate (bit 0) and bound of the RTT's error
 * (bits 1 to 7, asz_bound) (1) tier(1) binding(1), then the 32-bit and 64-bit fields as `fields` walks them. One walk writes and
 * reads, so that the two can't disagree. A version adds fields at the end: rows of earlier ones are read, too, with zeros there.
 */
#include <string.h>

#include "control/store/store_private.h"
#include "dataplane/base/bound.h"
#include "dataplane/base/bytes.h"

enum { SCORE_VERSION = 3, SCORE_BYTES = 156 };

/* 1 ended before the delay variation, 2 before the service-level account. */
static const size_t version_bytes[SCORE_VERSION + 1] = {0, 92, 128, SCORE_BYTES};

/* A walk over the bytes, in either direction. */
struct walk {
  uint8_t *at;
  bool reading;
};

static void walk_u32(struct walk *walk, uint32_t *value) {
  if (walk->reading)
    *value = asz_be32_load(walk->at);
  else
    asz_be32_store(walk->at, *value);
  walk->at += sizeof *value;
}

static void walk_u64(struct walk *walk, uint64_t *value) {
  if (walk->reading)
    *value = asz_be64_load(walk->at);
  else
    asz_be64_store(walk->at, *value);
  walk->at += sizeof *value;
}

static void fields(struct walk *walk, struct asz_score *score) {
  walk_u32(walk, &score->uptime_ppm);
  walk_u32(walk, &score->window_uptime_ppm);
  walk_u32(walk, &score->availability_low_ppm);
  walk_u32(walk, &score->slots_judged);
  walk_u32(walk, &score->window_slots);
  walk_u32(walk, &score->slots_missing);
  walk_u32(walk, &score->loss_ppm);
  walk_u64(walk, &score->rtt_min_ns);
  walk_u64(walk, &score->rtt_q50_ns);
  walk_u64(walk, &score->rtt_q95_ns);
  walk_u64(walk, &score->rtt_q99_ns);
  walk_u32(walk, &score->s_availability_ppm);
  walk_u32(walk, &score->s_latency_ppm);
  walk_u32(walk, &score->s_correctness_ppm);
  walk_u64(walk, &score->e_value_q32);
  walk_u32(walk, &score->composite_ppm);
  walk_u32(walk, &score->confidence_ppm);
}

static void variation_fields(struct walk *walk, struct asz_variation *variation) {
  walk_u32(walk, &variation->pairs);
  walk_u64(walk, &variation->forward_mean_ns);
  walk_u64(walk, &variation->forward_max_ns);
  walk_u64(walk, &variation->backward_mean_ns);
  walk_u64(walk, &variation->backward_max_ns);
}

static void sla_fields(struct walk *walk, struct asz_sla *sla) {
  walk_u32(walk, &sla->target_ppm);
  walk_u32(walk, &sla->down_slots);
  walk_u32(walk, &sla->budget_slots);
  walk_u32(walk, &sla->burn_month_milli);
  walk_u32(walk, &sla->burn_day_milli);
  walk_u32(walk, &sla->burn_epoch_milli);
  walk_u32(walk, &sla->credit_ppm);
}

static void all_fields(struct walk *walk, struct asz_score *score) {
  fields(walk, score);
  variation_fields(walk, &score->variation);
  sla_fields(walk, &score->sla);
}

static void score_write(uint8_t ret_bytes[SCORE_BYTES], const struct asz_score *score) {
  struct asz_score copy = *score;
  ret_bytes[0] = SCORE_VERSION;
  ret_bytes[1] = asz_score_gate_byte(score);
  ret_bytes[2] = score->tier;
  ret_bytes[3] = score->binding;
  struct walk walk = {.at = ret_bytes + 4};
  all_fields(&walk, &copy);
}

static int score_read(struct asz_score *ret_score, const uint8_t *bytes, size_t size_bytes) {
  if (size_bytes == 0 || bytes[0] == 0 || bytes[0] > SCORE_VERSION || size_bytes != version_bytes[bytes[0]] ||
      bytes[2] > ASZ_TIER_WORST || bytes[3] >= ASZ_BINDING_COUNT)
    return ASZ_EFORMAT;
  uint8_t copy[SCORE_BYTES] = {0};
  memcpy(copy, bytes, size_bytes);
  *ret_score = (struct asz_score){
      .gate_open = (bytes[1] & 1) != 0, .rtt_error_ns = asz_bound_ns(bytes[1] >> 1), .tier = bytes[2], .binding = bytes[3]};
  struct walk walk = {.at = copy + 4, .reading = true};
  all_fields(&walk, ret_score);
  return 0;
}

int asz_store_score_put(struct asz_store *store, const struct asz_score_row *row, struct asz_diag *diag) {
  uint8_t bytes[SCORE_BYTES];
  score_write(bytes, &row->score);
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_SCORE_PUT, "saving a score", diag);
  asz_bind_i64(&cursor, row->provider_row);
  asz_bind_i64(&cursor, row->epoch);
  asz_bind_blob(&cursor, bytes, sizeof bytes);
  return asz_cursor_run(&cursor);
}

static int score_get(struct asz_store *store, enum asz_statement statement, int64_t provider_row, struct asz_score_row *ret_row,
                     struct asz_diag *diag) {
  struct asz_score_row row = {.provider_row = provider_row};
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, statement, "loading a score", diag);
  asz_bind_i64(&cursor, provider_row);
  int found = asz_cursor_next(&cursor);
  if (found == 1) {
    size_t size_bytes;
    row.epoch = (uint32_t)asz_column_u64(&cursor, UINT32_MAX);
    const uint8_t *bytes = asz_column_blob(&cursor, &size_bytes);
    if (!cursor.err && score_read(&row.score, bytes, size_bytes))
      cursor.err =
          asz_diag_set(diag, ASZ_EFORMAT, "%s: score of provider row %lld is malformed", store->path, (long long)provider_row);
  }
  int err = asz_cursor_end(&cursor);
  if (!err && !found)
    err = asz_diag_set(diag, ASZ_ENOENT, "%s: no %sscore of provider row %lld yet", store->path,
                       statement == ASZ_STATEMENT_SCORE_PREVIOUS ? "earlier " : "", (long long)provider_row);
  if (err)
    return err;
  *ret_row = row;
  return 0;
}

int asz_store_score_newest(struct asz_store *store, int64_t provider_row, struct asz_score_row *ret_row, struct asz_diag *diag) {
  return score_get(store, ASZ_STATEMENT_SCORE_NEWEST, provider_row, ret_row, diag);
}

int asz_store_score_previous(struct asz_store *store, int64_t provider_row, struct asz_score_row *ret_row,
                             struct asz_diag *diag) {
  return score_get(store, ASZ_STATEMENT_SCORE_PREVIOUS, provider_row, ret_row, diag);
}
