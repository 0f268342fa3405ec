/* SPDX-License-Identifier: Apache-2.0 */
/* What an epoch holds in memory alone: out as bytes and in again. Three providers of one key, in a real store. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "control/epoch_internal.h"
#include "control/file.h"
#include "dataplane/base/bytes.h"

enum { COUNT = 3, EPOCH = 4, SLOT = 1000 };

static char dir[64];
static struct asz_store *store;
static struct asz_config config;
static struct asz_identity validator, provider_key;
static struct asz_roster *roster;
static struct asz_epochs *epochs, *again;
static struct asz_diag diag;
static uint8_t *bytes;
static size_t size;

static struct asz_epochs *fresh(void) {
  struct asz_epochs *e;
  cr_assert_eq(asz_epochs_new(&e, &config, &validator, store, NULL, "log", roster, &diag), 0, "%s", diag.text);
  return e;
}

static void begin(void) {
  char path[96];
  const uint8_t seed[2][32] = {{1}, {2}};
  strcpy(dir, "/tmp/asz_keep_XXXXXX");
  cr_assert_not_null(mkdtemp(dir));
  snprintf(path, sizeof path, "%s/store.db", dir);
  asz_config_default(&config);
  asz_identity_from_seed(&validator, seed[0]);
  asz_identity_from_seed(&provider_key, seed[1]);
  cr_assert_eq(asz_store_create(path, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_store_open(&store, path, false, &diag), 0, "%s", diag.text);
  struct asz_provider *provider = calloc(COUNT, sizeof *provider);
  for (uint32_t i = 0; i < COUNT; i++) {
    asz_provider_init(&provider[i]);
    provider[i].row = i + 1;
    snprintf(provider[i].name, sizeof provider[i].name, "p%u", i);
    provider[i].ipv4 = 0xc0000201 + i;
    provider[i].device = i;
    provider[i].probe = ASZ_PROBE_STAMP_TLV;
    memcpy(provider[i].public_key, provider_key.public_key, 32);
  }
  cr_assert_eq(asz_roster_new(&roster, provider, COUNT, &validator, &diag), 0, "%s", diag.text);
  epochs = fresh();
}

static void end(void) {
  asz_epochs_free(epochs);
  asz_epochs_free(again);
  asz_roster_free(roster);
  asz_store_close(store);
  free(bytes);
  asz_file_remove_tree(dir);
}

TestSuite(epoch_keep, .init = begin, .fini = end);

static void outcome_of(uint32_t provider, uint64_t slot, enum asz_verdict verdict, uint8_t kind, bool is_opened) {
  static const uint8_t key[16], signature[64], body[1024] = {8, 9}, id[8];
  static const uint8_t opening[300] = {5};
  const struct asz_challenge asked = {
      .kind = kind, .param = kind == ASZ_KIND_GEMM ? ASZ_GEMM_PRESET_TINY : ASZ_SEQ_LOG2_MIN, .epoch = EPOCH, .slot = slot};
  uint8_t challenge[ASZ_DATAGRAM_MAX_BYTES], answer[ASZ_DATAGRAM_MAX_BYTES];
  struct asz_outcome o = {
      .provider = provider,
      .epoch = EPOCH,
      .slot = slot,
      .kind = kind,
      .verdict = (uint8_t)verdict,
      .tx_ns = 11,
      .rx_ns = 22,
      .clock_error_ns = 33,
  };
  struct asz_span *piece = o.exchange.piece;
  piece[ASZ_PIECE_CHALLENGE] = (struct asz_span){challenge, asz_challenge_write(challenge, &asked, key)};
  if (verdict != ASZ_VERDICT_NONE)
    piece[ASZ_PIECE_ANSWER] = (struct asz_span){answer, asz_answer_write(answer, &asked, id, body, signature, key)};
  if (is_opened)
    piece[ASZ_PIECE_OPENING] = (struct asz_span){opening, sizeof opening};
  asz_epochs_outcome(epochs, &o);
}

static void outcome(uint32_t provider, uint64_t slot, enum asz_verdict verdict) {
  outcome_of(provider, slot, verdict, ASZ_KIND_SEQ, false);
}

/* A right fold of an arena of 16 KiB, claimed to take 100 ms. */
static void folded(uint32_t provider, enum asz_fold_pace pace, uint64_t took_ns) {
  const struct asz_outcome o = {.provider = provider,
                                .epoch = EPOCH,
                                .slot = SLOT,
                                .kind = ASZ_KIND_MEM,
                                .param = ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD,
                                .verdict = ASZ_VERDICT_PASS,
                                .took_ns = took_ns,
                                .is_timed = pace != ASZ_FOLD_PACE_NONE,
                                .pace = (uint8_t)pace,
                                .claimed_bytes_ps = 163840};
  asz_epochs_outcome(epochs, &o);
}

