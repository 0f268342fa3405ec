/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of row: what is refused, what comes back. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/control/store/store_fixture.h"

static struct store_fixture fixture;
static struct asz_store *store;

static void setup(void) {
  fixture_create(&fixture);
  store = fixture_open(&fixture);
}

static void teardown(void) {
  asz_store_close(store);
  fixture_remove(&fixture);
}

TestSuite(rows, .init = setup, .fini = teardown);

static void damage(const char *sql) {
  cr_assert_eq(sqlite3_exec(store->db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(store->db));
}

Test(rows, provider_add_names_the_field_that_collides)
{
  struct asz_provider again;
  fixture_add(&fixture, store, 1);

  again = fixture_provider(2);
  strcpy(again.name, "provider-1");
  cr_assert_eq(asz_store_provider_add(store, &again, &fixture.diag), ASZ_EEXIST);
  cr_assert_str_eq(fixture.diag.text, "provider provider-1: name: already registered");

  again = fixture_provider(2);
  again.ipv4 = fixture_provider(1).ipv4;
  cr_assert_eq(asz_store_provider_add(store, &again, &fixture.diag), ASZ_EEXIST);
  cr_assert_str_eq(fixture.diag.text, "provider provider-2: address: 10.0.0.2 is already registered as provider-1");

  again = fixture_provider(2);
  memcpy(again.public_key, fixture_provider(1).public_key, 32);
  again.device = fixture_provider(1).device;
  cr_assert_eq(asz_store_provider_add(store, &again, &fixture.diag), ASZ_EEXIST);
  cr_assert_str_eq(fixture.diag.text,
                   "provider provider-2: public key: device 1 of this key is already registered as provider-1");
  cr_assert_eq(again.row, 0, "a refused one gets no row");

  again.device++; /* another device of the same identity */
  cr_assert_eq(asz_store_provider_add(store, &again, &fixture.diag), 0, "%s", fixture.diag.text);
}

static struct asz_provider ipv6_provider(unsigned i) {
  struct asz_provider provider = fixture_provider(i);
  provider.ipv4 = 0;
  memcpy(provider.ipv6, (uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)i}, 16);
  return provider;
}

Test(rows, an_ipv6_provider_comes_back_as_it_was_and_its_address_is_taken)
{
  struct asz_provider a = ipv6_provider(1), b = ipv6_provider(2), found;
  cr_assert_eq(asz_store_provider_add(store, &a, &fixture.diag), 0, "%s", fixture.diag.text);
  cr_assert_eq(asz_store_provider_add(store, &b, &fixture.diag), 0, "%s", fixture.diag.text);
  fixture_add(&fixture, store, 3);
  cr_assert_eq(asz_store_provider_find(store, "provider-1", &found, &fixture.diag), 0);
  cr_assert_eq(memcmp(&found, &a, sizeof a), 0);
  struct asz_provider again = fixture_provider(4);
  again.ipv4 = 0;
  memcpy(again.ipv6, a.ipv6, 16);
  cr_assert_eq(asz_store_provider_add(store, &again, &fixture.diag), ASZ_EEXIST);
  cr_assert_str_eq(fixture.diag.text, "provider provider-4: address: 2001:db8::1 is already registered as provider-1");
}

Test(rows, providers_without_a_key_do_not_collide)
{
  for (unsigned i = 0; i < 3; i++) {
    struct asz_provider provider = fixture_provider(i);
    memset(provider.public_key, 0, sizeof provider.public_key);
    provider.device = 0;
    cr_assert_eq(asz_store_provider_add(store, &provider, &fixture.diag), 0, "%s", fixture.diag.text);
  }
}

Test(rows, providers_come_back_whole_and_in_row_order)
{
  struct asz_provider *providers;
  size_t count;
  cr_assert_eq(asz_store_provider_list(store, &providers, &count, &fixture.diag), 0);
  cr_assert_eq(count, 0);
  free(providers);
  for (unsigned i = 0; i < 200; i++)
    fixture_add(&fixture, store, i);
  cr_assert_eq(asz_store_provider_list(store, &providers, &count, &fixture.diag), 0);
  cr_assert_eq(count, 200);
  for (unsigned i = 0; i < 200; i++) {
    struct asz_provider expected = fixture_provider(i), found;
    expected.row = i + 1;
    cr_assert_eq(memcmp(&providers[i], &expected, sizeof expected), 0, "provider %u", i);
    cr_assert_eq(asz_store_provider_find(store, expected.name, &found, &fixture.diag), 0);
    cr_assert_eq(memcmp(&found, &expected, sizeof expected), 0, "provider %u", i);
  }
  free(providers);
}

