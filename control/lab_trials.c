/* SPDX-License-Identifier: Apache-2.0 */
/* An interval is found from its definition: its lower end is the probability p at which `caught` or more of n happen with 0.05 %,
 * by bisection over p; the upper end is the lower one of the other outcome. The tail is a sum of terms that fall from the first
 * on, each a known ratio of the one before. Floating point is good enough here: nothing but the lab's own report hangs on it. */
#include "control/lab_trials.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "control/table.h"

static const double side = 0.0005; /* what the interval leaves on either side */
enum { PPB = 1000000000, HALVINGS = 60 };

void asz_lab_tally_add(struct asz_lab_tally *tally, const struct asz_lab_trait *trait, unsigned kind, unsigned param,
                       enum asz_verdict verdict, bool has_answer) {
  if (!asz_lab_attack_is_tried(trait->attack, kind, param))
    return;
  tally->count[verdict]++;
  tally->unanswered += verdict == ASZ_VERDICT_NONE && !has_answer;
}

/* P(X >= x) for x above n p. */
static double tail(double x, double n, double p) {
  double term = exp(lgamma(n + 1) - lgamma(x + 1) - lgamma(n - x + 1) + x * log(p) + (n - x) * log1p(-p)), sum = 0;
  for (; x <= n && term > sum * 1e-12; x++) {
    sum += term;
    term *= (n - x) / (x + 1) * (p / (1 - p));
  }
  return sum;
}

static double lower_end(uint64_t caught, uint64_t trials) {
  double low = 0, high = (double)caught / (double)trials;
  if (caught == 0)
    return 0;
  if (caught == trials)
    return pow(side, 1 / (double)trials);
  for (int i = 0; i < HALVINGS; i++) {
    const double middle = (low + high) / 2;
    *(tail((double)caught, (double)trials, middle) < side ? &low : &high) = middle;
  }
  return low;
}

void asz_lab_interval(uint64_t caught, uint64_t trials, uint32_t *ret_low_ppb, uint32_t *ret_high_ppb) {
  assert(trials > 0 && caught <= trials);
  *ret_low_ppb = (uint32_t)floor(lower_end(caught, trials) * PPB);
  *ret_high_ppb = (uint32_t)ceil((1 - lower_end(trials - caught, trials)) * PPB);
}

/* ---- rows ---- */

static struct asz_lab_trial *row_of(struct asz_lab_trials *trials, const struct asz_lab_trait *trait) {
  for (uint32_t i = 0; i < trials->count; i++)
    if (trials->trial[i].trait.attack == trait->attack && trials->trial[i].trait.columns == trait->columns)
      return &trials->trial[i];
  if (trials->count == ASZ_LAB_TRIALS_MAX)
    return NULL;
  struct asz_lab_trial *row = &trials->trial[trials->count++];
  *row = (struct asz_lab_trial){.trait = *trait};
  return row;
}

static void add(struct asz_lab_trial *row, const struct asz_lab_tally *tally) {
  static const uint8_t judged[] = {ASZ_VERDICT_FAIL, ASZ_VERDICT_MALFORMED};
  const bool is_attack = row->trait.attack != ASZ_LAB_ATTACK_NONE;
  const enum asz_verdict shows = asz_lab_attack_verdict(row->trait.attack);
  /* Of a product only a commitment can be kept shut; without one a busy machine is the likelier reason. */
  const bool needs_answer = asz_lab_attack_kind(row->trait.attack) > ASZ_KIND_SINGLE_MAX;
  uint64_t missing = tally->count[ASZ_VERDICT_NONE], caught = 0;
  for (unsigned i = 0; i < sizeof judged; i++)
    if (!is_attack || shows == judged[i]) /* an honest answer that is no pass is a false alarm, whatever it is called */
      caught += tally->count[judged[i]];
    else
      row->odd += tally->count[judged[i]];
  if (is_attack && shows == ASZ_VERDICT_NONE) {
    caught += missing - (needs_answer ? tally->unanswered : 0);
    missing = needs_answer ? tally->unanswered : 0;
  }
  row->providers++;
  row->caught += caught;
  row->trials += caught + tally->count[ASZ_VERDICT_PASS];
  row->unjudged += missing + tally->count[ASZ_VERDICT_UNJUDGED];
}

static void judge(struct asz_lab_trial *row, unsigned openings) {
  row->claim_ppb = asz_lab_attack_claim_ppb(&row->trait, openings);
  row->high_ppb = PPB;
  if (row->trials == 0)
    return;
  row->measured_ppb = (uint32_t)(row->caught * PPB / row->trials);
  asz_lab_interval(row->caught, row->trials, &row->low_ppb, &row->high_ppb);
  row->ok = row->odd == 0 && row->low_ppb <= row->claim_ppb && row->claim_ppb <= row->high_ppb;
}

