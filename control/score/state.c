/* SPDX-License-Identifier: Apache-2.0 */
/* The state that goes from epoch to epoch, and its bytes. Byte table: docs/scoring.md. A file is refused whole when any field
 * says what no run of epochs could have left. */
#include <string.h>

#include "control/score/fixed.h"
#include "control/score/score_private.h"
#include "dataplane/base/bytes.h"

enum {
  STATE_VERSION = 2,
  STATE_VERSION_OLD = 1, /* ended in sixteen zeros where the process of paces is */
  STATE_BYTES_OLD = 720,
  DAY_BYTES = 20,
  AT_LAST_SLOT = 1,
  AT_DAYS = 8,
  AT_ALPHA = AT_DAYS + ASZ_WINDOW_DAYS * DAY_BYTES,
  AT_BETA = AT_ALPHA + 8,
  AT_EPROCESS = AT_BETA + 8,
  AT_SLOTS_TOTAL = AT_EPROCESS + ASZ_EPROCESS_BYTES,
  AT_FIRST = AT_SLOTS_TOTAL + 8,
  AT_PACE = AT_FIRST + 8,
};
_Static_assert(AT_PACE + ASZ_EPROCESS_BYTES == ASZ_SCORE_STATE_BYTES, "the saved form");

void asz_score_state_init(struct asz_score_state *ret_state) {
  memset(ret_state, 0, sizeof *ret_state);
  ret_state->alpha_q32 = ASZ_Q32_ONE; /* Beta(1, 1): nothing known */
  ret_state->beta_q32 = ASZ_Q32_ONE;
  asz_eprocess_init(&ret_state->eprocess);
  asz_eprocess_init(&ret_state->pace);
  ret_state->last_slot_down = ASZ_LAST_SLOT_NONE;
}

void asz_score_state_save(uint8_t *ret_bytes, const struct asz_score_state *state) {
  memset(ret_bytes, 0, ASZ_SCORE_STATE_BYTES);
  ret_bytes[0] = STATE_VERSION;
  ret_bytes[AT_LAST_SLOT] = state->last_slot_down;
  for (unsigned i = 0; i < ASZ_WINDOW_DAYS; i++) {
    uint8_t *at = ret_bytes + AT_DAYS + i * DAY_BYTES;
    asz_be32_store(at, state->day[i].day);
    asz_be32_store(at + 4, state->day[i].up);
    asz_be32_store(at + 8, state->day[i].judged);
    asz_be32_store(at + 12, state->day[i].pairs);
    asz_be32_store(at + 16, state->day[i].pairs_both_down);
  }
  asz_be64_store(ret_bytes + AT_ALPHA, state->alpha_q32);
  asz_be64_store(ret_bytes + AT_BETA, state->beta_q32);
  asz_eprocess_save(ret_bytes + AT_EPROCESS, &state->eprocess);
  asz_be64_store(ret_bytes + AT_SLOTS_TOTAL, state->slots_total);
  asz_be64_store(ret_bytes + AT_FIRST, state->first_ns);
  asz_eprocess_save(ret_bytes + AT_PACE, &state->pace);
}

static bool day_is_possible(const struct asz_day *day, unsigned index) {
  bool in_its_place = day->day % ASZ_WINDOW_DAYS == index || day->judged == 0;
  return in_its_place && day->judged <= ASZ_DAY_SLOTS_MAX && day->up <= day->judged && day->pairs <= day->judged &&
         day->pairs_both_down <= day->pairs && day->pairs_both_down <= day->judged - day->up;
}

static bool zero(const uint8_t *bytes, size_t size_bytes) {
  for (size_t i = 0; i < size_bytes; i++) {
    if (bytes[i])
      return false;
  }
  return true;
}

/* Size and version belong together, and what is reserved is zero. */
static bool form_is_known(const uint8_t *bytes, size_t size_bytes) {
  if (size_bytes == STATE_BYTES_OLD)
    return bytes[0] == STATE_VERSION_OLD && zero(bytes + AT_PACE, STATE_BYTES_OLD - AT_PACE);
  return size_bytes == ASZ_SCORE_STATE_BYTES && bytes[0] == STATE_VERSION;
}

int asz_score_state_load(struct asz_score_state *ret_state, const uint8_t *bytes, size_t size_bytes) {
  enum { KNOWN_MAX = 1001 }; /* alpha + beta: 1/(1 - .999), approached from 2; one more for the step in hand */
  if (!form_is_known(bytes, size_bytes) || bytes[AT_LAST_SLOT] > ASZ_LAST_SLOT_NONE ||
      !zero(bytes + AT_LAST_SLOT + 1, AT_DAYS - AT_LAST_SLOT - 1))
    return ASZ_EFORMAT;

  struct asz_score_state state = {.last_slot_down = bytes[AT_LAST_SLOT]};
  for (unsigned i = 0; i < ASZ_WINDOW_DAYS; i++) {
    const uint8_t *at = bytes + AT_DAYS + i * DAY_BYTES;
    state.day[i] = (struct asz_day){
        .day = asz_be32_load(at),
        .up = asz_be32_load(at + 4),
        .judged = asz_be32_load(at + 8),
        .pairs = asz_be32_load(at + 12),
        .pairs_both_down = asz_be32_load(at + 16),
    };
    if (!day_is_possible(&state.day[i], i))
      return ASZ_EFORMAT;
  }
  state.alpha_q32 = asz_be64_load(bytes + AT_ALPHA);
  state.beta_q32 = asz_be64_load(bytes + AT_BETA);
  if (state.alpha_q32 > KNOWN_MAX * ASZ_Q32_ONE || state.beta_q32 > KNOWN_MAX * ASZ_Q32_ONE ||
      state.alpha_q32 + state.beta_q32 < ASZ_Q32_ONE)
    return ASZ_EFORMAT;
  int err = asz_eprocess_load(&state.eprocess, bytes + AT_EPROCESS);
  if (!err && size_bytes == ASZ_SCORE_STATE_BYTES)
    err = asz_eprocess_load(&state.pace, bytes + AT_PACE);
  if (err)
    return err;
  state.slots_total = asz_be64_load(bytes + AT_SLOTS_TOTAL);
  state.first_ns = asz_be64_load(bytes + AT_FIRST);
  *ret_state = state;
  return 0;
}