Test(rows, a_damaged_provider_is_an_error_and_no_provider)
{
  struct asz_provider provider, *providers;
  size_t count;
  fixture_add(&fixture, store, 1);
  static const char *const damages[] = {"UPDATE provider SET port = 65536",
                                        "UPDATE provider SET port = 862, ipv4 = -1",
                                        "UPDATE provider SET ipv4 = 1, control = 2",
                                        "UPDATE provider SET control = 0, public_key = x'0102'",
                                        "UPDATE provider SET public_key = NULL, region = hex(zeroblob(40))",
                                        "UPDATE provider SET region = '', hmac_secret = zeroblob(15)",
                                        "UPDATE provider SET hmac_secret = zeroblob(33)",
                                        "UPDATE provider SET hmac_secret = x''",
                                        "UPDATE provider SET hmac_secret = NULL, ipv4 = NULL, ipv6 = x'20010db8'"};
  for (unsigned i = 0; i < sizeof damages / sizeof damages[0]; i++) {
    damage(damages[i]);
    cr_assert_eq(asz_store_provider_find(store, "provider-1", &provider, &fixture.diag), ASZ_EFORMAT, "%s", damages[i]);
    cr_assert_eq(asz_store_provider_list(store, &providers, &count, &fixture.diag), ASZ_EFORMAT, "%s", damages[i]);
    cr_assert_not_null(strstr(fixture.diag.text, "is malformed"), "%s", fixture.diag.text);
  }
  cr_assert_eq(asz_store_provider_find(store, "nobody", &provider, &fixture.diag), ASZ_ENOENT);
}

Test(rows, a_row_of_an_unknown_provider_is_refused)
{
  struct asz_score_state state;
  struct asz_slash_history history = {0};
  struct asz_score_row score = {.provider_row = 99};
  struct asz_incident incident = {.provider_row = 99, .kind = "down"};
  asz_score_state_init(&state);
  cr_assert_eq(asz_store_state_save(store, 99, &state, &history, &fixture.diag), ASZ_ENOENT);
  cr_assert_eq(asz_store_score_put(store, &score, &fixture.diag), ASZ_ENOENT);
  cr_assert_eq(asz_store_incident_put(store, &incident, &fixture.diag), ASZ_ENOENT);
  cr_assert_eq(asz_store_eprocess_start_set(store, 99, 1, &fixture.diag), ASZ_ENOENT);
}

Test(rows, state_starts_initial_and_comes_back)
{
  struct asz_score_state state, expected;
  struct asz_slash_history history;
  int64_t row = fixture_add(&fixture, store, 1);
  cr_assert_eq(asz_store_state_load(store, row, &state, &history, &fixture.diag), 0);
  asz_score_state_init(&expected);
  cr_assert_eq(memcmp(&state, &expected, sizeof state), 0);
  cr_assert(history.s1_count == 0 && history.s3_count == 0 && !history.s1_open && history.jailed_until_ns == 0);

  for (unsigned round = 1; round <= 3; round++) {
    asz_eprocess_step(&state.eprocess, true);
    history = (struct asz_slash_history){.s1_count = round, .s3_count = 2 * round, .s1_open = round & 1, .jailed_until_ns = 77};
    cr_assert_eq(asz_store_state_save(store, row, &state, &history, &fixture.diag), 0, "%s", fixture.diag.text);
    struct asz_score_state loaded;
    struct asz_slash_history loaded_history;
    cr_assert_eq(asz_store_state_load(store, row, &loaded, &loaded_history, &fixture.diag), 0);
    cr_assert_eq(loaded.eprocess.wrong, round);
    cr_assert_eq(loaded_history.s1_count, round);
    cr_assert_eq(loaded_history.s3_count, 2 * round);
    cr_assert_eq(loaded_history.s1_open, round & 1);
    cr_assert_eq(loaded_history.jailed_until_ns, 77);
  }
}