int asz_lab_trials_make(struct asz_lab_trials *ret_trials, const struct asz_lab_trait *trait, const struct asz_lab_tally *tally,
                        uint32_t providers, unsigned openings) {
  struct asz_lab_trials trials = {.openings = openings, .ok = true};
  struct asz_lab_trial honest = {.trait.attack = ASZ_LAB_ATTACK_NONE};
  for (uint32_t i = 0; i < providers; i++) {
    struct asz_lab_trial *row = trait[i].attack == ASZ_LAB_ATTACK_NONE ? &honest : row_of(&trials, &trait[i]);
    if (!row)
      return ASZ_ETOOBIG;
    add(row, &tally[i]);
  }
  if (trials.count > 0 && honest.providers > 0) {
    struct asz_lab_trial *row = row_of(&trials, &honest.trait);
    if (!row)
      return ASZ_ETOOBIG;
    *row = honest;
  }
  for (uint32_t i = 0; i < trials.count; i++) {
    judge(&trials.trial[i], openings);
    trials.ok &= trials.trial[i].ok;
  }
  *ret_trials = trials;
  return 0;
}

/* ---- for eyes and programs ---- */

static const char *percent(struct asz_text *text, uint32_t ppb) {
  snprintf(text->chars, sizeof text->chars, "%u.%03u", ppb / (PPB / 100), ppb / (PPB / 100000) % 1000);
  return text->chars;
}

static const char *kind_of(const struct asz_lab_trial *row) {
  const unsigned kind = asz_lab_attack_kind(row->trait.attack);
  return kind ? asz_kind_name(kind) : "all";
}

static const char *name_of(const struct asz_lab_trial *row) {
  return row->trait.attack == ASZ_LAB_ATTACK_NONE ? "honest" : asz_lab_attack_name(row->trait.attack);
}

static void print_row(struct asz_table *table, const struct asz_lab_trial *row) {
  asz_table_cell(table, name_of(row));
  asz_table_cell(table, kind_of(row));
  asz_table_cell(table, row->trait.columns ? asz_text_count(ASZ_TEXT, row->trait.columns) : "-");
  asz_table_cell(table, percent(ASZ_TEXT, row->claim_ppb));
  asz_table_cell(table, row->trials ? percent(ASZ_TEXT, row->measured_ppb) : "-");
  asz_table_cell(table, asz_text_count(ASZ_TEXT, row->trials));
  asz_table_cell(table, percent(ASZ_TEXT, row->low_ppb));
  asz_table_cell(table, percent(ASZ_TEXT, row->high_ppb));
  asz_table_cell(table, asz_text_count(ASZ_TEXT, row->odd));
  asz_table_cell(table, asz_text_count(ASZ_TEXT, row->unjudged));
  asz_table_cell(table, row->ok ? "yes" : "NO");
}

int asz_lab_trials_print(const struct asz_lab_trials *trials, FILE *out) {
  static const char *const heading[] = {"attack", "kind", "columns", "claimed %", "measured %", "trials",
                                        "from %", "to %", "odd",     "unjudged",  "inside"};
  if (trials->count == 0)
    return 0;
  struct asz_table *table = asz_table_new("llrrrrrrrrl");
  if (!table)
    return ASZ_ENOMEM;
  for (size_t i = 0; i < sizeof heading / sizeof *heading; i++)
    asz_table_cell(table, heading[i]);
  for (uint32_t i = 0; i < trials->count; i++)
    print_row(table, &trials->trial[i]);
  fprintf(out,
          "how often a challenge catches each attack, %u columns of each answer of gemm and mem opened; from, to: the 99.9 %% "
          "interval\n",
          trials->openings);
  return asz_table_print(table, out) == 0 ? 0 : ASZ_ENOMEM;
}

json_t *asz_lab_trials_json(const struct asz_lab_trials *trials) {
  json_t *array = json_array();
  for (uint32_t i = 0; array && i < trials->count; i++) {
    const struct asz_lab_trial *row = &trials->trial[i];
    json_t *item = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "attack", name_of(row), "kind", kind_of(row),
        "columns", (json_int_t)row->trait.columns, "openings", (json_int_t)trials->openings, "providers",
        (json_int_t)row->providers, "claimed_ppb", (json_int_t)row->claim_ppb, "measured_ppb", (json_int_t)row->measured_ppb,
        "trials", (json_int_t)row->trials, "caught", (json_int_t)row->caught, "low_ppb", (json_int_t)row->low_ppb, "high_ppb",
        (json_int_t)row->high_ppb, "odd", (json_int_t)row->odd, "unjudged", (json_int_t)row->unjudged, "inside", (int)row->ok);
    if (json_array_append_new(array, item) < 0) { /* also for item == NULL */
      json_decref(array);
      return NULL;
    }
  }
  return array;
}
