/* SPDX-License-Identifier: Apache-2.0 */
/* asz_lab: a validator and a network of emulated providers in one process: a home of its own in a temporary directory, an
 * identity for every provider, the emulator on a second lcore, and this thread as the providers' provers. `assize lab` runs the
 * same loop as `assize run` on it. */
#ifndef ASZ_CONTROL_LAB_H
#define ASZ_CONTROL_LAB_H

#include "control/lab_report.h"
#include "control/scenario.h"
#include "control/validator.h"
#include "dataplane/emulator/emulator.h"

struct asz_lab_options {
  uint32_t providers; /* 1..ASZ_LAB_PROVIDERS_MAX */
  uint32_t seconds;
  uint64_t seed;
  const struct asz_scenario *scenario; /* borrowed while the lab lives; NULL: none */
  const char *keep;                    /* directory for the home, or NULL: temporary, removed */
  uint32_t ipv6_ppm;                   /* share of the providers with an IPv6 address */
  uint32_t openings;                   /* columns of each answer of gemm and mem that are opened; 0: they are not asked */
};

struct asz_lab;

/* asz_lab_new makes the home and the truth, starts EAL, emulator and validator. Needs neither root nor huge pages. */
ASZ_MUST_CHECK int asz_lab_new(struct asz_lab **ret_lab, const struct asz_lab_options *options, struct asz_diag *diag);
/* asz_lab_run probes for the given time, verifies the log it wrote, and compares. */
ASZ_MUST_CHECK int asz_lab_run(struct asz_lab *lab, bool quiet, struct asz_lab_report *ret_report,
                               struct asz_run_result *ret_result, struct asz_diag *diag);
/* asz_lab_compared: what asz_lab_run compared, for asz_lab_each; the lab's, after asz_lab_run. */
const struct asz_lab_run *asz_lab_compared(const struct asz_lab *lab);
void asz_lab_free(struct asz_lab *lab); /* NULL is fine; stops EAL; removes a temporary home */

#endif