/* Makes the blob of a table's only row one of an earlier version: shorter by what was added since. */
static void age(const char *table, uint8_t version, uint8_t *old, int size_bytes) {
  sqlite3 *db;
  sqlite3_stmt *get, *put;
  char sql[64];
  cr_assert_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
  snprintf(sql, sizeof sql, "SELECT score FROM %s", table);
  cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &get, NULL), SQLITE_OK);
  cr_assert_eq(sqlite3_step(get), SQLITE_ROW);
  memcpy(old, sqlite3_column_blob(get, 0), (size_t)size_bytes);
  sqlite3_finalize(get);
  old[0] = version;
  snprintf(sql, sizeof sql, "UPDATE %s SET score = ?", table);
  cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &put, NULL), SQLITE_OK);
  cr_assert_eq(sqlite3_bind_blob(put, 1, old, size_bytes, SQLITE_STATIC), SQLITE_OK);
  cr_assert_eq(sqlite3_step(put), SQLITE_DONE);
  sqlite3_finalize(put);
  sqlite3_close(db);
}

/* Written before paces were known; the process begins. */
Test(rows, a_state_of_the_version_before_is_read)
{
  struct asz_score_state state, loaded;
  struct asz_slash_history history = {.s3_count = 2};
  uint8_t old[720];
  int64_t row = fixture_add(&fixture, store, 1);
  asz_score_state_init(&state);
  for (unsigned slot = 0; slot < 9; slot++)
    asz_eprocess_step(&state.eprocess, slot == 4);
  cr_assert_eq(asz_store_state_save(store, row, &state, &history, &fixture.diag), 0);
  age("state", 1, old, sizeof old);
  cr_assert_eq(asz_store_state_load(store, row, &loaded, &history, &fixture.diag), 0, "%s", fixture.diag.text);
  uint8_t bytes[ASZ_SCORE_STATE_BYTES], expected[ASZ_SCORE_STATE_BYTES];
  asz_score_state_save(bytes, &loaded);
  asz_score_state_save(expected, &state);
  cr_assert_arr_eq(bytes, expected, sizeof bytes);
}

Test(rows, a_damaged_state_is_an_error_and_not_a_fresh_start)
{
  struct asz_score_state state;
  struct asz_slash_history history = {0};
  int64_t row = fixture_add(&fixture, store, 1);
  asz_score_state_init(&state);
  cr_assert_eq(asz_store_state_save(store, row, &state, &history, &fixture.diag), 0);
  damage("UPDATE state SET score = zeroblob(720)");
  cr_assert_eq(asz_store_state_load(store, row, &state, &history, &fixture.diag), ASZ_EFORMAT);
  cr_assert_not_null(strstr(fixture.diag.text, "score state of provider row 1 is malformed"), "%s", fixture.diag.text);
  damage("UPDATE state SET score = x''");
  cr_assert_eq(asz_store_state_load(store, row, &state, &history, &fixture.diag), ASZ_EFORMAT);
}

Test(rows, integers_that_do_not_fit_are_refused)
{
  struct asz_epoch_row epoch = fixture_epoch(1);
  epoch.probes_sent = UINT64_MAX;
  cr_assert_eq(asz_store_epoch_put(store, &epoch, &fixture.diag), ASZ_ERANGE);
  cr_assert_eq(asz_store_epoch_get(store, 1, &epoch, &fixture.diag), ASZ_ENOENT);
}

