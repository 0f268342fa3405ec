/* SPDX-License-Identifier: Apache-2.0 */
/* asz_lab_each: truth and measurement of one provider of a lab side by side, as a row of a table and as an object. It judges
 * nothing: that is asz_lab_report's. Loss, copies and order in truth are as the emulator counted them; RTTs are
 * what the truth alone gives to the same probes, so their difference is all that prober and machine added. */
#ifndef ASZ_CONTROL_LAB_EACH_H
#define ASZ_CONTROL_LAB_EACH_H

#include "control/lab_report.h"
#include "control/scenario.h"

/* One side. RTTs are of answers within the timeout; 0: there is none. */
struct asz_lab_facts {
  uint64_t probes, lost, duplicates, reordered;
  uint64_t rtt_p50_ns, rtt_p99_ns;
};

struct asz_lab_each {
  struct asz_lab_facts truth, measured;
  char says[160]; /* what else the engine counted against it, "forged 98, S1"; "" nothing */
};

/* asz_lab_each_make: of one provider. `rtt_ns` is memory for as many as any provider got probes (asz_lab_each_probes). Pure. */
void asz_lab_each_make(struct asz_lab_each *ret_each, const struct asz_lab_run *run, uint32_t provider, uint64_t *rtt_ns);
uint32_t asz_lab_each_probes(const struct asz_lab_run *run);

/* asz_lab_each_print: the table of all providers; ASZ_ENOMEM or 0. asz_lab_each_json: a new array; NULL when out of memory. The
 * scenario (NULL: none) names the groups. */
ASZ_MUST_CHECK int asz_lab_each_print(const struct asz_lab_run *run, const struct asz_scenario *scenario, FILE *out);
struct json_t *asz_lab_each_json(const struct asz_lab_run *run, const struct asz_scenario *scenario);

#endif
