/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "control/score/score_private.h"
#include "dataplane/base/bytes.h"

/* docs/scoring.md */
enum {
  AT_LAST_SLOT = 1,
  AT_DAYS = 8,
  AT_ALPHA = 608,
  AT_BETA = 616,
  AT_EPROCESS = 624,
  AT_SLOTS_TOTAL = 688,
  AT_PACE = 704,
  BYTES_1 = 720
};

/* A state with something in every field. */
static struct asz_score_state lived(void) {
  struct asz_score_state state;
  struct asz_score score;
  struct asz_score_params params = {.rtt_target_ns = 1000000, .vetting_days = 21, .vetting_slots = 5000};
  asz_score_state_init(&state);
  for (unsigned hour = 0; hour < 40 * 24; hour++) {
    struct asz_measure measure = {.sent = 60,
                                  .slots_judged = 0x0fffffffffffffff,
                                  .slots_up = hour % 5 ? UINT64_MAX : 0x00ffffffff0000ff,
                                  .answers_pass = 6,
                                  .answers_fail = hour % 100 == 0};
    asz_eprocess_step(&state.eprocess, hour % 100 == 0);
    asz_eprocess_step(&state.pace, hour % 90 == 1);
    asz_score_epoch(&state, &measure, &params, 0, (20780 * 24 + hour) * (ASZ_DAY_NS / 24), &score);
  }
  return state;
}

static void saved(uint8_t ret_bytes[ASZ_SCORE_STATE_BYTES]) {
  struct asz_score_state state = lived();
  asz_score_state_save(ret_bytes, &state);
}

static void assert_refused(const uint8_t *bytes, size_t size_bytes, const char *what) {
  struct asz_score_state state, untouched;
  memset(&state, 0x5a, sizeof state);
  untouched = state;
  cr_assert_eq(asz_score_state_load(&state, bytes, size_bytes), ASZ_EFORMAT, "%s", what);
  cr_assert_eq(memcmp(&state, &untouched, sizeof state), 0, "%s: the output was touched", what);
}

Test(state, load_refuses_a_wrong_size_or_version)
{
  uint8_t bytes[ASZ_SCORE_STATE_BYTES + 1] = {0};
  saved(bytes);
  assert_refused(bytes, 0, "empty");
  assert_refused(bytes, ASZ_SCORE_STATE_BYTES - 1, "short");
  assert_refused(bytes, ASZ_SCORE_STATE_BYTES + 1, "long");
  bytes[0] = 3;
  assert_refused(bytes, ASZ_SCORE_STATE_BYTES, "version 3");
  bytes[0] = 1;
  assert_refused(bytes, ASZ_SCORE_STATE_BYTES, "version 1 in the size of version 2");
  assert_refused(bytes, BYTES_1, "version 1 with a process of paces");
}

/* Version 1 was written before paces were known: sixteen zeros after the first epoch's time, and nothing behind them. */
Test(state, load_takes_one_of_version_1_and_begins_the_process_of_paces)
{
  struct asz_score_state state, expected = lived();
  uint8_t bytes[ASZ_SCORE_STATE_BYTES], again[ASZ_SCORE_STATE_BYTES];
  saved(bytes);
  bytes[0] = 1;
  memset(bytes + AT_PACE, 0, sizeof bytes - AT_PACE);
  cr_assert_eq(asz_score_state_load(&state, bytes, BYTES_1), 0);
  asz_eprocess_init(&expected.pace);
  asz_score_state_save(bytes, &state);
  asz_score_state_save(again, &expected);
  cr_assert_eq(memcmp(bytes, again, sizeof bytes), 0);
}

Test(state, load_refuses_every_set_bit_of_the_reserved_bytes)
{
  uint8_t bytes[ASZ_SCORE_STATE_BYTES];
  saved(bytes);
  for (unsigned at = AT_LAST_SLOT + 1; at < AT_DAYS; at++) {
    for (unsigned bit = 0; bit < 8; bit++) {
      bytes[at] ^= (uint8_t)(1u << bit);
      assert_refused(bytes, sizeof bytes, "reserved");
      bytes[at] ^= (uint8_t)(1u << bit);
    }
  }
}