Test(rows, epochs_come_back_are_replaced_and_the_last_is_the_highest)
{
  struct asz_epoch_row row;
  cr_assert_eq(asz_store_epoch_last(store, &row, &fixture.diag), ASZ_ENOENT);
  for (unsigned i = 0; i < 5; i++) {
    struct asz_epoch_row epoch = fixture_epoch(i * 3 % 5);
    cr_assert_eq(asz_store_epoch_put(store, &epoch, &fixture.diag), 0, "%s", fixture.diag.text);
  }
  cr_assert_eq(asz_store_epoch_last(store, &row, &fixture.diag), 0);
  struct asz_epoch_row expected = fixture_epoch(4);
  cr_assert_eq(memcmp(&row, &expected, sizeof row), 0);
  expected.complete = false;
  expected.closed_ns = 5;
  cr_assert_eq(asz_store_epoch_put(store, &expected, &fixture.diag), 0);
  cr_assert_eq(asz_store_epoch_get(store, 4, &row, &fixture.diag), 0);
  cr_assert_eq(memcmp(&row, &expected, sizeof row), 0);
  cr_assert_eq(asz_store_epoch_get(store, 5, &row, &fixture.diag), ASZ_ENOENT);
  damage("UPDATE epoch SET secret = x'00'");
  cr_assert_eq(asz_store_epoch_get(store, 4, &row, &fixture.diag), ASZ_EFORMAT);
  cr_assert_not_null(strstr(fixture.diag.text, "column secret is malformed"), "%s", fixture.diag.text);
}

Test(rows, reports_come_back_also_empty_ones)
{
  uint8_t blob[960], *read;
  size_t size_bytes;
  memset(blob, 0x5a, sizeof blob);
  cr_assert_eq(asz_store_report_get(store, 1, &read, &size_bytes, &fixture.diag), ASZ_ENOENT);
  cr_assert_eq(asz_store_report_put(store, 1, blob, sizeof blob, &fixture.diag), 0);
  cr_assert_eq(asz_store_report_put(store, 2, NULL, 0, &fixture.diag), 0, "%s", fixture.diag.text);
  cr_assert_eq(asz_store_report_get(store, 1, &read, &size_bytes, &fixture.diag), 0);
  cr_assert_eq(size_bytes, sizeof blob);
  cr_assert_eq(memcmp(read, blob, sizeof blob), 0);
  free(read);
  cr_assert_eq(asz_store_report_get(store, 2, &read, &size_bytes, &fixture.diag), 0);
  cr_assert_eq(size_bytes, 0);
  cr_assert_not_null(read);
  free(read);
}

static struct asz_score_row score_row(int64_t provider_row, uint32_t epoch) {
  return (struct asz_score_row){
      .provider_row = provider_row,
      .epoch = epoch,
      .score =
          {
              .uptime_ppm = 1,
              .window_uptime_ppm = 2,
              .availability_low_ppm = 3,
              .slots_judged = 4,
              .window_slots = 5,
              .slots_missing = UINT32_MAX,
              .loss_ppm = 7,
              .rtt_min_ns = UINT64_MAX,
              .rtt_q50_ns = 9,
              .rtt_q95_ns = 10,
              .rtt_q99_ns = 11,
              .rtt_error_ns = epoch % 2 == 0 ? 0 : 1280, /* one that asz_bound can say */
              .variation =
                  {.pairs = epoch, .forward_mean_ns = 21, .forward_max_ns = 22, .backward_mean_ns = 23, .backward_max_ns = 24},
              .sla =
                  {
                      .target_ppm = 31,
                      .down_slots = 32,
                      .budget_slots = 33,
                      .burn_month_milli = 34,
                      .burn_day_milli = 35,
                      .burn_epoch_milli = UINT32_MAX,
                      .credit_ppm = epoch,
                  },
              .s_availability_ppm = 12,
              .s_latency_ppm = 13,
              .s_correctness_ppm = 14,
              .e_value_q32 = UINT64_C(1) << 63,
              .gate_open = epoch & 1,
              .composite_ppm = epoch,
              .confidence_ppm = 17,
              .tier = ASZ_TIER_WORST,
              .binding = ASZ_BINDING_COUNT - 1,
          },
  };
}

