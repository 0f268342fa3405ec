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

void asz_lab_tally_add(struct asz_lab_tally *tally, const struct asz_lab_trait *trait, const struct asz_lab_outcome *o) {
  if (!asz_lab_attack_is_tried(trait->attack, o->kind, o->param))
    return;
  const bool is_timed = o->verdict == ASZ_VERDICT_PASS && asz_param_is_fold(o->kind, o->param) && trait->device.piece_us > 0;
  const bool is_claimed = o->at_once || !asz_lab_attack_is_timed(trait->attack);
  if (!is_claimed) {
    tally->count[ASZ_VERDICT_UNJUDGED]++;
    return;
  }
  tally->count[o->verdict]++;
  tally->unwanted += o->verdict == ASZ_VERDICT_NONE && !o->is_shut;
  tally->untimed += is_timed && o->pace == ASZ_FOLD_PACE_NONE;
  tally->out_of_pace += is_timed && (o->pace == ASZ_FOLD_PACE_TOO_SLOW || o->pace == ASZ_FOLD_PACE_TOO_FAST);
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

static bool is_alike(const struct asz_lab_trait *a, const struct asz_lab_trait *b) {
  return a->attack == b->attack && a->columns == b->columns && memcmp(&a->device, &b->device, sizeof a->device) == 0;
}

static struct asz_lab_trial *row_of(struct asz_lab_trials *trials, const struct asz_lab_trait *trait) {
  for (uint32_t i = 0; i < trials->count; i++)
    if (is_alike(&trials->trial[i].trait, trait))
      return &trials->trial[i];
  if (trials->count == ASZ_LAB_TRIALS_MAX)
    return NULL;
  struct asz_lab_trial *row = &trials->trial[trials->count++];
  *row = (struct asz_lab_trial){.trait = *trait};
  return row;
}

static void add(struct asz_lab_trial *row, const struct asz_lab_tally *tally) {
  static const uint8_t judged[] = {ASZ_VERDICT_FAIL, ASZ_VERDICT_MALFORMED};
  const bool is_attack = row->trait.attack != ASZ_LAB_ATTACK_NONE, is_timed = asz_lab_attack_is_timed(row->trait.attack);
  const enum asz_verdict shows = asz_lab_attack_verdict(row->trait.attack);
  /* A product that is missing is the machine's fault, but where the provider kept it shut, or the attack is about time. */
  const bool is_opened = asz_lab_attack_kind(row->trait.attack) > ASZ_KIND_SINGLE_MAX && !is_timed;
  const uint64_t untimed = is_timed ? tally->untimed : 0;
  const uint64_t out_of_pace = is_timed || !is_attack ? tally->out_of_pace : 0; /* an honest one is a false alarm, as below */
  uint64_t missing = tally->count[ASZ_VERDICT_NONE], caught = out_of_pace;
  for (unsigned i = 0; i < sizeof judged; i++)
    if (!is_attack || shows == judged[i]) /* an honest answer that is no pass is a false alarm, whatever it is called */
      caught += tally->count[judged[i]];
    else
      row->odd += tally->count[judged[i]];
  if (is_attack && shows == ASZ_VERDICT_NONE) {
    caught += missing - (is_opened ? tally->unwanted : 0);
    missing = is_opened ? tally->unwanted : 0;
  }
  row->providers++;
  row->caught += caught;
  row->trials += caught + tally->count[ASZ_VERDICT_PASS] - out_of_pace - untimed;
  row->unjudged += missing + tally->count[ASZ_VERDICT_UNJUDGED] + untimed;
}

static void judge(struct asz_lab_trial *row, const struct asz_lab_terms *terms) {
  row->claim_ppb = asz_lab_attack_claim_ppb(&row->trait, terms);
  row->high_ppb = PPB;
  if (row->trials == 0)
    return;
  row->measured_ppb = (uint32_t)(row->caught * PPB / row->trials);
  asz_lab_interval(row->caught, row->trials, &row->low_ppb, &row->high_ppb);
  row->ok = row->odd == 0 && row->low_ppb <= row->claim_ppb && row->claim_ppb <= row->high_ppb;
}

int asz_lab_trials_make(struct asz_lab_trials *ret_trials, const struct asz_lab_trait *trait, const struct asz_lab_tally *tally,
                        uint32_t providers, const struct asz_lab_terms *terms) {
  struct asz_lab_trials trials = {.terms = *terms, .ok = true};
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
    judge(&trials.trial[i], terms);
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

/* What a timed attack is made of, or "-". */
static const char *device_of(struct asz_text *text, const struct asz_lab_trial *row) {
  const struct asz_lab_device *device = &row->trait.device;
  if (!asz_lab_attack_is_timed(row->trait.attack))
    return "-";
  int end = snprintf(text->chars, sizeof text->chars, "%u on %u ms", device->identities, device->piece_us / 1000);
  if (device->claim_us != device->piece_us)
    end += snprintf(text->chars + end, sizeof text->chars - (size_t)end, " as %u", device->claim_us / 1000);
  if (device->path_us > 0)
    snprintf(text->chars + end, sizeof text->chars - (size_t)end, ", %u off", device->path_us / 1000);
  return text->chars;
}

static void print_row(struct asz_table *table, const struct asz_lab_trial *row) {
  asz_table_cell(table, name_of(row));
  asz_table_cell(table, kind_of(row));
  asz_table_cell(table, row->trait.columns ? asz_text_count(ASZ_TEXT, row->trait.columns) : "-");
  asz_table_cell(table, device_of(ASZ_TEXT, row));
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
  static const char *const heading[] = {"attack", "kind",   "columns", "device", "claimed %", "measured %",
                                        "trials", "from %", "to %",    "odd",    "unjudged",  "inside"};
  if (trials->count == 0)
    return 0;
  struct asz_table *table = asz_table_new("llrlrrrrrrrl");
  if (!table)
    return ASZ_ENOMEM;
  for (size_t i = 0; i < sizeof heading / sizeof *heading; i++)
    asz_table_cell(table, heading[i]);
  for (uint32_t i = 0; i < trials->count; i++)
    print_row(table, &trials->trial[i]);
  fprintf(out,
          "how often a challenge catches each attack, %u columns of each answer of gemm and mem opened; from, to: the 99.9 %% "
          "interval\n",
          trials->terms.openings);
  return asz_table_print(table, out) == 0 ? 0 : ASZ_ENOMEM;
}

json_t *asz_lab_trials_json(const struct asz_lab_trials *trials) {
  json_t *array = json_array();
  for (uint32_t i = 0; array && i < trials->count; i++) {
    const struct asz_lab_trial *row = &trials->trial[i];
    json_t *item =
        json_pack("{s:s, s:s, s:I, s:{s:I, s:I, s:I, s:I}, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "attack",
                  name_of(row), "kind", kind_of(row), "columns", (json_int_t)row->trait.columns, "device", "identities",
                  (json_int_t)row->trait.device.identities, "piece_us", (json_int_t)row->trait.device.piece_us, "claim_us",
                  (json_int_t)row->trait.device.claim_us, "path_us", (json_int_t)row->trait.device.path_us, "openings",
                  (json_int_t)trials->terms.openings, "providers", (json_int_t)row->providers, "claimed_ppb",
                  (json_int_t)row->claim_ppb, "measured_ppb", (json_int_t)row->measured_ppb, "trials", (json_int_t)row->trials,
                  "caught", (json_int_t)row->caught, "low_ppb", (json_int_t)row->low_ppb, "high_ppb", (json_int_t)row->high_ppb,
                  "odd", (json_int_t)row->odd, "unjudged", (json_int_t)row->unjudged, "inside", (int)row->ok);
    if (json_array_append_new(array, item) < 0) { /* also for item == NULL */
      json_decref(array);
      return NULL;
    }
  }
  return array;
}
