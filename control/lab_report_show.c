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
  /* json_pack takes the three inner objects over, and fails as a whole when one of them is NULL. */
  return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "ok", (int)r->ok, "providers",
                   (json_int_t)r->providers, "sent", (json_int_t)r->sent, "arrived", (json_int_t)r->arrived, "answered",
                   (json_int_t)r->answered, "late", (json_int_t)r->late, "unjudged", (json_int_t)r->unjudged, "unanswered",
                   (json_int_t)r->unanswered, "lost", (json_int_t)r->lost, "emulator_faults", (json_int_t)r->emulator_faults,
                   "emulator_strays", (json_int_t)r->emulator_strays, "latency_providers", (json_int_t)r->latency_providers,
                   "median_error_ns", spread_json(&r->error_ns), "median_error_ppm", spread_json(&r->error_ppm), "claims",
                   claims_json(r));
}
