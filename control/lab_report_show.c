/* SPDX-License-Identifier: Apache-2.0 */
/* The lab's report for eyes and for programs. It decides nothing. */
#include <inttypes.h>
#include <jansson.h>

#include "control/lab_report.h"
#include "control/table.h"

static void print_figures(const struct asz_lab_report *r, FILE *out) {
  struct asz_text a, b, c;
  fprintf(out, "probes      sent %s, arrived %s, unjudged %s\n", asz_text_count(&a, r->sent), asz_text_count(&b, r->arrived),
          asz_text_count(&c, r->unjudged));
  fprintf(out, "replies     answered %s, late %s\n", asz_text_count(&a, r->answered), asz_text_count(&b, r->late));
  fprintf(out, "loss        measured %s, true %s\n", asz_text_count(&a, r->unanswered), asz_text_count(&b, r->lost));
  if (r->latency_providers > 0) {
    fprintf(out, "median RTT  error over %u of %u providers: p50 %s, p99 %s, max %s\n", r->latency_providers, r->providers,
            asz_text_ns(&a, r->error_ns.p50), asz_text_ns(&b, r->error_ns.p99), asz_text_ns(&c, r->error_ns.max));
    fprintf(out, "            in parts of the truth: p50 %" PRIu64 " ppm, p99 %" PRIu64 " ppm, max %" PRIu64 " ppm\n",
            r->error_ppm.p50, r->error_ppm.p99, r->error_ppm.max);
  }
  if (r->busy_providers > 0)
    fprintf(out, "            not compared for %u providers: the machine was too busy\n", r->busy_providers);
  if (r->emulator_faults > 0)
    fprintf(out, "emulator    lost %s frames itself (held against nobody)\n", asz_text_count(&a, r->emulator_faults));
}

static int print_claims(const struct asz_lab_report *r, FILE *out) {
  struct asz_table *table = asz_table_new("llll");
  if (!table)
    return ASZ_ENOMEM;
  static const char *const heading[] = {"claim", "expected", "measured", "holds"};
  for (size_t i = 0; i < 4; i++)
    asz_table_cell(table, heading[i]);
  for (uint32_t i = 0; i < r->claim_count; i++) {
    asz_table_cell(table, r->claim[i].name);
    asz_table_cell(table, r->claim[i].expected);
    asz_table_cell(table, r->claim[i].measured);
    asz_table_cell(table, r->claim[i].ok ? "yes" : "NO");
  }
  return asz_table_print(table, out) == 0 ? 0 : ASZ_ENOMEM;
}

int asz_lab_report_print(const struct asz_lab_report *report, FILE *out) {
  print_figures(report, out);
  fputc('\n', out);
  int err = print_claims(report, out);
  if (err)
    return err;
  if (report->trials.count > 0)
    fputc('\n', out);
  err = asz_lab_trials_print(&report->trials, out);
  if (err)
    return err;
  fprintf(out, "\n%s\n", report->ok ? "all claims hold" : report->sent == 0 ? "nothing was measured" : "some claims do NOT hold");
  return 0;
}

static json_t *spread_json(const struct asz_lab_spread *spread) {
  return json_pack("{s:I, s:I, s:I}", "p50", (json_int_t)spread->p50, "p99", (json_int_t)spread->p99, "max",
                   (json_int_t)spread->max);
}

static json_t *claims_json(const struct asz_lab_report *r) {
  json_t *array = json_array();
  for (uint32_t i = 0; array && i < r->claim_count; i++) {
    const struct asz_lab_claim *claim = &r->claim[i];
    json_t *item = json_pack("{s:s, s:s, s:s, s:b}", "name", claim->name, "expected", claim->expected, "measured",
                             claim->measured, "ok", (int)claim->ok);
    if (json_array_append_new(array, item) < 0) { /* also for item == NULL */
      json_decref(array);
      return NULL;
    }
  }
  return array;
}

json_t *asz_lab_report_json(const struct asz_lab_report *r) {
  const struct {
    const char *key;
    uint64_t value;
  } numbers[] = {{"providers", r->providers},
                 {"sent", r->sent},
                 {"arrived", r->arrived},
                 {"answered", r->answered},
                 {"late", r->late},
                 {"unjudged", r->unjudged},
                 {"unanswered", r->unanswered},
                 {"lost", r->lost},
                 {"emulator_faults", r->emulator_faults},
                 {"emulator_strays", r->emulator_strays},
                 {"latency_providers", r->latency_providers},
                 {"busy_providers", r->busy_providers}};
  json_t *root = json_object();
  int err = json_object_set_new(root, "ok", json_boolean(r->ok)); /* each fails for NULL on either side */
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    err |= json_object_set_new(root, numbers[i].key, json_integer((json_int_t)numbers[i].value));
  err |= json_object_set_new(root, "median_error_ns", spread_json(&r->error_ns));
  err |= json_object_set_new(root, "median_error_ppm", spread_json(&r->error_ppm));
  err |= json_object_set_new(root, "claims", claims_json(r));
  err |= json_object_set_new(root, "trials", asz_lab_trials_json(&r->trials));
  if (!err)
    return root;
  json_decref(root);
  return NULL;
}
