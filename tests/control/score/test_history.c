/* SPDX-License-Identifier: Apache-2.0 */
/* Whole histories of a provider against score_reference.py, which computes the same numbers from docs/scoring.md in another
 * language: every field of every score, every record, the state at the end, to the bit. Once from tests/vectors/scoring.json,
 * once from freshly drawn ones; ASSIZE_HISTORIES says how many of those (default 8). */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/score/score.h"
#include "dataplane/base/identity.h"
#include "dataplane/base/sketch.h"

enum { SEED = 20261126, HISTORIES = 8, STATE_HEX = 2 * ASZ_SCORE_STATE_BYTES + 1 };

static json_t *get(json_t *object, const char *name) {
  json_t *value = json_object_get(object, name);
  cr_assert_not_null(value, "the history has no %s", name);
  return value;
}

static uint64_t number(json_t *object, const char *name) {
  return (uint64_t)json_integer_value(get(object, name));
}

static uint64_t bits(json_t *object, const char *name) {
  return strtoull(json_string_value(get(object, name)), NULL, 16);
}

static void read_sketch(struct asz_measure *measure, json_t *m, uint16_t cell[ASZ_SKETCH_CELLS_MAX]) {
  size_t i;
  json_t *rtt;
  memset(cell, 0, ASZ_SKETCH_CELLS_MAX * sizeof *cell);
  measure->sketch = (struct asz_sketch){.cell = cell, .cell_count = (uint32_t)number(m, "sketch_cells")};
  json_array_foreach(get(m, "rtts_ns"), i, rtt) {
    for (json_int_t n = json_integer_value(json_array_get(rtt, 1)); n > 0; n--)
      asz_sketch_add(&measure->sketch, (uint64_t)json_integer_value(json_array_get(rtt, 0)));
  }
}

static void read_measure(struct asz_measure *ret_measure, json_t *m, uint16_t cell[ASZ_SKETCH_CELLS_MAX]) {
  *ret_measure = (struct asz_measure){
      .sent = (uint32_t)number(m, "sent"),
      .answered = (uint32_t)number(m, "answered"),
      .late = (uint32_t)number(m, "late"),
      .unjudged = (uint32_t)number(m, "unjudged"),
      .slots_judged = bits(m, "slots_judged"),
      .slots_up = bits(m, "slots_up"),
      .rtt_error_ns = number(m, "rtt_error_ns"),
      .answers_pass = (uint32_t)number(m, "answers_pass"),
      .answers_fail = (uint32_t)number(m, "answers_fail"),
      .answers_malformed = (uint32_t)number(m, "answers_malformed"),
  };
  read_sketch(ret_measure, m, cell);
}

static void step_eprocess(struct asz_eprocess *process, json_t *runs, bool stands_still) {
  size_t i;
  json_t *run;
  json_array_foreach(runs, i, run) {
    for (json_int_t n = json_integer_value(json_array_get(run, 1)); n > 0; n--) {
      if (!(stands_still && asz_eprocess_fired(process)))
        asz_eprocess_step(process, json_integer_value(json_array_get(run, 0)) != 0);
    }
  }
}

struct field {
  const char *name;
  uint64_t value;
};

static void assert_fields(json_t *expected, const struct field *field, size_t count, const char *history, size_t epoch) {
  for (size_t i = 0; i < count; i++)
    cr_assert_eq(field[i].value, number(expected, field[i].name), "%s, epoch %zu, %s: %" PRIu64 ", not %" PRIu64, history, epoch,
                 field[i].name, field[i].value, number(expected, field[i].name));
}

static void assert_sla(json_t *expected, const struct asz_sla *sla, const char *history, size_t epoch) {
  const struct field field[] = {
      {"target_ppm", sla->target_ppm},         {"down_slots", sla->down_slots},
      {"budget_slots", sla->budget_slots},     {"burn_month_milli", sla->burn_month_milli},
      {"burn_day_milli", sla->burn_day_milli}, {"burn_epoch_milli", sla->burn_epoch_milli},
      {"credit_ppm", sla->credit_ppm},
  };
  assert_fields(expected, field, sizeof field / sizeof *field, history, epoch);
  cr_assert_eq(json_object_size(expected), sizeof field / sizeof *field, "a field of the account that nobody compared");
}

static void assert_score(json_t *expected, const struct asz_score *s, const char *history, size_t epoch) {
  const struct field field[] = {
      {"slots_judged", s->slots_judged},
      {"uptime_ppm", s->uptime_ppm},
      {"loss_ppm", s->loss_ppm},
      {"rtt_q50_ns", s->rtt_q50_ns},
      {"rtt_q95_ns", s->rtt_q95_ns},
      {"rtt_q99_ns", s->rtt_q99_ns},
      {"rtt_error_ns", s->rtt_error_ns},
      {"window_slots", s->window_slots},
      {"window_uptime_ppm", s->window_uptime_ppm},
      {"availability_low_ppm", s->availability_low_ppm},
      {"slots_missing", s->slots_missing},
      {"s_availability_ppm", s->s_availability_ppm},
      {"s_latency_ppm", s->s_latency_ppm},
      {"s_correctness_ppm", s->s_correctness_ppm},
      {"e_value_q32", s->e_value_q32},
      {"confidence_ppm", s->confidence_ppm},
      {"composite_ppm", s->composite_ppm},
      {"tier", s->tier},
  };
  assert_fields(expected, field, sizeof field / sizeof *field, history, epoch);
  assert_sla(get(expected, "sla"), &s->sla, history, epoch);
  cr_assert_eq(s->gate_open, json_is_true(get(expected, "gate_open")), "%s, epoch %zu", history, epoch);
  cr_assert_str_eq(asz_binding_name(s->binding), json_string_value(get(expected, "binding")), "%s, epoch %zu", history, epoch);
  cr_assert_eq(json_object_size(expected), sizeof field / sizeof *field + 3, "a field of the score that nobody compared");
}