static void some_challenges(void) {
  folded(1, ASZ_FOLD_PACE_IN_BOUNDS, 120);
  folded(1, ASZ_FOLD_PACE_TOO_SLOW, 170);
  folded(1, ASZ_FOLD_PACE_NONE, 900);
  outcome(0, SLOT, ASZ_VERDICT_PASS);
  outcome(1, SLOT, ASZ_VERDICT_FAIL);
  outcome(2, SLOT, ASZ_VERDICT_NONE);
  asz_epochs_slot_done(epochs, SLOT);
  outcome_of(2, SLOT + 1, ASZ_VERDICT_FAIL, ASZ_KIND_GEMM, true); /* of a round that is still open */
}

static void save(const struct asz_epochs *e, uint64_t round_slot) {
  free(bytes);
  size = asz_epochs_keep_bytes(e);
  bytes = malloc(size);
  asz_epochs_keep_write(e, round_slot, bytes);
}

/* The agenda of the first epoch goes by it, as anyone does who has the last report. */
Test(epoch_keep, latencies_of_the_last_report_are_known_after_a_restart)
{
  struct asz_provider first = roster->provider[0], second = roster->provider[1];
  cr_assert_eq(asz_store_provider_add(store, &first, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_store_provider_add(store, &second, &diag), 0, "%s", diag.text);
  const struct asz_score_row row = {.provider_row = second.row, .epoch = EPOCH - 1, .score.rtt_q50_ns = 20000000};
  cr_assert_eq(asz_store_score_put(store, &row, &diag), 0, "%s", diag.text);
  again = fresh();
  cr_assert_eq(asz_epochs_score(again, 1)->rtt_q50_ns, 20000000);
  cr_assert_eq(asz_epochs_score(again, 0)->rtt_q50_ns, 0);
}

Test(epoch_keep, every_truncation_is_refused)
{
  some_challenges();
  save(epochs, SLOT + 1);
  cr_assert_eq(asz_epochs_keep_check(bytes, size, COUNT), 0);
  cr_assert_eq(asz_epochs_keep_check(bytes, size, COUNT - 1), ASZ_EFORMAT);
  cr_assert_eq(asz_epochs_keep_check(bytes, size, COUNT + 1), ASZ_EFORMAT);
  for (size_t cut = 0; cut < size; cut++)
    cr_assert_eq(asz_epochs_keep_check(bytes, cut, COUNT), ASZ_EFORMAT, "%zu bytes", cut);
}

Test(epoch_keep, open_round_of_a_slot_that_is_over_is_refused)
{
  some_challenges();
  save(epochs, SLOT);
  again = fresh();
  cr_assert_eq(asz_epochs_restore(again, EPOCH, bytes, size, &diag), ASZ_EFORMAT);
  asz_be64_store(bytes, UINT64_MAX);
  cr_assert_eq(asz_epochs_restore(again, EPOCH, bytes, size, &diag), ASZ_EFORMAT);
}

Test(epoch_keep, between_rounds_the_same_bytes_come_back)
{
  some_challenges();
  asz_epochs_slot_done(epochs, SLOT + 1);
  save(epochs, 0);
  again = fresh();
  cr_assert_eq(asz_epochs_restore(again, EPOCH, bytes, size, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_epochs_slot_last(again), SLOT + 1);
  uint8_t *first = bytes;
  size_t first_bytes = size;
  bytes = NULL;
  save(again, 0);
  cr_assert(size == first_bytes && memcmp(first, bytes, size) == 0);
  free(first);
}

Test(epoch_keep, round_that_was_open_is_over)
{
  some_challenges();
  save(epochs, SLOT + 1);
  again = fresh();
  cr_assert_eq(asz_epochs_restore(again, EPOCH, bytes, size, &diag), 0, "%s", diag.text);
  asz_epochs_slot_done(epochs, SLOT + 1);
  cr_assert_eq(asz_epochs_slot_last(again), SLOT + 1);
  for (uint32_t i = 0; i < COUNT; i++) {
    cr_assert_eq(again->entry[i].state.eprocess.slots, 2);
    cr_assert_eq(again->entry[i].state.eprocess.wrong, epochs->entry[i].state.eprocess.wrong);
    cr_assert_eq(asz_eprocess_value_q32(&again->entry[i].state.eprocess),
                 asz_eprocess_value_q32(&epochs->entry[i].state.eprocess));
    cr_assert_eq(again->entry[i].answers.fail, epochs->entry[i].answers.fail);
    cr_assert_eq(again->entry[i].answers.missing, epochs->entry[i].answers.missing);
  }
  cr_assert_eq(again->transcript_count, epochs->transcript_count);
  cr_assert_eq(again->transcript[0].row.epoch, EPOCH);
}

Test(epoch_keep, what_is_certain_of_a_right_answers_time_is_kept)
{
  some_challenges();
  outcome_of(0, SLOT, ASZ_VERDICT_PASS, ASZ_KIND_GEMM, true);
  const struct asz_performance *p = &epochs->entry[1].performance;
  cr_assert(p->fold.count == 2 && p->fold.min_ns == 120 && p->fold.max_ns == 170);
  cr_assert(p->folds_in_bounds == 1 && p->folds_too_slow == 1 && p->folds_too_fast == 0 && p->folds_untimed == 1);
  cr_assert(p->arena_bytes == 16384 && p->claimed_bytes_ps == 163840);
  cr_assert(!asz_performance_any(&epochs->entry[0].performance), "its time is not certain");
  cr_assert(!asz_performance_any(&epochs->entry[2].performance), "a wrong answer may take any time");
}

Test(epoch_keep, a_time_that_nobody_took_is_refused)
{
  enum { PROVIDER_BYTES = 8 + 5 * 4 + 8 + 2 + 2 * ASZ_EPROCESS_BYTES + ASZ_PERFORMANCE_BYTES };
  some_challenges();
  save(epochs, 0);
  bytes[12 + PROVIDER_BYTES - ASZ_PERFORMANCE_BYTES] ^= 1; /* a product of the first provider, without a time */
  cr_assert_eq(asz_epochs_keep_check(bytes, size, COUNT), ASZ_EFORMAT);
}

Test(epoch_keep, openings_are_kept_when_they_prove_something)
{
  outcome_of(0, SLOT, ASZ_VERDICT_FAIL, ASZ_KIND_GEMM, true);
  outcome_of(1, SLOT, ASZ_VERDICT_MALFORMED, ASZ_KIND_GEMM, true);
  cr_assert_eq(epochs->transcript_count, 2);
  cr_assert_eq(epochs->transcript[0].row.exchange.piece[ASZ_PIECE_OPENING].size_bytes, 300);
  cr_assert_eq(epochs->transcript[1].row.exchange.piece[ASZ_PIECE_OPENING].size_bytes, 0);
  cr_assert(epochs->entry[0].wrong && !epochs->entry[1].wrong);
}

static void fold_of(uint32_t provider, enum asz_verdict verdict, enum asz_fold_pace pace) {
  const struct asz_outcome o = {.provider = provider,
                                .epoch = EPOCH,
                                .slot = SLOT,
                                .kind = ASZ_KIND_MEM,
                                .verdict = (uint8_t)verdict,
                                .pace = (uint8_t)pace};
  asz_epochs_outcome(epochs, &o);
}

Test(epoch_keep, only_a_fold_that_was_surely_too_slow_takes_a_step_of_the_process_of_paces)
{
  fold_of(0, ASZ_VERDICT_PASS, ASZ_FOLD_PACE_TOO_SLOW);
  fold_of(1, ASZ_VERDICT_PASS, ASZ_FOLD_PACE_NONE);
  fold_of(1, ASZ_VERDICT_PASS, ASZ_FOLD_PACE_IN_BOUNDS);
  fold_of(2, ASZ_VERDICT_PASS, ASZ_FOLD_PACE_TOO_FAST);
  fold_of(2, ASZ_VERDICT_NONE, ASZ_FOLD_PACE_NONE);
  asz_epochs_slot_done(epochs, SLOT);
  asz_epochs_slot_done(epochs, SLOT + 3); /* slots without us are no slots of this process */
  for (uint32_t i = 0; i < COUNT; i++) {
    cr_assert_eq(epochs->entry[i].state.pace.slots, 2);
    cr_assert_eq(epochs->entry[i].state.pace.wrong, i == 0);
    cr_assert_eq(epochs->entry[i].state.eprocess.slots, 4);
    cr_assert_eq(epochs->entry[i].state.eprocess.wrong, 0);
  }
}

Test(epoch_keep, four_slow_slots_in_a_row_fire_the_process_of_paces_and_close_no_gate)
{
  for (uint64_t slot = SLOT; slot < SLOT + 4; slot++) {
    fold_of(0, ASZ_VERDICT_PASS, ASZ_FOLD_PACE_TOO_SLOW);
    asz_epochs_slot_done(epochs, slot);
  }
  cr_assert(asz_eprocess_fired(&epochs->entry[0].state.pace));
  cr_assert_not(asz_eprocess_fired(&epochs->entry[0].state.eprocess));
}

Test(epoch_keep, a_slow_fold_of_the_open_round_is_kept)
{
  fold_of(1, ASZ_VERDICT_PASS, ASZ_FOLD_PACE_TOO_SLOW);
  save(epochs, SLOT);
  again = fresh();
  cr_assert_eq(asz_epochs_restore(again, EPOCH, bytes, size, &diag), 0, "%s", diag.text);
  cr_assert(again->entry[1].state.pace.slots == 1 && again->entry[1].state.pace.wrong == 1);
  cr_assert(again->entry[0].state.pace.slots == 1 && again->entry[0].state.pace.wrong == 0);
}

Test(epoch_keep, wrong_answer_that_nobody_else_could_check_takes_no_step_of_the_eprocess)
{
  outcome_of(0, SLOT, ASZ_VERDICT_FAIL, ASZ_KIND_GEMM, false);
  cr_assert_eq(epochs->transcript_count, 0);
  cr_assert(!epochs->entry[0].wrong);
  cr_assert_eq(epochs->entry[0].answers.fail, 1);
}

Test(epoch_keep, answer_for_whose_transcript_there_is_no_room_is_unjudged)
{
  epochs->kept_bytes = ASZ_KEPT_MAX_BYTES - 1000;
  outcome(0, SLOT, ASZ_VERDICT_FAIL);
  cr_assert_eq(epochs->transcript_count, 0);
  cr_assert(!epochs->entry[0].wrong);
  cr_assert_eq(epochs->entry[0].answers.fail, 0);
  cr_assert_eq(epochs->entry[0].answers.unjudged, 1);
}