/* Field by field: a comparison of the memory would see the padding. */
static bool same_score(const struct asz_score_row *a, const struct asz_score_row *b) {
  const struct asz_score *x = &a->score, *y = &b->score;
  return a->provider_row == b->provider_row && a->epoch == b->epoch && x->uptime_ppm == y->uptime_ppm &&
         x->window_uptime_ppm == y->window_uptime_ppm && x->availability_low_ppm == y->availability_low_ppm &&
         x->slots_judged == y->slots_judged && x->window_slots == y->window_slots && x->slots_missing == y->slots_missing &&
         x->loss_ppm == y->loss_ppm && x->rtt_min_ns == y->rtt_min_ns && x->rtt_q50_ns == y->rtt_q50_ns &&
         x->rtt_q95_ns == y->rtt_q95_ns && x->rtt_q99_ns == y->rtt_q99_ns && x->rtt_error_ns == y->rtt_error_ns &&
         x->variation.pairs == y->variation.pairs && x->variation.forward_mean_ns == y->variation.forward_mean_ns &&
         x->variation.forward_max_ns == y->variation.forward_max_ns &&
         x->variation.backward_mean_ns == y->variation.backward_mean_ns &&
         x->variation.backward_max_ns == y->variation.backward_max_ns && memcmp(&x->sla, &y->sla, sizeof x->sla) == 0 &&
         x->s_availability_ppm == y->s_availability_ppm && x->s_latency_ppm == y->s_latency_ppm &&
         x->s_correctness_ppm == y->s_correctness_ppm && x->e_value_q32 == y->e_value_q32 && x->gate_open == y->gate_open &&
         x->composite_ppm == y->composite_ppm && x->confidence_ppm == y->confidence_ppm && x->tier == y->tier &&
         x->binding == y->binding;
}

Test(rows, scores_keep_the_newest_and_the_one_before)
{
  struct asz_score_row read, expected;
  int64_t row = fixture_add(&fixture, store, 1);
  cr_assert_eq(asz_store_score_newest(store, row, &read, &fixture.diag), ASZ_ENOENT);
  for (uint32_t epoch = 10; epoch < 13; epoch++) {
    expected = score_row(row, epoch);
    cr_assert_eq(asz_store_score_put(store, &expected, &fixture.diag), 0, "%s", fixture.diag.text);
    cr_assert_eq(asz_store_score_newest(store, row, &read, &fixture.diag), 0, "%s", fixture.diag.text);
    cr_assert(same_score(&read, &expected), "epoch %u", epoch);
    expected = score_row(row, epoch - 1);
    cr_assert_eq(asz_store_score_previous(store, row, &read, &fixture.diag), epoch == 10 ? ASZ_ENOENT : 0);
    cr_assert(epoch == 10 || same_score(&read, &expected), "epoch %u", epoch);
  }
  expected = score_row(row, 12); /* the same epoch again, as after a crash: the one before stays */
  cr_assert_eq(asz_store_score_put(store, &expected, &fixture.diag), 0);
  cr_assert_eq(asz_store_score_previous(store, row, &read, &fixture.diag), 0);
  cr_assert_eq(read.epoch, 11);
}

Test(rows, scores_of_earlier_versions_are_read)
{
  uint8_t old[128];
  struct asz_score_row read, row = score_row(fixture_add(&fixture, store, 1), 10);
  cr_assert_eq(asz_store_score_put(store, &row, &fixture.diag), 0);
  age("score", 2, old, 128); /* before the service-level account */
  cr_assert_eq(asz_store_score_newest(store, 1, &read, &fixture.diag), 0, "%s", fixture.diag.text);
  row.score.sla = (struct asz_sla){0};
  cr_assert(same_score(&read, &row));
  age("score", 1, old, 92); /* before the delay variation */
  cr_assert_eq(asz_store_score_newest(store, 1, &read, &fixture.diag), 0, "%s", fixture.diag.text);
  row.score.variation = (struct asz_variation){0};
  cr_assert(same_score(&read, &row));
}

Test(rows, a_damaged_score_is_an_error)
{
  struct asz_score_row read, row = score_row(fixture_add(&fixture, store, 1), 10);
  cr_assert_eq(asz_store_score_put(store, &row, &fixture.diag), 0);
  damage("UPDATE score SET score = zeroblob(92)"); /* version 0 */
  cr_assert_eq(asz_store_score_newest(store, 1, &read, &fixture.diag), ASZ_EFORMAT);
  static const char *const sizes[] = {"0", "91", "93", "127", "128", "155", "156", "157"}; /* all of version 0 */
  for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char sql[64];
    snprintf(sql, sizeof sql, "UPDATE score SET score = zeroblob(%s)", sizes[i]);
    damage(sql);
    cr_assert_eq(asz_store_score_newest(store, 1, &read, &fixture.diag), ASZ_EFORMAT, "%s bytes", sizes[i]);
  }
}