Test(state, load_refuses_counts_that_contradict_each_other)
{
  uint8_t bytes[ASZ_SCORE_STATE_BYTES];
  uint8_t *day = bytes + AT_DAYS + 7 * 20;

  saved(bytes);
  bytes[AT_LAST_SLOT] = 3;
  assert_refused(bytes, sizeof bytes, "last slot neither up, down nor none");

  saved(bytes);
  asz_be32_store(day, asz_be32_load(day) + 1);
  assert_refused(bytes, sizeof bytes, "a day in another day's bucket");

  saved(bytes);
  asz_be32_store(day + 4, asz_be32_load(day + 8) + 1);
  assert_refused(bytes, sizeof bytes, "more up than judged");

  saved(bytes);
  asz_be32_store(day + 8, ASZ_DAY_SLOTS_MAX + 1);
  assert_refused(bytes, sizeof bytes, "more slots than a day may have");

  saved(bytes);
  asz_be32_store(day + 12, asz_be32_load(day + 8) + 1);
  assert_refused(bytes, sizeof bytes, "more pairs than slots");

  saved(bytes);
  asz_be32_store(day + 16, asz_be32_load(day + 12));
  assert_refused(bytes, sizeof bytes, "more pairs down than slots down");

  saved(bytes);
  asz_be64_store(bytes + AT_ALPHA, UINT64_C(1002) << 32);
  assert_refused(bytes, sizeof bytes, "more answers than forgetting leaves");

  saved(bytes);
  asz_be64_store(bytes + AT_ALPHA, 0);
  asz_be64_store(bytes + AT_BETA, 0);
  assert_refused(bytes, sizeof bytes, "a Beta of nothing: the share would be 0/0");

  saved(bytes);
  bytes[AT_EPROCESS + 60] = 2;
  assert_refused(bytes, sizeof bytes, "a malformed e-process");

  saved(bytes);
  bytes[AT_PACE + 60] = 2;
  assert_refused(bytes, sizeof bytes, "a malformed process of paces");
}

Test(state, save_and_load_round_trip)
{
  struct asz_score_state state = lived(), loaded;
  uint8_t bytes[ASZ_SCORE_STATE_BYTES], again[ASZ_SCORE_STATE_BYTES];
  asz_score_state_save(bytes, &state);
  cr_assert_eq(asz_score_state_load(&loaded, bytes, sizeof bytes), 0);
  asz_score_state_save(again, &loaded);
  cr_assert_eq(memcmp(bytes, again, sizeof bytes), 0);
  cr_assert_eq(loaded.slots_total, 40 * 24 * 60);
  cr_assert_eq(asz_be64_load(bytes + AT_SLOTS_TOTAL), loaded.slots_total);
  cr_assert_eq(loaded.last_slot_down, state.last_slot_down);
}

Test(state, the_initial_one_can_be_saved_and_loaded)
{
  struct asz_score_state state, loaded;
  uint8_t bytes[ASZ_SCORE_STATE_BYTES];
  asz_score_state_init(&state);
  asz_score_state_save(bytes, &state);
  cr_assert_eq(asz_score_state_load(&loaded, bytes, sizeof bytes), 0);
  cr_assert_eq(loaded.last_slot_down, ASZ_LAST_SLOT_NONE);
}

Test(state, no_flipped_bit_crashes_the_next_epoch)
{
  uint8_t bytes[ASZ_SCORE_STATE_BYTES];
  struct asz_score_params params = {.rtt_target_ns = 1000000, .vetting_days = 21, .vetting_slots = 5000};
  struct asz_measure measure = {.sent = 60, .slots_judged = UINT64_MAX, .slots_up = 0xff, .answers_pass = 1};
  saved(bytes);
  for (unsigned bit = 0; bit < 8 * ASZ_SCORE_STATE_BYTES; bit++) {
    struct asz_score_state state;
    struct asz_score score;
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (!asz_score_state_load(&state, bytes, sizeof bytes)) {
      asz_eprocess_step(&state.eprocess, true);
      asz_eprocess_step(&state.pace, true);
      asz_score_epoch(&state, &measure, &params, 0, 20820 * ASZ_DAY_NS, &score);
      cr_assert_leq(score.availability_low_ppm, ASZ_PPM, "bit %u", bit);
    }
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}
