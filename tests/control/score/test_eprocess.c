/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <stdlib.h>
#include <string.h>

#include "control/score/eprocess.h"
#include "dataplane/base/bytes.h"

#define Q32       (UINT64_C(1) << 32)
#define THRESHOLD ((uint64_t)ASZ_EPROCESS_THRESHOLD << 32)

static void steps(struct asz_eprocess *process, unsigned count, bool wrong) {
  for (unsigned i = 0; i < count; i++)
    asz_eprocess_step(process, wrong);
}

/* Byte offset of a field in the saved form: docs/scoring.md. */
enum { AT_M = 0, AT_SLOTS = 56, AT_FIRED = 60, AT_WRONG = 61 };

static void save_after(uint8_t *ret_bytes, unsigned right, unsigned wrong) {
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  steps(&process, right, false);
  steps(&process, wrong, true);
  asz_eprocess_save(ret_bytes, &process);
}

static void assert_refused(const uint8_t *bytes, const char *what) {
  struct asz_eprocess process, untouched;
  memset(&process, 0x5a, sizeof process);
  untouched = process;
  cr_assert_eq(asz_eprocess_load(&process, bytes), ASZ_EFORMAT, "%s", what);
  cr_assert_eq(memcmp(&process, &untouched, sizeof process), 0, "%s: the output was touched", what);
}

Test(eprocess, load_refuses_what_no_history_leads_to)
{
  uint8_t bytes[ASZ_EPROCESS_BYTES];

  save_after(bytes, 3, 0);
  asz_be32_store(bytes + AT_SLOTS, ASZ_EPROCESS_SLOTS + 1);
  assert_refused(bytes, "more slots than the year has");

  save_after(bytes, 3, 0);
  bytes[AT_WRONG + 2] = 4;
  assert_refused(bytes, "more wrong slots than slots");

  save_after(bytes, 3, 0);
  asz_be64_store(bytes + AT_M, (UINT64_C(1) << 63) + 1);
  assert_refused(bytes, "a mass over the saturation");

  save_after(bytes, 3, 0);
  asz_be64_store(bytes + AT_M + 8, 0);
  assert_refused(bytes, "a mass of zero after a step");

  save_after(bytes, 0, 0);
  asz_be64_store(bytes + AT_M, 1);
  assert_refused(bytes, "a mass before the first step");

  save_after(bytes, 0, 2);
  bytes[AT_FIRED] = 1;
  assert_refused(bytes, "a crossing with two wrong answers");

  save_after(bytes, 0, 3);
  bytes[AT_WRONG + 2] = 1;
  assert_refused(bytes, "E over what one wrong answer can make of it");

  save_after(bytes, 0, 4);
  bytes[AT_FIRED] = 2;
  assert_refused(bytes, "a flag that is neither 0 nor 1");

  save_after(bytes, 0, 4);
  bytes[AT_FIRED] = 0;
  assert_refused(bytes, "E over the threshold without a crossing");
}

Test(eprocess, save_and_load_round_trip_and_go_on_alike)
{
  uint64_t seed = 42;
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  for (unsigned t = 0; t < 3000; t++) {
    uint8_t bytes[ASZ_EPROCESS_BYTES];
    struct asz_eprocess loaded;
    asz_eprocess_save(bytes, &process);
    cr_assert_eq(asz_eprocess_load(&loaded, bytes), 0, "seed 42, slot %u", t);
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    bool wrong = seed >> 59 == 0; /* one in 32 */
    asz_eprocess_step(&process, wrong);
    asz_eprocess_step(&loaded, wrong);
    cr_assert_eq(memcmp(loaded.m_q32, process.m_q32, sizeof process.m_q32), 0, "seed 42, slot %u", t);
    cr_assert(loaded.slots == process.slots && loaded.wrong == process.wrong && loaded.fired == process.fired);
  }
}

Test(eprocess, starts_at_one)
{
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  cr_assert_eq(asz_eprocess_value_q32(&process), Q32);
  cr_assert_not(asz_eprocess_fired(&process));
}

Test(eprocess, three_wrong_in_a_row_do_not_fire_and_the_fourth_does)
{
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  steps(&process, 3, true);
  cr_assert_not(asz_eprocess_fired(&process));
  cr_assert_lt(asz_eprocess_value_q32(&process), THRESHOLD);
  asz_eprocess_step(&process, true);
  cr_assert(asz_eprocess_fired(&process));
  /* closed form: the mean of sum over starts of k^j / N, j = 1..4, k over the grid's p1/p0, plus what is unspent */
  static const double k[] = {2, 5, 20, 50, 200, 500, 900};
  double mean = 0;
  for (unsigned i = 0; i < 7; i++)
    mean += (k[i] + k[i] * k[i] + k[i] * k[i] * k[i] + k[i] * k[i] * k[i] * k[i]) / 52560 / 7;
  double e = (double)asz_eprocess_value_q32(&process) / (double)Q32;
  cr_assert(e <= mean + 1 && e > (mean + 1) * 0.9999, "E = %f, closed form %f", e, mean + 1);
}