Test(rows, of_performance_the_newest_is_kept_and_a_damaged_one_is_an_error)
{
  int64_t row = fixture_add(&fixture, store, 1);
  struct asz_performance_row read, put = {.provider_row = row, .performance = {.fold = {2, 30, 40}, .folds_too_slow = 2}};
  cr_assert_eq(asz_store_performance_newest(store, row, &read, &fixture.diag), ASZ_ENOENT);
  for (put.epoch = 10; put.epoch < 12; put.epoch++)
    cr_assert_eq(asz_store_performance_put(store, &put, &fixture.diag), 0, "%s", fixture.diag.text);
  cr_assert_eq(asz_store_performance_newest(store, row, &read, &fixture.diag), 0, "%s", fixture.diag.text);
  cr_assert(read.epoch == 11 && read.performance.fold.max_ns == 40 && read.performance.folds_too_slow == 2);
  damage("UPDATE performance SET figures = zeroblob(91)");
  cr_assert_eq(asz_store_performance_newest(store, row, &read, &fixture.diag), ASZ_EFORMAT);
  char sql[256];
  snprintf(sql, sizeof sql, "UPDATE performance SET figures = x'00000001%0176d'", 0); /* a product in no time */
  damage(sql);
  cr_assert_eq(asz_store_performance_newest(store, row, &read, &fixture.diag), ASZ_EFORMAT);
}

struct visited {
  unsigned count, stop_after;
  uint64_t slot[16];
  size_t answer_bytes[16];
};

static int visit(void *context, const struct asz_transcript_row *row) {
  struct visited *visited = context;
  visited->slot[visited->count] = row->slot;
  const struct asz_span *piece = row->exchange.piece;
  visited->answer_bytes[visited->count] = piece[ASZ_PIECE_ANSWER].size_bytes;
  cr_assert_eq(piece[ASZ_PIECE_CHALLENGE].size_bytes, 3);
  cr_assert_eq(memcmp(piece[ASZ_PIECE_CHALLENGE].data, "abc", 3), 0);
  cr_assert_eq(piece[ASZ_PIECE_OPENING].size_bytes, 5);
  cr_assert_eq(memcmp(piece[ASZ_PIECE_OPENING].data, "56789", 5), 0);
  cr_assert_eq(piece[ASZ_PIECE_BUILD].size_bytes, 1);
  cr_assert_eq(row->clock_error_ns, 9);
  return ++visited->count == visited->stop_after ? 7 : 0;
}

static int count_one(void *context, const struct asz_transcript_row *row) {
  (void)row;
  ++*(unsigned *)context;
  return 0;
}

