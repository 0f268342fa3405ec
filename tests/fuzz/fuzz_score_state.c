/* SPDX-License-Identifier: Apache-2.0 */
/* Saved score states: what load accepts, save writes again byte for byte, or as the same state of this version, and the next
 * epochs score within bounds. */
#include <string.h>

#include "control/score/score.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  static const struct asz_score_params params = {.rtt_target_ns = 1000000, .vetting_days = 21, .vetting_slots = 5000};
  struct asz_score_state state;
  if (asz_score_state_load(&state, data, size_bytes) != ASZ_OK)
    return 0;
  uint8_t bytes[ASZ_SCORE_STATE_BYTES];
  asz_score_state_save(bytes, &state);
  enum { VERSION_1_BYTES = 720, KEPT_FROM = 1, KEPT_TO = 704 };
  FUZZ_CHECK(size_bytes == VERSION_1_BYTES ? memcmp(bytes + KEPT_FROM, data + KEPT_FROM, KEPT_TO - KEPT_FROM) == 0
                                           : size_bytes == sizeof bytes && memcmp(bytes, data, sizeof bytes) == 0);

  struct asz_measure measure = {.sent = 60, .slots_judged = UINT64_MAX, .slots_up = 0xffff, .answers_pass = 1, .answers_fail = 1};
  for (unsigned epoch = 0; epoch < 3; epoch++) {
    struct asz_score score;
    asz_eprocess_step(&state.eprocess, epoch == 0);
    asz_eprocess_step(&state.pace, epoch == 1);
    asz_score_epoch(&state, &measure, &params, 0, (uint64_t)state.day[0].day * 86400 * 1000000000, &score);
    FUZZ_CHECK(score.availability_low_ppm <= ASZ_PPM && score.composite_ppm <= ASZ_PPM && score.s_correctness_ppm <= ASZ_PPM);
    asz_score_state_save(bytes, &state);
    FUZZ_CHECK(asz_score_state_load(&state, bytes, sizeof bytes) == ASZ_OK); /* steps never leave what load accepts */
  }
  return 0;
}