static void assert_hex(const uint8_t *bytes, size_t size_bytes, json_t *expected, const char *history, size_t epoch) {
  char text[STATE_HEX];
  asz_hex_encode(text, bytes, size_bytes);
  cr_assert_str_eq(text, json_string_value(expected), "%s, epoch %zu", history, epoch);
}

static void assert_epoch(struct asz_score_state *state, json_t *history, size_t index) {
  const char *name = json_string_value(get(history, "name"));
  json_t *params_json = get(history, "params"), *who = get(history, "provider");
  json_t *epoch = json_array_get(get(history, "epochs"), index), *m = get(epoch, "measures");
  const struct asz_score_params params = {
      .rtt_target_ns = number(params_json, "rtt_target_ns"),
      .vetting_days = (uint32_t)number(params_json, "vetting_days"),
      .vetting_slots = (uint32_t)number(params_json, "vetting_slots"),
      .sla_uptime_ppm = (uint32_t)number(params_json, "sla_uptime_ppm"),
  };
  uint16_t cell[ASZ_SKETCH_CELLS_MAX];
  uint8_t key[32], record[ASZ_RECORD_BYTES];
  struct asz_measure measure;
  struct asz_score score;
  read_measure(&measure, m, cell);
  step_eprocess(&state->eprocess, get(m, "correctness_slots"), true); /* as control/epoch.c does */
  step_eprocess(&state->pace, get(m, "pace_slots"), false);
  asz_score_epoch(state, &measure, &params, number(who, "rtt_target_ns"), number(m, "end_ns"), &score);
  assert_score(get(epoch, "score"), &score, name, index);
  cr_assert_eq(asz_hex_decode(key, sizeof key, json_string_value(get(who, "key"))), 0);
  asz_score_record_write(record, (int64_t)number(who, "row"), key, (uint32_t)number(who, "device"), &measure, &score);
  assert_hex(record, sizeof record, get(epoch, "record"), name, index);
}

/* Every state on the way is saved and loaded, as between two runs. */
static size_t assert_histories(json_t *histories) {
  size_t i, epochs = 0;
  json_t *history;
  asz_sketch_init();
  json_array_foreach(histories, i, history) {
    struct asz_score_state state;
    uint8_t bytes[ASZ_SCORE_STATE_BYTES];
    asz_score_state_init(&state);
    for (size_t n = 0; n < json_array_size(get(history, "epochs")); n++, epochs++) {
      assert_epoch(&state, history, n);
      asz_score_state_save(bytes, &state);
      cr_assert_eq(asz_score_state_load(&state, bytes, sizeof bytes), 0);
    }
    assert_hex(bytes, sizeof bytes, get(history, "state"), json_string_value(get(history, "name")), epochs);
  }
  json_decref(histories);
  return epochs;
}

static const char *source(void) {
  const char *path = getenv("ASSIZE_SOURCE");
  return path ? path : ".";
}

static void skip_without_python(void) {
  if (system("python3 -c 'import json' >/dev/null 2>&1"))
    cr_skip_test("python3 is not installed");
}

Test(history, vectors_give_the_published_numbers_to_the_bit)
{
  char path[1024];
  json_error_t error;
  snprintf(path, sizeof path, "%s/tests/vectors/scoring.json", source());
  json_t *histories = json_load_file(path, 0, &error);
  cr_assert_not_null(histories, "%s: %s", path, error.text);
  cr_assert_gt(assert_histories(histories), 50);
}

Test(history, vectors_are_those_that_the_reference_makes)
{
  char command[1024];
  skip_without_python();
  snprintf(command, sizeof command, "python3 '%s/tests/control/score/score_reference.py' --check", source());
  cr_assert_eq(system(command), 0);
}

Test(history, drawn_and_hostile_ones_give_the_numbers_of_the_reference)
{
  char command[1024];
  json_error_t error;
  skip_without_python();
  const char *count = getenv("ASSIZE_HISTORIES");
  long histories = count ? strtol(count, NULL, 10) : HISTORIES;
  snprintf(command, sizeof command, "python3 '%s/tests/control/score/score_reference.py' %d %ld", source(), SEED, histories);
  FILE *pipe = popen(command, "r");
  cr_assert_not_null(pipe);
  json_t *drawn = json_loadf(pipe, 0, &error);
  cr_assert_not_null(drawn, "%s", error.text);
  cr_assert_eq(pclose(pipe), 0, "the reference failed");
  cr_assert_eq(assert_histories(drawn), 30 * (size_t)histories);
}