Test(rows, transcripts_are_visited_by_provider_verdict_and_slot_in_order)
{
  int64_t rows[2] = {fixture_add(&fixture, store, 1), fixture_add(&fixture, store, 2)};
  for (unsigned i = 0; i < 20; i++) {
    struct asz_transcript_row row = {.provider_row = rows[i % 2],
                                     .epoch = 3,
                                     .slot = 100 + i * 7 % 20,
                                     .kind = 1,
                                     .verdict = (uint8_t)(1 + i % 4 / 2),
                                     .tx_ns = 1000 + i,
                                     .rx_ns = 2000 + i,
                                     .clock_error_ns = 9};
    row.exchange.piece[ASZ_PIECE_CHALLENGE] = (struct asz_span){(const uint8_t *)"abc", 3};
    row.exchange.piece[ASZ_PIECE_ANSWER] = (struct asz_span){(const uint8_t *)"01234", i % 3};
    row.exchange.piece[ASZ_PIECE_OPENING] = (struct asz_span){(const uint8_t *)"56789", 5};
    row.exchange.piece[ASZ_PIECE_BUILD] = (struct asz_span){(const uint8_t *)"b", 1};
    cr_assert_eq(asz_store_transcript_put(store, &row, &fixture.diag), 0, "%s", fixture.diag.text);
  }
  struct visited all = {0};
  cr_assert_eq(asz_store_transcript_each(store, rows[0], 2, 0, UINT64_MAX, visit, &all, &fixture.diag), 0);
  cr_assert_eq(all.count, 5);
  for (unsigned i = 1; i < all.count; i++)
    cr_assert_gt(all.slot[i], all.slot[i - 1]);
  struct visited range = {0};
  cr_assert_eq(asz_store_transcript_each(store, rows[0], 2, all.slot[1], all.slot[3], visit, &range, &fixture.diag), 0);
  cr_assert_eq(range.count, 3);
  struct visited stopped = {.stop_after = 2};
  cr_assert_eq(asz_store_transcript_each(store, rows[0], 2, 0, UINT64_MAX, visit, &stopped, &fixture.diag), 7);
  cr_assert_eq(stopped.count, 2);
  struct visited none = {0};
  cr_assert_eq(asz_store_transcript_each(store, rows[0], 2, UINT64_C(500), UINT64_MAX, visit, &none, &fixture.diag), 0);
  cr_assert_eq(none.count, 0);

  cr_assert_eq(asz_store_transcript_prune(store, 1010, 9, &fixture.diag), 0);
  struct visited left = {0};
  for (unsigned provider = 0; provider < 2; provider++) {
    for (unsigned verdict = 1; verdict <= 2; verdict++)
      cr_assert_eq(asz_store_transcript_each(store, rows[provider], verdict, 0, UINT64_MAX, visit, &left, &fixture.diag), 0);
  }
  cr_assert_eq(left.count, 10);
}

/* Transcripts of one provider in slots 100..119, every fourth of verdict 1, sent when their slots were. */
static int64_t transcripts_of_a_year_from(uint64_t slot_start) {
  int64_t row = fixture_add(&fixture, store, 1);
  if (slot_start)
    cr_assert_eq(asz_store_eprocess_start_set(store, row, slot_start, &fixture.diag), 0, "%s", fixture.diag.text);
  for (unsigned i = 0; i < 20; i++) {
    struct asz_transcript_row t = {
        .provider_row = row, .epoch = 3, .slot = 100 + i, .kind = 2, .verdict = i % 4 == 0 ? 1 : 2, .tx_ns = 1000 + i};
    cr_assert_eq(asz_store_transcript_put(store, &t, &fixture.diag), 0, "%s", fixture.diag.text);
  }
  return row;
}

static unsigned count_of(int64_t row, unsigned verdict) {
  unsigned count = 0;
  cr_assert_eq(asz_store_transcript_each(store, row, verdict, 0, UINT64_MAX, count_one, &count, &fixture.diag), 0);
  return count;
}

Test(rows, pruning_leaves_the_wrong_answers_of_the_running_year)
{
  int64_t row = transcripts_of_a_year_from(108);
  cr_assert_eq(asz_store_transcript_prune(store, 1016, 2, &fixture.diag), 0);
  cr_assert_eq(count_of(row, 1), 1);      /* slot 116 */
  cr_assert_eq(count_of(row, 2), 15 - 6); /* of slots 100 to 107 the six are gone */
}

Test(rows, pruning_takes_the_wrong_answers_of_whom_no_year_has_begun)
{
  int64_t row = transcripts_of_a_year_from(0);
  cr_assert_eq(asz_store_transcript_prune(store, 1016, 2, &fixture.diag), 0);
  cr_assert_eq(count_of(row, 1), 1);
  cr_assert_eq(count_of(row, 2), 3);
}

Test(rows, the_eprocess_start_is_zero_until_set)
{
  int64_t row = fixture_add(&fixture, store, 1);
  uint64_t slot = 5;
  cr_assert_eq(asz_store_eprocess_start(store, row, &slot, &fixture.diag), 0);
  cr_assert_eq(slot, 0);
  cr_assert_eq(asz_store_eprocess_start_set(store, row, 12, &fixture.diag), 0);
  cr_assert_eq(asz_store_eprocess_start_set(store, row, 13, &fixture.diag), 0);
  cr_assert_eq(asz_store_eprocess_start(store, row, &slot, &fixture.diag), 0);
  cr_assert_eq(slot, 13);
}