Test(eprocess, honest_past_gives_no_credit_and_no_debt)
{
  for (unsigned right = 0; right <= 40000; right += 8000) {
    struct asz_eprocess process;
    asz_eprocess_init(&process);
    steps(&process, right, false);
    steps(&process, 3, true);
    cr_assert_not(asz_eprocess_fired(&process), "%u right, 3 wrong", right);
    asz_eprocess_step(&process, true);
    cr_assert(asz_eprocess_fired(&process), "%u right, 4 wrong", right);
  }
}

Test(eprocess, a_year_without_wrong_answers_never_rises_over_its_start)
{
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  for (unsigned t = 0; t < ASZ_EPROCESS_SLOTS; t++) {
    asz_eprocess_step(&process, false);
    cr_assert_leq(asz_eprocess_value_q32(&process), Q32, "slot %u", t);
  }
}

Test(eprocess, a_crossing_is_remembered_when_e_falls_again)
{
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  steps(&process, 4, true);
  steps(&process, 20, false);
  cr_assert_lt(asz_eprocess_value_q32(&process), THRESHOLD);
  cr_assert(asz_eprocess_fired(&process));
}

Test(eprocess, the_slot_after_the_last_starts_a_new_year)
{
  struct asz_eprocess process, fresh;
  asz_eprocess_init(&process);
  steps(&process, 4, true);
  steps(&process, ASZ_EPROCESS_SLOTS - 4, false);
  cr_assert_eq(process.slots, ASZ_EPROCESS_SLOTS);
  cr_assert(asz_eprocess_fired(&process), "the year's last slot still belongs to it");
  asz_eprocess_step(&process, true);
  asz_eprocess_init(&fresh);
  asz_eprocess_step(&fresh, true);
  cr_assert_eq(memcmp(process.m_q32, fresh.m_q32, sizeof fresh.m_q32), 0);
  cr_assert(process.slots == 1 && process.wrong == 1 && !process.fired);
}

Test(eprocess, saturates_instead_of_wrapping)
{
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  for (unsigned t = 0; t < 200; t++) {
    struct asz_eprocess before = process;
    asz_eprocess_step(&process, true);
    for (unsigned i = 0; i < ASZ_EPROCESS_GRID; i++)
      cr_assert_geq(process.m_q32[i], before.m_q32[i], "slot %u", t);
  }
  for (unsigned i = 0; i < ASZ_EPROCESS_GRID; i++)
    cr_assert_eq(process.m_q32[i], UINT64_C(1) << 63);
  cr_assert_geq(asz_eprocess_value_q32(&process), UINT64_C(1) << 63);
}

/* A draw that is true `ppm` times in a million. */
static bool draw(uint64_t *seed, uint32_t ppm) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (*seed >> 33) % 1000000 < ppm;
}

static int by_value(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return (x > y) - (x < y);
}

Test(eprocess, delays_after_half_an_honest_year_are_those_of_the_published_table)
{
  /* docs/guarantees.md; the bounds are the table plus and minus the scatter of other seeds */
  enum { RUNS = 2001, SEED = 5 };
  static const struct {
    uint32_t wrong_ppm;
    unsigned median_min, median_max; /* in slots of ten minutes */
  } table[] = {{1000000, 4, 4}, {500000, 8, 12}, {200000, 23, 31}, {100000, 54, 72}, {50000, 132, 174}, {10000, 1350, 1750}};
  struct asz_eprocess honest;
  asz_eprocess_init(&honest);
  steps(&honest, ASZ_EPROCESS_SLOTS / 2, false);
  uint64_t seed = SEED;
  for (unsigned row = 0; row < sizeof table / sizeof table[0]; row++) {
    unsigned delay[RUNS];
    for (unsigned run = 0; run < RUNS; run++) {
      struct asz_eprocess process = honest;
      for (delay[run] = 0; !asz_eprocess_fired(&process) && process.slots < ASZ_EPROCESS_SLOTS; delay[run]++)
        asz_eprocess_step(&process, draw(&seed, table[row].wrong_ppm));
    }
    qsort(delay, RUNS, sizeof delay[0], by_value);
    unsigned median = delay[RUNS / 2];
    cr_log_info("%u ppm wrong: median %u slots, p95 %u", table[row].wrong_ppm, median, delay[RUNS * 95 / 100]);
    cr_assert(table[row].median_min <= median && median <= table[row].median_max, "seed %d, %u ppm wrong: median %u slots", SEED,
              table[row].wrong_ppm, median);
  }
}

Test(eprocess, false_alarms_stay_under_villes_bound)
{
  /* At p0 itself, the worst that H0 allows: P(ever E >= 100 in a year) <= .01. 200 years: 2 expected at most, over 12 has a
   * probability under 10^-6. */
  enum { YEARS = 200, SEED = 6 };
  uint64_t seed = SEED;
  unsigned alarms = 0;
  for (unsigned year = 0; year < YEARS; year++) {
    struct asz_eprocess process;
    bool alarm = false;
    asz_eprocess_init(&process);
    for (unsigned t = 0; t < ASZ_EPROCESS_SLOTS; t++) {
      asz_eprocess_step(&process, draw(&seed, 1000));
      alarm |= asz_eprocess_value_q32(&process) >= 100 * Q32;
    }
    cr_assert_not(asz_eprocess_fired(&process), "seed %d, year %u", SEED, year);
    alarms += alarm;
  }
  cr_log_info("%u of %d years", alarms, YEARS);
  cr_assert_leq(alarms, 12, "seed %d: %u of %d years", SEED, alarms, YEARS);
}