Test(rows, incidents_come_newest_first_and_at_most_as_many_as_asked)
{
  int64_t row = fixture_add(&fixture, store, 1);
  for (unsigned i = 0; i < 10; i++) {
    struct asz_incident incident = {.provider_row = row, .epoch = i, .at_ns = 100 + i, .kind = "wrong-answer"};
    snprintf(incident.detail, sizeof incident.detail, "number %u; '); DROP TABLE incident; --", i);
    cr_assert_eq(asz_store_incident_put(store, &incident, &fixture.diag), 0, "%s", fixture.diag.text);
  }
  struct asz_incident last[4];
  size_t count;
  cr_assert_eq(asz_store_incident_last(store, row, last, 4, &count, &fixture.diag), 0);
  cr_assert_eq(count, 4);
  for (unsigned i = 0; i < 4; i++)
    cr_assert_eq(last[i].epoch, 9 - i);
  cr_assert_str_eq(last[0].detail, "number 9; '); DROP TABLE incident; --");
  cr_assert_str_eq(last[0].kind, "wrong-answer");
  cr_assert_eq(asz_store_incident_last(store, row + 1, last, 4, &count, &fixture.diag), 0);
  cr_assert_eq(count, 0);
}

Test(rows, slashes_are_numbered_from_one_and_keep_their_bundle)
{
  int64_t provider_row = fixture_add(&fixture, store, 1);
  struct asz_slash_row *rows, read;
  uint8_t *bundle;
  size_t count, size_bytes;
  cr_assert_eq(asz_store_slash_get(store, 1, &read, &bundle, &size_bytes, &fixture.diag), ASZ_ENOENT);
  for (unsigned i = 0; i < 3; i++) {
    struct asz_slash_row row;
    memset(&row, 0, sizeof row);
    row.provider_row = provider_row;
    row.epoch = i;
    row.at_ns = 1000 + i;
    row.offence = i % 2 ? ASZ_OFFENCE_S1 : ASZ_OFFENCE_S3;
    row.stake_bps = 100 * i;
    row.jail_ns = 7;
    row.log_index = i;
    memset(row.bundle_hash, (int)i, sizeof row.bundle_hash);
    snprintf(row.reason, sizeof row.reason, "reason %u", i);
    cr_assert_eq(asz_store_slash_put(store, &row, (const uint8_t *)"evidence", 6 + i, &fixture.diag), 0, "%s", fixture.diag.text);
    cr_assert_eq(row.id, i + 1);
    cr_assert_eq(asz_store_slash_get(store, row.id, &read, &bundle, &size_bytes, &fixture.diag), 0, "%s", fixture.diag.text);
    cr_assert_eq(memcmp(&read, &row, sizeof row), 0);
    cr_assert_eq(size_bytes, 6 + i);
    cr_assert_eq(memcmp(bundle, "evidence", size_bytes), 0);
    free(bundle);
  }
  cr_assert_eq(asz_store_slash_list(store, &rows, &count, &fixture.diag), 0);
  cr_assert_eq(count, 3);
  cr_assert_eq(rows[2].id, 3);
  cr_assert_str_eq(rows[2].reason, "reason 2");
  free(rows);
  damage("UPDATE slash SET offence = 9 WHERE id = 2");
  cr_assert_eq(asz_store_slash_list(store, &rows, &count, &fixture.diag), ASZ_EFORMAT);
  cr_assert_eq(asz_store_slash_get(store, 2, &read, &bundle, &size_bytes, &fixture.diag), ASZ_EFORMAT);
}

Test(rows, meta_values_are_replaced_and_must_fit)
{
  char text[6];
  cr_assert_eq(asz_store_meta_get(store, "origin", text, sizeof text, &fixture.diag), ASZ_ENOENT);
  cr_assert_eq(asz_store_meta_set(store, "origin", "abcdef", &fixture.diag), 0);
  cr_assert_eq(asz_store_meta_get(store, "origin", text, sizeof text, &fixture.diag), ASZ_ETOOBIG);
  cr_assert_eq(asz_store_meta_set(store, "origin", "abcde", &fixture.diag), 0);
  cr_assert_eq(asz_store_meta_get(store, "origin", text, sizeof text, &fixture.diag), 0);
  cr_assert_str_eq(text, "abcde");
}
